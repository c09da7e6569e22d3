#include "stages.h"
#include "digest/limits.h"
#include "digest/map.h"

#include <stdlib.h>
#include <string.h>

/* Queries repeat between readers: this many compiled ones are kept by their text. */
enum { MAX_SHARED_PROGRAMS = 50000, DAY_SECONDS = 86400 };

struct planner {
	struct run *run;
	struct arena arena;    /* the window's papers and the texts of shared programs */
	struct paper **papers; /* in the order of their ids */
	size_t npapers;
	struct match_literals *literals;
	struct match_index *index;
	int64_t change_seq; /* newest when the window was loaded: where cursors move to */
	int64_t now_utc;
	uint64_t *bitmaps; /* four of nwords each: plain, signals, replaced, sent */
	size_t nwords;
	struct map shared; /* text of a query without @names -> index into programs */
	struct program **programs;
	size_t nprograms;
};

static int
load_window(struct planner *pl, int64_t since_utc, struct error *err)
{
	struct run *run = pl->run;
	const struct match_weights weights = { run->cfg->score.text, run->cfg->score.votes,
		run->cfg->score.trend, run->cfg->score.freshness };

	if (store_change_seq(run->store, &pl->change_seq, err) == -1 ||
	    store_load_window(run->store, since_utc, pl->now_utc, &pl->arena, &pl->papers,
		&pl->npapers, err) == -1 ||
	    match_literals_new(&pl->literals, err) == -1 ||
	    match_index_new(pl->papers, pl->npapers, pl->now_utc, &weights, pl->literals,
		&pl->index, err) == -1)
		return -1;
	pl->nwords = (pl->npapers + 63) / 64;
	pl->bitmaps = calloc(4 * pl->nwords + 1, sizeof(*pl->bitmaps));
	pl->programs = calloc(MAX_SHARED_PROGRAMS, sizeof(struct program *));
	if (pl->bitmaps == NULL || pl->programs == NULL)
		return err_nomem(err, "plan");
	return 0;
}

int
planner_new(
    struct run *run, int64_t since_utc, int64_t now_utc, struct planner **out, struct error *err)
{
	struct planner *pl = calloc(1, sizeof(*pl));

	if (pl == NULL)
		return err_nomem(err, "plan");
	pl->run = run;
	pl->now_utc = now_utc;
	arena_init(&pl->arena, MAX_RUN_BYTES);
	map_init(&pl->shared);
	if (load_window(pl, since_utc, err) == -1) {
		planner_free(pl);
		return -1;
	}
	*out = pl;
	return 0;
}

void
planner_free(struct planner *pl)
{
	if (pl == NULL)
		return;
	for (size_t i = 0; i < pl->nprograms; i++)
		match_program_free(pl->programs[i]);
	free(pl->programs);
	map_release(&pl->shared);
	match_index_free(pl->index);
	match_literals_free(pl->literals);
	free(pl->bitmaps);
	arena_release(&pl->arena);
	free(pl);
}

const struct paper *
planner_find_paper(const struct planner *pl, int64_t id, uint32_t revision)
{
	size_t low = 0, high = pl->npapers;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (pl->papers[mid]->id < id)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < pl->npapers && pl->papers[low]->id == id && pl->papers[low]->revision == revision)
		return pl->papers[low];
	return NULL;
}

static int
compile_filter(struct planner *pl, const struct subscriber *reader, const struct filter *f,
    struct arena *a, struct program **out, struct error *err)
{
	struct query *q;

	if (queries_read(pl->run->cfg, reader, f->name, f->match, a, &q, NULL, err) == -1)
		return err_prefix(err, "filter \"%s\"", f->name);
	return match_compile(pl->literals, q, out, err);
}

/* A program of this filter; *own tells whether the caller frees it. */
static int
get_program(struct planner *pl, const struct subscriber *reader, const struct filter *f,
    struct arena *a, struct program **out, bool *own, struct error *err)
{
	size_t len = strlen(f->match);
	const char *key;
	uint64_t at;

	*own = strchr(f->match, '@') != NULL || pl->nprograms == MAX_SHARED_PROGRAMS;
	if (!*own && map_get(&pl->shared, f->match, len, &at)) {
		*out = pl->programs[at];
		return 0;
	}
	if (compile_filter(pl, reader, f, a, out, err) == -1)
		return -1;
	if (*own)
		return 0;
	key = arena_strdup(&pl->arena, f->match);
	if (key == NULL || map_set(&pl->shared, key, len, pl->nprograms) == -1) {
		*own = true;
		return 0;
	}
	pl->programs[pl->nprograms++] = *out;
	return 0;
}

/* Names of the other filters that found the same paper, one a line. */
static const char *
join_names(const struct subscriber *reader, const struct pick *pick, struct arena *a)
{
	const char *text = "";

	for (size_t i = 0; i < pick->nalso_in && text != NULL; i++)
		text = arena_printf(
		    a, "%s%s%s", text, i > 0 ? "\n" : "", reader->filters[pick->also_in[i]].name);
	return text;
}

