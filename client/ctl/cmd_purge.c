/*
 * Deletes that deserve a look before, or time: preview, purge, follow.
 */
#include "config.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "client/ctl/args.h"
#include "client/ctl/ctl.h"
#include "client/ctl/interrupt.h"
#include "client/ctl/param.h"
#include "client/ctl/progress.h"

enum {
	FOLLOW_EVERY_MS = 250,
	FOLLOW_PATIENCE_MS = 30000 /* so long a daemon that is gone is waited for: it may be restarting */
};

/* ---- preview ---- */

static void show_sentence(struct ctl *ctl, struct buf *b)
{
	buf_add_char(b, '\0');
	if (!b->failed)
		out_sentence(&ctl->out, b->data);
	buf_clear(b);
}

static void show_cascades(struct ctl *ctl, struct buf *b, const struct rowd_item *map)
{
	for (size_t i = 0; i < rowd_item_count(map); i++) {
		const char *table = rowd_item_name(map, i);
		int64_t n;

		if (!rowd_item_int(rowd_item_at(map, i), &n))
			continue;
		progress_count(b, n);
		buf_addf(b, " of %s would go along", table ? table : "?");
		show_sentence(ctl, b);
	}
}

static void show_blockers(struct ctl *ctl, struct buf *b, const struct rowd_item *list)
{
	for (size_t i = 0; i < rowd_item_count(list); i++) {
		buf_add_str(b, "blocked by ");
		item_write_text(b, rowd_item_at(list, i));
		show_sentence(ctl, b);
	}
}

static void show_path(struct ctl *ctl, struct buf *b, const struct rowd_item *preview)
{
	const struct rowd_item *index = rowd_item_get(preview, "index");
	bool full;

	if (rowd_item_bool(rowd_item_get(preview, "full_scan"), &full) && full) {
		buf_add_str(b, "every row has to be looked at: no index helps");
		show_sentence(ctl, b);
	} else if (rowd_item_count(index) > 0) {
		buf_add_str(b, "found by the index on ");
		for (size_t i = 0; i < rowd_item_count(index); i++) {
			buf_add_str(b, i ? ", " : "");
			item_write_text(b, rowd_item_at(index, i));
		}
		show_sentence(ctl, b);
	}
}

static void show_preview(struct ctl *ctl, const struct rowd_item *preview)
{
	const char *token = rowd_item_str(rowd_item_get(preview, "token"), NULL);
	int64_t matched;
	struct buf b;

	rowd_item_int(rowd_item_get(preview, "matched"), &matched);
	buf_init(&b, 65536);
	progress_count(&b, matched);
	buf_addf(&b, " %s would be deleted", matched == 1 ? "row" : "rows");
	show_sentence(ctl, &b);
	show_cascades(ctl, &b, rowd_item_get(preview, "cascades"));
	show_blockers(ctl, &b, rowd_item_get(preview, "blocked_by"));
	show_path(ctl, &b, preview);
	if (token) {
		buf_addf(&b, "to delete these and no others: the same filter with --token %s", token);
		show_sentence(ctl, &b);
	}
	buf_fini(&b);
}

/* [table, filter] of the command line. */
static enum ctl_exit filter_params(struct ctl *ctl, const struct args *a, struct json_object **out)
{
	struct json_object *params = json_object_new_array(), *filter;
	enum ctl_exit rc = param_filter(ctl, a->words[0], a->words[1], &filter);

	if (rc != CTL_OK) {
		json_object_put(params);
		return rc;
	}
	json_object_array_add(params, json_object_new_string(a->words[0]));
	json_object_array_add(params, filter);
	*out = params;
	return CTL_OK;
}

