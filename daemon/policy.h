/*
 * Who may do what. Roles are given to uids and gids, grants to roles; without any role in the
 * config, root and the uid that runs rowd may do everything and no one else anything.
 *
 * Thread: a policy is constant after it was read from the config; any thread may ask.
 */
#ifndef ROWD_POLICY_H
#define ROWD_POLICY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/op.h"

enum { CALLER_MAX_GROUPS = 64, POLICY_MAX_ROLES = 64 };

struct policy;     /* owned by the config; reference counted so that a reload can replace it */

/* A client's identity, as the kernel told it when it connected, and what follows from it. */
struct caller {
	uid_t uid;
	gid_t gid;
	pid_t pid;                               /* a hint for logs, never for permission */
	gid_t groups[CALLER_MAX_GROUPS];
	unsigned ngroups;
	const struct policy *policy;             /* borrowed; session.c keeps the reference */
	uint64_t roles;                          /* a bit for each role of policy that is the caller's */
	bool superuser;                          /* everything: no policy, and root or our own uid */
};

/* ---- making one: the config does ---- */

/* One grant, or one denial, which beats every grant. */
struct policy_grant {
	const char *role;              /* of a role added before */
	const char *database;          /* a name, or "*" */
	const char *const *tables;     /* names, or "*" */
	unsigned ntables;
	unsigned permissions;          /* bit 1 << PERM_X for each */
	int64_t max_rows;              /* of one delete or update; -1: none */
	bool deny;
};

/* A policy without roles; NULL when memory runs out. It has one reference, yours. */
struct policy *policy_new(void);
struct policy *policy_ref(const struct policy *p);
void policy_unref(const struct policy *p);    /* NULL is fine */

/* name, uids and gids are copied. ROWD_E_BAD_REQUEST when there are too many roles. */
ROWD_MUST_CHECK enum rowd_code policy_add_role(struct policy *p, const char *name, const uid_t *uids,
					       unsigned nuids, const gid_t *gids, unsigned ngids,
					       struct err *err);
bool policy_has_role(const struct policy *p, const char *name);

/* Copied whole. The role must be there. */
ROWD_MUST_CHECK enum rowd_code policy_add_grant(struct policy *p, const struct policy_grant *g,
						struct err *err);

/* The bits of a grant's word: "read", "delete_all", ... or "*", which is read, write and delete. 0 for
 * any other word. */
unsigned policy_parse_permission(const char *word);

/* ---- asking ---- */

/* Fill roles and superuser from uid, gid, groups. The overflow uid (65534: a user of another namespace,
 * whoever he is) is never a superuser, and has only the roles that name it. */
void policy_resolve(const struct policy *p, struct caller *c);

/* Does the caller hold any grant at all? */
bool policy_has_any(const struct caller *c);

/*
 * May the caller do this? db or table NULL: to any of them. ROWD_E_DENIED names the permission and
 * the table. PERM_DELETE_ALL, PERM_SCHEMA and PERM_ADMIN are never covered by "*", they must be
 * named in a grant.
 */
ROWD_MUST_CHECK enum rowd_code policy_check(const struct caller *c, enum op_permission perm,
					    const char *db, const char *table, struct err *err);

/* The smallest max_rows that the caller's grants lay on deletes and updates of table; -1: none. */
int64_t policy_max_rows(const struct caller *c, const char *db, const char *table);

/* whoami's `roles` and `grants`, as MessagePack arrays. */
void policy_write_roles(const struct caller *c, struct buf *b);
void policy_write_grants(const struct caller *c, struct buf *b);

#endif
