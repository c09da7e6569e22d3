#include "stages.h"
#include "digest/limits.h"
#include "digest/text.h"

#include <stdlib.h>
#include <string.h>

enum { DAY_SECONDS = 86400, MAX_MISSED = 5, MAX_DIFFERENCE = 10 };

/* The stored days and a query on them. */
struct trial {
	struct run *run;
	const struct run_try_options *options;
	struct store_reader *reader; /* NULL = nobody */
	struct paper **papers;
	size_t npapers, nwords;
	struct match_literals *literals;
	struct match_index *index;
	struct run_trial *out;
	struct arena *a;
	struct error *err;
};

static int32_t
day_of(const struct paper *p)
{
	return (int32_t)(p->first_listed_utc / DAY_SECONDS);
}

static bool
has_bit(const uint64_t *bits, size_t i)
{
	return (bits[i / 64] >> (i % 64) & 1) != 0;
}

static size_t
count_bits(const uint64_t *bits, size_t nwords)
{
	size_t n = 0;

	for (size_t i = 0; i < nwords; i++)
		n += (size_t)__builtin_popcountll(bits[i]);
	return n;
}

static int
load_days(struct trial *t)
{
	const struct config *cfg = t->run->cfg;
	const struct match_weights weights = { cfg->score.text, cfg->score.votes, cfg->score.trend,
		cfg->score.freshness };
	int64_t now_utc = clock_now_utc(&t->run->clock);
	struct run_trial *out = t->out;

	out->first_day = (int32_t)(now_utc / DAY_SECONDS) - (int32_t)t->options->ndays + 1;
	out->ndays = t->options->ndays;
	if (settle_now(t->run, now_utc, t->err) == -1 ||
	    store_load_window(t->run->store, (int64_t)out->first_day * DAY_SECONDS, now_utc, t->a,
		&t->papers, &t->npapers, t->err) == -1 ||
	    match_literals_new(&t->literals, t->err) == -1 ||
	    match_index_new(
		t->papers, t->npapers, now_utc, &weights, t->literals, &t->index, t->err) == -1)
		return -1;
	t->nwords = (t->npapers + 63) / 64;
	out->npapers = t->npapers;
	out->days = arena_array(t->a, out->ndays, sizeof(*out->days));
	return out->days != NULL ? 0 : err_nomem(t->err, "try");
}

static int
find_reader(struct trial *t)
{
	const char *canonical;
	int found;

	if (t->options->address == NULL)
		return 0;
	if (run_canonical(t->options->address, t->a, &canonical, t->err) == -1)
		return -1;
	found = store_find_reader(t->run->store, canonical, t->a, &t->reader, t->err);
	if (found == 0)
		return err_set(t->err, ERR_USAGE,
		    "%s is not a reader; 'digest subscribers' lists them", canonical);
	return found == 1 ? 0 : -1;
}

/* The papers an expanded query finds, as a new bitmap. */
static int
evaluate(struct trial *t, const struct query *q, uint64_t **out)
{
	struct program *program;
	uint64_t *bits = arena_array(t->a, t->nwords, sizeof(*bits));
	int rc;

	if (bits == NULL)
		return err_nomem(t->err, "try");
	if (match_compile(t->literals, q, &program, t->err) == -1)
		return -1;
	rc = match_evaluate(t->index, program, NULL, bits, t->err);
	match_program_free(program);
	*out = bits;
	return rc;
}

static void
count_days(struct trial *t, const uint64_t *bits)
{
	for (size_t i = 0; i < t->npapers; i++) {
		int32_t at = day_of(t->papers[i]) - t->out->first_day;

		if (at < 0 || (size_t)at >= t->out->ndays)
			continue;
		t->out->days[at].nlisted++;
		t->out->days[at].nmatched += has_bit(bits, i);
	}
}

static size_t
count_clauses(const struct query *q)
{
	size_t n = 1;

	for (size_t i = 0; i < q->nchildren; i++)
		n += count_clauses(q->children[i]);
	return n;
}

static int
add_clauses(struct trial *t, const struct query *q, unsigned depth)
{
	struct run_try_clause *c = &t->out->clauses[t->out->nclauses++];
	struct strbuf text;
	uint64_t *bits;

	strbuf_init(&text, 4 * MAX_QUERY_BYTES);
	query_add_text(&text, q);
	c->text = arena_strndup(t->a, text.buf, text.len);
	strbuf_release(&text);
	if (c->text == NULL)
		return err_nomem(t->err, "try");
	if (evaluate(t, q, &bits) == -1)
		return -1;
	c->depth = depth;
	c->npapers = count_bits(bits, t->nwords);
	for (size_t i = 0; i < q->nchildren; i++)
		if (add_clauses(t, q->children[i], depth + 1) == -1)
			return -1;
	return 0;
}

/* ---- how much of what a query asks for is known ---- */

