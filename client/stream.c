#include "config.h"

#include "client/private.h"

#include <stdlib.h>
#include <string.h>

/* ---- the columns: batches do not name them, so they are known before ---- */

static const msgpack_object *object_at(const struct rowd_item *item, msgpack_object_type type)
{
	const msgpack_object *o = (const void *)item;

	return o && o->type == type ? o : NULL;
}

/* [{name: ...}, ...] as an array of the names alone. */
static struct rowd_value *names_of(const struct rowd_item *columns)
{
	struct rowd_value *names = rowd_array_new();
	size_t i;

	for (i = 0; i < rowd_item_count(columns); i++)
		rowd_array_add(names, rowd_str(rowd_item_str(rowd_item_get(rowd_item_at(columns, i), "name"),
							     NULL)));
	return names;
}

/* As the table has them. */
static enum rowd_code columns_described(struct rowd_stream *s, const char *table, deadline until,
					struct rowd_error *err)
{
	struct rowd_value *args = rowd_array(rowd_str(table)), *names;
	struct rowd_result *r;
	enum rowd_code rc;

	rc = call_until(s->conn, "describe", args, until, &r, err);
	rowd_value_free(args);
	if (rc)
		return rc;
	names = names_of(rowd_item_get(rowd_result_item(r), "columns"));
	rc = value_usable(names, err);
	if (!rc)
		rc = result_of_value(names, &s->names, err);
	if (!rc)
		s->columns = object_at(rowd_result_item(s->names), MSGPACK_OBJECT_ARRAY);
	rowd_value_free(names);
	rowd_result_free(r);
	return rc;
}

/* As the options say, else as the table has them. */
static enum rowd_code columns_find(struct rowd_stream *s, const char *table, const struct rowd_value *options,
				   deadline until, struct rowd_error *err)
{
	enum rowd_code rc = result_of_value(options, &s->names, err);

	if (rc)
		return rc;
	s->columns = object_at(rowd_item_get(rowd_result_item(s->names), "columns"), MSGPACK_OBJECT_ARRAY);
	if (s->columns)
		return ROWD_OK;
	rowd_result_free(s->names);
	s->names = NULL;
	return columns_described(s, table, until, err);
}

/* ---- opening ---- */

static void stream_free(struct rowd_stream *s)
{
	rowd_result_free(s->batch);
	rowd_result_free(s->names);
	free(s->frame);
	free(s);
}

static enum rowd_code stream_send(struct rowd_stream *s, const char *table, const struct rowd_value *options,
				  deadline until, struct rowd_error *err)
{
	struct rowd_value *args = rowd_array(rowd_str(table), rowd_copy(options));
	struct ticket *t;
	enum rowd_code rc;

	rc = value_usable(args, err);
	if (!rc)
		rc = call_ready(s->conn, "select", until, err);
	if (!rc)
		rc = call_put(s->conn, "select", args, &t, err);
	if (!rc)
		s->ticket = t->number;
	rowd_value_free(args);
	return rc;
}

static enum rowd_code stream_begin(struct rowd *c, const char *table, const struct rowd_value *options,
				   struct rowd_stream **stream_out, struct rowd_error *err)
{
	deadline until = call_deadline(c, ROWD_TIMEOUT_DEFAULT);
	struct rowd_stream *s;
	enum rowd_code rc;

	if (c->pending > 0)
		return error_set(err, ROWD_E_BAD_REQUEST,
				 "requests are pending; receive them before a stream");
	rc = value_usable(options, err);
	if (rc)
		return rc;
	s = calloc(1, sizeof(*s));
	if (!s)
		return error_set(err, ROWD_E_NO_RESOURCE, "no memory for a stream");
	s->conn = c;
	rc = columns_find(s, table, options, until, err);
	if (!rc)
		rc = stream_send(s, table, options, until, err);
	if (rc) {
		stream_free(s);
		return rc;
	}
	c->stream = s;
	*stream_out = s;
	return ROWD_OK;
}

enum rowd_code rowd_stream_open(struct rowd *c, const char *table, struct rowd_value *options,
				struct rowd_stream **stream_out, struct rowd_error *err)
{
	enum rowd_code rc;

	if (!options)
		options = rowd_map_new();
	rowd_map_add(options, "stream", rowd_bool(true));
	rc = table ? stream_begin(c, table, options, stream_out, err)
		   : error_set(err, ROWD_E_BAD_REQUEST, "a stream needs a table");
	rowd_value_free(options);
	return rc;
}

/* ---- reading ---- */

