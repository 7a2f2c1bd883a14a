/*
 * Values between rowd and MySQL: how each kind is sent, and what a stored value is read as. All of it in
 * the binary protocol: no number is ever printed to be read again, but for decimals, which are text there.
 */
#include "config.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/db/mysql_private.h"

enum {
	PARAMS_KEPT = 1024, /* room for more is let go after the statement */
	CELL_FIRST_BYTES = 256,
	CELL_KEPT_BYTES = 64 * 1024,
	BINARY_CHARSET = 63,
	JSON_TYPE = 245, /* MYSQL_TYPE_JSON, which older libraries do not have */
	SECONDS_OF_DAY = 86400,
	MICROS_OF_SECOND = 1000000
};

static enum rowd_code no_memory(struct err *err)
{
	return err_set(err, ROWD_E_NO_RESOURCE, "memory ran out");
}

/* ---- parameters ---- */

static bool reserve_params(struct mydb_conn *c, size_t n)
{
	size_t room = n < PARAMS_KEPT ? PARAMS_KEPT : n;

	if (n <= c->nparams)
		return true;
	free(c->params);
	free(c->scratch);
	c->params = calloc(room, sizeof *c->params);
	c->scratch = calloc(room, sizeof *c->scratch);
	c->nparams = c->params && c->scratch ? room : 0;
	return c->nparams > 0;
}

void mydb_params_trim(struct mydb_conn *c)
{
	if (c->nparams <= PARAMS_KEPT)
		return;
	free(c->params);
	free(c->scratch);
	c->params = NULL;
	c->scratch = NULL;
	c->nparams = 0;
}

static void bind_bytes(MYSQL_BIND *b, struct mydb_scratch *room, enum enum_field_types type, const char *data,
		       size_t len)
{
	union {
		const char *from;
		void *to;
	} pointer = { .from = data }; /* the library does not write to it */

	b->buffer_type = type;
	b->buffer = pointer.to;
	b->buffer_length = (unsigned long)len;
	room->len = (unsigned long)len;
	b->length = &room->len;
}

/* The calendar's view of microseconds since 1970. */
static void split_time(int64_t micros, MYSQL_TIME *out)
{
	char text[27];
	unsigned year, month, day, hour, minute, second;
	unsigned long part;

	value_time_format(micros, text);
	sscanf(text, "%4u-%2u-%2u %2u:%2u:%2u.%6lu", &year, &month, &day, &hour, &minute, &second, &part);
	*out = (MYSQL_TIME){ .year = year,
			     .month = month,
			     .day = day,
			     .hour = hour,
			     .minute = minute,
			     .second = second,
			     .second_part = part,
			     .time_type = MYSQL_TIMESTAMP_DATETIME };
}

static void bind_value(MYSQL_BIND *b, struct mydb_scratch *room, const struct value *v)
{
	union {
		const void *from;
		void *to;
	} number = { .from = &v->u };

	memset(b, 0, sizeof *b);
	switch (v->kind) {
	case VALUE_NULL:
	case VALUE_LIST:
		b->buffer_type = MYSQL_TYPE_NULL;
		break;
	case VALUE_BOOL:
		room->u.text[0] = (char)v->u.i;
		b->buffer_type = MYSQL_TYPE_TINY;
		b->buffer = room->u.text;
		break;
	case VALUE_INT:
		b->buffer_type = MYSQL_TYPE_LONGLONG;
		b->buffer = number.to;
		break;
	case VALUE_FLOAT:
		b->buffer_type = MYSQL_TYPE_DOUBLE;
		b->buffer = number.to;
		break;
	case VALUE_DECIMAL:
		bind_bytes(b, room, MYSQL_TYPE_NEWDECIMAL, room->u.text,
			   value_decimal_format(v->u.i, v->scale, room->u.text));
		break;
	case VALUE_TEXT:
		bind_bytes(b, room, MYSQL_TYPE_STRING, v->u.s.len ? v->u.s.data : "", v->u.s.len);
		break;
	case VALUE_BYTES:
		bind_bytes(b, room, MYSQL_TYPE_BLOB, v->u.s.len ? v->u.s.data : "", v->u.s.len);
		break;
	case VALUE_TIME:
		split_time(v->u.i, &room->u.t);
		b->buffer_type = MYSQL_TYPE_DATETIME;
		b->buffer = &room->u.t;
		break;
	}
}

