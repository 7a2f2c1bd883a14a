/*
 * The numbers of MySQL and MariaDB in rowd's words. The servers' own messages hold values and names
 * of others: two are looked at, none is passed on.
 */
#include "config.h"

#include <string.h>

#include "daemon/db/mysql_private.h"

/* Below it, numbers are of the files that a server keeps for itself. */
enum { FILE_ERRORS_END = 1000 };

/* What else follows from an error. */
enum {
	ENDS_TRANSACTION = 1, /* the whole transaction is rolled back, by the server or by us */
	ENDS_CONNECTION = 2
};

static const char text_memory[] = "the server has no memory, connection or statement left for the moment";
static const char text_schema[] = "the table is no longer what it was";
static const char text_shape[] = "the server cannot make the table as described";
static const char text_type[] = "the column stores values of another type";
static const char text_range[] = "a value lies outside the range of its column";
static const char text_null[] = "a column that must have a value was given none";
static const char text_unique[] = "another row has that unique key";
static const char text_foreign[] = "a foreign key forbids it";
static const char text_lost[] = "the connection to the server was lost";
static const char text_denied[] = "the server forbids it to the account of rowd";
static const char text_full[] = "no room is left for the database";
static const char text_damaged[] = "a table of the server is damaged";
static const char text_large[] = "a row or statement is larger than the server was allowed";
static const char text_deep[] = "the filter is nested too deeply";

