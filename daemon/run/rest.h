/*
 * How a loop waits for its next turn.
 *
 * After work it looks again for a moment (look.h) before it sleeps. While workers have jobs of its it sleeps at once, for a
 * disk or several answers take longer; but one answer of a server is worth a longer look.
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

#include "daemon/run/look.h"

struct loop;

struct rest {
	struct look look;         /* its times are ends of turns */
	bool worked;              /* the last turn did */
	bool looks;               /* for a moment, and lets others run */
	bool burst;               /* very many were served at once, since memory was last given back */
	int64_t keep_until_ns;    /* give none back until then */
};

/* True: look for work without waiting. False: sleep until there is some. */
bool rest_begin(struct rest *r, struct loop *l);

/* It was waited as rest_begin said, and a turn has ended. */
void rest_end(struct rest *r, const struct loop *l);

#endif
