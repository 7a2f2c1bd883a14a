/*
 * Filters from the wire against a catalog: what is read, what is refused and as what.
 */
#include "config.h"

#include "daemon/plan/filter.h"

#include <stdio.h>

#include "daemon/plan/pred.h"
#include "daemon/sql/sql.h"
#include "tests/lib/pack.h"
#include "tests/lib/sample.h"
#include "tests/unit/unit.h"

static struct sample sample;
static struct limits limits;
static struct err err;
static struct filter_context ctx;

static void start(void)
{
	sample_open(&sample);
	limits = *sample.x.limits;
	ctx = (struct filter_context){ .catalog = sample.catalog, .limits = &limits, .arena = sample.x.arena };
}

static void end(void)
{
	sample_close(&sample);
}

static enum rowd_code read_object(const msgpack_object *o, const struct pred **out)
{
	*out = NULL;
	err_init(&err);
	ctx.operators = 0;
	return filter_read(&ctx, sample.people, o, out, &err);
}

static const struct pred *reads(const char *text)
{
	const struct pred *p;

	if (read_object(pack(sample.x.arena, text), &p))
		fail_msg("%s: %s", text, err.text);
	assert_non_null(p);
	return p;
}

struct refusal {
	enum rowd_code code;
	const char *filter;
};

static void all_are_refused(const struct refusal *r, size_t n)
{
	const struct pred *p;
	enum rowd_code rc;

	for (size_t i = 0; i < n; i++) {
		rc = read_object(pack(sample.x.arena, r[i].filter), &p);
		if (rc != r[i].code)
			fail_msg("%s: code %d is due, %d came (%s)", r[i].filter, r[i].code, rc, err.text);
		assert_int_equal(err.code, rc);
		assert_true(err.text[0]);
	}
}

#define ALL_ARE_REFUSED(list) all_are_refused(list, sizeof(list) / sizeof *(list))

/* ---- what is read ---- */

TEST(every_operator_is_known)
{
	static const struct {
		const char *filter;
		enum pred_op op;
	} ops[] = {
		{ "[\"=\", \"age\", 1]", PRED_EQ }, { "[\"!=\", \"age\", 1]", PRED_NE },
		{ "[\"<\", \"age\", 1]", PRED_LT }, { "[\"<=\", \"age\", 1]", PRED_LE },
		{ "[\">\", \"age\", 1]", PRED_GT }, { "[\">=\", \"age\", 1]", PRED_GE },
		{ "[\"is\", \"age\", 1]", PRED_IS }, { "[\"is_not\", \"age\", 1]", PRED_IS_NOT },
		{ "[\"is\", \"age\", null]", PRED_IS_NULL }, { "[\"is_not\", \"age\", null]", PRED_NOT_NULL },
		{ "[\"is_null\", \"age\"]", PRED_IS_NULL }, { "[\"not_null\", \"age\"]", PRED_NOT_NULL },
		{ "[\"in\", \"age\", [1]]", PRED_IN }, { "[\"not_in\", \"age\", []]", PRED_NOT_IN },
		{ "[\"exists\", {\"from\": \"pets\"}]", PRED_EXISTS },
		{ "[\"not_exists\", {\"from\": \"pets\"}]", PRED_NOT_EXISTS },
		{ "[\"between\", \"age\", 1, 2]", PRED_BETWEEN }, { "[\"like\", \"name\", \"a\"]", PRED_LIKE },
		{ "[\"prefix\", \"name\", \"a\"]", PRED_PREFIX }, { "[\"suffix\", \"name\", \"a\"]", PRED_SUFFIX },
		{ "[\"contains\", \"name\", \"a\"]", PRED_CONTAINS }, { "[\"and\", {\"age\": 1}]", PRED_AND },
		{ "[\"or\", {\"age\": 1}]", PRED_OR }, { "[\"not\", {\"age\": 1}]", PRED_NOT },
		{ "{\"age\": 1}", PRED_EQ }, { "{\"age\": null}", PRED_IS_NULL }, { "{\"age\": 1, \"low\": 2}", PRED_AND },
	};

	start();
	for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
		assert_int_equal(reads(ops[i].filter)->op, ops[i].op);
	end();
}

