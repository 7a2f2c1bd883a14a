/*
 * SQL text is born here and nowhere else: statements as structures, rendered for a dialect into
 * text, the values bound to it and the types of the columns it answers.
 *
 * Names come from the catalog, values are always bound. Pure. Thread: any.
 */
#ifndef ROWD_SQL_SQL_H
#define ROWD_SQL_SQL_H

#include "daemon/plan/catalog.h"
#include "daemon/plan/filter.h"
#include "daemon/sql/dialect.h"

/* A rendered statement, ready for db_exec. Clear and use again: sql_clear keeps the memory. */
struct sql {
	struct buf text;              /* owned; NUL-terminated after rendering, the NUL not in len */
	struct value *params;         /* owned array; what the values point at is borrowed */
	size_t nparams, params_cap;
	struct type *types;           /* owned; one per result column */
	size_t ntypes, types_cap;
	bool failed;                  /* memory ran out, or a limit of the text was passed */
	bool keyless;                 /* failed, for want of what tells the rows of the table apart */
	/* Of a statement about one row: */
	const struct table *row_of;   /* text is still to be written, see sql_write; NULL: it is there */
	uint64_t known;               /* what no statement of another text has, of any schema; 0: there is
	                                 only the text to know it by */
};

enum { SQL_TEXT_MAX_BYTES = 16 * 1024 * 1024 };

void sql_init(struct sql *s);
void sql_fini(struct sql *s);
void sql_clear(struct sql *s);

/* Look before running: ROWD_E_NO_RESOURCE when s->failed, UNSUPPORTED when s->keyless. All functions below
 * begin with sql_clear. */
ROWD_MUST_CHECK enum rowd_code sql_check(const struct sql *s, struct err *err);

struct order_term {
	const struct column *column;
	bool descending;
	bool nulls_last;              /* where null goes; ascending default false, descending default true */
};

enum aggregate_fn { AGG_COUNT_ROWS, AGG_COUNT, AGG_COUNT_DISTINCT, AGG_SUM, AGG_MIN, AGG_MAX, AGG_AVG };

struct aggregate_term {
	enum aggregate_fn fn;
	const struct column *column;  /* NULL for AGG_COUNT_ROWS */
};

struct select_stmt {
	const struct table *table;
	const struct column **columns;   /* with aggregates: the group_by columns, first in the result */
	unsigned ncolumns;               /* 0, and none of what follows: table->row_id, as an int */
	const struct aggregate_term *aggregates;
	unsigned naggregates;            /* AGG_SUM and AGG_AVG answer the exact sum as text, "-123", of a decimal
	                                    counted in its last decimal ("1250" is 12.50 of decimal(10,2)),
	                                    AGG_AVG also the count, as a column of its own behind it */
	bool grouped;                    /* GROUP BY columns */
	const struct pred *where;
	const struct order_term *order;  /* the whole order, primary key included, is the caller's */
	unsigned norder;
	bool order_by_row_id;            /* append table->row_id, for a table without a primary key */
	int64_t limit;                   /* -1: none */
	int64_t offset;                  /* 0: none */
	bool distinct;
	bool for_update;
	bool one;                        /* SELECT 1: only whether there is a row */
	bool count;                      /* SELECT COUNT(*); with a limit, it counts no further */
};

void sql_select(struct sql *s, const struct dialect *d, const struct select_stmt *q);

/* INSERT of nrows rows, values[r * ncolumns + c]; every row gives the same columns. ncolumns 0: one
 * row of defaults. */
void sql_insert(struct sql *s, const struct dialect *d, const struct table *t,
		const struct column *const *columns, unsigned ncolumns,
		const struct value *values, size_t nrows);

enum set_op { SET_VALUE, SET_ADD, SET_SUBTRACT, SET_MULTIPLY };

struct set_term {
	const struct column *column;
	enum set_op op;
	struct operand x, y;          /* SET_VALUE: x only. Columns are read as they were before.
	                                 Ints for an int column. For a decimal column: + and - of its own
	                                 scale, * also of another or of ints */
};

/* keyed_by, for delete and update: NULL, or the statement whose rows (primary keys, in its order,
 * with its limit) are meant; where is then not used. */
void sql_update(struct sql *s, const struct dialect *d, const struct table *t,
		const struct set_term *sets, unsigned nsets, const struct pred *where,
		const struct select_stmt *keyed_by);
void sql_delete(struct sql *s, const struct dialect *d, const struct table *t,
		const struct pred *where, const struct select_stmt *keyed_by);

/*
 * All columns of the row of t that has this primary key, and the deletion of it: the same text whatever the
 * key. So it is known by s->known, and written by sql_write only where it was not prepared before.
 * False, and s is as it was: the text depends on such a key. Take sql_select, sql_delete.
 */
bool sql_select_row(struct sql *s, const struct table *t, const struct value *key);
bool sql_delete_row(struct sql *s, const struct table *t, const struct value *key);

/* See to it that the text is there, whatever the statement. */
void sql_write(struct sql *s);

/* ---- schema ---- */

struct column_def {
	const char *name;
	struct type type;
	bool nullable, generated, has_default;
	struct value dflt;
};

struct key_def {
	const char *columns[INDEX_MAX_COLUMNS];
	unsigned ncolumns;
	bool unique;
	char name[FOREIGN_NAME_MAX_BYTES + 1];
};

struct foreign_key_def {
	struct key_def columns;                 /* of the child; name is the constraint's */
	const struct table *parent;             /* NULL when it is the table itself */
	const char *references[INDEX_MAX_COLUMNS];
	enum fk_action on_delete;
};

struct table_def {
	const char *name;
	struct column_def *columns;       unsigned ncolumns;
	struct key_def primary_key;
	struct key_def *uniques;          unsigned nuniques;
	struct key_def *indexes;          unsigned nindexes;
	struct foreign_key_def *foreign_keys; unsigned nforeign_keys;
};

/* Where dialect.indexes_in_table is not set, the uniques and indexes are left for sql_create_index. */
void sql_create_table(struct sql *s, const struct dialect *d, const struct table_def *t);
void sql_create_index(struct sql *s, const struct dialect *d, const char *table, const struct key_def *k);
void sql_drop_index(struct sql *s, const struct dialect *d, const struct table *t, const struct key *k);
void sql_drop_table(struct sql *s, const struct dialect *d, const struct table *t);
void sql_add_column(struct sql *s, const struct dialect *d, const struct table *t, const struct column_def *c);

/* The table of rowd's own types, where dialect.types_in_table is set: made, filled, and forgotten
 * with its table. The names are borrowed until s has been run. */
void sql_create_types(struct sql *s, const struct dialect *d);
void sql_add_type(struct sql *s, const struct dialect *d, const char *table, const char *column, const char *type);
void sql_drop_types(struct sql *s, const struct dialect *d, const char *table);

/* "SAVEPOINT rowd_<n>", "ROLLBACK TO rowd_<n>", "RELEASE rowd_<n>" */
enum savepoint_verb { SAVEPOINT_SET, SAVEPOINT_ROLLBACK, SAVEPOINT_RELEASE };
void sql_savepoint(struct sql *s, const struct dialect *d, enum savepoint_verb verb, unsigned n);

#endif
