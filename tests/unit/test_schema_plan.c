/*
 * Definitions of tables: what can be made on every database, what is refused and as what, and what an
 * existing table allows.
 */
#include "config.h"

#include "daemon/plan/schema.h"

#include <stdio.h>

#include "daemon/exec/exec_schema.h"
#include "tests/lib/pack.h"
#include "tests/lib/sample.h"
#include "tests/unit/unit.h"

static struct sample sample;
static struct err err;

/* {"columns": [id int COLUMNS], "primary_key": ["id"] REST} */
#define DEFINITION(columns, rest) \
	"{\"columns\": [{\"name\": \"id\", \"type\": \"int\"}" columns "], \"primary_key\": [\"id\"]" rest "}"
#define COLUMN(name, type) ", {\"name\": \"" name "\", \"type\": \"" type "\"}"
#define REFERS(columns, table, references, more) \
	", \"foreign_keys\": [{\"columns\": " columns ", \"table\": \"" table "\", \"references\": " references more "}]"

static void start(void)
{
	sample_open(&sample);
	err_init(&err);
}

static void end(void)
{
	sample_close(&sample);
}

static enum rowd_code read_table(const char *name, const char *definition, struct table_def *out)
{
	const struct schema_context ctx = { sample.catalog, sample.x.limits, sample.x.arena };

	err_init(&err);
	return schema_read_table(&ctx, name, strlen(name), pack(sample.x.arena, definition), out, &err);
}

static struct table_def reads(const char *definition)
{
	struct table_def d;

	if (read_table("t", definition, &d))
		fail_msg("%s: %s", definition, err.text);
	return d;
}

static void made(const char *name, const char *definition)
{
	err_init(&err);
	if (sample_create(&sample, name, definition, &err))
		fail_msg("%s: %s", definition, err.text);
}

struct refusal {
	enum rowd_code code;
	const char *definition;
};

static void all_are_refused(const struct refusal *r, size_t n)
{
	struct table_def d;

	for (size_t i = 0; i < n; i++) {
		enum rowd_code rc = read_table("t", r[i].definition, &d);

		if (rc != r[i].code)
			fail_msg("%s: code %d is due, %d came (%s)", r[i].definition, r[i].code, rc, err.text);
		assert_int_equal(err.code, rc);
	}
}

#define ALL_ARE_REFUSED(list) all_are_refused(list, sizeof(list) / sizeof *(list))

/* ---- names ---- */

