#include "config.h"

#include "daemon/plan/sets.h"

#include <stdlib.h>
#include <string.h>

#include "proto/decimal.h"

__extension__ typedef __int128 int128;

struct reader {
	struct arena *arena;
	const struct limits *limits;
	const struct table *table;
};

static bool str_is(const msgpack_object *o, const char *s)
{
	size_t len = strlen(s);

	return o->type == MSGPACK_OBJECT_STR && o->via.str.size == len && memcmp(o->via.str.ptr, s, len) == 0;
}

/* ---- arithmetic ---- */

static int128 power_of_ten(unsigned n)
{
	int128 p = 1;

	while (n-- > 0)
		p *= 10;
	return p;
}

static unsigned scale_of(const struct value *v)
{
	return v->kind == VALUE_DECIMAL ? v->scale : 0;
}

/* From `from` decimals to `to`; false when it loses digits or cannot fit anyway. */
static bool rescale(int128 *n_io, unsigned from, unsigned to)
{
	int128 factor;

	if (from > to) {
		factor = power_of_ten(from - to);
		if (*n_io % factor != 0)
			return false;
		*n_io /= factor;
		return true;
	}
	if (from < to &&
	    (*n_io >= power_of_ten(DECIMAL_MAX_DIGITS) || *n_io <= -power_of_ten(DECIMAL_MAX_DIGITS)))
		return false;
	*n_io *= power_of_ten(to - from);
	return true;
}

static enum set_fit fit_int(int128 n, struct value *out)
{
	if (n < INT64_MIN || n > INT64_MAX)
		return SET_NO_ROOM;
	*out = value_int((int64_t)n);
	return SET_FITS;
}

static enum set_fit fit_decimal(int128 n, const struct type *type, struct value *out)
{
	int128 limit = power_of_ten(type->digits);

	if (n >= limit || n <= -limit)
		return SET_NO_ROOM;
	*out = (struct value){ .kind = VALUE_DECIMAL, .scale = type->scale, .u.i = (int64_t)n };
	return SET_FITS;
}

static bool is_number(const struct value *v)
{
	return v->kind == VALUE_INT || v->kind == VALUE_DECIMAL;
}

enum set_fit set_compute(const struct set_term *t, const struct value *x, const struct value *y,
			 struct value *out)
{
	const struct type *type = &t->column->type;
	int128 n;

	if (t->op == SET_VALUE) {
		*out = *x;
		return SET_FITS;
	}
	if (x->kind == VALUE_NULL || y->kind == VALUE_NULL) {
		*out = value_null();
		return SET_FITS;
	}
	if (!is_number(x) || !is_number(y))
		return SET_NO_NUMBER;
	if (t->op == SET_MULTIPLY) {
		n = (int128)x->u.i * y->u.i;
		if (type->kind == TYPE_DECIMAL && !rescale(&n, scale_of(x) + scale_of(y), type->scale))
			return SET_NO_ROOM;
	} else {
		n = t->op == SET_ADD ? (int128)x->u.i + y->u.i : (int128)x->u.i - y->u.i;
	}
	return type->kind == TYPE_DECIMAL ? fit_decimal(n, type, out) : fit_int(n, out);
}

/* ---- operands ---- */

/* Can a column of that type be an operand of the term? */
static bool operand_type_fits(const struct set_term *t, const struct type *type)
{
	const struct type *due = &t->column->type;

	if (due->kind == TYPE_DECIMAL && t->op == SET_MULTIPLY)
		return type->kind == TYPE_DECIMAL || type->kind == TYPE_INT;
	return type->kind == due->kind && (due->kind != TYPE_DECIMAL || type->scale == due->scale);
}

