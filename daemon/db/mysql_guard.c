/*
 * What stops a statement that runs on a server: its connection is blocked in the socket, so the word
 * KILL QUERY goes there by a connection of its own.
 *
 * One thread for all connections watches their deadlines; a thread of its own is started for each kill,
 * since a server that hangs takes its time for that too. A connection does not go on before the fate of
 * a kill on its way is known: what comes too late would hit its next statement. When all words fail, the
 * socket is shut down.
 *
 * A statement that is not answered for some seconds may be a long one, or its server may be gone without a
 * word. Another connection finds out; where that is not answered either, the socket is shut down too, so
 * that the next host has its turn long before a deadline.
 */
#include "config.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>

#include "base/thread.h"
#include "daemon/db/mysql_private.h"

enum {
	PROBE_AFTER_MS = 5000, /* without an answer: is the server there at all? */
	PROBES = 2,            /* without an answer either, and it is given up */
	PATIENCE_MS = 5000     /* from the word to the end of the connection, when nothing comes of it */
};

static pthread_mutex_t life = PTHREAD_MUTEX_INITIALIZER; /* taken before `lock` */
/* guarded by life: */
static unsigned holders;
static pthread_t thread; /* there is one while holders > 0 */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_cond_t wake; /* for the watching thread: something is due earlier than it thinks */
static pthread_cond_t settled = PTHREAD_COND_INITIALIZER;
/* guarded by lock: */
static struct mydb_conn *entered; /* those that wait for their servers */
static int64_t next_look_ns;      /* when the watching thread will look by itself */
static bool ending;

static void init_once(void)
{
	cond_init_monotonic(&wake);
}

