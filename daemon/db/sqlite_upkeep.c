/*
 * Keeping a SQLite file in shape: its space, giving free space back, looking for damage, copying it.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "daemon/db/sqlite_private.h"

enum {
	VACUUM_PAGES = 64,          /* given back between two looks at the clock */
	VACUUM_SPARE_BYTES = 4 * 1024 * 1024, /* that the disk must have beyond what the log will take */
	BACKUP_PAGES = 256,
	PROBLEMS_MOST = 100
};

static enum rowd_code ask_int(struct sqlite_conn *c, const char *pragma, int64_t *out, struct err *err)
{
	sqlite3_stmt *q = NULL;
	enum rowd_code code = ROWD_OK;
	int rc = sqlite3_prepare_v2(c->db, pragma, -1, &q, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(q);
	if (rc == SQLITE_ROW)
		*out = sqlite3_column_int64(q, 0);
	else
		code = sqlite_fail(c, rc, err);
	sqlite3_finalize(q);
	return code;
}

enum rowd_code sqlite_space(void *conn, struct db_space *out, struct err *err)
{
	struct sqlite_conn *c = conn;
	int64_t page_size = 0, pages = 0, spare = 0;
	enum rowd_code code;

	c->stopped = c->raised = ROWD_OK;
	code = ask_int(c, "PRAGMA main.page_size", &page_size, err);
	if (!code)
		code = ask_int(c, "PRAGMA main.page_count", &pages, err);
	if (!code)
		code = ask_int(c, "PRAGMA main.freelist_count", &spare, err);
	*out = (struct db_space){ .used_bytes = (pages - spare) * page_size, .free_bytes = spare * page_size };
	return code;
}

/* Every page that moves goes through the log first: is there room for it? */
static enum rowd_code check_room(struct sqlite_conn *c, struct err *err)
{
	struct db_space space;
	struct statvfs disk;
	enum rowd_code code = sqlite_space(c, &space, err);

	if (code)
		return code;
	if (statvfs(sqlite3_db_filename(c->db, "main"), &disk) != 0)
		return err_sys(err, ROWD_E_UNAVAILABLE, errno, "the database's disk");
	if ((uint64_t)disk.f_bavail * disk.f_frsize < VACUUM_SPARE_BYTES)
		return err_set(err, ROWD_E_STORAGE_FULL, "the disk has no room for the log that giving space back takes");
	return ROWD_OK;
}

static enum rowd_code run_pragma(struct sqlite_conn *c, const char *pragma, struct err *err)
{
	int rc = sqlite3_exec(c->db, pragma, NULL, NULL, NULL);

	return rc == SQLITE_OK ? ROWD_OK : sqlite_fail(c, rc, err);
}

enum rowd_code sqlite_reclaim(void *conn, int64_t max_ms, struct err *err)
{
	struct sqlite_conn *c = conn;
	int64_t until = clock_ns() + max_ms * NS_PER_MS, mode = 0, left = 0;
	char step[64];
	enum rowd_code code;

	c->stopped = c->raised = ROWD_OK;
	snprintf(step, sizeof step, "PRAGMA main.incremental_vacuum(%d)", VACUUM_PAGES);
	code = ask_int(c, "PRAGMA main.auto_vacuum", &mode, err);
	if (!code && mode != 2)
		return err_set(err, ROWD_E_UNSUPPORTED,
			       "the file was not made by rowd and gives space back only to a VACUUM of its own");
	if (!code)
		code = check_room(c, err);
	if (!code)
		code = ask_int(c, "PRAGMA main.freelist_count", &left, err);
	/* each step is a transaction: others get the lock between two of them */
	while (!code && left > 0 && clock_ns() < until) {
		code = watch_look(c->watch, &c->stopped) ? sqlite_fail(c, SQLITE_INTERRUPT, err) : run_pragma(c, step, err);
		if (!code)
			code = ask_int(c, "PRAGMA main.freelist_count", &left, err);
	}
	if (!code)
		sqlite_checkpoint_now(c);
	return code;
}

enum rowd_code sqlite_check(void *conn, db_problem_fn *problem, void *arg, struct err *err)
{
	struct sqlite_conn *c = conn;
	sqlite3_stmt *q = NULL;
	enum rowd_code code = ROWD_OK;
	char text[64];
	int rc;

	c->stopped = c->raised = ROWD_OK;
	snprintf(text, sizeof text, "PRAGMA main.integrity_check(%d)", PROBLEMS_MOST);
	rc = sqlite3_prepare_v2(c->db, text, -1, &q, NULL);
	if (rc == SQLITE_OK)
		while ((rc = sqlite3_step(q)) == SQLITE_ROW) {
			const char *said = (const char *)sqlite3_column_text(q, 0);

			if (said && strcmp(said, "ok") != 0)
				problem(arg, said);
		}
	if (rc != SQLITE_OK && rc != SQLITE_DONE)
		code = sqlite_fail(c, rc, err);
	sqlite3_finalize(q);
	return code;
}

/* ---- copies ---- */

static enum rowd_code copy(struct sqlite_conn *c, sqlite3 *to, struct err *err)
{
	sqlite3_backup *b = sqlite3_backup_init(to, "main", c->db, "main");
	enum rowd_code code = ROWD_OK;
	int rc;

	if (!b)
		return sqlite_fail(c, sqlite3_extended_errcode(to), err);
	do {
		rc = sqlite3_backup_step(b, BACKUP_PAGES);
		if (watch_look(c->watch, &c->stopped))
			rc = SQLITE_INTERRUPT;
	} while (rc == SQLITE_OK);
	if (rc != SQLITE_DONE)
		code = sqlite_fail(c, rc, err);
	rc = sqlite3_backup_finish(b);
	if (!code && rc != SQLITE_OK)
		code = sqlite_fail(c, rc, err);
	return code;
}

/* SQLite writes the copy; that its name and bytes are on the disk is for us to see to. */
static enum rowd_code make_durable(const char *path, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum rowd_code code = ROWD_OK;

	if (fd < 0 || fsync(fd))
		code = err_sys(err, ROWD_E_STORAGE_FULL, errno, "the copy");
	if (fd >= 0)
		close(fd);
	return code;
}

enum rowd_code sqlite_backup(void *conn, const char *path, struct err *err)
{
	struct sqlite_conn *c = conn;
	sqlite3 *to = NULL;
	enum rowd_code code;
	int rc, fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);

	c->stopped = c->raised = ROWD_OK;
	if (fd < 0)
		return errno == EEXIST ? err_set(err, ROWD_E_BAD_REQUEST, "a file of that name exists") :
					 err_sys(err, ROWD_E_NO_RESOURCE, errno, "make the copy's file");
	close(fd);
	rc = sqlite3_open_v2(path, &to, SQLITE_OPEN_READWRITE, NULL);
	code = rc == SQLITE_OK ? copy(c, to, err) : sqlite_fail(c, rc, err);
	sqlite3_close(to);
	if (!code)
		code = make_durable(path, err);
	if (code)
		unlink(path);
	return code;
}
