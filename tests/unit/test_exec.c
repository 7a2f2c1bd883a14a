/*
 * Requests for rows, from their decoded form to the bytes of the answer, on SQLite.
 */
#include "config.h"

#include "daemon/exec/read.h"

#include <stdio.h>

#include "tests/lib/driver_script.h"
#include "tests/lib/requests.h"
#include "tests/unit/unit.h"

static void start(void)
{
	requests_start();
	GIVES("true", "create_table",
	      "['t', {'columns': [{'name': 'id', 'type': 'int'}, {'name': 's', 'type': 'text(5)'},"
	      "{'name': 'n', 'type': 'int'}, {'name': 'd', 'type': 'decimal(6,2)'}, {'name': 'x', 'type': 'text'}],"
	      "'primary_key': ['id']}]");
	requests_sql(
		"INSERT INTO t VALUES (1, 'b', 3, 150, 'x'), (2, 'a', NULL, 25, NULL), (3, NULL, 1, -75, ''),"
		"(4, 'a', 1, 0, 'y'), (5, 'b', NULL, NULL, NULL)");
}

static const char ids[] = "{'columns': ['id'], 'rows': [%s], 'more': %s}";

/* The ids that a select with these options answers, "1 2 3", with "+" behind when there are more. */
static void gives_ids(const char *due, const char *options)
{
	char params[512], expected[512], rows[256] = "";
	size_t n = 0;

	snprintf(params, sizeof params, "['t', {'columns': ['id']%s%s}]", *options ? ", " : "", options);
	for (const char *c = due; *c && *c != '+'; c++)
		if (*c != ' ')
			n += (size_t)snprintf(rows + n, sizeof rows - n, "%s[%c]", n ? ", " : "", *c);
	snprintf(expected, sizeof expected, ids, rows, strchr(due, '+') ? "true" : "false");
	GIVES(expected, "select", params);
}

/* ---- get, count, exists ---- */

TEST(get_answers_a_map_or_nil)
{
	start();
	GIVES("{'id': 1, 's': 'b', 'n': 3, 'd': '1.50', 'x': 'x'}", "get", "['t', 1]");
	GIVES("{'id': 3, 's': null, 'n': 1, 'd': '-0.75', 'x': ''}", "get", "['t', [3]]");
	GIVES("null", "get", "['t', 99]");
	requests_end();
}

TEST(get_refuses_what_is_no_key)
{
	start();
	GIVES("type_mismatch id", "get", "['t', '1']");
	GIVES("null_not_allowed id", "get", "['t', null]");
	GIVES("out_of_range id", "get", "['t', 9223372036854775808]");
	GIVES("bad_request", "get", "['t', []]");
	GIVES("bad_request", "get", "['t', [1, 2]]");
	GIVES("unknown_table", "get", "['nope', 1]");
	requests_end();
}

TEST(count_and_exists_take_filters)
{
	start();
	GIVES("5", "count", "['t']");
	GIVES("2", "count", "['t', {'s': 'a'}]");
	GIVES("true", "exists", "['t', {'n': null}]");
	GIVES("false", "exists", "['t', {'n': 99}]");
	GIVES("empty_filter", "exists", "['t', {}]");
	requests_end();
}

/* ---- select ---- */

TEST(select_answers_columns_rows_and_more)
{
	start();
	GIVES("{'columns': ['n', 'id'], 'rows': [[3, 1], [null, 2]], 'more': true}", "select",
	      "['t', {'columns': ['n', 'id'], 'limit': 2}]");
	gives_ids("1 2 3 4 5", "");
	gives_ids("", "'where': {'id': 9}");
	gives_ids("4 5", "'offset': 3");
	gives_ids("+", "'limit': 0");
	gives_ids("", "'limit': 0, 'where': {'id': 9}");
	requests_end();
}

TEST(rows_come_in_a_total_order)
{
	start();
	gives_ids("3 2 4 1 5", "'order': ['s']");
	gives_ids("1 5 2 4 3", "'order': ['-s']");
	gives_ids("2 4 1 5 3", "'order': ['s nulls last']");
	gives_ids("3 5 1 4 2", "'order': ['-s nulls first', '-id']");
	gives_ids("5 4 3 2 1", "'order': ['-id']");
	requests_end();
}

