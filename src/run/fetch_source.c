#include "fetch.h"
#include "digest/limits.h"

#include <stdio.h>
#include <string.h>

enum {
	MAX_PAGES = 200, /* answers to one planned request */
	FAULT_DAYS = 3,	 /* a source failing for longer is no longer only a warning */
	MIN_BACKOFF_S = 300,
	MAX_BACKOFF_S = 6 * 3600,
	JITTER_PERMILLE = 100,
	DAY_SECONDS = 86400,
};

int64_t
fetcher_interval(const struct fetcher *f)
{
	return f->cfg->interval_s >= 0 ? f->cfg->interval_s : f->type->interval_s;
}

static int64_t
find_gap_ms(const struct fetcher *f)
{
	if (f->cfg->request_gap_s >= 0)
		return f->cfg->request_gap_s * 1000;
	/* Where each host is a service by itself, one of one's own asks for no pause. */
	if (f->cfg->url[0] != '\0' && f->type->base_url[0] != '\0' && f->type->service[0] == '\0')
		return 0;
	return f->type->request_gap_ms;
}

static bool
is_due(const struct fetcher *f)
{
	return f->now_utc >= f->state->next_allowed_utc &&
	    (f->state->nfailures > 0 ||
		source_is_due(f->state->last_try_utc, fetcher_interval(f), f->now_utc));
}

static int
plan_requests(struct fetcher *f, const struct run_fetch_options *options, struct error *err)
{
	struct source_page *pages;
	struct source_progress progress = { f->state->cursor_day, NULL, f->state->npages };

	pages = arena_array(&f->arena, f->state->npages, sizeof(*pages));
	if (pages == NULL)
		return err_nomem(err, "pages");
	for (size_t i = 0; i < f->state->npages; i++) {
		const struct store_page *p = &f->state->pages[i];

		pages[i] = (struct source_page){ p->key, p->etag, p->last_modified, p->read_utc };
	}
	progress.pages = pages;
	return f->type->plan(f->cfg, &progress, f->now_utc, options->since_day, options->force,
	    &f->arena, &f->requests, &f->nrequests, err);
}

static int
save_state(struct fetcher *f, struct error *err)
{
	struct store *store = f->run->store;

	f->phase = FETCH_DONE;
	if (store_begin(store, err) == -1)
		return -1;
	return store_end(store, store_save_source(store, f->state, err), false, err);
}

/* What its newest list was like. Where nothing new came, or only older days, what is known stays; but a list that the service
 * made and that is empty is news. */
static void
note_list(struct fetcher *f)
{
	struct store_source *s = f->state;

	if (f->made_utc > 0)
		s->made_utc = f->made_utc;
	if (f->newest == NULL && f->made_utc > 0)
		s->nlisted = 0;
	if (f->newest == NULL || f->list_day < f->newest_day)
		return;
	s->nlisted = f->nlisted;
	if (strcmp(s->newest, f->newest) != 0) {
		s->newest = f->newest;
		s->newest_since_utc = f->now_utc;
	}
}

static int
succeed(struct fetcher *f, struct error *err)
{
	struct store_source *s = f->state;

	s->nfailures = 0;
	s->failing_since_utc = 0;
	s->next_allowed_utc = 0;
	s->last_success_utc = f->now_utc;
	s->last_error = "";
	s->fault = SOURCE_FINE;
	note_list(f);
	return save_state(f, err);
}

/*
 * 5, 10, 20 minutes ... six hours, a tenth more or less, so that a thousand installations do not come back together. The
 * jitter hangs on name and time alone: the same run can be repeated.
 */
