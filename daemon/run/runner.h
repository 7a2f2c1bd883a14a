/*
 * What it takes to carry out one request after another on some connection: decode, check the
 * shape, hand it to exec/, write the answer. Each loop has one for its inline reads, each worker
 * one of its own; the memory is used again from request to request.
 *
 * Thread: its owner's.
 */
#ifndef ROWD_RUN_RUNNER_H
#define ROWD_RUN_RUNNER_H

#include <msgpack.h>

#include "daemon/run/job.h"
#include "proto/rpc.h"

struct runner {
	struct arena arena;
	msgpack_zone zone;
	struct sql sql;
};

/* One request, as it came. */
struct runner_call {
	const struct op *op;
	uint32_t msgid;
	const char *params;              /* the encoded array; lives until the call is over */
	size_t params_len;
	const struct caller *caller;
	const struct limits *limits;
	int64_t max_rows;
	struct buf *out;                 /* the whole answer is appended: head and result */
	exec_batch_fn *batch;
	void *batch_arg;
	bool in_transaction, inline_read;
	job_work_fn *work;               /* to be done in place of op; NULL: op */
	void *work_arg;
	int64_t follow;                  /* out: see exec.h */
	bool answered;                   /* out, of runner_run_together only */
};

enum { RUNNER_TOGETHER_MOST = 32 };

/* False when memory runs out. */
ROWD_MUST_CHECK bool runner_init(struct runner *r);
void runner_fini(struct runner *r);

/*
 * Decode params into *request; both live until the runner's next use.
 * ROWD_E_BAD_REQUEST and its kin from request_read.
 */
ROWD_MUST_CHECK enum rowd_code runner_decode(struct runner *r, const struct op *op, const char *params,
					     size_t params_len, struct request *request, struct err *err);

/*
 * Carry out a call on conn, inside a transaction that the caller began. On failure nothing was
 * appended to call->out. request: as runner_decode left it, or NULL to decode here.
 */
ROWD_MUST_CHECK enum rowd_code runner_run(struct runner *r, struct db_conn *conn,
					  struct runner_call *call, const struct request *request,
					  struct err *err);

/*
 * Carry out n calls of one operation, all of which the caller has seen to have an op_together_fn (ops.h says what
 * failure means), with as few statements as can be; their outs are empty. Those not answered after it have
 * nothing in their outs, and have to be run one by one.
 */
ROWD_MUST_CHECK enum rowd_code runner_run_together(struct runner *r, struct db_conn *conn,
						   struct runner_call *calls, size_t n, struct err *err);

/* The table of rowd's own that the request needs and conn's database does not have yet; NULL: none. */
const char *runner_missing_table(struct db_conn *conn, const struct request *request);

/* Make that table: in the transaction that is open where the database can undo it (CAP_DDL_IN_TX), else none
 * may be. A request decoded before stays valid. */
ROWD_MUST_CHECK enum rowd_code runner_make_table(struct runner *r, struct db_conn *conn, const char *name,
						 struct err *err);

/* Note a commit that carries an id, in the transaction it is about to end. */
ROWD_MUST_CHECK enum rowd_code runner_record_commit(struct runner *r, struct db_conn *conn,
						    const struct runner_call *call,
						    const struct request *request, struct err *err);

#endif
