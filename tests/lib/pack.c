#include "config.h"

#include "tests/lib/pack.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct packing {
	struct arena *arena;
	const char *text, *at;
};

static void must(const struct packing *p, bool holds)
{
	if (holds)
		return;
	fprintf(stderr, "no value: %s\nat: %s\n", p->text, p->at);
	abort();
}

static void skip_space(struct packing *p)
{
	while (isspace((unsigned char)*p->at))
		p->at++;
}

static bool take(struct packing *p, char c)
{
	skip_space(p);
	if (*p->at != c)
		return false;
	p->at++;
	return true;
}

static bool take_word(struct packing *p, const char *word)
{
	if (strncmp(p->at, word, strlen(word)) != 0)
		return false;
	p->at += strlen(word);
	return true;
}

static char *new_bytes(struct packing *p, size_t n)
{
	char *bytes = arena_calloc(p->arena, n + 1, 1);

	must(p, bytes);
	return bytes;
}

static char escaped(struct packing *p)
{
	switch (*p->at++) {
	case 'n':
		return '\n';
	case 't':
		return '\t';
	case '0':
		return '\0';
	case '"':
		return '"';
	case '\\':
		return '\\';
	default:
		must(p, false);
	}
	return 0;
}

static void pack_str(struct packing *p, msgpack_object *out)
{
	char *s = new_bytes(p, strlen(p->at));
	uint32_t n = 0;

	while (*p->at != '"') {
		must(p, *p->at);
		if (*p->at == '\\') {
			p->at++;
			s[n++] = escaped(p);
		} else {
			s[n++] = *p->at++;
		}
	}
	p->at++;
	out->type = MSGPACK_OBJECT_STR;
	out->via.str.ptr = s;
	out->via.str.size = n;
}

static void pack_bin(struct packing *p, msgpack_object *out)
{
	char *s = new_bytes(p, strlen(p->at)), pair[3] = "";
	uint32_t n = 0;

	for (; *p->at != '\''; p->at += 2) {
		must(p, isxdigit((unsigned char)p->at[0]) && isxdigit((unsigned char)p->at[1]));
		memcpy(pair, p->at, 2);
		s[n++] = (char)strtoul(pair, NULL, 16);
	}
	p->at++;
	out->type = MSGPACK_OBJECT_BIN;
	out->via.bin.ptr = s;
	out->via.bin.size = n;
}

static void pack_number(struct packing *p, msgpack_object *out)
{
	size_t len = strspn(p->at, "+-0123456789.eE");
	char *end;

	must(p, len > 0);
	errno = 0;
	if (memchr(p->at, '.', len) || memchr(p->at, 'e', len)) {
		out->type = MSGPACK_OBJECT_FLOAT64;
		out->via.f64 = strtod(p->at, &end);
	} else if (*p->at == '-') {
		out->type = MSGPACK_OBJECT_NEGATIVE_INTEGER;
		out->via.i64 = strtoll(p->at, &end, 10);
	} else {
		out->type = MSGPACK_OBJECT_POSITIVE_INTEGER;
		out->via.u64 = strtoull(p->at, &end, 10);
	}
	must(p, end == p->at + len && errno != EINVAL);
	p->at = end;
}

static void pack_value(struct packing *p, msgpack_object *out);

static void pack_array(struct packing *p, msgpack_object *out)
{
	uint32_t cap = 0;

	*out = (msgpack_object){ .type = MSGPACK_OBJECT_ARRAY };
	while (!take(p, ']')) {
		must(p, out->via.array.size == 0 || take(p, ','));
		if (out->via.array.size == cap) {
			msgpack_object *grown = arena_calloc(p->arena, cap ? cap * 2 : 8, sizeof *grown);

			must(p, grown);
			if (cap)
				memcpy(grown, out->via.array.ptr, cap * sizeof *grown);
			out->via.array.ptr = grown;
			cap = cap ? cap * 2 : 8;
		}
		pack_value(p, &out->via.array.ptr[out->via.array.size++]);
	}
}

static void pack_map(struct packing *p, msgpack_object *out)
{
	enum { MOST = 64 };

	*out = (msgpack_object){ .type = MSGPACK_OBJECT_MAP };
	out->via.map.ptr = arena_calloc(p->arena, MOST, sizeof *out->via.map.ptr);
	must(p, out->via.map.ptr);
	while (!take(p, '}')) {
		msgpack_object_kv *kv = &out->via.map.ptr[out->via.map.size];

		must(p, out->via.map.size < MOST && (out->via.map.size == 0 || take(p, ',')));
		pack_value(p, &kv->key);
		must(p, take(p, ':'));
		pack_value(p, &kv->val);
		out->via.map.size++;
	}
}

static void pack_value(struct packing *p, msgpack_object *out)
{
	skip_space(p);
	if (take(p, '[')) {
		pack_array(p, out);
	} else if (take(p, '{')) {
		pack_map(p, out);
	} else if (take(p, '"')) {
		pack_str(p, out);
	} else if (take_word(p, "x'")) {
		pack_bin(p, out);
	} else if (take_word(p, "null")) {
		out->type = MSGPACK_OBJECT_NIL;
	} else if (take_word(p, "true") || take_word(p, "false")) {
		out->type = MSGPACK_OBJECT_BOOLEAN;
		out->via.boolean = p->at[-2] == 'u';
	} else {
		pack_number(p, out);
	}
}

const msgpack_object *pack(struct arena *a, const char *text)
{
	struct packing p = { .arena = a, .text = text, .at = text };
	msgpack_object *out = arena_calloc(a, 1, sizeof *out);

	must(&p, out);
	pack_value(&p, out);
	skip_space(&p);
	must(&p, *p.at == '\0');
	return out;
}

const msgpack_object *packf(struct arena *a, const char *fmt, ...)
{
	va_list args;
	char *text;
	int n;
	const msgpack_object *out;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0)
		abort();
	out = pack(a, text);
	free(text);
	return out;
}
