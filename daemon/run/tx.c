#include "config.h"

#include "daemon/run/tx.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/server.h"

struct tx *tx_new(struct database *database, struct lane *lane, bool read_only, int64_t timeout_ns)
{
	struct tx *tx = calloc(1, sizeof(*tx));

	if (!tx)
		return NULL;
	tx->database = database;
	tx->lane = lane;
	tx->read_only = read_only;
	tx->timeout_ns = timeout_ns;
	return tx;
}

void tx_free(struct tx *tx)
{
	if (!tx)
		return;
	free(tx->savepoints);
	free(tx);
}

bool tx_needs_connection(const struct tx *tx)
{
	return tx->state == TX_OPEN || (tx->state == TX_ABORTED && tx->nsavepoints > 0);
}

static enum rowd_code savepoint_sql(struct runner *r, struct db_conn *conn, enum savepoint_verb verb,
				    unsigned number, struct err *err)
{
	sql_clear(&r->sql);
	sql_savepoint(&r->sql, db_conn_dialect(conn), verb, number);
	return db_run(conn, &r->sql, NULL, NULL, err);
}

/* The newest savepoint of that name; -1 when there is none. */
static int savepoint_find(const struct tx *tx, const char *name, size_t len)
{
	for (unsigned i = tx->nsavepoints; i-- > 0;)
		if (strlen(tx->savepoints[i].name) == len && !memcmp(tx->savepoints[i].name, name, len))
			return (int)i;
	return -1;
}

static enum rowd_code savepoint_set(struct tx *tx, struct runner *r, struct db_conn *conn,
				    const char *name, size_t len, struct err *err)
{
	struct tx_savepoint *grown, *s;
	enum rowd_code rc;

	if (tx->nsavepoints >= TX_MAX_SAVEPOINTS)
		return err_limit(err, TX_MAX_SAVEPOINTS, "the transaction has %d savepoints; the limit is %d",
				 TX_MAX_SAVEPOINTS, TX_MAX_SAVEPOINTS);
	grown = realloc(tx->savepoints, (tx->nsavepoints + 1) * sizeof(*grown));
	if (!grown)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for a savepoint");
	tx->savepoints = grown;
	rc = savepoint_sql(r, conn, SAVEPOINT_SET, tx->next_savepoint, err);
	if (rc)
		return rc;
	s = &tx->savepoints[tx->nsavepoints++];
	memcpy(s->name, name, len);
	s->name[len] = '\0';
	s->number = tx->next_savepoint++;
	return ROWD_OK;
}

static enum rowd_code savepoint_verb(struct tx *tx, struct runner *r, struct db_conn *conn,
				     const struct request *req, struct err *err)
{
	const msgpack_object_str *name = &req->params[0]->via.str;
	enum rowd_code rc;
	int at;

	if (name->size == 0 || name->size > SAVEPOINT_NAME_MAX_BYTES)
		return err_set(err, ROWD_E_BAD_REQUEST, "a savepoint's name has 1 to %d bytes",
			       SAVEPOINT_NAME_MAX_BYTES);
	if (memchr(name->ptr, 0, name->size))
		return err_set(err, ROWD_E_BAD_REQUEST, "a savepoint's name holds no U+0000");
	if (req->op->id == OP_SAVEPOINT)
		return savepoint_set(tx, r, conn, name->ptr, name->size, err);
	at = savepoint_find(tx, name->ptr, name->size);
	if (at < 0)
		return err_set(err, ROWD_E_BAD_REQUEST, "the transaction has no savepoint of that name");
	if (req->op->id == OP_ROLLBACK_TO) {
		rc = savepoint_sql(r, conn, SAVEPOINT_ROLLBACK, tx->savepoints[at].number, err);
		if (rc)
			return rc;
		tx->nsavepoints = (unsigned)at + 1;
		tx->state = TX_OPEN;
		return ROWD_OK;
	}
	rc = savepoint_sql(r, conn, SAVEPOINT_RELEASE, tx->savepoints[at].number, err);
	if (!rc)
		tx->nsavepoints = (unsigned)at;
	return rc;
}

static enum rowd_code refuse(const struct tx *tx, struct err *err)
{
	if (tx->state == TX_TIMED_OUT)
		return err_set(err, ROWD_E_TX_TIMEOUT,
			       "the transaction ran or idled too long and was rolled back; rollback, then begin again");
	return err_set(err, ROWD_E_TX_ABORTED, "an earlier error aborted the transaction; roll it back");
}

static struct runner_call call_of(const struct tx *tx, struct job *job, const struct limits *limits)
{
	return (struct runner_call){
		.op = job->op, .msgid = job->msgid, .caller = job->caller, .limits = limits,
		.max_rows = tx->database->max_rows, .out = &job->out, .batch_arg = job,
		.in_transaction = true,
	};
}

