/*
 * Statements as each dialect has them (tests/golden), and that SQLite runs its own.
 */
#include "config.h"

#include <stdio.h>

#include "daemon/exec/exec_schema.h"
#include "daemon/plan/pred.h"
#include "daemon/plan/schema.h"
#include "tests/lib/golden.h"
#include "tests/lib/pack.h"
#include "tests/lib/sample.h"
#include "tests/unit/unit.h"

static struct sample sample;
static struct err err;

#define OK(call) do { err_init(&err); if ((call) != ROWD_OK) fail_msg("%s: %s", #call, err.text); } while (0)

static const struct pred *filter(const struct table *t, const char *text)
{
	struct filter_context ctx = { .catalog = sample.catalog, .limits = sample.x.limits, .arena = sample.x.arena };
	const struct pred *p = NULL;

	err_init(&err);
	if (filter_read(&ctx, t, pack(sample.x.arena, text), &p, &err))
		fail_msg("%s: %s", text, err.text);
	return p;
}

static const struct column *col(const char *name)
{
	return sample_column(sample.people, name);
}

/* ---- statements as structures ---- */

typedef void render_fn(struct sql *s, const struct dialect *d);

struct statement {
	const char *name;
	render_fn *render;
};

static struct select_stmt select_of(const struct table *t)
{
	return (struct select_stmt){ .table = t, .limit = -1 };
}

static void select_columns(struct sql *s, const struct dialect *d)
{
	const struct column *columns[] = { col("id"), col("name"), col("price"), col("at") };
	struct select_stmt q = select_of(sample.people);

	q.columns = columns;
	q.ncolumns = 4;
	sql_select(s, d, &q);
}

static void select_by_key(struct sql *s, const struct dialect *d)
{
	const struct value key[] = { value_int(1), value_int(2) };
	const struct column *columns[] = { sample_column(sample.pets, "kind") };
	struct select_stmt q = select_of(sample.pets);

	q.columns = columns;
	q.ncolumns = 1;
	q.where = filter_key_equals(sample.x.arena, sample.pets, key);
	sql_select(s, d, &q);
}

static void select_page(struct sql *s, const struct dialect *d, bool descending, bool nulls_last, int64_t limit,
			int64_t offset)
{
	const struct column *columns[] = { col("id") };
	const struct order_term order[] = {
		{ .column = col("age"), .descending = descending, .nulls_last = nulls_last },
		{ .column = col("id") },
	};
	struct select_stmt q = select_of(sample.people);

	q.columns = columns;
	q.ncolumns = 1;
	q.order = order;
	q.norder = 2;
	q.limit = limit;
	q.offset = offset;
	sql_select(s, d, &q);
}

static void select_ordered(struct sql *s, const struct dialect *d)
{
	select_page(s, d, false, false, 10, 0);
}

static void select_nulls_last(struct sql *s, const struct dialect *d)
{
	select_page(s, d, false, true, 10, 20);
}

static void select_descending(struct sql *s, const struct dialect *d)
{
	select_page(s, d, true, true, -1, 5);
}

static void select_nulls_first(struct sql *s, const struct dialect *d)
{
	select_page(s, d, true, false, -1, 0);
}

static void select_distinct(struct sql *s, const struct dialect *d)
{
	const struct column *columns[] = { col("age"), col("ok") };
	const struct order_term order[] = {
		{ .column = col("age"), .nulls_last = true },
		{ .column = col("ok"), .nulls_last = true },   /* never null: nothing to say */
	};
	struct select_stmt q = select_of(sample.people);

	q.columns = columns;
	q.ncolumns = 2;
	q.order = order;
	q.norder = 2;
	q.distinct = true;
	q.limit = 3;
	sql_select(s, d, &q);
}

static void select_for_update(struct sql *s, const struct dialect *d)
{
	const struct column *columns[] = { col("id") };
	struct select_stmt q = select_of(sample.people);

	q.columns = columns;
	q.ncolumns = 1;
	q.where = filter(sample.people, "{\"id\": 5}");
	q.limit = 1;
	q.for_update = true;
	sql_select(s, d, &q);
}

static void select_row_ids(struct sql *s, const struct dialect *d)
{
	struct select_stmt q = select_of(sample.keyless);

	q.order_by_row_id = true;
	q.limit = 2;
	sql_select(s, d, &q);
}

static void select_keyless(struct sql *s, const struct dialect *d)
{
	const struct column *columns[] = { sample_column(sample.keyless, "b") };
	const struct order_term order[] = { { .column = sample_column(sample.keyless, "a") } };
	struct select_stmt q = select_of(sample.keyless);

	q.columns = columns;
	q.ncolumns = 1;
	q.order = order;
	q.norder = 1;
	q.order_by_row_id = true;
	sql_select(s, d, &q);
}

