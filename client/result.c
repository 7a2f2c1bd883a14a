#include "config.h"

#include "client/private.h"

#include <stdlib.h>
#include <string.h>

#include "proto/rpc.h"
#include "proto/value.h"

static const msgpack_object nil = { .type = MSGPACK_OBJECT_NIL };

/* Where the answer and the error stand in the envelope, which conn.c has seen to be one. */
static enum rowd_code envelope_read(struct rowd_result *r, struct rowd_error *err)
{
	const msgpack_object *o = &r->unpacked.data, *parts = o->via.array.ptr;

	r->error = &nil;
	if (o->via.array.size == 4) {
		r->error = &parts[2];
		r->value = &parts[3];
		return ROWD_OK;
	}
	if (parts[2].type != MSGPACK_OBJECT_ARRAY || parts[2].via.array.size != 2)
		return error_set(err, ROWD_E_INTERNAL, "the daemon sent rows that cannot be read");
	r->value = &parts[2].via.array.ptr[1];
	return ROWD_OK;
}

enum rowd_code result_decode(char *frame, size_t len, struct rowd_result **out, struct rowd_error *err)
{
	struct rowd_result *r = calloc(1, sizeof(*r));
	enum rowd_code rc;
	size_t off = 0;

	if (!r) {
		free(frame);
		return error_set(err, ROWD_E_NO_RESOURCE, "no memory to read the answer");
	}
	r->frame = frame;
	msgpack_unpacked_init(&r->unpacked);
	switch (msgpack_unpack_next(&r->unpacked, frame, len, &off)) {
	case MSGPACK_UNPACK_SUCCESS:
	case MSGPACK_UNPACK_EXTRA_BYTES:
		rc = envelope_read(r, err);
		break;
	case MSGPACK_UNPACK_NOMEM_ERROR:
		rc = error_set(err, ROWD_E_NO_RESOURCE, "no memory to read the answer");
		break;
	case MSGPACK_UNPACK_CONTINUE:
	case MSGPACK_UNPACK_PARSE_ERROR:
	default:
		rc = error_set(err, ROWD_E_INTERNAL, "the daemon sent an answer that cannot be read");
	}
	if (rc) {
		rowd_result_free(r);
		return rc;
	}
	*out = r;
	return ROWD_OK;
}

void rowd_result_free(struct rowd_result *r)
{
	if (!r)
		return;
	msgpack_unpacked_destroy(&r->unpacked);
	free(r->rows);
	free(r->frame);
	free(r);
}

enum rowd_code result_of_value(const struct rowd_value *v, struct rowd_result **out, struct rowd_error *err)
{
	char *frame;
	size_t len;
	struct buf b;

	buf_init(&b, REQUEST_MAX_BYTES);
	rpc_write_result_head(&b, 0);
	value_append(&b, v);
	buf_add_char(&b, '\0');
	if (b.failed) {
		buf_fini(&b);
		return error_set(err, ROWD_E_NO_RESOURCE, "no memory to look at a value");
	}
	frame = buf_take(&b, &len);
	return result_decode(frame, len - 1, out, err);
}

const struct rowd_item *rowd_result_item(const struct rowd_result *r)
{
	return (const struct rowd_item *)(const void *)r->value;
}

/* ---- rows ---- */

static const msgpack_object *member(const msgpack_object *map, const char *name, msgpack_object_type type)
{
	const void *o = rowd_item_get((const struct rowd_item *)(const void *)map, name);

	return o && ((const msgpack_object *)o)->type == type ? o : NULL;
}

static enum rowd_code rows_new(struct rowd_result *r, size_t n, struct rowd_error *err)
{
	if (n == 0)
		return ROWD_OK;
	r->rows = calloc(n, sizeof(*r->rows));
	if (!r->rows)
		return error_set(err, ROWD_E_NO_RESOURCE, "no memory for the rows of an answer");
	return ROWD_OK;
}

/* Take rows, if each is as wide as columns. */
static enum rowd_code rows_take(struct rowd_result *r, const msgpack_object *columns,
				const msgpack_object *rows, struct rowd_error *err)
{
	uint32_t width = columns->via.array.size, n = rows->via.array.size, i;
	enum rowd_code rc;

	for (i = 0; i < n; i++) {
		const msgpack_object *row = &rows->via.array.ptr[i];

		if (row->type != MSGPACK_OBJECT_ARRAY || row->via.array.size != width)
			return error_set(err, ROWD_E_INTERNAL,
					 "the daemon sent rows that are not as wide as "
					 "their columns");
	}
	rc = rows_new(r, n, err);
	if (rc)
		return rc;
	for (i = 0; i < n; i++)
		r->rows[i] = (struct rowd_row){ r, &rows->via.array.ptr[i] };
	r->nrows = n;
	r->columns = columns;
	return ROWD_OK;
}

enum rowd_code result_find_rows(struct rowd_result *r, bool is_get, struct rowd_error *err)
{
	const msgpack_object *columns, *rows, *more;
	enum rowd_code rc;

	if (r->value->type != MSGPACK_OBJECT_MAP)
		return ROWD_OK;
	if (is_get) {
		rc = rows_new(r, 1, err);
		if (rc)
			return rc;
		r->rows[0] = (struct rowd_row){ r, r->value };
		r->nrows = 1;
		return ROWD_OK;
	}
	columns = member(r->value, "columns", MSGPACK_OBJECT_ARRAY);
	rows = member(r->value, "rows", MSGPACK_OBJECT_ARRAY);
	if (!columns || !rows)
		return ROWD_OK;
	more = member(r->value, "more", MSGPACK_OBJECT_BOOLEAN);
	r->more = more && more->via.boolean;
	return rows_take(r, columns, rows, err);
}

enum rowd_code result_descend(struct rowd_result *r, const char *name, struct rowd_error *err)
{
	r->value = (const void *)rowd_item_get(rowd_result_item(r), name);
	return result_find_rows(r, false, err);
}

enum rowd_code result_batch_rows(struct rowd_result *r, const msgpack_object *columns, struct rowd_error *err)
{
	if (r->value->type != MSGPACK_OBJECT_ARRAY)
		return error_set(err, ROWD_E_INTERNAL, "the daemon sent rows that cannot be read");
	return rows_take(r, columns, r->value, err);
}

size_t rowd_result_rows(const struct rowd_result *r)
{
	return r->nrows;
}

size_t rowd_result_columns(const struct rowd_result *r)
{
	if (r->columns)
		return r->columns->via.array.size;
	return r->nrows ? rowd_row_columns(&r->rows[0]) : 0;
}

const char *rowd_result_column(const struct rowd_result *r, size_t column)
{
	const void *o = r->columns;

	if (o)
		return rowd_item_str(rowd_item_at(o, column), NULL);
	return r->nrows ? rowd_item_name((const void *)r->rows[0].cells, column) : NULL;
}

const struct rowd_row *rowd_result_row(const struct rowd_result *r, size_t row)
{
	return row < r->nrows ? &r->rows[row] : NULL;
}

bool rowd_result_more(const struct rowd_result *r)
{
	return r->more;
}

int64_t rowd_result_count(const struct rowd_result *r)
{
	static const char *const names[] = { "deleted", "updated", "inserted", "matched" };
	const struct rowd_item *item = rowd_result_item(r);
	int64_t n, sum = 0;
	bool any = false;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (rowd_item_int(rowd_item_get(item, names[i]), &n) && n >= 0 &&
		    !__builtin_add_overflow(sum, n, &sum))
			any = true;
	}
	return any ? sum : -1;
}
