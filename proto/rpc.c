#include "config.h"

#include "proto/rpc.h"

#include <assert.h>
#include <string.h>

#include "proto/code.h"
#include "proto/limits.h"
#include "proto/value.h"

/* Bytes of a frame not yet read. */
struct span {
	const unsigned char *p;
	size_t n;
};

static struct span span_at(const char *data, size_t len, size_t offset)
{
	if (offset >= len)
		return (struct span){ NULL, 0 };
	return (struct span){ (const unsigned char *)data + offset, len - offset };
}

/* An int of any width that is not negative; false when it is none or not whole. */
static bool read_uint(struct span s, uint64_t *out)
{
	unsigned width;
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	if (s.p[0] < 0x80) {
		*out = s.p[0];
		return true;
	}
	if (s.p[0] < 0xcc || s.p[0] > 0xd3)
		return false;
	width = 1u << (s.p[0] & 3);
	if (s.n < 1 + width || (s.p[0] >= 0xd0 && s.p[1] >= 0x80))
		return false;
	for (unsigned i = 1; i <= width; i++)
		v = v << 8 | s.p[i];
	*out = v;
	return true;
}

static bool read_msgid(struct span s, uint32_t *out)
{
	uint64_t v;

	if (!read_uint(s, &v) || v > UINT32_MAX)
		return false;
	*out = (uint32_t)v;
	return true;
}

/* A str or bin, wholly there. */
static bool read_string(struct span s, const char **out, size_t *len_out)
{
	size_t head, len = 0;

	if (s.n == 0)
		return false;
	if ((s.p[0] & 0xe0) == 0xa0)
		head = 1;
	else if (s.p[0] >= 0xc4 && s.p[0] <= 0xc6)
		head = 1 + ((size_t)1 << (s.p[0] - 0xc4));
	else if (s.p[0] >= 0xd9 && s.p[0] <= 0xdb)
		head = 1 + ((size_t)1 << (s.p[0] - 0xd9));
	else
		return false;
	if (s.n < head)
		return false;
	if (head == 1)
		len = s.p[0] & 0x1f;
	for (size_t i = 1; i < head; i++)
		len = len << 8 | s.p[i];
	if (len > s.n - head)
		return false;
	*out = (const char *)s.p + head;
	*len_out = len;
	return true;
}

static bool is_array(struct span s)
{
	return s.n > 0 && ((s.p[0] & 0xf0) == 0x90 || s.p[0] == 0xdc || s.p[0] == 0xdd);
}

bool rpc_peek_msgid(const struct frame *f, const char *data, size_t len, uint32_t *msgid_out)
{
	uint64_t type;

	return f->elements >= 2 && f->seen >= 2 && read_uint(span_at(data, len, f->offset[0]), &type) &&
	       type == RPC_REQUEST && read_msgid(span_at(data, len, f->offset[1]), msgid_out);
}

/* The method and the params, the last two of `elements`. */
static enum rowd_code read_call(const struct frame *f, const char *data, uint32_t elements, struct rpc *out,
				struct err *err)
{
	struct span params;

	if (f->elements != elements)
		return err_set(err, ROWD_E_BAD_REQUEST, "%s is an array of %u, one of %u came",
			       out->type == RPC_REQUEST ? "a request [0, msgid, method, params]"
							: "a notification [2, method, params]",
			       (unsigned)elements, (unsigned)f->elements);
	if (!read_string(span_at(data, f->scanned, f->offset[elements - 2]), &out->method,
			 &out->method_len) ||
	    out->method_len > METHOD_MAX_BYTES)
		return err_set(err, ROWD_E_BAD_REQUEST, "the method is a str of at most %d bytes",
			       METHOD_MAX_BYTES);
	params = span_at(data, f->scanned, f->offset[elements - 1]);
	if (!is_array(params))
		return err_set(err, ROWD_E_BAD_REQUEST, "the params are an array");
	out->params = (const char *)params.p;
	out->params_len = params.n;
	return ROWD_OK;
}

enum rowd_code rpc_read(const struct frame *f, const char *data, struct rpc *out, struct err *err)
{
	uint64_t type;

