/*
 * What stops SQLite: the deadline, the budget and the cancelling of a connection's watch, asked
 * every thousand steps of a statement and between two tries for a lock.
 */
#include "config.h"

#include "base/clock.h"
#include "daemon/db/sqlite_private.h"

enum {
	STEPS_PER_LOOK = 1000      /* of SQLite's machine: 20 to 100 microseconds */
};

static int watch_progress(void *arg)
{
	struct sqlite_conn *c = arg;

	return !c->unstoppable && watch_look(c->watch, &c->stopped) != ROWD_OK;
}

/* Sleep a little and say "try again" (1), or give up (0). */
static int watch_busy(void *arg, int tries)
{
	static const int delays_ms[] = { 1, 2, 5, 10, 15, 20, 25, 25, 25, 50 };
	const int ndelays = sizeof delays_ms / sizeof *delays_ms;
	struct sqlite_conn *c = arg;
	int64_t now = clock_ns(), delay, left;
	struct timespec nap;

	if (tries == 0)
		c->busy_since_ns = now;
	if (c->watch->budget_ns) {    /* an inline read waits for nothing; elsewhere it may */
		c->stopped = ROWD_E_LIMIT;
		return 0;
	}
	if (watch_look(c->watch, &c->stopped))
		return 0;
	left = c->busy_since_ns + c->source->busy_timeout_ms * NS_PER_MS - now;
	if (c->watch->deadline_ns && c->watch->deadline_ns - now < left)
		left = c->watch->deadline_ns - now;
	if (left <= 0)
		return 0;
	delay = (int64_t)delays_ms[tries < ndelays ? tries : ndelays - 1] * NS_PER_MS;
	if (delay > left)
		delay = left;
	nap = (struct timespec){ .tv_nsec = (long)delay };
	nanosleep(&nap, NULL);
	return 1;
}

void sqlite_watch_install(struct sqlite_conn *c)
{
	sqlite3_progress_handler(c->db, STEPS_PER_LOOK, watch_progress, c);
	sqlite3_busy_handler(c->db, watch_busy, c);
}
