/*
 * The configuration: defaults, then the config file, then the command line.
 *
 * Thread: read on the main thread; constant afterwards (a reload makes a new one).
 */
#ifndef ROWD_CONFIG_FILE_H
#define ROWD_CONFIG_FILE_H

#include <stdio.h>

#include "daemon/db/driver.h"
#include "daemon/policy.h"
#include "proto/limits.h"

struct config_database {
	struct db_source source;      /* strings owned by the config */
	int64_t max_rows;             /* -1: none */
};

struct config {
	const char *path;             /* of the config file; NULL without one; owned */
	struct limits limits;
	struct config_database *databases;  /* owned; the first is the default one */
	unsigned ndatabases;
	struct policy *policy;        /* owned reference; never NULL */
	bool print_version, print_defaults, print_help, check_only;
	int argc;                     /* the command line again, for config_reload */
	char **argv;                  /* owned copies */
	/* one member for each row of options.def, by its name */
#define OPTION_STR(name) const char *name;   /* owned */
#define OPTION_INT(name) int64_t name;
#define OPTION_BOOL(name) bool name;
#define OPTION(name, kind, dflt, least, most, reload, meaning) OPTION_##kind(name)
#include "daemon/options.def"
#undef OPTION
#undef OPTION_STR
#undef OPTION_INT
#undef OPTION_BOOL
};

/*
 * Read the command line and the config file it names. A mistake is ROWD_E_BAD_REQUEST: err->text is
 * "FILE:LINE: what is wrong; what was expected" or "--option: ...". Without a database the default
 * one (a SQLite file in the usual data directory, which is made) is filled in, without a socket the
 * default path. *out is yours to config_free.
 */
ROWD_MUST_CHECK enum rowd_code config_read(int argc, char **argv, struct config **out, struct err *err);

/*
 * Read the same file and command line again, for SIGHUP. What differs and needs a restart keeps its old
 * value in *out and is named in warnings (one a line): so are databases, but for their max_rows.
 */
ROWD_MUST_CHECK enum rowd_code config_reload(const struct config *old, struct config **out,
					     struct buf *warnings, struct err *err);

/* The threads that serve clients: as set, or one for each core. */
unsigned config_loops(const struct config *c);

void config_free(struct config *c);   /* NULL is fine */

/* socket_mode as a number; socket_group as a gid, (gid_t)-1 when it is to be left as it is. */
unsigned config_socket_mode(const struct config *c);
ROWD_MUST_CHECK enum rowd_code config_socket_group(const struct config *c, gid_t *out, struct err *err);

/* Every option with its default and meaning, in the config file's own syntax. */
void config_print_defaults(FILE *out);
void config_print_usage(FILE *out);

#endif
