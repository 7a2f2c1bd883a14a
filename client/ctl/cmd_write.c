#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/ctl/archive.h"
#include "client/ctl/args.h"
#include "client/ctl/ctl.h"
#include "client/ctl/interrupt.h"
#include "client/ctl/json.h"
#include "client/ctl/param.h"
#include "client/ctl/rows.h"
#include "client/ctl/target.h"

enum {
	BATCH_ROWS = 1000,
	BATCH_BYTES = 4 * 1024 * 1024, /* a batch is sent early rather than pass this */
	BATCH_MAX_ROWS = 100000,
	BATCH_MAX_BYTES = 256 * 1024 * 1024
};

/* ---- insert and upsert: batches ---- */

/* Rows gathered for one request, and what became of those before. */
struct load {
	struct ctl *ctl;
	const char *method, *table;
	struct json_object *options; /* borrowed; NULL: none */
	struct rows *rows;       /* NULL: from the archive */
	struct archive *archive; /* NULL: from rows */
	struct buf packed; /* the rows, each a map */
	uint64_t *lines;   /* owned; where each began */
	size_t held, max_rows;
	uint64_t inserted, updated; /* by the requests that were answered */
	bool shows_rows;            /* --returning was given */
	bool begun;                 /* of those rows, the first were written */
	bool one_request;           /* a request id stands for one: all rows go in it, or none */
	bool tells_ids;             /* the rows came from the command line: few enough */
	struct buf ids;             /* what was generated for them, JSON with commas between */
};

/* [table, [rows], options] into b. */
static void load_pack(const struct load *l, struct buf *b)
{
	char why[120];

	wire_array(b, l->options ? 3 : 2);
	wire_cstr(b, l->table);
	wire_array(b, (uint32_t)l->held);
	buf_add(b, l->packed.data, l->packed.len);
	if (l->options)
		(void)json_pack(b, l->options, why, sizeof why);
}

static int64_t count_of(const struct rowd_result *r, const char *name)
{
	int64_t n;

	rowd_item_int(rowd_item_get(rowd_result_item(r), name), &n);
	return n;
}

static void load_keep_ids(struct load *l, const struct rowd_result *result)
{
	const struct rowd_item *ids = rowd_item_get(rowd_result_item(result), "ids");

	for (size_t i = 0; i < rowd_item_count(ids); i++) {
		if (l->ids.len)
			buf_add_char(&l->ids, ',');
		item_write_json(&l->ids, rowd_item_at(ids, i));
	}
}

static void load_answer(struct load *l, const struct rowd_result *result)
{
	l->inserted += (uint64_t)count_of(result, "inserted");
	l->updated += (uint64_t)count_of(result, "updated");
	if (l->tells_ids)
		load_keep_ids(l, result);
	if (!l->shows_rows)
		return;
	if (!l->begun)
		out_rows_begin_result(&l->ctl->out, result);
	l->begun = true;
	out_result_rows(&l->ctl->out, result);
}

/* Which rows a request that failed was about. */
static void load_tell(const struct load *l, const struct rowd_error *err)
{
	const char *unit = l->rows ? rows_unit(l->rows) : "row";
	unsigned long long first = l->lines[0], last = l->lines[l->held - 1];

	if (err->index >= 0 && (size_t)err->index < l->held)
		ctl_fail("%s %llu is the cause", unit, (unsigned long long)l->lines[err->index]);
	else if (l->held == 1)
		ctl_fail("this was %s %llu", unit, first);
	else
		ctl_fail("this was the request of %ss %llu to %llu", unit, first, last);
}

/* Send what is held. */
static enum ctl_exit load_send(struct load *l)
{
	enum ctl_exit rc = CTL_OK;
	struct rowd_result *result;
	struct rowd_error err;
	struct buf request;

	if (!l->held)
		return CTL_OK;
	buf_init(&request, BATCH_MAX_BYTES);
	load_pack(l, &request);
	if (l->ctl->verbose)
		fprintf(stderr, "> %s %s, %zu rows, %zu bytes\n", l->method, l->table, l->held, request.len);
	if (request.failed || l->packed.failed) {
		rc = ctl_fail("the rows are too large for one request");
	} else if (ctl_call_raw(l->ctl, l->method, &request, &result, &err)) {
		rc = ctl_report(&err);
		load_tell(l, &err);
	} else {
		load_answer(l, result);
		rowd_result_free(result);
	}
	buf_fini(&request);
	buf_clear(&l->packed);
	l->held = 0;
	return rc;
}

