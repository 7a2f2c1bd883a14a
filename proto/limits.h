/*
 * Every ceiling of the protocol, with its unit. Those in struct limits can be set in the config
 * and are told by hello(); the rest are fixed.
 */
#ifndef ROWD_PROTO_LIMITS_H
#define ROWD_PROTO_LIMITS_H

#include <stdint.h>

/*
 * LIMIT(name, default, least, most, meaning)
 * Each row is a member of struct limits, an option of the config and a key of hello().limits.
 */
#define ROWD_LIMITS(LIMIT) \
	LIMIT(frame_bytes, 16777216, 4096, 268435456, "bytes of one request") \
	LIMIT(nesting, 16, 4, 24, "arrays and maps within each other in params") \
	LIMIT(filter_operators, 1000, 1, 1000, "operators in the filters of one request") \
	LIMIT(request_values, 2000000, 1000, 20000000, "values in one request") \
	LIMIT(value_bytes, 8388608, 1024, 67108864, "bytes of one value") \
	LIMIT(in_flight, 64, 1, 1024, "requests of one connection not yet answered") \
	LIMIT(reply_rows, 10000, 1, 1000000, "rows in one reply") \
	LIMIT(reply_bytes, 16777216, 65536, 268435456, "bytes of one reply") \
	LIMIT(statement_ms, 30000, 10, 86400000, "milliseconds for one request") \
	LIMIT(transaction_ms, 60000, 100, 86400000, "milliseconds for one transaction") \
	LIMIT(transaction_idle_ms, 30000, 100, 86400000, "milliseconds between two requests of a transaction") \
	LIMIT(frame_ms, 30000, 100, 3600000, "milliseconds from a frame's first byte to its last") \
	LIMIT(write_ms, 30000, 100, 3600000, "milliseconds without a byte taken by a client that is owed some") \
	LIMIT(request_retention_ms, 86400000, 1000, 2592000000, "milliseconds for which a request id is remembered") \
	LIMIT(clients, 10000, 1, 1000000, "connections served at once")

struct limits {
#define LIMIT(name, dflt, least, most, meaning) int64_t name;
	ROWD_LIMITS(LIMIT)
#undef LIMIT
};

enum {
	METHOD_MAX_BYTES = 100,
	ENVELOPE_NESTING = 2,         /* [0, msgid, method, [params]] */
	NAME_MAX_BYTES = 48,          /* of a table, column or index that rowd makes */
	FOREIGN_NAME_MAX_BYTES = 64,  /* of one that it did not make */
	SAVEPOINT_NAME_MAX_BYTES = 64,
	TABLE_MAX_COLUMNS = 100,
	TABLE_MAX_INDEXES = 32,
	INDEX_MAX_COLUMNS = 8,
	INDEX_KEY_MAX_BYTES = 3072,
	ROW_BOUNDED_MAX_BYTES = 60000,  /* of all text(n) and bytes(n) columns together */
	FOREIGN_KEY_MAX_DEPTH = 15,
	DECIMAL_MAX_DIGITS = 18,
	STREAM_BATCH_ROWS = 1000,       /* default of `batch` */
	STREAM_BATCH_MAX_BYTES = 262144 /* a batch is sent early rather than pass this */
};

#endif
