/*
 * Bytes that grow, up to a ceiling. The ceiling is part of the buffer's making, so that nothing a
 * peer sends or asks for can grow without one.
 *
 * Thread: a buf belongs to one thread at a time.
 */
#ifndef ROWD_BASE_BUF_H
#define ROWD_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/err.h"
#include "base/spares.h"

struct buf {
	char *data;        /* owned; NULL while cap == 0 */
	size_t len;        /* bytes in use */
	size_t cap;        /* bytes allocated */
	size_t max_bytes;  /* len never passes this */
	bool failed;       /* an append did not fit or memory ran out; sticky until buf_clear */
};

/* An empty buffer of at most max_bytes. Allocates nothing. */
void buf_init(struct buf *b, size_t max_bytes);

/* Free the bytes. The buffer can be used again as after buf_init. */
void buf_fini(struct buf *b);

/* Let the first memory of a buffer that has none be a block of s, if it may hold as much and there is one. */
void buf_borrow(struct buf *b, struct spares *s);

/* As buf_fini, but memory of the size of a block of s goes there. */
void buf_return(struct buf *b, struct spares *s);

/* Forget the content and `failed`; keep the memory. */
void buf_clear(struct buf *b);

/* Cut back to len bytes (len <= b->len), and clear `failed`. */
void buf_truncate(struct buf *b, size_t len);

/* buf_reserve's slow half: more memory. Call buf_reserve. */
ROWD_MUST_CHECK bool buf_grow(struct buf *b, size_t n);

/* Room for n more bytes, or false (and b->failed). */
ROWD_MUST_CHECK static inline bool buf_reserve(struct buf *b, size_t n)
{
	return (!b->failed && n <= b->cap - b->len) || buf_grow(b, n);
}

/* Append. On overflow or want of memory nothing is appended and b->failed is set: callers may
 * append many times and look at b->failed once. */
static inline void buf_add(struct buf *b, const void *data, size_t n)
{
	if (n == 0 || !buf_reserve(b, n))
		return;
	memcpy(b->data + b->len, data, n);
	b->len += n;
}

static inline void buf_add_str(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void buf_add_char(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) ROWD_PRINTF(2, 3);

/* Drop n bytes from the front (n <= b->len). */
void buf_consume(struct buf *b, size_t n);

/* The bytes, yours to free(); NULL when empty. b is empty again. */
char *buf_take(struct buf *b, size_t *len_out);

#endif
