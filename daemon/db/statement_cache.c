#include "config.h"

#include "daemon/db/statement_cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Eight bytes at a time: this runs for every statement of every request. */
static uint64_t text_hash(const char *text, size_t len)
{
	uint64_t hash = len * UINT64_C(0x9E3779B97F4A7C15), word;

	for (; len >= sizeof word; text += sizeof word, len -= sizeof word) {
		memcpy(&word, text, sizeof word);
		hash = (hash ^ word) * UINT64_C(0xD6E8FEB86659FD93);
		hash ^= hash >> 32;
	}
	word = 0;
	memcpy(&word, text, len);
	hash = (hash ^ word) * UINT64_C(0xD6E8FEB86659FD93);
	return hash ^ hash >> 32;
}

static uint64_t known_hash(uint64_t known)
{
	known *= UINT64_C(0x9E3779B97F4A7C15);
	return known ^ known >> 32;
}

static struct statement **bucket_of(struct statement_cache *cache, uint64_t hash)
{
	return &cache->buckets[hash % STATEMENT_CACHE_BUCKETS];
}

static struct statement *find(struct statement_cache *cache, const char *text, size_t len, uint64_t hash)
{
	struct statement *s;

	for (s = *bucket_of(cache, hash); s; s = s->next_in_bucket)
		if (s->hash == hash && !s->known && s->len == len && memcmp(s->text, text, len) == 0)
			return s;
	return NULL;
}

static struct statement *find_known(struct statement_cache *cache, uint64_t known)
{
	struct statement *s = *bucket_of(cache, known_hash(known));

	while (s && s->known != known)
		s = s->next_in_bucket;
	return s;
}

static void list_remove(struct statement_cache *cache, struct statement *s)
{
	*(s->newer ? &s->newer->older : &cache->newest) = s->older;
	*(s->older ? &s->older->newer : &cache->oldest) = s->newer;
	s->newer = s->older = NULL;
}

static void list_add_newest(struct statement_cache *cache, struct statement *s)
{
	s->older = cache->newest;
	*(s->older ? &s->older->newer : &cache->oldest) = s;
	cache->newest = s;
}

static void statement_free(struct statement_cache *cache, struct statement *s)
{
	cache->release(cache->arg, s->handle);
	free(s->text);
	free(s);
}

/* Out of the cache; freed now, or when its use ends. */
static void drop(struct statement_cache *cache, struct statement *s)
{
	struct statement **p = bucket_of(cache, s->hash);

	while (*p != s)
		p = &(*p)->next_in_bucket;
	*p = s->next_in_bucket;
	list_remove(cache, s);
	cache->count--;
	cache->bytes -= s->len;
	s->kept = false;
	if (!s->in_use)
		statement_free(cache, s);
}

static void make_room(struct statement_cache *cache, size_t len)
{
	struct statement *s = cache->oldest, *newer;

	for (; s && (cache->count >= STATEMENT_CACHE_MOST || cache->bytes + len > STATEMENT_CACHE_BYTES); s = newer) {
		newer = s->newer;
		if (!s->in_use)
			drop(cache, s);
	}
}

void statement_cache_init(struct statement_cache *cache, statement_release_fn *release, void *arg)
{
	*cache = (struct statement_cache){ .release = release, .arg = arg };
}

void statement_cache_clear(struct statement_cache *cache)
{
	while (cache->newest)
		drop(cache, cache->newest);
}

void statement_cache_fini(struct statement_cache *cache)
{
	statement_cache_clear(cache);
}

/* s: found, or NULL. */
static struct statement *take(struct statement_cache *cache, struct statement *s)
{
	if (!s || s->in_use)
		return NULL;
	s->in_use = true;
	if (cache->newest != s) {
		list_remove(cache, s);
		list_add_newest(cache, s);
	}
	return s;
}

struct statement *statement_cache_take(struct statement_cache *cache, const char *text, size_t len)
{
	return len > STATEMENT_CACHE_TEXT_BYTES ? NULL : take(cache, find(cache, text, len, text_hash(text, len)));
}

struct statement *statement_cache_take_known(struct statement_cache *cache, uint64_t known)
{
	return take(cache, find_known(cache, known));
}

/* What it is found by is set. */
static void keep(struct statement_cache *cache, struct statement *s)
{
	struct statement **bucket = bucket_of(cache, s->hash);

	make_room(cache, s->len);
	if (cache->count >= STATEMENT_CACHE_MOST)
		return;
	s->kept = true;
	s->next_in_bucket = *bucket;
	*bucket = s;
	list_add_newest(cache, s);
	cache->count++;
	cache->bytes += s->len;
}

static struct statement *statement_new(void *handle)
{
	struct statement *s = calloc(1, sizeof *s);

	if (s) {
		s->handle = handle;
		s->in_use = true;
	}
	return s;
}

struct statement *statement_cache_add(struct statement_cache *cache, const char *text, size_t len, void *handle)
{
	struct statement *s = statement_new(handle);
	uint64_t hash;

	if (!s || len > STATEMENT_CACHE_TEXT_BYTES)
		return s;
	hash = text_hash(text, len);
	if (find(cache, text, len, hash))
		return s;
	s->text = malloc(len + 1);
	if (!s->text)
		return s;
	memcpy(s->text, text, len);
	s->len = len;
	s->hash = hash;
	keep(cache, s);
	return s;
}

struct statement *statement_cache_add_known(struct statement_cache *cache, uint64_t known, void *handle)
{
	struct statement *s = statement_new(handle);

	if (!s || find_known(cache, known))
		return s;
	s->known = known;
	s->hash = known_hash(known);
	keep(cache, s);
	return s;
}

void statement_cache_return(struct statement_cache *cache, struct statement *s)
{
	assert(s->in_use);
	s->in_use = false;
	if (!s->kept)
		statement_free(cache, s);
}
