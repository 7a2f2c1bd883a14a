#include "config.h"

#include "base/paths.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum rowd_code path_write(char *out, size_t out_bytes, struct err *err, const char *dir, const char *file)
{
	int n = snprintf(out, out_bytes, "%s%s", dir, file);

	if (n < 0 || (size_t)n >= out_bytes)
		return err_limit(err, (int64_t)out_bytes - 1, "the path %.60s...%s", dir, file);
	return ROWD_OK;
}

/* The environment's word, if it is one: an absolute path. */
static const char *env_dir(const char *name)
{
	const char *dir = secure_getenv(name);

	return dir && dir[0] == '/' ? dir : NULL;
}

/* Stands in for a runtime directory where there is none. */
static void temporary_dir(char *out, size_t out_bytes)
{
	snprintf(out, out_bytes, "/tmp/rowd-%lu", (unsigned long)geteuid());
}

enum rowd_code path_socket(char *out, size_t out_bytes, struct err *err)
{
	const char *named = secure_getenv("ROWD_SOCKET");
	const char *runtime;
	char dir[32];

	if (named && named[0])
		return path_write(out, out_bytes, err, named, "");
	if (geteuid() == 0)
		return path_write(out, out_bytes, err, PATH_SYSTEM_SOCKET, "");
	runtime = env_dir("XDG_RUNTIME_DIR");
	if (!runtime) {
		snprintf(dir, sizeof(dir), "/run/user/%lu", (unsigned long)geteuid());
		if (access(dir, W_OK | X_OK))
			temporary_dir(dir, sizeof(dir));
		runtime = dir;
	}
	return path_write(out, out_bytes, err, runtime, "/rowd/rowd.sock");
}

enum rowd_code path_socket_find(char *out, size_t out_bytes, struct err *err)
{
	const char *named = secure_getenv("ROWD_SOCKET");
	bool system = access(PATH_SYSTEM_SOCKET, F_OK) == 0;
	enum rowd_code rc;
	struct err why;

	err_init(&why);
	rc = path_socket(out, out_bytes, &why);
	if (system && !(named && named[0]) && (rc || access(out, F_OK)))
		return path_write(out, out_bytes, err, PATH_SYSTEM_SOCKET, "");
	if (rc) {
		*err = why;
		return rc;
	}
	return access(out, F_OK) ? ROWD_OK : path_check_parent(out, err);
}

enum rowd_code path_data(char *out, size_t out_bytes, struct err *err)
{
	const char *dir;

	if (geteuid() == 0)
		return path_write(out, out_bytes, err, PATH_SYSTEM_DATA, "");
	dir = env_dir("XDG_DATA_HOME");
	if (dir)
		return path_write(out, out_bytes, err, dir, "/rowd/rowd.db");
	dir = env_dir("HOME");
	if (!dir)
		return err_set(err, ROWD_E_UNAVAILABLE, "no data directory is known: set HOME or name a database");
	return path_write(out, out_bytes, err, dir, "/.local/share/rowd/rowd.db");
}

static enum rowd_code dir_make(const char *dir, unsigned mode, struct err *err)
{
	bool denied;
	struct stat st;

	if (mkdir(dir, mode) == 0)
		return ROWD_OK;
	if (errno == EEXIST && stat(dir, &st) == 0 && S_ISDIR(st.st_mode))
		return ROWD_OK;
	denied = errno == EACCES || errno == EPERM || errno == EROFS;
	return err_sys(err, denied ? ROWD_E_DENIED : ROWD_E_NO_RESOURCE, errno, "cannot make the directory %s",
		       dir);
}

enum rowd_code path_make_parent(const char *path, unsigned mode, struct err *err)
{
	enum rowd_code rc = ROWD_OK;
	size_t len = strlen(path);
	char dir[PATH_MAX];

	if (len >= sizeof(dir))
		return err_limit(err, PATH_MAX - 1, "the path %.60s...", path);
	memcpy(dir, path, len + 1);
	for (char *slash = strchr(dir + 1, '/'); slash && !rc; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		rc = dir_make(dir, mode, err);
		*slash = '/';
	}
	return rc;
}

enum rowd_code path_check_parent(const char *path, struct err *err)
{
	struct stat st;
	char dir[32];
	size_t len;

	temporary_dir(dir, sizeof(dir));
	len = strlen(dir);
	if (strncmp(path, dir, len) || path[len] != '/')
		return ROWD_OK;
	if (lstat(dir, &st))
		return err_sys(err, ROWD_E_DENIED, errno, "the directory %s", dir);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid())
		return err_set(err, ROWD_E_DENIED, "%s is not a directory of this user", dir);
	if (st.st_mode & 077)
		return err_set(err, ROWD_E_DENIED, "%s can be entered by others; its mode must be 0700", dir);
	return ROWD_OK;
}
