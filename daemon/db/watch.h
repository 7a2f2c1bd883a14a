/*
 * What every driver asks while a statement runs: is it to be stopped, and why?
 *
 * Thread: the connection's.
 */
#ifndef ROWD_DB_WATCH_H
#define ROWD_DB_WATCH_H

#include "daemon/db/driver.h"

/* ROWD_OK, or why the statement is to stop. *stopped keeps the first reason until it is set back to ROWD_OK: a
 * statement stops for one. */
enum rowd_code watch_look(const struct db_watch *w, enum rowd_code *stopped);

/* Fill *err with such a reason; native is the backend's number of a statement that was stopped. */
enum rowd_code watch_fail(enum rowd_code why, int native, struct err *err);

#endif
