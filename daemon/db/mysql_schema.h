/*
 * What the files that read a schema share: mysql_schema.c (tables and keys), mysql_column.c (what a
 * column's words mean) and mysql_default.c.
 *
 * Thread: the connection's.
 */
#ifndef ROWD_DB_MYSQL_SCHEMA_H
#define ROWD_DB_MYSQL_SCHEMA_H

#include <strings.h>

#include "daemon/db/mysql_private.h"

/* The columns of mydb_columns_query. */
enum {
	COLUMN_TABLE,
	COLUMN_NAME,
	COLUMN_KIND,
	COLUMN_WORDS,
	COLUMN_NULLABLE,
	COLUMN_DEFAULT,
	COLUMN_EXTRA,
	COLUMN_COLLATION,
	COLUMN_LENGTH,
	COLUMN_DIGITS,
	COLUMN_SCALE,
	COLUMN_FRACTION,
	COLUMN_COMMENT,
	COLUMN_COLUMNS
};

enum { DESCRIBE_COLUMNS_MOST = COLUMN_COLUMNS };

/* How a column is kept, where that is not what rowd would do. */
enum oddity {
	ODD_NOTHING,
	ODD_RANGE, /* it holds less, or more, than the type */
	ODD_COLLATION,
	ODD_PADDING,  /* trailing spaces, or zeros, are lost or added */
	ODD_FRACTION, /* it holds fewer decimals of a second */
	ODD_BYTES     /* text as bytes, or text as text, where this server would have the other */
};

struct nature {
	bool typed;           /* by a comment of rowd's that fits */
	bool bytes;           /* kept as bytes */
	bool asks_default;    /* a default that information_schema cannot tell */
	bool follows_updates; /* the server gives it a value by itself */
	enum oddity oddity;
};

/* A table being described. */
struct building {
	struct table *table;   /* of the catalog */
	struct nature *nature; /* one for each column */
	unsigned ntyped;
	char *key_name;           /* of the last one begun */
	char **foreign_key_names; /* one for each foreign key of the table */
	bool has_triggers;
	bool key_skipped;
	bool key_is_odd; /* the primary key */
};

struct describing {
	struct mydb_conn *conn;     /* borrowed */
	struct catalog *catalog;    /* owned until handed over */
	struct building *buildings; /* owned; sorted by name once all are known */
	size_t nbuildings;
	struct err *err; /* borrowed */
};

/* ---- mysql_schema.c ---- */

/* Without regard to case. */
bool mydb_text_is(const struct value *v, const char *text);
bool mydb_text_has(const struct value *v, const char *text);
int64_t mydb_number_of(const struct value *v); /* 0 for what is none */
char *mydb_copy(struct describing *d, const struct value *v);

/* ---- mysql_column.c ---- */

extern const char mydb_columns_query[];

/* Fill in column's type and whether it is generated or computed, from a row of mydb_columns_query; all but
 * its default. */
struct nature mydb_judge_column(struct describing *d, struct building *b, struct column *column,
				const struct value *row);

/* Add the reasons that follow from how the column is kept. */
void mydb_judge_storage(struct describing *d, struct table *t, const struct column *column,
			const struct nature *nature);

/* ---- mysql_default.c ---- */

/* Fill in column's default from a row of mydb_columns_query; nature->asks_default where that cannot tell. */
enum rowd_code mydb_judge_default(struct describing *d, const struct value *row, struct column *column,
				  struct nature *nature);

/* Ask for those defaults of the table that have to be asked for. */
enum rowd_code mydb_ask_defaults(struct describing *d, struct building *b);

#endif
