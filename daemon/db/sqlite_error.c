/*
 * SQLite's result codes in rowd's words. SQLite's own messages name tables, values and files of
 * others: they are looked at, never passed on.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "daemon/db/sqlite_private.h"

static const struct {
	int rc;                 /* extended, or primary: the first that fits */
	enum rowd_code code;
	const char *text;
} rows[] = {
	{ SQLITE_CONSTRAINT_PRIMARYKEY, ROWD_E_CONFLICT, "another row has that primary key" },
	{ SQLITE_CONSTRAINT_ROWID, ROWD_E_CONFLICT, "another row has that primary key" },
	{ SQLITE_CONSTRAINT_UNIQUE, ROWD_E_CONFLICT, "another row has that unique key" },
	{ SQLITE_CONSTRAINT_FOREIGNKEY, ROWD_E_FOREIGN_KEY, "a foreign key forbids it" },
	{ SQLITE_CONSTRAINT_NOTNULL, ROWD_E_NULL_NOT_ALLOWED, "a column that must have a value was given none" },
	{ SQLITE_CONSTRAINT_CHECK, ROWD_E_OUT_OF_RANGE, "a check of the table refuses the value" },
	{ SQLITE_CONSTRAINT_TRIGGER, ROWD_E_OUT_OF_RANGE, "a trigger of the table refuses it" },
	{ SQLITE_CONSTRAINT_DATATYPE, ROWD_E_TYPE_MISMATCH, "the column stores values of another type" },
	{ SQLITE_CONSTRAINT, ROWD_E_INTERNAL, "a constraint that rowd does not know" },
	{ SQLITE_MISMATCH, ROWD_E_TYPE_MISMATCH, "the column stores values of another type" },
	{ SQLITE_TOOBIG, ROWD_E_LIMIT, "a row or statement is larger than SQLite was allowed" },
	{ SQLITE_BUSY, ROWD_E_BUSY, "another program holds the lock of the database" },
	{ SQLITE_LOCKED, ROWD_E_BUSY, "the table is locked" },
	{ SQLITE_PROTOCOL, ROWD_E_BUSY, "other programs held the lock of the database" },
	{ SQLITE_INTERRUPT, ROWD_E_CANCELLED, "stopped" },
	{ SQLITE_READONLY_DBMOVED, ROWD_E_UNAVAILABLE, "the database file was moved or replaced" },
	{ SQLITE_READONLY, ROWD_E_READ_ONLY, "the database cannot be written" },
	{ SQLITE_FULL, ROWD_E_STORAGE_FULL, "no room is left for the database" },
	{ SQLITE_NOMEM, ROWD_E_NO_RESOURCE, "memory ran out" },
	{ SQLITE_IOERR_NOMEM, ROWD_E_NO_RESOURCE, "memory ran out" },
	{ SQLITE_PERM, ROWD_E_DENIED, "the database file may not be opened" },
	{ SQLITE_AUTH, ROWD_E_DENIED, "the database forbids it" },
	{ SQLITE_CANTOPEN_SYMLINK, ROWD_E_UNAVAILABLE, "the database file is a symbolic link" },
	{ SQLITE_CANTOPEN, ROWD_E_UNAVAILABLE, "the database file cannot be opened" },
	{ SQLITE_CORRUPT, ROWD_E_CORRUPT, "the database file is damaged" },
	{ SQLITE_NOTADB, ROWD_E_CORRUPT, "the file is not a SQLite database" },
	{ SQLITE_IOERR_READ, ROWD_E_CORRUPT, "the database file cannot be read" },
	{ SQLITE_IOERR_SHORT_READ, ROWD_E_CORRUPT, "the database file cannot be read whole" },
	{ SQLITE_IOERR_DATA, ROWD_E_CORRUPT, "a page of the database file is damaged" },
	{ SQLITE_IOERR_CORRUPTFS, ROWD_E_CORRUPT, "the file system of the database is damaged" },
	{ SQLITE_IOERR, ROWD_E_UNAVAILABLE, "the disk of the database failed" },
	{ SQLITE_SCHEMA, ROWD_E_SCHEMA_MISMATCH, "the table is no longer what it was" },
	{ SQLITE_ABORT, ROWD_E_INTERNAL, "a statement ran on after its transaction" },
};

