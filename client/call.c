#include "config.h"

#include "client/private.h"

#include <stdlib.h>
#include <string.h>

#include "proto/rpc.h"
#include "proto/value.h"

deadline call_deadline(const struct rowd *c, int timeout_ms)
{
	return deadline_in(timeout_ms == ROWD_TIMEOUT_DEFAULT ? c->options.timeout_ms : timeout_ms);
}

/* ---- requests ---- */

static bool in_transaction_for_sure(const struct rowd *c)
{
	const struct ticket *t;

	if (!c->tx)
		return false;
	for (t = c->waiting.first; t; t = t->next) {
		if (t->kind == TICKET_COMMIT || t->kind == TICKET_ROLLBACK)
			return false;
	}
	return true;
}

/* Remember the database that use(database) names, if it names one. False: no memory. */
static bool ticket_note_database(struct ticket *t, const struct rowd_value *args)
{
	struct rowd_result *r;
	const char *name;

	if (!args)
		return true;
	if (result_of_value(args, &r, NULL))
		return false;
	name = rowd_item_str(rowd_item_at(rowd_result_item(r), 0), NULL);
	if (name)
		t->database = strdup(name);
	rowd_result_free(r);
	return !name || t->database;
}

static struct ticket *ticket_new(struct rowd *c, const char *method, const struct rowd_value *args)
{
	struct ticket *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->number = ++c->last_ticket;
	t->kind = ticket_kind_of(method);
	t->in_tx = in_transaction_for_sure(c);
	t->is_get = strcmp(method, "get") == 0;
	if (strcmp(method, "use") == 0 && !ticket_note_database(t, args)) {
		ticket_free(t);
		return NULL;
	}
	return t;
}

/* [0, msgid, method, args] behind what waits in c->out. */
static void request_write(struct buf *b, uint64_t number, const char *method, const struct rowd_value *args)
{
	wire_array(b, 4);
	wire_uint(b, RPC_REQUEST);
	wire_uint(b, (uint32_t)number);
	wire_cstr(b, method);
	if (args)
		value_append(b, args);
	else
		wire_array(b, 0);
}

static enum rowd_code request_check(const struct rowd *c, size_t bytes, struct rowd_error *err)
{
	if (c->max_request_bytes <= 0 || bytes <= (uint64_t)c->max_request_bytes)
		return ROWD_OK;
	error_set(err, ROWD_E_LIMIT, "a request of %zu bytes is over the daemon's limit of %lld", bytes,
		  (long long)c->max_request_bytes);
	if (err)
		err->limit = c->max_request_bytes;
	return ROWD_E_LIMIT;
}

/* The rollback of a transaction that is gone already. */
static void answer_here(struct rowd *c, struct ticket *t)
{
	c->tx_lost = false;
	t->state = TICKET_ANSWERED;
	t->here = true;
	ticket_list_add(&c->answered, t);
}

/* What the kernel has taken makes room for what is new. */
static void out_compact(struct rowd *c)
{
	if (c->out_used > c->out.len / 2) {
		buf_consume(&c->out, c->out_used);
		c->out_used = 0;
	}
}

enum rowd_code call_put(struct rowd *c, const char *method, const struct rowd_value *args,
			struct ticket **t_out, struct rowd_error *err)
{
	struct ticket *t;
	enum rowd_code rc;
	size_t start;

	if (c->pending >= c->options.max_pending) {
		error_set(err, ROWD_E_LIMIT, "%u requests are not received yet; receive some first",
			  c->pending);
		if (err)
			err->limit = c->options.max_pending;
		return ROWD_E_LIMIT;
	}
	t = ticket_new(c, method, args);
	if (!t)
		return error_set(err, ROWD_E_NO_RESOURCE, "no memory to send a request; nothing was sent");
	*t_out = t;
	c->pending++;
	if (c->tx_lost) {
		answer_here(c, t);
		return ROWD_OK;
	}
	out_compact(c);
	start = c->out.len;
	request_write(&c->out, t->number, method, args);
	rc = c->out.failed
		     ? error_set(err, ROWD_E_NO_RESOURCE, "no memory to send a request; nothing was sent")
		     : request_check(c, c->out.len - start, err);
	if (rc) {
		buf_truncate(&c->out, start);
		c->pending--;
		ticket_free(t);
		return rc;
	}
	t->end = c->out_taken + (c->out.len - c->out_used);
	ticket_list_add(&c->waiting, t);
	return ROWD_OK;
}

