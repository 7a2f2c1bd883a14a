#include "config.h"

#include "daemon/db/db.h"

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/db/statement_cache.h"

struct db_rows {
	struct db_conn *conn;          /* borrowed */
	struct statement *statement;   /* in use */
	struct value *row;             /* owned; room for `cap` values */
	size_t ntypes, cap;
	bool ended;                    /* no more rows, or a step failed */
	struct db_rows *next_idle;
};

struct db_conn {
	struct db *db;                 /* borrowed; outlives every connection */
	const struct driver *driver;
	const struct dialect *dialect;
	struct db_watch watch;
	bool in_transaction;           /* begun and not ended by us */
	bool catalog_is_ours;          /* of a transaction not yet committed: not for others */
	struct catalog *catalog;       /* a reference; NULL before the first begin */
	unsigned open_rows;
	struct db_rows *idle_rows;     /* owned; to be used again */
	struct statement_cache statements;
	_Alignas(max_align_t) char state[];   /* the driver's */
};

/* ---- the database ---- */

enum rowd_code db_init(struct db *db, const struct db_source *src, struct err *err)
{
	const struct driver *driver = driver_find(src->url);
	enum rowd_code rc;

	if (!driver)
		return err_set(err, ROWD_E_BAD_REQUEST, "no driver of this build takes that URL");
	rc = driver->check_url(src->url, err);
	if (rc)
		return rc;
	*db = (struct db){ .driver = driver, .source = *src };
	pthread_mutex_init(&db->lock, NULL);
	atomic_init(&db->available, false);
	return ROWD_OK;
}

void db_fini(struct db *db)
{
	catalog_unref(db->catalog);
	db->catalog = NULL;
	pthread_mutex_destroy(&db->lock);
}

/* ---- opening and closing ---- */

static void conn_release(void *arg, void *handle)
{
	struct db_conn *c = arg;

	c->driver->release(c->state, handle);
}

enum rowd_code db_conn_open(struct db *db, enum db_role role, struct db_conn **out, struct err *err)
{
	struct db_conn *c = calloc(1, sizeof *c + db->driver->conn_size);
	enum rowd_code rc;

	if (!c)
		return err_set(err, ROWD_E_NO_RESOURCE, "memory ran out");
	c->db = db;
	c->driver = db->driver;
	atomic_init(&c->watch.cancelled, false);
	statement_cache_init(&c->statements, conn_release, c);
	rc = c->driver->open(c->state, &db->source, role, &c->watch, err);
	atomic_store(&db->available, rc == ROWD_OK);
	if (rc) {
		c->driver->close(c->state);
		free(c);
		return rc;
	}
	c->dialect = c->driver->conn_dialect ? c->driver->conn_dialect(c->state) : c->driver->dialect;
	pthread_mutex_lock(&db->lock);
	snprintf(db->server, sizeof db->server, "%s", c->driver->server(c->state));
	pthread_mutex_unlock(&db->lock);
	*out = c;
	return ROWD_OK;
}

void db_conn_close(struct db_conn *c)
{
	struct db_rows *rows;

	if (!c)
		return;
	assert(c->open_rows == 0);
	db_rollback(c);
	statement_cache_fini(&c->statements);
	c->driver->close(c->state);
	while ((rows = c->idle_rows)) {
		c->idle_rows = rows->next_idle;
		free(rows->row);
		free(rows);
	}
	catalog_unref(c->catalog);
	free(c);
}

struct db_watch *db_conn_watch(struct db_conn *c)
{
	return &c->watch;
}

void db_conn_cancel(struct db_conn *c)
{
	atomic_store(&c->watch.cancelled, true);
	if (c->driver->cancel)
		c->driver->cancel(c->state);
}

struct db *db_conn_db(struct db_conn *c)
{
	return c->db;
}

const struct dialect *db_conn_dialect(const struct db_conn *c)
{
	return c->dialect;
}

bool db_conn_usable(struct db_conn *c)
{
	return c->driver->usable(c->state);
}

