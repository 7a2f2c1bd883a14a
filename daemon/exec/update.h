/*
 * Changing rows.
 *
 * Thread: the one that owns x->conn.
 */
#ifndef ROWD_EXEC_UPDATE_H
#define ROWD_EXEC_UPDATE_H

#include "daemon/exec/exec.h"
#include "daemon/plan/plan.h"
#include "daemon/plan/sets.h"

struct update {
	const struct table *table;
	const struct set_list *sets;
	const struct pred *where;      /* NULL: every row */
	struct plan_order order;       /* decides which rows when there is a limit */
	int64_t limit;                 /* -1: none */
	int64_t max_rows;              /* -1: none */
	struct plan_columns returning; /* n 0: none */
	bool dry_run;
};

/* Change the row with this key. *updated_out (may be NULL): 0 or 1. CONFLICT and its kin, as constraint.h says. */
ROWD_MUST_CHECK enum rowd_code update_one(struct exec *x, const struct table *t, const struct value *key,
					  const struct set_list *sets, int64_t *updated_out, struct err *err);

/* Change the rows that match, and append the answer to x->out. */
ROWD_MUST_CHECK enum rowd_code update_rows(struct exec *x, const struct update *u, struct err *err);

#endif
