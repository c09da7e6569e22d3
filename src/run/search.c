/* Papers of the whole store: the index of words proposes, the evaluator of the filters decides. Papers are taken in portions,
 * so that memory is bounded whatever the store holds. */
#include "digest/limits.h"
#include "stages.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	DAY_SECONDS = 86400,
	PORTION = 1000,	      /* papers at a time: some 10 MB */
	SIMILAR_FIRST = 1000, /* of those with the most words in common, how many are read */
	MAX_PORTION_BYTES = 512 * 1024 * 1024,
};

/* A paper that may be among the best. */
struct kept {
	struct pick pick;
	struct paper paper; /* number, key, date and signals alone */
};

struct search {
	struct run *run;
	const struct run_search_options *options;
	int64_t now_utc, since_utc;
	struct query *query, *rank; /* what must hold; what the text relevance is of */
	struct match_literals *literals;
	struct match_corpus *corpus;
	struct program *must, *ranked; /* the same, unless more like a paper is asked for */
	bool reads_text;
	struct match_weights weights;
	const struct paper *self; /* is left out; NULL = none */
	int64_t *ids;
	size_t nids;
	size_t nunknown; /* the first of ids must all be read */
	struct kept *kept;
	size_t nkept;
	struct arena portion;
	struct run_search_result *out;
	struct arena *a;
	struct error *err;
};

static int
read_query(struct search *s)
{
	const struct run_search_options *o = s->options;
	struct store_reader *reader = NULL;
	const char *canonical;
	int found;

	if (o->address != NULL) {
		if (run_canonical(o->address, s->a, &canonical, s->err) == -1)
			return -1;
		found = store_find_reader(s->run->store, canonical, s->a, &reader, s->err);
		if (found == 0)
			return err_set(s->err, ERR_USAGE,
			    "%s is not a reader; 'digest subscribers' lists them", canonical);
		if (found == -1)
			return -1;
	}
	return queries_read(s->run->cfg, reader != NULL ? &reader->sub : NULL, "",
	    o->query != NULL ? o->query : "*", s->a, &s->query, &s->out->wrong, s->err);
}

/* ---- what is looked at ---- */

static const struct store_words anything = { .op = WORDS_ANY };

static int
count_papers(struct search *s)
{
	int64_t *ids;

	if (s->since_utc == 0)
		return store_count_papers(s->run->store, &s->out->npapers, s->err);
	return store_propose_papers(
	    s->run->store, &anything, s->since_utc, s->a, &ids, &s->out->npapers, s->err);
}

static int
find_self(struct search *s, size_t npapers)
{
	const char *text = s->options->similar;
	struct paper *p;
	int found;

	if ((found = run_find_paper(s->run, text, s->a, &p, s->err)) == -1)
		return -1;
	if (found == 0)
		return err_set(s->err, ERR_DATA,
		    "'%s' is no paper of the store; expected an id, a DOI, a URL or words of it, "
		    "as "
		    "'digest show' takes them",
		    text);
	s->self = s->out->similar = p;
	return similar_query(
	    s->run->store, p, npapers, s->a, &s->rank, &s->out->terms, &s->out->nterms, s->err);
}

static double
weight_of(size_t n, size_t npapers)
{
	/* Of words that are not indexed yet nobody knows how rare they are. */
	return n == 0 ? 1 : (double)npapers / (double)n;
}

/* Those that have the rarest of the words first. */
static int
rank_similar(struct search *s, size_t npapers)
{
	const struct query *q = s->rank;
	struct query *const *terms = q->nchildren > 0 ? q->children : &s->rank;
	size_t n = q->nchildren > 0 ? q->nchildren : 1;
	const char **forms = arena_array(s->a, n, sizeof(*forms));
	double *weights = arena_array(s->a, n, sizeof(*weights));

	if (forms == NULL || weights == NULL)
		return err_nomem(s->err, "search");
	for (size_t i = 0; i < n; i++) {
		const struct store_words *w = propose_words(terms[i], s->a);
		size_t count;

		if (w == NULL)
			return err_nomem(s->err, "search");
		if (store_count_words(s->run->store, w, &count, s->err) == -1)
			return -1;
		forms[i] = terms[i]->words[0].form;
		weights[i] = log2(weight_of(count, npapers) + 1);
	}
	return store_rank_papers(s->run->store, forms, weights, n,
	    STORE_TITLE | STORE_ABSTRACT | STORE_KEYWORDS, s->since_utc, s->a, &s->ids, &s->nids,
	    &s->nunknown, s->err);
}

