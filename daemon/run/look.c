#include "config.h"

#include "daemon/run/look.h"

#include <sched.h>

#include "base/clock.h"

enum {
	IN_VAIN_MOST = 8,
	AWAY_MOST_NS = 2 * NS_PER_MS,   /* clients have answers to wait for before that; who keeps it longer computes */
	PAUSE_MS = 250                  /* after either */
};

static void pause_looking(struct look *k, int64_t now_ns)
{
	k->sleep_until_ns = now_ns + (int64_t)PAUSE_MS * NS_PER_MS;
}

void look_worked(struct look *k, bool found)
{
	k->worked_ns = k->now_ns;
	if (found)
		k->in_vain = 0;
}

bool look_again(struct look *k, int64_t patience_ns)
{
	if (!patience_ns || !k->worked_ns || k->now_ns < k->sleep_until_ns)
		return false;
	if (k->now_ns - k->worked_ns < patience_ns)
		return true;
	if (++k->in_vain == IN_VAIN_MOST) {
		k->in_vain = 0;
		pause_looking(k, k->now_ns);
	}
	return false;
}

void look_let_others_run(struct look *k)
{
	int64_t back_ns;

	sched_yield();
	back_ns = clock_ns();
	if (back_ns - k->now_ns > AWAY_MOST_NS)
		pause_looking(k, back_ns);
}
