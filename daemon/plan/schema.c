#include "config.h"

#include "daemon/plan/schema.h"

#include <stdio.h>
#include <string.h>

/* What is being read, and where what comes of it goes. */
struct reading {
	const struct schema_context *ctx;
	const char *table; /* for errors */
	struct err *err;
};

/* ---- maps of a fixed shape ---- */

enum field_kind { FIELD_STR, FIELD_BOOL, FIELD_ARRAY, FIELD_VALUE };

struct field {
	const char *name;
	enum field_kind kind;
	bool required;
};

enum { FIELDS_MOST = 5 };

static bool str_is(const msgpack_object *o, const char *s)
{
	size_t len = strlen(s);

	return o->type == MSGPACK_OBJECT_STR && o->via.str.size == len && memcmp(o->via.str.ptr, s, len) == 0;
}

static const char *str_start(const msgpack_object *o)
{
	return o->via.str.size > 0 ? o->via.str.ptr : "";
}

static bool field_fits(const struct field *f, const msgpack_object *o)
{
	switch (f->kind) {
	case FIELD_STR:
		return o->type == MSGPACK_OBJECT_STR;
	case FIELD_BOOL:
		return o->type == MSGPACK_OBJECT_BOOLEAN;
	case FIELD_ARRAY:
		return o->type == MSGPACK_OBJECT_ARRAY;
	case FIELD_VALUE:
		return true;
	}
	return false;
}

static const char *field_words(const struct field *f)
{
	static const char *const words[] = {
		[FIELD_STR] = "a str",
		[FIELD_BOOL] = "true or false",
		[FIELD_ARRAY] = "an array",
		[FIELD_VALUE] = "a value",
	};

	return words[f->kind];
}

/* Put a map's values in the places of their fields; NULL where one is not given. */
static enum rowd_code read_fields(const struct reading *r, const char *what, const msgpack_object *o,
				  const struct field *fields, unsigned n, const msgpack_object **out)
{
	uint32_t i;
	unsigned k;

	if (o->type != MSGPACK_OBJECT_MAP)
		return err_set(r->err, ROWD_E_BAD_REQUEST, "%s is a map, %s came", what, wire_kind_name(o));
	for (i = 0; i < o->via.map.size; i++) {
		const msgpack_object_kv *kv = &o->via.map.ptr[i];

		for (k = 0; k < n && !str_is(&kv->key, fields[k].name); k++)
			;
		if (k == n)
			return err_set(r->err, ROWD_E_BAD_REQUEST, "%s has a key that means nothing", what);
		if (!field_fits(&fields[k], &kv->val))
			return err_set(r->err, ROWD_E_BAD_REQUEST, "%s of %s is %s, %s came", fields[k].name,
				       what, field_words(&fields[k]), wire_kind_name(&kv->val));
		out[k] = &kv->val;
	}
	for (k = 0; k < n; k++)
		if (fields[k].required && !out[k])
			return err_set(r->err, ROWD_E_BAD_REQUEST, "%s lacks %s", what, fields[k].name);
	return ROWD_OK;
}

static enum rowd_code no_memory(const struct reading *r)
{
	return err_set(r->err, ROWD_E_NO_RESOURCE, "no memory for the definition");
}

/* n elements, cleared; n may be 0. */
static void *array_new(const struct reading *r, size_t n, size_t size)
{
	return arena_calloc(r->ctx->arena, n + 1, size);
}

/* ---- columns ---- */

enum { COLUMN_NAME, COLUMN_TYPE, COLUMN_NULL, COLUMN_DEFAULT, COLUMN_AUTO, COLUMN_FIELDS };

static const struct field column_fields[COLUMN_FIELDS] = {
	[COLUMN_NAME] = { "name", FIELD_STR, true },   [COLUMN_TYPE] = { "type", FIELD_STR, true },
	[COLUMN_NULL] = { "null", FIELD_BOOL, false }, [COLUMN_DEFAULT] = { "default", FIELD_VALUE, false },
	[COLUMN_AUTO] = { "auto", FIELD_BOOL, false },
};

