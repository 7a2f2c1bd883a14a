/*
 * SELECT: rows, keys, counts and aggregates.
 */
#include "config.h"

#include "daemon/sql/render.h"

/* What an aggregate is called in a statement that has to name it. */
static void render_aggregate(struct render *r, const struct aggregate_term *a)
{
	static const char *const openings[] = {
		[AGG_COUNT_ROWS] = "COUNT(*",
		[AGG_COUNT] = "COUNT(",
		[AGG_COUNT_DISTINCT] = "COUNT(DISTINCT ",
		[AGG_SUM] = NULL,
		[AGG_MIN] = "MIN(",
		[AGG_MAX] = "MAX(",
		[AGG_AVG] = NULL,
	};

	if (a->fn == AGG_SUM || a->fn == AGG_AVG) {
		r->d->sum(r->s, a->column);
		if (a->fn == AGG_SUM)
			return;
		sql_add(r->s, ", COUNT(");
		sql_add_name(r->s, a->column->name);
	} else {
		sql_add(r->s, openings[a->fn]);
		if (a->fn != AGG_COUNT_ROWS)
			sql_add_name(r->s, a->column->name);
	}
	sql_add(r->s, ")");
}

static bool is_plain(const struct select_stmt *q)
{
	return !q->one && !q->count;
}

/* No columns, no aggregates: what tells the rows of a table without a primary key apart. */
static bool selects_row_id(const struct select_stmt *q)
{
	return is_plain(q) && q->ncolumns == 0 && q->naggregates == 0;
}

void render_row_id(struct render *r, const struct table *t)
{
	if (t->row_id)
		sql_add_name(r->s, t->row_id);
	else
		r->s->failed = r->s->keyless = true;
}

static void render_results(struct render *r, const struct select_stmt *q)
{
	unsigned i;

	if (!is_plain(q)) {
		sql_add(r->s, q->count ? "COUNT(*)" : "1");
		return;
	}
	if (selects_row_id(q)) {
		render_row_id(r, q->table);
		return;
	}
	sql_add_column_names(r->s, q->columns, q->ncolumns);
	for (i = 0; i < q->naggregates; i++) {
		if (i || q->ncolumns)
			sql_add(r->s, ", ");
		render_aggregate(r, &q->aggregates[i]);
	}
}

/* Null goes first in an ascending order and last in a descending one, unless told otherwise. */
static void render_order_term(struct render *r, const struct order_term *o)
{
	bool turned = o->nulls_last != o->descending && o->column->nullable;

	if (turned && !r->d->has_nulls_first_last) {
		sql_add_name(r->s, o->column->name);
		sql_add(r->s, o->nulls_last ? " IS NULL, " : " IS NULL DESC, ");
	}
	sql_add_name(r->s, o->column->name);
	if (o->descending)
		sql_add(r->s, " DESC");
	if (turned && r->d->has_nulls_first_last)
		sql_add(r->s, o->nulls_last ? " NULLS LAST" : " NULLS FIRST");
}

void render_order(struct render *r, const struct select_stmt *q)
{
	unsigned i;

	if (q->norder == 0 && !q->order_by_row_id)
		return;
	sql_add(r->s, " ORDER BY ");
	for (i = 0; i < q->norder; i++) {
		if (i)
			sql_add(r->s, ", ");
		render_order_term(r, &q->order[i]);
	}
	if (q->order_by_row_id) {
		if (q->norder)
			sql_add(r->s, ", ");
		render_row_id(r, q->table);
	}
}

static void render_row_count(struct render *r, int64_t n)
{
	struct value v = value_int(n);

	if (r->d->limits_are_bound)
		sql_add_param(r->s, &v);
	else
		sql_addf(r->s, "%lld", (long long)n);
}

void render_limit(struct render *r, int64_t limit, int64_t offset)
{
	if (limit < 0 && offset <= 0)
		return;
	sql_add(r->s, " LIMIT ");
	render_row_count(r, limit < 0 ? SQL_EVERY_ROW : limit);
	if (offset > 0) {
		sql_add(r->s, " OFFSET ");
		render_row_count(r, offset);
	}
}

static void render_group(struct render *r, const struct select_stmt *q)
{
	if (!q->grouped || q->ncolumns == 0)
		return;
	sql_add(r->s, " GROUP BY ");
	sql_add_column_names(r->s, q->columns, q->ncolumns);
}

/* From FROM to the end. */
static void render_rest(struct render *r, const struct select_stmt *q)
{
	const struct level top = { .table = q->table };

	sql_add(r->s, " FROM ");
	sql_add_name(r->s, q->table->name);
	render_where(r, &top, q->where);
	render_group(r, q);
	render_order(r, q);
	render_limit(r, q->limit, q->offset);
}

/* A count that stops early counts the rows of a selection that does. */
static void render_limited_count(struct render *r, const struct select_stmt *q)
{
	sql_add(r->s, "SELECT COUNT(*) FROM (SELECT 1");
	render_rest(r, q);
	sql_add(r->s, ") AS ");
	sql_add_name(r->s, "_rowd_0");
}

void render_select(struct render *r, const struct select_stmt *q)
{
	if (q->count && (q->limit >= 0 || q->offset > 0)) {
		render_limited_count(r, q);
		return;
	}
	sql_add(r->s, q->distinct ? "SELECT DISTINCT " : "SELECT ");
	render_results(r, q);
	render_rest(r, q);
	if (q->for_update && r->d->has_for_update)
		sql_add(r->s, " FOR UPDATE");
}

/* ---- types of the answer ---- */

static void add_aggregate_types(struct sql *s, const struct aggregate_term *a)
{
	static const struct type count = { .kind = TYPE_INT }, sum = { .kind = TYPE_TEXT };

	switch (a->fn) {
	case AGG_COUNT_ROWS:
	case AGG_COUNT:
	case AGG_COUNT_DISTINCT:
		sql_add_type_of(s, count);
		break;
	case AGG_SUM:
		sql_add_type_of(s, sum);
		break;
	case AGG_AVG:
		sql_add_type_of(s, sum);
		sql_add_type_of(s, count);
		break;
	case AGG_MIN:
	case AGG_MAX:
		sql_add_type_of(s, a->column->type);
		break;
	}
}

static void add_types(struct sql *s, const struct select_stmt *q)
{
	static const struct type number = { .kind = TYPE_INT };
	unsigned i;

	if (!is_plain(q) || selects_row_id(q)) {
		sql_add_type_of(s, number);
		return;
	}
	for (i = 0; i < q->ncolumns; i++)
		sql_add_type_of(s, q->columns[i]->type);
	for (i = 0; i < q->naggregates; i++)
		add_aggregate_types(s, &q->aggregates[i]);
}

void sql_select(struct sql *s, const struct dialect *d, const struct select_stmt *q)
{
	struct render r = { .s = s, .d = d };

	sql_clear(s);
	render_select(&r, q);
	add_types(s, q);
	sql_finish(s);
}
