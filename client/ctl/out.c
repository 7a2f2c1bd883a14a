#include "config.h"

#include "client/ctl/out.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libsmartcols.h>

#include "client/ctl/json.h"

enum {
	OUT_HELD_ROWS = 1000,   /* of a table, before it is drawn; then a new one begins */
	OUT_HELD_BYTES = 65536, /* of other formats, before they are written */
	OUT_LINE_MAX_BYTES = 1 << 30
};

static const char *const format_names[] = {
	[OUT_TABLE] = "table", [OUT_JSON] = "json", [OUT_JSONL] = "jsonl",
	[OUT_CSV] = "csv",     [OUT_TSV] = "tsv",
};

bool out_format_find(const char *name, enum out_format *out)
{
	for (size_t i = 0; i < sizeof format_names / sizeof *format_names; i++) {
		if (!strcmp(name, format_names[i])) {
			*out = (enum out_format)i;
			return true;
		}
	}
	return false;
}

void out_init(struct out *o, enum out_format format, bool terminal)
{
	*o = (struct out){ .format = format, .terminal = terminal };
	buf_init(&o->line, OUT_LINE_MAX_BYTES);
}

static void columns_free(struct out *o)
{
	for (size_t i = 0; i < o->ncolumns; i++)
		free(o->names[i]);
	free(o->names);
	free(o->numeric);
	scols_unref_table(o->table);
	o->names = NULL;
	o->numeric = NULL;
	o->table = NULL;
	o->ncolumns = o->held = 0;
}

void out_fini(struct out *o)
{
	columns_free(o);
	buf_fini(&o->line);
}

bool out_is_json(const struct out *o)
{
	return o->format == OUT_JSON || o->format == OUT_JSONL;
}

/* Hand what is gathered to stdio. A failure stays in stdout's error mark for out_flush. */
static void line_write(struct out *o)
{
	if (o->line.failed)
		fprintf(stderr, "rowctl: an answer too large to be written\n");
	else if (o->line.len)
		fwrite(o->line.data, 1, o->line.len, stdout);
	buf_clear(&o->line);
}

bool out_flush(struct out *o)
{
	line_write(o);
	return fflush(stdout) == 0 && !ferror(stdout);
}

/* ---- cells ---- */

static void csv_cell(struct out *o, const char *s, size_t len)
{
	struct buf *b = &o->line;

	if (len > 0 && !memchr(s, ',', len) && !memchr(s, '"', len) && !memchr(s, '\n', len) &&
	    !memchr(s, '\r', len) && s[0] != ' ' && s[len - 1] != ' ') {
		buf_add(b, s, len);
		return;
	}
	buf_add_char(b, '"');
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '"')
			buf_add_char(b, '"');
		buf_add_char(b, s[i]);
	}
	buf_add_char(b, '"');
}

static void tsv_cell(struct out *o, const char *s, size_t len)
{
	static const char from[] = "\t\n\r\\", to[] = "tnr\\";

	for (size_t i = 0; i < len; i++) {
		const char *special = s[i] ? strchr(from, s[i]) : NULL;

		if (special)
			buf_add_char(&o->line, '\\');
		buf_add_char(&o->line, special ? to[special - from] : s[i]);
	}
}

/* The text of one cell, s NULL for null, into the line. */
static void text_cell(struct out *o, const char *s, size_t len)
{
	struct buf safe;

	if (!s) {
		if (o->format == OUT_TSV)
			buf_add_str(&o->line, "\\N");
		return;
	}
	buf_init(&safe, OUT_LINE_MAX_BYTES);
	if (o->terminal) {
		text_write_safe(&safe, s, len);
		s = safe.data ? safe.data : "";
		len = safe.len;
	}
	if (o->format == OUT_CSV)
		csv_cell(o, s, len);
	else
		tsv_cell(o, s, len);
	buf_fini(&safe);
}

/* ---- tables ---- */

