#include "config.h"

#include "daemon/db/db.h"

#include "daemon/db/driver_trace.h"
#include "tests/lib/driver_script.h"
#include "tests/unit/unit.h"

enum { SQLITE_CAPS = CAP_ONE_WRITER | CAP_SCHEMA_VERSION | CAP_DDL_IN_TX | CAP_INLINE_READS };

static struct err err;
static struct db db;

static struct db_conn *open_conn(void)
{
	struct db_conn *c;

	assert_int_equal(db_conn_open(&db, DB_READER, &c, &err), ROWD_OK);
	return c;
}

static struct db_conn *start(unsigned caps)
{
	err_init(&err);
	script_reset();
	script_db(&db, caps);
	return open_conn();
}

static void end(struct db_conn *c)
{
	db_conn_close(c);
	db_fini(&db);
	assert_int_equal(script.statements, 0);
	assert_int_equal(script.connections, 0);
}

static struct sql statement(const char *text, const struct type *type)
{
	struct sql s = { 0 };

	s.text.data = (char *)text;
	s.text.len = strlen(text);
	s.types = (struct type *)type;
	s.ntypes = type ? 1 : 0;
	return s;
}

static void begin(struct db_conn *c)
{
	assert_int_equal(db_begin(c, DB_TX_READ, &err), ROWD_OK);
}

static void commit(struct db_conn *c)
{
	assert_int_equal(db_commit(c, &err), ROWD_OK);
}

static void run(struct db_conn *c, const char *text)
{
	struct sql s = statement(text, NULL);

	assert_int_equal(db_run(c, &s, NULL, NULL, &err), ROWD_OK);
}

static bool sees(struct db_conn *c, const char *table)
{
	return catalog_find(db_catalog(c), table, strlen(table)) != NULL;
}

#define assert_calls(due) do { assert_string_equal(script.log, due); script.log[0] = '\0'; } while (0)

TEST(the_schema_is_read_once_while_its_version_stays)
{
	struct db_conn *c = start(SQLITE_CAPS);

	begin(c);
	commit(c);
	assert_calls("open begin version describe commit");
	begin(c);
	assert_true(sees(c, "t1"));
	commit(c);
	assert_calls("begin version commit");
	end(c);
}

TEST(a_new_version_is_read_and_drops_prepared_statements)
{
	struct db_conn *c = start(SQLITE_CAPS);

	begin(c);
	run(c, "X");
	commit(c);
	script.log[0] = '\0';
	script.version = 2;
	begin(c);
	assert_calls("begin version describe release");
	assert_true(sees(c, "t2"));
	assert_false(sees(c, "t1"));
	run(c, "X");
	commit(c);
	assert_calls("prepare exec finish commit");
	end(c);
}

TEST(a_second_connection_shares_the_schema)
{
	struct db_conn *c = start(SQLITE_CAPS), *other;

	begin(c);
	commit(c);
	other = open_conn();
	script.log[0] = '\0';
	begin(other);
	assert_calls("begin version");
	assert_ptr_equal(db_catalog(other), db_catalog(c));
	commit(other);
	db_conn_close(other);
	end(c);
}

TEST(a_schema_read_in_a_transaction_is_for_others_once_committed)
{
	struct db_conn *c = start(SQLITE_CAPS), *other = open_conn();

	begin(c);
	begin(other);
	commit(other);
	script.version = 2;
	assert_int_equal(db_reload(c, &err), ROWD_OK);
	assert_true(sees(c, "t2"));
	assert_string_equal(catalog_at(db.catalog, 0)->name, "t1");
	commit(c);
	assert_string_equal(catalog_at(db.catalog, 0)->name, "t2");
	script.log[0] = '\0';
	begin(other);
	assert_calls("begin version");
	assert_true(sees(other, "t2"));
	commit(other);
	db_conn_close(other);
	end(c);
}

TEST(a_schema_rolled_back_never_was)
{
	struct db_conn *c = start(SQLITE_CAPS);

	begin(c);
	script.version = 2;
	assert_int_equal(db_reload(c, &err), ROWD_OK);
	db_rollback(c);
	/* the same number again, of another schema */
	script.log[0] = '\0';
	begin(c);
	assert_calls("begin version describe");
	commit(c);
	end(c);
}

TEST(a_schema_undone_by_a_savepoint_is_not_published)
{
	struct db_conn *c = start(SQLITE_CAPS);

	begin(c);
	script.version = 2;
	assert_int_equal(db_reload(c, &err), ROWD_OK);
	script.version = 1;
	commit(c);
	assert_string_equal(catalog_at(db.catalog, 0)->name, "t1");
	end(c);
}

