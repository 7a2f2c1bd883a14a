#include "config.h"

#include "daemon/net/conn.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/server.h"
#include "proto/limits.h"

enum {
	IN_SLACK_BYTES = 4 * LOOP_INPUT_BYTES,
	LINGER_MS = 2000,
	REQUEST_FRAME_VALUES = 64        /* what stands around the values: envelope, operators, containers */
};

static const struct limits *conn_limits(const struct conn *c)
{
	return &server_config(c->loop->server)->limits;
}

void conn_ready(struct conn *c)
{
	if (c->is_ready)
		return;
	c->is_ready = true;
	c->ready_next = c->loop->ready;
	c->loop->ready = c;
}

void conn_dirty(struct conn *c)
{
	if (c->is_dirty)
		return;
	c->is_dirty = true;
	c->dirty_next = c->loop->dirty;
	c->loop->dirty = c;
}

/* ---- reading ---- */

/* Nobody is there: neither to send nor to take. A client that only sends no more is still there. */
static bool hung_up(int fd)
{
	struct pollfd p = { .fd = fd, .events = 0 };

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR));
}

static void read_ended(struct conn *c)
{
	c->eof = true;
	event_del(&c->readable);
	if (hung_up(c->fd))
		c->gone = true;
}

/* Into the connection's own buffer, which has room for most requests; what does not fit there, by way of the loop's. */
static ssize_t read_some(struct conn *c)
{
	size_t room;
	ssize_t n, more = 0;

	buf_borrow(&c->in, &c->loop->large);
	if (c->in.cap - c->in.len < LOOP_LARGE_BYTES / 2 && !buf_reserve(&c->in, LOOP_LARGE_BYTES)) {
		errno = ENOMEM;
		return -1;
	}
	room = c->in.cap - c->in.len;
	n = recv(c->fd, c->in.data + c->in.len, room, 0);
	if (n <= 0)
		return n;
	c->in.len += (size_t)n;
	if ((size_t)n == room)
		more = recv(c->fd, c->loop->input, LOOP_INPUT_BYTES, 0);
	if (more > 0) {
		n += more;
		buf_add(&c->in, c->loop->input, (size_t)more);
	}
	stats_add(&c->loop->stats, STAT_bytes_in, (uint64_t)n);
	if (c->in.failed) {
		errno = ENOMEM;
		return -1;
	}
	return n;
}

/* What comes after the last answer. */
static void drop_some(struct conn *c)
{
	ssize_t n = read(c->fd, c->loop->input, LOOP_INPUT_BYTES);

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || clock_ns() >= c->linger_until_ns)
		c->gone = true;
	if (c->gone)
		conn_ready(c);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	ssize_t n;

	(void)fd;
	if (c->lingering) {
		drop_some(c);
		return;
	}
	conn_ready(c);
	if (what & EV_TIMEOUT) {
		c->gone = true;             /* a frame was begun and not finished in time */
		return;
	}
	n = read_some(c);
	if (n == 0)
		read_ended(c);
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		c->gone = true;
}

void conn_pause(struct conn *c)
{
	if (c->paused || c->eof)
		return;
	c->paused = true;
	event_del(&c->readable);
}

void conn_resume(struct conn *c)
{
	if (!c->paused || c->eof)
		return;
	c->paused = false;
	if (event_add(&c->readable, NULL))
		c->gone = true;
}

void conn_linger(struct conn *c)
{
	struct timeval tv = { .tv_sec = LINGER_MS / 1000 };

	buf_fini(&c->in);
	c->in_used = 0;
	c->lingering = true;
	c->linger_until_ns = clock_ns() + (int64_t)LINGER_MS * NS_PER_MS;
	event_del(&c->readable);
	if (shutdown(c->fd, SHUT_WR) || event_add(&c->readable, &tv))
		c->gone = true;
}

void conn_drain(struct conn *c)
{
	ssize_t n = 0;

	if (c->eof)
		return;
	if (c->lingering) {
		c->gone = true;
		conn_ready(c);
		return;
	}
	while (c->in.len < c->in.max_bytes / 2 && (n = read_some(c)) > 0)
		;
	c->eof = true;
	event_del(&c->readable);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		c->gone = true;
	conn_ready(c);
}

/* ---- frames ---- */

/* A partial frame has until its deadline, however slowly its bytes drip in. */
static void frame_wait(struct conn *c)
{
	int64_t now = clock_ns(), left;
	struct timeval tv;

	if (c->eof || c->paused)
		return;
	if (!c->frame_began_ns)
		c->frame_began_ns = now;
	left = (c->frame_began_ns - now) / 1000 + conn_limits(c)->frame_ms * 1000;
	if (left < 1000)
		left = 1000;
	tv = (struct timeval){ .tv_sec = left / 1000000, .tv_usec = left % 1000000 };
	if (event_add(&c->readable, &tv))
		c->gone = true;
}

static void frame_no_wait(struct conn *c)
{
	if (!c->frame_began_ns)
		return;
	c->frame_began_ns = 0;
	if (!c->eof && !c->paused) {
		event_del(&c->readable);        /* adding it again without a time would keep the old one */
		if (event_add(&c->readable, NULL))
			c->gone = true;
	}
}

