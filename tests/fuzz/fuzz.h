/*
 * A fuzz target: one function that takes any bytes and must return. libFuzzer calls it when the
 * tree is configured with --enable-fuzzers; else tests/fuzz/replay.c does, with files.
 */
#ifndef ROWD_TESTS_FUZZ_H
#define ROWD_TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* What must hold whatever the bytes are. Unlike assert() it is there in every build. */
#define MUST(condition) \
	do { \
		if (!(condition)) { \
			fprintf(stderr, "%s:%d: %s does not hold\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

#endif
