/*
 * Deleting rows.
 *
 * Thread: the one that owns x->conn.
 */
#ifndef ROWD_EXEC_DELETE_H
#define ROWD_EXEC_DELETE_H

#include "daemon/exec/exec.h"
#include "daemon/plan/plan.h"

struct deletion {
	const struct table *table;
	const struct pred *where; /* NULL: every row */
	const struct value *key;  /* `where` says that the primary key is this; NULL: it says something else */
	struct plan_order order;  /* decides which rows when there is a limit; needed for returning too */
	int64_t limit;            /* -1: none */
	int64_t max_rows;         /* -1: none */
	struct plan_columns returning; /* n 0: none */
	bool cascaded, dry_run;
	const char *token; /* NULL: none; with one, there is no limit */
	size_t token_len;
};

/*
 * Delete the rows that match, and append the answer to x->out. FOREIGN_KEY with the first child table, by
 * name, whose rows stand in the way; PREVIEW_STALE when what would go is not what the token was made of.
 */
ROWD_MUST_CHECK enum rowd_code delete_rows(struct exec *x, const struct deletion *d, struct err *err);

#endif