static bool flag_of(const msgpack_object *o, bool otherwise)
{
	return o ? o->via.boolean : otherwise;
}

/* nil is no default, as describe has it. */
static enum rowd_code read_default(const struct reading *r, const msgpack_object *o, struct column_def *c)
{
	enum rowd_code rc;

	c->dflt = value_null();
	if (!o || o->type == MSGPACK_OBJECT_NIL)
		return ROWD_OK;
	if ((c->type.kind == TYPE_TEXT || c->type.kind == TYPE_BYTES) && c->type.length == 0)
		return err_set(r->err, ROWD_E_NOT_PORTABLE,
			       "text and bytes without a length have no default");
	rc = value_from_wire(o, &c->type, (size_t)r->ctx->limits->value_bytes, true, &c->dflt, r->err);
	c->has_default = !rc;
	return rc;
}

static enum rowd_code read_column(const struct reading *r, const msgpack_object *o, struct column_def *out)
{
	const msgpack_object *f[COLUMN_FIELDS] = { NULL };
	const msgpack_object_str *type;
	enum rowd_code rc = read_fields(r, "a column", o, column_fields, COLUMN_FIELDS, f);

	if (rc)
		return rc;
	rc = schema_check_name("column", str_start(f[COLUMN_NAME]), f[COLUMN_NAME]->via.str.size, r->err);
	if (rc)
		return rc;
	out->name = arena_strndup(r->ctx->arena, str_start(f[COLUMN_NAME]), f[COLUMN_NAME]->via.str.size);
	if (!out->name)
		return no_memory(r);
	type = &f[COLUMN_TYPE]->via.str;
	rc = type_parse(str_start(f[COLUMN_TYPE]), type->size, &out->type, r->err);
	if (!rc && out->type.kind == TYPE_ANY)
		rc = err_set(r->err, ROWD_E_SCHEMA_INVALID, "there is no type \"any\" to make columns of");
	out->nullable = flag_of(f[COLUMN_NULL], true);
	out->generated = flag_of(f[COLUMN_AUTO], false);
	if (!rc)
		rc = read_default(r, f[COLUMN_DEFAULT], out);
	if (rc)
		err_where(r->err, r->table, out->name);
	return rc;
}

static enum rowd_code read_columns(const struct reading *r, const msgpack_object *o, struct table_def *d)
{
	enum rowd_code rc = ROWD_OK;
	uint32_t i;

	if (o->via.array.size > TABLE_MAX_COLUMNS)
		return err_limit(r->err, TABLE_MAX_COLUMNS, "the number of columns");
	d->columns = array_new(r, o->via.array.size, sizeof *d->columns);
	if (!d->columns)
		return no_memory(r);
	for (i = 0; i < o->via.array.size && !rc; i++)
		rc = read_column(r, &o->via.array.ptr[i], &d->columns[i]);
	d->ncolumns = o->via.array.size;
	return rc;
}

/* A primary key is never null, whether or not that was said; that it may be must not be said. */
static enum rowd_code settle_primary_key(const struct reading *r, const msgpack_object *columns,
					 struct table_def *d)
{
	const msgpack_object *f[COLUMN_FIELDS];
	enum rowd_code rc;
	unsigned i, k;

	for (i = 0; i < d->ncolumns; i++)
		for (k = 0; k < d->primary_key.ncolumns; k++) {
			if (strcmp(d->columns[i].name, d->primary_key.columns[k]) != 0)
				continue;
			memset(f, 0, sizeof f);
			rc = read_fields(r, "a column", &columns->via.array.ptr[i], column_fields,
					 COLUMN_FIELDS, f);
			if (!rc && flag_of(f[COLUMN_NULL], false))
				rc = err_set(r->err, ROWD_E_SCHEMA_INVALID,
					     "a column of the primary key cannot be null");
			if (rc) {
				err_where(r->err, r->table, d->columns[i].name);
				return rc;
			}
			d->columns[i].nullable = false;
		}
	return ROWD_OK;
}

