/*
 * librowd: the C client of rowd.
 *
 *	struct rowd *db;
 *	struct rowd_error err;
 *	int64_t deleted;
 *
 *	if (rowd_connect(NULL, NULL, &db, &err))
 *		return complain(&err);
 *	if (rowd_delete_where(db, "users",
 *			      rowd_and(rowd_gt("age", rowd_int(30)), rowd_like("name", "a%")),
 *			      NULL, &deleted, NULL, &err))
 *		return complain(&err);
 *	rowd_close(db);
 *
 * Rules that hold for every function below, so that they need not be repeated:
 *
 * Errors   A function that can fail returns enum rowd_code: ROWD_OK (0), or what went wrong, and
 *          then *err says the rest. err may be NULL. Outputs are written on ROWD_OK only, and any
 *          pointer for an output may be NULL when a function says "or NULL". Nothing aborts, nothing
 *          is printed, errno is of no meaning, and running out of memory is ROWD_E_NO_RESOURCE.
 * Values   A struct rowd_value is yours until you hand it to a function; from then on it is that
 *          function's, whether it succeeds or fails, and must not be used again. The functions
 *          that make values never return NULL: one that runs out of memory returns a value that
 *          carries the failure, and the call that is given it fails and sends nothing.
 * Strings  const char * is NUL-terminated UTF-8, copied before the function returns.
 * Time     Timeouts are milliseconds, points in time are microseconds since 1970-01-01T00:00:00Z.
 * Threads  A connection, its results and streams belong to one thread at a time: hand them over
 *          as you like, use them from two at once never. Values likewise. Different connections
 *          are independent. rowd_cancel() alone may be called on a connection in use.
 * Signals  SIGPIPE is never raised. EINTR is retried.
 * Fork     A connection must not be used, nor closed, in a child; use _exit or exec there.
 */
#ifndef ROWD_H
#define ROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rowd_codes.h"

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define ROWD_API       __attribute__((visibility("default")))
#define ROWD_NODISCARD __attribute__((warn_unused_result))
#else
#define ROWD_API
#define ROWD_NODISCARD
#endif

struct rowd;        /* a connection */
struct rowd_value;  /* a value that you make: an argument, a row, a filter */
struct rowd_result; /* an answer that you got; you free it */
struct rowd_row;    /* a row of a result, borrowed from it */
struct rowd_item;   /* any value inside a result, borrowed from it */
struct rowd_stream; /* a select whose rows come in batches */

/* ---- errors ---- */

enum { ROWD_ERROR_NAME_BYTES = 32, ROWD_ERROR_TEXT_BYTES = 384, ROWD_ERROR_WHERE_BYTES = 128 };

/* What went wrong. Yours; holds no pointer, needs no freeing, may be copied. */
struct rowd_error {
	enum rowd_code code;       /* a newer daemon may send a number this header does not know */
	enum rowd_outcome outcome; /* whether the request took effect. ROWD_UNKNOWN: nobody can tell */
	bool retry;                /* the same request may well succeed a moment later */
	bool local;                /* said by this library, not by the daemon; ROWD_E_UNAVAILABLE is then
				       a daemon that cannot be reached, else a database */
	char name[ROWD_ERROR_NAME_BYTES];    /* "too_long": the stable name of the code */
	char text[ROWD_ERROR_TEXT_BYTES];    /* a sentence for people, without the name */
	char table[ROWD_ERROR_WHERE_BYTES];  /* "" when not about a table */
	char column[ROWD_ERROR_WHERE_BYTES]; /* "" when not about a column */
	int64_t limit;                       /* the limit that was passed; -1 if none was */
	int64_t matched;                     /* rows that matched (too_many_rows); -1 if not counted */
	int64_t index;                       /* which op of `atomic`, or which row; -1 if neither */
};

/* "too_long"; "ok" for ROWD_OK, "internal" for a number that is not known. Constant. Thread: any. */
ROWD_API const char *rowd_code_name(enum rowd_code code);

