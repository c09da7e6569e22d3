/* One paper out of several sources: whose word counts, who said what, whatever the order; versions and
 * withdrawal; ids that lead to one paper; papers that turn out to be one after they were sent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "store_test.h"

#include "digest/file.h"
#include "store/db.h"
#include "store/merge.h"

enum { HOUR_S = 3600 };

static void
add_alias(struct fixture *fx, struct paper *p, const char *key)
{
	const char **list = arena_array(&fx->a, p->naliases + 1, sizeof(*list));

	for (size_t i = 0; i < p->naliases; i++)
		list[i] = p->aliases[i];
	list[p->naliases++] = key;
	p->aliases = list;
}

static struct store_put_counts
put_as(struct fixture *fx, const char *source, const char *type, struct paper *p, int64_t now_utc)
{
	struct store_put_counts counts;

	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_put_papers(fx->store, source, type, &p, 1, 0, now_utc, &counts, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	return counts;
}

static int64_t
change_seq(struct fixture *fx)
{
	int64_t seq;

	must(fx, store_change_seq(fx->store, &seq, &fx->err));
	return seq;
}

static size_t
count_papers(struct fixture *fx)
{
	struct store_sizes sizes;

	must(fx, store_load_sizes(fx->store, &sizes, &fx->err));
	return sizes.npapers;
}

/* ---- ids ---- */

/* Each row is one record after the other, with its key and an alias; all rows are one paper, the key of which must be the
 * third column. */
static const struct {
	const char *source, *key, *alias, *is;
} spellings[] = {
	{ "lab", "lab:tr-7", "url:lab.example/7", "lab:tr-7" },
	{ "news", "url:lab.example/7", "", "lab:tr-7" },
	{ "review", "openreview:rJl-b3RcF7", "url:lab.example/7", "openreview:rJl-b3RcF7" },
	{ "medline", "pmid:1234", "openreview:rJl-b3RcF7", "pmid:1234" },
	{ "journal", "doi:10.1000/x", "pmid:1234", "doi:10.1000/x" },
	{ "arxiv", "arxiv:2401.00001", "doi:10.1000/x", "arxiv:2401.00001" },
	{ "lab", "lab:tr-7", "", "arxiv:2401.00001" },
};

static void
test_ids_lead_to_one_paper(void **state)
{
	static const char *const asked[] = { "2401.00001v3", "https://arxiv.org/pdf/2401.00001",
		"10.48550/arXiv.2401.00001", "https://doi.org/10.1000/X", "PMID: 1234",
		"https://openreview.net/forum?id=rJl-b3RcF7",
		"http://Lab.example/7/?utm_source=rss", "lab:tr-7" };
	struct fixture *fx = *state;

	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		struct paper *p = make_paper(fx, "x", T_TODAY);

		p->key = spellings[i].key;
		if (spellings[i].alias[0] != '\0')
			add_alias(fx, p, spellings[i].alias);
		put_as(fx, spellings[i].source, spellings[i].source, p, T_NOW + (int64_t)i);
		if (count_papers(fx) != 1 ||
		    strcmp(find(fx, spellings[i].key)->key, spellings[i].is) != 0)
			fail_msg("row %zu: %zu papers, %s", i, count_papers(fx),
			    find(fx, spellings[i].key)->key);
	}
	for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++)
		if (find(fx, asked[i])->id != 1)
			fail_msg("asked %zu: %s", i, asked[i]);
}

/* The third record after two others: does the link that it shares with both make it one of them? */
static const struct {
	const char *what, *key, *alias;
	size_t npapers;
} links[] = {
	{ "another id of the same source", "lab:tr-9", "url:lab.example/list", 3 },
	{ "no other id", "url:lab.example/list", "", 2 },
	{ "an id of another kind", "doi:10.1000/z", "url:lab.example/list", 2 },
	{ "the same id", "lab:tr-7", "url:lab.example/list", 2 },
};

