/*
 * The driver for MySQL and MariaDB through db.c: values, statements, transactions, settings, schemas.
 */
#include "config.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/lib/mysql_test.h"

/* ---- settings ---- */

EACH(hostile_defaults_of_the_server_do_not_reach_a_session)
{
	static const struct {
		const char *question;
		const char *due;
	} rows[] = {
		{ "SELECT @@max_sort_length >= 65536", "1" },
		{ "SELECT @@auto_increment_increment", "1" },
		{ "SELECT @@sql_mode LIKE '%ANSI_QUOTES%' AND @@sql_mode LIKE '%STRICT_ALL_TABLES%'", "1" },
		{ "SELECT @@time_zone = '+00:00' AND @@autocommit = 0", "1" },
		{ "SELECT @@default_storage_engine = 'InnoDB'", "1" },
		{ "SELECT @@innodb_lock_wait_timeout", "1" },
		{ "SELECT @@completion_type = 'NO_CHAIN' OR @@completion_type = 0", "1" },
		{ "SELECT @@character_set_client = 'utf8mb4' AND @@character_set_results = 'utf8mb4'", "1" },
	};
	size_t i;

	assert_string_equal(other_asks("SELECT @@sql_mode"), "");
	for (i = 0; i < sizeof rows / sizeof *rows; i++)
		if (ask_int(rows[i].question) != strtol(rows[i].due, NULL, 10))
			fail_msg("%s", rows[i].question);
}

EACH(the_dialect_is_that_of_the_server)
{
	assert_string_equal(db_conn_dialect(conn)->name,
			    server->kind == SERVER_MARIADB ? "mariadb" : "mysql57");
	assert_int_equal(strncmp(db.server, server->kind == SERVER_MARIADB ? "MariaDB 1" : "MySQL 5.7", 9),
			 0);
}

EACH(an_account_that_is_refused_makes_the_database_unavailable)
{
	char url[256];
	struct db_conn *c;

	other_runs("CREATE USER IF NOT EXISTS 'locked'@'localhost' IDENTIFIED BY 'x'");
	snprintf(url, sizeof url, "mysql://locked@localhost/test?unix_socket=%s", server->socket);
	db.source.url = url;
	FAILS(ROWD_E_UNAVAILABLE, db_conn_open(&db, DB_WRITER, &c, &err));
	snprintf(url, sizeof url, "mysql://root@localhost/nowhere?unix_socket=%s", server->socket);
	FAILS(ROWD_E_UNAVAILABLE, db_conn_open(&db, DB_WRITER, &c, &err));
	assert_non_null(strstr(err.text, "no database of that name"));
}

EACH(a_password_comes_from_a_file_that_others_cannot_read)
{
	char path[] = "/tmp/rowd-test-password-XXXXXX", url[320];
	int fd = mkstemp(path);
	struct db_conn *c;
	FILE *f = fdopen(fd, "w");

	assert_non_null(f);
	fputs("se cret'\n", f);
	fclose(f);
	other_runs("CREATE USER IF NOT EXISTS 'kept'@'localhost' IDENTIFIED BY 'se cret'''");
	other_runs("GRANT ALL ON test.* TO 'kept'@'localhost'");
	snprintf(url, sizeof url, "mysql://kept@localhost/test?unix_socket=%s&password_file=%s",
		 server->socket, path);
	db.source.url = url;
	OK(db_conn_open(&db, DB_WRITER, &c, &err));
	db_conn_close(c);
	assert_int_equal(chmod(path, 0604), 0);
	FAILS(ROWD_E_UNAVAILABLE, db_conn_open(&db, DB_WRITER, &c, &err));
	assert_non_null(strstr(err.text, "others"));
	assert_int_equal(chmod(path, 0600), 0);
	assert_int_equal(truncate(path, 0), 0);
	FAILS(ROWD_E_UNAVAILABLE, db_conn_open(&db, DB_WRITER, &c, &err));
	unlink(path);
	FAILS(ROWD_E_UNAVAILABLE, db_conn_open(&db, DB_WRITER, &c, &err));
	assert_null(strstr(err.text, "cret"));
}

TEST(a_connection_is_encrypted_and_verified_where_that_is_asked_for)
{
	char url[400];
	struct db_conn *c;

	server = mysql_server_get(SERVER_MARIADB);
	if (server->missing || !server->certificate[0]) {
		print_message("not run: %s\n", server->missing ? server->missing : "no openssl here");
		skip();
	}
	other = other_open(NULL);
	other_runs("CREATE DATABASE IF NOT EXISTS test");
	mysql_close(other);
	source = (struct db_source){
		.name = "main", .url = url, .connect_timeout_ms = 2000, .busy_timeout_ms = 1000
	};
	snprintf(url, sizeof url, "%s&ssl=verify&ssl_ca=%s", server->url, server->certificate);
	OK(db_init(&db, &source, &err));
	OK(db_conn_open(&db, DB_WRITER, &c, &err));
	db_conn_close(c);
	/* nobody vouches for it */
	snprintf(url, sizeof url, "%s&ssl=verify", server->url);
	FAILS(ROWD_E_UNAVAILABLE, db_conn_open(&db, DB_WRITER, &c, &err));
	assert_non_null(strstr(err.text, "encrypted"));
	snprintf(url, sizeof url, "%s&ssl=required", server->url);
	OK(db_conn_open(&db, DB_WRITER, &c, &err));
	db_conn_close(c);
	db_fini(&db);
}

