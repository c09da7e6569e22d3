/* plain_match.h - what a word, phrase, name, condition or property means, worked out for one paper at a time by walking its
 * tokens: slow, without an index, and so simple that it can be seen to be right. The other side of test_match_random. */
#ifndef DIGEST_TEST_PLAIN_MATCH_H
#define DIGEST_TEST_PLAIN_MATCH_H

#include "digest/match.h"
#include "digest/text.h"

enum { PLAIN_MAX_WORDS = 64 };

/* A text as the slow side keeps it: its tokens and their normal forms. */
struct plain_text {
	struct token_list tokens;
	const char *text;
	const char **normal, **joined; /* of each token; NULL = begins no hyphenated run */
};

enum {
	TITLE,
	ABSTRACT,
	ORG,
	COMMENT,
	JOURNAL,
	VENUE,
	KEYWORDS,
	SOURCES = KEYWORDS + 2,
	AUTHORS = SOURCES + 2,
	NTEXTS = AUTHORS + 4
};

struct plain_paper {
	const struct paper *p;
	struct plain_text texts[NTEXTS];
};

static const char *
normal(const char *folded, struct arena *a)
{
	char out[128];

	text_normal_word(folded, out, sizeof(out));
	return arena_strdup(a, out);
}

static void
read_text(struct plain_text *t, const char *text, struct arena *a)
{
	struct strbuf plain;

	strbuf_init(&plain, 1 << 16);
	text_add_latex(&plain, text, strlen(text));
	t->text = arena_strdup(a, plain.buf);
	strbuf_release(&plain);
	tokens_init(&t->tokens);
	assert_int_equal(tokens_add(&t->tokens, t->text, strlen(t->text), 0, NULL), 0);
	t->normal = arena_array(a, t->tokens.len, sizeof(char *));
	t->joined = arena_array(a, t->tokens.len, sizeof(char *));
	for (size_t i = 0; i < t->tokens.len; i++) {
		const struct token *k = &t->tokens.tokens[i];

		t->normal[i] = normal(token_form(&t->tokens, k), a);
		if (k->njoined > 0)
			t->joined[i] = normal(t->tokens.forms.buf + k->joined, a);
	}
}

static void
read_paper(struct plain_paper *out, const struct paper *p, struct arena *a)
{
	out->p = p;
	read_text(&out->texts[TITLE], p->title, a);
	read_text(&out->texts[ABSTRACT], p->abstract, a);
	read_text(&out->texts[ORG], p->org, a);
	read_text(&out->texts[COMMENT], p->comment, a);
	read_text(&out->texts[JOURNAL], p->journal_ref, a);
	read_text(&out->texts[VENUE], p->venue, a);
	for (size_t i = 0; i < p->nkeywords; i++)
		read_text(&out->texts[KEYWORDS + i], p->keywords[i], a);
	for (size_t i = 0; i < p->nauthors; i++)
		read_text(&out->texts[AUTHORS + i], p->authors[i], a);
	for (size_t i = 0; i < p->nsources; i++)
		read_text(&out->texts[SOURCES + i], p->sources[i], a);
	/* Records from a source have one name and no list. */
	if (p->nsources == 0)
		read_text(&out->texts[SOURCES], p->source, a);
}

/* How many tokens from at on a query word form covers: its own, or a whole hyphenated run; 0 =
 * none. n is a list of up to two answers. */
static size_t
word_at(const struct plain_text *t, size_t at, const char *form, char how, size_t lengths[2])
{
	const struct token *k = &t->tokens.tokens[at];
	const char *folded = token_form(&t->tokens, k), *joined = t->tokens.forms.buf + k->joined;
	size_t n = 0, len = strlen(form);

	if (how == '=') {
		size_t spelled = k->end - k->start;

		if ((spelled == len || (spelled == len + 1 && t->text[k->end - 1] == 's')) &&
		    memcmp(t->text + k->start, form, len) == 0)
			lengths[n++] = 1;
		return n;
	}
	if (how == '*' ? strncmp(folded, form, len) == 0 : strcmp(t->normal[at], form) == 0)
		lengths[n++] = 1;
	if (k->njoined > 0 &&
	    (how == '*' ? strncmp(joined, form, len) == 0 : strcmp(t->joined[at], form) == 0))
		lengths[n++] = k->njoined;
	return n;
}

/* The words of q from w on stand from token at on. */
static bool
phrase_at(const struct plain_text *t, size_t at, const struct query *q, size_t w)
{
	size_t lengths[2], n;

	if (w == q->nwords)
		return true;
	if (at >= t->tokens.len)
		return false;
	for (int joined = 0; joined < 2; joined++) {
		size_t step = joined ? q->words[w].njoined : 1;
		const char *form = joined ? q->words[w].joined : q->words[w].form;
		bool last = w + step == q->nwords;
		char how = q->kind == TERM_EXACT ? '=' : q->kind == TERM_PREFIX && last ? '*' : ' ';

		if (step == 0)
			continue;
		n = word_at(t, at, form, how, lengths);
		for (size_t i = 0; i < n; i++)
			if (phrase_at(t, at + lengths[i], q, w + step))
				return true;
	}
	return false;
}