TEST(values_are_of_their_columns_types)
{
	const struct pred *p;

	start();
	p = reads("[\"between\", \"price\", \"1\", \"2.50\"]");
	assert_ptr_equal(p->column, sample_column(sample.people, "price"));
	assert_int_equal(p->rhs[0].value.kind, VALUE_DECIMAL);
	assert_int_equal(p->rhs[0].value.u.i, 100);
	assert_int_equal(p->rhs[1].value.u.i, 250);
	p = reads("[\"=\", \"at\", \"1970-01-01T00:00:01Z\"]");
	assert_int_equal(p->rhs[0].value.kind, VALUE_TIME);
	assert_int_equal(p->rhs[0].value.u.i, 1000000);
	p = reads("[\"=\", \"score\", 2]");
	assert_int_equal(p->rhs[0].value.kind, VALUE_FLOAT);
	p = reads("[\"=\", \"name\", \"longer than the twenty characters it may have\"]");
	assert_int_equal(p->rhs[0].value.kind, VALUE_TEXT);
	end();
}

TEST(a_list_is_sorted_and_has_each_value_once)
{
	const struct value_list *list;

	start();
	list = reads("[\"in\", \"age\", [3, 1, 2, 3, 1, -9223372036854775808]]")->rhs[0].value.u.list;
	assert_int_equal(list->count, 4);
	assert_true(list->values[0].u.i == INT64_MIN);
	assert_int_equal(list->values[3].u.i, 3);
	assert_int_equal(reads("[\"in\", \"price\", [\"1\", \"1.0\", \"1.00\"]]")->rhs[0].value.u.list->count, 1);
	assert_int_equal(reads("[\"not_in\", \"age\", []]")->rhs[0].value.u.list->count, 0);
	end();
}

TEST(columns_stand_on_the_right_of_columns)
{
	const struct pred *p;

	start();
	p = reads("[\"=\", \"age\", [\"col\", \"low\"]]");
	assert_int_equal(p->rhs[0].kind, OPERAND_COLUMN);
	assert_ptr_equal(p->rhs[0].column, sample_column(sample.people, "low"));
	p = reads("[\"exists\", {\"from\": \"pets\", \"where\": [\"=\", \"owner\", [\"outer\", \"id\"]]}]");
	assert_ptr_equal(p->sel->table, sample.pets);
	assert_null(p->sel->column);
	assert_int_equal(p->sel->where->rhs[0].kind, OPERAND_OUTER);
	assert_ptr_equal(p->sel->where->rhs[0].column, sample_column(sample.people, "id"));
	p = reads("[\"in\", \"id\", {\"select\": \"owner\", \"from\": \"pets\"}]");
	assert_null(p->sel->where);
	assert_ptr_equal(p->sel->column, sample_column(sample.pets, "owner"));
	end();
}

/* The text after all that begin with it, or "" for none. */
static void after_prefix_is(const char *text, const char *due)
{
	const struct pred *p;
	char filter[64];

	snprintf(filter, sizeof filter, "[\"prefix\", \"name\", \"%s\"]", text);
	p = reads(filter);
	if (!due[0]) {
		assert_int_equal(p->rhs[1].value.kind, VALUE_NULL);
		return;
	}
	assert_int_equal(p->rhs[1].value.kind, VALUE_TEXT);
	assert_int_equal(p->rhs[1].value.u.s.len, strlen(due));
	assert_memory_equal(p->rhs[1].value.u.s.data, due, strlen(due));
}

