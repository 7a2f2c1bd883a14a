/*
 * Values between rowd and SQLite: how each kind is stored, and what a stored value is read as.
 */
#include "config.h"

#include <string.h>

#include "daemon/db/sqlite_private.h"

enum { TIME_BYTES = 26 };   /* "YYYY-MM-DD HH:MM:SS.ffffff" */

static const int64_t powers_of_ten[] = {
	1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000,
	100000000000, 1000000000000, 10000000000000, 100000000000000, 1000000000000000,
	10000000000000000, 100000000000000000, 1000000000000000000,
};

/* SQLite takes a NULL pointer for NULL, so an empty string needs one to somewhere. */
static const char *pointer_of(const struct value *v)
{
	return v->u.s.len ? v->u.s.data : "";
}

int sqlite_bind_value(sqlite3_stmt *stmt, int position, const struct value *v)
{
	char text[TIME_BYTES + 1];

	switch (v->kind) {
	case VALUE_NULL:
		return sqlite3_bind_null(stmt, position);
	case VALUE_BOOL:
	case VALUE_INT:
	case VALUE_DECIMAL:
		return sqlite3_bind_int64(stmt, position, v->u.i);
	case VALUE_FLOAT:
		return sqlite3_bind_double(stmt, position, v->u.f);
	case VALUE_TEXT:
		return sqlite3_bind_text64(stmt, position, pointer_of(v), v->u.s.len, SQLITE_STATIC, SQLITE_UTF8);
	case VALUE_BYTES:
		return sqlite3_bind_blob64(stmt, position, pointer_of(v), v->u.s.len, SQLITE_STATIC);
	case VALUE_TIME:
		value_time_format(v->u.i, text);
		return sqlite3_bind_text(stmt, position, text, TIME_BYTES, SQLITE_TRANSIENT);
	case VALUE_LIST:
		return sqlite3_bind_pointer(stmt, position, (void *)v->u.list, SQLITE_LIST_POINTER, NULL);
	}
	return SQLITE_MISUSE;
}

void sqlite_result_value(sqlite3_context *ctx, const struct value *v)
{
	char text[TIME_BYTES + 1];

	switch (v->kind) {
	case VALUE_NULL:
	case VALUE_LIST:
		sqlite3_result_null(ctx);
		break;
	case VALUE_BOOL:
	case VALUE_INT:
	case VALUE_DECIMAL:
		sqlite3_result_int64(ctx, v->u.i);
		break;
	case VALUE_FLOAT:
		sqlite3_result_double(ctx, v->u.f);
		break;
	case VALUE_TEXT:
		sqlite3_result_text64(ctx, pointer_of(v), v->u.s.len, SQLITE_STATIC, SQLITE_UTF8);
		break;
	case VALUE_BYTES:
		sqlite3_result_blob64(ctx, pointer_of(v), v->u.s.len, SQLITE_STATIC);
		break;
	case VALUE_TIME:
		value_time_format(v->u.i, text);
		sqlite3_result_text(ctx, text, TIME_BYTES, SQLITE_TRANSIENT);
		break;
	}
}

static void read_int(int64_t i, const struct type *t, struct value *out)
{
	*out = value_int(i);
	if (t->kind == TYPE_BOOL && (i == 0 || i == 1)) {
		out->kind = VALUE_BOOL;
	} else if (t->kind == TYPE_DECIMAL) {
		int64_t limit = powers_of_ten[t->digits <= DECIMAL_MAX_DIGITS ? t->digits : DECIMAL_MAX_DIGITS];

		if (i < limit && i > -limit) {
			out->kind = VALUE_DECIMAL;
			out->scale = t->scale;
		}
	}
}

/* Exactly as rowd writes it; any other spelling would compare otherwise than it reads. */
static bool read_time(const char *s, size_t len, struct value *out)
{
	int64_t micros;

	if (len != TIME_BYTES || s[10] != ' ' || s[19] != '.' || value_time_parse(s, len, &micros) != 0)
		return false;
	*out = (struct value){ .kind = VALUE_TIME, .u.i = micros };
	return true;
}

/* Other programs store any bytes as text; those that are none come as bytes. */
static bool read_text(sqlite3_stmt *stmt, int i, const struct type *t, struct value *out)
{
	const char *s = (const char *)sqlite3_column_text(stmt, i);
	size_t len;

	if (!s)
		return false;
	len = (size_t)sqlite3_column_bytes(stmt, i);
	if (t->kind == TYPE_TIME && read_time(s, len, out))
		return true;
	*out = utf8_valid(s, len, NULL) ? value_text(s, len) : value_bytes(s, len);
	return true;
}

static bool read_bytes(sqlite3_stmt *stmt, int i, struct value *out)
{
	const char *s = sqlite3_column_blob(stmt, i);
	size_t len = (size_t)sqlite3_column_bytes(stmt, i);

	if (!s && len)
		return false;
	*out = value_bytes(s ? s : "", len);
	return true;
}

bool sqlite_read_value(sqlite3_stmt *stmt, int i, const struct type *t, struct value *out)
{
	double f;

	switch (sqlite3_column_type(stmt, i)) {
	case SQLITE_INTEGER:
		read_int(sqlite3_column_int64(stmt, i), t, out);
		return true;
	case SQLITE_FLOAT:
		f = sqlite3_column_double(stmt, i);
		*out = (struct value){ .kind = VALUE_FLOAT, .u.f = f == 0 ? 0.0 : f };
		return true;
	case SQLITE_TEXT:
		return read_text(stmt, i, t, out);
	case SQLITE_BLOB:
		return read_bytes(stmt, i, out);
	default:
		*out = value_null();
		return true;
	}
}
