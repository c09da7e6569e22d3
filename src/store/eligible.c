#include "store/db.h"

#include <stdlib.h>
#include <string.h>

enum {
	SENT_DAYS = 60
}; /* is:sent and updates look back this far; a longer list only costs memory */

/* ---- the packed list ---- */

static bool
next_item(struct unpack *u, struct sent_item *item)
{
	if (u->p >= u->end)
		return false;
	item->paper += (int64_t)unpack_uint(u);
	item->version = (uint32_t)unpack_uint(u);
	return !u->broken;
}

static struct unpack
open_list(const unsigned char *bytes, size_t len)
{
	return (struct unpack){ bytes, bytes + len, false };
}

static int
compare_items(const void *a, const void *b)
{
	const struct sent_item *x = a, *y = b;

	return x->paper < y->paper ? -1 : x->paper > y->paper;
}

/* Sort, keep the highest version of a paper, forget papers below floor. */
static size_t
tidy_items(struct sent_item *items, size_t n, int64_t floor)
{
	size_t kept = 0;

	qsort(items, n, sizeof(*items), compare_items);
	for (size_t i = 0; i < n; i++) {
		if (items[i].paper < floor)
			continue;
		if (kept > 0 && items[kept - 1].paper == items[i].paper) {
			if (items[kept - 1].version < items[i].version)
				items[kept - 1].version = items[i].version;
			continue;
		}
		items[kept++] = items[i];
	}
	return kept;
}

static void
pack_items(struct strbuf *out, const struct sent_item *items, size_t n)
{
	int64_t last = 0;

	for (size_t i = 0; i < n; i++) {
		pack_uint(out, (uint64_t)(items[i].paper - last));
		pack_uint(out, items[i].version);
		last = items[i].paper;
	}
}

/* The stored list as it is. */
static int
load_raw(
    struct store *store, int64_t reader, struct arena *a, struct sent_list *out, struct error *err)
{
	struct stmt q;
	int found, rc;

	out->bytes = NULL;
	out->len = 0;
	db_start(&q, store, SQL_SENT_GET);
	db_bind_int(&q, reader);
	if ((found = db_step(&q, err)) != 1)
		return found;
	rc = db_blob(&q, 0, a, &out->bytes, &out->len, err);
	db_done(&q);
	return rc;
}

/* All items, followed through merges, with room for extra more; *moved tells whether one was. */
static int
read_items(const struct store *store, const struct sent_list *list, size_t extra, struct arena *a,
    struct sent_item **out, size_t *n, bool *moved, struct error *err)
{
	/* An item takes two bytes at least. */
	struct sent_item *items = arena_array(a, list->len / 2 + extra + 1, sizeof(*items));
	struct unpack u = open_list(list->bytes, list->len);
	struct sent_item item = { 0, 0 };
	size_t count = 0;

	*moved = false;
	if (items == NULL)
		return err_nomem(err, "sent papers");
	while (next_item(&u, &item)) {
		items[count] = item;
		items[count].paper = papers_find_merged(&store->merged, item.paper);
		*moved = *moved || items[count].paper != item.paper;
		count++;
	}
	*out = items;
	*n = count;
	return 0;
}

int
store_load_sent(
    struct store *store, int64_t reader, struct arena *a, struct sent_list *out, struct error *err)
{
	struct sent_list list;
	struct sent_item *items;
	struct strbuf packed;
	bool moved;
	size_t n;
	int rc;

	if (papers_load_merged(store, err) == -1 || load_raw(store, reader, a, &list, err) == -1)
		return -1;
	if (store->merged.n == 0 || list.len == 0) {
		*out = list;
		return 0;
	}
	if (read_items(store, &list, 0, a, &items, &n, &moved, err) == -1)
		return -1;
	if (moved) {
		strbuf_init(&packed, MAX_PACKED_BYTES);
		pack_items(&packed, items, tidy_items(items, n, 0));
		rc = strbuf_check(&packed, err);
		list.len = packed.len;
		list.bytes = (const unsigned char *)arena_strndup(a, packed.buf, packed.len);
		strbuf_release(&packed);
		if (rc == -1)
			return -1;
		if (list.bytes == NULL)
			return err_nomem(err, "sent papers");
	}
	*out = list;
	return 0;
}

static int
find_floor(struct store *store, int64_t now_utc, struct error *err)
{
	if (store->sent_floor != 0)
		return 0;
	return db_get_int(store, SQL_SENT_FLOOR, DB_INTS(now_utc - (int64_t)SENT_DAYS * DAY_S),
		   &store->sent_floor, err) == 1
	    ? 0
	    : -1;
}

