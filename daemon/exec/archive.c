#include "config.h"

#include "daemon/exec/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/exec/purge_record.h"

static const char *directory = "";

void archive_set_directory(const char *path)
{
	directory = path;
}

enum rowd_code archive_check_name(const char *name, size_t len, struct err *err)
{
	if (!*directory)
		return err_set(err, ROWD_E_UNSUPPORTED, "no archive directory is configured (archive_dir)");
	if (len == 0 || len > ARCHIVE_NAME_MAX_BYTES || name[0] == '.' || memchr(name, '/', len) || memchr(name, 0, len))
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "an archive is a file's name of 1 to %d bytes, without a \"/\" and not beginning with \".\"",
			       ARCHIVE_NAME_MAX_BYTES);
	return ROWD_OK;
}

static int open_file(const char *name, int flags)
{
	int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd, saved;

	if (dir < 0)
		return -1;
	fd = openat(dir, name, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
	saved = errno;
	if (fd >= 0 && flags & O_CREAT && fsync(dir)) {
		saved = errno;
		close(fd);
		fd = -1;
	}
	close(dir);
	errno = saved;
	return fd;
}

static enum rowd_code fail(struct err *err, const char *what)
{
	return err_sys(err, errno == ENOSPC || errno == EDQUOT || errno == EFBIG ? ROWD_E_STORAGE_FULL : ROWD_E_INTERNAL,
		       errno, "%s the archive", what);
}

enum rowd_code archive_create(const char *name, struct err *err)
{
	int fd = open_file(name, O_WRONLY | O_CREAT);
	enum rowd_code rc = ROWD_OK;
	struct stat st;

	if (fd < 0)
		return fail(err, "create");
	if (fstat(fd, &st))
		rc = fail(err, "look at");
	else if (st.st_size > 0)
		rc = err_set(err, ROWD_E_BAD_REQUEST, "an archive of that name exists");
	close(fd);
	return rc;
}

static bool write_all(int fd, const char *data, size_t len, int64_t at)
{
	while (len) {
		ssize_t n = pwrite(fd, data, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
		at += n;
	}
	return true;
}

enum rowd_code archive_append(const char *name, int64_t at, const struct buf *chunk, int64_t *end_out,
			      struct err *err)
{
	enum rowd_code rc = ROWD_OK;
	int fd = open_file(name, O_WRONLY);
	struct stat st;

	if (fd < 0)
		return fail(err, "open");
	if (fstat(fd, &st))
		rc = fail(err, "look at");
	else if (st.st_size < at)
		rc = err_set(err, ROWD_E_INTERNAL, "the archive is shorter than what was written to it");
	else if (ftruncate(fd, at) || !write_all(fd, chunk->data, chunk->len, at) || fdatasync(fd))
		rc = fail(err, "write");
	close(fd);
	*end_out = at + (int64_t)chunk->len;
	return rc;
}

enum rowd_code archive_trim(const char *name, int64_t at, struct err *err)
{
	enum rowd_code rc = ROWD_OK;
	int fd = open_file(name, O_WRONLY);
	struct stat st;

	if (fd < 0)
		return fail(err, "open");
	if (fstat(fd, &st))
		rc = fail(err, "look at");
	else if (st.st_size > at && (ftruncate(fd, at) || fdatasync(fd)))
		rc = fail(err, "cut");
	close(fd);
	return rc;
}
