/*
 * What can be made on every kind of database, and what an existing table allows.
 */
#include "config.h"

#include <string.h>
#include <strings.h>

#include "daemon/plan/schema.h"

enum { ROW_INLINE_MAX_BYTES = 8000 };

enum rowd_code schema_check_name(const char *what, const char *name, size_t len, struct err *err)
{
	char copy[NAME_MAX_BYTES + 1];

	if (len <= NAME_MAX_BYTES && !memchr(name, '\0', len)) {
		memcpy(copy, name, len);
		copy[len] = '\0';
		if (catalog_name_is_ours(copy))
			return ROWD_OK;
	}
	return err_set(err, ROWD_E_SCHEMA_INVALID,
		       "a %s's name is a letter a to z, then up to %d of a to z, 0 to 9 and _, "
		       "and not one that a database reserves",
		       what, NAME_MAX_BYTES - 1);
}

const struct column_def *schema_column(const struct table_def *d, const char *name)
{
	unsigned i;

	for (i = 0; i < d->ncolumns; i++)
		if (strcmp(d->columns[i].name, name) == 0)
			return &d->columns[i];
	return NULL;
}

/* ---- a table as a definition ---- */

static void define_key(const struct key *k, struct key_def *out)
{
	unsigned i;

	*out = (struct key_def){ .unique = k->unique };
	for (i = 0; i < k->ncolumns && i < INDEX_MAX_COLUMNS; i++)
		out->columns[out->ncolumns++] = k->columns[i]->name;
}

static void define_column(const struct column *c, struct column_def *out)
{
	*out = (struct column_def){
		.name = c->name, .type = c->type, .nullable = c->nullable, .generated = c->generated
	};
}

struct table_def *schema_define(struct arena *a, const struct table *t)
{
	struct table_def *d = arena_calloc(a, 1, sizeof *d);
	unsigned i;

	if (!d)
		return NULL;
	d->name = t->name;
	d->columns = arena_calloc(a, t->ncolumns + 1, sizeof *d->columns);
	if (!d->columns)
		return NULL;
	for (i = 0; i < t->ncolumns; i++)
		define_column(&t->columns[i], &d->columns[i]);
	d->ncolumns = t->ncolumns;
	define_key(&t->primary_key, &d->primary_key);
	return d;
}

/* ---- columns and keys ---- */

size_t schema_bounded_bytes(const struct type *t)
{
	return t->kind == TYPE_TEXT || t->kind == TYPE_BYTES ? type_key_bytes(t) : 0;
}

/*
 * What a row's value takes at most in the row itself, with what InnoDB notes of it. Long values can be
 * stored outside, short ones and those of the primary key cannot.
 */
static size_t inline_bytes(const struct table_def *d, const struct column_def *c)
{
	enum { OUTSIDE_FROM_BYTES = 256, OUTSIDE_NOTE_BYTES = 42, NUMBER_BYTES = 8 };
	size_t bytes = schema_bounded_bytes(&c->type);
	unsigned i;

	if (c->type.kind != TYPE_TEXT && c->type.kind != TYPE_BYTES)
		return NUMBER_BYTES;
	for (i = 0; i < d->primary_key.ncolumns; i++)
		if (strcmp(d->primary_key.columns[i], c->name) == 0)
			return bytes + 2;
	return bytes && bytes < OUTSIDE_FROM_BYTES ? bytes + 1 : OUTSIDE_NOTE_BYTES;
}

static enum rowd_code check_inline(const struct table_def *d, struct err *err)
{
	size_t bytes = 0;
	unsigned i;

	for (i = 0; i < d->ncolumns; i++)
		bytes += inline_bytes(d, &d->columns[i]);
	if (bytes <= ROW_INLINE_MAX_BYTES)
		return ROWD_OK;
	return err_set(err, ROWD_E_NOT_PORTABLE,
		       "a row could take %zu bytes that cannot be stored outside of it, more than "
		       "%d: MySQL has no room for it. Texts of 64 characters and more can be",
		       bytes, ROW_INLINE_MAX_BYTES);
}

static enum rowd_code check_columns(const struct table_def *d, struct err *err)
{
	size_t bounded = 0;
	unsigned i, k;

