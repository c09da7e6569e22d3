#include "stages.h"
#include "digest/limits.h"

#include <stdlib.h>
#include <string.h>

/* Queries repeat between readers: this many compiled ones are kept by their text. */
enum {
	DAY_SECONDS = 86400,
	UPDATE_DAYS = 30, /* so long after a withdrawal or a new version it is told */
	MAX_UPDATES = 20, /* in one edition; the others wait for the next */
};

struct planner {
	struct run *run;
	struct arena arena;    /* the window's papers and the texts of shared programs */
	struct paper **papers; /* in the order of their ids */
	size_t npapers;
	int64_t *ids;		  /* of the papers: there they are found without a look at each */
	struct store_move *moves; /* of the last weeks, in the order of papers */
	size_t nmoves;
	struct programs *programs;
	struct match_index *index;
	int64_t change_seq; /* newest when the window was loaded: where cursors move to */
	int64_t now_utc;
	uint64_t *bitmaps; /* four of nwords each: plain, signals, replaced, sent */
	uint64_t *
	    news; /* two of nwords each: plain, signals, of the last eligibility, before what was sent */
	struct eligibility news_of;
	pthread_mutex_t *store_lock; /* NULL = nobody else uses the store */
	bool has_news;
	size_t nwords;
};

static int
load_window(struct planner *pl, int64_t since_utc, struct error *err)
{
	struct run *run = pl->run;
	const struct match_weights weights = { run->cfg->score.text, run->cfg->score.votes,
		run->cfg->score.trend, run->cfg->score.freshness };

	if (store_change_seq(run->store, &pl->change_seq, err) == -1 ||
	    store_load_moves(run->store, pl->now_utc - (int64_t)UPDATE_DAYS * DAY_SECONDS,
		&pl->arena, &pl->moves, &pl->nmoves, err) == -1 ||
	    store_load_window(run->store, since_utc, pl->now_utc, &pl->arena, &pl->papers,
		&pl->npapers, err) == -1 ||
	    programs_new(run, &pl->programs, err) == -1 ||
	    match_index_new(pl->papers, pl->npapers, pl->now_utc, &weights,
		programs_literals(pl->programs), &pl->index, err) == -1)
		return -1;
	pl->nwords = (pl->npapers + 63) / 64;
	pl->ids = arena_array(&pl->arena, pl->npapers, sizeof(*pl->ids));
	pl->bitmaps = calloc(4 * pl->nwords + 1, sizeof(*pl->bitmaps));
	pl->news = calloc(2 * pl->nwords + 1, sizeof(*pl->news));
	if (pl->bitmaps == NULL || pl->news == NULL || pl->ids == NULL)
		return err_nomem(err, "plan");
	for (size_t i = 0; i < pl->npapers; i++)
		pl->ids[i] = pl->papers[i]->id;
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
	match_index_free(pl->index);
	programs_free(pl->programs);
	free(pl->bitmaps);
	free(pl->news);
	arena_release(&pl->arena);
	free(pl);
}

void
planner_share_store(struct planner *pl, pthread_mutex_t *lock)
{
	pl->store_lock = lock;
}

static void
take_store(struct planner *pl)
{
	if (pl->store_lock != NULL)
		pthread_mutex_lock(pl->store_lock);
}

static void
give_store(struct planner *pl)
{
	if (pl->store_lock != NULL)
		pthread_mutex_unlock(pl->store_lock);
}

const struct paper *
planner_find_paper(const struct planner *pl, int64_t id, uint32_t revision)
{
	size_t low = 0, high = pl->npapers;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (pl->ids[mid] < id)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < pl->npapers && pl->ids[low] == id && pl->papers[low]->revision == revision)
		return pl->papers[low];
	return NULL;
}

/* The sections of one reader's edition: the filters that have their turn. */
struct sections {
	struct match_section *list;
	uint32_t *filters; /* of each section, the number of its filter */
	size_t n;
};

/* Names of the other filters that found the same paper, one a line. */
static const char *
join_names(const struct subscriber *reader, const struct sections *sections,
    const struct pick *pick, struct arena *a)
{
	const char *text = "";

	for (size_t i = 0; i < pick->nalso_in && text != NULL; i++)
		text = arena_printf(a, "%s%s%s", text, i > 0 ? "\n" : "",
		    reader->filters[sections->filters[pick->also_in[i]]].name);
	return text;
}

