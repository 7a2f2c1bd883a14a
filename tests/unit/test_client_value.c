/* What librowd's values look like on the wire, and what becomes of mistakes in them. */
#include "config.h"

#include "unit.h"

#include <math.h>
#include <stdio.h>

#include "fake_rowd.h"
#include "rowd.h"

/* Answers every request with its own parameters, printed. */
static void script_echo(int fd, int n, void *arg)
{
	struct fake_request r;
	char text[sizeof(r.params) + 3];
	size_t len;

	(void)n, (void)arg;
	if (!fake_hello(fd))
		return;
	while (fake_read(fd, &r)) {
		len = strlen(r.params);
		text[0] = (char)0xda;
		text[1] = (char)(len >> 8);
		text[2] = (char)len;
		memcpy(text + 3, r.params, len);
		fake_reply(fd, r.msgid, text, len + 3);
	}
}

static struct fake_rowd *fake;
static struct rowd *conn;

/* v as the daemon sees it. Borrowed until the next call. */
static const char *seen(struct rowd_value *v)
{
	static char text[4096];
	struct rowd_result *r;
	struct rowd_error err;
	const char *s;
	size_t len;

	if (!fake) {
		fake = fake_start(script_echo, NULL);
		assert_int_equal(rowd_connect(fake_path(fake), NULL, &conn, NULL), ROWD_OK);
	}
	if (rowd_call(conn, "x", rowd_array(v), NULL, &r, &err))
		return err.name[0] ? rowd_code_name(err.code) : "?";
	s = rowd_item_str(rowd_result_item(r), &len);
	assert_true(len >= 2 && len < sizeof(text));
	memcpy(text, s + 1, len - 2); /* without the brackets around */
	text[len - 2] = '\0';
	rowd_result_free(r);
	return text;
}

TEST(scalars_are_what_they_say)
{
	assert_string_equal(seen(rowd_null()), "nil");
	assert_string_equal(seen(rowd_bool(true)), "true");
	assert_string_equal(seen(rowd_int(INT64_MIN)), "-9223372036854775808");
	assert_string_equal(seen(rowd_int(INT64_MAX)), "9223372036854775807");
	assert_string_equal(seen(rowd_float(1.5)), "1.500000");
	assert_string_equal(seen(rowd_str("")), "\"\"");
	assert_string_equal(seen(rowd_str("\xc3\xa9")), "\"\xc3\xa9\"");
	assert_string_equal(seen(rowd_strn("abc", 2)), "\"ab\"");
	assert_string_equal(seen(rowd_bin("abc", 3)), "\"abc\"");
	assert_string_equal(seen(rowd_bin(NULL, 0)), "\"\"");
	assert_string_equal(seen(rowd_time(INT64_MIN)), seen(rowd_time(INT64_MIN)));
}

TEST(filters_read_like_the_filter)
{
	static const int64_t ids[] = { 1, 2, 300 };

	assert_string_equal(seen(rowd_and(rowd_gt("age", rowd_int(30)), rowd_like("name", "a%"))),
			    "[\"and\", [\">\", \"age\", 30], [\"like\", \"name\", \"a%\"]]");
	assert_string_equal(
		seen(rowd_or(rowd_eq("a", rowd_int(1)), rowd_ne("a", rowd_int(2)),
			     rowd_not(rowd_is_null("b")))),
		"[\"or\", [\"=\", \"a\", 1], [\"!=\", \"a\", 2], [\"not\", [\"is_null\", \"b\"]]]");
	assert_string_equal(
		seen(rowd_array(rowd_lt("a", rowd_int(1)), rowd_le("a", rowd_int(1)),
				rowd_ge("a", rowd_int(1)), rowd_is("a", rowd_null()),
				rowd_is_not("a", rowd_null()), rowd_not_null("a"))),
		"[[\"<\", \"a\", 1], [\"<=\", \"a\", 1], [\">=\", \"a\", 1], [\"is\", \"a\", nil], "
		"[\"is_not\", \"a\", nil], [\"not_null\", \"a\"]]");
	assert_string_equal(seen(rowd_in("id", rowd_ints(ids, 3))), "[\"in\", \"id\", [1, 2, 300]]");
	assert_string_equal(seen(rowd_not_in("id", rowd_ints(NULL, 0))), "[\"not_in\", \"id\", []]");
	assert_string_equal(seen(rowd_between("a", rowd_int(1), rowd_col("b"))),
			    "[\"between\", \"a\", 1, [\"col\", \"b\"]]");
	assert_string_equal(
		seen(rowd_array(rowd_prefix("a", "x"), rowd_suffix("a", "y"), rowd_contains("a", "z"))),
		"[[\"prefix\", \"a\", \"x\"], [\"suffix\", \"a\", \"y\"], [\"contains\", \"a\", \"z\"]]");
	assert_string_equal(
		seen(rowd_in("u", rowd_selection("id", "users", rowd_eq("a", rowd_int(1))))),
		"[\"in\", \"u\", {\"select\"=>\"id\", \"from\"=>\"users\", \"where\"=>[\"=\", \"a\", 1]}]");
	assert_string_equal(
		seen(rowd_none("users", rowd_eq("id", rowd_outer("u")))),
		"[\"not_exists\", {\"from\"=>\"users\", \"where\"=>[\"=\", \"id\", [\"outer\", \"u\"]]}]");
	assert_string_equal(seen(rowd_some("users", NULL)), "[\"exists\", {\"from\"=>\"users\"}]");
	assert_string_equal(seen(rowd_compute("+", rowd_col("n"), rowd_int(1))),
			    "[\"+\", [\"col\", \"n\"], 1]");
}

