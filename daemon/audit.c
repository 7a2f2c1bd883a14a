#include <config.h>

#include "daemon/audit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/server.h"
#include "proto/code.h"
#include "proto/request.h"

enum {
	FILTER_MAX_BYTES = 4096,       /* of a filter's text; longer ones are cut */
	QUOTED_BYTES = 256
};

static struct {
	pthread_mutex_t lock;          /* guards fd: a reopening must not meet a write */
	int fd;
	atomic_bool on, required, values;
} trail = { .lock = PTHREAD_MUTEX_INITIALIZER, .fd = -1 };

/* ---- the file ---- */

static enum rowd_code open_file(const struct config *c, int *out, struct err *err)
{
	*out = open(c->audit_file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (*out < 0)
		return err_sys(err, ROWD_E_DENIED, errno, "open the audit file");
	return ROWD_OK;
}

static void use(const struct config *c, int fd)
{
	int old;

	pthread_mutex_lock(&trail.lock);
	old = trail.fd;
	trail.fd = fd;
	pthread_mutex_unlock(&trail.lock);
	if (old >= 0)
		close(old);
	atomic_store(&trail.on, fd >= 0);
	atomic_store(&trail.required, fd >= 0 && !strcmp(c->audit, "required"));
	atomic_store(&trail.values, c->audit_values);
}

static bool wanted(const struct config *c)
{
	return *c->audit_file && strcmp(c->audit, "off") != 0;
}

enum rowd_code audit_open(const struct config *c, struct err *err)
{
	int fd = -1;
	enum rowd_code rc = wanted(c) ? open_file(c, &fd, err) : ROWD_OK;

