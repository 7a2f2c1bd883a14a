# The C dialect, the warnings and what the sanitizers need. Results: ROWD_CPPFLAGS, ROWD_CFLAGS,
# ROWD_LDFLAGS, FUZZ_LDFLAGS, and the conditionals FUZZERS and COVERAGE.

# ROWD_TRY_FLAG(VARIABLE, FLAG): add FLAG when the compiler knows it.
AC_DEFUN([ROWD_TRY_FLAG], [
	AS_VAR_PUSHDEF([cache], [rowd_cv_flag_$2])
	AC_CACHE_CHECK([whether $CC takes $2], [cache], [
		rowd_saved_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -Werror $2"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM()], [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
		CFLAGS=$rowd_saved_CFLAGS
	])
	AS_VAR_IF([cache], [yes], [AS_VAR_APPEND([$1], [" $2"])])
	AS_VAR_POPDEF([cache])
])

# ROWD_NEED_FLAGS(FLAGS, WHAT): stop when a program built with FLAGS does not link.
AC_DEFUN([ROWD_NEED_FLAGS], [
	AC_MSG_CHECKING([whether $CC can do $2])
	rowd_saved_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS $1"
	AC_LINK_IFELSE([AC_LANG_PROGRAM()], [AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		 AC_MSG_ERROR([$2 was asked for, but $CC does not link with $1])])
	CFLAGS=$rowd_saved_CFLAGS
])

AC_DEFUN([ROWD_COMPILER_FLAGS], [
	ROWD_CPPFLAGS='-D_GNU_SOURCE'
	ROWD_CFLAGS='-std=c11'
	for flag in -Wall -Wextra -Wpedantic -Wshadow -Wmissing-prototypes -Wstrict-prototypes \
		    -Wpointer-arith -Wwrite-strings -Wvla -Wundef; do
		AS_VAR_APPEND([ROWD_CFLAGS], [" $flag"])
	done
	ROWD_TRY_FLAG([ROWD_CFLAGS], [-fno-common])
	ROWD_TRY_FLAG([ROWD_CFLAGS], [-fstack-protector-strong])
	AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [warnings are errors])],
		[], [enable_werror=no])
	AS_VAR_IF([enable_werror], [yes], [AS_VAR_APPEND([ROWD_CFLAGS], [' -Werror'])])
	AC_SUBST([ROWD_CPPFLAGS])
	AC_SUBST([ROWD_CFLAGS])
])

AC_DEFUN([ROWD_SANITIZERS], [
	ROWD_LDFLAGS=
	FUZZ_LDFLAGS=
	rowd_sanitize=
	AC_ARG_ENABLE([asan], [AS_HELP_STRING([--enable-asan], [build with AddressSanitizer])],
		[], [enable_asan=no])
	AC_ARG_ENABLE([ubsan], [AS_HELP_STRING([--enable-ubsan], [build with UndefinedBehaviorSanitizer])],
		[], [enable_ubsan=no])
	AC_ARG_ENABLE([tsan], [AS_HELP_STRING([--enable-tsan], [build with ThreadSanitizer])],
		[], [enable_tsan=no])
	AC_ARG_ENABLE([coverage], [AS_HELP_STRING([--enable-coverage], [count which lines run (gcov)])],
		[], [enable_coverage=no])
	AC_ARG_ENABLE([fuzzers], [AS_HELP_STRING([--enable-fuzzers], [build the fuzz targets (clang)])],
		[], [enable_fuzzers=no])

	AS_IF([test "$enable_asan" = yes && test "$enable_tsan" = yes],
		[AC_MSG_ERROR([--enable-asan and --enable-tsan exclude each other])])
	AS_VAR_IF([enable_asan], [yes], [AS_VAR_APPEND([rowd_sanitize], [,address])])
	AS_VAR_IF([enable_ubsan], [yes], [AS_VAR_APPEND([rowd_sanitize], [,undefined])])
	AS_VAR_IF([enable_tsan], [yes], [AS_VAR_APPEND([rowd_sanitize], [,thread])])
	AS_VAR_IF([enable_fuzzers], [yes], [
		AS_VAR_APPEND([rowd_sanitize], [,fuzzer-no-link])
		FUZZ_LDFLAGS=-fsanitize=fuzzer
	])
	AS_IF([test -n "$rowd_sanitize"], [
		rowd_sanitize=`AS_ECHO(["$rowd_sanitize"]) | $SED 's/^,//'`
		rowd_flags="-fsanitize=$rowd_sanitize -fno-sanitize-recover=all -fno-omit-frame-pointer"
		ROWD_NEED_FLAGS([$rowd_flags], [-fsanitize=$rowd_sanitize])
		AS_VAR_APPEND([ROWD_CFLAGS], [" $rowd_flags"])
		AS_VAR_APPEND([ROWD_LDFLAGS], [" -fsanitize=$rowd_sanitize"])
	], [rowd_sanitize=none])
	AS_VAR_IF([enable_coverage], [yes], [
		ROWD_NEED_FLAGS([--coverage], [coverage])
		AS_VAR_APPEND([ROWD_CFLAGS], [' --coverage -O0'])
		AS_VAR_APPEND([ROWD_LDFLAGS], [' --coverage'])
	])
	AM_CONDITIONAL([FUZZERS], [test "$enable_fuzzers" = yes])
	AM_CONDITIONAL([COVERAGE], [test "$enable_coverage" = yes])
	AC_SUBST([ROWD_LDFLAGS])
	AC_SUBST([FUZZ_LDFLAGS])
])
