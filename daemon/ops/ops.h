/*
 * The handlers of operations that touch data or schema. From the decoded request each makes a
 * plan (plan/) against the catalog and hands it to exec/, which runs it and writes the answer.
 *
 * From ops.def: a row whose place is READER, WRITER or SCHEMA and which has no op_<name> here
 * does not link.
 */
#ifndef ROWD_OPS_OPS_H
#define ROWD_OPS_OPS_H

#include "daemon/exec/exec.h"

typedef enum rowd_code op_fn(struct exec *x, const struct request *req, struct err *err);

/* The handler of an operation; NULL for those that rpc/ answers itself. */
op_fn *ops_handler(enum op_id id);

#endif
