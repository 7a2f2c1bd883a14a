# The libraries rowd stands on. A missing one is named together with its Debian package.

# ROWD_NEED_MODULE(PREFIX, PKG-CONFIG MODULES, DEBIAN PACKAGE, [HINT])
AC_DEFUN([ROWD_NEED_MODULE], [
	PKG_CHECK_MODULES([$1], [$2], [], [
		AC_MSG_ERROR([$2 is needed and was not found (on Debian: apt-get install $3)$4
$$1_PKG_ERRORS])])
])

AC_DEFUN([ROWD_LIBRARIES], [
	ROWD_NEED_MODULE([EVENT], [libevent_core libevent_pthreads], [libevent-dev])
	ROWD_NEED_MODULE([SQLITE], [sqlite3 >= 3.37], [libsqlite3-dev],
		[; STRICT tables came with SQLite 3.37, an older one cannot keep what rowd promises])
	ROWD_NEED_MODULE([CONFUSE], [libconfuse], [libconfuse-dev])
	PKG_CHECK_MODULES([MSGPACK], [msgpack >= 1.1], [rowd_msgpack=msgpack], [
		ROWD_NEED_MODULE([MSGPACK], [msgpack-c >= 1.1], [libmsgpack-dev], [; it may be named msgpack too])
		rowd_msgpack=msgpack-c
	])
	AC_SUBST([rowd_msgpack])
	rowd_saved_LIBS=$LIBS
	AC_SEARCH_LIBS([pthread_create], [pthread], [], [AC_MSG_ERROR([POSIX threads are needed])])
	AC_SEARCH_LIBS([floor], [m], [], [AC_MSG_ERROR([the mathematics library is needed])])
	ROWD_LIBS=$LIBS
	LIBS=$rowd_saved_LIBS
	AC_SUBST([ROWD_LIBS])
])

AC_DEFUN([ROWD_ROWCTL], [
	AC_ARG_WITH([rowctl], [AS_HELP_STRING([--without-rowctl], [leave the command line client out])],
		[], [with_rowctl=yes])
	AS_VAR_IF([with_rowctl], [no], [], [
		with_rowctl=yes
		ROWD_NEED_MODULE([JSON], [json-c], [libjson-c-dev], [; --without-rowctl builds without])
		ROWD_NEED_MODULE([SMARTCOLS], [smartcols], [libsmartcols-dev], [; --without-rowctl builds without])
		ROWD_NEED_MODULE([EDIT], [libedit], [libedit-dev], [; --without-rowctl builds without])
	])
	AM_CONDITIONAL([WITH_ROWCTL], [test "$with_rowctl" = yes])
])

AC_DEFUN([ROWD_MYSQL], [
	AC_ARG_WITH([mysql], [AS_HELP_STRING([--with-mysql], [speak to MySQL and MariaDB @<:@auto@:>@])],
		[], [with_mysql=auto])
	rowd_mysql=none
	AS_VAR_IF([with_mysql], [no], [], [
		PKG_CHECK_MODULES([MYSQL], [libmariadb], [rowd_mysql=libmariadb],
			[PKG_CHECK_MODULES([MYSQL], [mysqlclient], [rowd_mysql=mysqlclient], [:])])
		AS_IF([test "$rowd_mysql" = none && test "$with_mysql" != auto],
			[AC_MSG_ERROR([--with-mysql: neither libmariadb nor mysqlclient was found (on Debian: apt-get install libmariadb-dev)])])
	])
	AM_CONDITIONAL([WITH_MYSQL], [test "$rowd_mysql" != none])
])
