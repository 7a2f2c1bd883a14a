/*
 * Opening a SQLite database: from a URL to a connection whose every setting is what rowd relies on.
 *
 * The file is looked at with stat() and its kin only. To open() and close() it, its -wal or its -shm
 * beside SQLite's own descriptors would drop the locks of the whole process, and lose acknowledged
 * writes.
 */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#include "base/hex.h"
#include "daemon/db/sqlite_private.h"

enum {
	VERSION_LEAST = 3037000,              /* STRICT tables, pragma_table_list */
	LENGTH_MOST = 256 * 1024 * 1024,      /* of a row, a value, a statement */
	VARIABLES_MOST = 32766,
	EXPRESSION_DEPTH_MOST = 1000,
	CACHE_KIB = 2048,                     /* of pages, per connection; taken as they are used */
	WAL_KEPT_BYTES = SQLITE_LOG_FRAMES * 5000,  /* of pages of 4 KiB, and what comes while they are copied */
	MOVED_LOOK_NS = 1000000000
};

/* ---- the URL ---- */

static const char scheme[] = "sqlite://";

/* The path of a URL, with %XX resolved, into out[PATH_MAX]. */
static enum rowd_code url_path(const char *url, char *out, struct err *err)
{
	const char *p = url + strlen(scheme);
	size_t n = 0;

	if (strncmp(url, scheme, strlen(scheme)) != 0)
		return err_set(err, ROWD_E_BAD_REQUEST, "expected sqlite:///absolute/path");
	if (*p != '/')
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "expected three slashes and an absolute path: sqlite:///absolute/path");
	for (; *p; p++) {
		int c = (unsigned char)*p;

		if (c == '?' || c == '#')
			return err_set(err, ROWD_E_BAD_REQUEST, "sqlite takes no options behind '%c' in its URL", c);
		if (c == '%') {
			int high = hex_digit(p[1]), low = high < 0 ? -1 : hex_digit(p[2]);

			if (low < 0)
				return err_set(err, ROWD_E_BAD_REQUEST,
					       "'%%' in a URL must be followed by two hexadecimal digits");
			c = high * 16 + low;
			p += 2;
		}
		if (c == 0)
			return err_set(err, ROWD_E_BAD_REQUEST, "a path cannot contain %%00");
		if (n + 1 >= PATH_MAX)
			return err_set(err, ROWD_E_BAD_REQUEST, "the path is longer than %d bytes", PATH_MAX - 1);
		out[n++] = (char)c;
	}
	if (out[n - 1] == '/')
		return err_set(err, ROWD_E_BAD_REQUEST, "the path names a directory, not a file");
	out[n] = '\0';
	return ROWD_OK;
}

enum rowd_code sqlite_check_url(const char *url, struct err *err)
{
	char path[PATH_MAX];

	return url_path(url, path, err);
}

/* ---- the place ---- */

/* Where locks and shared memory do not work between machines, and WAL needs both. */
static bool is_network_file_system(unsigned long magic)
{
	static const unsigned long magics[] = {
		0x6969,      /* nfs */
		0x517B,      /* smb */
		0xFF534D42,  /* cifs */
		0xFE534D42,  /* smb2 */
		0x65735546,  /* fuse: may be anything */
		0x01021997,  /* 9p */
		0x5346414F,  /* afs */
		0x73757245,  /* coda */
		0x00C36400,  /* ceph */
		0x0BD00BD0,  /* lustre */
		0x01161970,  /* gfs2 */
		0x7461636F,  /* ocfs2 */
		0x786F4256,  /* vboxsf */
		0xBACBACBC,  /* vmhgfs */
	};
	size_t i;

	for (i = 0; i < sizeof magics / sizeof *magics; i++)
		if (magics[i] == magic)
			return true;
	return false;
}

/*
 * Resolve links in the directory (the file itself must not be one: SQLITE_OPEN_NOFOLLOW) into
 * out[PATH_MAX], and refuse a place where a WAL database cannot live.
 */
static enum rowd_code place_check(const char *path, char *out, struct err *err)
{
	char directory[PATH_MAX], resolved[PATH_MAX];
	const char *name = strrchr(path, '/') + 1;
	struct statfs fs;
	struct stat st;

