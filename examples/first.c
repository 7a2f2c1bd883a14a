/*
 * The first program with librowd: make a table, put rows in, look at them, see what a delete would do,
 * do it.
 *
 *	cc -std=c11 first.c $(pkg-config --cflags --libs rowd) -o first
 *	./first [/path/of/rowd.sock]
 */
#include <inttypes.h>
#include <stdio.h>

#include <rowd.h>

static int complain(const char *what, const struct rowd_error *err)
{
	fprintf(stderr, "%s: %s: %s (%s%s)\n", what, err->name, err->text, rowd_outcome_name(err->outcome),
		err->retry ? ", may be tried again" : "");
	return 1;
}

/* A column of a table's description. */
static struct rowd_value *column(const char *name, const char *type)
{
	return rowd_map("name", rowd_str(name), "type", rowd_str(type));
}

static enum rowd_code make_table(struct rowd *db, struct rowd_error *err)
{
	struct rowd_value *schema =
		rowd_map("columns",
			 rowd_array(column("id", "int"), column("name", "text(40)"), column("age", "int"),
				    column("balance", "decimal(12,2)"), column("seen", "time")),
			 "primary_key", rowd_strs("id"), "indexes", rowd_array(rowd_strs("age")));

	return rowd_call(
		db, "create_table",
		rowd_array(rowd_str("first_people"), schema, rowd_map("if_not_exists", rowd_bool(true))),
		NULL, NULL, err);
}

static enum rowd_code insert_people(struct rowd *db, struct rowd_error *err)
{
	struct rowd_value *rows = rowd_array_new();

	/* All three go in, or none does. */
	rowd_array_add(rows, rowd_map("id", rowd_int(1), "name", rowd_str("Ada"), "age", rowd_int(36),
				      "balance", rowd_str("100.00"), "seen", rowd_time(1700000000000000)));
	rowd_array_add(rows, rowd_map("id", rowd_int(2), "name", rowd_str("Alan"), "age", rowd_int(41)));
	rowd_array_add(rows, rowd_map("id", rowd_int(3), "name", rowd_str("Grace"), "age", rowd_int(85),
				      "balance", rowd_str("0.50")));
	return rowd_insert(db, "first_people", rows, NULL, NULL, err);
}

/* Everything that is read from a result is the result's, and gone when it is freed. */
static enum rowd_code print_people(struct rowd *db, struct rowd_error *err)
{
	struct rowd_result *people;
	const char *name, *balance;
	const struct rowd_row *row;
	enum rowd_code rc;
	int64_t age;
	size_t i;

	rc = rowd_select(db, "first_people",
			 rowd_map("columns", rowd_strs("name", "age", "balance"), "order", rowd_strs("-age"),
				  "limit", rowd_int(100)),
			 &people, err);
	if (rc)
		return rc;
	for (i = 0; i < rowd_result_rows(people); i++) {
		row = rowd_result_row(people, i);
		name = rowd_row_str(row, "name", NULL);
		balance = rowd_row_str(row, "balance",
				       NULL); /* a decimal travels as text; NULL when it is null */
		if (rowd_row_int(row, "age", &age))
			printf("  %-6s %3" PRId64 " %8s\n", name ? name : "?", age, balance ? balance : "-");
	}
	if (rowd_result_more(people))
		printf("  ... and more\n");
	rowd_result_free(people);
	return ROWD_OK;
}

/* The same filter is used twice, so it is made twice: a value belongs to the call it is given to. */
static struct rowd_value *older_whose_name_begins_with_a(void)
{
	return rowd_and(rowd_gt("age", rowd_int(40)), rowd_like("name", "A%"));
}

static enum rowd_code delete_people(struct rowd *db, struct rowd_error *err)
{
	int64_t matched, deleted;
	enum rowd_code rc;

	rc = rowd_delete_where(db, "first_people", older_whose_name_begins_with_a(),
			       rowd_map("dry_run", rowd_bool(true)), &matched, NULL, err);
	if (rc)
		return rc;
	printf("a delete would take %" PRId64 " row(s)\n", matched);

	/* If more rows match by now than were seen, nothing is deleted: too_many_rows. */
	rc = rowd_delete_where(db, "first_people", older_whose_name_begins_with_a(),
			       rowd_map("max_rows", rowd_int(matched)), &deleted, NULL, err);
	if (rc)
		return rc;
	printf("it took %" PRId64 "\n", deleted);
	return ROWD_OK;
}

int main(int argc, char **argv)
{
	struct rowd_error err;
	struct rowd *db;
	int status = 0;

	if (rowd_connect(argc > 1 ? argv[1] : NULL, NULL, &db, &err))
		return complain("connect", &err);
	if (make_table(db, &err))
		status = complain("create_table", &err);
	else if (rowd_delete_all(db, "first_people", NULL, NULL, &err)) /* what an earlier run left */
		status = complain("delete_all", &err);
	else if (insert_people(db, &err))
		status = complain("insert", &err);
	else if (print_people(db, &err))
		status = complain("select", &err);
	else if (delete_people(db, &err))
		status = complain("delete_where", &err);
	else if (print_people(db, &err))
		status = complain("select", &err);
	rowd_close(db);
	return status;
}
