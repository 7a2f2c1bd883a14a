/*
 * What the parsers of the filter language share: the text being read, its words, columns and values.
 *
 * The steps return false with p->err filled. What lang_at_... asks moves nothing.
 */
#ifndef ROWD_CTL_LANG_PRIVATE_H
#define ROWD_CTL_LANG_PRIVATE_H

#include "client/ctl/lang.h"

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

/* On to the next token. */
bool lang_advance(struct lang *p);

bool lang_at_sign(const struct lang *p, const char *sign);
bool lang_at_word(const struct lang *p, const char *word);
bool lang_at_literal(const struct lang *p);
bool lang_at_column(const struct lang *p);

/* "expected WHAT". Returns false. */
bool lang_expected(struct lang *p, const char *what);

/* Step over a sign, or a word, that must be there; over a word that may be there. */
bool lang_expect_sign(struct lang *p, const char *sign, const char *what);
bool lang_expect_word(struct lang *p, const char *word, const char *what);
bool lang_take_word(struct lang *p, const char *word, bool *taken);

/* A new array ["op"]; ["not", node] in place of node. */
struct json_object *lang_node_new(const char *op);
void lang_node_negate(struct json_object **node);

/* A column, of the table or of the level around. You free ref->name. */
bool lang_column(struct lang *p, struct column_ref *ref);

/* A literal for a column of that type (NULL: not known); a literal, or a column as ["col", name]. *out is
 * yours to put. */
bool lang_literal(struct lang *p, const struct type *type, struct json_object **out);
bool lang_operand(struct lang *p, const struct type *type, const char *what, struct json_object **out);

/* Where JSON stands in place of the language. */
const char *lang_skip_space(const char *s);
bool lang_json(const char *text, struct json_object **out, struct lang_err *err);

#endif
