/*
 * Reading a SQLite schema into a catalog: rowd's own tables as they were asked for (_rowd_columns
 * remembers the types that SQLite does not know), those of others as well as they can be read.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "daemon/db/sqlite_private.h"

enum { KEY_MOST = INDEX_MAX_COLUMNS * 2 };

/* The statements that read a schema; a table's name is parameter 1. */
enum query { TABLES, COLUMNS, KEYS, KEY_COLUMNS, FOREIGN_KEYS, TYPES, QUERIES };

static const char *const query_text[QUERIES] = {
	[TABLES] =
		("SELECT l.name, l.wr, l.strict, l.ncol, s.sql LIKE '%deferr%', t.n "
		"FROM pragma_table_list AS l "
		"JOIN main.sqlite_schema AS s ON s.name = l.name AND s.type = 'table' "
		"LEFT JOIN (SELECT lower(tbl_name) AS name, count(*) AS n FROM main.sqlite_schema "
		"WHERE type = 'trigger' GROUP BY 1) AS t ON t.name = lower(l.name) "
		"WHERE l.schema = 'main' AND l.type = 'table' AND substr(l.name, 1, 7) <> 'sqlite_'"),
	[COLUMNS] =
		"SELECT name, type, \"notnull\", dflt_value, pk, hidden FROM pragma_table_xinfo(?1, 'main')",
	[KEYS] =
		"SELECT name, \"unique\", origin, partial FROM pragma_index_list(?1, 'main') ORDER BY seq DESC",
	[KEY_COLUMNS] =
		"SELECT cid, desc, coll FROM pragma_index_xinfo(?1, 'main') WHERE key ORDER BY seqno",
	[FOREIGN_KEYS] =
		("SELECT id, \"table\", \"from\", \"to\", on_update, on_delete "
		"FROM pragma_foreign_key_list(?1, 'main') ORDER BY id DESC, seq"),
	[TYPES] =
		"SELECT column_name, type FROM main._rowd_columns WHERE table_name = ?1",
};

struct describing {
	struct sqlite_conn *conn;      /* borrowed */
	struct catalog *catalog;       /* owned until handed over */
	sqlite3_stmt *queries[QUERIES];/* owned; TYPES is NULL in a file rowd made no table in */
	struct err *err;               /* borrowed */
};

/* ---- small things ---- */

static enum rowd_code no_memory(struct describing *d)
{
	return err_set(d->err, ROWD_E_NO_RESOURCE, "memory ran out");
}

static const char *text_at(sqlite3_stmt *q, int i)
{
	const unsigned char *text = sqlite3_column_text(q, i);

	return text ? (const char *)text : "";
}

static bool is_text(const char *s)
{
	return utf8_valid(s, strlen(s), NULL);
}

static char *copy(struct describing *d, const char *text)
{
	return arena_strndup(catalog_arena(d->catalog), text, strlen(text));
}

/* A query, ready to step, about the table (or index) of that name. */
static sqlite3_stmt *ask_about(struct describing *d, enum query which, const char *name)
{
	sqlite3_stmt *q = d->queries[which];

	sqlite3_reset(q);
	sqlite3_bind_text(q, 1, name, -1, SQLITE_STATIC);
	return q;
}

/* The end of a query: what its last step said. */
static enum rowd_code answered(struct describing *d, sqlite3_stmt *q, int rc)
{
	enum rowd_code code = rc == SQLITE_DONE ? ROWD_OK : sqlite_fail(d->conn, rc, d->err);

	sqlite3_reset(q);
	return code;
}

/* How many rows a query answers. */
static enum rowd_code count_rows(struct describing *d, enum query which, const char *name, unsigned *out)
{
	sqlite3_stmt *q = ask_about(d, which, name);
	int rc;

	*out = 0;
	while ((rc = sqlite3_step(q)) == SQLITE_ROW)
		++*out;
	return answered(d, q, rc);
}