enum rowd_code mydb_bind_params(struct mydb_conn *c, const struct value *params, size_t nparams,
				size_t *n_out, struct err *err)
{
	size_t i, n = 0;

	if (!reserve_params(c, nparams))
		return no_memory(err);
	for (i = 0; i < nparams; i++)
		if (params[i].kind != VALUE_LIST) {
			bind_value(&c->params[n], &c->scratch[n], &params[i]);
			n++;
		}
	*n_out = n;
	return ROWD_OK;
}

/* ---- results ---- */

static bool reserve_cells(struct mydb_conn *c, size_t n)
{
	struct mydb_cell *cells;
	MYSQL_BIND *columns;

	if (n <= c->ncells)
		return true;
	cells = reallocarray(c->cells, n, sizeof *cells);
	if (!cells)
		return false;
	memset(cells + c->ncells, 0, (n - c->ncells) * sizeof *cells);
	c->cells = cells;
	columns = reallocarray(c->columns, n, sizeof *columns);
	if (!columns)
		return false;
	c->columns = columns;
	c->ncells = n;
	return true;
}

static bool reserve_bytes(struct mydb_cell *cell, size_t n)
{
	char *data;

	if (n <= cell->cap)
		return true;
	data = realloc(cell->data, n);
	if (!data)
		return false;
	cell->data = data;
	cell->cap = n;
	return true;
}

static bool bind_cell(MYSQL_BIND *b, struct mydb_cell *cell, const MYSQL_FIELD *field)
{
	memset(b, 0, sizeof *b);
	b->is_null = &cell->is_null;
	b->length = &cell->len;
	b->error = &cell->error;
	b->is_unsigned = (field->flags & UNSIGNED_FLAG) != 0;
	b->buffer = &cell->u;
	switch (field->type) {
	case MYSQL_TYPE_TINY:
	case MYSQL_TYPE_SHORT:
	case MYSQL_TYPE_INT24:
	case MYSQL_TYPE_LONG:
	case MYSQL_TYPE_LONGLONG:
	case MYSQL_TYPE_YEAR:
		b->buffer_type = MYSQL_TYPE_LONGLONG;
		return true;
	case MYSQL_TYPE_DOUBLE:
	case MYSQL_TYPE_FLOAT:
	case MYSQL_TYPE_DATE:
	case MYSQL_TYPE_TIME:
	case MYSQL_TYPE_DATETIME:
	case MYSQL_TYPE_TIMESTAMP:
	case MYSQL_TYPE_NULL:
		b->buffer_type = field->type;
		return true;
	default:
		break;
	}
	if (!reserve_bytes(cell, CELL_FIRST_BYTES))
		return false;
	b->buffer_type = field->charsetnr == BINARY_CHARSET ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING;
	b->buffer = cell->data;
	b->buffer_length = (unsigned long)cell->cap;
	return true;
}

enum rowd_code mydb_bind_result(struct mydb_conn *c, struct mydb_stmt *s, struct err *err)
{
	const MYSQL_FIELD *fields = mysql_fetch_fields(s->metadata);
	unsigned n = mysql_num_fields(s->metadata), i;

	if (!reserve_cells(c, n))
		return no_memory(err);
	for (i = 0; i < n; i++)
		if (!bind_cell(&c->columns[i], &c->cells[i], &fields[i]))
			return no_memory(err);
	if (mysql_stmt_bind_result(s->stmt, c->columns))
		return mydb_fail_stmt(c, s->stmt, err);
	return ROWD_OK;
}

