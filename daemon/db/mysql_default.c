/*
 * Defaults of columns. information_schema tells those of numbers and times, and of most texts; it shows a
 * question mark, or nothing, for what is not in its own character set. Those are asked for: a temporary
 * table with the same columns is made, and a row of nothing but defaults put into it.
 *
 * Expressions are never evaluated here: only an insert may do that.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/db/mysql_schema.h"

enum { QUESTION_MOST_BYTES = 1024 * 1024 };

#define DEFAULTS_TABLE "_rowd_defaults"

static enum rowd_code no_memory(struct describing *d)
{
	return err_set(d->err, ROWD_E_NO_RESOURCE, "memory ran out");
}

/* ---- what the words say ---- */

/*
 * 'it''s', with a backslash before what could not be seen, and nothing behind it; decoded into out, which
 * has room for len bytes. MariaDB writes literals so.
 */
static bool unquote(const char *s, size_t len, char *out, size_t *len_out)
{
	size_t i, n = 0;

	if (len < 2 || s[0] != '\'' || s[len - 1] != '\'')
		return false;
	for (i = 1; i < len - 1; i++) {
		char c = s[i];

		if (c == '\'' || c == '\\') {
			if (++i == len - 1 || (c == '\'' && s[i] != '\''))
				return false;
			c = c == '\''     ? c
			    : s[i] == '0' ? '\0'
			    : s[i] == 'n' ? '\n'
			    : s[i] == 'r' ? '\r'
					  : s[i];
		}
		out[n++] = c;
	}
	*len_out = n;
	return true;
}

/* Is there nothing in it that may stand for something else? */
static bool is_whole(const struct nature *nature, bool mariadb, const char *text, size_t len)
{
	return !memchr(text, '?', len) && (mariadb || !nature->bytes);
}

static bool read_int(const char *text, bool is_bool, struct value *out)
{
	char *end;
	long long i;

	errno = 0;
	i = strtoll(text, &end, 10);
	if (errno || end == text || *end || (is_bool && i != 0 && i != 1))
		return false;
	*out = value_int(i);
	out->kind = is_bool ? VALUE_BOOL : VALUE_INT;
	return true;
}

static bool read_float(const char *text, struct value *out)
{
	char *end;
	double f = strtod(text, &end);

	if (end == text || *end)
		return false;
	*out = (struct value){ .kind = VALUE_FLOAT, .u.f = f == 0 ? 0.0 : f };
	return true;
}

/* A default that is not text; false when the words are not one. */
static bool read_plain(const struct type *t, const char *text, size_t len, struct value *out)
{
	int64_t i;

	switch (t->kind) {
	case TYPE_INT:
	case TYPE_BOOL:
		return read_int(text, t->kind == TYPE_BOOL, out);
	case TYPE_FLOAT:
		return read_float(text, out);
	case TYPE_DECIMAL:
		if (!value_decimal_parse(text, len, t->scale, &i))
			return false;
		*out = (struct value){ .kind = VALUE_DECIMAL, .scale = t->scale, .u.i = i };
		return true;
	case TYPE_TIME:
		if (value_time_parse(text, len, &i) != 0)
			return false;
		*out = (struct value){ .kind = VALUE_TIME, .u.i = i };
		return true;
	case TYPE_TEXT:
	case TYPE_BYTES:
	case TYPE_ANY:
		break;
	}
	return false;
}

static bool is_text(const struct type *t)
{
	return t->kind == TYPE_TEXT || t->kind == TYPE_BYTES;
}

/* The literal, without its quotes, in text (NUL-terminated); false: it is an expression. */
static bool literal_of(const struct describing *d, const struct value *row, const struct column *column,
		       char *text, size_t *len)
{
	const struct value *words = &row[COLUMN_DEFAULT];

	*len = words->u.s.len;
	memcpy(text, words->u.s.data, *len);
	text[*len] = '\0';
	if (!d->conn->mariadb)
		return !mydb_text_has(&row[COLUMN_EXTRA], "DEFAULT_GENERATED");
	if (!unquote(words->u.s.data, words->u.s.len, text, len))
		return !is_text(&column->type);
	text[*len] = '\0';
	return true;
}

static void settle(struct column *column, struct nature *nature, bool mariadb, bool literal, char *text,
		   size_t len)
{
	if (literal && is_text(&column->type) && is_whole(nature, mariadb, text, len))
		column->dflt =
			column->type.kind == TYPE_TEXT ? value_text(text, len) : value_bytes(text, len);
	else if (literal && is_text(&column->type))
		nature->asks_default = true;
	else if (!literal || !read_plain(&column->type, text, len, &column->dflt))
		column->default_is_computed = true;
}

enum rowd_code mydb_judge_default(struct describing *d, const struct value *row, struct column *column,
				  struct nature *nature)
{
	const struct value *words = &row[COLUMN_DEFAULT];
	bool literal;
	size_t len;
	char *text;

	/* bytes: it holds what is no text */
	if ((words->kind != VALUE_TEXT && words->kind != VALUE_BYTES) || column->computed ||
	    (d->conn->mariadb && mydb_text_is(words, "NULL")))
		return ROWD_OK;
	text = arena_alloc(catalog_arena(d->catalog), words->u.s.len + 1);
	if (!text)
		return no_memory(d);
	literal = literal_of(d, row, column, text, &len);
	column->has_default = true;
	column->dflt = value_null();
	settle(column, nature, d->conn->mariadb, literal, text, len);
	return ROWD_OK;
}

