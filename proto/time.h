/*
 * Reading RFC 3339. The rest of times is in value.h.
 *
 * Pure. Thread: any.
 */
#ifndef ROWD_PROTO_TIME_H
#define ROWD_PROTO_TIME_H

#include <stddef.h>
#include <stdint.h>

enum time_fit {
	TIME_FITS = 0,
	TIME_NO_TIME = 1,    /* not written as a time is */
	TIME_NO_ROOM = 2     /* past the years 0001 to 9999, a leap second, or finer than microseconds */
};

/* "YYYY-MM-DDTHH:MM:SS" with 0 or more decimals and "Z" or "+HH:MM": RFC 3339, section 5.6. */
enum time_fit time_read_rfc3339(const char *s, size_t len, int64_t *micros_out);

#endif
