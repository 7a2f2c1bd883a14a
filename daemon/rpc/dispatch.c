#include "config.h"

#include "daemon/rpc/dispatch.h"

#include <string.h>

#include "base/clock.h"
#include "daemon/audit.h"
#include "daemon/rpc/errand.h"
#include "daemon/rpc/op_session.h"
#include "proto/value.h"

enum { SLOW_READS_ELSEWHERE = 64 };  /* after one read took too long, so many go to a reader at once */

static const struct limits *session_limits(const struct session *s)
{
	return &server_config(s->loop->server)->limits;
}

/* ---- jobs ---- */

static struct job *job_make(struct session *s, const struct op *op, uint32_t msgid, const char *params,
			    size_t params_len)
{
	struct job *job = job_new(s->loop, params, params_len, (size_t)session_limits(s)->reply_bytes);

	if (!job)
		return NULL;
	job->session = s;
	job->op = op;
	job->msgid = msgid;
	job->errors = s->errors;
	job->caller = &s->caller;
	return job;
}

/* A job that is answered with err when its turn comes. */
static struct job *job_refused(struct session *s, uint32_t msgid, const struct err *err)
{
	struct job *job = job_make(s, NULL, msgid, NULL, 0);

	if (job)
		job_fail(job, err);
	return job;
}

/* ---- the table a request is about ---- */

/* params[0] of the encoded array, when it is a str. Looks at the bytes only: a whole decoding is
 * for whoever carries the request out. */
static const char *first_str(const char *params, size_t len, size_t *str_len)
{
	const unsigned char *p = (const unsigned char *)params, *end = p + len;
	size_t n, head;

	if (p == end)
		return NULL;
	if ((*p & 0xf0) == 0x90 && *p != 0x90)
		p++;
	else if (*p == 0xdc && end - p > 3)
		p += 3;
	else if (*p == 0xdd && end - p > 5)
		p += 5;
	else
		return NULL;
	if (p == end)
		return NULL;
	if ((*p & 0xe0) == 0xa0)
		n = *p & 0x1f, head = 1;
	else if (*p == 0xd9 && end - p >= 2)
		n = p[1], head = 2;
	else if (*p == 0xda && end - p >= 3)
		n = (size_t)p[1] << 8 | p[2], head = 3;
	else
		return NULL;
	if ((size_t)(end - p) < head + n)
		return NULL;
	*str_len = n;
	return (const char *)p + head;
}

/* The database a request is for: that of its transaction or session, unless its table's name says
 * "database.table". */
static enum rowd_code choose_database(struct session *s, const struct op *op, const char *params,
				      size_t params_len, struct database **out, struct err *err)
{
	struct database *own = s->tx ? s->tx->database : s->database;
	const char *name, *dot;
	size_t len;

	*out = own;
	if (!op->nparams || (op->params[0].kind != PARAM_TABLE && op->params[0].kind != PARAM_DATABASE))
		return ROWD_OK;
	name = first_str(params, params_len, &len);
	dot = name && op->params[0].kind == PARAM_TABLE ? memchr(name, '.', len) : NULL;
	if (!name || (op->params[0].kind == PARAM_TABLE && !dot))
		return ROWD_OK;
	if (dot)
		len = (size_t)(dot - name);
	*out = server_database(s->loop->server, name, len);
	if (!*out)
		return err_set(err, ROWD_E_UNKNOWN_DATABASE, "no database of that name is configured");
	if (s->tx && *out != own)
		return err_set(err, ROWD_E_UNSUPPORTED, "a transaction is of one database: \"%s\"",
			       own->db.source.name);
	return ROWD_OK;
}

/* ---- carrying out on the loop ---- */

/* Returns the time. */
static int64_t count_op(struct session *s, const struct op *op, bool failed, int64_t began_ns)
{
	int64_t now = clock_ns();

	stats_op(&s->loop->stats, op->id, failed, (uint64_t)(now - began_ns) / 1000);
	return now;
}

/* An operation of op_session.c: its answer is appended to b. */
static enum rowd_code run_session_op(struct session *s, const struct op *op, const char *params,
				     size_t params_len, uint32_t msgid, struct buf *b, struct err *err)
{
	struct request req;
	size_t start = b->len;
	enum rowd_code rc = runner_decode(&s->loop->runner, op, params, params_len, &req, err);

	if (rc)
		return rc;
	rpc_write_result_head(b, msgid);
	rc = op_session_handler(op->id)(s, &req, b, err);
	if (rc)
		buf_truncate(b, start);
	return rc;
}

