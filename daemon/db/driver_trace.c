#include "config.h"

#include "daemon/db/driver_trace.h"

#include <inttypes.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "proto/code.h"

enum { DRIVERS_MOST = 8, TEXT_SHOWN_BYTES = 2000 };

/* A traced driver and what it stands for. */
struct trace {
	struct driver outer;
	const struct driver *inner;
};

struct trace_conn {
	const struct driver *inner;
	_Alignas(max_align_t) char state[];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct trace traces[DRIVERS_MOST];   /* guarded by lock until made, constant then */
static size_t ntraces;

/* The end of a line; returns code. */
static enum rowd_code told(enum rowd_code code, int64_t since_ns, const struct err *err)
{
	fprintf(stderr, " code=%s", code_name(code));
	if (code)
		fprintf(stderr, " native=%d text=\"%s\"", err->native, err->text);
	fprintf(stderr, " took_us=%" PRId64 "\n", (clock_ns() - since_ns) / 1000);
	return code;
}

static enum rowd_code trace_open(void *conn, const struct db_source *src, enum db_role role,
				 const struct db_watch *watch, struct err *err)
{
	struct trace_conn *c = conn;
	int64_t since = clock_ns();
	enum rowd_code code;
	size_t i;

	for (i = 0; !c->inner && i < ntraces; i++)
		if (strncmp(src->url, traces[i].outer.name, strlen(traces[i].outer.name)) == 0)
			c->inner = traces[i].inner;
	code = c->inner->open(c->state, src, role, watch, err);
	fprintf(stderr, "driver %p open name=%s role=%s", conn, src->name, role == DB_WRITER ? "writer" : "reader");
	return told(code, since, err);
}

static void trace_close(void *conn)
{
	struct trace_conn *c = conn;

	fprintf(stderr, "driver %p close\n", conn);
	c->inner->close(c->state);
}

static enum rowd_code trace_prepare(void *conn, const char *text, size_t len, void **stmt_out, struct err *err)
{
	struct trace_conn *c = conn;
	int64_t since = clock_ns();
	enum rowd_code code = c->inner->prepare(c->state, text, len, stmt_out, err);

	fprintf(stderr, "driver %p prepare stmt=%p bytes=%zu %.*s", conn, code ? NULL : *stmt_out, len,
		len < TEXT_SHOWN_BYTES ? (int)len : TEXT_SHOWN_BYTES, text);
	return told(code, since, err);
}

static void trace_release(void *conn, void *stmt)
{
	struct trace_conn *c = conn;

	fprintf(stderr, "driver %p release stmt=%p\n", conn, stmt);
	c->inner->release(c->state, stmt);
}

static enum rowd_code trace_exec(void *conn, void *stmt, const struct value *params, size_t nparams,
				 const struct type *types, size_t ntypes, struct err *err)
{
	struct trace_conn *c = conn;
	int64_t since = clock_ns();
	enum rowd_code code = c->inner->exec(c->state, stmt, params, nparams, types, ntypes, err);

	fprintf(stderr, "driver %p exec stmt=%p params=%zu columns=%zu", conn, stmt, nparams, ntypes);
	return told(code, since, err);
}

static enum rowd_code trace_step(void *conn, void *stmt, struct value *row, bool *has_row_out, struct err *err)
{
	struct trace_conn *c = conn;
	int64_t since = clock_ns();
	enum rowd_code code = c->inner->step(c->state, stmt, row, has_row_out, err);

	fprintf(stderr, "driver %p step stmt=%p row=%d", conn, stmt, !code && *has_row_out);
	return told(code, since, err);
}

static void trace_finish(void *conn, void *stmt, int64_t *changed_out, int64_t *last_id_out)
{
	struct trace_conn *c = conn;

	c->inner->finish(c->state, stmt, changed_out, last_id_out);
	fprintf(stderr, "driver %p finish stmt=%p changed=%" PRId64 "\n", conn, stmt, changed_out ? *changed_out : -1);
}

static enum rowd_code trace_begin(void *conn, enum db_tx_mode mode, struct err *err)
{
	static const char *const modes[] = { "read-one", "read", "write", "serializable" };
	struct trace_conn *c = conn;
	int64_t since = clock_ns();
	enum rowd_code code = c->inner->begin(c->state, mode, err);

	fprintf(stderr, "driver %p begin %s", conn, modes[mode]);
	return told(code, since, err);
}

static enum rowd_code trace_commit(void *conn, struct err *err)
{
	struct trace_conn *c = conn;
	int64_t since = clock_ns();
	enum rowd_code code = c->inner->commit(c->state, err);

	fprintf(stderr, "driver %p commit", conn);
	return told(code, since, err);
}

static void trace_rollback(void *conn)
{
	struct trace_conn *c = conn;

	fprintf(stderr, "driver %p rollback\n", conn);
	c->inner->rollback(c->state);
}

static bool trace_in_transaction(void *conn)
{
	struct trace_conn *c = conn;

	return c->inner->in_transaction(c->state);
}

static bool trace_snapshot_is_newest(void *conn)
{
	struct trace_conn *c = conn;
	bool newest = c->inner->snapshot_is_newest(c->state);

	fprintf(stderr, "driver %p snapshot %s\n", conn, newest ? "goes on" : "is old");
	return newest;
}

static enum rowd_code trace_describe(void *conn, struct catalog **out, struct err *err)
{
	struct trace_conn *c = conn;
	int64_t since = clock_ns();
	enum rowd_code code = c->inner->describe(c->state, out, err);

