/*
 * A session: one client's line of requests. They take effect and are answered in the order in
 * which they came; only what ops.def places PAST the line overtakes it.
 *
 * Thread: its loop's.
 */
#ifndef ROWD_RPC_SESSION_H
#define ROWD_RPC_SESSION_H

#include "daemon/net/conn.h"
#include "daemon/run/job.h"
#include "daemon/run/tx.h"
#include "daemon/server.h"

enum { SESSION_CLIENT_BYTES = 64 };

struct session {
	uint64_t id;                    /* id % nloops is its loop's index */
	struct loop *loop;              /* borrowed */
	struct conn *conn;              /* owned; NULL when the client is gone */
	struct caller caller;
	struct database *database;      /* chosen by use(); borrowed */
	enum rpc_errors errors;
	char client[SESSION_CLIENT_BYTES];  /* as hello said, cut; "" before */
	struct tx *tx;                  /* owned; NULL outside of a transaction */
	struct job *line, **line_tail;  /* not yet answered, by age; those begun are at the front */
	struct job *waiting;            /* the oldest in line that was not begun; NULL: all were */
	unsigned nline;
	uint32_t line_msgid_most;       /* none of the line has a higher one */
	unsigned slow_reads;            /* so many reads go to a reader without trying in line first */
	struct job *streaming;          /* borrowed from the line: its batches are being sent */
	bool closing;                   /* no more requests: close when all is answered */
	uint64_t requests;
};

/* A client has connected: fd is taken over. */
void session_accept(struct loop *l, int fd);

/* Step 2 of a turn: look at what came, begin what can be begun, close what is over. */
void session_turn(struct session *s);

/* The connection's answers were written as far as they could be. s may be gone afterwards. */
void session_flushed(struct session *s);

/* A job of s came back. s may be gone afterwards. */
void session_job_done(struct session *s, struct job *job);

/* A batch of a streamed select came from its worker. */
void session_rows(struct session *s, struct job *job, const struct buf *rows);

/* How far a followed purge has come. */
void session_progress(struct session *s, struct job *job, const struct buf *progress);

/* Is a request of that id in flight? If so it is told to stop. */
bool session_cancel(struct session *s, uint32_t msgid);

/* {session, uid, gid, pid, client, database, requests, in_flight, transaction}: a line of sessions(). */
void session_write(const struct session *s, struct buf *b);

/* By id, among those of l; NULL when there is none. */
struct session *session_find(struct loop *l, uint64_t id);

/* The loop is going down: what has arrived is carried out and answered, no more is read. */
void session_drain(struct session *s);

/* The client goes now, whatever is in flight is cancelled. s may be gone afterwards. */
void session_abandon(struct session *s);

/* The events of a loop, for loop_new. events.c */
extern const struct loop_events session_events;

#endif
