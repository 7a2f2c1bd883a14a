/*
 * The SQL functions that rowd adds to SQLite, for what its own do differently from other databases.
 * Statements made by sql/ use them; the schema never does, so other programs can read the file.
 *
 *   rowd_sum(x)                   aggregate: the exact sum of ints as TEXT ("-123"), however large;
 *                                 NULL of no values. NULLs are left out.
 *   rowd_add(x, y [, limit])      x + y
 *   rowd_sub(x, y [, limit])      x - y
 *   rowd_mul(x, y [, drop, limit])  x * y / 10^drop
 *                                 NULL when x or y is. A result that no int64 holds, or whose
 *                                 magnitude is limit or more (limit > 0: 10^digits of a decimal), or
 *                                 that 10^drop does not divide: the statement fails with out_of_range.
 *   rowd_like(value, pattern)     1 or 0, NULL of NULL: `%` any run, `_` one character, `\` escapes;
 *                                 case-sensitive; TEXT by characters, BLOB by bytes. What is of
 *                                 another kind than the pattern does not match.
 *
 * They are DIRECTONLY: a trigger or view in a hostile file cannot call them.
 */
#include "config.h"

#include <string.h>

#include "daemon/db/sqlite_private.h"

enum { LIKE_STEPS_PER_LOOK = 65536 };

__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

static void function_raise(sqlite3_context *ctx, enum rowd_code code)
{
	struct sqlite_conn *c = sqlite3_user_data(ctx);

	c->raised = code;
	sqlite3_result_error(ctx, "rowd", -1);
}

/* ---- arithmetic ---- */

/* Two ints, or an answer given already: NULL of NULL, a failure of anything else. */
static bool arguments_are_ints(sqlite3_context *ctx, sqlite3_value **args)
{
	int x = sqlite3_value_type(args[0]), y = sqlite3_value_type(args[1]);

	if (x == SQLITE_NULL || y == SQLITE_NULL) {
		sqlite3_result_null(ctx);
		return false;
	}
	if (x != SQLITE_INTEGER || y != SQLITE_INTEGER) {
		function_raise(ctx, ROWD_E_TYPE_MISMATCH);
		return false;
	}
	return true;
}

static void answer_within(sqlite3_context *ctx, int128 result, int64_t limit)
{
	if (result < INT64_MIN || result > INT64_MAX ||
	    (limit > 0 && (result >= limit || result <= -(int128)limit)))
		function_raise(ctx, ROWD_E_OUT_OF_RANGE);
	else
		sqlite3_result_int64(ctx, (int64_t)result);
}

static void function_add(sqlite3_context *ctx, int nargs, sqlite3_value **args)
{
	if (arguments_are_ints(ctx, args))
		answer_within(ctx, (int128)sqlite3_value_int64(args[0]) + sqlite3_value_int64(args[1]),
			      nargs > 2 ? sqlite3_value_int64(args[2]) : 0);
}

static void function_sub(sqlite3_context *ctx, int nargs, sqlite3_value **args)
{
	if (arguments_are_ints(ctx, args))
		answer_within(ctx, (int128)sqlite3_value_int64(args[0]) - sqlite3_value_int64(args[1]),
			      nargs > 2 ? sqlite3_value_int64(args[2]) : 0);
}

static void function_mul(sqlite3_context *ctx, int nargs, sqlite3_value **args)
{
	int drop = nargs > 2 ? sqlite3_value_int(args[2]) : 0;
	int128 product, divisor = 1;

	if (!arguments_are_ints(ctx, args))
		return;
	product = (int128)sqlite3_value_int64(args[0]) * sqlite3_value_int64(args[1]);
	for (; drop > 0 && drop <= 2 * DECIMAL_MAX_DIGITS; drop--)
		divisor *= 10;
	if (drop != 0 || product % divisor != 0)
		function_raise(ctx, ROWD_E_OUT_OF_RANGE);
	else
		answer_within(ctx, product / divisor, nargs > 3 ? sqlite3_value_int64(args[3]) : 0);
}

/* ---- rowd_sum ---- */

struct sum {
	unsigned char total[sizeof(int128)];   /* of fewer than 2^63 int64, so it cannot overflow; bytes,
	                                          for SQLite aligns to 8 and int128 wants 16 */
	bool any;
};

static int128 sum_total(const struct sum *s)
{
	int128 total;

	memcpy(&total, s->total, sizeof total);
	return total;
}

static void sum_step(sqlite3_context *ctx, int nargs, sqlite3_value **args)
{
	struct sum *s;
	int128 total;

	(void)nargs;
	if (sqlite3_value_type(args[0]) == SQLITE_NULL)
		return;
	if (sqlite3_value_type(args[0]) != SQLITE_INTEGER) {
		function_raise(ctx, ROWD_E_TYPE_MISMATCH);
		return;
	}
	s = sqlite3_aggregate_context(ctx, sizeof *s);
	if (!s) {
		sqlite3_result_error_nomem(ctx);
		return;
	}
	total = sum_total(s) + sqlite3_value_int64(args[0]);
	memcpy(s->total, &total, sizeof total);
	s->any = true;
}

