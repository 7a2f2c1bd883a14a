/*
 * A request on its way: made by the loop that received it, carried out by a worker, answered by
 * the same loop. It has one owner at a time, whoever holds it in a queue; only `cancelled` and the
 * members of `stream` are shared while it runs.
 */
#ifndef ROWD_RUN_JOB_H
#define ROWD_RUN_JOB_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "daemon/exec/exec.h"
#include "proto/op.h"
#include "proto/rpc.h"

struct loop;
struct session;
struct database;
struct lane;
struct tx;
struct worker;

enum job_place {
	JOB_WAITING,    /* in its session's line */
	JOB_QUEUED,     /* in a lane, not yet begun */
	JOB_RUNNING,    /* with a worker */
	JOB_FOLLOWING,  /* with the keeper, until a purge is over */
	JOB_RETURNING,  /* on its way back to its loop */
	JOB_DONE        /* back, or never sent: its session may answer it */
};

/* Batches of a streamed select between a worker and the loop. */
struct job_stream {
	pthread_mutex_t lock;
	pthread_cond_t taken;
	unsigned pending;           /* batches handed over and not yet taken by the client */
	bool gone;                  /* nobody will take any more */
};

/* What other threads have to say to a loop, beside that a job is over. */
enum message_kind {
	MESSAGE_ROWS,         /* job: borrowed, it goes on; rows: an encoded array */
	MESSAGE_PROGRESS,     /* likewise; rows: an encoded map */
	MESSAGE_CLIENT,       /* fd: a connection to serve, taken over */
	MESSAGE_CANCEL,       /* asks the loop that serves `session` to stop its request msgid */
	MESSAGE_KILL,         /* asks it to end `session` */
	MESSAGE_SESSIONS,     /* goes from loop to loop, each adds its sessions to rows, count of them */
	MESSAGE_RELOAD,       /* asks the main thread to read the config again */
	MESSAGE_ANSWER,       /* brings an answer home, to `asker`: rows is its result, or err says why not */
	MESSAGE_DRAIN         /* finish what is in flight, then leave */
};

struct message {
	struct message *next;
	enum message_kind kind;
	struct job *job;
	struct buf rows;
	int fd;
	uint64_t session, asker;
	struct loop *asker_loop;
	uint32_t msgid, asker_msgid;
	uid_t uid;                  /* of the asker */
	bool any_uid;
	uint32_t count;
	struct err err;
};

/* What rowd itself has done on a connection, in place of a request. */
typedef enum rowd_code job_work_fn(struct exec *x, void *arg, struct err *err);

/* Who waits for a job of rowd's own. */
struct job_waiter {
	pthread_mutex_t lock;
	pthread_cond_t done;
	bool is_done;
};

struct job {
	struct job *next;           /* in the one queue that holds it */
	struct job *line_next;      /* in its session's line; for the loop's eyes only */
	struct loop *loop;          /* borrowed; where the answer goes */
	struct session *session;    /* borrowed; for the loop's eyes only */
	const struct op *op;        /* NULL: the request named none; err says so */
	uint32_t msgid;
	enum rpc_errors errors;     /* how the client reads errors */
	const struct caller *caller;/* borrowed from the session, which outlives its jobs */
	struct database *database;
	struct lane *lane;          /* once submitted */
	struct worker *worker;      /* once running */
	struct tx *tx;              /* the session's transaction when it was submitted, or NULL */
	bool tx_ended;              /* the session has to let go of tx */
	bool silent;                /* nobody waits for the answer */
	job_work_fn *work;          /* NULL: params say what is to be done */
	void *work_arg;
	struct job_waiter *waiter;  /* borrowed; where a job goes that no loop has sent */
	int64_t follow;             /* answer when this purge is over; 0: now */
	_Atomic(enum job_place) place;  /* written under lane->lock once submitted */
	bool alone;                 /* together with others it did not go well */
	bool grouped;               /* others may be carried out along with it; for the loop's eyes only */
	atomic_bool cancelled;
	int64_t arrived_ns, deadline_ns;
	enum rowd_code code;
	struct err err;             /* when code is not ROWD_OK */
	struct buf out;             /* the whole answer, encoded */
	struct job_stream *stream;  /* owned; NULL unless the select streams */
	bool spare;                 /* its memory is the loop's */
	size_t params_len;
	char params[];              /* the encoded params array */
};

enum { JOB_SPARE_BYTES = sizeof(struct job) + 256 };  /* with the params of most requests */

/*
 * A job with its own copy of params; NULL when memory runs out. loop: where its answer goes; the loop's spare memory
 * is used, and job_free is for its thread. NULL: nowhere.
 */
struct job *job_new(struct loop *loop, const char *params, size_t params_len, size_t max_reply_bytes);
void job_free(struct job *job);

/* Answer with an error: code, err and the encoded frame are set, whatever was there is dropped. */
void job_fail(struct job *job, const struct err *err);
void job_failf(struct job *job, enum rowd_code code, const char *fmt, ...) ROWD_PRINTF(3, 4);

/* Answer `true`. */
void job_answer_true(struct job *job);

/* ---- queues: first in, first out ---- */

struct job_queue {
	struct job *head, **tail;
	unsigned count;
};

void job_queue_init(struct job_queue *q);
void job_queue_push(struct job_queue *q, struct job *job);
struct job *job_queue_pop(struct job_queue *q);                    /* NULL when empty */
bool job_queue_remove(struct job_queue *q, struct job *job);       /* false when it is not there */
void job_queue_append(struct job_queue *q, struct job_queue *from); /* from is empty afterwards */

/* ---- streams ---- */

struct job_stream *job_stream_new(void);
/* Worker: one more batch is on its way; waits while the client has too many to take.
 * False when nobody takes any more. */
bool job_stream_wait(struct job_stream *s);
/* Loop: the client took what there was. */
void job_stream_taken(struct job_stream *s);
/* Loop: nobody takes any more; a waiting worker goes on at once. */
void job_stream_gone(struct job_stream *s);

#endif
