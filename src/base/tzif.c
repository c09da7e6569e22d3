#include "base/tzif.h"

#include "digest/date.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { HEADER_BYTES = 44, DAY_S = 86400, HOUR_S = 3600, MAX_RULE_HOURS = 167 };

/* The six counts of a header, in the order of the file (RFC 8536 3.1). */
struct counts {
	uint32_t isut, isstd, leap, time, type, chars;
};

static uint32_t
get_be32(const char *p)
{
	const unsigned char *s = (const unsigned char *)p;

	return (uint32_t)s[0] << 24 | (uint32_t)s[1] << 16 | (uint32_t)s[2] << 8 | s[3];
}

static int64_t
get_time(const char *p, size_t time_bytes)
{
	if (time_bytes == 4)
		return (int32_t)get_be32(p);
	return (int64_t)((uint64_t)get_be32(p) << 32 | get_be32(p + 4));
}

static int
broken(struct error *err, const char *what)
{
	return err_set(err, ERR_CONFIG, "not a usable TZif file: %s", what);
}

static bool
read_header(const char *bytes, size_t len, struct counts *n)
{
	if (len < HEADER_BYTES || memcmp(bytes, "TZif", 4) != 0)
		return false;
	n->isut = get_be32(bytes + 20);
	n->isstd = get_be32(bytes + 24);
	n->leap = get_be32(bytes + 28);
	n->time = get_be32(bytes + 32);
	n->type = get_be32(bytes + 36);
	n->chars = get_be32(bytes + 40);
	return true;
}

/* No overflow: seven products of 32-bit counts and small numbers. */
static uint64_t
block_bytes(const struct counts *n, size_t time_bytes)
{
	return (uint64_t)n->time * (time_bytes + 1) + (uint64_t)n->type * 6 + n->chars +
	    (uint64_t)n->leap * (time_bytes + 4) + n->isstd + n->isut;
}

static bool
is_abbr_char(char c)
{
	return isalnum((unsigned char)c) || c == '+' || c == '-';
}

static int
read_type(
    struct tz_type *type, const char *record, const char *chars, size_t nchars, struct error *err)
{
	size_t start = (unsigned char)record[5], n = 0;

	type->offset_s = (int32_t)get_be32(record);
	if (type->offset_s < -MAX_TZ_OFFSET_S || type->offset_s > MAX_TZ_OFFSET_S)
		return broken(err, "an offset of more than a day");
	for (; start + n < nchars && n + 1 < MAX_TZ_ABBR && is_abbr_char(chars[start + n]); n++)
		type->abbr[n] = chars[start + n];
	if (start + n >= nchars || chars[start + n] != '\0')
		return broken(err, "a bad zone abbreviation");
	return 0;
}

/* One data block, whose bytes are all there. */
static int
read_block(
    struct tzif *z, const char *p, const struct counts *n, size_t time_bytes, struct error *err)
{
	const char *kinds = p + n->time * time_bytes;
	const char *types = kinds + n->time;
	const char *chars = types + (size_t)n->type * 6;

	if (n->type == 0 || n->type > 256 || n->chars == 0)
		return broken(err, "it has no local time types");
	/* Zones of "right/" count 27 seconds more than any mail or feed does. */
	if (n->leap != 0)
		return broken(err, "it counts leap seconds");
	z->types = calloc(n->type, sizeof(*z->types));
	z->times = calloc(n->time + 1u, sizeof(*z->times));
	z->kinds = calloc(n->time + 1u, 1);
	if (z->types == NULL || z->times == NULL || z->kinds == NULL)
		return err_nomem(err, "time zone");
	z->ntypes = n->type;
	z->ntimes = n->time;
	for (size_t i = 0; i < z->ntypes; i++)
		if (read_type(&z->types[i], types + i * 6, chars, n->chars, err) == -1)
			return -1;
	for (size_t i = 0; i < z->ntimes; i++) {
		z->times[i] = get_time(p + i * time_bytes, time_bytes);
		z->kinds[i] = (uint8_t)kinds[i];
		if (z->kinds[i] >= z->ntypes)
			return broken(err, "a change to an unknown time type");
		if (i > 0 && z->times[i] <= z->times[i - 1])
			return broken(err, "its changes are not in order");
	}
	return 0;
}