/* Decimal digits of total into the end of out; returns where they begin. */
static const char *sum_format(int128 total, char out[48], size_t *len_out)
{
	uint128 rest = total < 0 ? -(uint128)total : (uint128)total;
	char *p = out + 48;

	do {
		*--p = (char)('0' + (int)(rest % 10));
		rest /= 10;
	} while (rest);
	if (total < 0)
		*--p = '-';
	*len_out = (size_t)(out + 48 - p);
	return p;
}

static void sum_final(sqlite3_context *ctx)
{
	struct sum *s = sqlite3_aggregate_context(ctx, 0);
	char digits[48];
	const char *text;
	size_t len;

	if (!s || !s->any) {
		sqlite3_result_null(ctx);
		return;
	}
	text = sum_format(sum_total(s), digits, &len);
	sqlite3_result_text(ctx, text, (int)len, SQLITE_TRANSIENT);
}

/* ---- rowd_like ---- */

struct like {
	const unsigned char *value, *value_end;
	const unsigned char *pattern, *pattern_end;
	bool characters;    /* `_` is a character, not a byte */
};

static const unsigned char *like_next(const struct like *l, const unsigned char *p)
{
	p++;
	while (l->characters && p < l->value_end && (*p & 0xC0) == 0x80)
		p++;
	return p;
}

/*
 * Match with one place to fall back to: behind the latest `%`, one character further on each time.
 * Returns 1, 0, or -1 when the watch said stop.
 */
static int like_match(struct sqlite_conn *c, const struct like *l)
{
	const unsigned char *v = l->value, *p = l->pattern;
	const unsigned char *again_v = NULL, *again_p = NULL;
	unsigned steps = 0;

	for (;;) {
		if (++steps % LIKE_STEPS_PER_LOOK == 0 && watch_look(c->watch, &c->stopped))
			return -1;
		if (p < l->pattern_end && *p == '%') {
			again_p = ++p;
			again_v = v;
			if (p == l->pattern_end)
				return 1;
			continue;
		}
		if (v == l->value_end) {
			return p == l->pattern_end;
		} else if (p < l->pattern_end && *p == '_') {
			v = like_next(l, v);
			p++;
			continue;
		} else if (p < l->pattern_end) {
			const unsigned char *literal = *p == '\\' && p + 1 < l->pattern_end ? p + 1 : p;

			if (*literal == *v) {
				p = literal + 1;
				v++;
				continue;
			}
		}
		if (!again_p)
			return 0;
		again_v = like_next(l, again_v);
		v = again_v;
		p = again_p;
	}
}

static void function_like(sqlite3_context *ctx, int nargs, sqlite3_value **args)
{
	struct sqlite_conn *c = sqlite3_user_data(ctx);
	int kind = sqlite3_value_type(args[1]);
	struct like l = { .characters = kind == SQLITE_TEXT };
	int matched;

	(void)nargs;
	if (sqlite3_value_type(args[0]) == SQLITE_NULL || kind == SQLITE_NULL) {
		sqlite3_result_null(ctx);
		return;
	}
	if (sqlite3_value_type(args[0]) != kind || (kind != SQLITE_TEXT && kind != SQLITE_BLOB)) {
		sqlite3_result_int(ctx, 0);
		return;
	}
	/* as blobs: no NUL is added, nothing converted; an empty one may be NULL */
	l.value = sqlite3_value_blob(args[0]);
	l.value_end = l.value ? l.value + sqlite3_value_bytes(args[0]) : NULL;
	l.pattern = sqlite3_value_blob(args[1]);
	l.pattern_end = l.pattern ? l.pattern + sqlite3_value_bytes(args[1]) : NULL;
	matched = like_match(c, &l);
	if (matched < 0)
		sqlite3_result_error_code(ctx, SQLITE_INTERRUPT);
	else
		sqlite3_result_int(ctx, matched);
}

int sqlite_functions_install(struct sqlite_conn *c)
{
	static const struct {
		const char *name;
		int nargs;
		void (*call)(sqlite3_context *, int, sqlite3_value **);
	} functions[] = {
		{ "rowd_add", 2, function_add }, { "rowd_add", 3, function_add },
		{ "rowd_sub", 2, function_sub }, { "rowd_sub", 3, function_sub },
		{ "rowd_mul", 2, function_mul }, { "rowd_mul", 4, function_mul },
		{ "rowd_like", 2, function_like },
	};
	const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
	int rc = SQLITE_OK;
	size_t i;

	for (i = 0; rc == SQLITE_OK && i < sizeof functions / sizeof *functions; i++)
		rc = sqlite3_create_function_v2(c->db, functions[i].name, functions[i].nargs, flags, c,
						functions[i].call, NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_create_function_v2(c->db, "rowd_sum", 1, flags, c, NULL, sum_step, sum_final, NULL);
	return rc;
}
