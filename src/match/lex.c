#include "lex.h"

#include "digest/limits.h"
#include "digest/text.h"
#include "digest/utf8.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char *const lex_field_names[] = {
	[FIELD_TEXT] = "",
	[FIELD_TITLE] = "title",
	[FIELD_ABSTRACT] = "abstract",
	[FIELD_AUTHOR] = "author",
	[FIELD_FIRST_AUTHOR] = "first-author",
	[FIELD_LAST_AUTHOR] = "last-author",
	[FIELD_ORG] = "org",
	[FIELD_CAT] = "cat",
	[FIELD_PRIMARY] = "primary",
	[FIELD_KEYWORD] = "keyword",
	[FIELD_VENUE] = "venue",
	[FIELD_SOURCE] = "source",
	[FIELD_ID] = "id",
	"has",
	"is",
	NULL,
};

const char *const lex_measure_names[] = {
	[MEASURE_VOTES] = "votes",
	[MEASURE_COMMENTS] = "comments",
	[MEASURE_STARS] = "stars",
	[MEASURE_AUTHORS] = "authors",
	[MEASURE_RANK] = "rank",
	[MEASURE_AGE] = "age",
	[MEASURE_PUBLISHED] = "published",
	"upvotes",
	NULL,
};

const char *const lex_compare_signs[] = {
	[COMPARE_LT] = "<",
	[COMPARE_LE] = "<=",
	[COMPARE_EQ] = "=",
	[COMPARE_GE] = ">=",
	[COMPARE_GT] = ">",
	NULL,
};

const char *const lex_property_names[] = {
	[HAS_CODE] = "has:code",
	[HAS_PROJECT] = "has:project",
	[HAS_MEDIA] = "has:media",
	[HAS_DOI] = "has:doi",
	[IS_NEW] = "is:new",
	[IS_CROSS] = "is:cross",
	[IS_REPLACED] = "is:replaced",
	[IS_WITHDRAWN] = "is:withdrawn",
	[IS_SENT] = "is:sent",
	NULL,
};

int
lex_fail(struct lexer *lx, size_t offset, const char *fmt, ...)
{
	va_list ap;

	lx->wrong = offset;
	va_start(ap, fmt);
	err_vset(lx->err, ERR_DATA, fmt, ap);
	va_end(ap);
	return -1;
}

int
lex_clip(const char *text, size_t len)
{
	size_t at = 0;
	uint32_t cp;
	unsigned n;

	while (at < len && at < 40 && (n = utf8_decode(text + at, len - at, &cp)) > 0)
		at += n;
	return (int)at;
}

static bool
is_bidi(uint32_t cp)
{
	return cp == 0x061c || cp == 0x200e || cp == 0x200f || (cp >= 0x202a && cp <= 0x202e) ||
	    (cp >= 0x2066 && cp <= 0x2069);
}

int
lex_check_text(struct lexer *lx)
{
	if (lx->len > MAX_QUERY_BYTES)
		return lex_fail(lx, MAX_QUERY_BYTES,
		    "the query has %zu bytes; at most %u are allowed", lx->len, MAX_QUERY_BYTES);
	for (size_t at = 0; at < lx->len;) {
		uint32_t cp;
		unsigned n = utf8_decode(lx->text + at, lx->len - at, &cp);

		if (n == 0)
			return lex_fail(lx, at,
			    "the query is not UTF-8: byte 0x%02X; save it as UTF-8",
			    (unsigned)(unsigned char)lx->text[at]);
		if (cp == 0)
			return lex_fail(lx, at, "the query holds a NUL byte; delete it");
		if (is_bidi(cp))
			return lex_fail(lx, at,
			    "the query holds the bidirectional control U+%04X, which makes it read "
			    "other than it is; delete it",
			    (unsigned)cp);
		if ((cp < 0x20 && cp != '\t' && cp != '\n' && cp != '\r') ||
		    (cp >= 0x7f && cp < 0xa0))
			return lex_fail(lx, at,
			    "the query holds the control character U+%04X; delete it",
			    (unsigned)cp);
		at += n;
	}
	return 0;
}

/* Length of the blank at at, 0 when it is none. People paste no-break and ideographic spaces. */
static size_t
blank_length(const char *text, size_t len)
{
	uint32_t cp;
	unsigned n = utf8_decode(text, len, &cp);

	if (n > 0 &&
	    (cp == ' ' || cp == '\t' || cp == '\n' || cp == '\r' || cp == 0xa0 || cp == 0x1680 ||
		(cp >= 0x2000 && cp <= 0x200a) || cp == 0x2028 || cp == 0x2029 || cp == 0x202f ||
		cp == 0x205f || cp == 0x3000))
		return n;
	return 0;
}

