#include <config.h>

#include "daemon/config_private.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <confuse.h>

enum { FILE_MAX_BYTES = 1 << 20, ROLE_MAX_IDS = 1000 };

/* What libconfuse's callbacks work on: it hands them nothing of ours. */
static struct {
	struct config *config;
	struct err *err;
	const cfg_opt_t **seen;    /* owned; the options given so far, to find those given twice */
	size_t nseen;
	unsigned nbefore;          /* databases that the command line named */
} reader;

/* ---- mistakes: FILE:LINE, what is wrong, what was expected ---- */

static enum rowd_code mistake(const cfg_t *cfg, const char *fmt, ...) ROWD_PRINTF(2, 3);

static enum rowd_code mistake(const cfg_t *cfg, const char *fmt, ...)
{
	char text[ERR_TEXT_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return err_set(reader.err, ROWD_E_BAD_REQUEST, "%s:%d: %s", cfg->filename, cfg->line, text);
}

/* As an err from deeper down, with FILE:LINE: NAME in front. */
static int mistake_of(const cfg_t *cfg, const char *name)
{
	err_prefix(reader.err, "%s:%d: %s", cfg->filename, cfg->line, name);
	return -1;
}

/* libconfuse's own complaints, and what it would have liked instead. */
static const struct {
	const char *start, *expected;
} expectations[] = {
	{ "missing equal sign", "NAME = VALUE" },
	{ "missing opening brace", "{ behind a section's name" },
	{ "missing title", "a name and { behind it" },
	{ "premature end", "a value, or the } of a section or list" },
	{ "unexpected closing brace", "a } for each {" },
	{ "found duplicate title", "each name once" },
	{ "unterminated string", "a quote at its end" },
	{ "unexpected token", "NAME = VALUE, or a list: NAME = {a, b}" },
	{ "attempt to append", "= instead of +=" },
};

/* The words that may stand in a section; of the file itself they are too many. */
static const char *words_of(const cfg_t *cfg, char *out, size_t cap)
{
	size_t used = 0;

	if (strcmp(cfg->name, "root") == 0)
		return "an option of rowd.conf(5), database, role, grant or deny";
	out[0] = '\0';
	for (const cfg_opt_t *o = cfg->opts; o->name && used < cap; o++)
		used += (size_t)snprintf(out + used, cap - used, "%s%s", o == cfg->opts ? "" : ", ", o->name);
	return out;
}

static void complaint_take(cfg_t *cfg, const char *fmt, va_list ap)
{
	char text[ERR_TEXT_BYTES], words[ERR_TEXT_BYTES];
	const char *expected = "what rowd.conf(5) says";

	if (reader.err->code)    /* the first words were the right ones */
		return;
	vsnprintf(text, sizeof(text), fmt, ap);
	for (size_t i = 0; i < sizeof(expectations) / sizeof(expectations[0]); i++) {
		if (strncmp(text, expectations[i].start, strlen(expectations[i].start)) == 0)
			expected = expectations[i].expected;
	}
	if (strncmp(text, "no such option", 14) == 0)
		expected = words_of(cfg, words, sizeof(words));
	mistake(cfg, "%.120s; expected %.120s", text, expected);
}

/* ---- options ---- */

/* An option given a second time would silently undo the first. Lists may be added to. */
static int once_only(cfg_t *cfg, cfg_opt_t *opt)
{
	const cfg_opt_t **more;

	for (size_t i = 0; i < reader.nseen; i++) {
		if (reader.seen[i] == opt) {
			mistake(cfg, "%s is given twice; expected it once", opt->name);
			return -1;
		}
	}
	more = realloc(reader.seen, (reader.nseen + 1) * sizeof(*more));
	if (!more) {
		err_set(reader.err, ROWD_E_NO_RESOURCE, "out of memory");
		return -1;
	}
	reader.seen = more;
	reader.seen[reader.nseen++] = opt;
	return 0;
}

/* A row of options.def or limits.h. */
static int setting_take(cfg_t *cfg, cfg_opt_t *opt)
{
	const struct setting *s = setting_find(opt->name, strlen(opt->name));

	if (once_only(cfg, opt))
		return -1;
	if (setting_parse(reader.config, s, cfg_opt_getnstr(opt, 0), reader.err))
		return mistake_of(cfg, opt->name);
	return 0;
}

static int flag_check(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *text = cfg_opt_getnstr(opt, 0);
	bool flag;

	if (once_only(cfg, opt))
		return -1;
	if (!bool_parse(text, &flag)) {
		mistake(cfg, "%s: \"%.32s\"; expected true or false", opt->name, text);
		return -1;
	}
	return 0;
}

static int rows_check(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *text = cfg_opt_getnstr(opt, 0);
	int64_t rows;

	if (once_only(cfg, opt))
		return -1;
	if (!number_parse(text, -1, INT64_MAX, &rows)) {
		mistake(cfg, "%s: \"%.32s\"; expected a number of rows, or -1 for no cap", opt->name, text);
		return -1;
	}
	return 0;
}

static int durability_check(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *text = cfg_opt_getnstr(opt, 0);

	if (once_only(cfg, opt))
		return -1;
	if (strcmp(text, "full") != 0 && strcmp(text, "normal") != 0) {
		mistake(cfg, "durability: \"%.32s\"; expected full or normal", text);
		return -1;
	}
	return 0;
}

static int64_t rows_of(cfg_t *section)
{
	const char *text = cfg_getstr(section, "max_rows");
	int64_t rows = -1;

	return text && number_parse(text, -1, INT64_MAX, &rows) ? rows : -1;
}

static cfg_t *newest_section(cfg_opt_t *opt)
{
	return cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
}

/* ---- database NAME { ... } ---- */

/* One that the command line names as well is the command line's. */
static bool is_overruled(const char *name)
{
	const struct config_database *d = database_find(reader.config, name);

	return d && d - reader.config->databases < (ptrdiff_t)reader.nbefore;
}

static int database_take(cfg_t *cfg, cfg_opt_t *opt)
{
	cfg_t *section = newest_section(opt);
	const char *name = cfg_title(section), *url = cfg_getstr(section, "url");
	const char *create = cfg_getstr(section, "create");
	bool may_create = true;

	if (!url) {
		mistake(cfg, "database %.48s has no url; expected url = \"sqlite:///path\" or the like", name);
		return -1;
	}
	if (create)
		(void)bool_parse(create, &may_create);    /* flag_check has seen it */
	if (is_overruled(name))
		return 0;
	if (database_add(reader.config, name, url, cfg_getstr(section, "durability"), may_create,
			 rows_of(section), reader.err))
		return mistake_of(cfg, "database");
	return 0;
}

/* ---- role NAME { uids = {...} gids = {...} } ---- */

enum { ID_UNKNOWN = -1 };

static int64_t uid_resolve(const char *name)
{
	const struct passwd *found;
	int64_t id;

	if (number_parse(name, 0, UINT32_MAX - 1, &id))
		return id;
	found = getpwnam(name);
	return found ? (int64_t)found->pw_uid : ID_UNKNOWN;
}

static int64_t gid_resolve(const char *name)
{
	const struct group *found;
	int64_t id;

	if (number_parse(name, 0, UINT32_MAX - 1, &id))
		return id;
	found = getgrnam(name);
	return found ? (int64_t)found->gr_gid : ID_UNKNOWN;
}

/* The newest name of a list, while its line is at hand. */
static int ids_check(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *name = cfg_opt_getnstr(opt, cfg_opt_size(opt) - 1);
	bool users = strcmp(opt->name, "uids") == 0;

	if (cfg_opt_size(opt) > ROLE_MAX_IDS) {
		mistake(cfg, "%s has too many names; expected %d at most", opt->name, ROLE_MAX_IDS);
		return -1;
	}
	if ((users ? uid_resolve(name) : gid_resolve(name)) == ID_UNKNOWN) {
		mistake(cfg, "%s: \"%.48s\"; expected a %s of this system, or a number", opt->name, name,
			users ? "user" : "group");
		return -1;
	}
	return 0;
}

static int role_take(cfg_t *cfg, cfg_opt_t *opt)
{
	cfg_t *section = newest_section(opt);
	uid_t uids[ROLE_MAX_IDS];
	gid_t gids[ROLE_MAX_IDS];
	unsigned nuids = cfg_size(section, "uids"), ngids = cfg_size(section, "gids");

	if (!nuids && !ngids) {
		mistake(cfg, "role %.48s is nobody's; expected uids = {...} or gids = {...}", cfg_title(section));
		return -1;
	}
	for (unsigned i = 0; i < nuids; i++)
		uids[i] = (uid_t)uid_resolve(cfg_getnstr(section, "uids", i));
	for (unsigned i = 0; i < ngids; i++)
		gids[i] = (gid_t)gid_resolve(cfg_getnstr(section, "gids", i));
	if (policy_add_role(reader.config->policy, cfg_title(section), uids, nuids, gids, ngids, reader.err))
		return mistake_of(cfg, "role");
	return 0;
}

/* ---- grant { ... } and deny { ... } ---- */

static int permission_check(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *word = cfg_opt_getnstr(opt, cfg_opt_size(opt) - 1);

	if (policy_parse_permission(word))
		return 0;
	mistake(cfg, "ops: \"%.32s\"; expected read, write, delete, delete_all, schema, admin, or \"*\" for "
		"the first three", word);
	return -1;
}

static int role_check(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *name = cfg_opt_getnstr(opt, 0);

	if (once_only(cfg, opt))
		return -1;
	if (!policy_has_role(reader.config->policy, name)) {
		mistake(cfg, "role: \"%.48s\"; expected a role from further up in the file", name);
		return -1;
	}
	return 0;
}

static int database_check(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *name = cfg_opt_getnstr(opt, 0);
	bool will_be_made = reader.config->ndatabases == 0 && strcmp(name, "main") == 0;

	if (once_only(cfg, opt))
		return -1;
	if (strcmp(name, "*") != 0 && !will_be_made && !database_find(reader.config, name)) {
		mistake(cfg, "database: \"%.48s\"; expected one from further up in the file, or \"*\"", name);
		return -1;
	}
	return 0;
}

/* What a grant must have, and a denial cannot. */
static int grant_check(cfg_t *cfg, cfg_t *section, bool deny)
{
	const char *word = deny ? "deny" : "grant";

	if (!cfg_getstr(section, "role")) {
		mistake(cfg, "%s has no role; expected role = NAME", word);
		return -1;
	}
	if (cfg_size(section, "ops") == 0) {
		mistake(cfg, "%s has no ops; expected ops = {read, ...}", word);
		return -1;
	}
	if (deny && cfg_getstr(section, "max_rows")) {
		mistake(cfg, "max_rows in deny; expected it in grant only");
		return -1;
	}
	return 0;
}

static int grant_take(cfg_t *cfg, cfg_opt_t *opt)
{
	static const char *const every[] = { "*" };
	cfg_t *section = newest_section(opt);
	const char *database = cfg_getstr(section, "database");
	struct policy_grant g = {
		.role = cfg_getstr(section, "role"), .database = database ? database : "*", .tables = every,
		.ntables = 1, .max_rows = rows_of(section), .deny = strcmp(opt->name, "deny") == 0,
	};
	unsigned ntables = cfg_size(section, "tables");
	const char **tables = calloc(ntables + 1, sizeof(*tables));
	int rc = grant_check(cfg, section, g.deny);

	for (unsigned i = 0; i < cfg_size(section, "ops"); i++)
		g.permissions |= policy_parse_permission(cfg_getnstr(section, "ops", i));
	for (unsigned i = 0; tables && i < ntables; i++)
		tables[i] = cfg_getnstr(section, "tables", i);
	if (ntables) {
		g.tables = tables;
		g.ntables = ntables;
	}
	if (!tables) {
		err_set(reader.err, ROWD_E_NO_RESOURCE, "out of memory");
		rc = -1;
	}
	if (!rc && policy_add_grant(reader.config->policy, &g, reader.err))
		rc = mistake_of(cfg, opt->name);
	free(tables);
	return rc;
}

/* ---- the whole file ---- */

static cfg_opt_t checked(cfg_opt_t opt, cfg_validate_callback_t check)
{
	opt.validcb = check;
	return opt;
}

/* Read the text by the rows of the settings and the sections. */
static bool text_parse(const char *path, FILE *text)
{
	enum { SETTINGS_MAX = 256 };
	cfg_opt_t database[] = {
		checked((cfg_opt_t)CFG_STR("url", NULL, CFGF_NONE), once_only),
		checked((cfg_opt_t)CFG_STR("durability", NULL, CFGF_NONE), durability_check),
		checked((cfg_opt_t)CFG_STR("create", NULL, CFGF_NONE), flag_check),
		checked((cfg_opt_t)CFG_STR("max_rows", NULL, CFGF_NONE), rows_check),
		CFG_END()
	};
	cfg_opt_t role[] = {
		checked((cfg_opt_t)CFG_STR_LIST("uids", NULL, CFGF_NONE), ids_check),
		checked((cfg_opt_t)CFG_STR_LIST("gids", NULL, CFGF_NONE), ids_check),
		CFG_END()
	};
	cfg_opt_t grant[] = {
		checked((cfg_opt_t)CFG_STR("role", NULL, CFGF_NONE), role_check),
		checked((cfg_opt_t)CFG_STR("database", NULL, CFGF_NONE), database_check),
		CFG_STR_LIST("tables", NULL, CFGF_NONE),
		checked((cfg_opt_t)CFG_STR_LIST("ops", NULL, CFGF_NONE), permission_check),
		checked((cfg_opt_t)CFG_STR("max_rows", NULL, CFGF_NONE), rows_check),
		CFG_END()
	};
	cfg_opt_t all[SETTINGS_MAX], *o = all;
	bool good = false;
	cfg_t *cfg;

	for (const struct setting *s = config_settings; s->name; s++)
		*o++ = checked((cfg_opt_t)CFG_STR(s->name, NULL, CFGF_NONE), setting_take);
	*o++ = checked((cfg_opt_t)CFG_SEC("database", database, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
		       database_take);
	*o++ = checked((cfg_opt_t)CFG_SEC("role", role, CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
		       role_take);
	*o++ = checked((cfg_opt_t)CFG_SEC("grant", grant, CFGF_MULTI), grant_take);
	*o++ = checked((cfg_opt_t)CFG_SEC("deny", grant, CFGF_MULTI), grant_take);
	*o = (cfg_opt_t)CFG_END();

	cfg = cfg_init(all, CFGF_NONE);
	if (cfg) {
		cfg->filename = strdup(path);
		cfg_set_error_function(cfg, complaint_take);
		good = cfg->filename && cfg_parse_fp(cfg, text) == CFG_SUCCESS;
		cfg_free(cfg);
	}
	return good;
}

/* Where what is no part of the structure ends: a text in quotes, or a comment. NULL: p begins none. */
static const char *skip(const char *p, const char *end)
{
	char quote = *p;
	const char *close = NULL;

	if (quote == '"' || quote == '\'') {
		for (p++; p < end && *p != quote; p++)
			p += *p == '\\' && p + 1 < end;
		return p;
	}
	if (quote == '#' || (quote == '/' && p + 1 < end && p[1] == '/'))
		close = memchr(p, '\n', (size_t)(end - p));
	else if (quote == '/' && p + 1 < end && p[1] == '*')
		close = memmem(p + 2, (size_t)(end - p - 2), "*/", 2);
	else
		return NULL;
	return close ? close : end;
}

/* libconfuse takes the end of the file for that of a section. The line of a { without a }; 0: there is none. */
static int open_brace(const char *text, size_t len)
{
	const char *end = text + len, *last = NULL, *past;
	int depth = 0, line = 1;

	for (const char *p = text; p < end; p++) {
		past = skip(p, end);
		if (past) {
			p = past;
		} else if (*p == '{') {
			if (!depth++)
				last = p;
		} else if (*p == '}') {
			depth--;
		}
	}
	for (const char *p = text; last && p < last; p++)
		line += *p == '\n';
	return depth > 0 ? line : 0;
}

/* The bytes of a file, an empty one's is a newline; yours to free. libconfuse would end the process
 * on a directory, and does not know what to do with a NUL. */
static enum rowd_code bytes_read(const char *path, char **out, size_t *len_out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *bytes = malloc(FILE_MAX_BYTES + 1);
	enum rowd_code rc = ROWD_E_BAD_REQUEST;
	size_t len = 0;
	ssize_t n = -1;

	if (fd >= 0 && bytes) {
		while (len < FILE_MAX_BYTES && (n = read(fd, bytes + len, FILE_MAX_BYTES - len)) > 0)
			len += (size_t)n;
	}
	if (!bytes)
		rc = err_set(err, ROWD_E_NO_RESOURCE, "out of memory");
	else if (fd < 0 || n < 0)
		rc = err_sys(err, ROWD_E_BAD_REQUEST, errno, "%s", path);
	else if (len == FILE_MAX_BYTES)
		rc = err_set(err, ROWD_E_BAD_REQUEST, "%s: the file is too long; expected less than 1 MiB", path);
	else if (memchr(bytes, '\0', len))
		rc = err_set(err, ROWD_E_BAD_REQUEST, "%s: a NUL byte; expected text", path);
	else
		rc = ROWD_OK;
	if (fd >= 0)
		close(fd);
	if (rc) {
		free(bytes);
		return rc;
	}
	if (len == 0)
		bytes[len++] = '\n';
	*out = bytes;
	*len_out = len;
	return ROWD_OK;
}

enum rowd_code file_read(struct config *c, struct err *err)
{
	char *bytes;
	size_t len;
	enum rowd_code rc = bytes_read(c->path, &bytes, &len, err);
	FILE *text;
	int line;

	if (rc)
		return rc;
	text = fmemopen(bytes, len, "r");
	if (text) {
		struct err why;

		err_init(&why);
		reader.config = c;
		reader.err = &why;
		reader.nbefore = c->ndatabases;
		if (!text_parse(c->path, text)) {
			rc = why.code ? why.code : ROWD_E_BAD_REQUEST;
			if (!why.code)
				err_set(&why, rc, "%s: it cannot be read as rowd.conf(5) says", c->path);
			*err = why;
		} else if ((line = open_brace(bytes, len))) {
			rc = err_set(err, ROWD_E_BAD_REQUEST, "%s:%d: a { that is not closed; expected a } behind it",
				     c->path, line);
		}
		free(reader.seen);
		memset(&reader, 0, sizeof(reader));
		fclose(text);
	} else {
		rc = err_sys(err, ROWD_E_NO_RESOURCE, errno, "%s", c->path);
	}
	free(bytes);
	return rc;
}