static void in_compact(struct conn *c)
{
	if (c->in_used == c->in.len)
		buf_return(&c->in, &c->loop->large);
	else if (c->in_used)
		buf_consume(&c->in, c->in_used);
	c->in_used = 0;
}

static enum frame_status frame_partial(struct conn *c)
{
	in_compact(c);
	if (!c->in.len) {
		spares_give(&c->loop->small, c->frame);
		c->frame = NULL;
		frame_no_wait(c);
	} else {
		frame_wait(c);
	}
	return FRAME_MORE;
}

enum frame_status conn_frame(struct conn *c, const struct frame **frame, const char **data)
{
	const struct limits *limits = conn_limits(c);
	enum frame_status status;

	if (c->in_used == c->in.len)
		return frame_partial(c);
	if (!c->frame) {
		_Static_assert(sizeof(*c->frame) <= LOOP_SMALL_BYTES, "where a frame was left");
		c->frame = spares_take(&c->loop->small);
		if (!c->frame) {
			c->gone = true;
			return FRAME_MORE;
		}
		frame_init(c->frame, (size_t)limits->frame_bytes, (unsigned)limits->nesting + ENVELOPE_NESTING,
			   (uint64_t)limits->request_values + REQUEST_FRAME_VALUES);
		c->frame->max_count = (uint64_t)limits->request_values;
	}
	*data = c->in.data + c->in_used;
	*frame = c->frame;
	status = frame_scan(c->frame, *data, c->in.len - c->in_used);
	return status == FRAME_MORE ? frame_partial(c) : status;
}

void conn_frame_done(struct conn *c)
{
	c->in_used += c->frame->scanned;
	frame_reset(c->frame);
	frame_no_wait(c);
}

const char *conn_bytes(const struct conn *c, size_t *len)
{
	*len = c->in.len - c->in_used;
	return c->in.data + c->in_used;
}

/* ---- writing ---- */

static void on_writable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	(void)fd;
	c->writing = false;
	if (what & EV_TIMEOUT) {
		c->gone = true;
		stats_add(&c->loop->stats, STAT_slow_readers_closed, 1);
	}
	conn_ready(c);
	conn_dirty(c);
}

static void write_wait(struct conn *c)
{
	int64_t ms = conn_limits(c)->write_ms;
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };

	c->writing = true;
	if (!c->writable)
		c->writable = event_new(c->loop->base, c->fd, EV_WRITE, on_writable, c);
	if (!c->writable || event_add(c->writable, &tv))
		c->gone = true;
}

void conn_answers_begin(struct conn *c)
{
	buf_borrow(&c->out, &c->loop->small);
}

void conn_answers_end(struct conn *c)
{
	if (!c->is_dirty && !c->out.len)
		buf_return(&c->out, &c->loop->small);
}

void conn_flush(struct conn *c)
{
	size_t done = 0;
	ssize_t n;

	if (c->out.failed)
		c->gone = true;             /* an answer was lost: better no connection than a wrong one */
	while (!c->gone && done < c->out.len) {
		n = send(c->fd, c->out.data + done, c->out.len - done, MSG_NOSIGNAL);
		if (n > 0)
			done += (size_t)n;
		else if (errno == EAGAIN)
			break;
		else if (errno != EINTR)
			c->gone = true;
	}
	stats_add(&c->loop->stats, STAT_bytes_out, done);
	if (done == c->out.len)
		buf_return(&c->out, &c->loop->small);
	else
		buf_consume(&c->out, done);
	if (c->out.len && !c->gone && (!c->writing || done))
		write_wait(c);
	if (c->gone)
		conn_ready(c);
}

/* ---- life ---- */

struct conn *conn_new(struct loop *l, int fd)
{
	struct conn *c = calloc(1, sizeof(*c));
	const struct limits *limits = &server_config(l->server)->limits;

	if (!c) {
		close(fd);
		return NULL;
	}
	c->loop = l;
	c->fd = fd;
	buf_init(&c->in, (size_t)limits->frame_bytes + IN_SLACK_BYTES);
	buf_init(&c->out, (size_t)limits->reply_bytes * 2 + IN_SLACK_BYTES);
	if (event_assign(&c->readable, l->base, fd, EV_READ | EV_PERSIST, on_readable, c) ||
	    event_add(&c->readable, NULL)) {
		close(fd);
		free(c);
		return NULL;
	}
	c->next = l->conns;
	c->prev = &l->conns;
	if (c->next)
		c->next->prev = &c->next;
	l->conns = c;
	l->nconns++;
	return c;
}

static void unlink_from(struct conn **list, struct conn *c, bool ready)
{
	struct conn **at = list;

	while (*at && *at != c)
		at = ready ? &(*at)->ready_next : &(*at)->dirty_next;
	if (*at)
		*at = ready ? c->ready_next : c->dirty_next;
}

void conn_free(struct conn *c)
{
	event_del(&c->readable);
	if (c->writable)
		event_free(c->writable);
	if (c->is_ready)
		unlink_from(&c->loop->ready, c, true);
	if (c->is_dirty)
		unlink_from(&c->loop->dirty, c, false);
	*c->prev = c->next;
	if (c->next)
		c->next->prev = c->prev;
	c->loop->nconns--;
	close(c->fd);
	buf_fini(&c->in);
	buf_fini(&c->out);
	free(c->frame);
	free(c);
}
