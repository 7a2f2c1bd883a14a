#include "config.h"

#include <stdlib.h>

#include "base/clock.h"
#include "daemon/run/worker_private.h"

enum {
	GROUP_MAX_NS = 10 * NS_PER_MS,          /* a group is committed rather than grow older */
	TOGETHER_PATIENCE_NS = 50 * NS_PER_MS,  /* others wait for the commit: whoever takes longer goes alone */
	TOGETHER_PAUSE_NS = 200 * NS_PER_MS     /* after that, nobody goes together for a while */
};

/* ---- in groups ---- */

struct group {
	struct job_queue waiting;     /* not yet run in this transaction */
	struct job_queue ran;         /* code says how each went; to be answered after the commit */
	bool any_applied;
	int64_t began_ns;
};

static enum rowd_code savepoint(struct worker *w, enum savepoint_verb verb, struct err *err)
{
	sql_clear(&w->runner.sql);
	sql_savepoint(&w->runner.sql, db_conn_dialect(w->conn), verb, 0);
	return db_run(w->conn, &w->runner.sql, NULL, NULL, err);
}

/* The first request with an id: its table is made between two transactions; the group is run again. */
static enum rowd_code make_table(struct worker *w, const char *name, struct err *err)
{
	db_rollback(w->conn);
	return runner_make_table(&w->runner, w->conn, name, err);
}

/* Run one job so that its failure undoes it alone: `only`, the whole transaction. ROWD_OK, but no transaction
 * any more: it has to be run again. */
static enum rowd_code run_apart(struct worker *w, struct job *job, bool only, struct err *err)
{
	struct request req;
	struct err ignored;
	const char *missing;
	bool single;
	enum rowd_code rc = runner_decode(&w->runner, job->op, job->params, job->params_len, &req, err);

	if (rc)
		return rc;
	missing = runner_missing_table(w->conn, &req);
	if (missing)
		return make_table(w, missing, err);
	single = exec_is_single_statement(&req) && !req.options[OPT_REQUEST_ID];
	if (!single && !only) {
		rc = savepoint(w, SAVEPOINT_SET, err);
		if (rc)
			return rc;
	}
	rc = worker_run_request(w, job, &req, err);
	if (single || (rc && !db_in_transaction(w->conn)))
		return rc;
	if (only) {
		if (rc)
			db_rollback(w->conn);
		return rc;
	}
	err_init(&ignored);
	if (rc && savepoint(w, SAVEPOINT_ROLLBACK, &ignored))
		db_rollback(w->conn);         /* the others of the group are run again */
	else if (savepoint(w, SAVEPOINT_RELEASE, rc ? &ignored : err) && !rc)
		rc = err->code;
	return rc;
}

static enum rowd_code group_commit(struct worker *w, bool any_applied, struct err *err)
{
	if (any_applied)
		return db_commit(w->conn, err);
	db_rollback(w->conn);
	return ROWD_OK;
}

/* rc: what became of the commit. Those that failed before it know why. */
static void group_answer(struct worker *w, struct job_queue *ran, enum rowd_code rc, const struct err *err)
{
	for (struct job *job = ran->head; job; job = job->next)
		if (rc && !job->code)
			job_fail(job, err);
	worker_complete_all(w, ran);
}

static enum rowd_code run_next(struct worker *w, struct group *g, struct job *job, struct err *err)
{
	err_init(err);
	buf_clear(&job->out);
	job->code = ROWD_OK;
	if (!worker_current_set(w, job, job->deadline_ns))
		return err_set(err, ROWD_E_CANCELLED, "cancelled before it began");
	return run_apart(w, job, !g->ran.head && !g->waiting.head, err);
}

/* Run what waits until the group is whole, or too old. False: the transaction was lost on the way. */
static bool group_run(struct worker *w, struct group *g)
{
	struct job *job, *culprit = NULL;
	struct err err;
	bool stands = true;

	while (stands && (job = job_queue_pop(&g->waiting))) {
		enum rowd_code rc = run_next(w, g, job, &err);

		if (rc)
			job_fail(job, &err);
		g->any_applied |= !rc;
		stands = db_in_transaction(w->conn);
		if (rc && !stands)
			culprit = job;
		else
			job_queue_push(&g->ran, job);
		if (clock_ns() - g->began_ns > GROUP_MAX_NS)
			break;
	}
	worker_current_clear(w);
	if (culprit)
		worker_complete(w, culprit);
	return stands;
}

/*
 * Carry out a group: one transaction, or more when it grows too old, or when the database threw a
 * transaction away under us (disk full, a write that was interrupted): then all but the one that had
 * it thrown away are run again.
 */