TEST(names_are_those_that_every_database_takes)
{
	static const char *const good[] = { "a", "a_", "a0", "select", "order", "ix_a_1", "rowids" };
	static const char *const bad[] = { "", "A", "aB", "1a", "_a", "a-b", "a b", "a\"", "\xc3\xa9", "sqlite_x", "rowid",
					   "oid", "_rowid_", "_rowd_x" };
	char longest[NAME_MAX_BYTES + 2];
	size_t i;

	err_init(&err);
	for (i = 0; i < sizeof good / sizeof *good; i++)
		assert_int_equal(schema_check_name("table", good[i], strlen(good[i]), &err), ROWD_OK);
	for (i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(schema_check_name("table", bad[i], strlen(bad[i]), &err), ROWD_E_SCHEMA_INVALID);
	memset(longest, 'x', sizeof longest);
	assert_int_equal(schema_check_name("table", longest, NAME_MAX_BYTES, &err), ROWD_OK);
	assert_int_equal(schema_check_name("table", longest, NAME_MAX_BYTES + 1, &err), ROWD_E_SCHEMA_INVALID);
	assert_int_equal(schema_check_name("table", "a\0b", 3, &err), ROWD_E_SCHEMA_INVALID);
}

/* ---- what is read ---- */

TEST(a_definition_is_read_whole)
{
	struct table_def d;

	start();
	d = reads("{\"columns\": [{\"name\": \"id\", \"type\": \"int\", \"auto\": true}, {\"name\": \"n\", \"type\": \"decimal(5,2)\","
		  " \"null\": false, \"default\": \"1.5\"}, {\"name\": \"w\", \"type\": \"text(5)\"}], \"primary_key\": [\"id\"],"
		  " \"unique\": [[\"n\", \"w\"]], \"indexes\": [[\"w\"], [\"n\"]]}");
	assert_string_equal(d.name, "t");
	assert_int_equal(d.ncolumns, 3);
	assert_true(d.columns[0].generated);
	assert_false(d.columns[0].nullable);      /* of the primary key, without a word */
	assert_false(d.columns[1].nullable);
	assert_true(d.columns[1].has_default);
	assert_int_equal(d.columns[1].dflt.u.i, 150);
	assert_true(d.columns[2].nullable);
	assert_false(d.columns[2].has_default);
	assert_int_equal(d.nuniques, 1);
	assert_string_equal(d.uniques[0].columns[1], "w");
	assert_string_equal(d.uniques[0].name, "ix_t_1");
	assert_int_equal(d.nindexes, 2);
	assert_string_equal(d.indexes[1].name, "ix_t_3");
	end();
}

TEST(what_describe_says_can_be_made_again)
{
	start();
	/* null false, no default, not auto: all said */
	reads("{\"columns\": [{\"name\": \"id\", \"type\": \"int\", \"null\": false, \"default\": null, \"auto\": false}],"
	      " \"primary_key\": [\"id\"], \"unique\": [], \"indexes\": [], \"foreign_keys\": []}");
	end();
}

TEST(a_foreign_key_without_an_index_gets_one)
{
	struct table_def d;

	start();
	d = reads(DEFINITION(COLUMN("p", "int"), REFERS("[\"p\"]", "people", "[\"id\"]", "")));
	assert_int_equal(d.nindexes, 1);
	assert_string_equal(d.indexes[0].columns[0], "p");
	assert_string_equal(d.foreign_keys[0].columns.name, "fk_t_1");
	d = reads(DEFINITION(COLUMN("p", "int"), REFERS("[\"p\"]", "people", "[\"id\"]", "") ", \"indexes\": [[\"p\", \"id\"]]"));
	assert_int_equal(d.nindexes, 1);
	d = reads(DEFINITION(COLUMN("p", "int"), REFERS("[\"p\"]", "people", "[\"id\"]", "") ", \"unique\": [[\"p\"]]"));
	assert_int_equal(d.nindexes, 0);
	d = reads(DEFINITION("", REFERS("[\"id\"]", "people", "[\"id\"]", "")));
	assert_int_equal(d.nindexes, 0);
	end();
}

TEST(a_foreign_key_follows_the_order_of_its_parents_key)
{
	struct table_def d;

	start();
	d = reads(DEFINITION(COLUMN("a", "int") COLUMN("n", "text(20)"),
			     REFERS("[\"a\", \"n\"]", "people", "[\"age\", \"name\"]", "")));
	assert_string_equal(d.foreign_keys[0].columns.columns[0], "n");
	assert_string_equal(d.foreign_keys[0].references[0], "name");
	assert_string_equal(d.indexes[0].columns[0], "n");
	end();
}

TEST(names_of_indexes_are_free)
{
	struct table_def d;

	start();
	made("a", DEFINITION(COLUMN("b", "int"), ", \"indexes\": [[\"b\"]]"));
	/* cut to the same beginning */
	made("a123456789012345678901234567890123456789", DEFINITION(COLUMN("b", "int"), ", \"indexes\": [[\"b\"]]"));
	assert_int_equal(read_table("a123456789012345678901234567890123456780",
				    DEFINITION(COLUMN("b", "int"), ", \"indexes\": [[\"b\"]]"), &d), ROWD_OK);
	assert_string_equal(d.indexes[0].name, "ix_a12345678901234567890123456789012345_2");
	assert_true(strlen(d.indexes[0].name) <= NAME_MAX_BYTES);
	/* an index's name cannot be a table's */
	assert_int_equal(read_table("ix_a_1", DEFINITION("", ""), &d), ROWD_E_SCHEMA_INVALID);
	assert_int_equal(read_table("ix_b_1", DEFINITION("", ""), &d), ROWD_OK);
	made("ix_b_1", DEFINITION("", ""));
	assert_int_equal(read_table("b", DEFINITION(COLUMN("b", "int"), ", \"indexes\": [[\"b\"]]"), &d), ROWD_OK);
	assert_string_equal(d.indexes[0].name, "ix_b_2");
	end();
}

/* ---- what is refused ---- */

TEST(a_map_of_another_shape_is_refused)
{
	static const struct refusal list[] = {
		{ ROWD_E_BAD_REQUEST, "{}" }, { ROWD_E_BAD_REQUEST, "[]" }, { ROWD_E_BAD_REQUEST, "{\"columns\": []}" },
		{ ROWD_E_BAD_REQUEST, "{\"columns\": 5, \"primary_key\": [\"id\"]}" },
		{ ROWD_E_BAD_REQUEST, "{\"columns\": [5], \"primary_key\": [\"id\"]}" },
		{ ROWD_E_BAD_REQUEST, "{\"columns\": [{\"name\": \"id\"}], \"primary_key\": [\"id\"]}" },
		{ ROWD_E_BAD_REQUEST, "{\"columns\": [{\"type\": \"int\"}], \"primary_key\": [\"id\"]}" },
		{ ROWD_E_BAD_REQUEST, "{\"columns\": [{\"name\": 5, \"type\": \"int\"}], \"primary_key\": [\"id\"]}" },
		{ ROWD_E_BAD_REQUEST, "{\"columns\": [{\"name\": \"id\", \"type\": \"int\", \"null\": 0}], \"primary_key\": [\"id\"]}" },
		{ ROWD_E_BAD_REQUEST, "{\"columns\": [{\"name\": \"id\", \"type\": \"int\", \"nope\": 0}], \"primary_key\": [\"id\"]}" },
		{ ROWD_E_BAD_REQUEST, "{\"columns\": [{\"name\": \"id\", \"type\": \"int\"}], \"primary_key\": \"id\"}" },
		{ ROWD_E_BAD_REQUEST, "{\"columns\": [{\"name\": \"id\", \"type\": \"int\"}], \"primary_key\": [5]}" },
		{ ROWD_E_BAD_REQUEST, DEFINITION("", ", \"nope\": 1") }, { ROWD_E_BAD_REQUEST, DEFINITION("", ", \"unique\": null") },
		{ ROWD_E_BAD_REQUEST, DEFINITION("", ", \"unique\": [\"id\"]") }, { ROWD_E_BAD_REQUEST, DEFINITION("", ", \"indexes\": [5]") },
		{ ROWD_E_BAD_REQUEST, DEFINITION("", ", \"foreign_keys\": [{\"columns\": [\"id\"], \"table\": \"people\"}]") },
		{ ROWD_E_BAD_REQUEST, DEFINITION("", REFERS("[\"id\"]", "people", "[\"id\"]", ", \"on_update\": \"cascade\"")) },
	};

	start();
	ALL_ARE_REFUSED(list);
	end();
}

TEST(a_table_that_cannot_be_is_refused)
{
	static const struct refusal list[] = {
		{ ROWD_E_SCHEMA_INVALID, "{\"columns\": [{\"name\": \"id\", \"type\": \"int\"}], \"primary_key\": []}" },
		{ ROWD_E_UNKNOWN_COLUMN, "{\"columns\": [], \"primary_key\": [\"id\"]}" },
		{ ROWD_E_UNKNOWN_COLUMN, "{\"columns\": [{\"name\": \"id\", \"type\": \"int\"}], \"primary_key\": [\"no\"]}" },
		{ ROWD_E_SCHEMA_INVALID, "{\"columns\": [{\"name\": \"id\", \"type\": \"int\"}], \"primary_key\": [\"id\", \"id\"]}" },
		{ ROWD_E_SCHEMA_INVALID, "{\"columns\": [{\"name\": \"id\", \"type\": \"int\", \"null\": true}], \"primary_key\": [\"id\"]}" },
		{ ROWD_E_SCHEMA_INVALID, "{\"columns\": [{\"name\": \"id\", \"type\": \"text\"}], \"primary_key\": [\"id\"]}" },
		{ ROWD_E_SCHEMA_INVALID, "{\"columns\": [{\"name\": \"id\", \"type\": \"time\", \"auto\": true}], \"primary_key\": [\"id\"]}" },
		{ ROWD_E_SCHEMA_INVALID, "{\"columns\": [{\"name\": \"id\", \"type\": \"int\", \"auto\": true, \"default\": 1}], \"primary_key\": [\"id\"]}" },
		{ ROWD_E_SCHEMA_INVALID, DEFINITION(", {\"name\": \"n\", \"type\": \"int\", \"auto\": true}", "") },
		{ ROWD_E_SCHEMA_INVALID, DEFINITION(COLUMN("a", "int") COLUMN("a", "int"), "") },
		{ ROWD_E_SCHEMA_INVALID, DEFINITION(COLUMN("a", "integer"), "") }, { ROWD_E_SCHEMA_INVALID, DEFINITION(COLUMN("a", "any"), "") },
		{ ROWD_E_SCHEMA_INVALID, DEFINITION(COLUMN("a", "decimal(19,2)"), "") }, { ROWD_E_SCHEMA_INVALID, DEFINITION(COLUMN("A", "int"), "") },
		{ ROWD_E_SCHEMA_INVALID, DEFINITION("", ", \"unique\": [[]]") }, { ROWD_E_UNKNOWN_COLUMN, DEFINITION("", ", \"indexes\": [[\"no\"]]") },
		{ ROWD_E_SCHEMA_INVALID, DEFINITION("", ", \"indexes\": [[\"id\", \"id\"]]") },
		{ ROWD_E_SCHEMA_INVALID, DEFINITION(COLUMN("a", "int"), ", \"indexes\": [[\"a\"], [\"a\"]]") },
		{ ROWD_E_SCHEMA_INVALID, DEFINITION(COLUMN("a", "int"), ", \"unique\": [[\"a\"]], \"indexes\": [[\"a\"]]") },
		{ ROWD_E_SCHEMA_INVALID, DEFINITION(COLUMN("a", "bytes"), ", \"indexes\": [[\"a\"]]") },
	};

	start();
	ALL_ARE_REFUSED(list);
	end();
}

TEST(a_default_is_a_value_of_its_column)
{
	static const struct refusal list[] = {
		{ ROWD_E_TYPE_MISMATCH, DEFINITION(", {\"name\": \"a\", \"type\": \"int\", \"default\": \"5\"}", "") },
		{ ROWD_E_OUT_OF_RANGE, DEFINITION(", {\"name\": \"a\", \"type\": \"decimal(3,2)\", \"default\": \"10\"}", "") },
		{ ROWD_E_TOO_LONG, DEFINITION(", {\"name\": \"a\", \"type\": \"text(2)\", \"default\": \"abc\"}", "") },
		{ ROWD_E_NOT_PORTABLE, DEFINITION(", {\"name\": \"a\", \"type\": \"text\", \"default\": \"abc\"}", "") },
		{ ROWD_E_NOT_PORTABLE, DEFINITION(", {\"name\": \"a\", \"type\": \"bytes\", \"default\": x'00'}", "") },
	};

	start();
	for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
		all_are_refused(&list[i], 1);
		assert_string_equal(err.column, "a");
		assert_string_equal(err.table, "t");
	}
	end();
}

