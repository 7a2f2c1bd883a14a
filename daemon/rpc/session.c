#include "config.h"

#include "daemon/rpc/session.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/audit.h"
#include "daemon/log.h"
#include "daemon/net/peer.h"
#include "daemon/rpc/dispatch.h"
#include "daemon/run/keeper.h"
#include "proto/value.h"

enum { OUT_HIGH_BYTES = 1024 * 1024 };  /* no more answers are put behind so much that is unwritten */

static const struct config *session_config(const struct session *s)
{
	return server_config(s->loop->server);
}

/* ---- life ---- */

static void session_free(struct session *s)
{
	tx_free(s->tx);
	s->loop->nsessions--;
	free(s);
}

void session_accept(struct loop *l, int fd)
{
	struct session *s = calloc(1, sizeof(*s));
	struct err err;

	err_init(&err);
	if (!s || peer_read(fd, &s->caller, &err)) {
		log_warn("event=refused reason=\"%s\"", s ? err.text : "no memory");
		free(s);
		close(fd);
		atomic_fetch_sub(&l->server->nclients, 1);
		return;
	}
	s->loop = l;
	s->conn = conn_new(l, fd);
	if (!s->conn) {
		free(s);
		atomic_fetch_sub(&l->server->nclients, 1);
		return;
	}
	policy_resolve(session_config(s)->policy, &s->caller);
	s->id = l->next_session;
	l->next_session += l->server->nloops;
	s->conn->session = s;
	s->database = &l->server->databases[0];
	s->line_tail = &s->line;
	l->nsessions++;
	stats_add(&l->stats, STAT_connections, 1);
	log_debug("event=connect session=%llu uid=%u pid=%d", (unsigned long long)s->id,
		  (unsigned)s->caller.uid, (int)s->caller.pid);
}

struct session *session_find(struct loop *l, uint64_t id)
{
	for (struct conn *c = l->conns; c; c = c->next)
		if (c->session->id == id)
			return c->session;
	return NULL;
}

void session_write(const struct session *s, struct buf *b)
{
	wire_map(b, 9);
	wire_cstr(b, "session");
	wire_uint(b, s->id);
	wire_cstr(b, "uid");
	wire_uint(b, s->caller.uid);
	wire_cstr(b, "gid");
	wire_uint(b, s->caller.gid);
	wire_cstr(b, "pid");
	wire_int(b, s->caller.pid);
	wire_cstr(b, "client");
	if (*s->client)
		wire_cstr(b, s->client);
	else
		wire_nil(b);
	wire_cstr(b, "database");
	wire_cstr(b, s->database->db.source.name);
	wire_cstr(b, "requests");
	wire_uint(b, s->requests);
	wire_cstr(b, "in_flight");
	wire_uint(b, s->nline);
	wire_cstr(b, "transaction");
	wire_bool(b, s->tx != NULL);
}

/* ---- the line ---- */

static void line_push(struct session *s, struct job *job)
{
	if (!s->waiting && job->place == JOB_WAITING)
		s->waiting = job;
	if (!s->line || job->msgid > s->line_msgid_most)
		s->line_msgid_most = job->msgid;
	job->line_next = NULL;
	*s->line_tail = job;
	s->line_tail = &job->line_next;
	s->nline++;
}

static struct job *line_pop(struct session *s)
{
	struct job *job = s->line;

	s->line = job->line_next;
	if (!s->line)
		s->line_tail = &s->line;
	s->nline--;
	return job;
}

static void log_job(const struct session *s, const struct job *job, int64_t took_ns)
{
	int64_t slow_ms = session_config(s)->slow_ms;
	bool slow = slow_ms && took_ns > slow_ms * NS_PER_MS && !job->stream;
	const char *op = job->op ? job->op->name : "unknown";

	if (job->code == ROWD_E_INTERNAL || job->code == ROWD_E_COMMIT_UNKNOWN || job->code == ROWD_E_CORRUPT)
		log_error("session=%llu uid=%u pid=%d op=%s code=%d table=%s native=%d text=\"%s\" took_us=%lld",
			  (unsigned long long)s->id, (unsigned)s->caller.uid, (int)s->caller.pid, op,
			  job->code, job->err.table, job->err.native, job->err.text, (long long)took_ns / 1000);
	else if (slow)
		log_info("session=%llu uid=%u pid=%d op=%s code=%d slow=true took_us=%lld",
			 (unsigned long long)s->id, (unsigned)s->caller.uid, (int)s->caller.pid, op,
			 job->code, (long long)took_ns / 1000);
}

