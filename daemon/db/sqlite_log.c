/*
 * The write-ahead log, written in one piece. SQLite writes each page of a commit to its log by itself, and
 * the 24 bytes before it too, and only then syncs: of a commit of ten pages the twenty calls take half as
 * long as the disk. Here, during a commit, they are held until something needs them to be in the file, which
 * is the sync, and go there together. What is in the file after a sync is not changed.
 *
 * A file that grows has its new size to be synced too, which takes as long again. So the log grows ahead of
 * what a commit writes, by zeros, which end a log as the end of the file does.
 *
 * Both only while the connection commits: it has the lock of those who write then, and nobody else's pages
 * can be where these go, or behind them. And only for connections whose every commit is synced (PRAGMA
 * synchronous = FULL): the index of the log, by which others find a commit, is changed after that sync.
 *
 * A VFS of SQLite's in front of its own: https://www.sqlite.org/vfs.html; the log:
 * https://www.sqlite.org/walformat.html
 */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/db/sqlite_private.h"

enum {
	HELD_MOST = 0x1FFFF,          /* SQLite's own VFS takes no more at once */
	AHEAD_LEAST = 32 * 1024,      /* the log grows by as much as it has, within these bounds */
	AHEAD_MOST = 1024 * 1024
};

struct log_file {
	sqlite3_file file;    /* what SQLite sees */
	bool commits;          /* the connection does, just now */
	unsigned char *held;   /* owned; HELD_MOST bytes */
	size_t nheld;          /* 0 when it does not commit */
	sqlite3_int64 offset;  /* of what is held, in the file */
	sqlite3_int64 written; /* the end of what this connection wrote */
	sqlite3_int64 end;     /* of the file, as far as this connection made it grow; never before `written` after a sync */
	sqlite3_file real[];   /* the file of the VFS behind this one */
};

static sqlite3_vfs *behind;

static struct log_file *log_of(sqlite3_file *file)
{
	return (struct log_file *)file;
}

static int write_now(struct log_file *log, const void *bytes, int n, sqlite3_int64 offset)
{
	if (log->written < offset + n)
		log->written = offset + n;
	return log->real->pMethods->xWrite(log->real, bytes, n, offset);
}

/* What cannot be written is forgotten: SQLite gives the commit up. */
static int let_go(struct log_file *log)
{
	int n = (int)log->nheld;

	log->nheld = 0;
	return n ? write_now(log, log->held, n, log->offset) : SQLITE_OK;
}

/* Where there is no room for it, the log goes on without. */
static void grow_ahead(struct log_file *log)
{
	static const unsigned char zeros[64 * 1024];
	sqlite3_int64 most = log->written < AHEAD_LEAST ? AHEAD_LEAST :
			     log->written < AHEAD_MOST	? log->written :
						  AHEAD_MOST;
	sqlite3_int64 end = log->written + most;

	log->end = log->written;
	while (log->end < end) {
		sqlite3_int64 n = end - log->end < (sqlite3_int64)sizeof zeros ? end - log->end : (sqlite3_int64)sizeof zeros;

		if (log->real->pMethods->xWrite(log->real, zeros, (int)n, log->end) != SQLITE_OK)
			return;
		log->end += n;
	}
}

static int log_close(sqlite3_file *file)
{
	struct log_file *log = log_of(file);
	int rc = let_go(log), closed = log->real->pMethods->xClose(log->real);

	free(log->held);
	return rc == SQLITE_OK ? closed : rc;
}

static int log_read(sqlite3_file *file, void *out, int n, sqlite3_int64 offset)
{
	struct log_file *log = log_of(file);
	int rc = let_go(log);

	return rc == SQLITE_OK ? log->real->pMethods->xRead(log->real, out, n, offset) : rc;
}

static int log_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 offset)
{
	struct log_file *log = log_of(file);
	bool follows = offset == log->offset + (sqlite3_int64)log->nheld;
	int rc = SQLITE_OK;

	assert(n <= HELD_MOST);    /* no page has more than 64 KiB */
	if (!log->commits)
		return write_now(log, bytes, n, offset);
	if (!follows || log->nheld + (size_t)n > HELD_MOST)
		rc = let_go(log);
	if (rc != SQLITE_OK)
		return rc;
	if (!log->nheld)
		log->offset = offset;
	memcpy(log->held + log->nheld, bytes, (size_t)n);
	log->nheld += (size_t)n;
	return SQLITE_OK;
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct log_file *log = log_of(file);
	int rc = let_go(log);

	if (rc == SQLITE_OK)
		rc = log->real->pMethods->xTruncate(log->real, size);
	if (rc == SQLITE_OK)
		log->end = log->written = size;
	return rc;
}

