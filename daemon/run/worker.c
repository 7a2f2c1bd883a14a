#include "config.h"

#include "daemon/run/worker.h"

#include <errno.h>
#include <stdlib.h>

#include "daemon/log.h"
#include "daemon/run/clock.h"
#include "daemon/run/loop.h"
#include "daemon/server.h"

enum {
	GROUP_MAX_NS = 10 * NS_PER_MS,      /* a group is committed rather than grow older */
	RECONNECT_PAUSE_MS = 50,            /* between two attempts to reach a database that is down */
	FIRST_WORKER_IDLE_MS = INT32_MAX
};

/* ---- the connection ---- */

static void conn_drop(struct worker *w)
{
	struct db_conn *conn = w->conn;

	pthread_mutex_lock(&w->lane->lock);
	w->conn = NULL;                     /* nobody may cancel it any more */
	pthread_mutex_unlock(&w->lane->lock);
	db_conn_close(conn);
}

static enum rowd_code conn_open(struct worker *w, struct err *err)
{
	struct db_conn *conn;
	enum rowd_code rc = db_conn_open(w->lane->db, w->lane->role, &conn, err);

	if (rc)
		return rc;
	pthread_mutex_lock(&w->lane->lock);
	w->conn = conn;
	pthread_mutex_unlock(&w->lane->lock);
	w->conn_opened_ns = clock_ns();
	return ROWD_OK;
}

/* A connection that works, waiting up to the source's connect timeout for a database that is down. */
static enum rowd_code conn_ensure(struct worker *w, const struct job *job, struct err *err)
{
	const struct db_source *src = &w->lane->db->source;
	int64_t give_up = clock_ns() + src->connect_timeout_ms * NS_PER_MS;
	enum rowd_code rc;

	if (w->conn && w->lane->lifetime_ms &&
	    clock_ns() - w->conn_opened_ns > w->lane->lifetime_ms * NS_PER_MS)
		conn_drop(w);
	if (w->conn && (!db_conn_usable(w->conn) || db_ping(w->conn, err)))
		conn_drop(w);
	while (!w->conn) {
		rc = conn_open(w, err);
		if (!rc)
			break;
		if (rc != ROWD_E_UNAVAILABLE && rc != ROWD_E_NO_RESOURCE)
			return rc;
		if (clock_ns() + RECONNECT_PAUSE_MS * NS_PER_MS >= give_up || w->lane->stopping ||
		    atomic_load(&job->cancelled))
			return rc;
		nanosleep(&(struct timespec){ .tv_nsec = RECONNECT_PAUSE_MS * NS_PER_MS }, NULL);
	}
	return ROWD_OK;
}

enum { TRIES = 4 };

/*
 * Was the connection lost under a request that left nothing behind? It is tried again on another, and its client
 * never knows. What was lost in a commit is not this: it says so.
 */
static bool is_lost(const struct worker *w, enum rowd_code rc, const struct job *job)
{
	return rc == ROWD_E_UNAVAILABLE && w->conn && !db_conn_usable(w->conn) && clock_ns() < job->deadline_ns;
}

/* ---- one job on the connection ---- */

/* From here until current_clear `cancel` stops this job and no other. False: it was cancelled. */
static bool current_set(struct worker *w, struct job *job, int64_t deadline_ns)
{
	struct db_watch *watch = db_conn_watch(w->conn);
	bool cancelled;

	pthread_mutex_lock(&w->lane->lock);
	cancelled = atomic_load(&job->cancelled);
	atomic_store(&watch->cancelled, false);
	watch->deadline_ns = deadline_ns;
	job->place = JOB_RUNNING;
	job->worker = w;
	w->current = job;
	pthread_mutex_unlock(&w->lane->lock);
	return !cancelled;
}

static void current_clear(struct worker *w)
{
	pthread_mutex_lock(&w->lane->lock);
	w->current = NULL;
	if (w->conn)
		atomic_store(&db_conn_watch(w->conn)->cancelled, false);
	pthread_mutex_unlock(&w->lane->lock);
	if (w->conn)
		db_conn_watch(w->conn)->deadline_ns = 0;
}

