#include "mail/words.h"

#include "digest/limits.h"
#include "digest/message.h"
#include "digest/utf8.h"

#include <sodium.h>
#include <utf8proc.h>

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum {
	LINE_COLUMNS = 76,     /* RFC 2047 2: of a line that holds an encoded word */
	MAX_PLAIN_WORD = 60,   /* a longer one is encoded, because only that can be folded */
	WORD_FRAME = 12,       /* "=?UTF-8?Q?" and "?=" */
	WIDEST_CHARACTER = 12, /* four bytes as =XX */
	ELLIPSIS_BYTES = 3,
	CLEAN_SIZE = MAX_HEADER_TEXT + ELLIPSIS_BYTES + 1,
};

/* One header value as it grows. */
struct line {
	struct strbuf *out;
	size_t column;
	bool begun; /* a word was written: the next one needs a blank before it */
};

static bool
is_blank_or_control(uint32_t cp)
{
	return cp <= ' ' || (cp >= 0x7f && cp < 0xa0) || cp == 0x2028 || cp == 0x2029;
}

/* Embeddings, overrides and isolates would turn around what a mail reader shows after the value. */
static bool
is_bidi_control(uint32_t cp)
{
	return (cp >= 0x202a && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069);
}

/* Whether nothing is to be cleaned, as in most values: printable ASCII with single blanks between words. */
static bool
is_clean(const char *text, size_t len)
{
	return len > 0 && len + 4 <= MAX_HEADER_TEXT && utf8_plain_run(text, len) == len &&
	    text[0] != ' ' && text[len - 1] != ' ' && memmem(text, len, "  ", 2) == NULL;
}

/*
 * Copy text as one line: controls and runs of blanks become one blank, none at the ends, broken
 * UTF-8 becomes U+FFFD; what is longer than MAX_HEADER_TEXT is cut at a grapheme and ends in an
 * ellipsis.
 * Returns the length.
 */
static size_t
clean_text(const char *text, char out[CLEAN_SIZE])
{
	size_t text_len = strlen(text);
	const char *end = text + text_len;
	utf8proc_int32_t state = 0, last = 0;
	size_t len = 0, edge = 0; /* edge: where the last whole grapheme ends */
	bool blank = false;

	if (is_clean(text, text_len)) {
		memcpy(out, text, text_len + 1);
		return text_len;
	}
	while (text < end) {
		uint32_t cp;
		unsigned n = utf8_decode(text, (size_t)(end - text), &cp);

		if (n == 0) {
			cp = 0xfffd;
			n = 1;
		}
		text += n;
		if (is_blank_or_control(cp)) {
			blank = len > 0;
			state = 0;
			continue;
		}
		if (is_bidi_control(cp))
			continue;
		if (len == 0 || blank ||
		    utf8proc_grapheme_break_stateful(last, (utf8proc_int32_t)cp, &state))
			edge = len;
		if (len + blank + 4 > MAX_HEADER_TEXT) {
			memcpy(out + edge, "\xe2\x80\xa6", ELLIPSIS_BYTES);
			len = edge + ELLIPSIS_BYTES;
			break;
		}
		if (blank)
			out[len++] = ' ';
		blank = false;
		len += utf8_encode(cp, out + len);
		last = (utf8proc_int32_t)cp;
	}
	out[len] = '\0';
	return len;
}

static void
fold(struct line *l)
{
	strbuf_add(l->out, "\r\n ");
	l->column = 1;
}

/* The blank before the next word, or a new line when fewer than need columns would be left. */
static void
begin_word(struct line *l, size_t need)
{
	if (l->column + l->begun + need > LINE_COLUMNS) {
		fold(l);
	} else if (l->begun) {
		strbuf_addc(l->out, ' ');
		l->column++;
	}
	l->begun = true;
}

static void
add_plain(struct line *l, const char *text, size_t len)
{
	begin_word(l, len);
	strbuf_addn(l->out, text, len);
	l->column += len;
}

/* What needs no =XX in an encoded word, also in a phrase (RFC 2047 5 (3)); ' ' is written '_'. */
static bool
is_q_safe(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    (c != '\0' && strchr("!*+-/ ", c) != NULL);
}

static size_t
q_length(const char *text, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += is_q_safe(text[i]) ? 1 : 3;
	return n;
}

static size_t
base64_length(size_t len)
{
	return (len + 2) / 3 * 4;
}

/* How many bytes, whole characters only, take at most room columns. text is valid UTF-8. */
static size_t
fitting_bytes(const char *text, size_t len, size_t room, bool base64)
{
	size_t n = 0;

	while (n < len) {
		uint32_t cp;
		size_t next = n + utf8_decode(text + n, len - n, &cp);

		if ((base64 ? base64_length(next) : q_length(text, next)) > room)
			break;
		n = next;
	}
	return n;
}

