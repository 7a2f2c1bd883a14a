/*
 * The file that keeps what a purge deletes: a sequence of MessagePack values, one for each chunk,
 *
 *     [job, rows before this chunk, [row, ...], checksum]
 *
 * each row a map from column to value, the checksum 16 bytes: the FNV-1a of 128 bits of the encoded array
 * of rows. A chunk is on disk before its rows are deleted; what a lost transaction left behind is cut off
 * before the next chunk is written, or when the job comes to rest. So the file holds exactly what was deleted.
 *
 * Thread: any, one at a time for one file.
 */
#ifndef ROWD_EXEC_ARCHIVE_H
#define ROWD_EXEC_ARCHIVE_H

#include "base/buf.h"
#include "base/err.h"

/* The directory of archives, once at start, before there are other threads; borrowed. "" : none. */
void archive_set_directory(const char *path);

/* ROWD_E_UNSUPPORTED without a directory, BAD_REQUEST for a name that is more than a file's name. */
ROWD_MUST_CHECK enum rowd_code archive_check_name(const char *name, size_t len, struct err *err);

/* Make the file; one that exists and has something in it is ROWD_E_BAD_REQUEST. */
ROWD_MUST_CHECK enum rowd_code archive_create(const char *name, struct err *err);

/*
 * Write chunk behind the first at bytes of the file, and see to it that it is on disk. *end_out: the length
 * then. ROWD_E_STORAGE_FULL, ROWD_E_INTERNAL.
 */
ROWD_MUST_CHECK enum rowd_code archive_append(const char *name, int64_t at, const struct buf *chunk,
					      int64_t *end_out, struct err *err);

/* Cut off what stands behind the first at bytes. ROWD_E_INTERNAL. */
ROWD_MUST_CHECK enum rowd_code archive_trim(const char *name, int64_t at, struct err *err);

#endif
