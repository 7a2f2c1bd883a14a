#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl/args.h"
#include "client/ctl/ctl.h"
#include "client/ctl/help.h"
#include "proto/op.h"

static const struct verb *const families[] = { read_verbs,  write_verbs,  delete_verbs,
					       purge_verbs, schema_verbs, other_verbs };

const struct verb *verb_at(size_t i)
{
	for (size_t f = 0; f < sizeof families / sizeof *families; f++)
		for (const struct verb *v = families[f]; v->name; v++)
			if (i-- == 0)
				return v;
	return NULL;
}

/* "create-table" and "create_table" are one. */
static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(strchr("-_", *a) && strchr("-_", *b)))
			return false;
	return *a == *b;
}

const struct verb *verb_find(const char *name)
{
	const struct verb *v;

	for (size_t i = 0; (v = verb_at(i)); i++)
		if (same_name(v->name, name))
			return v;
	return NULL;
}

const struct op *verb_op(const char *name)
{
	for (int i = 0; i < OP_COUNT_; i++)
		if (same_name(op_get((enum op_id)i)->name, name))
			return op_get((enum op_id)i);
	return NULL;
}

enum ctl_exit ctl_command(struct ctl *ctl, int argc, char **argv)
{
	const struct verb *verb = verb_find(argv[0]);
	const struct op *op = verb ? NULL : verb_op(argv[0]);
	enum ctl_exit rc;

	if (verb)
		rc = verb->run(ctl, verb, argc, argv);
	else if (op)
		rc = op_command(ctl, op, argc, argv);
	else
		return ctl_usage(NULL, "there is no verb \"%s\"", argv[0]);
	if (rc != CTL_HELP)
		return rc;
	help_show(argv[0]);
	return CTL_OK;
}
