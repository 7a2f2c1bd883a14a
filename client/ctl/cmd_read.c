#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl/args.h"
#include "client/ctl/ctl.h"
#include "client/ctl/interrupt.h"
#include "client/ctl/param.h"

enum { READ_LIMIT_UNSTREAMED = 1000 }; /* up to so many rows come in one reply */

/* ---- select ---- */

/* The options map of select and aggregate: what was given, and the filter as `where`. */
static enum ctl_exit read_options(struct ctl *ctl, const struct args *a, const struct op *op,
				  struct json_object **out)
{
	const char *table = a->words[0];
	struct json_object *map;
	enum ctl_exit rc = args_options(ctl, a, op, table, &map);

	if (rc != CTL_OK)
		return rc;
	if (!map)
		map = json_object_new_object();
	if (a->nwords > 1 && json_object_object_get_ex(map, "where", NULL))
		rc = ctl_usage(a->verb->name, "a filter is given twice");
	else if (a->nwords > 1)
		rc = param_filter_into(ctl, table, a->words[1], map, "where");
	if (rc == CTL_OK)
		*out = map;
	else
		json_object_put(map);
	return rc;
}

static bool wants_stream(const struct json_object *options)
{
	struct json_object *limit;

	return !json_object_object_get_ex(options, "limit", &limit) ||
	       json_object_object_get_ex(options, "stream", NULL) ||
	       json_object_get_int64(limit) > READ_LIMIT_UNSTREAMED;
}

static enum ctl_exit one_reply(struct ctl *ctl, const char *table, struct json_object *options)
{
	struct json_object *params = json_object_new_array();
	struct rowd_result *result;
	enum ctl_exit rc;

	json_object_array_add(params, json_object_new_string(table));
	json_object_array_add(params, options);
	rc = ctl_call(ctl, "select", params, &result);
	if (rc != CTL_OK)
		return rc;
	out_result(&ctl->out, result);
	ctl->shown = rowd_result_rows(result);
	rowd_result_free(result);
	return CTL_OK;
}

/* The names of the columns, when a stream ended before its first row told them. */
static void empty_stream(struct ctl *ctl, const char *table, const struct json_object *options)
{
	const struct schema *schema = ctl_schema(ctl, table);
	struct json_object *columns = json_object_object_get(options, "columns");
	size_t n = columns ? json_object_array_length(columns) : schema ? schema->ncolumns : 0;
	const char **names = calloc(n ? n : 1, sizeof *names);

	for (size_t i = 0; names && i < n; i++)
		names[i] = columns ? json_object_get_string(json_object_array_get_idx(columns, i))
				   : schema->columns[i].name;
	out_rows_begin(&ctl->out, names, names ? n : 0);
	free(names);
}

/* The batches of a stream, as they come. */
static enum rowd_code show_batches(struct ctl *ctl, struct rowd_stream *stream, bool *begun,
				   struct rowd_error *err)
{
	const struct rowd_result *batch;
	enum rowd_code rc;

	for (;;) {
		rc = rowd_stream_next(stream, &batch, err);
		if (rc || !batch)
			return rc;
		if (!*begun)
			out_rows_begin_result(&ctl->out, batch);
		*begun = true;
		out_result_rows(&ctl->out, batch);
		if (ctl->out.terminal && !out_flush(&ctl->out))
			return ROWD_OK;
		if (interrupt_seen())
			return ROWD_OK;
	}
}

enum ctl_exit read_stream(struct ctl *ctl, const char *table, const struct json_object *options)
{
	struct rowd_stream *stream = NULL;
	struct rowd_error err;
	struct buf packed;
	bool begun = false;
	enum rowd_code code;
	enum ctl_exit rc = ctl_connect(ctl);

	buf_init(&packed, SIZE_MAX);
	if (rc == CTL_OK && !ctl_pack(&packed, options))
		rc = CTL_FAILED;
	if (rc != CTL_OK)
		goto out;
	ctl_show_request(ctl, "select, as a stream,", options);
	interrupt_begin(ctl->conn, false);
	code = rowd_stream_open(ctl->conn, table, rowd_raw(packed.data, packed.len), &stream, &err);
	if (!code)
		code = show_batches(ctl, stream, &begun, &err);
	interrupt_end();
	rowd_stream_close(stream);
	if (!code && !begun && !interrupt_seen())
		empty_stream(ctl, table, options);
	ctl->shown = ctl->out.count;
	if (!code && !interrupt_seen()) {
		out_rows_end(&ctl->out);
	} else {
		out_rows_cut(&ctl->out);
		rc = code ? ctl_report(&err) : ctl_fail("interrupted");
		if (begun)
			ctl_note(ctl, "  rows are missing: %llu were shown", (unsigned long long)ctl->shown);
	}
	interrupt_forget();
out:
	buf_fini(&packed);
	return rc;
}

