/*
 * What one session asks that others, or all of rowd, have to do with: cancel, kill, sessions, reload,
 * shutdown. Sessions belong to their loops, so such a request goes as a message to the loop that can answer,
 * and the answer comes home the same way.
 *
 * Thread: the session's loop, or that of the message.
 */
#ifndef ROWD_RPC_ERRAND_H
#define ROWD_RPC_ERRAND_H

#include "daemon/rpc/session.h"
#include "proto/request.h"

/*
 * Carry out req, or send it on its way. Answered at once: its answer is appended to b; else it comes by
 * itself. is_request: false for a notification, which has no answer.
 */
ROWD_MUST_CHECK enum rowd_code errand_run(struct session *s, const struct request *req, uint32_t msgid,
					  bool is_request, struct buf *b, struct err *err);

/* Deal with a message of this kind; false when it is of another. */
bool errand_message(struct loop *l, struct message *m);

#endif
