/*
 * Running statements that answer rows, and writing the rows.
 *
 * Thread: the one that owns x->conn.
 */
#ifndef ROWD_EXEC_READ_H
#define ROWD_EXEC_READ_H

#include "daemon/exec/exec.h"
#include "daemon/plan/plan.h"

/* ["a", "b"] */
void exec_write_columns(struct buf *b, const struct column *const *columns, unsigned n);

/* [v, w], n of them */
void exec_write_row(struct buf *b, const struct value *row, size_t n);

/* {"a": v, "b": w}: a whole row */
void exec_write_map(struct buf *b, const struct table *t, const struct value *row);

/* The bytes of x->out that an answer which began at start may fill, without the EXEC_TAIL_BYTES kept for
 * what stands behind its rows. */
size_t exec_reply_end(const struct exec *x, size_t start);

enum { EXEC_TAIL_BYTES = 16 };

/*
 * Append the rows of q as one array, at most limit of them (q->limit is set here) and none that would pass
 * the limit of a reply's bytes, which began at start of x->out. *more_out: were rows left? ROWD_E_LIMIT when
 * not even one row fits. Uses x->sql.
 */
ROWD_MUST_CHECK enum rowd_code exec_page(struct exec *x, struct select_stmt *q, int64_t limit, size_t start,
					 bool *more_out, struct err *err);

/*
 * Append the rows of q as one array: all of them, for `returning`. *count_out: how many.
 * ROWD_E_LIMIT when they pass a reply's limit of rows or bytes. Uses x->sql.
 */
ROWD_MUST_CHECK enum rowd_code exec_rows(struct exec *x, const struct select_stmt *q, int64_t *count_out,
					 struct err *err);

/* The number of rows of table for which where (NULL: any) is true. Uses x->sql. */
ROWD_MUST_CHECK enum rowd_code exec_count(struct exec *x, const struct table *table, const struct pred *where,
					  int64_t *out, struct err *err);

/* Send the rows of q in batches. *count_out: how many. Uses x->sql. */
ROWD_MUST_CHECK enum rowd_code exec_stream(struct exec *x, const struct select_stmt *q, int64_t batch_rows,
					   int64_t *count_out, struct err *err);

#endif
