/*
 * Operations that need no verb of their own: whatever ops.def lists can be said as
 * `rowctl OPERATION PARAMETER... --OPTION...`.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl/args.h"
#include "client/ctl/ctl.h"
#include "client/ctl/param.h"
#include "client/ctl/target.h"
#include "proto/op.h"

static bool takes_rest(const struct op *op, unsigned i)
{
	return i + 1 == op->nparams &&
	       (op->params[i].kind == PARAM_KEY || op->params[i].kind == PARAM_COLUMNS);
}

static enum ctl_exit uint_param(const char *name, const char *word, struct json_object **out)
{
	int64_t v;

	if (!uint_parse(word, &v))
		return ctl_usage(NULL, "%s is a number, not \"%s\"", name, word);
	*out = json_object_new_int64(v);
	return CTL_OK;
}

static enum ctl_exit columns_param(char **words, int nwords, struct json_object **out)
{
	*out = json_object_new_array();
	for (int i = 0; i < nwords; i++) {
		if (!names_split(words[i], *out)) {
			json_object_put(*out);
			return ctl_usage(NULL, "columns are names with commas between them, not \"%s\"",
					 words[i]);
		}
	}
	return CTL_OK;
}

/* One parameter from its words; table is the first one of the operation, or NULL. */
static enum ctl_exit param_from_words(struct ctl *ctl, const struct op_param *param, const char *table,
				      char **words, int nwords, struct json_object **out)
{
	switch (param->kind) {
	case PARAM_STR:
	case PARAM_TABLE:
	case PARAM_DATABASE:
		*out = json_object_new_string(words[0]);
		return CTL_OK;
	case PARAM_UINT:
		return uint_param(param->name, words[0], out);
	case PARAM_KEY:
		return param_key(ctl, table, words, nwords, out);
	case PARAM_FILTER:
		return param_filter(ctl, table, words[0], out);
	case PARAM_COLUMNS:
		return columns_param(words, nwords, out);
	case PARAM_MAP:
	case PARAM_ROWS:
	case PARAM_OPS:
		break;
	}
	return param_json(param->name, words[0], out);
}

static enum ctl_exit op_params(struct ctl *ctl, const struct op *op, const struct args *a,
			       struct json_object *params)
{
	bool on_table = op->nparams > 0 && op->params[0].kind == PARAM_TABLE;
	const char *table = on_table && a->nwords > 0 ? a->words[0] : NULL;
	struct json_object *value;
	enum ctl_exit rc = CTL_OK;

	for (unsigned i = 0; rc == CTL_OK && i < op->nparams && (int)i < a->nwords; i++) {
		int n = takes_rest(op, i) ? a->nwords - (int)i : 1;

		rc = param_from_words(ctl, &op->params[i], table, a->words + i, n, &value);
		if (rc == CTL_OK)
			json_object_array_add(params, value);
	}
	if (rc == CTL_OK)
		rc = args_options(ctl, a, op, table, &value);
	if (rc == CTL_OK && value)
		json_object_array_add(params, value);
	return rc;
}

/* "TABLE KEY", from ops.def. */
static void op_usage(const struct op *op, char *out, size_t out_bytes)
{
	size_t len = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < op->nparams && len < out_bytes; i++) {
		char name[32];

		snprintf(name, sizeof name, "%s", op->params[i].name);
		for (char *p = name; *p; p++)
			*p = (char)(*p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
		len += (size_t)snprintf(out + len, out_bytes - len, "%s%s%s%s", len ? " " : "",
					i >= op->nrequired ? "[" : "", name, i >= op->nrequired ? "]" : "");
	}
}

/* These ask first, as --all does. */
static bool touches_all(const struct op *op)
{
	return op->id == OP_DELETE_ALL || op->id == OP_UPDATE_ALL;
}

static const struct arg_def all_options[] = { { "yes", 'y', NULL, "do not ask", -1 },
					      { NULL, 0, NULL, NULL, 0 } };

void op_verb(const struct op *op, struct verb *verb, char *usage, size_t usage_bytes)
{
	op_usage(op, usage, usage_bytes);
	*verb = (struct verb){ .name = op->name, .usage = usage, .summary = op->summary, .ops = op->name };
	if (touches_all(op))
		verb->options = all_options;
}

enum ctl_exit op_command(struct ctl *ctl, const struct op *op, int argc, char **argv)
{
	struct json_object *params = json_object_new_array();
	struct rowd_result *result;
	struct verb verb;
	struct args a;
	char usage[128];
	enum ctl_exit rc;

	op_verb(op, &verb, usage, sizeof usage);
	rc = args_parse(ctl, &verb, argc, argv, &a);
	if (rc == CTL_OK)
		rc = args_words(&a, (int)op->nrequired,
				op->nparams && takes_rest(op, op->nparams - 1) ? -1 : (int)op->nparams);
	if (rc == CTL_OK)
		rc = op_params(ctl, op, &a, params);
	if (rc == CTL_OK && touches_all(op))
		rc = target_confirm_all(ctl, &a, op->id == OP_DELETE_ALL ? "Delete" : "Update");
	if (rc == CTL_OK) {
		rc = ctl_call(ctl, op->name, json_object_get(params), &result);
		if (rc == CTL_OK) {
			out_result(&ctl->out, result);
			rowd_result_free(result);
		}
	}
	json_object_put(params);
	args_fini(&a);
	return rc;
}
