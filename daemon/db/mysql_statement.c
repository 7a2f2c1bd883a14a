/*
 * Statements: prepared, run and read in the binary protocol, rows one by one as they come from the
 * socket. Those few that a server takes in the text protocol only (savepoints, before MySQL 8) hold no
 * values.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/db/mysql_private.h"

enum {
	NOT_PREPARABLE = 1295,
	TOO_MANY_PREPARED = 1461,
	FORGOTTEN = 1243,      /* a statement, by the server */
	TO_BE_PREPARED = 1615, /* again, for its tables were changed */
	INTERRUPTED = 1317,
	ROWS_READ_FOR_NOTHING = 256,  /* at the end of a statement whose rows nobody wants any more */
	LONG_VALUE_BYTES = 64 * 1024, /* a longer one is sent by itself */
	LONG_PIECE_BYTES = 512 * 1024,
	PARAM_OVERHEAD_BYTES = 16
};

/* ---- what a statement does ---- */

static bool begins_with(const char *text, const char *word)
{
	return strncasecmp(text, word, strlen(word)) == 0;
}

static void classify(struct mydb_stmt *s, const char *text)
{
	static const char *const reads[] = { "SELECT", "SHOW", "(", "WITH", "VALUES", "SET" };
	static const char *const writes[] = { "INSERT", "UPDATE", "DELETE", "REPLACE" };
	size_t i;

	for (i = 0; i < sizeof reads / sizeof *reads; i++)
		s->reads |= begins_with(text, reads[i]);
	for (i = 0; i < sizeof writes / sizeof *writes; i++)
		s->writes |= begins_with(text, writes[i]);
}

/* ---- preparing ---- */

static enum rowd_code no_memory(struct err *err)
{
	return err_set(err, ROWD_E_NO_RESOURCE, "memory ran out");
}

static enum rowd_code gone(struct err *err)
{
	return err_set(err, ROWD_E_UNAVAILABLE, "the connection to the server was lost");
}

static void close_stmt(struct mydb_stmt *s)
{
	if (s->stmt)
		mysql_stmt_close(s->stmt);
	s->stmt = NULL;
}

static void link_stmt(struct mydb_conn *c, struct mydb_stmt *s)
{
	s->next = c->statements;
	if (s->next)
		s->next->previous = s;
	c->statements = s;
}

static void unlink_stmt(struct mydb_conn *c, struct mydb_stmt *s)
{
	if (s->previous)
		s->previous->next = s->next;
	else if (c->statements == s)
		c->statements = s->next;
	if (s->next)
		s->next->previous = s->previous;
}

void mydb_release(void *conn, void *stmt)
{
	struct mydb_stmt *s = stmt;

	if (s->stmt)
		mydb_settle_quietly(conn);
	unlink_stmt(conn, s);
	close_stmt(s);
	free(s->text);
	free(s);
}

/* All connections of the server together may have only so many statements prepared: give ours back. They
 * are prepared again when they are used again. */
static void forget_statements(struct mydb_conn *c)
{
	struct mydb_stmt *s;

	for (s = c->statements; s; s = s->next)
		close_stmt(s);
}

static int try_prepare(struct mydb_conn *c, struct mydb_stmt *s)
{
	s->stmt = mysql_stmt_init(c->db);
	if (!s->stmt)
		return CR_OUT_OF_MEMORY;
	if (mysql_stmt_prepare(s->stmt, s->text, (unsigned long)s->len) == 0)
		return 0;
	return (int)mydb_stmt_number(c, s->stmt);
}

/* Within the guard. */
static enum rowd_code prepare_now(struct mydb_conn *c, struct mydb_stmt *s, struct err *err)
{
	int number = try_prepare(c, s);
	enum rowd_code rc = ROWD_OK;

	if (number == TOO_MANY_PREPARED) {
		forget_statements(c);
		close_stmt(s);
		number = try_prepare(c, s);
	}
	if (number == 0)
		return ROWD_OK;
	if (number == NOT_PREPARABLE)
		s->as_text = true;
	else
		rc = s->stmt ? mydb_fail_stmt(c, s->stmt, err) : no_memory(err);
	close_stmt(s);
	return rc;
}

/* ---- sending ---- */

/* Values that would make the statement's packet too large go before it, in pieces. */
static enum rowd_code send_long_values(struct mydb_conn *c, struct mydb_stmt *s, size_t n, struct err *err)
{
	size_t i, at, piece;

