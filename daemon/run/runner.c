#include "config.h"

#include "daemon/run/runner.h"

#include "daemon/exec/once.h"
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

enum rowd_code runner_decode(struct runner *r, const struct op *op, const char *params,
			     size_t params_len, struct request *request, struct err *err)
{
	msgpack_object *decoded;
	msgpack_unpack_return rc;
	size_t off = 0;

	arena_reset(&r->arena);
	msgpack_zone_clear(&r->zone);
	decoded = arena_alloc(&r->arena, sizeof(*decoded));
	if (!decoded)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the request");
	rc = msgpack_unpack(params, params_len, &off, &r->zone, decoded);
	if (rc == MSGPACK_UNPACK_NOMEM_ERROR)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the request");
	if (rc != MSGPACK_UNPACK_SUCCESS && rc != MSGPACK_UNPACK_EXTRA_BYTES)
		return err_set(err, ROWD_E_BAD_REQUEST, "the parameters are not MessagePack");
	return request_read(op, decoded, request, err);
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

enum rowd_code runner_run(struct runner *r, struct db_conn *conn, const struct runner_call *call,
			  const struct request *request, struct err *err)
{
	struct exec x = make_exec(r, conn, call);
	struct request decoded;
	size_t start = call->out->len;
	enum rowd_code rc;

	if (!request) {
		rc = runner_decode(r, call->op, call->params, call->params_len, &decoded, err);
		if (rc)
			return rc;
		request = &decoded;
	}
	rpc_write_result_head(call->out, call->msgid);
	rc = run(&x, request, err);
	if (!rc && call->out->failed)
		rc = err_limit(err, call->limits->reply_bytes, "the reply is over the limit of %lld bytes",
			       (long long)call->limits->reply_bytes);
	if (rc)
		buf_truncate(call->out, start);
	return rc;
}

bool runner_needs_ids(struct db_conn *conn, const struct request *request)
{
	return (request->options[OPT_REQUEST_ID] || request->op->id == OP_OUTCOME) && !once_is_ready(conn);
}

enum rowd_code runner_make_ids(struct runner *r, struct db_conn *conn, struct err *err)
{
	return once_prepare(conn, &r->sql, err);
}

enum rowd_code runner_record_commit(struct runner *r, struct db_conn *conn, const struct runner_call *call,
				    const struct request *request, struct err *err)
{
	struct exec x = make_exec(r, conn, call);

	return once_record_commit(&x, request, err);
}
