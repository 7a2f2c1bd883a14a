/*
 * The driver for MySQL and MariaDB: transactions, and what a connection says of itself.
 *
 * For whatever writes, the session is not in the server's autocommit mode. A transaction begins by its
 * first statement, at no cost of its own, and nothing that goes wrong with it can turn what follows into
 * single commits. A read of one statement is put into autocommit mode instead, where it leaves nothing
 * behind that would have to be ended.
 */
#include "config.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "daemon/db/mysql_private.h"

enum {
	IDLE_MS = 30000,   /* after which a connection is asked whether it is alive */
	WRITABLE_MS = 1000 /* after which one of several servers is asked whether it may be written */
};

/* ---- rolling back, without waiting for the answer ---- */

static const char rollback_words[] = "ROLLBACK";

/* The answer is read before the next word is sent; all that it can say is that the connection is dead, and
 * then the transaction is too. */
void mydb_rollback(void *conn)
{
	struct mydb_conn *c = conn;
	bool open = c->in_transaction && c->touched && !c->autocommit;

	c->in_transaction = c->touched = c->seen_open = false;
	if (!open || c->broken)
		return;
	if (mysql_send_query(c->db, rollback_words, strlen(rollback_words)))
		c->broken = true;
	else
		c->rolling_back = true;
}

enum rowd_code mydb_settle(struct mydb_conn *c, struct err *err)
{
	enum rowd_code rc = ROWD_OK;

	if (c->broken)
		return err_set(err, ROWD_E_UNAVAILABLE, "the connection to the server was lost");
	if (!c->rolling_back)
		return ROWD_OK;
	c->rolling_back = false;
	mydb_guard_enter(c, MYDB_CONTROL_MS);
	if (mysql_read_query_result(c->db))
		rc = mydb_fail(c, err);
	mydb_guard_leave(c);
	if (rc)
		c->broken = true;
	return rc;
}

void mydb_settle_quietly(struct mydb_conn *c)
{
	struct err ignored;

	err_init(&ignored);
	if (mydb_settle(c, &ignored))
		c->broken = true;
}

/* ---- transactions ---- */

static const char *isolation_of(const struct mydb_conn *c, enum db_tx_mode mode)
{
	switch (mode) {
	case DB_TX_READ:
		return "REPEATABLE READ";
	case DB_TX_WRITE:
		/* what a write finds is what it locks; a log of statements does not bear that */
		return c->statement_binlog ? "REPEATABLE READ" : "READ COMMITTED";
	case DB_TX_READ_ONE:
		/* any will do but the one that shows what is not committed */
		return c->isolation ? c->isolation : "READ COMMITTED";
	case DB_TX_SERIALIZABLE:
		break;
	}
	return "SERIALIZABLE";
}

static enum rowd_code set_isolation(struct mydb_conn *c, enum db_tx_mode mode, struct err *err)
{
	const char *isolation = isolation_of(c, mode);
	char words[80];
	enum rowd_code rc;

	if (c->isolation && strcmp(c->isolation, isolation) == 0)
		return ROWD_OK;
	c->isolation = NULL;
	snprintf(words, sizeof words, "SET SESSION TRANSACTION ISOLATION LEVEL %s", isolation);
	rc = mydb_say(c, words, MYDB_CONTROL_MS, err);
	if (!rc)
		c->isolation = isolation;
	return rc;
}

enum rowd_code mydb_set_autocommit(struct mydb_conn *c, bool on, struct err *err)
{
	enum rowd_code rc;

	if (c->autocommit == on)
		return ROWD_OK;
	rc = mydb_say(c, on ? "SET SESSION autocommit = 1" : "SET SESSION autocommit = 0", MYDB_CONTROL_MS,
		      err);
	if (!rc)
		c->autocommit = on;
	return rc;
}

static enum rowd_code mydb_begin(void *conn, enum db_tx_mode mode, struct err *err)
{
	struct mydb_conn *c = conn;
	enum rowd_code rc;

	if (c->broken)
		return mydb_settle(c, err);
	rc = set_isolation(c, mode, err);
	if (!rc)
		rc = mydb_set_autocommit(c, mode == DB_TX_READ_ONE, err);
	if (!rc)
		c->in_transaction = true;
	return rc;
}

static enum rowd_code commit_failed(struct mydb_conn *c, struct err *err)
{
	unsigned number = mysql_errno(c->db);
	enum rowd_code rc;

