/*
 * The version of a schema: these servers keep none, so it is a sum over what information_schema says.
 * That takes a millisecond or some, too long for every transaction: it is asked for by one connection
 * for all of the database, and not again before several times as long has passed.
 */
#include "config.h"

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

	pthread_mutex_lock(&s->lock);
	fresh = is_fresh(c, began);
	*out = s->version;
	generation = s->generation;
	pthread_mutex_unlock(&s->lock);
	if (fresh)
		return ROWD_OK;
	aside = mydb_step_aside(c);
	rc = mydb_version_read(c, &version, err);
	mydb_step_back(c, aside);
	ended = mydb_now_ns();
	pthread_mutex_lock(&s->lock);
	s->asking = false;
	if (!rc && s->generation == generation) { /* else somebody has learnt a later one */
		s->version = version;
		s->known = true;
		s->generation++;
	}
	s->due_ns = ended + interval(ended - began);
	*out = s->version;
	pthread_mutex_unlock(&s->lock);
	return rc;
}

void mydb_version_tell(struct mydb_conn *c, int64_t version)
{
	struct mydb_shared *s = c->shared;

	pthread_mutex_lock(&s->lock);
	s->version = version;
	s->known = true;
	s->generation++;
	pthread_mutex_unlock(&s->lock);
}