	snprintf(directory, sizeof directory, "%.*s", (int)(name - path), path);
	if (!realpath(directory, resolved))
		return err_sys(err, ROWD_E_UNAVAILABLE, errno, "the directory of the database");
	if (statfs(resolved, &fs) != 0)
		return err_sys(err, ROWD_E_UNAVAILABLE, errno, "the file system of the database");
	if (is_network_file_system((unsigned long)fs.f_type & 0xFFFFFFFF))
		return err_set(err, ROWD_E_UNAVAILABLE,
			       "the database lies on a network file system, where its locks do not hold");
	if (snprintf(out, PATH_MAX, "%s/%s", strcmp(resolved, "/") == 0 ? "" : resolved, name) >= PATH_MAX)
		return err_set(err, ROWD_E_UNAVAILABLE, "the path of the database is too long");
	if (lstat(out, &st) == 0 && !S_ISREG(st.st_mode))
		return err_set(err, ROWD_E_UNAVAILABLE, "the database is not an ordinary file");
	return ROWD_OK;
}

/* ---- settings ---- */

static bool syncs_commits(const struct sqlite_conn *c)
{
	return !c->source->durability || strcmp(c->source->durability, "normal") != 0;
}

static enum rowd_code run(struct sqlite_conn *c, const char *text, struct err *err)
{
	int rc = sqlite3_exec(c->db, text, NULL, NULL, NULL);

	return rc == SQLITE_OK ? ROWD_OK : sqlite_fail(c, rc, err);
}

/* The one value that a pragma answers, into out. */
static enum rowd_code ask(struct sqlite_conn *c, const char *text, char *out, size_t out_bytes, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	const unsigned char *answer;
	int rc = sqlite3_prepare_v2(c->db, text, -1, &stmt, NULL);

	out[0] = '\0';
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW) {
		answer = sqlite3_column_text(stmt, 0);
		snprintf(out, out_bytes, "%s", answer ? (const char *)answer : "");
		rc = SQLITE_DONE;
	}
	if (rc != SQLITE_DONE) {
		enum rowd_code code = sqlite_fail(c, rc, err);

		sqlite3_finalize(stmt);
		return code;
	}
	sqlite3_finalize(stmt);
	return ROWD_OK;
}

static enum rowd_code ask_expecting(struct sqlite_conn *c, const char *pragma, const char *due, struct err *err)
{
	char text[64], answer[32];
	enum rowd_code code;

	snprintf(text, sizeof text, "PRAGMA %s", pragma);
	code = ask(c, text, answer, sizeof answer, err);
	if (code)
		return code;
	if (strcmp(answer, due) != 0)
		return err_set(err, ROWD_E_UNAVAILABLE, "SQLite's %s is not %s", pragma, due);
	return ROWD_OK;
}

/* Set a pragma and read it back. */
static enum rowd_code set(struct sqlite_conn *c, const char *pragma, const char *value, struct err *err)
{
	char text[64];
	enum rowd_code code;

	snprintf(text, sizeof text, "PRAGMA %s=%s", pragma, value);
	code = run(c, text, err);
	return code ? code : ask_expecting(c, pragma, value, err);
}

static enum rowd_code set_int(struct sqlite_conn *c, const char *pragma, int value, struct err *err)
{
	char digits[16];

	snprintf(digits, sizeof digits, "%d", value);
	return set(c, pragma, digits, err);
}

/* What needs no file: what a hostile schema or statement must not be able to do. */
static enum rowd_code harden(struct sqlite_conn *c, struct err *err)
{
	static const struct { int what, value; } settings[] = {
		{ SQLITE_DBCONFIG_DEFENSIVE, 1 },
		{ SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_DQS_DDL, 0 },
		{ SQLITE_DBCONFIG_DQS_DML, 0 },
		{ SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0 },
		{ SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, 0 },
		{ SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0 },
		{ SQLITE_DBCONFIG_LEGACY_ALTER_TABLE, 0 },
		{ SQLITE_DBCONFIG_ENABLE_FKEY, 1 },
		{ SQLITE_DBCONFIG_ENABLE_TRIGGER, 1 },
	};
	size_t i;

