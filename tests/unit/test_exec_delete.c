/*
 * delete, delete_where, delete_all, from their decoded form to the bytes of the answer, on SQLite.
 */
#include "config.h"

#include "daemon/exec/cascade.h"

#include <stdio.h>

#include "tests/lib/requests.h"
#include "tests/unit/unit.h"

static void make(const char *name, const char *rest)
{
	char params[1024];

	snprintf(params, sizeof params, "['%s', {'columns': [{'name': 'id', 'type': 'int'}, %s}]", name, rest);
	GIVES("true", "create_table", params);
}

/* A table `name` whose column p refers to the key of parent. */
static void make_child(const char *name, const char *parent, const char *on_delete)
{
	char rest[512];

	snprintf(rest, sizeof rest,
		 "{'name': 'p', 'type': 'int'}], 'primary_key': ['id'], 'foreign_keys': [{'columns': ['p'], 'table': '%s',"
		 "'references': ['id'], 'on_delete': '%s'}]",
		 parent, on_delete);
	make(name, rest);
}

static void start(void)
{
	requests_start();
	make("t", "{'name': 's', 'type': 'text(5)'}, {'name': 'n', 'type': 'int'}], 'primary_key': ['id']");
	requests_sql("INSERT INTO t VALUES (1, 'a', 5), (2, 'b', NULL), (3, 'a', 3), (4, NULL, 5), (5, 'c', 1), (6, 'a', 4)");
}

/* parent <- child (cascade) <- grandchild (cascade) */
static void start_family(void)
{
	requests_start();
	make("p", "{'name': 's', 'type': 'text(5)'}], 'primary_key': ['id']");
	make_child("c", "p", "cascade");
	make_child("g", "c", "cascade");
	requests_sql("INSERT INTO p VALUES (1, 'a'), (2, 'a'), (3, 'b')");
	requests_sql("INSERT INTO c VALUES (10, 1), (11, 1), (12, 2), (13, NULL)");
	requests_sql("INSERT INTO g VALUES (100, 10), (101, 10), (102, 12), (103, 13)");
}

TEST(delete_takes_one_row_by_key)
{
	start();
	GIVES("{'deleted': 1}", "delete", "['t', 3]");
	GIVES("{'deleted': 0}", "delete", "['t', 3]");
	GIVES("{'deleted': 1, 'columns': ['id', 's', 'n'], 'rows': [[1, 'a', 5]]}", "delete", "['t', 1, {'returning': 'rows'}]");
	GIVES("{'deleted': 0, 'columns': ['n'], 'rows': []}", "delete", "['t', 1, {'returning': ['n']}]");
	GIVES("unknown_column x", "delete", "['t', 2, {'returning': ['x']}]");
	GIVES("null_not_allowed id", "delete", "['t', null]");
	GIVES("unknown_table", "delete", "['nope', 1]");
	GIVES("4", "count", "['t']");
	requests_end();
}

TEST(delete_where_without_predicate_touches_no_row)
{
	start();
	GIVES("empty_filter", "delete_where", "['t', {}]");
	GIVES("empty_filter", "delete_where", "['t', ['and']]");
	GIVES("bad_request", "delete_where", "['t', {'id': 1}, {'order': ['id']}]");
	GIVES("{'deleted': 0}", "delete_where", "['t', ['in', 'id', []]]");
	GIVES("6", "count", "['t']");
	requests_end();
}

TEST(limit_takes_the_first_by_order_then_key)
{
	start();
	GIVES("{'deleted': 2, 'columns': ['id'], 'rows': [[1], [4]]}", "delete_where",
	      "['t', ['not_null', 'id'], {'limit': 2, 'order': ['-n'], 'returning': 'keys'}]");
	GIVES("{'matched': 2}", "delete_where", "['t', ['not_null', 'id'], {'limit': 2, 'dry_run': true}]");
	GIVES("{'deleted': 1}", "delete_where", "['t', ['not_null', 'id'], {'limit': 1, 'order': ['n']}]");
	GIVES("{'deleted': 0}", "delete_where", "['t', {'s': 'a'}, {'limit': 0}]");
	GIVES("{'columns': ['id'], 'rows': [[3], [5], [6]], 'more': false}", "select", "['t', {'columns': ['id']}]");
	requests_end();
}

