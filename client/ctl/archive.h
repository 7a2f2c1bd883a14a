/*
 * Reading what a purge has kept: the file that daemon/exec/archive.h describes, chunk by chunk, each
 * checked before a row of it is handed out.
 *
 * Thread: an archive belongs to one thread at a time.
 */
#ifndef ROWD_CTL_ARCHIVE_H
#define ROWD_CTL_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct archive {
	const char *data; /* owned; the whole file, mapped */
	size_t len, at;   /* at: what is to be read next */
	uint64_t chunk;   /* in hand, from 1 */
	uint32_t left;    /* rows of it not yet handed out */
	uint64_t row;     /* in hand, from 1 */
};

enum archive_status { ARCHIVE_ROW, ARCHIVE_END, ARCHIVE_ERROR };

/* Map the file. Reports; false then. archive_close in any case. */
bool archive_open(struct archive *a, const char *path);
void archive_close(struct archive *a);

/* The next row, an encoded map, borrowed until archive_close. ARCHIVE_ERROR: reported. */
enum archive_status archive_next(struct archive *a, const char **row_out, size_t *len_out);

#endif
