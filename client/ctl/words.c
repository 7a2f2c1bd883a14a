#include "config.h"

#include "client/ctl/words.h"

#include <stdlib.h>
#include <string.h>

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* One word from *p on, unquoted into out; false when a quote is open. */
static bool word_read(const char **p, char *out)
{
	const char *s = *p;
	char quote = '\0';

	for (; *s && (quote || !is_blank(*s)); s++) {
		if (quote ? *s == quote : (*s == '"' || *s == '\'')) {
			quote = quote ? '\0' : *s;
			continue;
		}
		if (*s == '\\' && s[1] && quote != '\'' && (!quote || s[1] == '"' || s[1] == '\\'))
			s++;
		*out++ = *s;
	}
	*out = '\0';
	*p = s;
	return !quote;
}

bool words_split(struct words *w, const char *line, const char **why_out)
{
	size_t len = strlen(line);

	*w = (struct words){ 0 };
	*why_out = "out of memory";
	w->argv = calloc(len / 2 + 2, sizeof *w->argv); /* a word and a blank at least */
	if (!w->argv)
		return false;
	for (;;) {
		char *word;

		while (is_blank(*line))
			line++;
		if (!*line)
			return true;
		word = malloc(strlen(line) + 1);
		if (!word)
			return false;
		w->argv[w->argc++] = word;
		if (!word_read(&line, word)) {
			*why_out = "a quote is not closed";
			return false;
		}
	}
}

void words_fini(struct words *w)
{
	for (int i = 0; i < w->argc; i++)
		free(w->argv[i]);
	free(w->argv);
	*w = (struct words){ 0 };
}
