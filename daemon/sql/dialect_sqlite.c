/*
 * SQLite's words. The functions named rowd_... are the driver's (daemon/db/sqlite_functions.c).
 */
#include "config.h"

#include <stdio.h>

#include "daemon/sql/render.h"

/* ---- columns ---- */

static void add_check(struct sql *s, const struct column_def *c, const char *function, const char *condition)
{
	sql_addf(s, " CHECK (%s", function);
	sql_add_name(s, c->name);
	sql_addf(s, "%s)", condition);
}

static void add_length_check(struct sql *s, const struct column_def *c)
{
	char condition[32];

	if (c->type.length == 0)
		return;
	snprintf(condition, sizeof condition, ") <= %u", (unsigned)c->type.length);
	add_check(s, c, "length(", condition);
}

static void add_default(struct sql *s, const struct value *v)
{
	sql_add(s, " DEFAULT ");
	switch (v->kind) {
	case VALUE_NULL:
	case VALUE_LIST:
		sql_add(s, "NULL");
		break;
	case VALUE_BOOL:
	case VALUE_INT:
	case VALUE_DECIMAL:
		sql_addf(s, "%lld", (long long)v->u.i);
		break;
	case VALUE_FLOAT:
		sql_add_float_literal(s, v->u.f);
		break;
	case VALUE_TEXT:
		sql_add_text_literal(s, v->u.s.data, v->u.s.len);
		break;
	case VALUE_BYTES:
		sql_add_bytes_literal(s, v->u.s.data, v->u.s.len);
		break;
	case VALUE_TIME:
		sql_add_time_literal(s, v->u.i);
		break;
	}
}

static void sqlite_column_type(struct sql *s, const struct dialect *d, const struct column_def *c)
{
	static const char *const storage[] = {
		[TYPE_INT] = " INTEGER",     [TYPE_BOOL] = " INTEGER", [TYPE_FLOAT] = " REAL",
		[TYPE_DECIMAL] = " INTEGER", [TYPE_TEXT] = " TEXT",    [TYPE_BYTES] = " BLOB",
		[TYPE_TIME] = " TEXT",       [TYPE_ANY] = " ANY",
	};

	(void)d;
	sql_add(s, storage[c->type.kind]);
	if (c->generated) {
		sql_add(s, " NOT NULL PRIMARY KEY AUTOINCREMENT");
		return;
	}
	if (!c->nullable)
		sql_add(s, " NOT NULL");
	if (c->has_default)
		add_default(s, &c->dflt);
	if (c->type.kind == TYPE_BOOL)
		add_check(s, c, "", " IN (0, 1)");
	if (c->type.kind == TYPE_TEXT || c->type.kind == TYPE_BYTES)
		add_length_check(s, c);
}

/* ---- text ---- */

static void add_call(struct render *r, const struct level *l, const struct pred *p, const char *function)
{
	sql_addf(r->s, "%s(", function);
	render_left(r, l, p);
	sql_add(r->s, ", ");
	render_operand(r, l, &p->rhs[0]);
	sql_add(r->s, ")");
}

static void add_compared(struct render *r, const struct level *l, const struct pred *p, const char *op,
			 const struct operand *o)
{
	render_left(r, l, p);
	sql_addf(r->s, " %s ", op);
	render_operand(r, l, o);
}

/* A range, which an index serves; against another column, a search that has to end at once. */
static void add_prefix(struct render *r, const struct level *l, const struct pred *p)
{
	if (p->rhs[0].kind != OPERAND_VALUE) {
		add_call(r, l, p, "instr");
		sql_add(r->s, " = 1");
		return;
	}
	add_compared(r, l, p, ">=", &p->rhs[0]);
	if (p->rhs[1].value.kind != VALUE_NULL) {
		sql_add(r->s, " AND ");
		add_compared(r, l, p, "<", &p->rhs[1]);
	}
}

/* The bytes of text: its length and parts are then exact, whatever it holds. */
static void add_left_bytes(struct render *r, const struct level *l, const struct pred *p)
{
	sql_add(r->s, "CAST(");
	render_left(r, l, p);
	sql_add(r->s, " AS BLOB)");
}

static void add_right_bytes(struct render *r, const struct level *l, const struct pred *p)
{
	sql_add(r->s, "CAST(");
	render_operand(r, l, &p->rhs[0]);
	sql_add(r->s, " AS BLOB)");
}

