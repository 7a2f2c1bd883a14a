#include "config.h"

#include "base/clock.h"
#include "daemon/run/worker_private.h"

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
		worker_complete(w, job);
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
	worker_keep(w, false);
	while ((job = job_queue_pop(&left))) {
		tx_run(tx, &w->runner, NULL, job, atomic_load(&w->lane->limits), NULL);
		worker_complete(w, job);
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

	if (!worker_current_set(w, job, deadline))
		atomic_store(&db_conn_watch(w->conn)->cancelled, true);
	tx_run(tx, &w->runner, w->conn, job, limits, worker_stream_batch);
	worker_current_clear(w);
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
	worker_complete(w, job);
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

static enum rowd_code begin_once(struct worker *w, struct job *job, struct err *err)
{
	enum rowd_code rc = worker_connect(w, job, err);

	if (rc)
		return rc;
	if (!worker_current_set(w, job, job->deadline_ns))
		rc = err_set(err, ROWD_E_CANCELLED, "cancelled before it began");
	else
		rc = db_begin(w->conn, job->tx->read_only ? DB_TX_READ : DB_TX_SERIALIZABLE, err);
	worker_current_clear(w);
	return rc;
}

void worker_begin(struct worker *w, struct job *job)
{
	const struct limits *limits = atomic_load(&w->lane->limits);
	struct tx *tx = job->tx;
	struct err err;
	enum rowd_code rc;
	unsigned tries = 0;

	do {
		err_init(&err);
		rc = begin_once(w, job, &err);
	} while (worker_is_lost(w, rc, job) && ++tries < WORKER_TRIES);
	if (rc) {
		job->tx_ended = true;
		worker_fail(w, job, &err);
		return;
	}
	tx->deadline_ns = clock_ns() + tx->timeout_ns;
	tx->idle_deadline_ns = clock_ns() + limits->transaction_idle_ms * NS_PER_MS;
	worker_keep(w, true);
	pthread_mutex_lock(&w->lane->lock);
	w->tx = tx;
	tx->worker = w;
	pthread_mutex_unlock(&w->lane->lock);
	job_answer_true(job);
	worker_complete(w, job);
	tx_serve(w, tx);
}

