#include "config.h"

#include "client/ctl/progress.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 512, LINE_COLUMNS = 80, BAR_LEAST = 10, BAR_MOST = 40 };

void progress_count(struct buf *b, int64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof digits, "%lld", (long long)n);

	for (int i = 0; i < len; i++) {
		buf_add_char(b, digits[i]);
		if ((len - i) % 3 == 1 && i + 1 < len && digits[i] != '-')
			buf_add_char(b, ',');
	}
}

void progress_time(struct buf *b, int64_t ms)
{
	long long s = (ms + 500) / 1000;

	if (ms < 9950)
		buf_addf(b, "%.1f s", (double)ms / 1000);
	else if (s < 60)
		buf_addf(b, "%lld s", s);
	else if (s < 3600)
		buf_addf(b, "%lld:%02lld min", s / 60, s % 60);
	else
		buf_addf(b, "%lld:%02lld:%02lld h", s / 3600, s / 60 % 60, s % 60);
}

/* The whole is not told: it is what is deleted, and what the rate deletes in the time left. */
static double share(const struct progress *p)
{
	double left = (double)p->rate * (double)p->eta_ms / 1000, all = (double)p->deleted + left;

	return p->eta_ms < 0 || p->rate < 0 || p->deleted < 0 ? -1 : all > 0 ? (double)p->deleted / all : 1;
}

static void write_numbers(struct buf *b, const struct progress *p)
{
	progress_count(b, p->deleted < 0 ? 0 : p->deleted);
	buf_add_str(b, " deleted");
	if (p->rate >= 0) {
		buf_add_str(b, "  ");
		progress_count(b, p->rate);
		buf_add_str(b, "/s");
	}
	if (p->eta_ms >= 0) {
		buf_add_str(b, "  ");
		progress_time(b, p->eta_ms);
		buf_add_str(b, " left");
	}
}

void progress_line(struct buf *b, const struct progress *p, size_t columns)
{
	double done = share(p);
	size_t room, width;
	struct buf numbers;

	buf_init(&numbers, LINE_MAX_BYTES);
	write_numbers(&numbers, p);
	room = columns > numbers.len + 10 ? columns - numbers.len - 10 : 0; /* brackets, percents, blanks */
	width = room > BAR_MOST ? BAR_MOST : room;
	if (done >= 0 && width >= BAR_LEAST) {
		buf_add_char(b, '[');
		for (size_t i = 0; i < width; i++)
			buf_add_char(b, (double)i < done * (double)width ? '#' : '-');
		buf_addf(b, "] %3d%%  ", (int)(done * 100));
	}
	buf_add(b, numbers.data, numbers.len);
	buf_fini(&numbers);
}

static size_t terminal_columns(void)
{
	struct winsize size;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) || size.ws_col == 0)
		return LINE_COLUMNS;
	return size.ws_col;
}

void progress_draw(const struct progress *p)
{
	size_t columns = terminal_columns();
	struct buf line;

	buf_init(&line, LINE_MAX_BYTES);
	progress_line(&line, p, columns - 1);
	if (!line.failed)
		fprintf(stderr, "\r%-*.*s", (int)columns - 1, (int)line.len, line.data);
	buf_fini(&line);
}

void progress_wipe(void)
{
	fprintf(stderr, "\r%*s\r", (int)terminal_columns() - 1, "");
}
