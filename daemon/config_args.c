#include <config.h>

#include "daemon/config_private.h"

#include <stdlib.h>
#include <string.h>

/* One "--name value", "--name=value" or "--name". */
struct arg {
	const char *name;      /* without the dashes */
	size_t name_bytes;
	const char *value;     /* NULL without one */
	bool joined;           /* the value stands behind '=' */
};

/* Take the argument at *at, and the next one when it must be the value. */
static enum rowd_code arg_take(const struct config *c, int *at, bool wants_value, struct arg *a,
			       struct err *err)
{
	if (wants_value && !a->value) {
		if (*at + 1 >= c->argc)
			return err_set(err, ROWD_E_BAD_REQUEST, "--%.*s: a value is missing behind it",
				       (int)a->name_bytes, a->name);
		a->value = c->argv[++*at];
	}
	if (!wants_value && a->value)
		return err_set(err, ROWD_E_BAD_REQUEST, "--%.*s takes no value", (int)a->name_bytes, a->name);
	return ROWD_OK;
}

static enum rowd_code arg_split(const char *word, struct arg *a, struct err *err)
{
	if (strncmp(word, "--", 2) != 0 || word[2] == '\0')
		return err_set(err, ROWD_E_BAD_REQUEST, "\"%.60s\" is not an option; rowd --help shows them all",
			       word);
	a->name = word + 2;
	a->name_bytes = strcspn(a->name, "=");
	a->joined = a->name[a->name_bytes] == '=';
	a->value = a->joined ? a->name + a->name_bytes + 1 : NULL;
	return ROWD_OK;
}

static bool arg_is(const struct arg *a, const char *name)
{
	return strlen(name) == a->name_bytes && strncmp(a->name, name, a->name_bytes) == 0;
}

/* The flag of that name in c; NULL when there is none. */
static bool *flag_find(struct config *c, const struct arg *a)
{
	if (arg_is(a, "version"))
		return &c->print_version;
	if (arg_is(a, "help"))
		return &c->print_help;
	if (arg_is(a, "print-defaults"))
		return &c->print_defaults;
	if (arg_is(a, "check"))
		return &c->check_only;
	return NULL;
}

/* Everyone on the machine can read a command line. */
static bool url_has_password(const char *url)
{
	const char *host = strstr(url, "://");
	size_t len;

	if (!host)
		return false;
	host += 3;
	len = strcspn(host, "/?#");
	for (const char *at = host + len; at > host; at--) {
		if (at[-1] == '@')
			return memchr(host, ':', (size_t)(at - host)) != NULL;
	}
	return false;
}

/* NAME=URL */
static enum rowd_code arg_database(struct config *c, const char *value, struct err *err)
{
	const char *equals = strchr(value, '=');
	enum rowd_code rc;
	char *name;

	if (!equals || equals == value || !equals[1])
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "--database: \"%.60s\"; expected NAME=URL, such as main=sqlite:///path/main.db", value);
	if (url_has_password(equals + 1))
		return err_set(err, ROWD_E_BAD_REQUEST, "--database: everyone can read a command line; "
			       "the password comes from a file: ?password_file=/path");
	name = strndup(value, (size_t)(equals - value));
	if (!name)
		return err_set(err, ROWD_E_NO_RESOURCE, "out of memory");
	rc = database_add(c, name, equals + 1, NULL, true, -1, err);
	free(name);
	return rc ? err_prefix(err, "--database") : ROWD_OK;
}

static enum rowd_code arg_path(struct config *c, const char *value, struct err *err)
{
	char *path = strdup(value);

	if (!path)
		return err_set(err, ROWD_E_NO_RESOURCE, "out of memory");
	free((char *)c->path);
	c->path = path;
	return ROWD_OK;
}

static enum rowd_code arg_setting(struct config *c, const struct setting *s, const char *value,
				  struct err *err)
{
	enum rowd_code rc = setting_parse(c, s, value, err);

	return rc ? err_prefix(err, "--%s", s->name) : ROWD_OK;
}

/* The argument at *at, and its value. Of a second pass only settings count. */
static enum rowd_code arg_read(struct config *c, int *at, bool settings_only, struct err *err)
{
	const struct setting *s;
	enum rowd_code rc;
	struct arg a = { .name = NULL };
	bool *flag;

	rc = arg_split(c->argv[*at], &a, err);
	if (rc)
		return rc;
	flag = flag_find(c, &a);
	s = setting_find(a.name, a.name_bytes);
	if (!flag && !s && !arg_is(&a, "config") && !arg_is(&a, "database"))
		return err_set(err, ROWD_E_BAD_REQUEST, "--%.*s: no such option; rowd --help shows them all",
			       (int)(a.name_bytes < 60 ? a.name_bytes : 60), a.name);
	if (s && s->kind == SETTING_BOOL && !a.joined)
		a.value = "true";
	rc = arg_take(c, at, !flag, &a, err);
	if (rc)
		return rc;
	if (flag) {
		*flag = true;
		return ROWD_OK;
	}
	if (s)
		return arg_setting(c, s, a.value, err);
	if (settings_only)
		return ROWD_OK;
	return arg_is(&a, "config") ? arg_path(c, a.value, err) : arg_database(c, a.value, err);
}

static enum rowd_code args_pass(struct config *c, bool settings_only, struct err *err)
{
	enum rowd_code rc = ROWD_OK;

	for (int at = 1; at < c->argc && !rc; at++)
		rc = arg_read(c, &at, settings_only, err);
	return rc;
}

enum rowd_code args_read(struct config *c, int argc, char **argv, struct err *err)
{
	c->argv = calloc((size_t)argc + 1, sizeof(*c->argv));
	if (!c->argv)
		return err_set(err, ROWD_E_NO_RESOURCE, "out of memory");
	for (; c->argc < argc; c->argc++) {
		c->argv[c->argc] = strdup(argv[c->argc]);
		if (!c->argv[c->argc])
			return err_set(err, ROWD_E_NO_RESOURCE, "out of memory");
	}
	return args_pass(c, false, err);
}

enum rowd_code args_apply(struct config *c, struct err *err)
{
	return args_pass(c, true, err);
}
