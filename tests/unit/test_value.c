#include "config.h"

#include "proto/value.h"

#include <math.h>

#include "tests/unit/unit.h"

#define LIT(s) (s), sizeof(s) - 1

static const struct type t_int = { .kind = TYPE_INT }, t_bool = { .kind = TYPE_BOOL },
			 t_float = { .kind = TYPE_FLOAT }, t_time = { .kind = TYPE_TIME },
			 t_any = { .kind = TYPE_ANY }, t_text = { .kind = TYPE_TEXT },
			 t_text3 = { .kind = TYPE_TEXT, .length = 3 }, t_bytes = { .kind = TYPE_BYTES },
			 t_bytes3 = { .kind = TYPE_BYTES, .length = 3 },
			 t_dec = { .kind = TYPE_DECIMAL, .digits = 5, .scale = 2 };

/* One encoded object as a value of type t, values of at most 100 bytes. Strings are borrowed from data. */
static enum rowd_code read_as(const struct type *t, const char *data, size_t len, bool check_length,
			      struct value *out, struct err *err)
{
	static msgpack_unpacked u;
	static bool inited;
	size_t off = 0;

	if (!inited) {
		msgpack_unpacked_init(&u);
		inited = true;
	}
	err_init(err);
	assert_int_equal(msgpack_unpack_next(&u, data, len, &off), MSGPACK_UNPACK_SUCCESS);
	assert_int_equal(off, len);
	return value_from_wire(&u.data, t, 100, check_length, out, err);
}

static struct value good(const struct type *t, const char *data, size_t len)
{
	struct value v;
	struct err err;

	assert_int_equal(read_as(t, data, len, true, &v, &err), ROWD_OK);
	return v;
}

static void bad(const struct type *t, const char *data, size_t len, enum rowd_code code)
{
	struct value v = { .kind = VALUE_LIST };
	struct err err;

	assert_int_equal(read_as(t, data, len, true, &v, &err), code);
	assert_int_equal(err.code, code);
	assert_true(err.text[0] != '\0');
	assert_int_equal(v.kind, VALUE_LIST);
}

/* v written is exactly these bytes. */
static void assert_wire(struct value v, const char *expected, size_t len)
{
	struct buf b;

	buf_init(&b, 1000);
	value_to_wire(&b, &v);
	assert_false(b.failed);
	assert_int_equal(b.len, len);
	assert_memory_equal(b.data, expected, len);
	buf_fini(&b);
}

static void round_trip(const struct type *t, const char *data, size_t len)
{
	assert_wire(good(t, data, len), data, len);
}

/* ---- types ---- */

static void assert_type(const char *name)
{
	struct type t, again;
	struct err err;
	char out[TYPE_TEXT_BYTES];

	assert_int_equal(type_parse(name, strlen(name), &t, &err), ROWD_OK);
	assert_string_equal(type_format(&t, out), name);
	assert_int_equal(type_parse(out, strlen(out), &again, &err), ROWD_OK);
	assert_true(type_equal(&t, &again));
}

