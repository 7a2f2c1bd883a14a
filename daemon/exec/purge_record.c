#include "config.h"

#include "daemon/exec/purge_record.h"

#include <string.h>

#include "daemon/exec/own_table.h"
#include "daemon/plan/pred.h"

/* The columns of _rowd_jobs, in order. */
enum {
	ID, UID, TABLE, FILTER, ARCHIVE,
	STATE, ROWS, TARGET_MS, PAUSE_MS, MAX_ROWS, MAX_SECONDS,
	POSITION, MATCHED, DELETED, ARCHIVE_BYTES, ELAPSED_MS, CHUNKS, ERROR,
	COLUMNS, CHANGING = STATE       /* those from here on change */
};

static const char *const state_names[PURGE_STATES] = { "running", "paused", "done", "cancelled", "failed" };

const char *purge_state_name(enum purge_state state)
{
	return state_names[state];
}

bool purge_is_ready(struct db_conn *conn)
{
	return catalog_own(db_catalog(conn), OWN_JOBS) != NULL;
}

static enum rowd_code find_table(const struct exec *x, const struct table **out, struct err *err)
{
	*out = catalog_own(db_catalog(x->conn), OWN_JOBS);
	if (!*out)
		return err_set(err, ROWD_E_BAD_REQUEST, "there is no such job");
	if ((*out)->ncolumns != COLUMNS)
		return err_set(err, ROWD_E_INTERNAL, "the table of jobs is not rowd's");
	return ROWD_OK;
}

/* ---- from a record to values ---- */

static struct value text_or_null(const char *text)
{
	return *text ? value_text(text, strlen(text)) : value_null();
}

static struct value int_or_null(int64_t i)
{
	return i >= 0 ? value_int(i) : value_null();
}

static void to_values(const struct purge_record *r, struct value *v)
{
	const char *state = state_names[r->state];

	v[ID] = value_int(r->id);
	v[UID] = value_int(r->uid);
	v[TABLE] = value_text(r->table, strlen(r->table));
	v[FILTER] = value_bytes(r->filter, r->filter_len);
	v[ARCHIVE] = text_or_null(r->archive);
	v[STATE] = value_text(state, strlen(state));
	v[ROWS] = value_int(r->options.rows);
	v[TARGET_MS] = value_int(r->options.target_ms);
	v[PAUSE_MS] = value_int(r->options.pause_ms);
	v[MAX_ROWS] = int_or_null(r->options.max_rows);
	v[MAX_SECONDS] = int_or_null(r->options.max_seconds);
	v[POSITION] = r->position ? value_bytes(r->position, r->position_len) : value_null();
	v[MATCHED] = int_or_null(r->matched);
	v[DELETED] = value_int(r->deleted);
	v[ARCHIVE_BYTES] = value_int(r->archive_bytes);
	v[ELAPSED_MS] = value_int(r->elapsed_ms);
	v[CHUNKS] = value_int(r->chunks);
	v[ERROR] = text_or_null(r->error);
}

/* ---- from a row to a record ---- */

static int64_t int_of(const struct value *v)
{
	return v->kind == VALUE_NULL ? -1 : v->u.i;
}

static void text_of(const struct value *v, char *out, size_t out_bytes)
{
	size_t n = v->kind == VALUE_NULL ? 0 : v->u.s.len;

	if (n >= out_bytes)
		n = out_bytes - 1;
	if (n)
		memcpy(out, v->u.s.data, n);
	out[n] = '\0';
}

static bool bytes_of(struct arena *a, const struct value *v, const char **out, size_t *len)
{
	*out = NULL;
	*len = 0;
	if (v->kind == VALUE_NULL)
		return true;
	*len = v->u.s.len;
	*out = arena_strndup(a, v->u.s.data, v->u.s.len);
	return *out != NULL;
}

static enum purge_state state_of(const struct value *v)
{
	unsigned s = 0;

	while (s < PURGE_FAILED && (strlen(state_names[s]) != v->u.s.len ||
				    memcmp(state_names[s], v->u.s.data, v->u.s.len) != 0))
		s++;
	return (enum purge_state)s;
}

