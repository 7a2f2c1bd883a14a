/*
 * What the files of the SQLite driver share. The one place that includes sqlite3.h.
 *
 * Thread: everything here belongs to the thread that uses the connection.
 */
#ifndef ROWD_DB_SQLITE_PRIVATE_H
#define ROWD_DB_SQLITE_PRIVATE_H

#include <sqlite3.h>

#include "base/clock.h"
#include "daemon/db/watch.h"

/* Of the log's index: its head, twice, and how much of the log the database has. */
enum { SQLITE_INDEX_WORDS = 25 };

struct sqlite_conn {
	sqlite3 *db;                    /* owned; NULL before open and after a failed one */
	const struct db_source *source; /* borrowed */
	const struct db_watch *watch;   /* borrowed */
	enum db_role role;
	bool broken;                    /* nothing but close may follow */
	bool full;                      /* the disk was found full; a checkpoint may make room */
	bool unstoppable;               /* while a transaction begins or ends */
	bool version_known;             /* `version` is this transaction's */
	int64_t version;
	int64_t file_id;                /* of the file opened, for `version`: a replaced file differs */
	int64_t moved_checked_ns;       /* when HAS_MOVED was last asked */
	int64_t busy_since_ns;
	/* sqlite_cache.c's own, of a loop's reader */
	int64_t cache_kib, emptied_ns;
	unsigned emptied;
	struct sqlite_checkpointer *checkpointer; /* owned; a writer's only, else NULL */
	/* sqlite_snapshot.c's own; what was seen is a loop's reader's */
	const volatile uint32_t *index; /* borrowed from SQLite; NULL before the first transaction */
	uint32_t index_seen[SQLITE_INDEX_WORDS];
	bool index_is_seen;
	/* Why a statement was stopped or a function of ours failed; ROWD_OK when neither.
	 * SQLite only says "interrupted" or "error". Cleared before every statement. */
	enum rowd_code stopped, raised;
	/* The statements of every transaction, prepared once. Owned. */
	sqlite3_stmt *begin_read, *begin_write, *commit, *rollback, *schema_version;
	char server[32];
};

struct sqlite_stmt {
	sqlite3_stmt *stmt;             /* owned */
	const struct type *types;       /* borrowed until finish */
	int ntypes;
	bool writes;
};

/* ---- driver_sqlite.c ---- */

/* Read c->version; the result code. */
int sqlite_read_version(struct sqlite_conn *c);

/* ---- sqlite_open.c ---- */

enum rowd_code sqlite_check_url(const char *url, struct err *err);
enum rowd_code sqlite_open(void *conn, const struct db_source *src, enum db_role role,
			   const struct db_watch *watch, struct err *err);
void sqlite_close(void *conn);

/* Is the file at the path still the one opened? Otherwise the connection is broken and
 * ROWD_E_UNAVAILABLE. */
enum rowd_code sqlite_check_moved(struct sqlite_conn *c, struct err *err);

/* ---- sqlite_watch.c ---- */

/* Let SQLite ask the watch: while it computes and while it waits for a lock. */
void sqlite_watch_install(struct sqlite_conn *c);

/* ---- sqlite_error.c ---- */

/* Fill *err from a failed call's result code (extended). Never SQLite's own words. */
enum rowd_code sqlite_fail(struct sqlite_conn *c, int rc, struct err *err);

/* ---- sqlite_values.c ---- */

/* SQLITE_OK or what binding said. What v borrows must outlive the statement's run. */
int sqlite_bind_value(sqlite3_stmt *stmt, int position, const struct value *v);

/* The same as the answer of a function or a virtual table's column. What v borrows must outlive the
 * statement's run. */
void sqlite_result_value(sqlite3_context *ctx, const struct value *v);

/* Column i of the current row, read as t. Text and bytes are borrowed from the statement. False
 * when memory ran out. */
bool sqlite_read_value(sqlite3_stmt *stmt, int i, const struct type *t, struct value *out);

/* ---- sqlite_functions.c, sqlite_list.c ---- */

int sqlite_functions_install(struct sqlite_conn *c);
int sqlite_list_install(sqlite3 *db);

/* The type of pointer that rowd_list takes: a const struct value_list. */
#define SQLITE_LIST_POINTER "rowd_list"

/* ---- sqlite_default.c ---- */

/* What a DEFAULT clause's text means for column: fills its has_default, dflt (arena memory) and
 * default_is_computed. */
enum rowd_code sqlite_read_default(struct sqlite_conn *c, struct arena *a, const char *text,
				   struct column *column, struct err *err);

/* ---- sqlite_schema.c ---- */

enum rowd_code sqlite_describe(void *conn, struct catalog **out, struct err *err);

/* ---- sqlite_upkeep.c ---- */

enum rowd_code sqlite_space(void *conn, struct db_space *out, struct err *err);
enum rowd_code sqlite_reclaim(void *conn, int64_t max_ms, struct err *err);
enum rowd_code sqlite_check(void *conn, db_problem_fn *problem, void *arg, struct err *err);
enum rowd_code sqlite_backup(void *conn, const char *path, struct err *err);

/* ---- sqlite_log.c ---- */

/* The VFS that writes a log in one piece, for connections whose every commit is synced. */
#define SQLITE_LOG_VFS "rowd-log"

/* Once a process, after sqlite3_initialize(). */
void sqlite_log_register(void);

/* A writer's connection is about to commit; has, or has given it up. Without effect on others. The second: by its log. */
void sqlite_log_commits(struct sqlite_conn *c, bool commits);
void sqlite_log_file_commits(sqlite3_file *file, bool commits);

/* ---- sqlite_checkpoint.c ---- */

/* How long the log gets, in pages, before it is copied into the database. */
enum { SQLITE_LOG_FRAMES = 4000 };

/* From now on a writer's log is copied when it is long. False: no memory. */
bool sqlite_checkpoint_install(struct sqlite_conn *c);

/* Copy what there is, at once, if c is a writer's. What cannot be copied now stays in the log. */
void sqlite_checkpoint_now(struct sqlite_conn *c);

/* Before c->db is closed. Fine on any connection. */
void sqlite_checkpoint_end(struct sqlite_conn *c);

/* ---- sqlite_cache.c ---- */

/* A loop's reader: what its cache begins with, and a look at what it should be, within a transaction that reads. */
int64_t sqlite_cache_first_kib(const struct sqlite_conn *c);
void sqlite_cache_attend(struct sqlite_conn *c);

/* ---- sqlite_snapshot.c ---- */

/* A loop's reader is about to begin a transaction that reads; has begun it. */
void sqlite_snapshot_begins(struct sqlite_conn *c);
void sqlite_snapshot_begun(struct sqlite_conn *c);
bool sqlite_snapshot_is_newest(void *conn);

/* How many pages of the log the database has already; of any connection that has read. 0 too where that cannot be told. */
uint32_t sqlite_index_copied(struct sqlite_conn *c);

/* It is as if the database had none of them: all are copied again. False: not now, for somebody else is copying. */
bool sqlite_index_copy_again(sqlite3 *db);

#endif
