#include "config.h"

#include "daemon/exec/read.h"

void exec_write_columns(struct buf *b, const struct column *const *columns, unsigned n)
{
	wire_array(b, n);
	for (unsigned i = 0; i < n; i++)
		wire_cstr(b, columns[i]->name);
}

void exec_write_row(struct buf *b, const struct value *row, size_t n)
{
	wire_array(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		value_to_wire(b, &row[i]);
}

void exec_write_map(struct buf *b, const struct table *t, const struct value *row)
{
	wire_map(b, t->ncolumns);
	for (unsigned i = 0; i < t->ncolumns; i++) {
		wire_cstr(b, t->columns[i].name);
		value_to_wire(b, &row[i]);
	}
}

size_t exec_reply_end(const struct exec *x, size_t start)
{
	size_t end = start + (size_t)x->limits->reply_bytes;

	return (end < x->out->max_bytes ? end : x->out->max_bytes) - EXEC_TAIL_BYTES;
}

static enum rowd_code reply_too_long(const struct exec *x, struct err *err)
{
	return err_limit(err, x->limits->reply_bytes, "the reply");
}

static enum rowd_code query(struct exec *x, const struct select_stmt *q, struct db_rows **out,
			    struct err *err)
{
	sql_select(x->sql, db_conn_dialect(x->conn), q);
	return db_query(x->conn, x->sql, out, err);
}

/* ---- one reply ---- */

struct page {
	struct exec *x;
	int64_t limit; /* of rows */
	size_t end;    /* of bytes */
	int64_t nrows;
	bool more;
};

/* False: it was one row too many, and is not there. */
static bool page_add(struct page *p, const struct value *row)
{
	struct buf *out = p->x->out;
	size_t before = out->len;

	p->more = p->nrows == p->limit;
	if (p->more)
		return false;
	exec_write_row(out, row, p->x->sql->ntypes);
	if (out->failed || out->len > p->end) {
		buf_truncate(out, before);
		p->more = true;
		return false;
	}
	p->nrows++;
	return true;
}

static enum rowd_code page_fill(struct page *p, struct db_rows *rows, struct err *err)
{
	size_t open = wire_array_open(p->x->out);
	const struct value *row = NULL;
	enum rowd_code rc;

	if (p->x->out->failed)
		return reply_too_long(p->x, err);
	do
		rc = db_next(rows, &row, err);
	while (!rc && row && page_add(p, row));
	if (!rc)
		wire_array_close(p->x->out, open, (uint32_t)p->nrows);
	return rc;
}

static enum rowd_code page_run(struct page *p, const struct select_stmt *q, struct err *err)
{
	struct db_rows *rows;
	enum rowd_code rc = query(p->x, q, &rows, err);

	if (rc)
		return rc;
	rc = page_fill(p, rows, err);
	db_rows_end(rows);
	return rc;
}

enum rowd_code exec_page(struct exec *x, struct select_stmt *q, int64_t limit, size_t start, bool *more_out,
			 struct err *err)
{
	struct page p = { .x = x, .limit = limit, .end = exec_reply_end(x, start) };
	enum rowd_code rc;

	q->limit = limit + 1;
	rc = page_run(&p, q, err);
	if (rc)
		return rc;
	if (p.more && p.nrows == 0 && limit > 0)
		return reply_too_long(x, err);
	/* the answers of others may fill a loop's buffer: that must not decide where a page ends */
	if (p.more && p.nrows < limit && x->inline_read &&
	    p.end < start + (size_t)x->limits->reply_bytes - EXEC_TAIL_BYTES)
		return reply_too_long(x, err);
	*more_out = p.more;
	return ROWD_OK;
}

enum rowd_code exec_rows(struct exec *x, const struct select_stmt *q, int64_t *count_out, struct err *err)
{
	struct page p = { .x = x,
			  .limit = x->limits->reply_rows,
			  .end = x->out->max_bytes - EXEC_TAIL_BYTES };
	enum rowd_code rc = page_run(&p, q, err);

	if (rc)
		return rc;
	if (p.more && p.nrows == p.limit)
		return err_limit(err, p.limit, "the number of rows in the reply");
	if (p.more)
		return reply_too_long(x, err);
	*count_out = p.nrows;
	return ROWD_OK;
}

enum rowd_code exec_count(struct exec *x, const struct table *table, const struct pred *where, int64_t *out,
			  struct err *err)
{
	const struct select_stmt q = { .table = table, .where = where, .count = true, .limit = -1 };
	struct value n;
	enum rowd_code rc;

	sql_select(x->sql, db_conn_dialect(x->conn), &q);
	rc = db_query_one(x->conn, x->sql, &n, err);
	if (!rc)
		*out = n.u.i;
	return rc;
}

/* ---- streams ---- */

struct stream {
	struct exec *x;
	struct buf batch;
	size_t open;
	int64_t batch_rows;
	int64_t nrows; /* in batch */
	int64_t total;
};

static void stream_open(struct stream *s)
{
	buf_clear(&s->batch);
	s->open = wire_array_open(&s->batch);
	s->nrows = 0;
}

static enum rowd_code stream_flush(struct stream *s, struct err *err)
{
	enum rowd_code rc;

	wire_array_close(&s->batch, s->open, (uint32_t)s->nrows);
	rc = s->x->batch(s->x->batch_arg, &s->batch, err);
	s->total += s->nrows;
	stream_open(s);
	return rc;
}

/* A row that makes the batch too long begins the next one. */
static enum rowd_code stream_add(struct stream *s, const struct value *row, struct err *err)
{
	size_t before = s->batch.len;
	enum rowd_code rc = ROWD_OK;

	exec_write_row(&s->batch, row, s->x->sql->ntypes);
	if (s->nrows > 0 && (s->batch.failed || s->batch.len > STREAM_BATCH_MAX_BYTES)) {
		buf_truncate(&s->batch, before);
		rc = stream_flush(s, err);
		if (rc)
			return rc;
		exec_write_row(&s->batch, row, s->x->sql->ntypes);
	}
	if (s->batch.failed)
		return err_limit(err, s->x->limits->reply_bytes, "a row");
	s->nrows++;
	return s->nrows == s->batch_rows ? stream_flush(s, err) : ROWD_OK;
}

static enum rowd_code stream_run(struct stream *s, struct db_rows *rows, struct err *err)
{
	const struct value *row = NULL;
	enum rowd_code rc;

	stream_open(s);
	do {
		rc = db_next(rows, &row, err);
		if (!rc && row)
			rc = stream_add(s, row, err);
	} while (!rc && row);
	return !rc && s->nrows > 0 ? stream_flush(s, err) : rc;
}

enum rowd_code exec_stream(struct exec *x, const struct select_stmt *q, int64_t batch_rows,
			   int64_t *count_out, struct err *err)
{
	struct stream s = { .x = x, .batch_rows = batch_rows };
	struct db_rows *rows;
	enum rowd_code rc = query(x, q, &rows, err);

	if (rc)
		return rc;
	buf_init(&s.batch, (size_t)x->limits->reply_bytes);
	rc = stream_run(&s, rows, err);
	buf_fini(&s.batch);
	db_rows_end(rows);
	if (!rc)
		*count_out = s.total;
	return rc;
}
