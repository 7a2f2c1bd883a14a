/*
 * What the files of the driver for MySQL and MariaDB share. The one place that includes mysql.h: of
 * MariaDB Connector/C or of libmysqlclient, whichever the build found.
 *
 * Thread: everything here belongs to the thread that uses the connection, but for what mysql_guard.c
 * does at the request of others.
 */
#ifndef ROWD_DB_MYSQL_PRIVATE_H
#define ROWD_DB_MYSQL_PRIVATE_H

#include <pthread.h>

#include <errmsg.h>
#include <mysql.h>

#include "base/clock.h"
#include "daemon/db/watch.h"

#ifdef MARIADB_BASE_VERSION
typedef my_bool mydb_flag;
#elif MYSQL_VERSION_ID >= 80000
typedef bool mydb_flag;
#else
typedef my_bool mydb_flag;
#endif

enum {
	MYDB_HOSTS_MOST = 16,
	MYDB_ASK_AGAIN = 5, /* times a question about the schema is put */
	MYDB_SUMS = 4, /* that make up a schema's version */
	MYDB_PLACEHOLDERS_MOST = 65535,
	MYDB_SESSION_SECONDS = 600,                /* no read or write of the socket blocks for longer */
	MYDB_PACKET_LEAST_BYTES = 4 * 1024 * 1024, /* the least of the servers' own defaults */
	MYDB_KILL_MS = 6000,                       /* at most, to have a statement stopped */
	MYDB_PING_MS = 4000,
	MYDB_CONTROL_MS = 10000, /* beginning, rolling back, asking */
	MYDB_COMMIT_MS = 30000
};

/* ---- mysql_url.c: where the servers are ---- */

enum mydb_tls { MYDB_TLS_DEFAULT, MYDB_TLS_OFF, MYDB_TLS_REQUIRED, MYDB_TLS_VERIFY };

struct mydb_host {
	const char *name;
	unsigned port;
	bool port_given;
};

struct mydb_url {
	char *text; /* owned; all below points into it */
	const char *user, *database;
	const char *unix_socket, *password_file; /* NULL when not given */
	const char *tls_ca, *tls_cert, *tls_key;
	enum mydb_tls tls;
	struct mydb_host hosts[MYDB_HOSTS_MOST];
	unsigned nhosts;
};

/* ROWD_E_BAD_REQUEST names what is wrong. Fill *out, to be freed with mydb_url_fini. */
enum rowd_code mydb_url_parse(const char *url, struct mydb_url *out, struct err *err);
void mydb_url_fini(struct mydb_url *u);
enum rowd_code mydb_check_url(const char *url, struct err *err);

/* Does the connection stay on this machine? */
bool mydb_host_is_local(const struct mydb_url *u, const struct mydb_host *host);

/* ---- mysql_guard.c: what stops a statement that runs on the server ---- */

enum mydb_guard_state { GUARD_IDLE, GUARD_RUNNING, GUARD_KILLING, GUARD_KILLED };

/* What came of asking the server to stop a statement. */
enum mydb_kill { KILL_NOT_SENT, KILL_DONE, KILL_UNKNOWN };

struct mydb_conn;

struct mydb_guard {
	/* guarded by the lock of mysql_guard.c */
	enum mydb_guard_state state;
	bool stoppable;
	bool cancelled;          /* somebody asked for it */
	bool cut;                /* the socket was shut down: the last resort */
	enum mydb_kill kill;     /* once killed */
	bool probing;            /* somebody looks whether the server is there */
	unsigned unanswered;     /* how often it was not, one time after the other */
	int64_t stop_ns, cut_ns; /* CLOCK_MONOTONIC; 0: never */
	int64_t probe_ns;        /* CLOCK_MONOTONIC */
	int fd;
	struct mydb_conn *next, *previous;
};

struct mydb_shared;
struct mydb_stmt;

/* One value of a row, as the library leaves it. */
struct mydb_cell {
	char *data; /* owned; for what has a length */
	size_t cap;
	unsigned long len;
	mydb_flag is_null, error;
	union {
		int64_t i;
		double d;
		float f;
		MYSQL_TIME t;
	} u;
};

