#include "config.h"

#include "client/ctl/rows.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl/json.h"
#include "client/ctl/literal.h"

enum { ROWS_TEXT_MAX_BYTES = 256 * 1024 * 1024 };

const char *rows_unit(const struct rows *r)
{
	return r->by_number ? "row" : "line";
}

static enum rows_status rows_fail(const struct rows *r, const char *why)
{
	ctl_fail("%s %llu: %s", rows_unit(r), (unsigned long long)r->line, why);
	return ROWS_ERROR;
}

/* ---- JSON ---- */

/* The rest of the file is one array: read it whole. */
static bool array_read(struct rows *r)
{
	struct buf text;
	char chunk[16384], why[120];
	size_t n, at;
	bool ok;

	buf_init(&text, ROWS_TEXT_MAX_BYTES);
	while ((n = fread(chunk, 1, sizeof chunk, r->file)) > 0)
		buf_add(&text, chunk, n);
	buf_add_char(&text, '\0');
	if (text.failed || ferror(r->file)) {
		ctl_fail("a JSON array of rows cannot be read: %s",
			 text.failed ? "it is too large; write one row a line" : strerror(errno));
		buf_fini(&text);
		return false;
	}
	ok = json_parse(text.data, text.len - 1, &r->array, &at, why, sizeof why);
	if (!ok)
		ctl_fail("byte %zu of the array of rows: %s", at, why);
	buf_fini(&text);
	r->by_number = true;
	return ok;
}

static bool json_open(struct rows *r)
{
	int c;

	do {
		c = getc(r->file);
		r->line += c == '\n';
	} while (c != EOF && isspace(c));
	if (c != EOF)
		ungetc(c, r->file);
	return c != '[' || array_read(r);
}

/* A decimal that was written as a number goes out as the text it was written as: exact. */
static void decimals_to_text(const struct rows *r, struct json_object *row)
{
	for (size_t i = 0; r->schema && i < r->schema->ncolumns; i++) {
		const struct column *c = &r->schema->columns[i];
		struct json_object *v;

		if (c->type.kind != TYPE_DECIMAL || !json_object_object_get_ex(row, c->name, &v))
			continue;
		if (json_object_is_type(v, json_type_int) || json_object_is_type(v, json_type_double))
			json_object_object_add(row, c->name,
					       json_object_new_string(json_object_to_json_string(v)));
	}
}

static enum rows_status json_row(const struct rows *r, struct json_object *row, struct json_object **out)
{
	if (!json_object_is_type(row, json_type_object)) {
		json_object_put(row);
		return rows_fail(r, "a row is a JSON object: {\"id\": 1, ...}");
	}
	decimals_to_text(r, row);
	*out = row;
	return ROWS_ROW;
}

static bool is_blank(const char *s)
{
	return s[strspn(s, " \t\r\n")] == '\0';
}

static enum rows_status json_next(struct rows *r, struct json_object **out)
{
	struct json_object *row;
	char why[120], reason[160];
	ssize_t len;
	size_t at;

	if (r->array) {
		if (r->next == json_object_array_length(r->array))
			return ROWS_END;
		r->line = r->next + 1;
		return json_row(r, json_object_get(json_object_array_get_idx(r->array, r->next++)), out);
	}
	do {
		len = getline(&r->text, &r->cap, r->file);
		r->line++;
	} while (len >= 0 && is_blank(r->text) && (size_t)len == strlen(r->text));
	if (len < 0)
		return ferror(r->file) ? rows_fail(r, strerror(errno)) : ROWS_END;
	if (json_parse(r->text, (size_t)len, &row, &at, why, sizeof why))
		return json_row(r, row, out);
	snprintf(reason, sizeof reason, "column %zu: %s", at + 1, why);
	return rows_fail(r, reason);
}

/* ---- CSV ---- */

