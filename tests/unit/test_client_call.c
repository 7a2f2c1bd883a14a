/* librowd against a daemon that misbehaves. */
#include "config.h"

#include "unit.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "fake_rowd.h"
#include "rowd.h"

static void nap_ms(long ms)
{
	struct timespec ts = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&ts, NULL);
}

static struct rowd *connect_to(struct fake_rowd *f)
{
	struct rowd_error err;
	struct rowd *c = NULL;

	if (rowd_connect(fake_path(f), NULL, &c, &err))
		fail_msg("%s: %s", err.name, err.text);
	return c;
}

static enum rowd_code insert_one(struct rowd *c, struct rowd_error *err)
{
	return rowd_insert(c, "t", rowd_map("id", rowd_int(1)), NULL, NULL, err);
}

/* ---- answers, whole and broken ---- */

/* Answers every request with true. */
static void script_true(int fd, int n, void *arg)
{
	struct fake_request r;

	(void)n, (void)arg;
	if (!fake_hello(fd))
		return;
	while (fake_read(fd, &r)) {
		if (!r.notification)
			FAKE_REPLY(fd, r.msgid, "\xc3");
	}
}

TEST(hello_tells_the_session)
{
	struct fake_rowd *f = fake_start(script_true, NULL);
	struct rowd *c = connect_to(f);

	assert_int_equal(rowd_session(c), 7);
	assert_string_equal(rowd_path(c), fake_path(f));
	assert_int_equal(rowd_item_kind(rowd_item_get(rowd_hello(c), "limits")), ROWD_KIND_MAP);
	assert_int_equal(rowd_ping(c, NULL), ROWD_OK);
	rowd_close(c);
	fake_stop(f);
}

/* Answers select byte by byte. */
static void script_drip(int fd, int n, void *arg)
{
	static const char answer[] =
		"\x83\xa7"
		"columns\x93\xa2id\xa4name\xa1t\xa4rows\x92"
		"\x93\x01\xa3"
		"ann\xd6\xff\x00\x00\x00\x01\x93\xd0\xfe\xc0\xc7\x0c\xff\x0e\xe6\xb2\x80\xff\xff\xff\xff"
		"\xff\xff\xff\xff\xa4more\xc3";
	static const char head[] = "\x94\x01\x02\xc0";
	struct fake_request r;
	size_t i;

	(void)n, (void)arg;
	if (!fake_hello(fd) || !fake_read(fd, &r))
		return;
	FAKE_WRITE(fd, head);
	for (i = 0; i < sizeof(answer) - 1; i++) {
		fake_write(fd, answer + i, 1);
		if (i % 8 == 0)
			nap_ms(1);
	}
	fake_drain(fd);
}

TEST(a_reply_that_drips_is_one_reply)
{
	struct fake_rowd *f = fake_start(script_drip, NULL);
	struct rowd *c = connect_to(f);
	struct rowd_result *r;
	const struct rowd_row *row;
	int64_t n;
	size_t len;

	assert_int_equal(rowd_select(c, "t", NULL, &r, NULL), ROWD_OK);
	assert_int_equal(rowd_result_rows(r), 2);
	assert_int_equal(rowd_result_columns(r), 3);
	assert_string_equal(rowd_result_column(r, 1), "name");
	assert_null(rowd_result_column(r, 3));
	assert_true(rowd_result_more(r));
	row = rowd_result_row(r, 0);
	assert_true(rowd_row_int(row, "id", &n));
	assert_int_equal(n, 1);
	assert_string_equal(rowd_row_str(row, "name", &len), "ann");
	assert_int_equal(len, 3);
	assert_true(rowd_row_time(row, "t", &n));
	assert_int_equal(n, 1000000);
	row = rowd_result_row(r, 1);
	assert_true(rowd_item_int(rowd_row_at(row, 0), &n));
	assert_int_equal(n, -2);
	assert_true(rowd_row_is_null(row, "name"));
	assert_false(rowd_row_is_null(row, "nope"));
	assert_null(rowd_row_str(row, "name", NULL));
	assert_false(rowd_row_int(row, "t", &n));
	assert_int_equal(n, 0);
	assert_true(rowd_row_time(row, "t", &n));
	assert_int_equal(n, -750000);
	assert_null(rowd_result_row(r, 2));
	rowd_result_free(r);
	rowd_close(c);
	fake_stop(f);
}

/* Answers the first request with the bytes given, then waits. */
struct bytes {
	const char *data;
	size_t len;
};

static void script_bytes(int fd, int n, void *arg)
{
	const struct bytes *b = arg;
	struct fake_request r;

	(void)n;
	if (!fake_hello(fd) || !fake_read(fd, &r))
		return;
	fake_write(fd, b->data, b->len);
	shutdown(fd, SHUT_WR);
	fake_drain(fd);
}

#define BYTES(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}

