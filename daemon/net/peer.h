/* Who is at the other end of a connection, as the kernel tells it. Thread: any. */
#ifndef ROWD_NET_PEER_H
#define ROWD_NET_PEER_H

#include "daemon/policy.h"

/*
 * Fill uid, gid, pid and groups of out from the connected socket fd (SO_PEERCRED, SO_PEERGROUPS: the
 * credentials of the moment it connected). ROWD_E_DENIED when the kernel does not say.
 */
ROWD_MUST_CHECK enum rowd_code peer_read(int fd, struct caller *out, struct err *err);

#endif
