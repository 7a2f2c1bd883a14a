/*
 * The log's pages go into the database beside the writer. SQLite does that within the commit that makes the log too
 * long, and everybody waits for some thousand pages that are written all over the file, and synced. Here a thread of
 * the writer's does it, with a connection of its own, while the writer goes on; what has come meanwhile it takes in
 * another pass. The little that remains in the end is the writer's: only where nothing is left to copy does the log
 * begin anew, which is when its space is used again.
 *
 * Pages that could not be synced are lost where the kernel has them marked as written, and the next sync finds nothing
 * wrong. So after any failure the whole log is copied again before it may begin anew.
 *
 * A log that is somewhat longer is worth it: of the pages in it more are there several times, or are neighbours, and
 * go to the disk as one.
 */
#include "config.h"

#include <stdlib.h>

#include "base/thread.h"
#include "daemon/db/sqlite_private.h"

enum {
	LOG_FRAMES = SQLITE_LOG_FRAMES, /* a longer log is copied */
	LITTLE_LEAST = 100,             /* the writer's part: what two commits write, within these bounds */
	LITTLE_MOST = 1000,
	MUCH_FRAMES = 12000,            /* the log may have while it is copied: then the writer waits, */
	MUCH_WAIT_MS = 50,              /* so long after each commit, or times the square of how many times as long it is */
	TIMES_MOST = 8,
	HELD_UP_MS = 10                 /* by somebody who reads old pages: until the next try */
};

struct sqlite_checkpointer {
	sqlite3 *db;            /* owned; the thread's; NULL until there is one */
	pthread_t thread;
	bool in_doubt;          /* what was copied may not be on the disk; of whoever copies */
	pthread_mutex_t lock;   /* guards the following */
	pthread_cond_t changed;
	bool asked;             /* the thread is at it, or about to be */
	bool held_up;           /* asked, but it waits until it makes sense again */
	bool awaited;           /* it is to end after this pass */
	bool stopping;
	int little;             /* frames that may remain */
	int frames;             /* in the log after the last commit; the writer's own */
};

/* SQLite syncs the database only when nothing is left to copy: that would be the writer's to wait for. */
static bool sync_database(sqlite3 *db)
{
	sqlite3_file *file = NULL;

	return sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK && file->pMethods &&
	       file->pMethods->xSync(file, SQLITE_SYNC_NORMAL) == SQLITE_OK;
}

/* Make sure that all is copied again, if any of it is in doubt. False: not now. */
static bool settle(struct sqlite_checkpointer *p, sqlite3 *db)
{
	if (p->in_doubt && sqlite_index_copy_again(db))
		p->in_doubt = false;
	return !p->in_doubt;
}

/*
 * What the log holds now; on its way to the disk, or there (beside). False: not all of it could be, see HELD_UP_MS; or
 * the disk does not take it. Not by two at a time.
 */
static bool copy(struct sqlite_checkpointer *p, sqlite3 *db, bool beside, int *copied_out)
{
	int frames = 0, rc;

	*copied_out = 0;
	if (!settle(p, db))
		return false;
	rc = sqlite3_wal_checkpoint_v2(db, "main", SQLITE_CHECKPOINT_PASSIVE, &frames, copied_out);
	if ((rc & 0xff) == SQLITE_BUSY)
		return false;
	p->in_doubt = rc != SQLITE_OK || (beside && !sync_database(db));
	if (!p->in_doubt)
		return *copied_out >= frames;
	settle(p, db);
	return false;
}

/* As many came while so many were copied, about. */
static bool is_worth_another(struct sqlite_checkpointer *p, int frames)
{
	bool is_worth;

	pthread_mutex_lock(&p->lock);
	is_worth = frames > p->little && !p->awaited && !p->stopping;
	pthread_mutex_unlock(&p->lock);
	return is_worth;
}

/* Passes, until a little is left. False: held up. */
static bool copy_beside(struct sqlite_checkpointer *p)
{
	int copied = 0, before;
	bool all;

	do {
		before = copied;
		all = copy(p, p->db, true, &copied);
	} while (all && is_worth_another(p, copied - before));
	return all;
}