static void
add_pick(struct planner *pl, const struct pick *pick, uint32_t filter, bool cut,
    const char *also_in, struct edition *out)
{
	const struct paper *p = pl->papers[pick->paper];
	struct edition_pick *e = &out->picks[out->npicks++];

	e->paper = p->id;
	e->revision = p->revision;
	e->version = p->version;
	e->section = filter;
	e->cut = cut;
	e->replaced = pick->replaced;
	e->score = (float)pick->score;
	e->score_text = (float)pick->text;
	e->score_votes = (float)pick->votes;
	e->score_trend = (float)pick->trend;
	e->score_freshness = (float)pick->freshness;
	e->why = pick->why;
	e->also_in = also_in;
}

/* A limit of one edition, for one that has room for those that were missed. */
static uint32_t
stretch(uint32_t limit, const struct due *due)
{
	uint64_t all = (uint64_t)limit * due->nperiods;

	if (all <= MAX_CATCH_UP_PAPERS || due->nperiods == 1)
		return (uint32_t)all;
	return limit > MAX_CATCH_UP_PAPERS ? limit : MAX_CATCH_UP_PAPERS;
}

/* Those of a section's papers that did not satisfy its query when the reader last got an edition. */
static int
mark_risen(struct planner *pl, const struct store_reader *reader, const struct match_section *s,
    struct edition_pick *picks, struct arena *a, struct error *err)
{
	for (size_t i = 0; i < s->npicks; i++) {
		uint32_t number = s->picks[i].paper;
		int risen = 0;

		if (!s->picks[i].replaced) {
			take_store(pl);
			risen =
			    risen_judge(pl->run, pl->index, s->program, number, pl->papers[number],
				reader->cursor_seq == -1 ? 0 : reader->last_edition_utc, a, err);
			give_store(pl);
		}
		if (risen == -1)
			return -1;
		picks[i].risen = risen == 1;
	}
	return 0;
}

static bool
is_picked(const struct edition *e, int64_t paper)
{
	for (size_t i = 0; i < e->npicks; i++)
		if (e->picks[i].paper == paper)
			return true;
	return false;
}

/* What happened to papers that the reader was sent, behind all other picks: first what was taken back. */
static void
add_updates(struct planner *pl, const struct store_reader *reader, const struct sent_list *sent,
    struct edition *out)
{
	const bool wanted[] = { reader->sub.updates == UPDATES_ALL,
		reader->sub.updates != UPDATES_OFF };
	const struct store_move *moves[MAX_UPDATES];
	size_t room = MAX_UPDATES;

	for (int withdrawn = 1; withdrawn >= 0; withdrawn--) {
		size_t n = !wanted[withdrawn]
		    ? 0
		    : store_find_moves(sent, pl->moves, pl->nmoves, withdrawn == 1, moves, room);

		for (size_t i = 0; i < n; i++) {
			if (is_picked(out, moves[i]->paper))
				continue;
			out->picks[out->npicks++] = (struct edition_pick){
				.paper = moves[i]->paper,
				.revision = moves[i]->revision,
				.version = withdrawn == 1 ? VERSION_WITHDRAWN : moves[i]->version,
				.section = SECTION_UPDATES,
				.why = "",
				.also_in = "",
			};
			room--;
		}
	}
}

/* The words that the section's query found in the texts a card shows. */
static int
add_marks(struct planner *pl, const struct match_terms *terms, uint32_t number,
    struct edition_pick *out, struct arena *a, struct error *err)
{
	struct paper_mark *marks;

	if (match_find_marks(
		pl->index, terms, number, MAX_PICK_MARKS, a, &marks, &out->nmarks, err) == -1)
		return -1;
	out->marks = marks;
	return 0;
}

/* What one section shows, and behind it what was cut. */
static int
collect_section(struct planner *pl, const struct store_reader *reader,
    const struct sections *sections, size_t section, struct edition *out, struct arena *a,
    struct error *err)
{
	const struct match_section *s = &sections->list[section];
	uint32_t filter = sections->filters[section];
	size_t first = out->npicks;
	struct match_terms *terms;

	if (match_read_terms(pl->index, s->program, a, &terms, err) == -1)
		return -1;
	for (size_t i = 0; i < s->npicks; i++) {
		const char *names = join_names(&reader->sub, sections, &s->picks[i], a);

		if (names == NULL)
			return err_nomem(err, "picks");
		add_pick(pl, &s->picks[i], filter, false, names, out);
		if (add_marks(pl, terms, s->picks[i].paper, &out->picks[out->npicks - 1], a, err) ==
		    -1)
			return -1;
	}
	if (mark_risen(pl, reader, s, out->picks + first, a, err) == -1)
		return -1;
	for (size_t i = 0; i < s->ncut; i++)
		add_pick(pl, &s->cut[i], filter, true, "", out);
	if (s->nmore > 0)
		out->picks[out->npicks - 1].more = (uint32_t)s->nmore;
	return 0;
}

