/*
 * How one family of databases spells things. Facts and small functions, no state.
 *
 * Thread: any.
 */
#ifndef ROWD_SQL_DIALECT_H
#define ROWD_SQL_DIALECT_H

#include <stdbool.h>

#include "proto/value.h"

struct sql;
struct column_def;
struct pred;

struct dialect {
	const char *name;                   /* "sqlite", "mysql" */
	const char *null_safe_equal;        /* "IS", "<=>" */
	const char *sum_function;           /* "rowd_sum" (exact, of 128 bits), "SUM" */
	bool lists_are_one_param;           /* IN (SELECT value FROM rowd_list(?)); else IN (?, ?, ...) */
	bool has_nulls_first_last;
	bool has_for_update;
	bool default_values_clause;         /* INSERT INTO t DEFAULT VALUES; else () VALUES () */
	bool write_limit;                   /* DELETE ... ORDER BY ... LIMIT; else WHERE key IN (SELECT ...) */
	bool table_options;                 /* ENGINE=..., CHARSET=... behind CREATE TABLE; else STRICT */
	/* Append the storage type and checks of a column: INTEGER NOT NULL CHECK (...) */
	void (*column_type)(struct sql *s, const struct column_def *c);
	/* Append prefix, suffix, contains and like, whose exact forms differ. column is the quoted,
	 * qualified name. */
	void (*text_match)(struct sql *s, const char *column, const struct pred *p);
	/* Append x op y on ints or decimals so that overflow fails the statement. */
	void (*arithmetic)(struct sql *s, const void *set_term);
};

extern const struct dialect dialect_sqlite;
extern const struct dialect dialect_mysql;

#endif
