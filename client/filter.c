#include "config.h"

#include "client/private.h"

/* [op, column] */
static struct rowd_value *unary(const char *op, const char *column)
{
	return rowd_array(rowd_str(op), rowd_str(column));
}

/* [op, column, value] */
static struct rowd_value *binary(const char *op, const char *column, struct rowd_value *v)
{
	return rowd_array(rowd_str(op), rowd_str(column), v);
}

struct rowd_value *rowd_eq(const char *column, struct rowd_value *v)
{
	return binary("=", column, v);
}

struct rowd_value *rowd_ne(const char *column, struct rowd_value *v)
{
	return binary("!=", column, v);
}

struct rowd_value *rowd_lt(const char *column, struct rowd_value *v)
{
	return binary("<", column, v);
}

struct rowd_value *rowd_le(const char *column, struct rowd_value *v)
{
	return binary("<=", column, v);
}

struct rowd_value *rowd_gt(const char *column, struct rowd_value *v)
{
	return binary(">", column, v);
}

struct rowd_value *rowd_ge(const char *column, struct rowd_value *v)
{
	return binary(">=", column, v);
}

struct rowd_value *rowd_is(const char *column, struct rowd_value *v)
{
	return binary("is", column, v);
}

struct rowd_value *rowd_is_not(const char *column, struct rowd_value *v)
{
	return binary("is_not", column, v);
}

struct rowd_value *rowd_is_null(const char *column)
{
	return unary("is_null", column);
}

struct rowd_value *rowd_not_null(const char *column)
{
	return unary("not_null", column);
}

struct rowd_value *rowd_in(const char *column, struct rowd_value *list)
{
	return binary("in", column, list);
}

struct rowd_value *rowd_not_in(const char *column, struct rowd_value *list)
{
	return binary("not_in", column, list);
}

struct rowd_value *rowd_between(const char *column, struct rowd_value *low, struct rowd_value *high)
{
	return rowd_array(rowd_str("between"), rowd_str(column), low, high);
}

struct rowd_value *rowd_like(const char *column, const char *pattern)
{
	return binary("like", column, rowd_str(pattern));
}

struct rowd_value *rowd_prefix(const char *column, const char *text)
{
	return binary("prefix", column, rowd_str(text));
}

struct rowd_value *rowd_suffix(const char *column, const char *text)
{
	return binary("suffix", column, rowd_str(text));
}

struct rowd_value *rowd_contains(const char *column, const char *text)
{
	return binary("contains", column, rowd_str(text));
}

struct rowd_value *rowd_not(struct rowd_value *filter)
{
	return rowd_array(rowd_str("not"), filter);
}

struct rowd_value *rowd_col(const char *column)
{
	return unary("col", column);
}

struct rowd_value *rowd_outer(const char *column)
{
	return unary("outer", column);
}

struct rowd_value *rowd_selection(const char *column, const char *table, struct rowd_value *where)
{
	struct rowd_value *map = rowd_map("select", rowd_str(column), "from", rowd_str(table));

	if (where)
		rowd_map_add(map, "where", where);
	return map;
}

static struct rowd_value *presence(const char *op, const char *table, struct rowd_value *where)
{
	struct rowd_value *map = rowd_map("from", rowd_str(table));

	if (where)
		rowd_map_add(map, "where", where);
	return rowd_array(rowd_str(op), map);
}

struct rowd_value *rowd_some(const char *table, struct rowd_value *where)
{
	return presence("exists", table, where);
}

struct rowd_value *rowd_none(const char *table, struct rowd_value *where)
{
	return presence("not_exists", table, where);
}

struct rowd_value *rowd_compute(const char *op, struct rowd_value *x, struct rowd_value *y)
{
	return rowd_array(rowd_str(op), x, y);
}
