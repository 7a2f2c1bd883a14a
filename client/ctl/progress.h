/*
 * How far a purge is, on one line of the terminal.
 */
#ifndef ROWD_CTL_PROGRESS_H
#define ROWD_CTL_PROGRESS_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* What a job says of itself; -1 for what it does not know. */
struct progress {
	int64_t deleted, elapsed_ms, rate, eta_ms; /* rate: rows in a second */
};

/* "[#####-----]  50%  1,234 deleted  617/s  2 s left" for a line of so many columns. Pure. */
void progress_line(struct buf *b, const struct progress *p, size_t columns);

/* "1,234,567" */
void progress_count(struct buf *b, int64_t n);

/* "0.4 s", "12 s", "3:07 min", "2:03:07 h" */
void progress_time(struct buf *b, int64_t ms);

/* Draw the line over the last one on stderr; wipe it. */
void progress_draw(const struct progress *p);
void progress_wipe(void);

#endif
