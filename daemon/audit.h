/*
 * The audit trail: one line, key=value, for every delete, and for the end of a transaction that deleted:
 * when, who, what was asked, what became of it. Values of filters are shown as "?" unless audit_values
 * says otherwise. A line is written before its request is answered; with `audit = required` a second one
 * before the request is begun, and where that cannot be written nothing is deleted.
 *
 * Thread: any.
 */
#ifndef ROWD_AUDIT_H
#define ROWD_AUDIT_H

#include "daemon/config.h"
#include "daemon/run/job.h"

/* Open the file that c names; without one, or with `audit = off`, there is no trail. ROWD_E_DENIED. */
ROWD_MUST_CHECK enum rowd_code audit_open(const struct config *c, struct err *err);

/* The file was moved away: open it anew. Logs when it cannot be. */
void audit_reopen(const struct config *c);
void audit_close(void);

/* Does a job leave a line? Not in a trail that is off, and only those that delete. */
bool audit_wants(const struct job *job);

/* Before a job is begun, for `audit = required`: ROWD_E_NO_RESOURCE when its line cannot be written. */
ROWD_MUST_CHECK enum rowd_code audit_begin(const struct job *job, uint64_t session, struct err *err);

/* After it: append its lines to b, for audit_write. */
void audit_add(struct buf *b, const struct job *job, uint64_t session, bool in_transaction, int64_t took_ns);

/* Append the line of a transaction's end to b: commit or rollback, as job says. */
void audit_add_end(struct buf *b, const struct job *job, uint64_t session, int64_t took_ns);

/* Append the line of a purge's end to b. */
void audit_add_purge(struct buf *b, const char *database, const char *table, int64_t uid, int64_t purge,
		     const char *state, int64_t deleted);

/* Write the lines and clear b. False, and a line in the log, when the file does not take them. */
bool audit_write(struct buf *b);

#endif
