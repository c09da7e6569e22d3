/* Everything the store knows of one person. */
#include "digest/limits.h"
#include "run/returns.h"
#include "run/wish.h"

#include <string.h>

enum { DAY_SECONDS = 86400, MAX_EDITIONS = 100000, MAX_OF_DAY = 128 };

/* Under which filter, and how it got there. */
static struct value *
pick_value(
    struct run *run, const struct subscriber *sub, const struct edition_pick *p, struct arena *a)
{
	struct value *v = value_object(a);
	struct paper *paper = NULL;
	int found = store_load_paper(run->store, p->paper, a, &paper, NULL);
	const char *section = p->section == SECTION_OUTSIDE ? "outside"
	    : p->section == SECTION_UPDATES		    ? "updates"
	    : p->section < sub->nfilters		    ? sub->filters[p->section].name
							    : "";

	value_set_string(a, v, "key", found == 1 ? paper->key : "");
	value_set_string(a, v, "title", found == 1 ? paper->title : "");
	value_set_string(a, v, "section", section);
	value_set_string(a, v, "why", p->why);
	value_set_number(a, v, "version", p->version != VERSION_WITHDRAWN ? p->version : 0);
	value_set_bool(a, v, "cut", p->cut);
	return v;
}

static struct value *
edition_value(
    struct run *run, const struct subscriber *sub, const struct edition *e, struct arena *a)
{
	struct value *v = value_object(a), *papers = value_list(a);
	char period[DATE_RFC3339_SIZE];

	period_format(e->period, period);
	value_set_string(a, v, "type", "edition");
	value_set_string(a, v, "address", sub->address);
	value_set_string(a, v, "period", arena_strdup(a, period));
	value_set_string(a, v, "state", edition_state_name(e->state));
	value_set_number(a, v, "composed", e->composed_utc);
	value_set_number(a, v, "tried", e->tried_utc);
	value_set_string(a, v, "via", e->via);
	value_set_number(a, v, "attempts", e->attempts);
	value_set_number(a, v, "copies", e->copies);
	value_set_string(a, v, "reply", e->reply);
	value_set_string(a, v, "note", e->note);
	for (size_t i = 0; i < e->npicks; i++)
		value_append(a, papers, pick_value(run, sub, &e->picks[i], a));
	value_set(a, v, "papers", papers);
	return v;
}

static int
put_editions(struct run *run, const struct subscriber *sub, const struct edition *editions,
    size_t n, void (*visit)(void *arg, const struct value *line), void *arg, struct error *err)
{
	struct arena a;
	int rc = 0;

	arena_init(&a, MAX_READER_BYTES);
	for (size_t i = 0; rc == 0 && i < n; i++) {
		arena_reset(&a);
		visit(arg, edition_value(run, sub, &editions[i], &a));
		rc = value_check(&a, err);
	}
	arena_release(&a);
	return rc;
}

static int
export_stranger(struct run *run, const char *canonical, struct arena *a,
    void (*visit)(void *arg, const struct value *line), void *arg, struct error *err)
{
	enum suppression_reason reason;
	int64_t since_utc;
	int left = store_is_suppressed(run->store, canonical, &reason, &since_utc, err);
	struct value *v;

	if (left == -1)
		return -1;
	if (left == 0)
		return err_set(err, ERR_USAGE,
		    "%s is not a reader; nothing is kept of this address", canonical);
	v = value_object(a);
	value_set_string(a, v, "type", "suppressed");
	value_set_string(a, v, "address", canonical);
	value_set_string(a, v, "left", run_reason_name(reason));
	value_set_number(a, v, "left_since", since_utc);
	visit(arg, v);
	return value_check(a, err);
}

/* Comments end with their line: a record has no control characters, and no line break that Unicode knows is one here. */
void
run_add_reader_block(
    struct run *run, struct strbuf *out, const struct store_reader *r, struct arena *a)
{
	struct subscriber sub = r->sub;
	struct store_consent *consents;
	char at[DATE_RFC3339_SIZE];
	size_t n;

	/* A zone cannot be said to be none. */
	if (sub.timezone[0] == '\0' && run->cfg->defaults.timezone[0] != '\0')
		sub.timezone = run->zone;
	if (store_read_consents(r->consent, a, &consents, &n, NULL) == 0)
		for (size_t i = 0; i < n; i++) {
			date_format_rfc3339(consents[i].at_utc, at);
			strbuf_addf(out, "# %s %s %s\n", consents[i].at_utc != 0 ? at : "-",
			    consents[i].how, consents[i].text);
		}
	config_add_reader(out, run->cfg, &sub);
}

/* What they asked by mail, and what came back from their address. */
static int
export_returned(struct run *run, const struct store_reader *r, struct arena *a,
    void (*visit)(void *arg, const struct value *line), void *arg, struct error *err)
{
	struct run_returned *rows;
	struct value *v;
	size_t n;

	if (run_load_returned(run, r->sub.id, MAX_EDITIONS, a, &rows, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		v = run_returned_value(&rows[i], a);
		value_set_string(a, v, "type", "incoming");
		visit(arg, v);
	}
	return 0;
}

int
run_export_person(struct run *run, const char *address, struct arena *a,
    void (*visit)(void *arg, const struct value *line), void *arg, struct error *err)
{
	struct edition *editions;
	struct store_reader *r;
	const char *canonical;
	size_t n;
	int found;

	if (run_canonical(address, a, &canonical, err) == -1 ||
	    (found = store_find_reader(run->store, canonical, a, &r, err)) == -1)
		return -1;
	if (found == 0)
		return export_stranger(run, canonical, a, visit, arg, err);
	if (store_load_editions(run->store, r->sub.id, MAX_EDITIONS, a, &editions, &n, err) == -1)
		return -1;
	visit(arg, run_reader_value(run, r, a));
	if (put_editions(run, &r->sub, editions, n, visit, arg, err) == -1 ||
	    export_returned(run, r, a, visit, arg, err) == -1)
		return -1;
	return value_check(a, err);
}

/*
 * Those that left, or may have, since the day of the last one began: so far back an import looks for new papers, see
 * forget_earlier() in due.c. Most have one; who is mailed at each run may have one for each quarter of an hour.
 */
static int
load_last_day(struct run *run, const struct store_reader *r, struct arena *a, struct edition **out,
    size_t *n, struct error *err)
{
	const int64_t since_utc = r->last_edition_utc - r->last_edition_utc % DAY_SECONDS;
	struct edition *all;
	size_t found, max = 1;

	do {
		max *= 2;
		if (store_load_editions(run->store, r->sub.id, max, a, &all, &found, err) == -1)
			return -1;
	} while (found == max && max < MAX_OF_DAY && all[found - 1].composed_utc >= since_utc);
	*out = all;
	*n = 0;
	for (size_t i = 0; i < found; i++)
		if (all[i].composed_utc >= since_utc &&
		    (all[i].state == EDITION_SENT || all[i].state == EDITION_UNKNOWN))
			all[(*n)++] = all[i];
	return 0;
}

int
run_export_reader(struct run *run, const struct store_reader *r, struct arena *a,
    void (*visit)(void *arg, const struct value *line), void *arg, struct error *err)
{
	struct edition *editions;
	size_t n;

	arena_reset(a);
	visit(arg, run_reader_value(run, r, a));
	if (load_last_day(run, r, a, &editions, &n, err) == -1 ||
	    put_editions(run, &r->sub, editions, n, visit, arg, err) == -1)
		return -1;
	return value_check(a, err);
}
