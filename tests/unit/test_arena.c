#include "config.h"

#include "base/arena.h"

#include <stdalign.h>

#include "tests/unit/unit.h"

TEST(arena_memory_is_aligned_and_apart)
{
	struct arena a;
	unsigned char *p[300];

	arena_init(&a);
	for (int i = 0; i < 300; i++) {
		p[i] = arena_alloc(&a, (size_t)i * 3);
		assert_non_null(p[i]);
		assert_int_equal((uintptr_t)p[i] % alignof(max_align_t), 0);
		memset(p[i], i, (size_t)i * 3);
	}
	for (int i = 0; i < 300; i++) {
		for (int j = 0; j < i * 3; j++)
			assert_int_equal(p[i][j], (unsigned char)i);
	}
	arena_fini(&a);
}

TEST(arena_reset_keeps_one_ordinary_block)
{
	struct arena a;
	void *first;

	arena_init(&a);
	first = arena_alloc(&a, 10);
	for (int i = 0; i < 100; i++)
		assert_non_null(arena_alloc(&a, 1000));
	assert_non_null(arena_alloc(&a, 1000000));
	arena_reset(&a);
	assert_int_equal(a.total, 0);
	assert_non_null(a.head);
	(void)first;
	assert_non_null(arena_alloc(&a, 10));
	arena_fini(&a);
	assert_null(a.head);
	assert_non_null(arena_alloc(&a, 10));
	arena_fini(&a);
}

TEST(arena_large_requests_do_not_waste_the_block_in_use)
{
	struct arena a;
	char *p, *q, *large;

	arena_init(&a);
	p = arena_alloc(&a, 16);
	large = arena_alloc(&a, 100000);
	q = arena_alloc(&a, 16);
	assert_ptr_equal(q, p + 16);
	memset(large, 1, 100000);
	arena_fini(&a);
	large = arena_alloc(&a, 100000);
	memset(large, 1, 100000);
	p = arena_alloc(&a, 16);
	memset(p, 1, 16);
	arena_reset(&a);
	arena_fini(&a);
}

TEST(arena_refuses_what_overflows)
{
	struct arena a;

	arena_init(&a);
	assert_null(arena_alloc(&a, SIZE_MAX));
	assert_null(arena_alloc(&a, SIZE_MAX - 20));
	assert_null(arena_calloc(&a, SIZE_MAX / 2, 3));
	assert_null(arena_strndup(&a, "", SIZE_MAX));
	arena_fini(&a);
}

TEST(arena_calloc_clears)
{
	struct arena a;
	unsigned char *p;

	arena_init(&a);
	memset(arena_alloc(&a, 4000), 0xff, 4000);
	arena_reset(&a);
	p = arena_calloc(&a, 100, 40);
	for (int i = 0; i < 4000; i++)
		assert_int_equal(p[i], 0);
	arena_fini(&a);
}

TEST(arena_strings_end_in_nul)
{
	struct arena a;

	arena_init(&a);
	assert_string_equal(arena_strndup(&a, "hello", 3), "hel");
	assert_string_equal(arena_strndup(&a, NULL, 0), "");
	assert_string_equal(arena_printf(&a, "%s-%d", "x", 5), "x-5");
	assert_int_equal(strlen(arena_printf(&a, "%*d", 30000, 1)), 30000);
	arena_fini(&a);
}
