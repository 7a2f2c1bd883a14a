/*
 * From a frame to a job, and from a job to where it runs: may this caller do this, and is it done
 * here, on the loop, or by a lane?
 *
 * Thread: the session's loop.
 */
#ifndef ROWD_RPC_DISPATCH_H
#define ROWD_RPC_DISPATCH_H

#include "daemon/rpc/session.h"

/* What became of a frame. */
enum dispatch_result {
	DISPATCH_DONE,      /* answered, or nothing to answer */
	DISPATCH_LINE,      /* *job_out joins the line */
	DISPATCH_CLOSE      /* no more frames; *job_out, if any, joins the line first */
};

/* Deal with one whole frame. */
enum dispatch_result dispatch_frame(struct session *s, const struct frame *f, const char *data,
				    struct job **job_out);

/* Deal with a frame that passed a limit or is no MessagePack; the result is DISPATCH_CLOSE. */
enum dispatch_result dispatch_bad_frame(struct session *s, enum frame_status status,
					const struct frame *f, const char *data, size_t len,
					struct job **job_out);

/*
 * Begin the job, whose turn in the line it is. True: it is answered already (job->out). False: it
 * is with a lane and comes back by session_job_done.
 */
bool dispatch_start(struct session *s, struct job *job);

/* May job be begun while earlier ones of the same line are still with their lane? Only writes that
 * queue behind each other in one grouping lane. */
bool dispatch_pipelines(struct session *s, const struct job *job);

#endif