TEST(a_foreign_key_refers_to_a_key_of_the_same_types)
{
	static const struct refusal list[] = {
		{ ROWD_E_UNKNOWN_TABLE, DEFINITION("", REFERS("[\"id\"]", "nope", "[\"id\"]", "")) },
		{ ROWD_E_UNKNOWN_TABLE, DEFINITION("", REFERS("[\"id\"]", "_rowd_columns", "[\"type\"]", "")) },
		{ ROWD_E_UNKNOWN_COLUMN, DEFINITION("", REFERS("[\"no\"]", "people", "[\"id\"]", "")) },
		{ ROWD_E_UNKNOWN_COLUMN, DEFINITION("", REFERS("[\"id\"]", "people", "[\"no\"]", "")) },
		{ ROWD_E_SCHEMA_INVALID, DEFINITION("", REFERS("[\"id\"]", "people", "[\"age\"]", "")) },
		{ ROWD_E_SCHEMA_INVALID, DEFINITION("", REFERS("[\"id\"]", "people", "[\"id\", \"age\"]", "")) },
		{ ROWD_E_SCHEMA_INVALID, DEFINITION("", REFERS("[\"id\"]", "keyless", "[\"a\"]", "")) },
		{ ROWD_E_SCHEMA_INVALID, DEFINITION(COLUMN("p", "float"), REFERS("[\"p\"]", "people", "[\"id\"]", "")) },
		{ ROWD_E_SCHEMA_INVALID, DEFINITION(COLUMN("a", "int") COLUMN("n", "text(21)"),
						    REFERS("[\"n\", \"a\"]", "people", "[\"name\", \"age\"]", "")) },
		{ ROWD_E_SCHEMA_INVALID, DEFINITION(COLUMN("a", "int") COLUMN("n", "text(20)"),
						    REFERS("[\"n\", \"a\"]", "people", "[\"age\", \"age\"]", "")) },
		{ ROWD_E_SCHEMA_INVALID, DEFINITION("", REFERS("[\"id\"]", "people", "[\"id\"]", ", \"on_delete\": \"explode\"")) },
		{ ROWD_E_SCHEMA_INVALID, DEFINITION("", REFERS("[\"id\"]", "people", "[\"id\"]", ", \"on_delete\": \"set_null\"")) },
		{ ROWD_E_NOT_PORTABLE, DEFINITION(COLUMN("up", "int"), REFERS("[\"up\"]", "t", "[\"id\"]", ", \"on_delete\": \"cascade\"")) },
		{ ROWD_E_NOT_PORTABLE, DEFINITION(COLUMN("up", "int"), REFERS("[\"up\"]", "t", "[\"id\"]", ", \"on_delete\": \"set_null\"")) },
	};

	start();
	ALL_ARE_REFUSED(list);
	reads(DEFINITION(COLUMN("up", "int"), REFERS("[\"up\"]", "t", "[\"id\"]", ", \"on_delete\": \"restrict\"")));
	end();
}