void call_cancel(struct rowd *c, uint64_t number)
{
	size_t start = c->out.len;

	wire_array(&c->out, 3);
	wire_uint(&c->out, RPC_NOTIFICATION);
	wire_cstr(&c->out, "cancel");
	wire_array(&c->out, 1);
	wire_uint(&c->out, (uint32_t)number);
	if (c->out.failed)
		buf_truncate(&c->out, start);
}

/* ---- readiness ---- */

/* After a transaction was lost: a rollback is answered here, a commit is told, all else is refused. */
static enum rowd_code ready_without_tx(struct rowd *c, const char *method, struct rowd_error *err)
{
	enum ticket_kind kind = ticket_kind_of(method);

	if (kind == TICKET_ROLLBACK)
		return ROWD_OK;
	if (kind == TICKET_COMMIT)
		c->tx_lost = false;
	return error_set(err, ROWD_E_TX_ABORTED,
			 "the connection was lost, and the transaction was rolled back with it%s",
			 kind == TICKET_COMMIT ? "" : "; nothing runs until it is rolled back here too");
}

enum rowd_code call_ready(struct rowd *c, const char *method, deadline until, struct rowd_error *err)
{
	if (c->stream)
		return error_set(err, ROWD_E_BAD_REQUEST,
				 "a stream is open on this connection; close it first");
	if (c->tx_lost)
		return ready_without_tx(c, method, err);
	if (c->fd >= 0)
		return ROWD_OK;
	if (c->pending > 0)
		return error_set(err, ROWD_E_UNAVAILABLE,
				 "the connection was lost; %u requests are to be received "
				 "before it is made again",
				 c->pending);
	if (c->options.no_reconnect || c->connecting)
		return error_set(err, ROWD_E_UNAVAILABLE, "%s", c->lost_text);
	return connection_make(c, true, deadline_sooner(until, deadline_in(c->options.connect_timeout_ms)),
			       err);
}

/* ---- answers ---- */

/* The answer came and cannot be read for want of memory: what is known of the outcome is told. */
static enum rowd_code answer_unread(const struct ticket *t, enum rowd_code rc, struct rowd_error *err)
{
	if (err && t->kind != TICKET_READ)
		err->outcome = t->ok ? ROWD_APPLIED : ROWD_UNKNOWN;
	return rc;
}

static enum rowd_code answer_lost(const struct rowd *c, const struct ticket *t, struct rowd_error *err)
{
	error_set(err, t->lost_code, "%s", c->lost_text);
	if (err && (t->lost_code != ROWD_E_UNAVAILABLE || t->in_tx))
		err->retry = false;
	return t->lost_code;
}

/* "true", for what was answered here. */
static enum rowd_code answer_true(struct rowd_result **result_out, struct rowd_error *err)
{
	struct rowd_value *yes;
	enum rowd_code rc;

	if (!result_out)
		return ROWD_OK;
	yes = rowd_bool(true);
	rc = value_usable(yes, err);
	if (!rc)
		rc = result_of_value(yes, result_out, err);
	rowd_value_free(yes);
	return rc;
}

static enum rowd_code answer_read(struct ticket *t, struct rowd_result **result_out, struct rowd_error *err)
{
	struct rowd_result *r;
	enum rowd_code rc;

	if (t->here)
		return answer_true(result_out, err);
	if (!t->frame) {
		error_set(err, ROWD_E_NO_RESOURCE, "no memory to keep the answer");
		return answer_unread(t, ROWD_E_NO_RESOURCE, err);
	}
	rc = result_decode(t->frame, t->frame_len, &r, err);
	t->frame = NULL;
	if (rc)
		return answer_unread(t, rc, err);
	if (r->error->type != MSGPACK_OBJECT_NIL) {
		rc = error_from_wire(err, r->error, t->kind != TICKET_READ);
		rowd_result_free(r);
		return rc;
	}
	rc = result_find_rows(r, t->is_get, err);
	if (rc) {
		rowd_result_free(r);
		return answer_unread(t, rc, err);
	}
	if (result_out)
		*result_out = r;
	else
		rowd_result_free(r);
	return ROWD_OK;
}

enum rowd_code call_finish(struct rowd *c, struct ticket *t, struct rowd_result **result_out,
			   struct rowd_error *err)
{
	enum rowd_code rc;

