#include "config.h"

#include "daemon/exec/probe.h"

enum rowd_code probe_exists(struct exec *x, const struct table *t, const struct pred *where, bool *out,
			    struct err *err)
{
	const struct select_stmt q = { .table = t, .where = where, .limit = 1, .one = true };
	struct value found;
	enum rowd_code rc;

	if (!where)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for a condition");
	sql_select(x->sql, db_conn_dialect(x->conn), &q);
	rc = db_query_one(x->conn, x->sql, &found, err);
	if (!rc)
		*out = found.kind != VALUE_NULL;
	return rc;
}
