/*
 * The protocols that bench/load speaks: how one request is written, where one reply ends. Written from
 * the public descriptions; nothing of rowd's own code is in here.
 */
#ifndef ROWD_BENCH_PROTOCOL_H
#define ROWD_BENCH_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/measure.h"

enum op { OP_PING, OP_GET, OP_SELECT, OP_INSERT, OP_DELETE, OP_STREAM, OP_COUNT };

extern const char *const op_names[OP_COUNT];

/* What a request is about. */
struct request {
	enum op op;
	uint32_t id;        /* where the protocol numbers its requests */
	struct keys *keys;  /* borrowed; insert takes as many as rows */
	unsigned rows;      /* of one insert; of one batch of a stream */
	const char *table;  /* rowd: its name; Tarantool: the space's number */
};

enum { REPLY_WITHOUT_ID = -1 };

struct reply {
	size_t bytes;   /* of this message */
	bool is_final;  /* false: a part of a longer answer, or of no interest */
	bool is_error;
	int64_t id;     /* REPLY_WITHOUT_ID: of the oldest request that is not answered */
	uint64_t hits;
};

enum reply_state { REPLY_PARTIAL, REPLY_WHOLE, REPLY_MALFORMED };

struct protocol {
	const char *name;
	unsigned ops;           /* a bit for each op that it knows */
	size_t greeting_bytes;  /* sent by the server before anything is asked */
	/*
	 * Write the request to out, which has request_max_bytes(); its size, or 0 when the keys are used up.
	 */
	size_t (*request)(const struct request *r, uint8_t *out);
	/* What lies at the start of the len bytes at in; reply is written when that is whole. */
	enum reply_state (*reply)(const uint8_t *in, size_t len, struct reply *reply);
};

/* NULL when there is none of that name. */
const struct protocol *protocol_find(const char *name);

size_t request_max_bytes(const struct request *r);

#endif