static void table_draw(struct out *o)
{
	if (!o->table || !o->held)
		return;
	for (size_t i = 0; i < o->ncolumns; i++)
		scols_column_set_flags(scols_table_get_column(o->table, i),
				       o->numeric[i] ? SCOLS_FL_RIGHT : 0);
	fflush(stdout);
	scols_print_table(o->table);
	scols_table_remove_lines(o->table);
	o->held = 0;
}

static void table_begin(struct out *o)
{
	struct buf safe;

	o->table = scols_new_table();
	if (!o->table)
		return;
	scols_table_set_stream(o->table, stdout);
	scols_table_set_termforce(o->table, SCOLS_TERMFORCE_NEVER);
	scols_table_set_column_separator(o->table, "  ");
	buf_init(&safe, OUT_LINE_MAX_BYTES);
	for (size_t i = 0; i < o->ncolumns; i++) {
		buf_clear(&safe);
		text_write_safe(&safe, o->names[i], strlen(o->names[i]));
		buf_add_char(&safe, '\0');
		scols_table_new_column(o->table, safe.failed ? "?" : safe.data, 0, 0);
	}
	buf_fini(&safe);
}

/* The texts of a row, NULL for null, as a line of the table. */
static void table_row(struct out *o, const struct buf *cells, const bool *null)
{
	struct libscols_line *line = o->table ? scols_table_new_line(o->table, NULL) : NULL;
	struct buf safe;

	if (!line)
		return;
	buf_init(&safe, OUT_LINE_MAX_BYTES);
	for (size_t i = 0; i < o->ncolumns; i++) {
		buf_clear(&safe);
		if (null[i])
			buf_add_str(&safe, "null");
		else
			text_write_safe(&safe, cells[i].data ? cells[i].data : "", cells[i].len);
		buf_add_char(&safe, '\0');
		scols_line_set_data(line, i, safe.failed ? "?" : safe.data);
	}
	buf_fini(&safe);
	if (++o->held >= OUT_HELD_ROWS)
		table_draw(o);
}

/* ---- rows ---- */

static void header_line(struct out *o)
{
	for (size_t i = 0; i < o->ncolumns; i++) {
		if (i)
			buf_add_char(&o->line, o->format == OUT_CSV ? ',' : '\t');
		text_cell(o, o->names[i], strlen(o->names[i]));
	}
	buf_add_char(&o->line, '\n');
}

void out_rows_begin(struct out *o, const char *const *names, size_t n)
{
	columns_free(o);
	o->count = 0;
	o->names = calloc(n ? n : 1, sizeof *o->names);
	o->numeric = calloc(n ? n : 1, sizeof *o->numeric);
	if (!o->names || !o->numeric) {
		columns_free(o);
		return;
	}
	for (; o->ncolumns < n; o->ncolumns++) {
		o->names[o->ncolumns] = strdup(names[o->ncolumns] ? names[o->ncolumns] : "?");
		if (!o->names[o->ncolumns])
			break;
		o->numeric[o->ncolumns] = true;
	}
	if (o->format == OUT_TABLE)
		table_begin(o);
	else if (o->format == OUT_JSON)
		buf_add_char(&o->line, '[');
	else if (!out_is_json(o))
		header_line(o);
}

static void json_row(struct out *o, const struct rowd_item *const *items, const char *const *texts)
{
	struct buf *b = &o->line;

	if (o->format == OUT_JSON)
		buf_add_str(b, o->count ? ",\n" : "\n");
	buf_add_char(b, '{');
	for (size_t i = 0; i < o->ncolumns; i++) {
		if (i)
			buf_add_char(b, ',');
		json_write_string(b, o->names[i], strlen(o->names[i]));
		buf_add_char(b, ':');
		if (items)
			item_write_json(b, items[i]);
		else if (texts[i])
			json_write_string(b, texts[i], strlen(texts[i]));
		else
			buf_add_str(b, "null");
	}
	buf_add_str(b, o->format == OUT_JSON ? "}" : "}\n");
}

