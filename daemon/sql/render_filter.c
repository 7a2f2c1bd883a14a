/*
 * Filters as conditions of SQL, with as few parentheses as their meaning allows: SQLite before 3.46
 * parses with a stack of 100 places, and every database has its own limit of depth.
 */
#include "config.h"

#include <stdio.h>

#include "daemon/sql/render.h"

enum {
	/* A chain of more terms than this is cut into groups: SQLite nests x AND y AND z, and takes
	 * expressions of a depth of 1,000. */
	CHAIN_MOST = 100,
	/* Places of a parser's stack that a filter may need before its deepest part is written first,
	 * where it needs the fewest. */
	STACK_EASY = 40,
	ALIAS_BYTES = 24,
	/* Parameters of a statement after which lists take no more: MySQL has 65,535 of them. */
	LIST_PARAMS_MOST = 30000
};

/* How tightly a term binds; one that binds less than its surroundings stands in parentheses. */
enum binding { BINDS_OR, BINDS_AND, BINDS_NOT, BINDS_ALL };

static void render_pred(struct render *r, const struct level *l, const struct pred *p, enum binding around);

/* ---- columns and operands ---- */

static void add_qualified(struct render *r, const char *qualifier, const struct column *c)
{
	if (qualifier) {
		sql_add_name(r->s, qualifier);
		sql_add(r->s, ".");
	}
	sql_add_name(r->s, c->name);
}

void render_column(struct render *r, const struct level *l, const struct column *c)
{
	add_qualified(r, l->alias, c);
}

/* A column of the level around: always qualified, by the table's own name where that has no alias. */
static void render_outer_column(struct render *r, const struct level *l, const struct column *c)
{
	if (l->outer)
		add_qualified(r, l->outer->alias ? l->outer->alias : l->outer->table->name, c);
	else
		r->s->failed = true;
}

void render_operand(struct render *r, const struct level *l, const struct operand *o)
{
	switch (o->kind) {
	case OPERAND_VALUE:
		r->d->operand(r->s, &o->value);
		break;
	case OPERAND_COLUMN:
		render_column(r, l, o->column);
		break;
	case OPERAND_OUTER:
		render_outer_column(r, l, o->column);
		break;
	}
}

void render_left(struct render *r, const struct level *l, const struct pred *p)
{
	if (p->column_is_outer)
		render_outer_column(r, l, p->column);
	else
		render_column(r, l, p->column);
}

uint8_t operand_scale(const struct operand *o)
{
	if (o->kind == OPERAND_VALUE)
		return o->value.kind == VALUE_DECIMAL ? o->value.scale : 0;
	return o->column->type.kind == TYPE_DECIMAL ? o->column->type.scale : 0;
}

static void render_comparison(struct render *r, const struct level *l, const struct pred *p, const char *op,
			      const struct operand *right)
{
	render_left(r, l, p);
	sql_add(r->s, " ");
	sql_add(r->s, op);
	sql_add(r->s, " ");
	render_operand(r, l, right);
}

/* ---- lists ---- */

static void render_staged_list(struct render *r, const struct value *list)
{
	struct sql *s = r->s;
	unsigned n = 0;
	size_t i;

	for (i = 0; i < s->nparams; i++)
		n += s->params[i].kind == VALUE_LIST;
	sql_add_param_only(s, list);
	sql_add(s, "SELECT \"value\" FROM ");
	sql_addf(s, "\"_rowd_list_%u\"", n);
}

/* As many placeholders as the next power of two, the last value repeated: so that lists of many lengths
 * share a few statements, which are prepared already. */
static void render_placeholders(struct render *r, const struct value_list *list)
{
	size_t n = 1, i;

	while (n < list->count)
		n *= 2;
	for (i = 0; i < n; i++) {
		if (i)
			sql_add(r->s, ", ");
		r->d->operand(r->s, &list->values[i < list->count ? i : list->count - 1]);
	}
}

static void render_list(struct render *r, const struct level *l, const struct pred *p)
{
	const struct value *list = &p->rhs[0].value;
	size_t count = list->u.list->count;

	if (count == 0) {
		sql_add(r->s, p->op == PRED_IN ? "1 = 0" : "1 = 1");
		return;
	}
	render_left(r, l, p);
	sql_add(r->s, p->op == PRED_IN ? " IN (" : " NOT IN (");
	if (r->d->lists_are_one_param) {
		sql_add(r->s, "SELECT value FROM rowd_list(");
		sql_add_param(r->s, list);
		sql_add(r->s, ")");
	} else if (count > r->d->list_most || r->s->nparams + count > LIST_PARAMS_MOST) {
		render_staged_list(r, list);
	} else {
		render_placeholders(r, list->u.list);
	}
	sql_add(r->s, ")");
}

