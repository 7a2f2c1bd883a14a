#include "config.h"

#include "daemon/run/keeper.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/thread.h"
#include "daemon/audit.h"
#include "daemon/exec/archive.h"
#include "daemon/exec/once.h"
#include "daemon/exec/purge.h"
#include "daemon/log.h"
#include "daemon/run/lane.h"
#include "daemon/run/loop.h"
#include "daemon/server.h"

enum {
	RETRY_MS = 5000,                /* until a database that was down is looked at again */
	DISTRESS_LEAST_MS = 100, DISTRESS_MOST_MS = 5000,  /* pauses after a step that came to nothing */
	PROGRESS_MS = 250,              /* between two notifications */
	PRUNE_MS = 600000,              /* between two rounds of forgetting old request ids */
	STEP_ROWS_MOST = 100000
};

/* A purge that is being run. */
struct task {
	struct task *next;
	struct keeper *keeper;
	struct database *database;
	struct purge_step *step;       /* owned */
	struct lane_call_slot scanning, deleting;  /* what it waits for */
	unsigned distress;             /* steps in a row that came to nothing */
	unsigned eased;                /* waits in a row because the database asked for less */
	bool waited;                   /* the last thing was such a wait */
	int64_t rows_most;             /* in a chunk: more were too much for the archive */
	int64_t last_ns, told_ns;
};

/* A request that waits for the end of a purge. */
struct follower {
	struct follower *next;
	struct job *request;
	const struct database *database;
	int64_t purge;
};

struct keeper {
	struct server *server;         /* borrowed */
	pthread_t thread;
	pthread_mutex_t lock;          /* guards all below */
	pthread_cond_t changed;        /* something to look at, or time to stop */
	pthread_cond_t left;           /* a task has ended */
	bool *woken;                   /* owned; for each database: look for jobs */
	struct task *tasks;
	unsigned ntasks;
	struct follower *followers;
	bool stopping;
};

/* ---- steps are jobs of the lanes ---- */

static enum rowd_code call_in(struct database *d, enum op_place place, job_work_fn *work, void *arg,
			      struct lane_call_slot *slot, struct err *err)
{
	struct lane *lane = place == PLACE_READER ? database_reader(d) : &d->writer;

	if (atomic_load(&d->paused))
		return err_set(err, ROWD_E_UNAVAILABLE, "an administrator has paused the database");
	return lane_call(lane, d, op_get(place == PLACE_READER ? OP_SELECT : OP_PURGE), work, arg, slot, err);
}

static enum rowd_code call(struct database *d, enum op_place place, job_work_fn *work, void *arg, struct err *err)
{
	return call_in(d, place, work, arg, NULL, err);
}

static enum rowd_code scan(struct exec *x, void *arg, struct err *err)
{
	return purge_scan(x, arg, err);
}

static enum rowd_code chunk(struct exec *x, void *arg, struct err *err)
{
	return purge_chunk(x, arg, err);
}

struct failure {
	struct purge_step *step;
	const char *why;
};

static enum rowd_code note_failure(struct exec *x, void *arg, struct err *err)
{
	struct failure *f = arg;

	return purge_fail(x, f->step, f->why, err);
}

static enum rowd_code prune(struct exec *x, void *arg, struct err *err)
{
	return once_prune(x, arg, err);
}

/* ---- those who follow ---- */

static void tell(struct task *t)
{
	struct buf progress;
	struct follower *f;

	buf_init(&progress, 1024);
	purge_progress_write(&progress, &t->step->record);
	pthread_mutex_lock(&t->keeper->lock);
	for (f = t->keeper->followers; f; f = f->next)
		if (f->purge == t->step->id && f->database == t->database)
			loop_progress(f->request->loop, f->request, &progress);
	pthread_mutex_unlock(&t->keeper->lock);
	buf_fini(&progress);
	t->told_ns = clock_ns();
}

static void answer(struct job *request, const struct purge_record *r)
{
	buf_clear(&request->out);
	rpc_write_result_head(&request->out, request->msgid);
	purge_record_write(&request->out, r);
	request->code = ROWD_OK;
	loop_complete(request->loop, request);
}

