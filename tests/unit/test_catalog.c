#include "config.h"

#include "daemon/plan/catalog.h"

#include <stdio.h>

#include "tests/unit/unit.h"

static struct err err;
static struct catalog *catalog;

static void start(void)
{
	err_init(&err);
	catalog = catalog_new(42);
	assert_non_null(catalog);
}

static void seal(void)
{
	assert_int_equal(catalog_seal(catalog, &err), ROWD_OK);
}

/* A table with an int primary key `id` and an int column `other`. */
static struct table *add_table(const char *name)
{
	struct table *t = catalog_add_table(catalog, name);
	unsigned i;

	assert_non_null(t);
	t->columns = arena_calloc(catalog_arena(catalog), 2, sizeof *t->columns);
	t->ncolumns = 2;
	for (i = 0; i < 2; i++)
		t->columns[i] = (struct column){ .name = i ? "other" : "id", .position = i, .nullable = i, .storage = "" };
	t->primary_key = (struct key){ .columns = { &t->columns[0] }, .ncolumns = 1, .unique = true, .plain = true };
	return t;
}

static struct foreign_key *add_foreign_key(struct table *child, const char *parent, enum fk_action on_delete)
{
	struct foreign_key *fk = arena_calloc(catalog_arena(catalog), 1, sizeof *fk);

	fk->parent_name = parent;
	fk->columns[0] = &child->columns[1];
	fk->ncolumns = 1;
	fk->on_delete = on_delete;
	child->foreign_keys = fk;
	child->nforeign_keys = 1;
	return fk;
}

static const struct table *find(const char *name)
{
	return catalog_find(catalog, name, strlen(name));
}

static bool has_reason(const struct table *t, const char *words)
{
	unsigned i;

	for (i = 0; i < t->nreasons; i++)
		if (strstr(t->reasons[i], words))
			return true;
	return false;
}

TEST(tables_are_found_by_their_whole_name)
{
	start();
	add_table("users");
	add_table("user");
	add_table("b");
	seal();
	assert_int_equal(catalog_version(catalog), 42);
	assert_string_equal(find("user")->name, "user");
	assert_string_equal(find("users")->name, "users");
	assert_string_equal(catalog_find(catalog, "usersxyz", 5)->name, "users");
	assert_null(find("use"));
	assert_null(find("userss"));
	assert_null(find("USERS"));
	assert_null(find(""));
	assert_null(catalog_find(catalog, "user\0s", 6));
	catalog_unref(catalog);
}

TEST(tables_are_listed_by_name_without_rowds_own)
{
	start();
	add_table("b");
	add_table("_rowd_columns");
	add_table("a");
	add_table("Z");
	seal();
	assert_int_equal(catalog_count(catalog), 3);
	assert_string_equal(catalog_at(catalog, 0)->name, "Z");
	assert_string_equal(catalog_at(catalog, 1)->name, "a");
	assert_string_equal(catalog_at(catalog, 2)->name, "b");
	assert_null(find("_rowd_columns"));
	catalog_unref(catalog);
}

TEST(columns_are_found_by_their_whole_name)
{
	const struct table *t;

	start();
	t = add_table("t");
	seal();
	assert_ptr_equal(table_column(t, "other", 5), &t->columns[1]);
	assert_null(table_column(t, "othe", 4));
	assert_null(table_column(t, "id\0", 3));
	assert_null(table_column(t, "ID", 2));
	assert_true(key_has_column(&t->primary_key, &t->columns[0]));
	assert_false(key_has_column(&t->primary_key, &t->columns[1]));
	assert_int_equal(table_key_columns(t), 1);
	catalog_unref(catalog);
}

TEST(a_table_as_rowd_makes_them_is_portable)
{
	start();
	add_table("t");
	seal();
	assert_true(find("t")->portable);
	assert_int_equal(find("t")->nreasons, 0);
	catalog_unref(catalog);
}

TEST(foreign_keys_find_their_parents_and_parents_their_children)
{
	struct table *child;
	struct foreign_key *fk;

	start();
	child = add_table("orders");
	add_table("users");
	fk = add_foreign_key(child, "Users", FK_CASCADE);
	fk->reference_names[0] = "ID";
	seal();
	assert_ptr_equal(fk->child, find("orders"));
	assert_ptr_equal(fk->parent, find("users"));
	assert_ptr_equal(fk->references[0], &find("users")->columns[0]);
	assert_int_equal(find("users")->nchildren, 1);
	assert_ptr_equal(find("users")->children[0], fk);
	assert_true(find("orders")->portable);
	catalog_unref(catalog);
}

