#include "config.h"

#include "fake_rowd.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <msgpack.h>

enum { MOST_CONNECTIONS = 1000 };

struct fake_connection {
	struct fake_rowd *fake;
	int fd, n;
	pthread_t thread;
};

struct fake_rowd {
	char dir[64], path[100];
	int listener;
	fake_script *script;
	void *arg;
	pthread_t thread;
	pthread_mutex_t lock;
	struct fake_connection connections[MOST_CONNECTIONS];
	int count;
};

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	abort();
}

static void *connection_run(void *arg)
{
	struct fake_connection *c = arg;

	c->fake->script(c->fd, c->n, c->fake->arg);
	close(c->fd);
	return NULL;
}

static void *accept_run(void *arg)
{
	struct fake_rowd *f = arg;
	struct fake_connection *c;
	int fd;

	while ((fd = accept(f->listener, NULL, NULL)) >= 0) {
		pthread_mutex_lock(&f->lock);
		check(f->count < MOST_CONNECTIONS, "fake daemon: too many connections");
		c = &f->connections[f->count];
		*c = (struct fake_connection){ .fake = f, .fd = fd, .n = f->count };
		f->count++;
		check(pthread_create(&c->thread, NULL, connection_run, c) == 0, "pthread_create");
		pthread_mutex_unlock(&f->lock);
	}
	return NULL;
}

struct fake_rowd *fake_start(fake_script *script, void *arg)
{
	struct fake_rowd *f = calloc(1, sizeof(*f));
	struct sockaddr_un sa = { .sun_family = AF_UNIX };

	check(f != NULL, "calloc");
	f->script = script;
	f->arg = arg;
	pthread_mutex_init(&f->lock, NULL);
	strcpy(f->dir, "/tmp/rowd-fake-XXXXXX");
	check(mkdtemp(f->dir) != NULL, "mkdtemp");
	snprintf(f->path, sizeof(f->path), "%s/s", f->dir);
	strcpy(sa.sun_path, f->path);
	f->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	check(f->listener >= 0, "socket");
	check(bind(f->listener, (struct sockaddr *)&sa, sizeof(sa)) == 0, "bind");
	check(listen(f->listener, 16) == 0, "listen");
	check(pthread_create(&f->thread, NULL, accept_run, f) == 0, "pthread_create");
	return f;
}

const char *fake_path(const struct fake_rowd *f)
{
	return f->path;
}

int fake_connections(struct fake_rowd *f)
{
	int n;

	pthread_mutex_lock(&f->lock);
	n = f->count;
	pthread_mutex_unlock(&f->lock);
	return n;
}

void fake_stop(struct fake_rowd *f)
{
	int i;

	shutdown(f->listener, SHUT_RDWR);
	pthread_join(f->thread, NULL);
	for (i = 0; i < f->count; i++)
		pthread_join(f->connections[i].thread, NULL);
	close(f->listener);
	unlink(f->path);
	rmdir(f->dir);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

/* ---- what a script says and hears ---- */

void fake_write(int fd, const void *data, size_t len)
{
	const char *p = data;
	ssize_t n;

	while (len > 0) {
		n = send(fd, p, len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		p += n;
		len -= (size_t)n;
	}
}

/* One byte at a time: slow, and never more than one request. */
static size_t read_message(int fd, char **data_out, msgpack_unpacked *msg)
{
	size_t len = 0, cap = 0, off;
	char *data = NULL;

	for (;;) {
		if (len == cap) {
			cap = cap ? cap * 2 : 256;
			data = realloc(data, cap);
			check(data != NULL, "realloc");
		}
		if (recv(fd, data + len, 1, 0) != 1) {
			free(data);
			return 0;
		}
		len++;
		off = 0;
		if ((len < 4096 || len % 4096 == 0 ||
		     recv(fd, &(char){ 0 }, 1, MSG_PEEK | MSG_DONTWAIT) != 1) &&
		    msgpack_unpack_next(msg, data, len, &off) == MSGPACK_UNPACK_SUCCESS)
			break;
	}
	*data_out = data;
	return len;
}

bool fake_read(int fd, struct fake_request *out)
{
	const msgpack_object *parts, *method;
	msgpack_unpacked msg;
	char *data;
	FILE *text;

	memset(out, 0, sizeof(*out));
	msgpack_unpacked_init(&msg);
	if (read_message(fd, &data, &msg) == 0) {
		msgpack_unpacked_destroy(&msg);
		return false;
	}
	parts = msg.data.via.array.ptr;
	out->notification = parts[0].via.u64 == 2;
	method = out->notification ? &parts[1] : &parts[2];
	out->msgid = out->notification ? 0 : (uint32_t)parts[1].via.u64;
	snprintf(out->method, sizeof(out->method), "%.*s", (int)method->via.str.size, method->via.str.ptr);
	text = fmemopen(out->params, sizeof(out->params) - 1, "w");
	check(text != NULL, "fmemopen");
	msgpack_object_print(text, method[1]);
	fclose(text);
	msgpack_unpacked_destroy(&msg);
	free(data);
	return true;
}

void fake_drain(int fd)
{
	char bytes[4096];

	while (recv(fd, bytes, sizeof(bytes), 0) > 0)
		;
}

static size_t put_head(unsigned char *p, uint32_t msgid)
{
	p[0] = 0x94;
	p[1] = 1;
	p[2] = 0xce;
	p[3] = (unsigned char)(msgid >> 24);
	p[4] = (unsigned char)(msgid >> 16);
	p[5] = (unsigned char)(msgid >> 8);
	p[6] = (unsigned char)msgid;
	return 7;
}

void fake_reply(int fd, uint32_t msgid, const void *result, size_t len)
{
	unsigned char head[16];
	size_t n = put_head(head, msgid);

	head[n++] = 0xc0;
	fake_write(fd, head, n);
	fake_write(fd, result, len);
}

static void pack_str(msgpack_packer *pk, const char *s)
{
	msgpack_pack_str(pk, strlen(s));
	msgpack_pack_str_body(pk, s, strlen(s));
}

void fake_error(int fd, uint32_t msgid, unsigned code, const char *name, const char *outcome, bool retry)
{
	msgpack_sbuffer b;
	msgpack_packer pk;
	char text[128];

	snprintf(text, sizeof(text), "%s: so it is", name);
	msgpack_sbuffer_init(&b);
	msgpack_packer_init(&pk, &b, msgpack_sbuffer_write);
	msgpack_pack_array(&pk, 4);
	msgpack_pack_int(&pk, 1);
	msgpack_pack_uint32(&pk, msgid);
	msgpack_pack_array(&pk, 3);
	msgpack_pack_unsigned_int(&pk, code);
	pack_str(&pk, text);
	msgpack_pack_map(&pk, 3);
	pack_str(&pk, "name");
	pack_str(&pk, name);
	pack_str(&pk, "outcome");
	pack_str(&pk, outcome);
	pack_str(&pk, "retry");
	if (retry)
		msgpack_pack_true(&pk);
	else
		msgpack_pack_false(&pk);
	msgpack_pack_nil(&pk);
	fake_write(fd, b.data, b.size);
	msgpack_sbuffer_destroy(&b);
}

bool fake_hello(int fd)
{
	struct fake_request r;

	if (!fake_read(fd, &r))
		return false;
	FAKE_REPLY(fd, r.msgid,
		   "\x82\xa7session\x07\xa6limits\x81\xab"
		   "frame_bytes\xce\x00\x01\x00\x00");
	return true;
}
