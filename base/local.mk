# base and proto together: what rowd and librowd both stand on. Compiled twice (libtool), since
# librowd wants position independent code.
noinst_LTLIBRARIES += libbase.la
libbase_la_CFLAGS = $(AM_CFLAGS) $(MSGPACK_CFLAGS)
libbase_la_LIBADD = $(MSGPACK_LIBS)
libbase_la_SOURCES = \
	base/arena.c \
	base/arena.h \
	base/buf.c \
	base/buf.h \
	base/err.c \
	base/err.h \
	base/paths.c \
	base/paths.h