static const struct {
	unsigned number;
	enum rowd_code code;
	unsigned follows;
	const char *text;
} rows[] = {
	/* of the library */
	{ CR_OUT_OF_MEMORY, ROWD_E_NO_RESOURCE, ENDS_CONNECTION, "memory ran out" },
	{ CR_NET_PACKET_TOO_LARGE, ROWD_E_LIMIT, ENDS_CONNECTION, text_large },
	{ CR_COMMANDS_OUT_OF_SYNC, ROWD_E_INTERNAL, ENDS_CONNECTION,
	  "the rows of another statement were not read" },
	/* rows */
	{ 1062, ROWD_E_CONFLICT, 0, text_unique },
	{ 1022, ROWD_E_CONFLICT, 0, text_unique },
	{ 1169, ROWD_E_CONFLICT, 0, text_unique },
	{ 1586, ROWD_E_CONFLICT, 0, text_unique },
	{ 1761, ROWD_E_CONFLICT, 0, text_unique },
	{ 1762, ROWD_E_CONFLICT, 0, text_unique },
	{ 1216, ROWD_E_FOREIGN_KEY, 0, text_foreign },
	{ 1217, ROWD_E_FOREIGN_KEY, 0, text_foreign },
	{ 1451, ROWD_E_FOREIGN_KEY, 0, text_foreign },
	{ 1452, ROWD_E_FOREIGN_KEY, 0, text_foreign },
	{ 1553, ROWD_E_FOREIGN_KEY, 0, text_foreign },
	{ 1701, ROWD_E_FOREIGN_KEY, 0, text_foreign },
	{ 1829, ROWD_E_FOREIGN_KEY, 0, text_foreign },
	{ 3730, ROWD_E_FOREIGN_KEY, 0, text_foreign },
	/* values */
	{ 1264, ROWD_E_OUT_OF_RANGE, 0, text_range },
	{ 1690, ROWD_E_OUT_OF_RANGE, 0, "a result is outside the range of its type" },
	{ 1365, ROWD_E_OUT_OF_RANGE, 0, "a result is outside the range of its type" },
	{ 167, ROWD_E_OUT_OF_RANGE, 0, "the table has given its last id" },
	{ 1467, ROWD_E_OUT_OF_RANGE, 0, "the table has given its last id" },
	{ 3819, ROWD_E_OUT_OF_RANGE, 0, "a check of the table refuses the value" },
	{ 4025, ROWD_E_OUT_OF_RANGE, 0, "a check of the table refuses the value" },
	{ 1644, ROWD_E_OUT_OF_RANGE, 0, "a trigger of the table refuses it" },
	{ 1406, ROWD_E_TOO_LONG, 0, "a value is longer than its column" },
	{ 1048, ROWD_E_NULL_NOT_ALLOWED, 0, text_null },
	{ 1263, ROWD_E_NULL_NOT_ALLOWED, 0, text_null },
	{ 1364, ROWD_E_NULL_NOT_ALLOWED, 0, text_null },
	{ 1265, ROWD_E_TYPE_MISMATCH, 0, text_type },
	{ 1292, ROWD_E_TYPE_MISMATCH, 0, text_type },
	{ 1366, ROWD_E_TYPE_MISMATCH, 0, text_type },
	{ 1411, ROWD_E_TYPE_MISMATCH, 0, text_type },
	{ 1525, ROWD_E_TYPE_MISMATCH, 0, text_type },
	{ 1906, ROWD_E_SCHEMA_MISMATCH, 0, text_schema },
	{ 3105, ROWD_E_SCHEMA_MISMATCH, 0, text_schema },
	/* locks */
	{ 1205, ROWD_E_BUSY, ENDS_TRANSACTION, "another transaction held a lock for too long" },
	{ 1213, ROWD_E_BUSY, ENDS_TRANSACTION, "a deadlock with another transaction" },
	{ 1020, ROWD_E_BUSY, ENDS_TRANSACTION, "a row was changed by another transaction" },
	{ 1206, ROWD_E_STORAGE_FULL, ENDS_TRANSACTION, "the server has no room for more locks" },
	{ 1689, ROWD_E_BUSY, ENDS_TRANSACTION, "a lock was taken away by the server" },
	{ 3058, ROWD_E_BUSY, ENDS_TRANSACTION, "a deadlock with another transaction" },
	{ 3101, ROWD_E_BUSY, ENDS_TRANSACTION, "another server of the cluster changed the same rows" },
	{ 3572, ROWD_E_BUSY, ENDS_TRANSACTION, "another transaction holds a lock" },
	/* stopped */
	{ 1317, ROWD_E_CANCELLED, 0, "stopped by the server's administrator" },
	{ 1028, ROWD_E_CANCELLED, 0, "stopped by the server's administrator" },
	{ 1969, ROWD_E_TIMEOUT, 0, "the server's own deadline passed" },
	{ 3024, ROWD_E_TIMEOUT, 0, "the server's own deadline passed" },
	/* read only */
	{ 1290, ROWD_E_READ_ONLY, ENDS_TRANSACTION, "the server cannot be written" },
	{ 1792, ROWD_E_READ_ONLY, 0, "the transaction only reads" },
	{ 1836, ROWD_E_READ_ONLY, ENDS_TRANSACTION, "the server cannot be written" },
	{ 1874, ROWD_E_READ_ONLY, ENDS_TRANSACTION, "the server cannot be written" },
	/* resources */
	{ 3, ROWD_E_STORAGE_FULL, ENDS_TRANSACTION, text_full },
	{ 1021, ROWD_E_STORAGE_FULL, ENDS_TRANSACTION, text_full },
	{ 1026, ROWD_E_STORAGE_FULL, ENDS_TRANSACTION, text_full },
	{ 1114, ROWD_E_STORAGE_FULL, ENDS_TRANSACTION, text_full },
	{ 1037, ROWD_E_NO_RESOURCE, ENDS_TRANSACTION, text_memory },
	{ 1040, ROWD_E_NO_RESOURCE, ENDS_CONNECTION, text_memory },
	{ 1041, ROWD_E_NO_RESOURCE, ENDS_TRANSACTION, text_memory },
	{ 1135, ROWD_E_NO_RESOURCE, ENDS_CONNECTION, text_memory },
	{ 1203, ROWD_E_NO_RESOURCE, ENDS_CONNECTION, text_memory },
	{ 1226, ROWD_E_NO_RESOURCE, ENDS_CONNECTION, text_memory },
	{ 1461, ROWD_E_NO_RESOURCE, 0, text_memory },
	{ 1038, ROWD_E_LIMIT, 0, "the rows are too long to be sorted by the server" },
	{ 1116, ROWD_E_LIMIT, 0, "the filter names too many tables" },
	{ 1153, ROWD_E_LIMIT, ENDS_CONNECTION, text_large },
	{ 1301, ROWD_E_LIMIT, 0, text_large },
	{ 1390, ROWD_E_LIMIT, 0, "too many values in one statement" },
	{ 1119, ROWD_E_LIMIT, 0, text_deep },
	{ 1436, ROWD_E_LIMIT, 0, text_deep },
	{ 3008, ROWD_E_LIMIT, 0, "the deletion cascades too deeply" },
	/* the schema */
	{ 1050, ROWD_E_TABLE_EXISTS, 0, "a table or index of that name exists" },
	{ 1061, ROWD_E_INDEX_EXISTS, 0, "a table or index of that name exists" },
	{ 1051, ROWD_E_SCHEMA_MISMATCH, 0, text_schema },
	{ 1054, ROWD_E_SCHEMA_MISMATCH, 0, text_schema },
	{ 1072, ROWD_E_SCHEMA_MISMATCH, 0, text_schema },
	{ 1091, ROWD_E_SCHEMA_MISMATCH, 0, text_schema },
	{ 1136, ROWD_E_SCHEMA_MISMATCH, 0, text_schema },
	{ 1146, ROWD_E_SCHEMA_MISMATCH, 0, text_schema },
	{ 1176, ROWD_E_SCHEMA_MISMATCH, 0, text_schema },
	{ 1243, ROWD_E_SCHEMA_MISMATCH, 0, text_schema },
	{ 1412, ROWD_E_SCHEMA_MISMATCH, 0, text_schema },
	{ 1615, ROWD_E_SCHEMA_MISMATCH, 0, text_schema },
	{ 1932, ROWD_E_SCHEMA_MISMATCH, 0, text_schema },
	{ 1005, ROWD_E_SCHEMA_INVALID, 0, text_shape },
	{ 1059, ROWD_E_SCHEMA_INVALID, 0, text_shape },
	{ 1060, ROWD_E_SCHEMA_INVALID, 0, text_shape },
	{ 1067, ROWD_E_SCHEMA_INVALID, 0, text_shape },
	{ 1069, ROWD_E_SCHEMA_INVALID, 0, text_shape },
	{ 1071, ROWD_E_SCHEMA_INVALID, 0, text_shape },
	{ 1074, ROWD_E_SCHEMA_INVALID, 0, text_shape },
	{ 1101, ROWD_E_SCHEMA_INVALID, 0, text_shape },
	{ 1103, ROWD_E_SCHEMA_INVALID, 0, text_shape },
	{ 1117, ROWD_E_SCHEMA_INVALID, 0, text_shape },
	{ 1118, ROWD_E_SCHEMA_INVALID, 0, text_shape },
	{ 1166, ROWD_E_SCHEMA_INVALID, 0, text_shape },
	{ 1170, ROWD_E_SCHEMA_INVALID, 0, text_shape },
	{ 1215, ROWD_E_SCHEMA_INVALID, 0, text_shape },
	{ 1822, ROWD_E_SCHEMA_INVALID, 0, text_shape },
	{ 1824, ROWD_E_SCHEMA_INVALID, 0, text_shape },
	{ 1826, ROWD_E_SCHEMA_INVALID, 0, text_shape },
	{ 3780, ROWD_E_SCHEMA_INVALID, 0, text_shape },
	/* permission */
	{ 1044, ROWD_E_DENIED, 0, text_denied },
	{ 1045, ROWD_E_DENIED, 0, text_denied },
	{ 1142, ROWD_E_DENIED, 0, text_denied },
	{ 1143, ROWD_E_DENIED, 0, text_denied },
	{ 1227, ROWD_E_DENIED, 0, text_denied },
	{ 1370, ROWD_E_DENIED, 0, text_denied },
	/* the end of the connection, told by the server */
	{ 1047, ROWD_E_UNAVAILABLE, ENDS_TRANSACTION | ENDS_CONNECTION, "the server is not part of its cluster" },
	{ 1053, ROWD_E_UNAVAILABLE, ENDS_CONNECTION, "the server is going down" },
	{ 1077, ROWD_E_UNAVAILABLE, ENDS_CONNECTION, "the server is going down" },
	{ 1152, ROWD_E_UNAVAILABLE, ENDS_CONNECTION, text_lost },
	{ 1158, ROWD_E_UNAVAILABLE, ENDS_CONNECTION, text_lost },
	{ 1159, ROWD_E_UNAVAILABLE, ENDS_CONNECTION, text_lost },
	{ 1160, ROWD_E_UNAVAILABLE, ENDS_CONNECTION, text_lost },
	{ 1161, ROWD_E_UNAVAILABLE, ENDS_CONNECTION, text_lost },
	{ 1184, ROWD_E_UNAVAILABLE, ENDS_CONNECTION, text_lost },
	{ 1927, ROWD_E_UNAVAILABLE, ENDS_CONNECTION, text_lost },
	{ 3169, ROWD_E_UNAVAILABLE, ENDS_CONNECTION, text_lost },
	{ 4031, ROWD_E_UNAVAILABLE, ENDS_CONNECTION, text_lost },
	/* damage */
	{ 126, ROWD_E_CORRUPT, 0, text_damaged },
	{ 127, ROWD_E_CORRUPT, 0, text_damaged },
	{ 145, ROWD_E_CORRUPT, 0, text_damaged },
	{ 1034, ROWD_E_CORRUPT, 0, text_damaged },
	{ 1194, ROWD_E_CORRUPT, 0, text_damaged },
	{ 1195, ROWD_E_CORRUPT, 0, text_damaged },
	{ 1712, ROWD_E_CORRUPT, 0, text_damaged },
	{ 1877, ROWD_E_CORRUPT, 0, text_damaged },
};