/*
 * A read, here and now, in this turn's snapshot. False: it has to go to a reader, for it takes too
 * long, streams, or has no snapshot without waiting. True: *b has its answer, *code_out says which.
 */
static bool read_inline(struct session *s, const struct op *op, const struct database *d,
			const char *params, size_t params_len, uint32_t msgid, int64_t now_ns, struct buf *b,
			enum rowd_code *code_out)
{
	struct loop *l = s->loop;
	struct runner_call call = {
		.op = op, .msgid = msgid, .params = params, .params_len = params_len,
		.caller = &s->caller, .limits = session_limits(s), .max_rows = -1,
		.out = b, .inline_read = true,
	};
	struct db_conn *conn = NULL;
	struct err err;
	enum rowd_code rc;

	if (s->slow_reads) {
		s->slow_reads--;
		return false;
	}
	err_init(&err);
	rc = loop_snapshot(l, d->index, now_ns, &conn, &err);
	if (!rc)
		rc = runner_run(&l->runner, conn, &call, NULL, &err);
	if (rc == ROWD_E_LIMIT || rc == ROWD_E_BUSY || rc == ROWD_E_UNAVAILABLE) {
		/* Over its budget, a stream, or a limit that the reader will name as well. */
		if (rc == ROWD_E_LIMIT && conn && clock_ns() >= db_conn_watch(conn)->budget_ns)
			s->slow_reads = SLOW_READS_ELSEWHERE;
		stats_add(&l->stats, STAT_reads_handed_over, 1);
		return false;
	}
	if (rc)
		rpc_write_error(b, msgid, &err, s->errors);
	*code_out = rc;
	stats_add(&l->stats, STAT_reads_inline, 1);
	return true;
}

/* ---- frames ---- */

static bool permitted(const struct session *s, const struct op *op, struct err *err)
{
	if (op->permission == PERM_ANYONE)
		return true;
	if (!policy_has_any(&s->caller)) {
		err_set(err, ROWD_E_DENIED, "uid %u has no grant; it may hello, ping and whoami", (unsigned)s->caller.uid);
		return false;
	}
	return op->permission != PERM_ADMIN || !policy_check(&s->caller, PERM_ADMIN, NULL, NULL, err);
}

/* What overtakes the line: ping, cancel, stats. */
static void dispatch_past(struct session *s, const struct op *op, const struct rpc *rpc)
{
	struct buf *b = &s->conn->out;
	bool is_request = rpc->type == RPC_REQUEST;
	int64_t began = clock_ns();
	struct request req;
	struct err err;
	enum rowd_code rc = ROWD_OK;

	err_init(&err);
	if (!permitted(s, op, &err)) {
		rc = err.code;
	} else if (!op_session_handler(op->id)) {
		rc = runner_decode(&s->loop->runner, op, rpc->params, rpc->params_len, &req, &err);
		if (!rc)
			rc = errand_run(s, &req, rpc->msgid, is_request, b, &err);
	} else {
		rc = run_session_op(s, op, rpc->params, rpc->params_len, rpc->msgid, b, &err);
	}
	if (rc && is_request)
		rpc_write_error(b, rpc->msgid, &err, s->errors);
	count_op(s, op, rc != ROWD_OK, began);
	conn_dirty(s->conn);
}

/* Most clients count upwards: then there is no need to look. */
static bool in_flight(const struct session *s, uint32_t msgid)
{
	if (!s->line || msgid > s->line_msgid_most)
		return false;
	for (const struct job *job = s->line; job; job = job->line_next)
		if (job->msgid == msgid)
			return true;
	return false;
}

static enum dispatch_result dispatch_notification(struct session *s, const struct rpc *rpc)
{
	const struct op *op = op_find(rpc->method, rpc->method_len);

	if (op && op->id == OP_CANCEL)
		dispatch_past(s, op, rpc);
	else
		stats_add(&s->loop->stats, STAT_notifications_ignored, 1);
	return DISPATCH_DONE;
}

/* The shortest way: an empty line, and a read that can be carried out here. Of many in a row, each begins
 * when the one before it ends: the clock is asked once for each. */
