#include "run/check.h"

#include "digest/file.h"
#include "digest/limits.h"
#include "digest/quote.h"
#include "digest/token.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
	LINE_BYTES = 1024,
	ROOM_MB = 100, /* a store grows by a few MB a month; a full disk stops everything */
	CLOCK_SLACK_S = 300,
	DAY_SECONDS = 86400,
	MAX_TOLD = 5, /* readers with the same mistake */
};

__attribute__((format(printf, 5, 0))) static void
say(struct checker *c, enum run_verdict verdict, const char *what, const char *cure,
    const char *fmt, va_list ap)
{
	char text[LINE_BYTES];

	vsnprintf(text, sizeof(text), fmt, ap);
	c->options->say(c->options->arg, verdict, what, text, cure);
}

void
check_ok(struct checker *c, const char *what, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(c, VERDICT_OK, what, "", fmt, ap);
	va_end(ap);
}

void
check_warn(struct checker *c, const char *what, const char *cure, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(c, VERDICT_WARN, what, cure, fmt, ap);
	va_end(ap);
}

void
check_fail(
    struct checker *c, unsigned fault, const char *what, const char *cure, const char *fmt, ...)
{
	va_list ap;

	c->faults |= fault;
	va_start(ap, fmt);
	say(c, VERDICT_FAIL, what, cure, fmt, ap);
	va_end(ap);
}

void
check_fail_err(struct checker *c, const char *what, const struct error *err)
{
	unsigned fault = RUN_FAULT_IO;

	if (err->kind == ERR_CONFIG || err->kind == ERR_DATA || err->kind == ERR_USAGE)
		fault = RUN_FAULT_CONFIG;
	else if (err->kind == ERR_NET)
		fault = RUN_FAULT_UNREACHABLE;
	else if (err->kind == ERR_TEMP)
		fault = RUN_FAULT_DEFERRED;
	else if (err->kind == ERR_BUG)
		fault = RUN_FAULT_BUG;
	check_fail(c, fault, what, "", "%s", err->msg);
}

void
check_nearest_dir(const char *path, char *out, size_t size)
{
	char copy[PATH_MAX];

	snprintf(out, size, "%s", path);
	while (!file_exists(out) && strcmp(out, "/") != 0 && strcmp(out, ".") != 0) {
		snprintf(copy, sizeof(copy), "%s", out);
		snprintf(out, size, "%s", dirname(copy));
	}
}

void
check_room(struct checker *c, const char *what, const char *path)
{
	char dir[PATH_MAX];
	struct statvfs fs;
	uint64_t mb;

	check_nearest_dir(path, dir, sizeof(dir));
	if (statvfs(dir, &fs) == -1)
		return;
	mb = (uint64_t)fs.f_bavail * fs.f_frsize / 1000000;
	if (mb < ROOM_MB)
		check_warn(c, what, "make room on the disk", "%s: only %llu MB are free", dir,
		    (unsigned long long)mb);
	else
		check_ok(c, what, "%s: %llu MB are free", dir, (unsigned long long)mb);
}

/* ---- what stands on this machine ---- */

static void
check_config(struct checker *c)
{
	const struct config *cfg = c->run->cfg;
	size_t n = cfg->nreader_errors;

	check_ok(c, "config", "%s", cfg->path);
	if (cfg->lost_zone != NULL)
		check_fail(c, RUN_FAULT_CONFIG, "zone",
		    "install what has it (tzdata, tzdata-legacy), or name another",
		    "%s, the timezone of the defaults, is not there; readers keep what they had, "
		    "newcomers have the machine's",
		    cfg->lost_zone);
	if (n > 0)
		check_fail(c, RUN_FAULT_CONFIG, "readers", "mend what is said above",
		    "%zu of %zu have an error in their block; the others are served", n,
		    cfg->nreaders);
	else
		check_ok(c, "readers", "%zu in the file", cfg->nreaders);
}

