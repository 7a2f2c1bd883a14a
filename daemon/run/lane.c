#include "config.h"

#include "daemon/run/lane.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/thread.h"
#include "daemon/log.h"
#include "daemon/run/loop.h"
#include "daemon/run/worker.h"

enum {
	LANE_MAX_WORKERS = 256,        /* kept ones included */
	WORKER_STACK_BYTES = 1024 * 1024
};

void lane_init(struct lane *l, const struct lane_options *o)
{
	*l = (struct lane){ .db = o->db, .role = o->role, .group = o->group, .min_workers = o->min_workers,
			    .max_workers = o->max_workers, .idle_ms = o->idle_ms, .lifetime_ms = o->lifetime_ms };
	atomic_store(&l->limits, o->limits);
	pthread_mutex_init(&l->lock, NULL);
	cond_init_monotonic(&l->left);
	job_queue_init(&l->queue);
}

/* With the lock held. */
static struct worker *worker_start(struct lane *l, struct db_conn *conn)
{
	pthread_attr_t attr;
	struct worker *w = calloc(1, sizeof(*w));
	int rc;

	if (!w)
		return NULL;
	if (!runner_init(&w->runner)) {
		free(w);
		return NULL;
	}
	w->lane = l;
	w->conn = conn;
	w->conn_opened_ns = clock_ns();
	job_queue_init(&w->own);
	cond_init_monotonic(&w->wanted);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, WORKER_STACK_BYTES);
	rc = pthread_create(&w->thread, &attr, worker_main, w);
	pthread_attr_destroy(&attr);
	if (rc) {
		runner_fini(&w->runner);
		pthread_cond_destroy(&w->wanted);
		free(w);
		return NULL;
	}
	w->next = l->workers;
	l->workers = w;
	l->nworkers++;
	return w;
}

void lane_adopt(struct lane *l, struct db_conn *conn)
{
	pthread_mutex_lock(&l->lock);
	if (!worker_start(l, conn))
		db_conn_close(conn);
	pthread_mutex_unlock(&l->lock);
}

/* With the lock held: a thread for the job that was just queued, if one more is due. */
static bool lane_staff(struct lane *l)
{
	unsigned staying = l->nworkers - l->nleaving;

	if (l->nidle >= l->queue.count && l->nidle > 0)
		return true;
	if (staying - (l->group ? 0 : l->nkept) < l->max_workers && l->nworkers < LANE_MAX_WORKERS &&
	    worker_start(l, NULL))
		return true;
	return staying > 0;
}

/* With the lock held. */
static void submit_to_tx(struct job *job)
{
	struct worker *w = job->tx->worker;

	job->place = JOB_QUEUED;
	job_queue_push(&w->own, job);
	pthread_cond_signal(&w->wanted);
}

/* Such a job carries its transaction, but no worker holds it yet. A refused one only aborts what is open. */
static bool begins_tx(const struct job *job)
{
	return job->op && job->op->id == OP_BEGIN && !job->code;
}

void lane_submit(struct lane *l, struct job *job)
{
	bool staffed = true, held = true;

	job->lane = l;
	pthread_mutex_lock(&l->lock);
	if (job->tx && !begins_tx(job)) {
		held = job->tx->worker != NULL;
		if (held)
			submit_to_tx(job);
	} else {
		job->place = JOB_QUEUED;
		job_queue_push(&l->queue, job);
		staffed = lane_staff(l);
		if (!staffed)
			job_queue_remove(&l->queue, job);
	}
	pthread_mutex_unlock(&l->lock);
	if (job->loop)
		job->loop->submitted = true;
	else
		lane_wake(l);
	if (!held) {
		tx_run(job->tx, loop_runner(job->loop), NULL, job, atomic_load(&l->limits), NULL);
		loop_complete(job->loop, job);
	} else if (!staffed) {
		job->tx_ended = job->tx != NULL;
		job_failf(job, ROWD_E_NO_RESOURCE, "no thread could be started for the request");
		loop_complete(job->loop, job);
	}
}

void lane_wake(struct lane *l)
{
	struct worker *called;

	pthread_mutex_lock(&l->lock);
	called = worker_call(l);
	if (called)
		pthread_cond_signal(&called->wanted);
	pthread_mutex_unlock(&l->lock);
}

void lane_put_back(struct lane *l, struct job_queue *jobs)
{
	if (!jobs->head)
		return;
	pthread_mutex_lock(&l->lock);
	for (struct job *job = jobs->head; job; job = job->next) {
		job->alone = true;
		job->place = JOB_QUEUED;
	}
	job_queue_append(jobs, &l->queue);
	job_queue_append(&l->queue, jobs);
	(void)lane_staff(l);  /* whoever put them back is there in any case */
	pthread_mutex_unlock(&l->lock);
	lane_wake(l);
}

