#include "stages.h"

#include <stdio.h>
#include <string.h>

enum {
	DAY_SECONDS = 86400,
	WEEK = 7,
	MAX_SAME_DAYS = 8, /* of a weekday, that decide what is usual */
	MIN_SAME_DAYS = 3, /* fewer say nothing */
	MIN_USUAL = 5,	   /* below that, chance alone halves a day */
	RECENT_DAYS =
	    3, /* today and two days before: an older day that was half filled is no news */
	HALF_WAIT_S = DAY_SECONDS, /* how much longer a half-filled day waits */
};

static bool
is_weekend(int32_t day)
{
	int weekday = date_weekday(day);

	return weekday == 0 || weekday == 6;
}

static int32_t
day_of(int64_t utc)
{
	return (int32_t)(utc / DAY_SECONDS - (utc % DAY_SECONDS < 0));
}

/* ---- what is usual ---- */

static size_t
listed_on(const struct store_day *days, size_t n, int32_t day)
{
	for (size_t i = 0; i < n; i++)
		if (days[i].day == day)
			return days[i].nlisted;
	return 0;
}

/* Before its first day nothing is known of a source; a day left out behind it had no papers. */
int64_t
silence_usual(const struct store_day *days, size_t n, int32_t day)
{
	size_t counts[MAX_SAME_DAYS], ncounts = 0;

	for (int32_t same = day - WEEK; n > 0 && same >= days[0].day && ncounts < MAX_SAME_DAYS;
	     same -= WEEK) {
		size_t count = listed_on(days, n, same), at = ncounts++;

		for (; at > 0 && counts[at - 1] > count; at--)
			counts[at] = counts[at - 1];
		counts[at] = count;
	}
	if (ncounts < MIN_SAME_DAYS)
		return -1;
	return (int64_t)(counts[(ncounts - 1) / 2] + counts[ncounts / 2]) / 2;
}

/* A day that has fewer than half of the usual papers after the time at which it would have counted; false = it has not. */
static bool
judge_day(const struct source_facts *facts, const struct store_day *day, struct half_day *out)
{
	int64_t usual = silence_usual(facts->days, facts->ndays, day->day);
	int64_t counts_utc = (int64_t)day->day * DAY_SECONDS + facts->settle_s;

	/* Of an empty day nothing can wait. */
	if (usual < MIN_USUAL || day->nlisted == 0 || 2 * (int64_t)day->nlisted >= usual ||
	    facts->now_utc < counts_utc)
		return false;
	*out = (struct half_day){ day->day, day->nlisted, (size_t)usual, counts_utc + HALF_WAIT_S,
		false, "" };
	out->held = day->ncounted == 0 && facts->now_utc < out->until_utc;
	return true;
}

static void
find_newest_half(const struct source_facts *facts, struct half_day *out)
{
	int32_t oldest = day_of(facts->now_utc) - RECENT_DAYS + 1;

	for (size_t i = facts->ndays; i-- > 0 && facts->days[i].day >= oldest;)
		if (judge_day(facts, &facts->days[i], out))
			return;
}

/* ---- why ---- */

static bool
is_unread(const struct source_facts *f, struct source_silence *out)
{
	(void)out;
	return f->state->last_try_utc == 0;
}

static bool
fails(const struct source_facts *f, struct source_silence *out)
{
	if (f->state->failing_since_utc == 0)
		return false;
	out->since_utc = f->state->failing_since_utc;
	if (f->state->fault == SOURCE_REFUSED)
		out->why = SILENCE_REFUSED;
	if (f->state->fault == SOURCE_SHAPE)
		out->why = SILENCE_SHAPE;
	return true;
}

/* How much of the time between two moments lies on weekdays. */
static int64_t
weekday_seconds(int64_t from_utc, int64_t to_utc)
{
	int64_t sum = 0;

	while (from_utc < to_utc && sum < DAY_SECONDS) {
		int32_t day = day_of(from_utc);
		int64_t end_utc = ((int64_t)day + 1) * DAY_SECONDS;

		if (end_utc > to_utc)
			end_utc = to_utc;
		if (!is_weekend(day))
			sum += end_utc - from_utc;
		from_utc = end_utc;
	}
	return sum;
}

/*
 * The service went on making lists, and for longer than a weekday they end with the same paper. One that announces all of
 * a day at once is stale with the first such list; one that is often silent is not stale at all.
 */
