#include "store/search.h"

#include "digest/limits.h"
#include "store/db.h"
#include "store/wordset.h"

#include <string.h>

/* ---- what is indexed ---- */

static bool
is_same_list(const char **a, size_t na, const char **b, size_t nb)
{
	if (na != nb)
		return false;
	for (size_t i = 0; i < na; i++)
		if (strcmp(a[i], b[i]) != 0)
			return false;
	return true;
}

bool
search_reads_same(const struct paper *a, const struct paper *b)
{
	return strcmp(a->title, b->title) == 0 && strcmp(a->abstract, b->abstract) == 0 &&
	    strcmp(a->org, b->org) == 0 && strcmp(a->comment, b->comment) == 0 &&
	    strcmp(a->journal_ref, b->journal_ref) == 0 && strcmp(a->venue, b->venue) == 0 &&
	    is_same_list(a->authors, a->nauthors, b->authors, b->nauthors) &&
	    is_same_list(a->keywords, a->nkeywords, b->keywords, b->nkeywords);
}

static int
bind_texts(struct wordset *w, const char *const *texts, size_t n, struct stmt *q, struct error *err)
{
	const char *words;

	wordset_reset(w);
	for (size_t i = 0; i < n; i++)
		if (wordset_add(w, texts[i], err) == -1)
			return -1;
	if ((words = arena_strndup(&q->store->scratch, w->out.buf, w->out.len)) == NULL)
		return err_nomem(err, "words of a paper");
	db_bind_text(q, words);
	return 0;
}

static int
add_words(
    struct store *store, int64_t id, const struct paper *p, struct wordset *w, struct error *err)
{
	const char *venue[] = { p->comment, p->journal_ref, p->venue };
	struct stmt q;

	db_start(&q, store, SQL_SEARCH_ADD);
	db_bind_int(&q, id);
	if (bind_texts(w, &p->title, 1, &q, err) == 0 &&
	    bind_texts(w, &p->abstract, 1, &q, err) == 0 &&
	    bind_texts(w, p->authors, p->nauthors, &q, err) == 0 &&
	    bind_texts(w, p->keywords, p->nkeywords, &q, err) == 0 &&
	    bind_texts(w, &p->org, 1, &q, err) == 0 && bind_texts(w, venue, 3, &q, err) == 0)
		return db_run(&q, err);
	db_done(&q);
	return -1;
}

/* The paper as it is now; out of the index when it is no more. */
static int
index_paper(struct store *store, int64_t id, struct wordset *w, struct error *err)
{
	struct paper *p = NULL;
	struct stmt q;
	int found, rc;

	arena_reset(&store->scratch);
	db_start(&q, store, SQL_SEARCH_CARD);
	db_bind_int(&q, id);
	if ((found = db_step(&q, err)) == -1)
		return -1;
	rc = found == 0 ? 0
			: paper_unpack(sqlite3_column_blob(q.st, 0),
			      (size_t)sqlite3_column_bytes(q.st, 0), &store->scratch, &p, err);
	if (found == 1)
		db_done(&q);
	if (rc == -1 || db_run_ints(store, SQL_SEARCH_DROP, DB_INTS(id), err) == -1)
		return -1;
	return found == 0 ? 0 : add_words(store, id, p, w, err);
}

int
store_update_search(struct store *store, size_t max, size_t *nleft, struct error *err)
{
	int64_t last = 0, id = 0, left;
	struct wordset w;
	int found = 1;

	wordset_init(&w);
	for (size_t i = 0; i < max; i++) {
		found = db_get_int(store, SQL_SEARCH_DUE_NEXT, DB_INTS(last), &id, err);
		if (found == 1 && index_paper(store, id, &w, err) == -1)
			found = -1;
		if (found != 1)
			break;
		last = id;
	}
	wordset_release(&w);
	if (found == -1 || db_run_ints(store, SQL_SEARCH_DUE_END, DB_INTS(last), err) == -1 ||
	    db_get_int(store, SQL_SEARCH_DUE_COUNT, NULL, 0, &left, err) != 1)
		return -1;
	*nleft = (size_t)left;
	return 0;
}

/* ---- finding ---- */

/* Each word becomes a string of FTS5, so that none of its operators is meant. */
static int
add_match(struct strbuf *out, const char *text, struct error *err)
{
	struct wordset w;
	int rc;

	wordset_init(&w);
	rc = wordset_add(&w, text, err);
	for (size_t i = 0; rc == 0 && i < w.tokens.len; i++) {
		strbuf_add(out, i > 0 ? " AND \"" : "\"");
		wordset_add_form(out, token_form(&w.tokens, &w.tokens.tokens[i]));
		strbuf_addc(out, '"');
	}
	wordset_release(&w);
	return rc == 0 ? strbuf_check(out, err) : -1;
}

static int
find_ids(struct store *store, const char *words, size_t max, struct arena *a, struct db_rows *out,
    struct error *err)
{
	struct strbuf match;
	struct stmt q;
	int rc;

	out->n = 0;
	strbuf_init(&match, 16 * MAX_QUERY_BYTES);
	rc = add_match(&match, words, err);
	if (rc == 0 && match.len > 0) {
		db_start(&q, store, SQL_SEARCH_FIND);
		db_bind_text(&q, match.buf);
		db_bind_int(&q, (int64_t)max);
		rc = db_load_ids(&q, a, out, err);
	}
	strbuf_release(&match);
	return rc;
}

static bool
is_among(struct paper *const *papers, size_t n, int64_t id)
{
	for (size_t i = 0; i < n; i++)
		if (papers[i]->id == id)
			return true;
	return false;
}

int
store_search(struct store *store, const char *words, struct arena *a, size_t max,
    struct paper ***out, size_t *n, struct error *err)
{
	struct paper **papers = arena_array(a, max, sizeof(struct paper *));
	struct db_rows ids;
	size_t got = 0;

	if (papers == NULL)
		return err_nomem(err, "papers found");
	if (find_ids(store, words, max, a, &ids, err) == -1)
		return -1;
	for (size_t i = 0; i < ids.n; i++) {
		int found =
		    store_load_paper(store, ((const int64_t *)ids.items)[i], a, &papers[got], err);

		if (found == -1)
			return -1;
		/* Since it was indexed it may have gone, or become one with another that was found. */
		if (found == 1 && !is_among(papers, got, papers[got]->id))
			got++;
	}
	*out = papers;
	*n = got;
	return 0;
}
