#include "config.h"

#include "base/err.h"

#include <errno.h>
#include <stdio.h>

#include "tests/unit/unit.h"

TEST(err_init_is_about_nothing)
{
	struct err err;

	err_init(&err);
	assert_int_equal(err.code, ROWD_OK);
	assert_string_equal(err.text, "");
	assert_string_equal(err.table, "");
	assert_string_equal(err.column, "");
	assert_int_equal(err.limit, -1);
	assert_int_equal(err.matched, -1);
	assert_int_equal(err.index, -1);
}

TEST(err_set_returns_its_code_and_keeps_the_sentence)
{
	struct err err;

	assert_int_equal(err_set(&err, ROWD_E_CONFLICT, "%s of %d", "one", 2), ROWD_E_CONFLICT);
	assert_int_equal(err.code, ROWD_E_CONFLICT);
	assert_int_equal(err.outcome, ROWD_NOT_APPLIED);
	assert_string_equal(err.text, "one of 2");
}

TEST(err_set_forgets_what_was_there_before)
{
	struct err err;

	err_limit(&err, 5, "x");
	err_where(&err, "t", "c");
	err.index = 3;
	err_set(&err, ROWD_E_BUSY, "y");
	assert_string_equal(err.table, "");
	assert_int_equal(err.limit, -1);
	assert_int_equal(err.index, -1);
}

TEST(err_outcome_comes_from_the_code_unless_said_otherwise)
{
	struct err err;

	err_set(&err, ROWD_E_COMMIT_UNKNOWN, "x");
	assert_int_equal(err.outcome, ROWD_UNKNOWN);
	err_set(&err, ROWD_E_UNAVAILABLE, "x");
	assert_int_equal(err.outcome, ROWD_NOT_APPLIED);
	err_outcome(&err, ROWD_UNKNOWN);
	assert_int_equal(err.outcome, ROWD_UNKNOWN);
}

TEST(err_native_and_err_sys_keep_the_number)
{
	struct err err;

	err_native(&err, ROWD_E_INTERNAL, 1062, "it said no");
	assert_int_equal(err.native, 1062);
	err_sys(&err, ROWD_E_INTERNAL, ENOENT, "open %s", "x");
	assert_int_equal(err.native, ENOENT);
	assert_string_equal(err.text, "open x: No such file or directory");
}

TEST(err_limit_names_the_limit)
{
	struct err err;

	assert_int_equal(err_limit(&err, 16, "a nesting of %d", 17), ROWD_E_LIMIT);
	assert_int_equal(err.limit, 16);
	assert_string_equal(err.text, "a nesting of 17 is over the limit of 16");
}

TEST(err_texts_and_names_too_long_are_cut)
{
	char longer[1000];
	struct err err;

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	err_set(&err, ROWD_E_INTERNAL, "%s", longer);
	assert_int_equal(strlen(err.text), ERR_TEXT_BYTES - 1);
	err_sys(&err, ROWD_E_INTERNAL, ENOENT, "%s", longer);
	assert_int_equal(strlen(err.text), ERR_TEXT_BYTES - 1);
	err_where(&err, longer, "c");
	assert_int_equal(strlen(err.table), ERR_NAME_BYTES - 1);
	err_where(&err, NULL, err.column);
	assert_int_equal(strlen(err.table), ERR_NAME_BYTES - 1);
	assert_string_equal(err.column, "c");
}
