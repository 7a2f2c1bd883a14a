/*
 * Databases and their connections: the only caller of driver slots. Keeps what every driver would
 * otherwise keep: the state of the transaction, prepared statements, the catalog, counters.
 */
#ifndef ROWD_DB_DB_H
#define ROWD_DB_DB_H

#include <pthread.h>

#include "daemon/db/driver.h"
#include "daemon/sql/sql.h"

/* The driver for a URL's scheme; NULL when this build has none. registry.c */
const struct driver *driver_find(const char *url);

/* Assert that every driver fills its mandatory slots. Called once at start. registry.c */
void driver_check_all(void);

/* All of this build, in the order of drivers.am; NULL-ended. registry.c */
const struct driver *const *driver_all(void);

/* ---- a database: shared by all threads ---- */

struct db {
	const struct driver *driver;
	struct db_source source;          /* strings borrowed from the config; outlives the db */
	pthread_mutex_t lock;             /* guards catalog, server, state */
	struct catalog *catalog;          /* the newest one read; a reference; NULL before the first */
	char server[64];                  /* "SQLite 3.40.1"; "" before the first connection */
	atomic_bool available;            /* the last attempt to connect succeeded */
};

/* ROWD_E_BAD_REQUEST for a URL no driver takes. Opens no connection. */
ROWD_MUST_CHECK enum rowd_code db_init(struct db *db, const struct db_source *src, struct err *err);
void db_fini(struct db *db);

/* ---- a connection: one thread at a time ---- */

struct db_conn;
struct db_rows;       /* a running statement that answers rows */

ROWD_MUST_CHECK enum rowd_code db_conn_open(struct db *db, enum db_role role, struct db_conn **out,
					    struct err *err);
void db_conn_close(struct db_conn *c);    /* NULL is fine; rolls back */

/* What stops this connection's statements. Never NULL. Only `cancelled` is for other threads. */
struct db_watch *db_conn_watch(struct db_conn *c);

/* Stop what c runs, from another thread. The caller guarantees that c is not closed meanwhile. */
void db_conn_cancel(struct db_conn *c);

struct db *db_conn_db(struct db_conn *c);
const struct dialect *db_conn_dialect(const struct db_conn *c);

/* False after an error that the connection did not survive: close it and open another. */
bool db_conn_usable(struct db_conn *c);

/*
 * Begin a transaction and see to it that db_catalog() is what the transaction sees (read again
 * when the schema has changed, by rowd or by others).
 */
ROWD_MUST_CHECK enum rowd_code db_begin(struct db_conn *c, enum db_tx_mode mode, struct err *err);
/* As driver.commit. The transaction is over whatever is returned. */
ROWD_MUST_CHECK enum rowd_code db_commit(struct db_conn *c, struct err *err);
/* Fine without a transaction too. */
void db_rollback(struct db_conn *c);
/* Would a reading transaction that begins now see what the open one sees? False where that is not known. */
bool db_snapshot_is_newest(struct db_conn *c);
/* Is a transaction open, truly? False too when the backend ended it by itself. */
bool db_in_transaction(struct db_conn *c);

/* Is the schema that db_begin finds perhaps that of some milliseconds ago? Not after db_doubt_schema, outside a
 * transaction: the next db_begin finds that of then. */
bool db_schema_may_be_old(const struct db_conn *c);
void db_doubt_schema(struct db_conn *c);

/* The schema as of the last db_begin or db_reload; borrowed until the next, or until the rollback of
 * a transaction that called db_reload. NULL before and after those. */
const struct catalog *db_catalog(struct db_conn *c);

/* Read the schema again: after schema statements, within their transaction; and after rolling back to a
 * savepoint before them. Others see it once the transaction is committed. Prepared statements are
 * dropped. */
ROWD_MUST_CHECK enum rowd_code db_reload(struct db_conn *c, struct err *err);

/*
 * Run a rendered statement; what has no text yet is given one, where it has to be prepared. db_run for
 * those that answer no rows (changed, last_id: may be NULL); db_query for those that do: then db_next until
 * *row_out is NULL, and db_rows_end in any case where db_query succeeded. sql must live until then. One
 * db_rows at a time may be open, and others may be run while it is (SQLite), so copy what must outlive the
 * next step.
 */
ROWD_MUST_CHECK enum rowd_code db_run(struct db_conn *c, struct sql *sql, int64_t *changed,
				      int64_t *last_id, struct err *err);
ROWD_MUST_CHECK enum rowd_code db_query(struct db_conn *c, struct sql *sql, struct db_rows **out,
					struct err *err);
ROWD_MUST_CHECK enum rowd_code db_next(struct db_rows *r, const struct value **row_out, struct err *err);
void db_rows_end(struct db_rows *r);

/* The first column of the first row; VALUE_NULL when there is none. Not for text or bytes. */
ROWD_MUST_CHECK enum rowd_code db_query_one(struct db_conn *c, struct sql *sql, struct value *out,
					    struct err *err);

/* Upkeep: see driver.h. ROWD_E_UNSUPPORTED where the driver does not offer it. */
ROWD_MUST_CHECK enum rowd_code db_space(struct db_conn *c, struct db_space *out, struct err *err);
ROWD_MUST_CHECK enum rowd_code db_reclaim(struct db_conn *c, int64_t max_ms, struct err *err);
ROWD_MUST_CHECK enum rowd_code db_optimize(struct db_conn *c, const char *table, size_t len, struct err *err);
ROWD_MUST_CHECK enum rowd_code db_check(struct db_conn *c, db_problem_fn *problem, void *arg, struct err *err);
ROWD_MUST_CHECK enum rowd_code db_backup(struct db_conn *c, const char *path, struct err *err);

/* What the database suffers from, so that less should be asked of it; NULL: nothing that it tells. */
const char *db_distress(struct db_conn *c);

ROWD_MUST_CHECK enum rowd_code db_ping(struct db_conn *c, struct err *err);

#endif