/* One more row is packed; sends when enough are held. */
static enum ctl_exit load_hold(struct load *l, uint64_t line)
{
	l->lines[l->held++] = line;
	if (l->one_request) {
		if (l->held < l->max_rows && l->packed.len < BATCH_MAX_BYTES / 2)
			return CTL_OK;
		return ctl_fail("more rows than one request holds; a --request-id is for one");
	}
	return l->held == l->max_rows || l->packed.len >= BATCH_BYTES ? load_send(l) : CTL_OK;
}

/* One row, which is put. */
static enum ctl_exit load_add(struct load *l, struct json_object *row)
{
	char why[120];
	bool ok = json_pack(&l->packed, row, why, sizeof why);

	json_object_put(row);
	if (!ok)
		return ctl_fail("%s %llu: %s", rows_unit(l->rows), (unsigned long long)l->rows->line, why);
	return load_hold(l, l->rows->line);
}

static enum ctl_exit load_archive(struct load *l)
{
	enum ctl_exit rc = CTL_OK;
	const char *row;
	size_t len;

	while (rc == CTL_OK) {
		if (interrupt_seen())
			return ctl_fail("interrupted");
		switch (archive_next(l->archive, &row, &len)) {
		case ARCHIVE_END: return load_send(l);
		case ARCHIVE_ERROR: return CTL_FAILED;
		case ARCHIVE_ROW: break;
		}
		buf_add(&l->packed, row, len);
		rc = load_hold(l, l->archive->row);
	}
	return rc;
}

static enum ctl_exit load_all(struct load *l)
{
	struct json_object *row;
	enum ctl_exit rc = CTL_OK;

	if (l->archive)
		return load_archive(l);
	while (rc == CTL_OK) {
		enum rows_status status;

		if (interrupt_seen())
			return ctl_fail("interrupted");
		status = rows_next(l->rows, &row);
		if (status == ROWS_END)
			return load_send(l);
		if (status == ROWS_ERROR)
			return interrupt_seen() ? ctl_fail("interrupted") : CTL_FAILED;
		rc = load_add(l, row);
	}
	return rc;
}

/* begin, commit, rollback: reports. */
static enum ctl_exit transaction(struct ctl *ctl, const char *method)
{
	struct rowd_result *result;
	enum ctl_exit rc = ctl_call(ctl, method, json_object_new_array(), &result);

	if (rc == CTL_OK)
		rowd_result_free(result);
	return rc;
}

/* All of it in one transaction, however many requests that takes. */
static enum ctl_exit load_atomically(struct load *l)
{
	enum ctl_exit rc = transaction(l->ctl, "begin");
	struct rowd_error err;

	if (rc != CTL_OK)
		return rc;
	rc = load_all(l);
	if (rc == CTL_OK) {
		rc = transaction(l->ctl, "commit");
		if (rc == CTL_UNKNOWN)
			return rc;
	}
	if (rc == CTL_OK)
		return CTL_OK;
	if (rowd_in_transaction(l->ctl->conn) || rc != CTL_NO_CONNECTION)
		(void)rowd_rollback(l->ctl->conn, &err);
	l->inserted = l->updated = 0;
	return rc == CTL_UNKNOWN ? CTL_FAILED : rc;
}

static void summary_json(struct buf *b, const struct load *l, bool upsert)
{
	buf_addf(b, "{\"inserted\":%llu", (unsigned long long)l->inserted);
	if (upsert)
		buf_addf(b, ",\"updated\":%llu", (unsigned long long)l->updated);
	if (l->ids.len) {
		buf_add_str(b, ",\"ids\":[");
		buf_add(b, l->ids.data, l->ids.len);
		buf_add_char(b, ']');
	}
	buf_add_char(b, '}');
}

static void summary_text(struct buf *b, const struct load *l, bool upsert)
{
	if (upsert)
		buf_addf(b, "%llu inserted, %llu updated", (unsigned long long)l->inserted,
			 (unsigned long long)l->updated);
	else
		buf_addf(b, "%llu %s inserted", (unsigned long long)l->inserted,
			 l->inserted == 1 ? "row" : "rows");
	if (l->ids.len) {
		buf_add_str(b, ", id ");
		buf_add(b, l->ids.data, l->ids.len);
	}
}

