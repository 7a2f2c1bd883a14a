/*
 * The one socket that rowd serves: made beside a lock, never taken from another who lives.
 *
 * Thread: the main thread.
 */
#ifndef ROWD_NET_LISTENER_H
#define ROWD_NET_LISTENER_H

#include "daemon/config.h"

/*
 * Open the socket c names, or take the one systemd opened: listening, non-blocking, close-on-exec.
 * A directory for the default socket is made. A socket that nobody serves any more is replaced.
 * The fd belongs to the listener: listener_close closes it.
 * ROWD_E_BUSY: another process serves it. ROWD_E_DENIED: the path, its directory or what lies there
 * is not ours to use. ROWD_E_BAD_REQUEST, NO_RESOURCE: as err says. Nothing is left behind then.
 */
ROWD_MUST_CHECK enum rowd_code listener_open(const struct config *c, int *fd_out, struct err *err);

/* Did systemd open it? The path then is what the unit says, not c->socket. */
bool listener_is_inherited(void);

/* Close the socket and remove it, if it is still the one we made. Fine without one, and twice. */
void listener_close(void);

#endif
