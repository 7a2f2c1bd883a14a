/*
 * get, select, count, exists.
 */
#include "config.h"

#include "daemon/exec/read.h"
#include "daemon/ops/ops.h"

/* ---- get ---- */

/* Of a key that the statement's text depends on. */
static enum rowd_code render_get(struct exec *x, const struct table *t, const struct value *key, struct err *err)
{
	struct plan_columns columns;
	enum rowd_code rc = plan_columns(x, t, NULL, &columns, err);

	if (!rc)
		sql_select(x->sql, db_conn_dialect(x->conn),
			   &(struct select_stmt){
				   .table = t,
				   .columns = columns.list,
				   .ncolumns = columns.n,
				   .where = filter_key_equals(x->arena, t, key),
				   .limit = -1,
			   });
	return rc;
}

enum rowd_code op_get_row(struct exec *x, const struct request *req, struct err *err)
{
	const struct table *t;
	const struct value *key, *row;
	struct db_rows *rows;
	enum rowd_code rc = plan_table(x, req, &t, err);

	if (!rc)
		rc = plan_key(x, t, req->params[1], &key, err);
	if (!rc && !sql_select_row(x->sql, t, key))
		rc = render_get(x, t, key, err);
	if (!rc)
		rc = db_query(x->conn, x->sql, &rows, err);
	if (rc)
		return rc;
	rc = db_next(rows, &row, err);
	if (!rc && row)
		exec_write_map(x->out, t, row);
	else if (!rc)
		wire_nil(x->out);
	db_rows_end(rows);
	return rc;
}

/* ---- select ---- */

struct select {
	struct exec *x;
	const struct request *req;
	const struct table *table;
	struct plan_columns columns;
	struct plan_order order;
	struct select_stmt stmt;
};

/* Which options may stand together, and where. */
static enum rowd_code check_options(const struct exec *x, const struct request *req, struct err *err)
{
	bool stream = request_flag(req, OPT_STREAM), lock = request_flag(req, OPT_FOR_UPDATE);

	if (req->options[OPT_BATCH] && !stream)
		return err_set(err, ROWD_E_BAD_REQUEST, "select: batch is for a stream");
	if (lock && (stream || request_flag(req, OPT_DISTINCT)))
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "select: for_update goes neither with stream nor with distinct");
	if (lock && !x->in_transaction)
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "select: for_update means something in a transaction only");
	if (stream && !x->batch && !x->inline_read)
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "select: there is no stream within another operation");
	return ROWD_OK;
}

static enum rowd_code after_count(unsigned due, unsigned came, struct err *err)
{
	return err_set(err, ROWD_E_BAD_REQUEST, "select: after has %u values here, %u came", due, came);
}

/* Behind the values of the order's columns, `after` has the key's: those ordered by already have to agree. */
static enum rowd_code read_after_key(struct select *s, const msgpack_object *o, struct value *values,
				     struct err *err)
{
	const struct key *key = &s->table->primary_key;
	unsigned next = s->order.ngiven, i, k;

	for (i = 0; i < key->ncolumns; i++) {
		struct value v;
		enum rowd_code rc = plan_operand(s->x, s->table, key->columns[i], &o[i], &v, err);

		if (rc)
			return rc;
		for (k = 0; k < s->order.ngiven && s->order.terms[k].column != key->columns[i]; k++)
			;
		if (k == s->order.ngiven)
			values[next++] = v;
		else if (!value_equal(&values[k], &v))
			return err_set(err, ROWD_E_BAD_REQUEST, "select: after gives two values for %s",
				       key->columns[i]->name);
	}
	return ROWD_OK;
}

static enum rowd_code read_after(struct select *s, const msgpack_object *o, const struct pred **out,
				 struct err *err)
{
	bool distinct = s->stmt.distinct;
	unsigned first = distinct ? s->order.nterms : s->order.ngiven;
	unsigned due = first + (distinct ? 0 : s->table->primary_key.ncolumns);
	struct value *values = arena_alloc(s->x->arena, due * sizeof *values);
	const msgpack_object_array *given = &o->via.array;
	enum rowd_code rc = ROWD_OK;

	if (!values)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the request");
	if (!distinct && !s->table->primary_key.ncolumns)
		return err_set(err, ROWD_E_UNSUPPORTED, "select: after needs a primary key, which %s has not",
			       s->table->name);
	if (given->size != due)
		return after_count(due, given->size, err);
	for (unsigned i = 0; i < first && !rc; i++)
		rc = plan_operand(s->x, s->table, s->order.terms[i].column, &given->ptr[i], &values[i], err);
	if (!rc && !distinct)
		rc = read_after_key(s, given->ptr + first, values, err);
	if (rc)
		return rc;
	*out = plan_after(s->x->arena, &s->order, values);
	return *out ? ROWD_OK : err_set(err, ROWD_E_NO_RESOURCE, "no memory for the request");
}

