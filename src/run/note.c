#include "stages.h"

#include <string.h>

enum {
	SILENT_DAYS = 5, /* so many scheduled days without a match, and a note goes out */
	NEAR_MISSES = 3,
	MAX_SOURCES = 5, /* of whom a note tells */
	MAX_NOTE_BYTES = 16 * 1024,
	DAY_SECONDS = 86400,
};

bool
note_is_near(const struct edition_pick *pick)
{
	return pick->section == SECTION_OUTSIDE && pick->cut;
}

bool
note_has_papers(const struct edition *e)
{
	for (size_t i = 0; i < e->npicks; i++)
		if (e->picks[i].section < SECTION_UPDATES && !e->picks[i].cut)
			return true;
	return false;
}

/* ---- sentences ---- */

static const char *const source_keys[] = {
	[SILENCE_UNREAD] = "silence-unread",
	[SILENCE_DOWN] = "silence-down",
	[SILENCE_REFUSED] = "silence-refused",
	[SILENCE_SHAPE] = "silence-shape",
	[SILENCE_STALE] = "silence-stale",
	[SILENCE_HALF] = "silence-half",
	[SILENCE_SETTLING] = "silence-settling",
	[SILENCE_NONE] = NULL,
	[SILENCE_WEEKEND] = "silence-weekend",
	[SILENCE_CLOSED] = "silence-closed",
	[SILENCE_HOLIDAY] = "silence-holiday",
	[SILENCE_NOTHING] = "silence-nothing",
};

/* A note while it is written. */
struct note {
	struct run *run;
	const struct render *render;
	const struct subscriber *reader;
	struct strbuf text;
};

static int
note_fail(struct note *note, struct error *err)
{
	strbuf_release(&note->text);
	return err_nomem(err, "note");
}

static int
note_end(struct note *note, struct arena *a, const char **out, struct error *err)
{
	int rc = strbuf_check(&note->text, err);

	if (rc == 0 && (*out = arena_strndup(a, note->text.buf, note->text.len)) == NULL)
		rc = err_nomem(err, "note");
	strbuf_release(&note->text);
	return rc;
}

/* The reader's day of a moment. */
static int32_t
local_day(const struct note *note, int64_t utc)
{
	bool stands_in;
	const struct tz *tz = zones_get_any(note->run, note->reader->timezone, &stands_in, NULL);
	struct civil wall;

	if (tz == NULL)
		return (int32_t)(utc / DAY_SECONDS);
	tz_local(tz, utc, &wall, NULL, NULL);
	return date_day(wall.year, wall.month, wall.day);
}

static void
say(struct note *note, const struct sentence *s)
{
	render_add_sentence(note->render, note->reader->language, s, &note->text);
}

static void
say_half(struct note *note, const char *source, const struct half_day *half)
{
	say(note,
	    &(struct sentence){ half->held ? "silence-half-held" : "silence-half",
		(int64_t)half->nlisted, source, half->day, (int64_t)half->usual });
}

static void
say_source(struct note *note, const char *source, const struct source_silence *s)
{
	bool fails = s->why >= SILENCE_DOWN && s->why <= SILENCE_SHAPE;
	struct sentence sentence = { source_keys[s->why], (int64_t)s->nlisted, source,
		fails ? local_day(note, s->since_utc) : s->day, 0 };

	if (s->why == SILENCE_NOTHING && s->day == 0)
		sentence.key = "silence-never";
	if (sentence.key != NULL)
		say(note, &sentence);
}

/* ---- an ordinary mail ---- */

static bool
is_odd(const struct source_silence *s)
{
	return s->why >= SILENCE_DOWN && s->why <= SILENCE_STALE;
}

/* A day that goes on may fill up yet. */
static bool
is_over(const struct run *run, const struct half_day *half)
{
	return half->day != 0 &&
	    clock_now_utc(&run->clock) >= ((int64_t)half->day + 1) * DAY_SECONDS;
}

