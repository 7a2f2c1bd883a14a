/*
 * Looking after a database on one connection, and answering with what was found.
 *
 * Thread: the one that owns the connection.
 */
#ifndef ROWD_EXEC_UPKEEP_H
#define ROWD_EXEC_UPKEEP_H

#include "daemon/exec/exec.h"

/* The directory of backups, once at start, before there are other threads; borrowed. "": none. */
void upkeep_set_directory(const char *path);

/* ROWD_E_UNSUPPORTED without a directory, BAD_REQUEST for a name that is more than a file's name. */
ROWD_MUST_CHECK enum rowd_code upkeep_check_name(const char *name, size_t len, struct err *err);

/* {ok, problems} */
ROWD_MUST_CHECK enum rowd_code upkeep_check(struct exec *x, struct err *err);

/* true */
ROWD_MUST_CHECK enum rowd_code upkeep_backup(struct exec *x, const char *name, size_t len, struct err *err);

/* {reclaimed_bytes, used_bytes, free_bytes}. table, of len bytes: to be made anew; NULL: in steps, for max_ms. */
ROWD_MUST_CHECK enum rowd_code upkeep_reclaim(struct exec *x, int64_t max_ms, const char *table, size_t len,
					      struct err *err);

#endif
