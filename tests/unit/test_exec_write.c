/*
 * insert, upsert, update and atomic, from their decoded form to the bytes of the answer, on SQLite.
 */
#include "config.h"

#include "daemon/exec/constraint.h"
#include "daemon/exec/insert.h"

#include <stdio.h>

#include "tests/lib/requests.h"
#include "tests/unit/unit.h"

static void make(const char *name, const char *rest)
{
	char params[1024];

	snprintf(params, sizeof params, "['%s', {%s}]", name, rest);
	GIVES("true", "create_table", params);
}

static const char *rows_of(const char *table)
{
	char params[64];

	snprintf(params, sizeof params, "['%s']", table);
	return strstr(asks("select", params), "'rows': ");
}

#define HOLDS(due, table) assert_string_equal(rows_of(table), "'rows': " due ", 'more': false}")

/* The last request failed there. */
static void failed_at(const char *table, int index)
{
	assert_string_equal(requests.err.table, table);
	assert_int_equal(requests.err.index, index);
}

static void start(void)
{
	requests_start();
	make("t", "'columns': [{'name': 'id', 'type': 'int'}, {'name': 'a', 'type': 'text(3)', 'null': false},"
		  "{'name': 'u', 'type': 'int'}], 'primary_key': ['id'], 'unique': [['u']]");
	GIVES("{'inserted': 1}", "insert", "['t', {'id': 1, 'a': 'x', 'u': 1}]");
}

static void start_generated(void)
{
	requests_start();
	make("g", "'columns': [{'name': 'id', 'type': 'int', 'auto': true}, {'name': 'a', 'type': 'int', 'default': 7},"
		  "{'name': 'b', 'type': 'int'}], 'primary_key': ['id']");
}

/* ---- insert ---- */

TEST(insert_is_all_or_nothing)
{
	start();
	GIVES("conflict id", "insert", "['t', [{'id': 2, 'a': 'y'}, {'id': 1, 'a': 'z'}]]");
	failed_at("t", 1);
	GIVES("conflict id", "insert", "['t', [{'id': 2, 'a': 'y'}, {'id': 2, 'a': 'z'}]]");
	failed_at("t", 1);
	GIVES("conflict u", "insert", "['t', [{'id': 2, 'a': 'y', 'u': 5}, {'id': 3, 'a': 'z', 'u': 5}]]");
	failed_at("t", 1);
	GIVES("null_not_allowed a", "insert", "['t', [{'id': 2, 'a': 'y'}, {'id': 3}]]");
	failed_at("t", 1);
	GIVES("too_long a", "insert", "['t', [{'id': 2, 'a': 'y'}, {'id': 3, 'a': 'long'}]]");
	failed_at("t", 1);
	GIVES("unknown_column b", "insert", "['t', [{'id': 2, 'a': 'y'}, {'id': 3, 'a': 'z', 'b': 1}]]");
	GIVES("null_not_allowed id", "insert", "['t', {'id': null, 'a': 'y'}]");
	failed_at("t", -1);
	GIVES("{'inserted': 0}", "insert", "['t', []]");
	HOLDS("[[1, 'x', 1]]", "t");
	requests_end();
}

TEST(insert_takes_rows_of_different_columns)
{
	start();
	GIVES("{'inserted': 5}", "insert", "['t', [{'a': 'p', 'id': 5}, {'id': 4, 'a': 'q', 'u': null},"
	      "{'u': 9, 'id': 3, 'a': 'r'}, {'id': 2, 'a': 's'}, {'id': 6, 'a': '', 'u': 2}]]");
	HOLDS("[[1, 'x', 1], [2, 's', null], [3, 'r', 9], [4, 'q', null], [5, 'p', null], [6, '', 2]]", "t");
	requests_end();
}

TEST(insert_gives_defaults_and_ids)
{
	start_generated();
	GIVES("{'inserted': 1, 'ids': [1]}", "insert", "['g', {}]");
	GIVES("{'inserted': 4, 'ids': [10, 11, 20, 21]}", "insert",
	      "['g', [{'id': 10, 'a': 1}, {'a': null}, {'b': 3, 'id': 20}, {'id': null}]]");
	GIVES("{'inserted': 2, 'ids': [0, -5]}", "insert", "['g', [{'id': 0}, {'id': -5}]]");
	HOLDS("[[-5, 7, null], [0, 7, null], [1, 7, null], [10, 1, null], [11, null, null], [20, 7, 3], [21, 7, null]]", "g");
	requests_end();
}

