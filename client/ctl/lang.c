#include "config.h"

#include "client/ctl/lang_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool parse_or(struct lang *p, struct json_object **out);

/* ---- selections and lists ---- */

/* from TABLE [where FILTER], into selection; the columns inside are that table's. */
static bool parse_from(struct lang *p, const char *table, struct json_object *selection)
{
	const char *table_around = p->table, *outer_around = p->outer;
	struct json_object *where;
	bool ok, has_where;

	json_object_object_add(selection, "from", json_object_new_string(table));
	p->outer = p->table;
	p->table = table;
	ok = lang_take_word(p, "where", &has_where);
	if (ok && has_where) {
		ok = parse_or(p, &where);
		if (ok)
			json_object_object_add(selection, "where", where);
	}
	p->table = table_around;
	p->outer = outer_around;
	return ok && lang_expect_sign(p, ")", "\")\", and or or");
}

static bool parse_table(struct lang *p, char **table_out)
{
	if (!lang_expect_word(p, "from", "from and a table"))
		return false;
	if (p->lex.kind != TOK_WORD && p->lex.kind != TOK_NAME)
		return lang_expected(p, "a table's name");
	*table_out = strdup(p->lex.value.data);
	if (!*table_out)
		return lang_fail(p->err, p->lex.at, "out of memory");
	if (lang_advance(p))
		return true;
	free(*table_out);
	return false;
}

/* [select COLUMN] from TABLE [where FILTER] ), the cursor behind "(". */
static bool parse_selection(struct lang *p, bool wants_column, struct json_object **out)
{
	struct json_object *selection = json_object_new_object();
	char *table = NULL;
	bool selects, ok;

	ok = lang_take_word(p, "select", &selects);
	if (ok && selects) {
		bool name = lang_at_column(p);

		if (!name && (wants_column || (p->lex.kind != TOK_NUMBER && !lang_at_sign(p, "*"))))
			ok = lang_expected(p, "the name of one column");
		else if (wants_column)
			json_object_object_add(selection, "select",
					       json_object_new_string(p->lex.value.data));
		ok = ok && lang_advance(p);
	}
	ok = ok && parse_table(p, &table) && parse_from(p, table, selection);
	free(table);
	if (ok)
		*out = selection;
	else
		json_object_put(selection);
	return ok;
}

static bool parse_values(struct lang *p, const struct type *type, struct json_object *list)
{
	struct json_object *value;

	while (!lang_at_sign(p, ")")) {
		if (json_object_array_length(list) > 0 && !lang_expect_sign(p, ",", "\",\" or \")\""))
			return false;
		if (lang_at_word(p, "null"))
			return lang_fail(p->err, p->lex.at, "a list holds no null; say: or ... is null");
		if (!lang_literal(p, type, &value))
			return false;
		json_object_array_add(list, value);
	}
	return lang_advance(p);
}

static bool parse_file(struct lang *p, const struct type *type, struct json_object *list)
{
	char why[160] = "a list from a file cannot be read here";

	if (!p->env || !p->env->read_list ||
	    !p->env->read_list(p->env->arg, p->lex.value.data, type, list, why, sizeof why))
		return lang_fail(p->err, p->lex.at, "%s", why);
	return lang_advance(p);
}

/* (1, 2, 3), (select ...) or @file, behind in. */
static bool parse_in(struct lang *p, const struct type *type, struct json_object **out)
{
	struct json_object *list;
	bool ok;

	if (p->lex.kind != TOK_FILE) {
		if (!lang_expect_sign(p, "(", "\"(\" and a list, or @file"))
			return false;
		if (lang_at_word(p, "select"))
			return parse_selection(p, true, out);
	}
	list = json_object_new_array();
	ok = p->lex.kind == TOK_FILE ? parse_file(p, type, list) : parse_values(p, type, list);
	if (ok)
		*out = list;
	else
		json_object_put(list);
	return ok;
}

/* ---- comparisons ---- */