TEST(what_is_not_the_protocol_ends_the_connection_and_the_outcome_is_told)
{
	static const struct bytes garbage[] = {
		BYTES("\xc1"),
		BYTES("HTTP/1.1 400 Bad Request\r\n\r\n"),
		BYTES("\x90"),
		BYTES("\x94\x01\x02\xc0"),
		BYTES("\x93\x01\x02\xc0"),
		BYTES("\x94\x01\x63\xc0\xc3"),
		BYTES("\x94\x01\xff\xc0\xc3"),
		BYTES("\x94\x00\x02\xa4ping\x90"),
		BYTES("\x95\x01\x02\xc0\xc3\xc3"),
		BYTES("\x93\x02\xc0\x90"),
		BYTES("\x93\x02\xa4rows\x91\x02"),
		BYTES("\xdd\xff\xff\xff\xff"),
		BYTES("\x94\x01\x02\xc0\xdd\xff\xff\xff\xff"),
		BYTES("\x94\x01\x02\xc0\xdb\xff\xff\xff\xff"),
		BYTES("\x94\x01\x02\xc0"
		      "\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91"
		      "\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\xc0"),
		BYTES(""),
	};
	struct rowd_error err;
	size_t i;

	for (i = 0; i < sizeof(garbage) / sizeof(*garbage); i++) {
		struct fake_rowd *f = fake_start(script_bytes, (void *)&garbage[i]);
		struct rowd *c = connect_to(f);

		assert_int_equal(insert_one(c, &err), ROWD_E_COMMIT_UNKNOWN);
		assert_int_equal(err.outcome, ROWD_UNKNOWN);
		assert_false(err.retry);
		assert_true(err.local);
		assert_int_equal(rowd_fd(c), -1);
		rowd_close(c);

		c = connect_to(f);
		assert_int_not_equal(rowd_count(c, "t", NULL, NULL, &err), ROWD_OK);
		assert_int_not_equal(err.code, ROWD_E_COMMIT_UNKNOWN);
		assert_int_equal(err.outcome, ROWD_NOT_APPLIED);
		rowd_close(c);
		fake_stop(f);
	}
}

TEST(an_error_that_cannot_be_read_leaves_the_outcome_open)
{
	static const struct bytes errors[] = {
		BYTES("\x94\x01\x02\xc3\xc0"),
		BYTES("\x94\x01\x02\x90\xc0"),
		BYTES("\x94\x01\x02\x05\xc0"),
		BYTES("\x94\x01\x02\x93\x00\xa1x\x80\xc0"),
		BYTES("\x94\x01\x02\x93\x01\x01\x80\xc0"),
		BYTES("\x94\x01\x02\x93\x01\xa1x\xc0\xc0"),
		BYTES("\x94\x01\x02\x80\xc0"),
	};
	struct rowd_error err;
	size_t i;

	for (i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		struct fake_rowd *f = fake_start(script_bytes, (void *)&errors[i]);
		struct rowd *c = connect_to(f);

		assert_int_equal(insert_one(c, &err), ROWD_E_INTERNAL);
		assert_int_equal(err.outcome, ROWD_UNKNOWN);
		rowd_close(c);
		fake_stop(f);
	}
}

TEST(every_shape_of_error_is_read)
{
	static const struct {
		struct bytes bytes;
		enum rowd_code code;
		const char *name, *text;
	} shapes[] = {
		{ BYTES("\x94\x01\x02\x93\x16\xb4too_long: name is so\x84\xa4name\xa8too_long\xa7outcome\xabnot_applied"
			"\xa5retry\xc2\xa6"
			"column\xa4name\xc0"),
		  ROWD_E_TOO_LONG, "too_long", "name is so" },
		{ BYTES("\x94\x01\x02\x92\x01\xabtoo_long: x\xc0"), ROWD_E_TOO_LONG, "too_long", "x" },
		{ BYTES("\x94\x01\x02\xa7"
			"busy: x\xc0"),
		  ROWD_E_BUSY, "busy", "x" },
		{ BYTES("\x94\x01\x02\x93\xcd\x03\xe7\xa7novel: \x81\xa4name\xa5novel\xc0"),
		  (enum rowd_code)999, "novel", "" },
		{ BYTES("\x94\x01\x02\xa0\xc0"), ROWD_E_INTERNAL, "internal", "" },
	};
	struct rowd_error err;
	size_t i;

	for (i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		struct fake_rowd *f = fake_start(script_bytes, (void *)&shapes[i].bytes);
		struct rowd *c = connect_to(f);

		assert_int_equal(insert_one(c, &err), shapes[i].code);
		assert_string_equal(err.name, shapes[i].name);
		assert_string_equal(err.text, shapes[i].text);
		assert_false(err.local);
		assert_int_equal(err.limit, -1);
		if (i == 0)
			assert_string_equal(err.column, "name");
		rowd_close(c);
		fake_stop(f);
	}
}

static void script_huge(int fd, int n, void *arg)
{
	size_t len = *(const size_t *)arg;
	char *body = malloc(len);
	struct fake_request r;

	(void)n;
	memset(body, 'x', len);
	if (fake_hello(fd) && fake_read(fd, &r)) {
		unsigned char head[] = { 0x94,
					 1,
					 (unsigned char)r.msgid,
					 0xc0,
					 0xdb,
					 (unsigned char)(len >> 24),
					 (unsigned char)(len >> 16),
					 (unsigned char)(len >> 8),
					 (unsigned char)len };

		fake_write(fd, head, sizeof(head));
		fake_write(fd, body, len);
		fake_drain(fd);
	}
	free(body);
}

TEST(a_huge_reply_is_received_whole_and_a_larger_one_is_refused)
{
	size_t len = 20000000;
	struct fake_rowd *f = fake_start(script_huge, &len);
	struct rowd_options options = ROWD_OPTIONS_INIT;
	struct rowd *c = connect_to(f);
	struct rowd_result *r;
	struct rowd_error err;
	size_t got;
	const char *s;

	assert_int_equal(rowd_call(c, "x", NULL, NULL, &r, NULL), ROWD_OK);
	s = rowd_item_str(rowd_result_item(r), &got);
	assert_int_equal(got, len);
	assert_int_equal(strlen(s), len);
	rowd_result_free(r);
	rowd_close(c);

	options.max_reply_bytes = 1000000;
	assert_int_equal(rowd_connect(fake_path(f), &options, &c, &err), ROWD_OK);
	assert_int_equal(rowd_count(c, "t", NULL, NULL, &err), ROWD_E_LIMIT);
	assert_int_equal(rowd_fd(c), -1);
	rowd_close(c);
	fake_stop(f);
}

