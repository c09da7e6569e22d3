#include "stages.h"
#include "digest/limits.h"
#include "digest/token.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
run_canonical(const char *address, struct arena *a, const char **out, struct error *err)
{
	struct address addr;

	if (address_parse(address, a, &addr, NULL, err) == -1)
		return -1;
	*out = addr.canonical;
	return 0;
}

enum { DAY_SECONDS = 86400 };

/* ---- readers of the configuration ---- */

struct sync {
	struct run *run;
	struct error *err;
};

static int
sync_one(void *arg, const struct subscriber *reader, bool good)
{
	struct sync *s = arg;

	return store_sync_reader(s->run->store, reader, good, s->err);
}

static int
sync_all(struct run *run, bool accept_removals, struct store_sync_counts *counts, struct error *err)
{
	struct sync s = { run, err };
	char real[PATH_MAX];
	/* The same file by another way is the same file. */
	const char *path = realpath(run->cfg->path, real) != NULL ? real : run->cfg->path;

	if (store_sync_begin(run->store, path, clock_now_utc(&run->clock), err) == -1 ||
	    config_each_reader(run->cfg, sync_one, &s, err) != 0)
		return -1;
	if (run->cfg->nreader_errors > 0)
		store_sync_doubt(run->store);
	return store_sync_end(run->store, accept_removals, counts, err);
}

int
run_sync_readers(
    struct run *run, bool accept_removals, struct store_sync_counts *counts, struct error *err)
{
	memset(counts, 0, sizeof(*counts));
	if (store_begin(run->store, err) == -1)
		return -1;
	if (store_end(run->store, sync_all(run, accept_removals, counts, err), true, err) == -1)
		return -1;
	if (counts->held_back)
		log_error(run->log,
		    "%zu reader%s gone from %s; nobody was removed, and no mail goes there. If "
		    "that is "
		    "meant, run once with --accept-removals",
		    counts->nvanished, counts->nvanished == 1 ? " is" : "s are", run->cfg->path);
	return 0;
}

/* ---- the list by command ---- */

/* What a command does to one reader, inside a transaction. */
struct change {
	struct run *run;
	int64_t now_utc;
	const char *canonical;
	struct store_reader *reader; /* NULL = unknown to the store */
	const char *text;	     /* consent */
	int32_t day;
};

typedef int change_fn(struct change *c, struct error *err);

static int
with_reader(struct run *run, const char *address, const char *text, int32_t day, change_fn *fn,
    struct error *err)
{
	struct change c = {
		.run = run, .now_utc = clock_now_utc(&run->clock), .text = text, .day = day
	};
	struct arena a;
	int found, rc = -1;

	arena_init(&a, MAX_READER_BYTES);
	if (run_canonical(address, &a, &c.canonical, err) == -1)
		goto out;
	found = store_find_reader(run->store, c.canonical, &a, &c.reader, err);
	if (found == -1)
		goto out;
	if (found == 0)
		c.reader = NULL;
	if (store_begin(run->store, err) == -1)
		goto out;
	rc = store_end(run->store, fn(&c, err), true, err);
out:
	arena_release(&a);
	return rc;
}

static int
need_reader(const struct change *c, struct error *err)
{
	if (c->reader != NULL)
		return 0;
	return err_set(
	    err, ERR_USAGE, "%s is not a reader; 'digest subscribers' lists them", c->canonical);
}

/* What the file says is changed in the file. */
static int
need_own(const struct change *c, struct error *err)
{
	if (c->reader == NULL || c->reader->sub.origin != ORIGIN_FILE ||
	    c->reader->state == READER_ENDED)
		return 0;
	return err_set(err, ERR_USAGE, "%s is in %s:%u; edit there", c->canonical,
	    c->reader->sub.file, (unsigned)c->reader->sub.line);
}

static int
check_filters(const struct run_filter *filters, size_t n, struct error *err)
{
	for (size_t i = 0; i < n; i++) {
		size_t offset = 0;

		if (filters[i].name[0] == '\0')
			return err_set(
			    err, ERR_USAGE, "--filter: a name is missing; expected NAME=QUERY");
		if (run_config_checks.query(filters[i].match, &offset, err) == -1)
			return err_prefix(
			    err, "filter \"%s\", character %zu", filters[i].name, offset + 1);
	}
	return 0;
}

static int
put_reader(struct run *run, const struct address *addr, const struct run_filter *filters, size_t n,
    struct arena *a, struct error *err)
{
	struct subscriber sub = run->cfg->defaults;
	static const struct filter trending = {
		.name = DEFAULT_FILTER_NAME,
		.match = "*",
		.limit = 10,
		.sort = SORT_TRENDING,
		.sort_given = true,
		.when = "",
		.file = "",
	};

	sub.address = addr->mailbox;
	sub.canonical = addr->canonical;
	sub.name = addr->name;
	sub.was = sub.file = "";
	sub.origin = ORIGIN_COMMAND;
	sub.nfilters = n > 0 ? n : 1;
	sub.filters = arena_array(a, sub.nfilters, sizeof(*sub.filters));
	if (sub.filters == NULL)
		return err_nomem(err, "subscribe");
	sub.filters[0] = trending;
	for (size_t i = 0; i < n; i++)
		sub.filters[i] = (struct filter){
			.name = filters[i].name, .match = filters[i].match, .when = "", .file = ""
		};
	return store_put_reader(run->store, &sub, "", clock_now_utc(&run->clock), err);
}

