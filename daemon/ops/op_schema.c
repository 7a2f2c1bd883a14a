/*
 * Tables: listed, described, made, changed and removed.
 */
#include "config.h"

#include "daemon/exec/exec_schema.h"
#include "daemon/ops/ops.h"
#include "daemon/plan/plan.h"
#include "daemon/plan/schema.h"

/* ---- small things ---- */

static struct schema_context context_of(const struct exec *x)
{
	return (struct schema_context){ .catalog = db_catalog(x->conn),
					.limits = x->limits,
					.arena = x->arena };
}

/* The table that req names, NULL where there is none and the caller may know that. */
static enum rowd_code find_or_none(struct exec *x, const struct request *req, const struct table **out,
				   struct err *err)
{
	struct err unknown;
	enum rowd_code rc;

	err_init(&unknown);
	rc = plan_table(x, req, out, &unknown);
	if (rc == ROWD_E_UNKNOWN_TABLE) {
		*out = NULL;
		return ROWD_OK;
	}
	if (rc)
		*err = unknown;
	return rc;
}

static enum rowd_code answer_true(struct exec *x)
{
	wire_bool(x->out, true);
	return ROWD_OK;
}

/* ---- tables ---- */

/* Someone who may do nothing with a table does not learn of it. */
static bool may_see(const struct exec *x, const struct table *t)
{
	static const enum op_permission any_of[] = { PERM_READ, PERM_WRITE, PERM_DELETE, PERM_DELETE_ALL,
						     PERM_SCHEMA };
	struct err ignored;
	size_t i;

	err_init(&ignored);
	for (i = 0; i < sizeof any_of / sizeof *any_of; i++)
		if (!policy_check(x->caller, any_of[i], plan_database(x), t->name, &ignored))
			return true;
	return false;
}

enum rowd_code op_tables(struct exec *x, const struct request *req, struct err *err)
{
	const struct catalog *c = db_catalog(x->conn);
	size_t open = wire_array_open(x->out), i;
	uint32_t count = 0;

	(void)req, (void)err;
	for (i = 0; i < catalog_count(c); i++)
		if (may_see(x, catalog_at(c, i))) {
			wire_cstr(x->out, catalog_at(c, i)->name);
			count++;
		}
	wire_array_close(x->out, open, count);
	return ROWD_OK;
}

/* ---- describe ---- */

static void write_column(struct buf *b, const struct column *c)
{
	char type[TYPE_TEXT_BYTES];

	wire_map(b, 5);
	wire_cstr(b, "name");
	wire_cstr(b, c->name);
	wire_cstr(b, "type");
	wire_cstr(b, type_format(&c->type, type));
	wire_cstr(b, "null");
	wire_bool(b, c->nullable);
	wire_cstr(b, "default");
	value_to_wire(b, &c->dflt);
	wire_cstr(b, "auto");
	wire_bool(b, c->generated);
}

static void write_column_names(struct buf *b, const struct column *const *columns, unsigned n)
{
	unsigned i;

	wire_array(b, n);
	for (i = 0; i < n; i++)
		wire_cstr(b, columns[i]->name);
}

/* Those that are keys of columns and nothing else: `reasons` tells of the others. */
static void write_keys(struct buf *b, const struct key *keys, unsigned n)
{
	size_t open = wire_array_open(b);
	uint32_t count = 0;
	unsigned i;

	for (i = 0; i < n; i++)
		if (keys[i].plain) {
			write_column_names(b, keys[i].columns, keys[i].ncolumns);
			count++;
		}
	wire_array_close(b, open, count);
}

static void write_references(struct buf *b, const struct foreign_key *fk)
{
	unsigned i;

	wire_array(b, fk->ncolumns);
	for (i = 0; i < fk->ncolumns; i++) {
		if (fk->references[i])
			wire_cstr(b, fk->references[i]->name);
		else if (fk->reference_names[i])
			wire_cstr(b, fk->reference_names[i]);
		else
			wire_nil(b);
	}
}

static void write_foreign_key(struct buf *b, const struct foreign_key *fk)
{
	static const char *const actions[] = {
		[FK_RESTRICT] = "restrict",
		[FK_CASCADE] = "cascade",
		[FK_SET_NULL] = "set_null",
		[FK_OTHER] = "other",
	};

	wire_map(b, 4);
	wire_cstr(b, "columns");
	write_column_names(b, fk->columns, fk->ncolumns);
	wire_cstr(b, "table");
	wire_cstr(b, fk->parent ? fk->parent->name : fk->parent_name);
	wire_cstr(b, "references");
	write_references(b, fk);
	wire_cstr(b, "on_delete");
	wire_cstr(b, actions[fk->on_delete]);
}

static void write_table(struct buf *b, const struct table *t)
{
	unsigned i;

	wire_map(b, 8);
	wire_cstr(b, "name");
	wire_cstr(b, t->name);
	wire_cstr(b, "columns");
	wire_array(b, t->ncolumns);
	for (i = 0; i < t->ncolumns; i++)
		write_column(b, &t->columns[i]);
	wire_cstr(b, "primary_key");
	write_column_names(b, t->primary_key.columns, t->primary_key.ncolumns);
	wire_cstr(b, "unique");
	write_keys(b, t->uniques, t->nuniques);
	wire_cstr(b, "indexes");
	write_keys(b, t->indexes, t->nindexes);
	wire_cstr(b, "foreign_keys");
	wire_array(b, t->nforeign_keys);
	for (i = 0; i < t->nforeign_keys; i++)
		write_foreign_key(b, &t->foreign_keys[i]);
	wire_cstr(b, "portable");
	wire_bool(b, t->portable);
	wire_cstr(b, "reasons");
	wire_array(b, t->nreasons);
	for (i = 0; i < t->nreasons; i++)
		wire_cstr(b, t->reasons[i]);
}

