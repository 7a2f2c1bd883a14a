/*
 * A lane: a queue of jobs for one database, and the workers that carry them out, each a thread
 * that owns one connection.
 *
 * A grouping lane (SQLite's writer: one worker) takes what has gathered while the last commit was
 * on its way to the disk, carries out each job by itself within one transaction, commits once and
 * then lets all of them be answered: nothing is answered before it is durable, and the failure of
 * one undoes that one alone.
 *
 * A transaction keeps its worker until it ends; the jobs of others wait, or go to other workers.
 */
#ifndef ROWD_RUN_LANE_H
#define ROWD_RUN_LANE_H

#include "daemon/db/db.h"
#include "daemon/run/job.h"
#include "daemon/run/tx.h"

struct worker;

struct lane {
	struct db *db;                /* borrowed */
	enum db_role role;
	bool group;                   /* one worker, grouped commits */
	unsigned max_workers;         /* that are not kept by a transaction or a stream */
	unsigned min_workers;         /* that stay, once they are there */
	int64_t idle_ms;              /* a worker beyond those leaves after this long without work */
	int64_t lifetime_ms;          /* a connection is replaced when it is older; 0: never */
	_Atomic(const struct limits *) limits;
	pthread_mutex_t lock;         /* guards all below, the places of queued jobs, and tx->worker */
	pthread_cond_t left;          /* a worker has gone */
	struct job_queue queue;
	struct worker *workers;
	struct worker *idle;          /* those that wait for jobs, the last to have worked first: its memory is warm */
	unsigned nworkers, nidle, nkept;
	unsigned nleaving;            /* of nworkers */
	pthread_t last_gone;          /* the worker that left last, if any has: it waits for the one before it */
	bool any_gone;
	atomic_bool stopping;
};

struct lane_options {
	struct db *db;
	enum db_role role;
	bool group;
	unsigned min_workers, max_workers;
	int64_t idle_ms, lifetime_ms;
	const struct limits *limits;
};

/* Ready for jobs; starts no thread before the first. */
void lane_init(struct lane *l, const struct lane_options *o);

/* Hand over a connection that was opened already, for the first worker. */
void lane_adopt(struct lane *l, struct db_conn *conn);

/* Carry out what is queued, roll back open transactions, end the threads. */
void lane_stop(struct lane *l);
void lane_fini(struct lane *l);

/*
 * Hand a job over (job->lane is set here). It comes back by loop_complete(job->loop, job).
 * A job with job->tx goes to the worker that holds the transaction; when none does any more
 * (aborted, timed out) it is answered at once, and comes back the same way.
 * A loop's jobs are begun when its turn ends, by loop_wake_lanes: those that came together go together.
 * Thread: the job's loop.
 */
void lane_submit(struct lane *l, struct job *job);

/* Jobs that were taken together, to be carried out alone, before all others. Thread: the worker's that took them. */
void lane_put_back(struct lane *l, struct job_queue *jobs);

/* Let a worker that has nothing to do look at the queue; it wakes the next one itself. Thread: any. */
void lane_wake(struct lane *l);

/* Where another thread finds the job that a lane_call waits for, to stop it. */
struct lane_call_slot {
	pthread_mutex_t lock;
	struct job *job;              /* NULL: none is being waited for */
	bool stopped;
};

/*
 * Have work done by the lane, as the operation whose place and permission it has, and wait for it. err says
 * what became of it. slot: NULL when nobody will want to stop it. Thread: any but a loop's or a worker's.
 */
ROWD_MUST_CHECK enum rowd_code lane_call(struct lane *l, struct database *d, const struct op *op, job_work_fn *work,
					 void *arg, struct lane_call_slot *slot, struct err *err);

/* Stop what is being waited for, and whatever else will be: it comes back cancelled, or finished if it was too
 * late. Thread: any. */
void lane_call_stop(struct lane_call_slot *slot);

/*
 * Stop a job. True when it was still queued or running: it will come back cancelled, or finished
 * if it was too late. Thread: the job's loop.
 */
bool lane_cancel(struct job *job);

/* For stats: how many wait, how many workers there are and how many transactions hold one. */
void lane_counts(struct lane *l, unsigned *queued, unsigned *workers, unsigned *kept);

#endif
