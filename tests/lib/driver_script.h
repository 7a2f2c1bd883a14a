/*
 * A driver that plays results: what db.c asks of it is written down, what it answers is set by the
 * test. One connection's worth of truth for all connections; not for threads.
 */
#ifndef ROWD_TESTS_DRIVER_SCRIPT_H
#define ROWD_TESTS_DRIVER_SCRIPT_H

#include "daemon/db/db.h"

enum { SCRIPT_LOG_BYTES = 8192, SCRIPT_FAILURES = 8 };

struct script {
	char log[SCRIPT_LOG_BYTES];    /* "open begin version describe ..." */
	struct { const char *slot; enum rowd_code code; } failures[SCRIPT_FAILURES];
	const struct value *rows;      /* of every query: nrows of one value */
	size_t nrows, at;
	int64_t version;               /* also names the one table of the schema: "t<version>" */
	int64_t changed, last_id;
	bool tx_lost;                  /* the backend ended the transaction by itself */
	bool broken;
	int statements;                /* prepared and not released */
	int connections;               /* opened and not closed */
};

extern struct script script;

/* Everything as at the start. */
void script_reset(void);

/* Let the next call of slot ("exec") fail with code. */
void script_fail(const char *slot, enum rowd_code code);

/* A database of the scripted driver, with the capabilities given. */
void script_db(struct db *db, unsigned caps);

#endif
