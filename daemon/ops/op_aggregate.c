/*
 * aggregate: counts, sums, averages, least and greatest, of all rows or of groups.
 *
 * The groups are taken into memory, as many as one answer holds: sums become what they mean there, and
 * an order by something computed is made there too, for it has to be the same on every database.
 */
#include "config.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/exec/read.h"
#include "daemon/exec/sum.h"
#include "daemon/ops/ops.h"

struct compute {
	const char *name; /* borrowed from the request, does not end in NUL */
	size_t name_len;
	struct aggregate_term term;
};

struct sort_key {
	unsigned position; /* in a group's values */
	bool descending, nulls_last;
};

/* A row of the answer: the columns grouped by, then what was computed. */
struct group {
	struct group *next;
	struct value values[];
};

struct aggregate {
	struct exec *x;
	const struct request *req;
	const struct table *table;
	struct plan_columns columns; /* grouped by */
	struct compute *computes;
	unsigned ncomputes;
	struct sort_key *keys;
	unsigned nkeys;
	bool sorts;                  /* by something computed, so the database cannot do it */
	struct group *first, **last; /* as they came */
	size_t ngroups, bytes;
	bool more;
};

static enum rowd_code no_memory(struct err *err)
{
	return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the aggregate");
}

static unsigned values_count(const struct aggregate *a)
{
	return a->columns.n + a->ncomputes;
}

/* ---- what to compute ---- */

static const struct {
	const char *name;
	enum aggregate_fn fn;
} functions[] = {
	{ "count", AGG_COUNT }, { "count_distinct", AGG_COUNT_DISTINCT },
	{ "sum", AGG_SUM },     { "min", AGG_MIN },
	{ "max", AGG_MAX },     { "avg", AGG_AVG },
};

static bool str_is(const msgpack_object *o, const char *s)
{
	size_t len = strlen(s);

	return o->type == MSGPACK_OBJECT_STR && o->via.str.size == len && memcmp(o->via.str.ptr, s, len) == 0;
}

static enum rowd_code check_exact(const struct column *c, const char *fn, struct err *err)
{
	switch (c->type.kind) {
	case TYPE_INT:
	case TYPE_DECIMAL:
		return ROWD_OK;
	case TYPE_FLOAT:
	case TYPE_ANY:
		return err_set(err, ROWD_E_UNSUPPORTED, "%s of column %s would not be exact", fn, c->name);
	case TYPE_BOOL:
	case TYPE_TEXT:
	case TYPE_BYTES:
	case TYPE_TIME:
		break;
	}
	return err_set(err, ROWD_E_TYPE_MISMATCH, "%s is of an int or a decimal, which column %s is not", fn,
		       c->name);
}

static enum rowd_code check_comparable(const struct column *c, const char *fn, struct err *err)
{
	if (type_is_orderable(&c->type))
		return ROWD_OK;
	return err_set(err, ROWD_E_UNSUPPORTED, "%s of column %s, which has no bounded length or type", fn,
		       c->name);
}

static enum rowd_code check_function(const struct aggregate *a, const struct aggregate_term *t,
				     const char *fn, struct err *err)
{
	enum rowd_code rc = ROWD_OK;

	switch (t->fn) {
	case AGG_SUM:
	case AGG_AVG:
		rc = check_exact(t->column, fn, err);
		break;
	case AGG_MIN:
	case AGG_MAX:
	case AGG_COUNT_DISTINCT:
		rc = check_comparable(t->column, fn, err);
		break;
	case AGG_COUNT:
	case AGG_COUNT_ROWS:
		break;
	}
	if (rc)
		err_where(err, a->table->name, t->column->name);
	return rc;
}

/* ["count"], or [function, column] */
static enum rowd_code read_term(const struct aggregate *a, const msgpack_object *o,
				struct aggregate_term *out, struct err *err)
{
	const msgpack_object_array *parts = &o->via.array;
	size_t i;
	enum rowd_code rc;

