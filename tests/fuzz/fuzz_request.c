/*
 * Requests and values. Input: one byte that chooses the operation, then the params.
 * What request_read accepts must be as the operation asks; what value_from_wire accepts must
 * come back from value_to_wire as the same value.
 */
#include "config.h"

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "proto/frame.h"
#include "proto/request.h"
#include "proto/value.h"

enum { MAX_BYTES = 65536, MAX_VALUES = 5000, MAX_NESTING = 17, MAX_VALUE_BYTES = 1000 };

static const struct type types[] = {
	{ .kind = TYPE_INT },
	{ .kind = TYPE_BOOL },
	{ .kind = TYPE_FLOAT },
	{ .kind = TYPE_TIME },
	{ .kind = TYPE_DECIMAL, .digits = 18, .scale = 6 },
	{ .kind = TYPE_DECIMAL, .digits = 3, .scale = 3 },
	{ .kind = TYPE_TEXT },
	{ .kind = TYPE_TEXT, .length = 5 },
	{ .kind = TYPE_BYTES },
	{ .kind = TYPE_BYTES, .length = 5 },
	{ .kind = TYPE_ANY },
};

/* Written, and read again. */
static void value_travels(const struct type *t, const struct value *v)
{
	msgpack_unpacked u;
	struct value again;
	struct err err;
	struct buf b;
	size_t off = 0;

	buf_init(&b, 2 * MAX_VALUE_BYTES);
	value_to_wire(&b, v);
	MUST(!b.failed);
	msgpack_unpacked_init(&u);
	MUST(msgpack_unpack_next(&u, b.data, b.len, &off) == MSGPACK_UNPACK_SUCCESS && off == b.len);
	MUST(value_from_wire(&u.data, t, MAX_VALUE_BYTES, true, &again, &err) == ROWD_OK);
	MUST(value_equal(v, &again) && value_compare(v, &again) == 0);
	msgpack_unpacked_destroy(&u);
	buf_fini(&b);
}

static void time_is_stored(const struct value *v)
{
	char text[27];
	int64_t again;

	value_time_format(v->u.i, text);
	MUST(value_time_parse(text, 26, &again) == 0 && again == v->u.i);
}

static void try_value(const msgpack_object *o)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct value v;
		struct err err;
		enum rowd_code rc = value_from_wire(o, &types[i], MAX_VALUE_BYTES, true, &v, &err);

		if (rc) {
			MUST(err.code == rc && err.text[0]);
			continue;
		}
		value_travels(&types[i], &v);
		if (v.kind == VALUE_TIME)
			time_is_stored(&v);
	}
}

/* Every value within o, and whether any map has a key that is no str or one given twice. */
static bool try_values(const msgpack_object *o)
{
	bool sound = true;

	if (o->type == MSGPACK_OBJECT_ARRAY) {
		for (uint32_t i = 0; i < o->via.array.size; i++)
			sound &= try_values(&o->via.array.ptr[i]);
	} else if (o->type == MSGPACK_OBJECT_MAP) {
		const msgpack_object_kv *kv = o->via.map.ptr;

		for (uint32_t i = 0; i < o->via.map.size; i++) {
			sound &= kv[i].key.type == MSGPACK_OBJECT_STR;
			for (uint32_t j = 0; j < i; j++)
				sound &= !msgpack_object_equal(kv[i].key, kv[j].key);
			sound &= try_values(&kv[i].val);
		}
	} else {
		struct type t;
		struct err err;

		try_value(o);
		if (o->type == MSGPACK_OBJECT_STR)
			(void)!type_parse(o->via.str.ptr, o->via.str.size, &t, &err);
	}
	return sound;
}

static void look_at(const struct request *r)
{
	const char *db, *table;
	size_t db_len, table_len;

	for (unsigned i = 0; i < OP_MAX_PARAMS; i++)
		MUST((r->params[i] != NULL) == (i < r->op->nrequired) ||
		     (i >= r->op->nrequired && i < r->op->nparams));
	for (int o = 0; o < OPT_COUNT_; o++)
		MUST(!r->options[o] ||
		     (r->op->options >> o & 1 && r->options[o]->type != MSGPACK_OBJECT_NIL));
	if (r->op->nparams > 0 && r->op->params[0].kind == PARAM_TABLE) {
		request_table(r, &db, &db_len, &table, &table_len);
		MUST(db_len + table_len + (table != db) == r->params[0]->via.str.size);
	}
}

static void read_request(const struct op *op, const msgpack_object *params, bool sound)
{
	struct request r, inner;
	struct err err;
	enum rowd_code rc = request_read(op, params, &r, &err);

	if (rc) {
		MUST(err.code == rc && err.text[0]);
		return;
	}
	MUST(sound);
	look_at(&r);
	if (op->id != OP_ATOMIC)
		return;
	for (uint32_t i = 0; i < r.params[0]->via.array.size; i++) {
		if (request_read_op(&r.params[0]->via.array.ptr[i], &inner, &err) == ROWD_OK)
			look_at(&inner);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const char *data = (const char *)bytes + 1;
	msgpack_unpacked u;
	struct frame f;
	size_t off = 0;

	op_init();
	if (len < 2)
		return 0;
	(void)op_find(data, len - 1 < 20 ? len - 1 : 20);
	frame_init(&f, MAX_BYTES, MAX_NESTING, MAX_VALUES);
	if (frame_scan(&f, data, len - 1) != FRAME_DONE)
		return 0;
	msgpack_unpacked_init(&u);
	MUST(msgpack_unpack_next(&u, data, f.scanned, &off) == MSGPACK_UNPACK_SUCCESS);
	read_request(op_get((enum op_id)(bytes[0] % OP_COUNT_)), &u.data, try_values(&u.data));
	msgpack_unpacked_destroy(&u);
	return 0;
}
