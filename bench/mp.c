#include "config.h"

#include "bench/mp.h"

#include <string.h>

/* ---- writing ---- */

static void put(struct mp_out *o, uint8_t tag, uint64_t n, unsigned bytes)
{
	*o->p++ = tag;
	while (bytes--)
		*o->p++ = (uint8_t)(n >> (8 * bytes));
}

void mp_int(struct mp_out *o, int64_t n)
{
	if (n >= -32 && n <= 127)
		*o->p++ = (uint8_t)n;
	else if (n < 0)
		put(o, 0xd3, (uint64_t)n, 8);
	else if (n <= 0xff)
		put(o, 0xcc, (uint64_t)n, 1);
	else if (n <= 0xffff)
		put(o, 0xcd, (uint64_t)n, 2);
	else if (n <= 0xffffffff)
		put(o, 0xce, (uint64_t)n, 4);
	else
		put(o, 0xcf, (uint64_t)n, 8);
}

void mp_nil(struct mp_out *o)
{
	*o->p++ = 0xc0;
}

void mp_bool(struct mp_out *o, bool b)
{
	*o->p++ = b ? 0xc3 : 0xc2;
}

void mp_str(struct mp_out *o, const char *text, size_t len)
{
	if (len < 32)
		*o->p++ = (uint8_t)(0xa0 | len);
	else if (len <= 0xff)
		put(o, 0xd9, len, 1);
	else
		put(o, 0xdb, len, 4);
	memcpy(o->p, text, len);
	o->p += len;
}

void mp_text(struct mp_out *o, const char *text)
{
	mp_str(o, text, strlen(text));
}

static void put_members(struct mp_out *o, uint8_t fix, uint8_t tag16, uint32_t members)
{
	if (members < 16)
		*o->p++ = (uint8_t)(fix | members);
	else if (members <= 0xffff)
		put(o, tag16, members, 2);
	else
		put(o, (uint8_t)(tag16 + 1), members, 4);
}

void mp_array(struct mp_out *o, uint32_t members)
{
	put_members(o, 0x90, 0xdc, members);
}

void mp_map(struct mp_out *o, uint32_t members)
{
	put_members(o, 0x80, 0xde, members);
}

/* ---- reading ---- */

enum kind { KIND_BAD, KIND_NIL, KIND_UINT, KIND_STR, KIND_ARRAY, KIND_MAP, KIND_OTHER };

/* The first byte of a value, from 0xc0 on: how long its number is, and what that number says. */
struct tag {
	uint8_t kind;
	uint8_t number_bytes;
	uint8_t extra_bytes;   /* behind the number, always */
	uint8_t is_length;     /* the number counts bytes that follow */
};

static const struct tag tags[32] = {
	[0x00] = { KIND_NIL, 0, 0, 0 },
	[0x02] = { KIND_OTHER, 0, 0, 0 }, [0x03] = { KIND_OTHER, 0, 0, 0 },
	[0x04] = { KIND_OTHER, 1, 0, 1 }, [0x05] = { KIND_OTHER, 2, 0, 1 }, [0x06] = { KIND_OTHER, 4, 0, 1 },
	[0x07] = { KIND_OTHER, 1, 1, 1 }, [0x08] = { KIND_OTHER, 2, 1, 1 }, [0x09] = { KIND_OTHER, 4, 1, 1 },
	[0x0a] = { KIND_OTHER, 4, 0, 0 }, [0x0b] = { KIND_OTHER, 8, 0, 0 },
	[0x0c] = { KIND_UINT, 1, 0, 0 }, [0x0d] = { KIND_UINT, 2, 0, 0 },
	[0x0e] = { KIND_UINT, 4, 0, 0 }, [0x0f] = { KIND_UINT, 8, 0, 0 },
	[0x10] = { KIND_OTHER, 1, 0, 0 }, [0x11] = { KIND_OTHER, 2, 0, 0 },
	[0x12] = { KIND_OTHER, 4, 0, 0 }, [0x13] = { KIND_OTHER, 8, 0, 0 },
	[0x14] = { KIND_OTHER, 0, 2, 0 }, [0x15] = { KIND_OTHER, 0, 3, 0 }, [0x16] = { KIND_OTHER, 0, 5, 0 },
	[0x17] = { KIND_OTHER, 0, 9, 0 }, [0x18] = { KIND_OTHER, 0, 17, 0 },
	[0x19] = { KIND_STR, 1, 0, 1 }, [0x1a] = { KIND_STR, 2, 0, 1 }, [0x1b] = { KIND_STR, 4, 0, 1 },
	[0x1c] = { KIND_ARRAY, 2, 0, 0 }, [0x1d] = { KIND_ARRAY, 4, 0, 0 },
	[0x1e] = { KIND_MAP, 2, 0, 0 }, [0x1f] = { KIND_MAP, 4, 0, 0 },
};

