#include "config.h"

#include "daemon/exec/constraint_private.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/exec/cascade.h"
#include "daemon/exec/probe.h"
#include "daemon/plan/pred.h"

enum rowd_code search_no_memory(struct err *err)
{
	return err_set(err, ROWD_E_NO_RESOURCE, "no memory to look for what was violated");
}

bool constraint_failed(enum rowd_code rc)
{
	return rc == ROWD_E_CONFLICT || rc == ROWD_E_FOREIGN_KEY || rc == ROWD_E_OUT_OF_RANGE ||
	       rc == ROWD_E_NULL_NOT_ALLOWED || rc == ROWD_E_TYPE_MISMATCH || rc == ROWD_E_TOO_LONG;
}

/* ---- what is found ---- */

enum rowd_code search_found(struct err *err, enum rowd_code code, const struct table *t,
			    const struct column *c, const char *words)
{
	err_set(err, code, "%s", words);
	err_where(err, t->name, c->name);
	return code;
}

enum rowd_code search_found_conflict(const struct search *s, const struct key *k)
{
	return search_found(s->err, ROWD_E_CONFLICT, s->table, k->columns[0],
			    k == &s->table->primary_key ? "another row has that primary key"
							: "another row has that unique key");
}

enum rowd_code search_found_orphan(const struct search *s, const struct foreign_key *fk)
{
	return search_found(s->err, ROWD_E_FOREIGN_KEY, s->table, fk->columns[0],
			    "the row it refers to does not exist");
}

enum rowd_code constraint_restricts(const struct foreign_key *fk, struct err *err)
{
	return search_found(err, ROWD_E_FOREIGN_KEY, fk->child, fk->columns[0],
			    "rows of a child table refer to it");
}

/* ---- the order of constraints ---- */

static int compare_columns(const struct column *const *a, unsigned na, const struct column *const *b,
			   unsigned nb)
{
	int order = 0;

	for (unsigned i = 0; order == 0 && i < na && i < nb; i++)
		order = strcmp(a[i]->name, b[i]->name);
	return order ? order : (na > nb) - (na < nb);
}

static int by_key_columns(const void *a, const void *b)
{
	const struct key *x = *(const struct key *const *)a, *y = *(const struct key *const *)b;

	return compare_columns(x->columns, x->ncolumns, y->columns, y->ncolumns);
}

int search_by_child(const void *a, const void *b)
{
	const struct foreign_key *x = *(const struct foreign_key *const *)a,
				 *y = *(const struct foreign_key *const *)b;
	int order = strcmp(x->child->name, y->child->name);

	return order ? order : compare_columns(x->columns, x->ncolumns, y->columns, y->ncolumns);
}

bool search_can_look_up(const struct foreign_key *fk)
{
	for (unsigned i = 0; i < fk->ncolumns; i++)
		if (!fk->references[i])
			return false;
	return fk->parent && fk->ncolumns > 0;
}

enum rowd_code search_init(struct search *s, struct exec *x, const struct table *t, struct err *err)
{
	*s = (struct search){ .x = x, .table = t, .err = err };
	s->uniques = arena_calloc(x->arena, t->nuniques + 1, sizeof(*s->uniques));
	s->foreign_keys = arena_calloc(x->arena, t->nforeign_keys + 1, sizeof(*s->foreign_keys));
	if (!s->uniques || !s->foreign_keys)
		return search_no_memory(err);
	for (unsigned i = 0; i < t->nuniques; i++)
		if (t->uniques[i].plain && t->uniques[i].ncolumns > 0)
			s->uniques[s->nuniques++] = &t->uniques[i];
	for (unsigned i = 0; i < t->nforeign_keys; i++)
		if (search_can_look_up(&t->foreign_keys[i]))
			s->foreign_keys[s->nforeign_keys++] = &t->foreign_keys[i];
	qsort(s->uniques, s->nuniques, sizeof(*s->uniques), by_key_columns);
	qsort(s->foreign_keys, s->nforeign_keys, sizeof(*s->foreign_keys), search_by_child);
	return ROWD_OK;
}