/* The job is over: all who follow it hear of it. */
static void answer_followers(struct keeper *k, const struct database *d, const struct purge_record *r)
{
	struct follower **at, *f;

	pthread_mutex_lock(&k->lock);
	for (at = &k->followers; (f = *at);) {
		if (f->purge != r->id || f->database != d) {
			at = &f->next;
			continue;
		}
		*at = f->next;
		answer(f->request, r);
		free(f);
	}
	pthread_mutex_unlock(&k->lock);
}

void keeper_follow(struct keeper *k, struct job *request, int64_t purge)
{
	struct follower *f = calloc(1, sizeof(*f));
	bool stopping;

	if (!f) {
		job_failf(request, ROWD_E_NO_RESOURCE, "no memory for following job %lld, which runs", (long long)purge);
		loop_complete(request->loop, request);
		return;
	}
	*f = (struct follower){ .request = request, .database = request->database, .purge = purge };
	pthread_mutex_lock(&k->lock);
	stopping = k->stopping;
	if (!stopping) {
		f->next = k->followers;
		k->followers = f;
	}
	pthread_mutex_unlock(&k->lock);
	if (stopping) {
		free(f);
		job_failf(request, ROWD_E_SHUTTING_DOWN, "job %lld goes on at the next start", (long long)purge);
		loop_complete(request->loop, request);
	}
	keeper_wake(k, request->database);
}

bool keeper_unfollow(struct keeper *k, struct job *request)
{
	struct follower **at, *f;
	bool found = false;

	pthread_mutex_lock(&k->lock);
	for (at = &k->followers; (f = *at); at = &f->next) {
		if (f->request != request)
			continue;
		*at = f->next;
		job_failf(request, ROWD_E_CANCELLED, "no longer followed; job %lld goes on", (long long)f->purge);
		loop_complete(request->loop, request);
		free(f);
		found = true;
		break;
	}
	pthread_mutex_unlock(&k->lock);
	return found;
}

/* ---- one purge ---- */

/* Wait, or be woken by a change of the jobs. False: it is time to stop. */
static bool task_wait(struct task *t, int64_t ms)
{
	struct timespec until = clock_timespec(clock_ns() + ms * NS_PER_MS);
	bool go_on;

	pthread_mutex_lock(&t->keeper->lock);
	if (!t->keeper->stopping && ms > 0)
		pthread_cond_timedwait(&t->keeper->changed, &t->keeper->lock, &until);
	go_on = !t->keeper->stopping;
	pthread_mutex_unlock(&t->keeper->lock);
	return go_on;
}

/* May the same step succeed a moment later? */
static bool passes(enum rowd_code rc)
{
	return rc == ROWD_E_BUSY || rc == ROWD_E_UNAVAILABLE || rc == ROWD_E_NO_RESOURCE || rc == ROWD_E_TIMEOUT ||
	       rc == ROWD_E_COMMIT_UNKNOWN || rc == ROWD_E_STORAGE_FULL || rc == ROWD_E_CANCELLED;
}

/* The step failed: with fewer rows and more patience, or not at all. False: it is over. */
static bool task_failed(struct task *t, const struct err *err)
{
	int64_t ms = (int64_t)DISTRESS_LEAST_MS << (t->distress < 6 ? t->distress : 6);
	struct failure f = { t->step, err->text };
	struct err second;

	if (err->code == ROWD_E_LIMIT && t->step->rows > 1) {
		t->step->rows = t->rows_most = t->step->rows / 2;
		return task_wait(t, 0);
	}
	if (passes(err->code)) {
		if (!t->distress++)
			log_warn("event=purge job=%lld state=waiting reason=\"%s\"", (long long)t->step->id, err->text);
		if (t->step->rows > 1)
			t->step->rows /= 2;
		return task_wait(t, ms < DISTRESS_MOST_MS ? ms : DISTRESS_MOST_MS);
	}
	log_error("event=purge job=%lld state=failed reason=\"%s\"", (long long)t->step->id, err->text);
	err_init(&second);
	if (call(t->database, PLACE_WRITER, note_failure, &f, &second))
		log_error("event=purge job=%lld state=not_noted reason=\"%s\"", (long long)t->step->id, second.text);
	return false;
}

