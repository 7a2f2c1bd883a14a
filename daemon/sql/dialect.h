/*
 * How one family of databases spells things. Facts and small functions, no state.
 *
 * Thread: any.
 */
#ifndef ROWD_SQL_DIALECT_H
#define ROWD_SQL_DIALECT_H

#include <stdbool.h>

#include "proto/value.h"

struct column;
struct column_def;
struct level;
struct pred;
struct render;
struct set_term;
struct sql;

struct dialect {
	const char *name;                   /* "sqlite", "mariadb", "mysql", "mysql57" */
	const char *null_safe_equal;        /* "IS", "<=>" */
	const char *text_collation;         /* of text columns; NULL where text is kept as bytes, or where
	                                       no other than the database's own is wanted */
	bool text_is_bytes;                 /* text is stored as bytes: lengths count bytes there */
	bool lists_are_one_param;           /* IN (SELECT value FROM rowd_list(?)); else IN (?, ?, ...) */
	unsigned insert_rows_most;          /* of one INSERT: more bring nothing any more */
	unsigned list_most;                 /* where lists are not one param: one of more values stands among the
	                                       params as a VALUE_LIST without a `?`, and the text says IN (SELECT
	                                       "value" FROM "_rowd_list_<n>"), n counting such lists from 0: a
	                                       table that the driver fills before it prepares the statement */
	bool has_nulls_first_last;
	bool has_for_update;
	bool default_values_clause;         /* INSERT INTO t DEFAULT VALUES; else () VALUES () */
	bool write_limit;                   /* DELETE ... ORDER BY ... LIMIT; else WHERE key IN (SELECT ...) */
	bool limits_are_bound;              /* LIMIT ?; else the number stands in the text */
	bool sets_at_once;                  /* SET a = b, b = a swaps; else each sees those before it */
	bool copies_own_table;              /* a write cannot select from its own table, only from a copy */
	bool types_in_table;                /* rowd's types stand in _rowd_columns; else in the columns' comments */
	bool indexes_in_table;              /* CREATE TABLE makes the indexes too; else each its own statement */
	bool index_of_table;                /* DROP INDEX ... ON table */
	bool generated_is_primary_key;      /* a generated column's own definition makes it the primary key */
	const char *table_options;          /* behind CREATE TABLE (...) */

	/* Append what stands behind a column's name in its definition: INTEGER NOT NULL CHECK (...) */
	void (*column_type)(struct sql *s, const struct dialect *d, const struct column_def *c);
	/* Append like, prefix, suffix or contains, whose exact forms differ. */
	void (*text_match)(struct render *r, const struct level *l, const struct pred *p);
	/* Append a value bound in a comparison with a column. */
	void (*operand)(struct sql *s, const struct value *v);
	/* Append x op y on ints or decimals so that what does not fit fails the statement. */
	void (*arithmetic)(struct render *r, const struct level *l, const struct set_term *t);
	/* Append the exact sum of an int or decimal column, of a decimal as an int of its last decimals. */
	void (*sum)(struct sql *s, const struct column *c);
};

extern const struct dialect dialect_sqlite;
extern const struct dialect dialect_mariadb;
extern const struct dialect dialect_mysql;      /* MySQL from 8.0.17 on */
extern const struct dialect dialect_mysql57;    /* MySQL without a binary NO PAD collation */

#endif
