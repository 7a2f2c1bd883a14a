/*
 * Types and values: what a column can hold, and what travels.
 *
 * The one place where a MessagePack object becomes a typed value and back. Nothing is ever
 * converted from one type to another: what does not fit is refused with the reason.
 *
 * Pure: no I/O, no clock, no global. Thread: any.
 */
#ifndef ROWD_PROTO_VALUE_H
#define ROWD_PROTO_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <msgpack.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

/* ---- types ---- */

enum type_kind {
	TYPE_INT, TYPE_BOOL, TYPE_FLOAT, TYPE_DECIMAL, TYPE_TEXT, TYPE_BYTES, TYPE_TIME,
	TYPE_ANY   /* a column rowd did not make, of no type of ours: values pass as they are */
};

struct type {
	enum type_kind kind;
	uint32_t length;      /* TEXT: characters, BYTES: bytes; 0 = unbounded */
	uint8_t digits;       /* DECIMAL(digits, scale) */
	uint8_t scale;
};

enum { TYPE_TEXT_BYTES = 32 };

/* "text(40)", "decimal(10,2)", "int" -> *out. ROWD_E_SCHEMA_INVALID naming what was expected.
 * name need not end in NUL. */
ROWD_MUST_CHECK enum rowd_code type_parse(const char *name, size_t len, struct type *out, struct err *err);

/* The inverse, into out[TYPE_TEXT_BYTES]; returns out. TYPE_ANY is "any". */
const char *type_format(const struct type *t, char *out);

bool type_equal(const struct type *a, const struct type *b);

/* Can rows be put in an order by it, can it be indexed? False for unbounded text and bytes. */
bool type_is_orderable(const struct type *t);

/* What it adds to an index key, in bytes: 8 for int, time, decimal and float, 1 for bool,
 * 4 * n for text(n), n for bytes(n); 0 when it cannot be indexed. */
size_t type_key_bytes(const struct type *t);

/* ---- values ---- */

enum value_kind {
	VALUE_NULL,
	VALUE_BOOL,     /* i: 0 or 1 */
	VALUE_INT,      /* i */
	VALUE_FLOAT,    /* f: finite, never -0.0 */
	VALUE_DECIMAL,  /* i * 10^-scale, |i| < 10^18 */
	VALUE_TEXT,     /* s: UTF-8 without U+0000 */
	VALUE_BYTES,    /* s */
	VALUE_TIME,     /* i: microseconds since 1970-01-01T00:00:00Z, years 0001 to 9999 */
	VALUE_LIST      /* list: only as the right side of `in`; never in a row, never nested */
};

struct value_list;

struct value {
	enum value_kind kind;
	uint8_t scale;          /* DECIMAL only */
	union {
		int64_t i;
		double f;
		struct { const char *data; size_t len; } s;  /* borrowed; not NUL-terminated; data != NULL */
		const struct value_list *list;               /* borrowed */
	} u;
};

/* The values of an `in`: one kind, no null, sorted by value_compare and without duplicates. */
struct value_list {
	const struct value *values;
	size_t count;
};

/* The least and greatest VALUE_TIME. */
#define VALUE_TIME_MIN INT64_C(-62135596800000000)
#define VALUE_TIME_MAX INT64_C(253402300799999999)

static inline struct value value_null(void)        { return (struct value){ .kind = VALUE_NULL }; }
static inline struct value value_int(int64_t i)    { return (struct value){ .kind = VALUE_INT, .u.i = i }; }
static inline struct value value_text(const char *s, size_t n)
{
	return (struct value){ .kind = VALUE_TEXT, .u.s = { s, n } };
}
static inline struct value value_bytes(const char *s, size_t n)
{
	return (struct value){ .kind = VALUE_BYTES, .u.s = { s, n } };
}

/*
 * Check one MessagePack object against a type.
 * nil becomes VALUE_NULL (whether null is allowed is the caller's question). Strings and bytes
 * are borrowed from o. max_value_bytes: limit for text and bytes.
 * ROWD_E_TYPE_MISMATCH, OUT_OF_RANGE, TOO_LONG, INVALID_TEXT, LIMIT; the sentence names the type
 * due and the kind of thing that came, never its value.
 * TYPE_FLOAT takes a float, or an int of magnitude <= 2^53. TYPE_TIME takes a timestamp
 * extension or an RFC 3339 str; finer than microseconds is OUT_OF_RANGE. TYPE_DECIMAL takes a
 * str such as "-12.50": more decimals or digits than the type has is OUT_OF_RANGE.
 * For a TYPE_TEXT of length n, as an operand of a filter a longer text is legal: pass
 * check_length false there.
 */
ROWD_MUST_CHECK enum rowd_code value_from_wire(const msgpack_object *o, const struct type *t,
					       size_t max_value_bytes, bool check_length,
					       struct value *out, struct err *err);

/* "a str", "nil", "an int", ...: what came, for a sentence that says what was due. */
const char *wire_kind_name(const msgpack_object *o);

/* Append a value in its shortest encoding. b->failed tells of overflow. Not for VALUE_LIST. */
void value_to_wire(struct buf *b, const struct value *v);

/* Total order: null first, then by kind's own order (text and bytes by memcmp). Kinds must be
 * equal unless one is null (else an order by kind), decimals of one scale. Returns <0, 0, >0. */
int value_compare(const struct value *a, const struct value *b);

bool value_equal(const struct value *a, const struct value *b);

/* "-12.50" for VALUE_DECIMAL. Returns bytes written, out has room for 24. */
size_t value_decimal_format(int64_t scaled, uint8_t scale, char *out);

/* "-12.50" -> scaled by exactly `scale`; false when it does not parse, has more decimals, or is of
 * 10^18 or more when scaled. */
bool value_decimal_parse(const char *s, size_t len, uint8_t scale, int64_t *scaled_out);

/* "YYYY-MM-DD HH:MM:SS.ffffff" (26 bytes, and a NUL) from microseconds. Proleptic Gregorian. */
void value_time_format(int64_t micros, char out[27]);

/* The inverse; also RFC 3339 ("...T...Z", offsets, 0 to 6 decimals). 0 ok; 1 does not parse;
 * 2 parses but is out of range or finer than microseconds. */
int value_time_parse(const char *s, size_t len, int64_t *micros_out);

/* Strict UTF-8 (no surrogates, no overlong forms, at most U+10FFFF), no U+0000.
 * Counts the characters into *chars_out (may be NULL). */
bool utf8_valid(const char *s, size_t len, size_t *chars_out);

/* ---- writing replies: all in the shortest form ---- */

void wire_nil(struct buf *b);
void wire_bool(struct buf *b, bool v);
void wire_int(struct buf *b, int64_t v);
void wire_uint(struct buf *b, uint64_t v);
void wire_float(struct buf *b, double v);
void wire_str(struct buf *b, const char *s, size_t len);
void wire_cstr(struct buf *b, const char *s);
void wire_bin(struct buf *b, const void *s, size_t len);
void wire_array(struct buf *b, uint32_t count);
void wire_map(struct buf *b, uint32_t pairs);
void wire_time(struct buf *b, int64_t micros);

/*
 * An array whose length is known only at its end: wire_array_open reserves a 5-byte header and
 * returns its offset; wire_array_close puts the shortest header there and closes the gap (a
 * memmove of what follows), so that equal answers stay equal bytes.
 */
size_t wire_array_open(struct buf *b);
void wire_array_close(struct buf *b, size_t open, uint32_t count);

#endif
