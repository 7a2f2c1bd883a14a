/*
 * Purges: beginning one, and what can be asked of it. Its steps are exec/purge.c's.
 */
#include "config.h"

#include <string.h>

#include "daemon/exec/archive.h"
#include "daemon/exec/purge.h"
#include "daemon/ops/ops.h"
#include "daemon/plan/plan.h"

enum {
	ROWS_DEFAULT = 1000, ROWS_MOST = 100000,
	TARGET_MS_DEFAULT = 100, TARGET_MS_MOST = 60000,
	PAUSE_MS_MOST = 3600000
};

/* ---- options ---- */

static enum rowd_code read_option(const struct request *req, enum op_option o, int64_t least, int64_t most,
				  int64_t *out, struct err *err)
{
	int64_t n = request_uint(req, o, *out);

	if (req->options[o] && (n < least || n > most))
		return err_set(err, ROWD_E_BAD_REQUEST, "option %s: %lld to %lld is due", option_get(o)->name,
			       (long long)least, (long long)most);
	*out = n;
	return ROWD_OK;
}

/* Those that are given, over what stands in out. */
static enum rowd_code read_options(const struct request *req, struct purge_options *out, struct err *err)
{
	enum rowd_code rc = read_option(req, OPT_ROWS, 1, ROWS_MOST, &out->rows, err);

	if (!rc)
		rc = read_option(req, OPT_TARGET_MS, 0, TARGET_MS_MOST, &out->target_ms, err);
	if (!rc)
		rc = read_option(req, OPT_PAUSE_MS, 0, PAUSE_MS_MOST, &out->pause_ms, err);
	if (!rc)
		rc = read_option(req, OPT_MAX_ROWS, 1, INT64_MAX, &out->max_rows, err);
	if (!rc)
		rc = read_option(req, OPT_MAX_SECONDS, 1, INT32_MAX, &out->max_seconds, err);
	return rc;
}

/* A cap on deletes holds for a purge as a whole: it has to say that it will keep to it. */
static enum rowd_code check_cap(const struct exec *x, const char *table, const struct purge_options *o,
				struct err *err)
{
	int64_t cap = policy_max_rows(x->caller, plan_database(x), table);

	if (x->max_rows >= 0 && (cap < 0 || x->max_rows < cap))
		cap = x->max_rows;
	if (cap < 0 || (o->max_rows >= 0 && o->max_rows <= cap))
		return ROWD_OK;
	return err_limit(err, cap, "max_rows, which a purge here must have,");
}

/* ---- beginning ---- */

static enum rowd_code encode_filter(struct exec *x, const msgpack_object *filter, struct purge_record *r,
				    struct err *err)
{
	msgpack_sbuffer encoded;
	msgpack_packer packer;

	msgpack_sbuffer_init(&encoded);
	msgpack_packer_init(&packer, &encoded, msgpack_sbuffer_write);
	if (!msgpack_pack_object(&packer, *filter))
		r->filter = arena_strndup(x->arena, encoded.data, encoded.size);
	r->filter_len = encoded.size;
	msgpack_sbuffer_destroy(&encoded);
	if (!r->filter)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the filter");
	if (r->filter_len > (size_t)x->limits->value_bytes)
		return err_limit(err, x->limits->value_bytes, "the filter of a purge");
	return ROWD_OK;
}

/* Two jobs never write to one file, not even when neither has begun to. */
static enum rowd_code check_unused(struct exec *x, const char *archive, struct err *err)
{
	struct purge_record *list;
	size_t n;
	enum rowd_code rc = purge_record_list(x, PURGE_STATES, &list, &n, err);

	for (size_t i = 0; i < n && !rc; i++)
		if (!strcmp(list[i].archive, archive))
			rc = err_set(err, ROWD_E_BAD_REQUEST, "an archive of that name is another job's");
	return rc;
}

static enum rowd_code read_archive(struct exec *x, const struct request *req, struct purge_record *r, struct err *err)
{
	size_t len;
	const char *name = request_str(req, OPT_ARCHIVE, &len);
	enum rowd_code rc;

	if (!name)
		return ROWD_OK;
	rc = archive_check_name(name, len, err);
	if (rc)
		return rc;
	memcpy(r->archive, name, len);
	rc = check_unused(x, r->archive, err);
	return rc ? rc : archive_create(r->archive, err);
}

enum rowd_code op_purge(struct exec *x, const struct request *req, struct err *err)
{
	struct purge_record r = {
		.uid = x->caller->uid, .state = PURGE_RUNNING, .matched = -1,
		.options = { .rows = ROWS_DEFAULT, .target_ms = TARGET_MS_DEFAULT, .max_rows = -1, .max_seconds = -1 },
	};
	const struct table *table;
	const struct pred *filter;
	enum rowd_code rc = plan_table(x, req, &table, err);

