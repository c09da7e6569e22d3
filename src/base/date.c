#include "digest/date.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { DAY_S = 86400, HOUR_S = 3600, MINUTE_S = 60 };

/* The first and the last day that has a four-digit year: 0001-01-01 and 9999-12-31. */
enum { FIRST_DAY = -719162, LAST_DAY = 2932896 };

static const char *const month_names[] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
	"Sep", "Oct", "Nov", "Dec" };
static const char *const weekday_names[] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };

/* The names of RFC 5322 section 4.3; all others there mean "unknown", written -0000. */
static const struct {
	const char *name;
	int hours;
} zone_names[] = {
	{ "UT", 0 },
	{ "GMT", 0 },
	{ "UTC", 0 },
	{ "Z", 0 },
	{ "EDT", -4 },
	{ "EST", -5 },
	{ "CDT", -5 },
	{ "CST", -6 },
	{ "MDT", -6 },
	{ "MST", -7 },
	{ "PDT", -7 },
	{ "PST", -8 },
};

/* Counted in years that begin in March, so that the leap day is the last of its year; 400 years
 * have 146,097 days and 1970-01-01 is day 719,468 after 0000-03-01. */
int32_t
date_day(int year, int month, int day)
{
	int y = month <= 2 ? year - 1 : year;
	int era = (y >= 0 ? y : y - 399) / 400;
	int year_of_era = y - era * 400;
	int day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

	return era * 146097 + day_of_era - 719468;
}

void
date_civil_of_day(int32_t day, struct civil *out)
{
	int z = (day < FIRST_DAY ? FIRST_DAY : day > LAST_DAY ? LAST_DAY : day) + 719468;
	int era = (z >= 0 ? z : z - 146096) / 146097;
	int day_of_era = z - era * 146097;
	int year_of_era =
	    (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int month = (5 * day_of_year + 2) / 153;

	memset(out, 0, sizeof(*out));
	out->day = day_of_year - (153 * month + 2) / 5 + 1;
	out->month = month < 10 ? month + 3 : month - 9;
	out->year = year_of_era + era * 400 + (out->month <= 2);
}

int
date_weekday(int32_t day)
{
	int w = (int)((day % 7 + 4) % 7); /* 1970-01-01 was a Thursday */

	return w < 0 ? w + 7 : w;
}

static bool
is_leap(int year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

int
date_days_in_month(int year, int month)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };

	return days[month - 1] + (month == 2 && is_leap(year));
}

int64_t
date_seconds(const struct civil *c)
{
	return (int64_t)date_day(c->year, c->month, c->day) * DAY_S + c->hour * HOUR_S +
	    c->minute * MINUTE_S + c->second;
}

int64_t
date_clamp(int64_t utc)
{
	return utc < DATE_MIN_UTC ? DATE_MIN_UTC : utc > DATE_MAX_UTC ? DATE_MAX_UTC : utc;
}

void
date_civil(int64_t seconds, struct civil *out)
{
	int64_t day;
	int rest;

	seconds = date_clamp(seconds);
	day = seconds / DAY_S - (seconds % DAY_S < 0);
	rest = (int)(seconds - day * DAY_S);
	date_civil_of_day((int32_t)day, out);
	out->hour = rest / HOUR_S;
	out->minute = rest % HOUR_S / MINUTE_S;
	out->second = rest % MINUTE_S;
}

/* Reading: each scan_ function moves *p over what it read, or leaves it and returns false. */

static bool
scan_number(const char **p, int min_digits, int max_digits, int *out)
{
	int n = 0, value = 0;

	while (n < max_digits && isdigit((unsigned char)(*p)[n]))
		value = value * 10 + ((*p)[n++] - '0');
	if (n < min_digits || isdigit((unsigned char)(*p)[n]))
		return false;
	*p += n;
	*out = value;
	return true;
}

static bool
scan_char(const char **p, char c)
{
	if (**p != c)
		return false;
	++*p;
	return true;
}

static void
skip_blanks(const char **p)
{
	while (**p == ' ' || **p == '\t' || **p == '\r' || **p == '\n')
		++*p;
}

/* A second of 60 is a leap second; it counts as the first of the next minute. */
static bool
scan_clock(const char **p, struct civil *c)
{
	if (!scan_number(p, 1, 2, &c->hour) || !scan_char(p, ':') ||
	    !scan_number(p, 2, 2, &c->minute))
		return false;
	if (scan_char(p, ':') && !scan_number(p, 2, 2, &c->second))
		return false;
	return c->hour < 24 && c->minute < 60 && c->second <= 60;
}