	for (i = 0; i < n; i++) {
		const MYSQL_BIND *b = &c->params[i];
		const char *data = b->buffer;

		if (b->buffer_type != MYSQL_TYPE_STRING && b->buffer_type != MYSQL_TYPE_BLOB)
			continue;
		if (b->buffer_length <= LONG_VALUE_BYTES)
			continue;
		for (at = 0; at < b->buffer_length; at += piece) {
			piece = b->buffer_length - at < LONG_PIECE_BYTES ? b->buffer_length - at
									 : LONG_PIECE_BYTES;
			if (mysql_stmt_send_long_data(s->stmt, (unsigned)i, data + at, (unsigned long)piece))
				return mydb_fail_stmt(c, s->stmt, err);
		}
	}
	return ROWD_OK;
}

/* A packet larger than the server takes would end the connection. */
static enum rowd_code check_size(const struct mydb_conn *c, size_t n, bool *long_out, struct err *err)
{
	int64_t total = PARAM_OVERHEAD_BYTES, rest = PARAM_OVERHEAD_BYTES;
	size_t i;

	for (i = 0; i < n; i++) {
		int64_t len = PARAM_OVERHEAD_BYTES + (int64_t)c->params[i].buffer_length;

		if (len > c->packet_bytes)
			return err_limit(err, c->packet_bytes, "a value, for this server,");
		total += len;
		rest += len > LONG_VALUE_BYTES ? PARAM_OVERHEAD_BYTES : len;
	}
	*long_out = total > c->packet_bytes;
	if (rest > c->packet_bytes)
		return err_limit(err, c->packet_bytes, "the values of one statement, for this server,");
	return ROWD_OK;
}

static enum rowd_code run_prepared(struct mydb_conn *c, struct mydb_stmt *s, const struct value *params,
				   size_t nparams, struct err *err)
{
	bool long_values = false;
	size_t n;
	enum rowd_code rc = mydb_bind_params(c, params, nparams, &n, err);

	if (!rc && mysql_stmt_param_count(s->stmt) != n)
		rc = err_set(err, ROWD_E_INTERNAL, "%zu values for %lu places in a statement", n,
			     mysql_stmt_param_count(s->stmt));
	if (!rc)
		rc = check_size(c, n, &long_values, err);
	if (rc)
		return rc;
	if (n && mysql_stmt_bind_param(s->stmt, c->params))
		return mydb_fail_stmt(c, s->stmt, err);
	if (long_values)
		rc = send_long_values(c, s, n, err);
	if (!rc && mysql_stmt_execute(s->stmt))
		rc = mydb_fail_stmt(c, s->stmt, err);
	mydb_params_trim(c);
	return rc;
}

static enum rowd_code run_text(struct mydb_conn *c, struct mydb_stmt *s, size_t nparams, struct err *err)
{
	if (nparams)
		return err_set(err, ROWD_E_INTERNAL, "the server takes no values in such a statement");
	if (mysql_real_query(c->db, s->text, (unsigned long)s->len))
		return mydb_fail(c, err);
	return ROWD_OK;
}

/* ---- what became of it ---- */

/*
 * After a kill that may have come too late for its statement, it is waited for by another one.
 * interrupted: it has hit the statement already.
 */
static void swallow_kill(struct mydb_conn *c, enum mydb_kill kill, bool interrupted)
{
	static const char nothing[] = "DO 0";

	if (kill == KILL_UNKNOWN)
		c->broken = true;
	if (kill != KILL_DONE || interrupted || c->broken)
		return;
	mydb_guard_enter(c, MYDB_CONTROL_MS);
	if (mysql_real_query(c->db, nothing, strlen(nothing)) && mysql_errno(c->db) != INTERRUPTED)
		c->broken = true;
	mydb_guard_leave(c);
}

/* The guard is left, and *err made to say why the server was told to stop, if it was; the code of it. */
static enum rowd_code leave(struct mydb_conn *c, enum rowd_code rc, struct err *err)
{
	bool interrupted = rc && err->native == INTERRUPTED;

	swallow_kill(c, mydb_guard_leave(c), interrupted);
	c->used_ns = clock_ns();
	if (rc && (interrupted || c->guard.cut) && watch_look(c->watch, &c->stopped))
		return mydb_fail_stopped(c, err);
	return rc;
}

/* Is the transaction that was begun still there? The server tells with every answer. */
static bool transaction_stands(struct mydb_conn *c)
{
	bool open = c->db->server_status & SERVER_STATUS_IN_TRANS;

	if (open)
		c->seen_open = true;
	return open || !c->seen_open;
}

