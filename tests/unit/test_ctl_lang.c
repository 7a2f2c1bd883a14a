#include "config.h"

#include "client/ctl/lang.h"

#include <stdio.h>

#include "tests/unit/unit.h"

/* users: id int, age int, name text(40), price decimal(10,2), paid bool, rate float, born time, raw bytes */
static const struct type *column_type(void *arg, const char *table, const char *column)
{
	static const struct {
		const char *name;
		struct type type;
	} users[] = {
		{ "id", { .kind = TYPE_INT } },
		{ "age", { .kind = TYPE_INT } },
		{ "name", { .kind = TYPE_TEXT, .length = 40 } },
		{ "price", { .kind = TYPE_DECIMAL, .digits = 10, .scale = 2 } },
		{ "paid", { .kind = TYPE_BOOL } },
		{ "rate", { .kind = TYPE_FLOAT } },
		{ "born", { .kind = TYPE_TIME } },
		{ "raw", { .kind = TYPE_BYTES } },
	};
	static const struct type bans_until = { .kind = TYPE_TIME };

	(void)arg;
	for (size_t i = 0; !strcmp(table, "users") && i < sizeof users / sizeof *users; i++)
		if (!strcmp(users[i].name, column))
			return &users[i].type;
	return !strcmp(table, "bans") && !strcmp(column, "until") ? &bans_until : NULL;
}

static bool read_list(void *arg, const char *path, const struct type *type, struct json_object *list,
		      char *why, size_t why_size)
{
	(void)arg;
	if (strcmp(path, "ids.txt")) {
		snprintf(why, why_size, "no such file");
		return false;
	}
	json_object_array_add(list, json_object_new_int(type && type->kind == TYPE_INT));
	return true;
}

static const struct lang_env env = { .column_type = column_type, .read_list = read_list };