void worker_write_group(struct worker *w, struct job_queue *jobs)
{
	struct group g;
	struct err err;

	job_queue_init(&g.waiting);
	job_queue_init(&g.ran);
	job_queue_append(&g.waiting, jobs);
	while (g.waiting.head) {
		err_init(&err);
		if (worker_connect(w, g.waiting.head, &err)) {
			worker_fail_all(w, &g.waiting, &err);
			return;
		}
		db_conn_watch(w->conn)->deadline_ns = g.waiting.head->deadline_ns;
		if (db_begin(w->conn, DB_TX_WRITE, &err)) {
			worker_fail(w, job_queue_pop(&g.waiting), &err);
			continue;
		}
		g.began_ns = clock_ns();
		g.any_applied = false;
		if (group_run(w, &g)) {
			enum rowd_code rc = group_commit(w, g.any_applied, &err);

			group_answer(w, &g.ran, rc, &err);
		} else {
			db_rollback(w->conn);
			job_queue_append(&g.ran, &g.waiting);
			job_queue_append(&g.waiting, &g.ran);
		}
	}
}

/* ---- alone ---- */

/* Is it without a transaction, as a change of the schema is that the database ends any for? */
static bool is_bare(const struct worker *w, const struct job *job)
{
	return job->op->place == PLACE_BARE ||
	       (job->op->place == PLACE_SCHEMA && !(w->lane->db->driver->caps & CAP_DDL_IN_TX));
}

static enum rowd_code begin_alone(struct worker *w, const struct job *job, bool doubtful, struct err *err)
{
	if (is_bare(w, job))
		return db_reload(w->conn, err);
	if (doubtful)
		db_doubt_schema(w->conn);
	return db_begin(w->conn, job->op->id == OP_ATOMIC ? DB_TX_SERIALIZABLE : DB_TX_WRITE, err);
}

static enum rowd_code run_alone_once(struct worker *w, struct job *job, bool doubtful, struct err *err)
{
	const char *missing = NULL;
	struct request req;
	enum rowd_code rc = ROWD_OK;

	if (!job->work)
		rc = runner_decode(&w->runner, job->op, job->params, job->params_len, &req, err);
	if (rc)
		return rc;
	buf_clear(&job->out);
	if (!worker_current_set(w, job, job->deadline_ns))
		return err_set(err, ROWD_E_CANCELLED, "cancelled before it began");
	do {
		if (missing)
			rc = make_table(w, missing, err);
		if (!rc)
			rc = begin_alone(w, job, doubtful, err);
	} while (!rc && !job->work && (missing = runner_missing_table(w->conn, &req)));
	if (!rc)
		rc = worker_run_request(w, job, &req, err);
	worker_current_clear(w);
	if (rc || is_bare(w, job)) {
		db_rollback(w->conn);
		return rc;
	}
	return db_commit(w->conn, err);
}

/* With a schema that is as it is known to be, unless that matters. */
static enum rowd_code run_alone(struct worker *w, struct job *job, struct err *err)
{
	enum rowd_code rc = run_alone_once(w, job, false, err);

	if (is_bare(w, job) || !worker_doubts_schema(w, job, rc))
		return rc;
	err_init(err);
	return run_alone_once(w, job, true, err);
}

/* A change of the schema that was lost may have happened; a chunk of a purge has its own way to go on. */
static bool may_be_tried_again(const struct worker *w, enum rowd_code rc, const struct job *job)
{
	bool leaves_something = job->work || job->op->place == PLACE_BARE || job->op->place == PLACE_SCHEMA;

	return rc == ROWD_E_BUSY || (!leaves_something && worker_is_lost(w, rc, job));
}

void worker_write_alone(struct worker *w, struct job *job)
{
	struct err err;
	enum rowd_code rc = ROWD_E_BUSY;

	for (unsigned attempt = 0; attempt < WORKER_TRIES && may_be_tried_again(w, rc, job); attempt++) {
		err_init(&err);
		if (attempt)
			nanosleep(&(struct timespec){ .tv_nsec = (1 + random() % (5L << attempt)) * NS_PER_MS }, NULL);
		rc = worker_connect(w, job, &err);
		if (!rc)
			rc = run_alone(w, job, &err);
		if (clock_ns() > job->deadline_ns)
			break;
	}
	if (rc)
		job_fail(job, &err);
	else
		job->code = ROWD_OK;
	worker_complete(w, job);
}

/* ---- together ---- */