	if (!rc)
		rc = plan_filter(x, table, req->params[1], &filter, err);
	if (!rc && !table_key_columns(table))
		rc = err_set(err, ROWD_E_UNSUPPORTED, "a table without a primary key cannot be purged; use delete_where");
	if (!rc && !table->writable)
		rc = err_set(err, ROWD_E_UNSUPPORTED, "the table cannot be written");
	if (!rc)
		rc = read_options(req, &r.options, err);
	if (!rc)
		rc = check_cap(x, table->name, &r.options, err);
	if (!rc)
		rc = encode_filter(x, req->params[1], &r, err);
	if (!rc)
		rc = read_archive(x, req, &r, err);
	if (rc)
		return rc;
	memcpy(r.table, table->name, strlen(table->name));
	rc = purge_record_add(x, &r, err);
	if (rc)
		return rc;
	if (request_flag(req, OPT_FOLLOW))
		x->follow = r.id;
	wire_map(x->out, 1);
	wire_cstr(x->out, "job");
	wire_int(x->out, r.id);
	return ROWD_OK;
}

/* ---- asking ---- */

/* A job is its owner's, and every administrator's. */
static bool may_see(const struct exec *x, const struct purge_record *r)
{
	struct err ignored;

	err_init(&ignored);
	return r->uid == (int64_t)x->caller->uid || !policy_check(x->caller, PERM_ADMIN, NULL, NULL, &ignored);
}

static enum rowd_code find(struct exec *x, const struct request *req, struct purge_record *out, struct err *err)
{
	enum rowd_code rc = purge_record_read(x, request_param_uint(req, 0), out, err);

	if (!rc && !may_see(x, out))
		return err_set(err, ROWD_E_BAD_REQUEST, "there is no such job");
	return rc;
}

enum rowd_code op_jobs(struct exec *x, const struct request *req, struct err *err)
{
	struct purge_record *list;
	uint32_t count = 0;
	size_t open, n;
	enum rowd_code rc = purge_record_list(x, PURGE_STATES, &list, &n, err);

	(void)req;
	if (rc)
		return rc;
	open = wire_array_open(x->out);
	for (size_t i = 0; i < n; i++) {
		if (!may_see(x, &list[i]))
			continue;
		purge_record_write(x->out, &list[i]);
		count++;
	}
	wire_array_close(x->out, open, count);
	return ROWD_OK;
}

enum rowd_code op_job(struct exec *x, const struct request *req, struct err *err)
{
	struct purge_record r;
	enum rowd_code rc = find(x, req, &r, err);

	if (!rc)
		purge_record_write(x->out, &r);
	return rc;
}

/* ---- steering ---- */

static enum rowd_code save(struct exec *x, struct purge_record *r, struct err *err)
{
	enum rowd_code rc = purge_record_save(x, r, err);

	if (!rc)
		wire_bool(x->out, true);
	return rc;
}

/* From `from` to `to`; being there already is fine. */
static enum rowd_code turn(struct exec *x, const struct request *req, unsigned from, enum purge_state to,
			   struct purge_record *r, struct err *err)
{
	enum rowd_code rc = find(x, req, r, err);

	if (rc)
		return rc;
	if (r->state != to && !(from >> r->state & 1))
		return err_set(err, ROWD_E_BAD_REQUEST, "the job is %s", purge_state_name(r->state));
	r->state = to;
	if (to == PURGE_RUNNING)
		r->error[0] = '\0';
	return save(x, r, err);
}

enum rowd_code op_job_pause(struct exec *x, const struct request *req, struct err *err)
{
	struct purge_record r;

	return turn(x, req, 1 << PURGE_RUNNING, PURGE_PAUSED, &r, err);
}

enum rowd_code op_job_resume(struct exec *x, const struct request *req, struct err *err)
{
	struct purge_record r;

	return turn(x, req, 1 << PURGE_PAUSED | 1 << PURGE_FAILED, PURGE_RUNNING, &r, err);
}

enum rowd_code op_job_cancel(struct exec *x, const struct request *req, struct err *err)
{
	struct purge_record r;
	struct err ignored;
	enum rowd_code rc = turn(x, req, 1 << PURGE_RUNNING | 1 << PURGE_PAUSED | 1 << PURGE_FAILED, PURGE_CANCELLED, &r, err);

	err_init(&ignored);
	if (!rc && *r.archive)
		(void)!archive_trim(r.archive, r.archive_bytes, &ignored);   /* nobody runs it any more who would */
	return rc;
}

enum rowd_code op_job_tune(struct exec *x, const struct request *req, struct err *err)
{
	struct purge_record r;
	enum rowd_code rc = find(x, req, &r, err);

	if (!rc && r.state >= PURGE_DONE)
		rc = err_set(err, ROWD_E_BAD_REQUEST, "the job is %s", purge_state_name(r.state));
	if (!rc)
		rc = read_options(req, &r.options, err);
	if (!rc)
		rc = check_cap(x, r.table, &r.options, err);
	return rc ? rc : save(x, &r, err);
}
