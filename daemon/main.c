/*
 * rowd: from the command line to loops that serve, and back down. What it serves is server.c's, how a
 * request is served begins in rpc/dispatch.c.
 */
#include <config.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "daemon/audit.h"
#include "daemon/exec/archive.h"
#include "daemon/exec/upkeep.h"
#include "daemon/log.h"
#include "daemon/net/acceptor.h"
#include "daemon/net/listener.h"
#include "daemon/notify.h"
#include "daemon/rpc/session.h"
#include "daemon/run/keeper.h"
#include "daemon/server.h"

enum { EXIT_USAGE = 2, SIGNAL_COUNT = 3 };

/* The running daemon, for the signals' sake. */
struct daemon {
	struct server server;
	struct acceptor *acceptor;
	struct event *signals[SIGNAL_COUNT];
	struct event *patience;        /* after SIGTERM: what is still in flight then is cancelled */
	struct event *watchdog;
	unsigned nstarted;             /* loops that have a thread of their own */
};

/* ---- signals ---- */

static void drain(struct daemon *d, bool at_once)
{
	for (unsigned i = 0; i < d->server.nloops; i++) {
		struct message *m = message_new(MESSAGE_DRAIN);

		if (!m) {
			log_error("event=shutdown state=abrupt reason=\"no memory\"");
			_exit(EXIT_FAILURE);
		}
		m->any_uid = at_once;
		loop_post(d->server.loops[i], m);
	}
}

static void on_terminate(evutil_socket_t sig, short what, void *arg)
{
	struct daemon *d = arg;
	int64_t ms = server_config(&d->server)->shutdown_ms;
	struct timeval tv = { .tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000 };

	(void)what;
	if (atomic_exchange(&d->server.draining, true)) {
		log_info("event=shutdown signal=%d state=at_once", (int)sig);
		keeper_stop(d->server.keeper, true);
		drain(d, true);
		return;
	}
	log_info("event=shutdown signal=%d state=draining clients=%u", (int)sig,
		 atomic_load(&d->server.nclients));
	notify_send("STOPPING=1");
	acceptor_free(d->acceptor);
	d->acceptor = NULL;
	listener_close();
	keeper_stop(d->server.keeper, atomic_load(&d->server.hurry));
	drain(d, atomic_load(&d->server.hurry));
	event_add(d->patience, &tv);
}

static void on_patience(evutil_socket_t fd, short what, void *arg)
{
	struct daemon *d = arg;

	(void)fd, (void)what;
	log_warn("event=shutdown state=cancelling reason=\"shutdown_ms is over\"");
	keeper_stop(d->server.keeper, true);
	drain(d, true);
}

static void on_reload(evutil_socket_t sig, short what, void *arg)
{
	struct daemon *d = arg;

	struct err err;

	(void)sig, (void)what;
	err_init(&err);
	notify_reloading();
	(void)!server_reload(&d->server, &err);   /* it says itself what came of it */
	notify_send("READY=1");
}

static void on_watchdog(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what, (void)arg;
	notify_send("WATCHDOG=1");
}

static enum rowd_code watch_signals(struct daemon *d, struct err *err)
{
	struct event_base *base = d->server.loops[0]->base;
	uint64_t watchdog_us = notify_watchdog_us() / 2;
	struct timeval tv = { .tv_sec = (time_t)(watchdog_us / 1000000), .tv_usec = (suseconds_t)(watchdog_us % 1000000) };

	/* what libevent goes back to at the end: one more SIGTERM on the way down kills nobody */
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	d->signals[0] = evsignal_new(base, SIGTERM, on_terminate, d);
	d->signals[1] = evsignal_new(base, SIGINT, on_terminate, d);
	d->signals[2] = evsignal_new(base, SIGHUP, on_reload, d);
	d->patience = event_new(base, -1, 0, on_patience, d);
	for (unsigned i = 0; i < SIGNAL_COUNT; i++)
		if (!d->signals[i] || event_add(d->signals[i], NULL))
			return err_set(err, ROWD_E_NO_RESOURCE, "no memory for watching signals");
	if (!d->patience)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for watching signals");
	if (watchdog_us) {
		d->watchdog = event_new(base, -1, EV_PERSIST, on_watchdog, NULL);
		if (!d->watchdog || event_add(d->watchdog, &tv))
			return err_set(err, ROWD_E_NO_RESOURCE, "no memory for the watchdog");
	}
	return ROWD_OK;
}