	if (!rc)
		use(c, fd);
	return rc;
}

void audit_reopen(const struct config *c)
{
	struct err err;

	err_init(&err);
	if (audit_open(c, &err))
		log_error("event=audit state=kept_old reason=\"%s\"", err.text);
}

void audit_close(void)
{
	pthread_mutex_lock(&trail.lock);
	if (trail.fd >= 0)
		close(trail.fd);
	trail.fd = -1;
	pthread_mutex_unlock(&trail.lock);
	atomic_store(&trail.on, false);
}

bool audit_write(struct buf *b)
{
	bool written = true;
	ssize_t n;

	if (!b->len)
		return true;
	pthread_mutex_lock(&trail.lock);
	if (trail.fd >= 0) {
		n = write(trail.fd, b->data, b->len);
		written = n == (ssize_t)b->len && !b->failed;
		if (!written)
			log_error("event=audit state=lost bytes=%zu errno=%d", b->len, n < 0 ? errno : 0);
	}
	pthread_mutex_unlock(&trail.lock);
	buf_fini(b);
	return written;
}

/* ---- a filter as text: its shape, and its values only when asked for ---- */

static void add_text(struct buf *b, const char *s, size_t len)
{
	char copy[QUOTED_BYTES], quoted[QUOTED_BYTES];
	size_t n = len < sizeof(copy) - 1 ? len : sizeof(copy) - 1;

	memcpy(copy, s, n);
	copy[n] = '\0';
	buf_add_str(b, log_quote(copy, quoted, sizeof(quoted)));
}

static void add_value(struct buf *b, const msgpack_object *o)
{
	if (!atomic_load(&trail.values)) {
		if (o->type == MSGPACK_OBJECT_ARRAY)
			buf_addf(b, "?*%u", o->via.array.size);
		else
			buf_add_char(b, '?');
		return;
	}
	switch (o->type) {
	case MSGPACK_OBJECT_NIL: buf_add_str(b, "null"); break;
	case MSGPACK_OBJECT_BOOLEAN: buf_add_str(b, o->via.boolean ? "true" : "false"); break;
	case MSGPACK_OBJECT_POSITIVE_INTEGER: buf_addf(b, "%llu", (unsigned long long)o->via.u64); break;
	case MSGPACK_OBJECT_NEGATIVE_INTEGER: buf_addf(b, "%lld", (long long)o->via.i64); break;
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64: buf_addf(b, "%.17g", o->via.f64); break;
	case MSGPACK_OBJECT_STR: add_text(b, o->via.str.ptr, o->via.str.size); break;
	case MSGPACK_OBJECT_ARRAY:
		buf_add_char(b, '[');
		for (uint32_t i = 0; i < o->via.array.size && b->len < FILTER_MAX_BYTES; i++) {
			if (i)
				buf_add_char(b, ',');
			add_value(b, &o->via.array.ptr[i]);
		}
		buf_add_char(b, ']');
		break;
	default: buf_addf(b, "bytes"); break;
	}
}

static void add_filter(struct buf *b, const msgpack_object *o);

/* {"id": 1}, and a selection: {"select": ..., "from": ..., "where": ...} */
static void add_map(struct buf *b, const msgpack_object_map *m, bool selection)
{
	buf_add_char(b, '{');
	for (uint32_t i = 0; i < m->size && b->len < FILTER_MAX_BYTES; i++) {
		const msgpack_object_str *key = &m->ptr[i].key.via.str;
		const msgpack_object *val = &m->ptr[i].val;

		if (i)
			buf_add_char(b, ',');
		add_text(b, key->ptr, key->size);
		buf_add_char(b, ':');
		if (!selection)
			add_value(b, val);
		else if (val->type == MSGPACK_OBJECT_STR)
			add_text(b, val->via.str.ptr, val->via.str.size);
		else
			add_filter(b, val);
	}
	buf_add_char(b, '}');
}

/* ["col", "name"], ["outer", "name"] */
static bool is_reference(const msgpack_object *o)
{
	return o->type == MSGPACK_OBJECT_ARRAY && o->via.array.size == 2 &&
	       o->via.array.ptr[0].type == MSGPACK_OBJECT_STR && o->via.array.ptr[1].type == MSGPACK_OBJECT_STR &&
	       ((o->via.array.ptr[0].via.str.size == 3 && !memcmp(o->via.array.ptr[0].via.str.ptr, "col", 3)) ||
		(o->via.array.ptr[0].via.str.size == 5 && !memcmp(o->via.array.ptr[0].via.str.ptr, "outer", 5)));
}

static bool is_word(const msgpack_object *o, const char *word)
{
	return o->type == MSGPACK_OBJECT_STR && o->via.str.size == strlen(word) &&
	       !memcmp(o->via.str.ptr, word, o->via.str.size);
}

static void add_operand(struct buf *b, const msgpack_object *o, bool is_column)
{
	if (is_column && o->type == MSGPACK_OBJECT_STR)
		add_text(b, o->via.str.ptr, o->via.str.size);
	else if (o->type == MSGPACK_OBJECT_MAP)
		add_map(b, &o->via.map, true);
	else if (is_reference(o))
		add_filter(b, o);
	else
		add_value(b, o);
}

static void add_filter(struct buf *b, const msgpack_object *o)
{
	const msgpack_object *kids = o->via.array.ptr;
	bool nested;

	if (o->type == MSGPACK_OBJECT_MAP) {
		add_map(b, &o->via.map, false);
		return;
	}
	if (o->type != MSGPACK_OBJECT_ARRAY || !o->via.array.size || kids[0].type != MSGPACK_OBJECT_STR) {
		add_value(b, o);
		return;
	}
	nested = is_word(kids, "and") || is_word(kids, "or") || is_word(kids, "not");
	buf_add_char(b, '[');
	add_text(b, kids[0].via.str.ptr, kids[0].via.str.size);
	for (uint32_t i = 1; i < o->via.array.size && b->len < FILTER_MAX_BYTES; i++) {
		buf_add_char(b, ',');
		if (nested)
			add_filter(b, &kids[i]);
		else
			add_operand(b, &kids[i], i == 1);
	}
	buf_add_char(b, ']');
}

/* ---- lines ---- */

static void add_time(struct buf *b)
{
	struct timespec now;
	struct tm tm;
	char day[32];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	buf_addf(b, "%s.%06ldZ", day, now.tv_nsec / 1000);
}

static void add_who(struct buf *b, const struct job *job, uint64_t session)
{
	add_time(b);
	buf_addf(b, " session=%llu uid=%u gid=%u pid=%d msgid=%u database=%s", (unsigned long long)session,
		 (unsigned)job->caller->uid, (unsigned)job->caller->gid, (int)job->caller->pid, job->msgid,
		 job->database ? job->database->db.source.name : "");
}

static void add_filter_text(struct buf *b, const msgpack_object *filter)
{
	size_t start = b->len;

	buf_add_str(b, " filter=");
	add_filter(b, filter);
	if (b->len - start > FILTER_MAX_BYTES) {
		buf_truncate(b, start + FILTER_MAX_BYTES);
		buf_add_str(b, "...");
	}
}

/* " op=delete_where table=... filter=..." */
static void add_what(struct buf *b, const struct request *req)
{
	const char *table, *database, *id;
	size_t table_len, database_len, id_len;

	buf_addf(b, " op=%s", req->op->name);
	if (req->op->nparams && req->op->params[0].kind == PARAM_TABLE) {
		request_table(req, &database, &database_len, &table, &table_len);
		buf_add_str(b, " table=");
		add_text(b, table, table_len);
	}
	if (req->op->nparams > 1 && req->params[1]) {
		if (req->op->params[1].kind == PARAM_FILTER) {
			add_filter_text(b, req->params[1]);
		} else if (req->op->params[1].kind == PARAM_KEY) {
			buf_add_str(b, " key=");
			add_value(b, req->params[1]);
		}
	}
	id = request_str(req, OPT_REQUEST_ID, &id_len);
	if (id)
		buf_addf(b, " request_id=%.*s", (int)id_len, id);
}

static int64_t number_in(const msgpack_object *o, const char *name)
{
	for (uint32_t i = 0; o && o->type == MSGPACK_OBJECT_MAP && i < o->via.map.size; i++)
		if (is_word(&o->via.map.ptr[i].key, name) &&
		    o->via.map.ptr[i].val.type == MSGPACK_OBJECT_POSITIVE_INTEGER)
			return o->via.map.ptr[i].val.via.i64;
	return -1;
}

static const char *outcome_of(const struct job *job, bool in_transaction)
{
	if (job->code)
		return job->err.outcome == ROWD_UNKNOWN ? "unknown" : "not_applied";
	return in_transaction ? "in_transaction" : "applied";
}

static void add_outcome(struct buf *b, const struct job *job, const msgpack_object *result, bool in_transaction,
			int64_t took_ns)
{
	int64_t deleted = number_in(result, "deleted"), matched = deleted;

	if (job->code) {
		deleted = 0;
		matched = job->err.matched;
		buf_addf(b, " error=%s", code_name(job->code));
	}
	if (matched >= 0)
		buf_addf(b, " matched=%lld", (long long)matched);
	if (deleted >= 0)
		buf_addf(b, " deleted=%lld", (long long)deleted);
	if (number_in(result, "job") >= 0)
		buf_addf(b, " job=%lld", (long long)number_in(result, "job"));
	buf_addf(b, " outcome=%s took_us=%lld\n", outcome_of(job, in_transaction), (long long)took_ns / 1000);
}

/* ---- which requests ---- */

static bool deletes(const struct op *op)
{
	return op->permission == PERM_DELETE || op->permission == PERM_DELETE_ALL;
}

bool audit_wants(const struct job *job)
{
	return atomic_load_explicit(&trail.on, memory_order_relaxed) && job->op && job->database &&
	       ((deletes(job->op) && job->op->place != PLACE_READER) || job->op->id == OP_ATOMIC);
}

/* What a job asked for and was answered, decoded. */
struct seen {
	msgpack_unpacked params, answer;
	struct request req;
	bool understood;
	const msgpack_object *result;   /* NULL: an error, or none */
};

static void look(const struct job *job, struct seen *seen)
{
	struct err ignored;
	size_t off = 0;

	memset(seen, 0, sizeof(*seen));
	msgpack_unpacked_init(&seen->params);
	msgpack_unpacked_init(&seen->answer);
	err_init(&ignored);
	seen->understood =
		msgpack_unpack_next(&seen->params, job->params, job->params_len, &off) == MSGPACK_UNPACK_SUCCESS &&
		!request_read(job->op, &seen->params.data, &seen->req, &ignored);
	off = 0;
	if (!job->code && job->out.len &&
	    msgpack_unpack_next(&seen->answer, job->out.data, job->out.len, &off) == MSGPACK_UNPACK_SUCCESS)
		seen->result = &seen->answer.data.via.array.ptr[3];
}

static void forget(struct seen *seen)
{
	msgpack_unpacked_destroy(&seen->params);
	msgpack_unpacked_destroy(&seen->answer);
}

static const msgpack_object *result_of(const struct seen *seen, uint32_t i)
{
	if (!seen->result || seen->result->type != MSGPACK_OBJECT_ARRAY || i >= seen->result->via.array.size)
		return NULL;
	return &seen->result->via.array.ptr[i];
}

/* The deletes of an atomic request, a line each. */
static void add_atomic(struct buf *b, const struct job *job, const struct seen *seen, uint64_t session, int64_t took_ns)
{
	const msgpack_object_array *ops = &seen->req.params[0]->via.array;
	struct request req;
	struct err ignored;

	err_init(&ignored);
	for (uint32_t i = 0; i < ops->size; i++) {
		if (request_read_op(&ops->ptr[i], &req, &ignored) || !deletes(req.op) || request_flag(&req, OPT_DRY_RUN))
			continue;
		add_who(b, job, session);
		buf_addf(b, " atomic=%u", i);
		add_what(b, &req);
		add_outcome(b, job, result_of(seen, i), false, took_ns);
	}
}

void audit_add(struct buf *b, const struct job *job, uint64_t session, bool in_transaction, int64_t took_ns)
{
	struct seen seen;

	look(job, &seen);
	if (seen.understood && job->op->id == OP_ATOMIC) {
		add_atomic(b, job, &seen, session, took_ns);
	} else if (!seen.understood || !request_flag(&seen.req, OPT_DRY_RUN)) {
		add_who(b, job, session);
		if (seen.understood)
			add_what(b, &seen.req);
		else
			buf_addf(b, " op=%s", job->op->name);
		add_outcome(b, job, seen.result, in_transaction, took_ns);
	}
	forget(&seen);
}

void audit_add_end(struct buf *b, const struct job *job, uint64_t session, int64_t took_ns)
{
	bool applied = job->op->id == OP_COMMIT && !job->code;

	if (!atomic_load(&trail.on))
		return;
	add_who(b, job, session);
	buf_addf(b, " op=%s outcome=%s took_us=%lld\n", job->op->name, applied ? "applied" :
		 job->code && job->err.outcome == ROWD_UNKNOWN ? "unknown" : "not_applied",
		 (long long)took_ns / 1000);
}

void audit_add_purge(struct buf *b, const char *database, const char *table, int64_t uid, int64_t purge,
		     const char *state, int64_t deleted)
{
	if (!atomic_load(&trail.on))
		return;
	add_time(b);
	buf_addf(b, " uid=%lld database=%s op=purge table=", (long long)uid, database);
	add_text(b, table, strlen(table));
	buf_addf(b, " job=%lld state=%s deleted=%lld\n", (long long)purge, state, (long long)deleted);
}

/* Will it delete, if it succeeds? */
static bool is_delete(const struct job *job, const struct seen *seen)
{
	const msgpack_object_array *ops;
	struct request req;
	struct err ignored;

	if (!seen->understood)
		return false;
	if (job->op->id != OP_ATOMIC)
		return !request_flag(&seen->req, OPT_DRY_RUN);
	err_init(&ignored);
	ops = &seen->req.params[0]->via.array;
	for (uint32_t i = 0; i < ops->size; i++)
		if (!request_read_op(&ops->ptr[i], &req, &ignored) && deletes(req.op) && !request_flag(&req, OPT_DRY_RUN))
			return true;
	return false;
}

enum rowd_code audit_begin(const struct job *job, uint64_t session, struct err *err)
{
	struct seen seen;
	struct buf b;

	if (!atomic_load_explicit(&trail.required, memory_order_relaxed))
		return ROWD_OK;
	buf_init(&b, 65536);
	look(job, &seen);
	if (is_delete(job, &seen)) {
		add_who(&b, job, session);
		add_what(&b, &seen.req);
		buf_add_str(&b, " outcome=begun\n");
	}
	forget(&seen);
	if (audit_write(&b))
		return ROWD_OK;
	return err_set(err, ROWD_E_NO_RESOURCE, "the audit trail is required and cannot be written");
}
