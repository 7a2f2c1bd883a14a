/*
 * Statements about one row by its primary key, which know themselves without their text.
 */
#include "config.h"

#include "daemon/sql/render.h"

/* What makes `known` of a table's serial. Never 0. */
enum verb { ROW_SELECT = 1, ROW_DELETE = 2, ROW_VERBS = 4 };

/* Is a value of this kind just a `?` in every dialect, compared with `=`? */
static bool is_plain(const struct value *v)
{
	switch (v->kind) {
	case VALUE_BOOL:
	case VALUE_INT:
	case VALUE_FLOAT:
	case VALUE_TEXT:
	case VALUE_BYTES:
		return true;
	case VALUE_NULL:
	case VALUE_DECIMAL:
	case VALUE_TIME:
	case VALUE_LIST:
		break;
	}
	return false;
}

static bool begin(struct sql *s, const struct table *t, const struct value *key, enum verb verb)
{
	unsigned i;

	for (i = 0; i < t->primary_key.ncolumns; i++)
		if (!is_plain(&key[i]))
			return false;
	if (t->primary_key.ncolumns == 0 || t->serial == 0)
		return false;
	sql_clear(s);
	for (i = 0; i < t->primary_key.ncolumns; i++)
		sql_add_param_only(s, &key[i]);
	s->row_of = t;
	s->known = t->serial * ROW_VERBS + verb;
	return true;
}

bool sql_select_row(struct sql *s, const struct table *t, const struct value *key)
{
	unsigned i;

	if (!begin(s, t, key, ROW_SELECT))
		return false;
	for (i = 0; i < t->ncolumns; i++)
		sql_add_type_of(s, t->columns[i].type);
	return true;
}

bool sql_delete_row(struct sql *s, const struct table *t, const struct value *key)
{
	return begin(s, t, key, ROW_DELETE);
}

static void write_columns(struct sql *s, const struct table *t)
{
	unsigned i;

	for (i = 0; i < t->ncolumns; i++) {
		if (i)
			sql_add(s, ", ");
		sql_add_name(s, t->columns[i].name);
	}
}

void sql_write(struct sql *s)
{
	const struct table *t = s->row_of;
	unsigned i;

	if (!t)
		return;
	if (s->known % ROW_VERBS == ROW_SELECT) {
		sql_add(s, "SELECT ");
		write_columns(s, t);
	} else {
		sql_add(s, "DELETE");
	}
	sql_add(s, " FROM ");
	sql_add_name(s, t->name);
	for (i = 0; i < t->primary_key.ncolumns; i++) {
		sql_add(s, i ? " AND " : " WHERE ");
		sql_add_name(s, t->primary_key.columns[i]->name);
		sql_add(s, " = ?");
	}
	sql_finish(s);
	s->row_of = NULL;
}
