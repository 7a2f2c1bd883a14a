#include "config.h"

#include <string.h>

#include "client/ctl/json.h"
#include "client/ctl/out.h"
#include "proto/value.h"

/* "2026-01-31T12:00:00Z", with six decimals when it has any. */
static void write_time(struct buf *b, int64_t micros)
{
	char text[27];

	value_time_format(micros, text);
	text[10] = 'T';
	buf_add(b, text, strcmp(text + 19, ".000000") ? 26 : 19);
	buf_add_char(b, 'Z');
}

static void write_hex(struct buf *b, const unsigned char *data, size_t len)
{
	static const char digits[] = "0123456789abcdef";

	buf_add_str(b, "x'");
	for (size_t i = 0; i < len; i++) {
		buf_add_char(b, digits[data[i] >> 4]);
		buf_add_char(b, digits[data[i] & 15]);
	}
	buf_add_char(b, '\'');
}

static void write_map(struct buf *b, const struct rowd_item *item)
{
	buf_add_char(b, '{');
	for (size_t i = 0; i < rowd_item_count(item); i++) {
		const char *name = rowd_item_name(item, i);

		if (i)
			buf_add_char(b, ',');
		json_write_string(b, name ? name : "?", name ? strlen(name) : 1);
		buf_add_char(b, ':');
		item_write_json(b, rowd_item_at(item, i));
	}
	buf_add_char(b, '}');
}

static void write_array(struct buf *b, const struct rowd_item *item)
{
	buf_add_char(b, '[');
	for (size_t i = 0; i < rowd_item_count(item); i++) {
		if (i)
			buf_add_char(b, ',');
		item_write_json(b, rowd_item_at(item, i));
	}
	buf_add_char(b, ']');
}

static void write_bool(struct buf *b, const struct rowd_item *item)
{
	bool v;

	rowd_item_bool(item, &v);
	buf_add_str(b, v ? "true" : "false");
}

static void write_int(struct buf *b, const struct rowd_item *item)
{
	int64_t v;

	rowd_item_int(item, &v);
	buf_addf(b, "%lld", (long long)v);
}

static void write_float(struct buf *b, const struct rowd_item *item)
{
	double v;

	rowd_item_float(item, &v);
	json_write_float(b, v);
}

void item_write_json(struct buf *b, const struct rowd_item *item)
{
	size_t len;
	const char *s;
	int64_t micros;

	switch (rowd_item_kind(item)) {
	case ROWD_KIND_NONE:
	case ROWD_KIND_NULL:
	case ROWD_KIND_OTHER:
		buf_add_str(b, "null");
		break;
	case ROWD_KIND_BOOL:
		write_bool(b, item);
		break;
	case ROWD_KIND_INT:
		write_int(b, item);
		break;
	case ROWD_KIND_FLOAT:
		write_float(b, item);
		break;
	case ROWD_KIND_STR:
		s = rowd_item_str(item, &len);
		json_write_string(b, s, len);
		break;
	case ROWD_KIND_BIN:
		s = rowd_item_bin(item, &len);
		json_write_bytes(b, s, len);
		break;
	case ROWD_KIND_TIME:
		rowd_item_time(item, &micros);
		buf_add_char(b, '"');
		write_time(b, micros);
		buf_add_char(b, '"');
		break;
	case ROWD_KIND_ARRAY:
		write_array(b, item);
		break;
	case ROWD_KIND_MAP:
		write_map(b, item);
		break;
	}
}

void item_write_text(struct buf *b, const struct rowd_item *item)
{
	size_t len;
	const char *s;
	int64_t micros;

	switch (rowd_item_kind(item)) {
	case ROWD_KIND_NONE:
	case ROWD_KIND_NULL:
	case ROWD_KIND_OTHER:
		break;
	case ROWD_KIND_STR:
		s = rowd_item_str(item, &len);
		buf_add(b, s, len);
		break;
	case ROWD_KIND_BIN:
		s = rowd_item_bin(item, &len);
		write_hex(b, (const unsigned char *)s, len);
		break;
	case ROWD_KIND_TIME:
		rowd_item_time(item, &micros);
		write_time(b, micros);
		break;
	case ROWD_KIND_BOOL:
	case ROWD_KIND_INT:
	case ROWD_KIND_FLOAT:
	case ROWD_KIND_ARRAY:
	case ROWD_KIND_MAP:
		item_write_json(b, item);
		break;
	}
}

/* Bytes of the control character at s: C0, DEL, C1 and the marks that turn the writing around. 0: none. */
static size_t control_at(const unsigned char *s, size_t len, unsigned *code)
{
	if (s[0] < 0x20 || s[0] == 0x7f) {
		*code = s[0];
		return 1;
	}
	if (len >= 2 && s[0] == 0xc2 && s[1] >= 0x80 && s[1] <= 0x9f) {
		*code = s[1];
		return 2;
	}
	if (len >= 3 && s[0] == 0xe2 && (s[1] == 0x80 || s[1] == 0x81)) {
		*code = 0x2000u + ((s[1] & 1u) << 6) + (s[2] & 0x3fu);
		if ((*code >= 0x200e && *code <= 0x200f) || (*code >= 0x2028 && *code <= 0x202e) ||
		    (*code >= 0x2066 && *code <= 0x2069))
			return 3;
	}
	return 0;
}

void text_write_safe(struct buf *b, const char *s, size_t len)
{
	size_t done = 0, n;
	unsigned code;

	for (size_t i = 0; i < len; i += n ? n : 1) {
		n = control_at((const unsigned char *)s + i, len - i, &code);
		if (!n)
			continue;
		buf_add(b, s + done, i - done);
		done = i + n;
		if (code == '\n' || code == '\t' || code == '\r')
			buf_addf(b, "\\%c", code == '\n' ? 'n' : code == '\t' ? 't' : 'r');
		else
			buf_addf(b, "\\u%04x", code);
	}
	buf_add(b, s + done, len - done);
}