static void select_one(struct sql *s, const struct dialect *d)
{
	struct select_stmt q = select_of(sample.people);

	q.one = true;
	q.limit = 1;
	q.where = filter(sample.people, "{\"age\": 5}");
	sql_select(s, d, &q);
}

static void select_count(struct sql *s, const struct dialect *d)
{
	struct select_stmt q = select_of(sample.people);

	q.count = true;
	sql_select(s, d, &q);
}

static void select_count_to_a_limit(struct sql *s, const struct dialect *d)
{
	struct select_stmt q = select_of(sample.people);

	q.count = true;
	q.limit = 101;
	q.where = filter(sample.people, "[\">\", \"age\", 5]");
	sql_select(s, d, &q);
}

static void select_aggregates(struct sql *s, const struct dialect *d)
{
	const struct aggregate_term terms[] = {
		{ AGG_COUNT_ROWS, NULL }, { AGG_COUNT, col("age") }, { AGG_COUNT_DISTINCT, col("name") },
		{ AGG_SUM, col("age") }, { AGG_SUM, col("price") }, { AGG_MIN, col("at") }, { AGG_MAX, col("name") },
		{ AGG_AVG, col("age") }, { AGG_AVG, col("cost") },
	};
	struct select_stmt q = select_of(sample.people);

	q.aggregates = terms;
	q.naggregates = sizeof terms / sizeof *terms;
	sql_select(s, d, &q);
}

static void select_groups(struct sql *s, const struct dialect *d)
{
	const struct column *columns[] = { col("ok"), col("age") };
	const struct aggregate_term terms[] = { { AGG_COUNT_ROWS, NULL } };
	const struct order_term order[] = { { .column = col("ok") }, { .column = col("age") } };
	struct select_stmt q = select_of(sample.people);

	q.columns = columns;
	q.ncolumns = 2;
	q.grouped = true;
	q.aggregates = terms;
	q.naggregates = 1;
	q.where = filter(sample.people, "[\"not_null\", \"age\"]");
	q.order = order;
	q.norder = 2;
	q.limit = 7;
	sql_select(s, d, &q);
}

/* n ints, from 0 on */
static const struct pred *in_list(const char *column, size_t n)
{
	struct value *values = arena_alloc(sample.x.arena, n * sizeof *values);
	size_t i;

	assert_non_null(values);
	for (i = 0; i < n; i++)
		values[i] = value_int((int64_t)i);
	return pred_in_list(sample.x.arena, col(column), values, n);
}

static void select_long_lists(struct sql *s, const struct dialect *d)
{
	const struct pred *kids[] = { in_list("age", 1001), filter(sample.people, "{\"ok\": true}"), in_list("low", 5000) };
	struct select_stmt q = select_of(sample.people);

	q.count = true;
	q.where = pred_join(sample.x.arena, PRED_AND, kids, 3);
	sql_select(s, d, &q);
}

static const struct statement selects[] = {
	{ "some columns", select_columns },
	{ "by key", select_by_key },
	{ "in an order, some rows", select_ordered },
	{ "ascending, null last, an offset", select_nulls_last },
	{ "descending, an offset without a limit", select_descending },
	{ "descending, null first", select_nulls_first },
	{ "distinct", select_distinct },
	{ "for update", select_for_update },
	{ "keys of a table without a primary key", select_row_ids },
	{ "rows of a table without a primary key", select_keyless },
	{ "is there one?", select_one },
	{ "count", select_count },
	{ "count, and stop at a limit", select_count_to_a_limit },
	{ "aggregates", select_aggregates },
	{ "aggregates of groups", select_groups },
	{ "long lists", select_long_lists },
};

/* ---- writes ---- */

static void insert_rows(struct sql *s, const struct dialect *d)
{
	const struct column *columns[] = { col("name"), col("price"), col("at"), col("data"), col("score") };
	const struct value values[] = {
		value_text("a", 1), { .kind = VALUE_DECIMAL, .scale = 2, .u.i = 1250 }, { .kind = VALUE_TIME, .u.i = 1 },
		value_bytes("\0'", 2), { .kind = VALUE_FLOAT, .u.f = 0.1 },
		value_null(), value_null(), value_null(), value_null(), value_null(),
	};

	sql_insert(s, d, sample.people, columns, 5, values, 2);
}

