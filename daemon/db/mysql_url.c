/*
 * mysql://user@host[:port][,host...]/database?option=value&...
 */
#include "config.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/hex.h"
#include "daemon/db/mysql_private.h"

enum { PORT_DEFAULT = 3306, PORT_MOST = 65535 };

static const char scheme[] = "mysql://";

/* Resolve %XX in place. */
static enum rowd_code decode(char *s, const char *what, struct err *err)
{
	char *to = s;

	for (; *s; s++) {
		int c = (unsigned char)*s;

		if (c == '%') {
			int high = hex_digit(s[1]), low = high < 0 ? -1 : hex_digit(s[2]);

			if (low < 0)
				return err_set(err, ROWD_E_BAD_REQUEST,
					       "'%%' in a URL must be followed by two hexadecimal digits");
			c = high * 16 + low;
			s += 2;
		}
		if (c == 0)
			return err_set(err, ROWD_E_BAD_REQUEST, "%s cannot contain %%00", what);
		*to++ = (char)c;
	}
	*to = '\0';
	return ROWD_OK;
}

/* ---- hosts ---- */

static enum rowd_code parse_port(const char *s, struct mydb_host *host, struct err *err)
{
	char *end;
	unsigned long port = strtoul(s, &end, 10);

	if (*s < '0' || *s > '9' || *end || port == 0 || port > PORT_MOST)
		return err_set(err, ROWD_E_BAD_REQUEST, "a port is a number from 1 to %d", PORT_MOST);
	host->port = (unsigned)port;
	host->port_given = true;
	return ROWD_OK;
}

/* name, name:port, [address] or [address]:port */
static enum rowd_code parse_host(char *s, struct mydb_host *host, struct err *err)
{
	char *name = s, *colon;

	if (*s == '[') {
		char *bracket = strchr(s, ']');

		if (!bracket || (bracket[1] != '\0' && bracket[1] != ':'))
			return err_set(err, ROWD_E_BAD_REQUEST,
				       "an address in brackets ends with ']' or ']:port'");
		name = s + 1;
		colon = bracket[1] == ':' ? bracket + 1 : NULL;
		*bracket = '\0';
	} else {
		colon = strchr(s, ':');
		if (colon && strchr(colon + 1, ':'))
			return err_set(err, ROWD_E_BAD_REQUEST,
				       "an address of IPv6 stands in brackets: [::1]:3306");
	}
	*host = (struct mydb_host){ .name = name, .port = PORT_DEFAULT };
	if (colon) {
		*colon = '\0';
		if (parse_port(colon + 1, host, err))
			return err->code;
	}
	if (!*name)
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "expected the name of a host: mysql://user@host/database");
	return decode(name, "the name of a host", err);
}

static enum rowd_code parse_hosts(char *s, struct mydb_url *u, struct err *err)
{
	char *comma;
	enum rowd_code rc = ROWD_OK;

	for (; !rc && s; s = comma ? comma + 1 : NULL) {
		comma = strchr(s, ',');
		if (comma)
			*comma = '\0';
		if (u->nhosts == MYDB_HOSTS_MOST)
			return err_set(err, ROWD_E_BAD_REQUEST, "more than %d hosts", MYDB_HOSTS_MOST);
		rc = parse_host(s, &u->hosts[u->nhosts++], err);
	}
	return rc;
}

/* ---- options ---- */

static enum rowd_code take_path(const char **out, const char *name, const char *value, struct err *err)
{
	if (*out)
		return err_set(err, ROWD_E_BAD_REQUEST, "the option %s is given twice", name);
	if (*value != '/')
		return err_set(err, ROWD_E_BAD_REQUEST, "the option %s takes an absolute path", name);
	*out = value;
	return ROWD_OK;
}

static enum rowd_code take_tls(struct mydb_url *u, const char *value, struct err *err)
{
	static const struct {
		const char *word;
		enum mydb_tls tls;
	} words[] = {
		{ "off", MYDB_TLS_OFF },
		{ "required", MYDB_TLS_REQUIRED },
		{ "verify", MYDB_TLS_VERIFY },
	};
	size_t i;

	if (u->tls != MYDB_TLS_DEFAULT)
		return err_set(err, ROWD_E_BAD_REQUEST, "the option ssl is given twice");
	for (i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(value, words[i].word) == 0)
			u->tls = words[i].tls;
	if (u->tls == MYDB_TLS_DEFAULT)
		return err_set(err, ROWD_E_BAD_REQUEST, "the option ssl is off, required or verify");
	return ROWD_OK;
}

static enum rowd_code take_option(struct mydb_url *u, const char *name, const char *value, struct err *err)
{
	const struct {
		const char *name;
		const char **out;
	} paths[] = {
		{ "unix_socket", &u->unix_socket }, { "password_file", &u->password_file },
		{ "ssl_ca", &u->tls_ca },           { "ssl_cert", &u->tls_cert },
		{ "ssl_key", &u->tls_key },
	};
	size_t i;

