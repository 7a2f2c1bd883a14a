#include "config.h"

#include "client/ctl/rows.h"

#include "client/ctl/coldef.h"
#include "client/ctl/words.h"

#include "tests/unit/unit.h"

static struct column columns[] = {
	{ (char *)"id", { .kind = TYPE_INT }, false },
	{ (char *)"name", { .kind = TYPE_TEXT }, true },
	{ (char *)"price", { .kind = TYPE_DECIMAL, .digits = 10, .scale = 2 }, true },
	{ (char *)"paid", { .kind = TYPE_BOOL }, true },
	{ (char *)"rate", { .kind = TYPE_FLOAT }, true },
	{ (char *)"raw", { .kind = TYPE_BYTES }, true },
	{ (char *)"born", { .kind = TYPE_TIME }, true },
};
static const struct schema schema = { .table = (char *)"users", .columns = columns, .ncolumns = 7 };

/* All rows of a text, one JSON a line; an error ends them with "!line". */
static void rows_are(enum rows_format format, const char *text, const struct schema *of, const char *expected)
{
	FILE *f = fmemopen((char *)text, strlen(text), "r");
	struct json_object *row;
	enum rows_status status = ROWS_ERROR;
	struct rows rows;
	struct buf got;

	buf_init(&got, 10000);
	if (rows_open(&rows, format, f, of))
		while ((status = rows_next(&rows, &row)) == ROWS_ROW) {
			buf_addf(&got, "%d:%s\n", (int)rows.line,
				 json_object_to_json_string_ext(row, JSON_C_TO_STRING_PLAIN));
			json_object_put(row);
		}
	if (status == ROWS_ERROR)
		buf_addf(&got, "!%d", (int)rows.line);
	buf_add_char(&got, '\0');
	assert_string_equal(got.data, expected);
	rows_close(&rows);
	buf_fini(&got);
	fclose(f);
}

TEST(csv_fields_take_the_type_of_their_column)
{
	rows_are(ROWS_CSV, "id,name,price,paid,rate,raw,born\n1,30,9.50,true,1,x'00ff',2026-01-31\n", &schema,
		 "2:{\"id\":1,\"name\":\"30\",\"price\":\"9.50\",\"paid\":true,\"rate\":1.0,"
		 "\"raw\":{\"$bin\":\"AP8=\"},\"born\":\"2026-01-31T00:00:00Z\"}\n");
}

TEST(csv_nothing_is_null_and_quotes_are_an_empty_text)
{
	rows_are(ROWS_CSV, "id,name\n1,\n2,\"\"\n,x\n", &schema,
		 "2:{\"id\":1,\"name\":null}\n3:{\"id\":2,\"name\":\"\"}\n4:{\"name\":\"x\"}\n");
}

TEST(csv_quotes_hold_commas_quotes_and_lines)
{
	rows_are(ROWS_CSV, "name,id\r\n\"a,\"\"b\"\"\r\nc\",1\r\nplain,2", &schema,
		 "2:{\"name\":\"a,\\\"b\\\"\\r\\nc\",\"id\":1}\n4:{\"name\":\"plain\",\"id\":2}\n");
}

TEST(csv_errors_tell_the_line)
{
	rows_are(ROWS_CSV, "id,name\n1,a\n\n2,\"multi\nline\"\nx,b\n", &schema,
		 "2:{\"id\":1,\"name\":\"a\"}\n4:{\"id\":2,\"name\":\"multi\\nline\"}\n!6");
	rows_are(ROWS_CSV, "id,name\n1,a,b\n", &schema, "!2");
	rows_are(ROWS_CSV, "id,name\n1,\"open\n", &schema, "!2");
	rows_are(ROWS_CSV, "id,name\n1,a\"b\n", &schema, "!2");
	rows_are(ROWS_CSV, "id,name\n1,\"a\"b\n", &schema, "!2");
	rows_are(ROWS_CSV, "id,name\n9223372036854775808,\n", &schema, "!2");
}

TEST(csv_headers_are_checked)
{
	rows_are(ROWS_CSV, "", &schema, "!0");
	rows_are(ROWS_CSV, "id,id\n", &schema, "!0");
	rows_are(ROWS_CSV, "id,stranger\n", &schema, "!0");
	rows_are(ROWS_CSV, "\xef\xbb\xbfid\n1\n", &schema, "2:{\"id\":1}\n");
}