/* SQLite's names are blind to case. */
static struct column *find_column(const struct table *t, const char *name)
{
	unsigned i;

	for (i = 0; i < t->ncolumns; i++)
		if (strcasecmp(t->columns[i].name, name) == 0)
			return &t->columns[i];
	return NULL;
}

/* ---- types ---- */

enum storage { STORED_INTEGER, STORED_TEXT, STORED_BLOB, STORED_REAL, STORED_ANY };

/* SQLite's own rules for what a declared type means. */
static enum storage storage_of(const char *declared)
{
	if (strcasestr(declared, "INT"))
		return STORED_INTEGER;
	if (strcasestr(declared, "CHAR") || strcasestr(declared, "CLOB") || strcasestr(declared, "TEXT"))
		return STORED_TEXT;
	if (strcasestr(declared, "BLOB"))
		return STORED_BLOB;
	if (strcasestr(declared, "REAL") || strcasestr(declared, "FLOA") || strcasestr(declared, "DOUB"))
		return STORED_REAL;
	return STORED_ANY;
}

static struct type foreign_type(const char *declared)
{
	static const enum type_kind kinds[] = {
		[STORED_INTEGER] = TYPE_INT,
		[STORED_TEXT] = TYPE_TEXT,
		[STORED_BLOB] = TYPE_BYTES,
		[STORED_REAL] = TYPE_FLOAT,
		[STORED_ANY] = TYPE_ANY,
	};

	if (strcasecmp(declared, "BOOLEAN") == 0 || strcasecmp(declared, "BOOL") == 0)
		return (struct type){ .kind = TYPE_BOOL };
	return (struct type){ .kind = kinds[storage_of(declared)] };
}

static bool type_is_stored_as(const struct type *t, enum storage s)
{
	switch (t->kind) {
	case TYPE_INT:
	case TYPE_BOOL:
	case TYPE_DECIMAL:
		return s == STORED_INTEGER;
	case TYPE_FLOAT:
		return s == STORED_REAL;
	case TYPE_TEXT:
	case TYPE_TIME:
		return s == STORED_TEXT;
	case TYPE_BYTES:
		return s == STORED_BLOB;
	case TYPE_ANY:
		return false;
	}
	return false;
}

/* Give the columns the types rowd made them with; `typed` says which got one. */
static enum rowd_code apply_types(struct describing *d, struct table *t, bool *typed)
{
	unsigned applied = 0, remembered = 0, i;
	sqlite3_stmt *q;
	int rc;

	if (!d->queries[TYPES]) {
		catalog_add_reason(d->catalog, t, "rowd did not make it");
		return ROWD_OK;
	}
	q = ask_about(d, TYPES, t->name);
	for (; (rc = sqlite3_step(q)) == SQLITE_ROW; remembered++) {
		const struct column *found = table_column(t, text_at(q, 0), strlen(text_at(q, 0)));
		const char *name = text_at(q, 1);
		struct err ignored;
		struct type type;

		err_init(&ignored);
		if (!found || typed[found->position] || type_parse(name, strlen(name), &type, &ignored) ||
		    !type_is_stored_as(&type, storage_of(found->storage)))
			continue;
		t->columns[found->position].type = type;
		typed[found->position] = true;
		applied++;
	}
	if (rc == SQLITE_DONE && remembered == 0)
		catalog_add_reason(d->catalog, t, "rowd did not make it");
	else if (rc == SQLITE_DONE && (applied != t->ncolumns || remembered != t->ncolumns))
		for (i = 0; i < t->ncolumns; i++)
			if (!typed[i])
				catalog_add_reason(d->catalog, t, "column %s was made or altered by another program",
						   t->columns[i].name);
	if (rc == SQLITE_DONE && remembered > t->ncolumns)
		catalog_add_reason(d->catalog, t, "a column was dropped or renamed by another program");
	return answered(d, q, rc);
}

/* ---- columns ---- */

