/*
 * The driver for MySQL and MariaDB when things do not come to their end: deadlines, cancels, servers that
 * hang, die, or cut the connection.
 */
#include "config.h"

#include <pthread.h>
#include <signal.h>

#include "tests/lib/mysql_test.h"

static void make_numbers(void)
{
	int i;

	WRITE("CREATE TABLE n (id BIGINT NOT NULL PRIMARY KEY, k BIGINT NOT NULL) ENGINE=InnoDB",
	      "INSERT INTO n VALUES (0, 0)");
	for (i = 0; i < 11; i++) {
		char text[100];

		snprintf(text, sizeof text, "INSERT INTO n SELECT id + %d, 0 FROM n", 1 << i);
		WRITE(text);
	}
}

/* Some 8,000,000,000 combinations: minutes. */
static const char endless[] = "SELECT COUNT(*) FROM n AS a, n AS b, n AS c WHERE a.k + b.k + c.k > a.id * 0";
static const char endless_write[] =
	"UPDATE n SET k = (SELECT COUNT(*) FROM (SELECT a.id FROM n AS a, n AS b, n AS c "
	"WHERE a.id + b.id + c.id < 0) AS x)";

static void deadline_in(int64_t ms)
{
	db_conn_watch(conn)->deadline_ns = ms ? (now_ms() + ms) * 1000000 : 0;
}

static enum rowd_code ask_endless(void)
{
	struct value v = value_null();

	return ask_with(conn, endless, NULL, 0, (struct type){ .kind = TYPE_INT }, &v);
}

/* The server answers before it strikes the statement off its list. */
static bool the_endless_is_over(void)
{
	int64_t until = now_ms() + 5000;

	while (strcmp(other_asks("SELECT COUNT(*) FROM information_schema.processlist WHERE info LIKE '%AS a, n%' "
				 "AND id <> CONNECTION_ID()"), "0") != 0) {
		if (now_ms() > until)
			return false;
		nap_ms(5);
	}
	return true;
}

/* ---- deadlines ---- */

EACH(a_deadline_stops_a_read_on_the_server_too)
{
	int64_t began = now_ms();

	make_numbers();
	OK(db_begin(conn, DB_TX_READ, &err));
	deadline_in(300);
	FAILS(ROWD_E_TIMEOUT, ask_endless());
	assert_in_range(now_ms() - began, 300, 5000);
	deadline_in(0);
	assert_true(the_endless_is_over());
	assert_true(db_conn_usable(conn));
	assert_int_equal(ask_int_of(conn, "SELECT COUNT(*) FROM n"), 2048);
	db_rollback(conn);
}

EACH(a_deadline_that_has_passed_starts_nothing)
{
	make_numbers();
	OK(db_begin(conn, DB_TX_READ, &err));
	db_conn_watch(conn)->deadline_ns = 1;
	FAILS(ROWD_E_TIMEOUT, ask_endless());
	deadline_in(0);
	assert_int_equal(ask_int_of(conn, "SELECT 5"), 5);
	db_rollback(conn);
}

EACH(a_write_that_was_stopped_ends_its_transaction)
{
	make_numbers();
	OK(db_begin(conn, DB_TX_WRITE, &err));
	OK(run("UPDATE n SET k = 7 WHERE id = 1"));
	deadline_in(300);
	FAILS(ROWD_E_TIMEOUT, run(endless_write));
	deadline_in(0);
	assert_false(db_in_transaction(conn));
	db_rollback(conn);
	assert_int_equal(ask_int("SELECT SUM(k) FROM n"), 0);
	assert_true(db_conn_usable(conn));
}

EACH(a_deadline_ends_the_waiting_for_a_lock)
{
	make_numbers();
	other_runs("BEGIN");
	other_runs("UPDATE n SET k = 1 WHERE id = 1");
	OK(db_begin(conn, DB_TX_WRITE, &err));
	deadline_in(200);
	FAILS(ROWD_E_TIMEOUT, run("UPDATE n SET k = 2 WHERE id = 1"));
	deadline_in(0);
	db_rollback(conn);
	other_runs("ROLLBACK");
	assert_int_equal(ask_int("SELECT SUM(k) FROM n"), 0);
}

/* ---- cancelling ---- */

struct cancelling {
	long after_us;
};

