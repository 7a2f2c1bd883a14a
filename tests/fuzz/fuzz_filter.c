/*
 * Filters. Input: one byte that chooses the table, then an array whose first element is a filter. What filter_read accepts must be
 * rendered for every dialect, and SQLite must run it: no statement of ours may be refused by its parser,
 * whatever the filter says.
 */
#include "config.h"

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "daemon/plan/filter.h"
#include "proto/frame.h"
#include "proto/keys.h"
#include "tests/lib/sample.h"

enum { MAX_BYTES = 65536, MAX_VALUES = 5000, MAX_NESTING = 17 };

static const struct dialect *const dialects[] = { &dialect_mariadb, &dialect_mysql, &dialect_mysql57,
						  &dialect_sqlite };

static struct sample opened;

static void close_sample(void)
{
	sample_close(&opened);
}

static struct sample *sample(void)
{
	if (!opened.x.conn) {
		sample_open(&opened);
		atexit(close_sample);
	}
	return &opened;
}

static void run(struct sample *s)
{
	struct value count;
	struct err err;
	enum rowd_code rc;

	err_init(&err);
	rc = db_query_one(s->x.conn, s->x.sql, &count, &err);
	if (rc)
		fprintf(stderr, "%s\n%s\n", err.text, s->x.sql->text.data);
	MUST(rc == ROWD_OK);
	MUST(count.kind == VALUE_INT);
}

static void render(struct sample *s, const struct table *t, const struct pred *p)
{
	const struct select_stmt q = { .table = t, .where = p, .count = true, .limit = -1 };
	size_t i;

	for (i = 0; i < sizeof dialects / sizeof *dialects; i++) {
		sql_select(s->x.sql, dialects[i], &q);
		MUST(!s->x.sql->failed);
		MUST(strstr(s->x.sql->text.data, " WHERE "));
	}
	run(s);
}

static void read_and_render(struct sample *s, const struct table *t, const msgpack_object *o)
{
	struct filter_context ctx = { .catalog = s->catalog, .limits = s->x.limits, .arena = s->x.arena };
	const struct pred *p = NULL;
	struct err err;
	enum rowd_code rc;

	err_init(&err);
	rc = filter_read(&ctx, t, o, &p, &err);
	if (rc) {
		MUST(err.code == rc && err.text[0]);
		return;
	}
	MUST(p && ctx.operators > 0 && ctx.operators <= s->x.limits->filter_operators);
	render(s, t, p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct sample *s = sample();
	const char *filter = (const char *)data + 1;
	const struct table *tables[] = { s->people, s->pets, s->keyless };
	msgpack_unpacked u;
	struct frame f;
	struct err err;
	size_t off = 0;

	if (len < 2)
		return 0;
	frame_init(&f, MAX_BYTES, MAX_NESTING, MAX_VALUES);
	if (frame_scan(&f, filter, len - 1) != FRAME_DONE)
		return 0;
	msgpack_unpacked_init(&u);
	MUST(msgpack_unpack_next(&u, filter, f.scanned, &off) == MSGPACK_UNPACK_SUCCESS);
	err_init(&err);
	if (u.data.via.array.size > 0 && keys_check(&u.data, &err) == ROWD_OK)
		read_and_render(s, tables[data[0] % 3], &u.data.via.array.ptr[0]);
	msgpack_unpacked_destroy(&u);
	arena_reset(s->x.arena);
	return 0;
}