	ticket_list_remove(&c->answered, t->number);
	c->pending--;
	if (t->state == TICKET_LOST && t->kind == TICKET_ROLLBACK && t->in_tx) {
		c->tx_lost = false; /* it was rolled back with the connection */
		t->here = true;
		t->state = TICKET_ANSWERED;
	}
	rc = t->state == TICKET_LOST ? answer_lost(c, t, err) : answer_read(t, result_out, err);
	ticket_free(t);
	return rc;
}

/* ---- waiting ---- */

void call_waits_for(struct rowd *c, uint64_t number)
{
	pthread_mutex_lock(&c->lock);
	c->waited_for = number;
	pthread_mutex_unlock(&c->lock);
}

/* False: the deadline passed. */
static bool ticket_wait(struct rowd *c, const struct ticket *t, deadline until)
{
	bool moved = true;

	call_waits_for(c, t->number);
	while (t->state == TICKET_WAITING && moved)
		moved = conn_turn(c, until);
	call_waits_for(c, 0);
	return t->state != TICKET_WAITING;
}

/* The deadline passed: stop the request, and give the answer a moment to say what is true. */
static void ticket_stop(struct rowd *c, const struct ticket *t)
{
	if (!c->connecting) {
		call_cancel(c, t->number);
		if (ticket_wait(c, t, deadline_in(CANCEL_GRACE_MS)))
			return;
	}
	conn_lose(c, ROWD_E_TIMEOUT, "the time was up and no answer came");
}

/* ---- one request and its answer ---- */

/* Was the request lost in a way that allows to send it once more? */
static bool may_repeat(const struct rowd *c, const struct ticket *t)
{
	return t->state == TICKET_LOST && t->lost_code == ROWD_E_UNAVAILABLE && t->unsent &&
	       c->pending == 1 && !c->tx_lost && !c->options.no_reconnect && !c->connecting;
}

/* *repeat_out: nothing of it had an effect, and the same may be tried again. */
static enum rowd_code call_once(struct rowd *c, const char *method, const struct rowd_value *args,
				deadline until, bool *repeat_out, struct rowd_result **result_out,
				struct rowd_error *err)
{
	bool in_time;
	struct ticket *t;
	enum rowd_code rc;

	*repeat_out = false;
	rc = call_ready(c, method, until, err);
	if (rc)
		return rc;
	rc = call_put(c, method, args, &t, err);
	if (rc)
		return rc;
	in_time = ticket_wait(c, t, until);
	if (!in_time)
		ticket_stop(c, t);
	*repeat_out = in_time && may_repeat(c, t);
	rc = call_finish(c, t, result_out, err);
	if (rc == ROWD_E_CANCELLED && !in_time)
		rc = error_set(err, ROWD_E_TIMEOUT, "the time was up and the request was stopped");
	return rc;
}

enum rowd_code call_until(struct rowd *c, const char *method, const struct rowd_value *args, deadline until,
			  struct rowd_result **result_out, struct rowd_error *err)
{
	enum rowd_code rc = value_usable(args, err);
	bool repeat;

	if (rc)
		return rc;
	rc = call_once(c, method, args, until, &repeat, result_out, err);
	if (repeat)
		rc = call_once(c, method, args, until, &repeat, result_out, err);
	return rc;
}

enum rowd_code call_options_read(const struct rowd_call_options *how, struct rowd_call_options *out,
				 struct rowd_error *err)
{
	*out = (struct rowd_call_options)ROWD_CALL_OPTIONS_INIT;
	if (!how)
		return ROWD_OK;
	if (how->size < offsetof(struct rowd_call_options, timeout_ms) + sizeof(how->timeout_ms))
		return error_set(err, ROWD_E_BAD_REQUEST,
				 "call options must begin with ROWD_CALL_OPTIONS_INIT");
	memcpy(out, how, how->size < sizeof(*out) ? how->size : sizeof(*out));
	return ROWD_OK;
}

enum rowd_code rowd_call(struct rowd *c, const char *method, struct rowd_value *args,
			 const struct rowd_call_options *how, struct rowd_result **result_out,
			 struct rowd_error *err)
{
	struct rowd_call_options options;
	enum rowd_code rc = call_options_read(how, &options, err);

	if (!rc && !method)
		rc = error_set(err, ROWD_E_BAD_REQUEST, "a call needs a method");
	if (!rc && options.request_id)
		rc = error_set(err, ROWD_E_BAD_REQUEST, "how->request_id is for rowd_call_once");
	if (!rc)
		rc = call_until(c, method, args, call_deadline(c, options.timeout_ms), result_out, err);
	rowd_value_free(args);
	return rc;
}