TEST(a_page_goes_on_behind_any_row)
{
	start();
	gives_ids("4 5", "'after': [3]");
	gives_ids("2 4 1 5", "'order': ['s'], 'after': [null, 3]");
	gives_ids("4 1 5", "'order': ['s'], 'after': ['a', 2]");
	gives_ids("3", "'order': ['s nulls last'], 'after': ['b', 5]");
	gives_ids("", "'order': ['s nulls last'], 'after': [null, 3]");
	gives_ids("4 3", "'order': ['-s'], 'after': ['a', 2]");
	gives_ids("2", "'order': ['-id'], 'after': [3, 3], 'where': ['>', 'id', 1]");
	gives_ids("4 1+", "'order': ['s'], 'after': ['a', 2], 'limit': 2");
	requests_end();
}

TEST(what_is_no_place_to_go_on_from_is_refused)
{
	start();
	GIVES("bad_request", "select", "['t', {'after': []}]");
	GIVES("bad_request", "select", "['t', {'after': [1, 2]}]");
	GIVES("bad_request", "select", "['t', {'order': ['s'], 'after': ['a']}]");
	GIVES("null_not_allowed id", "select", "['t', {'after': [null]}]");
	GIVES("type_mismatch s", "select", "['t', {'order': ['s'], 'after': [1, 2]}]");
	GIVES("bad_request", "select", "['t', {'order': ['-id'], 'after': [3, 4]}]");
	requests_end();
}

TEST(an_order_names_columns_that_have_one)
{
	start();
	GIVES("unknown_column nope", "select", "['t', {'order': ['nope']}]");
	GIVES("unknown_column -s", "select", "['t', {'order': ['--s']}]");
	GIVES("unknown_column s nulls", "select", "['t', {'order': ['s nulls']}]");
	GIVES("unknown_column", "select", "['t', {'order': ['']}]");
	GIVES("bad_request s", "select", "['t', {'order': ['s', '-s']}]");
	GIVES("bad_request", "select", "['t', {'order': []}]");
	GIVES("unsupported x", "select", "['t', {'order': ['x']}]");
	requests_end();
}

TEST(columns_are_named_once_and_exist)
{
	start();
	GIVES("unknown_column nope", "select", "['t', {'columns': ['id', 'nope']}]");
	GIVES("bad_request id", "select", "['t', {'columns': ['id', 's', 'id']}]");
	GIVES("bad_request", "select", "['t', {'columns': []}]");
	requests_end();
}

TEST(distinct_rows_are_ordered_by_their_own_columns)
{
	start();
	GIVES("{'columns': ['s'], 'rows': [[null], ['a'], ['b']], 'more': false}", "select",
	      "['t', {'columns': ['s'], 'distinct': true}]");
	GIVES("{'columns': ['s'], 'rows': [['b'], ['a']], 'more': true}", "select",
	      "['t', {'columns': ['s'], 'distinct': true, 'order': ['-s'], 'limit': 2}]");
	GIVES("{'columns': ['n', 's'], 'rows': [[1, 'a'], [3, 'b']], 'more': false}", "select",
	      "['t', {'columns': ['n', 's'], 'distinct': true, 'after': [1, null]}]");
	GIVES("bad_request", "select", "['t', {'columns': ['s'], 'distinct': true, 'order': ['n']}]");
	GIVES("bad_request", "select", "['t', {'columns': ['s'], 'distinct': true, 'after': ['a', 1]}]");
	GIVES("unsupported x", "select", "['t', {'columns': ['x'], 'distinct': true}]");
	requests_end();
}

TEST(the_limit_of_rows_is_a_limit)
{
	start();
	requests.limits.reply_rows = 3;
	gives_ids("1 2 3+", "");
	gives_ids("1 2 3", "'where': ['<', 'id', 4]");
	GIVES("limit limit=3", "select", "['t', {'limit': 4}]");
	GIVES("limit limit=3", "select", "['t', {'limit': 9223372036854775807}]");
	requests_end();
}

