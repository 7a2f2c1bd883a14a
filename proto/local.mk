libbase_la_SOURCES += \
	proto/code.c \
	proto/code.h \
	proto/codes.def \
	proto/decimal.c \
	proto/decimal.h \
	proto/frame.c \
	proto/frame.h \
	proto/keys.c \
	proto/keys.h \
	proto/limits.h \
	proto/op.c \
	proto/op.h \
	proto/ops.def \
	proto/options.def \
	proto/request.c \
	proto/request.h \
	proto/rpc.c \
	proto/rpc.h \
	proto/time.c \
	proto/time.h \
	proto/type.c \
	proto/utf8.c \
	proto/value.c \
	proto/value.h \
	proto/wire.c

# The installed list of codes. It travels in the tarball; a build makes it anew when codes.def changed.
EXTRA_DIST += proto/codes.awk
include_HEADERS += include/rowd_codes.h
BUILT_SOURCES += include/rowd_codes.h
CLEANFILES += include/rowd_codes.h.tmp
MAINTAINERCLEANFILES = include/rowd_codes.h

include/rowd_codes.h: proto/codes.def proto/codes.awk
	$(AM_V_GEN)$(MKDIR_P) include && \
	$(AWK) -f $(srcdir)/proto/codes.awk $(srcdir)/proto/codes.def >$@.tmp && mv $@.tmp $@