static bool
knows_field(const struct paper *p, enum query_field field)
{
	switch (field) {
	case FIELD_AUTHOR:
	case FIELD_FIRST_AUTHOR:
	case FIELD_LAST_AUTHOR:
		return p->nauthors > 0;
	case FIELD_ABSTRACT:
		return p->abstract[0] != '\0';
	case FIELD_ORG:
		return p->org[0] != '\0';
	case FIELD_CAT:
		return p->ncategories > 0;
	case FIELD_PRIMARY:
		return p->primary_known;
	case FIELD_KEYWORD:
		return p->nkeywords > 0;
	case FIELD_VENUE:
		return p->comment[0] != '\0' || p->journal_ref[0] != '\0' || p->venue[0] != '\0';
	default:
		return true;
	}
}

static bool
knows_measure(const struct paper *p, enum query_measure measure)
{
	switch (measure) {
	case MEASURE_VOTES:
		return p->votes >= 0;
	case MEASURE_COMMENTS:
		return p->comments >= 0;
	case MEASURE_STARS:
		return p->stars >= 0;
	case MEASURE_AUTHORS:
		return p->nauthors > 0;
	case MEASURE_RANK:
		return p->rank > 0;
	case MEASURE_AGE:
	case MEASURE_PUBLISHED:
		return p->published_utc != 0;
	}
	return true;
}

static bool
is_known(const struct paper *p, const struct query *q)
{
	if (q->op == QUERY_CONDITION)
		return knows_measure(p, q->measure);
	return q->op != QUERY_TERM || knows_field(p, q->field);
}

/* Each field once; those known of every paper say nothing. */
static void
add_coverage(struct trial *t, const struct query *q)
{
	struct run_trial *out = t->out;
	const char *name = query_asks_for(q);
	size_t known = 0, at = 0;

	for (size_t i = 0; i < q->nchildren; i++)
		add_coverage(t, q->children[i]);
	if (name == NULL)
		return;
	for (size_t i = 0; i < t->npapers; i++)
		known += is_known(t->papers[i], q);
	while (at < out->nfields && strcmp(out->fields[at].name, name) != 0)
		at++;
	if (known < t->npapers && at == out->nfields && at < RUN_TRY_FIELDS)
		out->fields[out->nfields++] = (struct run_try_field){ name, known };
}

/* ---- papers ---- */

static int
rank_papers(struct trial *t, const struct query *q)
{
	struct match_section section = { .limit = t->options->limit, .sort = t->options->sort };
	struct match_request request = { .sections = &section,
		.nsections = 1,
		.max_papers = t->options->limit,
		.outside = MAX_MISSED };
	uint64_t *all = arena_array(t->a, t->nwords, sizeof(*all));
	struct program *program;
	int rc;

	if (all == NULL)
		return err_nomem(t->err, "try");
	for (size_t i = 0; i < t->npapers; i++)
		all[i / 64] |= (uint64_t)1 << (i % 64);
	if (match_compile(t->literals, q, &program, t->err) == -1)
		return -1;
	section.program = program;
	request.plain = request.signals = all;
	rc = match_run(t->index, &request, t->a, t->err);
	match_program_free(program);
	if (rc == -1)
		return -1;
	t->out->best = arena_array(t->a, section.npicks, sizeof(struct paper *));
	t->out->missed = arena_array(t->a, request.noutside, sizeof(struct paper *));
	if (t->out->best == NULL || t->out->missed == NULL)
		return err_nomem(t->err, "try");
	for (size_t i = 0; i < section.npicks; i++)
		t->out->best[t->out->nbest++] = t->papers[section.picks[i].paper];
	for (size_t i = 0; i < request.noutside; i++)
		t->out->missed[t->out->nmissed++] = t->papers[request.outside_picks[i].paper];
	return 0;
}

/* Papers in a that are not in b: how many, and the first of them with the most votes. */
static int
subtract(struct trial *t, const uint64_t *a, const uint64_t *b, const struct paper ***out,
    size_t *nout, size_t *n)
{
	const struct paper **list = arena_array(t->a, MAX_DIFFERENCE, sizeof(struct paper *));
	size_t len = 0;

	if (list == NULL)
		return err_nomem(t->err, "try");
	*n = 0;
	for (size_t i = 0; i < t->npapers; i++) {
		const struct paper *p = t->papers[i];
		size_t at = len < MAX_DIFFERENCE ? len : MAX_DIFFERENCE;

		if (!has_bit(a, i) || has_bit(b, i))
			continue;
		(*n)++;
		while (at > 0 && list[at - 1]->votes < p->votes)
			at--;
		if (at == MAX_DIFFERENCE)
			continue;
		len += len < MAX_DIFFERENCE;
		memmove(&list[at + 1], &list[at], (len - at - 1) * sizeof(struct paper *));
		list[at] = p;
	}
	*out = list;
	*nout = len;
	return 0;
}

/* ---- the reader's other filters ---- */

static int
evaluate_filter(struct trial *t, const char *name, const char *match, uint64_t **out)
{
	struct query *q;

	if (queries_read(t->run->cfg, t->reader != NULL ? &t->reader->sub : NULL, name, match, t->a,
		&q, NULL, t->err) == -1)
		return err_prefix(t->err, "filter \"%s\"", name);
	return evaluate(t, q, out);
}

