/*
 * Memory that many need for a moment: blocks of one size, kept for whoever comes next. Those who need one
 * all the time share a few, and what allocating costs is paid once.
 *
 * Thread: spares belong to one thread at a time.
 */
#ifndef ROWD_BASE_SPARES_H
#define ROWD_BASE_SPARES_H

#include <stddef.h>

struct spares {
	void *head;            /* owned; each block begins with a pointer to the next */
	size_t block_bytes;
	unsigned count, most;  /* kept now, and at most */
};

/* block_bytes: at least a pointer's. Allocates nothing. */
void spares_init(struct spares *s, size_t block_bytes, unsigned most);

/* Free those that are kept; it can be used again. What was handed out is its holder's own, and is not waited for. */
void spares_fini(struct spares *s);

/* A block, not cleared, the caller's as if it came from malloc(); NULL when memory runs out. */
void *spares_take(struct spares *s);

/* Take over a block of block_bytes that came from malloc(), spares_take or not. NULL is no block. */
void spares_give(struct spares *s, void *block);

#endif
