#include "config.h"

#include "client/ctl/lex.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "client/ctl/literal.h"

enum {
	LEX_TOKEN_MAX_BYTES = 64 * 1024 * 1024,
	SHOW_BEFORE_BYTES = 50, /* of a long text, so much is shown in front of the caret */
	SHOW_AFTER_BYTES = 25
};

bool lang_fail(struct lang_err *err, size_t at, const char *fmt, ...)
{
	va_list ap;

	err->at = at;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof err->text, fmt, ap);
	va_end(ap);
	return false;
}

void lex_init(struct lex *l, const char *text)
{
	*l = (struct lex){ .text = text };
	buf_init(&l->value, LEX_TOKEN_MAX_BYTES);
}

void lex_fini(struct lex *l)
{
	buf_fini(&l->value);
}

bool lex_is_sign(const struct lex *l, const char *sign)
{
	return l->kind == TOK_SIGN && !strcmp(l->value.data, sign);
}

bool lex_is_word(const struct lex *l, const char *word)
{
	return l->kind == TOK_WORD && !strcasecmp(l->value.data, word);
}

/* End the token: its content gets its NUL, len stays without it. */
static bool token_end(struct lex *l, enum tok_kind kind, struct lang_err *err)
{
	buf_add_char(&l->value, '\0');
	if (l->value.failed)
		return lang_fail(err, l->at, "this is too long");
	l->value.len--;
	l->kind = kind;
	return true;
}

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static void lex_while(struct lex *l, bool (*belongs)(char))
{
	while (l->text[l->pos] && belongs(l->text[l->pos]))
		buf_add_char(&l->value, l->text[l->pos++]);
}

/* Words joined by points: a column, a table, database.table, outer.column. */
static bool lex_word(struct lex *l, struct lang_err *err)
{
	lex_while(l, is_word_char);
	while (l->text[l->pos] == '.' && is_word_char(l->text[l->pos + 1])) {
		buf_add_char(&l->value, l->text[l->pos++]);
		lex_while(l, is_word_char);
	}
	return token_end(l, TOK_WORD, err);
}

static bool is_digit(char c)
{
	return isdigit((unsigned char)c);
}

static bool lex_number(struct lex *l, struct lang_err *err)
{
	const char *t = l->text;

	lex_while(l, is_digit);
	if (t[l->pos] == '.' && is_digit(t[l->pos + 1])) {
		buf_add_char(&l->value, t[l->pos++]);
		lex_while(l, is_digit);
	}
	if (t[l->pos] == 'e' || t[l->pos] == 'E') {
		size_t sign = t[l->pos + 1] == '-' || t[l->pos + 1] == '+';

		if (is_digit(t[l->pos + 1 + sign])) {
			buf_add(&l->value, t + l->pos, 1 + sign);
			l->pos += 1 + sign;
			lex_while(l, is_digit);
		}
	}
	if (is_word_char(t[l->pos]))
		return lang_fail(err, l->at, "neither a number nor a name; text goes in quotes");
	return token_end(l, TOK_NUMBER, err);
}

static void add_utf8(struct buf *b, unsigned long c)
{
	if (c < 0x80) {
		buf_add_char(b, (char)c);
	} else if (c < 0x800) {
		buf_add_char(b, (char)(0xc0 | c >> 6));
		buf_add_char(b, (char)(0x80 | (c & 0x3f)));
	} else if (c < 0x10000) {
		buf_add_char(b, (char)(0xe0 | c >> 12));
		buf_add_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_add_char(b, (char)(0x80 | (c & 0x3f)));
	} else {
		buf_add_char(b, (char)(0xf0 | c >> 18));
		buf_add_char(b, (char)(0x80 | (c >> 12 & 0x3f)));
		buf_add_char(b, (char)(0x80 | (c >> 6 & 0x3f)));
		buf_add_char(b, (char)(0x80 | (c & 0x3f)));
	}
}