static enum rowd_code read_column(struct describing *d, struct table *t, struct column *column, sqlite3_stmt *q)
{
	int primary_key = sqlite3_column_int(q, 4), hidden = sqlite3_column_int(q, 5);

	column->name = copy(d, text_at(q, 0));
	column->storage = copy(d, is_text(text_at(q, 1)) ? text_at(q, 1) : "");
	if (!column->name || !column->storage)
		return no_memory(d);
	column->position = (unsigned)(column - t->columns);
	column->type = foreign_type(column->storage);
	column->nullable = !sqlite3_column_int(q, 2);
	column->computed = hidden != 0;
	if (primary_key > 0 && primary_key <= KEY_MOST)
		t->primary_key.columns[primary_key - 1] = column;
	if (primary_key > 0)
		t->primary_key.ncolumns++;
	return ROWD_OK;
}

/* The declared collation, and whether AUTOINCREMENT makes the values. */
static void read_column_nature(struct describing *d, struct table *t, struct column *column)
{
	const char *declared, *collation;
	int not_null, primary_key, autoincrement;

	if (sqlite3_table_column_metadata(d->conn->db, "main", t->name, column->name, &declared, &collation,
					  &not_null, &primary_key, &autoincrement) != SQLITE_OK)
		return;
	column->generated = autoincrement;
	if (collation && strcasecmp(collation, "BINARY") != 0)
		catalog_add_reason(d->catalog, t, "column %s compares by another collation", column->name);
}

/* How many columns there are, and whether all have names that can be told. */
static enum rowd_code survey_columns(struct describing *d, const char *table, unsigned *n_out, bool *nameable_out)
{
	sqlite3_stmt *q = ask_about(d, COLUMNS, table);
	int rc;

	*n_out = 0;
	*nameable_out = is_text(table);
	for (; (rc = sqlite3_step(q)) == SQLITE_ROW; ++*n_out)
		if (!is_text(text_at(q, 0)))
			*nameable_out = false;
	return answered(d, q, rc);
}

static enum rowd_code read_columns(struct describing *d, struct table *t, unsigned n)
{
	enum rowd_code code = ROWD_OK;
	sqlite3_stmt *q;
	unsigned i = 0;
	int rc;

	t->columns = arena_calloc(catalog_arena(d->catalog), n + 1, sizeof *t->columns);
	if (!t->columns)
		return no_memory(d);
	t->primary_key.plain = true;
	t->primary_key.unique = true;
	t->primary_key.constraint = true;
	q = ask_about(d, COLUMNS, t->name);
	for (; !code && (rc = sqlite3_step(q)) == SQLITE_ROW && i < n; i++)
		code = read_column(d, t, &t->columns[i], q);
	t->ncolumns = i;
	if (code) {
		sqlite3_reset(q);
		return code;
	}
	for (i = 0; i < t->ncolumns; i++)
		read_column_nature(d, t, &t->columns[i]);
	if (t->primary_key.ncolumns > KEY_MOST) {
		catalog_add_reason(d->catalog, t, "its primary key has more than %d columns", KEY_MOST);
		t->primary_key.ncolumns = 0;
	}
	return answered(d, q, rc);
}

/* Defaults are read when the types are known: 1250 is 12.50 in a decimal(10,2). */
static enum rowd_code read_defaults(struct describing *d, struct table *t)
{
	sqlite3_stmt *q = ask_about(d, COLUMNS, t->name);
	enum rowd_code code = ROWD_OK;
	unsigned i;
	int rc;

	for (i = 0; !code && (rc = sqlite3_step(q)) == SQLITE_ROW && i < t->ncolumns; i++)
		if (sqlite3_column_type(q, 3) != SQLITE_NULL && !t->columns[i].computed)
			code = sqlite_read_default(d->conn, catalog_arena(d->catalog), text_at(q, 3),
						   &t->columns[i], d->err);
	if (code) {
		sqlite3_reset(q);
		return code;
	}
	return answered(d, q, rc);
}