/* ---- values ---- */

static void make_values_table(void)
{
	char text[1024];
	const char *text_type = server->kind == SERVER_MARIADB
					? "VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
					: "VARBINARY(160)";
	const char *long_type = server->kind == SERVER_MARIADB
					? "LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
					: "LONGBLOB";

	snprintf(text, sizeof text,
		 "CREATE TABLE v (id BIGINT NOT NULL PRIMARY KEY, i BIGINT, b TINYINT(1), f DOUBLE, "
		 "d DECIMAL(18,4), s %s, l %s, y VARBINARY(40), z LONGBLOB, t DATETIME(6)) ENGINE=InnoDB",
		 text_type, long_type);
	assert_int_equal(run(text), ROWD_OK);
}

static const struct type value_types[] = {
	{ .kind = TYPE_INT },
	{ .kind = TYPE_BOOL },
	{ .kind = TYPE_FLOAT },
	{ .kind = TYPE_DECIMAL, .digits = 18, .scale = 4 },
	{ .kind = TYPE_TEXT, .length = 40 },
	{ .kind = TYPE_TEXT },
	{ .kind = TYPE_BYTES, .length = 40 },
	{ .kind = TYPE_BYTES },
	{ .kind = TYPE_TIME },
};
enum { VALUE_TYPES = sizeof value_types / sizeof *value_types };

/* What goes in comes out: the same kind, the same value. */
static void assert_round_trip(int64_t id, const struct value *values)
{
	static const char select[] = "SELECT i, b, f, d, s, l, y, z, t FROM v WHERE id = ?";
	struct value params[VALUE_TYPES + 1] = { value_int(id) };
	struct sql s = statement(select, params, 1, value_types, VALUE_TYPES);
	const struct value *row;
	struct db_rows *rows;
	size_t i;

	memcpy(params + 1, values, VALUE_TYPES * sizeof *values);
	OK(db_begin(conn, DB_TX_WRITE, &err));
	OK(run_with(conn, "INSERT INTO v VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", params, VALUE_TYPES + 1));
	OK(db_query(conn, &s, &rows, &err));
	OK(db_next(rows, &row, &err));
	assert_non_null(row);
	for (i = 0; i < VALUE_TYPES; i++)
		if (row[i].kind != values[i].kind || !value_equal(&row[i], &values[i]))
			fail_msg("value %zu of row %d: kind %d for kind %d", i, (int)id, row[i].kind,
				 values[i].kind);
	OK(db_next(rows, &row, &err));
	assert_null(row);
	db_rows_end(rows);
	OK(db_commit(conn, &err));
}

EACH(values_come_back_as_they_went)
{
	const struct value rows[][VALUE_TYPES] = {
		{ value_int(INT64_MAX),
		  { .kind = VALUE_BOOL, .u.i = 1 },
		  { .kind = VALUE_FLOAT, .u.f = 5e-324 },
		  { .kind = VALUE_DECIMAL, .scale = 4, .u.i = -999999999999999999 },
		  value_text("a \xf0\x9f\x98\x80\\'\" ", 10),
		  value_text("", 0),
		  value_bytes("\0\xff", 2),
		  value_bytes("", 0),
		  { .kind = VALUE_TIME, .u.i = VALUE_TIME_MIN } },
		{ value_int(INT64_MIN),
		  { .kind = VALUE_BOOL, .u.i = 0 },
		  { .kind = VALUE_FLOAT, .u.f = 1.7976931348623157e308 },
		  { .kind = VALUE_DECIMAL, .scale = 4, .u.i = 1 },
		  value_text("", 0),
		  value_text("%", 1),
		  value_bytes("", 0),
		  value_bytes("'", 1),
		  { .kind = VALUE_TIME, .u.i = VALUE_TIME_MAX } },
		{ value_int(0),
		  { .kind = VALUE_BOOL, .u.i = 0 },
		  { .kind = VALUE_FLOAT, .u.f = 0 },
		  { .kind = VALUE_DECIMAL, .scale = 4, .u.i = 0 },
		  value_text("\t\n\r", 3),
		  value_text("x", 1),
		  value_bytes("\\0", 2),
		  value_bytes("\x80", 1),
		  { .kind = VALUE_TIME, .u.i = 0 } },
		{ value_null(), value_null(), value_null(), value_null(), value_null(), value_null(),
		  value_null(), value_null(), value_null() },
		{ value_int(-1),
		  { .kind = VALUE_BOOL, .u.i = 1 },
		  { .kind = VALUE_FLOAT, .u.f = -0.1 },
		  { .kind = VALUE_DECIMAL, .scale = 4, .u.i = -5 },
		  value_text("z", 1),
		  value_text("z", 1),
		  value_bytes("z", 1),
		  value_bytes("z", 1),
		  { .kind = VALUE_TIME, .u.i = -1 } },
		{ value_int(-1),
		  { .kind = VALUE_BOOL, .u.i = 1 },
		  { .kind = VALUE_FLOAT, .u.f = 1e22 },
		  { .kind = VALUE_DECIMAL, .scale = 4, .u.i = 10000 },
		  value_text("z", 1),
		  value_text("z", 1),
		  value_bytes("z", 1),
		  value_bytes("z", 1),
		  { .kind = VALUE_TIME, .u.i = INT64_C(951782400000000) } },
	};
	size_t i;

	make_values_table();
	for (i = 0; i < sizeof rows / sizeof *rows; i++)
		assert_round_trip((int64_t)i, rows[i]);
}