static bool is_number(const struct rowd_item *item)
{
	return rowd_item_kind(item) == ROWD_KIND_INT || rowd_item_kind(item) == ROWD_KIND_FLOAT;
}

/* A row of one of the formats whose cells are texts. */
static void cells_row(struct out *o, const struct buf *cells, const bool *null)
{
	if (o->format == OUT_TABLE) {
		table_row(o, cells, null);
		return;
	}
	for (size_t i = 0; i < o->ncolumns; i++) {
		if (i)
			buf_add_char(&o->line, o->format == OUT_CSV ? ',' : '\t');
		text_cell(o, null[i] ? NULL : cells[i].data ? cells[i].data : "", cells[i].len);
	}
	buf_add_char(&o->line, '\n');
}

static void text_row(struct out *o, const struct rowd_item *const *items, const char *const *texts)
{
	struct buf *cells = calloc(o->ncolumns ? o->ncolumns : 1, sizeof *cells);
	bool *null = calloc(o->ncolumns ? o->ncolumns : 1, sizeof *null);

	for (size_t i = 0; cells && null && i < o->ncolumns; i++) {
		buf_init(&cells[i], OUT_LINE_MAX_BYTES);
		null[i] = items ? !items[i] || rowd_item_is_null(items[i]) : !texts[i];
		if (null[i])
			continue;
		if (items)
			item_write_text(&cells[i], items[i]);
		else
			buf_add_str(&cells[i], texts[i]);
		if (!items || !is_number(items[i]))
			o->numeric[i] = false;
	}
	if (cells && null)
		cells_row(o, cells, null);
	for (size_t i = 0; cells && i < o->ncolumns; i++)
		buf_fini(&cells[i]);
	free(cells);
	free(null);
}

static void row_write(struct out *o, const struct rowd_item *const *items, const char *const *texts)
{
	if (out_is_json(o))
		json_row(o, items, texts);
	else
		text_row(o, items, texts);
	o->count++;
	if (o->line.len > OUT_HELD_BYTES)
		line_write(o);
}

void out_row(struct out *o, const struct rowd_item *const *items)
{
	row_write(o, items, NULL);
}

void out_row_text(struct out *o, const char *const *texts)
{
	row_write(o, NULL, texts);
}

void out_rows_end(struct out *o)
{
	if (o->format == OUT_TABLE)
		table_draw(o);
	else if (o->format == OUT_JSON)
		buf_add_str(&o->line, o->count ? "\n]\n" : "]\n");
	line_write(o);
	columns_free(o);
}

void out_rows_cut(struct out *o)
{
	if (o->format == OUT_TABLE)
		table_draw(o);
	else if (o->format == OUT_JSON && o->count)
		buf_add_char(&o->line, '\n');
	line_write(o);
	columns_free(o);
}

void out_rows_begin_result(struct out *o, const struct rowd_result *r)
{
	size_t n = rowd_result_columns(r);
	const char **names = calloc(n ? n : 1, sizeof *names);

	for (size_t i = 0; names && i < n; i++)
		names[i] = rowd_result_column(r, i);
	out_rows_begin(o, names, names ? n : 0);
	free(names);
}

void out_result_rows(struct out *o, const struct rowd_result *r)
{
	const struct rowd_item **items = calloc(o->ncolumns ? o->ncolumns : 1, sizeof *items);

	for (size_t i = 0; items && i < rowd_result_rows(r); i++) {
		const struct rowd_row *row = rowd_result_row(r, i);

		for (size_t j = 0; j < o->ncolumns; j++)
			items[j] = rowd_row_at(row, j);
		out_row(o, items);
	}
	free(items);
}

/* ---- whole answers ---- */