	fprintf(stderr, "driver %p describe", conn);
	return told(code, since, err);
}

static enum rowd_code trace_version(void *conn, int64_t *out, struct err *err)
{
	struct trace_conn *c = conn;
	int64_t since = clock_ns();
	enum rowd_code code = c->inner->version(c->state, out, err);

	fprintf(stderr, "driver %p version=%" PRId64, conn, code ? -1 : *out);
	return told(code, since, err);
}

static void trace_doubt_version(void *conn)
{
	struct trace_conn *c = conn;

	fprintf(stderr, "driver %p doubts the version\n", conn);
	c->inner->doubt_version(c->state);
}

static enum rowd_code trace_ping(void *conn, struct err *err)
{
	struct trace_conn *c = conn;
	int64_t since = clock_ns();
	enum rowd_code code = c->inner->ping(c->state, err);

	fprintf(stderr, "driver %p ping", conn);
	return told(code, since, err);
}

static void trace_cancel(void *conn)
{
	struct trace_conn *c = conn;

	fprintf(stderr, "driver %p cancel\n", conn);
	c->inner->cancel(c->state);
}

static const char *trace_server(void *conn)
{
	struct trace_conn *c = conn;

	return c->inner->server(c->state);
}

static bool trace_usable(void *conn)
{
	struct trace_conn *c = conn;
	bool usable = c->inner->usable(c->state);

	if (!usable)
		fprintf(stderr, "driver %p is not usable\n", conn);
	return usable;
}

static const struct dialect *trace_conn_dialect(void *conn)
{
	struct trace_conn *c = conn;

	return c->inner->conn_dialect(c->state);
}

/* ---- upkeep ---- */

static enum rowd_code trace_space(void *conn, struct db_space *out, struct err *err)
{
	struct trace_conn *c = conn;
	int64_t since = clock_ns();
	enum rowd_code code = c->inner->space(c->state, out, err);

	fprintf(stderr, "driver %p space", conn);
	return told(code, since, err);
}

static enum rowd_code trace_reclaim(void *conn, int64_t max_ms, struct err *err)
{
	struct trace_conn *c = conn;
	int64_t since = clock_ns();
	enum rowd_code code = c->inner->reclaim(c->state, max_ms, err);

	fprintf(stderr, "driver %p reclaim max_ms=%" PRId64, conn, max_ms);
	return told(code, since, err);
}

static enum rowd_code trace_optimize(void *conn, const char *table, size_t len, struct err *err)
{
	struct trace_conn *c = conn;
	int64_t since = clock_ns();
	enum rowd_code code = c->inner->optimize(c->state, table, len, err);

	fprintf(stderr, "driver %p optimize table=%.*s", conn, (int)len, table);
	return told(code, since, err);
}

static enum rowd_code trace_distress(void *conn, const char **why_out, struct err *err)
{
	struct trace_conn *c = conn;
	int64_t since = clock_ns();
	enum rowd_code code = c->inner->distress(c->state, why_out, err);

	fprintf(stderr, "driver %p distress=\"%s\"", conn, !code && *why_out ? *why_out : "");
	return told(code, since, err);
}

static enum rowd_code trace_check(void *conn, db_problem_fn *problem, void *arg, struct err *err)
{
	struct trace_conn *c = conn;
	int64_t since = clock_ns();
	enum rowd_code code = c->inner->check(c->state, problem, arg, err);

	fprintf(stderr, "driver %p check", conn);
	return told(code, since, err);
}

static enum rowd_code trace_backup(void *conn, const char *path, struct err *err)
{
	struct trace_conn *c = conn;
	int64_t since = clock_ns();
	enum rowd_code code = c->inner->backup(c->state, path, err);

	fprintf(stderr, "driver %p backup path=%s", conn, path);
	return told(code, since, err);
}

static void trace_make(struct trace *t, const struct driver *inner)
{
	t->inner = inner;
	t->outer = (struct driver){
		.name = inner->name,
		.caps = inner->caps,
		.conn_size = sizeof(struct trace_conn) + inner->conn_size,
		.dialect = inner->dialect,
		.check_url = inner->check_url,
		.open = trace_open,
		.close = trace_close,
		.prepare = trace_prepare,
		.release = trace_release,
		.exec = trace_exec,
		.step = trace_step,
		.finish = trace_finish,
		.begin = trace_begin,
		.commit = trace_commit,
		.rollback = trace_rollback,
		.in_transaction = trace_in_transaction,
		.snapshot_is_newest = inner->snapshot_is_newest ? trace_snapshot_is_newest : NULL,
		.describe = trace_describe,
		.version = inner->version ? trace_version : NULL,
		.doubt_version = inner->doubt_version ? trace_doubt_version : NULL,
		.ping = trace_ping,
		.cancel = inner->cancel ? trace_cancel : NULL,
		.server = trace_server,
		.usable = trace_usable,
		.conn_dialect = inner->conn_dialect ? trace_conn_dialect : NULL,
		.space = inner->space ? trace_space : NULL,
		.reclaim = inner->reclaim ? trace_reclaim : NULL,
		.optimize = inner->optimize ? trace_optimize : NULL,
		.distress = inner->distress ? trace_distress : NULL,
		.check = inner->check ? trace_check : NULL,
		.backup = inner->backup ? trace_backup : NULL,
	};
}

const struct driver *driver_trace(const struct driver *inner)
{
	const struct driver *traced = inner;
	size_t i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < ntraces && traces[i].inner != inner; i++)
		;
	if (i == ntraces && i < DRIVERS_MOST)
		trace_make(&traces[ntraces++], inner);
	if (i < ntraces)
		traced = &traces[i].outer;
	pthread_mutex_unlock(&lock);
	return traced;
}
