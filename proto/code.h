/*
 * What codes.def says of each result. Pure, constant. Thread: any.
 */
#ifndef ROWD_PROTO_CODE_H
#define ROWD_PROTO_CODE_H

#include <stdbool.h>

#include "rowd_codes.h"

/* "too_long"; "ok" for ROWD_OK; "internal" for a number that is none of ours. */
const char *code_name(enum rowd_code code);

/* One line for people. */
const char *code_meaning(enum rowd_code code);

enum rowd_outcome code_outcome(enum rowd_code code);
bool code_retry(enum rowd_code code);

/* Is it the request, as sent, that was refused? True where sending it again unchanged is pointless
 * for a reason that lies with the caller; false for contention, deadlines, the backend and rowd
 * itself. The first element of an error in the shape "pair". */
bool code_is_callers_fault(enum rowd_code code);

/* By name; ROWD_E_INTERNAL when there is none. */
enum rowd_code code_find(const char *name, unsigned long len);

/* "not_applied", "applied", "unknown". */
const char *outcome_name(enum rowd_outcome outcome);

#endif