TEST(without_versions_a_reload_is_for_all_at_once)
{
	struct db_conn *c = start(0), *other = open_conn();

	begin(c);
	commit(c);
	script.log[0] = '\0';
	begin(other);
	assert_calls("begin");
	assert_true(sees(other, "t1"));
	script.version = 2;
	assert_int_equal(db_reload(other, &err), ROWD_OK);
	db_rollback(other);
	script.log[0] = '\0';
	begin(c);
	assert_calls("begin");
	assert_true(sees(c, "t2"));
	commit(c);
	db_conn_close(other);
	end(c);
}

TEST(a_begin_that_cannot_read_the_schema_leaves_no_transaction)
{
	struct db_conn *c = start(SQLITE_CAPS);

	script_fail("describe", ROWD_E_CORRUPT);
	assert_int_equal(db_begin(c, DB_TX_WRITE, &err), ROWD_E_CORRUPT);
	assert_calls("open begin version describe rollback");
	assert_false(db_in_transaction(c));
	script_fail("begin", ROWD_E_BUSY);
	assert_int_equal(db_begin(c, DB_TX_WRITE, &err), ROWD_E_BUSY);
	assert_calls("begin");
	assert_false(db_in_transaction(c));
	end(c);
}

TEST(a_commit_ends_the_transaction_whatever_it_returns)
{
	struct db_conn *c = start(SQLITE_CAPS);

	begin(c);
	script_fail("commit", ROWD_E_COMMIT_UNKNOWN);
	assert_int_equal(db_commit(c, &err), ROWD_E_COMMIT_UNKNOWN);
	assert_false(db_in_transaction(c));
	script.log[0] = '\0';
	db_rollback(c);
	assert_calls("");
	end(c);
}

TEST(a_transaction_the_backend_ended_is_not_open)
{
	struct db_conn *c = start(SQLITE_CAPS);

	begin(c);
	assert_true(db_in_transaction(c));
	script.tx_lost = true;
	assert_false(db_in_transaction(c));
	db_rollback(c);
	end(c);
}

TEST(a_statement_is_prepared_once)
{
	struct db_conn *c = start(SQLITE_CAPS);
	struct sql s = statement("X", NULL);
	int64_t changed = 0, last_id = 0;

	begin(c);
	script.log[0] = '\0';
	run(c, "X");
	script.changed = 3;
	script.last_id = 7;
	assert_int_equal(db_run(c, &s, &changed, &last_id, &err), ROWD_OK);
	assert_int_equal(changed, 3);
	assert_int_equal(last_id, 7);
	assert_calls("prepare exec finish exec finish");
	commit(c);
	end(c);
}

TEST(a_statement_that_fails_is_finished_and_kept)
{
	struct db_conn *c = start(SQLITE_CAPS);
	struct sql s = statement("X", NULL);
	int64_t changed = -5;

	begin(c);
	script.log[0] = '\0';
	script_fail("prepare", ROWD_E_SCHEMA_MISMATCH);
	assert_int_equal(db_run(c, &s, &changed, NULL, &err), ROWD_E_SCHEMA_MISMATCH);
	script_fail("exec", ROWD_E_CONFLICT);
	assert_int_equal(db_run(c, &s, &changed, NULL, &err), ROWD_E_CONFLICT);
	assert_int_equal(changed, -5);
	run(c, "X");
	assert_calls("prepare prepare exec finish exec finish");
	commit(c);
	end(c);
}

TEST(rows_end_once_and_stay_ended)
{
	static const struct type type = { .kind = TYPE_INT };
	const struct value values[] = { { .kind = VALUE_INT, .u.i = 1 }, { .kind = VALUE_INT, .u.i = 2 } };
	struct db_conn *c = start(SQLITE_CAPS);
	struct sql s = statement("X", &type);
	const struct value *row;
	struct db_rows *rows;
	struct value one;

	script.rows = values;
	script.nrows = 2;
	begin(c);
	script.log[0] = '\0';
	assert_int_equal(db_query(c, &s, &rows, &err), ROWD_OK);
	assert_int_equal(db_next(rows, &row, &err), ROWD_OK);
	assert_int_equal(row[0].u.i, 1);
	assert_int_equal(db_next(rows, &row, &err), ROWD_OK);
	assert_int_equal(row[0].u.i, 2);
	assert_int_equal(db_next(rows, &row, &err), ROWD_OK);
	assert_null(row);
	assert_int_equal(db_next(rows, &row, &err), ROWD_OK);
	assert_null(row);
	db_rows_end(rows);
	assert_calls("prepare exec step step step finish");
	assert_int_equal(db_query_one(c, &s, &one, &err), ROWD_OK);
	assert_int_equal(one.u.i, 1);
	script.nrows = 0;
	assert_int_equal(db_query_one(c, &s, &one, &err), ROWD_OK);
	assert_int_equal(one.kind, VALUE_NULL);
	commit(c);
	end(c);
}