/* What the code means, one line for people. Constant. Thread: any. */
ROWD_API const char *rowd_code_meaning(enum rowd_code code);

/* "not_applied", "applied" or "unknown". Constant. Thread: any. */
ROWD_API const char *rowd_outcome_name(enum rowd_outcome outcome);

/* The library's version, "1.2.3". Constant. Thread: any. */
ROWD_API const char *rowd_version(void);

/* ---- connections ---- */

#define ROWD_TIMEOUT_DEFAULT (-2) /* the connection's own */
#define ROWD_TIMEOUT_NONE    (-1) /* wait for ever */

/*
 * How to connect. Begin with ROWD_OPTIONS_INIT, which is also what NULL stands for, and change what
 * you need: size tells a newer library which members this program knows.
 */
struct rowd_options {
	size_t size;            /* of this struct */
	int connect_timeout_ms; /* for socket and hello together; 5000. ROWD_TIMEOUT_NONE: for ever */
	int timeout_ms;         /* for each call that does not say otherwise; ROWD_TIMEOUT_NONE */
	const char *client;     /* your name, for the daemon's log and its sessions(); NULL: the program's */
	const char *database;   /* the one to use; NULL: the daemon's default one */
	size_t max_reply_bytes; /* a reply past it is ROWD_E_LIMIT and ends the connection; 268435456 */
	unsigned max_pending;   /* requests sent and not received, at most; 1024 */
	bool no_reconnect;      /* true: once the connection is lost every call fails */
};
#define ROWD_OPTIONS_INIT \
	{ \
		sizeof(struct rowd_options), 5000, ROWD_TIMEOUT_NONE, NULL, NULL, 268435456, 1024, false \
	}

/*
 * Connect to the daemon and say hello.
 * path: of its socket. NULL: $ROWD_SOCKET, else the usual runtime directory, as the daemon chooses it.
 * options: or NULL; borrowed for the call.
 * *conn_out is yours to rowd_close.
 * A daemon whose queue is full is tried again until the time is up. ROWD_E_UNAVAILABLE (nothing
 * listens there, or it does not answer), ROWD_E_DENIED (the socket may not be opened),
 * ROWD_E_TIMEOUT, ROWD_E_UNKNOWN_DATABASE, ROWD_E_UNSUPPORTED (another protocol version).
 *
 * Reconnecting. A connection that was lost while it was idle is made again by the next call, with
 * hello and the database last chosen: only when no transaction is open and every request sent
 * has been received, so that nothing is in doubt. A call whose request had not wholly left is sent
 * again once, under the same condition; a request that had left is never sent twice. When a
 * transaction is lost, every call is ROWD_E_TX_ABORTED until rowd_rollback, so that what was meant
 * for the transaction never runs outside it.
 *
 * When a request is lost, the error says what is true: not_applied when it had not wholly left, only
 * reads, or was part of a transaction that was rolled back with the connection
 * (ROWD_E_UNAVAILABLE); unknown otherwise (ROWD_E_COMMIT_UNKNOWN).
 */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_connect(const char *path, const struct rowd_options *options,
						    struct rowd **conn_out, struct rowd_error *err);

/* Close and free; an open transaction is rolled back, what was not received is forgotten. NULL is
 * fine. Results stay valid; streams must be closed before. */
ROWD_API void rowd_close(struct rowd *conn);

/* The path rowd_connect(NULL, ...) takes, NUL-terminated. ROWD_E_LIMIT when it does not fit. Thread: any, as
 * long as nobody changes the environment. */
ROWD_API enum rowd_code rowd_default_path(char *out, size_t out_bytes, struct rowd_error *err);

/* The path of the socket. Borrowed until rowd_close. */
ROWD_API const char *rowd_path(const struct rowd *conn);

/* What the daemon answered to hello, a map: server, version, protocol, databases, default, limits,
 * session, user. Borrowed until the next call that connects again, or rowd_close. */
