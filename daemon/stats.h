/*
 * Counters, one set for each loop so that no two threads share a cache line for them.
 *
 * Thread: written by their loop, read by any (relaxed: a sum may be a moment old).
 */
#ifndef ROWD_STATS_H
#define ROWD_STATS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/buf.h"
#include "proto/op.h"

struct loop;

enum stat_counter {
#define STAT(name, meaning) STAT_##name,
#include "daemon/stats.def"
#undef STAT
	STAT_COUNT_
};

struct op_stats {
	atomic_uint_least64_t calls, errors;
	atomic_uint_least64_t total_us, longest_us;   /* from arrival to answer */
};

struct stats {
	atomic_uint_least64_t counters[STAT_COUNT_];
	struct op_stats ops[OP_COUNT_];
};

static inline void stats_add(struct stats *s, enum stat_counter which, uint64_t n)
{
	atomic_store_explicit(&s->counters[which],
			      atomic_load_explicit(&s->counters[which], memory_order_relaxed) + n,
			      memory_order_relaxed);
}

/* One request was answered; took_us 0 when it was not measured. */
void stats_op(struct stats *s, enum op_id op, bool failed, uint64_t took_us);

/* The answer of stats(): counters, operations, databases, summed over all loops. Thread: l's. */
void stats_write(struct loop *l, struct buf *b);

#endif
