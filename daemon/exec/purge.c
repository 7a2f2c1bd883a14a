#include "config.h"

#include "daemon/exec/purge.h"

#include <stdio.h>
#include <string.h>

#include "daemon/exec/archive.h"
#include "daemon/exec/read.h"
#include "daemon/plan/plan.h"
#include "daemon/plan/pred.h"
#include "proto/fingerprint.h"

enum {
	ARCHIVE_CHUNK_MAX_BYTES = 2 * 1024 * 1024,    /* of several rows: in memory until they are on disk */
	ARCHIVE_ROW_MAX_BYTES = 1024 * 1024 * 1024
};

/* A job against the catalog of this transaction. */
struct target {
	const struct table *table;
	const struct pred *filter;
	const struct value *position;  /* NULL: from the first row */
	const struct value *last;      /* NULL: to the last row */
};

/* ---- what the record says, understood ---- */

/* Decoded objects point into data, which lives in the arena, so what is planned from them outlives them. */
static enum rowd_code decode(msgpack_unpacked *u, const char *data, size_t len, struct err *err)
{
	size_t off = 0;

	msgpack_unpacked_init(u);
	if (msgpack_unpack_next(u, data, len, &off) == MSGPACK_UNPACK_SUCCESS)
		return ROWD_OK;
	msgpack_unpacked_destroy(u);
	return err_set(err, ROWD_E_INTERNAL, "the job's record is damaged");
}

static enum rowd_code read_key(struct exec *x, const struct table *table, const char *data, size_t len,
			       const struct value **out, struct err *err)
{
	msgpack_unpacked u;
	enum rowd_code rc;

	*out = NULL;
	if (!len)
		return ROWD_OK;
	rc = decode(&u, data, len, err);
	if (rc)
		return rc;
	rc = plan_key(x, table, &u.data, out, err);
	msgpack_unpacked_destroy(&u);
	return rc;
}

static enum rowd_code read_target(struct exec *x, const struct purge_record *r, struct target *out,
				  struct err *err)
{
	msgpack_unpacked u;
	enum rowd_code rc;

	*out = (struct target){ .table = catalog_find(db_catalog(x->conn), r->table, strlen(r->table)) };
	if (!out->table)
		return err_set(err, ROWD_E_UNKNOWN_TABLE, "the table is gone");
	rc = decode(&u, r->filter, r->filter_len, err);
	if (rc)
		return rc;
	rc = plan_filter(x, out->table, &u.data, &out->filter, err);
	msgpack_unpacked_destroy(&u);
	return rc ? rc : read_key(x, out->table, r->position, r->position_len, &out->position, err);
}

/* ---- the rows of a chunk ---- */

/*
 * The rows whose key is greater than bound (PRED_GT), or at most it (PRED_LE). Of a key with several columns:
 * (a, b) > (x, y) as a >= x AND (a > x OR (a = x AND b > y)), whose first term an index can serve.
 */
static const struct pred *beside(struct arena *a, const struct table *t, const struct value *bound, enum pred_op op)
{
	const struct key *key = &t->primary_key;
	enum pred_op strict = op == PRED_GT ? PRED_GT : PRED_LT, loose = op == PRED_GT ? PRED_GE : PRED_LE;
	const struct pred *rest = pred_compare(a, op, key->columns[key->ncolumns - 1], &bound[key->ncolumns - 1]);

	for (unsigned i = key->ncolumns - 1; i-- > 0 && rest;) {
		const struct pred *equal[] = { pred_compare(a, PRED_EQ, key->columns[i], &bound[i]), rest };
		const struct pred *either[] = { pred_compare(a, strict, key->columns[i], &bound[i]),
						pred_join(a, PRED_AND, equal, 2) };
		const struct pred *both[] = { pred_compare(a, loose, key->columns[i], &bound[i]),
					      pred_join(a, PRED_OR, either, 2) };

		rest = pred_join(a, PRED_AND, both, 2);
	}
	return rest;
}

/* What matches behind the position, up to the chunk's last key. */
static enum rowd_code chunk_filter(struct exec *x, const struct target *t, const struct pred **out, struct err *err)
{
	const struct pred *kids[3] = { t->filter };
	unsigned n = 1;

	if (t->position)
		kids[n++] = beside(x->arena, t->table, t->position, PRED_GT);
	if (t->last)
		kids[n++] = beside(x->arena, t->table, t->last, PRED_LE);
	*out = pred_join(x->arena, PRED_AND, kids, n);
	return *out ? ROWD_OK : err_set(err, ROWD_E_NO_RESOURCE, "no memory for the chunk");
}

static struct order_term *by_key(struct exec *x, const struct table *t)
{
	struct order_term *order = arena_calloc(x->arena, t->primary_key.ncolumns, sizeof(*order));