static void
test_links_are_weak(void **state)
{
	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
		void *own = NULL;
		struct fixture *fx;

		(void)state;
		assert_int_equal(fixture_setup(&own), 0);
		fx = own;
		for (int j = 0; j < 3; j++) {
			struct paper *p = make_paper(fx, "x", T_TODAY);

			p->key = j == 0 ? "lab:tr-7" : j == 1 ? "lab:tr-8" : links[i].key;
			if (j < 2 || links[i].alias[0] != '\0')
				add_alias(fx, p, "url:lab.example/list");
			put_as(fx, "lab", "file", p, T_NOW + j);
		}
		if (count_papers(fx) != links[i].npapers)
			fail_msg("row %zu: %s: %zu papers", i, links[i].what, count_papers(fx));
		fixture_teardown(&own);
	}
}

/* ---- fields ---- */

static const char *
origin(struct fixture *fx, int64_t paper, const char *field)
{
	struct store_origin *list;
	size_t n;

	must(fx, store_load_origins(fx->store, paper, &fx->a, &list, &n, &fx->err));
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].field, field) == 0)
			return list[i].source;
	return "";
}

/* The order for every field, as digest-source(7) states it: names of the fields, then types. */
static void
test_manual_states_the_orders(void **state)
{
	struct strbuf manual, want;

	(void)state;
	strbuf_init(&manual, 1 << 20);
	strbuf_init(&want, 4096);
	assert_int_equal(file_read("man/digest-source.7", &manual, NULL), 0);
	for (size_t i = 0; i < MERGE_FIELDS; i++) {
		const char *const *order = merge_field_order(i);
		const char *row = manual.buf, *end;
		bool found = false;

		strbuf_reset(&want);
		for (size_t j = 0; order[j] != NULL; j++)
			strbuf_addf(&want, "%s%s", j > 0 ? " , " : "", order[j]);
		/* .It Cm title , abstract ... on one line, the types on the next. */
		while (!found && (row = strstr(row, "\n.It Cm ")) != NULL) {
			char name[64];

			row += strlen("\n.It Cm ");
			end = strchr(row, '\n');
			snprintf(name, sizeof(name), " %s ", merge_field_name(i));
			found = end != NULL &&
			    memmem(row - 1, (size_t)(end - row) + 2, name, strlen(name)) != NULL;
			if (!found) {
				snprintf(name, sizeof(name), " %s\n", merge_field_name(i));
				found = end != NULL &&
				    memmem(row - 1, (size_t)(end - row) + 2, name, strlen(name)) !=
					NULL;
			}
			found = found && strncmp(end + 1, ".Em ", 4) == 0 &&
			    strncmp(end + 5, want.buf, want.len) == 0 && end[5 + want.len] == '\n';
		}
		if (!found)
			fail_msg("digest-source(7) does not say of %s: %s", merge_field_name(i),
			    want.buf);
	}
	strbuf_release(&want);
	strbuf_release(&manual);
}

static void
test_who_said_what(void **state)
{
	static const char *authors[] = { "Ada Lovelace" };
	struct fixture *fx = *state;
	struct paper *p = make_paper(fx, "2401.00001", T_TODAY);
	struct store_origin *list;
	int64_t seq;
	size_t n;

	p->votes = 3;
	p->summary = "One sentence.";
	p->version = 0;
	put_as(fx, "daily", "huggingface", p, T_NOW);
	assert_string_equal(origin(fx, 1, "title"), "daily");
	seq = change_seq(fx);
	p = make_paper(fx, "2401.00001", 0);
	p->version = 0;
	put_as(fx, "cs", "arxiv", p, T_NOW + 1);
	/* The same words from one who is trusted more: nothing changed but who said them. */
	assert_int_equal(change_seq(fx), seq);
	assert_string_equal(origin(fx, 1, "title"), "cs");
	p->authors = authors;
	p->nauthors = 1;
	p->comment = "12 pages";
	put_as(fx, "cs", "arxiv", p, T_NOW + 2);
	must(fx, store_load_origins(fx->store, 1, &fx->a, &list, &n, &fx->err));
	for (size_t i = 0; i < n; i++) {
		bool social =
		    strcmp(list[i].field, "votes") == 0 || strcmp(list[i].field, "summary") == 0;

		if (strcmp(list[i].source, social ? "daily" : "cs") != 0)
			fail_msg("%s is from %s", list[i].field, list[i].source);
	}
	assert_int_equal(n, 6);
}

