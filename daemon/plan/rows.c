#include "config.h"

#include "daemon/plan/rows.h"

#include <stdlib.h>
#include <string.h>

enum { SHAPES_REMEMBERED = 8 };

struct reader {
	struct arena *arena;
	const struct limits *limits;
	const struct table *table;
	const struct row_shape *recent[SHAPES_REMEMBERED];
	unsigned nshapes; /* made so far */
};

static enum rowd_code no_memory(struct err *err)
{
	return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the rows");
}

/* ---- shapes ---- */

static bool same_str(const msgpack_object_str *a, const msgpack_object_str *b)
{
	return a->size == b->size && (a->size == 0 || memcmp(a->ptr, b->ptr, a->size) == 0);
}

/* The same names in the same order? */
static bool fits_shape(const msgpack_object_map *map, const struct row_shape *shape)
{
	if (map->size != shape->example->size)
		return false;
	for (uint32_t i = 0; i < map->size; i++)
		if (!same_str(&map->ptr[i].key.via.str, &shape->example->ptr[i].key.via.str))
			return false;
	return true;
}

static enum rowd_code find_column(const struct table *t, const msgpack_object_str *name,
				  const struct column **out, struct err *err)
{
	char text[ERR_NAME_BYTES] = "";
	size_t len = name->size < sizeof(text) ? name->size : sizeof(text) - 1;

	*out = table_column(t, name->size > 0 ? name->ptr : "", name->size);
	if (*out && (*out)->computed) {
		err_set(err, ROWD_E_UNSUPPORTED, "column %s is computed by the database", (*out)->name);
		err_where(err, t->name, (*out)->name);
		return ROWD_E_UNSUPPORTED;
	}
	if (*out)
		return ROWD_OK;
	if (len > 0)
		memcpy(text, name->ptr, len);
	err_set(err, ROWD_E_UNKNOWN_COLUMN, "table %s has no column \"%s\"", t->name, text);
	err_where(err, t->name, text);
	return ROWD_E_UNKNOWN_COLUMN;
}

static int by_position(const void *a, const void *b)
{
	const struct column *const *x = a, *const *y = b;

	return ((*x)->position > (*y)->position) - ((*x)->position < (*y)->position);
}

static unsigned shape_place(const struct row_shape *shape, const struct column *c)
{
	unsigned low = 0, high = shape->ncolumns;

	while (low < high) {
		unsigned middle = low + (high - low) / 2;

		if (shape->columns[middle]->position < c->position)
			low = middle + 1;
		else
			high = middle;
	}
	return low < shape->ncolumns && shape->columns[low] == c ? low : shape->ncolumns;
}

/* The first column that has to be given and is not. */
static const struct column *find_missing(const struct table *t, const struct row_shape *shape)
{
	for (unsigned i = 0; i < t->ncolumns; i++) {
		const struct column *c = &t->columns[i];
		bool may_be_null = c->nullable && !key_has_column(&t->primary_key, c);

		if (!may_be_null && !c->has_default && !c->generated && !c->computed &&
		    shape_place(shape, c) == shape->ncolumns)
			return c;
	}
	return NULL;
}

static enum rowd_code shape_new(struct reader *r, const msgpack_object_map *map, const struct row_shape **out,
				struct err *err)
{
	struct row_shape *shape = arena_calloc(r->arena, 1, sizeof(*shape));
	const struct column *c;

	if (!shape)
		return no_memory(err);
	shape->example = map;
	shape->ncolumns = map->size;
	shape->columns = arena_calloc(r->arena, map->size, sizeof(*shape->columns));
	shape->places = arena_calloc(r->arena, map->size, sizeof(*shape->places));
	if (!shape->columns || !shape->places)
		return no_memory(err);
	for (uint32_t i = 0; i < map->size; i++) {
		enum rowd_code rc = find_column(r->table, &map->ptr[i].key.via.str, &shape->columns[i], err);

		if (rc)
			return rc;
	}
	if (map->size > 1)
		qsort(shape->columns, map->size, sizeof(*shape->columns), by_position);
	for (uint32_t i = 0; i < map->size; i++) {
		const msgpack_object_str *name = &map->ptr[i].key.via.str;

		c = table_column(r->table, name->size > 0 ? name->ptr : "", name->size);
		shape->places[i] = shape_place(shape, c);
	}
	shape->missing = find_missing(r->table, shape);
	*out = shape;
	return ROWD_OK;
}