static enum rowd_code read_column(const struct reader *r, const msgpack_object *name,
				  const struct column **out, struct err *err)
{
	char text[ERR_NAME_BYTES] = "";
	const char *s = name->via.str.size > 0 ? name->via.str.ptr : "";
	size_t len = name->via.str.size < sizeof(text) ? name->via.str.size : sizeof(text) - 1;

	*out = table_column(r->table, s, name->via.str.size);
	if (*out)
		return ROWD_OK;
	memcpy(text, s, len);
	err_set(err, ROWD_E_UNKNOWN_COLUMN, "table %s has no column \"%s\"", r->table->name, text);
	err_where(err, r->table->name, text);
	return ROWD_E_UNKNOWN_COLUMN;
}

/* ["col", name] */
static enum rowd_code read_column_operand(const struct reader *r, const struct set_term *t,
					  const msgpack_object *o, struct operand *out, struct err *err)
{
	const msgpack_object *parts = o->via.array.ptr;
	enum rowd_code rc;

	if (o->via.array.size != 2 || !str_is(&parts[0], "col") || parts[1].type != MSGPACK_OBJECT_STR)
		return err_set(err, ROWD_E_BAD_REQUEST, "an operand is a literal or [\"col\", name]");
	out->kind = OPERAND_COLUMN;
	rc = read_column(r, &parts[1], &out->column, err);
	if (rc)
		return rc;
	if (!operand_type_fits(t, &out->column->type))
		return err_set(err, ROWD_E_TYPE_MISMATCH,
			       "column %s is of a type that column %s cannot be computed from",
			       out->column->name, t->column->name);
	return ROWD_OK;
}

/* A decimal by which another is multiplied has decimals of its own. */
static enum rowd_code read_factor(const msgpack_object *o, struct value *out, struct err *err)
{
	const char *s = o->via.str.size > 0 ? o->via.str.ptr : "";
	const char *point = memchr(s, '.', o->via.str.size);
	size_t decimals = point ? o->via.str.size - (size_t)(point - s) - 1 : 0;
	int64_t scaled;

	if (decimals > DECIMAL_MAX_DIGITS)
		return err_set(err, ROWD_E_OUT_OF_RANGE, "a decimal of at most %d digits is due",
			       DECIMAL_MAX_DIGITS);
	switch (decimal_read(s, o->via.str.size, DECIMAL_MAX_DIGITS, (unsigned)decimals, &scaled)) {
	case DECIMAL_NO_NUMBER:
		return err_set(err, ROWD_E_TYPE_MISMATCH, "a decimal is due, a str that is none came");
	case DECIMAL_NO_ROOM:
		return err_set(err, ROWD_E_OUT_OF_RANGE, "a decimal of at most %d digits is due",
			       DECIMAL_MAX_DIGITS);
	case DECIMAL_FITS:
		break;
	}
	*out = (struct value){ .kind = VALUE_DECIMAL, .scale = (uint8_t)decimals, .u.i = scaled };
	return ROWD_OK;
}

static enum rowd_code read_operand(const struct reader *r, const struct set_term *t, const msgpack_object *o,
				   struct operand *out, struct err *err)
{
	static const struct type int_type = { .kind = TYPE_INT };
	bool factor = t->column->type.kind == TYPE_DECIMAL && t->op == SET_MULTIPLY;

	out->kind = OPERAND_VALUE;
	if (o->type == MSGPACK_OBJECT_ARRAY)
		return read_column_operand(r, t, o, out, err);
	if (o->type == MSGPACK_OBJECT_NIL)
		return err_set(err, ROWD_E_NULL_NOT_ALLOWED, "nil is no operand");
	if (factor && o->type == MSGPACK_OBJECT_STR)
		return read_factor(o, &out->value, err);
	return value_from_wire(o, factor ? &int_type : &t->column->type, (size_t)r->limits->value_bytes, true,
			       &out->value, err);
}

/* ---- terms ---- */

static enum rowd_code compute_here(struct set_term *t, struct err *err)
{
	struct value v;

	if (set_compute(t, &t->x.value, &t->y.value, &v) != SET_FITS)
		return err_set(err, ROWD_E_OUT_OF_RANGE, "the result is out of the range of column %s",
			       t->column->name);
	*t = (struct set_term){ .column = t->column, .op = SET_VALUE, .x = { .value = v } };
	return ROWD_OK;
}

