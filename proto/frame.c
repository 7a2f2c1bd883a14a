#include "config.h"

#include "proto/frame.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

/* What stands behind a first byte of 0xc0 .. 0xdf. */
enum head_kind { HEAD_SCALAR, HEAD_BODY, HEAD_ARRAY, HEAD_MAP, HEAD_NONE };

static const struct head {
	unsigned char kind;
	unsigned char count_bytes; /* width of the length or count behind the first byte */
	unsigned char fixed;       /* bytes behind that, besides a body of the length read */
} heads[32] = {
	/* clang-format off */
	[0x00] = { HEAD_SCALAR, 0, 0 },                                                            /* nil */
	[0x01] = { HEAD_NONE, 0, 0 },
	[0x02] = { HEAD_SCALAR, 0, 0 }, [0x03] = { HEAD_SCALAR, 0, 0 },                            /* bool */
	[0x04] = { HEAD_BODY, 1, 0 }, [0x05] = { HEAD_BODY, 2, 0 }, [0x06] = { HEAD_BODY, 4, 0 },  /* bin */
	[0x07] = { HEAD_BODY, 1, 1 }, [0x08] = { HEAD_BODY, 2, 1 }, [0x09] = { HEAD_BODY, 4, 1 },  /* ext */
	[0x0a] = { HEAD_SCALAR, 0, 4 }, [0x0b] = { HEAD_SCALAR, 0, 8 },                            /* float */
	[0x0c] = { HEAD_SCALAR, 0, 1 }, [0x0d] = { HEAD_SCALAR, 0, 2 },                            /* uint */
	[0x0e] = { HEAD_SCALAR, 0, 4 }, [0x0f] = { HEAD_SCALAR, 0, 8 },
	[0x10] = { HEAD_SCALAR, 0, 1 }, [0x11] = { HEAD_SCALAR, 0, 2 },                            /* int */
	[0x12] = { HEAD_SCALAR, 0, 4 }, [0x13] = { HEAD_SCALAR, 0, 8 },
	[0x14] = { HEAD_SCALAR, 0, 2 }, [0x15] = { HEAD_SCALAR, 0, 3 },                            /* fixext */
	[0x16] = { HEAD_SCALAR, 0, 5 }, [0x17] = { HEAD_SCALAR, 0, 9 }, [0x18] = { HEAD_SCALAR, 0, 17 },
	[0x19] = { HEAD_BODY, 1, 0 }, [0x1a] = { HEAD_BODY, 2, 0 }, [0x1b] = { HEAD_BODY, 4, 0 },  /* str */
	[0x1c] = { HEAD_ARRAY, 2, 0 }, [0x1d] = { HEAD_ARRAY, 4, 0 },
	[0x1e] = { HEAD_MAP, 2, 0 }, [0x1f] = { HEAD_MAP, 4, 0 },
	/* clang-format on */
};

/* One element as its head announces it. */
struct element {
	enum head_kind kind;
	uint64_t bytes; /* head and body; of a container the head alone */
	uint64_t count; /* of a container: elements, or pairs */
};

static uint64_t read_count(const unsigned char *p, unsigned bytes)
{
	uint16_t be16;
	uint32_t be32;

	switch (bytes) {
	case 1:
		return p[0];
	case 2:
		memcpy(&be16, p, sizeof(be16));
		return be16toh(be16);
	default:
		memcpy(&be32, p, sizeof(be32));
		return be32toh(be32);
	}
}

/* Read the head at p, of which n >= 1 bytes have come. False when more of it is needed. */
static bool element_read(const unsigned char *p, size_t n, struct element *out)
{
	unsigned char c = p[0];
	const struct head *head;
	uint64_t count;

	out->count = 0;
	if (c < 0x80 || c >= 0xe0) {
		out->kind = HEAD_SCALAR;
		out->bytes = 1;
		return true;
	}
	if (c < 0xa0) {
		out->kind = c < 0x90 ? HEAD_MAP : HEAD_ARRAY;
		out->bytes = 1;
		out->count = c & 0x0f;
		return true;
	}
	if (c < 0xc0) {
		out->kind = HEAD_BODY;
		out->bytes = 1u + (c & 0x1f);
		return true;
	}
	head = &heads[c - 0xc0];
	out->kind = (enum head_kind)head->kind;
	out->bytes = 1u + head->count_bytes + head->fixed;
	if (head->count_bytes == 0)
		return true;
	if (n < 1u + head->count_bytes)
		return false;
	count = read_count(p + 1, head->count_bytes);
	if (head->kind == HEAD_BODY)
		out->bytes += count;
	else
		out->count = count;
	return true;
}

