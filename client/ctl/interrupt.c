#include "config.h"

#include "client/ctl/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#include "client/ctl/ctl.h"

static int wake[2] = { -1, -1 }; /* the handler writes, the watcher reads */
static atomic_int seen;          /* Ctrl-C so often since interrupt_forget */
static atomic_bool calling, deferred, writing;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rowd *call_conn; /* under lock; borrowed; NULL: no call */

static void say(const char *text)
{
	ssize_t n = write(STDERR_FILENO, text, strlen(text));

	(void)n;
}

/* Only what a handler may do. */
static void on_sigint(int number)
{
	int saved = errno;
	ssize_t n;

	if (!atomic_load(&calling) && !atomic_load(&deferred)) {
		signal(number, SIG_DFL);
		raise(number);
		return;
	}
	if (atomic_fetch_add(&seen, 1) >= 1 && atomic_load(&calling)) {
		if (atomic_load(&writing)) {
			say("\nrowctl: left without waiting for the answer; whether the request took effect is not known\n");
			_exit(CTL_UNKNOWN);
		}
		say("\nrowctl: left without waiting for the answer\n");
		_exit(CTL_FAILED);
	}
	n = write(wake[1], "", 1);
	(void)n;
	errno = saved;
}

/* Ctrl-C during a call: cancel it. Its answer comes to the thread that waits for it. */
static void cancel_call(void)
{
	struct rowd_error err;
	bool cancelled;

	pthread_mutex_lock(&lock);
	if (call_conn) {
		say("\nrowctl: cancelling; Ctrl-C again leaves at once\n");
		if (rowd_cancel(call_conn, 0, &cancelled, &err))
			say("rowctl: the request could not be cancelled; its answer is waited for\n");
	}
	pthread_mutex_unlock(&lock);
}

static void *watch(void *arg)
{
	char c;

	(void)arg;
	for (;;) {
		ssize_t n = read(wake[0], &c, 1);

		if (n == 1)
			cancel_call();
		else if (n == 0 || errno != EINTR)
			return NULL;
	}
}

bool interrupt_init(void)
{
	struct sigaction action = { .sa_handler = on_sigint };
	sigset_t block, old;
	pthread_t thread;
	bool ok;

	if (pipe2(wake, O_CLOEXEC))
		return false;
	sigemptyset(&block);
	sigaddset(&block, SIGINT);
	pthread_sigmask(SIG_BLOCK, &block, &old); /* the watcher inherits it: the main thread takes signals */
	ok = pthread_create(&thread, NULL, watch, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (!ok)
		return false;
	pthread_detach(thread);
	sigemptyset(&action.sa_mask);
	return sigaction(SIGINT, &action, NULL) == 0;
}

void interrupt_begin(struct rowd *conn, bool writes)
{
	pthread_mutex_lock(&lock);
	call_conn = conn;
	pthread_mutex_unlock(&lock);
	atomic_store(&writing, writes);
	atomic_store(&calling, true);
}

void interrupt_end(void)
{
	atomic_store(&calling, false);
	pthread_mutex_lock(&lock);
	call_conn = NULL;
	pthread_mutex_unlock(&lock);
}

bool interrupt_defer(bool on)
{
	return atomic_exchange(&deferred, on);
}

bool interrupt_seen(void)
{
	return atomic_load(&seen) > 0;
}

void interrupt_forget(void)
{
	atomic_store(&seen, 0);
}