	if (o->type != MSGPACK_OBJECT_ARRAY || parts->size == 0 || parts->size > 2)
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "what to compute is [\"count\"] or [function, column]");
	for (i = 0; i < sizeof functions / sizeof *functions && !str_is(&parts->ptr[0], functions[i].name);
	     i++)
		;
	if (i == sizeof functions / sizeof *functions)
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "what can be computed is count, count_distinct, sum, min, max, avg");
	*out = (struct aggregate_term){ .fn = functions[i].fn };
	if (parts->size == 1 && out->fn == AGG_COUNT) {
		out->fn = AGG_COUNT_ROWS;
		return ROWD_OK;
	}
	if (parts->size == 1)
		return err_set(err, ROWD_E_BAD_REQUEST, "%s of what? [\"%s\", column] is due",
			       functions[i].name, functions[i].name);
	rc = plan_column(a->table, &parts->ptr[1], &out->column, err);
	return rc ? rc : check_function(a, out, functions[i].name, err);
}

static bool name_is(const char *name, const char *other, size_t len)
{
	return strlen(name) == len && memcmp(name, other, len) == 0;
}

static enum rowd_code check_name(const struct aggregate *a, const struct compute *c, struct err *err)
{
	if (c->name_len == 0 || c->name_len > FOREIGN_NAME_MAX_BYTES)
		return err_set(err, ROWD_E_BAD_REQUEST, "the name of what is computed has 1 to %d bytes",
			       FOREIGN_NAME_MAX_BYTES);
	if (!utf8_valid(c->name, c->name_len, NULL))
		return err_set(err, ROWD_E_INVALID_TEXT, "a name in compute is not UTF-8 without U+0000");
	for (unsigned i = 0; i < a->columns.n; i++)
		if (name_is(a->columns.list[i]->name, c->name, c->name_len))
			return err_set(err, ROWD_E_BAD_REQUEST, "%s is a column grouped by already",
				       a->columns.list[i]->name);
	return ROWD_OK;
}

static enum rowd_code read_computes(struct aggregate *a, struct err *err)
{
	const msgpack_object *o = a->req->options[OPT_COMPUTE];
	enum rowd_code rc = ROWD_OK;
	uint32_t n = o ? o->via.map.size : 0;

	if (n == 0)
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "aggregate: compute says what, {name: [function, column]}");
	if (n > TABLE_MAX_COLUMNS)
		return err_limit(err, TABLE_MAX_COLUMNS, "%u things to compute", (unsigned)n);
	a->computes = arena_calloc(a->x->arena, n, sizeof *a->computes);
	if (!a->computes)
		return no_memory(err);
	for (uint32_t i = 0; i < n && !rc; i++) {
		const msgpack_object_kv *kv = &o->via.map.ptr[i];
		struct compute *c = &a->computes[a->ncomputes++];

		c->name = kv->key.via.str.size > 0 ? kv->key.via.str.ptr : "";
		c->name_len = kv->key.via.str.size;
		rc = check_name(a, c, err);
		if (!rc)
			rc = read_term(a, &kv->val, &c->term, err);
	}
	return rc;
}

/* ---- groups and their order ---- */

static enum rowd_code read_groups(struct aggregate *a, struct err *err)
{
	const msgpack_object *o = a->req->options[OPT_GROUP_BY];
	enum rowd_code rc;

	if (!o)
		return ROWD_OK;
	rc = plan_columns(a->x, a->table, o, &a->columns, err);
	for (unsigned i = 0; i < a->columns.n && !rc; i++) {
		rc = check_comparable(a->columns.list[i], "a group", err);
		if (rc)
			err_where(err, a->table->name, a->columns.list[i]->name);
	}
	return rc;
}

/* Which of a group's values a name means. */
static bool find_value(const struct aggregate *a, const struct plan_term *t, unsigned *out)
{
	unsigned i;

	for (i = 0; i < a->columns.n; i++)
		if (name_is(a->columns.list[i]->name, t->name, t->len)) {
			*out = i;
			return true;
		}
	for (i = 0; i < a->ncomputes; i++)
		if (a->computes[i].name_len == t->len && memcmp(a->computes[i].name, t->name, t->len) == 0) {
			*out = a->columns.n + i;
			return true;
		}
	return false;
}

static bool is_key(const struct aggregate *a, unsigned position)
{
	for (unsigned i = 0; i < a->nkeys; i++)
		if (a->keys[i].position == position)
			return true;
	return false;
}

