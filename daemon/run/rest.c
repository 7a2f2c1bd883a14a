#include "config.h"

#include "daemon/run/rest.h"

#ifdef HAVE_MALLOC_TRIM
#include <malloc.h>
#endif

#include "base/clock.h"
#include "daemon/run/loop.h"

enum {
	LOOK_NS = 60 * 1000,            /* to wake a processor that sleeps takes 40 us on a virtual machine */
	LOOK_FOR_ANSWER_NS = 250 * 1000,/* a server gives, if it does not have to wait for others */
	BURST = 2 * LOOP_SPARES_KEPT,   /* connections served in one turn, each counted when read and when written */
	TRIM_SHARE = 50                 /* giving memory back takes no more than this part of the time */
};

static int64_t patience_ns(const struct loop *l)
{
	if (!l->nstarted)
		return LOOK_NS;
	return l->nstarted == 1 && l->asked_server ? LOOK_FOR_ANSWER_NS : 0;
}

/* What many had in hand at the same time lies free between what each of them keeps. */
static void give_memory_back(struct rest *r, struct loop *l)
{
	loop_spares_free(l);
	if (!r->burst || r->look.now_ns < r->keep_until_ns)
		return;
	r->burst = false;
#ifdef HAVE_MALLOC_TRIM
	malloc_trim(0);
#endif
	r->keep_until_ns = clock_ns() + (clock_ns() - r->look.now_ns) * TRIM_SHARE;
}

bool rest_begin(struct rest *r, struct loop *l)
{
	r->looks = look_again(&r->look, patience_ns(l));
	if (r->looks || (r->worked && l->nsnapshots))
		return true;
	loop_end_snapshots(l);
	r->look.worked_ns = 0;
	if (!l->nstarted)
		give_memory_back(r, l);
	return false;
}

void rest_end(struct rest *r, const struct loop *l)
{
	r->look.now_ns = clock_ns();
	r->burst |= l->served > BURST;
	r->worked = l->served > 0;
	if (r->worked)
		look_worked(&r->look, r->looks);
	else if (r->looks)
		look_let_others_run(&r->look);
}
