/*
 * A line split into words as sh does it: blanks between, 'single' and "double" quotes, backslashes.
 *
 * Pure. Thread: any.
 */
#ifndef ROWD_CTL_WORDS_H
#define ROWD_CTL_WORDS_H

#include <stdbool.h>

struct words {
	char **argv; /* owned, with a NULL behind the last */
	int argc;
};

/* False with a sentence in *why_out: a quote is open, memory. words_fini in any case. */
bool words_split(struct words *w, const char *line, const char **why_out);
void words_fini(struct words *w);

#endif
