#include "config.h"

#include "client/private.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "proto/value.h"

/*
 * A value is its encoding. Of an array or map the body holds the elements, and the head is written
 * when the value is used, since only then their number is known.
 */
enum value_form { FORM_SCALAR, FORM_ARRAY, FORM_MAP };

struct rowd_value {
	enum value_form form;
	enum rowd_code failed; /* ROWD_OK, or why it cannot be used */
	uint32_t count;        /* elements, or pairs */
	struct buf body;
};

/* What stands for a value when there is no memory for one; never changed or freed. */
static struct rowd_value no_memory = { .failed = ROWD_E_NO_RESOURCE };

static struct rowd_value *value_new(enum value_form form)
{
	struct rowd_value *v = malloc(sizeof(*v));

	if (!v)
		return &no_memory;
	v->form = form;
	v->failed = ROWD_OK;
	v->count = 0;
	buf_init(&v->body, REQUEST_MAX_BYTES);
	return v;
}

static void value_fail(struct rowd_value *v, enum rowd_code code)
{
	if (v != &no_memory && v->failed == ROWD_OK)
		v->failed = code;
}

/* After appending to v's body: was there room? */
static struct rowd_value *value_made(struct rowd_value *v)
{
	if (v->body.failed)
		value_fail(v, v->body.len >= REQUEST_MAX_BYTES / 2 ? ROWD_E_LIMIT : ROWD_E_NO_RESOURCE);
	return v;
}

static struct rowd_value *value_mistake(void)
{
	struct rowd_value *v = value_new(FORM_SCALAR);

	value_fail(v, ROWD_E_BAD_REQUEST);
	return v;
}

void rowd_value_free(struct rowd_value *v)
{
	if (!v || v == &no_memory)
		return;
	buf_fini(&v->body);
	free(v);
}

enum rowd_code rowd_value_check(const struct rowd_value *v)
{
	return v ? v->failed : ROWD_E_BAD_REQUEST;
}

enum rowd_code value_usable(const struct rowd_value *v, struct rowd_error *err)
{
	if (!v || v->failed == ROWD_OK)
		return ROWD_OK;
	if (v->failed == ROWD_E_NO_RESOURCE)
		return error_set(err, v->failed, "no memory to make a value; nothing was sent");
	if (v->failed == ROWD_E_LIMIT) {
		error_set(err, v->failed, "a value is larger than any request may be");
		if (err)
			err->limit = REQUEST_MAX_BYTES;
		return v->failed;
	}
	return error_set(err, v->failed, "a value was made with NULL, or with something that is none");
}

int64_t value_elements(const struct rowd_value *v)
{
	return v->form == FORM_ARRAY ? (int64_t)v->count : -1;
}

char *value_first_text(const struct rowd_value *array)
{
	msgpack_unpacked first;
	char *text = NULL;
	size_t off = 0;

	if (array->form != FORM_ARRAY || array->body.len == 0)
		return NULL;
	msgpack_unpacked_init(&first);
	if (msgpack_unpack_next(&first, array->body.data, array->body.len, &off) == MSGPACK_UNPACK_SUCCESS &&
	    first.data.type == MSGPACK_OBJECT_STR)
		text = strndup(first.data.via.str.ptr, first.data.via.str.size);
	msgpack_unpacked_destroy(&first);
	return text;
}

static void value_head(struct buf *b, const struct rowd_value *v)
{
	switch (v->form) {
	case FORM_SCALAR:
		break;
	case FORM_ARRAY:
		wire_array(b, v->count);
		break;
	case FORM_MAP:
		wire_map(b, v->count);
		break;
	}
}

void value_append(struct buf *b, const struct rowd_value *v)
{
	value_head(b, v);
	if (v->body.len > 0)
		buf_add(b, v->body.data, v->body.len);
}

/* ---- scalars ---- */

/* v, with `write` done on its body. */
#define SCALAR(v, write) \
	struct rowd_value *v = value_new(FORM_SCALAR); \
	if (v->failed) \
		return v; \
	write; \
	return value_made(v)

struct rowd_value *rowd_null(void)
{
	SCALAR(v, wire_nil(&v->body));
}

