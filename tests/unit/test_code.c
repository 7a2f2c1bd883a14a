#include "config.h"

#include "proto/code.h"

#include "tests/unit/unit.h"

static const enum rowd_code all[] = {
#define CODE(NAME, name, number, outcome, retry, meaning) ROWD_E_##NAME,
#include "proto/codes.def"
#undef CODE
};

TEST(code_names_are_found_again)
{
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const char *name = code_name(all[i]);

		assert_int_equal(code_find(name, strlen(name)), all[i]);
		assert_true(strlen(code_meaning(all[i])) > 0);
	}
}

TEST(code_numbers_that_are_none_are_internal)
{
	assert_string_equal(code_name((enum rowd_code)9), "internal");
	assert_string_equal(code_name((enum rowd_code)9999), "internal");
	assert_string_equal(code_name((enum rowd_code) - 1), "internal");
	assert_string_equal(code_name(ROWD_OK), "ok");
	assert_int_equal(code_find("no_such", 7), ROWD_E_INTERNAL);
	assert_int_equal(code_find("limi", 4), ROWD_E_INTERNAL);
}

TEST(code_rows_say_outcome_and_retry)
{
	assert_int_equal(code_outcome(ROWD_E_COMMIT_UNKNOWN), ROWD_UNKNOWN);
	assert_int_equal(code_outcome(ROWD_E_BUSY), ROWD_NOT_APPLIED);
	assert_true(code_retry(ROWD_E_BUSY));
	assert_false(code_retry(ROWD_E_CONFLICT));
	assert_string_equal(outcome_name(ROWD_NOT_APPLIED), "not_applied");
	assert_string_equal(outcome_name(ROWD_APPLIED), "applied");
	assert_string_equal(outcome_name(ROWD_UNKNOWN), "unknown");
}

TEST(code_that_may_be_retried_is_not_the_callers_fault)
{
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		assert_false(code_retry(all[i]) && code_is_callers_fault(all[i]));
	assert_true(code_is_callers_fault(ROWD_E_BAD_REQUEST));
	assert_false(code_is_callers_fault(ROWD_E_INTERNAL));
	assert_false(code_is_callers_fault(ROWD_E_COMMIT_UNKNOWN));
}
