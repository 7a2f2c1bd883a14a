/*
 * Reading a decimal with the reason why it cannot be read. The rest of decimals is in value.h.
 *
 * Pure. Thread: any.
 */
#ifndef ROWD_PROTO_DECIMAL_H
#define ROWD_PROTO_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

enum decimal_fit {
	DECIMAL_FITS,
	DECIMAL_NO_NUMBER,   /* not written as "-12.50" is */
	DECIMAL_NO_ROOM      /* more digits or decimals than there is room for */
};

/* "-12.50" as decimal(digits, scale), scale <= digits <= DECIMAL_MAX_DIGITS. Fewer decimals than
 * scale are fine; a sign "+", leading zeros, exponents and blanks are not. */
enum decimal_fit decimal_read(const char *s, size_t len, unsigned digits, unsigned scale, int64_t *scaled_out);

#endif