static enum ctl_exit cmd_preview(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
{
	struct json_object *params;
	struct rowd_result *result;
	struct args a;
	enum ctl_exit rc = args_parse(ctl, verb, argc, argv, &a);

	if (rc == CTL_OK)
		rc = args_words(&a, 2, 2);
	if (rc == CTL_OK)
		rc = filter_params(ctl, &a, &params);
	if (rc == CTL_OK)
		rc = ctl_call(ctl, "preview_delete", params, &result);
	if (rc == CTL_OK) {
		if (ctl->out.format == OUT_TABLE)
			show_preview(ctl, rowd_result_item(result));
		else
			out_result(&ctl->out, result);
		rowd_result_free(result);
	}
	args_fini(&a);
	return rc;
}

/* ---- following a job ---- */

static int64_t measure(const struct rowd_item *job, const char *name)
{
	int64_t n;

	return rowd_item_int(rowd_item_get(job, name), &n) ? n : -1;
}

static const char *state_of(const struct rowd_item *job)
{
	const char *state = rowd_item_str(rowd_item_get(job, "state"), NULL);

	return state ? state : "?";
}

static bool is_over(const char *state)
{
	return strcmp(state, "running") != 0 && strcmp(state, "paused") != 0;
}

static bool has_bar(const struct ctl *ctl)
{
	return !ctl->quiet && isatty(STDERR_FILENO);
}

static void show_progress(const struct ctl *ctl, const struct rowd_item *job)
{
	struct progress p = { measure(job, "deleted"), measure(job, "elapsed_ms"), measure(job, "rate"),
			      measure(job, "eta_ms") };

	if (has_bar(ctl))
		progress_draw(&p);
}

/* The end of a job, in a sentence or as it is. */
static enum ctl_exit show_end(struct ctl *ctl, const struct rowd_result *result)
{
	const struct rowd_item *job = rowd_result_item(result);
	const char *why = rowd_item_str(rowd_item_get(job, "error"), NULL), *state = state_of(job);
	int64_t n = measure(job, "deleted");
	struct buf b;

	if (out_is_json(&ctl->out)) {
		out_item(&ctl->out, job);
	} else if (!ctl->quiet) {
		buf_init(&b, 65536);
		progress_count(&b, n < 0 ? 0 : n);
		buf_addf(&b, " %s deleted in ", n == 1 ? "row" : "rows");
		progress_time(&b, measure(job, "elapsed_ms"));
		show_sentence(ctl, &b);
		buf_fini(&b);
	}
	if (strcmp(state, "done") == 0)
		return CTL_OK;
	return ctl_fail("the job is %s%s%s; what it deleted stays deleted", state, why ? ": " : "",
			why ? why : "");
}

static enum rowd_code job_call(struct ctl *ctl, const char *method, int64_t job, struct rowd_result **out,
			       struct rowd_error *err)
{
	return rowd_call(ctl->conn, method, rowd_array(rowd_int(job)), NULL, out, err);
}

/* Ctrl-C: end the job, or let it be. True: it is still to be followed. */
static bool ask_what_to_do(struct ctl *ctl, int64_t job)
{
	struct rowd_error err;
	char answer[16] = "";

	interrupt_forget();
	if (has_bar(ctl))
		progress_wipe();
	if (isatty(STDIN_FILENO) && isatty(STDERR_FILENO)) {
		fprintf(stderr,
			"The job goes on in the daemon. c: cancel it, l: leave it running, f: go on looking [l] ");
		if (!fgets(answer, sizeof answer, stdin)) {
			clearerr(stdin);
			fputc('\n', stderr);
		}
		interrupt_forget();
	}
	if (answer[0] == 'f')
		return true;
	if (answer[0] == 'c') {
		if (!job_call(ctl, "job_cancel", job, NULL, &err))
			return true;
		ctl_report(&err);
	}
	ctl_note(ctl, "job %lld goes on: rowctl follow %lld, rowctl job-cancel %lld", (long long)job,
		 (long long)job, (long long)job);
	return false;
}

static void nap(void)
{
	const struct timespec pause = { 0, FOLLOW_EVERY_MS * 1000000L };

	nanosleep(&pause, NULL); /* Ctrl-C ends it early */
}

/* Look at a job until it is over. */
static enum ctl_exit follow(struct ctl *ctl, int64_t job)
{
	int patience = FOLLOW_PATIENCE_MS / FOLLOW_EVERY_MS;
	struct rowd_result *result;
	struct rowd_error err;
	enum ctl_exit rc;

	for (;; nap()) {
		if (interrupt_seen() && !ask_what_to_do(ctl, job))
			return ctl_fail("interrupted");
		if (job_call(ctl, "job", job, &result, &err)) {
			if (err.retry && patience-- > 0)
				continue;
			rc = ctl_report(&err);
			ctl_note(ctl, "job %lld may be going on", (long long)job);
			return rc;
		}
		if (is_over(state_of(rowd_result_item(result))))
			break;
		patience = FOLLOW_PATIENCE_MS / FOLLOW_EVERY_MS;
		show_progress(ctl, rowd_result_item(result));
		rowd_result_free(result);
	}
	if (has_bar(ctl))
		progress_wipe();
	rc = show_end(ctl, result);
	rowd_result_free(result);
	return rc;
}

static enum ctl_exit follow_patiently(struct ctl *ctl, int64_t job)
{
	bool deferred = interrupt_defer(true);
	enum ctl_exit rc = follow(ctl, job);

	interrupt_defer(deferred);
	interrupt_forget();
	return rc;
}

static enum ctl_exit cmd_follow(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
{
	struct args a;
	int64_t job;
	enum ctl_exit rc = args_parse(ctl, verb, argc, argv, &a);

	if (rc == CTL_OK)
		rc = args_words(&a, 1, 1);
	if (rc == CTL_OK && !uint_parse(a.words[0], &job))
		rc = ctl_usage(verb->name, "a job is a number, not \"%s\"", a.words[0]);
	if (rc == CTL_OK)
		rc = ctl_connect(ctl);
	if (rc == CTL_OK)
		rc = follow_patiently(ctl, job);
	args_fini(&a);
	return rc;
}

/* ---- purge ---- */

static enum ctl_exit purge_params(struct ctl *ctl, const struct args *a, struct json_object **out)
{
	struct json_object *params, *options;
	enum ctl_exit rc = filter_params(ctl, a, &params);

	if (rc != CTL_OK)
		return rc;
	rc = args_options(ctl, a, op_get(OP_PURGE), a->words[0], &options);
	if (rc != CTL_OK) {
		json_object_put(params);
		return rc;
	}
	if (options) {
		json_object_object_del(options,
				       "follow"); /* it is followed by asking, which Ctrl-C can end */
		json_object_array_add(params, options);
	}
	*out = params;
	return CTL_OK;
}

static enum ctl_exit purge_begun(struct ctl *ctl, const struct args *a, const struct rowd_result *result)
{
	int64_t job = measure(rowd_result_item(result), "job");

	if (args_get(a, "background") || job < 0) {
		out_result(&ctl->out, result);
		return CTL_OK;
	}
	ctl_note(ctl, "job %lld", (long long)job);
	return follow_patiently(ctl, job);
}

static enum ctl_exit cmd_purge(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
{
	struct json_object *params;
	struct rowd_result *result;
	struct args a;
	enum ctl_exit rc = args_parse(ctl, verb, argc, argv, &a);

	if (rc == CTL_OK)
		rc = args_words(&a, 2, 2);
	if (rc == CTL_OK)
		rc = purge_params(ctl, &a, &params);
	if (rc == CTL_OK)
		rc = ctl_call(ctl, "purge", params, &result);
	if (rc == CTL_OK) {
		rc = purge_begun(ctl, &a, result);
		rowd_result_free(result);
	}
	args_fini(&a);
	return rc;
}

static const struct arg_def purge_options[] = { { "background", 'b', NULL,
						  "tell the job's number, and do not wait for its end", -1 },
						{ NULL, 0, NULL, NULL, 0 } };

const struct verb purge_verbs[] = {
	{ "preview", "TABLE FILTER", "what a delete would take, and a token for exactly that",
	  "The token makes the delete refuse when other rows match by then.\n"
	  "  rowctl preview users 'age > 30'\n"
	  "  rowctl delete users 'age > 30' --token TOKEN",
	  NULL, "preview_delete", cmd_preview },
	{ "purge", "TABLE FILTER", "delete any number of rows, chunk by chunk, as a job of the daemon",
	  "On a terminal its progress is shown; Ctrl-C asks whether to cancel the job or to leave it running.\n"
	  "  rowctl purge events 'at < \"2024-01-01\"' --target-ms 50 --archive events-2023",
	  purge_options, "purge", cmd_purge },
	{ "follow", "JOB", "show the progress of a purge until it is over", NULL, NULL, NULL, cmd_follow },
	{ 0 }
};
