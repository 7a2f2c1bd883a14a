/*
 * A purge as it stands in the database whose rows it deletes: the table _rowd_jobs. What a chunk deleted
 * and where the next one begins is written in the chunk's own transaction, so a record is always true.
 *
 * Thread: the one that owns the connection.
 */
#ifndef ROWD_EXEC_PURGE_RECORD_H
#define ROWD_EXEC_PURGE_RECORD_H

#include "daemon/exec/exec.h"

enum purge_state { PURGE_RUNNING, PURGE_PAUSED, PURGE_DONE, PURGE_CANCELLED, PURGE_FAILED, PURGE_STATES };

enum { ARCHIVE_NAME_MAX_BYTES = 200, PURGE_ERROR_MAX_BYTES = 250 };

/* What can be changed while it runs. */
struct purge_options {
	int64_t rows;               /* of the next chunk; steered by target_ms */
	int64_t target_ms;          /* what a chunk should take; 0: rows stays as it is */
	int64_t pause_ms;           /* between two chunks */
	int64_t max_rows;           /* the job ends after so many; -1: none */
	int64_t max_seconds;        /* the job ends after so long; -1: none */
};

struct purge_record {
	int64_t id;
	int64_t uid;                /* whose it is */
	enum purge_state state;
	struct purge_options options;
	char table[FOREIGN_NAME_MAX_BYTES + 1];
	char archive[ARCHIVE_NAME_MAX_BYTES + 1];  /* the file's name; "" without one */
	char error[PURGE_ERROR_MAX_BYTES + 1];     /* why it failed; "" else */
	const char *filter;         /* as it came, encoded; in the arena it was read with */
	size_t filter_len;
	const char *position;       /* the key behind which the next chunk begins, encoded; NULL at the start */
	size_t position_len;
	int64_t matched;            /* rows that matched when it began, for estimates; -1 until counted */
	int64_t deleted;
	int64_t archive_bytes;      /* of the file, as of `deleted` */
	int64_t elapsed_ms;         /* of running */
	int64_t chunks;             /* grows with every save: two daemons cannot save one after the other */
};

/* "running", "paused", ... */
const char *purge_state_name(enum purge_state state);

/* Is there a table of jobs? As the catalog of this transaction says. */
bool purge_is_ready(struct db_conn *conn);

/* A new job: r->id is filled in. */
ROWD_MUST_CHECK enum rowd_code purge_record_add(struct exec *x, struct purge_record *r, struct err *err);

/* ROWD_E_BAD_REQUEST when there is no such job. What it points at lives in x->arena. */
ROWD_MUST_CHECK enum rowd_code purge_record_read(struct exec *x, int64_t id, struct purge_record *out,
						 struct err *err);

/* All jobs in order of id, or only those in one state (PURGE_STATES: all): an array in x->arena. */
ROWD_MUST_CHECK enum rowd_code purge_record_list(struct exec *x, enum purge_state state,
						 struct purge_record **out, size_t *count_out, struct err *err);

/* Write all that changes, if nobody else has since r was read: else ROWD_E_BUSY. */
ROWD_MUST_CHECK enum rowd_code purge_record_save(struct exec *x, struct purge_record *r, struct err *err);

/* {job, table, state, deleted, ...}, as job() answers it. */
void purge_record_write(struct buf *b, const struct purge_record *r);

/* {deleted, elapsed_ms, rate, eta_ms}, as progress notifications bring it. */
void purge_progress_write(struct buf *b, const struct purge_record *r);

#endif
