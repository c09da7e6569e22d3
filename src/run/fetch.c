/*
 * All sources at once, in one thread: each is a small machine that asks for one thing after another. The requests to one
 * service, whichever sources they are of, go one by one and spaced, so the step takes as long as the slowest service.
 */
#include "fetch.h"
#include "digest/date.h"
#include "digest/file.h"
#include "digest/limits.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	COMMAND_S = 60,	     /* for one command to end, if nothing else is said */
	CHILD_STEP_MS = 20,  /* between two looks at a command that has closed its output */
	MAX_SLEEP_MS = 1000, /* a signal is seen this soon */
	FEW_LEFT = 10,	     /* requests of a quota: others on this address may need them */
	DEADLINE_SHARE = 3,  /* the part of delivery.deadline that is for reading */
	MS = 1000,
};

struct fetch {
	struct run *run;
	const struct run_fetch_options *options;
	struct http *http;
	const char *cache; /* folder for the answers of previews, "" = none */
	struct fetcher *fetchers;
	struct fetch_service *services; /* of the arena */
	struct arena *arena;
	size_t n;
	struct pollfd *fds;
	int64_t start_ms, start_monotonic_ms;
	int64_t deadline_ms; /* INT64_MAX = none */
};

/* The wall clock as it was at the start, and the time since: no jump of it, and no frozen one, stops a queue. */
static int64_t
now_ms(const struct fetch *fetch)
{
	return fetch->start_ms + clock_monotonic_ms() - fetch->start_monotonic_ms;
}

/* "arxiv.org", or the host and port of the request. */
static void
name_service(const struct fetcher *f, const char *url, char out[MAX_FETCH_SERVICE])
{
	const char *host = strstr(url, "://");

	host = host != NULL ? host + 3 : url;
	if (f->type->service[0] != '\0')
		snprintf(out, MAX_FETCH_SERVICE, "%s", f->type->service);
	else
		snprintf(out, MAX_FETCH_SERVICE, "%.*s", (int)strcspn(host, "/?#"), host);
}

/* The service a request goes to; NULL when memory is short. */
static struct fetch_service *
find_service(struct fetch *fetch, const struct fetcher *f, const char *url)
{
	char name[MAX_FETCH_SERVICE];
	struct fetch_service *s;

	name_service(f, url, name);
	for (s = fetch->services; s != NULL; s = s->next)
		if (strcmp(s->name, name) == 0)
			return s;
	if ((s = arena_zalloc(fetch->arena, sizeof(*s))) == NULL)
		return NULL;
	memcpy(s->name, name, sizeof(name));
	s->next = fetch->services;
	fetch->services = s;
	return s;
}

/* A place in the queue: 1 = at begin_ms, 0 = only after the deadline, and then none is taken. -1 for the store. */
static int
reserve_place(struct fetch *fetch, struct fetcher *f, struct error *err)
{
	const struct fetch_service *s = f->service;
	struct store *store = fetch->run->store;
	int64_t at_ms = now_ms(fetch);

	if (at_ms < s->not_before_ms)
		at_ms = s->not_before_ms;
	if (at_ms < fetch->deadline_ms && f->gap_ms > 0) {
		if (store_begin(store, err) == -1)
			return -1;
		at_ms = cache_next_request(fetch->cache, s->name, at_ms, f->gap_ms);
		if (store_reserve_request(store, s->name, at_ms, f->gap_ms, &at_ms, err) == -1) {
			store_rollback(store);
			return -1;
		}
		if (at_ms >= fetch->deadline_ms)
			store_rollback(store);
		else if (store_commit(store, false, err) == -1)
			return -1;
		else
			cache_note_request(fetch->cache, s->name, at_ms);
	}
	f->begin_ms = at_ms;
	return at_ms < fetch->deadline_ms;
}

/* The service wants to be left alone for a while. */
static int
delay_service(struct fetch *fetch, const struct fetcher *f, int64_t wait_s, struct error *err)
{
	struct fetch_service *s = f->service;
	int64_t until_ms = now_ms(fetch) + wait_s * MS;
	struct store *store = fetch->run->store;

	if (until_ms <= s->not_before_ms)
		return 0;
	s->not_before_ms = until_ms;
	if (f->gap_ms == 0)
		return 0;
	if (store_begin(store, err) == -1)
		return -1;
	return store_end(
	    store, store_delay_service(store, s->name, until_ms / MS, err), false, err);
}

