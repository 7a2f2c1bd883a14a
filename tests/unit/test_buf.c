#include "config.h"

#include "base/buf.h"

#include "tests/unit/unit.h"

TEST(buf_init_allocates_nothing)
{
	struct buf b;

	buf_init(&b, 100);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	buf_fini(&b);
}

TEST(buf_grows_to_its_ceiling_and_not_past_it)
{
	struct buf b;

	buf_init(&b, 1000);
	for (int i = 0; i < 1000; i++)
		buf_add_char(&b, 'x');
	assert_false(b.failed);
	assert_int_equal(b.len, 1000);
	assert_int_equal(b.cap, 1000);
	buf_add_char(&b, 'y');
	assert_true(b.failed);
	assert_int_equal(b.len, 1000);
	buf_fini(&b);
}

TEST(buf_failure_is_sticky_and_appends_nothing)
{
	struct buf b;

	buf_init(&b, 10);
	buf_add_str(&b, "12345");
	buf_add_str(&b, "678901");
	assert_true(b.failed);
	buf_add_str(&b, "6");
	assert_int_equal(b.len, 5);
	assert_false(buf_reserve(&b, 1));
	buf_truncate(&b, 2);
	assert_false(b.failed);
	buf_add_str(&b, "345");
	assert_memory_equal(b.data, "12345", 5);
	buf_clear(&b);
	assert_int_equal(b.len, 0);
	assert_true(b.cap > 0);
	buf_fini(&b);
}

TEST(buf_reserve_of_absurd_sizes_fails_calmly)
{
	struct buf b;

	buf_init(&b, SIZE_MAX);
	buf_add_char(&b, 'x');
	assert_false(buf_reserve(&b, SIZE_MAX));
	buf_clear(&b);
	assert_true(buf_reserve(&b, 1));
	buf_fini(&b);
}

TEST(buf_of_nothing_takes_nothing)
{
	struct buf b;

	buf_init(&b, 0);
	buf_add(&b, NULL, 0);
	assert_false(b.failed);
	buf_add_char(&b, 'x');
	assert_true(b.failed);
	buf_fini(&b);
}

TEST(buf_consume_keeps_the_rest)
{
	struct buf b;

	buf_init(&b, 100);
	buf_consume(&b, 0);
	buf_add_str(&b, "hello world");
	buf_consume(&b, 6);
	assert_int_equal(b.len, 5);
	assert_memory_equal(b.data, "world", 5);
	buf_consume(&b, 5);
	assert_int_equal(b.len, 0);
	buf_fini(&b);
}

TEST(buf_take_hands_the_bytes_over)
{
	struct buf b;
	size_t len;
	char *s;

	buf_init(&b, 100);
	assert_null(buf_take(&b, &len));
	assert_int_equal(len, 0);
	buf_add_str(&b, "abc");
	s = buf_take(&b, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(s, "abc", 3);
	free(s);
	assert_null(b.data);
	buf_add_str(&b, "x");
	buf_clear(&b);
	assert_null(buf_take(&b, &len));
	assert_int_equal(b.max_bytes, 100);
}

TEST(buf_addf_formats_short_and_long)
{
	struct buf b;

	buf_init(&b, 2000);
	buf_addf(&b, "%d-%s", 7, "x");
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "7-x", 3);
	buf_addf(&b, "%*d", 1000, 5);
	assert_int_equal(b.len, 1003);
	assert_int_equal(b.data[1002], '5');
	buf_addf(&b, "%*d", 1000, 5);
	assert_true(b.failed);
	assert_int_equal(b.len, 1003);
	buf_fini(&b);
}