TEST(the_same_statement_can_run_within_itself)
{
	static const struct type type = { .kind = TYPE_INT };
	struct db_conn *c = start(SQLITE_CAPS);
	struct sql s = statement("X", &type);
	struct db_rows *rows;
	struct value one;

	begin(c);
	script.log[0] = '\0';
	assert_int_equal(db_query(c, &s, &rows, &err), ROWD_OK);
	assert_int_equal(db_query_one(c, &s, &one, &err), ROWD_OK);
	db_rows_end(rows);
	assert_calls("prepare exec prepare exec step finish release finish");
	commit(c);
	end(c);
}

TEST(a_step_that_fails_ends_the_rows)
{
	static const struct type type = { .kind = TYPE_INT };
	struct db_conn *c = start(SQLITE_CAPS);
	struct sql s = statement("X", &type);
	const struct value *row;
	struct db_rows *rows;

	begin(c);
	assert_int_equal(db_query(c, &s, &rows, &err), ROWD_OK);
	script_fail("step", ROWD_E_TIMEOUT);
	assert_int_equal(db_next(rows, &row, &err), ROWD_E_TIMEOUT);
	db_rows_end(rows);
	db_rollback(c);
	end(c);
}

TEST(close_rolls_back_and_releases)
{
	struct db_conn *c = start(SQLITE_CAPS);

	begin(c);
	run(c, "X");
	script.log[0] = '\0';
	end(c);
	assert_calls("rollback release close");
	db_conn_close(NULL);
}

TEST(a_failed_open_is_closed)
{
	struct db_conn *c = start(SQLITE_CAPS), *other;

	assert_true(db.available);
	assert_string_equal(db.server, "Script 1.0");
	script_fail("open", ROWD_E_UNAVAILABLE);
	script.log[0] = '\0';
	assert_int_equal(db_conn_open(&db, DB_READER, &other, &err), ROWD_E_UNAVAILABLE);
	assert_calls("open close");
	assert_false(db.available);
	end(c);
}

TEST(cancel_reaches_the_watch_and_the_driver)
{
	struct db_conn *c = start(SQLITE_CAPS);

	script.log[0] = '\0';
	db_conn_cancel(c);
	assert_true(db_conn_watch(c)->cancelled);
	assert_calls("cancel");
	script.broken = true;
	assert_false(db_conn_usable(c));
	end(c);
}

TEST(a_url_without_a_driver_is_refused)
{
	struct db_source src = { .name = "x", .url = "nosuch:///x" };
	struct db none;

	err_init(&err);
	driver_check_all();
	assert_non_null(driver_all()[0]);
	assert_int_equal(db_init(&none, &src, &err), ROWD_E_BAD_REQUEST);
	src.url = "sqlite://relative";
	assert_int_equal(db_init(&none, &src, &err), ROWD_E_BAD_REQUEST);
	src.url = "sqlite:///tmp/x.db";
	assert_int_equal(db_init(&none, &src, &err), ROWD_OK);
	db_fini(&none);
}

/* All that stands behind the first of the slots is a pointer. */
enum { SLOTS = (sizeof(struct driver) - offsetof(struct driver, check_url)) / sizeof(void *) };

TEST(a_traced_driver_offers_all_that_it_stands_for)
{
	const struct driver *const *d;

	for (d = driver_all(); *d; d++) {
		const struct driver *traced = driver_trace(*d);
		void *inner[SLOTS], *outer[SLOTS];
		size_t i;

		assert_ptr_not_equal(traced, *d);
		memcpy(inner, (const char *)*d + offsetof(struct driver, check_url), sizeof inner);
		memcpy(outer, (const char *)traced + offsetof(struct driver, check_url), sizeof outer);
		for (i = 0; i < SLOTS; i++)
			if (!inner[i] != !outer[i])
				fail_msg("slot %zu of %s is lost in tracing", i, (*d)->name);
	}
}
