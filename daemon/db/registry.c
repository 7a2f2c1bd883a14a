/*
 * The drivers of this build, as the build listed them.
 */
#include "config.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/db/db.h"
#include "daemon/db/driver_trace.h"

#define DRIVER(name) extern const struct driver driver_##name;
#include "daemon/db/drivers.inc"
#undef DRIVER

static const struct driver *const drivers[] = {
#define DRIVER(name) &driver_##name,
#include "daemon/db/drivers.inc"
#undef DRIVER
	NULL
};

const struct driver *const *driver_all(void)
{
	return drivers;
}

const struct driver *driver_find(const char *url)
{
	const struct driver *const *d;
	const char *tracing = getenv("ROWD_TRACE_DRIVER");

	for (d = drivers; *d; d++) {
		size_t len = strlen((*d)->name);

		if (strncmp(url, (*d)->name, len) == 0 && strncmp(url + len, "://", 3) == 0)
			return tracing && strcmp(tracing, "1") == 0 ? driver_trace(*d) : *d;
	}
	return NULL;
}

static void driver_check(const struct driver *d)
{
	assert(d->name && d->dialect && d->conn_size > 0);
	assert(d->check_url && d->open && d->close);
	assert(d->prepare && d->release && d->exec && d->step && d->finish);
	assert(d->begin && d->commit && d->rollback && d->in_transaction);
	assert(d->describe && d->ping && d->server && d->usable);
	assert(!d->version == !(d->caps & CAP_SCHEMA_VERSION));
	(void)d;
}

void driver_check_all(void)
{
	const struct driver *const *d;

	for (d = drivers; *d; d++)
		driver_check(*d);
}
