#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl/args.h"
#include "client/ctl/coldef.h"
#include "client/ctl/ctl.h"
#include "client/ctl/param.h"

/* ---- describe ---- */

/* "id, name" from a list of names, into b. */
static void add_names(struct buf *b, const struct rowd_item *names)
{
	for (size_t i = 0; i < rowd_item_count(names); i++) {
		const char *name = rowd_item_str(rowd_item_at(names, i), NULL);

		buf_addf(b, "%s%s", i ? ", " : "", name ? name : "?");
	}
}

static void show_line(struct ctl *ctl, struct buf *b)
{
	buf_add_char(b, '\0');
	if (!b->failed)
		out_sentence(&ctl->out, b->data);
	buf_clear(b);
}

/* A list of indexes: each a list of names, or a map with "columns". */
static void show_indexes(struct ctl *ctl, struct buf *b, const char *what, const struct rowd_item *list)
{
	for (size_t i = 0; i < rowd_item_count(list); i++) {
		const struct rowd_item *index = rowd_item_at(list, i);
		const struct rowd_item *columns = rowd_item_get(index, "columns");

		buf_addf(b, "%s: ", what);
		add_names(b, columns ? columns : index);
		show_line(ctl, b);
	}
}

static void show_foreign_keys(struct ctl *ctl, struct buf *b, const struct rowd_item *list)
{
	for (size_t i = 0; i < rowd_item_count(list); i++) {
		const struct rowd_item *key = rowd_item_at(list, i);
		const char *table = rowd_item_str(rowd_item_get(key, "table"), NULL);
		const char *action = rowd_item_str(rowd_item_get(key, "on_delete"), NULL);

		buf_add_str(b, "foreign key: ");
		add_names(b, rowd_item_get(key, "columns"));
		buf_addf(b, " references %s(", table ? table : "?");
		add_names(b, rowd_item_get(key, "references"));
		buf_addf(b, ") on delete %s", action ? action : "restrict");
		show_line(ctl, b);
	}
}

static void show_portable(struct ctl *ctl, struct buf *b, const struct rowd_item *table)
{
	const struct rowd_item *reasons = rowd_item_get(table, "reasons");
	bool portable;

	if (!rowd_item_bool(rowd_item_get(table, "portable"), &portable) || portable)
		return;
	buf_add_str(b, "not portable to another database:");
	show_line(ctl, b);
	for (size_t i = 0; i < rowd_item_count(reasons); i++) {
		const char *reason = rowd_item_str(rowd_item_at(reasons, i), NULL);

		buf_addf(b, "  %s", reason ? reason : "?");
		show_line(ctl, b);
	}
}

static void show_columns(struct ctl *ctl, const struct rowd_item *columns)
{
	static const char *const names[] = { "column", "type", "null", "default", "auto" };
	static const char *const members[] = { "name", "type", "null", "default", "auto" };
	const struct rowd_item *items[5];

	out_rows_begin(&ctl->out, names, 5);
	for (size_t i = 0; i < rowd_item_count(columns); i++) {
		for (size_t j = 0; j < 5; j++)
			items[j] = rowd_item_get(rowd_item_at(columns, i), members[j]);
		out_row(&ctl->out, items);
	}
	out_rows_end(&ctl->out);
}

static void show_table(struct ctl *ctl, const struct rowd_item *table)
{
	struct buf b;

	show_columns(ctl, rowd_item_get(table, "columns"));
	if (ctl->out.format != OUT_TABLE)
		return;
	buf_init(&b, 65536);
	buf_add_str(&b, "primary key: ");
	add_names(&b, rowd_item_get(table, "primary_key"));
	show_line(ctl, &b);
	show_indexes(ctl, &b, "unique", rowd_item_get(table, "unique"));
	show_indexes(ctl, &b, "index", rowd_item_get(table, "indexes"));
	show_foreign_keys(ctl, &b, rowd_item_get(table, "foreign_keys"));
	show_portable(ctl, &b, table);
	buf_fini(&b);
}