/* A list of maps, as rows; the columns are the names of the first map. */
static void out_maps(struct out *o, const struct rowd_item *list)
{
	const struct rowd_item *first = rowd_item_at(list, 0);
	size_t n = rowd_item_count(first);
	const char **names = calloc(n ? n : 1, sizeof *names);
	const struct rowd_item **items = calloc(n ? n : 1, sizeof *items);

	for (size_t i = 0; names && i < n; i++)
		names[i] = rowd_item_name(first, i);
	if (names && items) {
		out_rows_begin(o, names, n);
		for (size_t i = 0; i < rowd_item_count(list); i++) {
			for (size_t j = 0; j < n; j++)
				items[j] = names[j] ? rowd_item_get(rowd_item_at(list, i), names[j]) : NULL;
			out_row(o, items);
		}
		out_rows_end(o);
	}
	free(names);
	free(items);
}

/* name, value for each member; those of maps inside as outer.inner. */
static void out_members(struct out *o, const struct rowd_item *map, const char *prefix)
{
	for (size_t i = 0; i < rowd_item_count(map); i++) {
		const struct rowd_item *member = rowd_item_at(map, i);
		const char *name = rowd_item_name(map, i);
		struct buf full, value;
		const char *texts[2];

		buf_init(&full, OUT_LINE_MAX_BYTES);
		buf_init(&value, OUT_LINE_MAX_BYTES);
		buf_addf(&full, "%s%s%s", prefix, *prefix ? "." : "", name ? name : "?");
		buf_add_char(&full, '\0');
		item_write_text(&value, member);
		buf_add_char(&value, '\0');
		texts[0] = full.data;
		texts[1] = rowd_item_is_null(member) ? NULL : value.data;
		if (rowd_item_kind(member) == ROWD_KIND_MAP && rowd_item_count(member) > 0 && !full.failed)
			out_members(o, member, full.data);
		else if (!full.failed && !value.failed)
			out_row_text(o, texts);
		buf_fini(&full);
		buf_fini(&value);
	}
}

static void out_map(struct out *o, const struct rowd_item *map)
{
	static const char *const names[] = { "name", "value" };

	out_rows_begin(o, names, 2);
	out_members(o, map, "");
	out_rows_end(o);
}

void out_item(struct out *o, const struct rowd_item *item)
{
	struct buf text;

	if (out_is_json(o)) {
		item_write_json(&o->line, item);
	} else {
		buf_init(&text, OUT_LINE_MAX_BYTES);
		item_write_text(&text, item);
		if (o->format == OUT_TABLE)
			text_write_safe(&o->line, text.data ? text.data : "", text.len);
		else
			text_cell(o, rowd_item_is_null(item) ? NULL : text.data ? text.data : "", text.len);
		buf_fini(&text);
	}
	buf_add_char(&o->line, '\n');
	line_write(o);
}

void out_sentence(struct out *o, const char *text)
{
	text_write_safe(&o->line, text, strlen(text));
	buf_add_char(&o->line, '\n');
	line_write(o);
}

static bool is_row_set(const struct rowd_item *item)
{
	return rowd_item_kind(rowd_item_get(item, "columns")) == ROWD_KIND_ARRAY &&
	       rowd_item_kind(rowd_item_get(item, "rows")) == ROWD_KIND_ARRAY;
}

static void out_list(struct out *o, const struct rowd_item *list)
{
	if (o->format == OUT_JSON)
		out_item(o, list);
	else if (!out_is_json(o) && rowd_item_kind(rowd_item_at(list, 0)) == ROWD_KIND_MAP)
		out_maps(o, list);
	else
		for (size_t i = 0; i < rowd_item_count(list); i++)
			out_item(o, rowd_item_at(list, i));
}

void out_result(struct out *o, const struct rowd_result *r)
{
	const struct rowd_item *item = rowd_result_item(r);

	if (is_row_set(item)) {
		out_rows_begin_result(o, r);
		out_result_rows(o, r);
		out_rows_end(o);
	} else if (rowd_item_kind(item) == ROWD_KIND_ARRAY) {
		out_list(o, item);
	} else if (rowd_item_kind(item) == ROWD_KIND_MAP && !out_is_json(o)) {
		out_map(o, item);
	} else {
		out_item(o, item);
	}
}
