#include "config.h"

#include "base/sha256.h"

#include <stdio.h>

#include "tests/unit/unit.h"

static void is(const char *due, struct sha256 *h)
{
	unsigned char digest[SHA256_BYTES];
	char text[2 * SHA256_BYTES + 1];

	sha256_end(h, digest);
	for (int i = 0; i < SHA256_BYTES; i++)
		sprintf(text + 2 * (size_t)i, "%02x", digest[i]);
	assert_string_equal(text, due);
}

static void digest_is(const char *due, const char *text)
{
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, text, strlen(text));
	is(due, &h);
}

TEST(sha256_digests_the_examples_of_its_standard)
{
	struct sha256 h;

	digest_is("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "");
	digest_is("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "abc");
	digest_is("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
		  "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq");
	sha256_init(&h);
	for (int i = 0; i < 1000000; i++)
		sha256_add(&h, "a", 1);
	is("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0", &h);
}

TEST(sha256_does_not_care_in_which_pieces_it_gets_its_bytes)
{
	unsigned char bytes[300], whole[SHA256_BYTES], parts[SHA256_BYTES];
	struct sha256 h;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 7);
	for (size_t cut = 0; cut <= sizeof(bytes); cut++) {
		sha256_init(&h);
		sha256_add(&h, bytes, sizeof(bytes));
		sha256_end(&h, whole);
		sha256_init(&h);
		sha256_add(&h, bytes, cut);
		sha256_add(&h, bytes + cut, sizeof(bytes) - cut);
		sha256_end(&h, parts);
		assert_memory_equal(whole, parts, SHA256_BYTES);
	}
}
