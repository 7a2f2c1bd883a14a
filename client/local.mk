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
	client/once.c \
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

client_unit_tests = \
	tests/unit/test_client_call \
	tests/unit/test_client_memory \
	tests/unit/test_client_once \
	tests/unit/test_client_value
if HAVE_CMOCKA
check_PROGRAMS += $(client_unit_tests)
TESTS += $(client_unit_tests)
endif
CLIENT_TEST_LIBS = librowd.la libbase.la $(CMOCKA_LIBS) $(MSGPACK_LIBS) $(ROWD_LIBS)
FAKE_ROWD = tests/unit/fake_rowd.c tests/unit/fake_rowd.h tests/unit/unit.h

tests_unit_test_client_call_SOURCES = tests/unit/test_client_call.c $(FAKE_ROWD)
tests_unit_test_client_call_LDADD = $(CLIENT_TEST_LIBS)
tests_unit_test_client_memory_SOURCES = tests/unit/test_client_memory.c $(FAKE_ROWD)
tests_unit_test_client_memory_LDADD = $(CLIENT_TEST_LIBS)
tests_unit_test_client_once_SOURCES = tests/unit/test_client_once.c $(FAKE_ROWD)
tests_unit_test_client_once_LDADD = $(CLIENT_TEST_LIBS)
tests_unit_test_client_value_SOURCES = tests/unit/test_client_value.c $(FAKE_ROWD)
tests_unit_test_client_value_LDADD = $(CLIENT_TEST_LIBS)

# rowd.h alone as C11 and C++17, and the symbols that librowd shows.
TEST_EXTENSIONS = .sh
SH_LOG_DRIVER = $(LOG_DRIVER)
TESTS += tests/headers/test_headers.sh
EXTRA_DIST += tests/headers

# librowd against a real daemon: tests/e2e/test_librowd.py runs it.
check_PROGRAMS += tests/lib/librowd_tour
tests_lib_librowd_tour_LDADD = librowd.la $(ROWD_LIBS)
