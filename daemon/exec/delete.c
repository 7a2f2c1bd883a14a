#include "config.h"

#include "daemon/exec/delete.h"

#include "daemon/exec/cascade.h"
#include "daemon/exec/constraint.h"
#include "daemon/exec/guard.h"
#include "daemon/exec/keyset.h"
#include "daemon/exec/preview.h"
#include "daemon/exec/read.h"

/* One deletion on its way. */
struct course {
	struct exec *x;
	const struct deletion *d;
	const struct pred *where; /* of the rows meant; of those in keys when they were taken down */
	struct keyset keys;
	bool keyed; /* the rows meant are those in keys */
	int64_t matched;
	int64_t shown; /* rows that the token was made of */
	struct cascade_count *cascaded;
	unsigned ncascaded;
};

/* ---- before ---- */

static enum rowd_code take_keys(struct course *c, struct err *err)
{
	const struct deletion *d = c->d;
	int64_t most = d->returning.n > 0 && !d->dry_run ? c->x->limits->reply_rows : -1;
	enum rowd_code rc = keyset_select(c->x, d->table, d->where, &d->order, d->limit, most, &c->keys, err);

	if (rc)
		return rc;
	c->keyed = true;
	c->matched = (int64_t)c->keys.count;
	return ROWD_OK;
}

/* A condition for exactly the rows meant, where one is needed. */
static enum rowd_code narrow(struct course *c, struct err *err)
{
	if (!c->keyed || c->d->limit < 0)
		return ROWD_OK;
	return keyset_filter(c->x, &c->keys, &c->where, err);
}

/* Databases differ on rows that restrict and would themselves be deleted: here any such row refuses. */
static enum rowd_code refuse_ambiguous(struct course *c, const struct cascade *cascade, struct err *err)
{
	const struct foreign_key *fk;
	enum rowd_code rc = cascade_find_block(c->x, cascade, &fk, err);

	if (!rc && fk)
		rc = constraint_restricts(fk, err);
	return rc;
}

/* What goes along, and what is in the way and cannot be left to the database. */
static enum rowd_code look_at_children(struct course *c, struct err *err)
{
	const struct deletion *d = c->d;
	bool ambiguous = !d->dry_run && cascade_is_ambiguous(d->table);
	struct cascade cascade;
	enum rowd_code rc;

	if (d->table->nchildren == 0 || (!d->cascaded && !ambiguous))
		return ROWD_OK;
	rc = narrow(c, err);
	if (!rc)
		rc = cascade_plan(c->x, d->table, c->where, &cascade, err);
	if (!rc && ambiguous)
		rc = refuse_ambiguous(c, &cascade, err);
	if (!rc && d->cascaded)
		rc = cascade_count(c->x, &cascade, &c->cascaded, &c->ncascaded, err);
	return rc;
}

/* Must the keys of the rows be known before they are deleted? */
static bool needs_keys(const struct deletion *d)
{
	if (d->returning.n > 0 && !d->dry_run)
		return true;
	return d->limit >= 0 && d->table->nchildren > 0 && (d->cascaded || cascade_is_ambiguous(d->table));
}

static enum rowd_code stale(const struct deletion *d, struct err *err)
{
	err_set(err, ROWD_E_PREVIEW_STALE, "what would be deleted is no longer what the token was made of");
	err_where(err, d->table->name, NULL);
	return ROWD_E_PREVIEW_STALE;
}

static enum rowd_code check_token(struct course *c, struct err *err)
{
	struct preview p;
	enum rowd_code rc = preview_take(c->x, c->d->table, c->where, true, &p, err);

	if (rc)
		return rc;
	c->shown = p.matched;
	return preview_is(&p, c->d->token, c->d->token_len) ? ROWD_OK : stale(c->d, err);
}

static enum rowd_code prepare(struct course *c, struct err *err)
{
	const struct deletion *d = c->d;
	enum rowd_code rc = ROWD_OK;

	if (d->token)
		rc = check_token(c, err);
	if (!rc && (d->dry_run || d->max_rows >= 0))
		rc = guard_count(c->x, d->table, d->where, d->limit, d->max_rows, &c->matched, err);
	if (!rc && needs_keys(d))
		rc = take_keys(c, err);
	if (!rc && d->token && c->keyed && c->matched != c->shown)
		rc = stale(d, err);
	return rc ? rc : look_at_children(c, err);
}

/* ---- the delete itself ---- */

