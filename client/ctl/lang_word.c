#include "config.h"

#include "client/ctl/lang_private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/ctl/json.h"
#include "client/ctl/literal.h"

/* ---- small steps ---- */

bool lang_advance(struct lang *p)
{
	return lex_next(&p->lex, p->err);
}

bool lang_at_sign(const struct lang *p, const char *sign)
{
	return lex_is_sign(&p->lex, sign);
}

bool lang_at_word(const struct lang *p, const char *word)
{
	return lex_is_word(&p->lex, word);
}

bool lang_expected(struct lang *p, const char *what)
{
	return lang_fail(p->err, p->lex.at, "expected %s%s", what,
			 p->lex.kind == TOK_END ? ", and the text ends" : "");
}

bool lang_expect_sign(struct lang *p, const char *sign, const char *what)
{
	return lang_at_sign(p, sign) ? lang_advance(p) : lang_expected(p, what);
}

bool lang_expect_word(struct lang *p, const char *word, const char *what)
{
	return lang_at_word(p, word) ? lang_advance(p) : lang_expected(p, what);
}

bool lang_take_word(struct lang *p, const char *word, bool *taken)
{
	*taken = lang_at_word(p, word);
	return *taken ? lang_advance(p) : true;
}

/* A new array ["op"]. */
struct json_object *lang_node_new(const char *op)
{
	struct json_object *node = json_object_new_array();

	json_object_array_add(node, json_object_new_string(op));
	return node;
}

/* ["not", node] in place of node. */
void lang_node_negate(struct json_object **node)
{
	struct json_object *outside = lang_node_new("not");

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
bool lang_column(struct lang *p, struct column_ref *ref)
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
	if (lang_advance(p))
		return true;
	free(ref->name);
	ref->name = NULL;
	return false;
}

/* ["col", name] or ["outer", name]. */
static struct json_object *column_node(const struct column_ref *ref)
{
	struct json_object *node = lang_node_new(ref->outer ? "outer" : "col");

	json_object_array_add(node, json_object_new_string(ref->name));
	return node;
}

/* A word that cannot be a name unless it stands in backquotes. */
static bool at_keyword(const struct lang *p)
{
	static const char *const words[] = { "and",     "or",   "not",  "in",    "is",
					     "between", "like", "from", "where", "select" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (lang_at_word(p, words[i]))
			return true;
	return false;
}

/* Can what is under the cursor be a column? */
bool lang_at_column(const struct lang *p)
{
	return p->lex.kind == TOK_NAME || (p->lex.kind == TOK_WORD && !at_keyword(p));
}

bool lang_at_literal(const struct lang *p)
{
	switch (p->lex.kind) {
	case TOK_STRING:
	case TOK_NUMBER:
	case TOK_BYTES:
		return true;
	case TOK_SIGN:
		return lang_at_sign(p, "-") || lang_at_sign(p, "+");
	case TOK_WORD:
		return lang_at_word(p, "null") || lang_at_word(p, "true") || lang_at_word(p, "false");
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
	return lang_at_word(p, "null") ? LITERAL_NULL : LITERAL_BOOL;
}

/* The literal under the cursor for a column of that type, and past it. */
bool lang_literal(struct lang *p, const struct type *type, struct json_object **out)
{
	struct literal lit;
	struct buf text;
	const char *why = "";
	size_t at = p->lex.at;
	bool negative = lang_at_sign(p, "-"), ok;

	if (negative || lang_at_sign(p, "+")) {
		if (!lang_advance(p))
			return false;
		if (p->lex.kind != TOK_NUMBER)
			return lang_expected(p, "a number");
	}
	if (!lang_at_literal(p))
		return lang_expected(p, "a value: a number, text in quotes, true, false or x'hex'");
	buf_init(&text, SIZE_MAX);
	if (negative)
		buf_add_char(&text, '-');
	buf_add(&text, p->lex.value.data, p->lex.value.len + 1);
	lit = (struct literal){ literal_kind(p), text.data, text.len - 1 };
	if (lit.kind == LITERAL_BOOL)
		lit.text = lang_at_word(p, "true") ? "true" : "false";
	ok = !text.failed && literal_to_json(&lit, type, out, &why);
	buf_fini(&text);
	if (!ok)
		return lang_fail(p->err, at, "%s", *why ? why : "out of memory");
	if (lang_advance(p))
		return true;
	json_object_put(*out);
	return false;
}

/* What stands on the right: a literal, or another column written bare. */
bool lang_operand(struct lang *p, const struct type *type, const char *what, struct json_object **out)
{
	struct column_ref ref;

	if (lang_at_literal(p))
		return lang_literal(p, type, out);
	if (!lang_at_column(p))
		return lang_expected(p, what);
	if (!lang_column(p, &ref))
		return false;
	*out = column_node(&ref);
	free(ref.name);
	return true;
}
/* ---- JSON in their place ---- */

const char *lang_skip_space(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

bool lang_json(const char *text, struct json_object **out, struct lang_err *err)
{
	char why[120];
	size_t at;

	return json_parse(text, strlen(text), out, &at, why, sizeof why) || lang_fail(err, at, "%s", why);
}
