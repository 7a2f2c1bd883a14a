#include "config.h"

#include "proto/request.h"

#include <assert.h>
#include <string.h>

#include "proto/keys.h"
#include "proto/value.h"

static const char *const param_due[] = {
	[PARAM_STR] = "a str",
	[PARAM_UINT] = "an int of 0 to 2^63-1",
	[PARAM_TABLE] = "a str, \"table\" or \"database.table\",",
	[PARAM_DATABASE] = "a str, a database's name,",
	[PARAM_KEY] = "one value, or an array of values,",
	[PARAM_FILTER] = "a filter, a map or an array,",
	[PARAM_MAP] = "a map",
	[PARAM_ROWS] = "a row as a map, or an array of them,",
	[PARAM_COLUMNS] = "an array of column names",
	[PARAM_OPS] = "an array of [method, ...params]",
};

static const char *const option_due[] = {
	[OPTION_BOOL] = "a bool",
	[OPTION_UINT] = "an int of 0 to 2^63-1",
	[OPTION_STR] = "a str",
	[OPTION_NAMES] = "an array of str",
	[OPTION_FILTER] = "a filter, a map or an array,",
	[OPTION_VALUES] = "an array",
	[OPTION_RETURNING] = "\"keys\", \"rows\" or an array of column names",
	[OPTION_MAP] = "a map",
};

static bool is_uint(const msgpack_object *o)
{
	return o->type == MSGPACK_OBJECT_POSITIVE_INTEGER && o->via.u64 <= INT64_MAX;
}

static bool is_filter(const msgpack_object *o)
{
	return o->type == MSGPACK_OBJECT_MAP || o->type == MSGPACK_OBJECT_ARRAY;
}

static bool str_is(const msgpack_object *o, const char *s)
{
	return o->via.str.size == strlen(s) && memcmp(o->via.str.ptr, s, o->via.str.size) == 0;
}

/* An array of elements that are all of one type. */
static bool is_array_of(const msgpack_object *o, msgpack_object_type type)
{
	if (o->type != MSGPACK_OBJECT_ARRAY)
		return false;
	for (uint32_t i = 0; i < o->via.array.size; i++) {
		if (o->via.array.ptr[i].type != type)
			return false;
	}
	return true;
}

static bool param_fits(const msgpack_object *o, enum param_kind kind)
{
	switch (kind) {
	case PARAM_STR:
	case PARAM_TABLE:
	case PARAM_DATABASE:
		return o->type == MSGPACK_OBJECT_STR;
	case PARAM_UINT:
		return is_uint(o);
	case PARAM_KEY:
		return o->type != MSGPACK_OBJECT_MAP;
	case PARAM_FILTER:
		return is_filter(o);
	case PARAM_MAP:
		return o->type == MSGPACK_OBJECT_MAP;
	case PARAM_ROWS:
		return o->type == MSGPACK_OBJECT_MAP || is_array_of(o, MSGPACK_OBJECT_MAP);
	case PARAM_COLUMNS:
		return is_array_of(o, MSGPACK_OBJECT_STR);
	case PARAM_OPS:
		return o->type == MSGPACK_OBJECT_ARRAY;
	}
	return false;
}

static bool option_fits(const msgpack_object *o, enum option_kind kind)
{
	switch (kind) {
	case OPTION_BOOL:
		return o->type == MSGPACK_OBJECT_BOOLEAN;
	case OPTION_UINT:
		return is_uint(o);
	case OPTION_STR:
		return o->type == MSGPACK_OBJECT_STR;
	case OPTION_NAMES:
		return is_array_of(o, MSGPACK_OBJECT_STR);
	case OPTION_FILTER:
		return is_filter(o);
	case OPTION_VALUES:
		return o->type == MSGPACK_OBJECT_ARRAY;
	case OPTION_RETURNING:
		return (o->type == MSGPACK_OBJECT_STR && (str_is(o, "keys") || str_is(o, "rows"))) ||
		       is_array_of(o, MSGPACK_OBJECT_STR);
	case OPTION_MAP:
		return o->type == MSGPACK_OBJECT_MAP;
	}
	return false;
}

/* What came; an array where one was due held the wrong things. */
static const char *what_came(const msgpack_object *o, bool array_due)
{
	return array_due && o->type == MSGPACK_OBJECT_ARRAY ? "an array of other things" : wire_kind_name(o);
}

static enum rowd_code text_check(const msgpack_object *o, const char *name, struct err *err)
{
	if (o->type == MSGPACK_OBJECT_STR && !utf8_valid(o->via.str.ptr, o->via.str.size, NULL))
		return err_set(err, ROWD_E_INVALID_TEXT, "%s is not UTF-8 without U+0000", name);
	return ROWD_OK;
}

static enum rowd_code param_read(const struct op *op, unsigned i, const msgpack_object *o,
				 struct request *out, struct err *err)
{
	const struct op_param *p = &op->params[i];

	if (p->kind == PARAM_FILTER && o->type == MSGPACK_OBJECT_NIL)
		return err_set(err, ROWD_E_EMPTY_FILTER, "%s: nil is no filter", op->name);
	if (!param_fits(o, p->kind))
		return err_set(err, ROWD_E_BAD_REQUEST, "%s: %s is due as %s, %s came", op->name,
			       param_due[p->kind], p->name,
			       what_came(o, p->kind == PARAM_ROWS || p->kind == PARAM_COLUMNS));
	out->params[i] = o;
	return p->kind == PARAM_STR ? text_check(o, p->name, err) : ROWD_OK;
}