/* ---- keys ---- */

static enum rowd_code unknown_column(const struct reading *r, const msgpack_object *name)
{
	char text[ERR_NAME_BYTES] = "";
	size_t len = name->via.str.size < sizeof text ? name->via.str.size : sizeof text - 1;

	memcpy(text, str_start(name), len);
	err_set(r->err, ROWD_E_UNKNOWN_COLUMN, "table %s has no column \"%s\"", r->table, text);
	err_where(r->err, r->table, text);
	return ROWD_E_UNKNOWN_COLUMN;
}

static const char *own_column(const struct table_def *d, const msgpack_object *name)
{
	unsigned i;

	for (i = 0; i < d->ncolumns; i++)
		if (str_is(name, d->columns[i].name))
			return d->columns[i].name;
	return NULL;
}

static enum rowd_code check_names(const struct reading *r, const char *what, const msgpack_object *o)
{
	uint32_t i;

	if (o->type != MSGPACK_OBJECT_ARRAY)
		return err_set(r->err, ROWD_E_BAD_REQUEST, "%s is an array of columns, %s came", what,
			       wire_kind_name(o));
	if (o->via.array.size == 0)
		return err_set(r->err, ROWD_E_SCHEMA_INVALID, "%s has no columns", what);
	if (o->via.array.size > INDEX_MAX_COLUMNS)
		return err_limit(r->err, INDEX_MAX_COLUMNS, "the number of columns of %s", what);
	for (i = 0; i < o->via.array.size; i++)
		if (o->via.array.ptr[i].type != MSGPACK_OBJECT_STR)
			return err_set(r->err, ROWD_E_BAD_REQUEST, "%s has a column that is no str", what);
	return ROWD_OK;
}

/* The columns of d that o names, in its order. what is for errors: "the primary key". */
static enum rowd_code read_key(const struct reading *r, const struct table_def *d, const char *what,
			       const msgpack_object *o, struct key_def *out)
{
	enum rowd_code rc = check_names(r, what, o);
	unsigned k;

	out->ncolumns = 0;
	for (; !rc && out->ncolumns < o->via.array.size; out->ncolumns++) {
		const msgpack_object *name = &o->via.array.ptr[out->ncolumns];
		const char *column = own_column(d, name);

		if (!column)
			return unknown_column(r, name);
		for (k = 0; k < out->ncolumns; k++)
			if (out->columns[k] == column)
				return err_set(r->err, ROWD_E_SCHEMA_INVALID, "%s has column %s twice", what,
					       column);
		out->columns[out->ncolumns] = column;
	}
	return rc;
}

static enum rowd_code read_keys(const struct reading *r, const struct table_def *d, const msgpack_object *o,
				bool unique, struct key_def **out, unsigned *n_out)
{
	uint32_t n = o ? o->via.array.size : 0, i;
	enum rowd_code rc = ROWD_OK;

	if (n > TABLE_MAX_INDEXES)
		return err_limit(r->err, TABLE_MAX_INDEXES, "the number of indexes");
	/* room for those that foreign keys will need */
	*out = array_new(r, n + TABLE_MAX_INDEXES, sizeof **out);
	if (!*out)
		return no_memory(r);
	for (i = 0; i < n && !rc; i++) {
		rc = read_key(r, d, unique ? "a unique key" : "an index", &o->via.array.ptr[i], &(*out)[i]);
		(*out)[i].unique = unique;
	}
	*n_out = n;
	return rc;
}

/* ---- foreign keys ---- */

enum { FK_COLUMNS, FK_TABLE, FK_REFERENCES, FK_ON_DELETE, FK_FIELDS };

static const struct field foreign_key_fields[FK_FIELDS] = {
	[FK_COLUMNS] = { "columns", FIELD_ARRAY, true },
	[FK_TABLE] = { "table", FIELD_STR, true },
	[FK_REFERENCES] = { "references", FIELD_ARRAY, true },
	[FK_ON_DELETE] = { "on_delete", FIELD_STR, false },
};

