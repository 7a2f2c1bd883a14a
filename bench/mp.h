/*
 * As much MessagePack as bench/load needs, written anew so that the generator knows only the wire.
 */
#ifndef ROWD_BENCH_MP_H
#define ROWD_BENCH_MP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writing: the caller has seen to it that there is room. Shortest forms. */
struct mp_out {
	uint8_t *p;
};

void mp_int(struct mp_out *o, int64_t n);
void mp_nil(struct mp_out *o);
void mp_bool(struct mp_out *o, bool b);
void mp_str(struct mp_out *o, const char *text, size_t len);
void mp_text(struct mp_out *o, const char *text);
void mp_array(struct mp_out *o, uint32_t members);
void mp_map(struct mp_out *o, uint32_t members);

/*
 * Reading from p to end. A function that answers false has not moved p; is_malformed tells bytes that
 * are no MessagePack from bytes that are still to come, where that matters.
 */
struct mp_in {
	const uint8_t *p, *end;
	bool is_malformed;
};

bool mp_read_nil(struct mp_in *in);
bool mp_read_uint(struct mp_in *in, uint64_t *n_out);
bool mp_read_str(struct mp_in *in, const char **text_out, size_t *len_out);
bool mp_read_array(struct mp_in *in, uint64_t *members_out);
bool mp_read_map(struct mp_in *in, uint64_t *members_out);

/* Past one whole value, however deep. */
bool mp_skip(struct mp_in *in);

#endif
