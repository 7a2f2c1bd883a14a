#include "config.h"

#include "daemon/exec/insert.h"

#include "daemon/exec/constraint.h"
#include "daemon/exec/keyset.h"
#include "daemon/exec/probe.h"
#include "daemon/exec/update.h"
#include "daemon/plan/pred.h"

enum {
	BATCH_PARAMS = 8000, /* of one statement: its text is still kept */
	BATCH_BYTES = 1024 * 1024
};

struct insert {
	struct exec *x;
	const struct row_set *rows;
	const struct table *table;
	const struct column **columns; /* of the batch; room for all of the table's */
	const struct column **others;  /* of the row looked at */
	unsigned ncolumns;
	struct value *values; /* room for the rows of a batch */
	size_t values_cap;
	bool one_by_one; /* what a row is refused for may depend on those behind it */
	size_t refused;  /* the row that was, after a failure */
	struct insert_result *result;
};

static enum rowd_code no_memory(struct err *err)
{
	return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the rows");
}

const struct column *insert_id_column(const struct table *t)
{
	for (unsigned i = 0; i < t->ncolumns; i++)
		if (t->columns[i].generated)
			return &t->columns[i];
	return NULL;
}

/* ---- checks before any SQL ---- */

/* Say which row of an array err is about. */
static enum rowd_code at_row(const struct row_set *rows, size_t i, struct err *err)
{
	if (rows->is_array)
		err->index = (int64_t)i;
	return err->code;
}

static enum rowd_code check_complete(const struct row_set *rows, size_t i, struct err *err)
{
	const struct column *missing = rows->rows[i].shape->missing;

	if (!missing)
		return ROWD_OK;
	err_set(err, ROWD_E_NULL_NOT_ALLOWED, "column %s has to be given", missing->name);
	err_where(err, rows->table->name, missing->name);
	return at_row(rows, i, err);
}

static bool refers_to_itself(const struct table *t)
{
	for (unsigned i = 0; i < t->nforeign_keys; i++)
		if (t->foreign_keys[i].parent == t)
			return true;
	return false;
}

static enum rowd_code insert_init(struct insert *in, struct exec *x, const struct row_set *rows,
				  struct insert_result *result, struct err *err)
{
	const struct table *t = rows->table;

	*in = (struct insert){ .x = x, .rows = rows, .table = t, .result = result };
	*result = (struct insert_result){ .id_column = insert_id_column(t) };
	in->columns = arena_alloc(x->arena, t->ncolumns * sizeof(*in->columns));
	in->others = arena_alloc(x->arena, t->ncolumns * sizeof(*in->others));
	in->one_by_one = refers_to_itself(t);
	if (result->id_column)
		result->ids = arena_calloc(x->arena, rows->count, sizeof(*result->ids));
	if (!in->columns || !in->others || (result->id_column && !result->ids))
		return no_memory(err);
	return ROWD_OK;
}

/* ---- batches ---- */

static bool wants_id(const struct insert *in, const struct row *row)
{
	return in->result->id_column && !row_value(row, in->result->id_column);
}

/* The columns that the insert of a row gives values for: all but those the database is to fill. */
static unsigned row_columns(const struct insert *in, const struct row *row, const struct column **out)
{
	unsigned n = 0;

	for (unsigned i = 0; i < in->table->ncolumns; i++)
		if (row_value(row, &in->table->columns[i]))
			out[n++] = &in->table->columns[i];
	return n;
}

static bool same_columns(const struct insert *in, const struct row *row)
{
	if (row_columns(in, row, in->others) != in->ncolumns)
		return false;
	for (unsigned i = 0; i < in->ncolumns; i++)
		if (in->others[i] != in->columns[i])
			return false;
	return true;
}

static size_t row_bytes(const struct row *row)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < row->shape->ncolumns; i++)
		if (row->values[i].kind == VALUE_TEXT || row->values[i].kind == VALUE_BYTES)
			bytes += row->values[i].u.s.len;
	return bytes;
}

/* How many rows from `at` on make one statement: always a power of two, so that few texts differ. Sets the
 * batch's columns. */
