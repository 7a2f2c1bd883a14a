#include "config.h"

#include "proto/value.h"

#include <assert.h>
#include <endian.h>
#include <math.h>
#include <string.h>

#include "proto/decimal.h"
#include "proto/time.h"

enum { EXT_TIMESTAMP = -1 };

#define FLOAT_MAX_EXACT_INT (INT64_C(1) << 53)

const char *wire_kind_name(const msgpack_object *o)
{
	switch (o->type) {
	case MSGPACK_OBJECT_NIL:
		return "nil";
	case MSGPACK_OBJECT_BOOLEAN:
		return "a bool";
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		return "an int";
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		return "a float";
	case MSGPACK_OBJECT_STR:
		return "a str";
	case MSGPACK_OBJECT_ARRAY:
		return "an array";
	case MSGPACK_OBJECT_MAP:
		return "a map";
	case MSGPACK_OBJECT_BIN:
		return "a bin";
	case MSGPACK_OBJECT_EXT:
		return o->via.ext.type == EXT_TIMESTAMP ? "a timestamp" : "an extension";
	}
	return "something else";
}

static enum rowd_code mismatch(const msgpack_object *o, const char *due, struct err *err)
{
	return err_set(err, ROWD_E_TYPE_MISMATCH, "%s is due, %s came", due, wire_kind_name(o));
}

/* The bytes of a str or bin. msgpack-c leaves the pointer of an empty one NULL. */
static const char *str_bytes(const msgpack_object *o)
{
	return o->via.str.size > 0 ? o->via.str.ptr : "";
}

static const char *bin_bytes(const msgpack_object *o)
{
	return o->via.bin.size > 0 ? o->via.bin.ptr : "";
}

static enum rowd_code int_from_wire(const msgpack_object *o, struct value *out, struct err *err)
{
	if (o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER) {
		*out = value_int(o->via.i64);
		return ROWD_OK;
	}
	if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
		return mismatch(o, "an int", err);
	if (o->via.u64 > INT64_MAX)
		return err_set(err, ROWD_E_OUT_OF_RANGE,
			       "an int of -2^63 to 2^63-1 is due, a greater one came");
	*out = value_int((int64_t)o->via.u64);
	return ROWD_OK;
}

static enum rowd_code bool_from_wire(const msgpack_object *o, struct value *out, struct err *err)
{
	if (o->type != MSGPACK_OBJECT_BOOLEAN)
		return mismatch(o, "a bool", err);
	*out = (struct value){ .kind = VALUE_BOOL, .u.i = o->via.boolean };
	return ROWD_OK;
}

static enum rowd_code float_from_wire(const msgpack_object *o, struct value *out, struct err *err)
{
	double f;

	switch (o->type) {
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		f = o->via.f64;
		if (!isfinite(f))
			return err_set(err, ROWD_E_OUT_OF_RANGE,
				       "a finite float is due, an infinity or not a number came");
		break;
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? o->via.u64 > (uint64_t)FLOAT_MAX_EXACT_INT
							       : o->via.i64 < -FLOAT_MAX_EXACT_INT)
			return err_set(
				err, ROWD_E_OUT_OF_RANGE,
				"a float, or an int of at most 2^53 in magnitude, is due; a greater int came");
		f = o->type == MSGPACK_OBJECT_POSITIVE_INTEGER ? (double)o->via.u64 : (double)o->via.i64;
		break;
	default:
		return mismatch(o, "a float", err);
	}
	*out = (struct value){ .kind = VALUE_FLOAT, .u.f = f == 0.0 ? 0.0 : f };
	return ROWD_OK;
}

static enum rowd_code decimal_from_wire(const msgpack_object *o, const struct type *t, struct value *out,
					struct err *err)
{
	int64_t scaled;
	char type[TYPE_TEXT_BYTES];

	if (o->type != MSGPACK_OBJECT_STR)
		return mismatch(o, "a decimal as a str", err);
	switch (decimal_read(str_bytes(o), o->via.str.size, t->digits, t->scale, &scaled)) {
	case DECIMAL_NO_NUMBER:
		return err_set(err, ROWD_E_TYPE_MISMATCH,
			       "a decimal as a str such as \"-12.50\" is due, a str that is none came");
	case DECIMAL_NO_ROOM:
		return err_set(err, ROWD_E_OUT_OF_RANGE, "%s is due, one of more digits or decimals came",
			       type_format(t, type));
	case DECIMAL_FITS:
		break;
	}
	*out = (struct value){ .kind = VALUE_DECIMAL, .scale = t->scale, .u.i = scaled };
	return ROWD_OK;
}

