/*
 * What the connections of one database know together: the version of its schema, and which of its hosts
 * did not answer a moment ago.
 */
#include "config.h"

#include <stdlib.h>

#include "daemon/db/mysql_private.h"

enum { HOST_AVOIDED_MS = 5000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct mydb_shared *all; /* guarded by lock, as are `users` and `next` */

static struct mydb_shared *make(const struct db_source *source)
{
	struct mydb_shared *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	s->source = source;
	s->next = all;
	all = s;
	return s;
}

enum rowd_code mydb_shared_use(struct mydb_conn *c, struct err *err)
{
	struct mydb_shared *s;

	pthread_mutex_lock(&lock);
	for (s = all; s && s->source != c->source; s = s->next)
		;
	if (!s)
		s = make(c->source);
	if (s)
		s->users++;
	c->shared = s;
	pthread_mutex_unlock(&lock);
	return s ? ROWD_OK : err_set(err, ROWD_E_NO_RESOURCE, "memory ran out");
}

void mydb_shared_leave(struct mydb_conn *c)
{
	struct mydb_shared *s = c->shared, **place;

	if (!s)
		return;
	c->shared = NULL;
	pthread_mutex_lock(&lock);
	if (--s->users == 0) {
		for (place = &all; *place != s; place = &(*place)->next)
			;
		*place = s->next;
		pthread_mutex_destroy(&s->lock);
		free(s);
	}
	pthread_mutex_unlock(&lock);
}

/* ---- hosts ---- */

void mydb_host_avoid(struct mydb_conn *c)
{
	size_t i = (size_t)(c->host - c->url.hosts);

	pthread_mutex_lock(&c->shared->lock);
	c->shared->avoided_until_ns[i] = clock_ns() + (int64_t)HOST_AVOIDED_MS * NS_PER_MS;
	pthread_mutex_unlock(&c->shared->lock);
}

bool mydb_host_is_avoided(struct mydb_conn *c, const struct mydb_host *host)
{
	size_t i = (size_t)(host - c->url.hosts);
	bool avoided;

	pthread_mutex_lock(&c->shared->lock);
	avoided = clock_ns() < c->shared->avoided_until_ns[i];
	pthread_mutex_unlock(&c->shared->lock);
	return avoided;
}
