/*
 * What the tests of the driver for MySQL and MariaDB share: each of them runs on a private server of
 * either kind, in a database of its own. "Another program" is a connection of the library itself.
 */
#ifndef ROWD_TESTS_MYSQL_TEST_H
#define ROWD_TESTS_MYSQL_TEST_H

#include "daemon/db/db.h"

#include <stdio.h>
#include <time.h>

#include <mysql.h>

#include "tests/lib/mysql_server.h"
#include "tests/unit/unit.h"

static struct err err;
static struct mysql_server *server;
static struct db_source source;
static struct db db;
static struct db_conn *conn;
static MYSQL *other;

#define OK(call) \
	do { \
		err_init(&err); \
		if ((call) != ROWD_OK) \
			fail_msg("%s: %s (%d)", #call, err.text, err.native); \
	} while (0)
#define FAILS(code, call) \
	do { \
		err_init(&err); \
		assert_int_equal((call), (code)); \
	} while (0)

static inline int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline void nap_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

/* ---- the other program ---- */

static inline MYSQL *other_open(const char *database)
{
	MYSQL *m = mysql_init(NULL);

	mysql_options(m, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	if (!mysql_real_connect(m, "localhost", "root", "", database, 0, server->socket, 0))
		fail_msg("%s", mysql_error(m));
	return m;
}

static inline void other_runs(const char *text)
{
	MYSQL_RES *result;

	if (mysql_query(other, text))
		fail_msg("%s: %s", text, mysql_error(other));
	result = mysql_store_result(other);
	if (result)
		mysql_free_result(result);
}

/* The first value, as text; of the next call no longer. */
static inline const char *other_asks(const char *text)
{
	static char answer[512];
	MYSQL_RES *result;
	MYSQL_ROW row;

	if (mysql_query(other, text))
		fail_msg("%s: %s", text, mysql_error(other));
	result = mysql_store_result(other);
	assert_non_null(result);
	row = mysql_fetch_row(result);
	snprintf(answer, sizeof answer, "%s", row && row[0] ? row[0] : "NULL");
	mysql_free_result(result);
	return answer;
}

/* ---- statements ---- */

static inline struct sql statement(const char *text, const struct value *params, size_t nparams,
				   const struct type *types, size_t ntypes)
{
	struct sql s = { 0 };

	s.text.data = (char *)text;
	s.text.len = strlen(text);
	s.params = (struct value *)params;
	s.nparams = nparams;
	s.types = (struct type *)types;
	s.ntypes = ntypes;
	return s;
}

static inline enum rowd_code run_with(struct db_conn *c, const char *text, const struct value *params,
				      size_t nparams)
{
	struct sql s = statement(text, params, nparams, NULL, 0);

	err_init(&err);
	return db_run(c, &s, NULL, NULL, &err);
}

static inline enum rowd_code run(const char *text)
{
	return run_with(conn, text, NULL, 0);
}

static inline void write_all(const char *const *texts)
{
	OK(db_begin(conn, DB_TX_WRITE, &err));
	for (; *texts; texts++)
		if (run(*texts))
			fail_msg("%s: %s (%d)", *texts, err.text, err.native);
	OK(db_commit(conn, &err));
}

#define WRITE(...) write_all((const char *const[]){ __VA_ARGS__, NULL })

/* One value; text and bytes are copied to `kept`. */
static char kept[4096];

static inline enum rowd_code ask_with(struct db_conn *c, const char *text, const struct value *params,
				      size_t nparams, struct type type, struct value *out)
{
	struct sql s = statement(text, params, nparams, &type, 1);
	const struct value *row;
	struct db_rows *rows;
	enum rowd_code rc;

	err_init(&err);
	rc = db_query(c, &s, &rows, &err);
	if (rc)
		return rc;
	rc = db_next(rows, &row, &err);
	if (!rc) {
		*out = row ? row[0] : value_null();
		if (out->kind == VALUE_TEXT || out->kind == VALUE_BYTES) {
			assert_in_range(out->u.s.len, 0, sizeof kept);
			memcpy(kept, out->u.s.data, out->u.s.len);
			out->u.s.data = kept;
		}
	}
	db_rows_end(rows);
	return rc;
}

static inline int64_t ask_int_of(struct db_conn *c, const char *text)
{
	struct value v = { 0 };

	OK(ask_with(c, text, NULL, 0, (struct type){ .kind = TYPE_INT }, &v));
	assert_int_equal(v.kind, VALUE_INT);
	return v.u.i;
}

/* In a read of its own. */
static inline int64_t ask_int(const char *text)
{
	int64_t i;

	OK(db_begin(conn, DB_TX_READ, &err));
	i = ask_int_of(conn, text);
	db_rollback(conn);
	return i;
}

/* ---- each test ---- */

/* What a test that failed has left open would hold its locks. */
static inline void other_kills_all(void)
{
	char words[48];
	const char *id;

	while (strcmp(id = other_asks(
			      "SELECT MIN(id) FROM information_schema.processlist WHERE user IN ('root', 'kept') "
			      "AND id <> CONNECTION_ID() AND command <> 'Killed'"),
		      "NULL") != 0) {
		snprintf(words, sizeof words, "KILL %ld", strtol(id, NULL, 10));
		mysql_query(other, words);
	}
}

static inline struct db_conn *open_conn(void)
{
	struct db_conn *c;

	OK(db_conn_open(&db, DB_WRITER, &c, &err));
	return c;
}

static inline void on(enum mysql_kind kind, void (*test)(void))
{
	server = mysql_server_get(kind);
	if (server->missing) {
		print_message("not run: %s\n", server->missing);
		skip();
	}
	other = other_open(NULL);
	other_kills_all();
	other_runs("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
	other_runs("DROP DATABASE IF EXISTS test");
	other_runs("CREATE DATABASE test");
	other_runs("USE test");
	source = (struct db_source){ .name = "main",
				     .url = server->url,
				     .durability = "server",
				     .connect_timeout_ms = 2000,
				     .busy_timeout_ms = 1000 };
	err_init(&err);
	OK(db_init(&db, &source, &err));
	conn = open_conn();
	test();
	db_conn_close(conn);
	db_fini(&db);
	mysql_close(other);
}

/* A test for each kind of server. */
#define EACH(fn) \
	static void fn(void); \
	TEST(fn##_on_mariadb) \
	{ \
		on(SERVER_MARIADB, fn); \
	} \
	TEST(fn##_on_mysql) \
	{ \
		on(SERVER_MYSQL57, fn); \
	} \
	static void fn(void)

#endif