TEST(a_reply_ends_before_its_limit_of_bytes)
{
	start();
	/* 23 bytes stand before the first row of one int, 2 are the row, 16 are kept for what follows */
	requests.limits.reply_bytes = 23 + 2 * 2 + EXEC_TAIL_BYTES;
	gives_ids("1 2+", "");
	gives_ids("1 2", "'where': ['<', 'id', 3]");
	requests.limits.reply_bytes = 23 + 1 + EXEC_TAIL_BYTES;
	GIVES("limit limit=40", "select", "['t', {'columns': ['id']}]");
	gives_ids("+", "'limit': 0");
	requests_end();
}

TEST(rows_are_locked_within_a_transaction_only)
{
	start();
	GIVES("bad_request", "select", "['t', {'for_update': true}]");
	requests.x.in_transaction = true;
	gives_ids("1", "'for_update': true, 'where': {'id': 1}");
	GIVES("bad_request", "select", "['t', {'for_update': true, 'distinct': true}]");
	GIVES("bad_request", "select", "['t', {'for_update': true, 'stream': true}]");
	requests_end();
}

TEST(a_table_without_a_key_is_ordered_by_its_row_numbers)
{
	start();
	requests_sql("CREATE TABLE keyless (a INTEGER, b VARCHAR(5))");
	requests_sql("INSERT INTO keyless VALUES (2, 'x'), (1, 'y'), (2, 'w')");
	GIVES("{'columns': ['a', 'b'], 'rows': [[2, 'x'], [1, 'y'], [2, 'w']], 'more': false}", "select",
	      "['keyless']");
	GIVES("{'columns': ['b'], 'rows': [['y'], ['x'], ['w']], 'more': false}", "select",
	      "['keyless', {'columns': ['b'], 'order': ['a']}]");
	GIVES("unsupported", "get", "['keyless', 1]");
	GIVES("unsupported", "select", "['keyless', {'after': [1]}]");
	requests_end();
}

/* ---- streams ---- */

static char batches[4096];

static enum rowd_code take_batch(void *arg, const struct buf *rows, struct err *e)
{
	size_t n = strlen(batches);

	(void)arg, (void)e;
	snprintf(batches + n, sizeof batches - n, "%s;", requests_text(rows));
	return ROWD_OK;
}

static enum rowd_code refuse_batch(void *arg, const struct buf *rows, struct err *e)
{
	(void)arg, (void)rows;
	return err_set(e, ROWD_E_CANCELLED, "gone");
}

TEST(a_stream_brings_batches)
{
	start();
	requests.x.batch = take_batch;
	batches[0] = '\0';
	GIVES("{'columns': ['id'], 'count': 5}", "select",
	      "['t', {'columns': ['id'], 'stream': true, 'batch': 2}]");
	assert_string_equal(batches, "[[1], [2]];[[3], [4]];[[5]];");
	batches[0] = '\0';
	GIVES("{'columns': ['id'], 'count': 2}", "select",
	      "['t', {'columns': ['id'], 'stream': true, 'offset': 1, 'limit': 2, 'order': ['-id']}]");
	assert_string_equal(batches, "[[4], [3]];");
	batches[0] = '\0';
	GIVES("{'columns': ['id'], 'count': 0}", "select",
	      "['t', {'columns': ['id'], 'stream': true, 'where': {'id': 9}}]");
	assert_string_equal(batches, "");
	requests_end();
}

TEST(a_stream_has_a_limit_of_bytes_but_not_of_rows)
{
	start();
	requests.x.batch = take_batch;
	requests.limits.reply_rows = 3;
	batches[0] = '\0';
	GIVES("{'columns': ['id'], 'count': 5}", "select",
	      "['t', {'columns': ['id'], 'stream': true, 'limit': 100}]");
	assert_string_equal(batches, "[[1], [2], [3]];[[4], [5]];");
	requests.limits.reply_bytes = 5 + 2 * 2;
	batches[0] = '\0';
	GIVES("{'columns': ['id'], 'count': 5}", "select", "['t', {'columns': ['id'], 'stream': true}]");
	assert_string_equal(batches, "[[1], [2]];[[3], [4]];[[5]];");
	requests.limits.reply_bytes = 5 + 1;
	GIVES("limit limit=6", "select", "['t', {'columns': ['id'], 'stream': true}]");
	requests_end();
}

