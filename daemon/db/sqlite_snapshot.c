/*
 * Is what a reader's transaction sees still the newest? To end it and to begin another costs two locks and four
 * statements; to see that nobody has committed meanwhile, a glance at memory that all who use the file share: the
 * head of the log's index, which every commit changes before it is acknowledged.
 *
 * The layout is part of the file format: https://www.sqlite.org/walformat.html, "WAL-Index Format". Two copies of a head
 * of 48 bytes, and how much of the log is in the database already. That counts as well: who began before all of it was
 * holds up the log's new beginning, who begins afterwards does not.
 */
#include "config.h"

#include "daemon/db/sqlite_private.h"

enum {
	INDEX_REGION_BYTES = 32768,
	COPIED_WORD = SQLITE_INDEX_WORDS - 1, /* how much of the log is in the database */
	COPYING_LOCK = 1                      /* WAL_CKPT_LOCK: who changes that holds it */
};

/* The index of a database in WAL mode, once a transaction has read; it stays in its place until the connection is closed. */
static volatile uint32_t *find_index(sqlite3 *db, sqlite3_file **file_out)
{
	sqlite3_file *file = NULL;
	volatile void *index = NULL;

	if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || !file->pMethods ||
	    file->pMethods->iVersion < 2 || !file->pMethods->xShmMap ||
	    file->pMethods->xShmMap(file, 0, INDEX_REGION_BYTES, 0, &index) != SQLITE_OK)
		return NULL;
	*file_out = file;
	return index;
}

void sqlite_snapshot_begins(struct sqlite_conn *c)
{
	for (int i = 0; c->index && i < SQLITE_INDEX_WORDS; i++)
		c->index_seen[i] = c->index[i];
	atomic_thread_fence(memory_order_seq_cst);    /* a commit after this is seen to have come after it */
	c->index_is_seen = c->index != NULL;
}

void sqlite_snapshot_begun(struct sqlite_conn *c)
{
	sqlite3_file *file;

	if (!c->index)
		c->index = find_index(c->db, &file);
}

uint32_t sqlite_index_copied(struct sqlite_conn *c)
{
	sqlite_snapshot_begun(c);
	return c->index ? c->index[COPIED_WORD] : 0;
}

bool sqlite_index_copy_again(sqlite3 *db)
{
	sqlite3_file *file;
	volatile uint32_t *index = find_index(db, &file);

	if (!index ||
	    file->pMethods->xShmLock(file, COPYING_LOCK, 1, SQLITE_SHM_LOCK | SQLITE_SHM_EXCLUSIVE) != SQLITE_OK)
		return false;
	index[COPIED_WORD] = 0;
	file->pMethods->xShmLock(file, COPYING_LOCK, 1, SQLITE_SHM_UNLOCK | SQLITE_SHM_EXCLUSIVE);
	return true;
}

bool sqlite_snapshot_is_newest(void *conn)
{
	struct sqlite_conn *c = conn;

	if (!c->index_is_seen)
		return false;
	for (int i = 0; i < SQLITE_INDEX_WORDS; i++)
		if (c->index[i] != c->index_seen[i])
			return false;
	return true;
}
