#include "config.h"

#include "client/ctl/json.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/value.h"

enum { JSON_MAX_NESTING = 32 };

/* ---- reading ---- */

/* The members of all objects, as the text spells them: a colon outside of strings is one. */
static size_t count_colons(const char *s, size_t len)
{
	size_t n = 0;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		if (in_string && s[i] == '\\')
			i++;
		else if (s[i] == '"')
			in_string = !in_string;
		else if (s[i] == ':' && !in_string)
			n++;
	}
	return n;
}

/* The first ' outside of strings, which json-c takes for a quote; len when there is none. */
static size_t find_single_quote(const char *s, size_t len)
{
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		if (in_string && s[i] == '\\')
			i++;
		else if (s[i] == '"')
			in_string = !in_string;
		else if (s[i] == '\'' && !in_string)
			return i;
	}
	return len;
}

/* The first int past 64 bits, which json-c would bend to the nearest one that fits; len when there is none. */
static size_t find_large_int(const char *s, size_t len)
{
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		size_t n = in_string ? 0 : strspn(s + i, "0123456789+-.eE");

		if (in_string && s[i] == '\\') {
			i++;
		} else if (s[i] == '"') {
			in_string = !in_string;
		} else if (n > 0) {
			errno = 0;
			if (s[i] == '-')
				(void)strtoll(s + i, NULL, 10);
			else
				(void)strtoull(s + i, NULL, 10);
			if (errno == ERANGE && strcspn(s + i, ".eE") >= n)
				return i;
			i += n - 1;
		}
	}
	return len;
}

static size_t count_members(const struct json_object *o)
{
	size_t n = 0;

	if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			n += count_members(json_object_array_get_idx(o, i));
	} else if (json_object_is_type(o, json_type_object)) {
		json_object_object_foreach((struct json_object *)o, key, member)
		{
			(void)key;
			n += 1 + count_members(member);
		}
	}
	return n;
}

static bool json_fail(char *why, size_t why_size, const char *text)
{
	snprintf(why, why_size, "%s", text);
	return false;
}

bool json_parse(const char *text, size_t len, struct json_object **out, size_t *at, char *why,
		size_t why_size)
{
	struct json_tokener *tok;
	struct json_object *o;
	enum json_tokener_error error;

	*at = 0;
	if (len >= INT32_MAX)
		return json_fail(why, why_size, "longer than 2 GiB");
	*at = find_single_quote(text, len);
	if (*at < len)
		return json_fail(why, why_size, "this is no JSON: strings stand in double quotes");
	tok = json_tokener_new_ex(JSON_MAX_NESTING);
	if (!tok)
		return json_fail(why, why_size, "out of memory");
	json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	o = json_tokener_parse_ex(tok, text, (int)len + 1);
	error = json_tokener_get_error(tok);
	*at = json_tokener_get_parse_end(tok);
	json_tokener_free(tok);
	if (*at > len)
		*at = len;
	if (error != json_tokener_success) {
		snprintf(why, why_size, "this is no JSON: %s", json_tokener_error_desc(error));
		json_object_put(o);
		return false;
	}
	while (*at < len && isspace((unsigned char)text[*at]))
		(*at)++;
	if (*at < len) {
		json_object_put(o);
		return json_fail(why, why_size, "there is more behind the JSON value");
	}
	if (count_colons(text, len) != count_members(o)) {
		json_object_put(o);
		*at = 0;
		return json_fail(why, why_size, "a key is given twice in one object");
	}
	*at = find_large_int(text, len);
	if (*at < len) {
		json_object_put(o);
		return json_fail(why, why_size, "an int past 64 bits");
	}
	*out = o;
	return true;
}

/* ---- packing ---- */

/* {"$bin": "..."} or {"$time": "..."}: the string, and which. */
static const struct json_object *wrapped(const struct json_object *o, const char *name)
{
	struct json_object *inside;

	if (json_object_object_length(o) != 1 || !json_object_object_get_ex(o, name, &inside) ||
	    !json_object_is_type(inside, json_type_string))
		return NULL;
	return inside;
}

static const char *string_of(const struct json_object *o, size_t *len)
{
	*len = (size_t)json_object_get_string_len(o);
	return json_object_get_string((struct json_object *)o);
}

static bool pack_bytes(struct buf *b, const struct json_object *o, char *why, size_t why_size)
{
	struct buf bytes;
	size_t len;
	const char *s = string_of(o, &len);
	bool ok;

	buf_init(&bytes, SIZE_MAX);
	ok = base64_read(&bytes, s, len) && !bytes.failed;
	if (ok)
		wire_bin(b, bytes.data ? bytes.data : "", bytes.len);
	buf_fini(&bytes);
	return ok || json_fail(why, why_size, "$bin holds no base64");
}

static bool pack_time(struct buf *b, const struct json_object *o, char *why, size_t why_size)
{
	int64_t micros;
	size_t len;
	const char *s = string_of(o, &len);
	int rc = value_time_parse(s, len, &micros);

	if (rc)
		return json_fail(why, why_size,
				 rc == 1 ? "$time holds no time: 2026-01-31T12:00:00Z is one"
					 : "$time is out of range, or finer than microseconds");
	wire_time(b, micros);
	return true;
}

