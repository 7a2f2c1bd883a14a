/*
 * How many pages a loop's reader keeps in memory. Whatever another connection commits empties its cache: while others
 * write, a large one would be filled again and again and serve nobody. It is large when nobody has written for a while.
 */
#include "config.h"

#include <stdio.h>

#include "daemon/db/sqlite_private.h"

enum {
	LEAST_KIB = 2048,
	SMALL_KIB = 8192,
	QUIET_MS = 1000
};

static void set_size(struct sqlite_conn *c, int64_t kib)
{
	char pragma[64];

	snprintf(pragma, sizeof pragma, "PRAGMA cache_size=-%d", (int)kib);
	if (sqlite3_exec(c->db, pragma, NULL, NULL, NULL) == SQLITE_OK)
		c->cache_kib = kib;
}

int64_t sqlite_cache_first_kib(const struct sqlite_conn *c)
{
	int64_t most = c->source->read_cache_kib;

	return most < LEAST_KIB ? LEAST_KIB : most < SMALL_KIB ? most : SMALL_KIB;
}

void sqlite_cache_attend(struct sqlite_conn *c)
{
	unsigned emptied = c->emptied; /* counts how often the cache was */
	int64_t small = sqlite_cache_first_kib(c), now;

	if (sqlite3_file_control(c->db, "main", SQLITE_FCNTL_DATA_VERSION, &emptied) != SQLITE_OK)
		return;
	now = clock_ns();
	if (emptied != c->emptied) {
		c->emptied = emptied;
		c->emptied_ns = now;
		if (c->cache_kib > small)
			set_size(c, small);
	} else if (c->cache_kib < c->source->read_cache_kib && now - c->emptied_ns > (int64_t)QUIET_MS * NS_PER_MS) {
		set_size(c, c->source->read_cache_kib);
	}
}
