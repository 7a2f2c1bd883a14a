/*
 * What the verbs of rowctl share: the connection, the settings of the command line, the way to make
 * a call and to tell what came of it.
 *
 * rowctl is one thread, beside which interrupt.c keeps another that waits for Ctrl-C.
 */
#ifndef ROWD_CTL_CTL_H
#define ROWD_CTL_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <json-c/json.h>

#include "client/ctl/lang.h"
#include "client/ctl/out.h"
#include "proto/value.h"
#include "rowd.h"

/* What a script can tell from. */
enum ctl_exit {
	CTL_HELP = -1, /* inside rowctl only: --help was given, show the page and do nothing */
	CTL_OK = 0,
	CTL_FAILED = 1, /* the daemon refused, or the input is wrong */
	CTL_USAGE = 2,  /* the command line is wrong; nothing was sent */
	CTL_NO_CONNECTION = 3,
	CTL_DENIED = 4,
	CTL_UNKNOWN = 6 /* sent, and nobody can tell whether it took effect */
};

enum { CTL_TIMEOUT_NONE = -1 };

struct schema;

struct ctl {
	const char *socket; /* borrowed; NULL: the default one */
	char *database;     /* owned; NULL: the daemon's default one */
	int timeout_ms;     /* of a call; CTL_TIMEOUT_NONE */
	bool format_given;  /* -o was given: out.format is the user's wish */
	bool quiet, verbose;
	bool interactive;       /* commands come one after another */
	struct out out;         /* stdout */
	uint64_t shown;         /* rows the last read wrote */
	struct rowd *conn;      /* owned; NULL until the first call */
	struct rowd *side_conn; /* owned; for describe() while conn is in a transaction; or NULL */
	struct schema *schemas; /* owned; what describe() told in this command */
};

/* ---- calls ---- */

/* Connect, if that is not done. Reports a failure. */
enum ctl_exit ctl_connect(struct ctl *ctl);

/*
 * Call a method with params, an array; it is put, also on failure. Reports a failure.
 * *result_out is yours to rowd_result_free, on CTL_OK only.
 */
enum ctl_exit ctl_call(struct ctl *ctl, const char *method, struct json_object *params,
		       struct rowd_result **result_out);

/* The same with params that are MessagePack already; says nothing and fills *err. */
enum rowd_code ctl_call_raw(struct ctl *ctl, const char *method, const struct buf *params,
			    struct rowd_result **result_out, struct rowd_error *err);

/* Pack params into b. Reports a failure. */
bool ctl_pack(struct buf *b, const struct json_object *params);

/* Remember that the connection uses this database now. */
enum ctl_exit ctl_keep_database(struct ctl *ctl, const char *database);

/* With -v: the request on stderr, as JSON. */
void ctl_show_request(const struct ctl *ctl, const char *method, const struct json_object *params);

/* Tell on stderr what went wrong. Returns the exit code that says the same. */
enum ctl_exit ctl_report(const struct rowd_error *err);

/* Is the outcome of what failed in doubt, or the like: the exit code, silently. */
enum ctl_exit ctl_exit_of(const struct rowd_error *err);

/* ---- messages, on stderr, control characters escaped ---- */

/* "rowctl: ...". Returns CTL_FAILED. */
enum ctl_exit ctl_fail(const char *fmt, ...) ROWD_PRINTF(1, 2);

/* "rowctl: ...", and where help is to be had. Returns CTL_USAGE. */
enum ctl_exit ctl_usage(const char *verb, const char *fmt, ...) ROWD_PRINTF(2, 3);

/* A remark: not with -q. */
void ctl_note(const struct ctl *ctl, const char *fmt, ...) ROWD_PRINTF(2, 3);

/* A text that is not understood, with a caret under the place. Returns CTL_USAGE. */
enum ctl_exit ctl_bad_text(const char *what, const char *text, const struct lang_err *err);

/* ---- tables ---- */

struct column {
	char *name;
	struct type type;
	bool null; /* may hold null */
};

struct schema {
	char *table;
	struct column *columns;
	size_t ncolumns;
	char **key; /* the primary key's columns */
	size_t nkey;
	struct schema *next;
};

/* What describe() says of a table; NULL when it says nothing (no such table, no grant): then
 * values go out as written and the operation itself tells what is wrong. Borrowed until
 * ctl_forget_schemas. */
const struct schema *ctl_schema(struct ctl *ctl, const char *table);

void ctl_forget_schemas(struct ctl *ctl);

/* NULL when there is none of that name. */
const struct column *schema_column(const struct schema *schema, const char *name);

/* The type of the i-th column of the primary key; NULL when not known. */
const struct type *schema_key_type(const struct schema *schema, size_t i);

/* The surroundings for lang.h: column types from describe(), lists from files. */
struct lang_env ctl_lang_env(struct ctl *ctl);

/* ---- verbs ---- */

struct arg_def;

struct verb {
	const char *name;              /* "delete" */
	const char *usage;             /* what follows the name */
	const char *summary;           /* one line */
	const char *details;           /* more lines for `rowctl help VERB`, or NULL */
	const struct arg_def *options; /* its own, ended by one without a name; or NULL */
	const char *
		ops; /* the operations it stands for, by name, separated by spaces: their options are its options */
	enum ctl_exit (*run)(struct ctl *ctl, const struct verb *verb, int argc, char **argv);
};

/* The families; each ends with a verb without a name. */
extern const struct verb read_verbs[], write_verbs[], delete_verbs[], purge_verbs[], schema_verbs[],
	other_verbs[];

/* By name, - and _ alike; NULL when there is none. */
const struct verb *verb_find(const char *name);

/* The i-th verb of all families; NULL behind the last. */
const struct verb *verb_at(size_t i);

/* Carry out a command: argv[0] is a verb, or any operation's name. */
enum ctl_exit ctl_command(struct ctl *ctl, int argc, char **argv);

/* The operation of that name, - and _ alike; NULL when there is none. */
struct op;
const struct op *verb_op(const char *name);

/* What verb an operation without one of its own makes; usage is where its line goes (cmd_op.c). */
void op_verb(const struct op *op, struct verb *verb, char *usage, size_t usage_bytes);

/* Carry out such an operation: argv[0] is its name (cmd_op.c). */
enum ctl_exit op_command(struct ctl *ctl, const struct op *op, int argc, char **argv);

/* A select as a stream, shown as it comes (cmd_read.c). options: borrowed, without "stream". Reports. */
enum ctl_exit read_stream(struct ctl *ctl, const char *table, const struct json_object *options);

/* Commands from a terminal or a file, one a line (shell.c). */
enum ctl_exit shell_run(struct ctl *ctl);

#endif
