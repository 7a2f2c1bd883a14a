#include "config.h"

#include "proto/op.h"

#include <assert.h>
#include <ctype.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#define OP(NAME, params, options, permission, place, flags, summary) \
	{ OP_##NAME, #NAME, params, options, PERM_##permission, PLACE_##place, flags, summary },
static const struct op_source {
	enum op_id id;
	const char *upper;
	const char *params, *options;
	enum op_permission permission;
	enum op_place place;
	unsigned flags;
	const char *summary;
} sources[] = {
#include "proto/ops.def"
};
#undef OP

#define OPTION(NAME, name, kind, meaning) { #name, OPTION_##kind, meaning },
static const struct option_info option_rows[] = {
#include "proto/options.def"
};
#undef OPTION

static const char *const permission_names[] = {
	[PERM_ANYONE] = "anyone", [PERM_SESSION] = "session", [PERM_READ] = "read",
	[PERM_WRITE] = "write",   [PERM_DELETE] = "delete",   [PERM_DELETE_ALL] = "delete_all",
	[PERM_SCHEMA] = "schema", [PERM_ADMIN] = "admin",
};

static const char *const param_kind_names[] = {
	[PARAM_STR] = "str",   [PARAM_UINT] = "uint",       [PARAM_TABLE] = "table",
	[PARAM_DATABASE] = "database",
	[PARAM_KEY] = "key",   [PARAM_FILTER] = "filter",   [PARAM_MAP] = "map",
	[PARAM_ROWS] = "rows", [PARAM_COLUMNS] = "columns", [PARAM_OPS] = "ops",
};

enum {
	NAME_BYTES = 32,
	SLOTS = 256, /* of a name table; a power of two, more than twice the names */
	PARAM_KINDS = sizeof(param_kind_names) / sizeof(param_kind_names[0])
};

static_assert(OPT_COUNT_ <= 64, "struct op keeps one bit per option");
static_assert(OP_COUNT_ < SLOTS / 2 && OPT_COUNT_ < SLOTS / 2, "a name table is never more than half full");

/* Open addressing; a slot holds a row's number + 1, 0 is free. */
struct name_table {
	unsigned char slot[SLOTS];
};

/* Written once, by unfold_all(). */
static struct op ops[OP_COUNT_];
static char op_names[OP_COUNT_][NAME_BYTES];
static char param_names[OP_COUNT_][OP_MAX_PARAMS][NAME_BYTES];
static struct name_table op_table, option_table;

/* Chosen to spread names such as ours; correctness does not depend on it. len > 0. */
static unsigned name_slot(const char *name, size_t len)
{
	const unsigned char *s = (const unsigned char *)name;

	return (unsigned)(len * 7 + s[0] * 31u + s[len - 1] * 5u + s[len / 2] * 131u) % SLOTS;
}

static void name_add(struct name_table *t, const char *name, unsigned row)
{
	unsigned slot = name_slot(name, strlen(name));

	while (t->slot[slot])
		slot = (slot + 1) % SLOTS;
	t->slot[slot] = (unsigned char)(row + 1);
}

/* The next word of *text_io, which moves behind it; its length, 0 at the end. */
static size_t next_word(const char **text_io, const char **word_out)
{
	const char *s = *text_io + strspn(*text_io, " ");
	size_t len = strcspn(s, " ");

	*word_out = s;
	*text_io = s + len;
	return len;
}

static enum param_kind param_kind_find(const char *name, size_t len)
{
	for (int i = 0; i < PARAM_KINDS; i++) {
		if (strlen(param_kind_names[i]) == len && memcmp(param_kind_names[i], name, len) == 0)
			return (enum param_kind)i;
	}
	assert(!"a kind of ops.def that op.h does not know");
	return PARAM_STR;
}

static void unfold_params(struct op *op)
{
	const char *text = op->params_text, *word;
	size_t len;

	while ((len = next_word(&text, &word)) > 0) {
		const char *colon = memchr(word, ':', len);
		char *name = param_names[op->id][op->nparams];
		bool optional = word[len - 1] == '?';
		size_t name_len;

		assert(colon && op->nparams < OP_MAX_PARAMS && op->nrequired == op->nparams);
		name_len = (size_t)(colon - word);
		assert(name_len < NAME_BYTES);
		memcpy(name, word, name_len);
		op->params[op->nparams].name = name;
		op->params[op->nparams].kind = param_kind_find(colon + 1, len - name_len - 1 - optional);
		op->nparams++;
		op->nrequired += !optional;
	}
}

static void unfold_options(struct op *op)
{
	const char *text = op->options_text, *word;
	size_t len;

	while ((len = next_word(&text, &word)) > 0) {
		int option = option_find(word, len);

		assert(option >= 0);
		op->options |= UINT64_C(1) << option;
	}
}

static void unfold(const struct op_source *src, struct op *op)
{
	char *name = op_names[src->id];
	size_t len = strlen(src->upper);

	assert(len < NAME_BYTES);
	for (size_t i = 0; i < len; i++)
		name[i] = (char)tolower((unsigned char)src->upper[i]);
	*op = (struct op){
		.id = src->id,
		.name = name,
		.permission = src->permission,
		.place = src->place,
		.flags = src->flags,
		.summary = src->summary,
		.params_text = src->params,
		.options_text = src->options,
	};
	unfold_params(op);
	unfold_options(op);
	name_add(&op_table, name, src->id);
}

static void unfold_all(void)
{
	for (unsigned i = 0; i < OPT_COUNT_; i++)
		name_add(&option_table, option_rows[i].name, i);
	for (unsigned i = 0; i < OP_COUNT_; i++) {
		assert(sources[i].id == i);
		unfold(&sources[i], &ops[i]);
	}
}

void op_init(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, unfold_all);
}

const struct op *op_get(enum op_id id)
{
	assert(id < OP_COUNT_ && ops[id].name);
	return &ops[id];
}

const struct op *op_find(const char *name, size_t len)
{
	if (len == 0)
		return NULL;
	for (unsigned slot = name_slot(name, len); op_table.slot[slot]; slot = (slot + 1) % SLOTS) {
		const struct op *op = &ops[op_table.slot[slot] - 1];

		if (strlen(op->name) == len && memcmp(op->name, name, len) == 0)
			return op;
	}
	return NULL;
}

const struct option_info *option_get(enum op_option id)
{
	assert(id < OPT_COUNT_);
	return &option_rows[id];
}

int option_find(const char *name, size_t len)
{
	if (len == 0)
		return -1;
	for (unsigned slot = name_slot(name, len); option_table.slot[slot]; slot = (slot + 1) % SLOTS) {
		int i = option_table.slot[slot] - 1;

		if (strlen(option_rows[i].name) == len && memcmp(option_rows[i].name, name, len) == 0)
			return i;
	}
	return -1;
}

const char *op_permission_name(enum op_permission p)
{
	return permission_names[p];
}