/* What is wrong with one template of a person; false = it is fine. */
static bool
check_template(struct checker *c, const struct run_template *t)
{
	char cure[128];

	if (t->file.fault != NULL) {
		check_fail(c, RUN_FAULT_CONFIG, "templates", "", "%s", t->file.fault);
		return true;
	}
	if (t->copy != COPY_OLDER)
		return false;
	snprintf(
	    cure, sizeof(cure), "'digest template diff %s' shows where they differ", t->file.name);
	check_warn(c, "templates", t->file.builtin != NULL ? cure : "",
	    "%s: older than the built-in %s it was copied from", t->file.path, t->made_of);
	return true;
}

static void
check_templates(struct checker *c)
{
	const char *dir = c->run->cfg->templates.dir;
	struct run_template *all;
	struct error err = { 0 };
	size_t n, nodd = 0;

	if (dir[0] != '\0' && !file_exists(dir))
		check_fail(c, RUN_FAULT_CONFIG, "templates",
		    "make it, or take templates.dir out of the configuration",
		    "%s: there is no such folder", dir);
	else if (run_list_templates(c->run, &c->arena, &all, &n, &err) == -1)
		check_fail_err(c, "templates", &err);
	else {
		for (size_t i = 0; i < n; i++)
			nodd += check_template(c, &all[i]);
		if (nodd == 0)
			check_ok(c, "templates", "%s", dir[0] != '\0' ? dir : "built in");
	}
	arena_reset(&c->arena);
}

struct languages {
	struct checker *checker;
	struct render *render;
	struct strbuf known;
	size_t nunknown;
};

static int
visit_language(void *arg, const struct subscriber *reader, bool good)
{
	struct languages *l = arg;

	if (!good || render_has_language(l->render, reader->language) || l->nunknown++ >= MAX_TOLD)
		return 0;
	check_warn(l->checker, "language",
	    "set language, or put a file of words into templates.dir, see digest-template(7)",
	    "%s:%u: %s: no language is called '%s', so digests are in English; there are %s",
	    reader->file, reader->line, reader->address, reader->language, l->known.buf);
	return 0;
}

static void
check_languages(struct checker *c)
{
	struct languages l = { .checker = c };

	if (run_load_templates(c->run, &l.render, NULL) == -1)
		return; /* that was told */
	strbuf_init(&l.known, MAX_HEADER_TEXT);
	render_add_languages(l.render, &l.known);
	config_each_reader(c->run->cfg, visit_language, &l, NULL);
	if (l.nunknown == 0)
		check_ok(c, "language", "%s", l.known.buf);
	else if (l.nunknown > MAX_TOLD)
		check_warn(c, "language", "", "and %zu readers more", l.nunknown - MAX_TOLD);
	strbuf_release(&l.known);
	render_free(l.render);
}

struct stored_filters {
	struct checker *checker;
	struct arena arena;
	size_t nreaders, nbroken;
};

static void
fail_filter(
    struct checker *c, const struct subscriber *sub, const struct filter *f, const char *why)
{
	struct strbuf cure, removal;

	strbuf_init(&cure, LINE_BYTES);
	strbuf_init(&removal, LINE_BYTES);
	strbuf_addf(&removal, "%s=", f->name);
	strbuf_add(&cure, "put it back, or take it from the reader: digest subscribe ");
	quote_add_shell(&cure, sub->address);
	strbuf_add(&cure, " --filter ");
	quote_add_shell(&cure, removal.buf);
	check_fail(c, RUN_FAULT_CONFIG, "filters", cure.buf,
	    "%s: filter \"%s\": %s; no mail goes there", sub->address, f->name, why);
	strbuf_release(&removal);
	strbuf_release(&cure);
}

static int
visit_filters(void *arg, const struct store_reader *r)
{
	struct stored_filters *s = arg;
	const struct config *cfg = s->checker->run->cfg;

	if (r->sub.origin == ORIGIN_FILE || r->suppressed)
		return 0;
	s->nreaders++;
	for (size_t i = 0; i < r->sub.nfilters; i++) {
		const struct filter *f = &r->sub.filters[i];
		struct error why = { 0 };
		struct query *q;

		/* Only what it names can have gone since it was taken. */
		arena_reset(&s->arena);
		if (strchr(f->match, '@') == NULL ||
		    queries_read(cfg, &r->sub, f->name, f->match, &s->arena, &q, NULL, &why) == 0)
			continue;
		if (s->nbroken++ >= MAX_TOLD)
			return 0;
		fail_filter(s->checker, &r->sub, f, why.msg);
		return 0;
	}
	return 0;
}