/* The result of matching as the edition remembers it: section by section, then what is popular outside, then updates. */
static int
collect_picks(struct planner *pl, const struct store_reader *reader,
    const struct sections *sections, const struct match_request *req, const struct sent_list *sent,
    struct edition *out, struct arena *a, struct error *err)
{
	size_t total = req->noutside + MAX_UPDATES;

	for (size_t i = 0; i < sections->n; i++)
		total += sections->list[i].npicks + sections->list[i].ncut;
	out->picks = arena_array(a, total, sizeof(*out->picks));
	if (out->picks == NULL)
		return err_nomem(err, "picks");
	for (size_t i = 0; i < sections->n; i++)
		if (collect_section(pl, reader, sections, i, out, a, err) == -1)
			return -1;
	for (size_t i = 0; i < req->noutside; i++)
		add_pick(pl, &req->outside_picks[i], SECTION_OUTSIDE, false, "", out);
	add_updates(pl, reader, sent, out);
	return 0;
}

/* A section with a schedule of its own chooses from its whole period. */
static int
mark_period(struct planner *pl, const struct due_slot *turn, const struct sent_list *sent,
    struct match_section *s, struct arena *a, struct error *err)
{
	const int64_t extra = (int64_t)(SIGNAL_WINDOW_DAYS - WINDOW_DAYS) * DAY_SECONDS;
	const struct eligibility e = { turn->from.cursor_seq, turn->since_utc,
		turn->since_utc - extra };
	uint64_t *bits = arena_array(a, 3 * pl->nwords, sizeof(*bits));

	if (bits == NULL)
		return err_nomem(err, "plan");
	s->plain = bits;
	s->signals = bits + pl->nwords;
	s->replaced = bits + 2 * pl->nwords;
	store_mark_eligible(
	    &e, sent, pl->papers, pl->npapers, bits, bits + pl->nwords, bits + 2 * pl->nwords);
	return 0;
}

/* How many papers are new for the sections together. */
static uint32_t
count_read(const struct planner *pl, const struct sections *sections, const uint64_t *plain)
{
	uint32_t n = 0;

	for (size_t w = 0; w < pl->nwords; w++) {
		uint64_t bits = plain[w];

		for (size_t i = 0; i < sections->n; i++)
			if (sections->list[i].plain != NULL)
				bits |= sections->list[i].plain[w];
		n += (uint32_t)__builtin_popcountll(bits);
	}
	return n;
}

/* plain, signals and replaced of one reader; most have the same cursor as the one before. */
static void
mark_eligible(
    struct planner *pl, const struct eligibility *e, const struct sent_list *sent, uint64_t *plain)
{
	uint64_t *signals = plain + pl->nwords, *replaced = signals + pl->nwords;

	if (!pl->has_news || e->cursor_seq != pl->news_of.cursor_seq ||
	    e->since_utc != pl->news_of.since_utc ||
	    e->signal_since_utc != pl->news_of.signal_since_utc) {
		store_mark_new(e, pl->papers, pl->npapers, pl->news, pl->news + pl->nwords);
		pl->news_of = *e;
		pl->has_news = true;
	}
	memcpy(plain, pl->news, 2 * pl->nwords * sizeof(*plain));
	store_unmark_sent(e, sent, pl->papers, pl->npapers, plain, signals, replaced);
}

