/*
 * Rows for insert and upsert: JSON lines, a JSON array, or CSV with a header, typed by the table.
 *
 * Thread: a rows belongs to one thread at a time.
 */
#ifndef ROWD_CTL_ROWS_H
#define ROWD_CTL_ROWS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include <json-c/json.h>

#include "client/ctl/csv.h"
#include "client/ctl/ctl.h"

enum rows_format { ROWS_JSON, ROWS_CSV };

struct rows {
	enum rows_format format;
	FILE *file;                  /* borrowed */
	const struct schema *schema; /* borrowed; NULL: not known, values go out as written */
	uint64_t line;               /* of the row in hand; of a JSON array its number */
	bool by_number;              /* line counts rows, not lines */
	/* JSON */
	char *text; /* owned; the line in hand */
	size_t cap;
	struct json_object *array; /* owned; a whole array was read */
	size_t next;
	/* CSV */
	struct csv csv;
	char **header; /* owned */
	size_t ncolumns;
};

enum rows_status { ROWS_ROW, ROWS_END, ROWS_ERROR };

/* Begin; of CSV, reads the header. Reports; false then. rows_close in any case. */
bool rows_open(struct rows *r, enum rows_format format, FILE *file, const struct schema *schema);
void rows_close(struct rows *r);

/* The next row, an object that is yours to put. ROWS_ERROR: reported, with the line. */
enum rows_status rows_next(struct rows *r, struct json_object **out);

/* "line", or "row". */
const char *rows_unit(const struct rows *r);

#endif
