#include <config.h>

#include "daemon/config_private.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/paths.h"
#include "daemon/log.h"

const struct setting config_settings[] = {
#define SETTING_OF_STR(name_, dflt_, least_, most_, reload_, meaning_) \
	{ .name = #name_, .kind = SETTING_STR, .offset = offsetof(struct config, name_), \
	  .dflt_text = dflt_, .reload = reload_, .meaning = meaning_ },
#define SETTING_OF_INT(name_, dflt_, least_, most_, reload_, meaning_) \
	{ .name = #name_, .kind = SETTING_INT, .offset = offsetof(struct config, name_), \
	  .dflt = dflt_, .least = least_, .most = most_, .reload = reload_, .meaning = meaning_ },
#define SETTING_OF_BOOL(name_, dflt_, least_, most_, reload_, meaning_) \
	{ .name = #name_, .kind = SETTING_BOOL, .offset = offsetof(struct config, name_), \
	  .dflt = dflt_, .reload = reload_, .meaning = meaning_ },
#define OPTION(name, kind, dflt, least, most, reload, meaning) \
	SETTING_OF_##kind(name, dflt, least, most, reload, meaning)
#include "daemon/options.def"
#undef OPTION
#define LIMIT(name_, dflt_, least_, most_, meaning_) \
	{ .name = #name_, .kind = SETTING_INT, .offset = offsetof(struct config, limits.name_), \
	  .dflt = dflt_, .least = least_, .most = most_, .reload = true, .meaning = meaning_ },
	ROWD_LIMITS(LIMIT)
#undef LIMIT
	{ .name = NULL }
};

static const char **text_of(struct config *c, const struct setting *s)
{
	return (const char **)((char *)c + s->offset);
}

static int64_t *number_of(struct config *c, const struct setting *s)
{
	return (int64_t *)((char *)c + s->offset);
}

static bool *flag_of(struct config *c, const struct setting *s)
{
	return (bool *)((char *)c + s->offset);
}

static bool name_equal(const char *name, const char *word, size_t len)
{
	if (strlen(name) != len)
		return false;
	for (size_t i = 0; i < len; i++) {
		if (name[i] != (word[i] == '-' ? '_' : word[i]))
			return false;
	}
	return true;
}

const struct setting *setting_find(const char *name, size_t len)
{
	for (const struct setting *s = config_settings; s->name; s++) {
		if (name_equal(s->name, name, len))
			return s;
	}
	return NULL;
}

/* ---- what some texts must be ---- */

static enum rowd_code socket_check(const char *text, struct err *err)
{
	if (strlen(text) >= PATH_SOCKET_BYTES)
		return err_set(err, ROWD_E_BAD_REQUEST, "a path of %zu bytes; a socket's has %d at most",
			       strlen(text), PATH_SOCKET_BYTES - 1);
	return ROWD_OK;
}

static enum rowd_code mode_check(const char *text, struct err *err)
{
	size_t digits = strspn(text, "01234567");

	if (text[digits] || digits == 0 || digits > 4 || strtoul(text, NULL, 8) > 0777)
		return err_set(err, ROWD_E_BAD_REQUEST, "\"%.32s\"; expected permissions in octal, such as 0660",
			       text);
	return ROWD_OK;
}

static enum rowd_code group_resolve(const char *text, gid_t *out, struct err *err)
{
	const struct group *found;
	int64_t gid;

	if (!text[0]) {
		*out = (gid_t)-1;
		return ROWD_OK;
	}
	if (number_parse(text, 0, UINT32_MAX - 1, &gid)) {
		*out = (gid_t)gid;
		return ROWD_OK;
	}
	found = getgrnam(text);
	if (!found)
		return err_set(err, ROWD_E_BAD_REQUEST, "\"%.32s\"; expected a group of this system, or a number",
			       text);
	*out = found->gr_gid;
	return ROWD_OK;
}

static enum rowd_code group_check(const char *text, struct err *err)
{
	gid_t gid;

	return group_resolve(text, &gid, err);
}

static enum rowd_code durability_check(const char *text, struct err *err)
{
	if (strcmp(text, "full") != 0 && strcmp(text, "normal") != 0)
		return err_set(err, ROWD_E_BAD_REQUEST, "\"%.32s\"; expected full or normal", text);
	return ROWD_OK;
}

static enum rowd_code log_level_check(const char *text, struct err *err)
{
	enum log_level level;

	if (!log_parse_level(text, &level))
		return err_set(err, ROWD_E_BAD_REQUEST, "\"%.32s\"; expected error, warn, info or debug", text);
	return ROWD_OK;
}

