#include "config.h"

#include "proto/rpc.h"

#include "tests/unit/unit.h"

#define LIT(s) (s), sizeof(s) - 1

static enum rowd_code read_frame(const char *data, size_t len, struct rpc *out, struct err *err)
{
	struct frame f;

	frame_init(&f, 1000000, 18, 100000);
	assert_int_equal(frame_scan(&f, data, len), FRAME_DONE);
	assert_int_equal(f.scanned, len);
	return rpc_read(&f, data, out, err);
}

static void assert_refused(const char *data, size_t len, bool has_msgid)
{
	struct rpc rpc;
	struct err err;

	assert_int_equal(read_frame(data, len, &rpc, &err), ROWD_E_BAD_REQUEST);
	assert_int_equal(err.code, ROWD_E_BAD_REQUEST);
	assert_true(err.text[0] != '\0');
	assert_int_equal(rpc.has_msgid, has_msgid);
	if (has_msgid)
		assert_int_equal(rpc.msgid, 7);
}

static void assert_request(const char *data, size_t len, uint32_t msgid)
{
	struct rpc rpc;
	struct err err;

	assert_int_equal(read_frame(data, len, &rpc, &err), ROWD_OK);
	assert_int_equal(rpc.type, RPC_REQUEST);
	assert_true(rpc.has_msgid);
	assert_int_equal(rpc.msgid, msgid);
	assert_int_equal(rpc.method_len, 4);
	assert_memory_equal(rpc.method, "ping", 4);
	assert_int_equal(rpc.params_len, 2);
	assert_memory_equal(rpc.params, "\x91\x05", 2);
}

TEST(rpc_requests_are_read_with_ints_and_strings_of_any_width)
{
	assert_request(LIT("\x94\x00\x00\xa4ping\x91\x05"), 0);
	assert_request(LIT("\x94\xcc\x00\x7f\xa4ping\x91\x05"), 127);
	assert_request(LIT("\x94\xd0\x00\xcc\x80\xd9\x04ping\x91\x05"), 128);
	assert_request(LIT("\x94\xd3\x00\x00\x00\x00\x00\x00\x00\x00\xcd\x01\x00\xda\x00\x04ping\x91\x05"),
		       256);
	assert_request(LIT("\xdc\x00\x04\x00\xce\xff\xff\xff\xff\xdb\x00\x00\x00\x04ping\x91\x05"),
		       UINT32_MAX);
	assert_request(
		LIT("\xdd\x00\x00\x00\x04\x00\xcf\x00\x00\x00\x00\xff\xff\xff\xff\xc4\x04ping\x91\x05"),
		UINT32_MAX);
	assert_request(LIT("\x94\x00\xd1\x01\x00\xc5\x00\x04ping\x91\x05"), 256);
	assert_request(LIT("\x94\x00\xd2\x00\x00\x01\x00\xc6\x00\x00\x00\x04ping\x91\x05"), 256);
}

TEST(rpc_notifications_are_read)
{
	struct rpc rpc;
	struct err err;

	/* what pynvim sends first: a method that is a bin */
	assert_int_equal(read_frame(LIT("\x93\x02\xc4\x03nvi\x90"), &rpc, &err), ROWD_OK);
	assert_int_equal(rpc.type, RPC_NOTIFICATION);
	assert_false(rpc.has_msgid);
	assert_int_equal(rpc.method_len, 3);
	assert_int_equal(rpc.params_len, 1);
}

TEST(rpc_that_is_no_request_is_refused)
{
	assert_refused(LIT("\x90"), false);
	assert_refused(LIT("\x91\x00"), false);
	assert_refused(LIT("\x94\x01\x07\xc0\xc0"), false); /* a response */
	assert_refused(LIT("\x94\x03\x07\xa1x\x90"), false);
	assert_refused(LIT("\x94\xff\x07\xa1x\x90"), false); /* type -1 */
	assert_refused(LIT("\x94\xd0\xff\x07\xa1x\x90"), false);
	assert_refused(LIT("\x94\xc0\x07\xa1x\x90"), false);
	assert_refused(LIT("\x94\xa1x\x07\xa1x\x90"), false);
	assert_refused(LIT("\x94\xca\x00\x00\x00\x00\x07\xa1x\x90"), false);
	assert_refused(LIT("\x94\x00\xff\xa1x\x90"), false); /* msgid -1 */
	assert_refused(LIT("\x94\x00\xd3\xff\xff\xff\xff\xff\xff\xff\xff\xa1x\x90"), false);
	assert_refused(LIT("\x94\x00\xcf\x00\x00\x00\x01\x00\x00\x00\x00\xa1x\x90"), false); /* 2^32 */
	assert_refused(LIT("\x94\x00\xc0\xa1x\x90"), false);
	assert_refused(LIT("\x94\x00\x90\xa1x\x90"), false);
}

