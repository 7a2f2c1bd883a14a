#include <config.h>

#include "daemon/stats.h"

#include "base/clock.h"
#include "daemon/log.h"
#include "daemon/run/loop.h"
#include "daemon/server.h"
#include "proto/value.h"

static const char *const stat_names[] = {
#define STAT(name, meaning) #name,
#include "daemon/stats.def"
#undef STAT
};

static void bump(atomic_uint_least64_t *counter, uint64_t n)
{
	atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

void stats_op(struct stats *s, enum op_id op, bool failed, uint64_t took_us)
{
	struct op_stats *o = &s->ops[op];

	bump(&o->calls, 1);
	if (failed)
		bump(&o->errors, 1);
	bump(&o->total_us, took_us);
	if (took_us > atomic_load_explicit(&o->longest_us, memory_order_relaxed))
		atomic_store_explicit(&o->longest_us, took_us, memory_order_relaxed);
}

static uint64_t sum_counter(struct server *server, enum stat_counter which)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < server->nloops; i++)
		sum += atomic_load_explicit(&server->loops[i]->stats.counters[which], memory_order_relaxed);
	return sum;
}

struct op_sum {
	uint64_t calls, errors, total_us, longest_us;
};

static struct op_sum sum_op(struct server *server, enum op_id op)
{
	struct op_sum sum = { 0 };

	for (unsigned i = 0; i < server->nloops; i++) {
		struct op_stats *o = &server->loops[i]->stats.ops[op];
		uint64_t longest = atomic_load_explicit(&o->longest_us, memory_order_relaxed);

		sum.calls += atomic_load_explicit(&o->calls, memory_order_relaxed);
		sum.errors += atomic_load_explicit(&o->errors, memory_order_relaxed);
		sum.total_us += atomic_load_explicit(&o->total_us, memory_order_relaxed);
		if (longest > sum.longest_us)
			sum.longest_us = longest;
	}
	return sum;
}

static void write_pair(struct buf *b, const char *name, uint64_t value)
{
	wire_cstr(b, name);
	wire_uint(b, value);
}

static void write_bytes(struct buf *b, const char *name, int64_t bytes)
{
	wire_cstr(b, name);
	if (bytes >= 0)
		wire_int(b, bytes);
	else
		wire_nil(b);
}

static void write_ops(struct server *server, struct buf *b)
{
	unsigned used = 0;

	for (unsigned i = 0; i < OP_COUNT_; i++)
		used += sum_op(server, (enum op_id)i).calls > 0;
	wire_map(b, used);
	for (unsigned i = 0; i < OP_COUNT_; i++) {
		struct op_sum sum = sum_op(server, (enum op_id)i);

		if (!sum.calls)
			continue;
		wire_cstr(b, op_get((enum op_id)i)->name);
		wire_map(b, 4);
		write_pair(b, "calls", sum.calls);
		write_pair(b, "errors", sum.errors);
		write_pair(b, "mean_us", sum.total_us / sum.calls);
		write_pair(b, "longest_us", sum.longest_us);
	}
}

/* What the database holds, where that can be asked without waiting. */
static void write_space(struct loop *l, struct database *d, struct buf *b)
{
	struct db_space space = { -1, -1 };
	struct db_conn *conn;
	struct err ignored;

	err_init(&ignored);
	if (d->db.driver->caps & CAP_INLINE_READS && !loop_snapshot(l, d->index, clock_ns(), &conn, &ignored) &&
	    db_space(conn, &space, &ignored))
		space = (struct db_space){ -1, -1 };
	write_bytes(b, "used_bytes", space.used_bytes);
	write_bytes(b, "free_bytes", space.free_bytes);
}

static void write_database(struct loop *l, struct database *d, struct buf *b)
{
	unsigned queued, workers, kept, rqueued = 0, rworkers = 0, rkept = 0;

	lane_counts(&d->writer, &queued, &workers, &kept);
	lane_counts(&d->reader, &rqueued, &rworkers, &rkept);
	wire_map(b, 7);
	wire_cstr(b, "driver");
	wire_cstr(b, d->db.driver->name);
	wire_cstr(b, "state");
	wire_cstr(b, atomic_load(&d->db.available) ? "up" : "down");
	write_pair(b, "queued", queued + rqueued);
	write_pair(b, "workers", workers + rworkers);
	write_pair(b, "transactions", kept + rkept);
	write_space(l, d, b);
}

void stats_write(struct loop *l, struct buf *b)
{
	struct server *server = l->server;

	wire_map(b, 6);
	write_pair(b, "uptime_ms", (uint64_t)(clock_ns() - server->started_ns) / NS_PER_MS);
	write_pair(b, "clients", atomic_load(&server->nclients));
	write_pair(b, "log_lines_dropped", log_dropped());
	wire_cstr(b, "counters");
	wire_map(b, STAT_COUNT_);
	for (unsigned i = 0; i < STAT_COUNT_; i++)
		write_pair(b, stat_names[i], sum_counter(server, (enum stat_counter)i));
	wire_cstr(b, "ops");
	write_ops(server, b);
	wire_cstr(b, "databases");
	wire_map(b, server->ndatabases);
	for (unsigned i = 0; i < server->ndatabases; i++) {
		wire_cstr(b, server->databases[i].db.source.name);
		write_database(l, &server->databases[i], b);
	}
}
