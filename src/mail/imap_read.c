#include "imap.h"

#include "digest/utf8.h"

#include <sodium.h>

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char search_head[] = "* SEARCH ";

void
imap_reader_init(struct imap_reader *r)
{
	memset(r, 0, sizeof(*r));
	strbuf_init(&r->literal, MAX_INCOMING_BYTES);
}

void
imap_reader_release(struct imap_reader *r)
{
	strbuf_release(&r->literal);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits at *at as a number up to max; *at is moved behind them. False: none, too large, or a letter behind. */
static bool
parse_number(const char **at, uint64_t max, uint64_t *out)
{
	const char *p = *at;
	uint64_t n = 0;

	for (; is_digit(*p); p++) {
		unsigned digit = (unsigned)(*p - '0');

		if (n > (max - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (p == *at || isalpha((unsigned char)*p))
		return false;
	*at = p;
	*out = n;
	return true;
}

/* ---- bytes to answers ---- */

static int
broken(struct imap_reader *r, const char *why)
{
	r->why = why;
	return -1;
}

/* An answer was given out: make room for the next, or for the rest of one that came in parts. */
static void
go_on(struct imap_reader *r)
{
	const size_t head = sizeof(search_head) - 1, rest = r->rest;

	r->is_over = false;
	if (rest != 0) {
		memmove(r->text + head, r->text + rest, r->len - rest);
		r->len = head + r->len - rest;
		r->rest = 0;
		return;
	}
	r->len = 0;
	r->has_literal = false;
	r->behind = 0;
	strbuf_reset(&r->literal);
}

/* There is no room for another byte: only of SEARCH may an answer be longer. */
static int
split(struct imap_reader *r)
{
	const size_t head = sizeof(search_head) - 1;
	const char *blank = memrchr(r->text, ' ', r->len);

	if (strncasecmp(r->text, search_head, head) != 0 || blank < r->text + head)
		return broken(r, "a line of more than 8,192 bytes");
	r->rest = (size_t)(blank - r->text) + 1;
	r->text[r->rest - 1] = '\0';
	r->is_over = true;
	return 2;
}

/* Whether the line ends in "{123}", and its answer may hold a literal: what a server says for people may end so, too. */
static bool
ends_in_literal(const struct imap_reader *r, const char **number)
{
	enum imap_status status;
	const char *rest, *open = r->len > 0 ? memrchr(r->text, '{', r->len) : NULL;

	/* The mark of a literal that came may be all there is behind it. */
	if (open == NULL || open < r->text + r->behind || r->text[r->len - 1] != '}' ||
	    open[1] == '}')
		return false;
	for (const char *p = open + 1; p < r->text + r->len - 1; p++)
		if (!is_digit(*p))
			return false;
	*number = open + 1;
	return imap_classify(r->text, "", &status, &rest) == IMAP_DATA;
}

/* A line is whole. 1 = so is the answer. */
static int
end_line(struct imap_reader *r)
{
	const char *number;
	uint64_t n;

	if (r->len > 0 && r->text[r->len - 1] == '\r')
		r->len--;
	r->text[r->len] = '\0';
	if (!ends_in_literal(r, &number)) {
		r->is_over = true;
		return 1;
	}
	if (r->has_literal)
		return broken(r, "several literals in one answer");
	if (!parse_number(&number, MAX_INCOMING_BYTES, &n))
		return broken(r, "a literal that is larger than what was asked for");
	r->has_literal = true;
	r->behind = r->len;
	r->literal_left = (size_t)n;
	return 0;
}

int
imap_read(struct imap_reader *r, const char *bytes, size_t n, size_t *used)
{
	size_t i = 0;
	int rc = 0;

	if (r->is_over)
		go_on(r);
	while (i < n && rc == 0) {
		if (r->literal_left > 0) {
			size_t take = r->literal_left < n - i ? r->literal_left : n - i;

			strbuf_addn(&r->literal, bytes + i, take);
			r->literal_left -= take;
			i += take;
			if (r->literal.state != STRBUF_OK)
				rc = broken(r, "out of memory");
			continue;
		}
		if (bytes[i] == '\n') {
			i++;
			rc = end_line(r);
		} else if (bytes[i] == '\0') {
			rc = broken(r, "a NUL outside a literal");
		} else if (r->len == IMAP_MAX_LINE) {
			rc = split(r);
		} else {
			r->text[r->len++] = bytes[i++];
		}
	}
	*used = i;
	return rc;
}

/* ---- what an answer says ---- */

static const char *
skip_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	if (strncasecmp(text, word, len) != 0 || (text[len] != ' ' && text[len] != '\0'))
		return NULL;
	return text + len + (text[len] == ' ');
}

static bool
parse_status(const char *text, enum imap_status *status, const char **rest)
{
	static const char *const words[] = { [IMAP_OK] = "OK",
		[IMAP_NO] = "NO",
		[IMAP_BAD] = "BAD",
		[IMAP_BYE] = "BYE",
		[IMAP_PREAUTH] = "PREAUTH" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		const char *behind = skip_word(text, words[i]);

		if (behind == NULL)
			continue;
		*status = (enum imap_status)i;
		*rest = behind;
		return true;
	}
	return false;
}

enum imap_kind
imap_classify(const char *text, const char *tag, enum imap_status *status, const char **rest)
{
	const char *behind;

	if (text[0] == '+' && (text[1] == ' ' || text[1] == '\0')) {
		*rest = text + 1;
		return IMAP_GO_ON;
	}
	if (strncmp(text, "* ", 2) == 0) {
		*rest = text + 2;
		return parse_status(text + 2, status, rest) ? IMAP_STATUS : IMAP_DATA;
	}
	behind = *tag != '\0' ? skip_word(text, tag) : NULL;
	if (behind != NULL && parse_status(behind, status, rest) && *status <= IMAP_BAD)
		return IMAP_DONE;
	return IMAP_ODD;
}

bool
imap_has_code(const char *text, const char *name)
{
	size_t len = strlen(name);

	return text[0] == '[' && strncasecmp(text + 1, name, len) == 0 &&
	    (text[1 + len] == ' ' || text[1 + len] == ']');
}

bool
imap_parse_code(const char *text, const char *name, uint64_t max, uint64_t *out)
{
	const char *at;
	uint64_t n;

	if (!imap_has_code(text, name))
		return false;
	at = text + 1 + strlen(name);
	if (*at++ != ' ' || !parse_number(&at, max, &n) || *at != ']')
		return false;
	*out = n;
	return true;
}

bool
imap_parse_search(const char *rest, void (*add)(void *arg, uint32_t uid), void *arg)
{
	const char *at = skip_word(rest, "SEARCH");
	uint64_t n;

	if (at == NULL)
		return false;
	while (*at != '\0') {
		const char *end = at;

		if (parse_number(&end, UINT32_MAX, &n) && n > 0 && (*end == ' ' || *end == '\0'))
			add(arg, (uint32_t)n);
		at += strcspn(at, " ");
		at += strspn(at, " ");
		/* RFC 7162 3.1.5: "(MODSEQ 5)" */
		if (*at == '(')
			break;
	}
	return true;
}

/* "a \"b\"" at *at into out, or past it with NULL. */
static bool
parse_quoted(const char **at, struct strbuf *out)
{
	const char *p = *at + 1;

	for (; *p != '"'; p++) {
		if (*p == '\\' && p[1] != '\0')
			p++;
		if (*p == '\0')
			return false;
		if (out != NULL)
			strbuf_addc(out, *p);
	}
	*at = p + 1;
	return true;
}

/* Move behind a value that is of no interest: an atom, a quoted string, a literal's "{5}", a list of these. */
static bool
skip_value(const char **at)
{
	unsigned depth = 0;
	const char *p = *at;

	do {
		if (*p == '(' || *p == ')') {
			if (*p == ')' && depth == 0)
				return false;
			if (*p++ == '(')
				depth++;
			else
				depth--;
		} else if (*p == '"') {
			if (!parse_quoted(&p, NULL))
				return false;
		} else if (*p == ' ' && depth > 0) {
			p++;
		} else {
			size_t len = strcspn(p, " ()\"");

			if (len == 0)
				return false;
			p += len;
		}
	} while (depth > 0 && depth <= IMAP_MAX_DEPTH);
	*at = p;
	return depth == 0;
}

/* The name of an item, "BODY[HEADER.FIELDS (DATE)]<0>" included. */
static size_t
measure_name(const char *at)
{
	size_t len = strcspn(at, " ()[\"");

	if (at[len] == '[') {
		len += strcspn(at + len, "]");
		len += at[len] == ']';
		len += strcspn(at + len, " ()\"");
	}
	return len;
}

static bool
is_item(const char *at, size_t len, const char *name)
{
	return strlen(name) == len && strncasecmp(at, name, len) == 0;
}

/* The whole mail, or its beginning: in the reader's literal afterwards, as it is where it came as one. */
static bool
parse_body(struct imap_reader *r, const char **at, struct imap_fetch *out)
{
	if (out->has_body)
		return false;
	out->has_body = true;
	if (**at == '{')
		return r->has_literal && skip_value(at);
	/* Nothing else may be in it then. */
	if (r->has_literal)
		return false;
	if (**at == '"')
		return parse_quoted(at, &r->literal);
	if (strncasecmp(*at, "NIL", 3) != 0)
		return false;
	*at += 3;
	return true;
}

static bool
parse_item(struct imap_reader *r, const char **at, struct imap_fetch *out)
{
	const char *name = *at;
	size_t len = measure_name(name);
	uint64_t n;

	if (len == 0 || name[len] != ' ')
		return false;
	*at += len + 1;
	if (is_item(name, len, "BODY[]") || is_item(name, len, "BODY[]<0>"))
		return parse_body(r, at, out);
	if (is_item(name, len, "RFC822.SIZE"))
		return parse_number(at, INT64_MAX, &out->size);
	if (!is_item(name, len, "UID"))
		return skip_value(at);
	if (out->uid != 0 || !parse_number(at, UINT32_MAX, &n) || n == 0)
		return false;
	out->uid = (uint32_t)n;
	return true;
}

int
imap_parse_fetch(struct imap_reader *r, struct imap_fetch *out)
{
	const char *at = r->text + 2;
	uint64_t number;

	memset(out, 0, sizeof(*out));
	if (strncmp(r->text, "* ", 2) != 0 || !is_digit(*at))
		return 0;
	if (!parse_number(&at, UINT32_MAX, &number))
		return -1;
	if (strncasecmp(at, " FETCH ", 7) != 0)
		return 0;
	at += 7;
	if (*at++ != '(')
		return -1;
	while (*at != ')') {
		if (!parse_item(r, &at, out))
			return -1;
		if (*at == ' ')
			at++;
		else if (*at != ')')
			return -1;
	}
	return at[1] == '\0' ? 1 : -1;
}

/* ---- what is said ---- */

int
imap_add_quoted(struct strbuf *out, const char *text)
{
	strbuf_addc(out, '"');
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || (unsigned char)*text > '~')
			return -1;
		if (*text == '"' || *text == '\\')
			strbuf_addc(out, '\\');
		strbuf_addc(out, *text);
	}
	strbuf_addc(out, '"');
	return 0;
}

/* UTF-16 in base64 without padding, ',' for '/'. */
static void
add_shifted(struct strbuf *out, const unsigned char *units, size_t len)
{
	char text[sodium_base64_ENCODED_LEN(
	    4 * IMAP_MAX_FOLDER, sodium_base64_VARIANT_ORIGINAL_NO_PADDING)];

	sodium_bin2base64(
	    text, sizeof(text), units, len, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	strbuf_addc(out, '&');
	for (const char *p = text; *p != '\0'; p++)
		strbuf_addc(out, *p == '/' ? ',' : *p);
	strbuf_addc(out, '-');
}

static size_t
add_unit(unsigned char *units, size_t len, uint32_t unit)
{
	units[len] = (unsigned char)(unit >> 8);
	units[len + 1] = (unsigned char)(unit & 0xff);
	return len + 2;
}

int
imap_add_folder(struct strbuf *out, const char *name)
{
	unsigned char units[4 * IMAP_MAX_FOLDER];
	const size_t len = strlen(name);
	size_t nunits = 0;
	uint32_t cp;

	if (len == 0 || len > IMAP_MAX_FOLDER)
		return -1;
	strbuf_addc(out, '"');
	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_decode(name + i, len - i, &cp);
		if (n == 0 || cp < ' ' || (cp >= 0x7f && cp < 0xa0))
			return -1;
		if (cp > '~') {
			if (cp > 0xffff) {
				nunits = add_unit(units, nunits, 0xd800 + ((cp - 0x10000) >> 10));
				cp = 0xdc00 + ((cp - 0x10000) & 0x3ff);
			}
			nunits = add_unit(units, nunits, cp);
			continue;
		}
		if (nunits > 0)
			add_shifted(out, units, nunits);
		nunits = 0;
		if (cp == '"' || cp == '\\')
			strbuf_addc(out, '\\');
		strbuf_addc(out, (char)cp);
		if (cp == '&')
			strbuf_addc(out, '-');
	}
	if (nunits > 0)
		add_shifted(out, units, nunits);
	strbuf_addc(out, '"');
	return 0;
}
