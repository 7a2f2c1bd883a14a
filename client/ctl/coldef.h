/*
 * A column as a human declares it, made into what create_table and add_column take.
 *
 *	id int auto primary key
 *	name text(40) not null default "nobody" unique
 *	user_id int references users(id) on delete cascade
 *
 * Pure. Thread: any.
 */
#ifndef ROWD_CTL_COLDEF_H
#define ROWD_CTL_COLDEF_H

#include <json-c/json.h>

#include "client/ctl/lex.h"

struct coldef {
	struct json_object *column;      /* {name, type, null, default, auto}; NULL on failure */
	struct json_object *foreign_key; /* {columns, table, references, on_delete}, or NULL */
	bool primary_key, unique;
};

/* text beginning with { is the column in JSON. False with *err filled. coldef_fini in any case. */
bool coldef_parse(struct coldef *d, const char *text, struct lang_err *err);
void coldef_fini(struct coldef *d);

#endif
