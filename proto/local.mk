libbase_la_SOURCES += \
	proto/code.c \
	proto/code.h \
	proto/codes.def \
	proto/decimal.c \
	proto/decimal.h \
	proto/fingerprint.c \
	proto/fingerprint.h \
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
	proto/uuid.c \
	proto/uuid.h \
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

proto_unit_tests = \
	tests/unit/test_code \
	tests/unit/test_fingerprint \
	tests/unit/test_frame \
	tests/unit/test_op \
	tests/unit/test_request \
	tests/unit/test_rpc \
	tests/unit/test_value
if HAVE_CMOCKA
check_PROGRAMS += $(proto_unit_tests)
TESTS += $(proto_unit_tests)
endif
tests_unit_test_code_SOURCES = tests/unit/test_code.c tests/unit/unit.h
tests_unit_test_code_LDADD = libbase.la $(CMOCKA_LIBS) $(MSGPACK_LIBS)
tests_unit_test_frame_SOURCES = tests/unit/test_frame.c tests/unit/unit.h
tests_unit_test_frame_LDADD = libbase.la $(CMOCKA_LIBS) $(MSGPACK_LIBS)
tests_unit_test_op_SOURCES = tests/unit/test_op.c tests/unit/unit.h
tests_unit_test_op_LDADD = libbase.la $(CMOCKA_LIBS) $(MSGPACK_LIBS)
tests_unit_test_request_SOURCES = tests/unit/test_request.c tests/unit/unit.h
tests_unit_test_request_LDADD = libbase.la $(CMOCKA_LIBS) $(MSGPACK_LIBS)
tests_unit_test_rpc_SOURCES = tests/unit/test_rpc.c tests/unit/unit.h
tests_unit_test_rpc_LDADD = libbase.la $(CMOCKA_LIBS) $(MSGPACK_LIBS)
tests_unit_test_value_SOURCES = tests/unit/test_value.c tests/unit/unit.h
tests_unit_test_value_LDADD = libbase.la $(CMOCKA_LIBS) $(MSGPACK_LIBS)

# With --enable-fuzzers, programs to be run by hand: tests/fuzz/fuzz_frame DIRECTORY CORPUS.
# Without, the same targets replay their corpus in `make check`.
proto_fuzzers = \
	tests/fuzz/fuzz_frame \
	tests/fuzz/fuzz_request
if FUZZERS
noinst_PROGRAMS += $(proto_fuzzers)
fuzz_main =
else
check_PROGRAMS += $(proto_fuzzers)
TESTS += $(proto_fuzzers)
fuzz_main = tests/fuzz/replay.c
endif
tests_fuzz_fuzz_frame_SOURCES = tests/fuzz/fuzz_frame.c tests/fuzz/fuzz.h $(fuzz_main)
tests_fuzz_fuzz_frame_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_frame_LDADD = libbase.la $(MSGPACK_LIBS)
tests_fuzz_fuzz_request_SOURCES = tests/fuzz/fuzz_request.c tests/fuzz/fuzz.h $(fuzz_main)
tests_fuzz_fuzz_request_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_request_LDADD = libbase.la $(MSGPACK_LIBS)
EXTRA_DIST += tests/fuzz/corpus tests/fuzz/replay.c