static enum rowd_code shape_of(struct reader *r, const msgpack_object_map *map, const struct row_shape **out,
			       struct err *err)
{
	enum rowd_code rc;

	for (unsigned i = 1; i <= r->nshapes && i <= SHAPES_REMEMBERED; i++) {
		*out = r->recent[(r->nshapes - i) % SHAPES_REMEMBERED];
		if (fits_shape(map, *out))
			return ROWD_OK;
	}
	rc = shape_new(r, map, out, err);
	if (!rc)
		r->recent[r->nshapes++ % SHAPES_REMEMBERED] = *out;
	return rc;
}

/* ---- values ---- */

static enum rowd_code read_value(struct reader *r, const struct column *c, const msgpack_object *o,
				 struct value *out, struct err *err)
{
	enum rowd_code rc = value_from_wire(o, &c->type, (size_t)r->limits->value_bytes, true, out, err);

	if (!rc && out->kind == VALUE_NULL && !c->generated &&
	    (!c->nullable || key_has_column(&r->table->primary_key, c)))
		rc = err_set(err, ROWD_E_NULL_NOT_ALLOWED, "column %s cannot be null", c->name);
	if (rc)
		err_where(err, r->table->name, c->name);
	return rc;
}

static enum rowd_code read_row(struct reader *r, const msgpack_object_map *map, struct row *out,
			       struct err *err)
{
	enum rowd_code rc = shape_of(r, map, &out->shape, err);
	struct value *values;

	if (rc)
		return rc;
	values = arena_alloc(r->arena, map->size * sizeof(*values));
	if (!values)
		return no_memory(err);
	for (uint32_t i = 0; i < map->size && !rc; i++) {
		unsigned place = out->shape->places[i];

		rc = read_value(r, out->shape->columns[place], &map->ptr[i].val, &values[place], err);
	}
	out->values = values;
	return rc;
}

enum rowd_code rows_read(struct arena *a, const struct limits *limits, const struct table *table,
			 const msgpack_object *o, struct row_set *out, struct err *err)
{
	struct reader r = { .arena = a, .limits = limits, .table = table };
	bool is_array = o->type == MSGPACK_OBJECT_ARRAY;
	size_t n = is_array ? o->via.array.size : 1;
	enum rowd_code rc = ROWD_OK;

	*out = (struct row_set){ .table = table, .count = n, .is_array = is_array };
	out->rows = arena_calloc(a, n, sizeof(*out->rows));
	if (!out->rows)
		return no_memory(err);
	for (size_t i = 0; i < n && !rc; i++) {
		rc = read_row(&r, is_array ? &o->via.array.ptr[i].via.map : &o->via.map, &out->rows[i], err);
		if (rc && is_array)
			err->index = (int64_t)i;
	}
	return rc;
}

/* ---- looking at a row ---- */

const struct value *row_given(const struct row *r, const struct column *c)
{
	unsigned place = shape_place(r->shape, c);

	return place < r->shape->ncolumns ? &r->values[place] : NULL;
}

const struct value *row_value(const struct row *r, const struct column *c)
{
	static const struct value null = { .kind = VALUE_NULL };
	const struct value *given = row_given(r, c);

	if (given && !(c->generated && given->kind == VALUE_NULL))
		return given;
	if (c->generated || c->computed || c->default_is_computed)
		return NULL;
	return c->has_default ? &c->dflt : &null;
}

bool row_key(const struct row *r, const struct table *t, struct value *out)
{
	const struct key *k = &t->primary_key;

	for (unsigned i = 0; i < k->ncolumns; i++) {
		const struct value *v = row_value(r, k->columns[i]);

		if (!v)
			return false;
		out[i] = *v;
	}
	return k->ncolumns > 0;
}
