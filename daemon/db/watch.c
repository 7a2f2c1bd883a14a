#include "config.h"

#include "daemon/db/watch.h"

#include "base/clock.h"

enum rowd_code watch_look(const struct db_watch *w, enum rowd_code *stopped)
{
	int64_t now;

	if (*stopped)
		return *stopped;
	if (atomic_load_explicit(&w->cancelled, memory_order_relaxed))
		return *stopped = ROWD_E_CANCELLED;
	if (!w->deadline_ns && !w->budget_ns)
		return ROWD_OK;
	now = clock_ns();
	if (w->deadline_ns && now >= w->deadline_ns)
		return *stopped = ROWD_E_TIMEOUT;
	if (w->budget_ns && now >= w->budget_ns)
		return *stopped = ROWD_E_LIMIT;
	return ROWD_OK;
}

enum rowd_code watch_fail(enum rowd_code why, int native, struct err *err)
{
	switch (why) {
	case ROWD_E_TIMEOUT:
		return err_native(err, why, native, "the deadline passed");
	case ROWD_E_LIMIT:
		return err_native(err, why, native, "the statement is over its budget");
	default:
		return err_native(err, why, native, "cancelled");
	}
}
