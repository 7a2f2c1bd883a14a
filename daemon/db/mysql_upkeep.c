/*
 * What a server says of its own state, and giving back the space of a table.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/db/mysql_private.h"

/* Beyond that a server has lost count. */
enum { WAITS_MOST = 1000000 };

static const struct type texts[] = {
	{ .kind = TYPE_TEXT }, { .kind = TYPE_TEXT }, { .kind = TYPE_TEXT }, { .kind = TYPE_TEXT }
};

static void copy_text(const struct value *v, char *out, size_t out_bytes)
{
	int len = v->kind == VALUE_TEXT && v->u.s.len < out_bytes ? (int)v->u.s.len : 0;

	snprintf(out, out_bytes, "%.*s", len, len ? v->u.s.data : "");
}

/* ---- distress ---- */

struct complaint {
	const char *name; /* of a status variable */
	const char *word; /* what it says then; NULL: any number above 0 */
	const char *why;
};

static const struct complaint complaints[] = {
	{ "Innodb_row_lock_current_waits", NULL, "others wait for locks" },
	{ "Rpl_semi_sync_master_wait_sessions", NULL, "commits wait for a replica" },
	{ "Rpl_semi_sync_source_wait_sessions", NULL, "commits wait for a replica" },
	{ "wsrep_flow_control_active", "true", "the cluster holds writes back" },
	{ "wsrep_flow_control_status", "ON", "the cluster holds writes back" },
};

static const char status_query[] =
	"SHOW GLOBAL STATUS WHERE Variable_name IN ('Innodb_row_lock_current_waits', "
	"'Rpl_semi_sync_master_wait_sessions', 'Rpl_semi_sync_source_wait_sessions', "
	"'wsrep_flow_control_active', 'wsrep_flow_control_status')";

static const char *complaint_of(const struct value *row)
{
	char name[64], value[32];
	long long n;

	copy_text(&row[0], name, sizeof name);
	copy_text(&row[1], value, sizeof value);
	for (size_t i = 0; i < sizeof complaints / sizeof *complaints; i++) {
		if (strcasecmp(name, complaints[i].name) != 0)
			continue;
		if (complaints[i].word)
			return strcasecmp(value, complaints[i].word) == 0 ? complaints[i].why : NULL;
		n = strtoll(value, NULL, 10);
		return n > 0 && n < WAITS_MOST ? complaints[i].why : NULL;
	}
	return NULL;
}

enum rowd_code mydb_distress(void *conn, const char **why_out, struct err *err)
{
	struct mydb_conn *c = conn;
	struct value row[2];
	struct mydb_stmt *s;
	bool has_row;
	enum rowd_code rc = mydb_ask(c, status_query, NULL, 0, texts, 2, &s, err);

	*why_out = NULL;
	while (!rc && !(rc = mydb_step(c, s, row, &has_row, err)) && has_row)
		if (!*why_out)
			*why_out = complaint_of(row);
	mydb_answered(c, s);
	return rc;
}

/* ---- space ---- */

static enum rowd_code ask_ints(struct mydb_conn *c, const char *query, const struct value *param,
			       int64_t *out, size_t n, struct err *err)
{
	static const struct type ints[] = { { .kind = TYPE_INT }, { .kind = TYPE_INT } };
	struct value row[2];
	struct mydb_stmt *s;
	bool has_row = false;
	enum rowd_code rc = mydb_ask(c, query, param, param ? 1 : 0, ints, n, &s, err);

	if (!rc)
		rc = mydb_step(c, s, row, &has_row, err);
	for (size_t i = 0; !rc && i < n; i++)
		out[i] = has_row && row[i].kind == VALUE_INT ? row[i].u.i : 0;
	mydb_answered(c, s);
	return rc;
}

enum rowd_code mydb_space(void *conn, struct db_space *out, struct err *err)
{
	static const char query[] = "SELECT CAST(COALESCE(SUM(DATA_LENGTH + INDEX_LENGTH), 0) AS SIGNED), "
				    "CAST(COALESCE(SUM(DATA_FREE), 0) AS SIGNED) "
				    "FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()";
	int64_t bytes[2] = { 0, 0 };
	enum rowd_code rc = ask_ints(conn, query, NULL, bytes, 2, err);

	*out = (struct db_space){ .used_bytes = bytes[0], .free_bytes = bytes[1] };
	return rc;
}

/* Its rows are of four texts; the third of one says "error" when it failed. */
static enum rowd_code run_optimize(struct mydb_conn *c, const char *words, struct err *err)
{
	struct value row[4];
	struct mydb_stmt *s;
	char kind[16];
	bool has_row, failed = false;
	enum rowd_code rc = mydb_ask(c, words, NULL, 0, texts, 4, &s, err);

	while (!rc && !(rc = mydb_step(c, s, row, &has_row, err)) && has_row) {
		copy_text(&row[2], kind, sizeof kind);
		failed |= strcasecmp(kind, "error") == 0;
	}
	mydb_answered(c, s);
	if (!rc && failed)
		rc = err_set(err, ROWD_E_STORAGE_FULL,
			     "the server could not make the table anew; it is as it was");
	return rc;
}

enum rowd_code mydb_optimize(void *conn, const char *table, size_t len, struct err *err)
{
	static const char query[] = "SELECT CAST(COUNT(*) AS SIGNED) FROM information_schema.TABLES WHERE "
				    "TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' AND "
				    "BINARY TABLE_NAME = ?";
	struct value name = value_text(table, len);
	int64_t found = 0;
	char words[512];
	size_t n;
	enum rowd_code rc = ask_ints(conn, query, &name, &found, 1, err);

	if (rc)
		return rc;
	if (!found || len * 2 + 32 > sizeof words)
		return err_set(err, ROWD_E_UNKNOWN_TABLE, "the database has no such table");
	n = (size_t)snprintf(words, sizeof words, "OPTIMIZE TABLE `");
	for (size_t i = 0; i < len; i++) {
		if (table[i] == '`')
			words[n++] = '`';
		words[n++] = table[i];
	}
	snprintf(words + n, sizeof words - n, "`");
	return run_optimize(conn, words, err);
}
