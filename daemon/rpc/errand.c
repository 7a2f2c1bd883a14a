#include "config.h"

#include "daemon/rpc/errand.h"

#include <signal.h>
#include <unistd.h>

#include "daemon/log.h"
#include "proto/value.h"

/* ---- asking ---- */

/* Cancel: here, or by asking the loop that serves the session meant. */
static enum rowd_code run_cancel(struct session *s, const struct request *req, uint32_t msgid,
				 bool is_request, struct buf *b, struct err *err)
{
	uint64_t msgid_meant = req->params[0]->via.u64;
	uint64_t target = (uint64_t)request_uint(req, OPT_SESSION, (int64_t)s->id);
	struct server *server = s->loop->server;
	struct message *m;

	if (msgid_meant > UINT32_MAX)
		return err_set(err, ROWD_E_BAD_REQUEST, "a msgid is at most 4294967295");
	if (target == s->id) {
		bool found = session_cancel(s, (uint32_t)msgid_meant);

		if (is_request) {
			rpc_write_result_head(b, msgid);
			wire_bool(b, found);
		}
		return ROWD_OK;
	}
	m = message_new(MESSAGE_CANCEL);
	if (!m)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the request");
	m->session = target;
	m->msgid = (uint32_t)msgid_meant;
	m->uid = s->caller.uid;
	m->any_uid = s->caller.superuser;
	m->asker = is_request ? s->id : 0;
	m->asker_msgid = msgid;
	m->asker_loop = s->loop;
	loop_post(server->loops[target % server->nloops], m);
	return ROWD_OK;
}

/* Ask another loop; its answer comes home by itself. */
static enum rowd_code ask(struct session *s, enum message_kind kind, unsigned loop, uint64_t session,
			  uint32_t msgid, struct err *err)
{
	struct message *m = message_new(kind);

	if (!m)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the request");
	m->session = session;
	m->asker = s->id;
	m->asker_msgid = msgid;
	m->asker_loop = s->loop;
	loop_post(s->loop->server->loops[loop], m);
	return ROWD_OK;
}

static enum rowd_code run_shutdown(struct session *s, const struct request *req, uint32_t msgid, struct buf *b)
{
	bool wait = !req->options[OPT_WAIT] || request_flag(req, OPT_WAIT);

	log_info("event=shutdown_asked session=%llu uid=%u wait=%d", (unsigned long long)s->id,
		 (unsigned)s->caller.uid, wait);
	rpc_write_result_head(b, msgid);
	wire_bool(b, true);
	conn_flush(s->conn);
	atomic_store(&s->loop->server->hurry, !wait);
	kill(getpid(), SIGTERM);
	return ROWD_OK;
}

enum rowd_code errand_run(struct session *s, const struct request *req, uint32_t msgid, bool is_request,
			  struct buf *b, struct err *err)
{
	unsigned nloops = s->loop->server->nloops;
	uint64_t target;

	switch (req->op->id) {
	case OP_SESSIONS:
		return ask(s, MESSAGE_SESSIONS, 0, 0, msgid, err);
	case OP_RELOAD:
		return ask(s, MESSAGE_RELOAD, 0, 0, msgid, err);
	case OP_KILL:
		target = (uint64_t)request_param_uint(req, 0);
		return ask(s, MESSAGE_KILL, (unsigned)(target % nloops), target, msgid, err);
	case OP_SHUTDOWN:
		return run_shutdown(s, req, msgid, b);
	default:
		return run_cancel(s, req, msgid, is_request, b, err);
	}
}

/* ---- being asked ---- */

/* A message that goes on: to the next loop, or home with what was gathered. NULL: no memory, no answer. */
static struct message *message_on(enum message_kind kind, struct message *m)
{
	struct message *on = message_new(kind);

	if (!on)
		return NULL;
	on->asker = m->asker;
	on->asker_msgid = m->asker_msgid;
	on->asker_loop = m->asker_loop;
	on->count = m->count;
	on->rows = m->rows;
	buf_init(&m->rows, 0);
	return on;
}

static void answer_bool(struct message *m, bool found)
{
	struct message *answer = m->asker ? message_on(MESSAGE_ANSWER, m) : NULL;

	if (!answer)
		return;
	wire_bool(&answer->rows, found);
	loop_post(answer->asker_loop, answer);
}

static void on_cancel(struct loop *l, struct message *m)
{
	struct session *s = session_find(l, m->session);

	answer_bool(m, s && (m->any_uid || s->caller.uid == m->uid) && session_cancel(s, m->msgid));
}

static void on_kill(struct loop *l, struct message *m)
{
	struct session *s = session_find(l, m->session);

	answer_bool(m, s != NULL);
	if (s)
		session_abandon(s);
}

static void on_sessions(struct loop *l, struct message *m)
{
	bool last = l->index + 1 == l->server->nloops;
	struct message *on;
	size_t open = 0;

	for (struct conn *c = l->conns; c; c = c->next, m->count++)
		session_write(c->session, &m->rows);
	on = message_on(last ? MESSAGE_ANSWER : MESSAGE_SESSIONS, m);
	if (!on)
		return;
	if (last) {
		struct buf list = on->rows;

		buf_init(&on->rows, list.max_bytes);
		open = wire_array_open(&on->rows);
		buf_add(&on->rows, list.data, list.len);
		wire_array_close(&on->rows, open, on->count);
		buf_fini(&list);
	}
	loop_post(last ? on->asker_loop : l->server->loops[l->index + 1], on);
}

static void on_reload(struct loop *l, struct message *m)
{
	struct message *answer = message_on(MESSAGE_ANSWER, m);
	struct err err;
	enum rowd_code rc;

	err_init(&err);
	rc = server_reload(l->server, &err);
	if (!answer)
		return;
	if (rc)
		answer->err = err;
	else
		wire_bool(&answer->rows, true);
	loop_post(answer->asker_loop, answer);
}

static void on_answer(struct loop *l, const struct message *m)
{
	struct session *s = session_find(l, m->asker);

	if (!s || !s->conn)
		return;
	if (m->err.code) {
		rpc_write_error(&s->conn->out, m->asker_msgid, &m->err, s->errors);
	} else {
		rpc_write_result_head(&s->conn->out, m->asker_msgid);
		buf_add(&s->conn->out, m->rows.data, m->rows.len);
	}
	conn_dirty(s->conn);
}

bool errand_message(struct loop *l, struct message *m)
{
	switch (m->kind) {
	case MESSAGE_CANCEL:
		on_cancel(l, m);
		return true;
	case MESSAGE_KILL:
		on_kill(l, m);
		return true;
	case MESSAGE_SESSIONS:
		on_sessions(l, m);
		return true;
	case MESSAGE_RELOAD:
		on_reload(l, m);
		return true;
	case MESSAGE_ANSWER:
		on_answer(l, m);
		return true;
	default:
		return false;
	}
}
