/*
 * The version of a schema: these servers keep none, so it is a sum over what information_schema says.
 * That takes a millisecond or some, too long for every transaction: it is asked for by one connection
 * for all of the database, and not again before several times as long has passed. Who has to know it
 * as it is now says so (mydb_version_doubt).
 */
#include "config.h"

#include <string.h>

#include "daemon/db/mysql_private.h"

enum {
	INTERVAL_LEAST_NS = 5 * 1000000,
	INTERVAL_FACTOR = 4, /* times what the question took */
	SUMS = MYDB_SUMS
};

#define SUM_OF(columns) "SELECT CAST(COALESCE(SUM(CRC32(CONCAT_WS('|', " columns "))), 0) AS SIGNED) "

/* One table of information_schema to a statement, as in mysql_schema.c. */
static const char *const sums[SUMS] = {
	SUM_OF("TABLE_NAME, TABLE_TYPE, ENGINE") "FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()",
	SUM_OF("TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, "
	       "COLUMN_DEFAULT IS NULL, EXTRA, COLLATION_NAME, COLUMN_COMMENT") "FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()",
	SUM_OF("TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, COLUMN_NAME, NON_UNIQUE, COALESCE(SUB_PART, 0)") "FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE()",
	SUM_OF("TABLE_NAME, CONSTRAINT_NAME, REFERENCED_TABLE_NAME, DELETE_RULE, UPDATE_RULE") "FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = DATABASE()",
};

/* Any change of any of the sums changes it. */
static uint64_t mix(uint64_t hash, int64_t sum)
{
	int bit;

	for (bit = 0; bit < 64; bit += 8)
		hash = (hash ^ ((uint64_t)sum >> bit & 0xFF)) * UINT64_C(1099511628211);
	return hash;
}

/* The statements stay with the connection: they are run again and again. */
static enum rowd_code ask_sum(struct mydb_conn *c, size_t i, int64_t *out, struct err *err)
{
	static const struct type type = { .kind = TYPE_INT };
	struct value v = value_null();
	bool has_row = false;
	enum rowd_code rc = ROWD_OK;

	if (!c->sums[i])
		rc = mydb_prepare(c, sums[i], strlen(sums[i]), &c->sums[i], err);
	if (rc)
		return rc;
	rc = mydb_exec(c, c->sums[i], NULL, 0, &type, 1, err);
	if (!rc)
		rc = mydb_step(c, c->sums[i], &v, &has_row, err);
	mydb_finish(c, c->sums[i], NULL, NULL);
	if (!rc && (!has_row || v.kind != VALUE_INT))
		rc = err_set(err, ROWD_E_INTERNAL, "the server does not describe itself");
	*out = v.u.i;
	return rc;
}

enum rowd_code mydb_version_read(struct mydb_conn *c, int64_t *out, struct err *err)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	int64_t sum = 0;
	enum rowd_code rc = ROWD_OK;
	size_t i;
	int again;

	for (i = 0; !rc && i < SUMS; i++) {
		rc = ROWD_E_INTERNAL;
		for (again = 0; again < MYDB_ASK_AGAIN && mydb_fell_over(rc, err, again); again++)
			rc = ask_sum(c, i, &sum, err);
		hash = mix(hash, sum);
	}
	if (!rc)
		*out = (int64_t)hash;
	return rc;
}

/* Of the last two questions the quicker one counts: a single slow one says little. */
static int64_t interval(int64_t took_ns, int64_t last_took_ns)
{
	int64_t took = took_ns < last_took_ns ? took_ns : last_took_ns;

	return took * INTERVAL_FACTOR > INTERVAL_LEAST_NS ? took * INTERVAL_FACTOR : INTERVAL_LEAST_NS;
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

static enum rowd_code ask(struct mydb_conn *c, int64_t *out, struct err *err)
{
	bool aside = mydb_step_aside(c);
	enum rowd_code rc = mydb_version_read(c, out, err);

	mydb_step_back(c, aside);
	return rc;
}

static enum rowd_code version_now(struct mydb_conn *c, int64_t *out, struct err *err)
{
	uint64_t generation = mydb_version_generation(c);
	enum rowd_code rc = ask(c, out, err);

	if (!rc)
		mydb_version_tell(c, *out, generation);
	return rc;
}

void mydb_version_doubt(void *conn)
{
	struct mydb_conn *c = conn;

	c->doubts_version = true;
}

enum rowd_code mydb_version(void *conn, int64_t *out, struct err *err)
{
	struct mydb_conn *c = conn;
	struct mydb_shared *s = c->shared;
	int64_t began = clock_ns(), version = 0, ended;
	uint64_t generation;
	bool fresh;
	enum rowd_code rc;

	if (c->doubts_version) {
		c->doubts_version = false;
		return version_now(c, out, err);
	}
	pthread_mutex_lock(&s->lock);
	fresh = is_fresh(c, began);
	*out = s->version;
	generation = s->generation;
	pthread_mutex_unlock(&s->lock);
	if (fresh)
		return ROWD_OK;
	rc = ask(c, &version, err);
	ended = clock_ns();
	pthread_mutex_lock(&s->lock);
	s->asking = false;
	if (!rc && s->generation == generation) { /* else somebody has learnt a later one */
		s->version = version;
		s->known = true;
		s->generation++;
	}
	s->due_ns = ended + interval(ended - began, s->took_ns);
	s->took_ns = ended - began;
	*out = s->known ? s->version : version;
	pthread_mutex_unlock(&s->lock);
	return rc;
}

uint64_t mydb_version_generation(struct mydb_conn *c)
{
	struct mydb_shared *s = c->shared;
	uint64_t generation;

	pthread_mutex_lock(&s->lock);
	generation = s->generation;
	pthread_mutex_unlock(&s->lock);
	return generation;
}

/* When another was told meanwhile, nobody knows which of the two is the later: it is asked for again. */
void mydb_version_tell(struct mydb_conn *c, int64_t version, uint64_t generation)
{
	struct mydb_shared *s = c->shared;

	pthread_mutex_lock(&s->lock);
	s->known = s->generation == generation || s->version == version;
	s->version = version;
	s->generation++;
	pthread_mutex_unlock(&s->lock);
}