static void complete(struct worker *w, struct job *job)
{
	struct lane *l = w->lane;

	pthread_mutex_lock(&l->lock);
	job->place = JOB_RETURNING;
	pthread_mutex_unlock(&l->lock);
	loop_complete(job->loop, job);
}

static void fail(struct worker *w, struct job *job, const struct err *err)
{
	job_fail(job, err);
	complete(w, job);
}

/* ---- a worker that is kept ---- */

static void keep(struct worker *w, bool kept)
{
	pthread_mutex_lock(&w->lane->lock);
	if (w->kept != kept) {
		w->kept = kept;
		if (kept)
			w->lane->nkept++;
		else
			w->lane->nkept--;
	}
	pthread_mutex_unlock(&w->lane->lock);
}

/* exec_batch_fn: one batch of a stream, to the loop. */
static enum rowd_code stream_batch(void *arg, const struct buf *rows, struct err *err)
{
	struct job *job = arg;

	if (!job->stream)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for a stream");
	if (!job->tx) {
		keep(job->worker, true);
		db_conn_watch(job->worker->conn)->deadline_ns = 0;  /* the client's pace is not the statement's */
	}
	if (!job_stream_wait(job->stream) || atomic_load(&job->cancelled))
		return err_set(err, ROWD_E_CANCELLED, "nobody takes the stream's rows any more");
	if (!loop_stream(job->loop, job, rows))
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for a batch of the stream");
	return ROWD_OK;
}

static enum rowd_code run_request(struct worker *w, struct job *job, const struct request *req,
				  struct err *err)
{
	struct runner_call call = {
		.op = job->op, .msgid = job->msgid, .params = job->params, .params_len = job->params_len,
		.caller = job->caller, .limits = atomic_load(&w->lane->limits),
		.max_rows = job->database->max_rows, .out = &job->out,
		.batch = stream_batch, .batch_arg = job, .work = job->work, .work_arg = job->work_arg,
	};
	enum rowd_code rc = runner_run(&w->runner, w->conn, &call, req, err);

	job->follow = call.follow;
	return rc;
}

/* ---- reads ---- */

/* Most reads are one statement, and need no snapshot for several. */
static enum db_tx_mode read_mode(const struct op *op)
{
	switch (op->id) {
	case OP_GET:
	case OP_SELECT:
	case OP_COUNT:
	case OP_EXISTS:
	case OP_AGGREGATE:
		return DB_TX_READ_ONE;
	default:
		return DB_TX_READ;
	}
}

static enum rowd_code run_read_once(struct worker *w, struct job *job, struct err *err)
{
	enum rowd_code rc;

	if (!current_set(w, job, job->deadline_ns))
		rc = err_set(err, ROWD_E_CANCELLED, "cancelled before it began");
	else
		rc = db_begin(w->conn, read_mode(job->op), err);
	if (!rc)
		rc = run_request(w, job, NULL, err);
	current_clear(w);
	db_rollback(w->conn);
	return rc;
}

static void run_read(struct worker *w, struct job *job)
{
	struct err err;
	enum rowd_code rc;

	err_init(&err);
	rc = run_read_once(w, job, &err);
	/* a worker that is kept has sent rows already */
	for (unsigned tries = 1; is_lost(w, rc, job) && !w->kept && tries < TRIES; tries++) {
		err_init(&err);
		rc = conn_ensure(w, job, &err);
		if (!rc)
			rc = run_read_once(w, job, &err);
	}
	keep(w, false);
	if (rc)
		job_fail(job, &err);
	else
		job->code = ROWD_OK;
	complete(w, job);
}

/* ---- writes, in groups ---- */

struct group {
	struct job_queue waiting;     /* not yet run in this transaction */
	struct job_queue ran;         /* run, and to be applied by the commit */
	int64_t began_ns;
};

static enum rowd_code savepoint(struct worker *w, enum savepoint_verb verb, struct err *err)
{
	sql_clear(&w->runner.sql);
	sql_savepoint(&w->runner.sql, db_conn_dialect(w->conn), verb, 0);
	return db_run(w->conn, &w->runner.sql, NULL, NULL, err);
}