static int
propose(struct search *s, size_t npapers)
{
	const struct store_words *words;

	if (s->self != NULL)
		return s->rank != NULL ? rank_similar(s, npapers) : 0;
	if ((words = propose_words(s->query, s->a)) == NULL)
		return err_nomem(s->err, "search");
	if (store_propose_papers(
		s->run->store, words, s->since_utc, s->a, &s->ids, &s->nids, s->err) == -1)
		return -1;
	/* The newest first: their lengths are what is usual. */
	for (size_t i = 0; i < s->nids / 2; i++) {
		int64_t id = s->ids[i];

		s->ids[i] = s->ids[s->nids - 1 - i];
		s->ids[s->nids - 1 - i] = id;
	}
	s->nunknown = s->nids;
	return 0;
}

/* How rare each term is in the whole store. */
static int
count_terms(struct search *s, const struct query *q)
{
	const struct store_words *words;
	size_t n;

	for (size_t i = 0; i < q->nchildren; i++)
		if (count_terms(s, q->children[i]) == -1)
			return -1;
	if (q->op != QUERY_TERM)
		return 0;
	if ((words = propose_words(q, s->a)) == NULL)
		return err_nomem(s->err, "search");
	if (words->op == WORDS_ANY)
		return 0;
	if (store_count_words(s->run->store, words, &n, s->err) == -1)
		return -1;
	return match_corpus_count(s->corpus, q, n, s->err);
}

static bool
reads_text(const struct query *q)
{
	bool reads = q->op == QUERY_TERM;

	for (size_t i = 0; i < q->nchildren && !reads; i++)
		reads = reads_text(q->children[i]);
	return reads;
}

static int
prepare(struct search *s)
{
	const struct config *cfg = s->run->cfg;
	size_t npapers;

	s->weights = (struct match_weights){ cfg->score.text, cfg->score.votes, cfg->score.trend,
		cfg->score.freshness };
	/* What is asked for by name counts, also where digests pay no regard to it. */
	if (s->options->sort == SORT_RELEVANCE && s->weights.text <= 0)
		s->weights.text = 1;
	if (read_query(s) == -1)
		return -1;
	s->out->wrong = SIZE_MAX;
	s->rank = s->query;
	if (store_count_papers(s->run->store, &npapers, s->err) == -1 || count_papers(s) == -1 ||
	    (s->options->similar != NULL && find_self(s, npapers) == -1) ||
	    propose(s, npapers) == -1 || match_literals_new(&s->literals, s->err) == -1 ||
	    match_compile(s->literals, s->query, &s->must, s->err) == -1 ||
	    match_corpus_new(s->literals, npapers, &s->corpus, s->err) == -1)
		return -1;
	if (s->rank == NULL)
		return 0;
	s->reads_text = reads_text(s->query) || reads_text(s->rank);
	if (match_compile(s->literals, s->rank, &s->ranked, s->err) == -1)
		return -1;
	s->kept = arena_array(s->a, s->options->limit, sizeof(*s->kept));
	return s->kept != NULL ? count_terms(s, s->rank) : err_nomem(s->err, "search");
}

/* ---- a portion ---- */

static bool
comes_before(
    const struct search *s, const struct pick *pick, const struct paper *p, const struct kept *k)
{
	return match_compare_picks(s->options->sort, pick, p, &k->pick, &k->paper) < 0;
}

/* Into the best so far, if it is one of them. */
static int
keep(struct search *s, const struct pick *pick, const struct paper *p)
{
	size_t at = s->nkept;
	struct kept k = { .pick = *pick };

	while (at > 0 && comes_before(s, pick, p, &s->kept[at - 1]))
		at--;
	if (at == s->options->limit)
		return 0;
	k.paper.id = p->id;
	k.paper.published_utc = p->published_utc;
	k.paper.votes = p->votes;
	k.paper.trend = p->trend;
	k.paper.key = arena_strdup(s->a, p->key);
	k.pick.why = arena_strdup(s->a, pick->why);
	if (k.paper.key == NULL || k.pick.why == NULL)
		return err_nomem(s->err, "search");
	s->nkept += s->nkept < s->options->limit;
	memmove(&s->kept[at + 1], &s->kept[at], (s->nkept - at - 1) * sizeof(k));
	s->kept[at] = k;
	return 0;
}

