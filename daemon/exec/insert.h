/*
 * Adding rows, and changing those that are there already.
 *
 * Rows take effect in their order, and it is the first of them that violates a constraint that is
 * told: err->index says which of an array. Thread: the one that owns x->conn.
 */
#ifndef ROWD_EXEC_INSERT_H
#define ROWD_EXEC_INSERT_H

#include "daemon/exec/exec.h"
#include "daemon/plan/rows.h"

struct insert_result {
	const struct column *id_column; /* the generated one; NULL when the table has none */
	struct value *ids;              /* its value in each row, when there is one; arena */
	int64_t inserted, updated;
};

/* The column whose values the table makes; NULL when there is none. */
const struct column *insert_id_column(const struct table *t);

/* ROWD_E_NULL_NOT_ALLOWED for what a row leaves out but must have, before any SQL; CONFLICT, FOREIGN_KEY. */
ROWD_MUST_CHECK enum rowd_code insert_rows(struct exec *x, const struct row_set *rows,
					   struct insert_result *out, struct err *err);

/* As insert_rows, but a row whose primary key exists changes the row that has it. */
ROWD_MUST_CHECK enum rowd_code upsert_rows(struct exec *x, const struct row_set *rows,
					   struct insert_result *out, struct err *err);

/* The primary key of the row that was made of row i of rows, into key. ROWD_E_UNSUPPORTED when it cannot be
 * known. */
ROWD_MUST_CHECK enum rowd_code insert_key(const struct row_set *rows, const struct insert_result *result,
					  size_t i, struct value *key, struct err *err);

#endif