TEST(type_names_are_read_and_written_alike)
{
	static const char *const names[] = { "int",         "bool",         "float",         "time",
					     "text",        "bytes",        "text(1)",       "text(40)",
					     "text(15000)", "bytes(60000)", "decimal(10,2)", "decimal(18,18)",
					     "decimal(1,0)" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_type(names[i]);
}

TEST(type_names_that_are_none_are_refused)
{
	static const char *const names[] = { "",
					     "(",
					     "()",
					     "Int",
					     "int ",
					     " int",
					     "int(5)",
					     "in",
					     "integer",
					     "any",
					     "text()",
					     "text(0)",
					     "text(-1)",
					     "text(+1)",
					     "text(01)",
					     "text(15001)",
					     "text(4294967297)",
					     "text(99999999999999999999)",
					     "text(1",
					     "text(1))",
					     "text 1",
					     "text(1)x",
					     "bytes(60001)",
					     "bytes(1,1)",
					     "decimal",
					     "decimal(",
					     "decimal()",
					     "decimal(5)",
					     "decimal(19,0)",
					     "decimal(0,0)",
					     "decimal(2,3)",
					     "decimal(2,)",
					     "decimal(,2)",
					     "decimal(2, 1)",
					     "decimal(2,1)x",
					     "decimal(2,1" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct type t;
		struct err err;

		assert_int_equal(type_parse(names[i], strlen(names[i]), &t, &err), ROWD_E_SCHEMA_INVALID);
		assert_true(err.text[0] != '\0');
	}
}

TEST(type_name_need_not_end_in_nul)
{
	struct type t;
	struct err err;

	assert_int_equal(type_parse("text(40)", 4, &t, &err), ROWD_OK);
	assert_int_equal(t.length, 0);
	assert_int_equal(type_parse("text(40)", 7, &t, &err), ROWD_E_SCHEMA_INVALID);
	assert_int_equal(type_parse(NULL, 0, &t, &err), ROWD_E_SCHEMA_INVALID);
}

TEST(type_equality_looks_at_what_counts)
{
	assert_false(type_equal(&t_text, &t_text3));
	assert_false(type_equal(&t_text3, &t_bytes3));
	assert_false(type_equal(&t_dec, &(struct type){ .kind = TYPE_DECIMAL, .digits = 5, .scale = 1 }));
	assert_true(type_equal(&t_int, &(struct type){ .kind = TYPE_INT, .length = 7 }));
}

TEST(type_key_bytes_are_those_of_an_index)
{
	assert_int_equal(type_key_bytes(&t_int), 8);
	assert_int_equal(type_key_bytes(&t_bool), 1);
	assert_int_equal(type_key_bytes(&t_text3), 12);
	assert_int_equal(type_key_bytes(&t_bytes3), 3);
	assert_int_equal(type_key_bytes(&t_text), 0);
	assert_true(type_is_orderable(&t_text3));
	assert_true(type_is_orderable(&t_dec));
	assert_false(type_is_orderable(&t_text));
	assert_false(type_is_orderable(&t_bytes));
}

/* ---- values in ---- */

TEST(value_nil_is_null_for_every_type)
{
	assert_int_equal(good(&t_int, LIT("\xc0")).kind, VALUE_NULL);
	assert_int_equal(good(&t_any, LIT("\xc0")).kind, VALUE_NULL);
}

TEST(value_int_takes_every_width_up_to_63_bits)
{
	assert_int_equal(good(&t_int, LIT("\xcf\x00\x00\x00\x00\x00\x00\x00\x05")).u.i, 5);
	assert_int_equal(good(&t_int, LIT("\xd3\xff\xff\xff\xff\xff\xff\xff\xff")).u.i, -1);
	assert_true(good(&t_int, LIT("\xd3\x80\x00\x00\x00\x00\x00\x00\x00")).u.i == INT64_MIN);
	assert_true(good(&t_int, LIT("\xcf\x7f\xff\xff\xff\xff\xff\xff\xff")).u.i == INT64_MAX);
	bad(&t_int, LIT("\xcf\x80\x00\x00\x00\x00\x00\x00\x00"), ROWD_E_OUT_OF_RANGE);
	bad(&t_int, LIT("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), ROWD_E_OUT_OF_RANGE);
	bad(&t_any, LIT("\xcf\x80\x00\x00\x00\x00\x00\x00\x00"), ROWD_E_OUT_OF_RANGE);
}

TEST(value_of_another_type_is_never_converted)
{
	static const struct {
		const struct type *due;
		const char *fits; /* the first byte of a wire form that may come */
	} rows[] = {
		{ &t_int, "\x05\xff" }, { &t_bool, "\xc2\xc3" }, { &t_float, "\xcb\x05\xff" },
		{ &t_text, "\xa1" },    { &t_bytes, "\xc4" },    { &t_dec, "" },
		{ &t_time, "\xd6" },
	};
	static const struct {
		const char *data;
		size_t len;
	} wire[] = {
		{ LIT("\x05") },
		{ LIT("\xff") },
		{ LIT("\xc2") },
		{ LIT("\xc3") },
		{ LIT("\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00") },
		{ LIT("\xa1"
		      "5") },
		{ LIT("\xc4\x01"
		      "5") },
		{ LIT("\xd6\xff\x00\x00\x00\x01") },
		{ LIT("\xd6\x01\x00\x00\x00\x01") },
		{ LIT("\x91\x05") },
		{ LIT("\x81\xa1x\x05") },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t j = 0; j < sizeof(wire) / sizeof(wire[0]); j++) {
			bool other_ext = wire[j].len > 1 && wire[j].data[1] == 1 && wire[j].data[0] == '\xd6';

			if (rows[i].due == &t_dec && wire[j].data[0] == '\xa1')
				continue; /* "5" is a decimal */
			if (strchr(rows[i].fits, wire[j].data[0]) && !other_ext)
				good(rows[i].due, wire[j].data, wire[j].len);
			else
				bad(rows[i].due, wire[j].data, wire[j].len, ROWD_E_TYPE_MISMATCH);
		}
	}
}

TEST(value_refusal_names_what_was_due_and_what_came)
{
	struct value v;
	struct err err;

	(void)read_as(&t_int,
		      LIT("\xa1"
			  "5"),
		      true, &v, &err);
	assert_string_equal(err.text, "an int is due, a str came");
	(void)read_as(&t_text, LIT("\x90"), true, &v, &err);
	assert_string_equal(err.text, "a str is due, an array came");
	(void)read_as(&t_text3,
		      LIT("\xa4"
			  "abcd"),
		      true, &v, &err);
	assert_string_equal(err.text, "at most 3 characters are due, 4 came");
}

TEST(value_float_takes_what_it_can_hold_exactly)
{
	assert_true(good(&t_float, LIT("\xca\x3f\x80\x00\x00")).u.f == 1.0);
	assert_true(good(&t_float, LIT("\x05")).u.f == 5.0);
	assert_true(good(&t_float, LIT("\xcf\x00\x20\x00\x00\x00\x00\x00\x00")).u.f == 9007199254740992.0);
	assert_true(good(&t_float, LIT("\xd3\xff\xe0\x00\x00\x00\x00\x00\x00")).u.f == -9007199254740992.0);
	bad(&t_float, LIT("\xcf\x00\x20\x00\x00\x00\x00\x00\x01"), ROWD_E_OUT_OF_RANGE);
	bad(&t_float, LIT("\xd3\xff\xdf\xff\xff\xff\xff\xff\xff"), ROWD_E_OUT_OF_RANGE);
	bad(&t_float, LIT("\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), ROWD_E_OUT_OF_RANGE);
	bad(&t_float, LIT("\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00"), ROWD_E_OUT_OF_RANGE);
	bad(&t_float, LIT("\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"), ROWD_E_OUT_OF_RANGE);
	bad(&t_float, LIT("\xca\xff\x80\x00\x00"), ROWD_E_OUT_OF_RANGE);
	bad(&t_any, LIT("\xcb\x7f\xf8\x00\x00\x00\x00\x00\x00"), ROWD_E_OUT_OF_RANGE);
	assert_false(signbit(good(&t_float, LIT("\xcb\x80\x00\x00\x00\x00\x00\x00\x00")).u.f));
	round_trip(&t_float, LIT("\xcb\x00\x00\x00\x00\x00\x00\x00\x01"));
}

TEST(value_text_is_strict_utf8_and_counts_characters)
{
	struct value v;
	struct err err;

	round_trip(&t_text3, LIT("\xa0"));
	assert_non_null(good(&t_text, LIT("\xa0")).u.s.data);
	round_trip(&t_text3, LIT("\xa9\xe2\x82\xac\xe2\x82\xac\xe2\x82\xac"));
	bad(&t_text3,
	    LIT("\xa4"
		"abcd"),
	    ROWD_E_TOO_LONG);
	assert_int_equal(read_as(&t_text3,
				 LIT("\xa4"
				     "abcd"),
				 false, &v, &err),
			 ROWD_OK);
	bad(&t_text, LIT("\xa1\xff"), ROWD_E_INVALID_TEXT);
	bad(&t_text, LIT("\xa1\x00"), ROWD_E_INVALID_TEXT);
	bad(&t_any, LIT("\xa1\xff"), ROWD_E_INVALID_TEXT);
}

TEST(value_bytes_may_hold_anything_of_their_length)
{
	round_trip(&t_bytes3, LIT("\xc4\x03\x00\xff\x00"));
	round_trip(&t_bytes, LIT("\xc4\x00"));
	assert_non_null(good(&t_bytes, LIT("\xc4\x00")).u.s.data);
	bad(&t_bytes3,
	    LIT("\xc4\x04"
		"abcd"),
	    ROWD_E_TOO_LONG);
}

TEST(value_past_the_limit_is_refused_whatever_its_column)
{
	char wire[2 + 101] = "\xd9\x65";

	memset(wire + 2, 'x', 101);
	bad(&t_text, wire, sizeof(wire), ROWD_E_LIMIT);
	bad(&t_text3, wire, sizeof(wire), ROWD_E_LIMIT);
	bad(&t_any, wire, sizeof(wire), ROWD_E_LIMIT);
	wire[1] = 100;
	good(&t_text, wire, sizeof(wire) - 1);
	wire[0] = '\xc4';
	good(&t_bytes, wire, sizeof(wire) - 1);
	wire[1] = 101;
	bad(&t_bytes, wire, sizeof(wire), ROWD_E_LIMIT);
}

TEST(value_any_passes_things_as_they_are)
{
	round_trip(&t_any, LIT("\xc3"));
	round_trip(&t_any, LIT("\x05"));
	round_trip(&t_any, LIT("\xa1x"));
	round_trip(&t_any, LIT("\xc4\x01x"));
	round_trip(&t_any, LIT("\xd6\xff\x00\x00\x00\x01"));
	bad(&t_any, LIT("\xd6\x01\x00\x00\x00\x01"), ROWD_E_TYPE_MISMATCH);
	bad(&t_any, LIT("\x90"), ROWD_E_TYPE_MISMATCH);
	bad(&t_any, LIT("\x80"), ROWD_E_TYPE_MISMATCH);
}

/* ---- decimals ---- */

static void assert_decimal(const char *in, int64_t scaled, const char *out)
{
	char wire[64], text[24];
	struct value v;
	size_t len = strlen(in);

	wire[0] = (char)(0xa0 | len);
	memcpy(wire + 1, in, len);
	v = good(&t_dec, wire, len + 1);
	assert_int_equal(v.kind, VALUE_DECIMAL);
	assert_int_equal(v.scale, 2);
	assert_true(v.u.i == scaled);
	assert_int_equal(value_decimal_format(v.u.i, v.scale, text), strlen(out));
	assert_memory_equal(text, out, strlen(out));
}

TEST(decimal_is_read_and_written_with_exactly_its_decimals)
{
	assert_decimal("-12.50", -1250, "-12.50");
	assert_decimal("12.5", 1250, "12.50");
	assert_decimal("12", 1200, "12.00");
	assert_decimal("0", 0, "0.00");
	assert_decimal("-0", 0, "0.00");
	assert_decimal("-0.00", 0, "0.00");
	assert_decimal("0.05", 5, "0.05");
	assert_decimal("-0.05", -5, "-0.05");
	assert_decimal("999.99", 99999, "999.99");
	assert_decimal("-999.99", -99999, "-999.99");
}

TEST(decimal_that_does_not_fit_or_is_none_is_told_apart)
{
	static const char *const none[] = { "",    "-",        ".",       "-.",     ".5",   "5.",
					    "+5",  " 5",       "5 ",      "1e3",    "0x5",  "1,5",
					    "--5", "05",       "00",      "1.2.3",  "1.-2", "nan",
					    "inf", "\xd9\xa3", "999999.", "1.0000x" };
	static const char *const wide[] = {
		"1000", "-1000", "1000.00", "0.001", "0.000", "1.001", "99999999999999999999999"
	};
	char wire[64];

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		wire[0] = (char)(0xa0 | strlen(none[i]));
		memcpy(wire + 1, none[i], strlen(none[i]));
		bad(&t_dec, wire, strlen(none[i]) + 1, ROWD_E_TYPE_MISMATCH);
	}
	for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++) {
		wire[0] = (char)(0xa0 | strlen(wide[i]));
		memcpy(wire + 1, wide[i], strlen(wide[i]));
		bad(&t_dec, wire, strlen(wide[i]) + 1, ROWD_E_OUT_OF_RANGE);
	}
}

TEST(decimal_parse_and_format_agree_at_every_scale)
{
	static const int64_t scaled[] = {
		0, 1, -1, 9, 10, 99, 100, -12345, 999999999999999999, -999999999999999999
	};

	for (uint8_t scale = 0; scale <= 18; scale++) {
		for (size_t i = 0; i < sizeof(scaled) / sizeof(scaled[0]); i++) {
			char text[24];
			size_t len = value_decimal_format(scaled[i], scale, text);
			int64_t again = 7;

			assert_true(len <= sizeof(text));
			assert_true(value_decimal_parse(text, len, scale, &again));
			assert_true(again == scaled[i]);
		}
	}
}

TEST(decimal_format_holds_the_widest_int)
{
	char text[24];

	assert_int_equal(value_decimal_format(INT64_MIN, 2, text), 21);
	assert_memory_equal(text, "-92233720368547758.08", 21);
	assert_int_equal(value_decimal_format(INT64_MIN, 18, text), 21);
	assert_memory_equal(text, "-9.223372036854775808", 21);
}

TEST(decimal_parse_refuses_eighteen_digits_and_one)
{
	int64_t v;

	assert_true(value_decimal_parse(LIT("999999999999999999"), 0, &v));
	assert_false(value_decimal_parse(LIT("1000000000000000000"), 0, &v));
	assert_false(value_decimal_parse(LIT("1"), 18, &v));
	assert_true(value_decimal_parse(LIT("0.999999999999999999"), 18, &v));
}

/* ---- times ---- */

static void assert_time(const char *in, int64_t micros)
{
	char wire[64];
	size_t len = strlen(in);
	struct value v;

	wire[0] = '\xd9';
	wire[1] = (char)len;
	memcpy(wire + 2, in, len);
	v = good(&t_time, wire, len + 2);
	assert_int_equal(v.kind, VALUE_TIME);
	assert_true(v.u.i == micros);
}

static void refuse_time(const char *in, enum rowd_code code)
{
	char wire[64];
	size_t len = strlen(in);

	wire[0] = '\xd9';
	wire[1] = (char)len;
	memcpy(wire + 2, in, len);
	bad(&t_time, wire, len + 2, code);
}

TEST(time_is_read_from_rfc_3339)
{
	assert_time("1970-01-01T00:00:00Z", 0);
	assert_time("1970-01-01t00:00:00z", 0);
	assert_time("1970-01-01 00:00:00Z", 0);
	assert_time("1969-12-31T23:59:59.999999Z", -1);
	assert_time("2024-02-29T12:34:56.5Z", INT64_C(1709210096500000));
	assert_time("2024-02-29T12:34:56.500000000Z", INT64_C(1709210096500000));
	assert_time("2024-02-29T13:34:56.5+01:00", INT64_C(1709210096500000));
	assert_time("2024-02-29T07:04:56.5-05:30", INT64_C(1709210096500000));
	assert_time("0001-01-01T00:00:00Z", VALUE_TIME_MIN);
	assert_time("9999-12-31T23:59:59.999999Z", VALUE_TIME_MAX);
	assert_time("2000-02-29T00:00:00-00:00", INT64_C(951782400000000));
}

TEST(time_that_is_none_is_a_mismatch)
{
	static const char *const none[] = { "",
					    "now",
					    "2024-02-29",
					    "2024-02-29T12:34:56",
					    "2024-02-29 12:34:56",
					    "2024-02-29T12:34Z",
					    "2024-2-29T12:34:56Z",
					    "24-02-29T12:34:56Z",
					    "2024-02-30T00:00:00Z",
					    "2023-02-29T00:00:00Z",
					    "1900-02-29T00:00:00Z",
					    "2024-13-01T00:00:00Z",
					    "2024-00-01T00:00:00Z",
					    "2024-01-00T00:00:00Z",
					    "2024-01-32T00:00:00Z",
					    "2024-01-01T24:00:00Z",
					    "2024-01-01T00:60:00Z",
					    "2024-01-01T00:00:61Z",
					    "2024-01-01T00:00:00.Z",
					    "2024-01-01T00:00:00,5Z",
					    "2024-01-01T00:00:00ZZ",
					    "2024-01-01T00:00:00+24:00",
					    "2024-01-01T00:00:00+01:60",
					    "2024-01-01T00:00:00+0100",
					    "2024-01-01T00:00:00+01",
					    "+2024-01-01T00:00:00Z",
					    "-001-01-01T00:00:00Z",
					    "2024-01-01T00:00:00 Z",
					    " 2024-01-01T00:00:00Z",
					    "12024-01-01T00:00:00Z",
					    "2024-01-01X00:00:00Z",
					    "1234567890" };

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		refuse_time(none[i], ROWD_E_TYPE_MISMATCH);
}

TEST(time_out_of_range_or_too_fine_is_told_apart)
{
	refuse_time("0000-12-31T23:59:59Z", ROWD_E_OUT_OF_RANGE);
	refuse_time("0001-01-01T00:00:00+00:01", ROWD_E_OUT_OF_RANGE);
	refuse_time("0000-12-31T23:59:59-01:00", ROWD_E_OUT_OF_RANGE);
	refuse_time("9999-12-31T23:59:59-00:01", ROWD_E_OUT_OF_RANGE);
	refuse_time("2024-01-01T00:00:00.1234567Z", ROWD_E_OUT_OF_RANGE);
	refuse_time("2016-12-31T23:59:60Z", ROWD_E_OUT_OF_RANGE);
}

TEST(time_is_read_from_timestamps_of_three_sizes)
{
	assert_true(good(&t_time, LIT("\xd6\xff\x00\x00\x00\x01")).u.i == 1000000);
	assert_true(good(&t_time, LIT("\xd6\xff\xff\xff\xff\xff")).u.i == INT64_C(4294967295000000));
	/* 500,000 ns and 2^34-1 s in 64 bits */
	assert_true(good(&t_time, LIT("\xd7\xff\x00\x1e\x84\x83\xff\xff\xff\xff")).u.i ==
		    INT64_C(17179869183000500));
	assert_true(good(&t_time, LIT("\xc7\x0c\xff\x00\x00\x03\xe8\xff\xff\xff\xff\xff\xff\xff\xff")).u.i ==
		    -999999);
	/* wider than need be */
	assert_true(good(&t_time, LIT("\xc7\x04\xff\x00\x00\x00\x01")).u.i == 1000000);
	assert_true(good(&t_time, LIT("\xc7\x0c\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01")).u.i ==
		    1000000);
}

TEST(time_from_a_bad_timestamp_is_refused)
{
	bad(&t_time, LIT("\xd4\xff\x00"), ROWD_E_TYPE_MISMATCH);
	bad(&t_time, LIT("\xc7\x00\xff"), ROWD_E_TYPE_MISMATCH);
	bad(&t_time, LIT("\xd8\xff\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
	    ROWD_E_TYPE_MISMATCH);
	/* 1 ns */
	bad(&t_time, LIT("\xd7\xff\x00\x00\x00\x04\x00\x00\x00\x01"), ROWD_E_OUT_OF_RANGE);
	/* 10^9 ns: in 64 and 96 bits */
	bad(&t_time, LIT("\xd7\xff\xee\x6b\x28\x00\x00\x00\x00\x00"), ROWD_E_OUT_OF_RANGE);
	bad(&t_time, LIT("\xc7\x0c\xff\x3b\x9a\xca\x00\x00\x00\x00\x00\x00\x00\x00\x00"),
	    ROWD_E_OUT_OF_RANGE);
	/* year 10000, year 0, and the far ends */
	bad(&t_time, LIT("\xc7\x0c\xff\x00\x00\x00\x00\x00\x00\x00\x3a\xff\xf4\x41\x80"),
	    ROWD_E_OUT_OF_RANGE);
	bad(&t_time, LIT("\xc7\x0c\xff\x00\x00\x00\x00\xff\xff\xff\xf1\x88\x6e\x08\xff"),
	    ROWD_E_OUT_OF_RANGE);
	bad(&t_time, LIT("\xc7\x0c\xff\x00\x00\x00\x00\x7f\xff\xff\xff\xff\xff\xff\xff"),
	    ROWD_E_OUT_OF_RANGE);
	bad(&t_time, LIT("\xc7\x0c\xff\x00\x00\x00\x00\x80\x00\x00\x00\x00\x00\x00\x00"),
	    ROWD_E_OUT_OF_RANGE);
}

static struct value time_value(int64_t micros)
{
	return (struct value){ .kind = VALUE_TIME, .u.i = micros };
}

TEST(time_is_written_in_the_smallest_timestamp)
{
	assert_wire(time_value(0), LIT("\xd6\xff\x00\x00\x00\x00"));
	assert_wire(time_value(INT64_C(4294967295000000)), LIT("\xd6\xff\xff\xff\xff\xff"));
	assert_wire(time_value(INT64_C(4294967296000000)), LIT("\xd7\xff\x00\x00\x00\x01\x00\x00\x00\x00"));
	assert_wire(time_value(1), LIT("\xd7\xff\x00\x00\x0f\xa0\x00\x00\x00\x00"));
	assert_wire(time_value(INT64_C(17179869183000500)), LIT("\xd7\xff\x00\x1e\x84\x83\xff\xff\xff\xff"));
	assert_wire(time_value(INT64_C(17179869184000000)),
		    LIT("\xc7\x0c\xff\x00\x00\x00\x00\x00\x00\x00\x04\x00\x00\x00\x00"));
	assert_wire(time_value(-1), LIT("\xc7\x0c\xff\x3b\x9a\xc6\x18\xff\xff\xff\xff\xff\xff\xff\xff"));
	assert_wire(time_value(-1000000),
		    LIT("\xc7\x0c\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"));
}

TEST(time_storage_form_is_read_and_written_alike)
{
	static const int64_t micros[] = { 0,
					  -1,
					  1,
					  VALUE_TIME_MIN,
					  VALUE_TIME_MAX,
					  INT64_C(1709210096500000),
					  INT64_C(-62135596799999999),
					  INT64_C(951782400000000) };
	char text[27];
	int64_t again;

	for (size_t i = 0; i < sizeof(micros) / sizeof(micros[0]); i++) {
		value_time_format(micros[i], text);
		assert_int_equal(strlen(text), 26);
		assert_int_equal(value_time_parse(text, 26, &again), 0);
		assert_true(again == micros[i]);
	}
	value_time_format(INT64_C(1709210096500000), text);
	assert_string_equal(text, "2024-02-29 12:34:56.500000");
	value_time_format(VALUE_TIME_MIN, text);
	assert_string_equal(text, "0001-01-01 00:00:00.000000");
	value_time_format(VALUE_TIME_MAX, text);
	assert_string_equal(text, "9999-12-31 23:59:59.999999");
}

TEST(time_of_every_day_is_itself_again)
{
	char text[27], before[27] = "";
	int64_t again;

	for (int64_t day = VALUE_TIME_MIN / 86400000000; day <= VALUE_TIME_MAX / 86400000000; day += 1) {
		value_time_format(day * 86400000000, text);
		assert_true(strcmp(before, text) < 0);
		assert_int_equal(value_time_parse(text, 26, &again), 0);
		assert_true(again == day * 86400000000);
		memcpy(before, text, sizeof(before));
	}
}

/* ---- UTF-8 ---- */

TEST(utf8_accepts_the_edges_of_every_range)
{
	size_t chars;

	assert_true(utf8_valid(NULL, 0, &chars));
	assert_int_equal(chars, 0);
	assert_true(utf8_valid(LIT("\x01\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf"
				   "\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"),
			       &chars));
	assert_int_equal(chars, 10);
	assert_true(
		utf8_valid(LIT("plain text of more than eight bytes, then \xc3\xa9 and more text"), &chars));
	assert_int_equal(chars, 57);
	assert_true(utf8_valid(LIT("abc"), NULL));
}

TEST(utf8_refuses_what_is_none)
{
	static const char *const none[] = { "\x80",
					    "\xbf",
					    "\xc0\x80",
					    "\xc1\xbf",
					    "\xc2",
					    "\xc2\x41",
					    "\xe0\x9f\xbf",
					    "\xe0\xa0",
					    "\xed\xa0\x80",
					    "\xed\xbf\xbf",
					    "\xef\xbf",
					    "\xf0\x8f\xbf\xbf",
					    "\xf4\x90\x80\x80",
					    "\xf5\x80\x80\x80",
					    "\xff",
					    "\xfe",
					    "\xf0\x90\x80",
					    "\xe2\x82\x41",
					    "\xf0\x90\x41\x80",
					    "\xf0\x90\x80\x41" };
	char text[40];

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
		for (size_t at = 0; at < 20; at++) {
			memset(text, 'x', sizeof(text));
			memcpy(text + at, none[i], strlen(none[i]));
			assert_false(utf8_valid(text, at + strlen(none[i]), NULL));
			assert_false(utf8_valid(text, sizeof(text), NULL) && none[i][0] != '\xc2');
		}
	}
	for (size_t at = 0; at < 20; at++) {
		memset(text, 'x', sizeof(text));
		text[at] = '\0';
		assert_false(utf8_valid(text, sizeof(text), NULL));
		text[at] = '\x80';
		assert_false(utf8_valid(text, sizeof(text), NULL));
	}
}

/* ---- order ---- */

TEST(value_order_is_null_first_then_by_bytes_or_number)
{
	struct value null = value_null(), a = value_text("a", 1), ab = value_text("ab", 2),
		     b = value_text("b", 1), high = value_text("\xc3\xa9", 2), less = value_int(INT64_MIN),
		     more = value_int(INT64_MAX), f = { .kind = VALUE_FLOAT, .u.f = -1.5 },
		     g = { .kind = VALUE_FLOAT, .u.f = 0.5 };

	assert_true(value_compare(&null, &a) < 0);
	assert_true(value_compare(&a, &null) > 0);
	assert_int_equal(value_compare(&null, &null), 0);
	assert_true(value_compare(&a, &ab) < 0);
	assert_true(value_compare(&b, &ab) > 0);
	assert_true(value_compare(&b, &high) < 0);
	assert_true(value_compare(&less, &more) < 0);
	assert_true(value_compare(&f, &g) < 0);
	assert_true(value_equal(&a, &a));
	assert_false(value_equal(&a, &ab));
	assert_false(value_equal(&a, &null));
	assert_true(value_equal(&null, &null));
	assert_true(value_equal(&more, &more));
}

/* ---- writing ---- */

/* What msgpack-c's packer writes is the shortest form too; two opinions are better than one. */
static void assert_as_packer(int64_t v)
{
	msgpack_sbuffer sb;
	msgpack_packer pk;
	struct buf b;

	msgpack_sbuffer_init(&sb);
	msgpack_packer_init(&pk, &sb, msgpack_sbuffer_write);
	msgpack_pack_int64(&pk, v);
	msgpack_pack_uint64(&pk, (uint64_t)v);
	msgpack_pack_array(&pk, (size_t)(uint32_t)v);
	msgpack_pack_map(&pk, (size_t)(uint32_t)v);
	msgpack_pack_double(&pk, (double)v);
	buf_init(&b, 1000);
	wire_int(&b, v);
	wire_uint(&b, (uint64_t)v);
	wire_array(&b, (uint32_t)v);
	wire_map(&b, (uint32_t)v);
	wire_float(&b, (double)v);
	assert_int_equal(b.len, sb.size);
	assert_memory_equal(b.data, sb.data, sb.size);
	buf_fini(&b);
	msgpack_sbuffer_destroy(&sb);
}

TEST(wire_numbers_are_written_in_the_shortest_form)
{
	for (int bit = 0; bit < 64; bit++) {
		for (int64_t d = -2; d <= 2; d++) {
			int64_t v = (int64_t)((UINT64_C(1) << bit) + (uint64_t)d);

			assert_as_packer(v);
			assert_as_packer((int64_t)(0 - (uint64_t)v));
		}
	}
	for (int64_t v = -300; v < 300; v++)
		assert_as_packer(v);
}

TEST(wire_strings_are_written_in_the_shortest_form)
{
	static const size_t lens[] = { 0, 1, 31, 32, 33, 255, 256, 257, 65535, 65536, 65537 };
	static char text[65537];

	memset(text, 'x', sizeof(text));
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		msgpack_sbuffer sb;
		msgpack_packer pk;
		struct buf b;

		msgpack_sbuffer_init(&sb);
		msgpack_packer_init(&pk, &sb, msgpack_sbuffer_write);
		msgpack_pack_str(&pk, lens[i]);
		msgpack_pack_str_body(&pk, text, lens[i]);
		msgpack_pack_bin(&pk, lens[i]);
		msgpack_pack_bin_body(&pk, text, lens[i]);
		buf_init(&b, sb.size);
		wire_str(&b, text, lens[i]);
		wire_bin(&b, text, lens[i]);
		assert_false(b.failed);
		assert_int_equal(b.len, sb.size);
		assert_memory_equal(b.data, sb.data, sb.size);
		buf_fini(&b);
		buf_init(&b, sb.size - 1);
		wire_str(&b, text, lens[i]);
		wire_bin(&b, text, lens[i]);
		assert_true(b.failed);
		buf_fini(&b);
		msgpack_sbuffer_destroy(&sb);
	}
}

TEST(wire_fills_a_buffer_to_its_last_byte)
{
	for (size_t max = 0; max <= 9; max++) {
		struct buf b;

		buf_init(&b, max);
		wire_int(&b, INT64_MIN);
		assert_int_equal(b.failed, max < 9);
		assert_int_equal(b.len, max < 9 ? 0 : 9);
		buf_fini(&b);
	}
}

TEST(wire_array_closed_is_as_one_whose_length_was_known)
{
	static const uint32_t counts[] = { 0, 1, 15, 16, 65535, 65536 };

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct buf a, b;
		size_t open;

		buf_init(&a, 1000000);
		buf_init(&b, 1000000);
		wire_nil(&a);
		wire_nil(&b);
		open = wire_array_open(&a);
		wire_array(&b, counts[i]);
		for (uint32_t n = 0; n < counts[i]; n++) {
			wire_uint(&a, n);
			wire_uint(&b, n);
		}
		wire_array_close(&a, open, counts[i]);
		wire_bool(&a, true);
		wire_bool(&b, true);
		assert_false(a.failed);
		assert_int_equal(a.len, b.len);
		assert_memory_equal(a.data, b.data, a.len);
		buf_fini(&a);
		buf_fini(&b);
	}
}

TEST(wire_array_that_did_not_fit_stays_failed)
{
	struct buf b;
	size_t open;

	buf_init(&b, 4);
	open = wire_array_open(&b);
	wire_array_close(&b, open, 0);
	assert_true(b.failed);
	buf_fini(&b);
}