static enum rowd_code text_from_wire(const msgpack_object *o, const struct type *t, size_t max_bytes,
				     bool check_length, struct value *out, struct err *err)
{
	size_t len = o->via.str.size, chars;
	const char *s;

	if (o->type != MSGPACK_OBJECT_STR)
		return mismatch(o, "a str", err);
	if (len > max_bytes)
		return err_limit(err, (int64_t)max_bytes, "a str of %zu bytes", len);
	s = str_bytes(o);
	if (!utf8_valid(s, len, &chars))
		return err_set(err, ROWD_E_INVALID_TEXT, "UTF-8 without U+0000 is due, other bytes came");
	if (check_length && t->length > 0 && chars > t->length)
		return err_set(err, ROWD_E_TOO_LONG, "at most %u characters are due, %zu came",
			       (unsigned)t->length, chars);
	*out = value_text(s, len);
	return ROWD_OK;
}

static enum rowd_code bytes_from_wire(const msgpack_object *o, const struct type *t, size_t max_bytes,
				      bool check_length, struct value *out, struct err *err)
{
	size_t len = o->via.bin.size;

	if (o->type != MSGPACK_OBJECT_BIN)
		return mismatch(o, "a bin", err);
	if (len > max_bytes)
		return err_limit(err, (int64_t)max_bytes, "a bin of %zu bytes", len);
	if (check_length && t->length > 0 && len > t->length)
		return err_set(err, ROWD_E_TOO_LONG, "at most %u bytes are due, %zu came",
			       (unsigned)t->length, len);
	*out = value_bytes(bin_bytes(o), len);
	return ROWD_OK;
}

/* Seconds and nanoseconds of a timestamp extension; false when it is not of 4, 8 or 12 bytes. */
static bool timestamp_read(const msgpack_object_ext *ext, int64_t *seconds_out, uint32_t *nanos_out)
{
	uint32_t be32;
	uint64_t be64;

	switch (ext->size) {
	case 4:
		memcpy(&be32, ext->ptr, 4);
		*seconds_out = be32toh(be32);
		*nanos_out = 0;
		return true;
	case 8:
		memcpy(&be64, ext->ptr, 8);
		be64 = be64toh(be64);
		*seconds_out = (int64_t)(be64 & ((UINT64_C(1) << 34) - 1));
		*nanos_out = (uint32_t)(be64 >> 34);
		return true;
	case 12:
		memcpy(&be32, ext->ptr, 4);
		memcpy(&be64, ext->ptr + 4, 8);
		*seconds_out = (int64_t)be64toh(be64);
		*nanos_out = be32toh(be32);
		return true;
	}
	return false;
}

/* As value_time_parse tells. */
static enum time_fit time_from_timestamp(const msgpack_object_ext *ext, int64_t *micros_out)
{
	int64_t seconds;
	uint32_t nanos;

	if (!timestamp_read(ext, &seconds, &nanos))
		return TIME_NO_TIME;
	if (seconds < VALUE_TIME_MIN / 1000000 || seconds > VALUE_TIME_MAX / 1000000 || nanos > 999999999 ||
	    nanos % 1000 != 0)
		return TIME_NO_ROOM;
	*micros_out = seconds * 1000000 + nanos / 1000;
	return TIME_FITS;
}

static enum rowd_code time_from_wire(const msgpack_object *o, struct value *out, struct err *err)
{
	static const char due[] = "a time (a timestamp extension, or a str of RFC 3339)";
	enum time_fit fit;
	int64_t micros;

	if (o->type == MSGPACK_OBJECT_EXT && o->via.ext.type == EXT_TIMESTAMP)
		fit = time_from_timestamp(&o->via.ext, &micros);
	else if (o->type == MSGPACK_OBJECT_STR)
		fit = time_read_rfc3339(str_bytes(o), o->via.str.size, &micros);
	else
		return mismatch(o, due, err);
	switch (fit) {
	case TIME_NO_TIME:
		return err_set(err, ROWD_E_TYPE_MISMATCH, "%s is due, %s that is none came", due,
			       wire_kind_name(o));
	case TIME_NO_ROOM:
		return err_set(err, ROWD_E_OUT_OF_RANGE,
			       "a time of the years 0001 to 9999 in whole microseconds is due, another came");
	case TIME_FITS:
		break;
	}
	*out = (struct value){ .kind = VALUE_TIME, .u.i = micros };
	return ROWD_OK;
}

