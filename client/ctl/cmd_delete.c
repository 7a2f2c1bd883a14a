#include "config.h"

#include <stdio.h>

#include "client/ctl/args.h"
#include "client/ctl/ctl.h"
#include "client/ctl/target.h"

static enum ctl_exit cmd_delete(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
{
	static const struct target target = { .by_key = OP_DELETE,
					      .by_filter = OP_DELETE_WHERE,
					      .all = OP_DELETE_ALL,
					      .doing = "Delete",
					      .done = "deleted" };
	struct args a;
	enum ctl_exit rc = args_parse(ctl, verb, argc, argv, &a);

	if (rc == CTL_OK)
		rc = args_words(&a, 1, 2);
	if (rc == CTL_OK)
		rc = target_run(ctl, &a, &target);
	args_fini(&a);
	return rc;
}

static const struct arg_def delete_options[] = {
	{ "key", 'k', "KEY", "the row of that primary key; again for each of its columns", -1 },
	{ "all", 0, NULL, "every row; asks first", -1 },
	{ "yes", 'y', NULL, "do not ask", -1 },
	{ NULL, 0, NULL, NULL, 0 }
};

const struct verb delete_verbs[] = {
	{ "delete", "TABLE FILTER", "delete rows",
	  "One row with --key in place of the filter, every row with --all: that asks for the table's name on a\n"
	  "terminal, and wants --yes elsewhere. --dry-run tells how many it would be.\n"
	  "  rowctl delete users 'age > 30 and name like \"a%\"' --dry-run\n"
	  "  rowctl delete users 'id in @ids.txt' --max-rows 1000\n"
	  "  rowctl delete users --key 5",
	  delete_options, "delete delete_where delete_all", cmd_delete },
	{ 0 }
};
