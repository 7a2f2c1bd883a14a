#include "config.h"

#include "proto/op.h"

#include "tests/unit/unit.h"

TEST(op_names_are_found_and_nothing_else_is)
{
	op_init();
	op_init();
	for (int i = 0; i < OP_COUNT_; i++) {
		const struct op *op = op_get((enum op_id)i), *cut;

		assert_int_equal(op->id, i);
		assert_ptr_equal(op_find(op->name, strlen(op->name)), op);
		cut = op_find(op->name, strlen(op->name) - 1);
		assert_true(!cut || strlen(cut->name) == strlen(op->name) - 1);    /* "job" is one, so is "jobs" */
	}
	assert_null(op_find("", 0));
	assert_null(op_find("x", 1));
	assert_null(op_find("GET", 3));
	assert_null(op_find("get\0", 4));
	assert_ptr_equal(op_find("getter", 3), op_get(OP_GET));
}

TEST(op_rows_are_unfolded)
{
	const struct op *op = op_get(OP_UPDATE_WHERE);

	assert_string_equal(op->name, "update_where");
	assert_int_equal(op->nparams, 3);
	assert_int_equal(op->nrequired, 3);
	assert_string_equal(op->params[1].name, "filter");
	assert_int_equal(op->params[1].kind, PARAM_FILTER);
	assert_int_equal(op->params[2].kind, PARAM_MAP);
	assert_true(op->options >> OPT_MAX_ROWS & 1);
	assert_false(op->options >> OPT_TOKEN & 1);
	op = op_get(OP_COUNT);
	assert_int_equal(op->nparams, 2);
	assert_int_equal(op->nrequired, 1);
	assert_int_equal(op->options, 0);
	assert_int_equal(op_get(OP_PING)->nparams, 0);
	assert_int_equal(op_get(OP_GET)->flags, OPF_ATOMIC);
}

TEST(option_names_are_found_and_nothing_else_is)
{
	for (int i = 0; i < OPT_COUNT_; i++) {
		const struct option_info *info = option_get((enum op_option)i);

		assert_int_equal(option_find(info->name, strlen(info->name)), i);
	}
	assert_int_equal(option_find("", 0), -1);
	assert_int_equal(option_find("limits", 6), -1);
	assert_int_equal(option_get(OPT_WHERE)->kind, OPTION_FILTER);
}

TEST(op_permission_names_are_what_a_grant_says)
{
	assert_string_equal(op_permission_name(PERM_DELETE_ALL), "delete_all");
	assert_string_equal(op_permission_name(PERM_ANYONE), "anyone");
	assert_string_equal(op_permission_name(PERM_ADMIN), "admin");
}