TEST(a_stream_stops_when_nobody_takes_it)
{
	start();
	requests.x.batch = refuse_batch;
	GIVES("cancelled", "select", "['t', {'stream': true}]");
	requests_end();
}

TEST(a_stream_is_for_those_who_can_wait)
{
	start();
	GIVES("bad_request", "select", "['t', {'stream': true}]");
	requests.x.inline_read = true;
	GIVES("limit", "select", "['t', {'stream': true}]");
	requests.x.inline_read = false;
	requests.x.batch = take_batch;
	GIVES("bad_request", "select", "['t', {'stream': true, 'batch': 0}]");
	GIVES("limit limit=10000", "select", "['t', {'stream': true, 'batch': 10001}]");
	GIVES("bad_request", "select", "['t', {'batch': 5}]");
	requests_end();
}

/* ---- aggregate ---- */

#define COMPUTES(due, what) \
	GIVES("{'columns': ['x'], 'rows': [[" due "]], 'more': false}", "aggregate", \
	      "['t', {'compute': {'x': " what "}}]")

TEST(aggregates_are_exact)
{
	start();
	COMPUTES("5", "['count']");
	COMPUTES("3", "['count', 'n']");
	COMPUTES("2", "['count_distinct', 's']");
	COMPUTES("5", "['sum', 'n']");
	COMPUTES("'1.00'", "['sum', 'd']");
	COMPUTES("'-0.75'", "['min', 'd']");
	COMPUTES("'b'", "['max', 's']");
	COMPUTES("1.6666666666666667", "['avg', 'n']");
	COMPUTES("0.25", "['avg', 'd']");
	requests_end();
}

TEST(of_no_rows_counts_are_0_and_the_rest_nil)
{
	start();
	GIVES("{'columns': ['a', 'b', 'c', 'd'], 'rows': [[0, null, null, null]], 'more': false}",
	      "aggregate",
	      "['t', {'where': {'id': 9}, 'compute': {'a': ['count'], 'b': ['sum', 'n'], 'c': ['avg', 'd'], 'd': ['min', 's']}}]");
	GIVES("{'columns': ['s', 'a'], 'rows': [], 'more': false}", "aggregate",
	      "['t', {'where': {'id': 9}, 'group_by': ['s'], 'compute': {'a': ['count']}}]");
	requests_end();
}

TEST(sums_past_64_bits_are_refused_averages_are_not)
{
	start();
	requests_sql("UPDATE t SET n = 9223372036854775807 WHERE id < 3");
	GIVES("out_of_range n", "aggregate",
	      "['t', {'where': ['<', 'id', 3], 'compute': {'x': ['sum', 'n']}}]");
	GIVES("{'columns': ['x'], 'rows': [[9.2233720368547758e+18]], 'more': false}", "aggregate",
	      "['t', {'where': ['<', 'id', 3], 'compute': {'x': ['avg', 'n']}}]");
	requests_end();
}

TEST(groups_come_in_order)
{
	start();
	GIVES("{'columns': ['s', 'k'], 'rows': [[null, 1], ['a', 2], ['b', 2]], 'more': false}", "aggregate",
	      "['t', {'group_by': ['s'], 'compute': {'k': ['count']}}]");
	GIVES("{'columns': ['s', 'k'], 'rows': [['b', 2], ['a', 2]], 'more': true}", "aggregate",
	      "['t', {'group_by': ['s'], 'compute': {'k': ['count']}, 'order': ['-s'], 'limit': 2}]");
	GIVES("{'columns': ['s', 'k'], 'rows': [['a', 1], ['b', 3], [null, 1]], 'more': false}", "aggregate",
	      "['t', {'group_by': ['s'], 'compute': {'k': ['sum', 'n']}, 'order': ['s nulls last']}]");
	requests_end();
}

