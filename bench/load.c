/*
 * A load generator: one thread, many clients, whichever server. Each client keeps so many requests in
 * flight, and sends the next ones when answers came. Prints one line of key=value; 1 is returned when
 * any answer was an error.
 */
#include "config.h"

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "bench/measure.h"
#include "bench/protocol.h"

enum {
	STALL_MS = 60000,
	READ_BYTES = 16384,
	EVENTS = 512
};

struct bytes {
	uint8_t *data;  /* owned */
	size_t begin, end, room;
};

struct client {
	int fd;
	bool wants_write;
	size_t greeting_left;
	struct bytes in, out;
	uint64_t *sent_ns;      /* owned; by slot: when its request was sent, 0 when it is free */
	unsigned first, count;  /* slots in use, in the order of sending, where the server keeps that */
	uint64_t answered;
};

struct load {
	const struct protocol *protocol;
	struct request request;
	struct keys keys;
	const char *socket;
	unsigned nclients, nidle, in_flight;
	uint64_t requests;    /* 0: as long as seconds say */
	double seconds, warmup;
	double rate;          /* requests each second over all clients; 0: as fast as answers come */
	bool holds;

	int epoll;
	struct client *clients;  /* owned */
	int *idle;               /* owned */
	uint64_t sent, answered, stop_ns, record_ns, due_ns;
	unsigned turn;           /* with a rate: the client that sends next */
	bool is_over;            /* nothing more is sent */
	struct measure measure;
	char failure[160];       /* the first error answer, as far as it can be printed */
};

/* ---- bytes ---- */

static uint8_t *bytes_reserve(struct bytes *b, size_t more)
{
	if (b->begin == b->end)
		b->begin = b->end = 0;
	if (b->room - b->end >= more)
		return b->data + b->end;
	if (b->begin) {
		memmove(b->data, b->data + b->begin, b->end - b->begin);
		b->end -= b->begin;
		b->begin = 0;
	}
	if (b->room - b->end < more) {
		b->room = 2 * b->room > b->end + more ? 2 * b->room : b->end + more;
		b->data = realloc(b->data, b->room);
		if (!b->data)
			err(2, "memory");
	}
	return b->data + b->end;
}

/* ---- sending ---- */

static void watch(struct load *l, struct client *c, bool wants_write)
{
	struct epoll_event e = { .events = EPOLLIN | (wants_write ? EPOLLOUT : 0), .data.ptr = c };

	if (c->wants_write == wants_write)
		return;
	c->wants_write = wants_write;
	if (epoll_ctl(l->epoll, EPOLL_CTL_MOD, c->fd, &e))
		err(2, "epoll_ctl");
}

static void client_write(struct load *l, struct client *c)
{
	while (c->out.begin < c->out.end) {
		ssize_t n = send(c->fd, c->out.data + c->out.begin, c->out.end - c->out.begin, MSG_NOSIGNAL);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n < 0)
			err(2, "send");
		c->out.begin += (size_t)n;
	}
	watch(l, c, c->out.begin < c->out.end);
}

/* Where answers come in their order this is always the slot behind the last. */
static unsigned free_slot(const struct load *l, const struct client *c)
{
	unsigned slot = (c->first + c->count) % l->in_flight;

	while (c->sent_ns[slot])
		slot = (slot + 1) % l->in_flight;
	return slot;
}

static bool may_send(struct load *l)
{
	if (!l->is_over && l->requests && l->sent == l->requests)
		l->is_over = true;
	return !l->is_over;
}

/* Put one more request into c's buffer; false when there is none left to send. */
static bool client_ask(struct load *l, struct client *c, uint64_t now_ns)
{
	unsigned slot = free_slot(l, c);
	uint8_t *out;
	size_t bytes;

	if (!may_send(l))
		return false;
	out = bytes_reserve(&c->out, request_max_bytes(&l->request));
	l->request.id = slot;
	bytes = l->protocol->request(&l->request, out);
	if (!bytes) {
		l->is_over = true;
		return false;
	}
	c->out.end += bytes;
	c->sent_ns[slot] = now_ns;
	c->count++;
	l->sent++;
	return true;
}

