#include "index.h"
#include "digest/text.h"
#include "digest/utf8.h"

#include <string.h>

/* What part of a name a word of the query is. */
enum part_kind { PART_FULL, PART_PREFIX, PART_INITIAL };

/* A name being compared: which of its words are taken, and which words of the query are found. */
struct comparison {
	const struct literal_spec *spec;
	const struct token_list *name;
	const char *text;
	bool used[AUTHOR_STRIDE], found[AUTHOR_STRIDE];
};

/* One letter is an initial, unless this spelling is asked for. */
static enum part_kind
kind_of(const struct literal_spec *spec, size_t i)
{
	const char *form = spec->words[i].form;
	size_t len = strlen(form);
	uint32_t cp;

	if (spec->kind == TERM_PREFIX && i + 1 == spec->nwords)
		return PART_PREFIX;
	return spec->kind != TERM_EXACT && utf8_decode(form, len, &cp) == len ? PART_INITIAL
									      : PART_FULL;
}

static bool
run_is_free(const struct comparison *c, size_t first, size_t n)
{
	if (first + n > c->name->len || first + n > AUTHOR_STRIDE)
		return false;
	for (size_t i = 0; i < n; i++)
		if (c->used[first + i])
			return false;
	return true;
}

/* A full name is a word of the name, or a hyphenated run of it joined ("obrien" of O'Brien). */
static bool
take_full(struct comparison *c, const char *form)
{
	const char *forms = c->name->forms.buf;

	for (size_t i = 0; i < c->name->len && i < AUTHOR_STRIDE; i++) {
		const struct token *t = &c->name->tokens[i];
		size_t n = 1;

		if (c->spec->kind == TERM_EXACT) {
			if (strlen(form) != t->end - t->start ||
			    memcmp(c->text + t->start, form, t->end - t->start) != 0)
				continue;
		} else if (strcmp(forms + t->form, form) != 0) {
			if (t->njoined == 0 || strcmp(forms + t->joined, form) != 0)
				continue;
			n = t->njoined;
		}
		if (run_is_free(c, i, n)) {
			memset(c->used + i, true, n);
			return true;
		}
	}
	return false;
}

/* A prefix of a word or of a hyphenated run joined ("obri" of O'Brien), or an initial, which is the first letter of a word. */
static bool
take_beginning(struct comparison *c, const char *form, enum part_kind kind)
{
	const char *forms = c->name->forms.buf;
	size_t len = strlen(form);

	for (size_t i = 0; i < c->name->len && i < AUTHOR_STRIDE; i++) {
		const struct token *t = &c->name->tokens[i];
		size_t n = 1;

		if (strncmp(forms + t->form, form, len) != 0) {
			if (kind != PART_PREFIX || t->njoined == 0 ||
			    strncmp(forms + t->joined, form, len) != 0)
				continue;
			n = t->njoined;
		}
		if (run_is_free(c, i, n)) {
			memset(c->used + i, true, n);
			return true;
		}
	}
	return false;
}

/* Whether the joined form of the words from i on is a prefix: the last of them is. */
static bool
is_joined_prefix(const struct literal_spec *spec, size_t i)
{
	return spec->kind == TERM_PREFIX && i + spec->words[i].njoined == spec->nwords;
}

static bool
take_joined(struct comparison *c, size_t i)
{
	const char *joined = c->spec->words[i].joined;

	return is_joined_prefix(c->spec, i) ? take_beginning(c, joined, PART_PREFIX)
					    : take_full(c, joined);
}

/* Joined forms first, then whole words, prefixes and initials, which could take anything: so
 * nothing is taken away from a word that has fewer choices. */
static bool
name_matches(const struct literal_spec *spec, const struct token_list *name, const char *text)
{
	struct comparison c = { .spec = spec, .name = name, .text = text };

	if (spec->nwords > AUTHOR_STRIDE)
		return false;
	for (size_t i = 0; i < spec->nwords; i++)
		if (spec->words[i].njoined > 0 && take_joined(&c, i))
			memset(c.found + i, true, spec->words[i].njoined);
	for (enum part_kind kind = PART_FULL; kind <= PART_INITIAL; kind++) {
		for (size_t i = 0; i < spec->nwords; i++) {
			const char *form = spec->words[i].form;

			if (c.found[i] || kind_of(spec, i) != kind)
				continue;
			if (!(kind == PART_FULL ? take_full(&c, form)
						: take_beginning(&c, form, kind)))
				return false;
		}
	}
	return true;
}

/* The word that narrows the candidates most: a whole one if there is any. */
static size_t
pick_word(const struct literal_spec *spec)
{
	for (enum part_kind kind = PART_FULL; kind <= PART_PREFIX; kind++)
		for (size_t i = 0; i < spec->nwords; i++)
			if (kind_of(spec, i) == kind)
				return i;
	return 0;
}

/* Authors that have one word of the term, by paper and number. */
static int
find_candidates(const struct match_index *index, const struct literal_spec *spec,
    struct place_list *out, struct error *err)
{
	struct index_reader r = { index, index_field_bits(spec->field) };
	size_t pick = pick_word(spec);
	bool full = kind_of(spec, pick) == PART_FULL;
	enum word_sense sense = full ? SENSE_FOLDED : SENSE_PREFIX;
	struct place_list found;
	int rc;

	places_init(&found);
	rc = index_places_of_word(&r, spec->words[pick].form,
	    spec->kind == TERM_EXACT ? SENSE_EXACT : sense, &found, err);
	for (size_t i = 0; i <= pick && rc == 0; i++)
		if (i + spec->words[i].njoined > pick)
			rc = index_places_of_word(&r, spec->words[i].joined,
			    is_joined_prefix(spec, i) ? SENSE_PREFIX : SENSE_FOLDED, &found, err);
	for (size_t i = 0; i < found.len && rc == 0; i++) {
		struct place p = found.items[i];

		p.start &= ~(uint32_t)(AUTHOR_STRIDE - 1);
		p.end = p.start + 1;
		rc = places_add(out, p, err);
	}
	places_release(&found);
	return rc == 0 ? places_sort(out, err) : -1;
}

static bool
is_place_of_field(const struct paper *p, enum query_field field, size_t author)
{
	return field == FIELD_AUTHOR ||
	    author == (field == FIELD_FIRST_AUTHOR ? 0 : p->nauthors - 1);
}

int
author_places(const struct match_index *index, const struct literal_spec *spec,
    struct place_list *out, struct error *err)
{
	struct token_list name;
	struct strbuf plain;
	size_t n = 0;
	int rc;

	tokens_init(&name);
	strbuf_init(&plain, 1 << 24);
	rc = find_candidates(index, spec, out, err);
	for (size_t i = 0; i < out->len && rc == 0; i++) {
		const struct paper *p = index->papers[out->items[i].paper];
		size_t author = (out->items[i].start & ((1u << FIELD_SHIFT) - 1)) / AUTHOR_STRIDE;

		if (!is_place_of_field(p, spec->field, author))
			continue;
		tokens_reset(&name);
		strbuf_reset(&plain);
		text_add_latex(&plain, p->authors[author], strlen(p->authors[author]));
		rc = strbuf_check(&plain, err);
		if (rc == 0)
			rc = tokens_add(&name, plain.buf, plain.len, 0, err);
		if (rc == 0 && name_matches(spec, &name, plain.buf))
			out->items[n++] = out->items[i];
	}
	if (rc == 0)
		out->len = n;
	strbuf_release(&plain);
	tokens_release(&name);
	return rc;
}
