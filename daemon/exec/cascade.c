#include "config.h"

#include "daemon/exec/cascade.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/exec/keyset.h"
#include "daemon/exec/probe.h"
#include "daemon/exec/read.h"
#include "daemon/plan/pred.h"

/* Selections within each other in one statement; deeper ones are replaced by the values they select. */
enum { NESTING_MOST = 7 };

static enum rowd_code no_memory(struct err *err)
{
	return err_set(err, ROWD_E_NO_RESOURCE, "no memory to follow the foreign keys");
}

/* Room for one more element of an arena's array. */
static bool grow(struct arena *a, void *array_io, unsigned n, unsigned *cap_io, size_t size)
{
	unsigned cap = *cap_io ? *cap_io * 2 : 4;
	void *old, *grown;

	if (n < *cap_io)
		return true;
	grown = arena_calloc(a, cap, size);
	if (!grown)
		return false;
	memcpy(&old, array_io, sizeof(old));
	if (n > 0)
		memcpy(grown, old, n * size);
	memcpy(array_io, &grown, sizeof(grown));
	*cap_io = cap;
	return true;
}

/* ---- the graph ---- */

static struct cascade_node *find_node(const struct cascade *c, const struct table *t)
{
	for (unsigned i = 0; i < c->nnodes; i++)
		if (c->nodes[i].table == t)
			return &c->nodes[i];
	return NULL;
}

/* The node's number; the array may move. */
static bool add_node(struct exec *x, struct cascade *c, const struct table *t, unsigned *out)
{
	struct cascade_node *found = find_node(c, t);

	if (found) {
		*out = (unsigned)(found - c->nodes);
		return true;
	}
	if (!grow(x->arena, &c->nodes, c->nnodes, &c->nodes_cap, sizeof(*c->nodes)))
		return false;
	*out = c->nnodes++;
	c->nodes[*out] = (struct cascade_node){ .table = t };
	return true;
}

/* Depth first along the ways that delete; *order takes the tables, children before parents. */
static bool walk(struct exec *x, struct cascade *c, const struct table *t, const struct table ***order,
		 unsigned *norder, unsigned *cap)
{
	unsigned at, child;

	if (!add_node(x, c, t, &at))
		return false;
	c->nodes[at].entered = c->nodes[at].deleted = true;
	for (unsigned i = 0; i < t->nchildren; i++) {
		const struct foreign_key *fk = t->children[i];

		if (fk->on_delete == FK_RESTRICT)
			continue;
		if (!add_node(x, c, fk->child, &child))
			return false;
		if (fk->on_delete != FK_CASCADE)
			continue;
		if (c->nodes[child].entered)
			c->circular |= !c->nodes[child].left;
		else if (!walk(x, c, fk->child, order, norder, cap))
			return false;
	}
	c->nodes[at].left = true;
	if (!grow(x->arena, order, *norder, cap, sizeof(**order)))
		return false;
	(*order)[(*norder)++] = t;
	return true;
}

/* Does the closure of root along cascades hold t? Without memory of its own: schemas are small, and no
 * deeper than FOREIGN_KEY_MAX_DEPTH where rowd made them. */
static bool cascades_to(const struct table *root, const struct table *t, unsigned depth)
{
	if (root == t)
		return true;
	if (depth > FOREIGN_KEY_MAX_DEPTH)
		return true;
	for (unsigned i = 0; i < root->nchildren; i++)
		if (root->children[i]->on_delete == FK_CASCADE &&
		    cascades_to(root->children[i]->child, t, depth + 1))
			return true;
	return false;
}

static bool ambiguous_below(const struct table *root, const struct table *t, unsigned depth)
{
	if (depth > FOREIGN_KEY_MAX_DEPTH)
		return true;
	for (unsigned i = 0; i < t->nchildren; i++) {
		const struct foreign_key *fk = t->children[i];

		if (fk->on_delete == FK_RESTRICT && cascades_to(root, fk->child, 0))
			return true;
		if (fk->on_delete == FK_CASCADE && ambiguous_below(root, fk->child, depth + 1))
			return true;
	}
	return false;
}

bool cascade_is_ambiguous(const struct table *root)
{
	return root->nchildren > 0 && ambiguous_below(root, root, 0);
}

/* ---- conditions ---- */

static unsigned nesting(const struct pred *p)
{
	unsigned most = 0, n;

	if (!p)
		return 0;
	for (unsigned i = 0; i < p->nkids; i++) {
		n = nesting(p->kids[i]);
		most = n > most ? n : most;
	}
	if (p->sel) {
		n = 1 + nesting(p->sel->where);
		most = n > most ? n : most;
	}
	return most;
}

/* The values by which children refer to the rows of a parent, each once. */
static enum rowd_code read_references(struct exec *x, const struct foreign_key *fk, const struct pred *where,
				      struct keyset *out, struct err *err)
{
	struct select_stmt q = {
		.table = fk->parent,
		.columns = (const struct column **)(uintptr_t)fk->references,
		.ncolumns = fk->ncolumns,
		.where = where,
		.limit = -1,
		.distinct = true,
	};
	const struct value *row;
	struct db_rows *rows;
	enum rowd_code rc;