	*out = (struct rpc){ .type = RPC_REQUEST };
	if (f->elements == 0 || !read_uint(span_at(data, f->scanned, f->offset[0]), &type))
		return err_set(err, ROWD_E_BAD_REQUEST, "a message begins with its type, 0 or 2");
	if (type == RPC_NOTIFICATION) {
		out->type = RPC_NOTIFICATION;
		return read_call(f, data, 3, out, err);
	}
	if (type != RPC_REQUEST)
		return err_set(err, ROWD_E_BAD_REQUEST,
			       type == RPC_RESPONSE ? "a response came, and nothing had been asked"
						    : "a message's type is 0 or 2, another came");
	out->has_msgid = rpc_peek_msgid(f, data, f->scanned, &out->msgid);
	if (!out->has_msgid)
		return err_set(err, ROWD_E_BAD_REQUEST, "a request's msgid is an int of 0 to 2^32-1");
	return read_call(f, data, 4, out, err);
}

void rpc_write_result_head(struct buf *b, uint32_t msgid)
{
	wire_array(b, 4);
	wire_uint(b, RPC_RESPONSE);
	wire_uint(b, msgid);
	wire_nil(b);
}

void rpc_write_notification_head(struct buf *b, const char *method)
{
	wire_array(b, 3);
	wire_uint(b, RPC_NOTIFICATION);
	wire_cstr(b, method);
}

/* A str must be UTF-8, and a sentence may quote a name that is not, or be cut within a character. */
static void write_text(struct buf *b, const char *s)
{
	char plain[ERR_NAME_BYTES + 2 + ERR_TEXT_BYTES];
	size_t len = strlen(s);

	if (utf8_valid(s, len, NULL)) {
		wire_str(b, s, len);
		return;
	}
	assert(len <= sizeof(plain));
	for (size_t i = 0; i < len; i++)
		plain[i] = (unsigned char)s[i] < 0x80 ? s[i] : '?';
	wire_str(b, plain, len);
}

/* "name: text" */
static void write_sentence(struct buf *b, const struct err *err)
{
	char text[ERR_NAME_BYTES + 2 + ERR_TEXT_BYTES];
	const char *name = code_name(err->code);
	size_t name_len = strlen(name);

	assert(name_len < ERR_NAME_BYTES);
	memcpy(text, name, name_len);
	memcpy(text + name_len, ": ", 3);
	strcpy(text + name_len + 2, err->text[0] ? err->text : code_meaning(err->code));
	write_text(b, text);
}

static void write_name(struct buf *b, const char *key, const char *name)
{
	if (name[0]) {
		wire_cstr(b, key);
		write_text(b, name);
	}
}

static void write_count(struct buf *b, const char *key, int64_t count)
{
	if (count >= 0) {
		wire_cstr(b, key);
		wire_int(b, count);
	}
}

/* Again, unchanged? Never where the first one may have taken effect. */
static bool may_retry(const struct err *err)
{
	return code_retry(err->code) && err->outcome == ROWD_NOT_APPLIED;
}

static void write_details(struct buf *b, const struct err *err)
{
	/* the column that is not there may be the one of no name */
	bool has_column = err->column[0] != '\0' || (err->code == ROWD_E_UNKNOWN_COLUMN && err->table[0] != '\0');

	wire_map(b, 3u + (err->table[0] != '\0') + has_column + (err->limit >= 0) + (err->index >= 0) +
			    (err->matched >= 0));
	wire_cstr(b, "name");
	wire_cstr(b, code_name(err->code));
	wire_cstr(b, "outcome");
	wire_cstr(b, outcome_name(err->outcome));
	wire_cstr(b, "retry");
	wire_bool(b, may_retry(err));
	write_name(b, "table", err->table);
	if (has_column) {
		wire_cstr(b, "column");
		write_text(b, err->column);
	}
	write_count(b, "limit", err->limit);
	write_count(b, "index", err->index);
	write_count(b, "matched", err->matched);
}

void rpc_write_error(struct buf *b, uint32_t msgid, const struct err *err, enum rpc_errors shape)
{
	wire_array(b, 4);
	wire_uint(b, RPC_RESPONSE);
	wire_uint(b, msgid);
	switch (shape) {
	case RPC_ERRORS_ARRAY:
		wire_array(b, 3);
		wire_uint(b, (uint64_t)err->code);
		write_sentence(b, err);
		write_details(b, err);
		break;
	case RPC_ERRORS_PAIR:
		wire_array(b, 2);
		wire_uint(b, code_is_callers_fault(err->code));
		write_sentence(b, err);
		break;
	case RPC_ERRORS_STRING:
		write_sentence(b, err);
		break;
	}
	wire_nil(b);
}