static void add_suffix_of_column(struct render *r, const struct level *l, const struct pred *p)
{
	sql_add(r->s, "length(");
	add_left_bytes(r, l, p);
	sql_add(r->s, ") >= length(");
	add_right_bytes(r, l, p);
	/* substr() of an empty blob is NULL: a byte in front, and the count one further on */
	sql_add(r->s, ") AND substr(CAST('x' || ");
	render_left(r, l, p);
	sql_add(r->s, " AS BLOB), 2 + length(");
	add_left_bytes(r, l, p);
	sql_add(r->s, ") - length(");
	add_right_bytes(r, l, p);
	sql_add(r->s, ")) = ");
	add_right_bytes(r, l, p);
}

static void add_suffix(struct render *r, const struct level *l, const struct pred *p)
{
	size_t len = p->rhs[0].kind == OPERAND_VALUE ? p->rhs[0].value.u.s.len : 0;

	if (p->rhs[0].kind != OPERAND_VALUE) {
		add_suffix_of_column(r, l, p);
		return;
	}
	if (len == 0) {
		add_call(r, l, p, "instr");
		sql_add(r->s, " > 0");
		return;
	}
	sql_add(r->s, "length(");
	add_left_bytes(r, l, p);
	sql_addf(r->s, ") >= %zu AND substr(", len);
	add_left_bytes(r, l, p);
	sql_addf(r->s, ", -%zu) = ", len);
	add_right_bytes(r, l, p);
}

static void sqlite_text_match(struct render *r, const struct level *l, const struct pred *p)
{
	if (p->op == PRED_PREFIX) {
		add_prefix(r, l, p);
	} else if (p->op == PRED_SUFFIX) {
		add_suffix(r, l, p);
	} else if (p->op == PRED_CONTAINS) {
		add_call(r, l, p, "instr");
		sql_add(r->s, " > 0");
	} else {
		add_call(r, l, p, "rowd_like");
	}
}

/* ---- numbers ---- */

static int64_t power_of_ten(unsigned n)
{
	int64_t p = 1;

	while (n-- > 0)
		p *= 10;
	return p;
}

/* Decimals are ints of their last decimal: a product has too many of them, or too few. */
static void add_product(struct render *r, const struct level *l, const struct set_term *t)
{
	int drop = (int)operand_scale(&t->x) + (int)operand_scale(&t->y) - (int)t->column->type.scale;

	sql_add(r->s, drop < 0 ? "rowd_mul(rowd_mul(" : "rowd_mul(");
	render_operand(r, l, &t->x);
	sql_add(r->s, ", ");
	render_operand(r, l, &t->y);
	if (drop < 0)
		sql_addf(r->s, "), %lld, 0", (long long)power_of_ten((unsigned)-drop));
	else
		sql_addf(r->s, ", %d", drop);
	sql_addf(r->s, ", %lld)", (long long)power_of_ten(t->column->type.digits));
}

static void sqlite_arithmetic(struct render *r, const struct level *l, const struct set_term *t)
{
	static const char *const functions[] = {
		[SET_VALUE] = "",
		[SET_ADD] = "rowd_add(",
		[SET_SUBTRACT] = "rowd_sub(",
		[SET_MULTIPLY] = "rowd_mul(",
	};
	bool decimal = t->column->type.kind == TYPE_DECIMAL;

	if (decimal && t->op == SET_MULTIPLY) {
		add_product(r, l, t);
		return;
	}
	sql_add(r->s, functions[t->op]);
	render_operand(r, l, &t->x);
	sql_add(r->s, ", ");
	render_operand(r, l, &t->y);
	if (decimal)
		sql_addf(r->s, ", %lld", (long long)power_of_ten(t->column->type.digits));
	sql_add(r->s, ")");
}

static void sqlite_sum(struct sql *s, const struct column *c)
{
	sql_add(s, "rowd_sum(");
	sql_add_name(s, c->name);
	sql_add(s, ")");
}

const struct dialect dialect_sqlite = {
	.name = "sqlite",
	.null_safe_equal = "IS",
	.insert_rows_most = 64,
	.lists_are_one_param = true,
	.has_nulls_first_last = true,
	.default_values_clause = true,
	.limits_are_bound = true,
	.sets_at_once = true,
	.types_in_table = true,
	.generated_is_primary_key = true,
	.table_options = " STRICT",
	.column_type = sqlite_column_type,
	.text_match = sqlite_text_match,
	.operand = sql_add_param,
	.arithmetic = sqlite_arithmetic,
	.sum = sqlite_sum,
};
