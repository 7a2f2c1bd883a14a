/*
 * Reading what requests have in common, and going on behind a row.
 */
#include "config.h"

#include "daemon/plan/plan.h"

#include <stdio.h>
#include <unistd.h>

#include "tests/lib/requests.h"
#include "tests/unit/unit.h"

/* ---- a table of the test's own: a int null, b int null, id int ---- */

enum { A, B, ID, NCOLUMNS };

static struct column columns[NCOLUMNS] = {
	{ .name = "a", .type = { .kind = TYPE_INT }, .nullable = true, .position = A },
	{ .name = "b", .type = { .kind = TYPE_INT }, .nullable = true, .position = B },
	{ .name = "id", .type = { .kind = TYPE_INT }, .position = ID },
};

static const struct table with_key = {
	.name = "t",
	.columns = columns,
	.ncolumns = NCOLUMNS,
	.primary_key = { .columns = { &columns[ID] }, .ncolumns = 1, .unique = true },
};

static struct arena arena;
static struct err err;

/* An array of these strs, as an option has it. */
static const msgpack_object *names(const char *const *list, unsigned n)
{
	static msgpack_object elements[128], array;

	for (unsigned i = 0; i < n; i++) {
		elements[i].type = MSGPACK_OBJECT_STR;
		elements[i].via.str.ptr = list[i];
		elements[i].via.str.size = (uint32_t)strlen(list[i]);
	}
	array.type = MSGPACK_OBJECT_ARRAY;
	array.via.array.size = n;
	array.via.array.ptr = elements;
	return &array;
}

static enum rowd_code read_order(const struct table *t, const msgpack_object *o, struct plan_order *out)
{
	struct exec x = { .arena = &arena };

	err_init(&err);
	return plan_order(&x, t, o, out, &err);
}

/* ---- what `after` means, looked up in the rows themselves ---- */

/* Only what is true counts: there is no "not" in these conditions. */
static bool holds(const struct pred *p, const struct value *row)
{
	const struct value *left = p->column ? &row[p->column->position] : NULL, *right = &p->rhs[0].value;
	bool known = left && left->kind != VALUE_NULL;
	unsigned i;

	switch (p->op) {
	case PRED_AND:
		for (i = 0; i < p->nkids && holds(p->kids[i], row); i++)
			;
		return i == p->nkids;
	case PRED_OR:
		for (i = 0; i < p->nkids && !holds(p->kids[i], row); i++)
			;
		return i < p->nkids;
	case PRED_EQ:
		return known && value_compare(left, right) == 0;
	case PRED_LT:
		return known && value_compare(left, right) < 0;
	case PRED_LE:
		return known && value_compare(left, right) <= 0;
	case PRED_GT:
		return known && value_compare(left, right) > 0;
	case PRED_GE:
		return known && value_compare(left, right) >= 0;
	case PRED_IS_NULL:
		return !known;
	case PRED_NOT_NULL:
		return known;
	case PRED_IN:
		assert_int_equal(right->u.list->count, 0);
		return false;
	default:
		fail_msg("operator %d is not due here", (int)p->op);
	}
	return false;
}

static int compare_rows(const struct plan_order *o, const struct value *x, const struct value *y)
{
	for (unsigned i = 0; i < o->nterms; i++) {
		const struct order_term *t = &o->terms[i];
		const struct value *v = &x[t->column->position], *w = &y[t->column->position];
		int order;

		if (v->kind == VALUE_NULL || w->kind == VALUE_NULL)
			order = ((w->kind == VALUE_NULL) - (v->kind == VALUE_NULL)) *
				(t->nulls_last ? -1 : 1);
		else
			order = value_compare(v, w) * (t->descending ? -1 : 1);
		if (order)
			return order;
	}
	return 0;
}

enum { VALUES = 3, ROWS = VALUES * VALUES * 2 };

/* Every combination of null, 1, 2 in a and b, twice. */
static void make_rows(struct value rows[ROWS][NCOLUMNS])
{
	for (int i = 0; i < ROWS; i++) {
		int a = i % VALUES, b = i / VALUES % VALUES;

		rows[i][A] = a ? value_int(a) : value_null();
		rows[i][B] = b ? value_int(b) : value_null();
		rows[i][ID] = value_int(i);
	}
}

