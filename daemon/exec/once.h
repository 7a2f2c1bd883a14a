/*
 * Exactly once: a write that carries a request id leaves its result beside its effect, in the same
 * transaction, in the table _rowd_requests. The same id again is answered from there. An id belongs to
 * the user who made it: two users' ids never meet.
 *
 * Thread: the one that owns the connection.
 */
#ifndef ROWD_EXEC_ONCE_H
#define ROWD_EXEC_ONCE_H

#include "daemon/exec/exec.h"

/* Has the database the table of request ids? As its catalog of this transaction says. */
bool once_is_ready(struct db_conn *conn);

/*
 * exec_request for a request with an id. Known already: its stored result is appended, nothing is
 * done. ROWD_E_ID_REUSED: it belonged to another request; ROWD_E_ID_FENCED: outcome() has promised that
 * it never applies; ROWD_E_ID_EXPIRED: it is older than what is remembered; ROWD_E_BUSY: its twin is
 * being carried out at this moment.
 */
ROWD_MUST_CHECK enum rowd_code once_request(struct exec *x, const struct request *req, struct err *err);

/* Before a commit with an id: note that it was made, in the transaction it ends. */
ROWD_MUST_CHECK enum rowd_code once_record_commit(struct exec *x, const struct request *req, struct err *err);

/* A commit with an id while no transaction is open: its answer if it was made, else ROWD_E_TX_NONE. */
ROWD_MUST_CHECK enum rowd_code once_replay_commit(struct exec *x, const struct request *req, struct err *err);

/* Append what became of the request with that id (a str). Not known: from now on it never applies. */
ROWD_MUST_CHECK enum rowd_code once_outcome(struct exec *x, const msgpack_object *id, struct err *err);

/* Forget ids older than the retention, a bounded number of them. *more_out: there may be others. */
ROWD_MUST_CHECK enum rowd_code once_prune(struct exec *x, bool *more_out, struct err *err);

#endif
