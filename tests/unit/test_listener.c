#include "config.h"

#include "daemon/net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/notify.h"
#include "tests/unit/unit.h"

static struct err err;
static char dir[32], path[64], lock_path[64];

/* A fresh directory and the configuration of a socket in it. */
static struct config config_make(void)
{
	strcpy(dir, "/tmp/rowd-listen-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/s", dir);
	snprintf(lock_path, sizeof(lock_path), "%s/s.lock", dir);
	err_init(&err);
	return (struct config){ .socket = path, .socket_mode = "0660", .socket_group = "" };
}

static void directory_remove(void)
{
	assert_int_equal(rmdir(dir), 0);    /* nothing is left in it */
}

static int try_connect(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), failed;

	strcpy(to.sun_path, path);
	failed = connect(fd, (struct sockaddr *)&to, sizeof(to)) ? errno : 0;
	close(fd);
	return failed;
}

/* A listening or, without a backlog, a dead socket of somebody else's making. */
static int foreign_socket(bool alive)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(at.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	if (alive)
		assert_int_equal(listen(fd, 1), 0);
	return fd;
}

TEST(the_socket_listens_has_its_mode_and_is_gone_afterwards)
{
	struct config c = config_make();
	struct stat st;
	int fd;

	assert_int_equal(listener_open(&c, &fd, &err), ROWD_OK);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0660);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_false(listener_is_inherited());
	assert_int_equal(try_connect(), 0);
	listener_close();
	listener_close();
	assert_int_equal(try_connect(), ENOENT);
	directory_remove();
}

TEST(mode_and_group_are_as_configured)
{
	struct config c = config_make();
	struct stat st;
	int fd;

	c.socket_mode = "0606";
	c.socket_group = getuid() == 0 ? "4711" : "";
	assert_int_equal(listener_open(&c, &fd, &err), ROWD_OK);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0606);
	if (getuid() == 0)
		assert_int_equal(st.st_gid, 4711);
	listener_close();
	directory_remove();
}

TEST(a_dead_socket_is_replaced)
{
	struct config c = config_make();
	int fd;

	close(foreign_socket(true));
	assert_int_equal(try_connect(), ECONNREFUSED);
	assert_int_equal(listener_open(&c, &fd, &err), ROWD_OK);
	assert_int_equal(try_connect(), 0);
	listener_close();
	directory_remove();
}

TEST(a_socket_that_answers_is_left_alone)
{
	struct config c = config_make();
	int fd, other = foreign_socket(true);

	assert_int_equal(listener_open(&c, &fd, &err), ROWD_E_BUSY);
	assert_non_null(strstr(err.text, "another process serves this socket"));
	assert_int_equal(try_connect(), 0);
	close(other);
	unlink(path);
	directory_remove();
}

TEST(a_socket_whose_backlog_is_full_counts_as_alive)
{
	struct config c = config_make();
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	int waiting[64], n = 0, fd, other = foreign_socket(true);

	strcpy(to.sun_path, path);
	for (; n < 64; n++) {
		waiting[n] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		if (connect(waiting[n], (struct sockaddr *)&to, sizeof(to)))
			break;
	}
	assert_true(n < 64);
	assert_int_equal(listener_open(&c, &fd, &err), ROWD_E_BUSY);
	for (int i = 0; i <= n; i++)
		close(waiting[i]);
	close(other);
	unlink(path);
	directory_remove();
}

TEST(a_file_that_is_no_socket_is_left_alone)
{
	struct config c = config_make();
	struct stat st;
	int fd;

	fclose(fopen(path, "w"));
	assert_int_equal(listener_open(&c, &fd, &err), ROWD_E_DENIED);
	assert_non_null(strstr(err.text, "not a socket"));
	assert_int_equal(lstat(path, &st), 0);
	unlink(path);

	assert_int_equal(symlink("elsewhere", path), 0);
	assert_int_equal(listener_open(&c, &fd, &err), ROWD_E_DENIED);
	unlink(path);
	directory_remove();
}

TEST(a_dead_socket_of_another_user_is_left_alone)
{
	struct config c = config_make();
	struct stat st;
	int fd;

	if (getuid() != 0)
		skip();
	close(foreign_socket(true));
	assert_int_equal(lchown(path, 4711, 4711), 0);
	assert_int_equal(listener_open(&c, &fd, &err), ROWD_E_DENIED);
	assert_int_equal(lstat(path, &st), 0);
	unlink(path);
	directory_remove();
}

TEST(a_directory_open_to_everyone_is_refused_unless_it_is_sticky)
{
	struct config c = config_make();
	int fd;

	assert_int_equal(chmod(dir, 0777), 0);
	assert_int_equal(listener_open(&c, &fd, &err), ROWD_E_DENIED);
	assert_non_null(strstr(err.text, "everyone may write"));
	assert_int_equal(chmod(dir, 01777), 0);
	assert_int_equal(listener_open(&c, &fd, &err), ROWD_OK);
	listener_close();
	directory_remove();
}

TEST(a_path_too_long_or_without_a_directory_is_an_error)
{
	struct config c = config_make();
	char longer[120];
	int fd;

	memset(longer, 'x', sizeof(longer));
	longer[108] = '\0';
	c.socket = longer;
	assert_int_equal(listener_open(&c, &fd, &err), ROWD_E_BAD_REQUEST);
	assert_non_null(strstr(err.text, "108 bytes; the kernel takes 107"));
	c.socket = "/no/such/directory/s";
	assert_int_equal(listener_open(&c, &fd, &err), ROWD_E_DENIED);
	directory_remove();
}

