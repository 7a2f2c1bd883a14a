#include "config.h"

#include "daemon/exec/guard.h"
#include "daemon/exec/insert.h"
#include "daemon/exec/keyset.h"
#include "daemon/exec/read.h"
#include "daemon/exec/update.h"
#include "daemon/ops/ops.h"

/* ---- insert, upsert ---- */

/* An insert or upsert on its way. */
struct addition {
	struct row_set rows;
	struct plan_columns returning;
	struct insert_result result;
};

static enum rowd_code plan_addition(struct exec *x, const struct request *req, struct addition *a,
				    struct err *err)
{
	const struct table *t;
	enum rowd_code rc = guard_table(x, req, &t, err);

	if (!rc)
		rc = plan_returning(x, req, t, &a->returning, err);
	if (!rc)
		rc = rows_read(x->arena, x->limits, t, req->params[1], &a->rows, err);
	if (!rc && a->returning.n > 0 && (int64_t)a->rows.count > x->limits->reply_rows)
		rc = err_limit(err, x->limits->reply_rows, "the number of rows in one reply");
	return rc;
}

static void write_ids(struct exec *x, const struct addition *a)
{
	wire_cstr(x->out, "ids");
	wire_array(x->out, (uint32_t)a->rows.count);
	for (size_t i = 0; i < a->rows.count; i++)
		value_to_wire(x->out, &a->result.ids[i]);
}

/* The rows as they are stored, in the order in which they came. */
static enum rowd_code write_returning(struct exec *x, const struct addition *a, struct err *err)
{
	struct value key[INDEX_MAX_COLUMNS * 2];
	struct keyset keys;
	enum rowd_code rc = keyset_init(&keys, a->rows.table, err);

	for (size_t i = 0; i < a->rows.count && !rc; i++) {
		rc = insert_key(&a->rows, &a->result, i, key, err);
		if (!rc)
			rc = keyset_add(x, &keys, key, err);
	}
	if (rc)
		return rc;
	wire_cstr(x->out, "columns");
	exec_write_columns(x->out, a->returning.list, a->returning.n);
	wire_cstr(x->out, "rows");
	return keyset_write_each(x, &keys, &a->returning, err);
}

enum rowd_code op_insert(struct exec *x, const struct request *req, struct err *err)
{
	struct addition a;
	enum rowd_code rc = plan_addition(x, req, &a, err);
	bool ids;

	if (!rc)
		rc = insert_rows(x, &a.rows, &a.result, err);
	if (rc)
		return rc;
	ids = a.result.id_column != NULL;
	wire_map(x->out, 1u + ids + (a.returning.n > 0 ? 2 : 0));
	wire_cstr(x->out, "inserted");
	wire_int(x->out, a.result.inserted);
	if (ids)
		write_ids(x, &a);
	return a.returning.n > 0 ? write_returning(x, &a, err) : ROWD_OK;
}

enum rowd_code op_upsert(struct exec *x, const struct request *req, struct err *err)
{
	struct addition a;
	enum rowd_code rc = plan_addition(x, req, &a, err);

	if (!rc)
		rc = upsert_rows(x, &a.rows, &a.result, err);
	if (rc)
		return rc;
	wire_map(x->out, a.returning.n > 0 ? 4 : 2);
	wire_cstr(x->out, "inserted");
	wire_int(x->out, a.result.inserted);
	wire_cstr(x->out, "updated");
	wire_int(x->out, a.result.updated);
	return a.returning.n > 0 ? write_returning(x, &a, err) : ROWD_OK;
}

/* ---- updates ---- */

enum rowd_code op_update(struct exec *x, const struct request *req, struct err *err)
{
	const struct table *t;
	const struct value *key;
	struct set_list sets;
	int64_t updated = 0;
	enum rowd_code rc = guard_table(x, req, &t, err);

	if (!rc)
		rc = plan_key(x, t, req->params[1], &key, err);
	if (!rc)
		rc = sets_read(x->arena, x->limits, t, req->params[2], &sets, err);
	if (!rc && guard_max_rows(x, req, t) == 0)
		rc = guard_count(x, t, filter_key_equals(x->arena, t, key), -1, 0, &updated, err);
	if (!rc)
		rc = update_one(x, t, key, &sets, &updated, err);
	if (rc)
		return rc;
	wire_map(x->out, 1);
	wire_cstr(x->out, "updated");
	wire_int(x->out, updated);
	return ROWD_OK;
}

/* In which order rows get computed values decides whether they meet on a unique key on the way. */
static enum rowd_code check_unique_terms(const struct table *t, const struct set_list *sets, struct err *err)
{
	for (unsigned i = 0; i < sets->count; i++) {
		const struct column *c = sets->terms[i].column;

		for (unsigned k = 0; k < t->nuniques && sets->terms[i].op != SET_VALUE; k++) {
			if (!key_has_column(&t->uniques[k], c))
				continue;
			err_set(err, ROWD_E_UNSUPPORTED,
				"column %s is part of a unique key: it is computed one row at a time",
				c->name);
			err_where(err, t->name, c->name);
			return ROWD_E_UNSUPPORTED;
		}
	}
	return ROWD_OK;
}

static enum rowd_code plan_update(struct exec *x, const struct request *req, const msgpack_object *filter,
				  const msgpack_object *set, struct update *u, struct set_list *sets,
				  struct err *err)
{
	const msgpack_object *order = req->options[OPT_ORDER];
	enum rowd_code rc;

	*u = (struct update){ .sets = sets,
			      .limit = request_uint(req, OPT_LIMIT, -1),
			      .dry_run = request_flag(req, OPT_DRY_RUN) };
	rc = guard_table(x, req, &u->table, err);
	if (!rc && order && u->limit < 0)
		rc = err_set(err, ROWD_E_BAD_REQUEST,
			     "an order decides which rows only together with a limit");
	if (!rc)
		rc = plan_filter(x, u->table, filter, &u->where, err);
	if (!rc)
		rc = sets_read(x->arena, x->limits, u->table, set, sets, err);
	if (!rc)
		rc = check_unique_terms(u->table, sets, err);
	if (!rc)
		rc = plan_returning(x, req, u->table, &u->returning, err);
	if (!rc && (u->limit >= 0 || u->returning.n > 0))
		rc = plan_order(x, u->table, order, &u->order, err);
	if (!rc)
		u->max_rows = guard_max_rows(x, req, u->table);
	return rc;
}

enum rowd_code op_update_where(struct exec *x, const struct request *req, struct err *err)
{
	struct set_list sets;
	struct update u;
	enum rowd_code rc = plan_update(x, req, req->params[1], req->params[2], &u, &sets, err);

	return rc ? rc : update_rows(x, &u, err);
}

enum rowd_code op_update_all(struct exec *x, const struct request *req, struct err *err)
{
	struct set_list sets;
	struct update u;
	enum rowd_code rc = plan_update(x, req, NULL, req->params[1], &u, &sets, err);

	return rc ? rc : update_rows(x, &u, err);
}
