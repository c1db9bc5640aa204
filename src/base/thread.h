/* Threads beside the main one, and waits of theirs that end at a time. */
#ifndef PNCP_THREAD_H
#define PNCP_THREAD_H

#include "base/base.h"

#include <pthread.h>
#include <time.h>

/* Start run(arg) with all signals blocked: they are the main thread's. 0, or what pthread_create says. */
MUST_CHECK int pncp_thread_start(pthread_t *ret_thread, void *(*run)(void *arg), void *arg);
/* On the monotonic clock, so that pthread_cond_timedwait takes a pncp_deadline. */
void pncp_cond_init(pthread_cond_t *cond);
struct timespec pncp_deadline(uint32_t ms); /* so many from now */

#endif
