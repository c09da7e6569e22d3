/* Which papers a search must look at: by the index of words, and those that it does not have yet. */
#include "digest/text.h"
#include "store/db.h"
#include "store/wordset.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_NEAR_WORD = 64 };

/* The columns of the index. */
static const struct {
	enum store_text text;
	const char *column;
} columns[] = {
	{ STORE_TITLE, "title" },
	{ STORE_ABSTRACT, "abstract" },
	{ STORE_AUTHORS, "authors" },
	{ STORE_KEYWORDS, "keywords" },
	{ STORE_ORG, "org" },
	{ STORE_VENUE, "venue" },
};

/* {title abstract} : "word" * */
static void
add_word(struct strbuf *out, const struct store_words *w)
{
	strbuf_addc(out, '{');
	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
		if ((w->texts & columns[i].text) != 0)
			strbuf_addf(out, " %s", columns[i].column);
	strbuf_add(out, " } : \"");
	wordset_add_form(out, w->form);
	strbuf_add(out, w->prefix ? "\" *" : "\"");
}

/* The question in the words of FTS5. */
static void
add_match(struct strbuf *out, const struct store_words *w)
{
	if (w->op == WORDS_ONE) {
		add_word(out, w);
		return;
	}
	strbuf_addc(out, '(');
	for (size_t i = 0; i < w->nparts; i++) {
		if (i > 0)
			strbuf_add(out, w->op == WORDS_ALL ? " AND " : " OR ");
		add_match(out, w->parts[i]);
	}
	strbuf_addc(out, ')');
}

static int
find_indexed(struct store *store, const struct store_words *words, struct arena *a,
    struct db_rows *out, struct error *err)
{
	struct strbuf match;
	struct stmt q;
	int rc;

	strbuf_init(&match, MAX_PACKED_BYTES);
	add_match(&match, words);
	if ((rc = strbuf_check(&match, err)) == 0) {
		db_start(&q, store, SQL_SEARCH_ALL);
		db_bind_text(&q, match.buf);
		rc = db_load_ids(&q, a, out, err);
	}
	strbuf_release(&match);
	return rc;
}

/* Both lists ascend, and so does what comes of them. */
static int
unite(const struct db_rows *x, const struct db_rows *y, struct arena *a, struct db_rows *out)
{
	const int64_t *p = x->items, *q = y->items;
	int64_t *ids = arena_array(a, x->n + y->n, sizeof(*ids));
	size_t n = 0;

	if (ids == NULL)
		return -1;
	for (size_t i = 0, k = 0; i < x->n || k < y->n;) {
		int64_t next = k == y->n || (i < x->n && p[i] < q[k]) ? p[i] : q[k];

		i += i < x->n && p[i] == next;
		k += k < y->n && q[k] == next;
		ids[n++] = next;
	}
	out->items = ids;
	out->n = n;
	return 0;
}

/* What is in x and in y; x may be out. */
static void
intersect(const struct db_rows *x, const struct db_rows *y, struct db_rows *out)
{
	const int64_t *q = y->items;
	int64_t *p = x->items;
	size_t n = 0;

	for (size_t i = 0, k = 0; i < x->n; i++) {
		while (k < y->n && q[k] < p[i])
			k++;
		if (k < y->n && q[k] == p[i])
			p[n++] = p[i];
	}
	out->items = p;
	out->n = n;
}

int
store_propose_papers(struct store *store, const struct store_words *words, int64_t since_utc,
    struct arena *a, int64_t **out, size_t *n, struct error *err)
{
	struct db_rows there = { 0 }, indexed, due, ids;
	struct stmt q;

	/* One that is due may be gone, and one that is indexed too: both must be among what is there. */
	db_start(&q, store, since_utc > 0 ? SQL_PAPER_SINCE : SQL_PAPER_ALL);
	if (since_utc > 0)
		db_bind_int(&q, since_utc);
	if (db_load_ids(&q, a, &there, err) == -1)
		return -1;
	ids = there;
	if (words->op != WORDS_ANY) {
		db_start(&q, store, SQL_SEARCH_DUE_ALL);
		if (db_load_ids(&q, a, &due, err) == -1 ||
		    find_indexed(store, words, a, &indexed, err) == -1)
			return -1;
		if (unite(&indexed, &due, a, &ids) == -1)
			return err_nomem(err, "papers found");
		intersect(&ids, &there, &ids);
	}
	*out = ids.items;
	*n = ids.n;
	return 0;
}

/* ---- by how much they have ---- */

struct weighed {
	int64_t id;
	double weight;
};

/* Both ascend. A weight below 0 is nobody's guess and stays. */
static int
add_weight(struct store *store, const struct store_words *word, double weight, struct weighed *list,
    size_t n, struct error *err)
{
	struct strbuf match;
	struct stmt q;
	size_t at = 0;
	int more = -1;

	strbuf_init(&match, MAX_PACKED_BYTES);
	add_match(&match, word);
	if (strbuf_check(&match, err) == 0) {
		db_start(&q, store, SQL_SEARCH_ALL);
		db_bind_text(&q, match.buf);
		while ((more = db_step(&q, err)) == 1) {
			int64_t id = db_int(&q, 0);

			while (at < n && list[at].id < id)
				at++;
			if (at < n && list[at].id == id && list[at].weight >= 0)
				list[at].weight += weight;
		}
	}
	strbuf_release(&match);
	return more;
}

