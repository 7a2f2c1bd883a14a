#include "config.h"

#include <string.h>

#include "daemon/ops/ops.h"
#include "daemon/plan/plan.h"

/*
 * Several operations, all or none. Their shapes are looked at first, all of them; then each is carried
 * out as if it stood alone. What fails names its place.
 */

static bool is_elsewhere(const struct exec *x, const struct request *part)
{
	const char *own = plan_database(x), *db, *table;
	size_t db_len, table_len;

	if (part->op->params[0].kind != PARAM_TABLE)
		return false;
	request_table(part, &db, &db_len, &table, &table_len);
	return db_len > 0 && (db_len != strlen(own) || memcmp(db, own, db_len) != 0);
}

static enum rowd_code read_part(const struct exec *x, const msgpack_object *o, struct request *out,
				struct err *err)
{
	enum rowd_code rc = request_read_op(o, out, err);

	if (rc)
		return rc;
	if (out->op->place == PLACE_SCHEMA)
		return err_set(err, ROWD_E_TX_OPEN, "%s cannot be part of atomic", out->op->name);
	if (!(out->op->flags & OPF_ATOMIC))
		return err_set(err, ROWD_E_BAD_REQUEST, "%s cannot be part of atomic", out->op->name);
	if (out->options[OPT_REQUEST_ID])
		return err_set(err, ROWD_E_BAD_REQUEST, "atomic has one request_id, its parts have none");
	if (is_elsewhere(x, out))
		return err_set(err, ROWD_E_BAD_REQUEST, "the operations of atomic are of one database");
	if (request_flag(out, OPT_STREAM))
		return err_set(err, ROWD_E_BAD_REQUEST, "there are no streams in atomic");
	return ROWD_OK;
}

static enum rowd_code check_parts(const struct exec *x, const msgpack_object_array *parts, struct err *err)
{
	enum rowd_code rc = ROWD_OK;

	if (parts->size == 0)
		return err_set(err, ROWD_E_BAD_REQUEST, "atomic has one operation at least");
	for (uint32_t i = 0; i < parts->size && !rc; i++) {
		struct request part;

		rc = read_part(x, &parts->ptr[i], &part, err);
		if (rc)
			err->index = (int64_t)i;
	}
	return rc;
}

enum rowd_code op_atomic(struct exec *x, const struct request *req, struct err *err)
{
	const msgpack_object_array *parts = &req->params[0]->via.array;
	struct exec inner = *x;
	struct arena arena;
	enum rowd_code rc = check_parts(x, parts, err);

	if (rc)
		return rc;
	arena_init(&arena);
	inner.arena = &arena;
	inner.batch = NULL;
	inner.in_transaction = true;
	wire_array(x->out, parts->size);
	for (uint32_t i = 0; i < parts->size && !rc; i++) {
		struct request part;

		rc = read_part(x, &parts->ptr[i], &part, err);
		if (!rc)
			rc = exec_request(&inner, &part, err);
		if (rc)
			err->index = (int64_t)i;
		arena_reset(&arena);
	}
	arena_fini(&arena);
	x->next_savepoint = inner.next_savepoint;
	return rc;
}