enum rowd_code db_ping(struct db_conn *c, struct err *err)
{
	return c->driver->ping(c->state, err);
}

/* ---- the catalog ---- */

/* Take over a reference. What was prepared for another schema goes. */
static void conn_set_catalog(struct db_conn *c, struct catalog *catalog)
{
	if (c->catalog)
		statement_cache_clear(&c->statements);
	catalog_unref(c->catalog);
	c->catalog = catalog;
	c->catalog_is_ours = false;
}

static void db_publish(struct db *db, struct catalog *catalog)
{
	struct catalog *old;

	pthread_mutex_lock(&db->lock);
	old = db->catalog;
	db->catalog = catalog_ref(catalog);
	pthread_mutex_unlock(&db->lock);
	catalog_unref(old);
}

/* The one that others read; a reference, or NULL. */
static struct catalog *db_published(struct db *db)
{
	struct catalog *catalog;

	pthread_mutex_lock(&db->lock);
	catalog = db->catalog ? catalog_ref(db->catalog) : NULL;
	pthread_mutex_unlock(&db->lock);
	return catalog;
}

static enum rowd_code conn_describe(struct db_conn *c, struct err *err)
{
	struct catalog *catalog;
	enum rowd_code rc = c->driver->describe(c->state, &catalog, err);

	if (rc)
		return rc;
	rc = catalog_seal(catalog, err);
	if (rc) {
		catalog_unref(catalog);
		return rc;
	}
	conn_set_catalog(c, catalog);
	return ROWD_OK;
}

/* See to it that c->catalog is what the transaction just begun sees. */
static enum rowd_code conn_refresh_catalog(struct db_conn *c, struct err *err)
{
	bool versioned = c->driver->caps & CAP_SCHEMA_VERSION;
	struct catalog *published;
	int64_t version = 0;
	enum rowd_code rc;

	if (versioned) {
		rc = c->driver->version(c->state, &version, err);
		if (rc)
			return rc;
		if (c->catalog && catalog_version(c->catalog) == version)
			return ROWD_OK;
	}
	published = db_published(c->db);
	if (published && (!versioned || catalog_version(published) == version)) {
		if (published == c->catalog)
			catalog_unref(published);
		else
			conn_set_catalog(c, published);
		return ROWD_OK;
	}
	catalog_unref(published);
	rc = conn_describe(c, err);
	if (!rc)
		db_publish(c->db, c->catalog);
	return rc;
}

const struct catalog *db_catalog(struct db_conn *c)
{
	return c->catalog;
}

enum rowd_code db_reload(struct db_conn *c, struct err *err)
{
	enum rowd_code rc;

	statement_cache_clear(&c->statements);
	rc = conn_describe(c, err);
	if (rc)
		return rc;
	if (c->in_transaction && c->driver->caps & CAP_DDL_IN_TX)
		c->catalog_is_ours = true;
	else
		db_publish(c->db, c->catalog);
	return ROWD_OK;
}

bool db_schema_may_be_old(const struct db_conn *c)
{
	return c->driver->doubt_version;
}

void db_doubt_schema(struct db_conn *c)
{
	assert(!c->in_transaction);
	if (c->driver->doubt_version)
		c->driver->doubt_version(c->state);
}

/* ---- transactions ---- */

/* Is the catalog read within this transaction still what it will commit? Not when a savepoint behind
 * its schema statements was rolled back. */
static bool conn_catalog_holds(struct db_conn *c)
{
	struct err ignored;
	int64_t version;

	err_init(&ignored);
	return !(c->driver->caps & CAP_SCHEMA_VERSION) ||
	       (c->driver->version(c->state, &version, &ignored) == ROWD_OK &&
		version == catalog_version(c->catalog));
}

/* A catalog read within the transaction becomes everyone's, or never was. */
static void conn_settle_catalog(struct db_conn *c, bool committed)
{
	if (!c->catalog_is_ours)
		return;
	if (committed)
		db_publish(c->db, c->catalog);
	else
		conn_set_catalog(c, NULL);
	c->catalog_is_ours = false;
}

