/*
 * What a user does without rowd: processes that open the SQLite file themselves. WAL, a sync at every
 * commit, prepared statements, a wait for whoever holds the lock. Prints one line of key=value.
 */
#include "config.h"

#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "bench/measure.h"

enum { BUSY_MS = 60000, PROCESSES_MAX = 256 };

/* Shared by all processes of a run. */
struct shared {
	_Atomic int64_t next_key;  /* not yet taken by anyone */
	struct measure measure[PROCESSES_MAX];
};

struct run {
	const char *file;
	const char *verb;
	unsigned processes;
	double seconds;
	struct keys keys;
	unsigned rows;          /* of one transaction of insert */
	struct shared *shared;  /* owned */
	struct measure *mine;   /* borrowed: of this process, in shared */
};

/* ---- SQLite ---- */

static void must(sqlite3 *db, int rc, const char *what)
{
	if (rc != SQLITE_OK && rc != SQLITE_DONE && rc != SQLITE_ROW)
		errx(2, "%s: %s", what, sqlite3_errmsg(db));
}

static void execute(sqlite3 *db, const char *sql)
{
	must(db, sqlite3_exec(db, sql, NULL, NULL, NULL), sql);
}

static sqlite3 *file_open(const char *path)
{
	sqlite3 *db;

	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL))
		errx(2, "%s: %s", path, sqlite3_errmsg(db));
	sqlite3_busy_timeout(db, BUSY_MS);
	execute(db, "PRAGMA journal_mode = WAL");
	execute(db, "PRAGMA synchronous = FULL");
	return db;
}

static sqlite3_stmt *prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *stmt;

	must(db, sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &stmt, NULL), sql);
	return stmt;
}

/* Take the row's columns as a program would that uses them. */
static uint64_t use_row(sqlite3_stmt *stmt)
{
	uint64_t sum = (uint64_t)sqlite3_column_int64(stmt, 0);

	if (sqlite3_column_text(stmt, 1))
		sum += (uint64_t)sqlite3_column_bytes(stmt, 1);
	return sum + (uint64_t)sqlite3_column_int64(stmt, 2);
}

/* ---- one process ---- */

/* A key that no process has had yet, or any at all when they go at random; 0 when there is none left. */
static int64_t key_take(struct run *r)
{
	int64_t key;

	if (r->keys.random)
		return keys_next(&r->keys);
	key = atomic_fetch_add(&r->shared->next_key, 1);
	return key <= r->keys.last ? keys_place(&r->keys, key) : 0;
}

/* One statement for each key, in a transaction of its own. */
static void by_key(struct run *r, const char *sql)
{
	struct measure *m = r->mine;
	sqlite3 *db = file_open(r->file);
	sqlite3_stmt *stmt = prepare(db, sql);
	uint64_t before, now, stop;
	int64_t key;
	int rc;

	r->keys.state += (uint64_t)getpid() * UINT64_C(0x9e3779b97f4a7c15);
	m->begin_ns = clock_ns();
	stop = m->begin_ns + (uint64_t)(r->seconds * 1e9);
	for (before = m->begin_ns; before < stop; before = now) {
		key = key_take(r);
		if (!key)
			break;
		sqlite3_bind_int64(stmt, 1, key);
		rc = sqlite3_step(stmt);
		if (rc == SQLITE_ROW)
			m->hits += use_row(stmt) != 0;
		else if (rc == SQLITE_DONE)
			m->hits += sqlite3_stmt_readonly(stmt) ? 0 : (uint64_t)sqlite3_changes64(db);
		sqlite3_reset(stmt);
		m->errors += rc != SQLITE_ROW && rc != SQLITE_DONE;
		now = clock_ns();
		measure_until(m, before, now, stop);
	}
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

static void do_get(struct run *r)
{
	r->keys.random = 1;
	by_key(r, "SELECT id, name, balance FROM account WHERE id = ?");
}

static void do_delete(struct run *r)
{
	by_key(r, "DELETE FROM account WHERE id = ?");
}

static void insert_some(struct run *r, sqlite3 *db, sqlite3_stmt *stmt)
{
	struct measure *m = r->mine;
	char name[ROW_NAME_BYTES];
	unsigned i;

	execute(db, "BEGIN IMMEDIATE");
	for (i = 0; i < r->rows; i++) {
		int64_t key = key_take(r);

		if (!key)
			break;
		sqlite3_bind_int64(stmt, 1, key);
		sqlite3_bind_text(stmt, 2, name, row_name(key, name), SQLITE_STATIC);
		sqlite3_bind_int64(stmt, 3, key % 1000);
		must(db, sqlite3_step(stmt), "insert");
		sqlite3_reset(stmt);
		m->hits++;
	}
	execute(db, "COMMIT");
}

static void do_insert(struct run *r)
{
	struct measure *m = r->mine;
	sqlite3 *db = file_open(r->file);
	sqlite3_stmt *stmt = prepare(db, "INSERT INTO account (id, name, balance) VALUES (?, ?, ?)");
	uint64_t before;

	m->begin_ns = clock_ns();
	while (r->shared->next_key <= r->keys.last) {
		before = clock_ns();
		insert_some(r, db, stmt);
		m->end_ns = clock_ns();
		measure_add(m, m->end_ns - before);
	}
	sqlite3_finalize(stmt);
	sqlite3_close(db);
}

/* One statement that touches every row. */
static void whole_table(struct run *r, const char *sql)
{
	struct measure *m = r->mine;
	sqlite3 *db = file_open(r->file);
	sqlite3_stmt *stmt = prepare(db, sql);
	uint64_t sum = 0;
	int rc;

	m->begin_ns = clock_ns();
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		sum += use_row(stmt);
		m->hits++;
	}
	must(db, rc, sql);
	m->hits += sqlite3_stmt_readonly(stmt) ? 0 : (uint64_t)sqlite3_changes64(db);
	sqlite3_reset(stmt);
	m->end_ns = clock_ns();
	measure_add(m, m->end_ns - m->begin_ns);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	if (sum == 1)
		puts("# a table of one empty row");
}