/* All numbers of the library's own; only few of them leave a connection that could go on. */
static bool is_of_library(unsigned number)
{
	return (number >= CR_MIN_ERROR && number < 3000) || (number >= 5000 && number < 6000);
}

static bool is_lost(unsigned number)
{
	switch (number) {
	case CR_OUT_OF_MEMORY:
	case CR_NET_PACKET_TOO_LARGE:
	case CR_COMMANDS_OUT_OF_SYNC:
		return false;
	case 1053:
	case 1077:
	case 1152:
	case 1158:
	case 1159:
	case 1160:
	case 1161:
	case 1184:
	case 1927:
	case 3169:
	case 4031:
		return true;
	default:
		return is_of_library(number);
	}
}

/*
 * A number of the server's means that a COMMIT was refused; but some are told when it had begun to
 * happen, and nobody knows how far it came.
 */
bool mydb_commit_is_undone(unsigned number)
{
	switch (number) {
	case 1047: /* refused before it was sent to the cluster */
	case 1205:
	case 1213:
	case 1290:
	case 1792:
	case 1836:
	case 3101:
		return true;
	default:
		return false;
	}
}

static enum rowd_code apply(struct mydb_conn *c, unsigned number, enum rowd_code code, unsigned follows,
			    const char *text, struct err *err)
{
	if (follows & ENDS_CONNECTION)
		c->broken = true;
	if (follows)
		c->in_transaction = false;
	return err_native(err, code, (int)number, "%s", text);
}