enum rowd_code search_end(enum rowd_code rc, const struct table *t, const struct err *first, struct err *err)
{
	int64_t index = first->index;

	if (rc) {
		err->index = index;
		return rc;
	}
	*err = *first;
	err_where(err, t->name, NULL);
	return err->code;
}

/* ---- inserts ---- */

/* The row's values of these columns; false when one is null, or known to the database only. */
static bool row_values(const struct row *row, const struct column *const *columns, unsigned n,
		       struct value *out)
{
	for (unsigned i = 0; i < n; i++) {
		const struct value *v = row_value(row, columns[i]);

		if (!v || v->kind == VALUE_NULL)
			return false;
		out[i] = *v;
	}
	return n > 0;
}

static enum rowd_code search_key(const struct search *s, const struct row *row, const struct key *k)
{
	struct value values[INDEX_MAX_COLUMNS * 2];
	bool exists;
	enum rowd_code rc;

	if (!row_values(row, k->columns, k->ncolumns, values))
		return ROWD_OK;
	rc = probe_exists(s->x, s->table, pred_equals(s->x->arena, k->columns, values, k->ncolumns), &exists,
			  s->err);
	if (rc)
		return rc;
	return exists ? search_found_conflict(s, k) : ROWD_OK;
}

static bool refers_to_itself(const struct row *row, const struct foreign_key *fk, const struct value *values)
{
	for (unsigned i = 0; i < fk->ncolumns; i++) {
		const struct value *v = fk->parent == fk->child ? row_value(row, fk->references[i]) : NULL;

		if (!v || !value_equal(v, &values[i]))
			return false;
	}
	return true;
}

static enum rowd_code search_parent(const struct search *s, const struct row *row,
				    const struct foreign_key *fk)
{
	struct value values[INDEX_MAX_COLUMNS * 2];
	bool exists;
	enum rowd_code rc;

	if (!row_values(row, fk->columns, fk->ncolumns, values) || refers_to_itself(row, fk, values))
		return ROWD_OK;
	rc = probe_exists(s->x, fk->parent, pred_equals(s->x->arena, fk->references, values, fk->ncolumns),
			  &exists, s->err);
	if (rc)
		return rc;
	return exists ? ROWD_OK : search_found_orphan(s, fk);
}

enum rowd_code constraint_of_insert(struct exec *x, const struct table *t, const struct row *row,
				    struct err *err)
{
	const struct err first = *err;
	struct search s;
	enum rowd_code rc = ROWD_OK;

	if (!db_in_transaction(x->conn))
		return search_end(rc, t, &first, err);
	err_init(err);
	rc = search_init(&s, x, t, err);
	if (!rc)
		rc = search_key(&s, row, &t->primary_key);
	for (unsigned i = 0; i < s.nuniques && !rc; i++)
		rc = search_key(&s, row, s.uniques[i]);
	for (unsigned i = 0; i < s.nforeign_keys && !rc; i++)
		rc = search_parent(&s, row, s.foreign_keys[i]);
	return search_end(rc, t, &first, err);
}

/* ---- deletes ---- */

enum rowd_code constraint_of_delete(struct exec *x, const struct table *t, const struct pred *where,
				    struct err *err)
{
	const struct err first = *err;
	const struct foreign_key *fk = NULL;
	struct cascade c;
	enum rowd_code rc;

	if (!db_in_transaction(x->conn))
		return search_end(ROWD_OK, t, &first, err);
	err_init(err);
	rc = cascade_plan(x, t, where, &c, err);
	if (!rc)
		rc = cascade_find_block(x, &c, &fk, err);
	if (!rc && fk)
		rc = constraint_restricts(fk, err);
	return search_end(rc, t, &first, err);
}
