# rowctl. libctl.la is all of it but main, so that tests can link it.
if WITH_ROWCTL
bin_PROGRAMS += rowctl
rowctl_SOURCES = client/ctl/rowctl.c
rowctl_LDADD = $(CTL_LIBS)
noinst_LTLIBRARIES += libctl.la
endif

CTL_LIBS = libctl.la librowd.la libbase.la $(JSON_LIBS) $(SMARTCOLS_LIBS) $(EDIT_LIBS) $(MSGPACK_LIBS) $(ROWD_LIBS)

libctl_la_SOURCES = \
	client/ctl/archive.c \
	client/ctl/archive.h \
	client/ctl/args.c \
	client/ctl/args.h \
	client/ctl/cmd_delete.c \
	client/ctl/cmd_op.c \
	client/ctl/cmd_other.c \
	client/ctl/cmd_purge.c \
	client/ctl/cmd_read.c \
	client/ctl/cmd_schema.c \
	client/ctl/cmd_write.c \
	client/ctl/coldef.c \
	client/ctl/coldef.h \
	client/ctl/csv.c \
	client/ctl/csv.h \
	client/ctl/ctl.c \
	client/ctl/ctl.h \
	client/ctl/help.c \
	client/ctl/help.h \
	client/ctl/interrupt.c \
	client/ctl/interrupt.h \
	client/ctl/item.c \
	client/ctl/json.c \
	client/ctl/json.h \
	client/ctl/lang.c \
	client/ctl/lang.h \
	client/ctl/lang_private.h \
	client/ctl/lang_set.c \
	client/ctl/lang_word.c \
	client/ctl/lex.c \
	client/ctl/lex.h \
	client/ctl/literal.c \
	client/ctl/literal.h \
	client/ctl/out.c \
	client/ctl/out.h \
	client/ctl/param.c \
	client/ctl/param.h \
	client/ctl/progress.c \
	client/ctl/progress.h \
	client/ctl/rows.c \
	client/ctl/rows.h \
	client/ctl/schema.c \
	client/ctl/shell.c \
	client/ctl/target.c \
	client/ctl/target.h \
	client/ctl/verbs.c \
	client/ctl/words.c \
	client/ctl/words.h

if WITH_ROWCTL
if HAVE_CMOCKA
ctl_unit_tests = \
	tests/unit/test_ctl_json \
	tests/unit/test_ctl_lang \
	tests/unit/test_ctl_progress \
	tests/unit/test_ctl_rows
check_PROGRAMS += $(ctl_unit_tests)
TESTS += $(ctl_unit_tests)
endif
endif
tests_unit_test_ctl_json_SOURCES = tests/unit/test_ctl_json.c tests/unit/unit.h
tests_unit_test_ctl_json_LDADD = $(CTL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_ctl_lang_SOURCES = tests/unit/test_ctl_lang.c tests/unit/unit.h
tests_unit_test_ctl_lang_LDADD = $(CTL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_ctl_progress_SOURCES = tests/unit/test_ctl_progress.c tests/unit/unit.h
tests_unit_test_ctl_progress_LDADD = $(CTL_LIBS) $(CMOCKA_LIBS)
tests_unit_test_ctl_rows_SOURCES = tests/unit/test_ctl_rows.c tests/unit/unit.h
tests_unit_test_ctl_rows_LDADD = $(CTL_LIBS) $(CMOCKA_LIBS)
