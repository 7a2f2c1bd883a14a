#include "config.h"

#include "daemon/exec/constraint_private.h"

#include <stdlib.h>

#include "daemon/exec/probe.h"
#include "daemon/plan/plan.h"
#include "daemon/plan/pred.h"

/* ---- updates: what cannot be computed ---- */

/* The columns that the terms read. */
static enum rowd_code read_columns(struct exec *x, const struct set_list *sets, struct plan_columns *out,
				   struct err *err)
{
	out->n = 0;
	out->list = arena_calloc(x->arena, sets->count * (size_t)2 + 1, sizeof(*out->list));
	if (!out->list)
		return search_no_memory(err);
	for (unsigned i = 0; i < sets->count; i++) {
		const struct set_term *t = &sets->terms[i];

		if (t->op == SET_VALUE)
			continue;
		if (t->x.kind == OPERAND_COLUMN)
			out->list[out->n++] = t->x.column;
		if (t->y.kind == OPERAND_COLUMN)
			out->list[out->n++] = t->y.column;
	}
	return ROWD_OK;
}

/* What stands out of the ordinary in the rows looked at so far: numbers of terms, count for none. */
struct computed {
	unsigned no_room, no_number, null;
	struct value *values; /* what the terms came to in the last row */
};

static void compute_row(const struct set_list *sets, const struct value *row, struct computed *c)
{
	for (unsigned i = 0; i < sets->count; i++) {
		const struct set_term *t = &sets->terms[i];
		const struct value *a, *b;
		enum set_fit fit;

		if (t->op == SET_VALUE)
			continue;
		a = t->x.kind == OPERAND_COLUMN ? row++ : &t->x.value;
		b = t->y.kind == OPERAND_COLUMN ? row++ : &t->y.value;
		fit = set_compute(t, a, b, &c->values[i]);
		if (fit == SET_NO_ROOM && i < c->no_room)
			c->no_room = i;
		if (fit == SET_NO_NUMBER && i < c->no_number)
			c->no_number = i;
		if (fit == SET_FITS && c->values[i].kind == VALUE_NULL && !t->column->nullable && i < c->null)
			c->null = i;
	}
}

static enum rowd_code compute_rows(const struct search *s, const struct set_list *sets,
				   const struct pred *where, struct computed *c)
{
	struct select_stmt q = { .table = s->table, .where = where, .limit = -1 };
	struct plan_columns columns;
	const struct value *row;
	struct db_rows *rows;
	enum rowd_code rc = read_columns(s->x, sets, &columns, s->err);

	*c = (struct computed){ sets->count, sets->count, sets->count, NULL };
	c->values = arena_calloc(s->x->arena, sets->count, sizeof(*c->values));
	if (!rc && !c->values)
		rc = search_no_memory(s->err);
	if (rc || columns.n == 0)
		return rc;
	q.columns = columns.list;
	q.ncolumns = columns.n;
	sql_select(s->x->sql, db_conn_dialect(s->x->conn), &q);
	rc = db_query(s->x->conn, s->x->sql, &rows, s->err);
	if (rc)
		return rc;
	while (!(rc = db_next(rows, &row, s->err)) && row)
		compute_row(sets, row, c);
	db_rows_end(rows);
	return rc;
}

/* Put literals in the place of what was computed of a single row. */
static enum rowd_code literal_sets(const struct search *s, const struct set_list *sets,
				   const struct computed *c, struct set_list *out)
{
	out->count = sets->count;
	out->terms = arena_calloc(s->x->arena, sets->count, sizeof(*out->terms));
	if (!out->terms)
		return search_no_memory(s->err);
	for (unsigned i = 0; i < sets->count; i++) {
		out->terms[i] = sets->terms[i];
		if (sets->terms[i].op != SET_VALUE)
			out->terms[i] = (struct set_term){ .column = sets->terms[i].column,
							   .op = SET_VALUE,
							   .x = { .value = c->values[i] } };
	}
	return ROWD_OK;
}

static enum rowd_code search_computed(const struct search *s, const struct set_list *sets,
				      const struct computed *c)
{
	if (c->no_number < sets->count)
		return search_found(s->err, ROWD_E_TYPE_MISMATCH, s->table, sets->terms[c->no_number].column,
				    "a stored value is not of its column's type");
	if (c->no_room < sets->count)
		return search_found(s->err, ROWD_E_OUT_OF_RANGE, s->table, sets->terms[c->no_room].column,
				    "a result is out of the column's range");
	if (c->null < sets->count)
		return search_found(s->err, ROWD_E_NULL_NOT_ALLOWED, s->table, sets->terms[c->null].column,
				    "the column cannot be null, and a result is");
	return ROWD_OK;
}

