#include "config.h"

#include "base/err.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static enum rowd_outcome usual_outcome(enum rowd_code code)
{
	switch ((int)code) {
#define CODE(NAME, name, number, outcome, retry, meaning) \
	case ROWD_E_##NAME: \
		return ROWD_##outcome;
#include "proto/codes.def"
#undef CODE
	}
	return ROWD_NOT_APPLIED;
}

/* Behind what err->text holds already; cut where the text is full. */
ROWD_PRINTF(2, 0) static void text_append(struct err *err, const char *fmt, va_list ap)
{
	size_t used = strlen(err->text);

	vsnprintf(err->text + used, sizeof(err->text) - used, fmt, ap);
}

ROWD_PRINTF(2, 3) static void text_appendf(struct err *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	text_append(err, fmt, ap);
	va_end(ap);
}

void err_init(struct err *err)
{
	/* one after the other: clearing the room for the texts too would cost more than many a request */
	err->code = ROWD_OK;
	err->outcome = ROWD_NOT_APPLIED;
	err->native = 0;
	err->text[0] = err->table[0] = err->column[0] = '\0';
	err->limit = err->matched = err->index = -1;
}

static void err_begin(struct err *err, enum rowd_code code)
{
	err_init(err);
	err->code = code;
	err->outcome = usual_outcome(code);
}

enum rowd_code err_set(struct err *err, enum rowd_code code, const char *fmt, ...)
{
	va_list ap;

	err_begin(err, code);
	va_start(ap, fmt);
	text_append(err, fmt, ap);
	va_end(ap);
	return code;
}

enum rowd_code err_native(struct err *err, enum rowd_code code, int native, const char *fmt, ...)
{
	va_list ap;

	err_begin(err, code);
	err->native = native;
	va_start(ap, fmt);
	text_append(err, fmt, ap);
	va_end(ap);
	return code;
}

enum rowd_code err_sys(struct err *err, enum rowd_code code, int errnum, const char *fmt, ...)
{
	char reason[128];
	va_list ap;

	err_begin(err, code);
	err->native = errnum;
	va_start(ap, fmt);
	text_append(err, fmt, ap);
	va_end(ap);
	text_appendf(err, ": %s", strerror_r(errnum, reason, sizeof(reason)));
	return code;
}

enum rowd_code err_limit(struct err *err, int64_t limit, const char *fmt, ...)
{
	va_list ap;

	err_begin(err, ROWD_E_LIMIT);
	err->limit = limit;
	va_start(ap, fmt);
	text_append(err, fmt, ap);
	va_end(ap);
	text_appendf(err, " is over the limit of %" PRId64, limit);
	return ROWD_E_LIMIT;
}

static void name_copy(char out[ERR_NAME_BYTES], const char *name)
{
	size_t len;

	if (!name)
		return;
	len = strnlen(name, ERR_NAME_BYTES - 1);
	memmove(out, name, len);
	out[len] = '\0';
}

void err_where(struct err *err, const char *table, const char *column)
{
	name_copy(err->table, table);
	name_copy(err->column, column);
}

void err_outcome(struct err *err, enum rowd_outcome outcome)
{
	err->outcome = outcome;
}
