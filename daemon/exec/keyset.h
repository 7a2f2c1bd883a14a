/*
 * The primary keys of some rows, taken down so that exactly those rows can be written and told.
 *
 * Lives in x->arena. Thread: the one that owns x->conn.
 */
#ifndef ROWD_EXEC_KEYSET_H
#define ROWD_EXEC_KEYSET_H

#include "daemon/exec/exec.h"
#include "daemon/plan/plan.h"

enum {
	KEYSET_MAX_ROWS = 1000000,
	KEYSET_PART_ROWS = 250 /* of a composite key, in one statement */
};

struct keyset {
	const struct table *table;
	unsigned width;       /* columns of the primary key, more than 0 */
	struct value *values; /* count * width */
	size_t count, cap;
};

/* An empty one. ROWD_E_UNSUPPORTED when the table has no primary key. */
ROWD_MUST_CHECK enum rowd_code keyset_init(struct keyset *k, const struct table *t, struct err *err);

/* Add a key; what text and bytes point to is borrowed. ROWD_E_LIMIT past KEYSET_MAX_ROWS. */
ROWD_MUST_CHECK enum rowd_code keyset_add(struct exec *x, struct keyset *k, const struct value *key,
					  struct err *err);

/* As keyset_add, text and bytes copied. */
ROWD_MUST_CHECK enum rowd_code keyset_add_copy(struct exec *x, struct keyset *k, const struct value *key,
					       struct err *err);

static inline const struct value *keyset_at(const struct keyset *k, size_t i)
{
	return k->values + i * k->width;
}

/* In the order of the primary key, each once. */
void keyset_sort(struct keyset *k);

/* Where a key is in a sorted set; SIZE_MAX when it is not. */
size_t keyset_find(const struct keyset *k, const struct value *key);

/*
 * The keys of the rows of table for which where (NULL: any) is true, sorted; of the first `limit`
 * in this order when limit is not negative. The rows are locked where the database can.
 * ROWD_E_LIMIT when there are more than `most`. Uses x->sql.
 */
ROWD_MUST_CHECK enum rowd_code keyset_select(struct exec *x, const struct table *t, const struct pred *where,
					     const struct plan_order *order, int64_t limit, int64_t most,
					     struct keyset *out, struct err *err);

/* The rows of table that are the first `limit` in this order, to write them. Borrows from t and order. */
struct select_stmt keyset_first(const struct table *t, const struct pred *where,
				const struct plan_order *order, int64_t limit);

/* A filter for the keys from *at_io on, as many as fit into one statement; *at_io moves behind them. For a
 * sorted set. NULL when memory runs out. */
const struct pred *keyset_part(struct arena *a, const struct keyset *k, size_t *at_io);

/* A filter for all of them; ROWD_E_LIMIT when they do not fit into one statement. */
ROWD_MUST_CHECK enum rowd_code keyset_filter(struct exec *x, const struct keyset *k, const struct pred **out,
					     struct err *err);

/* Append columns of the rows with these keys as one array, in the order of a sorted set. Uses x->sql. */
ROWD_MUST_CHECK enum rowd_code keyset_write_rows(struct exec *x, const struct keyset *k,
						 const struct plan_columns *columns, struct err *err);

/* As keyset_write_rows, of a set in any order and with keys that stand in it more than once. */
ROWD_MUST_CHECK enum rowd_code keyset_write_each(struct exec *x, const struct keyset *k,
						 const struct plan_columns *columns, struct err *err);

#endif