	if (mydb_commit_is_undone(number)) {
		rc = mydb_fail(c, err);
		c->in_transaction = c->touched = true;
		mydb_rollback(c);
		return rc;
	}
	c->broken = true;
	return err_native(err, ROWD_E_COMMIT_UNKNOWN, (int)number, "no answer to the commit is known");
}

enum rowd_code mydb_commit(void *conn, struct err *err)
{
	static const char words[] = "COMMIT";
	struct mydb_conn *c = conn;
	bool nothing = !c->touched || c->autocommit;
	enum rowd_code rc = ROWD_OK;

	if (!c->in_transaction)
		return err_set(err, ROWD_E_INTERNAL, "a commit without a transaction");
	c->in_transaction = c->touched = c->seen_open = false;
	if (nothing)
		return ROWD_OK;
	if (c->broken)
		return err_set(err, ROWD_E_UNAVAILABLE, "the connection to the server was lost");
	mydb_guard_enter(c, MYDB_COMMIT_MS);
	if (mysql_real_query(c->db, words, strlen(words)))
		rc = commit_failed(c, err);
	mydb_guard_leave(c);
	c->used_ns = clock_ns();
	return rc;
}

static bool mydb_in_transaction(void *conn)
{
	struct mydb_conn *c = conn;

	return c->in_transaction && !c->broken;
}

bool mydb_step_aside(struct mydb_conn *c)
{
	bool aside = c->in_transaction && !c->touched;

	if (aside)
		c->in_transaction = false;
	return aside;
}

void mydb_step_back(struct mydb_conn *c, bool aside)
{
	if (aside)
		c->in_transaction = true;
}

/* ---- the connection ---- */

static bool is_older(int64_t since_ns, int64_t ms)
{
	return clock_ns() - since_ns > ms * NS_PER_MS;
}

/* A server that has gone has closed its end, or said something that nobody asked for. */
static bool is_silent(const struct mydb_conn *c)
{
	struct pollfd p = { .fd = c->guard.fd, .events = POLLIN };

	return poll(&p, 1, 0) == 0;
}

static enum rowd_code ask_alive(struct mydb_conn *c, struct err *err)
{
	enum rowd_code rc = ROWD_OK;

	mydb_guard_enter(c, MYDB_PING_MS);
	if (mysql_ping(c->db))
		rc = mydb_fail(c, err);
	mydb_guard_leave(c);
	c->used_ns = clock_ns();
	return rc;
}

static enum rowd_code mydb_ping(void *conn, struct err *err)
{
	struct mydb_conn *c = conn;
	enum rowd_code rc = mydb_settle(c, err);

	if (rc)
		return rc;
	if (c->url.nhosts > 1 && mydb_host_is_avoided(c, c->host)) {
		c->broken = true;
		return err_set(err, ROWD_E_UNAVAILABLE, "the server did not answer to others");
	}
	if (!is_silent(c) || is_older(c->used_ns, IDLE_MS))
		rc = ask_alive(c, err);
	if (!rc && c->url.nhosts > 1 && is_older(c->checked_ns, WRITABLE_MS))
		rc = mydb_check_writable(c, err);
	return rc;
}

static const char *mydb_server(void *conn)
{
	struct mydb_conn *c = conn;

	return c->server;
}

static bool mydb_usable(void *conn)
{
	struct mydb_conn *c = conn;

	return c->db && !c->broken;
}

static const struct dialect *mydb_dialect(void *conn)
{
	struct mydb_conn *c = conn;

	return c->dialect;
}

extern const struct driver driver_mysql;

const struct driver driver_mysql = {
	.name = "mysql",
	.caps = CAP_SCHEMA_VERSION,
	.conn_size = sizeof(struct mydb_conn),
	.dialect = &dialect_mariadb,
	.check_url = mydb_check_url,
	.open = mydb_open,
	.close = mydb_close,
	.prepare = mydb_prepare,
	.release = mydb_release,
	.exec = mydb_exec,
	.step = mydb_step,
	.finish = mydb_finish,
	.begin = mydb_begin,
	.commit = mydb_commit,
	.rollback = mydb_rollback,
	.in_transaction = mydb_in_transaction,
	.describe = mydb_describe,
	.version = mydb_version,
	.doubt_version = mydb_version_doubt,
	.ping = mydb_ping,
	.cancel = mydb_guard_cancel,
	.server = mydb_server,
	.usable = mydb_usable,
	.conn_dialect = mydb_dialect,
	.space = mydb_space,
	.optimize = mydb_optimize,
	.distress = mydb_distress,
};
