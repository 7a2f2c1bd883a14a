#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "daemon/run/loop.h"
#include "daemon/run/worker_private.h"
#include "daemon/server.h"

enum {
	RECONNECT_PAUSE_MS = 50, /* between two attempts to reach a database that is down */
	SHARE_LEAST = 16          /* jobs that are not worth the waking of another worker */
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

enum rowd_code worker_connect(struct worker *w, const struct job *job, struct err *err)
{
	const struct db_source *src = &w->lane->db->source;
	/* counted from its arrival: those behind it in the queue do not wait as long again */
	int64_t give_up = job->arrived_ns + src->connect_timeout_ms * NS_PER_MS;
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

bool worker_is_lost(const struct worker *w, enum rowd_code rc, const struct job *job)
{
	return rc == ROWD_E_UNAVAILABLE && w->conn && !db_conn_usable(w->conn) && clock_ns() < job->deadline_ns;
}

bool worker_doubts_schema(const struct worker *w, const struct job *job, enum rowd_code rc)
{
	if (job->work)
		return false;
	return (rc == ROWD_E_UNKNOWN_TABLE || rc == ROWD_E_UNKNOWN_COLUMN) && w->conn && db_schema_may_be_old(w->conn);
}

/* ---- one job on the connection ---- */

bool worker_current_set(struct worker *w, struct job *job, int64_t deadline_ns)
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

/* As worker_current_set, of all jobs of a queue, which is left alone meanwhile. */
static void current_set_all(struct worker *w, struct job_queue *jobs, int64_t deadline_ns)
{
	struct db_watch *watch = db_conn_watch(w->conn);

	pthread_mutex_lock(&w->lane->lock);
	atomic_store(&watch->cancelled, false);
	watch->deadline_ns = deadline_ns;
	for (struct job *job = jobs->head; job; job = job->next) {
		job->place = JOB_RUNNING;
		job->worker = w;
	}
	w->current_all = jobs;
	pthread_mutex_unlock(&w->lane->lock);
}

void worker_current_clear(struct worker *w)
{
	pthread_mutex_lock(&w->lane->lock);
	w->current = NULL;
	w->current_all = NULL;
	if (w->conn)
		atomic_store(&db_conn_watch(w->conn)->cancelled, false);
	pthread_mutex_unlock(&w->lane->lock);
	if (w->conn)
		db_conn_watch(w->conn)->deadline_ns = 0;
}

void worker_complete(struct worker *w, struct job *job)
{
	struct lane *l = w->lane;

	pthread_mutex_lock(&l->lock);
	job->place = JOB_RETURNING;
	pthread_mutex_unlock(&l->lock);
	loop_complete(job->loop, job);
}

void worker_complete_all(struct worker *w, struct job_queue *jobs)
{
	struct job *job;

	pthread_mutex_lock(&w->lane->lock);
	for (job = jobs->head; job; job = job->next)
		job->place = JOB_RETURNING;
	pthread_mutex_unlock(&w->lane->lock);
	while ((job = job_queue_pop(jobs)))
		loop_complete(job->loop, job);
}

void worker_fail(struct worker *w, struct job *job, const struct err *err)
{
	job_fail(job, err);
	worker_complete(w, job);
}

void worker_fail_all(struct worker *w, struct job_queue *jobs, const struct err *err)
{
	for (struct job *job = jobs->head; job; job = job->next)
		job_fail(job, err);
	worker_complete_all(w, jobs);
}

/* ---- a worker that is kept ---- */

void worker_keep(struct worker *w, bool kept)
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

enum rowd_code worker_stream_batch(void *arg, const struct buf *rows, struct err *err)
{
	struct job *job = arg;

	if (!job->stream)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for a stream");
	if (!job->tx) {
		worker_keep(job->worker, true);
		db_conn_watch(job->worker->conn)->deadline_ns = 0;  /* the client's pace is not the statement's */
	}
	if (!job_stream_wait(job->stream) || atomic_load(&job->cancelled))
		return err_set(err, ROWD_E_CANCELLED, "nobody takes the stream's rows any more");
	if (!loop_stream(job->loop, job, rows))
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for a batch of the stream");
	return ROWD_OK;
}

static struct runner_call call_of(struct worker *w, struct job *job)
{
	return (struct runner_call){
		.op = job->op, .msgid = job->msgid, .params = job->params, .params_len = job->params_len,
		.caller = job->caller, .limits = atomic_load(&w->lane->limits),
		.max_rows = job->database->max_rows, .out = &job->out,
		.batch = worker_stream_batch, .batch_arg = job, .work = job->work, .work_arg = job->work_arg,
	};
}

enum rowd_code worker_run_request(struct worker *w, struct job *job, const struct request *req,
				  struct err *err)
{
	struct runner_call call = call_of(w, job);
	enum rowd_code rc = runner_run(&w->runner, w->conn, &call, req, err);

	job->follow = call.follow;
	return rc;
}

enum rowd_code worker_run_together(struct worker *w, struct job_queue *jobs, int64_t deadline_ns, bool *answered,
				   struct err *err)
{
	struct runner_call calls[WORKER_SHARE];
	struct job *job;
	size_t n = 0;
	enum rowd_code rc;

