/*
 * One line for each decision, key=value, to stderr (with a priority prefix when systemd reads it,
 * else with a time). Text that comes from outside is escaped. Never a row's value.
 *
 * Thread: any. A line is written with one write(); when stderr would block the line is dropped and
 * counted rather than stopping the daemon.
 */
#ifndef ROWD_LOG_H
#define ROWD_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARN, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* Once at start: makes stderr's lines whole, finds out whether systemd reads them. */
void log_init(void);
void log_set_level(enum log_level level);
bool log_parse_level(const char *name, enum log_level *out);
bool log_enabled(enum log_level level);

/* what: "key=value ..." in the caller's own words; foreign text only through log_quote. */
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* text, quoted and escaped, cut to what fits; returns out. */
const char *log_quote(const char *text, char *out, unsigned out_bytes);

uint64_t log_dropped(void);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warn(...)  log_line(LOG_LEVEL_WARN, __VA_ARGS__)
#define log_info(...)  log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) do { if (log_enabled(LOG_LEVEL_DEBUG)) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__); } while (0)

#endif
