/*
 * Errands to the server of a connection that is busy, by connections of their own: to stop what runs
 * there, and to see whether anybody is there at all.
 *
 * Thread: one that does nothing else. The connection they are for waits until they are done.
 */
#include "config.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "daemon/db/mysql_private.h"

enum { KILL_SECONDS = MYDB_KILL_MS / 3000, PROBE_SECONDS = 3 };

/* Is this the server that the connection is to? Behind one address there may be several. */
static bool is_same_server(MYSQL *db, const char *identity)
{
	MYSQL_RES *result;
	MYSQL_ROW row;
	bool same = false;

	if (mysql_real_query(db, mydb_identity_query, strlen(mydb_identity_query)) != 0)
		return false;
	result = mysql_store_result(db);
	row = result ? mysql_fetch_row(result) : NULL;
	if (row && row[0])
		same = strncmp(row[0], identity, sizeof((struct mydb_conn *)0)->identity - 1) == 0;
	if (result)
		mysql_free_result(result);
	return same;
}

enum mydb_kill mydb_kill_query(struct mydb_conn *c)
{
	enum mydb_kill result = KILL_NOT_SENT;
	struct err ignored;
	char words[48];
	MYSQL *db;

	err_init(&ignored);
	if (mydb_connect_host(c, c->host, KILL_SECONDS, KILL_SECONDS, &db, &ignored))
		return KILL_NOT_SENT;
	if (is_same_server(db, c->identity)) {
		snprintf(words, sizeof words, "KILL QUERY %" PRIu64, c->id);
		if (mysql_real_query(db, words, strlen(words)) == 0)
			result = KILL_DONE;
		else if (mydb_is_lost(mysql_errno(db)))
			result = KILL_UNKNOWN;
	}
	mysql_close(db);
	return result;
}

/* Does anybody answer at that address? Whoever refuses the connection does. */
bool mydb_is_there(struct mydb_conn *c)
{
	struct err why;
	MYSQL *db;

	err_init(&why);
	if (mydb_connect_host(c, c->host, PROBE_SECONDS, PROBE_SECONDS, &db, &why))
		return !mydb_is_lost((unsigned)why.native);
	mysql_close(db);
	return true;
}