/* No signal of the process is for the threads started here. */
static int start_thread(pthread_t *out, void *(*run)(void *), void *arg)
{
	sigset_t all, old;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(out, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return rc;
}

/* ---- the kill ---- */

static void *killer_run(void *arg)
{
	struct mydb_conn *c = arg;
	enum mydb_kill result = mydb_kill_query(c);

	mysql_thread_end();
	pthread_mutex_lock(&lock);
	c->guard.kill = result;
	c->guard.state = GUARD_KILLED;
	if (result != KILL_DONE) {
		c->guard.cut_ns = 1; /* words have failed */
		pthread_cond_signal(&wake);
	}
	pthread_cond_broadcast(&settled);
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* With the lock held. */
static void kill_start(struct mydb_conn *c)
{
	struct mydb_guard *g = &c->guard;
	pthread_t killer;

	g->state = GUARD_KILLING;
	g->cut_ns = clock_ns() + (int64_t)(PATIENCE_MS + MYDB_KILL_MS) * NS_PER_MS;
	if (start_thread(&killer, killer_run, c) == 0) {
		pthread_detach(killer);
	} else {
		g->kill = KILL_NOT_SENT;
		g->state = GUARD_KILLED;
		g->cut_ns = 1;
	}
}

/* ---- a server that hangs ---- */

static void *probe_run(void *arg)
{
	struct mydb_conn *c = arg;
	struct mydb_guard *g = &c->guard;
	bool there = mydb_is_there(c);

	mysql_thread_end();
	pthread_mutex_lock(&lock);
	g->unanswered = there ? 0 : g->unanswered + 1;
	g->probe_ns = clock_ns() + (there ? (int64_t)PROBE_AFTER_MS * NS_PER_MS : 0);
	if (g->unanswered == PROBES)
		g->cut_ns = 1;
	g->probing = false;
	pthread_cond_signal(&wake);
	pthread_cond_broadcast(&settled);
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* With the lock held. */
static void probe_start(struct mydb_conn *c)
{
	struct mydb_guard *g = &c->guard;
	pthread_t prober;

	g->probing = start_thread(&prober, probe_run, c) == 0;
	g->probe_ns = INT64_MAX;
	if (g->probing)
		pthread_detach(prober);
}

/* ---- the watching thread ---- */

/* Do what is due for c; when it has to be looked at again. With the lock held. */
static int64_t attend(struct mydb_conn *c, int64_t now)
{
	struct mydb_guard *g = &c->guard;
	bool due = g->cancelled || (g->stop_ns && now >= g->stop_ns);
	int64_t next = INT64_MAX;

	if (g->state == GUARD_RUNNING && g->stoppable && due)
		kill_start(c);
	if (now >= g->probe_ns && !g->probing && !g->cut)
		probe_start(c);
	if (g->cut_ns && now >= g->cut_ns && !g->cut) {
		shutdown(g->fd, SHUT_RDWR);
		g->cut = true;
	}
	if (g->state == GUARD_RUNNING && g->stoppable && g->stop_ns)
		next = g->stop_ns;
	if (g->cut_ns && !g->cut && g->cut_ns < next)
		next = g->cut_ns;
	if (!g->cut && g->probe_ns < next)
		next = g->probe_ns;
	return next;
}

static void *watch_run(void *arg)
{
	struct mydb_conn *c;
	struct timespec until;
	int64_t now, next;

	(void)arg;
	pthread_mutex_lock(&lock);
	while (!ending) {
		now = clock_ns();
		next = INT64_MAX;
		for (c = entered; c; c = c->guard.next) {
			int64_t due = attend(c, now);

			if (due < next)
				next = due;
		}
		next_look_ns = next;
		if (next == INT64_MAX) {
			pthread_cond_wait(&wake, &lock);
			continue;
		}
		until = clock_timespec(next);
		pthread_cond_timedwait(&wake, &lock, &until);
	}
	pthread_mutex_unlock(&lock);
	return NULL;
}

enum rowd_code mydb_guard_hold(struct mydb_conn *c, struct err *err)
{
	int rc = 0;

	pthread_once(&once, init_once);
	pthread_mutex_lock(&life);
	if (holders == 0) {
		ending = false;
		next_look_ns = 0;
		rc = start_thread(&thread, watch_run, NULL);
	}
	if (rc == 0)
		holders++;
	pthread_mutex_unlock(&life);
	if (rc)
		return err_sys(err, ROWD_E_NO_RESOURCE, rc, "a thread to watch over statements");
	c->guarded = true;
	return ROWD_OK;
}

void mydb_guard_let_go(struct mydb_conn *c)
{
	if (!c->guarded)
		return;
	c->guarded = false;
	pthread_mutex_lock(&life);
	if (--holders == 0) {
		pthread_mutex_lock(&lock);
		ending = true;
		pthread_cond_signal(&wake);
		pthread_mutex_unlock(&lock);
		pthread_join(thread, NULL);
	}
	pthread_mutex_unlock(&life);
}

/* ---- the connection's own thread ---- */

static void look_soon(int64_t due_ns)
{
	if (due_ns < next_look_ns)
		pthread_cond_signal(&wake);
}

/* The earlier of the watch's two ends; 0: none. */
static int64_t watch_end(const struct db_watch *w)
{
	if (w->budget_ns && (!w->deadline_ns || w->budget_ns < w->deadline_ns))
		return w->budget_ns;
	return w->deadline_ns;
}

void mydb_guard_enter(struct mydb_conn *c, int64_t control_ms)
{
	struct mydb_guard *g = &c->guard;
	int64_t now = clock_ns();

	pthread_mutex_lock(&lock);
	assert(g->state == GUARD_IDLE);
	g->state = GUARD_RUNNING;
	g->stoppable = control_ms == 0;
	g->cancelled = g->cut = false;
	g->kill = KILL_NOT_SENT;
	g->stop_ns = g->stoppable ? watch_end(c->watch) : 0;
	g->cut_ns = g->stoppable && !c->bounded
			    ? 0
			    : now + (control_ms ? control_ms : MYDB_PING_MS) * NS_PER_MS;
	g->probe_ns = now + (int64_t)PROBE_AFTER_MS * NS_PER_MS;
	g->unanswered = 0;
	g->previous = NULL;
	g->next = entered;
	if (entered)
		entered->guard.previous = c;
	entered = c;
	look_soon(g->stop_ns && g->stop_ns < g->probe_ns ? g->stop_ns : g->probe_ns);
	if (g->cut_ns)
		look_soon(g->cut_ns);
	pthread_mutex_unlock(&lock);
}

void mydb_guard_update(struct mydb_conn *c)
{
	struct mydb_guard *g = &c->guard;
	int64_t end = watch_end(c->watch);

	if (g->stop_ns == end) /* only this thread writes it */
		return;
	pthread_mutex_lock(&lock);
	g->stop_ns = end;
	if (end)
		look_soon(end);
	pthread_mutex_unlock(&lock);
}

/* What is on its way for the connection uses it. */
static void wait_settled(struct mydb_guard *g)
{
	while (g->state == GUARD_KILLING || g->probing)
		pthread_cond_wait(&settled, &lock);
}

enum mydb_kill mydb_guard_leave(struct mydb_conn *c)
{
	struct mydb_guard *g = &c->guard;
	enum mydb_kill result;

	pthread_mutex_lock(&lock);
	assert(g->state != GUARD_IDLE);
	wait_settled(g);
	result = g->state == GUARD_KILLED ? g->kill : KILL_NOT_SENT;
	if (g->cut)
		c->broken = true;
	if (g->previous)
		g->previous->guard.next = g->next;
	else
		entered = g->next;
	if (g->next)
		g->next->guard.previous = g->previous;
	g->state = GUARD_IDLE;
	pthread_mutex_unlock(&lock);
	if (g->cut)
		mydb_host_avoid(c);
	return result;
}

enum mydb_kill mydb_guard_stop_now(struct mydb_conn *c)
{
	struct mydb_guard *g = &c->guard;
	enum mydb_kill result;

	pthread_mutex_lock(&lock);
	if (g->state == GUARD_RUNNING) {
		kill_start(c);
		look_soon(c->guard.cut_ns);
	}
	wait_settled(g);
	result = g->kill;
	pthread_mutex_unlock(&lock);
	return result;
}

void mydb_guard_cancel(void *conn)
{
	struct mydb_conn *c = conn;

	pthread_mutex_lock(&lock);
	if (c->guard.state == GUARD_RUNNING && c->guard.stoppable) {
		c->guard.cancelled = true;
		pthread_cond_signal(&wake);
	}
	pthread_mutex_unlock(&lock);
}