static enum rowd_code read_action(const struct reading *r, const msgpack_object *o, enum fk_action *out)
{
	*out = FK_RESTRICT;
	if (!o || str_is(o, "restrict"))
		return ROWD_OK;
	*out = str_is(o, "cascade") ? FK_CASCADE : FK_SET_NULL;
	if (*out == FK_SET_NULL && !str_is(o, "set_null"))
		return err_set(r->err, ROWD_E_SCHEMA_INVALID, "on_delete is restrict, cascade or set_null");
	return ROWD_OK;
}

static enum rowd_code read_parent(const struct reading *r, const struct table_def *d, const msgpack_object *o,
				  struct foreign_key_def *out)
{
	char text[ERR_NAME_BYTES] = "";
	size_t len = o->via.str.size < sizeof text ? o->via.str.size : sizeof text - 1;

	if (str_is(o, d->name))
		return ROWD_OK;
	out->parent = catalog_find(r->ctx->catalog, str_start(o), o->via.str.size);
	if (out->parent)
		return ROWD_OK;
	memcpy(text, str_start(o), len);
	err_set(r->err, ROWD_E_UNKNOWN_TABLE,
		"a foreign key refers to a table of the same database; there is no \"%s\"", text);
	err_where(r->err, text, NULL);
	return ROWD_E_UNKNOWN_TABLE;
}

static enum rowd_code read_references(const struct reading *r, const struct table_def *d,
				      const msgpack_object *o, struct foreign_key_def *fk)
{
	enum rowd_code rc = check_names(r, "references", o);
	unsigned i;

	if (!rc && o->via.array.size != fk->columns.ncolumns)
		rc = err_set(r->err, ROWD_E_SCHEMA_INVALID, "a foreign key of %u columns refers to %u",
			     fk->columns.ncolumns, (unsigned)o->via.array.size);
	for (i = 0; i < fk->columns.ncolumns && !rc; i++) {
		const msgpack_object *name = &o->via.array.ptr[i];
		const struct column *column = NULL;

		if (fk->parent)
			column = table_column(fk->parent, str_start(name), name->via.str.size);
		fk->references[i] = fk->parent ? (column ? column->name : NULL) : own_column(d, name);
		if (!fk->references[i]) {
			const struct reading parent = { r->ctx, fk->parent ? fk->parent->name : d->name,
							r->err };

			rc = unknown_column(&parent, name);
		}
	}
	return rc;
}

static enum rowd_code read_foreign_key(const struct reading *r, const struct table_def *d,
				       const msgpack_object *o, struct foreign_key_def *out)
{
	const msgpack_object *f[FK_FIELDS] = { NULL };
	enum rowd_code rc = read_fields(r, "a foreign key", o, foreign_key_fields, FK_FIELDS, f);

	if (!rc)
		rc = read_key(r, d, "a foreign key", f[FK_COLUMNS], &out->columns);
	if (!rc)
		rc = read_parent(r, d, f[FK_TABLE], out);
	if (!rc)
		rc = read_references(r, d, f[FK_REFERENCES], out);
	if (!rc)
		rc = read_action(r, f[FK_ON_DELETE], &out->on_delete);
	return rc ? rc : schema_check_foreign_key(r->ctx, d, out, r->err);
}

static enum rowd_code read_foreign_keys(const struct reading *r, const msgpack_object *o, struct table_def *d)
{
	uint32_t n = o ? o->via.array.size : 0, i;
	enum rowd_code rc = ROWD_OK;

	if (n > TABLE_MAX_INDEXES)
		return err_limit(r->err, TABLE_MAX_INDEXES, "the number of foreign keys");
	d->foreign_keys = array_new(r, n, sizeof *d->foreign_keys);
	if (!d->foreign_keys)
		return no_memory(r);
	for (i = 0; i < n && !rc; i++)
		rc = read_foreign_key(r, d, &o->via.array.ptr[i], &d->foreign_keys[i]);
	d->nforeign_keys = n;
	return rc;
}