static bool from_row(struct arena *a, const struct value *v, struct purge_record *r)
{
	r->id = v[ID].u.i;
	r->uid = v[UID].u.i;
	r->state = state_of(&v[STATE]);
	r->options.rows = v[ROWS].u.i;
	r->options.target_ms = v[TARGET_MS].u.i;
	r->options.pause_ms = v[PAUSE_MS].u.i;
	r->options.max_rows = int_of(&v[MAX_ROWS]);
	r->options.max_seconds = int_of(&v[MAX_SECONDS]);
	r->matched = int_of(&v[MATCHED]);
	r->deleted = v[DELETED].u.i;
	r->archive_bytes = v[ARCHIVE_BYTES].u.i;
	r->elapsed_ms = v[ELAPSED_MS].u.i;
	r->chunks = v[CHUNKS].u.i;
	text_of(&v[TABLE], r->table, sizeof(r->table));
	text_of(&v[ARCHIVE], r->archive, sizeof(r->archive));
	text_of(&v[ERROR], r->error, sizeof(r->error));
	return bytes_of(a, &v[FILTER], &r->filter, &r->filter_len) &&
	       bytes_of(a, &v[POSITION], &r->position, &r->position_len);
}

/* ---- statements ---- */

/* Records for which where is true, by id: an array in the arena. */
static enum rowd_code read_records(struct exec *x, const struct table *t, const struct pred *where,
				   struct purge_record **out, size_t *count_out, struct err *err)
{
	struct order_term by_id = { .column = &t->columns[ID] };
	const struct column *columns[COLUMNS];
	struct select_stmt q = { .table = t, .columns = columns, .ncolumns = COLUMNS, .where = where,
				 .order = &by_id, .norder = 1, .limit = x->limits->reply_rows };
	struct purge_record *list = NULL, *grown;
	size_t n = 0, room = 0;
	const struct value *row;
	struct db_rows *rows;
	enum rowd_code rc;

	for (unsigned i = 0; i < COLUMNS; i++)
		columns[i] = &t->columns[i];
	sql_select(x->sql, db_conn_dialect(x->conn), &q);
	rc = db_query(x->conn, x->sql, &rows, err);
	if (rc)
		return rc;
	while (!(rc = db_next(rows, &row, err)) && row) {
		if (n == room) {
			room = room ? room * 2 : 4;
			grown = arena_calloc(x->arena, room, sizeof(*grown));
			if (grown && n)
				memcpy(grown, list, n * sizeof(*grown));
			list = grown;
		}
		if (!list || !from_row(x->arena, row, &list[n++])) {
			rc = err_set(err, ROWD_E_NO_RESOURCE, "no memory for the jobs");
			break;
		}
	}
	db_rows_end(rows);
	*out = list;
	*count_out = n;
	return rc;
}

enum rowd_code purge_record_list(struct exec *x, enum purge_state state, struct purge_record **out,
				 size_t *count_out, struct err *err)
{
	const struct pred *where = NULL;
	const struct table *t;
	struct value name;
	enum rowd_code rc;

	*count_out = 0;
	if (!purge_is_ready(x->conn))
		return ROWD_OK;
	rc = find_table(x, &t, err);
	if (rc)
		return rc;
	if (state != PURGE_STATES) {
		name = value_text(state_names[state], strlen(state_names[state]));
		where = pred_compare(x->arena, PRED_EQ, &t->columns[STATE], &name);
		if (!where)
			return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the jobs");
	}
	return read_records(x, t, where, out, count_out, err);
}

enum rowd_code purge_record_read(struct exec *x, int64_t id, struct purge_record *out, struct err *err)
{
	struct value key = value_int(id);
	struct purge_record *found;
	const struct table *t;
	size_t n;
	enum rowd_code rc = find_table(x, &t, err);

	if (rc)
		return rc;
	rc = read_records(x, t, filter_key_equals(x->arena, t, &key), &found, &n, err);
	if (rc)
		return rc;
	if (!n)
		return err_set(err, ROWD_E_BAD_REQUEST, "there is no such job");
	*out = *found;
	return ROWD_OK;
}

enum rowd_code purge_record_add(struct exec *x, struct purge_record *r, struct err *err)
{
	const struct column *columns[COLUMNS];
	struct value values[COLUMNS];
	const struct table *t;
	enum rowd_code rc = find_table(x, &t, err);

