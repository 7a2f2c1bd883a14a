#include "config.h"

#include "bench/protocol.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mp.h"

const char *const op_names[OP_COUNT] = {
	[OP_PING] = "ping", [OP_GET] = "get", [OP_SELECT] = "select",
	[OP_INSERT] = "insert", [OP_DELETE] = "delete", [OP_STREAM] = "stream",
};

enum { REQUEST_BYTES = 256, ROW_BYTES = 96 };

size_t request_max_bytes(const struct request *r)
{
	return REQUEST_BYTES + (r->op == OP_INSERT ? (size_t)r->rows * ROW_BYTES : 0);
}

/* ---- rowd: MessagePack-RPC ---- */

static void rowd_row(struct mp_out *o, int64_t key)
{
	char name[ROW_NAME_BYTES];
	int len = row_name(key, name);

	mp_map(o, 3);
	mp_text(o, "id");
	mp_int(o, key);
	mp_text(o, "name");
	mp_str(o, name, (size_t)len);
	mp_text(o, "balance");
	mp_int(o, key % 1000);
}

static bool rowd_insert(struct mp_out *o, const struct request *r)
{
	unsigned i;
	int64_t key;

	if (r->rows > 1)
		mp_array(o, r->rows);
	for (i = 0; i < r->rows; i++) {
		key = keys_next(r->keys);
		if (!key)
			return false;
		rowd_row(o, key);
	}
	return true;
}

static size_t rowd_request(const struct request *r, uint8_t *out)
{
	struct mp_out o = { out };
	int64_t key = 1;

	if (r->op == OP_GET || r->op == OP_SELECT || r->op == OP_DELETE)
		key = keys_next(r->keys);
	if (!key)
		return 0;
	mp_array(&o, 4);
	mp_int(&o, 0);
	mp_int(&o, r->id);
	mp_text(&o, r->op == OP_STREAM ? "select" : op_names[r->op]);
	if (r->op == OP_PING) {
		mp_array(&o, 0);
		return (size_t)(o.p - out);
	}
	mp_array(&o, 2);
	mp_text(&o, r->table);
	switch (r->op) {
	case OP_GET:
	case OP_DELETE:
		mp_int(&o, key);
		break;
	case OP_SELECT:
		mp_map(&o, 1);
		mp_text(&o, "where");
		mp_map(&o, 1);
		mp_text(&o, "id");
		mp_int(&o, key);
		break;
	case OP_STREAM:
		mp_map(&o, 2);
		mp_text(&o, "stream");
		mp_bool(&o, true);
		mp_text(&o, "batch");
		mp_int(&o, r->rows);
		break;
	case OP_INSERT:
		if (!rowd_insert(&o, r))
			return 0;
		break;
	case OP_PING:
	case OP_COUNT:
		break;
	}
	return (size_t)(o.p - out);
}

/* Rows in a result: a map tells ({"deleted": 1}, {"rows": [..]}), else nil is none and all else is one. */
static uint64_t rowd_hits(struct mp_in result)
{
	static const char *const counts[] = { "deleted", "inserted", "count" };
	uint64_t members, n;
	const char *key;
	size_t i, len;

	if (mp_read_nil(&result))
		return 0;
	if (!mp_read_map(&result, &members))
		return 1;
	while (members--) {
		if (!mp_read_str(&result, &key, &len))
			return 1;
		if (len == 4 && !memcmp(key, "rows", 4) && mp_read_array(&result, &n))
			return n;
		for (i = 0; i < sizeof counts / sizeof *counts; i++)
			if (len == strlen(counts[i]) && !memcmp(key, counts[i], len) &&
			    mp_read_uint(&result, &n))
				return n;
		mp_skip(&result);
	}
	return 1;
}

static enum reply_state rowd_reply(const uint8_t *in, size_t len, struct reply *reply)
{
	struct mp_in all = { in, in + len, false }, m = all;
	uint64_t members, type, id;