static void
add_encoded_word(struct line *l, const char *text, size_t len, bool base64)
{
	size_t start = l->out->len;

	strbuf_add(l->out, base64 ? "=?UTF-8?B?" : "=?UTF-8?Q?");
	if (base64) {
		char coded[LINE_COLUMNS + 4];

		sodium_bin2base64(coded, sizeof(coded), (const unsigned char *)text, len,
		    sodium_base64_VARIANT_ORIGINAL);
		strbuf_add(l->out, coded);
	}
	for (size_t i = 0; !base64 && i < len; i++) {
		if (text[i] == ' ')
			strbuf_addc(l->out, '_');
		else if (is_q_safe(text[i]))
			strbuf_addc(l->out, text[i]);
		else
			strbuf_addf(l->out, "=%02X", (unsigned char)text[i]);
	}
	strbuf_add(l->out, "?=");
	l->column += l->out->len - start;
}

/* A run of text as encoded words in the shorter of the two codings; blanks between them are not
 * part of it. */
static void
add_encoded(struct line *l, const char *text, size_t len)
{
	bool base64 = q_length(text, len) > base64_length(len);

	while (len > 0) {
		size_t room, n;

		begin_word(l, WORD_FRAME + WIDEST_CHARACTER);
		room = LINE_COLUMNS - WORD_FRAME - (l->column > 0 ? l->column : 1);
		n = fitting_bytes(text, len, room, base64);
		add_encoded_word(l, text, n, base64);
		text += n;
		len -= n;
	}
}

/* "=?" is encoded too: a title that looks like an encoded word must arrive as it is written. */
static bool
needs_encoding(const char *text, size_t len)
{
	if (len > MAX_PLAIN_WORD)
		return true;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)text[i] >= 0x80 || (text[i] == '=' && text[i + 1] == '?'))
			return true;
	return false;
}

/* Neighbours that both need it become one run: the blank between two encoded words is not shown
 * (RFC 2047 6.2). */
static void
add_words(struct line *l, const char *text)
{
	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (!needs_encoding(text, len)) {
			add_plain(l, text, len);
		} else {
			while (text[len] == ' ') {
				size_t more = strcspn(text + len + 1, " ");

				if (!needs_encoding(text + len + 1, more))
					break;
				len += 1 + more;
			}
			add_encoded(l, text, len);
		}
		text += len;
		text += *text == ' ';
	}
}

void
message_add_words(struct strbuf *out, const char *text, size_t name_len)
{
	struct line l = { .out = out, .column = name_len };
	char clean[CLEAN_SIZE];

	clean_text(text, clean);
	add_words(&l, clean);
}

enum phrase_form { PHRASE_ATOMS, PHRASE_QUOTED, PHRASE_ENCODED };

static enum phrase_form
phrase_form(const char *text, size_t len)
{
	enum phrase_form form = PHRASE_ATOMS;
	size_t quoted_len = len + 2;

	for (size_t i = 0; i < len; i++) {
		if ((unsigned char)text[i] >= 0x80 || (text[i] == '=' && text[i + 1] == '?'))
			return PHRASE_ENCODED;
		if (strchr("()<>[]:;@\\,.\"", text[i]) != NULL)
			form = PHRASE_QUOTED;
		quoted_len += text[i] == '"' || text[i] == '\\';
	}
	/* A quoted string is not folded, so it must fit one line. */
	if (form == PHRASE_QUOTED && quoted_len > MAX_PLAIN_WORD)
		form = PHRASE_ENCODED;
	return form;
}

static void
add_quoted(struct line *l, const char *text, size_t len)
{
	size_t start;

	begin_word(l, len + 2);
	start = l->out->len;
	strbuf_addc(l->out, '"');
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '"' || text[i] == '\\')
			strbuf_addc(l->out, '\\');
		strbuf_addc(l->out, text[i]);
	}
	strbuf_addc(l->out, '"');
	l->column += l->out->len - start;
}

size_t
words_add_phrase(struct strbuf *out, const char *text, size_t column)
{
	struct line l = { .out = out, .column = column };
	char clean[CLEAN_SIZE];
	size_t len = clean_text(text, clean);

	switch (phrase_form(clean, len)) {
	case PHRASE_ATOMS:
		add_words(&l, clean);
		break;
	case PHRASE_QUOTED:
		add_quoted(&l, clean, len);
		break;
	case PHRASE_ENCODED:
		add_encoded(&l, clean, len);
		break;
	}
	return l.column;
}

size_t
words_add_bracketed(struct strbuf *out, const char *text, size_t column)
{
	bool begun = out->len > 0 && out->buf[out->len - 1] != ' ';
	struct line l = { .out = out, .column = column, .begun = begun };
	size_t len = strlen(text) + 2;

	begin_word(&l, len);
	strbuf_addc(out, '<');
	strbuf_add(out, text);
	strbuf_addc(out, '>');
	return l.column + len;
}
