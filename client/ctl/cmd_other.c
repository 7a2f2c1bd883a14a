#include "config.h"

#include <stdio.h>
#include <string.h>

#include "client/ctl/args.h"
#include "client/ctl/ctl.h"
#include "client/ctl/help.h"
#include "client/ctl/param.h"

/* ---- call ---- */

static enum ctl_exit call_params(const struct args *a, struct json_object *params)
{
	struct json_object *value;
	char name[24];
	enum ctl_exit rc = CTL_OK;

	for (int i = 1; rc == CTL_OK && i < a->nwords; i++) {
		snprintf(name, sizeof name, "parameter %d", i);
		rc = param_json_or_word(name, a->words[i], &value);
		if (rc == CTL_OK)
			json_object_array_add(params, value);
	}
	return rc;
}

/* The options of select, when they ask for a stream; else NULL. */
static struct json_object *stream_options(const char *method, const struct json_object *params)
{
	size_t n = json_object_array_length(params);
	struct json_object *options = n ? json_object_array_get_idx(params, n - 1) : NULL, *stream;

	if (strcmp(method, "select") || !json_object_is_type(options, json_type_object) ||
	    !json_object_object_get_ex(options, "stream", &stream) || !json_object_get_boolean(stream) ||
	    !json_object_is_type(json_object_array_get_idx(params, 0), json_type_string) || n != 2)
		return NULL;
	return options;
}

static enum ctl_exit call_plain(struct ctl *ctl, const char *method, struct json_object *params)
{
	struct rowd_result *result;
	enum ctl_exit rc = ctl_call(ctl, method, json_object_get(params), &result);

	if (rc != CTL_OK)
		return rc;
	if (out_is_json(&ctl->out))
		out_item(&ctl->out, rowd_result_item(result));
	else
		out_result(&ctl->out, result);
	rowd_result_free(result);
	return CTL_OK;
}

static enum ctl_exit cmd_call(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
{
	struct json_object *params = json_object_new_array(), *options;
	enum out_format format;
	struct args a;
	enum ctl_exit rc = args_parse(ctl, verb, argc, argv, &a);

	format = ctl->out.format;
	if (!ctl->format_given)
		ctl->out.format = OUT_JSON;
	if (rc == CTL_OK)
		rc = args_words(&a, 1, -1);
	if (rc == CTL_OK)
		rc = call_params(&a, params);
	if (rc == CTL_OK && (options = stream_options(a.words[0], params))) {
		json_object_object_del(options, "stream");
		rc = read_stream(ctl, json_object_get_string(json_object_array_get_idx(params, 0)), options);
	} else if (rc == CTL_OK) {
		rc = call_plain(ctl, a.words[0], params);
	}
	ctl->out.format = format;
	json_object_put(params);
	args_fini(&a);
	return rc;
}

/* ---- use ---- */

static enum ctl_exit cmd_use(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
{
	struct json_object *params;
	struct rowd_result *result;
	struct args a;
	enum ctl_exit rc = args_parse(ctl, verb, argc, argv, &a);

	if (rc == CTL_OK)
		rc = args_words(&a, 1, 1);
	if (rc == CTL_OK) {
		params = json_object_new_array();
		json_object_array_add(params, json_object_new_string(a.words[0]));
		rc = ctl_call(ctl, "use", params, &result);
	}
	if (rc == CTL_OK) {
		rowd_result_free(result);
		rc = ctl_keep_database(ctl, a.words[0]);
		if (!ctl->interactive)
			ctl_note(ctl, "a command has a connection of its own: to use %s for one say -d %s",
				 a.words[0], a.words[0]);
	}
	args_fini(&a);
	return rc;
}

/* ---- help, shell ---- */

static enum ctl_exit cmd_help(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
{
	struct args a;
	enum ctl_exit rc = args_parse(ctl, verb, argc, argv, &a);

	if (rc == CTL_OK)
		rc = args_words(&a, 0, 1);
	if (rc == CTL_OK && a.nwords == 0)
		help_overview();
	else if (rc == CTL_OK && !help_show(a.words[0]))
		rc = ctl_usage(NULL, "there is no help for \"%s\"", a.words[0]);
	args_fini(&a);
	return rc;
}

static enum ctl_exit cmd_shell(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
{
	struct args a;
	enum ctl_exit rc = args_parse(ctl, verb, argc, argv, &a);

	if (rc == CTL_OK)
		rc = args_words(&a, 0, 0);
	args_fini(&a);
	if (rc == CTL_OK && ctl->interactive)
		rc = ctl_usage(NULL, "this is the shell already");
	else if (rc == CTL_OK)
		rc = shell_run(ctl);
	return rc;
}

const struct verb other_verbs[] = {
	{ "call", "METHOD [JSON...]", "call any method of the protocol as it is",
	  "Each parameter is JSON; a bare word stands for itself as a string. {\"$bin\": \"base64\"} is bytes,\n"
	  "{\"$time\": \"2026-01-31T12:00:00Z\"} a time. The answer is JSON.\n"
	  "  rowctl call delete_where users '[\"in\", \"id\", [1, 2, 3]]' '{\"dry_run\": true}'",
	  NULL, NULL, cmd_call },
	{ "use", "DATABASE", "choose the database of the commands that follow",
	  "Of use in the shell; else say -d.", NULL, NULL, cmd_use },
	{ "shell", "", "commands from the terminal, or from stdin, one a line",
	  "Words are split as sh does it: 'single quotes', \"double quotes\", \\. A line beginning with # is passed\n"
	  "over. All commands share one connection, so that begin, commit and rollback work. From a file the\n"
	  "first command that fails ends it.",
	  NULL, NULL, cmd_shell },
	{ "help", "[VERB]", "this, or what a verb takes; help filter, help errors", NULL, NULL, NULL,
	  cmd_help },
	{ 0 }
};
