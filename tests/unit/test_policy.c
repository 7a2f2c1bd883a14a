#include "config.h"

#include "daemon/policy.h"

#include <stdio.h>
#include <unistd.h>

#include "proto/value.h"
#include "tests/unit/unit.h"

enum { ALICE = 1001, BOB = 1002, STAFF = 2001, CLERKS = 2002, OVERFLOW_UID = 65534 };

static struct err err;

static struct caller caller_of(const struct policy *p, uid_t uid, gid_t gid)
{
	struct caller c = { .uid = uid, .gid = gid, .pid = 1 };

	policy_resolve(p, &c);
	return c;
}

static void role_add(struct policy *p, const char *name, uid_t uid, gid_t gid)
{
	err_init(&err);
	assert_int_equal(policy_add_role(p, name, &uid, uid ? 1 : 0, &gid, gid ? 1 : 0, &err), ROWD_OK);
}

static void grant_add(struct policy *p, const char *role, const char *db, const char *table, unsigned bits,
		      int64_t max_rows, bool deny)
{
	const struct policy_grant g = { .role = role, .database = db, .tables = &table, .ntables = 1,
					.permissions = bits, .max_rows = max_rows, .deny = deny };

	err_init(&err);
	assert_int_equal(policy_add_grant(p, &g, &err), ROWD_OK);
}

static bool may(const struct caller *c, enum op_permission perm, const char *db, const char *table)
{
	enum rowd_code rc;

	err_init(&err);
	rc = policy_check(c, perm, db, table, &err);
	assert_true(rc == ROWD_OK || rc == ROWD_E_DENIED);
	return rc == ROWD_OK;
}

TEST(without_roles_root_and_our_own_uid_may_do_everything)
{
	struct policy *p = policy_new();
	struct caller root = caller_of(p, 0, 0), own = caller_of(p, geteuid(), 5);

	for (int perm = PERM_ANYONE; perm <= PERM_ADMIN; perm++) {
		assert_true(may(&root, (enum op_permission)perm, "main", "users"));
		assert_true(may(&own, (enum op_permission)perm, NULL, NULL));
	}
	policy_unref(p);
}

TEST(without_roles_no_one_else_may_do_anything)
{
	struct policy *p = policy_new();
	struct caller c = caller_of(p, geteuid() + 1, 0);

	assert_false(policy_has_any(&c));
	assert_true(may(&c, PERM_ANYONE, NULL, NULL));
	for (int perm = PERM_SESSION; perm <= PERM_ADMIN; perm++)
		assert_false(may(&c, (enum op_permission)perm, "main", "users"));
	policy_unref(p);
}

TEST(with_a_role_root_is_no_longer_above_it)
{
	struct policy *p = policy_new();
	struct caller root;

	role_add(p, "r", ALICE, 0);
	root = caller_of(p, 0, 0);
	assert_false(root.superuser);
	assert_false(may(&root, PERM_READ, "main", "users"));
	policy_unref(p);
}

TEST(a_role_is_given_by_uid_by_gid_and_by_any_further_group)
{
	struct policy *p = policy_new();
	struct caller c = { .uid = BOB, .gid = 5, .groups = { 6, STAFF }, .ngroups = 2 };

	role_add(p, "by_uid", ALICE, 0);
	role_add(p, "by_gid", 0, STAFF);
	assert_int_equal(caller_of(p, ALICE, 5).roles, 1);
	assert_int_equal(caller_of(p, BOB, STAFF).roles, 2);
	assert_int_equal(caller_of(p, ALICE, STAFF).roles, 3);
	assert_int_equal(caller_of(p, BOB, 5).roles, 0);
	policy_resolve(p, &c);
	assert_int_equal(c.roles, 2);
	policy_unref(p);
}

TEST(the_overflow_uid_has_roles_by_its_uid_only)
{
	struct policy *p = policy_new();

	role_add(p, "staff", 0, STAFF);
	assert_int_equal(caller_of(p, OVERFLOW_UID, STAFF).roles, 0);
	role_add(p, "strangers", OVERFLOW_UID, 0);
	assert_int_equal(caller_of(p, OVERFLOW_UID, STAFF).roles, 2);
	policy_unref(p);
}

