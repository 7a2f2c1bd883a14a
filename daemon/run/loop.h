/*
 * A loop: one thread that serves its share of the clients. Each turn has three steps, and their
 * order is what makes reads both cheap and right:
 *
 *   1. all sockets that are ready are read, all finished jobs are taken in;
 *   2. requests are carried out or handed to a lane; all reads of the turn that run here share one
 *      snapshot, opened at the first of them: behind the last byte received, so that every write
 *      acknowledged to anyone before a request was sent is in it; or left open by the turn before,
 *      and at the first of them still the newest;
 *   3. the answers are written.
 */
#ifndef ROWD_RUN_LOOP_H
#define ROWD_RUN_LOOP_H

#include <event2/event.h>

#include "base/buf.h"
#include "daemon/run/job.h"
#include "daemon/run/runner.h"
#include "daemon/stats.h"

struct server;
struct conn;
struct session;

/* What rpc/ does with what happens here; set once, before the loops run. */
struct loop_events {
	void (*message)(struct loop *l, struct message *m);  /* everything but MESSAGE_CLIENT's fd handling too */
	void (*finished)(struct loop *l, struct job *job);   /* a job is back */
	void (*turn)(struct loop *l);                        /* step 2, then the answers of step 3 */
	bool (*drained)(struct loop *l);                     /* while draining: is nothing left? */
};

/* The loop's own reading connection to a database, and its snapshot of this turn. */
struct loop_reader {
	struct db_conn *conn;          /* owned; NULL until the first read */
	bool in_snapshot;
	bool in_turn;                  /* this turn's reads use it */
	int64_t opened_ns;             /* the snapshot */
};

struct loop {
	struct server *server;         /* borrowed */
	unsigned index;
	struct event_base *base;       /* owned */
	struct event *wake;            /* owned; on wake_fd */
	int wake_fd;
	pthread_t thread;
	pthread_mutex_t lock;          /* guards inbox and finished */
	struct message *inbox, **inbox_tail;
	struct job_queue finished;     /* looked at after the inbox: what a job has sent ahead comes first */
	const struct loop_events *events;
	struct loop_reader *readers;   /* owned; one for each database */
	struct runner runner;
	struct buf scratch;            /* an answer being made */
	struct stats stats;
	struct buf audit;              /* lines of this turn's answers, written before those are */
	char *input;                   /* owned; LOOP_INPUT_BYTES, for reading sockets */
	struct spares large, small;    /* of LOOP_LARGE_BYTES, LOOP_SMALL_BYTES: for what has something to do */
	struct spares jobs;            /* of JOB_SPARE_BYTES */
	struct conn *conns;            /* all it serves */
	struct conn *ready;            /* with bytes to look at, this turn */
	struct conn *dirty;            /* with answers to write, this turn */
	int64_t read_ended_ns;         /* when the inline read just before this request ended; 0: it was none */
	uint64_t next_session;
	unsigned nconns;
	unsigned nsessions;            /* those too whose client is gone and whose jobs are not yet back */
	unsigned nstarted;             /* jobs that are with others now */
	bool asked_server;             /* the last of them went to a database that another program serves */
	unsigned nsnapshots;           /* that are open */
	bool submitted;                /* jobs, this turn */
	unsigned served;               /* connections that this turn had something to do for, read or written */
	bool draining;
	bool stop;
};

enum {
	LOOP_INPUT_BYTES = 65536,
	LOOP_LARGE_BYTES = 1000,       /* most requests fit; what does not goes through the loop's buffer */
	LOOP_SMALL_BYTES = 384,        /* most answers, with what a handler reserves for one; or where a frame was left */
	LOOP_SPARES_KEPT = 128,        /* of each */
	LOOP_READ_BUDGET_US = 1000
};

ROWD_MUST_CHECK enum rowd_code loop_new(struct server *s, unsigned index, const struct loop_events *events,
					struct loop **out, struct err *err);
void loop_free(struct loop *l);

/* Serve until drained or stopped. Thread: the loop's. */
void loop_run(struct loop *l);

/* loop_run on a thread of its own. */
ROWD_MUST_CHECK enum rowd_code loop_start(struct loop *l, struct err *err);

/* ---- from any thread ---- */

/* A job is over: its loop, or whoever waits for it, takes it back. */
void loop_complete(struct loop *l, struct job *job);

/* A batch of a streamed select; rows is copied. False when memory runs out. */
bool loop_stream(struct loop *l, struct job *job, const struct buf *rows);

/* What a followed purge has done so far; progress is copied. False when memory runs out. */
bool loop_progress(struct loop *l, struct job *job, const struct buf *progress);

/* m is taken over. */
void loop_post(struct loop *l, struct message *m);

/* NULL when memory runs out. */
struct message *message_new(enum message_kind kind);

/* ---- for the loop's own thread ---- */

struct runner *loop_runner(struct loop *l);

/*
 * The connection for reads in line, with this turn's snapshot open; its budget begins at now_ns.
 * ROWD_E_UNAVAILABLE and its kin, or ROWD_E_LIMIT when it could not be had without waiting.
 */
ROWD_MUST_CHECK enum rowd_code loop_snapshot(struct loop *l, unsigned database, int64_t now_ns, struct db_conn **out,
					     struct err *err);

/*
 * The reads of a turn are over. The snapshots they used stay open: they serve the next turn as well if nothing is
 * committed until then. A connection that did not survive its errors is closed.
 */
void loop_keep_snapshots(struct loop *l);

/* Nobody reads for a while: an open snapshot would only be in the way of others. */
void loop_end_snapshots(struct loop *l);

/* The jobs that were handed over this turn are begun. */
void loop_wake_lanes(struct loop *l);

/* Free the memory kept for what comes next; all is well without it. */
void loop_spares_free(struct loop *l);

#endif