/* Steer the next chunk towards its target, by at most a factor of two. */
static void steer(struct task *t, int64_t took_ns)
{
	int64_t target = t->step->record.options.target_ms * NS_PER_MS;
	double factor;

	if (!target)
		t->step->rows = t->step->seen_rows < t->rows_most ? t->step->seen_rows : t->rows_most;
	if (!target || t->step->rows != t->step->seen_rows)
		return;
	factor = (double)target / (double)(took_ns > 0 ? took_ns : 1);
	factor = factor > 2 ? 2 : factor < 0.5 ? 0.5 : factor;
	t->step->rows = (int64_t)((double)t->step->rows * factor);
	if (t->step->rows < 1)
		t->step->rows = 1;
	if (t->step->rows > t->rows_most)
		t->step->rows = t->rows_most;
}

/*
 * The database asks for less: wait, longer each time, and then try fewer rows. Between two waits there is
 * a chunk, so that a job never stands still. False: it is time to stop.
 */
static bool task_ease(struct task *t)
{
	int64_t ms = (int64_t)DISTRESS_LEAST_MS << (t->eased < 6 ? t->eased : 6);

	if (!t->eased++)
		log_info("event=purge job=%lld state=easing reason=\"%s\"", (long long)t->step->id, t->step->distress);
	if (t->step->record.options.target_ms && t->step->rows > 1)
		t->step->rows /= 2;
	return task_wait(t, ms < DISTRESS_MOST_MS ? ms : DISTRESS_MOST_MS);
}

/* One chunk. False: the job is over, or rests. */
static bool task_step(struct task *t)
{
	struct purge_step *step = t->step;
	int64_t began;
	struct err err;

	err_init(&err);
	if (call_in(t->database, PLACE_READER, scan, step, &t->scanning, &err))
		return task_failed(t, &err);
	if (!step->more || !task_wait(t, 0))
		return false;
	if (!step->distress)
		t->eased = 0;
	t->waited = step->distress && !t->waited;
	if (t->waited)
		return task_ease(t);
	began = clock_ns();
	step->elapsed_ms = (began - t->last_ns) / NS_PER_MS;
	if (call_in(t->database, PLACE_WRITER, chunk, step, &t->deleting, &err))
		return task_failed(t, &err);
	t->last_ns += step->elapsed_ms * NS_PER_MS;
	t->distress = 0;
	if (!step->more)
		return false;
	steer(t, clock_ns() - began);
	if (clock_ns() - t->told_ns > PROGRESS_MS * (int64_t)NS_PER_MS)
		tell(t);
	return task_wait(t, step->record.options.pause_ms);
}

static void task_free(struct task *t)
{
	pthread_mutex_destroy(&t->scanning.lock);
	pthread_mutex_destroy(&t->deleting.lock);
	free(t->step);
	free(t);
}

static void audit_end(const struct task *t)
{
	const struct purge_record *r = &t->step->record;
	struct buf line;

	buf_init(&line, 65536);
	audit_add_purge(&line, t->database->db.source.name, r->table, r->uid, r->id, purge_state_name(r->state),
			r->deleted);
	audit_write(&line);
}

/* A chunk that was not committed may have left its rows behind those of the others. */
static void trim_archive(const struct task *t)
{
	const struct purge_record *r = &t->step->record;
	struct err err;

	err_init(&err);
	if (*r->archive && r->state != PURGE_RUNNING && archive_trim(r->archive, r->archive_bytes, &err))
		log_warn("event=purge job=%lld state=archive_not_trimmed reason=\"%s\"", (long long)r->id, err.text);
}

