#include "config.h"

#include "proto/uuid.h"

#include "base/hex.h"

bool uuid_parse(const char *text, size_t len, uint8_t out[UUID_BYTES])
{
	unsigned n = 0;

	if (len != UUID_TEXT_BYTES)
		return false;
	for (unsigned i = 0; i < UUID_TEXT_BYTES; n++) {
		int high, low;

		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text[i++] != '-')
				return false;
		}
		high = hex_digit(text[i++]);
		low = hex_digit(text[i++]);
		if (high < 0 || low < 0)
			return false;
		out[n] = (uint8_t)(high << 4 | low);
	}
	return true;
}

int64_t uuid_time_ms(const uint8_t uuid[UUID_BYTES])
{
	int64_t ms = 0;

	if (uuid[6] >> 4 != 7)
		return -1;
	for (unsigned i = 0; i < 6; i++)
		ms = ms << 8 | uuid[i];
	return ms;
}
