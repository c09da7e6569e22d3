#include "stages.h"
#include "digest/file.h"
#include "digest/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	MAX_PAGES = 200, /* answers of one source in one run */
	FAULT_DAYS = 3,	 /* a source failing for longer is no longer only a warning */
	MAX_BACKOFF_S = 6 * 3600,
	DAY_SECONDS = 86400,
};

/* One source on its way through a run. */
struct fetcher {
	struct run *run;
	const struct config_source *cfg;
	const struct source_type *type;
	struct http *http;
	struct store_source *state;
	struct run_source_report *report;
	const char *cache; /* folder for the answers of previews, "" = none */
	struct store_page
	    first; /* of the planned request whose further answers are being read; key NULL = none */
	struct arena arena;   /* of the plan */
	struct arena scratch; /* of one answer's papers */
	int64_t now_utc;
	bool store_failed; /* then the run ends; any other failure is this source's own */
	bool
	    asked_service; /* the last answer came from the service itself, not from a file or the cache */
};

static int64_t
interval_of(const struct fetcher *f)
{
	return f->cfg->interval_s >= 0 ? f->cfg->interval_s : f->type->interval_s;
}

/* Bytes of one request, by file, cache or network. 1 = there are some, 0 = nothing new. */
static int
get_bytes(struct fetcher *f, const struct source_request *req, struct http_answer *answer,
    struct error *err)
{
	f->asked_service = false;
	if (req->path[0] != '\0') {
		answer->status = 200;
		return file_read(req->path, &answer->body, err) == 0 ? 1 : -1;
	}
	if (cache_load(f->cache, req->url, f->now_utc, interval_of(f), answer) == 0) {
		/* A mirror of one's own is not in need of the pause the service asks for. */
		f->asked_service = f->cfg->url[0] == '\0';
		if (http_get(f->http, req->url, req->etag, req->last_modified, answer, err) == -1)
			return -1;
		if (answer->status == 200)
			cache_save(f->cache, req->url, f->now_utc, answer);
	}
	if (answer->status == 304)
		return 0;
	if (answer->status != 200) {
		if (answer->retry_after_s > 0)
			f->state->next_allowed_utc = f->now_utc + answer->retry_after_s;
		return f->type->status(
			   req, answer->status, answer->body.buf, answer->body.len, err) == 1
		    ? 0
		    : -1;
	}
	return 1;
}

/* The page of a planned request is read whole when all that its answer asked for as well is read: were it remembered sooner,
 * the next run would be told that nothing is new and never ask for the rest. */
static int
save_pages(struct fetcher *f, const struct store_page *page, bool more, struct error *err)
{
	bool is_planned = f->first.key == NULL;

	if (more && is_planned) {
		f->first = (struct store_page){ arena_strdup(&f->arena, page->key),
			arena_strdup(&f->arena, page->etag),
			arena_strdup(&f->arena, page->last_modified), page->read_utc };
		return f->first.key == NULL || f->first.etag == NULL ||
			f->first.last_modified == NULL
		    ? err_nomem(err, "page")
		    : 0;
	}
	if (store_save_page(f->run->store, f->cfg->name, page, err) == -1)
		return -1;
	return more || is_planned ? 0
				  : store_save_page(f->run->store, f->cfg->name, &f->first, err);
}

/* Papers, the page and the day read, in one transaction: a kill leaves either all of an answer or nothing. */
static int
save_answer(struct fetcher *f, const struct source_request *req, const struct http_answer *answer,
    const struct source_batch *batch, struct error *err)
{
	int64_t settle_s = f->cfg->settle_s >= 0 ? f->cfg->settle_s : f->type->settle_s;
	const struct store_page page = { req->key, answer->etag, answer->last_modified,
		f->now_utc };
	struct store *store = f->run->store;
	struct store_put_counts counts = { 0 };
	int rc = 0;

	if (store_begin(store, err) == -1)
		return -1;
	if (batch->npapers > 0)
		rc = store_put_papers(store, f->cfg->name, f->type->name, batch->papers,
		    batch->npapers, settle_s, f->now_utc, &counts, err);
	if (rc == 0)
		rc = save_pages(f, &page, batch->more, err);
	f->report->nread += batch->npapers;
	f->report->nnew += counts.nnew;
	f->report->nchanged += counts.nchanged;
	return store_end(store, rc, false, err);
}

static void
tell_broken(const struct fetcher *f, const struct source_batch *batch)
{
	if (batch->nbroken > 0)
		log_warn(f->run->log, "source %s: %zu entries left out: %s", f->cfg->name,
		    batch->nbroken, batch->first_broken);
	if (batch->nreplaced > 0)
		log_info(f->run->log, "source %s: %zu invalid byte sequences became U+FFFD",
		    f->cfg->name, batch->nreplaced);
}

/* The request for a further page, out of the scratch of the answer that named it. */
static int
keep_request(struct fetcher *f, struct source_request *r, struct error *err)
{
	r->key = arena_strdup(&f->arena, r->key);
	r->url = arena_strdup(&f->arena, r->url);
	r->path = r->command = r->etag = r->last_modified = "";
	r->rest = arena_strdup(&f->arena, r->rest != NULL ? r->rest : "");
	return r->key == NULL || r->url == NULL || r->rest == NULL ? err_nomem(err, "next page")
								   : 0;
}

