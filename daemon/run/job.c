#include "config.h"

#include "daemon/run/job.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "daemon/run/loop.h"
#include "proto/value.h"

enum {
	STREAM_BATCHES_AHEAD = 2,      /* batches a worker may be ahead of the client */
	REPLY_ENVELOPE_BYTES = 4096    /* room for the head of an answer, or a whole error */
};

struct job *job_new(struct loop *loop, const char *params, size_t params_len, size_t max_reply_bytes)
{
	bool spare = loop && sizeof(struct job) + params_len <= JOB_SPARE_BYTES;
	struct job *job = spare ? spares_take(&loop->jobs) : malloc(sizeof(*job) + params_len);

	if (!job)
		return NULL;
	memset(job, 0, sizeof(*job));
	buf_init(&job->out, max_reply_bytes + REPLY_ENVELOPE_BYTES);
	job->loop = loop;
	job->spare = spare;
	if (loop)
		buf_borrow(&job->out, &loop->small);
	job->params_len = params_len;
	if (params_len)
		memcpy(job->params, params, params_len);
	job->arrived_ns = clock_ns();
	return job;
}

static void stream_free(struct job_stream *s)
{
	if (!s)
		return;
	pthread_cond_destroy(&s->taken);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

void job_free(struct job *job)
{
	if (!job)
		return;
	stream_free(job->stream);
	if (job->loop)
		buf_return(&job->out, &job->loop->small);
	else
		buf_fini(&job->out);
	if (job->spare)
		spares_give(&job->loop->jobs, job);
	else
		free(job);
}

void job_fail(struct job *job, const struct err *err)
{
	job->code = err->code;
	if (err != &job->err)
		job->err = *err;
	buf_clear(&job->out);
	rpc_write_error(&job->out, job->msgid, &job->err, job->errors);
}

void job_failf(struct job *job, enum rowd_code code, const char *fmt, ...)
{
	char text[ERR_TEXT_BYTES];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err_init(&job->err);
	err_set(&job->err, code, "%s", text);
	job_fail(job, &job->err);
}

void job_answer_true(struct job *job)
{
	job->code = ROWD_OK;
	buf_clear(&job->out);
	rpc_write_result_head(&job->out, job->msgid);
	wire_bool(&job->out, true);
}

void job_queue_init(struct job_queue *q)
{
	q->head = NULL;
	q->tail = &q->head;
	q->count = 0;
}

void job_queue_push(struct job_queue *q, struct job *job)
{
	job->next = NULL;
	*q->tail = job;
	q->tail = &job->next;
	q->count++;
}

struct job *job_queue_pop(struct job_queue *q)
{
	struct job *job = q->head;

	if (!job)
		return NULL;
	q->head = job->next;
	if (!q->head)
		q->tail = &q->head;
	job->next = NULL;
	q->count--;
	return job;
}

bool job_queue_remove(struct job_queue *q, struct job *job)
{
	struct job **at;

	for (at = &q->head; *at; at = &(*at)->next) {
		if (*at != job)
			continue;
		*at = job->next;
		if (!*at)
			q->tail = at;
		job->next = NULL;
		q->count--;
		return true;
	}
	return false;
}

void job_queue_append(struct job_queue *q, struct job_queue *from)
{
	if (!from->head)
		return;
	*q->tail = from->head;
	q->tail = from->tail;
	q->count += from->count;
	job_queue_init(from);
}

struct job_stream *job_stream_new(void)
{
	struct job_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->taken, NULL);
	return s;
}

bool job_stream_wait(struct job_stream *s)
{
	bool alive;

	pthread_mutex_lock(&s->lock);
	while (s->pending >= STREAM_BATCHES_AHEAD && !s->gone)
		pthread_cond_wait(&s->taken, &s->lock);
	alive = !s->gone;
	if (alive)
		s->pending++;
	pthread_mutex_unlock(&s->lock);
	return alive;
}

void job_stream_taken(struct job_stream *s)
{
	pthread_mutex_lock(&s->lock);
	s->pending = 0;
	pthread_cond_signal(&s->taken);
	pthread_mutex_unlock(&s->lock);
}

void job_stream_gone(struct job_stream *s)
{
	pthread_mutex_lock(&s->lock);
	s->gone = true;
	pthread_cond_signal(&s->taken);
	pthread_mutex_unlock(&s->lock);
}
