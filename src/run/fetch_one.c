#include "stages.h"
#include "digest/limits.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum { MAX_QUEUE_WAIT_MS = 60 * 1000, MAX_AGE_S = 3600 };

/* A type that can be asked for this paper, and the source of the configuration that says how, else one by default. */
static int
plan_request(struct run *run, const char *key, struct arena *a, const struct source_type **type,
    struct config_source *source, struct source_request *request, struct error *err)
{
	for (size_t i = 0; (*type = source_type_at(i)) != NULL; i++) {
		int can;

		if ((*type)->ask_paper == NULL)
			continue;
		*source = (struct config_source){ .name = (*type)->name,
			.type = (*type)->name,
			.url = "",
			.request_gap_s = -1,
			.timeout_s = -1 };
		for (size_t k = run->cfg->nsources; k-- > 0;)
			if (strcmp(run->cfg->sources[k].type, (*type)->name) == 0)
				*source = run->cfg->sources[k];
		if ((can = (*type)->ask_paper(source, key, a, request, err)) != 0)
			return can;
	}
	return 0;
}

/* The place of this request in the queue of the service, as of any other. */
static int
wait_turn(struct run *run, const struct source_type *type, const struct config_source *source,
    const char *cache, struct error *err)
{
	int64_t gap_ms =
	    source->request_gap_s >= 0 ? source->request_gap_s * 1000 : type->request_gap_ms;
	int64_t now_ms = clock_now_ms(&run->clock), at_ms;
	struct store *store = run->store;
	struct timespec span;
	int rc;

	at_ms = cache_next_request(cache, type->service, now_ms, gap_ms);
	if (store_begin(store, err) == -1)
		return -1;
	rc = store_reserve_request(store, type->service, at_ms, gap_ms, &at_ms, err);
	if (store_end(store, rc, false, err) == -1)
		return -1;
	if (at_ms - now_ms > MAX_QUEUE_WAIT_MS)
		return err_set(
		    err, ERR_NET, "%s wants to be left alone for now; try later", type->service);
	cache_note_request(cache, type->service, at_ms);
	if (at_ms <= now_ms)
		return 0;
	span = (struct timespec){ (at_ms - now_ms) / 1000, (at_ms - now_ms) % 1000 * 1000000 };
	while (nanosleep(&span, &span) == -1 && errno == EINTR)
		if (run->stop != NULL && *run->stop != 0)
			return err_set(err, ERR_TEMP, "interrupted");
	return 0;
}

/* Whether an answer's paper is the one that was asked for: what says another name is not believed. */
static bool
is_asked(const struct paper *p, const char *key)
{
	bool is = strcmp(p->key, key) == 0;

	for (size_t i = 0; i < p->naliases && !is; i++)
		is = strcmp(p->aliases[i], key) == 0;
	return is;
}

/* 0 = an answer, 1 = there is none and that is no fault, -1. An answer of this hour is not asked for again. */
static int
ask(struct run *run, const struct source_type *type, const struct config_source *source,
    const struct source_request *request, const char *cache, struct http_answer *answer,
    struct error *err)
{
	int64_t now_utc = clock_now_utc(&run->clock);
	struct http_options options;
	struct http *http;
	int rc;

	if (cache_load(cache, request->url, now_utc, MAX_AGE_S, answer) == 1)
		return 0;
	if (wait_turn(run, type, source, cache, err) == -1)
		return -1;
	fetch_http_options(run->cfg, &options);
	if (source->timeout_s > 0)
		options.timeout_s = source->timeout_s;
	if (http_new(&options, &http, err) == -1)
		return -1;
	rc = http_get(http, request->url, "", "", answer, err);
	http_free(http);
	if (rc == 0 && answer->status == 200)
		cache_save(cache, request->url, now_utc, answer);
	if (rc == -1 || answer->status == 200)
		return rc;
	rc = type->status(request, answer->status, answer->body.buf, answer->body.len, err);
	return rc == -1 ? -1 : 1;
}

static int
read_answer(const struct source_type *type, const struct config_source *source,
    const struct source_request *request, const struct http_answer *http, const char *key,
    int64_t now_utc, struct arena *a, struct paper **out, struct error *err)
{
	struct source_answer answer = { http->body.buf, http->body.len, http->url,
		http->content_type, http->next };
	struct source_batch batch = { 0 };

	if (type->read(source, request, &answer, now_utc, a, &batch, err) == -1)
		return -1;
	for (size_t i = 0; i < batch.npapers; i++)
		if (is_asked(batch.papers[i], key)) {
			*out = batch.papers[i];
			return 1;
		}
	return 0;
}

int
run_fetch_paper(
    struct run *run, const char *text, struct arena *a, struct paper **out, struct error *err)
{
	const struct source_type *type;
	struct config_source source;
	struct source_request request;
	struct http_answer answer;
	struct strbuf key, cache;
	int rc = 0;

	strbuf_init(&key, MAX_URL_BYTES);
	strbuf_init(&cache, MAX_URL_BYTES);
	http_answer_init(&answer, (size_t)run->cfg->fetch.max_body);
	cache_dir(&cache);
	if (paper_add_key(&key, text, NULL) == 1)
		rc = plan_request(run, key.buf, a, &type, &source, &request, err);
	if (rc == 1) {
		rc = ask(run, type, &source, &request, cache.buf, &answer, err);
		if (rc == 0)
			rc = read_answer(type, &source, &request, &answer, key.buf,
			    clock_now_utc(&run->clock), a, out, err);
		else if (rc == 1)
			rc = 0; /* the service has no such paper, and that is no fault */
	}
	http_answer_release(&answer);
	strbuf_release(&cache);
	strbuf_release(&key);
	return rc;
}

int
run_find_origins(struct run *run, const struct paper *p, struct arena *a, struct run_origin **out,
    struct error *err)
{
	const struct config *cfg = run->cfg;

	if ((*out = arena_array(a, cfg->nsources, sizeof(**out))) == NULL)
		return err_nomem(err, "sources");
	for (size_t i = 0; i < cfg->nsources; i++) {
		const struct config_source *s = &cfg->sources[i];
		const struct source_type *type = source_type_find(s->type, NULL);

		(*out)[i].source = s;
		(*out)[i].brings = type == NULL || type->brings == NULL ? ORIGIN_UNSURE
		    : type->brings(s, p)				? ORIGIN_BRINGS
									: ORIGIN_NEVER;
	}
	return 0;
}