TEST(a_prefix_ends_at_the_next_character)
{
	const struct pred *p;

	start();
	after_prefix_is("a", "b");
	after_prefix_is("az", "a{");
	after_prefix_is("a\x7f", "a\xc2\x80");                         /* 1 byte to 2 */
	after_prefix_is("\xdf\xbf", "\xe0\xa0\x80");                   /* 2 to 3 */
	after_prefix_is("\xed\x9f\xbf", "\xee\x80\x80");               /* over the surrogates */
	after_prefix_is("\xef\xbf\xbf", "\xf0\x90\x80\x80");           /* 3 to 4 */
	after_prefix_is("a\xf4\x8f\xbf\xbf", "b");                     /* the last one is dropped */
	after_prefix_is("\xf4\x8f\xbf\xbf", "");
	after_prefix_is("", "");
	p = reads("[\"prefix\", \"data\", x'61ffff']");
	assert_int_equal(p->rhs[1].value.u.s.len, 1);
	assert_int_equal(p->rhs[1].value.u.s.data[0], 'b');
	assert_int_equal(reads("[\"prefix\", \"data\", x'ffff']")->rhs[1].value.kind, VALUE_NULL);
	end();
}

/* ---- what is refused ---- */

TEST(a_filter_that_says_nothing_is_refused)
{
	static const struct refusal list[] = {
		{ ROWD_E_EMPTY_FILTER, "null" }, { ROWD_E_EMPTY_FILTER, "{}" }, { ROWD_E_EMPTY_FILTER, "[]" },
		{ ROWD_E_EMPTY_FILTER, "[\"and\"]" }, { ROWD_E_EMPTY_FILTER, "[\"or\"]" },
		{ ROWD_E_EMPTY_FILTER, "[\"not\", {}]" }, { ROWD_E_EMPTY_FILTER, "[\"not\", null]" },
		{ ROWD_E_EMPTY_FILTER, "[\"and\", {\"age\": 1}, []]" },
		{ ROWD_E_EMPTY_FILTER, "[\"or\", {\"age\": 1}, [\"and\"]]" },
		{ ROWD_E_EMPTY_FILTER, "[\"exists\", {\"from\": \"pets\", \"where\": {}}]" },
		{ ROWD_E_EMPTY_FILTER, "[\"exists\", {\"from\": \"pets\", \"where\": null}]" },
		{ ROWD_E_EMPTY_FILTER, "[\"in\", \"id\", {\"select\": \"owner\", \"from\": \"pets\", \"where\": [\"or\"]}]" },
	};

	start();
	ALL_ARE_REFUSED(list);
	end();
}