	if (d->ncolumns == 0)
		return err_set(err, ROWD_E_SCHEMA_INVALID, "a table has at least one column");
	for (i = 0; i < d->ncolumns; i++) {
		for (k = 0; k < i; k++)
			if (strcasecmp(d->columns[k].name, d->columns[i].name) == 0)
				return err_set(err, ROWD_E_SCHEMA_INVALID, "two columns have the name %s",
					       d->columns[i].name);
		bounded += schema_bounded_bytes(&d->columns[i].type);
	}
	if (bounded > ROW_BOUNDED_MAX_BYTES)
		return err_limit(err, ROW_BOUNDED_MAX_BYTES,
				 "the bytes that all text(n), at four a character, and bytes(n) "
				 "may take together");
	return ROWD_OK;
}

enum rowd_code schema_check_key(const struct table_def *d, const struct key_def *k, struct err *err)
{
	size_t bytes = 0;
	unsigned i;

	for (i = 0; i < k->ncolumns; i++) {
		const struct column_def *c = schema_column(d, k->columns[i]);
		size_t part = c ? type_key_bytes(&c->type) : 0;

		if (part == 0) {
			err_set(err, ROWD_E_SCHEMA_INVALID,
				"column %s has no bounded length: it cannot be part of a key", k->columns[i]);
			err_where(err, d->name, k->columns[i]);
			return ROWD_E_SCHEMA_INVALID;
		}
		bytes += part;
	}
	if (bytes > INDEX_KEY_MAX_BYTES)
		return err_limit(err, INDEX_KEY_MAX_BYTES,
				 "the bytes of a key, a character of text counted as four");
	return ROWD_OK;
}

static enum rowd_code check_generated(const struct table_def *d, struct err *err)
{
	unsigned i;

	for (i = 0; i < d->ncolumns; i++) {
		const struct column_def *c = &d->columns[i];

		if (!c->generated)
			continue;
		if (c->type.kind != TYPE_INT || d->primary_key.ncolumns != 1 ||
		    strcmp(d->primary_key.columns[0], c->name) != 0)
			return err_set(err, ROWD_E_SCHEMA_INVALID,
				       "only a primary key that is one int column can be auto");
		if (c->has_default)
			return err_set(err, ROWD_E_SCHEMA_INVALID, "a column that is auto has no default");
	}
	return ROWD_OK;
}

static bool same_columns(const struct key_def *a, const struct key_def *b)
{
	unsigned i;

	if (a->ncolumns != b->ncolumns)
		return false;
	for (i = 0; i < a->ncolumns; i++)
		if (strcmp(a->columns[i], b->columns[i]) != 0)
			return false;
	return true;
}

static const struct key_def *key_at(const struct table_def *d, unsigned i)
{
	return i < d->nuniques ? &d->uniques[i] : &d->indexes[i - d->nuniques];
}

static enum rowd_code check_keys(const struct table_def *d, struct err *err)
{
	unsigned n = d->nuniques + d->nindexes, i, k;
	enum rowd_code rc = ROWD_OK;

	if (n > TABLE_MAX_INDEXES)
		return err_limit(err, TABLE_MAX_INDEXES,
				 "the number of indexes, those of foreign keys included");
	for (i = 0; i < n && !rc; i++) {
		rc = schema_check_key(d, key_at(d, i), err);
		for (k = 0; k < i && !rc; k++)
			if (same_columns(key_at(d, k), key_at(d, i)))
				rc = err_set(err, ROWD_E_SCHEMA_INVALID,
					     "two indexes are on the same columns");
	}
	return rc;
}

enum rowd_code schema_check_table(const struct table_def *d, struct err *err)
{
	enum rowd_code rc = check_columns(d, err);

	if (!rc)
		rc = schema_check_key(d, &d->primary_key, err);
	if (!rc)
		rc = check_inline(d, err);
	if (!rc)
		rc = check_generated(d, err);
	return rc ? rc : check_keys(d, err);
}

/* ---- foreign keys ---- */

static bool refers_to(const struct foreign_key_def *fk, const struct key_def *key)
{
	unsigned i, k, found = 0;

	if (key->ncolumns != fk->columns.ncolumns)
		return false;
	for (i = 0; i < key->ncolumns; i++)
		for (k = 0; k < key->ncolumns; k++)
			found += strcmp(key->columns[i], fk->references[k]) == 0;
	return found == key->ncolumns;
}

/* MySQL wants the columns in the order of the key they refer to. */
static void follow_order(struct foreign_key_def *fk, const struct key_def *key)
{
	struct foreign_key_def given = *fk;
	unsigned i, k;

	for (i = 0; i < key->ncolumns; i++)
		for (k = 0; k < key->ncolumns; k++)
			if (strcmp(key->columns[i], given.references[k]) == 0) {
				fk->columns.columns[i] = given.columns.columns[k];
				fk->references[i] = key->columns[i];
			}
}