static void json_is(struct json_object *got, const char *json)
{
	assert_string_equal(
		json_object_to_json_string_ext(got, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
		json);
	json_object_put(got);
}

static void filter_is(const char *text, const char *json)
{
	struct json_object *got;
	struct lang_err err = { 0 };

	if (!lang_filter(text, "users", &env, &got, &err))
		fail_msg("%s: %s at %zu", text, err.text, err.at);
	json_is(got, json);
}

static void filter_fails(const char *text, size_t at, const char *words)
{
	struct json_object *got = NULL;
	struct lang_err err = { 0 };

	if (lang_filter(text, "users", &env, &got, &err))
		fail_msg("%s was understood as %s", text, json_object_to_json_string(got));
	if (err.at != at || !strstr(err.text, words))
		fail_msg("%s: %s at %zu", text, err.text, err.at);
}

TEST(comparisons_become_arrays)
{
	filter_is("age > 30", "[\">\",\"age\",30]");
	filter_is("age>=-30", "[\">=\",\"age\",-30]");
	filter_is("age <> 1", "[\"!=\",\"age\",1]");
	filter_is("age == +1", "[\"=\",\"age\",1]");
	filter_is("name = 'Ada'", "[\"=\",\"name\",\"Ada\"]");
	filter_is("age < id", "[\"<\",\"age\",[\"col\",\"id\"]]");
	filter_is("users.age < users.id", "[\"<\",\"age\",[\"col\",\"id\"]]");
	filter_is("paid = true", "[\"=\",\"paid\",true]");
	filter_is("age between 1 and 2", "[\"between\",\"age\",1,2]");
}

TEST(and_binds_tighter_than_or)
{
	filter_is("age = 1 or age = 2 and id = 3",
		  "[\"or\",[\"=\",\"age\",1],[\"and\",[\"=\",\"age\",2],[\"=\",\"id\",3]]]");
	filter_is("(age = 1 or age = 2) and id = 3",
		  "[\"and\",[\"or\",[\"=\",\"age\",1],[\"=\",\"age\",2]],[\"=\",\"id\",3]]");
	filter_is("id = 1 and id = 2 and id = 3",
		  "[\"and\",[\"=\",\"id\",1],[\"=\",\"id\",2],[\"=\",\"id\",3]]");
	filter_is("age between 1 and 2 and id = 3", "[\"and\",[\"between\",\"age\",1,2],[\"=\",\"id\",3]]");
}

TEST(not_binds_tighter_than_and)
{
	filter_is("not age = 1 and id = 2", "[\"and\",[\"not\",[\"=\",\"age\",1]],[\"=\",\"id\",2]]");
	filter_is("not not (age = 1)", "[\"not\",[\"not\",[\"=\",\"age\",1]]]");
	filter_is("name not like 'a%'", "[\"not\",[\"like\",\"name\",\"a%\"]]");
	filter_is("age not between 1 and 2", "[\"not\",[\"between\",\"age\",1,2]]");
	filter_is("age not in (1)", "[\"not_in\",\"age\",[1]]");
}

TEST(keywords_are_in_any_case)
{
	filter_is("AGE IN (1) AND Name IS NOT NULL",
		  "[\"and\",[\"in\",\"AGE\",[1]],[\"not_null\",\"Name\"]]");
}

TEST(null_is_asked_for_with_is)
{
	filter_is("name is null", "[\"is_null\",\"name\"]");
	filter_is("name is not null", "[\"not_null\",\"name\"]");
	filter_is("age is 5", "[\"is\",\"age\",5]");
	filter_is("age is not id", "[\"is_not\",\"age\",[\"col\",\"id\"]]");
	filter_fails("name = null", 7, "name is null");
	filter_fails("name != null", 8, "name is not null");
	filter_fails("age in (1, null)", 11, "no null");
}

TEST(lists_have_any_length)
{
	filter_is("age in ()", "[\"in\",\"age\",[]]");
	filter_is("age in (1, -2, 3)", "[\"in\",\"age\",[1,-2,3]]");
	filter_is("id in @ids.txt and age = 1", "[\"and\",[\"in\",\"id\",[1]],[\"=\",\"age\",1]]");
	filter_is("id in @\"ids.txt\"", "[\"in\",\"id\",[1]]");
	filter_fails("id in @nowhere", 6, "no such file");
	filter_fails("id in (1 2)", 9, "\",\"");
	filter_fails("id in 1", 6, "\"(\"");
}

TEST(patterns_keep_their_escapes)
{
	filter_is("name like \"a\\%b\\_%\"", "[\"like\",\"name\",\"a\\\\%b\\\\_%\"]");
	filter_is("name prefix 'a'", "[\"prefix\",\"name\",\"a\"]");
	filter_is("name suffix 'a'", "[\"suffix\",\"name\",\"a\"]");
	filter_is("name contains 'a'", "[\"contains\",\"name\",\"a\"]");
	filter_is("prefix prefix 'a'", "[\"prefix\",\"prefix\",\"a\"]");
}

TEST(selections_have_their_own_columns)
{
	filter_is(
		"id in (select user_id from bans where until > \"2026-01-01\" and id = outer.age)",
		"[\"in\",\"id\",{\"select\":\"user_id\",\"from\":\"bans\",\"where\":"
		"[\"and\",[\">\",\"until\",\"2026-01-01T00:00:00Z\"],[\"=\",\"id\",[\"outer\",\"age\"]]]}]");
	filter_is("id not in (select user_id from bans)",
		  "[\"not_in\",\"id\",{\"select\":\"user_id\",\"from\":\"bans\"}]");
	filter_is("exists (from bans where user_id = users.id)",
		  "[\"exists\",{\"from\":\"bans\",\"where\":[\"=\",\"user_id\",[\"outer\",\"id\"]]}]");
	filter_is("not exists (select 1 from bans)", "[\"not_exists\",{\"from\":\"bans\"}]");
	filter_is("exists (select * from other.bans)", "[\"exists\",{\"from\":\"other.bans\"}]");
	filter_is("not (exists (from bans)) and id = 1",
		  "[\"and\",[\"not\",[\"exists\",{\"from\":\"bans\"}]],[\"=\",\"id\",1]]");
	filter_fails("id = outer.age", 5, "no level");
	filter_fails("id in (select from bans)", 14, "one column");
	filter_fails("exists (from bans where outer.id = 1)", 33, "stands on the right");
}

TEST(literals_take_the_type_of_their_column)
{
	filter_is("name = 30", "[\"=\",\"name\",\"30\"]");
	filter_is("name = 007", "[\"=\",\"name\",\"007\"]");
	filter_is("price >= 9.50", "[\">=\",\"price\",\"9.50\"]");
	filter_is("price between -1 and 12345678901234567.89",
		  "[\"between\",\"price\",\"-1\",\"12345678901234567.89\"]");
	filter_is("paid = 1", "[\"=\",\"paid\",true]");
	filter_is("born < '2026-01-31'", "[\"<\",\"born\",\"2026-01-31T00:00:00Z\"]");
	filter_is("born < '2026-01-31 12:00:00Z'", "[\"<\",\"born\",\"2026-01-31 12:00:00Z\"]");
	filter_is("raw = x'00ff'", "[\"=\",\"raw\",{\"$bin\":\"AP8=\"}]");
	filter_is("stranger = 30", "[\"=\",\"stranger\",30]");
	filter_is("age = '30'", "[\"=\",\"age\",\"30\"]");
}

TEST(ints_and_floats_stay_what_they_are)
{
	filter_is("age = 9223372036854775807", "[\"=\",\"age\",9223372036854775807]");
	filter_is("age = -9223372036854775808", "[\"=\",\"age\",-9223372036854775808]");
	filter_fails("age = 9223372036854775808", 6, "2^63");
	filter_is("age = 1.5", "[\"=\",\"age\",1.5]");
	filter_fails("rate = 1e999", 7, "range");
}

TEST(strings_and_names_can_hold_anything)
{
	filter_is("name = \"it's \\\"so\\\"\\n\\u20ac\\u{1f600}\"",
		  "[\"=\",\"name\",\"it's \\\"so\\\"\\n\xe2\x82\xac\xf0\x9f\x98\x80\"]");
	filter_is("name = 'it''s'", "[\"=\",\"name\",\"it's\"]");
	filter_is("name = ''", "[\"=\",\"name\",\"\"]");
	filter_is("`not` = 1 and `a``b c` = 2", "[\"and\",[\"=\",\"not\",1],[\"=\",\"a`b c\",2]]");
	filter_fails("name = \"open", 7, "no closing");
	filter_fails("name = \"\\q\"", 8, "unknown escape");
	filter_fails("name = \"\\u0000\"", 8, "U+0000");
	filter_fails("name = x'0'", 7, "hexadecimal");
	filter_fails("age = 30x", 6, "quotes");
}

TEST(json_is_passed_through)
{
	filter_is("[\"in\", \"id\", [1, 2.0]]", "[\"in\",\"id\",[1,2.0]]");
	filter_is(" {\"id\": 1}", "{\"id\":1}");
	filter_fails("{\"id\": 1, \"id\": 2}", 0, "twice");
	filter_fails("{\"id\": }", 7, "JSON");
}

TEST(an_empty_text_is_no_filter)
{
	struct json_object *got;
	struct lang_err err;

	assert_true(lang_filter("  ", "users", &env, &got, &err));
	assert_null(got);
}

TEST(errors_point_at_their_place)
{
	filter_fails("age >", 5, "the text ends");
	filter_fails("age > and id = 1", 6, "behind >");
	filter_fails("age", 3, "an operator");
	filter_fails("30 < age", 0, "values stand on the right");
	filter_fails("age = 1 id = 2", 8, "and, or");
	filter_fails("(age = 1", 8, "\")\"");
	filter_fails("age = 1)", 7, "and, or");
	filter_fails("age = 1 and", 11, "column");
	filter_fails("age not 5", 8, "behind not");
	filter_fails("age ; 5", 4, "means nothing");
	filter_fails("and = 5", 0, "column");
}

TEST(the_caret_stands_under_the_place)
{
	struct lang_err err = { .at = 6 };
	struct buf b;

	buf_init(&b, 1000);
	lang_err_show(&b, "\xc3\xa4ge =\nx", &err);
	buf_add_char(&b, '\0');
	assert_string_equal(b.data, "  \xc3\xa4ge = x\n       ^\n");
	buf_clear(&b);
	err.at = 300;
	lang_err_show(&b, "0123456789012345678901234567890123456789012345678901234567890123456789", &err);
	buf_add_char(&b, '\0');
	assert_string_equal(b.data, "  ...01234567890123456789012345678901234567890123456789\n"
				    "                                                       ^\n");
	buf_fini(&b);
}

TEST(depth_has_a_limit)
{
	char text[1024];
	struct json_object *got;
	struct lang_err err;

	memset(text, '(', sizeof text);
	text[sizeof text - 1] = '\0';
	assert_false(lang_filter(text, "users", &env, &got, &err));
	assert_non_null(strstr(err.text, "deeply"));
}

static void set_is(const char *text, const char *json)
{
	struct json_object *set = json_object_new_object();
	struct lang_err err = { 0 };

	if (!lang_set(text, "users", &env, set, &err))
		fail_msg("%s: %s at %zu", text, err.text, err.at);
	json_is(set, json);
}

static void set_fails(const char *text, size_t at, const char *words)
{
	struct json_object *set = json_object_new_object();
	struct lang_err err = { 0 };

	assert_false(lang_set(text, "users", &env, set, &err));
	json_object_put(set);
	if (err.at != at || !strstr(err.text, words))
		fail_msg("%s: %s at %zu", text, err.text, err.at);
}

TEST(assignments_set_literals_and_compute)
{
	set_is("age = age + 1, name = \"x\"", "{\"age\":[\"+\",[\"col\",\"age\"],1],\"name\":\"x\"}");
	set_is("price=price*2", "{\"price\":[\"*\",[\"col\",\"price\"],\"2\"]}");
	set_is("age = age -1", "{\"age\":[\"-\",[\"col\",\"age\"],1]}");
	set_is("name = null", "{\"name\":null}");
	set_is("{\"age\": 3}", "{\"age\":3}");
	set_fails("name = Ada", 7, "quotes");
	set_fails("age = 1, age = 2", 9, "twice");
	set_fails("age 1", 4, "\"=\"");
	set_fails("age = 1 name = 2", 8, "\",\"");
	set_fails("", 0, "column");
}

TEST(values_are_typed_by_their_place)
{
	static const struct type text = { .kind = TYPE_TEXT }, decimal = { .kind = TYPE_DECIMAL };
	const struct type *types[] = { &text, &decimal };
	struct json_object *values = json_object_new_array();
	struct lang_err err;

	assert_true(lang_values("30, 1.5, 7, null", types, 2, values, &err));
	json_is(values, "[\"30\",\"1.5\",7,null]");
	values = json_object_new_array();
	assert_false(lang_values("30 7", types, 2, values, &err));
	json_object_put(values);
}

TEST(aggregates_are_named)
{
	struct json_object *compute = json_object_new_object();
	struct lang_err err;

	assert_true(lang_compute("total = sum(price), count, n=count(*), min(age)", compute, &err));
	json_is(compute,
		"{\"total\":[\"sum\",\"price\"],\"count\":[\"count\"],\"n\":[\"count\"],\"min_age\":[\"min\",\"age\"]}");
	compute = json_object_new_object();
	assert_false(lang_compute("total = sum(price", compute, &err));
	assert_false(lang_compute("total = ", compute, &err));
	assert_false(lang_compute("sum(a) sum(b)", compute, &err));
	json_object_put(compute);
}
