#include "config.h"

#include "daemon/db/statement_cache.h"

#include <stdio.h>

#include "tests/unit/unit.h"

static int released[1000];

static void release(void *arg, void *handle)
{
	(void)arg;
	released[(intptr_t)handle]++;
}

static struct statement_cache cache;

static void start(void)
{
	memset(released, 0, sizeof released);
	statement_cache_init(&cache, release, NULL);
}

static struct statement *add(int n)
{
	char text[32];
	struct statement *s;

	snprintf(text, sizeof text, "SELECT %d", n);
	s = statement_cache_add(&cache, text, strlen(text), (void *)(intptr_t)n);
	assert_non_null(s);
	return s;
}

static struct statement *take(int n)
{
	char text[32];

	snprintf(text, sizeof text, "SELECT %d", n);
	return statement_cache_take(&cache, text, strlen(text));
}

TEST(a_statement_is_found_again_by_its_text)
{
	struct statement *s;

	start();
	s = add(1);
	statement_cache_return(&cache, s);
	assert_ptr_equal(take(1), s);
	assert_null(take(2));
	statement_cache_return(&cache, s);
	statement_cache_fini(&cache);
	assert_int_equal(released[1], 1);
}

TEST(a_statement_known_by_number_is_found_by_that_alone)
{
	struct statement *s, *second;

	start();
	statement_cache_return(&cache, statement_cache_add(&cache, "", 0, (void *)3));
	s = statement_cache_add_known(&cache, 7, (void *)1);
	assert_null(statement_cache_take_known(&cache, 7));
	second = statement_cache_add_known(&cache, 7, (void *)2);    /* the same beside it: not kept */
	statement_cache_return(&cache, second);
	assert_int_equal(released[2], 1);
	statement_cache_return(&cache, s);
	assert_ptr_equal(statement_cache_take_known(&cache, 7), s);
	assert_null(statement_cache_take_known(&cache, 8));
	statement_cache_return(&cache, s);
	s = statement_cache_take(&cache, "", 0);
	assert_ptr_equal(s->handle, (void *)3);
	statement_cache_return(&cache, s);
	statement_cache_fini(&cache);
	assert_int_equal(released[1], 1);
	assert_int_equal(released[3], 1);
}

TEST(a_statement_in_use_is_not_handed_out_twice)
{
	struct statement *s, *second;

	start();
	s = add(1);
	assert_null(take(1));
	second = add(1);    /* the same text beside it: not kept */
	statement_cache_return(&cache, second);
	assert_int_equal(released[1], 1);
	statement_cache_return(&cache, s);
	assert_ptr_equal(take(1), s);
	statement_cache_return(&cache, s);
	statement_cache_fini(&cache);
	assert_int_equal(released[1], 2);
}

TEST(the_one_unused_for_longest_goes_first)
{
	int i;

	start();
	for (i = 0; i < STATEMENT_CACHE_MOST; i++)
		statement_cache_return(&cache, add(i));
	statement_cache_return(&cache, take(0));
	statement_cache_return(&cache, add(i));
	assert_int_equal(released[0], 0);
	assert_int_equal(released[1], 1);
	assert_int_equal(cache.count, STATEMENT_CACHE_MOST);
	statement_cache_fini(&cache);
	for (i = 0; i <= STATEMENT_CACHE_MOST; i++)
		assert_int_equal(released[i], 1);
}

TEST(a_full_cache_in_use_keeps_what_it_has)
{
	struct statement *all[STATEMENT_CACHE_MOST], *one_more;
	int i;

	start();
	for (i = 0; i < STATEMENT_CACHE_MOST; i++)
		all[i] = add(i);
	one_more = add(i);
	assert_int_equal(cache.count, STATEMENT_CACHE_MOST);
	statement_cache_return(&cache, one_more);
	assert_int_equal(released[STATEMENT_CACHE_MOST], 1);
	for (i = 0; i < STATEMENT_CACHE_MOST; i++)
		statement_cache_return(&cache, all[i]);
	statement_cache_fini(&cache);
}

TEST(clearing_waits_for_those_in_use)
{
	struct statement *s;

	start();
	statement_cache_return(&cache, add(1));
	s = add(2);
	statement_cache_clear(&cache);
	assert_int_equal(released[1], 1);
	assert_int_equal(released[2], 0);
	statement_cache_return(&cache, s);
	assert_int_equal(released[2], 1);
	assert_null(take(2));
	statement_cache_fini(&cache);
}

TEST(long_statements_are_not_kept_and_texts_are_bounded)
{
	static char text[STATEMENT_CACHE_TEXT_BYTES + 1];
	struct statement *s;
	int i;

	start();
	memset(text, 'x', sizeof text);
	s = statement_cache_add(&cache, text, sizeof text, (void *)1);
	statement_cache_return(&cache, s);
	assert_int_equal(released[1], 1);
	for (i = 0; i < 26; i++) {
		text[0] = (char)('a' + i);
		s = statement_cache_add(&cache, text, sizeof text - 1, (void *)2);
		statement_cache_return(&cache, s);
		assert_true(cache.bytes <= STATEMENT_CACHE_BYTES);
	}
	assert_int_equal(cache.count, STATEMENT_CACHE_BYTES / STATEMENT_CACHE_TEXT_BYTES);
	statement_cache_fini(&cache);
	assert_int_equal(released[2], 26);
}