/* What an answer says about the next request. */
static int
heed_answer(struct fetch *fetch, struct fetcher *f, struct error *err)
{
	const struct http_answer *a = &f->answer;

	if ((a->status == 429 || a->status == 503) && a->retry_after_s > 0)
		return delay_service(fetch, f, a->retry_after_s, err);
	if (a->quota_left >= 0 && a->quota_left < FEW_LEFT && a->quota_reset_s > 0)
		return delay_service(fetch, f, a->quota_reset_s, err);
	return 0;
}

static int64_t
timeout_of(const struct fetcher *f, int64_t otherwise_s)
{
	return f->cfg->timeout_s > 0 ? f->cfg->timeout_s : otherwise_s;
}

static int
start_command(struct fetcher *f, const struct source_request *r, struct error *err)
{
	char day[DATE_RFC3339_SIZE] = "";
	const char *set[] = { NULL, NULL, NULL, NULL };
	struct error fault = { 0 };

	if (r->since_day > 0)
		date_format_day(r->since_day, day);
	set[0] = arena_printf(&f->pages, "DIGEST_SINCE=%s", day);
	set[1] = arena_printf(&f->pages, "DIGEST_SOURCE=%s", f->cfg->name);
	set[2] = arena_printf(&f->pages, "DIGEST_CONTACT=%s", f->run->cfg->fetch.contact);
	if (set[0] == NULL || set[1] == NULL || set[2] == NULL)
		return err_nomem(err, "command");
	if (child_start(&f->child, r->command, set, true, &fault) == -1)
		return fetcher_fail(f, SOURCE_DOWN, &fault, err);
	f->child_end_ms = clock_monotonic_ms() + timeout_of(f, COMMAND_S) * MS;
	f->phase = FETCH_ASKING;
	return 0;
}

static int
take_file(struct fetcher *f, const char *path, struct error *err)
{
	struct error fault = { 0 };

	f->answer.status = 200;
	if (file_read(path, &f->answer.body, &fault) == -1)
		return fetcher_fail(f, SOURCE_DOWN, &fault, err);
	return fetcher_take(f, err);
}

/* A new request; whoever has no service to wait for is answered at once. 1 = it moved, 0 = the service is busy. */
static int
begin_request(struct fetch *fetch, struct fetcher *f, struct error *err)
{
	const struct source_request *r = fetcher_request(f);
	size_t max_body = f->answer.body.max_bytes;
	int rc;

	http_answer_release(&f->answer);
	http_answer_init(&f->answer, max_body);
	if (r->path[0] != '\0')
		return take_file(f, r->path, err) == -1 ? -1 : 1;
	if (r->command[0] != '\0')
		return start_command(f, r, err) == -1 ? -1 : 1;
	if (cache_load(fetch->cache, r->url, f->now_utc, fetcher_interval(f), &f->answer) == 1)
		return fetcher_take(f, err) == -1 ? -1 : 1;
	if ((f->service = find_service(fetch, f, r->url)) == NULL)
		return err_nomem(err, "services");
	if (f->service->busy)
		return 0;
	if ((rc = reserve_place(fetch, f, err)) == -1)
		return -1;
	if (rc == 0)
		return fetcher_cut(f, err) == -1 ? -1 : 1;
	f->service->busy = true;
	f->phase = FETCH_QUEUED;
	return 1;
}

static int
ask(struct fetch *fetch, struct fetcher *f, struct error *err)
{
	const struct source_request *r = fetcher_request(f);
	const struct http_request request = { r->url, r->etag, r->last_modified, timeout_of(f, 0) };
	struct error fault = { 0 };

	f->phase = FETCH_ASKING;
	if (http_start(fetch->http, &request, &f->answer, &f->job, &fault) == 0)
		return 0;
	f->service->busy = false;
	return fetcher_fail(f, SOURCE_DOWN, &fault, err);
}

static int
take_job(struct fetch *fetch, struct fetcher *f, struct error *err)
{
	struct error fault = { 0 };
	int rc = http_end(f->job, &fault);

	f->job = NULL;
	f->service->busy = false;
	if (rc == -1)
		return fetcher_fail(f, SOURCE_DOWN, &fault, err);
	if (f->answer.status == 200)
		cache_save(fetch->cache, fetcher_request(f)->url, f->now_utc, &f->answer);
	if (heed_answer(fetch, f, err) == -1)
		return -1;
	return fetcher_take(f, err);
}

