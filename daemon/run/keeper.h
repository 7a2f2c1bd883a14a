/*
 * The keeper of purges: sees to it that every job that is running in a database is being run, after a
 * restart too. Each has a thread that takes its steps, one after the other, as requests to the database's
 * lanes like any other's; all state is in the database.
 */
#ifndef ROWD_RUN_KEEPER_H
#define ROWD_RUN_KEEPER_H

#include "daemon/run/job.h"

struct keeper;
struct server;

/* Starts its thread, which looks for jobs to go on with. ROWD_E_NO_RESOURCE. */
ROWD_MUST_CHECK enum rowd_code keeper_start(struct server *s, struct keeper **out, struct err *err);

/* Let every job's chunk be the last (or undo it, in a hurry), and answer those who follow; the jobs go on at
 * the next start. Does not wait: a chunk may be waiting for a client whose loop has called this. NULL is fine,
 * and twice. */
void keeper_stop(struct keeper *k, bool hurry);

/* Wait until all is at rest, while the lanes still work. NULL is fine. */
void keeper_free(struct keeper *k);

/* A job of the database was made or changed: look. Any thread; NULL is fine. */
void keeper_wake(struct keeper *k, struct database *d);

/* Answer this request when the purge is over, and tell of its progress until then. The request is
 * borrowed until it comes back by loop_complete. Thread: its loop's. */
void keeper_follow(struct keeper *k, struct job *request, int64_t purge);

/* Answer it now, as cancelled. False when its answer is on its way. Thread: its loop's. */
bool keeper_unfollow(struct keeper *k, struct job *request);

#endif