/* ---- loss and reconnecting ---- */

/* The first connection is closed after hello; later ones answer true. */
static void script_idle_loss(int fd, int n, void *arg)
{
	if (n == 0)
		fake_hello(fd);
	else
		script_true(fd, n, arg);
}

TEST(a_connection_lost_while_idle_is_made_again)
{
	struct fake_rowd *f = fake_start(script_idle_loss, NULL);
	struct rowd *c = connect_to(f);

	nap_ms(30);
	assert_int_equal(insert_one(c, NULL), ROWD_OK);
	assert_int_equal(fake_connections(f), 2);
	rowd_close(c);
	fake_stop(f);
}

TEST(a_connection_lost_while_idle_stays_lost_when_asked)
{
	struct fake_rowd *f = fake_start(script_idle_loss, NULL);
	struct rowd_options options = ROWD_OPTIONS_INIT;
	struct rowd_error err;
	struct rowd *c;

	options.no_reconnect = true;
	assert_int_equal(rowd_connect(fake_path(f), &options, &c, NULL), ROWD_OK);
	nap_ms(30);
	assert_int_equal(insert_one(c, &err), ROWD_E_UNAVAILABLE);
	assert_int_equal(err.outcome, ROWD_NOT_APPLIED);
	assert_int_equal(insert_one(c, &err), ROWD_E_UNAVAILABLE);
	assert_int_equal(fake_connections(f), 1);
	rowd_close(c);
	fake_stop(f);
}

/* Reads one request more than hello, and hangs up. */
static void script_swallow(int fd, int n, void *arg)
{
	struct fake_request r;

	if (n > 0) {
		script_true(fd, n, arg);
		return;
	}
	if (fake_hello(fd))
		fake_read(fd, &r);
}

TEST(a_write_that_left_is_never_sent_twice)
{
	struct fake_rowd *f = fake_start(script_swallow, NULL);
	struct rowd *c = connect_to(f);
	struct rowd_error err;

	assert_int_equal(insert_one(c, &err), ROWD_E_COMMIT_UNKNOWN);
	assert_int_equal(err.outcome, ROWD_UNKNOWN);
	assert_int_equal(fake_connections(f), 1);
	assert_int_equal(insert_one(c, &err), ROWD_OK);
	assert_int_equal(fake_connections(f), 2);
	rowd_close(c);
	fake_stop(f);
}

TEST(a_read_that_was_lost_had_no_effect)
{
	struct fake_rowd *f = fake_start(script_swallow, NULL);
	struct rowd *c = connect_to(f);
	struct rowd_error err;

	assert_int_equal(rowd_count(c, "t", NULL, NULL, &err), ROWD_E_UNAVAILABLE);
	assert_int_equal(err.outcome, ROWD_NOT_APPLIED);
	assert_true(err.retry);
	assert_true(err.local);
	rowd_close(c);
	fake_stop(f);
}

static struct rowd_value *large_text(size_t len)
{
	char *s = malloc(len);
	struct rowd_value *v;

	memset(s, 'x', len);
	v = rowd_strn(s, len);
	free(s);
	return v;
}

/* As fake_hello, without a limit on requests. */
static bool hello_unlimited(int fd)
{
	struct fake_request r;

	if (!fake_read(fd, &r))
		return false;
	FAKE_REPLY(fd, r.msgid, "\x80");
	return true;
}

/* Takes a part of a request that is larger than the socket's buffers, and hangs up. */
static void script_half(int fd, int n, void *arg)
{
	char bytes[1000];

	(void)arg, (void)n;
	if (hello_unlimited(fd))
		(void)!recv(fd, bytes, sizeof(bytes), 0);
}

TEST(half_a_write_is_not_applied)
{
	struct fake_rowd *f = fake_start(script_half, NULL);
	struct rowd *c = connect_to(f);
	struct rowd_error err;

	assert_int_equal(rowd_insert(c, "t", rowd_map("x", large_text(8000000)), NULL, NULL, &err),
			 ROWD_E_UNAVAILABLE);
	assert_int_equal(err.outcome, ROWD_NOT_APPLIED);
	assert_true(err.retry);
	assert_int_equal(fake_connections(f), 2); /* tried once more, and no more */
	rowd_close(c);
	fake_stop(f);
}

TEST(a_request_over_the_daemons_limit_stays_here)
{
	struct fake_rowd *f = fake_start(script_true, NULL);
	struct rowd *c = connect_to(f);
	struct rowd_error err;

	assert_int_equal(rowd_insert(c, "t", rowd_map("x", large_text(70000)), NULL, NULL, &err),
			 ROWD_E_LIMIT);
	assert_int_equal(err.limit, 65536);
	assert_int_equal(insert_one(c, &err), ROWD_OK);
	rowd_close(c);
	fake_stop(f);
}

/* Says why before it hangs up, while the client is still sending. */
static void script_refuse(int fd, int n, void *arg)
{
	char bytes[1000];

	(void)n, (void)arg;
	if (!hello_unlimited(fd))
		return;
	(void)!recv(fd, bytes, sizeof(bytes), 0);
	fake_error(fd, 2, 8, "limit", "not_applied", false);
}

TEST(a_daemon_that_hangs_up_on_a_large_request_is_heard_out)
{
	struct fake_rowd *f = fake_start(script_refuse, NULL);
	struct rowd *c = connect_to(f);
	struct rowd_error err;

	assert_int_equal(rowd_insert(c, "t", rowd_map("x", large_text(8000000)), NULL, NULL, &err),
			 ROWD_E_LIMIT);
	assert_false(err.local);
	assert_string_equal(err.text, "so it is");
	rowd_close(c);
	fake_stop(f);
}

