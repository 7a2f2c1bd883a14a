/*
 * The words of MySQL and MariaDB, for sessions as the driver makes them: ANSI_QUOTES,
 * NO_BACKSLASH_ESCAPES and STRICT_ALL_TABLES in sql_mode, utf8mb4, UTC.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "daemon/sql/render.h"

enum { LIST_MOST = 1000, INSERT_ROWS = 256 };

/* ---- columns ---- */

static void add_text_type(struct sql *s, const struct dialect *d, const struct type *t)
{
	if (t->length)
		sql_addf(s, d->text_is_bytes ? " VARBINARY(%u)" : " VARCHAR(%u)",
			 d->text_is_bytes ? 4 * t->length : t->length);
	else
		sql_add(s, d->text_is_bytes ? " LONGBLOB" : " LONGTEXT");
	if (!d->text_is_bytes)
		sql_addf(s, " CHARACTER SET utf8mb4 COLLATE %s", d->text_collation);
}

static void add_storage(struct sql *s, const struct dialect *d, const struct type *t)
{
	switch (t->kind) {
	case TYPE_INT:
		sql_add(s, " BIGINT");
		break;
	case TYPE_BOOL:
		sql_add(s, " TINYINT(1)");
		break;
	case TYPE_FLOAT:
		sql_add(s, " DOUBLE");
		break;
	case TYPE_DECIMAL:
		sql_addf(s, " DECIMAL(%u,%u)", t->digits, t->scale);
		break;
	case TYPE_TEXT:
		add_text_type(s, d, t);
		break;
	case TYPE_BYTES:
		if (t->length)
			sql_addf(s, " VARBINARY(%u)", t->length);
		else
			sql_add(s, " LONGBLOB");
		break;
	case TYPE_TIME:
		sql_add(s, " DATETIME(6)");
		break;
	case TYPE_ANY: /* nothing is made of it */
		s->failed = true;
		break;
	}
}

static void add_decimal_literal(struct sql *s, const struct value *v)
{
	char text[25] = "";

	value_decimal_format(v->u.i, v->scale, text);
	sql_add(s, text);
}

/*
 * InnoDB of 5.7 reads the foreign keys of a CREATE TABLE out of its text by itself, and takes a backslash in a
 * literal for an escape whatever the session says: behind '\\' it would find none. There text is kept as
 * bytes, and bytes can be said otherwise.
 */
static void add_text_default(struct sql *s, const struct dialect *d, const struct value *v)
{
	if (d->text_is_bytes && v->u.s.len && memchr(v->u.s.data, '\\', v->u.s.len))
		sql_add_bytes_literal(s, v->u.s.data, v->u.s.len);
	else
		sql_add_text_literal(s, v->u.s.data, v->u.s.len);
}

static void add_default(struct sql *s, const struct dialect *d, const struct value *v)
{
	sql_add(s, " DEFAULT ");
	switch (v->kind) {
	case VALUE_NULL:
	case VALUE_LIST:
		sql_add(s, "NULL");
		break;
	case VALUE_BOOL:
	case VALUE_INT:
		sql_addf(s, "%lld", (long long)v->u.i);
		break;
	case VALUE_DECIMAL:
		add_decimal_literal(s, v);
		break;
	case VALUE_FLOAT:
		sql_add_float_literal(s, v->u.f);
		break;
	case VALUE_TEXT:
		add_text_default(s, d, v);
		break;
	case VALUE_BYTES:
		sql_add_bytes_literal(s, v->u.s.data, v->u.s.len);
		break;
	case VALUE_TIME:
		sql_add_time_literal(s, v->u.i);
		break;
	}
}

static void mysql_column_type(struct sql *s, const struct dialect *d, const struct column_def *c)
{
	char type[TYPE_TEXT_BYTES];

	add_storage(s, d, &c->type);
	/* said aloud: what it is when left out, the server decides */
	sql_add(s, c->nullable ? " NULL" : " NOT NULL");
	if (c->has_default)
		add_default(s, d, &c->dflt);
	if (c->generated)
		sql_add(s, " AUTO_INCREMENT");
	sql_addf(s, " COMMENT 'rowd %s'", type_format(&c->type, type));
}

/* ---- values ---- */

/* The last half second of the year 9999. */
#define LAST_HALF_SECOND INT64_C(253402300799500000)

