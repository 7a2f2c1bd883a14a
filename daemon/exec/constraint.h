/*
 * Which constraint a failed write has violated: found by asking, in a fixed order, for databases tell
 * different ones of several, or none.
 *
 * The order: of an insert the primary key, then unique keys in the order of their columns' names, then
 * foreign keys likewise. Of an update first what cannot be computed, then null, then as of an insert,
 * then the children that refer to what was changed. Of a delete the children, by name.
 *
 * Each function is called after the statement failed, in its transaction, with the error in *err; it
 * returns the code of what it found, with *err filled anew, or else the error as it was, with the
 * table. Uses x->sql. Thread: the one that owns x->conn.
 */
#ifndef ROWD_EXEC_CONSTRAINT_H
#define ROWD_EXEC_CONSTRAINT_H

#include "daemon/exec/exec.h"
#include "daemon/plan/plan.h"
#include "daemon/plan/rows.h"
#include "daemon/plan/sets.h"

/* Is it a row that the database refused, rather than the statement or the moment? */
bool constraint_failed(enum rowd_code rc);

/* The insert of this row, alone. */
ROWD_MUST_CHECK enum rowd_code constraint_of_insert(struct exec *x, const struct table *t,
						    const struct row *row, struct err *err);

/* An update of the rows of which where (NULL: any) is true. by_key: of one row. */
ROWD_MUST_CHECK enum rowd_code constraint_of_update(struct exec *x, const struct table *t,
						    const struct set_list *sets, const struct pred *where,
						    bool by_key, struct err *err);

/* A delete of the rows of which where (NULL: any) is true. */
ROWD_MUST_CHECK enum rowd_code constraint_of_delete(struct exec *x, const struct table *t,
						    const struct pred *where, struct err *err);

/* The answer when rows of fk's child stand in the way. */
enum rowd_code constraint_restricts(const struct foreign_key *fk, struct err *err);

#endif
