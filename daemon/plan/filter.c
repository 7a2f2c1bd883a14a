#include "config.h"

#include "daemon/plan/filter.h"

#include <stdlib.h>
#include <string.h>

/* One level of a filter: the table whose rows it looks at, and the level directly around. */
struct scope {
	const struct table *table;
	const struct scope *outer; /* NULL outside of selections */
	unsigned depth;            /* arrays and maps open around what is being read */
};

enum shape {
	SHAPE_COMPARE,  /* op column value */
	SHAPE_IS,       /* op column value-or-null */
	SHAPE_NULLNESS, /* op column */
	SHAPE_MEMBER,   /* op column list-or-selection */
	SHAPE_EXISTS,   /* op selection */
	SHAPE_BETWEEN,  /* op column value value */
	SHAPE_MATCH,    /* op column text-or-bytes */
	SHAPE_MANY,     /* op filter... */
	SHAPE_NOT       /* op filter */
};

struct op_row {
	const char *name;
	enum pred_op op;
	enum shape shape;
};

static const struct op_row op_rows[] = {
	{ "=", PRED_EQ, SHAPE_COMPARE },
	{ "!=", PRED_NE, SHAPE_COMPARE },
	{ "<", PRED_LT, SHAPE_COMPARE },
	{ "<=", PRED_LE, SHAPE_COMPARE },
	{ ">", PRED_GT, SHAPE_COMPARE },
	{ ">=", PRED_GE, SHAPE_COMPARE },
	{ "is", PRED_IS, SHAPE_IS },
	{ "is_not", PRED_IS_NOT, SHAPE_IS },
	{ "is_null", PRED_IS_NULL, SHAPE_NULLNESS },
	{ "not_null", PRED_NOT_NULL, SHAPE_NULLNESS },
	{ "in", PRED_IN, SHAPE_MEMBER },
	{ "not_in", PRED_NOT_IN, SHAPE_MEMBER },
	{ "exists", PRED_EXISTS, SHAPE_EXISTS },
	{ "not_exists", PRED_NOT_EXISTS, SHAPE_EXISTS },
	{ "between", PRED_BETWEEN, SHAPE_BETWEEN },
	{ "like", PRED_LIKE, SHAPE_MATCH },
	{ "prefix", PRED_PREFIX, SHAPE_MATCH },
	{ "suffix", PRED_SUFFIX, SHAPE_MATCH },
	{ "contains", PRED_CONTAINS, SHAPE_MATCH },
	{ "and", PRED_AND, SHAPE_MANY },
	{ "or", PRED_OR, SHAPE_MANY },
	{ "not", PRED_NOT, SHAPE_NOT },
};

/* How an operation of each shape is written, and of how many elements it is. */
static const struct {
	uint32_t elements;
	const char *words;
} shapes[] = {
	[SHAPE_COMPARE] = { 3, "a column and a value" },
	[SHAPE_IS] = { 3, "a column and a value or nil" },
	[SHAPE_NULLNESS] = { 2, "a column" },
	[SHAPE_MEMBER] = { 3, "a column and a list or a selection" },
	[SHAPE_EXISTS] = { 2, "a selection" },
	[SHAPE_BETWEEN] = { 4, "a column and two values" },
	[SHAPE_MATCH] = { 3, "a column and a value" },
	[SHAPE_MANY] = { 0, "filters" },
	[SHAPE_NOT] = { 2, "a filter" },
};

static enum rowd_code read_filter(struct filter_context *ctx, const struct scope *scope,
				  const msgpack_object *o, const struct pred **out, struct err *err);

/* ---- small things ---- */

static enum rowd_code no_memory(struct err *err)
{
	return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the filter");
}

static enum rowd_code empty(struct err *err)
{
	return err_set(err, ROWD_E_EMPTY_FILTER,
		       "a filter that says nothing does not mean every row; expected a condition");
}

static bool str_is(const msgpack_object *o, const char *s)
{
	size_t len = strlen(s);

	return o->type == MSGPACK_OBJECT_STR && o->via.str.size == len && memcmp(o->via.str.ptr, s, len) == 0;
}

static const char *str_start(const msgpack_object *o)
{
	return o->via.str.size > 0 ? o->via.str.ptr : "";
}

