#include "config.h"

#include "unit.h"

#include "client/ctl/progress.h"

/* What `write` appended, as a string. */
static struct buf text;

static const char *shown(void)
{
	static char copy[600];

	assert_false(text.failed);
	assert_true(text.len < sizeof(copy));
	memcpy(copy, text.data, text.len);
	copy[text.len] = '\0';
	buf_clear(&text);
	return copy;
}

static void begin(void)
{
	buf_fini(&text);
	buf_init(&text, 4096);
}

TEST(counts_are_grouped)
{
	static const struct {
		int64_t n;
		const char *text;
	} counts[] = {
		{ 0, "0" },
		{ 999, "999" },
		{ 1000, "1,000" },
		{ 123456, "123,456" },
		{ 1234567, "1,234,567" },
		{ INT64_MAX, "9,223,372,036,854,775,807" },
		{ -100, "-100" },
		{ -1234, "-1,234" },
	};
	size_t i;

	begin();
	for (i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		progress_count(&text, counts[i].n);
		assert_string_equal(shown(), counts[i].text);
	}
	buf_fini(&text);
}

TEST(times_are_as_exact_as_they_need_be)
{
	static const struct {
		int64_t ms;
		const char *text;
	} times[] = {
		{ 0, "0.0 s" },    { 1234, "1.2 s" },     { 9949, "9.9 s" },      { 9950, "10 s" },
		{ 59499, "59 s" }, { 59500, "1:00 min" }, { 187000, "3:07 min" }, { 7387000, "2:03:07 h" },
	};
	size_t i;

	begin();
	for (i = 0; i < sizeof(times) / sizeof(*times); i++) {
		progress_time(&text, times[i].ms);
		assert_string_equal(shown(), times[i].text);
	}
	buf_fini(&text);
}

TEST(a_line_shows_share_rate_and_time_left)
{
	struct progress p = { 1000, 2000, 500, 2000 };

	begin();
	progress_line(&text, &p, 60);
	assert_string_equal(shown(), "[#########---------]  50%  1,000 deleted  500/s  2.0 s left");
	p = (struct progress){ 1000, 2000, 500, 0 };
	progress_line(&text, &p, 60);
	assert_non_null(strstr(shown(), "] 100%  1,000 deleted"));
	buf_fini(&text);
}

TEST(a_line_without_room_or_knowledge_has_no_bar)
{
	struct progress p = { 1000, 2000, 500, 2000 };

	begin();
	progress_line(&text, &p, 30);
	assert_string_equal(shown(), "1,000 deleted  500/s  2.0 s left");
	p = (struct progress){ 0, 0, -1, -1 };
	progress_line(&text, &p, 80);
	assert_string_equal(shown(), "0 deleted");
	p = (struct progress){ -1, -1, -1, -1 };
	progress_line(&text, &p, 80);
	assert_string_equal(shown(), "0 deleted");
	buf_fini(&text);
}