struct rowd_value *rowd_bool(bool b)
{
	SCALAR(v, wire_bool(&v->body, b));
}

struct rowd_value *rowd_int(int64_t i)
{
	SCALAR(v, wire_int(&v->body, i));
}

struct rowd_value *rowd_float(double d)
{
	SCALAR(v, wire_float(&v->body, d));
}

struct rowd_value *rowd_time(int64_t micros)
{
	SCALAR(v, wire_time(&v->body, micros));
}

struct rowd_value *rowd_strn(const char *s, size_t len)
{
	if (!s || len > UINT32_MAX)
		return value_mistake();
	SCALAR(v, wire_str(&v->body, s, len));
}

struct rowd_value *rowd_str(const char *s)
{
	return s ? rowd_strn(s, strlen(s)) : value_mistake();
}

struct rowd_value *rowd_bin(const void *data, size_t len)
{
	if ((!data && len > 0) || len > UINT32_MAX)
		return value_mistake();
	SCALAR(v, wire_bin(&v->body, data ? data : "", len));
}

/* Exactly one value? The scanner wants an array, so it is shown one around it. */
static enum rowd_code raw_check(const char *data, size_t len)
{
	enum rowd_code rc = ROWD_E_NO_RESOURCE;
	struct frame f;
	struct buf b;

	buf_init(&b, REQUEST_MAX_BYTES + 1);
	wire_array(&b, 1);
	buf_add(&b, data, len);
	frame_init(&f, REQUEST_MAX_BYTES + 1, FRAME_MAX_NESTING, REPLY_MAX_VALUES);
	if (!b.failed)
		rc = frame_scan(&f, b.data, b.len) == FRAME_DONE && f.scanned == b.len ? ROWD_OK
										       : ROWD_E_BAD_REQUEST;
	buf_fini(&b);
	return rc;
}

/* What is encoded whole becomes an array or map to which more can be added, if it is one. */
static struct rowd_value *value_unfold(struct rowd_value *v)
{
	const unsigned char *p = (const unsigned char *)v->body.data;
	unsigned char head = v->failed ? 0 : p[0];
	size_t skip;

	if ((head & 0xe0) == 0x80) { /* fixmap, fixarray */
		v->count = head & 0x0f;
		skip = 1;
	} else if (head == 0xdc || head == 0xde) { /* array 16, map 16 */
		v->count = (uint32_t)p[1] << 8 | p[2];
		skip = 3;
	} else if (head == 0xdd || head == 0xdf) { /* array 32, map 32 */
		v->count = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
		skip = 5;
	} else {
		return v;
	}
	v->form = (head & 0xf0) == 0x90 || head == 0xdc || head == 0xdd ? FORM_ARRAY : FORM_MAP;
	buf_consume(&v->body, skip);
	return v;
}

struct rowd_value *rowd_raw(const void *data, size_t len)
{
	enum rowd_code rc =
		data && len > 0 && len <= REQUEST_MAX_BYTES ? raw_check(data, len) : ROWD_E_BAD_REQUEST;
	struct rowd_value *v = value_new(FORM_SCALAR);

	value_fail(v, rc);
	if (v->failed)
		return v;
	buf_add(&v->body, data, len);
	return value_unfold(value_made(v));
}

struct rowd_value *rowd_copy(const struct rowd_value *from)
{
	struct rowd_value *v;

	if (!from)
		return value_mistake();
	v = value_new(from->form);
	if (v->failed)
		return v;
	if (from->body.len > 0)
		buf_add(&v->body, from->body.data, from->body.len);
	v->count = from->count;
	v->failed = from->failed;
	return value_made(v);
}

/* ---- arrays and maps ---- */

struct rowd_value *rowd_array_new(void)
{
	return value_new(FORM_ARRAY);
}

struct rowd_value *rowd_map_new(void)
{
	return value_new(FORM_MAP);
}

/* Append a value to a container's body and let go of it. */
static void value_take(struct rowd_value *to, struct rowd_value *v)
{
	if (!v) {
		value_fail(to, ROWD_E_BAD_REQUEST);
		return;
	}
	value_fail(to, v->failed);
	if (to->failed == ROWD_OK) {
		value_append(&to->body, v);
		value_made(to);
	}
	rowd_value_free(v);
}