TEST(containers_grow_to_any_size)
{
	struct rowd_value *array = rowd_array_new(), *map = rowd_map_new();
	char name[16];
	int64_t i;

	assert_string_equal(seen(rowd_copy(array)), "[]");
	assert_string_equal(seen(rowd_copy(map)), "{}");
	for (i = 0; i < 100000; i++)
		rowd_array_add(array, rowd_int(i));
	for (i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "n%d", (int)i);
		rowd_map_add(map, name, rowd_strs("a", "b"));
	}
	assert_int_equal(rowd_value_check(array), ROWD_OK);
	rowd_value_free(array);
	assert_true(strstr(seen(map), "\"n19\"=>[\"a\", \"b\"]}") != NULL);
}

TEST(a_mistake_is_kept_until_the_call)
{
	struct rowd_value *null = NULL, *v;

	assert_string_equal(seen(rowd_str(NULL)), "bad_request");
	assert_string_equal(seen(rowd_bin(NULL, 1)), "bad_request");
	assert_string_equal(seen(rowd_and(rowd_is_null("a"), null)), "bad_request");
	assert_string_equal(seen(rowd_and(null)), "bad_request");
	assert_string_equal(seen(rowd_map("a", rowd_int(1), "b")), "bad_request");
	assert_string_equal(seen(rowd_map("a", null)), "bad_request");
	assert_string_equal(seen(rowd_strs("a", (const char *)NULL)), "bad_request");
	assert_string_equal(seen(rowd_eq(NULL, rowd_int(1))), "bad_request");
	assert_string_equal(seen(rowd_eq("a", NULL)), "bad_request");
	assert_string_equal(seen(rowd_not(rowd_array(rowd_map("x", rowd_str(NULL))))), "bad_request");
	assert_string_equal(seen(rowd_copy(NULL)), "bad_request");
	assert_string_equal(seen(rowd_from_item(NULL)), "bad_request");
	v = rowd_int(1);
	rowd_array_add(v, rowd_int(2)); /* not an array */
	assert_string_equal(seen(v), "bad_request");
	v = rowd_array_new();
	rowd_map_add(v, "a", rowd_int(2));
	assert_string_equal(seen(v), "bad_request");
	rowd_array_add(NULL, rowd_int(1));
	assert_int_equal(rowd_value_check(NULL), ROWD_E_BAD_REQUEST);
	rowd_value_free(NULL);
}

TEST(to_raw_arrays_and_maps_more_can_be_added)
{
	static const char *const raw[] = {
		"\x91\x01",     "\xdc\x00\x01\x01",     "\xdd\x00\x00\x00\x01\x01",
		"\x81\x01\x02", "\xde\x00\x01\x01\x02", "\xdf\x00\x00\x00\x01\x01\x02"
	};
	static const size_t lens[] = { 2, 4, 6, 3, 5, 7 };
	struct rowd_value *v;
	size_t i;

	for (i = 0; i < 6; i++) {
		v = rowd_raw(raw[i], lens[i]);
		if (i < 3)
			rowd_array_add(v, rowd_str("x"));
		else
			rowd_map_add(v, "x", rowd_null());
		assert_string_equal(seen(v), i < 3 ? "[1, \"x\"]" : "{1=>2, \"x\"=>nil}");
	}
	v = rowd_raw("\x90", 1);
	rowd_map_add(v, "x", rowd_null());
	assert_string_equal(seen(v), "bad_request");
}

TEST(raw_bytes_are_one_whole_value_or_refused)
{
	assert_string_equal(seen(rowd_raw("\x93\x01\x02\xa1x", 5)), "[1, 2, \"x\"]");
	assert_string_equal(seen(rowd_raw("\x07", 1)), "7");
	assert_string_equal(seen(rowd_raw("\x07\x07", 2)), "bad_request");
	assert_string_equal(seen(rowd_raw("\x93\x01\x02", 3)), "bad_request");
	assert_string_equal(seen(rowd_raw("\xc1", 1)), "bad_request");
	assert_string_equal(seen(rowd_raw("", 0)), "bad_request");
	assert_string_equal(seen(rowd_raw(NULL, 3)), "bad_request");
	assert_string_equal(seen(rowd_raw("\xdd\xff\xff\xff\xff", 5)), "bad_request");
}