TEST(max_rows_guards)
{
	start();
	GIVES("too_many_rows limit=2", "delete_where", "['t', {'s': 'a'}, {'max_rows': 2}]");
	assert_int_equal(requests.err.matched, 3);
	GIVES("too_many_rows limit=5", "delete_all", "['t', {'max_rows': 5}]");
	requests.x.max_rows = 2;
	GIVES("too_many_rows limit=2", "delete_where", "['t', {'s': 'a'}, {'max_rows': 9}]");
	GIVES("{'deleted': 1}", "delete", "['t', 1]");
	GIVES("{'deleted': 2}", "delete_where", "['t', {'s': 'a'}, {'max_rows': 2}]");
	requests.x.max_rows = 0;
	GIVES("too_many_rows limit=0", "delete", "['t', 2]");
	GIVES("{'deleted': 0}", "delete", "['t', 99]");
	GIVES("3", "count", "['t']");
	requests_end();
}

TEST(returning_past_the_limit_deletes_nothing)
{
	start();
	requests.limits.reply_rows = 2;
	GIVES("limit limit=2", "delete_where", "['t', {'s': 'a'}, {'returning': 'keys'}]");
	GIVES("3", "count", "['t', {'s': 'a'}]");
	GIVES("{'deleted': 2, 'columns': ['id'], 'rows': [[1], [3]]}", "delete_where",
	      "['t', {'s': 'a'}, {'returning': 'keys', 'limit': 2}]");
	requests_end();
}

TEST(delete_by_keys_of_several_columns_comes_in_order)
{
	char due[8192] = "{'deleted': 600, 'columns': ['b', 'id'], 'rows': [";

	requests_start();
	make("k", "{'name': 'b', 'type': 'text(3)'}], 'primary_key': ['b', 'id']");
	requests_sql("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 599)"
		     "INSERT INTO k SELECT 599 - i, char(97 + i % 2) FROM n");
	for (int i = 0; i < 600; i++)
		sprintf(due + strlen(due), "%s['%c', %d]", i ? ", " : "", i < 300 ? 'a' : 'b', i < 300 ? 2 * i + 1 : 2 * (i - 300));
	strcat(due, "]}");
	GIVES(due, "delete_where", "['k', ['not_null', 'id'], {'returning': 'keys'}]");
	GIVES("0", "count", "['k']");
	requests_end();
}

/* ---- children ---- */

TEST(cascaded_counts_the_rows_of_child_tables)
{
	start_family();
	GIVES("{'matched': 1, 'cascaded': {'c': 2, 'g': 2}}", "delete_where", "['p', {'id': 1}, {'dry_run': true, 'cascaded': true}]");
	GIVES("{'matched': 3, 'cascaded': {'c': 3, 'g': 3}}", "delete_all", "['p', {'dry_run': true, 'cascaded': true}]");
	GIVES("{'matched': 1, 'cascaded': {'c': 1, 'g': 1}}", "delete_where",
	      "['p', ['not_null', 'id'], {'dry_run': true, 'cascaded': true, 'limit': 1, 'order': ['s', '-id']}]");
	GIVES("{'deleted': 1, 'cascaded': {'c': 2, 'g': 2}}", "delete", "['p', 1, {'cascaded': true}]");
	GIVES("{'deleted': 1, 'columns': ['id'], 'rows': [[2]], 'cascaded': {'c': 1, 'g': 1}}", "delete_where",
	      "['p', {'s': 'a'}, {'cascaded': true, 'returning': 'keys'}]");
	GIVES("{'deleted': 1, 'cascaded': {}}", "delete_all", "['p', {'cascaded': true}]");
	GIVES("{'columns': ['id'], 'rows': [[13]], 'more': false}", "select", "['c', {'columns': ['id']}]");
	requests_end();
}