/* Which rows: those that match `where` and come behind `after`. */
static enum rowd_code plan_rows(struct select *s, struct err *err)
{
	const msgpack_object *o = s->req->options[OPT_AFTER];
	const struct pred *where, *after = NULL;
	enum rowd_code rc = plan_filter(s->x, s->table, s->req->options[OPT_WHERE], &where, err);

	if (!rc && o)
		rc = read_after(s, o, &after, err);
	if (!rc)
		s->stmt.where = filter_and(s->x->arena, where, after);
	return rc;
}

static enum rowd_code plan_select(struct select *s, struct err *err)
{
	const msgpack_object *order = s->req->options[OPT_ORDER];
	bool distinct = request_flag(s->req, OPT_DISTINCT);
	enum rowd_code rc = check_options(s->x, s->req, err);

	if (!rc)
		rc = plan_table(s->x, s->req, &s->table, err);
	if (!rc)
		rc = plan_columns(s->x, s->table, s->req->options[OPT_COLUMNS], &s->columns, err);
	if (!rc && distinct)
		rc = plan_order_distinct(s->x, s->table, order, &s->columns, &s->order, err);
	else if (!rc)
		rc = plan_order(s->x, s->table, order, &s->order, err);
	if (rc)
		return rc;
	s->stmt = (struct select_stmt){
		.table = s->table,
		.columns = s->columns.list,
		.ncolumns = s->columns.n,
		.order = s->order.terms,
		.norder = s->order.nterms,
		.order_by_row_id = s->order.by_row_id,
		.limit = request_uint(s->req, OPT_LIMIT, -1),
		.offset = request_uint(s->req, OPT_OFFSET, 0),
		.distinct = distinct,
		.for_update = request_flag(s->req, OPT_FOR_UPDATE),
	};
	return plan_rows(s, err);
}

/* {columns, rows, more} */
static enum rowd_code answer_page(struct select *s, struct err *err)
{
	struct buf *out = s->x->out;
	size_t start = out->len;
	int64_t limit;
	bool more;
	enum rowd_code rc = plan_row_limit(s->x, s->req, &limit, err);

	if (rc)
		return rc;
	wire_map(out, 3);
	wire_cstr(out, "columns");
	exec_write_columns(out, s->columns.list, s->columns.n);
	wire_cstr(out, "rows");
	rc = exec_page(s->x, &s->stmt, limit, start, &more, err);
	if (rc)
		return rc;
	wire_cstr(out, "more");
	wire_bool(out, more);
	return ROWD_OK;
}

/* {columns, count} behind the batches */
static enum rowd_code answer_stream(struct select *s, struct err *err)
{
	int64_t most = s->x->limits->reply_rows, batch = request_uint(s->req, OPT_BATCH, STREAM_BATCH_ROWS),
		count;
	struct buf *out = s->x->out;
	enum rowd_code rc;

	if (batch == 0)
		return err_set(err, ROWD_E_BAD_REQUEST, "select: a batch has one row at least");
	if (batch > most && s->req->options[OPT_BATCH])
		return err_limit(err, most, "a batch of %lld rows", (long long)batch);
	if (s->x->inline_read)
		return err_set(err, ROWD_E_LIMIT, "a stream takes longer than the loop has time");
	rc = exec_stream(s->x, &s->stmt, batch < most ? batch : most, &count, err);
	if (rc)
		return rc;
	wire_map(out, 2);
	wire_cstr(out, "columns");
	exec_write_columns(out, s->columns.list, s->columns.n);
	wire_cstr(out, "count");
	wire_int(out, count);
	return ROWD_OK;
}

enum rowd_code op_select(struct exec *x, const struct request *req, struct err *err)
{
	struct select s = { .x = x, .req = req };
	enum rowd_code rc = plan_select(&s, err);

	if (rc)
		return rc;
	return request_flag(req, OPT_STREAM) ? answer_stream(&s, err) : answer_page(&s, err);
}

/* ---- count, exists ---- */

enum rowd_code op_count(struct exec *x, const struct request *req, struct err *err)
{
	const struct table *t;
	const struct pred *where;
	int64_t n;
	enum rowd_code rc = plan_table(x, req, &t, err);

	if (!rc)
		rc = plan_filter(x, t, req->params[1], &where, err);
	if (!rc)
		rc = exec_count(x, t, where, &n, err);
	if (!rc)
		wire_int(x->out, n);
	return rc;
}

enum rowd_code op_exists(struct exec *x, const struct request *req, struct err *err)
{
	struct select_stmt q = { .one = true, .limit = 1 };
	struct value found;
	enum rowd_code rc = plan_table(x, req, &q.table, err);

	if (!rc)
		rc = plan_filter(x, q.table, req->params[1], &q.where, err);
	if (rc)
		return rc;
	sql_select(x->sql, db_conn_dialect(x->conn), &q);
	rc = db_query_one(x->conn, x->sql, &found, err);
	if (!rc)
		wire_bool(x->out, found.kind != VALUE_NULL);
	return rc;
}