static enum rowd_code count_operator(struct filter_context *ctx, struct err *err)
{
	if (ctx->operators >= ctx->limits->filter_operators)
		return err_limit(err, ctx->limits->filter_operators, "the number of operators in filters");
	ctx->operators++;
	return ROWD_OK;
}

static struct pred *pred_new(struct arena *a, enum pred_op op, const struct column *column)
{
	struct pred *p = arena_calloc(a, 1, sizeof *p);

	if (p) {
		p->op = op;
		p->column = column;
	}
	return p;
}

/* Pass rc on; where it is a failure, it is one of this column. */
static enum rowd_code at_column(enum rowd_code rc, const struct scope *scope, const struct column *column,
				struct err *err)
{
	if (rc)
		err_where(err, scope->table->name, column->name);
	return rc;
}

/* ---- columns ---- */

static enum rowd_code find_column(const struct table *t, const msgpack_object *name,
				  const struct column **out, struct err *err)
{
	char text[ERR_NAME_BYTES] = "";
	size_t len = name->via.str.size < sizeof text ? name->via.str.size : sizeof text - 1;

	*out = table_column(t, str_start(name), name->via.str.size);
	if (*out)
		return ROWD_OK;
	memcpy(text, str_start(name), len);
	err_set(err, ROWD_E_UNKNOWN_COLUMN, "table %s has no column \"%s\"", t->name, text);
	err_where(err, t->name, text);
	return ROWD_E_UNKNOWN_COLUMN;
}

/* Can values of one be compared with values of the other, the same on every database? */
static bool types_compare(const struct type *a, const struct type *b)
{
	return a->kind == b->kind && (a->kind != TYPE_DECIMAL || a->scale == b->scale);
}

static enum rowd_code check_comparable(const struct column *left, const struct column *right, struct err *err)
{
	char due[TYPE_TEXT_BYTES], came[TYPE_TEXT_BYTES];

	if (types_compare(&left->type, &right->type))
		return ROWD_OK;
	return err_set(err, ROWD_E_TYPE_MISMATCH, "column %s is %s, column %s is %s: they cannot be compared",
		       left->name, type_format(&left->type, due), right->name,
		       type_format(&right->type, came));
}

/* ["col", name] or ["outer", name] */
static enum rowd_code read_column_operand(const struct scope *scope, const struct column *left,
					  const msgpack_object *o, struct operand *out, struct err *err)
{
	const msgpack_object *parts = o->via.array.ptr;
	const struct scope *level = scope;
	enum rowd_code rc;

	if (o->via.array.size != 2 || parts[1].type != MSGPACK_OBJECT_STR ||
	    (!str_is(&parts[0], "col") && !str_is(&parts[0], "outer")))
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "a value is due, or [\"col\", name], or [\"outer\", name]; "
			       "another array came");
	out->kind = OPERAND_COLUMN;
	if (str_is(&parts[0], "outer")) {
		out->kind = OPERAND_OUTER;
		level = scope->outer;
		if (!level)
			return err_set(err, ROWD_E_BAD_REQUEST,
				       "[\"outer\", name] means something in a selection only");
	}
	rc = find_column(level->table, &parts[1], &out->column, err);
	return rc ? rc : at_column(check_comparable(left, out->column, err), scope, left, err);
}

/* ---- values ---- */

static enum rowd_code read_value(struct filter_context *ctx, const struct scope *scope,
				 const struct column *left, const msgpack_object *o, struct value *out,
				 struct err *err)
{
	enum rowd_code rc;

	if (o->type == MSGPACK_OBJECT_NIL)
		rc = err_set(err, ROWD_E_NULL_NOT_ALLOWED, "nil is for is, is_not and a map's pairs only");
	else
		rc = value_from_wire(o, &left->type, (size_t)ctx->limits->value_bytes, false, out, err);
	return at_column(rc, scope, left, err);
}

static enum rowd_code read_operand(struct filter_context *ctx, const struct scope *scope,
				   const struct column *left, const msgpack_object *o, struct operand *out,
				   struct err *err)
{
	if (o->type == MSGPACK_OBJECT_ARRAY)
		return read_column_operand(scope, left, o, out, err);
	out->kind = OPERAND_VALUE;
	return read_value(ctx, scope, left, o, &out->value, err);
}

static int compare_values(const void *a, const void *b)
{
	return value_compare(a, b);
}

