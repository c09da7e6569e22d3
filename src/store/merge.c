#include "store/merge.h"

#include "store/db.h"

#include <string.h>

/* ---- whose word counts ---- */

enum { MAX_ORDER = 6 };

/* Stated in digest-source(7), "One paper". Who is named first knows best: arXiv what its authors submitted, a journal
 * where it appeared, Hugging Face what its readers added. */
static const char *const orders[][MAX_ORDER] = {
#define BY_AUTHORS 0
	{ "arxiv", "huggingface", "command", "feed", "file", NULL },
#define BY_PUBLISHER 1
	{ "command", "feed", "arxiv", "huggingface", "file", NULL },
#define BY_READERS 2
	{ "huggingface", "command", "feed", "file", "arxiv", NULL },
#define BY_CODE 3
	{ "huggingface", "arxiv", "command", "feed", "file", NULL },
};

/* Types whose sources all ask the same service: what one of them says, another may correct. */
static const char *const services[] = { "arxiv", "huggingface" };

enum field_form { FORM_TEXT, FORM_LIST, FORM_TIME, FORM_SIGNAL };

static const struct field {
	const char *name;
	enum field_form form;
	int order;
	size_t at;
	size_t with; /* what goes with it: the count of a list, or another text; 0 = nothing */
} fields[MERGE_FIELDS] = {
#define TEXT(name, order)                                                \
	{                                                                \
#name, FORM_TEXT, order, offsetof(struct paper, name), 0 \
	}
#define LIST(name, order)                                              \
	{                                                              \
#name, FORM_LIST, order, offsetof(struct paper, name), \
		    offsetof(struct paper, n##name)                    \
	}
#define SIGNAL(name, order)                                                \
	{                                                                  \
#name, FORM_SIGNAL, order, offsetof(struct paper, name), 0 \
	}
	TEXT(title, BY_AUTHORS),
	TEXT(abstract, BY_AUTHORS),
	LIST(authors, BY_AUTHORS),
	LIST(categories, BY_AUTHORS),
	TEXT(comment, BY_AUTHORS),
	TEXT(language, BY_AUTHORS),
	{ "published", FORM_TIME, BY_AUTHORS, offsetof(struct paper, published_utc), 0 },
	TEXT(url, BY_AUTHORS),
	TEXT(html_url, BY_AUTHORS),
	TEXT(pdf_url, BY_AUTHORS),
	TEXT(doi, BY_PUBLISHER),
	TEXT(journal_ref, BY_PUBLISHER),
	TEXT(venue, BY_PUBLISHER),
	{ "summary", FORM_TEXT, BY_READERS, offsetof(struct paper, summary),
	    offsetof(struct paper, summary_by) },
	TEXT(org, BY_READERS),
	LIST(keywords, BY_READERS),
	TEXT(discussion_url, BY_READERS),
	TEXT(thumbnail_url, BY_READERS),
	TEXT(media_url, BY_READERS),
	SIGNAL(votes, BY_READERS),
	SIGNAL(comments, BY_READERS),
	TEXT(code_url, BY_CODE),
	TEXT(project_url, BY_CODE),
	SIGNAL(stars, BY_CODE),
};

const char *
merge_field_name(size_t field)
{
	return fields[field].name;
}

const char *const *
merge_field_order(size_t field)
{
	return orders[fields[field].order];
}

/* Higher is more. */
static int
trust_of(const struct field *f, const char *type)
{
	int place = 0;

	if (type[0] == '\0')
		return 0;
	while (orders[f->order][place] != NULL && strcmp(orders[f->order][place], type) != 0)
		place++;
	return MAX_ORDER - place;
}

static bool
is_same_source(const struct origin *a, const struct origin *b)
{
	if (strcmp(a->type, b->type) != 0)
		return false;
	for (size_t i = 0; i < sizeof(services) / sizeof(services[0]); i++)
		if (strcmp(a->type, services[i]) == 0)
			return true;
	return a->source[0] == '\0' || strcmp(a->source, b->source) == 0;
}

/* A source that tells the same version twice, with more or less care: arXiv's announcement gives its own day for that of the
 * paper and does not say which category is the primary one, its query interface knows both. */
static bool
tells_less(const struct field *f, const struct paper *known, const struct paper *p)
{
	if (f->at == offsetof(struct paper, published_utc))
		return p->published_utc > known->published_utc;
	return f->at == offsetof(struct paper, categories) && known->primary_known &&
	    !p->primary_known;
}

/* Does what by says replace what is there? Between strangers of equal trust the first keeps its word: two feeds that
 * spell a title differently must not change the paper at each reading. */
static bool
replaces(const struct field *f, const struct origin *held, const struct origin *by, bool correct)
{
	int more = trust_of(f, by->type) - trust_of(f, held->type);

	if (more != 0)
		return more > 0;
	if (f->form != FORM_SIGNAL && by->version != 0 && held->version != 0 &&
	    by->version != held->version)
		return by->version > held->version;
	return correct && is_same_source(held, by);
}

/* ---- fields ---- */

static bool
is_set(const struct paper *p, const struct field *f)
{
	const char *at = (const char *)p + f->at;
	const char *text;
	int64_t number;
	size_t n;

	switch (f->form) {
	case FORM_TEXT:
		memcpy(&text, at, sizeof(text));
		return text[0] != '\0';
	case FORM_LIST:
		memcpy(&n, (const char *)p + f->with, sizeof(n));
		return n > 0;
	case FORM_TIME:
		memcpy(&number, at, sizeof(number));
		return number != 0;
	case FORM_SIGNAL:
		memcpy(&number, at, sizeof(number));
		return number >= 0;
	}
	return false;
}

bool
merge_field_is_set(const struct paper *p, size_t field)
{
	return is_set(p, &fields[field]);
}

static void
copy_member(struct paper *to, const struct paper *from, size_t at, size_t size)
{
	memcpy((char *)to + at, (const char *)from + at, size);
}

static void
copy_field(struct paper *to, const struct paper *from, const struct field *f)
{
	switch (f->form) {
	case FORM_TEXT:
		copy_member(to, from, f->at, sizeof(char *));
		if (f->with != 0)
			copy_member(to, from, f->with, sizeof(char *));
		break;
	case FORM_LIST:
		copy_member(to, from, f->at, sizeof(char **));
		copy_member(to, from, f->with, sizeof(size_t));
		if (f->at == offsetof(struct paper, categories))
			to->primary_known = from->primary_known;
		break;
	case FORM_TIME:
	case FORM_SIGNAL:
		copy_member(to, from, f->at, sizeof(int64_t));
		break;
	}
}

/* Whether it was taken. */
static bool
merge_field(struct paper *known, struct origins *o, size_t i, const struct paper *p,
    const struct origin *by, bool correct)
{
	const struct field *f = &fields[i];

	if (!is_set(p, f) || (is_set(known, f) && !replaces(f, &o->of[i], by, correct)))
		return false;
	if (is_set(known, f) && is_same_source(&o->of[i], by) && o->of[i].version == by->version &&
	    tells_less(f, known, p))
		return false;
	copy_field(known, p, f);
	o->of[i] = *by;
	return true;
}

static unsigned
signal_bit(const struct field *f)
{
	if (f->form != FORM_SIGNAL)
		return 0;
	return f->at == offsetof(struct paper, votes)	? MERGE_VOTES
	    : f->at == offsetof(struct paper, comments) ? MERGE_COMMENTS
							: MERGE_STARS;
}

/* ---- versions and withdrawal ---- */

static void
merge_versions(struct paper *known, const struct paper *p)
{
	if (p->version > known->version)
		known->version = p->version;
	if (p->updated_utc > known->updated_utc)
		known->updated_utc = p->updated_utc;
}

static void
note_withdrawal(struct origins *o, uint32_t version, int64_t utc)
{
	if (utc == 0)
		return;
	if (version == 0) {
		if (utc > o->withdrawn_unversioned_utc)
			o->withdrawn_unversioned_utc = utc;
	} else if (version > o->withdrawn_version) {
		o->withdrawn_version = version;
		o->withdrawn_utc = utc;
	} else if (version == o->withdrawn_version && utc < o->withdrawn_utc) {
		o->withdrawn_utc = utc;
	}
}

/* A version after the one withdrawn takes the paper back in, and so does one that is younger than a withdrawal of
 * which no version is known. */
static void
decide_withdrawal(struct paper *known, const struct origins *o)
{
	known->withdrawn_utc = 0;
	if (o->withdrawn_version != 0 && o->withdrawn_version >= known->version)
		known->withdrawn_utc = o->withdrawn_utc;
	else if (o->withdrawn_unversioned_utc != 0 &&
	    (known->version < 2 || known->updated_utc <= o->withdrawn_unversioned_utc))
		known->withdrawn_utc = o->withdrawn_unversioned_utc;
}

/* ---- records and papers ---- */

void
merge_start(struct origins *o)
{
	static const struct origin nobody = { "", "", 0 };

	memset(o, 0, sizeof(*o));
	for (size_t i = 0; i < MERGE_FIELDS; i++)
		o->of[i] = nobody;
}

unsigned
merge_record(struct paper *known, struct origins *o, const struct paper *p, const struct origin *by,
    bool again)
{
	unsigned moved = 0;

	for (size_t i = 0; i < MERGE_FIELDS; i++) {
		struct origin held = o->of[i];

		if (merge_field(known, o, i, p, by, !again) && held.type[0] != '\0' &&
		    !is_same_source(&held, by))
			moved |= signal_bit(&fields[i]);
	}
	merge_versions(known, p);
	note_withdrawal(o, p->version, p->withdrawn_utc);
	decide_withdrawal(known, o);
	return moved;
}

unsigned
merge_paper(
    struct paper *known, struct origins *o, const struct paper *other, const struct origins *theirs)
{
	unsigned taken = 0;

	for (size_t i = 0; i < MERGE_FIELDS; i++)
		if (merge_field(known, o, i, other, &theirs->of[i], false))
			taken |= signal_bit(&fields[i]);
	merge_versions(known, other);
	note_withdrawal(o, theirs->withdrawn_version, theirs->withdrawn_utc);
	note_withdrawal(o, 0, theirs->withdrawn_unversioned_utc);
	decide_withdrawal(known, o);
	return taken;
}

static size_t
key_order(const char *key)
{
	static const char *const kinds[] = { "arxiv:", "doi:", "pmid:", "openreview:" };
	const size_t n = sizeof(kinds) / sizeof(kinds[0]);

	for (size_t i = 0; i < n; i++)
		if (strncmp(key, kinds[i], strlen(kinds[i])) == 0)
			return i;
	return n;
}

void
merge_choose_key(struct paper *known, const struct paper *p)
{
	if (known->key[0] == '\0' || key_order(p->key) < key_order(known->key))
		known->key = p->key;
	for (size_t i = 0; i < p->naliases; i++)
		if (key_order(p->aliases[i]) < key_order(known->key))
			known->key = p->aliases[i];
}

/* ---- packed: the origins that are in use, then a byte for each field ---- */

enum { PACK_VERSION = 1 };

static bool
is_equal(const struct origin *a, const struct origin *b)
{
	return a->version == b->version && strcmp(a->type, b->type) == 0 &&
	    strcmp(a->source, b->source) == 0;
}

void
merge_pack(struct strbuf *out, const struct origins *o)
{
	const struct origin *used[MERGE_FIELDS];
	unsigned char places[MERGE_FIELDS];
	size_t n = 0;

	for (size_t i = 0; i < MERGE_FIELDS; i++) {
		size_t at = 0;

		places[i] = 0;
		if (o->of[i].type[0] == '\0')
			continue;
		while (at < n && !is_equal(used[at], &o->of[i]))
			at++;
		if (at == n)
			used[n++] = &o->of[i];
		places[i] = (unsigned char)(at + 1);
	}
	pack_uint(out, PACK_VERSION);
	pack_uint(out, n);
	for (size_t i = 0; i < n; i++) {
		/* As a rule a source is named after its type. */
		pack_text(out, used[i]->source);
		pack_text(out, strcmp(used[i]->source, used[i]->type) == 0 ? "" : used[i]->type);
		pack_uint(out, used[i]->version);
	}
	pack_uint(out, MERGE_FIELDS);
	strbuf_addn(out, (const char *)places, sizeof(places));
	pack_uint(out, o->withdrawn_version);
	pack_uint(out, (uint64_t)o->withdrawn_utc);
	pack_uint(out, (uint64_t)o->withdrawn_unversioned_utc);
}

static size_t
unpack_used(struct unpack *u, struct arena *a, struct origin *used)
{
	uint64_t n = unpack_uint(u);

	if (n > MERGE_FIELDS) {
		u->broken = true;
		return 0;
	}
	for (uint64_t i = 0; i < n; i++) {
		used[i].source = unpack_text(u, a);
		used[i].type = unpack_text(u, a);
		if (used[i].type[0] == '\0')
			used[i].type = used[i].source;
		used[i].version = (uint32_t)unpack_uint(u);
	}
	return (size_t)n;
}

int
merge_unpack(
    const unsigned char *bytes, size_t len, struct arena *a, struct origins *out, struct error *err)
{
	struct unpack u = { bytes, bytes + len, false };
	struct origin used[MERGE_FIELDS];
	uint64_t version = unpack_uint(&u), nfields;
	size_t n = unpack_used(&u, a, used);

	merge_start(out);
	nfields = unpack_uint(&u);
	for (uint64_t i = 0; i < nfields && !u.broken; i++) {
		uint64_t place = unpack_uint(&u);

		if (place > n || i >= MERGE_FIELDS)
			u.broken = true;
		else if (place > 0)
			out->of[i] = used[place - 1];
	}
	out->withdrawn_version = (uint32_t)unpack_uint(&u);
	out->withdrawn_utc = (int64_t)unpack_uint(&u);
	out->withdrawn_unversioned_utc = (int64_t)unpack_uint(&u);
	if (version != PACK_VERSION || u.broken || u.p != u.end)
		return err_set(err, ERR_DATA, "origins of a paper: damaged at byte %td",
		    (const char *)u.p - (const char *)bytes);
	return 0;
}
