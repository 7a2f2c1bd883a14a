/*
 * Help, made from the tables of verbs, operations, options and codes.
 */
#ifndef ROWD_CTL_HELP_H
#define ROWD_CTL_HELP_H

#include <stdbool.h>

/* Everything on one page, on stdout. */
void help_overview(void);

/* The page of a verb, an operation, "filter" or "errors"; false when there is none of that name. */
bool help_show(const char *name);

#endif