static void insert_defaults(struct sql *s, const struct dialect *d)
{
	sql_insert(s, d, sample.people, NULL, 0, NULL, 1);
}

static struct operand of_value(struct value v)
{
	return (struct operand){ .kind = OPERAND_VALUE, .value = v };
}

static struct operand of_column(const char *name)
{
	return (struct operand){ .kind = OPERAND_COLUMN, .column = col(name) };
}

static struct operand of_decimal(int64_t i, uint8_t scale)
{
	return of_value((struct value){ .kind = VALUE_DECIMAL, .scale = scale, .u.i = i });
}

static void update_values(struct sql *s, const struct dialect *d)
{
	const struct set_term sets[] = {
		{ .column = col("name"), .x = of_value(value_text("new", 3)) },
		{ .column = col("age"), .x = of_value(value_null()) },
		{ .column = col("price"), .x = of_decimal(100, 2) },
	};

	sql_update(s, d, sample.people, sets, 3, filter(sample.people, "{\"id\": 1}"), NULL);
}

static void update_all(struct sql *s, const struct dialect *d)
{
	const struct set_term sets[] = { { .column = col("age"), .op = SET_ADD, .x = of_column("age"),
					   .y = of_value(value_int(1)) } };

	sql_update(s, d, sample.people, sets, 1, NULL, NULL);
}

static void update_arithmetic(struct sql *s, const struct dialect *d)
{
	const struct set_term sets[] = {
		{ .column = col("age"), .op = SET_SUBTRACT, .x = of_value(value_int(1)), .y = of_column("age") },
		{ .column = col("low"), .op = SET_MULTIPLY, .x = of_column("low"), .y = of_column("low") },
		{ .column = col("price"), .op = SET_ADD, .x = of_column("price"), .y = of_decimal(-5, 2) },
	};

	sql_update(s, d, sample.people, sets, 3, NULL, NULL);
}

static void update_product(struct sql *s, const struct dialect *d)
{
	const struct set_term sets[] = { { .column = col("price"), .op = SET_MULTIPLY, .x = of_column("price"),
					   .y = of_decimal(105, 2) } };

	sql_update(s, d, sample.people, sets, 1, NULL, NULL);
}

static void update_product_of_ints(struct sql *s, const struct dialect *d)
{
	const struct set_term sets[] = { { .column = col("cost"), .op = SET_MULTIPLY, .x = of_value(value_int(3)),
					   .y = of_value(value_int(2)) } };

	sql_update(s, d, sample.people, sets, 1, NULL, NULL);
}

static void update_swap(struct sql *s, const struct dialect *d)
{
	const struct set_term sets[] = {
		{ .column = col("age"), .x = of_column("low") },
		{ .column = col("low"), .x = of_column("age") },
	};

	sql_update(s, d, sample.people, sets, 2, filter(sample.people, "[\">\", \"age\", 5]"), NULL);
}

static struct select_stmt first_keys(const struct order_term *order, const struct column *const *columns)
{
	struct select_stmt q = select_of(sample.people);

	q.columns = (const struct column **)columns;
	q.ncolumns = 1;
	q.where = filter(sample.people, "[\"=\", \"ok\", true]");
	q.order = order;
	q.norder = 2;
	q.limit = 3;
	return q;
}

static void update_first(struct sql *s, const struct dialect *d)
{
	const struct column *columns[] = { col("id") };
	const struct order_term order[] = { { .column = col("age"), .descending = true, .nulls_last = true },
					    { .column = col("id") } };
	const struct set_term sets[] = { { .column = col("age"), .x = of_value(value_int(0)) } };
	const struct select_stmt keys = first_keys(order, columns);

	sql_update(s, d, sample.people, sets, 1, NULL, &keys);
}

static void update_first_swapped(struct sql *s, const struct dialect *d)
{
	const struct column *columns[] = { col("id") };
	const struct order_term order[] = { { .column = col("age"), .nulls_last = true }, { .column = col("id") } };
	const struct set_term sets[] = {
		{ .column = col("age"), .op = SET_ADD, .x = of_column("age"), .y = of_column("low") },
		{ .column = col("low"), .x = of_column("age") },
	};
	const struct select_stmt keys = first_keys(order, columns);

	sql_update(s, d, sample.people, sets, 2, NULL, &keys);
}

static const struct value pet[] = { { .kind = VALUE_INT, .u.i = 1 }, { .kind = VALUE_INT, .u.i = 2 } };

static void select_row(struct sql *s, const struct dialect *d)
{
	(void)d;
	assert_true(sql_select_row(s, sample.pets, pet));
	sql_write(s);
}

