/*
 * From a URL to a connection to a server that can be written: the password, the encryption, the choice
 * among several hosts.
 */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/db/mysql_private.h"

enum { PASSWORD_MOST = 1024, LIBRARY_PACKET_BYTES = 256 * 1024 * 1024, MS_PER_S = 1000 };

/* What the server calls itself, its machine, its port and its process. */
const char mydb_identity_query[] =
	"SELECT CONCAT_WS('|', @@hostname, @@port, @@server_id, @@datadir, @@pid_file)";

/* ---- the password ---- */

static enum rowd_code check_password_file(int fd, struct err *err)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_sys(err, ROWD_E_UNAVAILABLE, errno, "the password file");
	if (!S_ISREG(st.st_mode))
		return err_set(err, ROWD_E_UNAVAILABLE, "the password file is not an ordinary file");
	if (st.st_mode & (S_IRWXO | S_IWGRP))
		return err_set(err, ROWD_E_UNAVAILABLE,
			       "the password file may be read or written by others; "
			       "chmod 600 it");
	if (st.st_size > PASSWORD_MOST)
		return err_set(err, ROWD_E_UNAVAILABLE, "the password file is longer than %d bytes",
			       PASSWORD_MOST);
	return ROWD_OK;
}

/* One line; the end of it is not part of the password. */
static enum rowd_code read_password(const char *path, char **out, struct err *err)
{
	char text[PASSWORD_MOST + 1];
	enum rowd_code rc;
	ssize_t n = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0)
		return err_sys(err, ROWD_E_UNAVAILABLE, errno, "the password file");
	rc = check_password_file(fd, err);
	if (!rc)
		n = read(fd, text, PASSWORD_MOST);
	close(fd);
	if (rc)
		return rc;
	if (n < 0)
		return err_sys(err, ROWD_E_UNAVAILABLE, errno, "the password file");
	text[n] = '\0';
	if (n && text[n - 1] == '\n')
		text[--n] = '\0';
	if (n && text[n - 1] == '\r')
		text[--n] = '\0';
	if (n == 0 || memchr(text, '\0', (size_t)n) || memchr(text, '\n', (size_t)n))
		return err_set(err, ROWD_E_UNAVAILABLE, "the password file does not hold one line");
	*out = strdup(text);
	explicit_bzero(text, sizeof text);
	return *out ? ROWD_OK : err_set(err, ROWD_E_NO_RESOURCE, "memory ran out");
}

/* ---- encryption ---- */

static enum mydb_tls tls_of(const struct mydb_url *u, const struct mydb_host *host)
{
	if (u->tls != MYDB_TLS_DEFAULT)
		return u->tls;
	return mydb_host_is_local(u, host) ? MYDB_TLS_OFF : MYDB_TLS_VERIFY;
}

#ifdef MARIADB_BASE_VERSION

static void set_tls_mode(MYSQL *db, enum mydb_tls tls)
{
	mydb_flag enforced = tls != MYDB_TLS_OFF, verified = tls == MYDB_TLS_VERIFY;

	mysql_options(db, MYSQL_OPT_SSL_ENFORCE, &enforced);
	mysql_options(db, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verified);
}

#else

static void set_tls_mode(MYSQL *db, enum mydb_tls tls)
{
	unsigned mode = tls == MYDB_TLS_OFF      ? SSL_MODE_DISABLED
			: tls == MYDB_TLS_VERIFY ? SSL_MODE_VERIFY_IDENTITY
						 : SSL_MODE_REQUIRED;

	mysql_options(db, MYSQL_OPT_SSL_MODE, &mode);
}

#endif

static void set_tls(MYSQL *db, const struct mydb_url *u, enum mydb_tls tls)
{
	if (u->tls_ca)
		mysql_options(db, MYSQL_OPT_SSL_CA, u->tls_ca);
	if (u->tls_cert) {
		mysql_options(db, MYSQL_OPT_SSL_CERT, u->tls_cert);
		mysql_options(db, MYSQL_OPT_SSL_KEY, u->tls_key);
	}
	set_tls_mode(db, tls);
}

/* ---- one host ---- */

#ifdef MARIADB_BASE_VERSION

/* Whoever has taken the place of the server is not told the password because he asks for it. */
static void set_ways_of_proof(MYSQL *db)
{
	mysql_options(db, MARIADB_OPT_RESTRICTED_AUTH,
		      "mysql_native_password,client_ed25519,caching_sha2_password,sha256_password,parsec,"
		      "auth_gssapi_client,unix_socket,auth_socket");
}

#else

static void set_ways_of_proof(MYSQL *db)
{
	(void)db; /* the library is so by itself */
}

#endif