static enum ctl_exit cmd_describe(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
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
		rc = ctl_call(ctl, "describe", params, &result);
	}
	if (rc == CTL_OK) {
		if (out_is_json(&ctl->out))
			out_item(&ctl->out, rowd_result_item(result));
		else
			show_table(ctl, rowd_result_item(result));
		rowd_result_free(result);
	}
	args_fini(&a);
	return rc;
}

/* ---- create-table, add-column ---- */

static struct json_object *member_array(struct json_object *map, const char *name)
{
	struct json_object *array;

	if (!json_object_object_get_ex(map, name, &array)) {
		array = json_object_new_array();
		json_object_object_add(map, name, array);
	}
	return array;
}

static void name_add(struct json_object *array, const struct json_object *column)
{
	json_object_array_add(array, json_object_get(json_object_object_get(column, "name")));
}

/* One column of the command line into the schema. */
static enum ctl_exit column_add(struct json_object *schema, const char *text)
{
	struct json_object *unique;
	struct lang_err err;
	struct coldef d;

	if (!coldef_parse(&d, text, &err)) {
		coldef_fini(&d);
		return ctl_bad_text("column", text, &err);
	}
	json_object_array_add(member_array(schema, "columns"), json_object_get(d.column));
	if (d.primary_key)
		name_add(member_array(schema, "primary_key"), d.column);
	if (d.unique) {
		unique = json_object_new_array();
		name_add(unique, d.column);
		json_object_array_add(member_array(schema, "unique"), unique);
	}
	if (d.foreign_key)
		json_object_array_add(member_array(schema, "foreign_keys"), json_object_get(d.foreign_key));
	coldef_fini(&d);
	return CTL_OK;
}

/* --unique a,b --index c: a list of lists. */
static enum ctl_exit indexes_add(const struct args *a, const char *option, const char *member,
				 struct json_object *schema)
{
	const char *text;

	for (size_t i = 0; (text = args_next(a, option, &i));) {
		struct json_object *names = json_object_new_array();

		json_object_array_add(member_array(schema, member), names);
		if (!names_split(text, names))
			return ctl_usage(a->verb->name, "--%s wants columns with commas between them",
					 option);
	}
	return CTL_OK;
}

static enum ctl_exit schema_from_words(const struct args *a, struct json_object *schema)
{
	const char *key = args_get(a, "primary-key");
	enum ctl_exit rc = CTL_OK;

	for (int i = 1; rc == CTL_OK && i < a->nwords; i++)
		rc = column_add(schema, a->words[i]);
	if (rc == CTL_OK && key && !names_split(key, member_array(schema, "primary_key")))
		rc = ctl_usage(a->verb->name, "--primary-key wants columns with commas between them");
	if (rc == CTL_OK)
		rc = indexes_add(a, "unique", "unique", schema);
	if (rc == CTL_OK)
		rc = indexes_add(a, "index", "indexes", schema);
	return rc;
}

/* What describe tells beside the schema is left out, so that its answer can be made a table again. */
static void description_to_schema(struct json_object *o)
{
	static const char *const told[] = { "name", "portable", "reasons" };

	if (!json_object_object_get_ex(o, "portable", NULL))
		return;
	for (size_t i = 0; i < sizeof told / sizeof *told; i++)
		json_object_object_del(o, told[i]);
}

static enum ctl_exit schema_of(const struct args *a, struct json_object **out)
{
	const char *path = args_get(a, "file");
	enum ctl_exit rc;

	if (path && a->nwords > 1)
		return ctl_usage(a->verb->name,
				 "columns on the command line, or a schema in a file: not both");
	if (path) {
		rc = param_file(path, out);
		if (rc == CTL_OK)
			description_to_schema(*out);
		return rc;
	}
	if (a->nwords < 2)
		return ctl_usage(a->verb->name, "a table has columns: '%s'", "id int auto primary key");
	if (a->nwords == 2 && a->words[1][strspn(a->words[1], " \t\n")] == '{') {
		rc = param_json("schema", a->words[1], out);
		if (rc == CTL_OK)
			description_to_schema(*out);
		return rc;
	}
	*out = json_object_new_object();
	rc = schema_from_words(a, *out);
	if (rc != CTL_OK)
		json_object_put(*out);
	return rc;
}