static void client_fill(struct load *l, struct client *c, uint64_t now_ns)
{
	while (c->count < l->in_flight && client_ask(l, c, now_ns))
		;
	if (!c->wants_write)
		client_write(l, c);
}

/* With a rate: send what is due, one request from each client in turn. Its clock starts when it was due. False: more
 * is due, by a client that waits for its answer. */
static bool send_due(struct load *l, uint64_t now_ns)
{
	uint64_t gap_ns = (uint64_t)(1e9 / l->rate);

	while (l->due_ns <= now_ns && !l->is_over) {
		struct client *c = &l->clients[l->turn];

		if (c->count == l->in_flight)
			return false;
		if (client_ask(l, c, l->due_ns))
			client_write(l, c);
		l->turn = (l->turn + 1) % l->nclients;
		l->due_ns += gap_ns;
	}
	return true;
}

/* ---- receiving ---- */

static void keep_failure(struct load *l, const uint8_t *in, size_t len)
{
	size_t i, n = 0;

	if (*l->failure)
		return;
	for (i = 0; i < len && n < sizeof l->failure - 1; i++)
		if (in[i] >= ' ' && in[i] < 127)
			l->failure[n++] = (char)in[i];
	l->failure[n] = '\0';
}

static void client_answered(struct load *l, struct client *c, const struct reply *r, uint64_t now_ns)
{
	unsigned slot = r->id == REPLY_WITHOUT_ID ? c->first : (unsigned)r->id;

	if (!c->count || slot >= l->in_flight || !c->sent_ns[slot])
		errx(2, "an answer to nothing that was asked");
	if (now_ns >= l->record_ns) {
		measure_add(&l->measure, now_ns - c->sent_ns[slot]);
		l->measure.errors += r->is_error;
		l->measure.hits += r->hits;
		l->measure.end_ns = now_ns;
		c->answered++;
	} else if (r->is_error) {
		l->measure.errors++;
	}
	c->sent_ns[slot] = 0;
	c->first = (c->first + 1) % l->in_flight;
	c->count--;
	l->answered++;
}

static void skip_greeting(struct client *c)
{
	size_t n = c->in.end - c->in.begin;

	if (n > c->greeting_left)
		n = c->greeting_left;
	c->in.begin += n;
	c->greeting_left -= n;
}

static void client_read(struct load *l, struct client *c)
{
	uint8_t *room = bytes_reserve(&c->in, READ_BYTES);
	ssize_t n = recv(c->fd, room, c->in.room - c->in.end, 0);
	uint64_t now_ns = clock_ns();
	struct reply r;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		err(2, "recv");
	if (n == 0)
		errx(2, "the server closed a connection after %" PRIu64 " answers; %s", l->answered, l->failure);
	c->in.end += (size_t)n;
	skip_greeting(c);
	while (c->in.begin < c->in.end) {
		const uint8_t *in = c->in.data + c->in.begin;
		enum reply_state state = l->protocol->reply(in, c->in.end - c->in.begin, &r);

		if (state == REPLY_MALFORMED)
			errx(2, "not an answer of this protocol");
		if (state == REPLY_PARTIAL)
			break;
		if (r.is_error)
			keep_failure(l, in, r.bytes);
		c->in.begin += r.bytes;
		if (r.is_final)
			client_answered(l, c, &r, now_ns);
	}
	if (l->stop_ns && now_ns >= l->stop_ns)
		l->is_over = true;
	if (!l->rate && c->count < l->in_flight)
		client_fill(l, c, now_ns);
}

/* ---- the run ---- */

/* Wait for events: until the next request is due if there is somebody to send it, or for as long as a server may
 * take. */
static int wait_for_events(const struct load *l, bool sends, struct epoll_event *events)
{
	uint64_t now_ns, wait_ns = STALL_MS * UINT64_C(1000000);
	struct timespec t;
	int n;

	if (sends && !l->is_over) {
		now_ns = clock_ns();
		wait_ns = l->due_ns > now_ns ? l->due_ns - now_ns : 0;
	}
	t.tv_sec = (time_t)(wait_ns / 1000000000);
	t.tv_nsec = (long)(wait_ns % 1000000000);
	n = epoll_pwait2(l->epoll, events, EVENTS, &t, NULL);
	if (n < 0 && errno != EINTR)
		err(2, "epoll_pwait2");
	if (n == 0 && wait_ns >= STALL_MS * UINT64_C(1000000))
		errx(2, "no answer within %d s; %" PRIu64 " of %" PRIu64 " came", STALL_MS / 1000, l->answered,
		     l->sent);
	return n;
}