TEST(a_foreign_key_without_names_means_the_primary_key)
{
	struct foreign_key *fk;

	start();
	fk = add_foreign_key(add_table("orders"), "users", FK_RESTRICT);
	add_table("users");
	seal();
	assert_ptr_equal(fk->references[0], &find("users")->columns[0]);
	catalog_unref(catalog);
}

TEST(a_missing_parent_is_a_reason)
{
	struct foreign_key *fk;

	start();
	fk = add_foreign_key(add_table("orders"), "nobody", FK_RESTRICT);
	seal();
	assert_null(fk->parent);
	assert_false(find("orders")->portable);
	assert_true(has_reason(find("orders"), "nobody, which does not exist"));
	catalog_unref(catalog);
}

TEST(a_table_is_no_more_portable_than_its_parents)
{
	struct table *a;

	start();
	a = add_table("a");
	add_foreign_key(add_table("b"), "a", FK_RESTRICT);
	add_foreign_key(add_table("c"), "b", FK_RESTRICT);
	catalog_add_reason(catalog, a, "it has triggers");
	seal();
	assert_false(find("a")->portable);
	assert_true(has_reason(find("b"), "refers to a"));
	assert_true(has_reason(find("c"), "refers to b"));
	catalog_unref(catalog);
}

TEST(a_table_may_refer_to_itself_only_to_restrict)
{
	start();
	add_foreign_key(add_table("restricts"), "restricts", FK_RESTRICT);
	add_foreign_key(add_table("cascades"), "cascades", FK_CASCADE);
	seal();
	assert_true(find("restricts")->portable);
	assert_false(find("cascades")->portable);
	catalog_unref(catalog);
}

TEST(what_rowd_would_not_make_is_a_reason)
{
	struct table *t;
	struct key *k;

	start();
	t = add_table("Caps");
	t->columns[0].nullable = true;
	t->columns[1].type.kind = TYPE_ANY;
	t->columns[1].computed = true;
	t->columns[1].default_is_computed = true;
	k = arena_calloc(catalog_arena(catalog), 1, sizeof *k);
	*k = (struct key){ .name = "ix", .columns = { &t->columns[1] }, .ncolumns = 1 };
	t->indexes = k;
	t->nindexes = 1;
	t = add_table("bare");
	t->primary_key.ncolumns = 0;
	seal();
	t = (struct table *)find("Caps");
	assert_true(has_reason(t, "its name"));
	assert_true(has_reason(t, "may be null"));
	assert_true(has_reason(t, "no type"));
	assert_true(has_reason(t, "is computed"));
	assert_true(has_reason(t, "is an expression"));
	assert_true(has_reason(t, "the index ix is partial"));
	assert_true(has_reason(t, "no bounded length"));
	assert_true(has_reason(find("bare"), "no primary key"));
	catalog_unref(catalog);
}

TEST(reasons_are_bounded_and_stay_text)
{
	struct table *t;
	char name[400];
	unsigned i;

	start();
	t = add_table("t");
	for (i = 0; i + 1 < sizeof name; i += 2)
		memcpy(name + i, "\xc3\xa4", 2);
	name[sizeof name - 2] = '\0';
	for (i = 0; i < 1000; i++)
		catalog_add_reason(catalog, t, "reason%s %s", i % 2 ? "s" : "", name);
	seal();
	assert_in_range(t->nreasons, 2, 100);
	assert_string_equal(t->reasons[t->nreasons - 1], "and more");
	for (i = 0; i < t->nreasons; i++)
		assert_true(utf8_valid(t->reasons[i], strlen(t->reasons[i]), NULL));
	catalog_unref(catalog);
}

TEST(a_reference_keeps_it_alive)
{
	struct catalog *second;

	start();
	add_table("t");
	seal();
	second = catalog_ref(catalog);
	catalog_unref(catalog);
	assert_int_equal(catalog_count(second), 1);
	catalog_unref(second);
	catalog_unref(NULL);
}
