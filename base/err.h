/*
 * What went wrong, told by the one who knows and carried up unchanged.
 *
 * A function that can fail returns enum rowd_code and takes `struct err *err` last. On failure
 * it fills *err once; whoever passes the failure on leaves it alone. On success *err is untouched.
 *
 * Nothing here allocates, logs or aborts. Thread: an err belongs to one thread at a time.
 */
#ifndef ROWD_BASE_ERR_H
#define ROWD_BASE_ERR_H

#include <stdarg.h>
#include <stdint.h>

#include "rowd_codes.h"

#define ROWD_MUST_CHECK __attribute__((warn_unused_result))
#define ROWD_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

enum { ERR_TEXT_BYTES = 256, ERR_NAME_BYTES = 64 };

struct err {
	enum rowd_code code;
	enum rowd_outcome outcome;      /* from codes.def unless err_outcome() said otherwise */
	int native;                     /* the backend's own number, for logs; 0 if none */
	char text[ERR_TEXT_BYTES];      /* rowd's own words; never a row's value or backend text */
	char table[ERR_NAME_BYTES];     /* "" when not about a table */
	char column[ERR_NAME_BYTES];    /* "" when not about a column */
	int64_t limit;                  /* -1 when not about a limit */
	int64_t matched;                /* -1 when not counted */
	int64_t index;                  /* op of `atomic`, or row of a request; -1 when neither */
};

/* *err with nothing in it: ROWD_OK, empty names, counts of -1. */
void err_init(struct err *err);

/* Fill *err with a code and a sentence (without the code's name; the wire adds it). Returns code. */
enum rowd_code err_set(struct err *err, enum rowd_code code, const char *fmt, ...) ROWD_PRINTF(3, 4);

/* As err_set, with the backend's own number kept for the log. */
enum rowd_code err_native(struct err *err, enum rowd_code code, int native, const char *fmt, ...)
	ROWD_PRINTF(4, 5);

/* As err_set, ending in ": " and strerror(errnum). */
enum rowd_code err_sys(struct err *err, enum rowd_code code, int errnum, const char *fmt, ...)
	ROWD_PRINTF(4, 5);

/* ROWD_E_LIMIT with details.limit set: "<what> is over the limit of <limit>". */
enum rowd_code err_limit(struct err *err, int64_t limit, const char *fmt, ...) ROWD_PRINTF(3, 4);

/* Say where: NULL leaves the name as it is; a name too long is cut. */
void err_where(struct err *err, const char *table, const char *column);

/* Say what is true of the outcome when it differs from the code's usual one. */
void err_outcome(struct err *err, enum rowd_outcome outcome);

#endif
