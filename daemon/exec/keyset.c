#include "config.h"

#include "daemon/exec/keyset.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/exec/read.h"
#include "daemon/plan/pred.h"

enum { FIRST_ROWS = 64 };

static enum rowd_code no_memory(struct err *err)
{
	return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the keys");
}

/* ---- filling ---- */

enum rowd_code keyset_init(struct keyset *k, const struct table *t, struct err *err)
{
	*k = (struct keyset){ .table = t, .width = table_key_columns(t) };
	if (k->width > 0)
		return ROWD_OK;
	err_set(err, ROWD_E_UNSUPPORTED, "table %s has no primary key", t->name);
	err_where(err, t->name, NULL);
	return ROWD_E_UNSUPPORTED;
}

enum rowd_code keyset_add(struct exec *x, struct keyset *k, const struct value *key, struct err *err)
{
	size_t cap = k->cap ? k->cap * 2 : FIRST_ROWS;
	struct value *grown;

	if (k->count == KEYSET_MAX_ROWS)
		return err_limit(err, KEYSET_MAX_ROWS, "the number of rows whose keys have to be kept");
	if (k->count == k->cap) {
		grown = arena_calloc(x->arena, cap * k->width, sizeof(*grown));
		if (!grown)
			return no_memory(err);
		if (k->count > 0)
			memcpy(grown, k->values, k->count * k->width * sizeof(*grown));
		k->values = grown;
		k->cap = cap;
	}
	memcpy(k->values + k->count * k->width, key, k->width * sizeof(*key));
	k->count++;
	return ROWD_OK;
}

enum rowd_code keyset_add_copy(struct exec *x, struct keyset *k, const struct value *key, struct err *err)
{
	enum rowd_code rc = keyset_add(x, k, key, err);
	struct value *v;

	if (rc)
		return rc;
	v = k->values + (k->count - 1) * k->width;
	for (unsigned i = 0; i < k->width; i++) {
		if (v[i].kind != VALUE_TEXT && v[i].kind != VALUE_BYTES)
			continue;
		v[i].u.s.data = arena_strndup(x->arena, v[i].u.s.data, v[i].u.s.len);
		if (!v[i].u.s.data)
			return no_memory(err);
	}
	return ROWD_OK;
}

/* ---- order ---- */

static int compare_keys(const void *a, const void *b, void *arg)
{
	const struct value *x = a, *y = b;
	const struct keyset *k = arg;
	int order = 0;

	for (unsigned i = 0; i < k->width && order == 0; i++)
		order = value_compare(&x[i], &y[i]);
	return order;
}

void keyset_sort(struct keyset *k)
{
	size_t size = k->width * sizeof(*k->values), kept = 0, i;

	for (i = 1; i < k->count && compare_keys(keyset_at(k, i - 1), keyset_at(k, i), k) < 0; i++)
		;
	if (i >= k->count)
		return;
	qsort_r(k->values, k->count, size, compare_keys, k);
	for (i = 0; i < k->count; i++) {
		if (kept > 0 && compare_keys(keyset_at(k, kept - 1), keyset_at(k, i), k) == 0)
			continue;
		memmove(k->values + kept * k->width, keyset_at(k, i), size);
		kept++;
	}
	k->count = kept;
}

size_t keyset_find(const struct keyset *k, const struct value *key)
{
	size_t low = 0, high = k->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = compare_keys(keyset_at(k, middle), key, (void *)(uintptr_t)k);

		if (order == 0)
			return middle;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return SIZE_MAX;
}

/* ---- reading keys ---- */

static enum rowd_code read_keys(struct exec *x, struct keyset *k, int64_t most, struct err *err)
{
	const struct value *row;
	struct db_rows *rows;
	enum rowd_code rc = db_query(x->conn, x->sql, &rows, err);

	if (rc)
		return rc;
	while (!(rc = db_next(rows, &row, err)) && row) {
		if ((int64_t)k->count == most) {
			rc = err_limit(err, most, "the number of rows in one reply");
			break;
		}
		rc = keyset_add_copy(x, k, row, err);
		if (rc)
			break;
	}
	db_rows_end(rows);
	return rc;
}

struct select_stmt keyset_first(const struct table *t, const struct pred *where,
				const struct plan_order *order, int64_t limit)
{
	return (struct select_stmt){
		.table = t,
		.columns = (const struct column **)(uintptr_t)t->primary_key.columns,
		.ncolumns = t->primary_key.ncolumns,
		.where = where,
		.order = order->terms,
		.norder = order->nterms,
		.order_by_row_id = order->by_row_id,
		.limit = limit,
	};
}

