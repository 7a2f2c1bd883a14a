/*
 * The settings of a session: each is made what rowd needs, whatever the server's defaults, read back,
 * and what follows from them is proven on the server itself. A server that cannot keep the promise is
 * refused.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "daemon/db/mysql_private.h"

enum {
	MARIADB_LEAST = 100500,
	MYSQL_LEAST = 50700,
	MYSQL_NO_PAD = 80017, /* the first with a binary NO PAD collation */
	WORDS_BYTES = 4096,
	SHOWN_BYTES = 512,
	MS_PER_S = 1000
};

/* ---- what the settings are to be ---- */

enum who { ALL = 0, MARIADB_ONLY, CLUSTER_ONLY, NOT_A_CLUSTER };

enum compared {
	AS_WORD, /* without regard to case */
	AS_NUMBER,
	AS_SET /* of words, in any order */
};

struct setting {
	const char *name;
	const char *due; /* as the server shows it; NULL: the seconds to wait for a lock */
	const char *set; /* what to set it to, where that is not due */
	enum compared compared;
	enum who who;
	bool checked_only; /* never set: the server's administrator means it so */
};

#define SQL_MODE \
	"ANSI_QUOTES,ERROR_FOR_DIVISION_BY_ZERO,NO_AUTO_VALUE_ON_ZERO,NO_BACKSLASH_ESCAPES," \
	"NO_ENGINE_SUBSTITUTION,NO_ZERO_DATE,NO_ZERO_IN_DATE,ONLY_FULL_GROUP_BY,STRICT_ALL_TABLES," \
	"STRICT_TRANS_TABLES"

/* A setting that a server does not have needs no value there. */
static const struct setting settings[] = {
	{ .name = "sql_mode", .due = SQL_MODE, .compared = AS_SET },
	{ .name = "autocommit", .due = "OFF", .set = "0" },
	{ .name = "completion_type", .due = "NO_CHAIN", .set = "0" },
	{ .name = "time_zone", .due = "+00:00" },
	{ .name = "sql_auto_is_null", .due = "OFF", .set = "0" },
	{ .name = "sql_safe_updates", .due = "OFF", .set = "0" },
	{ .name = "sql_big_selects", .due = "ON", .set = "1" },
	{ .name = "sql_select_limit", .due = "18446744073709551615", .compared = AS_NUMBER },
	{ .name = "sql_buffer_result", .due = "OFF", .set = "0" },
	{ .name = "sql_notes", .due = "ON", .set = "1" },
	{ .name = "sql_warnings", .due = "OFF", .set = "0" },
	{ .name = "max_error_count", .due = "64", .compared = AS_NUMBER },
	{ .name = "foreign_key_checks", .due = "ON", .set = "1" },
	{ .name = "unique_checks", .due = "ON", .set = "1" },
	{ .name = "innodb_strict_mode", .due = "ON", .set = "1" },
	{ .name = "innodb_table_locks", .due = "ON", .set = "1" },
	{ .name = "innodb_lock_wait_timeout", .compared = AS_NUMBER },
	{ .name = "lock_wait_timeout", .compared = AS_NUMBER },
	{ .name = "tx_read_only", .due = "OFF", .set = "0" },
	{ .name = "transaction_read_only", .due = "OFF", .set = "0" },
	{ .name = "default_storage_engine", .due = "InnoDB" },
	/* a cluster gives each of its servers ids of its own */
	{ .name = "auto_increment_increment", .due = "1", .compared = AS_NUMBER, .who = NOT_A_CLUSTER },
	{ .name = "auto_increment_offset", .due = "1", .compared = AS_NUMBER, .who = NOT_A_CLUSTER },
	{ .name = "div_precision_increment", .due = "4", .compared = AS_NUMBER },
	{ .name = "group_concat_max_len", .due = "1048576", .compared = AS_NUMBER },
	/* texts are put in order by all they hold: up to 60,000 bytes of a row */
	{ .name = "max_sort_length", .due = "65536", .compared = AS_NUMBER },
	{ .name = "sort_buffer_size", .due = "4194304", .compared = AS_NUMBER },
	/* a reader may be slow; what bounds a statement is rowd's deadline */
	{ .name = "net_write_timeout", .due = "86400", .compared = AS_NUMBER },
	{ .name = "max_statement_time", .due = "0", .compared = AS_NUMBER },
	{ .name = "max_execution_time", .due = "0", .compared = AS_NUMBER },
	{ .name = "idle_transaction_timeout", .due = "0", .compared = AS_NUMBER },
	{ .name = "idle_write_transaction_timeout", .due = "0", .compared = AS_NUMBER },
	{ .name = "idle_readonly_transaction_timeout", .due = "0", .compared = AS_NUMBER },
	/* long lists stay what they are: no warning, no other plan */
	{ .name = "range_optimizer_max_mem_size", .due = "0", .compared = AS_NUMBER },
	{ .name = "in_predicate_conversion_threshold", .due = "0", .compared = AS_NUMBER },
	{ .name = "old_mode", .due = "", .compared = AS_SET, .who = MARIADB_ONLY },
	{ .name = "check_constraint_checks", .due = "ON", .set = "1", .who = MARIADB_ONLY },
	{ .name = "sql_if_exists", .due = "OFF", .set = "0", .who = MARIADB_ONLY },
	{ .name = "system_versioning_asof", .due = "DEFAULT", .who = MARIADB_ONLY },
	/* of a cluster: what was acknowledged by one server is seen on the next */
	{ .name = "wsrep_sync_wait", .due = "7", .compared = AS_NUMBER, .who = CLUSTER_ONLY },
	{ .name = "wsrep_trx_fragment_size", .due = "0", .compared = AS_NUMBER, .who = CLUSTER_ONLY },
	{ .name = "sql_log_bin", .due = "ON", .checked_only = true },
	/* learnt here, judged below */
	{ .name = "version", .checked_only = true },
	{ .name = "max_allowed_packet", .checked_only = true },
	{ .name = "log_bin", .checked_only = true },
	{ .name = "binlog_format", .checked_only = true },
	{ .name = "wsrep_on", .checked_only = true },
	{ .name = "character_set_client", .due = "utf8mb4", .checked_only = true },
	{ .name = "character_set_connection", .due = "utf8mb4", .checked_only = true },
	{ .name = "character_set_results", .due = "utf8mb4", .checked_only = true },
	{ .name = "collation_connection", .checked_only = true },
};

