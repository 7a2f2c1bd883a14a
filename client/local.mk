# librowd: what client/rowd.map names is visible, the rest is its own affair.
lib_LTLIBRARIES += librowd.la
librowd_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 -no-undefined \
	-Wl,--version-script=$(srcdir)/client/rowd.map
librowd_la_LIBADD = libbase.la $(MSGPACK_LIBS) $(ROWD_LIBS)
librowd_la_DEPENDENCIES = libbase.la client/rowd.map
librowd_la_SOURCES = \
	client/call.c \
	client/cancel.c \
	client/conn.c \
	client/connect.c \
	client/error.c \
	client/filter.c \
	client/item.c \
	client/pipeline.c \
	client/private.h \
	client/result.c \
	client/stream.c \
	client/ticket.c \
	client/value.c \
	client/verbs.c
include_HEADERS += include/rowd.h
EXTRA_DIST += client/rowd.map

pkgconfigdir = $(libdir)/pkgconfig
pkgconfig_DATA = client/rowd.pc

include client/ctl/local.mk
