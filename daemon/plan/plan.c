#include "config.h"

#include "daemon/plan/plan.h"

#include <string.h>

#include "daemon/plan/pred.h"

enum { INLINE_OPERATORS = 50 };

static enum rowd_code no_memory(struct err *err)
{
	return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the request");
}

static const char *str_start(const msgpack_object *o)
{
	return o->via.str.size > 0 ? o->via.str.ptr : "";
}

const char *plan_database(const struct exec *x)
{
	return db_conn_db(x->conn)->source.name;
}

/* ---- the table ---- */

/* There is no such table; who may not know that is denied. */
static enum rowd_code unknown_table(struct exec *x, enum op_permission permission, const char *name,
				    size_t len, struct err *err)
{
	char *text = arena_strndup(x->arena, name, len);
	enum rowd_code rc;

	if (!text)
		return no_memory(err);
	rc = policy_check(x->caller, permission, plan_database(x), text, err);
	if (rc)
		return rc;
	err_set(err, ROWD_E_UNKNOWN_TABLE, "there is no table \"%s\"", text);
	err_where(err, text, NULL);
	return ROWD_E_UNKNOWN_TABLE;
}

enum rowd_code plan_table(struct exec *x, const struct request *req, const struct table **out,
			  struct err *err)
{
	const char *own = plan_database(x), *db, *name;
	size_t db_len, len;

	request_table(req, &db, &db_len, &name, &len);
	if (name != db && (db_len != strlen(own) || memcmp(db, own, db_len) != 0))
		return err_set(err, ROWD_E_UNSUPPORTED, "here a table is one of the database \"%s\"", own);
	*out = catalog_find(db_catalog(x->conn), name, len);
	if (!*out)
		return unknown_table(x, req->op->permission, name, len, err);
	return policy_check(x->caller, req->op->permission, own, (*out)->name, err);
}

/* ---- filters ---- */

static enum rowd_code may_read(void *arg, const struct table *t, struct err *err)
{
	const struct exec *x = arg;

	return policy_check(x->caller, PERM_READ, plan_database(x), t->name, err);
}

enum rowd_code plan_filter(struct exec *x, const struct table *table, const msgpack_object *o,
			   const struct pred **out, struct err *err)
{
	struct filter_context ctx = {
		.catalog = db_catalog(x->conn),
		.limits = x->limits,
		.arena = x->arena,
		.may_read = may_read,
		.may_read_arg = x,
		.operators = x->filter_operators,
	};
	enum rowd_code rc = ROWD_OK;

	*out = NULL;
	if (o)
		rc = filter_read(&ctx, table, o, out, err);
	x->filter_operators = ctx.operators;
	/* SQLite compiles a filter in the square of its operators, and cannot be stopped while it does */
	if (!rc && x->inline_read && ctx.operators > INLINE_OPERATORS)
		return err_set(err, ROWD_E_LIMIT, "not on the loop");
	return rc;
}

/* ---- columns and values ---- */

enum rowd_code plan_column(const struct table *table, const msgpack_object *o, const struct column **out,
			   struct err *err)
{
	char text[ERR_NAME_BYTES] = "";
	size_t len;

	if (o->type != MSGPACK_OBJECT_STR)
		return err_set(err, ROWD_E_BAD_REQUEST, "a column's name is due, %s came", wire_kind_name(o));
	*out = table_column(table, str_start(o), o->via.str.size);
	if (*out)
		return ROWD_OK;
	len = o->via.str.size < sizeof text ? o->via.str.size : sizeof text - 1;
	memcpy(text, str_start(o), len);
	err_set(err, ROWD_E_UNKNOWN_COLUMN, "table %s has no column \"%s\"", table->name, text);
	err_where(err, table->name, text);
	return ROWD_E_UNKNOWN_COLUMN;
}

enum rowd_code plan_operand(struct exec *x, const struct table *table, const struct column *column,
			    const msgpack_object *o, struct value *out, struct err *err)
{
	enum rowd_code rc;

	if (o->type == MSGPACK_OBJECT_NIL && !column->nullable)
		rc = err_set(err, ROWD_E_NULL_NOT_ALLOWED, "column %s is never null", column->name);
	else
		rc = value_from_wire(o, &column->type, (size_t)x->limits->value_bytes, false, out, err);
	if (rc)
		err_where(err, table->name, column->name);
	return rc;
}

