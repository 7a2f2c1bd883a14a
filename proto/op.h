/*
 * The table of operations, made from ops.def and options.def.
 *
 * Pure, constant. Thread: any.
 */
#ifndef ROWD_PROTO_OP_H
#define ROWD_PROTO_OP_H

#include <stddef.h>
#include <stdint.h>

enum op_id {
#define OP(NAME, params, options, permission, place, flags, summary) OP_##NAME,
#include "proto/ops.def"
#undef OP
	OP_COUNT_
};

enum op_option {
#define OPTION(NAME, name, kind, meaning) OPT_##NAME,
#include "proto/options.def"
#undef OPTION
	OPT_COUNT_
};

enum op_permission {
	PERM_ANYONE,      /* even a caller without any grant */
	PERM_SESSION,     /* any caller with a grant */
	PERM_READ, PERM_WRITE, PERM_DELETE, PERM_DELETE_ALL, PERM_SCHEMA, PERM_ADMIN
};

enum op_place { PLACE_LOOP, PLACE_PAST, PLACE_READER, PLACE_WRITER, PLACE_TX, PLACE_SCHEMA, PLACE_ALONE, PLACE_BARE };

enum op_flag { OPF_ID = 1, OPF_ATOMIC = 2 };

enum param_kind {
	PARAM_STR, PARAM_UINT,
	PARAM_TABLE,    /* str: "table" or "database.table" */
	PARAM_DATABASE, /* str: the request is for that database, not the session's */
	PARAM_KEY,      /* any one value, or an array */
	PARAM_FILTER,   /* a map or an array */
	PARAM_MAP,
	PARAM_ROWS,     /* a map, or an array of maps */
	PARAM_COLUMNS,  /* an array of str */
	PARAM_OPS       /* an array of [method, ...params] */
};

enum option_kind { OPTION_BOOL, OPTION_UINT, OPTION_STR, OPTION_NAMES, OPTION_FILTER, OPTION_VALUES,
		   OPTION_RETURNING, OPTION_MAP };

enum { OP_MAX_PARAMS = 3 };

struct op_param {
	const char *name;
	enum param_kind kind;
};

struct op {
	enum op_id id;
	const char *name;                      /* the method */
	struct op_param params[OP_MAX_PARAMS];
	unsigned nparams;                      /* an optional last one included */
	unsigned nrequired;
	uint64_t options;                      /* bit 1 << OPT_X for each that may be given */
	enum op_permission permission;
	enum op_place place;
	unsigned flags;
	const char *summary;
	const char *params_text, *options_text; /* as in ops.def, for help */
};

struct option_info {
	const char *name;
	enum option_kind kind;
	const char *meaning;
};

/* The row of an operation; never NULL for id < OP_COUNT_. Call op_init() once before. */
const struct op *op_get(enum op_id id);

/* By method name; NULL when there is none. name need not end in NUL. */
const struct op *op_find(const char *name, size_t len);

/* The row of an option; never NULL for id < OPT_COUNT_. */
const struct option_info *option_get(enum op_option id);

/* By name; -1 when there is none. */
int option_find(const char *name, size_t len);

/* "read", "delete_all", ...: the word a grant uses. */
const char *op_permission_name(enum op_permission p);

/* Unfold the strings of ops.def into rows. Safe to call again, from any thread; asserts that the
 * tables are sound. */
void op_init(void);

#endif
