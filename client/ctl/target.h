/*
 * What update and delete are about: the row of a key, the rows of a filter, or every row.
 */
#ifndef ROWD_CTL_TARGET_H
#define ROWD_CTL_TARGET_H

#include <json-c/json.h>

#include "client/ctl/args.h"
#include "client/ctl/ctl.h"
#include "proto/op.h"

struct target {
	enum op_id by_key, by_filter, all; /* the operations for the three */
	const char *doing, *done;          /* "Delete", "deleted" */
	struct json_object *set;           /* borrowed; what an update sets, else NULL */
};

/*
 * Carry it out and tell what was done: words[0] is the table, words[1] the filter, or --key or --all
 * stands in its place. --all asks on a terminal for the table's name and wants --yes elsewhere.
 */
enum ctl_exit target_run(struct ctl *ctl, const struct args *a, const struct target *t);

/* May every row of words[0] be changed? Asks as --all does. CTL_OK: yes. Reports. */
enum ctl_exit target_confirm_all(struct ctl *ctl, const struct args *a, const char *doing);

#endif