/* An entry that a source lists twice in one batch keeps its first word, or each reading would change it twice. */
static void
test_twice_in_a_batch(void **state)
{
	struct fixture *fx = *state;
	struct paper *twice[2] = { make_paper(fx, "2401.00001", T_TODAY),
		make_paper(fx, "2401.00001", T_TODAY) };
	int64_t seq;

	twice[0]->votes = 3;
	twice[1]->votes = 5;
	twice[1]->title = "Another spelling";
	twice[1]->comment = "12 pages";
	put_papers(fx, "feed", twice, 2, 0, T_NOW);
	assert_string_equal(find(fx, "2401.00001")->title, "Title of 2401.00001");
	assert_string_equal(find(fx, "2401.00001")->comment, "12 pages");
	assert_int_equal(find(fx, "2401.00001")->votes, 3);
	seq = change_seq(fx);
	put_papers(fx, "feed", twice, 2, 0, T_NOW + 1);
	assert_int_equal(change_seq(fx), seq);
}

/* ---- versions and withdrawal ---- */

struct word {
	const char *type;
	uint32_t version;
	int64_t updated, withdrawn; /* hours after T_NOW; 0 = not told */
};

static const struct {
	const char *what;
	struct word words[4];
	bool withdrawn;
} withdrawals[] = {
	{ "never", { { "arxiv", 1, 1, 0 } }, false },
	{ "by its second version", { { "arxiv", 1, 1, 0 }, { "arxiv", 2, 2, 2 } }, true },
	{ "taken back by the third",
	    { { "arxiv", 1, 1, 0 }, { "arxiv", 2, 2, 2 }, { "arxiv", 3, 3, 0 } }, false },
	{ "a source that does not tell it of the same version",
	    { { "arxiv", 2, 2, 2 }, { "feed", 2, 2, 0 } }, true },
	{ "and withdrawn again",
	    { { "arxiv", 2, 2, 2 }, { "arxiv", 3, 3, 0 }, { "arxiv", 4, 4, 4 } }, true },
	{ "by a site that knows no versions", { { "arxiv", 2, 2, 0 }, { "huggingface", 0, 0, 3 } },
	    true },
	{ "of which a later version takes it back",
	    { { "arxiv", 2, 2, 0 }, { "huggingface", 0, 0, 3 }, { "arxiv", 3, 4, 0 } }, false },
	{ "a first version is never later", { { "huggingface", 0, 0, 3 }, { "arxiv", 1, 9, 0 } },
	    true },
};

static void
put_word(struct fixture *fx, const char *name, const struct word *w)
{
	struct paper *p = make_paper(fx, name, T_TODAY);

	p->version = w->version;
	p->updated_utc = w->updated == 0 ? 0 : T_NOW + w->updated * HOUR_S;
	p->withdrawn_utc = w->withdrawn == 0 ? 0 : T_NOW + w->withdrawn * HOUR_S;
	put_one(fx, w->type, p, T_NOW);
}

/* In all orders the same, and the same words again change nothing. */
static void
test_withdrawal(void **state)
{
	static const int orders[][4] = { { 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 1, 0, 2, 3 },
		{ 2, 0, 1, 3 }, { 1, 2, 0, 3 }, { 0, 2, 1, 3 } };
	struct fixture *fx = *state;

	for (size_t i = 0; i < sizeof(withdrawals) / sizeof(withdrawals[0]); i++)
		for (size_t j = 0; j < sizeof(orders) / sizeof(orders[0]); j++) {
			char name[32];
			int64_t seq = 0;

			snprintf(name, sizeof(name), "24%02zu.%05zu", i, j);
			for (int round = 0; round < 2; round++) {
				for (int k = 0; k < 4; k++)
					if (withdrawals[i].words[orders[j][k]].type != NULL)
						put_word(
						    fx, name, &withdrawals[i].words[orders[j][k]]);
				if (round == 0)
					seq = change_seq(fx);
			}
			if ((find(fx, name)->withdrawn_utc != 0) != withdrawals[i].withdrawn)
				fail_msg("row %zu: %s, order %zu", i, withdrawals[i].what, j);
			if (change_seq(fx) != seq)
				fail_msg("row %zu: %s, order %zu: said again, it changed", i,
				    withdrawals[i].what, j);
		}
}

