#include <config.h>

#include "daemon/config_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/paths.h"
#include "daemon/db/db.h"

enum { DATABASES_MAX = 64, DEFAULT_PATH_BYTES = 4096 };

static const char scheme_of_sqlite[] = "sqlite://";

static bool is_sqlite(const char *url)
{
	return strncmp(url, scheme_of_sqlite, strlen(scheme_of_sqlite)) == 0;
}

static bool name_is_sound(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char rest[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	return name[0] && strchr(letters, name[0]) && name[strspn(name, rest)] == '\0' &&
	       strlen(name) <= NAME_MAX_BYTES;
}

static enum rowd_code refuse_scheme(const char *url, struct err *err)
{
	char schemes[128] = "";
	size_t used = 0;

	for (const struct driver *const *d = driver_all(); *d && used < sizeof(schemes); d++)
		used += (size_t)snprintf(schemes + used, sizeof(schemes) - used, "%s%s://", used ? ", " : "",
					 (*d)->name);
	return err_set(err, ROWD_E_BAD_REQUEST,
		       "no driver of this build takes the URL \"%.60s\"; expected one of %s", url, schemes);
}

/* Ask the driver, by way of db.c, what it thinks of a URL. */
static enum rowd_code url_check(const struct db_source *src, struct err *err)
{
	struct db probe;
	enum rowd_code rc;

	if (!driver_find(src->url))
		return refuse_scheme(src->url, err);
	rc = db_init(&probe, src, err);
	if (rc)
		return err_prefix(err, "the URL \"%.60s\"", src->url);
	db_fini(&probe);
	return ROWD_OK;
}

struct config_database *database_find(const struct config *c, const char *name)
{
	for (unsigned i = 0; i < c->ndatabases; i++) {
		if (strcmp(c->databases[i].source.name, name) == 0)
			return &c->databases[i];
	}
	return NULL;
}

static enum rowd_code database_check(const struct config *c, const struct db_source *src, struct err *err)
{
	enum rowd_code rc;

	if (!name_is_sound(src->name))
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "the name \"%.60s\"; expected a letter, then letters, digits, _ or -, %d at most",
			       src->name, NAME_MAX_BYTES);
	if (database_find(c, src->name))
		return err_set(err, ROWD_E_BAD_REQUEST, "there is a database %s already", src->name);
	if (c->ndatabases == DATABASES_MAX)
		return err_limit(err, DATABASES_MAX, "the number of databases");
	rc = url_check(src, err);
	if (rc)
		return rc;
	if (src->durability && !is_sqlite(src->url))
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "durability is a matter of SQLite databases; here the server decides");
	return ROWD_OK;
}

static void database_fini(struct config_database *d)
{
	free((char *)d->source.name);
	free((char *)d->source.url);
	free((char *)d->source.durability);
}

static enum rowd_code database_append(struct config *c, const struct config_database *from, struct err *err)
{
	struct config_database d = *from, *more;

	d.source.name = strdup(from->source.name);
	d.source.url = strdup(from->source.url);
	d.source.durability = from->source.durability ? strdup(from->source.durability) : NULL;
	more = realloc(c->databases, (c->ndatabases + 1) * sizeof(*more));
	if (more)
		c->databases = more;
	if (!more || !d.source.name || !d.source.url || (from->source.durability && !d.source.durability)) {
		database_fini(&d);
		return err_set(err, ROWD_E_NO_RESOURCE, "out of memory");
	}
	c->databases[c->ndatabases++] = d;
	return ROWD_OK;
}

enum rowd_code database_add(struct config *c, const char *name, const char *url, const char *durability,
			    bool create, int64_t max_rows, struct err *err)
{
	const struct config_database d = {
		.source = { .name = name, .url = url, .durability = durability, .create = create },
		.max_rows = max_rows,
	};
	enum rowd_code rc = database_check(c, &d.source, err);

	return rc ? rc : database_append(c, &d, err);
}

enum rowd_code databases_complete(struct config *c, struct err *err)
{
	for (unsigned i = 0; i < c->ndatabases; i++) {
		struct db_source *src = &c->databases[i].source;

		if (!src->durability)
			src->durability = strdup(is_sqlite(src->url) ? c->durability : "server");
		if (!src->durability)
			return err_set(err, ROWD_E_NO_RESOURCE, "out of memory");
		src->connect_timeout_ms = c->connect_timeout_ms;
		src->busy_timeout_ms = c->busy_timeout_ms;
		src->read_cache_kib = c->read_cache_mb * 1024 / config_loops(c);
	}
	return ROWD_OK;
}

enum rowd_code databases_keep(struct config *to, const struct config *from, struct err *err)
{
	struct config kept = { .ndatabases = 0 };
	enum rowd_code rc = ROWD_OK;

	for (unsigned i = 0; i < from->ndatabases && !rc; i++) {
		const struct config_database *same = database_find(to, from->databases[i].source.name);
		struct config_database d = from->databases[i];

		if (same)
			d.max_rows = same->max_rows;
		rc = database_append(&kept, &d, err);
	}
	if (rc) {
		databases_free(&kept);
		return rc;
	}
	databases_free(to);
	to->databases = kept.databases;
	to->ndatabases = kept.ndatabases;
	return ROWD_OK;
}

static bool source_equal(const struct db_source *a, const struct db_source *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->url, b->url) == 0 &&
	       strcmp(a->durability, b->durability) == 0 && a->create == b->create;
}

bool databases_equal(const struct config *a, const struct config *b)
{
	bool equal = a->ndatabases == b->ndatabases;

	for (unsigned i = 0; i < a->ndatabases && equal; i++)
		equal = source_equal(&a->databases[i].source, &b->databases[i].source);
	return equal;
}

void databases_free(struct config *c)
{
	for (unsigned i = 0; i < c->ndatabases; i++)
		database_fini(&c->databases[i]);
	free(c->databases);
	c->databases = NULL;
	c->ndatabases = 0;
}

/* sqlite:// and the path, with what has a meaning in a URL as %XX. */
static char *url_of_path(const char *path)
{
	char *url = malloc(strlen(scheme_of_sqlite) + 3 * strlen(path) + 1), *to = url;

	if (!url)
		return NULL;
	to += sprintf(to, "%s", scheme_of_sqlite);
	for (; *path; path++)
		to += sprintf(to, strchr("%?#", *path) ? "%%%02X" : "%c", (unsigned char)*path);
	return url;
}

enum rowd_code database_default(struct config *c, struct err *err)
{
	char path[DEFAULT_PATH_BYTES];
	enum rowd_code rc;
	char *url;

	if (c->ndatabases)
		return ROWD_OK;
	rc = path_data(path, sizeof(path), err);
	if (!rc && !c->check_only)
		rc = path_make_parent(path, 0700, err);
	if (rc)
		return rc;
	url = url_of_path(path);
	if (!url)
		return err_set(err, ROWD_E_NO_RESOURCE, "out of memory");
	rc = database_add(c, "main", url, NULL, true, -1, err);
	free(url);
	return rc;
}