TEST(csv_without_a_schema_goes_out_as_it_looks)
{
	rows_are(ROWS_CSV, "a,b,c\n1,2.5,x\n", NULL, "2:{\"a\":1,\"b\":2.5,\"c\":\"x\"}\n");
}

TEST(json_lines_are_rows)
{
	rows_are(ROWS_JSON, "{\"id\":1}\n\n  {\"id\":2}", &schema, "1:{\"id\":1}\n3:{\"id\":2}\n");
	rows_are(ROWS_JSON, "\n\n{\"id\":1}\n{\"id\":\n", &schema, "3:{\"id\":1}\n!4");
	rows_are(ROWS_JSON, "{\"id\":1}\n5\n", &schema, "1:{\"id\":1}\n!2");
	rows_are(ROWS_JSON, "", &schema, "");
}

TEST(a_json_array_is_rows_too)
{
	rows_are(ROWS_JSON, " [{\"id\":1},\n{\"id\":2}]\n", &schema, "1:{\"id\":1}\n2:{\"id\":2}\n");
	rows_are(ROWS_JSON, "[{\"id\":1}", &schema, "!0");
}

TEST(json_numbers_for_decimals_keep_their_spelling)
{
	rows_are(ROWS_JSON, "{\"price\":0.10,\"rate\":0.10}", &schema,
		 "1:{\"price\":\"0.10\",\"rate\":0.10}\n");
	rows_are(ROWS_JSON, "{\"price\":7,\"id\":7}", &schema, "1:{\"price\":\"7\",\"id\":7}\n");
}

/* ---- what else is read from a command line ---- */

static void words_are(const char *line, const char *expected)
{
	struct words w;
	struct buf got;
	const char *why;

	buf_init(&got, 1000);
	assert_true(words_split(&w, line, &why));
	for (int i = 0; i < w.argc; i++)
		buf_addf(&got, "%s|", w.argv[i]);
	buf_add_char(&got, '\0');
	assert_string_equal(got.data, expected);
	words_fini(&w);
	buf_fini(&got);
}

TEST(lines_are_split_as_sh_does)
{
	const char *why;
	struct words w;

	words_are("delete users 'age > 30'\n", "delete|users|age > 30|");
	words_are("  a\\ b \"c \\\"d\\\" \\n\" '' e'f'g", "a b|c \"d\" \\n||efg|");
	words_are("", "");
	assert_false(words_split(&w, "a 'b", &why));
	words_fini(&w);
}

static void column_is(const char *text, const char *expected)
{
	struct lang_err err;
	struct coldef d;

	if (!coldef_parse(&d, text, &err))
		fail_msg("%s: %s at %zu", text, err.text, err.at);
	assert_string_equal(json_object_to_json_string_ext(d.column, JSON_C_TO_STRING_PLAIN), expected);
	coldef_fini(&d);
}

static void column_fails(const char *text, size_t at)
{
	struct lang_err err;
	struct coldef d;

	assert_false(coldef_parse(&d, text, &err));
	assert_int_equal(err.at, at);
	coldef_fini(&d);
}

TEST(columns_are_declared_as_in_sql)
{
	column_is("id int auto primary key", "{\"name\":\"id\",\"type\":\"int\",\"auto\":true}");
	column_is("name TEXT( 40 ) not null default 'x'",
		  "{\"name\":\"name\",\"type\":\"text(40)\",\"null\":false,\"default\":\"x\"}");
	column_is("price decimal(10, 2) default -1.50",
		  "{\"name\":\"price\",\"type\":\"decimal(10,2)\",\"default\":\"-1.50\"}");
	column_is("paid bool default false", "{\"name\":\"paid\",\"type\":\"bool\",\"default\":false}");
	column_is("{\"name\": \"id\"}", "{\"name\":\"id\"}");
	column_fails("id", 2);
	column_fails("id integer", 3);
	column_fails("id int unqiue", 7);
	column_fails("name text(40", 12);
}

TEST(columns_may_refer_to_a_table)
{
	struct lang_err err;
	struct coldef d;

	assert_true(coldef_parse(&d, "user_id int references users(id) on delete set null unique", &err));
	assert_string_equal(
		json_object_to_json_string_ext(d.foreign_key, JSON_C_TO_STRING_PLAIN),
		"{\"columns\":[\"user_id\"],\"table\":\"users\",\"references\":[\"id\"],\"on_delete\":\"set_null\"}");
	assert_true(d.unique);
	coldef_fini(&d);
}
