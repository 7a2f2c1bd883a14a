/*
 * The tables rowd keeps for itself in a database it serves. They are made when they are first needed,
 * as create_table would make them, and nobody else can name them.
 *
 * Thread: the one that owns the connection.
 */
#ifndef ROWD_EXEC_OWN_TABLE_H
#define ROWD_EXEC_OWN_TABLE_H

#include "daemon/db/db.h"

#define OWN_REQUESTS "_rowd_requests"   /* request ids and their results: exec/once.c */
#define OWN_JOBS "_rowd_jobs"           /* purges: exec/purge_record.c */

/* Make one of the above unless it is there: in the transaction that is open, which takes CAP_DDL_IN_TX, else
 * in one of its own. */
ROWD_MUST_CHECK enum rowd_code own_table_make(struct db_conn *conn, struct sql *sql, const char *name,
					      struct err *err);

#endif