/* On a connection of its own, where making a table would commit what is open on this one. */
static enum rowd_code make_table_aside(struct runner *r, struct db_conn *conn, const char *name, struct err *err)
{
	struct db_conn *other;
	enum rowd_code rc = db_conn_open(db_conn_db(conn), DB_WRITER, &other, err);

	if (rc)
		return rc;
	rc = runner_make_table(r, other, name, err);
	db_conn_close(other);
	return rc ? rc : db_reload(conn, err);
}

static enum rowd_code make_table(struct runner *r, struct db_conn *conn, const char *name, struct err *err)
{
	if (db_conn_db(conn)->driver->caps & CAP_DDL_IN_TX)
		return runner_make_table(r, conn, name, err);
	return make_table_aside(r, conn, name, err);
}

/* The commit's id goes into the transaction. */
static enum rowd_code record_commit(struct tx *tx, struct runner *r, struct db_conn *conn, struct job *job,
				    const struct limits *limits, const struct request *req, struct err *err)
{
	struct runner_call call = call_of(tx, job, limits);
	const char *missing;
	enum rowd_code rc;

	if (tx->read_only)
		return err_set(err, ROWD_E_BAD_REQUEST, "the commit of a read-only transaction takes no request_id");
	missing = runner_missing_table(conn, req);
	if (missing) {
		rc = make_table(r, conn, missing, err);
		if (rc)
			return rc;
	}
	return runner_record_commit(r, conn, &call, req, err);
}

static enum rowd_code commit(struct tx *tx, struct runner *r, struct db_conn *conn, struct job *job,
			     const struct limits *limits, const struct request *req, struct err *err)
{
	enum rowd_code rc = ROWD_OK;

	job->tx_ended = true;
	if (tx->state == TX_OPEN && conn) {
		if (req->options[OPT_REQUEST_ID])
			rc = record_commit(tx, r, conn, job, limits, req, err);
		if (!rc)
			return db_commit(conn, err);
	} else {
		rc = refuse(tx, err);
	}
	if (conn)
		db_rollback(conn);
	return rc;
}

static enum rowd_code run_data(struct tx *tx, struct runner *r, struct db_conn *conn, struct job *job,
			       const struct limits *limits, exec_batch_fn *batch,
			       const struct request *req, struct err *err)
{
	struct runner_call call = call_of(tx, job, limits);

	call.batch = batch;
	if (tx->read_only && job->op->place == PLACE_WRITER)
		return err_set(err, ROWD_E_READ_ONLY, "the transaction is read-only");
	return runner_run(r, conn, &call, req, err);
}

static enum rowd_code run_job(struct tx *tx, struct runner *r, struct db_conn *conn, struct job *job,
			      const struct limits *limits, exec_batch_fn *batch, struct err *err)
{
	struct request req;
	enum rowd_code rc;

	if (job->op->id == OP_ROLLBACK) {
		job->tx_ended = true;
		if (conn)
			db_rollback(conn);
		return ROWD_OK;
	}
	rc = runner_decode(r, job->op, job->params, job->params_len, &req, err);
	if (rc)
		return rc;
	if (req.options[OPT_REQUEST_ID] && job->op->id != OP_COMMIT)
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "inside a transaction only commit carries a request_id");
	if (job->op->id == OP_COMMIT)
		return commit(tx, r, conn, job, limits, &req, err);
	if (tx->state != TX_OPEN && !(job->op->id == OP_ROLLBACK_TO && tx->state == TX_ABORTED && conn))
		return refuse(tx, err);
	if (job->op->place == PLACE_TX)
		return savepoint_verb(tx, r, conn, &req, err);
	return run_data(tx, r, conn, job, limits, batch, &req, err);
}

void tx_run(struct tx *tx, struct runner *r, struct db_conn *conn, struct job *job,
	    const struct limits *limits, exec_batch_fn *batch)
{
	struct err err;
	enum rowd_code rc;

	if (job->code) {
		if (tx->state == TX_OPEN)
			tx->state = TX_ABORTED;
		return;
	}
	err_init(&err);
	rc = run_job(tx, r, conn, job, limits, batch, &err);
	if (conn && !job->tx_ended && !db_in_transaction(conn)) {
		tx->nsavepoints = 0;          /* the database ended it by itself: nothing to go back to */
		if (tx->state == TX_OPEN)
			tx->state = TX_ABORTED;
	}
	if (rc) {
		if (tx->state == TX_OPEN)
			tx->state = TX_ABORTED;
		job_fail(job, &err);
	} else if (job->op->place == PLACE_TX) {
		job_answer_true(job);
	} else {
		job->code = ROWD_OK;
	}
}