	for (i = 0; i < sizeof paths / sizeof *paths; i++)
		if (strcmp(name, paths[i].name) == 0)
			return take_path(paths[i].out, name, value, err);
	if (strcmp(name, "ssl") == 0)
		return take_tls(u, value, err);
	return err_set(err, ROWD_E_BAD_REQUEST,
		       "mysql:// takes no option of that name; it takes unix_socket, "
		       "password_file, ssl, ssl_ca, ssl_cert and ssl_key");
}

static enum rowd_code parse_options(char *s, struct mydb_url *u, struct err *err)
{
	char *next, *value;
	enum rowd_code rc = ROWD_OK;

	for (; !rc && s && *s; s = next) {
		next = strchr(s, '&');
		if (next)
			*next++ = '\0';
		value = strchr(s, '=');
		if (!value)
			return err_set(err, ROWD_E_BAD_REQUEST, "an option of a URL is name=value");
		*value++ = '\0';
		rc = decode(value, "an option", err);
		if (!rc)
			rc = take_option(u, s, value, err);
	}
	return rc;
}

/* ---- the whole ---- */

static enum rowd_code check_together(const struct mydb_url *u, struct err *err)
{
	if (u->unix_socket &&
	    (u->nhosts > 1 || u->hosts[0].port_given || strcasecmp(u->hosts[0].name, "localhost") != 0))
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "unix_socket is for the one host localhost, without a port");
	if (!u->tls_cert != !u->tls_key)
		return err_set(err, ROWD_E_BAD_REQUEST, "ssl_cert and ssl_key are given together");
	if (u->tls == MYDB_TLS_OFF && (u->tls_ca || u->tls_cert))
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "ssl=off leaves nothing for ssl_ca, ssl_cert and ssl_key to do");
	return ROWD_OK;
}

static enum rowd_code parse_parts(struct mydb_url *u, struct err *err)
{
	char *user = u->text, *at = NULL, *hosts, *slash, *options;
	enum rowd_code rc;

	options = strchr(user, '?');
	if (options)
		*options++ = '\0';
	if (strchr(user, '#') || (options && strchr(options, '#')))
		return err_set(err, ROWD_E_BAD_REQUEST, "'#' in a URL is written %%23");
	slash = strchr(user, '/');
	if (!slash || !slash[1] || strchr(slash + 1, '/'))
		return err_set(err, ROWD_E_BAD_REQUEST, "expected a database: mysql://user@host/database");
	*slash = '\0';
	at = strrchr(user, '@');
	if (!at || at == user)
		return err_set(err, ROWD_E_BAD_REQUEST, "expected a user: mysql://user@host/database");
	*at = '\0';
	hosts = at + 1;
	if (strchr(user, ':'))
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "a password does not stand in a URL: it is read from "
			       "password_file=/path");
	u->user = user;
	u->database = slash + 1;
	rc = decode(user, "a user", err);
	if (!rc)
		rc = decode(slash + 1, "a database", err);
	if (!rc)
		rc = parse_hosts(hosts, u, err);
	if (!rc)
		rc = parse_options(options, u, err);
	return rc ? rc : check_together(u, err);
}

enum rowd_code mydb_url_parse(const char *url, struct mydb_url *out, struct err *err)
{
	struct mydb_url u = { .text = NULL };
	enum rowd_code rc;

	if (strncmp(url, scheme, strlen(scheme)) != 0)
		return err_set(err, ROWD_E_BAD_REQUEST, "expected mysql://user@host/database");
	u.text = strdup(url + strlen(scheme));
	if (!u.text)
		return err_set(err, ROWD_E_NO_RESOURCE, "memory ran out");
	rc = parse_parts(&u, err);
	if (rc)
		free(u.text);
	else
		*out = u;
	return rc;
}

void mydb_url_fini(struct mydb_url *u)
{
	free(u->text);
	*u = (struct mydb_url){ .text = NULL };
}

enum rowd_code mydb_check_url(const char *url, struct err *err)
{
	struct mydb_url u;
	enum rowd_code rc = mydb_url_parse(url, &u, err);

	if (!rc)
		mydb_url_fini(&u);
	return rc;
}

bool mydb_host_is_local(const struct mydb_url *u, const struct mydb_host *host)
{
	struct in_addr address;

	if (u->unix_socket || strcasecmp(host->name, "localhost") == 0 || strcmp(host->name, "::1") == 0)
		return true;
	return inet_pton(AF_INET, host->name, &address) == 1 && ntohl(address.s_addr) >> 24 == IN_LOOPBACKNET;
}
