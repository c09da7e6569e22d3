/* thread.h - a thread that no signal is given to: each must reach the thread that looks for it. */
#ifndef DIGEST_THREAD_H
#define DIGEST_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Begin work(arg) in a thread of its own, for pthread_join(); false when the system gives none. */
bool	thread_start(pthread_t *out, void *(*work)(void *arg), void *arg);

#endif
