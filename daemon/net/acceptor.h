/*
 * Taking in clients: accepts on the listening socket and deals the connections out to the loops, in
 * turn.
 *
 * Thread: the main thread's, which runs loops[0].
 */
#ifndef ROWD_NET_ACCEPTOR_H
#define ROWD_NET_ACCEPTOR_H

#include "daemon/server.h"

struct acceptor;

/* Accept on fd (borrowed) from now on, in the turns of loops[0]. ROWD_E_NO_RESOURCE. */
ROWD_MUST_CHECK enum rowd_code acceptor_new(struct server *s, int fd, struct acceptor **out, struct err *err);

/* Accept no more. NULL is fine. */
void acceptor_free(struct acceptor *a);

#endif