/* Length of the double quote at at, straight, curly or full-width; 0 when it is none. */
static size_t
quote_length(const char *text, size_t len)
{
	uint32_t cp;
	unsigned n = utf8_decode(text, len, &cp);

	return n > 0 && (cp == '"' || (cp >= 0x201c && cp <= 0x201f) || cp == 0xff02) ? n : 0;
}

static size_t
skip_blanks(const struct lexer *lx, size_t at)
{
	size_t n;

	while ((n = blank_length(lx->text + at, lx->len - at)) > 0)
		at += n;
	return at;
}

/* Blanks, and comments to the end of their lines. */
static size_t
skip_space(const struct lexer *lx, size_t at)
{
	for (;;) {
		at = skip_blanks(lx, at);
		if (at == lx->len || lx->text[at] != '#')
			return at;
		while (at < lx->len && lx->text[at] != '\n')
			at++;
	}
}

static size_t
word_end(const struct lexer *lx, size_t at)
{
	while (at < lx->len && lx->text[at] != '(' && lx->text[at] != ')' &&
	    blank_length(lx->text + at, lx->len - at) == 0 &&
	    quote_length(lx->text + at, lx->len - at) == 0) {
		uint32_t cp;

		at += utf8_decode(lx->text + at, lx->len - at, &cp);
	}
	return at;
}

static char
char_at(const struct lexer *lx, size_t at)
{
	return at < lx->len ? lx->text[at] : '\0';
}

static bool
is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int
find_name(const char *const *names, const char *text, size_t len)
{
	for (int i = 0; names[i] != NULL; i++)
		if (strlen(names[i]) == len && strncasecmp(names[i], text, len) == 0)
			return i;
	return -1;
}

/* The entry of names that a person may have meant, or NULL. */
static const char *
suggest(const char *const *names, const char *text, size_t len)
{
	char word[32];

	if (len >= sizeof(word))
		return NULL;
	for (size_t i = 0; i < len; i++)
		word[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ? text[i] + 32 : text[i]);
	word[len] = '\0';
	return text_nearest(word, names);
}

/* A star behind one letter or behind capitals is part of a name, as in "A* search" and "RRT* planning", and so is one that
 * LaTeX raises, as in "$A^*$ search". */
static bool
is_star_of_name(const char *text, const char *star)
{
	const char *at = star;
	uint32_t cp;

	if (star > text && (star[-1] == '^' || star[-1] == '{'))
		return true;
	while (
	    at > text && (is_letter(at[-1]) || is_digit(at[-1]) || (unsigned char)at[-1] >= 0x80))
		at--;
	if (at == star || is_digit(*at))
		return false;
	if (utf8_decode(at, (size_t)(star - at), &cp) == (size_t)(star - at))
		return true;
	while (at < star && ((*at >= 'A' && *at <= 'Z') || is_digit(*at)))
		at++;
	return at == star;
}

/* A '*' may end a term and makes it a prefix; in names it is text; anywhere else it would silently mean nothing. */
static int
take_star(struct lexer *lx, struct lexeme *out)
{
	const char *end = out->text + out->len, *star = memchr(out->text, '*', out->len);

	while (star != NULL && star != end - 1 && is_star_of_name(out->text, star))
		star = memchr(star + 1, '*', (size_t)(end - star - 1));
	if (star == NULL)
		return 0;
	if (star != end - 1 || out->len == 1)
		return lex_fail(lx, (size_t)(star - lx->text),
		    "'*' may stand only at the end of a word or phrase, as in agent*");
	if (out->exact)
		return lex_fail(lx, (size_t)(star - lx->text), "'=' and '*' do not go together");
	out->prefix = true;
	out->len--;
	return 0;
}

/* The "~8" behind a phrase. */
static int
take_distance(struct lexer *lx, struct lexeme *out)
{
	size_t at = lx->at + 1;
	uint32_t n = 0;

	if (char_at(lx, lx->at) != '~')
		return 0;
	while (is_digit(char_at(lx, at)) && n <= MAX_QUERY_DISTANCE)
		n = n * 10 + (uint32_t)(char_at(lx, at++) - '0');
	if (at == lx->at + 1 || n > MAX_QUERY_DISTANCE || word_end(lx, at) != at)
		return lex_fail(lx, lx->at,
		    "'~' wants a number of words from 0 to %d, as in \"a b\"~8",
		    MAX_QUERY_DISTANCE);
	if (out->exact || out->prefix)
		return lex_fail(
		    lx, lx->at, "'~' takes plain words only, without '%c'", out->exact ? '=' : '*');
	out->near = true;
	out->distance = n;
	lx->at = at;
	return 0;
}