static void *task_main(void *arg)
{
	struct task *t = arg, **at;
	struct keeper *k = t->keeper;

	t->last_ns = clock_ns();
	while (task_step(t))
		;
	log_info("event=purge job=%lld database=%s table=%s state=%s deleted=%lld", (long long)t->step->id,
		 t->database->db.source.name, t->step->record.table, purge_state_name(t->step->record.state),
		 (long long)t->step->record.deleted);
	audit_end(t);
	trim_archive(t);
	if (t->step->record.state >= PURGE_DONE)
		answer_followers(k, t->database, &t->step->record);
	pthread_mutex_lock(&k->lock);
	for (at = &k->tasks; *at != t; at = &(*at)->next)
		;
	*at = t->next;
	k->ntasks--;
	k->woken[t->database->index] = true;   /* it may have been resumed while we were leaving */
	pthread_cond_broadcast(&k->changed);
	pthread_cond_signal(&k->left);
	pthread_mutex_unlock(&k->lock);
	task_free(t);
	return NULL;
}

/* With the lock held. */
static bool is_running(const struct keeper *k, const struct database *d, int64_t id)
{
	const struct task *t;

	for (t = k->tasks; t; t = t->next)
		if (t->database == d && t->step->id == id)
			return true;
	return false;
}

/* With the lock held. */
static void task_start(struct keeper *k, struct database *d, int64_t id)
{
	struct task *t = calloc(1, sizeof(*t));
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	if (t)
		t->step = calloc(1, sizeof(*t->step));
	if (!t || !t->step) {
		free(t);
		return;
	}
	pthread_mutex_init(&t->scanning.lock, NULL);
	pthread_mutex_init(&t->deleting.lock, NULL);
	t->keeper = k;
	t->database = d;
	t->step->id = id;
	t->step->record.id = id;
	t->step->record.matched = -1;
	t->rows_most = STEP_ROWS_MOST;
	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	rc = pthread_create(&thread, &attr, task_main, t);
	pthread_attr_destroy(&attr);
	if (rc) {
		task_free(t);
		return;
	}
	t->next = k->tasks;
	k->tasks = t;
	k->ntasks++;
}

/* ---- looking for jobs ---- */

struct running {
	int64_t *ids;                  /* owned */
	size_t count;
};

static enum rowd_code list_running(struct exec *x, void *arg, struct err *err)
{
	struct running *out = arg;
	struct purge_record *list;
	size_t n;
	enum rowd_code rc = purge_record_list(x, PURGE_RUNNING, &list, &n, err);

	if (rc || !n)
		return rc;
	out->ids = calloc(n, sizeof(*out->ids));
	if (!out->ids)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the jobs");
	for (size_t i = 0; i < n; i++)
		out->ids[out->count++] = list[i].id;
	return ROWD_OK;
}

static enum rowd_code read_record(struct exec *x, void *arg, struct err *err)
{
	struct purge_record *r = arg;

	return purge_record_read(x, r->id, r, err);
}

/* A job that nobody runs and somebody follows: it ended before they came, or while it rested. */
static void settle_followers(struct keeper *k, struct database *d)
{
	struct purge_record r;
	struct follower *f;
	struct err err;
	int64_t above = 0;

	do {
		r.id = INT64_MAX;
		pthread_mutex_lock(&k->lock);
		for (f = k->followers; f; f = f->next)
			if (f->database == d && f->purge > above && f->purge < r.id && !is_running(k, d, f->purge))
				r.id = f->purge;
		pthread_mutex_unlock(&k->lock);
		above = r.id;
		err_init(&err);
		if (above < INT64_MAX && !call(d, PLACE_READER, read_record, &r, &err) && r.state >= PURGE_DONE)
			answer_followers(k, d, &r);
	} while (above < INT64_MAX);
}

/* False: the database cannot be asked now. */
static bool look(struct keeper *k, struct database *d)
{
	struct running found = { NULL, 0 };
	struct err err;

	err_init(&err);
	if (call(d, PLACE_READER, list_running, &found, &err)) {
		log_debug("event=purge database=%s state=not_asked reason=\"%s\"", d->db.source.name, err.text);
		return false;
	}
	pthread_mutex_lock(&k->lock);
	for (size_t i = 0; i < found.count && !k->stopping; i++)
		if (!is_running(k, d, found.ids[i]))
			task_start(k, d, found.ids[i]);
	pthread_mutex_unlock(&k->lock);
	free(found.ids);
	settle_followers(k, d);
	return true;
}

static void forget_ids(struct database *d)
{
	struct err err;
	bool more = true;

	err_init(&err);
	while (more && !call(d, PLACE_WRITER, prune, &more, &err))
		;
}