	for (i = 0; i < sizeof settings / sizeof *settings; i++) {
		int now = -1, rc = sqlite3_db_config(c->db, settings[i].what, settings[i].value, &now);

		if (rc != SQLITE_OK || now != settings[i].value)
			return err_native(err, ROWD_E_UNAVAILABLE, rc, "this SQLite does not take a setting rowd needs");
	}
	sqlite3_limit(c->db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(c->db, SQLITE_LIMIT_LENGTH, LENGTH_MOST);
	sqlite3_limit(c->db, SQLITE_LIMIT_SQL_LENGTH, LENGTH_MOST);
	sqlite3_limit(c->db, SQLITE_LIMIT_EXPR_DEPTH, EXPRESSION_DEPTH_MOST);
	sqlite3_limit(c->db, SQLITE_LIMIT_VARIABLE_NUMBER, VARIABLES_MOST);
	sqlite3_limit(c->db, SQLITE_LIMIT_WORKER_THREADS, 0);
	return ROWD_OK;
}

/*
 * Write-ahead log, in both roles: in any other mode readers and the writer would wait for each
 * other. The change is asked for only when due, for it takes the lock.
 */
static enum rowd_code set_wal(struct sqlite_conn *c, struct err *err)
{
	char mode[32];
	enum rowd_code code = ask(c, "PRAGMA journal_mode", mode, sizeof mode, err);

	if (code || strcmp(mode, "wal") == 0)
		return code;
	/* heeded while the file is empty: only so can its space ever be given back in small steps */
	code = run(c, "PRAGMA auto_vacuum=incremental", err);
	if (!code)
		code = ask(c, "PRAGMA journal_mode=wal", mode, sizeof mode, err);
	if (code)
		return code;
	if (strcmp(mode, "wal") != 0)
		return err_set(err, ROWD_E_UNAVAILABLE, "the database cannot be given a write-ahead log here");
	return ROWD_OK;
}

static enum rowd_code configure(struct sqlite_conn *c, struct err *err)
{
	bool writer = c->role == DB_WRITER;
	int64_t cache_kib = c->role == DB_LOOP_READER ? sqlite_cache_first_kib(c) : CACHE_KIB;
	const struct { const char *pragma; int value; } settings[] = {
		{ "synchronous", syncs_commits(c) ? 2 : 1 },
		{ "foreign_keys", 1 },
		{ "trusted_schema", 0 },
		{ "recursive_triggers", 0 },
		{ "ignore_check_constraints", 0 },
		/* damage must not spread by a write; a read meets it where it lies, and a look at every cell of
		 * every page that comes in costs as much as the search */
		{ "cell_size_check", writer },
		{ "cache_size", -(int)cache_kib },
		{ "journal_size_limit", WAL_KEPT_BYTES },
		{ "wal_autocheckpoint", 0 },
		{ "query_only", !writer },
	};
	enum rowd_code code = run(c, "PRAGMA mmap_size=0", err);
	size_t i;

	c->cache_kib = cache_kib;
	/* overwrite what is deleted where that costs no page written for itself */
	if (!code)
		code = run(c, "PRAGMA secure_delete=fast", err);
	if (!code)
		code = ask_expecting(c, "encoding", "UTF-8", err);
	if (!code)
		code = set_wal(c, err);
	for (i = 0; !code && i < sizeof settings / sizeof *settings; i++)
		code = set_int(c, settings[i].pragma, settings[i].value, err);
	if (!code && writer && sqlite3_db_readonly(c->db, "main") != 0)
		code = err_set(err, ROWD_E_UNAVAILABLE, "the database file may not be written by rowd");
	return code;
}

static enum rowd_code prepare_all(struct sqlite_conn *c, struct err *err)
{
	const struct { sqlite3_stmt **out; const char *text; } statements[] = {
		{ &c->begin_read, "BEGIN" },
		{ &c->begin_write, "BEGIN IMMEDIATE" },
		{ &c->commit, "COMMIT" },
		{ &c->rollback, "ROLLBACK" },
		{ &c->schema_version, "PRAGMA main.schema_version" },
	};
	size_t i;

	for (i = 0; i < sizeof statements / sizeof *statements; i++) {
		int rc = sqlite3_prepare_v3(c->db, statements[i].text, -1, SQLITE_PREPARE_PERSISTENT,
					    statements[i].out, NULL);

		if (rc != SQLITE_OK)
			return sqlite_fail(c, rc, err);
	}
	return ROWD_OK;
}

/* Something that differs when another file takes this one's place. */
static enum rowd_code remember_file(struct sqlite_conn *c, struct err *err)
{
	struct stat st;
	uint64_t id;

