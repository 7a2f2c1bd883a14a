/* What threads wait on. Thread: any. */
#ifndef ROWD_BASE_THREAD_H
#define ROWD_BASE_THREAD_H

#include <pthread.h>
#include <time.h>

/* A condition whose pthread_cond_timedwait() takes times of clock_ns(). Once initialised, as any other. */
static inline void cond_init_monotonic(pthread_cond_t *cond)
{
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(cond, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

#endif