static enum rowd_code audit_check(const char *text, struct err *err)
{
	if (strcmp(text, "off") != 0 && strcmp(text, "on") != 0 && strcmp(text, "required") != 0)
		return err_set(err, ROWD_E_BAD_REQUEST, "\"%.32s\"; expected off, on or required", text);
	return ROWD_OK;
}

static const struct {
	const char *name;
	enum rowd_code (*check)(const char *text, struct err *err);
} checks[] = {
	{ "socket", socket_check },
	{ "socket_mode", mode_check },
	{ "socket_group", group_check },
	{ "durability", durability_check },
	{ "log_level", log_level_check },
	{ "audit", audit_check },
};

static enum rowd_code text_check(const struct setting *s, const char *text, struct err *err)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		if (strcmp(checks[i].name, s->name) == 0)
			return checks[i].check(text, err);
	}
	return ROWD_OK;
}

/* ---- parsing ---- */

bool number_parse(const char *text, int64_t least, int64_t most, int64_t *out)
{
	char *end;
	int64_t n;

	if (!((text[0] >= '0' && text[0] <= '9') || (text[0] == '-' && text[1] >= '0' && text[1] <= '9')))
		return false;
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno || *end || n < least || n > most)
		return false;
	*out = n;
	return true;
}

bool bool_parse(const char *text, bool *out)
{
	static const char *const words[][2] = { { "true", "false" }, { "yes", "no" }, { "on", "off" } };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i][0]) == 0 || strcasecmp(text, words[i][1]) == 0) {
			*out = strcasecmp(text, words[i][0]) == 0;
			return true;
		}
	}
	return false;
}

static enum rowd_code text_set(const char **to, const char *text, struct err *err)
{
	char *copy = strdup(text);

	if (!copy)
		return err_set(err, ROWD_E_NO_RESOURCE, "out of memory");
	free((char *)*to);
	*to = copy;
	return ROWD_OK;
}

enum rowd_code setting_parse(struct config *c, const struct setting *s, const char *text, struct err *err)
{
	enum rowd_code rc = ROWD_OK;

	switch (s->kind) {
	case SETTING_STR:
		rc = text_check(s, text, err);
		return rc ? rc : text_set(text_of(c, s), text, err);
	case SETTING_INT:
		if (!number_parse(text, s->least, s->most, number_of(c, s)))
			rc = err_set(err, ROWD_E_BAD_REQUEST,
				     "\"%.32s\"; expected a whole number from %" PRId64 " to %" PRId64, text,
				     s->least, s->most);
		return rc;
	case SETTING_BOOL:
		if (!bool_parse(text, flag_of(c, s)))
			rc = err_set(err, ROWD_E_BAD_REQUEST, "\"%.32s\"; expected true or false", text);
		return rc;
	}
	return rc;
}

/* ---- all of them at once ---- */

enum rowd_code settings_default(struct config *c, struct err *err)
{
	enum rowd_code rc = ROWD_OK;

	for (const struct setting *s = config_settings; s->name && !rc; s++) {
		switch (s->kind) {
		case SETTING_STR:
			rc = text_set(text_of(c, s), s->dflt_text, err);
			break;
		case SETTING_INT:
			*number_of(c, s) = s->dflt;
			break;
		case SETTING_BOOL:
			*flag_of(c, s) = s->dflt != 0;
			break;
		}
	}
	return rc;
}

void settings_free(struct config *c)
{
	for (const struct setting *s = config_settings; s->name; s++) {
		if (s->kind == SETTING_STR) {
			free((char *)*text_of(c, s));
			*text_of(c, s) = NULL;
		}
	}
}

bool setting_equal(const struct config *a, const struct config *b, const struct setting *s)
{
	struct config *x = (struct config *)a, *y = (struct config *)b;    /* only read */

	switch (s->kind) {
	case SETTING_STR:
		return strcmp(*text_of(x, s), *text_of(y, s)) == 0;
	case SETTING_INT:
		return *number_of(x, s) == *number_of(y, s);
	case SETTING_BOOL:
		return *flag_of(x, s) == *flag_of(y, s);
	}
	return true;
}

enum rowd_code setting_copy(struct config *to, const struct config *from, const struct setting *s,
			    struct err *err)
{
	struct config *x = (struct config *)from;    /* only read */

	switch (s->kind) {
	case SETTING_STR:
		return text_set(text_of(to, s), *text_of(x, s), err);
	case SETTING_INT:
		*number_of(to, s) = *number_of(x, s);
		break;
	case SETTING_BOOL:
		*flag_of(to, s) = *flag_of(x, s);
		break;
	}
	return ROWD_OK;
}

unsigned config_socket_mode(const struct config *c)
{
	return (unsigned)strtoul(c->socket_mode, NULL, 8);
}

enum rowd_code config_socket_group(const struct config *c, gid_t *out, struct err *err)
{
	return group_resolve(c->socket_group, out, err);
}
