libbase_la_SOURCES += \
	proto/code.c \
	proto/code.h \
	proto/frame.h \
	proto/limits.h \
	proto/op.h \
	proto/request.h \
	proto/rpc.h \
	proto/value.h \
	proto/codes.def \
	proto/ops.def \
	proto/options.def

# The installed list of codes. It travels in the tarball; a build makes it anew when codes.def changed.
EXTRA_DIST += proto/codes.awk
include_HEADERS += include/rowd_codes.h
BUILT_SOURCES += include/rowd_codes.h
CLEANFILES += include/rowd_codes.h.tmp
MAINTAINERCLEANFILES = include/rowd_codes.h

include/rowd_codes.h: proto/codes.def proto/codes.awk
	$(AM_V_GEN)$(MKDIR_P) include && \
	$(AWK) -f $(srcdir)/proto/codes.awk $(srcdir)/proto/codes.def >$@.tmp && mv $@.tmp $@
