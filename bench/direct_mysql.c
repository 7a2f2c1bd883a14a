/*
 * What a user does without rowd: a program whose threads have a connection each to MariaDB or MySQL, with
 * prepared statements and autocommit. Prints one line of key=value.
 */
#include "config.h"

#include <err.h>
#include <getopt.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <mysql.h>

#include "bench/measure.h"

enum { STATEMENT_BYTES = 200, ROW_BYTES = 96 };

struct run {
	const char *socket, *user, *database, *verb;
	unsigned connections;
	double seconds;
	struct keys keys;
	unsigned rows;                /* of one INSERT */
	_Atomic int64_t next_key;     /* not yet taken by anyone */
	pthread_barrier_t connected;  /* the clock starts when everyone is there */
};

/* One thread and its connection. */
struct worker {
	struct run *run;  /* borrowed */
	void (*work)(struct worker *w);
	pthread_t thread;
	MYSQL *db;        /* owned */
	struct keys keys;
	struct measure measure;
};

/* ---- MySQL ---- */

static void execute(MYSQL *db, const char *sql, size_t len)
{
	if (mysql_real_query(db, sql, len))
		errx(2, "%.60s: %s", sql, mysql_error(db));
}

static MYSQL *server_open(const struct run *r)
{
	MYSQL *db = mysql_init(NULL);

	if (!db)
		errx(2, "memory");
	if (!mysql_real_connect(db, NULL, r->user, NULL, r->database, 0, r->socket, 0))
		errx(2, "%s: %s", r->socket, mysql_error(db));
	return db;
}

static MYSQL_STMT *prepare(MYSQL *db, const char *sql)
{
	MYSQL_STMT *stmt = mysql_stmt_init(db);

	if (!stmt || mysql_stmt_prepare(stmt, sql, strlen(sql)))
		errx(2, "%s: %s", sql, mysql_error(db));
	return stmt;
}

struct row {
	long long id, balance;
	char name[ROW_NAME_BYTES];
	unsigned long name_bytes;
};

static void bind_row(MYSQL_STMT *stmt, struct row *row)
{
	MYSQL_BIND b[3];

	memset(b, 0, sizeof b);
	b[0].buffer_type = b[2].buffer_type = MYSQL_TYPE_LONGLONG;
	b[0].buffer = &row->id;
	b[1].buffer_type = MYSQL_TYPE_STRING;
	b[1].buffer = row->name;
	b[1].buffer_length = sizeof row->name;
	b[1].length = &row->name_bytes;
	b[2].buffer = &row->balance;
	if (mysql_stmt_bind_result(stmt, b))
		errx(2, "%s", mysql_stmt_error(stmt));
}

/* ---- one thread ---- */

static int64_t key_take(struct worker *w)
{
	int64_t key;

	if (w->keys.random)
		return keys_next(&w->keys);
	key = atomic_fetch_add(&w->run->next_key, 1);
	return key <= w->keys.last ? key : 0;
}

/* One execution, its row read when there is one; false on an error. */
static bool execute_one(struct worker *w, MYSQL_STMT *stmt)
{
	int rc;

	if (mysql_stmt_execute(stmt))
		return false;
	if (!mysql_stmt_field_count(stmt)) {
		w->measure.hits += mysql_stmt_affected_rows(stmt);
		return true;
	}
	rc = mysql_stmt_fetch(stmt);
	w->measure.hits += rc == 0;
	mysql_stmt_free_result(stmt);
	return rc == 0 || rc == MYSQL_NO_DATA;
}

static void by_key(struct worker *w, const char *sql)
{
	struct measure *m = &w->measure;
	MYSQL_STMT *stmt = prepare(w->db, sql);
	long long key = 0;
	MYSQL_BIND b = { .buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &key };
	struct row row;
	uint64_t before, now, stop;

	if (mysql_stmt_bind_param(stmt, &b))
		errx(2, "%s", mysql_stmt_error(stmt));
	if (mysql_stmt_field_count(stmt))
		bind_row(stmt, &row);
	pthread_barrier_wait(&w->run->connected);
	m->begin_ns = clock_ns();
	stop = m->begin_ns + (uint64_t)(w->run->seconds * 1e9);
	for (before = m->begin_ns; before < stop; before = now) {
		key = key_take(w);
		if (!key)
			break;
		m->errors += !execute_one(w, stmt);
		now = clock_ns();
		measure_until(m, before, now, stop);
	}
	mysql_stmt_close(stmt);
}

static void do_get(struct worker *w)
{
	w->keys.random = 1;
	by_key(w, "SELECT id, name, balance FROM account WHERE id = ?");
}

static void do_delete(struct worker *w)
{
	by_key(w, "DELETE FROM account WHERE id = ?");
}

/* "INSERT INTO account ... VALUES (..), (..)" of as many rows as one statement shall have. */
static size_t insert_text(struct worker *w, char *sql)
{
	size_t n = (size_t)sprintf(sql, "INSERT INTO account (id, name, balance) VALUES ");
	char name[ROW_NAME_BYTES];
	unsigned i;

	for (i = 0; i < w->run->rows; i++) {
		int64_t key = key_take(w);

		if (!key)
			break;
		row_name(key, name);
		n += (size_t)sprintf(sql + n, "%s(%" PRId64 ",'%s',%" PRId64 ")", i ? "," : "", key, name,
				     key % 1000);
	}
	w->measure.hits += i;
	return i ? n : 0;
}

static void do_insert(struct worker *w)
{
	struct measure *m = &w->measure;
	char *sql = malloc(STATEMENT_BYTES + (size_t)w->run->rows * ROW_BYTES);
	uint64_t before;
	size_t len;

	if (!sql)
		err(2, "memory");
	pthread_barrier_wait(&w->run->connected);
	for (m->begin_ns = before = clock_ns(); (len = insert_text(w, sql)); before = m->end_ns) {
		execute(w->db, sql, len);
		m->end_ns = clock_ns();
		measure_add(m, m->end_ns - before);
	}
	free(sql);
}

