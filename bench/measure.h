/*
 * What every program of bench measures with: a clock, a histogram of latencies, and the one line of
 * key=value that bench/run reads.
 */
#ifndef ROWD_BENCH_MEASURE_H
#define ROWD_BENCH_MEASURE_H

#include <stdint.h>

enum {
	MEASURE_STEPS = 64,                        /* to a doubling: a bucket is at most 1.6 % wide */
	MEASURE_BUCKETS = (64 - 5) * MEASURE_STEPS
};

/* Plain data without pointers, so that it can lie in memory shared by processes. */
struct measure {
	uint64_t begin_ns, end_ns;  /* of the time that throughput is counted over */
	uint64_t requests;  /* answered, with or without an error */
	uint64_t late;      /* of them: begun before end_ns, answered after it */
	uint64_t errors;
	uint64_t hits;      /* rows that were found, added or removed */
	uint64_t min_ns, max_ns;
	uint64_t bucket[MEASURE_BUCKETS];
};

/* Nanoseconds of the monotonic clock. */
uint64_t clock_ns(void);

void measure_init(struct measure *m);
void measure_add(struct measure *m, uint64_t latency_ns);

/* A request from before_ns to now_ns was answered, by one who stops asking at stop_ns. */
void measure_until(struct measure *m, uint64_t before_ns, uint64_t now_ns, uint64_t stop_ns);

/* Add from's counts to m; m then spans both. */
void measure_merge(struct measure *m, const struct measure *from);

/* The latency that this share (0 .. 1) of all requests did not exceed, in microseconds. */
double measure_us(const struct measure *m, double share);

/* Print "throughput=... seconds=... p50_us=..." without a newline. */
void measure_print(const struct measure *m);

/* Keys from first to last: in their order, each once, or at random and for ever. */
struct keys {
	int64_t first, last, next;
	int random;
	uint64_t state;
	int64_t rows, step; /* of keys that are scattered; 0: they are not */
};

/* The next key; 0 when there is none left. Keys are positive. */
int64_t keys_next(struct keys *k);

/* From now on each of the keys 1 to rows stands for another one of these, far from its neighbours'. */
void keys_scatter(struct keys *k, int64_t rows);
int64_t keys_place(const struct keys *k, int64_t key);

/* Read "FIRST:LAST"; 0 when that is no range of positive numbers. */
int keys_parse(struct keys *k, const char *text);

/* The text of the row with this key; every program fills tables with the same rows. At most 40 bytes. */
enum { ROW_NAME_BYTES = 40 };
int row_name(int64_t key, char name[ROW_NAME_BYTES]);

/* A positive number from an option's text, or the end of the program. */
uint64_t number(const char *text, const char *what);
double decimal(const char *text, const char *what);

#endif