static void delete_row(struct sql *s, const struct dialect *d)
{
	(void)d;
	assert_true(sql_delete_row(s, sample.pets, pet));
	sql_write(s);
}

static void delete_some(struct sql *s, const struct dialect *d)
{
	sql_delete(s, d, sample.people, filter(sample.people, "[\"and\", {\"age\": 5}, [\"is_null\", \"nick\"]]"), NULL);
}

static void delete_everything(struct sql *s, const struct dialect *d)
{
	sql_delete(s, d, sample.people, NULL, NULL);
}

static void delete_first(struct sql *s, const struct dialect *d)
{
	const struct column *columns[] = { col("id") };
	const struct order_term order[] = { { .column = col("age") }, { .column = col("id") } };
	const struct select_stmt keys = first_keys(order, columns);

	sql_delete(s, d, sample.people, NULL, &keys);
}

static void delete_first_composite(struct sql *s, const struct dialect *d)
{
	const struct column *columns[] = { sample_column(sample.pets, "owner"), sample_column(sample.pets, "no") };
	const struct order_term order[] = { { .column = columns[0] }, { .column = columns[1] } };
	struct select_stmt keys = select_of(sample.pets);

	keys.columns = columns;
	keys.ncolumns = 2;
	keys.order = order;
	keys.norder = 2;
	keys.limit = 1;
	sql_delete(s, d, sample.pets, NULL, &keys);
}

static void delete_first_keyless(struct sql *s, const struct dialect *d)
{
	struct select_stmt keys = select_of(sample.keyless);

	keys.where = filter(sample.keyless, "[\">\", \"a\", 1]");
	keys.order_by_row_id = true;
	keys.limit = 1;
	sql_delete(s, d, sample.keyless, NULL, &keys);
}

static void delete_of_own_table(struct sql *s, const struct dialect *d)
{
	sql_delete(s, d, sample.people, filter(sample.people,
		   "[\"or\", [\"in\", \"age\", {\"select\": \"low\", \"from\": \"people\", \"where\": {\"ok\": true}}],"
		   " [\"exists\", {\"from\": \"people\", \"where\": [\"<\", \"age\", [\"outer\", \"age\"]]}]]"), NULL);
}

static void delete_children(struct sql *s, const struct dialect *d)
{
	const struct foreign_key *fk = &sample.pets->foreign_keys[0];

	sql_delete(s, d, sample.pets, pred_refers(sample.x.arena, fk, filter(sample.people, "{\"age\": 5}")), NULL);
}

static void savepoint_set(struct sql *s, const struct dialect *d)
{
	sql_savepoint(s, d, SAVEPOINT_SET, 3);
}

static void savepoint_rollback(struct sql *s, const struct dialect *d)
{
	sql_savepoint(s, d, SAVEPOINT_ROLLBACK, 3);
}

static void savepoint_release(struct sql *s, const struct dialect *d)
{
	sql_savepoint(s, d, SAVEPOINT_RELEASE, 3);
}

static const struct statement writes[] = {
	{ "insert rows", insert_rows },
	{ "insert a row of defaults", insert_defaults },
	{ "update to values", update_values },
	{ "update every row", update_all },
	{ "update with arithmetic", update_arithmetic },
	{ "update to a product with too many decimals", update_product },
	{ "update to a product of ints with too few decimals", update_product_of_ints },
	{ "update, two columns swapped", update_swap },
	{ "update the first rows", update_first },
	{ "update the first rows, one column read by another", update_first_swapped },
	{ "select a row by its key", select_row },
	{ "delete a row by its key", delete_row },
	{ "delete some", delete_some },
	{ "delete every row", delete_everything },
	{ "delete the first rows", delete_first },
	{ "delete the first rows, a composite key", delete_first_composite },
	{ "delete the first rows, no key", delete_first_keyless },
	{ "delete by a selection from the table itself", delete_of_own_table },
	{ "delete the children of some rows", delete_children },
	{ "savepoint", savepoint_set },
	{ "savepoint, back to it", savepoint_rollback },
	{ "savepoint, let go", savepoint_release },
};

/* ---- filters ---- */