/* The key of the parent that fk refers to, in *out. */
static bool find_parent_key(const struct table_def *d, const struct foreign_key_def *fk, struct key_def *out)
{
	const struct table *p = fk->parent;
	unsigned nuniques = p ? p->nuniques : d->nuniques, i;

	if (p)
		define_key(&p->primary_key, out);
	else
		*out = d->primary_key;
	if (refers_to(fk, out))
		return true;
	for (i = 0; i < nuniques; i++) {
		if (p && !p->uniques[i].plain)
			continue;
		if (p)
			define_key(&p->uniques[i], out);
		else
			*out = d->uniques[i];
		if (refers_to(fk, out))
			return true;
	}
	return false;
}

static const struct type *reference_type(const struct table_def *d, const struct foreign_key_def *fk,
					 unsigned i)
{
	const char *name = fk->references[i];

	return fk->parent ? &table_column(fk->parent, name, strlen(name))->type
			  : &schema_column(d, name)->type;
}

static enum rowd_code check_types(const struct table_def *d, const struct foreign_key_def *fk,
				  struct err *err)
{
	char due[TYPE_TEXT_BYTES], came[TYPE_TEXT_BYTES];
	unsigned i;

	for (i = 0; i < fk->columns.ncolumns; i++) {
		const struct column_def *c = schema_column(d, fk->columns.columns[i]);
		const struct type *t = reference_type(d, fk, i);

		if (type_equal(&c->type, t) && t->kind != TYPE_ANY)
			continue;
		err_set(err, ROWD_E_SCHEMA_INVALID, "column %s is %s, column %s that it refers to is %s",
			c->name, type_format(&c->type, came), fk->references[i], type_format(t, due));
		err_where(err, d->name, c->name);
		return ROWD_E_SCHEMA_INVALID;
	}
	return ROWD_OK;
}

static enum rowd_code check_action(const struct table_def *d, const struct foreign_key_def *fk,
				   struct err *err)
{
	unsigned i;

	if (!fk->parent && fk->on_delete != FK_RESTRICT)
		return err_set(err, ROWD_E_NOT_PORTABLE,
			       "a foreign key to the table itself can only restrict");
	for (i = 0; i < fk->columns.ncolumns && fk->on_delete == FK_SET_NULL; i++)
		if (!schema_column(d, fk->columns.columns[i])->nullable) {
			err_set(err, ROWD_E_SCHEMA_INVALID,
				"on_delete sets column %s to null, which it cannot be",
				fk->columns.columns[i]);
			err_where(err, d->name, fk->columns.columns[i]);
			return ROWD_E_SCHEMA_INVALID;
		}
	return ROWD_OK;
}

/* A set of tables, each by its place in the catalog. */
struct generation {
	const struct table **tables;
	bool *has;
	size_t n;
};

static bool generation_init(struct generation *g, struct arena *a, size_t most)
{
	g->n = 0;
	g->tables = arena_calloc(a, most + 1, sizeof *g->tables);
	g->has = arena_calloc(a, most + 1, sizeof *g->has);
	return g->tables && g->has;
}

static void generation_add(struct generation *g, const struct catalog *c, const struct table *t)
{
	size_t low = 0, high = catalog_count(c);

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(catalog_at(c, middle)->name, t->name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == catalog_count(c) || catalog_at(c, low) != t || g->has[low])
		return;
	g->has[low] = true;
	g->tables[g->n++] = t;
}

/* What the tables of one generation refer to. */
static void generation_parents(const struct catalog *c, const struct generation *g, struct generation *out)
{
	size_t i;
	unsigned k;

	out->n = 0;
	memset(out->has, 0, catalog_count(c) * sizeof *out->has);
	for (i = 0; i < g->n; i++)
		for (k = 0; k < g->tables[i]->nforeign_keys; k++) {
			const struct table *parent = g->tables[i]->foreign_keys[k].parent;

			if (parent && parent != g->tables[i])
				generation_add(out, c, parent);
		}
}

/* Does one of them refer to a table of that name, which does not exist yet? Others can make a child
 * before its parent. */
static bool generation_waits_for(const struct generation *g, const char *name)
{
	size_t i;
	unsigned k;

	for (i = 0; i < g->n; i++)
		for (k = 0; k < g->tables[i]->nforeign_keys; k++)
			if (!g->tables[i]->foreign_keys[k].parent &&
			    strcasecmp(g->tables[i]->foreign_keys[k].parent_name, name) == 0)
				return true;
	return false;
}