static bool header_take(struct rows *r)
{
	r->header = calloc(r->csv.nfields, sizeof *r->header);
	if (!r->header)
		return false;
	for (; r->ncolumns < r->csv.nfields; r->ncolumns++) {
		const char *name = r->csv.fields[r->ncolumns].text;

		if (r->ncolumns == 0 && !strncmp(name, "\xef\xbb\xbf", 3))
			name += 3; /* the mark some programs put in front of UTF-8 */
		for (size_t i = 0; i < r->ncolumns; i++) {
			if (!strcmp(r->header[i], name)) {
				ctl_fail("line 1: the header names column \"%s\" twice", name);
				return false;
			}
		}
		if (r->schema && !schema_column(r->schema, name)) {
			ctl_fail("line 1: %s has no column \"%s\"; the first line names the columns",
				 r->schema->table, name);
			return false;
		}
		r->header[r->ncolumns] = strdup(name);
		if (!r->header[r->ncolumns])
			return false;
	}
	return true;
}

static bool csv_open(struct rows *r)
{
	char why[120];

	if (!csv_init(&r->csv, r->file)) {
		ctl_fail("out of memory");
		return false;
	}
	switch (csv_next(&r->csv, why, sizeof why)) {
	case CSV_RECORD:
		return header_take(r);
	case CSV_END:
		ctl_fail("the input is empty: the first line of CSV names the columns");
		return false;
	case CSV_ERROR:
		break;
	}
	ctl_fail("line 1: %s", why);
	return false;
}

/* A field into the row: nothing at all is null, or, where there is no null, as if it were not given. */
static bool field_add(const struct rows *r, struct json_object *row, size_t i, const char **why)
{
	const struct csv_field *f = &r->csv.fields[i];
	const struct column *c = schema_column(r->schema, r->header[i]);
	struct json_object *value = NULL;

	if (f->len == 0 && !f->quoted) {
		if (!c || c->null)
			json_object_object_add(row, r->header[i], NULL);
		return true;
	}
	if (!literal_from_text(f->text, f->len, c ? &c->type : NULL, &value, why))
		return false;
	json_object_object_add(row, r->header[i], value);
	return true;
}

static enum rows_status csv_row(struct rows *r, struct json_object **out)
{
	struct json_object *row;
	char reason[200];
	const char *why = "";

	if (r->csv.nfields != r->ncolumns) {
		snprintf(reason, sizeof reason, "%zu fields, where the header has %zu", r->csv.nfields,
			 r->ncolumns);
		return rows_fail(r, reason);
	}
	row = json_object_new_object();
	for (size_t i = 0; i < r->ncolumns; i++) {
		if (!field_add(r, row, i, &why)) {
			json_object_put(row);
			snprintf(reason, sizeof reason, "column %s: %s", r->header[i], why);
			return rows_fail(r, reason);
		}
	}
	*out = row;
	return ROWS_ROW;
}

static enum rows_status csv_take(struct rows *r, struct json_object **out)
{
	char why[120];

	for (;;) {
		enum csv_status status = csv_next(&r->csv, why, sizeof why);

		r->line = r->csv.line;
		if (status == CSV_END)
			return ROWS_END;
		if (status == CSV_ERROR)
			return rows_fail(r, why);
		/* An empty line is no row, but where rows have one column: there it is a null. */
		if (r->ncolumns == 1 || r->csv.nfields > 1 || r->csv.fields[0].len || r->csv.fields[0].quoted)
			return csv_row(r, out);
	}
}

/* ---- both ---- */

bool rows_open(struct rows *r, enum rows_format format, FILE *file, const struct schema *schema)
{
	*r = (struct rows){ .format = format, .file = file, .schema = schema };
	return format == ROWS_CSV ? csv_open(r) : json_open(r);
}

void rows_close(struct rows *r)
{
	if (r->format == ROWS_CSV)
		csv_fini(&r->csv);
	for (size_t i = 0; i < r->ncolumns; i++)
		free(r->header[i]);
	free(r->header);
	free(r->text);
	json_object_put(r->array);
}

enum rows_status rows_next(struct rows *r, struct json_object **out)
{
	return r->format == ROWS_CSV ? csv_take(r, out) : json_next(r, out);
}