/* is [not] null, is [not] VALUE, behind is. */
static bool parse_is(struct lang *p, const struct column_ref *left, struct json_object **out)
{
	struct json_object *right;
	bool negated;

	if (!lang_take_word(p, "not", &negated))
		return false;
	if (lang_at_word(p, "null")) {
		*out = lang_node_new(negated ? "not_null" : "is_null");
		json_object_array_add(*out, json_object_new_string(left->name));
		if (lang_advance(p))
			return true;
		json_object_put(*out);
		return false;
	}
	if (!lang_operand(p, left->type, "null, a value or a column", &right))
		return false;
	*out = lang_node_new(negated ? "is_not" : "is");
	json_object_array_add(*out, json_object_new_string(left->name));
	json_object_array_add(*out, right);
	return true;
}

/* = != < <= > >= : the cursor is on the sign. */
static bool parse_compare(struct lang *p, const struct column_ref *left, struct json_object **out)
{
	char sign[3] = "", what[48];
	struct json_object *right;

	memcpy(sign, p->lex.value.data, p->lex.value.len < 2 ? p->lex.value.len : 2);
	if (!lang_advance(p))
		return false;
	if (lang_at_word(p, "null"))
		return lang_fail(p->err, p->lex.at, "nothing compares with null; say: %s is %snull",
				 left->name, strcmp(sign, "=") ? "not " : "");
	snprintf(what, sizeof what, "a value or a column behind %s", sign);
	if (!lang_operand(p, left->type, what, &right))
		return false;
	*out = lang_node_new(sign);
	json_object_array_add(*out, json_object_new_string(left->name));
	json_object_array_add(*out, right);
	return true;
}

static bool parse_between(struct lang *p, const struct column_ref *left, struct json_object **out)
{
	struct json_object *low = NULL, *high = NULL;

	if (!lang_operand(p, left->type, "a value or a column", &low))
		return false;
	if (!lang_expect_word(p, "and", "and, and the upper end") ||
	    !lang_operand(p, left->type, "a value or a column", &high)) {
		json_object_put(low);
		return false;
	}
	*out = lang_node_new("between");
	json_object_array_add(*out, json_object_new_string(left->name));
	json_object_array_add(*out, low);
	json_object_array_add(*out, high);
	return true;
}