/* ---- indexes of foreign keys, names of keys ---- */

static bool key_begins_with(const struct key_def *k, const struct key_def *columns)
{
	unsigned i;

	if (k->ncolumns < columns->ncolumns)
		return false;
	for (i = 0; i < columns->ncolumns; i++)
		if (strcmp(k->columns[i], columns->columns[i]) != 0)
			return false;
	return true;
}

/* Without an index on the child's columns every delete of a parent reads the whole child; MySQL would
 * make one of its own. */
static void add_foreign_key_index(struct table_def *d, const struct key_def *columns)
{
	bool served = key_begins_with(&d->primary_key, columns);
	unsigned i;

	for (i = 0; i < d->nuniques && !served; i++)
		served = key_begins_with(&d->uniques[i], columns);
	for (i = 0; i < d->nindexes && !served; i++)
		served = key_begins_with(&d->indexes[i], columns);
	if (!served)
		d->indexes[d->nindexes++] = *columns;
}

static bool keys_have_name(const struct table *t, const char *name)
{
	unsigned i;

	for (i = 0; i < t->nuniques; i++)
		if (t->uniques[i].name && strcmp(t->uniques[i].name, name) == 0)
			return true;
	for (i = 0; i < t->nindexes; i++)
		if (t->indexes[i].name && strcmp(t->indexes[i].name, name) == 0)
			return true;
	return false;
}

/* Is there an index of that name? SQLite has one set of names for the tables and indexes of all. */
static bool index_name_is_taken(const struct catalog *c, const char *name)
{
	size_t i;

	for (i = 0; i < catalog_count(c); i++)
		if (keys_have_name(catalog_at(c, i), name))
			return true;
	return false;
}

/* ix_<table>_<n>, the least n from *n_io on that is free. */
static void name_index(const struct catalog *c, const char *table, unsigned *n_io, struct key_def *k)
{
	do {
		snprintf(k->name, sizeof k->name, "ix_%.36s_%u", table, (*n_io)++);
	} while (catalog_find(c, k->name, strlen(k->name)) || index_name_is_taken(c, k->name) ||
		 strcmp(k->name, table) == 0);
}

static void name_keys(const struct catalog *c, struct table_def *d)
{
	unsigned n = 1, i;

	for (i = 0; i < d->nuniques; i++)
		name_index(c, d->name, &n, &d->uniques[i]);
	for (i = 0; i < d->nindexes; i++)
		name_index(c, d->name, &n, &d->indexes[i]);
	for (i = 0; i < d->nforeign_keys; i++)
		snprintf(d->foreign_keys[i].columns.name, sizeof d->foreign_keys[i].columns.name, "fk_%s_%u",
			 d->name, i + 1);
}

/* ---- whole requests ---- */

enum { TABLE_COLUMNS, TABLE_PRIMARY_KEY, TABLE_UNIQUE, TABLE_INDEXES, TABLE_FOREIGN_KEYS, TABLE_FIELDS };

static_assert((int)TABLE_FIELDS <= FIELDS_MOST && (int)COLUMN_FIELDS <= FIELDS_MOST,
	      "room for every map's fields");

static const struct field table_fields[TABLE_FIELDS] = {
	[TABLE_COLUMNS] = { "columns", FIELD_ARRAY, true },
	[TABLE_PRIMARY_KEY] = { "primary_key", FIELD_ARRAY, true },
	[TABLE_UNIQUE] = { "unique", FIELD_ARRAY, false },
	[TABLE_INDEXES] = { "indexes", FIELD_ARRAY, false },
	[TABLE_FOREIGN_KEYS] = { "foreign_keys", FIELD_ARRAY, false },
};

static enum rowd_code read_table_keys(const struct reading *r, const msgpack_object *const *f,
				      struct table_def *d)
{
	enum rowd_code rc = read_key(r, d, "the primary key", f[TABLE_PRIMARY_KEY], &d->primary_key);
	unsigned i;

