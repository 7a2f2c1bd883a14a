#include "config.h"

#include "bench/serve.h"

#include <err.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { EVENTS = 512 };

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

void serve(const char *path, void (*ready)(int fd), void (*turn)(void))
{
	struct epoll_event events[EVENTS];
	struct rlimit files;
	int listener, epoll, i, n;

	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	listener = listen_on(path);
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
				ready(events[i].data.fd);
		}
		if (turn)
			turn();
	}
}

ssize_t serve_receive(int fd, void *bytes, size_t size)
{
	ssize_t n = recv(fd, bytes, size, 0);

	if (n <= 0)
		close(fd);
	return n;
}

void serve_send(int fd, const void *bytes, size_t len)
{
	size_t sent = 0;
	ssize_t n;

	while (sent < len) {
		n = send(fd, (const char *)bytes + sent, len - sent, MSG_NOSIGNAL);
		if (n < 0 && errno != EINTR)
			return;
		if (n > 0)
			sent += (size_t)n;
	}
}