/* \u20ac or \u{1f600}; l->pos stands behind the u. */
static bool lex_unicode(struct lex *l, struct lang_err *err)
{
	bool braces = l->text[l->pos] == '{';
	size_t start = l->pos + braces, n = 0;
	char digits[8];
	unsigned long c;

	while (n < (braces ? 6 : 4) && isxdigit((unsigned char)l->text[start + n])) {
		digits[n] = l->text[start + n];
		n++;
	}
	digits[n] = '\0';
	c = strtoul(digits, NULL, 16);
	if (n == 0 || (!braces && n != 4) || (braces && l->text[start + n] != '}') || c == 0 ||
	    c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return lang_fail(err, l->pos - 2,
				 "a character is written \\u20ac or \\u{1f600}, and is not U+0000");
	add_utf8(&l->value, c);
	l->pos = start + n + braces;
	return true;
}

/* One escape; l->pos stands on the backslash. \% and \_ stay as they are: they mean something to like. */
static bool lex_escape(struct lex *l, struct lang_err *err)
{
	static const char from[] = "nrtbf\\\"'/", to[] = "\n\r\t\b\f\\\"'/";
	char c = l->text[l->pos + 1];
	const char *known = c ? strchr(from, c) : NULL;

	l->pos += 2;
	if (known) {
		buf_add_char(&l->value, to[known - from]);
		return true;
	}
	if (c == '%' || c == '_') {
		buf_add_char(&l->value, '\\');
		buf_add_char(&l->value, c);
		return true;
	}
	if (c == 'u')
		return lex_unicode(l, err);
	return lang_fail(err, l->pos - 2, "an unknown escape; a backslash itself is written \\\\");
}

/* From the opening quote to behind the closing one; a doubled quote stands for itself. */
static bool lex_quoted(struct lex *l, bool escapes, struct lang_err *err)
{
	size_t open = l->pos;
	char quote = l->text[l->pos++];

	for (;;) {
		char c = l->text[l->pos];

		if (c == '\0')
			return lang_fail(err, open, "this %c has no closing %c", quote, quote);
		if (c == quote && l->text[l->pos + 1] != quote)
			break;
		if (c == '\\' && escapes && l->text[l->pos + 1]) {
			if (!lex_escape(l, err))
				return false;
			continue;
		}
		buf_add_char(&l->value, c);
		l->pos += 1 + (c == quote);
	}
	l->pos++;
	return true;
}

static bool lex_bytes(struct lex *l, struct lang_err *err)
{
	const char *open = l->text + l->pos, *close = strchr(open + 2, open[1]);
	char spelled[3] = { 'x', '\'', '\0' }, *bytes;
	struct buf hex;
	size_t n;
	bool ok;

	if (!close)
		return lang_fail(err, l->at, "this %c has no closing %c", open[1], open[1]);
	buf_init(&hex, LEX_TOKEN_MAX_BYTES);
	buf_add_str(&hex, spelled);
	buf_add(&hex, open + 2, (size_t)(close - open) - 2);
	buf_add_char(&hex, '\'');
	ok = !hex.failed && literal_hex(hex.data, hex.len, &bytes, &n);
	buf_fini(&hex);
	if (!ok)
		return lang_fail(err, l->at, "bytes are written as pairs of hexadecimal digits: x'6869'");
	buf_add(&l->value, bytes, n);
	free(bytes);
	l->pos = (size_t)(close - l->text) + 1;
	return token_end(l, TOK_BYTES, err);
}

static bool is_path_char(char c)
{
	return !isspace((unsigned char)c) && !strchr("(),\"'", c);
}

static bool lex_file(struct lex *l, struct lang_err *err)
{
	l->pos++;
	if (l->text[l->pos] == '"' || l->text[l->pos] == '\'') {
		if (!lex_quoted(l, true, err))
			return false;
	} else {
		lex_while(l, is_path_char);
	}
	if (l->value.len == 0)
		return lang_fail(err, l->at, "a file's name belongs behind @");
	return token_end(l, TOK_FILE, err);
}

static bool lex_sign(struct lex *l, struct lang_err *err)
{
	/* What is written, what it means; the longer ones first. */
	static const char *const signs[][2] = {
		{ "<=", "<=" }, { ">=", ">=" }, { "<>", "!=" }, { "!=", "!=" }, { "==", "=" },
		{ "=", "=" },   { "<", "<" },   { ">", ">" },   { "(", "(" },   { ")", ")" },
		{ ",", "," },   { "+", "+" },   { "-", "-" },   { "*", "*" },
	};

	for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
		size_t n = strlen(signs[i][0]);

		if (!strncmp(l->text + l->pos, signs[i][0], n)) {
			buf_add_str(&l->value, signs[i][1]);
			l->pos += n;
			return token_end(l, TOK_SIGN, err);
		}
	}
	return lang_fail(err, l->at, "this sign means nothing here");
}

bool lex_next(struct lex *l, struct lang_err *err)
{
	const char *t = l->text;
	char c;

	while (isspace((unsigned char)t[l->pos]))
		l->pos++;
	buf_clear(&l->value);
	l->at = l->pos;
	c = t[l->pos];
	if (c == '\0')
		return token_end(l, TOK_END, err);
	if ((c == 'x' || c == 'X') && (t[l->pos + 1] == '\'' || t[l->pos + 1] == '"'))
		return lex_bytes(l, err);
	if (isdigit((unsigned char)c))
		return lex_number(l, err);
	if (is_word_char(c))
		return lex_word(l, err);
	if (c == '"' || c == '\'')
		return lex_quoted(l, true, err) && token_end(l, TOK_STRING, err);
	if (c == '`')
		return lex_quoted(l, false, err) && token_end(l, TOK_NAME, err);
	if (c == '@')
		return lex_file(l, err);
	return lex_sign(l, err);
}

static bool utf8_continues(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

void lang_err_show(struct buf *b, const char *text, const struct lang_err *err)
{
	size_t len = strlen(text), at = err->at < len ? err->at : len;
	size_t from = at > SHOW_BEFORE_BYTES ? at - SHOW_BEFORE_BYTES : 0;
	size_t to = len - at > SHOW_AFTER_BYTES ? at + SHOW_AFTER_BYTES : len;
	size_t columns = 0;

	while (from > 0 && utf8_continues(text[from]))
		from--;
	while (to < len && utf8_continues(text[to]))
		to++;
	buf_add_str(b, from ? "  ..." : "  ");
	for (size_t i = from; i < to; i++) {
		buf_add_char(b, iscntrl((unsigned char)text[i]) ? ' ' : text[i]);
		columns += i < at && !utf8_continues(text[i]);
	}
	buf_add_str(b, to < len ? "...\n" : "\n");
	buf_addf(b, "%*s^\n", (int)(columns + (from ? 5 : 2)), "");
}