/* ---- keys ---- */

/* The columns of an index. *usable_out false: it has parts that are none, or too many. */
static enum rowd_code read_key_columns(struct describing *d, struct table *t, const char *index, struct key *key,
				       bool *usable_out)
{
	sqlite3_stmt *q = ask_about(d, KEY_COLUMNS, index);
	int rc;

	*usable_out = is_text(index);
	key->ncolumns = 0;
	while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
		int position = sqlite3_column_int(q, 0);

		if (sqlite3_column_int(q, 1) || strcasecmp(text_at(q, 2), "BINARY") != 0)
			key->plain = false;
		if (position < 0 || (unsigned)position >= t->ncolumns || key->ncolumns == KEY_MOST)
			*usable_out = false;
		else
			key->columns[key->ncolumns++] = &t->columns[position];
	}
	return answered(d, q, rc);
}

/* The index that SQLite made for the primary key says whether it is plain; its columns are known. */
static enum rowd_code read_primary_key(struct describing *d, struct table *t, const char *index, bool *has_index)
{
	struct key key = { .plain = true };
	bool usable;
	enum rowd_code code = read_key_columns(d, t, index, &key, &usable);

	t->primary_key.plain = key.plain;
	*has_index = true;
	return code;
}

static enum rowd_code read_key(struct describing *d, struct table *t, sqlite3_stmt *q)
{
	struct key key = {
		.unique = sqlite3_column_int(q, 1),
		.constraint = strcmp(text_at(q, 2), "c") != 0,
		.plain = !sqlite3_column_int(q, 3),
	};
	bool usable;
	enum rowd_code code;

	key.name = copy(d, text_at(q, 0));
	if (!key.name)
		return no_memory(d);
	code = read_key_columns(d, t, key.name, &key, &usable);
	if (!code && !usable)
		catalog_add_reason(d->catalog, t, "an index is on an expression, or on more than %d columns", KEY_MOST);
	if (code || !usable)
		return code;
	if (key.unique)
		t->uniques[t->nuniques++] = key;
	else
		t->indexes[t->nindexes++] = key;
	return ROWD_OK;
}

static enum rowd_code read_keys(struct describing *d, struct table *t, bool *has_primary_index)
{
	sqlite3_stmt *q;
	unsigned n;
	enum rowd_code code = count_rows(d, KEYS, t->name, &n);
	int rc;

	if (code)
		return code;
	t->uniques = arena_calloc(catalog_arena(d->catalog), n + 1, sizeof *t->uniques);
	t->indexes = arena_calloc(catalog_arena(d->catalog), n + 1, sizeof *t->indexes);
	if (!t->uniques || !t->indexes)
		return no_memory(d);
	q = ask_about(d, KEYS, t->name);
	while (!code && (rc = sqlite3_step(q)) == SQLITE_ROW && t->nuniques + t->nindexes < n)
		code = strcmp(text_at(q, 2), "pk") == 0 ? read_primary_key(d, t, text_at(q, 0), has_primary_index)
							: read_key(d, t, q);
	if (code) {
		sqlite3_reset(q);
		return code;
	}
	return answered(d, q, rc);
}

/*
 * A single INTEGER primary key without an index is the row's own number: never null, and made when
 * none is given. One that rowd made without AUTOINCREMENT was not meant to be.
 */
static void judge_row_number(struct describing *d, struct table *t, bool has_primary_index, const bool *typed)
{
	struct column *column;

	if (t->primary_key.ncolumns != 1 || has_primary_index)
		return;
	column = (struct column *)t->primary_key.columns[0];
	if (strcasecmp(column->storage, "INTEGER") != 0)
		return;
	column->nullable = false;
	if (!column->generated && !typed[column->position]) {
		column->generated = true;
		catalog_add_reason(d->catalog, t, "column %s may be given the number of a deleted row again", column->name);
	}
}

/* ---- foreign keys ---- */