/* Choose a token for every word from w on, equal words in different places; all lie within the
 * distance. */
static bool
near_from(const struct plain_text *t, const struct query *q, size_t w, size_t *chosen)
{
	size_t lengths[2];

	if (w == q->nwords) {
		size_t low = chosen[0], high = chosen[0];

		for (size_t i = 1; i < w; i++) {
			low = chosen[i] < low ? chosen[i] : low;
			high = chosen[i] > high ? chosen[i] : high;
		}
		return high - low <= (size_t)q->distance + 1;
	}
	for (size_t at = 0; at < t->tokens.len; at++) {
		bool taken = word_at(t, at, q->words[w].form, ' ', lengths) == 0;

		for (size_t i = 0; i < w && !taken; i++)
			taken = chosen[i] == at && strcmp(q->words[i].form, q->words[w].form) == 0;
		chosen[w] = at;
		if (!taken && near_from(t, q, w + 1, chosen))
			return true;
	}
	return false;
}

static bool
in_text(const struct plain_text *t, const struct query *q)
{
	size_t chosen[PLAIN_MAX_WORDS];

	if (q->kind == TERM_NEAR)
		return near_from(t, q, 0, chosen);
	for (size_t at = 0; at < t->tokens.len; at++)
		if (phrase_at(t, at, q, 0))
			return true;
	return false;
}

/* Whether a word of a name, or a hyphenated run of it from there on, is what the query asks for; returns how many words it
 * takes, 0 = no. */
static size_t
name_part_at(const struct plain_text *t, size_t at, const char *form, char how)
{
	const struct token *k = &t->tokens.tokens[at];
	const char *part = token_form(&t->tokens, k), *joined = t->tokens.forms.buf + k->joined;
	size_t len = strlen(form);

	if (how == '=')
		return k->end - k->start == len && memcmp(t->text + k->start, form, len) == 0;
	if (how == '.')
		return strncmp(part, form, len) == 0;
	if (how == '*' ? strncmp(part, form, len) == 0 : strcmp(part, form) == 0)
		return 1;
	if (k->njoined > 0 &&
	    (how == '*' ? strncmp(joined, form, len) == 0 : strcmp(joined, form) == 0))
		return k->njoined;
	return 0;
}

/* Some way to give every word of the query its own word of the name. */
static bool
name_from(const struct plain_text *t, const struct query *q, size_t w, bool *used)
{
	if (w == q->nwords)
		return true;
	for (int joined = 0; joined < 2; joined++) {
		const char *form = joined ? q->words[w].joined : q->words[w].form;
		size_t step = joined ? q->words[w].njoined : 1;
		bool last = w + step == q->nwords;
		char how = q->kind == TERM_EXACT     ? '='
		    : q->kind == TERM_PREFIX && last ? '*'
		    : !joined && strlen(form) == 1   ? '.'
						     : ' ';

		for (size_t at = 0; at < t->tokens.len && step > 0; at++) {
			size_t n = name_part_at(t, at, form, how);
			bool ok = n > 0;

			for (size_t i = 0; i < n; i++)
				ok = ok && !used[at + i];
			if (!ok)
				continue;
			memset(used + at, true, n);
			if (name_from(t, q, w + step, used))
				return true;
			memset(used + at, false, n);
		}
	}
	return false;
}

static bool
in_authors(const struct plain_paper *pp, const struct query *q)
{
	size_t n = pp->p->nauthors;

	for (size_t i = 0; i < n; i++) {
		bool used[PLAIN_MAX_WORDS] = { false };

		if ((q->field == FIELD_FIRST_AUTHOR && i > 0) ||
		    (q->field == FIELD_LAST_AUTHOR && i + 1 < n))
			continue;
		if (name_from(&pp->texts[AUTHORS + i], q, 0, used))
			return true;
	}
	return false;
}

static bool
in_categories(const struct paper *p, const struct query *q)
{
	size_t n = q->field == FIELD_CAT ? p->ncategories : p->primary_known && p->ncategories > 0;

	for (size_t i = 0; i < n; i++) {
		const char *form = q->words[0].form;
		size_t len = strlen(form);
		struct strbuf folded;
		bool found;

		strbuf_init(&folded, 100);
		text_add_folded(&folded, p->categories[i], strlen(p->categories[i]));
		found = strncmp(folded.buf, form, len) == 0 &&
		    (q->kind == TERM_PREFIX || folded.len == len ||
			(strchr(form, '.') == NULL && folded.buf[len] == '.'));
		if (q->kind == TERM_EXACT)
			found = strcmp(p->categories[i], form) == 0;
		strbuf_release(&folded);
		if (found)
			return true;
	}
	return false;
}

