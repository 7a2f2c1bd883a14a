/*
 * Everything one running rowd is made of: the databases with their lanes, the loops, the config.
 * Made in main.c before any thread, taken down after the last one.
 */
#ifndef ROWD_SERVER_H
#define ROWD_SERVER_H

#include "daemon/config.h"
#include "daemon/db/db.h"
#include "daemon/run/lane.h"

struct keeper;
struct loop;

/* A database as rowd serves it. */
struct database {
	struct db db;
	unsigned index;               /* in server->databases */
	_Atomic int64_t max_rows;     /* cap on deletes and updates; -1: none */
	atomic_bool paused;           /* by an administrator: takes no new requests */
	struct lane writer;           /* the only one, for a database without CAP_ONE_WRITER */
	struct lane reader;           /* used only with CAP_ONE_WRITER */
};

struct server {
	_Atomic(struct config *) config;  /* the newest; older ones live until the end (see retired) */
	struct config **retired;          /* owned */
	unsigned nretired;
	struct database *databases;       /* owned; the first is the default one */
	unsigned ndatabases;
	struct keeper *keeper;            /* owned; NULL before it is started */
	struct loop **loops;              /* owned; loops[0] is the main thread's */
	unsigned nloops;
	int64_t started_ns;
	atomic_bool draining;             /* SIGTERM came: finish what is in flight */
	atomic_bool hurry;                /* do not wait for it */
	atomic_uint nclients;
};

/* The lane that takes reads which do not run in line. */
static inline struct lane *database_reader(struct database *d)
{
	return d->db.driver->caps & CAP_ONE_WRITER ? &d->reader : &d->writer;
}

/* By name; NULL when there is none. */
struct database *server_database(struct server *s, const char *name, size_t len);

static inline const struct config *server_config(struct server *s)
{
	return atomic_load_explicit(&s->config, memory_order_acquire);
}

/* Databases and lanes of a config; SQLite's writers are opened here, so that a file that cannot be
 * used is told at start. */
ROWD_MUST_CHECK enum rowd_code server_open(struct server *s, struct config *config, struct err *err);

/* Stop the lanes, close the databases, free all. The loops must have ended. */
void server_close(struct server *s);

/* Read the config again, keep the old one when it is wrong. Logs what came of it. Thread: the main thread. */
enum rowd_code server_reload(struct server *s, struct err *err);

#endif