EACH(long_values_come_back_whole)
{
	static const size_t lengths[] = { 255, 256, 257, 65535, 65536, 1 << 20, 8 << 20 };
	struct value values[VALUE_TYPES];
	char *data = malloc(8 << 20);
	size_t i;

	assert_non_null(data);
	for (i = 0; i < 8 << 20; i++)
		data[i] = (char)('a' + i % 26);
	make_values_table();
	for (i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		memset(values, 0, sizeof values);
		values[5] = value_text(data, lengths[i]);
		values[7] = value_bytes(data + 1, lengths[i] - 1);
		assert_round_trip((int64_t)i, values);
	}
	free(data);
}

EACH(a_value_that_the_server_cannot_take_is_refused_and_the_connection_stays)
{
	size_t len = 17 << 20;
	char *data = calloc(1, len);
	struct value v = value_bytes(data, len);

	assert_non_null(data);
	make_values_table();
	OK(db_begin(conn, DB_TX_WRITE, &err));
	FAILS(ROWD_E_LIMIT, run_with(conn, "INSERT INTO v (id, z) VALUES (1, ?)", &v, 1));
	assert_int_equal(err.limit, 16 << 20);
	OK(run("INSERT INTO v (id) VALUES (1)"));
	OK(db_commit(conn, &err));
	free(data);
}

EACH(what_others_stored_comes_as_the_kind_that_it_is)
{
	struct value v = value_null();

	other_runs(
		"CREATE TABLE odd (b TINYINT(1), u BIGINT UNSIGNED, f FLOAT, d DATE, c TIME, y YEAR, x VARBINARY(4), "
		"n DECIMAL(30,2), e ENUM('one', 'two')) ENGINE=InnoDB");
	other_runs(
		"INSERT INTO odd VALUES (7, 18446744073709551615, 0.5, '2024-02-29', '-12:00:01', 1999, X'ff', "
		"1234567890123456789012345678.25, 'two')");
	OK(db_begin(conn, DB_TX_READ, &err));
	OK(ask_with(conn, "SELECT b FROM odd", NULL, 0, (struct type){ .kind = TYPE_BOOL }, &v));
	assert_true(v.kind == VALUE_INT && v.u.i == 7);
	OK(ask_with(conn, "SELECT u FROM odd", NULL, 0, (struct type){ .kind = TYPE_INT }, &v));
	assert_true(v.kind == VALUE_TEXT && v.u.s.len == 20);
	OK(ask_with(conn, "SELECT f FROM odd", NULL, 0, (struct type){ .kind = TYPE_FLOAT }, &v));
	assert_true(v.kind == VALUE_FLOAT && v.u.f == 0.5);
	OK(ask_with(conn, "SELECT d FROM odd", NULL, 0, (struct type){ .kind = TYPE_ANY }, &v));
	assert_memory_equal(kept, "2024-02-29", 10);
	OK(ask_with(conn, "SELECT c FROM odd", NULL, 0, (struct type){ .kind = TYPE_ANY }, &v));
	assert_memory_equal(kept, "-12:00:01", 9);
	OK(ask_with(conn, "SELECT y FROM odd", NULL, 0, (struct type){ .kind = TYPE_INT }, &v));
	assert_true(v.kind == VALUE_INT && v.u.i == 1999);
	OK(ask_with(conn, "SELECT x FROM odd", NULL, 0, (struct type){ .kind = TYPE_TEXT }, &v));
	assert_int_equal(v.kind, VALUE_BYTES);
	OK(ask_with(conn, "SELECT n FROM odd", NULL, 0, (struct type){ .kind = TYPE_ANY }, &v));
	assert_memory_equal(kept, "1234567890123456789012345678.25", 31);
	OK(ask_with(conn, "SELECT e FROM odd", NULL, 0, (struct type){ .kind = TYPE_ANY }, &v));
	assert_memory_equal(kept, "two", 3);
	db_rollback(conn);
}

/* ---- rows ---- */

