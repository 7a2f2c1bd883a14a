/*
 * The prepared statements of one connection, found by their text, or by the number that stands for it.
 * Bounded; the one not used for the longest time goes first. A statement in use is never handed out twice nor let go.
 *
 * Thread: the connection's.
 */
#ifndef ROWD_DB_STATEMENT_CACHE_H
#define ROWD_DB_STATEMENT_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	STATEMENT_CACHE_MOST = 256,             /* statements */
	STATEMENT_CACHE_TEXT_BYTES = 32 * 1024, /* a longer statement is not kept */
	STATEMENT_CACHE_BYTES = 256 * 1024,     /* of all texts together */
	STATEMENT_CACHE_BUCKETS = 512
};

struct statement {
	void *handle;                  /* the driver's */
	/* the cache's own */
	char *text;                    /* owned; NULL when not kept, or known by number */
	size_t len;
	uint64_t known;                /* 0: by its text */
	uint64_t hash;
	bool in_use, kept;
	struct statement *next_in_bucket;
	struct statement *newer, *older;
};

typedef void statement_release_fn(void *arg, void *handle);

struct statement_cache {
	struct statement *buckets[STATEMENT_CACHE_BUCKETS];
	struct statement *newest, *oldest;
	size_t count, bytes;
	statement_release_fn *release;
	void *arg;                     /* borrowed */
};

/* release(arg, handle) is called for every handle, once. */
void statement_cache_init(struct statement_cache *cache, statement_release_fn *release, void *arg);

/* Let every statement go. None may be in use. */
void statement_cache_fini(struct statement_cache *cache);

/* Let every statement go; those in use when they are returned. */
void statement_cache_clear(struct statement_cache *cache);

/* The statement of that text, or of that number (never 0), now in use; NULL when there is none or it is in use
 * already. */
struct statement *statement_cache_take(struct statement_cache *cache, const char *text, size_t len);
struct statement *statement_cache_take_known(struct statement_cache *cache, uint64_t known);

/* A statement for handle, in use, and kept for later when it fits. NULL when memory runs out; handle
 * is then still the caller's. */
struct statement *statement_cache_add(struct statement_cache *cache, const char *text, size_t len, void *handle);
struct statement *statement_cache_add_known(struct statement_cache *cache, uint64_t known, void *handle);

/* The end of its use. */
void statement_cache_return(struct statement_cache *cache, struct statement *s);

#endif