/* For a column of no type of ours: each thing as what it is. */
static enum rowd_code any_from_wire(const msgpack_object *o, const struct type *t, size_t max_bytes,
				    struct value *out, struct err *err)
{
	switch (o->type) {
	case MSGPACK_OBJECT_BOOLEAN:
		return bool_from_wire(o, out, err);
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		return int_from_wire(o, out, err);
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		return float_from_wire(o, out, err);
	case MSGPACK_OBJECT_STR:
		return text_from_wire(o, t, max_bytes, false, out, err);
	case MSGPACK_OBJECT_BIN:
		return bytes_from_wire(o, t, max_bytes, false, out, err);
	case MSGPACK_OBJECT_EXT:
		if (o->via.ext.type == EXT_TIMESTAMP)
			return time_from_wire(o, out, err);
		break;
	case MSGPACK_OBJECT_NIL:
	case MSGPACK_OBJECT_ARRAY:
	case MSGPACK_OBJECT_MAP:
		break;
	}
	return mismatch(o, "one plain value", err);
}

enum rowd_code value_from_wire(const msgpack_object *o, const struct type *t, size_t max_value_bytes,
			       bool check_length, struct value *out, struct err *err)
{
	if (o->type == MSGPACK_OBJECT_NIL) {
		*out = value_null();
		return ROWD_OK;
	}
	switch (t->kind) {
	case TYPE_INT:
		return int_from_wire(o, out, err);
	case TYPE_BOOL:
		return bool_from_wire(o, out, err);
	case TYPE_FLOAT:
		return float_from_wire(o, out, err);
	case TYPE_DECIMAL:
		return decimal_from_wire(o, t, out, err);
	case TYPE_TEXT:
		return text_from_wire(o, t, max_value_bytes, check_length, out, err);
	case TYPE_BYTES:
		return bytes_from_wire(o, t, max_value_bytes, check_length, out, err);
	case TYPE_TIME:
		return time_from_wire(o, out, err);
	case TYPE_ANY:
		return any_from_wire(o, t, max_value_bytes, out, err);
	}
	return err_set(err, ROWD_E_INTERNAL, "a type of no known kind");
}

void value_to_wire(struct buf *b, const struct value *v)
{
	char text[24];

	switch (v->kind) {
	case VALUE_NULL:
		wire_nil(b);
		return;
	case VALUE_BOOL:
		wire_bool(b, v->u.i != 0);
		return;
	case VALUE_INT:
		wire_int(b, v->u.i);
		return;
	case VALUE_FLOAT:
		wire_float(b, v->u.f);
		return;
	case VALUE_DECIMAL:
		wire_str(b, text, value_decimal_format(v->u.i, v->scale, text));
		return;
	case VALUE_TEXT:
		wire_str(b, v->u.s.data, v->u.s.len);
		return;
	case VALUE_BYTES:
		wire_bin(b, v->u.s.data, v->u.s.len);
		return;
	case VALUE_TIME:
		wire_time(b, v->u.i);
		return;
	case VALUE_LIST:
		break;
	}
	assert(!"a list never travels outwards");
}

static int strings_compare(const struct value *a, const struct value *b)
{
	size_t shorter = a->u.s.len < b->u.s.len ? a->u.s.len : b->u.s.len;
	int order = memcmp(a->u.s.data, b->u.s.data, shorter);

	return order != 0 ? order : (a->u.s.len > b->u.s.len) - (a->u.s.len < b->u.s.len);
}

int value_compare(const struct value *a, const struct value *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1; /* VALUE_NULL is the least kind */
	switch (a->kind) {
	case VALUE_BOOL:
	case VALUE_INT:
	case VALUE_TIME:
	case VALUE_DECIMAL:
		assert(a->scale == b->scale || a->kind != VALUE_DECIMAL);
		return (a->u.i > b->u.i) - (a->u.i < b->u.i);
	case VALUE_FLOAT:
		return (a->u.f > b->u.f) - (a->u.f < b->u.f);
	case VALUE_TEXT:
	case VALUE_BYTES:
		return strings_compare(a, b);
	case VALUE_NULL:
	case VALUE_LIST:
		break;
	}
	return 0;
}

bool value_equal(const struct value *a, const struct value *b)
{
	if (a->kind != b->kind)
		return false;
	if (a->kind == VALUE_TEXT || a->kind == VALUE_BYTES)
		return a->u.s.len == b->u.s.len && memcmp(a->u.s.data, b->u.s.data, a->u.s.len) == 0;
	return value_compare(a, b) == 0;
}