static enum fk_action action_of(const char *words)
{
	if (strcasecmp(words, "RESTRICT") == 0 || strcasecmp(words, "NO ACTION") == 0)
		return FK_RESTRICT;
	if (strcasecmp(words, "CASCADE") == 0)
		return FK_CASCADE;
	if (strcasecmp(words, "SET NULL") == 0)
		return FK_SET_NULL;
	return FK_OTHER;
}

static enum rowd_code begin_foreign_key(struct describing *d, struct table *t, sqlite3_stmt *q, struct foreign_key *fk)
{
	*fk = (struct foreign_key){ .on_delete = action_of(text_at(q, 5)) };
	fk->parent_name = copy(d, text_at(q, 1));
	if (!fk->parent_name)
		return no_memory(d);
	if (strcasecmp(text_at(q, 5), "NO ACTION") == 0)
		catalog_add_reason(d->catalog, t, "the foreign key to %s is checked at the end of a statement",
				   fk->parent_name);
	if (action_of(text_at(q, 4)) != FK_RESTRICT)
		catalog_add_reason(d->catalog, t, "the foreign key to %s follows updates", fk->parent_name);
	return ROWD_OK;
}

/* *usable_out false: it has a column that is none of the table's, or too many. */
static enum rowd_code add_foreign_key_column(struct describing *d, struct table *t, sqlite3_stmt *q,
					     struct foreign_key *fk, bool *usable_out)
{
	const struct column *column = find_column(t, text_at(q, 2));

	*usable_out = column && fk->ncolumns < KEY_MOST && is_text(fk->parent_name);
	if (!*usable_out)
		return ROWD_OK;
	if (sqlite3_column_type(q, 3) != SQLITE_NULL) {
		fk->reference_names[fk->ncolumns] = copy(d, text_at(q, 3));
		if (!fk->reference_names[fk->ncolumns])
			return no_memory(d);
	}
	fk->columns[fk->ncolumns++] = column;
	return ROWD_OK;
}

/* One row for each column of each key; keys come in the order of the table's definition. */
static enum rowd_code read_foreign_keys(struct describing *d, struct table *t)
{
	sqlite3_stmt *q;
	struct foreign_key *fk = NULL;
	bool usable = true;
	unsigned n;
	enum rowd_code code = count_rows(d, FOREIGN_KEYS, t->name, &n);
	int rc, id = -1;

	if (code)
		return code;
	t->foreign_keys = arena_calloc(catalog_arena(d->catalog), n + 1, sizeof *t->foreign_keys);
	if (!t->foreign_keys)
		return no_memory(d);
	q = ask_about(d, FOREIGN_KEYS, t->name);
	while (!code && (rc = sqlite3_step(q)) == SQLITE_ROW) {
		if (!fk || sqlite3_column_int(q, 0) != id) {
			id = sqlite3_column_int(q, 0);
			fk = &t->foreign_keys[t->nforeign_keys++];
			usable = true;
			code = begin_foreign_key(d, t, q, fk);
		}
		if (!code && usable)
			code = add_foreign_key_column(d, t, q, fk, &usable);
		if (!code && !usable && fk == &t->foreign_keys[t->nforeign_keys - 1]) {
			catalog_add_reason(d->catalog, t, "a foreign key cannot be read");
			t->nforeign_keys--;
		}
	}
	if (code) {
		sqlite3_reset(q);
		return code;
	}
	return answered(d, q, rc);
}

/* ---- tables ---- */

/* Without a primary key a row is told by its number, under a name that no column hides. */
static const char *row_number_name(const struct table *t)
{
	static const char *const names[] = { "rowid", "_rowid_", "oid" };
	size_t i;

	for (i = 0; i < sizeof names / sizeof *names; i++)
		if (!find_column(t, names[i]))
			return names[i];
	return NULL;
}