static const char *const filters[] = {
	"{\"id\": 1}",
	"{\"name\": \"x\", \"age\": null}",
	"[\"=\", \"name\", \"it's ? \\\" \\\\\"]",
	"[\"!=\", \"age\", 5]",
	"[\"<\", \"score\", 1.5]",
	"[\"<=\", \"price\", \"12.50\"]",
	"[\">\", \"at\", \"2024-02-29T12:00:00Z\"]",
	"[\">=\", \"data\", x'00ff']",
	"[\"=\", \"ok\", true]",
	"[\"=\", \"age\", [\"col\", \"low\"]]",
	"[\"is\", \"age\", 5]",
	"[\"is\", \"age\", null]",
	"[\"is\", \"age\", [\"col\", \"low\"]]",
	"[\"is_not\", \"age\", 5]",
	"[\"is_not\", \"age\", null]",
	"[\"is_null\", \"nick\"]",
	"[\"not_null\", \"nick\"]",
	"[\"in\", \"age\", []]",
	"[\"not_in\", \"age\", []]",
	"[\"in\", \"age\", [3, 1, 2, 1]]",
	"[\"in\", \"price\", [\"1\", \"2.5\"]]",
	"[\"not_in\", \"name\", [\"a\"]]",
	"[\"between\", \"age\", 1, 9]",
	"[\"not\", [\"between\", \"age\", [\"col\", \"low\"], 9]]",
	"[\"like\", \"name\", \"a\\\\%_%\"]",
	"[\"not\", [\"like\", \"name\", [\"col\", \"nick\"]]]",
	"[\"prefix\", \"name\", \"ab\"]",
	"[\"prefix\", \"name\", \"\"]",
	"[\"prefix\", \"name\", [\"col\", \"nick\"]]",
	"[\"prefix\", \"data\", x'61ff']",
	"[\"prefix\", \"data\", x'ff']",
	"[\"suffix\", \"name\", \"\xc3\xa9z\"]",
	"[\"suffix\", \"name\", \"\"]",
	"[\"suffix\", \"name\", [\"col\", \"nick\"]]",
	"[\"suffix\", \"blob\", x'0001']",
	"[\"contains\", \"name\", \"%\"]",
	"[\"contains\", \"nick\", [\"col\", \"name\"]]",
	"[\"and\", {\"age\": 1}, {\"low\": 2, \"ok\": true}]",
	"[\"or\", {\"age\": 1}, [\"and\", {\"age\": 2}, {\"low\": 2}], [\"not\", {\"age\": 3}]]",
	"[\"and\", [\"or\", {\"age\": 1}, {\"age\": 2}], [\"not\", [\"or\", {\"low\": 1}, {\"low\": 2}]]]",
	"[\"or\", [\"and\", [\"or\", {\"id\": 1}]]]",
	"[\"in\", \"id\", {\"select\": \"owner\", \"from\": \"pets\"}]",
	"[\"not_in\", \"id\", {\"select\": \"owner\", \"from\": \"pets\", \"where\": {\"kind\": \"cat\"}}]",
	"[\"exists\", {\"from\": \"pets\"}]",
	"[\"exists\", {\"from\": \"pets\", \"where\": [\"and\", [\"=\", \"owner\", [\"outer\", \"id\"]], [\"like\", \"kind\", \"c%\"]]}]",
	"[\"not_exists\", {\"from\": \"pets\", \"where\": [\"exists\", {\"from\": \"people\", \"where\": [\"=\", \"id\", [\"outer\", \"owner\"]]}]}]",
};

/* ---- running ---- */

static void savepoint(enum savepoint_verb verb)
{
	struct sql s;

	sql_init(&s);
	sql_savepoint(&s, &dialect_sqlite, verb, 99);
	OK(db_run(sample.x.conn, &s, NULL, NULL, &err));
	sql_fini(&s);
}

/* Run it, look at every row, and undo it. */
static void runs(const char *name, struct sql *s)
{
	struct db_rows *rows;
	const struct value *row;
	enum rowd_code rc;

	err_init(&err);
	savepoint(SAVEPOINT_SET);
	if (s->ntypes == 0) {
		rc = db_run(sample.x.conn, s, NULL, NULL, &err);
	} else {
		rc = db_query(sample.x.conn, s, &rows, &err);
		if (!rc) {
			do
				rc = db_next(rows, &row, &err);
			while (!rc && row);
			db_rows_end(rows);
		}
	}
	if (rc)
		fail_msg("%s: %s\n%s", name, err.text, s->text.data);
	savepoint(SAVEPOINT_ROLLBACK);
	savepoint(SAVEPOINT_RELEASE);
}

static void fill(void)
{
	sample_run(&sample, "INSERT INTO people (name, nick, age, low, score, price, data, at, cost) VALUES"
			    " ('ann', 'ann', 30, 29, 1.5, 1000, x'61', '2024-01-01 00:00:00.000000', 10000),"
			    " ('bob', NULL, 5, 7, NULL, 100, x'', NULL, NULL), (NULL, '', NULL, 5, 0.0, NULL, NULL, NULL, 5)");
	sample_run(&sample, "INSERT INTO pets VALUES (1, 1, 'cat', 5), (1, 2, 'dog', NULL)");
	sample_run(&sample, "INSERT INTO keyless VALUES (1, 'x'), (2, 'y'), (2, NULL)");
}

