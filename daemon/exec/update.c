#include "config.h"

#include "daemon/exec/update.h"

#include "daemon/exec/constraint.h"
#include "daemon/exec/guard.h"
#include "daemon/exec/keyset.h"
#include "daemon/exec/read.h"

/* Run the update of the rows of which where is true. by_key: of one row at most. */
static enum rowd_code run_update(struct exec *x, const struct table *t, const struct set_list *sets,
				 const struct pred *where, bool by_key, int64_t *updated_out, struct err *err)
{
	enum rowd_code rc;

	sql_update(x->sql, db_conn_dialect(x->conn), t, sets->terms, sets->count, where, NULL);
	rc = db_run(x->conn, x->sql, updated_out, NULL, err);
	if (rc && constraint_failed(rc))
		return constraint_of_update(x, t, sets, where, by_key, err);
	return rc;
}

enum rowd_code update_one(struct exec *x, const struct table *t, const struct value *key,
			  const struct set_list *sets, int64_t *updated_out, struct err *err)
{
	return run_update(x, t, sets, filter_key_equals(x->arena, t, key), true, updated_out, err);
}

/* ---- many rows ---- */

/* The rows whose keys were taken down, in parts; all that they violate lies within their parts. */
static enum rowd_code update_keys(struct exec *x, const struct update *u, const struct keyset *keys,
				  struct err *err)
{
	enum rowd_code rc = ROWD_OK;
	size_t at = 0;

	while (at < keys->count && !rc) {
		const struct pred *part = keyset_part(x->arena, keys, &at);

		if (!part)
			return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the keys");
		rc = run_update(x, u->table, u->sets, part, false, NULL, err);
	}
	return rc;
}

/* Of the first rows that match, what was violated: asked of their keys, part by part. */
static enum rowd_code explain_first(struct exec *x, const struct update *u, struct err *err)
{
	const struct err first = *err;
	struct keyset keys;
	enum rowd_code rc;
	size_t at = 0;

	if (!db_in_transaction(x->conn) ||
	    keyset_select(x, u->table, u->where, &u->order, u->limit, -1, &keys, err)) {
		*err = first;
		return err->code;
	}
	do {
		const struct pred *part = keyset_part(x->arena, &keys, &at);

		*err = first;
		if (!part)
			return err->code;
		rc = constraint_of_update(x, u->table, u->sets, part, false, err);
	} while (at < keys.count && !err->column[0]);
	return rc;
}

/* The first of the rows that match: the database finds them by itself. */
static enum rowd_code update_first(struct exec *x, const struct update *u, int64_t *updated_out,
				   struct err *err)
{
	const struct select_stmt keyed_by = keyset_first(u->table, u->where, &u->order, u->limit);
	enum rowd_code rc;

	sql_update(x->sql, db_conn_dialect(x->conn), u->table, u->sets->terms, u->sets->count, NULL,
		   &keyed_by);
	rc = db_run(x->conn, x->sql, updated_out, NULL, err);
	return rc && constraint_failed(rc) ? explain_first(x, u, err) : rc;
}

static enum rowd_code update_returning(struct exec *x, const struct update *u, struct err *err)
{
	struct keyset keys;
	enum rowd_code rc =
		keyset_select(x, u->table, u->where, &u->order, u->limit, x->limits->reply_rows, &keys, err);

	if (!rc)
		rc = update_keys(x, u, &keys, err);
	if (rc)
		return rc;
	wire_map(x->out, 3);
	wire_cstr(x->out, "updated");
	wire_uint(x->out, keys.count);
	wire_cstr(x->out, "columns");
	exec_write_columns(x->out, u->returning.list, u->returning.n);
	wire_cstr(x->out, "rows");
	return keyset_write_rows(x, &keys, &u->returning, err);
}

enum rowd_code update_rows(struct exec *x, const struct update *u, struct err *err)
{
	int64_t n = 0;
	enum rowd_code rc = ROWD_OK;

	if (u->dry_run || u->max_rows >= 0)
		rc = guard_count(x, u->table, u->where, u->limit, u->max_rows, &n, err);
	if (rc)
		return rc;
	if (!u->dry_run && u->returning.n > 0)
		return update_returning(x, u, err);
	if (!u->dry_run) {
		rc = u->limit >= 0 ? update_first(x, u, &n, err)
				   : run_update(x, u->table, u->sets, u->where, false, &n, err);
		if (!rc)
			rc = guard_check(u->table, n, u->max_rows, err);
	}
	if (rc)
		return rc;
	wire_map(x->out, 1);
	wire_cstr(x->out, u->dry_run ? "matched" : "updated");
	wire_int(x->out, n);
	return ROWD_OK;
}
