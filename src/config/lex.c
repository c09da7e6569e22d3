#include "config/lex.h"

#include "digest/limits.h"
#include "digest/utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct config_place
place_of(const struct config_lexer *lx, size_t pos)
{
	return (struct config_place){ lx->line, (uint32_t)(pos - lx->line_start) + 1 };
}

void
config_lex_complain(struct config_lexer *lx, struct config_place place, const char *fmt, ...)
{
	char message[400];
	va_list ap;

	lx->ncomplaints++;
	if (lx->complain == NULL)
		return;
	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	lx->complain(lx->arg, place, message, "");
}

static int
byte_at(const struct config_lexer *lx, size_t pos)
{
	return pos < lx->len ? (unsigned char)lx->bytes[pos] : -1;
}

static bool
is_in(const char *set, int c)
{
	return c > 0 && strchr(set, c) != NULL;
}

/* Of ASCII letters and digits whatever the locale, and the bytes of also. */
static bool
is_name_byte(int c, const char *also)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	    is_in(also, c);
}

static void
start_line(struct config_lexer *lx, size_t pos)
{
	lx->line++;
	lx->line_start = pos;
}

/*
 * Length of the character at pos, 0 when no text file has it there.
 * quiet	it is one error among others of its token
 */
static unsigned
check_char(struct config_lexer *lx, size_t pos, bool quiet)
{
	int c = byte_at(lx, pos);
	uint32_t cp;
	unsigned n = utf8_decode(lx->bytes + pos, lx->len - pos, &cp);

	if ((c >= 0x20 && c < 0x7f) || c == '\t' || c == '\n' || (c >= 0x80 && n > 0))
		return n;
	if (c == '\r' && byte_at(lx, pos + 1) == '\n')
		return 1;
	if (quiet)
		return 0;
	if (c >= 0x80)
		config_lex_complain(lx, place_of(lx, pos),
		    "byte 0x%02X is not UTF-8; expected text in UTF-8", (unsigned)c);
	else
		config_lex_complain(lx, place_of(lx, pos), "control byte 0x%02X%s; expected text",
		    (unsigned)c, c == 0 ? " (NUL)" : "");
	return 0;
}

static void
skip_comment(struct config_lexer *lx)
{
	bool bad = false;

	while (lx->pos < lx->len && lx->bytes[lx->pos] != '\n') {
		unsigned n = check_char(lx, lx->pos, bad);

		bad = bad || n == 0;
		lx->pos += n > 0 ? n : 1;
	}
}

static void
skip_blanks(struct config_lexer *lx)
{
	for (;;) {
		int c = byte_at(lx, lx->pos);

		if (c == '#') {
			skip_comment(lx);
		} else if (c == '\n') {
			lx->pos++;
			start_line(lx, lx->pos);
		} else if (c == ' ' || c == '\t' ||
		    (c == '\r' && byte_at(lx, lx->pos + 1) == '\n')) {
			lx->pos++;
		} else {
			return;
		}
	}
}

/* What one step of a spelling means. */
struct unit {
	size_t taken;	  /* bytes of the spelling */
	const char *text; /* NULL: a variable that is not set, or an escape that is none */
	size_t len;
	char env[100]; /* name of the variable, "" = not one */
};

static void
read_env(const char *s, size_t len, struct unit *out)
{
	size_t n = 0;

	while (2 + n < len && is_name_byte(s[2 + n], "_"))
		n++;
	out->text = NULL;
	out->taken = 2 + n;
	if (n == 0 || n >= sizeof(out->env) || 2 + n >= len || s[2 + n] != '}')
		return;
	memcpy(out->env, s + 2, n);
	out->env[n] = '\0';
	out->taken++;
	out->text = getenv(out->env);
	out->len = out->text != NULL ? strlen(out->text) : 0;
}

static void
read_escape(const char *s, size_t len, struct unit *out)
{
	static const char escapes[] = "\"\\$nt", meanings[] = "\"\\$\n\t";
	const char *e = len > 1 && s[1] != '\0' ? strchr(escapes, s[1]) : NULL;

	out->taken = len > 1 ? 2 : 1;
	out->text = e != NULL ? &meanings[e - escapes] : NULL;
}

