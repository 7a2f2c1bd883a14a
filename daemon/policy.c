#include <config.h>

#include "daemon/policy.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/value.h"

enum {
	/* What "*" in a grant stands for. Emptying tables, changing schemas and running the daemon
	 * must be granted by name. */
	PERMS_OF_STAR = 1 << PERM_READ | 1 << PERM_WRITE | 1 << PERM_DELETE,
	PERMS_OF_ALL = PERMS_OF_STAR | 1 << PERM_DELETE_ALL | 1 << PERM_SCHEMA | 1 << PERM_ADMIN
};

struct role {
	char *name;                    /* owned */
	uid_t *uids;                   /* owned */
	gid_t *gids;                   /* owned */
	unsigned nuids, ngids;
};

struct grant {
	unsigned role;                 /* index into roles */
	char *database;                /* owned */
	char **tables;                 /* owned */
	unsigned ntables;
	unsigned permissions;
	int64_t max_rows;
	bool deny;
};

struct policy {
	atomic_uint refs;
	struct role *roles;            /* owned */
	struct grant *grants;          /* owned */
	unsigned nroles, ngrants;
	uid_t overflow_uid;            /* what the kernel says of a user it cannot name here */
};

/* A peer of another user namespace shows as this uid, whoever he is. */
static uid_t overflow_uid_read(void)
{
	FILE *f = fopen("/proc/sys/kernel/overflowuid", "re");
	unsigned long uid = 65534;

	if (f) {
		if (fscanf(f, "%lu", &uid) != 1)
			uid = 65534;
		fclose(f);
	}
	return (uid_t)uid;
}

/* ---- making one ---- */

struct policy *policy_new(void)
{
	struct policy *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	atomic_init(&p->refs, 1);
	p->overflow_uid = overflow_uid_read();
	return p;
}

struct policy *policy_ref(const struct policy *p)
{
	struct policy *shared = (struct policy *)p;    /* only the count changes */

	atomic_fetch_add(&shared->refs, 1);
	return shared;
}

static void role_fini(struct role *r)
{
	free(r->name);
	free(r->uids);
	free(r->gids);
}

static void grant_fini(struct grant *g)
{
	for (unsigned i = 0; g->tables && i < g->ntables; i++)
		free(g->tables[i]);
	free(g->tables);
	free(g->database);
}

void policy_unref(const struct policy *p)
{
	struct policy *shared = (struct policy *)p;

	if (!shared || atomic_fetch_sub(&shared->refs, 1) != 1)
		return;
	for (unsigned i = 0; i < shared->nroles; i++)
		role_fini(&shared->roles[i]);
	for (unsigned i = 0; i < shared->ngrants; i++)
		grant_fini(&shared->grants[i]);
	free(shared->roles);
	free(shared->grants);
	free(shared);
}

/* The index of a role; nroles when there is none. */
static unsigned role_find(const struct policy *p, const char *name)
{
	unsigned i = 0;

	while (i < p->nroles && strcmp(p->roles[i].name, name) != 0)
		i++;
	return i;
}

bool policy_has_role(const struct policy *p, const char *name)
{
	return role_find(p, name) < p->nroles;
}

/* A copy of n elements, never NULL for want of elements; NULL when memory runs out. */
static void *copy(const void *from, unsigned n, size_t size)
{
	void *to = calloc(n + 1, size);

	if (to && n)
		memcpy(to, from, n * size);
	return to;
}

enum rowd_code policy_add_role(struct policy *p, const char *name, const uid_t *uids, unsigned nuids,
			       const gid_t *gids, unsigned ngids, struct err *err)
{
	struct role r = { .nuids = nuids, .ngids = ngids }, *more;

	if (p->nroles == POLICY_MAX_ROLES)
		return err_limit(err, POLICY_MAX_ROLES, "the number of roles");
	r.name = strdup(name);
	r.uids = copy(uids, nuids, sizeof(*uids));
	r.gids = copy(gids, ngids, sizeof(*gids));
	more = realloc(p->roles, (p->nroles + 1) * sizeof(*more));
	if (more)
		p->roles = more;
	if (!r.name || !r.uids || !r.gids || !more) {
		role_fini(&r);
		return err_set(err, ROWD_E_NO_RESOURCE, "out of memory");
	}
	p->roles[p->nroles++] = r;
	return ROWD_OK;
}

