#include "config.h"

#include "proto/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "proto/limits.h"

static const char *const kind_names[] = {
	[TYPE_INT] = "int",   [TYPE_BOOL] = "bool",   [TYPE_FLOAT] = "float", [TYPE_DECIMAL] = "decimal",
	[TYPE_TEXT] = "text", [TYPE_BYTES] = "bytes", [TYPE_TIME] = "time",   [TYPE_ANY] = "any",
};

enum { TEXT_MAX_CHARS = ROW_BOUNDED_MAX_BYTES / 4, BYTES_MAX_BYTES = ROW_BOUNDED_MAX_BYTES };

/* The kind whose name stands before the "(" or the end; TYPE_ANY when there is none. */
static enum type_kind kind_find(const char *name, size_t len)
{
	int kind = 0;

	while (kind < TYPE_ANY &&
	       (strlen(kind_names[kind]) != len || memcmp(kind_names[kind], name, len) != 0))
		kind++;
	return (enum type_kind)kind;
}

/* A number without sign or leading zeros, at most `most`, and the character `end` behind it. */
static bool number_read(const char **s_io, const char *end_of_text, char end, uint32_t most, uint32_t *out)
{
	const char *s = *s_io;
	uint64_t n = 0;

	while (s < end_of_text && *s >= '0' && *s <= '9' && n <= most)
		n = n * 10 + (uint64_t)(*s++ - '0');
	if (s == *s_io || n > most || (**s_io == '0' && s - *s_io > 1) || s == end_of_text || *s != end)
		return false;
	*s_io = s + 1;
	*out = (uint32_t)n;
	return true;
}

static enum rowd_code decimal_parse(const char *s, const char *end, struct type *out, struct err *err)
{
	uint32_t digits = 0, scale = 0;

	if (!number_read(&s, end, ',', DECIMAL_MAX_DIGITS, &digits) ||
	    !number_read(&s, end, ')', DECIMAL_MAX_DIGITS, &scale) || s != end || digits == 0 ||
	    scale > digits)
		return err_set(err, ROWD_E_SCHEMA_INVALID,
			       "decimal(p,s) is due with p of 1 to %d and s of 0 to p", DECIMAL_MAX_DIGITS);
	out->digits = (uint8_t)digits;
	out->scale = (uint8_t)scale;
	return ROWD_OK;
}

static enum rowd_code length_parse(const char *s, const char *end, struct type *out, struct err *err)
{
	int most = out->kind == TYPE_TEXT ? TEXT_MAX_CHARS : BYTES_MAX_BYTES;

	if (!number_read(&s, end, ')', (uint32_t)most, &out->length) || s != end || out->length == 0)
		return err_set(err, ROWD_E_SCHEMA_INVALID, "%s(n) is due with n of 1 to %d, or %s alone",
			       kind_names[out->kind], most, kind_names[out->kind]);
	return ROWD_OK;
}

enum rowd_code type_parse(const char *name, size_t len, struct type *out, struct err *err)
{
	const char *paren = len > 0 ? memchr(name, '(', len) : NULL;
	struct type t = { .kind = kind_find(name, paren ? (size_t)(paren - name) : len) };
	enum rowd_code rc = ROWD_OK;

	if (t.kind == TYPE_DECIMAL)
		rc = decimal_parse(paren ? paren + 1 : name + len, name + len, &t, err);
	else if (paren && (t.kind == TYPE_TEXT || t.kind == TYPE_BYTES))
		rc = length_parse(paren + 1, name + len, &t, err);
	else if (paren || t.kind == TYPE_ANY)
		rc = err_set(
			err, ROWD_E_SCHEMA_INVALID,
			"a type is one of int, bool, float, decimal(p,s), text, text(n), bytes, bytes(n), time");
	if (rc == ROWD_OK)
		*out = t;
	return rc;
}

const char *type_format(const struct type *t, char *out)
{
	if (t->kind == TYPE_DECIMAL)
		snprintf(out, TYPE_TEXT_BYTES, "decimal(%u,%u)", (unsigned)t->digits, (unsigned)t->scale);
	else if ((t->kind == TYPE_TEXT || t->kind == TYPE_BYTES) && t->length > 0)
		snprintf(out, TYPE_TEXT_BYTES, "%s(%" PRIu32 ")", kind_names[t->kind], t->length);
	else
		snprintf(out, TYPE_TEXT_BYTES, "%s", kind_names[t->kind]);
	return out;
}

bool type_equal(const struct type *a, const struct type *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == TYPE_DECIMAL)
		return a->digits == b->digits && a->scale == b->scale;
	if (a->kind == TYPE_TEXT || a->kind == TYPE_BYTES)
		return a->length == b->length;
	return true;
}

bool type_is_orderable(const struct type *t)
{
	switch (t->kind) {
	case TYPE_TEXT:
	case TYPE_BYTES:
		return t->length > 0;
	case TYPE_ANY:
		return false;
	case TYPE_INT:
	case TYPE_BOOL:
	case TYPE_FLOAT:
	case TYPE_DECIMAL:
	case TYPE_TIME:
		break;
	}
	return true;
}

size_t type_key_bytes(const struct type *t)
{
	switch (t->kind) {
	case TYPE_BOOL:
		return 1;
	case TYPE_TEXT:
		return 4 * (size_t)t->length;
	case TYPE_BYTES:
		return t->length;
	case TYPE_ANY:
		return 0;
	case TYPE_INT:
	case TYPE_FLOAT:
	case TYPE_DECIMAL:
	case TYPE_TIME:
		break;
	}
	return 8;
}
