/*
 * The version of a schema: these servers keep none, so it is a sum over what information_schema says.
 * That takes a millisecond or some, too long for every transaction: it is asked for by one connection
 * for all of the database, and not again before several times as long has passed.
 */
#include "config.h"

#include <pthread.h>
#include <stdlib.h>

#include "daemon/db/mysql_private.h"

enum {
	INTERVAL_LEAST_NS = 5 * 1000000,
	INTERVAL_FACTOR = 4, /* times what the question took */
	SUMS = 4
};

static const char version_query[] =
	"SELECT "
	"(SELECT CAST(COALESCE(SUM(CRC32(CONCAT_WS('|', TABLE_NAME, TABLE_TYPE, ENGINE))), 0) AS SIGNED) "
	"FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()), "
	"(SELECT CAST(COALESCE(SUM(CRC32(CONCAT_WS('|', TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, COLUMN_TYPE, "
	"IS_NULLABLE, COLUMN_DEFAULT, COLUMN_DEFAULT IS NULL, EXTRA, COLLATION_NAME, COLUMN_COMMENT))), 0) AS SIGNED) "
	"FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()), "
	"(SELECT CAST(COALESCE(SUM(CRC32(CONCAT_WS('|', TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, COLUMN_NAME, "
	"NON_UNIQUE, COALESCE(SUB_PART, 0)))), 0) AS SIGNED) "
	"FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE()), "
	"(SELECT CAST(COALESCE(SUM(CRC32(CONCAT_WS('|', TABLE_NAME, CONSTRAINT_NAME, REFERENCED_TABLE_NAME, "
	"DELETE_RULE, UPDATE_RULE))), 0) AS SIGNED) "
	"FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE())";

/* What is known of one database, by all its connections. */
struct mydb_shared {
	const struct db_source *source; /* borrowed; tells databases apart */
	unsigned users;
	bool known;  /* version is one that was read */
	bool asking; /* somebody is on the way to the server */
	int64_t version;
	int64_t due_ns;      /* when it is to be asked for again */
	uint64_t generation; /* of version: how often it was told */
	struct mydb_shared *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct mydb_shared *all; /* guarded by lock, as is what they hold */

enum rowd_code mydb_version_use(struct mydb_conn *c, struct err *err)
{
	struct mydb_shared *s;

	pthread_mutex_lock(&lock);
	for (s = all; s && s->source != c->source; s = s->next)
		;
	if (!s) {
		s = calloc(1, sizeof *s);
		if (s) {
			s->source = c->source;
			s->next = all;
			all = s;
		}
	}
	if (s)
		s->users++;
	c->shared = s;
	pthread_mutex_unlock(&lock);
	return s ? ROWD_OK : err_set(err, ROWD_E_NO_RESOURCE, "memory ran out");
}

void mydb_version_leave(struct mydb_conn *c)
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
		free(s);
	}
	pthread_mutex_unlock(&lock);
}

/* Any change of any of the sums changes it. */
static int64_t mix(const struct value *sums)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	size_t i;
	int byte;

	for (i = 0; i < SUMS; i++)
		for (byte = 0; byte < 64; byte += 8)
			hash = (hash ^ ((uint64_t)sums[i].u.i >> byte & 0xFF)) * UINT64_C(1099511628211);
	return (int64_t)hash;
}

enum rowd_code mydb_version_read(struct mydb_conn *c, int64_t *out, struct err *err)
{
	static const struct type types[SUMS] = {
		{ .kind = TYPE_INT },
		{ .kind = TYPE_INT },
		{ .kind = TYPE_INT },
		{ .kind = TYPE_INT },
	};
	struct value row[SUMS];
	struct mydb_stmt *s;
	bool has_row = false;
	enum rowd_code rc = mydb_ask(c, version_query, NULL, 0, types, SUMS, &s, err);

	if (!rc)
		rc = mydb_step(c, s, row, &has_row, err);
	if (!rc && has_row)
		*out = mix(row);
	else if (!rc)
		rc = err_set(err, ROWD_E_INTERNAL, "the server does not describe itself");
	mydb_answered(c, s);
	return rc;
}

static int64_t interval(int64_t took_ns)
{
	return took_ns * INTERVAL_FACTOR > INTERVAL_LEAST_NS ? took_ns * INTERVAL_FACTOR : INTERVAL_LEAST_NS;
}

/* With the lock held: is what is known good enough? If not, the caller asks. */
static bool is_fresh(struct mydb_conn *c, int64_t now)
{
	struct mydb_shared *s = c->shared;

	if (s->known && (s->asking || c->touched || now < s->due_ns))
		return true;
	s->asking = true;
	return false;
}

enum rowd_code mydb_version(void *conn, int64_t *out, struct err *err)
{
	struct mydb_conn *c = conn;
	struct mydb_shared *s = c->shared;
	int64_t began = mydb_now_ns(), version, ended;
	uint64_t generation;
	bool fresh, aside;
	enum rowd_code rc;

	pthread_mutex_lock(&lock);
	fresh = is_fresh(c, began);
	*out = s->version;
	generation = s->generation;
	pthread_mutex_unlock(&lock);
	if (fresh)
		return ROWD_OK;
	aside = mydb_step_aside(c);
	rc = mydb_version_read(c, &version, err);
	mydb_step_back(c, aside);
	ended = mydb_now_ns();
	pthread_mutex_lock(&lock);
	s->asking = false;
	if (!rc && s->generation == generation) { /* else somebody has learnt a later one */
		s->version = version;
		s->known = true;
		s->generation++;
	}
	s->due_ns = ended + interval(ended - began);
	*out = s->version;
	pthread_mutex_unlock(&lock);
	return rc;
}

void mydb_version_tell(struct mydb_conn *c, int64_t version)
{
	struct mydb_shared *s = c->shared;

	pthread_mutex_lock(&lock);
	s->version = version;
	s->known = true;
	s->generation++;
	pthread_mutex_unlock(&lock);
}
