/* A text digest on the screen: titles and links set off, and lines filled anew where the screen is narrower than they
 * are. The text itself is that of the mail. */
#include "cli.h"
#include "digest/limits.h"
#include "digest/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
	MAIL_WIDTH = 72,
	MARK_ROOM = 4, /* columns left free where found words may be marked */
	MAX_INDENT = 24,
};

/* Lines of the text that are one when it is filled. */
struct block {
	const char *from; /* the first byte behind what begins it */
	const char *line; /* the first byte of its first line */
	size_t len;	  /* from there, without the last newline */
	size_t hang;	  /* columns of what begins it: blanks, "- ", "12. " */
	bool numbered;
	const struct screen_title *title; /* NULL = none */
};

struct screen {
	const struct term *term;
	const struct screen_title *titles; /* those that are still to come */
	size_t ntitles;
	struct strbuf joined, filled; /* scratch */
};

static size_t
line_len(const char *line)
{
	return strcspn(line, "\n");
}

/* http, https or mailto at the beginning of a word: the length of the address, without the full stop or the bracket of
 * the sentence around it; 0 = none. */
static size_t
address_len(const char *word)
{
	static const char *const schemes[] = { "http://", "https://", "mailto:" };
	size_t scheme = 0, n;
	int depth = 0; /* of brackets */

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]) && scheme == 0; i++)
		if (strncmp(word, schemes[i], strlen(schemes[i])) == 0)
			scheme = strlen(schemes[i]);
	if (scheme == 0)
		return 0;
	for (n = scheme; word[n] > ' ' && word[n] < 0x7f; n++)
		depth += (word[n] == '(') - (word[n] == ')');
	for (; n > scheme; n--) {
		if (word[n - 1] == ')' && depth < 0)
			depth++;
		else if (strchr(".,;:!?'\"", word[n - 1]) == NULL)
			break;
	}
	return n > scheme ? n : 0;
}

/* ---- the blocks of a text ---- */

/* What a line begins with, as it is filled in a mail. */
static void
read_prefix(struct block *b)
{
	size_t blanks = strspn(b->line, " "), digits = strspn(b->line + blanks, "0123456789");

	b->hang = blanks;
	if (strncmp(b->line + blanks, "- ", 2) == 0 || strncmp(b->line + blanks, "* ", 2) == 0)
		b->hang += 2;
	b->numbered = digits > 0 && digits < 8 && strncmp(b->line + blanks + digits, ". ", 2) == 0;
	if (b->numbered)
		b->hang += digits + 2;
	if (b->hang > MAX_INDENT)
		b->hang = 0;
	b->from = b->line + b->hang;
}

/* Whether the next line goes on with the words of this one, because its first word had no room any more; an address
 * stands alone. */
static bool
goes_on(const struct block *b, const char *line, size_t len, const char *next)
{
	size_t blanks = strspn(next, " "), word = strcspn(next + blanks, " \n"), last = len;

	if (blanks != b->hang || word == 0 || address_len(next + blanks) > 0 ||
	    strspn(line, "-") == len)
		return false;
	while (last > 0 && line[last - 1] != ' ')
		last--;
	return address_len(line + last) == 0 &&
	    text_width(line, len) + 1 + text_width(next + blanks, word) > MAIL_WIDTH - MARK_ROOM;
}

/* How long the block is when it is the title, whose blanks may be anything; 0 = it is not. */
static size_t
match_title(const struct block *b, const char *title)
{
	const char *at = b->from;

	for (; *title != '\0'; title++) {
		if (isspace((unsigned char)*title))
			continue;
		at += strspn(at, " \n");
		if (*at++ != *title)
			return 0;
	}
	return *at == '\n' || *at == '\0' ? (size_t)(at - b->line) : 0;
}

/* The block that begins at line. */
static struct block
read_block(struct screen *s, const char *line)
{
	struct block b = { .line = line };
	size_t len = line_len(line);

	read_prefix(&b);
	for (size_t i = 0; b.numbered && i < s->ntitles; i++) {
		b.len = match_title(&b, s->titles[i].title);
		if (b.len > 0) {
			b.title = &s->titles[i];
			s->titles += i + 1;
			s->ntitles -= i + 1;
			return b;
		}
	}
	b.len = len;
	while (line[len] == '\n' && len > 0 && goes_on(&b, line, len, line + len + 1)) {
		line += len + 1;
		len = line_len(line);
		b.len = (size_t)(line + len - b.line);
	}
	return b;
}

/* ---- writing ---- */

/* Begin a link, or end it with NULL (OSC 8). Of an address only what is printable ASCII gets to the terminal. */
static void
put_link(const struct screen *s, const char *url, size_t len)
{
	if (!s->term->links)
		return;
	printf("\033]8;;%.*s\033\\", (int)(url != NULL ? len : 0), url != NULL ? url : "");
}

/* One line as it stands, with its addresses as links. */
static void
put_line(const struct screen *s, const char *line, size_t len)
{
	const char *end = line + len;

	while (line < end) {
		size_t n = address_len(line);

		if (n > (size_t)(end - line))
			n = (size_t)(end - line);
		if (n > 0) {
			put_link(s, line, n);
			fputs(term_dim(s->term), stdout);
			term_putn(line, n);
			fputs(term_reset(s->term), stdout);
			put_link(s, NULL, 0);
		} else {
			n = strcspn(line, " (<[") + 1;
			if (n > (size_t)(end - line))
				n = (size_t)(end - line);
			term_putn(line, n);
		}
		line += n;
	}
}

