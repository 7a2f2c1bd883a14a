#include "config.h"

#include "daemon/exec/own_table.h"

#include <stdio.h>
#include <string.h>

/* ---- what they look like ---- */

#define INT { .kind = TYPE_INT }
#define TIME { .kind = TYPE_TIME }
#define BYTES { .kind = TYPE_BYTES }
#define TEXT_OF(n) { .kind = TYPE_TEXT, .length = (n) }
#define BYTES_OF(n) { .kind = TYPE_BYTES, .length = (n) }

/* fingerprint and result are null for an id that outcome() has fenced. */
static struct column_def requests_columns[] = {
	{ .name = "uid", .type = INT },
	{ .name = "id", .type = BYTES_OF(16) },
	{ .name = "fingerprint", .type = BYTES_OF(16), .nullable = true },
	{ .name = "result", .type = BYTES, .nullable = true },
	{ .name = "created", .type = TIME },
};

static struct key_def requests_indexes[] = {
	{ .columns = { "created", "uid", "id" }, .ncolumns = 3, .name = "_rowd_requests_created" },
};

/* exec/purge_record.c knows their order. position: where the next chunk begins; null: at the start. */
static struct column_def jobs_columns[] = {
	{ .name = "job", .type = INT, .generated = true },
	{ .name = "uid", .type = INT },
	{ .name = "table_name", .type = TEXT_OF(64) },
	{ .name = "filter", .type = BYTES },
	{ .name = "archive", .type = TEXT_OF(200), .nullable = true },
	{ .name = "state", .type = TEXT_OF(20) },
	{ .name = "rows_a_chunk", .type = INT },
	{ .name = "target_ms", .type = INT },
	{ .name = "pause_ms", .type = INT },
	{ .name = "max_rows", .type = INT, .nullable = true },
	{ .name = "max_seconds", .type = INT, .nullable = true },
	{ .name = "position", .type = BYTES, .nullable = true },
	{ .name = "matched", .type = INT, .nullable = true },
	{ .name = "deleted", .type = INT },
	{ .name = "archive_bytes", .type = INT },
	{ .name = "elapsed_ms", .type = INT },
	{ .name = "chunks", .type = INT },
	{ .name = "error", .type = TEXT_OF(250), .nullable = true },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct table_def own_tables[] = {
	{
		.name = OWN_REQUESTS,
		.columns = requests_columns, .ncolumns = COUNT(requests_columns),
		.primary_key = { .columns = { "uid", "id" }, .ncolumns = 2 },
		.indexes = requests_indexes, .nindexes = COUNT(requests_indexes),
	},
	{
		.name = OWN_JOBS,
		.columns = jobs_columns, .ncolumns = COUNT(jobs_columns),
		.primary_key = { .columns = { "job" }, .ncolumns = 1 },
	},
};

/* ---- making one ---- */

static enum rowd_code add_types(struct db_conn *conn, struct sql *sql, const struct table_def *t,
				struct err *err)
{
	const struct dialect *d = db_conn_dialect(conn);
	enum rowd_code rc;

	sql_create_types(sql, d);
	rc = db_run(conn, sql, NULL, NULL, err);
	for (unsigned i = 0; i < t->ncolumns && !rc; i++) {
		char type[TYPE_TEXT_BYTES];

		sql_add_type(sql, d, t->name, t->columns[i].name, type_format(&t->columns[i].type, type));
		rc = db_run(conn, sql, NULL, NULL, err);
	}
	return rc;
}

static enum rowd_code add_table(struct db_conn *conn, struct sql *sql, const struct table_def *t,
				struct err *err)
{
	const struct dialect *d = db_conn_dialect(conn);
	enum rowd_code rc;

	sql_create_table(sql, d, t);
	rc = db_run(conn, sql, NULL, NULL, err);
	for (unsigned i = 0; i < t->nindexes && !rc && !d->indexes_in_table; i++) {
		sql_create_index(sql, d, t->name, &t->indexes[i]);
		rc = db_run(conn, sql, NULL, NULL, err);
	}
	if (!rc && d->types_in_table)
		rc = add_types(conn, sql, t, err);
	/* Another rowd on the same server was faster. */
	return rc == ROWD_E_TABLE_EXISTS ? ROWD_OK : rc;
}

/* In a transaction of its own. */
static enum rowd_code make_alone(struct db_conn *conn, struct sql *sql, const struct table_def *t, struct err *err)
{
	enum rowd_code rc = db_begin(conn, DB_TX_WRITE, err);

	if (rc)
		return rc;
	if (!catalog_own(db_catalog(conn), t->name))
		rc = add_table(conn, sql, t, err);
	if (!rc)
		return db_commit(conn, err);
	db_rollback(conn);
	return rc;
}

/* In the transaction that is open; or without one, where changes of the schema are never part of any. */
static enum rowd_code make_here(struct db_conn *conn, struct sql *sql, const struct table_def *t, struct err *err)
{
	enum rowd_code rc = add_table(conn, sql, t, err);

	return rc ? rc : db_reload(conn, err);
}

enum rowd_code own_table_make(struct db_conn *conn, struct sql *sql, const char *name, struct err *err)
{
	bool alone = db_conn_db(conn)->driver->caps & CAP_DDL_IN_TX && !db_in_transaction(conn);

	for (unsigned i = 0; i < COUNT(own_tables); i++)
		if (!strcmp(own_tables[i].name, name))
			return alone ? make_alone(conn, sql, &own_tables[i], err)
				     : make_here(conn, sql, &own_tables[i], err);
	return err_set(err, ROWD_E_INTERNAL, "rowd has no table of its own named %s", name);
}
