/*
 * The floor for durable deletes: what is left of rowd when all is taken away but the socket, the prepared statement
 * and the shared commit. Whatever is ready is deleted in one transaction, committed, and answered; one thread does it
 * all. Nothing is checked: it takes bench/load's deletes, each whole, and nothing else. usage: bare SOCKET FILE
 */
#include "config.h"

#include <err.h>

#include <sqlite3.h>

#include "bench/mp.h"
#include "bench/serve.h"

enum { BYTES = 65536, ANSWERS_MOST = 8192, ANSWER_BYTES = 32 };

struct answer {
	int fd;
	uint64_t msgid;
	int64_t deleted;
};

static sqlite3 *db;
static sqlite3_stmt *begin, *delete_one, *commit;
static struct answer answers[ANSWERS_MOST];
static size_t nanswers;

static void must(int rc)
{
	if (rc != SQLITE_OK && rc != SQLITE_DONE)
		errx(2, "%s", sqlite3_errmsg(db));
}

static void run(sqlite3_stmt *stmt)
{
	must(sqlite3_step(stmt));
	must(sqlite3_reset(stmt));
}

static void prepare(const char *sql, sqlite3_stmt **out)
{
	must(sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL));
}

static void open_file(const char *path)
{
	must(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL));
	must(sqlite3_exec(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL", NULL, NULL, NULL));
	prepare("BEGIN IMMEDIATE", &begin);
	prepare("DELETE FROM account WHERE id = ?", &delete_one);
	prepare("COMMIT", &commit);
}

/* [0, msgid, "delete", [table, key]] */
static void take_request(int fd, struct mp_in *in)
{
	uint64_t n, msgid, key;
	const char *text;
	size_t len;

	if (!mp_read_array(in, &n) || !mp_read_uint(in, &n) || !mp_read_uint(in, &msgid) || !mp_read_str(in, &text, &len) ||
	    !mp_read_array(in, &n) || !mp_read_str(in, &text, &len) || !mp_read_uint(in, &key))
		errx(2, "this is not a whole delete");
	if (nanswers == ANSWERS_MOST)
		errx(2, "more than %d deletes at once", ANSWERS_MOST);
	if (nanswers == 0)
		run(begin);
	must(sqlite3_bind_int64(delete_one, 1, (int64_t)key));
	run(delete_one);
	answers[nanswers++] = (struct answer){ fd, msgid, sqlite3_changes64(db) };
}

static void take_requests(int fd)
{
	static uint8_t bytes[BYTES];
	ssize_t n = serve_receive(fd, bytes, sizeof bytes);
	struct mp_in in = { .p = bytes, .end = bytes + (n > 0 ? n : 0) };

	while (in.p < in.end)
		take_request(fd, &in);
}

/* [1, msgid, nil, {"deleted": n}] for each; those that one client gets stand in a row. */
static void answer_all(void)
{
	static uint8_t bytes[ANSWERS_MOST * ANSWER_BYTES];
	struct mp_out out = { bytes };
	size_t i;

	if (nanswers)
		run(commit);
	for (i = 0; i < nanswers; i++) {
		mp_array(&out, 4);
		mp_int(&out, 1);
		mp_int(&out, (int64_t)answers[i].msgid);
		mp_nil(&out);
		mp_map(&out, 1);
		mp_text(&out, "deleted");
		mp_int(&out, answers[i].deleted);
		if (i + 1 == nanswers || answers[i + 1].fd != answers[i].fd) {
			serve_send(answers[i].fd, bytes, (size_t)(out.p - bytes));
			out.p = bytes;
		}
	}
	nanswers = 0;
}

int main(int argc, char **argv)
{
	if (argc != 3)
		errx(2, "usage: bare SOCKET FILE");
	open_file(argv[2]);
	serve(argv[1], take_requests, answer_all);
}
