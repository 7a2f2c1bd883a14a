#include "config.h"

#include "daemon/plan/pred.h"

#include <stdlib.h>
#include <string.h>

static struct pred *pred_new(struct arena *a, enum pred_op op, const struct column *column)
{
	struct pred *p = arena_calloc(a, 1, sizeof *p);

	if (!p)
		return NULL;
	p->op = op;
	p->column = column;
	return p;
}

const struct pred *pred_compare(struct arena *a, enum pred_op op, const struct column *column,
				const struct value *value)
{
	struct pred *p = pred_new(a, op, column);

	if (p)
		p->rhs[0] = (struct operand){ .kind = OPERAND_VALUE, .value = *value };
	return p;
}

const struct pred *pred_null(struct arena *a, enum pred_op op, const struct column *column)
{
	return pred_new(a, op, column);
}

const struct pred *pred_join(struct arena *a, enum pred_op op, const struct pred *const *kids, unsigned n)
{
	struct pred *p;

	for (unsigned i = 0; i < n; i++)
		if (!kids[i])
			return NULL;
	if (n == 1)
		return kids[0];
	p = pred_new(a, op, NULL);
	if (!p)
		return NULL;
	p->kids = arena_alloc(a, n * sizeof(*p->kids));
	if (!p->kids)
		return NULL;
	memcpy(p->kids, kids, n * sizeof(*p->kids));
	p->nkids = n;
	return p;
}

const struct pred *pred_equals(struct arena *a, const struct column *const *columns,
			       const struct value *values, unsigned n)
{
	const struct pred **kids = arena_alloc(a, n * sizeof(*kids));

	if (!kids)
		return NULL;
	for (unsigned i = 0; i < n; i++)
		kids[i] = values[i].kind == VALUE_NULL ? pred_null(a, PRED_IS_NULL, columns[i])
						       : pred_compare(a, PRED_EQ, columns[i], &values[i]);
	return pred_join(a, PRED_AND, kids, n);
}

static int compare(const void *x, const void *y)
{
	return value_compare(x, y);
}

static size_t sort_distinct(struct value *values, size_t n)
{
	size_t kept = 0;

	for (size_t i = 1; i < n; i++)
		if (value_compare(&values[i - 1], &values[i]) >= 0) {
			qsort(values, n, sizeof(*values), compare);
			break;
		}
	for (size_t i = 0; i < n; i++)
		if (kept == 0 || !value_equal(&values[kept - 1], &values[i]))
			values[kept++] = values[i];
	return kept;
}

const struct pred *pred_in_list(struct arena *a, const struct column *column, struct value *values, size_t n)
{
	struct value_list *list = arena_alloc(a, sizeof *list);
	struct value value = { .kind = VALUE_LIST, .u.list = list };

	if (!list)
		return NULL;
	*list = (struct value_list){ .values = values, .count = sort_distinct(values, n) };
	return pred_compare(a, PRED_IN, column, &value);
}

static struct selection *selection_new(struct arena *a, const struct table *t, const struct pred *where)
{
	struct selection *sel = arena_calloc(a, 1, sizeof *sel);

	if (!sel)
		return NULL;
	sel->table = t;
	sel->where = where;
	return sel;
}

/* column IN (SELECT reference FROM parent WHERE where) */
static const struct pred *refers_by_one(struct arena *a, const struct foreign_key *fk,
					const struct pred *where)
{
	struct selection *sel = selection_new(a, fk->parent, where);
	struct pred *p = pred_new(a, PRED_IN, fk->columns[0]);

	if (!sel || !p)
		return NULL;
	sel->column = fk->references[0];
	p->sel = sel;
	return p;
}

/* EXISTS (SELECT 1 FROM parent WHERE its columns are ours AND where) */
static const struct pred *refers_by_many(struct arena *a, const struct foreign_key *fk,
					 const struct pred *where)
{
	const struct pred *kids[INDEX_MAX_COLUMNS * 2 + 1];
	struct pred *p = pred_new(a, PRED_EXISTS, NULL);
	unsigned n = 0;

	if (!p)
		return NULL;
	for (; n < fk->ncolumns; n++) {
		struct pred *equal = pred_new(a, PRED_EQ, fk->references[n]);

		if (equal)
			equal->rhs[0] = (struct operand){ .kind = OPERAND_OUTER, .column = fk->columns[n] };
		kids[n] = equal;
	}
	if (where)
		kids[n++] = where;
	p->sel = selection_new(a, fk->parent, pred_join(a, PRED_AND, kids, n));
	return p->sel && p->sel->where ? p : NULL;
}

const struct pred *pred_refers(struct arena *a, const struct foreign_key *fk, const struct pred *where)
{
	return fk->ncolumns == 1 ? refers_by_one(a, fk, where) : refers_by_many(a, fk, where);
}