/* What stands at the start of a value; of arrays and maps the members follow. */
struct head {
	enum kind kind;
	uint64_t number;
	const uint8_t *body;
	uint64_t body_bytes;
};

static bool read_tagged(struct mp_in *in, struct head *h)
{
	const struct tag *t = &tags[*in->p - 0xc0];
	const uint8_t *p = in->p + 1;
	unsigned i;

	if (t->kind == KIND_BAD) {
		in->is_malformed = true;
		return false;
	}
	if (in->end - p < t->number_bytes)
		return false;
	h->kind = t->kind;
	h->number = 0;
	for (i = 0; i < t->number_bytes; i++)
		h->number = h->number << 8 | *p++;
	h->body = p;
	h->body_bytes = t->extra_bytes + (t->is_length ? h->number : 0);
	return true;
}

static bool read_head(struct mp_in *in, struct head *h)
{
	uint8_t first;

	if (in->p == in->end)
		return false;
	first = *in->p;
	h->body = in->p + 1;
	h->body_bytes = 0;
	if (first < 0x80) {
		h->kind = KIND_UINT;
		h->number = first;
	} else if (first < 0xa0) {
		h->kind = first < 0x90 ? KIND_MAP : KIND_ARRAY;
		h->number = first & 0x0f;
	} else if (first < 0xc0) {
		h->kind = KIND_STR;
		h->number = h->body_bytes = first & 0x1f;
	} else if (first >= 0xe0) {
		h->kind = KIND_OTHER;
	} else if (!read_tagged(in, h)) {
		return false;
	}
	return h->body_bytes <= (uint64_t)(in->end - h->body);
}

static bool read_kind(struct mp_in *in, enum kind kind, struct head *h)
{
	if (!read_head(in, h) || h->kind != kind)
		return false;
	in->p = h->body + h->body_bytes;
	return true;
}

bool mp_read_nil(struct mp_in *in)
{
	struct head h;

	return read_kind(in, KIND_NIL, &h);
}

bool mp_read_uint(struct mp_in *in, uint64_t *n_out)
{
	struct head h;

	if (!read_kind(in, KIND_UINT, &h))
		return false;
	*n_out = h.number;
	return true;
}

bool mp_read_str(struct mp_in *in, const char **text_out, size_t *len_out)
{
	struct head h;

	if (!read_kind(in, KIND_STR, &h))
		return false;
	*text_out = (const char *)h.body;
	*len_out = (size_t)h.body_bytes;
	return true;
}

bool mp_read_array(struct mp_in *in, uint64_t *members_out)
{
	struct head h;

	if (!read_kind(in, KIND_ARRAY, &h))
		return false;
	*members_out = h.number;
	return true;
}

bool mp_read_map(struct mp_in *in, uint64_t *members_out)
{
	struct head h;

	if (!read_kind(in, KIND_MAP, &h))
		return false;
	*members_out = h.number;
	return true;
}

bool mp_skip(struct mp_in *in)
{
	struct mp_in at = *in;
	uint64_t left = 1;
	struct head h;

	while (left) {
		if (!read_head(&at, &h)) {
			in->is_malformed = at.is_malformed;
			return false;
		}
		at.p = h.body + h.body_bytes;
		left--;
		if (h.kind == KIND_ARRAY)
			left += h.number;
		else if (h.kind == KIND_MAP)
			left += 2 * h.number;
	}
	in->p = at.p;
	return true;
}