static void load_summary(const struct load *l, enum ctl_exit rc)
{
	struct ctl *ctl = l->ctl;
	bool upsert = !strcmp(l->method, "upsert"), to_stdout = rc == CTL_OK && !l->shows_rows;
	struct buf text;

	buf_init(&text, BATCH_MAX_BYTES);
	if (to_stdout && out_is_json(&ctl->out))
		summary_json(&text, l, upsert);
	else
		summary_text(&text, l, upsert);
	buf_add_char(&text, '\0');
	if (text.failed)
		ctl_fail("out of memory");
	else if (rc != CTL_OK)
		ctl_fail("%s%s", text.data, l->inserted + l->updated ? " by the requests before" : "");
	else if (!to_stdout)
		ctl_note(ctl, "%s", text.data);
	else if (!ctl->quiet || out_is_json(&ctl->out))
		out_sentence(&ctl->out, text.data);
	buf_fini(&text);
}

static enum ctl_exit load_run(struct ctl *ctl, struct load *l, const struct args *a)
{
	const char *batch = args_get(a, "batch");
	int64_t n = BATCH_ROWS;
	enum ctl_exit rc;
	bool deferred;

	l->one_request = args_get(a, "request-id") != NULL;
	if (l->one_request && args_get(a, "atomic"))
		return ctl_usage(a->verb->name, "--request-id is for one request, --atomic for several");
	if (l->one_request)
		n = BATCH_MAX_ROWS + 1;
	else if (batch && (!uint_parse(batch, &n) || n < 1 || n > BATCH_MAX_ROWS))
		return ctl_usage(a->verb->name, "--batch wants rows, from 1 to %d", BATCH_MAX_ROWS);
	l->max_rows = (size_t)n;
	l->lines = calloc(l->max_rows, sizeof *l->lines);
	if (!l->lines)
		return ctl_fail("out of memory");
	buf_init(&l->packed, BATCH_MAX_BYTES);
	buf_init(&l->ids, BATCH_MAX_BYTES);
	deferred = interrupt_defer(true);
	rc = args_get(a, "atomic") ? load_atomically(l) : load_all(l);
	interrupt_defer(deferred);
	interrupt_forget();
	if (l->begun && rc == CTL_OK)
		out_rows_end(&ctl->out);
	else if (l->begun)
		out_rows_cut(&ctl->out);
	load_summary(l, rc);
	buf_fini(&l->packed);
	buf_fini(&l->ids);
	free(l->lines);
	return rc;
}

/* Rows on the command line itself, as if they were lines of a file. */
static FILE *words_as_file(const struct args *a, char **text_out)
{
	struct buf b;

	buf_init(&b, BATCH_MAX_BYTES);
	for (int i = 1; i < a->nwords; i++)
		buf_addf(&b, "%s\n", a->words[i]);
	if (b.failed) {
		buf_fini(&b);
		return NULL;
	}
	*text_out = b.data;
	return fmemopen(b.data, b.len, "r");
}

static FILE *input_open(const struct args *a, char **text_out)
{
	const char *path = args_get(a, "file");

	if (a->nwords > 1)
		return words_as_file(a, text_out);
	if (!path || !strcmp(path, "-")) {
		if (isatty(STDIN_FILENO))
			fprintf(stderr, "Reading rows from the terminal; Ctrl-D ends them.\n");
		return stdin;
	}
	return fopen(path, "re");
}

/* The rows of a purge's archive, put back. */
static enum ctl_exit load_from_archive(struct ctl *ctl, struct load *l, const struct args *a)
{
	const char *path = args_get(a, "file");
	struct archive archive;
	enum ctl_exit rc = CTL_FAILED;

	if (!path || args_get(a, "csv"))
		return ctl_usage(a->verb->name, "--archive wants its file: --archive -f PATH");
	l->archive = &archive;
	if (archive_open(&archive, path))
		rc = load_run(ctl, l, a);
	archive_close(&archive);
	return rc;
}

