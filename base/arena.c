#include "config.h"

#include "base/arena.h"

#include <assert.h>
#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	BLOCK_BYTES = 16 * 1024,      /* of an ordinary block, without its header */
	LARGE_BYTES = BLOCK_BYTES / 4 /* from here on a request gets a block of its own */
};

struct arena_block {
	alignas(max_align_t) struct arena_block *next; /* owned */
	size_t cap;
};

static char *block_bytes(struct arena_block *block)
{
	return (char *)(block + 1);
}

static struct arena_block *block_new(size_t cap)
{
	struct arena_block *block;

	if (cap > SIZE_MAX - sizeof(*block))
		return NULL;
	block = malloc(sizeof(*block) + cap);
	if (block) {
		block->next = NULL;
		block->cap = cap;
	}
	return block;
}

static void blocks_free(struct arena_block *block)
{
	while (block) {
		struct arena_block *next = block->next;

		free(block);
		block = next;
	}
}

void arena_init(struct arena *a)
{
	*a = (struct arena){ 0 };
}

void arena_fini(struct arena *a)
{
	blocks_free(a->head);
	arena_init(a);
}

void arena_reset(struct arena *a)
{
	struct arena_block *keep = a->head;

	if (keep && keep->cap == BLOCK_BYTES) {
		blocks_free(keep->next);
		keep->next = NULL;
		a->used = 0;
		a->total = 0;
		return;
	}
	arena_fini(a);
}

/* A block for n bytes alone. It goes behind the newest, which stays in use. */
static void *alloc_large(struct arena *a, size_t n)
{
	struct arena_block *block = block_new(n);

	if (!block)
		return NULL;
	if (a->head) {
		block->next = a->head->next;
		a->head->next = block;
	} else {
		a->head = block;
		a->used = a->cap = n;
	}
	a->total += n;
	return block_bytes(block);
}

void *arena_alloc(struct arena *a, size_t n)
{
	void *p;

	if (n > SIZE_MAX - alignof(max_align_t))
		return NULL;
	n = (n + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	if (!a->head || n > a->cap - a->used) {
		struct arena_block *block;

		if (n > LARGE_BYTES)
			return alloc_large(a, n);
		block = block_new(BLOCK_BYTES);
		if (!block)
			return NULL;
		block->next = a->head;
		a->head = block;
		a->used = 0;
		a->cap = BLOCK_BYTES;
	}
	p = block_bytes(a->head) + a->used;
	a->used += n;
	a->total += n;
	return p;
}

void *arena_calloc(struct arena *a, size_t n, size_t size)
{
	size_t bytes;
	void *p;

	if (__builtin_mul_overflow(n, size, &bytes))
		return NULL;
	p = arena_alloc(a, bytes);
	if (p)
		memset(p, 0, bytes);
	return p;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
	char *copy = n < SIZE_MAX ? arena_alloc(a, n + 1) : NULL;

	if (!copy)
		return NULL;
	if (n > 0)
		memcpy(copy, s, n);
	copy[n] = '\0';
	return copy;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *text;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0)
		return NULL;
	text = arena_alloc(a, (size_t)n + 1);
	if (!text)
		return NULL;
	va_start(ap, fmt);
	vsnprintf(text, (size_t)n + 1, fmt, ap);
	va_end(ap);
	return text;
}
