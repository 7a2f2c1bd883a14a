/*
 * Private MariaDB and MySQL servers for unit tests: on a socket in a temporary directory, with defaults as
 * bad as an administrator may make them. They end with the test program, however it ends.
 */
#ifndef ROWD_TESTS_MYSQL_SERVER_H
#define ROWD_TESTS_MYSQL_SERVER_H

#include <stdbool.h>
#include <sys/types.h>

enum mysql_kind { SERVER_MARIADB, SERVER_MYSQL57, SERVER_KINDS };

struct mysql_server {
	enum mysql_kind kind;
	const char *missing; /* why there is none; NULL when it runs */
	pid_t pid;
	char directory[64];
	char socket[96];
	char url[160];        /* of its database `test` */
	char certificate[96]; /* its own, signed by itself, for "localhost"; "" where there is none */
};

/* The one of that kind, started at the first call. */
struct mysql_server *mysql_server_get(enum mysql_kind kind);

/* Kill it as a power cut would; start it again on the same data. */
void mysql_server_kill(struct mysql_server *s);
bool mysql_server_start(struct mysql_server *s);

#endif
