#include "config.h"

#include "client/ctl/args.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/ctl/param.h"

const struct arg_def global_options[] = {
	{ "socket", 's', "PATH", "the daemon's socket", -1 },
	{ "database", 'd', "NAME", "the database to use", -1 },
	{ "output", 'o', "FORMAT", "table, json, jsonl, csv or tsv; table on a terminal, else jsonl", -1 },
	{ "timeout", 0, "SECONDS", "give up after so long, truthfully", -1 },
	{ "quiet", 'q', NULL, "no remarks", -1 },
	{ "verbose", 'v', NULL, "show each request, and how long it took", -1 },
	{ "help", 'h', NULL, "what is to be known", -1 },
	{ NULL, 0, NULL, NULL, 0 }
};

/* The letters of options that come from options.def. */
static const struct {
	enum op_option option;
	char letter;
	const char *value;
} wire_looks[] = {
	{ OPT_COLUMNS, 'c', "COLUMNS" }, { OPT_ORDER, 0, "COLUMNS" }, { OPT_GROUP_BY, 0, "COLUMNS" },
	{ OPT_LIMIT, 'l', "ROWS" },      { OPT_OFFSET, 0, "ROWS" },   { OPT_MAX_ROWS, 0, "ROWS" },
	{ OPT_BATCH, 0, "ROWS" },        { OPT_AFTER, 0, "VALUES" },  { OPT_RETURNING, 0, "WHAT" },
	{ OPT_COMPUTE, 0, "WHAT" },      { OPT_DRY_RUN, 'n', NULL },  { OPT_REQUEST_ID, 0, "UUID" },
	{ OPT_TIMEOUT_MS, 0, "MS" },
};

/* ---- the options a verb takes ---- */

static void defs_add(struct args *a, const struct arg_def *def)
{
	for (size_t i = 0; i < a->ndefs; i++)
		if (!strcmp(a->defs[i].name, def->name))
			return;
	if (a->ndefs < ARGS_MAX_DEFS)
		a->defs[a->ndefs++] = *def;
}

static void defs_add_table(struct args *a, const struct arg_def *table)
{
	for (; table && table->name; table++)
		defs_add(a, table);
}

/* max_rows -> max-rows, a flag or with a value, as options.def has it. */
static void defs_add_wire(struct args *a, enum op_option option)
{
	const struct option_info *info = option_get(option);
	struct arg_def def = { .meaning = info->meaning, .wire = (int)option };
	char *name = a->names[option];

	snprintf(name, sizeof a->names[option], "%s", info->name);
	for (char *p = name; *p; p++)
		if (*p == '_')
			*p = '-';
	def.name = name;
	def.value = info->kind == OPTION_BOOL ? NULL : info->kind == OPTION_UINT ? "N" : "VALUE";
	for (size_t i = 0; i < sizeof wire_looks / sizeof *wire_looks; i++) {
		if (wire_looks[i].option == option) {
			def.letter = wire_looks[i].letter;
			def.value = wire_looks[i].value;
		}
	}
	defs_add(a, &def);
}

/* The options of every operation named in ops. */
static void defs_add_ops(struct args *a, const char *ops)
{
	while (ops && *ops) {
		size_t len = strcspn(ops, " ");
		const struct op *op = op_find(ops, len);

		for (int i = 0; op && i < OPT_COUNT_; i++)
			if (op->options & UINT64_C(1) << i)
				defs_add_wire(a, (enum op_option)i);
		ops += len;
		ops += strspn(ops, " ");
	}
}

void args_defs(struct args *a, const struct verb *verb)
{
	*a = (struct args){ .verb = verb };
	a->names = calloc(OPT_COUNT_, sizeof *a->names);
	defs_add_table(a, verb->options);
	if (a->names)
		defs_add_ops(a, verb->ops);
}

void args_fini(struct args *a)
{
	free(a->names);
	free(a->given);
	*a = (struct args){ 0 };
}

/* ---- reading the command line ---- */

enum { LONG_BASE = 256 }; /* getopt_long answers LONG_BASE + index */

/* stop: at the first word that is no option. */
static void getopt_tables(const struct args *a, bool stop, struct option *longs, char *shorts)
{
	if (stop)
		*shorts++ = '+';
	*shorts++ = ':';
	for (size_t i = 0; i < a->ndefs; i++) {
		longs[i] =
			(struct option){ a->defs[i].name, a->defs[i].value ? required_argument : no_argument,
					 NULL, LONG_BASE + (int)i };
		if (!a->defs[i].letter)
			continue;
		*shorts++ = a->defs[i].letter;
		if (a->defs[i].value)
			*shorts++ = ':';
	}
	longs[a->ndefs] = (struct option){ 0 };
	*shorts = '\0';
}

static const struct arg_def *def_of(const struct args *a, int c)
{
	if (c >= LONG_BASE)
		return &a->defs[c - LONG_BASE];
	for (size_t i = 0; i < a->ndefs; i++)
		if (a->defs[i].letter == c)
			return &a->defs[i];
	return NULL;
}

