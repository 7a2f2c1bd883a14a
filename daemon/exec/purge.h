/*
 * The steps of a purge. First a reader finds the key at which the next chunk ends; then, in a transaction
 * of its own, all between there and the last position that still matches is archived, deleted and noted.
 * run/keeper.c takes the steps in turn.
 *
 * Thread: the one that owns the connection.
 */
#ifndef ROWD_EXEC_PURGE_H
#define ROWD_EXEC_PURGE_H

#include "daemon/exec/purge_record.h"

enum { PURGE_KEY_MAX_BYTES = 65536 };

/* What the steps of one job hand to each other. */
struct purge_step {
	int64_t id;                   /* of the job */
	int64_t rows;                 /* how many the next chunk may have; 0: as the record says */
	int64_t seen_rows;            /* what the record said: another number there is job_tune's */
	int64_t elapsed_ms;           /* of running, since the last chunk */
	struct purge_record record;   /* as of the last step; its pointers are gone */
	char last[PURGE_KEY_MAX_BYTES]; /* where the next chunk ends, encoded */
	size_t last_len;              /* 0: with the table's last row */
	const char *distress;         /* why the database asks for less; NULL: it does not */
	bool more;                    /* there is a next chunk */
	bool uncounted;               /* counting what matches took too long: there is no estimate */
};

/* Read the record, count what matches if nobody has, find where the next chunk ends. In a transaction that
 * reads. */
ROWD_MUST_CHECK enum rowd_code purge_scan(struct exec *x, struct purge_step *step, struct err *err);

/* Delete the chunk and note it; nothing when the job is no longer running. In a transaction that writes. */
ROWD_MUST_CHECK enum rowd_code purge_chunk(struct exec *x, struct purge_step *step, struct err *err);

/* Note that the job failed, and why. In a transaction that writes. */
ROWD_MUST_CHECK enum rowd_code purge_fail(struct exec *x, struct purge_step *step, const char *why,
					  struct err *err);

#endif