/* ---- updates: keys ---- */

/* column op a column of the level around. */
static const struct pred *outer(struct arena *a, enum pred_op op, const struct column *column,
				const struct column *outer_column)
{
	struct pred *p = arena_calloc(a, 1, sizeof(*p));

	if (!p)
		return NULL;
	p->op = op;
	p->column = column;
	p->rhs[0] = (struct operand){ .kind = OPERAND_OUTER, .column = outer_column };
	return p;
}

static const struct pred *exists(struct arena *a, enum pred_op op, const struct table *t,
				 const struct pred *where)
{
	struct pred *p = arena_calloc(a, 1, sizeof(*p));
	struct selection *sel = arena_calloc(a, 1, sizeof(*sel));

	if (!p || !sel || !where)
		return NULL;
	sel->table = t;
	sel->where = where;
	p->op = op;
	p->sel = sel;
	return p;
}

/* Is one of these columns set, and each that is by a literal that is not null? */
static bool sets_literals(const struct set_list *sets, const struct column *const *columns, unsigned n)
{
	unsigned nset = 0;

	for (unsigned i = 0; i < n; i++) {
		const struct set_term *t = sets_find(sets, columns[i]);

		if (t && (t->op != SET_VALUE || t->x.value.kind == VALUE_NULL))
			return false;
		nset += t != NULL;
	}
	return nset > 0;
}

/* Another row, one of those updated, that has the same key as the row around once it is updated too. */
static const struct pred *updated_twin(const struct search *s, const struct set_list *sets,
				       const struct key *k, const struct pred *where)
{
	const struct pred *kids[INDEX_MAX_COLUMNS * 2 + 2], *differs[INDEX_MAX_COLUMNS * 2];
	const struct key *pk = &s->table->primary_key;
	struct arena *a = s->x->arena;
	unsigned n = 0;

	for (unsigned i = 0; i < k->ncolumns; i++)
		if (!sets_find(sets, k->columns[i]))
			kids[n++] = outer(a, PRED_EQ, k->columns[i], k->columns[i]);
	for (unsigned i = 0; i < pk->ncolumns; i++)
		differs[i] = outer(a, PRED_NE, pk->columns[i], pk->columns[i]);
	kids[n++] = pred_join(a, PRED_OR, differs, pk->ncolumns);
	if (where)
		kids[n++] = where;
	return exists(a, PRED_EXISTS, s->table, pred_join(a, PRED_AND, kids, n));
}

/* The rows that hold the literals already. */
static const struct pred *holds_literals(const struct search *s, const struct set_list *sets,
					 const struct key *k)
{
	const struct pred *kids[INDEX_MAX_COLUMNS * 2];
	unsigned n = 0;

	for (unsigned i = 0; i < k->ncolumns; i++) {
		const struct set_term *t = sets_find(sets, k->columns[i]);

		if (t)
			kids[n++] = pred_compare(s->x->arena, PRED_EQ, t->column, &t->x.value);
	}
	return pred_join(s->x->arena, PRED_AND, kids, n);
}

/* Two rows have one key in the end: both are updated, or one is and the other holds what is set. */
static enum rowd_code search_twins(const struct search *s, const struct set_list *sets, const struct key *k,
				   const struct pred *where)
{
	const struct pred *either[2] = { where, NULL }, *both[2];
	bool found_one;
	enum rowd_code rc;

	if (!sets_literals(sets, k->columns, k->ncolumns) || s->table->primary_key.ncolumns == 0)
		return ROWD_OK;
	both[0] = updated_twin(s, sets, k, where);
	if (where) {
		either[1] = holds_literals(s, sets, k);
		both[1] = pred_join(s->x->arena, PRED_OR, either, 2);
	}
	rc = probe_exists(s->x, s->table, pred_join(s->x->arena, PRED_AND, both, where ? 2 : 1), &found_one,
			  s->err);
	if (rc)
		return rc;
	return found_one ? search_found_conflict(s, k) : ROWD_OK;
}

/* ---- updates: parents and children ---- */

