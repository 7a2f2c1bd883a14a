#include "config.h"

#include "daemon/exec/once.h"

#include <string.h>
#include <time.h>

#include "daemon/exec/own_table.h"
#include "daemon/plan/pred.h"
#include "proto/fingerprint.h"
#include "proto/uuid.h"

enum { PRUNE_ROWS = 1000 };

/* The columns of _rowd_requests, in order. */
enum { UID, ID, FINGERPRINT, RESULT, CREATED, COLUMNS };

/* An id and what it stands for. */
struct once {
	uint8_t id[UUID_BYTES];
	uint8_t fingerprint[FINGERPRINT_BYTES];
	const struct table *table;
};

/* What is known of an id. */
struct known {
	bool found, fenced;
	uint8_t fingerprint[FINGERPRINT_BYTES];
	const char *result;              /* in the arena */
	size_t result_len;
};

static int64_t now_micros(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static struct value value_time(int64_t micros)
{
	return (struct value){ .kind = VALUE_TIME, .u.i = micros };
}

bool once_is_ready(struct db_conn *conn)
{
	return catalog_own(db_catalog(conn), OWN_REQUESTS) != NULL;
}

/* ---- an id ---- */

static enum rowd_code read_id(const struct exec *x, const msgpack_object *o, struct once *once, struct err *err)
{
	if (!uuid_parse(o->via.str.ptr, o->via.str.size, once->id))
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "a request id is a UUID such as \"0190b6f0-1234-7abc-8def-0123456789ab\"");
	once->table = catalog_own(db_catalog(x->conn), OWN_REQUESTS);
	if (!once->table || once->table->ncolumns != COLUMNS)
		return err_set(err, ROWD_E_INTERNAL, "the table of request ids is missing or not rowd's");
	return ROWD_OK;
}

/* All of the request but its id. */
static void take_fingerprint(const struct request *req, struct once *once)
{
	fingerprint f = fingerprint_bytes(fingerprint_start(), req->op->name, strlen(req->op->name));

	for (unsigned i = 0; i < OP_MAX_PARAMS; i++)
		if (req->params[i])
			f = fingerprint_object(f, req->params[i]);
	for (unsigned i = 0; i < OPT_COUNT_; i++) {
		const char *name = option_get((enum op_option)i)->name;

		if (!req->options[i] || i == OPT_REQUEST_ID)
			continue;
		f = fingerprint_bytes(f, name, strlen(name) + 1);
		f = fingerprint_object(f, req->options[i]);
	}
	fingerprint_write(f, once->fingerprint);
}

/* Is the id too old to be remembered? Only ids that tell their time (version 7) can say so. */
static bool is_expired(const struct exec *x, const struct once *once)
{
	int64_t ms = uuid_time_ms(once->id);

	return ms >= 0 && now_micros() / 1000 - ms > x->limits->request_retention_ms;
}

static enum rowd_code refuse_expired(struct err *err)
{
	return err_set(err, ROWD_E_ID_EXPIRED,
		       "the request id is older than what is remembered; nobody can tell what became of it");
}

/* ---- its row ---- */

static void read_known(struct exec *x, const struct value *row, struct known *known)
{
	known->found = true;
	known->fenced = row[0].kind == VALUE_NULL;
	if (known->fenced)
		return;
	if (row[0].u.s.len == FINGERPRINT_BYTES)
		memcpy(known->fingerprint, row[0].u.s.data, FINGERPRINT_BYTES);
	known->result_len = row[1].u.s.len;
	known->result = arena_strndup(x->arena, row[1].u.s.data, row[1].u.s.len);
}

