/*
 * Lists too long for a statement of 65,535 places: each is put into a temporary table of the connection,
 * which the statement names. The table is there before the statement is prepared, and goes behind it.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/db/mysql_private.h"

enum {
	ROWS_OF_INSERT = 1000,
	BYTES_OF_INSERT = 512 * 1024,
	KEY_MOST_BYTES = 3072,
	BYTES_OF_CHARACTER = 4,
	TYPE_WORDS_BYTES = 96
};

/* What the list's values are stored as; keyed_out: as a key, which makes a search in it quick. */
static void column_type(const struct mydb_conn *c, const struct value_list *list, char out[TYPE_WORDS_BYTES],
			bool *keyed_out)
{
	const struct value *first = &list->values[0];
	size_t longest = 0, i;
	bool bytes = first->kind == VALUE_BYTES || c->dialect->text_is_bytes;

	*keyed_out = true;
	switch (first->kind) {
	case VALUE_BOOL:
	case VALUE_INT:
	case VALUE_NULL:
	case VALUE_LIST:
		snprintf(out, TYPE_WORDS_BYTES, "BIGINT NOT NULL");
		return;
	case VALUE_FLOAT:
		snprintf(out, TYPE_WORDS_BYTES, "DOUBLE NOT NULL");
		return;
	case VALUE_DECIMAL:
		snprintf(out, TYPE_WORDS_BYTES, "DECIMAL(18,%u) NOT NULL", first->scale);
		return;
	case VALUE_TIME:
		snprintf(out, TYPE_WORDS_BYTES, "DATETIME(6) NOT NULL");
		return;
	case VALUE_TEXT:
	case VALUE_BYTES:
		break;
	}
	for (i = 0; i < list->count; i++)
		if (list->values[i].u.s.len > longest)
			longest = list->values[i].u.s.len;
	*keyed_out = longest * (bytes ? 1 : BYTES_OF_CHARACTER) <= KEY_MOST_BYTES;
	if (!*keyed_out)
		snprintf(out, TYPE_WORDS_BYTES, "%s", bytes ? "LONGBLOB NOT NULL" : "LONGTEXT");
	else
		snprintf(out, TYPE_WORDS_BYTES, bytes ? "VARBINARY(%zu) NOT NULL" : "VARCHAR(%zu)", longest);
	if (!bytes)
		snprintf(out + strlen(out), TYPE_WORDS_BYTES - strlen(out),
			 " CHARACTER SET utf8mb4 COLLATE %s NOT NULL", c->dialect->text_collation);
}

static enum rowd_code run_words(struct mydb_conn *c, const char *text, const struct value *params,
				size_t nparams, struct err *err)
{
	struct mydb_stmt *s;
	enum rowd_code rc = mydb_ask(c, text, params, nparams, NULL, 0, &s, err);

	mydb_answered(c, s);
	return rc;
}

static enum rowd_code make_table(struct mydb_conn *c, const struct value_list *list, unsigned number,
				 struct err *err)
{
	char type[TYPE_WORDS_BYTES], text[256];
	bool keyed;

	column_type(c, list, type, &keyed);
	snprintf(text, sizeof text, "CREATE TEMPORARY TABLE \"" MYDB_LIST_TABLE "%u\" (%s%s) ENGINE=InnoDB",
		 number, keyed ? "value " : "number BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, value ",
		 type);
	if (keyed)
		snprintf(strrchr(text, ')'), 64, ", PRIMARY KEY (value)) ENGINE=InnoDB");
	return run_words(c, text, NULL, 0, err);
}

/* How many of the values from `from` on go into one statement. */
static size_t share(const struct value_list *list, size_t from)
{
	size_t n = 0, bytes = 0;

	while (n < ROWS_OF_INSERT && from + n < list->count) {
		const struct value *v = &list->values[from + n];

		bytes += v->kind == VALUE_TEXT || v->kind == VALUE_BYTES ? v->u.s.len : 0;
		if (n && bytes > BYTES_OF_INSERT)
			break;
		n++;
	}
	return n;
}

/* INSERT of n values; the text is long but always the same for the same n. */
static char *insert_text(unsigned number, size_t n)
{
	static const char head[] = "INSERT INTO \"" MYDB_LIST_TABLE "%u\" (value) VALUES (?)";
	char *text = malloc(sizeof head + 16 + n * 4);
	size_t len, i;

	if (!text)
		return NULL;
	len = (size_t)sprintf(text, head, number);
	for (i = 1; i < n; i++, len += 4)
		memcpy(text + len, ",(?)", 4);
	text[len] = '\0';
	return text;
}

static enum rowd_code fill_table(struct mydb_conn *c, const struct value_list *list, unsigned number,
				 struct err *err)
{
	size_t from, n, prepared_for = 0;
	void *stmt = NULL;
	enum rowd_code rc = ROWD_OK;

	for (from = 0; !rc && from < list->count; from += n) {
		n = share(list, from);
		if (n != prepared_for) {
			char *text = insert_text(number, n);

			if (stmt)
				mydb_release(c, stmt);
			stmt = NULL;
			rc = text ? mydb_prepare(c, text, strlen(text), &stmt, err)
				  : err_set(err, ROWD_E_NO_RESOURCE, "memory ran out");
			free(text);
			prepared_for = n;
		}
		if (!rc)
			rc = mydb_exec(c, stmt, list->values + from, n, NULL, 0, err);
		if (stmt)
			mydb_finish(c, stmt, NULL, NULL);
	}
	if (stmt)
		mydb_release(c, stmt);
	return rc;
}

enum rowd_code mydb_lists_stage(struct mydb_conn *c, const struct value *params, size_t nparams,
				struct err *err)
{
	enum rowd_code rc = ROWD_OK;
	size_t i;

	for (i = 0; !rc && i < nparams; i++) {
		if (params[i].kind != VALUE_LIST)
			continue;
		rc = make_table(c, params[i].u.list, c->nlists, err);
		if (!rc)
			rc = fill_table(c, params[i].u.list, c->nlists++, err);
	}
	return rc;
}

/* One that cannot be dropped would stand in the way of the next: the connection goes with it. */
void mydb_lists_drop(struct mydb_conn *c)
{
	struct err ignored;
	char text[64];

	err_init(&ignored);
	while (c->nlists && !c->broken) {
		snprintf(text, sizeof text, "DROP TEMPORARY TABLE \"" MYDB_LIST_TABLE "%u\"", --c->nlists);
		if (mydb_say(c, text, MYDB_CONTROL_MS, &ignored))
			c->broken = true;
	}
	c->nlists = 0;
}