	for (unsigned i = 0; order && i < t->primary_key.ncolumns; i++)
		order[i].column = t->primary_key.columns[i];
	return order;
}

/* ---- scanning ---- */

/* How many rows the next chunk may have: never more than the job still may delete. */
static int64_t chunk_rows(const struct purge_step *step)
{
	int64_t left = step->record.options.max_rows - step->record.deleted;

	return step->record.options.max_rows >= 0 && left < step->rows ? left : step->rows;
}

static enum rowd_code keep_last(struct purge_step *step, const struct value *row, unsigned n, struct err *err)
{
	struct buf b;

	buf_init(&b, sizeof(step->last));
	exec_write_row(&b, row, n);
	if (!b.failed)
		memcpy(step->last, b.data, b.len);
	step->last_len = b.failed ? 0 : b.len;
	if (b.failed)
		err_limit(err, (int64_t)sizeof(step->last), "the key of a row");
	buf_fini(&b);
	return step->last_len ? ROWD_OK : err->code;
}

/* The key of the rows-th row that matches from here on; none: the chunk is the last. */
static enum rowd_code find_last(struct exec *x, const struct target *t, struct purge_step *step, struct err *err)
{
	const struct key *key = &t->table->primary_key;
	struct select_stmt q = {
		.table = t->table, .columns = (const struct column **)key->columns, .ncolumns = key->ncolumns,
		.order = by_key(x, t->table), .norder = key->ncolumns,
		.limit = 1, .offset = chunk_rows(step) - 1,
	};
	const struct value *row;
	struct db_rows *rows;
	enum rowd_code rc = chunk_filter(x, t, &q.where, err);

	step->last_len = 0;
	if (rc)
		return rc;
	if (!q.order)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the chunk");
	sql_select(x->sql, db_conn_dialect(x->conn), &q);
	rc = db_query(x->conn, x->sql, &rows, err);
	if (rc)
		return rc;
	rc = db_next(rows, &row, err);
	if (!rc && row)
		rc = keep_last(step, row, key->ncolumns, err);
	db_rows_end(rows);
	return rc;
}

/* The pointers of a record live in an arena that is gone after the step. */
static void keep_record(struct purge_step *step, const struct purge_record *r)
{
	step->record = *r;
	step->record.filter = step->record.position = NULL;
	step->record.filter_len = step->record.position_len = 0;
}

static bool is_over(const struct purge_record *r, int64_t elapsed_ms)
{
	return (r->options.max_rows >= 0 && r->deleted >= r->options.max_rows) ||
	       (r->options.max_seconds >= 0 && elapsed_ms >= r->options.max_seconds * 1000);
}

enum rowd_code purge_scan(struct exec *x, struct purge_step *step, struct err *err)
{
	struct purge_record r;
	struct target t;
	int64_t matched = step->record.matched;
	enum rowd_code rc = purge_record_read(x, step->id, &r, err);

	if (rc)
		return rc;
	if (r.matched < 0)
		r.matched = matched;           /* counted before, by a step that came to nothing */
	if (!step->rows || r.options.rows != step->seen_rows)
		step->rows = r.options.rows;
	step->seen_rows = r.options.rows;
	keep_record(step, &r);
	step->more = r.state == PURGE_RUNNING;
	step->distress = NULL;
	step->last_len = 0;
	if (!step->more || is_over(&r, r.elapsed_ms))
		return ROWD_OK;
	rc = read_target(x, &r, &t, err);
	if (!rc && step->record.matched < 0 && !step->uncounted) {
		rc = exec_count(x, t.table, t.filter, &step->record.matched, err);
		step->uncounted = rc == ROWD_E_TIMEOUT;
	}
	if (!rc)
		rc = find_last(x, &t, step, err);
	if (!rc)
		step->distress = db_distress(x->conn);
	return rc;
}

/* ---- deleting ---- */