static void check_order(const char *const *terms, unsigned n)
{
	struct value rows[ROWS][NCOLUMNS], place[NCOLUMNS];
	struct plan_order o;

	make_rows(rows);
	assert_int_equal(read_order(&with_key, n ? names(terms, n) : NULL, &o), ROWD_OK);
	for (int i = 0; i < ROWS; i++) {
		const struct pred *behind;

		for (unsigned k = 0; k < o.nterms; k++)
			place[k] = rows[i][o.terms[k].column->position];
		behind = plan_after(&arena, &o, place);
		assert_non_null(behind);
		for (int j = 0; j < ROWS; j++)
			assert_int_equal(holds(behind, rows[j]), compare_rows(&o, rows[j], rows[i]) > 0);
	}
	arena_reset(&arena);
}

TEST(after_a_row_come_exactly_those_behind_it)
{
	static const char *const as[] = { "a", "-a", "a nulls last", "-a nulls first" };
	static const char *const bs[] = { "b", "-b", "b nulls last", "-b nulls first" };

	arena_init(&arena);
	check_order(NULL, 0);
	check_order((const char *const[]){ "-id" }, 1);
	for (int i = 0; i < 4; i++) {
		check_order(&as[i], 1);
		for (int j = 0; j < 4; j++) {
			check_order((const char *const[]){ as[i], bs[j] }, 2);
			check_order((const char *const[]){ bs[j], as[i], "-id" }, 3);
			check_order((const char *const[]){ as[i], "id", bs[j] }, 3);
		}
	}
	arena_fini(&arena);
}

TEST(behind_the_last_null_there_is_nothing)
{
	static const char *const term = "a nulls last";
	const struct value null = value_null();
	const struct pred *p;
	struct plan_order o;

	arena_init(&arena);
	assert_int_equal(read_order(&with_key, names(&term, 1), &o), ROWD_OK);
	o.nterms = 1; /* as of distinct rows of a */
	p = plan_after(&arena, &o, &null);
	assert_int_equal(p->op, PRED_IN);
	assert_int_equal(p->rhs[0].value.u.list->count, 0);
	arena_fini(&arena);
}

/* ---- orders ---- */

static struct plan_term term(const char *text)
{
	struct plan_term t;

	plan_read_term(&names(&text, 1)->via.array.ptr[0], &t);
	return t;
}

TEST(a_term_says_direction_and_place_of_nulls)
{
	struct plan_term t = term("a");

	assert_true(t.len == 1 && !t.descending && !t.nulls_last);
	t = term("-a");
	assert_true(t.len == 1 && *t.name == 'a' && t.descending && t.nulls_last);
	t = term("a nulls last");
	assert_true(t.len == 1 && !t.descending && t.nulls_last);
	t = term("-a nulls first");
	assert_true(t.len == 1 && t.descending && !t.nulls_last);
	t = term("--a nulls  last");
	assert_true(t.len == strlen("-a nulls  last") && t.descending);
	t = term("");
	assert_int_equal(t.len, 0);
}

TEST(the_primary_key_makes_an_order_total)
{
	static const char *const a[] = { "-a" }, *const id[] = { "-id" };
	struct plan_order o;

	arena_init(&arena);
	assert_int_equal(read_order(&with_key, NULL, &o), ROWD_OK);
	assert_true(o.nterms == 1 && o.ngiven == 0 && o.terms[0].column == &columns[ID] && !o.by_row_id);
	assert_int_equal(read_order(&with_key, names(a, 1), &o), ROWD_OK);
	assert_true(o.nterms == 2 && o.ngiven == 1 && o.terms[0].descending &&
		    o.terms[1].column == &columns[ID]);
	assert_int_equal(read_order(&with_key, names(id, 1), &o), ROWD_OK);
	assert_true(o.nterms == 1 && o.ngiven == 1 && o.terms[0].descending);
	arena_fini(&arena);
}

TEST(without_a_primary_key_the_row_number_or_every_column_does)
{
	struct table t = { .name = "t", .columns = columns, .ncolumns = NCOLUMNS, .row_id = "rowid" };
	struct plan_order o;

	arena_init(&arena);
	assert_int_equal(read_order(&t, NULL, &o), ROWD_OK);
	assert_true(o.nterms == 0 && o.by_row_id);
	t.row_id = NULL;
	assert_int_equal(read_order(&t, NULL, &o), ROWD_OK);
	assert_true(o.nterms == NCOLUMNS && !o.by_row_id);
	arena_fini(&arena);
}