/* Answers begin and the next request, then hangs up when the one after comes. */
static void script_tx(int fd, int n, void *arg)
{
	struct fake_request r;
	int i;

	if (n > 0) {
		script_true(fd, n, arg);
		return;
	}
	if (!fake_hello(fd))
		return;
	for (i = 0; i < 2 && fake_read(fd, &r); i++)
		FAKE_REPLY(fd, r.msgid, "\xc3");
	fake_read(fd, &r);
}

TEST(a_lost_transaction_holds_everything_back_until_it_is_rolled_back)
{
	struct fake_rowd *f = fake_start(script_tx, NULL);
	struct rowd *c = connect_to(f);
	struct rowd_error err;

	assert_int_equal(rowd_begin(c, NULL, NULL), ROWD_OK);
	assert_true(rowd_in_transaction(c));
	assert_int_equal(insert_one(c, NULL), ROWD_OK);
	assert_int_equal(insert_one(c, &err), ROWD_E_UNAVAILABLE);
	assert_int_equal(err.outcome, ROWD_NOT_APPLIED);
	assert_false(err.retry);
	assert_int_equal(insert_one(c, &err), ROWD_E_TX_ABORTED);
	assert_int_equal(err.outcome, ROWD_NOT_APPLIED);
	assert_int_equal(rowd_count(c, "t", NULL, NULL, &err), ROWD_E_TX_ABORTED);
	assert_int_equal(fake_connections(f), 1);
	assert_int_equal(rowd_rollback(c, &err), ROWD_OK);
	assert_false(rowd_in_transaction(c));
	assert_int_equal(insert_one(c, NULL), ROWD_OK);
	assert_int_equal(fake_connections(f), 2);
	rowd_close(c);
	fake_stop(f);
}

TEST(a_lost_commit_is_unknown_and_a_lost_rollback_is_done)
{
	struct rowd_error err;
	int rollback;

	for (rollback = 0; rollback < 2; rollback++) {
		struct fake_rowd *f = fake_start(script_tx, NULL);
		struct rowd *c = connect_to(f);

		assert_int_equal(rowd_begin(c, NULL, NULL), ROWD_OK);
		assert_int_equal(insert_one(c, NULL), ROWD_OK);
		if (rollback) {
			assert_int_equal(rowd_rollback(c, &err), ROWD_OK);
		} else {
			assert_int_equal(rowd_commit(c, &err), ROWD_E_COMMIT_UNKNOWN);
			assert_int_equal(err.outcome, ROWD_UNKNOWN);
			assert_int_equal(rowd_rollback(c, &err), ROWD_OK);
		}
		assert_int_equal(insert_one(c, NULL), ROWD_OK);
		rowd_close(c);
		fake_stop(f);
	}
}

/* Answers begin, then reads two requests and hangs up. */
static void script_tx_pipeline(int fd, int n, void *arg)
{
	struct fake_request r;

	(void)n, (void)arg;
	if (!fake_hello(fd) || !fake_read(fd, &r))
		return;
	FAKE_REPLY(fd, r.msgid, "\xc3");
	if (fake_read(fd, &r))
		fake_read(fd, &r);
}

TEST(a_write_whose_commit_was_on_its_way_too_is_unknown)
{
	struct fake_rowd *f = fake_start(script_tx_pipeline, NULL);
	struct rowd *c = connect_to(f);
	uint64_t insert, commit;
	struct rowd_error err;

	assert_int_equal(rowd_begin(c, NULL, NULL), ROWD_OK);
	assert_int_equal(
		rowd_send(c, "insert", rowd_array(rowd_str("t"), rowd_map("id", rowd_int(1))), &insert, NULL),
		ROWD_OK);
	assert_int_equal(rowd_send(c, "commit", NULL, &commit, NULL), ROWD_OK);
	assert_int_equal(rowd_receive(c, insert, ROWD_TIMEOUT_DEFAULT, NULL, &err), ROWD_E_COMMIT_UNKNOWN);
	assert_int_equal(rowd_receive(c, commit, ROWD_TIMEOUT_DEFAULT, NULL, &err), ROWD_E_COMMIT_UNKNOWN);
	assert_int_equal(rowd_receive(c, commit, ROWD_TIMEOUT_DEFAULT, NULL, &err), ROWD_E_BAD_REQUEST);
	rowd_close(c);
	fake_stop(f);
}

/* Remembers the database of the last use, and hangs up after the first. */
struct used {
	char params[2][64];
};

static void script_use(int fd, int n, void *arg)
{
	struct used *used = arg;
	struct fake_request r;

	if (!fake_hello(fd))
		return;
	while (fake_read(fd, &r)) {
		if (strcmp(r.method, "use") == 0 && n < 2)
			snprintf(used->params[n], sizeof(used->params[n]), "%.60s", r.params);
		FAKE_REPLY(fd, r.msgid, "\xc3");
		if (n == 0)
			return;
	}
}

TEST(a_new_connection_uses_the_database_chosen_last)
{
	struct used used = { { "", "" } };
	struct fake_rowd *f = fake_start(script_use, &used);
	struct rowd *c = connect_to(f);

	assert_int_equal(rowd_use(c, "shop", NULL), ROWD_OK);
	nap_ms(30);
	assert_int_equal(rowd_ping(c, NULL), ROWD_OK);
	rowd_close(c);
	fake_stop(f);
	assert_string_equal(used.params[0], "[\"shop\"]");
	assert_string_equal(used.params[1], "[\"shop\"]");
}

