#include "config.h"

#include "tests/lib/golden.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX_BYTES = 4 * 1024 * 1024 };

const struct dialect *const golden_dialects[] = {
	&dialect_sqlite, &dialect_mariadb, &dialect_mysql, &dialect_mysql57, NULL,
};

void golden_begin(struct golden *g, const char *file)
{
	g->file = file;
	buf_init(&g->text, FILE_MAX_BYTES);
	buf_init(&g->before, FILE_MAX_BYTES);
}

void golden_name(struct golden *g, const char *name)
{
	buf_addf(&g->text, "%s[%s]\n", g->text.len ? "\n" : "", name);
	buf_clear(&g->before);
}

static void add_bytes(struct buf *b, const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		buf_addf(b, "%02X", (unsigned char)s[i]);
}

static void add_value(struct buf *b, const struct value *v)
{
	char text[27] = "";
	size_t i;

	switch (v->kind) {
	case VALUE_NULL:
		buf_add_str(b, "null");
		break;
	case VALUE_BOOL:
		buf_add_str(b, v->u.i ? "true" : "false");
		break;
	case VALUE_INT:
		buf_addf(b, "%lld", (long long)v->u.i);
		break;
	case VALUE_FLOAT:
		buf_addf(b, "%.17ge0", v->u.f);
		break;
	case VALUE_DECIMAL:
		value_decimal_format(v->u.i, v->scale, text);
		buf_add_str(b, text);
		break;
	case VALUE_TEXT:
		buf_add_str(b, "'");
		buf_add(b, v->u.s.data, v->u.s.len);
		buf_add_str(b, "'");
		break;
	case VALUE_BYTES:
		buf_add_str(b, "x'");
		add_bytes(b, v->u.s.data, v->u.s.len);
		buf_add_str(b, "'");
		break;
	case VALUE_TIME:
		value_time_format(v->u.i, text);
		buf_addf(b, "'%s'", text);
		break;
	case VALUE_LIST:
		buf_add_str(b, "(");
		for (i = 0; i < v->u.list->count && i < 5; i++) {
			buf_add_str(b, i ? ", " : "");
			add_value(b, &v->u.list->values[i]);
		}
		buf_add_str(b, i < v->u.list->count ? ", ...)" : ")");
		break;
	}
}

static void add_params(struct buf *b, const struct sql *s)
{
	size_t i;

	if (s->nparams == 0)
		return;
	buf_add_str(b, "\t-- ");
	for (i = 0; i < s->nparams && i < 20; i++) {
		buf_add_str(b, i ? ", " : "");
		add_value(b, &s->params[i]);
	}
	buf_add_str(b, i < s->nparams ? ", ...\n" : "\n");
}

/* Dialects that say the same share an entry. */
static void add_entry(struct golden *g, const struct dialect *d, const struct buf *entry)
{
	bool same = g->before.len == entry->len && entry->len &&
		    memcmp(g->before.data, entry->data, entry->len) == 0;

	if (same) {
		buf_truncate(&g->text, g->text.len - entry->len - 1);
		buf_addf(&g->text, " %s\n", d->name);
	} else {
		buf_addf(&g->text, "%s\n", d->name);
	}
	buf_add(&g->text, entry->data, entry->len);
	buf_clear(&g->before);
	buf_add(&g->before, entry->data, entry->len);
}

void golden_sql(struct golden *g, const struct dialect *d, const struct sql *s)
{
	struct buf entry;

	buf_init(&entry, FILE_MAX_BYTES);
	if (s->failed) {
		buf_add_str(&entry, "\tcannot be rendered\n");
	} else {
		buf_addf(&entry, "\t%.2000s%s\n", s->text.data, s->text.len > 2000 ? " ..." : "");
		add_params(&entry, s);
	}
	add_entry(g, d, &entry);
	buf_fini(&entry);
}

void golden_words(struct golden *g, const struct dialect *d, const char *words)
{
	struct buf entry;

	buf_init(&entry, FILE_MAX_BYTES);
	buf_addf(&entry, "\t%s\n", words);
	add_entry(g, d, &entry);
	buf_fini(&entry);
}

void golden_name_end(struct golden *g)
{
	buf_clear(&g->before);
}

static bool write_file(const char *path, const struct buf *b)
{
	FILE *f = fopen(path, "w");
	bool written = f && fwrite(b->data, 1, b->len, f) == b->len;

	if (f && fclose(f) != 0)
		written = false;
	return written;
}

static void read_file(const char *path, struct buf *b)
{
	char chunk[4096];
	FILE *f = fopen(path, "r");
	size_t n;

	while (f && (n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_add(b, chunk, n);
	if (f)
		fclose(f);
	buf_add_char(b, '\0');
}

static void tell_difference(const struct golden *g, const char *due)
{
	const char *came = g->text.data, *line = came;
	size_t i;
	int number = 1;

	for (i = 0; came[i] && came[i] == due[i]; i++)
		if (came[i] == '\n') {
			number++;
			line = came + i + 1;
		}
	fprintf(stderr, "tests/golden/%s:%d differs\n  now: %.*s\n  was: %.*s\n", g->file, number,
		(int)strcspn(line, "\n"), line, (int)strcspn(due + (line - came), "\n"), due + (line - came));
}

bool golden_end(struct golden *g)
{
	const char *srcdir = getenv("ROWD_SRCDIR");
	char path[4096];
	struct buf due;
	bool same;

	snprintf(path, sizeof path, "%s/tests/golden/%s", srcdir ? srcdir : ".", g->file);
	buf_init(&due, FILE_MAX_BYTES);
	if (getenv("ROWD_GOLDEN_WRITE")) {
		same = write_file(path, &g->text);
	} else {
		read_file(path, &due);
		buf_add_char(&g->text, '\0');
		same = !g->text.failed && !due.failed && strcmp(g->text.data, due.data) == 0;
		if (!same)
			tell_difference(g, due.data);
	}
	buf_fini(&due);
	buf_fini(&g->before);
	buf_fini(&g->text);
	return same;
}