TEST(what_is_no_filter_is_refused)
{
	static const struct refusal list[] = {
		{ ROWD_E_BAD_REQUEST, "1" }, { ROWD_E_BAD_REQUEST, "\"age\"" }, { ROWD_E_BAD_REQUEST, "true" },
		{ ROWD_E_BAD_REQUEST, "[\"AND\", {\"age\": 1}]" }, { ROWD_E_BAD_REQUEST, "[1, 2]" },
		{ ROWD_E_BAD_REQUEST, "[[\"=\", \"age\", 1]]" }, { ROWD_E_BAD_REQUEST, "[\"=\"]" },
		{ ROWD_E_BAD_REQUEST, "[\"=\", \"age\"]" }, { ROWD_E_BAD_REQUEST, "[\"=\", \"age\", 1, 2]" },
		{ ROWD_E_BAD_REQUEST, "[\"=\", 1, 1]" }, { ROWD_E_BAD_REQUEST, "[\"=\", [\"col\", \"age\"], 1]" },
		{ ROWD_E_BAD_REQUEST, "[\"is_null\"]" }, { ROWD_E_BAD_REQUEST, "[\"is_null\", \"age\", 1]" },
		{ ROWD_E_BAD_REQUEST, "[\"between\", \"age\", 1]" }, { ROWD_E_BAD_REQUEST, "[\"not\", {\"age\": 1}, {\"age\": 2}]" },
		{ ROWD_E_BAD_REQUEST, "[\"in\", \"age\", 5]" }, { ROWD_E_BAD_REQUEST, "[\"in\", \"age\", [1], [2]]" },
		{ ROWD_E_BAD_REQUEST, "[\"exists\"]" }, { ROWD_E_BAD_REQUEST, "[\"exists\", []]" },
		{ ROWD_E_BAD_REQUEST, "[\"exists\", {\"from\": \"pets\", \"select\": \"owner\"}]" },
		{ ROWD_E_BAD_REQUEST, "[\"in\", \"id\", {\"from\": \"pets\"}]" },
		{ ROWD_E_BAD_REQUEST, "[\"in\", \"id\", {\"select\": \"owner\", \"from\": 5}]" },
		{ ROWD_E_BAD_REQUEST, "[\"in\", \"id\", {\"select\": \"owner\", \"from\": \"pets\", \"limit\": 1}]" },
		{ ROWD_E_BAD_REQUEST, "[\"=\", \"age\", [\"col\"]]" }, { ROWD_E_BAD_REQUEST, "[\"=\", \"age\", [\"val\", 5]]" },
		{ ROWD_E_BAD_REQUEST, "[\"=\", \"age\", []]" }, { ROWD_E_BAD_REQUEST, "[\"=\", \"age\", [\"outer\", \"id\"]]" },
		{ ROWD_E_BAD_REQUEST, "[\"like\", \"name\", \"a\\\\b\"]" }, { ROWD_E_BAD_REQUEST, "[\"like\", \"name\", \"a\\\\\"]" },
		{ ROWD_E_BAD_REQUEST, "{\"age\": [1, 2]}" },
	};

	start();
	ALL_ARE_REFUSED(list);
	end();
}

TEST(what_is_not_there_is_named)
{
	static const struct refusal list[] = {
		{ ROWD_E_UNKNOWN_COLUMN, "{\"nope\": 1}" }, { ROWD_E_UNKNOWN_COLUMN, "[\"=\", \"nope\", 1]" },
		{ ROWD_E_UNKNOWN_COLUMN, "[\"=\", \"age\", [\"col\", \"nope\"]]" },
		{ ROWD_E_UNKNOWN_COLUMN, "[\"in\", \"id\", {\"select\": \"nope\", \"from\": \"pets\"}]" },
		{ ROWD_E_UNKNOWN_COLUMN, "[\"exists\", {\"from\": \"pets\", \"where\": [\"=\", \"no\", [\"outer\", \"nope\"]]}]" },
	};
	const struct pred *p;

	start();
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		all_are_refused(&list[i], 1);
		assert_string_equal(err.column, "nope");
	}
	/* the name of a column of the level around is none here */
	assert_int_equal(read_object(pack(sample.x.arena, "[\"exists\", {\"from\": \"pets\", \"where\": {\"name\": \"x\"}}]"), &p),
			 ROWD_E_UNKNOWN_COLUMN);
	assert_string_equal(err.table, "pets");
	assert_int_equal(read_object(pack(sample.x.arena, "[\"exists\", {\"from\": \"_rowd_columns\"}]"), &p),
			 ROWD_E_UNKNOWN_TABLE);
	assert_int_equal(read_object(pack(sample.x.arena, "[\"exists\", {\"from\": \"nope\"}]"), &p), ROWD_E_UNKNOWN_TABLE);
	assert_string_equal(err.table, "nope");
	end();
}