static size_t batch_length(struct insert *in, size_t at, size_t most)
{
	const unsigned rows_most = db_conn_dialect(in->x->conn)->insert_rows_most;
	const struct row *first = &in->rows->rows[at], *row;
	size_t bytes = row_bytes(first), n = 1, length = 1;

	in->ncolumns = row_columns(in, first, in->columns);
	if (in->one_by_one || wants_id(in, first) || in->ncolumns == 0)
		return 1;
	if (most > rows_most)
		most = rows_most;
	if (most > BATCH_PARAMS / in->ncolumns)
		most = BATCH_PARAMS / in->ncolumns;
	for (; n < most; n++) {
		row = &in->rows->rows[at + n];
		bytes += row_bytes(row);
		if (bytes > BATCH_BYTES || wants_id(in, row) ||
		    (row->shape != first->shape && !same_columns(in, row)))
			break;
	}
	while (length * 2 <= n)
		length *= 2;
	return length;
}

static bool batch_reserve(struct insert *in, size_t n)
{
	if (n <= in->values_cap)
		return true;
	in->values = arena_alloc(in->x->arena, n * sizeof(*in->values));
	in->values_cap = in->values ? n : 0;
	return in->values != NULL;
}

/* Insert n rows that have the batch's columns. */
static enum rowd_code run_batch(struct insert *in, size_t at, size_t n, int64_t *last_id_out, struct err *err)
{
	struct exec *x = in->x;

	if (!batch_reserve(in, n * in->ncolumns))
		return no_memory(err);
	for (size_t r = 0; r < n; r++)
		for (unsigned c = 0; c < in->ncolumns; c++)
			in->values[r * in->ncolumns + c] =
				*row_value(&in->rows->rows[at + r], in->columns[c]);
	sql_insert(x->sql, db_conn_dialect(x->conn), in->table, in->columns, in->ncolumns, in->values, n);
	return db_run(x->conn, x->sql, NULL, last_id_out, err);
}

/* The last number is taken. Databases say so, or that the disk is full, or that the key exists. */
static bool ids_ran_out(struct insert *in, enum rowd_code rc)
{
	const struct value last = value_int(INT64_MAX);
	const struct column *c = in->result->id_column;
	const struct select_stmt q = { .table = in->table,
				       .limit = 1,
				       .one = true,
				       .where = pred_compare(in->x->arena, PRED_EQ, c, &last) };
	struct value found = value_null();
	struct err ignored;

	if (!q.where || (rc != ROWD_E_OUT_OF_RANGE && rc != ROWD_E_STORAGE_FULL && rc != ROWD_E_CONFLICT &&
			 rc != ROWD_E_INTERNAL))
		return false;
	err_init(&ignored);
	sql_select(in->x->sql, db_conn_dialect(in->x->conn), &q);
	return !db_query_one(in->x->conn, in->x->sql, &found, &ignored) && found.kind != VALUE_NULL;
}

static enum rowd_code refuse_row(struct insert *in, size_t at, struct err *err)
{
	const struct row *row = &in->rows->rows[at];

	in->refused = at;
	if (wants_id(in, row) && ids_ran_out(in, err->code)) {
		err_set(err, ROWD_E_OUT_OF_RANGE, "no more values can be generated");
		err_where(err, in->table->name, in->result->id_column->name);
	} else if (constraint_failed(err->code)) {
		if (constraint_of_insert(in->x, in->table, row, err) == ROWD_E_NO_RESOURCE)
			return err->code;
	} else {
		return err->code;
	}
	return at_row(in->rows, at, err);
}

static enum rowd_code run_row(struct insert *in, size_t at, struct err *err)
{
	const struct row *row = &in->rows->rows[at];
	bool generated = wants_id(in, row);
	int64_t last_id = 0;
	enum rowd_code rc;

	in->ncolumns = row_columns(in, row, in->columns);
	rc = run_batch(in, at, 1, generated ? &last_id : NULL, err);
	if (rc)
		return refuse_row(in, at, err);
	if (in->result->id_column)
		in->result->ids[at] = generated ? value_int(last_id) : *row_value(row, in->result->id_column);
	return ROWD_OK;
}

/* The first of these rows that is refused alone is the one to tell. */
static enum rowd_code run_rows(struct insert *in, size_t at, size_t n, struct err *err)
{
	enum rowd_code rc = ROWD_OK;

	for (size_t i = 0; i < n && !rc; i++)
		rc = run_row(in, at + i, err);
	return rc;
}

/* Insert rows at to at + n. */
static enum rowd_code run_span(struct insert *in, size_t at, size_t n, struct err *err)
{
	size_t end = at + n, length;
	enum rowd_code rc = ROWD_OK;