static enum rowd_code unknown_value(const struct aggregate *a, const struct plan_term *t, struct err *err)
{
	msgpack_object name = { .type = MSGPACK_OBJECT_STR };
	const struct column *column;
	enum rowd_code rc;

	name.via.str.ptr = t->name;
	name.via.str.size = (uint32_t)t->len;
	rc = plan_column(a->table, &name, &column, err);
	return rc ? rc
		  : err_set(err, ROWD_E_BAD_REQUEST, "groups are ordered by what they have, which %s is not",
			    column->name);
}

static enum rowd_code read_key(struct aggregate *a, const msgpack_object *o, struct err *err)
{
	struct plan_term t;
	unsigned position;

	plan_read_term(o, &t);
	if (!find_value(a, &t, &position))
		return unknown_value(a, &t, err);
	if (is_key(a, position))
		return err_set(err, ROWD_E_BAD_REQUEST, "order names the same twice");
	a->keys[a->nkeys++] = (struct sort_key){ position, t.descending, t.nulls_last };
	a->sorts |= position >= a->columns.n;
	return ROWD_OK;
}

/* The order asked for, then the columns grouped by: no two groups are equal in those. */
static enum rowd_code read_order(struct aggregate *a, struct err *err)
{
	const msgpack_object *o = a->req->options[OPT_ORDER];
	enum rowd_code rc = ROWD_OK;

	a->keys = arena_calloc(a->x->arena, values_count(a), sizeof *a->keys);
	if (!a->keys)
		return no_memory(err);
	if (o && o->via.array.size == 0)
		return err_set(err, ROWD_E_BAD_REQUEST, "an order names one column at least");
	for (uint32_t i = 0; o && i < o->via.array.size && !rc; i++)
		rc = read_key(a, &o->via.array.ptr[i], err);
	for (unsigned i = 0; i < a->columns.n && !rc; i++)
		if (!is_key(a, i))
			a->keys[a->nkeys++] = (struct sort_key){ .position = i };
	return rc;
}

/* ---- the statement ---- */

static bool plan_statement(const struct aggregate *a, const struct pred *where, struct select_stmt *q)
{
	struct aggregate_term *terms = arena_calloc(a->x->arena, a->ncomputes, sizeof *terms);
	struct order_term *order = arena_calloc(a->x->arena, a->nkeys, sizeof *order);

	if (!terms || !order)
		return false;
	*q = (struct select_stmt){
		.table = a->table,
		.columns = a->columns.list,
		.ncolumns = a->columns.n,
		.aggregates = terms,
		.naggregates = a->ncomputes,
		.grouped = a->columns.n > 0,
		.where = where,
		.order = order,
		.limit = -1,
	};
	for (unsigned i = 0; i < a->ncomputes; i++)
		terms[i] = a->computes[i].term;
	for (unsigned i = 0; i < a->nkeys && !a->sorts; i++)
		order[q->norder++] = (struct order_term){
			.column = a->columns.list[a->keys[i].position],
			.descending = a->keys[i].descending,
			.nulls_last = a->keys[i].nulls_last,
		};
	return true;
}

/* ---- from a row of the database to a group ---- */

static enum rowd_code read_sum(const struct value *v, sum_int *out, struct err *err)
{
	if (v->kind == VALUE_TEXT && sum_parse(v->u.s.data, v->u.s.len, out))
		return ROWD_OK;
	return err_set(err, ROWD_E_INTERNAL, "the database told a sum that is none");
}

static enum rowd_code fold_sum(const struct aggregate *a, const struct column *c, const struct value *in,
			       struct value *out, struct err *err)
{
	sum_int sum;
	enum rowd_code rc = read_sum(in, &sum, err);

	if (rc)
		return rc;
	*out = value_int(0);
	if (c->type.kind == TYPE_DECIMAL)
		*out = (struct value){ .kind = VALUE_DECIMAL, .scale = c->type.scale };
	if (sum_to_int64(sum, &out->u.i))
		return ROWD_OK;
	err_set(err, ROWD_E_OUT_OF_RANGE, "the sum of column %s has no room in 64 bits", c->name);
	err_where(err, a->table->name, c->name);
	return ROWD_E_OUT_OF_RANGE;
}