/* The first request with an id: its table is made between two transactions; the group is run again. */
static enum rowd_code make_table(struct worker *w, const char *name, struct err *err)
{
	db_rollback(w->conn);
	return runner_make_table(&w->runner, w->conn, name, err);
}

/* Run one job so that its failure undoes it alone: `only`, the whole transaction. ROWD_OK, but no transaction
 * any more: it has to be run again. */
static enum rowd_code run_apart(struct worker *w, struct job *job, bool only, struct err *err)
{
	struct request req;
	struct err ignored;
	const char *missing;
	bool single;
	enum rowd_code rc = runner_decode(&w->runner, job->op, job->params, job->params_len, &req, err);

	if (rc)
		return rc;
	missing = runner_missing_table(w->conn, &req);
	if (missing)
		return make_table(w, missing, err);
	single = exec_is_single_statement(&req) && !req.options[OPT_REQUEST_ID];
	if (!single && !only) {
		rc = savepoint(w, SAVEPOINT_SET, err);
		if (rc)
			return rc;
	}
	rc = run_request(w, job, &req, err);
	if (single || (rc && !db_in_transaction(w->conn)))
		return rc;
	if (only) {
		if (rc)
			db_rollback(w->conn);
		return rc;
	}
	err_init(&ignored);
	if (rc && savepoint(w, SAVEPOINT_ROLLBACK, &ignored))
		db_rollback(w->conn);         /* the others of the group are run again */
	else if (savepoint(w, SAVEPOINT_RELEASE, rc ? &ignored : err) && !rc)
		rc = err->code;
	return rc;
}

/* Answer everything that the group still holds with err. */
static void group_fail(struct worker *w, struct job_queue *q, const struct err *err)
{
	struct job *job;

	while ((job = job_queue_pop(q)))
		fail(w, job, err);
}

static void group_commit(struct worker *w, struct group *g)
{
	struct err err;
	struct job *job;

	err_init(&err);
	if (!g->ran.head) {
		db_rollback(w->conn);
		return;
	}
	if (db_commit(w->conn, &err)) {
		group_fail(w, &g->ran, &err);
		return;
	}
	while ((job = job_queue_pop(&g->ran))) {
		job->code = ROWD_OK;
		complete(w, job);
	}
}

/* Run what waits until the group is whole, or too old. False: the transaction was lost on the way. */
static bool group_run(struct worker *w, struct group *g)
{
	struct err err;
	struct job *job;
	enum rowd_code rc;

	while ((job = job_queue_pop(&g->waiting))) {
		err_init(&err);
		buf_clear(&job->out);
		if (!current_set(w, job, job->deadline_ns))
			rc = err_set(&err, ROWD_E_CANCELLED, "cancelled before it began");
		else
			rc = run_apart(w, job, !g->ran.head && !g->waiting.head, &err);
		current_clear(w);
		if (rc)
			fail(w, job, &err);
		else
			job_queue_push(&g->ran, job);
		if (!db_in_transaction(w->conn))
			return false;
		if (clock_ns() - g->began_ns > GROUP_MAX_NS)
			break;
	}
	return true;
}

/*
 * Carry out a group: one transaction, or more when it grows too old, or when the database threw a
 * transaction away under us (disk full, a write that was interrupted): then those that had gone
 * well in it are run again.
 */
static void run_group(struct worker *w, struct job_queue *jobs)
{
	struct group g;
	struct err err;

	job_queue_init(&g.waiting);
	job_queue_init(&g.ran);
	job_queue_append(&g.waiting, jobs);
	while (g.waiting.head) {
		err_init(&err);
		if (conn_ensure(w, g.waiting.head, &err)) {
			group_fail(w, &g.waiting, &err);
			return;
		}
		db_conn_watch(w->conn)->deadline_ns = g.waiting.head->deadline_ns;
		if (db_begin(w->conn, DB_TX_WRITE, &err)) {
			fail(w, job_queue_pop(&g.waiting), &err);
			continue;
		}
		g.began_ns = clock_ns();
		if (group_run(w, &g)) {
			group_commit(w, &g);
		} else {
			db_rollback(w->conn);
			job_queue_append(&g.ran, &g.waiting);
			job_queue_append(&g.waiting, &g.ran);
		}
	}
}

