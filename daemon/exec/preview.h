/*
 * What a delete would do, and a token for exactly that.
 *
 * The token is a digest of the primary keys of the rows that match, in order, and of the counts of what
 * goes along: equal as long as those are. Thread: the one that owns x->conn.
 */
#ifndef ROWD_EXEC_PREVIEW_H
#define ROWD_EXEC_PREVIEW_H

#include "daemon/exec/cascade.h"

enum { PREVIEW_TOKEN_BYTES = 32 };

struct preview {
	struct cascade cascade;
	int64_t matched;
	struct cascade_count *cascades;
	unsigned ncascades;
	bool has_token;                  /* false: the table has no key to tell its rows by */
	char token[PREVIEW_TOKEN_BYTES]; /* without a NUL */
};

/* lock: the rows too, where the database can. Uses x->sql. ROWD_E_UNSUPPORTED when what goes along cannot be
 * counted. */
ROWD_MUST_CHECK enum rowd_code preview_take(struct exec *x, const struct table *t, const struct pred *where,
					    bool lock, struct preview *out, struct err *err);

/* Is that the token? */
bool preview_is(const struct preview *p, const char *token, size_t len);

/* Append the answer, which tells too what stands in the way. Uses x->sql. */
ROWD_MUST_CHECK enum rowd_code preview_write(struct exec *x, const struct preview *p, struct err *err);

#endif
