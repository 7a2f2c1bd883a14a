#include "config.h"

#include "client/ctl/lang_private.h"

#include <stdlib.h>
#include <string.h>

/* x, or x + y, for a column of that type. */
static bool parse_expression(struct lang *p, const struct type *type, struct json_object **out)
{
	bool is_literal = lang_at_literal(p);
	size_t at = p->lex.at;
	struct json_object *x, *y;

	if (!lang_operand(p, type, "a value or a column", &x))
		return false;
	if (!lang_at_sign(p, "+") && !lang_at_sign(p, "-") && !lang_at_sign(p, "*")) {
		*out = x;
		if (is_literal)
			return true;
		json_object_put(x);
		return lang_fail(p->err, at, "a column alone cannot be set to; text goes in quotes");
	}
	*out = lang_node_new(p->lex.value.data);
	json_object_array_add(*out, x);
	if (lang_advance(p) && lang_operand(p, type, "a value or a column", &y)) {
		json_object_array_add(*out, y);
		return true;
	}
	json_object_put(*out);
	return false;
}

static bool parse_assignment(struct lang *p, struct json_object *set)
{
	struct column_ref left;
	struct json_object *value = NULL;
	size_t at = p->lex.at;
	bool ok;

	if (p->lex.kind != TOK_WORD && p->lex.kind != TOK_NAME)
		return lang_expected(p, "a column's name");
	if (!lang_column(p, &left))
		return false;
	if (json_object_object_get_ex(set, left.name, NULL))
		ok = lang_fail(p->err, at, "%s is set twice", left.name);
	else
		ok = lang_expect_sign(p, "=", "\"=\"") && parse_expression(p, left.type, &value);
	if (ok)
		json_object_object_add(set, left.name, value);
	free(left.name);
	return ok;
}

static bool parse_assignments(struct lang *p, struct json_object *set)
{
	do {
		if (!lang_advance(p) || !parse_assignment(p, set))
			return false;
	} while (lang_at_sign(p, ","));
	return p->lex.kind == TOK_END || lang_expected(p, "\",\" or the end");
}

/* Members of a JSON object, each once. */
static bool merge_json(const char *text, struct json_object *set, struct lang_err *err)
{
	struct json_object *object;
	bool ok = lang_json(text, &object, err);

	if (!ok)
		return false;
	json_object_object_foreach(object, name, value)
	{
		if (json_object_object_get_ex(set, name, NULL))
			ok = lang_fail(err, 0, "%s is set twice", name);
		else
			json_object_object_add(set, name, json_object_get(value));
	}
	json_object_put(object);
	return ok;
}

bool lang_set(const char *text, const char *table, const struct lang_env *env, struct json_object *set,
	      struct lang_err *err)
{
	struct lang p = { .env = env, .err = err, .table = table };
	bool ok;

	if (*lang_skip_space(text) == '{')
		return merge_json(text, set, err);
	lex_init(&p.lex, text);
	ok = parse_assignments(&p, set);
	lex_fini(&p.lex);
	return ok;
}

bool lang_values(const char *text, const struct type *const *types, size_t ntypes, struct json_object *array,
		 struct lang_err *err)
{
	struct lang p = { .err = err, .table = "" };
	struct json_object *value;
	bool ok = true;

	lex_init(&p.lex, text);
	do {
		size_t i = json_object_array_length(array);

		ok = lang_advance(&p) && lang_literal(&p, i < ntypes ? types[i] : NULL, &value);
		if (ok)
			json_object_array_add(array, value);
	} while (ok && lang_at_sign(&p, ","));
	if (ok && p.lex.kind != TOK_END)
		ok = lang_expected(&p, "\",\" or the end");
	lex_fini(&p.lex);
	return ok;
}

/* (price), (*) or () behind a function's name: the column, or NULL. */
static bool parse_argument(struct lang *p, char **column)
{
	if (!lang_expect_sign(p, "(", "\"(\" and a column"))
		return false;
	if (p->lex.kind == TOK_WORD || p->lex.kind == TOK_NAME) {
		*column = strdup(p->lex.value.data);
		if (!*column)
			return lang_fail(p->err, p->lex.at, "out of memory");
	}
	if ((*column || lang_at_sign(p, "*")) && !lang_advance(p))
		return false;
	return lang_expect_sign(p, ")", "\")\"");
}

/* [name =] function [(column)] */
static bool parse_computed(struct lang *p, struct json_object *compute)
{
	char *name = NULL, *function = NULL, *column = NULL;
	struct json_object *node;
	struct buf made;
	bool ok = p->lex.kind == TOK_WORD || p->lex.kind == TOK_NAME ||
		  lang_expected(p, "a function: count, sum, min, ...");

	buf_init(&made, LANG_NAME_MAX_BYTES);
	if (ok) {
		function = strdup(p->lex.value.data);
		ok = lang_advance(p);
	}
	if (ok && lang_at_sign(p, "=")) {
		name = function;
		ok = lang_advance(p) &&
		     (p->lex.kind == TOK_WORD || lang_expected(p, "a function: count, sum, min, ..."));
		function = ok ? strdup(p->lex.value.data) : NULL;
		ok = ok && lang_advance(p);
	}
	if (ok && lang_at_sign(p, "("))
		ok = parse_argument(p, &column);
	if (ok && function) {
		buf_addf(&made, "%s%s%s", name ? name : function, !name && column ? "_" : "",
			 !name && column ? column : "");
		buf_add_char(&made, '\0');
		node = lang_node_new(function);
		if (column)
			json_object_array_add(node, json_object_new_string(column));
		json_object_object_add(compute, made.failed ? "?" : made.data, node);
	}
	buf_fini(&made);
	free(name);
	free(function);
	free(column);
	return ok;
}

bool lang_compute(const char *text, struct json_object *compute, struct lang_err *err)
{
	struct lang p = { .err = err, .table = "" };
	bool ok;

	if (*lang_skip_space(text) == '{')
		return merge_json(text, compute, err);
	lex_init(&p.lex, text);
	do {
		ok = lang_advance(&p) && parse_computed(&p, compute);
	} while (ok && lang_at_sign(&p, ","));
	if (ok && p.lex.kind != TOK_END)
		ok = lang_expected(&p, "\",\" or the end");
	lex_fini(&p.lex);
	return ok;
}