/* A statement that failed within a transaction and ended it: say so to the server too. */
static void end_transaction(struct mydb_conn *c, bool was_open)
{
	c->in_transaction = c->touched = was_open;
	mydb_rollback(c);
}

/* Warnings of a write that say nothing of its rows. */
static bool is_harmless(const char *number)
{
	static const char *const numbers[] = {
		"1592",                         /* unsafe for a log of statements */
		"1287", "1681", "3719", "3778", /* deprecated words */
	};
	size_t i;

	for (i = 0; i < sizeof numbers / sizeof *numbers; i++)
		if (strcmp(number, numbers[i]) == 0)
			return true;
	return false;
}

/* The number of the first warning that is not harmless; 0: there is none. */
static unsigned worst_warning(struct mydb_conn *c)
{
	static const char question[] = "SHOW WARNINGS";
	unsigned worst = 0;
	MYSQL_RES *result;
	MYSQL_ROW row;

	if (mysql_real_query(c->db, question, strlen(question)))
		return mysql_errno(c->db);
	result = mysql_store_result(c->db);
	if (!result)
		return mysql_errno(c->db);
	while ((row = mysql_fetch_row(result)))
		if (!worst && row[1] && !is_harmless(row[1]))
			worst = (unsigned)strtoul(row[1], NULL, 10);
	mysql_free_result(result);
	return worst;
}

static enum rowd_code check_warnings(struct mydb_conn *c, struct err *err)
{
	unsigned number;

	if (mysql_warning_count(c->db) == 0)
		return ROWD_OK;
	mydb_guard_enter(c, MYDB_CONTROL_MS);
	number = worst_warning(c);
	mydb_guard_leave(c);
	if (number == 0)
		return ROWD_OK;
	if (mydb_is_lost(number))
		return mydb_fail_number(c, number, "", err);
	c->in_transaction = false;
	return err_native(err, ROWD_E_INTERNAL, (int)number,
			  "the server warned of a write, which was rolled back");
}

/* Outside of a transaction a statement is its own: see to its end, which may be unknown. */
static enum rowd_code end_alone(struct mydb_conn *c, const struct mydb_stmt *s, enum rowd_code rc,
				struct err *err)
{
	if (rc && c->broken && !s->reads && !mydb_commit_is_undone((unsigned)err->native))
		return err_native(err, ROWD_E_COMMIT_UNKNOWN, err->native,
				  "the connection was lost during a write");
	if (rc || !(c->db->server_status & SERVER_STATUS_IN_TRANS))
		return rc;
	c->in_transaction = c->touched = true;
	return mydb_commit(c, err);
}

static enum rowd_code judge(struct mydb_conn *c, struct mydb_stmt *s, bool was_open, enum rowd_code rc,
			    struct err *err)
{
	if (!rc && s->writes)
		rc = check_warnings(c, err);
	if (rc == ROWD_OK && was_open && !transaction_stands(c)) {
		c->in_transaction = false;
		rc = err_set(err, ROWD_E_INTERNAL, "the server ended a transaction by itself");
	}
	/* a write that was stopped has no effect on a transaction that goes on */
	if (rc && err->native == INTERRUPTED && !s->reads)
		c->in_transaction = false;
	if (rc && !c->in_transaction && !c->broken)
		end_transaction(c, was_open || c->db->server_status & SERVER_STATUS_IN_TRANS);
	return was_open ? rc : end_alone(c, s, rc, err);
}

/* ---- preparing, before it is run ---- */

static enum rowd_code prepare_guarded(struct mydb_conn *c, struct mydb_stmt *s, struct err *err)
{
	bool was_open = c->in_transaction;
	enum rowd_code rc = mydb_settle(c, err);

	if (rc)
		return rc;
	c->stopped = ROWD_OK;
	if (watch_look(c->watch, &c->stopped))
		return mydb_fail_stopped(c, err);
	mydb_guard_enter(c, 0);
	rc = prepare_now(c, s, err);
	rc = leave(c, rc, err);
	if (rc && !c->in_transaction && !c->broken)
		end_transaction(c, was_open);
	return rc;
}

enum rowd_code mydb_prepare(void *conn, const char *text, size_t len, void **stmt_out, struct err *err)
{
	struct mydb_conn *c = conn;
	struct mydb_stmt *s;
	enum rowd_code rc = ROWD_OK;

