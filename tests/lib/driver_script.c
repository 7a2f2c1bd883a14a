#include "config.h"

#include "tests/lib/driver_script.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct script script;

static const struct dialect script_dialect = { .name = "script", .insert_rows_most = 64 };

void script_reset(void)
{
	script = (struct script){ .version = 1 };
}

void script_fail(const char *slot, enum rowd_code code)
{
	size_t i;

	for (i = 0; script.failures[i].slot; i++)
		assert(i + 1 < SCRIPT_FAILURES);
	script.failures[i].slot = slot;
	script.failures[i].code = code;
}

/* Note the call; fail it when the test said so. */
static enum rowd_code call(const char *slot, struct err *err)
{
	size_t len = strlen(script.log), i;

	snprintf(script.log + len, sizeof script.log - len, "%s%s", len ? " " : "", slot);
	for (i = 0; i < SCRIPT_FAILURES && script.failures[i].slot; i++) {
		if (strcmp(script.failures[i].slot, slot) == 0) {
			script.failures[i].slot = "";
			return err_native(err, script.failures[i].code, 1, "as scripted");
		}
	}
	return ROWD_OK;
}

static enum rowd_code script_check_url(const char *url, struct err *err)
{
	(void)url, (void)err;
	return ROWD_OK;
}

static enum rowd_code script_open(void *conn, const struct db_source *src, enum db_role role,
				  const struct db_watch *watch, struct err *err)
{
	(void)conn, (void)src, (void)role, (void)watch;
	script.connections++;
	return call("open", err);
}

static void script_close(void *conn)
{
	(void)conn;
	script.connections--;
	(void)call("close", NULL);
}

static enum rowd_code script_prepare(void *conn, const char *text, size_t len, void **stmt_out, struct err *err)
{
	enum rowd_code code = call("prepare", err);

	(void)conn, (void)text, (void)len;
	if (code)
		return code;
	script.statements++;
	*stmt_out = malloc(1);
	return ROWD_OK;
}

static void script_release(void *conn, void *stmt)
{
	(void)conn;
	(void)call("release", NULL);
	script.statements--;
	free(stmt);
}

static enum rowd_code script_exec(void *conn, void *stmt, const struct value *params, size_t nparams,
				  const struct type *types, size_t ntypes, struct err *err)
{
	(void)conn, (void)stmt, (void)params, (void)nparams, (void)types, (void)ntypes;
	script.at = 0;
	return call("exec", err);
}

static enum rowd_code script_step(void *conn, void *stmt, struct value *row, bool *has_row_out, struct err *err)
{
	enum rowd_code code = call("step", err);

	(void)conn, (void)stmt;
	if (code)
		return code;
	*has_row_out = script.at < script.nrows;
	if (*has_row_out)
		row[0] = script.rows[script.at++];
	return ROWD_OK;
}

static void script_finish(void *conn, void *stmt, int64_t *changed_out, int64_t *last_id_out)
{
	(void)conn, (void)stmt;
	(void)call("finish", NULL);
	if (changed_out)
		*changed_out = script.changed;
	if (last_id_out)
		*last_id_out = script.last_id;
}

static enum rowd_code script_begin(void *conn, enum db_tx_mode mode, struct err *err)
{
	(void)conn, (void)mode;
	return call("begin", err);
}

static enum rowd_code script_commit(void *conn, struct err *err)
{
	(void)conn;
	return call("commit", err);
}

static void script_rollback(void *conn)
{
	(void)conn;
	(void)call("rollback", NULL);
}

static bool script_in_transaction(void *conn)
{
	(void)conn;
	return !script.tx_lost;
}

static enum rowd_code script_describe(void *conn, struct catalog **out, struct err *err)
{
	enum rowd_code code = call("describe", err);
	struct catalog *c;
	char name[32];

	(void)conn;
	if (code)
		return code;
	c = catalog_new(script.version);
	snprintf(name, sizeof name, "t%d", (int)script.version);
	if (!c || !catalog_add_table(c, name))
		abort();
	*out = c;
	return ROWD_OK;
}

static enum rowd_code script_version(void *conn, int64_t *out, struct err *err)
{
	enum rowd_code code = call("version", err);

	(void)conn;
	if (!code)
		*out = script.version;
	return code;
}

static enum rowd_code script_ping(void *conn, struct err *err)
{
	(void)conn;
	return call("ping", err);
}

static void script_cancel(void *conn)
{
	(void)conn;
	(void)call("cancel", NULL);
}

static const char *script_server(void *conn)
{
	(void)conn;
	return "Script 1.0";
}

static bool script_usable(void *conn)
{
	(void)conn;
	return !script.broken;
}

static struct driver script_driver = {
	.name = "script",
	.conn_size = 1,
	.dialect = &script_dialect,
	.check_url = script_check_url,
	.open = script_open,
	.close = script_close,
	.prepare = script_prepare,
	.release = script_release,
	.exec = script_exec,
	.step = script_step,
	.finish = script_finish,
	.begin = script_begin,
	.commit = script_commit,
	.rollback = script_rollback,
	.in_transaction = script_in_transaction,
	.describe = script_describe,
	.version = script_version,
	.ping = script_ping,
	.cancel = script_cancel,
	.server = script_server,
	.usable = script_usable,
};

void script_db(struct db *db, unsigned caps)
{
	script_driver.caps = caps;
	*db = (struct db){ .driver = &script_driver, .source = { .name = "script", .url = "script://" } };
	pthread_mutex_init(&db->lock, NULL);
	atomic_init(&db->available, false);
}
