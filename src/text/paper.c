#include "digest/paper.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Every string and list of a paper by place, so that no function below forgets one. */
struct member {
	size_t at;
	bool on_card; /* part of what a card shows, see paper_pack */
};

struct list_member {
	size_t items, count;
	bool on_card;
};

#define MEMBER(name, on_card)                         \
	{                                             \
		offsetof(struct paper, name), on_card \
	}
#define LIST(name, count, on_card)                                                   \
	{                                                                            \
		offsetof(struct paper, name), offsetof(struct paper, count), on_card \
	}

/* The order is part of the packed form: new members go to the end, with a new PACK_VERSION. */
static const struct member strings[] = {
	MEMBER(title, true),
	MEMBER(abstract, true),
	MEMBER(summary, true),
	MEMBER(summary_by, true),
	MEMBER(org, true),
	MEMBER(comment, true),
	MEMBER(journal_ref, true),
	MEMBER(venue, true),
	MEMBER(language, true),
	MEMBER(url, true),
	MEMBER(html_url, true),
	MEMBER(pdf_url, true),
	MEMBER(code_url, true),
	MEMBER(project_url, true),
	MEMBER(discussion_url, true),
	MEMBER(thumbnail_url, true),
	MEMBER(media_url, true),
	MEMBER(doi, true),
	MEMBER(key, true),
	MEMBER(source, false),
};

static const struct list_member lists[] = {
	LIST(authors, nauthors, true),
	LIST(categories, ncategories, true),
	LIST(keywords, nkeywords, true),
	LIST(aliases, naliases, false),
	LIST(sources, nsources, false),
};

enum { PACK_VERSION = 1, NUMBERS = 7 };

#define NSTRINGS (sizeof(strings) / sizeof(strings[0]))
#define NLISTS	 (sizeof(lists) / sizeof(lists[0]))

static const char **
string_at(struct paper *p, size_t at)
{
	return (const char **)(void *)((char *)p + at);
}

static const char *
get_string(const struct paper *p, size_t at)
{
	const char *text;

	memcpy(&text, (const char *)p + at, sizeof(text));
	return text;
}

static const char **
get_list(const struct paper *p, const struct list_member *m, size_t *n)
{
	const char **items;

	memcpy(&items, (const char *)p + m->items, sizeof(items));
	memcpy(n, (const char *)p + m->count, sizeof(*n));
	return items;
}

static void
set_list(struct paper *p, const struct list_member *m, const char **items, size_t n)
{
	memcpy((char *)p + m->items, &items, sizeof(items));
	memcpy((char *)p + m->count, &n, sizeof(n));
}

struct paper *
paper_new(struct arena *a)
{
	struct paper *p = arena_zalloc(a, sizeof(*p));

	if (p == NULL)
		return NULL;
	for (size_t i = 0; i < NSTRINGS; i++)
		*string_at(p, strings[i].at) = "";
	p->votes = p->comments = p->stars = -1;
	return p;
}

static void
add_varint(struct strbuf *out, uint64_t n)
{
	while (n >= 0x80) {
		strbuf_addc(out, (char)(n | 0x80));
		n >>= 7;
	}
	strbuf_addc(out, (char)n);
}

static void
add_text(struct strbuf *out, const char *text)
{
	size_t len = strlen(text);

	add_varint(out, len);
	strbuf_addn(out, text, len);
}

/* Signed numbers by zigzag, so that -1 stays one byte. */
static void
add_number(struct strbuf *out, int64_t n)
{
	add_varint(out, (uint64_t)n << 1 ^ (n < 0 ? UINT64_MAX : 0));
}

void
paper_pack(struct strbuf *out, const struct paper *p)
{
	const int64_t numbers[NUMBERS] = { p->published_utc, p->updated_utc, p->withdrawn_utc,
		(int64_t)p->version, p->votes, p->comments, p->stars };

	strbuf_addc(out, PACK_VERSION);
	for (size_t i = 0; i < NSTRINGS; i++)
		if (strings[i].on_card)
			add_text(out, get_string(p, strings[i].at));
	for (size_t i = 0; i < NLISTS; i++) {
		size_t n;
		const char **items = get_list(p, &lists[i], &n);

		if (!lists[i].on_card)
			continue;
		add_varint(out, n);
		for (size_t j = 0; j < n; j++)
			add_text(out, items[j]);
	}
	for (size_t i = 0; i < NUMBERS; i++)
		add_number(out, numbers[i]);
	strbuf_addc(out, (char)p->primary_known);
}

/* The rest of a packed paper; broken once something did not fit. */
struct reader {
	const unsigned char *p, *end;
	struct arena *arena;
	bool broken;
};

static uint64_t
read_varint(struct reader *r)
{
	uint64_t n = 0;

	for (unsigned shift = 0; shift < 64 && r->p < r->end; shift += 7) {
		unsigned char byte = *r->p++;

		n |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return n;
	}
	r->broken = true;
	return 0;
}

static int64_t
read_number(struct reader *r)
{
	uint64_t n = read_varint(r);

	return (int64_t)(n >> 1) ^ -(int64_t)(n & 1);
}

static const char *
read_text(struct reader *r)
{
	uint64_t len = read_varint(r);
	const char *text = NULL;

	if (!r->broken && len <= (uint64_t)(r->end - r->p))
		text = arena_strndup(r->arena, (const char *)r->p, (size_t)len);
	if (text == NULL) {
		r->broken = true;
		return "";
	}
	r->p += len;
	return text;
}

static void
read_list(struct reader *r, struct paper *p, const struct list_member *m)
{
	uint64_t n = read_varint(r);
	const char **items;

	/* An item takes a byte at least, so no more than that can follow. */
	if (r->broken || n > (uint64_t)(r->end - r->p) ||
	    (items = arena_array(r->arena, (size_t)n, sizeof(*items))) == NULL) {
		r->broken = true;
		return;
	}
	for (size_t i = 0; i < n; i++)
		items[i] = read_text(r);
	set_list(p, m, items, (size_t)n);
}

int
paper_unpack(const void *bytes, size_t len, struct arena *a, struct paper **out, struct error *err)
{
	struct reader r = { bytes, (const unsigned char *)bytes + len, a, false };
	struct paper *p = paper_new(a);
	int64_t numbers[NUMBERS];

	if (p == NULL)
		return err_nomem(err, "packed paper");
	if (len == 0 || *r.p++ != PACK_VERSION)
		return err_set(err, ERR_DATA, "packed paper: not of version %d", PACK_VERSION);
	for (size_t i = 0; i < NSTRINGS; i++)
		if (strings[i].on_card)
			*string_at(p, strings[i].at) = read_text(&r);
	for (size_t i = 0; i < NLISTS; i++)
		if (lists[i].on_card)
			read_list(&r, p, &lists[i]);
	for (size_t i = 0; i < NUMBERS; i++)
		numbers[i] = read_number(&r);
	if (r.broken || r.end - r.p != 1)
		return err_set(err, ERR_DATA, "packed paper: damaged at byte %td",
		    (const char *)r.p - (const char *)bytes);
	p->published_utc = numbers[0];
	p->updated_utc = numbers[1];
	p->withdrawn_utc = numbers[2];
	p->version = (uint32_t)numbers[3];
	p->votes = numbers[4];
	p->comments = numbers[5];
	p->stars = numbers[6];
	p->primary_known = *r.p != 0;
	*out = p;
	return 0;
}
