#include "config.h"

#include "daemon/net/peer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59
#endif

enum rowd_code peer_read(int fd, struct caller *out, struct err *err)
{
	struct ucred cred;
	socklen_t len = sizeof(cred), groups_len = sizeof(out->groups);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return err_sys(err, ROWD_E_DENIED, errno, "read the peer's credentials");
	memset(out, 0, sizeof(*out));
	out->uid = cred.uid;
	out->gid = cred.gid;
	out->pid = cred.pid;
	/* In more groups than we keep (ERANGE), or on a kernel that does not tell: the first only. */
	if (!getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, out->groups, &groups_len))
		out->ngroups = (unsigned)(groups_len / sizeof(out->groups[0]));
	return ROWD_OK;
}