/* ---- limits ---- */

static enum rowd_code read_formatted(struct table_def *d, const char *columns, const char *rest)
{
	char *text;
	enum rowd_code rc;

	if (asprintf(&text, "{\"columns\": [{\"name\": \"id\", \"type\": \"int\"}%s], \"primary_key\": [\"id\"]%s}", columns, rest) < 0)
		abort();
	rc = read_table("t", text, d);
	free(text);
	return rc;
}

/* n columns c0, c1, ... of a type */
static enum rowd_code read_columns(unsigned n, const char *type)
{
	struct table_def d;
	struct buf b;
	enum rowd_code rc;

	buf_init(&b, 1 << 20);
	for (unsigned i = 0; i < n; i++)
		buf_addf(&b, ", {\"name\": \"c%u\", \"type\": \"%s\"}", i, type);
	buf_add_char(&b, '\0');
	rc = read_formatted(&d, b.data, "");
	buf_fini(&b);
	return rc;
}

TEST(a_hundred_columns_are_the_most)
{
	start();
	assert_int_equal(read_columns(99, "int"), ROWD_OK);
	assert_int_equal(read_columns(100, "int"), ROWD_E_LIMIT);
	assert_int_equal(err.limit, TABLE_MAX_COLUMNS);
	end();
}

TEST(a_row_fits_where_mysql_keeps_it)
{
	start();
	assert_int_equal(read_columns(15, "text(1000)"), ROWD_OK);
	assert_int_equal(read_columns(16, "text(1000)"), ROWD_E_LIMIT);
	assert_int_equal(err.limit, ROW_BOUNDED_MAX_BYTES);
	/* short ones cannot be stored outside of the page, long ones can */
	assert_int_equal(read_columns(66, "text(30)"), ROWD_OK);
	assert_int_equal(read_columns(67, "text(30)"), ROWD_E_NOT_PORTABLE);
	assert_int_equal(read_columns(99, "text(64)"), ROWD_OK);
	assert_int_equal(read_columns(99, "text"), ROWD_OK);
	end();
}

