#include "config.h"

#include "daemon/run/loop.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/log.h"
#include "daemon/run/rest.h"
#include "daemon/server.h"

enum {
	AUDIT_TURN_BYTES = 64 * 1024 * 1024,
	MESSAGE_MOST_BYTES = 64 * 1024 * 1024,
	SNAPSHOT_MOST_NS = 10 * NS_PER_MS     /* a connection looks after itself when it begins one */
};

/* ---- messages ---- */

struct message *message_new(enum message_kind kind)
{
	struct message *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;
	m->kind = kind;
	buf_init(&m->rows, MESSAGE_MOST_BYTES);
	return m;
}

static void message_free(struct message *m)
{
	buf_fini(&m->rows);
	free(m);
}

static void wake(struct loop *l)
{
	uint64_t one = 1;

	if (write(l->wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_error("event=wake loop=%u errno=%d", l->index, errno);
}

void loop_post(struct loop *l, struct message *m)
{
	bool was_empty;

	m->next = NULL;
	pthread_mutex_lock(&l->lock);
	was_empty = !l->inbox && !l->finished.head;
	*l->inbox_tail = m;
	l->inbox_tail = &m->next;
	pthread_mutex_unlock(&l->lock);
	if (was_empty)
		wake(l);
}

void loop_complete(struct loop *l, struct job *job)
{
	bool was_empty;

	if (job->waiter) {
		pthread_mutex_lock(&job->waiter->lock);
		job->waiter->is_done = true;
		pthread_cond_signal(&job->waiter->done);
		pthread_mutex_unlock(&job->waiter->lock);
		return;
	}
	pthread_mutex_lock(&l->lock);
	was_empty = !l->inbox && !l->finished.head;
	job_queue_push(&l->finished, job);
	pthread_mutex_unlock(&l->lock);
	if (was_empty)
		wake(l);
}

static bool post_copy(struct loop *l, enum message_kind kind, struct job *job, const struct buf *rows)
{
	struct message *m = message_new(kind);

	if (!m)
		return false;
	m->job = job;
	buf_add(&m->rows, rows->data, rows->len);
	if (m->rows.failed) {
		message_free(m);
		return false;
	}
	loop_post(l, m);
	return true;
}

bool loop_stream(struct loop *l, struct job *job, const struct buf *rows)
{
	return post_copy(l, MESSAGE_ROWS, job, rows);
}

bool loop_progress(struct loop *l, struct job *job, const struct buf *progress)
{
	return post_copy(l, MESSAGE_PROGRESS, job, progress);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	struct message *m, *next;
	struct job_queue finished;
	struct job *job;
	uint64_t count;

	(void)what;
	if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		log_error("event=wake loop=%u errno=%d", l->index, errno);
	pthread_mutex_lock(&l->lock);
	m = l->inbox;
	l->inbox = NULL;
	l->inbox_tail = &l->inbox;
	job_queue_init(&finished);
	job_queue_append(&finished, &l->finished);
	pthread_mutex_unlock(&l->lock);
	for (; m; m = next) {
		next = m->next;
		l->events->message(l, m);
		message_free(m);
	}
	while ((job = job_queue_pop(&finished)))
		l->events->finished(l, job);
}

/* ---- the loop ---- */

enum rowd_code loop_new(struct server *s, unsigned index, const struct loop_events *events,
			struct loop **out, struct err *err)
{
	struct loop *l = calloc(1, sizeof(*l));

	if (!l)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for a loop");
	l->server = s;
	l->index = index;
	l->events = events;
	l->next_session = s->nloops + index;
	l->inbox_tail = &l->inbox;
	job_queue_init(&l->finished);
	spares_init(&l->large, LOOP_LARGE_BYTES, LOOP_SPARES_KEPT);
	spares_init(&l->small, LOOP_SMALL_BYTES, LOOP_SPARES_KEPT);
	spares_init(&l->jobs, JOB_SPARE_BYTES, LOOP_SPARES_KEPT);
	l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pthread_mutex_init(&l->lock, NULL);
	buf_init(&l->audit, AUDIT_TURN_BYTES);
	buf_init(&l->scratch, (size_t)server_config(s)->limits.reply_bytes + 4096);
	l->base = event_base_new();
	l->readers = calloc(s->ndatabases, sizeof(*l->readers));
	l->input = malloc(LOOP_INPUT_BYTES);
	if (l->base && l->wake_fd >= 0)
		l->wake = event_new(l->base, l->wake_fd, EV_READ | EV_PERSIST, on_wake, l);
	if (!runner_init(&l->runner) || !l->wake || !l->readers || !l->input || event_add(l->wake, NULL)) {
		loop_free(l);
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory or descriptors for a loop");
	}
	*out = l;
	return ROWD_OK;
}

void loop_spares_free(struct loop *l)
{
	spares_fini(&l->large);
	spares_fini(&l->small);
	spares_fini(&l->jobs);
}

/* What came after the last turn: a second wish to drain, a client that nobody serves any more. */
static void inbox_free(struct loop *l)
{
	struct message *m, *next;

	for (m = l->inbox; m; m = next) {
		next = m->next;
		if (m->kind == MESSAGE_CLIENT)
			close(m->fd);
		message_free(m);
	}
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	inbox_free(l);
	for (unsigned i = 0; l->readers && i < l->server->ndatabases; i++)
		db_conn_close(l->readers[i].conn);
	free(l->readers);
	runner_fini(&l->runner);
	if (l->wake)
		event_free(l->wake);
	if (l->base)
		event_base_free(l->base);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	buf_fini(&l->audit);
	buf_fini(&l->scratch);
	free(l->input);
	loop_spares_free(l);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

void loop_run(struct loop *l)
{
	struct rest rest = { .worked_ns = 0 };

	while (!l->stop && !(l->draining && l->events->drained(l))) {
		bool looks = rest_begin(&rest, l);

		if (event_base_loop(l->base, EVLOOP_ONCE | (looks ? EVLOOP_NONBLOCK : 0)) < 0) {
			log_error("event=loop loop=%u state=failed", l->index);
			break;
		}
		l->events->turn(l);
		rest_end(&rest, l);
	}
	assert(l->nstarted == 0 || l->nsessions > 0);
}

static void *loop_main(void *arg)
{
	loop_run(arg);
	return NULL;
}

enum rowd_code loop_start(struct loop *l, struct err *err)
{
	int rc = pthread_create(&l->thread, NULL, loop_main, l);

	return rc ? err_sys(err, ROWD_E_NO_RESOURCE, rc, "start the thread of loop %u", l->index) : ROWD_OK;
}

struct runner *loop_runner(struct loop *l)
{
	return &l->runner;
}

void loop_wake_lanes(struct loop *l)
{
	if (!l->submitted)
		return;
	l->submitted = false;
	for (unsigned i = 0; i < l->server->ndatabases; i++) {
		lane_wake(&l->server->databases[i].writer);
		lane_wake(&l->server->databases[i].reader);
	}
}

/* ---- snapshots ---- */

static enum rowd_code snapshot_begin(struct loop *l, struct loop_reader *r, int64_t now_ns, struct err *err)
{
	enum rowd_code rc = db_begin(r->conn, DB_TX_READ, err);

	if (rc)
		return rc == ROWD_E_BUSY ? err_set(err, ROWD_E_LIMIT, "not without waiting") : rc;
	r->in_snapshot = true;
	r->opened_ns = now_ns;
	l->nsnapshots++;
	return ROWD_OK;
}

static void snapshot_end(struct loop *l, struct loop_reader *r)
{
	if (!r->in_snapshot)
		return;
	db_rollback(r->conn);
	r->in_snapshot = false;
	l->nsnapshots--;
}

/* May what was opened for an earlier turn serve this one? */
static bool snapshot_holds(const struct loop_reader *r, int64_t now_ns)
{
	return now_ns - r->opened_ns < SNAPSHOT_MOST_NS && db_snapshot_is_newest(r->conn);
}

enum rowd_code loop_snapshot(struct loop *l, unsigned database, int64_t now_ns, struct db_conn **out,
			     struct err *err)
{
	struct loop_reader *r = &l->readers[database];
	enum rowd_code rc;

	if (!r->conn) {
		rc = db_conn_open(&l->server->databases[database].db, DB_LOOP_READER, &r->conn, err);
		if (rc)
			return rc;
	}
	db_conn_watch(r->conn)->budget_ns = now_ns + LOOP_READ_BUDGET_US * 1000;
	if (r->in_snapshot && !r->in_turn && !snapshot_holds(r, now_ns))
		snapshot_end(l, r);
	if (!r->in_snapshot) {
		rc = snapshot_begin(l, r, now_ns, err);
		if (rc)
			return rc;
	}
	r->in_turn = true;
	*out = r->conn;
	return ROWD_OK;
}

void loop_keep_snapshots(struct loop *l)
{
	for (unsigned i = 0; i < l->server->ndatabases; i++) {
		struct loop_reader *r = &l->readers[i];

		if (!r->conn)
			continue;
		if (!r->in_turn || !db_conn_usable(r->conn))
			snapshot_end(l, r);
		r->in_turn = false;
		if (!db_conn_usable(r->conn)) {
			db_conn_close(r->conn);
			r->conn = NULL;
		}
	}
}

void loop_end_snapshots(struct loop *l)
{
	for (unsigned i = 0; i < l->server->ndatabases; i++)
		snapshot_end(l, &l->readers[i]);
}