/* With the lock held. One database that asks for a look, or NULL. */
static struct database *next_woken(struct keeper *k)
{
	for (unsigned i = 0; i < k->server->ndatabases; i++)
		if (k->woken[i]) {
			k->woken[i] = false;
			return &k->server->databases[i];
		}
	return NULL;
}

static void *keeper_main(void *arg)
{
	struct keeper *k = arg;
	struct database *d;
	struct timespec until;
	int64_t pruned = clock_ns();
	bool retry = false;

	pthread_mutex_lock(&k->lock);
	while (!k->stopping) {
		d = next_woken(k);
		if (d) {
			pthread_mutex_unlock(&k->lock);
			if (!look(k, d))
				retry = true;
			pthread_mutex_lock(&k->lock);
			if (retry)
				k->woken[d->index] = true;
		}
		if (d && !retry)
			continue;
		until = clock_timespec(clock_ns() + (retry ? RETRY_MS : PRUNE_MS) * (int64_t)NS_PER_MS);
		retry = false;
		pthread_cond_timedwait(&k->changed, &k->lock, &until);
		if (!k->stopping && clock_ns() - pruned > PRUNE_MS * (int64_t)NS_PER_MS) {
			pthread_mutex_unlock(&k->lock);
			for (unsigned i = 0; i < k->server->ndatabases; i++)
				forget_ids(&k->server->databases[i]);
			pruned = clock_ns();
			pthread_mutex_lock(&k->lock);
		}
	}
	pthread_mutex_unlock(&k->lock);
	return NULL;
}

void keeper_wake(struct keeper *k, struct database *d)
{
	if (!k)
		return;
	pthread_mutex_lock(&k->lock);
	k->woken[d->index] = true;
	pthread_cond_broadcast(&k->changed);
	pthread_mutex_unlock(&k->lock);
}

/* ---- life ---- */

static void fini(struct keeper *k)
{
	pthread_cond_destroy(&k->left);
	pthread_cond_destroy(&k->changed);
	pthread_mutex_destroy(&k->lock);
	free(k->woken);
	free(k);
}

enum rowd_code keeper_start(struct server *s, struct keeper **out, struct err *err)
{
	struct keeper *k = calloc(1, sizeof(*k));
	int rc;

	if (k)
		k->woken = calloc(s->ndatabases, sizeof(*k->woken));
	if (!k || !k->woken) {
		free(k);
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the keeper of purges");
	}
	k->server = s;
	for (unsigned i = 0; i < s->ndatabases; i++)
		k->woken[i] = true;
	pthread_mutex_init(&k->lock, NULL);
	cond_init_monotonic(&k->changed);
	cond_init_monotonic(&k->left);
	rc = pthread_create(&k->thread, NULL, keeper_main, k);
	if (rc) {
		fini(k);
		return err_sys(err, ROWD_E_NO_RESOURCE, rc, "start the keeper of purges");
	}
	*out = k;
	return ROWD_OK;
}

void keeper_stop(struct keeper *k, bool hurry)
{
	struct follower *f;
	struct task *t;

	if (!k)
		return;
	pthread_mutex_lock(&k->lock);
	k->stopping = true;
	pthread_cond_broadcast(&k->changed);
	for (t = k->tasks; t; t = t->next) {
		lane_call_stop(&t->scanning);
		if (hurry)
			lane_call_stop(&t->deleting);
	}
	while ((f = k->followers)) {
		k->followers = f->next;
		job_failf(f->request, ROWD_E_SHUTTING_DOWN, "job %lld goes on at the next start", (long long)f->purge);
		loop_complete(f->request->loop, f->request);
		free(f);
	}
	pthread_mutex_unlock(&k->lock);
}

void keeper_free(struct keeper *k)
{
	if (!k)
		return;
	keeper_stop(k, false);
	pthread_join(k->thread, NULL);
	pthread_mutex_lock(&k->lock);
	while (k->ntasks)
		pthread_cond_wait(&k->left, &k->lock);
	pthread_mutex_unlock(&k->lock);
	fini(k);
}
