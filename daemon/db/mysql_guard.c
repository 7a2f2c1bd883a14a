/*
 * What stops a statement that runs on a server: its connection is blocked in the socket, so the word
 * KILL QUERY goes there by a connection of its own.
 *
 * One thread for all connections watches their deadlines; a thread of its own is started for each kill,
 * since a server that hangs takes its time for that too. A connection does not go on before the fate of
 * a kill on its way is known: what comes too late would hit its next statement. When all words fail, the
 * socket is shut down.
 */
#include "config.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "daemon/db/mysql_private.h"

enum {
	NS_PER_S = 1000000000,
	MS_PER_S = 1000,
	KILL_SECONDS = 2,  /* for each step of a kill: the connection, the question, the word */
	PATIENCE_MS = 5000 /* from the word to the end of the connection, when nothing comes of it */
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

int64_t mydb_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * NS_PER_S + t.tv_nsec;
}

static void init_once(void)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&wake, &monotonic);
	pthread_condattr_destroy(&monotonic);
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

/* Is this the server that the connection is to? Behind one address there may be several. */
static bool is_same_server(MYSQL *db, const char *identity)
{
	MYSQL_RES *result;
	MYSQL_ROW row;
	bool same = false;

	if (mysql_real_query(db, mydb_identity_query, strlen(mydb_identity_query)) != 0)
		return false;
	result = mysql_store_result(db);
	row = result ? mysql_fetch_row(result) : NULL;
	if (row && row[0])
		same = strncmp(row[0], identity, sizeof((struct mydb_conn *)0)->identity - 1) == 0;
	if (result)
		mysql_free_result(result);
	return same;
}

static enum mydb_kill kill_query(struct mydb_conn *c)
{
	enum mydb_kill result = KILL_NOT_SENT;
	struct err ignored;
	char words[48];
	MYSQL *db;

	err_init(&ignored);
	if (mydb_connect_host(c, c->host, KILL_SECONDS, KILL_SECONDS, &db, &ignored))
		return KILL_NOT_SENT;
	if (is_same_server(db, c->identity)) {
		snprintf(words, sizeof words, "KILL QUERY %" PRIu64, c->id);
		if (mysql_real_query(db, words, strlen(words)) == 0)
			result = KILL_DONE;
		else if (mydb_is_lost(mysql_errno(db)))
			result = KILL_UNKNOWN;
	}
	mysql_close(db);
	return result;
}

static void *killer_run(void *arg)
{
	struct mydb_conn *c = arg;
	enum mydb_kill result = kill_query(c);

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
	g->cut_ns = mydb_now_ns() + (int64_t)(PATIENCE_MS + 3 * KILL_SECONDS * MS_PER_S) * MYDB_NS_PER_MS;
	if (start_thread(&killer, killer_run, c) == 0) {
		pthread_detach(killer);
	} else {
		g->kill = KILL_NOT_SENT;
		g->state = GUARD_KILLED;
		g->cut_ns = 1;
	}
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
	if (g->cut_ns && now >= g->cut_ns && !g->cut) {
		shutdown(g->fd, SHUT_RDWR);
		g->cut = true;
	}
	if (g->state == GUARD_RUNNING && g->stoppable && g->stop_ns)
		next = g->stop_ns;
	if (g->cut_ns && !g->cut && g->cut_ns < next)
		next = g->cut_ns;
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
		now = mydb_now_ns();
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
		until = (struct timespec){ .tv_sec = next / NS_PER_S, .tv_nsec = next % NS_PER_S };
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

	pthread_mutex_lock(&lock);
	assert(g->state == GUARD_IDLE);
	g->state = GUARD_RUNNING;
	g->stoppable = control_ms == 0;
	g->cancelled = g->cut = false;
	g->kill = KILL_NOT_SENT;
	g->stop_ns = g->stoppable ? watch_end(c->watch) : 0;
	g->cut_ns = g->stoppable && !c->opening
			    ? 0
			    : mydb_now_ns() + (control_ms ? control_ms : MYDB_CONTROL_MS) * MYDB_NS_PER_MS;
	g->previous = NULL;
	g->next = entered;
	if (entered)
		entered->guard.previous = c;
	entered = c;
	if (g->stop_ns || g->cut_ns)
		look_soon(g->stop_ns ? g->stop_ns : g->cut_ns);
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

static void wait_settled(struct mydb_guard *g)
{
	while (g->state == GUARD_KILLING)
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

enum rowd_code mydb_watch_look(struct mydb_conn *c)
{
	const struct db_watch *w = c->watch;
	int64_t now;

	if (c->stopped)
		return c->stopped;
	if (atomic_load_explicit(&w->cancelled, memory_order_relaxed))
		return c->stopped = ROWD_E_CANCELLED;
	if (!w->deadline_ns && !w->budget_ns)
		return ROWD_OK;
	now = mydb_now_ns();
	if (w->deadline_ns && now >= w->deadline_ns)
		return c->stopped = ROWD_E_TIMEOUT;
	if (w->budget_ns && now >= w->budget_ns)
		return c->stopped = ROWD_E_LIMIT;
	return ROWD_OK;
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
