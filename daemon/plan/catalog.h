/*
 * What a database's schema says: its tables, as read from it once and shared by every thread.
 *
 * A catalog is immutable after catalog_seal. Tables and columns are borrowed from it for as long
 * as a reference is held. Names in SQL come from here, never from the wire.
 *
 * Thread: building belongs to one thread; a sealed catalog to any.
 */
#ifndef ROWD_PLAN_CATALOG_H
#define ROWD_PLAN_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "proto/limits.h"
#include "proto/value.h"

struct table;

struct column {
	const char *name;
	struct type type;
	bool nullable;
	bool generated;             /* the table makes its value when none is given (auto) */
	bool has_default;
	struct value dflt;          /* typed; VALUE_NULL when !has_default */
	bool default_is_computed;   /* has_default, but it is an expression that only the database can
	                               evaluate; dflt is VALUE_NULL. Leave the column out to get it */
	bool computed;              /* a generated column of SQL: read only */
	const char *storage;        /* the backend's own type words, for reasons and dumps */
	unsigned position;          /* in table->columns */
};

struct key {                        /* a primary key, unique key or index */
	const char *name;           /* in the database; NULL for a primary key without one */
	const struct column *columns[INDEX_MAX_COLUMNS * 2];
	unsigned ncolumns;
	bool unique;
	bool constraint;            /* part of the table's own definition: cannot be dropped by itself */
	bool plain;                 /* false: partial, on expressions, descending or of another collation:
	                               columns may then be too few, and `unique` holds for some rows only */
};

enum fk_action { FK_RESTRICT, FK_CASCADE, FK_SET_NULL, FK_OTHER /* not one of ours */ };

struct foreign_key {
	const struct table *child, *parent;  /* parent NULL: refers to a table that does not exist */
	const char *parent_name;
	const struct column *columns[INDEX_MAX_COLUMNS * 2];     /* of the child */
	const struct column *references[INDEX_MAX_COLUMNS * 2];  /* of the parent; NULL where it has none */
	const char *reference_names[INDEX_MAX_COLUMNS * 2];      /* from the driver; NULL: the parent's
	                                                            primary key */
	unsigned ncolumns;
	enum fk_action on_delete;
};

struct table {
	const char *name;
	uint64_t serial;                     /* that of no other table this process has ever read; 0 before
	                                        catalog_seal */
	struct column *columns;
	unsigned ncolumns;
	struct key primary_key;              /* ncolumns 0: the table has none */
	struct key *uniques;                 /* unique keys and unique indexes besides the primary key */
	unsigned nuniques;
	struct key *indexes;                 /* those that are not unique */
	unsigned nindexes;
	struct foreign_key *foreign_keys;    /* where this table is the child */
	unsigned nforeign_keys;
	const struct foreign_key **children; /* where this table is the parent */
	unsigned nchildren;
	bool portable;                       /* made by rowd and not altered since */
	const char **reasons;                /* why not; nreasons 0 when portable */
	unsigned nreasons;
	const char *row_id;                  /* a hidden unique column to use for want of a primary key
	                                        ("rowid" on SQLite), or NULL */
	bool writable;                       /* false for views, virtual tables, engines without transactions */
	bool transactional;
};

struct catalog;

/* An empty catalog to be filled by a driver's `describe`. NULL when memory runs out. */
struct catalog *catalog_new(int64_t version);

/* Memory that lives as long as the catalog, while it is being built. */
struct arena *catalog_arena(struct catalog *c);

/* A table named name (copied), to be filled in place; NULL when memory runs out. Pointers returned
 * earlier stay valid. */
struct table *catalog_add_table(struct catalog *c, const char *name);

/*
 * Done building: sort tables by name and keys by their columns, resolve foreign keys' parents and
 * references by name (left by the driver in parent_name and reference_names), fill children, decide
 * `portable` with what can be said without the driver. ROWD_E_NO_RESOURCE.
 */
ROWD_MUST_CHECK enum rowd_code catalog_seal(struct catalog *c, struct err *err);

/* A driver adds a reason why a table lies outside the swap guarantee; copied. */
void catalog_add_reason(struct catalog *c, struct table *t, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

struct catalog *catalog_ref(struct catalog *c);
void catalog_unref(struct catalog *c);     /* NULL is fine */

int64_t catalog_version(const struct catalog *c);

/* By name, exactly; NULL when there is none. Tables named _rowd_... are not found. */
const struct table *catalog_find(const struct catalog *c, const char *name, size_t len);

/* One of rowd's own tables ("_rowd_..."), which nobody else can name; NULL when it was not made yet. */
const struct table *catalog_own(const struct catalog *c, const char *name);

/* Those that may be listed, in order of name. */
size_t catalog_count(const struct catalog *c);
const struct table *catalog_at(const struct catalog *c, size_t i);

/* Is it a name that rowd would give a table or a column? */
bool catalog_name_is_ours(const char *name);

const struct column *table_column(const struct table *t, const char *name, size_t len);

/* What makes every row distinct: the primary key's columns. Zero when the table has none. */
static inline unsigned table_key_columns(const struct table *t) { return t->primary_key.ncolumns; }

bool key_has_column(const struct key *k, const struct column *c);

#endif