static void *cancel_run(void *arg)
{
	struct cancelling *c = arg;

	nanosleep(&(struct timespec){ .tv_sec = c->after_us / 1000000,
				      .tv_nsec = c->after_us % 1000000 * 1000 },
		  NULL);
	db_conn_cancel(conn);
	return NULL;
}

EACH(another_thread_cancels)
{
	struct cancelling c = { 300000 };
	int64_t began = now_ms();
	pthread_t thread;

	make_numbers();
	OK(db_begin(conn, DB_TX_READ, &err));
	pthread_create(&thread, NULL, cancel_run, &c);
	FAILS(ROWD_E_CANCELLED, ask_endless());
	pthread_join(thread, NULL);
	assert_in_range(now_ms() - began, 300, 5000);
	atomic_store(&db_conn_watch(conn)->cancelled, false);
	assert_int_equal(ask_int_of(conn, "SELECT 5"), 5);
	db_rollback(conn);
}

EACH(a_cancel_that_comes_late_does_not_hit_what_follows)
{
	enum { ROUNDS = 150 };
	struct cancelling c;
	pthread_t thread;
	int i, stopped = 0;

	make_numbers();
	for (i = 0; i < ROUNDS; i++) {
		enum rowd_code rc;
		struct value v = value_null();

		OK(db_begin(conn, DB_TX_WRITE, &err));
		c.after_us = i * 37 % 4000;
		pthread_create(&thread, NULL, cancel_run, &c);
		rc = ask_with(conn, "SELECT COUNT(*) FROM n AS a, n AS b WHERE a.id < 40 AND a.k + b.k = 0",
			      NULL, 0, (struct type){ .kind = TYPE_INT }, &v);
		pthread_join(thread, NULL);
		if (rc != ROWD_OK && rc != ROWD_E_CANCELLED)
			fail_msg("%d: %s (%d)", rc, err.text, err.native);
		stopped += rc == ROWD_E_CANCELLED;
		atomic_store(&db_conn_watch(conn)->cancelled, false);
		if (run("UPDATE n SET k = k + 1 WHERE id = 5"))
			fail_msg("%s (%d)", err.text, err.native);
		OK(db_commit(conn, &err));
		assert_true(db_conn_usable(conn));
	}
	assert_in_range(stopped, 1, ROUNDS);
	assert_int_equal(ask_int("SELECT k FROM n WHERE id = 5"), ROUNDS);
}

EACH(rows_that_nobody_wants_are_not_waited_for)
{
	static const struct type type = { .kind = TYPE_INT };
	struct sql s = statement("SELECT a.id FROM n AS a, n AS b, n AS c", NULL, 0, &type, 1);
	const struct value *row;
	struct db_rows *rows;
	int64_t began;
	int i;

	make_numbers();
	OK(db_begin(conn, DB_TX_READ, &err));
	began = now_ms();
	for (i = 0; i < 3; i++) {
		OK(db_query(conn, &s, &rows, &err));
		OK(db_next(rows, &row, &err));
		assert_non_null(row);
		db_rows_end(rows);
	}
	assert_in_range(now_ms() - began, 0, 10000);
	assert_int_equal(ask_int_of(conn, "SELECT COUNT(*) FROM n"), 2048);
	db_rollback(conn);
	assert_true(db_conn_usable(conn));
}

EACH(a_stream_is_cancelled_between_two_rows)
{
	static const struct type type = { .kind = TYPE_INT };
	struct sql s = statement("SELECT a.id FROM n AS a, n AS b, n AS c", NULL, 0, &type, 1);
	const struct value *row;
	struct db_rows *rows;

	make_numbers();
	OK(db_begin(conn, DB_TX_READ, &err));
	OK(db_query(conn, &s, &rows, &err));
	OK(db_next(rows, &row, &err));
	db_conn_cancel(conn);
	FAILS(ROWD_E_CANCELLED, db_next(rows, &row, &err));
	db_rows_end(rows);
	db_rollback(conn);
	atomic_store(&db_conn_watch(conn)->cancelled, false);
	assert_true(db_conn_usable(conn));
	assert_int_equal(ask_int("SELECT COUNT(*) FROM n"), 2048);
}

/* ---- lost connections ---- */

static void kill_conn(void)
{
	const char *id = other_asks("SELECT MAX(id) FROM information_schema.processlist WHERE db = 'test' "
				    "AND id <> CONNECTION_ID()");
	char words[48];

	snprintf(words, sizeof words, "KILL %ld", strtol(id, NULL, 10));
	other_runs(words);
	nap_ms(100);
}