static int
match_reader(struct planner *pl, const struct store_reader *reader, struct sections *sections,
    const struct due_slot *turns, const struct due *due, const struct sent_list *sent,
    struct edition *out, struct arena *a, struct error *err)
{
	const int64_t extra =
	    due->moved ? 0 : (int64_t)(SIGNAL_WINDOW_DAYS - WINDOW_DAYS) * DAY_SECONDS;
	const struct eligibility e = { due->own ? reader->cursor_seq : INT64_MAX, due->since_utc,
		due->since_utc - extra };
	uint64_t *plain = pl->bitmaps, *signals = plain + pl->nwords;
	uint64_t *replaced = signals + pl->nwords, *was_sent = replaced + pl->nwords;
	struct match_request req = {
		.sections = sections->list,
		.nsections = sections->n,
		.plain = plain,
		.signals = signals,
		.replaced = replaced,
		.sent = was_sent,
		.max_papers = stretch(reader->sub.max_papers, due),
		.outside = due->own ? reader->sub.outside : 0,
	};
	store_mark_sent(sent, pl->papers, pl->npapers, was_sent);
	mark_eligible(pl, &e, sent, plain);
	for (size_t i = 0, turn = 0; i < sections->n; i++)
		if (reader->sub.filters[sections->filters[i]].when[0] != '\0' &&
		    mark_period(pl, &turns[turn++], sent, &sections->list[i], a, err) == -1)
			return -1;
	if (match_run(pl->index, &req, a, err) == -1)
		return -1;
	out->nread = count_read(pl, sections, plain);
	out->nmatched = (uint32_t)req.nmatched;
	return collect_picks(pl, reader, sections, &req, sent, out, a, err);
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
evaluate_filters(struct planner *pl, const struct store_reader *reader, const uint64_t *was_sent,
    uint64_t *one, uint64_t *all, struct arena *a, struct error *err)
{
	struct program **programs;

	if (programs_load(pl->programs, reader, a, &programs, err) == -1)
		return -1;
	for (size_t i = 0; i < reader->sub.nfilters; i++) {
		if (match_evaluate(pl->index, programs[i], was_sent, one, err) == -1)
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
	    evaluate_filters(pl, reader, was_sent, one, all, a, err) == -1)
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
	    match_near(pl->index, programs_literals(pl->programs), queries, sub->nfilters,
		pl->bitmaps, was_sent, max, a, &misses, &n, err) == -1)
		return -1;
	if ((picks = arena_array(a, n + e->npicks, sizeof(*picks))) == NULL)
		return err_nomem(err, "picks");
	for (size_t i = 0; i < n; i++) {
		const struct paper *p = pl->papers[misses[i].paper];

		picks[i] = (struct edition_pick){ .paper = p->id,
			.revision = p->revision,
			.version = p->version,
			.section = SECTION_OUTSIDE,
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

/* The filters that have their turn: those of the reader's schedule when that is due, and others by their own. */
static int
add_sections(struct planner *pl, const struct store_reader *reader, const struct due *due,
    const struct due_slot *turns, size_t nturns, struct sections *out, struct arena *a,
    struct error *err)
{
	const struct subscriber *sub = &reader->sub;
	size_t n = sub->nfilters, turn = 0;
	struct program **programs;

	out->list = arena_array(a, n, sizeof(*out->list));
	out->filters = arena_array(a, n, sizeof(*out->filters));
	if (out->list == NULL || out->filters == NULL)
		return err_nomem(err, "plan");
	if (programs_load(pl->programs, reader, a, &programs, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		const struct filter *f = &sub->filters[i];
		uint32_t limit = f->limit > 0 ? f->limit : sub->limit;
		bool has_turn = turn < nturns && turns[turn].filter == i;

		turn += has_turn;
		if (f->when[0] == '\0' ? !due->own : !has_turn)
			continue;
		out->filters[out->n] = (uint32_t)i;
		out->list[out->n++] = (struct match_section){ .program = programs[i],
			.limit = f->when[0] == '\0' ? stretch(limit, due) : limit,
			.sort = f->sort };
	}
	return 0;
}

/* Where the filters of their own schedules are after this edition. */
static int
move_slots(const struct planner *pl, const struct due_slot *turns, size_t n, struct edition *out,
    struct arena *a, struct error *err)
{
	struct edition_slot *slots = arena_array(a, n, sizeof(*slots));

	if (slots == NULL)
		return err_nomem(err, "plan");
	for (size_t i = 0; i < n; i++)
		slots[i] = (struct edition_slot){ turns[i].from,
			{ turns[i].from.slot, pl->change_seq, turns[i].day } };
	out->slots = slots;
	out->nslots = n;
	return 0;
}

int
planner_plan(struct planner *pl, const struct store_reader *reader, const struct due *due,
    struct arena *a, struct edition *out, struct error *err)
{
	struct sections sections = { 0 };
	struct due_slot *turns;
	struct sent_list sent;
	size_t nturns;
	int rc;

	match_trim(pl->index);
	memset(out, 0, sizeof(*out));
	out->period = due->period;
	out->reader = reader->sub.id;
	out->state = EDITION_LEASED;
	out->cursor_from = reader->cursor_seq;
	out->cursor_to = due->own ? pl->change_seq : reader->cursor_seq;
	out->composed_utc = pl->now_utc;
	out->day = due->day;
	out->since_day = due->since_day;
	out->note = "";
	if (due_load_slots(pl->run, reader, due, pl->now_utc, a, &turns, &nturns, err) == -1 ||
	    move_slots(pl, turns, nturns, out, a, err) == -1 ||
	    add_sections(pl, reader, due, turns, nturns, &sections, a, err) == -1)
		return -1;
	if (store_load_sent(pl->run->store, reader->sub.id, a, &sent, err) == -1)
		return -1;
	give_store(pl);
	rc = match_reader(pl, reader, &sections, turns, due, &sent, out, a, err);
	take_store(pl);
	return rc;
}

int
planner_save(struct planner *pl, struct error *err)
{
	return programs_save(pl->programs, err);
}
