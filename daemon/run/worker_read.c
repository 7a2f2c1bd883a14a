#include "config.h"

#include "base/clock.h"
#include "daemon/run/worker_private.h"

/* ---- one ---- */

/* Most reads are one statement, and need no snapshot for several. */
static enum db_tx_mode read_mode(const struct op *op)
{
	switch (op->id) {
	case OP_GET:
	case OP_SELECT:
	case OP_COUNT:
	case OP_EXISTS:
	case OP_AGGREGATE:
		return DB_TX_READ_ONE;
	default:
		return DB_TX_READ;
	}
}

static bool shows_schema(const struct op *op)
{
	return op->id == OP_TABLES || op->id == OP_DESCRIBE;
}

static enum rowd_code read_once(struct worker *w, struct job *job, bool doubtful, struct err *err)
{
	enum rowd_code rc = worker_connect(w, job, err);

	if (rc)
		return rc;
	if (doubtful)
		db_doubt_schema(w->conn);
	if (!worker_current_set(w, job, job->deadline_ns))
		rc = err_set(err, ROWD_E_CANCELLED, "cancelled before it began");
	else
		rc = db_begin(w->conn, read_mode(job->op), err);
	if (!rc)
		rc = worker_run_request(w, job, NULL, err);
	worker_current_clear(w);
	db_rollback(w->conn);
	return rc;
}

/* With a schema that is as it is known to be, unless that matters. */
static enum rowd_code read_one(struct worker *w, struct job *job, struct err *err)
{
	bool doubtful = shows_schema(job->op);
	enum rowd_code rc = read_once(w, job, doubtful, err);

	if (doubtful || w->kept || !worker_doubts_schema(w, job, rc))
		return rc;
	err_init(err);
	return read_once(w, job, true, err);
}

void worker_read(struct worker *w, struct job *job)
{
	struct err err;
	enum rowd_code rc;
	unsigned tries = 0;

	do {
		err_init(&err);
		rc = read_one(w, job, &err);
		/* a worker that is kept has sent rows already */
	} while (worker_is_lost(w, rc, job) && !w->kept && ++tries < WORKER_TRIES);
	worker_keep(w, false);
	if (rc)
		job_fail(job, &err);
	else
		job->code = ROWD_OK;
	worker_complete(w, job);
}

/* ---- gets ---- */

static int64_t first_deadline(const struct job_queue *jobs)
{
	int64_t first = INT64_MAX;

	for (const struct job *job = jobs->head; job; job = job->next)
		if (job->deadline_ns < first)
			first = job->deadline_ns;
	return first;
}

/* What goes wrong is said when each is read by itself. */
static void read_together(struct worker *w, struct job_queue *jobs, bool *answered)
{
	struct err ignored;
	enum rowd_code rc;

	err_init(&ignored);
	rc = db_begin(w->conn, DB_TX_READ_ONE, &ignored);
	if (!rc)
		rc = worker_run_together(w, jobs, first_deadline(jobs), answered, &ignored);
	(void)rc;
	db_rollback(w->conn);
}

void worker_read_together(struct worker *w, struct job_queue *jobs)
{
	bool answered[WORKER_SHARE] = { false };
	struct job_queue done, rest;
	struct err err;
	struct job *job;
	size_t i = 0;

	err_init(&err);
	if (worker_connect(w, jobs->head, &err)) {
		worker_fail_all(w, jobs, &err);
		return;
	}
	read_together(w, jobs, answered);
	job_queue_init(&done);
	job_queue_init(&rest);
	while ((job = job_queue_pop(jobs)))
		job_queue_push(answered[i++] ? &done : &rest, job);
	worker_complete_all(w, &done);
	while ((job = job_queue_pop(&rest)))
		worker_read(w, job);
}