int
note_odd(struct run *run, const struct render *render, const struct source_silence *silences,
    const struct subscriber *reader, struct arena *a, const char **out, struct error *err)
{
	struct note note = { .run = run, .render = render, .reader = reader };
	size_t ntold = 0;

	strbuf_init(&note.text, MAX_NOTE_BYTES);
	for (size_t i = 0; i < run->cfg->nsources && ntold < MAX_SOURCES; i++) {
		const char *name = source_title(&run->cfg->sources[i], a);
		bool odd = is_odd(&silences[i]), half = is_over(run, &silences[i].half);

		if (name == NULL)
			return note_fail(&note, err);
		if (odd)
			say_source(&note, name, &silences[i]);
		if (half)
			say_half(&note, name, &silences[i].half);
		ntold += odd || half;
	}
	return note_end(&note, a, out, err);
}

/* ---- silence ---- */

/* Whether the edition before this one is a note that never left: it is owed. */
static int
is_owed(struct run *run, const struct store_reader *reader, struct arena *a, bool *out,
    struct error *err)
{
	struct edition *last;
	size_t n;

	if (store_load_editions(run->store, reader->sub.id, 1, a, &last, &n, err) == -1)
		return -1;
	*out = n == 1 && last->note[0] != '\0' && !note_has_papers(last) &&
	    (last->state == EDITION_MERGED || last->state == EDITION_EXPIRED);
	return 0;
}

/* nsilent gets how many scheduled days in a row were silent, with this one; 0 = they are not counted. */
static int
is_due(struct run *run, const struct store_reader *reader, const struct due *due, struct arena *a,
    size_t *nsilent, bool *out, struct error *err)
{
	size_t nempty;

	*nsilent = 0;
	*out = reader->sub.empty == EMPTY_NOTE && due->own;
	/* Each run may be each quarter of an hour: only the first of a day says that it found nothing. */
	if (*out && due->period >= PERIOD_ALWAYS)
		*out = due_local_day(run, reader, reader->last_edition_utc) < due->day;
	if (reader->sub.empty != EMPTY_SKIP || due->period >= PERIOD_ALWAYS || !due->own)
		return 0;
	if (store_count_empty(run->store, reader->sub.id, &nempty, err) == -1)
		return -1;
	*nsilent = nempty + 1;
	*out = *nsilent >= SILENT_DAYS;
	return nempty == 0 ? is_owed(run, reader, a, out, err) : 0;
}

/* First what is so of the reader, then of each source. */
static int
write_reasons(struct run *run, const struct render *render, const struct source_silence *silences,
    const struct subscriber *reader, enum reader_silence why, size_t nsilent, struct arena *a,
    struct edition *e, struct error *err)
{
	struct note note = { .run = run, .render = render, .reader = reader };
	const char *key = arena_printf(a, "note-%s", silence_reader_name(why));

	if (key == NULL)
		return err_nomem(err, "note");
	strbuf_init(&note.text, MAX_NOTE_BYTES);
	if (nsilent > 1)
		say(&note, &(struct sentence){ "note-in-a-row", (int64_t)nsilent, "", 0, 0 });
	say(&note, &(struct sentence){ key, (int64_t)e->nread, "", 0, 0 });
	for (size_t i = 0; i < run->cfg->nsources && i < MAX_SOURCES; i++) {
		const char *name = source_title(&run->cfg->sources[i], a);

		if (name == NULL)
			return note_fail(&note, err);
		if (silences[i].why != SILENCE_HALF)
			say_source(&note, name, &silences[i]);
		if (silences[i].half.day != 0)
			say_half(&note, name, &silences[i].half);
	}
	return note_end(&note, a, &e->note, err);
}

int
note_silence(struct run *run, const struct render *render, struct planner *planner,
    const struct source_silence *silences, const struct store_reader *reader, const struct due *due,
    struct arena *a, struct edition *e, struct error *err)
{
	struct reader_facts facts = { .nread = e->nread };
	enum reader_silence why;
	size_t nsilent;
	bool now;

	if (planner_count_matching(planner, reader, due, a, &facts.nsent, &facts.nunsent, err) ==
		-1 ||
	    is_due(run, reader, due, a, &nsilent, &now, err) == -1)
		return -1;
	why = silence_of_reader(&facts);
	if (!now) {
		/* Whoever had no mail yet is a newcomer still. */
		e->cursor_to = e->cursor_from == -1 ? -1 : e->cursor_to;
		e->state = EDITION_EMPTY;
		e->note = silence_reader_name(why);
		return 0;
	}
	if (planner_add_near(planner, reader, due, NEAR_MISSES, a, e, err) == -1)
		return -1;
	return write_reasons(run, render, silences, &reader->sub, why, nsilent, a, e, err);
}