	if (c->broken)
		return gone(err);
	if (c->reading)
		return err_set(err, ROWD_E_INTERNAL, "the rows of another statement were not read");
	if ((int64_t)len > c->packet_bytes - PARAM_OVERHEAD_BYTES)
		return err_limit(err, c->packet_bytes, "a statement");
	s = calloc(1, sizeof *s);
	if (!s)
		return no_memory(err);
	s->text = strndup(text, len);
	s->len = len;
	if (s->text) {
		classify(s, s->text);
		s->has_lists = strstr(s->text, " FROM \"" MYDB_LIST_TABLE) != NULL;
		rc = s->has_lists ? ROWD_OK : prepare_guarded(c, s, err);
	} else {
		rc = no_memory(err);
	}
	link_stmt(c, s);
	if (rc)
		mydb_release(c, s);
	else
		*stmt_out = s;
	return rc;
}

/* ---- running ---- */

static enum rowd_code begin_rows(struct mydb_conn *c, struct mydb_stmt *s, struct err *err)
{
	s->metadata = s->stmt ? mysql_stmt_result_metadata(s->stmt) : NULL;
	if (!s->metadata)
		return err_set(err, ROWD_E_INTERNAL, "a statement without the rows that were expected of it");
	c->reading = s;
	c->columns_moved = false;
	s->ended = false;
	if (mysql_num_fields(s->metadata) != s->ntypes)
		return err_set(err, ROWD_E_INTERNAL, "%zu types for %u columns of a statement", s->ntypes,
			       mysql_num_fields(s->metadata));
	return mydb_bind_result(c, s, err);
}

static void take_counts(struct mydb_conn *c, struct mydb_stmt *s)
{
	s->changed = (int64_t)(s->stmt ? mysql_stmt_affected_rows(s->stmt) : mysql_affected_rows(c->db));
	s->last_id = (int64_t)(s->stmt ? mysql_stmt_insert_id(s->stmt) : mysql_insert_id(c->db));
}

/* Within the guard. */
static enum rowd_code run(struct mydb_conn *c, struct mydb_stmt *s, const struct value *params,
			  size_t nparams, struct err *err)
{
	enum rowd_code rc = ROWD_OK;

	if (watch_look(c->watch, &c->stopped))
		return mydb_fail_stopped(c, err);
	if (!s->stmt && !s->as_text)
		rc = prepare_now(c, s, err);
	if (rc)
		return rc;
	rc = s->as_text ? run_text(c, s, nparams, err) : run_prepared(c, s, params, nparams, err);
	if (rc && (err->native == FORGOTTEN || err->native == TO_BE_PREPARED)) {
		close_stmt(s);
		err_init(err);
		rc = prepare_now(c, s, err);
		if (!rc)
			rc = run_prepared(c, s, params, nparams, err);
	}
	if (!rc)
		take_counts(c, s);
	return rc;
}

enum rowd_code mydb_exec(void *conn, void *stmt, const struct value *params, size_t nparams,
			 const struct type *types, size_t ntypes, struct err *err)
{
	struct mydb_conn *c = conn;
	struct mydb_stmt *s = stmt;
	bool was_open = c->in_transaction;
	enum rowd_code rc;

	if (c->broken)
		return gone(err);
	if (c->reading)
		return err_set(err, ROWD_E_INTERNAL, "the rows of another statement were not read");
	rc = mydb_settle(c, err);
	if (!rc && s->writes && c->autocommit && !c->staging)
		rc = c->in_transaction ? err_set(err, ROWD_E_INTERNAL, "a write where only reads are due")
				       : mydb_set_autocommit(c, false, err);
	if (rc)
		return rc;
	c->stopped = ROWD_OK;
	s->types = types;
	s->ntypes = ntypes;
	s->changed = s->last_id = 0;
	s->was_open = was_open;
	if (was_open)
		c->touched = true;
	if (s->has_lists) {
		c->staging = true;
		rc = mydb_lists_stage(c, params, nparams, err);
		c->staging = false;
	}
	if (rc)
		return rc;
	mydb_guard_enter(c, 0);
	rc = run(c, s, params, nparams, err);
	if (!rc && ntypes) {
		rc = begin_rows(c, s, err);
		if (!rc)
			return ROWD_OK; /* the guard is left in finish */
	}
	if (!rc && s->stmt && mysql_stmt_field_count(s->stmt))
		mysql_stmt_free_result(s->stmt);
	if (c->reading)
		return rc;
	rc = leave(c, rc, err);
	return judge(c, s, was_open, rc, err);
}

/* ---- rows ---- */

static enum rowd_code fetch(struct mydb_conn *c, struct mydb_stmt *s, bool *has_row_out, struct err *err)
{
	int rc;