/* ---- a write, or a change of the schema, in a transaction of its own ---- */

/* The transaction that a job runs in; none for a change of the schema that the database ends any for. */
static enum rowd_code begin_alone(struct worker *w, const struct job *job, bool bare, struct err *err)
{
	if (bare)
		return db_reload(w->conn, err);
	return db_begin(w->conn, job->op->id == OP_ATOMIC ? DB_TX_SERIALIZABLE : DB_TX_WRITE, err);
}

static enum rowd_code run_alone_once(struct worker *w, struct job *job, struct err *err)
{
	bool bare = job->op->place == PLACE_BARE ||
		    (job->op->place == PLACE_SCHEMA && !(w->lane->db->driver->caps & CAP_DDL_IN_TX));
	const char *missing = NULL;
	struct request req;
	enum rowd_code rc = ROWD_OK;

	if (!job->work)
		rc = runner_decode(&w->runner, job->op, job->params, job->params_len, &req, err);
	if (rc)
		return rc;
	buf_clear(&job->out);
	if (!current_set(w, job, job->deadline_ns))
		return err_set(err, ROWD_E_CANCELLED, "cancelled before it began");
	do {
		if (missing)
			rc = make_table(w, missing, err);
		if (!rc)
			rc = begin_alone(w, job, bare, err);
	} while (!rc && !job->work && (missing = runner_missing_table(w->conn, &req)));
	if (!rc)
		rc = run_request(w, job, &req, err);
	current_clear(w);
	if (rc || bare) {
		db_rollback(w->conn);
		return rc;
	}
	return db_commit(w->conn, err);
}

/* A change of the schema that was lost may have happened; a chunk of a purge has its own way to go on. */
static bool may_be_tried_again(const struct worker *w, enum rowd_code rc, const struct job *job)
{
	bool leaves_something = job->work || job->op->place == PLACE_BARE || job->op->place == PLACE_SCHEMA;

	return rc == ROWD_E_BUSY || (!leaves_something && is_lost(w, rc, job));
}

static void run_alone(struct worker *w, struct job *job)
{
	struct err err;
	enum rowd_code rc = ROWD_E_BUSY;

	for (unsigned attempt = 0; attempt < TRIES && may_be_tried_again(w, rc, job); attempt++) {
		err_init(&err);
		if (attempt)
			nanosleep(&(struct timespec){ .tv_nsec = (1 + random() % (5L << attempt)) * NS_PER_MS }, NULL);
		rc = conn_ensure(w, job, &err);
		if (!rc)
			rc = run_alone_once(w, job, &err);
		if (clock_ns() > job->deadline_ns)
			break;
	}
	if (rc)
		job_fail(job, &err);
	else
		job->code = ROWD_OK;
	complete(w, job);
}

/* ---- transactions ---- */

/* With the lock held: jobs of others have waited too long behind a transaction. */
static void expire_queue(struct lane *l, struct job_queue *expired)
{
	int64_t now = clock_ns();

	while (l->queue.head && l->queue.head->deadline_ns <= now)
		job_queue_push(expired, job_queue_pop(&l->queue));
}

static void answer_expired(struct worker *w, struct job_queue *expired)
{
	struct job *job;

	while ((job = job_queue_pop(expired))) {
		job_failf(job, ROWD_E_BUSY, "the database was held by a transaction for too long");
		complete(w, job);
	}
}

/* With the lock held: the transaction holds this worker no longer. Its queued jobs are answered. */
static void tx_release(struct worker *w, struct tx *tx)
{
	struct job_queue left;
	struct job *job;

	tx->worker = NULL;
	w->tx = NULL;
	job_queue_init(&left);
	job_queue_append(&left, &w->own);
	pthread_mutex_unlock(&w->lane->lock);
	keep(w, false);
	while ((job = job_queue_pop(&left))) {
		tx_run(tx, &w->runner, NULL, job, atomic_load(&w->lane->limits), NULL);
		complete(w, job);
	}
	pthread_mutex_lock(&w->lane->lock);
}

