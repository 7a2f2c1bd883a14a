/*
 * Every function of librowd that speaks to a daemon, against a real one:
 *
 *	librowd_tour SOCKET calls|pipelines|streams|transactions|cancels|once
 *	librowd_tour SOCKET survives       says "ready", and inserts until a line comes, whatever happens
 *	librowd_tour SOCKET reconnects     says "ready", reads a line, and finds another daemon there
 *
 * Ends with 0, or says which line was not as promised.
 */
#include "config.h"

#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "rowd.h"

static struct rowd_error err;

#define CHECK(promise) \
	do { \
		if (!(promise)) { \
			fprintf(stderr, "line %d: %s (%s: %s)\n", __LINE__, #promise, err.name, err.text); \
			exit(1); \
		} \
	} while (0)

#define OK(call) CHECK((call) == ROWD_OK)

static struct rowd *open_conn(const char *path)
{
	struct rowd_options options = ROWD_OPTIONS_INIT;
	struct rowd *c;

	options.client = "tour";
	options.timeout_ms = 30000;
	OK(rowd_connect(path, &options, &c, &err));
	return c;
}

static struct rowd_value *column(const char *name, const char *type)
{
	return rowd_map("name", rowd_str(name), "type", rowd_str(type));
}

/* A table of ints, texts and one of each other type; empty. */
static void make_table(struct rowd *c, const char *name)
{
	struct rowd_value *columns =
		rowd_array(column("id", "int"), column("s", "text(40)"), column("n", "int"),
			   column("b", "bool"), column("f", "float"), column("d", "decimal(10,2)"),
			   column("x", "bytes(20)"), column("t", "time"));

	OK(rowd_call(c, "drop_table", rowd_array(rowd_str(name), rowd_map("if_exists", rowd_bool(true))),
		     NULL, NULL, &err));
	OK(rowd_call(c, "create_table",
		     rowd_array(rowd_str(name), rowd_map("columns", columns, "primary_key", rowd_strs("id"))),
		     NULL, NULL, &err));
}

static void fill(struct rowd *c, const char *table, int64_t from, int64_t to)
{
	struct rowd_value *rows = rowd_array_new();
	char text[32];
	int64_t id;

	for (id = from; id < to; id++) {
		snprintf(text, sizeof(text), "row %" PRId64, id);
		rowd_array_add(rows,
			       rowd_map("id", rowd_int(id), "s", rowd_str(text), "n", rowd_int(id % 10)));
	}
	OK(rowd_insert(c, table, rows, NULL, NULL, &err));
}

static int64_t count(struct rowd *c, const char *table, struct rowd_value *filter)
{
	int64_t n;

	OK(rowd_count(c, table, filter, &n, &err));
	return n;
}

/* ---- calls ---- */

static void check_types(struct rowd *c)
{
	struct rowd_result *r;
	const struct rowd_row *row;
	const void *bytes;
	size_t len;
	int64_t n;
	double f;
	bool b;

	OK(rowd_insert(c, "tour",
		       rowd_map("id", rowd_int(-1), "s", rowd_strn("\xe2\x82\xac and more", 3), "b",
				rowd_bool(true), "f", rowd_float(0.25), "d", rowd_str("-12.50"), "x",
				rowd_bin("\0\xff", 2), "t", rowd_time(-1)),
		       NULL, NULL, &err));
	OK(rowd_get(c, "tour", rowd_int(-1), &r, &err));
	CHECK(rowd_result_rows(r) == 1 && rowd_result_columns(r) == 8);
	row = rowd_result_row(r, 0);
	CHECK(rowd_row_int(row, "id", &n) && n == -1);
	CHECK(strcmp(rowd_row_str(row, "s", &len), "\xe2\x82\xac") == 0 && len == 3);
	CHECK(rowd_row_is_null(row, "n") && !rowd_row_int(row, "n", &n));
	CHECK(rowd_row_bool(row, "b", &b) && b);
	CHECK(rowd_row_float(row, "f", &f) && f == 0.25);
	CHECK(strcmp(rowd_row_str(row, "d", NULL), "-12.50") == 0);
	bytes = rowd_row_bin(row, "x", &len);
	CHECK(len == 2 && memcmp(bytes, "\0\xff", 2) == 0);
	CHECK(rowd_row_time(row, "t", &n) && n == -1);
	rowd_result_free(r);
	OK(rowd_get(c, "tour", rowd_int(99), &r, &err));
	CHECK(rowd_result_rows(r) == 0 && rowd_item_is_null(rowd_result_item(r)));
	rowd_result_free(r);
}

static void check_filters(struct rowd *c)
{
	static const int64_t some[] = { 1, 2, 3, 500 };

	OK(rowd_delete_all(c, "tour", NULL, NULL, &err));
	fill(c, "tour", 0, 100);
	CHECK(count(c, "tour", NULL) == 100);
	CHECK(count(c, "tour", rowd_eq("n", rowd_int(3))) == 10);
	CHECK(count(c, "tour", rowd_ne("n", rowd_int(3))) == 90);
	CHECK(count(c, "tour", rowd_and(rowd_ge("id", rowd_int(10)), rowd_lt("id", rowd_int(20)))) == 10);
	CHECK(count(c, "tour", rowd_or(rowd_le("id", rowd_int(1)), rowd_gt("id", rowd_int(97)))) == 4);
	CHECK(count(c, "tour", rowd_not(rowd_between("id", rowd_int(1), rowd_int(98)))) == 2);
	CHECK(count(c, "tour", rowd_in("id", rowd_ints(some, 4))) == 3);
	CHECK(count(c, "tour", rowd_not_in("id", rowd_ints(some, 4))) == 97);
	CHECK(count(c, "tour", rowd_is_null("b")) == 100);
	CHECK(count(c, "tour", rowd_not_null("s")) == 100);
	CHECK(count(c, "tour", rowd_is("b", rowd_null())) == 100);
	CHECK(count(c, "tour", rowd_is_not("n", rowd_null())) == 100);
	CHECK(count(c, "tour", rowd_like("s", "row 9_")) == 10);
	CHECK(count(c, "tour", rowd_prefix("s", "row 9")) == 11);
	CHECK(count(c, "tour", rowd_suffix("s", "w 9")) == 1);
	CHECK(count(c, "tour", rowd_contains("s", "9")) == 19);
	CHECK(count(c, "tour", rowd_eq("id", rowd_col("n"))) == 10);
	CHECK(count(c, "tour", rowd_in("id", rowd_selection("n", "tour", rowd_gt("n", rowd_int(4))))) == 5);
	CHECK(count(c, "tour", rowd_some("tour", rowd_eq("n", rowd_outer("id")))) == 10);
	CHECK(count(c, "tour", rowd_none("tour", rowd_eq("n", rowd_outer("id")))) == 90);
	CHECK(count(c, "tour", rowd_map("n", rowd_int(3), "id", rowd_int(13))) == 1);
}

static void check_writes(struct rowd *c)
{
	struct rowd_result *r;
	int64_t n;
	bool yes;

	OK(rowd_exists(c, "tour", rowd_eq("id", rowd_int(5)), &yes, &err));
	CHECK(yes);
	OK(rowd_update(c, "tour", rowd_int(5),
		       rowd_map("n", rowd_compute("+", rowd_col("n"), rowd_int(1000))), &n, &err));
	CHECK(n == 1 && count(c, "tour", rowd_eq("n", rowd_int(1005))) == 1);
	OK(rowd_update_where(c, "tour", rowd_lt("id", rowd_int(5)), rowd_map("n", rowd_int(7)),
			     rowd_map("returning", rowd_str("keys")), &n, &r, &err));
	CHECK(n == 5 && rowd_result_rows(r) == 5 && strcmp(rowd_result_column(r, 0), "id") == 0);
	rowd_result_free(r);
	OK(rowd_upsert(c, "tour",
		       rowd_array(rowd_map("id", rowd_int(5), "n", rowd_int(1)),
				  rowd_map("id", rowd_int(500), "n", rowd_int(1))),
		       NULL, &r, &err));
	CHECK(rowd_result_count(r) == 2);
	rowd_result_free(r);
	OK(rowd_delete(c, "tour", rowd_int(500), &n, &err));
	CHECK(n == 1);
	OK(rowd_delete_where(c, "tour", rowd_lt("id", rowd_int(50)), rowd_map("dry_run", rowd_bool(true)), &n,
			     NULL, &err));
	CHECK(n == 50 && count(c, "tour", NULL) == 100);
	CHECK(rowd_delete_where(c, "tour", rowd_lt("id", rowd_int(50)), rowd_map("max_rows", rowd_int(10)),
				&n, NULL, &err) == ROWD_E_TOO_MANY_ROWS);
	CHECK(err.matched == 50 && err.outcome == ROWD_NOT_APPLIED && !err.local);
	OK(rowd_delete_where(c, "tour", rowd_lt("id", rowd_int(50)), NULL, &n, NULL, &err));
	CHECK(n == 50);
	CHECK(rowd_delete_where(c, "tour", NULL, NULL, &n, NULL, &err) == ROWD_E_EMPTY_FILTER);
	CHECK(rowd_delete_where(c, "tour", rowd_map_new(), NULL, &n, NULL, &err) == ROWD_E_EMPTY_FILTER);
	CHECK(rowd_insert(c, "tour", rowd_map("id", rowd_str("x")), NULL, NULL, &err) ==
	      ROWD_E_TYPE_MISMATCH);
	CHECK(strcmp(err.column, "id") == 0 && strcmp(err.name, "type_mismatch") == 0);
	OK(rowd_delete_all(c, "tour", NULL, &n, &err));
	CHECK(n == 50);
}

static void check_sessions(struct rowd *c, const char *path)
{
	struct rowd *second = open_conn(path);
	char found[200];

	CHECK(rowd_session(c) != rowd_session(second));
	CHECK(strcmp(rowd_path(c), path) == 0 && rowd_fd(c) >= 0);
	CHECK(rowd_item_kind(rowd_item_get(rowd_hello(c), "limits")) == ROWD_KIND_MAP);
	OK(rowd_ping(second, &err));
	OK(rowd_use(second, "other", &err));
	CHECK(rowd_count(second, "tour", NULL, NULL, &err) == ROWD_E_UNKNOWN_TABLE);
	CHECK(rowd_use(second, "nowhere", &err) == ROWD_E_UNKNOWN_DATABASE);
	OK(rowd_default_path(found, sizeof(found), &err));
	rowd_close(second);
}

static void tour_calls(const char *path)
{
	struct rowd *c = open_conn(path);

	make_table(c, "tour");
	check_types(c);
	check_filters(c);
	check_writes(c);
	check_sessions(c, path);
	rowd_close(c);
}

/* ---- the rest ---- */

static void tour_pipelines(const char *path)
{
	struct rowd *c = open_conn(path);
	uint64_t tickets[500], got;
	struct rowd_result *r;
	int64_t n;
	int i;

	make_table(c, "tour");
	for (i = 0; i < 500; i++)
		OK(rowd_send(c, "insert", rowd_array(rowd_str("tour"), rowd_map("id", rowd_int(i % 499))),
			     &tickets[i], &err));
	CHECK(rowd_pending(c) == 500);
	OK(rowd_flush(c, ROWD_TIMEOUT_DEFAULT, &err));
	CHECK(rowd_unsent(c) == 0);
	OK(rowd_receive(c, tickets[3], ROWD_TIMEOUT_DEFAULT, &r, &err));
	CHECK(rowd_result_count(r) == 1);
	rowd_result_free(r);
	OK(rowd_receive_next(c, ROWD_TIMEOUT_DEFAULT, &got, NULL, &err));
	CHECK(got == tickets[0]);
	CHECK(rowd_receive(c, tickets[499], ROWD_TIMEOUT_DEFAULT, NULL, &err) == ROWD_E_CONFLICT);
	while (rowd_pending(c) > 0)
		OK(rowd_receive_next(c, ROWD_TIMEOUT_DEFAULT, NULL, NULL, &err));
	n = count(c, "tour", NULL);
	CHECK(n == 499);
	rowd_close(c);
}

static int64_t stream_rows(struct rowd *c, int64_t most)
{
	const struct rowd_result *batch;
	struct rowd_stream *s;
	int64_t rows = 0, id;
	size_t i;

	OK(rowd_stream_open(c, "tour", rowd_map("order", rowd_strs("-id"), "batch", rowd_int(100)), &s,
			    &err));
	while (rows < most) {
		OK(rowd_stream_next(s, &batch, &err));
		if (!batch)
			break;
		for (i = 0; i < rowd_result_rows(batch); i++, rows++)
			CHECK(rowd_row_int(rowd_result_row(batch, i), "id", &id) && id == 29999 - rows);
	}
	rowd_stream_close(s);
	return rows;
}

static void tour_streams(const char *path)
{
	struct rowd *c = open_conn(path);
	int64_t from;

	make_table(c, "tour");
	for (from = 0; from < 30000; from += 5000)
		fill(c, "tour", from, from + 5000);
	CHECK(stream_rows(c, INT64_MAX) == 30000);
	CHECK(stream_rows(c, 500) == 500);
	OK(rowd_begin(c, NULL, &err));
	CHECK(stream_rows(c, 500) == 500);
	CHECK(count(c, "tour", NULL) == 30000);
	OK(rowd_commit(c, &err));
	rowd_close(c);
}

static void tour_transactions(const char *path)
{
	struct rowd *c = open_conn(path), *second = open_conn(path);

	make_table(c, "tour");
	OK(rowd_begin(c, NULL, &err));
	CHECK(rowd_in_transaction(c));
	fill(c, "tour", 0, 10);
	CHECK(count(c, "tour", NULL) == 10 && count(second, "tour", NULL) == 0);
	OK(rowd_rollback(c, &err));
	CHECK(!rowd_in_transaction(c) && count(c, "tour", NULL) == 0);
	OK(rowd_begin(c, NULL, &err));
	fill(c, "tour", 0, 10);
	CHECK(rowd_count(c, "nowhere", NULL, NULL, &err) == ROWD_E_UNKNOWN_TABLE);
	CHECK(rowd_count(c, "tour", NULL, NULL, &err) == ROWD_E_TX_ABORTED);
	CHECK(rowd_in_transaction(c));
	CHECK(rowd_commit(c, &err) == ROWD_E_TX_ABORTED);
	CHECK(!rowd_in_transaction(c));
	OK(rowd_begin(c, rowd_map("timeout_ms", rowd_int(20000)), &err));
	fill(c, "tour", 0, 10);
	OK(rowd_commit(c, &err));
	CHECK(count(second, "tour", NULL) == 10);
	rowd_close(second);
	rowd_close(c);
}

struct cancelling {
	struct rowd *conn;
	bool cancelled;
};

static void *cancel_until_it_is(void *arg)
{
	struct cancelling *job = arg;
	struct timespec pause = { 0, 20000000 };
	struct rowd_error own;
	int i;

	for (i = 0; i < 1000 && !job->cancelled; i++) {
		nanosleep(&pause, NULL);
		if (rowd_cancel(job->conn, 0, &job->cancelled, &own))
			break;
	}
	return NULL;
}

/* 3000 rows three times over: a count that nobody wants to wait for. */
static struct rowd_value *slow_filter(void)
{
	return rowd_none("tour", rowd_and(rowd_ne("id", rowd_outer("id")),
					  rowd_none("tour", rowd_and(rowd_ne("id", rowd_outer("id")),
								     rowd_contains("s", "nowhere")))));
}

static void tour_cancels(const char *path)
{
	struct rowd *c = open_conn(path);
	struct cancelling job = { c, false };
	pthread_t thread;
	enum rowd_code rc;
	int64_t n;

	make_table(c, "tour");
	fill(c, "tour", 0, 3000);
	CHECK(pthread_create(&thread, NULL, cancel_until_it_is, &job) == 0);
	rc = rowd_delete_where(c, "tour", slow_filter(), NULL, &n, NULL, &err);
	pthread_join(thread, NULL);
	CHECK(job.cancelled && rc == ROWD_E_CANCELLED && err.outcome == ROWD_NOT_APPLIED);
	rowd_set_timeout(c, 300);
	CHECK(rowd_delete_where(c, "tour", slow_filter(), NULL, &n, NULL, &err) == ROWD_E_TIMEOUT);
	CHECK(err.outcome == ROWD_NOT_APPLIED);
	rowd_set_timeout(c, 30000);
	CHECK(count(c, "tour", NULL) == 3000);
	rowd_close(c);
}

static void tour_once(const char *path)
{
	struct rowd_call_options how = ROWD_CALL_OPTIONS_INIT;
	struct rowd *c = open_conn(path);
	char id[ROWD_ID_BYTES];
	struct rowd_result *r;
	int i;

	make_table(c, "tour");
	OK(rowd_make_id(id, &err));
	how.request_id = id;
	for (i = 0; i < 2; i++) {
		OK(rowd_call_once(c, "insert", rowd_array(rowd_str("tour"), rowd_map("id", rowd_int(1))),
				  &how, &r, &err));
		CHECK(rowd_result_count(r) == 1);
		rowd_result_free(r);
	}
	CHECK(count(c, "tour", NULL) == 1);
	CHECK(rowd_call_once(c, "insert", rowd_array(rowd_str("tour"), rowd_map("id", rowd_int(2))), &how,
			     NULL, &err) == ROWD_E_ID_REUSED);
	CHECK(rowd_call_once(c, "insert", rowd_array(rowd_str("tour"), rowd_map("id", rowd_int(1))), NULL,
			     NULL, &err) == ROWD_E_CONFLICT);
	OK(rowd_call(c, "outcome", rowd_array(rowd_str(id)), NULL, &r, &err));
	CHECK(strcmp(rowd_item_str(rowd_item_get(rowd_result_item(r), "state"), NULL), "applied") == 0);
	rowd_result_free(r);
	OK(rowd_begin(c, NULL, &err));
	fill(c, "tour", 10, 20);
	OK(rowd_call_once(c, "commit", NULL, NULL, NULL, &err));
	CHECK(!rowd_in_transaction(c) && count(c, "tour", NULL) == 11);
	OK(rowd_call_once(c, "delete_where",
			  rowd_array(rowd_str("tour"), rowd_ge("id", rowd_int(10)),
				     rowd_map("returning", rowd_str("keys"))),
			  NULL, &r, &err));
	CHECK(rowd_result_rows(r) == 10);
	rowd_result_free(r);
	rowd_close(c);
}

/* Two connections, one in a transaction, find that the daemon was replaced. */
static void tour_reconnects(const char *path)
{
	struct rowd *c = open_conn(path), *in_tx = open_conn(path);
	char line[16];

	make_table(c, "tour");
	OK(rowd_use(c, "other", &err));
	OK(rowd_begin(in_tx, NULL, &err));
	fill(in_tx, "tour", 0, 10);
	puts("ready");
	fflush(stdout);
	CHECK(fgets(line, sizeof(line), stdin));
	CHECK(rowd_count(c, "tour", NULL, NULL, &err) == ROWD_E_UNKNOWN_TABLE);
	OK(rowd_use(c, "main", &err));
	CHECK(count(c, "tour", NULL) == 0);
	while (rowd_count(in_tx, "tour", NULL, NULL, &err) == ROWD_E_UNAVAILABLE)
		continue;
	CHECK(err.code == ROWD_E_TX_ABORTED && rowd_in_transaction(in_tx));
	OK(rowd_rollback(in_tx, &err));
	CHECK(count(in_tx, "tour", NULL) == 0);
	rowd_close(in_tx);
	rowd_close(c);
}

/* Insert, each once, until a line comes; says how many inserts were applied and how many were not. */
static void tour_survives(const char *path)
{
	struct rowd *c = open_conn(path);
	struct pollfd more = { .fd = 0, .events = POLLIN };
	int64_t id, applied = 0, not_applied = 0;

	make_table(c, "tour");
	puts("ready");
	fflush(stdout);
	for (id = 0; poll(&more, 1, 0) == 0; id++) {
		struct rowd_value *args = rowd_array(rowd_str("tour"), rowd_map("id", rowd_int(id)));

		if (rowd_call_once(c, "insert", args, NULL, NULL, &err) == ROWD_OK) {
			applied++;
			continue;
		}
		CHECK(err.outcome == ROWD_NOT_APPLIED);
		not_applied++;
	}
	printf("%" PRId64 " %" PRId64 "\n", applied, not_applied);
	rowd_close(c);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(const char *path);
	} tours[] = {
		{ "calls", tour_calls },     { "pipelines", tour_pipelines },
		{ "streams", tour_streams }, { "transactions", tour_transactions },
		{ "cancels", tour_cancels }, { "reconnects", tour_reconnects },
		{ "once", tour_once },       { "survives", tour_survives },
	};
	size_t i;

	for (i = 0; argc == 3 && i < sizeof(tours) / sizeof(*tours); i++) {
		if (strcmp(tours[i].name, argv[2]) == 0) {
			tours[i].run(argv[1]);
			return 0;
		}
	}
	fprintf(stderr, "usage: %s SOCKET TOUR\n", argv[0]);
	return 2;
}
