#include "config.h"

#include "client/private.h"

#include <endian.h>
#include <string.h>

/* Items are msgpack-c's objects under a name of our own. */
static const msgpack_object *object_of(const struct rowd_item *item)
{
	return (const msgpack_object *)(const void *)item;
}

static const struct rowd_item *item_of(const msgpack_object *o)
{
	return (const struct rowd_item *)(const void *)o;
}

/* ---- timestamps ---- */

enum { EXT_TIMESTAMP = -1 };

static uint32_t read_be32(const char *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return be32toh(v);
}

static uint64_t read_be64(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return be64toh(v);
}

/* Seconds and nanoseconds as microseconds; false when they are no time, or past int64. */
static bool time_micros(int64_t seconds, uint64_t nanos, int64_t *out)
{
	return nanos < 1000000000 && !__builtin_mul_overflow(seconds, INT64_C(1000000), out) &&
	       !__builtin_add_overflow(*out, (int64_t)(nanos / 1000), out);
}

static bool timestamp_read(const msgpack_object *o, int64_t *out)
{
	const char *p;
	uint64_t both;
	int64_t micros = 0;
	bool ok;

	if (o->type != MSGPACK_OBJECT_EXT || o->via.ext.type != EXT_TIMESTAMP)
		return false;
	p = o->via.ext.ptr;
	switch (o->via.ext.size) {
	case 4:
		ok = time_micros(read_be32(p), 0, &micros);
		break;
	case 8:
		both = read_be64(p);
		ok = time_micros((int64_t)(both & 0x3ffffffff), both >> 34, &micros);
		break;
	case 12:
		ok = time_micros((int64_t)read_be64(p + 4), read_be32(p), &micros);
		break;
	default:
		ok = false;
	}
	if (ok)
		*out = micros;
	return ok;
}

/* ---- items ---- */

static enum rowd_kind ext_kind(const msgpack_object *o)
{
	int64_t micros;

	return timestamp_read(o, &micros) ? ROWD_KIND_TIME : ROWD_KIND_OTHER;
}

enum rowd_kind rowd_item_kind(const struct rowd_item *item)
{
	const msgpack_object *o = object_of(item);

	if (!o)
		return ROWD_KIND_NONE;
	switch (o->type) {
	case MSGPACK_OBJECT_NIL:
		return ROWD_KIND_NULL;
	case MSGPACK_OBJECT_BOOLEAN:
		return ROWD_KIND_BOOL;
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		return o->via.u64 <= INT64_MAX ? ROWD_KIND_INT : ROWD_KIND_OTHER;
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		return ROWD_KIND_INT;
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		return ROWD_KIND_FLOAT;
	case MSGPACK_OBJECT_STR:
		return ROWD_KIND_STR;
	case MSGPACK_OBJECT_BIN:
		return ROWD_KIND_BIN;
	case MSGPACK_OBJECT_ARRAY:
		return ROWD_KIND_ARRAY;
	case MSGPACK_OBJECT_MAP:
		return ROWD_KIND_MAP;
	case MSGPACK_OBJECT_EXT:
		return ext_kind(o);
	}
	return ROWD_KIND_OTHER;
}

bool rowd_item_is_null(const struct rowd_item *item)
{
	return item && object_of(item)->type == MSGPACK_OBJECT_NIL;
}

bool rowd_item_bool(const struct rowd_item *item, bool *out)
{
	bool ok = rowd_item_kind(item) == ROWD_KIND_BOOL;

	*out = ok && object_of(item)->via.boolean;
	return ok;
}

bool rowd_item_int(const struct rowd_item *item, int64_t *out)
{
	bool ok = rowd_item_kind(item) == ROWD_KIND_INT;

	*out = ok ? object_of(item)->via.i64 : 0;
	return ok;
}

bool rowd_item_float(const struct rowd_item *item, double *out)
{
	bool ok = rowd_item_kind(item) == ROWD_KIND_FLOAT;

	*out = ok ? object_of(item)->via.f64 : 0;
	return ok;
}

bool rowd_item_time(const struct rowd_item *item, int64_t *micros_out)
{
	*micros_out = 0;
	return item && timestamp_read(object_of(item), micros_out);
}

/*
 * A string is followed in its frame by the head of another object, or by the spare byte behind the
 * frame. All heads have been read by the time there is an item, so the NUL can stand there.
 */