static void make_numbers(int n)
{
	WRITE("CREATE TABLE n (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, k BIGINT, UNIQUE (k)) ENGINE=InnoDB",
	      "INSERT INTO n (k) VALUES (1)");
	while (n > 1) {
		WRITE("INSERT INTO n (k) SELECT m + k FROM n, (SELECT MAX(k) AS m FROM n) AS x");
		n /= 2;
	}
}

EACH(rows_are_read_as_they_come_and_can_be_left)
{
	static const struct type types[] = { { .kind = TYPE_INT }, { .kind = TYPE_INT } };
	struct sql s = statement("SELECT id, k FROM n ORDER BY id", NULL, 0, types, 2);
	const struct value *row;
	struct db_rows *rows;
	int64_t n = 0;
	int i;

	make_numbers(65536);
	OK(db_begin(conn, DB_TX_READ, &err));
	OK(db_query(conn, &s, &rows, &err));
	for (;;) {
		OK(db_next(rows, &row, &err));
		if (!row)
			break;
		assert_int_equal(row[1].u.i, ++n);
	}
	db_rows_end(rows);
	assert_int_equal(n, 65536);
	for (i = 0; i < 20; i++) {
		OK(db_query(conn, &s, &rows, &err));
		OK(db_next(rows, &row, &err));
		assert_int_equal(row[1].u.i, 1);
		db_rows_end(rows);
		assert_int_equal(ask_int_of(conn, "SELECT 5"), 5);
	}
	db_rollback(conn);
	assert_true(db_conn_usable(conn));
}

EACH(counts_are_of_rows_matched)
{
	struct sql s = statement("UPDATE n SET k = k WHERE k <= 10", NULL, 0, NULL, 0);
	struct sql insert = statement("INSERT INTO n (k) VALUES (100), (200), (300)", NULL, 0, NULL, 0);
	int64_t changed, id;

	make_numbers(16);
	OK(db_begin(conn, DB_TX_WRITE, &err));
	OK(db_run(conn, &s, &changed, NULL, &err));
	assert_int_equal(changed, 10);
	OK(db_run(conn, &insert, &changed, &id, &err));
	assert_int_equal(changed, 3);
	assert_int_equal(ask_int_of(conn, "SELECT id FROM n WHERE k = 100"), id);
	assert_int_equal(ask_int_of(conn, "SELECT id FROM n WHERE k = 300"), id + 2);
	db_rollback(conn);
}

EACH(statements_that_the_server_has_no_room_for_are_prepared_again)
{
	struct value v;
	char text[80];
	int i, round;

	make_numbers(16);
	OK(db_begin(conn, DB_TX_READ, &err));
	other_runs("SET GLOBAL max_prepared_stmt_count = 5");
	for (round = 0; round < 3; round++)
		for (i = 0; i < 20; i++) {
			snprintf(text, sizeof text, "SELECT COUNT(*) + %d FROM n", i);
			OK(ask_with(conn, text, NULL, 0, (struct type){ .kind = TYPE_INT }, &v));
			assert_int_equal(v.u.i, 16 + i);
		}
	other_runs("SET GLOBAL max_prepared_stmt_count = 16382");
	db_rollback(conn);
}

EACH(a_statement_outlives_changes_of_its_table)
{
	struct sql s =
		statement("SELECT k FROM n WHERE id = 1", NULL, 0, &(struct type){ .kind = TYPE_INT }, 1);
	const struct value *row;
	struct db_rows *rows;
	int i;

	make_numbers(4);
	for (i = 0; i < 4; i++) {
		OK(db_begin(conn, DB_TX_READ, &err));
		OK(db_query(conn, &s, &rows, &err));
		OK(db_next(rows, &row, &err));
		assert_non_null(row);
		assert_int_equal(row[0].kind, i == 2 ? VALUE_TEXT : VALUE_INT);
		db_rows_end(rows);
		db_rollback(conn);
		nap_ms(50);
		other_runs(i == 0   ? "ALTER TABLE n ADD COLUMN extra BIGINT FIRST"
			   : i == 1 ? "ALTER TABLE n MODIFY k VARCHAR(30)"
				    : "ALTER TABLE n MODIFY k BIGINT");
	}
}

/* ---- lists ---- */

EACH(a_long_list_is_a_table_for_as_long_as_its_statement)
{
	enum { COUNT = 70000 };
	struct value *values = calloc(COUNT, sizeof *values);
	struct value_list list = { values, COUNT }, small = { values, 2 };
	struct value params[] = { value_int(60000),
				  { .kind = VALUE_LIST, .u.list = &list },
				  { .kind = VALUE_LIST, .u.list = &small } };
	struct value v = value_null();
	int i;

	for (i = 0; i < COUNT; i++)
		values[i] = value_int(i * 2);
	make_numbers(65536);
	OK(db_begin(conn, DB_TX_READ, &err));
	for (i = 0; i < 2; i++) {
		OK(ask_with(
			conn,
			"SELECT COUNT(*) FROM n WHERE k <= ? AND k IN (SELECT \"value\" FROM \"_rowd_list_0\") "
			"AND k NOT IN (SELECT \"value\" FROM \"_rowd_list_1\")",
			params, 3, (struct type){ .kind = TYPE_INT }, &v));
		assert_int_equal(v.u.i, 29999);
	}
	db_rollback(conn);
	free(values);
}

