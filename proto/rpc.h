/*
 * The envelope: MessagePack-RPC (https://github.com/msgpack-rpc/msgpack-rpc/blob/master/spec.md).
 * Requests [0, msgid, method, params], responses [1, msgid, error, result],
 * notifications [2, method, params].
 *
 * Pure. Thread: any.
 */
#ifndef ROWD_PROTO_RPC_H
#define ROWD_PROTO_RPC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/frame.h"

enum rpc_type { RPC_REQUEST = 0, RPC_RESPONSE = 1, RPC_NOTIFICATION = 2 };

struct rpc {
	enum rpc_type type;
	bool has_msgid;         /* true also when only the rest was bad, so that an error can be sent */
	uint32_t msgid;
	const char *method;     /* borrowed from the frame; not NUL-terminated */
	size_t method_len;
	const char *params;     /* borrowed: the encoded params array, to the end of the frame */
	size_t params_len;
};

/*
 * Read the envelope of a whole frame (after FRAME_DONE). Does not look into params beyond their
 * being an array. ROWD_E_BAD_REQUEST when it is not a request or notification (a response from a
 * client is not); out->has_msgid tells whether an error can still be addressed. The connection is
 * then closed by the caller.
 */
ROWD_MUST_CHECK enum rowd_code rpc_read(const struct frame *f, const char *data, struct rpc *out,
					struct err *err);

/* The msgid of a frame whose scan failed part way (a limit), if it was seen. */
bool rpc_peek_msgid(const struct frame *f, const char *data, size_t len, uint32_t *msgid_out);

/* [1, msgid, nil, ... : the caller appends the result behind it. */
void rpc_write_result_head(struct buf *b, uint32_t msgid);

/* How errors are written: hello's `errors`. */
enum rpc_errors { RPC_ERRORS_ARRAY, RPC_ERRORS_PAIR, RPC_ERRORS_STRING };

/* [1, msgid, error, nil], whole. */
void rpc_write_error(struct buf *b, uint32_t msgid, const struct err *err, enum rpc_errors shape);

/* [2, method, ... : the caller appends the params array. */
void rpc_write_notification_head(struct buf *b, const char *method);

#endif