	if (c->columns_moved && mysql_stmt_bind_result(s->stmt, c->columns))
		return mydb_fail_stmt(c, s->stmt, err);
	c->columns_moved = false;
	rc = mysql_stmt_fetch(s->stmt);
	*has_row_out = rc == 0 || rc == MYSQL_DATA_TRUNCATED;
	s->ended = !*has_row_out;
	return *has_row_out || rc == MYSQL_NO_DATA ? ROWD_OK : mydb_fail_stmt(c, s->stmt, err);
}

enum rowd_code mydb_step(void *conn, void *stmt, struct value *row, bool *has_row_out, struct err *err)
{
	struct mydb_conn *c = conn;
	struct mydb_stmt *s = stmt;
	enum rowd_code rc;
	unsigned i;

	if (watch_look(c->watch, &c->stopped))
		return mydb_fail_stopped(c, err);
	mydb_guard_update(c);
	rc = fetch(c, s, has_row_out, err);
	if (rc && err->native == INTERRUPTED && watch_look(c->watch, &c->stopped))
		return mydb_fail_stopped(c, err);
	for (i = 0; *has_row_out && !rc && i < s->ntypes; i++)
		rc = mydb_read_value(c, s, i, &s->types[i], &row[i], err);
	if (rc)
		*has_row_out = false;
	return rc;
}

/* Rows that nobody wants are read, if they are few; else the server is told to stop. */
static void drain(struct mydb_conn *c, struct mydb_stmt *s)
{
	struct err ignored;
	bool has_row = true;
	int i;

	err_init(&ignored);
	for (i = 0; !s->ended && !c->broken && i < ROWS_READ_FOR_NOTHING; i++)
		if (fetch(c, s, &has_row, &ignored))
			return;
	if (s->ended || c->broken)
		return;
	if (mydb_guard_stop_now(c) != KILL_DONE)
		c->broken = true;
	while (!c->broken && !s->ended)
		if (fetch(c, s, &has_row, &ignored))
			return;
}

static void end_rows(struct mydb_conn *c, struct mydb_stmt *s)
{
	bool interrupted;

	drain(c, s);
	interrupted = s->stmt && mydb_stmt_number(c, s->stmt) == INTERRUPTED;
	if (!c->broken)
		mysql_stmt_free_result(s->stmt);
	mysql_free_result(s->metadata);
	s->metadata = NULL;
	c->reading = NULL;
	mydb_cells_trim(c);
	swallow_kill(c, mydb_guard_leave(c), interrupted);
	c->used_ns = clock_ns();
	if (c->broken)
		return;
	if (c->in_transaction && !transaction_stands(c))
		c->in_transaction = false;
	if (!c->in_transaction && (s->was_open || c->db->server_status & SERVER_STATUS_IN_TRANS))
		end_transaction(c, true);
}

void mydb_finish(void *conn, void *stmt, int64_t *changed_out, int64_t *last_id_out)
{
	struct mydb_conn *c = conn;
	struct mydb_stmt *s = stmt;

	if (c->reading == s)
		end_rows(c, s);
	if (s->has_lists) {
		close_stmt(s); /* its tables go */
		mydb_lists_drop(c);
	}
	s->types = NULL;
	if (changed_out)
		*changed_out = s->changed;
	if (last_id_out)
		*last_id_out = s->last_id;
}

/* ---- the driver's own ---- */

enum rowd_code mydb_ask(struct mydb_conn *c, const char *text, const struct value *params, size_t nparams,
			const struct type *types, size_t ntypes, struct mydb_stmt **out, struct err *err)
{
	void *stmt;
	enum rowd_code rc;

	*out = NULL;
	rc = mydb_prepare(c, text, strlen(text), &stmt, err);
	if (rc)
		return rc;
	rc = mydb_exec(c, stmt, params, nparams, types, ntypes, err);
	if (rc) {
		mydb_finish(c, stmt, NULL, NULL);
		mydb_release(c, stmt);
		return rc;
	}
	*out = stmt;
	return ROWD_OK;
}

void mydb_answered(struct mydb_conn *c, struct mydb_stmt *s)
{
	if (!s)
		return;
	mydb_finish(c, s, NULL, NULL);
	mydb_release(c, s);
}

enum rowd_code mydb_say(struct mydb_conn *c, const char *words, int64_t control_ms, struct err *err)
{
	enum rowd_code rc = mydb_settle(c, err);

	if (rc)
		return rc;
	mydb_guard_enter(c, control_ms);
	if (mysql_real_query(c->db, words, strlen(words)))
		rc = mydb_fail(c, err);
	mydb_guard_leave(c);
	c->used_ns = clock_ns();
	return rc;
}
