#include "config.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/sql/render.h"

void sql_init(struct sql *s)
{
	*s = (struct sql){ .params = NULL };
	buf_init(&s->text, SQL_TEXT_MAX_BYTES);
}

void sql_fini(struct sql *s)
{
	buf_fini(&s->text);
	free(s->params);
	free(s->types);
	*s = (struct sql){ .params = NULL };
}

void sql_clear(struct sql *s)
{
	buf_clear(&s->text);
	s->nparams = 0;
	s->ntypes = 0;
	s->failed = s->keyless = false;
	s->row_of = NULL;
	s->known = 0;
}

enum rowd_code sql_check(const struct sql *s, struct err *err)
{
	if (s->keyless)
		return err_set(err, ROWD_E_UNSUPPORTED,
			       "the table has no primary key to tell its rows apart");
	if (s->failed)
		return err_set(err, ROWD_E_NO_RESOURCE, "the statement has no room in memory");
	return ROWD_OK;
}

void sql_addf(struct sql *s, const char *fmt, ...)
{
	char words[128];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(words, sizeof words, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof words)
		s->failed = true;
	else
		buf_add(&s->text, words, (size_t)n);
}

void sql_add_name(struct sql *s, const char *name)
{
	char *end;

	if (!buf_reserve(&s->text, 2 * strlen(name) + 2))
		return;
	end = s->text.data + s->text.len;
	*end++ = '"';
	for (; *name; name++) {
		if (*name == '"')
			*end++ = '"';
		*end++ = *name;
	}
	*end++ = '"';
	s->text.len = (size_t)(end - s->text.data);
}

void sql_add_column_names(struct sql *s, const struct column *const *columns, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		if (i)
			sql_add(s, ", ");
		sql_add_name(s, columns[i]->name);
	}
}

void sql_add_names(struct sql *s, const char *const *names, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		if (i)
			sql_add(s, ", ");
		sql_add_name(s, names[i]);
	}
}

/* Room for one more element of an array; false when there is none. */
static bool grow(void *array_io, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap ? *cap * 2 : 16;
	void *old, *grown;

	if (n < *cap)
		return true;
	memcpy(&old, array_io, sizeof old);
	grown = reallocarray(old, more, size);
	if (!grown)
		return false;
	memcpy(array_io, &grown, sizeof grown);
	*cap = more;
	return true;
}

void sql_add_param(struct sql *s, const struct value *v)
{
	buf_add_char(&s->text, '?');
	sql_add_param_only(s, v);
}

void sql_add_param_only(struct sql *s, const struct value *v)
{
	if (grow(&s->params, s->nparams, &s->params_cap, sizeof *s->params))
		s->params[s->nparams++] = *v;
	else
		s->failed = true;
}

void sql_add_type_of(struct sql *s, struct type t)
{
	if (grow(&s->types, s->ntypes, &s->types_cap, sizeof *s->types))
		s->types[s->ntypes++] = t;
	else
		s->failed = true;
}

void sql_finish(struct sql *s)
{
	if (buf_reserve(&s->text, 1))
		s->text.data[s->text.len] = '\0';
	if (s->text.failed)
		s->failed = true;
}

void sql_savepoint(struct sql *s, const struct dialect *d, enum savepoint_verb verb, unsigned n)
{
	static const char *const words[] = {
		[SAVEPOINT_SET] = "SAVEPOINT",
		[SAVEPOINT_ROLLBACK] = "ROLLBACK TO",
		[SAVEPOINT_RELEASE] = "RELEASE SAVEPOINT",
	};

	(void)d;
	sql_clear(s);
	sql_addf(s, "%s rowd_%u", words[verb], n);
	sql_finish(s);
}