/* Keys are compared in lower case. */
static bool
same_key(const char *x, const char *y)
{
	struct strbuf folded[2];
	bool same;

	for (int i = 0; i < 2; i++) {
		strbuf_init(&folded[i], 1000);
		text_add_folded(&folded[i], i == 0 ? x : y, strlen(i == 0 ? x : y));
	}
	same = strcmp(folded[0].buf, folded[1].buf) == 0;
	strbuf_release(&folded[0]);
	strbuf_release(&folded[1]);
	return same;
}

static bool
has_id(const struct paper *p, const char *key)
{
	char doi[100];

	snprintf(doi, sizeof(doi), "doi:%s", p->doi);
	return same_key(p->key, key) || (p->naliases > 0 && same_key(p->aliases[0], key)) ||
	    (p->doi[0] != '\0' && same_key(doi, key));
}

static bool
term_holds(const struct plain_paper *pp, const struct query *q)
{
	const struct plain_text *t = pp->texts;
	bool any = q->field == FIELD_TEXT;

	if (((any || q->field == FIELD_TITLE) && in_text(&t[TITLE], q)) ||
	    ((any || q->field == FIELD_ABSTRACT) && in_text(&t[ABSTRACT], q)) ||
	    (q->field == FIELD_ORG && in_text(&t[ORG], q)) ||
	    (q->field == FIELD_VENUE &&
		(in_text(&t[COMMENT], q) || in_text(&t[JOURNAL], q) || in_text(&t[VENUE], q))))
		return true;
	for (size_t i = 0; i < 2 && q->field == FIELD_SOURCE; i++)
		if (in_text(&t[SOURCES + i], q))
			return true;
	for (size_t i = 0; i < pp->p->nkeywords && (any || q->field == FIELD_KEYWORD); i++)
		if (in_text(&t[KEYWORDS + i], q))
			return true;
	return false;
}

static bool
number_holds(const struct query *q, int64_t n)
{
	return q->compare == COMPARE_LT ? n < q->number
	    : q->compare == COMPARE_LE	? n <= q->number
	    : q->compare == COMPARE_EQ	? n == q->number
	    : q->compare == COMPARE_GE	? n >= q->number
					: n > q->number;
}

static bool
condition_holds(const struct paper *p, const struct query *q, int64_t now_utc)
{
	switch (q->measure) {
	case MEASURE_VOTES:
		return number_holds(q, p->votes == -1 ? 0 : p->votes);
	case MEASURE_COMMENTS:
		return number_holds(q, p->comments == -1 ? 0 : p->comments);
	case MEASURE_STARS:
		return number_holds(q, p->stars == -1 ? 0 : p->stars);
	case MEASURE_AUTHORS:
		return number_holds(q, (int64_t)p->nauthors);
	case MEASURE_RANK:
		return p->rank != 0 && number_holds(q, p->rank);
	case MEASURE_AGE:
		return p->published_utc != 0 && number_holds(q, now_utc - p->published_utc);
	case MEASURE_PUBLISHED:
		return p->published_utc != 0 && number_holds(q, p->published_utc / 86400 * 86400);
	}
	return false;
}

static bool
property_holds(const struct paper *p, const struct query *q)
{
	switch (q->property) {
	case HAS_CODE:
		return strlen(p->code_url) > 0;
	case HAS_DOI:
		return strlen(p->doi) > 0;
	case HAS_PROJECT:
		return strlen(p->project_url) > 0;
	case HAS_MEDIA:
		return strlen(p->media_url) > 0;
	case IS_NEW:
		return p->kind == PAPER_NEW;
	case IS_CROSS:
		return p->kind == PAPER_CROSS || p->kind == PAPER_REPLACE_CROSS;
	case IS_REPLACED:
		return p->kind == PAPER_REPLACE || p->kind == PAPER_REPLACE_CROSS ||
		    p->version >= 2;
	case IS_WITHDRAWN:
		return p->withdrawn_utc != 0;
	default:
		return false;
	}
}

/* One leaf for one paper. */
static bool
leaf_holds(const struct plain_paper *pp, const struct query *q, int64_t now_utc, bool sent)
{
	if (q->op == QUERY_CONDITION)
		return condition_holds(pp->p, q, now_utc);
	if (q->op == QUERY_PROPERTY)
		return q->property == IS_SENT ? sent : property_holds(pp->p, q);
	if (q->field == FIELD_ID)
		return has_id(pp->p, q->words[0].form);
	if (q->field == FIELD_CAT || q->field == FIELD_PRIMARY)
		return in_categories(pp->p, q);
	return q->field >= FIELD_AUTHOR && q->field <= FIELD_LAST_AUTHOR ? in_authors(pp, q)
									 : term_holds(pp, q);
}

#endif