TEST(insert_tells_that_ids_ran_out)
{
	start_generated();
	GIVES("{'inserted': 1, 'ids': [9223372036854775807]}", "insert", "['g', {'id': 9223372036854775807}]");
	GIVES("out_of_range id", "insert", "['g', {'a': 1}]");
	GIVES("1", "count", "['g']");
	requests_end();
}

TEST(insert_returns_rows_in_their_order)
{
	start_generated();
	GIVES("{'inserted': 1, 'ids': [1], 'columns': ['id'], 'rows': [[1]]}", "insert", "['g', {}, {'returning': 'keys'}]");
	GIVES("{'inserted': 3, 'ids': [9, 10, 5], 'columns': ['b', 'id', 'a'], 'rows': [[1, 9, 7], [2, 10, 7], [3, 5, 0]]}",
	      "insert", "['g', [{'id': 9, 'b': 1}, {'b': 2}, {'id': 5, 'b': 3, 'a': 0}], {'returning': ['b', 'id', 'a']}]");
	requests.limits.reply_rows = 2;
	GIVES("limit limit=2", "insert", "['g', [{}, {}, {}], {'returning': 'rows'}]");
	GIVES("{'inserted': 3, 'ids': [11, 12, 13]}", "insert", "['g', [{}, {}, {}]]");
	requests_end();
}

TEST(insert_of_many_rows_finds_the_first_bad_one)
{
	char *params = calloc(1, 1 << 17);
	int n = 0;

	start();
	n = sprintf(params, "['t', [");
	for (int i = 2; i < 1000; i++)
		n += sprintf(params + n, "{'id': %d, 'a': 'm', 'u': %d},", i, i == 900 ? 850 : i == 901 ? 1 : i);
	sprintf(params + n, "{'id': 1, 'a': 'm'}]]");
	GIVES("conflict u", "insert", params);
	failed_at("t", 898);
	GIVES("1", "count", "['t']");
	strcpy(strstr(params, ",{'id': 900"), "]]");
	GIVES("{'inserted': 898}", "insert", params);
	GIVES("899", "count", "['t']");
	requests_end();
	free(params);
}

static void start_family(void)
{
	requests_start();
	make("p", "'columns': [{'name': 'id', 'type': 'int'}, {'name': 'b', 'type': 'text(3)'}, {'name': 'n', 'type': 'int'}],"
		  "'primary_key': ['id'], 'unique': [['b'], ['b', 'n']]");
	make("c", "'columns': [{'name': 'id', 'type': 'int'}, {'name': 'p', 'type': 'int'}, {'name': 'u', 'type': 'int'},"
		  "{'name': 'b', 'type': 'text(3)'}, {'name': 'n', 'type': 'int'}], 'primary_key': ['id'], 'unique': [['u']],"
		  "'foreign_keys': [{'columns': ['p'], 'table': 'p', 'references': ['id']},"
		  "{'columns': ['b', 'n'], 'table': 'p', 'references': ['b', 'n']}]");
	GIVES("{'inserted': 3}", "insert", "['p', [{'id': 1, 'b': 'x', 'n': 1}, {'id': 2, 'b': 'y', 'n': 2}, {'id': 3}]]");
	GIVES("{'inserted': 1}", "insert", "['c', {'id': 1, 'p': 1, 'u': 1}]");
}

TEST(which_error_comes_first_is_the_rows_order_then_the_keys)
{
	start_family();
	GIVES("conflict id", "insert", "['c', {'id': 1, 'p': 99, 'u': 1}]");
	GIVES("conflict u", "insert", "['c', {'id': 2, 'p': 99, 'u': 1}]");
	GIVES("foreign_key p", "insert", "['c', [{'id': 2, 'p': 99, 'u': 2}, {'id': 1, 'p': 1, 'u': 3}]]");
	failed_at("c", 0);
	GIVES("conflict id", "insert", "['c', [{'id': 1, 'p': 1, 'u': 3}, {'id': 2, 'p': 99, 'u': 2}]]");
	GIVES("foreign_key b", "insert", "['c', {'id': 2, 'p': 99, 'b': 'x', 'n': 2}]");
	GIVES("{'inserted': 2}", "insert", "['c', [{'id': 2, 'b': 'x', 'n': 1}, {'id': 3, 'b': 'zzz'}]]");
	requests_end();
}

