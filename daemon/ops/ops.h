/*
 * The handlers of operations that touch data or schema. From the decoded request each makes a
 * plan (plan/) against the catalog and hands it to exec/, which runs it and writes the answer.
 *
 * From ops.def: a row that ops_handler does not deal with, or whose op_<name> is missing here, does
 * not compile or link.
 */
#ifndef ROWD_OPS_OPS_H
#define ROWD_OPS_OPS_H

#include "daemon/exec/exec.h"

/* op_schema.c and its kin */
op_fn op_tables, op_describe, op_create_table, op_drop_table, op_create_index, op_drop_index, op_add_column;

/* op_read.c, op_aggregate.c. (op_get is of proto/op.h.) */
op_fn op_get_row, op_select, op_count, op_exists, op_aggregate;

/* op_write.c, op_delete.c, op_atomic.c */
op_fn op_insert, op_upsert, op_update, op_update_where, op_update_all;
op_fn op_delete, op_delete_where, op_delete_all, op_preview_delete;
op_fn op_atomic, op_outcome;

/* op_upkeep.c */
op_fn op_check, op_backup, op_reclaim;

/* op_purge.c */
op_fn op_purge, op_jobs, op_job, op_job_pause, op_job_resume, op_job_cancel, op_job_tune;

/* ---- op_together.c ---- */

/* One of several requests that name a row by its key. */
struct keyed {
	const struct request *req;      /* NULL: one that is left out */
	const struct caller *caller;
	struct buf *out;                /* where its result goes, behind what is there */
	bool answered;                  /* out: the result is in `out`; else nothing is */
	const struct value *key;        /* op_together.c's own */
};

/*
 * Carry out requests of one operation as one statement, or a few: as many of them as go together, which are
 * answered. The others, which nothing was done for, have to be carried out one by one. x->caller and x->out are
 * not looked at.
 */
typedef enum rowd_code op_together_fn(struct exec *x, struct keyed *requests, size_t n, struct err *err);

/* By operation; NULL for most. */
op_together_fn *ops_together(enum op_id id);

/* On failure those that are answered are so truly, the others have to be carried out one by one. */
op_together_fn op_get_together;

/* On failure none is answered, and the transaction has to be undone. */
op_together_fn op_delete_together;

#endif