/* Room for what a parameter is sent as, where that is not what its value is. */
struct mydb_scratch {
	unsigned long len;
	union {
		char text[24];
		MYSQL_TIME t;
	} u;
};

struct mydb_conn {
	MYSQL *db;                      /* owned; NULL before open and after a failed one */
	const struct db_source *source; /* borrowed */
	const struct db_watch *watch;   /* borrowed */
	const struct dialect *dialect;
	struct mydb_url url;          /* owned */
	char *password;               /* owned; NULL: none */
	const struct mydb_host *host; /* of url.hosts, the one connected to */
	struct mydb_guard guard;
	uint64_t id;                /* the server's number of the connection */
	struct mydb_shared *shared; /* borrowed; what is known of the database; NULL before `open` */
	char identity[256];         /* of the server: a kill may only go to the same one */
	bool guarded;               /* the guard's thread is held */
	bool bounded;               /* no statement may take longer than a ping */
	bool broken;                /* nothing but close may follow */
	bool mariadb;
	bool galera;
	unsigned version;     /* 101119 */
	int64_t packet_bytes; /* the server's max_allowed_packet */
	/* transactions */
	bool in_transaction;          /* begun, and not ended by anybody */
	bool touched;                 /* a statement was run in it */
	bool seen_open;               /* the server said that it is in one */
	bool autocommit;              /* the session's mode: of reads of one statement */
	bool staging;                 /* what is written is only this connection's */
	bool rolling_back;            /* a ROLLBACK was sent, its answer not yet read */
	const char *isolation;        /* as last set; NULL: not known */
	bool statement_binlog;        /* READ COMMITTED cannot be written under */
	int64_t used_ns, checked_ns;  /* when last spoken to; when last found to be writable */
	struct mydb_stmt *statements; /* all of them, in no order */
	void *sums[MYDB_SUMS];        /* of them, those of mysql_version.c; NULL until first used */
	bool doubts_version;          /* the next one is read, whatever others know */
	/* the one statement whose rows are being read */
	struct mydb_stmt *reading;
	enum rowd_code stopped;  /* why, of the statement now running */
	struct mydb_cell *cells; /* owned; one for each column of the widest result */
	MYSQL_BIND *columns;     /* owned; likewise */
	size_t ncells;
	bool columns_moved;           /* since they were bound: to be bound again before the next row */
	MYSQL_BIND *params;           /* owned */
	struct mydb_scratch *scratch; /* owned; one for each of params */
	size_t nparams;
	unsigned nlists; /* tables that hold the lists of the statement now running */
	char server[48];
};

struct mydb_stmt {
	MYSQL_STMT *stmt; /* owned; NULL while not prepared */
	char *text;       /* owned */
	size_t len;
	bool as_text;             /* the server takes it in the text protocol only */
	bool has_lists;           /* it names tables that are filled before it is prepared */
	bool writes;              /* rows: insert, update or delete */
	bool reads;               /* changes nothing */
	const struct type *types; /* borrowed until finish */
	size_t ntypes;
	MYSQL_RES *metadata; /* owned, while rows are read */
	bool was_open;       /* run within a transaction */
	bool ended;          /* the last row was read */
	int64_t changed, last_id;
	struct mydb_stmt *next, *previous; /* of the connection */
};

/* Every connection that is opened holds the guard's thread. */
enum rowd_code mydb_guard_hold(struct mydb_conn *c, struct err *err);
void mydb_guard_let_go(struct mydb_conn *c);

/*
 * From here until mydb_guard_leave the connection waits for the server: a statement that obeys the
 * watch, or (control_ms > 0) a word about the connection itself that must be answered within that time.
 */
void mydb_guard_enter(struct mydb_conn *c, int64_t control_ms);

/* The watch was changed while a statement runs. */
void mydb_guard_update(struct mydb_conn *c);

/* The answer was read. Waits for a kill that is on its way. */
enum mydb_kill mydb_guard_leave(struct mydb_conn *c);

