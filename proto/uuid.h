/*
 * UUIDs as request ids: RFC 9562's text form, and the time within version 7.
 *
 * Pure. Thread: any.
 */
#ifndef ROWD_PROTO_UUID_H
#define ROWD_PROTO_UUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { UUID_BYTES = 16, UUID_TEXT_BYTES = 36 };

/* "0190b6f0-..." of 8-4-4-4-12 hexadecimal digits, upper or lower case. False: it is no UUID. */
bool uuid_parse(const char *text, size_t len, uint8_t out[UUID_BYTES]);

/* The milliseconds since 1970 that a version 7 UUID begins with; -1 for other versions. */
int64_t uuid_time_ms(const uint8_t uuid[UUID_BYTES]);

#endif
