/*
 * What may be written at all, and how many rows one request may change or delete.
 *
 * Thread: the one that owns x->conn.
 */
#ifndef ROWD_EXEC_GUARD_H
#define ROWD_EXEC_GUARD_H

#include "daemon/exec/exec.h"

/* plan_table for those that write: ROWD_E_UNSUPPORTED for a view and its like. */
ROWD_MUST_CHECK enum rowd_code guard_table(struct exec *x, const struct request *req,
					   const struct table **out, struct err *err);

/* The least of what the request asks for, the database's default and the caller's grants; -1: none. */
int64_t guard_max_rows(const struct exec *x, const struct request *req, const struct table *t);

/* ROWD_E_TOO_MANY_ROWS when matched is over max_rows (-1: none). */
ROWD_MUST_CHECK enum rowd_code guard_check(const struct table *t, int64_t matched, int64_t max_rows,
					   struct err *err);

/* Count the rows that match, no more of them than limit (-1: none), and check. Uses x->sql. */
ROWD_MUST_CHECK enum rowd_code guard_count(struct exec *x, const struct table *t, const struct pred *where,
					   int64_t limit, int64_t max_rows, int64_t *matched_out,
					   struct err *err);

#endif
