#include "store/picks.h"
#include "digest/limits.h"
#include "store/db.h"

#include <string.h>

enum {
	PICKS_VERSION = 1,
	MAX_PICKS = 64 * 1024, /* of one edition, cut ones included */
	PICK_CUT = 1,
	PICK_RISEN = 2,
	PICK_REPLACED = 4,
	PICK_MORE = 8,	 /* how many follows */
	PICK_MARKS = 16, /* they follow at the end */
	NSCORES = 5,
};

static void
pack_marks(struct strbuf *out, const struct edition_pick *p)
{
	pack_uint(out, p->nmarks);
	for (size_t i = 0; i < p->nmarks; i++) {
		char bytes[3 * MAX_PACKED_UINT];
		size_t len = pack_uint_at(bytes, (uint64_t)p->marks[i].text);

		len += pack_uint_at(bytes + len, p->marks[i].start);
		len += pack_uint_at(bytes + len, p->marks[i].end - p->marks[i].start);
		strbuf_addn(out, bytes, len);
	}
}

static void
unpack_marks(struct unpack *u, struct arena *a, struct edition_pick *p)
{
	uint64_t n = unpack_uint(u);
	struct paper_mark *marks;

	if (u->broken || n > MAX_PICK_MARKS ||
	    (marks = arena_array(a, (size_t)n, sizeof(*marks))) == NULL) {
		u->broken = true;
		return;
	}
	for (size_t i = 0; i < n; i++) {
		uint64_t text = unpack_uint(u);

		u->broken |= text > PAPER_ABSTRACT;
		marks[i].text = (enum paper_text)text;
		marks[i].start = (uint32_t)unpack_uint(u);
		marks[i].end = marks[i].start + (uint32_t)unpack_uint(u);
	}
	p->marks = marks;
	p->nmarks = (size_t)n;
}

static size_t
pack_scores(char *out, const struct edition_pick *p)
{
	const float scores[NSCORES] = { p->score, p->score_text, p->score_votes, p->score_trend,
		p->score_freshness };

	for (size_t i = 0; i < NSCORES; i++) {
		uint32_t bits;

		memcpy(&bits, &scores[i], sizeof(bits));
		for (unsigned j = 0; j < 4; j++)
			out[4 * i + j] = (char)(bits >> (8 * j));
	}
	return 4 * NSCORES;
}

/* An edition has some fifty picks, and there may be a million editions: the numbers go in together. */
static void
pack_pick(struct strbuf *out, const struct edition_pick *p)
{
	char bytes[6 * MAX_PACKED_UINT + 4 * NSCORES];
	size_t len = pack_uint_at(bytes, (uint64_t)p->paper);

	len += pack_uint_at(bytes + len, p->revision);
	len += pack_uint_at(bytes + len, p->version);
	len +=
	    pack_uint_at(bytes + len, p->section == SECTION_OUTSIDE ? 0 : (uint64_t)p->section + 1);
	len += pack_uint_at(bytes + len,
	    (p->cut ? PICK_CUT : 0u) | (p->more > 0 ? PICK_MORE : 0u) |
		(p->nmarks > 0 ? PICK_MARKS : 0u) | (p->risen ? PICK_RISEN : 0u) |
		(p->replaced ? PICK_REPLACED : 0u));
	if (p->more > 0)
		len += pack_uint_at(bytes + len, p->more);
	len += pack_scores(bytes + len, p);
	strbuf_addn(out, bytes, len);
	pack_text(out, p->why);
	pack_text(out, p->also_in);
	if (p->nmarks > 0)
		pack_marks(out, p);
}

void
picks_pack(struct strbuf *out, const struct edition *e)
{
	strbuf_addc(out, PICKS_VERSION);
	pack_uint(out, (uint32_t)e->day);
	pack_uint(out, (uint32_t)e->since_day);
	pack_text(out, e->note);
	pack_uint(out, e->npicks);
	for (size_t i = 0; i < e->npicks; i++)
		pack_pick(out, &e->picks[i]);
	/* Editions made before filters could have schedules end here. */
	if (e->nslots == 0)
		return;
	pack_uint(out, e->nslots);
	for (size_t i = 0; i < e->nslots; i++) {
		const struct store_slot ends[] = { e->slots[i].from, e->slots[i].to };

		for (size_t k = 0; k < 2; k++) {
			pack_uint(out, (uint64_t)ends[k].slot);
			pack_uint(out, (uint64_t)(ends[k].cursor_seq + 1));
			pack_uint(out, (uint64_t)ends[k].last_period);
		}
	}
}