/* Sort, and let each value stand once. Lists that come in order, as most do, cost one pass. */
static size_t settle_list(struct value *values, size_t n)
{
	size_t i, kept = n > 0;
	bool sorted = true;

	for (i = 1; i < n && sorted; i++)
		sorted = value_compare(&values[i - 1], &values[i]) < 0;
	if (sorted)
		return n;
	qsort(values, n, sizeof *values, compare_values);
	for (i = 1; i < n; i++)
		if (!value_equal(&values[kept - 1], &values[i]))
			values[kept++] = values[i];
	return kept;
}

static enum rowd_code read_list(struct filter_context *ctx, const struct scope *scope,
				const msgpack_object *o, struct pred *p, struct err *err)
{
	size_t n = o->via.array.size, i;
	struct value *values = arena_alloc(ctx->arena, n * sizeof *values);
	struct value_list *list = arena_alloc(ctx->arena, sizeof *list);

	if (!values || !list)
		return no_memory(err);
	for (i = 0; i < n; i++) {
		enum rowd_code rc = read_value(ctx, scope, p->column, &o->via.array.ptr[i], &values[i], err);

		if (rc)
			return rc;
	}
	*list = (struct value_list){ .values = values, .count = settle_list(values, n) };
	p->rhs[0] = (struct operand){ .value = { .kind = VALUE_LIST, .u.list = list } };
	return ROWD_OK;
}

/* ---- text ---- */

/* A `\` stands before `%`, `_` or `\`, never before another character or the end. */
static bool pattern_valid(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (s[i] == '\\' && (++i == len || (s[i] != '%' && s[i] != '_' && s[i] != '\\')))
			return false;
	return true;
}

/* The code point of the character that begins at s, of valid UTF-8. */
static uint32_t char_read(const unsigned char *s, size_t len)
{
	static const unsigned char first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
	uint32_t c = s[0] & first_bits[len];
	size_t i;

	for (i = 1; i < len; i++)
		c = c << 6 | (s[i] & 0x3f);
	return c;
}

static size_t char_write(uint32_t c, char *out)
{
	static const unsigned char first_marks[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
	size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4, i;

	for (i = len - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)(first_marks[len] | c);
	return len;
}

/*
 * The least string above all that begin with v: its last character or byte one further on, those
 * that have no next one dropped. VALUE_NULL when there is no such string.
 */
static bool value_after_prefix(struct arena *a, const struct value *v, struct value *out)
{
	size_t len = v->u.s.len, start;
	char *copy = arena_alloc(a, len + 4);
	uint32_t c;

	if (!copy)
		return false;
	memcpy(copy, v->u.s.data, len);
	*out = value_null();
	for (; len > 0; len = start) {
		start = len - 1;
		if (v->kind == VALUE_BYTES) {
			if ((unsigned char)copy[start] == 0xff)
				continue;
			copy[start]++;
			*out = value_bytes(copy, len);
			return true;
		}
		while (start > 0 && ((unsigned char)copy[start] & 0xc0) == 0x80)
			start--;
		c = char_read((const unsigned char *)copy + start, len - start);
		if (c == 0x10ffff)
			continue;
		c = c == 0xd7ff ? 0xe000 : c + 1; /* no text holds what lies between */
		*out = value_text(copy, start + char_write(c, copy + start));
		return true;
	}
	return true;
}

static enum rowd_code read_match(struct filter_context *ctx, const struct scope *scope,
				 const msgpack_object *o, struct pred *p, struct err *err)
{
	enum type_kind kind = p->column->type.kind;
	struct value *v = &p->rhs[0].value;
	enum rowd_code rc;

	if (kind != TYPE_TEXT && kind != TYPE_ANY && (kind != TYPE_BYTES || p->op == PRED_LIKE))
		return at_column(err_set(err, ROWD_E_TYPE_MISMATCH, "%s",
					 p->op == PRED_LIKE
						 ? "like is for text"
						 : "prefix, suffix and contains are for text and bytes"),
				 scope, p->column, err);
	rc = read_operand(ctx, scope, p->column, o, &p->rhs[0], err);
	if (rc || p->rhs[0].kind != OPERAND_VALUE)
		return rc;
	if (v->kind != VALUE_TEXT && (v->kind != VALUE_BYTES || p->op == PRED_LIKE))
		return at_column(
			err_set(err, ROWD_E_TYPE_MISMATCH, "a str is due, %s came", wire_kind_name(o)), scope,
			p->column, err);
	if (p->op == PRED_LIKE && !pattern_valid(v->u.s.data, v->u.s.len))
		return err_set(err, ROWD_E_BAD_REQUEST, "in a pattern a \\ stands before %%, _ or \\ only");
	if (p->op == PRED_PREFIX && !value_after_prefix(ctx->arena, v, &p->rhs[1].value))
		return no_memory(err);
	return ROWD_OK;
}

/* ---- selections ---- */

struct selection_parts {
	const msgpack_object *select, *from, *where;
};

static enum rowd_code read_selection_parts(const msgpack_object *o, bool with_column,
					   struct selection_parts *out, struct err *err)
{
	uint32_t i;

	*out = (struct selection_parts){ NULL, NULL, NULL };
	for (i = 0; o->type == MSGPACK_OBJECT_MAP && i < o->via.map.size; i++) {
		const msgpack_object_kv *kv = &o->via.map.ptr[i];

		if (with_column && str_is(&kv->key, "select"))
			out->select = &kv->val;
		else if (str_is(&kv->key, "from"))
			out->from = &kv->val;
		else if (str_is(&kv->key, "where"))
			out->where = &kv->val;
		else
			return err_set(err, ROWD_E_BAD_REQUEST,
				       "a selection here has %sfrom and where, nothing else",
				       with_column ? "select, " : "");
	}
	if (!out->from || out->from->type != MSGPACK_OBJECT_STR ||
	    (with_column && (!out->select || out->select->type != MSGPACK_OBJECT_STR)))
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "a selection is due, a map of %sfrom, a table's name, "
			       "and perhaps where",
			       with_column ? "select, a column's name, " : "");
	return ROWD_OK;
}

