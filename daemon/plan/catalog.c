#include "config.h"

#include "daemon/plan/catalog.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	REASONS_MOST = 24,          /* of one table; a table of 2,000 columns need not name them all */
	REASON_BYTES = 240
};

struct node {
	struct table table;         /* first: a table is its node */
	struct node *next;
};

struct catalog {
	atomic_uint refs;
	int64_t version;
	struct arena arena;         /* owned; everything below lives in it */
	struct node *nodes;         /* as added, newest first */
	size_t nnodes;
	struct table **all;         /* sorted by name, once sealed */
	struct table **listed;      /* those not rowd's own, sorted by name */
	size_t nlisted;
	bool failed;                /* memory ran out while a reason was added */
};

/* ---- building ---- */

struct catalog *catalog_new(int64_t version)
{
	struct catalog *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	atomic_init(&c->refs, 1);
	c->version = version;
	arena_init(&c->arena);
	return c;
}

struct arena *catalog_arena(struct catalog *c)
{
	return &c->arena;
}

struct table *catalog_add_table(struct catalog *c, const char *name)
{
	struct node *node = arena_calloc(&c->arena, 1, sizeof *node);
	char *copy = arena_strndup(&c->arena, name, strlen(name));

	if (!node || !copy)
		return NULL;
	node->table.name = copy;
	node->table.writable = true;
	node->table.transactional = true;
	node->next = c->nodes;
	c->nodes = node;
	c->nnodes++;
	return &node->table;
}

static bool add_reason(struct catalog *c, struct table *t, const char *text)
{
	const char **grown;
	char *copy = arena_strndup(&c->arena, text, strlen(text));

	if (!copy)
		return false;
	if (!t->reasons) {
		grown = arena_calloc(&c->arena, REASONS_MOST, sizeof *grown);
		if (!grown)
			return false;
		t->reasons = grown;
	}
	t->reasons[t->nreasons++] = copy;
	return true;
}

void catalog_add_reason(struct catalog *c, struct table *t, const char *fmt, ...)
{
	char text[REASON_BYTES];
	va_list args;

	if (t->nreasons == REASONS_MOST)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	if (t->nreasons == REASONS_MOST - 1)
		snprintf(text, sizeof text, "and more");
	/* a name cut in the middle of a character is no text */
	while (!utf8_valid(text, strlen(text), NULL) && text[0])
		text[strlen(text) - 1] = '\0';
	if (!add_reason(c, t, text))
		c->failed = true;
}

/* ---- sealing: names become pointers ---- */

static int table_compare(const void *x, const void *y)
{
	return strcmp((*(struct table *const *)x)->name, (*(struct table *const *)y)->name);
}

static bool is_own(const char *name)
{
	return strncmp(name, "_rowd_", 6) == 0;
}

static bool sort_tables(struct catalog *c)
{
	struct node *node;
	size_t i = 0;

	c->all = arena_calloc(&c->arena, c->nnodes + 1, sizeof *c->all);
	c->listed = arena_calloc(&c->arena, c->nnodes + 1, sizeof *c->listed);
	if (!c->all || !c->listed)
		return false;
	for (node = c->nodes; node; node = node->next)
		c->all[i++] = &node->table;
	qsort(c->all, c->nnodes, sizeof *c->all, table_compare);
	for (i = 0; i < c->nnodes; i++)
		if (!is_own(c->all[i]->name))
			c->listed[c->nlisted++] = c->all[i];
	return true;
}

/* Exactly, or else the only reading that a database blind to case can mean. */
static struct table *resolve_table(const struct catalog *c, const char *name)
{
	const struct table key = { .name = name }, *pointer = &key;
	struct table **found = bsearch(&pointer, c->all, c->nnodes, sizeof *c->all, table_compare);
	size_t i;

	if (found)
		return *found;
	for (i = 0; i < c->nnodes; i++)
		if (strcasecmp(c->all[i]->name, name) == 0)
			return c->all[i];
	return NULL;
}

static const struct column *resolve_column(const struct table *t, const char *name)
{
	const struct column *column = table_column(t, name, strlen(name));
	unsigned i;

	for (i = 0; !column && i < t->ncolumns; i++)
		if (strcasecmp(t->columns[i].name, name) == 0)
			column = &t->columns[i];
	return column;
}