enum rowd_code db_begin(struct db_conn *c, enum db_tx_mode mode, struct err *err)
{
	enum rowd_code rc;

	assert(!c->in_transaction && c->open_rows == 0);
	rc = c->driver->begin(c->state, mode, err);
	if (rc)
		return rc;
	c->in_transaction = true;
	rc = conn_refresh_catalog(c, err);
	if (rc)
		db_rollback(c);
	return rc;
}

enum rowd_code db_commit(struct db_conn *c, struct err *err)
{
	enum rowd_code rc;

	bool publish = c->catalog_is_ours && conn_catalog_holds(c);

	assert(c->in_transaction && c->open_rows == 0);
	rc = c->driver->commit(c->state, err);
	c->in_transaction = false;
	conn_settle_catalog(c, publish && rc == ROWD_OK);
	return rc;
}

void db_rollback(struct db_conn *c)
{
	assert(c->open_rows == 0);
	if (!c->in_transaction)
		return;
	c->driver->rollback(c->state);
	c->in_transaction = false;
	conn_settle_catalog(c, false);
}

bool db_in_transaction(struct db_conn *c)
{
	return c->in_transaction && c->driver->in_transaction(c->state);
}

bool db_snapshot_is_newest(struct db_conn *c)
{
	return db_in_transaction(c) && c->driver->snapshot_is_newest && c->driver->snapshot_is_newest(c->state);
}

/* ---- statements ---- */

static enum rowd_code conn_prepare(struct db_conn *c, struct sql *sql, struct statement **out, struct err *err)
{
	void *handle;
	enum rowd_code rc;

	sql_write(sql);
	if (sql->failed)
		return err_set(err, ROWD_E_NO_RESOURCE, "memory ran out");
	rc = c->driver->prepare(c->state, sql->text.data, sql->text.len, &handle, err);
	if (rc)
		return rc;
	*out = sql->known ? statement_cache_add_known(&c->statements, sql->known, handle)
			  : statement_cache_add(&c->statements, sql->text.data, sql->text.len, handle);
	if (*out)
		return ROWD_OK;
	c->driver->release(c->state, handle);
	return err_set(err, ROWD_E_NO_RESOURCE, "memory ran out");
}

static enum rowd_code conn_statement(struct db_conn *c, struct sql *sql, struct statement **out, struct err *err)
{
	if (sql->failed)
		return err_set(err, ROWD_E_NO_RESOURCE, "memory ran out");
	*out = sql->known ? statement_cache_take_known(&c->statements, sql->known)
			  : statement_cache_take(&c->statements, sql->text.data, sql->text.len);
	return *out ? ROWD_OK : conn_prepare(c, sql, out, err);
}

static void conn_finish(struct db_conn *c, struct statement *s, int64_t *changed, int64_t *last_id)
{
	c->driver->finish(c->state, s->handle, changed, last_id);
	statement_cache_return(&c->statements, s);
}

enum rowd_code db_run(struct db_conn *c, struct sql *sql, int64_t *changed, int64_t *last_id,
		      struct err *err)
{
	struct statement *s;
	enum rowd_code rc = conn_statement(c, sql, &s, err);

	if (rc)
		return rc;
	rc = c->driver->exec(c->state, s->handle, sql->params, sql->nparams, NULL, 0, err);
	conn_finish(c, s, rc ? NULL : changed, rc ? NULL : last_id);
	return rc;
}

/* With room for n values; NULL when memory runs out. */
static struct db_rows *rows_take(struct db_conn *c, size_t n)
{
	struct db_rows *r = c->idle_rows;

	if (r)
		c->idle_rows = r->next_idle;
	else
		r = calloc(1, sizeof *r);
	if (r && r->cap < n) {
		free(r->row);
		r->row = calloc(n, sizeof *r->row);
		r->cap = r->row ? n : 0;
	}
	if (r && r->cap < n) {
		free(r);
		return NULL;
	}
	return r;
}