/* What a delete leaves behind, and a transaction that has deleted. */
static void audit(struct session *s, const struct job *job, int64_t took_ns)
{
	if (audit_wants(job)) {
		audit_add(&s->loop->audit, job, s->id, job->tx != NULL, took_ns);
		if (job->tx && s->tx && !job->code)
			s->tx->audited = true;
	}
	if (job->tx_ended && s->tx && s->tx->audited)
		audit_add_end(&s->loop->audit, job, s->id, took_ns);
}

/* The oldest job is done: put its answer out and let go of it. */
static void answer(struct session *s)
{
	struct job *job = line_pop(s);
	int64_t took_ns = clock_ns() - job->arrived_ns;

	audit(s, job, took_ns);
	if (job->tx_ended) {
		tx_free(s->tx);
		s->tx = NULL;
	}
	if (s->streaming == job)
		s->streaming = NULL;
	if (job->op)
		stats_op(&s->loop->stats, job->op->id, job->code != ROWD_OK, (uint64_t)took_ns / 1000);
	log_job(s, job, took_ns);
	if (s->conn && !job->silent) {
		if (job->out.failed)
			s->conn->gone = true;
		buf_add(&s->conn->out, job->out.data, job->out.len);
		conn_dirty(s->conn);
	}
	job_free(job);
}

static void answer_done(struct session *s)
{
	while (s->line && s->line->place == JOB_DONE && (!s->conn || s->conn->out.len < OUT_HIGH_BYTES))
		answer(s);
}

/* Begin what can be begun. */
static void advance(struct session *s)
{
	struct job *job;

	answer_done(s);
	while ((job = s->waiting) && (!s->conn || s->conn->out.len < OUT_HIGH_BYTES)) {
		if (s->line != job && !dispatch_pipelines(s, job))
			break;
		s->loop->nstarted++;
		s->waiting = job->line_next;
		job->place = JOB_QUEUED;
		if (dispatch_start(s, job))
			s->loop->nstarted--;
		answer_done(s);
	}
}

/* ---- the end ---- */

/* False: its answer is on its way. */
static bool stop(struct job *job)
{
	if (job->place == JOB_FOLLOWING)
		return keeper_unfollow(job->loop->server->keeper, job);
	return job->place != JOB_DONE && lane_cancel(job);
}

/* The client is gone: nobody waits for what was not begun, and what runs is stopped. */
static void line_abandon(struct session *s)
{
	struct job *job, **at = &s->line;

	while ((job = *at)) {
		job->silent = true;
		if (job->place == JOB_WAITING) {
			*at = job->line_next;
			s->nline--;
			job_free(job);
			continue;
		}
		stop(job);
		at = &job->line_next;
	}
	s->line_tail = at;
	s->waiting = NULL;
}

/* Roll back what the client left open. */
static void tx_abandon(struct session *s)
{
	static const char no_params[] = { (char)0x90 };
	struct job *job = job_new(s->loop, no_params, sizeof(no_params), 64);

	if (!job)
		return;                      /* its idle deadline will */
	job->session = s;
	job->op = op_get(OP_ROLLBACK);
	job->caller = &s->caller;
	job->database = s->tx->database;
	job->silent = true;
	job->place = JOB_QUEUED;
	line_push(s, job);
	s->loop->nstarted++;
	job->deadline_ns = clock_ns() + session_config(s)->limits.statement_ms * NS_PER_MS;
	job->tx = s->tx;
	lane_submit(s->tx->lane, job);
}

/* Nobody is connected any more: free s once all its jobs are back. */
static void reap(struct session *s)
{
	answer_done(s);
	if (s->line)
		return;
	if (s->tx)
		tx_abandon(s);
	else
		session_free(s);
}

void session_abandon(struct session *s)
{
	if (!s->conn)
		return;
	log_debug("event=disconnect session=%llu requests=%llu", (unsigned long long)s->id,
		  (unsigned long long)s->requests);
	conn_free(s->conn);
	s->conn = NULL;
	atomic_fetch_sub(&s->loop->server->nclients, 1);
	line_abandon(s);
	reap(s);
}

void session_drain(struct session *s)
{
	conn_drain(s->conn);
}

/* All was answered and written, and no more will come. True: s is gone. */
static bool closed_if_over(struct session *s)
{
	bool over = (s->closing || s->conn->eof) && !s->line && conn_flushed(s->conn);

	if (over && !s->conn->eof && !s->conn->gone && !s->conn->lingering)
		conn_linger(s->conn);
	if (!s->conn->gone && !(over && s->conn->eof))
		return false;
	session_abandon(s);
	return true;
}