static enum rowd_code option_read(const msgpack_object_kv *kv, struct request *out, struct err *err)
{
	const msgpack_object_str *key = &kv->key.via.str;
	int id = option_find(key->ptr, key->size);
	const struct option_info *info;

	if (id < 0 || !(out->op->options >> id & 1))
		return err_set(err, ROWD_E_BAD_REQUEST, "%s takes no option \"%.*s\"", out->op->name,
			       key->size < ERR_NAME_BYTES ? (int)key->size : ERR_NAME_BYTES,
			       key->size > 0 ? key->ptr : "");
	info = option_get((enum op_option)id);
	if (!option_fits(&kv->val, info->kind))
		return err_set(
			err, ROWD_E_BAD_REQUEST, "%s: %s is due as option %s, %s came", out->op->name,
			option_due[info->kind], info->name,
			what_came(&kv->val, info->kind == OPTION_NAMES || info->kind == OPTION_RETURNING));
	out->options[id] = &kv->val;
	return info->kind == OPTION_STR ? text_check(&kv->val, info->name, err) : ROWD_OK;
}

static enum rowd_code options_read(const msgpack_object *o, struct request *out, struct err *err)
{
	enum rowd_code rc = ROWD_OK;

	if (o->type != MSGPACK_OBJECT_MAP)
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "%s: only a map of options can stand behind its %u parameters, %s came",
			       out->op->name, out->op->nparams, wire_kind_name(o));
	for (uint32_t i = 0; i < o->via.map.size && rc == ROWD_OK; i++)
		rc = option_read(&o->via.map.ptr[i], out, err);
	return rc;
}

/* n elements in their places. Their maps' keys were looked at. */
static enum rowd_code place(const struct op *op, const msgpack_object *elements, uint32_t n,
			    struct request *out, struct err *err)
{
	unsigned given = n < op->nparams ? n : op->nparams;
	enum rowd_code rc;

	*out = (struct request){ .op = op };
	if (n < op->nrequired)
		return err_set(err, ROWD_E_BAD_REQUEST, "%s: %s is missing; it takes %u parameters, %u came",
			       op->name, op->params[n].name, op->nrequired, (unsigned)n);
	if (n > op->nparams + 1)
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "%s takes %u parameters and a map of options, %u came", op->name, op->nparams,
			       (unsigned)n);
	for (unsigned i = 0; i < given; i++) {
		rc = param_read(op, i, &elements[i], out, err);
		if (rc)
			return rc;
	}
	return n > given ? options_read(&elements[given], out, err) : ROWD_OK;
}

enum rowd_code request_read(const struct op *op, const msgpack_object *params, struct request *out,
			    struct err *err)
{
	enum rowd_code rc;

	if (params->type != MSGPACK_OBJECT_ARRAY)
		return err_set(err, ROWD_E_BAD_REQUEST, "%s: the params are an array", op->name);
	rc = keys_check(params, err);
	if (rc)
		return rc;
	return place(op, params->via.array.ptr, params->via.array.size, out, err);
}

enum rowd_code request_read_op(const msgpack_object *o, struct request *out, struct err *err)
{
	const msgpack_object_array *array = &o->via.array;
	const msgpack_object_str *name;
	const struct op *op;

	if (o->type != MSGPACK_OBJECT_ARRAY || array->size == 0 || array->ptr[0].type != MSGPACK_OBJECT_STR)
		return err_set(err, ROWD_E_BAD_REQUEST, "[method, ...params] is due, %s came",
			       what_came(o, true));
	name = &array->ptr[0].via.str;
	op = op_find(name->ptr, name->size);
	if (!op)
		return err_set(err, ROWD_E_UNKNOWN_METHOD, "there is no operation \"%.*s\"",
			       name->size < ERR_NAME_BYTES ? (int)name->size : ERR_NAME_BYTES,
			       name->size > 0 ? name->ptr : "");
	return place(op, array->ptr + 1, array->size - 1, out, err);
}

void request_table(const struct request *r, const char **db_out, size_t *db_len_out, const char **table_out,
		   size_t *table_len_out)
{
	const msgpack_object_str *name = &r->params[0]->via.str;
	const char *s = name->size > 0 ? name->ptr : "";
	const char *dot = memchr(s, '.', name->size);

	assert(r->op->params[0].kind == PARAM_TABLE);
	*db_out = s;
	*db_len_out = dot ? (size_t)(dot - s) : 0;
	*table_out = dot ? dot + 1 : s;
	*table_len_out = name->size - (size_t)(*table_out - s);
}

const char *request_param_str(const struct request *r, unsigned i, size_t *len_out)
{
	const msgpack_object_str *s = &r->params[i]->via.str;

	assert(r->params[i]->type == MSGPACK_OBJECT_STR);
	*len_out = s->size;
	return s->size > 0 ? s->ptr : "";
}

int64_t request_param_uint(const struct request *r, unsigned i)
{
	assert(is_uint(r->params[i]));
	return (int64_t)r->params[i]->via.u64;
}

bool request_flag(const struct request *r, enum op_option o)
{
	return r->options[o] && r->options[o]->via.boolean;
}

int64_t request_uint(const struct request *r, enum op_option o, int64_t dflt)
{
	return r->options[o] ? (int64_t)r->options[o]->via.u64 : dflt;
}

const char *request_str(const struct request *r, enum op_option o, size_t *len_out)
{
	const msgpack_object *s = r->options[o];

	if (!s || s->type != MSGPACK_OBJECT_STR)
		return NULL;
	*len_out = s->via.str.size;
	return s->via.str.size > 0 ? s->via.str.ptr : "";
}
