# What `make check` and `make install` use beside the compiler. None of it is needed to build.

# ROWD_PYTHON3: the first python3 that can import msgpack and pytest.
AC_DEFUN([ROWD_PYTHON3], [
	AC_ARG_VAR([PYTHON3], [a python3 with msgpack and pytest, for the tests])
	AC_CACHE_CHECK([for a python3 with msgpack and pytest], [rowd_cv_python3], [
		rowd_cv_python3=none
		for python in $PYTHON3 python3 /usr/bin/python3 /usr/local/bin/python3; do
			python=`command -v "$python" 2>/dev/null` || continue
			AS_IF(["$python" -c 'import msgpack, pytest' >/dev/null 2>&1],
				[rowd_cv_python3=$python; break])
		done
	])
	PYTHON3=$rowd_cv_python3
	AC_SUBST([PYTHON3])
])

AC_DEFUN([ROWD_TEST_TOOLS], [
	ROWD_PYTHON3
	PKG_CHECK_MODULES([CMOCKA], [cmocka >= 1.1.5], [rowd_cmocka=yes], [rowd_cmocka=no])
	AC_CHECK_PROGS([CLANG_FORMAT], [clang-format clang-format-14], [none])
	AM_CONDITIONAL([HAVE_CMOCKA], [test "$rowd_cmocka" = yes])
	AM_CONDITIONAL([HAVE_PYTHON3], [test "$PYTHON3" != none])
])

# Where systemd and bash look. Relative to the prefix, so that an unprivileged install stays inside it.
AC_DEFUN([ROWD_PACKAGING], [
	AC_ARG_WITH([systemdsystemunitdir],
		[AS_HELP_STRING([--with-systemdsystemunitdir=DIR], [where units go @<:@PREFIX/lib/systemd/system@:>@])],
		[systemdsystemunitdir=$withval], [systemdsystemunitdir='${prefix}/lib/systemd/system'])
	AC_ARG_WITH([bashcompletiondir],
		[AS_HELP_STRING([--with-bashcompletiondir=DIR], [where completions go @<:@DATADIR/bash-completion/completions@:>@])],
		[bashcompletiondir=$withval], [bashcompletiondir='${datadir}/bash-completion/completions'])
	AC_SUBST([systemdsystemunitdir])
	AC_SUBST([bashcompletiondir])
])

AC_DEFUN([ROWD_SUMMARY], [
	AS_VAR_IF([PYTHON3], [none], [rowd_python="none: make check cannot run the Python suites"],
		[rowd_python=$PYTHON3])
	AS_VAR_IF([rowd_cmocka], [yes], [rowd_unit="cmocka"],
		[rowd_unit="none: make check cannot run the unit tests"])
	AS_ECHO(["
rowd $PACKAGE_VERSION

  compiler       $CC $CFLAGS
  sanitizers     $rowd_sanitize
  coverage       $enable_coverage
  fuzz targets   $enable_fuzzers
  werror         $enable_werror

  SQLite         `$PKG_CONFIG --modversion sqlite3`
  MySQL          $rowd_mysql
  rowctl         $with_rowctl
  libraries      shared $enable_shared, static $enable_static

  unit tests     $rowd_unit
  Python suites  $rowd_python

  prefix         $prefix
"])
])
