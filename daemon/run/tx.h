/*
 * A client's transaction: its state, its savepoints, and what each request does to them. The first
 * error aborts it; then only rollback, or going back to a savepoint, helps.
 *
 * Thread: the worker that holds it while a job of it is queued or runs; else its session's loop.
 * `worker` is guarded by the lane's lock.
 */
#ifndef ROWD_RUN_TX_H
#define ROWD_RUN_TX_H

#include "daemon/db/db.h"
#include "daemon/run/job.h"
#include "daemon/run/runner.h"

enum tx_state { TX_OPEN, TX_ABORTED, TX_TIMED_OUT };

enum { TX_MAX_SAVEPOINTS = 1000 };

struct tx_savepoint {
	char name[SAVEPOINT_NAME_MAX_BYTES + 1];
	unsigned number;                 /* what SQL calls it: names may be used twice */
};

struct tx {
	struct lane *lane;
	struct database *database;
	struct worker *worker;           /* NULL once no connection is held */
	enum tx_state state;
	bool read_only;
	int64_t timeout_ns;              /* how long it may last */
	int64_t deadline_ns;             /* of the whole, from its beginning */
	int64_t idle_deadline_ns;        /* of the next request */
	struct tx_savepoint *savepoints; /* owned */
	unsigned nsavepoints, next_savepoint;
	bool audited;                    /* it has deleted: its end leaves a line. For its session's eyes */
};

struct tx *tx_new(struct database *database, struct lane *lane, bool read_only, int64_t timeout_ns);
void tx_free(struct tx *tx);

/*
 * Carry out one request of a transaction on its connection: data operations, savepoints, commit,
 * rollback. The job is answered; job->tx_ended is set when the transaction is over. conn is NULL
 * when the transaction has lost its connection: then only the state decides. A job that has failed
 * before it came here aborts the transaction, and keeps its error.
 */
void tx_run(struct tx *tx, struct runner *r, struct db_conn *conn, struct job *job,
	    const struct limits *limits, exec_batch_fn *batch);

/* Does an aborted transaction still need its connection (to go back to a savepoint)? */
bool tx_needs_connection(const struct tx *tx);

#endif