const char *rowd_item_str(const struct rowd_item *item, size_t *len_out)
{
	const msgpack_object *o = object_of(item);
	bool ok = o && o->type == MSGPACK_OBJECT_STR;
	size_t len = ok ? o->via.str.size : 0;

	if (len_out)
		*len_out = len;
	if (!ok)
		return NULL;
	if (len == 0)
		return "";
	((char *)o->via.str.ptr)[len] = '\0';
	return o->via.str.ptr;
}

const void *rowd_item_bin(const struct rowd_item *item, size_t *len_out)
{
	const msgpack_object *o = object_of(item);
	bool ok = o && o->type == MSGPACK_OBJECT_BIN;

	if (len_out)
		*len_out = ok ? o->via.bin.size : 0;
	if (!ok)
		return NULL;
	return o->via.bin.size ? o->via.bin.ptr : "";
}

size_t rowd_item_count(const struct rowd_item *item)
{
	const msgpack_object *o = object_of(item);

	if (o && o->type == MSGPACK_OBJECT_ARRAY)
		return o->via.array.size;
	return o && o->type == MSGPACK_OBJECT_MAP ? o->via.map.size : 0;
}

const struct rowd_item *rowd_item_at(const struct rowd_item *item, size_t index)
{
	const msgpack_object *o = object_of(item);

	if (index >= rowd_item_count(item))
		return NULL;
	return item_of(o->type == MSGPACK_OBJECT_ARRAY ? &o->via.array.ptr[index]
						       : &o->via.map.ptr[index].val);
}

const char *rowd_item_name(const struct rowd_item *item, size_t index)
{
	const msgpack_object *o = object_of(item);

	if (index >= rowd_item_count(item) || o->type != MSGPACK_OBJECT_MAP)
		return NULL;
	return rowd_item_str(item_of(&o->via.map.ptr[index].key), NULL);
}

static bool str_equal(const msgpack_object *o, const char *s, size_t len)
{
	return o->type == MSGPACK_OBJECT_STR && o->via.str.size == len && memcmp(o->via.str.ptr, s, len) == 0;
}

const struct rowd_item *rowd_item_get(const struct rowd_item *item, const char *name)
{
	const msgpack_object *o = object_of(item);
	size_t len = strlen(name);
	uint32_t i;

	if (!o || o->type != MSGPACK_OBJECT_MAP)
		return NULL;
	for (i = 0; i < o->via.map.size; i++) {
		if (str_equal(&o->via.map.ptr[i].key, name, len))
			return item_of(&o->via.map.ptr[i].val);
	}
	return NULL;
}

/* ---- rows ---- */

const struct rowd_item *rowd_row_get(const struct rowd_row *row, const char *column)
{
	const msgpack_object *names = row->result->columns;
	size_t len = strlen(column);
	uint32_t i;

	if (!names)
		return rowd_item_get(item_of(row->cells), column);
	for (i = 0; i < names->via.array.size; i++) {
		if (str_equal(&names->via.array.ptr[i], column, len))
			return item_of(&row->cells->via.array.ptr[i]);
	}
	return NULL;
}

const struct rowd_item *rowd_row_at(const struct rowd_row *row, size_t column)
{
	return rowd_item_at(item_of(row->cells), column);
}

size_t rowd_row_columns(const struct rowd_row *row)
{
	return rowd_item_count(item_of(row->cells));
}

bool rowd_row_is_null(const struct rowd_row *row, const char *column)
{
	return rowd_item_is_null(rowd_row_get(row, column));
}

bool rowd_row_bool(const struct rowd_row *row, const char *column, bool *out)
{
	return rowd_item_bool(rowd_row_get(row, column), out);
}

bool rowd_row_int(const struct rowd_row *row, const char *column, int64_t *out)
{
	return rowd_item_int(rowd_row_get(row, column), out);
}

bool rowd_row_float(const struct rowd_row *row, const char *column, double *out)
{
	return rowd_item_float(rowd_row_get(row, column), out);
}

bool rowd_row_time(const struct rowd_row *row, const char *column, int64_t *micros_out)
{
	return rowd_item_time(rowd_row_get(row, column), micros_out);
}

const char *rowd_row_str(const struct rowd_row *row, const char *column, size_t *len_out)
{
	return rowd_item_str(rowd_row_get(row, column), len_out);
}

const void *rowd_row_bin(const struct rowd_row *row, const char *column, size_t *len_out)
{
	return rowd_item_bin(rowd_row_get(row, column), len_out);
}