static void rows_return(struct db_conn *c, struct db_rows *r)
{
	r->next_idle = c->idle_rows;
	c->idle_rows = r;
}

enum rowd_code db_query(struct db_conn *c, struct sql *sql, struct db_rows **out, struct err *err)
{
	struct db_rows *r = rows_take(c, sql->ntypes);
	enum rowd_code rc;

	if (!r)
		return err_set(err, ROWD_E_NO_RESOURCE, "memory ran out");
	rc = conn_statement(c, sql, &r->statement, err);
	if (rc) {
		rows_return(c, r);
		return rc;
	}
	rc = c->driver->exec(c->state, r->statement->handle, sql->params, sql->nparams, sql->types,
			     sql->ntypes, err);
	if (rc) {
		conn_finish(c, r->statement, NULL, NULL);
		rows_return(c, r);
		return rc;
	}
	r->conn = c;
	r->ntypes = sql->ntypes;
	r->ended = false;
	c->open_rows++;
	*out = r;
	return ROWD_OK;
}

enum rowd_code db_next(struct db_rows *r, const struct value **row_out, struct err *err)
{
	bool has_row = false;
	enum rowd_code rc = ROWD_OK;

	if (!r->ended)
		rc = r->conn->driver->step(r->conn->state, r->statement->handle, r->row, &has_row, err);
	if (!has_row)
		r->ended = true;
	if (!rc)
		*row_out = has_row ? r->row : NULL;
	return rc;
}

void db_rows_end(struct db_rows *r)
{
	struct db_conn *c = r->conn;

	conn_finish(c, r->statement, NULL, NULL);
	c->open_rows--;
	rows_return(c, r);
}

enum rowd_code db_query_one(struct db_conn *c, struct sql *sql, struct value *out, struct err *err)
{
	struct db_rows *rows;
	const struct value *row;
	enum rowd_code rc = db_query(c, sql, &rows, err);

	if (rc)
		return rc;
	rc = db_next(rows, &row, err);
	if (!rc)
		*out = row ? row[0] : value_null();
	db_rows_end(rows);
	return rc;
}

/* ---- upkeep ---- */

static enum rowd_code not_offered(const struct db_conn *c, struct err *err)
{
	return err_set(err, ROWD_E_UNSUPPORTED, "not on a %s database; use the server's own tools", c->driver->name);
}

enum rowd_code db_space(struct db_conn *c, struct db_space *out, struct err *err)
{
	return c->driver->space ? c->driver->space(c->state, out, err) : not_offered(c, err);
}

enum rowd_code db_reclaim(struct db_conn *c, int64_t max_ms, struct err *err)
{
	assert(!c->in_transaction);
	if (!c->driver->reclaim && c->driver->optimize)
		return err_set(err, ROWD_E_UNSUPPORTED,
			       "this kind of database gives space back a table at a time: name it, as optimize");
	return c->driver->reclaim ? c->driver->reclaim(c->state, max_ms, err) : not_offered(c, err);
}

enum rowd_code db_optimize(struct db_conn *c, const char *table, size_t len, struct err *err)
{
	if (!c->driver->optimize && c->driver->reclaim)
		return err_set(err, ROWD_E_UNSUPPORTED, "this kind of database gives space back in steps, without optimize");
	return c->driver->optimize ? c->driver->optimize(c->state, table, len, err) : not_offered(c, err);
}

/* A server that does not answer that question is not known to suffer. */
const char *db_distress(struct db_conn *c)
{
	const char *why = NULL;
	struct err ignored;

	err_init(&ignored);
	if (c->driver->distress && c->driver->distress(c->state, &why, &ignored))
		why = NULL;
	return why;
}

enum rowd_code db_check(struct db_conn *c, db_problem_fn *problem, void *arg, struct err *err)
{
	return c->driver->check ? c->driver->check(c->state, problem, arg, err) : not_offered(c, err);
}

enum rowd_code db_backup(struct db_conn *c, const char *path, struct err *err)
{
	return c->driver->backup ? c->driver->backup(c->state, path, err) : not_offered(c, err);
}
