#include <config.h>

#include "daemon/server.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/audit.h"
#include "daemon/log.h"

enum { READER_IDLE_MS = 10000 };

struct database *server_database(struct server *s, const char *name, size_t len)
{
	for (unsigned i = 0; i < s->ndatabases; i++) {
		const char *own = s->databases[i].db.source.name;

		if (strlen(own) == len && !memcmp(own, name, len))
			return &s->databases[i];
	}
	return NULL;
}

static void lanes_init(struct database *d, const struct config *c)
{
	bool one_writer = d->db.driver->caps & CAP_ONE_WRITER;
	struct lane_options writer = {
		.db = &d->db, .role = DB_WRITER, .group = one_writer,
		.min_workers = one_writer ? 1 : (unsigned)c->pool_min,
		.max_workers = one_writer ? 1 : (unsigned)c->pool_max,
		.idle_ms = c->pool_idle_ms,
		.lifetime_ms = one_writer ? 0 : c->pool_lifetime_ms,
		.limits = &c->limits,
	};
	struct lane_options reader = {
		.db = &d->db, .role = DB_READER, .min_workers = 1, .max_workers = (unsigned)c->readers,
		.idle_ms = READER_IDLE_MS, .limits = &c->limits,
	};

	lane_init(&d->writer, &writer);
	lane_init(&d->reader, &reader);
}

/* Open what must work from the start: the writer of a file. A server may come up later. */
static enum rowd_code database_open(struct database *d, const struct config_database *source,
				    const struct config *c, struct err *err)
{
	struct db_conn *conn;
	enum rowd_code rc = db_init(&d->db, &source->source, err);

	if (rc)
		return rc;
	atomic_store(&d->max_rows, source->max_rows);
	lanes_init(d, c);
	if (!(d->db.driver->caps & CAP_ONE_WRITER))
		return ROWD_OK;
	rc = db_conn_open(&d->db, DB_WRITER, &conn, err);
	if (!rc)
		lane_adopt(&d->writer, conn);
	return rc;
}

enum rowd_code server_open(struct server *s, struct config *config, struct err *err)
{
	enum rowd_code rc;

	s->databases = calloc(config->ndatabases, sizeof(*s->databases));
	if (!s->databases)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for %u databases", config->ndatabases);
	atomic_store(&s->config, config);
	for (unsigned i = 0; i < config->ndatabases; i++) {
		s->databases[i].index = i;
		rc = database_open(&s->databases[i], &config->databases[i], config, err);
		if (s->databases[i].db.driver)
			s->ndatabases++;
		if (rc) {
			log_error("database=%s state=failed", config->databases[i].source.name);
			return rc;
		}
		log_info("database=%s driver=%s state=open", config->databases[i].source.name,
			 s->databases[i].db.driver->name);
	}
	return ROWD_OK;
}

void server_close(struct server *s)
{
	for (unsigned i = 0; i < s->ndatabases; i++) {
		lane_stop(&s->databases[i].reader);
		lane_stop(&s->databases[i].writer);
		lane_fini(&s->databases[i].reader);
		lane_fini(&s->databases[i].writer);
		db_fini(&s->databases[i].db);
	}
	free(s->databases);
	for (unsigned i = 0; i < s->nretired; i++)
		config_free(s->retired[i]);
	free(s->retired);
	config_free(atomic_load(&s->config));
}

static void reload_apply(struct server *s, struct config *fresh)
{
	for (unsigned i = 0; i < s->ndatabases; i++) {
		struct database *d = &s->databases[i];

		for (unsigned k = 0; k < fresh->ndatabases; k++)
			if (!strcmp(fresh->databases[k].source.name, d->db.source.name))
				atomic_store(&d->max_rows, fresh->databases[k].max_rows);
		atomic_store(&d->writer.limits, &fresh->limits);
		atomic_store(&d->reader.limits, &fresh->limits);
	}
	s->retired[s->nretired++] = atomic_exchange(&s->config, fresh);
}

enum rowd_code server_reload(struct server *s, struct err *err)
{
	struct config **grown = realloc(s->retired, (s->nretired + 1) * sizeof(*grown));
	struct config *fresh;
	struct buf warnings;
	enum rowd_code rc;

	if (!grown)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the configuration");
	s->retired = grown;
	buf_init(&warnings, 65536);
	rc = config_reload(server_config(s), &fresh, &warnings, err);
	if (rc) {
		log_error("event=reload state=kept_old reason=\"%s\"", err->text);
	} else {
		enum log_level level;

		reload_apply(s, fresh);
		audit_reopen(fresh);
		if (log_parse_level(fresh->log_level, &level))
			log_set_level(level);
		if (warnings.len)
			log_warn("event=reload needs_restart=\"%.*s\"", (int)warnings.len, warnings.data);
		log_info("event=reload state=done");
	}
	buf_fini(&warnings);
	return rc;
}