static bool is_global(const struct arg_def *def)
{
	for (const struct arg_def *g = global_options; g->name; g++)
		if (!strcmp(g->name, def->name))
			return true;
	return false;
}

static enum ctl_exit take(struct ctl *ctl, struct args *a, const struct arg_def *def, const char *value)
{
	if (is_global(def))
		return global_option(ctl, def, value);
	a->given[a->ngiven++] = (struct arg){ def, value };
	return CTL_OK;
}

static enum ctl_exit refuse(const struct args *a, int c, char **argv)
{
	const char *word = argv[optind - 1];

	if (c == ':')
		return ctl_usage(a->verb->name, "%s wants a value", word);
	if (optopt && optopt < LONG_BASE)
		return ctl_usage(a->verb->name, "there is no option -%c", optopt);
	return ctl_usage(a->verb->name, "%s is no option, or no whole one", word);
}

enum ctl_exit args_parse(struct ctl *ctl, const struct verb *verb, int argc, char **argv, struct args *out)
{
	struct option longs[ARGS_MAX_DEFS + 1];
	char shorts[2 * ARGS_MAX_DEFS + 3];
	enum ctl_exit rc = CTL_OK;
	int c;

	args_defs(out, verb);
	defs_add_table(out, global_options);
	out->given = calloc((size_t)argc + 1, sizeof *out->given);
	if (!out->names || !out->given)
		return ctl_fail("out of memory");
	getopt_tables(out, false, longs, shorts);
	optind = 0;
	opterr = 0;
	while (rc == CTL_OK && (c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct arg_def *def = c == '?' || c == ':' ? NULL : def_of(out, c);

		rc = def ? take(ctl, out, def, optarg) : refuse(out, c, argv);
	}
	out->words = argv + optind;
	out->nwords = argc - optind;
	return rc;
}

enum ctl_exit globals_parse(struct ctl *ctl, int argc, char **argv, int *first, bool *version)
{
	static const struct arg_def version_def = { "version", 0, NULL, "the version", -1 };
	static const struct verb nothing = { 0 };
	struct option longs[ARGS_MAX_DEFS + 1];
	char shorts[2 * ARGS_MAX_DEFS + 3];
	struct args a = { .verb = &nothing };
	enum ctl_exit rc = CTL_OK;
	int c;