	for (; at < end && !rc; at += length) {
		length = batch_length(in, at, end - at);
		if (length == 1) {
			rc = run_row(in, at, err);
			continue;
		}
		rc = run_batch(in, at, length, NULL, err);
		if (rc && constraint_failed(rc) && db_in_transaction(in->x->conn)) {
			err_init(err);
			rc = run_rows(in, at, length, err);
		} else if (!rc && in->result->id_column) {
			for (size_t i = at; i < at + length; i++)
				in->result->ids[i] = *row_value(&in->rows->rows[i], in->result->id_column);
		}
	}
	if (!rc)
		in->result->inserted += (int64_t)n;
	return rc;
}

enum rowd_code insert_rows(struct exec *x, const struct row_set *rows, struct insert_result *out,
			   struct err *err)
{
	struct insert in;
	enum rowd_code rc = insert_init(&in, x, rows, out, err);

	for (size_t i = 0; i < rows->count && !rc; i++)
		rc = check_complete(rows, i, err);
	return rc ? rc : run_span(&in, 0, rows->count, err);
}

enum rowd_code insert_key(const struct row_set *rows, const struct insert_result *result, size_t i,
			  struct value *key, struct err *err)
{
	const struct key *k = &rows->table->primary_key;

	for (unsigned c = 0; c < k->ncolumns; c++) {
		const struct value *v = row_value(&rows->rows[i], k->columns[c]);

		if (!v && k->columns[c] == result->id_column)
			v = &result->ids[i];
		if (!v)
			return err_set(err, ROWD_E_UNSUPPORTED,
				       "the database made the primary key; what it is cannot be told");
		key[c] = *v;
	}
	return ROWD_OK;
}

/* ---- upsert ---- */

struct upsert {
	struct insert insert;
	struct keyset keys;     /* those given, sorted */
	bool *exists;           /* each of them; as rows are carried out, more do */
	struct set_term *terms; /* room for all of the table's columns */
};

/* The number of the row's key among the keys; SIZE_MAX when it gives none. */
static size_t key_of(const struct upsert *u, size_t row)
{
	struct value key[INDEX_MAX_COLUMNS * 2];

	if (!row_key(&u->insert.rows->rows[row], u->insert.table, key))
		return SIZE_MAX;
	return keyset_find(&u->keys, key);
}

static enum rowd_code collect_keys(struct upsert *u, struct err *err)
{
	const struct row_set *rows = u->insert.rows;
	struct value key[INDEX_MAX_COLUMNS * 2];
	enum rowd_code rc = keyset_init(&u->keys, rows->table, err);

	for (size_t i = 0; i < rows->count && !rc; i++)
		if (row_key(&rows->rows[i], rows->table, key))
			rc = keyset_add(u->insert.x, &u->keys, key, err);
	if (rc)
		return rc;
	keyset_sort(&u->keys);
	u->exists = arena_calloc(u->insert.x->arena, u->keys.count, sizeof(*u->exists));
	u->terms = arena_calloc(u->insert.x->arena, rows->table->ncolumns, sizeof(*u->terms));
	return u->exists && u->terms ? ROWD_OK : no_memory(err);
}

static enum rowd_code mark_existing(struct upsert *u, struct err *err)
{
	struct exec *x = u->insert.x;
	const struct key *pk = &u->insert.table->primary_key;
	struct select_stmt q = {
		.table = u->insert.table,
		.columns = (const struct column **)(uintptr_t)pk->columns,
		.ncolumns = pk->ncolumns,
		.limit = -1,
		.for_update = true,
	};
	enum rowd_code rc = ROWD_OK;
	size_t at = 0;

	while (at < u->keys.count && !rc) {
		const struct value *row;
		struct db_rows *rows;

		q.where = keyset_part(x->arena, &u->keys, &at);
		if (!q.where)
			return no_memory(err);
		sql_select(x->sql, db_conn_dialect(x->conn), &q);
		rc = db_query(x->conn, x->sql, &rows, err);
		if (rc)
			return rc;
		while (!(rc = db_next(rows, &row, err)) && row) {
			size_t found = keyset_find(&u->keys, row);

			if (found != SIZE_MAX)
				u->exists[found] = true;
		}
		db_rows_end(rows);
	}
	return rc;
}

/* Before anything is written: is each row complete that will be inserted? */
static enum rowd_code check_new_rows(struct upsert *u, struct err *err)
{
	const struct row_set *rows = u->insert.rows;
	bool *will_exist = arena_calloc(u->insert.x->arena, u->keys.count, sizeof(*will_exist));
	enum rowd_code rc = ROWD_OK;