ROWD_API const struct rowd_item *rowd_hello(const struct rowd *conn);

/* The session's number, by which the daemon knows this connection. */
ROWD_API uint64_t rowd_session(const struct rowd *conn);

/* The timeout of calls from now on, in milliseconds (0: do not wait at all), or ROWD_TIMEOUT_NONE. */
ROWD_API void rowd_set_timeout(struct rowd *conn, int timeout_ms);

/* True between a rowd_begin that succeeded and its commit or rollback. */
ROWD_API bool rowd_in_transaction(const struct rowd *conn);

/* The socket, to poll for reading (and for writing while rowd_unsent() > 0) in an event loop of your own; then
 * rowd_receive_next with a timeout of 0. -1 when not connected. It may change when a call
 * connects again. Do not read from it, write to it or close it. */
ROWD_API int rowd_fd(const struct rowd *conn);

/* ---- making values ---- */

ROWD_API struct rowd_value *rowd_null(void);
ROWD_API struct rowd_value *rowd_bool(bool v);
ROWD_API struct rowd_value *rowd_int(int64_t v);
ROWD_API struct rowd_value *rowd_float(double v);

/* A text; a decimal too, such as "12.50". A NULL s is a mistake, not a null: the call fails. */
ROWD_API struct rowd_value *rowd_str(const char *s);
ROWD_API struct rowd_value *rowd_strn(const char *s, size_t len);

/* Bytes. data may be NULL when len is 0. */
ROWD_API struct rowd_value *rowd_bin(const void *data, size_t len);

/* A point in time: microseconds since 1970 UTC. */
ROWD_API struct rowd_value *rowd_time(int64_t micros);

/*
 * An array of what is given, at least one: rowd_array(rowd_int(1), rowd_str("x")).
 * No end mark is needed; a NULL among the values is a mistake, and the call that is given the array fails.
 */
#define rowd_array(...) rowd_array_(__VA_ARGS__, ROWD_END_)

/* A map of at least one name and value, in turn: rowd_map("id", rowd_int(1), "name", rowd_str("x")).
 * This is also how a row is written. A name given twice is refused by the daemon. */
#define rowd_map(...) rowd_map_(__VA_ARGS__, ROWD_END_)

/* An array of texts: rowd_strs("name", "-age"). */
#define rowd_strs(...) rowd_strs_(__VA_ARGS__, ROWD_END_)

/* An array of count ints, as for `in`. Copied. */
ROWD_API struct rowd_value *rowd_ints(const int64_t *values, size_t count);

/* An empty array or map, to which more is added. */
ROWD_API struct rowd_value *rowd_array_new(void);
ROWD_API struct rowd_value *rowd_map_new(void);

/* Add a value (which is then the array's). A failure is kept in the array. */
ROWD_API void rowd_array_add(struct rowd_value *array, struct rowd_value *value);

/* Add a name and a value (which is then the map's). A failure is kept in the map. */
ROWD_API void rowd_map_add(struct rowd_value *map, const char *name, struct rowd_value *value);

/* One whole value that is MessagePack already. Copied; refused when it is not exactly one value. To an array or map
 * more can be added. */
ROWD_API struct rowd_value *rowd_raw(const void *data, size_t len);

/* A copy, to use a value twice. v stays yours. */
ROWD_API struct rowd_value *rowd_copy(const struct rowd_value *v);

/* A copy of something received. */
ROWD_API struct rowd_value *rowd_from_item(const struct rowd_item *item);

/* ROWD_OK, or why the calls that v is given to will fail. v stays yours. */
ROWD_API enum rowd_code rowd_value_check(const struct rowd_value *v);

/* Free a value that was not handed on. NULL is fine. */
ROWD_API void rowd_value_free(struct rowd_value *v);