/*
 * What a parameter is compared as is said here and not left to how it was sent. MySQL 5.7 rounds a moment to
 * seconds when it looks for it in an index, and finds that the year 10000 is none; a text it does not round.
 */
static void mysql_operand(struct sql *s, const struct value *v)
{
	bool cast = v->kind == VALUE_DECIMAL || v->kind == VALUE_TIME;

	if (v->kind == VALUE_TIME && v->u.i >= LAST_HALF_SECOND) {
		sql_add_time_literal(s, v->u.i);
		return;
	}
	if (cast)
		sql_add(s, "CAST(");
	sql_add_param(s, v);
	if (v->kind == VALUE_DECIMAL)
		sql_addf(s, " AS DECIMAL(%d,%u))", DECIMAL_MAX_DIGITS, v->scale);
	else if (cast)
		sql_add(s, " AS DATETIME(6))");
}

/* ---- text ---- */

static void add_compared(struct render *r, const struct level *l, const struct pred *p, const char *op,
			 const struct operand *o)
{
	render_left(r, l, p);
	sql_addf(r->s, " %s ", op);
	render_operand(r, l, o);
}

/* INSTR of binary collations and of bytes is exact, and 1 of nothing. */
static void add_instr(struct render *r, const struct level *l, const struct pred *p, const char *condition)
{
	sql_add(r->s, "INSTR(");
	render_left(r, l, p);
	sql_add(r->s, ", ");
	render_operand(r, l, &p->rhs[0]);
	sql_addf(r->s, ") %s", condition);
}

/* A range, which an index serves. */
static void add_prefix(struct render *r, const struct level *l, const struct pred *p)
{
	if (p->rhs[0].kind != OPERAND_VALUE) {
		add_instr(r, l, p, "= 1");
		return;
	}
	add_compared(r, l, p, ">=", &p->rhs[0]);
	if (p->rhs[1].value.kind != VALUE_NULL) {
		sql_add(r->s, " AND ");
		add_compared(r, l, p, "<", &p->rhs[1]);
	}
}

/* In what the column's parts are counted: characters of text, unless it is kept as bytes. */
static size_t length_of(const struct dialect *d, const struct value *v)
{
	size_t characters = v->u.s.len;

	if (v->kind == VALUE_TEXT && !d->text_is_bytes && !utf8_valid(v->u.s.data, v->u.s.len, &characters))
		characters = v->u.s.len;
	return characters;
}

static void add_suffix(struct render *r, const struct level *l, const struct pred *p)
{
	sql_add(r->s, "RIGHT(");
	render_left(r, l, p);
	if (p->rhs[0].kind == OPERAND_VALUE) {
		sql_addf(r->s, ", %zu) = ", length_of(r->d, &p->rhs[0].value));
	} else {
		sql_add(r->s, ", CHAR_LENGTH(");
		render_operand(r, l, &p->rhs[0]);
		sql_add(r->s, ")) = ");
	}
	render_operand(r, l, &p->rhs[0]);
}

/* Text kept as bytes is read as text, so that `_` is a character. */
static void add_as_text(struct render *r,
			void (*add)(struct render *, const struct level *, const struct pred *),
			const struct level *l, const struct pred *p)
{
	if (r->d->text_is_bytes)
		sql_add(r->s, "CONVERT(");
	add(r, l, p);
	if (r->d->text_is_bytes)
		sql_add(r->s, " USING utf8mb4)");
}

static void add_right(struct render *r, const struct level *l, const struct pred *p)
{
	render_operand(r, l, &p->rhs[0]);
}

static void add_like(struct render *r, const struct level *l, const struct pred *p)
{
	add_as_text(r, render_left, l, p);
	sql_add(r->s, r->d->text_is_bytes ? " COLLATE utf8mb4_bin LIKE " : " LIKE ");
	if (p->rhs[0].kind == OPERAND_VALUE)
		render_operand(r, l, &p->rhs[0]);
	else
		add_as_text(r, add_right, l, p);
	sql_add(r->s, " ESCAPE '\\'");
}

static void mysql_text_match(struct render *r, const struct level *l, const struct pred *p)
{
	if (p->op == PRED_PREFIX)
		add_prefix(r, l, p);
	else if (p->op == PRED_SUFFIX)
		add_suffix(r, l, p);
	else if (p->op == PRED_CONTAINS)
		add_instr(r, l, p, "> 0");
	else
		add_like(r, l, p);
}

