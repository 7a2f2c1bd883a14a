/*
 * SHA-256 (FIPS 180-4): a digest that nobody can make two things share.
 *
 * Pure. Thread: any.
 */
#ifndef ROWD_BASE_SHA256_H
#define ROWD_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_BYTES = 32, SHA256_BLOCK_BYTES = 64 };

struct sha256 {
	uint32_t state[8];
	uint64_t len;                            /* bytes so far */
	unsigned char block[SHA256_BLOCK_BYTES]; /* the len % 64 of them not yet mixed in */
};

void sha256_init(struct sha256 *h);
void sha256_add(struct sha256 *h, const void *data, size_t len);

/* The digest of all that was added; h is spent. */
void sha256_end(struct sha256 *h, unsigned char out[SHA256_BYTES]);

#endif
