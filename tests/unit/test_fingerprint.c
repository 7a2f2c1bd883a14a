#include "config.h"

#include <string.h>

#include "proto/fingerprint.h"
#include "proto/uuid.h"

#include "tests/unit/unit.h"

/* The fingerprint of one encoded value. */
static fingerprint of(const char *bytes, size_t len)
{
	msgpack_unpacked u;
	size_t off = 0;
	fingerprint f;

	msgpack_unpacked_init(&u);
	assert_int_equal(msgpack_unpack_next(&u, bytes, len, &off), MSGPACK_UNPACK_SUCCESS);
	f = fingerprint_object(fingerprint_start(), &u.data);
	msgpack_unpacked_destroy(&u);
	return f;
}

#define OF(literal) of(literal, sizeof(literal) - 1)

TEST(fingerprint_is_fnv1a_128)
{
	static const uint8_t of_a[] = { 0xd2, 0x28, 0xcb, 0x69, 0x6f, 0x1a, 0x8c, 0xaf,
					0x78, 0x91, 0x2b, 0x70, 0x4e, 0x4a, 0x89, 0x64 };
	uint8_t out[FINGERPRINT_BYTES];

	fingerprint_write(fingerprint_bytes(fingerprint_start(), "a", 1), out);
	assert_memory_equal(out, of_a, sizeof(out));
}

TEST(fingerprint_sees_meaning_not_bytes)
{
	assert_true(OF("\x07") == OF("\xcd\x00\x07"));                              /* 7, 7 as uint16 */
	assert_true(OF("\x82\xa1" "a\x01\xa1" "b\x02") == OF("\x82\xa1" "b\x02\xa1" "a\x01"));
	assert_false(OF("\x07") == OF("\xa1\x07"));                                 /* an int is no str */
	assert_false(OF("\xa1x") == OF("\xc4\x01x"));                               /* a str is no bin */
	assert_false(OF("\x92\x01\x02") == OF("\x92\x02\x01"));                     /* arrays have an order */
	assert_false(OF("\x82\xa1" "a\x01\xa1" "b\x02") == OF("\x82\xa1" "a\x02\xa1" "b\x01"));
	assert_false(OF("\x92\x91\x01\x02") == OF("\x92\x01\x91\x02"));
	assert_false(OF("\x92\xa1" "a\xa1" "b") == OF("\x91\xa2" "ab"));
}

TEST(uuid_is_parsed_strictly)
{
	static const char text[] = "0190b6f0-1234-7abc-8DEF-0123456789ab";
	uint8_t id[UUID_BYTES];

	assert_true(uuid_parse(text, strlen(text), id));
	assert_memory_equal(id, "\x01\x90\xb6\xf0\x12\x34\x7a\xbc\x8d\xef\x01\x23\x45\x67\x89\xab", 16);
	assert_int_equal(uuid_time_ms(id), 0x0190b6f01234);
	assert_false(uuid_parse(text, strlen(text) - 1, id));
	assert_false(uuid_parse("0190b6f0-1234-7abc-8def-0123456789ag", 36, id));
	assert_false(uuid_parse("0190b6f001234-7abc-8def-0123456789ab", 36, id));
	assert_false(uuid_parse("0190b6f0-1234-7abc-8def00123456789ab", 36, id));
	assert_true(uuid_parse("f47ac10b-58cc-4372-a567-0e02b2c3d479", 36, id));
	assert_int_equal(uuid_time_ms(id), -1);
}