/* How the command ended; its output counts only when it says itself that all is well. */
static int
take_child(struct fetcher *f, const char *stopped, struct error *err)
{
	struct error fault = { 0 };
	char how[300];
	int status = child_stop(&f->child);

	if (stopped != NULL)
		err_set(&fault, ERR_NET, "the command %s", stopped);
	else if (status != 0) {
		child_describe(&f->child, status, how, sizeof(how));
		err_set(&fault, ERR_NET, "the command: %s", how);
	}
	if (fault.kind != ERR_NONE)
		return fetcher_fail(f, SOURCE_DOWN, &fault, err);
	f->answer.status = 200;
	return fetcher_take(f, err);
}

/* 1 = it moved, 0 = it still runs. */
static int
move_child(struct fetcher *f, struct error *err)
{
	char text[100];
	int more = child_read(&f->child, &f->answer.body);

	if (more == -1) {
		snprintf(text, sizeof(text), "printed more than %zu bytes (fetch.max-body)",
		    f->answer.body.max_bytes);
		return take_child(f, text, err) == -1 ? -1 : 1;
	}
	if (more == 0 && child_has_ended(&f->child))
		return take_child(f, NULL, err) == -1 ? -1 : 1;
	if (clock_monotonic_ms() < f->child_end_ms)
		return 0;
	snprintf(
	    text, sizeof(text), "did not end within %lld s", (long long)timeout_of(f, COMMAND_S));
	return take_child(f, text, err) == -1 ? -1 : 1;
}

/* One step of one source, if it can do one: 1 = it did. -1 only for what stops the run. */
static int
move(struct fetch *fetch, struct fetcher *f, struct error *err)
{
	switch (f->phase) {
	case FETCH_DONE:
		return 0;
	case FETCH_WAITING:
		return begin_request(fetch, f, err);
	case FETCH_QUEUED:
		if (now_ms(fetch) < f->begin_ms)
			return 0;
		return ask(fetch, f, err) == -1 ? -1 : 1;
	case FETCH_ASKING:
		if (f->child.pid != 0)
			return move_child(f, err);
		if (!http_is_done(f->job))
			return 0;
		return take_job(fetch, f, err) == -1 ? -1 : 1;
	}
	return 0;
}

static void
tell_progress(const struct fetch *fetch)
{
	const struct run_ui *ui = &fetch->run->ui;
	size_t done = 0, total = 0, nrunning = 0;
	const char *name = "sources";

	for (size_t i = 0; i < fetch->n; i++) {
		const struct fetcher *f = &fetch->fetchers[i];

		done += f->phase == FETCH_DONE ? f->nrequests : f->at;
		total += f->nrequests;
		if (f->phase != FETCH_DONE && nrunning++ == 0)
			name = f->cfg->name;
	}
	if (ui->progress != NULL && total > 0)
		ui->progress(ui->arg, nrunning == 1 ? name : "sources", done, total);
}

/* Until something can move again. */
static int
sleep_until_next(struct fetch *fetch, struct error *err)
{
	int64_t sleep_ms = MAX_SLEEP_MS;
	size_t nfds = 0;

	for (size_t i = 0; i < fetch->n; i++) {
		const struct fetcher *f = &fetch->fetchers[i];

		if (f->phase == FETCH_QUEUED && f->begin_ms - now_ms(fetch) < sleep_ms)
			sleep_ms = f->begin_ms - now_ms(fetch);
		if (f->child.pid == 0)
			continue;
		if (f->child.out != -1)
			fetch->fds[nfds++] = (struct pollfd){ .fd = f->child.out };
		else if (sleep_ms > CHILD_STEP_MS)
			sleep_ms = CHILD_STEP_MS;
		if (f->child.said != -1)
			fetch->fds[nfds++] = (struct pollfd){ .fd = f->child.said };
	}
	return http_wait(fetch->http, fetch->fds, nfds, sleep_ms > 0 ? (int)sleep_ms : 0, err);
}

static int
cut_all(struct fetch *fetch, struct error *err)
{
	for (size_t i = 0; i < fetch->n; i++)
		if (fetch->fetchers[i].phase != FETCH_DONE &&
		    fetcher_cut(&fetch->fetchers[i], err) == -1)
			return -1;
	return 0;
}

static bool
is_over(const struct fetch *fetch)
{
	return now_ms(fetch) >= fetch->deadline_ms ||
	    (fetch->run->stop != NULL && *fetch->run->stop != 0);
}

