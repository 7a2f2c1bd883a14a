/*
 * The table rowd_list(pointer): one row, one column `value`, for each value of a struct value_list
 * bound by sqlite3_bind_pointer. So a list of any length is one parameter of one statement.
 *
 * Exists in no schema (eponymous) and can only be named by statements of our own (DIRECTONLY).
 */
#include "config.h"

#include <stdlib.h>

#include "daemon/db/sqlite_private.h"

enum { COLUMN_VALUE, COLUMN_POINTER };
enum { PLAN_EMPTY, PLAN_LIST };

struct list_cursor {
	sqlite3_vtab_cursor base;
	const struct value_list *list;   /* borrowed from who bound it; NULL: no rows */
	size_t at;
};

static int list_connect(sqlite3 *db, void *aux, int argc, const char *const *argv,
			sqlite3_vtab **vtab_out, char **message_out)
{
	int rc;

	(void)aux, (void)argc, (void)argv, (void)message_out;
	rc = sqlite3_declare_vtab(db, "CREATE TABLE x(value, pointer HIDDEN)");
	if (rc != SQLITE_OK)
		return rc;
	sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
	*vtab_out = sqlite3_malloc(sizeof **vtab_out);
	if (!*vtab_out)
		return SQLITE_NOMEM;
	**vtab_out = (sqlite3_vtab){ 0 };
	return SQLITE_OK;
}

static int list_disconnect(sqlite3_vtab *vtab)
{
	sqlite3_free(vtab);
	return SQLITE_OK;
}

static int list_open(sqlite3_vtab *vtab, sqlite3_vtab_cursor **cursor_out)
{
	struct list_cursor *cur = sqlite3_malloc(sizeof *cur);

	(void)vtab;
	if (!cur)
		return SQLITE_NOMEM;
	*cur = (struct list_cursor){ 0 };
	*cursor_out = &cur->base;
	return SQLITE_OK;
}

static int list_close(sqlite3_vtab_cursor *cursor)
{
	sqlite3_free(cursor);
	return SQLITE_OK;
}

/* The pointer must be given, by an equality; without one there are no rows. */
static int list_best_index(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
	int i;

	(void)vtab;
	info->idxNum = PLAN_EMPTY;
	info->estimatedCost = 1;
	info->estimatedRows = 1;
	for (i = 0; i < info->nConstraint; i++) {
		if (info->aConstraint[i].iColumn != COLUMN_POINTER ||
		    info->aConstraint[i].op != SQLITE_INDEX_CONSTRAINT_EQ)
			continue;
		if (!info->aConstraint[i].usable)
			return SQLITE_CONSTRAINT;
		info->aConstraintUsage[i].argvIndex = 1;
		info->aConstraintUsage[i].omit = 1;
		info->idxNum = PLAN_LIST;
		info->estimatedCost = 100;
		info->estimatedRows = 100;
		break;
	}
	return SQLITE_OK;
}

static int list_filter(sqlite3_vtab_cursor *cursor, int plan, const char *plan_text, int argc,
		       sqlite3_value **argv)
{
	struct list_cursor *cur = (struct list_cursor *)cursor;

	(void)plan_text;
	cur->list = plan == PLAN_LIST && argc == 1 ? sqlite3_value_pointer(argv[0], SQLITE_LIST_POINTER) : NULL;
	cur->at = 0;
	return SQLITE_OK;
}

static int list_next(sqlite3_vtab_cursor *cursor)
{
	((struct list_cursor *)cursor)->at++;
	return SQLITE_OK;
}

static int list_eof(sqlite3_vtab_cursor *cursor)
{
	const struct list_cursor *cur = (const struct list_cursor *)cursor;

	return !cur->list || cur->at >= cur->list->count;
}

static int list_column(sqlite3_vtab_cursor *cursor, sqlite3_context *ctx, int column)
{
	const struct list_cursor *cur = (const struct list_cursor *)cursor;

	if (column == COLUMN_VALUE)
		sqlite_result_value(ctx, &cur->list->values[cur->at]);
	return SQLITE_OK;
}

static int list_rowid(sqlite3_vtab_cursor *cursor, sqlite3_int64 *rowid_out)
{
	*rowid_out = (sqlite3_int64)((const struct list_cursor *)cursor)->at;
	return SQLITE_OK;
}

int sqlite_list_install(sqlite3 *db)
{
	/* xCreate NULL: eponymous only */
	static const sqlite3_module module = {
		.xConnect = list_connect,
		.xDisconnect = list_disconnect,
		.xOpen = list_open,
		.xClose = list_close,
		.xBestIndex = list_best_index,
		.xFilter = list_filter,
		.xNext = list_next,
		.xEof = list_eof,
		.xColumn = list_column,
		.xRowid = list_rowid,
	};

	return sqlite3_create_module_v2(db, "rowd_list", &module, NULL, NULL);
}
