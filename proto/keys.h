/*
 * Map keys: each a str, none given twice.
 *
 * Pure. Thread: any.
 */
#ifndef ROWD_PROTO_KEYS_H
#define ROWD_PROTO_KEYS_H

#include <msgpack.h>

#include "base/err.h"

/*
 * Look at every map within o, at any depth. ROWD_E_BAD_REQUEST for a key that is no str or is
 * given twice; ROWD_E_NO_RESOURCE. The time taken grows with n log n of the largest map.
 * The depth of o is the scanner's concern (proto/frame.h).
 */
ROWD_MUST_CHECK enum rowd_code keys_check(const msgpack_object *o, struct err *err);

#endif
