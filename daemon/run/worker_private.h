/*
 * What the files of a worker share: worker.c (its thread and its connection), worker_read.c,
 * worker_write.c, worker_tx.c.
 *
 * Thread: the worker's own, without lane->lock.
 */
#ifndef ROWD_RUN_WORKER_PRIVATE_H
#define ROWD_RUN_WORKER_PRIVATE_H

#include "daemon/run/worker.h"

enum {
	WORKER_TRIES = 4,    /* of what was lost, or busy, before its client is told */
	WORKER_SHARE = 32    /* jobs carried out together on a server; at most RUNNER_TOGETHER_MOST */
};

/* ---- worker.c ---- */

/* A connection that works. A database that is down is waited for until the source's connect timeout after job's
 * arrival, but tried once in any case. */
ROWD_MUST_CHECK enum rowd_code worker_connect(struct worker *w, const struct job *job, struct err *err);

/*
 * Was the connection lost under a request that left nothing behind? It is tried again on another, and its client
 * never knows. What was lost in a commit is not this: it says so.
 */
bool worker_is_lost(const struct worker *w, enum rowd_code rc, const struct job *job);

/*
 * Was the request refused for a table or column that is not there, and may what is known of that be old? Another try,
 * with the schema of now, tells. Not for rowd's own work, which may remember what it did.
 */
bool worker_doubts_schema(const struct worker *w, const struct job *job, enum rowd_code rc);

/* From here until worker_current_clear, or until another one is set, `cancel` stops this job and no other. False: it
 * was cancelled. */
bool worker_current_set(struct worker *w, struct job *job, int64_t deadline_ns);
void worker_current_clear(struct worker *w);

/* Carry out a job's request on the connection, in the transaction that is open. req: decoded, or NULL. */
ROWD_MUST_CHECK enum rowd_code worker_run_request(struct worker *w, struct job *job, const struct request *req,
						  struct err *err);

/* exec_batch_fn: one batch of a stream, to the loop. */
ROWD_MUST_CHECK enum rowd_code worker_stream_batch(void *arg, const struct buf *rows, struct err *err);

/*
 * Carry out jobs (WORKER_SHARE at most) of one operation as one, in the transaction that is open; ops/ops.h says
 * what failure means. answered: which of them, in their order, are; their code is set.
 */
ROWD_MUST_CHECK enum rowd_code worker_run_together(struct worker *w, struct job_queue *jobs, int64_t deadline_ns,
						   bool *answered, struct err *err);

/* The lane is told that others have to do the work, or that this one is back. */
void worker_keep(struct worker *w, bool kept);

/* A job goes home, or all of a queue: as they are; failed. */
void worker_complete(struct worker *w, struct job *job);
void worker_complete_all(struct worker *w, struct job_queue *jobs);
void worker_fail(struct worker *w, struct job *job, const struct err *err);
void worker_fail_all(struct worker *w, struct job_queue *jobs, const struct err *err);

/* ---- the kinds of work: each takes the jobs over and sees to their answers ---- */

void worker_read(struct worker *w, struct job *job);

/* Gets, WORKER_SHARE of them at most: one statement for those that are alike. */
void worker_read_together(struct worker *w, struct job_queue *jobs);

/* A write, or a change of the schema, in a transaction of its own. */
void worker_write_alone(struct worker *w, struct job *job);

/* Writes of a lane that has one writer: as few commits as can be, the failure of one undoes that one alone. */
void worker_write_group(struct worker *w, struct job_queue *jobs);

/*
 * Writes of a lane that has many writers, WORKER_SHARE of them at most: one commit for those of one statement
 * each, if all goes well; what does not, and the others, each by itself.
 */
void worker_write_together(struct worker *w, struct job_queue *jobs);

/* A transaction, from `begin` to its end. */
void worker_begin(struct worker *w, struct job *job);

#endif
