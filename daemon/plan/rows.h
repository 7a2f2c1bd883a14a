/*
 * The rows that insert and upsert bring: from the wire's maps to values of their columns' types.
 *
 * All of it lives in the arena given. Pure. Thread: any.
 */
#ifndef ROWD_PLAN_ROWS_H
#define ROWD_PLAN_ROWS_H

#include <msgpack.h>

#include "daemon/plan/catalog.h"

/* Which columns a row gives. Rows that give the same ones share it. */
struct row_shape {
	const struct column **columns; /* in the order of the table's */
	unsigned ncolumns;
	unsigned *places;                  /* of the map's i-th pair: where in columns */
	const msgpack_object_map *example; /* a row of this shape, as it came */
	const struct column *missing; /* the first that a new row must have and this does not give; NULL */
};

struct row {
	const struct row_shape *shape;
	const struct value *values; /* of shape->columns */
};

struct row_set {
	const struct table *table;
	struct row *rows;
	size_t count;
	bool is_array; /* false: it was one map, not an array */
};

/*
 * Read a map, or an array of maps whose keys are known to be distinct strs. Every value is checked;
 * whether a row may leave out what it leaves out is not (shape->missing tells).
 * ROWD_E_UNKNOWN_COLUMN, UNSUPPORTED for a column that the database computes, TYPE_MISMATCH and its
 * kin, NULL_NOT_ALLOWED (null for a generated column is as if it were not given): err->index says
 * which row of an array.
 */
ROWD_MUST_CHECK enum rowd_code rows_read(struct arena *a, const struct limits *limits,
					 const struct table *table, const msgpack_object *o,
					 struct row_set *out, struct err *err);

/* What the row gives for a column; NULL when it does not give it. */
const struct value *row_given(const struct row *r, const struct column *c);

/* What the column holds once the row is inserted: what is given, the literal default, null. NULL when only
 * the database will know. */
const struct value *row_value(const struct row *r, const struct column *c);

/* The primary key of the row as it will be, into out. False when only the database will know it. */
bool row_key(const struct row *r, const struct table *t, struct value *out);

#endif