/* What the macros above and below call; the last argument is ROWD_END_. */
#define ROWD_END_ ((void *)(intptr_t)-1)
ROWD_API struct rowd_value *rowd_array_(struct rowd_value *first, ...);
ROWD_API struct rowd_value *rowd_map_(const char *name, ...);
ROWD_API struct rowd_value *rowd_strs_(const char *first, ...);
ROWD_API struct rowd_value *rowd_and_(struct rowd_value *first, ...);
ROWD_API struct rowd_value *rowd_or_(struct rowd_value *first, ...);

/* ---- filters: values too, made with functions that read like what they mean ---- */

/* column op value. A value may also be rowd_col("other") or, inside a selection, rowd_outer("col"). */
ROWD_API struct rowd_value *rowd_eq(const char *column, struct rowd_value *v); /* =  */
ROWD_API struct rowd_value *rowd_ne(const char *column, struct rowd_value *v); /* != */
ROWD_API struct rowd_value *rowd_lt(const char *column, struct rowd_value *v); /* <  */
ROWD_API struct rowd_value *rowd_le(const char *column, struct rowd_value *v); /* <= */
ROWD_API struct rowd_value *rowd_gt(const char *column, struct rowd_value *v); /* >  */
ROWD_API struct rowd_value *rowd_ge(const char *column, struct rowd_value *v); /* >= */
ROWD_API struct rowd_value *rowd_is(const char *column, struct rowd_value *v); /* =, and null is null */
ROWD_API struct rowd_value *rowd_is_not(const char *column, struct rowd_value *v);

ROWD_API struct rowd_value *rowd_is_null(const char *column);
ROWD_API struct rowd_value *rowd_not_null(const char *column);

/* list: an array of any length (rowd_ints, rowd_strs, rowd_array), or rowd_selection(...). */
ROWD_API struct rowd_value *rowd_in(const char *column, struct rowd_value *list);
ROWD_API struct rowd_value *rowd_not_in(const char *column, struct rowd_value *list);

/* Both ends belong to it. */
ROWD_API struct rowd_value *rowd_between(const char *column, struct rowd_value *low, struct rowd_value *high);

/* % is any text, _ one character, \ takes their meaning away. */
ROWD_API struct rowd_value *rowd_like(const char *column, const char *pattern);
ROWD_API struct rowd_value *rowd_prefix(const char *column, const char *text);
ROWD_API struct rowd_value *rowd_suffix(const char *column, const char *text);
ROWD_API struct rowd_value *rowd_contains(const char *column, const char *text);

/* All, or any, of the filters given: rowd_and(f, g). A NULL among them is a mistake and the call fails: it
 * never quietly means fewer conditions. */
#define rowd_and(...) rowd_and_(__VA_ARGS__, ROWD_END_)
#define rowd_or(...)  rowd_or_(__VA_ARGS__, ROWD_END_)
ROWD_API struct rowd_value *rowd_not(struct rowd_value *filter);

/* Another column of the same row, and a column of the row directly around a selection. */
ROWD_API struct rowd_value *rowd_col(const char *column);
ROWD_API struct rowd_value *rowd_outer(const char *column);

/* The values of a column in the rows of a table that match where (NULL: in all rows), for rowd_in. */
ROWD_API struct rowd_value *rowd_selection(const char *column, const char *table, struct rowd_value *where);

/* Some row of a table matches where (NULL: the table has a row); no row does. */
ROWD_API struct rowd_value *rowd_some(const char *table, struct rowd_value *where);
ROWD_API struct rowd_value *rowd_none(const char *table, struct rowd_value *where);

/* For what an update sets: x op y on the old row, "+", "-" or "*": rowd_compute("+", rowd_col("n"), rowd_int(1)). */
ROWD_API struct rowd_value *rowd_compute(const char *op, struct rowd_value *x, struct rowd_value *y);

/* ---- calls: send one request, wait for its answer ---- */

