#include "config.h"

#include "client/ctl/csv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool csv_init(struct csv *c, FILE *file)
{
	*c = (struct csv){ .file = file, .next_line = 1 };
	buf_init(&c->text, CSV_RECORD_MAX_BYTES);
	c->spans = calloc(CSV_MAX_FIELDS, sizeof *c->spans);
	c->fields = calloc(CSV_MAX_FIELDS, sizeof *c->fields);
	return c->spans && c->fields;
}

void csv_fini(struct csv *c)
{
	buf_fini(&c->text);
	free(c->spans);
	free(c->fields);
}

static bool fail(char *why, size_t why_size, const char *text)
{
	snprintf(why, why_size, "%s", text);
	return false;
}

/* The next character, CRLF taken for LF. */
static int next_char(struct csv *c)
{
	int ch = getc(c->file);

	if (ch == '\r') {
		int behind = getc(c->file);

		if (behind == '\n')
			ch = behind;
		else if (behind != EOF)
			ungetc(behind, c->file);
	}
	if (ch == '\n')
		c->next_line++;
	return ch;
}

/* As next_char, inside quotes: what is there stays as it is. */
static int next_raw(struct csv *c)
{
	int ch = getc(c->file);

	if (ch == '\n')
		c->next_line++;
	return ch;
}

/* Behind the opening quote, to behind the closing one. *end is the character there. */
static bool read_quoted(struct csv *c, int *end, char *why, size_t why_size)
{
	for (;;) {
		int ch = next_raw(c);

		if (ch == EOF)
			return fail(why, why_size, "a quoted field is not closed");
		if (ch == '\0')
			return fail(why, why_size, "a NUL character");
		if (ch == '"') {
			ch = next_char(c);
			if (ch != '"') {
				*end = ch;
				return true;
			}
		}
		buf_add_char(&c->text, (char)ch);
	}
}

/* One field; *end is the character behind it: a comma, a line's end or EOF. */
static bool read_field(struct csv *c, int *end, char *why, size_t why_size)
{
	size_t at = c->text.len;
	int ch = next_char(c);
	bool quoted = ch == '"';

	if (c->nfields == CSV_MAX_FIELDS)
		return fail(why, why_size, "too many fields");
	if (quoted && !read_quoted(c, &ch, why, why_size))
		return false;
	if (quoted && ch != ',' && ch != '\n' && ch != EOF)
		return fail(why, why_size, "there is more behind a closing quote");
	for (; ch != ',' && ch != '\n' && ch != EOF; ch = next_char(c)) {
		if (ch == '"' || ch == '\0')
			return fail(why, why_size,
				    ch ? "a quote inside a field that is not quoted" : "a NUL character");
		buf_add_char(&c->text, (char)ch);
	}
	c->spans[c->nfields].at = at;
	c->spans[c->nfields].len = c->text.len - at;
	c->spans[c->nfields++].quoted = quoted;
	buf_add_char(&c->text, '\0');
	*end = ch;
	return !c->text.failed || fail(why, why_size, "a record larger than 64 MiB");
}

enum csv_status csv_next(struct csv *c, char *why, size_t why_size)
{
	int end = getc(c->file);

	if (end == EOF) {
		if (!ferror(c->file))
			return CSV_END;
		fail(why, why_size, strerror(errno));
		return CSV_ERROR;
	}
	ungetc(end, c->file);
	c->line = c->next_line;
	c->nfields = 0;
	buf_clear(&c->text);
	do {
		if (!read_field(c, &end, why, why_size))
			return CSV_ERROR;
	} while (end == ',');
	if (end == EOF && ferror(c->file)) {
		fail(why, why_size, strerror(errno));
		return CSV_ERROR;
	}
	for (size_t i = 0; i < c->nfields; i++)
		c->fields[i] = (struct csv_field){ c->text.data + c->spans[i].at, c->spans[i].len,
						   c->spans[i].quoted };
	return CSV_RECORD;
}