TEST(groups_can_be_ordered_by_what_was_computed)
{
	start();
	GIVES("{'columns': ['s', 'k'], 'rows': [['b', 3], [null, 1], ['a', 1]], 'more': false}", "aggregate",
	      "['t', {'group_by': ['s'], 'compute': {'k': ['sum', 'n']}, 'order': ['-k']}]");
	GIVES("{'columns': ['s', 'k', 'm'], 'rows': [['a', 1, 1], [null, 1, 1]], 'more': true}", "aggregate",
	      "['t', {'group_by': ['s'], 'compute': {'k': ['sum', 'n'], 'm': ['max', 'n']}, 'order': ['k', '-s'], 'limit': 2}]");
	GIVES("{'columns': ['id', 'k'], 'rows': [[1, 3], [3, 1], [4, 1], [2, null], [5, null]], 'more': false}",
	      "aggregate", "['t', {'group_by': ['id'], 'compute': {'k': ['sum', 'n']}, 'order': ['-k']}]");
	requests.limits.reply_rows = 2;
	GIVES("limit limit=2", "aggregate",
	      "['t', {'group_by': ['s'], 'compute': {'k': ['count']}, 'order': ['k']}]");
	requests.limits.reply_rows = 5;
	requests.limits.reply_bytes = 3;
	GIVES("limit limit=3", "aggregate",
	      "['t', {'group_by': ['s'], 'compute': {'k': ['count']}, 'order': ['k']}]");
	requests_end();
}

TEST(a_page_of_groups_says_whether_there_are_more)
{
	start();
	GIVES("{'columns': ['n'], 'rows': [], 'more': true}", "aggregate",
	      "['t', {'compute': {'n': ['count']}, 'limit': 0}]");
	requests.limits.reply_rows = 2;
	GIVES("{'columns': ['id', 'k'], 'rows': [[1, 1], [2, 1]], 'more': true}", "aggregate",
	      "['t', {'group_by': ['id'], 'compute': {'k': ['count']}}]");
	GIVES("limit limit=2", "aggregate",
	      "['t', {'group_by': ['id'], 'compute': {'k': ['count']}, 'limit': 3}]");
	requests_end();
}

TEST(a_page_of_groups_ends_before_its_limit_of_bytes)
{
	start();
	requests.limits.reply_bytes = 25 + 2 * 3 + EXEC_TAIL_BYTES;
	GIVES("{'columns': ['id', 'k'], 'rows': [[1, 1], [2, 1]], 'more': true}", "aggregate",
	      "['t', {'group_by': ['id'], 'compute': {'k': ['count']}}]");
	requests.limits.reply_bytes = 25 + 1 + EXEC_TAIL_BYTES;
	GIVES("limit limit=42", "aggregate", "['t', {'group_by': ['id'], 'compute': {'k': ['count']}}]");
	requests_end();
}

TEST(what_cannot_be_computed_is_refused)
{
	start();
	GIVES("bad_request", "aggregate", "['t']");
	GIVES("bad_request", "aggregate", "['t', {'compute': {}}]");
	GIVES("bad_request", "aggregate", "['t', {'compute': {'k': []}}]");
	GIVES("bad_request", "aggregate", "['t', {'compute': {'k': 'count'}}]");
	GIVES("bad_request", "aggregate", "['t', {'compute': {'k': ['nope', 'n']}}]");
	GIVES("bad_request", "aggregate", "['t', {'compute': {'k': ['sum']}}]");
	GIVES("bad_request", "aggregate", "['t', {'compute': {'k': ['sum', 5]}}]");
	GIVES("bad_request", "aggregate", "['t', {'compute': {'': ['count']}}]");
	GIVES("unknown_column nope", "aggregate", "['t', {'compute': {'k': ['sum', 'nope']}}]");
	GIVES("type_mismatch s", "aggregate", "['t', {'compute': {'k': ['sum', 's']}}]");
	GIVES("unsupported x", "aggregate", "['t', {'compute': {'k': ['max', 'x']}}]");
	GIVES("unsupported x", "aggregate", "['t', {'group_by': ['x'], 'compute': {'k': ['count']}}]");
	GIVES("bad_request", "aggregate", "['t', {'group_by': [], 'compute': {'k': ['count']}}]");
	GIVES("bad_request", "aggregate", "['t', {'group_by': ['s'], 'compute': {'s': ['count']}}]");
	GIVES("bad_request", "aggregate",
	      "['t', {'group_by': ['s'], 'compute': {'k': ['count']}, 'order': ['n']}]");
	GIVES("unknown_column nope", "aggregate",
	      "['t', {'group_by': ['s'], 'compute': {'k': ['count']}, 'order': ['nope']}]");
	GIVES("bad_request", "aggregate",
	      "['t', {'group_by': ['s'], 'compute': {'k': ['count']}, 'order': ['k', '-k']}]");
	requests_end();
}