int
run_subscribe(struct run *run, const char *address, const struct run_filter *filters,
    size_t nfilters, struct error *err)
{
	struct change c = { .run = run };
	struct address addr;
	struct arena a;
	int found, suppressed, rc = -1;

	if (check_filters(filters, nfilters, err) == -1)
		return -1;
	arena_init(&a, MAX_READER_BYTES);
	if (address_parse(address, &a, &addr, NULL, err) == -1)
		goto out;
	c.canonical = addr.canonical;
	found = store_find_reader(run->store, c.canonical, &a, &c.reader, err);
	if (found == -1 || need_own(&c, err) == -1)
		goto out;
	suppressed = store_is_suppressed(run->store, c.canonical, NULL, NULL, err);
	if (suppressed == 1)
		err_set(err, ERR_USAGE,
		    "%s has left or must not be mailed; 'digest subscribers resume %s --consent "
		    "\"where, when\"' lifts that",
		    c.canonical, c.canonical);
	if (suppressed != 0 || store_begin(run->store, err) == -1)
		goto out;
	rc = store_end(run->store, put_reader(run, &addr, filters, nfilters, &a, err), true, err);
out:
	arena_release(&a);
	return rc;
}

static int
do_unsubscribe(struct change *c, struct error *err)
{
	if (store_suppress(c->run->store, c->canonical, SUPPRESSED_UNSUBSCRIBED, c->now_utc, err) ==
	    -1)
		return -1;
	if (c->reader == NULL || c->reader->state == READER_ENDED ||
	    c->reader->sub.origin == ORIGIN_FILE)
		return 0;
	return store_end_reader(c->run->store, c->reader->sub.id, c->now_utc, err);
}

int
run_unsubscribe(struct run *run, const char *address, struct error *err)
{
	return with_reader(run, address, "", 0, do_unsubscribe, err);
}

int
run_unsubscribe_token(struct run *run, const char *token, struct strbuf *address, struct error *err)
{
	struct store_reader *reader;
	struct token_keys *keys;
	struct arena a;
	uint32_t epoch;
	int64_t id;
	int rc = -1;

	if (token_key_load(run->cfg->list.key_file, false, &keys, err) == -1)
		return -1;
	arena_init(&a, MAX_READER_BYTES);
	/* Whatever is wrong with a token, the answer is the same: it tells nothing about who is a reader. */
	if (token_verify(keys, token, TOKEN_UNSUBSCRIBE, &id, &epoch) == 0 || epoch != 0 ||
	    store_load_reader(run->store, id, &a, &reader, err) != 1) {
		err_set(err, ERR_DATA, "the token is not valid");
	} else {
		strbuf_add(address, reader->sub.address);
		rc = run_unsubscribe(run, reader->sub.address, err);
	}
	arena_release(&a);
	token_keys_free(keys);
	return rc;
}

static int
do_pause(struct change *c, struct error *err)
{
	if (need_reader(c, err) == -1 || need_own(c, err) == -1)
		return -1;
	return store_pause_reader(c->run->store, c->reader->sub.id, c->day, err);
}

int
run_pause(struct run *run, const char *address, int32_t until_day, struct error *err)
{
	return with_reader(run, address, "", until_day, do_pause, err);
}

/* Lifts a pause, and with a consent also a suppression. */
static int
do_resume(struct change *c, struct error *err)
{
	int suppressed = store_is_suppressed(c->run->store, c->canonical, NULL, NULL, err);
	int32_t today;

	if (suppressed == -1)
		return -1;
	if (suppressed == 1) {
		if (c->text[0] == '\0')
			return err_set(err, ERR_USAGE,
			    "%s has left; to mail them again say how they asked for it: --consent "
			    "\"where, when\"",
			    c->canonical);
		if (store_unsuppress(c->run->store, c->canonical, c->text, c->now_utc, err) == -1)
			return -1;
	}
	if (c->reader == NULL)
		return suppressed == 1 ? 0 : need_reader(c, err);
	/* It ends today, rather than never having been: its days stay left out. */
	today = due_local_day(c->run, c->reader, c->now_utc);
	if (today > c->now_utc / DAY_SECONDS)
		today = (int32_t)(c->now_utc / DAY_SECONDS);
	return c->reader->sub.paused_until <= today
	    ? 0
	    : store_pause_reader(c->run->store, c->reader->sub.id, today, err);
}

int
run_resume(struct run *run, const char *address, const char *consent, struct error *err)
{
	return with_reader(run, address, consent, 0, do_resume, err);
}

static int
do_erase(struct change *c, struct error *err)
{
	if (need_reader(c, err) == -1 || need_own(c, err) == -1)
		return -1;
	return store_erase_reader(c->run->store, c->reader->sub.id, err);
}

int
run_erase(struct run *run, const char *address, struct error *err)
{
	return with_reader(run, address, "", 0, do_erase, err);
}
