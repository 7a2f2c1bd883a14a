/*
 * Statements that make and remove tables and indexes, and the literals of their DEFAULT clauses.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sql/render.h"

static const char types_table[] = "_rowd_columns";

/* ---- literals ---- */

/* A quote is doubled; nothing else is special (on MySQL: under NO_BACKSLASH_ESCAPES). */
void sql_add_text_literal(struct sql *s, const char *text, size_t len)
{
	size_t i;

	buf_add_char(&s->text, '\'');
	for (i = 0; i < len; i++) {
		if (text[i] == '\'')
			buf_add_char(&s->text, '\'');
		buf_add_char(&s->text, text[i]);
	}
	buf_add_char(&s->text, '\'');
}

void sql_add_bytes_literal(struct sql *s, const char *bytes, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t i;

	sql_add(s, "x'");
	for (i = 0; i < len; i++) {
		buf_add_char(&s->text, digits[(unsigned char)bytes[i] >> 4]);
		buf_add_char(&s->text, digits[(unsigned char)bytes[i] & 15]);
	}
	buf_add_char(&s->text, '\'');
}

/* As short as it can be read back, and always with an exponent, so that no database takes it for a
 * decimal. */
void sql_add_float_literal(struct sql *s, double f)
{
	char text[40];
	int digits;

	for (digits = 14; digits <= 16; digits++) {
		snprintf(text, sizeof text, "%.*e", digits, f);
		if (strtod(text, NULL) == f)
			break;
	}
	sql_add(s, text);
}

void sql_add_time_literal(struct sql *s, int64_t micros)
{
	char text[27];

	value_time_format(micros, text);
	sql_add_text_literal(s, text, strlen(text));
}

/* ---- tables ---- */

static void add_key_columns(struct sql *s, const struct key_def *k)
{
	sql_add(s, " (");
	sql_add_names(s, k->columns, k->ncolumns);
	sql_add(s, ")");
}

static void add_column(struct sql *s, const struct dialect *d, const struct column_def *c)
{
	sql_add_name(s, c->name);
	d->column_type(s, d, c);
}

static bool has_generated(const struct table_def *t)
{
	unsigned i;

	for (i = 0; i < t->ncolumns; i++)
		if (t->columns[i].generated)
			return true;
	return false;
}

static void add_foreign_key(struct sql *s, const struct table_def *t, const struct foreign_key_def *fk)
{
	static const char *const actions[] = {
		[FK_RESTRICT] = "RESTRICT",
		[FK_CASCADE] = "CASCADE",
		[FK_SET_NULL] = "SET NULL",
		[FK_OTHER] = "RESTRICT",
	};

	sql_add(s, ", CONSTRAINT ");
	sql_add_name(s, fk->columns.name);
	sql_add(s, " FOREIGN KEY");
	add_key_columns(s, &fk->columns);
	sql_add(s, " REFERENCES ");
	sql_add_name(s, fk->parent ? fk->parent->name : t->name);
	sql_add(s, " (");
	sql_add_names(s, fk->references, fk->columns.ncolumns);
	sql_addf(s, ") ON DELETE %s", actions[fk->on_delete]);
}

static void add_indexes(struct sql *s, const struct table_def *t)
{
	unsigned i;

	for (i = 0; i < t->nuniques + t->nindexes; i++) {
		bool unique = i < t->nuniques;
		const struct key_def *k = unique ? &t->uniques[i] : &t->indexes[i - t->nuniques];

		sql_add(s, unique ? ", UNIQUE INDEX " : ", INDEX ");
		sql_add_name(s, k->name);
		add_key_columns(s, k);
	}
}

void sql_create_table(struct sql *s, const struct dialect *d, const struct table_def *t)
{
	unsigned i;

	sql_clear(s);
	sql_add(s, "CREATE TABLE ");
	sql_add_name(s, t->name);
	sql_add(s, " (");
	for (i = 0; i < t->ncolumns; i++) {
		if (i)
			sql_add(s, ", ");
		add_column(s, d, &t->columns[i]);
	}
	if (!d->generated_is_primary_key || !has_generated(t)) {
		sql_add(s, ", PRIMARY KEY");
		add_key_columns(s, &t->primary_key);
	}
	if (d->indexes_in_table)
		add_indexes(s, t);
	for (i = 0; i < t->nforeign_keys; i++)
		add_foreign_key(s, t, &t->foreign_keys[i]);
	sql_add(s, ")");
	if (d->table_options)
		sql_add(s, d->table_options);
	sql_finish(s);
}

void sql_drop_table(struct sql *s, const struct dialect *d, const struct table *t)
{
	(void)d;
	sql_clear(s);
	sql_add(s, "DROP TABLE ");
	sql_add_name(s, t->name);
	sql_finish(s);
}

void sql_add_column(struct sql *s, const struct dialect *d, const struct table *t, const struct column_def *c)
{
	sql_clear(s);
	sql_add(s, "ALTER TABLE ");
	sql_add_name(s, t->name);
	sql_add(s, " ADD COLUMN ");
	add_column(s, d, c);
	sql_finish(s);
}

/* ---- indexes ---- */

void sql_create_index(struct sql *s, const struct dialect *d, const char *table, const struct key_def *k)
{
	(void)d;
	sql_clear(s);
	sql_add(s, k->unique ? "CREATE UNIQUE INDEX " : "CREATE INDEX ");
	sql_add_name(s, k->name);
	sql_add(s, " ON ");
	sql_add_name(s, table);
	add_key_columns(s, k);
	sql_finish(s);
}

void sql_drop_index(struct sql *s, const struct dialect *d, const struct table *t, const struct key *k)
{
	sql_clear(s);
	sql_add(s, "DROP INDEX ");
	sql_add_name(s, k->name);
	if (d->index_of_table) {
		sql_add(s, " ON ");
		sql_add_name(s, t->name);
	}
	sql_finish(s);
}

/* ---- rowd's own types ---- */

static void add_text_param(struct sql *s, const char *text)
{
	struct value v = value_text(text, strlen(text));

	sql_add_param(s, &v);
}

void sql_create_types(struct sql *s, const struct dialect *d)
{
	(void)d;
	sql_clear(s);
	sql_add(s, "CREATE TABLE IF NOT EXISTS ");
	sql_add_name(s, types_table);
	sql_add(s, " (\"table_name\" TEXT NOT NULL, \"column_name\" TEXT NOT NULL, \"type\" TEXT NOT NULL, "
		   "PRIMARY KEY (\"table_name\", \"column_name\")) STRICT, WITHOUT ROWID");
	sql_finish(s);
}

void sql_add_type(struct sql *s, const struct dialect *d, const char *table, const char *column,
		  const char *type)
{
	(void)d;
	sql_clear(s);
	sql_add(s, "INSERT INTO ");
	sql_add_name(s, types_table);
	sql_add(s, " (\"table_name\", \"column_name\", \"type\") VALUES (");
	add_text_param(s, table);
	sql_add(s, ", ");
	add_text_param(s, column);
	sql_add(s, ", ");
	add_text_param(s, type);
	sql_add(s, ")");
	sql_finish(s);
}

void sql_drop_types(struct sql *s, const struct dialect *d, const char *table)
{
	(void)d;
	sql_clear(s);
	sql_add(s, "DELETE FROM ");
	sql_add_name(s, types_table);
	sql_add(s, " WHERE \"table_name\" = ");
	add_text_param(s, table);
	sql_finish(s);
}
