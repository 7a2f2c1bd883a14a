# librowd: what client/rowd.map names is visible, the rest is its own affair.
lib_LTLIBRARIES += librowd.la
librowd_la_CFLAGS = $(AM_CFLAGS) $(MSGPACK_CFLAGS)
librowd_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 -no-undefined \
	-Wl,--version-script=$(srcdir)/client/rowd.map
librowd_la_LIBADD = libbase.la $(MSGPACK_LIBS) $(ROWD_LIBS)
librowd_la_DEPENDENCIES = libbase.la client/rowd.map
librowd_la_SOURCES =
EXTRA_DIST += client/rowd.map

pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = client/rowd.pc