static enum rowd_code read_expression(const struct reader *r, struct set_term *t, const msgpack_object *o,
				      struct err *err)
{
	const msgpack_object *parts = o->via.array.ptr;
	enum rowd_code rc;

	if (o->via.array.size == 3 && str_is(&parts[0], "+"))
		t->op = SET_ADD;
	else if (o->via.array.size == 3 && str_is(&parts[0], "-"))
		t->op = SET_SUBTRACT;
	else if (o->via.array.size == 3 && str_is(&parts[0], "*"))
		t->op = SET_MULTIPLY;
	else
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "a literal is due, or [op, x, y] with op \"+\", \"-\" or \"*\"");
	if (t->column->type.kind != TYPE_INT && t->column->type.kind != TYPE_DECIMAL)
		return err_set(err, ROWD_E_TYPE_MISMATCH, "only int and decimal columns can be computed");
	rc = read_operand(r, t, &parts[1], &t->x, err);
	if (!rc)
		rc = read_operand(r, t, &parts[2], &t->y, err);
	if (rc || t->x.kind != OPERAND_VALUE || t->y.kind != OPERAND_VALUE)
		return rc;
	return compute_here(t, err);
}

static enum rowd_code read_literal(const struct reader *r, struct set_term *t, const msgpack_object *o,
				   struct err *err)
{
	enum rowd_code rc =
		value_from_wire(o, &t->column->type, (size_t)r->limits->value_bytes, true, &t->x.value, err);

	if (!rc && t->x.value.kind == VALUE_NULL && !t->column->nullable)
		rc = err_set(err, ROWD_E_NULL_NOT_ALLOWED, "column %s cannot be null", t->column->name);
	return rc;
}

static enum rowd_code read_term(const struct reader *r, const msgpack_object_kv *kv, struct set_term *t,
				struct err *err)
{
	enum rowd_code rc = read_column(r, &kv->key, &t->column, err);

	if (rc)
		return rc;
	if (key_has_column(&r->table->primary_key, t->column))
		rc = err_set(err, ROWD_E_BAD_REQUEST, "the primary key cannot be set");
	else if (t->column->computed)
		rc = err_set(err, ROWD_E_UNSUPPORTED, "column %s is computed by the database",
			     t->column->name);
	else if (kv->val.type == MSGPACK_OBJECT_ARRAY)
		rc = read_expression(r, t, &kv->val, err);
	else
		rc = read_literal(r, t, &kv->val, err);
	if (rc && rc != ROWD_E_UNKNOWN_COLUMN)
		err_where(err, r->table->name, t->column->name);
	return rc;
}

static int by_position(const void *a, const void *b)
{
	const struct set_term *x = a, *y = b;

	return (x->column->position > y->column->position) - (x->column->position < y->column->position);
}

enum rowd_code sets_read(struct arena *a, const struct limits *limits, const struct table *table,
			 const msgpack_object *map, struct set_list *out, struct err *err)
{
	const struct reader r = { .arena = a, .limits = limits, .table = table };
	enum rowd_code rc = ROWD_OK;

	out->count = map->via.map.size;
	if (out->count == 0)
		return err_set(err, ROWD_E_BAD_REQUEST, "there is nothing to set");
	out->terms = arena_calloc(a, out->count, sizeof(*out->terms));
	if (!out->terms)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for what is set");
	for (unsigned i = 0; i < out->count && !rc; i++)
		rc = read_term(&r, &map->via.map.ptr[i], &out->terms[i], err);
	if (!rc)
		qsort(out->terms, out->count, sizeof(*out->terms), by_position);
	return rc;
}

const struct set_term *sets_find(const struct set_list *sets, const struct column *c)
{
	for (unsigned i = 0; i < sets->count; i++)
		if (sets->terms[i].column == c)
			return &sets->terms[i];
	return NULL;
}