/* A storage engine's own number stands in the message only. */
static enum rowd_code fail_engine(struct mydb_conn *c, unsigned number, const char *message, struct err *err)
{
	if (strstr(message, "193"))
		return apply(c, number, ROWD_E_LIMIT, 0, "the deletion cascades too deeply", err);
	if (strstr(message, " 28"))
		return apply(c, number, ROWD_E_STORAGE_FULL, ENDS_TRANSACTION, text_full, err);
	if (strstr(message, " 149") || strstr(message, " 146"))
		return apply(c, number, ROWD_E_BUSY, ENDS_TRANSACTION, "a deadlock with another transaction",
			     err);
	if (strstr(message, " 167"))
		return apply(c, number, ROWD_E_OUT_OF_RANGE, 0, "the table has given its last id", err);
	return apply(c, number, ROWD_E_INTERNAL, ENDS_TRANSACTION, "the storage engine failed", err);
}

/* ... for key 'PRIMARY', or 'table.PRIMARY' */
static bool names_primary_key(const char *message)
{
	static const char tail[] = "PRIMARY'";
	size_t len = strlen(message), n = strlen(tail);

	return len > n && strcmp(message + len - n, tail) == 0 &&
	       (message[len - n - 1] == '\'' || message[len - n - 1] == '.');
}

