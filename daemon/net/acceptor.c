#include "config.h"

#include "daemon/net/acceptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "daemon/log.h"
#include "daemon/run/loop.h"

enum {
	ACCEPT_AT_ONCE = 64,           /* clients taken in before the others get their turn */
	ACCEPT_PAUSE_US = 100000       /* after there was no descriptor or memory for one */
};

struct acceptor {
	struct server *server;         /* borrowed */
	struct event *readable, *resume; /* owned */
	int fd;                        /* borrowed */
	int spare_fd;                  /* owned; given up to refuse a client when descriptors run out */
	unsigned next_loop;
	bool exhausted;                /* said so in the log */
};

static void refused(struct acceptor *a)
{
	stats_add(&a->server->loops[0]->stats, STAT_connections_refused, 1);
}

/* A connection that waits would wake us for ever: with the spare descriptor, take it and close it. */
static void refuse_one(struct acceptor *a)
{
	int fd;

	close(a->spare_fd);
	fd = accept4(a->fd, NULL, NULL, SOCK_CLOEXEC);
	if (fd >= 0)
		close(fd);
	a->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	refused(a);
}

static void deal(struct acceptor *a, int fd)
{
	struct server *s = a->server;
	struct message *m;

	if (atomic_fetch_add(&s->nclients, 1) >= (unsigned)server_config(s)->limits.clients) {
		atomic_fetch_sub(&s->nclients, 1);
		close(fd);
		refused(a);
		return;
	}
	m = message_new(MESSAGE_CLIENT);
	if (!m) {
		atomic_fetch_sub(&s->nclients, 1);
		close(fd);
		refused(a);
		return;
	}
	m->fd = fd;
	loop_post(s->loops[a->next_loop], m);
	a->next_loop = (a->next_loop + 1) % s->nloops;
}

static void pause_accepting(struct acceptor *a)
{
	struct timeval tv = { .tv_usec = ACCEPT_PAUSE_US };

	if (!a->exhausted)
		log_warn("event=accept state=paused errno=%d", errno);
	a->exhausted = true;
	if (a->spare_fd >= 0)
		refuse_one(a);
	event_del(a->readable);
	event_add(a->resume, &tv);
}

static void on_readable(evutil_socket_t listening, short what, void *arg)
{
	struct acceptor *a = arg;

	(void)what;
	for (unsigned i = 0; i < ACCEPT_AT_ONCE; i++) {
		int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			a->exhausted = false;
			deal(a, fd);
		} else if (errno == EAGAIN) {
			return;
		} else if (errno != EINTR && errno != ECONNABORTED) {
			pause_accepting(a);
			return;
		}
	}
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct acceptor *a = arg;

	(void)fd, (void)what;
	if (event_add(a->readable, NULL))
		event_add(a->resume, &(struct timeval){ .tv_usec = ACCEPT_PAUSE_US });
}

enum rowd_code acceptor_new(struct server *s, int fd, struct acceptor **out, struct err *err)
{
	struct acceptor *a = calloc(1, sizeof(*a));

	if (!a)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for accepting clients");
	a->server = s;
	a->fd = fd;
	a->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	a->readable = event_new(s->loops[0]->base, fd, EV_READ | EV_PERSIST, on_readable, a);
	a->resume = event_new(s->loops[0]->base, -1, 0, on_resume, a);
	if (!a->readable || !a->resume || event_add(a->readable, NULL)) {
		acceptor_free(a);
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for accepting clients");
	}
	*out = a;
	return ROWD_OK;
}

void acceptor_free(struct acceptor *a)
{
	if (!a)
		return;
	if (a->readable)
		event_free(a->readable);
	if (a->resume)
		event_free(a->resume);
	if (a->spare_fd >= 0)
		close(a->spare_fd);
	free(a);
}