static bool pack_object(struct buf *b, const struct json_object *o, char *why, size_t why_size)
{
	const struct json_object *inside;

	if ((inside = wrapped(o, "$bin")))
		return pack_bytes(b, inside, why, why_size);
	if ((inside = wrapped(o, "$time")))
		return pack_time(b, inside, why, why_size);
	wire_map(b, (uint32_t)json_object_object_length(o));
	json_object_object_foreach((struct json_object *)o, key, member)
	{
		wire_cstr(b, key);
		if (!json_pack(b, member, why, why_size))
			return false;
	}
	return true;
}

static bool pack_array(struct buf *b, const struct json_object *o, char *why, size_t why_size)
{
	size_t n = json_object_array_length(o);

	wire_array(b, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		if (!json_pack(b, json_object_array_get_idx(o, i), why, why_size))
			return false;
	return true;
}

static bool pack_int(struct buf *b, const struct json_object *o)
{
	int64_t v = json_object_get_int64(o);
	uint64_t u = json_object_get_uint64(o);

	if (v == INT64_MAX && u > (uint64_t)INT64_MAX)
		wire_uint(b, u);
	else
		wire_int(b, v);
	return true;
}

bool json_pack(struct buf *b, const struct json_object *o, char *why, size_t why_size)
{
	size_t len;
	const char *s;
	double v;

	switch (json_object_get_type(o)) {
	case json_type_null:
		wire_nil(b);
		return true;
	case json_type_boolean:
		wire_bool(b, json_object_get_boolean(o));
		return true;
	case json_type_int:
		return pack_int(b, o);
	case json_type_double:
		v = json_object_get_double(o);
		if (!isfinite(v))
			return json_fail(why, why_size, "a number out of a float's range");
		wire_float(b, v);
		return true;
	case json_type_string:
		s = string_of(o, &len);
		wire_str(b, s, len);
		return true;
	case json_type_array:
		return pack_array(b, o, why, why_size);
	case json_type_object:
		break;
	}
	return pack_object(b, o, why, why_size);
}

/* ---- writing ---- */

struct json_object *json_new_bytes(const char *data, size_t len)
{
	struct json_object *o = json_object_new_object();
	struct buf text;

	buf_init(&text, SIZE_MAX);
	base64_write(&text, data, len);
	json_object_object_add(o, "$bin",
			       json_object_new_string_len(text.data ? text.data : "", (int)text.len));
	buf_fini(&text);
	return o;
}

void json_write_string(struct buf *b, const char *s, size_t len)
{
	static const char from[] = "\"\\\n\r\t\b\f", to[] = "\"\\nrtbf";
	size_t done = 0;

	buf_add_char(b, '"');
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		const char *known = c ? strchr(from, c) : NULL;

		if (c >= 0x20 && c != 0x7f && !known)
			continue;
		buf_add(b, s + done, i - done);
		done = i + 1;
		if (known)
			buf_addf(b, "\\%c", to[known - from]);
		else
			buf_addf(b, "\\u%04x", c);
	}
	buf_add(b, s + done, len - done);
	buf_add_char(b, '"');
}

void json_write_float(struct buf *b, double v)
{
	char text[40];

	for (int digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof text, "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	buf_add_str(b, text);
	if (!strpbrk(text, ".einf"))
		buf_add_str(b, ".0");
}

void json_write_bytes(struct buf *b, const char *data, size_t len)
{
	buf_add_str(b, "{\"$bin\":\"");
	base64_write(b, data, len);
	buf_add_str(b, "\"}");
}

/* ---- base64 ---- */

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(struct buf *b, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i += 3) {
		size_t n = len - i < 3 ? len - i : 3;
		uint32_t bits = 0;
		char quad[4];

		for (size_t j = 0; j < 3; j++)
			bits = bits << 8 | (j < n ? (unsigned char)data[i + j] : 0);
		for (size_t j = 0; j < 4; j++)
			quad[j] = j <= n ? base64_digits[bits >> (18 - 6 * j) & 63] : '=';
		buf_add(b, quad, 4);
	}
}

bool base64_read(struct buf *b, const char *s, size_t len)
{
	if (len % 4)
		return false;
	for (size_t i = 0; i < len; i += 4) {
		size_t digits = s[i + 3] != '=' || i + 4 < len ? 4 : s[i + 2] != '=' ? 3 : 2;
		uint32_t bits = 0;
		char bytes[3];

		for (size_t j = 0; j < 4; j++) {
			const char *digit = j < digits && s[i + j] ? strchr(base64_digits, s[i + j]) : NULL;

			if (j < digits && !digit)
				return false;
			bits = bits << 6 | (digit ? (uint32_t)(digit - base64_digits) : 0);
		}
		for (size_t j = 0; j < 3; j++)
			bytes[j] = (char)(bits >> (16 - 8 * j));
		buf_add(b, bytes, digits - 1);
	}
	return true;
}
