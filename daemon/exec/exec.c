#include "config.h"

#include "daemon/exec/exec.h"

#include <assert.h>

enum {
	SMALL_REPLY_BYTES = 256 /* what a single statement's answer takes at most */
};

/* Did the database say that a statement no longer fits its schema? `create_table` has the same code for
 * something else, but no number of the database's. */
static bool is_stale(enum rowd_code rc, const struct err *err)
{
	return rc == ROWD_E_SCHEMA_MISMATCH && err->native != 0;
}

/* Has a first attempt that failed left nothing behind, neither in the database nor with the client? */
static bool may_run_again(const struct request *req)
{
	return exec_is_single_statement(req) && !request_flag(req, OPT_STREAM);
}

/* The schema changed under us: read it again, and what may be done twice is. */
static enum rowd_code run_again(struct exec *x, const struct request *req, op_fn *handler, struct err *err)
{
	enum rowd_code rc;

	err_init(err);
	rc = db_reload(x->conn, err);
	if (rc)
		return rc;
	if (!may_run_again(req))
		return err_set(err, ROWD_E_BUSY, "the schema was changed meanwhile");
	rc = handler(x, req, err);
	if (is_stale(rc, err))
		return err_set(err, ROWD_E_BUSY, "the schema is being changed");
	return rc;
}

enum rowd_code exec_request(struct exec *x, const struct request *req, struct err *err)
{
	op_fn *handler = ops_handler(req->op->id);
	size_t start = x->out->len;
	unsigned operators = x->filter_operators;
	enum rowd_code rc;

	assert(handler);
	/* the answer of a statement that cannot be undone by itself finds its room */
	if (!buf_reserve(x->out, SMALL_REPLY_BYTES)) {
		buf_truncate(x->out, start);
		return err_limit(err, x->limits->reply_bytes, "the reply");
	}
	rc = handler(x, req, err);
	if (is_stale(rc, err)) {
		buf_truncate(x->out, start);
		x->filter_operators = operators;
		rc = run_again(x, req, handler, err);
	}
	if (!rc && x->out->failed)
		rc = err_limit(err, x->limits->reply_bytes, "the reply");
	if (rc)
		buf_truncate(x->out, start);
	return rc;
}

bool exec_is_single_statement(const struct request *req)
{
	if (req->op->place == PLACE_READER)
		return true;
	if (req->options[OPT_REQUEST_ID] || req->options[OPT_RETURNING] || req->options[OPT_CASCADED])
		return false;
	switch (req->op->id) {
	case OP_INSERT:
		return req->params[1]->type == MSGPACK_OBJECT_MAP;
	case OP_UPDATE:
	case OP_DELETE:
		return true;
	default:
		return false;
	}
}
