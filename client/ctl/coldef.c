#include "config.h"

#include "client/ctl/coldef.h"

#include <ctype.h>
#include <string.h>

#include "client/ctl/json.h"
#include "client/ctl/literal.h"
#include "proto/value.h"

struct reader {
	struct lex lex;
	struct lang_err *err;
	struct type type;
};

static bool advance(struct reader *r)
{
	return lex_next(&r->lex, r->err);
}

static bool expected(struct reader *r, const char *what)
{
	return lang_fail(r->err, r->lex.at, "expected %s", what);
}

static bool at_name(const struct reader *r)
{
	return r->lex.kind == TOK_WORD || r->lex.kind == TOK_NAME;
}

/* word, then word behind it; the cursor is on the first, which was seen. */
static bool second_word(struct reader *r, const char *word, const char *what)
{
	if (!advance(r))
		return false;
	return lex_is_word(&r->lex, word) ? advance(r) : expected(r, what);
}

static bool read_name(struct reader *r, const char *what, struct json_object **out)
{
	if (!at_name(r))
		return expected(r, what);
	*out = json_object_new_string(r->lex.value.data);
	if (advance(r))
		return true;
	json_object_put(*out);
	*out = NULL;
	return false;
}

/* text(40), decimal(10, 2), int: spelled as the wire does. */
static bool read_type(struct reader *r, struct coldef *d)
{
	char spelled[64];
	size_t at = r->lex.at, len = 0, start = at;
	const char *t = r->lex.text;
	struct err why;

	if (!at_name(r))
		return expected(r, "a type: int bool float decimal(p,s) text(n) text bytes(n) bytes time");
	if (!advance(r))
		return false;
	if (lex_is_sign(&r->lex, "(")) {
		while (!lex_is_sign(&r->lex, ")")) {
			if (!advance(r))
				return false;
			if (r->lex.kind == TOK_END)
				return expected(r, "\")\"");
		}
		if (!advance(r))
			return false;
	}
	for (; start < r->lex.at && len + 1 < sizeof spelled; start++)
		if (!isspace((unsigned char)t[start]))
			spelled[len++] = (char)tolower((unsigned char)t[start]);
	spelled[len] = '\0';
	if (type_parse(spelled, len, &r->type, &why))
		return lang_fail(r->err, at, "%s", why.text);
	json_object_object_add(d->column, "type", json_object_new_string(spelled));
	return true;
}

static bool read_default(struct reader *r, struct coldef *d)
{
	bool negative, ok;
	struct json_object *value;
	struct literal lit;
	const char *why = "";
	struct buf text;
	size_t at;

	if (!advance(r))
		return false;
	at = r->lex.at;
	negative = lex_is_sign(&r->lex, "-");
	if (negative && !advance(r))
		return false;
	if (lex_is_word(&r->lex, "null"))
		lit.kind = LITERAL_NULL;
	else if (lex_is_word(&r->lex, "true") || lex_is_word(&r->lex, "false"))
		lit.kind = LITERAL_BOOL;
	else if (r->lex.kind == TOK_NUMBER)
		lit.kind = LITERAL_NUMBER;
	else if (r->lex.kind == TOK_STRING)
		lit.kind = LITERAL_STRING;
	else if (r->lex.kind == TOK_BYTES)
		lit.kind = LITERAL_BYTES;
	else
		return expected(r, "a value behind default; text goes in quotes");
	if (negative && lit.kind != LITERAL_NUMBER)
		return expected(r, "a number");
	buf_init(&text, SIZE_MAX);
	buf_add_str(&text, negative ? "-" : "");
	buf_add(&text, r->lex.value.data, r->lex.value.len + 1);
	lit.text = lit.kind == LITERAL_BOOL ? (lex_is_word(&r->lex, "true") ? "true" : "false") : text.data;
	lit.len = text.len - 1;
	ok = !text.failed && literal_to_json(&lit, &r->type, &value, &why);
	buf_fini(&text);
	if (!ok)
		return lang_fail(r->err, at, "%s", why);
	json_object_object_add(d->column, "default", value);
	return advance(r);
}

