/*
 * What a human writes for a value, made into what the wire wants for a column of a type.
 *
 * rowd never converts. A shell has nothing but text, so the conversion is done here, once, in the
 * open: by the column's type when it is known, as written when it is not.
 *
 * Pure. Thread: any.
 */
#ifndef ROWD_CTL_LITERAL_H
#define ROWD_CTL_LITERAL_H

#include <stdbool.h>
#include <stddef.h>

#include <json-c/json.h>

#include "proto/value.h"

enum literal_kind { LITERAL_NULL, LITERAL_BOOL, LITERAL_NUMBER, LITERAL_STRING, LITERAL_BYTES };

struct literal {
	enum literal_kind kind;
	const char
		*text; /* borrowed, NUL-terminated: "true", "-12.50", the string without quotes, the bytes */
	size_t len;
};

/*
 * A literal of the filter language. type may be NULL: not known.
 * A number for a decimal or text column becomes a string of the same spelling, 0 and 1 for a bool
 * column become false and true, a date alone for a time column becomes its midnight, UTC; all
 * else goes out as written, for rowd to judge. False with a sentence in *why_out when it cannot be
 * written at all (an int past 64 bits).
 * *out is yours to put (NULL is JSON's null).
 */
bool literal_to_json(const struct literal *lit, const struct type *type, struct json_object **out,
		     const char **why_out);

/*
 * Bare text, from a CSV field or the command line, for a column of that type; never null.
 * text ends in NUL. False with a sentence in *why_out when it is no value of that type.
 */
bool literal_from_text(const char *text, size_t len, const struct type *type, struct json_object **out,
		       const char **why_out);

/* x'68656c6c6f' or \x68656c6c6f -> bytes into *out (freed by you), or false. */
bool literal_hex(const char *text, size_t len, char **out, size_t *len_out);

#endif