static int
add_pick(struct planner *pl, const struct subscriber *reader, const struct pick *pick,
    uint32_t section, bool cut, struct edition *out, struct arena *a)
{
	const struct paper *p = pl->papers[pick->paper];
	struct edition_pick *e = &out->picks[out->npicks++];

	e->paper = p->id;
	e->revision = p->revision;
	e->version = p->version;
	e->section = section;
	e->cut = cut;
	e->replaced = pick->replaced;
	e->score = (float)pick->score;
	e->score_text = (float)pick->text;
	e->score_votes = (float)pick->votes;
	e->score_trend = (float)pick->trend;
	e->score_freshness = (float)pick->freshness;
	e->why = pick->why;
	e->also_in = join_names(reader, pick, a);
	return e->also_in == NULL ? -1 : 0;
}

/* The result of matching as the edition remembers it: section by section, what is shown before what was cut. */
static int
collect_picks(struct planner *pl, const struct subscriber *reader, const struct match_request *req,
    struct edition *out, struct arena *a, struct error *err)
{
	size_t total = req->noutside;
	int rc = 0;

	for (size_t i = 0; i < req->nsections; i++)
		total += req->sections[i].npicks + req->sections[i].ncut;
	out->picks = arena_array(a, total, sizeof(*out->picks));
	if (out->picks == NULL)
		return err_nomem(err, "picks");
	for (size_t i = 0; i < req->nsections; i++) {
		const struct match_section *s = &req->sections[i];

		for (size_t j = 0; j < s->npicks; j++)
			rc |= add_pick(pl, reader, &s->picks[j], (uint32_t)i, false, out, a);
		for (size_t j = 0; j < s->ncut; j++)
			rc |= add_pick(pl, reader, &s->cut[j], (uint32_t)i, true, out, a);
		if (s->nmore > 0)
			out->picks[out->npicks - 1].more = (uint32_t)s->nmore;
	}
	for (size_t j = 0; j < req->noutside; j++)
		rc |= add_pick(pl, reader, &req->outside_picks[j], UINT32_MAX, false, out, a);
	return rc == 0 ? 0 : err_nomem(err, "picks");
}

static size_t
count_bits(const uint64_t *words, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += (size_t)__builtin_popcountll(words[i]);
	return count;
}

static int
match_reader(struct planner *pl, const struct store_reader *reader, struct match_request *req,
    const struct due *due, struct edition *out, struct arena *a, struct error *err)
{
	const int64_t extra = (int64_t)(SIGNAL_WINDOW_DAYS - WINDOW_DAYS) * DAY_SECONDS;
	const struct eligibility e = { reader->cursor_seq, due->since_utc, due->since_utc - extra };
	uint64_t *plain = pl->bitmaps, *signals = plain + pl->nwords;
	uint64_t *replaced = signals + pl->nwords, *was_sent = replaced + pl->nwords;
	struct sent_list sent;

	if (store_load_sent(pl->run->store, reader->sub.id, a, &sent, err) == -1)
		return -1;
	store_mark_sent(&sent, pl->papers, pl->npapers, was_sent);
	store_mark_eligible(&e, &sent, pl->papers, pl->npapers, plain, signals, replaced);
	req->plain = plain;
	req->signals = signals;
	req->replaced = replaced;
	req->sent = was_sent;
	req->max_papers = reader->sub.max_papers;
	req->outside = reader->sub.outside;
	if (match_run(pl->index, req, a, err) == -1)
		return -1;
	out->nread = (uint32_t)count_bits(plain, pl->nwords);
	out->nmatched = (uint32_t)req->nmatched;
	return collect_picks(pl, &reader->sub, req, out, a, err);
}

/* Every paper of the reader's window that was not sent, whether it was looked at before or not, into the planner's plain
 * bitmap, and what was sent into the last one. */
static int
mark_window(struct planner *pl, const struct store_reader *reader, const struct due *due,
    struct arena *a, struct error *err)
{
	const struct eligibility e = { -1, due->since_utc, due->since_utc };
	uint64_t *plain = pl->bitmaps, *signals = plain + pl->nwords;
	uint64_t *was_sent = signals + 2 * pl->nwords;
	struct sent_list sent;

	if (store_load_sent(pl->run->store, reader->sub.id, a, &sent, err) == -1)
		return -1;
	memset(was_sent, 0, pl->nwords * sizeof(*was_sent));
	store_mark_sent(&sent, pl->papers, pl->npapers, was_sent);
	store_mark_eligible(&e, &sent, pl->papers, pl->npapers, plain, signals, NULL);
	return 0;
}

