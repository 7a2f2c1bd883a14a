#include "config.h"

#include "bench/measure.h"

#include <err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- latencies ---- */

void measure_init(struct measure *m)
{
	memset(m, 0, sizeof *m);
	m->min_ns = UINT64_MAX;
}

/* Below two doublings' worth of steps each value has its own bucket. */
static unsigned bucket_of(uint64_t ns)
{
	unsigned shift;

	if (ns < 2 * MEASURE_STEPS)
		return (unsigned)ns;
	shift = 63u - (unsigned)__builtin_clzll(ns) - 6;
	return shift * MEASURE_STEPS + (unsigned)(ns >> shift);
}

static uint64_t bucket_top(unsigned bucket)
{
	unsigned shift;

	if (bucket < 2 * MEASURE_STEPS)
		return bucket;
	shift = bucket / MEASURE_STEPS - 1;
	return ((uint64_t)(bucket - shift * MEASURE_STEPS + 1) << shift) - 1;
}

void measure_add(struct measure *m, uint64_t latency_ns)
{
	m->requests++;
	if (latency_ns < m->min_ns)
		m->min_ns = latency_ns;
	if (latency_ns > m->max_ns)
		m->max_ns = latency_ns;
	m->bucket[bucket_of(latency_ns)]++;
}

void measure_until(struct measure *m, uint64_t before_ns, uint64_t now_ns, uint64_t stop_ns)
{
	measure_add(m, now_ns - before_ns);
	m->late += now_ns > stop_ns;
	m->end_ns = now_ns < stop_ns ? now_ns : stop_ns;
}

void measure_merge(struct measure *m, const struct measure *from)
{
	unsigned i;

	if (!m->begin_ns || from->begin_ns < m->begin_ns)
		m->begin_ns = from->begin_ns;
	if (from->end_ns > m->end_ns)
		m->end_ns = from->end_ns;
	if (from->min_ns < m->min_ns)
		m->min_ns = from->min_ns;
	if (from->max_ns > m->max_ns)
		m->max_ns = from->max_ns;
	m->requests += from->requests;
	m->late += from->late;
	m->errors += from->errors;
	m->hits += from->hits;
	for (i = 0; i < MEASURE_BUCKETS; i++)
		m->bucket[i] += from->bucket[i];
}

double measure_us(const struct measure *m, double share)
{
	uint64_t wanted = (uint64_t)(share * (double)m->requests), seen = 0;
	unsigned i;

	for (i = 0; i < MEASURE_BUCKETS; i++) {
		seen += m->bucket[i];
		if (seen > wanted)
			break;
	}
	if (i == MEASURE_BUCKETS || bucket_top(i) > m->max_ns)
		return (double)m->max_ns / 1e3;
	return (double)bucket_top(i) / 1e3;
}

void measure_print(const struct measure *m)
{
	double seconds = (double)(m->end_ns - m->begin_ns) / 1e9;

	printf("throughput=%.1f requests=%" PRIu64 " seconds=%.6f min_us=%.1f p50_us=%.1f p99_us=%.1f "
	       "p999_us=%.1f max_us=%.1f errors=%" PRIu64 " hits=%" PRIu64,
	       seconds > 0 ? (double)(m->requests - m->late) / seconds : 0, m->requests, seconds,
	       m->requests ? (double)m->min_ns / 1e3 : 0, measure_us(m, 0.5), measure_us(m, 0.99),
	       measure_us(m, 0.999), (double)m->max_ns / 1e3, m->errors, m->hits);
}

/* ---- keys and rows ---- */

/* xorshift64*: quick, and good enough to spread keys. */
static uint64_t random_next(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * 0x2545f4914f6cdd1du;
}

int64_t keys_next(struct keys *k)
{
	if (k->random)
		return k->first + (int64_t)(random_next(&k->state) % (uint64_t)(k->last - k->first + 1));
	if (k->next > k->last)
		return 0;
	return keys_place(k, k->next++);
}

static int64_t common_divisor(int64_t a, int64_t b)
{
	return b ? common_divisor(b, a % b) : a;
}

/* Multiples of the golden section lie far apart; those of a number prime to rows are all of them, each once. */
void keys_scatter(struct keys *k, int64_t rows)
{
	k->rows = rows;
	k->step = (int64_t)((double)rows * 0.6180339887);
	while (common_divisor(rows, k->step) != 1)
		k->step++;
}

int64_t keys_place(const struct keys *k, int64_t key)
{
	return k->rows ? 1 + key % k->rows * k->step % k->rows : key;
}

int keys_parse(struct keys *k, const char *text)
{
	char *end;

	k->first = strtoll(text, &end, 10);
	if (*end != ':' || k->first < 1)
		return 0;
	k->last = strtoll(end + 1, &end, 10);
	k->next = k->first;
	k->state = 88172645463325252u ^ (uint64_t)k->first;
	return !*end && k->last >= k->first;
}

int row_name(int64_t key, char name[ROW_NAME_BYTES])
{
	return snprintf(name, ROW_NAME_BYTES, "account number %" PRId64, key);
}

uint64_t number(const char *text, const char *what)
{
	char *end;
	long long n = strtoll(text, &end, 10);

	if (end == text || *end || n < 0)
		errx(2, "%s: not a number: %s", what, text);
	return (uint64_t)n;
}

double decimal(const char *text, const char *what)
{
	char *end;
	double d = strtod(text, &end);

	if (end == text || *end || !(d >= 0))
		errx(2, "%s: not a number: %s", what, text);
	return d;
}
