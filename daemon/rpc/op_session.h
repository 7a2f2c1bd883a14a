/*
 * The operations that need no database: who is there, who am I, what is served.
 *
 * Each appends its result to b. Thread: the session's loop.
 */
#ifndef ROWD_RPC_OP_SESSION_H
#define ROWD_RPC_OP_SESSION_H

#include "daemon/rpc/session.h"
#include "proto/request.h"

typedef enum rowd_code session_op_fn(struct session *s, const struct request *req, struct buf *b,
				     struct err *err);

session_op_fn op_hello, op_ping, op_use, op_whoami, op_databases, op_stats, op_pause, op_resume;

/* The handler of an op whose place is LOOP, or PAST; NULL for others, and for those that ask
 * other loops (dispatch.c). */
session_op_fn *op_session_handler(enum op_id id);

#endif