static int64_t
back_off(const struct fetcher *f)
{
	unsigned char hash[MESSAGE_HASH_BYTES];
	char text[300];
	int64_t wait_s = MIN_BACKOFF_S;
	unsigned value;
	int n;

	for (uint32_t i = 0; i < f->state->nfailures && wait_s < MAX_BACKOFF_S; i++)
		wait_s *= 2;
	if (wait_s > MAX_BACKOFF_S)
		wait_s = MAX_BACKOFF_S;
	n = snprintf(text, sizeof(text), "%lld %.200s", (long long)f->now_utc, f->cfg->name);
	message_hash(text, (size_t)n, hash);
	value = (unsigned)hash[0] << 8 | hash[1];
	return wait_s +
	    wait_s * ((int64_t)(value % (2 * JITTER_PERMILLE + 1)) - JITTER_PERMILLE) / 1000;
}

int
fetcher_fail(
    struct fetcher *f, enum source_fault kind, const struct error *fault, struct error *err)
{
	struct store_source *s = f->state;
	int64_t wait_s = back_off(f);

	s->nfailures++;
	if (s->failing_since_utc == 0)
		s->failing_since_utc = f->now_utc;
	if (s->next_allowed_utc < f->now_utc + wait_s)
		s->next_allowed_utc = f->now_utc + wait_s;
	s->fault = kind;
	s->last_error = fault->msg;
	f->report->failed = true;
	f->report->failing_since_utc = s->failing_since_utc;
	err_printable(f->report->message, sizeof(f->report->message), fault->msg);
	if (f->now_utc - s->failing_since_utc >= (int64_t)FAULT_DAYS * DAY_SECONDS)
		log_error(f->run->log, "source %s: %s; failing for %d days or more", f->cfg->name,
		    fault->msg, FAULT_DAYS);
	else
		log_warn(f->run->log, "source %s: %s", f->cfg->name, fault->msg);
	return save_state(f, err);
}

int
fetcher_cut(struct fetcher *f, struct error *err)
{
	log_info(f->run->log, "source %s: %zu of %zu requests are left for the next run",
	    f->cfg->name, f->nrequests - f->at, f->nrequests);
	f->report->cut = true;
	/* Not asked to the end: due again at the next run, which goes on where this one stopped. */
	f->state->last_try_utc = f->last_try_utc;
	return save_state(f, err);
}

/* All requests have been answered. */
static int
finish(struct fetcher *f, struct error *err)
{
	struct error fault = { 0 };

	if (f->fault[0] == '\0')
		return succeed(f, err);
	note_list(f);
	err_set(&fault, ERR_DATA, "%s", f->fault);
	return fetcher_fail(f, SOURCE_SHAPE, &fault, err);
}

int
fetcher_open(struct fetcher *f, const struct run_fetch_options *options, struct error *err)
{
	struct error fault = { 0 };

	f->phase = FETCH_DONE;
	f->child = (struct child){ .out = -1, .said = -1 };
	arena_init(&f->arena, MAX_RUN_BYTES);
	arena_init(&f->pages, MAX_RUN_BYTES);
	arena_init(&f->scratch, MAX_RUN_BYTES);
	http_answer_init(&f->answer, (size_t)f->run->cfg->fetch.max_body);
	if (store_load_source(f->run->store, f->cfg->name, &f->arena, &f->state, err) == -1)
		return -1;
	if (!options->force && options->since_day == 0 && !is_due(f))
		return 0;
	if (store_load_newest_day(f->run->store, f->cfg->name, &f->newest_day, err) == -1)
		return -1;
	f->report->asked = true;
	f->gap_ms = find_gap_ms(f);
	f->last_try_utc = f->state->last_try_utc;
	f->state->last_try_utc = f->now_utc;
	if (plan_requests(f, options, &fault) == -1)
		return fetcher_fail(f, SOURCE_SHAPE, &fault, err);
	if (f->nrequests == 0)
		return succeed(f, err);
	f->phase = FETCH_WAITING;
	return 0;
}

void
fetcher_close(struct fetcher *f)
{
	child_stop(&f->child);
	http_answer_release(&f->answer);
	arena_release(&f->scratch);
	arena_release(&f->pages);
	arena_release(&f->arena);
}

