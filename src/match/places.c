#include "places.h"

#include <stdlib.h>
#include <string.h>

void
places_init(struct place_list *list)
{
	memset(list, 0, sizeof(*list));
}

void
places_release(struct place_list *list)
{
	free(list->items);
	places_init(list);
}

int
places_add(struct place_list *list, struct place p, struct error *err)
{
	if (list->len == list->alloc) {
		size_t alloc = list->alloc == 0 ? 16 : 2 * list->alloc;
		struct place *items = realloc(list->items, alloc * sizeof(*items));

		if (items == NULL)
			return err_nomem(err, "places of words");
		list->items = items;
		list->alloc = alloc;
	}
	list->items[list->len++] = p;
	return 0;
}

static int
compare_numbers(uint32_t x, uint32_t y)
{
	return (x > y) - (x < y);
}

static int
compare_starts(const void *x, const void *y)
{
	const struct place *p = x, *q = y;
	int c = compare_numbers(p->paper, q->paper);

	if (c == 0)
		c = compare_numbers(p->start, q->start);
	return c != 0 ? c : compare_numbers(p->end, q->end);
}

static int
compare_ends(const void *x, const void *y)
{
	const struct place *p = x, *q = y;
	int c = compare_numbers(p->paper, q->paper);

	if (c == 0)
		c = compare_numbers(p->end, q->end);
	return c != 0 ? c : compare_numbers(p->start, q->start);
}

typedef int compare_items(const void *x, const void *y);

/* The end of the sorted run that begins at at. */
static size_t
run_end(const char *items, size_t n, size_t size, size_t at, compare_items *compare)
{
	for (at++; at < n && compare(items + (at - 1) * size, items + at * size) <= 0; at++)
		continue;
	return at;
}

/* Merge the runs of from two by two into to; returns how many are left. */
static size_t
merge_runs(const char *from, char *to, size_t n, size_t size, compare_items *compare)
{
	size_t nruns = 0;

	for (size_t at = 0; at < n; nruns++) {
		size_t x = at, middle = run_end(from, n, size, at, compare), y = middle;
		size_t end = middle < n ? run_end(from, n, size, middle, compare) : n;

		for (; at < end; at++) {
			bool first = y == end ||
			    (x < middle && compare(from + x * size, from + y * size) <= 0);

			memcpy(to + at * size, from + (first ? x++ : y++) * size, size);
		}
	}
	return nruns;
}

/* Lists are put together from sorted ones, so it takes a pass to merge two of them and log2 n passes for n. Equal items stay
 * in their order. */
static int
sort_runs(void *items, size_t n, size_t size, compare_items *compare, struct error *err)
{
	char *from = items, *to, *spare;

	if (n == 0 || run_end(items, n, size, 0, compare) == n)
		return 0;
	if ((spare = to = malloc(n * size)) == NULL)
		return err_nomem(err, "places of words");
	for (size_t nruns = 2; nruns > 1;) {
		char *sorted = to;

		nruns = merge_runs(from, to, n, size, compare);
		to = from;
		from = sorted;
	}
	if (from == spare)
		memcpy(items, spare, n * size);
	free(spare);
	return 0;
}

static int
sort_by(struct place_list *list, compare_items *compare, struct error *err)
{
	size_t n = 1;

	if (sort_runs(list->items, list->len, sizeof(list->items[0]), compare, err) == -1)
		return -1;
	for (size_t i = 1; i < list->len; i++)
		if (compare(&list->items[n - 1], &list->items[i]) != 0)
			list->items[n++] = list->items[i];
	if (n < list->len)
		list->len = n;
	return 0;
}

int
places_sort(struct place_list *list, struct error *err)
{
	return sort_by(list, compare_starts, err);
}

/*
 * Add to out every place of before (by ends, one for each end) with a place of word (by starts)
 * directly behind it. Without before the phrase begins with word.
 */
