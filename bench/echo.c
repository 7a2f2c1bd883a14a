/*
 * The floor: a server that sends back what it gets, with one thread and one epoll. No server with this
 * shape can answer faster. usage: echo SOCKET
 */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { EVENTS = 512, BYTES = 65536 };

static int listen_on(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof a.sun_path)
		errx(2, "%s: the path of a socket cannot be so long", path);
	strcpy(a.sun_path, path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) || listen(fd, 4096))
		err(2, "%s", path);
	return fd;
}

static void watch(int epoll, int fd)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e))
		err(2, "epoll_ctl");
}

static void take_clients(int epoll, int listener)
{
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		watch(epoll, fd);
}

/* Sends block: the generator reads whatever it is owed before it sends more than fits. */
static void echo(int fd)
{
	static char bytes[BYTES];
	ssize_t n = recv(fd, bytes, sizeof bytes, 0), sent = 0, done;

	if (n <= 0) {
		close(fd);
		return;
	}
	while (sent < n) {
		done = send(fd, bytes + sent, (size_t)(n - sent), MSG_NOSIGNAL);
		if (done < 0 && errno != EINTR)
			return;
		if (done > 0)
			sent += done;
	}
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS];
	struct rlimit files;
	int listener, epoll, i, n;

	if (argc != 2)
		errx(2, "usage: echo SOCKET");
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	listener = listen_on(argv[1]);
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (epoll < 0)
		err(2, "epoll_create1");
	watch(epoll, listener);
	for (;;) {
		n = epoll_wait(epoll, events, EVENTS, -1);
		if (n < 0 && errno != EINTR)
			err(2, "epoll_wait");
		for (i = 0; i < n; i++) {
			if (events[i].data.fd == listener)
				take_clients(epoll, listener);
			else
				echo(events[i].data.fd);
		}
	}
}