TEST(a_row_that_goes_in_several_ways_counts_once)
{
	requests_start();
	make("p", "{'name': 's', 'type': 'text(5)'}], 'primary_key': ['id']");
	make_child("a", "p", "cascade");
	make_child("b", "p", "set_null");
	make("z", "{'name': 'a', 'type': 'int'}, {'name': 'p', 'type': 'int'}], 'primary_key': ['id'], 'foreign_keys': ["
		  "{'columns': ['a'], 'table': 'a', 'references': ['id'], 'on_delete': 'cascade'},"
		  "{'columns': ['p'], 'table': 'p', 'references': ['id'], 'on_delete': 'cascade'}]");
	requests_sql("INSERT INTO p VALUES (1, 'x'), (2, 'y')");
	requests_sql("INSERT INTO a VALUES (1, 1), (2, 1), (3, 2)");
	requests_sql("INSERT INTO b VALUES (1, 1), (2, 2), (3, NULL)");
	requests_sql("INSERT INTO z VALUES (1, 1, 1), (2, 2, NULL), (3, NULL, 1), (4, 3, 2), (5, 3, 1)");
	GIVES("{'matched': 1, 'cascaded': {'a': 2, 'b': 1, 'z': 4}}", "delete_where", "['p', {'id': 1}, {'cascaded': true, 'dry_run': true}]");
	GIVES("{'deleted': 1, 'cascaded': {'a': 2, 'b': 1, 'z': 4}}", "delete", "['p', 1, {'cascaded': true}]");
	GIVES("1", "count", "['z']");
	GIVES("2", "count", "['b', {'p': null}]");
	requests_end();
}

TEST(the_first_child_by_name_is_told)
{
	start_family();
	make_child("zz", "p", "restrict");
	make_child("bb", "g", "restrict");
	requests_sql("INSERT INTO zz VALUES (1, 1), (2, 3)");
	requests_sql("INSERT INTO bb VALUES (1, 100)");
	GIVES("foreign_key p", "delete", "['p', 1]");
	assert_string_equal(requests.err.table, "bb");
	GIVES("foreign_key p", "delete_all", "['p']");
	assert_string_equal(requests.err.table, "bb");
	GIVES("foreign_key p", "delete_where", "['p', {'id': 3}, {'limit': 5, 'returning': 'rows'}]");
	assert_string_equal(requests.err.table, "zz");
	GIVES("foreign_key p", "delete_where", "['p', ['not_null', 's'], {'limit': 1, 'order': ['-id']}]");
	assert_string_equal(requests.err.table, "zz");
	GIVES("{'deleted': 1}", "delete", "['p', 2]");
	requests_end();
}

TEST(rows_that_refer_to_each_other_restrict_whatever_the_order)
{
	requests_start();
	make_child("e", "e", "restrict");
	requests_sql("INSERT INTO e VALUES (1, NULL), (5, NULL), (2, 5), (7, 7)");
	GIVES("foreign_key p", "delete_all", "['e']");
	GIVES("foreign_key p", "delete_where", "['e', ['in', 'id', [2, 5]]]");
	GIVES("foreign_key p", "delete", "['e', 7]");
	GIVES("{'deleted': 1}", "delete", "['e', 2]");
	GIVES("{'deleted': 1}", "delete", "['e', 5]");
	GIVES("{'updated': 1}", "update", "['e', 7, {'p': null}]");
	GIVES("{'deleted': 2}", "delete_all", "['e']");
	requests_end();
}

TEST(chains_of_fifteen_are_counted)
{
	char name[16] = "c00", parent[16], params[64], due[512] = "{'deleted': 1, 'cascaded': {";

	requests_start();
	make(name, "{'name': 's', 'type': 'text(5)'}], 'primary_key': ['id']");
	requests_sql("INSERT INTO c00 VALUES (1, 'x'), (2, 'y')");
	for (int i = 1; i < 15; i++) {
		strcpy(parent, name);
		snprintf(name, sizeof name, "c%02d", i);
		make_child(name, parent, "cascade");
		snprintf(params, sizeof params, "INSERT INTO %s VALUES (1, 1), (2, 2)", name);
		requests_sql(params);
		sprintf(due + strlen(due), "%s'%s': 1", i > 1 ? ", " : "", name);
	}
	strcat(due, "}}");
	GIVES(due, "delete_where", "['c00', ['in', 'id', {'select': 'id', 'from': 'c00', 'where': ['in', 'id', "
	      "{'select': 'id', 'from': 'c00', 'where': {'s': 'x'}}]}], {'cascaded': true}]");
	GIVES("1", "count", "['c14']");
	requests_end();
}

TEST(circles_delete_but_are_not_counted)
{
	requests_start();
	requests_sql("CREATE TABLE r (id INTEGER PRIMARY KEY, p INTEGER REFERENCES r (id) ON DELETE CASCADE)");
	requests_sql("INSERT INTO r VALUES (1, NULL), (2, 1), (3, 2), (4, NULL)");
	GIVES("unsupported", "delete", "['r', 1, {'cascaded': true}]");
	GIVES("{'deleted': 1}", "delete", "['r', 1]");
	GIVES("1", "count", "['r']");
	requests_end();
}

