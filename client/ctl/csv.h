/*
 * Records of RFC 4180: fields with commas between them, in quotes where they hold a comma, a quote or
 * a line's end. Lines end in LF or CRLF.
 *
 * Thread: a csv belongs to one thread at a time.
 */
#ifndef ROWD_CTL_CSV_H
#define ROWD_CTL_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"

enum { CSV_RECORD_MAX_BYTES = 64 * 1024 * 1024, CSV_MAX_FIELDS = 1000 };

struct csv_field {
	const char *text; /* borrowed from the record; NUL-terminated */
	size_t len;
	bool quoted; /* "" is an empty text, nothing at all is null */
};

struct csv {
	FILE *file;    /* borrowed */
	uint64_t line; /* where the record in hand begins, from 1 */
	uint64_t next_line;
	struct buf text; /* the fields one after the other, each with its NUL */
	struct {
		size_t at, len;
		bool quoted;
	} * spans;                /* owned */
	struct csv_field *fields; /* owned */
	size_t nfields;
};

enum csv_status { CSV_RECORD, CSV_END, CSV_ERROR };

/* False for want of memory. csv_fini in any case. */
bool csv_init(struct csv *c, FILE *file);
void csv_fini(struct csv *c);

/*
 * The next record into c->fields, c->nfields. An empty line is a record of one empty field.
 * CSV_ERROR with a sentence in why: an open quote, something behind a closing one, a NUL, a record or
 * number of fields past the limits, a file that cannot be read.
 */
enum csv_status csv_next(struct csv *c, char *why, size_t why_size);

#endif
