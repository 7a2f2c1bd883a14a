/*
 * Every allocation librowd makes fails once, one after the other: each time there is an error, nothing
 * crashes, nothing is lost, and the connection can be used or made again afterwards.
 */
#include "config.h"

#include "unit.h"

#include <stdbool.h>

#include "fake_rowd.h"
#include "rowd.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

/* Of this thread alone: which allocation from now on fails; 0: none. And how many blocks it holds. */
static _Thread_local long fail_at;
static _Thread_local long blocks;

#if !defined(SANITIZED) && defined(__GLIBC__)
#define CAN_FAIL 1

void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);
void __libc_free(void *p);

static bool fails(void)
{
	return fail_at > 0 && --fail_at == 0;
}

static void *counted(void *p)
{
	blocks += p != NULL;
	return p;
}

void *malloc(size_t n)
{
	return fails() ? NULL : counted(__libc_malloc(n));
}

void *calloc(size_t n, size_t size)
{
	return fails() ? NULL : counted(__libc_calloc(n, size));
}

void *realloc(void *p, size_t n)
{
	void *q = fails() ? NULL : __libc_realloc(p, n);

	return p ? q : counted(q);
}

void free(void *p)
{
	blocks -= p != NULL;
	__libc_free(p);
}
#else
#define CAN_FAIL 0
#endif

static void script(int fd, int n, void *arg)
{
	struct fake_request r;

	(void)n, (void)arg;
	if (!fake_hello(fd))
		return;
	while (fake_read(fd, &r)) {
		if (r.notification)
			continue;
		if (strcmp(r.method, "select") == 0 && strstr(r.params, "stream")) {
			fake_write(fd,
				   (const unsigned char[]){ 0x93, 2, 0xa4, 'r', 'o', 'w', 's', 0x92,
							    (unsigned char)r.msgid, 0x91, 0x91, 1 },
				   12);
			FAKE_REPLY(fd, r.msgid,
				   "\x82\xa7"
				   "columns\x91\xa2id\xa5"
				   "count\x01");
		} else if (strcmp(r.method, "select") == 0) {
			FAKE_REPLY(fd, r.msgid,
				   "\x82\xa7"
				   "columns\x91\xa2id\xa4rows\x91\x91\x01");
		} else if (strcmp(r.method, "describe") == 0) {
			FAKE_REPLY(fd, r.msgid,
				   "\x81\xa7"
				   "columns\x91\x81\xa4name\xa2id");
		} else if (strcmp(r.method, "fail") == 0) {
			fake_error(fd, r.msgid, 100, "busy", "not_applied", true);
		} else {
			FAKE_REPLY(fd, r.msgid,
				   "\x81\xa7"
				   "deleted\x01");
		}
	}
}

/* ---- what is tried with each allocation failing ---- */

static enum rowd_code do_connect(struct rowd *c, struct rowd_error *err)
{
	struct rowd_options options = ROWD_OPTIONS_INIT;
	struct rowd *second;
	enum rowd_code rc;

	options.client = "memory";
	options.database = "main";
	rc = rowd_connect(rowd_path(c), &options, &second, err);
	if (!rc)
		rowd_close(second);
	return rc;
}

static enum rowd_code do_select(struct rowd *c, struct rowd_error *err)
{
	struct rowd_result *r;
	enum rowd_code rc;

	rc = rowd_select(c, "t",
			 rowd_map("where",
				  rowd_and(rowd_gt("age", rowd_int(30)),
					   rowd_in("id", rowd_ints((const int64_t[]){ 1, 2 }, 2))),
				  "order", rowd_strs("-age")),
			 &r, err);
	if (!rc)
		rowd_result_free(r);
	return rc;
}

static enum rowd_code do_delete(struct rowd *c, struct rowd_error *err)
{
	int64_t n = 0;
	enum rowd_code rc = rowd_delete_where(c, "t", rowd_eq("a", rowd_str("x")), NULL, &n, NULL, err);

	if (!rc)
		assert_int_equal(n, 1);
	return rc;
}

static enum rowd_code do_use(struct rowd *c, struct rowd_error *err)
{
	return rowd_use(c, "main", err);
}

