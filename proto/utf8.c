#include "config.h"

#include "proto/value.h"

#include <string.h>

#define BYTES_OF(c) (UINT64_C(0x0101010101010101) * (c))

/* Bytes of the character at s (n >= 1 bytes are there), 0 when it is none. Unicode 15, table 3-7. */
static size_t char_bytes(const unsigned char *s, size_t n)
{
	unsigned char c = s[0], least = 0x80, most = 0xbf;
	size_t len;

	if (c < 0x80)
		return c != 0;
	if (c < 0xc2 || c > 0xf4)
		return 0;
	len = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	if (n < len)
		return 0;
	/* overlong forms lie below, surrogates and what is past U+10FFFF above */
	if (c == 0xe0)
		least = 0xa0;
	else if (c == 0xed)
		most = 0x9f;
	else if (c == 0xf0)
		least = 0x90;
	else if (c == 0xf4)
		most = 0x8f;
	if (s[1] < least || s[1] > most)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

/* Eight bytes, each of 0x01 .. 0x7f? */
static bool word_is_plain(const unsigned char *s)
{
	uint64_t w;

	memcpy(&w, s, sizeof(w));
	return ((w | (BYTES_OF(0x80) - w)) & BYTES_OF(0x80)) == 0;
}

bool utf8_valid(const char *text, size_t len, size_t *chars_out)
{
	const unsigned char *s = (const unsigned char *)text;
	size_t i = 0, chars = 0;

	while (i < len) {
		size_t n;

		if (len - i >= 8 && word_is_plain(s + i)) {
			i += 8;
			chars += 8;
			continue;
		}
		n = char_bytes(s + i, len - i);
		if (n == 0)
			return false;
		i += n;
		chars++;
	}
	if (chars_out)
		*chars_out = chars;
	return true;
}
