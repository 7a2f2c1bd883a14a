/* A hexadecimal digit's value, of either case; -1 for any other character. Thread: any. */
#ifndef ROWD_BASE_HEX_H
#define ROWD_BASE_HEX_H

static inline int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

#endif
