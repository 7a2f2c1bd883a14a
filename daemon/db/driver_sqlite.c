/*
 * The driver for SQLite: statements and transactions on one connection.
 */
#include "config.h"

#include <limits.h>
#include <stdlib.h>

#include "daemon/db/sqlite_private.h"

/*
 * Run a statement that begins or ends a transaction. The watch may not stop it: SQLite asks even
 * when the work is done, and a commit would be called interrupted that is not.
 */
static int run_once(struct sqlite_conn *c, sqlite3_stmt *stmt)
{
	int rc;

	c->unstoppable = true;
	rc = sqlite3_step(stmt);
	sqlite3_reset(stmt);
	c->unstoppable = false;
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* ---- statements ---- */

static void sqlite_release(void *conn, void *stmt)
{
	struct sqlite_stmt *s = stmt;

	(void)conn;
	sqlite3_finalize(s->stmt);
	free(s);
}

static enum rowd_code sqlite_prepare(void *conn, const char *text, size_t len, void **stmt_out, struct err *err)
{
	struct sqlite_conn *c = conn;
	struct sqlite_stmt *s;
	const char *rest;
	int rc;

	if (len > INT_MAX)
		return err_set(err, ROWD_E_LIMIT, "the statement is too long");
	s = calloc(1, sizeof *s);
	if (!s)
		return err_set(err, ROWD_E_NO_RESOURCE, "memory ran out");
	c->stopped = c->raised = ROWD_OK;
	rc = sqlite3_prepare_v3(c->db, text, (int)len, SQLITE_PREPARE_PERSISTENT, &s->stmt, &rest);
	if (rc != SQLITE_OK) {
		free(s);
		return sqlite_fail(c, rc, err);
	}
	if (!s->stmt || rest != text + len) {
		sqlite_release(c, s);
		return err_set(err, ROWD_E_INTERNAL, "not one statement");
	}
	s->writes = !sqlite3_stmt_readonly(s->stmt);
	*stmt_out = s;
	return ROWD_OK;
}

static enum rowd_code bind_all(struct sqlite_conn *c, struct sqlite_stmt *s, const struct value *params,
			       size_t nparams, struct err *err)
{
	size_t i;

	if ((size_t)sqlite3_bind_parameter_count(s->stmt) != nparams)
		return err_set(err, ROWD_E_INTERNAL, "%zu values for %d places in a statement", nparams,
			       sqlite3_bind_parameter_count(s->stmt));
	for (i = 0; i < nparams; i++) {
		int rc = sqlite_bind_value(s->stmt, (int)i + 1, &params[i]);

		if (rc != SQLITE_OK)
			return sqlite_fail(c, rc, err);
	}
	return ROWD_OK;
}

/*
 * An interrupted write has ended the whole transaction. Interrupted at its very last step it has
 * not: the change would stand and be reported as stopped, so the same is done by hand.
 */
static void end_interrupted_write(struct sqlite_conn *c, const struct sqlite_stmt *s, int rc)
{
	if (rc == SQLITE_INTERRUPT && s->writes && !sqlite3_get_autocommit(c->db)) {
		sqlite3_reset(s->stmt);
		run_once(c, c->rollback);
	}
}

/* SQLite calls a table whose generated ids have reached the last one a full disk. */
static bool ids_ran_out(struct sqlite_conn *c)
{
	static const char text[] = "SELECT 1 FROM main.sqlite_sequence WHERE seq = 9223372036854775807";
	sqlite3_stmt *q = NULL;
	bool found = sqlite3_prepare_v2(c->db, text, -1, &q, NULL) == SQLITE_OK && sqlite3_step(q) == SQLITE_ROW;

	sqlite3_finalize(q);
	return found;
}

static enum rowd_code run_to_end(struct sqlite_conn *c, struct sqlite_stmt *s, struct err *err)
{
	enum rowd_code code;
	int rc;

	do
		rc = sqlite3_step(s->stmt);
	while (rc == SQLITE_ROW);
	if (rc == SQLITE_DONE)
		return ROWD_OK;
	code = sqlite_fail(c, rc, err);
	end_interrupted_write(c, s, rc);
	if (rc == SQLITE_FULL && ids_ran_out(c))
		code = err_native(err, ROWD_E_OUT_OF_RANGE, rc, "the table has given its last id");
	return code;
}

static enum rowd_code sqlite_exec(void *conn, void *stmt, const struct value *params, size_t nparams,
				  const struct type *types, size_t ntypes, struct err *err)
{
	struct sqlite_conn *c = conn;
	struct sqlite_stmt *s = stmt;
	enum rowd_code code;

	c->stopped = c->raised = ROWD_OK;
	/* a budget alone is looked at soon enough, while it runs */
	if ((c->watch->deadline_ns || atomic_load_explicit(&c->watch->cancelled, memory_order_relaxed)) &&
	    watch_look(c->watch, &c->stopped))
		return sqlite_fail(c, SQLITE_INTERRUPT, err);
	code = bind_all(c, s, params, nparams, err);
	if (code)
		return code;
	s->types = types;
	s->ntypes = (int)ntypes;
	if (s->writes)
		c->version_known = false;
	if (ntypes == 0)
		return run_to_end(c, s, err);
	if (sqlite3_column_count(s->stmt) != s->ntypes)
		return err_set(err, ROWD_E_INTERNAL, "%d types for %d columns of a statement", s->ntypes,
			       sqlite3_column_count(s->stmt));
	return ROWD_OK;
}

static enum rowd_code sqlite_step(void *conn, void *stmt, struct value *row, bool *has_row_out, struct err *err)
{
	struct sqlite_conn *c = conn;
	struct sqlite_stmt *s = stmt;
	enum rowd_code code;
	int rc = sqlite3_step(s->stmt), i;

	if (rc == SQLITE_DONE) {
		*has_row_out = false;
		return ROWD_OK;
	}
	if (rc != SQLITE_ROW) {
		code = sqlite_fail(c, rc, err);
		end_interrupted_write(c, s, rc);
		return code;
	}
	for (i = 0; i < s->ntypes; i++)
		if (!sqlite_read_value(s->stmt, i, &s->types[i], &row[i]))
			return err_native(err, ROWD_E_NO_RESOURCE, SQLITE_NOMEM, "memory ran out");
	*has_row_out = true;
	return ROWD_OK;
}

static void sqlite_finish(void *conn, void *stmt, int64_t *changed_out, int64_t *last_id_out)
{
	struct sqlite_conn *c = conn;
	struct sqlite_stmt *s = stmt;

	if (changed_out)
		*changed_out = sqlite3_changes64(c->db);
	if (last_id_out)    /* of several rows, the last was given the highest and all of them are in a row */
		*last_id_out = sqlite3_last_insert_rowid(c->db) - (sqlite3_changes64(c->db) - 1);
	sqlite3_reset(s->stmt);
	sqlite3_clear_bindings(s->stmt);
	s->types = NULL;
}

/* ---- transactions ---- */

/* Also the first read of a transaction: from here on it sees one snapshot. */
int sqlite_read_version(struct sqlite_conn *c)
{
	int rc;

	c->unstoppable = true;
	rc = sqlite3_step(c->schema_version);
	if (rc == SQLITE_ROW) {
		c->version = c->file_id | (sqlite3_column_int64(c->schema_version, 0) & 0xFFFFFFFF);
		c->version_known = true;
	}
	sqlite3_reset(c->schema_version);
	c->unstoppable = false;
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/*
 * On a full disk the log cannot grow, and even a delete needs it. What it holds is moved to the
 * database, so that the next transaction begins at the log's start.
 */
static void make_room(struct sqlite_conn *c)
{
	if (c->full && !c->broken)
		sqlite_checkpoint_now(c);
	c->full = false;
}

static void sqlite_rollback(void *conn)
{
	struct sqlite_conn *c = conn;

	c->version_known = false;
	if (!sqlite3_get_autocommit(c->db))
		run_once(c, c->rollback);
	if (!sqlite3_get_autocommit(c->db))
		c->broken = true;
	make_room(c);
}

static enum rowd_code sqlite_begin(void *conn, enum db_tx_mode mode, struct err *err)
{
	struct sqlite_conn *c = conn;
	enum rowd_code code;
	int rc;

	c->stopped = c->raised = ROWD_OK;
	c->version_known = false;
	code = sqlite_check_moved(c, err);
	if (code)
		return code;
	if (c->role == DB_LOOP_READER)
		sqlite_snapshot_begins(c);
	rc = run_once(c, mode <= DB_TX_READ ? c->begin_read : c->begin_write);
	if (rc == SQLITE_OK)
		rc = sqlite_read_version(c);
	if (rc == SQLITE_OK) {
		if (c->role == DB_LOOP_READER) {
			sqlite_snapshot_begun(c);
			sqlite_cache_attend(c);
		}
		return ROWD_OK;
	}
	code = sqlite_fail(c, rc, err);
	sqlite_rollback(c);
	return code;
}

/*
 * Did a failed commit surely write no commit record? A disk found full has not, nor has one that
 * was refused before it wrote. After any other failure (of the disk, of memory for the log's index)
 * the record may be in the log: this process no longer sees the change, the next to open may.
 */
static bool commit_is_undone(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_CONSTRAINT:
	case SQLITE_FULL:
	case SQLITE_READONLY:
		return true;
	default:
		return false;
	}
}

static enum rowd_code sqlite_commit(void *conn, struct err *err)
{
	struct sqlite_conn *c = conn;
	enum rowd_code code;
	int rc;

	c->stopped = c->raised = ROWD_OK;
	c->version_known = false;
	if (sqlite3_get_autocommit(c->db))
		return err_set(err, ROWD_E_INTERNAL, "a commit without a transaction");
	sqlite_log_commits(c, true);
	rc = run_once(c, c->commit);
	sqlite_log_commits(c, false);
	if (rc == SQLITE_OK)
		return ROWD_OK;
	if (!commit_is_undone(rc)) {
		c->broken = true;
		return err_native(err, ROWD_E_COMMIT_UNKNOWN, rc, "the commit failed half-way");
	}
	code = sqlite_fail(c, rc, err);
	sqlite_rollback(c);
	return code;
}

static bool sqlite_in_transaction(void *conn)
{
	struct sqlite_conn *c = conn;

	return !sqlite3_get_autocommit(c->db);
}

static enum rowd_code sqlite_version(void *conn, int64_t *out, struct err *err)
{
	struct sqlite_conn *c = conn;

	if (!c->version_known) {
		int rc = sqlite_read_version(c);

		if (rc != SQLITE_OK)
			return sqlite_fail(c, rc, err);
	}
	*out = c->version;
	return ROWD_OK;
}

/* ---- the connection ---- */

static enum rowd_code sqlite_ping(void *conn, struct err *err)
{
	struct sqlite_conn *c = conn;

	c->moved_checked_ns = 0;
	return sqlite_check_moved(c, err);
}

static const char *sqlite_server(void *conn)
{
	struct sqlite_conn *c = conn;

	return c->server;
}

static bool sqlite_usable(void *conn)
{
	struct sqlite_conn *c = conn;

	return c->db && !c->broken;
}

extern const struct driver driver_sqlite;

const struct driver driver_sqlite = {
	.name = "sqlite",
	.caps = CAP_ONE_WRITER | CAP_SCHEMA_VERSION | CAP_DDL_IN_TX | CAP_INLINE_READS,
	.conn_size = sizeof(struct sqlite_conn),
	.dialect = &dialect_sqlite,
	.check_url = sqlite_check_url,
	.open = sqlite_open,
	.close = sqlite_close,
	.prepare = sqlite_prepare,
	.release = sqlite_release,
	.exec = sqlite_exec,
	.step = sqlite_step,
	.finish = sqlite_finish,
	.begin = sqlite_begin,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.in_transaction = sqlite_in_transaction,
	.snapshot_is_newest = sqlite_snapshot_is_newest,
	.describe = sqlite_describe,
	.version = sqlite_version,
	.ping = sqlite_ping,
	.server = sqlite_server,
	.usable = sqlite_usable,
	.space = sqlite_space,
	.reclaim = sqlite_reclaim,
	.check = sqlite_check,
	.backup = sqlite_backup,
};