static void
test_kind_of_the_newest_listing(void **state)
{
	struct fixture *fx = *state;
	struct paper *p = make_paper(fx, "2401.00001", T_TODAY - 2);

	/* Cross-listed and new on the same day: new is the stronger word, whichever came first. */
	p->kind = PAPER_CROSS;
	put_one(fx, "arxiv", p, T_NOW);
	p->kind = PAPER_NEW;
	put_one(fx, "arxiv", p, T_NOW);
	p->kind = PAPER_CROSS;
	put_one(fx, "arxiv", p, T_NOW);
	settle(fx, T_NOW);
	assert_int_equal(find(fx, "2401.00001")->kind, PAPER_NEW);
	p->kind = PAPER_REPLACE;
	p->listed_day = T_TODAY - 1;
	p->version = 2;
	put_one(fx, "arxiv", p, T_NOW);
	settle(fx, T_NOW);
	assert_int_equal(find(fx, "2401.00001")->kind, PAPER_REPLACE);
	assert_int_equal(find(fx, "2401.00001")->version, 2);
	assert_int_equal(
	    find(fx, "2401.00001")->first_listed_utc, (T_TODAY - 2) * (int64_t)T_DAY_S);
}

/* ---- whatever the order ---- */

static uint32_t
next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 16;
}

/* A record of a type and version with some fields at random; always the same for the same seed. */
static struct paper *
random_record(struct fixture *fx, const char *type, uint32_t version, uint32_t seed)
{
	struct paper *p = paper_new(&fx->a);
	const char **texts[] = { &p->abstract, &p->comment, &p->venue, &p->doi, &p->summary,
		&p->org, &p->code_url, &p->url, &p->journal_ref };
	int64_t *numbers[] = { &p->votes, &p->comments, &p->stars };

	assert_non_null(p);
	p->key = "arxiv:2401.00001";
	p->title = arena_printf(&fx->a, "Title by %s in v%u", type, version);
	p->version = version;
	p->listed_day = T_TODAY;
	p->updated_utc = version == 0 ? 0 : T_NOW + version;
	if (next_random(&seed) % 4 == 0)
		p->withdrawn_utc = T_NOW + version + 1;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (next_random(&seed) % 2 == 0)
			*texts[i] = arena_printf(&fx->a, "%zu by %s in v%u", i, type, version);
	if (next_random(&seed) % 2 == 0)
		p->published_utc = T_NOW - (int64_t)(next_random(&seed) % 1000);
	for (size_t i = 0; i < 3; i++)
		if (next_random(&seed) % 2 == 0)
			*numbers[i] = next_random(&seed) % 100;
	if (next_random(&seed) % 2 == 0) {
		p->authors = arena_array(&fx->a, 1, sizeof(*p->authors));
		p->authors[p->nauthors++] = arena_printf(&fx->a, "Author by %s v%u", type, version);
	}
	return p;
}

/* Everything the paper is: its card and whose it is. */
static void
describe(struct fixture *fx, struct strbuf *out)
{
	struct store_origin *list;
	size_t n;

	strbuf_reset(out);
	paper_pack(out, find(fx, "2401.00001"));
	must(fx, store_load_origins(fx->store, 1, &fx->a, &list, &n, &fx->err));
	for (size_t i = 0; i < n; i++)
		strbuf_addf(out, "%s: %s\n", list[i].field, list[i].source);
	assert_int_equal(strbuf_check(out, NULL), 0);
}

