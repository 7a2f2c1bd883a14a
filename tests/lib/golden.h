/*
 * Golden files: statements and what each dialect makes of them, in tests/golden. A test renders the whole
 * file anew and compares. With ROWD_GOLDEN_WRITE=1 in the environment it writes the file instead: look at
 * what changed before you commit it.
 */
#ifndef ROWD_TESTS_GOLDEN_H
#define ROWD_TESTS_GOLDEN_H

#include "base/buf.h"
#include "daemon/sql/sql.h"

/* Every dialect, NULL-ended. */
extern const struct dialect *const golden_dialects[];

struct golden {
	const char *file;           /* "filter.txt" */
	struct buf text;            /* owned */
	struct buf before;          /* of the statement at hand: what the dialect before made of it */
};

void golden_begin(struct golden *g, const char *file);

/* A statement is named, then given in every dialect, then ended. */
void golden_name(struct golden *g, const char *name);
void golden_sql(struct golden *g, const struct dialect *d, const struct sql *s);
void golden_words(struct golden *g, const struct dialect *d, const char *words);   /* instead of SQL */
void golden_name_end(struct golden *g);

/* False, with the first line that differs on stderr, when the file says otherwise. */
bool golden_end(struct golden *g);

#endif