static enum rowd_code find(struct exec *x, const struct once *once, struct known *known, struct err *err)
{
	const struct table *t = once->table;
	const struct column *columns[] = { &t->columns[FINGERPRINT], &t->columns[RESULT] };
	struct value key[] = { value_int(x->caller->uid), value_bytes((const char *)once->id, UUID_BYTES) };
	struct select_stmt q = { .table = t, .columns = columns, .ncolumns = 2, .limit = -1,
				 .where = filter_key_equals(x->arena, t, key) };
	const struct value *row;
	struct db_rows *rows;
	enum rowd_code rc;

	*known = (struct known){ .found = false };
	sql_select(x->sql, db_conn_dialect(x->conn), &q);
	rc = db_query(x->conn, x->sql, &rows, err);
	if (rc)
		return rc;
	rc = db_next(rows, &row, err);
	if (!rc && row)
		read_known(x, row, known);
	db_rows_end(rows);
	if (!rc && known->found && !known->fenced && !known->result)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for a stored result");
	return rc;
}

/* result NULL: a fence. */
static enum rowd_code store(struct exec *x, const struct once *once, const char *result, size_t len,
			    struct err *err)
{
	const struct table *t = once->table;
	const struct column *columns[COLUMNS];
	struct value values[COLUMNS] = {
		[UID] = value_int(x->caller->uid),
		[ID] = value_bytes((const char *)once->id, UUID_BYTES),
		[FINGERPRINT] = result ? value_bytes((const char *)once->fingerprint, FINGERPRINT_BYTES) : value_null(),
		[RESULT] = result ? value_bytes(result, len) : value_null(),
		[CREATED] = value_time(now_micros()),
	};
	enum rowd_code rc;

	if (len > (size_t)x->limits->value_bytes)
		return err_limit(err, x->limits->value_bytes, "the answer, which a request id has rowd keep,");
	for (unsigned i = 0; i < COLUMNS; i++)
		columns[i] = &t->columns[i];
	sql_insert(x->sql, db_conn_dialect(x->conn), t, columns, COLUMNS, values, 1);
	rc = db_run(x->conn, x->sql, NULL, NULL, err);
	if (rc == ROWD_E_CONFLICT)
		return err_set(err, ROWD_E_BUSY, "a request of the same id is being carried out at this moment");
	return rc;
}

static enum rowd_code replay(struct exec *x, const struct once *once, const struct known *known,
			     struct err *err)
{
	if (known->fenced)
		return err_set(err, ROWD_E_ID_FENCED, "outcome() was told that this request never applies");
	if (memcmp(known->fingerprint, once->fingerprint, FINGERPRINT_BYTES))
		return err_set(err, ROWD_E_ID_REUSED, "the request id belongs to another request");
	buf_add(x->out, known->result, known->result_len);
	return ROWD_OK;
}

/* The job in the stored result {job} of a purge; 0 when there is none. */
static int64_t stored_job(const struct known *known)
{
	msgpack_unpacked u;
	size_t off = 0;
	int64_t job = 0;

	msgpack_unpacked_init(&u);
	if (msgpack_unpack_next(&u, known->result, known->result_len, &off) == MSGPACK_UNPACK_SUCCESS &&
	    u.data.type == MSGPACK_OBJECT_MAP && u.data.via.map.size == 1 &&
	    u.data.via.map.ptr[0].val.type == MSGPACK_OBJECT_POSITIVE_INTEGER)
		job = u.data.via.map.ptr[0].val.via.i64;
	msgpack_unpacked_destroy(&u);
	return job;
}

/* ---- requests ---- */

enum rowd_code once_request(struct exec *x, const struct request *req, struct err *err)
{
	size_t start = x->out->len;
	struct known known;
	struct once once;
	enum rowd_code rc = read_id(x, req->options[OPT_REQUEST_ID], &once, err);

	if (rc)
		return rc;
	take_fingerprint(req, &once);
	rc = find(x, &once, &known, err);
	if (rc)
		return rc;
	if (known.found) {
		rc = replay(x, &once, &known, err);
		if (!rc && req->op->id == OP_PURGE && request_flag(req, OPT_FOLLOW))
			x->follow = stored_job(&known);
		return rc;
	}
	if (is_expired(x, &once))
		return refuse_expired(err);
	rc = exec_request(x, req, err);
	if (rc)
		return rc;
	return store(x, &once, x->out->data + start, x->out->len - start, err);
}