static void slot_set(struct lane_call_slot *slot, struct job *job)
{
	bool stopped;

	if (!slot)
		return;
	pthread_mutex_lock(&slot->lock);
	slot->job = job;
	stopped = slot->stopped;
	pthread_mutex_unlock(&slot->lock);
	if (job && stopped)
		(void)lane_cancel(job);
}

enum rowd_code lane_call(struct lane *l, struct database *d, const struct op *op, job_work_fn *work, void *arg,
			 struct lane_call_slot *slot, struct err *err)
{
	static const struct caller rowd_itself = { .superuser = true };
	struct job_waiter waiter = { .is_done = false };
	struct job *job = job_new(NULL, NULL, 0, 0);
	enum rowd_code rc;

	if (!job)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for a job");
	pthread_mutex_init(&waiter.lock, NULL);
	pthread_cond_init(&waiter.done, NULL);
	job->op = op;
	job->caller = &rowd_itself;
	job->database = d;
	job->work = work;
	job->work_arg = arg;
	job->waiter = &waiter;
	job->deadline_ns = clock_ns() + atomic_load(&l->limits)->statement_ms * NS_PER_MS;
	lane_submit(l, job);
	slot_set(slot, job);
	pthread_mutex_lock(&waiter.lock);
	while (!waiter.is_done)
		pthread_cond_wait(&waiter.done, &waiter.lock);
	pthread_mutex_unlock(&waiter.lock);
	slot_set(slot, NULL);
	pthread_cond_destroy(&waiter.done);
	pthread_mutex_destroy(&waiter.lock);
	rc = job->code;
	if (rc)
		*err = job->err;
	job_free(job);
	return rc;
}

static bool queue_has(const struct job_queue *q, const struct job *job)
{
	const struct job *at;

	for (at = q->head; at && at != job; at = at->next)
		;
	return at != NULL;
}

/* With the lock held: the worker that runs job, or NULL. */
static struct worker *worker_of(struct lane *l, const struct job *job)
{
	struct worker *w;

	for (w = l->workers; w; w = w->next)
		if (w->current == job || (w->current_all && queue_has(w->current_all, job)))
			return w;
	return NULL;
}

bool lane_cancel(struct job *job)
{
	struct lane *l = job->lane;
	struct worker *w;
	bool unqueued = false, found;

	pthread_mutex_lock(&l->lock);
	found = job->place == JOB_QUEUED || job->place == JOB_RUNNING;
	if (found)
		atomic_store(&job->cancelled, true);
	if (job->place == JOB_QUEUED && (!job->tx || begins_tx(job)))
		unqueued = job_queue_remove(&l->queue, job);
	w = worker_of(l, job);
	if (w && w->conn) {
		atomic_store(&db_conn_watch(w->conn)->cancelled, true);
		db_conn_cancel(w->conn);
	}
	pthread_mutex_unlock(&l->lock);
	if (job->stream)
		job_stream_gone(job->stream);
	if (unqueued) {
		job->tx_ended = job->tx != NULL;
		job_failf(job, ROWD_E_CANCELLED, "cancelled before it began");
		loop_complete(job->loop, job);
	}
	return found;
}

void lane_call_stop(struct lane_call_slot *slot)
{
	pthread_mutex_lock(&slot->lock);
	slot->stopped = true;
	if (slot->job)
		(void)lane_cancel(slot->job);
	pthread_mutex_unlock(&slot->lock);
}

void lane_stop(struct lane *l)
{
	struct worker *w;

	pthread_mutex_lock(&l->lock);
	l->stopping = true;
	for (w = l->workers; w; w = w->next)
		pthread_cond_signal(&w->wanted);
	while (l->nworkers > 0)
		pthread_cond_wait(&l->left, &l->lock);
	pthread_mutex_unlock(&l->lock);
	if (l->any_gone)
		pthread_join(l->last_gone, NULL);
	l->any_gone = false;
}

void lane_fini(struct lane *l)
{
	pthread_cond_destroy(&l->left);
	pthread_mutex_destroy(&l->lock);
}

void lane_counts(struct lane *l, unsigned *queued, unsigned *workers, unsigned *kept)
{
	pthread_mutex_lock(&l->lock);
	*queued = l->queue.count;
	*workers = l->nworkers;
	*kept = l->nkept;
	pthread_mutex_unlock(&l->lock);
}
