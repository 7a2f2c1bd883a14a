/*
 * Carrying out changes of the schema, types that only rowd knows included. The catalog is read again
 * afterwards, within the same transaction.
 *
 * Thread: the one that owns the connection.
 */
#ifndef ROWD_EXEC_EXEC_SCHEMA_H
#define ROWD_EXEC_EXEC_SCHEMA_H

#include "daemon/exec/exec.h"
#include "daemon/sql/sql.h"

ROWD_MUST_CHECK enum rowd_code exec_create_table(struct exec *x, const struct table_def *d, struct err *err);
ROWD_MUST_CHECK enum rowd_code exec_drop_table(struct exec *x, const struct table *t, struct err *err);
ROWD_MUST_CHECK enum rowd_code exec_create_index(struct exec *x, const struct table *t, const struct key_def *k,
						 struct err *err);
ROWD_MUST_CHECK enum rowd_code exec_drop_index(struct exec *x, const struct table *t, const struct key *k,
					       struct err *err);
ROWD_MUST_CHECK enum rowd_code exec_add_column(struct exec *x, const struct table *t, const struct column_def *c,
					       struct err *err);

#endif