static void *serve(void *arg)
{
	struct sqlite_checkpointer *p = arg;
	struct timespec until;
	bool all;

	pthread_mutex_lock(&p->lock);
	while (!p->stopping) {
		if (!p->asked) {
			pthread_cond_wait(&p->changed, &p->lock);
			continue;
		}
		pthread_mutex_unlock(&p->lock);
		all = copy_beside(p);
		pthread_mutex_lock(&p->lock);
		p->held_up = !all;
		pthread_cond_broadcast(&p->changed);
		until = clock_timespec(clock_ns() + HELD_UP_MS * NS_PER_MS);
		while (p->held_up && !p->stopping)
			if (pthread_cond_timedwait(&p->changed, &p->lock, &until))
				p->held_up = false;
		p->asked = false;
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

/* ---- the writer's side ---- */

static bool open_beside(struct sqlite_checkpointer *p, const char *path)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_PRIVATECACHE;
	int rc = sqlite3_open_v2(path, &p->db, flags, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_exec(p->db, "PRAGMA synchronous=FULL", NULL, NULL, NULL);
	if (rc == SQLITE_OK)
		rc = pthread_create(&p->thread, NULL, serve, p);
	if (rc == SQLITE_OK)
		return true;
	sqlite3_close(p->db);
	p->db = NULL;
	return false;
}

/* With the lock held. False: there is no thread to be had. */
static bool ask(struct sqlite_checkpointer *p, const char *path)
{
	if (!p->db && !open_beside(p, path))
		return false;
	p->asked = true;
	pthread_cond_broadcast(&p->changed);
	return true;
}

/* With the lock held: nobody copies any more. */
static void await(struct sqlite_checkpointer *p)
{
	p->awaited = true;
	while (p->asked && !p->held_up)
		pthread_cond_wait(&p->changed, &p->lock);
	p->awaited = false;
}

/* With the lock held: the longer the log, the longer the writer waits. Is the thread done? */
static bool give_time(struct sqlite_checkpointer *p, int frames)
{
	int64_t share = frames < TIMES_MOST * MUCH_FRAMES ? frames : TIMES_MOST * MUCH_FRAMES;
	int64_t wait_ns = MUCH_WAIT_MS * NS_PER_MS * share / MUCH_FRAMES * share / MUCH_FRAMES;
	struct timespec until = clock_timespec(clock_ns() + wait_ns);

	while (p->asked && !p->held_up)
		if (pthread_cond_timedwait(&p->changed, &p->lock, &until))
			break;
	return !p->asked;
}

static int little(int commit_frames)
{
	return commit_frames < LITTLE_LEAST / 2 ? LITTLE_LEAST :
	       commit_frames > LITTLE_MOST / 2	? LITTLE_MOST :
						  2 * commit_frames;
}

static void attend(struct sqlite_conn *c, int frames)
{
	struct sqlite_checkpointer *p = c->checkpointer;
	bool is_second = p->frames > LOG_FRAMES;    /* else the thread had no chance yet */
	int copied;

	pthread_mutex_lock(&p->lock);
	p->little = little(frames - p->frames);
	if (!p->asked && (frames - (int)sqlite_index_copied(c) <= p->little ||
			  !ask(p, sqlite3_db_filename(c->db, "main"))))
		copy(p, c->db, false, &copied);
	else if (is_second && frames > MUCH_FRAMES && give_time(p, frames))
		copy(p, c->db, false, &copied);
	pthread_mutex_unlock(&p->lock);
}

/* What SQLite calls when a commit is durable: https://www.sqlite.org/c3ref/wal_hook.html */
static int after_commit(void *conn, sqlite3 *db, const char *schema, int frames)
{
	struct sqlite_conn *c = conn;

	(void)db, (void)schema;
	if (frames >= LOG_FRAMES)
		attend(c, frames);
	c->checkpointer->frames = frames;
	return SQLITE_OK;
}

bool sqlite_checkpoint_install(struct sqlite_conn *c)
{
	struct sqlite_checkpointer *p = calloc(1, sizeof *p);

	if (!p)
		return false;
	pthread_mutex_init(&p->lock, NULL);
	cond_init_monotonic(&p->changed);
	c->checkpointer = p;
	sqlite3_wal_hook(c->db, after_commit, c);
	return true;
}

void sqlite_checkpoint_now(struct sqlite_conn *c)
{
	struct sqlite_checkpointer *p = c->checkpointer;
	int copied;

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	await(p);
	copy(p, c->db, false, &copied);
	pthread_mutex_unlock(&p->lock);
}

void sqlite_checkpoint_end(struct sqlite_conn *c)
{
	struct sqlite_checkpointer *p = c->checkpointer;

	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->stopping = true;
	pthread_cond_broadcast(&p->changed);
	pthread_mutex_unlock(&p->lock);
	if (p->db) {
		pthread_join(p->thread, NULL);
		sqlite3_close(p->db);
	}
	settle(p, c->db);
	pthread_cond_destroy(&p->changed);
	pthread_mutex_destroy(&p->lock);
	free(p);
}