/* Between two double quotes, which may be straight or curly. */
static int
lex_quoted(struct lexer *lx, struct lexeme *out)
{
	size_t open = lx->at, at = open + quote_length(lx->text + open, lx->len - open), n;
	size_t end = at; /* of the last character that is no blank */

	out->text = lx->text + at;
	while (at < lx->len && (n = quote_length(lx->text + at, lx->len - at)) == 0) {
		size_t blank = blank_length(lx->text + at, lx->len - at);
		uint32_t cp;

		at += utf8_decode(lx->text + at, lx->len - at, &cp);
		if (blank == 0)
			end = at;
	}
	if (at == lx->len)
		return lex_fail(
		    lx, open, "this quote is not closed; expected another '\"' behind the phrase");
	out->len = (size_t)(lx->text + end - out->text);
	if (out->len == 0)
		return lex_fail(lx, open, "the phrase is empty; expected words between the quotes");
	out->quoted = true;
	lx->at = at + n;
	return 0;
}

/* A word, a phrase, or either behind '='. */
static int
lex_term(struct lexer *lx, struct lexeme *out)
{
	out->kind = LEX_TERM;
	if (char_at(lx, lx->at) == '=') {
		out->exact = true;
		lx->at++;
	}
	if (quote_length(lx->text + lx->at, lx->len - lx->at) > 0) {
		if (lex_quoted(lx, out) == -1 || take_star(lx, out) == -1)
			return -1;
		return take_distance(lx, out);
	}
	out->text = lx->text + lx->at;
	lx->at = word_end(lx, lx->at);
	out->len = (size_t)(lx->text + lx->at - out->text);
	if (out->len == 0)
		return lex_fail(
		    lx, out->offset, "'=' wants the word directly behind it, as in =RAG");
	return take_star(lx, out);
}

/* '-' directly before a primary. */
static int
lex_minus(struct lexer *lx, struct lexeme *out)
{
	size_t at = lx->at;

	if (!lx->spaced && lx->text[at - 1] != '(')
		return lex_fail(lx, at, "a '-' that negates wants a blank before it");
	lx->at++;
	if (lx->at == lx->len || char_at(lx, lx->at) == ')' || char_at(lx, lx->at) == '-' ||
	    blank_length(lx->text + lx->at, lx->len - lx->at) > 0)
		return lex_fail(lx, at,
		    "a lone '-'; write it directly before what is not wanted, as in -survey");
	out->kind = LEX_MINUS;
	return 0;
}

/* @name or @"two words". */
static int
lex_name(struct lexer *lx, struct lexeme *out)
{
	lx->at++;
	out->kind = LEX_NAME;
	if (quote_length(lx->text + lx->at, lx->len - lx->at) > 0)
		return lex_quoted(lx, out);
	out->text = lx->text + lx->at;
	lx->at = word_end(lx, lx->at);
	out->len = (size_t)(lx->text + lx->at - out->text);
	if (out->len == 0)
		return lex_fail(lx, out->offset,
		    "'@' wants the name of a filter, as in @efficient or @\"radiance fields\"");
	return 0;
}

/* "has:" and "is:" take one of a few words. */
static int
lex_property(struct lexer *lx, struct lexeme *out, size_t value)
{
	size_t end = word_end(lx, value);
	int row = find_name(lex_property_names, lx->text + lx->at, end - lx->at);
	bool has = lx->text[lx->at] == 'h' || lx->text[lx->at] == 'H';
	const char *near;

	if (row >= 0) {
		out->kind = LEX_PROPERTY;
		out->property = (enum query_property)row;
		lx->at = end;
		return 0;
	}
	near = end > value ? suggest(lex_property_names, lx->text + lx->at, end - lx->at) : NULL;
	if (near != NULL)
		return lex_fail(lx, lx->at, "'%.*s' is not known; did you mean '%s'?",
		    lex_clip(lx->text + lx->at, end - lx->at), lx->text + lx->at, near);
	return lex_fail(lx, lx->at, "'%.*s' is not known; expected %s",
	    lex_clip(lx->text + lx->at, end - lx->at), lx->text + lx->at,
	    has ? "has:code, has:project, has:media or has:doi"
		: "is:new, is:cross, is:replaced, is:withdrawn or is:sent");
}