/*
 * The matrix: every permission, asked about two databases and two tables, under every set of
 * permissions that one grant and one denial can have on patterns of each kind. What is due is said
 * here in another way: cell by cell, without patterns.
 */
static const char *const patterns[] = { "*", "one", "two" };

static bool covers(const char *pattern, const char *name)
{
	return pattern[0] == '*' || strcmp(pattern, name) == 0;
}

static void matrix_check(unsigned granted, unsigned denied, const char *db, const char *table,
			 const char *deny_db, const char *deny_table)
{
	struct policy *p = policy_new();
	struct caller with, without;

	role_add(p, "r", ALICE, 0);
	grant_add(p, "r", db, table, granted, -1, false);
	grant_add(p, "r", deny_db, deny_table, denied, -1, true);
	with = caller_of(p, ALICE, 5);
	without = caller_of(p, BOB, 5);
	for (int perm = PERM_READ; perm <= PERM_ADMIN; perm++) {
		unsigned bit = 1U << perm;

		for (int i = 1; i < 3; i++) {
			for (int j = 1; j < 3; j++) {
				bool due = (granted & bit) && covers(db, patterns[i]) &&
					   covers(table, patterns[j]) &&
					   !((denied & bit) && covers(deny_db, patterns[i]) &&
					     covers(deny_table, patterns[j]));

				assert_int_equal(may(&with, (enum op_permission)perm, patterns[i], patterns[j]),
						 due);
				assert_false(may(&without, (enum op_permission)perm, patterns[i],
						 patterns[j]));
			}
		}
	}
	policy_unref(p);
}

TEST(matrix_of_permissions_databases_tables_grants_and_denials)
{
	for (int perm = PERM_READ; perm <= PERM_ADMIN; perm++) {
		for (int cell = 0; cell < 81; cell++) {
			const char *db = patterns[cell % 3], *table = patterns[cell / 3 % 3];
			const char *deny_db = patterns[cell / 9 % 3], *deny_table = patterns[cell / 27];

			matrix_check(1U << perm, 0, db, table, deny_db, deny_table);
			matrix_check(1U << perm, 1U << perm, db, table, deny_db, deny_table);
			matrix_check(~(1U << perm), 1U << PERM_READ, db, table, deny_db, deny_table);
		}
	}
}

TEST(without_a_table_any_table_of_a_grant_will_do_that_no_denial_takes_back)
{
	struct policy *p = policy_new();
	struct caller c;

	role_add(p, "r", ALICE, 0);
	grant_add(p, "r", "main", "users", 1U << PERM_READ, -1, false);
	c = caller_of(p, ALICE, 5);
	assert_true(may(&c, PERM_READ, "main", NULL));
	assert_true(may(&c, PERM_READ, NULL, NULL));
	assert_false(may(&c, PERM_READ, "other", NULL));
	assert_false(may(&c, PERM_WRITE, "main", NULL));

	grant_add(p, "r", "main", "users", 1U << PERM_READ, -1, true);
	assert_false(may(&c, PERM_READ, "main", NULL));
	grant_add(p, "r", "main", "*", 1U << PERM_READ, -1, false);
	assert_true(may(&c, PERM_READ, "main", NULL));
	grant_add(p, "r", "*", "*", 1U << PERM_READ, -1, true);
	assert_false(may(&c, PERM_READ, "main", NULL));
	assert_false(may(&c, PERM_READ, NULL, NULL));
	assert_true(policy_has_any(&c));
	policy_unref(p);
}

TEST(a_denial_alone_is_no_grant)
{
	struct policy *p = policy_new();
	struct caller c;

	role_add(p, "r", ALICE, 0);
	grant_add(p, "r", "*", "*", 1U << PERM_READ, -1, true);
	c = caller_of(p, ALICE, 5);
	assert_false(policy_has_any(&c));
	assert_false(may(&c, PERM_SESSION, NULL, NULL));
	policy_unref(p);
}