static enum rowd_code search_orphans(const struct search *s, const struct set_list *sets,
				     const struct foreign_key *fk, const struct pred *where)
{
	const struct pred *kids[INDEX_MAX_COLUMNS * 2 + 2], *parent[INDEX_MAX_COLUMNS * 2];
	struct arena *a = s->x->arena;
	bool found_one;
	unsigned n = 0;
	enum rowd_code rc;

	if (!sets_literals(sets, fk->columns, fk->ncolumns))
		return ROWD_OK;
	for (unsigned i = 0; i < fk->ncolumns; i++) {
		const struct set_term *t = sets_find(sets, fk->columns[i]);

		if (t) {
			parent[i] = pred_compare(a, PRED_EQ, fk->references[i], &t->x.value);
		} else {
			parent[i] = outer(a, PRED_EQ, fk->references[i], fk->columns[i]);
			kids[n++] = pred_null(a, PRED_NOT_NULL, fk->columns[i]);
		}
	}
	kids[n++] = exists(a, PRED_NOT_EXISTS, fk->parent, pred_join(a, PRED_AND, parent, fk->ncolumns));
	if (where)
		kids[n++] = where;
	rc = probe_exists(s->x, s->table, pred_join(a, PRED_AND, kids, n), &found_one, s->err);
	if (rc)
		return rc;
	return found_one ? search_found_orphan(s, fk) : ROWD_OK;
}

static const struct pred *changes(struct arena *a, const struct set_term *t)
{
	if (t->x.value.kind == VALUE_NULL)
		return pred_null(a, PRED_NOT_NULL, t->column);
	return pred_compare(a, PRED_IS_NOT, t->column, &t->x.value);
}

static enum rowd_code search_children(const struct search *s, const struct set_list *sets,
				      const struct foreign_key *fk, const struct pred *where)
{
	const struct pred *kids[INDEX_MAX_COLUMNS * 2], *both[2];
	struct arena *a = s->x->arena;
	bool found_one;
	unsigned n = 0;
	enum rowd_code rc;

	for (unsigned i = 0; i < fk->ncolumns; i++) {
		const struct set_term *t = sets_find(sets, fk->references[i]);

		if (t && t->op == SET_VALUE)
			kids[n++] = changes(a, t);
	}
	if (n == 0)
		return ROWD_OK;
	both[0] = pred_join(a, PRED_OR, kids, n);
	both[1] = where;
	both[0] = pred_join(a, PRED_AND, both, where ? 2 : 1);
	if (!both[0])
		return search_no_memory(s->err);
	rc = probe_exists(s->x, fk->child, pred_refers(a, fk, both[0]), &found_one, s->err);
	if (rc)
		return rc;
	return found_one ? constraint_restricts(fk, s->err) : ROWD_OK;
}

static enum rowd_code search_all_children(const struct search *s, const struct set_list *sets,
					  const struct pred *where)
{
	const struct table *t = s->table;
	const struct foreign_key **fks = arena_calloc(s->x->arena, t->nchildren + 1, sizeof(*fks));
	enum rowd_code rc = ROWD_OK;
	unsigned n = 0;

	if (!fks)
		return search_no_memory(s->err);
	for (unsigned i = 0; i < t->nchildren; i++)
		if (search_can_look_up(t->children[i]))
			fks[n++] = t->children[i];
	qsort(fks, n, sizeof(*fks), search_by_child);
	for (unsigned i = 0; i < n && !rc; i++)
		rc = search_children(s, sets, fks[i], where);
	return rc;
}

static enum rowd_code search_update(const struct search *s, const struct set_list *sets,
				    const struct pred *where, bool by_key)
{
	struct set_list literals = *sets;
	struct computed computed;
	enum rowd_code rc = compute_rows(s, sets, where, &computed);

	if (!rc)
		rc = search_computed(s, sets, &computed);
	if (!rc && by_key)
		rc = literal_sets(s, sets, &computed, &literals);
	for (unsigned i = 0; i < s->nuniques && !rc; i++)
		rc = search_twins(s, &literals, s->uniques[i], where);
	for (unsigned i = 0; i < s->nforeign_keys && !rc; i++)
		rc = search_orphans(s, &literals, s->foreign_keys[i], where);
	return rc ? rc : search_all_children(s, &literals, where);
}

enum rowd_code constraint_of_update(struct exec *x, const struct table *t, const struct set_list *sets,
				    const struct pred *where, bool by_key, struct err *err)
{
	const struct err first = *err;
	struct search s;
	enum rowd_code rc;

	if (!db_in_transaction(x->conn))
		return search_end(ROWD_OK, t, &first, err);
	err_init(err);
	rc = search_init(&s, x, t, err);
	if (!rc)
		rc = search_update(&s, sets, where, by_key);
	return search_end(rc, t, &first, err);
}
