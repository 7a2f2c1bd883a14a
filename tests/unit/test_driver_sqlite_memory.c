/*
 * SQLite with an allocator that fails once, at each of its calls in turn: whatever was being done, the
 * answer is an error or it is done, and a commit's answer is true.
 */
#include "config.h"

#include "daemon/db/db.h"

#include <stdio.h>
#include <unistd.h>

#include <sqlite3.h>

#include "tests/unit/unit.h"

static sqlite3_mem_methods real;
static long calls_left = -1;     /* until the one that fails; negative: none does */

static bool fails(void)
{
	return calls_left >= 0 && calls_left-- == 0;
}

static void *failing_malloc(int n)
{
	return fails() ? NULL : real.xMalloc(n);
}

static void *failing_realloc(void *p, int n)
{
	return fails() ? NULL : real.xRealloc(p, n);
}

static void allocator_install(void)
{
	sqlite3_mem_methods failing;

	assert_int_equal(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real), SQLITE_OK);
	failing = real;
	failing.xMalloc = failing_malloc;
	failing.xRealloc = failing_realloc;
	assert_int_equal(sqlite3_config(SQLITE_CONFIG_MALLOC, &failing), SQLITE_OK);
}

static struct err err;

static enum rowd_code run(struct db_conn *c, const char *text, const struct value *param)
{
	struct sql s = { 0 };

	s.text.data = (char *)text;
	s.text.len = strlen(text);
	s.params = (struct value *)param;
	s.nparams = param ? 1 : 0;
	return db_run(c, &s, NULL, NULL, &err);
}

static enum rowd_code count(struct db_conn *c, const char *text, const struct value *param, int64_t *out)
{
	struct type type = { .kind = TYPE_INT };
	struct value v;
	struct sql s = { .types = &type, .ntypes = 1 };
	enum rowd_code rc;

	s.text.data = (char *)text;
	s.text.len = strlen(text);
	s.params = (struct value *)param;
	s.nparams = param ? 1 : 0;
	rc = db_query_one(c, &s, &v, &err);
	if (!rc)
		*out = v.u.i;
	return rc;
}

/* Open, read the schema, write, read; all of it or an error. *committed: the answer of the commit. */
static void work(struct db *db, int64_t id, enum rowd_code *committed)
{
	struct value id_value = value_int(id), param = { .kind = VALUE_LIST };
	struct value_list list = { .values = &id_value, .count = 1 };
	struct db_conn *c = NULL;
	int64_t n = 0;
	enum rowd_code rc = db_conn_open(db, DB_WRITER, &c, &err);

	*committed = ROWD_E_INTERNAL;
	if (!rc)
		rc = db_begin(c, DB_TX_WRITE, &err);
	if (!rc)
		rc = db_reload(c, &err);
	if (!rc)
		rc = run(c, "INSERT INTO t (a) VALUES (rowd_add(?, 0))", &id_value);
	param.u.list = &list;
	if (!rc)
		rc = count(c, "SELECT count(*) FROM t WHERE a IN (SELECT value FROM rowd_list(?))", &param, &n);
	if (!rc)
		assert_int_equal(n, 1);
	if (!rc)
		rc = *committed = db_commit(c, &err);
	if (rc && c)
		db_rollback(c);
	db_conn_close(c);
}

static int64_t rows_of(struct db *db, int64_t id)
{
	struct value param = value_int(id);
	struct db_conn *c;
	int64_t n;

	assert_int_equal(db_conn_open(db, DB_WRITER, &c, &err), ROWD_OK);
	assert_int_equal(db_begin(c, DB_TX_READ, &err), ROWD_OK);
	assert_int_equal(count(c, "SELECT count(*) FROM t WHERE a = ?", &param, &n), ROWD_OK);
	assert_int_equal(db_commit(c, &err), ROWD_OK);
	db_conn_close(c);
	return n;
}

TEST(wherever_memory_runs_out_nothing_is_half_done)
{
	char folder[] = "/tmp/rowd-test-XXXXXX", url[64], command[64];
	struct db_source source = { .name = "main", .url = url, .durability = "normal", .create = true };
	enum rowd_code committed;
	bool failed = true;
	struct db_conn *c;
	struct db db;
	long at;

	allocator_install();
	assert_non_null(mkdtemp(folder));
	snprintf(url, sizeof url, "sqlite://%s/m.db", folder);
	err_init(&err);
	assert_int_equal(db_init(&db, &source, &err), ROWD_OK);
	assert_int_equal(db_conn_open(&db, DB_WRITER, &c, &err), ROWD_OK);
	assert_int_equal(db_begin(c, DB_TX_WRITE, &err), ROWD_OK);
	assert_int_equal(run(c, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL DEFAULT 'x', "
				"c INT REFERENCES t ON DELETE RESTRICT) STRICT", NULL), ROWD_OK);
	assert_int_equal(run(c, "CREATE INDEX i ON t (b, c)", NULL), ROWD_OK);
	assert_int_equal(db_commit(c, &err), ROWD_OK);
	db_conn_close(c);
	for (at = 0; failed; at++) {
		calls_left = at;
		work(&db, at, &committed);
		failed = calls_left < 0;
		calls_left = -1;
		if (committed != ROWD_E_COMMIT_UNKNOWN && rows_of(&db, at) != (committed == ROWD_OK))
			fail_msg("allocation %ld: commit said %d", at, committed);
		assert_in_range(at, 0, 20000);
	}
	db_fini(&db);
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	assert_int_equal(system(command), 0);
}
