#include "digest/pool.h"
#include "digest/limits.h"
#include "digest/thread.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

struct worker {
	struct pool *pool;
	size_t number;
	pthread_t thread;
};

struct pool {
	struct worker workers[MAX_POOL_THREADS]; /* the first is the caller */
	size_t nworkers;
	pthread_mutex_t lock; /* of all below but next */
	pthread_cond_t start, done;
	unsigned round; /* grows with each pool_start() */
	size_t nbusy;	/* threads that have not finished it */
	bool stop;
	void (*work)(void *arg, size_t item, size_t worker);
	void *arg;
	size_t n;
	atomic_size_t next;
};

size_t
pool_processors(void)
{
	cpu_set_t set;
	int n = 1;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		n = CPU_COUNT(&set);
	return n < 1 ? 1 : n > MAX_POOL_THREADS ? MAX_POOL_THREADS : (size_t)n;
}

static void
take_items(struct pool *p, size_t worker)
{
	size_t item;

	while ((item = atomic_fetch_add(&p->next, 1)) < p->n)
		p->work(p->arg, item, worker);
}

static void *
live(void *arg)
{
	struct worker *w = arg;
	struct pool *p = w->pool;
	unsigned seen = 0;

	pthread_mutex_lock(&p->lock);
	for (;;) {
		while (!p->stop && p->round == seen)
			pthread_cond_wait(&p->start, &p->lock);
		if (p->stop)
			break;
		seen = p->round;
		pthread_mutex_unlock(&p->lock);
		take_items(p, w->number);
		pthread_mutex_lock(&p->lock);
		if (--p->nbusy == 0)
			pthread_cond_signal(&p->done);
	}
	pthread_mutex_unlock(&p->lock);
	return NULL;
}

static void
start_threads(struct pool *p, size_t nthreads)
{
	for (; p->nworkers < nthreads; p->nworkers++) {
		struct worker *w = &p->workers[p->nworkers];

		*w = (struct worker){ .pool = p, .number = p->nworkers };
		if (!thread_start(&w->thread, live, w))
			break;
	}
}

int
pool_new(size_t nthreads, struct pool **out, struct error *err)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return err_nomem(err, "threads");
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->start, NULL);
	pthread_cond_init(&p->done, NULL);
	p->nworkers = 1;
	start_threads(p, nthreads < MAX_POOL_THREADS ? nthreads : MAX_POOL_THREADS);
	*out = p;
	return 0;
}

void
pool_free(struct pool *p)
{
	if (p == NULL)
		return;
	pthread_mutex_lock(&p->lock);
	p->stop = true;
	pthread_cond_broadcast(&p->start);
	pthread_mutex_unlock(&p->lock);
	for (size_t i = 1; i < p->nworkers; i++)
		pthread_join(p->workers[i].thread, NULL);
	pthread_cond_destroy(&p->done);
	pthread_cond_destroy(&p->start);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

size_t
pool_size(const struct pool *p)
{
	return p->nworkers;
}

void
pool_start(struct pool *p, size_t n, void (*work)(void *arg, size_t item, size_t worker), void *arg)
{
	pthread_mutex_lock(&p->lock);
	p->work = work;
	p->arg = arg;
	p->n = n;
	atomic_store(&p->next, 0);
	p->nbusy = p->nworkers - 1;
	p->round++;
	pthread_cond_broadcast(&p->start);
	pthread_mutex_unlock(&p->lock);
}

bool
pool_is_done(struct pool *p)
{
	bool done;

	pthread_mutex_lock(&p->lock);
	done = p->nbusy == 0 && atomic_load(&p->next) >= p->n;
	pthread_mutex_unlock(&p->lock);
	return done;
}

void
pool_join(struct pool *p)
{
	take_items(p, 0);
	pthread_mutex_lock(&p->lock);
	while (p->nbusy > 0)
		pthread_cond_wait(&p->done, &p->lock);
	pthread_mutex_unlock(&p->lock);
}