/* Read one answer and take in its papers. 1 = more is the next page, 0 = done. */
static int
take_answer(struct fetcher *f, struct source_request *req, struct http_answer *answer, bool is_new,
    struct source_request *more, struct error *err)
{
	const struct source_answer in = { answer->body.buf, answer->body.len, answer->url,
		answer->content_type, answer->next };
	struct source_batch batch = { 0 };

	if (is_new && f->type->read(f->cfg, req, &in, f->now_utc, &f->scratch, &batch, err) == -1)
		return -1;
	f->report->nanswers++;
	tell_broken(f, &batch);
	if (save_answer(f, req, answer, &batch, err) == -1) {
		f->store_failed = true;
		return -1;
	}
	if (!batch.more)
		return 0;
	*more = batch.next;
	return keep_request(f, more, err) == -1 ? -1 : 1;
}

/* One request: 1 = more is set to the next page, 0 = done, -1. */
static int
take_request(
    struct fetcher *f, struct source_request *req, struct source_request *more, struct error *err)
{
	struct http_answer answer;
	int rc;

	http_answer_init(&answer, (size_t)f->run->cfg->fetch.max_body);
	rc = get_bytes(f, req, &answer, err);
	if (rc != -1)
		rc = take_answer(f, req, &answer, rc == 1, more, err);
	http_answer_release(&answer);
	arena_reset(&f->scratch);
	return rc;
}

static void
wait_between(const struct fetcher *f)
{
	int64_t gap_ms = f->type->request_gap_ms;

	if (gap_ms > 0 && f->asked_service)
		usleep((useconds_t)(gap_ms * 1000));
}

/* A planned request and the further pages of its answer. */
static int
take_pages(struct fetcher *f, struct source_request *first, struct error *err)
{
	struct source_request *req = first, more = { 0 };
	int32_t today = (int32_t)(f->now_utc / DAY_SECONDS);

	f->first.key = NULL;
	for (unsigned i = 0; i < MAX_PAGES; i++) {
		struct source_request next = { 0 };
		int rc = take_request(f, req, &next, err);

		if (rc == -1)
			return -1;
		if (rc == 0) {
			if (first->day > f->state->cursor_day && first->day < today)
				f->state->cursor_day = first->day;
			return 0;
		}
		wait_between(f);
		more = next;
		req = &more;
	}
	return err_set(err, ERR_DATA, "more than %d pages", MAX_PAGES);
}