/* Set bit i where some filter of the reader matches paper i. */
static int
evaluate_filters(struct planner *pl, const struct subscriber *sub, const uint64_t *was_sent,
    uint64_t *one, uint64_t *all, struct arena *a, struct error *err)
{
	for (size_t i = 0; i < sub->nfilters; i++) {
		struct program *program = NULL;
		bool own;
		int rc = get_program(pl, sub, &sub->filters[i], a, &program, &own, err);

		if (rc == 0)
			rc = match_evaluate(pl->index, program, was_sent, one, err);
		if (rc == 0 && own)
			match_program_free(program);
		if (rc == -1)
			return -1;
		for (size_t w = 0; w < pl->nwords; w++)
			all[w] |= one[w];
	}
	return 0;
}

int
planner_count_matching(struct planner *pl, const struct store_reader *reader, const struct due *due,
    struct arena *a, size_t *nsent, size_t *nunsent, struct error *err)
{
	const uint64_t *plain = pl->bitmaps, *was_sent = plain + 3 * pl->nwords;
	uint64_t *one = arena_array(a, pl->nwords, sizeof(*one));
	uint64_t *all = arena_array(a, pl->nwords, sizeof(*all));

	if (one == NULL || all == NULL)
		return err_nomem(err, "plan");
	if (mark_window(pl, reader, due, a, err) == -1 ||
	    evaluate_filters(pl, &reader->sub, was_sent, one, all, a, err) == -1)
		return -1;
	*nsent = *nunsent = 0;
	for (size_t w = 0; w < pl->nwords; w++) {
		*nsent += (size_t)__builtin_popcountll(all[w] & was_sent[w]);
		*nunsent += (size_t)__builtin_popcountll(all[w] & plain[w]);
	}
	return 0;
}

int
planner_add_near(struct planner *pl, const struct store_reader *reader, const struct due *due,
    size_t max, struct arena *a, struct edition *e, struct error *err)
{
	const struct subscriber *sub = &reader->sub;
	const struct query **queries = arena_array(a, sub->nfilters, sizeof(*queries));
	const uint64_t *was_sent = pl->bitmaps + 3 * pl->nwords;
	struct near_miss *misses;
	struct edition_pick *picks;
	size_t n;

	if (queries == NULL)
		return err_nomem(err, "plan");
	for (size_t i = 0; i < sub->nfilters; i++) {
		struct query *q;

		if (queries_read(pl->run->cfg, sub, sub->filters[i].name, sub->filters[i].match, a,
			&q, NULL, err) == -1)
			return err_prefix(err, "filter \"%s\"", sub->filters[i].name);
		queries[i] = q;
	}
	if (mark_window(pl, reader, due, a, err) == -1 ||
	    match_near(pl->index, pl->literals, queries, sub->nfilters, pl->bitmaps, was_sent, max,
		a, &misses, &n, err) == -1)
		return -1;
	if ((picks = arena_array(a, n + e->npicks, sizeof(*picks))) == NULL)
		return err_nomem(err, "picks");
	for (size_t i = 0; i < n; i++) {
		const struct paper *p = pl->papers[misses[i].paper];

		picks[i] = (struct edition_pick){ .paper = p->id,
			.revision = p->revision,
			.version = p->version,
			.section = UINT32_MAX,
			.cut = true,
			.why = "",
			.also_in = "" };
	}
	if (e->npicks > 0)
		memcpy(picks + n, e->picks, e->npicks * sizeof(*picks));
	e->picks = picks;
	e->npicks += n;
	return 0;
}

int
planner_plan(struct planner *pl, const struct store_reader *reader, const struct due *due,
    struct arena *a, struct edition *out, struct error *err)
{
	size_t n = reader->sub.nfilters;
	struct match_request req = { .nsections = n };
	bool *own = arena_array(a, n, sizeof(*own));
	struct program **programs = arena_array(a, n, sizeof(struct program *));
	int rc = 0;

	req.sections = arena_array(a, n, sizeof(*req.sections));
	if (own == NULL || programs == NULL || req.sections == NULL)
		return err_nomem(err, "plan");
	match_trim(pl->index);
	for (size_t i = 0; i < n && rc == 0; i++) {
		const struct filter *f = &reader->sub.filters[i];

		rc = get_program(pl, &reader->sub, f, a, &programs[i], &own[i], err);
		req.sections[i].program = programs[i];
		req.sections[i].limit = f->limit > 0 ? f->limit : reader->sub.limit;
		req.sections[i].sort = f->sort;
	}
	memset(out, 0, sizeof(*out));
	out->period = due->period;
	out->reader = reader->sub.id;
	out->state = EDITION_LEASED;
	out->cursor_from = reader->cursor_seq;
	out->cursor_to = pl->change_seq;
	out->composed_utc = pl->now_utc;
	out->day = due->day;
	out->since_day = due->since_day;
	out->note = "";
	if (rc == 0)
		rc = match_reader(pl, reader, &req, due, out, a, err);
	for (size_t i = 0; i < n; i++)
		if (own[i] && programs[i] != NULL)
			match_program_free(programs[i]);
	return rc;
}
