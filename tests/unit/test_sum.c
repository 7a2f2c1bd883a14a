#include "config.h"

#include "daemon/exec/sum.h"

#include "tests/unit/unit.h"

static sum_int parse(const char *s)
{
	sum_int sum = 0;

	assert_true(sum_parse(s, strlen(s), &sum));
	return sum;
}

TEST(a_sum_is_read_from_its_digits)
{
	int64_t i;

	assert_true(parse("0") == 0 && parse("-17") == -17);
	assert_true(parse("18446744073709551616") == (sum_int)1 << 64);
	assert_true(sum_to_int64(parse("9223372036854775807"), &i) && i == INT64_MAX);
	assert_true(sum_to_int64(parse("-9223372036854775808"), &i) && i == INT64_MIN);
	assert_false(sum_to_int64(parse("9223372036854775808"), &i));
	assert_false(sum_to_int64(parse("-9223372036854775809"), &i));
}

TEST(what_is_no_sum_is_refused)
{
	static const char *const bad[] = {
		"", "-", "1.0", "+1", " 1", "1e5", "12345678901234567890123456789012345678"
	};
	sum_int sum;

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_false(sum_parse(bad[i], strlen(bad[i]), &sum));
}

static void averages(double due, const char *sum, int64_t count, uint8_t scale)
{
	assert_true(sum_average(parse(sum), count, scale) == due);
}

TEST(an_average_is_the_nearest_double)
{
	averages(0.0, "0", 5, 2);
	averages(3.5, "14", 4, 0);
	averages(-3.5, "-14", 4, 0);
	averages(1.0 / 3, "1", 3, 0);
	averages(2.0 / 3, "2", 3, 0);
	averages(0.1, "1", 10, 0);
	averages(0.1, "30", 3, 2);
	averages(1e-18, "1", 1, 18);
	averages(0x1p62, "9223372036854775808", 2, 0);
	averages(0x1p63, "9223372036854775807", 1, 0);
	averages(1e36, "1000000000000000000000000000000000000", 1, 0);
	averages(1.0 / 9223372036854775807.0, "1", INT64_MAX, 0);
}

/* 2^53 + 1 lies between two doubles: to the even one, unless anything at all is above it. */
TEST(of_two_doubles_as_near_it_is_the_even_one)
{
	averages(0x1p53, "9007199254740993", 1, 0);
	averages(0x1p53 + 2, "9007199254740994", 1, 0);
	averages(0x1p53 + 4, "9007199254740995", 1, 0);
	averages(0x1p53 + 2, "90071992547409930000000001", 10000000000, 0);
	averages(0x1p53, "90071992547409929999999999", 10000000000, 0);
}
