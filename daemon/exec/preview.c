#include "config.h"

#include "daemon/exec/preview.h"

#include <endian.h>
#include <string.h>

#include "base/sha256.h"
#include "daemon/exec/probe.h"
#include "daemon/exec/read.h"
#include "daemon/plan/access.h"

enum { KEY_MAX_BYTES = 64 * 1024 * 1024 };

/* ---- the token ---- */

static void digest_cstr(struct sha256 *h, const char *s)
{
	sha256_add(h, s, strlen(s) + 1);
}

static enum rowd_code digest_rows(struct exec *x, unsigned width, struct sha256 *h, int64_t *count_out,
				  struct err *err)
{
	const struct value *row;
	struct db_rows *rows;
	struct buf key;
	enum rowd_code rc = db_query(x->conn, x->sql, &rows, err);

	if (rc)
		return rc;
	buf_init(&key, KEY_MAX_BYTES);
	while (!(rc = db_next(rows, &row, err)) && row) {
		buf_clear(&key);
		exec_write_row(&key, row, width);
		if (key.failed) {
			rc = err_set(err, ROWD_E_NO_RESOURCE, "no memory for a key");
			break;
		}
		sha256_add(h, key.data, key.len);
		++*count_out;
	}
	buf_fini(&key);
	db_rows_end(rows);
	return rc;
}

/* The keys of the rows that match, in order; counts them too. */
static enum rowd_code digest_keys(struct exec *x, const struct table *t, const struct pred *where, bool lock,
				  struct sha256 *h, int64_t *count_out, struct err *err)
{
	const struct key *pk = &t->primary_key;
	struct order_term order[INDEX_MAX_COLUMNS * 2];
	const struct select_stmt q = {
		.table = t,
		.columns = (const struct column **)(uintptr_t)pk->columns,
		.ncolumns = pk->ncolumns,
		.where = where,
		.order = order,
		.norder = pk->ncolumns,
		.order_by_row_id = pk->ncolumns == 0,
		.limit = -1,
		.for_update = lock,
	};

	for (unsigned i = 0; i < pk->ncolumns; i++)
		order[i] = (struct order_term){ .column = pk->columns[i] };
	digest_cstr(h, t->name);
	sql_select(x->sql, db_conn_dialect(x->conn), &q);
	return digest_rows(x, pk->ncolumns > 0 ? pk->ncolumns : 1, h, count_out, err);
}

static void write_token(struct preview *p, struct sha256 *h)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char digest[SHA256_BYTES];

	for (unsigned i = 0; i < p->ncascades; i++) {
		uint64_t rows = htobe64((uint64_t)p->cascades[i].rows);

		digest_cstr(h, p->cascades[i].table->name);
		sha256_add(h, &rows, sizeof(rows));
	}
	sha256_end(h, digest);
	for (size_t i = 0; i < PREVIEW_TOKEN_BYTES; i++)
		p->token[i] = digits[digest[i / 2] >> (i % 2 ? 0 : 4) & 0xf];
	p->has_token = true;
}

enum rowd_code preview_take(struct exec *x, const struct table *t, const struct pred *where, bool lock,
			    struct preview *out, struct err *err)
{
	bool tellable = table_key_columns(t) > 0 || t->row_id;
	struct sha256 h;
	enum rowd_code rc;

	*out = (struct preview){ .matched = 0 };
	sha256_init(&h);
	rc = tellable ? digest_keys(x, t, where, lock, &h, &out->matched, err)
		      : exec_count(x, t, where, &out->matched, err);
	if (!rc)
		rc = cascade_plan(x, t, where, &out->cascade, err);
	if (!rc)
		rc = cascade_count(x, &out->cascade, &out->cascades, &out->ncascades, err);
	if (!rc && tellable)
		write_token(out, &h);
	return rc;
}

bool preview_is(const struct preview *p, const char *token, size_t len)
{
	return p->has_token && len == PREVIEW_TOKEN_BYTES && memcmp(p->token, token, len) == 0;
}

/* ---- the answer ---- */

/* The children whose rows forbid it, each once, in order of name. */
static enum rowd_code write_blockers(struct exec *x, const struct cascade *c, struct err *err)
{
	size_t open = wire_array_open(x->out);
	const struct table *last = NULL;
	enum rowd_code rc = ROWD_OK;
	uint32_t n = 0;

	for (unsigned i = 0; i < c->nblocks && !rc; i++) {
		const struct table *child = c->blocks[i].fk->child;
		bool found = false;

		if (child == last)
			continue;
		rc = probe_exists(x, child, c->blocks[i].where, &found, err);
		if (rc || !found)
			continue;
		wire_cstr(x->out, child->name);
		last = child;
		n++;
	}
	if (!rc)
		wire_array_close(x->out, open, n);
	return rc;
}

enum rowd_code preview_write(struct exec *x, const struct preview *p, struct err *err)
{
	const struct key *index = access_find(p->cascade.root, p->cascade.where);
	enum rowd_code rc;

	wire_map(x->out, 6);
	wire_cstr(x->out, "matched");
	wire_int(x->out, p->matched);
	wire_cstr(x->out, "cascades");
	cascade_write(x->out, p->cascades, p->ncascades);
	wire_cstr(x->out, "blocked_by");
	rc = write_blockers(x, &p->cascade, err);
	wire_cstr(x->out, "index");
	if (index)
		exec_write_columns(x->out, index->columns, index->ncolumns);
	else
		wire_nil(x->out);
	wire_cstr(x->out, "full_scan");
	wire_bool(x->out, !index);
	wire_cstr(x->out, "token");
	if (p->has_token)
		wire_str(x->out, p->token, PREVIEW_TOKEN_BYTES);
	else
		wire_nil(x->out);
	return rc;
}