static int
add_overlaps(struct trial *t, const uint64_t *bits)
{
	struct run_trial *out = t->out;
	const struct subscriber *sub;

	if (t->reader == NULL)
		return 0;
	sub = &t->reader->sub;
	if ((out->filters = arena_array(t->a, sub->nfilters, sizeof(*out->filters))) == NULL)
		return err_nomem(t->err, "try");
	for (size_t i = 0; i < sub->nfilters; i++) {
		struct run_try_filter *f = &out->filters[out->nfilters];
		uint64_t *theirs;

		if (strcmp(sub->filters[i].match, t->options->query) == 0)
			continue;
		if (evaluate_filter(t, sub->filters[i].name, sub->filters[i].match, &theirs) == -1)
			return -1;
		f->name = sub->filters[i].name;
		f->npapers = count_bits(theirs, t->nwords);
		for (size_t k = 0; k < t->nwords; k++)
			f->nboth += (size_t)__builtin_popcountll(theirs[k] & bits[k]);
		out->nfilters++;
	}
	return 0;
}

/* The query the new one would stand in for. */
static int
find_replaced(struct trial *t, const char **match)
{
	const struct subscriber *sub = t->reader != NULL ? &t->reader->sub : NULL;
	const char *name = t->options->instead_of;

	*match = t->options->instead_of_match;
	if (*match == NULL)
		*match = queries_find(t->run->cfg, sub, name);
	if (*match != NULL)
		return 0;
	return err_set(t->err, ERR_USAGE, "no filter is called '%s'%s", name,
	    t->reader == NULL ? "; name the reader with -u" : " among those of this reader");
}

static int
compare_with_replaced(struct trial *t, const uint64_t *bits)
{
	struct run_trial *out = t->out;
	const char *match;
	uint64_t *old;

	if (t->options->instead_of == NULL)
		return 0;
	if (find_replaced(t, &match) == -1 ||
	    evaluate_filter(t, t->options->instead_of, match, &old) == -1 ||
	    subtract(t, bits, old, &out->gained, &out->ngained_shown, &out->ngained) == -1)
		return -1;
	return subtract(t, old, bits, &out->lost, &out->nlost_shown, &out->nlost);
}

static int
try_query(struct trial *t)
{
	struct run_trial *out = t->out;
	struct query *q;
	uint64_t *bits;

	if (find_reader(t) == -1 ||
	    queries_read(t->run->cfg, t->reader != NULL ? &t->reader->sub : NULL,
		t->options->instead_of != NULL ? t->options->instead_of : "", t->options->query,
		t->a, &q, &out->wrong, t->err) == -1)
		return -1;
	out->clauses = arena_array(t->a, count_clauses(q), sizeof(*out->clauses));
	if (out->clauses == NULL)
		return err_nomem(t->err, "try");
	if (load_days(t) == -1 || evaluate(t, q, &bits) == -1 || add_clauses(t, q, 0) == -1 ||
	    rank_papers(t, q) == -1 || add_overlaps(t, bits) == -1 ||
	    compare_with_replaced(t, bits) == -1)
		return -1;
	out->nmatched = count_bits(bits, t->nwords);
	count_days(t, bits);
	add_coverage(t, q);
	return 0;
}

int
run_try(struct run *run, const struct run_try_options *options, struct arena *a,
    struct run_trial *out, struct error *err)
{
	struct trial t = { .run = run, .options = options, .out = out, .a = a, .err = err };
	int rc;

	memset(out, 0, sizeof(*out));
	rc = try_query(&t);
	match_index_free(t.index);
	match_literals_free(t.literals);
	return rc;
}

void
run_add_caret(struct strbuf *out, const char *query, size_t offset)
{
	text_add_caret(out, query, offset);
}

/* ---- filters that were edited ---- */

struct edited {
	struct run *run;
	int (*visit)(void *arg, const struct subscriber *reader, const struct filter *now,
	    const char *before);
	void *arg;
	struct error *err;
};

static int
look_at_block(void *arg, const struct subscriber *reader, bool good)
{
	struct edited *e = arg;
	struct store_reader *known;
	struct arena a;
	int found, rc = 0;

	if (!good)
		return 0;
	arena_init(&a, MAX_READER_BYTES);
	found = store_find_reader(e->run->store, reader->canonical, &a, &known, e->err);
	for (size_t i = 0; found == 1 && rc == 0 && i < reader->nfilters; i++) {
		const struct filter *now = &reader->filters[i], *before = known->sub.filters;
		size_t k = filter_find(before, known->sub.nfilters, now->name);

		if (k < known->sub.nfilters && strcmp(before[k].match, now->match) != 0)
			rc = e->visit(e->arg, reader, now, before[k].match);
	}
	arena_release(&a);
	return found == -1 ? -1 : rc;
}

int
run_each_edited_filter(struct run *run,
    int (*visit)(
	void *arg, const struct subscriber *reader, const struct filter *now, const char *before),
    void *arg, struct error *err)
{
	struct edited e = { run, visit, arg, err };

	return config_each_reader(run->cfg, look_at_block, &e, err);
}
