/*
 * DEFAULT clauses: a literal is evaluated by SQLite itself, so that rowd means by it exactly what an
 * INSERT would store. An expression is never evaluated: only an INSERT may do that.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/db/sqlite_private.h"

static const char digits[] = "0123456789";

/* 'it''s': from the first quote to the last, and nothing behind it. */
static bool is_quoted(const char *s, size_t len)
{
	size_t i;

	if (len < 2 || s[0] != '\'' || s[len - 1] != '\'')
		return false;
	for (i = 1; i < len - 1; i++)
		if (s[i] == '\'' && (i + 1 == len - 1 || s[++i] != '\''))
			return false;
	return true;
}

static bool is_number(const char *s, size_t len)
{
	size_t n = len && (s[0] == '-' || s[0] == '+') ? 1 : 0, start = n;

	n += strspn(s + n, digits);
	if (n < len && s[n] == '.') {
		n++;
		n += strspn(s + n, digits);
	}
	if (n == start || (n == start + 1 && s[start] == '.'))
		return false;
	if (n < len && (s[n] == 'e' || s[n] == 'E')) {
		n++;
		if (n < len && (s[n] == '-' || s[n] == '+'))
			n++;
		if (n == len || !strchr(digits, s[n]))
			return false;
		n += strspn(s + n, digits);
	}
	return n == len;
}

static bool is_word(const char *s, size_t len)
{
	static const char *const words[] = { "NULL", "TRUE", "FALSE" };
	size_t i;

	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (len == strlen(words[i]) && strncasecmp(s, words[i], len) == 0)
			return true;
	return false;
}

static bool is_literal(const char *s, size_t len)
{
	if (len > 1 && (s[0] == 'x' || s[0] == 'X'))
		return is_quoted(s + 1, len - 1) && strspn(s + 2, "0123456789abcdefABCDEF") == len - 3;
	return is_quoted(s, len) || is_number(s, len) || is_word(s, len);
}

/* Borrowed text and bytes become the arena's. */
static bool value_keep(struct arena *a, struct value *v)
{
	if (v->kind != VALUE_TEXT && v->kind != VALUE_BYTES)
		return true;
	v->u.s.data = arena_strndup(a, v->u.s.data, v->u.s.len);
	return v->u.s.data;
}

/* What a column of t makes of it when it is stored. */
static void value_settle(const struct type *t, struct value *v)
{
	if (t->kind == TYPE_FLOAT && v->kind == VALUE_INT)
		*v = (struct value){ .kind = VALUE_FLOAT, .u.f = (double)v->u.i };
}

static enum rowd_code evaluate(struct sqlite_conn *c, struct arena *a, const char *literal, size_t len,
			       struct column *column, struct err *err)
{
	char *select = arena_printf(a, "SELECT %.*s", (int)len, literal);
	sqlite3_stmt *q = NULL;
	enum rowd_code code = ROWD_OK;
	int rc;

	if (!select)
		return err_set(err, ROWD_E_NO_RESOURCE, "memory ran out");
	rc = sqlite3_prepare_v2(c->db, select, -1, &q, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc != SQLITE_ROW)
		code = sqlite_fail(c, rc, err);
	else if (!sqlite_read_value(q, 0, &column->type, &column->dflt) || !value_keep(a, &column->dflt))
		code = err_set(err, ROWD_E_NO_RESOURCE, "memory ran out");
	sqlite3_finalize(q);
	return code;
}

enum rowd_code sqlite_read_default(struct sqlite_conn *c, struct arena *a, const char *text,
				   struct column *column, struct err *err)
{
	size_t len = strlen(text);
	enum rowd_code code;

	while (len >= 2 && text[0] == '(' && text[len - 1] == ')' && is_literal(text + 1, len - 2)) {
		text++;
		len -= 2;
	}
	if (!is_literal(text, len)) {
		column->has_default = true;
		column->default_is_computed = true;
		column->dflt = value_null();
		return ROWD_OK;
	}
	code = evaluate(c, a, text, len, column, err);
	if (code)
		return code;
	value_settle(&column->type, &column->dflt);
	column->has_default = column->dflt.kind != VALUE_NULL;
	return ROWD_OK;
}