/* like prefix suffix contains, or NULL. */
static const char *at_pattern_word(const struct lang *p)
{
	static const char *const words[] = { "like", "prefix", "suffix", "contains" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (lang_at_word(p, words[i]))
			return words[i];
	return NULL;
}

/* [not] in, between, like ...: the cursor is behind not. */
static bool parse_negatable(struct lang *p, const struct column_ref *left, bool negated,
			    struct json_object **out)
{
	const char *op = at_pattern_word(p);
	struct json_object *right;

	if (lang_at_word(p, "between")) {
		if (!lang_advance(p) || !parse_between(p, left, out))
			return false;
	} else if (lang_at_word(p, "in")) {
		if (!lang_advance(p) || !parse_in(p, left->type, &right))
			return false;
		*out = lang_node_new(negated ? "not_in" : "in");
		json_object_array_add(*out, json_object_new_string(left->name));
		json_object_array_add(*out, right);
		return true;
	} else if (op) {
		if (!lang_advance(p) || !lang_operand(p, left->type, "text in quotes", &right))
			return false;
		*out = lang_node_new(op);
		json_object_array_add(*out, json_object_new_string(left->name));
		json_object_array_add(*out, right);
	} else {
		return lang_expected(
			p, negated ? "in, between, like, prefix, suffix or contains behind not"
				   : "an operator: = != < <= > >= is in between like prefix suffix contains");
	}
	if (negated)
		lang_node_negate(out);
	return true;
}

static bool at_compare_sign(const struct lang *p)
{
	return p->lex.kind == TOK_SIGN && strchr("=!<>", p->lex.value.data[0]);
}

static bool parse_comparison(struct lang *p, struct json_object **out)
{
	struct column_ref left;
	bool ok, is, negated = false;

	if (!lang_at_column(p) || lang_at_literal(p))
		return lang_expected(p, lang_at_literal(p) ? "a column's name: values stand on the right"
							   : "a column's name");
	if (!lang_column(p, &left))
		return false;
	if (left.outer) {
		free(left.name);
		return lang_fail(p->err, p->lex.at, "a column of the level around stands on the right");
	}
	ok = lang_take_word(p, "is", &is);
	if (ok && is)
		ok = parse_is(p, &left, out);
	else if (ok && at_compare_sign(p))
		ok = parse_compare(p, &left, out);
	else if (ok)
		ok = lang_take_word(p, "not", &negated) && parse_negatable(p, &left, negated, out);
	free(left.name);
	return ok;
}

/* ---- and, or, not ---- */

static bool parse_exists(struct lang *p, const char *op, struct json_object **out)
{
	struct json_object *selection;

	if (!lang_advance(p) || !lang_expect_sign(p, "(", "\"(\" and from") ||
	    !parse_selection(p, false, &selection))
		return false;
	*out = lang_node_new(op);
	json_object_array_add(*out, selection);
	return true;
}

static bool parse_parentheses(struct lang *p, struct json_object **out)
{
	if (!lang_advance(p) || !parse_or(p, out))
		return false;
	if (lang_expect_sign(p, ")", "\")\", and or or"))
		return true;
	json_object_put(*out);
	return false;
}

static bool parse_unary(struct lang *p, struct json_object **out)
{
	bool negated, ok;

	if (++p->depth > LANG_MAX_DEPTH)
		return lang_fail(p->err, p->lex.at, "nested too deeply");
	if (!lang_take_word(p, "not", &negated))
		return false;
	if (lang_at_word(p, "exists"))
		return parse_exists(p, negated ? "not_exists" : "exists", out) && p->depth--;
	if (negated)
		ok = parse_unary(p, out);
	else if (lang_at_sign(p, "("))
		ok = parse_parentheses(p, out);
	else
		ok = parse_comparison(p, out);
	p->depth--;
	if (ok && negated)
		lang_node_negate(out);
	return ok;
}

/* One level of `x and y and z`: a node of its own only when there is more than one. */
static bool parse_chain(struct lang *p, const char *word,
			bool (*parse_part)(struct lang *, struct json_object **), struct json_object **out)
{
	struct json_object *part, *chain = NULL;
	bool more;

	if (!parse_part(p, &part))
		return false;
	for (;;) {
		if (!lang_take_word(p, word, &more))
			break;
		if (!chain && !more) {
			*out = part;
			return true;
		}
		if (!chain)
			chain = lang_node_new(word);
		if (part)
			json_object_array_add(chain, part);
		part = NULL;
		if (!more) {
			*out = chain;
			return true;
		}
		if (!parse_part(p, &part))
			break;
	}
	json_object_put(part);
	json_object_put(chain);
	return false;
}

static bool parse_and(struct lang *p, struct json_object **out)
{
	return parse_chain(p, "and", parse_unary, out);
}

static bool parse_or(struct lang *p, struct json_object **out)
{
	return parse_chain(p, "or", parse_and, out);
}

/* ---- what the header offers ---- */

static bool parse_whole(struct lang *p, struct json_object **out)
{
	if (!parse_or(p, out))
		return false;
	if (p->lex.kind == TOK_END)
		return true;
	json_object_put(*out);
	return lang_expected(p, "and, or, or the end");
}

bool lang_filter(const char *text, const char *table, const struct lang_env *env, struct json_object **out,
		 struct lang_err *err)
{
	struct lang p = { .env = env, .err = err, .table = table };
	char first = *lang_skip_space(text);
	bool ok;

	if (first == '{' || first == '[')
		return lang_json(text, out, err);
	lex_init(&p.lex, text);
	ok = lang_advance(&p);
	if (ok && p.lex.kind == TOK_END)
		*out = NULL;
	else
		ok = ok && parse_whole(&p, out);
	lex_fini(&p.lex);
	return ok;
}
