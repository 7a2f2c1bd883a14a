/*
 * Conditions that rowd makes itself: of a key, of a foreign key, of the rows behind another.
 *
 * All of it lives in the arena given; NULL when memory runs out. Pure. Thread: any.
 */
#ifndef ROWD_PLAN_PRED_H
#define ROWD_PLAN_PRED_H

#include "daemon/plan/filter.h"

/* column op value. */
const struct pred *pred_compare(struct arena *a, enum pred_op op, const struct column *column,
				const struct value *value);

/* column IS NULL, column IS NOT NULL: PRED_IS_NULL, PRED_NOT_NULL. */
const struct pred *pred_null(struct arena *a, enum pred_op op, const struct column *column);

/* kids (copied) joined by PRED_AND or PRED_OR; the kid itself when there is one. n > 0. NULL too when
 * one of the kids is. */
const struct pred *pred_join(struct arena *a, enum pred_op op, const struct pred *const *kids, unsigned n);

/* Each column equal to its value, or null where that is. n > 0. */
const struct pred *pred_equals(struct arena *a, const struct column *const *columns,
			       const struct value *values, unsigned n);

/* column IN values, which are sorted here and made distinct; none of them null. n may be 0: false. */
const struct pred *pred_in_list(struct arena *a, const struct column *column, struct value *values, size_t n);

/* The rows of fk's child that refer to a row of its parent of which `where` (NULL: any) is true. */
const struct pred *pred_refers(struct arena *a, const struct foreign_key *fk, const struct pred *where);

#endif