EACH(long_lists_are_of_every_kind)
{
	const struct value values[] = {
		value_text("a ", 2),
		{ .kind = VALUE_DECIMAL, .scale = 4, .u.i = -25 },
		{ .kind = VALUE_FLOAT, .u.f = 0.1 },
		{ .kind = VALUE_TIME, .u.i = 1 },
		value_bytes("\0\xff", 2),
		{ .kind = VALUE_BOOL, .u.i = 1 },
		value_int(-5),
	};
	static const char *const columns[] = { "s", "d", "f", "t", "y", "b", "i" };
	const struct value row[] = { values[6], values[5], values[2], values[1],
				     values[0], values[3], values[4] };
	char text[200];
	struct value v = value_null();
	size_t i;

	make_values_table();
	OK(db_begin(conn, DB_TX_WRITE, &err));
	OK(run_with(conn, "INSERT INTO v (id, i, b, f, d, s, t, y) VALUES (1, ?, ?, ?, ?, ?, ?, ?)", row, 7));
	OK(db_commit(conn, &err));
	for (i = 0; i < sizeof values / sizeof *values; i++) {
		struct value_list list = { &values[i], 1 };
		struct value param = { .kind = VALUE_LIST, .u.list = &list };

		OK(db_begin(conn, DB_TX_READ, &err));
		snprintf(text, sizeof text,
			 "SELECT COUNT(*) FROM v WHERE %s IN (SELECT \"value\" FROM \"_rowd_list_0\")",
			 columns[i]);
		OK(ask_with(conn, text, &param, 1, (struct type){ .kind = TYPE_INT }, &v));
		if (v.u.i != 1)
			fail_msg("%s", columns[i]);
		db_rollback(conn);
	}
}

/* ---- transactions ---- */

EACH(a_transaction_is_whole_or_nothing)
{
	make_numbers(4);
	OK(db_begin(conn, DB_TX_WRITE, &err));
	OK(run("INSERT INTO n (k) VALUES (50)"));
	assert_string_equal(other_asks("SELECT COUNT(*) FROM n"), "4");
	assert_true(db_in_transaction(conn));
	db_rollback(conn);
	assert_int_equal(ask_int("SELECT COUNT(*) FROM n"), 4);
	OK(db_begin(conn, DB_TX_WRITE, &err));
	OK(run("INSERT INTO n (k) VALUES (50)"));
	OK(db_commit(conn, &err));
	assert_string_equal(other_asks("SELECT COUNT(*) FROM n"), "5");
}

EACH(a_read_sees_one_moment)
{
	make_numbers(4);
	OK(db_begin(conn, DB_TX_READ, &err));
	assert_int_equal(ask_int_of(conn, "SELECT COUNT(*) FROM n"), 4);
	other_runs("INSERT INTO n (k) VALUES (50)");
	assert_int_equal(ask_int_of(conn, "SELECT COUNT(*) FROM n"), 4);
	db_rollback(conn);
	assert_int_equal(ask_int("SELECT COUNT(*) FROM n"), 5);
}

EACH(savepoints_undo_what_came_after_them)
{
	make_numbers(4);
	OK(db_begin(conn, DB_TX_SERIALIZABLE, &err));
	OK(run("SAVEPOINT rowd_0"));
	OK(run("INSERT INTO n (k) VALUES (50)"));
	OK(run("SAVEPOINT rowd_1"));
	OK(run("INSERT INTO n (k) VALUES (51)"));
	OK(run("ROLLBACK TO rowd_1"));
	OK(run("RELEASE SAVEPOINT rowd_0"));
	OK(db_commit(conn, &err));
	assert_string_equal(other_asks("SELECT GROUP_CONCAT(k ORDER BY k) FROM n WHERE k >= 50"), "50");
}

EACH(a_transaction_without_a_statement_costs_nothing_and_ends)
{
	OK(db_begin(conn, DB_TX_WRITE, &err));
	OK(db_commit(conn, &err));
	OK(db_begin(conn, DB_TX_READ, &err));
	db_rollback(conn);
	assert_true(db_conn_usable(conn));
}

EACH(nothing_is_left_open_between_transactions)
{
	make_numbers(4);
	OK(db_reload(conn, &err));
	assert_int_equal(ask_int("SELECT COUNT(*) FROM n"), 4);
	nap_ms(100);
	assert_string_equal(other_asks("SELECT COUNT(*) FROM information_schema.innodb_trx"), "0");
	other_runs("SET lock_wait_timeout = 2");
	other_runs("ALTER TABLE n ADD COLUMN extra BIGINT");
}

/* ---- errors ---- */