/* How to make one call. Begin with ROWD_CALL_OPTIONS_INIT, which is also what NULL stands for. */
struct rowd_call_options {
	size_t size;            /* of this struct */
	int timeout_ms;         /* ROWD_TIMEOUT_DEFAULT, ROWD_TIMEOUT_NONE or milliseconds */
	const char *request_id; /* of rowd_call_once: a UUID; NULL: one is made. Others take none */
};
#define ROWD_CALL_OPTIONS_INIT \
	{ \
		sizeof(struct rowd_call_options), ROWD_TIMEOUT_DEFAULT, NULL \
	}

/*
 * Call any method of the protocol.
 * args: an array of the parameters in order, the map of options (if any) last; NULL: none.
 * *result_out, or NULL, is yours to rowd_result_free.
 *
 * When the time is up, the request is cancelled and its answer awaited for up to one second
 * more: an answer that comes is believed (a result is a result; cancelled becomes ROWD_E_TIMEOUT,
 * not_applied). If none comes the connection is closed, and the outcome is that of a lost request.
 */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_call(struct rowd *conn, const char *method,
						 struct rowd_value *args, const struct rowd_call_options *how,
						 struct rowd_result **result_out, struct rowd_error *err);

enum { ROWD_ID_BYTES = 37 };

/* A new request id, a UUID of version 7, NUL-terminated. ROWD_E_NO_RESOURCE: the kernel has no randomness to
 * give. Thread: any. */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_make_id(char out[ROWD_ID_BYTES], struct rowd_error *err);

/*
 * Call a method that writes, and know whether it took effect.
 * As rowd_call, for a method that takes a request_id: insert, upsert, update, update_where, update_all, delete,
 * delete_where, delete_all, purge, atomic and, to end a transaction, commit. args must hold no request_id. Nothing
 * may be pending, and inside a transaction only commit can be called so (ROWD_E_BAD_REQUEST with err->local).
 *
 * When the answer is lost, or is commit_unknown, a second connection is made and asks outcome(request_id), for up to
 * the connect timeout. ROWD_OK: it was applied, once; the result is the one that was lost. Any error whose outcome is
 * not_applied: it was not, and never will be under that id (a lost request is then ROWD_E_UNAVAILABLE).
 * ROWD_E_COMMIT_UNKNOWN: nobody could be asked; only then is the outcome unknown, err->text names the id, and
 * rowd_call(conn, "outcome", rowd_array(rowd_str(id)), ...) can ask later, from any process of the same user.
 *
 * how->request_id: an id of yours (rowd_make_id), kept before the call where it survives a crash of this program: the
 * same call with the same id again does not apply twice.
 */
ROWD_API ROWD_NODISCARD enum rowd_code
rowd_call_once(struct rowd *conn, const char *method, struct rowd_value *args,
	       const struct rowd_call_options *how, struct rowd_result **result_out, struct rowd_error *err);

/*
 * The daily ones. options: a map of the method's options, such as
 * rowd_map("limit", rowd_int(10), "order", rowd_strs("-age")), or NULL. Every int64_t *, bool * and
 * struct rowd_result ** may be NULL.
 */

/* Is the daemon there? */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_ping(struct rowd *conn, struct rowd_error *err);

/* Use another database from now on. */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_use(struct rowd *conn, const char *database,
						struct rowd_error *err);

/* The row of a primary key (an array for one of several columns): a result of one row, or of none. */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_get(struct rowd *conn, const char *table, struct rowd_value *key,
						struct rowd_result **result_out, struct rowd_error *err);

/* options: where, columns, order, limit, offset, after, distinct, for_update. Look at rowd_result_more. */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_select(struct rowd *conn, const char *table,
						   struct rowd_value *options,
						   struct rowd_result **result_out, struct rowd_error *err);

/* filter NULL: every row. */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_count(struct rowd *conn, const char *table,
						  struct rowd_value *filter, int64_t *count_out,
						  struct rowd_error *err);

