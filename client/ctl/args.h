/*
 * The words behind a verb: its options, and what is left.
 *
 * Most options are those of the protocol: their names, kinds and meanings come from options.def, so
 * that one more there is one more here. A verb adds its own by a table.
 */
#ifndef ROWD_CTL_ARGS_H
#define ROWD_CTL_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "client/ctl/ctl.h"
#include "proto/op.h"

enum { ARGS_MAX_DEFS = 64 };

struct arg_def {
	const char *name;  /* "max-rows"; ends a table when NULL */
	char letter;       /* 'c', or 0 */
	const char *value; /* what the value is called in help; NULL: a flag */
	const char *meaning;
	int wire; /* the option of the protocol it stands for (enum op_option), or -1 */
};

/* One option given. */
struct arg {
	const struct arg_def *def; /* borrowed from args->defs */
	const char *value;         /* borrowed from argv; NULL for a flag */
};

struct args {
	const struct verb *verb;
	struct arg_def defs[ARGS_MAX_DEFS];
	size_t ndefs;
	char (*names)[32]; /* owned: names made from options.def */
	struct arg *given; /* owned; in the order of the command line */
	size_t ngiven;
	char **words; /* borrowed from argv: what is no option */
	int nwords;
};

/*
 * The options a verb takes: its own, those of the operations it stands for, and the global ones
 * (which take effect on ctl at once). args_fini frees it, also after a failure. Reports; CTL_USAGE.
 */
enum ctl_exit args_parse(struct ctl *ctl, const struct verb *verb, int argc, char **argv, struct args *out);
void args_fini(struct args *a);

/* The defs alone, for help. */
void args_defs(struct args *a, const struct verb *verb);

/* The value last given for an option ("" for a flag); NULL when it was not given. */
const char *args_get(const struct args *a, const char *name);

/* The next value given for an option from *i on; NULL behind the last. Start with *i = 0. */
const char *args_next(const struct args *a, const char *name, size_t *i);

/* As many words as that, at least and at most? Reports; CTL_USAGE. */
enum ctl_exit args_words(const struct args *a, int least, int most);

/*
 * The options of the protocol that were given, as a map into *out (NULL when none was), for one
 * operation on a table (NULL: none). Reports an option that op does not take, or a value that is
 * none; CTL_USAGE.
 */
enum ctl_exit args_options(struct ctl *ctl, const struct args *a, const struct op *op, const char *table,
			   struct json_object **out);

/* The global options, for rowctl's own line and for every verb's. */
extern const struct arg_def global_options[];

/* The global options in front of the verb; *first is the index of the verb in argv. Reports; CTL_USAGE.
 * CTL_HELP for --help; *version is set for --version. */
enum ctl_exit globals_parse(struct ctl *ctl, int argc, char **argv, int *first, bool *version);

/* Take a global option: -s, -d, -o ... Reports; CTL_USAGE. CTL_HELP for --help. */
enum ctl_exit global_option(struct ctl *ctl, const struct arg_def *def, const char *value);

/* "a,b,c" into an array of strings; false when one is empty. */
bool names_split(const char *text, struct json_object *array);

/* 0 .. 2^63-1, all digits. */
bool uint_parse(const char *text, int64_t *out);

#endif