TEST(a_refusal_names_the_permission_and_the_table)
{
	struct policy *p = policy_new();
	struct caller c;

	role_add(p, "r", ALICE, 0);
	c = caller_of(p, ALICE, 5);
	assert_false(may(&c, PERM_DELETE_ALL, "main", "users"));
	assert_non_null(strstr(err.text, "delete_all"));
	assert_string_equal(err.table, "users");
	policy_unref(p);
}

TEST(star_is_read_write_and_delete_and_nothing_more)
{
	assert_int_equal(policy_parse_permission("*"),
			 1U << PERM_READ | 1U << PERM_WRITE | 1U << PERM_DELETE);
	for (int perm = PERM_READ; perm <= PERM_ADMIN; perm++)
		assert_int_equal(policy_parse_permission(op_permission_name((enum op_permission)perm)),
				 1U << perm);
	assert_int_equal(policy_parse_permission("anyone"), 0);
	assert_int_equal(policy_parse_permission("session"), 0);
	assert_int_equal(policy_parse_permission(""), 0);
}

TEST(max_rows_is_the_least_of_the_grants_that_change_the_table)
{
	struct policy *p = policy_new();
	struct caller c;

	role_add(p, "r", ALICE, 0);
	role_add(p, "other", BOB, 0);
	grant_add(p, "r", "main", "*", 1U << PERM_DELETE, 100, false);
	grant_add(p, "r", "main", "users", 1U << PERM_WRITE, 10, false);
	grant_add(p, "r", "main", "users", 1U << PERM_READ, 1, false);
	grant_add(p, "other", "main", "users", 1U << PERM_DELETE, 2, false);
	c = caller_of(p, ALICE, 5);
	assert_int_equal(policy_max_rows(&c, "main", "users"), 10);
	assert_int_equal(policy_max_rows(&c, "main", "notes"), 100);
	assert_int_equal(policy_max_rows(&c, "shop", "users"), -1);
	policy_unref(p);
}

TEST(there_are_as_many_roles_as_bits_and_no_more)
{
	struct policy *p = policy_new();
	char name[16];
	uid_t uid = ALICE;

	for (int i = 0; i < POLICY_MAX_ROLES; i++) {
		snprintf(name, sizeof(name), "r%d", i);
		role_add(p, name, ALICE, 0);
	}
	assert_true(caller_of(p, ALICE, 5).roles == UINT64_MAX);
	assert_int_equal(policy_add_role(p, "more", &uid, 1, NULL, 0, &err), ROWD_E_LIMIT);
	assert_true(policy_has_role(p, "r63"));
	assert_false(policy_has_role(p, "more"));
	policy_unref(p);
}

TEST(whoami_tells_roles_and_grants)
{
	static const char roles[] = "\x92\xa1" "a" "\xa1" "b";
	struct policy *p = policy_new();
	struct caller c;
	struct buf b;

	role_add(p, "a", ALICE, 0);
	role_add(p, "no", BOB, 0);
	role_add(p, "b", 0, CLERKS);
	grant_add(p, "a", "main", "users", 1U << PERM_READ, 7, false);
	grant_add(p, "no", "main", "users", 1U << PERM_READ, 7, false);
	c = caller_of(p, ALICE, CLERKS);
	buf_init(&b, 4096);
	policy_write_roles(&c, &b);
	assert_int_equal(b.len, sizeof(roles) - 1);
	assert_memory_equal(b.data, roles, b.len);
	buf_clear(&b);
	policy_write_grants(&c, &b);
	assert_int_equal((unsigned char)b.data[0], 0x91);
	assert_int_equal((unsigned char)b.data[1], 0x86);
	assert_non_null(memmem(b.data, b.len, "users", 5));
	buf_fini(&b);
	policy_unref(p);
}

TEST(a_policy_lives_until_its_last_reference_is_gone)
{
	struct policy *p = policy_new(), *again;
	struct caller c;

	role_add(p, "r", ALICE, 0);
	again = policy_ref(p);
	policy_unref(p);
	c = caller_of(again, ALICE, 5);
	assert_int_equal(c.roles, 1);
	policy_unref(again);
	policy_unref(NULL);
}
