/*
 * Requests carried out on a SQLite database in a temporary directory, written and answered as text:
 *
 *   asks("select", "['people', {'where': {'id': 1}}]")  gives  "{'columns': ['id'], 'rows': [[1]], 'more': false}"
 *
 * Text is JSON with single quotes, and x'00ff' for bytes. An error is "name", "name column" or "name column
 * limit=N". For unit tests; one database at a time.
 */
#ifndef ROWD_TESTS_REQUESTS_H
#define ROWD_TESTS_REQUESTS_H

#include "daemon/exec/exec.h"

struct requests {
	struct db_conn *conn;            /* the only one, a writer */
	struct limits limits;            /* the defaults; change them as you like */
	struct caller caller;            /* may do everything */
	struct exec x;                   /* what the next request gets; conn, limits, caller are set */
	struct err err;                  /* of the last request */
	char path[128];                  /* of the database */
};

extern struct requests requests;

void requests_start(void);
void requests_end(void);

/* Run SQL behind rowd's back, in a transaction of its own. */
void requests_sql(const char *text);

/* Carry out one request in a transaction of its own, which is committed when it succeeded. The text lives
 * until the next call. */
const char *asks(const char *method, const char *params);

/* As asks, in the transaction that is open. */
const char *asks_within(const char *method, const char *params);

/* Decoded as text; borrowed until the next call. */
const char *requests_text(const struct buf *encoded);

#define GIVES(due, method, params) assert_string_equal(asks(method, params), due)

#endif
