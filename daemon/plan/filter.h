/*
 * Filters: from the wire's arrays and maps to a tree whose columns are the catalog's and whose
 * values are of their columns' types.
 *
 * Pure. Thread: any; the tree lives in the arena given.
 */
#ifndef ROWD_PLAN_FILTER_H
#define ROWD_PLAN_FILTER_H

#include <msgpack.h>

#include "daemon/plan/catalog.h"

enum pred_op {
	PRED_EQ, PRED_NE, PRED_LT, PRED_LE, PRED_GT, PRED_GE,
	PRED_IS, PRED_IS_NOT, PRED_IS_NULL, PRED_NOT_NULL,
	PRED_IN, PRED_NOT_IN,               /* rhs[0] is a VALUE_LIST, or sel is set */
	PRED_EXISTS, PRED_NOT_EXISTS,       /* sel */
	PRED_BETWEEN,                       /* rhs[0], rhs[1] */
	PRED_LIKE, PRED_PREFIX, PRED_SUFFIX, PRED_CONTAINS,  /* rhs[0]; of a prefix that is a value, rhs[1]
	                                       is the least value above all that begin so, or null */
	PRED_AND, PRED_OR, PRED_NOT         /* kids */
};

enum operand_kind { OPERAND_VALUE, OPERAND_COLUMN /* of this level */, OPERAND_OUTER /* of the level around */ };

struct operand {
	enum operand_kind kind;
	struct value value;
	const struct column *column;
};

struct pred;

struct selection {
	const struct table *table;
	const struct column *column;        /* of in / not_in; NULL for exists */
	const struct pred *where;           /* NULL: every row */
};

struct pred {
	enum pred_op op;
	const struct column *column;        /* the left side; NULL for and, or, not, exists */
	bool column_is_outer;               /* only in trees rowd builds itself */
	struct operand rhs[2];
	const struct selection *sel;
	const struct pred **kids;
	unsigned nkids;
};

/* May the caller read this table? Asked for every table a selection names. */
typedef enum rowd_code filter_may_read_fn(void *arg, const struct table *t, struct err *err);

struct filter_context {
	const struct catalog *catalog;
	const struct limits *limits;
	struct arena *arena;
	filter_may_read_fn *may_read;       /* NULL: everything */
	void *may_read_arg;
	unsigned operators;                 /* counted across all filters of a request */
};

/*
 * Resolve a filter on table.
 * ROWD_E_EMPTY_FILTER for nil, {}, [], ["and"], ["or"], at any depth; BAD_REQUEST for an unknown
 * operator or wrong operands; UNKNOWN_COLUMN, UNKNOWN_TABLE; TYPE_MISMATCH and its kin for values;
 * NULL_NOT_ALLOWED for null where only is and is_not take it; LIMIT.
 * In a map of equals, null means "is null".
 */
ROWD_MUST_CHECK enum rowd_code filter_read(struct filter_context *ctx, const struct table *table,
					   const msgpack_object *o, const struct pred **out,
					   struct err *err);

/*
 * The two below never answer NULL, which would mean every row, for want of memory: they answer a
 * filter that sql/ refuses to render (sql->failed).
 */

/* primary key = values; for get, update, delete and for walking in key order. Arena memory. Never
 * NULL; for a table without a primary key, a filter that cannot be rendered. */
const struct pred *filter_key_equals(struct arena *a, const struct table *t, const struct value *key);

/* a AND b; either may be NULL (every row), then the other is returned. NULL only if both are. */
const struct pred *filter_and(struct arena *a, const struct pred *x, const struct pred *y);

#endif
