/*
 * A server of one thread and one epoll on a Unix socket, for the floors that rowd is compared with.
 */
#ifndef ROWD_BENCH_SERVE_H
#define ROWD_BENCH_SERVE_H

#include <stddef.h>
#include <sys/types.h>

/* Never returns. ready: a client has sent something, or is gone; turn (or NULL): all who had were told. */
_Noreturn void serve(const char *path, void (*ready)(int fd), void (*turn)(void));

/* What the client sent; 0 or less: it is gone, and fd is closed. */
ssize_t serve_receive(int fd, void *bytes, size_t size);

/* Blocks: a generator reads whatever it is owed before it sends more than fits. */
void serve_send(int fd, const void *bytes, size_t len);

#endif
