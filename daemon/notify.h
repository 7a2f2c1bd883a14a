/*
 * systemd's two small protocols, spoken without its library: telling it how we are (sd_notify(3)), and
 * taking a socket from it (sd_listen_fds(3)).
 *
 * Thread: notify_send from any; the others on the main thread, at start.
 */
#ifndef ROWD_NOTIFY_H
#define ROWD_NOTIFY_H

#include <stdint.h>

#include "base/err.h"

/* "READY=1", "STOPPING=1", "WATCHDOG=1", ...; nothing when nobody listens. Never blocks. */
void notify_send(const char *state);

/* "RELOADING=1" with the time systemd wants beside it. */
void notify_reloading(void);

/* How often systemd wants to hear "WATCHDOG=1", in microseconds; 0: not at all. */
uint64_t notify_watchdog_us(void);

/*
 * The socket systemd opened for this process, close-on-exec and non-blocking; -1 when there is none.
 * The environment forgets about it. ROWD_E_BAD_REQUEST for more than one, or one that is not a
 * listening Unix stream socket.
 */
ROWD_MUST_CHECK enum rowd_code notify_listen_fd(int *fd_out, struct err *err);

#endif
