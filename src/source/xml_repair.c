#include "xml_repair.h"

#include "digest/limits.h"
#include "digest/text.h"
#include "digest/utf8.h"
#include "xml_entities.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

enum {
	PIECE = 64 * 1024,  /* handed on while it is still in the cache */
	MAX_REFERENCE = 12, /* "&#x10FFFF;", "&thetasym;" */
};

/* What a byte may need. */
enum {
	IN_TEXT = 1,  /* looked at in text */
	IN_VALUE = 2, /* in a tag or the value of an attribute */
	IN_RAW = 4,   /* in CDATA and declarations, where only forbidden characters matter */
	IN_TAG = 8,   /* where the end of a tag is looked for */
	CONTROL = IN_TEXT | IN_VALUE | IN_RAW | IN_TAG,
};

/* XML 1.0 2.2: of the controls only tab, LF and CR are characters; U+FFFE and U+FFFF begin with 0xef. */
/* clang-format off */
static const unsigned char classes[256] = {
	CONTROL, CONTROL, CONTROL, CONTROL, CONTROL, CONTROL, CONTROL, CONTROL,
	CONTROL, 0, 0, CONTROL, CONTROL, 0, CONTROL, CONTROL,
	CONTROL, CONTROL, CONTROL, CONTROL, CONTROL, CONTROL, CONTROL, CONTROL,
	CONTROL, CONTROL, CONTROL, CONTROL, CONTROL, CONTROL, CONTROL, CONTROL,
	['&'] = IN_TEXT | IN_VALUE | IN_TAG,
	['<'] = IN_TEXT | IN_VALUE | IN_TAG,
	['>'] = IN_TEXT | IN_TAG,
	['"'] = IN_TAG,
	['\''] = IN_TAG,
	['['] = IN_TAG,
	[']'] = IN_TAG,
	[0xef] = CONTROL,
};
/* clang-format on */

/* Hand on what has been read. */
static void
flush(struct repair *r)
{
	if (!r->stopped && r->at > r->start &&
	    r->sink(r->arg, r->text + r->start, r->at - r->start))
		r->stopped = true;
	r->start = r->at;
}

/* Put other bytes in the place of the next n. */
static void
replace(struct repair *r, size_t n, const char *with, size_t len)
{
	flush(r);
	if (!r->stopped && len > 0 && r->sink(r->arg, with, len))
		r->stopped = true;
	if (r->stopped)
		return;
	r->at += n;
	r->start = r->at;
}

static void
repair_by(struct repair *r, size_t n, const char *with)
{
	r->nrepaired++;
	replace(r, n, with, strlen(with));
}

static void
stop(struct repair *r, const char *why)
{
	flush(r);
	r->stopped = true;
	r->why = why;
}

static bool
begins_name(char c)
{
	return isalpha((unsigned char)c) || c == '_' || c == ':' || (unsigned char)c >= 0x80;
}

/* A byte of class CONTROL: dropped unless it begins another character of the same lead byte. */
static void
control(struct repair *r)
{
	const char *s = r->text + r->at;

	if ((unsigned char)s[0] != 0xef)
		repair_by(r, 1, "");
	else if ((unsigned char)s[1] == 0xbf && (unsigned char)s[2] >= 0xbe)
		repair_by(r, 3, "");
	else
		r->at += 3; /* the text is valid UTF-8 */
}

/* The character number of a reference ("#233;", "#xE9;") of n bytes; -1 when it is not one. */
static long
number(const char *text, size_t n)
{
	unsigned base = n > 2 && (text[1] == 'x' || text[1] == 'X') ? 16 : 10;
	size_t i = base == 16 ? 2 : 1;
	long cp = 0;

	if (i == n)
		return -1;
	for (; i < n; i++) {
		unsigned char c = (unsigned char)text[i];

		if (!(base == 16 ? isxdigit(c) : isdigit(c)))
			return -1;
		if (cp <= 0x10ffff)
			cp = cp * (long)base + (isdigit(c) ? c - '0' : tolower(c) - 'a' + 10);
	}
	return cp;
}