TEST(rows_may_refer_to_those_before_them)
{
	requests_start();
	make("e", "'columns': [{'name': 'id', 'type': 'int'}, {'name': 'boss', 'type': 'int'}], 'primary_key': ['id'],"
		  "'foreign_keys': [{'columns': ['boss'], 'table': 'e', 'references': ['id']}]");
	GIVES("{'inserted': 3}", "insert", "['e', [{'id': 1}, {'id': 2, 'boss': 1}, {'id': 3, 'boss': 3}]]");
	GIVES("foreign_key boss", "insert", "['e', [{'id': 5, 'boss': 6}, {'id': 6}]]");
	failed_at("e", 0);
	requests_end();
}

/* ---- upsert ---- */

TEST(upsert_carries_out_rows_in_their_order)
{
	start();
	GIVES("{'inserted': 1, 'updated': 1}", "upsert", "['t', [{'id': 2, 'a': 'y', 'u': 5}, {'id': 2, 'a': 'z'}]]");
	GIVES("{'inserted': 1, 'updated': 2}", "upsert",
	      "['t', [{'id': 2, 'u': 6}, {'id': 3, 'a': 'q', 'u': 5}, {'id': 2, 'u': 7}]]");
	GIVES("{'inserted': 0, 'updated': 1}", "upsert", "['t', {'id': 1}]");
	HOLDS("[[1, 'x', 1], [2, 'z', 7], [3, 'q', 5]]", "t");
	GIVES("null_not_allowed a", "upsert", "['t', [{'id': 1, 'u': 30}, {'id': 4, 'u': 31}]]");
	failed_at("t", 1);
	GIVES("conflict u", "upsert", "['t', {'id': 4, 'a': 'w', 'u': 1}]");
	GIVES("conflict u", "upsert", "['t', [{'id': 4, 'a': 'w'}, {'id': 3, 'u': 1}]]");
	failed_at("t", 1);
	GIVES("null_not_allowed id", "upsert", "['t', {'a': 'w'}]");
	HOLDS("[[1, 'x', 1], [2, 'z', 7], [3, 'q', 5]]", "t");
	requests_end();
}

TEST(upsert_without_a_generated_key_inserts)
{
	start_generated();
	GIVES("{'inserted': 2, 'updated': 1, 'columns': ['id', 'b'], 'rows': [[1, 5], [2, null], [1, 5]]}", "upsert",
	      "['g', [{'a': 1}, {}, {'id': 1, 'b': 5}], {'returning': ['id', 'b']}]");
	HOLDS("[[1, 1, 5], [2, 7, null]]", "g");
	requests_end();
}

TEST(upsert_by_a_key_of_several_columns)
{
	requests_start();
	make("k", "'columns': [{'name': 'a', 'type': 'int'}, {'name': 'b', 'type': 'text(3)'}, {'name': 'n', 'type': 'int'}],"
		  "'primary_key': ['b', 'a']");
	GIVES("{'inserted': 2, 'updated': 0}", "upsert", "['k', [{'a': 1, 'b': 'x', 'n': 5}, {'a': 1, 'b': 'y'}]]");
	GIVES("{'inserted': 1, 'updated': 2}", "upsert",
	      "['k', [{'b': 'x', 'a': 1, 'n': 6}, {'a': 2, 'b': 'x', 'n': 7}, {'b': 'y', 'a': 1, 'n': 8}]]");
	HOLDS("[[1, 'x', 6], [2, 'x', 7], [1, 'y', 8]]", "k");
	requests_end();
}

/* ---- update ---- */