EACH(errors_have_names_of_rowd)
{
	static const struct {
		const char *text;
		enum rowd_code code;
		const char *words;
	} rows[] = {
		{ "INSERT INTO p (id, k) VALUES (1, 9)", ROWD_E_CONFLICT, "primary key" },
		{ "INSERT INTO p (id, k) VALUES (9, 1)", ROWD_E_CONFLICT, "unique key" },
		{ "DELETE FROM p WHERE id = 1", ROWD_E_FOREIGN_KEY, "foreign key" },
		{ "INSERT INTO c (id, p) VALUES (9, 9)", ROWD_E_FOREIGN_KEY, "foreign key" },
		{ "INSERT INTO p (id, k) VALUES (9, NULL)", ROWD_E_NULL_NOT_ALLOWED, "none" },
		{ "INSERT INTO p (id) VALUES (9)", ROWD_E_NULL_NOT_ALLOWED, "none" },
		{ "INSERT INTO p (id, k, s) VALUES (9, 9, 'abcde')", ROWD_E_TOO_LONG, "longer" },
		{ "INSERT INTO p (id, k) VALUES (9, 9223372036854775808)", ROWD_E_OUT_OF_RANGE, "range" },
		{ "UPDATE p SET k = k + 9223372036854775807", ROWD_E_OUT_OF_RANGE, "range" },
		{ "INSERT INTO p (id, k) VALUES (9, 'x')", ROWD_E_TYPE_MISMATCH, "type" },
		{ "SELECT nothing FROM p", ROWD_E_SCHEMA_MISMATCH, "no longer" },
		{ "DELETE FROM nothing", ROWD_E_SCHEMA_MISMATCH, "no longer" },
		{ "SELEC 1", ROWD_E_INTERNAL, "refused" },
	};
	size_t i;

	WRITE("CREATE TABLE p (id BIGINT NOT NULL PRIMARY KEY, k BIGINT NOT NULL, s VARCHAR(4), UNIQUE (k)) ENGINE=InnoDB",
	      "CREATE TABLE c (id BIGINT NOT NULL PRIMARY KEY, p BIGINT, FOREIGN KEY (p) REFERENCES p (id)) ENGINE=InnoDB",
	      "INSERT INTO p (id, k) VALUES (1, 1)", "INSERT INTO c (id, p) VALUES (1, 1)");
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		OK(db_begin(conn, DB_TX_WRITE, &err));
		if (run(rows[i].text) != rows[i].code || !strstr(err.text, rows[i].words))
			fail_msg("%s: code %d, %s (%d)", rows[i].text, err.code, err.text, err.native);
		assert_true(db_in_transaction(conn));
		db_rollback(conn);
		assert_true(db_conn_usable(conn));
	}
}

EACH(a_warning_about_a_write_undoes_it)
{
	other_runs(
		"CREATE TABLE w (id BIGINT NOT NULL PRIMARY KEY, d DECIMAL(4,1), s VARCHAR(3)) ENGINE=InnoDB");
	OK(db_begin(conn, DB_TX_WRITE, &err));
	OK(run("INSERT INTO w VALUES (1, 1.5, 'a')"));
	FAILS(ROWD_E_INTERNAL, run("INSERT INTO w VALUES (2, 1.55, 'a')"));
	assert_false(db_in_transaction(conn));
	db_rollback(conn);
	assert_int_equal(ask_int("SELECT COUNT(*) FROM w"), 0);
	assert_true(db_conn_usable(conn));
}

EACH(waiting_for_a_lock_has_an_end_and_undoes_the_transaction)
{
	int64_t began;

	make_numbers(4);
	other_runs("BEGIN");
	other_runs("UPDATE n SET k = 70 WHERE id = 1");
	OK(db_begin(conn, DB_TX_WRITE, &err));
	OK(run("INSERT INTO n (k) VALUES (50)"));
	began = now_ms();
	FAILS(ROWD_E_BUSY, run("UPDATE n SET k = 71 WHERE id = 1"));
	assert_in_range(now_ms() - began, 500, 5000);
	assert_false(db_in_transaction(conn));
	db_rollback(conn);
	other_runs("ROLLBACK");
	assert_int_equal(ask_int("SELECT COUNT(*) FROM n"), 4);
}

EACH(after_a_deadlock_nothing_of_the_transaction_remains)
{
	make_numbers(4);
	/* the other has changed more, so that ours is the victim */
	other_runs("BEGIN");
	other_runs("UPDATE n SET k = k + 100 WHERE id IN (2, 3, 4)");
	OK(db_begin(conn, DB_TX_WRITE, &err));
	OK(run("UPDATE n SET k = 71 WHERE id = 1"));
	assert_int_equal(mysql_send_query(other, "UPDATE n SET k = 72 WHERE id = 1", 32), 0);
	nap_ms(200);
	FAILS(ROWD_E_BUSY, run("UPDATE n SET k = 73 WHERE id = 2"));
	assert_false(db_in_transaction(conn));
	db_rollback(conn);
	assert_int_equal(mysql_read_query_result(other), 0);
	other_runs("ROLLBACK");
	assert_int_equal(ask_int("SELECT COUNT(*) FROM n WHERE k > 70"), 0);
}