static enum rowd_code do_fail(struct rowd *c, struct rowd_error *err)
{
	enum rowd_code rc = rowd_call(c, "fail", NULL, NULL, NULL, err);

	return rc == ROWD_E_BUSY ? ROWD_OK : rc;
}

static enum rowd_code do_pipeline(struct rowd *c, struct rowd_error *err)
{
	enum rowd_code rc = ROWD_OK;
	struct rowd_error own;
	int i;

	for (i = 0; i < 3 && !rc; i++)
		rc = rowd_send(c, "delete", rowd_array(rowd_str("t"), rowd_int(i)), NULL, err);
	while (rowd_pending(c) > 0) {
		enum rowd_code received = rowd_receive_next(c, ROWD_TIMEOUT_DEFAULT, NULL, NULL, &own);

		if (received && !rc) {
			rc = received;
			*err = own;
		}
	}
	return rc;
}

static enum rowd_code do_stream(struct rowd *c, struct rowd_error *err)
{
	const struct rowd_result *batch;
	struct rowd_stream *s;
	enum rowd_code rc = rowd_stream_open(c, "t", NULL, &s, err);
	size_t rows = 0;

	if (rc)
		return rc;
	while (!(rc = rowd_stream_next(s, &batch, err)) && batch)
		rows += rowd_result_rows(batch);
	rowd_stream_close(s);
	if (!rc)
		assert_int_equal(rows, 1);
	return rc;
}

static enum rowd_code do_copy(struct rowd *c, struct rowd_error *err)
{
	struct rowd_value *v = rowd_from_item(rowd_hello(c)), *w = rowd_copy(v), *x = rowd_raw("\x91\x01", 2);
	enum rowd_code rc = rowd_value_check(w);

	(void)err;
	err->outcome = ROWD_NOT_APPLIED;
	if (!rc)
		rc = rowd_value_check(x);
	rowd_value_free(v);
	rowd_value_free(w);
	rowd_value_free(x);
	return rc;
}

static enum rowd_code do_cancel(struct rowd *c, struct rowd_error *err)
{
	return rowd_cancel(c, 12345, NULL, err);
}

/* Was it told as it is? Only want of memory, or the loss of a connection that came of it. */
static void check_error(enum rowd_code rc, const struct rowd_error *err)
{
	assert_true(rc == ROWD_E_NO_RESOURCE || rc == ROWD_E_COMMIT_UNKNOWN || rc == ROWD_E_UNAVAILABLE);
	if (rc == ROWD_E_COMMIT_UNKNOWN)
		assert_int_equal(err->outcome, ROWD_UNKNOWN);
}

static void sweep(enum rowd_code (*what)(struct rowd *c, struct rowd_error *err))
{
	struct fake_rowd *f = fake_start(script, NULL);
	struct rowd_error err;
	enum rowd_code rc;
	struct rowd *c;
	long n, before = blocks;

	for (n = 1;; n++) {
		assert_true(n < 1000);
		assert_int_equal(rowd_connect(fake_path(f), NULL, &c, &err), ROWD_OK);
		fail_at = n;
		rc = what(c, &err);
		if (fail_at > 0) { /* nothing was left to fail */
			fail_at = 0;
			assert_int_equal(rc, ROWD_OK);
			rowd_close(c);
			break;
		}
		fail_at = 0;
		if (rc)
			check_error(rc, &err);
		assert_int_equal(rowd_ping(c, &err), ROWD_OK);
		rowd_close(c);
		assert_int_equal(blocks, before);
	}
	fake_stop(f);
}

#define SWEEP(name, what) \
	TEST(name) \
	{ \
		if (!CAN_FAIL) \
			skip(); \
		sweep(what); \
	}

SWEEP(connecting_without_memory_is_an_error, do_connect)
SWEEP(selecting_without_memory_is_an_error, do_select)
SWEEP(deleting_without_memory_is_an_error, do_delete)
SWEEP(using_without_memory_is_an_error, do_use)
SWEEP(failing_without_memory_is_an_error, do_fail)
SWEEP(pipelining_without_memory_is_an_error, do_pipeline)
SWEEP(streaming_without_memory_is_an_error, do_stream)
SWEEP(copying_without_memory_is_an_error, do_copy)
SWEEP(cancelling_without_memory_is_an_error, do_cancel)