/* Names of fields elsewhere that are no slips of the keyboard. */
static const struct {
	const char *name, *ours;
} foreign_fields[] = {
	{ "abs", "abstract:" },
	{ "affiliation", "org:" },
	{ "arxiv", "id:" },
	{ "au", "author:" },
	{ "category", "cat:" },
	{ "conference", "venue:" },
	{ "date", "published>=" },
	{ "doi", "id:" },
	{ "journal", "venue:" },
	{ "subject", "cat:" },
	{ "tag", "keyword:" },
	{ "ti", "title:" },
	{ "year", "published>=" },
};

static const char *
find_foreign(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(foreign_fields) / sizeof(foreign_fields[0]); i++)
		if (strlen(foreign_fields[i].name) == len &&
		    strncasecmp(foreign_fields[i].name, name, len) == 0)
			return foreign_fields[i].ours;
	return NULL;
}

/* A name and ':'. */
static int
lex_field(struct lexer *lx, struct lexeme *out, size_t colon)
{
	const char *name = lx->text + lx->at;
	size_t len = colon - lx->at;
	int row = find_name(lex_field_names, name, len);

	if (row > FIELD_ID)
		return lex_property(lx, out, colon + 1);
	if (row > 0) {
		out->kind = LEX_FIELD;
		out->field = (enum query_field)row;
		lx->at = colon + 1;
		return 0;
	}
	if ((name = find_foreign(name, len)) != NULL)
		return lex_fail(lx, lx->at, "'%.*s:' is not a field; did you mean '%s'?",
		    lex_clip(lx->text + lx->at, len), lx->text + lx->at, name);
	name = suggest(lex_field_names + 1, lx->text + lx->at, len);
	if (name != NULL)
		return lex_fail(lx, lx->at, "'%.*s:' is not a field; did you mean '%s:'?",
		    lex_clip(lx->text + lx->at, len), lx->text + lx->at, name);
	return lex_fail(lx, lx->at,
	    "'%.*s:' is not a field (title, abstract, author, first-author, last-author, org, cat, "
	    "primary, keyword, venue, source, id, has, is); put text that holds ':' in quotes",
	    lex_clip(lx->text + lx->at, len), lx->text + lx->at);
}

static size_t
read_sign(const struct lexer *lx, size_t at, enum query_compare *compare)
{
	char c = char_at(lx, at);
	bool equal = char_at(lx, at + 1) == '=';

	if (c == '=') {
		*compare = COMPARE_EQ;
		return 1;
	}
	if (c != '<' && c != '>')
		return 0;
	if (c == '<')
		*compare = equal ? COMPARE_LE : COMPARE_LT;
	else
		*compare = equal ? COMPARE_GE : COMPARE_GT;
	return equal ? 2 : 1;
}

/* A condition, if the letters up to end are the name of one and a sign follows. Returns 1, 0 when
 * not, -1. */
static int
lex_condition(struct lexer *lx, struct lexeme *out, size_t end)
{
	const char *name = lx->text + lx->at, *near;
	size_t len = end - lx->at, sign = skip_blanks(lx, end), n;
	int row = find_name(lex_measure_names, name, len);

	/* '#' begins a comment behind a blank only. */
	if (sign > end)
		sign = skip_space(lx, sign);
	n = read_sign(lx, sign, &out->compare);
	if (n == 0 || (row < 0 && sign > end))
		return 0;
	if (row < 0) {
		near = suggest(lex_measure_names, name, len);
		if (near != NULL)
			return lex_fail(lx, lx->at, "'%.*s' is not a condition; did you mean '%s'?",
			    lex_clip(name, len), name, near);
		return lex_fail(lx, lx->at,
		    "'%.*s' is not a condition (votes, comments, stars, authors, rank, age, "
		    "published); put text that holds '%.*s' in quotes",
		    lex_clip(name, len), name, (int)n, lx->text + sign);
	}
	out->kind = LEX_CONDITION;
	out->measure = row > MEASURE_PUBLISHED ? MEASURE_VOTES : (enum query_measure)row;
	sign = skip_space(lx, sign + n);
	lx->at = word_end(lx, sign);
	out->text = lx->text + sign;
	out->len = lx->at - sign;
	return 1;
}

static const struct {
	const char *text;
	enum lex_kind kind;
} operators[] = {
	{ "AND", LEX_AND },
	{ "OR", LEX_OR },
	{ "NOT", LEX_NOT },
};

