#include "config.h"

#include "daemon/exec/exec_schema.h"

/* Where a schema statement takes effect at once, what fails behind it undoes nothing. */
static bool is_undone(const struct exec *x)
{
	return db_conn_db(x->conn)->driver->caps & CAP_DDL_IN_TX;
}

/* Run what has been rendered into x->sql. */
static enum rowd_code run(struct exec *x, struct err *err)
{
	enum rowd_code rc = sql_check(x->sql, err);

	if (rc)
		return rc;
	rc = db_run(x->conn, x->sql, NULL, NULL, err);
	if (rc && !is_undone(x) && !db_conn_usable(x->conn))
		err_outcome(err, ROWD_UNKNOWN);
	return rc;
}

static enum rowd_code reload(struct exec *x, struct err *err)
{
	enum rowd_code rc = db_reload(x->conn, err);

	if (rc && !is_undone(x))
		err_outcome(err, ROWD_APPLIED);
	return rc;
}

/* ---- rowd's own types ---- */

static enum rowd_code forget_types(struct exec *x, const char *table, struct err *err)
{
	const struct dialect *d = db_conn_dialect(x->conn);
	enum rowd_code rc;

	sql_create_types(x->sql, d);
	rc = run(x, err);
	if (rc)
		return rc;
	sql_drop_types(x->sql, d, table);
	return run(x, err);
}

static enum rowd_code remember_type(struct exec *x, const char *table, const struct column_def *c,
				    struct err *err)
{
	char type[TYPE_TEXT_BYTES];

	sql_add_type(x->sql, db_conn_dialect(x->conn), table, c->name, type_format(&c->type, type));
	return run(x, err);
}

/* ---- tables ---- */

static enum rowd_code create_indexes(struct exec *x, const struct table_def *d, struct err *err)
{
	const struct dialect *dialect = db_conn_dialect(x->conn);
	enum rowd_code rc = ROWD_OK;
	unsigned i;

	for (i = 0; i < d->nuniques && !rc; i++) {
		sql_create_index(x->sql, dialect, d->name, &d->uniques[i]);
		rc = run(x, err);
	}
	for (i = 0; i < d->nindexes && !rc; i++) {
		sql_create_index(x->sql, dialect, d->name, &d->indexes[i]);
		rc = run(x, err);
	}
	return rc;
}

enum rowd_code exec_create_table(struct exec *x, const struct table_def *d, struct err *err)
{
	const struct dialect *dialect = db_conn_dialect(x->conn);
	enum rowd_code rc;
	unsigned i;

	sql_create_table(x->sql, dialect, d);
	rc = run(x, err);
	if (!rc && !dialect->indexes_in_table)
		rc = create_indexes(x, d, err);
	if (!rc && dialect->types_in_table)
		rc = forget_types(x, d->name, err);
	for (i = 0; i < d->ncolumns && !rc && dialect->types_in_table; i++)
		rc = remember_type(x, d->name, &d->columns[i], err);
	return rc ? rc : reload(x, err);
}

enum rowd_code exec_drop_table(struct exec *x, const struct table *t, struct err *err)
{
	const struct dialect *dialect = db_conn_dialect(x->conn);
	enum rowd_code rc;

	sql_drop_table(x->sql, dialect, t);
	rc = run(x, err);
	if (!rc && dialect->types_in_table)
		rc = forget_types(x, t->name, err);
	return rc ? rc : reload(x, err);
}

enum rowd_code exec_add_column(struct exec *x, const struct table *t, const struct column_def *c,
			       struct err *err)
{
	const struct dialect *dialect = db_conn_dialect(x->conn);
	enum rowd_code rc;

	sql_add_column(x->sql, dialect, t, c);
	rc = run(x, err);
	if (!rc && dialect->types_in_table) {
		sql_create_types(x->sql, dialect);
		rc = run(x, err);
	}
	if (!rc && dialect->types_in_table)
		rc = remember_type(x, t->name, c, err);
	return rc ? rc : reload(x, err);
}

/* ---- indexes ---- */

enum rowd_code exec_create_index(struct exec *x, const struct table *t, const struct key_def *k,
				 struct err *err)
{
	enum rowd_code rc;

	sql_create_index(x->sql, db_conn_dialect(x->conn), t->name, k);
	rc = run(x, err);
	return rc ? rc : reload(x, err);
}

enum rowd_code exec_drop_index(struct exec *x, const struct table *t, const struct key *k, struct err *err)
{
	enum rowd_code rc;

	sql_drop_index(x->sql, db_conn_dialect(x->conn), t, k);
	rc = run(x, err);
	return rc ? rc : reload(x, err);
}
