/*
 * Answers on stdout, in the format asked for.
 *
 * Texts come from strangers: on a terminal no control character of theirs gets through.
 */
#ifndef ROWD_CTL_OUT_H
#define ROWD_CTL_OUT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "rowd.h"

enum out_format { OUT_TABLE, OUT_JSON, OUT_JSONL, OUT_CSV, OUT_TSV };

struct libscols_table;

struct out {
	enum out_format format;
	bool terminal;   /* stdout is one */
	struct buf line; /* what is being written */
	/* between out_rows_begin and out_rows_end */
	char **names; /* owned */
	size_t ncolumns;
	struct libscols_table *table; /* owned; of format table */
	size_t held;                  /* rows in it */
	uint64_t count;               /* rows in all */
	bool *numeric;                /* per column: nothing but numbers so far */
};

void out_init(struct out *o, enum out_format format, bool terminal);
void out_fini(struct out *o);

/* "json" -> OUT_JSON; false when there is none of that name. */
bool out_format_find(const char *name, enum out_format *out);

/* ---- rows ---- */

/* Begin; the names are copied. */
void out_rows_begin(struct out *o, const char *const *names, size_t n);

/* One row; items[i] may be NULL, for null. */
void out_row(struct out *o, const struct rowd_item *const *items);

/* One row of plain texts; NULL for null. */
void out_row_text(struct out *o, const char *const *texts);

void out_rows_end(struct out *o);

/* End in place of out_rows_end when rows are missing: JSON stays open, which tells its reader. */
void out_rows_cut(struct out *o);

/* Begin with the columns of a result; add all its rows. */
void out_rows_begin_result(struct out *o, const struct rowd_result *r);
void out_result_rows(struct out *o, const struct rowd_result *r);

/* ---- whole answers ---- */

/* Any answer: a row set as rows, a list line by line, a map as names and values, else one value. */
void out_result(struct out *o, const struct rowd_result *r);

/* One value on a line of its own, as JSON when the format is JSON. */
void out_item(struct out *o, const struct rowd_item *item);

/* A sentence for people. */
void out_sentence(struct out *o, const char *text);

/* Is it a format for programs that know JSON? */
bool out_is_json(const struct out *o);

/* Push everything to stdout. False when that failed (errno says why). */
bool out_flush(struct out *o);

/* ---- pieces ---- */

/* Append a value as JSON. */
void item_write_json(struct buf *b, const struct rowd_item *item);

/* Append a value as plain text: nothing for null, x'6869' for bytes, RFC 3339 for times. */
void item_write_text(struct buf *b, const struct rowd_item *item);

/* Append text with every control character written as an escape. */
void text_write_safe(struct buf *b, const char *s, size_t len);

#endif
