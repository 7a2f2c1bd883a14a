/*
 * Small questions to the database before or after a write.
 *
 * Thread: the one that owns x->conn.
 */
#ifndef ROWD_EXEC_PROBE_H
#define ROWD_EXEC_PROBE_H

#include "daemon/exec/exec.h"

/* Is there a row of which where is true? NULL stands for a condition there was no memory for:
 * ROWD_E_NO_RESOURCE. Uses x->sql. */
ROWD_MUST_CHECK enum rowd_code probe_exists(struct exec *x, const struct table *t, const struct pred *where,
					    bool *out, struct err *err);

#endif