static bool grant_copy(struct grant *to, const struct policy_grant *from)
{
	bool whole = true;

	to->database = strdup(from->database);
	to->tables = calloc(from->ntables + 1, sizeof(*to->tables));
	if (!to->database || !to->tables)
		return false;
	for (unsigned i = 0; i < from->ntables && whole; i++) {
		to->tables[i] = strdup(from->tables[i]);
		whole = to->tables[i] != NULL;
	}
	return whole;
}

enum rowd_code policy_add_grant(struct policy *p, const struct policy_grant *g, struct err *err)
{
	struct grant made = { .role = role_find(p, g->role), .ntables = g->ntables,
			      .permissions = g->permissions, .max_rows = g->max_rows, .deny = g->deny };
	struct grant *more;

	if (made.role == p->nroles)
		return err_set(err, ROWD_E_BAD_REQUEST, "there is no role %s", g->role);
	more = realloc(p->grants, (p->ngrants + 1) * sizeof(*more));
	if (more)
		p->grants = more;
	if (!more || !grant_copy(&made, g)) {
		grant_fini(&made);
		return err_set(err, ROWD_E_NO_RESOURCE, "out of memory");
	}
	p->grants[p->ngrants++] = made;
	return ROWD_OK;
}

unsigned policy_parse_permission(const char *word)
{
	if (strcmp(word, "*") == 0)
		return PERMS_OF_STAR;
	for (int perm = PERM_READ; perm <= PERM_ADMIN; perm++) {
		if (strcmp(word, op_permission_name((enum op_permission)perm)) == 0)
			return 1U << perm;
	}
	return 0;
}

/* ---- asking ---- */

static bool role_includes(const struct policy *p, const struct role *r, const struct caller *c)
{
	for (unsigned i = 0; i < r->nuids; i++) {
		if (r->uids[i] == c->uid)
			return true;
	}
	if (c->uid == p->overflow_uid)    /* his groups say nothing about who he is */
		return false;
	for (unsigned i = 0; i < r->ngids; i++) {
		if (r->gids[i] == c->gid)
			return true;
		for (unsigned j = 0; j < c->ngroups; j++) {
			if (r->gids[i] == c->groups[j])
				return true;
		}
	}
	return false;
}

void policy_resolve(const struct policy *p, struct caller *c)
{
	c->policy = p;
	c->roles = 0;
	c->superuser = p->nroles == 0 && c->uid != p->overflow_uid && (c->uid == 0 || c->uid == geteuid());
	for (unsigned i = 0; i < p->nroles; i++) {
		if (role_includes(p, &p->roles[i], c))
			c->roles |= UINT64_C(1) << i;
	}
}

static bool caller_holds(const struct caller *c, const struct grant *g)
{
	return c->roles >> g->role & 1;
}

bool policy_has_any(const struct caller *c)
{
	for (unsigned i = 0; i < c->policy->ngrants; i++) {
		const struct grant *g = &c->policy->grants[i];

		if (!g->deny && caller_holds(c, g))
			return true;
	}
	return c->superuser;
}

/* "*" covers every name; "*" as a name, which means any there may be, is covered by "*" alone. */
static bool name_covers(const char *pattern, const char *name)
{
	return strcmp(pattern, "*") == 0 || strcmp(pattern, name) == 0;
}

static bool grant_covers(const struct grant *g, const char *db, const char *table)
{
	if (!name_covers(g->database, db))
		return false;
	for (unsigned i = 0; i < g->ntables; i++) {
		if (name_covers(g->tables[i], table))
			return true;
	}
	return false;
}

static bool is_denied(const struct caller *c, unsigned bit, const char *db, const char *table)
{
	for (unsigned i = 0; i < c->policy->ngrants; i++) {
		const struct grant *g = &c->policy->grants[i];

		if (g->deny && (g->permissions & bit) && caller_holds(c, g) && grant_covers(g, db, table))
			return true;
	}
	return false;
}

/* Does g allow it, and no denial take it back? Without a table: for any of g's own. */
static bool grant_allows(const struct caller *c, const struct grant *g, unsigned bit, const char *db,
			 const char *table)
{
	if (g->deny || !(g->permissions & bit) || !caller_holds(c, g))
		return false;
	if (!db)
		db = g->database;
	if (table)
		return grant_covers(g, db, table) && !is_denied(c, bit, db, table);
	for (unsigned i = 0; i < g->ntables; i++) {
		if (grant_covers(g, db, g->tables[i]) && !is_denied(c, bit, db, g->tables[i]))
			return true;
	}
	return false;
}