TEST(nothing_is_converted)
{
	static const struct refusal list[] = {
		{ ROWD_E_TYPE_MISMATCH, "{\"age\": \"5\"}" }, { ROWD_E_TYPE_MISMATCH, "{\"age\": 5.0}" },
		{ ROWD_E_TYPE_MISMATCH, "{\"age\": true}" }, { ROWD_E_TYPE_MISMATCH, "{\"name\": 5}" },
		{ ROWD_E_TYPE_MISMATCH, "{\"name\": x'61'}" }, { ROWD_E_TYPE_MISMATCH, "{\"data\": \"a\"}" },
		{ ROWD_E_TYPE_MISMATCH, "{\"ok\": 1}" }, { ROWD_E_TYPE_MISMATCH, "{\"price\": 1}" },
		{ ROWD_E_TYPE_MISMATCH, "{\"at\": 5}" }, { ROWD_E_OUT_OF_RANGE, "{\"age\": 9223372036854775808}" },
		{ ROWD_E_OUT_OF_RANGE, "{\"price\": \"1.234\"}" }, { ROWD_E_INVALID_TEXT, "{\"name\": \"\xff\"}" },
		{ ROWD_E_INVALID_TEXT, "{\"name\": \"a\\0b\"}" }, { ROWD_E_TYPE_MISMATCH, "[\"in\", \"age\", [1, \"2\"]]" },
		{ ROWD_E_TYPE_MISMATCH, "[\"like\", \"age\", \"5%\"]" }, { ROWD_E_TYPE_MISMATCH, "[\"like\", \"data\", x'61']" },
		{ ROWD_E_TYPE_MISMATCH, "[\"prefix\", \"age\", 5]" },
		{ ROWD_E_TYPE_MISMATCH, "[\"=\", \"age\", [\"col\", \"name\"]]" },
		{ ROWD_E_TYPE_MISMATCH, "[\"=\", \"age\", [\"col\", \"score\"]]" },
		{ ROWD_E_TYPE_MISMATCH, "[\"=\", \"price\", [\"col\", \"cost\"]]" },    /* of another scale */
		{ ROWD_E_TYPE_MISMATCH, "[\"in\", \"id\", {\"select\": \"kind\", \"from\": \"pets\"}]" },
	};

	start();
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		all_are_refused(&list[i], 1);
		assert_string_equal(err.table, "people");
		assert_true(err.column[0]);
	}
	end();
}

TEST(null_stands_where_it_is_meant_only)
{
	static const struct refusal list[] = {
		{ ROWD_E_NULL_NOT_ALLOWED, "[\"=\", \"age\", null]" }, { ROWD_E_NULL_NOT_ALLOWED, "[\"!=\", \"age\", null]" },
		{ ROWD_E_NULL_NOT_ALLOWED, "[\"<\", \"age\", null]" }, { ROWD_E_NULL_NOT_ALLOWED, "[\"in\", \"age\", [1, null]]" },
		{ ROWD_E_NULL_NOT_ALLOWED, "[\"in\", \"age\", null]" }, { ROWD_E_NULL_NOT_ALLOWED, "[\"between\", \"age\", 1, null]" },
		{ ROWD_E_NULL_NOT_ALLOWED, "[\"like\", \"name\", null]" }, { ROWD_E_NULL_NOT_ALLOWED, "[\"prefix\", \"name\", null]" },
	};

	start();
	ALL_ARE_REFUSED(list);
	end();
}

/* ---- limits ---- */

static const msgpack_object *many(unsigned n)
{
	struct buf b;
	const msgpack_object *o;

	buf_init(&b, 1 << 20);
	buf_add_str(&b, "[\"or\"");
	for (unsigned i = 0; i < n; i++)
		buf_addf(&b, ", [\"=\", \"age\", %u]", i);
	buf_add_str(&b, "]");
	buf_add_char(&b, '\0');
	o = pack(sample.x.arena, b.data);
	buf_fini(&b);
	return o;
}

TEST(operators_are_counted)
{
	const struct pred *p;

	start();
	assert_int_equal(read_object(many(999), &p), ROWD_OK);
	assert_int_equal(ctx.operators, 1000);
	assert_int_equal(read_object(many(1000), &p), ROWD_E_LIMIT);
	assert_int_equal(err.limit, 1000);
	/* across the filters of a request */
	err_init(&err);
	ctx.operators = 999;
	assert_int_equal(filter_read(&ctx, sample.people, pack(sample.x.arena, "{\"age\": 1, \"low\": 2}"), &p, &err),
			 ROWD_E_LIMIT);
	end();
}

