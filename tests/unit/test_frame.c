#include "config.h"

#include "proto/frame.h"

#include "tests/unit/unit.h"

#define LIT(s) (s), sizeof(s) - 1

static enum frame_status scan_with(const char *data, size_t len, size_t max_bytes, unsigned nesting,
				   uint64_t values, struct frame *f)
{
	frame_init(f, max_bytes, nesting, values);
	return frame_scan(f, data, len);
}

static enum frame_status scan(const char *data, size_t len, struct frame *f)
{
	return scan_with(data, len, 1000000, 18, 1000, f);
}

/* One of everything, and of every width. */
static const char everything[] =
	"\xdc\x00\x22"
	"\x05\xe0\xc0\xc2\xc3"
	"\xcc\x80\xcd\x01\x00\xce\x00\x01\x00\x00\xcf\x01\x02\x03\x04\x05\x06\x07\x08"
	"\xd0\x80\xd1\x80\x00\xd2\x80\x00\x00\x00\xd3\x80\x00\x00\x00\x00\x00\x00\x00"
	"\xca\x00\x00\x00\x00\xcb\x00\x00\x00\x00\x00\x00\x00\x00"
	"\xa3"
	"abc\xd9\x01x\xda\x00\x02xy\xdb\x00\x00\x00\x01z"
	"\xc4\x01\xc1\xc5\x00\x01\xc1\xc6\x00\x00\x00\x00"
	"\xd4\x01\xc1\xd5\x01\xc1\xc1\xd6\x01\xc1\xc1\xc1\xc1"
	"\xd8\x01\xc1\xc1\xc1\xc1\xc1\xc1\xc1\xc1\xc1\xc1\xc1\xc1\xc1\xc1\xc1\xc1"
	"\xd7\xff\xc1\xc1\xc1\xc1\xc1\xc1\xc1\xc1"
	"\xc7\x02\x01\xc1\xc1\xc8\x00\x01\x01\xc1\xc9\x00\x00\x00\x00\x01"
	"\x90\xdd\x00\x00\x00\x01\x80\xdf\x00\x00\x00\x01\xa1k\xde\x00\x00\x91\x82\xa1x\x01\xa1y\x90";

TEST(frame_of_every_format_is_done_at_its_end)
{
	struct frame f;

	assert_int_equal(scan(LIT(everything), &f), FRAME_DONE);
	assert_int_equal(f.scanned, sizeof(everything) - 1);
	assert_int_equal(f.elements, 34);
	assert_int_equal(f.seen, 34);
	assert_int_equal(f.offset[0], 3);
	assert_int_equal(f.offset[3], 6);
	assert_int_equal(f.due, 0);
	assert_int_equal(f.depth, 0);
}

TEST(frame_split_anywhere_is_the_same_frame)
{
	size_t len = sizeof(everything) - 1;

	for (size_t cut = 0; cut < len; cut++) {
		struct frame f;

		assert_int_equal(scan(everything, cut, &f), FRAME_MORE);
		assert_int_equal(frame_scan(&f, everything, len), FRAME_DONE);
		assert_int_equal(f.scanned, len);
		assert_int_equal(f.seen, 34);
	}
}

TEST(frame_byte_by_byte_is_the_same_frame)
{
	size_t len = sizeof(everything) - 1;
	struct frame f;

	frame_init(&f, 1000, 18, 1000);
	for (size_t n = 0; n < len; n++)
		assert_int_equal(frame_scan(&f, everything, n), FRAME_MORE);
	assert_int_equal(frame_scan(&f, everything, len), FRAME_DONE);
	assert_int_equal(frame_scan(&f, everything, len), FRAME_DONE);
}

TEST(frame_of_another_follows_after_reset)
{
	static const char two[] = "\x93\x02\xa1x\x90\x94\x00\x07\xa4ping\x90";
	struct frame f;

	assert_int_equal(scan(LIT(two), &f), FRAME_DONE);
	assert_int_equal(f.scanned, 5);
	frame_reset(&f);
	assert_int_equal(frame_scan(&f, two + 5, sizeof(two) - 1 - 5), FRAME_DONE);
	assert_int_equal(f.scanned, 9);
	assert_int_equal(f.elements, 4);
	assert_int_equal(f.offset[3], 8);
}

TEST(frame_that_is_no_array_is_garbage)
{
	for (int c = 0; c < 256; c++) {
		char byte = (char)c;
		bool array = (c & 0xf0) == 0x90 || c == 0xdc || c == 0xdd;
		struct frame f;

		assert_int_equal(scan(&byte, 1, &f), c == 0x90 ? FRAME_DONE
						     : array   ? FRAME_MORE
							       : FRAME_GARBAGE);
	}
}

TEST(frame_with_the_byte_that_means_nothing_is_garbage)
{
	struct frame f;

	assert_int_equal(scan(LIT("\x94\x00\x07\xc1"), &f), FRAME_GARBAGE);
	assert_int_equal(scan(LIT("\x91\x91\xc1"), &f), FRAME_GARBAGE);
}

TEST(frame_empty_array_is_whole)
{
	struct frame f;

	assert_int_equal(scan("", 0, &f), FRAME_MORE);
	assert_int_equal(scan(LIT("\x90"), &f), FRAME_DONE);
	assert_int_equal(scan(LIT("\xdd\x00\x00\x00"), &f), FRAME_MORE);
	assert_int_equal(scan(LIT("\xdd\x00\x00\x00\x00"), &f), FRAME_DONE);
	assert_int_equal(f.scanned, 5);
}

