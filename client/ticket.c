#include "config.h"

#include "client/private.h"

#include <stdlib.h>
#include <strings.h>

#include "proto/op.h"

void ticket_list_init(struct ticket_list *l)
{
	l->first = NULL;
	l->end = &l->first;
}

void ticket_list_add(struct ticket_list *l, struct ticket *t)
{
	t->next = NULL;
	*l->end = t;
	l->end = &t->next;
}

struct ticket *ticket_list_remove(struct ticket_list *l, uint64_t number)
{
	struct ticket **at, *t;

	for (at = &l->first; (t = *at) != NULL; at = &t->next) {
		if (t->number != number)
			continue;
		*at = t->next;
		if (l->end == &t->next)
			l->end = at;
		t->next = NULL;
		return t;
	}
	return NULL;
}

void ticket_free(struct ticket *t)
{
	if (!t)
		return;
	free(t->frame);
	free(t->database);
	free(t);
}

void ticket_list_clear(struct ticket_list *l)
{
	struct ticket *t, *next;

	for (t = l->first; t; t = next) {
		next = t->next;
		ticket_free(t);
	}
	ticket_list_init(l);
}

/* ---- methods ---- */

static enum ticket_kind kind_of_op(enum op_id id, enum op_permission permission, enum op_place place,
				   unsigned flags)
{
	switch (id) {
	case OP_BEGIN:
		return TICKET_BEGIN;
	case OP_COMMIT:
		return TICKET_COMMIT;
	case OP_ROLLBACK:
		return TICKET_ROLLBACK;
	default:
		break;
	}
	if (flags & OPF_ID || place == PLACE_ALONE)
		return TICKET_WRITE;
	if (permission == PERM_ADMIN && id != OP_STATS)
		return TICKET_WRITE; /* some only look, but the outcome of those matters to nobody */
	if (place == PLACE_PAST || place == PLACE_LOOP || place == PLACE_READER || permission == PERM_READ)
		return TICKET_READ;
	return permission == PERM_SESSION ? TICKET_READ : TICKET_WRITE;
}

enum ticket_kind ticket_kind_of(const char *method)
{
	static const struct {
		const char *name; /* in capitals */
		enum op_id id;
		enum op_permission permission;
		enum op_place place;
		unsigned flags;
	} methods[] = {
#define OP(NAME, params, options, permission, place, flags, summary) \
	{ #NAME, OP_##NAME, PERM_##permission, PLACE_##place, flags },
#include "proto/ops.def"
#undef OP
	};
	size_t i;

	for (i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
		if (strcasecmp(methods[i].name, method) == 0)
			return kind_of_op(methods[i].id, methods[i].permission, methods[i].place,
					  methods[i].flags);
	}
	return TICKET_WRITE;
}