/* ---- numbers ---- */

static void add_zeros(struct sql *s, unsigned n)
{
	while (n-- > 0)
		sql_add(s, "0");
}

/*
 * An operand of arithmetic. Ints are made decimals, whose results are exact until they are stored: on
 * MariaDB 0 - n of the least BIGINT is that again, and what a parameter is, MySQL 8 decides by rules of
 * its own.
 */
static void add_number(struct render *r, const struct level *l, const struct operand *o)
{
	bool is_int =
		o->kind == OPERAND_VALUE ? o->value.kind == VALUE_INT : o->column->type.kind == TYPE_INT;

	if (is_int)
		sql_add(r->s, "CAST(");
	render_operand(r, l, o);
	if (is_int)
		sql_add(r->s, " AS DECIMAL(19,0))");
}

/* An operand as the int of its last decimals. */
static void add_scaled(struct render *r, const struct level *l, const struct operand *o)
{
	unsigned scale = operand_scale(o);

	if (scale == 0) {
		add_number(r, l, o);
		return;
	}
	sql_add(r->s, "CAST(");
	add_number(r, l, o);
	sql_add(r->s, " * 1");
	add_zeros(r->s, scale);
	sql_addf(r->s, " AS DECIMAL(%d,0))", DECIMAL_MAX_DIGITS);
}

static void add_result(struct render *r, const struct level *l, const struct set_term *t)
{
	static const char *const signs[] = {
		[SET_VALUE] = "",
		[SET_ADD] = " + ",
		[SET_SUBTRACT] = " - ",
		[SET_MULTIPLY] = " * ",
	};

	add_number(r, l, &t->x);
	sql_add(r->s, signs[t->op]);
	add_number(r, l, &t->y);
}

/*
 * What does not fit fails by itself, in a strict session. A product of more decimals than the column has
 * would be rounded in silence: such a one is made a number that does not fit.
 */
static void mysql_arithmetic(struct render *r, const struct level *l, const struct set_term *t)
{
	const struct type *type = &t->column->type;
	int drop = (int)operand_scale(&t->x) + (int)operand_scale(&t->y) - (int)type->scale;

	if (type->kind != TYPE_DECIMAL || t->op != SET_MULTIPLY || drop <= 0) {
		add_result(r, l, t);
		return;
	}
	sql_add(r->s, "CASE WHEN MOD(");
	add_scaled(r, l, &t->x);
	sql_add(r->s, " * ");
	add_scaled(r, l, &t->y);
	sql_add(r->s, ", 1");
	add_zeros(r->s, (unsigned)drop);
	sql_add(r->s, ") <> 0 THEN 1");
	add_zeros(r->s, (unsigned)(type->digits - type->scale));
	sql_add(r->s, " ELSE ");
	add_result(r, l, t);
	sql_add(r->s, " END");
}

static void mysql_sum(struct sql *s, const struct column *c)
{
	bool decimal = c->type.kind == TYPE_DECIMAL && c->type.scale > 0;

	sql_add(s, decimal ? "CAST(CAST(SUM(" : "CAST(SUM(");
	sql_add_name(s, c->name);
	if (decimal) {
		sql_add(s, ") * 1");
		add_zeros(s, c->type.scale);
		sql_add(s, " AS DECIMAL(65,0)");
	}
	sql_add(s, ") AS CHAR)");
}

#define MYSQL_FAMILY \
	.null_safe_equal = "<=>", .insert_rows_most = INSERT_ROWS, .list_most = LIST_MOST, \
	.has_for_update = true, .write_limit = true, \
	.indexes_in_table = true, .index_of_table = true, \
	.table_options = " ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 ROW_FORMAT=DYNAMIC", \
	.column_type = mysql_column_type, .text_match = mysql_text_match, .operand = mysql_operand, \
	.arithmetic = mysql_arithmetic, .sum = mysql_sum

const struct dialect dialect_mariadb = {
	MYSQL_FAMILY,
	.name = "mariadb",
	.text_collation = "utf8mb4_nopad_bin",
};

const struct dialect dialect_mysql = {
	MYSQL_FAMILY,
	.name = "mysql",
	.text_collation = "utf8mb4_0900_bin",
	.copies_own_table = true,
};

const struct dialect dialect_mysql57 = {
	MYSQL_FAMILY,
	.name = "mysql57",
	.text_is_bytes = true,
	.copies_own_table = true,
};