static void start(void)
{
	sample_open(&sample);
	fill();
}

static void statements_are(const char *file, const struct statement *list, size_t n, bool run)
{
	struct golden g;
	struct sql s;
	size_t i, k;

	start();
	golden_begin(&g, file);
	sql_init(&s);
	for (i = 0; i < n; i++) {
		golden_name(&g, list[i].name);
		for (k = 0; golden_dialects[k]; k++) {
			list[i].render(&s, golden_dialects[k]);
			golden_sql(&g, golden_dialects[k], &s);
			if (run && golden_dialects[k] == &dialect_sqlite)
				runs(list[i].name, &s);
		}
		golden_name_end(&g);
	}
	sql_fini(&s);
	sample_close(&sample);
	assert_true(golden_end(&g));
}

TEST(selects_are_as_the_golden_file_says)
{
	statements_are("select.txt", selects, sizeof selects / sizeof *selects, true);
}

TEST(a_statement_about_a_row_is_known_by_table_and_verb)
{
	const struct value ann = value_int(1), nobody = value_null(),
			   price = { .kind = VALUE_DECIMAL, .scale = 2, .u.i = 100 };
	uint64_t pets_row;
	struct sql s;

	sample_open(&sample);
	sql_init(&s);
	assert_true(sql_select_row(&s, sample.pets, pet));
	assert_int_equal(s.text.len, 0);
	pets_row = s.known;
	assert_true(sql_delete_row(&s, sample.pets, pet));
	assert_int_not_equal(s.known, pets_row);
	assert_true(sql_select_row(&s, sample.people, &ann));
	assert_int_not_equal(s.known, pets_row);
	assert_int_equal(s.ntypes, sample.people->ncolumns);
	assert_false(sql_select_row(&s, sample.people, &nobody));
	assert_false(sql_select_row(&s, sample.people, &price));
	assert_false(sql_delete_row(&s, sample.keyless, &ann));
	OK(db_reload(sample.x.conn, &err));
	sample_look(&sample);
	assert_true(sql_select_row(&s, sample.pets, pet));
	assert_int_not_equal(s.known, pets_row);
	sql_fini(&s);
	sample_close(&sample);
}

TEST(writes_are_as_the_golden_file_says)
{
	size_t n = sizeof writes / sizeof *writes;

	/* the savepoints, last, are run by every other statement */
	statements_are("write.txt", writes, n, false);
	start();
	for (size_t i = 0; i < n - 3; i++) {
		struct sql s;

		sql_init(&s);
		writes[i].render(&s, &dialect_sqlite);
		if (strstr(writes[i].name, "too many") == NULL)
			runs(writes[i].name, &s);
		sql_fini(&s);
	}
	sample_close(&sample);
}

static void render_filter(struct sql *s, const struct dialect *d, const char *text)
{
	struct select_stmt q = select_of(sample.people);

	q.one = true;
	q.where = filter(sample.people, text);
	sql_select(s, d, &q);
}

TEST(filters_are_as_the_golden_file_says)
{
	struct golden g;
	struct sql s;
	size_t i, k;

	start();
	golden_begin(&g, "filter.txt");
	sql_init(&s);
	for (i = 0; i < sizeof filters / sizeof *filters; i++) {
		golden_name(&g, filters[i]);
		for (k = 0; golden_dialects[k]; k++) {
			render_filter(&s, golden_dialects[k], filters[i]);
			golden_sql(&g, golden_dialects[k], &s);
			if (golden_dialects[k] == &dialect_sqlite)
				runs(filters[i], &s);
		}
		golden_name_end(&g);
	}
	sql_fini(&s);
	sample_close(&sample);
	assert_true(golden_end(&g));
}

/* ---- schema ---- */

