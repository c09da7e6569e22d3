#include "store/search.h"

#include "digest/limits.h"
#include "store/db.h"

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
	    strcmp(a->org, b->org) == 0 &&
	    is_same_list(a->authors, a->nauthors, b->authors, b->nauthors) &&
	    is_same_list(a->keywords, a->nkeywords, b->keywords, b->nkeywords);
}

/* A phrase must not run from one author into the next. */
static void
join_list(struct strbuf *out, const char **items, size_t n)
{
	strbuf_reset(out);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(out, "%s%s", i > 0 ? "\n" : "", items[i]);
}

static int
add_words(struct store *store, int64_t id, const struct paper *p, struct error *err)
{
	struct strbuf authors, keywords;
	struct stmt q;
	int rc = -1;

	strbuf_init(&authors, MAX_PACKED_BYTES);
	strbuf_init(&keywords, MAX_PACKED_BYTES);
	join_list(&authors, p->authors, p->nauthors);
	join_list(&keywords, p->keywords, p->nkeywords);
	if (strbuf_check(&authors, err) == 0 && strbuf_check(&keywords, err) == 0) {
		db_start(&q, store, SQL_SEARCH_ADD);
		db_bind_int(&q, id);
		db_bind_text(&q, p->title);
		db_bind_text(&q, p->abstract);
		db_bind_text(&q, authors.buf);
		db_bind_text(&q, keywords.buf);
		db_bind_text(&q, p->org);
		rc = db_run(&q, err);
	}
	strbuf_release(&authors);
	strbuf_release(&keywords);
	return rc;
}

/* The paper as it is now; out of the index when it is no more. */
static int
index_paper(struct store *store, int64_t id, struct error *err)
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
	return found == 0 ? 0 : add_words(store, id, p, err);
}

int
store_update_search(struct store *store, size_t max, size_t *nleft, struct error *err)
{
	int64_t last = 0, id = 0, left;
	int found = 1;

	for (size_t i = 0; i < max; i++) {
		found = db_get_int(store, SQL_SEARCH_DUE_NEXT, DB_INTS(last), &id, err);
		if (found != 1)
			break;
		if (index_paper(store, id, err) == -1)
			return -1;
		last = id;
	}
	if (found == -1 || db_run_ints(store, SQL_SEARCH_DUE_END, DB_INTS(last), err) == -1 ||
	    db_get_int(store, SQL_SEARCH_DUE_COUNT, NULL, 0, &left, err) != 1)
		return -1;
	*nleft = (size_t)left;
	return 0;
}

/* ---- finding ---- */

/* Each word becomes a string of FTS5, so that none of its operators is meant. The words of a hyphenated one follow each
 * other. */
static void
add_match(struct strbuf *out, const char *words)
{
	while (*(words += strspn(words, " \t\r\n")) != '\0') {
		strbuf_add(out, out->len > 0 ? " \"" : "\"");
		for (; *words != '\0' && strchr(" \t\r\n", *words) == NULL; words++)
			strbuf_add(out, *words == '"' ? "\"\"" : (const char[]){ *words, '\0' });
		strbuf_addc(out, '"');
	}
}

static int
read_id(struct stmt *q, struct arena *a, void *row, struct error *err)
{
	(void)a;
	(void)err;
	*(int64_t *)row = db_int(q, 0);
	return 0;
}

static int
find_ids(struct store *store, const char *words, size_t max, struct arena *a, struct db_rows *out,
    struct error *err)
{
	struct strbuf match;
	struct stmt q;
	int rc = 0;

	out->n = 0;
	strbuf_init(&match, 2 * MAX_QUERY_BYTES);
	add_match(&match, words);
	if (match.len > 0 && (rc = strbuf_check(&match, err)) == 0) {
		db_start(&q, store, SQL_SEARCH_FIND);
		db_bind_text(&q, match.buf);
		db_bind_int(&q, (int64_t)max);
		rc = db_load_rows(&q, a, sizeof(int64_t), read_id, out, err);
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
