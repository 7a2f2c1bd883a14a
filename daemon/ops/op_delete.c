#include "config.h"

#include "daemon/exec/delete.h"
#include "daemon/exec/guard.h"
#include "daemon/exec/preview.h"
#include "daemon/ops/ops.h"

/* What the deletes have in common. A limit comes with its order. */
static enum rowd_code plan_delete(struct exec *x, const struct request *req, struct deletion *d,
				  struct err *err)
{
	const msgpack_object *order = req->options[OPT_ORDER];
	enum rowd_code rc;

	*d = (struct deletion){
		.limit = request_uint(req, OPT_LIMIT, -1),
		.cascaded = request_flag(req, OPT_CASCADED),
		.dry_run = request_flag(req, OPT_DRY_RUN),
	};
	rc = guard_table(x, req, &d->table, err);
	if (rc)
		return rc;
	if (order && d->limit < 0)
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "an order decides which rows only together with a limit");
	d->max_rows = guard_max_rows(x, req, d->table);
	rc = plan_returning(x, req, d->table, &d->returning, err);
	if (!rc && (d->limit >= 0 || d->returning.n > 0))
		rc = plan_order(x, d->table, order, &d->order, err);
	return rc;
}

enum rowd_code op_delete(struct exec *x, const struct request *req, struct err *err)
{
	struct deletion d;
	const struct value *key;
	enum rowd_code rc = plan_delete(x, req, &d, err);

	if (!rc)
		rc = plan_key(x, d.table, req->params[1], &key, err);
	if (rc)
		return rc;
	d.where = filter_key_equals(x->arena, d.table, key);
	d.key = key;
	if (d.max_rows > 0)
		d.max_rows = -1; /* a key has no more than one row */
	return delete_rows(x, &d, err);
}

enum rowd_code op_delete_where(struct exec *x, const struct request *req, struct err *err)
{
	struct deletion d;
	enum rowd_code rc = plan_delete(x, req, &d, err);

	if (!rc)
		rc = plan_filter(x, d.table, req->params[1], &d.where, err);
	if (rc)
		return rc;
	d.token = request_str(req, OPT_TOKEN, &d.token_len);
	if (d.token && d.limit >= 0)
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "a token is for all the rows that match, a limit for some");
	return delete_rows(x, &d, err);
}

enum rowd_code op_delete_all(struct exec *x, const struct request *req, struct err *err)
{
	struct deletion d;
	enum rowd_code rc = plan_delete(x, req, &d, err);

	return rc ? rc : delete_rows(x, &d, err);
}

enum rowd_code op_preview_delete(struct exec *x, const struct request *req, struct err *err)
{
	const struct table *t;
	const struct pred *where;
	struct preview p;
	enum rowd_code rc = guard_table(x, req, &t, err);

	if (!rc)
		rc = plan_filter(x, t, req->params[1], &where, err);
	if (!rc)
		rc = preview_take(x, t, where, false, &p, err);
	return rc ? rc : preview_write(x, &p, err);
}