static enum rowd_code find_table(struct filter_context *ctx, const msgpack_object *name,
				 const struct table **out, struct err *err)
{
	char text[ERR_NAME_BYTES] = "";
	size_t len = name->via.str.size < sizeof text ? name->via.str.size : sizeof text - 1;

	*out = catalog_find(ctx->catalog, str_start(name), name->via.str.size);
	if (*out)
		return ctx->may_read ? ctx->may_read(ctx->may_read_arg, *out, err) : ROWD_OK;
	memcpy(text, str_start(name), len);
	err_set(err, ROWD_E_UNKNOWN_TABLE,
		"a selection is from a table of the same database; there is no \"%s\"", text);
	err_where(err, text, NULL);
	return ROWD_E_UNKNOWN_TABLE;
}

/* p->column is the left side, NULL for exists. */
static enum rowd_code read_selection(struct filter_context *ctx, const struct scope *scope,
				     const msgpack_object *o, struct pred *p, struct err *err)
{
	struct selection *sel = arena_calloc(ctx->arena, 1, sizeof *sel);
	struct scope inner = { .outer = scope, .depth = scope->depth + 1 };
	struct selection_parts parts;
	enum rowd_code rc;

	if (!sel)
		return no_memory(err);
	p->sel = sel;
	rc = read_selection_parts(o, p->column, &parts, err);
	if (!rc)
		rc = find_table(ctx, parts.from, &sel->table, err);
	inner.table = sel->table;
	if (!rc && parts.select)
		rc = find_column(sel->table, parts.select, &sel->column, err);
	if (!rc && parts.select)
		rc = at_column(check_comparable(p->column, sel->column, err), scope, p->column, err);
	if (!rc && parts.where)
		rc = read_filter(ctx, &inner, parts.where, &sel->where, err);
	return rc;
}

/* ---- operations ---- */

static enum rowd_code read_member(struct filter_context *ctx, const struct scope *scope,
				  const msgpack_object *o, struct pred *p, struct err *err)
{
	if (o->type == MSGPACK_OBJECT_ARRAY)
		return read_list(ctx, scope, o, p, err);
	if (o->type == MSGPACK_OBJECT_MAP)
		return read_selection(ctx, scope, o, p, err);
	if (o->type == MSGPACK_OBJECT_NIL)
		return err_set(err, ROWD_E_NULL_NOT_ALLOWED,
			       "a list of values or a selection is due, nil came");
	return err_set(err, ROWD_E_BAD_REQUEST, "a list of values or a selection is due, %s came",
		       wire_kind_name(o));
}