TEST(update_changes_one_row)
{
	start();
	GIVES("{'updated': 1}", "update", "['t', 1, {'a': 'y', 'u': null}]");
	GIVES("{'updated': 0}", "update", "['t', 9, {'a': 'y'}]");
	GIVES("{'updated': 1}", "update", "['t', 1, {'a': 'y'}]");
	GIVES("bad_request", "update", "['t', 1, {}]");
	GIVES("bad_request id", "update", "['t', 1, {'id': 2}]");
	GIVES("unknown_column z", "update", "['t', 1, {'z': 2}]");
	GIVES("null_not_allowed a", "update", "['t', 1, {'a': null}]");
	GIVES("type_mismatch u", "update", "['t', 1, {'u': ['+', '1', 2]}]");
	GIVES("bad_request u", "update", "['t', 1, {'u': ['/', 4, 2]}]");
	GIVES("type_mismatch u", "update", "['t', 1, {'u': ['+', ['col', 'a'], 2]}]");
	GIVES("out_of_range u", "update", "['t', 9, {'u': ['+', 9223372036854775807, 1]}]");
	HOLDS("[[1, 'y', null]]", "t");
	requests_end();
}

static void start_numbers(void)
{
	requests_start();
	make("n", "'columns': [{'name': 'id', 'type': 'int'}, {'name': 'i', 'type': 'int'}, {'name': 'm', 'type': 'int', 'null': false},"
		  "{'name': 'd', 'type': 'decimal(5,2)'}, {'name': 'e', 'type': 'decimal(3,1)'}], 'primary_key': ['id']");
	GIVES("{'inserted': 2}", "insert", "['n', [{'id': 1, 'i': 5, 'm': 2, 'd': '1.50', 'e': '0.5'}, {'id': 2, 'm': 3, 'd': '-10.00'}]]");
}

TEST(arithmetic_reads_the_old_row)
{
	start_numbers();
	GIVES("{'updated': 1}", "update", "['n', 1, {'i': ['+', ['col', 'm'], 0], 'm': ['+', ['col', 'i'], 0]}]");
	GIVES("{'updated': 2}", "update_all", "['n', {'i': ['*', ['col', 'i'], -3], 'd': ['*', ['col', 'd'], '1.5']}]");
	HOLDS("[[1, -6, 5, '2.25', '0.5'], [2, null, 3, '-15.00', null]]", "n");
	GIVES("{'updated': 2}", "update_all", "['n', {'d': ['*', ['col', 'm'], 2], 'e': ['-', ['col', 'e'], '0.1']}]");
	GIVES("{'updated': 2}", "update_all", "['n', {'i': ['-', 7, 9]}]");
	HOLDS("[[1, -2, 5, '10.00', '0.4'], [2, -2, 3, '6.00', null]]", "n");
	requests_end();
}

TEST(arithmetic_that_does_not_fit_is_refused)
{
	start_numbers();
	GIVES("out_of_range d", "update_all", "['n', {'d': ['*', ['col', 'd'], '0.001']}]");
	GIVES("out_of_range d", "update", "['n', 1, {'d': ['+', ['col', 'd'], '999.00']}]");
	GIVES("null_not_allowed m", "update_all", "['n', {'m': ['+', ['col', 'i'], 1]}]");
	GIVES("out_of_range i", "update_all", "['n', {'m': ['+', ['col', 'i'], 1], 'i': ['*', ['col', 'm'], 9223372036854775807]}]");
	GIVES("type_mismatch d", "update", "['n', 1, {'d': ['+', ['col', 'e'], '1']}]");
	GIVES("null_not_allowed i", "update", "['n', 1, {'i': ['+', ['col', 'i'], null]}]");
	HOLDS("[[1, 5, 2, '1.50', '0.5'], [2, null, 3, '-10.00', null]]", "n");
	requests_end();
}

TEST(update_where_takes_the_first_and_returns_them)
{
	start_numbers();
	GIVES("{'matched': 2}", "update_where", "['n', ['not_null', 'id'], {'m': 0}, {'dry_run': true}]");
	GIVES("{'updated': 1}", "update_where", "['n', ['not_null', 'id'], {'m': 7}, {'limit': 1, 'order': ['-id']}]");
	GIVES("bad_request", "update_where", "['n', {'id': 1}, {'m': 7}, {'order': ['id']}]");
	GIVES("too_many_rows limit=1", "update_where", "['n', ['not_null', 'id'], {'m': 7}, {'max_rows': 1}]");
	assert_int_equal(requests.err.matched, 2);
	GIVES("{'updated': 2, 'columns': ['m', 'id'], 'rows': [[3, 1], [8, 2]]}", "update_where",
	      "['n', ['not_null', 'id'], {'m': ['+', ['col', 'm'], 1]}, {'returning': ['m', 'id']}]");
	GIVES("{'updated': 0, 'columns': ['id'], 'rows': []}", "update_where", "['n', {'id': 9}, {'m': 1}, {'returning': 'keys'}]");
	requests.x.max_rows = 1;
	GIVES("too_many_rows limit=1", "update_all", "['n', {'m': 7}]");
	GIVES("{'updated': 1}", "update", "['n', 1, {'m': 7}]");
	requests.x.max_rows = 0;
	GIVES("too_many_rows limit=0", "update", "['n', 1, {'m': 7}]");
	requests_end();
}