/* Of readers by command or mail, who are in no file: the shared filters they use may have gone from it. */
static void
check_filters(struct checker *c)
{
	struct stored_filters s = { .checker = c };
	struct error err = { 0 };

	if (c->run->store == NULL || c->store_failed)
		return;
	arena_init(&s.arena, MAX_RUN_BYTES);
	if (store_each_reader(c->run->store, false, visit_filters, &s, &err) == -1)
		check_fail_err(c, "filters", &err);
	else if (s.nbroken > MAX_TOLD)
		check_fail(c, RUN_FAULT_CONFIG, "filters", "", "and %zu readers more",
		    s.nbroken - MAX_TOLD);
	else if (s.nbroken == 0 && s.nreaders > 0)
		check_ok(c, "filters", "of %zu reader%s by command or mail", s.nreaders,
		    s.nreaders == 1 ? "" : "s");
	arena_release(&s.arena);
}

static void
check_key(struct checker *c)
{
	const char *path = c->run->cfg->list.key_file;
	struct token_keys *keys = NULL;
	struct error err = { 0 };

	if (token_key_load(path, false, &keys, &err) == -1)
		check_fail_err(c, "key", &err);
	else if (token_keys_count(keys) == 0)
		check_ok(c, "key", "%s: made by the first run", path);
	else
		check_ok(c, "key", "%s", path);
	token_keys_free(keys);
}

static void
check_store(struct checker *c)
{
	const char *path = c->run->cfg->store.path;
	struct store_sizes sizes;
	struct error err = { 0 };
	char dir[PATH_MAX];

	check_room(c, "disk", path);
	if (!file_exists(path)) {
		check_nearest_dir(path, dir, sizeof(dir));
		if (access(dir, W_OK | X_OK) == -1)
			check_fail(c, RUN_FAULT_IO, "store",
			    "set store.path, or let us write there",
			    "%s: nothing can be made in %s", path, dir);
		else
			check_ok(c, "store", "%s: made by the first run", path);
		return;
	}
	if (run_open_store(c->run, &err) == -1 || store_check(c->run->store, &err) == -1 ||
	    store_load_sizes(c->run->store, &sizes, &err) == -1) {
		c->store_failed = true;
		check_fail_err(c, "store", &err);
		return;
	}
	if (access(path, W_OK) == -1)
		check_fail(c, RUN_FAULT_IO, "store", "run digest as the user that owns it",
		    "%s: may not be written", path);
	else
		check_ok(c, "store", "%s: whole; %zu paper%s, %zu reader%s", path, sizes.npapers,
		    sizes.npapers == 1 ? "" : "s", sizes.nreaders, sizes.nreaders == 1 ? "" : "s");
}

static void
check_clock(struct checker *c)
{
	int64_t now_utc = clock_now_utc(&c->run->clock);
	struct store_run *last;
	char now[DATE_RFC3339_SIZE], then[DATE_RFC3339_SIZE];
	int found = 0;

	date_format_rfc3339(now_utc, now);
	if (c->run->store != NULL)
		found = store_load_last_run(c->run->store, &c->arena, &last, NULL);
	if (now_utc < MIN_CLOCK_UTC) {
		check_fail(c, RUN_FAULT_IO, "clock", "set the clock; timedatectl set-ntp true",
		    "%s is long ago", now);
	} else if (found == 1 && last->started_utc > now_utc + CLOCK_SLACK_S) {
		date_format_rfc3339(last->started_utc, then);
		check_fail(c, RUN_FAULT_IO, "clock", "set the clock; timedatectl set-ntp true",
		    "%s is before the last run, %s", now, then);
	} else {
		check_ok(c, "clock", "%s", now);
	}
}