static const struct {
	const char *name, *definition;
} tables[] = {
	{ "every_type", "{\"columns\": [{\"name\": \"id\", \"type\": \"int\"}, {\"name\": \"i\", \"type\": \"int\", \"null\": false},"
	  " {\"name\": \"b\", \"type\": \"bool\"}, {\"name\": \"f\", \"type\": \"float\"}, {\"name\": \"d\", \"type\": \"decimal(10,2)\"},"
	  " {\"name\": \"t\", \"type\": \"text(20)\"}, {\"name\": \"tt\", \"type\": \"text\"}, {\"name\": \"y\", \"type\": \"bytes(8)\"},"
	  " {\"name\": \"yy\", \"type\": \"bytes\"}, {\"name\": \"w\", \"type\": \"time\"}], \"primary_key\": [\"id\"]}" },
	{ "defaults", "{\"columns\": [{\"name\": \"id\", \"type\": \"int\", \"auto\": true}, {\"name\": \"i\", \"type\": \"int\", \"default\": -5},"
	  " {\"name\": \"b\", \"type\": \"bool\", \"default\": true}, {\"name\": \"f\", \"type\": \"float\", \"default\": 0.1},"
	  " {\"name\": \"g\", \"type\": \"float\", \"default\": -2}, {\"name\": \"d\", \"type\": \"decimal(6,2)\", \"default\": \"2.5\"},"
	  " {\"name\": \"t\", \"type\": \"text(20)\", \"null\": false, \"default\": \"it's \\\"x\\\" \\\\ ?\"},"
	  " {\"name\": \"y\", \"type\": \"bytes(8)\", \"default\": x'0027ff'},"
	  " {\"name\": \"w\", \"type\": \"time\", \"default\": \"2024-02-29T00:00:00.5Z\"}], \"primary_key\": [\"id\"]}" },
	{ "keys", "{\"columns\": [{\"name\": \"a\", \"type\": \"int\"}, {\"name\": \"b\", \"type\": \"text(10)\"}, {\"name\": \"c\", \"type\": \"int\"},"
	  " {\"name\": \"d\", \"type\": \"time\"}], \"primary_key\": [\"b\", \"a\"], \"unique\": [[\"c\"], [\"d\", \"c\"]],"
	  " \"indexes\": [[\"d\"], [\"c\", \"a\"]]}" },
	{ "children", "{\"columns\": [{\"name\": \"id\", \"type\": \"int\"}, {\"name\": \"k\", \"type\": \"int\"}, {\"name\": \"n\", \"type\": \"text(20)\"},"
	  " {\"name\": \"a\", \"type\": \"int\"}, {\"name\": \"up\", \"type\": \"int\"}], \"primary_key\": [\"id\"],"
	  " \"foreign_keys\": [{\"columns\": [\"k\"], \"table\": \"people\", \"references\": [\"id\"], \"on_delete\": \"set_null\"},"
	  " {\"columns\": [\"a\", \"n\"], \"table\": \"people\", \"references\": [\"age\", \"name\"], \"on_delete\": \"cascade\"},"
	  " {\"columns\": [\"up\"], \"table\": \"children\", \"references\": [\"id\"]}]}" },
	{ "order", "{\"columns\": [{\"name\": \"select\", \"type\": \"int\"}, {\"name\": \"group\", \"type\": \"int\"}],"
	  " \"primary_key\": [\"select\"], \"indexes\": [[\"group\"]]}" },
};

static void read_table(const char *name, const char *definition, struct table_def *out)
{
	const struct schema_context ctx = { sample.catalog, sample.x.limits, sample.x.arena };

	OK(schema_read_table(&ctx, name, strlen(name), pack(sample.x.arena, definition), out, &err));
}

static void tables_are_created(struct golden *g, struct sql *s)
{
	char name[80];
	size_t i, k;

	for (i = 0; i < sizeof tables / sizeof *tables; i++) {
		struct table_def d;

		read_table(tables[i].name, tables[i].definition, &d);
		snprintf(name, sizeof name, "create table %s", tables[i].name);
		golden_name(g, name);
		for (k = 0; golden_dialects[k]; k++) {
			sql_create_table(s, golden_dialects[k], &d);
			golden_sql(g, golden_dialects[k], s);
		}
		golden_name_end(g);
	}
}

static void add_change(struct golden *g, struct sql *s, const char *name,
		       void (*render)(struct sql *, const struct dialect *))
{
	size_t k;

	golden_name(g, name);
	for (k = 0; golden_dialects[k]; k++) {
		render(s, golden_dialects[k]);
		golden_sql(g, golden_dialects[k], s);
	}
	golden_name_end(g);
}

static void drop_table(struct sql *s, const struct dialect *d)
{
	sql_drop_table(s, d, sample.people);
}

static void create_index(struct sql *s, const struct dialect *d)
{
	const struct key_def k = { .columns = { "age", "low" }, .ncolumns = 2, .name = "ix_people_3" };

	sql_create_index(s, d, "people", &k);
}

