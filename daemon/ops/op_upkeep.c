/*
 * Looking after a database: damage, copies, space.
 */
#include "config.h"

#include <string.h>

#include "daemon/ops/ops.h"
#include "daemon/exec/upkeep.h"

enum { MAX_MS_DEFAULT = 1000, MAX_MS_MOST = 3600000 };

/* What takes its time is not for the loop, and has no deadline; it can be cancelled. */
static enum rowd_code take_time(struct exec *x, struct err *err)
{
	if (x->inline_read)
		return err_set(err, ROWD_E_LIMIT, "not on the loop");
	db_conn_watch(x->conn)->deadline_ns = 0;
	return ROWD_OK;
}

enum rowd_code op_check(struct exec *x, const struct request *req, struct err *err)
{
	enum rowd_code rc = take_time(x, err);

	(void)req;
	return rc ? rc : upkeep_check(x, err);
}

enum rowd_code op_backup(struct exec *x, const struct request *req, struct err *err)
{
	size_t len;
	const char *name = request_param_str(req, 1, &len);
	enum rowd_code rc = upkeep_check_name(name, len, err);

	if (!rc)
		rc = take_time(x, err);
	return rc ? rc : upkeep_backup(x, name, len, err);
}

enum rowd_code op_reclaim(struct exec *x, const struct request *req, struct err *err)
{
	int64_t ms = request_uint(req, OPT_MAX_MS, MAX_MS_DEFAULT);
	size_t len = 0;
	const char *table = request_str(req, OPT_OPTIMIZE, &len);
	enum rowd_code rc;

	if (table && len >= 6 && memcmp(table, "_rowd_", 6) == 0)
		return err_set(err, ROWD_E_UNKNOWN_TABLE, "the database has no such table");
	if (table && request_uint(req, OPT_MAX_MS, -1) >= 0)
		return err_set(err, ROWD_E_BAD_REQUEST, "optimize is done as a whole, it has no max_ms");
	if (ms < 1 || ms > MAX_MS_MOST)
		return err_set(err, ROWD_E_BAD_REQUEST, "option max_ms: 1 to %d is due", MAX_MS_MOST);
	rc = take_time(x, err);
	return rc ? rc : upkeep_reclaim(x, ms, table, len, err);
}