enum { SETTINGS = sizeof settings / sizeof *settings };

struct shown {
	bool exists;
	char value[SHOWN_BYTES];
};

struct session {
	struct mydb_conn *c; /* borrowed */
	struct shown shown[SETTINGS];
	char lock_seconds[24];
	char words[WORDS_BYTES];
};

/* ---- reading ---- */

static struct shown *shown_of(struct session *s, const char *name)
{
	size_t i;

	for (i = 0; i < SETTINGS; i++)
		if (strcasecmp(settings[i].name, name) == 0)
			return &s->shown[i];
	return NULL;
}

static const char *value_of(struct session *s, const char *name)
{
	const struct shown *shown = shown_of(s, name);

	return shown->exists ? shown->value : "";
}

static void take_row(struct session *s, const struct value *row)
{
	char name[SHOWN_BYTES];
	struct shown *shown;

	if (row[0].kind != VALUE_TEXT || row[1].kind != VALUE_TEXT)
		return;
	snprintf(name, sizeof name, "%.*s", (int)row[0].u.s.len, row[0].u.s.data);
	shown = shown_of(s, name);
	if (!shown)
		return;
	shown->exists = true;
	snprintf(shown->value, sizeof shown->value, "%.*s", (int)row[1].u.s.len, row[1].u.s.data);
}

static enum rowd_code read_settings(struct session *s, struct err *err)
{
	static const struct type types[] = { { .kind = TYPE_TEXT }, { .kind = TYPE_TEXT } };
	struct value row[2];
	struct mydb_stmt *stmt;
	bool has_row;
	size_t i, n;
	enum rowd_code rc;