static const msgpack_object *nested(unsigned n)
{
	struct buf b;
	const msgpack_object *o;

	buf_init(&b, 1 << 16);
	for (unsigned i = 0; i < n; i++)
		buf_add_str(&b, "[\"not\", ");
	buf_add_str(&b, "[\"=\", \"age\", 1]");
	for (unsigned i = 0; i < n; i++)
		buf_add_str(&b, "]");
	buf_add_char(&b, '\0');
	o = pack(sample.x.arena, b.data);
	buf_fini(&b);
	return o;
}

TEST(depth_is_limited)
{
	const struct pred *p;

	start();
	assert_int_equal(read_object(nested(15), &p), ROWD_OK);
	assert_int_equal(read_object(nested(16), &p), ROWD_E_LIMIT);
	assert_int_equal(err.limit, 16);
	end();
}

TEST(long_values_are_limited)
{
	static const struct refusal list[] = {
		{ ROWD_E_LIMIT, "{\"nick\": \"abcde\"}" }, { ROWD_E_LIMIT, "{\"blob\": x'0001020304'}" },
	};

	start();
	limits.value_bytes = 4;
	ALL_ARE_REFUSED(list);
	end();
}

/* ---- permission ---- */

static enum rowd_code deny_pets(void *arg, const struct table *t, struct err *e)
{
	++*(unsigned *)arg;
	return strcmp(t->name, "pets") == 0 ? err_set(e, ROWD_E_DENIED, "no") : ROWD_OK;
}

TEST(a_selection_reads_only_what_the_caller_may_read)
{
	const struct pred *p;
	unsigned asked = 0;

	start();
	ctx.may_read = deny_pets;
	ctx.may_read_arg = &asked;
	assert_int_equal(read_object(pack(sample.x.arena, "{\"age\": 1}"), &p), ROWD_OK);
	assert_int_equal(asked, 0);
	assert_int_equal(read_object(pack(sample.x.arena, "[\"exists\", {\"from\": \"people\"}]"), &p), ROWD_OK);
	assert_int_equal(asked, 1);
	assert_int_equal(read_object(pack(sample.x.arena, "[\"not\", [\"exists\", {\"from\": \"people\", \"where\": "
					  "[\"in\", \"id\", {\"select\": \"owner\", \"from\": \"pets\"}]}]]"), &p), ROWD_E_DENIED);
	end();
}

/* ---- filters of rowd's own ---- */

static bool renders(const struct pred *where)
{
	struct select_stmt q = { .table = sample.people, .count = true, .limit = -1, .where = where };

	sql_select(sample.x.sql, &dialect_sqlite, &q);
	return !sample.x.sql->failed;
}

TEST(a_filter_there_was_no_memory_for_cannot_be_rendered)
{
	start();
	/* never "every row" */
	assert_false(renders(filter_key_equals(sample.x.arena, sample.keyless, NULL)));
	assert_false(renders(filter_and(sample.x.arena, reads("{\"age\": 1}"),
					filter_key_equals(sample.x.arena, sample.keyless, NULL))));
	assert_true(renders(reads("{\"age\": 1}")));
	assert_int_equal(sql_check(sample.x.sql, &err), ROWD_OK);
	end();
}

TEST(filters_are_joined)
{
	const struct value key[] = { value_int(1), value_int(2) };
	const struct pred *p, *q;

	start();
	assert_null(filter_and(sample.x.arena, NULL, NULL));
	p = reads("{\"age\": 1}");
	assert_ptr_equal(filter_and(sample.x.arena, p, NULL), p);
	assert_ptr_equal(filter_and(sample.x.arena, NULL, p), p);
	q = filter_and(sample.x.arena, p, reads("{\"low\": 1}"));
	assert_int_equal(q->op, PRED_AND);
	assert_int_equal(q->nkids, 2);
	q = filter_key_equals(sample.x.arena, sample.pets, key);
	assert_int_equal(q->op, PRED_AND);
	assert_ptr_equal(q->kids[1]->column, sample_column(sample.pets, "no"));
	end();
}

