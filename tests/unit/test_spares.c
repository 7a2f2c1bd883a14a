#include "config.h"

#include "base/buf.h"
#include "base/spares.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

enum { BLOCK_BYTES = 48 };

TEST(spares_begin_without_any)
{
	struct spares s;

	spares_init(&s, BLOCK_BYTES, 2);
	assert_null(s.head);
	assert_int_equal(s.count, 0);
	spares_fini(&s);
}

TEST(spares_hand_out_what_came_back_last)
{
	struct spares s;
	void *a, *b;

	spares_init(&s, BLOCK_BYTES, 2);
	a = spares_take(&s);
	b = spares_take(&s);
	assert_non_null(a);
	assert_non_null(b);
	memset(a, 1, BLOCK_BYTES);
	memset(b, 2, BLOCK_BYTES);
	spares_give(&s, a);
	spares_give(&s, b);
	assert_int_equal(s.count, 2);
	assert_ptr_equal(spares_take(&s), b);
	assert_ptr_equal(spares_take(&s), a);
	assert_int_equal(s.count, 0);
	free(a);
	free(b);
	spares_fini(&s);
}

TEST(spares_keep_no_more_than_they_may)
{
	struct spares s;

	spares_init(&s, BLOCK_BYTES, 1);
	spares_give(&s, malloc(BLOCK_BYTES));
	spares_give(&s, malloc(BLOCK_BYTES));   /* freed: the leak checker would tell */
	assert_int_equal(s.count, 1);
	spares_give(&s, NULL);
	assert_int_equal(s.count, 1);
	spares_fini(&s);
	assert_int_equal(s.count, 0);
}

TEST(buf_borrows_its_first_memory_and_returns_it)
{
	struct spares s;
	struct buf b;
	char *block;

	spares_init(&s, BLOCK_BYTES, 1);
	buf_init(&b, 1000);
	buf_borrow(&b, &s);
	block = b.data;
	assert_non_null(block);
	assert_int_equal(b.cap, BLOCK_BYTES);
	buf_add_str(&b, "text");
	buf_borrow(&b, &s);             /* it has memory */
	assert_ptr_equal(b.data, block);
	buf_return(&b, &s);
	assert_int_equal(s.count, 1);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	assert_int_equal(b.max_bytes, 1000);
	spares_fini(&s);
}

TEST(buf_returns_no_memory_of_another_size)
{
	struct spares s;
	struct buf b;

	spares_init(&s, BLOCK_BYTES, 1);
	buf_init(&b, 1000);
	buf_borrow(&b, &s);
	buf_addf(&b, "%*d", BLOCK_BYTES + 1, 7);   /* outgrows it */
	assert_false(b.failed);
	buf_return(&b, &s);
	assert_int_equal(s.count, 0);
	buf_return(&b, &s);
	assert_int_equal(s.count, 0);
	spares_fini(&s);
}

TEST(buf_that_may_hold_less_than_a_block_borrows_none)
{
	struct spares s;
	struct buf b;

	spares_init(&s, BLOCK_BYTES, 1);
	buf_init(&b, BLOCK_BYTES - 1);
	buf_borrow(&b, &s);
	assert_null(b.data);
	spares_fini(&s);
}
