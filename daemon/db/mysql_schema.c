/*
 * Reading the schema of a MySQL database into a catalog: rowd's own tables as they were asked for (the
 * comment of each column says its type), those of others as well as they can be read.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/db/mysql_private.h"
#include "daemon/db/mysql_schema.h"

enum { KEY_MOST = INDEX_MAX_COLUMNS * 2, FIRST_ROOM = 8 };

/* One table of information_schema to a statement: what comes to grief is little, and asked for again. */
static const char tables_query[] =
	"SELECT TABLE_NAME, ENGINE, TABLE_TYPE FROM information_schema.TABLES "
	"WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED')";

/* Counted once for all tables: asked for each by itself, they take the server a second for some hundred. */
static const char triggers_query[] =
	"SELECT EVENT_OBJECT_TABLE FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()";

static const char keys_query[] =
	"SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE, COLUMN_NAME, SUB_PART, COLLATION, INDEX_TYPE "
	"FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE() "
	"ORDER BY CHAR_LENGTH(INDEX_NAME), INDEX_NAME, SEQ_IN_INDEX";

static const char foreign_keys_query[] =
	"SELECT TABLE_NAME, CONSTRAINT_NAME, REFERENCED_TABLE_NAME, DELETE_RULE, UPDATE_RULE, "
	"IF(UNIQUE_CONSTRAINT_SCHEMA = CONSTRAINT_SCHEMA, '', UNIQUE_CONSTRAINT_SCHEMA) "
	"FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE() "
	"ORDER BY CHAR_LENGTH(CONSTRAINT_NAME), CONSTRAINT_NAME";

static const char foreign_key_columns_query[] =
	"SELECT TABLE_NAME, CONSTRAINT_NAME, COLUMN_NAME, REFERENCED_COLUMN_NAME "
	"FROM information_schema.KEY_COLUMN_USAGE "
	"WHERE TABLE_SCHEMA = DATABASE() AND REFERENCED_TABLE_NAME IS NOT NULL ORDER BY ORDINAL_POSITION";

/* ---- small things ---- */

static enum rowd_code no_memory(struct describing *d)
{
	return err_set(d->err, ROWD_E_NO_RESOURCE, "memory ran out");
}

bool mydb_text_is(const struct value *v, const char *text)
{
	return v->kind == VALUE_TEXT && v->u.s.len == strlen(text) &&
	       strncasecmp(v->u.s.data, text, v->u.s.len) == 0;
}

bool mydb_text_has(const struct value *v, const char *text)
{
	return v->kind == VALUE_TEXT && memmem(v->u.s.data, v->u.s.len, text, strlen(text)) != NULL;
}

int64_t mydb_number_of(const struct value *v)
{
	return v->kind == VALUE_INT ? v->u.i : 0;
}

char *mydb_copy(struct describing *d, const struct value *v)
{
	bool text = v->kind == VALUE_TEXT;

	return arena_strndup(catalog_arena(d->catalog), text ? v->u.s.data : "", text ? v->u.s.len : 0);
}

/* Room for one more of n elements in an array of the catalog: as many again, whenever it is full. */
static bool grow(struct describing *d, void *array_io, unsigned n, size_t size)
{
	void *old, *grown;

	if (n != 0 && (n < FIRST_ROOM || (n & (n - 1)) != 0))
		return true;
	grown = arena_calloc(catalog_arena(d->catalog), n ? (size_t)n * 2 : FIRST_ROOM, size);
	if (!grown)
		return false;
	memcpy(&old, array_io, sizeof old);
	if (n)
		memcpy(grown, old, n * size);
	memcpy(array_io, &grown, sizeof grown);
	return true;
}

static int building_compare(const void *x, const void *y)
{
	const struct building *a = x, *b = y;

	return strcmp(a->table->name, b->table->name);
}

/* The table that a row of a query is about; NULL when it is about none of ours. */
static struct building *find_building(struct describing *d, const struct value *name)
{
	size_t low = 0, high = d->nbuildings;

	if (name->kind != VALUE_TEXT)
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *other = d->buildings[middle].table->name;
		int order = strncmp(other, name->u.s.data, name->u.s.len);