static bool dispatch_read_now(struct session *s, const struct op *op, const struct rpc *rpc)
{
	int64_t began = s->loop->read_ended_ns ? s->loop->read_ended_ns : clock_ns();
	struct database *d;
	enum rowd_code code;
	struct err err;

	s->loop->read_ended_ns = 0;
	if (s->line || s->tx || op->place != PLACE_READER || !policy_has_any(&s->caller))
		return false;
	err_init(&err);
	if (choose_database(s, op, rpc->params, rpc->params_len, &d, &err) ||
	    !(d->db.driver->caps & CAP_INLINE_READS) || atomic_load_explicit(&d->paused, memory_order_relaxed))
		return false;
	if (!read_inline(s, op, d, rpc->params, rpc->params_len, rpc->msgid, began, &s->conn->out, &code))
		return false;
	s->loop->read_ended_ns = count_op(s, op, code != ROWD_OK, began);
	conn_dirty(s->conn);
	return true;
}

static enum dispatch_result dispatch_request(struct session *s, const struct rpc *rpc, struct job **job_out)
{
	const struct op *op = op_find(rpc->method, rpc->method_len);
	struct err err;

	err_init(&err);
	if (in_flight(s, rpc->msgid)) {
		err_set(&err, ROWD_E_BAD_REQUEST, "msgid %u is in flight already", (unsigned)rpc->msgid);
		*job_out = job_refused(s, rpc->msgid, &err);
		return DISPATCH_CLOSE;
	}
	if (!op) {
		err_set(&err, ROWD_E_UNKNOWN_METHOD, "there is no operation of that name");
		*job_out = job_refused(s, rpc->msgid, &err);
		return *job_out ? DISPATCH_LINE : DISPATCH_CLOSE;
	}
	if (op->place == PLACE_PAST) {
		dispatch_past(s, op, rpc);
		return DISPATCH_DONE;
	}
	if (dispatch_read_now(s, op, rpc))
		return DISPATCH_DONE;
	*job_out = job_make(s, op, rpc->msgid, rpc->params, rpc->params_len);
	return *job_out ? DISPATCH_LINE : DISPATCH_CLOSE;
}

enum dispatch_result dispatch_frame(struct session *s, const struct frame *f, const char *data,
				    struct job **job_out)
{
	struct rpc rpc;
	struct err err;

	err_init(&err);
	if (rpc_read(f, data, &rpc, &err)) {
		stats_add(&s->loop->stats, STAT_protocol_errors, 1);
		if (rpc.has_msgid)
			*job_out = job_refused(s, rpc.msgid, &err);
		return DISPATCH_CLOSE;
	}
	if (rpc.type == RPC_NOTIFICATION)
		return dispatch_notification(s, &rpc);
	stats_add(&s->loop->stats, STAT_requests, 1);
	s->requests++;
	return dispatch_request(s, &rpc, job_out);
}

enum dispatch_result dispatch_bad_frame(struct session *s, enum frame_status status,
					const struct frame *f, const char *data, size_t len,
					struct job **job_out)
{
	const struct limits *limits = session_limits(s);
	struct err err;
	uint32_t msgid;

	stats_add(&s->loop->stats, STAT_protocol_errors, 1);
	err_init(&err);
	if (status == FRAME_TOO_LONG)
		err_limit(&err, limits->frame_bytes, "the length of the request");
	else if (status == FRAME_TOO_DEEP)
		err_limit(&err, limits->nesting, "the nesting of the request");
	else if (status == FRAME_TOO_MANY)
		err_limit(&err, limits->request_values, "the number of values in the request");
	else
		err_set(&err, ROWD_E_BAD_REQUEST, "this is not MessagePack-RPC");
	if (rpc_peek_msgid(f, data, len, &msgid))
		*job_out = job_refused(s, msgid, &err);
	return DISPATCH_CLOSE;
}

/* ---- beginning a job whose turn it is ---- */

static bool goes_to_group(const struct job *job)
{
	return job->op && !job->code && job->op->place == PLACE_WRITER;
}

bool dispatch_pipelines(struct session *s, const struct job *job)
{
	const struct job *first = s->line;
	struct database *d;
	struct err ignored;

	if (s->tx || !goes_to_group(job) || !first->grouped)
		return false;
	err_init(&ignored);
	return !choose_database(s, job->op, job->params, job->params_len, &d, &ignored) && d == first->database;
}

/* Give the job its lane. A request that failed already goes along with its transaction all the
 * same, for its error aborts it. */