/* "+01:00" or "-0400". */
static bool
scan_offset(const char **p, int *offset_s)
{
	const char *s = *p + 1;
	int hours, minutes, sign = **p == '-' ? -1 : 1;

	if (**p != '+' && **p != '-')
		return false;
	if (scan_number(&s, 4, 4, &minutes)) {
		hours = minutes / 100;
		minutes %= 100;
	} else if (!scan_number(&s, 2, 2, &hours) || !scan_char(&s, ':') ||
	    !scan_number(&s, 2, 2, &minutes)) {
		return false;
	}
	if (hours > 23 || minutes > 59)
		return false;
	*offset_s = sign * (hours * HOUR_S + minutes * MINUTE_S);
	*p = s;
	return true;
}

static bool
is_real_day(const struct civil *c)
{
	return c->year >= 1 && c->year <= 9999 && c->month >= 1 && c->month <= 12 && c->day >= 1 &&
	    c->day <= date_days_in_month(c->year, c->month);
}

static bool
scan_day(const char **p, struct civil *c)
{
	return scan_number(p, 4, 4, &c->year) && scan_char(p, '-') &&
	    scan_number(p, 2, 2, &c->month) && scan_char(p, '-') && scan_number(p, 2, 2, &c->day) &&
	    is_real_day(c);
}

static bool
parse_rfc3339(const char *s, struct civil *c, int *offset_s)
{
	if (!scan_day(&s, c))
		return false;
	if (*s == '\0')
		return true;
	if (!scan_char(&s, 'T') && !scan_char(&s, 't') && !scan_char(&s, ' '))
		return false;
	if (!scan_clock(&s, c))
		return false;
	if (scan_char(&s, '.')) {
		if (!isdigit((unsigned char)*s))
			return false;
		while (isdigit((unsigned char)*s))
			s++;
	}
	/* Without a zone it is UTC. */
	if (*s != '\0' && !scan_char(&s, 'Z') && !scan_char(&s, 'z') && !scan_offset(&s, offset_s))
		return false;
	return *s == '\0';
}

static int
find_name(const char *const *names, int n, const char *text)
{
	for (int i = 0; i < n; i++)
		if (strncasecmp(names[i], text, 3) == 0)
			return i;
	return -1;
}

static bool
scan_month_name(const char **p, int *month)
{
	int i = find_name(month_names, 12, *p);

	if (i == -1)
		return false;
	while (isalpha((unsigned char)**p))
		++*p;
	*month = i + 1;
	return true;
}

/* RFC 5322 4.3: 00-49 are 2000-2049, other two- and three-digit years are after 1900. */
static bool
scan_mail_year(const char **p, int *year)
{
	const char *start = *p;

	if (!scan_number(p, 2, 4, year))
		return false;
	if (*p - start == 2 && *year < 50)
		*year += 2000;
	else if (*p - start < 4)
		*year += 1900;
	return true;
}

static bool
scan_zone_name(const char **p, int *offset_s)
{
	const char *start = *p;
	size_t len;

	while (isalpha((unsigned char)**p))
		++*p;
	len = (size_t)(*p - start);
	for (size_t i = 0; i < sizeof(zone_names) / sizeof(zone_names[0]); i++)
		if (strlen(zone_names[i].name) == len &&
		    strncasecmp(zone_names[i].name, start, len) == 0)
			*offset_s = zone_names[i].hours * HOUR_S;
	return len > 0;
}

/* A comment after the date, as in "-0700 (PDT)", says nothing new. */
static bool
at_end(const char *s)
{
	skip_blanks(&s);
	if (*s == '(') {
		s += strcspn(s, ")");
		if (*s++ != ')')
			return false;
		skip_blanks(&s);
	}
	return *s == '\0';
}

static bool
parse_rfc5322(const char *s, struct civil *c, int *offset_s)
{
	if (find_name(weekday_names, 7, s) != -1) {
		while (isalpha((unsigned char)*s))
			s++;
		skip_blanks(&s);
		if (!scan_char(&s, ','))
			return false;
		skip_blanks(&s);
	}
	if (!scan_number(&s, 1, 2, &c->day))
		return false;
	skip_blanks(&s);
	if (!scan_month_name(&s, &c->month))
		return false;
	skip_blanks(&s);
	if (!scan_mail_year(&s, &c->year) || !is_real_day(c))
		return false;
	skip_blanks(&s);
	if (!scan_clock(&s, c))
		return false;
	skip_blanks(&s);
	if (*s != '\0' && !scan_offset(&s, offset_s) && !scan_zone_name(&s, offset_s))
		return false;
	return at_end(s);
}