/* ---- selections ---- */

static void render_from(struct render *r, const struct selection *sel)
{
	if (r->d->copies_own_table && r->written == sel->table) {
		sql_add(r->s, "(SELECT * FROM ");
		sql_add_name(r->s, sel->table->name);
		/* the limit keeps the optimizer from undoing the copy */
		sql_addf(r->s, " LIMIT %lld)", (long long)SQL_EVERY_ROW);
	} else {
		sql_add_name(r->s, sel->table->name);
	}
}

static void render_selection(struct render *r, const struct level *l, const struct selection *sel)
{
	char alias[ALIAS_BYTES];
	const struct level inner = { .table = sel->table, .outer = l, .depth = l->depth + 1, .alias = alias };

	/* no table that a statement can name begins so */
	snprintf(alias, sizeof alias, "_rowd_%u", inner.depth);
	sql_add(r->s, "(SELECT ");
	if (sel->column)
		render_column(r, &inner, sel->column);
	else
		sql_add(r->s, "1");
	sql_add(r->s, " FROM ");
	render_from(r, sel);
	sql_add(r->s, " AS ");
	sql_add_name(r->s, alias);
	if (sel->where) {
		sql_add(r->s, " WHERE ");
		render_pred(r, &inner, sel->where, BINDS_OR);
	}
	sql_add(r->s, ")");
}

static void render_member(struct render *r, const struct level *l, const struct pred *p)
{
	if (!p->sel) {
		render_list(r, l, p);
		return;
	}
	render_left(r, l, p);
	sql_add(r->s, p->op == PRED_IN ? " IN " : " NOT IN ");
	render_selection(r, l, p->sel);
}

/* ---- logic ---- */

/* About how many places of a parser's stack a filter needs. */
static unsigned stack_need(const struct pred *p)
{
	unsigned most = 0, i, need;

	for (i = 0; i < p->nkids; i++) {
		need = stack_need(p->kids[i]);
		if (need > most)
			most = need;
	}
	switch (p->op) {
	case PRED_AND:
	case PRED_OR:
		return most + (p->nkids > CHAIN_MOST ? 6 : 3);
	case PRED_NOT:
		return most + 2;
	default:
		if (p->sel)
			return 8 + (p->sel->where ? stack_need(p->sel->where) : 0);
		return 4;
	}
}

static const struct pred *deepest_kid(const struct pred *p)
{
	const struct pred *deepest = NULL;
	unsigned most = 0, i;

	for (i = 0; i < p->nkids; i++) {
		unsigned need = stack_need(p->kids[i]);

		if (need > most) {
			most = need;
			deepest = p->kids[i];
		}
	}
	return deepest;
}

struct chain {
	const struct pred *p;
	const struct pred *written; /* of its kids, the one that stands first already; or NULL */
	const char *joint;
	enum binding around;
};

/* Kids from to to (not included), in groups within groups when there are many. */
static void render_run(struct render *r, const struct level *l, const struct chain *c, unsigned from,
		       unsigned to, bool first)
{
	unsigned size = 1, i;

	while ((to - from + size - 1) / size > CHAIN_MOST)
		size *= CHAIN_MOST;
	for (i = from; i < to; i += size) {
		if (c->p->kids[i] == c->written)
			continue;
		if (!first)
			sql_add(r->s, c->joint);
		first = false;
		if (size == 1) {
			render_pred(r, l, c->p->kids[i], c->around);
		} else {
			sql_add(r->s, "(");
			render_run(r, l, c, i, to - i > size ? i + size : to, true);
			sql_add(r->s, ")");
		}
	}
}

static void render_chain(struct render *r, const struct level *l, const struct pred *p)
{
	struct chain c = { .p = p, .joint = p->op == PRED_AND ? " AND " : " OR ", .around = BINDS_NOT };

	if (r->deepest_first) {
		c.written = deepest_kid(p);
		render_pred(r, l, c.written, c.around);
	}
	render_run(r, l, &c, 0, p->nkids, !c.written);
}