static enum rowd_code fold_average(const struct column *c, const struct value *in, struct value *out,
				   struct err *err)
{
	sum_int sum;
	enum rowd_code rc = read_sum(&in[0], &sum, err);

	if (rc)
		return rc;
	if (in[1].kind != VALUE_INT || in[1].u.i <= 0)
		return err_set(err, ROWD_E_INTERNAL, "the database told a count that is none");
	*out = (struct value){
		.kind = VALUE_FLOAT,
		.u.f = sum_average(sum, in[1].u.i, c->type.kind == TYPE_DECIMAL ? c->type.scale : 0),
	};
	return ROWD_OK;
}

/* Bytes of text outlive the row that they came with. */
static bool keep(struct aggregate *a, const struct value *in, struct value *out)
{
	*out = *in;
	a->bytes++;
	if (in->kind != VALUE_TEXT && in->kind != VALUE_BYTES)
		return true;
	out->u.s.data = arena_strndup(a->x->arena, in->u.s.data, in->u.s.len);
	a->bytes += in->u.s.len;
	return out->u.s.data != NULL;
}

static enum rowd_code fold(struct aggregate *a, const struct value *in, struct value *out, struct err *err)
{
	enum rowd_code rc = ROWD_OK;
	unsigned i;

	for (i = 0; i < a->columns.n; i++, in++, out++)
		if (!keep(a, in, out))
			return no_memory(err);
	for (i = 0; i < a->ncomputes && !rc; i++, in++, out++) {
		const struct aggregate_term *t = &a->computes[i].term;

		if (t->fn == AGG_SUM && in->kind != VALUE_NULL)
			rc = fold_sum(a, t->column, in, out, err);
		else if (t->fn == AGG_AVG && in->kind != VALUE_NULL)
			rc = fold_average(t->column, in, out, err);
		else if (!keep(a, in, out))
			rc = no_memory(err);
		if (t->fn == AGG_AVG)
			in++;
	}
	return rc;
}

/* Those that have no room in an answer are not kept. *full_out: no more of them. */
static enum rowd_code add_group(struct aggregate *a, const struct value *row, int64_t most, bool *full_out,
				struct err *err)
{
	struct group *g;
	enum rowd_code rc;

	*full_out = a->ngroups == (size_t)most || a->bytes > (size_t)a->x->limits->reply_bytes;
	if (*full_out)
		return ROWD_OK;
	g = arena_alloc(a->x->arena, sizeof *g + values_count(a) * sizeof *g->values);
	if (!g)
		return no_memory(err);
	g->next = NULL;
	rc = fold(a, row, g->values, err);
	if (rc)
		return rc;
	*a->last = g;
	a->last = &g->next;
	a->ngroups++;
	return ROWD_OK;
}

static enum rowd_code collect(struct aggregate *a, const struct select_stmt *q, int64_t most, struct err *err)
{
	const struct value *row = NULL;
	struct db_rows *rows;
	enum rowd_code rc;

	sql_select(a->x->sql, db_conn_dialect(a->x->conn), q);
	rc = db_query(a->x->conn, a->x->sql, &rows, err);
	if (rc)
		return rc;
	a->last = &a->first;
	do {
		rc = db_next(rows, &row, err);
		if (!rc && row)
			rc = add_group(a, row, most, &a->more, err);
	} while (!rc && row && !a->more);
	db_rows_end(rows);
	return rc;
}

/* ---- sorting, and the answer ---- */

static int compare_by(const struct sort_key *k, const struct value *x, const struct value *y)
{
	int order;

	if (x->kind == VALUE_NULL || y->kind == VALUE_NULL) {
		order = (y->kind == VALUE_NULL) - (x->kind == VALUE_NULL);
		return k->nulls_last ? -order : order;
	}
	order = value_compare(x, y);
	return k->descending ? -order : order;
}

static int compare_groups(const void *x, const void *y, void *arg)
{
	const struct group *const *g = x, *const *h = y;
	const struct aggregate *a = arg;
	int order = 0;

	for (unsigned i = 0; i < a->nkeys && order == 0; i++) {
		unsigned position = a->keys[i].position;

		order = compare_by(&a->keys[i], &(*g)->values[position], &(*h)->values[position]);
	}
	return order;
}