EACH(a_connection_lost_within_a_transaction_has_applied_nothing)
{
	make_numbers();
	OK(db_begin(conn, DB_TX_WRITE, &err));
	OK(run("UPDATE n SET k = 7"));
	kill_conn();
	FAILS(ROWD_E_UNAVAILABLE, run("UPDATE n SET k = 8"));
	assert_int_equal(err.outcome, ROWD_NOT_APPLIED);
	assert_false(db_conn_usable(conn));
	assert_false(db_in_transaction(conn));
	FAILS(ROWD_E_UNAVAILABLE, run("UPDATE n SET k = 9"));
	db_rollback(conn);
	assert_string_equal(other_asks("SELECT SUM(k) FROM n"), "0");
}

EACH(the_fate_of_a_commit_on_a_lost_connection_is_unknown)
{
	make_numbers();
	OK(db_begin(conn, DB_TX_WRITE, &err));
	OK(run("UPDATE n SET k = 7"));
	kill_conn();
	FAILS(ROWD_E_COMMIT_UNKNOWN, db_commit(conn, &err));
	assert_int_equal(err.outcome, ROWD_UNKNOWN);
	assert_false(db_conn_usable(conn));
}

static void *kill_run(void *arg)
{
	(void)arg;
	nap_ms(300);
	kill_conn();
	return NULL;
}

EACH(the_fate_of_a_schema_statement_on_a_lost_connection_is_unknown)
{
	pthread_t thread;

	make_numbers();
	pthread_create(&thread, NULL, kill_run, NULL);
	FAILS(ROWD_E_COMMIT_UNKNOWN,
	      run("CREATE TABLE m ENGINE=InnoDB AS SELECT a.id FROM n AS a, n AS b, n AS c"));
	pthread_join(thread, NULL);
	assert_false(db_conn_usable(conn));
}

EACH(a_dead_connection_is_found_before_it_is_used)
{
	OK(db_ping(conn, &err));
	kill_conn();
	FAILS(ROWD_E_UNAVAILABLE, db_ping(conn, &err));
	assert_false(db_conn_usable(conn));
}

EACH(a_server_that_died_is_unavailable_until_it_is_back)
{
	struct db_conn *c;

	make_numbers();
	OK(db_begin(conn, DB_TX_WRITE, &err));
	OK(run("UPDATE n SET k = 7"));
	OK(db_commit(conn, &err));
	mysql_server_kill(server);
	FAILS(ROWD_E_UNAVAILABLE, db_ping(conn, &err));
	FAILS(ROWD_E_UNAVAILABLE, db_conn_open(&db, DB_WRITER, &c, &err));
	assert_non_null(strstr(err.text, "does not answer"));
	assert_true(mysql_server_start(server));
	mysql_close(other);
	other = other_open("test");
	c = open_conn();
	db_conn_close(conn);
	conn = c;
	assert_int_equal(ask_int("SELECT SUM(k) FROM n"), 7 * 2048);
}

/* ---- servers that hang ---- */

EACH(a_server_that_hangs_does_not_hold_a_statement_for_ever)
{
	struct db_conn *c;
	int64_t began;

	make_numbers();
	OK(db_begin(conn, DB_TX_READ, &err));
	assert_int_equal(ask_int_of(conn, "SELECT COUNT(*) FROM n"), 2048);
	kill(server->pid, SIGSTOP);
	began = now_ms();
	deadline_in(300);
	FAILS(ROWD_E_TIMEOUT, ask_endless());
	deadline_in(0);
	assert_in_range(now_ms() - began, 300, 8000);
	assert_false(db_conn_usable(conn));
	db_rollback(conn);
	began = now_ms();
	FAILS(ROWD_E_UNAVAILABLE, db_conn_open(&db, DB_WRITER, &c, &err));
	assert_in_range(now_ms() - began, 0, 8000);
	kill(server->pid, SIGCONT);
}

/* ---- memory ---- */

EACH(opening_and_closing_leaves_nothing_behind)
{
	int i;

	for (i = 0; i < 30; i++) {
		struct db_conn *c = open_conn();

		OK(db_begin(c, DB_TX_READ, &err));
		assert_int_equal(ask_int_of(c, "SELECT 5"), 5);
		db_conn_close(c);
	}
	nap_ms(200);
	assert_string_equal(
		other_asks("SELECT COUNT(*) FROM information_schema.processlist WHERE db = 'test'"), "2");
}