		if (order == 0)
			order = other[name->u.s.len] != '\0';
		if (order == 0)
			return &d->buildings[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

typedef enum rowd_code row_fn(struct describing *d, const struct value *row);

/* Hand every row of a query to fn: ncolumns texts and ints. */
static enum rowd_code for_each(struct describing *d, const char *text, size_t ncolumns, row_fn *fn)
{
	struct type types[DESCRIBE_COLUMNS_MOST];
	struct value row[DESCRIBE_COLUMNS_MOST];
	struct mydb_stmt *s;
	bool has_row;
	size_t i;
	enum rowd_code rc;

	for (i = 0; i < ncolumns; i++)
		types[i] = (struct type){ .kind = TYPE_TEXT };
	rc = mydb_ask(d->conn, text, NULL, 0, types, ncolumns, &s, d->err);
	while (!rc && !(rc = mydb_step(d->conn, s, row, &has_row, d->err)) && has_row)
		rc = fn(d, row);
	mydb_answered(d->conn, s);
	return rc;
}

/* ---- tables ---- */

enum { TABLE_NAME, TABLE_ENGINE, TABLE_KIND, TABLE_COLUMNS };

static void judge_engine(struct describing *d, struct table *t, const struct value *engine)
{
	static const char *const transactional[] = { "InnoDB", "ROCKSDB", "TokuDB", "ndbcluster" };
	size_t i;

	if (mydb_text_is(engine, transactional[0]))
		return;
	for (i = 1; i < sizeof transactional / sizeof *transactional; i++)
		if (mydb_text_is(engine, transactional[i])) {
			catalog_add_reason(d->catalog, t, "its engine is not InnoDB");
			return;
		}
	t->writable = t->transactional = false;
	catalog_add_reason(d->catalog, t, "its engine knows no transactions");
}

static enum rowd_code add_table(struct describing *d, const struct value *row)
{
	struct building *grown;
	struct table *t;
	char *name = mydb_copy(d, &row[TABLE_NAME]);

	if (row[TABLE_NAME].kind != VALUE_TEXT)
		return ROWD_OK;
	t = name ? catalog_add_table(d->catalog, name) : NULL;
	grown = reallocarray(d->buildings, d->nbuildings + 1, sizeof *grown);
	if (grown)
		d->buildings = grown;
	if (!t || !grown)
		return no_memory(d);
	d->buildings[d->nbuildings++] = (struct building){ .table = t };
	t->primary_key = (struct key){ .unique = true, .constraint = true, .plain = true };
	judge_engine(d, t, &row[TABLE_ENGINE]);
	if (!mydb_text_is(&row[TABLE_KIND], "BASE TABLE"))
		catalog_add_reason(d->catalog, t, "it keeps its history");
	return ROWD_OK;
}

static enum rowd_code note_trigger(struct describing *d, const struct value *row)
{
	struct building *b = find_building(d, row);

	if (b && !b->has_triggers)
		catalog_add_reason(d->catalog, b->table, "it has triggers");
	if (b)
		b->has_triggers = true;
	return ROWD_OK;
}

/* ---- columns ---- */

static enum rowd_code add_column(struct describing *d, const struct value *row)
{
	struct building *b = find_building(d, &row[COLUMN_TABLE]);
	struct column *column;
	struct table *t;

	if (!b)
		return ROWD_OK;
	t = b->table;
	if (!grow(d, &t->columns, t->ncolumns, sizeof *t->columns) ||
	    !grow(d, &b->nature, t->ncolumns, sizeof *b->nature))
		return no_memory(d);
	column = &t->columns[t->ncolumns];
	column->name = mydb_copy(d, &row[COLUMN_NAME]);
	column->storage = mydb_copy(d, &row[COLUMN_WORDS]);
	if (!column->name || !column->storage)
		return no_memory(d);
	column->position = t->ncolumns;
	column->nullable = mydb_text_is(&row[COLUMN_NULLABLE], "YES");
	b->nature[t->ncolumns] = mydb_judge_column(d, b, column, row);
	return mydb_judge_default(d, row, column, &b->nature[t->ncolumns++]);
}

/* What the columns say together: is the table rowd's? */
static void judge_columns(struct describing *d, struct building *b)
{
	struct table *t = b->table;
	unsigned i;

	if (b->ntyped == 0)
		catalog_add_reason(d->catalog, t, "rowd did not make it");
	for (i = 0; b->ntyped && i < t->ncolumns; i++)
		if (!b->nature[i].typed)
			catalog_add_reason(d->catalog, t, "column %s was made or altered by another program",
					   t->columns[i].name);
	for (i = 0; i < t->ncolumns; i++)
		mydb_judge_storage(d, t, &t->columns[i], &b->nature[i]);
}

/* ---- keys ---- */

enum { KEY_TABLE, KEY_NAME, KEY_NOT_UNIQUE, KEY_COLUMN, KEY_PART, KEY_ORDER, KEY_KIND, KEY_COLUMNS };

/* Column names of MySQL are blind to case. */
static const struct column *find_column(const struct table *t, const struct value *name)
{
	unsigned i;

	for (i = 0; i < t->ncolumns; i++)
		if (mydb_text_is(name, t->columns[i].name))
			return &t->columns[i];
	return NULL;
}

/* The key that a row is about: the last one begun, or a new one. */
static struct key *building_key(struct describing *d, struct building *b, const struct value *row)
{
	struct table *t = b->table;
	bool unique = mydb_number_of(&row[KEY_NOT_UNIQUE]) == 0;
	struct key **array = unique ? &t->uniques : &t->indexes;
	unsigned *n = unique ? &t->nuniques : &t->nindexes;

	if (mydb_text_is(&row[KEY_NAME], "PRIMARY"))
		return &t->primary_key;
	if (b->key_name && mydb_text_is(&row[KEY_NAME], b->key_name))
		return b->key_skipped ? NULL : &(*array)[*n - 1];
	b->key_skipped = false;
	b->key_name = mydb_copy(d, &row[KEY_NAME]);
	if (!b->key_name || !grow(d, array, *n, sizeof **array))
		return NULL;
	(*array)[*n] = (struct key){ .name = b->key_name, .unique = unique, .plain = true };
	return &(*array)[(*n)++];
}

/* A key that cannot be told is none; the primary key then has no columns. */
static void skip_key(struct describing *d, struct building *b, struct key *key)
{
	struct table *t = b->table;

	catalog_add_reason(d->catalog, t, "an index is on an expression, or on more than %d columns",
			   KEY_MOST);
	if (key == &t->primary_key) {
		b->key_is_odd = true;
		return;
	}
	b->key_skipped = true;
	if (key->unique)
		t->nuniques--;
	else
		t->nindexes--;
}

static enum rowd_code add_key_column(struct describing *d, const struct value *row)
{
	struct building *b = find_building(d, &row[KEY_TABLE]);
	const struct column *column;
	struct key *key;

	if (!b)
		return ROWD_OK;
	key = building_key(d, b, row);
	if (!key)
		return b->key_skipped ? ROWD_OK : no_memory(d);
	column = find_column(b->table, &row[KEY_COLUMN]);
	if (!column || key->ncolumns == KEY_MOST) {
		skip_key(d, b, key);
		return ROWD_OK;
	}
	if (row[KEY_PART].kind != VALUE_NULL || mydb_text_is(&row[KEY_ORDER], "D") ||
	    !mydb_text_is(&row[KEY_KIND], "BTREE"))
		key->plain = false;
	key->columns[key->ncolumns++] = column;
	return ROWD_OK;
}

/* ---- foreign keys ---- */

enum { FK_TABLE, FK_NAME, FK_PARENT, FK_DELETE, FK_UPDATE, FK_SCHEMA, FK_COLUMNS };
enum { FKC_TABLE, FKC_NAME, FKC_COLUMN, FKC_REFERENCE, FKC_COLUMNS };

static enum fk_action action_of(const struct value *words)
{
	if (mydb_text_is(words, "RESTRICT") || mydb_text_is(words, "NO ACTION"))
		return FK_RESTRICT;
	if (mydb_text_is(words, "CASCADE"))
		return FK_CASCADE;
	if (mydb_text_is(words, "SET NULL"))
		return FK_SET_NULL;
	return FK_OTHER;
}

/* A parent in another database is called by both names, and found in none. */
static char *parent_name(struct describing *d, const struct value *row)
{
	const struct value *schema = &row[FK_SCHEMA], *name = &row[FK_PARENT];

	if (schema->kind == VALUE_TEXT && schema->u.s.len && name->kind == VALUE_TEXT)
		return arena_printf(catalog_arena(d->catalog), "%.*s.%.*s", (int)schema->u.s.len,
				    schema->u.s.data, (int)name->u.s.len, name->u.s.data);
	return mydb_copy(d, name);
}

static enum rowd_code add_foreign_key(struct describing *d, const struct value *row)
{
	struct building *b = find_building(d, &row[FK_TABLE]);
	struct foreign_key *fk;
	struct table *t;

	if (!b)
		return ROWD_OK;
	t = b->table;
	if (!grow(d, &t->foreign_keys, t->nforeign_keys, sizeof *t->foreign_keys) ||
	    !grow(d, &b->foreign_key_names, t->nforeign_keys, sizeof *b->foreign_key_names))
		return no_memory(d);
	fk = &t->foreign_keys[t->nforeign_keys];
	*fk = (struct foreign_key){ .on_delete = action_of(&row[FK_DELETE]),
				    .parent_name = parent_name(d, row) };
	b->foreign_key_names[t->nforeign_keys] = mydb_copy(d, &row[FK_NAME]);
	if (!fk->parent_name || !b->foreign_key_names[t->nforeign_keys])
		return no_memory(d);
	t->nforeign_keys++;
	if (action_of(&row[FK_UPDATE]) != FK_RESTRICT)
		catalog_add_reason(d->catalog, t, "the foreign key to %s follows updates", fk->parent_name);
	return ROWD_OK;
}

static enum rowd_code add_foreign_key_column(struct describing *d, const struct value *row)
{
	struct building *b = find_building(d, &row[FKC_TABLE]);
	const struct column *column;
	struct foreign_key *fk;
	unsigned i;

	for (i = 0; b && i < b->table->nforeign_keys; i++)
		if (mydb_text_is(&row[FKC_NAME], b->foreign_key_names[i]))
			break;
	if (!b || i == b->table->nforeign_keys)
		return ROWD_OK;
	fk = &b->table->foreign_keys[i];
	column = find_column(b->table, &row[FKC_COLUMN]);
	if (!column || fk->ncolumns == KEY_MOST) {
		catalog_add_reason(d->catalog, b->table, "a foreign key cannot be read");
		return ROWD_OK;
	}
	fk->reference_names[fk->ncolumns] = mydb_copy(d, &row[FKC_REFERENCE]);
	if (!fk->reference_names[fk->ncolumns])
		return no_memory(d);
	fk->columns[fk->ncolumns++] = column;
	return ROWD_OK;
}

/* ---- all of it ---- */

static enum rowd_code read_all(struct describing *d)
{
	size_t i;
	enum rowd_code rc = for_each(d, tables_query, TABLE_COLUMNS, add_table);

	if (!rc && d->nbuildings)
		qsort(d->buildings, d->nbuildings, sizeof *d->buildings, building_compare);
	if (!rc)
		rc = for_each(d, triggers_query, 1, note_trigger);
	if (!rc)
		rc = for_each(d, mydb_columns_query, COLUMN_COLUMNS, add_column);
	for (i = 0; !rc && i < d->nbuildings; i++)
		judge_columns(d, &d->buildings[i]);
	if (!rc)
		rc = for_each(d, keys_query, KEY_COLUMNS, add_key_column);
	if (!rc)
		rc = for_each(d, foreign_keys_query, FK_COLUMNS, add_foreign_key);
	if (!rc)
		rc = for_each(d, foreign_key_columns_query, FKC_COLUMNS, add_foreign_key_column);
	for (i = 0; !rc && i < d->nbuildings; i++) {
		if (d->buildings[i].key_is_odd)
			d->buildings[i].table->primary_key.ncolumns = 0;
		rc = mydb_ask_defaults(d, &d->buildings[i]);
	}
	return rc;
}

/* The version is taken first: what changes meanwhile makes another one. */
static enum rowd_code describe(struct describing *d)
{
	uint64_t generation = mydb_version_generation(d->conn);
	int64_t version;
	enum rowd_code rc = mydb_version_read(d->conn, &version, d->err);

	if (rc)
		return rc;
	d->catalog = catalog_new(version);
	if (!d->catalog)
		return no_memory(d);
	rc = read_all(d);
	free(d->buildings);
	if (!rc)
		mydb_version_tell(d->conn, version, generation);
	return rc;
}

static enum rowd_code describe_once(struct mydb_conn *c, struct catalog **out, struct err *err)
{
	struct describing d = { .conn = c, .err = err };
	bool aside = mydb_step_aside(c);
	enum rowd_code rc = describe(&d);

	mydb_step_back(c, aside);
	if (rc)
		catalog_unref(d.catalog);
	else
		*out = d.catalog;
	return rc;
}

enum rowd_code mydb_describe(void *conn, struct catalog **out, struct err *err)
{
	enum rowd_code rc = ROWD_E_INTERNAL;

	for (int i = 0; i < MYDB_ASK_AGAIN && mydb_fell_over(rc, err, i); i++)
		rc = describe_once(conn, out, err);
	return rc;
}
