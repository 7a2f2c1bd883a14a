/*
 * INSERT, UPDATE, DELETE.
 */
#include "config.h"

#include "daemon/sql/render.h"

/* What the rows of an UPDATE are called as they were before. */
static const char old_rows[] = "_rowd_0";

/* ---- insert ---- */

static void add_row(struct sql *s, const struct value *values, unsigned ncolumns)
{
	unsigned i;

	sql_add(s, "(");
	for (i = 0; i < ncolumns; i++) {
		if (i)
			sql_add(s, ", ");
		sql_add_param(s, &values[i]);
	}
	sql_add(s, ")");
}

void sql_insert(struct sql *s, const struct dialect *d, const struct table *t,
		const struct column *const *columns, unsigned ncolumns, const struct value *values,
		size_t nrows)
{
	size_t i;

	sql_clear(s);
	sql_add(s, "INSERT INTO ");
	sql_add_name(s, t->name);
	if (ncolumns == 0) {
		sql_add(s, d->default_values_clause ? " DEFAULT VALUES" : " () VALUES ()");
		sql_finish(s);
		return;
	}
	sql_add(s, " (");
	sql_add_column_names(s, columns, ncolumns);
	sql_add(s, ") VALUES ");
	for (i = 0; i < nrows; i++) {
		if (i)
			sql_add(s, ", ");
		add_row(s, values + i * ncolumns, ncolumns);
	}
	sql_finish(s);
}

/* ---- which rows ---- */

/* The columns of a key, in parentheses when there are several. */
static void add_key(struct render *r, const struct select_stmt *keys)
{
	if (keys->ncolumns > 1)
		sql_add(r->s, "(");
	if (keys->ncolumns > 0)
		sql_add_column_names(r->s, keys->columns, keys->ncolumns);
	else
		render_row_id(r, keys->table);
	if (keys->ncolumns > 1)
		sql_add(r->s, ")");
}

/* " WHERE key IN (...)" */
static void render_keys(struct render *r, const struct select_stmt *keys)
{
	sql_add(r->s, " WHERE ");
	add_key(r, keys);
	sql_add(r->s, " IN (");
	render_select(r, keys);
	sql_add(r->s, ")");
}

/* A write of only some of the rows that match takes the first in an order. */
static void render_rows(struct render *r, const struct level *l, const struct pred *where,
			const struct select_stmt *keyed_by)
{
	if (!keyed_by) {
		render_where(r, l, where);
	} else if (r->d->write_limit) {
		render_where(r, l, keyed_by->where);
		render_order(r, keyed_by);
		render_limit(r, keyed_by->limit, 0);
		if (keyed_by->offset > 0) /* has no place in a write */
			r->s->failed = true;
	} else {
		render_keys(r, keyed_by);
	}
}

/* ---- update ---- */

static void render_set_value(struct render *r, const struct level *l, const struct set_term *t)
{
	if (t->op != SET_VALUE)
		r->d->arithmetic(r, l, t);
	else if (t->x.kind == OPERAND_VALUE)
		sql_add_param(r->s, &t->x.value);
	else
		render_operand(r, l, &t->x);
}

static void render_sets(struct render *r, const struct level *l, const char *qualifier,
			const struct set_term *sets, unsigned nsets)
{
	unsigned i;

	sql_add(r->s, " SET ");
	for (i = 0; i < nsets; i++) {
		if (i)
			sql_add(r->s, ", ");
		if (qualifier) {
			sql_add_name(r->s, qualifier);
			sql_add(r->s, ".");
		}
		sql_add_name(r->s, sets[i].column->name);
		sql_add(r->s, " = ");
		render_set_value(r, l, &sets[i]);
	}
}

static bool term_reads(const struct set_term *t, const struct column *c)
{
	return (t->x.kind == OPERAND_COLUMN && t->x.column == c) ||
	       (t->op != SET_VALUE && t->y.kind == OPERAND_COLUMN && t->y.column == c);
}

/* Does a term read what another one sets? */
static bool sets_are_entangled(const struct set_term *sets, unsigned nsets)
{
	unsigned i, k;

	for (i = 0; i < nsets; i++)
		for (k = 0; k < nsets; k++)
			if (i != k && term_reads(&sets[i], sets[k].column))
				return true;
	return false;
}

static void render_key_match(struct render *r, const struct table *t)
{
	const struct key *k = &t->primary_key;
	unsigned i;

	sql_add(r->s, " ON ");
	for (i = 0; i < k->ncolumns; i++) {
		if (i)
			sql_add(r->s, " AND ");
		sql_add_name(r->s, t->name);
		sql_add(r->s, ".");
		sql_add_name(r->s, k->columns[i]->name);
		sql_add(r->s, " = ");
		sql_add_name(r->s, old_rows);
		sql_add(r->s, ".");
		sql_add_name(r->s, k->columns[i]->name);
	}
}

/* Where assignments are made one after the other: read from a copy of the rows as they were. */
static void render_update_from_copy(struct render *r, const struct table *t, const struct set_term *sets,
				    unsigned nsets, const struct pred *where,
				    const struct select_stmt *keyed_by)
{
	const struct level top = { .table = t }, copy = { .table = t, .alias = old_rows };

	if (t->primary_key.ncolumns == 0) {
		r->s->failed = r->s->keyless = true;
		return;
	}
	sql_add(r->s, " JOIN (SELECT * FROM ");
	sql_add_name(r->s, t->name);
	render_where(r, &top, keyed_by ? keyed_by->where : where);
	if (keyed_by)
		render_order(r, keyed_by);
	/* the limit keeps the optimizer from undoing the copy */
	render_limit(r, keyed_by && keyed_by->limit >= 0 ? keyed_by->limit : SQL_EVERY_ROW,
		     keyed_by ? keyed_by->offset : 0);
	sql_add(r->s, ") AS ");
	sql_add_name(r->s, old_rows);
	render_key_match(r, t);
	render_sets(r, &copy, t->name, sets, nsets);
}

void sql_update(struct sql *s, const struct dialect *d, const struct table *t, const struct set_term *sets,
		unsigned nsets, const struct pred *where, const struct select_stmt *keyed_by)
{
	struct render r = { .s = s, .d = d, .written = t };
	const struct level top = { .table = t };

	sql_clear(s);
	sql_add(s, "UPDATE ");
	sql_add_name(s, t->name);
	if (!d->sets_at_once && sets_are_entangled(sets, nsets)) {
		render_update_from_copy(&r, t, sets, nsets, where, keyed_by);
	} else {
		render_sets(&r, &top, NULL, sets, nsets);
		render_rows(&r, &top, where, keyed_by);
	}
	sql_finish(s);
}

/* ---- delete ---- */

void sql_delete(struct sql *s, const struct dialect *d, const struct table *t, const struct pred *where,
		const struct select_stmt *keyed_by)
{
	struct render r = { .s = s, .d = d, .written = t };
	const struct level top = { .table = t };

	sql_clear(s);
	sql_add(s, "DELETE FROM ");
	sql_add_name(s, t->name);
	render_rows(&r, &top, where, keyed_by);
	sql_finish(s);
}