static bool submit(struct session *s, struct job *job, struct lane *lane)
{
	job->deadline_ns = clock_ns() + session_limits(s)->statement_ms * NS_PER_MS;
	job->tx = s->tx;
	job->grouped = !s->tx && lane->group && goes_to_group(job);
	s->loop->asked_server = !(lane->db->driver->caps & CAP_INLINE_READS);
	if (job->op && job->op->id == OP_SELECT)
		job->stream = job_stream_new();
	lane_submit(lane, job);
	return false;
}

static bool start_begin(struct session *s, struct job *job, struct err *err)
{
	struct request req;
	bool read_only;
	struct lane *lane;
	int64_t ms = session_limits(s)->transaction_ms, wanted;

	if (runner_decode(&s->loop->runner, job->op, job->params, job->params_len, &req, err))
		return true;
	read_only = request_flag(&req, OPT_READ_ONLY);
	wanted = request_uint(&req, OPT_TIMEOUT_MS, ms);
	if (wanted < 1) {
		err_set(err, ROWD_E_BAD_REQUEST, "option timeout_ms: 1 to %lld is due", (long long)ms);
		return true;
	}
	if (wanted > ms) {
		err_limit(err, ms, "the milliseconds of a transaction");
		return true;
	}
	lane = read_only ? database_reader(s->database) : &s->database->writer;
	s->tx = tx_new(s->database, lane, read_only, wanted * NS_PER_MS);
	if (!s->tx) {
		err_set(err, ROWD_E_NO_RESOURCE, "no memory for a transaction");
		return true;
	}
	return submit(s, job, lane);
}

/* An operation on transactions, and none is open: refused, but for a commit with an id, whose connection
 * was lost, and which is asked about again. */
static enum rowd_code check_tx_none(struct session *s, const struct job *job, struct err *err)
{
	struct request req;
	enum rowd_code rc = runner_decode(&s->loop->runner, job->op, job->params, job->params_len, &req, err);

	if (rc || (job->op->id == OP_COMMIT && req.options[OPT_REQUEST_ID]))
		return rc;
	return err_set(err, ROWD_E_TX_NONE, "no transaction is open");
}

static bool refuse_paused(const struct job *job, struct err *err)
{
	if (!atomic_load(&job->database->paused))
		return false;
	err_set(err, ROWD_E_UNAVAILABLE, "an administrator has paused the database");
	return true;
}

/* Where the job goes; true when it was refused (err says why) or is answered. */
static bool start(struct session *s, struct job *job, struct err *err)
{
	const struct op *op = job->op;

	if (!permitted(s, op, err))
		return true;
	if (s->tx && (op->id == OP_BEGIN || op->id == OP_USE || op->id == OP_OUTCOME || op->place == PLACE_SCHEMA ||
		      op->place == PLACE_ALONE || op->place == PLACE_BARE)) {
		err_set(err, ROWD_E_TX_OPEN, "%s is not possible while a transaction is open", op->name);
		return true;
	}
	if (op->place == PLACE_LOOP) {
		run_session_op(s, op, job->params, job->params_len, job->msgid, &job->out, err);
		return true;
	}
	if (op->id == OP_BEGIN) {
		job->database = s->database;
		return refuse_paused(job, err) || start_begin(s, job, err);
	}
	if (op->place == PLACE_TX && !s->tx && check_tx_none(s, job, err))
		return true;
	if (choose_database(s, op, job->params, job->params_len, &job->database, err))
		return true;
	if (!s->tx && refuse_paused(job, err))
		return true;
	if (audit_wants(job) && audit_begin(job, s->id, err))
		return true;
	if (s->tx)
		return submit(s, job, s->tx->lane);
	if (op->place != PLACE_READER && op->place != PLACE_TX)
		return submit(s, job, &job->database->writer);
	if (job->database->db.driver->caps & CAP_INLINE_READS &&
	    read_inline(s, op, job->database, job->params, job->params_len, job->msgid, clock_ns(), &job->out,
			&job->code))
		return true;
	return submit(s, job, database_reader(job->database));
}

bool dispatch_start(struct session *s, struct job *job)
{
	struct err err;

	err_init(&err);
	if (!job->code && !start(s, job, &err))
		return false;
	if (err.code)
		job_fail(job, &err);
	if (job->code && s->tx) {
		job->database = s->tx->database;
		return submit(s, job, s->tx->lane);
	}
	job->place = JOB_DONE;
	return true;
}
