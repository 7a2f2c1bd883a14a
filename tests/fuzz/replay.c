/*
 * Gives a fuzz target the files named, or without any those of its corpus:
 * $ROWD_SRCDIR/tests/fuzz/corpus/NAME for the program fuzz_NAME. Writes TAP.
 */
#include "config.h"

#include "tests/fuzz/fuzz.h"

#include <glob.h>
#include <string.h>

static void replay(const char *path)
{
	enum { MOST_BYTES = 1 << 20 };
	uint8_t *data = malloc(MOST_BYTES), *exact;
	FILE *in = fopen(path, "rb");
	size_t len;

	if (!in || !data) {
		perror(path);
		exit(1);
	}
	len = fread(data, 1, MOST_BYTES, in);
	fclose(in);
	exact = malloc(len ? len : 1); /* a sanitizer then sees a byte too far */
	if (!exact)
		abort();
	memcpy(exact, data, len);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
	free(data);
	printf("# %s\n", path);
}

int main(int argc, char **argv)
{
	const char *srcdir = getenv("ROWD_SRCDIR"), *name = strstr(argv[0], "fuzz_");
	char pattern[4096];
	glob_t found;

	for (int i = 1; i < argc; i++)
		replay(argv[i]);
	if (argc > 1)
		return 0;
	for (const char *next = name; next; next = strstr(next + 1, "fuzz_"))
		name = next;
	snprintf(pattern, sizeof(pattern), "%s/tests/fuzz/corpus/%s/*", srcdir ? srcdir : ".",
		 name ? name + 5 : "");
	printf("1..1\n");
	if (glob(pattern, 0, NULL, &found) != 0) {
		printf("not ok 1 - no files %s\n", pattern);
		return 1;
	}
	for (size_t i = 0; i < found.gl_pathc; i++)
		replay(found.gl_pathv[i]);
	printf("ok 1 - %zu files of the corpus\n", found.gl_pathc);
	globfree(&found);
	return 0;
}
