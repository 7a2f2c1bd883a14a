#include "config.h"

#include "daemon/log.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static int kept_stderr, reading;

/* stderr becomes a pipe; what is written there can be taken. */
static void capture(void)
{
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	kept_stderr = dup(STDERR_FILENO);
	assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
	close(ends[1]);
	reading = ends[0];
	fcntl(reading, F_SETFL, O_NONBLOCK);
}

static const char *captured(void)
{
	static char text[8192];
	ssize_t n = read(reading, text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void release(void)
{
	dup2(kept_stderr, STDERR_FILENO);
	close(kept_stderr);
	close(reading);
}

TEST(a_line_has_a_time_a_level_and_its_words)
{
	const char *line;

	capture();
	log_init();
	log_info("op=%s rows=%d", "delete", 3);
	line = captured();
	release();
	assert_non_null(strstr(line, "Z info op=delete rows=3\n"));
	assert_int_equal(line[4], '-');
	assert_int_equal(line[10], 'T');
}

TEST(for_the_journal_a_line_has_its_priority)
{
	const char *line;
	char stream[64];
	struct stat st;

	capture();
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
		 (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	log_init();
	log_error("what=broken");
	line = captured();
	unsetenv("JOURNAL_STREAM");
	log_init();
	release();
	assert_string_equal(line, "<3>what=broken\n");
}

TEST(levels_below_the_chosen_one_are_silent)
{
	const char *lines;

	capture();
	log_set_level(LOG_LEVEL_WARN);
	log_info("a=1");
	log_warn("b=2");
	lines = captured();
	log_set_level(LOG_LEVEL_INFO);
	release();
	assert_null(strstr(lines, "a=1"));
	assert_non_null(strstr(lines, "b=2"));
}

TEST(a_line_stays_one_line)
{
	const char *line;

	capture();
	log_info("name=%s", "a\nb\x1b[2Jc");
	line = captured();
	release();
	assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
	assert_null(strchr(line, '\x1b'));
}

TEST(a_line_too_long_is_cut)
{
	char *word = calloc(1, 10001);
	const char *line;

	memset(word, 'x', 10000);
	capture();
	log_info("%s", word);
	line = captured();
	release();
	free(word);
	assert_true(strlen(line) <= 4096);
	assert_string_equal(line + strlen(line) - 4, "...\n");
}

TEST(a_full_pipe_loses_lines_and_counts_them_and_does_not_block)
{
	uint64_t before = log_dropped();
	int lines = 0;

	capture();
	for (; lines < 5000; lines++)
		log_info("some words to fill a pipe that nobody reads from");
	release();
	assert_true(log_dropped() > before);
	assert_true(log_dropped() < before + (uint64_t)lines);
}

TEST(a_full_socket_loses_lines_too)
{
	uint64_t before = log_dropped();
	int ends[2], kept = dup(STDERR_FILENO);

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	dup2(ends[0], STDERR_FILENO);
	for (int lines = 0; lines < 20000; lines++)
		log_info("some words to fill a socket that nobody reads from");
	dup2(kept, STDERR_FILENO);
	close(kept);
	close(ends[0]);
	close(ends[1]);
	assert_true(log_dropped() > before);
}

TEST(a_closed_stderr_is_survived)
{
	int kept = dup(STDERR_FILENO);

	close(STDERR_FILENO);
	log_info("a=1");
	dup2(kept, STDERR_FILENO);
	close(kept);
}

TEST(quoting_escapes_what_comes_from_outside)
{
	char out[64];

	assert_string_equal(log_quote("plain", out, sizeof(out)), "\"plain\"");
	assert_string_equal(log_quote("a\"b\\c\nd\xff", out, sizeof(out)), "\"a\\\"b\\\\c\\x0ad\\xff\"");
	assert_string_equal(log_quote("", out, sizeof(out)), "\"\"");
}

TEST(quoting_never_passes_the_room_there_is)
{
	char text[41], out[64];

	memset(text, '\n', 40);
	text[40] = '\0';
	for (unsigned room = 0; room < sizeof(out); room++) {
		memset(out, 'Z', sizeof(out));
		log_quote(text, out, room);
		for (size_t i = room; i < sizeof(out); i++)
			assert_int_equal(out[i], 'Z');
		if (room)
			assert_true(strlen(out) < room);
	}
}

TEST(levels_have_names)
{
	enum log_level level;

	assert_true(log_parse_level("error", &level) && level == LOG_LEVEL_ERROR);
	assert_true(log_parse_level("debug", &level) && level == LOG_LEVEL_DEBUG);
	assert_false(log_parse_level("loud", &level));
}
