#include "config.h"

#include "client/ctl/lang.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/ctl/json.h"
#include "client/ctl/literal.h"

enum { LANG_NAME_MAX_BYTES = 512 };

struct lang {
	struct lex lex;
	const struct lang_env *env;
	struct lang_err *err;
	const char *table; /* whose columns stand bare */
	const char *outer; /* the table of the level around; NULL at the outermost */
	unsigned depth;
};

/* A column on the left, or on the right of an operator. */
struct column_ref {
	char *name;              /* owned */
	bool outer;              /* of the level around */
	const struct type *type; /* borrowed from env; NULL: not known */
};

static bool parse_or(struct lang *p, struct json_object **out);

/* ---- small steps ---- */

static bool advance(struct lang *p)
{
	return lex_next(&p->lex, p->err);
}

static bool at_sign(const struct lang *p, const char *sign)
{
	return lex_is_sign(&p->lex, sign);
}

static bool at_word(const struct lang *p, const char *word)
{
	return lex_is_word(&p->lex, word);
}

static bool expected(struct lang *p, const char *what)
{
	return lang_fail(p->err, p->lex.at, "expected %s%s", what,
			 p->lex.kind == TOK_END ? ", and the text ends" : "");
}

static bool expect_sign(struct lang *p, const char *sign, const char *what)
{
	return at_sign(p, sign) ? advance(p) : expected(p, what);
}

static bool expect_word(struct lang *p, const char *word, const char *what)
{
	return at_word(p, word) ? advance(p) : expected(p, what);
}

static bool take_word(struct lang *p, const char *word, bool *taken)
{
	*taken = at_word(p, word);
	return *taken ? advance(p) : true;
}

/* A new array ["op"]. */
static struct json_object *node_new(const char *op)
{
	struct json_object *node = json_object_new_array();

	json_object_array_add(node, json_object_new_string(op));
	return node;
}

/* ["not", node] in place of node. */
static void node_negate(struct json_object **node)
{
	struct json_object *outside = node_new("not");

	json_object_array_add(outside, *node);
	*node = outside;
}

/* ---- columns and values ---- */

/* age, users.age, outer.age: split off whose column it is. */
static bool resolve(const struct lang *p, const char *word, const char **column)
{
	const char *dot = strrchr(word, '.');
	size_t len;

	*column = word;
	if (!dot)
		return false;
	len = (size_t)(dot - word);
	if (strlen(p->table) == len && !strncmp(word, p->table, len)) {
		*column = dot + 1;
		return false;
	}
	if ((len == 5 && !strncasecmp(word, "outer", 5)) ||
	    (p->outer && strlen(p->outer) == len && !strncmp(word, p->outer, len))) {
		*column = dot + 1;
		return true;
	}
	return false;
}

/* The column under the cursor, and past it. */
static bool parse_column(struct lang *p, struct column_ref *ref)
{
	const char *column = p->lex.value.data;
	const char *table;

	*ref = (struct column_ref){ 0 };
	if (p->lex.kind == TOK_WORD)
		ref->outer = resolve(p, p->lex.value.data, &column);
	table = ref->outer ? p->outer : p->table;
	if (ref->outer && !p->outer)
		return lang_fail(p->err, p->lex.at, "there is no level around this one for outer to mean");
	ref->name = strdup(column);
	if (!ref->name)
		return lang_fail(p->err, p->lex.at, "out of memory");
	if (p->env && p->env->column_type)
		ref->type = p->env->column_type(p->env->arg, table, ref->name);
	if (advance(p))
		return true;
	free(ref->name);
	ref->name = NULL;
	return false;
}

/* ["col", name] or ["outer", name]. */
static struct json_object *column_node(const struct column_ref *ref)
{
	struct json_object *node = node_new(ref->outer ? "outer" : "col");

	json_object_array_add(node, json_object_new_string(ref->name));
	return node;
}

