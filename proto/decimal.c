#include "config.h"

#include "proto/decimal.h"

#include <assert.h>
#include <string.h>

#include "proto/limits.h"
#include "proto/value.h"

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

enum decimal_fit decimal_read(const char *s, size_t len, unsigned digits, unsigned scale, int64_t *scaled_out)
{
	const char *end = s + len;
	bool negative = len > 0 && *s == '-';
	const char *whole = s + negative, *point, *frac;
	uint64_t n = 0;

	for (point = whole; point < end && is_digit(*point); point++)
		;
	if (point == whole || (*whole == '0' && point - whole > 1))
		return DECIMAL_NO_NUMBER;
	frac = point < end ? point + 1 : end;
	if (point < end && (*point != '.' || frac == end))
		return DECIMAL_NO_NUMBER;
	for (s = frac; s < end; s++) {
		if (!is_digit(*s))
			return DECIMAL_NO_NUMBER;
	}
	if (*whole == '0')
		whole = point; /* a zero before the point is no digit of the number */
	if ((size_t)(end - frac) > scale || (size_t)(point - whole) > digits - scale)
		return DECIMAL_NO_ROOM;
	for (; whole < point; whole++)
		n = n * 10 + (uint64_t)(*whole - '0');
	for (unsigned i = 0; i < scale; i++)
		n = n * 10 + (frac < end ? (uint64_t)(*frac++ - '0') : 0);
	*scaled_out = negative ? -(int64_t)n : (int64_t)n;
	return DECIMAL_FITS;
}

bool value_decimal_parse(const char *s, size_t len, uint8_t scale, int64_t *scaled_out)
{
	return scale <= DECIMAL_MAX_DIGITS &&
	       decimal_read(s, len, DECIMAL_MAX_DIGITS, scale, scaled_out) == DECIMAL_FITS;
}

size_t value_decimal_format(int64_t scaled, uint8_t scale, char *out)
{
	uint64_t n = scaled < 0 ? 0 - (uint64_t)scaled : (uint64_t)scaled;
	char back[24]; /* the digits, last one first */
	size_t len = 0, written = 0;

	assert(scale <= DECIMAL_MAX_DIGITS);
	do {
		back[len++] = (char)('0' + n % 10);
		n /= 10;
		if (len == scale)
			back[len++] = '.';
	} while (n > 0 || len < scale || back[len - 1] == '.');
	if (scaled < 0)
		out[written++] = '-';
	while (len > 0)
		out[written++] = back[--len];
	return written;
}
