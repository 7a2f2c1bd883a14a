/*
 * A driver that prints every call of another one to stderr: what was asked, what came of it, how
 * long it took. For whoever writes a driver; values are not printed.
 */
#ifndef ROWD_DB_DRIVER_TRACE_H
#define ROWD_DB_DRIVER_TRACE_H

#include "daemon/db/driver.h"

/* The same driver, traced. Lives as long as the process. */
const struct driver *driver_trace(const struct driver *inner);

#endif