static void render_between(struct render *r, const struct level *l, const struct pred *p)
{
	render_comparison(r, l, p, ">=", &p->rhs[0]);
	sql_add(r->s, " AND ");
	render_comparison(r, l, p, "<=", &p->rhs[1]);
}

static enum binding binding_of(const struct pred *p)
{
	switch (p->op) {
	case PRED_OR:
		return BINDS_OR;
	case PRED_AND:
	case PRED_BETWEEN:
	case PRED_LIKE:
	case PRED_PREFIX:
	case PRED_SUFFIX:
	case PRED_CONTAINS:
		return BINDS_AND;
	case PRED_NOT:
		return BINDS_NOT;
	case PRED_EQ:
	case PRED_NE:
	case PRED_LT:
	case PRED_LE:
	case PRED_GT:
	case PRED_GE:
	case PRED_IS:
	case PRED_IS_NOT:
	case PRED_IS_NULL:
	case PRED_NOT_NULL:
	case PRED_IN:
	case PRED_NOT_IN:
	case PRED_EXISTS:
	case PRED_NOT_EXISTS:
		break;
	}
	return BINDS_ALL;
}

static void render_bare(struct render *r, const struct level *l, const struct pred *p)
{
	switch (p->op) {
	case PRED_EQ:
		render_comparison(r, l, p, "=", &p->rhs[0]);
		break;
	case PRED_NE:
		render_comparison(r, l, p, "<>", &p->rhs[0]);
		break;
	case PRED_LT:
		render_comparison(r, l, p, "<", &p->rhs[0]);
		break;
	case PRED_LE:
		render_comparison(r, l, p, "<=", &p->rhs[0]);
		break;
	case PRED_GT:
		render_comparison(r, l, p, ">", &p->rhs[0]);
		break;
	case PRED_GE:
		render_comparison(r, l, p, ">=", &p->rhs[0]);
		break;
	case PRED_IS:
		render_comparison(r, l, p, r->d->null_safe_equal, &p->rhs[0]);
		break;
	case PRED_IS_NOT:
		sql_add(r->s, "NOT (");
		render_comparison(r, l, p, r->d->null_safe_equal, &p->rhs[0]);
		sql_add(r->s, ")");
		break;
	case PRED_IS_NULL:
	case PRED_NOT_NULL:
		render_left(r, l, p);
		sql_add(r->s, p->op == PRED_IS_NULL ? " IS NULL" : " IS NOT NULL");
		break;
	case PRED_IN:
	case PRED_NOT_IN:
		render_member(r, l, p);
		break;
	case PRED_EXISTS:
	case PRED_NOT_EXISTS:
		sql_add(r->s, p->op == PRED_EXISTS ? "EXISTS " : "NOT EXISTS ");
		render_selection(r, l, p->sel);
		break;
	case PRED_BETWEEN:
		render_between(r, l, p);
		break;
	case PRED_LIKE:
	case PRED_PREFIX:
	case PRED_SUFFIX:
	case PRED_CONTAINS:
		r->d->text_match(r, l, p);
		break;
	case PRED_AND:
	case PRED_OR:
		render_chain(r, l, p);
		break;
	case PRED_NOT:
		sql_add(r->s, "NOT (");
		render_pred(r, l, p->kids[0], BINDS_OR);
		sql_add(r->s, ")");
		break;
	}
}

static void render_pred(struct render *r, const struct level *l, const struct pred *p, enum binding around)
{
	bool parentheses;

	/* a filter without terms would say nothing, or everything */
	if ((p->op == PRED_AND || p->op == PRED_OR || p->op == PRED_NOT) && p->nkids == 0) {
		r->s->failed = true;
		return;
	}
	while ((p->op == PRED_AND || p->op == PRED_OR) && p->nkids == 1)
		p = p->kids[0];
	parentheses = binding_of(p) < around;
	if (parentheses)
		sql_add(r->s, "(");
	render_bare(r, l, p);
	if (parentheses)
		sql_add(r->s, ")");
}

void render_where(struct render *r, const struct level *l, const struct pred *where)
{
	if (!where)
		return;
	r->deepest_first = stack_need(where) > STACK_EASY;
	sql_add(r->s, " WHERE ");
	render_pred(r, l, where, BINDS_OR);
}