TEST(unique_keys_hold_under_updates)
{
	start();
	GIVES("{'inserted': 2}", "insert", "['t', [{'id': 2, 'a': 'y', 'u': 2}, {'id': 3, 'a': 'z'}]]");
	GIVES("conflict u", "update", "['t', 1, {'u': 2}]");
	GIVES("conflict u", "update", "['t', 1, {'u': ['+', ['col', 'u'], 1]}]");
	GIVES("conflict u", "update_all", "['t', {'u': 9}]");
	GIVES("conflict u", "update_where", "['t', ['in', 'id', [1, 3]], {'u': 2}]");
	GIVES("conflict u", "update_where", "['t', ['in', 'id', [1, 3]], {'u': 2}, {'limit': 1}]");
	GIVES("unsupported u", "update_all", "['t', {'u': ['+', ['col', 'u'], 1]}]");
	GIVES("{'updated': 1}", "update_where", "['t', ['in', 'id', [2, 9]], {'u': 2}]");
	GIVES("{'updated': 3}", "update_all", "['t', {'u': null}]");
	requests_end();
}

TEST(foreign_keys_hold_under_updates)
{
	start_family();
	GIVES("{'inserted': 1}", "insert", "['c', {'id': 2, 'b': 'x', 'n': 1}]");
	GIVES("foreign_key p", "update", "['c', 1, {'p': 99}]");
	failed_at("c", -1);
	GIVES("foreign_key b", "update_all", "['c', {'n': 2}]");
	GIVES("{'updated': 1}", "update_where", "['c', {'id': 1}, {'n': 2}]");
	GIVES("conflict u", "update_all", "['c', {'p': 99, 'u': 5}]");
	GIVES("foreign_key b", "update", "['p', 1, {'b': 'new'}]");
	failed_at("c", -1);
	GIVES("foreign_key b", "update_all", "['p', {'n': 5}]");
	GIVES("{'updated': 1}", "update", "['p', 1, {'b': 'x'}]");
	GIVES("{'updated': 1}", "update", "['p', 2, {'b': 'new'}]");
	requests_end();
}

/* ---- atomic ---- */

TEST(atomic_carries_out_all_or_nothing)
{
	start();
	GIVES("[{'inserted': 1}, 2, {'updated': 1}, {'id': 2, 'a': 'z', 'u': null}, {'deleted': 1}]", "atomic",
	      "[[['insert', 't', {'id': 2, 'a': 'y'}], ['count', 't'], ['update', 't', 2, {'a': 'z'}], ['get', 't', 2],"
	      "['delete', 't', 1]]]");
	GIVES("conflict id", "atomic", "[[['insert', 't', {'id': 1, 'a': 'y'}], ['insert', 't', [{'id': 2, 'a': 'y'}]]]]");
	failed_at("t", 1);
	HOLDS("[[2, 'z', null]]", "t");
	requests_end();
}

TEST(atomic_takes_operations_on_data_only)
{
	start();
	GIVES("bad_request", "atomic", "[[]]");
	GIVES("bad_request", "atomic", "[[['count', 't'], 5]]");
	failed_at("", 1);
	GIVES("tx_open", "atomic", "[[['drop_table', 't']]]");
	GIVES("bad_request", "atomic", "[[['count', 'other.t']]]");
	GIVES("[1]", "atomic", "[[['count', 'main.t']]]");
	GIVES("bad_request", "atomic", "[[['ping']]]");
	GIVES("bad_request", "atomic", "[[['atomic', []]]]");
	GIVES("bad_request", "atomic", "[[['select', 't', {'stream': true}]]]");
	GIVES("bad_request", "atomic", "[[['delete', 't', 1, {'request_id': 'x'}]]]");
	GIVES("unknown_method", "atomic", "[[['nope']]]");
	failed_at("", 0);
	requests_end();
}