/* The footer. Each scan_ function moves *p over what it read, or returns false. */

static bool
scan_int(const char **p, int min, int max, int *out)
{
	int value = 0, n = 0;

	for (; isdigit((unsigned char)**p) && n < 4; n++)
		value = value * 10 + (*(*p)++ - '0');
	*out = value;
	return n > 0 && value >= min && value <= max;
}

/* "3", "-1:30", "+26:00:00" */
static bool
scan_hms(const char **p, int max_hours, int32_t *out)
{
	int sign = 1, hours, minutes = 0, seconds = 0;

	if (**p == '+' || **p == '-')
		sign = *(*p)++ == '-' ? -1 : 1;
	if (!scan_int(p, 0, max_hours, &hours))
		return false;
	if (**p == ':' && (++*p, !scan_int(p, 0, 59, &minutes)))
		return false;
	if (**p == ':' && (++*p, !scan_int(p, 0, 59, &seconds)))
		return false;
	*out = sign * (hours * HOUR_S + minutes * 60 + seconds);
	return true;
}

/* "BST" or "<+03>". */
static bool
scan_abbr(const char **p, char out[MAX_TZ_ABBR])
{
	bool quoted = **p == '<';
	size_t n = 0;

	*p += quoted;
	while (quoted ? is_abbr_char(**p) : isalpha((unsigned char)**p) != 0) {
		if (n + 1 >= MAX_TZ_ABBR)
			return false;
		out[n++] = *(*p)++;
	}
	out[n] = '\0';
	if (quoted && *(*p)++ != '>')
		return false;
	return n >= 3;
}

/* ",M3.5.0/1" */
static bool
scan_rule(const char **p, struct tz_rule *r)
{
	if (*(*p)++ != ',')
		return false;
	if (**p == 'M') {
		r->kind = RULE_MONTH;
		++*p;
		if (!scan_int(p, 1, 12, &r->month) || *(*p)++ != '.' ||
		    !scan_int(p, 1, 5, &r->week) || *(*p)++ != '.' || !scan_int(p, 0, 6, &r->day))
			return false;
	} else if (**p == 'J') {
		r->kind = RULE_JULIAN;
		++*p;
		if (!scan_int(p, 1, 365, &r->day))
			return false;
	} else {
		r->kind = RULE_DAY;
		if (!scan_int(p, 0, 365, &r->day))
			return false;
	}
	r->time_s = 2 * HOUR_S;
	if (**p != '/')
		return true;
	++*p;
	return scan_hms(p, MAX_RULE_HOURS, &r->time_s);
}

/* POSIX counts offsets west of Greenwich; we count east. */
static bool
scan_footer(const char *s, struct tz_footer *f)
{
	static const char usual[] = ",M3.2.0,M11.1.0";
	int32_t west;

	if (!scan_abbr(&s, f->std.abbr) || !scan_hms(&s, 24, &west))
		return false;
	f->present = true;
	f->std.offset_s = -west;
	if (*s == '\0')
		return true;
	if (!scan_abbr(&s, f->dst.abbr))
		return false;
	f->has_dst = true;
	west -= HOUR_S;
	if (*s != ',' && *s != '\0' && !scan_hms(&s, 24, &west))
		return false;
	f->dst.offset_s = -west;
	if (*s == '\0')
		s = usual;
	return scan_rule(&s, &f->start) && scan_rule(&s, &f->end) && *s == '\0';
}

static int
read_footer(struct tzif *z, const char *p, size_t len, struct error *err)
{
	char text[128];
	const char *end;

	if (len < 2 || p[0] != '\n' || (end = memchr(p + 1, '\n', len - 1)) == NULL ||
	    (size_t)(end - p) > sizeof(text))
		return broken(err, "its footer is cut or too long");
	memcpy(text, p + 1, (size_t)(end - p) - 1);
	text[end - p - 1] = '\0';
	if (text[0] != '\0' && !scan_footer(text, &z->footer))
		return broken(err, "its footer is not a POSIX TZ rule");
	return 0;
}

