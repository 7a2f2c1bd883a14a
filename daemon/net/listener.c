#include "config.h"

#include "daemon/net/listener.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/paths.h"
#include "daemon/log.h"
#include "daemon/notify.h"

enum { BACKLOG = 1024, LOCK_PATH_BYTES = PATH_SOCKET_BYTES + sizeof(".lock") };

static struct {
	int fd;                              /* owned; -1 without one */
	int lock_fd;                         /* owned; held as long as the socket is ours */
	char path[PATH_SOCKET_BYTES];        /* "" when systemd made the socket */
	char lock_path[LOCK_PATH_BYTES];
	dev_t dev;                           /* the socket's file, to know it again */
	ino_t ino;
} listener = { .fd = -1, .lock_fd = -1 };

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* ---- the directory ---- */

/* Where everyone may write, everyone may put another socket in our place. In a sticky directory
 * (/tmp) they cannot, but can be there first. */
static enum rowd_code directory_check(const char *path, struct err *err)
{
	char dir[PATH_SOCKET_BYTES];
	const char *slash = strrchr(path, '/');
	struct stat st;

	if (!slash)
		strcpy(dir, ".");
	else
		snprintf(dir, sizeof(dir), "%.*s", slash == path ? 1 : (int)(slash - path), path);
	if (stat(dir, &st))
		return err_sys(err, ROWD_E_DENIED, errno, "the directory of the socket, %s", dir);
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ROWD_E_DENIED, "%s is not a directory", dir);
	if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
		return err_set(err, ROWD_E_DENIED, "everyone may write to %s and replace the socket in it; "
			       "choose a directory of your own", dir);
	if (st.st_mode & S_IWOTH)
		log_warn("event=socket_directory_shared hint=\"everyone may write to the socket's directory\"");
	return ROWD_OK;
}

/* The default socket's directory is ours to make. Under /run it must let others through. */
static enum rowd_code directory_make(const char *path, struct err *err)
{
	char usual[PATH_SOCKET_BYTES];
	enum rowd_code rc;
	struct err ignored;

	err_init(&ignored);
	if (path_socket(usual, sizeof(usual), &ignored) || strcmp(usual, path) != 0)
		return ROWD_OK;
	rc = path_make_parent(path, geteuid() == 0 ? 0755 : 0700, err);
	return rc ? rc : path_check_parent(path, err);
}

/* ---- the lock ---- */

/*
 * The lock is held by whoever serves the socket, and its file is removed by him. So the file that was
 * locked may be gone from the directory by then: look, and try again.
 */
static enum rowd_code lock_take(const char *path, int *fd_out, struct err *err)
{
	struct stat mine, there;

	for (;;) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);

		if (fd < 0)
			return err_sys(err, ROWD_E_DENIED, errno, "the lock file %s", path);
		if (flock(fd, LOCK_EX | LOCK_NB) || fstat(fd, &mine)) {
			int errnum = errno;

			close(fd);
			if (errnum == EWOULDBLOCK)
				return err_set(err, ROWD_E_BUSY, "another rowd serves this socket (%s is locked)",
					       path);
			return err_sys(err, ROWD_E_NO_RESOURCE, errnum, "the lock file %s", path);
		}
		if (lstat(path, &there) == 0 && same_file(&mine, &there)) {
			*fd_out = fd;
			return ROWD_OK;
		}
		close(fd);
	}
}

static void lock_drop(void)
{
	if (listener.lock_fd < 0)
		return;
	unlink(listener.lock_path);
	close(listener.lock_fd);
	listener.lock_fd = -1;
}

/* ---- what lies at the path ---- */

static void address_of(const char *path, struct sockaddr_un *out)
{
	memset(out, 0, sizeof(*out));
	out->sun_family = AF_UNIX;
	memcpy(out->sun_path, path, strlen(path) + 1);
}

/* Does anyone answer there? Only a refused connection proves that nobody does. */
static bool is_dead(const char *path)
{
	struct sockaddr_un to;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool dead;

	if (fd < 0)
		return false;
	address_of(path, &to);
	dead = connect(fd, (const struct sockaddr *)&to, sizeof(to)) && errno == ECONNREFUSED;
	close(fd);
	return dead;
}

