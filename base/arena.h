/*
 * Memory that is let go all at once: everything made while one request is planned and run.
 *
 * Thread: an arena belongs to one thread at a time.
 */
#ifndef ROWD_BASE_ARENA_H
#define ROWD_BASE_ARENA_H

#include <stddef.h>

struct arena_block;

struct arena {
	struct arena_block *head;  /* owned; the newest block */
	size_t used, cap;          /* bytes in the newest block */
	size_t total;              /* bytes asked for since the last reset */
};

/* An empty arena. Allocates nothing. */
void arena_init(struct arena *a);

/* Free everything. The arena can be used again. */
void arena_fini(struct arena *a);

/* Let go of all that was handed out; keeps one ordinary block for the next request. */
void arena_reset(struct arena *a);

/* n bytes, aligned for any type, not cleared; NULL when memory runs out. n may be 0. */
void *arena_alloc(struct arena *a, size_t n);

/* n elements of size bytes each, cleared; NULL on overflow or when memory runs out. */
void *arena_calloc(struct arena *a, size_t n, size_t size);

/* A copy of n bytes with a NUL behind them; NULL when memory runs out. */
char *arena_strndup(struct arena *a, const char *s, size_t n);

/* Formatted, NUL-terminated; NULL when memory runs out. */
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
