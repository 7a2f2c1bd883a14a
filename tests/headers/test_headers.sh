#!/bin/sh
# rowd.h compiles alone, as C11 and as C++17, and librowd shows exactly what rowd.h declares. TAP.
set -u
src=${ROWD_SRCDIR:-.}
build=${ROWD_BUILDDIR:-.}
lib=${LIBROWD:-$build/.libs/librowd.so}
strict='-Wall -Wextra -pedantic -Werror -fsyntax-only'
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
n=0

# report STATUS WHAT
report()
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# /' "$dir/out"
	fi
}

# compile WHAT COMPILER... FILE
compile()
{
	what=$1
	shift
	"$@" $strict -I"$build/include" -I"$src/include" >"$dir/out" 2>&1
	report $? "$what"
}

echo '1..7'
echo '#include <rowd.h>' >"$dir/alone.c"
compile 'rowd_h_compiles_alone_as_c11' ${CC:-cc} -std=c11 -x c "$dir/alone.c"
compile 'what_rowd_h_offers_compiles_as_c11' ${CC:-cc} -std=c11 -x c "$src/tests/headers/use.c"
cxx=${CXX:-c++}
if command -v ${cxx%% *} >/dev/null 2>&1; then
	compile 'rowd_h_compiles_alone_as_cxx17' $cxx -std=c++17 -x c++ "$dir/alone.c"
	compile 'what_rowd_h_offers_compiles_as_cxx17' $cxx -std=c++17 -x c++ "$src/tests/headers/use.c"
else
	n=4
	echo 'ok 3 # SKIP no C++ compiler'
	echo 'ok 4 # SKIP no C++ compiler'
fi

tr '\n\t' '  ' <"$src/include/rowd.h" | sed 's/ROWD_API/\nROWD_API/g' |
	sed -n 's/^ROWD_API [^(;]*[ *]\(rowd_[a-z0-9_]*\)(.*/\1/p' | sort >"$dir/declared"
sed -n 's/^	\(rowd_[a-z0-9_]*\);/\1/p' "$src/client/rowd.map" | sort >"$dir/mapped"
diff "$dir/declared" "$dir/mapped" >"$dir/out" 2>&1
report $? 'rowd_map_names_what_rowd_h_declares'

if [ -f "$lib" ]; then
	nm -D --defined-only "$lib" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >"$dir/shown"
	diff "$dir/declared" "$dir/shown" >"$dir/out" 2>&1
	report $? 'librowd_shows_what_rowd_h_declares_and_no_more'
	nm -D --defined-only --with-symbol-versions "$lib" 2>/dev/null | awk '$2 == "T" && $3 !~ /@@ROWD_1\.0$/' >"$dir/out"
	test ! -s "$dir/out"
	report $? 'every_symbol_has_a_version'
else
	echo 'ok 6 # SKIP librowd is not built as a shared library'
	echo 'ok 7 # SKIP librowd is not built as a shared library'
fi