static struct json_object *array_of(struct json_object *only)
{
	struct json_object *array = json_object_new_array();

	json_object_array_add(array, only);
	return array;
}

/* on delete cascade | restrict | set null */
static bool read_on_delete(struct reader *r, struct coldef *d)
{
	const char *action = lex_is_word(&r->lex, "cascade")    ? "cascade"
			     : lex_is_word(&r->lex, "restrict") ? "restrict"
								: NULL;
	bool set_null = lex_is_word(&r->lex, "set_null");

	if (lex_is_word(&r->lex, "set")) {
		if (!second_word(r, "null", "null behind set"))
			return false;
		json_object_object_add(d->foreign_key, "on_delete", json_object_new_string("set_null"));
		return true;
	}
	if (!action && !set_null)
		return expected(r, "cascade, restrict or set null");
	json_object_object_add(d->foreign_key, "on_delete",
			       json_object_new_string(set_null ? "set_null" : action));
	return advance(r);
}

/* references TABLE(COLUMN) [on delete ACTION] */
static bool read_references(struct reader *r, struct coldef *d)
{
	struct json_object *table, *column;

	if (!advance(r) || !read_name(r, "a table's name", &table))
		return false;
	d->foreign_key = json_object_new_object();
	json_object_object_add(d->foreign_key, "columns",
			       array_of(json_object_get(json_object_object_get(d->column, "name"))));
	json_object_object_add(d->foreign_key, "table", table);
	if (!lex_is_sign(&r->lex, "("))
		return expected(r, "\"(\" and the column referred to");
	if (!advance(r) || !read_name(r, "a column's name", &column))
		return false;
	json_object_object_add(d->foreign_key, "references", array_of(column));
	if (!lex_is_sign(&r->lex, ")"))
		return expected(r, "\")\"");
	if (!advance(r))
		return false;
	if (!lex_is_word(&r->lex, "on"))
		return true;
	return second_word(r, "delete", "delete behind on") && read_on_delete(r, d);
}

static bool read_attribute(struct reader *r, struct coldef *d)
{
	if (lex_is_word(&r->lex, "not")) {
		json_object_object_add(d->column, "null", json_object_new_boolean(false));
		return second_word(r, "null", "null behind not");
	}
	if (lex_is_word(&r->lex, "null")) {
		json_object_object_add(d->column, "null", json_object_new_boolean(true));
		return advance(r);
	}
	if (lex_is_word(&r->lex, "auto")) {
		json_object_object_add(d->column, "auto", json_object_new_boolean(true));
		return advance(r);
	}
	if (lex_is_word(&r->lex, "primary")) {
		d->primary_key = true;
		return second_word(r, "key", "key behind primary");
	}
	if (lex_is_word(&r->lex, "unique")) {
		d->unique = true;
		return advance(r);
	}
	if (lex_is_word(&r->lex, "default"))
		return read_default(r, d);
	if (lex_is_word(&r->lex, "references"))
		return read_references(r, d);
	return expected(r, "not null, default, auto, primary key, unique or references");
}

static bool read_column(struct reader *r, struct coldef *d)
{
	struct json_object *name;

	if (!advance(r) || !read_name(r, "a column's name", &name))
		return false;
	json_object_object_add(d->column, "name", name);
	if (!read_type(r, d))
		return false;
	while (r->lex.kind != TOK_END)
		if (!read_attribute(r, d))
			return false;
	return true;
}

bool coldef_parse(struct coldef *d, const char *text, struct lang_err *err)
{
	struct reader r = { .err = err };
	bool ok;

	*d = (struct coldef){ 0 };
	if (text[strspn(text, " \t\n")] == '{')
		return json_parse(text, strlen(text), &d->column, &err->at, err->text, sizeof err->text);
	d->column = json_object_new_object();
	lex_init(&r.lex, text);
	ok = read_column(&r, d);
	lex_fini(&r.lex);
	return ok;
}

void coldef_fini(struct coldef *d)
{
	json_object_put(d->column);
	json_object_put(d->foreign_key);
	*d = (struct coldef){ 0 };
}