/* Each type is one source, and each of its versions one record. Signals have no version, so that what a source says of
 * them last stands: they come from records of one version only. */
static size_t
random_records(struct fixture *fx, uint32_t *seed, struct paper **out, const char **types)
{
	static const struct {
		const char *type;
		uint32_t version;
	} kinds[] = { { "arxiv", 1 }, { "arxiv", 2 }, { "arxiv", 3 }, { "huggingface", 0 },
		{ "command", 0 }, { "feed", 1 }, { "feed", 2 }, { "file", 2 } };
	size_t n = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (next_random(seed) % 4 == 0)
			continue;
		types[n] = kinds[i].type;
		out[n] = random_record(fx, kinds[i].type, kinds[i].version, next_random(seed));
		if (kinds[i].version == 1 || kinds[i].version == 3)
			out[n]->votes = out[n]->comments = out[n]->stars = -1;
		n++;
	}
	return n;
}

static void
put_shuffled(
    struct fixture *fx, struct paper **records, const char **types, size_t n, uint32_t *seed)
{
	size_t order[8];

	for (size_t i = 0; i < n; i++)
		order[i] = i;
	for (size_t i = n; i > 1; i--) {
		size_t j = next_random(seed) % i, kept = order[i - 1];

		order[i - 1] = order[j];
		order[j] = kept;
	}
	for (size_t i = 0; i < n; i++)
		put_one(fx, types[order[i]], records[order[i]], T_NOW + (int64_t)i);
}

static void
test_whatever_the_order(void **state)
{
	enum { TRIALS = 25, ORDERS = 4 };
	uint32_t seed = 20261121;

	(void)state;
	for (int trial = 0; trial < TRIALS; trial++) {
		struct strbuf first, now;
		uint32_t trial_seed = next_random(&seed);

		strbuf_init(&first, 1 << 20);
		strbuf_init(&now, 1 << 20);
		for (int order = 0; order < ORDERS; order++) {
			struct paper *records[8];
			const char *types[8];
			uint32_t s = trial_seed;
			void *own = NULL;
			struct fixture *fx;
			int64_t seq;
			size_t n;

			assert_int_equal(fixture_setup(&own), 0);
			fx = own;
			n = random_records(fx, &s, records, types);
			if (n > 0) {
				put_shuffled(fx, records, types, n, &seed);
				describe(fx, &now);
				if (order == 0)
					strbuf_addn(&first, now.buf, now.len);
				if (first.len != now.len ||
				    memcmp(first.buf, now.buf, now.len) != 0)
					fail_msg("trial %d (seed %u), order %d: another paper",
					    trial, trial_seed, order);
				seq = change_seq(fx);
				put_shuffled(fx, records, types, n, &seed);
				if (change_seq(fx) != seq)
					fail_msg("trial %d (seed %u), order %d: the same again "
						 "changed it",
					    trial, trial_seed, order);
			}
			fixture_teardown(&own);
		}
		strbuf_release(&first);
		strbuf_release(&now);
	}
}

/* ---- signals ---- */

static size_t
load_signals(struct fixture *fx, struct store_signal **out)
{
	size_t n;

	must(fx, store_load_signals(fx->store, 1, &fx->a, out, &n, &fx->err));
	return n;
}

/* Two sources that count differently: the history is that of the one that is trusted, and begins anew when a better one
 * comes. */