	if (!rc)
		rc = settle_primary_key(r, f[TABLE_COLUMNS], d);
	if (!rc)
		rc = read_keys(r, d, f[TABLE_UNIQUE], true, &d->uniques, &d->nuniques);
	if (!rc)
		rc = read_keys(r, d, f[TABLE_INDEXES], false, &d->indexes, &d->nindexes);
	if (!rc)
		rc = read_foreign_keys(r, f[TABLE_FOREIGN_KEYS], d);
	for (i = 0; i < d->nforeign_keys && !rc; i++)
		add_foreign_key_index(d, &d->foreign_keys[i].columns);
	return rc;
}

enum rowd_code schema_read_table(const struct schema_context *ctx, const char *name, size_t len,
				 const msgpack_object *o, struct table_def *out, struct err *err)
{
	struct reading r = { .ctx = ctx, .err = err };
	const msgpack_object *f[TABLE_FIELDS] = { NULL };
	struct table_def d = { .name = NULL };
	enum rowd_code rc = schema_check_name("table", name, len, err);

	if (rc)
		return rc;
	d.name = arena_strndup(ctx->arena, name, len);
	if (!d.name)
		return no_memory(&r);
	r.table = d.name;
	rc = read_fields(&r, "a table", o, table_fields, TABLE_FIELDS, f);
	if (!rc)
		rc = read_columns(&r, f[TABLE_COLUMNS], &d);
	if (!rc)
		rc = read_table_keys(&r, f, &d);
	if (!rc)
		rc = schema_check_table(&d, err);
	if (!rc && !catalog_find(ctx->catalog, d.name, len) && index_name_is_taken(ctx->catalog, d.name))
		rc = err_set(err, ROWD_E_SCHEMA_INVALID, "an index has that name");
	if (rc) {
		err_where(err, err->table[0] ? NULL : d.name, NULL);
		return rc;
	}
	name_keys(ctx->catalog, &d);
	*out = d;
	return ROWD_OK;
}

enum rowd_code schema_read_column(const struct schema_context *ctx, const struct table *t,
				  const msgpack_object *o, struct column_def *out, struct err *err)
{
	const struct reading r = { ctx, t->name, err };
	struct table_def *d = schema_define(ctx->arena, t);
	struct column_def *added;
	enum rowd_code rc;

	if (!d)
		return no_memory(&r);
	if (d->ncolumns >= TABLE_MAX_COLUMNS)
		return err_limit(err, TABLE_MAX_COLUMNS, "the number of columns");
	added = &d->columns[d->ncolumns++];
	rc = read_column(&r, o, added);
	if (!rc && added->generated)
		rc = err_set(err, ROWD_E_SCHEMA_INVALID, "only a new table's primary key can be generated");
	if (!rc && !added->nullable && !added->has_default)
		rc = err_set(err, ROWD_E_SCHEMA_INVALID,
			     "a column that cannot be null is added with a default");
	if (!rc)
		rc = schema_check_table(d, err);
	if (!rc)
		*out = *added;
	else
		err_where(err, t->name, added->name);
	return rc;
}

enum rowd_code schema_read_index(const struct schema_context *ctx, const struct table *t,
				 const msgpack_object *columns, bool unique, struct key_def *out,
				 struct err *err)
{
	const struct reading r = { ctx, t->name, err };
	struct table_def *d = schema_define(ctx->arena, t);
	enum rowd_code rc;
	unsigned n = 1;

	if (!d)
		return no_memory(&r);
	*out = (struct key_def){ .unique = unique };
	rc = read_key(&r, d, "an index", columns, out);
	if (!rc)
		rc = schema_check_key(d, out, err);
	if (!rc && t->nuniques + t->nindexes >= TABLE_MAX_INDEXES)
		rc = err_limit(err, TABLE_MAX_INDEXES, "the number of indexes");
	if (rc)
		err_where(err, t->name, NULL);
	else
		name_index(ctx->catalog, t->name, &n, out);
	return rc;
}
