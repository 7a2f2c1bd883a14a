/*
 * A client's connection: bytes in, frames out of them, answers out. It knows sockets and frames;
 * what a frame means is its session's business.
 *
 * Idle it holds no buffer: all connections of a loop share a few. Thread: its loop's.
 */
#ifndef ROWD_NET_CONN_H
#define ROWD_NET_CONN_H

#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/buf.h"
#include "daemon/run/loop.h"
#include "proto/frame.h"

struct session;

enum { CONN_STREAM_LOW_BYTES = 262144 };  /* a stream goes on when no more than this is unwritten */

struct conn {
	struct loop *loop;              /* borrowed */
	struct conn *next, **prev;      /* in loop->conns */
	struct conn *ready_next, *dirty_next;
	struct session *session;        /* owned by rpc/ */
	int fd;
	bool is_ready, is_dirty;
	bool paused;                    /* not reading: too much in flight */
	bool eof;                       /* the client sends no more */
	bool lingering;                 /* we send no more, and drop what still comes */
	bool gone;                      /* nobody is there any more: to be closed */
	bool writing;                   /* the write event is waiting */
	struct event readable;
	struct event *writable;         /* owned; NULL while no answer has had to wait */
	struct buf in;                  /* bytes received; starts at the frame being scanned */
	size_t in_used;                 /* bytes at its front that are done with */
	struct frame *frame;            /* owned; where a partial frame was left; NULL without one */
	int64_t frame_began_ns, linger_until_ns;
	struct buf out;                 /* answers not yet written */
};

/* Serve fd (taken over, non-blocking). NULL when memory runs out; fd is then closed. */
struct conn *conn_new(struct loop *l, int fd);

/* Close the socket and free the connection; the session must have let go of it. */
void conn_free(struct conn *c);

/* The next whole frame; FRAME_MORE: none yet. The bytes live until conn_frame_done or the next read. */
enum frame_status conn_frame(struct conn *c, const struct frame **frame, const char **data);
/* The frame was dealt with. */
void conn_frame_done(struct conn *c);
/* Bytes of a frame that failed its scan, for finding its msgid. */
const char *conn_bytes(const struct conn *c, size_t *len);

/* Around what may append to c->out: the room for most answers is at hand, and goes where it came from when there is
 * none. */
void conn_answers_begin(struct conn *c);
void conn_answers_end(struct conn *c);

/* Something was appended to c->out. It is written at the end of the turn. */
void conn_dirty(struct conn *c);
/* Write what can be written; marks c gone when the client is. */
void conn_flush(struct conn *c);

/* There may be frames to look at, or something ended: step 2 of the turn comes by. */
void conn_ready(struct conn *c);

/* Stop and go on reading. */
void conn_pause(struct conn *c);
void conn_resume(struct conn *c);
/*
 * All is said, but the client may be sending still, and would find a broken pipe in place of our last
 * answer: send no more, drop what comes, and be gone when it ends, or a moment later.
 */
void conn_linger(struct conn *c);
/* Read what is there without waiting, and then no more. */
void conn_drain(struct conn *c);

/* Has everything been written? */
static inline bool conn_flushed(const struct conn *c)
{
	return c->out.len == 0;
}

#endif