enum rowd_code op_describe(struct exec *x, const struct request *req, struct err *err)
{
	const struct table *t;
	enum rowd_code rc = plan_table(x, req, &t, err);

	if (!rc)
		write_table(x->out, t);
	return rc;
}

/* ---- create_table, drop_table ---- */

static enum rowd_code fail_at_table(enum rowd_code code, const char *table, const char *words,
				    struct err *err)
{
	err_set(err, code, "%s", words);
	err_where(err, table, NULL);
	return code;
}

/* A foreign key binds its parent too: that table is not for everyone to restrict. */
static enum rowd_code check_parents(const struct exec *x, const struct table_def *d, struct err *err)
{
	enum rowd_code rc = ROWD_OK;
	unsigned i;

	for (i = 0; i < d->nforeign_keys && !rc; i++)
		if (d->foreign_keys[i].parent)
			rc = policy_check(x->caller, PERM_SCHEMA, plan_database(x),
					  d->foreign_keys[i].parent->name, err);
	return rc;
}

enum rowd_code op_create_table(struct exec *x, const struct request *req, struct err *err)
{
	const struct schema_context ctx = context_of(x);
	const struct table *existing;
	const char *database, *name;
	size_t database_len, len;
	struct table_def d;
	enum rowd_code rc = find_or_none(x, req, &existing, err);

	if (rc)
		return rc;
	if (existing && !request_flag(req, OPT_IF_NOT_EXISTS))
		return fail_at_table(ROWD_E_TABLE_EXISTS, existing->name, "a table of that name exists", err);
	request_table(req, &database, &database_len, &name, &len);
	rc = schema_read_table(&ctx, name, len, req->params[1], &d, err);
	if (!rc)
		rc = check_parents(x, &d, err);
	if (rc)
		return rc;
	if (existing && !schema_same(&d, existing))
		return fail_at_table(ROWD_E_SCHEMA_MISMATCH, existing->name,
				     "a table of that name and another shape exists", err);
	if (!existing)
		rc = exec_create_table(x, &d, err);
	return rc ? rc : answer_true(x);
}

enum rowd_code op_drop_table(struct exec *x, const struct request *req, struct err *err)
{
	const struct table *t;
	enum rowd_code rc = request_flag(req, OPT_IF_EXISTS) ? find_or_none(x, req, &t, err)
							     : plan_table(x, req, &t, err);

	if (rc)
		return rc;
	if (!t)
		return answer_true(x);
	rc = schema_check_drop_table(t, err);
	if (!rc)
		rc = exec_drop_table(x, t, err);
	return rc ? rc : answer_true(x);
}

/* ---- indexes, columns ---- */

enum rowd_code op_create_index(struct exec *x, const struct request *req, struct err *err)
{
	const struct schema_context ctx = context_of(x);
	bool unique = request_flag(req, OPT_UNIQUE);
	const struct table *t;
	const struct key *existing;
	struct key_def k;
	enum rowd_code rc = plan_table(x, req, &t, err);

	if (!rc)
		rc = schema_read_index(&ctx, t, req->params[1], unique, &k, err);
	if (rc)
		return rc;
	existing = schema_find_index(t, req->params[1]);
	if (existing && !request_flag(req, OPT_IF_NOT_EXISTS))
		return fail_at_table(ROWD_E_INDEX_EXISTS, t->name, "an index on those columns exists", err);
	if (existing && existing->unique != unique)
		return fail_at_table(ROWD_E_SCHEMA_MISMATCH, t->name,
				     unique ? "an index on those columns exists, and is not unique"
					    : "a unique index on those columns exists",
				     err);
	if (!existing)
		rc = exec_create_index(x, t, &k, err);
	return rc ? rc : answer_true(x);
}

enum rowd_code op_drop_index(struct exec *x, const struct request *req, struct err *err)
{
	const struct table *t;
	const struct key *k;
	enum rowd_code rc = plan_table(x, req, &t, err);

	if (rc)
		return rc;
	k = schema_find_index(t, req->params[1]);
	if (!k)
		return fail_at_table(ROWD_E_UNKNOWN_INDEX, t->name,
				     "there is no index on exactly those columns", err);
	rc = schema_check_drop_index(t, k, err);
	if (!rc)
		rc = exec_drop_index(x, t, k, err);
	return rc ? rc : answer_true(x);
}

enum rowd_code op_add_column(struct exec *x, const struct request *req, struct err *err)
{
	const struct schema_context ctx = context_of(x);
	const struct table *t;
	struct column_def c;
	enum rowd_code rc = plan_table(x, req, &t, err);

	if (!rc)
		rc = schema_read_column(&ctx, t, req->params[1], &c, err);
	if (!rc)
		rc = exec_add_column(x, t, &c, err);
	return rc ? rc : answer_true(x);
}