/* Spellings of other languages that would be read as something else here. */
static int
refuse_foreign(struct lexer *lx, const struct lexeme *term)
{
	const char *bar = memchr(term->text, '|', term->len), *at = term->text;

	if (at[0] == '\'')
		return lex_fail(lx, term->offset, "phrases stand in double quotes: \"...\"");
	if (at[0] == '!')
		return lex_fail(lx, term->offset, "'!' is not known; write NOT or '-'");
	if (bar != NULL)
		return lex_fail(lx, (size_t)(bar - lx->text), "'|' is not known; write OR");
	if (at[0] == '&')
		return lex_fail(lx, term->offset, "'&' is not known; write AND");
	at = memchr(at, '~', term->len);
	if (at != NULL)
		return lex_fail(lx, (size_t)(at - lx->text),
		    "'~' stands directly behind a phrase, as in \"sparse attention\"~8");
	return 0;
}

static int
lex_word(struct lexer *lx, struct lexeme *out)
{
	size_t end = word_end(lx, lx->at), name = lx->at;
	int rc;

	while (is_letter(char_at(lx, name)) || (name > lx->at && char_at(lx, name) == '-'))
		name++;
	if (name > lx->at && char_at(lx, name) == ':')
		return lex_field(lx, out, name);
	if (name > lx->at && (rc = lex_condition(lx, out, name)) != 0)
		return rc == 1 ? 0 : -1;
	for (size_t i = 0; i < sizeof(operators) / sizeof(operators[0]); i++) {
		if (strlen(operators[i].text) == end - lx->at &&
		    memcmp(operators[i].text, lx->text + lx->at, end - lx->at) == 0) {
			out->kind = operators[i].kind;
			lx->at = end;
			return 0;
		}
	}
	if (lex_term(lx, out) == -1)
		return -1;
	return out->quoted ? 0 : refuse_foreign(lx, out);
}

static int
lex_one(struct lexer *lx, struct lexeme *out)
{
	switch (char_at(lx, lx->at)) {
	case '\0':
		out->kind = LEX_END;
		return 0;
	case '(':
	case ')':
		out->kind = char_at(lx, lx->at) == '(' ? LEX_OPEN : LEX_CLOSE;
		lx->at++;
		return 0;
	case '-':
		return lex_minus(lx, out);
	case '@':
		return lex_name(lx, out);
	case '*':
		if (word_end(lx, lx->at) > lx->at + 1)
			return lex_fail(lx, lx->at,
			    "'*' may stand only at the end of a word or phrase, as in agent*");
		out->kind = LEX_STAR;
		lx->at++;
		return 0;
	case '<':
	case '>':
		return lex_fail(lx, lx->at,
		    "'%c' wants the name of a condition before it: votes, comments, stars, "
		    "authors, "
		    "rank, age or published",
		    char_at(lx, lx->at));
	case '=':
		return lex_term(lx, out);
	default:
		return lex_word(lx, out);
	}
}

int
lex_next(struct lexer *lx, struct lexeme *out)
{
	memset(out, 0, sizeof(*out));
	out->offset = skip_space(lx, lx->at);
	lx->spaced = out->offset > lx->at || lx->at == 0;
	lx->at = out->offset;
	if (lex_one(lx, out) == -1)
		return -1;
	out->end = lx->at;
	return 0;
}

int
lex_next_value(struct lexer *lx, const struct lexeme *field, struct lexeme *out)
{
	const char *name = lex_field_names[field->field];
	char c = char_at(lx, lx->at);

	memset(out, 0, sizeof(*out));
	out->offset = lx->at;
	if (lx->at == lx->len || c == ')' || blank_length(lx->text + lx->at, lx->len - lx->at) > 0)
		return lex_fail(lx, field->offset,
		    "'%s:' wants a word, a phrase or a group in brackets directly behind it", name);
	if (c == '-')
		return lex_fail(lx, lx->at, "write the '-' before the field: -%s:...", name);
	if (c == '@' || c == '*' || c == '~')
		return lex_fail(lx, lx->at, "'%c' cannot stand behind '%s:'", c, name);
	if (c == '(') {
		out->kind = LEX_OPEN;
		lx->at++;
	} else if (lex_term(lx, out) == -1) {
		return -1;
	}
	out->end = lx->at;
	return 0;
}

/* Letters, digits and what is not ASCII anywhere; these signs inside a word. */
static const char inner_signs[] = "-.+#'_/";

bool
lex_is_plain(const char *text)
{
	size_t len = strlen(text);
	static const char *const taken[] = { "and", "or", "not", NULL };

	if (len == 0 || find_name(taken, text, len) >= 0 ||
	    find_name(lex_measure_names, text, len) >= 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (is_letter(c) || is_digit(c))
			continue;
		if ((unsigned char)c < 0x80 && (i == 0 || strchr(inner_signs, c) == NULL))
			return false;
		if (blank_length(text + i, len - i) > 0 || quote_length(text + i, len - i) > 0)
			return false;
	}
	return true;
}