/* SQLITE_ERROR has no number for what went wrong, only words. */
static const struct {
	const char *words;
	enum rowd_code code;
	const char *text;
} error_words[] = {
	{ "no such table", ROWD_E_SCHEMA_MISMATCH, "the table is no longer what it was" },
	{ "no such column", ROWD_E_SCHEMA_MISMATCH, "the table is no longer what it was" },
	{ "has no column named", ROWD_E_SCHEMA_MISMATCH, "the table is no longer what it was" },
	{ "may not be modified", ROWD_E_SCHEMA_MISMATCH, "the table is no longer what it was" },
	{ "cannot UPDATE generated column", ROWD_E_SCHEMA_MISMATCH, "the table is no longer what it was" },
	{ "cannot INSERT into generated column", ROWD_E_SCHEMA_MISMATCH, "the table is no longer what it was" },
	{ "already exists", ROWD_E_TABLE_EXISTS, "a table or index of that name exists" },
	{ "foreign key mismatch", ROWD_E_FOREIGN_KEY, "a foreign key refers to what is not a key" },
	{ "Expression tree is too large", ROWD_E_LIMIT, "the filter is nested too deeply" },
	{ "parser stack overflow", ROWD_E_LIMIT, "the filter is nested too deeply" },
	{ "too many SQL variables", ROWD_E_LIMIT, "too many values in one statement" },
	{ "too many terms in compound SELECT", ROWD_E_LIMIT, "the filter is too large" },
	{ "too many levels of trigger recursion", ROWD_E_LIMIT, "the deletion cascades too deeply" },
	{ "integer overflow", ROWD_E_OUT_OF_RANGE, "a result is outside the range of int" },
};

static enum rowd_code fail_error(sqlite3 *db, struct err *err)
{
	const char *message = sqlite3_errmsg(db);
	size_t i;

	for (i = 0; message && i < sizeof error_words / sizeof *error_words; i++)
		if (strstr(message, error_words[i].words))
			return err_native(err, error_words[i].code, SQLITE_ERROR, "%s", error_words[i].text);
	return err_native(err, ROWD_E_INTERNAL, SQLITE_ERROR, "SQLite refused a statement");
}

static enum rowd_code fail_raised(enum rowd_code why, struct err *err)
{
	if (why == ROWD_E_OUT_OF_RANGE)
		return err_native(err, why, SQLITE_ERROR, "a result is outside the range of its type");
	return err_native(err, why, SQLITE_ERROR, "a stored value is not of its column's type");
}

/* A quota, or a limit on file size, is a full disk that does not call itself so. */
static bool disk_is_full(const struct sqlite_conn *c, int rc)
{
	int errnum;

	if ((rc & 0xff) != SQLITE_IOERR)
		return false;
	errnum = sqlite3_system_errno(c->db);
	return errnum == EDQUOT || errnum == EFBIG || errnum == ENOSPC;
}

/* SQLite says RAISE() of a trigger and a restricting foreign key with one number. */
static bool is_foreign_key(const struct sqlite_conn *c, int rc)
{
	return rc == SQLITE_CONSTRAINT_TRIGGER && strcmp(sqlite3_errmsg(c->db), "FOREIGN KEY constraint failed") == 0;
}

enum rowd_code sqlite_fail(struct sqlite_conn *c, int rc, struct err *err)
{
	size_t i;

	if (rc == SQLITE_READONLY_DBMOVED || (rc & 0xff) == SQLITE_IOERR)
		c->broken = true;
	if (rc == SQLITE_FULL)
		c->full = true;
	if (c->stopped && ((rc & 0xff) == SQLITE_INTERRUPT || (rc & 0xff) == SQLITE_BUSY))
		return watch_fail(c->stopped, rc, err);
	if (c->raised && rc == SQLITE_ERROR)
		return fail_raised(c->raised, err);
	if ((rc & 0xff) == SQLITE_ERROR)
		return fail_error(c->db, err);
	if (disk_is_full(c, rc))
		return err_native(err, ROWD_E_STORAGE_FULL, rc, "no room is left for the database");
	if (is_foreign_key(c, rc))
		return err_native(err, ROWD_E_FOREIGN_KEY, rc, "a foreign key forbids it");
	for (i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].rc == rc || rows[i].rc == (rc & 0xff))
			return err_native(err, rows[i].code, rc, "%s", rows[i].text);
	return err_native(err, ROWD_E_INTERNAL, rc, "an answer of SQLite that was not expected");
}