	n = (size_t)snprintf(s->words, sizeof s->words, "SHOW SESSION VARIABLES WHERE Variable_name IN (");
	for (i = 0; i < SETTINGS; i++)
		n += (size_t)snprintf(s->words + n, sizeof s->words - n, "%s'%s'", i ? ", " : "",
				      settings[i].name);
	snprintf(s->words + n, sizeof s->words - n, ")");
	memset(s->shown, 0, sizeof s->shown);
	rc = mydb_ask(s->c, s->words, NULL, 0, types, 2, &stmt, err);
	while (!rc && !(rc = mydb_step(s->c, stmt, row, &has_row, err)) && has_row)
		take_row(s, row);
	mydb_answered(s->c, stmt);
	return rc;
}

/* ---- comparing ---- */

/* Is every word of a one of b? */
static bool is_subset(const char *a, const char *b)
{
	while (*a) {
		size_t len = strcspn(a, ",");
		const char *p = b;

		while (*p && !(strcspn(p, ",") == len && strncasecmp(p, a, len) == 0)) {
			p += strcspn(p, ",");
			p += *p == ',';
		}
		if (!*p)
			return false;
		a += len;
		a += *a == ',';
	}
	return true;
}

static const char *due_of(const struct session *s, const struct setting *setting)
{
	return setting->due ? setting->due : s->lock_seconds;
}

static bool holds(const struct session *s, size_t i)
{
	const char *due = due_of(s, &settings[i]), *value = s->shown[i].value;

	switch (settings[i].compared) {
	case AS_NUMBER:
		return strtod(value, NULL) == strtod(due, NULL);
	case AS_SET:
		return is_subset(value, due) && is_subset(due, value);
	case AS_WORD:
		break;
	}
	return strcasecmp(value, due) == 0;
}

static bool applies(const struct session *s, size_t i)
{
	const struct setting *setting = &settings[i];

	if (!s->shown[i].exists || (setting->checked_only && !setting->due))
		return false;
	switch (setting->who) {
	case MARIADB_ONLY:
		return s->c->mariadb;
	case CLUSTER_ONLY:
		return s->c->galera && s->c->url.nhosts > 1;
	case NOT_A_CLUSTER:
		return !s->c->galera;
	case ALL:
		break;
	}
	return true;
}

static enum rowd_code check_settings(struct session *s, struct err *err)
{
	size_t i;

	for (i = 0; i < SETTINGS; i++)
		if (applies(s, i) && !holds(s, i))
			return err_set(err, ROWD_E_UNAVAILABLE, "the server's %s cannot be made %s",
				       settings[i].name, due_of(s, &settings[i]));
	return ROWD_OK;
}

/* ---- setting ---- */

static size_t add_setting(const struct session *s, size_t i, char *out, size_t out_bytes, bool first)
{
	const struct setting *setting = &settings[i];
	const char *due = due_of(s, setting);
	int n;

	if (setting->set || setting->compared == AS_NUMBER)
		n = snprintf(out, out_bytes, "%s %s = %s", first ? "" : ",", setting->name,
			     setting->set ? setting->set : due);
	else
		n = snprintf(out, out_bytes, "%s %s = '%s'", first ? "" : ",", setting->name, due);
	return (size_t)n;
}

/* One by one, to name the one that the server refuses. */
static enum rowd_code set_each(struct session *s, struct err *err)
{
	size_t i, n;
	enum rowd_code rc;

	for (i = 0; i < SETTINGS; i++) {
		if (!applies(s, i) || holds(s, i) || settings[i].checked_only)
			continue;
		n = (size_t)snprintf(s->words, sizeof s->words, "SET SESSION");
		add_setting(s, i, s->words + n, sizeof s->words - n, true);
		rc = mydb_say(s->c, s->words, MYDB_CONTROL_MS, err);
		if (rc && !s->c->broken)
			return err_native(err, ROWD_E_UNAVAILABLE, err->native,
					  "the server's %s cannot be made %s", settings[i].name,
					  due_of(s, &settings[i]));
		if (rc)
			return rc;
	}
	return ROWD_OK;
}

static enum rowd_code set_settings(struct session *s, struct err *err)
{
	size_t i, n;
	bool any = false;
	struct err first;

