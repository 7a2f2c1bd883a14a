/*
 * The SQLite driver through db.c, on files of its own. "Another program" is a second handle of the
 * library itself, which keeps its locks apart from ours as another process would.
 */
#include "config.h"

#include "daemon/db/db.h"

#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "daemon/db/sqlite_private.h"
#include "tests/unit/unit.h"

static struct err err;
static char folder[64], path[128], url[160];
static struct db_source source;
static struct db db;
static struct db_conn *writer, *reader;

#define OK(call) do { err_init(&err); if ((call) != ROWD_OK) fail_msg("%s: %s", #call, err.text); } while (0)

static void place(void)
{
	err_init(&err);
	snprintf(folder, sizeof folder, "/tmp/rowd-test-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/a b.db", folder);
	snprintf(url, sizeof url, "sqlite://%s/a%%20b.db", folder);
	source = (struct db_source){ .name = "main", .url = url, .durability = "full", .busy_timeout_ms = 200,
				     .create = true };
}

static void start(void)
{
	place();
	OK(db_init(&db, &source, &err));
	OK(db_conn_open(&db, DB_WRITER, &writer, &err));
	OK(db_conn_open(&db, DB_READER, &reader, &err));
}

static void remove_all(void)
{
	char command[128];

	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	assert_int_equal(system(command), 0);
}

static void end(void)
{
	db_conn_close(reader);
	db_conn_close(writer);
	db_fini(&db);
	remove_all();
}

static struct sql statement(const char *text, const struct value *params, size_t nparams, const struct type *type)
{
	struct sql s = { 0 };

	s.text.data = (char *)text;
	s.text.len = strlen(text);
	s.params = (struct value *)params;
	s.nparams = nparams;
	s.types = (struct type *)type;
	s.ntypes = type ? 1 : 0;
	return s;
}

/* Run text on the writer, in its transaction. */
static enum rowd_code run(const char *text)
{
	struct sql s = statement(text, NULL, 0, NULL);

	err_init(&err);
	return db_run(writer, &s, NULL, NULL, &err);
}

/* Each text in one committed transaction. */
static void write_all(const char *const *texts)
{
	OK(db_begin(writer, DB_TX_WRITE, &err));
	for (; *texts; texts++)
		if (run(*texts))
			fail_msg("%s: %s", *texts, err.text);
	OK(db_commit(writer, &err));
}

#define WRITE(...) write_all((const char *const[]){ __VA_ARGS__, NULL })

/* One value read within c's transaction; text and bytes are copied to `kept`. */
static char kept[1000];

static enum rowd_code ask_with(struct db_conn *c, const char *text, const struct value *params, size_t nparams,
			       enum type_kind kind, struct value *out)
{
	struct type type = { .kind = kind, .digits = 18, .scale = 2 };
	struct sql s = statement(text, params, nparams, &type);
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
			assert_non_null(out->u.s.data);
			memcpy(kept, out->u.s.data, out->u.s.len);
			out->u.s.data = kept;
		}
	}
	db_rows_end(rows);
	return rc;
}

static struct value ask(const char *text, enum type_kind kind)
{
	struct value out = { 0 };

	OK(ask_with(writer, text, NULL, 0, kind, &out));
	return out;
}

static void assert_int(const char *text, int64_t due)
{
	struct value v = ask(text, TYPE_INT);

	assert_int_equal(v.kind, VALUE_INT);
	assert_int_equal(v.u.i, due);
}

static void assert_text(const char *text, const char *due)
{
	struct value v = ask(text, TYPE_TEXT);

	assert_int_equal(v.kind, VALUE_TEXT);
	assert_int_equal(v.u.s.len, strlen(due));
	assert_memory_equal(v.u.s.data, due, v.u.s.len);
}

static void assert_null_value(const char *text)
{
	assert_int_equal(ask(text, TYPE_ANY).kind, VALUE_NULL);
}

static void assert_fails(const char *text, enum rowd_code due)
{
	struct value v;

	assert_int_equal(ask_with(writer, text, NULL, 0, TYPE_ANY, &v), due);
}

