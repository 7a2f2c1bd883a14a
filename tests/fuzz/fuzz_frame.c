/*
 * The frame scanner and the envelope. Input: one byte that says how the rest arrives, the rest.
 * msgpack-c is asked for a second opinion on where a frame ends.
 */
#include "config.h"

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include <msgpack.h>

#include "proto/frame.h"
#include "proto/limits.h"
#include "proto/rpc.h"

enum { MAX_BYTES = 65536, MAX_VALUES = 10000, MAX_NESTING = 16 + ENVELOPE_NESTING };

/* All bytes in pieces of `step`. */
static enum frame_status scan_in_steps(struct frame *f, const char *data, size_t len, size_t step)
{
	enum frame_status status = FRAME_MORE;

	frame_init(f, MAX_BYTES, MAX_NESTING, MAX_VALUES);
	for (size_t n = 0; status == FRAME_MORE && n < len;) {
		n = len - n > step ? n + step : len;
		status = frame_scan(f, data, n);
	}
	return status;
}

static void compare_with_msgpack(const struct frame *f, enum frame_status status, const char *data,
				 size_t len)
{
	msgpack_unpacked u;
	size_t off = 0;
	msgpack_unpack_return rc;

	if (status != FRAME_DONE && status != FRAME_MORE)
		return; /* it may be MessagePack, of a kind that msgpack-c must not see */
	msgpack_unpacked_init(&u);
	rc = msgpack_unpack_next(&u, data, status == FRAME_DONE ? f->scanned : len, &off);
	if (status == FRAME_DONE) {
		MUST(rc == MSGPACK_UNPACK_SUCCESS);
		MUST(off == f->scanned);
		MUST(u.data.type == MSGPACK_OBJECT_ARRAY && u.data.via.array.size == f->elements);
	} else {
		MUST(rc == MSGPACK_UNPACK_CONTINUE);
	}
	msgpack_unpacked_destroy(&u);
}

static void read_envelope(const struct frame *f, const char *data)
{
	const char *end = data + f->scanned;
	struct rpc rpc;
	struct err err;
	uint32_t msgid;

	if (rpc_read(f, data, &rpc, &err)) {
		MUST(err.code == ROWD_E_BAD_REQUEST && err.text[0]);
	} else {
		MUST(rpc.has_msgid == (rpc.type == RPC_REQUEST));
		MUST(rpc.method > data && rpc.method_len <= METHOD_MAX_BYTES &&
		     rpc.method + rpc.method_len < end);
		MUST(rpc.params == rpc.method + rpc.method_len && rpc.params + rpc.params_len == end);
	}
	MUST(rpc_peek_msgid(f, data, f->scanned, &msgid) == rpc.has_msgid);
	MUST(!rpc.has_msgid || rpc.msgid == msgid);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *data = (const char *)bytes + 1;
	struct frame whole, pieces;
	enum frame_status status;
	uint32_t msgid, again;
	bool seen;

	if (len < 2)
		return 0;
	len--;
	frame_init(&whole, MAX_BYTES, MAX_NESTING, MAX_VALUES);
	status = frame_scan(&whole, data, len);
	MUST(scan_in_steps(&pieces, data, len, 1u + bytes[0] % 16) == status);
	MUST(status != FRAME_DONE || whole.scanned <= len);
	MUST(whole.scanned == pieces.scanned && whole.values == pieces.values && whole.seen == pieces.seen);
	MUST(whole.scanned <= MAX_BYTES && whole.values <= MAX_VALUES);
	compare_with_msgpack(&whole, status, data, len);
	seen = rpc_peek_msgid(&whole, data, len, &msgid);
	MUST(rpc_peek_msgid(&pieces, data, len, &again) == seen && (!seen || msgid == again));
	if (status == FRAME_DONE)
		read_envelope(&whole, data);
	return 0;
}