TEST(nobody_there_is_unavailable)
{
	struct rowd_error err;
	struct rowd *c;

	assert_int_equal(rowd_connect("/nonexistent/rowd.sock", NULL, &c, &err), ROWD_E_UNAVAILABLE);
	assert_true(err.local);
	assert_int_equal(rowd_connect("", NULL, &c, &err), ROWD_E_BAD_REQUEST);
	assert_int_equal(
		rowd_connect(
			"/a/path/that/is/longer/than/the/address/of/any/socket/may/be/and/then/some/more/"
			"so/that/it/can/not/fit/whatever/we/do",
			NULL, &c, &err),
		ROWD_E_LIMIT);
	assert_int_equal(err.limit, 107);
}

/* Frees the queue of a listener after a while. */
static void *accept_late(void *arg)
{
	int listener = *(int *)arg, fd;

	nap_ms(100);
	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		if (fake_hello(fd))
			fake_drain(fd);
		close(fd);
	}
	return NULL;
}

TEST(a_full_queue_is_waited_out)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char dir[] = "/tmp/rowd-queue-XXXXXX";
	struct rowd_options options = ROWD_OPTIONS_INIT;
	struct rowd_error err;
	pthread_t thread;
	struct rowd *c;
	int listener, first, second, i;

	assert_non_null(mkdtemp(dir));
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/s", dir);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(listen(listener, 0), 0);
	first = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	second = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	for (i = 0; i < 2; i++)
		(void)!connect(i ? second : first, (struct sockaddr *)&sa, sizeof(sa));

	options.connect_timeout_ms = 50;
	assert_int_equal(rowd_connect(sa.sun_path, &options, &c, &err), ROWD_E_UNAVAILABLE);
	close(first);
	close(second);
	options.connect_timeout_ms = 5000;
	assert_int_equal(pthread_create(&thread, NULL, accept_late, &listener), 0);
	assert_int_equal(rowd_connect(sa.sun_path, &options, &c, &err), ROWD_OK);
	rowd_close(c);
	shutdown(listener, SHUT_RDWR);
	pthread_join(thread, NULL);
	close(listener);
	unlink(sa.sun_path);
	rmdir(dir);
}

static void script_mute(int fd, int n, void *arg)
{
	(void)n, (void)arg;
	fake_drain(fd);
}

TEST(a_daemon_that_does_not_say_hello_is_given_up)
{
	struct fake_rowd *f = fake_start(script_mute, NULL);
	struct rowd_options options = ROWD_OPTIONS_INIT;
	struct rowd_error err;
	struct rowd *c;

	options.connect_timeout_ms = 50;
	assert_int_equal(rowd_connect(fake_path(f), &options, &c, &err), ROWD_E_TIMEOUT);
	assert_int_equal(err.outcome, ROWD_NOT_APPLIED);
	fake_stop(f);
}

static void script_old(int fd, int n, void *arg)
{
	struct fake_request r;

	(void)n, (void)arg;
	if (fake_read(fd, &r))
		fake_error(fd, r.msgid, 7, "unsupported", "not_applied", false);
	fake_drain(fd);
}

TEST(a_daemon_of_another_protocol_is_an_error_of_connect)
{
	struct fake_rowd *f = fake_start(script_old, NULL);
	struct rowd_error err;
	struct rowd *c;

	assert_int_equal(rowd_connect(fake_path(f), NULL, &c, &err), ROWD_E_UNSUPPORTED);
	fake_stop(f);
}

/* ---- deadlines ---- */

/* Answers a request only once it is cancelled; how is arg's: 0 cancelled, 1 true, 2 never. */
static void script_slow(int fd, int n, void *arg)
{
	struct fake_request r, cancel;

	(void)n;
	if (!fake_hello(fd))
		return;
	while (fake_read(fd, &r)) {
		if (r.notification)
			continue;
		if (!fake_read(fd, &cancel) || strcmp(cancel.method, "cancel") != 0)
			return;
		if (*(int *)arg == 0)
			fake_error(fd, r.msgid, 102, "cancelled", "not_applied", false);
		else if (*(int *)arg == 1)
			FAKE_REPLY(fd, r.msgid, "\x81\xa8inserted\x01");
	}
}

TEST(a_deadline_stops_the_request_and_believes_its_answer)
{
	static const enum rowd_code due[] = { ROWD_E_TIMEOUT, ROWD_OK, ROWD_E_COMMIT_UNKNOWN };
	struct rowd_error err;
	int how;

	for (how = 0; how < 3; how++) {
		struct fake_rowd *f = fake_start(script_slow, &how);
		struct rowd *c = connect_to(f);

		rowd_set_timeout(c, 20);
		assert_int_equal(insert_one(c, &err), due[how]);
		if (how == 0)
			assert_int_equal(err.outcome, ROWD_NOT_APPLIED);
		if (how < 2)
			assert_true(rowd_fd(c) >= 0);
		rowd_close(c);
		fake_stop(f);
	}
}

TEST(a_call_may_have_a_deadline_of_its_own)
{
	int how = 0;
	struct fake_rowd *f = fake_start(script_slow, &how);
	struct rowd *c = connect_to(f);
	struct rowd_call_options options = ROWD_CALL_OPTIONS_INIT;
	struct rowd_error err;

	options.timeout_ms = 20;
	assert_int_equal(rowd_call(c, "x", NULL, &options, NULL, &err), ROWD_E_TIMEOUT);
	assert_int_equal(err.outcome, ROWD_NOT_APPLIED);
	options.size = 1;
	assert_int_equal(rowd_call(c, "x", NULL, &options, NULL, &err), ROWD_E_BAD_REQUEST);
	rowd_close(c);
	fake_stop(f);
}