/* Of several servers, another one may have become the one to write to. */
static bool is_demoted(const struct mydb_conn *c, unsigned number)
{
	return c->url.nhosts > 1 && (number == 1290 || number == 1836);
}

enum rowd_code mydb_fail_number(struct mydb_conn *c, unsigned number, const char *message, struct err *err)
{
	size_t i;

	if (number == 1317 && c->stopped)
		return mydb_fail_stopped(c, err);
	if (number == 1062 && names_primary_key(message))
		return apply(c, number, ROWD_E_CONFLICT, 0, "another row has that primary key", err);
	if (is_demoted(c, number))
		return apply(c, number, ROWD_E_UNAVAILABLE, ENDS_CONNECTION, "the server can only be read",
			     err);
	if (number == 1030 || number == 1296)
		return fail_engine(c, number, message, err);
	for (i = 0; i < sizeof rows / sizeof *rows; i++)
		if (rows[i].number == number)
			return apply(c, number, rows[i].code, rows[i].follows, rows[i].text, err);
	if (is_lost(number))
		return apply(c, number, ROWD_E_UNAVAILABLE, ENDS_CONNECTION, text_lost, err);
	return apply(c, number, ROWD_E_INTERNAL, 0, "the server refused a statement", err);
}

enum rowd_code mydb_fail(struct mydb_conn *c, struct err *err)
{
	return mydb_fail_number(c, mysql_errno(c->db), mysql_error(c->db), err);
}

/* Of what goes wrong amid the rows, MariaDB's library tells the connection only. */
unsigned mydb_stmt_number(struct mydb_conn *c, MYSQL_STMT *stmt)
{
	unsigned number = mysql_stmt_errno(stmt);

	return number ? number : mysql_errno(c->db);
}

enum rowd_code mydb_fail_stmt(struct mydb_conn *c, MYSQL_STMT *stmt, struct err *err)
{
	unsigned number = mysql_stmt_errno(stmt);

	if (!number)
		return mydb_fail(c, err);
	return mydb_fail_number(c, number, mysql_stmt_error(stmt), err);
}

bool mydb_is_lost(unsigned number)
{
	return is_lost(number);
}

enum rowd_code mydb_fail_stopped(const struct mydb_conn *c, struct err *err)
{
	return watch_fail(c->stopped, 1317, err);
}

/* Everything keeps rowd from its database, so everything is `unavailable`; the reason is in the text. */
enum rowd_code mydb_fail_connect(unsigned number, struct err *err)
{
	const char *text;

	switch (number) {
	case 1040:
	case 1135:
	case 1203:
	case 1226:
		return err_native(err, ROWD_E_NO_RESOURCE, (int)number, "%s", text_memory);
	case 1044:
	case 1045:
	case 1698:
		text = "the server refuses the account of rowd";
		break;
	case 1049:
		text = "the server has no database of that name";
		break;
	case 1129:
	case 1130:
		text = "the server refuses this machine";
		break;
	case CR_UNKNOWN_HOST:
		text = "the server's name is not known";
		break;
	case CR_SSL_CONNECTION_ERROR:
		text = "no trusted encrypted connection to the server";
		break;
	case CR_CONNECTION_ERROR:
	case CR_CONN_HOST_ERROR:
		text = "the server does not answer";
		break;
	case CR_AUTH_PLUGIN_CANNOT_LOAD:
	case 5010: /* CR_PLUGIN_NOT_ALLOWED, of MariaDB's library */
		text = "the server asks for a way to prove the account that rowd does not go";
		break;
	default:
		text = "no connection to the server";
	}
	return err_native(err, ROWD_E_UNAVAILABLE, (int)number, "%s", text);
}

bool mydb_fell_over(enum rowd_code rc, struct err *err, int i)
{
	if (i == 0)
		return true;
	if (rc != ROWD_E_INTERNAL || err->native <= 0 || err->native >= FILE_ERRORS_END)
		return false;
	err_init(err);
	return true;
}
