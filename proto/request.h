/*
 * A request as its operation asks for it: parameters in their places, options by name, every
 * shape checked against ops.def and options.def. What the table and its columns say of them is
 * checked later (daemon/plan).
 *
 * Pure. Thread: a request belongs to one thread at a time.
 */
#ifndef ROWD_PROTO_REQUEST_H
#define ROWD_PROTO_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <msgpack.h>

#include "base/err.h"
#include "proto/limits.h"
#include "proto/op.h"

struct request {
	const struct op *op;
	const msgpack_object *params[OP_MAX_PARAMS];  /* borrowed; NULL: optional and not given */
	const msgpack_object *options[OPT_COUNT_];    /* borrowed; NULL: not given */
};

/*
 * Check decoded params (an array) for op and put them in place.
 * The last map is options when it stands behind the parameters; where both a filter and options
 * could stand, the filter comes first. Refused as ROWD_E_BAD_REQUEST, with what was expected:
 * missing or surplus parameters, a parameter or option of the wrong kind, an unknown option, an
 * option given as nil, a map anywhere in params with a key that is no str or a key given twice.
 * A filter parameter that is nil is ROWD_E_EMPTY_FILTER. A str parameter or option that is not
 * UTF-8, or holds U+0000, is ROWD_E_INVALID_TEXT (a table's name is not looked at: no such table).
 * ROWD_E_NO_RESOURCE.
 */
ROWD_MUST_CHECK enum rowd_code request_read(const struct op *op, const msgpack_object *params,
					    struct request *out, struct err *err);

/*
 * One [method, ...params] of a PARAM_OPS parameter, of which request_read saw only that it is an array:
 * finds the operation and puts what follows in place, refused as above; ROWD_E_UNKNOWN_METHOD. Whether the operation
 * may stand there (OPF_ATOMIC) is the caller's question.
 */
ROWD_MUST_CHECK enum rowd_code request_read_op(const msgpack_object *o, struct request *out, struct err *err);

/* The name of the table or database that the request's first parameter means, split at ".":
 * "db.table" gives both, "table" gives *db_len_out 0. Only for an op whose params[0] is a table. */
void request_table(const struct request *r, const char **db_out, size_t *db_len_out,
		   const char **table_out, size_t *table_len_out);

bool request_flag(const struct request *r, enum op_option o);                     /* false when not given */
int64_t request_uint(const struct request *r, enum op_option o, int64_t dflt);    /* dflt when not given */

/* A str or uint parameter that is there. The str is borrowed, does not end in NUL, is never NULL. */
const char *request_param_str(const struct request *r, unsigned i, size_t *len_out);
int64_t request_param_uint(const struct request *r, unsigned i);

/* A str option, borrowed, without a NUL behind it; NULL when not given, or given as an array of
 * names (`returning`). */
const char *request_str(const struct request *r, enum op_option o, size_t *len_out);

#endif
