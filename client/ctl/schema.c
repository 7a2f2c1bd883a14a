#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl/ctl.h"
#include "client/ctl/interrupt.h"
#include "client/ctl/literal.h"

static void schema_free(struct schema *s)
{
	for (size_t i = 0; i < s->ncolumns; i++)
		free(s->columns[i].name);
	for (size_t i = 0; i < s->nkey; i++)
		free(s->key[i]);
	free(s->columns);
	free(s->key);
	free(s->table);
	free(s);
}

void ctl_forget_schemas(struct ctl *ctl)
{
	while (ctl->schemas) {
		struct schema *next = ctl->schemas->next;

		schema_free(ctl->schemas);
		ctl->schemas = next;
	}
}

static bool read_columns(struct schema *s, const struct rowd_item *columns)
{
	size_t n = rowd_item_count(columns);

	s->columns = calloc(n ? n : 1, sizeof *s->columns);
	if (!s->columns)
		return false;
	for (; s->ncolumns < n; s->ncolumns++) {
		const struct rowd_item *from = rowd_item_at(columns, s->ncolumns);
		struct column *to = &s->columns[s->ncolumns];
		const char *name = rowd_item_str(rowd_item_get(from, "name"), NULL);
		const char *type = rowd_item_str(rowd_item_get(from, "type"), NULL);
		struct err ignored;

		to->name = name ? strdup(name) : NULL;
		if (!to->name)
			return false;
		if (!rowd_item_bool(rowd_item_get(from, "null"), &to->null))
			to->null = true;
		if (!type || type_parse(type, strlen(type), &to->type, &ignored))
			to->type = (struct type){ .kind = TYPE_ANY };
	}
	return true;
}

static bool read_key(struct schema *s, const struct rowd_item *key)
{
	size_t n = rowd_item_count(key);

	s->key = calloc(n ? n : 1, sizeof *s->key);
	if (!s->key)
		return false;
	for (; s->nkey < n; s->nkey++) {
		const char *name = rowd_item_str(rowd_item_at(key, s->nkey), NULL);

		s->key[s->nkey] = name ? strdup(name) : NULL;
		if (!s->key[s->nkey])
			return false;
	}
	return true;
}

/* A connection on which a refusal harms nothing: inside a transaction an error would abort it. */
static struct rowd *asking_conn(struct ctl *ctl)
{
	struct rowd_options options = ROWD_OPTIONS_INIT;
	struct rowd_error err;

	if (!rowd_in_transaction(ctl->conn))
		return ctl->conn;
	options.client = "rowctl";
	options.database = ctl->database;
	if (!ctl->side_conn && rowd_connect(rowd_path(ctl->conn), &options, &ctl->side_conn, &err))
		ctl->side_conn = NULL;
	return ctl->side_conn;
}

/* describe(), asked in silence. */
static struct schema *schema_ask(struct ctl *ctl, const char *table)
{
	struct rowd_result *result = NULL;
	struct schema *s = calloc(1, sizeof *s);
	struct rowd *conn = asking_conn(ctl);
	const struct rowd_item *item;
	struct rowd_error err;
	bool ok;

	if (!s)
		return NULL;
	s->table = strdup(table);
	ok = conn && s->table && !rowd_call(conn, "describe", rowd_strs(table), NULL, &result, &err);
	if (ok) {
		item = rowd_result_item(result);
		ok = read_columns(s, rowd_item_get(item, "columns")) &&
		     read_key(s, rowd_item_get(item, "primary_key"));
	}
	rowd_result_free(result);
	if (ok && s->ncolumns)
		return s;
	schema_free(s);
	return NULL;
}

const struct schema *ctl_schema(struct ctl *ctl, const char *table)
{
	struct schema *s;

	for (s = ctl->schemas; s; s = s->next)
		if (!strcmp(s->table, table))
			return s;
	if (ctl_connect(ctl) != CTL_OK)
		return NULL;
	s = schema_ask(ctl, table);
	if (s) {
		s->next = ctl->schemas;
		ctl->schemas = s;
	}
	return s;
}

const struct column *schema_column(const struct schema *schema, const char *name)
{
	for (size_t i = 0; schema && i < schema->ncolumns; i++)
		if (!strcmp(schema->columns[i].name, name))
			return &schema->columns[i];
	return NULL;
}

const struct type *schema_key_type(const struct schema *schema, size_t i)
{
	const struct column *c = schema && i < schema->nkey ? schema_column(schema, schema->key[i]) : NULL;

	return c ? &c->type : NULL;
}

/* ---- for the filter language ---- */

static const struct type *column_type(void *arg, const char *table, const char *column)
{
	const struct column *c = schema_column(ctl_schema(arg, table), column);

	return c ? &c->type : NULL;
}

/* One value a line. */
static bool read_list(void *arg, const char *path, const struct type *type, struct json_object *list,
		      char *why, size_t why_size)
{
	bool is_stdin = !strcmp(path, "-"), ok = true;
	FILE *f = is_stdin ? stdin : fopen(path, "re");
	size_t cap = 0, number = 0;
	char *line = NULL;
	ssize_t len;

	(void)arg;
	if (!f) {
		snprintf(why, why_size, "%s", strerror(errno));
		return false;
	}
	while (ok && (len = getline(&line, &cap, f)) >= 0) {
		struct json_object *value;
		const char *reason = "";

		number++;
		while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
			line[--len] = '\0';
		if (len == 0)
			continue;
		ok = literal_from_text(line, (size_t)len, type, &value, &reason);
		if (ok)
			json_object_array_add(list, value);
		else
			snprintf(why, why_size, "line %zu: %s", number, reason);
	}
	if (ok && ferror(f)) {
		snprintf(why, why_size, "%s", strerror(errno));
		ok = false;
	}
	free(line);
	if (!is_stdin)
		fclose(f);
	return ok;
}

struct lang_env ctl_lang_env(struct ctl *ctl)
{
	return (struct lang_env){ .column_type = column_type, .read_list = read_list, .arg = ctl };
}
