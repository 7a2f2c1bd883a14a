#include <config.h>

#include "daemon/config.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/paths.h"
#include "daemon/config_private.h"

enum rowd_code err_prefix(struct err *err, const char *fmt, ...)
{
	char where[ERR_TEXT_BYTES], what[ERR_TEXT_BYTES];
	va_list ap;

	memcpy(what, err->text, sizeof(what));
	va_start(ap, fmt);
	vsnprintf(where, sizeof(where), fmt, ap);
	va_end(ap);
	return err_set(err, err->code, "%s: %s", where, what);
}

unsigned config_loops(const struct config *c)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return c->loops ? (unsigned)c->loops : cores > 0 ? (unsigned)cores : 1;
}

void config_free(struct config *c)
{
	if (!c)
		return;
	settings_free(c);
	databases_free(c);
	policy_unref(c->policy);
	free((char *)c->path);
	for (int i = 0; i < c->argc; i++)
		free(c->argv[i]);
	free(c->argv);
	free(c);
}

static struct config *config_new(struct err *err)
{
	struct config *c = calloc(1, sizeof(*c));

	if (c)
		c->policy = policy_new();
	if (!c || !c->policy || settings_default(c, err)) {
		err_set(err, ROWD_E_NO_RESOURCE, "out of memory");
		config_free(c);
		return NULL;
	}
	return c;
}

static enum rowd_code socket_default(struct config *c, struct err *err)
{
	char path[PATH_SOCKET_BYTES], *copy;
	enum rowd_code rc;

	if (c->socket[0])
		return ROWD_OK;
	rc = path_socket(path, sizeof(path), err);
	if (rc)
		return rc;
	copy = strdup(path);
	if (!copy)
		return err_set(err, ROWD_E_NO_RESOURCE, "out of memory");
	free((char *)c->socket);
	c->socket = copy;
	return ROWD_OK;
}

/* What several settings must be together. */
static enum rowd_code settings_check(const struct config *c, struct err *err)
{
	if (c->pool_min > c->pool_max)
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "pool_min is %" PRId64 " and pool_max %" PRId64 "; expected pool_min to be the lesser",
			       c->pool_min, c->pool_max);
	if (c->limits.value_bytes > c->limits.frame_bytes)
		return err_set(err, ROWD_E_BAD_REQUEST, "value_bytes is %" PRId64 " and frame_bytes %" PRId64
			       "; expected a value to fit a frame", c->limits.value_bytes, c->limits.frame_bytes);
	return ROWD_OK;
}

static enum rowd_code config_complete(struct config *c, struct err *err)
{
	enum rowd_code rc = settings_check(c, err);

	if (!rc)
		rc = socket_default(c, err);
	if (!rc)
		rc = database_default(c, err);
	return rc ? rc : databases_complete(c, err);
}

enum rowd_code config_read(int argc, char **argv, struct config **out, struct err *err)
{
	struct config *c = config_new(err);
	enum rowd_code rc;

	if (!c)
		return ROWD_E_NO_RESOURCE;
	rc = args_read(c, argc, argv, err);
	if (!rc && !c->print_version && !c->print_defaults && !c->print_help) {
		if (c->path)
			rc = file_read(c, err);
		if (!rc)
			rc = args_apply(c, err);
		if (!rc)
			rc = config_complete(c, err);
	}
	if (rc) {
		config_free(c);
		return rc;
	}
	*out = c;
	return ROWD_OK;
}

/* What the running daemon cannot change stays as it was, and is named. */
static enum rowd_code config_keep(struct config *c, const struct config *old, struct buf *warnings,
				  struct err *err)
{
	enum rowd_code rc = ROWD_OK;

	for (const struct setting *s = config_settings; s->name && !rc; s++) {
		if (s->reload || setting_equal(c, old, s))
			continue;
		buf_addf(warnings, "%s is changed by a restart only\n", s->name);
		rc = setting_copy(c, old, s, err);
	}
	if (!rc && !databases_equal(c, old))
		buf_add_str(warnings, "databases are changed by a restart only\n");
	return rc ? rc : databases_keep(c, old, err);
}

enum rowd_code config_reload(const struct config *old, struct config **out, struct buf *warnings,
			     struct err *err)
{
	struct config *c = NULL;
	enum rowd_code rc = config_read(old->argc, old->argv, &c, err);

	if (!rc)
		rc = config_keep(c, old, warnings, err);
	if (rc) {
		config_free(c);
		return rc;
	}
	*out = c;
	return ROWD_OK;
}

/* ---- showing them ---- */

static void default_print(FILE *out, const struct setting *s)
{
	switch (s->kind) {
	case SETTING_STR:
		fprintf(out, "\"%s\"", s->dflt_text);
		break;
	case SETTING_INT:
		fprintf(out, "%" PRId64, s->dflt);
		break;
	case SETTING_BOOL:
		fputs(s->dflt ? "true" : "false", out);
		break;
	}
}

void config_print_defaults(FILE *out)
{
	fputs("# Every option of rowd with its default, as rowd.conf(5) reads it.\n", out);
	for (const struct setting *s = config_settings; s->name; s++) {
		fprintf(out, "\n# %s", s->meaning);
		if (s->kind == SETTING_INT)
			fprintf(out, " (%" PRId64 " to %" PRId64 ")", s->least, s->most);
		fprintf(out, "%s\n%s = ", s->reload ? "; SIGHUP changes it" : "", s->name);
		default_print(out, s);
		fputc('\n', out);
	}
	fputs("\n"
	      "# database main {\n"
	      "#\turl = \"sqlite:///var/lib/rowd/rowd.db\"\n"
	      "#\tcreate = true\n"
	      "#\tdurability = full\n"
	      "#\tmax_rows = -1\n"
	      "# }\n"
	      "# role clerks {\n"
	      "#\tuids = {alice, 1001}\n"
	      "#\tgids = {clerks}\n"
	      "# }\n"
	      "# grant {\n"
	      "#\trole = clerks\n"
	      "#\tdatabase = main\n"
	      "#\ttables = {\"*\"}\n"
	      "#\tops = {read, write, delete}\n"
	      "#\tmax_rows = 1000\n"
	      "# }\n"
	      "# deny {\n"
	      "#\trole = clerks\n"
	      "#\ttables = {payroll}\n"
	      "#\tops = {\"*\"}\n"
	      "# }\n", out);
}

void config_print_usage(FILE *out)
{
	fputs("usage: rowd [--socket PATH] [--database NAME=URL]... [--config FILE] [--OPTION VALUE]...\n"
	      "       rowd --check | --print-defaults | --version | --help\n"
	      "\n"
	      "  --database NAME=URL     serve it; the first one is the default. sqlite:///path or mysql://...\n"
	      "  --config FILE           read this file; the command line beats it\n"
	      "  --check                 read the configuration, say whether it is sound, serve nothing\n"
	      "  --print-defaults        every option with its default, as a config file\n"
	      "  --version               this version and its drivers\n"
	      "  --help                  this text\n"
	      "\n", out);
	for (const struct setting *s = config_settings; s->name; s++) {
		fputs("  --", out);
		for (const char *p = s->name; *p; p++)
			fputc(*p == '_' ? '-' : *p, out);
		fprintf(out, "%*s %s [", (int)(21 - strlen(s->name)), "", s->meaning);
		default_print(out, s);
		fputs("]\n", out);
	}
}
