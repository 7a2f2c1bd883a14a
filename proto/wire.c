#include "config.h"

#include "proto/value.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

enum {
	WIRE_HEAD_MAX_BYTES = 9,
	WIRE_ARRAY_HEAD_BYTES = 5, /* of array32, what wire_array_open keeps free */
	WIRE_TIMESTAMP = 0xff      /* extension type -1 */
};

static void wire_byte(struct buf *b, unsigned char c)
{
	if (buf_reserve(b, 1))
		b->data[b->len++] = (char)c;
}

/* A first byte and v in `bytes` bytes (1, 2, 4 or 8), big-endian; then room for n more. */
static bool wire_head(struct buf *b, unsigned char first, uint64_t v, unsigned bytes, size_t n)
{
	uint64_t be = htobe64(v << (64 - 8 * bytes));
	char *out;

	if (!buf_reserve(b, 1 + bytes + n))
		return false;
	out = b->data + b->len;
	out[0] = (char)first;
	/* A store of known size is faster, where there is room: what is too much is written over. */
	if (b->cap - b->len >= WIRE_HEAD_MAX_BYTES)
		memcpy(out + 1, &be, sizeof(be));
	else
		memcpy(out + 1, &be, bytes);
	b->len += 1 + bytes;
	return true;
}

void wire_nil(struct buf *b)
{
	wire_byte(b, 0xc0);
}

void wire_bool(struct buf *b, bool v)
{
	wire_byte(b, v ? 0xc3 : 0xc2);
}

void wire_uint(struct buf *b, uint64_t v)
{
	if (v < 0x80)
		wire_byte(b, (unsigned char)v);
	else if (v <= UINT8_MAX)
		(void)wire_head(b, 0xcc, v, 1, 0);
	else if (v <= UINT16_MAX)
		(void)wire_head(b, 0xcd, v, 2, 0);
	else if (v <= UINT32_MAX)
		(void)wire_head(b, 0xce, v, 4, 0);
	else
		(void)wire_head(b, 0xcf, v, 8, 0);
}

void wire_int(struct buf *b, int64_t v)
{
	if (v >= 0)
		wire_uint(b, (uint64_t)v);
	else if (v >= -32)
		wire_byte(b, (unsigned char)v);
	else if (v >= INT8_MIN)
		(void)wire_head(b, 0xd0, (uint64_t)v, 1, 0);
	else if (v >= INT16_MIN)
		(void)wire_head(b, 0xd1, (uint64_t)v, 2, 0);
	else if (v >= INT32_MIN)
		(void)wire_head(b, 0xd2, (uint64_t)v, 4, 0);
	else
		(void)wire_head(b, 0xd3, (uint64_t)v, 8, 0);
}

void wire_float(struct buf *b, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	(void)wire_head(b, 0xcb, bits, 8, 0);
}

static void wire_body(struct buf *b, const void *s, size_t len)
{
	if (len > 0)
		memcpy(b->data + b->len, s, len);
	b->len += len;
}

void wire_str(struct buf *b, const char *s, size_t len)
{
	bool room;

	if (len < 32) {
		if (!buf_reserve(b, 1 + len))
			return;
		b->data[b->len++] = (char)(0xa0 | len);
		wire_body(b, s, len);
		return;
	}
	if (len <= UINT8_MAX)
		room = wire_head(b, 0xd9, len, 1, len);
	else if (len <= UINT16_MAX)
		room = wire_head(b, 0xda, len, 2, len);
	else if (len <= UINT32_MAX)
		room = wire_head(b, 0xdb, len, 4, len);
	else
		room = !(b->failed = true);
	if (room)
		wire_body(b, s, len);
}

void wire_cstr(struct buf *b, const char *s)
{
	wire_str(b, s, strlen(s));
}

void wire_bin(struct buf *b, const void *s, size_t len)
{
	bool room;

	if (len <= UINT8_MAX)
		room = wire_head(b, 0xc4, len, 1, len);
	else if (len <= UINT16_MAX)
		room = wire_head(b, 0xc5, len, 2, len);
	else if (len <= UINT32_MAX)
		room = wire_head(b, 0xc6, len, 4, len);
	else
		room = !(b->failed = true);
	if (room)
		wire_body(b, s, len);
}

/* The shortest head of an array of count elements. */
static size_t array_head(uint32_t count, unsigned char out[WIRE_ARRAY_HEAD_BYTES])
{
	uint16_t be16 = htobe16((uint16_t)count);
	uint32_t be32 = htobe32(count);

	if (count < 16) {
		out[0] = (unsigned char)(0x90 | count);
		return 1;
	}
	if (count <= UINT16_MAX) {
		out[0] = 0xdc;
		memcpy(out + 1, &be16, sizeof(be16));
		return 1 + sizeof(be16);
	}
	out[0] = 0xdd;
	memcpy(out + 1, &be32, sizeof(be32));
	return 1 + sizeof(be32);
}

void wire_array(struct buf *b, uint32_t count)
{
	unsigned char head[WIRE_ARRAY_HEAD_BYTES];

	buf_add(b, head, array_head(count, head));
}

void wire_map(struct buf *b, uint32_t pairs)
{
	if (pairs < 16)
		wire_byte(b, (unsigned char)(0x80 | pairs));
	else if (pairs <= UINT16_MAX)
		(void)wire_head(b, 0xde, pairs, 2, 0);
	else
		(void)wire_head(b, 0xdf, pairs, 4, 0);
}

/* The smallest of the three timestamp formats; nanos < 10^9. */
static size_t timestamp_format(int64_t seconds, uint32_t nanos, unsigned char out[15])
{
	uint32_t be32 = htobe32(nanos);
	uint64_t be64;

	if (seconds >> 34 != 0) {
		be64 = htobe64((uint64_t)seconds);
		memcpy(out, (const unsigned char[]){ 0xc7, 12, WIRE_TIMESTAMP }, 3);
		memcpy(out + 3, &be32, 4);
		memcpy(out + 7, &be64, 8);
		return 15;
	}
	out[1] = WIRE_TIMESTAMP;
	if (nanos == 0 && seconds <= UINT32_MAX) {
		be32 = htobe32((uint32_t)seconds);
		out[0] = 0xd6;
		memcpy(out + 2, &be32, 4);
		return 6;
	}
	be64 = htobe64((uint64_t)nanos << 34 | (uint64_t)seconds);
	out[0] = 0xd7;
	memcpy(out + 2, &be64, 8);
	return 10;
}

void wire_time(struct buf *b, int64_t micros)
{
	int64_t seconds = micros / 1000000, rest = micros % 1000000;
	unsigned char out[15];

	if (rest < 0) {
		rest += 1000000;
		seconds--;
	}
	buf_add(b, out, timestamp_format(seconds, (uint32_t)rest * 1000, out));
}

size_t wire_array_open(struct buf *b)
{
	size_t open = b->len;

	if (buf_reserve(b, WIRE_ARRAY_HEAD_BYTES))
		b->len += WIRE_ARRAY_HEAD_BYTES;
	return open;
}

void wire_array_close(struct buf *b, size_t open, uint32_t count)
{
	size_t body = open + WIRE_ARRAY_HEAD_BYTES, head_len;
	unsigned char head[WIRE_ARRAY_HEAD_BYTES];

	if (b->failed)
		return;
	assert(b->len >= body);
	head_len = array_head(count, head);
	memcpy(b->data + open, head, head_len);
	if (head_len < WIRE_ARRAY_HEAD_BYTES)
		memmove(b->data + open + head_len, b->data + body, b->len - body);
	b->len -= WIRE_ARRAY_HEAD_BYTES - head_len;
}
