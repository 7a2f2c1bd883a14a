# base and proto together: what rowd and librowd both stand on. Compiled twice (libtool), since
# librowd wants position independent code.
noinst_LTLIBRARIES += libbase.la
libbase_la_LIBADD = $(MSGPACK_LIBS)
libbase_la_SOURCES = \
	base/arena.c \
	base/arena.h \
	base/buf.c \
	base/buf.h \
	base/clock.h \
	base/err.c \
	base/err.h \
	base/hex.h \
	base/paths.c \
	base/paths.h \
	base/sha256.c \
	base/sha256.h \
	base/spares.c \
	base/spares.h \
	base/thread.h

base_unit_tests = \
	tests/unit/test_arena \
	tests/unit/test_buf \
	tests/unit/test_err \
	tests/unit/test_sha256 \
	tests/unit/test_spares
if HAVE_CMOCKA
check_PROGRAMS += $(base_unit_tests)
TESTS += $(base_unit_tests)
endif
tests_unit_test_arena_SOURCES = tests/unit/test_arena.c tests/unit/unit.h
tests_unit_test_arena_LDADD = libbase.la $(CMOCKA_LIBS)
tests_unit_test_buf_SOURCES = tests/unit/test_buf.c tests/unit/unit.h
tests_unit_test_buf_LDADD = libbase.la $(CMOCKA_LIBS)
tests_unit_test_err_SOURCES = tests/unit/test_err.c tests/unit/unit.h
tests_unit_test_err_LDADD = libbase.la $(CMOCKA_LIBS)
tests_unit_test_sha256_SOURCES = tests/unit/test_sha256.c tests/unit/unit.h
tests_unit_test_sha256_LDADD = libbase.la $(CMOCKA_LIBS)
tests_unit_test_spares_SOURCES = tests/unit/test_spares.c tests/unit/unit.h
tests_unit_test_spares_LDADD = libbase.la $(CMOCKA_LIBS)
