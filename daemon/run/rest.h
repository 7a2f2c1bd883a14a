/*
 * How a loop waits for its next turn.
 *
 * Who asked a moment ago asks again in a moment, as a rule, and to sleep and be woken takes longer than to serve him. So
 * after work a loop lets others run and looks again, for a moment, before it sleeps. While workers have jobs of its it
 * sleeps at once, for a disk or several answers take longer; but one answer of a server is worth a longer look. It stops
 * looking for a while when it was in vain several times in a row, and when others kept the processor: who sleeps gets it
 * back sooner than who gave it away.
 *
 * Where it has a snapshot open it looks once more in any case: that costs less than to open the next one. Before it
 * sleeps it ends those, and gives its spare memory back, and after a turn of very many clients, what malloc() holds on to.
 *
 * Thread: the loop's.
 */
#ifndef ROWD_RUN_REST_H
#define ROWD_RUN_REST_H

#include <stdbool.h>
#include <stdint.h>

struct loop;

struct rest {
	int64_t now_ns;           /* when the last turn ended */
	int64_t worked_ns;        /* when the last turn that had work ended; 0: there was none since the last sleep */
	bool worked;              /* the last turn did */
	int64_t sleep_until_ns;   /* look no more until then */
	bool looks;               /* for a moment, and lets others run */
	unsigned in_vain;         /* times in a row */
	bool burst;               /* very many were served at once, since memory was last given back */
	int64_t keep_until_ns;    /* give none back until then */
};

/* True: look for work without waiting. False: sleep until there is some. */
bool rest_begin(struct rest *r, struct loop *l);

/* It was waited as rest_begin said, and a turn has ended. */
void rest_end(struct rest *r, const struct loop *l);

#endif
