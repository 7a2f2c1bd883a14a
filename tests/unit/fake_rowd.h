/*
 * A daemon that says whatever a test wants: threads that accept on a socket and run the test's own
 * script for each connection.
 */
#ifndef ROWD_TESTS_FAKE_ROWD_H
#define ROWD_TESTS_FAKE_ROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_rowd;

/* What one connection of the fake daemon does; n counts connections from 0. fd is closed behind it. */
typedef void fake_script(int fd, int n, void *arg);

/* Listens at once. Aborts the test program when it cannot. */
struct fake_rowd *fake_start(fake_script *script, void *arg);
const char *fake_path(const struct fake_rowd *f);
int fake_connections(struct fake_rowd *f);
void fake_stop(
	struct fake_rowd *f); /* every script must come to its end by itself, at the latest at end of file */

/* A request as it came. */
struct fake_request {
	uint32_t msgid; /* 0 for a notification */
	bool notification;
	char method[64];
	char params[4096]; /* printed, JSON-like; cut when longer */
};

/* Read the next request. False: end of file. */
bool fake_read(int fd, struct fake_request *out);

/* Read until end of file. */
void fake_drain(int fd);

/* Write bytes; errors are ignored. */
void fake_write(int fd, const void *data, size_t len);
#define FAKE_WRITE(fd, literal) fake_write(fd, literal, sizeof(literal) - 1)

/* [1, msgid, nil, result], the result already encoded. */
void fake_reply(int fd, uint32_t msgid, const void *result, size_t len);
#define FAKE_REPLY(fd, msgid, literal) fake_reply(fd, msgid, literal, sizeof(literal) - 1)

/* [1, msgid, [code, text, {name, outcome, retry}], nil] */
void fake_error(int fd, uint32_t msgid, unsigned code, const char *name, const char *outcome, bool retry);

/* Read hello and answer it with {session: 7, limits: {frame_bytes: 65536}}. False: end of file. */
bool fake_hello(int fd);

#endif