TEST(a_key_has_3072_bytes_at_most)
{
	struct table_def d;

	start();
	assert_int_equal(read_formatted(&d, COLUMN("a", "text(766)"), ", \"indexes\": [[\"a\", \"id\"]]"), ROWD_OK);
	assert_int_equal(read_formatted(&d, COLUMN("a", "text(767)"), ", \"indexes\": [[\"a\", \"id\"]]"), ROWD_E_LIMIT);
	assert_int_equal(err.limit, INDEX_KEY_MAX_BYTES);
	assert_int_equal(read_formatted(&d, COLUMN("a", "bytes(3072)"), ", \"unique\": [[\"a\"]]"), ROWD_OK);
	assert_int_equal(read_formatted(&d, COLUMN("a", "bytes(3073)"), ", \"unique\": [[\"a\"]]"), ROWD_E_LIMIT);
	end();
}

TEST(an_index_has_eight_columns_at_most_and_a_table_32_indexes)
{
	struct table_def d;
	struct buf columns, indexes;

	start();
	buf_init(&columns, 1 << 20);
	buf_init(&indexes, 1 << 20);
	for (unsigned i = 0; i < 33; i++)
		buf_addf(&columns, ", {\"name\": \"c%u\", \"type\": \"int\"}", i);
	buf_add_char(&columns, '\0');
	assert_int_equal(read_formatted(&d, columns.data, ", \"indexes\": [[\"c0\",\"c1\",\"c2\",\"c3\",\"c4\",\"c5\",\"c6\",\"c7\"]]"),
			 ROWD_OK);
	assert_int_equal(read_formatted(&d, columns.data, ", \"indexes\": [[\"c0\",\"c1\",\"c2\",\"c3\",\"c4\",\"c5\",\"c6\",\"c7\",\"c8\"]]"),
			 ROWD_E_LIMIT);
	buf_add_str(&indexes, ", \"indexes\": [[\"c0\"]");
	for (unsigned i = 1; i < 32; i++)
		buf_addf(&indexes, ", [\"c%u\"]", i);
	buf_add_str(&indexes, "]");
	buf_add_char(&indexes, '\0');
	assert_int_equal(read_formatted(&d, columns.data, indexes.data), ROWD_OK);
	indexes.data[indexes.len - 1] = ',';
	buf_add_str(&indexes, " \"unique\": [[\"c32\"]]");
	buf_add_char(&indexes, '\0');
	assert_int_equal(read_formatted(&d, columns.data, indexes.data), ROWD_E_LIMIT);
	assert_int_equal(err.limit, TABLE_MAX_INDEXES);
	buf_fini(&columns);
	buf_fini(&indexes);
	end();
}