	n = (size_t)snprintf(s->words, sizeof s->words, "SET SESSION");
	for (i = 0; i < SETTINGS; i++)
		if (applies(s, i) && !holds(s, i) && !settings[i].checked_only) {
			n += add_setting(s, i, s->words + n, sizeof s->words - n, !any);
			any = true;
		}
	err_init(&first);
	if (!any || mydb_say(s->c, s->words, MYDB_CONTROL_MS, &first) == ROWD_OK)
		return ROWD_OK;
	return set_each(s, err);
}

/* ---- the server ---- */

static enum rowd_code judge_version(struct session *s, struct err *err)
{
	struct mydb_conn *c = s->c;
	const char *text = value_of(s, "version");
	unsigned major = 0, minor = 0, patch = 0;

	/* some servers put another version in front for the sake of old clients */
	if (strncmp(text, "5.5.5-", 6) == 0)
		text += 6;
	if (sscanf(text, "%u.%u.%u", &major, &minor, &patch) != 3)
		return err_set(err, ROWD_E_UNAVAILABLE, "the server does not say its version");
	c->mariadb = strcasestr(text, "mariadb") != NULL;
	c->version = major * 10000 + minor * 100 + patch;
	snprintf(c->server, sizeof c->server, "%s %u.%u.%u", c->mariadb ? "MariaDB" : "MySQL", major, minor,
		 patch);
	if (c->version < (c->mariadb ? MARIADB_LEAST : MYSQL_LEAST))
		return err_set(err, ROWD_E_UNAVAILABLE, "the server is %s; rowd needs %s", c->server,
			       c->mariadb ? "MariaDB 10.5 or newer" : "MySQL 5.7 or newer");
	c->dialect = c->mariadb                  ? &dialect_mariadb
		     : c->version < MYSQL_NO_PAD ? &dialect_mysql57
						 : &dialect_mysql;
	return ROWD_OK;
}

static enum rowd_code judge_server(struct session *s, struct err *err)
{
	struct mydb_conn *c = s->c;

	c->packet_bytes = strtoll(value_of(s, "max_allowed_packet"), NULL, 10);
	c->statement_binlog = strcasecmp(value_of(s, "log_bin"), "ON") == 0 &&
			      strcasecmp(value_of(s, "binlog_format"), "STATEMENT") == 0;
	if (c->packet_bytes < MYDB_PACKET_LEAST_BYTES)
		return err_set(err, ROWD_E_UNAVAILABLE, "the server's max_allowed_packet is below %d bytes",
			       MYDB_PACKET_LEAST_BYTES);
	return ROWD_OK;
}

static enum rowd_code set_names(struct mydb_conn *c, struct err *err)
{
	char words[96];

	snprintf(words, sizeof words, "SET NAMES utf8mb4 COLLATE %s",
		 c->dialect->text_collation ? c->dialect->text_collation : "utf8mb4_bin");
	return mydb_say(c, words, MYDB_CONTROL_MS, err);
}

static enum rowd_code read_identity(struct mydb_conn *c, struct err *err)
{
	static const struct type types[] = { { .kind = TYPE_INT }, { .kind = TYPE_TEXT } };
	char text[SHOWN_BYTES];
	struct value row[2];
	struct mydb_stmt *s;
	bool has_row = false;
	enum rowd_code rc;

	snprintf(text, sizeof text, "SELECT CONNECTION_ID(), (%s)", mydb_identity_query);
	rc = mydb_ask(c, text, NULL, 0, types, 2, &s, err);
	if (!rc)
		rc = mydb_step(c, s, row, &has_row, err);
	if (!rc && (!has_row || row[0].kind != VALUE_INT || row[1].kind != VALUE_TEXT))
		rc = err_set(err, ROWD_E_UNAVAILABLE, "the server does not say which one it is");
	if (!rc) {
		c->id = (uint64_t)row[0].u.i;
		snprintf(c->identity, sizeof c->identity, "%.*s", (int)row[1].u.s.len, row[1].u.s.data);
	}
	mydb_answered(c, s);
	return rc;
}

/* ---- proofs ---- */