	defs_add_table(&a, global_options);
	defs_add(&a, &version_def);
	getopt_tables(&a, true, longs, shorts);
	opterr = 0;
	while (rc == CTL_OK && (c = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct arg_def *def = c == '?' || c == ':' ? NULL : def_of(&a, c);

		if (def && !strcmp(def->name, "version"))
			*version = true;
		else
			rc = def ? global_option(ctl, def, optarg) : refuse(&a, c, argv);
	}
	*first = optind;
	return rc;
}

const char *args_get(const struct args *a, const char *name)
{
	const char *found = NULL;

	for (size_t i = 0; i < a->ngiven; i++)
		if (!strcmp(a->given[i].def->name, name))
			found = a->given[i].value ? a->given[i].value : "";
	return found;
}

const char *args_next(const struct args *a, const char *name, size_t *i)
{
	while (*i < a->ngiven) {
		const struct arg *arg = &a->given[(*i)++];

		if (!strcmp(arg->def->name, name))
			return arg->value ? arg->value : "";
	}
	return NULL;
}

enum ctl_exit args_words(const struct args *a, int least, int most)
{
	if (a->nwords < least)
		return ctl_usage(a->verb->name, "more is needed: %s %s", a->verb->name, a->verb->usage);
	if (most >= 0 && a->nwords > most)
		return ctl_usage(a->verb->name,
				 "\"%s\" is one word too many; a filter is one word, in quotes",
				 a->words[most]);
	return CTL_OK;
}

/* ---- options for the wire ---- */

bool uint_parse(const char *text, int64_t *out)
{
	char *end;

	if (!*text || text[strspn(text, "0123456789")])
		return false;
	errno = 0;
	*out = strtoll(text, &end, 10);
	return errno == 0;
}

bool names_split(const char *text, struct json_object *array)
{
	for (;;) {
		size_t len = strcspn(text, ",");
		size_t from = strspn(text, " "), to = len;

		while (to > from && text[to - 1] == ' ')
			to--;
		if (from >= to)
			return false;
		json_object_array_add(array, json_object_new_string_len(text + from, (int)(to - from)));
		if (!text[len])
			return true;
		text += len + 1;
	}
}

/* Names gather: --order a --order b is --order a,b. */
static bool names_add(struct json_object *map, const char *name, const char *text)
{
	struct json_object *array;

	if (!json_object_object_get_ex(map, name, &array)) {
		array = json_object_new_array();
		json_object_object_add(map, name, array);
	}
	return names_split(text, array);
}

static bool returning_add(struct json_object *map, const char *name, const char *text)
{
	if (strcmp(text, "keys") && strcmp(text, "rows"))
		return names_add(map, name, text);
	json_object_object_add(map, name, json_object_new_string(text));
	return true;
}

static bool uint_add(struct json_object *map, const char *name, const char *text)
{
	int64_t v;

	if (!uint_parse(text, &v))
		return false;
	json_object_object_add(map, name, json_object_new_int64(v));
	return true;
}

static enum ctl_exit number_wanted(const struct args *a, const struct arg *arg)
{
	return ctl_usage(a->verb->name, "--%s wants a number, not \"%s\"", arg->def->name, arg->value);
}

static enum ctl_exit names_wanted(const struct args *a, const struct arg *arg)
{
	return ctl_usage(a->verb->name, "--%s wants names with commas between them", arg->def->name);
}

static enum ctl_exit option_add(struct ctl *ctl, const struct args *a, const struct arg *arg,
				const char *table, struct json_object *map)
{
	const struct option_info *info = option_get((enum op_option)arg->def->wire);

	switch (info->kind) {
	case OPTION_BOOL:
		json_object_object_add(map, info->name, json_object_new_boolean(true));
		return CTL_OK;
	case OPTION_UINT:
		return uint_add(map, info->name, arg->value) ? CTL_OK : number_wanted(a, arg);
	case OPTION_STR:
		json_object_object_add(map, info->name, json_object_new_string(arg->value));
		return CTL_OK;
	case OPTION_NAMES:
		return names_add(map, info->name, arg->value) ? CTL_OK : names_wanted(a, arg);
	case OPTION_RETURNING:
		return returning_add(map, info->name, arg->value) ? CTL_OK : names_wanted(a, arg);
	case OPTION_FILTER:
		return param_filter_into(ctl, table, arg->value, map, info->name);
	case OPTION_VALUES:
		return param_after_into(ctl, table, arg->value, map, info->name);
	case OPTION_MAP:
		break;
	}
	return param_compute_into(arg->value, map, info->name);
}

/* Is it one whose meaning hangs on the others? Those are read last. */
static bool reads_others(const struct arg_def *def)
{
	return def->wire >= 0 && option_get((enum op_option)def->wire)->kind == OPTION_VALUES;
}

enum ctl_exit args_options(struct ctl *ctl, const struct args *a, const struct op *op, const char *table,
			   struct json_object **out)
{
	struct json_object *map = json_object_new_object();
	enum ctl_exit rc = CTL_OK;

	for (size_t i = 0; rc == CTL_OK && i < 2 * a->ngiven; i++) {
		const struct arg *arg = &a->given[i % a->ngiven];

		if (arg->def->wire < 0 || reads_others(arg->def) != (i >= a->ngiven))
			continue;
		if (op->options & UINT64_C(1) << arg->def->wire)
			rc = option_add(ctl, a, arg, table, map);
		else
			rc = ctl_usage(a->verb->name, "--%s means nothing here: %s does not take it",
				       arg->def->name, op->name);
	}
	if (rc != CTL_OK || json_object_object_length(map) == 0) {
		json_object_put(map);
		map = NULL;
	}
	if (rc == CTL_OK)
		*out = map;
	return rc;
}

/* ---- global options ---- */

static enum ctl_exit timeout_option(struct ctl *ctl, const char *value)
{
	char *end;
	double seconds = strtod(value, &end);

	if (end == value || *end || !(seconds > 0) || seconds > 2000000)
		return ctl_usage(NULL, "--timeout wants seconds, such as 2.5, not \"%s\"", value);
	ctl->timeout_ms = (int)(seconds * 1000 + 0.5);
	if (ctl->timeout_ms < 1)
		ctl->timeout_ms = 1;
	if (ctl->conn)
		rowd_set_timeout(ctl->conn, ctl->timeout_ms);
	return CTL_OK;
}

enum ctl_exit global_option(struct ctl *ctl, const struct arg_def *def, const char *value)
{
	switch (def->name[0] == 'h' ? 'h' : def->letter) {
	case 's':
		if (ctl->conn)
			return ctl_usage(NULL, "the connection is made already");
		ctl->socket = value;
		return CTL_OK;
	case 'd':
		if (ctl->conn)
			return ctl_usage(NULL, "the connection is made; to change the database say: use %s",
					 value);
		return ctl_keep_database(ctl, value);
	case 'o':
		if (!out_format_find(value, &ctl->out.format))
			return ctl_usage(NULL, "-o wants table, json, jsonl, csv or tsv, not \"%s\"", value);
		ctl->format_given = true;
		return CTL_OK;
	case 'q':
		ctl->quiet = true;
		return CTL_OK;
	case 'v':
		ctl->verbose = true;
		return CTL_OK;
	case 'h':
		return CTL_HELP;
	default:
		return timeout_option(ctl, value);
	}
}