static void
test_history_of_one_source(void **state)
{
	struct fixture *fx = *state;
	struct paper *p = make_paper(fx, "2401.00001", T_TODAY), **window;
	int64_t midnight = T_TODAY * (int64_t)T_DAY_S;
	struct store_signal *s;

	p->votes = 500;
	p->stars = 7;
	put_as(fx, "journal", "feed", p, midnight);
	p->votes = 3;
	p->stars = -1;
	put_as(fx, "daily", "huggingface", p, midnight + HOUR_S);
	for (int i = 0; i < 4; i++) {
		p->votes = 500 + i;
		put_as(fx, "journal", "feed", p, midnight + (2 + 2 * i) * HOUR_S);
		p->votes = 4 + i;
		put_as(fx, "daily", "huggingface", p, midnight + (3 + 2 * i) * HOUR_S);
	}
	assert_int_equal(load_signals(fx, &s), 6);
	assert_int_equal(s[0].votes, -1); /* the stars of then are still the journal's */
	assert_int_equal(s[0].stars, 7);
	for (int64_t i = 1; i < 6; i++)
		if (s[i].votes != 2 + i)
			fail_msg("value %d: %d votes", (int)i, (int)s[i].votes);
	assert_string_equal(origin(fx, 1, "votes"), "daily");
	assert_string_equal(origin(fx, 1, "stars"), "journal");
	/* The first value of the new history is a baseline and no rise of that hour. */
	settle(fx, midnight + 10 * HOUR_S);
	assert_int_equal(load_window(fx, midnight, midnight + HOUR_S, &window), 1);
	assert_true(window[0]->trend < 3 + 4 + 0.01);
}

/* ---- papers that turn out to be one ---- */

static void
test_histories_of_two_papers(void **state)
{
	struct fixture *fx = *state;
	struct paper *p = make_paper(fx, "2401.00001", T_TODAY), *q = make_paper(fx, "x", T_TODAY);
	struct store_signal *s;

	p->votes = 10;
	p->stars = 3;
	put_as(fx, "journal", "feed", p, T_NOW); /* the older paper, trusted less for votes */
	q->key = "doi:10.1000/x";
	for (int i = 0; i < 3; i++) {
		q->votes = 2 + i;
		put_as(fx, "daily", "huggingface", q, T_NOW + i * HOUR_S);
	}
	add_alias(fx, p, "doi:10.1000/x");
	put_as(fx, "journal", "feed", p, T_NOW + 4 * HOUR_S);
	assert_int_equal(find(fx, "10.1000/x")->id, 1);
	assert_int_equal(find(fx, "10.1000/x")->votes, 4);
	assert_int_equal(load_signals(fx, &s), 4);
	for (int64_t i = 0; i < 3; i++)
		assert_int_equal(s[i].votes, 2 + i);
	assert_int_equal(s[0].stars, 3);
	assert_int_equal(s[3].votes, 4);
}

