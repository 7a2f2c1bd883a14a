/*
 * Carrying out one operation on one connection: request -> plan (ops/) -> statements (sql/) ->
 * rows (db/) -> reply bytes. Everything here runs inside a transaction that the caller (run/)
 * has begun and will end; an operation that fails leaves the transaction for the caller to roll
 * back (to a savepoint or whole), and answers nothing.
 *
 * Thread: the one that owns the connection.
 */
#ifndef ROWD_EXEC_EXEC_H
#define ROWD_EXEC_EXEC_H

#include "daemon/db/db.h"
#include "daemon/policy.h"
#include "proto/request.h"

/*
 * Hand one batch of a streamed select to the client: rows is an encoded array of rows. May block
 * until the client has taken earlier ones; ROWD_E_CANCELLED when it went away.
 */
typedef enum rowd_code exec_batch_fn(void *arg, const struct buf *rows, struct err *err);

struct exec {
	struct db_conn *conn;
	const struct limits *limits;
	const struct caller *caller;
	int64_t max_rows;            /* the database's default cap on deletes and updates; -1: none */
	struct arena *arena;         /* scratch of this request; reset by the caller */
	struct sql *sql;             /* scratch; exec_* may use it between any two statements */
	struct buf *out;             /* the result is appended here */
	exec_batch_fn *batch;        /* NULL where streaming is not possible (atomic) */
	void *batch_arg;
	bool in_transaction;         /* of the client's own making, or atomic */
	bool inline_read;            /* on the loop: a stream is refused with ROWD_E_LIMIT, to be run elsewhere */
	unsigned next_savepoint;     /* for savepoints of rowd's own within one transaction */
	unsigned filter_operators;   /* counted across the request */
	int64_t follow;              /* set by purge: answer when this job is over; 0: now */
};

/*
 * Carry out req (any op whose place is READER, WRITER or SCHEMA): check permission and plan
 * against the catalog, run the statements, append the result (one MessagePack value) to x->out.
 * On failure x->out is as it was and *err says why; the transaction is for the caller to undo.
 * ROWD_E_SCHEMA_MISMATCH from the driver is handled here (the catalog is read again, once).
 */
ROWD_MUST_CHECK enum rowd_code exec_request(struct exec *x, const struct request *req, struct err *err);

/* Does carrying out req change at most what a single statement changes, so that a failure of it
 * leaves nothing to undo? Then it needs no savepoint in a group. Looks at req only. */
bool exec_is_single_statement(const struct request *req);

/*
 * The handler of one operation: checks the permission, plans, runs, appends the result to x->out. What it
 * leaves there on failure is cut off by exec_request.
 */
typedef enum rowd_code op_fn(struct exec *x, const struct request *req, struct err *err);

/* By operation, from ops/ops.c; NULL for those that rpc/ and run/ answer themselves. */
op_fn *ops_handler(enum op_id id);

#endif