static void do_walk(struct run *r)
{
	whole_table(r, "SELECT id, name, balance FROM account ORDER BY id");
}

static void do_delete_all(struct run *r)
{
	whole_table(r, "DELETE FROM account");
}

static void do_delete_where(struct run *r)
{
	whole_table(r, "DELETE FROM account WHERE balance >= 0");
}

/* A table as a careful user makes it, for when rowd has not made one. */
static void do_create(struct run *r)
{
	sqlite3 *db = file_open(r->file);

	execute(db, "CREATE TABLE account (id INTEGER PRIMARY KEY NOT NULL, name TEXT NOT NULL "
		    "CHECK (length(name) <= 40), balance INTEGER) STRICT");
	sqlite3_close(db);
}

static const struct verb {
	const char *name;
	void (*run)(struct run *r);
} verbs[] = {
	{ "create", do_create }, { "insert", do_insert },         { "get", do_get },
	{ "delete", do_delete }, { "delete_all", do_delete_all }, { "delete_where", do_delete_where },
	{ "walk", do_walk },
};

/* ---- all of them ---- */

static int run_all(struct run *r, const struct verb *v)
{
	pid_t pids[PROCESSES_MAX];
	int status, failed = 0;
	unsigned i;

	for (i = 0; i < r->processes; i++) {
		measure_init(&r->shared->measure[i]);
		pids[i] = fork();
		if (pids[i] < 0)
			err(2, "fork");
		if (pids[i] == 0) {
			r->mine = &r->shared->measure[i];
			v->run(r);
			fflush(stdout);
			_exit(0);
		}
	}
	for (i = 0; i < r->processes; i++) {
		waitpid(pids[i], &status, 0);
		failed |= status != 0;
	}
	return failed;
}

static void report(const struct run *r)
{
	struct measure sum = r->shared->measure[0];
	uint64_t least = sum.requests, most = sum.requests;
	unsigned i;

	for (i = 1; i < r->processes; i++) {
		const struct measure *m = &r->shared->measure[i];

		measure_merge(&sum, m);
		least = m->requests < least ? m->requests : least;
		most = m->requests > most ? m->requests : most;
	}
	printf("server=sqlite op=%s clients=%u ", r->verb, r->processes);
	measure_print(&sum);
	printf(" least_of_a_client=%" PRIu64 " most_of_a_client=%" PRIu64 " next_key=%" PRId64 "\n", least,
	       most, r->shared->next_key);
	if (sum.errors)
		exit(1);
}

static const char usage[] =
	"usage: direct_sqlite --file PATH --verb VERB [--processes N] [--seconds S] [--keys A:B] [--rows N]\n"
	"                     [--scatter N]\n"
	"  VERB  create, insert (the keys, --rows to a transaction), get, delete (by key, a transaction\n"
	"        each), delete_all, delete_where, walk\n"
	"  --scatter N  each of the keys 1 to N stands for another, far from its neighbours'\n";

static const struct option words[] = {
	{ "file", required_argument, NULL, 'f' },      { "verb", required_argument, NULL, 'v' },
	{ "processes", required_argument, NULL, 'p' }, { "seconds", required_argument, NULL, 't' },
	{ "keys", required_argument, NULL, 'k' },      { "rows", required_argument, NULL, 'R' },
	{ "scatter", required_argument, NULL, 'S' },
	{ NULL, 0, NULL, 0 },
};

static void option_set(struct run *r, int letter, const char *text)
{
	switch (letter) {
	case 'f': r->file = text; break;
	case 'v': r->verb = text; break;
	case 'p': r->processes = (unsigned)number(text, "--processes"); break;
	case 't': r->seconds = decimal(text, "--seconds"); break;
	case 'S': keys_scatter(&r->keys, (int64_t)number(text, "--scatter")); break;
	case 'R': r->rows = (unsigned)number(text, "--rows"); break;
	case 'k':
		if (!keys_parse(&r->keys, text))
			errx(2, "--keys: not FIRST:LAST: %s", text);
		break;
	default:
		fputs(usage, stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct run r = { .processes = 1, .seconds = 1, .rows = 1000 };
	size_t i;
	int letter, failed;

	keys_parse(&r.keys, "1:100000");
	while ((letter = getopt_long(argc, argv, "", words, NULL)) != -1)
		option_set(&r, letter, optarg);
	if (optind != argc || !r.file || !r.verb || !r.rows || !r.processes || r.processes > PROCESSES_MAX)
		option_set(&r, '?', NULL);
	for (i = 0; i < sizeof verbs / sizeof *verbs && strcmp(verbs[i].name, r.verb); i++)
		;
	if (i == sizeof verbs / sizeof *verbs)
		errx(2, "no verb is named %s", r.verb);
	r.shared = mmap(NULL, sizeof *r.shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (r.shared == MAP_FAILED)
		err(2, "memory");
	r.shared->next_key = r.keys.first;
	failed = run_all(&r, &verbs[i]);
	if (!failed)
		report(&r);
	munmap(r.shared, sizeof *r.shared);
	return failed ? 2 : 0;
}
