/*
 * The search for what a failed write has violated, as the files of constraint.h share it.
 *
 * Uses x->sql. Thread: the one that owns x->conn.
 */
#ifndef ROWD_EXEC_CONSTRAINT_PRIVATE_H
#define ROWD_EXEC_CONSTRAINT_PRIVATE_H

#include "daemon/exec/constraint.h"

struct search {
	struct exec *x;
	const struct table *table;
	const struct key **uniques; /* those that hold for every row, in order */
	unsigned nuniques;
	const struct foreign_key **foreign_keys; /* those that can be looked up, in order */
	unsigned nforeign_keys;
	struct err *err;
};

ROWD_MUST_CHECK enum rowd_code search_init(struct search *s, struct exec *x, const struct table *t,
					   struct err *err);

/* The end of a search: what it found (rc), or the database's own words. */
ROWD_MUST_CHECK enum rowd_code search_end(enum rowd_code rc, const struct table *t, const struct err *first,
					  struct err *err);

/* Fill *err; they return its code. */
enum rowd_code search_found(struct err *err, enum rowd_code code, const struct table *t,
			    const struct column *c, const char *words);
enum rowd_code search_found_conflict(const struct search *s, const struct key *k);
enum rowd_code search_found_orphan(const struct search *s, const struct foreign_key *fk);
enum rowd_code search_no_memory(struct err *err);

/* By the child's name, then the names of its columns; of pointers, for qsort. */
int search_by_child(const void *a, const void *b);

/* Does every column of the child refer to one that is there? */
bool search_can_look_up(const struct foreign_key *fk);

#endif
