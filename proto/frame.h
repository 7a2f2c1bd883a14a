/*
 * Where does one MessagePack value end, and is it within the limits?
 *
 * Stands in front of msgpack-c: looks at each byte once however the bytes arrive, allocates
 * nothing, and refuses what would make a decoder allocate much (a 5-byte header can ask for
 * gigabytes) before a decoder sees it. Format: https://github.com/msgpack/msgpack/blob/master/spec.md
 *
 * Pure. Thread: a scanner belongs to one thread at a time.
 */
#ifndef ROWD_PROTO_FRAME_H
#define ROWD_PROTO_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FRAME_MAX_NESTING = 28,  /* msgpack-c decodes 32 */
	FRAME_OFFSETS = 4        /* elements of the envelope */
};

enum frame_status {
	FRAME_MORE,       /* not yet whole */
	FRAME_DONE,       /* whole: frame->scanned bytes from the start */
	FRAME_TOO_LONG,   /* passed max_bytes, or announces that it will */
	FRAME_TOO_DEEP,
	FRAME_TOO_MANY,   /* passed max_values or max_count, or announces that it will */
	FRAME_GARBAGE     /* 0xc1, or a first byte that is no array */
};

struct frame {
	/* set by frame_init */
	size_t max_bytes;
	unsigned max_nesting;
	uint64_t max_values;    /* every element but map keys counts, containers too */
	uint64_t max_count;     /* of one container; max_values, unless lowered after frame_init */
	/* the scan so far */
	size_t scanned;         /* bytes looked at since the frame began */
	uint64_t values;
	uint64_t due;           /* elements announced and not yet begun, map keys too */
	unsigned depth;
	uint64_t open[FRAME_MAX_NESTING];  /* at each level, elements not yet begun */
	/* where the elements of the outermost array begin: [0] is its first element */
	uint32_t elements;      /* of the outermost array, as announced */
	uint32_t seen;          /* of them, begun */
	size_t offset[FRAME_OFFSETS];
};

/* A scanner at the start of a frame. max_nesting <= FRAME_MAX_NESTING counts the outer array. */
void frame_init(struct frame *f, size_t max_bytes, unsigned max_nesting, uint64_t max_values);

/* Back to the start of the next frame, same limits. */
void frame_reset(struct frame *f);

/*
 * Go on with the frame that begins at data: data[0 .. f->scanned) was seen in earlier calls and
 * is not looked at again; len counts from the frame's first byte. After FRAME_DONE the frame is
 * data[0 .. f->scanned). Any status but FRAME_MORE and FRAME_DONE is final until frame_reset.
 * A string's body may be skipped: f->scanned may then be larger than len while FRAME_MORE.
 */
enum frame_status frame_scan(struct frame *f, const char *data, size_t len);

#endif