static int
extend(const struct place_list *before, const struct place_list *word, struct place_list *out,
    struct error *err)
{
	size_t first = 0;

	if (before == NULL) {
		for (size_t i = 0; i < word->len; i++)
			if (places_add(out, word->items[i], err) == -1)
				return -1;
		return 0;
	}
	for (size_t i = 0; i < before->len; i++) {
		struct place p = before->items[i];

		while (first < word->len &&
		    (word->items[first].paper < p.paper ||
			(word->items[first].paper == p.paper && word->items[first].start < p.end)))
			first++;
		for (size_t j = first; j < word->len && word->items[j].paper == p.paper &&
		     word->items[j].start == p.end;
		     j++) {
			struct place longer = { p.paper, p.start, word->items[j].end };

			if (places_add(out, longer, err) == -1)
				return -1;
		}
	}
	return 0;
}

/* Ways to the same end are one way: keep the first, so that the work stays linear. */
static int
keep_one_per_end(struct place_list *list, struct error *err)
{
	size_t n = 0;

	if (sort_by(list, compare_ends, err) == -1)
		return -1;
	for (size_t i = 0; i < list->len; i++)
		if (n == 0 || list->items[n - 1].paper != list->items[i].paper ||
		    list->items[n - 1].end != list->items[i].end)
			list->items[n++] = list->items[i];
	list->len = n;
	return 0;
}

static enum word_sense
sense_of(const struct literal_spec *spec, size_t behind)
{
	if (spec->kind == TERM_EXACT)
		return SENSE_EXACT;
	return spec->kind == TERM_PREFIX && behind == spec->nwords ? SENSE_PREFIX : SENSE_NORMAL;
}

/* Go on from ways[i] by one word form that stands for n words of the phrase. */
static int
step_phrase(const struct literal_spec *spec, places_of_word *of_word, void *arg,
    struct place_list *ways, size_t i, const char *form, size_t n, struct error *err)
{
	struct place_list found;
	int rc;

	places_init(&found);
	rc = of_word(arg, form, sense_of(spec, i + n), &found, err);
	if (rc == 0)
		rc = extend(i > 0 ? &ways[i] : NULL, &found, &ways[i + n], err);
	places_release(&found);
	return rc;
}

/*
 * ways[i] holds how far the first i words reach. The joined form of several words is a way past
 * all of them, on the side of the query here and on the side of the paper by words that are
 * several positions long.
 */
static int
places_of_phrase(const struct literal_spec *spec, places_of_word *of_word, void *arg,
    struct place_list *out, struct error *err)
{
	struct place_list *ways = calloc(spec->nwords + 1, sizeof(*ways));
	int rc = 0;

	if (ways == NULL)
		return err_nomem(err, "places of words");
	for (size_t i = 0; i < spec->nwords && rc == 0; i++) {
		const struct query_word *w = &spec->words[i];

		rc = keep_one_per_end(&ways[i], err);
		if (rc == -1 || (i > 0 && ways[i].len == 0))
			continue;
		rc = step_phrase(spec, of_word, arg, ways, i, w->form, 1, err);
		if (rc == 0 && w->njoined > 0)
			rc = step_phrase(spec, of_word, arg, ways, i, w->joined, w->njoined, err);
	}
	if (rc == 0)
		rc = extend(NULL, &ways[spec->nwords], out, err);
	if (rc == 0)
		rc = places_sort(out, err);
	for (size_t i = 0; i <= spec->nwords; i++)
		places_release(&ways[i]);
	free(ways);
	return rc;
}

/* The different words of a proximity group. */
struct near_word {
	const char *form;
	size_t needed, seen;
};

struct near_place {
	struct place place;
	size_t word;
};

struct near_group {
	struct near_word *words;
	size_t nwords;
	struct near_place *items;
	size_t len;
	size_t nmissing; /* words that the window still lacks */
};

