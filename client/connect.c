#include "config.h"

#include "client/private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/paths.h"

enum { PROTOCOL_VERSION = 1 };

/* ---- hello ---- */

static struct rowd_value *hello_args(const struct rowd *c)
{
	return rowd_array(rowd_map("client", rowd_str(c->client ? c->client : program_invocation_short_name),
				   "protocol", rowd_int(PROTOCOL_VERSION), "errors", rowd_str("array")));
}

/* Keep what hello answered. */
static void hello_take(struct rowd *c, struct rowd_result *hello)
{
	const struct rowd_item *item = rowd_result_item(hello);
	int64_t session;

	rowd_result_free(c->hello);
	c->hello = hello;
	rowd_item_int(rowd_item_get(rowd_item_get(item, "limits"), "frame_bytes"), &c->max_request_bytes);
	rowd_item_int(rowd_item_get(item, "session"), &session);
	pthread_mutex_lock(&c->lock);
	c->session = (uint64_t)session;
	pthread_mutex_unlock(&c->lock);
}

static enum rowd_code say_hello(struct rowd *c, deadline until, struct rowd_error *err)
{
	struct rowd_value *args = hello_args(c);
	struct rowd_result *hello;
	enum rowd_code rc;

	rc = call_until(c, "hello", args, until, &hello, err);
	rowd_value_free(args);
	if (rc)
		return rc;
	if (rowd_item_kind(rowd_result_item(hello)) != ROWD_KIND_MAP) {
		rowd_result_free(hello);
		return error_set(err, ROWD_E_INTERNAL, "what answers at %s is not rowd", c->path);
	}
	hello_take(c, hello);
	return ROWD_OK;
}

static enum rowd_code say_use(struct rowd *c, deadline until, struct rowd_error *err)
{
	struct rowd_value *args;
	enum rowd_code rc;

	if (!c->database)
		return ROWD_OK;
	args = rowd_array(rowd_str(c->database));
	rc = call_until(c, "use", args, until, NULL, err);
	rowd_value_free(args);
	return rc;
}

enum rowd_code connection_make(struct rowd *c, bool again, deadline until, struct rowd_error *err)
{
	enum rowd_code rc = conn_open(c, again, until, err);

	if (rc)
		return rc;
	c->connecting = true;
	rc = say_hello(c, until, err);
	if (!rc)
		rc = say_use(c, until, err);
	c->connecting = false;
	if (rc && c->fd >= 0)
		conn_lose(c, rc, "the daemon at %s did not welcome us", c->path);
	return rc;
}

/* ---- a connection's life ---- */

static enum rowd_code options_read(const struct rowd_options *options, struct rowd_options *out,
				   struct rowd_error *err)
{
	*out = (struct rowd_options)ROWD_OPTIONS_INIT;
	if (!options)
		return ROWD_OK;
	if (options->size < offsetof(struct rowd_options, no_reconnect) + sizeof(options->no_reconnect))
		return error_set(err, ROWD_E_BAD_REQUEST, "options must begin with ROWD_OPTIONS_INIT");
	memcpy(out, options, options->size < sizeof(*out) ? options->size : sizeof(*out));
	if (out->max_reply_bytes > SIZE_MAX / 4)
		out->max_reply_bytes = SIZE_MAX / 4;
	if (out->max_pending == 0)
		out->max_pending = 1;
	return ROWD_OK;
}

/* A copy of s, or NULL for NULL. False: no memory. */
static bool copy_str(const char *s, char **out)
{
	*out = s ? strdup(s) : NULL;
	return !s || *out;
}

static enum rowd_code find_path(const char *path, char out[PATH_SOCKET_BYTES], struct rowd_error *err)
{
	struct err why;

