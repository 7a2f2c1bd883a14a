#include "config.h"

#include "client/ctl/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <msgpack.h>

#include "client/ctl/ctl.h"
#include "proto/fingerprint.h"

bool archive_open(struct archive *a, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *data;

	*a = (struct archive){ .data = NULL };
	if (fd < 0 || fstat(fd, &st)) {
		ctl_fail("%s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return false;
	}
	data = st.st_size ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0) : NULL;
	close(fd);
	if (data == MAP_FAILED) {
		ctl_fail("%s: %s", path, strerror(errno));
		return false;
	}
	a->data = data;
	a->len = (size_t)st.st_size;
	return true;
}

void archive_close(struct archive *a)
{
	if (a->data)
		munmap((void *)a->data, a->len);
	a->data = NULL;
}

static bool broken(const struct archive *a, const char *why)
{
	ctl_fail("the archive's chunk %llu %s", (unsigned long long)a->chunk, why);
	return false;
}

/* One value from *at on, into u; false when there is no whole one. */
static bool value_at(const struct archive *a, size_t *at, msgpack_unpacked *u)
{
	return msgpack_unpack_next(u, a->data, a->len, at) == MSGPACK_UNPACK_SUCCESS;
}

/* The head of an array at *at; false when there is none. */
static bool array_at(const struct archive *a, size_t *at, uint32_t *count)
{
	const unsigned char *p = (const unsigned char *)a->data + *at;
	size_t left = a->len - *at;

	if (left >= 1 && (p[0] & 0xf0) == 0x90) {
		*count = p[0] & 0x0f;
		*at += 1;
	} else if (left >= 3 && p[0] == 0xdc) {
		*count = (uint32_t)p[1] << 8 | p[2];
		*at += 3;
	} else if (left >= 5 && p[0] == 0xdd) {
		*count = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
		*at += 5;
	} else {
		return false;
	}
	return true;
}

/* [job, rows before, [row, ...], checksum]: is it whole, and what it was? a->at is then its first row. */
static bool chunk_begin(struct archive *a, msgpack_unpacked *u)
{
	uint8_t sum[FINGERPRINT_BYTES];
	size_t at = a->at, rows, end;
	uint32_t count;

	a->chunk++;
	if (!array_at(a, &at, &count) || count != 4 || !value_at(a, &at, u) || !value_at(a, &at, u))
		return broken(a, "is none of a purge's");
	rows = at;
	if (!value_at(a, &at, u) || u->data.type != MSGPACK_OBJECT_ARRAY)
		return broken(a, "is cut off");
	end = at;
	if (!value_at(a, &at, u) || u->data.type != MSGPACK_OBJECT_BIN || u->data.via.bin.size != sizeof sum)
		return broken(a, "has no checksum");
	fingerprint_write(fingerprint_bytes(fingerprint_start(), a->data + rows, end - rows), sum);
	if (memcmp(sum, u->data.via.bin.ptr, sizeof sum) != 0)
		return broken(a, "is damaged: its checksum differs");
	a->at = rows;
	return array_at(a, &a->at, &a->left);
}

enum archive_status archive_next(struct archive *a, const char **row_out, size_t *len_out)
{
	enum archive_status status = ARCHIVE_ROW;
	msgpack_unpacked u;
	size_t begin;

	msgpack_unpacked_init(&u);
	while (status == ARCHIVE_ROW && !a->left) {
		if (a->row && !value_at(a, &a->at, &u))  /* past the checksum of the one before */
			status = ARCHIVE_ERROR;
		else if (a->at == a->len)
			status = ARCHIVE_END;
		else if (!chunk_begin(a, &u))
			status = ARCHIVE_ERROR;
	}
	if (status == ARCHIVE_ROW) {
		begin = a->at;
		if (!value_at(a, &a->at, &u))
			status = ARCHIVE_ERROR;
		*row_out = a->data + begin;
		*len_out = a->at - begin;
		a->left--;
		a->row++;
	}
	msgpack_unpacked_destroy(&u);
	return status;
}
