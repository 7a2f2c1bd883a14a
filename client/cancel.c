#include "config.h"

#include "client/private.h"

/*
 * This runs on any thread, while another one is in a call on c. It reads what never changes (path,
 * client, connect timeout) and, under the lock, what does.
 */
static uint64_t cancel_target(struct rowd *c, uint64_t ticket, uint64_t *session_out)
{
	pthread_mutex_lock(&c->lock);
	if (ticket == 0)
		ticket = c->waited_for;
	*session_out = c->session;
	pthread_mutex_unlock(&c->lock);
	return ticket;
}

static enum rowd_code cancel_send(struct rowd *second, uint64_t ticket, uint64_t session, bool *cancelled_out,
				  struct rowd_error *err)
{
	struct rowd_value *args = rowd_array(rowd_int((int64_t)(uint32_t)ticket),
					     rowd_map("session", rowd_int((int64_t)session)));
	struct rowd_result *result;
	enum rowd_code rc;
	bool cancelled;

	rc = rowd_call(second, "cancel", args, NULL, &result, err);
	if (rc)
		return rc;
	rowd_item_bool(rowd_result_item(result), &cancelled);
	rowd_result_free(result);
	if (cancelled_out)
		*cancelled_out = cancelled;
	return ROWD_OK;
}

enum rowd_code rowd_cancel(struct rowd *c, uint64_t ticket, bool *cancelled_out, struct rowd_error *err)
{
	struct rowd *second;
	uint64_t session;
	enum rowd_code rc;

	ticket = cancel_target(c, ticket, &session);
	if (ticket == 0) {
		if (cancelled_out)
			*cancelled_out = false;
		return ROWD_OK;
	}
	rc = connection_second(c, NULL, false, deadline_in(c->options.connect_timeout_ms), &second, err);
	if (rc)
		return rc;
	rc = cancel_send(second, ticket, session, cancelled_out, err);
	rowd_close(second);
	return rc;
}