/* What stands behind the operator and the column. */
static enum rowd_code read_operands(struct filter_context *ctx, const struct scope *scope, enum shape shape,
				    const msgpack_object *o, struct pred *p, struct err *err)
{
	enum rowd_code rc = ROWD_OK;

	switch (shape) {
	case SHAPE_IS:
		if (o[0].type == MSGPACK_OBJECT_NIL) {
			p->op = p->op == PRED_IS ? PRED_IS_NULL : PRED_NOT_NULL;
			return ROWD_OK;
		}
		return read_operand(ctx, scope, p->column, &o[0], &p->rhs[0], err);
	case SHAPE_COMPARE:
		return read_operand(ctx, scope, p->column, &o[0], &p->rhs[0], err);
	case SHAPE_BETWEEN:
		rc = read_operand(ctx, scope, p->column, &o[0], &p->rhs[0], err);
		return rc ? rc : read_operand(ctx, scope, p->column, &o[1], &p->rhs[1], err);
	case SHAPE_MATCH:
		return read_match(ctx, scope, &o[0], p, err);
	case SHAPE_MEMBER:
		return read_member(ctx, scope, &o[0], p, err);
	case SHAPE_NULLNESS:
	case SHAPE_EXISTS:
	case SHAPE_MANY:
	case SHAPE_NOT:
		break;
	}
	return rc;
}

static enum rowd_code read_kids(struct filter_context *ctx, const struct scope *scope,
				const msgpack_object *o, uint32_t n, struct pred *p, struct err *err)
{
	enum rowd_code rc = ROWD_OK;
	uint32_t i;

	p->kids = arena_calloc(ctx->arena, n, sizeof *p->kids);
	if (!p->kids)
		return no_memory(err);
	p->nkids = n;
	for (i = 0; i < n && !rc; i++)
		rc = read_filter(ctx, scope, &o[i], &p->kids[i], err);
	return rc;
}

static enum rowd_code read_shape(struct filter_context *ctx, const struct scope *scope,
				 const struct op_row *row, const msgpack_object_array *array, struct pred *p,
				 struct err *err)
{
	const msgpack_object *o = array->ptr;
	enum rowd_code rc;

	if (row->shape == SHAPE_MANY || row->shape == SHAPE_NOT)
		return array->size == 1 ? empty(err) : read_kids(ctx, scope, o + 1, array->size - 1, p, err);
	if (row->shape == SHAPE_EXISTS)
		return read_selection(ctx, scope, &o[1], p, err);
	if (o[1].type != MSGPACK_OBJECT_STR)
		return err_set(err, ROWD_E_BAD_REQUEST, "a column's name is due on the left of %s, %s came",
			       row->name, wire_kind_name(&o[1]));
	rc = find_column(scope->table, &o[1], &p->column, err);
	if (rc)
		return rc;
	return read_operands(ctx, scope, row->shape, o + 2, p, err);
}

static const struct op_row *find_op(const msgpack_object *name)
{
	size_t i;

	for (i = 0; i < sizeof op_rows / sizeof *op_rows; i++)
		if (str_is(name, op_rows[i].name))
			return &op_rows[i];
	return NULL;
}

static enum rowd_code read_operation(struct filter_context *ctx, const struct scope *scope,
				     const msgpack_object *o, const struct pred **out, struct err *err)
{
	const msgpack_object_array *array = &o->via.array;
	struct scope inner = { scope->table, scope->outer, scope->depth + 1 };
	const struct op_row *row = find_op(&array->ptr[0]);
	struct pred *p;
	enum rowd_code rc;

	if (!row)
		return err_set(
			err, ROWD_E_BAD_REQUEST,
			"a filter's array begins with an operator: = != < <= > >= is "
			"is_not is_null not_null in not_in exists not_exists between like prefix suffix "
			"contains and or not");
	if (shapes[row->shape].elements && shapes[row->shape].elements != array->size)
		return err_set(err, ROWD_E_BAD_REQUEST, "behind %s %s is due, %u elements came", row->name,
			       shapes[row->shape].words, (unsigned)array->size - 1);
	rc = count_operator(ctx, err);
	if (rc)
		return rc;
	p = pred_new(ctx->arena, row->op, NULL);
	if (!p)
		return no_memory(err);
	rc = read_shape(ctx, &inner, row, array, p, err);
	if (!rc)
		*out = p;
	return rc;
}