/* Answers with one value of each kind. */
static void script_kinds(int fd, int n, void *arg)
{
	struct fake_request r;

	(void)n, (void)arg;
	if (!fake_hello(fd) || !fake_read(fd, &r))
		return;
	FAKE_REPLY(fd, r.msgid,
		   "\xdc\x00\x11\xc0\xc2\x05\xcf\xff\xff\xff\xff\xff\xff\xff\xff\xca\x3f\xc0\x00\x00\xa0\xa1x"
		   "\xc4\x00\xc4\x01y\x90\x82\xa0\x01\x02\xa1z\xd4\x05\x00\xd6\xff\x00\x00\x00\x01"
		   "\xd7\xff\x00\x00\x0f\xa0\x00\x00\x00\x02\xd7\xff\xff\xff\xff\xff\x00\x00\x00\x02"
		   "\xd5\xff\x00\x00\xc7\x0c\xff\x00\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff");
	fake_drain(fd);
}

TEST(items_have_kinds_and_are_never_converted)
{
	static const enum rowd_kind kinds[] = {
		ROWD_KIND_NULL,  ROWD_KIND_BOOL,  ROWD_KIND_INT,  ROWD_KIND_OTHER, ROWD_KIND_FLOAT,
		ROWD_KIND_STR,   ROWD_KIND_STR,   ROWD_KIND_BIN,  ROWD_KIND_BIN,   ROWD_KIND_ARRAY,
		ROWD_KIND_MAP,   ROWD_KIND_OTHER, ROWD_KIND_TIME, ROWD_KIND_TIME,  ROWD_KIND_OTHER,
		ROWD_KIND_OTHER, ROWD_KIND_OTHER, ROWD_KIND_NONE,
	};
	struct fake_rowd *f = fake_start(script_kinds, NULL);
	const struct rowd_item *all, *item;
	struct rowd_result *r;
	struct rowd *c;
	int64_t n;
	double d;
	size_t i, len;
	bool b;

	assert_int_equal(rowd_connect(fake_path(f), NULL, &c, NULL), ROWD_OK);
	assert_int_equal(rowd_call(c, "x", NULL, NULL, &r, NULL), ROWD_OK);
	assert_int_equal(rowd_result_rows(r), 0);
	assert_int_equal(rowd_result_columns(r), 0);
	assert_int_equal(rowd_result_count(r), -1);
	all = rowd_result_item(r);
	for (i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		item = rowd_item_at(all, i);
		assert_int_equal(rowd_item_kind(item), kinds[i]);
		assert_int_equal(rowd_item_is_null(item), kinds[i] == ROWD_KIND_NULL);
		assert_int_equal(rowd_item_bool(item, &b), kinds[i] == ROWD_KIND_BOOL);
		assert_int_equal(rowd_item_int(item, &n), kinds[i] == ROWD_KIND_INT);
		assert_int_equal(n, kinds[i] == ROWD_KIND_INT ? 5 : 0);
		assert_int_equal(rowd_item_float(item, &d), kinds[i] == ROWD_KIND_FLOAT);
		assert_true(fabs(d - (kinds[i] == ROWD_KIND_FLOAT ? 1.5 : 0)) < 1e-9);
		assert_int_equal(rowd_item_time(item, &n), kinds[i] == ROWD_KIND_TIME);
		assert_int_equal(rowd_item_str(item, &len) != NULL, kinds[i] == ROWD_KIND_STR);
		assert_int_equal(rowd_item_bin(item, &len) != NULL, kinds[i] == ROWD_KIND_BIN);
	}
	assert_string_equal(rowd_item_str(rowd_item_at(all, 5), NULL), "");
	assert_string_equal(rowd_item_str(rowd_item_at(all, 6), NULL), "x");
	assert_true(rowd_item_time(rowd_item_at(all, 13), &n));
	assert_int_equal(n, 2000001);
	item = rowd_item_at(all, 10);
	assert_int_equal(rowd_item_count(item), 2);
	assert_string_equal(rowd_item_name(item, 0), "");
	assert_null(rowd_item_name(item, 1));
	assert_null(rowd_item_name(item, 2));
	assert_true(rowd_item_int(rowd_item_get(item, ""), &n));
	assert_null(rowd_item_get(item, "z"));
	assert_string_equal(seen(rowd_from_item(item)), "{\"\"=>1, 2=>\"z\"}");
	rowd_result_free(r);
	rowd_result_free(NULL);
	rowd_close(c);
	rowd_close(NULL);
	fake_stop(f);
}

/* The last of them: what they share is put away. */
TEST(names_are_told)
{
	struct rowd_error err;

	assert_string_equal(rowd_code_name(ROWD_E_TOO_LONG), "too_long");
	assert_string_equal(rowd_code_name((enum rowd_code)12345), "internal");
	assert_true(strlen(rowd_code_meaning(ROWD_E_BUSY)) > 5);
	assert_string_equal(rowd_outcome_name(ROWD_UNKNOWN), "unknown");
	assert_string_equal(rowd_version(), PACKAGE_VERSION);
	assert_int_equal(rowd_default_path((char[1]){ 0 }, 1, &err), ROWD_E_LIMIT);
	rowd_close(conn);
	fake_stop(fake);
}
