/*
 * Sums that are exact: as databases tell them, in text, and what is computed from them.
 *
 * Pure. Thread: any.
 */
#ifndef ROWD_EXEC_SUM_H
#define ROWD_EXEC_SUM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

__extension__ typedef __int128 sum_int;

/* "-123" -> *out. False when it is no number, or of 38 digits or more. */
bool sum_parse(const char *s, size_t len, sum_int *out);

/* False when it does not fit. */
bool sum_to_int64(sum_int sum, int64_t *out);

/* The double nearest to sum / (count * 10^scale), of two as near the even one. count > 0, scale <= 18. */
double sum_average(sum_int sum, int64_t count, uint8_t scale);

#endif