ROWD_API ROWD_NODISCARD enum rowd_code rowd_exists(struct rowd *conn, const char *table,
						   struct rowd_value *filter, bool *exists_out,
						   struct rowd_error *err);

/* rows: a map, or an array of maps; all are inserted or none. The result is a map: inserted, ids, ...
 * options: returning. */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_insert(struct rowd *conn, const char *table,
						   struct rowd_value *rows, struct rowd_value *options,
						   struct rowd_result **result_out, struct rowd_error *err);

/* As rowd_insert; rows whose primary key exists are changed instead. The result: inserted, updated. */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_upsert(struct rowd *conn, const char *table,
						   struct rowd_value *rows, struct rowd_value *options,
						   struct rowd_result **result_out, struct rowd_error *err);

/* set: a map of columns and what they become, a value or rowd_compute(...). *updated_out: 0 or 1. */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_update(struct rowd *conn, const char *table,
						   struct rowd_value *key, struct rowd_value *set,
						   int64_t *updated_out, struct rowd_error *err);

/* options: limit, order, max_rows, returning, dry_run. filter NULL is a mistake: ROWD_E_EMPTY_FILTER.
 * *count_out: rows updated, or with dry_run rows that match. */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_update_where(struct rowd *conn, const char *table,
							 struct rowd_value *filter, struct rowd_value *set,
							 struct rowd_value *options, int64_t *count_out,
							 struct rowd_result **result_out,
							 struct rowd_error *err);

/* *deleted_out: 0 or 1. */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_delete(struct rowd *conn, const char *table,
						   struct rowd_value *key, int64_t *deleted_out,
						   struct rowd_error *err);

/* options: limit, order, max_rows, returning, cascaded, dry_run, token. filter NULL is a mistake:
 * ROWD_E_EMPTY_FILTER. *count_out: rows deleted, or with dry_run rows that match. */
ROWD_API ROWD_NODISCARD enum rowd_code
rowd_delete_where(struct rowd *conn, const char *table, struct rowd_value *filter, struct rowd_value *options,
		  int64_t *count_out, struct rowd_result **result_out, struct rowd_error *err);

/* Every row of the table. options: max_rows, cascaded, dry_run. */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_delete_all(struct rowd *conn, const char *table,
						       struct rowd_value *options, int64_t *count_out,
						       struct rowd_error *err);

/* options: read_only, timeout_ms. */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_begin(struct rowd *conn, struct rowd_value *options,
						  struct rowd_error *err);

/* After ROWD_E_COMMIT_UNKNOWN the work is there whole, or not at all. */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_commit(struct rowd *conn, struct rowd_error *err);

/* Also what ends a transaction that an error, or a lost connection, aborted. */
ROWD_API enum rowd_code rowd_rollback(struct rowd *conn, struct rowd_error *err);

/* ---- pipelining: send many, then receive ---- */

/*
 * Send a request without waiting for its answer. It may stay in the library until 64 KiB have
 * gathered, a receive or rowd_flush. Waits only when the socket is full, and then receives too.
 * *ticket_out: never 0, and never the same twice on a connection.
 * ROWD_E_LIMIT (not_applied): max_pending requests are not received yet; receive some.
 */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_send(struct rowd *conn, const char *method,
						 struct rowd_value *args, uint64_t *ticket_out,
						 struct rowd_error *err);

/*
 * The answer to one request, in whichever order you like. Answers to others that come before it are kept.
 * timeout_ms: as in rowd_set_timeout, or ROWD_TIMEOUT_DEFAULT. When it passes: ROWD_E_TIMEOUT with
 * err->local and err->retry; nothing is cancelled, the ticket stays good, receive it again. After any other
 * return the ticket is used up.
 * ROWD_E_BAD_REQUEST with err->local: there is no such ticket.
 */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_receive(struct rowd *conn, uint64_t ticket, int timeout_ms,
						    struct rowd_result **result_out, struct rowd_error *err);

