#include "config.h"

#include "tests/lib/requests.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <msgpack.h>

#include "proto/code.h"

struct requests requests;

static struct db db;
static struct db_source source;
static char folder[64], url[192];
static struct arena arena;
static struct sql sql;
static struct buf out;
static char text[1 << 20];

static void fail(const char *what, const char *why)
{
	fprintf(stderr, "# %s: %s\n", what, why);
	abort();
}

/* ---- the database ---- */

void requests_start(void)
{
	static const struct limits defaults = {
#define LIMIT(name, dflt, least, most, meaning) .name = dflt,
		ROWD_LIMITS(LIMIT)
#undef LIMIT
	};
	struct err err;

	err_init(&err);
	op_init();
	requests = (struct requests){ .limits = defaults };
	requests.caller.superuser = true;
	snprintf(folder, sizeof folder, "/tmp/rowd-test-XXXXXX");
	if (!mkdtemp(folder))
		fail("mkdtemp", folder);
	snprintf(requests.path, sizeof requests.path, "%s/main.db", folder);
	snprintf(url, sizeof url, "sqlite://%s", requests.path);
	source = (struct db_source){
		.name = "main", .url = url, .durability = "normal", .busy_timeout_ms = 200, .create = true
	};
	if (db_init(&db, &source, &err) || db_conn_open(&db, DB_WRITER, &requests.conn, &err))
		fail("open", err.text);
	arena_init(&arena);
	sql_init(&sql);
	buf_init(&out, 64 << 20);
	requests.x = (struct exec){ .conn = requests.conn,
				    .limits = &requests.limits,
				    .caller = &requests.caller,
				    .max_rows = -1,
				    .arena = &arena,
				    .sql = &sql,
				    .out = &out };
}

void requests_end(void)
{
	static const char *const files[] = { "", "-wal", "-shm" };
	char path[160];

	db_conn_close(requests.conn);
	db_fini(&db);
	arena_fini(&arena);
	sql_fini(&sql);
	buf_fini(&out);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		snprintf(path, sizeof path, "%s%s", requests.path, files[i]);
		unlink(path);
	}
	rmdir(folder);
}

void requests_sql(const char *words)
{
	struct sql s = { .text = { .data = (char *)words, .len = strlen(words) } };
	struct err err;

	err_init(&err);
	if (db_begin(requests.conn, DB_TX_WRITE, &err) || db_run(requests.conn, &s, NULL, NULL, &err) ||
	    db_commit(requests.conn, &err))
		fail(words, err.text);
}

/* ---- from text to MessagePack ---- */

static const char *pack(struct buf *b, const char *s);

static const char *blank(const char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	return s;
}

static const char *pack_elements(struct buf *b, const char *s, char end)
{
	size_t open = wire_array_open(b), head;
	uint32_t n = 0;

	for (s = blank(s + 1); *s != end; n++) {
		s = blank(pack(b, s));
		if (end == '}') {
			if (*s != ':')
				fail("a : is missing", s);
			s = blank(pack(b, s + 1));
		}
		if (*s == ',')
			s = blank(s + 1);
		else if (*s != end)
			fail("a , is missing", s);
	}
	if (end == '}') { /* a map32 where the array's head was reserved */
		head = b->len;
		wire_map(b, 1 << 16);
		memcpy(b->data + open, b->data + head, 5);
		b->len = head;
		b->data[open + 1] = b->data[open + 2] = 0;
		b->data[open + 3] = (char)(n >> 8);
		b->data[open + 4] = (char)n;
	} else {
		wire_array_close(b, open, n);
	}
	return s + 1;
}

static const char *pack_number(struct buf *b, const char *s)
{
	size_t len = strspn(s, "+-0123456789.eE");
	char *end;

	if (len == 0)
		fail("no value", s);
	if (memchr(s, '.', len))
		wire_float(b, strtod(s, &end));
	else if (*s == '-')
		wire_int(b, strtoll(s, &end, 10));
	else
		wire_uint(b, strtoull(s, &end, 10));
	return s + len;
}

static const char *pack_bytes(struct buf *b, const char *s)
{
	char bytes[256];
	size_t n = 0;
	unsigned byte;

	for (s += 2; *s != '\''; s += 2, n++) {
		sscanf(s, "%2x", &byte);
		bytes[n] = (char)byte;
	}
	wire_bin(b, bytes, n);
	return s + 1;
}

static const char *pack(struct buf *b, const char *s)
{
	static const struct {
		const char *word;
		char byte;
	} words[] = {
		{ "null", (char)0xc0 },
		{ "false", (char)0xc2 },
		{ "true", (char)0xc3 },
	};
	size_t len;

	s = blank(s);
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strncmp(s, words[i].word, strlen(words[i].word)) == 0) {
			buf_add_char(b, words[i].byte);
			return s + strlen(words[i].word);
		}
	if (*s == '[' || *s == '{')
		return pack_elements(b, s, *s == '[' ? ']' : '}');
	if (*s == 'x')
		return pack_bytes(b, s);
	if (*s != '\'')
		return pack_number(b, s);
	len = strcspn(s + 1, "'");
	wire_str(b, s + 1, len);
	return s + len + 2;
}