/* The papers of a portion that the query holds for. */
static int
find_in(struct search *s, struct match_index *index, struct paper **papers, size_t n)
{
	struct match_section section = {
		.program = s->ranked, .limit = s->options->limit, .sort = s->options->sort
	};
	struct match_request request = {
		.sections = &section, .nsections = 1, .max_papers = s->options->limit
	};
	uint64_t *bits = arena_array(&s->portion, (n + 63) / 64, sizeof(*bits));

	if (bits == NULL)
		return err_nomem(s->err, "search");
	match_join_corpus(index, s->corpus);
	if (match_evaluate(index, s->must, NULL, bits, s->err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (s->self != NULL && papers[i]->id == s->self->id)
			bits[i / 64] &= ~((uint64_t)1 << (i % 64));
	request.plain = request.signals = bits;
	if (match_run(index, &request, &s->portion, s->err) == -1)
		return -1;
	s->out->nmatched += section.nmatched;
	for (size_t i = 0; i < section.npicks; i++)
		if (keep(s, &section.picks[i], papers[section.picks[i].paper]) == -1)
			return -1;
	return 0;
}

/* Texts that nobody asks for need not be split into words, which is what takes the time. */
static void
drop_texts(struct paper **papers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct paper *p = papers[i];

		p->title = p->abstract = p->org = p->comment = p->journal_ref = p->venue = "";
		p->nkeywords = 0;
	}
}

static int
search_portion(struct search *s, const int64_t *ids, size_t nids)
{
	struct match_index *index;
	struct paper **papers;
	size_t n;
	int rc;

	arena_reset(&s->portion);
	if (store_load_papers(
		s->run->store, ids, nids, s->now_utc, &s->portion, &papers, &n, s->err) == -1)
		return -1;
	if (!s->reads_text)
		drop_texts(papers, n);
	if (match_index_new(papers, n, s->now_utc, &s->weights, s->literals, &index, s->err) == -1)
		return -1;
	rc = find_in(s, index, papers, n);
	match_index_free(index);
	return rc;
}

static void
show_progress(const struct search *s, size_t done)
{
	const struct run_ui *ui = &s->run->ui;

	if (ui->progress != NULL && s->nids > PORTION)
		ui->progress(ui->arg, "searching", done, s->nids);
}

/* Those more like a paper are read from the likest on, until there are enough. */
static bool
is_enough(const struct search *s, size_t done)
{
	return s->self != NULL && done >= s->nunknown + SIMILAR_FIRST &&
	    s->nkept == s->options->limit;
}

static int
search_all(struct search *s)
{
	size_t done = 0;
	int rc = 0;

	while (done < s->nids && rc == 0 && !is_enough(s, done)) {
		size_t n = s->nids - done < PORTION ? s->nids - done : PORTION;

		show_progress(s, done);
		rc = search_portion(s, s->ids + done, n);
		done += n;
		if (s->run->stop != NULL && *s->run->stop != 0)
			rc = err_set(s->err, ERR_TEMP, "the search was interrupted");
	}
	show_progress(s, s->nids);
	return rc;
}

/* ---- what was found ---- */

static int
mark(struct search *s, struct match_index *index, size_t number, enum query_field field,
    struct run_mark **out, size_t *n)
{
	struct match_span *spans;
	struct run_mark *marks;

	if (match_find_spans(index, s->ranked, (uint32_t)number, field, s->a, &spans, n, s->err) ==
	    -1)
		return -1;
	if ((marks = arena_array(s->a, *n, sizeof(*marks))) == NULL)
		return err_nomem(s->err, "search");
	for (size_t i = 0; i < *n; i++)
		marks[i] = (struct run_mark){ spans[i].start, spans[i].end };
	*out = marks;
	return 0;
}

static int
fill_found(struct search *s, struct match_index *index, struct paper **papers, size_t npapers)
{
	size_t at = 0;

	for (size_t i = 0; i < s->nkept && at < npapers; i++) {
		const struct pick *pick = &s->kept[i].pick;
		struct run_found *f = &s->out->found[at];

		if (papers[at]->id != s->kept[i].paper.id)
			continue; /* removed in this moment */
		*f = (struct run_found){ .paper = papers[at],
			.score = pick->score,
			.text = pick->text,
			.votes = pick->votes,
			.trend = pick->trend,
			.freshness = pick->freshness,
			.why = pick->why };
		if (mark(s, index, at, FIELD_TITLE, &f->title, &f->ntitle) == -1 ||
		    mark(s, index, at, FIELD_ABSTRACT, &f->abstract, &f->nabstract) == -1)
			return -1;
		at++;
	}
	s->out->nfound = at;
	return 0;
}

static int
load_found(struct search *s)
{
	int64_t *ids = arena_array(s->a, s->nkept, sizeof(*ids));
	struct match_index *index;
	struct paper **papers;
	size_t n;
	int rc;

	s->out->found = arena_array(s->a, s->nkept, sizeof(*s->out->found));
	if (ids == NULL || s->out->found == NULL)
		return err_nomem(s->err, "search");
	for (size_t i = 0; i < s->nkept; i++)
		ids[i] = s->kept[i].paper.id;
	if (store_load_papers(
		s->run->store, ids, s->nkept, s->now_utc, s->a, &papers, &n, s->err) == -1 ||
	    match_index_new(papers, n, s->now_utc, &s->weights, s->literals, &index, s->err) == -1)
		return -1;
	rc = fill_found(s, index, papers, n);
	match_index_free(index);
	return rc;
}

/* ---- nothing was found ---- */

static int
add_hint(struct search *s, const struct query *q)
{
	struct run_search_result *out = s->out;
	const struct store_words *words = propose_words(q, s->a);
	const char *near;
	size_t n;
	int found;

	if (words == NULL)
		return err_nomem(s->err, "search");
	if (words->op == WORDS_ANY)
		return 0;
	if (store_count_words(s->run->store, words, &n, s->err) == -1)
		return -1;
	for (size_t i = 0; n == 0 && i < q->nwords && out->nhints < RUN_SEARCH_HINTS; i++) {
		const char *form = q->words[i].form;

		found = store_find_near_word(s->run->store, form, s->a, &near, s->err);
		if (found == -1)
			return -1;
		if (found == 1)
			out->hints[out->nhints++] = (struct run_hint){ form, near };
	}
	return 0;
}

static int
add_hints(struct search *s, const struct query *q)
{
	if (q->op == QUERY_TERM && q->kind != TERM_EXACT && q->kind != TERM_PREFIX)
		return add_hint(s, q);
	for (size_t i = 0; i < q->nchildren && q->op != QUERY_NOT; i++)
		if (add_hints(s, q->children[i]) == -1)
			return -1;
	return 0;
}

static int
search(struct search *s)
{
	if (prepare(s) == -1 || search_all(s) == -1)
		return -1;
	if (s->nkept > 0)
		return load_found(s);
	return s->self == NULL ? add_hints(s, s->query) : 0;
}

static int
search_once(struct run *run, const struct run_search_options *options, struct arena *a,
    struct run_search_result *out, struct error *err)
{
	struct search s = { .run = run,
		.options = options,
		.now_utc = clock_now_utc(&run->clock),
		.out = out,
		.a = a,
		.err = err };
	int rc;

	memset(out, 0, sizeof(*out));
	out->wrong = SIZE_MAX;
	if (options->ndays > 0)
		s.since_utc = (s.now_utc / DAY_SECONDS - (int64_t)options->ndays + 1) * DAY_SECONDS;
	arena_init(&s.portion, MAX_PORTION_BYTES);
	rc = search(&s);
	arena_release(&s.portion);
	if (s.ranked != NULL)
		match_program_free(s.ranked);
	if (s.must != NULL)
		match_program_free(s.must);
	match_corpus_free(s.corpus);
	match_literals_free(s.literals);
	return rc;
}

int
run_search(struct run *run, const struct run_search_options *options, struct arena *a,
    struct run_search_result *out, struct error *err)
{
	struct run_search_options wide = *options;
	struct run_search_result all;

	if (search_once(run, options, a, out, err) == -1)
		return -1;
	if (out->nmatched > 0 || options->ndays == 0)
		return 0;
	wide.ndays = 0;
	wide.limit = 1;
	if (search_once(run, &wide, a, &all, err) == -1)
		return -1;
	out->nearlier = all.nmatched;
	return 0;
}