void rowd_array_add(struct rowd_value *array, struct rowd_value *v)
{
	if (!array || array->form != FORM_ARRAY || array->count == UINT32_MAX) {
		if (array)
			value_fail(array, ROWD_E_BAD_REQUEST);
		rowd_value_free(v);
		return;
	}
	value_take(array, v);
	array->count++;
}

void rowd_map_add(struct rowd_value *map, const char *name, struct rowd_value *v)
{
	if (!map || map->form != FORM_MAP || map->count == UINT32_MAX || !name) {
		if (map)
			value_fail(map, ROWD_E_BAD_REQUEST);
		rowd_value_free(v);
		return;
	}
	if (map->failed == ROWD_OK)
		wire_cstr(&map->body, name);
	value_take(map, v);
	map->count++;
}

struct rowd_value *rowd_ints(const int64_t *values, size_t count)
{
	struct rowd_value *v;
	size_t i;

	if ((!values && count > 0) || count > UINT32_MAX)
		return value_mistake();
	v = value_new(FORM_ARRAY);
	if (v->failed)
		return v;
	for (i = 0; i < count; i++)
		wire_int(&v->body, values[i]);
	v->count = (uint32_t)count;
	return value_made(v);
}

/* The values from first to the end mark, added to array. */
static struct rowd_value *array_of(struct rowd_value *array, struct rowd_value *first, va_list ap)
{
	struct rowd_value *v;

	for (v = first; (void *)v != ROWD_END_; v = va_arg(ap, struct rowd_value *))
		rowd_array_add(array, v);
	return array;
}

struct rowd_value *rowd_array_(struct rowd_value *first, ...)
{
	struct rowd_value *array = rowd_array_new();
	va_list ap;

	va_start(ap, first);
	array_of(array, first, ap);
	va_end(ap);
	return array;
}

static struct rowd_value *junction(const char *op, struct rowd_value *first, va_list ap)
{
	struct rowd_value *array = rowd_array_new();

	rowd_array_add(array, rowd_str(op));
	return array_of(array, first, ap);
}

struct rowd_value *rowd_and_(struct rowd_value *first, ...)
{
	struct rowd_value *v;
	va_list ap;

	va_start(ap, first);
	v = junction("and", first, ap);
	va_end(ap);
	return v;
}

struct rowd_value *rowd_or_(struct rowd_value *first, ...)
{
	struct rowd_value *v;
	va_list ap;

	va_start(ap, first);
	v = junction("or", first, ap);
	va_end(ap);
	return v;
}

struct rowd_value *rowd_strs_(const char *first, ...)
{
	struct rowd_value *array = rowd_array_new();
	const char *s;
	va_list ap;

	va_start(ap, first);
	for (s = first; (const void *)s != ROWD_END_; s = va_arg(ap, const char *))
		rowd_array_add(array, rowd_str(s));
	va_end(ap);
	return array;
}

struct rowd_value *rowd_map_(const char *name, ...)
{
	struct rowd_value *map = rowd_map_new();
	struct rowd_value *v;
	va_list ap;

	va_start(ap, name);
	while ((const void *)name != ROWD_END_) {
		v = va_arg(ap, struct rowd_value *);
		if ((void *)v == ROWD_END_) { /* a name without a value */
			value_fail(map, ROWD_E_BAD_REQUEST);
			break;
		}
		rowd_map_add(map, name, v);
		name = va_arg(ap, const char *);
	}
	va_end(ap);
	return map;
}

/* ---- from what was received ---- */

static int body_write(void *body, const char *data, size_t len)
{
	struct buf *b = body;

	buf_add(b, data, len);
	return b->failed ? -1 : 0;
}

struct rowd_value *rowd_from_item(const struct rowd_item *item)
{
	const msgpack_object *o = (const msgpack_object *)(const void *)item;
	struct rowd_value *v;
	msgpack_packer pk;

	if (!o)
		return value_mistake();
	v = value_new(FORM_SCALAR);
	if (v->failed)
		return v;
	msgpack_packer_init(&pk, &v->body, body_write);
	if (msgpack_pack_object(&pk, *o))
		value_made(v);
	return value_unfold(v);
}
