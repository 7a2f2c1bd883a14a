#include "config.h"

#include "daemon/run/rest.h"

#ifdef HAVE_MALLOC_TRIM
#include <malloc.h>
#endif
#include <sched.h>

#include "base/clock.h"
#include "daemon/run/loop.h"

enum {
	LOOK_NS = 60 * 1000,            /* to wake a processor that sleeps takes 40 us on a virtual machine */
	LOOK_FOR_ANSWER_NS = 250 * 1000,/* a server gives, if it does not have to wait for others */
	IN_VAIN_MOST = 8,
	AWAY_MOST_NS = 2 * NS_PER_MS,   /* clients have answers to wait for before that; who keeps it longer computes */
	PAUSE_MS = 250,                 /* after either */
	BURST = 2 * LOOP_SPARES_KEPT,   /* connections served in one turn, each counted when read and when written */
	TRIM_SHARE = 50                 /* giving memory back takes no more than this part of the time */
};

/* ---- looking ---- */

static int64_t patience_ns(const struct loop *l)
{
	if (!l->nstarted)
		return LOOK_NS;
	return l->nstarted == 1 && l->asked_server ? LOOK_FOR_ANSWER_NS : 0;
}

static bool looks_again(struct rest *r, const struct loop *l)
{
	int64_t patience = patience_ns(l);

	if (!patience || !r->worked_ns || r->now_ns < r->sleep_until_ns)
		return false;
	if (r->now_ns - r->worked_ns < patience)
		return true;
	if (++r->in_vain == IN_VAIN_MOST) {
		r->in_vain = 0;
		r->sleep_until_ns = r->now_ns + (int64_t)PAUSE_MS * NS_PER_MS;
	}
	return false;
}

/* Their time is not counted as looking: what they did is work to be found, as a rule. */
static void let_others_run(struct rest *r)
{
	int64_t back_ns;

	sched_yield();
	back_ns = clock_ns();
	if (back_ns - r->now_ns > AWAY_MOST_NS)
		r->sleep_until_ns = back_ns + (int64_t)PAUSE_MS * NS_PER_MS;
}

/* ---- sleeping ---- */

/* What many had in hand at the same time lies free between what each of them keeps. */
static void give_memory_back(struct rest *r, struct loop *l)
{
	loop_spares_free(l);
	if (!r->burst || r->now_ns < r->keep_until_ns)
		return;
	r->burst = false;
#ifdef HAVE_MALLOC_TRIM
	malloc_trim(0);
#endif
	r->keep_until_ns = clock_ns() + (clock_ns() - r->now_ns) * TRIM_SHARE;
}

bool rest_begin(struct rest *r, struct loop *l)
{
	r->looks = looks_again(r, l);
	if (r->looks || (r->worked && l->nsnapshots))
		return true;
	loop_end_snapshots(l);
	r->worked_ns = 0;
	if (!l->nstarted)
		give_memory_back(r, l);
	return false;
}

void rest_end(struct rest *r, const struct loop *l)
{
	r->now_ns = clock_ns();
	r->burst |= l->served > BURST;
	r->worked = l->served > 0;
	if (r->worked) {
		r->worked_ns = r->now_ns;
		if (r->looks)
			r->in_vain = 0;
	} else if (r->looks) {
		let_others_run(r);
	}
}