static int
compare_near(const void *x, const void *y)
{
	const struct near_place *p = x, *q = y;
	int c = compare_numbers(p->place.paper, q->place.paper);

	return c != 0 ? c : compare_numbers(p->place.start, q->place.start);
}

static void
count_words(struct near_group *g, const struct literal_spec *spec)
{
	for (size_t i = 0; i < spec->nwords; i++) {
		size_t w = 0;

		while (w < g->nwords && strcmp(g->words[w].form, spec->words[i].form) != 0)
			w++;
		g->words[w].form = spec->words[i].form;
		g->words[w].needed++;
		if (w == g->nwords)
			g->nwords++;
	}
}

static int
collect_places(struct near_group *g, places_of_word *of_word, void *arg, struct error *err)
{
	struct place_list found;
	int rc = 0;

	places_init(&found);
	for (size_t w = 0; w < g->nwords && rc == 0; w++) {
		struct near_place *items;

		found.len = 0;
		if (of_word(arg, g->words[w].form, SENSE_NORMAL, &found, err) == -1) {
			rc = -1;
			break;
		}
		items = realloc(g->items, (g->len + found.len + 1) * sizeof(*items));
		if (items == NULL) {
			rc = err_nomem(err, "places of words");
			break;
		}
		g->items = items;
		for (size_t i = 0; i < found.len; i++) {
			bool again = i > 0 && found.items[i - 1].paper == found.items[i].paper &&
			    found.items[i - 1].start == found.items[i].start;

			if (!again)
				g->items[g->len++] = (struct near_place){ found.items[i], w };
		}
	}
	places_release(&found);
	return rc;
}

static void
enter_window(struct near_group *g, size_t i)
{
	struct near_word *w = &g->words[g->items[i].word];

	if (w->seen++ < w->needed)
		g->nmissing--;
}

static void
leave_window(struct near_group *g, size_t i)
{
	struct near_word *w = &g->words[g->items[i].word];

	if (w->seen-- <= w->needed)
		g->nmissing++;
}

/* Every window that holds all words, the shortest first, none over another. */
static int
slide_window(struct near_group *g, const struct literal_spec *spec, struct place_list *out,
    struct error *err)
{
	size_t left = 0;

	g->nmissing = spec->nwords;
	for (size_t i = 0; i < g->len; i++) {
		struct place last = g->items[i].place;

		enter_window(g, i);
		while (g->items[left].place.paper != last.paper ||
		    last.start - g->items[left].place.start > spec->distance + 1)
			leave_window(g, left++);
		if (g->nmissing > 0)
			continue;
		while (g->words[g->items[left].word].seen > g->words[g->items[left].word].needed)
			leave_window(g, left++);
		if (places_add(out,
			(struct place){ last.paper, g->items[left].place.start, last.end },
			err) == -1)
			return -1;
		while (left <= i)
			leave_window(g, left++);
	}
	return 0;
}

static int
places_of_near(const struct literal_spec *spec, places_of_word *of_word, void *arg,
    struct place_list *out, struct error *err)
{
	struct near_group g = { .words = calloc(spec->nwords, sizeof(struct near_word)) };
	int rc;

	if (g.words == NULL)
		return err_nomem(err, "places of words");
	count_words(&g, spec);
	rc = collect_places(&g, of_word, arg, err);
	if (rc == 0)
		rc = sort_runs(g.items, g.len, sizeof(g.items[0]), compare_near, err);
	if (rc == 0)
		rc = slide_window(&g, spec, out, err);
	free(g.items);
	free(g.words);
	return rc;
}

int
places_of_term(const struct literal_spec *spec, places_of_word *of_word, void *arg,
    struct place_list *out, struct error *err)
{
	if (spec->kind == TERM_NEAR)
		return places_of_near(spec, of_word, arg, out, err);
	if (spec->nwords == 1)
		return of_word(arg, spec->words[0].form, sense_of(spec, 1), out, err);
	return places_of_phrase(spec, of_word, arg, out, err);
}