int
tzif_parse(struct tzif *z, const char *bytes, size_t len, struct error *err)
{
	size_t time_bytes = 4;
	const char *end = bytes + len;
	struct counts n;
	uint64_t size;

	memset(z, 0, sizeof(*z));
	if (!read_header(bytes, len, &n))
		return broken(err, "no header");
	size = block_bytes(&n, time_bytes);
	/* From version 2 on a second header and block with 64-bit times follow, then the footer. */
	if (bytes[4] != '\0') {
		if (size > len - HEADER_BYTES)
			return broken(err, "it is cut");
		bytes += HEADER_BYTES + size;
		if (!read_header(bytes, (size_t)(end - bytes), &n))
			return broken(err, "no second header");
		time_bytes = 8;
		size = block_bytes(&n, time_bytes);
	}
	bytes += HEADER_BYTES;
	if (size > (size_t)(end - bytes))
		return broken(err, "it is cut");
	if (read_block(z, bytes, &n, time_bytes, err) == -1 ||
	    (time_bytes == 8 &&
		read_footer(z, bytes + size, (size_t)(end - bytes) - (size_t)size, err) == -1)) {
		tzif_release(z);
		return -1;
	}
	return 0;
}

void
tzif_init_utc(struct tzif *z)
{
	memset(z, 0, sizeof(*z));
	memcpy(z->utc.abbr, "UTC", 4);
	z->types = &z->utc;
	z->ntypes = 1;
}

void
tzif_release(struct tzif *z)
{
	if (z->types != &z->utc)
		free(z->types);
	free(z->times);
	free(z->kinds);
	memset(z, 0, sizeof(*z));
}

/* The day of a year on which a rule strikes. */
static int32_t
rule_day(const struct tz_rule *r, int year)
{
	bool leap = date_days_in_month(year, 2) == 29;
	int32_t first;
	int day;

	switch (r->kind) {
	case RULE_JULIAN:
		return date_day(year, 1, 1) + r->day - 1 + (leap && r->day >= 60);
	case RULE_DAY:
		return date_day(year, 1, 1) + r->day;
	case RULE_MONTH:
		break;
	}
	first = date_day(year, r->month, 1);
	day = (r->day - date_weekday(first) + 7) % 7 + 7 * (r->week - 1);
	if (day >= date_days_in_month(year, r->month))
		day -= 7; /* week 5 is the last one, be it the fourth */
	return first + day;
}

static int64_t
rule_utc(const struct tz_rule *r, int year, int32_t offset_s)
{
	return (int64_t)rule_day(r, year) * DAY_S + r->time_s - offset_s;
}

/* The rule's times reach a week over the ends of a year, so the years beside count too. Where the
 * end of one summer is the beginning of the next (a zone that always has summer time), the
 * beginning wins. */
static const struct tz_type *
footer_type_at(const struct tz_footer *f, int64_t utc, int64_t *until)
{
	const struct tz_type *type = &f->std;
	int64_t best = INT64_MIN;
	struct civil c;

	*until = INT64_MAX;
	if (!f->has_dst)
		return type;
	date_civil(utc, &c);
	for (int year = c.year - 1; year <= c.year + 2; year++) {
		int64_t end = rule_utc(&f->end, year, f->dst.offset_s);
		int64_t start = rule_utc(&f->start, year, f->std.offset_s);

		if (end <= utc && end >= best)
			best = end, type = &f->std;
		if (start <= utc && start >= best)
			best = start, type = &f->dst;
		if (end > utc && end < *until)
			*until = end;
		if (start > utc && start < *until)
			*until = start;
	}
	return type;
}

const struct tz_type *
tzif_type_at(const struct tzif *z, int64_t utc, int64_t *until)
{
	size_t low = 0, high = z->ntimes;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (z->times[mid] <= utc)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < z->ntimes) {
		*until = z->times[low];
		return low == 0 ? &z->types[0] : &z->types[z->kinds[low - 1]];
	}
	if (z->footer.present)
		return footer_type_at(&z->footer, utc, until);
	*until = INT64_MAX;
	return low == 0 ? &z->types[0] : &z->types[z->kinds[low - 1]];
}