/* Generation by generation, so that however many ways lead to a table, it is looked at once in each. A
 * circle, which others may have made, is as deep as any limit. */
static enum rowd_code check_ancestors(const struct schema_context *ctx, const struct table_def *d,
				      const struct foreign_key_def *fk, struct err *err)
{
	size_t most = catalog_count(ctx->catalog);
	struct generation g[2];
	unsigned depth;

	if (!fk->parent)
		return ROWD_OK;
	if (!generation_init(&g[0], ctx->arena, most) || !generation_init(&g[1], ctx->arena, most))
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the definition");
	generation_add(&g[1], ctx->catalog, fk->parent);
	for (depth = 1; g[depth % 2].n > 0; depth++) {
		if (depth >= FOREIGN_KEY_MAX_DEPTH)
			return err_limit(err, FOREIGN_KEY_MAX_DEPTH,
					 "the number of tables that refer to one another in a row");
		if (generation_waits_for(&g[depth % 2], d->name))
			return err_set(err, ROWD_E_NOT_PORTABLE, "the foreign key to %s closes a circle",
				       fk->parent->name);
		generation_parents(ctx->catalog, &g[depth % 2], &g[(depth + 1) % 2]);
	}
	return ROWD_OK;
}

enum rowd_code schema_check_foreign_key(const struct schema_context *ctx, const struct table_def *d,
					struct foreign_key_def *fk, struct err *err)
{
	struct key_def key;
	enum rowd_code rc;

	if (fk->parent && (!fk->parent->writable || !fk->parent->transactional))
		return err_set(err, ROWD_E_SCHEMA_INVALID, "%s cannot have foreign keys refer to it",
			       fk->parent->name);
	if (!find_parent_key(d, fk, &key))
		return err_set(err, ROWD_E_SCHEMA_INVALID,
			       "the columns of %s that a foreign key refers to are neither its "
			       "primary key nor a unique key",
			       fk->parent ? fk->parent->name : d->name);
	follow_order(fk, &key);
	rc = check_types(d, fk, err);
	if (!rc)
		rc = check_action(d, fk, err);
	return rc ? rc : check_ancestors(ctx, d, fk, err);
}

/* ---- what exists ---- */

static bool key_is_on(const struct key *k, const msgpack_object *columns)
{
	unsigned i;

	if (!k->plain || k->ncolumns != columns->via.array.size)
		return false;
	for (i = 0; i < k->ncolumns; i++) {
		const msgpack_object_str *name = &columns->via.array.ptr[i].via.str;

		if (strlen(k->columns[i]->name) != name->size ||
		    (name->size && memcmp(k->columns[i]->name, name->ptr, name->size) != 0))
			return false;
	}
	return k->ncolumns > 0;
}

const struct key *schema_find_index(const struct table *t, const msgpack_object *columns)
{
	unsigned i;

	for (i = 0; i < t->nuniques; i++)
		if (key_is_on(&t->uniques[i], columns))
			return &t->uniques[i];
	for (i = 0; i < t->nindexes; i++)
		if (key_is_on(&t->indexes[i], columns))
			return &t->indexes[i];
	return NULL;
}

static bool same_key(const struct key_def *d, const struct key *k)
{
	struct key_def defined;

	define_key(k, &defined);
	return k->plain && k->ncolumns == d->ncolumns && same_columns(d, &defined);
}

static bool same_keys(const struct key_def *d, unsigned nd, const struct key *k, unsigned nk)
{
	unsigned i, j;

	if (nd != nk)
		return false;
	for (i = 0; i < nd; i++) {
		for (j = 0; j < nk && !same_key(&d[i], &k[j]); j++)
			;
		if (j == nk)
			return false;
	}
	return true;
}

static bool same_column(const struct column_def *d, const struct column *c)
{
	return strcmp(d->name, c->name) == 0 && type_equal(&d->type, &c->type) &&
	       d->nullable == c->nullable && d->generated == c->generated && !c->computed &&
	       !c->default_is_computed && d->has_default == c->has_default &&
	       (!d->has_default || value_equal(&d->dflt, &c->dflt));
}

