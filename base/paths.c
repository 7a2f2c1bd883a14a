#include "config.h"

#include "base/paths.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
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
			return err_set(err, ROWD_E_UNAVAILABLE, "no runtime directory is known: "
				       "set ROWD_SOCKET or XDG_RUNTIME_DIR, or name the socket");
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
	if (rc)
		*err = why;
	return rc;
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