/*
 * Conditions that are true where rowd's promises hold, named for the refusal. T'...' is a text in the
 * way that columns of text are kept.
 */
static const struct {
	const char *what;
	const char *condition;
} proofs[] = {
	{ "tells letters by their case", "T'a' <> T'A' AND NOT T'a' LIKE T'A'" },
	{ "tells letters by their accents", "T'a' <> T'\xc3\xa1'" },
	{ "counts trailing spaces", "T'a' <> T'a ' AND T'a' < T'a ' AND T'a' < T'a\t'" },
	{ "orders text by code point",
	  "T'\xef\xbf\xbf' < T'\xf0\x90\x80\x80' AND T'B' < T'a' AND T'z' < T'\xc3\xa9'" },
	{ "takes a backslash for itself", "CHAR_LENGTH('\\') = 1" },
	{ "takes double quotes for names", "\"one\" = 1" },
	{ "escapes a pattern as told",
	  "T'a_b' LIKE T'a|_b' ESCAPE '|' AND NOT T'axb' LIKE T'a|_b' ESCAPE '|' AND T'axb' LIKE T'a_b' ESCAPE '|'" },
	{ "counts characters", "CHAR_LENGTH('\xf0\x9f\x98\x80') = 1 AND LENGTH('\xf0\x9f\x98\x80') = 4" },
	{ "keeps bytes as they are", "X'00' <> X'' AND X'41' <> X'61' AND LENGTH(X'0000') = 2" },
	{ "counts whole numbers exactly", "9007199254740993 <> 9007199254740992 AND 9223372036854775807 > "
					  "9223372036854775806" },
	{ "counts decimals exactly",
	  "CAST('999999999999999.999' AS DECIMAL(18,3)) < CAST('1000000000000000.000' AS DECIMAL(19,3))" },
	{ "keeps microseconds", "MICROSECOND(CAST('2001-02-03 04:05:06.123456' AS DATETIME(6))) = 123456" },
	{ "knows the first and the last year", "CAST('0001-01-01 00:00:00' AS DATETIME(6)) < "
					       "CAST('9999-12-31 23:59:59.999999' AS DATETIME(6))" },
	{ "keeps the time of UTC", "FROM_UNIXTIME(0) = CAST('1970-01-01 00:00:00' AS DATETIME)" },
	{ "knows what null is", "(NULL = NULL) IS NULL AND (NULL <=> NULL) AND ((1 IN (2, NULL)) IS NULL)" },
};

enum { PROOFS = sizeof proofs / sizeof *proofs };

static size_t add_condition(const struct session *s, const char *condition, char *out, size_t out_bytes)
{
	size_t n = 0;

	for (; *condition && n + 1 < out_bytes; condition++) {
		if (condition[0] == 'T' && condition[1] == '\'')
			n += (size_t)snprintf(out + n, out_bytes - n, "%s",
					      s->c->dialect->text_is_bytes ? "_binary" : "");
		else
			out[n++] = *condition;
	}
	out[n] = '\0';
	return n;
}

static enum rowd_code prove_conditions(struct session *s, struct err *err)
{
	struct type types[PROOFS];
	struct value row[PROOFS];
	struct mydb_stmt *stmt;
	bool has_row = false;
	size_t i, n;
	enum rowd_code rc;

	n = (size_t)snprintf(s->words, sizeof s->words, "SELECT ");
	for (i = 0; i < PROOFS; i++) {
		types[i] = (struct type){ .kind = TYPE_INT };
		n += (size_t)snprintf(s->words + n, sizeof s->words - n, "%s(", i ? ", " : "");
		n += add_condition(s, proofs[i].condition, s->words + n, sizeof s->words - n);
		n += (size_t)snprintf(s->words + n, sizeof s->words - n, ")");
	}
	snprintf(s->words + n, sizeof s->words - n, " FROM (SELECT 1 AS one) AS x");
	rc = mydb_ask(s->c, s->words, NULL, 0, types, PROOFS, &stmt, err);
	if (!rc)
		rc = mydb_step(s->c, stmt, row, &has_row, err);
	for (i = 0; !rc && i < PROOFS; i++)
		if (!has_row || row[i].kind != VALUE_INT || row[i].u.i != 1)
			rc = err_set(err, ROWD_E_UNAVAILABLE, "the server is not one that %s",
				     proofs[i].what);
	mydb_answered(s->c, stmt);
	return rc;
}