/* Those of unknown weight first, then the heaviest, then the newest. */
static int
compare_weighed(const void *x, const void *y)
{
	const struct weighed *p = x, *q = y;
	bool unknown_p = p->weight < 0, unknown_q = q->weight < 0;

	if (unknown_p != unknown_q)
		return unknown_p ? -1 : 1;
	if (p->weight != q->weight)
		return p->weight > q->weight ? -1 : 1;
	return (p->id < q->id) - (p->id > q->id);
}

static void
mark_unknown(struct weighed *list, size_t n, const struct db_rows *due)
{
	const int64_t *ids = due->items;

	for (size_t i = 0, k = 0; i < n; i++) {
		while (k < due->n && ids[k] < list[i].id)
			k++;
		if (k < due->n && ids[k] == list[i].id)
			list[i].weight = -1;
	}
}

/* Every paper there is, with nothing yet. */
static int
load_weighed(struct store *store, int64_t since_utc, struct arena *a, struct weighed **out,
    size_t *n, struct error *err)
{
	static const struct store_words any = { .op = WORDS_ANY };
	struct db_rows due;
	struct stmt q;
	int64_t *ids;

	if (store_propose_papers(store, &any, since_utc, a, &ids, n, err) == -1)
		return -1;
	if ((*out = arena_array(a, *n, sizeof(**out))) == NULL)
		return err_nomem(err, "papers found");
	for (size_t i = 0; i < *n; i++)
		(*out)[i].id = ids[i];
	db_start(&q, store, SQL_SEARCH_DUE_ALL);
	if (db_load_ids(&q, a, &due, err) == -1)
		return -1;
	mark_unknown(*out, *n, &due);
	return 0;
}

int
store_rank_papers(struct store *store, const char *const *forms, const double *weights,
    size_t nforms, unsigned texts, int64_t since_utc, struct arena *a, int64_t **out, size_t *n,
    size_t *nunknown, struct error *err)
{
	struct weighed *list;
	size_t len, kept = 0;
	int64_t *ids;

	if (load_weighed(store, since_utc, a, &list, &len, err) == -1)
		return -1;
	for (size_t i = 0; i < nforms; i++) {
		struct store_words word = { .op = WORDS_ONE, .form = forms[i], .texts = texts };

		if (add_weight(store, &word, weights[i], list, len, err) == -1)
			return -1;
	}
	if (len > 1)
		qsort(list, len, sizeof(*list), compare_weighed);
	if ((ids = arena_array(a, len, sizeof(*ids))) == NULL)
		return err_nomem(err, "papers found");
	*nunknown = 0;
	for (size_t i = 0; i < len && (list[i].weight < 0 || list[i].weight > 0); i++) {
		*nunknown += list[i].weight < 0;
		ids[kept++] = list[i].id;
	}
	*out = ids;
	*n = kept;
	return 0;
}

int
store_count_words(
    struct store *store, const struct store_words *words, size_t *n, struct error *err)
{
	struct strbuf match;
	struct stmt q;
	int rc;

	if (words->op == WORDS_ANY)
		return store_count_papers(store, n, err);
	strbuf_init(&match, MAX_PACKED_BYTES);
	add_match(&match, words);
	if ((rc = strbuf_check(&match, err)) == 0) {
		db_start(&q, store, SQL_SEARCH_COUNT);
		db_bind_text(&q, match.buf);
		if ((rc = db_step(&q, err)) == 1) {
			*n = (size_t)db_int(&q, 0);
			db_done(&q);
		}
		rc = rc == 1 ? 0 : -1;
	}
	strbuf_release(&match);
	return rc;
}

int
store_count_papers(struct store *store, size_t *n, struct error *err)
{
	int64_t count;

	if (db_get_int(store, SQL_PAPER_COUNT, NULL, 0, &count, err) != 1)
		return -1;
	*n = (size_t)count;
	return 0;
}

/* ---- nearly so ---- */

static bool
is_near(const char *form, const char *word)
{
	const char *const names[] = { word, NULL };

	return strcmp(form, word) != 0 && strlen(word) < MAX_NEAR_WORD &&
	    text_nearest(form, names) != NULL;
}

int
store_find_near_word(
    struct store *store, const char *form, struct arena *a, const char **out, struct error *err)
{
	const char from[2] = { form[0], '\0' }, to[2] = { (char)(form[0] + 1), '\0' };
	int64_t most = 0;
	struct stmt q;
	int more;

	/* Nobody errs in the first letter: the others need not be looked at. */
	if ((unsigned char)form[0] >= 0x7f || form[0] == '\0' || strlen(form) >= MAX_NEAR_WORD)
		return 0;
	db_start(&q, store, SQL_SEARCH_WORDS);
	db_bind_text(&q, from);
	db_bind_text(&q, to);
	while ((more = db_step(&q, err)) == 1) {
		const char *word = (const char *)sqlite3_column_text(q.st, 0);

		if (word == NULL || db_int(&q, 1) <= most || !is_near(form, word))
			continue;
		most = db_int(&q, 1);
		if ((*out = arena_strdup(a, word)) == NULL) {
			db_done(&q);
			return err_nomem(err, "words");
		}
	}
	return more == -1 ? -1 : most > 0;
}