static enum rowd_code run_delete(struct course *c, const struct pred *where, int64_t *deleted_out,
				 struct err *err)
{
	struct exec *x = c->x;
	enum rowd_code rc;

	if (where != c->d->where || !c->d->key || !sql_delete_row(x->sql, c->d->table, c->d->key))
		sql_delete(x->sql, db_conn_dialect(x->conn), c->d->table, where, NULL);
	rc = db_run(x->conn, x->sql, deleted_out, NULL, err);
	if (rc && constraint_failed(rc))
		return constraint_of_delete(x, c->d->table, where, err);
	return rc;
}

/* Exactly the rows whose keys were taken down; all of what is in the way lies within their parts. */
static enum rowd_code delete_keys(struct course *c, struct err *err)
{
	enum rowd_code rc = ROWD_OK;
	size_t at = 0;

	while (at < c->keys.count && !rc) {
		const struct pred *part = keyset_part(c->x->arena, &c->keys, &at);

		if (!part)
			return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the keys");
		rc = run_delete(c, part, NULL, err);
	}
	return rc;
}

/* Of the first rows that match, who stood in the way: asked of their keys, part by part. */
static enum rowd_code explain_first(struct course *c, struct err *err)
{
	const struct err first = *err;
	enum rowd_code rc;
	size_t at = 0;

	if (!db_in_transaction(c->x->conn) || take_keys(c, err)) {
		*err = first;
		return err->code;
	}
	do {
		const struct pred *part = keyset_part(c->x->arena, &c->keys, &at);

		*err = first;
		if (!part)
			return err->code;
		rc = constraint_of_delete(c->x, c->d->table, part, err);
	} while (at < c->keys.count && !err->column[0]);
	return rc;
}

/* The first in the order: the database finds them by itself. */
static enum rowd_code delete_first(struct course *c, struct err *err)
{
	const struct deletion *d = c->d;
	const struct select_stmt keyed_by = keyset_first(d->table, d->where, &d->order, d->limit);
	enum rowd_code rc;

	sql_delete(c->x->sql, db_conn_dialect(c->x->conn), d->table, NULL, &keyed_by);
	rc = db_run(c->x->conn, c->x->sql, &c->matched, NULL, err);
	return rc && constraint_failed(rc) ? explain_first(c, err) : rc;
}

static enum rowd_code carry_out(struct course *c, struct err *err)
{
	enum rowd_code rc;

	if (c->keyed)
		return delete_keys(c, err);
	rc = c->d->limit >= 0 ? delete_first(c, err) : run_delete(c, c->d->where, &c->matched, err);
	if (!rc && c->d->token && c->matched != c->shown)
		rc = stale(c->d, err);
	return rc ? rc : guard_check(c->d->table, c->matched, c->d->max_rows, err);
}

/* ---- the answer ---- */

static void write_count(struct course *c)
{
	wire_cstr(c->x->out, c->d->dry_run ? "matched" : "deleted");
	wire_int(c->x->out, c->matched);
}

static void write_cascaded(struct course *c)
{
	if (!c->d->cascaded)
		return;
	wire_cstr(c->x->out, "cascaded");
	cascade_write(c->x->out, c->cascaded, c->ncascaded);
}

/* The rows are told before they go. */
static enum rowd_code delete_returning(struct course *c, struct err *err)
{
	enum rowd_code rc;

	wire_map(c->x->out, 3 + c->d->cascaded);
	write_count(c);
	wire_cstr(c->x->out, "columns");
	exec_write_columns(c->x->out, c->d->returning.list, c->d->returning.n);
	wire_cstr(c->x->out, "rows");
	rc = keyset_write_rows(c->x, &c->keys, &c->d->returning, err);
	if (!rc)
		rc = delete_keys(c, err);
	if (!rc)
		write_cascaded(c);
	return rc;
}

enum rowd_code delete_rows(struct exec *x, const struct deletion *d, struct err *err)
{
	struct course c = { .x = x, .d = d, .where = d->where };
	enum rowd_code rc = prepare(&c, err);

	if (rc)
		return rc;
	if (!d->dry_run && d->returning.n > 0)
		return delete_returning(&c, err);
	if (!d->dry_run)
		rc = carry_out(&c, err);
	if (rc)
		return rc;
	wire_map(x->out, 1 + d->cascaded);
	write_count(&c);
	write_cascaded(&c);
	return ROWD_OK;
}