/* ---- from MessagePack to text ---- */

static void print(struct buf *b, const msgpack_object *o)
{
	uint32_t i;

	switch (o->type) {
	case MSGPACK_OBJECT_NIL:
		buf_add_str(b, "null");
		break;
	case MSGPACK_OBJECT_BOOLEAN:
		buf_add_str(b, o->via.boolean ? "true" : "false");
		break;
	case MSGPACK_OBJECT_POSITIVE_INTEGER:
		buf_addf(b, "%" PRIu64, o->via.u64);
		break;
	case MSGPACK_OBJECT_NEGATIVE_INTEGER:
		buf_addf(b, "%" PRId64, o->via.i64);
		break;
	case MSGPACK_OBJECT_FLOAT32:
	case MSGPACK_OBJECT_FLOAT64:
		buf_addf(b, "%.17g", o->via.f64);
		break;
	case MSGPACK_OBJECT_STR:
		buf_addf(b, "'%.*s'", (int)o->via.str.size, o->via.str.size ? o->via.str.ptr : "");
		break;
	case MSGPACK_OBJECT_BIN:
		buf_add_str(b, "x'");
		for (i = 0; i < o->via.bin.size; i++)
			buf_addf(b, "%02x", (unsigned char)o->via.bin.ptr[i]);
		buf_add_char(b, '\'');
		break;
	case MSGPACK_OBJECT_EXT:
		buf_addf(b, "ext(%d, %u)", o->via.ext.type, (unsigned)o->via.ext.size);
		break;
	case MSGPACK_OBJECT_ARRAY:
		buf_add_char(b, '[');
		for (i = 0; i < o->via.array.size; i++) {
			buf_add_str(b, i ? ", " : "");
			print(b, &o->via.array.ptr[i]);
		}
		buf_add_char(b, ']');
		break;
	case MSGPACK_OBJECT_MAP:
		buf_add_char(b, '{');
		for (i = 0; i < o->via.map.size; i++) {
			buf_add_str(b, i ? ", " : "");
			print(b, &o->via.map.ptr[i].key);
			buf_add_str(b, ": ");
			print(b, &o->via.map.ptr[i].val);
		}
		buf_add_char(b, '}');
		break;
	}
}

const char *requests_text(const struct buf *encoded)
{
	msgpack_unpacked u;
	struct buf b;
	size_t off = 0;

	buf_init(&b, sizeof text - 1);
	msgpack_unpacked_init(&u);
	if (msgpack_unpack_next(&u, encoded->data, encoded->len, &off) != MSGPACK_UNPACK_SUCCESS ||
	    off != encoded->len)
		fail("the answer", "is not one MessagePack value");
	print(&b, &u.data);
	memcpy(text, b.data, b.len);
	text[b.len] = '\0';
	msgpack_unpacked_destroy(&u);
	buf_fini(&b);
	return text;
}

static const char *error_text(void)
{
	const struct err *e = &requests.err;
	int n = snprintf(text, sizeof text, "%s", code_name(e->code));

	if (e->column[0])
		n += snprintf(text + n, sizeof text - (size_t)n, " %s", e->column);
	if (e->limit >= 0)
		snprintf(text + n, sizeof text - (size_t)n, " limit=%" PRId64, e->limit);
	return text;
}

/* ---- requests ---- */

static enum rowd_code run(const char *method, const msgpack_object *params)
{
	const struct op *op = op_find(method, strlen(method));
	struct request req;
	enum rowd_code rc;

	if (!op)
		fail("no operation", method);
	arena_reset(&arena);
	requests.x.filter_operators = 0;
	rc = request_read(op, params, &req, &requests.err);
	return rc ? rc : exec_request(&requests.x, &req, &requests.err);
}

const char *asks_within(const char *method, const char *params)
{
	msgpack_unpacked u;
	struct buf encoded;
	size_t off = 0;
	enum rowd_code rc;

	err_init(&requests.err);
	buf_clear(&out);
	buf_init(&encoded, 1 << 24);
	pack(&encoded, params);
	msgpack_unpacked_init(&u);
	if (msgpack_unpack_next(&u, encoded.data, encoded.len, &off) != MSGPACK_UNPACK_SUCCESS)
		fail("these are no params", params);
	rc = run(method, &u.data);
	if (rc != requests.err.code || (rc && out.len > 0))
		fail(method, "failed and said otherwise");
	msgpack_unpacked_destroy(&u);
	buf_fini(&encoded);
	return rc ? error_text() : requests_text(&out);
}

const char *asks(const char *method, const char *params)
{
	const char *answer;

	err_init(&requests.err);
	if (db_begin(requests.conn, DB_TX_WRITE, &requests.err))
		fail("begin", requests.err.text);
	answer = asks_within(method, params);
	if (requests.err.code)
		db_rollback(requests.conn);
	else if (db_commit(requests.conn, &requests.err))
		fail("commit", requests.err.text);
	return answer;
}