enum rowd_code keyset_select(struct exec *x, const struct table *t, const struct pred *where,
			     const struct plan_order *order, int64_t limit, int64_t most, struct keyset *out,
			     struct err *err)
{
	struct select_stmt q = keyset_first(t, where, order, limit);
	enum rowd_code rc = keyset_init(out, t, err);

	if (rc)
		return rc;
	q.for_update = true;
	if (limit < 0 && most >= 0)
		q.limit = most + 1;
	sql_select(x->sql, db_conn_dialect(x->conn), &q);
	rc = read_keys(x, out, most, err);
	if (!rc)
		keyset_sort(out);
	return rc;
}

/* ---- filters ---- */

/* All keys of one column in one list. */
static const struct pred *list_part(struct arena *a, const struct keyset *k, size_t *at_io)
{
	const struct pred *p =
		pred_in_list(a, k->table->primary_key.columns[0], k->values + *at_io, k->count - *at_io);

	*at_io = k->count;
	return p;
}

const struct pred *keyset_part(struct arena *a, const struct keyset *k, size_t *at_io)
{
	const struct pred *kids[KEYSET_PART_ROWS];
	unsigned n = 0;

	if (k->width == 1)
		return list_part(a, k, at_io);
	while (n < KEYSET_PART_ROWS && *at_io < k->count)
		kids[n++] = pred_equals(a, k->table->primary_key.columns, keyset_at(k, (*at_io)++), k->width);
	return n > 0 ? pred_join(a, PRED_OR, kids, n)
		     : pred_in_list(a, k->table->primary_key.columns[0], NULL, 0);
}

enum rowd_code keyset_filter(struct exec *x, const struct keyset *k, const struct pred **out, struct err *err)
{
	size_t at = 0;

	*out = keyset_part(x->arena, k, &at);
	if (!*out)
		return no_memory(err);
	if (at < k->count)
		return err_limit(err, KEYSET_PART_ROWS,
				 "the number of rows, with a primary key of several columns,");
	return ROWD_OK;
}

/* ---- the rows themselves ---- */

/* Append the rows of the rendered statement; *count_io counts them. */
static enum rowd_code write_rows(struct exec *x, unsigned ncolumns, uint32_t *count_io, struct err *err)
{
	const struct value *row;
	struct db_rows *rows;
	enum rowd_code rc = db_query(x->conn, x->sql, &rows, err);

	if (rc)
		return rc;
	while (!(rc = db_next(rows, &row, err)) && row) {
		exec_write_row(x->out, row, ncolumns);
		(*count_io)++;
		if (x->out->failed)
			rc = err_limit(err, x->limits->reply_bytes, "the size of the reply");
		if (rc)
			break;
	}
	db_rows_end(rows);
	return rc;
}

static void key_order(const struct table *t, struct order_term *terms)
{
	for (unsigned i = 0; i < t->primary_key.ncolumns; i++)
		terms[i] = (struct order_term){ .column = t->primary_key.columns[i] };
}

enum rowd_code keyset_write_rows(struct exec *x, const struct keyset *k, const struct plan_columns *columns,
				 struct err *err)
{
	struct order_term order[INDEX_MAX_COLUMNS * 2];
	struct select_stmt q = {
		.table = k->table,
		.columns = columns->list,
		.ncolumns = columns->n,
		.order = order,
		.norder = k->width,
		.limit = -1,
	};
	size_t open = wire_array_open(x->out), at = 0;
	enum rowd_code rc = ROWD_OK;
	uint32_t count = 0;

	key_order(k->table, order);
	while (at < k->count && !rc) {
		q.where = keyset_part(x->arena, k, &at);
		if (!q.where)
			return no_memory(err);
		sql_select(x->sql, db_conn_dialect(x->conn), &q);
		rc = write_rows(x, columns->n, &count, err);
	}
	if (!rc)
		wire_array_close(x->out, open, count);
	return rc;
}

enum rowd_code keyset_write_each(struct exec *x, const struct keyset *k, const struct plan_columns *columns,
				 struct err *err)
{
	struct select_stmt q = {
		.table = k->table,
		.columns = columns->list,
		.ncolumns = columns->n,
		.limit = -1,
	};
	size_t open = wire_array_open(x->out);
	enum rowd_code rc = ROWD_OK;
	uint32_t count = 0;

	for (size_t i = 0; i < k->count && !rc; i++) {
		q.where = filter_key_equals(x->arena, k->table, keyset_at(k, i));
		sql_select(x->sql, db_conn_dialect(x->conn), &q);
		rc = write_rows(x, columns->n, &count, err);
	}
	if (!rc)
		wire_array_close(x->out, open, count);
	return rc;
}
