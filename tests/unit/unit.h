/*
 * A unit test program: include this once, write TEST(what_it_promises) { ... } as often as needed.
 * The tests run in the order in which they stand; main() is here.
 */
#ifndef ROWD_TESTS_UNIT_H
#define ROWD_TESTS_UNIT_H

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { UNIT_MAX_TESTS = 200 };

static struct CMUnitTest unit_tests[UNIT_MAX_TESTS];
static size_t unit_count;

static void unit_add(const char *name, CMUnitTestFunction fn)
{
	if (unit_count == UNIT_MAX_TESTS)
		abort();
	unit_tests[unit_count++] = (struct CMUnitTest){ .name = name, .test_func = fn };
}

#define TEST(fn) \
	static void fn(void **state); \
	__attribute__((constructor)) static void fn##_add(void) \
	{ \
		unit_add(#fn, fn); \
	} \
	static void fn(__attribute__((unused)) void **state)

int main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]); /* a pattern; "*" stands for anything */
	return _cmocka_run_group_tests(argv[0], unit_tests, unit_count, NULL, NULL);
}

#endif
