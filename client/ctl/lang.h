/*
 * The filter language: what a human writes, made into the wire's filter.
 *
 *	age > 30 and name like "a%"            ["and", [">", "age", 30], ["like", "name", "a%"]]
 *	id in (1, 2, 3)                        ["in", "id", [1, 2, 3]]
 *	id in (select user_id from bans)       ["in", "id", {"select": "user_id", "from": "bans"}]
 *	not exists (from bans where user_id = outer.id)
 *
 * Pure but for what the callbacks do. Thread: any.
 */
#ifndef ROWD_CTL_LANG_H
#define ROWD_CTL_LANG_H

#include <stdbool.h>

#include <json-c/json.h>

#include "client/ctl/lex.h"
#include "proto/value.h"

enum { LANG_MAX_DEPTH = 100 };

/* What the parser asks of its surroundings. Both may be NULL. */
struct lang_env {
	/* The type of a column; NULL when not known: then literals go out as written. */
	const struct type *(*column_type)(void *arg, const char *table, const char *column);
	/* The values of `in @path` into list, an array. False with a sentence in why. */
	bool (*read_list)(void *arg, const char *path, const struct type *type, struct json_object *list,
			  char *why, size_t why_size);
	void *arg;
};

/*
 * A filter on table. text beginning with { or [ is taken as the wire's filter in JSON.
 * *out is yours to put; NULL for an empty text (which rowd refuses as empty_filter).
 * False with *err filled.
 */
bool lang_filter(const char *text, const char *table, const struct lang_env *env, struct json_object **out,
		 struct lang_err *err);

/*
 * Assignments, `age = age + 1, name = "x"`, added to *set, an object. Or a JSON object.
 * False with *err filled; set may then hold some of them.
 */
bool lang_set(const char *text, const char *table, const struct lang_env *env, struct json_object *set,
	      struct lang_err *err);

/* Literals with commas between them, added to array; the i-th for a column of types[i] (NULL: not known). */
bool lang_values(const char *text, const struct type *const *types, size_t ntypes, struct json_object *array,
		 struct lang_err *err);

/* `total=sum(price), n=count()`, added to compute: {"total": ["sum", "price"], "n": ["count"]}. Without
 * a name of its own `sum(price)` is called sum_price. Or a JSON object. */
bool lang_compute(const char *text, struct json_object *compute, struct lang_err *err);

#endif