static void resolve_foreign_key(const struct catalog *c, struct table *child, struct foreign_key *fk)
{
	struct table *parent = fk->parent_name ? resolve_table(c, fk->parent_name) : NULL;
	unsigned i;

	fk->child = child;
	fk->parent = parent;
	if (!parent)
		return;
	parent->nchildren++;
	for (i = 0; i < fk->ncolumns; i++) {
		if (fk->reference_names[i])
			fk->references[i] = resolve_column(parent, fk->reference_names[i]);
		else if (i < parent->primary_key.ncolumns)
			fk->references[i] = parent->primary_key.columns[i];
	}
}

static bool resolve_foreign_keys(struct catalog *c)
{
	size_t i;
	unsigned k;

	for (i = 0; i < c->nnodes; i++)
		for (k = 0; k < c->all[i]->nforeign_keys; k++)
			resolve_foreign_key(c, c->all[i], &c->all[i]->foreign_keys[k]);
	for (i = 0; i < c->nnodes; i++) {
		struct table *t = c->all[i];

		if (!t->nchildren)
			continue;
		t->children = arena_calloc(&c->arena, t->nchildren, sizeof *t->children);
		if (!t->children)
			return false;
		t->nchildren = 0;
	}
	for (i = 0; i < c->nnodes; i++)
		for (k = 0; k < c->all[i]->nforeign_keys; k++) {
			const struct foreign_key *fk = &c->all[i]->foreign_keys[k];
			struct table *parent = (struct table *)fk->parent;

			if (parent)
				parent->children[parent->nchildren++] = fk;
		}
	return true;
}

/* ---- sealing: is a table one that rowd could have made? ---- */

/* What rowd reserves begins with an underscore or stands here. */
bool catalog_name_is_ours(const char *name)
{
	size_t len = strlen(name);

	return len > 0 && len <= NAME_MAX_BYTES && name[0] >= 'a' && name[0] <= 'z' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == len &&
	       strncmp(name, "sqlite_", 7) != 0 && strcmp(name, "rowid") != 0 && strcmp(name, "oid") != 0;
}

static void judge_columns(struct catalog *c, struct table *t)
{
	size_t bounded = 0;
	unsigned i;

	if (t->ncolumns > TABLE_MAX_COLUMNS)
		catalog_add_reason(c, t, "it has more than %d columns", TABLE_MAX_COLUMNS);
	for (i = 0; i < t->ncolumns; i++) {
		const struct column *column = &t->columns[i];

		if (!catalog_name_is_ours(column->name))
			catalog_add_reason(c, t, "the name of column %s is not one rowd would give", column->name);
		if (column->type.kind == TYPE_ANY)
			catalog_add_reason(c, t, "column %s has no type of rowd's", column->name);
		if (column->computed)
			catalog_add_reason(c, t, "column %s is computed", column->name);
		if (column->default_is_computed)
			catalog_add_reason(c, t, "the default of column %s is an expression", column->name);
		if (column->type.kind == TYPE_TEXT || column->type.kind == TYPE_BYTES)
			bounded += type_key_bytes(&column->type);
	}
	if (bounded > ROW_BOUNDED_MAX_BYTES)
		catalog_add_reason(c, t, "its texts and bytes together may pass %d bytes", ROW_BOUNDED_MAX_BYTES);
}

static void judge_key(struct catalog *c, struct table *t, const struct key *key, const char *what)
{
	const char *name = key->name ? key->name : "";
	size_t bytes = 0;
	unsigned i;

	if (!key->plain)
		catalog_add_reason(c, t, "%s %s is partial, descending, on an expression or of another collation",
				   what, name);
	if (key->ncolumns > INDEX_MAX_COLUMNS)
		catalog_add_reason(c, t, "%s %s has more than %d columns", what, name, INDEX_MAX_COLUMNS);
	for (i = 0; i < key->ncolumns; i++) {
		size_t part = type_key_bytes(&key->columns[i]->type);

		if (part == 0)
			catalog_add_reason(c, t, "%s %s is on column %s, which has no bounded length", what, name,
					   key->columns[i]->name);
		bytes += part;
	}
	if (bytes > INDEX_KEY_MAX_BYTES)
		catalog_add_reason(c, t, "%s %s is longer than %d bytes", what, name, INDEX_KEY_MAX_BYTES);
}