/* ---- turns ---- */

/* Take in frames as long as there is room in the line. */
static void take_frames(struct session *s)
{
	unsigned room = (unsigned)session_config(s)->limits.in_flight;
	const struct frame *f;
	const char *data;

	while (!s->closing && !s->conn->gone && s->nline < room && s->conn->out.len < OUT_HIGH_BYTES) {
		enum frame_status status = conn_frame(s->conn, &f, &data);
		enum dispatch_result result;
		struct job *job = NULL;

		if (status == FRAME_MORE)
			break;
		if (status == FRAME_DONE) {
			result = dispatch_frame(s, f, data, &job);
			conn_frame_done(s->conn);
		} else {
			size_t len;

			data = conn_bytes(s->conn, &len);
			result = dispatch_bad_frame(s, status, f, data, len, &job);
		}
		if (job) {
			line_push(s, job);
			advance(s);
		}
		if (result == DISPATCH_CLOSE) {
			s->closing = true;
			conn_pause(s->conn);
		}
	}
	if (!s->closing && (s->nline >= room || s->conn->out.len >= OUT_HIGH_BYTES))
		conn_pause(s->conn);
	else if (!s->closing)
		conn_resume(s->conn);
}

/* After a reload other rules hold; what is in flight ends under those it began with. */
static void refresh_policy(struct session *s)
{
	const struct policy *newest = session_config(s)->policy;

	if (s->caller.policy != newest && !s->line && !s->tx)
		policy_resolve(newest, &s->caller);
}

void session_turn(struct session *s)
{
	if (!s->conn->gone) {
		refresh_policy(s);
		conn_answers_begin(s->conn);
		advance(s);
		take_frames(s);
		conn_answers_end(s->conn);
	}
	closed_if_over(s);
}

void session_flushed(struct session *s)
{
	if (s->streaming && s->streaming->stream && s->conn->out.len <= CONN_STREAM_LOW_BYTES)
		job_stream_taken(s->streaming->stream);
	if (closed_if_over(s))
		return;
	if (s->conn->paused && !s->closing && s->conn->out.len < OUT_HIGH_BYTES)
		conn_ready(s->conn);
}

static bool changes_jobs(const struct job *job)
{
	switch (job->op->id) {
	case OP_PURGE:
	case OP_JOB_PAUSE:
	case OP_JOB_RESUME:
	case OP_JOB_CANCEL:
	case OP_JOB_TUNE:
		return true;
	default:
		return false;
	}
}

/* Changes of the jobs are the keeper's business. True: it answers the request, later. */
static bool hand_to_keeper(struct session *s, struct job *job)
{
	struct keeper *k = s->loop->server->keeper;
	int64_t purge = job->follow;

	if (job->code || !job->op || !changes_jobs(job))
		return false;
	job->follow = 0;
	if (purge && s->conn) {
		job->place = JOB_FOLLOWING;
		keeper_follow(k, job, purge);
		return true;
	}
	if (job->place != JOB_FOLLOWING)
		keeper_wake(k, job->database);
	return false;
}

void session_job_done(struct session *s, struct job *job)
{
	if (hand_to_keeper(s, job))
		return;
	s->loop->nstarted--;
	job->place = JOB_DONE;
	if (s->conn)
		conn_ready(s->conn);
	else
		reap(s);
}

static void notify(struct session *s, const char *method, const struct job *job, const struct buf *what)
{
	struct buf *out = &s->conn->out;

	rpc_write_notification_head(out, method);
	wire_array(out, 2);
	wire_uint(out, job->msgid);
	buf_add(out, what->data, what->len);
	conn_dirty(s->conn);
}

void session_rows(struct session *s, struct job *job, const struct buf *rows)
{
	if (!s->conn) {
		job_stream_gone(job->stream);
		return;
	}
	s->streaming = job;
	notify(s, "rows", job, rows);
}

void session_progress(struct session *s, struct job *job, const struct buf *progress)
{
	if (s->conn && s->conn->out.len < OUT_HIGH_BYTES)
		notify(s, "progress", job, progress);
}

bool session_cancel(struct session *s, uint32_t msgid)
{
	struct job *job;

	for (job = s->line; job && job->msgid != msgid; job = job->line_next)
		;
	if (!job || job->place == JOB_DONE)
		return false;
	if (job->place != JOB_WAITING)
		return stop(job);
	job_failf(job, ROWD_E_CANCELLED, "cancelled before it began");
	conn_ready(s->conn);
	return true;
}
