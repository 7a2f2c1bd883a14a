#include "config.h"

#include "daemon/rpc/op_session.h"

#include <string.h>

#include "daemon/log.h"
#include "proto/value.h"

enum { PROTOCOL_VERSION = 1 };

static bool str_equals(const msgpack_object *o, const char *word)
{
	return o->via.str.size == strlen(word) && !memcmp(o->via.str.ptr, word, o->via.str.size);
}

static enum rowd_code read_errors(const msgpack_object *o, enum rpc_errors *out, struct err *err)
{
	static const char *const names[] = { "array", "pair", "string" };

	for (unsigned i = 0; i < 3; i++)
		if (str_equals(o, names[i])) {
			*out = (enum rpc_errors)i;
			return ROWD_OK;
		}
	return err_set(err, ROWD_E_BAD_REQUEST, "option errors: \"array\", \"pair\" or \"string\" is due");
}

static void keep_client(struct session *s, const msgpack_object_str *name)
{
	size_t n = name->size < sizeof(s->client) - 1 ? name->size : sizeof(s->client) - 1;

	memcpy(s->client, name->ptr, n);
	s->client[n] = '\0';
}

static void write_limits(const struct limits *limits, struct buf *b)
{
	unsigned n = 0;

#define LIMIT(name, dflt, least, most, meaning) n++;
	ROWD_LIMITS(LIMIT)
#undef LIMIT
	wire_map(b, n);
#define LIMIT(name, dflt, least, most, meaning) \
	wire_cstr(b, #name); \
	wire_int(b, limits->name);
	ROWD_LIMITS(LIMIT)
#undef LIMIT
}

static void write_database_names(struct session *s, struct buf *b)
{
	struct server *server = s->loop->server;
	bool any = policy_has_any(&s->caller);

	wire_array(b, any ? server->ndatabases : 0);
	for (unsigned i = 0; any && i < server->ndatabases; i++)
		wire_cstr(b, server->databases[i].db.source.name);
}

enum rowd_code op_hello(struct session *s, const struct request *req, struct buf *b, struct err *err)
{
	const struct limits *limits = &server_config(s->loop->server)->limits;
	enum rpc_errors errors = s->errors;
	enum rowd_code rc;

	if (request_uint(req, OPT_PROTOCOL, PROTOCOL_VERSION) != PROTOCOL_VERSION)
		return err_set(err, ROWD_E_UNSUPPORTED, "protocol 1 is the only one spoken here");
	if (req->options[OPT_ERRORS]) {
		rc = read_errors(req->options[OPT_ERRORS], &errors, err);
		if (rc)
			return rc;
	}
	s->errors = errors;
	if (req->options[OPT_CLIENT])
		keep_client(s, &req->options[OPT_CLIENT]->via.str);
	wire_map(b, 8);
	wire_cstr(b, "server");
	wire_cstr(b, "rowd");
	wire_cstr(b, "version");
	wire_cstr(b, PACKAGE_VERSION);
	wire_cstr(b, "protocol");
	wire_int(b, PROTOCOL_VERSION);
	wire_cstr(b, "databases");
	write_database_names(s, b);
	wire_cstr(b, "default");
	if (policy_has_any(&s->caller))
		wire_cstr(b, s->loop->server->databases[0].db.source.name);
	else
		wire_nil(b);
	wire_cstr(b, "limits");
	write_limits(limits, b);
	wire_cstr(b, "session");
	wire_uint(b, s->id);
	wire_cstr(b, "user");
	wire_map(b, 3);
	wire_cstr(b, "uid");
	wire_uint(b, s->caller.uid);
	wire_cstr(b, "gid");
	wire_uint(b, s->caller.gid);
	wire_cstr(b, "roles");
	policy_write_roles(&s->caller, b);
	return ROWD_OK;
}

enum rowd_code op_ping(struct session *s, const struct request *req, struct buf *b, struct err *err)
{
	(void)s, (void)req, (void)err;
	wire_bool(b, true);
	return ROWD_OK;
}

enum rowd_code op_use(struct session *s, const struct request *req, struct buf *b, struct err *err)
{
	const msgpack_object_str *name = &req->params[0]->via.str;
	struct database *d = server_database(s->loop->server, name->ptr, name->size);

	if (!d)
		return err_set(err, ROWD_E_UNKNOWN_DATABASE, "no database of that name is configured");
	s->database = d;
	wire_bool(b, true);
	return ROWD_OK;
}

enum rowd_code op_whoami(struct session *s, const struct request *req, struct buf *b, struct err *err)
{
	(void)req, (void)err;
	wire_map(b, 5);
	wire_cstr(b, "uid");
	wire_uint(b, s->caller.uid);
	wire_cstr(b, "gid");
	wire_uint(b, s->caller.gid);
	wire_cstr(b, "pid");
	wire_int(b, s->caller.pid);
	wire_cstr(b, "roles");
	policy_write_roles(&s->caller, b);
	wire_cstr(b, "grants");
	policy_write_grants(&s->caller, b);
	return ROWD_OK;
}

static const char *database_state(struct database *d)
{
	if (atomic_load(&d->paused))
		return "paused";
	return atomic_load(&d->db.available) ? "up" : "down";
}

static void write_database(struct session *s, struct database *d, struct buf *b)
{
	char server[sizeof(d->db.server)];

	pthread_mutex_lock(&d->db.lock);
	memcpy(server, d->db.server, sizeof(server));
	pthread_mutex_unlock(&d->db.lock);
	wire_map(b, 6);
	wire_cstr(b, "name");
	wire_cstr(b, d->db.source.name);
	wire_cstr(b, "driver");
	wire_cstr(b, d->db.driver->name);
	wire_cstr(b, "server");
	wire_cstr(b, server);
	wire_cstr(b, "state");
	wire_cstr(b, database_state(d));
	wire_cstr(b, "default");
	wire_bool(b, d == &s->loop->server->databases[0]);
	wire_cstr(b, "durability");
	wire_cstr(b, d->db.source.durability);
}

enum rowd_code op_databases(struct session *s, const struct request *req, struct buf *b, struct err *err)
{
	struct server *server = s->loop->server;

	(void)req, (void)err;
	wire_array(b, server->ndatabases);
	for (unsigned i = 0; i < server->ndatabases; i++)
		write_database(s, &server->databases[i], b);
	return ROWD_OK;
}

enum rowd_code op_stats(struct session *s, const struct request *req, struct buf *b, struct err *err)
{
	(void)req, (void)err;
	stats_write(s->loop, b);
	return ROWD_OK;
}

static enum rowd_code set_paused(struct session *s, const struct request *req, bool paused, struct buf *b,
				 struct err *err)
{
	size_t len;
	const char *name = request_param_str(req, 0, &len);
	struct database *d = server_database(s->loop->server, name, len);

	if (!d)
		return err_set(err, ROWD_E_UNKNOWN_DATABASE, "no database of that name is configured");
	atomic_store(&d->paused, paused);
	log_info("event=%s database=%s session=%llu uid=%u", req->op->name, d->db.source.name,
		 (unsigned long long)s->id, (unsigned)s->caller.uid);
	wire_bool(b, true);
	return ROWD_OK;
}

enum rowd_code op_pause(struct session *s, const struct request *req, struct buf *b, struct err *err)
{
	return set_paused(s, req, true, b, err);
}

enum rowd_code op_resume(struct session *s, const struct request *req, struct buf *b, struct err *err)
{
	return set_paused(s, req, false, b, err);
}

session_op_fn *op_session_handler(enum op_id id)
{
	switch (id) {
	case OP_HELLO: return op_hello;
	case OP_PING: return op_ping;
	case OP_USE: return op_use;
	case OP_WHOAMI: return op_whoami;
	case OP_DATABASES: return op_databases;
	case OP_STATS: return op_stats;
	case OP_PAUSE: return op_pause;
	case OP_RESUME: return op_resume;
	default: return NULL;
	}
}
