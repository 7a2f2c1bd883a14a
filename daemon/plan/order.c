/*
 * The order of rows: read, made total, and gone on from.
 */
#include "config.h"

#include <string.h>

#include "daemon/plan/plan.h"
#include "daemon/plan/pred.h"

enum {
	/* More terms would make `after` a condition that no database takes. */
	ORDER_MAX_TERMS = TABLE_MAX_COLUMNS,
	ORDER_ALL_TERMS = ORDER_MAX_TERMS + INDEX_MAX_COLUMNS * 2
};

/* An order while it is being put together. */
struct ordering {
	struct exec *x;
	const struct table *table;
	bool *seen; /* by column position */
	struct plan_order *out;
};

static enum rowd_code no_memory(struct err *err)
{
	return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the order");
}

/* ---- terms ---- */

static bool cut_suffix(struct plan_term *t, const char *suffix)
{
	size_t n = strlen(suffix);

	if (t->len < n || memcmp(t->name + t->len - n, suffix, n) != 0)
		return false;
	t->len -= n;
	return true;
}

void plan_read_term(const msgpack_object *o, struct plan_term *out)
{
	*out = (struct plan_term){ .name = o->via.str.size > 0 ? o->via.str.ptr : "",
				   .len = o->via.str.size };
	if (out->len > 0 && out->name[0] == '-') {
		out->descending = true;
		out->name++;
		out->len--;
	}
	if (cut_suffix(out, " nulls last"))
		out->nulls_last = true;
	else if (!cut_suffix(out, " nulls first"))
		out->nulls_last = out->descending;
}

/* Unbounded text and bytes have no order that is the same everywhere; a primary key has one whatever it is of. */
static enum rowd_code check_orderable(const struct table *t, const struct column *c, struct err *err)
{
	if (type_is_orderable(&c->type) || key_has_column(&t->primary_key, c))
		return ROWD_OK;
	err_set(err, ROWD_E_UNSUPPORTED,
		"rows are not ordered by column %s, which has no bounded length or type", c->name);
	err_where(err, t->name, c->name);
	return ROWD_E_UNSUPPORTED;
}

static bool ordering_init(struct ordering *o, struct exec *x, const struct table *table,
			  struct plan_order *out)
{
	*o = (struct ordering){ .x = x, .table = table, .out = out };
	*out = (struct plan_order){ .terms = NULL };
	o->seen = arena_calloc(x->arena, table->ncolumns, sizeof *o->seen);
	out->terms = arena_alloc(x->arena, table->ncolumns * sizeof *out->terms);
	return o->seen && out->terms;
}

/* Each column stands once, so there is always room. */
static void add(struct ordering *o, const struct column *column, bool descending, bool nulls_last)
{
	o->out->terms[o->out->nterms++] = (struct order_term){ column, descending, nulls_last };
	o->seen[column->position] = true;
}

static void add_unless_seen(struct ordering *o, const struct column *column)
{
	if (!o->seen[column->position])
		add(o, column, false, false);
}

static enum rowd_code read_term(struct ordering *o, const msgpack_object *text, struct err *err)
{
	msgpack_object name = { .type = MSGPACK_OBJECT_STR };
	const struct column *column;
	struct plan_term term;
	enum rowd_code rc;

	plan_read_term(text, &term);
	name.via.str.ptr = term.name;
	name.via.str.size = (uint32_t)term.len;
	rc = plan_column(o->table, &name, &column, err);
	if (!rc)
		rc = check_orderable(o->table, column, err);
	if (rc)
		return rc;
	if (o->seen[column->position]) {
		err_set(err, ROWD_E_BAD_REQUEST, "order names column %s twice", column->name);
		err_where(err, o->table->name, column->name);
		return ROWD_E_BAD_REQUEST;
	}
	add(o, column, term.descending, term.nulls_last);
	return ROWD_OK;
}

static enum rowd_code read_terms(struct ordering *o, const msgpack_object *terms, struct err *err)
{
	enum rowd_code rc = ROWD_OK;

	if (!terms)
		return ROWD_OK;
	if (terms->via.array.size == 0)
		return err_set(err, ROWD_E_BAD_REQUEST, "an order names one column at least");
	if (terms->via.array.size > ORDER_MAX_TERMS)
		return err_limit(err, ORDER_MAX_TERMS, "an order of %u columns",
				 (unsigned)terms->via.array.size);
	for (uint32_t i = 0; i < terms->via.array.size && !rc; i++)
		rc = read_term(o, &terms->via.array.ptr[i], err);
	o->out->ngiven = o->out->nterms;
	return rc;
}

/* ---- whole orders ---- */

/* The primary key decides between rows that are equal so far; else the row's number; else, as in a view,
 * all that has an order. */
