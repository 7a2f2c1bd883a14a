#include "config.h"

#include "daemon/run/runner.h"

#include <assert.h>

#include "daemon/exec/once.h"
#include "daemon/exec/own_table.h"
#include "daemon/ops/ops.h"
#include "proto/value.h"

enum {
	ZONE_BYTES = 65536
};

bool runner_init(struct runner *r)
{
	arena_init(&r->arena);
	sql_init(&r->sql);
	return msgpack_zone_init(&r->zone, ZONE_BYTES);
}

void runner_fini(struct runner *r)
{
	msgpack_zone_destroy(&r->zone);
	sql_fini(&r->sql);
	arena_fini(&r->arena);
}

static void forget_requests(struct runner *r)
{
	arena_reset(&r->arena);
	msgpack_zone_clear(&r->zone);
}

/* One more; those decoded before stay. */
static enum rowd_code decode(struct runner *r, const struct op *op, const char *params, size_t params_len,
			     struct request *request, struct err *err)
{
	msgpack_object *decoded = arena_alloc(&r->arena, sizeof(*decoded));
	msgpack_unpack_return rc;
	size_t off = 0;

	if (!decoded)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the request");
	rc = msgpack_unpack(params, params_len, &off, &r->zone, decoded);
	if (rc == MSGPACK_UNPACK_NOMEM_ERROR)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the request");
	if (rc != MSGPACK_UNPACK_SUCCESS && rc != MSGPACK_UNPACK_EXTRA_BYTES)
		return err_set(err, ROWD_E_BAD_REQUEST, "the parameters are not MessagePack");
	return request_read(op, decoded, request, err);
}

enum rowd_code runner_decode(struct runner *r, const struct op *op, const char *params,
			     size_t params_len, struct request *request, struct err *err)
{
	forget_requests(r);
	return decode(r, op, params, params_len, request, err);
}

static struct exec make_exec(struct runner *r, struct db_conn *conn, const struct runner_call *call)
{
	return (struct exec){
		.conn = conn,
		.limits = call->limits,
		.caller = call->caller,
		.max_rows = call->max_rows,
		.arena = &r->arena,
		.sql = &r->sql,
		.out = call->out,
		.batch = call->batch,
		.batch_arg = call->batch_arg,
		.in_transaction = call->in_transaction,
		.inline_read = call->inline_read,
	};
}

static enum rowd_code run(struct exec *x, const struct request *request, struct err *err)
{
	if (request->op->id == OP_COMMIT)
		return once_replay_commit(x, request, err);
	if (request->options[OPT_REQUEST_ID])
		return once_request(x, request, err);
	return exec_request(x, request, err);
}

static enum rowd_code run_work(struct runner *r, struct exec *x, const struct runner_call *call, struct err *err)
{
	arena_reset(&r->arena);
	return call->work(x, call->work_arg, err);
}

enum rowd_code runner_run(struct runner *r, struct db_conn *conn, struct runner_call *call,
			  const struct request *request, struct err *err)
{
	struct exec x = make_exec(r, conn, call);
	struct request decoded;
	size_t start = call->out->len;
	enum rowd_code rc;

	if (call->work)
		return run_work(r, &x, call, err);
	if (!request) {
		rc = runner_decode(r, call->op, call->params, call->params_len, &decoded, err);
		if (rc)
			return rc;
		request = &decoded;
	}
	rpc_write_result_head(call->out, call->msgid);
	rc = run(&x, request, err);
	if (!rc && call->out->failed)
		rc = err_limit(err, call->limits->reply_bytes, "the reply");
	if (rc)
		buf_truncate(call->out, start);
	call->follow = x.follow;
	return rc;
}

static void take_in(struct runner *r, const struct runner_call *call, struct request *request, struct keyed *out)
{
	struct err ignored;

	err_init(&ignored);
	*out = (struct keyed){ .caller = call->caller, .out = call->out };
	if (!decode(r, call->op, call->params, call->params_len, request, &ignored))
		out->req = request;
	rpc_write_result_head(call->out, call->msgid);
}

enum rowd_code runner_run_together(struct runner *r, struct db_conn *conn, struct runner_call *calls, size_t n,
				   struct err *err)
{
	struct exec x = make_exec(r, conn, calls);
	struct keyed keyed[RUNNER_TOGETHER_MOST];
	struct request *requests;
	enum rowd_code rc;
	size_t i;

	assert(n <= RUNNER_TOGETHER_MOST);
	forget_requests(r);
	requests = arena_alloc(&r->arena, n * sizeof(*requests));
	if (!requests)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the request");
	for (i = 0; i < n; i++)
		take_in(r, &calls[i], &requests[i], &keyed[i]);
	rc = ops_together(calls[0].op->id)(&x, keyed, n, err);
	for (i = 0; i < n; i++) {
		calls[i].answered = keyed[i].answered;
		if (!keyed[i].answered)
			buf_clear(calls[i].out);
	}
	return rc;
}

const char *runner_missing_table(struct db_conn *conn, const struct request *request)
{
	const struct catalog *c = db_catalog(conn);

	if (request->op->id == OP_PURGE && !catalog_own(c, OWN_JOBS))
		return OWN_JOBS;
	if ((request->options[OPT_REQUEST_ID] || request->op->id == OP_OUTCOME) && !catalog_own(c, OWN_REQUESTS))
		return OWN_REQUESTS;
	return NULL;
}

enum rowd_code runner_make_table(struct runner *r, struct db_conn *conn, const char *name, struct err *err)
{
	return own_table_make(conn, &r->sql, name, err);
}

enum rowd_code runner_record_commit(struct runner *r, struct db_conn *conn, const struct runner_call *call,
				    const struct request *request, struct err *err)
{
	struct exec x = make_exec(r, conn, call);

	return once_record_commit(&x, request, err);
}
