#include "config.h"

#include "client/ctl/target.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/ctl/param.h"

/* ---- asking first ---- */

/* The rows of a table, for the question; -1 when it will not say. */
static int64_t rows_of(struct ctl *ctl, const char *table)
{
	int64_t n = -1;

	if (ctl_connect(ctl) != CTL_OK || rowd_in_transaction(ctl->conn) ||
	    rowd_count(ctl->conn, table, NULL, &n, NULL))
		return -1;
	return n;
}

static bool type_the_name(struct ctl *ctl, const char *table, const char *doing)
{
	int64_t n = rows_of(ctl, table);
	char answer[256] = "";

	fflush(stdout);
	if (n >= 0)
		fprintf(stderr, "%s every row of %s: %lld now. ", doing, table, (long long)n);
	else
		fprintf(stderr, "%s every row of %s. ", doing, table);
	fprintf(stderr, "Type the table's name to go on: ");
	if (!fgets(answer, sizeof answer, stdin))
		fprintf(stderr, "\n");
	answer[strcspn(answer, "\n")] = '\0';
	return !strcmp(answer, table);
}

enum ctl_exit target_confirm_all(struct ctl *ctl, const struct args *a, const char *doing)
{
	if (args_get(a, "yes") || args_get(a, "dry-run"))
		return CTL_OK;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
		return ctl_usage(a->verb->name, "every row: say --yes where there is no terminal to ask on");
	if (type_the_name(ctl, a->words[0], doing))
		return CTL_OK;
	return ctl_fail("that is not the table's name: nothing was done");
}

/* ---- the request ---- */

/* Which of the three operations the command line means. */
static enum ctl_exit target_op(const struct args *a, const struct target *t, const struct op **op)
{
	const char *verb = a->verb->name;
	bool key = args_get(a, "key"), all = args_get(a, "all"), filter = a->nwords > 1;

	if (key + all + filter > 1)
		return ctl_usage(verb, "a filter, --key or --all: one of them");
	if (key + all + filter == 0)
		return ctl_usage(verb, "which rows? a filter, --key KEY, or --all for every row");
	*op = op_get(key ? t->by_key : all ? t->all : t->by_filter);
	return CTL_OK;
}

/* The words of every --key. */
static enum ctl_exit key_of(struct ctl *ctl, const struct args *a, struct json_object **out)
{
	char **words = calloc(a->ngiven + 1, sizeof *words);
	const char *value;
	int n = 0;
	enum ctl_exit rc;

	if (!words)
		return ctl_fail("out of memory");
	for (size_t i = 0; (value = args_next(a, "key", &i));)
		words[n++] = (char *)value;
	rc = param_key(ctl, a->words[0], words, n, out);
	free(words);
	return rc;
}

static enum ctl_exit target_params(struct ctl *ctl, const struct args *a, const struct target *t,
				   const struct op *op, struct json_object *params)
{
	struct json_object *value;
	enum ctl_exit rc = CTL_OK;

	json_object_array_add(params, json_object_new_string(a->words[0]));
	if (op->id != t->all) {
		rc = op->id == t->by_key ? key_of(ctl, a, &value)
					 : param_filter(ctl, a->words[0], a->words[1], &value);
		if (rc == CTL_OK)
			json_object_array_add(params, value);
	}
	if (rc == CTL_OK && t->set)
		json_object_array_add(params, json_object_get(t->set));
	if (rc == CTL_OK)
		rc = args_options(ctl, a, op, a->words[0], &value);
	if (rc == CTL_OK && value)
		json_object_array_add(params, value);
	return rc;
}

/* ---- the answer ---- */

static void sentence(char *out, size_t out_bytes, const struct rowd_result *result, const struct target *t,
		     bool dry)
{
	int64_t n = rowd_result_count(result);

	if (n < 0)
		n = 0;
	snprintf(out, out_bytes, "%lld %s %s%s", (long long)n, n == 1 ? "row" : "rows",
		 dry ? "would be " : "", t->done);
}

static void show_cascaded(struct ctl *ctl, const struct rowd_result *result, bool dry)
{
	const struct rowd_item *map = rowd_item_get(rowd_result_item(result), "cascaded");

	for (size_t i = 0; i < rowd_item_count(map); i++) {
		const char *table = rowd_item_name(map, i);
		char text[256];
		int64_t n;

		if (!table || !rowd_item_int(rowd_item_at(map, i), &n))
			continue;
		snprintf(text, sizeof text, "%lld of %s %s along", (long long)n, table,
			 dry ? "would go" : "went");
		out_sentence(&ctl->out, text);
	}
}

static void show_answer(struct ctl *ctl, const struct rowd_result *result, const struct target *t, bool dry)
{
	char text[128];

	if (out_is_json(&ctl->out)) {
		out_item(&ctl->out, rowd_result_item(result));
		return;
	}
	sentence(text, sizeof text, result, t, dry);
	if (rowd_result_columns(result)) {
		out_rows_begin_result(&ctl->out, result);
		out_result_rows(&ctl->out, result);
		out_rows_end(&ctl->out);
		fflush(stdout);
		ctl_note(ctl, "%s", text);
	} else if (!ctl->quiet) {
		out_sentence(&ctl->out, text);
		show_cascaded(ctl, result, dry);
	}
}

enum ctl_exit target_run(struct ctl *ctl, const struct args *a, const struct target *t)
{
	struct json_object *params = json_object_new_array();
	bool dry = args_get(a, "dry-run") != NULL;
	struct rowd_result *result;
	const struct op *op = NULL;
	enum ctl_exit rc = target_op(a, t, &op);

	if (rc == CTL_OK)
		rc = target_params(ctl, a, t, op, params);
	if (rc == CTL_OK && op->id == t->all)
		rc = target_confirm_all(ctl, a, t->doing);
	if (rc == CTL_OK) {
		rc = ctl_call(ctl, op->name, json_object_get(params), &result);
		if (rc == CTL_OK) {
			show_answer(ctl, result, t, dry);
			rowd_result_free(result);
		}
	}
	json_object_put(params);
	return rc;
}