static bool
is_stale(const struct source_facts *f, struct source_silence *out)
{
	const struct store_source *s = f->state;
	int32_t made = day_of(s->made_utc);
	int64_t usual = silence_usual(f->days, f->ndays, made);
	bool longer = f->weekdays_only
	    ? made > day_of(s->newest_since_utc)
	    : usual > 0 && weekday_seconds(s->newest_since_utc, s->made_utc) >= DAY_SECONDS;

	if (s->made_utc == 0 || s->newest[0] == '\0' || s->newest_since_utc == 0 ||
	    s->nlisted == 0 || is_weekend(made) || usual == 0 || !longer)
		return false;
	out->day = made;
	out->since_utc = s->newest_since_utc;
	return true;
}

static bool
is_half(const struct source_facts *f, struct source_silence *out)
{
	return out->half.day != 0 && out->half.day == f->days[f->ndays - 1].day;
}

static bool
settles(const struct source_facts *f, struct source_silence *out)
{
	const struct store_day *newest = f->ndays > 0 ? &f->days[f->ndays - 1] : NULL;

	if (newest == NULL || newest->ncounted > 0)
		return false;
	out->until_utc = (int64_t)newest->day * DAY_SECONDS + f->settle_s;
	return f->now_utc < out->until_utc;
}

static bool
lists(const struct source_facts *f, struct source_silence *out)
{
	return out->day != 0 && out->day >= day_of(f->now_utc);
}

static bool
rests(const struct source_facts *f, struct source_silence *out)
{
	int32_t today = day_of(f->now_utc);

	if (!is_weekend(today) ||
	    (!f->weekdays_only && silence_usual(f->days, f->ndays, today) != 0))
		return false;
	out->day = today;
	return true;
}

static bool
is_closed(const struct source_facts *f, struct source_silence *out)
{
	if (f->closed)
		out->day = day_of(f->now_utc);
	return f->closed;
}

/* The service itself says so: a list made today without a paper. */
static bool
is_holiday(const struct source_facts *f, struct source_silence *out)
{
	int32_t today = day_of(f->now_utc);

	if (is_weekend(today) || f->state->made_utc == 0 || day_of(f->state->made_utc) != today ||
	    f->state->nlisted != 0)
		return false;
	out->day = today;
	return true;
}

static bool
brings_nothing(const struct source_facts *f, struct source_silence *out)
{
	(void)f;
	(void)out;
	return true;
}

/* In the order in which they are told; a fault that is neither a refusal nor a new shape is SILENCE_DOWN. */
static const struct {
	enum silence why;
	bool (*holds)(const struct source_facts *f, struct source_silence *out);
} reasons[] = {
	{ SILENCE_UNREAD, is_unread },
	{ SILENCE_DOWN, fails },
	{ SILENCE_STALE, is_stale },
	{ SILENCE_HALF, is_half },
	{ SILENCE_SETTLING, settles },
	{ SILENCE_NONE, lists },
	{ SILENCE_WEEKEND, rests },
	{ SILENCE_CLOSED, is_closed },
	{ SILENCE_HOLIDAY, is_holiday },
	{ SILENCE_NOTHING, brings_nothing },
};

void
silence_judge(const struct source_facts *facts, struct source_silence *out)
{
	*out = (struct source_silence){ .text = "", .half = { .text = "" } };
	if (facts->ndays > 0) {
		out->day = facts->days[facts->ndays - 1].day;
		out->nlisted = facts->days[facts->ndays - 1].nlisted;
	}
	find_newest_half(facts, &out->half);
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
		out->why = reasons[i].why;
		if (reasons[i].holds(facts, out))
			return;
	}
}

/* ---- readers ---- */

enum reader_silence
silence_of_reader(const struct reader_facts *facts)
{
	if (facts->paused_until > facts->today)
		return READER_PAUSED;
	if (facts->nread > 0)
		return READER_NO_MATCH;
	return facts->nsent > 0 && facts->nunsent == 0 ? READER_ALL_SENT : READER_NOTHING_NEW;
}

static const char *const reader_names[] = {
	[READER_PAUSED] = "paused",
	[READER_NO_MATCH] = "no-match",
	[READER_ALL_SENT] = "all-sent",
	[READER_NOTHING_NEW] = "nothing-new",
};

const char *
silence_reader_name(enum reader_silence why)
{
	return reader_names[why];
}

/* Of stores written before there were reasons, the name is empty. */
const char *
silence_reader_text(const char *name, size_t nread, struct arena *a)
{
	if (strcmp(name, reader_names[READER_ALL_SENT]) == 0)
		return "nothing new; all that matches was sent before";
	if (nread == 0)
		return "no new paper to choose from";
	return nread == 1 ? "the one new paper did not match"
			  : arena_printf(a, "none of %zu new papers matched", nread);
}

/* ---- in words ---- */

static const char *
say_half(const struct run *run, const struct half_day *half, const char *name, struct arena *a)
{
	char day[DATE_RFC3339_SIZE], until[64];

	date_format_day(half->day, day);
	run_format_wall(run, "", half->until_utc, until, sizeof(until));
	return arena_printf(a, "%s %s is only half filled: %zu of about %zu%s%s", name, day,
	    half->nlisted, half->usual, half->held ? "; it waits until " : "",
	    half->held ? until : "");
}