static int log_sync(sqlite3_file *file, int flags)
{
	struct log_file *log = log_of(file);
	int rc = let_go(log);

	if (rc != SQLITE_OK)
		return rc;
	if (log->commits && log->written > log->end)
		grow_ahead(log);
	return log->real->pMethods->xSync(log->real, flags);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *out)
{
	struct log_file *log = log_of(file);
	int rc = let_go(log);

	return rc == SQLITE_OK ? log->real->pMethods->xFileSize(log->real, out) : rc;
}

static int log_control(sqlite3_file *file, int verb, void *arg)
{
	struct log_file *log = log_of(file);
	int rc = let_go(log);

	return rc == SQLITE_OK ? log->real->pMethods->xFileControl(log->real, verb, arg) : rc;
}

/* A log is never locked: its database is. */
static int log_lock(sqlite3_file *file, int level)
{
	struct log_file *log = log_of(file);

	return log->real->pMethods->xLock(log->real, level);
}

static int log_unlock(sqlite3_file *file, int level)
{
	struct log_file *log = log_of(file);

	return log->real->pMethods->xUnlock(log->real, level);
}

static int log_is_reserved(sqlite3_file *file, int *out)
{
	struct log_file *log = log_of(file);

	return log->real->pMethods->xCheckReservedLock(log->real, out);
}

static int log_sector_bytes(sqlite3_file *file)
{
	struct log_file *log = log_of(file);

	return log->real->pMethods->xSectorSize(log->real);
}

static int log_characteristics(sqlite3_file *file)
{
	struct log_file *log = log_of(file);

	return log->real->pMethods->xDeviceCharacteristics(log->real);
}

/* Version 1: shared memory and mapped pages are the database's, not its log's. */
static const sqlite3_io_methods log_methods = {
	.iVersion = 1,
	.xClose = log_close,
	.xRead = log_read,
	.xWrite = log_write,
	.xTruncate = log_truncate,
	.xSync = log_sync,
	.xFileSize = log_size,
	.xLock = log_lock,
	.xUnlock = log_unlock,
	.xCheckReservedLock = log_is_reserved,
	.xFileControl = log_control,
	.xSectorSize = log_sector_bytes,
	.xDeviceCharacteristics = log_characteristics,
};

static int log_open(const char *name, sqlite3_file *file, int flags, int *flags_out)
{
	struct log_file *log = log_of(file);
	int rc;

	file->pMethods = NULL;
	log->commits = false;
	log->nheld = 0;
	log->held = malloc(HELD_MOST);
	if (!log->held)
		return SQLITE_NOMEM;
	rc = behind->xOpen(behind, name, log->real, flags, flags_out);
	if (rc == SQLITE_OK)
		rc = log->real->pMethods->xFileSize(log->real, &log->end);
	log->written = log->end;
	if (rc == SQLITE_OK)
		file->pMethods = &log_methods;
	else if (log->real->pMethods)
		log->real->pMethods->xClose(log->real);
	if (rc != SQLITE_OK)
		free(log->held);
	return rc;
}

/* All but a log is the other VFS's own. */
static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *flags_out)
{
	(void)vfs;
	if (flags & SQLITE_OPEN_WAL)
		return log_open(name, file, flags, flags_out);
	return behind->xOpen(behind, name, file, flags, flags_out);
}

void sqlite_log_file_commits(sqlite3_file *file, bool commits)
{
	struct log_file *log = log_of(file);

	if (file->pMethods != &log_methods)
		return;
	log->commits = commits;
	log->nheld = 0;    /* of a commit that failed; else there is nothing */
}

void sqlite_log_commits(struct sqlite_conn *c, bool commits)
{
	sqlite3_file *file = NULL;

	if (sqlite3_file_control(c->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) == SQLITE_OK && file)
		sqlite_log_file_commits(file, commits);
}

void sqlite_log_register(void)
{
	static sqlite3_vfs vfs;

	behind = sqlite3_vfs_find(NULL);
	if (!behind)
		return;
	vfs = *behind;
	vfs.zName = SQLITE_LOG_VFS;
	vfs.szOsFile = (int)sizeof(struct log_file) + behind->szOsFile;
	vfs.xOpen = vfs_open;
	sqlite3_vfs_register(&vfs, 0);
}