/* ---- pipelining ---- */

/* Answers two by two, the later one first, with their msgids. */
static void script_swap(int fd, int n, void *arg)
{
	struct fake_request a, b;
	unsigned char id;

	(void)n, (void)arg;
	if (!fake_hello(fd))
		return;
	while (fake_read(fd, &a) && fake_read(fd, &b)) {
		id = (unsigned char)b.msgid;
		fake_reply(fd, b.msgid, &id, 1);
		id = (unsigned char)a.msgid;
		fake_reply(fd, a.msgid, &id, 1);
	}
}

TEST(answers_find_their_tickets_in_any_order)
{
	struct fake_rowd *f = fake_start(script_swap, NULL);
	struct rowd *c = connect_to(f);
	uint64_t tickets[4], got;
	struct rowd_result *r;
	struct rowd_error err;
	int64_t n;
	int i;

	assert_int_equal(rowd_receive_next(c, 0, &got, NULL, &err), ROWD_E_BAD_REQUEST);
	for (i = 0; i < 4; i++)
		assert_int_equal(rowd_send(c, "x", NULL, &tickets[i], NULL), ROWD_OK);
	assert_int_equal(rowd_pending(c), 4);
	assert_true(rowd_unsent(c) > 0);
	assert_int_equal(rowd_receive(c, tickets[0], ROWD_TIMEOUT_DEFAULT, &r, NULL), ROWD_OK);
	assert_true(rowd_item_int(rowd_result_item(r), &n));
	assert_int_equal(n, tickets[0]);
	rowd_result_free(r);
	assert_int_equal(rowd_receive_next(c, ROWD_TIMEOUT_DEFAULT, &got, NULL, NULL), ROWD_OK);
	assert_int_equal(got, tickets[1]);
	assert_int_equal(rowd_receive(c, tickets[3], ROWD_TIMEOUT_DEFAULT, &r, NULL), ROWD_OK);
	assert_true(rowd_item_int(rowd_result_item(r), &n));
	assert_int_equal(n, tickets[3]);
	rowd_result_free(r);
	assert_int_equal(rowd_pending(c), 1);
	assert_int_equal(rowd_receive(c, 999, 0, NULL, &err), ROWD_E_BAD_REQUEST);
	rowd_close(c);
	fake_stop(f);
}

TEST(a_receive_that_times_out_can_be_done_again)
{
	struct fake_rowd *f = fake_start(script_swap, NULL);
	struct rowd *c = connect_to(f);
	uint64_t a, b, got;
	struct rowd_error err;

	assert_int_equal(rowd_send(c, "x", NULL, &a, NULL), ROWD_OK);
	assert_int_equal(rowd_receive(c, a, 10, NULL, &err), ROWD_E_TIMEOUT);
	assert_true(err.local && err.retry);
	assert_int_equal(rowd_receive_next(c, 0, &got, NULL, &err), ROWD_E_TIMEOUT);
	assert_int_equal(got, 0);
	assert_int_equal(rowd_send(c, "x", NULL, &b, NULL), ROWD_OK);
	assert_int_equal(rowd_receive(c, a, ROWD_TIMEOUT_NONE, NULL, &err), ROWD_OK);
	rowd_close(c);
	fake_stop(f);
}

/* Answers with 2 KiB each, and only reads again when that is written: a client that does not read
 * while it sends would never come to an end. */
static void script_talkative(int fd, int n, void *arg)
{
	static char body[2048];
	struct fake_request r;

	(void)n, (void)arg;
	memcpy(body, "\xda\x07\xfd", 3);
	if (!fake_hello(fd))
		return;
	while (fake_read(fd, &r))
		fake_reply(fd, r.msgid, body, sizeof(body));
}

TEST(sending_much_never_waits_for_a_daemon_that_waits_for_us)
{
	struct fake_rowd *f = fake_start(script_talkative, NULL);
	struct rowd *c = connect_to(f);
	struct rowd_error err;
	int i;

	for (i = 0; i < 1024; i++)
		assert_int_equal(rowd_send(c, "x", rowd_array(large_text(600)), NULL, &err), ROWD_OK);
	assert_int_equal(rowd_send(c, "x", NULL, NULL, &err), ROWD_E_LIMIT);
	assert_int_equal(err.limit, 1024);
	assert_int_equal(err.outcome, ROWD_NOT_APPLIED);
	for (i = 0; i < 1024; i++)
		assert_int_equal(rowd_receive_next(c, ROWD_TIMEOUT_DEFAULT, NULL, NULL, &err), ROWD_OK);
	assert_int_equal(rowd_flush(c, ROWD_TIMEOUT_DEFAULT, &err), ROWD_OK);
	rowd_close(c);
	fake_stop(f);
}

TEST(what_was_pending_is_told_before_the_connection_is_made_again)
{
	struct fake_rowd *f = fake_start(script_swallow, NULL);
	struct rowd *c = connect_to(f);
	struct rowd_error err;
	uint64_t a, b, got;

	assert_int_equal(rowd_send(c, "insert", NULL, &a, NULL), ROWD_OK);
	assert_int_equal(rowd_send(c, "count", NULL, &b, NULL), ROWD_OK);
	assert_int_equal(rowd_receive_next(c, ROWD_TIMEOUT_DEFAULT, &got, NULL, &err), ROWD_E_COMMIT_UNKNOWN);
	assert_int_equal(got, a);
	assert_int_equal(insert_one(c, &err), ROWD_E_UNAVAILABLE);
	assert_int_equal(err.outcome, ROWD_NOT_APPLIED);
	assert_int_equal(rowd_receive(c, b, ROWD_TIMEOUT_DEFAULT, NULL, &err), ROWD_E_UNAVAILABLE);
	assert_int_equal(insert_one(c, &err), ROWD_OK);
	rowd_close(c);
	fake_stop(f);
}