	if (!mp_skip(&all))
		return all.is_malformed ? REPLY_MALFORMED : REPLY_PARTIAL;
	*reply = (struct reply){ .bytes = (size_t)(all.p - in) };
	if (!mp_read_array(&m, &members) || !mp_read_uint(&m, &type))
		return REPLY_MALFORMED;
	if (type == 2 && members == 3)
		return REPLY_WHOLE;
	if (type != 1 || members != 4 || !mp_read_uint(&m, &id))
		return REPLY_MALFORMED;
	reply->is_final = true;
	reply->id = (int64_t)id;
	reply->is_error = !mp_read_nil(&m);
	if (!reply->is_error)
		reply->hits = rowd_hits(m);
	return REPLY_WHOLE;
}

/* ---- Redis: RESP ---- */

static size_t redis_request(const struct request *r, uint8_t *out)
{
	static const char *const words[] = { [OP_GET] = "GET", [OP_DELETE] = "DEL", [OP_INSERT] = "SET" };
	char digits[24], name[ROW_NAME_BYTES];
	int64_t key;
	int n, len;

	if (r->op == OP_PING)
		return (size_t)sprintf((char *)out, "*1\r\n$4\r\nPING\r\n");
	key = keys_next(r->keys);
	if (!key)
		return 0;
	len = sprintf(digits, "%lld", (long long)key);
	n = sprintf((char *)out, "*%d\r\n$3\r\n%s\r\n$%d\r\n%s\r\n", r->op == OP_INSERT ? 3 : 2, words[r->op],
		    len, digits);
	if (r->op == OP_INSERT) {
		len = row_name(key, name);
		n += sprintf((char *)out + n, "$%d\r\n%s\r\n", len, name);
	}
	return (size_t)n;
}

static enum reply_state redis_reply(const uint8_t *in, size_t len, struct reply *reply)
{
	const uint8_t *end = len ? memchr(in, '\n', len) : NULL;
	long long n;

	if (!end)
		return REPLY_PARTIAL;
	n = strtoll((const char *)in + 1, NULL, 10);
	*reply = (struct reply){ .bytes = (size_t)(end - in) + 1, .is_final = true, .id = REPLY_WITHOUT_ID };
	switch (*in) {
	case '-':
		reply->is_error = true;
		return REPLY_WHOLE;
	case '+':
		reply->hits = 1;
		return REPLY_WHOLE;
	case ':':
		reply->hits = (uint64_t)n;
		return REPLY_WHOLE;
	case '$':
		if (n < 0)
			return REPLY_WHOLE;
		reply->hits = 1;
		reply->bytes += (size_t)n + 2;
		return reply->bytes <= len ? REPLY_WHOLE : REPLY_PARTIAL;
	default:
		return REPLY_MALFORMED;
	}
}

/* ---- Tarantool: iproto, <https://www.tarantool.io/en/doc/2.6/dev_guide/internals/box_protocol/> ---- */

enum {
	IPROTO_TYPE = 0x00, IPROTO_SYNC = 0x01, IPROTO_SPACE = 0x10, IPROTO_INDEX = 0x11, IPROTO_LIMIT = 0x12,
	IPROTO_OFFSET = 0x13, IPROTO_ITERATOR = 0x14, IPROTO_KEY = 0x20, IPROTO_TUPLE = 0x21,
	IPROTO_DATA = 0x30,
	IPROTO_SELECT = 1, IPROTO_INSERT = 2, IPROTO_DELETE = 5, IPROTO_PING = 64,
	IPROTO_GREETING_BYTES = 128, IPROTO_LENGTH_BYTES = 5
};

static void iproto_member(struct mp_out *o, int key, int64_t value)
{
	mp_int(o, key);
	mp_int(o, value);
}

static void iproto_body(struct mp_out *o, const struct request *r, int64_t key)
{
	char name[ROW_NAME_BYTES];
	int64_t space = atoi(r->table);

	switch (r->op) {
	case OP_GET:
	case OP_SELECT:
		mp_map(o, 6);
		iproto_member(o, IPROTO_LIMIT, 1);
		iproto_member(o, IPROTO_OFFSET, 0);
		iproto_member(o, IPROTO_ITERATOR, 0);
		break;
	case OP_DELETE:
		mp_map(o, 3);
		break;
	case OP_INSERT:
		mp_map(o, 2);
		iproto_member(o, IPROTO_SPACE, space);
		mp_int(o, IPROTO_TUPLE);
		mp_array(o, 3);
		mp_int(o, key);
		mp_str(o, name, (size_t)row_name(key, name));
		mp_int(o, key % 1000);
		return;
	case OP_PING:
	case OP_STREAM:
	case OP_COUNT:
		mp_map(o, 0);
		return;
	}
	iproto_member(o, IPROTO_SPACE, space);
	iproto_member(o, IPROTO_INDEX, 0);
	mp_int(o, IPROTO_KEY);
	mp_array(o, 1);
	mp_int(o, key);
}

