#include "config.h"

#include "proto/fingerprint.h"

#define FNV_OFFSET (((fingerprint)UINT64_C(0x6c62272e07bb0142) << 64) | UINT64_C(0x62b821756295c58d))
#define FNV_PRIME (((fingerprint)UINT64_C(0x0000000001000000) << 64) | UINT64_C(0x000000000000013b))

fingerprint fingerprint_start(void)
{
	return FNV_OFFSET;
}

fingerprint fingerprint_bytes(fingerprint f, const void *data, size_t len)
{
	const unsigned char *p = data;

	for (size_t i = 0; i < len; i++)
		f = (f ^ p[i]) * FNV_PRIME;
	return f;
}

static fingerprint tagged(fingerprint f, char tag, const void *data, size_t len)
{
	uint64_t n = len;

	f = fingerprint_bytes(f, &tag, 1);
	f = fingerprint_bytes(f, &n, sizeof(n));
	return fingerprint_bytes(f, data, len);
}

/* The pairs are summed, each by itself, so that their order does not count. */
static fingerprint map(fingerprint f, const msgpack_object_map *m)
{
	fingerprint sum = 0;

	for (uint32_t i = 0; i < m->size; i++)
		sum += fingerprint_object(fingerprint_object(FNV_OFFSET, &m->ptr[i].key), &m->ptr[i].val);
	return tagged(f, 'm', &sum, sizeof(sum));
}

fingerprint fingerprint_object(fingerprint f, const msgpack_object *o)
{
	switch (o->type) {
	case MSGPACK_OBJECT_NIL:
		return tagged(f, 'n', "", 0);
	case MSGPACK_OBJECT_BOOLEAN:
		return tagged(f, 'b', o->via.boolean ? "1" : "0", 1);
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		return tagged(f, 'u', &o->via.u64, sizeof(o->via.u64));
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		return tagged(f, 'i', &o->via.i64, sizeof(o->via.i64));
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		return tagged(f, 'f', &o->via.f64, sizeof(o->via.f64));
	case MSGPACK_OBJECT_STR:
		return tagged(f, 's', o->via.str.ptr, o->via.str.size);
	case MSGPACK_OBJECT_BIN:
		return tagged(f, 'y', o->via.bin.ptr, o->via.bin.size);
	case MSGPACK_OBJECT_EXT:
		f = fingerprint_bytes(f, &o->via.ext.type, 1);
		return tagged(f, 'x', o->via.ext.ptr, o->via.ext.size);
	case MSGPACK_OBJECT_ARRAY:
		f = tagged(f, 'a', &o->via.array.size, sizeof(o->via.array.size));
		for (uint32_t i = 0; i < o->via.array.size; i++)
			f = fingerprint_object(f, &o->via.array.ptr[i]);
		return f;
	case MSGPACK_OBJECT_MAP:
		return map(f, &o->via.map);
	}
	return f;
}

void fingerprint_write(fingerprint f, uint8_t out[FINGERPRINT_BYTES])
{
	for (unsigned i = 0; i < FINGERPRINT_BYTES; i++)
		out[i] = (uint8_t)(f >> (8 * (FINGERPRINT_BYTES - 1 - i)));
}