/* A word that cannot be a name unless it stands in backquotes. */
static bool at_keyword(const struct lang *p)
{
	static const char *const words[] = { "and",     "or",   "not",  "in",    "is",
					     "between", "like", "from", "where", "select" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (at_word(p, words[i]))
			return true;
	return false;
}

/* Can what is under the cursor be a column? */
static bool at_column(const struct lang *p)
{
	return p->lex.kind == TOK_NAME || (p->lex.kind == TOK_WORD && !at_keyword(p));
}

static bool at_literal(const struct lang *p)
{
	switch (p->lex.kind) {
	case TOK_STRING:
	case TOK_NUMBER:
	case TOK_BYTES:
		return true;
	case TOK_SIGN:
		return at_sign(p, "-") || at_sign(p, "+");
	case TOK_WORD:
		return at_word(p, "null") || at_word(p, "true") || at_word(p, "false");
	case TOK_END:
	case TOK_NAME:
	case TOK_FILE:
		break;
	}
	return false;
}

static enum literal_kind literal_kind(const struct lang *p)
{
	switch (p->lex.kind) {
	case TOK_STRING:
		return LITERAL_STRING;
	case TOK_NUMBER:
		return LITERAL_NUMBER;
	case TOK_BYTES:
		return LITERAL_BYTES;
	case TOK_WORD:
	case TOK_END:
	case TOK_NAME:
	case TOK_FILE:
	case TOK_SIGN:
		break;
	}
	return at_word(p, "null") ? LITERAL_NULL : LITERAL_BOOL;
}

/* The literal under the cursor for a column of that type, and past it. */
static bool parse_literal(struct lang *p, const struct type *type, struct json_object **out)
{
	struct literal lit;
	struct buf text;
	const char *why = "";
	size_t at = p->lex.at;
	bool negative = at_sign(p, "-"), ok;

	if (negative || at_sign(p, "+")) {
		if (!advance(p))
			return false;
		if (p->lex.kind != TOK_NUMBER)
			return expected(p, "a number");
	}
	if (!at_literal(p))
		return expected(p, "a value: a number, text in quotes, true, false or x'hex'");
	buf_init(&text, SIZE_MAX);
	if (negative)
		buf_add_char(&text, '-');
	buf_add(&text, p->lex.value.data, p->lex.value.len + 1);
	lit = (struct literal){ literal_kind(p), text.data, text.len - 1 };
	if (lit.kind == LITERAL_BOOL)
		lit.text = at_word(p, "true") ? "true" : "false";
	ok = !text.failed && literal_to_json(&lit, type, out, &why);
	buf_fini(&text);
	if (!ok)
		return lang_fail(p->err, at, "%s", *why ? why : "out of memory");
	if (advance(p))
		return true;
	json_object_put(*out);
	return false;
}

/* What stands on the right: a literal, or another column written bare. */
static bool parse_operand(struct lang *p, const struct type *type, const char *what, struct json_object **out)
{
	struct column_ref ref;

	if (at_literal(p))
		return parse_literal(p, type, out);
	if (!at_column(p))
		return expected(p, what);
	if (!parse_column(p, &ref))
		return false;
	*out = column_node(&ref);
	free(ref.name);
	return true;
}

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
	ok = take_word(p, "where", &has_where);
	if (ok && has_where) {
		ok = parse_or(p, &where);
		if (ok)
			json_object_object_add(selection, "where", where);
	}
	p->table = table_around;
	p->outer = outer_around;
	return ok && expect_sign(p, ")", "\")\", and or or");
}