static bool
is_character(long cp)
{
	return cp == '\t' || cp == '\n' || cp == '\r' || (cp >= ' ' && cp < 0xd800) ||
	    (cp > 0xdfff && cp < 0xfffe) || (cp > 0xffff && cp <= 0x10ffff);
}

static void
put_character(struct repair *r, size_t n, unsigned cp)
{
	char bytes[4];

	r->nrepaired++;
	replace(r, n, bytes, utf8_encode(cp, bytes));
}

/* At "&#", n bytes before its ';'. */
static void
numbered(struct repair *r, size_t n)
{
	const char *s = r->text + r->at;
	long value = number(s + 1, n - 1);

	if (value == -1)
		repair_by(r, 1, "&amp;");
	else if (value >= 0x80 && value <= 0x9f) /* as browsers read them */
		put_character(r, n + 1, text_windows_1252((unsigned char)value));
	else if (!is_character(value))
		repair_by(r, n + 1, "");
	else if (s[2] == 'X') /* XML knows the small x alone */
		put_character(r, n + 1, (unsigned)value);
	else
		r->at += n + 1;
}

/* The five that XML has itself. */
static bool
is_predefined(const char *name, size_t len)
{
	static const char *const names[] = { "lt", "gt", "amp", "quot", "apos" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0)
			return true;
	return false;
}

/* At an ampersand. */
static void
reference(struct repair *r)
{
	const char *s = r->text + r->at;
	size_t room = r->len - r->at < MAX_REFERENCE ? r->len - r->at : MAX_REFERENCE;
	const char *end = memchr(s, ';', room);
	size_t n = end != NULL ? (size_t)(end - s) : 0; /* of the whole, without the ';' */
	unsigned cp;

	if (n > 1 && s[1] == '#')
		numbered(r, n);
	else if (n > 1 && is_predefined(s + 1, n - 1))
		r->at += n + 1;
	else if (n > 1 && (cp = xml_entity(s + 1, n - 1)) != 0)
		put_character(r, n + 1, cp);
	else
		repair_by(r, 1, "&amp;");
}

#define EACH(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Whether one of eight bytes may need something in text: a control, '&', '<', '>' or what is not ASCII. False alarms are fine. */
static bool
may_be_special(const unsigned char *s)
{
	uint64_t word, amp, angle;

	memcpy(&word, s, sizeof(word));
	amp = word ^ EACH('&');
	angle = (word | EACH(2)) ^ EACH('>'); /* '<' and '>' differ in this bit alone */
	return (((word - EACH(' ')) | (amp - EACH(1)) | (angle - EACH(1)) | word) & EACH(0x80)) !=
	    0;
}

/* Read on to the next byte of a class, or to end. */
static void
skip_clean(struct repair *r, size_t end, unsigned class)
{
	const unsigned char *s = (const unsigned char *)r->text;
	size_t at = r->at;

	while (at < end) {
		size_t stop;

		while (end - at > sizeof(uint64_t) && !may_be_special(s + at))
			at += sizeof(uint64_t);
		stop = end - at > sizeof(uint64_t) ? at + sizeof(uint64_t) : end;
		while (at < stop && (classes[s[at]] & class) == 0)
			at++;
		if (at < stop)
			break;
	}
	r->at = at;
}

/* To end, where only forbidden characters matter. */
static void
raw(struct repair *r, size_t end)
{
	while (!r->stopped && r->at < end) {
		skip_clean(r, end, IN_RAW);
		if (r->at < end)
			control(r);
		else if (r->at - r->start >= PIECE)
			flush(r);
	}
}

/* Behind the next occurrence of what, or the end of the text. */
static size_t
behind(const struct repair *r, const char *what)
{
	const char *found = memmem(r->text + r->at, r->len - r->at, what, strlen(what));

	return found != NULL ? (size_t)(found - r->text) + strlen(what) : r->len;
}