/* On a terminal, below a table: how many. */
static void footer(const struct ctl *ctl)
{
	if (ctl->out.format != OUT_TABLE || !ctl->out.terminal)
		return;
	fflush(stdout);
	ctl_note(ctl, ctl->shown == 1 ? "%llu row" : "%llu rows", (unsigned long long)ctl->shown);
}

static enum ctl_exit cmd_select(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
{
	struct json_object *options;
	struct args a;
	enum ctl_exit rc = args_parse(ctl, verb, argc, argv, &a);

	if (rc == CTL_OK)
		rc = args_words(&a, 1, 2);
	if (rc == CTL_OK)
		rc = read_options(ctl, &a, op_get(OP_SELECT), &options);
	if (rc == CTL_OK) {
		if (wants_stream(options)) {
			json_object_object_del(options, "stream");
			rc = read_stream(ctl, a.words[0], options);
			json_object_put(options);
		} else {
			rc = one_reply(ctl, a.words[0], options);
		}
		if (rc == CTL_OK)
			footer(ctl);
	}
	args_fini(&a);
	return rc;
}

/* ---- aggregate ---- */

static enum ctl_exit cmd_aggregate(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
{
	struct json_object *options, *params;
	struct rowd_result *result;
	struct args a;
	enum ctl_exit rc = args_parse(ctl, verb, argc, argv, &a);

	if (rc == CTL_OK)
		rc = args_words(&a, 1, 2);
	if (rc == CTL_OK)
		rc = read_options(ctl, &a, op_get(OP_AGGREGATE), &options);
	if (rc == CTL_OK) {
		if (!json_object_object_get_ex(options, "compute", NULL))
			param_compute_into("count()", options, "compute");
		params = json_object_new_array();
		json_object_array_add(params, json_object_new_string(a.words[0]));
		json_object_array_add(params, options);
		rc = ctl_call(ctl, "aggregate", params, &result);
		if (rc == CTL_OK) {
			out_result(&ctl->out, result);
			if (rowd_result_more(result))
				ctl_note(ctl, "there are more rows than one reply holds: these are not all");
			rowd_result_free(result);
		}
	}
	args_fini(&a);
	return rc;
}

/* ---- get ---- */

static enum ctl_exit show_row(struct ctl *ctl, const char *table, const struct rowd_result *result)
{
	if (rowd_result_rows(result) == 0) {
		if (out_is_json(&ctl->out))
			out_item(&ctl->out, rowd_result_item(result));
		return ctl_fail("no row of %s has that key", table);
	}
	if (out_is_json(&ctl->out)) {
		out_item(&ctl->out, rowd_result_item(result));
		return CTL_OK;
	}
	out_rows_begin_result(&ctl->out, result);
	out_result_rows(&ctl->out, result);
	out_rows_end(&ctl->out);
	return CTL_OK;
}

static enum ctl_exit cmd_get(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
{
	struct json_object *params, *key;
	struct rowd_result *result;
	struct args a;
	enum ctl_exit rc = args_parse(ctl, verb, argc, argv, &a);

	if (rc == CTL_OK)
		rc = args_words(&a, 2, -1);
	if (rc == CTL_OK)
		rc = param_key(ctl, a.words[0], a.words + 1, a.nwords - 1, &key);
	if (rc == CTL_OK) {
		params = json_object_new_array();
		json_object_array_add(params, json_object_new_string(a.words[0]));
		json_object_array_add(params, key);
		rc = ctl_call(ctl, "get", params, &result);
		if (rc == CTL_OK) {
			rc = show_row(ctl, a.words[0], result);
			rowd_result_free(result);
		}
	}
	args_fini(&a);
	return rc;
}

const struct verb read_verbs[] = {
	{ "select", "TABLE [FILTER]", "rows, in a total order",
	  "Without --limit every row comes, as a stream of bounded memory.\n"
	  "  rowctl select users 'age > 30 and name like \"a%\"' -c id,name --order -age --limit 10",
	  NULL, "select", cmd_select },
	{ "get", "TABLE KEY...", "one row by its primary key",
	  "A key of several columns is several words, in the key's order. No such row: exit code 1.\n"
	  "  rowctl get users 5",
	  NULL, "get", cmd_get },
	{ "aggregate", "TABLE [FILTER]", "sums, counts, least and greatest, exactly",
	  "Without --compute: count. Functions: count, count_distinct, sum, min, max, avg.\n"
	  "  rowctl aggregate sales --group-by region --compute 'total=sum(price), n=count()'",
	  NULL, "aggregate", cmd_aggregate },
	{ 0 }
};