/* The thread of the connection itself wants its statement stopped, and waits until the server knows. */
enum mydb_kill mydb_guard_stop_now(struct mydb_conn *c);

/* driver.cancel */
void mydb_guard_cancel(void *conn);

/* ---- mysql_errand.c: from threads of the guard's ---- */

/* Ask the server to stop what the connection runs. */
enum mydb_kill mydb_kill_query(struct mydb_conn *c);

/* Does anybody answer at the server's address? */
bool mydb_is_there(struct mydb_conn *c);

/* ---- mysql_open.c ---- */

enum rowd_code mydb_open(void *conn, const struct db_source *src, enum db_role role,
			 const struct db_watch *watch, struct err *err);
void mydb_close(void *conn);

/* A connection to host, for any purpose, in *out; the reason is in *err. seconds: for everything that
 * may block. */
enum rowd_code mydb_connect_host(struct mydb_conn *c, const struct mydb_host *host, unsigned seconds,
				 unsigned session_seconds, MYSQL **out, struct err *err);

/* Can this server still be written? Otherwise the connection is broken. For one of several hosts. */
enum rowd_code mydb_check_writable(struct mydb_conn *c, struct err *err);

/* The query that tells servers apart. */
extern const char mydb_identity_query[];

/* ---- mysql_session.c ---- */

/* Learn what the server is, make its settings ours, read them back, and prove what follows from them. */
enum rowd_code mydb_session_prepare(struct mydb_conn *c, struct err *err);

/* ---- mysql_error.c ---- */

/* Fill *err from what the library says of the connection or of a statement. Never the server's own
 * words. Marks the connection broken, or its transaction lost, where that follows. */
enum rowd_code mydb_fail(struct mydb_conn *c, struct err *err);
enum rowd_code mydb_fail_stmt(struct mydb_conn *c, MYSQL_STMT *stmt, struct err *err);
unsigned mydb_stmt_number(struct mydb_conn *c, MYSQL_STMT *stmt);
enum rowd_code mydb_fail_number(struct mydb_conn *c, unsigned number, const char *message, struct err *err);

/* As mydb_fail, of a connection that is not yet one. */
enum rowd_code mydb_fail_connect(unsigned number, struct err *err);

/* Did a COMMIT that was answered with this number surely not happen? */
bool mydb_commit_is_undone(unsigned number);

/* Did the server, or the link to it, go away? */
bool mydb_is_lost(unsigned number);

/* Of a statement that the watch stopped: c->stopped says why. */
enum rowd_code mydb_fail_stopped(const struct mydb_conn *c, struct err *err);

/* ---- mysql_values.c ---- */

/* Make c->params of params, VALUE_LISTs left out; *n_out of them. */
enum rowd_code mydb_bind_params(struct mydb_conn *c, const struct value *params, size_t nparams,
				size_t *n_out, struct err *err);

/* Let go of what a large statement took. */
void mydb_params_trim(struct mydb_conn *c);

/* Bind c->cells to the columns of a result. */
enum rowd_code mydb_bind_result(struct mydb_conn *c, struct mydb_stmt *s, struct err *err);

/* Column i of the row just fetched, read as t. Text and bytes are borrowed from the connection. */
enum rowd_code mydb_read_value(struct mydb_conn *c, struct mydb_stmt *s, unsigned i, const struct type *t,
			       struct value *out, struct err *err);

/* Let go of room that a large value took. */
void mydb_cells_trim(struct mydb_conn *c);
void mydb_values_fini(struct mydb_conn *c);

/* ---- mysql_list.c ---- */

/* How the tables are called that a dialect's long lists stand in, but for their numbers. */
#define MYDB_LIST_TABLE "_rowd_list_"

/* Fill a table for each VALUE_LIST of params. c->nlists counts them, also on failure. */
enum rowd_code mydb_lists_stage(struct mydb_conn *c, const struct value *params, size_t nparams,
				struct err *err);
void mydb_lists_drop(struct mydb_conn *c);

/* ---- mysql_statement.c ---- */