/* Read the step of a spelling that begins at s; len > 0 bytes are there. */
static void
read_unit(enum config_spelling spelling, const char *s, size_t len, struct unit *out)
{
	*out = (struct unit){ .taken = 1, .text = s, .len = 1 };
	if (spelling == SPELT_RAW && s[0] == '\\' && len > 1 && s[1] == '\'') {
		out->taken = 2;
		out->text = s + 1;
	} else if (spelling == SPELT_RAW && s[0] == '\r') {
		out->len = 0;
	} else if (spelling == SPELT_QUOTED && s[0] == '\\') {
		read_escape(s, len, out);
	} else if (spelling == SPELT_QUOTED && s[0] == '$' && len > 1 && s[1] == '{') {
		read_env(s, len, out);
	}
}

/* One step inside quotes at lx->pos. False when it is wrong, which is said unless quiet. */
static bool
check_unit(struct config_lexer *lx, struct config_scalar *s, bool quiet)
{
	struct config_place place = place_of(lx, lx->pos);
	const char *at = lx->bytes + lx->pos;
	unsigned n = check_char(lx, lx->pos, quiet);
	struct unit u;

	if (n != 1) {
		lx->pos += n > 0 ? n : 1;
		return n > 0;
	}
	read_unit(s->spelling, at, lx->len - lx->pos, &u);
	s->has_env = s->has_env || u.env[0] != '\0';
	s->plain = s->plain && u.text == at && u.len == u.taken;
	/* A wrong escape must not carry the scan over the end of the line. */
	lx->pos += u.text == NULL && at[0] == '\\' ? 1 : u.taken;
	if (at[0] == '\n')
		start_line(lx, lx->pos);
	if (u.text != NULL && utf8_is_valid(u.text, u.len))
		return true;
	if (quiet)
		return false;
	if (at[0] == '\\')
		config_lex_complain(lx, place,
		    "'\\%.*s' is not an escape; expected \\\" \\\\ \\$ \\n or \\t, or text in "
		    "'...'",
		    lx->pos < lx->len && (unsigned char)at[1] > 0x20 ? 1 : 0, at + 1);
	else if (u.env[0] == '\0')
		config_lex_complain(
		    lx, place, "'${' begins no variable; expected ${NAME}, or \\${ for the text");
	else
		config_lex_complain(lx, place, "environment variable '%s' is %s; expected text",
		    u.env, u.text == NULL ? "not set" : "not UTF-8");
	return false;
}

/* After what could not be read: on to the next blank or brace, so that the rest is not read as something else. */
static void
skip_junk(struct config_lexer *lx)
{
	while (lx->pos < lx->len && !is_in(" \t\r\n{}", lx->bytes[lx->pos]))
		lx->pos++;
}

/* A text must be followed by a blank: 'it's' is a mistake, not a text and a word. */
static bool
check_text_end(struct config_lexer *lx, const struct config_token *t, char quote)
{
	uint32_t first = t->scalar.place.line;
	int c = byte_at(lx, lx->pos);

	if (c == -1 || is_in(" \t\r\n{}=,#", c))
		return true;
	if (lx->line != first)
		config_lex_complain(lx, t->scalar.place,
		    "the text opened here is closed on line %u with text directly after it; is a "
		    "%c missing?",
		    lx->line, quote);
	else
		config_lex_complain(lx, place_of(lx, lx->pos),
		    "text directly after the closing %c; expected a blank%s", quote,
		    quote == '\'' ? ", and \\' for an apostrophe inside '...'" : "");
	return false;
}

static void
go_back(struct config_lexer *lx, const struct config_token *t)
{
	lx->pos = t->start;
	lx->line = t->scalar.place.line;
	lx->line_start = t->start + 1 - t->scalar.place.column;
}

/* To the end of the line on which a text was opened: the next line may belong to somebody else. */
static void
leave_line(struct config_lexer *lx, const struct config_token *t)
{
	const char *end;

	go_back(lx, t);
	end = memchr(lx->bytes + lx->pos, '\n', lx->len - lx->pos);
	lx->pos = end != NULL ? (size_t)(end - lx->bytes) : lx->len;
}