	if (!will_exist)
		return no_memory(err);
	for (size_t i = 0; i < rows->count && !rc; i++) {
		size_t key = key_of(u, i);

		if (key != SIZE_MAX && (u->exists[key] || will_exist[key]))
			continue;
		rc = check_complete(rows, i, err);
		if (key != SIZE_MAX)
			will_exist[key] = true;
	}
	return rc;
}

/* Change the row that has this row's key. */
static enum rowd_code change_row(struct upsert *u, size_t i, size_t key, struct err *err)
{
	struct exec *x = u->insert.x;
	const struct row *row = &u->insert.rows->rows[i];
	const struct table *t = u->insert.table;
	struct set_list sets = { .terms = u->terms };
	enum rowd_code rc = ROWD_OK;

	for (unsigned c = 0; c < row->shape->ncolumns; c++) {
		const struct column *column = row->shape->columns[c];

		if (!key_has_column(&t->primary_key, column) &&
		    !(column->generated && row->values[c].kind == VALUE_NULL))
			sets.terms[sets.count++] = (struct set_term){ .column = column,
								      .op = SET_VALUE,
								      .x = { .value = row->values[c] } };
	}
	if (sets.count > 0)
		rc = update_one(x, t, keyset_at(&u->keys, key), &sets, NULL, err);
	if (rc)
		return constraint_failed(rc) ? at_row(u->insert.rows, i, err) : rc;
	if (u->insert.result->id_column) {
		const struct value *id = row_value(row, u->insert.result->id_column);

		u->insert.result->ids[i] = id ? *id : value_null();
	}
	u->insert.result->updated++;
	return ROWD_OK;
}

/* How many rows from `at` on are new. They will not be afterwards. A row that gets its key from the table
 * goes alone, for those behind it may mean that very key. */
static size_t new_rows(struct upsert *u, size_t at)
{
	size_t n = 0, key;

	for (; at + n < u->insert.rows->count; n++) {
		key = key_of(u, at + n);
		if (key == SIZE_MAX)
			return n > 0 ? n : 1;
		if (u->exists[key])
			break;
		u->exists[key] = true;
	}
	return n;
}

/* A key that the table made exists now. */
static void mark_made(struct upsert *u, size_t row)
{
	struct value key[INDEX_MAX_COLUMNS * 2];
	struct err ignored;
	size_t at;

	err_init(&ignored);
	if (u->keys.count == 0 || insert_key(u->insert.rows, u->insert.result, row, key, &ignored))
		return;
	at = keyset_find(&u->keys, key);
	if (at != SIZE_MAX)
		u->exists[at] = true;
}

/* Does the key of the refused row exist after all? Then another program was faster, and trying again will
 * show. */
static enum rowd_code blame_others(struct upsert *u, enum rowd_code rc, struct err *err)
{
	struct value key[INDEX_MAX_COLUMNS * 2];
	const struct table *t = u->insert.table;
	struct exec *x = u->insert.x;
	struct err ignored;
	bool exists = false;

	err_init(&ignored);
	if (rc != ROWD_E_CONFLICT || !db_in_transaction(x->conn) ||
	    !row_key(&u->insert.rows->rows[u->insert.refused], t, key) ||
	    probe_exists(x, t, filter_key_equals(x->arena, t, key), &exists, &ignored) || !exists)
		return rc;
	return err_set(err, ROWD_E_BUSY, "another program inserted the row meanwhile");
}

static enum rowd_code insert_new(struct upsert *u, size_t at, size_t n, struct err *err)
{
	enum rowd_code rc = run_span(&u->insert, at, n, err);

	if (rc)
		return blame_others(u, rc, err);
	if (n == 1 && key_of(u, at) == SIZE_MAX)
		mark_made(u, at);
	return ROWD_OK;
}

enum rowd_code upsert_rows(struct exec *x, const struct row_set *rows, struct insert_result *out,
			   struct err *err)
{
	struct upsert u = { .exists = NULL };
	enum rowd_code rc = insert_init(&u.insert, x, rows, out, err);
	size_t i = 0, n;

	if (!rc)
		rc = collect_keys(&u, err);
	if (!rc)
		rc = mark_existing(&u, err);
	if (!rc)
		rc = check_new_rows(&u, err);
	while (i < rows->count && !rc) {
		n = new_rows(&u, i);
		if (n > 0) {
			rc = insert_new(&u, i, n, err);
			i += n;
		} else {
			rc = change_row(&u, i, key_of(&u, i), err);
			i++;
		}
	}
	return rc;
}