static const char child_of[] = DEFINITION(COLUMN("p", "int"), REFERS("[\"p\"]", "%s", "[\"id\"]", ", \"on_delete\": \"cascade\""));

static enum rowd_code make_child(const char *name, const char *parent)
{
	char *text;
	enum rowd_code rc;

	if (asprintf(&text, child_of, parent) < 0)
		abort();
	err_init(&err);
	rc = sample_create(&sample, name, text, &err);
	free(text);
	return rc;
}

TEST(fifteen_tables_in_a_row_are_the_most)
{
	char name[8] = "c1", parent[8] = "c1";

	start();
	made(name, DEFINITION("", ""));
	for (unsigned i = 2; i <= 15; i++) {
		snprintf(name, sizeof name, "c%u", i);
		assert_int_equal(make_child(name, parent), ROWD_OK);
		strcpy(parent, name);
	}
	assert_int_equal(make_child("c16", parent), ROWD_E_LIMIT);
	assert_int_equal(err.limit, FOREIGN_KEY_MAX_DEPTH);
	end();
}

/* Layer on layer, each table referring twice to both of the layer before: 4^14 ways, each table once. */
TEST(many_ways_to_an_ancestor_are_walked_once)
{
	char definition[1024], name[8];

	start();
	made("a1", DEFINITION("", ""));
	made("b1", DEFINITION("", ""));
	for (unsigned i = 2; i <= 15; i++)
		for (const char *side = "ab"; *side; side++) {
			snprintf(definition, sizeof definition,
				 DEFINITION(COLUMN("p", "int") COLUMN("q", "int") COLUMN("r", "int") COLUMN("s", "int"),
					    ", \"foreign_keys\": [{\"columns\": [\"p\"], \"table\": \"a%u\", \"references\": [\"id\"]},"
					    " {\"columns\": [\"q\"], \"table\": \"b%u\", \"references\": [\"id\"]},"
					    " {\"columns\": [\"r\"], \"table\": \"a%u\", \"references\": [\"id\"]},"
					    " {\"columns\": [\"s\"], \"table\": \"b%u\", \"references\": [\"id\"]}]"),
				 i - 1, i - 1, i - 1, i - 1);
			snprintf(name, sizeof name, "%c%u", *side, i);
			made(name, definition);
		}
	assert_int_equal(make_child("c", "a15"), ROWD_E_LIMIT);
	end();
}