TEST(conditions_of_keys_mind_null)
{
	struct value values[] = { value_int(3), value_int(1), value_int(3) };
	const struct column *columns[2];
	const struct value pair[] = { value_null(), value_int(5) };
	const struct pred *p;

	start();
	columns[0] = sample_column(sample.people, "age");
	columns[1] = sample_column(sample.people, "low");
	p = pred_equals(sample.x.arena, columns, pair, 2);
	assert_int_equal(p->kids[0]->op, PRED_IS_NULL);
	assert_int_equal(p->kids[1]->op, PRED_EQ);
	p = pred_in_list(sample.x.arena, columns[0], values, 3);
	assert_int_equal(p->rhs[0].value.u.list->count, 2);
	assert_int_equal(p->rhs[0].value.u.list->values[0].u.i, 1);
	assert_null(pred_join(sample.x.arena, PRED_AND, (const struct pred *[]){ p, NULL }, 2));
	end();
}

/* ---- deep and wide filters on SQLite, whose parser has a stack of 100 places ---- */

static void runs(const struct pred *p)
{
	struct select_stmt q = { .table = sample.people, .count = true, .limit = -1, .where = p };
	struct value count;

	err_init(&err);
	sql_select(sample.x.sql, &dialect_sqlite, &q);
	assert_int_equal(sql_check(sample.x.sql, &err), ROWD_OK);
	if (db_query_one(sample.x.conn, sample.x.sql, &count, &err))
		fail_msg("%s\n%.2000s", err.text, sample.x.sql->text.data);
}

static const char *const wraps[][2] = {
	{ "[\"not\", ", "]" },
	{ "[\"and\", ", ", {\"low\": 1}]" },
	{ "[\"and\", {\"low\": 1}, ", "]" },
	{ "[\"or\", {\"low\": 1}, ", ", {\"age\": 2}]" },
	{ "[\"not\", [\"or\", {\"low\": 1}, ", "]]" },
	{ "[\"exists\", {\"from\": \"people\", \"where\": ", "}]" },
	{ "[\"or\", {\"low\": 1}, [\"in\", \"id\", {\"select\": \"id\", \"from\": \"people\", \"where\": ", "}]]" },
	{ "[\"and\", {\"low\": 1}, [\"not_exists\", {\"from\": \"people\", \"where\": [\"or\", [\"not\", ", "], {\"id\": 1}]}]]" },
};

static bool wrapped(unsigned which, unsigned depth, bool alternate)
{
	size_t n = sizeof wraps / sizeof *wraps;
	const struct pred *p;
	struct buf b;
	enum rowd_code rc;

	buf_init(&b, 1 << 20);
	for (unsigned i = 0; i < depth; i++)
		buf_add_str(&b, wraps[alternate ? (which + i) % n : which][0]);
	buf_add_str(&b, "[\"suffix\", \"name\", [\"col\", \"nick\"]]");
	for (unsigned i = depth; i-- > 0;)
		buf_add_str(&b, wraps[alternate ? (which + i) % n : which][1]);
	buf_add_char(&b, '\0');
	rc = read_object(pack(sample.x.arena, b.data), &p);
	buf_fini(&b);
	if (rc == ROWD_OK)
		runs(p);
	return rc == ROWD_OK;
}

TEST(every_filter_within_the_limits_runs_on_sqlite)
{
	start();
	for (unsigned which = 0; which < sizeof wraps / sizeof *wraps; which++)
		for (int alternate = 0; alternate < 2; alternate++)
			for (unsigned depth = 1; wrapped(which, depth, alternate); depth++)
				;
	end();
}

TEST(the_widest_filter_runs_on_sqlite)
{
	const struct pred *p;

	start();
	assert_int_equal(read_object(many(999), &p), ROWD_OK);
	runs(p);
	end();
}
