#include <config.h>

#include "daemon/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

enum { FIRST_FD = 3 };    /* sd_listen_fds(3): SD_LISTEN_FDS_START */

/* The environment's number of that name; 0 without a sound one. */
static uint64_t env_number(const char *name)
{
	const char *text = getenv(name);
	uint64_t n = 0;
	char *end;

	if (!text || text[0] < '0' || text[0] > '9')
		return 0;
	errno = 0;
	n = strtoull(text, &end, 10);
	return errno || *end ? 0 : n;
}

void notify_send(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = path ? strlen(path) : 0;
	int fd;

	if (len < 2 || len >= sizeof(to.sun_path) || (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(to.sun_path, path, len);
	if (path[0] == '@')
		to.sun_path[0] = '\0';    /* the abstract namespace */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT, (const struct sockaddr *)&to,
		     (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	close(fd);
}

void notify_reloading(void)
{
	char state[64];

	snprintf(state, sizeof(state), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 (uint64_t)clock_ns() / 1000);
	notify_send(state);
}

uint64_t notify_watchdog_us(void)
{
	uint64_t pid = env_number("WATCHDOG_PID");

	return pid == 0 || pid == (uint64_t)getpid() ? env_number("WATCHDOG_USEC") : 0;
}

static bool option_is(int fd, int option, int due)
{
	socklen_t len = sizeof(int);
	int value;

	return getsockopt(fd, SOL_SOCKET, option, &value, &len) == 0 && value == due;
}

enum rowd_code notify_listen_fd(int *fd_out, struct err *err)
{
	bool ours = env_number("LISTEN_PID") == (uint64_t)getpid();
	uint64_t n = env_number("LISTEN_FDS");

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (!ours || n == 0) {
		*fd_out = -1;
		return ROWD_OK;
	}
	if (n > 1)
		return err_set(err, ROWD_E_BAD_REQUEST, "systemd hands over %" PRIu64 " sockets; rowd serves one", n);
	if (!option_is(FIRST_FD, SO_DOMAIN, AF_UNIX) || !option_is(FIRST_FD, SO_TYPE, SOCK_STREAM) ||
	    !option_is(FIRST_FD, SO_ACCEPTCONN, 1))
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "what systemd hands over is not a listening Unix stream socket");
	if (fcntl(FIRST_FD, F_SETFD, FD_CLOEXEC) || fcntl(FIRST_FD, F_SETFL, O_NONBLOCK))
		return err_sys(err, ROWD_E_NO_RESOURCE, errno, "the socket from systemd");
	*fd_out = FIRST_FD;
	return ROWD_OK;
}
