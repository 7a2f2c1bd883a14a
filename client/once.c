/*
 * Calls whose outcome is known: the request carries an id, and whoever lost its answer asks by it.
 */
#include "config.h"

#include "client/private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "proto/op.h"
#include "proto/uuid.h"

/* ---- ids ---- */

static bool random_fill(uint8_t *out, size_t len)
{
	ssize_t n;

	do {
		n = getrandom(out, len, 0); /* so few bytes come whole, or not at all */
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)len;
}

enum rowd_code rowd_make_id(char out[ROWD_ID_BYTES], struct rowd_error *err)
{
	uint8_t id[UUID_BYTES];
	struct timespec now;
	uint64_t ms;
	int i;

	if (!random_fill(id, sizeof(id)))
		return error_set(err, ROWD_E_NO_RESOURCE, "the kernel gives no random bytes");
	clock_gettime(CLOCK_REALTIME, &now);
	ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	for (i = 0; i < 6; i++)
		id[i] = (uint8_t)(ms >> (40 - 8 * i));
	id[6] = (uint8_t)(0x70 | (id[6] & 0x0f)); /* version 7 */
	id[8] = (uint8_t)(0x80 | (id[8] & 0x3f)); /* RFC 9562's variant */
	for (i = 0; i < UUID_BYTES; i++)
		out += sprintf(out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", id[i]);
	return ROWD_OK;
}

/* ---- the request ---- */

struct once {
	struct rowd *conn; /* borrowed */
	const struct op *op;
	struct rowd_value *args; /* owned; the id among the options */
	char *database;          /* owned; where the id is kept; NULL: the daemon's default */
	char id[ROWD_ID_BYTES];
};

static enum rowd_code no_memory(struct rowd_error *err)
{
	return error_set(err, ROWD_E_NO_RESOURCE, "no memory to send a request; nothing was sent");
}

static enum rowd_code id_choose(struct once *o, const char *given, struct rowd_error *err)
{
	uint8_t id[UUID_BYTES];

	if (!given)
		return rowd_make_id(o->id, err);
	if (!uuid_parse(given, strlen(given), id))
		return error_set(err, ROWD_E_BAD_REQUEST, "how->request_id is no UUID");
	memcpy(o->id, given, ROWD_ID_BYTES);
	return ROWD_OK;
}

/* The options as they came, and the id. */
static struct rowd_value *options_with_id(const struct rowd_item *options, const char *id)
{
	struct rowd_value *map = rowd_map_new();
	size_t i;

	for (i = 0; i < rowd_item_count(options); i++)
		rowd_map_add(map, rowd_item_name(options, i), rowd_from_item(rowd_item_at(options, i)));
	rowd_map_add(map, "request_id", rowd_str(id));
	return map;
}

/* args, taken apart and made again: an array whose last element is a map of options that holds the id. */
static enum rowd_code args_rebuild(struct once *o, const struct rowd_value *args, struct rowd_error *err)
{
	const struct rowd_item *items, *item;
	struct rowd_result *r;
	enum rowd_code rc = result_of_value(args, &r, err);
	size_t i, n;

	if (rc)
		return rc;
	items = rowd_result_item(r);
	n = rowd_item_count(items);
	o->args = rowd_array_new();
	for (i = 0; i < n; i++) {
		item = rowd_item_at(items, i);
		if (i >= o->op->nparams && i + 1 == n && rowd_item_kind(item) == ROWD_KIND_MAP)
			rowd_array_add(o->args, options_with_id(item, o->id));
		else
			rowd_array_add(o->args, rowd_from_item(item));
	}
	rowd_result_free(r);
	return value_usable(o->args, err);
}

/* Put the id into args, which are o's from here on. */
static enum rowd_code args_take(struct once *o, struct rowd_value *args, struct rowd_error *err)
{
	enum rowd_code rc;

	if (!args)
		args = rowd_array_new();
	rc = value_usable(args, err);
	if (!rc && value_elements(args) < 0)
		rc = error_set(err, ROWD_E_BAD_REQUEST, "args must be an array");
	if (!rc && value_elements(args) <= o->op->nparams) {
		rowd_array_add(args, options_with_id(NULL, o->id));
		o->args = args;
		return value_usable(args, err);
	}
	if (!rc)
		rc = args_rebuild(o, args, err);
	rowd_value_free(args);
	return rc;
}

/* The database that the request goes to: that of "database.table", else the connection's. */
static enum rowd_code database_find(struct once *o, struct rowd_error *err)
{
	bool on_table = o->op->nparams > 0 && o->op->params[0].kind == PARAM_TABLE;
	char *table = on_table ? value_first_text(o->args) : NULL;
	char *dot = table ? strchr(table, '.') : NULL;

