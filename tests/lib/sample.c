#include "config.h"

#include "tests/lib/sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/exec/exec_schema.h"
#include "daemon/plan/schema.h"
#include "tests/lib/pack.h"

static const char people[] =
	"{\"columns\": [{\"name\": \"id\", \"type\": \"int\", \"auto\": true}, {\"name\": \"name\", \"type\": \"text(20)\"},"
	" {\"name\": \"nick\", \"type\": \"text\"}, {\"name\": \"age\", \"type\": \"int\"}, {\"name\": \"low\", \"type\": \"int\"},"
	" {\"name\": \"score\", \"type\": \"float\"}, {\"name\": \"price\", \"type\": \"decimal(6,2)\"},"
	" {\"name\": \"ok\", \"type\": \"bool\", \"null\": false, \"default\": true}, {\"name\": \"data\", \"type\": \"bytes(4)\"},"
	" {\"name\": \"blob\", \"type\": \"bytes\"}, {\"name\": \"at\", \"type\": \"time\"},"
	" {\"name\": \"cost\", \"type\": \"decimal(18,4)\"}],"
	" \"primary_key\": [\"id\"], \"unique\": [[\"name\", \"age\"]], \"indexes\": [[\"age\"]]}";

static const char pets[] =
	"{\"columns\": [{\"name\": \"owner\", \"type\": \"int\"}, {\"name\": \"no\", \"type\": \"int\"},"
	" {\"name\": \"kind\", \"type\": \"text(10)\"}, {\"name\": \"age\", \"type\": \"int\"}],"
	" \"primary_key\": [\"owner\", \"no\"], \"indexes\": [[\"kind\"]],"
	" \"foreign_keys\": [{\"columns\": [\"owner\"], \"table\": \"people\", \"references\": [\"id\"], \"on_delete\": \"cascade\"}]}";

static struct db db;
static struct db_source source;
static char folder[64], url[128];
static struct limits limits;
static struct arena arena;
static struct sql statement;

static void must(enum rowd_code rc, const struct err *err, const char *what)
{
	if (!rc)
		return;
	fprintf(stderr, "sample: %s: %s\n", what, err->text);
	abort();
}

void sample_run(struct sample *s, const char *words)
{
	struct sql text = { .text = { .data = (char *)words, .len = strlen(words) } };
	struct err err;

	err_init(&err);
	must(db_run(s->x.conn, &text, NULL, NULL, &err), &err, words);
}

enum rowd_code sample_create(struct sample *s, const char *name, const char *definition, struct err *err)
{
	const struct schema_context ctx = { .catalog = db_catalog(s->x.conn),
					    .limits = &limits,
					    .arena = &arena };
	struct table_def d;
	enum rowd_code rc = schema_read_table(&ctx, name, strlen(name), pack(&arena, definition), &d, err);

	if (!rc)
		rc = exec_create_table(&s->x, &d, err);
	sample_look(s);
	return rc;
}

void sample_look(struct sample *s)
{
	s->catalog = db_catalog(s->x.conn);
	s->people = catalog_find(s->catalog, "people", 6);
	s->pets = catalog_find(s->catalog, "pets", 4);
	s->keyless = catalog_find(s->catalog, "keyless", 7);
}

const struct column *sample_column(const struct table *t, const char *name)
{
	const struct column *c = table_column(t, name, strlen(name));

	if (!c)
		abort();
	return c;
}

static void set_limits(void)
{
	limits = (struct limits){
#define LIMIT(name, dflt, least, most, meaning) .name = dflt,
		ROWD_LIMITS(LIMIT)
#undef LIMIT
	};
}

void sample_open(struct sample *s)
{
	struct err err;

	err_init(&err);
	set_limits();
	arena_init(&arena);
	sql_init(&statement);
	strcpy(folder, "/tmp/rowd-test-XXXXXX");
	if (!mkdtemp(folder))
		abort();
	snprintf(url, sizeof url, "sqlite://%s/sample.db", folder);
	source = (struct db_source){
		.name = "main", .url = url, .durability = "normal", .busy_timeout_ms = 200, .create = true
	};
	*s = (struct sample){
		.x = { .limits = &limits, .max_rows = -1, .arena = &arena, .sql = &statement }
	};
	must(db_init(&db, &source, &err), &err, "init");
	must(db_conn_open(&db, DB_WRITER, &s->x.conn, &err), &err, "open");
	must(db_begin(s->x.conn, DB_TX_WRITE, &err), &err, "begin");
	must(sample_create(s, "people", people, &err), &err, "people");
	must(sample_create(s, "pets", pets, &err), &err, "pets");
	sample_run(s, "CREATE TABLE keyless (a INTEGER, b TEXT)");
	must(db_reload(s->x.conn, &err), &err, "reload");
	sample_look(s);
}

void sample_close(struct sample *s)
{
	char command[128];

	db_rollback(s->x.conn);
	db_conn_close(s->x.conn);
	db_fini(&db);
	sql_fini(&statement);
	arena_fini(&arena);
	snprintf(command, sizeof command, "rm -rf '%s'", folder);
	if (system(command) != 0)
		abort();
}
