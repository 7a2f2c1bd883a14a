/*
 * Requests of many clients that came at the same time and name their rows by key: several gets as one
 * statement, several deletes as two. For databases where a statement is a round trip.
 */
#include "config.h"

#include "daemon/exec/guard.h"
#include "daemon/exec/keyset.h"
#include "daemon/exec/read.h"
#include "daemon/ops/ops.h"
#include "daemon/plan/pred.h"

/* Rows are told apart by keys that equal what was asked for byte by byte: a table that rowd did not make may have
 * an idea of its own of what is equal. */
static bool is_told_apart(const struct table *t)
{
	const struct key *k = &t->primary_key;

	return t->portable && k->ncolumns == 1 &&
	       (k->columns[0]->type.kind == TYPE_INT || k->columns[0]->type.kind == TYPE_TEXT ||
		k->columns[0]->type.kind == TYPE_BYTES);
}

static bool has_options(const struct request *req)
{
	for (unsigned i = 0; i < OPT_COUNT_; i++)
		if (req->options[i])
			return true;
	return false;
}

/* Its key, if it goes with those before it, all of one table. What is wrong with a request is said when it is
 * carried out alone. */
static const struct value *plan_one(struct exec *x, const struct keyed *k, const struct table **table)
{
	bool writes = k->req && k->req->op->id == OP_DELETE;
	const struct table *t;
	const struct value *key;
	struct err ignored;

	err_init(&ignored);
	x->caller = k->caller;
	if (!k->req || has_options(k->req))
		return NULL;
	if (writes ? guard_table(x, k->req, &t, &ignored) : plan_table(x, k->req, &t, &ignored))
		return NULL;
	if ((*table && t != *table) || !is_told_apart(t))
		return NULL;
	/* what else would go with a row, or forbid it, is looked at row by row */
	if (writes && (t->nchildren > 0 || guard_max_rows(x, k->req, t) == 0))
		return NULL;
	if (plan_key(x, t, k->req->params[1], &key, &ignored))
		return NULL;
	*table = t;
	return key;
}

struct plan {
	const struct table *table;  /* NULL: there is nothing to do */
	const struct pred *where;
};

static enum rowd_code plan_all(struct exec *x, struct keyed *requests, size_t n, struct plan *out, struct err *err)
{
	struct value *keys = arena_alloc(x->arena, n * sizeof *keys);
	size_t nkeys = 0, i;

	*out = (struct plan){ .table = NULL };
	if (!keys)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the request");
	for (i = 0; i < n; i++) {
		requests[i].key = plan_one(x, &requests[i], &out->table);
		if (requests[i].key)
			keys[nkeys++] = *requests[i].key;
	}
	if (nkeys)
		out->where = pred_in_list(x->arena, out->table->primary_key.columns[0], keys, nkeys);
	if (nkeys && !out->where)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the request");
	return ROWD_OK;
}

/* What did not fit is not answered. */
static void seal(struct keyed *k, size_t start)
{
	k->answered = !k->out->failed;
	if (k->out->failed)
		buf_truncate(k->out, start);
	k->key = NULL;
}

/* ---- gets ---- */

static void answer_get(struct keyed *k, const struct table *t, const struct value *row)
{
	size_t start = k->out->len;

	if (row)
		exec_write_map(k->out, t, row);
	else
		wire_nil(k->out);
	seal(k, start);
}

static enum rowd_code answer_gets(struct db_rows *rows, const struct table *t, struct keyed *requests, size_t n,
				  struct err *err)
{
	unsigned key = t->primary_key.columns[0]->position;
	const struct value *row;
	enum rowd_code rc;
	size_t i;

	for (rc = db_next(rows, &row, err); !rc && row; rc = db_next(rows, &row, err))
		for (i = 0; i < n; i++)
			if (requests[i].key && value_equal(requests[i].key, &row[key]))
				answer_get(&requests[i], t, row);
	for (i = 0; i < n && !rc; i++)
		if (requests[i].key)
			answer_get(&requests[i], t, NULL);
	return rc;
}

enum rowd_code op_get_together(struct exec *x, struct keyed *requests, size_t n, struct err *err)
{
	struct plan_columns columns;
	struct db_rows *rows;
	struct plan p;
	enum rowd_code rc = plan_all(x, requests, n, &p, err);

	if (rc || !p.table)
		return rc;
	rc = plan_columns(x, p.table, NULL, &columns, err);
	if (rc)
		return rc;
	sql_select(x->sql, db_conn_dialect(x->conn),
		   &(struct select_stmt){
			   .table = p.table,
			   .columns = columns.list,
			   .ncolumns = columns.n,
			   .where = p.where,
			   .limit = -1,
		   });
	rc = db_query(x->conn, x->sql, &rows, err);
	if (rc)
		return rc;
	rc = answer_gets(rows, p.table, requests, n, err);
	db_rows_end(rows);
	return rc;
}

/* ---- deletes ---- */

/* Of several who delete one row, the first has done it. ROWD_E_NO_RESOURCE, and nobody is answered, when an answer
 * does not fit: who is carried out alone after that would not find the row any more. */
static enum rowd_code answer_deletes(struct keyed *requests, size_t n, const struct keyset *found, bool *taken,
				     struct err *err)
{
	bool failed = false;
	size_t i;

	for (i = 0; i < n; i++) {
		size_t start = requests[i].out->len, at;

		if (!requests[i].key)
			continue;
		at = keyset_find(found, requests[i].key);
		wire_map(requests[i].out, 1);
		wire_cstr(requests[i].out, "deleted");
		wire_int(requests[i].out, at != SIZE_MAX && !taken[at]);
		if (at != SIZE_MAX)
			taken[at] = true;
		failed |= requests[i].out->failed;
		seal(&requests[i], start);
	}
	for (i = 0; failed && i < n; i++)
		requests[i].answered = false;
	return failed ? err_set(err, ROWD_E_NO_RESOURCE, "no memory for the reply") : ROWD_OK;
}

/* The rows are locked before they are deleted, so that it is known which of them there were. */
enum rowd_code op_delete_together(struct exec *x, struct keyed *requests, size_t n, struct err *err)
{
	struct plan_order order;
	struct keyset found;
	struct plan p;
	bool *taken;
	int64_t deleted = 0;
	enum rowd_code rc = plan_all(x, requests, n, &p, err);

	if (rc || !p.table)
		return rc;
	rc = plan_order(x, p.table, NULL, &order, err);
	if (!rc)
		rc = keyset_select(x, p.table, p.where, &order, -1, -1, &found, err);
	if (rc)
		return rc;
	taken = arena_calloc(x->arena, n, sizeof *taken);
	if (!taken)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the request");
	if (found.count > 0) {
		sql_delete(x->sql, db_conn_dialect(x->conn), p.table, p.where, NULL);
		rc = db_run(x->conn, x->sql, &deleted, NULL, err);
	}
	if (!rc && deleted != (int64_t)found.count)
		rc = err_set(err, ROWD_E_BUSY, "rows came and went meanwhile");
	return rc ? rc : answer_deletes(requests, n, &found, taken, err);
}

op_together_fn *ops_together(enum op_id id)
{
	return id == OP_GET ? op_get_together : id == OP_DELETE ? op_delete_together : NULL;
}