static enum rowd_code deny(enum op_permission perm, const char *db, const char *table, struct err *err)
{
	const char *word = op_permission_name(perm);

	if (perm == PERM_SESSION)
		return err_set(err, ROWD_E_DENIED, "this user has no grant at all");
	if (!table)
		return err_set(err, ROWD_E_DENIED, "this user has no grant of %s%s%s", word, db ? " in " : "",
			       db ? db : "");
	err_set(err, ROWD_E_DENIED, "this user has no grant of %s on the table %s", word, table);
	err_where(err, table, NULL);
	return ROWD_E_DENIED;
}

enum rowd_code policy_check(const struct caller *c, enum op_permission perm, const char *db,
			    const char *table, struct err *err)
{
	if (perm == PERM_ANYONE || c->superuser)
		return ROWD_OK;
	if (perm == PERM_SESSION)
		return policy_has_any(c) ? ROWD_OK : deny(perm, db, table, err);
	for (unsigned i = 0; i < c->policy->ngrants; i++) {
		if (grant_allows(c, &c->policy->grants[i], 1U << perm, db, table))
			return ROWD_OK;
	}
	return deny(perm, db, table, err);
}

int64_t policy_max_rows(const struct caller *c, const char *db, const char *table)
{
	const unsigned changes = 1 << PERM_WRITE | 1 << PERM_DELETE | 1 << PERM_DELETE_ALL;
	int64_t least = -1;

	for (unsigned i = 0; i < c->policy->ngrants; i++) {
		const struct grant *g = &c->policy->grants[i];

		if (g->deny || g->max_rows < 0 || !(g->permissions & changes) || !caller_holds(c, g) ||
		    !grant_covers(g, db, table))
			continue;
		if (least < 0 || g->max_rows < least)
			least = g->max_rows;
	}
	return least;
}

/* ---- whoami ---- */

void policy_write_roles(const struct caller *c, struct buf *b)
{
	wire_array(b, (uint32_t)__builtin_popcountll(c->roles));
	for (unsigned i = 0; i < c->policy->nroles; i++) {
		if (c->roles >> i & 1)
			wire_cstr(b, c->policy->roles[i].name);
	}
}

static void permissions_write(unsigned permissions, struct buf *b)
{
	wire_array(b, (uint32_t)__builtin_popcount(permissions));
	for (int perm = PERM_READ; perm <= PERM_ADMIN; perm++) {
		if (permissions & 1U << perm)
			wire_cstr(b, op_permission_name((enum op_permission)perm));
	}
}

/* {deny, role, database, tables, ops, max_rows} */
static void grant_write(const char *role, const struct grant *g, struct buf *b)
{
	wire_map(b, 6);
	wire_cstr(b, "deny");
	wire_bool(b, g->deny);
	wire_cstr(b, "role");
	if (role)
		wire_cstr(b, role);
	else
		wire_nil(b);
	wire_cstr(b, "database");
	wire_cstr(b, g->database);
	wire_cstr(b, "tables");
	wire_array(b, g->ntables);
	for (unsigned i = 0; i < g->ntables; i++)
		wire_cstr(b, g->tables[i]);
	wire_cstr(b, "ops");
	permissions_write(g->permissions, b);
	wire_cstr(b, "max_rows");
	if (g->max_rows < 0)
		wire_nil(b);
	else
		wire_int(b, g->max_rows);
}

void policy_write_grants(const struct caller *c, struct buf *b)
{
	char star[] = "*", *stars[] = { star };
	const struct grant everything = { .database = star, .tables = stars, .ntables = 1,
					  .permissions = PERMS_OF_ALL, .max_rows = -1 };
	uint32_t n = 0;
	size_t open = wire_array_open(b);

	if (c->superuser) {
		grant_write(NULL, &everything, b);
		n++;
	}
	for (unsigned i = 0; i < c->policy->ngrants; i++) {
		const struct grant *g = &c->policy->grants[i];

		if (caller_holds(c, g)) {
			grant_write(c->policy->roles[g->role].name, g, b);
			n++;
		}
	}
	wire_array_close(b, open, n);
}