static bool same_foreign_key(const struct table_def *d, const struct foreign_key_def *fk,
			     const struct foreign_key *k)
{
	unsigned i;

	if (!k->parent || strcmp(k->parent->name, fk->parent ? fk->parent->name : d->name) != 0 ||
	    k->on_delete != fk->on_delete || k->ncolumns != fk->columns.ncolumns)
		return false;
	for (i = 0; i < k->ncolumns; i++)
		if (!k->references[i] || strcmp(k->columns[i]->name, fk->columns.columns[i]) != 0 ||
		    strcmp(k->references[i]->name, fk->references[i]) != 0)
			return false;
	return true;
}

static bool same_foreign_keys(const struct table_def *d, const struct table *t)
{
	unsigned i, k;

	if (d->nforeign_keys != t->nforeign_keys)
		return false;
	for (i = 0; i < d->nforeign_keys; i++) {
		for (k = 0; k < t->nforeign_keys; k++)
			if (same_foreign_key(d, &d->foreign_keys[i], &t->foreign_keys[k]))
				break;
		if (k == t->nforeign_keys)
			return false;
	}
	return true;
}

bool schema_same(const struct table_def *d, const struct table *t)
{
	unsigned i;

	if (d->ncolumns != t->ncolumns || !same_key(&d->primary_key, &t->primary_key))
		return false;
	for (i = 0; i < d->ncolumns; i++)
		if (!same_column(&d->columns[i], &t->columns[i]))
			return false;
	return same_keys(d->uniques, d->nuniques, t->uniques, t->nuniques) &&
	       same_keys(d->indexes, d->nindexes, t->indexes, t->nindexes) && same_foreign_keys(d, t);
}

/* ---- what may go ---- */

enum rowd_code schema_check_drop_table(const struct table *t, struct err *err)
{
	unsigned i;

	for (i = 0; i < t->nchildren; i++)
		if (t->children[i]->child != t) {
			err_set(err, ROWD_E_FOREIGN_KEY, "table %s refers to it",
				t->children[i]->child->name);
			err_where(err, t->name, NULL);
			return ROWD_E_FOREIGN_KEY;
		}
	return ROWD_OK;
}

/* Is k one that fk refers to, and the only one? */
static bool child_needs(const struct table *t, const struct foreign_key *fk, const struct key *k)
{
	unsigned i;

	if (!k->unique || k->ncolumns != fk->ncolumns)
		return false;
	for (i = 0; i < fk->ncolumns; i++)
		if (!fk->references[i] || !key_has_column(k, fk->references[i]))
			return false;
	for (i = 0; i < k->ncolumns && t->primary_key.ncolumns == k->ncolumns; i++)
		if (!key_has_column(&t->primary_key, k->columns[i]))
			break;
	return t->primary_key.ncolumns != k->ncolumns || i < k->ncolumns;
}

static bool serves(const struct key *k, const struct foreign_key *fk)
{
	unsigned i;

	for (i = 0; i < fk->ncolumns; i++)
		if (i >= k->ncolumns || k->columns[i] != fk->columns[i])
			return false;
	return k->plain;
}

/* Is k the only one that finds the rows of t by fk? */
static bool parent_needs(const struct table *t, const struct foreign_key *fk, const struct key *k)
{
	unsigned i;

	if (!serves(k, fk) || serves(&t->primary_key, fk))
		return false;
	for (i = 0; i < t->nuniques; i++)
		if (&t->uniques[i] != k && serves(&t->uniques[i], fk))
			return false;
	for (i = 0; i < t->nindexes; i++)
		if (&t->indexes[i] != k && serves(&t->indexes[i], fk))
			return false;
	return true;
}

enum rowd_code schema_check_drop_index(const struct table *t, const struct key *k, struct err *err)
{
	enum rowd_code rc = ROWD_OK;
	unsigned i;

	for (i = 0; i < t->nchildren && !rc; i++)
		if (child_needs(t, t->children[i], k))
			rc = err_set(err, ROWD_E_FOREIGN_KEY, "table %s refers to its columns",
				     t->children[i]->child->name);
	for (i = 0; i < t->nforeign_keys && !rc; i++)
		if (parent_needs(t, &t->foreign_keys[i], k))
			rc = err_set(err, ROWD_E_FOREIGN_KEY, "the foreign key to %s needs it",
				     t->foreign_keys[i].parent_name);
	if (!rc && (k->constraint || !k->name))
		rc = err_set(err, ROWD_E_UNSUPPORTED,
			     "it is part of the table's definition and goes with the table only");
	if (rc)
		err_where(err, t->name, NULL);
	return rc;
}