/* The next answer there is: those of a connection come in the order in which the requests were sent.
 * *ticket_out, or NULL: whose it is, also written when the answer is an error; 0 when nothing was received
 * (the timeout passed, or nothing is pending: ROWD_E_BAD_REQUEST). */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_receive_next(struct rowd *conn, int timeout_ms,
							 uint64_t *ticket_out,
							 struct rowd_result **result_out,
							 struct rowd_error *err);

/* Hand to the kernel what is unsent. timeout_ms as above; 0: as much as it takes now. What is then
 * still unsent is no error with 0, else ROWD_E_TIMEOUT; it stays. */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_flush(struct rowd *conn, int timeout_ms, struct rowd_error *err);

/* Requests sent and not yet received; bytes not yet handed to the kernel. */
ROWD_API unsigned rowd_pending(const struct rowd *conn);
ROWD_API size_t rowd_unsent(const struct rowd *conn);

/*
 * Stop a request that is being waited for, from another thread, over a connection of its own.
 * ticket: of rowd_send; 0: the one that conn is waiting for now. Its answer says what became of it:
 * ROWD_E_CANCELLED when it was stopped in time.
 * *cancelled_out, or NULL: false when there was nothing to stop (any more).
 * Thread: any, also while conn is in use; conn must not be closed meanwhile. Takes up to the
 * connect timeout of conn.
 */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_cancel(struct rowd *conn, uint64_t ticket, bool *cancelled_out,
						   struct rowd_error *err);

/* ---- streams: a select of any size in bounded memory ---- */

/*
 * Begin a select whose rows come in batches. options: as of rowd_select, and batch (rows, 1000).
 * Nothing may be pending, and until rowd_stream_close no other call may be made on conn
 * (ROWD_E_BAD_REQUEST with err->local).
 * The memory is that of one batch. The daemon waits for a slow reader, for 30 s between two batches
 * unless its config says otherwise; then it hangs up.
 * *stream_out is yours to rowd_stream_close, before the connection is closed.
 */
ROWD_API ROWD_NODISCARD enum rowd_code rowd_stream_open(struct rowd *conn, const char *table,
							struct rowd_value *options,
							struct rowd_stream **stream_out,
							struct rowd_error *err);

/*
 * The next batch: a result with one row or more, borrowed until the next call on the stream;
 * *batch_out is NULL after the last. Waits for the connection's timeout at most, for each batch;
 * after any error the stream gives no more, and rows were missed.
 */
ROWD_API ROWD_NODISCARD enum rowd_code
rowd_stream_next(struct rowd_stream *stream, const struct rowd_result **batch_out, struct rowd_error *err);

/*
 * End the stream. Before its last batch: the select is cancelled and what is on its way is read
 * and dropped (for up to five seconds, then the connection is closed; the next call makes it
 * again). In a transaction, which a cancel would abort, everything to the end is read and dropped.
 * NULL is fine.
 */
ROWD_API void rowd_stream_close(struct rowd_stream *stream);

/* ---- results ---- */

/* Everything borrowed from a result is valid until this. NULL is fine. */
ROWD_API void rowd_result_free(struct rowd_result *result);

/* The answer as it is: never NULL. */
ROWD_API const struct rowd_item *rowd_result_item(const struct rowd_result *result);

/*
 * The answer as rows: of get, select, aggregate, a batch of a stream, and of a write with `returning`. An
 * answer of another shape has no rows and no columns.
 */
ROWD_API size_t rowd_result_rows(const struct rowd_result *result);
ROWD_API size_t rowd_result_columns(const struct rowd_result *result);

/* The name of a column; NULL when there are not as many. */
ROWD_API const char *rowd_result_column(const struct rowd_result *result, size_t column);

/* NULL when there are not as many. */
ROWD_API const struct rowd_row *rowd_result_row(const struct rowd_result *result, size_t row);

