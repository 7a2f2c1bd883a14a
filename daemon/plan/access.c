#include "config.h"

#include "daemon/plan/access.h"

/* How a condition narrows a column. */
enum narrowing { NARROWS_NOT, NARROWS_TO_RANGE, NARROWS_TO_VALUES };

static enum narrowing narrowing_of(const struct pred *p)
{
	switch (p->op) {
	case PRED_EQ:
	case PRED_IS:
		return p->rhs[0].kind == OPERAND_VALUE ? NARROWS_TO_VALUES : NARROWS_NOT;
	case PRED_IS_NULL:
		return NARROWS_TO_VALUES;
	case PRED_IN:
		return p->sel ? NARROWS_NOT : NARROWS_TO_VALUES;
	case PRED_LT:
	case PRED_LE:
	case PRED_GT:
	case PRED_GE:
	case PRED_PREFIX:
		return p->rhs[0].kind == OPERAND_VALUE ? NARROWS_TO_RANGE : NARROWS_NOT;
	case PRED_BETWEEN:
		return p->rhs[0].kind == OPERAND_VALUE || p->rhs[1].kind == OPERAND_VALUE ? NARROWS_TO_RANGE
											  : NARROWS_NOT;
	case PRED_NE:
	case PRED_IS_NOT:
	case PRED_NOT_NULL:
	case PRED_NOT_IN:
	case PRED_EXISTS:
	case PRED_NOT_EXISTS:
	case PRED_LIKE:
	case PRED_SUFFIX:
	case PRED_CONTAINS:
	case PRED_AND:
	case PRED_OR:
	case PRED_NOT:
		break;
	}
	return NARROWS_NOT;
}

/* The most that a filter's conditions narrow a column. */
static enum narrowing narrows(const struct pred *p, const struct column *c)
{
	enum narrowing most = p->op == PRED_OR ? NARROWS_TO_VALUES : NARROWS_NOT, n;

	if (p->op != PRED_AND && p->op != PRED_OR)
		return p->column == c && !p->column_is_outer ? narrowing_of(p) : NARROWS_NOT;
	for (unsigned i = 0; i < p->nkids; i++) {
		n = narrows(p->kids[i], c);
		if (p->op == PRED_AND ? n > most : n < most)
			most = n;
	}
	return most;
}

/* How well a key serves: twice its leading columns that have values, and one for a range behind them. */
static unsigned service(const struct key *k, const struct pred *where)
{
	unsigned n = 0;

	if (!k->plain)
		return 0;
	for (unsigned i = 0; i < k->ncolumns; i++) {
		enum narrowing by = narrows(where, k->columns[i]);

		if (by != NARROWS_TO_VALUES)
			return n + (by == NARROWS_TO_RANGE);
		n += 2;
	}
	return n;
}

static void consider(const struct key *k, const struct pred *where, const struct key **best_io,
		     unsigned *most_io)
{
	unsigned n = service(k, where);

	/* whole unique keys lead to one row */
	if (n > 0 && k->unique && n == 2 * k->ncolumns)
		n += 2 * TABLE_MAX_COLUMNS;
	if (n > *most_io) {
		*best_io = k;
		*most_io = n;
	}
}

const struct key *access_find(const struct table *t, const struct pred *where)
{
	const struct key *best = NULL;
	unsigned most = 0;

	if (!where)
		return NULL;
	consider(&t->primary_key, where, &best, &most);
	for (unsigned i = 0; i < t->nuniques; i++)
		consider(&t->uniques[i], where, &best, &most);
	for (unsigned i = 0; i < t->nindexes; i++)
		consider(&t->indexes[i], where, &best, &most);
	return best;
}