static enum ctl_exit cmd_load(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
{
	struct load l = { .ctl = ctl, .method = verb->ops };
	struct json_object *options = NULL;
	struct rows rows;
	struct args a;
	char *text = NULL;
	FILE *file = NULL;
	enum ctl_exit rc = args_parse(ctl, verb, argc, argv, &a);

	if (rc == CTL_OK)
		rc = args_words(&a, 1, -1);
	if (rc == CTL_OK && args_get(&a, "file") && a.nwords > 1)
		rc = ctl_usage(verb->name, "rows from a file, or on the command line: not both");
	if (rc == CTL_OK)
		rc = args_options(ctl, &a, op_find(verb->ops, strlen(verb->ops)), a.words[0], &options);
	if (rc == CTL_OK)
		rc = ctl_connect(ctl);
	if (rc != CTL_OK)
		goto out;
	l.table = a.words[0];
	l.options = options;
	l.shows_rows = args_get(&a, "returning") != NULL;
	l.tells_ids = a.nwords > 1 && !l.shows_rows;
	if (args_get(&a, "archive")) {
		rc = load_from_archive(ctl, &l, &a);
		goto out;
	}
	file = input_open(&a, &text);
	if (!file) {
		rc = ctl_fail("%s: %s", args_get(&a, "file") ? args_get(&a, "file") : "rows",
			      strerror(errno));
		goto out;
	}
	l.rows = &rows;
	if (rows_open(&rows, args_get(&a, "csv") ? ROWS_CSV : ROWS_JSON, file, ctl_schema(ctl, l.table)))
		rc = load_run(ctl, &l, &a);
	else
		rc = CTL_FAILED;
	rows_close(&rows);
out:
	if (file && file != stdin)
		fclose(file);
	free(text);
	json_object_put(options);
	args_fini(&a);
	return rc;
}

/* ---- update ---- */

static enum ctl_exit set_of(struct ctl *ctl, const struct args *a, struct json_object *set)
{
	const char *text;
	enum ctl_exit rc = CTL_OK;

	for (size_t i = 0; rc == CTL_OK && (text = args_next(a, "set", &i));)
		rc = param_set(ctl, a->words[0], text, set);
	if (rc == CTL_OK && json_object_object_length(set) == 0)
		rc = ctl_usage("update", "nothing to set: --set 'age = age + 1, name = \"x\"'");
	return rc;
}

static enum ctl_exit cmd_update(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
{
	struct target target;
	struct json_object *set = json_object_new_object();
	struct args a;
	enum ctl_exit rc = args_parse(ctl, verb, argc, argv, &a);

	if (rc == CTL_OK)
		rc = args_words(&a, 1, 2);
	if (rc == CTL_OK)
		rc = set_of(ctl, &a, set);
	if (rc == CTL_OK) {
		target = (struct target){ .by_key = OP_UPDATE,
					  .by_filter = OP_UPDATE_WHERE,
					  .all = OP_UPDATE_ALL,
					  .doing = "Update",
					  .done = "updated",
					  .set = set };
		rc = target_run(ctl, &a, &target);
	}
	json_object_put(set);
	args_fini(&a);
	return rc;
}

static const struct arg_def load_options[] = {
	{ "csv", 0, NULL, "the input is CSV, its first line names the columns", -1 },
	{ "file", 'f', "PATH", "read the rows from there; - is stdin", -1 },
	{ "archive", 0, NULL, "the file is what a purge has kept", -1 },
	{ "batch", 0, "ROWS", "rows in one request, 1000", -1 },
	{ "atomic", 0, NULL, "all rows or none, in one transaction", -1 },
	{ NULL, 0, NULL, NULL, 0 }
};

static const struct arg_def update_options[] = { { "set", 0, "ASSIGNMENTS",
						   "what columns become: 'age = age + 1, name = \"x\"'", -1 },
						 { "key", 'k', "KEY", "the row of that primary key", -1 },
						 { "all", 0, NULL, "every row; asks first", -1 },
						 { "yes", 'y', NULL, "do not ask", -1 },
						 { NULL, 0, NULL, NULL, 0 } };

#define LOAD_DETAILS \
	"Rows are read from stdin, one JSON object a line (or one JSON array), or CSV with --csv. In CSV an\n" \
	"empty field is null, \"\" an empty text. Each request is all or nothing; with --atomic the whole is.\n" \
	"Generated ids are told when the rows stand on the command line; --returning keys tells them always.\n"

const struct verb write_verbs[] = {
	{ "insert", "TABLE [ROW...]", "add rows",
	  LOAD_DETAILS
	  "  rowctl insert users < rows.jsonl\n  rowctl insert users '{\"name\": \"Ada\", \"age\": 36}'",
	  load_options, "insert", cmd_load },
	{ "upsert", "TABLE [ROW...]", "add rows, or change those whose primary key exists",
	  LOAD_DETAILS "  rowctl upsert users --csv -f users.csv", load_options, "upsert", cmd_load },
	{ "update", "TABLE FILTER --set ASSIGNMENTS", "change rows",
	  "One row with --key in place of the filter, every row with --all.\n"
	  "  rowctl update users 'age > 30' --set 'age = age + 1'\n"
	  "  rowctl update users --key 5 --set 'name = \"Ada\"'",
	  update_options, "update update_where update_all", cmd_update },
	{ 0 }
};