static void
unpack_scores(struct unpack *u, struct edition_pick *p)
{
	float *const scores[NSCORES] = { &p->score, &p->score_text, &p->score_votes,
		&p->score_trend, &p->score_freshness };

	if (u->end - u->p < 4 * NSCORES) {
		u->broken = true;
		return;
	}
	for (size_t i = 0; i < NSCORES; i++) {
		uint32_t bits = 0;

		for (unsigned j = 0; j < 4; j++)
			bits |= (uint32_t)*u->p++ << (8 * j);
		memcpy(scores[i], &bits, sizeof(bits));
	}
}

static int
unpack_slots(struct unpack *u, struct arena *a, struct edition *e, struct error *err)
{
	uint64_t n = u->p == u->end ? 0 : unpack_uint(u);
	struct edition_slot *slots;

	if (u->broken || n > MAX_READER_FILTERS)
		return err_set(err, ERR_DATA, "picks: damaged");
	if ((slots = arena_array(a, (size_t)n, sizeof(*slots))) == NULL)
		return err_nomem(err, "picks");
	for (size_t i = 0; i < n; i++) {
		struct store_slot *ends[] = { &slots[i].from, &slots[i].to };

		for (size_t k = 0; k < 2; k++) {
			ends[k]->slot = (int64_t)unpack_uint(u);
			ends[k]->cursor_seq = (int64_t)unpack_uint(u) - 1;
			ends[k]->last_period = (int64_t)unpack_uint(u);
		}
	}
	e->slots = slots;
	e->nslots = (size_t)n;
	return 0;
}

int
picks_unpack(
    const unsigned char *bytes, size_t len, struct arena *a, struct edition *e, struct error *err)
{
	struct unpack u = { bytes, bytes + len, false };
	uint64_t n = 0;

	if (len > 0 && *u.p++ == PICKS_VERSION) {
		e->day = (int32_t)unpack_uint(&u);
		e->since_day = (int32_t)unpack_uint(&u);
		e->note = unpack_text(&u, a);
		n = unpack_uint(&u);
	} else {
		u.broken = true;
	}
	if (u.broken || n > MAX_PICKS)
		return err_set(err, ERR_DATA, "picks: damaged");
	if ((e->picks = arena_array(a, (size_t)n, sizeof(*e->picks))) == NULL)
		return err_nomem(err, "picks");
	e->npicks = (size_t)n;
	for (size_t i = 0; i < e->npicks; i++) {
		struct edition_pick *p = &e->picks[i];
		uint64_t section, flags;

		p->paper = (int64_t)unpack_uint(&u);
		p->revision = (uint32_t)unpack_uint(&u);
		p->version = (uint32_t)unpack_uint(&u);
		section = unpack_uint(&u);
		p->section = section == 0 ? SECTION_OUTSIDE : (uint32_t)(section - 1);
		flags = unpack_uint(&u);
		p->cut = (flags & PICK_CUT) != 0;
		p->risen = (flags & PICK_RISEN) != 0;
		p->replaced = (flags & PICK_REPLACED) != 0;
		if ((flags & PICK_MORE) != 0)
			p->more = (uint32_t)unpack_uint(&u);
		unpack_scores(&u, p);
		p->why = unpack_text(&u, a);
		p->also_in = unpack_text(&u, a);
		if ((flags & PICK_MARKS) != 0)
			unpack_marks(&u, a, p);
	}
	if (!u.broken && unpack_slots(&u, a, e, err) == -1)
		return -1;
	if (u.broken)
		return a->failed ? err_nomem(err, "picks")
				 : err_set(err, ERR_DATA, "picks: damaged");
	return 0;
}