void mydb_cells_trim(struct mydb_conn *c)
{
	size_t i;

	for (i = 0; i < c->ncells; i++)
		if (c->cells[i].cap > CELL_KEPT_BYTES) {
			free(c->cells[i].data);
			c->cells[i].data = NULL;
			c->cells[i].cap = 0;
		}
}

void mydb_values_fini(struct mydb_conn *c)
{
	size_t i;

	for (i = 0; i < c->ncells; i++)
		free(c->cells[i].data);
	free(c->cells);
	free(c->columns);
	free(c->params);
	free(c->scratch);
	c->cells = NULL;
	c->columns = NULL;
	c->params = NULL;
	c->scratch = NULL;
	c->ncells = c->nparams = 0;
}

/* A value longer than the room it was given is fetched again, whole; the rows that follow have that room. */
static enum rowd_code fetch_whole(struct mydb_conn *c, struct mydb_stmt *s, unsigned i, struct err *err)
{
	struct mydb_cell *cell = &c->cells[i];
	MYSQL_BIND *b = &c->columns[i];

	if (cell->len <= b->buffer_length)
		return ROWD_OK;
	if (!reserve_bytes(cell, cell->len))
		return no_memory(err);
	b->buffer = cell->data;
	b->buffer_length = (unsigned long)cell->cap;
	if (mysql_stmt_fetch_column(s->stmt, b, i, 0))
		return mydb_fail_stmt(c, s->stmt, err);
	c->columns_moved = true;
	return ROWD_OK;
}

/* ---- what a stored value is ---- */

/* The text is kept where the value's bytes would be. */
static enum rowd_code read_as_text(struct mydb_cell *cell, struct value *out, struct err *err,
				   const char *fmt, ...) __attribute__((format(printf, 4, 5)));

static enum rowd_code read_as_text(struct mydb_cell *cell, struct value *out, struct err *err,
				   const char *fmt, ...)
{
	va_list args;
	int n;

	if (!reserve_bytes(cell, CELL_FIRST_BYTES))
		return no_memory(err);
	va_start(args, fmt);
	n = vsnprintf(cell->data, cell->cap, fmt, args);
	va_end(args);
	*out = value_text(cell->data, (size_t)n);
	return ROWD_OK;
}

static enum rowd_code read_int(struct mydb_cell *cell, bool is_unsigned, const struct type *t,
			       struct value *out, struct err *err)
{
	if (is_unsigned && cell->u.i < 0)
		return read_as_text(cell, out, err, "%" PRIu64, (uint64_t)cell->u.i);
	*out = value_int(cell->u.i);
	if (t->kind == TYPE_BOOL && (cell->u.i == 0 || cell->u.i == 1))
		out->kind = VALUE_BOOL;
	return ROWD_OK;
}

static void read_float(double f, struct value *out)
{
	*out = (struct value){ .kind = VALUE_FLOAT, .u.f = f == 0 ? 0.0 : f };
}

