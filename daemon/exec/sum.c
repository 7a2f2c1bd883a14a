#include "config.h"

#include "daemon/exec/sum.h"

#include <assert.h>
#include <math.h>

__extension__ typedef unsigned __int128 sum_uint;

enum { SUM_MOST_DIGITS = 37 };

bool sum_parse(const char *s, size_t len, sum_int *out)
{
	bool negative = len > 0 && s[0] == '-';
	size_t i = negative;
	sum_int sum = 0;

	if (len == i || len - i > SUM_MOST_DIGITS)
		return false;
	for (; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		sum = sum * 10 + (s[i] - '0');
	}
	*out = negative ? -sum : sum;
	return true;
}

bool sum_to_int64(sum_int sum, int64_t *out)
{
	if (sum < INT64_MIN || sum > INT64_MAX)
		return false;
	*out = (int64_t)sum;
	return true;
}

/* The 64 highest bits of n / d, the lowest of them set when anything was cut off; *exponent_out says
 * where they stand. n > 0. */
static uint64_t divide(sum_uint n, sum_uint d, int *exponent_out)
{
	sum_uint q = n / d, rest = n % d;
	bool cut;
	int exponent = 0;

	for (; q >> 63 == 0; exponent--) {
		rest <<= 1;
		q = q << 1 | (rest >= d);
		if (rest >= d)
			rest -= d;
	}
	for (cut = rest != 0; q >> 64 != 0; exponent++) {
		cut |= q & 1;
		q >>= 1;
	}
	*exponent_out = exponent;
	return (uint64_t)q | cut;
}

double sum_average(sum_int sum, int64_t count, uint8_t scale)
{
	sum_uint magnitude = sum < 0 ? 0 - (sum_uint)sum : (sum_uint)sum, divisor = (sum_uint)count;
	uint64_t bits;
	double average;
	int exponent;

	assert(count > 0);
	if (sum == 0)
		return 0;
	while (scale-- > 0)
		divisor *= 10;
	bits = divide(magnitude, divisor, &exponent);
	average = ldexp((double)bits, exponent);
	return sum < 0 ? -average : average;
}
