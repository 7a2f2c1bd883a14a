/*
 * Where rowd listens and keeps its data when nobody says otherwise: one rule for the daemon and for
 * its clients.
 *
 * Thread: any, as long as nobody changes the environment. A set-uid program's environment is not read.
 */
#ifndef ROWD_BASE_PATHS_H
#define ROWD_BASE_PATHS_H

#include <stddef.h>

#include "base/err.h"

enum { PATH_SOCKET_BYTES = 108 };  /* what a socket's address holds, its NUL included */

#define PATH_SYSTEM_SOCKET "/run/rowd/rowd.sock"
#define PATH_SYSTEM_DATA "/var/lib/rowd/rowd.db"

/*
 * The socket: $ROWD_SOCKET; for root the system's; else $XDG_RUNTIME_DIR/rowd/rowd.sock, or the same in
 * /run/user/UID where that is there. Nothing is made or opened. ROWD_E_LIMIT when it does not fit,
 * ROWD_E_UNAVAILABLE when there is no runtime directory (the sentence says what to do).
 */
ROWD_MUST_CHECK enum rowd_code path_socket(char *out, size_t out_bytes, struct err *err);

/* As path_socket, for a client: where the user has no socket but the system has one, the system's. */
ROWD_MUST_CHECK enum rowd_code path_socket_find(char *out, size_t out_bytes, struct err *err);

/*
 * The SQLite file of a daemon without options: for root the system's; else
 * $XDG_DATA_HOME/rowd/rowd.db, or ~/.local/share/rowd/rowd.db. Nothing is made or opened.
 */
ROWD_MUST_CHECK enum rowd_code path_data(char *out, size_t out_bytes, struct err *err);

#endif
