/*
 * A digest of what a message means, not of its bytes: equal for integers of any width and for maps in
 * any order. It tells requests apart that were not made to collide; it is no seal against an attacker.
 *
 * FNV-1a of 128 bits (Fowler, Noll, Vo: draft-eastlake-fnv). Pure. Thread: any.
 */
#ifndef ROWD_PROTO_FINGERPRINT_H
#define ROWD_PROTO_FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>

#include <msgpack.h>

enum { FINGERPRINT_BYTES = 16 };

__extension__ typedef unsigned __int128 fingerprint;

/* Of nothing yet. */
fingerprint fingerprint_start(void);

fingerprint fingerprint_bytes(fingerprint f, const void *data, size_t len);

/* One MessagePack value with all that is in it. */
fingerprint fingerprint_object(fingerprint f, const msgpack_object *o);

void fingerprint_write(fingerprint f, uint8_t out[FINGERPRINT_BYTES]);

#endif