	if (rc)
		return rc;
	to_values(r, values);
	for (unsigned i = 0; i < COLUMNS; i++)
		columns[i] = &t->columns[i];
	/* all but the id, which the table makes */
	sql_insert(x->sql, db_conn_dialect(x->conn), t, columns + 1, COLUMNS - 1, values + 1, 1);
	return db_run(x->conn, x->sql, NULL, &r->id, err);
}

enum rowd_code purge_record_save(struct exec *x, struct purge_record *r, struct err *err)
{
	struct set_term sets[COLUMNS - CHANGING];
	struct value values[COLUMNS], was[2];
	const struct column *columns[2];
	const struct table *t;
	const struct pred *where;
	int64_t changed;
	enum rowd_code rc = find_table(x, &t, err);

	if (rc)
		return rc;
	columns[0] = &t->columns[ID];
	columns[1] = &t->columns[CHUNKS];
	was[0] = value_int(r->id);
	was[1] = value_int(r->chunks);
	where = pred_equals(x->arena, columns, was, 2);
	if (!where)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the job");
	r->chunks++;
	to_values(r, values);
	for (unsigned i = CHANGING; i < COLUMNS; i++)
		sets[i - CHANGING] = (struct set_term){ .column = &t->columns[i], .op = SET_VALUE,
							.x = { .kind = OPERAND_VALUE, .value = values[i] } };
	sql_update(x->sql, db_conn_dialect(x->conn), t, sets, COLUMNS - CHANGING, where, NULL);
	rc = db_run(x->conn, x->sql, &changed, NULL, err);
	if (!rc && changed != 1)
		return err_set(err, ROWD_E_BUSY, "another has changed the job meanwhile");
	return rc;
}

/* ---- answers ---- */

static void write_uint_or_nil(struct buf *b, const char *name, int64_t i)
{
	wire_cstr(b, name);
	if (i >= 0)
		wire_int(b, i);
	else
		wire_nil(b);
}

/* Rows in a second; -1 before there is anything to tell it by. */
static int64_t rate_of(const struct purge_record *r)
{
	return r->elapsed_ms > 0 ? (int64_t)((double)r->deleted * 1000 / (double)r->elapsed_ms) : -1;
}

static int64_t eta_of(const struct purge_record *r)
{
	int64_t rate = rate_of(r), goal = r->matched;

	if (r->state >= PURGE_DONE)
		return 0;
	if (r->options.max_rows >= 0 && (goal < 0 || r->options.max_rows < goal))
		goal = r->options.max_rows;
	if (rate <= 0 || goal < 0)
		return -1;
	return goal > r->deleted ? (int64_t)((double)(goal - r->deleted) * 1000 / (double)rate) : 0;
}

static void write_measures(struct buf *b, const struct purge_record *r)
{
	write_uint_or_nil(b, "deleted", r->deleted);
	write_uint_or_nil(b, "elapsed_ms", r->elapsed_ms);
	write_uint_or_nil(b, "rate", rate_of(r));
	write_uint_or_nil(b, "eta_ms", eta_of(r));
}

void purge_progress_write(struct buf *b, const struct purge_record *r)
{
	wire_map(b, 4);
	write_measures(b, r);
}

static void write_options(struct buf *b, const struct purge_record *r)
{
	wire_map(b, 6);
	write_uint_or_nil(b, "rows", r->options.rows);
	write_uint_or_nil(b, "target_ms", r->options.target_ms);
	write_uint_or_nil(b, "pause_ms", r->options.pause_ms);
	write_uint_or_nil(b, "max_rows", r->options.max_rows);
	write_uint_or_nil(b, "max_seconds", r->options.max_seconds);
	wire_cstr(b, "archive");
	if (*r->archive)
		wire_cstr(b, r->archive);
	else
		wire_nil(b);
}

void purge_record_write(struct buf *b, const struct purge_record *r)
{
	wire_map(b, 9);
	write_uint_or_nil(b, "job", r->id);
	wire_cstr(b, "table");
	wire_cstr(b, r->table);
	wire_cstr(b, "state");
	wire_cstr(b, state_names[r->state]);
	write_measures(b, r);
	wire_cstr(b, "options");
	write_options(b, r);
	wire_cstr(b, "error");
	if (*r->error)
		wire_cstr(b, r->error);
	else
		wire_nil(b);
}
