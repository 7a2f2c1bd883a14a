#include "config.h"

#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUF_FIRST_BYTES = 320 };   /* most answers, with what a handler reserves for one */

void buf_init(struct buf *b, size_t max_bytes)
{
	*b = (struct buf){ .max_bytes = max_bytes };
}

void buf_fini(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max_bytes);
}

void buf_borrow(struct buf *b, struct spares *s)
{
	if (b->cap || b->max_bytes < s->block_bytes)
		return;
	b->data = spares_take(s);
	b->cap = b->data ? s->block_bytes : 0;
}

void buf_return(struct buf *b, struct spares *s)
{
	if (b->cap == s->block_bytes)
		spares_give(s, b->data);
	else
		free(b->data);
	buf_init(b, b->max_bytes);
}

void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

void buf_truncate(struct buf *b, size_t len)
{
	assert(len <= b->len);
	b->len = len;
	b->failed = false;
}

/* Twice the room, or as much as is needed, but never past max_bytes. */
static size_t next_cap(const struct buf *b, size_t need)
{
	size_t cap = b->cap < BUF_FIRST_BYTES ? BUF_FIRST_BYTES : b->cap;

	if (b->cap >= BUF_FIRST_BYTES)
		cap = cap > b->max_bytes / 2 ? b->max_bytes : cap * 2;
	if (cap < need)
		cap = need;
	return cap < b->max_bytes ? cap : b->max_bytes;
}

bool buf_grow(struct buf *b, size_t n)
{
	size_t cap;
	char *data;

	if (b->failed || n > b->max_bytes - b->len) {
		b->failed = true;
		return false;
	}
	cap = next_cap(b, b->len + n);
	data = realloc(b->data, cap);
	if (!data) {
		b->failed = true;
		return false;
	}
	b->data = data;
	b->cap = cap;
	return true;
}

void buf_add_char(struct buf *b, char c)
{
	if (buf_reserve(b, 1))
		b->data[b->len++] = c;
}

void buf_addf(struct buf *b, const char *fmt, ...)
{
	char small[256];
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n >= 0 && (size_t)n < sizeof(small)) {
		buf_add(b, small, (size_t)n);
		return;
	}
	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0) {
		b->failed = true;
		return;
	}
	buf_add(b, text, (size_t)n);
	free(text);
}

void buf_consume(struct buf *b, size_t n)
{
	assert(n <= b->len);
	b->len -= n;
	if (b->len > 0 && n > 0)
		memmove(b->data, b->data + n, b->len);
}

char *buf_take(struct buf *b, size_t *len_out)
{
	char *data = b->data;

	*len_out = b->len;
	if (b->len == 0) {
		free(data);
		data = NULL;
	}
	buf_init(b, b->max_bytes);
	return data;
}