static int
take_all(struct fetcher *f, int32_t since_day, bool force, struct error *err)
{
	struct source_page *pages;
	struct source_progress progress = { f->state->cursor_day, NULL, f->state->npages };
	struct source_request *requests;
	size_t n;

	pages = arena_array(&f->arena, f->state->npages, sizeof(*pages));
	if (pages == NULL)
		return err_nomem(err, "pages");
	for (size_t i = 0; i < f->state->npages; i++) {
		const struct store_page *p = &f->state->pages[i];

		pages[i] = (struct source_page){ p->key, p->etag, p->last_modified, p->read_utc };
	}
	progress.pages = pages;
	if (f->type->plan(f->cfg, &progress, f->now_utc, since_day, force, &f->arena, &requests, &n,
		err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (f->run->ui.progress != NULL)
			f->run->ui.progress(f->run->ui.arg, f->cfg->name, i, n);
		if (i > 0)
			wait_between(f);
		if (take_pages(f, &requests[i], err) == -1)
			return -1;
	}
	if (n > 0 && f->run->ui.progress != NULL)
		f->run->ui.progress(f->run->ui.arg, f->cfg->name, n, n);
	return 0;
}

/* The back-off of a source that fails: 5, 10, 20 minutes ... six hours, or what the service asked for. */
static void
note_failure(struct fetcher *f, const struct error *err)
{
	struct store_source *s = f->state;
	int64_t wait = 300;

	for (uint32_t i = 0; i < s->nfailures && wait < MAX_BACKOFF_S; i++)
		wait *= 2;
	if (wait > MAX_BACKOFF_S)
		wait = MAX_BACKOFF_S;
	s->nfailures++;
	if (s->failing_since_utc == 0)
		s->failing_since_utc = f->now_utc;
	if (s->next_allowed_utc < f->now_utc + wait)
		s->next_allowed_utc = f->now_utc + wait;
	s->last_error = err->msg;
	f->report->failed = true;
	f->report->failing_since_utc = s->failing_since_utc;
	err_printable(f->report->message, sizeof(f->report->message), err->msg);
}

static void
note_success(struct fetcher *f)
{
	struct store_source *s = f->state;

	s->nfailures = 0;
	s->failing_since_utc = 0;
	s->next_allowed_utc = 0;
	s->last_success_utc = f->now_utc;
	s->last_error = "";
}

static int
save_state(struct fetcher *f, struct error *err)
{
	if (store_begin(f->run->store, err) == -1)
		return -1;
	return store_end(
	    f->run->store, store_save_source(f->run->store, f->state, err), false, err);
}

/* A twentieth early is due too: a cron job that starts a few seconds sooner than last time must not wait an hour. */
static bool
is_due(const struct fetcher *f)
{
	int64_t interval_s = interval_of(f);

	return f->now_utc >= f->state->next_allowed_utc &&
	    (f->state->last_try_utc == 0 || f->state->nfailures > 0 ||
		f->now_utc - f->state->last_try_utc >= interval_s - interval_s / 20);
}

/* One source from start to end. -1 only for what stops the run. */
static int
fetch_source(struct fetcher *f, const struct run_fetch_options *options, struct error *err)
{
	struct error fault = { 0 };

	if (store_load_source(f->run->store, f->cfg->name, &f->arena, &f->state, err) == -1)
		return -1;
	if (!options->force && options->since_day == 0 && !is_due(f))
		return 0;
	f->report->asked = true;
	f->state->last_try_utc = f->now_utc;
	if (take_all(f, options->since_day, options->force, &fault) == -1) {
		if (f->store_failed) {
			*err = fault;
			return -1;
		}
		note_failure(f, &fault);
		if (f->now_utc - f->state->failing_since_utc >= (int64_t)FAULT_DAYS * DAY_SECONDS)
			log_error(f->run->log, "source %s: %s; failing for %d days or more",
			    f->cfg->name, fault.msg, FAULT_DAYS);
		else
			log_warn(f->run->log, "source %s: %s", f->cfg->name, fault.msg);
	} else {
		note_success(f);
	}
	return save_state(f, err);
}

static bool
is_named(const struct run_fetch_options *options, const char *name)
{
	for (size_t i = 0; i < options->nnames; i++)
		if (strcmp(options->names[i], name) == 0)
			return true;
	return options->nnames == 0;
}

static int
check_names(const struct config *cfg, const struct run_fetch_options *options, struct error *err)
{
	for (size_t i = 0; i < options->nnames; i++) {
		bool known = false;

		for (size_t j = 0; j < cfg->nsources; j++)
			known |= strcmp(cfg->sources[j].name, options->names[i]) == 0;
		if (!known)
			return err_set(err, ERR_USAGE, "no source is called '%s' in %s",
			    options->names[i], cfg->path);
	}
	return 0;
}

static int
fetch_each(struct run *run, struct http *http, const struct run_fetch_options *options,
    const char *cache, struct run_report *report, struct error *err)
{
	size_t nasked = 0, nfailed = 0;
	int rc = 0;

	for (size_t i = 0; i < run->cfg->nsources && rc == 0; i++) {
		const struct config_source *cfg = &run->cfg->sources[i];
		struct fetcher f = { .run = run, .cfg = cfg, .http = http, .cache = cache };

		f.report = &report->sources[i];
		f.report->name = cfg->name;
		if (!is_named(options, cfg->name))
			continue;
		if ((f.type = source_type_find(cfg->type, err)) == NULL) {
			err_prefix(
			    err, "%s:%u: source %s", cfg->file, (unsigned)cfg->line, cfg->name);
			return -1;
		}
		f.now_utc = clock_now_utc(&run->clock);
		arena_init(&f.arena, MAX_RUN_BYTES);
		arena_init(&f.scratch, MAX_RUN_BYTES);
		rc = fetch_source(&f, options, err);
		arena_release(&f.scratch);
		arena_release(&f.arena);
		nasked += f.report->asked;
		nfailed += f.report->failed;
	}
	if (nasked > 0 && nfailed == nasked)
		report->faults |= RUN_FAULT_UNREACHABLE;
	return rc;
}

void
fetch_http_options(const struct config *cfg, struct http_options *out)
{
	*out = (struct http_options){
		.timeout_s = cfg->fetch.timeout_s,
		.max_body = (size_t)cfg->fetch.max_body,
		.contact = cfg->fetch.contact,
		.proxy = cfg->fetch.proxy,
		.allow_private = cfg->fetch.allow_private,
		.nallow_private = cfg->fetch.nallow_private,
	};
}

int
run_fetch(struct run *run, const struct run_fetch_options *options, struct run_report *report,
    struct error *err)
{
	const struct config *cfg = run->cfg;
	struct http_options http_options;
	struct strbuf cache;
	struct http *http = NULL;
	int rc = -1;

	fetch_http_options(cfg, &http_options);
	strbuf_init(&cache, MAX_URL_BYTES);
	if (run->mode == STORE_OVERLAY)
		cache_dir(&cache);
	report->nsources = cfg->nsources;
	report->sources = arena_array(&report->arena, cfg->nsources, sizeof(*report->sources));
	if (report->sources == NULL)
		err_nomem(err, "fetch");
	else if (check_names(cfg, options, err) == 0 && http_new(&http_options, &http, err) == 0)
		rc = fetch_each(run, http, options, cache.buf, report, err);
	http_free(http);
	strbuf_release(&cache);
	return rc;
}