/* ---- schemas ---- */

static const struct table *table(const char *name)
{
	const struct table *t = catalog_find(db_catalog(conn), name, strlen(name));

	if (!t)
		fail_msg("no table %s", name);
	return t;
}

static const struct column *column(const char *table_name, const char *name)
{
	const struct column *c = table_column(table(table_name), name, strlen(name));

	assert_non_null(c);
	return c;
}

static void assert_type(const char *table_name, const char *name, const char *due)
{
	char text[TYPE_TEXT_BYTES];

	assert_string_equal(type_format(&column(table_name, name)->type, text), due);
}

static void reload(void)
{
	OK(db_begin(conn, DB_TX_READ, &err));
	OK(db_reload(conn, &err));
}

/* Begin a transaction that sees another version of the schema than before. */
static void await_change(int64_t before)
{
	int64_t until = now_ms() + 5000;

	for (;;) {
		OK(db_begin(conn, DB_TX_READ, &err));
		if (catalog_version(db_catalog(conn)) != before)
			return;
		db_rollback(conn);
		if (now_ms() > until)
			fail_msg("the schema stays as it was");
	}
}

static const char *text_collation(void)
{
	return server->kind == SERVER_MARIADB ? "VARCHAR(10) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
					      : "VARBINARY(40)";
}

EACH(a_table_of_rowds_is_described_as_it_was_asked_for)
{
	char text[1024];

	snprintf(
		text, sizeof text,
		"CREATE TABLE t (id BIGINT NOT NULL AUTO_INCREMENT COMMENT 'rowd int', "
		"b TINYINT(1) NOT NULL DEFAULT 1 COMMENT 'rowd bool', d DECIMAL(6,2) NULL DEFAULT -1.50 COMMENT 'rowd decimal(6,2)', "
		"s %s NOT NULL DEFAULT 'it''s ?\xf0\x9f\x98\x80 \\' COMMENT 'rowd text(10)', "
		"y VARBINARY(4) NULL DEFAULT X'00ff' COMMENT 'rowd bytes(4)', "
		"w DATETIME(6) NULL DEFAULT '2020-01-02 03:04:05.000006' COMMENT 'rowd time', "
		"f DOUBLE NULL DEFAULT 5e-324 COMMENT 'rowd float', "
		"PRIMARY KEY (id), UNIQUE ix_t_1 (s, b), KEY ix_t_2 (d)) ENGINE=InnoDB",
		text_collation());
	WRITE(text);
	reload();
	if (!table("t")->portable)
		fail_msg("%s", table("t")->reasons[0]);
	assert_true(column("t", "id")->generated);
	assert_type("t", "b", "bool");
	assert_type("t", "d", "decimal(6,2)");
	assert_type("t", "s", "text(10)");
	assert_type("t", "y", "bytes(4)");
	assert_type("t", "w", "time");
	assert_false(column("t", "b")->nullable);
	assert_int_equal(column("t", "b")->dflt.u.i, 1);
	assert_int_equal(column("t", "d")->dflt.u.i, -150);
	assert_int_equal(column("t", "s")->dflt.u.s.len, 12);
	assert_memory_equal(column("t", "s")->dflt.u.s.data, "it's ?\xf0\x9f\x98\x80 \\", 12);
	assert_int_equal(column("t", "y")->dflt.u.s.len, 2);
	assert_memory_equal(column("t", "y")->dflt.u.s.data, "\0\xff", 2);
	assert_int_equal(column("t", "w")->dflt.u.i, INT64_C(1577934245000006));
	assert_true(column("t", "f")->dflt.u.f == 5e-324);
	assert_int_equal(table("t")->nuniques, 1);
	assert_int_equal(table("t")->uniques[0].ncolumns, 2);
	assert_int_equal(table("t")->nindexes, 1);
	db_rollback(conn);
}