/*
 * Where the tag, or a document type declaration, that begins here ends: behind its '>'. 0 when a '<' comes first, so that
 * this one is bare; the end of the text when that comes first.
 * *clean	whether nothing in it is to be repaired
 */
static size_t
tag_end(struct repair *r, bool is_doctype, bool *clean)
{
	const unsigned char *s = (const unsigned char *)r->text;
	size_t end = r->len - r->at > MAX_XML_TAG ? r->at + MAX_XML_TAG : r->len, depth = 0;
	unsigned char quote = '\0';

	*clean = true;
	for (size_t i = r->at + 1; i < end; i++) {
		unsigned char c = s[i];

		if ((classes[c] & IN_TAG) == 0)
			continue;
		*clean &= (classes[c] & IN_VALUE) == 0;
		if (quote != '\0')
			quote = c == quote ? '\0' : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '>' && depth == 0)
			return i + 1;
		else if (c == '<' && !is_doctype)
			return 0;
		else if (c == '[' && is_doctype)
			depth++;
		else if (c == ']' && depth > 0)
			depth--;
	}
	if (end < r->len)
		stop(r,
		    is_doctype ? "a document type declaration that does not end"
			       : "a tag that does not end");
	return end;
}

static void
tag(struct repair *r)
{
	bool clean;
	size_t end = tag_end(r, false, &clean);

	if (r->stopped)
		return;
	if (end == 0) {
		repair_by(r, 1, "&lt;");
		return;
	}
	if (clean) {
		r->at = end;
		return;
	}
	for (r->at++; !r->stopped && r->at < end;) {
		skip_clean(r, end, IN_VALUE);
		if (r->at == end)
			break;
		if (r->text[r->at] == '&')
			reference(r);
		else if (r->text[r->at] == '<')
			repair_by(r, 1, "&lt;");
		else
			control(r);
	}
}

/* Leave out what stands up to end. */
static void
leave_out(struct repair *r, size_t end)
{
	flush(r);
	r->at = r->start = end;
}

/* At a '<'. */
static void
markup(struct repair *r)
{
	const char *s = r->text + r->at;
	size_t len = r->len - r->at, end;
	bool clean;

	if (len > 1 && (begins_name(s[1]) || (s[1] == '/' && len > 2 && begins_name(s[2])))) {
		tag(r);
	} else if (len > 1 && s[1] == '?') {
		leave_out(r, behind(r, "?>"));
	} else if (len > 3 && memcmp(s, "<!--", 4) == 0) {
		leave_out(r, behind(r, "-->"));
	} else if (len > 8 && memcmp(s, "<![CDATA[", 9) == 0) {
		raw(r, behind(r, "]]>"));
	} else if (len > 8 && strncasecmp(s, "<!DOCTYPE", 9) == 0) {
		end = tag_end(r, true, &clean);
		if (r->stopped)
			return;
		if (memcmp(s, "<!DOCTYPE", 9) == 0)
			raw(r, end);
		else
			leave_out(r, end); /* HTML writes it as it likes, XML does not */
	} else {
		repair_by(r, 1, "&lt;");
	}
}

void
xml_repair(struct repair *r)
{
	while (!r->stopped && r->at < r->len) {
		size_t room = r->len - r->at;

		skip_clean(r, r->at + (room < PIECE ? room : PIECE), IN_TEXT);
		if (r->at - r->start >= PIECE)
			flush(r);
		if (r->stopped || r->at == r->len ||
		    (classes[(unsigned char)r->text[r->at]] & IN_TEXT) == 0)
			continue;
		if (r->text[r->at] == '<')
			markup(r);
		else if (r->text[r->at] == '&')
			reference(r);
		else if (r->text[r->at] != '>')
			control(r);
		else if (r->at >= 2 && memcmp(r->text + r->at - 2, "]]", 2) == 0)
			repair_by(r, 1, "&gt;");
		else
			r->at++;
	}
	flush(r);
}