static void set_options(MYSQL *db, unsigned seconds, unsigned session_seconds)
{
	unsigned long packet = LIBRARY_PACKET_BYTES;
	unsigned none = 0;

	mysql_options(db, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
	mysql_options(db, MYSQL_OPT_READ_TIMEOUT, &session_seconds);
	mysql_options(db, MYSQL_OPT_WRITE_TIMEOUT, &session_seconds);
	mysql_options(db, MYSQL_OPT_LOCAL_INFILE, &none);
	mysql_options(db, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
	mysql_options(db, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	set_ways_of_proof(db);
#if defined MARIADB_BASE_VERSION || MYSQL_VERSION_ID < 80034
	{
		mydb_flag reconnect = 0;

		/* a transaction must not go on as something else */
		mysql_options(db, MYSQL_OPT_RECONNECT, &reconnect);
	}
#endif
}

/* By name and without a port, the library would choose its own way. */
static void set_way(MYSQL *db, const struct mydb_url *u, const struct mydb_host *host)
{
	bool by_socket = u->unix_socket || (!host->port_given && strcasecmp(host->name, "localhost") == 0);
	unsigned protocol = by_socket ? MYSQL_PROTOCOL_SOCKET : MYSQL_PROTOCOL_TCP;

	mysql_options(db, MYSQL_OPT_PROTOCOL, &protocol);
}

static void init_library(void)
{
	mysql_library_init(0, NULL, NULL);
}

enum rowd_code mydb_connect_host(struct mydb_conn *c, const struct mydb_host *host, unsigned seconds,
				 unsigned session_seconds, MYSQL **out, struct err *err)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	enum mydb_tls tls = tls_of(&c->url, host);
	enum rowd_code rc;
	MYSQL *db;

	pthread_once(&once, init_library);
	db = mysql_init(NULL);
	if (!db)
		return err_set(err, ROWD_E_NO_RESOURCE, "memory ran out");
	set_options(db, seconds, session_seconds);
	set_way(db, &c->url, host);
	set_tls(db, &c->url, tls);
	if (!mysql_real_connect(db, host->name, c->url.user, c->password, c->url.database, host->port,
				c->url.unix_socket, CLIENT_FOUND_ROWS)) {
		rc = mydb_fail_connect(mysql_errno(db), err);
		mysql_close(db);
		return rc;
	}
	if (tls != MYDB_TLS_OFF && !mysql_get_ssl_cipher(db)) {
		mysql_close(db);
		return err_set(err, ROWD_E_UNAVAILABLE, "the server does not encrypt the connection");
	}
	*out = db;
	return ROWD_OK;
}

static int socket_of(MYSQL *db)
{
#ifdef MARIADB_BASE_VERSION
	return (int)mysql_get_socket(db);
#else
	return (int)db->net.fd;
#endif
}

/* What belongs to the connection just lost or given up. */
static void forget_server(struct mydb_conn *c)
{
	while (c->statements)
		mydb_release(c, c->statements);
	memset(c->sums, 0, sizeof c->sums);
	if (c->db)
		mysql_close(c->db);
	c->db = NULL;
	c->broken = c->rolling_back = c->in_transaction = c->touched = c->seen_open = false;
	c->isolation = NULL;
	c->autocommit = false;
	c->packet_bytes = MYDB_PACKET_LEAST_BYTES;
}

/* ---- which of several can be written ---- */

/* The last value of the first row; VALUE_NULL when there is none. Not for longer than the next statement. */
static enum rowd_code ask_last(struct mydb_conn *c, const char *text, const struct type *types, size_t ntypes,
			       bool *is_due, bool (*due)(const struct value *), struct err *err)
{
	struct value row[2];
	struct mydb_stmt *s;
	bool has_row = false;
	enum rowd_code rc = mydb_ask(c, text, NULL, 0, types, ntypes, &s, err);

	if (!rc)
		rc = mydb_step(c, s, row, &has_row, err);
	*is_due = !rc && has_row && due(&row[ntypes - 1]);
	mydb_answered(c, s);
	return rc;
}

static bool is_zero(const struct value *v)
{
	return v->kind == VALUE_INT && v->u.i == 0;
}

static bool is_on(const struct value *v)
{
	return v->kind == VALUE_TEXT && v->u.s.len == 2 && strncasecmp(v->u.s.data, "ON", 2) == 0;
}

static enum rowd_code check_cluster(struct mydb_conn *c, struct err *err)
{
	/* without waiting for what the others of the cluster have done: that may take long, or for ever */
	static const char text[] =
		"SET STATEMENT wsrep_sync_wait = 0 FOR SHOW GLOBAL STATUS LIKE 'wsrep_ready'";
	static const struct type types[] = { { .kind = TYPE_TEXT }, { .kind = TYPE_TEXT } };
	const char *question = c->mariadb ? text : strstr(text, "SHOW");
	bool ready;
	enum rowd_code rc = ask_last(c, question, types, 2, &ready, is_on, err);

	if (rc || ready)
		return rc;
	c->broken = true;
	return err_set(err, ROWD_E_UNAVAILABLE, "the server is not part of its cluster");
}

static enum rowd_code check_read_only(struct mydb_conn *c, struct err *err)
{
	static const char text[] = "SET STATEMENT wsrep_sync_wait = 0 FOR "
				   "SELECT @@global.read_only + @@global.innodb_read_only";
	static const struct type type = { .kind = TYPE_INT };
	const char *question = c->galera && c->mariadb ? text : strstr(text, "SELECT");
	bool writable;
	enum rowd_code rc = ask_last(c, question, &type, 1, &writable, is_zero, err);

	if (rc || writable)
		return rc;
	c->broken = true;
	return err_set(err, ROWD_E_UNAVAILABLE, "the server can only be read");
}

enum rowd_code mydb_check_writable(struct mydb_conn *c, struct err *err)
{
	enum rowd_code rc = ROWD_OK;

	c->bounded = true;
	if (c->galera)
		rc = check_cluster(c, err);
	if (!rc && c->url.nhosts > 1)
		rc = check_read_only(c, err);
	c->bounded = false;
	if (!rc)
		c->checked_ns = clock_ns();
	return rc;
}

static enum rowd_code try_host(struct mydb_conn *c, const struct mydb_host *host, unsigned seconds,
			       struct err *err)
{
	enum rowd_code rc;

	forget_server(c);
	c->host = host;
	rc = mydb_connect_host(c, host, seconds, MYDB_SESSION_SECONDS, &c->db, err);
	if (rc)
		return rc;
	c->guard.fd = socket_of(c->db);
	c->bounded = true;
	rc = mydb_session_prepare(c, err);
	c->bounded = false;
	return rc ? rc : mydb_check_writable(c, err);
}

/* ---- the slots ---- */

/* Those that did not answer a moment ago come last, in the same order. */
static void order_hosts(struct mydb_conn *c, const struct mydb_host **out)
{
	bool avoided[MYDB_HOSTS_MOST];
	unsigned i, n = 0;

	for (i = 0; i < c->url.nhosts; i++)
		avoided[i] = mydb_host_is_avoided(c, &c->url.hosts[i]);
	for (i = 0; i < c->url.nhosts; i++)
		if (!avoided[i])
			out[n++] = &c->url.hosts[i];
	for (i = 0; i < c->url.nhosts; i++)
		if (avoided[i])
			out[n++] = &c->url.hosts[i];
}

static enum rowd_code first_writable(struct mydb_conn *c, struct err *err)
{
	int64_t share = c->source->connect_timeout_ms / c->url.nhosts;
	unsigned seconds = share > MS_PER_S ? (unsigned)(share / MS_PER_S) : 1, i;
	const struct mydb_host *hosts[MYDB_HOSTS_MOST];
	struct err last;
	enum rowd_code rc = ROWD_OK;

	err_init(&last);
	order_hosts(c, hosts);
	for (i = 0; i < c->url.nhosts; i++) {
		err_init(&last);
		rc = try_host(c, hosts[i], seconds, &last);
		if (!rc)
			return ROWD_OK;
		mydb_host_avoid(c);
	}
	if (c->url.nhosts > 1)
		return err_native(err, ROWD_E_UNAVAILABLE, last.native,
				  "none of the servers can be used; the last: %s", last.text);
	/* what the contract of `open` allows */
	if (rc != ROWD_E_NO_RESOURCE && rc != ROWD_E_CORRUPT)
		rc = ROWD_E_UNAVAILABLE;
	return err_native(err, rc, last.native, "%s", last.text);
}

enum rowd_code mydb_open(void *conn, const struct db_source *src, enum db_role role,
			 const struct db_watch *watch, struct err *err)
{
	struct mydb_conn *c = conn;
	enum rowd_code rc;

	(void)role;
	c->source = src;
	c->watch = watch;
	rc = mydb_url_parse(src->url, &c->url, err);
	if (!rc && c->url.password_file)
		rc = read_password(c->url.password_file, &c->password, err);
	if (!rc)
		rc = mydb_guard_hold(c, err);
	if (!rc)
		rc = mydb_shared_use(c, err);
	return rc ? rc : first_writable(c, err);
}

void mydb_close(void *conn)
{
	struct mydb_conn *c = conn;

	forget_server(c);
	mydb_guard_let_go(c);
	mydb_shared_leave(c);
	mydb_values_fini(c);
	mydb_url_fini(&c->url);
	if (c->password)
		explicit_bzero(c->password, strlen(c->password));
	free(c->password);
	c->password = NULL;
}