	if (stat(sqlite3_db_filename(c->db, "main"), &st) != 0)
		return err_sys(err, ROWD_E_UNAVAILABLE, errno, "the database file");
	id = ((uint64_t)st.st_ino * 0x9E3779B97F4A7C15u) ^ (uint64_t)st.st_dev;
	c->file_id = (int64_t)((id >> 33) << 32);
	return sqlite_check_moved(c, err);
}

enum rowd_code sqlite_check_moved(struct sqlite_conn *c, struct err *err)
{
	int64_t now = clock_ns();
	int moved = 0;

	/* a writer is about to wait for the disk anyway; a reader is not */
	if (c->role != DB_WRITER && c->moved_checked_ns && now - c->moved_checked_ns < MOVED_LOOK_NS)
		return ROWD_OK;
	c->moved_checked_ns = now;
	if (sqlite3_file_control(c->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK || !moved)
		return ROWD_OK;
	c->broken = true;
	return err_set(err, ROWD_E_UNAVAILABLE, "the database file was moved or replaced");
}

/* Once a process. Statistics would take a lock at every allocation. */
static void library_configure(void)
{
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	sqlite3_initialize();
	sqlite_log_register();
}

static enum rowd_code library_check(struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, library_configure);
	if (sqlite3_libversion_number() < VERSION_LEAST)
		return err_set(err, ROWD_E_UNAVAILABLE, "SQLite %s is too old: 3.37 is the least that will do",
			       sqlite3_libversion());
	if (!sqlite3_threadsafe())
		return err_set(err, ROWD_E_UNAVAILABLE, "this SQLite was built without threads");
	return ROWD_OK;
}

static enum rowd_code open_file(struct sqlite_conn *c, struct err *err)
{
	char path[PATH_MAX], resolved[PATH_MAX];
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW |
		    SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE;
	enum rowd_code code = url_path(c->source->url, path, err);
	struct stat st;
	bool is_new;
	int rc;

	if (!code)
		code = place_check(path, resolved, err);
	if (code)
		return code;
	if (c->role == DB_WRITER && c->source->create)
		flags |= SQLITE_OPEN_CREATE;
	is_new = stat(resolved, &st) != 0;
	rc = sqlite3_open_v2(resolved, &c->db, flags,
			     c->role == DB_WRITER && syncs_commits(c) ? SQLITE_LOG_VFS : NULL);
	if (!c->db)
		return err_native(err, ROWD_E_NO_RESOURCE, rc, "memory ran out");
	if (rc != SQLITE_OK)
		return sqlite_fail(c, rc, err);
	/* grants mean nothing where everyone can read the file; the log takes the file's mode */
	if (is_new && stat(resolved, &st) == 0 && chmod(resolved, st.st_mode & 0770) != 0)
		return err_sys(err, ROWD_E_UNAVAILABLE, errno, "the mode of the new database file");
	return ROWD_OK;
}

enum rowd_code sqlite_open(void *conn, const struct db_source *src, enum db_role role,
			   const struct db_watch *watch, struct err *err)
{
	struct sqlite_conn *c = conn;
	enum rowd_code code = library_check(err);

	c->source = src;
	c->watch = watch;
	c->role = role;
	snprintf(c->server, sizeof c->server, "SQLite %s", sqlite3_libversion());
	if (!code)
		code = open_file(c, err);
	if (!code) {
		sqlite_watch_install(c);
		code = harden(c, err);
	}
	if (!code)
		code = configure(c, err);
	if (!code) {
		int rc = sqlite_functions_install(c);

		if (rc == SQLITE_OK)
			rc = sqlite_list_install(c->db);
		code = rc == SQLITE_OK ? ROWD_OK : sqlite_fail(c, rc, err);
	}
	if (!code)
		code = prepare_all(c, err);
	if (!code)
		code = remember_file(c, err);
	if (!code && role == DB_WRITER && !sqlite_checkpoint_install(c))
		code = err_set(err, ROWD_E_NO_RESOURCE, "memory ran out");
	return code;
}

void sqlite_close(void *conn)
{
	struct sqlite_conn *c = conn;

	sqlite_checkpoint_end(c);
	sqlite3_finalize(c->begin_read);
	sqlite3_finalize(c->begin_write);
	sqlite3_finalize(c->commit);
	sqlite3_finalize(c->rollback);
	sqlite3_finalize(c->schema_version);
	sqlite3_close_v2(c->db);
}
