/*
 * What requests have in common, read against the catalog: the table, a key, a list of columns, an
 * order, what to answer of rows. Every name becomes a pointer into the catalog, every value one of
 * its column's type.
 *
 * What is answered lives in x->arena. Thread: the one that owns x->conn.
 */
#ifndef ROWD_PLAN_PLAN_H
#define ROWD_PLAN_PLAN_H

#include "daemon/exec/exec.h"

/* The name of the database that x is connected to, as grants and clients call it. */
const char *plan_database(const struct exec *x);

/*
 * The table that params[0] names, if the caller may do req->op to it.
 * ROWD_E_DENIED, UNKNOWN_TABLE; UNSUPPORTED for "database.table" of another database than that of x.
 */
ROWD_MUST_CHECK enum rowd_code plan_table(struct exec *x, const struct request *req, const struct table **out,
					  struct err *err);

/* The filter o on table; NULL, which means every row, gives NULL. As filter_read, and ROWD_E_DENIED for a
 * selection from a table that the caller may not read. */
ROWD_MUST_CHECK enum rowd_code plan_filter(struct exec *x, const struct table *table, const msgpack_object *o,
					   const struct pred **out, struct err *err);

/*
 * The primary key o: one value, or an array with one for each of its columns.
 * ROWD_E_UNSUPPORTED when the table has none; BAD_REQUEST, TYPE_MISMATCH and its kin, NULL_NOT_ALLOWED.
 */
ROWD_MUST_CHECK enum rowd_code plan_key(struct exec *x, const struct table *table, const msgpack_object *o,
					const struct value **values_out, struct err *err);

struct plan_columns {
	const struct column **list;
	unsigned n;
};

/* The columns named by o (an array of str), each once; NULL: all of the table's.
 * ROWD_E_BAD_REQUEST, UNKNOWN_COLUMN. */
ROWD_MUST_CHECK enum rowd_code plan_columns(struct exec *x, const struct table *table, const msgpack_object *o,
					    struct plan_columns *out, struct err *err);

/* What `returning` asks for: "keys", "rows" or names. out->n is 0 when it was not given. As plan_columns, and
 * ROWD_E_DENIED for who may not read the table. */
ROWD_MUST_CHECK enum rowd_code plan_returning(struct exec *x, const struct request *req, const struct table *table,
					      struct plan_columns *out, struct err *err);

/* "column", "-column", each perhaps with " nulls first" or " nulls last" behind it. */
struct plan_term {
	const char *name;                   /* borrowed, does not end in NUL */
	size_t len;
	bool descending, nulls_last;
};

/* Take a term apart; whether there is such a column is for the caller to see. */
void plan_read_term(const msgpack_object *o, struct plan_term *out);

struct plan_order {
	struct order_term *terms;           /* those given, then what makes the order total */
	unsigned nterms;
	unsigned ngiven;
	bool by_row_id;                     /* behind the terms, for want of a primary key */
};

/*
 * The order o (an array of str; NULL: none given) on table, made total with the primary key.
 * ROWD_E_BAD_REQUEST for an empty one or a column named twice, UNKNOWN_COLUMN, UNSUPPORTED for a column
 * without an order.
 */
ROWD_MUST_CHECK enum rowd_code plan_order(struct exec *x, const struct table *table, const msgpack_object *o,
					  struct plan_order *out, struct err *err);

/* As plan_order for distinct rows of these columns: those given are among them, the rest come behind. */
ROWD_MUST_CHECK enum rowd_code plan_order_distinct(struct exec *x, const struct table *table, const msgpack_object *o,
						   const struct plan_columns *columns, struct plan_order *out,
						   struct err *err);

/* The rows behind one with these values of the order's terms (nterms of them). Never NULL but for want of
 * memory. */
const struct pred *plan_after(struct arena *a, const struct plan_order *order, const struct value *values);

/* ---- for those who read names and values of their own ---- */

/* The column that o names. ROWD_E_BAD_REQUEST when it is no str, UNKNOWN_COLUMN. */
ROWD_MUST_CHECK enum rowd_code plan_column(const struct table *table, const msgpack_object *o,
					   const struct column **out, struct err *err);

/* o as a value of the column, to be compared with (so no length is checked). Null only where the column
 * can be null. */
ROWD_MUST_CHECK enum rowd_code plan_operand(struct exec *x, const struct table *table, const struct column *column,
					    const msgpack_object *o, struct value *out, struct err *err);

/* A caller's limit of rows in one answer: dflt when not given, ROWD_E_LIMIT above the limit of a reply. */
ROWD_MUST_CHECK enum rowd_code plan_row_limit(struct exec *x, const struct request *req, int64_t *out,
					      struct err *err);

#endif