/* One pair of a map of equals. */
static enum rowd_code read_pair(struct filter_context *ctx, const struct scope *scope,
				const msgpack_object_kv *kv, const struct pred **out, struct err *err)
{
	const struct column *column;
	enum rowd_code rc = count_operator(ctx, err);
	struct pred *p;

	if (rc)
		return rc;
	if (kv->key.type != MSGPACK_OBJECT_STR)
		return err_set(err, ROWD_E_BAD_REQUEST, "a column's name is due as a map's key, %s came",
			       wire_kind_name(&kv->key));
	rc = find_column(scope->table, &kv->key, &column, err);
	if (rc)
		return rc;
	p = pred_new(ctx->arena, kv->val.type == MSGPACK_OBJECT_NIL ? PRED_IS_NULL : PRED_EQ, column);
	if (!p)
		return no_memory(err);
	*out = p;
	if (p->op == PRED_IS_NULL)
		return ROWD_OK;
	return read_operand(ctx, scope, column, &kv->val, &p->rhs[0], err);
}

static enum rowd_code read_map(struct filter_context *ctx, const struct scope *scope,
			       const msgpack_object_map *map, const struct pred **out, struct err *err)
{
	struct scope inner = { scope->table, scope->outer, scope->depth + 1 };
	enum rowd_code rc = ROWD_OK;
	struct pred *p;
	uint32_t i;

	if (map->size == 1)
		return read_pair(ctx, &inner, &map->ptr[0], out, err);
	p = pred_new(ctx->arena, PRED_AND, NULL);
	if (!p)
		return no_memory(err);
	p->kids = arena_calloc(ctx->arena, map->size, sizeof *p->kids);
	if (!p->kids)
		return no_memory(err);
	p->nkids = map->size;
	for (i = 0; i < map->size && !rc; i++)
		rc = read_pair(ctx, &inner, &map->ptr[i], &p->kids[i], err);
	if (!rc)
		*out = p;
	return rc;
}

static enum rowd_code read_filter(struct filter_context *ctx, const struct scope *scope,
				  const msgpack_object *o, const struct pred **out, struct err *err)
{
	if (o->type == MSGPACK_OBJECT_NIL || (o->type == MSGPACK_OBJECT_MAP && o->via.map.size == 0) ||
	    (o->type == MSGPACK_OBJECT_ARRAY && o->via.array.size == 0))
		return empty(err);
	if (scope->depth >= ctx->limits->nesting)
		return err_limit(err, ctx->limits->nesting, "the nesting of a filter");
	if (o->type == MSGPACK_OBJECT_MAP)
		return read_map(ctx, scope, &o->via.map, out, err);
	if (o->type == MSGPACK_OBJECT_ARRAY)
		return read_operation(ctx, scope, o, out, err);
	return err_set(err, ROWD_E_BAD_REQUEST, "a filter is a map or an array, %s came", wire_kind_name(o));
}

enum rowd_code filter_read(struct filter_context *ctx, const struct table *table, const msgpack_object *o,
			   const struct pred **out, struct err *err)
{
	const struct scope top = { .table = table };

	return read_filter(ctx, &top, o, out, err);
}

/* ---- filters that rowd builds itself ---- */

/* Stands for a filter there was no memory for. It cannot be rendered: see filter.h. */
static const struct pred lost = { .op = PRED_AND };

static const struct pred *join(struct arena *a, const struct pred *x, const struct pred *y)
{
	struct pred *p = pred_new(a, PRED_AND, NULL);

	if (!p)
		return &lost;
	p->kids = arena_calloc(a, 2, sizeof *p->kids);
	if (!p->kids)
		return &lost;
	p->kids[0] = x;
	p->kids[1] = y;
	p->nkids = 2;
	return p;
}

const struct pred *filter_and(struct arena *a, const struct pred *x, const struct pred *y)
{
	if (!x || !y)
		return x ? x : y;
	return join(a, x, y);
}

const struct pred *filter_key_equals(struct arena *a, const struct table *t, const struct value *key)
{
	const struct key *k = &t->primary_key;
	const struct pred *all = NULL;
	unsigned i;

	for (i = 0; i < k->ncolumns; i++) {
		struct pred *p = pred_new(a, PRED_EQ, k->columns[i]);

		if (!p)
			return &lost;
		p->rhs[0] = (struct operand){ .kind = OPERAND_VALUE, .value = key[i] };
		all = filter_and(a, all, p);
	}
	return all ? all : &lost;
}
