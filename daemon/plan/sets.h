/*
 * What an update sets: from the wire's map to terms, and what a term comes to.
 *
 * All of it lives in the arena given. Pure. Thread: any.
 */
#ifndef ROWD_PLAN_SETS_H
#define ROWD_PLAN_SETS_H

#include <msgpack.h>

#include "daemon/sql/sql.h"

struct set_list {
	struct set_term *terms; /* in the order of the table's columns, each column once */
	unsigned count;
};

/*
 * Read a map from column to a literal, or to ["+"|"-"|"*", x, y] on ints or decimals. A term without
 * columns is computed here, so a SET_VALUE term is always a literal.
 * ROWD_E_BAD_REQUEST for an empty map, another array, a column of the primary key; UNKNOWN_COLUMN;
 * UNSUPPORTED for a column that the database computes; TYPE_MISMATCH and its kin; NULL_NOT_ALLOWED.
 */
ROWD_MUST_CHECK enum rowd_code sets_read(struct arena *a, const struct limits *limits,
					 const struct table *table, const msgpack_object *map,
					 struct set_list *out, struct err *err);

/* The term that sets a column; NULL when none does. */
const struct set_term *sets_find(const struct set_list *sets, const struct column *c);

enum set_fit { SET_FITS, SET_NO_ROOM /* out of range */, SET_NO_NUMBER /* an operand is of another kind */ };

/* x op y as a value of the term's column; null when x or y is. For a SET_VALUE it is x. */
enum set_fit set_compute(const struct set_term *t, const struct value *x, const struct value *y,
			 struct value *out);

#endif
