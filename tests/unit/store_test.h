/* store_test.h - what the tests of the store share: a temporary directory, a store in it, papers
 * and readers in one line each. Include after cmocka.h. */
#ifndef DIGEST_STORE_TEST_H
#define DIGEST_STORE_TEST_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "digest/arena.h"
#include "digest/store_care.h"

enum {
	T_DAY_S = 86400,
	T_TODAY = 20000, /* the day on which tests run */
	T_NOW = T_TODAY * T_DAY_S + 12 * 3600,
};

struct fixture {
	char dir[64], path[128];
	struct store *store;
	struct arena a;
	int64_t nboots;
	struct error err;
};

#define must(fx, call)                                                               \
	do {                                                                         \
		if ((call) == -1)                                                    \
			fail_msg("line %d: %s: %s", __LINE__, #call, (fx)->err.msg); \
	} while (0)

static inline int
fixture_setup(void **state)
{
	struct fixture *fx = calloc(1, sizeof(*fx));

	if (fx == NULL)
		return -1;
	snprintf(fx->dir, sizeof(fx->dir), "/tmp/digest-store-XXXXXX");
	if (mkdtemp(fx->dir) == NULL)
		return -1;
	snprintf(fx->path, sizeof(fx->path), "%s/store.db", fx->dir);
	arena_init(&fx->a, (size_t)1 << 30);
	if (store_open(fx->path, STORE_WRITE, NULL, &fx->store, &fx->err) == -1) {
		fprintf(stderr, "%s\n", fx->err.msg);
		return -1;
	}
	*state = fx;
	return 0;
}

/* A folder without folders. */
static inline void
remove_folder(const char *name)
{
	DIR *dir = opendir(name);
	char path[512];

	for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
		snprintf(path, sizeof(path), "%s/%s", name, e->d_name);
		unlink(path);
	}
	if (dir != NULL)
		closedir(dir);
	rmdir(name);
}

static inline int
fixture_teardown(void **state)
{
	struct fixture *fx = *state;

	store_close(fx->store);
	arena_release(&fx->a);
	remove_folder(fx->dir);
	free(fx);
	return 0;
}

static inline void
reopen(struct fixture *fx, enum store_mode mode)
{
	store_close(fx->store);
	fx->store = NULL;
	must(fx, store_open(fx->path, mode, NULL, &fx->store, &fx->err));
}

/* "arxiv:<name>" listed on a day; the rest as a plain paper has it. */
static inline struct paper *
make_paper(struct fixture *fx, const char *name, int32_t day)
{
	struct paper *p = paper_new(&fx->a);

	assert_non_null(p);
	p->key = arena_printf(&fx->a, "arxiv:%s", name);
	p->title = arena_printf(&fx->a, "Title of %s", name);
	p->abstract = "Some abstract.";
	p->listed_day = day;
	p->version = 1;
	return p;
}

static inline struct store_put_counts
put_papers(struct fixture *fx, const char *source, struct paper *const *papers, size_t n,
    int64_t settle_s, int64_t now_utc)
{
	struct store_put_counts counts;

	must(fx, store_begin(fx->store, &fx->err));
	must(fx,
	    store_put_papers(
		fx->store, source, source, papers, n, settle_s, now_utc, &counts, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	return counts;
}

static inline struct store_put_counts
put_one(struct fixture *fx, const char *source, struct paper *p, int64_t now_utc)
{
	return put_papers(fx, source, &p, 1, 0, now_utc);
}

/* How many records went; replies are kept as long as signals. */
static inline size_t
prune(struct fixture *fx, int64_t now_utc, int64_t keep_papers_s, int64_t keep_signals_s)
{
	const struct store_keep keep = { keep_papers_s, keep_signals_s, keep_signals_s };
	size_t n[PRUNED_KINDS], sum = 0;

	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_prune(fx->store, now_utc, &keep, n, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	for (size_t i = 0; i < PRUNED_KINDS; i++)
		sum += n[i];
	return sum;
}

static inline size_t
settle(struct fixture *fx, int64_t now_utc)
{
	size_t n;

	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_settle_listings(fx->store, now_utc, &n, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	return n;
}

static inline struct paper *
find(struct fixture *fx, const char *key)
{
	struct paper *p = NULL;
	int found = store_find_paper(fx->store, key, &fx->a, &p, &fx->err);

	if (found != 1)
		fail_msg("%s: found %d, %s", key, found, fx->err.msg);
	return p;
}

static inline size_t
load_window(struct fixture *fx, int64_t since_utc, int64_t now_utc, struct paper ***out)
{
	size_t n;

	must(fx, store_load_window(fx->store, since_utc, now_utc, &fx->a, out, &n, &fx->err));
	return n;
}

static inline struct subscriber
make_reader(const char *address)
{
	static struct filter filters[] = {
		{ .name = "mine",
		    .match = "\"gaussian splatting\" OR nerf",
		    .when = "",
		    .file = "" },
		{ .name = "popular",
		    .match = "*",
		    .sort = SORT_TRENDING,
		    .limit = 5,
		    .when = "",
		    .file = "" },
	};

	return (struct subscriber){ .address = address,
		.canonical = address,
		.name = "Ada",
		.timezone = "Europe/London",
		.when = "daily 07:30",
		.language = "en",
		.was = "",
		.limit = 10,
		.max_papers = 25,
		.outside = 3,
		.origin = ORIGIN_FILE,
		.file = "digest.conf",
		.line = 12,
		.filters = filters,
		.nfilters = 2 };
}

/* One pass over the given readers of the file. */
static inline struct store_sync_counts
sync_readers(struct fixture *fx, const struct subscriber *readers, size_t n, bool accept_removals,
    int64_t now_utc)
{
	struct store_sync_counts counts;

	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_sync_begin(fx->store, "/etc/digest/digest.conf", now_utc, &fx->err));
	for (size_t i = 0; i < n; i++)
		must(fx, store_sync_reader(fx->store, &readers[i], true, &fx->err));
	must(fx, store_sync_end(fx->store, accept_removals, &counts, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	return counts;
}

static inline struct store_reader *
find_reader(struct fixture *fx, const char *canonical)
{
	struct store_reader *r = NULL;
	int found = store_find_reader(fx->store, canonical, &fx->a, &r, &fx->err);

	if (found == -1)
		fail_msg("%s: %s", canonical, fx->err.msg);
	return found == 1 ? r : NULL;
}

#endif