	for (job = jobs->head; job; job = job->next)
		calls[n++] = call_of(w, job);
	current_set_all(w, jobs, deadline_ns);
	rc = runner_run_together(&w->runner, w->conn, calls, n, err);
	worker_current_clear(w);
	for (n = 0, job = jobs->head; job; job = job->next) {
		answered[n] = calls[n].answered;
		job->code = ROWD_OK;
		n++;
	}
	return rc;
}

/* ---- the thread ---- */

/* Writes of one statement as a rule; how many it is, is seen when it is carried out. */
static bool is_short_write(const struct job *job)
{
	return job->op->id == OP_INSERT || job->op->id == OP_UPDATE || job->op->id == OP_DELETE;
}

/* May the two be carried out together? */
static bool goes_with(const struct lane *l, const struct job *first, const struct job *next)
{
	if (l->group)
		return first->op->place == PLACE_WRITER && next->op->place == PLACE_WRITER;
	if (l->db->driver->caps & CAP_INLINE_READS || first->alone || next->alone)
		return false;
	return (first->op->id == OP_GET && next->op->id == OP_GET) || (is_short_write(first) && is_short_write(next));
}

/* With the lock held: the part of the queue that falls to one of those who have no work. */
static unsigned share(const struct lane *l)
{
	unsigned fair = l->queue.count / (l->nidle + 1) + 1;

	if (l->group)
		return GROUP_MAX_JOBS;
	return fair < SHARE_LEAST ? SHARE_LEAST : fair > WORKER_SHARE ? WORKER_SHARE : fair;
}

/* With the lock held: the next job, and those that may be carried out together with it. */
static void take(struct worker *w, struct job_queue *taken)
{
	struct lane *l = w->lane;
	unsigned most = share(l);
	struct job *first = job_queue_pop(&l->queue);

	job_queue_push(taken, first);
	if (first->op->place == PLACE_WRITER && clock_ns() < w->together_after_ns)
		return;
	while (taken->count < most && l->queue.head && goes_with(l, first, l->queue.head))
		job_queue_push(taken, job_queue_pop(&l->queue));
}

static void run_taken(struct worker *w, struct job_queue *taken)
{
	struct job *first = taken->head;

	switch (first->op->place) {
	case PLACE_WRITER:
		if (w->lane->group)
			worker_write_group(w, taken);
		else if (taken->count > 1)
			worker_write_together(w, taken);
		else
			worker_write_alone(w, job_queue_pop(taken));
		return;
	case PLACE_SCHEMA:
	case PLACE_ALONE:
	case PLACE_BARE:
		worker_write_alone(w, job_queue_pop(taken));
		return;
	default:
		break;
	}
	if (first->op->id == OP_BEGIN)
		worker_begin(w, job_queue_pop(taken));
	else if (taken->count > 1)
		worker_read_together(w, taken);
	else
		worker_read(w, job_queue_pop(taken));
}

struct worker *worker_call(struct lane *l)
{
	struct worker *w = l->queue.head ? l->idle : NULL;

	if (!w)
		return NULL;
	l->idle = w->idle_next;
	l->nidle--;
	w->called = true;
	return w;
}

/* With the lock held: are there more than those that stay? */
static bool is_spare(const struct lane *l)
{
	return l->nworkers - l->nleaving > l->min_workers;
}

/* With the lock held: wait to be called. False: nobody did for too long. */
static bool idle(struct worker *w, const struct timespec *until)
{
	struct lane *l = w->lane;
	struct worker **at;
	int rc = 0;

	w->called = false;
	w->idle_next = l->idle;
	l->idle = w;
	l->nidle++;
	while (!w->called && !l->stopping && !(rc == ETIMEDOUT && is_spare(l))) {
		if (is_spare(l))
			rc = pthread_cond_timedwait(&w->wanted, &l->lock, until);
		else
			pthread_cond_wait(&w->wanted, &l->lock);
	}
	if (w->called)
		return true;
	for (at = &l->idle; *at != w; at = &(*at)->idle_next)
		;
	*at = w->idle_next;
	l->nidle--;
	return false;
}

/* With the lock held: wait for work. False: leave. */
static bool wait_for_work(struct worker *w)
{
	struct timespec until = clock_timespec(clock_ns() + w->lane->idle_ms * NS_PER_MS);

	while (!w->lane->queue.head && !w->lane->stopping && idle(w, &until))
		;
	return w->lane->queue.head != NULL;
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
	l->nleaving++;
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
	l->nleaving--;
	pthread_cond_signal(&l->left);
	pthread_mutex_unlock(&l->lock);
	if (any_before)
		pthread_join(before, NULL);
}

void *worker_main(void *arg)
{
	struct worker *w = arg;
	struct worker *next;
	struct job_queue taken;

	job_queue_init(&taken);
	pthread_mutex_lock(&w->lane->lock);
	while (wait_for_work(w)) {
		take(w, &taken);
		next = worker_call(w->lane);
		if (next)
			pthread_cond_signal(&next->wanted);
		pthread_mutex_unlock(&w->lane->lock);
		run_taken(w, &taken);
		pthread_mutex_lock(&w->lane->lock);
	}
	worker_leave(w);
	return NULL;
}
