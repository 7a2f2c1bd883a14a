/*
 * THE CONTRACT with a kind of database.
 *
 * A driver knows statements, never operations: it opens a connection, runs SQL that sql/ rendered
 * for its dialect, and says what became of a transaction. To add one: a file driver_<name>.c with
 * one const struct driver, and a line in drivers.am. See docs/ADDING-A-DRIVER.md.
 *
 * Rules for every slot
 *  - Thread: one connection is used by one thread at a time, except `cancel`.
 *  - conn points at conn_size cleared bytes owned by db.c; a driver keeps its state there.
 *  - On failure: fill *err (rowd's words, the backend's number as err->native), return its code.
 *    Map the backend's errors as codes.def asks; what cannot be named is ROWD_E_INTERNAL.
 *  - A slot that may block obeys conn's watch (below): past its deadline ROWD_E_TIMEOUT, when
 *    cancelled ROWD_E_CANCELLED, past its budget ROWD_E_LIMIT. It never blocks without a bound.
 *  - Only db.c calls slots. Drivers do not log.
 */
#ifndef ROWD_DB_DRIVER_H
#define ROWD_DB_DRIVER_H

#include <stdatomic.h>

#include "daemon/plan/catalog.h"
#include "daemon/sql/dialect.h"

enum driver_cap {
	CAP_ONE_WRITER = 1,      /* one writing connection, grouped commits; readers beside it */
	CAP_SCHEMA_VERSION = 2,  /* `version` is cheap enough for every transaction */
	CAP_DDL_IN_TX = 4,       /* schema statements can be rolled back */
	CAP_INLINE_READS = 8     /* a read never waits for a lock, a disk sync or a network */
};

enum db_role {
	DB_WRITER,
	DB_READER,
	DB_LOOP_READER   /* reads a little, very often: what it reads should stay at hand */
};

enum db_tx_mode {
	DB_TX_READ_ONE,       /* one statement, which reads: a driver may do without a transaction */
	DB_TX_READ,           /* one snapshot, no writes */
	DB_TX_WRITE,          /* the write lock is taken now, not at the first write */
	DB_TX_SERIALIZABLE    /* as DB_TX_WRITE, for transactions that read before they write */
};

/* Where a database is and how to open it; made from the config, constant. */
struct db_source {
	const char *name;               /* as in the config */
	const char *url;                /* sqlite:///path, mysql://... */
	const char *durability;         /* "full" or "normal" (SQLite), for others "server" */
	int64_t connect_timeout_ms;
	int64_t busy_timeout_ms;        /* how long to wait for locks of other programs */
	int64_t read_cache_kib;         /* pages that a DB_LOOP_READER may keep in memory (SQLite) */
	bool create;                    /* make the file when there is none */
};

/*
 * What may stop a running statement. Set by the owner before a statement; `cancelled` may be set
 * by any thread. A driver looks at it at least every millisecond of work.
 */
struct db_watch {
	atomic_bool cancelled;
	int64_t deadline_ns;       /* CLOCK_MONOTONIC; 0: none */
	int64_t budget_ns;         /* CLOCK_MONOTONIC instant after which an inline read gives up; 0: none */
};

/* What a database holds, in bytes. */
struct db_space {
	int64_t used_bytes;
	int64_t free_bytes;             /* allocated and not used: `reclaim` can give it back */
};

/* One thing that is wrong with a database, in its own words. */
typedef void db_problem_fn(void *arg, const char *what);

struct driver {
	const char *name;                   /* the URL's scheme: "sqlite" */
	unsigned caps;                      /* of enum driver_cap */
	size_t conn_size;                   /* bytes of a connection's state */
	const struct dialect *dialect;      /* of every connection, unless conn_dialect is set */

	/* Is this URL well formed? Opens nothing. err names what is wrong with it. */
	enum rowd_code (*check_url)(const char *url, struct err *err);

	/*
	 * Connect, make every setting of the session what rowd needs, read it back, and refuse
	 * (ROWD_E_UNAVAILABLE, or ROWD_E_CORRUPT) what does not hold. src and watch outlive conn.
	 * `close` is called even when this failed.
	 */
	enum rowd_code (*open)(void *conn, const struct db_source *src, enum db_role role,
			       const struct db_watch *watch, struct err *err);
	void (*close)(void *conn);

	/*
	 * Compile one statement (len bytes; exactly one statement). *stmt_out belongs to the
	 * connection and lives until `release` or `close`. A statement that the schema no longer
	 * fits: ROWD_E_SCHEMA_MISMATCH, db.c reads the catalog again.
	 */
	enum rowd_code (*prepare)(void *conn, const char *text, size_t len, void **stmt_out, struct err *err);
	void (*release)(void *conn, void *stmt);

