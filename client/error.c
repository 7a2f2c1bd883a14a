#include "config.h"

#include "client/private.h"

#include <stdio.h>
#include <string.h>

#include "proto/code.h"

const char *rowd_code_name(enum rowd_code code)
{
	return code_name(code);
}

const char *rowd_code_meaning(enum rowd_code code)
{
	return code_meaning(code);
}

const char *rowd_outcome_name(enum rowd_outcome outcome)
{
	return outcome_name(outcome);
}

const char *rowd_version(void)
{
	return PACKAGE_VERSION;
}

static void error_init(struct rowd_error *err, enum rowd_code code)
{
	memset(err, 0, sizeof(*err));
	err->code = code;
	err->outcome = code_outcome(code);
	err->retry = code_retry(code);
	err->limit = err->matched = err->index = -1;
	snprintf(err->name, sizeof(err->name), "%s", code_name(code));
}

enum rowd_code error_set(struct rowd_error *err, enum rowd_code code, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	error_init(err, code);
	err->local = true;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return code;
}

enum rowd_code error_from(struct rowd_error *err, const struct err *from)
{
	error_set(err, from->code, "%s", from->text);
	if (err)
		err->limit = from->limit;
	return from->code;
}

/* ---- errors as they come ---- */

static bool object_is(const msgpack_object *o, const char *text)
{
	return o->type == MSGPACK_OBJECT_STR && o->via.str.size == strlen(text) &&
	       memcmp(o->via.str.ptr, text, o->via.str.size) == 0;
}

/* A copy that ends at out's end if it must, but never inside a UTF-8 character. */
static void text_copy(char *out, size_t out_bytes, const char *s, size_t len)
{
	if (len >= out_bytes) {
		len = out_bytes - 1;
		while (len > 0 && ((unsigned char)s[len] & 0xc0) == 0x80)
			len--;
	}
	if (len > 0)
		memcpy(out, s, len);
	out[len] = '\0';
}

static void detail_text(char *out, size_t out_bytes, const msgpack_object *o)
{
	if (o->type == MSGPACK_OBJECT_STR)
		text_copy(out, out_bytes, o->via.str.ptr, o->via.str.size);
}

static void detail_int(int64_t *out, const msgpack_object *o)
{
	if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER && o->via.u64 <= INT64_MAX)
		*out = (int64_t)o->via.u64;
}

static void detail_outcome(enum rowd_outcome *out, const msgpack_object *o)
{
	static const enum rowd_outcome outcomes[] = { ROWD_NOT_APPLIED, ROWD_APPLIED, ROWD_UNKNOWN };
	size_t i;

	for (i = 0; i < sizeof(outcomes) / sizeof(*outcomes); i++) {
		if (object_is(o, outcome_name(outcomes[i])))
			*out = outcomes[i];
	}
}

static void error_details(struct rowd_error *err, const msgpack_object *map)
{
	uint32_t i;

	for (i = 0; i < map->via.map.size; i++) {
		const msgpack_object *key = &map->via.map.ptr[i].key, *val = &map->via.map.ptr[i].val;

		if (object_is(key, "name"))
			detail_text(err->name, sizeof(err->name), val);
		else if (object_is(key, "outcome"))
			detail_outcome(&err->outcome, val);
		else if (object_is(key, "retry"))
			err->retry = val->type == MSGPACK_OBJECT_BOOLEAN && val->via.boolean;
		else if (object_is(key, "table"))
			detail_text(err->table, sizeof(err->table), val);
		else if (object_is(key, "column"))
			detail_text(err->column, sizeof(err->column), val);
		else if (object_is(key, "limit"))
			detail_int(&err->limit, val);
		else if (object_is(key, "matched"))
			detail_int(&err->matched, val);
		else if (object_is(key, "index"))
			detail_int(&err->index, val);
	}
}

/* Split "name: text". False when it is no text. */
static bool error_sentence(struct rowd_error *err, const msgpack_object *o)
{
	const char *s, *colon;
	size_t len, name_len;

	if (o->type != MSGPACK_OBJECT_STR)
		return false;
	s = o->via.str.ptr;
	len = o->via.str.size;
	colon = len > 1 ? memmem(s, len, ": ", 2) : NULL;
	name_len = colon ? (size_t)(colon - s) : 0;
	if (colon && name_len < sizeof(err->name) && !memchr(s, ' ', name_len)) {
		text_copy(err->name, sizeof(err->name), s, name_len);
		s += name_len + 2;
		len -= name_len + 2;
	}
	text_copy(err->text, sizeof(err->text), s, len);
	return true;
}

/* The caller may have asked hello for another shape than ours: each is read. */
static bool error_read(struct rowd_error *err, const msgpack_object *o)
{
	const msgpack_object *parts = o->via.array.ptr;
	uint32_t nparts;

	if (o->type == MSGPACK_OBJECT_STR) {
		error_sentence(err, o);
		error_init(err, code_find(err->name, strlen(err->name)));
		return error_sentence(err, o);
	}
	if (o->type != MSGPACK_OBJECT_ARRAY)
		return false;
	nparts = o->via.array.size;
	if (nparts < 2 || parts[0].type != MSGPACK_OBJECT_POSITIVE_INTEGER)
		return false;
	if (nparts == 2)
		return error_read(err, &parts[1]);
	if (parts[0].via.u64 == 0 || parts[0].via.u64 > INT32_MAX || parts[2].type != MSGPACK_OBJECT_MAP)
		return false;
	error_init(err, (enum rowd_code)parts[0].via.u64);
	if (!error_sentence(err, &parts[1]))
		return false;
	error_details(err, &parts[2]);
	return true;
}

enum rowd_code error_from_wire(struct rowd_error *err, const msgpack_object *o, bool writes)
{
	struct rowd_error own;

	if (!err)
		err = &own;
	error_init(err, ROWD_E_INTERNAL);
	if (!error_read(err, o)) {
		error_set(err, ROWD_E_INTERNAL, "the daemon sent an error that cannot be read");
		err->outcome = writes ? ROWD_UNKNOWN : ROWD_NOT_APPLIED;
	}
	return err->code;
}