static const char *
say(const struct run *run, const struct source_silence *s, const struct store_source *state,
    struct arena *a)
{
	const char *name = state->name;
	char day[DATE_RFC3339_SIZE], since[64], until[64];

	date_format_day(s->day, day);
	run_format_wall(run, "", s->since_utc, since, sizeof(since));
	run_format_wall(run, "", s->until_utc, until, sizeof(until));
	switch (s->why) {
	case SILENCE_UNREAD:
		return arena_printf(a, "%s was not read yet", name);
	case SILENCE_DOWN:
		return arena_printf(
		    a, "%s cannot be read since %s: %s", name, since, state->last_error);
	case SILENCE_REFUSED:
		return arena_printf(a, "%s cannot be read since %s; it refuses: %s", name, since,
		    state->last_error);
	case SILENCE_SHAPE:
		return arena_printf(a,
		    "%s cannot be read since %s; it sends something else than expected: %s", name,
		    since, state->last_error);
	case SILENCE_STALE:
		return arena_printf(a,
		    "%s made a list on %s, but its newest paper is the same since %s", name, day,
		    since);
	case SILENCE_HALF:
		return s->half.text;
	case SILENCE_SETTLING:
		return arena_printf(a, "%s listed %zu paper%s on %s, which count%s from %s on",
		    name, s->nlisted, s->nlisted == 1 ? "" : "s", day, s->nlisted == 1 ? "s" : "",
		    until);
	case SILENCE_NONE:
		return arena_printf(a, "%s listed %zu paper%s on %s", name, s->nlisted,
		    s->nlisted == 1 ? "" : "s", day);
	case SILENCE_WEEKEND:
		return arena_printf(a, "it is %s, when %s lists nothing",
		    date_weekday(s->day) == 0 ? "Sunday" : "Saturday", name);
	case SILENCE_CLOSED:
		return arena_printf(a, "%s has a holiday on %s", name, day);
	case SILENCE_HOLIDAY:
		return arena_printf(a, "%s made an empty list on %s, as on holidays", name, day);
	case SILENCE_NOTHING:
		break;
	}
	return s->day == 0 ? arena_printf(a, "%s has listed nothing yet", name)
			   : arena_printf(a, "%s has listed nothing since %s", name, day);
}

/* ---- the facts ---- */

/* Services that announce on weekdays only, as they say themselves. */
static bool
is_weekdays_only(const struct config_source *source)
{
	static const char *const types[] = { "arxiv", "huggingface" };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(source->type, types[i]) == 0)
			return true;
	return false;
}

static bool
is_closed_on(const struct config_source *source, int32_t day)
{
	char text[DATE_RFC3339_SIZE];

	date_format_day(day, text);
	for (size_t i = 0; i < source->nholidays; i++)
		if (strcmp(source->holidays[i], text) == 0)
			return true;
	return false;
}

int
silence_of_source(struct run *run, const struct config_source *source, int64_t now_utc,
    struct arena *a, struct source_silence *out, struct error *err)
{
	struct source_facts facts = { .now_utc = now_utc,
		.weekdays_only = is_weekdays_only(source),
		.closed = is_closed_on(source, day_of(now_utc)),
		.settle_s = settle_time_of(source) };
	struct store_source *state;
	struct store_day *days;

	if (store_load_source(run->store, source->name, a, &state, err) == -1 ||
	    store_load_days(run->store, source->name, day_of(now_utc) - SILENCE_KNOWN_DAYS, a,
		&days, &facts.ndays, err) == -1)
		return -1;
	facts.state = state;
	facts.days = days;
	silence_judge(&facts, out);
	/* Its days may be older than those that are looked at. */
	if (out->day == 0 && store_load_newest_day(run->store, source->name, &out->day, err) == -1)
		return -1;
	if (out->half.day != 0)
		out->half.text = say_half(run, &out->half, state->name, a);
	out->text = say(run, out, state, a);
	return out->text != NULL && out->half.text != NULL ? 0 : err_nomem(err, "silence");
}

int
silence_of_all(struct run *run, int64_t now_utc, struct arena *a, struct source_silence **out,
    struct error *err)
{
	const struct config *cfg = run->cfg;
	struct source_silence *all = arena_array(a, cfg->nsources, sizeof(*all));

	if (all == NULL)
		return err_nomem(err, "silence");
	for (size_t i = 0; i < cfg->nsources; i++)
		if (silence_of_source(run, &cfg->sources[i], now_utc, a, &all[i], err) == -1)
			return -1;
	*out = all;
	return 0;
}
