# libdaemon is all of rowd but main.c, so that unit tests can link it.
noinst_LIBRARIES += libdaemon.a
libdaemon_a_SOURCES = \
	daemon/audit.c \
	daemon/audit.h \
	daemon/config.c \
	daemon/config.h \
	daemon/config_args.c \
	daemon/config_database.c \
	daemon/config_file.c \
	daemon/config_private.h \
	daemon/config_setting.c \
	daemon/log.c \
	daemon/log.h \
	daemon/notify.c \
	daemon/notify.h \
	daemon/options.def \
	daemon/policy.c \
	daemon/policy.h \
	daemon/server.c \
	daemon/server.h \
	daemon/stats.c \
	daemon/stats.def \
	daemon/stats.h \
	daemon/db/db.c \
	daemon/db/db.h \
	daemon/db/driver.h \
	daemon/db/driver_trace.c \
	daemon/db/driver_trace.h \
	daemon/db/registry.c \
	daemon/db/sqlite_cache.c \
	daemon/db/sqlite_checkpoint.c \
	daemon/db/sqlite_default.c \
	daemon/db/sqlite_error.c \
	daemon/db/sqlite_functions.c \
	daemon/db/sqlite_list.c \
	daemon/db/sqlite_log.c \
	daemon/db/sqlite_open.c \
	daemon/db/sqlite_private.h \
	daemon/db/sqlite_schema.c \
	daemon/db/sqlite_snapshot.c \
	daemon/db/sqlite_upkeep.c \
	daemon/db/sqlite_values.c \
	daemon/db/sqlite_watch.c \
	daemon/db/statement_cache.c \
	daemon/db/statement_cache.h \
	daemon/db/watch.c \
	daemon/db/watch.h \
	daemon/exec/cascade.c \
	daemon/exec/cascade.h \
	daemon/exec/constraint.c \
	daemon/exec/constraint.h \
	daemon/exec/constraint_private.h \
	daemon/exec/constraint_update.c \
	daemon/exec/delete.c \
	daemon/exec/delete.h \
	daemon/exec/guard.c \
	daemon/exec/guard.h \
	daemon/exec/insert.c \
	daemon/exec/insert.h \
	daemon/exec/keyset.c \
	daemon/exec/keyset.h \
	daemon/exec/probe.c \
	daemon/exec/probe.h \
	daemon/exec/update.c \
	daemon/exec/upkeep.c \
	daemon/exec/upkeep.h \
	daemon/exec/update.h \
	daemon/exec/exec.c \
	daemon/exec/archive.c \
	daemon/exec/archive.h \
	daemon/exec/exec.h \
	daemon/exec/exec_schema.c \
	daemon/exec/exec_schema.h \
	daemon/exec/once.c \
	daemon/exec/once.h \
	daemon/exec/own_table.c \
	daemon/exec/own_table.h \
	daemon/exec/preview.c \
	daemon/exec/preview.h \
	daemon/exec/purge.c \
	daemon/exec/purge.h \
	daemon/exec/purge_record.c \
	daemon/exec/purge_record.h \
	daemon/exec/read.c \
	daemon/exec/read.h \
	daemon/exec/sum.c \
	daemon/exec/sum.h \
	daemon/net/acceptor.c \
	daemon/net/acceptor.h \
	daemon/net/conn.c \
	daemon/net/conn.h \
	daemon/net/listener.c \
	daemon/net/listener.h \
	daemon/net/peer.c \
	daemon/net/peer.h \
	daemon/ops/op_aggregate.c \
	daemon/ops/op_upkeep.c \
	daemon/ops/op_write.c \
	daemon/ops/op_delete.c \
	daemon/ops/op_atomic.c \
	daemon/ops/op_read.c \
	daemon/ops/op_schema.c \
	daemon/ops/op_together.c \
	daemon/ops/ops.c \
	daemon/ops/op_once.c \
	daemon/ops/op_purge.c \
	daemon/ops/ops.h \
	daemon/plan/access.c \
	daemon/plan/access.h \
	daemon/plan/catalog.c \
	daemon/plan/catalog.h \
	daemon/plan/filter.c \
	daemon/plan/filter.h \
	daemon/plan/order.c \
	daemon/plan/plan.c \
	daemon/plan/plan.h \
	daemon/plan/pred.c \
	daemon/plan/pred.h \
	daemon/plan/sets.c \
	daemon/plan/sets.h \
	daemon/plan/rows.c \
	daemon/plan/rows.h \
	daemon/plan/schema.c \
	daemon/plan/schema.h \
	daemon/plan/schema_rules.c \
	daemon/rpc/dispatch.c \
	daemon/rpc/dispatch.h \
	daemon/rpc/errand.c \
	daemon/rpc/errand.h \
	daemon/rpc/events.c \
	daemon/rpc/op_session.c \
	daemon/rpc/op_session.h \
	daemon/rpc/session.c \
	daemon/rpc/session.h \
	daemon/run/job.c \
	daemon/run/job.h \
	daemon/run/keeper.c \
	daemon/run/keeper.h \
	daemon/run/lane.c \
	daemon/run/lane.h \
	daemon/run/loop.c \
	daemon/run/loop.h \
	daemon/run/rest.c \
	daemon/run/rest.h \
	daemon/run/runner.c \
	daemon/run/runner.h \
	daemon/run/tx.c \
	daemon/run/tx.h \
	daemon/run/worker.c \
	daemon/run/worker.h \
	daemon/run/worker_private.h \
	daemon/run/worker_read.c \
	daemon/run/worker_tx.c \
	daemon/run/worker_write.c \
	daemon/sql/dialect.h \
	daemon/sql/dialect_mysql.c \
	daemon/sql/dialect_sqlite.c \
	daemon/sql/render.h \
	daemon/sql/render_filter.c \
	daemon/sql/render_row.c \
	daemon/sql/render_schema.c \
	daemon/sql/render_select.c \
	daemon/sql/render_write.c \
	daemon/sql/sql.c \
	daemon/sql/sql.h

