#include "config.h"

#include "daemon/exec/upkeep.h"

#include <string.h>

#include "proto/value.h"

enum { NAME_MOST_BYTES = 200 };

static const char *directory = "";

void upkeep_set_directory(const char *path)
{
	directory = path;
}

enum rowd_code upkeep_check_name(const char *name, size_t len, struct err *err)
{
	if (!*directory)
		return err_set(err, ROWD_E_UNSUPPORTED, "no backup directory is configured (backup_dir)");
	if (len == 0 || len > NAME_MOST_BYTES || name[0] == '.' || memchr(name, '/', len) || memchr(name, 0, len))
		return err_set(err, ROWD_E_BAD_REQUEST,
			       "a backup is a file's name of 1 to %d bytes, without a \"/\" and not beginning with \".\"",
			       NAME_MOST_BYTES);
	return ROWD_OK;
}

struct problems {
	struct buf *out;
	uint32_t count;
};

static void add_problem(void *arg, const char *what)
{
	struct problems *p = arg;

	wire_cstr(p->out, what);
	p->count++;
}

enum rowd_code upkeep_check(struct exec *x, struct err *err)
{
	struct problems problems = { .count = 0 };
	struct buf list;
	size_t open;
	enum rowd_code rc;

	buf_init(&list, (size_t)x->limits->reply_bytes);
	problems.out = &list;
	open = wire_array_open(&list);
	rc = db_check(x->conn, add_problem, &problems, err);
	wire_array_close(&list, open, problems.count);
	wire_map(x->out, 2);
	wire_cstr(x->out, "ok");
	wire_bool(x->out, problems.count == 0);
	wire_cstr(x->out, "problems");
	buf_add(x->out, list.data, list.len);
	buf_fini(&list);
	return rc;
}

enum rowd_code upkeep_backup(struct exec *x, const char *name, size_t len, struct err *err)
{
	const char *path = arena_printf(x->arena, "%s/%.*s", directory, (int)len, name);
	enum rowd_code rc;

	if (!path)
		return err_set(err, ROWD_E_NO_RESOURCE, "no memory for a path");
	rc = db_backup(x->conn, path, err);
	if (!rc)
		wire_bool(x->out, true);
	return rc;
}

static void write_bytes(struct buf *b, const char *name, int64_t bytes)
{
	wire_cstr(b, name);
	wire_int(b, bytes);
}

enum rowd_code upkeep_reclaim(struct exec *x, int64_t max_ms, const char *table, size_t len, struct err *err)
{
	struct db_space before, after;
	enum rowd_code rc = db_space(x->conn, &before, err);

	if (!rc)
		rc = table ? db_optimize(x->conn, table, len, err) : db_reclaim(x->conn, max_ms, err);
	if (!rc)
		rc = db_space(x->conn, &after, err);
	if (rc)
		return rc;
	wire_map(x->out, 3);
	write_bytes(x->out, "reclaimed_bytes", before.free_bytes - after.free_bytes);
	write_bytes(x->out, "used_bytes", after.used_bytes);
	write_bytes(x->out, "free_bytes", after.free_bytes);
	return ROWD_OK;
}