/* The words of a title, one link and bold; blanks before them stay outside. */
static void
put_title(const struct screen *s, const char *line, size_t len, const struct screen_title *title)
{
	size_t url = address_len(title->url), n = 0;

	while (n < len && line[n] == ' ')
		n++;
	term_putn(line, n);
	if (url > 0 && title->url[url] == '\0')
		put_link(s, title->url, url);
	fputs(term_bold(s->term), stdout);
	term_putn(line + n, len - n);
	fputs(term_reset(s->term), stdout);
	if (url > 0 && title->url[url] == '\0')
		put_link(s, NULL, 0);
}

static void
put_styled(const struct screen *s, const struct block *b, const char *line, size_t len)
{
	const char *style = "";

	if (b->title != NULL) {
		put_title(s, line, len, b->title);
		return;
	}
	if (strncmp(b->line, "== ", 3) == 0)
		style = term_accent(s->term);
	else if (strncmp(b->line, "* ", 2) == 0)
		style = term_warn(s->term);
	fputs(style, stdout);
	put_line(s, line, len);
	fputs(style[0] != '\0' ? term_reset(s->term) : "", stdout);
}

static void
put_lines(const struct screen *s, const struct block *b, const char *text, size_t len)
{
	const char *end = text + len;

	for (;;) {
		size_t n = line_len(text);

		n = n < (size_t)(end - text) ? n : (size_t)(end - text);
		put_styled(s, b, text, n);
		text += n;
		if (text == end)
			return;
		putchar('\n');
		text++;
	}
}

static bool
is_wide(const char *text, size_t len)
{
	return (unsigned char)text[0] >= 0x80 && text_width(text, len) == 2;
}

/* Whether two ideographs meet here, between which there was no blank. */
static bool
joins_ideographs(const struct strbuf *out, const char *next)
{
	size_t before = out->len, after = 1;

	while (before > 0 && ((unsigned char)out->buf[--before] & 0xc0) == 0x80)
		;
	while (((unsigned char)next[after] & 0xc0) == 0x80)
		after++;
	return out->len > 0 && is_wide(out->buf + before, out->len - before) &&
	    is_wide(next, after);
}

/* Whether the line is the first part of a word that is wider than a line. */
static bool
is_broken_word(const char *line, size_t len)
{
	size_t blanks = strspn(line, " ");

	return blanks < len && memchr(line + blanks, ' ', len - blanks) == NULL &&
	    text_width(line, len) == MAIL_WIDTH;
}

/* The words of a block on one line. */
static void
join_lines(struct strbuf *out, const struct block *b)
{
	const char *line = b->line, *at = b->from, *end = b->line + b->len;

	strbuf_reset(out);
	for (;;) {
		const char *next = at + line_len(at);

		strbuf_addn(out, at, (size_t)(next - at));
		if (next >= end)
			return;
		at = next + 1 + strspn(next + 1, " ");
		if (!joins_ideographs(out, at) && !is_broken_word(line, (size_t)(next - line)))
			strbuf_addc(out, ' ');
		line = next + 1;
	}
}

/* A block in lines of the screen's width. */
static void
put_narrow(struct screen *s, const struct block *b)
{
	size_t width = (size_t)s->term->width, hang = b->hang < width / 4 ? b->hang : width / 4;
	size_t rule = strspn(b->line, "-");
	char indent[MAX_INDENT + 1];
	const char *prefix = b->line;
	size_t nprefix = b->hang;

	if (b->len > 0 && rule == b->len) {
		term_putn(b->line, rule < width ? rule : width);
		return;
	}
	/* Of the blanks before a number there may be fewer than in the mail. */
	for (; nprefix > hang && *prefix == ' '; nprefix--)
		prefix++;
	memset(indent, ' ', nprefix);
	indent[nprefix] = '\0';
	join_lines(&s->joined, b);
	strbuf_reset(&s->filled);
	if (s->joined.len > 0)
		text_add_wrapped(&s->filled, s->joined.buf, s->joined.len, indent, width);
	if (s->filled.state != STRBUF_OK || s->filled.len < nprefix) {
		put_lines(s, b, b->line, b->len);
		return;
	}
	memcpy(s->filled.buf, prefix, nprefix);
	put_lines(s, b, s->filled.buf, s->filled.len);
}

void
screen_put_digest(
    const struct term *term, const char *text, const struct screen_title *titles, size_t ntitles)
{
	struct screen s = { .term = term, .titles = titles, .ntitles = ntitles };

	strbuf_init(&s.joined, MAX_TEXT_BYTES);
	strbuf_init(&s.filled, 4 * MAX_TEXT_BYTES);
	while (*text != '\0') {
		struct block b = read_block(&s, text);

		if (term->width < MAIL_WIDTH)
			put_narrow(&s, &b);
		else
			put_lines(&s, &b, b.line, b.len);
		text = b.line + b.len;
		if (*text == '\n') {
			putchar('\n');
			text++;
		}
	}
	strbuf_release(&s.joined);
	strbuf_release(&s.filled);
}