static enum rowd_code too_many_groups(const struct aggregate *a, struct err *err)
{
	const struct limits *limits = a->x->limits;

	if (a->ngroups == (size_t)limits->reply_rows)
		return err_limit(err, limits->reply_rows,
				 "the number of groups to be ordered by something computed");
	return err_limit(err, limits->reply_bytes, "the size of groups to be ordered by something computed");
}

static enum rowd_code sort_groups(struct aggregate *a, struct err *err)
{
	struct group **all = arena_alloc(a->x->arena, a->ngroups * sizeof *all), *g = a->first;

	if (a->more)
		return too_many_groups(a, err);
	if (!all)
		return no_memory(err);
	for (size_t i = 0; i < a->ngroups; i++, g = g->next)
		all[i] = g;
	qsort_r(all, a->ngroups, sizeof *all, compare_groups, a);
	a->last = &a->first;
	for (size_t i = 0; i < a->ngroups; i++) {
		*a->last = all[i];
		a->last = &all[i]->next;
	}
	*a->last = NULL;
	return ROWD_OK;
}

/* The groups that fit, as one array. */
static enum rowd_code write_groups(struct aggregate *a, int64_t limit, size_t start, struct err *err)
{
	struct buf *out = a->x->out;
	size_t end = exec_reply_end(a->x, start), open = wire_array_open(out), before = out->len;
	const struct group *g;
	uint32_t n = 0;

	for (g = a->first; g && n < limit; g = g->next, n++) {
		before = out->len;
		exec_write_row(out, g->values, values_count(a));
		if (out->failed || out->len > end)
			break;
	}
	if (g && n < limit) {
		if (n == 0 || a->x->inline_read)
			return err_limit(err, a->x->limits->reply_bytes, "the reply");
		buf_truncate(out, before);
	}
	a->more |= g != NULL;
	wire_array_close(out, open, n);
	return ROWD_OK;
}

static void write_columns(const struct aggregate *a)
{
	struct buf *out = a->x->out;
	unsigned i;

	wire_array(out, values_count(a));
	for (i = 0; i < a->columns.n; i++)
		wire_cstr(out, a->columns.list[i]->name);
	for (i = 0; i < a->ncomputes; i++)
		wire_str(out, a->computes[i].name, a->computes[i].name_len);
}

/* {columns, rows, more} */
static enum rowd_code answer(struct aggregate *a, int64_t limit, struct err *err)
{
	struct buf *out = a->x->out;
	size_t start = out->len;
	enum rowd_code rc;

	wire_map(out, 3);
	wire_cstr(out, "columns");
	write_columns(a);
	wire_cstr(out, "rows");
	rc = write_groups(a, limit, start, err);
	if (rc)
		return rc;
	wire_cstr(out, "more");
	wire_bool(out, a->more);
	return ROWD_OK;
}

static enum rowd_code run(struct aggregate *a, struct select_stmt *q, struct err *err)
{
	int64_t limit;
	enum rowd_code rc = plan_row_limit(a->x, a->req, &limit, err);

	if (rc)
		return rc;
	if (!a->sorts)
		q->limit = limit + 1;
	rc = collect(a, q, a->sorts ? a->x->limits->reply_rows : limit, err);
	if (!rc && a->sorts)
		rc = sort_groups(a, err);
	return rc ? rc : answer(a, limit, err);
}

enum rowd_code op_aggregate(struct exec *x, const struct request *req, struct err *err)
{
	struct aggregate a = { .x = x, .req = req };
	const struct pred *where;
	struct select_stmt q;
	enum rowd_code rc = plan_table(x, req, &a.table, err);

	if (!rc)
		rc = plan_filter(x, a.table, req->options[OPT_WHERE], &where, err);
	if (!rc)
		rc = read_groups(&a, err);
	if (!rc)
		rc = read_computes(&a, err);
	if (!rc)
		rc = read_order(&a, err);
	if (!rc && !plan_statement(&a, where, &q))
		rc = no_memory(err);
	return rc ? rc : run(&a, &q, err);
}
