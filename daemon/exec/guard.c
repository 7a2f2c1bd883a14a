#include "config.h"

#include "daemon/exec/guard.h"

#include "daemon/exec/read.h"

enum rowd_code guard_table(struct exec *x, const struct request *req, const struct table **out,
			   struct err *err)
{
	enum rowd_code rc = plan_table(x, req, out, err);

	if (rc || (*out)->writable)
		return rc;
	err_set(err, ROWD_E_UNSUPPORTED, "table %s cannot be written", (*out)->name);
	err_where(err, (*out)->name, NULL);
	return ROWD_E_UNSUPPORTED;
}

static int64_t lesser(int64_t a, int64_t b)
{
	if (a < 0 || b < 0)
		return a < 0 ? b : a;
	return a < b ? a : b;
}

int64_t guard_max_rows(const struct exec *x, const struct request *req, const struct table *t)
{
	int64_t asked = request_uint(req, OPT_MAX_ROWS, -1);
	int64_t granted = x->caller->superuser ? -1 : policy_max_rows(x->caller, plan_database(x), t->name);

	return lesser(lesser(asked, x->max_rows), granted);
}

enum rowd_code guard_check(const struct table *t, int64_t matched, int64_t max_rows, struct err *err)
{
	if (max_rows < 0 || matched <= max_rows)
		return ROWD_OK;
	err_set(err, ROWD_E_TOO_MANY_ROWS, "%lld rows match; at most %lld may", (long long)matched,
		(long long)max_rows);
	err_where(err, t->name, NULL);
	err->matched = matched;
	err->limit = max_rows;
	return ROWD_E_TOO_MANY_ROWS;
}

enum rowd_code guard_count(struct exec *x, const struct table *t, const struct pred *where, int64_t limit,
			   int64_t max_rows, int64_t *matched_out, struct err *err)
{
	int64_t matched;
	enum rowd_code rc = exec_count(x, t, where, &matched, err);

	if (rc)
		return rc;
	if (limit >= 0 && matched > limit)
		matched = limit;
	rc = guard_check(t, matched, max_rows, err);
	if (!rc)
		*matched_out = matched;
	return rc;
}