static enum rowd_code stream_fail(struct rowd_stream *s, enum rowd_code rc)
{
	s->failed = rc;
	return rc;
}

/* Wait for a batch, or for the end. False: the deadline passed. */
static bool stream_wait(struct rowd_stream *s, deadline until)
{
	struct rowd *c = s->conn;
	bool moved = true;

	call_waits_for(c, s->ticket);
	while (!s->frame && !s->broken && c->waiting.first && moved)
		moved = conn_turn(c, until);
	call_waits_for(c, 0);
	return moved;
}

static enum rowd_code stream_timeout(struct rowd_error *err)
{
	error_set(err, ROWD_E_TIMEOUT, "the time was up before the next rows came");
	return ROWD_E_TIMEOUT;
}

/* The batch that came is the caller's to look at. */
static enum rowd_code stream_show(struct rowd_stream *s, const struct rowd_result **batch_out,
				  struct rowd_error *err)
{
	char *frame = s->frame;
	enum rowd_code rc;

	s->frame = NULL;
	rc = result_decode(frame, s->frame_len, &s->batch, err);
	if (!rc)
		rc = result_batch_rows(s->batch, s->columns, err);
	if (rc)
		return stream_fail(s, rc);
	*batch_out = s->batch;
	return ROWD_OK;
}

/* Were the columns what they were taken for? */
static enum rowd_code stream_check(const struct rowd_stream *s, const struct rowd_item *columns,
				   struct rowd_error *err)
{
	const struct rowd_item *taken = (const void *)s->columns;
	size_t i, n = rowd_item_count(taken);
	const char *name, *due;

	if (rowd_item_kind(columns) != ROWD_KIND_ARRAY)
		return ROWD_OK;
	for (i = 0; i < n; i++) {
		name = rowd_item_str(rowd_item_at(columns, i), NULL);
		due = rowd_item_str(rowd_item_at(taken, i), NULL);
		if (!name || !due || strcmp(name, due) != 0 || rowd_item_count(columns) != n)
			return error_set(err, ROWD_E_SCHEMA_MISMATCH,
					 "the table's columns changed while its rows "
					 "were read");
	}
	return ROWD_OK;
}

/* The final answer: no rows are left, or why none come. */
static enum rowd_code stream_end(struct rowd_stream *s, struct rowd_error *err)
{
	struct rowd_result *r;
	enum rowd_code rc;

	s->done = true;
	rc = call_finish(s->conn, s->conn->answered.first, &r, err);
	if (rc)
		return stream_fail(s, rc);
	rc = stream_check(s, rowd_item_get(rowd_result_item(r), "columns"), err);
	rowd_result_free(r);
	return rc ? stream_fail(s, rc) : ROWD_OK;
}

enum rowd_code rowd_stream_next(struct rowd_stream *s, const struct rowd_result **batch_out,
				struct rowd_error *err)
{
	rowd_result_free(s->batch);
	s->batch = NULL;
	if (s->failed)
		return error_set(err, s->failed, "the stream failed before; rows were missed");
	*batch_out = NULL;
	if (s->done)
		return ROWD_OK;
	if (!stream_wait(s, call_deadline(s->conn, ROWD_TIMEOUT_DEFAULT)))
		return stream_fail(s, stream_timeout(err));
	if (s->broken)
		return stream_fail(s, error_set(err, ROWD_E_NO_RESOURCE, "no memory for a batch of rows"));
	return s->frame ? stream_show(s, batch_out, err) : stream_end(s, err);
}

/* ---- closing ---- */

/* Read and drop what is on its way. */
static void stream_drain(struct rowd_stream *s)
{
	struct rowd *c = s->conn;
	bool cancel = !c->tx;
	deadline until = deadline_in(STREAM_DRAIN_MS);

	if (cancel)
		call_cancel(c, s->ticket);
	do {
		free(s->frame);
		s->frame = NULL;
		s->broken = false;
		if (!cancel)
			until = call_deadline(c, ROWD_TIMEOUT_DEFAULT);
	} while (stream_wait(s, until) && (s->frame || s->broken));
	if (c->waiting.first)
		conn_lose(c, ROWD_E_CANCELLED, "a stream was closed, and the daemon did not stop it");
}

void rowd_stream_close(struct rowd_stream *s)
{
	if (!s)
		return;
	if (!s->done) {
		if (s->conn->fd >= 0)
			stream_drain(s);
		if (s->conn->answered.first)
			call_finish(s->conn, s->conn->answered.first, NULL, NULL);
	}
	s->conn->stream = NULL;
	stream_free(s);
}