static uint64_t next_serial(void)
{
	static atomic_uint_fast64_t last;

	return atomic_fetch_add_explicit(&last, 1, memory_order_relaxed) + 1;
}

static void judge_keys(struct catalog *c, struct table *t)
{
	unsigned i;

	if (!t->primary_key.ncolumns)
		catalog_add_reason(c, t, "it has no primary key");
	else
		judge_key(c, t, &t->primary_key, "the primary key");
	for (i = 0; i < t->primary_key.ncolumns; i++)
		if (t->primary_key.columns[i]->nullable)
			catalog_add_reason(c, t, "column %s of the primary key may be null",
					   t->primary_key.columns[i]->name);
	for (i = 0; i < t->nuniques; i++)
		judge_key(c, t, &t->uniques[i], "the unique key");
	for (i = 0; i < t->nindexes; i++)
		judge_key(c, t, &t->indexes[i], "the index");
	if (t->nuniques + t->nindexes > TABLE_MAX_INDEXES)
		catalog_add_reason(c, t, "it has more than %d indexes", TABLE_MAX_INDEXES);
}

/* Do the columns, in any order, make up the whole key? */
static bool is_key_of(const struct key *key, const struct column *const *columns, unsigned n)
{
	unsigned i;

	if (key->ncolumns != n || !key->plain)
		return false;
	for (i = 0; i < n; i++)
		if (!columns[i] || !key_has_column(key, columns[i]))
			return false;
	return true;
}

static bool refers_to_key(const struct foreign_key *fk)
{
	unsigned i;

	if (is_key_of(&fk->parent->primary_key, fk->references, fk->ncolumns))
		return true;
	for (i = 0; i < fk->parent->nuniques; i++)
		if (is_key_of(&fk->parent->uniques[i], fk->references, fk->ncolumns))
			return true;
	return false;
}

static void judge_foreign_key(struct catalog *c, struct table *t, const struct foreign_key *fk)
{
	unsigned i;

	if (!fk->parent) {
		catalog_add_reason(c, t, "a foreign key refers to table %s, which does not exist", fk->parent_name);
		return;
	}
	if (fk->on_delete == FK_OTHER)
		catalog_add_reason(c, t, "the foreign key to %s does what rowd does not offer", fk->parent->name);
	if (fk->parent == t && fk->on_delete != FK_RESTRICT)
		catalog_add_reason(c, t, "a foreign key to the table itself does more than restrict");
	if (!refers_to_key(fk))
		catalog_add_reason(c, t, "the foreign key to %s refers to what is not a key of it", fk->parent->name);
	for (i = 0; i < fk->ncolumns; i++)
		if (fk->references[i] && !type_equal(&fk->columns[i]->type, &fk->references[i]->type))
			catalog_add_reason(c, t, "the foreign key to %s joins columns of different types",
					   fk->parent->name);
}

/* A table is no more portable than the tables it refers to. */
static void judge_parents(struct catalog *c)
{
	bool again = true;
	size_t i;
	unsigned k;

	while (again) {
		again = false;
		for (i = 0; i < c->nnodes; i++) {
			struct table *t = c->all[i];

			for (k = 0; t->portable && k < t->nforeign_keys; k++) {
				if (t->foreign_keys[k].parent->portable)
					continue;
				catalog_add_reason(c, t, "it refers to %s, which is not portable",
						   t->foreign_keys[k].parent->name);
				t->portable = false;
				again = true;
			}
		}
	}
}

static void judge_table(struct catalog *c, struct table *t)
{
	unsigned i;

	if (!catalog_name_is_ours(t->name))
		catalog_add_reason(c, t, "its name is not one rowd would give");
	judge_columns(c, t);
	judge_keys(c, t);
	for (i = 0; i < t->nforeign_keys; i++)
		judge_foreign_key(c, t, &t->foreign_keys[i]);
	t->portable = t->nreasons == 0;
}