/* With the lock held. Wait for the transaction's next job; NULL: it is time to end it. */
static struct job *tx_next_job(struct worker *w, struct tx *tx)
{
	struct lane *l = w->lane;
	struct job_queue expired;
	struct timespec until;
	int64_t deadline;

	while (!w->own.head) {
		deadline = tx->deadline_ns < tx->idle_deadline_ns ? tx->deadline_ns : tx->idle_deadline_ns;
		if (l->stopping || clock_ns() >= deadline)
			return NULL;
		job_queue_init(&expired);
		if (l->group)
			expire_queue(l, &expired);
		if (expired.head) {
			pthread_mutex_unlock(&l->lock);
			answer_expired(w, &expired);
			pthread_mutex_lock(&l->lock);
			continue;
		}
		if (l->group && l->queue.head && l->queue.head->deadline_ns < deadline)
			deadline = l->queue.head->deadline_ns;
		until = clock_timespec(deadline);
		pthread_cond_timedwait(&w->wanted, &l->lock, &until);
	}
	return job_queue_pop(&w->own);
}

static void tx_run_job(struct worker *w, struct tx *tx, struct job *job)
{
	const struct limits *limits = atomic_load(&w->lane->limits);
	int64_t deadline = job->deadline_ns < tx->deadline_ns ? job->deadline_ns : tx->deadline_ns;
	bool ended;

	if (!current_set(w, job, deadline))
		atomic_store(&db_conn_watch(w->conn)->cancelled, true);
	tx_run(tx, &w->runner, w->conn, job, limits, stream_batch);
	current_clear(w);
	if (job->code == ROWD_E_TIMEOUT && clock_ns() >= tx->deadline_ns) {
		tx->state = TX_TIMED_OUT;
		job_failf(job, ROWD_E_TX_TIMEOUT, "the transaction ran too long and was rolled back");
	}
	ended = job->tx_ended;
	if (!ended && !tx_needs_connection(tx))
		db_rollback(w->conn);         /* aborted for good: let others write */
	tx->idle_deadline_ns = clock_ns() + limits->transaction_idle_ms * NS_PER_MS;
	pthread_mutex_lock(&w->lane->lock);
	if (ended || !tx_needs_connection(tx)) {
		if (ended)
			tx->worker = NULL;    /* the loop frees tx when the job is back */
		tx_release(w, tx);
	}
	pthread_mutex_unlock(&w->lane->lock);
	complete(w, job);
}

/* Serve one transaction until it lets go of this worker. */
static void tx_serve(struct worker *w, struct tx *tx)
{
	struct lane *l = w->lane;
	struct job *job;

	pthread_mutex_lock(&l->lock);
	while (w->tx == tx) {
		job = tx_next_job(w, tx);
		if (!job) {
			pthread_mutex_unlock(&l->lock);
			db_rollback(w->conn);
			pthread_mutex_lock(&l->lock);
			tx->state = TX_TIMED_OUT;
			tx_release(w, tx);
			break;
		}
		pthread_mutex_unlock(&l->lock);
		tx_run_job(w, tx, job);
		pthread_mutex_lock(&l->lock);
	}
	pthread_mutex_unlock(&l->lock);
}

static enum rowd_code run_begin_once(struct worker *w, struct job *job, struct err *err)
{
	enum rowd_code rc;

	if (!current_set(w, job, job->deadline_ns))
		rc = err_set(err, ROWD_E_CANCELLED, "cancelled before it began");
	else
		rc = db_begin(w->conn, job->tx->read_only ? DB_TX_READ : DB_TX_SERIALIZABLE, err);
	current_clear(w);
	return rc;
}