static void
check_zone(struct checker *c)
{
	struct error err = { 0 };

	if (zones_get(c->run->zones, c->run->zone, &err) == NULL)
		check_fail(c, RUN_FAULT_CONFIG, "zone", "install tzdata, or set TZ", "%s", err.msg);
	else
		check_ok(c, "zone", "%s, for readers without one of their own", c->run->zone);
}

/* ---- the sources ---- */

static int
read_answer(struct checker *c, const struct config_source *cfg, const struct source_type *type,
    const struct source_request *req, const struct http_answer *answer, size_t *npapers,
    struct error *err)
{
	const struct source_answer in = { answer->body.buf, answer->body.len, answer->url,
		answer->content_type, answer->next };
	struct source_batch batch = { 0 };

	if (answer->status != 200)
		return type->status(req, answer->status, answer->body.buf, answer->body.len, err) ==
			1
		    ? 0
		    : -1;
	if (type->read(cfg, req, &in, clock_now_utc(&c->run->clock), &c->arena, &batch, err) == -1)
		return -1;
	*npapers = batch.npapers;
	return 0;
}

/* The first thing a run would ask for. */
static int
ask_source(struct checker *c, const struct config_source *cfg, struct http *http, size_t *npapers,
    struct error *err)
{
	const struct source_type *type = source_type_find(cfg->type, err);
	const struct source_progress progress = { 0 };
	struct source_request *requests;
	struct http_answer answer;
	size_t n;
	int rc;

	*npapers = 0;
	if (type == NULL ||
	    type->plan(cfg, &progress, clock_now_utc(&c->run->clock), 0, true, &c->arena, &requests,
		&n, err) == -1)
		return -1;
	if (n == 0)
		return 0;
	http_answer_init(&answer, (size_t)c->run->cfg->fetch.max_body);
	answer.status = 200;
	if (requests[0].path[0] != '\0')
		rc = file_read(requests[0].path, &answer.body, err);
	else
		rc = http_get(http, requests[0].url, "", "", &answer, err);
	if (rc == 0)
		rc = read_answer(c, cfg, type, &requests[0], &answer, npapers, err);
	http_answer_release(&answer);
	return rc;
}

static void
check_sources(struct checker *c)
{
	const struct config *cfg = c->run->cfg;
	struct http_options options;
	struct http *http = NULL;
	struct error err = { 0 };
	size_t nfailed = 0, npapers;

	fetch_http_options(cfg, &options);
	if (http_new(&options, &http, &err) == -1) {
		check_fail_err(c, "sources", &err);
		return;
	}
	for (size_t i = 0; i < cfg->nsources; i++) {
		const struct config_source *source = &cfg->sources[i];

		arena_reset(&c->arena);
		if (ask_source(c, source, http, &npapers, &err) == 0) {
			check_ok(c, "source", "%s: answers; %zu papers on its first page",
			    source->name, npapers);
			continue;
		}
		/* Runs go on with the sources that answer. */
		if (++nfailed < cfg->nsources)
			check_warn(c, "source", "", "%s: %s", source->name, err.msg);
		else
			check_fail(c, RUN_FAULT_UNREACHABLE, "source", "", "%s: %s", source->name,
			    err.msg);
	}
	http_free(http);
}

unsigned
run_check(struct run *run, const struct run_check_options *options)
{
	struct checker c = { .run = run, .options = options };

	arena_init(&c.arena, MAX_RUN_BYTES);
	/* Without memory for it, what it is needed for says so. */
	(void)config_take_secrets(run->cfg, NULL);
	check_config(&c);
	check_templates(&c);
	check_languages(&c);
	check_key(&c);
	check_store(&c);
	check_filters(&c);
	check_clock(&c);
	check_zone(&c);
	check_cron(&c);
	arena_reset(&c.arena);
	if (!options->offline)
		check_sources(&c);
	arena_reset(&c.arena);
	check_mail(&c);
	if (options->send != NULL)
		check_send(&c, options->send);
	arena_release(&c.arena);
	return c.faults;
}
