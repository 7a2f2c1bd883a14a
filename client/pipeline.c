#include "config.h"

#include "client/private.h"

unsigned rowd_pending(const struct rowd *c)
{
	return c->pending;
}

size_t rowd_unsent(const struct rowd *c)
{
	return c->out.len - c->out_used;
}

static enum rowd_code lost(const struct rowd *c, struct rowd_error *err)
{
	return error_set(err, ROWD_E_UNAVAILABLE, "%s", c->lost_text);
}

/* Wait until less than `most` bytes are unsent. */
static enum rowd_code unsent_below(struct rowd *c, size_t most, deadline until, struct rowd_error *err)
{
	while (rowd_unsent(c) >= most) {
		if (!conn_turn(c, until)) {
			error_set(err, ROWD_E_TIMEOUT, "the time was up, and %zu bytes are not sent yet",
				  rowd_unsent(c));
			if (err)
				err->retry = true;
			return ROWD_E_TIMEOUT;
		}
		if (c->fd < 0)
			return lost(c, err);
	}
	return ROWD_OK;
}

static enum rowd_code send_value(struct rowd *c, const char *method, const struct rowd_value *args,
				 uint64_t *ticket_out, struct rowd_error *err)
{
	deadline until = call_deadline(c, ROWD_TIMEOUT_DEFAULT);
	struct ticket *t;
	enum rowd_code rc;

	if (!method)
		return error_set(err, ROWD_E_BAD_REQUEST, "a call needs a method");
	rc = value_usable(args, err);
	if (!rc)
		rc = call_ready(c, method, until, err);
	if (!rc)
		rc = unsent_below(c, SEND_GATHER_BYTES, until, err);
	if (!rc)
		rc = call_put(c, method, args, &t, err);
	if (rc)
		return rc;
	if (ticket_out)
		*ticket_out = t->number;
	if (rowd_unsent(c) >= SEND_GATHER_BYTES)
		conn_turn(c, deadline_in(0));
	return ROWD_OK;
}

enum rowd_code rowd_send(struct rowd *c, const char *method, struct rowd_value *args, uint64_t *ticket_out,
			 struct rowd_error *err)
{
	enum rowd_code rc = send_value(c, method, args, ticket_out, err);

	rowd_value_free(args);
	return rc;
}

enum rowd_code rowd_flush(struct rowd *c, int timeout_ms, struct rowd_error *err)
{
	enum rowd_code rc = unsent_below(c, 1, call_deadline(c, timeout_ms), err);

	return rc == ROWD_E_TIMEOUT && timeout_ms == 0 ? ROWD_OK : rc;
}

/* ---- receiving ---- */

static enum rowd_code receive_timeout(struct rowd_error *err)
{
	error_set(err, ROWD_E_TIMEOUT, "the time was up before the answer came; it can still be received");
	if (err) {
		err->outcome = ROWD_UNKNOWN;
		err->retry = true;
	}
	return ROWD_E_TIMEOUT;
}

static struct ticket *ticket_find(struct ticket *first, uint64_t number)
{
	struct ticket *t;

	for (t = first; t; t = t->next) {
		if (t->number == number)
			return t;
	}
	return NULL;
}

/* Wait for the answer to `number`, or, when that is 0, for any. NULL: the deadline passed. */
static struct ticket *answer_wait(struct rowd *c, uint64_t number, deadline until)
{
	struct ticket *t;
	bool moved = true;

	for (;;) {
		t = number ? ticket_find(c->answered.first, number) : c->answered.first;
		if (t || !moved)
			return t;
		call_waits_for(c, number ? number : c->waiting.first->number);
		moved = conn_turn(c, until);
		call_waits_for(c, 0);
	}
}

static enum rowd_code receive(struct rowd *c, uint64_t number, int timeout_ms, uint64_t *ticket_out,
			      struct rowd_result **result_out, struct rowd_error *err)
{
	struct ticket *t;

	if (c->stream)
		return error_set(err, ROWD_E_BAD_REQUEST,
				 "a stream is open on this connection; close it first");
	t = answer_wait(c, number, call_deadline(c, timeout_ms));
	if (!t)
		return receive_timeout(err);
	if (ticket_out)
		*ticket_out = t->number;
	return call_finish(c, t, result_out, err);
}

enum rowd_code rowd_receive(struct rowd *c, uint64_t ticket, int timeout_ms, struct rowd_result **result_out,
			    struct rowd_error *err)
{
	if (!ticket_find(c->answered.first, ticket) && !ticket_find(c->waiting.first, ticket))
		return error_set(err, ROWD_E_BAD_REQUEST, "no request with ticket %llu is pending",
				 (unsigned long long)ticket);
	return receive(c, ticket, timeout_ms, NULL, result_out, err);
}

enum rowd_code rowd_receive_next(struct rowd *c, int timeout_ms, uint64_t *ticket_out,
				 struct rowd_result **result_out, struct rowd_error *err)
{
	if (ticket_out)
		*ticket_out = 0;
	if (c->pending == 0)
		return error_set(err, ROWD_E_BAD_REQUEST, "no request is pending");
	return receive(c, 0, timeout_ms, ticket_out, result_out, err);
}
