/*
 * A worker: a thread with one connection, serving its lane. lane.c makes and ends workers.
 *
 * Thread: its own, but for what lane->lock guards.
 */
#ifndef ROWD_RUN_WORKER_H
#define ROWD_RUN_WORKER_H

#include "daemon/run/lane.h"
#include "daemon/run/runner.h"

enum { GROUP_MAX_JOBS = 1024 };

struct worker {
	struct worker *next;            /* in lane->workers */
	struct lane *lane;
	pthread_t thread;
	pthread_cond_t wanted;          /* it was called, there is a job in own, or it is time to stop */
	struct db_conn *conn;           /* owned; NULL until the first job, and after a failure */
	int64_t conn_opened_ns;
	int64_t together_after_ns;      /* until then each write goes alone */
	struct runner runner;
	/* guarded by lane->lock */
	struct worker *idle_next;       /* in lane->idle */
	bool called;                    /* out of lane->idle */
	struct tx *tx;                  /* the transaction it holds, or NULL */
	struct job_queue own;           /* jobs of that transaction */
	struct job *current;            /* what `cancel` would stop */
	struct job_queue *current_all;  /* or these, which are one statement */
	bool kept;                      /* counted in lane->nkept: by tx, or by a stream */
};

/* With lane->lock held: the idle worker that is to look at the queue, if any; the caller signals its `wanted`. */
struct worker *worker_call(struct lane *l);

/* The thread's function; arg is the worker, which frees itself at the end. */
void *worker_main(void *arg);

#endif