	if (!path) {
		err_init(&why);
		return path_socket_find(out, PATH_SOCKET_BYTES, &why) ? error_from(err, &why) : ROWD_OK;
	}
	if (!path[0])
		return error_set(err, ROWD_E_BAD_REQUEST, "the path of the socket is empty");
	if (strlen(path) >= PATH_SOCKET_BYTES) {
		error_set(err, ROWD_E_LIMIT, "the path of the socket is longer than %d bytes",
			  PATH_SOCKET_BYTES - 1);
		if (err)
			err->limit = PATH_SOCKET_BYTES - 1;
		return ROWD_E_LIMIT;
	}
	strcpy(out, path);
	return ROWD_OK;
}

static struct rowd *conn_new(const char *path, const struct rowd_options *options)
{
	struct rowd *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->fd = -1;
	c->options = *options;
	ticket_list_init(&c->waiting);
	ticket_list_init(&c->answered);
	buf_init(&c->out, (size_t)2 * REQUEST_MAX_BYTES);
	buf_init(&c->in, options->max_reply_bytes + 2 * READ_BYTES);
	frame_init(&c->frame, options->max_reply_bytes, FRAME_MAX_NESTING, REPLY_MAX_VALUES);
	pthread_mutex_init(&c->lock, NULL);
	if (copy_str(path, &c->path) && copy_str(options->client, &c->client) &&
	    copy_str(options->database, &c->database))
		return c;
	rowd_close(c);
	return NULL;
}

enum rowd_code rowd_connect(const char *path, const struct rowd_options *options, struct rowd **conn_out,
			    struct rowd_error *err)
{
	char at[PATH_SOCKET_BYTES];
	struct rowd_options own;
	enum rowd_code rc;
	struct rowd *c;

	rc = options_read(options, &own, err);
	if (!rc)
		rc = find_path(path, at, err);
	if (rc)
		return rc;
	c = conn_new(at, &own);
	if (!c)
		return error_set(err, ROWD_E_NO_RESOURCE, "no memory for a connection");
	rc = connection_make(c, false, deadline_in(own.connect_timeout_ms), err);
	if (rc) {
		rowd_close(c);
		return rc;
	}
	*conn_out = c;
	return ROWD_OK;
}

enum rowd_code connection_second(const struct rowd *c, const char *database, bool again, deadline until,
				 struct rowd **out, struct rowd_error *err)
{
	struct rowd_options options = ROWD_OPTIONS_INIT;
	enum rowd_code rc;
	struct rowd *second;

	options.client = c->client;
	options.database = database;
	options.timeout_ms = c->options.connect_timeout_ms;
	options.max_reply_bytes = c->options.max_reply_bytes;
	options.no_reconnect = true;
	second = conn_new(c->path, &options);
	if (!second)
		return error_set(err, ROWD_E_NO_RESOURCE, "no memory for a connection");
	rc = connection_make(second, again, until, err);
	if (rc) {
		rowd_close(second);
		return rc;
	}
	*out = second;
	return ROWD_OK;
}

void rowd_close(struct rowd *c)
{
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	ticket_list_clear(&c->waiting);
	ticket_list_clear(&c->answered);
	buf_fini(&c->out);
	buf_fini(&c->in);
	rowd_result_free(c->hello);
	pthread_mutex_destroy(&c->lock);
	free(c->database);
	free(c->client);
	free(c->path);
	free(c);
}

/* ---- what a connection knows ---- */

enum rowd_code rowd_default_path(char *out, size_t out_bytes, struct rowd_error *err)
{
	struct err why;

	err_init(&why);
	return path_socket_find(out, out_bytes, &why) ? error_from(err, &why) : ROWD_OK;
}

const char *rowd_path(const struct rowd *c)
{
	return c->path;
}

const struct rowd_item *rowd_hello(const struct rowd *c)
{
	return rowd_result_item(c->hello);
}

uint64_t rowd_session(const struct rowd *c)
{
	return c->session;
}

void rowd_set_timeout(struct rowd *c, int timeout_ms)
{
	c->options.timeout_ms = timeout_ms;
}

bool rowd_in_transaction(const struct rowd *c)
{
	return c->tx || c->tx_lost;
}

int rowd_fd(const struct rowd *c)
{
	return c->fd;
}