static int64_t days_of(const MYSQL_TIME *t)
{
	/* days since 1970-01-01, counting years from March so that the leap day is the last of one */
	int64_t year = (int64_t)t->year - (t->month <= 2), era = year / 400, of_era = year - era * 400;
	int64_t month = t->month > 2 ? (int64_t)t->month - 3 : (int64_t)t->month + 9;
	int64_t of_year = (153 * month + 2) / 5 + (int64_t)t->day - 1;

	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* A date that is none (zero months and the like) comes as text. */
static enum rowd_code read_datetime(struct mydb_cell *cell, struct value *out, struct err *err)
{
	const MYSQL_TIME *t = &cell->u.t;
	int64_t seconds;

	if (t->year == 0 || t->month == 0 || t->day == 0)
		return read_as_text(cell, out, err, "%04u-%02u-%02u %02u:%02u:%02u.%06lu", t->year, t->month,
				    t->day, t->hour, t->minute, t->second, t->second_part);
	seconds = days_of(t) * SECONDS_OF_DAY + (int64_t)t->hour * 3600 + (int64_t)t->minute * 60 + t->second;
	*out = (struct value){ .kind = VALUE_TIME,
			       .u.i = seconds * MICROS_OF_SECOND + (int64_t)t->second_part };
	return ROWD_OK;
}

static enum rowd_code read_clock(struct mydb_cell *cell, struct value *out, struct err *err)
{
	MYSQL_TIME t = cell->u.t;
	unsigned hours = t.day * 24 + t.hour;

	return read_as_text(cell, out, err, "%s%02u:%02u:%02u.%06lu", t.neg ? "-" : "", hours, t.minute,
			    t.second, t.second_part);
}

static bool is_int(const char *s, size_t len, int64_t *out)
{
	char text[24], *end;

	if (len == 0 || len >= sizeof text || memchr(s, '.', len))
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	errno = 0;
	*out = strtoll(text, &end, 10);
	return errno == 0 && *end == '\0';
}

static void read_decimal(const char *s, size_t len, const struct type *t, struct value *out)
{
	const char *point = memchr(s, '.', len);
	uint8_t scale = t->kind == TYPE_DECIMAL ? t->scale
			: point                 ? (uint8_t)(len - (size_t)(point - s) - 1)
						: 0;
	int64_t i;

	if (t->kind == TYPE_INT && is_int(s, len, &i))
		*out = value_int(i);
	else if ((t->kind == TYPE_DECIMAL || t->kind == TYPE_ANY) && scale <= DECIMAL_MAX_DIGITS &&
		 value_decimal_parse(s, len, scale, &i))
		*out = (struct value){ .kind = VALUE_DECIMAL, .scale = scale, .u.i = i };
	else
		*out = value_text(s, len);
}

/* What is kept as bytes may be a text of ours; what is kept as text always is one, unless it cannot be. */
static void read_string(const struct mydb_cell *cell, const MYSQL_FIELD *field, const struct type *t,
			struct value *out)
{
	bool bytes = field->charsetnr == BINARY_CHARSET && (int)field->type != JSON_TYPE;

	if ((bytes && t->kind != TYPE_TEXT) || !utf8_valid(cell->data, cell->len, NULL))
		*out = value_bytes(cell->data, cell->len);
	else
		*out = value_text(cell->data, cell->len);
}

enum rowd_code mydb_read_value(struct mydb_conn *c, struct mydb_stmt *s, unsigned i, const struct type *t,
			       struct value *out, struct err *err)
{
	const MYSQL_FIELD *field = &mysql_fetch_fields(s->metadata)[i];
	struct mydb_cell *cell = &c->cells[i];
	enum rowd_code rc;

	if (cell->is_null) {
		*out = value_null();
		return ROWD_OK;
	}
	switch (c->columns[i].buffer_type) {
	case MYSQL_TYPE_LONGLONG:
		return read_int(cell, c->columns[i].is_unsigned, t, out, err);
	case MYSQL_TYPE_DOUBLE:
		read_float(cell->u.d, out);
		return ROWD_OK;
	case MYSQL_TYPE_FLOAT:
		read_float((double)cell->u.f, out);
		return ROWD_OK;
	case MYSQL_TYPE_DATETIME:
	case MYSQL_TYPE_TIMESTAMP:
		return read_datetime(cell, out, err);
	case MYSQL_TYPE_DATE:
		return read_as_text(cell, out, err, "%04u-%02u-%02u", cell->u.t.year, cell->u.t.month,
				    cell->u.t.day);
	case MYSQL_TYPE_TIME:
		return read_clock(cell, out, err);
	default:
		break;
	}
	rc = fetch_whole(c, s, i, err);
	if (rc)
		return rc;
	if (field->type == MYSQL_TYPE_NEWDECIMAL || field->type == MYSQL_TYPE_DECIMAL)
		read_decimal(cell->data, cell->len, t, out);
	else
		read_string(cell, field, t, out);
	return ROWD_OK;
}