static int
move_all(struct fetch *fetch, struct error *err)
{
	for (;;) {
		bool moved = false, running = false;

		if (is_over(fetch))
			return cut_all(fetch, err);
		for (size_t i = 0; i < fetch->n; i++) {
			int rc = move(fetch, &fetch->fetchers[i], err);

			if (rc == -1)
				return -1;
			moved |= rc == 1;
			running |= fetch->fetchers[i].phase != FETCH_DONE;
		}
		if (moved)
			tell_progress(fetch);
		if (!running)
			return 0;
		if (!moved && sleep_until_next(fetch, err) == -1)
			return -1;
	}
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

static bool
has_work(const struct fetch *fetch)
{
	for (size_t i = 0; i < fetch->n; i++)
		if (fetch->fetchers[i].phase != FETCH_DONE)
			return true;
	return false;
}

static int
ask_all(struct fetch *fetch, struct error *err)
{
	struct http_options options;
	int rc;

	fetch_http_options(fetch->run->cfg, &options);
	if (http_new(&options, &fetch->http, err) == -1)
		return -1;
	rc = move_all(fetch, err);
	/* Jobs of a failed step are broken off while there is a client. */
	for (size_t i = 0; i < fetch->n; i++) {
		http_end(fetch->fetchers[i].job, NULL);
		fetch->fetchers[i].job = NULL;
	}
	http_free(fetch->http);
	return rc;
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
open_all(struct fetch *fetch, struct run_report *report, struct error *err)
{
	struct run *run = fetch->run;

	for (size_t i = 0; i < run->cfg->nsources; i++) {
		const struct config_source *cfg = &run->cfg->sources[i];
		struct fetcher *f = &fetch->fetchers[fetch->n];

		if (!is_named(fetch->options, cfg->name))
			continue;
		report->sources[i].name = cfg->name;
		*f = (struct fetcher){ .run = run, .cfg = cfg, .report = &report->sources[i] };
		if ((f->type = source_type_find(cfg->type, err)) == NULL)
			return err_prefix(
			    err, "%s:%u: source %s", cfg->file, (unsigned)cfg->line, cfg->name);
		f->now_utc = clock_now_utc(&run->clock);
		fetch->n++;
		if (fetcher_open(f, fetch->options, err) == -1)
			return -1;
	}
	return 0;
}

static int
fetch_together(struct fetch *fetch, struct run_report *report, struct error *err)
{
	size_t n = fetch->run->cfg->nsources, nasked = 0, nfailed = 0;
	int rc = -1;

	fetch->fetchers = calloc(n, sizeof(*fetch->fetchers));
	fetch->fds = calloc(2 * n, sizeof(*fetch->fds));
	if (fetch->fetchers == NULL || fetch->fds == NULL)
		err_nomem(err, "fetch");
	else if (open_all(fetch, report, err) == 0)
		rc = has_work(fetch) ? ask_all(fetch, err) : 0;
	for (size_t i = 0; i < fetch->n; i++) {
		nasked += fetch->fetchers[i].report->asked;
		nfailed += fetch->fetchers[i].report->failed;
		fetcher_close(&fetch->fetchers[i]);
	}
	free(fetch->fds);
	free(fetch->fetchers);
	if (nasked > 0 && nfailed == nasked)
		report->faults |= RUN_FAULT_UNREACHABLE;
	return rc;
}

int
run_fetch(struct run *run, const struct run_fetch_options *options, struct run_report *report,
    struct error *err)
{
	const struct config *cfg = run->cfg;
	struct fetch fetch = { .run = run, .options = options, .deadline_ms = INT64_MAX };
	struct strbuf cache;
	int rc = -1;

	if (config_take_secrets(run->cfg, err) == -1)
		return -1;
	fetch.start_ms = clock_now_ms(&run->clock);
	fetch.start_monotonic_ms = clock_monotonic_ms();
	/* The rest of the time is for sending. Who calls `fetch` has time, and can interrupt it. */
	if (options->in_run)
		fetch.deadline_ms = fetch.start_ms + cfg->delivery.deadline_s * MS / DEADLINE_SHARE;
	strbuf_init(&cache, MAX_URL_BYTES);
	if (run->mode == STORE_OVERLAY)
		cache_dir(&cache);
	fetch.cache = cache.buf;
	fetch.arena = &report->arena;
	report->nsources = cfg->nsources;
	report->sources = arena_array(&report->arena, cfg->nsources, sizeof(*report->sources));
	if (report->sources == NULL)
		err_nomem(err, "fetch");
	else if (check_names(cfg, options, err) == 0)
		rc = fetch_together(&fetch, report, err);
	strbuf_release(&cache);
	return rc;
}