/* What is bound comes back as it went. */
static enum rowd_code prove_values(struct session *s, struct err *err)
{
	const struct value sent[] = {
		value_int(INT64_MIN),
		value_int(INT64_MAX),
		{ .kind = VALUE_FLOAT, .u.f = 5e-324 },
		{ .kind = VALUE_FLOAT, .u.f = 1.7976931348623157e308 },
		{ .kind = VALUE_FLOAT, .u.f = 0.1 },
		value_text("a \\'\"\xf0\x9f\x98\x80 ", 10),
		value_bytes("\0\xff ", 3),
		{ .kind = VALUE_DECIMAL, .scale = 3, .u.i = -999999999999999999 },
		{ .kind = VALUE_TIME, .u.i = VALUE_TIME_MIN },
		{ .kind = VALUE_TIME, .u.i = VALUE_TIME_MAX },
	};
	enum { SENT = sizeof sent / sizeof *sent };
	static const struct type types[SENT] = {
		{ .kind = TYPE_INT },   { .kind = TYPE_INT },
		{ .kind = TYPE_FLOAT }, { .kind = TYPE_FLOAT },
		{ .kind = TYPE_FLOAT }, { .kind = TYPE_TEXT },
		{ .kind = TYPE_BYTES }, { .kind = TYPE_DECIMAL, .digits = 18, .scale = 3 },
		{ .kind = TYPE_TIME },  { .kind = TYPE_TIME },
	};
	static const char text[] =
		"SELECT CAST(? AS SIGNED), CAST(? AS SIGNED), ? * 1e0, ? * 1e0, ? * 1e0, "
		"CONCAT(?), CAST(? AS BINARY), CAST(? AS DECIMAL(18,3)), CAST(? AS DATETIME(6)), CAST(? AS DATETIME(6))";
	struct value row[SENT];
	struct mydb_stmt *stmt;
	bool has_row = false;
	size_t i;
	enum rowd_code rc = mydb_ask(s->c, text, sent, SENT, types, SENT, &stmt, err);

	if (!rc)
		rc = mydb_step(s->c, stmt, row, &has_row, err);
	for (i = 0; !rc && i < SENT; i++)
		if (!has_row || row[i].kind != sent[i].kind || !value_equal(&row[i], &sent[i]))
			rc = err_set(err, ROWD_E_UNAVAILABLE,
				     "the server does not give back what it was given");
	mydb_answered(s->c, stmt);
	return rc;
}

/* ---- all of it ---- */

static enum rowd_code prepare_session(struct session *s, struct err *err)
{
	enum rowd_code rc = read_settings(s, err);

	if (!rc)
		rc = judge_version(s, err);
	if (rc)
		return rc;
	s->c->galera = strcasecmp(value_of(s, "wsrep_on"), "ON") == 0;
	rc = set_settings(s, err);
	if (!rc)
		rc = set_names(s->c, err);
	if (!rc)
		rc = read_settings(s, err);
	if (!rc)
		rc = check_settings(s, err);
	if (!rc)
		rc = judge_server(s, err);
	if (!rc)
		rc = read_identity(s->c, err);
	if (!rc)
		rc = prove_conditions(s, err);
	return rc ? rc : prove_values(s, err);
}

enum rowd_code mydb_session_prepare(struct mydb_conn *c, struct err *err)
{
	struct session *s = calloc(1, sizeof *s);
	int64_t seconds = (c->source->busy_timeout_ms + MS_PER_S - 1) / MS_PER_S;
	enum rowd_code rc;

	if (!s)
		return err_set(err, ROWD_E_NO_RESOURCE, "memory ran out");
	s->c = c;
	snprintf(s->lock_seconds, sizeof s->lock_seconds, "%" PRId64, seconds > 0 ? seconds : 1);
	rc = prepare_session(s, err);
	free(s);
	return rc;
}