TEST(a_circle_that_waits_for_its_last_table_is_not_closed)
{
	start();
	sample_run(&sample, "CREATE TABLE waiting (id INTEGER PRIMARY KEY, p INTEGER REFERENCES Late (id))");
	assert_int_equal(db_reload(sample.x.conn, &err), ROWD_OK);
	sample_look(&sample);
	made("between", DEFINITION(COLUMN("p", "int"), REFERS("[\"p\"]", "waiting", "[\"id\"]", "")));
	assert_int_equal(make_child("late", "between"), ROWD_E_NOT_PORTABLE);
	assert_int_equal(make_child("later", "between"), ROWD_OK);
	end();
}

/* ---- same or not ---- */

static bool same(const char *name, const char *definition)
{
	struct table_def d;

	if (read_table(name, definition, &d))
		fail_msg("%s: %s", definition, err.text);
	return schema_same(&d, catalog_find(sample.catalog, name, strlen(name)));
}

TEST(a_table_is_the_same_or_not)
{
#define MORE COLUMN("p", "int") ", {\"name\": \"n\", \"type\": \"text(5)\", \"default\": \"x\"}"
#define KEY REFERS("[\"p\"]", "people", "[\"id\"]", "")
	static const char was[] = DEFINITION(MORE, KEY ", \"unique\": [[\"n\"], [\"p\", \"n\"]], \"indexes\": [[\"n\", \"p\"]]");
	static const char *const others[] = {
		DEFINITION(MORE, KEY), DEFINITION(MORE, ", \"unique\": [[\"n\"], [\"p\", \"n\"]], \"indexes\": [[\"n\", \"p\"]]"),
		DEFINITION(MORE COLUMN("more", "int"), KEY ", \"unique\": [[\"n\"], [\"p\", \"n\"]], \"indexes\": [[\"n\", \"p\"]]"),
		DEFINITION(COLUMN("p", "int") COLUMN("n", "text(5)"), KEY ", \"unique\": [[\"n\"], [\"p\", \"n\"]], \"indexes\": [[\"n\", \"p\"]]"),
		DEFINITION(MORE, KEY ", \"unique\": [[\"n\"], [\"n\", \"p\"]], \"indexes\": [[\"p\", \"n\"]]"),
		DEFINITION(MORE, REFERS("[\"p\"]", "people", "[\"id\"]", ", \"on_delete\": \"cascade\"")
			   ", \"unique\": [[\"n\"], [\"p\", \"n\"]], \"indexes\": [[\"n\", \"p\"]]"),
	};

	start();
	made("t", was);
	assert_true(same("t", was));
	assert_true(same("t", DEFINITION(MORE, KEY ", \"unique\": [[\"p\", \"n\"], [\"n\"]], \"indexes\": [[\"n\", \"p\"]]")));
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (same("t", others[i]))
			fail_msg("not the same: %s", others[i]);
	end();
}

/* ---- changes ---- */

static enum rowd_code read_column(const struct table *t, const char *definition, struct column_def *out)
{
	const struct schema_context ctx = { sample.catalog, sample.x.limits, sample.x.arena };

	err_init(&err);
	return schema_read_column(&ctx, t, pack(sample.x.arena, definition), out, &err);
}

TEST(a_column_is_added_where_existing_rows_can_have_it)
{
	static const struct refusal list[] = {
		{ ROWD_E_SCHEMA_INVALID, "{\"name\": \"age\", \"type\": \"int\"}" },
		{ ROWD_E_SCHEMA_INVALID, "{\"name\": \"x\", \"type\": \"int\", \"null\": false}" },
		{ ROWD_E_SCHEMA_INVALID, "{\"name\": \"x\", \"type\": \"int\", \"auto\": true}" },
		{ ROWD_E_SCHEMA_INVALID, "{\"name\": \"x\", \"type\": \"what\"}" },
		{ ROWD_E_SCHEMA_INVALID, "{\"name\": \"X\", \"type\": \"int\"}" },
		{ ROWD_E_TYPE_MISMATCH, "{\"name\": \"x\", \"type\": \"int\", \"default\": \"1\"}" },
		{ ROWD_E_BAD_REQUEST, "{\"name\": \"x\"}" }, { ROWD_E_LIMIT, "{\"name\": \"x\", \"type\": \"text(15000)\"}" },
	};
	struct column_def c;

	start();
	for (size_t i = 0; i < sizeof list / sizeof *list; i++)
		if (read_column(sample.people, list[i].definition, &c) != list[i].code)
			fail_msg("%s: %s", list[i].definition, err.text);
	assert_int_equal(read_column(sample.people, "{\"name\": \"x\", \"type\": \"int\", \"null\": false, \"default\": 1}", &c), ROWD_OK);
	assert_false(c.nullable);
	assert_int_equal(c.dflt.u.i, 1);
	end();
}

