/*
 * JSON in, MessagePack out; and the pieces of JSON that output needs.
 *
 * JSON has no bytes and no times: {"$bin": "base64"} and {"$time": "2026-01-01T00:00:00Z"} stand for
 * them. Going out, a time is written as its text alone: rowd takes that wherever a time is due. Ints stay ints,
 * floats floats. What json-c would bend in silence (an int past 64 bits, a key given twice) is refused.
 *
 * Pure. Thread: any.
 */
#ifndef ROWD_CTL_JSON_H
#define ROWD_CTL_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "base/buf.h"

/*
 * One JSON value and nothing behind it. text[len] must be NUL. *out is yours to put (NULL is null).
 * False with the offset in *at and a sentence in why.
 */
bool json_parse(const char *text, size_t len, struct json_object **out, size_t *at, char *why,
		size_t why_size);

/* Append as MessagePack. False with a sentence in why: a bad $bin or $time, a float that is not finite. */
bool json_pack(struct buf *b, const struct json_object *o, char *why, size_t why_size);

/* {"$bin": "..."}; never NULL but for want of memory. */
struct json_object *json_new_bytes(const char *data, size_t len);

/* ---- writing JSON text ---- */

void json_write_string(struct buf *b, const char *s, size_t len); /* in quotes, escaped */
void json_write_float(struct buf *b, double v); /* shortest that reads back the same; "1.0" */
void json_write_bytes(struct buf *b, const char *data, size_t len); /* {"$bin":"..."} */

void base64_write(struct buf *b, const char *data, size_t len);
/* Strict, with padding. Appends to b; false when it is no base64. */
bool base64_read(struct buf *b, const char *s, size_t len);

#endif