enum rowd_code plan_key(struct exec *x, const struct table *table, const msgpack_object *o,
			const struct value **values_out, struct err *err)
{
	const struct key *key = &table->primary_key;
	const msgpack_object *elements = o;
	uint32_t n = 1;
	struct value *values;
	enum rowd_code rc = ROWD_OK;

	if (key->ncolumns == 0) {
		err_set(err, ROWD_E_UNSUPPORTED, "table %s has no primary key", table->name);
		err_where(err, table->name, NULL);
		return ROWD_E_UNSUPPORTED;
	}
	if (o->type == MSGPACK_OBJECT_ARRAY) {
		elements = o->via.array.ptr;
		n = o->via.array.size;
	}
	if (n != key->ncolumns)
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "the primary key of %s has %u columns, %u values came", table->name,
			       key->ncolumns, (unsigned)n);
	values = arena_alloc(x->arena, n * sizeof *values);
	if (!values)
		return no_memory(err);
	for (uint32_t i = 0; i < n && !rc; i++)
		rc = plan_operand(x, table, key->columns[i], &elements[i], &values[i], err);
	if (!rc)
		*values_out = values;
	return rc;
}

/* ---- lists of columns ---- */

static enum rowd_code all_columns(struct exec *x, const struct table *table, struct plan_columns *out,
				  struct err *err)
{
	out->n = table->ncolumns;
	out->list = arena_alloc(x->arena, out->n * sizeof *out->list);
	if (!out->list)
		return no_memory(err);
	for (unsigned i = 0; i < out->n; i++)
		out->list[i] = &table->columns[i];
	return ROWD_OK;
}

enum rowd_code plan_columns(struct exec *x, const struct table *table, const msgpack_object *o,
			    struct plan_columns *out, struct err *err)
{
	const msgpack_object_array *names;
	bool *seen;

	if (!o)
		return all_columns(x, table, out, err);
	names = &o->via.array;
	if (names->size == 0)
		return err_set(err, ROWD_E_BAD_REQUEST, "a list of columns names one at least");
	out->n = 0;
	out->list = arena_alloc(x->arena, table->ncolumns * sizeof *out->list);
	seen = arena_calloc(x->arena, table->ncolumns, sizeof *seen);
	if (!out->list || !seen)
		return no_memory(err);
	for (uint32_t i = 0; i < names->size; i++) {
		const struct column *column;
		enum rowd_code rc = plan_column(table, &names->ptr[i], &column, err);

		if (rc)
			return rc;
		if (seen[column->position]) {
			err_set(err, ROWD_E_BAD_REQUEST, "column %s is named twice", column->name);
			err_where(err, table->name, column->name);
			return ROWD_E_BAD_REQUEST;
		}
		seen[column->position] = true;
		out->list[out->n++] = column;
	}
	return ROWD_OK;
}

/* Copied, for the catalog's own list is of pointers that nobody may change. */
static enum rowd_code key_columns(struct exec *x, const struct table *table, struct plan_columns *out,
				  struct err *err)
{
	const struct key *key = &table->primary_key;

	if (key->ncolumns == 0) {
		err_set(err, ROWD_E_UNSUPPORTED, "table %s has no primary key to return", table->name);
		err_where(err, table->name, NULL);
		return ROWD_E_UNSUPPORTED;
	}
	out->n = key->ncolumns;
	out->list = arena_alloc(x->arena, out->n * sizeof *out->list);
	if (!out->list)
		return no_memory(err);
	memcpy(out->list, key->columns, out->n * sizeof *out->list);
	return ROWD_OK;
}

enum rowd_code plan_returning(struct exec *x, const struct request *req, const struct table *table,
			      struct plan_columns *out, struct err *err)
{
	const msgpack_object *o = req->options[OPT_RETURNING];
	enum rowd_code rc;

	*out = (struct plan_columns){ NULL, 0 };
	if (!o)
		return ROWD_OK;
	rc = may_read(x, table, err);
	if (rc)
		return rc;
	if (o->type == MSGPACK_OBJECT_ARRAY)
		return plan_columns(x, table, o, out, err);
	if (o->via.str.ptr[0] == 'k')
		return key_columns(x, table, out, err);
	return all_columns(x, table, out, err);
}

/* ---- limits ---- */

enum rowd_code plan_row_limit(struct exec *x, const struct request *req, int64_t *out, struct err *err)
{
	int64_t most = x->limits->reply_rows;
	int64_t limit = request_uint(req, OPT_LIMIT, most);

	if (limit > most)
		return err_limit(err, most, "a limit of %lld rows", (long long)limit);
	*out = limit;
	return ROWD_OK;
}
