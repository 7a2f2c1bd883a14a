#include "config.h"

#include "client/ctl/literal.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "client/ctl/json.h"

static bool text_is_int(const char *s, size_t len)
{
	size_t i = (len > 0 && (s[0] == '-' || s[0] == '+')) ? 1 : 0;

	if (i == len)
		return false;
	for (; i < len; i++)
		if (!isdigit((unsigned char)s[i]))
			return false;
	return true;
}

/* Decimal digits, at most one point, an exponent: what strtod takes, without "nan", "inf" and hex. */
static bool text_is_number(const char *s, size_t len)
{
	return len > 0 && strspn(s, "0123456789+-.eE") == len && strpbrk(s, "0123456789");
}

static bool int_to_json(const char *s, size_t len, struct json_object **out, const char **why_out)
{
	char *end;
	long long v;

	if (!text_is_int(s, len)) {
		*why_out = "it is no int";
		return false;
	}
	errno = 0;
	v = strtoll(s, &end, 10);
	if (errno == ERANGE) {
		*why_out = "an int lies between -2^63 and 2^63-1";
		return false;
	}
	*out = json_object_new_int64(v);
	return true;
}

static bool float_to_json(const char *s, size_t len, struct json_object **out, const char **why_out)
{
	char *end;
	double v;

	if (!text_is_number(s, len)) {
		*why_out = "it is no number";
		return false;
	}
	v = strtod(s, &end);
	if (end != s + len) {
		*why_out = "it is no number";
		return false;
	}
	if (!isfinite(v)) {
		*why_out = "it is out of a float's range";
		return false;
	}
	*out = json_object_new_double(v);
	return true;
}

/* As written: an int where it looks like one, else a float. */
static bool number_to_json(const char *s, size_t len, struct json_object **out, const char **why_out)
{
	return text_is_int(s, len) ? int_to_json(s, len, out, why_out) : float_to_json(s, len, out, why_out);
}

static bool text_is_date(const char *s, size_t len)
{
	if (len != 10)
		return false;
	for (size_t i = 0; i < 10; i++)
		if (i == 4 || i == 7 ? s[i] != '-' : !isdigit((unsigned char)s[i]))
			return false;
	return true;
}

static struct json_object *time_to_json(const char *s, size_t len)
{
	char midnight[32];

	if (!text_is_date(s, len))
		return json_object_new_string_len(s, (int)len);
	memcpy(midnight, s, len);
	memcpy(midnight + len, "T00:00:00Z", sizeof "T00:00:00Z");
	return json_object_new_string(midnight);
}

static bool bool_from_text(const char *s, struct json_object **out, const char **why_out)
{
	static const char *const yes[] = { "true", "t", "1", "yes" }, *const no[] = { "false", "f", "0",
										      "no" };

	for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
		if (!strcasecmp(s, yes[i]) || !strcasecmp(s, no[i])) {
			*out = json_object_new_boolean(!strcasecmp(s, yes[i]));
			return true;
		}
	}
	*why_out = "it is neither true nor false";
	return false;
}

bool literal_hex(const char *text, size_t len, char **out, size_t *len_out)
{
	size_t n;
	char *bytes;

	if (len >= 3 && tolower((unsigned char)text[0]) == 'x' && text[1] == '\'' && text[len - 1] == '\'') {
		text += 2;
		len -= 3;
	} else if (len >= 2 && text[0] == '\\' && text[1] == 'x') {
		text += 2;
		len -= 2;
	} else {
		return false;
	}
	if (len % 2)
		return false;
	n = len / 2;
	bytes = malloc(n + 1);
	if (!bytes)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(text[2 * i]), low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0) {
			free(bytes);
			return false;
		}
		bytes[i] = (char)(high << 4 | low);
	}
	bytes[n] = '\0';
	*out = bytes;
	*len_out = n;
	return true;
}

static bool bytes_from_text(const char *s, size_t len, struct json_object **out, const char **why_out)
{
	char *bytes;
	size_t n;

	if (!literal_hex(s, len, &bytes, &n)) {
		*why_out = "bytes are written x'68656c6c6f'";
		return false;
	}
	*out = json_new_bytes(bytes, n);
	free(bytes);
	return true;
}

bool literal_from_text(const char *text, size_t len, const struct type *type, struct json_object **out,
		       const char **why_out)
{
	switch (type ? type->kind : TYPE_ANY) {
	case TYPE_INT:
		return int_to_json(text, len, out, why_out);
	case TYPE_BOOL:
		return bool_from_text(text, out, why_out);
	case TYPE_FLOAT:
		return float_to_json(text, len, out, why_out);
	case TYPE_BYTES:
		return bytes_from_text(text, len, out, why_out);
	case TYPE_TIME:
		*out = time_to_json(text, len);
		return true;
	case TYPE_DECIMAL:
	case TYPE_TEXT:
		break;
	case TYPE_ANY:
		if (text_is_number(text, len) && number_to_json(text, len, out, why_out))
			return true;
		break;
	}
	*out = json_object_new_string_len(text, (int)len);
	return true;
}

static bool number_for_type(const struct literal *lit, const struct type *type, struct json_object **out,
			    const char **why_out)
{
	switch (type ? type->kind : TYPE_ANY) {
	case TYPE_DECIMAL:
	case TYPE_TEXT:
		*out = json_object_new_string_len(lit->text, (int)lit->len);
		return true;
	case TYPE_FLOAT:
		return float_to_json(lit->text, lit->len, out, why_out);
	case TYPE_BOOL:
		if (lit->len == 1 && (lit->text[0] == '0' || lit->text[0] == '1')) {
			*out = json_object_new_boolean(lit->text[0] == '1');
			return true;
		}
		break;
	case TYPE_INT:
	case TYPE_BYTES:
	case TYPE_TIME:
	case TYPE_ANY:
		break;
	}
	return number_to_json(lit->text, lit->len, out, why_out);
}

bool literal_to_json(const struct literal *lit, const struct type *type, struct json_object **out,
		     const char **why_out)
{
	switch (lit->kind) {
	case LITERAL_NULL:
		*out = NULL;
		return true;
	case LITERAL_BOOL:
		*out = json_object_new_boolean(lit->text[0] == 't');
		return true;
	case LITERAL_NUMBER:
		return number_for_type(lit, type, out, why_out);
	case LITERAL_BYTES:
		*out = json_new_bytes(lit->text, lit->len);
		return true;
	case LITERAL_STRING:
		break;
	}
	*out = type && type->kind == TYPE_TIME ? time_to_json(lit->text, lit->len)
					       : json_object_new_string_len(lit->text, (int)lit->len);
	return true;
}