void frame_init(struct frame *f, size_t max_bytes, unsigned max_nesting, uint64_t max_values)
{
	assert(max_nesting > 0 && max_nesting <= FRAME_MAX_NESTING);
	memset(f, 0, sizeof(*f));
	f->max_bytes = max_bytes;
	f->max_nesting = max_nesting;
	f->max_values = max_values;
	f->max_count = max_values;
}

void frame_reset(struct frame *f)
{
	f->scanned = 0;
	f->values = 0;
	f->due = 0;
	f->depth = 0;
	f->elements = 0;
	f->seen = 0;
}

/* An array or map of count elements or pairs begins: may it? */
static enum frame_status container_open(struct frame *f, const struct element *e)
{
	uint64_t begun;

	if (f->depth == f->max_nesting)
		return FRAME_TOO_DEEP;
	if (e->count > f->max_count || e->count > f->max_values - f->values)
		return FRAME_TOO_MANY;
	f->values += e->count;
	begun = e->kind == HEAD_MAP ? 2 * e->count : e->count;
	f->due += begun;
	f->open[f->depth++] = begun;
	return FRAME_MORE;
}

/* The outermost array's head. */
static enum frame_status frame_begin(struct frame *f, const unsigned char *p, size_t len)
{
	struct element e;
	enum frame_status status;

	if (len == 0)
		return FRAME_MORE;
	if ((p[0] & 0xf0) != 0x90 && p[0] != 0xdc && p[0] != 0xdd)
		return FRAME_GARBAGE;
	if (!element_read(p, len, &e))
		return FRAME_MORE;
	status = container_open(f, &e);
	if (status != FRAME_MORE)
		return status;
	f->elements = (uint32_t)e.count;
	f->scanned = e.bytes;
	return f->scanned + f->due > f->max_bytes ? FRAME_TOO_LONG : FRAME_MORE;
}

/* Close what is full. */
static void close_full(struct frame *f)
{
	while (f->depth > 0 && f->open[f->depth - 1] == 0)
		f->depth--;
}

/* An element begins: count it, and skip its body. */
static enum frame_status element_begin(struct frame *f, const struct element *e)
{
	enum frame_status status;

	if (e->kind == HEAD_NONE)
		return FRAME_GARBAGE;
	if (f->depth == 1) {
		if (f->seen < FRAME_OFFSETS)
			f->offset[f->seen] = f->scanned;
		f->seen++;
	}
	f->open[f->depth - 1]--;
	f->due--;
	if (e->kind == HEAD_ARRAY || e->kind == HEAD_MAP) {
		status = container_open(f, e);
		if (status != FRAME_MORE)
			return status;
	}
	if (f->due > f->max_bytes || e->bytes > f->max_bytes - f->due ||
	    f->scanned > f->max_bytes - f->due - e->bytes)
		return FRAME_TOO_LONG;
	f->scanned += e->bytes;
	close_full(f);
	return FRAME_MORE;
}

enum frame_status frame_scan(struct frame *f, const char *data, size_t len)
{
	const unsigned char *p = (const unsigned char *)data;
	enum frame_status status = FRAME_MORE;

	if (f->scanned == 0) {
		status = frame_begin(f, p, len);
		if (status != FRAME_MORE || f->scanned == 0)
			return status;
		close_full(f);
	}
	while (f->depth > 0) {
		struct element e;

		if (f->scanned >= len || !element_read(p + f->scanned, len - f->scanned, &e))
			return FRAME_MORE;
		status = element_begin(f, &e);
		if (status != FRAME_MORE)
			return status;
	}
	return f->scanned <= len ? FRAME_DONE : FRAME_MORE;
}