/* Were rows left, behind the limit or behind what one reply holds? */
ROWD_API bool rowd_result_more(const struct rowd_result *result);

/* The rows that a write says it touched (deleted, updated, or inserted and updated), or would have
 * (matched); -1 when the answer says nothing of the kind. */
ROWD_API int64_t rowd_result_count(const struct rowd_result *result);

/* ---- rows: a value by its column's name ---- */

/* NULL when there is no such column. */
ROWD_API const struct rowd_item *rowd_row_get(const struct rowd_row *row, const char *column);

/* By position; NULL when there are not as many. */
ROWD_API const struct rowd_item *rowd_row_at(const struct rowd_row *row, size_t column);

ROWD_API size_t rowd_row_columns(const struct rowd_row *row);

/* rowd_item_int(rowd_row_get(row, column), out), and so on. */
ROWD_API bool rowd_row_is_null(const struct rowd_row *row, const char *column);
ROWD_API bool rowd_row_bool(const struct rowd_row *row, const char *column, bool *out);
ROWD_API bool rowd_row_int(const struct rowd_row *row, const char *column, int64_t *out);
ROWD_API bool rowd_row_float(const struct rowd_row *row, const char *column, double *out);
ROWD_API bool rowd_row_time(const struct rowd_row *row, const char *column, int64_t *micros_out);
ROWD_API const char *rowd_row_str(const struct rowd_row *row, const char *column, size_t *len_out);
ROWD_API const void *rowd_row_bin(const struct rowd_row *row, const char *column, size_t *len_out);

/* ---- items: whatever was received; every function takes NULL for "no such item" ---- */

enum rowd_kind {
	ROWD_KIND_NONE, /* NULL: there is no such item */
	ROWD_KIND_NULL,
	ROWD_KIND_BOOL,
	ROWD_KIND_INT,
	ROWD_KIND_FLOAT,
	ROWD_KIND_STR, /* texts and decimals */
	ROWD_KIND_BIN,
	ROWD_KIND_TIME,
	ROWD_KIND_ARRAY,
	ROWD_KIND_MAP,
	ROWD_KIND_OTHER /* an extension type, or an int past int64 */
};

ROWD_API enum rowd_kind rowd_item_kind(const struct rowd_item *item);

/* True when the item is there and null. */
ROWD_API bool rowd_item_is_null(const struct rowd_item *item);

/* The value into *out, and true; false and *out 0 when the item is of another kind (nothing is ever
 * converted), null or NULL. */
ROWD_API bool rowd_item_bool(const struct rowd_item *item, bool *out);
ROWD_API bool rowd_item_int(const struct rowd_item *item, int64_t *out);
ROWD_API bool rowd_item_float(const struct rowd_item *item, double *out);
ROWD_API bool rowd_item_time(const struct rowd_item *item, int64_t *micros_out);

/* A text or decimal, NUL-terminated; NULL when the item is of another kind, null or NULL. *len_out (or NULL): its
 * bytes. Borrowed from the result. */
ROWD_API const char *rowd_item_str(const struct rowd_item *item, size_t *len_out);

/* Bytes; NULL when the item is of another kind, null or NULL (an empty one is not NULL). */
ROWD_API const void *rowd_item_bin(const struct rowd_item *item, size_t *len_out);

/* Elements of an array, pairs of a map; 0 for anything else. */
ROWD_API size_t rowd_item_count(const struct rowd_item *item);

/* An element of an array, the value of a map's pair; NULL when there are not as many. */
ROWD_API const struct rowd_item *rowd_item_at(const struct rowd_item *item, size_t index);

/* The name of a map's pair; NULL when there are not as many, or it is no text. */
ROWD_API const char *rowd_item_name(const struct rowd_item *item, size_t index);

/* The value of a map's pair; NULL when there is none of that name. */
ROWD_API const struct rowd_item *rowd_item_get(const struct rowd_item *item, const char *name);

#ifdef __cplusplus
}
#endif

#endif