/* Table, a second parameter, options: call it and say done. */
static enum ctl_exit change_schema(struct ctl *ctl, const struct args *a, const struct op *op,
				   struct json_object *second, const char *done)
{
	struct json_object *params = json_object_new_array(), *options;
	struct rowd_result *result;
	char text[200];
	enum ctl_exit rc = args_options(ctl, a, op, a->words[0], &options);

	json_object_array_add(params, json_object_new_string(a->words[0]));
	json_object_array_add(params, second);
	if (rc != CTL_OK) {
		json_object_put(params);
		return rc;
	}
	if (options)
		json_object_array_add(params, options);
	rc = ctl_call(ctl, op->name, params, &result);
	if (rc != CTL_OK)
		return rc;
	snprintf(text, sizeof text, "%s %s", a->words[0], done);
	if (out_is_json(&ctl->out))
		out_item(&ctl->out, rowd_result_item(result));
	else if (!ctl->quiet)
		out_sentence(&ctl->out, text);
	rowd_result_free(result);
	return CTL_OK;
}

static enum ctl_exit cmd_create_table(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
{
	struct json_object *schema = NULL;
	struct args a;
	enum ctl_exit rc = args_parse(ctl, verb, argc, argv, &a);

	if (rc == CTL_OK)
		rc = args_words(&a, 1, -1);
	if (rc == CTL_OK)
		rc = schema_of(&a, &schema);
	if (rc == CTL_OK)
		rc = change_schema(ctl, &a, op_get(OP_CREATE_TABLE), schema, "is there");
	args_fini(&a);
	return rc;
}

static enum ctl_exit cmd_add_column(struct ctl *ctl, const struct verb *verb, int argc, char **argv)
{
	struct lang_err err;
	struct coldef d = { 0 };
	struct args a;
	enum ctl_exit rc = args_parse(ctl, verb, argc, argv, &a);

	if (rc == CTL_OK)
		rc = args_words(&a, 2, 2);
	if (rc == CTL_OK && !coldef_parse(&d, a.words[1], &err))
		rc = ctl_bad_text("column", a.words[1], &err);
	if (rc == CTL_OK && (d.primary_key || d.unique || d.foreign_key))
		rc = ctl_usage(verb->name,
			       "a column added is no key: make an index for it with create-index --unique");
	if (rc == CTL_OK)
		rc = change_schema(ctl, &a, op_get(OP_ADD_COLUMN), json_object_get(d.column),
				   "has the column");
	coldef_fini(&d);
	args_fini(&a);
	return rc;
}

static const struct arg_def create_options[] = {
	{ "primary-key", 'p', "COLUMNS", "the primary key", -1 },
	{ "unique", 'u', "COLUMNS", "no two rows may share these; may be given again", -1 },
	{ "index", 'i', "COLUMNS", "an index on these; may be given again", -1 },
	{ "file", 'f', "PATH", "read the schema, JSON, from there; - is stdin", -1 },
	{ NULL, 0, NULL, NULL, 0 }
};

const struct verb schema_verbs[] = {
	{ "describe", "TABLE", "a table's columns, keys and indexes", NULL, NULL, "describe", cmd_describe },
	{ "create-table", "TABLE COLUMN...", "make a table",
	  "A column is 'NAME TYPE [not null] [default VALUE] [auto] [primary key] [unique]\n"
	  "[references TABLE(COLUMN) [on delete cascade|restrict|set null]]'. Types: int, bool, float,\n"
	  "decimal(p,s), text(n), text, bytes(n), bytes, time. Or the schema in JSON, in place of the columns:\n"
	  "what describe says of another table will do.\n"
	  "  rowctl create-table users 'id int auto primary key' 'name text(40) not null' 'age int' --index age",
	  create_options, "create_table", cmd_create_table },
	{ "add-column", "TABLE COLUMN", "add a column to a table",
	  "The column as for create-table.\n  rowctl add-column users 'email text(100)'", NULL, "add_column",
	  cmd_add_column },
	{ 0 }
};