TEST(rpc_with_a_msgid_can_be_answered_even_if_the_rest_is_bad)
{
	assert_refused(LIT("\x92\x00\x07"), true);
	assert_refused(LIT("\x93\x00\x07\xa1x"), true);
	assert_refused(LIT("\x95\x00\x07\xa1x\x90\x90"), true);
	assert_refused(LIT("\x94\x00\x07\xc0\x90"), true);
	assert_refused(LIT("\x94\x00\x07\x05\x90"), true);
	assert_refused(LIT("\x94\x00\x07\x90\x90"), true);
	assert_refused(LIT("\x94\x00\x07\xa1x\x80"), true);
	assert_refused(LIT("\x94\x00\x07\xa1x\xc0"), true);
}

TEST(rpc_notifications_of_another_shape_are_refused)
{
	assert_refused(LIT("\x92\x02\xa1x"), false);
	assert_refused(LIT("\x94\x02\xa1x\x90\x90"), false);
	assert_refused(LIT("\x93\x02\xa1x\x80"), false);
	assert_refused(LIT("\x93\x02\x05\x90"), false);
}

TEST(rpc_method_has_a_longest_length)
{
	char frame[5 + 101 + 1] = "\x94\x00\x07\xd9\x64";
	struct rpc rpc;
	struct err err;

	memset(frame + 5, 'x', 101);
	frame[5 + 100] = '\x90';
	assert_int_equal(read_frame(frame, 5 + 100 + 1, &rpc, &err), ROWD_OK);
	assert_int_equal(rpc.method_len, 100);
	frame[4] = 101;
	frame[5 + 100] = 'x';
	frame[5 + 101] = '\x90';
	assert_refused(frame, sizeof(frame), true);
}

static void assert_peek(const char *data, size_t len, int64_t msgid)
{
	struct frame f;
	uint32_t got = 0;

	frame_init(&f, 1000, 4, 100);
	(void)frame_scan(&f, data, len);
	assert_int_equal(rpc_peek_msgid(&f, data, len, &got), msgid >= 0);
	if (msgid >= 0)
		assert_int_equal(got, msgid);
}

TEST(rpc_msgid_is_seen_in_a_frame_that_was_refused_part_way)
{
	assert_peek(LIT("\x94\x00\x07\xa1x\xdd\xff\xff\xff\xff"), 7);
	assert_peek(LIT("\x94\x00\xcd\x01\x00\xa1x\x91\x91\x91\x91\x91"), 256);
	assert_peek(LIT("\x94\x00\x09\xdb\xff\xff\xff\xff"), 9);
	assert_peek(LIT("\x94\x00\x09\xc1"), 9);
	assert_peek(LIT("\x94\x00\x09"), 9);
	assert_peek(LIT("\xdd\xff\xff\xff\xff\x00\x09"), -1);
	assert_peek(LIT("\x94\x00"), -1);
	assert_peek(LIT("\x94\x00\xcd\x01"), -1);
	assert_peek(LIT("\x94\x00\xdd\xff\xff\xff\xff"), -1);
	assert_peek(LIT("\x93\x02\xa1x\xdd\xff\xff\xff\xff"), -1);
	assert_peek(LIT("\x93\x02\x07\xdd\xff\xff\xff\xff"), -1);
	assert_peek(LIT(""), -1);
	assert_peek(LIT("\xc0"), -1);
}

static void assert_bytes(const struct buf *b, const char *expected, size_t len)
{
	assert_false(b->failed);
	assert_int_equal(b->len, len);
	assert_memory_equal(b->data, expected, len);
}