static int64_t
add_reader(struct fixture *fx)
{
	struct subscriber s = make_reader("ada@example.org");

	s.origin = ORIGIN_COMMAND;
	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_put_reader(fx->store, &s, "", T_NOW, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
	return find_reader(fx, "ada@example.org")->sub.id;
}

/* Plan an edition with one paper as it stands; send it, or leave it waiting. */
static void
plan(struct fixture *fx, int64_t period, int64_t reader, const char *key, bool sent)
{
	const struct paper *p = find(fx, key);
	struct edition_pick pick = { .paper = p->id,
		.revision = p->revision,
		.version = p->version,
		.why = "",
		.also_in = "" };
	struct edition e = { .period = period,
		.reader = reader,
		.composed_utc = T_NOW,
		.day = T_TODAY,
		.since_day = T_TODAY,
		.note = "",
		.picks = &pick,
		.npicks = 1 };

	must(fx, store_begin(fx->store, &fx->err));
	must(fx, store_lease_editions(fx->store, &e, 1, T_NOW, &fx->err));
	if (sent)
		must(fx, store_intend_edition(fx->store, period, reader, &fx->err));
	must(fx,
	    store_settle_edition(fx->store, period, reader, sent ? EDITION_SENT : EDITION_DEFERRED,
		"", T_NOW, sent ? 0 : T_NOW + 900, &fx->err));
	must(fx, store_commit(fx->store, true, &fx->err));
}

/* In which order three papers a, b, c learn that they are one, and which of them was sent, which stands in an edition that
 * waits. Whatever it is, it is not sent again and what waits can still be drawn. */
static const struct {
	const char *what, *sent, *waiting;
	const char *unites[2][2];
} chains[] = {
	{ "the last sent, b to a then c to b", "doi:10.1000/c", "doi:10.1000/b",
	    { { "doi:10.1000/a", "doi:10.1000/b" }, { "doi:10.1000/b", "doi:10.1000/c" } } },
	{ "the last sent, c to b then b to a", "doi:10.1000/c", "doi:10.1000/b",
	    { { "doi:10.1000/b", "doi:10.1000/c" }, { "doi:10.1000/a", "doi:10.1000/b" } } },
	{ "the middle sent, c to a then b to c", "doi:10.1000/b", "doi:10.1000/c",
	    { { "doi:10.1000/a", "doi:10.1000/c" }, { "doi:10.1000/c", "doi:10.1000/b" } } },
	{ "the first sent", "doi:10.1000/a", "doi:10.1000/c",
	    { { "doi:10.1000/c", "doi:10.1000/b" }, { "doi:10.1000/c", "doi:10.1000/a" } } },
};

static void
run_chain(struct fixture *fx, size_t row)
{
	static const char *const keys[] = { "doi:10.1000/a", "doi:10.1000/b", "doi:10.1000/c" };
	const struct eligibility all = { .cursor_seq = -1 };
	struct paper **window, *frozen;
	struct sent_list sent;
	struct edition *e;
	uint64_t plain, signals, was_sent;
	int64_t reader = add_reader(fx);

	for (int i = 0; i < 3; i++) {
		struct paper *p = make_paper(fx, "x", T_TODAY);

		p->key = keys[i];
		p->title = keys[i];
		put_as(fx, "feed", "feed", p, T_NOW + i);
	}
	settle(fx, T_NOW);
	plan(fx, T_TODAY, reader, chains[row].sent, true);
	plan(fx, T_TODAY + 1, reader, chains[row].waiting, false);
	for (int i = 0; i < 2; i++) {
		struct paper *p = make_paper(fx, "x", T_TODAY);

		p->key = chains[row].unites[i][0];
		add_alias(fx, p, chains[row].unites[i][1]);
		put_as(fx, "feed", "feed", p, T_NOW + 10 + i);
	}
	assert_int_equal(count_papers(fx), 1);
	for (int i = 0; i < 3; i++)
		assert_int_equal(find(fx, keys[i])->id, 1);
	assert_int_equal(load_window(fx, 0, T_NOW, &window), 1);
	must(fx, store_load_sent(fx->store, reader, &fx->a, &sent, &fx->err));
	store_mark_eligible(&all, &sent, window, 1, &plain, &signals, NULL);
	store_mark_sent(&sent, window, 1, &was_sent);
	if (plain != 0 || signals != 0 || was_sent != 1)
		fail_msg("row %zu: %s: it would be sent again", row, chains[row].what);
	assert_int_equal(store_find_unsettled(fx->store, reader, &fx->a, &e, &fx->err), 1);
	if (store_load_snapshot(fx->store, e->picks[0].paper, e->picks[0].revision, &fx->a, &frozen,
		&fx->err) != 1 ||
	    strcmp(frozen->title, chains[row].waiting) != 0)
		fail_msg("row %zu: %s: the card that waits is gone", row, chains[row].what);
	must(fx, store_check(fx->store, &fx->err));
}

static void
test_chains(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
		void *own = NULL;

		assert_int_equal(fixture_setup(&own), 0);
		run_chain(own, i);
		fixture_teardown(&own);
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		T(test_ids_lead_to_one_paper),
		cmocka_unit_test(test_links_are_weak),
		cmocka_unit_test(test_manual_states_the_orders),
		T(test_who_said_what),
		T(test_twice_in_a_batch),
		T(test_withdrawal),
		T(test_kind_of_the_newest_listing),
		cmocka_unit_test(test_whatever_the_order),
		T(test_history_of_one_source),
		T(test_histories_of_two_papers),
		cmocka_unit_test(test_chains),
	};

	return cmocka_run_group_tests_name("store_merge", tests, NULL, NULL);
}