	/*
	 * Bind params (borrowed until `finish`) and run. For a statement that answers rows, types
	 * (ntypes of them, borrowed until `finish`) say what to read each column as. A statement
	 * that answers none is complete when this returns. `finish` is called afterwards even when
	 * this failed.
	 */
	enum rowd_code (*exec)(void *conn, void *stmt, const struct value *params, size_t nparams,
			       const struct type *types, size_t ntypes, struct err *err);

	/*
	 * The next row into row[0 .. ntypes), *has_row_out false at the end. Text and bytes live
	 * until the next `step` or `finish`. A stored value that does not fit its type (only in
	 * tables rowd did not make) comes as the kind that it is.
	 */
	enum rowd_code (*step)(void *conn, void *stmt, struct value *row, bool *has_row_out, struct err *err);

	/* End the statement; it can be run again. *changed_out: rows matched by an insert, update
	 * or delete, cascades not counted. *last_id_out: the generated id of an insert (the first
	 * of several). Either may be NULL. */
	void (*finish)(void *conn, void *stmt, int64_t *changed_out, int64_t *last_id_out);

	/* Transactions. Never nested; db.c keeps the state. */
	enum rowd_code (*begin)(void *conn, enum db_tx_mode mode, struct err *err);
	/* ROWD_OK: durable. ROWD_E_COMMIT_UNKNOWN: sent, and its fate not known; the connection is
	 * closed by db.c. Anything else: not applied, the transaction is over. */
	enum rowd_code (*commit)(void *conn, struct err *err);
	/* Always ends the transaction; a connection that cannot is reported broken by `usable`. */
	void (*rollback)(void *conn);
	/* Is the transaction begun on conn still open? False when the backend ended it by itself
	 * (disk full, deadlock). A write that was stopped (timeout, cancel, budget) must never leave
	 * its effect in an open transaction: if the backend may have completed it, end the
	 * transaction. */
	bool (*in_transaction)(void *conn);

	/* Has nobody committed anything since the reading transaction on conn began? Cheap: no lock, no system call. True only
	 * if that is sure. NULL: it never is. */
	bool (*snapshot_is_newest)(void *conn);

	/* Read the whole schema. *out is sealed by db.c. */
	enum rowd_code (*describe)(void *conn, struct catalog **out, struct err *err);
	/* A number that changes whenever the schema does; it may be that of some milliseconds ago, see below. NULL
	 * without CAP_SCHEMA_VERSION. */
	enum rowd_code (*version)(void *conn, int64_t *out, struct err *err);
	/* Outside a transaction: what version() says next on conn was so no earlier than now. NULL: it always is. */
	void (*doubt_version)(void *conn);

	/* Is the connection alive? Cheap. */
	enum rowd_code (*ping)(void *conn, struct err *err);
	/* Stop the running statement, from another thread, on the server's side. NULL: looking at
	 * the watch is enough. */
	void (*cancel)(void *conn);
	/* "SQLite 3.40.1": for hello, databases and logs. Lives as long as conn. */
	const char *(*server)(void *conn);
	/* After an error: can conn still be used? False: db.c closes it. */
	bool (*usable)(void *conn);
	/* The dialect of the server at the other end, known once `open` has succeeded; lives for ever.
	 * NULL: `dialect` is that of all. */
	const struct dialect *(*conn_dialect)(void *conn);

	/* ---- upkeep; NULL: this kind of database does not offer it ---- */

	/* How much is used and how much is free. */
	enum rowd_code (*space)(void *conn, struct db_space *out, struct err *err);
	/* Give free space back, in small steps, for max_ms; no transaction is open. ROWD_E_STORAGE_FULL when
	 * the disk has no room for the work. */
	enum rowd_code (*reclaim)(void *conn, int64_t max_ms, struct err *err);
	/* Make one table anew and give back what is free in it: long, and on request only. ROWD_E_UNKNOWN_TABLE,
	 * ROWD_E_STORAGE_FULL. */
	enum rowd_code (*optimize)(void *conn, const char *table, size_t len, struct err *err);
	/* Does the database ask for less work? *why_out: what it suffers from, in rowd's words that live for
	 * ever, or NULL. */
	enum rowd_code (*distress)(void *conn, const char **why_out, struct err *err);
	/* Look for damage, and tell of each find. */
	enum rowd_code (*check)(void *conn, db_problem_fn *problem, void *arg, struct err *err);
	/* A copy of this moment's state in a new file; no file is left when it fails. */
	enum rowd_code (*backup)(void *conn, const char *path, struct err *err);
};

#endif
