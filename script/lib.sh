# What script/test and script/demo share; to be sourced, from the top of the tree.

say() {
	printf '== %s\n' "$*"
}

die() {
	printf '%s: %s\n' "$0" "$*" >&2
	exit 1
}

# Run a command as root.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		command -v sudo >/dev/null || die "root is needed for: $*"
		sudo -n "$@"
	fi
}

# packages_missing NAME...: those that dpkg does not have, each on a line.
packages_missing() {
	for package; do
		dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
			echo "$package"
	done
}

# packages_of FILE...: the names in lists of script/packages/.
packages_of() {
	for list; do
		sed 's/#.*//' "script/packages/$list"
	done
}

apt_get() {
	as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -qq -o Acquire::Retries=3 \
		-o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}

# Index files of apt, once a run: a fresh machine has none.
apt_update() {
	[ -z "${apt_updated-}" ] || return 0
	say "apt-get update"
	apt_get update || return 1
	apt_updated=yes
}

# packages_install NAME...: install what is missing; say nothing when all is there. No service is started:
# policy-rc.d forbids it for as long as this runs.
packages_install() {
	missing=$(packages_missing "$@")
	[ -n "$missing" ] || return 0
	apt_update || return 1
	say "apt-get install" $missing
	policy=/usr/sbin/policy-rc.d
	if [ -e $policy ]; then
		policy=
	else
		printf '#!/bin/sh\nexit 101\n' | as_root tee $policy >/dev/null
		as_root chmod 755 $policy
	fi
	apt_get install -y --no-install-recommends $missing >build/apt.log 2>&1
	installed=$?
	[ -z "$policy" ] || as_root rm -f $policy
	[ $installed = 0 ] || cat build/apt.log
	return $installed
}

# quietly LOG COMMAND...: run it, its output in LOG; show the end of that when it fails.
quietly() {
	log=$1
	shift
	"$@" >"$log" 2>&1 && return 0
	echo "failed: $*"
	echo "the end of $log:"
	tail -n 80 "$log"
	return 1
}

# ./configure, when there is none or what it is made of is newer.
make_configure() {
	if [ -x configure ] && [ -z "$(find configure.ac Makefile.am m4 -newer configure -name '*.[am]*')" ]; then
		return 0
	fi
	say "autogen.sh"
	quietly build/autogen.log ./autogen.sh
}

# build_in DIR WHAT [ARGUMENT OF CONFIGURE...]: configure in DIR once for the same arguments, and build.
build_in() {
	dir=$1
	what=$2
	shift 2
	mkdir -p "$dir"
	if [ ! -e "$dir/Makefile" ] || [ "$(cat "$dir/arguments" 2>/dev/null)" != "$*" ]; then
		say "configure in $dir ($what)"
		(cd "$dir" && quietly configure.log ../../configure --cache-file=config.cache "$@") || return 1
		echo "$*" >"$dir/arguments"
	fi
	say "make in $dir ($what)"
	quietly "$dir/make.log" make -C "$dir" -j "$(nproc)" ${build_targets-all}
}