static sqlite3 *other_program(void)
{
	sqlite3 *other;

	assert_int_equal(sqlite3_open_v2(path, &other, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
	return other;
}

static void other_runs(sqlite3 *other, const char *text)
{
	char *message = NULL;

	if (sqlite3_exec(other, text, NULL, NULL, &message) != SQLITE_OK)
		fail_msg("%s: %s", text, message);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static const struct table *table(const char *name)
{
	const struct table *t = catalog_find(db_catalog(writer), name, strlen(name));

	assert_non_null(t);
	return t;
}

static const struct column *column(const char *table_name, const char *name)
{
	const struct column *c = table_column(table(table_name), name, strlen(name));

	assert_non_null(c);
	return c;
}

static bool has_reason(const char *name, const char *words)
{
	const struct table *t = table(name);
	unsigned i;

	for (i = 0; i < t->nreasons; i++)
		if (strstr(t->reasons[i], words))
			return true;
	return false;
}

/* ---- opening ---- */

TEST(urls_that_are_not_an_absolute_path_are_refused)
{
	static const char *const bad[] = {
		"sqlite:/x", "sqlite://x", "sqlite://", "sqlite:///", "sqlite:///a/", "sqlite::memory:", "sqlite:///a?mode=ro",
		"sqlite:///a#x", "sqlite:///a%", "sqlite:///a%2", "sqlite:///a%zz", "sqlite:///a%00b", "mysql:///a",
	};
	size_t i;

	err_init(&err);
	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		if (db_init(&db, &(struct db_source){ .url = bad[i] }, &err) != ROWD_E_BAD_REQUEST)
			fail_msg("%s was taken", bad[i]);
}

TEST(settings_are_what_rowd_relies_on)
{
	start();
	OK(db_begin(writer, DB_TX_WRITE, &err));
	assert_text("PRAGMA journal_mode", "wal");
	assert_int("PRAGMA synchronous", 2);
	assert_int("PRAGMA foreign_keys", 1);
	assert_int("PRAGMA trusted_schema", 0);
	assert_int("PRAGMA cell_size_check", 1);
	assert_int("PRAGMA recursive_triggers", 0);
	assert_int("PRAGMA query_only", 0);
	assert_fails("SELECT \"nosuch\"", ROWD_E_SCHEMA_MISMATCH);
	assert_fails("SELECT load_extension('x')", ROWD_E_INTERNAL);
	assert_int_equal(run("UPDATE sqlite_schema SET sql = ''"), ROWD_E_SCHEMA_MISMATCH);
	OK(db_commit(writer, &err));
	assert_int_not_equal(run("ATTACH ':memory:' AS x"), ROWD_OK);
	assert_string_equal(db.server, "SQLite " SQLITE_VERSION);
	assert_true(db.available);
	end();
}

TEST(durability_normal_is_taken_at_its_word)
{
	place();
	source.durability = "normal";
	OK(db_init(&db, &source, &err));
	OK(db_conn_open(&db, DB_WRITER, &writer, &err));
	OK(db_conn_open(&db, DB_READER, &reader, &err));
	OK(db_begin(writer, DB_TX_READ, &err));
	assert_int("PRAGMA synchronous", 1);
	OK(db_commit(writer, &err));
	end();
}

static void assert_does_not_open(enum rowd_code due)
{
	OK(db_init(&db, &source, &err));
	assert_int_equal(db_conn_open(&db, DB_WRITER, &writer, &err), due);
	assert_false(db.available);
	db_fini(&db);
}

TEST(a_file_that_is_missing_is_made_only_when_asked)
{
	place();
	source.create = false;
	assert_does_not_open(ROWD_E_UNAVAILABLE);
	assert_int_equal(access(path, F_OK), -1);
	remove_all();
	source.create = true;
	assert_does_not_open(ROWD_E_UNAVAILABLE);    /* the folder is gone */
}

TEST(what_is_no_database_is_left_alone)
{
	FILE *f;

	place();
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%4096s", "this is not a database");
	fclose(f);
	assert_does_not_open(ROWD_E_CORRUPT);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/tmp/elsewhere", path), 0);
	assert_does_not_open(ROWD_E_UNAVAILABLE);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_does_not_open(ROWD_E_UNAVAILABLE);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_does_not_open(ROWD_E_UNAVAILABLE);
	remove_all();
}

TEST(other_encodings_are_refused)
{
	sqlite3 *other;

	place();
	assert_int_equal(sqlite3_open(path, &other), SQLITE_OK);
	other_runs(other, "PRAGMA encoding = 'UTF-16'; CREATE TABLE t (a)");
	sqlite3_close(other);
	assert_does_not_open(ROWD_E_UNAVAILABLE);
	remove_all();
}

TEST(a_new_file_is_not_for_everyone)
{
	static const char *const suffixes[] = { "", "-wal" };
	mode_t mask = umask(0);
	char file[160];
	struct stat st;
	size_t i;

	start();
	WRITE("CREATE TABLE t (a INT) STRICT");
	for (i = 0; i < 2; i++) {
		snprintf(file, sizeof file, "%s%s", path, suffixes[i]);
		assert_int_equal(stat(file, &st), 0);
		assert_int_equal(st.st_mode & 07, 0);
	}
	umask(mask);
	end();
}

TEST(readers_cannot_write)
{
	struct sql s = statement("INSERT INTO t VALUES (1)", NULL, 0, NULL);

	start();
	WRITE("CREATE TABLE t (a INT) STRICT");
	OK(db_begin(reader, DB_TX_READ, &err));
	assert_int_equal(db_run(reader, &s, NULL, NULL, &err), ROWD_E_READ_ONLY);
	db_rollback(reader);
	end();
}

/* ---- values ---- */

static void assert_round_trip(const char *column_type, enum type_kind kind, struct value v)
{
	char text[64];
	struct sql s;
	struct value back;

	OK(db_begin(writer, DB_TX_WRITE, &err));
	snprintf(text, sizeof text, "CREATE TABLE t (v %s) STRICT", column_type);
	OK(run(text));
	s = statement("INSERT INTO t VALUES (?)", &v, 1, NULL);
	OK(db_run(writer, &s, NULL, NULL, &err));
	OK(ask_with(writer, "SELECT v FROM t WHERE v IS ?", &v, 1, kind, &back));
	assert_int_equal(back.kind, v.kind);
	assert_true(value_equal(&back, &v));
	if (v.kind == VALUE_DECIMAL)
		assert_int_equal(back.scale, v.scale);
	db_rollback(writer);
}

TEST(values_come_back_as_they_were)
{
	static const double floats[] = { 0.0, 0.1, 1e308, 5e-324, -1.0 / 3.0, 9007199254740993.0 };
	static const int64_t ints[] = { 0, -1, INT64_MAX, INT64_MIN };
	size_t i;

	start();
	for (i = 0; i < sizeof ints / sizeof *ints; i++)
		assert_round_trip("INTEGER", TYPE_INT, value_int(ints[i]));
	for (i = 0; i < sizeof floats / sizeof *floats; i++)
		assert_round_trip("REAL", TYPE_FLOAT, (struct value){ .kind = VALUE_FLOAT, .u.f = floats[i] });
	assert_round_trip("INTEGER", TYPE_BOOL, (struct value){ .kind = VALUE_BOOL, .u.i = 1 });
	assert_round_trip("INTEGER", TYPE_BOOL, (struct value){ .kind = VALUE_BOOL, .u.i = 0 });
	assert_round_trip("INTEGER", TYPE_DECIMAL, (struct value){ .kind = VALUE_DECIMAL, .scale = 2, .u.i = -1250 });
	assert_round_trip("TEXT", TYPE_TEXT, value_text("\xc3\xa4 b ", 5));
	assert_round_trip("TEXT", TYPE_TEXT, value_text("", 0));
	assert_round_trip("BLOB", TYPE_BYTES, value_bytes("\0\xff\0", 3));
	assert_round_trip("BLOB", TYPE_BYTES, value_bytes("", 0));
	assert_round_trip("TEXT", TYPE_TIME, (struct value){ .kind = VALUE_TIME, .u.i = VALUE_TIME_MIN });
	assert_round_trip("TEXT", TYPE_TIME, (struct value){ .kind = VALUE_TIME, .u.i = VALUE_TIME_MAX });
	assert_round_trip("TEXT", TYPE_TIME, (struct value){ .kind = VALUE_TIME, .u.i = -1 });
	assert_round_trip("TEXT", TYPE_TEXT, value_null());
	end();
}

TEST(stored_values_that_do_not_fit_come_as_what_they_are)
{
	struct value v;

	start();
	OK(db_begin(writer, DB_TX_READ, &err));
	assert_int_equal(ask("SELECT 2", TYPE_BOOL).kind, VALUE_INT);
	assert_int_equal(ask("SELECT 1.5", TYPE_INT).kind, VALUE_FLOAT);
	assert_int_equal(ask("SELECT 'x'", TYPE_INT).kind, VALUE_TEXT);
	assert_int_equal(ask("SELECT x'00'", TYPE_TEXT).kind, VALUE_BYTES);
	assert_int_equal(ask("SELECT 1000000000000000000", TYPE_DECIMAL).kind, VALUE_INT);
	assert_int_equal(ask("SELECT 999999999999999999", TYPE_DECIMAL).kind, VALUE_DECIMAL);
	assert_int_equal(ask("SELECT '2024-02-03T10:00:00.000000'", TYPE_TIME).kind, VALUE_TEXT);
	assert_int_equal(ask("SELECT '2024-02-30 10:00:00.000000'", TYPE_TIME).kind, VALUE_TEXT);
	assert_int_equal(ask("SELECT '2024-02-03 10:00:00.000000'", TYPE_TIME).kind, VALUE_TIME);
	v = ask("SELECT CAST(x'ff61' AS TEXT)", TYPE_TEXT);
	assert_int_equal(v.kind, VALUE_BYTES);
	assert_memory_equal(v.u.s.data, "\xff" "a", 2);
	v = ask("SELECT CAST(x'610062' AS TEXT)", TYPE_TEXT);
	assert_int_equal(v.kind, VALUE_BYTES);
	assert_int_equal(v.u.s.len, 3);
	v = ask("SELECT -0.0", TYPE_FLOAT);
	assert_int_equal(v.kind, VALUE_FLOAT);
	assert_false(__builtin_signbit(v.u.f));
	OK(db_commit(writer, &err));
	end();
}

TEST(a_list_of_any_length_is_one_parameter)
{
	enum { COUNT = 100000 };
	struct value *values = calloc(COUNT, sizeof *values);
	struct value_list list = { .values = values, .count = COUNT };
	struct value param = { .kind = VALUE_LIST, .u.list = &list }, out;
	int i;

	start();
	WRITE("CREATE TABLE t (a INTEGER PRIMARY KEY, s TEXT) STRICT",
	      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000) "
	      "INSERT INTO t SELECT i, 's' || i FROM n");
	for (i = 0; i < COUNT; i++)
		values[i] = value_int(2 * i);
	OK(db_begin(writer, DB_TX_READ, &err));
	OK(ask_with(writer, "SELECT count(*) FROM t WHERE a IN (SELECT value FROM rowd_list(?))", &param, 1, TYPE_INT, &out));
	assert_int_equal(out.u.i, COUNT - 1);
	OK(ask_with(writer, "SELECT count(*) FROM t WHERE a NOT IN (SELECT value FROM rowd_list(?))", &param, 1, TYPE_INT, &out));
	assert_int_equal(out.u.i, 300000 - (COUNT - 1));
	list.count = 0;
	OK(ask_with(writer, "SELECT count(*) FROM t WHERE a IN (SELECT value FROM rowd_list(?))", &param, 1, TYPE_INT, &out));
	assert_int_equal(out.u.i, 0);
	values[0] = value_text("s7", 2);
	values[1] = value_text("", 0);
	list.count = 2;
	OK(ask_with(writer, "SELECT count(*) FROM t WHERE s IN (SELECT value FROM rowd_list(?))", &param, 1, TYPE_INT, &out));
	assert_int_equal(out.u.i, 1);
	assert_int("SELECT count(*) FROM rowd_list", 0);
	assert_int("SELECT count(*) FROM rowd_list(5)", 0);
	assert_int("SELECT count(*) FROM rowd_list('rowd_list')", 0);
	OK(db_commit(writer, &err));
	free(values);
	end();
}

TEST(the_numbers_of_a_write_are_told)
{
	struct sql s = statement("INSERT INTO t (b) VALUES (1), (2), (3)", NULL, 0, NULL);
	int64_t changed, last_id;

	start();
	WRITE("CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT, b INT) STRICT",
	      "CREATE TABLE c (a INT REFERENCES t ON DELETE CASCADE) STRICT");
	OK(db_begin(writer, DB_TX_WRITE, &err));
	OK(db_run(writer, &s, &changed, &last_id, &err));
	assert_int_equal(changed, 3);
	assert_int_equal(last_id, 1);
	OK(run("INSERT INTO c VALUES (1), (2), (3)"));
	s = statement("UPDATE t SET b = b WHERE a > 1", NULL, 0, NULL);
	OK(db_run(writer, &s, &changed, NULL, &err));
	assert_int_equal(changed, 2);
	s = statement("DELETE FROM t", NULL, 0, NULL);
	OK(db_run(writer, &s, &changed, NULL, &err));
	assert_int_equal(changed, 3);
	s = statement("DELETE FROM t", NULL, 0, NULL);
	OK(db_run(writer, &s, &changed, NULL, &err));
	assert_int_equal(changed, 0);
	OK(db_commit(writer, &err));
	end();
}

/* ---- functions ---- */

TEST(sums_are_exact)
{
	start();
	WRITE("CREATE TABLE t (a) ", "INSERT INTO t VALUES (9223372036854775807), (9223372036854775807), (NULL)");
	OK(db_begin(writer, DB_TX_WRITE, &err));
	assert_text("SELECT rowd_sum(a) FROM t", "18446744073709551614");
	assert_text("SELECT rowd_sum(-a) FROM t", "-18446744073709551614");
	assert_text("SELECT rowd_sum(a * 0) FROM t", "0");
	assert_null_value("SELECT rowd_sum(a) FROM t WHERE a = 1");
	assert_null_value("SELECT rowd_sum(a) FROM t WHERE a IS NULL");
	assert_fails("SELECT rowd_sum('1') FROM t", ROWD_E_TYPE_MISMATCH);
	db_rollback(writer);
	end();
}

TEST(arithmetic_refuses_to_overflow)
{
	start();
	OK(db_begin(writer, DB_TX_READ, &err));
	assert_int("SELECT rowd_add(9223372036854775806, 1)", INT64_MAX);
	assert_fails("SELECT rowd_add(9223372036854775807, 1)", ROWD_E_OUT_OF_RANGE);
	assert_int("SELECT rowd_sub(-9223372036854775807, 1)", INT64_MIN);
	assert_fails("SELECT rowd_sub(-9223372036854775807, 2)", ROWD_E_OUT_OF_RANGE);
	assert_int("SELECT rowd_mul(3037000499, 3037000499)", INT64_C(9223372030926249001));
	assert_fails("SELECT rowd_mul(4611686018427387904, 2)", ROWD_E_OUT_OF_RANGE);
	assert_fails("SELECT rowd_mul(-9223372036854775807 - 1, -1)", ROWD_E_OUT_OF_RANGE);
	assert_int("SELECT rowd_add(98, 1, 100)", 99);
	assert_fails("SELECT rowd_add(99, 1, 100)", ROWD_E_OUT_OF_RANGE);
	assert_fails("SELECT rowd_sub(-99, 1, 100)", ROWD_E_OUT_OF_RANGE);
	assert_int("SELECT rowd_mul(150, 200, 2, 1000)", 300);
	assert_fails("SELECT rowd_mul(151, 150, 2, 1000)", ROWD_E_OUT_OF_RANGE);
	assert_fails("SELECT rowd_mul(200, 600, 2, 1000)", ROWD_E_OUT_OF_RANGE);
	assert_fails("SELECT rowd_mul(1, 1, 400, 0)", ROWD_E_OUT_OF_RANGE);
	assert_fails("SELECT rowd_mul(1, 1, -1, 0)", ROWD_E_OUT_OF_RANGE);
	assert_int("SELECT rowd_mul(0, 7, 2, 1000)", 0);
	assert_null_value("SELECT rowd_add(NULL, 1)");
	assert_null_value("SELECT rowd_mul(1, NULL, 2, 10)");
	assert_fails("SELECT rowd_add(1.5, 1)", ROWD_E_TYPE_MISMATCH);
	assert_fails("SELECT rowd_add('1', 1)", ROWD_E_TYPE_MISMATCH);
	OK(db_commit(writer, &err));
	end();
}

TEST(a_statement_that_overflows_changes_nothing)
{
	start();
	WRITE("CREATE TABLE t (a INT) STRICT", "INSERT INTO t VALUES (1), (9223372036854775807), (3)");
	OK(db_begin(writer, DB_TX_WRITE, &err));
	assert_int_equal(run("UPDATE t SET a = rowd_add(a, 1)"), ROWD_E_OUT_OF_RANGE);
	assert_true(db_in_transaction(writer));
	assert_int("SELECT count(*) FROM t WHERE a IN (1, 3)", 2);
	db_rollback(writer);
	end();
}

TEST(like_matches_characters_and_case)
{
	static const struct { const char *arguments; int matches; } rows[] = {
		{ "'abc', 'abc'", 1 }, { "'abc', 'ABC'", 0 }, { "'abc', 'ab'", 0 }, { "'ab', 'abc'", 0 },
		{ "'abc', '%'", 1 }, { "'', '%'", 1 }, { "'', ''", 1 }, { "'', '_'", 0 }, { "'a', ''", 0 },
		{ "'abc', 'a%'", 1 }, { "'abc', '%c'", 1 }, { "'abc', '%b%'", 1 }, { "'abc', '%d%'", 0 },
		{ "'abc', '_b_'", 1 }, { "'abc', '__'", 0 }, { "'abc', '____'", 0 }, { "'abc', '%_'", 1 },
		{ "'aXbXc', 'a%X%c'", 1 }, { "'aab', 'a%ab'", 1 }, { "'mississippi', '%iss%ip%'", 1 },
		{ "'mississippi', '%iss%is%z'", 0 }, { "'abcabd', '%ab_'", 1 }, { "'a%c', 'a\\%c'", 1 },
		{ "'abc', 'a\\%c'", 0 }, { "'a_c', 'a\\_c'", 1 }, { "'abc', 'a\\_c'", 0 }, { "'a\\c', 'a\\\\c'", 1 },
		{ "'a\\', 'a\\'", 1 }, { "'\xc3\xa4', '_'", 1 }, { "'\xc3\xa4', '__'", 0 }, { "x'c3a4', x'5f5f'", 1 },
		{ "x'c3a4', x'5f'", 0 }, { "'\xf0\x9f\x98\x80x', '_x'", 1 }, { "'a', x'61'", 0 }, { "1, '1'", 0 },
		{ "x'', x'25'", 1 }, { "'x\xc3\xa4y', '%\xa4y'", 0 },
	};
	char text[100];
	size_t i;

	start();
	OK(db_begin(writer, DB_TX_READ, &err));
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		snprintf(text, sizeof text, "SELECT rowd_like(%s)", rows[i].arguments);
		if (ask(text, TYPE_INT).u.i != rows[i].matches)
			fail_msg("%s is not %d", text, rows[i].matches);
	}
	assert_null_value("SELECT rowd_like(NULL, 'a')");
	assert_null_value("SELECT rowd_like('a', NULL)");
	OK(db_commit(writer, &err));
	end();
}

TEST(the_schema_of_a_file_cannot_call_our_functions)
{
	sqlite3 *other;

	start();
	WRITE("CREATE TABLE t (a INT)");
	other = other_program();
	assert_int_equal(sqlite3_create_function(other, "rowd_add", 2, SQLITE_UTF8 | SQLITE_INNOCUOUS, NULL, NULL, NULL, NULL),
			 SQLITE_OK);
	other_runs(other, "CREATE TRIGGER tr AFTER INSERT ON t BEGIN UPDATE t SET a = rowd_add(a, 1); END");
	sqlite3_close(other);
	OK(db_begin(writer, DB_TX_WRITE, &err));
	assert_int_equal(run("INSERT INTO t VALUES (1)"), ROWD_E_INTERNAL);
	db_rollback(writer);
	end();
}

/* ---- errors ---- */

TEST(constraints_have_their_codes)
{
	start();
	WRITE("CREATE TABLE p (a INTEGER PRIMARY KEY, u TEXT UNIQUE, n INT NOT NULL DEFAULT 0, c INT CHECK (c < 10)) STRICT",
	      "CREATE TABLE r (a INT REFERENCES p ON DELETE RESTRICT) STRICT",
	      "CREATE TABLE d (a INT REFERENCES p DEFERRABLE INITIALLY DEFERRED) STRICT",
	      "CREATE TABLE g (a INT)", "CREATE TRIGGER tr BEFORE INSERT ON g BEGIN SELECT RAISE(ABORT, 'no'); END",
	      "INSERT INTO p (a, u) VALUES (1, 'x')", "INSERT INTO r VALUES (1)");
	OK(db_begin(writer, DB_TX_WRITE, &err));
	assert_int_equal(run("INSERT INTO p (a) VALUES (1)"), ROWD_E_CONFLICT);
	assert_int_equal(run("INSERT INTO p (u) VALUES ('x')"), ROWD_E_CONFLICT);
	assert_int_equal(run("INSERT INTO p (n) VALUES (NULL)"), ROWD_E_NULL_NOT_ALLOWED);
	assert_int_equal(run("INSERT INTO p (c) VALUES (10)"), ROWD_E_OUT_OF_RANGE);
	assert_int_equal(run("INSERT INTO p (n) VALUES ('x')"), ROWD_E_TYPE_MISMATCH);
	assert_int_equal(run("INSERT INTO r VALUES (2)"), ROWD_E_FOREIGN_KEY);
	assert_int_equal(run("DELETE FROM p"), ROWD_E_FOREIGN_KEY);
	assert_int_equal(run("INSERT INTO g VALUES (2)"), ROWD_E_OUT_OF_RANGE);
	assert_int_equal(run("INSERT INTO nosuch VALUES (2)"), ROWD_E_SCHEMA_MISMATCH);
	assert_int_equal(run("INSERT INTO p (nosuch) VALUES (2)"), ROWD_E_SCHEMA_MISMATCH);
	assert_int_equal(run("CREATE TABLE p (a)"), ROWD_E_TABLE_EXISTS);
	assert_int_equal(run("this is no SQL"), ROWD_E_INTERNAL);
	assert_int_equal(run("SELECT 1; SELECT 2"), ROWD_E_INTERNAL);
	assert_int_equal(run(""), ROWD_E_INTERNAL);
	assert_true(db_in_transaction(writer));
	OK(run("INSERT INTO d VALUES (77)"));
	assert_int_equal(db_commit(writer, &err), ROWD_E_FOREIGN_KEY);
	assert_false(db_in_transaction(writer));
	assert_true(db_conn_usable(writer));
	OK(db_begin(writer, DB_TX_READ, &err));
	assert_int("SELECT count(*) FROM d", 0);
	OK(db_commit(writer, &err));
	end();
}

TEST(errors_never_tell_names_or_values)
{
	start();
	WRITE("CREATE TABLE secret_table (secret_column TEXT UNIQUE) STRICT",
	      "INSERT INTO secret_table VALUES ('secret_value')");
	OK(db_begin(writer, DB_TX_WRITE, &err));
	assert_int_equal(run("INSERT INTO secret_table VALUES ('secret_value')"), ROWD_E_CONFLICT);
	assert_null(strstr(err.text, "secret"));
	assert_int_equal(err.native, SQLITE_CONSTRAINT_UNIQUE);
	db_rollback(writer);
	end();
}

TEST(ids_that_ran_out_are_not_a_full_disk)
{
	start();
	WRITE("CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT) STRICT",
	      "INSERT INTO t VALUES (9223372036854775807)");
	OK(db_begin(writer, DB_TX_WRITE, &err));
	assert_int_equal(run("INSERT INTO t VALUES (NULL)"), ROWD_E_OUT_OF_RANGE);
	db_rollback(writer);
	end();
}

TEST(a_full_disk_undoes_and_says_so)
{
	start();
	WRITE("CREATE TABLE t (a BLOB) STRICT", "INSERT INTO t VALUES (x'01')");
	/* as many pages as there are */
	OK(db_begin(writer, DB_TX_READ, &err));
	assert_int_not_equal(ask("PRAGMA max_page_count = 1", TYPE_INT).u.i, 0);
	OK(db_commit(writer, &err));
	OK(db_begin(writer, DB_TX_WRITE, &err));
	assert_int_equal(run("INSERT INTO t VALUES (zeroblob(1000000))"), ROWD_E_STORAGE_FULL);
	db_rollback(writer);
	assert_true(db_conn_usable(writer));
	OK(db_begin(writer, DB_TX_READ, &err));
	assert_int("SELECT count(*) FROM t", 1);
	OK(db_commit(writer, &err));
	end();
}

/* ---- what stops a statement ---- */

static const char endless[] =
	"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

TEST(statements_stop_at_their_deadline_and_budget)
{
	struct db_watch *watch;
	struct value v;
	int64_t began;

	start();
	watch = db_conn_watch(reader);
	OK(db_begin(reader, DB_TX_READ, &err));
	began = now_ns();
	watch->deadline_ns = began + 50000000;
	assert_int_equal(ask_with(reader, endless, NULL, 0, TYPE_INT, &v), ROWD_E_TIMEOUT);
	assert_in_range(now_ns() - began, 40000000, 5000000000);
	watch->deadline_ns = 0;
	watch->budget_ns = now_ns() + 1000000;
	assert_int_equal(ask_with(reader, endless, NULL, 0, TYPE_INT, &v), ROWD_E_LIMIT);
	/* what takes less than a look is worth finishing */
	OK(ask_with(reader, "SELECT 1", NULL, 0, TYPE_INT, &v));
	watch->budget_ns = 0;
	db_conn_cancel(reader);
	assert_int_equal(ask_with(reader, endless, NULL, 0, TYPE_INT, &v), ROWD_E_CANCELLED);
	watch->cancelled = false;
	OK(ask_with(reader, "SELECT 1", NULL, 0, TYPE_INT, &v));
	OK(db_commit(reader, &err));
	end();
}

TEST(a_pattern_that_never_ends_is_stopped)
{
	enum { BYTES = 400000 };
	char *s = malloc(BYTES), *p = malloc(BYTES / 2);
	struct value params[2], v;

	start();
	memset(s, 'a', BYTES);
	memset(p, 'a', BYTES / 2);
	p[0] = '%';
	p[BYTES / 2 - 1] = 'b';
	params[0] = value_text(s, BYTES);
	params[1] = value_text(p, BYTES / 2);
	db_conn_watch(reader)->deadline_ns = now_ns() + 30000000;
	OK(db_begin(reader, DB_TX_READ, &err));
	assert_int_equal(ask_with(reader, "SELECT rowd_like(?, ?)", params, 2, TYPE_INT, &v), ROWD_E_TIMEOUT);
	db_rollback(reader);
	free(s);
	free(p);
	end();
}

TEST(a_write_that_is_stopped_ends_its_transaction)
{
	start();
	WRITE("CREATE TABLE t (a INT) STRICT");
	OK(db_begin(writer, DB_TX_WRITE, &err));
	OK(run("INSERT INTO t VALUES (1)"));
	db_conn_watch(writer)->deadline_ns = now_ns() + 20000000;
	assert_int_equal(run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO t SELECT i FROM n"),
			 ROWD_E_TIMEOUT);
	assert_false(db_in_transaction(writer));
	db_rollback(writer);
	db_conn_watch(writer)->deadline_ns = 0;
	OK(db_begin(writer, DB_TX_READ, &err));
	assert_int("SELECT count(*) FROM t", 0);
	OK(db_commit(writer, &err));
	end();
}

TEST(a_commit_is_never_called_cancelled_when_it_is_done)
{
	int i;

	start();
	WRITE("CREATE TABLE t (a INT) STRICT");
	for (i = 0; i < 1500; i++) {
		OK(db_begin(writer, DB_TX_WRITE, &err));
		db_conn_cancel(writer);
		OK(db_commit(writer, &err));
		db_conn_watch(writer)->cancelled = false;
	}
	end();
}

/*
 * SQLite asks the watch every thousand steps of a statement, counted over all its runs, and also
 * when the work is done. Whatever it says, rows must be there exactly when it said so.
 */
TEST(a_write_is_reported_as_it_was)
{
	int64_t written = 0;
	int i;

	start();
	WRITE("CREATE TABLE t (a INT) STRICT");
	for (i = 0; i < 3000; i++) {
		struct sql s = statement("INSERT INTO t VALUES (1)", NULL, 0, NULL);
		enum rowd_code rc;

		OK(db_begin(writer, DB_TX_WRITE, &err));
		db_conn_watch(writer)->deadline_ns = now_ns() + 1 + i % 7 * 1500;
		rc = db_run(writer, &s, NULL, NULL, &err);
		db_conn_watch(writer)->deadline_ns = 0;
		if (db_in_transaction(writer)) {
			OK(db_commit(writer, &err));
			written += rc == ROWD_OK;
		} else {
			assert_int_equal(rc, ROWD_E_TIMEOUT);
			db_rollback(writer);
		}
	}
	OK(db_begin(writer, DB_TX_READ, &err));
	assert_int("SELECT count(*) FROM t", written);
	OK(db_commit(writer, &err));
	end();
}

/* ---- other programs ---- */

TEST(a_lock_held_by_others_is_waited_for_and_then_busy)
{
	sqlite3 *other;
	int64_t began;

	start();
	WRITE("CREATE TABLE t (a INT) STRICT");
	other = other_program();
	other_runs(other, "BEGIN IMMEDIATE");
	began = now_ns();
	assert_int_equal(db_begin(writer, DB_TX_WRITE, &err), ROWD_E_BUSY);
	assert_in_range(now_ns() - began, 150000000, 3000000000);
	assert_false(db_in_transaction(writer));
	assert_true(db_conn_usable(writer));
	/* a reader does not mind */
	OK(db_begin(reader, DB_TX_READ, &err));
	OK(db_commit(reader, &err));
	/* the watch is obeyed while waiting */
	db_conn_watch(writer)->deadline_ns = now_ns() + 10000000;
	assert_int_equal(db_begin(writer, DB_TX_WRITE, &err), ROWD_E_TIMEOUT);
	db_conn_watch(writer)->deadline_ns = 0;
	db_conn_watch(writer)->budget_ns = now_ns() + 1000000000;
	began = now_ns();
	assert_int_equal(db_begin(writer, DB_TX_WRITE, &err), ROWD_E_LIMIT);
	assert_in_range(now_ns() - began, 0, 100000000);
	db_conn_watch(writer)->budget_ns = 0;
	other_runs(other, "COMMIT");
	OK(db_begin(writer, DB_TX_WRITE, &err));
	OK(db_commit(writer, &err));
	sqlite3_close(other);
	end();
}

TEST(a_schema_changed_by_others_is_seen_at_the_next_begin)
{
	sqlite3 *other;

	start();
	WRITE("CREATE TABLE t (a INT) STRICT");
	OK(db_begin(writer, DB_TX_READ, &err));
	assert_int_equal(table("t")->ncolumns, 1);
	OK(db_commit(writer, &err));
	other = other_program();
	other_runs(other, "ALTER TABLE t ADD COLUMN b TEXT");
	sqlite3_close(other);
	OK(db_begin(writer, DB_TX_READ, &err));
	assert_int_equal(table("t")->ncolumns, 2);
	assert_null_value("SELECT b FROM t");
	OK(db_commit(writer, &err));
	end();
}

TEST(a_snapshot_stays_what_it_was)
{
	struct value v;

	start();
	WRITE("CREATE TABLE t (a INT) STRICT");
	OK(db_begin(reader, DB_TX_READ, &err));    /* no read yet but the one of begin */
	WRITE("INSERT INTO t VALUES (1)");
	OK(ask_with(reader, "SELECT count(*) FROM t", NULL, 0, TYPE_INT, &v));
	assert_int_equal(v.u.i, 0);
	OK(db_commit(reader, &err));
	OK(db_begin(reader, DB_TX_READ, &err));
	OK(ask_with(reader, "SELECT count(*) FROM t", NULL, 0, TYPE_INT, &v));
	assert_int_equal(v.u.i, 1);
	OK(db_commit(reader, &err));
	end();
}

static struct db_conn *loop_reader(void)
{
	struct db_conn *c;

	OK(db_conn_open(&db, DB_LOOP_READER, &c, &err));
	OK(db_begin(c, DB_TX_READ, &err));         /* the first one cannot be told */
	assert_false(db_snapshot_is_newest(c));
	db_rollback(c);
	return c;
}

TEST(a_snapshot_is_the_newest_until_somebody_commits)
{
	struct db_conn *c;
	struct value v;
	sqlite3 *other;

	start();
	WRITE("CREATE TABLE t (a INT) STRICT");
	c = loop_reader();
	assert_false(db_snapshot_is_newest(c));
	OK(db_begin(c, DB_TX_READ, &err));
	assert_true(db_snapshot_is_newest(c));
	OK(db_begin(writer, DB_TX_WRITE, &err));
	assert_int_equal(run("INSERT INTO t VALUES (1)"), ROWD_OK);
	assert_true(db_snapshot_is_newest(c));
	OK(db_commit(writer, &err));
	assert_false(db_snapshot_is_newest(c));
	OK(ask_with(c, "SELECT count(*) FROM t", NULL, 0, TYPE_INT, &v));
	assert_int_equal(v.u.i, 0);
	db_rollback(c);
	OK(db_begin(c, DB_TX_READ, &err));
	assert_true(db_snapshot_is_newest(c));
	OK(ask_with(c, "SELECT count(*) FROM t", NULL, 0, TYPE_INT, &v));
	assert_int_equal(v.u.i, 1);
	other = other_program();
	other_runs(other, "DELETE FROM t");
	assert_false(db_snapshot_is_newest(c));
	sqlite3_close(other);
	db_conn_close(c);
	end();
}

TEST(a_snapshot_that_lasts_does_not_hold_up_the_log)
{
	struct db_conn *c;
	sqlite3 *other;

	start();
	WRITE("CREATE TABLE t (a INT) STRICT");
	c = loop_reader();
	OK(db_begin(c, DB_TX_READ, &err));
	other = other_program();
	other_runs(other, "SELECT * FROM t");
	assert_int_equal(sqlite3_wal_checkpoint_v2(other, "main", SQLITE_CHECKPOINT_RESTART, NULL, NULL), SQLITE_BUSY);
	assert_false(db_snapshot_is_newest(c));    /* for all of the log is in the database now */
	db_rollback(c);
	OK(db_begin(c, DB_TX_READ, &err));
	assert_int_equal(sqlite3_wal_checkpoint_v2(other, "main", SQLITE_CHECKPOINT_RESTART, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	db_conn_close(c);
	end();
}

static int64_t cache_kib(struct db_conn *c)
{
	struct value v;

	OK(ask_with(c, "PRAGMA cache_size", NULL, 0, TYPE_INT, &v));
	return -v.u.i;
}

/* One look, as a loop takes it, at what its cache should be. */
static int64_t attended_cache_kib(struct db_conn *c)
{
	int64_t kib;

	OK(db_begin(c, DB_TX_READ, &err));
	kib = cache_kib(c);
	db_rollback(c);
	return kib;
}

TEST(a_loops_cache_is_large_when_nobody_has_written_for_a_while)
{
	const struct timespec a_while = { .tv_sec = 1, .tv_nsec = 100 * 1000 * 1000 };
	struct db_conn *c;

	start();
	source.read_cache_kib = db.source.read_cache_kib = 20000;
	WRITE("CREATE TABLE t (a INT) STRICT");
	OK(db_conn_open(&db, DB_LOOP_READER, &c, &err));
	assert_int_equal(cache_kib(c), 8192);
	assert_int_equal(attended_cache_kib(c), 8192);
	nanosleep(&a_while, NULL);
	assert_int_equal(attended_cache_kib(c), 20000);
	assert_int_equal(attended_cache_kib(c), 20000);
	WRITE("INSERT INTO t VALUES (1)");
	assert_int_equal(attended_cache_kib(c), 8192);
	assert_int_equal(attended_cache_kib(c), 8192);
	nanosleep(&a_while, NULL);
	assert_int_equal(attended_cache_kib(c), 20000);
	db_conn_close(c);
	source.read_cache_kib = db.source.read_cache_kib = 3000;
	OK(db_conn_open(&db, DB_LOOP_READER, &c, &err));
	assert_int_equal(attended_cache_kib(c), 3000);
	db_conn_close(c);
	end();
}

TEST(only_a_loops_reader_can_tell)
{
	start();
	OK(db_begin(reader, DB_TX_READ, &err));
	assert_false(db_snapshot_is_newest(reader));
	db_rollback(reader);
	end();
}

TEST(a_file_that_was_replaced_is_noticed)
{
	char elsewhere[200];
	struct db_conn *again;

	start();
	WRITE("CREATE TABLE t (a INT) STRICT");
	snprintf(elsewhere, sizeof elsewhere, "%s.old", path);
	assert_int_equal(rename(path, elsewhere), 0);
	assert_int_equal(db_begin(writer, DB_TX_WRITE, &err), ROWD_E_UNAVAILABLE);
	assert_false(db_conn_usable(writer));
	assert_int_equal(db_ping(reader, &err), ROWD_E_UNAVAILABLE);
	assert_false(db_conn_usable(reader));
	OK(db_conn_open(&db, DB_WRITER, &again, &err));
	OK(db_begin(again, DB_TX_WRITE, &err));
	assert_int_equal(catalog_count(db_catalog(again)), 0);
	OK(db_commit(again, &err));
	db_conn_close(again);
	end();
}

/* The locks SQLite holds on the file would be gone if anything here had opened and closed it. */
TEST(our_locks_survive_all_that_rowd_does)
{
	char line[256], inode[64];
	struct stat st;
	int held = 0;
	FILE *f;

	start();
	WRITE("CREATE TABLE t (a INT) STRICT");
	OK(db_begin(writer, DB_TX_WRITE, &err));
	OK(db_reload(writer, &err));
	OK(db_commit(writer, &err));
	assert_int_equal(db_ping(writer, &err), ROWD_OK);
	assert_int_equal(stat(path, &st), 0);
	snprintf(inode, sizeof inode, ":%lu ", (unsigned long)st.st_ino);
	f = fopen("/proc/locks", "r");
	if (!f)
		skip();
	while (fgets(line, sizeof line, f))
		held += strstr(line, inode) != NULL;
	fclose(f);
	assert_in_range(held, 1, 10);
	end();
}

/* ---- the schema ---- */

#define REMEMBER "CREATE TABLE _rowd_columns (table_name TEXT NOT NULL, column_name TEXT NOT NULL, type TEXT NOT NULL, " \
	"PRIMARY KEY (table_name, column_name)) STRICT"

static void reload(void)
{
	OK(db_begin(writer, DB_TX_READ, &err));
	OK(db_reload(writer, &err));
	OK(db_commit(writer, &err));
}

TEST(a_table_of_rowd_is_read_as_it_was_made)
{
	const struct table *t;

	start();
	WRITE(REMEMBER,
	      "CREATE TABLE users (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL DEFAULT 'it''s', "
	      "age INTEGER DEFAULT -3, price INTEGER DEFAULT 1250, ok INTEGER DEFAULT 1, score REAL DEFAULT 2, "
	      "born TEXT DEFAULT '2024-02-03 10:00:00.000000', raw BLOB DEFAULT x'00ff', UNIQUE (name)) STRICT",
	      "CREATE INDEX ix_age ON users (age, price)",
	      "CREATE TABLE orders (id INTEGER PRIMARY KEY, owner INTEGER, FOREIGN KEY (owner) REFERENCES users (id) "
	      "ON DELETE CASCADE ON UPDATE RESTRICT) STRICT",
	      "INSERT INTO _rowd_columns VALUES ('users', 'id', 'int'), ('users', 'name', 'text(40)'), ('users', 'age', 'int'), "
	      "('users', 'price', 'decimal(10,2)'), ('users', 'ok', 'bool'), ('users', 'score', 'float'), "
	      "('users', 'born', 'time'), ('users', 'raw', 'bytes(16)'), ('orders', 'id', 'int'), ('orders', 'owner', 'int')");
	reload();
	assert_int_equal(catalog_count(db_catalog(writer)), 2);
	t = table("users");
	if (t->nreasons)
		fail_msg("%s", t->reasons[0]);
	assert_true(t->portable);
	assert_true(table("orders")->portable);
	assert_true(column("users", "id")->generated);
	assert_false(column("orders", "id")->generated);
	assert_false(column("users", "id")->nullable);
	assert_true(column("users", "age")->nullable);
	assert_false(column("users", "name")->nullable);
	assert_int_equal(column("users", "name")->type.length, 40);
	assert_memory_equal(column("users", "name")->dflt.u.s.data, "it's", 4);
	assert_int_equal(column("users", "age")->dflt.u.i, -3);
	assert_int_equal(column("users", "price")->dflt.kind, VALUE_DECIMAL);
	assert_int_equal(column("users", "price")->dflt.u.i, 1250);
	assert_int_equal(column("users", "ok")->dflt.kind, VALUE_BOOL);
	assert_int_equal(column("users", "score")->dflt.kind, VALUE_FLOAT);
	assert_int_equal(column("users", "born")->dflt.kind, VALUE_TIME);
	assert_int_equal(column("users", "raw")->dflt.kind, VALUE_BYTES);
	assert_int_equal(column("users", "raw")->dflt.u.s.len, 2);
	assert_false(column("users", "id")->has_default);
	assert_int_equal(t->primary_key.ncolumns, 1);
	assert_int_equal(t->nuniques, 1);
	assert_true(t->uniques[0].constraint);
	assert_int_equal(t->nindexes, 1);
	assert_string_equal(t->indexes[0].name, "ix_age");
	assert_false(t->indexes[0].constraint);
	assert_int_equal(t->indexes[0].ncolumns, 2);
	assert_int_equal(t->nchildren, 1);
	assert_int_equal(t->children[0]->on_delete, FK_CASCADE);
	assert_ptr_equal(t->children[0]->references[0], column("users", "id"));
	assert_null(t->row_id);
	end();
}

TEST(tables_of_others_are_read_as_well_as_can_be)
{
	start();
	WRITE("CREATE TABLE legacy (a INTEGER PRIMARY KEY, b VARCHAR(20) COLLATE NOCASE, c DECIMAL(10,2), d BOOLEAN, e DOUBLE, "
	      "f BLOB, g DATETIME DEFAULT CURRENT_TIMESTAMP, h, i INT GENERATED ALWAYS AS (a + 1) VIRTUAL, j TEXT DEFAULT (lower('X')))",
	      "CREATE UNIQUE INDEX u ON legacy (b)", "CREATE INDEX part ON legacy (c) WHERE c > 1",
	      "CREATE INDEX expr ON legacy (lower(b))", "CREATE INDEX down ON legacy (d DESC)",
	      "CREATE TRIGGER tr AFTER DELETE ON legacy BEGIN SELECT 1; END",
	      "CREATE VIEW v AS SELECT * FROM legacy", "CREATE VIRTUAL TABLE fts USING fts5(x)",
	      "CREATE TABLE bare (x, rowid)", "CREATE TABLE text_key (k TEXT PRIMARY KEY, v) WITHOUT ROWID",
	      "CREATE TABLE child (p REFERENCES LEGACY, q REFERENCES nobody(x) ON DELETE SET DEFAULT)");
	reload();
	assert_int_equal(catalog_count(db_catalog(writer)), 4);
	assert_int_equal(column("legacy", "a")->type.kind, TYPE_INT);
	assert_true(column("legacy", "a")->generated);
	assert_int_equal(column("legacy", "b")->type.kind, TYPE_TEXT);
	assert_int_equal(column("legacy", "b")->type.length, 0);
	assert_int_equal(column("legacy", "c")->type.kind, TYPE_ANY);
	assert_int_equal(column("legacy", "d")->type.kind, TYPE_BOOL);
	assert_int_equal(column("legacy", "e")->type.kind, TYPE_FLOAT);
	assert_int_equal(column("legacy", "f")->type.kind, TYPE_BYTES);
	assert_int_equal(column("legacy", "h")->type.kind, TYPE_ANY);
	assert_true(column("legacy", "i")->computed);
	assert_true(column("legacy", "g")->default_is_computed);
	assert_true(column("legacy", "j")->default_is_computed);
	assert_false(table("legacy")->portable);
	assert_true(has_reason("legacy", "not STRICT"));
	assert_true(has_reason("legacy", "triggers"));
	assert_true(has_reason("legacy", "did not make it"));
	assert_true(has_reason("legacy", "another collation"));
	assert_true(has_reason("legacy", "on an expression"));
	assert_int_equal(table("legacy")->nuniques, 1);
	assert_false(table("legacy")->uniques[0].plain);
	assert_int_equal(table("legacy")->nindexes, 2);
	assert_string_equal(table("bare")->row_id, "_rowid_");
	assert_null(table("legacy")->row_id);
	assert_null(table("text_key")->row_id);
	assert_int_equal(table("text_key")->primary_key.ncolumns, 1);
	assert_false(column("text_key", "k")->nullable);
	assert_int_equal(table("child")->nforeign_keys, 2);
	assert_ptr_equal(table("child")->foreign_keys[0].parent, table("legacy"));
	assert_ptr_equal(table("child")->foreign_keys[0].references[0], column("legacy", "a"));
	assert_null(table("child")->foreign_keys[1].parent);
	assert_int_equal(table("child")->foreign_keys[1].on_delete, FK_OTHER);
	end();
}

TEST(what_others_altered_is_no_longer_portable)
{
	start();
	WRITE(REMEMBER, "CREATE TABLE a (id INTEGER PRIMARY KEY, x INTEGER) STRICT",
	      "CREATE TABLE b (id INTEGER PRIMARY KEY, x TEXT) STRICT", "CREATE TABLE c (id INTEGER PRIMARY KEY) STRICT",
	      "INSERT INTO _rowd_columns VALUES ('a', 'id', 'int'), ('b', 'id', 'int'), ('b', 'x', 'decimal(4,1)'), "
	      "('c', 'id', 'int'), ('c', 'gone', 'int'), ('c', 'nonsense', 'what')");
	reload();
	assert_true(has_reason("a", "column x was made or altered"));
	assert_true(has_reason("b", "column x was made or altered"));
	assert_int_equal(column("b", "x")->type.kind, TYPE_TEXT);
	assert_true(has_reason("c", "dropped or renamed"));
	end();
}

TEST(anothers_table_under_our_name_says_nothing)
{
	start();
	WRITE("CREATE TABLE _rowd_columns (x)", "CREATE TABLE t (id INTEGER PRIMARY KEY) STRICT");
	reload();
	assert_true(has_reason("t", "did not make it"));
	end();
}

TEST(defaults_are_literals_or_left_to_the_database)
{
	static const struct { const char *text; enum value_kind kind; bool computed; } rows[] = {
		{ "5", VALUE_INT, false }, { "(5)", VALUE_INT, false }, { "-5", VALUE_INT, false }, { "+5", VALUE_INT, false },
		{ "1.5e3", VALUE_FLOAT, false }, { ".5", VALUE_FLOAT, false }, { "'a''b'", VALUE_TEXT, false },
		{ "''", VALUE_TEXT, false }, { "x''", VALUE_BYTES, false }, { "X'0a'", VALUE_BYTES, false },
		{ "NULL", VALUE_NULL, false }, { "true", VALUE_INT, false }, { "(1 + 1)", VALUE_NULL, true },
		{ "('a' || 'b')", VALUE_NULL, true }, { "(abs(-1))", VALUE_NULL, true }, { "CURRENT_DATE", VALUE_NULL, true },
		{ "((5))", VALUE_INT, false }, { "((SELECT 1))", VALUE_NULL, true }, { "9223372036854775808", VALUE_FLOAT, false },
	};
	char text[100];
	size_t i;

	start();
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		OK(db_begin(writer, DB_TX_WRITE, &err));
		snprintf(text, sizeof text, "CREATE TABLE t (x DEFAULT %s)", rows[i].text);
		if (run(text))
			db_rollback(writer);
		else {
			OK(db_reload(writer, &err));
			if (column("t", "x")->dflt.kind != rows[i].kind || column("t", "x")->default_is_computed != rows[i].computed ||
			    column("t", "x")->has_default != (rows[i].computed || rows[i].kind != VALUE_NULL))
				fail_msg("%s", rows[i].text);
			db_rollback(writer);
		}
	}
	end();
}

TEST(monstrous_tables_are_read_without_harm)
{
	static char text[200000];
	size_t len;
	int i;

	start();
	len = (size_t)snprintf(text, sizeof text, "CREATE TABLE wide (");
	for (i = 0; i < 2000; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "column_%d TEXT%s", i, i < 1999 ? ", " : ")");
	WRITE(text);
	len = (size_t)snprintf(text, sizeof text, "CREATE TABLE deep (");
	for (i = 0; i < 100; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "c%d INT, ", i);
	len += (size_t)snprintf(text + len, sizeof text - len, "PRIMARY KEY (");
	for (i = 0; i < 40; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "c%d%s", i, i < 39 ? ", " : "), FOREIGN KEY (");
	for (i = 0; i < 40; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "c%d%s", i, i < 39 ? ", " : ") REFERENCES deep, UNIQUE (");
	for (i = 0; i < 40; i++)
		len += (size_t)snprintf(text + len, sizeof text - len, "c%d%s", i, i < 39 ? ", " : "))");
	WRITE(text, "CREATE TABLE \"it's \"\" odd\nname\" (\"a b\" INT, \"\xc3\xa9\" INT, \"\" INT)");
	reload();
	assert_int_equal(table("wide")->ncolumns, 2000);
	assert_true(has_reason("wide", "more than 100 columns"));
	assert_int_equal(table("deep")->primary_key.ncolumns, 0);
	assert_string_equal(table("deep")->row_id, "rowid");
	assert_int_equal(table("deep")->nuniques, 0);
	assert_int_equal(table("deep")->nforeign_keys, 0);
	assert_true(has_reason("deep", "more than 16 columns"));
	assert_int_equal(table("it's \" odd\nname")->ncolumns, 3);
	end();
}

TEST(names_that_are_no_text_are_not_listed)
{
	start();
	WRITE("CREATE TABLE \"bad\xff\" (a INT)", "CREATE TABLE t (\"bad\xff\" INT)", "CREATE TABLE good (a INT)");
	reload();
	assert_int_equal(catalog_count(db_catalog(writer)), 1);
	end();
}

TEST(a_damaged_file_is_an_error_and_no_crash)
{
	unsigned seed = 1;
	int round;

	start();
	WRITE("CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT)", "CREATE INDEX i ON t (b)",
	      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO t SELECT i, hex(i) FROM n");
	db_conn_close(reader);
	db_conn_close(writer);
	db_fini(&db);
	for (round = 0; round < 60; round++) {
		char copy[80], command[400];
		struct value v;
		FILE *f;
		int i;

		snprintf(copy, sizeof copy, "%s/copy.db", folder);
		snprintf(command, sizeof command, "rm -f '%s'*; cp '%s' '%s'", copy, path, copy);
		assert_int_equal(system(command), 0);
		f = fopen(copy, "r+");
		assert_non_null(f);
		for (i = 0; i <= round % 5; i++) {
			seed = seed * 1103515245 + 12345;
			fseek(f, 100 + (long)(seed >> 8) % 12000, SEEK_SET);
			fputc((int)(seed >> 24), f);
		}
		fclose(f);
		snprintf(url, sizeof url, "sqlite://%s", copy);
		OK(db_init(&db, &source, &err));
		if (db_conn_open(&db, DB_WRITER, &writer, &err) == ROWD_OK) {
			if (db_begin(writer, DB_TX_WRITE, &err) == ROWD_OK) {
				(void)ask_with(writer, "SELECT sum(a) FROM t", NULL, 0, TYPE_ANY, &v);
				(void)run("DELETE FROM t WHERE b > '3'");
				if (db_in_transaction(writer))
					(void)!db_commit(writer, &err);
			}
			db_conn_close(writer);
		}
		db_fini(&db);
	}
	remove_all();
}

/* ---- the log ---- */

struct log {
	sqlite3_file *file;
	char name[sizeof path + 8];
	unsigned char due[300000];
	sqlite3_int64 size;
};

static void log_open(struct log *l)
{
	sqlite3_vfs *vfs;
	FILE *database = fopen(path, "w");    /* a log has its mode */

	assert_non_null(database);
	fclose(database);
	if (!sqlite3_vfs_find(SQLITE_LOG_VFS))
		sqlite_log_register();
	vfs = sqlite3_vfs_find(SQLITE_LOG_VFS);
	assert_non_null(vfs);
	*l = (struct log){ .file = calloc(1, (size_t)vfs->szOsFile) };
	assert_non_null(l->file);
	snprintf(l->name, sizeof l->name, "%s-wal", path);
	assert_int_equal(vfs->xOpen(vfs, l->name, l->file, SQLITE_OPEN_WAL | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL),
			 SQLITE_OK);
}

static void log_write(struct log *l, unsigned char byte, int n, sqlite3_int64 offset)
{
	memset(l->due + offset, byte, (size_t)n);
	if (l->size < offset + n)
		l->size = offset + n;
	assert_int_equal(l->file->pMethods->xWrite(l->file, l->due + offset, n, offset), SQLITE_OK);
}

static sqlite3_int64 bytes_in_file(const struct log *l)
{
	struct stat st;

	assert_int_equal(stat(l->name, &st), 0);
	return st.st_size;
}

static void log_close(struct log *l)
{
	assert_int_equal(l->file->pMethods->xClose(l->file), SQLITE_OK);
	free(l->file);
}

static void log_sync(struct log *l)
{
	assert_int_equal(l->file->pMethods->xSync(l->file, SQLITE_SYNC_NORMAL), SQLITE_OK);
}

/* It begins with what was written, and ends in zeros, if it does not end there. */
static void check_log(struct log *l)
{
	static unsigned char got[sizeof l->due + 2 * 1024 * 1024];
	sqlite3_int64 size;

	assert_int_equal(l->file->pMethods->xFileSize(l->file, &size), SQLITE_OK);
	assert_in_range(size, l->size, sizeof got);
	assert_int_equal(l->file->pMethods->xRead(l->file, got, (int)size, 0), SQLITE_OK);
	assert_memory_equal(got, l->due, l->size);
	for (sqlite3_int64 i = l->size; i < size; i++)
		assert_int_equal(got[i], 0);
}

TEST(what_a_commit_writes_to_the_log_goes_there_together)
{
	struct log l;

	place();
	log_open(&l);
	log_write(&l, 1, 32, 0);
	assert_int_equal(bytes_in_file(&l), 32);
	sqlite_log_file_commits(l.file, true);
	log_write(&l, 1, 24, 32);
	log_write(&l, 2, 4096, 56);
	assert_int_equal(bytes_in_file(&l), 32);
	log_sync(&l);
	assert_true(bytes_in_file(&l) >= 32 + 24 + 4096);
	check_log(&l);
	log_write(&l, 3, 24, 32 + 24 + 4096);
	check_log(&l);
	sqlite_log_file_commits(l.file, false);
	log_write(&l, 4, 4096, 32 + 24 + 4096 + 24);
	check_log(&l);
	log_close(&l);
	remove_all();
}

TEST(a_log_grows_ahead_of_what_a_commit_writes_and_of_nothing_else)
{
	struct log l;
	int64_t bytes;

	place();
	log_open(&l);
	log_write(&l, 1, 5000, 0);
	log_sync(&l);
	assert_int_equal(bytes_in_file(&l), 5000);
	sqlite_log_file_commits(l.file, true);
	log_write(&l, 2, 5000, 5000);
	log_sync(&l);
	bytes = bytes_in_file(&l);
	assert_true(bytes > 10000);
	check_log(&l);
	log_write(&l, 3, 5000, 10000);
	log_sync(&l);
	assert_int_equal(bytes_in_file(&l), bytes);
	check_log(&l);
	assert_int_equal(l.file->pMethods->xTruncate(l.file, l.size), SQLITE_OK);
	assert_int_equal(bytes_in_file(&l), l.size);
	log_close(&l);
	remove_all();
}

TEST(what_a_failed_commit_held_is_forgotten)
{
	struct log l;

	place();
	log_open(&l);
	log_write(&l, 1, 100, 0);
	sqlite_log_file_commits(l.file, true);
	assert_int_equal(l.file->pMethods->xWrite(l.file, "half", 4, 50), SQLITE_OK);
	sqlite_log_file_commits(l.file, false);
	check_log(&l);
	log_close(&l);
	remove_all();
}

TEST(whoever_reads_the_log_reads_what_was_written)
{
	struct log l;
	unsigned seed = 7;

	place();
	log_open(&l);
	for (int i = 0; i < 3000; i++) {
		seed = seed * 1103515245 + 12345;
		/* mostly where the last one ended, as SQLite does it */
		log_write(&l, (unsigned char)(seed >> 20), 1 + (int)(seed >> 8) % 5000,
			  seed % 16 && l.size < 290000 ? l.size : (sqlite3_int64)(seed >> 4) % 200000);
		switch (seed >> 16 & 63) {
		case 0:
			log_sync(&l);
			check_log(&l);
			break;
		case 1:
			l.size /= 2;
			assert_int_equal(l.file->pMethods->xTruncate(l.file, l.size), SQLITE_OK);
			memset(l.due + l.size, 0, sizeof l.due - (size_t)l.size);
			break;
		case 2:
			check_log(&l);
			break;
		case 3:
			check_log(&l);
			sqlite_log_file_commits(l.file, seed >> 15 & 1);
			break;
		}
	}
	log_close(&l);
	remove_all();
}

/* One commit of so many pages, about. */
static void write_pages(int n)
{
	char text[160];

	snprintf(text, sizeof text,
		 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO t SELECT zeroblob(3500) FROM n", n);
	WRITE(text);
}

/* What was written ahead of a commit that never came lies where another program's commits come to lie. */
TEST(what_was_rolled_back_is_not_written_over_what_others_commit)
{
	sqlite3 *other;
	struct value v;

	start();
	WRITE("CREATE TABLE t (b BLOB) STRICT", "CREATE TABLE u (b BLOB) STRICT");
	other = other_program();
	for (int i = 0; i < 20; i++) {
		char text[160];

		OK(db_begin(writer, DB_TX_WRITE, &err));
		snprintf(text, sizeof text,
			 "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
			 "INSERT INTO t SELECT zeroblob(3500) FROM n", 800 + 7 * i);    /* more than the cache takes */
		assert_int_equal(run(text), ROWD_OK);
		db_rollback(writer);
		other_runs(other, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) "
				  "INSERT INTO u SELECT randomblob(3500) FROM n");
		WRITE("INSERT INTO u VALUES (x'01')");
	}
	OK(db_begin(writer, DB_TX_READ, &err));
	OK(ask_with(writer, "PRAGMA integrity_check", NULL, 0, TYPE_TEXT, &v));
	assert_int_equal(v.u.s.len, 2);
	assert_memory_equal(v.u.s.data, "ok", 2);
	assert_int_equal(ask("SELECT count(*) FROM u", TYPE_INT).u.i, 20 * 1001);
	assert_int_equal(ask("SELECT count(*) FROM u WHERE length(b) = 3500", TYPE_INT).u.i, 20 * 1000);
	db_rollback(writer);
	sqlite3_close(other);
	end();
}

/* How often it has begun anew: https://www.sqlite.org/walformat.html, "WAL File Format". */
static unsigned log_sequence(void)
{
	unsigned char head[16] = { 0 };
	char log[sizeof path + 8];
	FILE *f;

	snprintf(log, sizeof log, "%s-wal", path);
	f = fopen(log, "rb");
	assert_non_null(f);
	assert_int_equal(fread(head, 1, sizeof head, f), sizeof head);
	fclose(f);
	return (unsigned)head[12] << 24 | (unsigned)head[13] << 16 | (unsigned)head[14] << 8 | head[15];
}

/* Little commits, until the log has begun anew. */
static void write_until_anew(unsigned before)
{
	for (int i = 0; log_sequence() == before; i++) {
		assert_in_range(i, 0, 10000);
		write_pages(1);
		usleep(1000);
	}
}

static int64_t rows_of(struct db_conn *c)
{
	struct value v;

	OK(ask_with(c, "SELECT count(*) FROM t", NULL, 0, TYPE_INT, &v));
	return v.u.i;
}

TEST(a_log_begins_anew_while_its_writer_goes_on)
{
	unsigned before;

	start();
	WRITE("CREATE TABLE t (b BLOB) STRICT");
	before = log_sequence();
	for (int i = 0; i < 400; i++)
		write_pages(100);
	assert_int_not_equal(log_sequence(), before);
	OK(db_begin(reader, DB_TX_READ, &err));
	assert_int_equal(rows_of(reader), 40000);
	db_rollback(reader);
	end();
}

TEST(a_log_that_grows_much_while_it_is_copied_is_copied_by_its_writer)
{
	unsigned before;

	start();
	WRITE("CREATE TABLE t (b BLOB) STRICT");
	before = log_sequence();
	write_pages(5000);
	write_pages(17000);
	write_pages(1);
	write_until_anew(before);
	OK(db_begin(reader, DB_TX_READ, &err));
	assert_true(rows_of(reader) > 22000);
	db_rollback(reader);
	end();
}

TEST(a_log_that_somebody_reads_begins_anew_when_he_is_done)
{
	unsigned before;

	start();
	WRITE("CREATE TABLE t (b BLOB) STRICT");
	write_pages(10);
	before = log_sequence();
	OK(db_begin(reader, DB_TX_READ, &err));
	for (int i = 0; i < 60; i++)
		write_pages(100);
	assert_int_equal(rows_of(reader), 10);
	assert_int_equal(log_sequence(), before);
	db_rollback(reader);
	write_until_anew(before);
	end();
}

/* ---- a disk that loses what it could not sync ---- */

enum { PAGES_MOST = 65536 };

/* The thread's side of it is what SQLite's VFS is to everybody else's: rowd's own has the writer's. */
static struct {
	sqlite3_vfs vfs, *real;
	const sqlite3_io_methods *file;
	sqlite3_io_methods methods;
	pthread_mutex_t lock;
	bool fails_next_sync, failed;
	bool before[PAGES_MOST], after[PAGES_MOST];    /* written, by page, when the sync failed */
} disk = { .lock = PTHREAD_MUTEX_INITIALIZER };

static int disk_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 offset)
{
	pthread_mutex_lock(&disk.lock);
	assert(offset / 4096 < PAGES_MOST);
	(disk.failed ? disk.after : disk.before)[offset / 4096] = true;
	pthread_mutex_unlock(&disk.lock);
	return disk.file->xWrite(file, bytes, n, offset);
}

static int disk_sync(sqlite3_file *file, int flags)
{
	bool fails;

	pthread_mutex_lock(&disk.lock);
	fails = disk.fails_next_sync;
	disk.failed |= fails;
	disk.fails_next_sync = false;
	pthread_mutex_unlock(&disk.lock);
	return fails ? SQLITE_IOERR_FSYNC : disk.file->xSync(file, flags);
}

static int disk_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *flags_out)
{
	int rc = disk.real->xOpen(disk.real, name, file, flags, flags_out);

	(void)vfs;
	if (rc == SQLITE_OK && flags & SQLITE_OPEN_MAIN_DB) {
		disk.file = file->pMethods;
		disk.methods = *file->pMethods;
		disk.methods.xWrite = disk_write;
		disk.methods.xSync = disk_sync;
		file->pMethods = &disk.methods;
	}
	return rc;
}

static void disk_begin(void)
{
	disk.real = sqlite3_vfs_find(NULL);
	if (!sqlite3_vfs_find(SQLITE_LOG_VFS))
		sqlite_log_register();    /* it goes on with the true one */
	disk.vfs = *disk.real;
	disk.vfs.zName = "disk";
	disk.vfs.xOpen = disk_open;
	assert_int_equal(sqlite3_vfs_register(&disk.vfs, 1), SQLITE_OK);
	disk.fails_next_sync = true;
}

static void disk_end(void)
{
	sqlite3_vfs_unregister(&disk.vfs);
	assert_int_equal(sqlite3_vfs_register(disk.real, 1), SQLITE_OK);
}

static bool disk_has_failed(void)
{
	bool failed;

	pthread_mutex_lock(&disk.lock);
	failed = disk.failed;
	pthread_mutex_unlock(&disk.lock);
	return failed;
}

TEST(what_could_not_be_synced_is_copied_again_before_the_log_begins_anew)
{
	unsigned sequence;

	disk_begin();
	start();
	WRITE("CREATE TABLE t (b BLOB) STRICT");
	sequence = log_sequence();
	for (int i = 0; i < 45; i++)
		write_pages(100);
	for (int i = 0; !disk_has_failed(); i++) {
		assert_in_range(i, 0, 10000);
		write_pages(1);
		usleep(1000);
	}
	assert_int_equal(log_sequence(), sequence);
	write_until_anew(sequence);
	for (int i = 0; i < PAGES_MOST; i++)
		if (disk.before[i] && !disk.after[i])
			fail_msg("page %d was lost", i);
	end();
	disk_end();
}

TEST(a_log_is_copied_at_once_when_space_is_given_back)
{
	struct stat st;

	start();
	WRITE("CREATE TABLE t (b BLOB) STRICT");
	for (int i = 0; i < 50; i++)
		write_pages(100);    /* enough for it to be copied beside, just now perhaps */
	WRITE("DELETE FROM t");
	OK(db_reclaim(writer, 60000, &err));
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_size, 0, 100 * 4096);
	end();
}