EACH(tables_of_others_say_why_they_are_not_portable)
{
	static const struct {
		const char *name, *ddl, *reason;
	} rows[] = {
		{ "plain", "CREATE TABLE plain (id BIGINT PRIMARY KEY) ENGINE=InnoDB",
		  "rowd did not make it" },
		{ "small", "CREATE TABLE small (id INT PRIMARY KEY) ENGINE=InnoDB",
		  "does not hold the range" },
		{ "latin", "CREATE TABLE latin (s VARCHAR(9) CHARACTER SET latin1 PRIMARY KEY) ENGINE=InnoDB",
		  "another collation" },
		{ "padded", "CREATE TABLE padded (s BINARY(9) PRIMARY KEY) ENGINE=InnoDB", "padded" },
		{ "coarse", "CREATE TABLE coarse (id BIGINT PRIMARY KEY, t DATETIME) ENGINE=InnoDB",
		  "microseconds" },
		{ "mine", "CREATE TABLE mine (id BIGINT PRIMARY KEY) ENGINE=MyISAM", "no transactions" },
		{ "part",
		  "CREATE TABLE part (id BIGINT PRIMARY KEY, s VARCHAR(30), KEY (s(3))) ENGINE=InnoDB",
		  "partial" },
		{ "json", "CREATE TABLE json (id BIGINT PRIMARY KEY, d DATE) ENGINE=InnoDB",
		  "no type of rowd's" },
		{ "made", "CREATE TABLE made (id BIGINT PRIMARY KEY, a BIGINT AS (id + 1)) ENGINE=InnoDB",
		  "computed" },
		{ "now",
		  "CREATE TABLE now (id BIGINT PRIMARY KEY, t DATETIME(6) DEFAULT CURRENT_TIMESTAMP(6)) ENGINE=InnoDB",
		  "is an expression" },
		{ "later",
		  "CREATE TABLE later (id BIGINT PRIMARY KEY, t DATETIME(6) ON UPDATE CURRENT_TIMESTAMP(6)) ENGINE=InnoDB",
		  "every update" },
	};
	size_t i;
	unsigned k;

	for (i = 0; i < sizeof rows / sizeof *rows; i++)
		other_runs(rows[i].ddl);
	other_runs("CREATE VIEW sight AS SELECT 1");
	reload();
	for (i = 0; i < sizeof rows / sizeof *rows; i++) {
		const struct table *t = table(rows[i].name);

		for (k = 0; k < t->nreasons && !strstr(t->reasons[k], rows[i].reason); k++)
			;
		if (t->portable || k == t->nreasons)
			fail_msg("%s: %s", rows[i].name,
				 t->nreasons ? t->reasons[t->nreasons - 1] : "portable");
	}
	assert_false(table("mine")->writable);
	assert_null(catalog_find(db_catalog(conn), "sight", 5));
	db_rollback(conn);
}

EACH(foreign_keys_are_told_with_what_they_do)
{
	const struct table *c;

	WRITE("CREATE TABLE p (a BIGINT NOT NULL, b BIGINT NOT NULL, PRIMARY KEY (a, b)) ENGINE=InnoDB",
	      "CREATE TABLE c (id BIGINT NOT NULL PRIMARY KEY, x BIGINT, y BIGINT, z BIGINT, "
	      "CONSTRAINT fk_c_1 FOREIGN KEY (x, y) REFERENCES p (a, b) ON DELETE CASCADE, "
	      "CONSTRAINT fk_c_2 FOREIGN KEY (z) REFERENCES c (id)) ENGINE=InnoDB");
	reload();
	c = table("c");
	assert_int_equal(c->nforeign_keys, 2);
	assert_ptr_equal(c->foreign_keys[0].parent, table("p"));
	assert_int_equal(c->foreign_keys[0].ncolumns, 2);
	assert_string_equal(c->foreign_keys[0].references[1]->name, "b");
	assert_int_equal(c->foreign_keys[0].on_delete, FK_CASCADE);
	assert_int_equal(c->foreign_keys[1].on_delete, FK_RESTRICT);
	assert_int_equal(table("p")->nchildren, 1);
	db_rollback(conn);
}

EACH(what_others_change_of_the_schema_is_seen_soon)
{
	static const char *const changes[] = {
		"ALTER TABLE n ADD COLUMN extra BIGINT",
		"ALTER TABLE n ALTER COLUMN extra SET DEFAULT 0",
		"CREATE INDEX more ON n (extra)",
		"ALTER TABLE n ADD CONSTRAINT fk FOREIGN KEY (extra) REFERENCES n (id)",
		"ALTER TABLE n DROP FOREIGN KEY fk",
		"CREATE TABLE m (id BIGINT PRIMARY KEY) ENGINE=InnoDB",
		"DROP TABLE n",
	};
	int64_t version;
	size_t i;

	make_numbers(1);
	reload();
	for (i = 0; i < sizeof changes / sizeof *changes; i++) {
		version = catalog_version(db_catalog(conn));
		db_rollback(conn);
		other_runs(changes[i]);
		await_change(version);
		if (i == 0)
			assert_int_equal(table("n")->ncolumns, 3);
		if (i == 1)
			assert_true(column("n", "extra")->has_default);
	}
	assert_null(catalog_find(db_catalog(conn), "n", 1));
	db_rollback(conn);
}

/* ---- several connections ---- */

EACH(what_one_has_committed_the_next_one_reads)
{
	struct db_conn *second = open_conn();
	int i;

	make_numbers(1);
	for (i = 0; i < 50; i++) {
		WRITE("INSERT INTO n (k) SELECT k + 1 FROM n ORDER BY k DESC LIMIT 1");
		OK(db_begin(second, DB_TX_READ, &err));
		assert_int_equal(ask_int_of(second, "SELECT COUNT(*) FROM n"), i + 2);
		db_rollback(second);
	}
	db_conn_close(second);
}
