#include "run/wish.h"
#include "digest/limits.h"
#include "digest/text.h"
#include "digest/utf8.h"

#include <string.h>

/* ---- filters ---- */

/* What a reader has who never asked for anything. */
static bool
is_trending(const struct filter *f)
{
	return strcmp(f->name, filter_trending.name) == 0 &&
	    strcmp(f->match, filter_trending.match) == 0 && f->sort == filter_trending.sort;
}

static size_t
find_filter(const struct subscriber *sub, const char *name)
{
	return filter_find(sub->filters, sub->nfilters, name);
}

static void
remove_filter(struct subscriber *sub, size_t i)
{
	sub->nfilters--;
	memmove(
	    sub->filters + i, sub->filters + i + 1, (sub->nfilters - i) * sizeof(*sub->filters));
}

/* In place of the one of its name. Room is there. */
static void
put_filter(struct subscriber *sub, const struct filter *f)
{
	size_t i = find_filter(sub, f->name);

	sub->filters[i] = *f;
	sub->filters[i].file = "";
	sub->nfilters += i == sub->nfilters;
}

static int
check_filter_name(const char *name, struct error *err)
{
	if (name[0] == '\0')
		return err_set(err, ERR_DATA, "a filter without a name; expected NAME=QUERY");
	if (strlen(name) > MAX_NAME_BYTES)
		return err_set(err, ERR_DATA, "a filter's name of %zu bytes; expected at most %u",
		    strlen(name), MAX_NAME_BYTES);
	for (const char *p = name; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			return err_set(
			    err, ERR_DATA, "a control character in the name of a filter");
	if (!utf8_is_valid(name, strlen(name)))
		return err_set(err, ERR_DATA, "the name of a filter is not UTF-8");
	return 0;
}

static int
check_filter(
    struct run *run, const struct subscriber *sub, const struct filter *f, struct error *err)
{
	size_t offset = 0;

	if (run_config_checks.query(f->match, &offset, err) == -1 ||
	    run_config_checks.names(run->cfg, sub, f, &offset, err) == -1)
		return err_prefix(err, "filter \"%s\", character %zu", f->name, offset + 1);
	if (f->when[0] != '\0' &&
	    (strcmp(f->when, "always") == 0 ||
		run_config_checks.schedule(f->when, &offset, err) == -1))
		return err_set(err, ERR_DATA,
		    "filter \"%s\": when '%.40s'; expected days, as in 'mon 08:00'", f->name,
		    f->when);
	if (f->limit > MAX_SECTION_PICKS)
		return err_set(err, ERR_DATA, "filter \"%s\": limit %u; expected at most %d",
		    f->name, (unsigned)f->limit, MAX_SECTION_PICKS);
	return 0;
}

static int
fail_no_shared(const struct config *cfg, const char *name, struct arena *a, struct error *err)
{
	const char **names = arena_array(a, cfg->nshared + 1, sizeof(*names)), *near;

	if (names == NULL)
		return err_nomem(err, "reader");
	for (size_t i = 0; i < cfg->nshared; i++)
		names[i] = cfg->shared[i].name;
	near = text_nearest(name, names);
	return err_set(err, ERR_DATA, "there is no shared filter '%.60s'%s%s%s", name,
	    near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
	    near != NULL ? "'?" : "");
}

/* The shared filter under its name: its query is looked up anew by each run, as @name inside a filter so called means it. */
static int
use_shared(
    struct run *run, struct subscriber *sub, const char *name, struct arena *a, struct error *err)
{
	const struct config *cfg = run->cfg;
	const size_t i = filter_find(cfg->shared, cfg->nshared, name);
	struct filter f;

	if (i == cfg->nshared)
		return fail_no_shared(cfg, name, a, err);
	if (strpbrk(name, "\"\\") != NULL)
		return err_set(err, ERR_DATA,
		    "the shared filter '%.60s' has a quote in its name and cannot be used by name",
		    name);
	f = cfg->shared[i];
	f.sort_given = true;
	if ((f.match = arena_printf(a, "@\"%s\"", name)) == NULL)
		return err_nomem(err, "reader");
	put_filter(sub, &f);
	return 0;
}

static int
take_filter(struct subscriber *sub, const struct filter *f, struct error *err)
{
	size_t i;

	if (check_filter_name(f->name, err) == -1)
		return -1;
	if (f->match[0] != '\0') {
		put_filter(sub, f);
		return 0;
	}
	if ((i = find_filter(sub, f->name)) == sub->nfilters)
		return err_set(err, ERR_DATA, "there is no filter '%.60s' to be removed", f->name);
	remove_filter(sub, i);
	return 0;
}

/* The filters there are with those wished; nobody is left without one. */
static int
join_filters(struct run *run, const struct run_wish *wish, bool is_new, struct arena *a,
    struct subscriber *sub, const char **wrong, struct error *err)
{
	const struct filter *before = sub->filters;
	const size_t nbefore = wish->whole ? 0 : sub->nfilters;
	const struct config *cfg = run->cfg;
	bool asks = wish->nfilters + wish->nuse > 0;

	sub->filters = arena_array(
	    a, nbefore + wish->nfilters + wish->nuse + cfg->ndefault_use + 1, sizeof(*before));
	if (sub->filters == NULL)
		return err_nomem(err, "reader");
	sub->nfilters = 0;
	for (size_t i = 0; i < nbefore; i++)
		if (!asks || !is_trending(&before[i]))
			put_filter(sub, &before[i]);
	*wrong = "filter";
	for (size_t i = 0; i < wish->nfilters; i++)
		if (take_filter(sub, &wish->filters[i], err) == -1)
			return -1;
	*wrong = "use";
	for (size_t i = 0; i < wish->nuse; i++)
		if (use_shared(run, sub, wish->use[i], a, err) == -1)
			return -1;
	is_new = is_new && !wish->whole && wish->nuse == 0;
	for (size_t i = 0; is_new && i < cfg->ndefault_use; i++)
		if (find_filter(sub, cfg->default_use[i]) == sub->nfilters &&
		    use_shared(run, sub, cfg->default_use[i], a, err) == -1)
			return -1;
	*wrong = "filter";
	if (sub->nfilters == 0)
		put_filter(sub, &filter_trending);
	if (sub->nfilters > MAX_READER_FILTERS)
		return err_set(err, ERR_DATA, "%zu filters; expected at most %d", sub->nfilters,
		    MAX_READER_FILTERS);
	for (size_t i = 0; i < sub->nfilters; i++)
		if (check_filter(run, sub, &sub->filters[i], err) == -1)
			return -1;
	return 0;
}

/* ---- the reader ---- */

/*
 * The reader that a wish describes: goes on from known, or begins with the defaults. *out lives in a and borrows from the
 * wish and from known.
 */
static int
read_wish(struct run *run, const struct run_wish *wish, const struct address *addr,
    const struct store_reader *known, struct arena *a, struct subscriber *out, const char **wrong,
    struct error *err)
{
	struct subscriber sub = known != NULL ? known->sub : run->cfg->defaults;

	if (known == NULL) {
		sub.filters = NULL;
		sub.nfilters = 0;
	}
	sub.address = addr->mailbox;
	sub.canonical = addr->canonical;
	sub.was = sub.file = "";
	sub.line = 0;
	sub.origin = ORIGIN_COMMAND;
	*wrong = "consent";
	if (strlen(wish->consent) > MAX_CONSENT_TEXT)
		return err_set(err, ERR_DATA, "a consent of %zu bytes; expected at most %u",
		    strlen(wish->consent), MAX_CONSENT_TEXT);
	*wrong = "name";
	if (addr->name[0] != '\0' &&
	    config_set_reader_key(run->cfg, "name", addr->name, a, &sub, err) == -1)
		return -1;
	for (size_t i = 0; i < wish->nkeys; i++) {
		*wrong = wish->keys[i].key;
		if (config_set_reader_key(
			run->cfg, wish->keys[i].key, wish->keys[i].text, a, &sub, err) == -1)
			return -1;
	}
	if (join_filters(run, wish, known == NULL, a, &sub, wrong, err) == -1)
		return -1;
	*out = sub;
	return 0;
}

static bool
same_filter(const struct filter *a, const struct filter *b)
{
	return strcmp(a->name, b->name) == 0 && strcmp(a->match, b->match) == 0 &&
	    strcmp(a->when, b->when) == 0 && a->limit == b->limit && a->sort == b->sort;
}

/* "name, filter mine" */
static void
add_changes(struct strbuf *out, const struct subscriber *before, const struct subscriber *after)
{
	size_t k;

	config_add_reader_changes(out, before, after);
	if (strcmp(before->address, after->address) != 0)
		strbuf_addf(out, "%saddress", out->len > 0 ? ", " : "");
	for (size_t i = 0; i < after->nfilters; i++) {
		k = find_filter(before, after->filters[i].name);
		if (k == before->nfilters || !same_filter(&before->filters[k], &after->filters[i]))
			strbuf_addf(
			    out, "%sfilter %s", out->len > 0 ? ", " : "", after->filters[i].name);
	}
	for (size_t i = 0; i < before->nfilters; i++)
		if (find_filter(after, before->filters[i].name) == after->nfilters)
			strbuf_addf(out, "%sno filter %s", out->len > 0 ? ", " : "",
			    before->filters[i].name);
}

/* What is added to the record: what an export tells, and this time when it is one of consenting. */
static void
add_consents(struct strbuf *out, const struct run_wish *wish, bool begins, int64_t now_utc)
{
	const struct store_consent c = { now_utc, wish->how, wish->consent };

	strbuf_add(out, wish->record);
	if (wish->consent[0] != '\0' || (begins && wish->record[0] == '\0'))
		store_add_consent(out, &c);
}

/*
 * A pause is kept beside the reader, so that it can be ended by command.
 * known	NULL = the store knew nothing of them
 */
static int
put_reader(struct run *run, struct subscriber *sub, const struct store_reader *known,
    const char *record, struct error *err)
{
	const int32_t until = sub->paused_until;
	struct store_reader *stored;
	struct arena a;
	int rc;

	sub->paused_until = 0;
	if (store_put_reader(run->store, sub, record, clock_now_utc(&run->clock), err) == -1)
		return -1;
	sub->paused_until = until;
	if (until == (known != NULL ? known->sub.paused_until : 0))
		return 0;
	arena_init(&a, MAX_READER_BYTES);
	rc = store_find_reader(run->store, sub->canonical, &a, &stored, err) != 1
	    ? -1
	    : store_pause_reader(run->store, stored->sub.id, until, err);
	arena_release(&a);
	return rc;
}

int
wish_put(struct run *run, const struct run_wish *wish, const struct address *addr, struct arena *a,
    enum run_taken *taken, struct strbuf *changes, const char **wrong, struct error *err)
{
	struct store_reader *known = NULL, *goes_on;
	struct strbuf told, record;
	struct subscriber sub;
	int rc = -1;

	*wrong = "address";
	if (store_find_reader(run->store, addr->canonical, a, &known, err) == -1)
		return -1;
	goes_on = known != NULL && known->state == READER_ACTIVE ? known : NULL;
	if (read_wish(run, wish, addr, goes_on, a, &sub, wrong, err) == -1)
		return -1;
	strbuf_init(&told, MAX_READER_BYTES);
	strbuf_init(&record, 2 * MAX_CONSENT_BYTES);
	if (goes_on != NULL)
		add_changes(&told, &goes_on->sub, &sub);
	/* That of an import comes again with the file. */
	if (goes_on != NULL && wish->consent[0] != '\0' && strcmp(wish->how, "import") != 0)
		strbuf_addf(&told, "%sconsent", told.len > 0 ? ", " : "");
	*taken = goes_on == NULL ? TAKEN_NEW : told.len > 0 ? TAKEN_CHANGED : TAKEN_SAME;
	add_consents(&record, wish, goes_on == NULL, clock_now_utc(&run->clock));
	if (changes != NULL)
		strbuf_add(changes, told.buf);
	if (strbuf_check(&told, err) == 0 && strbuf_check(&record, err) == 0)
		rc = *taken == TAKEN_SAME && record.len == 0
		    ? 0
		    : put_reader(run, &sub, known, record.buf, err);
	strbuf_release(&record);
	strbuf_release(&told);
	return rc;
}
