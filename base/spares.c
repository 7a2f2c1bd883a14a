#include "config.h"

#include "base/spares.h"

#include <assert.h>
#include <stdlib.h>

void spares_init(struct spares *s, size_t block_bytes, unsigned most)
{
	assert(block_bytes >= sizeof(void *));
	*s = (struct spares){ .block_bytes = block_bytes, .most = most };
}

void spares_fini(struct spares *s)
{
	while (s->head) {
		void *block = s->head;

		s->head = *(void **)block;
		free(block);
	}
	s->count = 0;
}

void *spares_take(struct spares *s)
{
	void *block = s->head;

	if (!block)
		return malloc(s->block_bytes);
	s->head = *(void **)block;
	s->count--;
	return block;
}

void spares_give(struct spares *s, void *block)
{
	if (!block)
		return;
	if (s->count == s->most) {
		free(block);
		return;
	}
	*(void **)block = s->head;
	s->head = block;
	s->count++;
}
