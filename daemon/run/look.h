/*
 * Looking for work for a moment, before one sleeps.
 *
 * Who asked a moment ago asks again in a moment, as a rule, and to sleep and be woken takes longer than to serve him. So
 * after work one lets others run and looks again. One stops looking for a while when it was in vain several times in a
 * row, and when others kept the processor: who sleeps gets it back sooner than who gave it away.
 *
 * Thread: one for each struct look.
 */
#ifndef ROWD_RUN_LOOK_H
#define ROWD_RUN_LOOK_H

#include <stdbool.h>
#include <stdint.h>

struct look {
	int64_t now_ns;           /* when work ended, or it was looked; its owner sets it */
	int64_t worked_ns;        /* when work ended; 0: there was none since the last sleep */
	int64_t sleep_until_ns;   /* look no more until then */
	unsigned in_vain;         /* times in a row */
};

/* Work ended at k->now_ns; was it found by looking? */
void look_worked(struct look *k, bool found);

/* Is it worth another look, so long after the last work? */
bool look_again(struct look *k, int64_t patience_ns);

/* There was nothing to see at k->now_ns. */
void look_let_others_run(struct look *k);

#endif