/* [job, rows before, [row, ...], checksum] into b. */
static enum rowd_code encode_chunk(struct exec *x, const struct target *t, const struct pred *where,
				   const struct purge_record *r, struct buf *b, int64_t *count, struct err *err)
{
	const struct column **columns = arena_calloc(x->arena, t->table->ncolumns, sizeof(*columns));
	struct select_stmt q = { .table = t->table, .columns = columns, .ncolumns = t->table->ncolumns,
				 .where = where, .order = by_key(x, t->table),
				 .norder = t->table->primary_key.ncolumns, .limit = -1, .for_update = true };
	uint8_t checksum[FINGERPRINT_BYTES];
	const struct value *row;
	struct db_rows *rows;
	size_t open;
	enum rowd_code rc;

	if (!columns || !q.order)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the archive");
	for (unsigned i = 0; i < q.ncolumns; i++)
		columns[i] = &t->table->columns[i];
	wire_array(b, 4);
	wire_int(b, r->id);
	wire_int(b, r->deleted);
	open = wire_array_open(b);
	*count = 0;
	sql_select(x->sql, db_conn_dialect(x->conn), &q);
	rc = db_query(x->conn, x->sql, &rows, err);
	if (rc)
		return rc;
	while (!b->failed && !(rc = db_next(rows, &row, err)) && row) {
		wire_map(b, q.ncolumns);
		for (unsigned i = 0; i < q.ncolumns; i++) {
			wire_cstr(b, columns[i]->name);
			value_to_wire(b, &row[i]);
		}
		++*count;
	}
	db_rows_end(rows);
	if (rc)
		return rc;
	wire_array_close(b, open, (uint32_t)*count);
	if (b->failed)
		return err_limit(err, (int64_t)b->max_bytes, "the archive of one chunk");
	fingerprint_write(fingerprint_bytes(fingerprint_start(), b->data + open, b->len - open), checksum);
	wire_bin(b, checksum, sizeof(checksum));
	return b->failed ? err_set(err, ROWD_E_NO_RESOURCE, "no memory for the archive") : ROWD_OK;
}

static enum rowd_code archive_chunk(struct exec *x, const struct target *t, const struct pred *where,
				    const struct purge_step *step, struct purge_record *r, int64_t *count,
				    struct err *err)
{
	struct buf b;
	enum rowd_code rc;

	buf_init(&b, step->rows > 1 ? ARCHIVE_CHUNK_MAX_BYTES : ARCHIVE_ROW_MAX_BYTES);
	rc = encode_chunk(x, t, where, r, &b, count, err);
	if (!rc && *count)
		rc = archive_append(r->archive, r->archive_bytes, &b, &r->archive_bytes, err);
	buf_fini(&b);
	return rc;
}

static enum rowd_code delete_chunk(struct exec *x, const struct target *t, const struct purge_step *step,
				   struct purge_record *r, struct err *err)
{
	const struct pred *where;
	int64_t archived = -1, deleted;
	enum rowd_code rc = chunk_filter(x, t, &where, err);

	if (!rc && *r->archive)
		rc = archive_chunk(x, t, where, step, r, &archived, err);
	if (rc)
		return rc;
	sql_delete(x->sql, db_conn_dialect(x->conn), t->table, where, NULL);
	rc = db_run(x->conn, x->sql, &deleted, NULL, err);
	if (rc)
		return rc;
	r->deleted += deleted;
	if ((archived >= 0 && archived != deleted) ||
	    (r->options.max_rows >= 0 && r->deleted > r->options.max_rows))
		return err_set(err, ROWD_E_BUSY, "rows came in while the chunk was being chosen");
	return ROWD_OK;
}

static enum rowd_code save(struct exec *x, struct purge_step *step, struct purge_record *r, struct err *err)
{
	enum rowd_code rc = purge_record_save(x, r, err);

	if (!rc)
		keep_record(step, r);
	return rc;
}

enum rowd_code purge_chunk(struct exec *x, struct purge_step *step, struct err *err)
{
	struct purge_record r;
	struct target t;
	enum rowd_code rc = purge_record_read(x, step->id, &r, err);

	if (rc)
		return rc;
	step->more = r.state == PURGE_RUNNING;
	if (!step->more || r.deleted != step->record.deleted) {
		keep_record(step, &r);         /* paused meanwhile, or run by another */
		return ROWD_OK;
	}
	r.matched = step->record.matched;
	r.elapsed_ms += step->elapsed_ms;
	step->more = !is_over(&r, r.elapsed_ms);
	if (step->more) {
		rc = read_target(x, &r, &t, err);
		if (!rc)
			rc = read_key(x, t.table, step->last, step->last_len, &t.last, err);
		if (!rc)
			rc = delete_chunk(x, &t, step, &r, err);
		if (rc)
			return rc;
		step->more = step->last_len && !is_over(&r, r.elapsed_ms);
		r.position = step->last_len ? step->last : r.position;
		r.position_len = step->last_len ? step->last_len : r.position_len;
	}
	if (r.options.target_ms && r.options.rows == step->seen_rows)
		r.options.rows = step->seen_rows = step->rows;
	if (!step->more)
		r.state = PURGE_DONE;
	return save(x, step, &r, err);
}

enum rowd_code purge_fail(struct exec *x, struct purge_step *step, const char *why, struct err *err)
{
	struct purge_record r;
	enum rowd_code rc = purge_record_read(x, step->id, &r, err);

	if (rc)
		return rc;
	step->more = false;
	if (r.state != PURGE_RUNNING) {
		keep_record(step, &r);
		return ROWD_OK;
	}
	r.state = PURGE_FAILED;
	r.elapsed_ms += step->elapsed_ms;
	r.matched = step->record.matched;
	snprintf(r.error, sizeof(r.error), "%s", why);
	return save(x, step, &r, err);
}