/* Another process opens the listener, says so, and stays; its pid. */
static pid_t other_rowd(const struct config *c)
{
	int ends[2], fd;
	pid_t pid;
	char ok;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		if (listener_open(c, &fd, &err) || write(ends[1], "y", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ends[0], &ok, 1), 1);
	close(ends[0]);
	close(ends[1]);
	return pid;
}

TEST(two_rowds_never_fight_for_a_socket)
{
	struct config c = config_make();
	pid_t pid = other_rowd(&c);
	int fd;

	assert_int_equal(listener_open(&c, &fd, &err), ROWD_E_BUSY);
	assert_non_null(strstr(err.text, "another rowd serves this socket"));
	assert_int_equal(try_connect(), 0);

	/* not even when its socket was removed behind its back */
	unlink(path);
	assert_int_equal(listener_open(&c, &fd, &err), ROWD_E_BUSY);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(listener_open(&c, &fd, &err), ROWD_OK);
	listener_close();
	directory_remove();
}

TEST(after_a_kill_the_next_one_starts_without_help)
{
	struct config c = config_make();
	pid_t pid = other_rowd(&c);
	int fd;

	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(listener_open(&c, &fd, &err), ROWD_OK);
	assert_int_equal(try_connect(), 0);
	listener_close();
	directory_remove();
}

TEST(a_socket_put_in_our_place_is_not_removed)
{
	struct config c = config_make();
	int fd, other;

	assert_int_equal(listener_open(&c, &fd, &err), ROWD_OK);
	unlink(path);
	other = foreign_socket(true);
	listener_close();
	assert_int_equal(access(path, F_OK), 0);
	close(other);
	unlink(path);
	directory_remove();
}

/* ---- from systemd ---- */

/* In a child: fd 3 is the given one and the environment says so. Its exit status is the code. */
static int inherit(int fd, const char *count)
{
	char pid[32];
	int status, got = -1;
	pid_t child = fork();

	if (child == 0) {
		struct config c = { .socket = "/no/such/directory/s", .socket_mode = "0660", .socket_group = "" };
		enum rowd_code rc;

		dup2(fd, 3);
		snprintf(pid, sizeof(pid), "%d", (int)getpid());
		setenv("LISTEN_PID", pid, 1);
		setenv("LISTEN_FDS", count, 1);
		rc = listener_open(&c, &got, &err);
		if (rc == ROWD_OK && (got != 3 || !listener_is_inherited() || getenv("LISTEN_FDS") ||
				      !(fcntl(3, F_GETFD) & FD_CLOEXEC)))
			_exit(200);
		listener_close();
		_exit((int)rc);
	}
	waitpid(child, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(a_socket_from_systemd_is_taken_and_its_file_stays)
{
	struct config c = config_make();
	int fd = foreign_socket(true);

	(void)c;
	assert_int_equal(inherit(fd, "1"), ROWD_OK);
	assert_int_equal(access(path, F_OK), 0);
	close(fd);
	unlink(path);
	directory_remove();
}

TEST(what_systemd_hands_over_must_be_one_listening_socket)
{
	struct config c = config_make();
	int fd = foreign_socket(false);

	(void)c;
	assert_int_equal(inherit(fd, "1"), ROWD_E_BAD_REQUEST);
	assert_int_equal(inherit(STDERR_FILENO, "1"), ROWD_E_BAD_REQUEST);
	assert_int_equal(inherit(fd, "2"), ROWD_E_BAD_REQUEST);
	assert_int_equal(inherit(fd, "0"), ROWD_E_DENIED);    /* none: it opens its own, and cannot */
	close(fd);
	unlink(path);
	directory_remove();
}

TEST(a_socket_meant_for_another_process_is_not_taken)
{
	int fd = 99;

	setenv("LISTEN_PID", "1", 1);
	setenv("LISTEN_FDS", "1", 1);
	assert_int_equal(notify_listen_fd(&fd, &err), ROWD_OK);
	assert_int_equal(fd, -1);
	assert_null(getenv("LISTEN_FDS"));
}

/* ---- to systemd ---- */

static void notified(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char got[64] = "";

	strcpy(at.sun_path, name);
	if (name[0] == '@')
		at.sun_path[0] = '\0';
	assert_int_equal(bind(fd, (struct sockaddr *)&at,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name))), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	notify_send("READY=1");
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(recv(fd, got, sizeof(got) - 1, MSG_DONTWAIT), 7);
	assert_string_equal(got, "READY=1");
	close(fd);
}

TEST(readiness_is_told_by_path_and_by_abstract_name)
{
	char name[64];
	struct config c = config_make();

	(void)c;
	notified(path);
	unlink(path);
	directory_remove();
	snprintf(name, sizeof(name), "@rowd-test-%d", (int)getpid());
	notified(name);
	notify_send("READY=1");    /* nobody listens */
	setenv("NOTIFY_SOCKET", "/no/such/socket", 1);
	notify_send("READY=1");
	unsetenv("NOTIFY_SOCKET");
}

TEST(the_watchdog_is_for_the_process_it_names)
{
	char pid[32];

	assert_int_equal(notify_watchdog_us(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	assert_int_equal(notify_watchdog_us(), 30000000);
	setenv("WATCHDOG_PID", "1", 1);
	assert_int_equal(notify_watchdog_us(), 0);
	snprintf(pid, sizeof(pid), "%d", (int)getpid());
	setenv("WATCHDOG_PID", pid, 1);
	assert_int_equal(notify_watchdog_us(), 30000000);
	setenv("WATCHDOG_USEC", "soon", 1);
	assert_int_equal(notify_watchdog_us(), 0);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}