static void make_total(struct ordering *o)
{
	const struct key *key = &o->table->primary_key;
	unsigned i;

	for (i = 0; i < key->ncolumns; i++)
		add_unless_seen(o, key->columns[i]);
	if (key->ncolumns)
		return;
	o->out->by_row_id = o->table->row_id != NULL;
	for (i = 0; i < o->table->ncolumns && !o->out->by_row_id && o->out->nterms < ORDER_MAX_TERMS; i++)
		if (type_is_orderable(&o->table->columns[i].type))
			add_unless_seen(o, &o->table->columns[i]);
}

enum rowd_code plan_order(struct exec *x, const struct table *table, const msgpack_object *o,
			  struct plan_order *out, struct err *err)
{
	struct ordering ordering;
	enum rowd_code rc;

	if (!ordering_init(&ordering, x, table, out))
		return no_memory(err);
	rc = read_terms(&ordering, o, err);
	if (!rc)
		make_total(&ordering);
	return rc;
}

static bool is_among(const struct plan_columns *columns, const struct column *c)
{
	for (unsigned i = 0; i < columns->n; i++)
		if (columns->list[i] == c)
			return true;
	return false;
}

enum rowd_code plan_order_distinct(struct exec *x, const struct table *table, const msgpack_object *o,
				   const struct plan_columns *columns, struct plan_order *out,
				   struct err *err)
{
	struct ordering ordering;
	enum rowd_code rc;
	unsigned i;

	if (!ordering_init(&ordering, x, table, out))
		return no_memory(err);
	if (columns->n > ORDER_MAX_TERMS)
		return err_limit(err, ORDER_MAX_TERMS, "the number of columns of distinct rows");
	rc = read_terms(&ordering, o, err);
	for (i = 0; i < out->nterms && !rc; i++)
		if (!is_among(columns, out->terms[i].column))
			rc = err_set(err, ROWD_E_BAD_REQUEST,
				     "these rows are ordered by the columns they have, "
				     "which %s is not",
				     out->terms[i].column->name);
	for (i = 0; i < columns->n && !rc; i++) {
		rc = check_orderable(table, columns->list[i], err);
		if (!rc)
			add_unless_seen(&ordering, columns->list[i]);
	}
	return rc;
}

/* ---- going on behind a row ---- */

/* Rows whose value of the term comes behind v; NULL with *none_out when none does. */
static const struct pred *term_behind(struct arena *a, const struct order_term *t, const struct value *v,
				      bool *none_out)
{
	const struct pred *kids[2];

	*none_out = v->kind == VALUE_NULL && t->nulls_last;
	if (*none_out)
		return NULL;
	if (v->kind == VALUE_NULL)
		return pred_null(a, PRED_NOT_NULL, t->column);
	kids[0] = pred_compare(a, t->descending ? PRED_LT : PRED_GT, t->column, v);
	if (!t->nulls_last || !t->column->nullable)
		return kids[0];
	kids[1] = pred_null(a, PRED_IS_NULL, t->column);
	return pred_join(a, PRED_OR, kids, 2);
}

/* Where nulls do not come last, rows behind this one begin at its own value: a bound that an index can use. */
static const struct pred *first_bound(struct arena *a, const struct order_term *t, const struct value *v,
				      const struct pred *behind)
{
	const struct pred *kids[2] = { NULL, behind };

	if (v->kind == VALUE_NULL || (t->nulls_last && t->column->nullable))
		return behind;
	kids[0] = pred_compare(a, t->descending ? PRED_LE : PRED_GE, t->column, v);
	return pred_join(a, PRED_AND, kids, 2);
}

/* Equal in all terms before the i-th, and behind in that one. */
static const struct pred *behind_at(struct arena *a, const struct plan_order *order,
				    const struct value *values, unsigned i, const struct pred *behind)
{
	const struct pred *kids[ORDER_ALL_TERMS];
	unsigned k;

	for (k = 0; k < i; k++)
		kids[k] = pred_equals(a, &order->terms[k].column, &values[k], 1);
	kids[k++] = behind;
	return pred_join(a, PRED_AND, kids, k);
}

const struct pred *plan_after(struct arena *a, const struct plan_order *order, const struct value *values)
{
	const struct pred *kids[ORDER_ALL_TERMS];
	unsigned i, n = 0;
	bool none;

	for (i = 0; i < order->nterms; i++) {
		const struct pred *behind = term_behind(a, &order->terms[i], &values[i], &none);

		if (!none)
			kids[n++] = behind_at(a, order, values, i, behind);
	}
	if (n == 0)
		return pred_in_list(a, order->terms[0].column, NULL, 0);
	if (order->nterms == 1)
		return kids[0];
	return first_bound(a, &order->terms[0], &values[0], pred_join(a, PRED_OR, kids, n));
}
