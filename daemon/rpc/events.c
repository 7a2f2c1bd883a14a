/*
 * What happens in a loop, told to the sessions it concerns: see run/loop.h for the steps of a turn.
 */
#include "config.h"

#include <unistd.h>

#include "daemon/audit.h"
#include "daemon/rpc/errand.h"

static void on_drain(struct loop *l, bool at_once)
{
	struct conn *c, *next;

	l->draining = true;
	for (c = l->conns; c; c = next) {
		next = c->next;
		if (at_once)
			session_abandon(c->session);
		else
			session_drain(c->session);
	}
}

static void on_message(struct loop *l, struct message *m)
{
	if (errand_message(l, m))
		return;
	switch (m->kind) {
	case MESSAGE_ROWS:
		session_rows(m->job->session, m->job, &m->rows);
		break;
	case MESSAGE_PROGRESS:
		session_progress(m->job->session, m->job, &m->rows);
		break;
	case MESSAGE_CLIENT:
		if (!l->draining) {
			session_accept(l, m->fd);
			break;
		}
		close(m->fd);
		atomic_fetch_sub(&l->server->nclients, 1);
		break;
	case MESSAGE_DRAIN:
		on_drain(l, m->any_uid);
		break;
	default:
		break;
	}
}

static void on_finished(struct loop *l, struct job *job)
{
	(void)l;
	session_job_done(job->session, job);
}

static void on_turn(struct loop *l)
{
	struct conn *c;

	l->read_ended_ns = 0;
	l->served = 0;
	audit_write(&l->audit);         /* of those whose client is gone */
	while (l->ready || l->dirty) {
		while ((c = l->ready)) {
			l->ready = c->ready_next;
			c->is_ready = false;
			l->served++;
			session_turn(c->session);
		}
		loop_wake_lanes(l);
		loop_keep_snapshots(l);
		audit_write(&l->audit);
		while ((c = l->dirty)) {
			l->dirty = c->dirty_next;
			c->is_dirty = false;
			l->served++;
			conn_flush(c);
			session_flushed(c->session);
		}
	}
	loop_wake_lanes(l);
}

static bool on_drained(struct loop *l)
{
	return l->nconns == 0 && l->nsessions == 0;
}

const struct loop_events session_events = { on_message, on_finished, on_turn, on_drained };