/*
 * On a server every commit is a round trip and a wait for its disk. One transaction serves several writes
 * as long as it stands; when it is lost (a deadlock, somebody's lock that is not given soon, a connection
 * that is gone) nothing has been answered, and each is carried out by itself as if it had always been alone,
 * by whichever worker has time.
 */
struct together {
	struct job_queue ran;      /* code says how each went; to be answered after the commit */
	struct job_queue alone;    /* to be carried out by themselves */
	bool any_applied;
};

/* Is it one statement, which undoes itself when it fails? */
static bool goes_together(struct worker *w, struct job *job, struct request *req)
{
	struct err ignored;

	err_init(&ignored);
	return !runner_decode(&w->runner, job->op, job->params, job->params_len, req, &ignored) &&
	       exec_is_single_statement(req);
}

static void run_one(struct worker *w, struct together *t, struct job *job)
{
	int64_t patience = clock_ns() + TOGETHER_PATIENCE_NS;
	struct request req;
	struct err err;
	enum rowd_code rc;

	if (!goes_together(w, job, &req)) {
		job_queue_push(&t->alone, job);
		return;
	}
	err_init(&err);
	buf_clear(&job->out);
	if (worker_current_set(w, job, job->deadline_ns < patience ? job->deadline_ns : patience))
		rc = worker_run_request(w, job, &req, &err);
	else
		rc = err_set(&err, ROWD_E_CANCELLED, "cancelled before it began");
	worker_current_clear(w);
	if (worker_doubts_schema(w, job, rc)) {
		job_queue_push(&t->alone, job);
		return;
	}
	job->code = ROWD_OK;
	if (rc)
		job_fail(job, &err);
	t->any_applied |= !rc;
	job_queue_push(&t->ran, job);
}

/* The deletes among the jobs as one; those that do not go with the others stay. False: the transaction is lost. */
static bool run_deletes(struct worker *w, struct together *t, struct job_queue *jobs)
{
	bool answered[WORKER_SHARE] = { false };
	struct job_queue deletes, rest;
	struct err ignored;
	struct job *job;
	size_t i = 0;
	enum rowd_code rc = ROWD_OK;

	job_queue_init(&deletes);
	job_queue_init(&rest);
	while ((job = job_queue_pop(jobs)))
		job_queue_push(job->op->id == OP_DELETE ? &deletes : &rest, job);
	err_init(&ignored);
	if (deletes.count > 1)
		rc = worker_run_together(w, &deletes, clock_ns() + TOGETHER_PATIENCE_NS, answered, &ignored);
	while ((job = job_queue_pop(&deletes))) {
		t->any_applied |= answered[i];
		job_queue_push(answered[i++] ? &t->ran : jobs, job);
	}
	job_queue_append(jobs, &rest);
	return !rc;
}

/* False: it is known that nothing was applied, for a reason that may be gone next time. */
static bool commit_together(struct worker *w, struct together *t)
{
	struct err err;
	enum rowd_code rc;

	err_init(&err);
	rc = group_commit(w, t->any_applied, &err);
	if (rc == ROWD_E_BUSY || rc == ROWD_E_UNAVAILABLE)
		return false;
	group_answer(w, &t->ran, rc, &err);
	return true;
}

/* Those that there is no time for stay in jobs: other workers may have some. False: nothing was answered. */
static bool run_together(struct worker *w, struct together *t, struct job_queue *jobs)
{
	int64_t began_ns = clock_ns();
	struct err ignored;
	struct job *job;
	bool stands;

	err_init(&ignored);
	stands = !db_begin(w->conn, DB_TX_WRITE, &ignored) && run_deletes(w, t, jobs) && db_in_transaction(w->conn);
	while (stands && clock_ns() - began_ns < GROUP_MAX_NS && (job = job_queue_pop(jobs))) {
		run_one(w, t, job);
		stands = db_in_transaction(w->conn);
	}
	return stands && commit_together(w, t);
}

void worker_write_together(struct worker *w, struct job_queue *jobs)
{
	struct together t = { .any_applied = false };
	struct err err;

	err_init(&err);
	if (worker_connect(w, jobs->head, &err)) {
		worker_fail_all(w, jobs, &err);
		return;
	}
	job_queue_init(&t.ran);
	job_queue_init(&t.alone);
	if (!run_together(w, &t, jobs)) {
		db_rollback(w->conn);
		w->together_after_ns = clock_ns() + TOGETHER_PAUSE_NS;
	}
	job_queue_append(&t.ran, &t.alone);
	job_queue_append(&t.ran, jobs);
	lane_put_back(w->lane, &t.ran);
}