	if (dot) {
		*dot = '\0';
		o->database = table;
		return ROWD_OK;
	}
	free(table);
	if (!o->conn->database)
		return ROWD_OK;
	o->database = strdup(o->conn->database);
	return o->database ? ROWD_OK : no_memory(err);
}

static enum rowd_code method_find(struct once *o, const char *method, struct rowd_error *err)
{
	op_init();
	o->op = method ? op_find(method, strlen(method)) : NULL;
	if (!o->op || !(o->op->flags & OPF_ID))
		return error_set(err, ROWD_E_BAD_REQUEST, "%.40s is no method that takes a request_id",
				 method ? method : "nothing");
	if (o->conn->pending > 0)
		return error_set(err, ROWD_E_BAD_REQUEST,
				 "requests are pending; receive them before rowd_call_once");
	if (rowd_in_transaction(o->conn) && o->op->id != OP_COMMIT)
		return error_set(err, ROWD_E_BAD_REQUEST,
				 "inside a transaction only commit carries a request_id");
	return ROWD_OK;
}

/* ---- asking what became of it ---- */

static bool may_ask_again(const struct rowd_error *err, deadline until)
{
	return deadline_left_ms(until) != 0 && (err->retry || err->code == ROWD_E_COMMIT_UNKNOWN);
}

/* outcome(id), over a connection of its own. */
static enum rowd_code ask(const struct once *o, deadline until, struct rowd_result **out,
			  struct rowd_error *err)
{
	struct rowd_value *args;
	struct rowd *second;
	enum rowd_code rc = connection_second(o->conn, o->database, true, until, &second, err);

	if (rc)
		return rc;
	args = rowd_array(rowd_str(o->id));
	rc = value_usable(args, err);
	if (!rc)
		rc = call_until(second, "outcome", args, until, out, err);
	rowd_value_free(args);
	rowd_close(second);
	return rc;
}

static enum rowd_code ask_until(const struct once *o, deadline until, struct rowd_result **out)
{
	const struct timespec pause = { 0, 10000000 };
	struct rowd_error err;
	enum rowd_code rc;

	while ((rc = ask(o, until, out, &err)) && may_ask_again(&err, until))
		nanosleep(&pause, NULL);
	return rc;
}

static enum rowd_code still_unknown(const struct once *o, struct rowd_error *err)
{
	error_set(err, ROWD_E_COMMIT_UNKNOWN,
		  "the answer was lost, and the daemon could not be asked what became of "
		  "request %s",
		  o->id);
	return ROWD_E_COMMIT_UNKNOWN;
}

/* The answer was lost, or did not know: a sure one in its place. */
static enum rowd_code resolve(const struct once *o, struct rowd_result **result_out, struct rowd_error *err)
{
	struct rowd_result *r;
	const char *state;
	enum rowd_code rc;

	if (ask_until(o, deadline_in(o->conn->options.connect_timeout_ms), &r))
		return still_unknown(o, err);
	state = rowd_item_str(rowd_item_get(rowd_result_item(r), "state"), NULL);
	if (state && strcmp(state, "not_applied") == 0)
		rc = error_set(err, ROWD_E_UNAVAILABLE,
			       "the answer was lost; the request was not applied and never "
			       "will be");
	else if (!state || strcmp(state, "applied") != 0)
		rc = still_unknown(o, err);
	else if (!rowd_item_get(rowd_result_item(r), "result"))
		rc = ROWD_OK;
	else
		rc = result_descend(r, "result", err);
	if (rc || !result_out) {
		rowd_result_free(r);
		if (rc == ROWD_E_NO_RESOURCE && err)
			err->outcome = ROWD_APPLIED;
		return rc;
	}
	*result_out = r;
	return ROWD_OK;
}

/* A commit that was asked about is over, whichever way: nothing is left to roll back. */
static void transaction_forget(struct rowd *c, const struct op *op, enum rowd_code rc)
{
	if (op->id == OP_COMMIT && rc != ROWD_E_COMMIT_UNKNOWN)
		c->tx_lost = false;
}

static enum rowd_code once_call(const struct once *o, deadline until, struct rowd_result **result_out,
				struct rowd_error *err)
{
	enum rowd_code rc = call_until(o->conn, o->op->name, o->args, until, result_out, err);

	if (!rc || err->outcome != ROWD_UNKNOWN)
		return rc;
	rc = resolve(o, result_out, err);
	transaction_forget(o->conn, o->op, rc);
	return rc;
}

enum rowd_code rowd_call_once(struct rowd *c, const char *method, struct rowd_value *args,
			      const struct rowd_call_options *how, struct rowd_result **result_out,
			      struct rowd_error *err)
{
	struct once o = { .conn = c };
	struct rowd_call_options options;
	struct rowd_error own;
	enum rowd_code rc;

	if (!err)
		err = &own;
	rc = call_options_read(how, &options, err);
	if (!rc)
		rc = method_find(&o, method, err);
	if (!rc)
		rc = id_choose(&o, options.request_id, err);
	if (rc)
		rowd_value_free(args);
	else
		rc = args_take(&o, args, err);
	if (!rc)
		rc = database_find(&o, err);
	if (!rc)
		rc = once_call(&o, call_deadline(c, options.timeout_ms), result_out, err);
	rowd_value_free(o.args);
	free(o.database);
	return rc;
}