	*out = (struct keyset){ .table = fk->parent, .width = fk->ncolumns };
	sql_select(x->sql, db_conn_dialect(x->conn), &q);
	rc = db_query(x->conn, x->sql, &rows, err);
	if (rc)
		return rc;
	while (!(rc = db_next(rows, &row, err)) && row) {
		bool any_null = false;

		for (unsigned i = 0; i < fk->ncolumns; i++)
			any_null |= row[i].kind == VALUE_NULL;
		if (!any_null)
			rc = keyset_add_copy(x, out, row, err);
		if (rc)
			break;
	}
	db_rows_end(rows);
	return rc;
}

/* The rows of fk's child that refer to these values. */
static enum rowd_code refers_to_values(struct exec *x, const struct foreign_key *fk, struct keyset *values,
				       const struct pred **out, struct err *err)
{
	const struct pred *kids[KEYSET_PART_ROWS];
	unsigned n = 0;

	if (fk->ncolumns == 1 || values->count == 0) {
		*out = pred_in_list(x->arena, fk->columns[0], values->values, values->count);
		return *out ? ROWD_OK : no_memory(err);
	}
	if (values->count > KEYSET_PART_ROWS)
		return err_limit(err, KEYSET_PART_ROWS,
				 "the number of rows behind a foreign key of several columns, so deep,");
	for (; n < values->count; n++)
		kids[n] = pred_equals(x->arena, fk->columns, keyset_at(values, n), fk->ncolumns);
	*out = pred_join(x->arena, PRED_OR, kids, n);
	return *out ? ROWD_OK : no_memory(err);
}

/* The rows of fk's child that refer to rows of its parent of which `where` (NULL: any) is true. */
static enum rowd_code refers(struct exec *x, const struct foreign_key *fk, const struct pred *where,
			     const struct pred **out, struct err *err)
{
	struct keyset values;
	enum rowd_code rc;

	if (nesting(where) + 1 < NESTING_MOST) {
		*out = pred_refers(x->arena, fk, where);
		return *out ? ROWD_OK : no_memory(err);
	}
	rc = read_references(x, fk, where, &values, err);
	return rc ? rc : refers_to_values(x, fk, &values, out, err);
}

static bool refers_to_columns(const struct foreign_key *fk)
{
	for (unsigned i = 0; i < fk->ncolumns; i++)
		if (!fk->references[i])
			return false;
	return fk->parent && fk->ncolumns > 0;
}

static enum rowd_code add_block(struct exec *x, struct cascade *c, const struct foreign_key *fk,
				const struct pred *where, struct err *err)
{
	if (!grow(x->arena, &c->blocks, c->nblocks, &c->blocks_cap, sizeof(*c->blocks)))
		return no_memory(err);
	c->blocks[c->nblocks++] = (struct cascade_block){ fk, where };
	return ROWD_OK;
}

static bool overlaps(const struct foreign_key *grandchild, const struct foreign_key *fk)
{
	for (unsigned i = 0; i < grandchild->ncolumns; i++)
		for (unsigned k = 0; k < fk->ncolumns; k++)
			if (grandchild->references[i] == fk->columns[k])
				return true;
	return false;
}

/* Rows that lose their parent may in turn be referred to by the very columns that become null. */
static enum rowd_code block_changes(struct exec *x, struct cascade *c, const struct foreign_key *fk,
				    const struct pred *changed, struct err *err)
{
	const struct table *t = fk->child;
	const struct pred *where;
	enum rowd_code rc = ROWD_OK;

	for (unsigned i = 0; i < t->nchildren && !rc; i++) {
		if (!refers_to_columns(t->children[i]) || !overlaps(t->children[i], fk))
			continue;
		rc = refers(x, t->children[i], changed, &where, err);
		if (!rc)
			rc = add_block(x, c, t->children[i], where, err);
	}
	return rc;
}

static enum rowd_code add_way(struct exec *x, struct cascade *c, const struct foreign_key *fk,
			      const struct pred *where, struct err *err)
{
	struct cascade_node *child = find_node(c, fk->child);
	bool room;

	switch (fk->on_delete) {
	case FK_RESTRICT:
		return add_block(x, c, fk, where, err);
	case FK_CASCADE:
		room = grow(x->arena, &child->doomed, child->ndoomed, &child->doomed_cap,
			    sizeof(*child->doomed));
		if (room)
			child->doomed[child->ndoomed++] = where;
		return room ? ROWD_OK : no_memory(err);
	case FK_SET_NULL:
	case FK_OTHER:
		room = grow(x->arena, &child->changed, child->nchanged, &child->changed_cap,
			    sizeof(*child->changed));
		if (!room)
			return no_memory(err);
		child->changed[child->nchanged++] = where;
		return block_changes(x, c, fk, where, err);
	}
	return ROWD_OK;
}