static void run_begin(struct worker *w, struct job *job)
{
	const struct limits *limits = atomic_load(&w->lane->limits);
	struct tx *tx = job->tx;
	struct err err;
	enum rowd_code rc;

	err_init(&err);
	rc = run_begin_once(w, job, &err);
	for (unsigned tries = 1; is_lost(w, rc, job) && tries < TRIES; tries++) {
		err_init(&err);
		rc = conn_ensure(w, job, &err);
		if (!rc)
			rc = run_begin_once(w, job, &err);
	}
	if (rc) {
		job->tx_ended = true;
		fail(w, job, &err);
		return;
	}
	tx->deadline_ns = clock_ns() + tx->timeout_ns;
	tx->idle_deadline_ns = clock_ns() + limits->transaction_idle_ms * NS_PER_MS;
	keep(w, true);
	pthread_mutex_lock(&w->lane->lock);
	w->tx = tx;
	tx->worker = w;
	pthread_mutex_unlock(&w->lane->lock);
	job_answer_true(job);
	complete(w, job);
	tx_serve(w, tx);
}

/* ---- the thread ---- */

static bool job_groups(const struct lane *l, const struct job *job)
{
	return l->group && job->op->place == PLACE_WRITER;
}

/* With the lock held: the next job, or the next group of them. */
static void take(struct lane *l, struct job_queue *taken)
{
	struct job *job = job_queue_pop(&l->queue);

	job_queue_push(taken, job);
	if (!job_groups(l, job))
		return;
	while (taken->count < GROUP_MAX_JOBS && l->queue.head && job_groups(l, l->queue.head))
		job_queue_push(taken, job_queue_pop(&l->queue));
}

static void run_taken(struct worker *w, struct job_queue *taken)
{
	struct err err;
	struct job *job;

	if (job_groups(w->lane, taken->head)) {
		run_group(w, taken);
		return;
	}
	job = job_queue_pop(taken);
	err_init(&err);
	if (job->op->place == PLACE_WRITER || job->op->place == PLACE_SCHEMA || job->op->place == PLACE_ALONE ||
	    job->op->place == PLACE_BARE) {
		run_alone(w, job);
		return;
	}
	if (conn_ensure(w, job, &err)) {
		job->tx_ended = job->op->id == OP_BEGIN;
		fail(w, job, &err);
	} else if (job->op->id == OP_BEGIN) {
		run_begin(w, job);
	} else {
		run_read(w, job);
	}
}

/* With the lock held: wait for work. False: leave. */
static bool wait_for_work(struct worker *w)
{
	struct lane *l = w->lane;
	struct timespec until = clock_timespec(clock_ns() + l->idle_ms * NS_PER_MS);
	int rc = 0;

	l->nidle++;
	while (!l->queue.head && !l->stopping && rc != ETIMEDOUT) {
		if (l->nworkers > 1)
			rc = pthread_cond_timedwait(&l->wanted, &l->lock, &until);
		else
			pthread_cond_wait(&l->wanted, &l->lock);
	}
	l->nidle--;
	return l->queue.head != NULL;
}

static void worker_leave(struct worker *w)
{
	struct lane *l = w->lane;
	struct worker **at;
	pthread_t before;
	bool any_before;

	for (at = &l->workers; *at != w; at = &(*at)->next)
		;
	*at = w->next;
	pthread_mutex_unlock(&l->lock);
	db_conn_close(w->conn);
	runner_fini(&w->runner);
	pthread_cond_destroy(&w->wanted);
	free(w);
	pthread_mutex_lock(&l->lock);
	before = l->last_gone;
	any_before = l->any_gone;
	l->last_gone = pthread_self();
	l->any_gone = true;
	l->nworkers--;
	pthread_cond_signal(&l->left);
	pthread_mutex_unlock(&l->lock);
	if (any_before)
		pthread_join(before, NULL);
}

void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct job_queue taken;

	job_queue_init(&taken);
	pthread_mutex_lock(&w->lane->lock);
	while (wait_for_work(w)) {
		take(w->lane, &taken);
		pthread_mutex_unlock(&w->lane->lock);
		run_taken(w, &taken);
		pthread_mutex_lock(&w->lane->lock);
	}
	worker_leave(w);
	return NULL;
}