enum rowd_code mydb_prepare(void *conn, const char *text, size_t len, void **stmt_out, struct err *err);
void mydb_release(void *conn, void *stmt);
enum rowd_code mydb_exec(void *conn, void *stmt, const struct value *params, size_t nparams,
			 const struct type *types, size_t ntypes, struct err *err);
enum rowd_code mydb_step(void *conn, void *stmt, struct value *row, bool *has_row_out, struct err *err);
void mydb_finish(void *conn, void *stmt, int64_t *changed_out, int64_t *last_id_out);

/*
 * A statement of the driver's own that answers rows: ask, step until there are none, and answered. stmt
 * is NULL when ask failed.
 */
enum rowd_code mydb_ask(struct mydb_conn *c, const char *text, const struct value *params, size_t nparams,
			const struct type *types, size_t ntypes, struct mydb_stmt **out, struct err *err);
void mydb_answered(struct mydb_conn *c, struct mydb_stmt *s);

/* Words that answer no rows, in the text protocol, within control_ms. */
enum rowd_code mydb_say(struct mydb_conn *c, const char *words, int64_t control_ms, struct err *err);

/* ---- driver_mysql.c ---- */

/* Read the answer of a ROLLBACK that was sent and not waited for. */
enum rowd_code mydb_settle(struct mydb_conn *c, struct err *err);
void mydb_settle_quietly(struct mydb_conn *c);

/*
 * Is a question about the schema to be put (again, when i > 0)? It is answered from temporary files, and where
 * servers share the folder of those, each that starts removes the ones of all others.
 */
bool mydb_fell_over(enum rowd_code rc, struct err *err, int i);

enum rowd_code mydb_commit(void *conn, struct err *err);
enum rowd_code mydb_set_autocommit(struct mydb_conn *c, bool on, struct err *err);
void mydb_rollback(void *conn);

/*
 * For the driver's own questions: out of a transaction that was begun and has run no statement yet, and
 * back into it.
 */
bool mydb_step_aside(struct mydb_conn *c);
void mydb_step_back(struct mydb_conn *c, bool aside);

/* ---- mysql_shared.c ---- */

/* What the connections of one database know together. */
struct mydb_shared {
	const struct db_source *source; /* borrowed; tells databases apart */
	unsigned users;
	struct mydb_shared *next;
	pthread_mutex_t lock; /* guards all below */
	bool known;           /* version is one that was read */
	bool asking;          /* somebody is on the way to the server */
	int64_t version;
	int64_t due_ns;      /* when it is to be asked for again */
	int64_t took_ns;     /* the last question; 0: there was none */
	uint64_t generation; /* of version: how often it was told */
	int64_t avoided_until_ns[MYDB_HOSTS_MOST];
};

enum rowd_code mydb_shared_use(struct mydb_conn *c, struct err *err);
void mydb_shared_leave(struct mydb_conn *c);

/* The host of c does not answer: for some seconds the others are tried first. */
void mydb_host_avoid(struct mydb_conn *c);
bool mydb_host_is_avoided(struct mydb_conn *c, const struct mydb_host *host);

/* ---- mysql_version.c ---- */

/* driver.version: as known to all connections of the database, asked for when that is some milliseconds old. */
enum rowd_code mydb_version(void *conn, int64_t *out, struct err *err);

/* driver.doubt_version */
void mydb_version_doubt(void *conn);

/* As it is now. */
enum rowd_code mydb_version_read(struct mydb_conn *c, int64_t *out, struct err *err);

/* A whole schema of that version was read; the reading began at that generation. */
uint64_t mydb_version_generation(struct mydb_conn *c);
void mydb_version_tell(struct mydb_conn *c, int64_t version, uint64_t generation);

/* ---- mysql_upkeep.c ---- */

enum rowd_code mydb_space(void *conn, struct db_space *out, struct err *err);
enum rowd_code mydb_optimize(void *conn, const char *table, size_t len, struct err *err);
enum rowd_code mydb_distress(void *conn, const char **why_out, struct err *err);

/* ---- mysql_schema.c ---- */

enum rowd_code mydb_describe(void *conn, struct catalog **out, struct err *err);

#endif