/* From the rows of t that go, to those that refer to them. */
static enum rowd_code follow(struct exec *x, struct cascade *c, const struct table *t, struct err *err)
{
	const struct cascade_node *node = find_node(c, t);
	const struct pred *doomed = c->where, *where;
	enum rowd_code rc = ROWD_OK;

	if (t != c->root) {
		if (node->ndoomed == 0)
			return ROWD_OK; /* only a circle leads here */
		doomed = pred_join(x->arena, PRED_OR, node->doomed, node->ndoomed);
		if (!doomed)
			return no_memory(err);
	}
	for (unsigned i = 0; i < t->nchildren && !rc; i++) {
		if (!refers_to_columns(t->children[i]))
			continue;
		rc = refers(x, t->children[i], doomed, &where, err);
		if (!rc)
			rc = add_way(x, c, t->children[i], where, err);
	}
	return rc;
}

static int by_child(const void *a, const void *b)
{
	const struct cascade_block *x = a, *y = b;
	int order = strcmp(x->fk->child->name, y->fk->child->name);

	for (unsigned i = 0; order == 0 && i < x->fk->ncolumns && i < y->fk->ncolumns; i++)
		order = strcmp(x->fk->columns[i]->name, y->fk->columns[i]->name);
	return order;
}

enum rowd_code cascade_plan(struct exec *x, const struct table *root, const struct pred *where,
			    struct cascade *out, struct err *err)
{
	const struct table **order = NULL;
	unsigned norder = 0, cap = 0;
	enum rowd_code rc = ROWD_OK;

	*out = (struct cascade){ .root = root, .where = where };
	if (!walk(x, out, root, &order, &norder, &cap))
		return no_memory(err);
	while (norder > 0 && !rc)
		rc = follow(x, out, order[--norder], err);
	if (!rc && out->nblocks > 1)
		qsort(out->blocks, out->nblocks, sizeof(*out->blocks), by_child);
	return rc;
}

/* ---- asking ---- */

enum rowd_code cascade_find_block(struct exec *x, const struct cascade *c, const struct foreign_key **out,
				  struct err *err)
{
	enum rowd_code rc = ROWD_OK;
	bool found = false;

	*out = NULL;
	for (unsigned i = 0; i < c->nblocks && !rc && !found; i++) {
		rc = probe_exists(x, c->blocks[i].fk->child, c->blocks[i].where, &found, err);
		if (!rc && found)
			*out = c->blocks[i].fk;
	}
	return rc;
}

/* The rows of a node that go or change, each counted once: those of any of its conditions. */
static enum rowd_code count_node(struct exec *x, const struct cascade *c, const struct cascade_node *node,
				 int64_t *out, struct err *err)
{
	bool is_root = node->table == c->root;
	unsigned n = node->ndoomed + node->nchanged;
	const struct pred **any = arena_calloc(x->arena, n + 1, sizeof(*any)), *where;
	int64_t matched = 0;
	enum rowd_code rc;

	*out = 0;
	if (!any)
		return no_memory(err);
	if (n == 0 || (is_root && !c->where))
		return ROWD_OK;
	for (unsigned i = 0; i < n; i++)
		any[i] = i < node->ndoomed ? node->doomed[i] : node->changed[i - node->ndoomed];
	if (is_root) { /* those that match go anyway */
		any[n++] = c->where;
		rc = exec_count(x, node->table, c->where, &matched, err);
		if (rc)
			return rc;
	}
	where = pred_join(x->arena, PRED_OR, any, n);
	if (!where)
		return no_memory(err);
	rc = exec_count(x, node->table, where, out, err);
	*out -= matched;
	return rc;
}

static int by_name(const void *a, const void *b)
{
	const struct cascade_count *x = a, *y = b;

	return strcmp(x->table->name, y->table->name);
}

enum rowd_code cascade_count(struct exec *x, const struct cascade *c, struct cascade_count **out,
			     unsigned *n_out, struct err *err)
{
	struct cascade_count *counts = arena_calloc(x->arena, c->nnodes, sizeof(*counts));
	enum rowd_code rc = ROWD_OK;
	unsigned n = 0;

	if (!counts)
		return no_memory(err);
	if (c->circular) {
		err_set(err, ROWD_E_UNSUPPORTED,
			"foreign keys lead from table %s back to it: what goes along cannot be counted",
			c->root->name);
		err_where(err, c->root->name, NULL);
		return ROWD_E_UNSUPPORTED;
	}
	for (unsigned i = 0; i < c->nnodes && !rc; i++) {
		counts[n].table = c->nodes[i].table;
		rc = count_node(x, c, &c->nodes[i], &counts[n].rows, err);
		n += !rc && counts[n].rows > 0;
	}
	if (rc)
		return rc;
	if (n > 1)
		qsort(counts, n, sizeof(*counts), by_name);
	*out = counts;
	*n_out = n;
	return ROWD_OK;
}

void cascade_write(struct buf *b, const struct cascade_count *counts, unsigned n)
{
	wire_map(b, n);
	for (unsigned i = 0; i < n; i++) {
		wire_cstr(b, counts[i].table->name);
		wire_int(b, counts[i].rows);
	}
}