/* ---- one order of keys, whatever the database's ---- */

static int columns_compare(const struct column *const *x, unsigned nx, const struct column *const *y, unsigned ny)
{
	unsigned i;
	int order = 0;

	for (i = 0; i < nx && i < ny && !order; i++)
		order = strcmp(x[i]->name, y[i]->name);
	return order ? order : nx < ny ? -1 : nx > ny;
}

static int key_compare(const void *x, const void *y)
{
	const struct key *a = x, *b = y;
	int order = columns_compare(a->columns, a->ncolumns, b->columns, b->ncolumns);

	return order || !a->name || !b->name ? order : strcmp(a->name, b->name);
}

static int foreign_key_compare(const void *x, const void *y)
{
	const struct foreign_key *a = x, *b = y;
	int order = columns_compare(a->columns, a->ncolumns, b->columns, b->ncolumns);

	return order ? order : strcmp(a->parent_name, b->parent_name);
}

/* Databases tell them in the order of their making, or of their names, or of neither. */
static void sort_keys(struct table *t)
{
	if (t->nuniques)
		qsort(t->uniques, t->nuniques, sizeof *t->uniques, key_compare);
	if (t->nindexes)
		qsort(t->indexes, t->nindexes, sizeof *t->indexes, key_compare);
	if (t->nforeign_keys)
		qsort(t->foreign_keys, t->nforeign_keys, sizeof *t->foreign_keys, foreign_key_compare);
}

enum rowd_code catalog_seal(struct catalog *c, struct err *err)
{
	size_t i;

	for (struct node *node = c->nodes; node; node = node->next)
		sort_keys(&node->table);
	if (!sort_tables(c) || !resolve_foreign_keys(c))
		return err_set(err, ROWD_E_NO_RESOURCE, "memory ran out");
	for (i = 0; i < c->nnodes; i++) {
		c->all[i]->serial = next_serial();
		judge_table(c, c->all[i]);
	}
	judge_parents(c);
	if (c->failed)
		return err_set(err, ROWD_E_NO_RESOURCE, "memory ran out");
	return ROWD_OK;
}

/* ---- using ---- */

struct catalog *catalog_ref(struct catalog *c)
{
	atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
	return c;
}

void catalog_unref(struct catalog *c)
{
	if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
		return;
	arena_fini(&c->arena);
	free(c);
}

int64_t catalog_version(const struct catalog *c)
{
	return c->version;
}

/* Order of a NUL-terminated name and one of len bytes. */
static int name_compare(const char *name, const char *other, size_t len)
{
	int order = strncmp(name, other, len);

	return order ? order : name[len] != '\0';
}

static bool name_equal(const char *name, const char *other, size_t len)
{
	return strncmp(name, other, len) == 0 && name[len] == '\0';
}

const struct table *catalog_find(const struct catalog *c, const char *name, size_t len)
{
	size_t low = 0, high = c->nlisted;

	if (memchr(name, '\0', len))
		return NULL;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = name_compare(c->listed[middle]->name, name, len);

		if (order == 0)
			return c->listed[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct table *catalog_own(const struct catalog *c, const char *name)
{
	const struct table key = { .name = name }, *pointer = &key;
	struct table **found = bsearch(&pointer, c->all, c->nnodes, sizeof *c->all, table_compare);

	return found ? *found : NULL;
}

size_t catalog_count(const struct catalog *c)
{
	return c->nlisted;
}

const struct table *catalog_at(const struct catalog *c, size_t i)
{
	return c->listed[i];
}

const struct column *table_column(const struct table *t, const char *name, size_t len)
{
	unsigned i;

	if (memchr(name, '\0', len))
		return NULL;
	for (i = 0; i < t->ncolumns; i++)
		if (name_equal(t->columns[i].name, name, len))
			return &t->columns[i];
	return NULL;
}

bool key_has_column(const struct key *k, const struct column *c)
{
	unsigned i;

	for (i = 0; i < k->ncolumns; i++)
		if (k->columns[i] == c)
			return true;
	return false;
}
