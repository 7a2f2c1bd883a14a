/*
 * Which key of a table leads to the rows of a filter, as far as the filter and the catalog tell: the
 * same answer on every database, whatever its own planner may make of it.
 *
 * Pure. Thread: any.
 */
#ifndef ROWD_PLAN_ACCESS_H
#define ROWD_PLAN_ACCESS_H

#include "daemon/plan/filter.h"

/* The best one, the primary key before others; NULL when every row has to be looked at. */
const struct key *access_find(const struct table *t, const struct pred *where);

#endif