static void judge_table(struct describing *d, struct table *t, sqlite3_stmt *q)
{
	bool without_row_number = sqlite3_column_int(q, 1);

	if (!t->primary_key.ncolumns && !without_row_number)
		t->row_id = row_number_name(t);
	if (!sqlite3_column_int(q, 2))
		catalog_add_reason(d->catalog, t, "it is not STRICT");
	if (sqlite3_column_int(q, 4))
		catalog_add_reason(d->catalog, t, "a constraint may be deferred");
	if (sqlite3_column_int(q, 5))
		catalog_add_reason(d->catalog, t, "it has triggers");
}

static enum rowd_code read_table(struct describing *d, sqlite3_stmt *q)
{
	struct table *t;
	bool *typed, nameable, has_primary_index = false;
	unsigned ncolumns;
	enum rowd_code code = survey_columns(d, text_at(q, 0), &ncolumns, &nameable);

	if (code || !nameable)
		return code;
	t = catalog_add_table(d->catalog, text_at(q, 0));
	typed = arena_calloc(catalog_arena(d->catalog), ncolumns + 1, sizeof *typed);
	if (!t || !typed)
		return no_memory(d);
	code = read_columns(d, t, ncolumns);
	if (!code)
		code = apply_types(d, t, typed);
	if (!code)
		code = read_defaults(d, t);
	if (!code)
		code = read_keys(d, t, &has_primary_index);
	if (code)
		return code;
	judge_row_number(d, t, has_primary_index || sqlite3_column_int(q, 1), typed);
	judge_table(d, t, q);
	return read_foreign_keys(d, t);
}

static enum rowd_code read_tables(struct describing *d)
{
	sqlite3_stmt *q = d->queries[TABLES];
	enum rowd_code code = ROWD_OK;
	int rc;

	while (!code && (rc = sqlite3_step(q)) == SQLITE_ROW)
		code = read_table(d, q);
	return code ? code : answered(d, q, rc);
}

/* Has rowd made a table in this file? Then _rowd_columns is a table of its own making. */
static enum rowd_code find_types(struct describing *d, bool *found_out)
{
	static const char text[] =
		"SELECT 1 FROM main.sqlite_schema WHERE type = 'table' AND name = '_rowd_columns'";
	sqlite3_stmt *q = NULL;
	int rc = sqlite3_prepare_v2(d->conn->db, text, -1, &q, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	*found_out = rc == SQLITE_ROW;
	sqlite3_finalize(q);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? ROWD_OK : sqlite_fail(d->conn, rc, d->err);
}

static enum rowd_code prepare_queries(struct describing *d)
{
	bool has_types;
	enum rowd_code code = find_types(d, &has_types);
	int i, rc;

	for (i = 0; !code && i < QUERIES; i++) {
		if (i == TYPES && !has_types)
			continue;
		rc = sqlite3_prepare_v2(d->conn->db, query_text[i], -1, &d->queries[i], NULL);
		if (rc == SQLITE_ERROR && i == TYPES)
			continue;    /* another's table of that name: it says nothing to us */
		if (rc != SQLITE_OK)
			code = sqlite_fail(d->conn, rc, d->err);
	}
	return code;
}

enum rowd_code sqlite_describe(void *conn, struct catalog **out, struct err *err)
{
	struct describing d = { .conn = conn, .err = err };
	enum rowd_code code;
	int rc, i;

	d.conn->stopped = d.conn->raised = ROWD_OK;
	rc = sqlite_read_version(d.conn);
	if (rc != SQLITE_OK)
		return sqlite_fail(d.conn, rc, err);
	d.catalog = catalog_new(d.conn->version);
	if (!d.catalog)
		return no_memory(&d);
	code = prepare_queries(&d);
	if (!code)
		code = read_tables(&d);
	for (i = 0; i < QUERIES; i++)
		sqlite3_finalize(d.queries[i]);
	if (code) {
		catalog_unref(d.catalog);
		return code;
	}
	*out = d.catalog;
	return ROWD_OK;
}
