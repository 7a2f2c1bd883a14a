#include "config.h"

#include "client/ctl/param.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "client/ctl/json.h"
#include "client/ctl/literal.h"

enum {
	PARAM_FILE_MAX_BYTES = 256 * 1024 * 1024,
	PARAM_MAX_AFTER = 32 /* order columns and key columns together */
};

static bool any_list(void *arg, const char *path, const struct type *type, struct json_object *list,
		     char *why, size_t why_size)
{
	(void)arg, (void)path, (void)type, (void)list, (void)why, (void)why_size;
	return true;
}

/* For a first look, at the grammar alone: before anything is connected or read. */
static const struct lang_env grammar_only = { .read_list = any_list };

enum ctl_exit param_filter(struct ctl *ctl, const char *table, const char *text, struct json_object **out)
{
	struct lang_env env = ctl_lang_env(ctl);
	struct lang_err err;
	enum ctl_exit rc;

	if (!lang_filter(text, table, &grammar_only, out, &err))
		return ctl_bad_text("filter", text, &err);
	json_object_put(*out);
	rc = ctl_connect(ctl);
	if (rc == CTL_OK && !lang_filter(text, table, &env, out, &err))
		return ctl_bad_text("filter", text, &err);
	return rc;
}

enum ctl_exit param_json(const char *name, const char *text, struct json_object **out)
{
	struct lang_err err;

	if (!json_parse(text, strlen(text), out, &err.at, err.text, sizeof err.text))
		return ctl_bad_text(name, text, &err);
	return CTL_OK;
}

enum ctl_exit param_filter_into(struct ctl *ctl, const char *table, const char *text, struct json_object *map,
				const char *name)
{
	struct json_object *filter;
	enum ctl_exit rc = param_filter(ctl, table, text, &filter);

	if (rc == CTL_OK)
		json_object_object_add(map, name, filter);
	return rc;
}

/* "-age nulls last" -> "age" */
static void order_column(const char *text, char *out, size_t out_bytes)
{
	text += *text == '-';
	snprintf(out, out_bytes, "%.*s", (int)strcspn(text, " "), text);
}

/* The type of the i-th value of `after`. */
static const struct type *after_type(const struct schema *schema, const struct json_object *order, size_t i)
{
	size_t norder = order ? json_object_array_length(order) : 0;
	const struct column *column;
	char name[128];

	if (i >= norder)
		return schema_key_type(schema, i - norder);
	order_column(json_object_get_string(json_object_array_get_idx(order, i)), name, sizeof name);
	column = schema ? schema_column(schema, name) : NULL;
	return column ? &column->type : NULL;
}

enum ctl_exit param_after_into(struct ctl *ctl, const char *table, const char *text, struct json_object *map,
			       const char *name)
{
	enum ctl_exit connected = ctl_connect(ctl);
	const struct schema *schema = connected == CTL_OK && table ? ctl_schema(ctl, table) : NULL;
	struct json_object *order = json_object_object_get(map, "order"), *values;
	struct lang_err err;
	const struct type *types[PARAM_MAX_AFTER];

	if (connected != CTL_OK)
		return connected;
	if (text[0] == '[') {
		enum ctl_exit rc = param_json(name, text, &values);

		if (rc == CTL_OK)
			json_object_object_add(map, name, values);
		return rc;
	}
	for (size_t i = 0; i < PARAM_MAX_AFTER; i++)
		types[i] = after_type(schema, order, i);
	values = json_object_new_array();
	if (!lang_values(text, types, PARAM_MAX_AFTER, values, &err)) {
		json_object_put(values);
		return ctl_bad_text(name, text, &err);
	}
	json_object_object_add(map, name, values);
	return CTL_OK;
}

enum ctl_exit param_compute_into(const char *text, struct json_object *map, const char *name)
{
	struct json_object *compute;
	struct lang_err err;

	if (!json_object_object_get_ex(map, name, &compute)) {
		compute = json_object_new_object();
		json_object_object_add(map, name, compute);
	}
	if (!lang_compute(text, compute, &err))
		return ctl_bad_text(name, text, &err);
	return CTL_OK;
}

static bool is_bare_word(const char *text)
{
	if (!isalpha((unsigned char)text[0]) && text[0] != '_')
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && !strchr("_.-", *text))
			return false;
	return true;
}

enum ctl_exit param_json_or_word(const char *name, const char *text, struct json_object **out)
{
	bool word =
		is_bare_word(text) && strcmp(text, "true") && strcmp(text, "false") && strcmp(text, "null");

	if (!word)
		return param_json(name, text, out);
	*out = json_object_new_string(text);
	return CTL_OK;
}

static enum ctl_exit key_part(const struct schema *schema, size_t i, const char *text,
			      struct json_object **out)
{
	const char *why = "";

	if (!literal_from_text(text, strlen(text), schema_key_type(schema, i), out, &why)) {
		ctl_fail("key \"%s\": %s", text, why);
		return CTL_USAGE;
	}
	return CTL_OK;
}

enum ctl_exit param_key(struct ctl *ctl, const char *table, char **words, int nwords,
			struct json_object **out)
{
	enum ctl_exit rc = ctl_connect(ctl);
	const struct schema *schema = rc == CTL_OK ? ctl_schema(ctl, table) : NULL;
	struct json_object *part, *key;

	if (rc != CTL_OK)
		return rc;
	if (nwords == 1 && words[0][0] == '[' && (!schema || schema->nkey > 1))
		return param_json("key", words[0], out);
	if (schema && (size_t)nwords != schema->nkey) {
		ctl_fail("the primary key of %s has %zu columns, %d values are given", table, schema->nkey,
			 nwords);
		return CTL_USAGE;
	}
	if (nwords == 1)
		return key_part(schema, 0, words[0], out);
	key = json_object_new_array();
	for (int i = 0; rc == CTL_OK && i < nwords; i++) {
		rc = key_part(schema, (size_t)i, words[i], &part);
		if (rc == CTL_OK)
			json_object_array_add(key, part);
	}
	if (rc == CTL_OK)
		*out = key;
	else
		json_object_put(key);
	return rc;
}

enum ctl_exit param_set(struct ctl *ctl, const char *table, const char *text, struct json_object *set)
{
	struct lang_env env = ctl_lang_env(ctl);
	struct json_object *trial = json_object_new_object();
	struct lang_err err;
	bool ok = lang_set(text, table, &grammar_only, trial, &err);
	enum ctl_exit rc;

	json_object_put(trial);
	if (!ok)
		return ctl_bad_text("set", text, &err);
	rc = ctl_connect(ctl);
	if (rc == CTL_OK && !lang_set(text, table, &env, set, &err))
		return ctl_bad_text("set", text, &err);
	return rc;
}

static bool read_all(FILE *f, struct buf *b)
{
	char chunk[16384];
	size_t n;

	while ((n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_add(b, chunk, n);
	buf_add_char(b, '\0');
	return !ferror(f) && !b->failed;
}

enum ctl_exit param_file(const char *path, struct json_object **out)
{
	bool is_stdin = !strcmp(path, "-");
	FILE *f = is_stdin ? stdin : fopen(path, "re");
	enum ctl_exit rc;
	struct buf text;

	if (!f)
		return ctl_fail("%s: %s", path, strerror(errno));
	buf_init(&text, PARAM_FILE_MAX_BYTES);
	if (!read_all(f, &text))
		rc = ctl_fail("%s cannot be read, or is too large", path);
	else
		rc = param_json(is_stdin ? "stdin" : path, text.data, out);
	buf_fini(&text);
	if (!is_stdin)
		fclose(f);
	return rc;
}
