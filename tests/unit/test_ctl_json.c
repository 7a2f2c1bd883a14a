#include "config.h"

#include "client/ctl/json.h"

#include "tests/unit/unit.h"

static struct json_object *parsed(const char *text)
{
	struct json_object *o;
	char why[120];
	size_t at;

	if (!json_parse(text, strlen(text), &o, &at, why, sizeof why))
		fail_msg("%s: %s at %zu", text, why, at);
	return o;
}

static void packs_as(const char *text, const char *bytes, size_t len)
{
	struct json_object *o = parsed(text);
	char why[120] = "";
	struct buf b;

	buf_init(&b, 1000);
	if (!json_pack(&b, o, why, sizeof why))
		fail_msg("%s: %s", text, why);
	assert_int_equal(b.len, len);
	assert_memory_equal(b.data, bytes, len);
	buf_fini(&b);
	json_object_put(o);
}

#define PACKS_AS(text, bytes) packs_as(text, bytes, sizeof bytes - 1)

static void pack_fails(const char *text, const char *words)
{
	struct json_object *o = parsed(text);
	char why[120] = "";
	struct buf b;

	buf_init(&b, 1000);
	assert_false(json_pack(&b, o, why, sizeof why));
	assert_non_null(strstr(why, words));
	buf_fini(&b);
	json_object_put(o);
}

static void parse_fails(const char *text, size_t at, const char *words)
{
	struct json_object *o;
	char why[120] = "";
	size_t got = 0;

	if (json_parse(text, strlen(text), &o, &got, why, sizeof why))
		fail_msg("%s was understood as %s", text, json_object_to_json_string(o));
	if (got != at || !strstr(why, words))
		fail_msg("%s: %s at %zu", text, why, got);
}

TEST(json_packs_in_the_shortest_form)
{
	PACKS_AS("null", "\xc0");
	PACKS_AS("[true,false]", "\x92\xc3\xc2");
	PACKS_AS("5", "\x05");
	PACKS_AS("-5", "\xfb");
	PACKS_AS(" 256 ", "\xcd\x01\x00");
	PACKS_AS("\"h\\u00e4\"", "\xa3h\xc3\xa4");
	PACKS_AS("{\"a\":[1]}", "\x81\xa1"
				"a\x91\x01");
	PACKS_AS("{}", "\x80");
}

TEST(ints_stay_ints_and_floats_floats)
{
	PACKS_AS("1.0", "\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00");
	PACKS_AS("1e0", "\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00");
	PACKS_AS("9223372036854775807", "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff");
	PACKS_AS("-9223372036854775808", "\xd3\x80\x00\x00\x00\x00\x00\x00\x00");
	PACKS_AS("9223372036854775808", "\xcf\x80\x00\x00\x00\x00\x00\x00\x00");
}

TEST(an_int_past_64_bits_is_refused_not_bent)
{
	parse_fails("18446744073709551616", 0, "64 bits");
	parse_fails("[-9223372036854775809]", 1, "64 bits");
	json_object_put(parsed("[1e300, 99999999999999999999.5, \"99999999999999999999\"]"));
}

TEST(bytes_and_times_are_wrapped)
{
	PACKS_AS("{\"$bin\":\"AP8=\"}", "\xc4\x02\x00\xff");
	PACKS_AS("{\"$bin\":\"\"}", "\xc4\x00");
	PACKS_AS("{\"$time\":\"1970-01-01T00:00:01Z\"}", "\xd6\xff\x00\x00\x00\x01");
	PACKS_AS("{\"$bin\":\"AP8=\",\"a\":1}", "\x82\xa4$bin\xa4"
						"AP8=\xa1"
						"a\x01");
	pack_fails("{\"$bin\":\"AP8\"}", "base64");
	pack_fails("{\"$bin\":\"A=8=\"}", "base64");
	pack_fails("{\"$time\":\"yesterday\"}", "no time");
	pack_fails("[{\"$time\":\"2026-01-01T00:00:00.1234567Z\"}]", "microseconds");
}

TEST(what_is_no_json_is_refused)
{
	parse_fails("", 0, "end of data");
	parse_fails("[1", 2, "end of data");
	parse_fails("[1] 2", 4, "JSON");
	parse_fails("{'a':1}", 1, "JSON");
	parse_fails("[1,]", 3, "JSON");
	parse_fails("\"\xff\"", 1, "JSON");
}

TEST(a_nul_ends_nothing_in_silence)
{
	struct json_object *o;
	char why[120];
	size_t at;

	assert_false(json_parse("[1]\0[2]", 7, &o, &at, why, sizeof why));
	assert_false(json_parse("\"a\0b\"", 5, &o, &at, why, sizeof why));
}

TEST(a_key_given_twice_is_refused)
{
	parse_fails("{\"a\":1,\"a\":2}", 0, "twice");
	parse_fails("[{\"b\":{\"a\":1,\"a\":2}}]", 0, "twice");
	json_object_put(parsed("[{\"a:\":\":\\\":\"},{\"a:\":1}]"));
}

static void float_is(double v, const char *text)
{
	struct buf b;

	buf_init(&b, 100);
	json_write_float(&b, v);
	buf_add_char(&b, '\0');
	assert_string_equal(b.data, text);
	buf_fini(&b);
}

TEST(floats_are_written_so_that_they_read_back_as_floats)
{
	float_is(0.1, "0.1");
	float_is(1, "1.0");
	float_is(1e300, "1e+300");
	float_is(1.0 / 3, "0.3333333333333333");
	float_is(5e-324, "4.94065645841247e-324");
}

TEST(strings_are_written_escaped)
{
	struct buf b;

	buf_init(&b, 100);
	json_write_string(&b, "a\"\\\n\x1b\x7f\0\xc3\xa4", 9);
	buf_add_char(&b, '\0');
	assert_string_equal(b.data, "\"a\\\"\\\\\\n\\u001b\\u007f\\u0000\xc3\xa4\"");
	buf_fini(&b);
}

TEST(base64_reads_what_it_wrote)
{
	for (size_t len = 0; len < 64; len++) {
		struct buf text, back;
		char data[64];

		for (size_t i = 0; i < len; i++)
			data[i] = (char)(i * 37 + len);
		buf_init(&text, 200);
		buf_init(&back, 200);
		base64_write(&text, data, len);
		assert_true(base64_read(&back, text.data ? text.data : "", text.len));
		assert_int_equal(back.len, len);
		assert_true(!len || !memcmp(back.data, data, len));
		buf_fini(&text);
		buf_fini(&back);
	}
}
