/*
 * What travels, written as text, for tests: JSON, and x'00ff' for bytes.
 */
#ifndef ROWD_TESTS_PACK_H
#define ROWD_TESTS_PACK_H

#include <msgpack.h>

#include "base/arena.h"

/* The value that text means; lives in a. Aborts when it means none. */
const msgpack_object *pack(struct arena *a, const char *text);

/* The same of a format. */
const msgpack_object *packf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