static void forget_signals(struct daemon *d)
{
	for (unsigned i = 0; i < SIGNAL_COUNT; i++)
		if (d->signals[i])
			event_free(d->signals[i]);
	if (d->patience)
		event_free(d->patience);
	if (d->watchdog)
		event_free(d->watchdog);
}

/* ---- up and down ---- */

static enum rowd_code make_loops(struct server *s, struct err *err)
{
	unsigned n = config_loops(server_config(s));
	enum rowd_code rc;

	s->loops = calloc(n, sizeof(*s->loops));
	if (!s->loops)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for %u loops", n);
	s->nloops = n;
	for (unsigned i = 0; i < n; i++) {
		rc = loop_new(s, i, &session_events, &s->loops[i], err);
		if (rc)
			return rc;
	}
	return ROWD_OK;
}

static enum rowd_code start_loops(struct daemon *d, struct err *err)
{
	enum rowd_code rc = ROWD_OK;

	for (unsigned i = 1; i < d->server.nloops && !rc; i++) {
		rc = loop_start(d->server.loops[i], err);
		if (!rc)
			d->nstarted++;
	}
	return rc;
}

static void say_ready(const struct server *s)
{
	const struct config *c = atomic_load(&s->config);
	char path[256];

	log_info("event=ready version=" PACKAGE_VERSION " pid=%d socket=%s loops=%u databases=%u", (int)getpid(),
		 listener_is_inherited() ? "systemd" : log_quote(c->socket, path, sizeof(path)), s->nloops,
		 s->ndatabases);
	notify_send("READY=1");
}

/* Everything is up: serve until a signal ends it. */
static void serve(struct daemon *d)
{
	say_ready(&d->server);
	loop_run(d->server.loops[0]);
	for (unsigned i = 1; i <= d->nstarted; i++)
		pthread_join(d->server.loops[i]->thread, NULL);
	log_info("event=stopped");
}

static enum rowd_code bring_up(struct daemon *d, struct config *config, struct err *err)
{
	int listening;
	enum rowd_code rc;

	archive_set_directory(config->archive_dir);
	upkeep_set_directory(config->backup_dir);
	rc = server_open(&d->server, config, err);
	if (!rc)
		rc = audit_open(config, err);

	if (!rc)
		rc = make_loops(&d->server, err);
	if (!rc)
		rc = keeper_start(&d->server, &d->server.keeper, err);
	if (!rc)
		rc = watch_signals(d, err);
	if (!rc)
		rc = listener_open(config, &listening, err);
	if (!rc)
		rc = acceptor_new(&d->server, listening, &d->acceptor, err);
	if (!rc)
		rc = start_loops(d, err);
	return rc;
}

static void take_down(struct daemon *d)
{
	acceptor_free(d->acceptor);
	listener_close();
	forget_signals(d);
	keeper_free(d->server.keeper);
	for (unsigned i = 0; i < d->server.nloops; i++)
		loop_free(d->server.loops[i]);
	free(d->server.loops);
	server_close(&d->server);
	audit_close();
}

static int run(struct config *config)
{
	struct daemon d = { .server.started_ns = clock_ns() };
	struct err err;

	err_init(&err);
	if (bring_up(&d, config, &err)) {
		log_error("event=start state=failed reason=\"%s\"", err.text);
		if (d.nstarted)
			_exit(EXIT_FAILURE);
		take_down(&d);
		return EXIT_FAILURE;
	}
	serve(&d);
	take_down(&d);
	return EXIT_SUCCESS;
}

/* "rowd 0.1.0 (sqlite, mysql)" */
static void print_version(void)
{
	printf("rowd " PACKAGE_VERSION " (");
	for (const struct driver *const *d = driver_all(); *d; d++)
		printf("%s%s", d == driver_all() ? "" : ", ", (*d)->name);
	puts(")");
}

int main(int argc, char **argv)
{
	struct config *config;
	enum log_level level;
	struct err err;

	err_init(&err);
	log_init();
	op_init();
	driver_check_all();
	signal(SIGPIPE, SIG_IGN);
	if (config_read(argc, argv, &config, &err)) {
		fprintf(stderr, "rowd: %s\n", err.text);
		return EXIT_USAGE;
	}
	if (config->print_version)
		print_version();
	else if (config->print_help)
		config_print_usage(stdout);
	else if (config->print_defaults)
		config_print_defaults(stdout);
	else if (!config->check_only) {
		if (log_parse_level(config->log_level, &level))
			log_set_level(level);
		return run(config);
	}
	config_free(config);
	return EXIT_SUCCESS;
}