/* One statement that touches every row. */
static void whole_table(struct worker *w, const char *sql)
{
	struct measure *m = &w->measure;
	MYSQL_RES *result;

	pthread_barrier_wait(&w->run->connected);
	m->begin_ns = clock_ns();
	execute(w->db, sql, strlen(sql));
	result = mysql_use_result(w->db);
	while (result && mysql_fetch_row(result))
		m->hits++;
	if (result)
		mysql_free_result(result);
	else
		m->hits = mysql_affected_rows(w->db);
	m->end_ns = clock_ns();
	measure_add(m, m->end_ns - m->begin_ns);
}

static void do_walk(struct worker *w)
{
	whole_table(w, "SELECT id, name, balance FROM account ORDER BY id");
}

static void do_delete_all(struct worker *w)
{
	whole_table(w, "DELETE FROM account");
}

static void do_delete_where(struct worker *w)
{
	whole_table(w, "DELETE FROM account WHERE balance >= 0");
}

/* A table as rowd's users would have it, for when rowd has not made one. */
static void do_create(struct worker *w)
{
	whole_table(w, "CREATE TABLE account (id BIGINT NOT NULL PRIMARY KEY, name VARCHAR(40) NOT NULL, "
		       "balance BIGINT) ENGINE=InnoDB CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin");
}

static const struct verb {
	const char *name;
	void (*work)(struct worker *w);
} verbs[] = {
	{ "create", do_create }, { "insert", do_insert },         { "get", do_get },
	{ "delete", do_delete }, { "delete_all", do_delete_all }, { "delete_where", do_delete_where },
	{ "walk", do_walk },
};

/* ---- all of them ---- */

static void *worker_main(void *arg)
{
	struct worker *w = arg;

	mysql_thread_init();
	w->db = server_open(w->run);
	w->work(w);
	mysql_close(w->db);
	mysql_thread_end();
	return NULL;
}

static void run_all(struct run *r, const struct verb *v, struct worker *workers)
{
	unsigned i;

	for (i = 0; i < r->connections; i++) {
		struct worker *w = &workers[i];

		w->run = r;
		w->work = v->work;
		w->keys = r->keys;
		w->keys.state += (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
		measure_init(&w->measure);
		if (pthread_create(&w->thread, NULL, worker_main, w))
			errx(2, "threads");
	}
	for (i = 0; i < r->connections; i++)
		pthread_join(workers[i].thread, NULL);
}

static int report(const struct run *r, const struct worker *workers)
{
	struct measure sum = workers[0].measure;
	uint64_t least = sum.requests, most = sum.requests;
	unsigned i;

	for (i = 1; i < r->connections; i++) {
		const struct measure *m = &workers[i].measure;

		measure_merge(&sum, m);
		least = m->requests < least ? m->requests : least;
		most = m->requests > most ? m->requests : most;
	}
	printf("server=mysql op=%s clients=%u ", r->verb, r->connections);
	measure_print(&sum);
	printf(" least_of_a_client=%" PRIu64 " most_of_a_client=%" PRIu64 " next_key=%" PRId64 "\n", least,
	       most, r->next_key);
	return sum.errors ? 1 : 0;
}

static const char usage[] =
	"usage: direct_mysql --socket PATH --database NAME --verb VERB [--user NAME] [--connections N]\n"
	"                    [--seconds S] [--keys A:B] [--rows N]\n"
	"  VERB  create, insert (the keys, --rows to a statement), get, delete (by key, autocommit),\n"
	"        delete_all, delete_where, walk\n";

static const struct option words[] = {
	{ "socket", required_argument, NULL, 's' },      { "database", required_argument, NULL, 'd' },
	{ "user", required_argument, NULL, 'u' },        { "verb", required_argument, NULL, 'v' },
	{ "connections", required_argument, NULL, 'c' }, { "seconds", required_argument, NULL, 't' },
	{ "keys", required_argument, NULL, 'k' },        { "rows", required_argument, NULL, 'R' },
	{ NULL, 0, NULL, 0 },
};

static void option_set(struct run *r, int letter, const char *text)
{
	switch (letter) {
	case 's': r->socket = text; break;
	case 'd': r->database = text; break;
	case 'u': r->user = text; break;
	case 'v': r->verb = text; break;
	case 'c': r->connections = (unsigned)number(text, "--connections"); break;
	case 't': r->seconds = decimal(text, "--seconds"); break;
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
	struct run r = { .user = "root", .connections = 1, .seconds = 1, .rows = 1000 };
	struct worker *workers;
	int letter, status;
	size_t i;

	keys_parse(&r.keys, "1:100000");
	while ((letter = getopt_long(argc, argv, "", words, NULL)) != -1)
		option_set(&r, letter, optarg);
	if (optind != argc || !r.socket || !r.database || !r.verb || !r.rows || !r.connections)
		option_set(&r, '?', NULL);
	for (i = 0; i < sizeof verbs / sizeof *verbs && strcmp(verbs[i].name, r.verb); i++)
		;
	if (i == sizeof verbs / sizeof *verbs)
		errx(2, "no verb is named %s", r.verb);
	workers = calloc(r.connections, sizeof *workers);
	if (!workers)
		err(2, "memory");
	r.next_key = r.keys.first;
	pthread_barrier_init(&r.connected, NULL, r.connections);
	mysql_library_init(0, NULL, NULL);
	run_all(&r, &verbs[i], workers);
	status = report(&r, workers);
	mysql_library_end();
	free(workers);
	return status;
}
