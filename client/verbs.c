#include "config.h"

#include "client/private.h"

/* [table], and what comes behind it; NULLs at the end are left out. */
static struct rowd_value *args_of(const char *table, struct rowd_value *a, struct rowd_value *b)
{
	struct rowd_value *args = rowd_array(rowd_str(table));

	if (a)
		rowd_array_add(args, a);
	if (b)
		rowd_array_add(args, b);
	return args;
}

/* A parameter that must be there: NULL is a mistake that the call will tell. */
static struct rowd_value *needed(struct rowd_value *v)
{
	return v ? v : rowd_str(NULL);
}

static enum rowd_code simple(struct rowd *c, const char *method, struct rowd_value *args,
			     struct rowd_error *err)
{
	return rowd_call(c, method, args, NULL, NULL, err);
}

/* A call whose answer says how many rows it touched. */
static enum rowd_code counted(struct rowd *c, const char *method, struct rowd_value *args, int64_t *count_out,
			      struct rowd_result **result_out, struct rowd_error *err)
{
	struct rowd_result *r;
	enum rowd_code rc = rowd_call(c, method, args, NULL, &r, err);

	if (rc)
		return rc;
	if (count_out)
		*count_out = rowd_result_count(r);
	if (result_out)
		*result_out = r;
	else
		rowd_result_free(r);
	return ROWD_OK;
}

/* A filter left out where it decides what is written: never every row. */
static enum rowd_code no_filter(const char *method, struct rowd_value *a, struct rowd_value *b,
				struct rowd_error *err)
{
	rowd_value_free(a);
	rowd_value_free(b);
	return error_set(err, ROWD_E_EMPTY_FILTER, "%s needs a filter; nothing was sent", method);
}

enum rowd_code rowd_ping(struct rowd *c, struct rowd_error *err)
{
	return simple(c, "ping", NULL, err);
}

enum rowd_code rowd_use(struct rowd *c, const char *database, struct rowd_error *err)
{
	return simple(c, "use", rowd_array(rowd_str(database)), err);
}

enum rowd_code rowd_get(struct rowd *c, const char *table, struct rowd_value *key,
			struct rowd_result **result_out, struct rowd_error *err)
{
	return rowd_call(c, "get", args_of(table, needed(key), NULL), NULL, result_out, err);
}

enum rowd_code rowd_select(struct rowd *c, const char *table, struct rowd_value *options,
			   struct rowd_result **result_out, struct rowd_error *err)
{
	return rowd_call(c, "select", args_of(table, options, NULL), NULL, result_out, err);
}

enum rowd_code rowd_count(struct rowd *c, const char *table, struct rowd_value *filter, int64_t *count_out,
			  struct rowd_error *err)
{
	struct rowd_result *r;
	enum rowd_code rc = rowd_call(c, "count", args_of(table, filter, NULL), NULL, &r, err);
	int64_t n;

	if (rc)
		return rc;
	rowd_item_int(rowd_result_item(r), &n);
	if (count_out)
		*count_out = n;
	rowd_result_free(r);
	return ROWD_OK;
}

enum rowd_code rowd_exists(struct rowd *c, const char *table, struct rowd_value *filter, bool *exists_out,
			   struct rowd_error *err)
{
	struct rowd_result *r;
	enum rowd_code rc = rowd_call(c, "exists", args_of(table, needed(filter), NULL), NULL, &r, err);
	bool yes;

	if (rc)
		return rc;
	rowd_item_bool(rowd_result_item(r), &yes);
	if (exists_out)
		*exists_out = yes;
	rowd_result_free(r);
	return ROWD_OK;
}

enum rowd_code rowd_insert(struct rowd *c, const char *table, struct rowd_value *rows,
			   struct rowd_value *options, struct rowd_result **result_out,
			   struct rowd_error *err)
{
	return rowd_call(c, "insert", args_of(table, needed(rows), options), NULL, result_out, err);
}

enum rowd_code rowd_upsert(struct rowd *c, const char *table, struct rowd_value *rows,
			   struct rowd_value *options, struct rowd_result **result_out,
			   struct rowd_error *err)
{
	return rowd_call(c, "upsert", args_of(table, needed(rows), options), NULL, result_out, err);
}

enum rowd_code rowd_update(struct rowd *c, const char *table, struct rowd_value *key, struct rowd_value *set,
			   int64_t *updated_out, struct rowd_error *err)
{
	return counted(c, "update", args_of(table, needed(key), needed(set)), updated_out, NULL, err);
}

enum rowd_code rowd_update_where(struct rowd *c, const char *table, struct rowd_value *filter,
				 struct rowd_value *set, struct rowd_value *options, int64_t *count_out,
				 struct rowd_result **result_out, struct rowd_error *err)
{
	struct rowd_value *args;

	if (!filter)
		return no_filter("update_where", set, options, err);
	args = args_of(table, filter, needed(set));
	if (options)
		rowd_array_add(args, options);
	return counted(c, "update_where", args, count_out, result_out, err);
}

enum rowd_code rowd_delete(struct rowd *c, const char *table, struct rowd_value *key, int64_t *deleted_out,
			   struct rowd_error *err)
{
	return counted(c, "delete", args_of(table, needed(key), NULL), deleted_out, NULL, err);
}

enum rowd_code rowd_delete_where(struct rowd *c, const char *table, struct rowd_value *filter,
				 struct rowd_value *options, int64_t *count_out,
				 struct rowd_result **result_out, struct rowd_error *err)
{
	if (!filter)
		return no_filter("delete_where", options, NULL, err);
	return counted(c, "delete_where", args_of(table, filter, options), count_out, result_out, err);
}

enum rowd_code rowd_delete_all(struct rowd *c, const char *table, struct rowd_value *options,
			       int64_t *count_out, struct rowd_error *err)
{
	return counted(c, "delete_all", args_of(table, options, NULL), count_out, NULL, err);
}

enum rowd_code rowd_begin(struct rowd *c, struct rowd_value *options, struct rowd_error *err)
{
	return simple(c, "begin", options ? rowd_array(options) : NULL, err);
}

enum rowd_code rowd_commit(struct rowd *c, struct rowd_error *err)
{
	return simple(c, "commit", NULL, err);
}

enum rowd_code rowd_rollback(struct rowd *c, struct rowd_error *err)
{
	return simple(c, "rollback", NULL, err);
}