static void run(struct load *l)
{
	struct epoll_event events[EVENTS];
	uint64_t now_ns = clock_ns();
	unsigned u;
	int i, n;

	measure_init(&l->measure);
	l->measure.begin_ns = l->record_ns = now_ns + (uint64_t)(l->warmup * 1e9);
	l->stop_ns = l->requests ? 0 : l->record_ns + (uint64_t)(l->seconds * 1e9);
	l->due_ns = now_ns;
	for (u = 0; !l->rate && u < l->nclients; u++)
		client_fill(l, &l->clients[u], now_ns);
	while (!l->is_over || l->answered < l->sent) {
		bool sends = l->rate && send_due(l, clock_ns());

		n = wait_for_events(l, sends, events);
		for (i = 0; i < n; i++) {
			struct client *c = events[i].data.ptr;

			if (events[i].events & EPOLLOUT)
				client_write(l, c);
			if (events[i].events & ~(uint32_t)EPOLLOUT)
				client_read(l, c);
		}
		if (l->rate && l->stop_ns && clock_ns() >= l->stop_ns)
			l->is_over = true;
	}
}

/* ---- clients ---- */

static int connect_to(const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		err(2, "socket");
	if (strlen(path) >= sizeof a.sun_path)
		errx(2, "%s: the path of a socket cannot be so long", path);
	strcpy(a.sun_path, path);
	if (connect(fd, (struct sockaddr *)&a, sizeof a))
		err(2, "%s", path);
	return fd;
}

static void client_open(struct load *l, struct client *c)
{
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };

	c->fd = connect_to(l->socket);
	c->greeting_left = l->protocol->greeting_bytes;
	c->sent_ns = calloc(l->in_flight, sizeof *c->sent_ns);
	if (!c->sent_ns)
		err(2, "memory");
	if (fcntl(c->fd, F_SETFL, O_NONBLOCK) || epoll_ctl(l->epoll, EPOLL_CTL_ADD, c->fd, &e))
		err(2, "a connection");
}

static void open_all(struct load *l)
{
	struct rlimit files;
	unsigned i;

	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->clients = calloc(l->nclients, sizeof *l->clients);
	l->idle = calloc(l->nidle + 1, sizeof *l->idle);
	if (l->epoll < 0 || !l->clients || !l->idle)
		err(2, "clients");
	for (i = 0; i < l->nidle; i++)
		l->idle[i] = connect_to(l->socket);
	for (i = 0; i < l->nclients; i++)
		client_open(l, &l->clients[i]);
}

static void close_all(struct load *l)
{
	unsigned i;

	for (i = 0; i < l->nidle; i++)
		close(l->idle[i]);
	for (i = 0; i < l->nclients; i++) {
		close(l->clients[i].fd);
		free(l->clients[i].in.data);
		free(l->clients[i].out.data);
		free(l->clients[i].sent_ns);
	}
	free(l->clients);
	free(l->idle);
	close(l->epoll);
}

static void report(const struct load *l)
{
	uint64_t least = UINT64_MAX, most = 0;
	unsigned i;

	for (i = 0; i < l->nclients; i++) {
		if (l->clients[i].answered < least)
			least = l->clients[i].answered;
		if (l->clients[i].answered > most)
			most = l->clients[i].answered;
	}
	printf("server=%s op=%s clients=%u in_flight=%u idle=%u ", l->protocol->name, op_names[l->request.op],
	       l->nclients, l->in_flight, l->nidle);
	measure_print(&l->measure);
	printf(" least_of_a_client=%" PRIu64 " most_of_a_client=%" PRIu64 " next_key=%" PRId64 "\n", least,
	       most, l->keys.next);
	fflush(stdout);
	if (l->measure.errors)
		fprintf(stderr, "load: the first of %" PRIu64 " errors: %s\n", l->measure.errors, l->failure);
}

/* ---- options ---- */