TEST(a_primary_key_of_unbounded_text_is_an_order_all_the_same)
{
	static struct column text[] = {
		{ .name = "k", .type = { .kind = TYPE_TEXT }, .position = 0 },
		{ .name = "v", .type = { .kind = TYPE_TEXT }, .position = 1 },
	};
	static const char *const k = "-k", *const v = "v";
	const struct table t = { .name = "t",
				 .columns = text,
				 .ncolumns = 2,
				 .primary_key = { .columns = { &text[0] }, .ncolumns = 1 } };
	struct plan_order o;

	arena_init(&arena);
	assert_int_equal(read_order(&t, names(&k, 1), &o), ROWD_OK);
	assert_int_equal(read_order(&t, names(&v, 1), &o), ROWD_E_UNSUPPORTED);
	assert_string_equal(err.column, "v");
	arena_fini(&arena);
}

TEST(an_order_of_too_many_terms_is_refused)
{
	static const char *many[TABLE_MAX_COLUMNS + 1];
	struct plan_order o;

	arena_init(&arena);
	for (int i = 0; i <= TABLE_MAX_COLUMNS; i++)
		many[i] = "a";
	assert_int_equal(read_order(&with_key, names(many, TABLE_MAX_COLUMNS + 1), &o), ROWD_E_LIMIT);
	arena_fini(&arena);
}

/* ---- permissions ---- */

static void start(unsigned permissions)
{
	static const char *const open = "open";
	const struct policy_grant g = { .role = "clerk",
					.database = "main",
					.tables = &open,
					.ntables = 1,
					.permissions = permissions,
					.max_rows = -1 };
	struct policy *p = policy_new();
	const uid_t uid = 1000;

	requests_start();
	asks("create_table", "['open', {'columns': [{'name': 'id', 'type': 'int'}], 'primary_key': ['id']}]");
	asks("create_table", "['shut', {'columns': [{'name': 'id', 'type': 'int'}], 'primary_key': ['id']}]");
	requests_sql("INSERT INTO open VALUES (1), (2)");
	assert_int_equal(policy_add_role(p, "clerk", &uid, 1, NULL, 0, &err), ROWD_OK);
	assert_int_equal(policy_add_grant(p, &g, &err), ROWD_OK);
	requests.caller = (struct caller){ .uid = uid, .gid = uid, .pid = 1 };
	policy_resolve(p, &requests.caller);
}

static void end(void)
{
	policy_unref(requests.caller.policy);
	requests_end();
}

TEST(a_caller_learns_nothing_of_tables_that_are_not_his)
{
	start(1u << PERM_READ);
	GIVES("2", "count", "['open']");
	GIVES("2", "count", "['main.open']");
	GIVES("denied", "count", "['shut']");
	GIVES("denied", "count", "['no_such_table']");
	GIVES("denied", "count", "['open', ['in', 'id', {'select': 'id', 'from': 'shut'}]]");
	GIVES("2", "count", "['open', ['in', 'id', {'select': 'id', 'from': 'open'}]]");
	GIVES("unsupported", "count", "['other.open']");
	GIVES("unsupported", "count", "['.open']");
	end();
}

TEST(who_may_delete_but_not_read_gets_no_rows_back)
{
	start(1u << PERM_DELETE);
	GIVES("denied", "delete", "['open', 1, {'returning': 'rows'}]");
	GIVES("denied", "delete", "['open', 1, {'returning': ['id']}]");
	GIVES("{'deleted': 1}", "delete", "['open', 1]");
	end();
}

TEST(returning_names_the_key_or_columns)
{
	start(1u << PERM_DELETE | 1u << PERM_READ);
	GIVES("{'deleted': 1, 'columns': ['id'], 'rows': [[1]]}", "delete",
	      "['open', 1, {'returning': 'keys'}]");
	GIVES("bad_request", "delete", "['open', 2, {'returning': []}]");
	GIVES("unknown_column x", "delete", "['open', 2, {'returning': ['x']}]");
	GIVES("{'deleted': 1, 'columns': ['id'], 'rows': [[2]]}", "delete",
	      "['open', 2, {'returning': 'rows'}]");
	end();
}

TEST(operators_are_counted_across_the_filters_of_a_request)
{
	requests_start();
	asks("create_table", "['t', {'columns': [{'name': 'id', 'type': 'int'}], 'primary_key': ['id']}]");
	requests.limits.filter_operators = 3;
	GIVES("[0, 0]", "atomic", "[[['count', 't', {'id': 1}], ['count', 't', ['and', {'id': 1}]]]]");
	GIVES("limit limit=3", "atomic",
	      "[[['count', 't', ['and', {'id': 1}]], ['count', 't', ['and', {'id': 1}]]]]");
	requests_end();
}
