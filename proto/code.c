#include "config.h"

#include "proto/code.h"

#include <stddef.h>
#include <string.h>

struct code_row {
	const char *name;
	enum rowd_outcome outcome;
	bool retry;
	const char *meaning;
};

/* By number; numbers that are none of ours have no name. */
static const struct code_row rows[] = {
	[ROWD_OK] = { "ok", ROWD_APPLIED, false, "it went well" },
#define CODE(NAME, name, number, outcome, retry, meaning) \
	[number] = { #name, ROWD_##outcome, retry, meaning },
#include "proto/codes.def"
#undef CODE
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static const struct code_row *row_of(enum rowd_code code)
{
	unsigned n = (unsigned)code;

	return n < ROWS && rows[n].name ? &rows[n] : &rows[ROWD_E_INTERNAL];
}

const char *code_name(enum rowd_code code)
{
	return row_of(code)->name;
}

const char *code_meaning(enum rowd_code code)
{
	return row_of(code)->meaning;
}

enum rowd_outcome code_outcome(enum rowd_code code)
{
	return row_of(code)->outcome;
}

bool code_retry(enum rowd_code code)
{
	return row_of(code)->retry;
}

bool code_is_callers_fault(enum rowd_code code)
{
	switch (code) {
	case ROWD_OK:
	case ROWD_E_BUSY:
	case ROWD_E_TIMEOUT:
	case ROWD_E_CANCELLED:
	case ROWD_E_TX_TIMEOUT:
	case ROWD_E_COMMIT_UNKNOWN:
	case ROWD_E_STORAGE_FULL:
	case ROWD_E_NO_RESOURCE:
	case ROWD_E_UNAVAILABLE:
	case ROWD_E_CORRUPT:
	case ROWD_E_SHUTTING_DOWN:
	case ROWD_E_INTERNAL:
		return false;
	case ROWD_E_BAD_REQUEST:
	case ROWD_E_UNKNOWN_METHOD:
	case ROWD_E_UNKNOWN_DATABASE:
	case ROWD_E_UNKNOWN_TABLE:
	case ROWD_E_UNKNOWN_COLUMN:
	case ROWD_E_EMPTY_FILTER:
	case ROWD_E_UNSUPPORTED:
	case ROWD_E_LIMIT:
	case ROWD_E_TYPE_MISMATCH:
	case ROWD_E_OUT_OF_RANGE:
	case ROWD_E_TOO_LONG:
	case ROWD_E_INVALID_TEXT:
	case ROWD_E_NULL_NOT_ALLOWED:
	case ROWD_E_CONFLICT:
	case ROWD_E_FOREIGN_KEY:
	case ROWD_E_TOO_MANY_ROWS:
	case ROWD_E_PREVIEW_STALE:
	case ROWD_E_TABLE_EXISTS:
	case ROWD_E_UNKNOWN_INDEX:
	case ROWD_E_INDEX_EXISTS:
	case ROWD_E_SCHEMA_MISMATCH:
	case ROWD_E_SCHEMA_INVALID:
	case ROWD_E_NOT_PORTABLE:
	case ROWD_E_DENIED:
	case ROWD_E_READ_ONLY:
	case ROWD_E_TX_NONE:
	case ROWD_E_TX_OPEN:
	case ROWD_E_TX_ABORTED:
	case ROWD_E_ID_REUSED:
	case ROWD_E_ID_EXPIRED:
	case ROWD_E_ID_FENCED:
		return true;
	}
	return false;
}

enum rowd_code code_find(const char *name, unsigned long len)
{
	for (unsigned i = 0; i < ROWS; i++) {
		if (rows[i].name && strlen(rows[i].name) == len && memcmp(rows[i].name, name, len) == 0)
			return (enum rowd_code)i;
	}
	return ROWD_E_INTERNAL;
}

const char *outcome_name(enum rowd_outcome outcome)
{
	switch (outcome) {
	case ROWD_NOT_APPLIED:
		return "not_applied";
	case ROWD_APPLIED:
		return "applied";
	case ROWD_UNKNOWN:
		return "unknown";
	}
	return "unknown";
}