int
date_parse(const char *text, int64_t *utc, struct error *err)
{
	struct civil c = { 0 };
	int offset_s = 0;
	const char *s = text;
	bool ok;

	skip_blanks(&s);
	ok = parse_rfc3339(s, &c, &offset_s);
	if (!ok) {
		memset(&c, 0, sizeof(c));
		offset_s = 0;
		ok = parse_rfc5322(s, &c, &offset_s);
	}
	if (!ok)
		return err_set(err, ERR_DATA,
		    "'%.60s' is not a time; expected \"2026-08-21T00:00:00Z\", \"2026-08-21\" or "
		    "\"Fri, 21 Aug 2026 00:00:00 +0000\"",
		    text);
	*utc = date_seconds(&c) - offset_s;
	return 0;
}

int
date_parse_day(const char *text, int32_t *day, struct error *err)
{
	struct civil c = { 0 };
	const char *s = text;

	if (!scan_day(&s, &c) || *s != '\0')
		return err_set(
		    err, ERR_DATA, "'%.60s' is not a date; expected \"2026-08-21\"", text);
	*day = date_day(c.year, c.month, c.day);
	return 0;
}

/* What each mail has is put together without printf(), which takes most of a microsecond. Both return where to go on. */
static char *
put_text(char *at, const char *text)
{
	while (*text != '\0')
		*at++ = *text++;
	return at;
}

static char *
put_digits(char *at, int n, int ndigits)
{
	for (int i = ndigits; i-- > 0; n /= 10)
		at[i] = (char)('0' + n % 10);
	return at + ndigits;
}

void
date_format_rfc3339(int64_t utc, char out[DATE_RFC3339_SIZE])
{
	struct civil c;

	date_civil(utc, &c);
	snprintf(out, DATE_RFC3339_SIZE, "%04d-%02d-%02dT%02d:%02d:%02dZ", c.year, c.month, c.day,
	    c.hour, c.minute, c.second);
}

void
date_format_rfc5322(int64_t utc, int offset_s, char out[DATE_RFC5322_SIZE])
{
	int minutes = (offset_s < 0 ? -offset_s : offset_s) / MINUTE_S;
	struct civil c;
	char *at = out;

	/* The header has no seconds in its zone: an offset that has some is cut, and the time with
	 * it. */
	date_civil(date_clamp(utc) + offset_s - offset_s % MINUTE_S, &c);
	at = put_text(at, date_weekday_name(date_weekday(date_day(c.year, c.month, c.day))));
	at = put_digits(put_text(at, ", "), c.day, 2);
	at = put_text(put_text(at, " "), date_month_name(c.month - 1));
	at = put_digits(put_text(at, " "), c.year, 4);
	at = put_digits(put_text(at, " "), c.hour, 2);
	at = put_digits(put_text(at, ":"), c.minute, 2);
	at = put_digits(put_text(at, ":"), c.second, 2);
	at = put_text(at, offset_s <= -MINUTE_S ? " -" : " +");
	at = put_digits(put_digits(at, minutes / 60 % 100, 2), minutes % 60, 2);
	*at = '\0';
}

void
date_format_day(int32_t day, char out[DATE_RFC3339_SIZE])
{
	struct civil c;

	date_civil_of_day(day, &c);
	snprintf(out, DATE_RFC3339_SIZE, "%04d-%02d-%02d", c.year, c.month, c.day);
}

const char *
date_month_name(int index)
{
	return month_names[index];
}

const char *
date_weekday_name(int index)
{
	return weekday_names[index];
}

int
date_parse_duration(const char *text, int64_t *seconds, struct error *err)
{
	static const struct {
		char unit;
		int seconds;
	} units[] = { { 's', 1 }, { 'm', MINUTE_S }, { 'h', HOUR_S }, { 'd', DAY_S },
		{ 'w', 7 * DAY_S } };
	const char *s = text;
	int n;

	if (scan_number(&s, 1, 9, &n) && *s != '\0' && s[1] == '\0') {
		for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
			if (units[i].unit == *s) {
				*seconds = (int64_t)n * units[i].seconds;
				return 0;
			}
		}
	}
	return err_set(err, ERR_DATA,
	    "'%.60s' is not a length of time; expected a number and a unit, as in 20s, 15m, 6h, "
	    "14d or 2w",
	    text);
}
