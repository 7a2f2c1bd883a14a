/*
 * Requests about the schema: from the wire's maps to definitions that every kind of database can
 * make, checked against the catalog.
 *
 * What is asked for is refused on all databases alike when one of them could not hold it.
 * Pure. Thread: any; definitions live in the arena given and borrow names from the catalog.
 */
#ifndef ROWD_PLAN_SCHEMA_H
#define ROWD_PLAN_SCHEMA_H

#include <msgpack.h>

#include "daemon/plan/catalog.h"
#include "daemon/sql/sql.h"

struct schema_context {
	const struct catalog *catalog;
	const struct limits *limits;
	struct arena *arena;
};

/*
 * create_table's name and map. Indexes that the foreign keys need are added to those asked for, and
 * every key is given its name.
 * BAD_REQUEST for a map of another shape; SCHEMA_INVALID, NOT_PORTABLE, LIMIT, UNKNOWN_COLUMN,
 * UNKNOWN_TABLE for a table that cannot be; TYPE_MISMATCH and its kin for a default.
 */
ROWD_MUST_CHECK enum rowd_code schema_read_table(const struct schema_context *ctx, const char *name, size_t len,
						 const msgpack_object *o, struct table_def *out, struct err *err);

/* add_column's map. */
ROWD_MUST_CHECK enum rowd_code schema_read_column(const struct schema_context *ctx, const struct table *t,
						  const msgpack_object *o, struct column_def *out, struct err *err);

/* create_index's columns: what can be an index of t, named. */
ROWD_MUST_CHECK enum rowd_code schema_read_index(const struct schema_context *ctx, const struct table *t,
						 const msgpack_object *columns, bool unique, struct key_def *out,
						 struct err *err);

/* The index or unique key of t on exactly these columns (an array of str); NULL when there is none. */
const struct key *schema_find_index(const struct table *t, const msgpack_object *columns);

/* Is t what the definition says, but for names of keys and the order of keys? */
bool schema_same(const struct table_def *d, const struct table *t);

/* May t be dropped? FOREIGN_KEY when others refer to it. */
ROWD_MUST_CHECK enum rowd_code schema_check_drop_table(const struct table *t, struct err *err);

/* May k be dropped? FOREIGN_KEY when a foreign key rests on it, UNSUPPORTED when it is part of the
 * table's definition. */
ROWD_MUST_CHECK enum rowd_code schema_check_drop_index(const struct table *t, const struct key *k, struct err *err);

/* ---- schema_rules.c: what a definition that was read has to obey ---- */

/* SCHEMA_INVALID for a name that rowd does not give. what: "table", "column". */
ROWD_MUST_CHECK enum rowd_code schema_check_name(const char *what, const char *name, size_t len, struct err *err);

/* Names are unique, the primary key can be one, keys and rows are short enough for every database. */
ROWD_MUST_CHECK enum rowd_code schema_check_table(const struct table_def *d, struct err *err);

/* A foreign key refers to a key of its parent, of the same types, and closes no circle. fk's columns
 * are put in the order of the parent's key. */
ROWD_MUST_CHECK enum rowd_code schema_check_foreign_key(const struct schema_context *ctx, const struct table_def *d,
							struct foreign_key_def *fk, struct err *err);

/* Can the columns be an index, each of a type and all together? */
ROWD_MUST_CHECK enum rowd_code schema_check_key(const struct table_def *d, const struct key_def *k, struct err *err);

/* The bytes of a row that a column's bounded text or bytes may take. */
size_t schema_bounded_bytes(const struct type *t);

/* t as a definition, for what holds of both; NULL when memory runs out. Defaults and foreign keys
 * are left out. */
struct table_def *schema_define(struct arena *a, const struct table *t);

const struct column_def *schema_column(const struct table_def *d, const char *name);

#endif