static size_t iproto_request(const struct request *r, uint8_t *out)
{
	static const int types[OP_COUNT] = {
		[OP_PING] = IPROTO_PING, [OP_GET] = IPROTO_SELECT, [OP_SELECT] = IPROTO_SELECT,
		[OP_INSERT] = IPROTO_INSERT, [OP_DELETE] = IPROTO_DELETE,
	};
	struct mp_out o = { out + IPROTO_LENGTH_BYTES };
	int64_t key = r->op == OP_PING ? 1 : keys_next(r->keys);
	uint32_t len;
	int i;

	if (!key)
		return 0;
	mp_map(&o, 2);
	iproto_member(&o, IPROTO_TYPE, types[r->op]);
	iproto_member(&o, IPROTO_SYNC, r->id);
	iproto_body(&o, r, key);
	len = (uint32_t)(o.p - out) - IPROTO_LENGTH_BYTES;
	out[0] = 0xce;
	for (i = 0; i < 4; i++)
		out[1 + i] = (uint8_t)(len >> (24 - 8 * i));
	return (size_t)(o.p - out);
}

static enum reply_state iproto_reply(const uint8_t *in, size_t len, struct reply *reply)
{
	struct mp_in m = { in, in + len, false };
	uint64_t bytes, members, key, value, status = 1;

	if (!mp_read_uint(&m, &bytes))
		return m.is_malformed ? REPLY_MALFORMED : REPLY_PARTIAL;
	*reply = (struct reply){ .bytes = (size_t)(m.p - in) + bytes, .is_final = true };
	if (reply->bytes > len)
		return REPLY_PARTIAL;
	if (!mp_read_map(&m, &members))
		return REPLY_MALFORMED;
	while (members--) {
		if (!mp_read_uint(&m, &key) || !mp_read_uint(&m, &value))
			return REPLY_MALFORMED;
		if (key == IPROTO_TYPE)
			status = value;
		else if (key == IPROTO_SYNC)
			reply->id = (int64_t)value;
	}
	reply->is_error = status != 0;
	if (mp_read_map(&m, &members) && members && mp_read_uint(&m, &key) && key == IPROTO_DATA)
		mp_read_array(&m, &reply->hits);
	return REPLY_WHOLE;
}

/* ---- echo: what a request and its answer cost without any work ---- */

enum { ECHO_BYTES = 32 };

static size_t echo_request(const struct request *r, uint8_t *out)
{
	memset(out, 'e', ECHO_BYTES);
	memcpy(out, &r->id, sizeof r->id);
	return ECHO_BYTES;
}

static enum reply_state echo_reply(const uint8_t *in, size_t len, struct reply *reply)
{
	uint32_t id;

	if (len < ECHO_BYTES)
		return REPLY_PARTIAL;
	memcpy(&id, in, sizeof id);
	*reply = (struct reply){ .bytes = ECHO_BYTES, .is_final = true, .id = id, .hits = 1 };
	return REPLY_WHOLE;
}

/* ---- the table ---- */

#define OP_BIT(op) (1u << (op))

static const struct protocol protocols[] = {
	{ "rowd", OP_BIT(OP_COUNT) - 1, 0, rowd_request, rowd_reply },
	{ "redis", OP_BIT(OP_PING) | OP_BIT(OP_GET) | OP_BIT(OP_INSERT) | OP_BIT(OP_DELETE), 0, redis_request,
	  redis_reply },
	{ "tarantool", OP_BIT(OP_STREAM) - 1, IPROTO_GREETING_BYTES, iproto_request, iproto_reply },
	{ "echo", OP_BIT(OP_PING), 0, echo_request, echo_reply },
};

const struct protocol *protocol_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof protocols / sizeof *protocols; i++)
		if (!strcmp(protocols[i].name, name))
			return &protocols[i];
	return NULL;
}
