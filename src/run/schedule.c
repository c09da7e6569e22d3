#include "digest/schedule.h"

#include "digest/date.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { ALL_WEEKDAYS = 0x7f, WORKING_DAYS = 0x3e };

/* A place in the text of a schedule. */
struct cursor {
	const char *text, *at;
};

static bool
take_word(struct cursor *c, const char *word)
{
	size_t len = strlen(word);

	if (strncasecmp(c->at, word, len) != 0 || isalnum((unsigned char)c->at[len]))
		return false;
	c->at += len;
	return true;
}

static void
skip_blanks(struct cursor *c)
{
	while (*c->at == ' ' || *c->at == '\t')
		c->at++;
}

/* A number of least to two digits, at most max. */
static bool
take_number(struct cursor *c, int least, int max, int *out)
{
	const char *s = c->at;
	int n = 0;

	while (isdigit((unsigned char)*s) && s - c->at < 2)
		n = n * 10 + (*s++ - '0');
	if (s - c->at < least || isdigit((unsigned char)*s) || n > max)
		return false;
	c->at = s;
	*out = n;
	return true;
}

static bool
take_colon(struct cursor *c)
{
	if (*c->at != ':')
		return false;
	c->at++;
	return true;
}

static bool
take_weekday(struct cursor *c, unsigned *mask)
{
	for (int i = 0; i < 7; i++) {
		if (!take_word(c, date_weekday_name(i)))
			continue;
		*mask |= 1u << i;
		return true;
	}
	return false;
}

/* "mon,thu": a comma promises another day. */
static bool
take_weekdays(struct cursor *c, unsigned *mask)
{
	*mask = 0;
	do {
		if (!take_weekday(c, mask))
			return false;
		skip_blanks(c);
	} while (*c->at == ',' && (c->at++, skip_blanks(c), true));
	return true;
}

static int
fail(const struct cursor *c, size_t *offset, struct error *err, const char *expected)
{
	if (offset != NULL)
		*offset = (size_t)(c->at - c->text);
	return err_set(err, ERR_CONFIG, "'%s' is not a schedule; expected %s", c->text, expected);
}

int
schedule_parse(const char *text, struct schedule *out, size_t *offset, struct error *err)
{
	struct cursor c = { text, text };
	struct schedule s = { .kind = SCHEDULE_WEEKDAYS, .weekdays = ALL_WEEKDAYS };

	skip_blanks(&c);
	if (take_word(&c, "always")) {
		s.kind = SCHEDULE_ALWAYS;
	} else if (take_word(&c, "monthly")) {
		s.kind = SCHEDULE_MONTHLY;
		skip_blanks(&c);
		if (!take_number(&c, 1, 31, &s.month_day) || s.month_day == 0)
			return fail(
			    &c, offset, err, "a day of the month, 1..31, as in 'monthly 1 08:00'");
	} else if (take_word(&c, "weekdays")) {
		s.weekdays = WORKING_DAYS;
	} else if (!take_word(&c, "daily") && !take_weekdays(&c, &s.weekdays)) {
		return fail(&c, offset, err,
		    "'always', 'daily 07:30', 'weekdays 07:30', 'mon,thu 08:00' or 'monthly 1 "
		    "08:00'");
	}
	skip_blanks(&c);
	if (*c.at != '\0' && s.kind != SCHEDULE_ALWAYS) {
		if (!take_number(&c, 1, 23, &s.hour) || !take_colon(&c) ||
		    !take_number(&c, 2, 59, &s.minute))
			return fail(&c, offset, err, "a time as 07:30, 00:00..23:59");
		skip_blanks(&c);
	}
	if (*c.at != '\0')
		return fail(&c, offset, err, "nothing more here");
	*out = s;
	return 0;
}

static bool
falls_on(const struct schedule *s, int32_t day)
{
	struct civil c;
	int last;

	if (s->kind == SCHEDULE_WEEKDAYS)
		return (s->weekdays >> date_weekday(day) & 1) != 0;
	date_civil_of_day(day, &c);
	last = date_days_in_month(c.year, c.month);
	return c.day == (s->month_day < last ? s->month_day : last);
}

int64_t
schedule_due_utc(const struct schedule *s, const struct tz *tz, int32_t day)
{
	struct civil wall;

	date_civil_of_day(day, &wall);
	wall.hour = s->hour;
	wall.minute = s->minute;
	return tz_utc(tz, &wall);
}

int32_t
schedule_last_day(const struct schedule *s, const struct tz *tz, int64_t now_utc)
{
	struct civil wall;
	int32_t day;

	tz_local(tz, now_utc, &wall, NULL, NULL);
	day = date_day(wall.year, wall.month, wall.day);
	while (!falls_on(s, day) || schedule_due_utc(s, tz, day) > now_utc)
		day--;
	return day;
}

int32_t
schedule_previous_day(const struct schedule *s, int32_t day)
{
	do
		day--;
	while (!falls_on(s, day));
	return day;
}

int32_t
schedule_next_day(const struct schedule *s, int32_t day)
{
	do
		day++;
	while (!falls_on(s, day));
	return day;
}
