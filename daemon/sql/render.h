/*
 * What the files of sql/ share: words, names and values into a statement, and filters.
 *
 * Nothing here fails aloud: s->failed is set and stays. Thread: any.
 */
#ifndef ROWD_SQL_RENDER_H
#define ROWD_SQL_RENDER_H

#include "daemon/sql/sql.h"

/* No statement needs more rows than this. */
#define SQL_EVERY_ROW INT64_MAX

/* One level of a statement: its table, how its columns are qualified, the level directly around. */
struct level {
	const struct table *table;
	const struct level *outer;   /* NULL for the statement itself */
	unsigned depth;              /* of selections, 0 for the statement itself */
	const char *alias;           /* qualifies the columns; NULL: no need to */
};

/* A statement being rendered. */
struct render {
	struct sql *s;
	const struct dialect *d;
	const struct table *written; /* by the statement; NULL when it only reads */
	bool deepest_first;          /* the filter is so deep that a parser's stack has to be minded */
};

/* Inline, for most words are literals, whose lengths the compiler knows. */
static inline void sql_add(struct sql *s, const char *words)
{
	buf_add_str(&s->text, words);
}

/* ---- sql.c ---- */

void sql_addf(struct sql *s, const char *fmt, ...) ROWD_PRINTF(2, 3);
void sql_add_name(struct sql *s, const char *name);                /* "name", quoted */
void sql_add_column_names(struct sql *s, const struct column *const *columns, unsigned n);
void sql_add_names(struct sql *s, const char *const *names, unsigned n);
void sql_add_param(struct sql *s, const struct value *v);          /* ?, and v bound */
void sql_add_param_only(struct sql *s, const struct value *v);     /* v bound, and nothing in the text */
void sql_add_type_of(struct sql *s, struct type t);                /* of a result column */
void sql_finish(struct sql *s);                                    /* every statement ends with it */

/* ---- render_filter.c ---- */

/* " WHERE ..." for the rows of level->table; nothing for NULL. */
void render_where(struct render *r, const struct level *l, const struct pred *where);
void render_column(struct render *r, const struct level *l, const struct column *c);
void render_operand(struct render *r, const struct level *l, const struct operand *o);
void render_left(struct render *r, const struct level *l, const struct pred *p);   /* its column */
uint8_t operand_scale(const struct operand *o);   /* of a decimal; 0 of an int */

/* ---- render_select.c ---- */

/* What tells the rows of a table without a primary key apart. */
void render_row_id(struct render *r, const struct table *t);
void render_order(struct render *r, const struct select_stmt *q);
void render_limit(struct render *r, int64_t limit, int64_t offset);
/* The statement within another: no types, no `finish`. */
void render_select(struct render *r, const struct select_stmt *q);

/* ---- render_schema.c ---- */

/* Text or bytes as a literal, for DEFAULT clauses only; everywhere else values are bound. */
void sql_add_text_literal(struct sql *s, const char *text, size_t len);
void sql_add_bytes_literal(struct sql *s, const char *bytes, size_t len);
void sql_add_float_literal(struct sql *s, double f);
void sql_add_time_literal(struct sql *s, int64_t micros);

#endif