TEST(frame_announcing_too_many_values_is_refused_at_once)
{
	struct frame f;

	assert_int_equal(scan(LIT("\xdd\xff\xff\xff\xff"), &f), FRAME_TOO_MANY);
	assert_int_equal(scan(LIT("\x94\x00\x07\xa1x\xdd\xff\xff\xff\xff"), &f), FRAME_TOO_MANY);
	assert_int_equal(scan(LIT("\x94\x00\x07\xa1x\xdf\xff\xff\xff\xff"), &f), FRAME_TOO_MANY);
	assert_int_equal(f.seen, 4);
	/* 4 of the envelope and 996 more are the 1,000 allowed */
	assert_int_equal(scan(LIT("\x94\x00\x07\xa1x\xdc\x03\xe4"), &f), FRAME_MORE);
	assert_int_equal(scan(LIT("\x94\x00\x07\xa1x\xdc\x03\xe5"), &f), FRAME_TOO_MANY);
	/* map keys do not count */
	assert_int_equal(scan(LIT("\x94\x00\x07\xa1x\xde\x03\xe4"), &f), FRAME_MORE);
	assert_int_equal(scan(LIT("\x94\x00\x07\xa1x\xde\x03\xe5"), &f), FRAME_TOO_MANY);
}

TEST(frame_container_has_a_limit_below_that_of_all_values)
{
	struct frame f;

	frame_init(&f, 100000, 18, 1064);
	f.max_count = 1000;
	assert_int_equal(frame_scan(&f, LIT("\x94\x00\x07\xa1x\x91\xdc\x03\xe8")), FRAME_MORE);
	frame_reset(&f);
	assert_int_equal(frame_scan(&f, LIT("\x94\x00\x07\xa1x\x91\xdc\x03\xe9")), FRAME_TOO_MANY);
	frame_reset(&f);
	assert_int_equal(frame_scan(&f, LIT("\x94\x00\x07\xa1x\x91\xde\x03\xe9")), FRAME_TOO_MANY);
}

TEST(frame_announcing_too_many_bytes_is_refused_at_once)
{
	struct frame f;

	assert_int_equal(scan_with(LIT("\x91\xdb\xff\xff\xff\xff"), 1000, 18, 1000, &f), FRAME_TOO_LONG);
	assert_int_equal(scan_with(LIT("\x91\xc6\xff\xff\xff\xff"), 1000, 18, 1000, &f), FRAME_TOO_LONG);
	assert_int_equal(scan_with(LIT("\x91\xc9\xff\xff\xff\xff"), 1000, 18, 1000, &f), FRAME_TOO_LONG);
	assert_int_equal(scan_with(LIT("\x91\xdb\xff\xff\xff\xff"), SIZE_MAX, 18, 1000, &f), FRAME_MORE);
	/* 11 bytes at the very least: a head, and ten elements */
	assert_int_equal(scan_with(LIT("\x9a"), 11, 18, 1000, &f), FRAME_MORE);
	assert_int_equal(scan_with(LIT("\x9a"), 10, 18, 1000, &f), FRAME_TOO_LONG);
	/* a map of 2 pairs is 4 elements */
	assert_int_equal(scan_with(LIT("\x91\x82"), 6, 18, 1000, &f), FRAME_MORE);
	assert_int_equal(scan_with(LIT("\x91\x82"), 5, 18, 1000, &f), FRAME_TOO_LONG);
	assert_int_equal(scan_with(LIT("\x92\xd9\x05"), 9, 18, 1000, &f), FRAME_MORE);
	assert_int_equal(scan_with(LIT("\x92\xd9\x05"), 8, 18, 1000, &f), FRAME_TOO_LONG);
}

TEST(frame_exactly_at_the_limit_of_bytes_is_done)
{
	struct frame f;
	size_t len = sizeof(everything) - 1;

	assert_int_equal(scan_with(LIT(everything), len, 18, 1000, &f), FRAME_DONE);
	assert_int_equal(scan_with(LIT(everything), len - 1, 18, 1000, &f), FRAME_TOO_LONG);
}

TEST(frame_nested_too_deep_is_refused)
{
	char nest[FRAME_MAX_NESTING + 2];
	struct frame f;

	memset(nest, '\x91', sizeof(nest));
	for (unsigned most = 1; most <= FRAME_MAX_NESTING; most++) {
		nest[most - 1] = '\x90';
		assert_int_equal(scan_with(nest, most, 1000, most, 1000, &f), FRAME_DONE);
		nest[most - 1] = '\x91';
		nest[most] = '\x90';
		assert_int_equal(scan_with(nest, most + 1, 1000, most, 1000, &f), FRAME_TOO_DEEP);
		nest[most] = '\x80';
		assert_int_equal(scan_with(nest, most + 1, 1000, most, 1000, &f), FRAME_TOO_DEEP);
		nest[most] = '\x01';
		assert_int_equal(scan_with(nest, most + 1, 1000, most, 1000, &f), FRAME_DONE);
		nest[most] = '\x91';
	}
}

TEST(frame_body_not_yet_there_is_waited_for)
{
	struct frame f;

	assert_int_equal(scan(LIT("\x91\xa5"
				  "ab"),
			      &f),
			 FRAME_MORE);
	assert_int_equal(f.scanned, 7);
	assert_int_equal(frame_scan(&f, LIT("\x91\xa5"
					    "abcd")),
			 FRAME_MORE);
	assert_int_equal(frame_scan(&f, LIT("\x91\xa5"
					    "abcde\x90")),
			 FRAME_DONE);
	assert_int_equal(f.scanned, 7);
}

/* A map's key may be anything to the scanner; a request's is looked at later. */
TEST(frame_counts_containers_as_map_keys)
{
	struct frame f;

	assert_int_equal(scan(LIT("\x91\x81\x92\x01\x02\x80"), &f), FRAME_DONE);
	assert_int_equal(f.values, 1 + 1 + 2);
}