TEST(rpc_heads_are_written_in_the_shortest_form)
{
	struct buf b;

	buf_init(&b, 1000);
	rpc_write_result_head(&b, 300);
	assert_bytes(&b, LIT("\x94\x01\xcd\x01\x2c\xc0"));
	buf_clear(&b);
	rpc_write_notification_head(&b, "rows");
	assert_bytes(&b, LIT("\x93\x02\xa4rows"));
	buf_fini(&b);
}

TEST(rpc_errors_are_written_in_three_shapes)
{
	struct buf b;
	struct err err;

	buf_init(&b, 1000);
	err_set(&err, ROWD_E_BUSY, "later");
	rpc_write_error(&b, 7, &err, RPC_ERRORS_ARRAY);
	assert_bytes(&b, LIT("\x94\x01\x07\x93\x64\xab"
			     "busy: later"
			     "\x83\xa4name\xa4"
			     "busy\xa7outcome\xabnot_applied\xa5retry\xc3\xc0"));
	buf_clear(&b);
	rpc_write_error(&b, 7, &err, RPC_ERRORS_PAIR);
	assert_bytes(&b, LIT("\x94\x01\x07\x92\x00\xab"
			     "busy: later\xc0"));
	buf_clear(&b);
	err_set(&err, ROWD_E_LIMIT, "x");
	rpc_write_error(&b, 7, &err, RPC_ERRORS_PAIR);
	assert_bytes(&b, LIT("\x94\x01\x07\x92\x01\xa8limit: x\xc0"));
	buf_clear(&b);
	rpc_write_error(&b, 7, &err, RPC_ERRORS_STRING);
	assert_bytes(&b, LIT("\x94\x01\x07\xa8limit: x\xc0"));
	buf_fini(&b);
}

TEST(rpc_error_details_come_in_a_fixed_order)
{
	struct buf b;
	struct err err;

	buf_init(&b, 1000);
	err_limit(&err, 5, "x");
	err_where(&err, "users", "age");
	err.index = 0;
	err.matched = 9;
	rpc_write_error(&b, 7, &err, RPC_ERRORS_ARRAY);
	assert_bytes(&b, LIT("\x94\x01\x07\x93\x08\xbflimit: x is over the limit of 5"
			     "\x88\xa4name\xa5limit\xa7outcome\xabnot_applied\xa5retry\xc2"
			     "\xa5table\xa5users\xa6"
			     "column\xa3"
			     "age\xa5limit\x05\xa5index\x00\xa7matched\x09\xc0"));
	buf_fini(&b);
}

TEST(rpc_error_of_unknown_outcome_is_not_to_be_retried)
{
	struct buf b;
	struct err err;

	buf_init(&b, 1000);
	err_set(&err, ROWD_E_UNAVAILABLE, "x");
	err_outcome(&err, ROWD_UNKNOWN);
	rpc_write_error(&b, 7, &err, RPC_ERRORS_ARRAY);
	assert_non_null(memmem(b.data, b.len, LIT("\xa7outcome\xa7unknown\xa5retry\xc2")));
	buf_fini(&b);
}

TEST(rpc_error_text_is_always_utf8)
{
	struct buf b;
	struct err err;

	buf_init(&b, 1000);
	err_set(&err, ROWD_E_UNKNOWN_TABLE, "no table \"\xff\xc3\xa9\"");
	err_where(&err, "\xff", NULL);
	rpc_write_error(&b, 7, &err, RPC_ERRORS_ARRAY);
	assert_non_null(memmem(b.data, b.len, LIT("unknown_table: no table \"???\"")));
	assert_non_null(memmem(b.data, b.len, LIT("\xa5table\xa1?")));
	buf_clear(&b);
	err_set(&err, ROWD_E_UNKNOWN_TABLE, "\xc3\xa9");
	rpc_write_error(&b, 7, &err, RPC_ERRORS_STRING);
	assert_bytes(&b, LIT("\x94\x01\x07\xb1unknown_table: \xc3\xa9\xc0"));
	buf_fini(&b);
}

TEST(rpc_error_without_a_sentence_says_what_the_code_means)
{
	struct buf b;
	struct err err;

	buf_init(&b, 1000);
	err_set(&err, ROWD_E_TX_NONE, "%s", "");
	rpc_write_error(&b, 7, &err, RPC_ERRORS_STRING);
	assert_non_null(memmem(b.data, b.len, LIT("tx_none: no transaction is open")));
	buf_fini(&b);
}
