/*
 * What a delete would take along: the rows of child tables that go or lose their parent through
 * foreign keys, at any depth, and the rows that stand in its way.
 *
 * Everything is found by selections before the delete, in its transaction. A table's row counts once,
 * however many ways lead to it. Plans live in x->arena. Thread: the one that owns x->conn.
 */
#ifndef ROWD_EXEC_CASCADE_H
#define ROWD_EXEC_CASCADE_H

#include "daemon/exec/exec.h"

/* One table whose rows are deleted, or changed by set_null. */
struct cascade_node {
	const struct table *table;
	const struct pred **doomed; /* any of these is true of a row: it is deleted */
	unsigned ndoomed, doomed_cap;
	const struct pred **changed; /* any of these, and it loses its parent */
	unsigned nchanged, changed_cap;
	bool deleted;       /* a way leads here along which rows are deleted */
	bool entered, left; /* by the walk through the graph */
};

/* Rows of a child table that forbid the delete. */
struct cascade_block {
	const struct foreign_key *fk;
	const struct pred *where; /* of the child's rows */
};

struct cascade {
	const struct table *root;
	const struct pred *where;   /* of the root's rows; NULL: every row */
	struct cascade_node *nodes; /* the root first, parents before their children */
	unsigned nnodes, nodes_cap;
	struct cascade_block *blocks; /* in order of the child's name, then its columns' */
	unsigned nblocks, blocks_cap;
	bool circular; /* a way leads back to where it began: it cannot be counted */
};

struct cascade_count {
	const struct table *table;
	int64_t rows;
};

/* May it depend on the order in which a database deletes whether it refuses? Where a row that restricts may
 * itself be deleted by the same statement. Looks at the schema only. */
bool cascade_is_ambiguous(const struct table *root);

/* Uses x->sql where conditions within conditions become too many. ROWD_E_LIMIT, NO_RESOURCE. */
ROWD_MUST_CHECK enum rowd_code cascade_plan(struct exec *x, const struct table *root,
					    const struct pred *where, struct cascade *out, struct err *err);

/* The first that stands in the way; NULL when nothing does. Uses x->sql. */
ROWD_MUST_CHECK enum rowd_code cascade_find_block(struct exec *x, const struct cascade *c,
						  const struct foreign_key **out, struct err *err);

/* Rows per child table, in order of name, none of them zero. ROWD_E_UNSUPPORTED when c->circular. Uses x->sql. */
ROWD_MUST_CHECK enum rowd_code cascade_count(struct exec *x, const struct cascade *c,
					     struct cascade_count **out, unsigned *n_out, struct err *err);

/* Append {"child": rows, ...}. */
void cascade_write(struct buf *b, const struct cascade_count *counts, unsigned n);

#endif
