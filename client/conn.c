#include "config.h"

#include "client/private.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum { RETRY_FIRST_MS = 1, RETRY_MOST_MS = 200, RPC_RESPONSE_PARTS = 4, RPC_NOTIFICATION_PARTS = 3 };

/* ---- deadlines ---- */

deadline deadline_in(int timeout_ms)
{
	return timeout_ms < 0 ? DEADLINE_NONE : clock_ns() / NS_PER_MS + timeout_ms;
}

int deadline_left_ms(deadline at)
{
	int64_t left;

	if (at == DEADLINE_NONE)
		return -1;
	left = at - clock_ns() / NS_PER_MS;
	return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

deadline deadline_sooner(deadline a, deadline b)
{
	if (a == DEADLINE_NONE || b == DEADLINE_NONE)
		return a == DEADLINE_NONE ? b : a;
	return a < b ? a : b;
}

/* ---- opening ---- */

/* Clients that lost the same daemon come back one by one: between half of ms and all of it. */
static void sleep_about(int ms, deadline until)
{
	struct timespec ts;
	int left = deadline_left_ms(until), nap_us;

	nap_us = ms * 500 + (int)(clock_ns() % NS_PER_S / 7 % (ms * 500));
	if (left >= 0 && nap_us / 1000 > left)
		nap_us = left * 1000;
	ts = (struct timespec){ nap_us / 1000000, (long)(nap_us % 1000000) * 1000 };
	nanosleep(&ts, NULL);
}

static int socket_connect(const char *path)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd, saved;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	memcpy(sa.sun_path, path, strlen(path) + 1); /* rowd_connect saw that it fits */
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

static enum rowd_code open_failed(struct rowd_error *err, const char *path, int errnum)
{
	switch (errnum) {
	case EACCES:
	case EPERM:
		return error_set(err, ROWD_E_DENIED, "%s may not be opened: %s", path, strerror(errnum));
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
		return error_set(err, ROWD_E_NO_RESOURCE, "no socket could be made: %s", strerror(errnum));
	case EAGAIN:
		return error_set(err, ROWD_E_UNAVAILABLE,
				 "%s is there, but the daemon takes no more clients for now", path);
	default:
		return error_set(err, ROWD_E_UNAVAILABLE, "cannot connect to %s: %s", path, strerror(errnum));
	}
}

/* Forget what belonged to an earlier connection. */
static void conn_clean(struct rowd *c)
{
	buf_fini(&c->out);
	buf_fini(&c->in);
	c->out_used = 0;
	c->out_taken = 0;
	c->out_broken = false;
	c->in_used = 0;
	frame_reset(&c->frame);
}

enum rowd_code conn_open(struct rowd *c, bool again, deadline until, struct rowd_error *err)
{
	int nap_ms = RETRY_FIRST_MS, errnum;

	assert(!c->waiting.first);
	for (;;) {
		c->fd = socket_connect(c->path);
		if (c->fd >= 0)
			break;
		errnum = errno;
		if (errnum != EAGAIN && errnum != EINTR &&
		    !(again && (errnum == ECONNREFUSED || errnum == ENOENT)))
			return open_failed(err, c->path, errnum);
		if (deadline_left_ms(until) == 0)
			return open_failed(err, c->path, errnum);
		sleep_about(nap_ms, until);
		nap_ms = nap_ms * 2 < RETRY_MOST_MS ? nap_ms * 2 : RETRY_MOST_MS;
	}
	conn_clean(c);
	return ROWD_OK;
}

/* ---- losing ---- */

/* Is a request that ends at `end` with the daemon, whole? Half a request is never carried out. */
static bool was_sent(const struct rowd *c, const struct ticket *t)
{
	return t->end <= c->out_taken;
}

/* Did a commit leave behind t, which would have made t's work lasting? */
static bool commit_followed(const struct rowd *c, const struct ticket *t)
{
	for (t = t->next; t; t = t->next) {
		if (t->kind == TICKET_COMMIT && was_sent(c, t))
			return true;
	}
	return false;
}

static enum rowd_code lost_code(const struct rowd *c, const struct ticket *t, enum rowd_code code)
{
	bool undone = t->in_tx && t->kind != TICKET_COMMIT && !commit_followed(c, t);
	bool harmless = t->kind == TICKET_READ || t->kind == TICKET_BEGIN || t->kind == TICKET_ROLLBACK;

	return !was_sent(c, t) || harmless || undone ? code : ROWD_E_COMMIT_UNKNOWN;
}

void conn_lose(struct rowd *c, enum rowd_code code, const char *fmt, ...)
{
	struct ticket *t;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(c->lost_text, sizeof(c->lost_text), fmt, ap);
	va_end(ap);
	close(c->fd);
	c->fd = -1;
	for (t = c->waiting.first; t; t = t->next) {
		t->lost_code = lost_code(c, t, code);
		t->unsent = !was_sent(c, t);
		t->state = TICKET_LOST;
	}
	while ((t = c->waiting.first) != NULL) {
		ticket_list_remove(&c->waiting, t->number);
		ticket_list_add(&c->answered, t);
	}
	c->tx_lost = c->tx_lost || c->tx;
	c->tx = false;
	conn_clean(c);
}

/* ---- what has come ---- */

/* The unsigned int whose encoding begins at p; false when it is none. The frame is whole. */
static bool read_msgid(const unsigned char *p, uint32_t *out)
{
	if (p[0] < 0x80)
		*out = p[0];
	else if (p[0] == 0xcc)
		*out = p[1];
	else if (p[0] == 0xcd)
		*out = (uint32_t)p[1] << 8 | p[2];
	else if (p[0] == 0xce)
		*out = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
	else
		return false;
	return true;
}

/* A copy with a byte to spare. */
static char *frame_copy(const char *data, size_t len)
{
	char *copy = malloc(len + 1);

	if (copy)
		memcpy(copy, data, len);
	return copy;
}

/* Was a commit refused before it was looked at? Then its transaction, aborted, is open still. */
static bool commit_unseen(const struct rowd *c, const unsigned char *error)
{
	uint32_t code;

	if (!c->tx || error[0] != 0x93 || !read_msgid(error + 1, &code))
		return false;
	return code == ROWD_E_BAD_REQUEST || code == ROWD_E_CANCELLED || code == ROWD_E_TIMEOUT;
}

/* What an answer says about the connection's state: transaction and database. */
static void track_answer(struct rowd *c, struct ticket *t, const unsigned char *error)
{
	if (t->kind == TICKET_BEGIN && t->ok)
		c->tx = true;
	else if (t->kind == TICKET_ROLLBACK || (t->kind == TICKET_COMMIT && !commit_unseen(c, error)))
		c->tx = false;
	if (t->database && t->ok) {
		free(c->database);
		c->database = t->database;
		t->database = NULL;
	}
}

static struct ticket *waiting_find(const struct rowd *c, uint32_t msgid)
{
	struct ticket *t;

	for (t = c->waiting.first; t; t = t->next) {
		if ((uint32_t)t->number == msgid)
			return t;
	}
	return NULL;
}

/* A response, whole: keep it with its ticket. False: it answers nothing. */
static bool take_response(struct rowd *c, const char *data, size_t len)
{
	const unsigned char *p = (const unsigned char *)data;
	bool ok = p[c->frame.offset[2]] == 0xc0;
	struct ticket *t;
	uint32_t msgid;

	if (!read_msgid(p + c->frame.offset[1], &msgid))
		return false;
	t = waiting_find(c, msgid);
	if (!t)
		return false;
	ticket_list_remove(&c->waiting, t->number);
	t->frame = frame_copy(data, len);
	t->frame_len = len;
	t->ok = ok;
	t->state = TICKET_ANSWERED;
	ticket_list_add(&c->answered, t);
	track_answer(c, t, p + c->frame.offset[2]);
	return true;
}

/* rows [msgid, rows] of the open stream is kept for it; any other notification is none of ours. */
static void take_notification(struct rowd *c, const char *data, size_t len)
{
	static const char rows[] = "\xa4rows";
	struct rowd_stream *s = c->stream;
	size_t method = c->frame.offset[1], params = c->frame.offset[2];
	uint32_t msgid;

	if (!s || params - method != sizeof(rows) - 1 || memcmp(data + method, rows, sizeof(rows) - 1) != 0)
		return;
	if ((unsigned char)data[params] != 0x92)
		return;
	if (!read_msgid((const unsigned char *)data + params + 1, &msgid) || msgid != (uint32_t)s->ticket)
		return;
	s->frame = frame_copy(data, len);
	s->frame_len = len;
	s->broken = s->broken || !s->frame;
}

/* One whole frame. False when it is no message. */
static bool take_frame(struct rowd *c, const char *data, size_t len)
{
	const struct frame *f = &c->frame;
	unsigned char type;

	if (f->elements < RPC_NOTIFICATION_PARTS)
		return false;
	type = (unsigned char)data[f->offset[0]];
	if (type == 1 && f->elements == RPC_RESPONSE_PARTS)
		return take_response(c, data, len);
	if (type != 2 || f->elements != RPC_NOTIFICATION_PARTS)
		return false;
	take_notification(c, data, len);
	return true;
}

/* Give back what was used; keep no large memory for an idle connection. */
static void in_compact(struct rowd *c)
{
	if (c->in_used == c->in.len && c->in.cap > KEEP_BYTES)
		buf_fini(&c->in);
	else
		buf_consume(&c->in, c->in_used);
	c->in_used = 0;
}

static void lose_for_frame(struct rowd *c, enum frame_status status)
{
	if (status == FRAME_TOO_LONG || status == FRAME_TOO_MANY)
		conn_lose(c, ROWD_E_LIMIT, "a reply is larger than this program takes (%zu bytes)",
			  c->options.max_reply_bytes);
	else
		conn_lose(c, ROWD_E_INTERNAL, "what came from the socket is not the protocol of rowd");
}

bool conn_dispatch(struct rowd *c)
{
	enum frame_status status;
	const char *data;
	bool any = false;

	while (c->fd >= 0 && c->in_used < c->in.len && !(c->stream && c->stream->frame)) {
		data = c->in.data + c->in_used;
		status = frame_scan(&c->frame, data, c->in.len - c->in_used);
		if (status == FRAME_MORE)
			break;
		any = true;
		if (status != FRAME_DONE || !take_frame(c, data, c->frame.scanned)) {
			lose_for_frame(c, status);
			break;
		}
		c->in_used += c->frame.scanned;
		frame_reset(&c->frame);
	}
	if (c->in_used > 0)
		in_compact(c);
	return any;
}

/* ---- moving bytes ---- */

static void lose_for_errno(struct rowd *c, const char *what, int errnum)
{
	conn_lose(c, ROWD_E_UNAVAILABLE, "the connection was lost while %s: %s", what, strerror(errnum));
}

/*
 * Hand bytes to the kernel. False: it took none. A peer that hung up may have said why before it
 * did, so a broken pipe only ends the sending; the end of what can be read ends the connection.
 */
static bool out_push(struct rowd *c)
{
	ssize_t n;

	if (c->out_broken || c->out_used == c->out.len)
		return false;
	n = send(c->fd, c->out.data + c->out_used, c->out.len - c->out_used, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n < 0) {
		if (errno == EPIPE || errno == ECONNRESET)
			c->out_broken = true;
		else if (errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
			lose_for_errno(c, "sending", errno);
		return errno == EINTR || c->fd < 0;
	}
	c->out_taken += (uint64_t)n;
	c->out_used += (size_t)n;
	if (c->out_used == c->out.len) {
		c->out_used = 0;
		if (c->out.cap > KEEP_BYTES)
			buf_fini(&c->out);
		else
			buf_clear(&c->out);
	}
	return true;
}

static void in_pull(struct rowd *c)
{
	size_t room = c->in.len < READ_BYTES ? READ_BYTES : c->in.len;
	ssize_t n;

	if (room > c->in.max_bytes - c->in.len)
		room = c->in.max_bytes - c->in.len;
	if (!buf_reserve(&c->in, room)) {
		conn_lose(c, ROWD_E_NO_RESOURCE, "no memory to receive the answer");
		return;
	}
	n = recv(c->fd, c->in.data + c->in.len, c->in.cap - c->in.len, MSG_DONTWAIT);
	if (n > 0)
		c->in.len += (size_t)n;
	else if (n == 0)
		conn_lose(c, ROWD_E_UNAVAILABLE, "the daemon closed the connection");
	else if (errno != EAGAIN && errno != EINTR)
		lose_for_errno(c, "receiving", errno);
}

/* Wait until bytes can move; true when some can be read. */
static bool conn_poll(struct rowd *c, bool reads, deadline until, bool *passed_out)
{
	bool writes = c->out_used < c->out.len && !c->out_broken;
	struct pollfd p = { .fd = c->fd, .events = (short)((reads ? POLLIN : 0) | (writes ? POLLOUT : 0)) };
	int left = deadline_left_ms(until);
	int n = poll(&p, 1, left);

	*passed_out = n == 0 || (n < 0 && left == 0);
	return n > 0 && (p.revents & ~POLLOUT) != 0;
}

bool conn_turn(struct rowd *c, deadline until)
{
	bool reads = !(c->stream && c->stream->frame);
	bool passed;

	if (reads && conn_dispatch(c))
		return true;
	if (out_push(c))
		return true;
	if (conn_poll(c, reads, until, &passed) && reads) {
		in_pull(c);
		if (c->fd >= 0)
			conn_dispatch(c);
	}
	return !passed;
}