static enum rowd_code read_index(const struct table *t, const char *columns, struct key_def *out)
{
	const struct schema_context ctx = { sample.catalog, sample.x.limits, sample.x.arena };

	err_init(&err);
	return schema_read_index(&ctx, t, pack(sample.x.arena, columns), false, out, &err);
}

TEST(an_index_is_on_columns_that_have_an_order)
{
	struct key_def k;

	start();
	assert_int_equal(read_index(sample.people, "[\"low\", \"at\"]", &k), ROWD_OK);
	assert_string_equal(k.name, "ix_people_3");
	assert_int_equal(read_index(sample.people, "[\"nick\"]", &k), ROWD_E_SCHEMA_INVALID);
	assert_string_equal(err.column, "nick");
	assert_int_equal(read_index(sample.people, "[]", &k), ROWD_E_SCHEMA_INVALID);
	assert_int_equal(read_index(sample.people, "[\"nope\"]", &k), ROWD_E_UNKNOWN_COLUMN);
	assert_int_equal(read_index(sample.people, "[5]", &k), ROWD_E_BAD_REQUEST);
	assert_non_null(schema_find_index(sample.people, pack(sample.x.arena, "[\"age\"]")));
	assert_non_null(schema_find_index(sample.people, pack(sample.x.arena, "[\"name\", \"age\"]")));
	assert_null(schema_find_index(sample.people, pack(sample.x.arena, "[\"age\", \"name\"]")));
	assert_null(schema_find_index(sample.people, pack(sample.x.arena, "[\"id\"]")));
	assert_null(schema_find_index(sample.people, pack(sample.x.arena, "[]")));
	end();
}

static enum rowd_code drop(const char *table, const char *columns)
{
	const struct table *t = catalog_find(sample.catalog, table, strlen(table));
	const struct key *k = schema_find_index(t, pack(sample.x.arena, columns));

	assert_non_null(k);
	err_init(&err);
	return schema_check_drop_index(t, k, &err);
}

TEST(what_a_foreign_key_rests_on_stays)
{
	start();
	assert_int_equal(schema_check_drop_table(sample.people, &err), ROWD_E_FOREIGN_KEY);
	assert_int_equal(schema_check_drop_table(sample.pets, &err), ROWD_OK);
	made("t", DEFINITION(COLUMN("a", "int") COLUMN("n", "text(20)") COLUMN("p", "int") COLUMN("up", "int"),
			     ", \"foreign_keys\": [{\"columns\": [\"n\", \"a\"], \"table\": \"people\", \"references\": [\"name\", \"age\"]},"
			     " {\"columns\": [\"p\"], \"table\": \"people\", \"references\": [\"id\"]},"
			     " {\"columns\": [\"up\"], \"table\": \"t\", \"references\": [\"id\"]}],"
			     " \"indexes\": [[\"p\"], [\"p\", \"a\"], [\"a\"]]"));
	assert_int_equal(drop("people", "[\"name\", \"age\"]"), ROWD_E_FOREIGN_KEY);
	assert_int_equal(drop("people", "[\"age\"]"), ROWD_OK);
	assert_int_equal(drop("t", "[\"n\", \"a\"]"), ROWD_E_FOREIGN_KEY);
	assert_int_equal(drop("t", "[\"up\"]"), ROWD_E_FOREIGN_KEY);
	assert_int_equal(drop("t", "[\"p\"]"), ROWD_OK);             /* another one serves */
	assert_int_equal(drop("t", "[\"a\"]"), ROWD_OK);
	/* to itself: it may go */
	assert_int_equal(schema_check_drop_table(catalog_find(sample.catalog, "t", 1), &err), ROWD_OK);
	end();
}

TEST(an_index_of_a_tables_own_definition_goes_with_it_only)
{
	start();
	sample_run(&sample, "CREATE TABLE theirs (id INTEGER PRIMARY KEY, a INTEGER UNIQUE)");
	assert_int_equal(db_reload(sample.x.conn, &err), ROWD_OK);
	sample_look(&sample);
	assert_int_equal(drop("theirs", "[\"a\"]"), ROWD_E_UNSUPPORTED);
	end();
}