/* ---- asking ---- */

static void add_name(struct buf *text, const char *name)
{
	buf_add_char(text, '"');
	for (; *name; name++) {
		if (*name == '"')
			buf_add_char(text, '"');
		buf_add_char(text, *name);
	}
	buf_add_char(text, '"');
}

/* The columns that are asked for, a comma between them. */
static unsigned add_columns(struct buf *text, const struct building *b, struct type *types)
{
	unsigned i, n = 0;

	for (i = 0; i < b->table->ncolumns; i++) {
		if (!b->nature[i].asks_default)
			continue;
		if (n)
			buf_add_str(text, ", ");
		add_name(text, b->table->columns[i].name);
		types[n++] = b->table->columns[i].type;
	}
	return n;
}

static enum rowd_code run(struct describing *d, const char *text)
{
	struct mydb_stmt *s;
	enum rowd_code rc = mydb_ask(d->conn, text, NULL, 0, NULL, 0, &s, d->err);

	mydb_answered(d->conn, s);
	return rc;
}

static enum rowd_code make_row(struct describing *d, const struct building *b, struct buf *text,
			       struct type *types)
{
	enum rowd_code rc;

	buf_add_str(text, "CREATE TEMPORARY TABLE \"" DEFAULTS_TABLE "\" (\"_rowd_number\" BIGINT NOT NULL "
			  "AUTO_INCREMENT PRIMARY KEY) ENGINE=InnoDB AS SELECT ");
	add_columns(text, b, types);
	buf_add_str(text, " FROM ");
	add_name(text, b->table->name);
	buf_add_str(text, " LIMIT 0");
	buf_add_char(text, '\0');
	if (text->failed)
		return no_memory(d);
	rc = run(d, text->data);
	return rc ? rc : run(d, "INSERT INTO \"" DEFAULTS_TABLE "\" () VALUES ()");
}

static bool keep_default(struct describing *d, struct column *column, const struct value *v)
{
	if (v->kind != VALUE_TEXT && v->kind != VALUE_BYTES)
		return true;
	column->dflt = *v;
	column->dflt.u.s.data = arena_strndup(catalog_arena(d->catalog), v->u.s.data, v->u.s.len);
	column->default_is_computed = false;
	return column->dflt.u.s.data != NULL;
}

static enum rowd_code read_row(struct describing *d, struct building *b, struct buf *text, struct type *types,
			       struct value *row)
{
	struct mydb_stmt *s;
	bool has_row = false;
	unsigned n, i, k = 0;
	enum rowd_code rc;

	buf_clear(text);
	buf_add_str(text, "SELECT ");
	n = add_columns(text, b, types);
	buf_add_str(text, " FROM \"" DEFAULTS_TABLE "\"");
	buf_add_char(text, '\0');
	if (text->failed)
		return no_memory(d);
	rc = mydb_ask(d->conn, text->data, NULL, 0, types, n, &s, d->err);
	if (!rc)
		rc = mydb_step(d->conn, s, row, &has_row, d->err);
	for (i = 0; !rc && has_row && i < b->table->ncolumns; i++)
		if (b->nature[i].asks_default && !keep_default(d, &b->table->columns[i], &row[k++]))
			rc = no_memory(d);
	mydb_answered(d->conn, s);
	return rc;
}

/* Until they are known, and when they cannot be: the server knows them all the same. */
static bool leave_to_server(struct building *b)
{
	bool any = false;
	unsigned i;

	for (i = 0; i < b->table->ncolumns; i++)
		if (b->nature[i].asks_default)
			any = b->table->columns[i].default_is_computed = true;
	return any;
}

static enum rowd_code ask(struct describing *d, struct building *b, struct type *types, struct value *row)
{
	struct buf text;
	struct err first;
	enum rowd_code rc;

	buf_init(&text, QUESTION_MOST_BYTES);
	d->conn->staging = true;
	rc = make_row(d, b, &text, types);
	d->conn->staging = false;
	if (!rc)
		rc = read_row(d, b, &text, types, row);
	buf_fini(&text);
	first = *d->err;
	if (!d->conn->broken && run(d, "DROP TEMPORARY TABLE IF EXISTS \"" DEFAULTS_TABLE "\""))
		d->conn->broken = true;
	*d->err = first;
	return rc;
}

enum rowd_code mydb_ask_defaults(struct describing *d, struct building *b)
{
	struct type *types;
	struct value *row;
	enum rowd_code rc;

	if (!leave_to_server(b))
		return ROWD_OK;
	types = calloc(b->table->ncolumns, sizeof *types);
	row = calloc(b->table->ncolumns, sizeof *row);
	rc = types && row ? ask(d, b, types, row) : no_memory(d);
	free(types);
	free(row);
	if (rc && rc != ROWD_E_NO_RESOURCE && !d->conn->broken && !d->conn->stopped) {
		err_init(d->err);
		rc = ROWD_OK;
	}
	return rc;
}
