#include "digest/text.h"
#include "digest/utf8.h"

#include <utf8proc.h>

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* What ends in a full stop and seldom ends a sentence. */
static const char *const abbreviations[] = { "al", "approx", "ca", "cf", "dr", "e.g", "eq", "eqs",
	"et", "fig", "figs", "i.e", "no", "prof", "ref", "refs", "resp", "sec", "st", "vs",
	"w.r.t" };

static bool
is_abbreviation(const char *text, size_t dot)
{
	size_t start = dot, len;

	while (start > 0 &&
	    (isalnum((unsigned char)text[start - 1]) || text[start - 1] == '.' ||
		(unsigned char)text[start - 1] >= 0x80))
		start--;
	len = dot - start;
	if (len == 0)
		return false;
	if (start == 0 && strspn(text, "0123456789") == dot)
		return true; /* the number of a list */
	if (isalpha((unsigned char)text[dot - 1]) &&
	    (len == 1 || (len > 2 && text[dot - 2] == '.')))
		return true; /* an initial, or the last of "U.S." */
	for (size_t i = 0; i < sizeof(abbreviations) / sizeof(abbreviations[0]); i++)
		if (strlen(abbreviations[i]) == len &&
		    strncasecmp(abbreviations[i], text + start, len) == 0)
			return true;
	return false;
}

/* A capital, a digit or an opening quote or bracket: so a sentence begins. */
static bool
begins_sentence(const char *text, size_t len)
{
	utf8proc_category_t c;
	uint32_t cp;

	if (utf8_decode(text, len, &cp) == 0)
		return false;
	c = utf8proc_category((utf8proc_int32_t)cp);
	return c != UTF8PROC_CATEGORY_LL && c != UTF8PROC_CATEGORY_PD &&
	    c != UTF8PROC_CATEGORY_PO && c != UTF8PROC_CATEGORY_PE && c != UTF8PROC_CATEGORY_SM;
}

/* A quote or bracket after the full stop belongs to the sentence. */
static size_t
skip_closing(const char *text, size_t len, size_t at)
{
	while (at < len && (text[at] == '"' || text[at] == '\'' || text[at] == ')'))
		at++;
	if (len - at >= 3 && memcmp(text + at, "\xe2\x80\x9d", 3) == 0)
		at += 3; /* ” */
	return at;
}

/* The end of the sentence whose full stop may be at at, or 0. */
static size_t
sentence_end(const char *text, size_t len, size_t at)
{
	size_t end, next;

	if (len - at >= 3 && memcmp(text + at, "\xe3\x80\x82", 3) == 0)
		return at + 3; /* the ideographic full stop needs no blank */
	if (text[at] != '.' && text[at] != '!' && text[at] != '?')
		return 0;
	end = skip_closing(text, len, at + 1);
	next = end;
	while (next < len && (text[next] == ' ' || text[next] == '\n' || text[next] == '\t'))
		next++;
	if (next == len)
		return end;
	if (next == end || !begins_sentence(text + next, len - next))
		return 0;
	return text[at] == '.' && is_abbreviation(text, at) ? 0 : end;
}

/* *depth = how many brackets are open at the end. */
static size_t
find_end(const char *text, size_t len, bool mind_brackets, size_t *depth)
{
	*depth = 0;
	for (size_t at = 0; at < len; at++) {
		size_t end;

		if (strchr("([{", text[at]) != NULL && text[at] != '\0')
			++*depth;
		else if (strchr(")]}", text[at]) != NULL && text[at] != '\0' && *depth > 0)
			--*depth;
		else if ((*depth == 0 || !mind_brackets) && (end = sentence_end(text, len, at)) > 0)
			return end;
	}
	return len;
}

size_t
text_first_sentence(const char *text, size_t len)
{
	size_t depth;
	size_t end = find_end(text, len, true, &depth);

	/* A bracket that is never closed says nothing. */
	return depth > 0 ? find_end(text, len, false, &depth) : end;
}