static bool parse_table(struct lang *p, char **table_out)
{
	if (!expect_word(p, "from", "from and a table"))
		return false;
	if (p->lex.kind != TOK_WORD && p->lex.kind != TOK_NAME)
		return expected(p, "a table's name");
	*table_out = strdup(p->lex.value.data);
	if (!*table_out)
		return lang_fail(p->err, p->lex.at, "out of memory");
	if (advance(p))
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

	ok = take_word(p, "select", &selects);
	if (ok && selects) {
		bool name = at_column(p);

		if (!name && (wants_column || (p->lex.kind != TOK_NUMBER && !at_sign(p, "*"))))
			ok = expected(p, "the name of one column");
		else if (wants_column)
			json_object_object_add(selection, "select",
					       json_object_new_string(p->lex.value.data));
		ok = ok && advance(p);
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

	while (!at_sign(p, ")")) {
		if (json_object_array_length(list) > 0 && !expect_sign(p, ",", "\",\" or \")\""))
			return false;
		if (at_word(p, "null"))
			return lang_fail(p->err, p->lex.at, "a list holds no null; say: or ... is null");
		if (!parse_literal(p, type, &value))
			return false;
		json_object_array_add(list, value);
	}
	return advance(p);
}

static bool parse_file(struct lang *p, const struct type *type, struct json_object *list)
{
	char why[160] = "a list from a file cannot be read here";

	if (!p->env || !p->env->read_list ||
	    !p->env->read_list(p->env->arg, p->lex.value.data, type, list, why, sizeof why))
		return lang_fail(p->err, p->lex.at, "%s", why);
	return advance(p);
}

/* (1, 2, 3), (select ...) or @file, behind in. */
static bool parse_in(struct lang *p, const struct type *type, struct json_object **out)
{
	struct json_object *list;
	bool ok;

	if (p->lex.kind != TOK_FILE) {
		if (!expect_sign(p, "(", "\"(\" and a list, or @file"))
			return false;
		if (at_word(p, "select"))
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

	if (!take_word(p, "not", &negated))
		return false;
	if (at_word(p, "null")) {
		*out = node_new(negated ? "not_null" : "is_null");
		json_object_array_add(*out, json_object_new_string(left->name));
		if (advance(p))
			return true;
		json_object_put(*out);
		return false;
	}
	if (!parse_operand(p, left->type, "null, a value or a column", &right))
		return false;
	*out = node_new(negated ? "is_not" : "is");
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
	if (!advance(p))
		return false;
	if (at_word(p, "null"))
		return lang_fail(p->err, p->lex.at, "nothing compares with null; say: %s is %snull",
				 left->name, strcmp(sign, "=") ? "not " : "");
	snprintf(what, sizeof what, "a value or a column behind %s", sign);
	if (!parse_operand(p, left->type, what, &right))
		return false;
	*out = node_new(sign);
	json_object_array_add(*out, json_object_new_string(left->name));
	json_object_array_add(*out, right);
	return true;
}

static bool parse_between(struct lang *p, const struct column_ref *left, struct json_object **out)
{
	struct json_object *low = NULL, *high = NULL;

	if (!parse_operand(p, left->type, "a value or a column", &low))
		return false;
	if (!expect_word(p, "and", "and, and the upper end") ||
	    !parse_operand(p, left->type, "a value or a column", &high)) {
		json_object_put(low);
		return false;
	}
	*out = node_new("between");
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
		if (at_word(p, words[i]))
			return words[i];
	return NULL;
}

/* [not] in, between, like ...: the cursor is behind not. */
static bool parse_negatable(struct lang *p, const struct column_ref *left, bool negated,
			    struct json_object **out)
{
	const char *op = at_pattern_word(p);
	struct json_object *right;

	if (at_word(p, "between")) {
		if (!advance(p) || !parse_between(p, left, out))
			return false;
	} else if (at_word(p, "in")) {
		if (!advance(p) || !parse_in(p, left->type, &right))
			return false;
		*out = node_new(negated ? "not_in" : "in");
		json_object_array_add(*out, json_object_new_string(left->name));
		json_object_array_add(*out, right);
		return true;
	} else if (op) {
		if (!advance(p) || !parse_operand(p, left->type, "text in quotes", &right))
			return false;
		*out = node_new(op);
		json_object_array_add(*out, json_object_new_string(left->name));
		json_object_array_add(*out, right);
	} else {
		return expected(
			p, negated ? "in, between, like, prefix, suffix or contains behind not"
				   : "an operator: = != < <= > >= is in between like prefix suffix contains");
	}
	if (negated)
		node_negate(out);
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

	if (!at_column(p) || at_literal(p))
		return expected(p, at_literal(p) ? "a column's name: values stand on the right"
						 : "a column's name");
	if (!parse_column(p, &left))
		return false;
	if (left.outer) {
		free(left.name);
		return lang_fail(p->err, p->lex.at, "a column of the level around stands on the right");
	}
	ok = take_word(p, "is", &is);
	if (ok && is)
		ok = parse_is(p, &left, out);
	else if (ok && at_compare_sign(p))
		ok = parse_compare(p, &left, out);
	else if (ok)
		ok = take_word(p, "not", &negated) && parse_negatable(p, &left, negated, out);
	free(left.name);
	return ok;
}

/* ---- and, or, not ---- */

static bool parse_exists(struct lang *p, const char *op, struct json_object **out)
{
	struct json_object *selection;

	if (!advance(p) || !expect_sign(p, "(", "\"(\" and from") || !parse_selection(p, false, &selection))
		return false;
	*out = node_new(op);
	json_object_array_add(*out, selection);
	return true;
}

static bool parse_parentheses(struct lang *p, struct json_object **out)
{
	if (!advance(p) || !parse_or(p, out))
		return false;
	if (expect_sign(p, ")", "\")\", and or or"))
		return true;
	json_object_put(*out);
	return false;
}

static bool parse_unary(struct lang *p, struct json_object **out)
{
	bool negated, ok;

	if (++p->depth > LANG_MAX_DEPTH)
		return lang_fail(p->err, p->lex.at, "nested too deeply");
	if (!take_word(p, "not", &negated))
		return false;
	if (at_word(p, "exists"))
		return parse_exists(p, negated ? "not_exists" : "exists", out) && p->depth--;
	if (negated)
		ok = parse_unary(p, out);
	else if (at_sign(p, "("))
		ok = parse_parentheses(p, out);
	else
		ok = parse_comparison(p, out);
	p->depth--;
	if (ok && negated)
		node_negate(out);
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
		if (!take_word(p, word, &more))
			break;
		if (!chain && !more) {
			*out = part;
			return true;
		}
		if (!chain)
			chain = node_new(word);
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
	return expected(p, "and, or, or the end");
}

static const char *skip_space(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

static bool read_json(const char *text, struct json_object **out, struct lang_err *err)
{
	char why[120];
	size_t at;

	return json_parse(text, strlen(text), out, &at, why, sizeof why) || lang_fail(err, at, "%s", why);
}

bool lang_filter(const char *text, const char *table, const struct lang_env *env, struct json_object **out,
		 struct lang_err *err)
{
	struct lang p = { .env = env, .err = err, .table = table };
	char first = *skip_space(text);
	bool ok;

	if (first == '{' || first == '[')
		return read_json(text, out, err);
	lex_init(&p.lex, text);
	ok = advance(&p);
	if (ok && p.lex.kind == TOK_END)
		*out = NULL;
	else
		ok = ok && parse_whole(&p, out);
	lex_fini(&p.lex);
	return ok;
}

/* x, or x + y, for a column of that type. */
static bool parse_expression(struct lang *p, const struct type *type, struct json_object **out)
{
	bool is_literal = at_literal(p);
	size_t at = p->lex.at;
	struct json_object *x, *y;

	if (!parse_operand(p, type, "a value or a column", &x))
		return false;
	if (!at_sign(p, "+") && !at_sign(p, "-") && !at_sign(p, "*")) {
		*out = x;
		if (is_literal)
			return true;
		json_object_put(x);
		return lang_fail(p->err, at, "a column alone cannot be set to; text goes in quotes");
	}
	*out = node_new(p->lex.value.data);
	json_object_array_add(*out, x);
	if (advance(p) && parse_operand(p, type, "a value or a column", &y)) {
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
		return expected(p, "a column's name");
	if (!parse_column(p, &left))
		return false;
	if (json_object_object_get_ex(set, left.name, NULL))
		ok = lang_fail(p->err, at, "%s is set twice", left.name);
	else
		ok = expect_sign(p, "=", "\"=\"") && parse_expression(p, left.type, &value);
	if (ok)
		json_object_object_add(set, left.name, value);
	free(left.name);
	return ok;
}

static bool parse_assignments(struct lang *p, struct json_object *set)
{
	do {
		if (!advance(p) || !parse_assignment(p, set))
			return false;
	} while (at_sign(p, ","));
	return p->lex.kind == TOK_END || expected(p, "\",\" or the end");
}

/* Members of a JSON object, each once. */
static bool merge_json(const char *text, struct json_object *set, struct lang_err *err)
{
	struct json_object *object;
	bool ok = read_json(text, &object, err);

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

	if (*skip_space(text) == '{')
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

		ok = advance(&p) && parse_literal(&p, i < ntypes ? types[i] : NULL, &value);
		if (ok)
			json_object_array_add(array, value);
	} while (ok && at_sign(&p, ","));
	if (ok && p.lex.kind != TOK_END)
		ok = expected(&p, "\",\" or the end");
	lex_fini(&p.lex);
	return ok;
}

/* (price), (*) or () behind a function's name: the column, or NULL. */
static bool parse_argument(struct lang *p, char **column)
{
	if (!expect_sign(p, "(", "\"(\" and a column"))
		return false;
	if (p->lex.kind == TOK_WORD || p->lex.kind == TOK_NAME) {
		*column = strdup(p->lex.value.data);
		if (!*column)
			return lang_fail(p->err, p->lex.at, "out of memory");
	}
	if ((*column || at_sign(p, "*")) && !advance(p))
		return false;
	return expect_sign(p, ")", "\")\"");
}

/* [name =] function [(column)] */
static bool parse_computed(struct lang *p, struct json_object *compute)
{
	char *name = NULL, *function = NULL, *column = NULL;
	struct json_object *node;
	struct buf made;
	bool ok = p->lex.kind == TOK_WORD || p->lex.kind == TOK_NAME ||
		  expected(p, "a function: count, sum, min, ...");

	buf_init(&made, LANG_NAME_MAX_BYTES);
	if (ok) {
		function = strdup(p->lex.value.data);
		ok = advance(p);
	}
	if (ok && at_sign(p, "=")) {
		name = function;
		ok = advance(p) &&
		     (p->lex.kind == TOK_WORD || expected(p, "a function: count, sum, min, ..."));
		function = ok ? strdup(p->lex.value.data) : NULL;
		ok = ok && advance(p);
	}
	if (ok && at_sign(p, "("))
		ok = parse_argument(p, &column);
	if (ok && function) {
		buf_addf(&made, "%s%s%s", name ? name : function, !name && column ? "_" : "",
			 !name && column ? column : "");
		buf_add_char(&made, '\0');
		node = node_new(function);
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

	if (*skip_space(text) == '{')
		return merge_json(text, compute, err);
	lex_init(&p.lex, text);
	do {
		ok = advance(&p) && parse_computed(&p, compute);
	} while (ok && at_sign(&p, ","));
	if (ok && p.lex.kind != TOK_END)
		ok = expected(&p, "\",\" or the end");
	lex_fini(&p.lex);
	return ok;
}
