#include <config.h>

#include "daemon/log.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A pipe takes up to PIPE_BUF (4096) bytes whole or not at all, and so do we. */
enum { LINE_BYTES = 2048 };

static struct {
	pthread_mutex_t lock;      /* one poll() and its write() at a time */
	atomic_int level;
	atomic_uint_fast64_t dropped;
	bool journal;              /* stderr goes to systemd's journal */
} logger = { .lock = PTHREAD_MUTEX_INITIALIZER, .level = LOG_LEVEL_INFO };

static const struct {
	const char *name;
	int priority;              /* of syslog(3) */
} levels[] = {
	[LOG_LEVEL_ERROR] = { "error", 3 },
	[LOG_LEVEL_WARN] = { "warn", 4 },
	[LOG_LEVEL_INFO] = { "info", 6 },
	[LOG_LEVEL_DEBUG] = { "debug", 7 },
};

/* systemd says which file stderr was when it started us: "device:inode". */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t dev, ino;
	struct stat st;

	return stream && sscanf(stream, "%" SCNuMAX ":%" SCNuMAX, &dev, &ino) == 2 &&
	       fstat(STDERR_FILENO, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

void log_init(void)
{
	logger.journal = stderr_is_journal();
}

void log_set_level(enum log_level level)
{
	atomic_store(&logger.level, (int)level);
}

bool log_parse_level(const char *name, enum log_level *out)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(name, levels[i].name) == 0) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

bool log_enabled(enum log_level level)
{
	return (int)level <= atomic_load_explicit(&logger.level, memory_order_relaxed);
}

uint64_t log_dropped(void)
{
	return atomic_load(&logger.dropped);
}

/* What systemd or a person wants in front of a line. Returns its length. */
static size_t prefix_write(char *out, size_t cap, enum log_level level)
{
	struct timespec now;
	struct tm tm;
	char day[32];

	if (logger.journal)
		return (size_t)snprintf(out, cap, "<%d>", levels[level].priority);
	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(day, sizeof(day), "%Y-%m-%dT%H:%M:%S", &tm);
	return (size_t)snprintf(out, cap, "%s.%03ldZ %s ", day, now.tv_nsec / 1000000, levels[level].name);
}

/* One line, or nothing: stderr may be a full pipe that nobody reads any more. */
static bool line_write(const char *line, size_t len)
{
	struct pollfd ready = { .fd = STDERR_FILENO, .events = POLLOUT };
	ssize_t n = send(STDERR_FILENO, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0 && errno == ENOTSOCK && poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT))
		n = write(STDERR_FILENO, line, len);
	return n == (ssize_t)len;
}

/* A line is one line: no control character gets through, whoever wrote it. */
static void control_characters_mask(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
			text[i] = '?';
	}
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char line[LINE_BYTES];
	int saved_errno = errno;
	size_t start, len;
	va_list ap;
	int n;

	if (!log_enabled(level))
		return;
	start = prefix_write(line, sizeof(line), level);
	va_start(ap, fmt);
	n = vsnprintf(line + start, sizeof(line) - start, fmt, ap);
	va_end(ap);
	len = start + (n > 0 ? (size_t)n : 0);
	if (len >= sizeof(line)) {
		len = sizeof(line) - 1;
		memcpy(line + len - 3, "...", 3);
	}
	control_characters_mask(line + start, len - start);
	line[len++] = '\n';

	pthread_mutex_lock(&logger.lock);
	if (!line_write(line, len))
		atomic_fetch_add(&logger.dropped, 1);
	pthread_mutex_unlock(&logger.lock);
	errno = saved_errno;
}

/* The bytes of one character of text as they stand in a quoted one; out has room for 5. */
static size_t quoted_char(unsigned char c, char *out)
{
	static const char hex[] = "0123456789abcdef";

	if (c == '"' || c == '\\') {
		out[0] = '\\';
		out[1] = (char)c;
		return 2;
	}
	if (c >= 0x20 && c < 0x7f) {
		out[0] = (char)c;
		return 1;
	}
	out[0] = '\\';
	out[1] = 'x';
	out[2] = hex[c >> 4];
	out[3] = hex[c & 15];
	return 4;
}

const char *log_quote(const char *text, char *out, unsigned out_bytes)
{
	enum { TAIL = sizeof("...\"") };
	size_t used = 0, n;
	char piece[4];

	if (out_bytes < TAIL + 1) {
		if (out_bytes)
			out[0] = '\0';
		return out;
	}
	out[used++] = '"';
	for (; *text; text++) {
		n = quoted_char((unsigned char)*text, piece);
		if (used + n + TAIL > out_bytes) {
			memcpy(out + used, "...", 3);
			used += 3;
			break;
		}
		memcpy(out + used, piece, n);
		used += n;
	}
	out[used++] = '"';
	out[used] = '\0';
	return out;
}
