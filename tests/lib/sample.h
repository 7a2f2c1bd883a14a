/*
 * A SQLite database of its own with a few tables that rowd made, for tests of what comes before a
 * driver. A transaction that writes is open on it all the time.
 *
 * people   id int auto, name text(20), nick text, age int, low int, score float, price decimal(6,2),
 *          ok bool not null, data bytes(4), blob bytes, at time, cost decimal(18,4); unique (name, age);
 *          index (age)
 * pets     owner int, no int, kind text(10), age int; primary key (owner, no); owner refers to people,
 *          cascade; index (kind)
 * keyless  a int, b text: made by another program, without a primary key
 */
#ifndef ROWD_TESTS_SAMPLE_H
#define ROWD_TESTS_SAMPLE_H

#include "daemon/db/db.h"
#include "daemon/exec/exec.h"

struct sample {
	struct exec x;               /* conn, arena, sql, limits are set */
	const struct catalog *catalog;
	const struct table *people, *pets, *keyless;
};

/* Aborts when it cannot be made. */
void sample_open(struct sample *s);
void sample_close(struct sample *s);

/* Run words of SQL, as another program might. */
void sample_run(struct sample *s, const char *words);

/* Make a table from create_table's map. On failure *err says why and nothing was made. */
enum rowd_code sample_create(struct sample *s, const char *name, const char *definition, struct err *err);

/* After a change of the schema: the pointers above are those of the new one. */
void sample_look(struct sample *s);

const struct column *sample_column(const struct table *t, const char *name);

#endif