TEST(an_event_loop_can_wait_for_answers)
{
	struct fake_rowd *f = fake_start(script_true, NULL);
	struct rowd *c = connect_to(f);
	struct rowd_error err;
	struct pollfd p = { .events = POLLIN };
	uint64_t ticket, got = 0;

	assert_int_equal(rowd_send(c, "x", NULL, &ticket, NULL), ROWD_OK);
	assert_int_equal(rowd_flush(c, 0, &err), ROWD_OK);
	p.fd = rowd_fd(c);
	while (got != ticket) {
		assert_int_equal(poll(&p, 1, 5000), 1);
		if (rowd_receive_next(c, 0, &got, NULL, &err))
			assert_int_equal(err.code, ROWD_E_TIMEOUT);
	}
	rowd_close(c);
	fake_stop(f);
}

/* ---- cancelling ---- */

struct cancel_world {
	pthread_mutex_t lock;
	int slow_fd;
	uint32_t slow_id;
	char cancel_params[128];
};

static void script_cancel(int fd, int n, void *arg)
{
	struct cancel_world *w = arg;
	struct fake_request r;

	(void)n;
	if (!fake_hello(fd))
		return;
	while (fake_read(fd, &r)) {
		pthread_mutex_lock(&w->lock);
		if (strcmp(r.method, "cancel") == 0) {
			snprintf(w->cancel_params, sizeof(w->cancel_params), "%.120s", r.params);
			fake_error(w->slow_fd, w->slow_id, 102, "cancelled", "not_applied", false);
			FAKE_REPLY(fd, r.msgid, "\xc3");
		} else {
			w->slow_fd = fd;
			w->slow_id = r.msgid;
		}
		pthread_mutex_unlock(&w->lock);
	}
}

static void *cancel_later(void *arg)
{
	struct rowd *c = arg;
	bool cancelled = false;

	while (!cancelled) {
		nap_ms(10);
		if (rowd_cancel(c, 0, &cancelled, NULL))
			break;
	}
	return NULL;
}

TEST(another_thread_cancels_a_call)
{
	struct cancel_world w = { .lock = PTHREAD_MUTEX_INITIALIZER };
	struct fake_rowd *f = fake_start(script_cancel, &w);
	struct rowd *c = connect_to(f);
	struct rowd_error err;
	bool cancelled = true;
	pthread_t thread;

	assert_int_equal(rowd_cancel(c, 0, &cancelled, &err), ROWD_OK);
	assert_false(cancelled);
	assert_int_equal(pthread_create(&thread, NULL, cancel_later, c), 0);
	assert_int_equal(insert_one(c, &err), ROWD_E_CANCELLED);
	pthread_join(thread, NULL);
	rowd_close(c);
	fake_stop(f);
	assert_string_equal(w.cancel_params, "[2, {\"session\"=>7}]");
}

/* ---- streams ---- */

enum stream_end { STREAM_GOOD, STREAM_ERROR, STREAM_CUT, STREAM_WIDE, STREAM_ENDLESS, STREAM_OTHER_COLUMNS };

static void write_batch(int fd, uint32_t msgid, unsigned char from)
{
	const unsigned char batch[] = { 0x93,
					2,
					0xa4,
					'r',
					'o',
					'w',
					's',
					0x92,
					(unsigned char)msgid,
					0x92,
					0x92,
					from,
					0xa1,
					'a',
					0x92,
					(unsigned char)(from + 1),
					0xc0 };

	fake_write(fd, batch, sizeof(batch));
}

/* describe, then a stream of three batches, or what arg says. */
static void script_stream(int fd, int n, void *arg)
{
	enum stream_end end = *(enum stream_end *)arg;
	struct fake_request r;
	unsigned char from;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint32_t id = 0;

	(void)n;
	if (!fake_hello(fd))
		return;
	while (fake_read(fd, &r)) {
		if (r.notification && end == STREAM_WIDE)
			fake_error(fd, id, 102, "cancelled", "not_applied", false);
		if (r.notification)
			continue;
		id = r.msgid;
		if (strcmp(r.method, "describe") == 0) {
			FAKE_REPLY(fd, r.msgid,
				   "\x81\xa7"
				   "columns\x92\x81\xa4name\xa2id\x81\xa4name\xa4text");
			continue;
		}
		if (strcmp(r.method, "select") != 0) {
			FAKE_REPLY(fd, r.msgid, "\xc3");
			continue;
		}
		for (from = 0; from < 6; from += 2)
			write_batch(fd, r.msgid, from);
		if (end == STREAM_ENDLESS) {
			while (poll(&p, 1, 0) == 0)
				write_batch(fd, r.msgid, 1);
			fake_error(fd, r.msgid, 102, "cancelled", "not_applied", false);
		} else if (end == STREAM_ERROR) {
			fake_error(fd, r.msgid, 101, "timeout", "not_applied", false);
		} else if (end == STREAM_CUT) {
			return;
		} else if (end == STREAM_WIDE) {
			fake_write(fd,
				   (const unsigned char[]){ 0x93, 2, 0xa4, 'r', 'o', 'w', 's', 0x92,
							    (unsigned char)r.msgid, 0x91, 0x91, 1 },
				   12);
		} else if (end == STREAM_OTHER_COLUMNS) {
			FAKE_REPLY(fd, r.msgid,
				   "\x82\xa7"
				   "columns\x92\xa2id\xa3new\xa5"
				   "count\x06");
		} else {
			FAKE_REPLY(fd, r.msgid,
				   "\x82\xa7"
				   "columns\x92\xa2id\xa4text\xa5"
				   "count\x06");
		}
	}
}

