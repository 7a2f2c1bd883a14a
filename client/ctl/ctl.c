#include "config.h"

#include "client/ctl/ctl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/ctl/interrupt.h"
#include "client/ctl/json.h"
#include "proto/op.h"

enum { CTL_MESSAGE_MAX_BYTES = 65536, CTL_REQUEST_MAX_BYTES = 512 * 1024 * 1024 };

/* ---- messages ---- */

/* prefix, the text with its control characters escaped, a line's end. */
static void say(const char *prefix, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0)));

static void say(const char *prefix, const char *fmt, va_list ap)
{
	struct buf safe;
	char *text;

	if (vasprintf(&text, fmt, ap) < 0)
		return;
	buf_init(&safe, CTL_MESSAGE_MAX_BYTES);
	text_write_safe(&safe, text, strlen(text));
	buf_add_char(&safe, '\0');
	fflush(stdout);
	fprintf(stderr, "%s%s\n", prefix, safe.failed ? text : safe.data);
	buf_fini(&safe);
	free(text);
}

enum ctl_exit ctl_fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("rowctl: ", fmt, ap);
	va_end(ap);
	return CTL_FAILED;
}

enum ctl_exit ctl_usage(const char *verb, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("rowctl: ", fmt, ap);
	va_end(ap);
	fprintf(stderr, "Try: rowctl help%s%s\n", verb ? " " : "", verb ? verb : "");
	return CTL_USAGE;
}

void ctl_note(const struct ctl *ctl, const char *fmt, ...)
{
	va_list ap;

	if (ctl->quiet)
		return;
	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
}

enum ctl_exit ctl_bad_text(const char *what, const char *text, const struct lang_err *err)
{
	struct buf b;

	ctl_fail("%s: %s", what, err->text);
	buf_init(&b, CTL_MESSAGE_MAX_BYTES);
	lang_err_show(&b, text, err);
	if (!b.failed)
		fwrite(b.data, 1, b.len, stderr);
	buf_fini(&b);
	return CTL_USAGE;
}

enum ctl_exit ctl_exit_of(const struct rowd_error *err)
{
	if (err->outcome == ROWD_UNKNOWN)
		return CTL_UNKNOWN;
	if (err->code == ROWD_E_DENIED)
		return CTL_DENIED;
	if (err->local && err->code == ROWD_E_UNAVAILABLE)
		return CTL_NO_CONNECTION;
	return CTL_FAILED;
}

/* Append ", word value" to a line of details. */
static void detail(struct buf *b, const char *word, const char *value)
{
	buf_addf(b, "%s%s %s", b->len ? ", " : "", word, value);
}

static void detail_count(struct buf *b, const char *word, int64_t value)
{
	char text[24];

	if (value < 0)
		return;
	snprintf(text, sizeof text, "%lld", (long long)value);
	detail(b, word, text);
}

enum ctl_exit ctl_report(const struct rowd_error *err)
{
	struct buf b;

	ctl_fail("%s: %s", err->name[0] ? err->name : rowd_code_name(err->code), err->text);
	buf_init(&b, CTL_MESSAGE_MAX_BYTES);
	if (err->table[0])
		detail(&b, "table", err->table);
	if (err->column[0])
		detail(&b, "column", err->column);
	detail_count(&b, "limit", err->limit);
	detail_count(&b, "matched", err->matched);
	detail_count(&b, "index", err->index);
	if (err->outcome == ROWD_UNKNOWN)
		detail(&b, "outcome", "unknown: it may have taken effect or not");
	else if (err->retry && !err->local)
		detail(&b, "a moment later", "the same may well succeed");
	if (b.len && !b.failed) {
		struct buf safe;

		buf_init(&safe, CTL_MESSAGE_MAX_BYTES);
		text_write_safe(&safe, b.data, b.len);
		fprintf(stderr, "  %.*s\n", (int)safe.len, safe.data);
		buf_fini(&safe);
	}
	buf_fini(&b);
	return ctl_exit_of(err);
}

/* ---- calls ---- */

enum ctl_exit ctl_connect(struct ctl *ctl)
{
	struct rowd_options options = ROWD_OPTIONS_INIT;
	struct rowd_error err;

	if (ctl->conn)
		return CTL_OK;
	options.client = "rowctl";
	options.database = ctl->database;
	if (ctl->timeout_ms != CTL_TIMEOUT_NONE) {
		options.timeout_ms = ctl->timeout_ms;
		options.connect_timeout_ms = ctl->timeout_ms;
	}
	if (!rowd_connect(ctl->socket, &options, &ctl->conn, &err))
		return CTL_OK;
	ctl_report(&err);
	if (err.code == ROWD_E_DENIED)
		return CTL_DENIED;
	return err.local ? CTL_NO_CONNECTION : ctl_exit_of(&err);
}

enum ctl_exit ctl_keep_database(struct ctl *ctl, const char *database)
{
	char *copy = strdup(database);

	if (!copy)
		return ctl_fail("out of memory");
	free(ctl->database);
	ctl->database = copy;
	rowd_close(ctl->side_conn);
	ctl->side_conn = NULL;
	return CTL_OK;
}

bool ctl_pack(struct buf *b, const struct json_object *params)
{
	char why[120] = "";

	if (!json_pack(b, params, why, sizeof why))
		ctl_fail("%s", why);
	else if (b->failed)
		ctl_fail("the request is too large");
	else
		return true;
	return false;
}

void ctl_show_request(const struct ctl *ctl, const char *method, const struct json_object *params)
{
	if (ctl->verbose)
		fprintf(stderr, "> %s %s\n", method,
			params ? json_object_to_json_string_ext((struct json_object *)params,
								JSON_C_TO_STRING_PLAIN |
									JSON_C_TO_STRING_NOSLASHESCAPE)
			       : "[]");
}

/* Could it change anything? */
static bool method_writes(const char *method)
{
	const struct op *op = op_find(method, strlen(method));

	return !op || op->place == PLACE_WRITER || op->place == PLACE_SCHEMA || op->place == PLACE_ALONE ||
	       op->permission == PERM_ADMIN || op->id == OP_COMMIT;
}

enum rowd_code ctl_call_raw(struct ctl *ctl, const char *method, const struct buf *params,
			    struct rowd_result **result_out, struct rowd_error *err)
{
	int64_t before = clock_ns();
	enum rowd_code rc;

	interrupt_begin(ctl->conn, method_writes(method));
	rc = rowd_call(ctl->conn, method, rowd_raw(params->data, params->len), NULL, result_out, err);
	interrupt_end();
	if (ctl->verbose)
		fprintf(stderr, "< %s after %.1f ms\n", rowd_code_name(rc), (double)(clock_ns() - before) / NS_PER_MS);
	return rc;
}

enum ctl_exit ctl_call(struct ctl *ctl, const char *method, struct json_object *params,
		       struct rowd_result **result_out)
{
	enum ctl_exit rc = ctl_connect(ctl);
	struct rowd_error err;
	struct buf packed;

	buf_init(&packed, CTL_REQUEST_MAX_BYTES);
	if (rc == CTL_OK && !ctl_pack(&packed, params))
		rc = CTL_FAILED;
	if (rc == CTL_OK) {
		ctl_show_request(ctl, method, params);
		if (ctl_call_raw(ctl, method, &packed, result_out, &err))
			rc = ctl_report(&err);
		else if (interrupt_seen())
			ctl_note(ctl, "it was too late to cancel: it is done");
		interrupt_forget();
	}
	buf_fini(&packed);
	json_object_put(params);
	return rc;
}