const struct source_request *
fetcher_request(struct fetcher *f)
{
	return f->npages > 0 ? &f->more : &f->requests[f->at];
}

static int
keep_first(struct fetcher *f, const struct store_page *page, struct error *err)
{
	f->first = *page;
	f->first.key = arena_strdup(&f->pages, page->key);
	f->first.etag = arena_strdup(&f->pages, page->etag);
	f->first.last_modified = arena_strdup(&f->pages, page->last_modified);
	if (f->first.key == NULL || f->first.etag == NULL || f->first.last_modified == NULL)
		return err_nomem(err, "page");
	return 0;
}

/* Papers, the page and the day read, in one transaction: a kill leaves either all of an answer or nothing. */
static int
save_answer(struct fetcher *f, const struct source_batch *batch, bool keep_page, struct error *err)
{
	int64_t settle_s = f->cfg->settle_s >= 0 ? f->cfg->settle_s : f->type->settle_s;
	const struct store_page page = { fetcher_request(f)->key, f->answer.etag,
		f->answer.last_modified, f->now_utc };
	struct store *store = f->run->store;
	struct store_put_counts counts = { 0 };
	int rc = 0;

	if (store_begin(store, err) == -1)
		return -1;
	if (batch->npapers > 0)
		rc = store_put_papers(store, f->cfg->name, f->type->name, batch->papers,
		    batch->npapers, settle_s, f->now_utc, &counts, err);
	/* A list in several pages is read when its last one is: whoever is killed between asks for the first again. */
	if (rc == 0 && keep_page && batch->more && f->npages == 0)
		rc = keep_first(f, &page, err);
	else if (rc == 0 && keep_page)
		rc = store_save_page(store, f->cfg->name, &page, err);
	if (rc == 0 && !batch->more && f->first.key != NULL)
		rc = store_save_page(store, f->cfg->name, &f->first, err);
	f->report->nanswers++;
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

/* Of the newest day, the paper published last; of equals the one with the greater key. */
static int
note_papers(struct fetcher *f, const struct source_batch *batch, struct error *err)
{
	const char *newest = f->newest;

	for (size_t i = 0; i < batch->npapers; i++) {
		const struct paper *p = batch->papers[i];

		if (p->listed_day < f->list_day)
			continue;
		if (p->listed_day > f->list_day) {
			f->list_day = p->listed_day;
			f->nlisted = 0;
			newest = NULL;
		}
		f->nlisted++;
		if (newest == NULL || p->published_utc > f->newest_utc ||
		    (p->published_utc == f->newest_utc && strcmp(p->key, newest) > 0)) {
			newest = p->key;
			f->newest_utc = p->published_utc;
		}
	}
	if (batch->made_utc > f->made_utc)
		f->made_utc = batch->made_utc;
	if (newest != f->newest && (f->newest = arena_strdup(&f->arena, newest)) == NULL)
		return err_nomem(err, "papers");
	return 0;
}

/* A list that had papers and is empty now is no news that they are gone. 1 = it is so, and the fault of the source. */
static int
is_emptied(struct fetcher *f, const struct source_batch *batch, struct error *err)
{
	int32_t day = fetcher_request(f)->day;
	struct store_day *days;
	size_t n;

	if (batch->npapers > 0 || batch->nbroken > 0 || day == 0 || f->npages > 0)
		return 0;
	if (store_load_days(f->run->store, f->cfg->name, day, &f->scratch, &days, &n, err) == -1)
		return -1;
	if (n == 0 || days[0].day != day)
		return 0;
	if (f->fault[0] == '\0')
		snprintf(f->fault, sizeof(f->fault),
		    "%s: the list is empty, but it had %zu papers before; they are kept",
		    fetcher_request(f)->key, days[0].nlisted);
	return 1;
}

/* The further page, out of the scratch of the answer that named it. */
static int
keep_more(struct fetcher *f, const struct source_request *next, struct error *err)
{
	struct source_request r = *next;

	/* Pages name their next one: only the newest is needed, but its strings may be those of the one before. */
	r.key = arena_strdup(&f->pages, next->key);
	r.url = arena_strdup(&f->pages, next->url);
	r.path = r.command = r.etag = r.last_modified = "";
	if (next->rest != NULL && (r.rest = arena_strdup(&f->pages, next->rest)) == NULL)
		return err_nomem(err, "next page");
	f->more = r;
	return r.key == NULL || r.url == NULL ? err_nomem(err, "next page") : 0;
}

/* The planned request is answered to its last page. */
static int
go_on(struct fetcher *f, struct error *err)
{
	int32_t today = (int32_t)(f->now_utc / DAY_SECONDS), day = f->requests[f->at].day;

	if (day > f->state->cursor_day && day < today)
		f->state->cursor_day = day;
	arena_reset(&f->pages);
	f->first.key = NULL;
	f->npages = 0;
	f->phase = FETCH_WAITING;
	return ++f->at < f->nrequests ? 0 : finish(f, err);
}

/* What to read: 1 there is something, 0 nothing new, -1 with the fault and its kind. */
static int
judge_status(struct fetcher *f, enum source_fault *kind, struct error *fault)
{
	const struct http_answer *a = &f->answer;

	if (a->status == 200)
		return 1;
	if (a->status == 304)
		return 0;
	*kind = a->status >= 500 ? SOURCE_DOWN : SOURCE_REFUSED;
	if (a->retry_after_s > 0)
		f->state->next_allowed_utc = f->now_utc + a->retry_after_s;
	return f->type->status(fetcher_request(f), a->status, a->body.buf, a->body.len, fault) == 1
	    ? 0
	    : -1;
}

int
fetcher_take(struct fetcher *f, struct error *err)
{
	const struct source_answer in = { f->answer.body.buf, f->answer.body.len, f->answer.url,
		f->answer.content_type, f->answer.next };
	struct source_batch batch = { 0 };
	enum source_fault kind = SOURCE_SHAPE;
	struct error fault = { 0 };
	int is_new = judge_status(f, &kind, &fault), emptied = 0, rc;

	log_debug(f->run->log, "answer read source=%s status=%d bytes=%zu url=%s", f->cfg->name,
	    (int)f->answer.status, f->answer.body.len, f->answer.url);
	if (is_new == -1)
		return fetcher_fail(f, kind, &fault, err);
	if (is_new == 1 &&
	    (f->type->read(
		 f->cfg, fetcher_request(f), &in, f->now_utc, &f->scratch, &batch, &fault) == -1 ||
		note_papers(f, &batch, &fault) == -1)) {
		arena_reset(&f->scratch);
		return fetcher_fail(f, SOURCE_SHAPE, &fault, err);
	}
	tell_broken(f, &batch);
	if (is_new == 1 && (emptied = is_emptied(f, &batch, err)) == -1)
		return -1;
	if (batch.fault[0] != '\0' && f->fault[0] == '\0')
		memcpy(f->fault, batch.fault, sizeof(f->fault));
	/* What is broken or empty is asked for again whole, and not only if it changed. */
	rc = save_answer(f, &batch, emptied == 0 && batch.fault[0] == '\0', err);
	if (rc == 0 && !batch.more)
		rc = go_on(f, err);
	else if (rc == 0 && ++f->npages >= MAX_PAGES) {
		err_set(&fault, ERR_DATA, "more than %d pages", MAX_PAGES);
		rc = fetcher_fail(f, SOURCE_SHAPE, &fault, err);
	} else if (rc == 0) {
		f->phase = FETCH_WAITING;
		rc = keep_more(f, &batch.next, err);
	}
	arena_reset(&f->scratch);
	return rc;
}
