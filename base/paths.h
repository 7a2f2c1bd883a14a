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
 * /run/user/UID where that is there, or in /tmp/rowd-UID. Nothing is made or opened. ROWD_E_LIMIT when
 * it does not fit.
 */
ROWD_MUST_CHECK enum rowd_code path_socket(char *out, size_t out_bytes, struct err *err);

/*
 * As path_socket, for a client: where the user has no socket but the system has one, the system's.
 * ROWD_E_DENIED when it lies in a /tmp/rowd-UID that somebody else made or may enter.
 */
ROWD_MUST_CHECK enum rowd_code path_socket_find(char *out, size_t out_bytes, struct err *err);

/*
 * The SQLite file of a daemon without options: for root the system's; else
 * $XDG_DATA_HOME/rowd/rowd.db, or ~/.local/share/rowd/rowd.db. Nothing is made or opened.
 */
ROWD_MUST_CHECK enum rowd_code path_data(char *out, size_t out_bytes, struct err *err);

/*
 * Make the directory that path lies in, and those above it, with the given mode. One that exists
 * stays as it is. ROWD_E_DENIED or ROWD_E_NO_RESOURCE say which one and why.
 */
ROWD_MUST_CHECK enum rowd_code path_make_parent(const char *path, unsigned mode, struct err *err);

/*
 * ROWD_E_DENIED when path lies in /tmp/rowd-UID and that is not a directory (no link) of this user
 * which no one else may enter: under /tmp a stranger may have been there first.
 */
ROWD_MUST_CHECK enum rowd_code path_check_parent(const char *path, struct err *err);

#endif