enum rowd_code once_record_commit(struct exec *x, const struct request *req, struct err *err)
{
	static const char answer_true[] = { (char)0xc3 };
	struct known known;
	struct once once;
	enum rowd_code rc = read_id(x, req->options[OPT_REQUEST_ID], &once, err);

	if (rc)
		return rc;
	take_fingerprint(req, &once);
	rc = find(x, &once, &known, err);
	if (rc)
		return rc;
	if (known.found && !known.fenced)
		return err_set(err, ROWD_E_ID_REUSED, "the request id belongs to another commit");
	if (known.found)
		return replay(x, &once, &known, err);
	if (is_expired(x, &once))
		return refuse_expired(err);
	return store(x, &once, answer_true, sizeof(answer_true), err);
}

enum rowd_code once_replay_commit(struct exec *x, const struct request *req, struct err *err)
{
	struct known known = { .found = false };
	struct once once;
	enum rowd_code rc;

	if (once_is_ready(x->conn)) {
		rc = read_id(x, req->options[OPT_REQUEST_ID], &once, err);
		if (rc)
			return rc;
		take_fingerprint(req, &once);
		rc = find(x, &once, &known, err);
		if (rc)
			return rc;
	}
	if (known.found)
		return replay(x, &once, &known, err);
	return err_set(err, ROWD_E_TX_NONE, "no transaction is open");
}

enum rowd_code once_outcome(struct exec *x, const msgpack_object *id, struct err *err)
{
	struct known known;
	struct once once;
	enum rowd_code rc = read_id(x, id, &once, err);

	if (rc)
		return rc;
	rc = find(x, &once, &known, err);
	if (rc)
		return rc;
	if (!known.found) {
		if (is_expired(x, &once))
			return refuse_expired(err);
		rc = store(x, &once, NULL, 0, err);
		if (rc)
			return rc;
	}
	wire_map(x->out, known.found && !known.fenced ? 2 : 1);
	wire_cstr(x->out, "state");
	wire_cstr(x->out, known.found && !known.fenced ? "applied" : "not_applied");
	if (known.found && !known.fenced) {
		wire_cstr(x->out, "result");
		buf_add(x->out, known.result, known.result_len);
	}
	return ROWD_OK;
}

static enum rowd_code prune(struct exec *x, bool *more_out, struct err *err)
{
	const struct table *t = catalog_own(db_catalog(x->conn), OWN_REQUESTS);
	const struct dialect *d = db_conn_dialect(x->conn);
	struct value oldest = value_time(now_micros() - x->limits->request_retention_ms * 1000);
	struct order_term order[] = { { .column = &t->columns[CREATED] }, { .column = &t->columns[UID] },
				      { .column = &t->columns[ID] } };
	const struct column *key[] = { &t->columns[UID], &t->columns[ID] };
	struct select_stmt old = {
		.table = t, .columns = key, .ncolumns = 2, .order = order, .norder = 3, .limit = PRUNE_ROWS,
		.where = pred_compare(x->arena, PRED_LT, &t->columns[CREATED], &oldest),
	};
	int64_t deleted;
	enum rowd_code rc;

	if (!old.where)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for forgetting request ids");
	sql_delete(x->sql, d, t, NULL, &old);
	rc = db_run(x->conn, x->sql, &deleted, NULL, err);
	*more_out = !rc && deleted == PRUNE_ROWS;
	return rc;
}

enum rowd_code once_prune(struct exec *x, bool *more_out, struct err *err)
{
	if (!once_is_ready(x->conn)) {
		*more_out = false;
		return ROWD_OK;
	}
	return prune(x, more_out, err);
}