static const char usage[] =
	"usage: load --socket PATH [--server rowd|redis|tarantool|echo] [--op OP] [options]\n"
	"  --op OP         ping, get, select (by key), insert, delete (by key), stream (a whole table)\n"
	"  --clients N     connections that ask (1)\n"
	"  --in-flight N   requests of each that are not yet answered (1)\n"
	"  --idle N        further connections, which ask nothing (0)\n"
	"  --seconds S     how long (1), or\n"
	"  --requests N    how many\n"
	"  --warmup S      seconds before anything is counted (0)\n"
	"  --rate N        requests each second over all clients, answered or not\n"
	"  --keys A:B      keys from A to B (1:100000), each once; get and select: at random\n"
	"  --scatter N     each of the keys 1 to N stands for another, far from its neighbours'\n"
	"  --rows N        rows of one insert or of one batch of a stream (1)\n"
	"  --table T       its name (account), for Tarantool the number of the space\n"
	"  --hold          when done stay connected until standard input ends\n";

static const struct option words[] = {
	{ "socket", required_argument, NULL, 's' },   { "server", required_argument, NULL, 'p' },
	{ "op", required_argument, NULL, 'o' },       { "clients", required_argument, NULL, 'c' },
	{ "in-flight", required_argument, NULL, 'f' }, { "idle", required_argument, NULL, 'i' },
	{ "seconds", required_argument, NULL, 't' },  { "requests", required_argument, NULL, 'n' },
	{ "warmup", required_argument, NULL, 'w' },   { "rate", required_argument, NULL, 'r' },
	{ "keys", required_argument, NULL, 'k' },     { "rows", required_argument, NULL, 'R' },
	{ "table", required_argument, NULL, 'T' },    { "scatter", required_argument, NULL, 'S' },
	{ "hold", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static enum op op_find(const char *name)
{
	unsigned i;

	for (i = 0; i < OP_COUNT; i++)
		if (!strcmp(op_names[i], name))
			return (enum op)i;
	errx(2, "no op is named %s", name);
}

static void option_set(struct load *l, int letter, const char *text)
{
	switch (letter) {
	case 's': l->socket = text; break;
	case 'p': l->protocol = protocol_find(text); break;
	case 'o': l->request.op = op_find(text); break;
	case 'c': l->nclients = (unsigned)number(text, "--clients"); break;
	case 'f': l->in_flight = (unsigned)number(text, "--in-flight"); break;
	case 'i': l->nidle = (unsigned)number(text, "--idle"); break;
	case 't': l->seconds = decimal(text, "--seconds"); break;
	case 'n': l->requests = number(text, "--requests"); break;
	case 'w': l->warmup = decimal(text, "--warmup"); break;
	case 'r': l->rate = decimal(text, "--rate"); break;
	case 'R': l->request.rows = (unsigned)number(text, "--rows"); break;
	case 'T': l->request.table = text; break;
	case 'S': keys_scatter(&l->keys, (int64_t)number(text, "--scatter")); break;
	case 'h': l->holds = true; break;
	case 'k':
		if (!keys_parse(&l->keys, text))
			errx(2, "--keys: not FIRST:LAST: %s", text);
		break;
	default:
		fputs(usage, stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct load l = {
		.protocol = protocol_find("rowd"), .request = { .op = OP_GET, .rows = 1, .table = "account" },
		.nclients = 1, .in_flight = 1, .seconds = 1,
	};
	int letter;

	keys_parse(&l.keys, "1:100000");
	l.request.keys = &l.keys;
	while ((letter = getopt_long(argc, argv, "", words, NULL)) != -1)
		option_set(&l, letter, optarg);
	if (optind != argc || !l.socket || !l.protocol || !l.nclients || !l.in_flight || !l.request.rows)
		option_set(&l, '?', NULL);
	if (!(l.protocol->ops & 1u << l.request.op))
		errx(2, "%s has no op %s here", l.protocol->name, op_names[l.request.op]);
	l.keys.random = l.request.op == OP_GET || l.request.op == OP_SELECT;
	open_all(&l);
	run(&l);
	report(&l);
	while (l.holds && getchar() != EOF)
		;
	close_all(&l);
	return l.measure.errors ? 1 : 0;
}