static void create_unique_index(struct sql *s, const struct dialect *d)
{
	const struct key_def k = { .columns = { "low" }, .ncolumns = 1, .unique = true, .name = "ix_people_4" };

	sql_create_index(s, d, "people", &k);
}

static void drop_index(struct sql *s, const struct dialect *d)
{
	sql_drop_index(s, d, sample.people, &sample.people->indexes[0]);
}

static void add_column(struct sql *s, const struct dialect *d)
{
	const struct column_def c = { .name = "more", .type = { .kind = TYPE_TEXT, .length = 5 }, .has_default = true,
				      .dflt = value_text("x", 1) };

	sql_add_column(s, d, sample.people, &c);
}


TEST(schema_statements_are_as_the_golden_file_says)
{
	struct golden g;
	struct sql s;

	start();
	golden_begin(&g, "schema.txt");
	sql_init(&s);
	tables_are_created(&g, &s);
	add_change(&g, &s, "drop table", drop_table);
	add_change(&g, &s, "create index", create_index);
	add_change(&g, &s, "create unique index", create_unique_index);
	add_change(&g, &s, "drop index", drop_index);
	add_change(&g, &s, "add column", add_column);
	sql_create_types(&s, &dialect_sqlite);
	golden_name(&g, "rowd's own types");
	golden_sql(&g, &dialect_sqlite, &s);
	sql_add_type(&s, &dialect_sqlite, "people", "name", "text(20)");
	golden_sql(&g, &dialect_sqlite, &s);
	sql_drop_types(&s, &dialect_sqlite, "people");
	golden_sql(&g, &dialect_sqlite, &s);
	golden_name_end(&g);
	sql_fini(&s);
	sample_close(&sample);
	assert_true(golden_end(&g));
}

/* However many lists there are, the placeholders stay within what MySQL takes. */
TEST(lists_without_end_are_staged_before_the_placeholders_run_out)
{
	const struct pred *kids[100];
	struct select_stmt q;
	size_t i, lists = 0;
	struct sql s;

	start();
	for (i = 0; i < 100; i++)
		kids[i] = in_list("age", 900 + i);
	q = select_of(sample.people);
	q.count = true;
	q.where = pred_join(sample.x.arena, PRED_OR, kids, 100);
	sql_init(&s);
	sql_select(&s, &dialect_mariadb, &q);
	OK(sql_check(&s, &err));
	for (i = 0; i < s.nparams; i++)
		lists += s.params[i].kind == VALUE_LIST;
	assert_true(lists > 0);
	assert_true(s.nparams - lists < 40000);
	sql_fini(&s);
	sample_close(&sample);
}

TEST(rows_that_nothing_tells_apart_are_not_named)
{
	struct set_term sets[] = { { .x = { .kind = OPERAND_COLUMN } }, { .x = { .kind = OPERAND_COLUMN } } };
	struct table keyless;
	struct sql s;

	start();
	keyless = *sample.keyless;
	keyless.row_id = NULL;
	sets[0].column = sets[1].x.column = sample_column(sample.keyless, "a");
	sets[1].column = sets[0].x.column = sample_column(sample.keyless, "b");
	sql_init(&s);
	err_init(&err);
	sql_update(&s, &dialect_mariadb, &keyless, sets, 2, NULL, NULL);
	assert_int_equal(sql_check(&s, &err), ROWD_E_UNSUPPORTED);
	sql_select(&s, &dialect_mariadb, &(struct select_stmt){ .table = &keyless, .limit = -1 });
	assert_int_equal(sql_check(&s, &err), ROWD_E_UNSUPPORTED);
	sql_update(&s, &dialect_sqlite, &keyless, sets, 2, NULL, NULL);
	assert_int_equal(sql_check(&s, &err), ROWD_OK);
	sql_fini(&s);
	sample_close(&sample);
}

TEST(tables_made_on_sqlite_are_what_was_asked_for)
{
	size_t i;

	start();
	for (i = 0; i < sizeof tables / sizeof *tables; i++) {
		const struct table *t;
		struct table_def d;

		read_table(tables[i].name, tables[i].definition, &d);
		OK(exec_create_table(&sample.x, &d, &err));
		sample_look(&sample);
		t = catalog_find(sample.catalog, tables[i].name, strlen(tables[i].name));
		assert_non_null(t);
		read_table(tables[i].name, tables[i].definition, &d);   /* against the schema as it is now */
		if (!schema_same(&d, t))
			fail_msg("%s is another", tables[i].name);
		if (!t->portable)
			fail_msg("%s: %s", tables[i].name, t->reasons[0]);
	}
	sample_close(&sample);
}