int
store_add_sent(struct store *store, int64_t reader, const struct sent_item *items, size_t n,
    int64_t now_utc, struct error *err)
{
	struct sent_list list;
	struct sent_item *all;
	struct strbuf packed;
	struct stmt q;
	bool moved;
	size_t nall;
	int rc;

	if (n == 0)
		return 0;
	if (find_floor(store, now_utc, err) == -1 || papers_load_merged(store, err) == -1 ||
	    load_raw(store, reader, &store->scratch, &list, err) == -1 ||
	    read_items(store, &list, n, &store->scratch, &all, &nall, &moved, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		all[nall] = items[i];
		all[nall++].paper = papers_find_merged(&store->merged, items[i].paper);
	}
	strbuf_init(&packed, MAX_PACKED_BYTES);
	pack_items(&packed, all, tidy_items(all, nall, store->sent_floor));
	if ((rc = strbuf_check(&packed, err)) == 0) {
		db_start(&q, store, SQL_SENT_PUT);
		db_bind_int(&q, reader);
		db_bind_blob(&q, packed.buf, packed.len);
		rc = db_run(&q, err);
	}
	strbuf_release(&packed);
	return rc;
}

/* ---- what is new for a reader ---- */

static void
set_bit(uint64_t *bitmap, size_t i)
{
	bitmap[i / 64] |= (uint64_t)1 << (i % 64);
}

static void
clear_bit(uint64_t *bitmap, size_t i)
{
	bitmap[i / 64] &= ~((uint64_t)1 << (i % 64));
}

/* A source that knows no versions says 0; what it brought was the first as far as anyone could
 * tell. */
static bool
is_newer(uint32_t version, uint32_t sent)
{
	return version > (sent > 0 ? sent : 1);
}

void
store_mark_new(const struct eligibility *e, struct paper *const *papers, size_t n, uint64_t *plain,
    uint64_t *signals)
{
	size_t words = (n + 63) / 64;

	memset(plain, 0, words * sizeof(*plain));
	memset(signals, 0, words * sizeof(*signals));
	for (size_t i = 0; i < n; i++) {
		const struct paper *p = papers[i];

		if (p->change_seq <= e->cursor_seq || p->late)
			continue;
		if (p->first_listed_utc >= e->since_utc)
			set_bit(plain, i);
		if (p->first_listed_utc >= e->since_utc ||
		    p->first_listed_utc >= e->signal_since_utc)
			set_bit(signals, i);
	}
}

/* The first of papers from `at` on with this number or a higher one. */
static size_t
seek_paper(struct paper *const *papers, size_t at, size_t n, int64_t id)
{
	while (at < n) {
		size_t middle = at + (n - at) / 2;

		if (papers[middle]->id < id)
			at = middle + 1;
		else
			n = middle;
	}
	return at;
}

void
store_unmark_sent(const struct eligibility *e, const struct sent_list *sent,
    struct paper *const *papers, size_t n, uint64_t *plain, uint64_t *signals, uint64_t *replaced)
{
	struct unpack u = open_list(sent->bytes, sent->len);
	struct sent_item item = { 0, 0 };

	if (replaced != NULL)
		memset(replaced, 0, (n + 63) / 64 * sizeof(*replaced));
	for (size_t i = 0; next_item(&u, &item);) {
		i = seek_paper(papers, i, n, item.paper);
		if (i == n)
			break;
		if (papers[i]->id != item.paper)
			continue;
		clear_bit(plain, i);
		clear_bit(signals, i);
		if (replaced != NULL && papers[i]->change_seq > e->cursor_seq &&
		    is_newer(papers[i]->version, item.version))
			set_bit(replaced, i);
	}
}

void
store_mark_eligible(const struct eligibility *e, const struct sent_list *sent,
    struct paper *const *papers, size_t n, uint64_t *plain, uint64_t *signals, uint64_t *replaced)
{
	store_mark_new(e, papers, n, plain, signals);
	store_unmark_sent(e, sent, papers, n, plain, signals, replaced);
}

size_t
store_find_moves(const struct sent_list *sent, const struct store_move *moves, size_t nmoves,
    bool withdrawn, const struct store_move **out, size_t max)
{
	struct unpack u = open_list(sent->bytes, sent->len);
	struct sent_item item = { 0, 0 };
	size_t at = 0, n = 0;

	while (n < max && at < nmoves && next_item(&u, &item)) {
		while (at < nmoves && moves[at].paper < item.paper)
			at++;
		if (at == nmoves || moves[at].paper != item.paper ||
		    moves[at].withdrawn != withdrawn)
			continue;
		if (withdrawn ? item.version != VERSION_WITHDRAWN
			      : is_newer(moves[at].version, item.version))
			out[n++] = &moves[at];
	}
	return n;
}

void
store_mark_sent(const struct sent_list *sent, struct paper *const *papers, size_t n, uint64_t *bits)
{
	struct unpack u = open_list(sent->bytes, sent->len);
	struct sent_item item = { 0, 0 };

	memset(bits, 0, (n + 63) / 64 * sizeof(*bits));
	for (size_t i = 0; i < n && next_item(&u, &item);) {
		i = seek_paper(papers, i, n, item.paper);
		if (i < n && papers[i]->id == item.paper)
			set_bit(bits, i);
	}
}