# What a program that links libdaemon.a needs behind it.
DAEMON_LIBS = libdaemon.a libbase.la $(EVENT_LIBS) $(SQLITE_LIBS) $(MSGPACK_LIBS) \
	$(CONFUSE_LIBS) $(MYSQL_LIBS) $(ROWD_LIBS)

sbin_PROGRAMS += rowd
rowd_SOURCES = daemon/main.c
rowd_LDADD = $(DAEMON_LIBS)

# The drivers of this build. From their list registry.c gets its table: DRIVER(sqlite) and so on.
include daemon/db/drivers.am
libdaemon_a_SOURCES += $(ROWD_DRIVERS)
nodist_noinst_HEADERS += daemon/db/drivers.inc
BUILT_SOURCES += daemon/db/drivers.inc
CLEANFILES += daemon/db/drivers.inc

daemon/db/registry.$(OBJEXT): daemon/db/drivers.inc
daemon/db/drivers.inc: Makefile
	$(AM_V_GEN)$(MKDIR_P) daemon/db && \
	for file in $(ROWD_DRIVERS); do \
		echo "$$file" | $(SED) 's,.*/driver_\(.*\)\.c$$,DRIVER(\1),'; \
	done >$@.tmp && mv $@.tmp $@

sample_sources = tests/lib/pack.c tests/lib/pack.h tests/lib/sample.c tests/lib/sample.h

daemon_unit_tests = \
	tests/unit/test_filter \
	tests/unit/test_schema_plan \
	tests/unit/test_sql \
	tests/unit/test_catalog \
	tests/unit/test_config \
	tests/unit/test_db \
	tests/unit/test_driver_sqlite \
	tests/unit/test_driver_sqlite_memory \
	tests/unit/test_statement_cache \
	tests/unit/test_listener \
	tests/unit/test_log \
	tests/unit/test_paths \
	tests/unit/test_policy \
	tests/unit/test_exec \
	tests/unit/test_exec_delete \
	tests/unit/test_exec_write \
	tests/unit/test_plan \
	tests/unit/test_rest \
	tests/unit/test_sum
tests_unit_test_db_SOURCES = tests/unit/test_db.c tests/lib/driver_script.c tests/lib/driver_script.h
tests_unit_test_exec_SOURCES = tests/unit/test_exec.c tests/lib/requests.c tests/lib/requests.h \
	tests/lib/driver_script.c tests/lib/driver_script.h
tests_unit_test_plan_SOURCES = tests/unit/test_plan.c tests/lib/requests.c tests/lib/requests.h
tests_unit_test_filter_SOURCES = tests/unit/test_filter.c $(sample_sources)
tests_unit_test_schema_plan_SOURCES = tests/unit/test_schema_plan.c $(sample_sources)
tests_unit_test_sql_SOURCES = tests/unit/test_sql.c tests/lib/golden.c tests/lib/golden.h $(sample_sources)
tests_unit_test_exec_delete_SOURCES = tests/unit/test_exec_delete.c tests/lib/requests.c tests/lib/requests.h
tests_unit_test_exec_write_SOURCES = tests/unit/test_exec_write.c tests/lib/requests.c tests/lib/requests.h
if WITH_MYSQL
daemon_unit_tests += tests/unit/test_mysql_url tests/unit/test_driver_mysql tests/unit/test_driver_mysql_stop
endif
mysql_test_sources = tests/lib/mysql_server.c tests/lib/mysql_server.h tests/lib/mysql_test.h
tests_unit_test_driver_mysql_SOURCES = tests/unit/test_driver_mysql.c $(mysql_test_sources)
tests_unit_test_driver_mysql_stop_SOURCES = tests/unit/test_driver_mysql_stop.c $(mysql_test_sources)
if HAVE_CMOCKA
check_PROGRAMS += $(daemon_unit_tests)
TESTS += $(daemon_unit_tests)
endif

# As those of proto: with --enable-fuzzers a program to be run by hand, else a test on its corpus.
daemon_fuzzers = tests/fuzz/fuzz_filter
if FUZZERS
noinst_PROGRAMS += $(daemon_fuzzers)
else
check_PROGRAMS += $(daemon_fuzzers)
TESTS += $(daemon_fuzzers)
endif
tests_fuzz_fuzz_filter_SOURCES = tests/fuzz/fuzz_filter.c tests/fuzz/fuzz.h $(fuzz_main) $(sample_sources)
tests_fuzz_fuzz_filter_LDFLAGS = $(AM_LDFLAGS) $(FUZZ_LDFLAGS)
tests_fuzz_fuzz_filter_LDADD = $(DAEMON_LIBS)
EXTRA_DIST += tests/golden