/* ---- previews ---- */

static char token[64];

/* Take a preview; it ends with the token, which is kept. */
static void previews(const char *due, const char *params)
{
	const char *answer = asks("preview_delete", params), *at = strstr(answer, "'token': '");

	assert_non_null(at);
	assert_int_equal(strlen(at), strlen("'token': ''}") + 32);
	memcpy(token, at + strlen("'token': '"), 32);
	assert_int_equal(strncmp(answer, due, strlen(due)), 0);
}

static const char *deletes_with_token(const char *where)
{
	char params[256];

	snprintf(params, sizeof params, "['p', %s, {'token': '%s'}]", where, token);
	return asks("delete_where", params);
}

TEST(a_preview_tells_what_would_go_and_changes_nothing)
{
	start_family();
	make_child("r", "c", "restrict");
	make_child("q", "p", "restrict");
	requests_sql("INSERT INTO r VALUES (1, 10), (2, 11)");
	requests_sql("INSERT INTO q VALUES (1, 1), (2, 3)");
	previews("{'matched': 1, 'cascades': {'c': 2, 'g': 2}, 'blocked_by': ['q', 'r'], 'index': ['id'], 'full_scan': false, ",
		 "['p', {'id': 1}]");
	previews("{'matched': 1, 'cascades': {'c': 1, 'g': 1}, 'blocked_by': [], 'index': ['id'], 'full_scan': false, ",
		 "['p', {'s': 'a', 'id': 2}]");
	previews("{'matched': 2, 'cascades': {'c': 3, 'g': 3}, 'blocked_by': ['q', 'r'], 'index': null, 'full_scan': true, ",
		 "['p', {'s': 'a'}]");
	GIVES("3", "count", "['p']");
	GIVES("empty_filter", "preview_delete", "['p', {}]");
	GIVES("unknown_column x", "preview_delete", "['p', {'x': 1}]");
	requests_end();
}

TEST(a_token_is_for_what_was_shown)
{
	start_family();
	previews("{'matched': 2, ", "['p', {'s': 'a'}]");
	assert_string_equal(deletes_with_token("{'s': 'b'}"), "preview_stale");
	requests_sql("UPDATE g SET p = 11 WHERE id = 101");
	requests_sql("INSERT INTO g VALUES (104, 12)");
	assert_string_equal(deletes_with_token("{'s': 'a'}"), "preview_stale");
	assert_string_equal(requests.err.table, "p");
	requests_sql("DELETE FROM g WHERE id = 104");
	requests_sql("UPDATE p SET s = 'a' WHERE id = 3");
	assert_string_equal(deletes_with_token("{'s': 'a'}"), "preview_stale");
	requests_sql("UPDATE p SET s = 'c' WHERE id = 3");
	GIVES("3", "count", "['p']");
	assert_string_equal(deletes_with_token("['in', 'id', [1, 2]]"), "{'deleted': 2}");
	assert_string_equal(deletes_with_token("{'s': 'a'}"), "preview_stale");
	GIVES("preview_stale", "delete_where", "['p', {'s': 'c'}, {'token': ''}]");
	GIVES("bad_request", "delete_where", "['p', {'s': 'c'}, {'token': '', 'limit': 1}]");
	requests_end();
}

/* ---- tables of others ---- */

TEST(tables_without_a_primary_key_are_deleted_from)
{
	requests_start();
	requests_sql("CREATE TABLE keyless (a INTEGER, b TEXT)");
	requests_sql("INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (2, 'y'), (3, 'z')");
	GIVES("{'deleted': 2}", "delete_where", "['keyless', {'a': 1}]");
	GIVES("unsupported", "delete", "['keyless', 1]");
	GIVES("unsupported", "delete_where", "['keyless', {'a': 2}, {'returning': 'keys'}]");
	GIVES("{'deleted': 1}", "delete_where", "['keyless', ['not_null', 'a'], {'limit': 1, 'order': ['-a']}]");
	GIVES("{'columns': ['a', 'b'], 'rows': [[2, 'y']], 'more': false}", "select", "['keyless']");
	requests_end();
}
