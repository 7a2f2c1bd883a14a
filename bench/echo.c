/*
 * The floor: a server that sends back what it gets. No server of this shape can answer faster.
 * usage: echo SOCKET
 */
#include "config.h"

#include <err.h>

#include "bench/serve.h"

enum { BYTES = 65536 };

static void echo(int fd)
{
	static char bytes[BYTES];
	ssize_t n = serve_receive(fd, bytes, sizeof bytes);

	if (n > 0)
		serve_send(fd, bytes, (size_t)n);
}

int main(int argc, char **argv)
{
	if (argc != 2)
		errx(2, "usage: echo SOCKET");
	serve(argv[1], echo, NULL);
}
