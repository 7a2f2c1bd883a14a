/*
 * The words of the filter language: names, numbers, strings, x'hex', signs.
 *
 * Pure. Thread: a lex belongs to one thread at a time.
 */
#ifndef ROWD_CTL_LEX_H
#define ROWD_CTL_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum tok_kind {
	TOK_END,
	TOK_WORD,   /* age, users.id; keywords too */
	TOK_NAME,   /* `age`: never a keyword */
	TOK_STRING, /* "..." or '...', escapes undone */
	TOK_NUMBER, /* 12, 1.5, 2e9; the sign is a token of its own */
	TOK_BYTES,  /* x'6869', as bytes */
	TOK_FILE,   /* @path or @"path" */
	TOK_SIGN    /* ( ) , = != < <= > >= + - * */
};

/* Where and why a text could not be understood. */
struct lang_err {
	size_t at; /* byte offset in the text */
	char text[200];
};

struct lex {
	const char *text;   /* borrowed, NUL-terminated */
	size_t pos;         /* behind the current token */
	enum tok_kind kind; /* the current token */
	size_t at;          /* where it begins */
	struct buf value;   /* its content, NUL-terminated (the NUL not counted in len) */
};

/* A lexer before the first token; call lex_next. lex_fini frees what the token holds. */
void lex_init(struct lex *l, const char *text);
void lex_fini(struct lex *l);

/* On to the next token. False with *err filled: an open string, a sign that means nothing. */
bool lex_next(struct lex *l, struct lang_err *err);

/* Is the current token this sign, this keyword (in any case)? */
bool lex_is_sign(const struct lex *l, const char *sign);
bool lex_is_word(const struct lex *l, const char *word);

/* Fill *err. Returns false. */
bool lang_fail(struct lang_err *err, size_t at, const char *fmt, ...) ROWD_PRINTF(3, 4);

/* Append the text and, on a line of its own, a caret under err->at; a long text is cut around it. */
void lang_err_show(struct buf *b, const char *text, const struct lang_err *err);

#endif