static void
lex_text(struct config_lexer *lx, struct config_token *t)
{
	struct config_scalar *s = &t->scalar;
	char quote = lx->bytes[lx->pos++];
	bool good = true;
	int c;

	s->spelling = quote == '\'' ? SPELT_RAW : SPELT_QUOTED;
	s->start = lx->pos;
	s->plain = true;
	while ((c = byte_at(lx, lx->pos)) != quote) {
		/* Nearly every byte is one of these. */
		if (c >= 0x20 && c < 0x7f && c != '\\' && c != '$') {
			lx->pos++;
			continue;
		}
		if (c == -1 || (c == '\n' && quote == '"')) {
			config_lex_complain(lx, s->place,
			    "the %c here is not closed%s; expected %c", quote,
			    c == -1 ? "" : " on its line", quote);
			leave_line(lx, t);
			return;
		}
		good = check_unit(lx, s, !good) && good;
	}
	s->end = lx->pos++;
	if (good && s->end - s->start > MAX_CONFIG_VALUE) {
		config_lex_complain(lx, s->place, "the text has %zu bytes; expected at most %u",
		    s->end - s->start, MAX_CONFIG_VALUE);
		good = false;
	}
	if (good && !check_text_end(lx, t, quote)) {
		good = false;
		if (lx->line != s->place.line)
			leave_line(lx, t);
		else
			skip_junk(lx);
	}
	t->kind = good ? TOKEN_TEXT : TOKEN_BAD;
}

static void
lex_word(struct config_lexer *lx, struct config_token *t)
{
	struct config_scalar *s = &t->scalar;
	int c;

	s->start = lx->pos;
	while (is_name_byte(c = byte_at(lx, lx->pos), "._:/@+-"))
		lx->pos++;
	s->end = lx->pos;
	t->kind = TOKEN_WORD;
	if ((c == -1 || is_in(" \t\r\n{}=,", c)) && s->end > s->start &&
	    s->end - s->start <= MAX_CONFIG_VALUE)
		return;
	t->kind = TOKEN_BAD;
	if (check_char(lx, lx->pos, false) > 0) {
		uint32_t cp;
		int n = (int)utf8_decode(lx->bytes + lx->pos, lx->len - lx->pos, &cp);

		if (c == '#')
			config_lex_complain(lx, place_of(lx, lx->pos),
			    "'#' directly after a word; expected a blank before a comment, or the "
			    "value in quotes");
		else
			config_lex_complain(lx, place_of(lx, lx->pos),
			    "'%.*s' may not stand in a bare word; expected the value in quotes", n,
			    lx->bytes + lx->pos);
	}
	skip_junk(lx);
}

void
config_lex(struct config_lexer *lx, struct config_token *t)
{
	int c;

	skip_blanks(lx);
	c = byte_at(lx, lx->pos);
	*t = (struct config_token){ .kind = TOKEN_BAD, .start = lx->pos };
	t->scalar.place = place_of(lx, lx->pos);
	if (c == -1) {
		t->kind = TOKEN_END;
	} else if (is_in("{}=,", c)) {
		t->kind = TOKEN_PUNCT;
		t->punct = (char)c;
		lx->pos++;
	} else if (c == '"' || c == '\'') {
		lex_text(lx, t);
	} else {
		lex_word(lx, t);
	}
	t->next = lx->pos;
}

void
config_lex_skip(struct config_lexer *lx, const struct config_token *from)
{
	size_t nested = 0;

	/* Behind a broken token the lexer knows best. */
	if (from->kind != TOKEN_BAD)
		go_back(lx, from);
	for (; lx->pos < lx->len && lx->bytes[lx->pos] != '\n'; lx->pos++) {
		char c = lx->bytes[lx->pos];

		if (c == '#') {
			skip_comment(lx);
			return;
		}
		if (c == '}' && nested-- == 0)
			return;
		if (c == '{')
			nested++;
	}
}

void
config_scalar_decode(struct strbuf *out, const char *bytes, const struct config_scalar *s)
{
	struct unit u;

	for (size_t i = s->start; i < s->end; i += u.taken) {
		read_unit(s->spelling, bytes + i, s->end - i, &u);
		if (u.text != NULL)
			strbuf_addn(out, u.text, u.len);
	}
}

struct config_place
config_scalar_place(const char *bytes, const struct config_scalar *s, size_t offset)
{
	struct config_place place = s->place;
	struct unit u;

	if (s->spelling != SPELT_BARE)
		place.column++;
	for (size_t i = s->start; i < s->end; i += u.taken) {
		read_unit(s->spelling, bytes + i, s->end - i, &u);
		if (u.len > offset)
			break;
		offset -= u.len;
		place.column += (uint32_t)u.taken;
		if (bytes[i] == '\n') {
			place.line++;
			place.column = 1;
		}
	}
	return place;
}