/* ---- exec_request itself ---- */

TEST(a_failure_leaves_nothing_of_an_answer)
{
	start();
	requests.limits.reply_bytes = 23 + 1 + EXEC_TAIL_BYTES;
	GIVES("limit limit=40", "select", "['t', {'columns': ['id']}]");
	assert_int_equal(requests.x.out->len, 0);
	requests_end();
}

TEST(reads_and_writes_by_key_need_no_savepoint)
{
	struct request req = { .op = op_find("select", 6) };
	msgpack_object row = { .type = MSGPACK_OBJECT_MAP }, rows = { .type = MSGPACK_OBJECT_ARRAY };

	assert_true(exec_is_single_statement(&req));
	req = (struct request){ .op = op_find("insert", 6), .params = { NULL, &row } };
	assert_true(exec_is_single_statement(&req));
	req.params[1] = &rows;
	assert_false(exec_is_single_statement(&req));
	req = (struct request){ .op = op_find("delete", 6) };
	assert_true(exec_is_single_statement(&req));
	req.options[OPT_REQUEST_ID] = &row;
	assert_false(exec_is_single_statement(&req));
	req = (struct request){ .op = op_find("delete_where", 12) };
	assert_false(exec_is_single_statement(&req));
}

/* ---- a schema that changes under a request, on a database that plays a script ---- */

static struct db scripted;
static struct db_conn *scripted_conn;

static void start_script(void)
{
	static const struct value one = { .kind = VALUE_INT, .u.i = 1 };
	struct err e;

	requests_start();
	err_init(&e);
	script_reset();
	script_db(&scripted, 0);
	script.rows = &one;
	script.nrows = 1;
	assert_int_equal(db_conn_open(&scripted, DB_WRITER, &scripted_conn, &e), ROWD_OK);
	assert_int_equal(db_begin(scripted_conn, DB_TX_WRITE, &e), ROWD_OK);
	requests.x.conn = scripted_conn;
	script.log[0] = '\0';
}

static void end_script(void)
{
	db_conn_close(scripted_conn);
	db_fini(&scripted);
	requests_end();
}

TEST(a_read_that_no_longer_fits_the_schema_is_carried_out_again)
{
	start_script();
	script_fail("prepare", ROWD_E_SCHEMA_MISMATCH);
	assert_string_equal(asks_within("count", "['t1']"), "1");
	assert_string_equal(script.log, "prepare describe prepare exec step finish");
	end_script();
}

TEST(operators_are_counted_once_for_both_attempts)
{
	start_script();
	requests.limits.filter_operators = 2;
	script_fail("prepare", ROWD_E_SCHEMA_MISMATCH);
	assert_string_equal(asks_within("count", "['t1', ['and', ['exists', {'from': 't1'}]]]"), "1");
	end_script();
}

TEST(a_schema_that_does_not_come_to_rest_is_busy)
{
	start_script();
	script_fail("prepare", ROWD_E_SCHEMA_MISMATCH);
	script_fail("prepare", ROWD_E_SCHEMA_MISMATCH);
	assert_string_equal(asks_within("count", "['t1']"), "busy");
	end_script();
}

TEST(a_write_of_several_statements_is_not_carried_out_twice)
{
	start_script();
	script_fail("exec", ROWD_E_SCHEMA_MISMATCH);
	assert_string_equal(asks_within("delete_all", "['t1']"), "busy");
	assert_string_equal(script.log, "prepare exec finish release describe");
	end_script();
}