static enum rowd_code stale_remove(const char *path, struct err *err)
{
	struct stat st;

	if (lstat(path, &st)) {
		if (errno == ENOENT)
			return ROWD_OK;
		return err_sys(err, ROWD_E_DENIED, errno, "%s", path);
	}
	if (!S_ISSOCK(st.st_mode))
		return err_set(err, ROWD_E_DENIED, "%s exists and is not a socket; it is left alone", path);
	if (!is_dead(path))
		return err_set(err, ROWD_E_BUSY, "another process serves this socket (%s)", path);
	if (st.st_uid != geteuid())
		return err_set(err, ROWD_E_DENIED, "%s is a socket of another user; it is left alone", path);
	if (unlink(path) && errno != ENOENT)
		return err_sys(err, ROWD_E_DENIED, errno, "cannot remove the stale socket %s", path);
	return ROWD_OK;
}

/* ---- the socket ---- */

/* Until listen() nobody can connect, so that mode and group are right before the first client. */
static enum rowd_code socket_make(const struct config *c, struct err *err)
{
	struct sockaddr_un to;
	struct stat st;
	mode_t before;
	gid_t group;
	int failed;

	if (config_socket_group(c, &group, err))
		return err->code;
	listener.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener.fd < 0)
		return err_sys(err, ROWD_E_NO_RESOURCE, errno, "socket");
	address_of(listener.path, &to);
	before = umask((mode_t)(~config_socket_mode(c) & 0777));
	failed = bind(listener.fd, (const struct sockaddr *)&to, sizeof(to));
	umask(before);
	if (failed)
		return err_sys(err, ROWD_E_DENIED, errno, "cannot make the socket %s", listener.path);
	if (lstat(listener.path, &st))
		return err_sys(err, ROWD_E_NO_RESOURCE, errno, "%s", listener.path);
	listener.dev = st.st_dev;
	listener.ino = st.st_ino;
	if (group != (gid_t)-1 && lchown(listener.path, (uid_t)-1, group))
		return err_sys(err, ROWD_E_DENIED, errno, "cannot give the socket to the group %s",
			       c->socket_group);
	if (listen(listener.fd, BACKLOG))
		return err_sys(err, ROWD_E_NO_RESOURCE, errno, "listen on %s", listener.path);
	return ROWD_OK;
}

static enum rowd_code path_take(const char *path, struct err *err)
{
	if (strlen(path) >= sizeof(listener.path))
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "the path of the socket has %zu bytes; the kernel takes %d at most", strlen(path),
			       PATH_SOCKET_BYTES - 1);
	snprintf(listener.path, sizeof(listener.path), "%s", path);
	snprintf(listener.lock_path, sizeof(listener.lock_path), "%s.lock", path);
	return ROWD_OK;
}

static enum rowd_code listener_make(const struct config *c, struct err *err)
{
	enum rowd_code rc = path_take(c->socket, err);

	if (!rc)
		rc = directory_make(listener.path, err);
	if (!rc)
		rc = directory_check(listener.path, err);
	if (!rc)
		rc = lock_take(listener.lock_path, &listener.lock_fd, err);
	if (!rc)
		rc = stale_remove(listener.path, err);
	if (!rc)
		rc = socket_make(c, err);
	return rc;
}

enum rowd_code listener_open(const struct config *c, int *fd_out, struct err *err)
{
	enum rowd_code rc = notify_listen_fd(&listener.fd, err);

	if (!rc && listener.fd < 0)
		rc = listener_make(c, err);
	if (rc) {
		listener_close();
		return rc;
	}
	*fd_out = listener.fd;
	return ROWD_OK;
}

bool listener_is_inherited(void)
{
	return listener.fd >= 0 && !listener.path[0];
}

void listener_close(void)
{
	struct stat st;

	if (listener.ino && lstat(listener.path, &st) == 0 && st.st_dev == listener.dev &&
	    st.st_ino == listener.ino)
		unlink(listener.path);
	listener.ino = 0;
	if (listener.fd >= 0)
		close(listener.fd);
	listener.fd = -1;
	lock_drop();
	listener.path[0] = '\0';
}