/* Rows seen until the end or an error. */
static enum rowd_code stream_all(struct rowd *c, struct rowd_value *options, int64_t *rows,
				 struct rowd_error *err)
{
	const struct rowd_result *batch;
	struct rowd_stream *s;
	enum rowd_code rc;
	int64_t id;
	size_t i;

	*rows = 0;
	rc = rowd_stream_open(c, "t", options, &s, err);
	if (rc)
		return rc;
	while ((rc = rowd_stream_next(s, &batch, err)) == ROWD_OK && batch) {
		for (i = 0; i < rowd_result_rows(batch); i++) {
			assert_true(rowd_row_int(rowd_result_row(batch, i), "id", &id));
			assert_int_equal(id, (*rows)++);
		}
		assert_string_equal(rowd_result_column(batch, 1), "text");
		assert_int_equal(rowd_ping(c, NULL), ROWD_E_BAD_REQUEST);
	}
	if (rc)
		assert_int_equal(rowd_stream_next(s, &batch, NULL), rc);
	else
		assert_int_equal(rowd_stream_next(s, &batch, NULL), ROWD_OK);
	rowd_stream_close(s);
	return rc;
}

TEST(a_stream_gives_every_row_or_an_error)
{
	static const enum rowd_code due[] = { ROWD_OK, ROWD_E_TIMEOUT, ROWD_E_UNAVAILABLE, ROWD_E_INTERNAL };
	struct rowd_error err;
	enum stream_end end;
	int64_t rows;

	for (end = STREAM_GOOD; end <= STREAM_WIDE; end++) {
		struct fake_rowd *f = fake_start(script_stream, &end);
		struct rowd *c = connect_to(f);

		assert_int_equal(stream_all(c, NULL, &rows, &err), due[end]);
		assert_int_equal(rows, 6);
		assert_int_equal(rowd_ping(c, NULL), ROWD_OK);
		rowd_close(c);
		fake_stop(f);
	}
}

TEST(a_stream_whose_columns_change_is_an_error)
{
	enum stream_end end = STREAM_OTHER_COLUMNS;
	struct fake_rowd *f = fake_start(script_stream, &end);
	struct rowd *c = connect_to(f);
	struct rowd_error err;
	int64_t rows;

	assert_int_equal(stream_all(c, NULL, &rows, &err), ROWD_E_SCHEMA_MISMATCH);
	rowd_close(c);
	fake_stop(f);
}

TEST(a_stream_with_columns_asks_nothing_before)
{
	enum stream_end end = STREAM_GOOD;
	struct fake_rowd *f = fake_start(script_stream, &end);
	struct rowd *c = connect_to(f);
	struct rowd_error err;
	int64_t rows;

	assert_int_equal(stream_all(c, rowd_map("columns", rowd_strs("id", "text")), &rows, &err), ROWD_OK);
	assert_int_equal(rows, 6);
	rowd_close(c);
	fake_stop(f);
}

TEST(a_stream_can_be_left_early)
{
	enum stream_end end = STREAM_ENDLESS;
	struct fake_rowd *f = fake_start(script_stream, &end);
	struct rowd *c = connect_to(f);
	const struct rowd_result *batch;
	struct rowd_stream *s;
	struct rowd_error err;

	assert_int_equal(rowd_stream_open(c, "t", NULL, &s, &err), ROWD_OK);
	assert_int_equal(rowd_stream_next(s, &batch, &err), ROWD_OK);
	assert_non_null(batch);
	rowd_stream_close(s);
	assert_true(rowd_fd(c) >= 0);
	assert_int_equal(rowd_ping(c, NULL), ROWD_OK);
	rowd_close(c);
	fake_stop(f);
}

/* ---- mistakes of the caller ---- */

TEST(a_mistake_in_a_value_sends_nothing)
{
	struct fake_rowd *f = fake_start(script_swallow, NULL); /* would hang up at the first request */
	struct rowd *c = connect_to(f);
	struct rowd_error err;
	struct rowd_value *none = NULL;

	assert_int_equal(rowd_delete_where(c, "t", NULL, NULL, NULL, NULL, &err), ROWD_E_EMPTY_FILTER);
	assert_int_equal(rowd_update_where(c, "t", NULL, rowd_map("a", rowd_int(1)), NULL, NULL, NULL, &err),
			 ROWD_E_EMPTY_FILTER);
	assert_int_equal(rowd_delete_where(c, "t",
					   rowd_and(rowd_gt("a", rowd_int(1)), none, rowd_is_null("b")), NULL,
					   NULL, NULL, &err),
			 ROWD_E_BAD_REQUEST);
	assert_int_equal(rowd_delete(c, "t", NULL, NULL, &err), ROWD_E_BAD_REQUEST);
	assert_int_equal(rowd_delete(c, NULL, rowd_int(1), NULL, &err), ROWD_E_BAD_REQUEST);
	assert_int_equal(rowd_update(c, "t", rowd_int(1), NULL, NULL, &err), ROWD_E_BAD_REQUEST);
	assert_int_equal(rowd_call(c, NULL, NULL, NULL, NULL, &err), ROWD_E_BAD_REQUEST);
	assert_int_equal(rowd_send(c, "x", rowd_str(NULL), NULL, &err), ROWD_E_BAD_REQUEST);
	assert_true(err.local);
	assert_int_equal(err.outcome, ROWD_NOT_APPLIED);
	assert_true(rowd_fd(c) >= 0);
	assert_int_equal(rowd_pending(c), 0);
	rowd_close(c);
	fake_stop(f);
}
