#include "cli.h"
#include "digest/clock.h"
#include "digest/limits.h"
#include "digest/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum {
	DEFAULT_WIDTH = 80,
	MIN_WIDTH = 20,
	MAX_CELL = 4096,
	PROGRESS_RATE_MS = 1000, /* a rate of less time says nothing */
};

/* By the variables of setlocale(3), the first that is set; we never call it, so that numbers stay ours. */
static bool
is_utf8_locale(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value != NULL && value[0] != '\0')
			return strcasestr(value, "utf-8") != NULL ||
			    strcasestr(value, "utf8") != NULL;
	}
	return false;
}

/* Terminals that write out the links they do not know, as far as TERM tells; all others pass over them. */
static bool
shows_unknown_links(const char *name)
{
	static const char *const names[] = { "linux", "vt", "cons", "eterm", "ansi" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(name, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

void
term_init(struct term *term, const char *color_when)
{
	const char *name = getenv("TERM"), *no_color = getenv("NO_COLOR");
	bool dumb = name == NULL || name[0] == '\0' || strcmp(name, "dumb") == 0;
	struct winsize size;

	term->out_tty = isatty(STDOUT_FILENO);
	term->err_tty = isatty(STDERR_FILENO);
	term->color = term->out_tty && !dumb && (no_color == NULL || no_color[0] == '\0');
	if (color_when != NULL && strcmp(color_when, "always") == 0)
		term->color = true;
	if (color_when != NULL && strcmp(color_when, "never") == 0)
		term->color = false;
	/* Who wants no colours wants no other sequences. In a file links would only be in the way. */
	term->links = term->color && term->out_tty && !dumb && !shows_unknown_links(name);
	term->utf8 = is_utf8_locale();
	term->width = DEFAULT_WIDTH;
	if (term->out_tty && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		term->width = size.ws_col < MIN_WIDTH ? MIN_WIDTH : size.ws_col;
}

/* One character: n of at most most. */
static const char *
find_bar(const struct term *term, size_t n, size_t most)
{
	static const char *const bars[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	static const char *const digits[] = { "1", "2", "3", "4", "5", "6", "7", "8", "9" };
	const size_t nbars = sizeof(bars) / sizeof(bars[0]);
	const size_t ndigits = sizeof(digits) / sizeof(digits[0]);

	if (n == 0)
		return term->utf8 ? "·" : ".";
	if (term->utf8)
		return bars[(n * nbars - 1) / most];
	return digits[most <= ndigits ? n - 1 : (n * ndigits - 1) / most];
}

const char *
term_dots(const struct term *term)
{
	return term->utf8 ? "…" : "...";
}

const char *
term_between(const struct term *term)
{
	return term->utf8 ? " · " : ", ";
}

const char *
term_bold(const struct term *term)
{
	return term->color ? "\033[1m" : "";
}

const char *
term_dim(const struct term *term)
{
	return term->color ? "\033[2m" : "";
}

const char *
term_accent(const struct term *term)
{
	return term->color ? "\033[36m" : "";
}

const char *
term_warn(const struct term *term)
{
	return term->color ? "\033[33m" : "";
}

const char *
term_added(const struct term *term)
{
	return term->color ? "\033[32m" : "";
}

const char *
term_removed(const struct term *term)
{
	return term->color ? "\033[31m" : "";
}

const char *
term_reset(const struct term *term)
{
	return term->color ? "\033[0m" : "";
}

/* len bytes without a newline, in pieces that end with a character; tabs stay as they are. */
static void
put_line(const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		char part[MAX_CELL / 4], safe[MAX_CELL];
		const char *tab = memchr(text, '\t', (size_t)(end - text));
		size_t run = (size_t)((tab != NULL ? tab : end) - text);
		size_t take = text_cut(text, run, sizeof(part) - 1, SIZE_MAX);

		if (take == 0 && run > 0)
			take = 1;
		memcpy(part, text, take);
		part[take] = '\0';
		err_printable(safe, sizeof(safe), part);
		fputs(safe, stdout);
		text += take;
		if (text == tab)
			putchar(*text++);
	}
}

void
term_putn(const char *text, size_t len)
{
	const char *end = text + len, *newline;

	while ((newline = memchr(text, '\n', (size_t)(end - text))) != NULL) {
		put_line(text, (size_t)(newline - text));
		putchar('\n');
		text = newline + 1;
	}
	put_line(text, (size_t)(end - text));
}

void
term_put(const char *text)
{
	term_putn(text, strlen(text));
}

void
term_put_cell(const char *text, size_t columns)
{
	char safe[MAX_CELL];
	size_t len, width;

	err_printable(safe, sizeof(safe), text);
	len = strlen(safe);
	width = text_width(safe, len);
	if (width > columns && columns > 0) {
		len = text_cut(safe, len, sizeof(safe), columns - 1);
		safe[len] = '\0';
		width = text_width(safe, len) + 1;
		printf("%s%s", safe, is_utf8_locale() ? "…" : "~");
	} else {
		fputs(safe, stdout);
	}
	for (; width < columns; width++)
		putchar(' ');
}

/* ---- lines and tables as wide as the screen ---- */

enum { NARROW_INDENT = 2, MIN_TEXT = 24, MIN_LABEL = 6, MAX_LABEL = 36 };

/* Each line begins and ends the style; blanks before it stay outside. */
static void
put_styled_lines(const struct term *term, const char *style, const char *text)
{
	const char *reset = style[0] != '\0' ? term_reset(term) : "";

	for (;;) {
		size_t blanks = strspn(text, " "), len = strcspn(text, "\n");

		printf("%.*s%s", (int)blanks, text, style);
		term_putn(text + blanks, len - blanks);
		fputs(reset, stdout);
		text += len;
		if (*text == '\0')
			return;
		putchar(*text++);
	}
}

void
term_put_styled(const struct term *term, const char *style, const char *text, size_t label)
{
	size_t indent = label, width = (size_t)term->width;
	char blanks[MAX_LABEL + 1];
	struct strbuf filled;

	if (!term->out_tty) {
		put_styled_lines(term, style, text);
		return;
	}
	if (label > MAX_LABEL || (label > MIN_LABEL && label + MIN_TEXT > width)) {
		indent = NARROW_INDENT;
		printf("\n%*s", NARROW_INDENT, "");
	}
	memset(blanks, ' ', indent);
	blanks[indent] = '\0';
	strbuf_init(&filled, MAX_TEXT_BYTES);
	text_add_wrapped(&filled, text, strlen(text), blanks, width);
	put_styled_lines(term, style,
	    filled.state == STRBUF_OK && filled.len > indent ? filled.buf + indent : text);
	strbuf_release(&filled);
}

void
term_put_filled(const struct term *term, const char *text, size_t label)
{
	term_put_styled(term, "", text, label);
}

/* A terminal that has no room for a row. */
static bool
is_narrow(const struct term *term, const struct term_column *cols, size_t n)
{
	size_t columns = MIN_TEXT;

	for (size_t i = 0; i + 1 < n; i++)
		columns += cols[i].columns + 1;
	return term->out_tty && columns > (size_t)term->width;
}

void
term_put_heads(const struct term *term, const struct term_column *cols, size_t n)
{
	if (is_narrow(term, cols, n))
		return;
	fputs(term_dim(term), stdout);
	for (size_t i = 0; i + 1 < n; i++) {
		term_put_cell(cols[i].head, cols[i].columns);
		putchar(' ');
	}
	printf("%s%s\n", cols[n - 1].head, term_reset(term));
}

static void
put_narrow_row(
    const struct term *term, const struct term_column *cols, size_t n, const char *const *cells)
{
	struct strbuf rest;

	strbuf_init(&rest, MAX_TEXT_BYTES);
	term_put_styled(term, term_bold(term), cells[0], 0);
	printf("\n%*s", NARROW_INDENT, "");
	for (size_t i = 1; i < n; i++)
		if (cells[i][0] != '\0' && strcmp(cells[i], "-") != 0)
			strbuf_addf(&rest, "%s%s%s%s", rest.len > 0 ? ", " : "", cols[i].head,
			    cols[i].head[0] != '\0' ? " " : "", cells[i]);
	term_put_filled(term, rest.buf, NARROW_INDENT);
	putchar('\n');
	strbuf_release(&rest);
}

void
term_put_row(
    const struct term *term, const struct term_column *cols, size_t n, const char *const *cells)
{
	size_t columns = 0, width = (size_t)term->width;

	if (is_narrow(term, cols, n)) {
		put_narrow_row(term, cols, n, cells);
		return;
	}
	for (size_t i = 0; i + 1 < n; i++) {
		term_put_cell(cells[i], cols[i].columns);
		putchar(' ');
		columns += cols[i].columns + 1;
	}
	/* What is left of the line; off a terminal nothing is cut. */
	if (term->out_tty && columns + text_width(cells[n - 1], strlen(cells[n - 1])) > width)
		term_put_cell(cells[n - 1], width - columns);
	else
		term_put(cells[n - 1]);
	putchar('\n');
}

/* ---- charts ---- */

static size_t
sum_days(const size_t *counts, size_t n, size_t from, size_t step)
{
	size_t sum = 0;

	for (size_t i = from; i < from + step && i < n; i++)
		sum += counts[i];
	return sum;
}

static void
put_bars(const struct term *term, const size_t *counts, size_t n, size_t room)
{
	size_t step = 1, most = 0;

	while ((n + step - 1) / step > room && step < n)
		step++;
	for (size_t i = 0; i < n; i += step) {
		size_t sum = sum_days(counts, n, i, step);

		most = sum > most ? sum : most;
	}
	fputs(term_accent(term), stdout);
	for (size_t i = 0; i < n; i += step)
		fputs(find_bar(term, sum_days(counts, n, i, step), most), stdout);
	fputs(term_reset(term), stdout);
}

void
term_put_chart(const struct term *term, size_t label, const size_t *counts, size_t n,
    const char *first, const char *last, const char *tail)
{
	size_t width = (size_t)term->width, days = strlen(first) + strlen(last) + 2;
	char dates[64];

	if (term->out_tty && label + days + MIN_TEXT > width) {
		snprintf(dates, sizeof(dates), "%s to %s", first, last);
		term_put_filled(term, dates, label);
		printf("\n%*s", NARROW_INDENT, "");
		put_bars(term, counts, n, width - NARROW_INDENT);
		printf("\n%*s", NARROW_INDENT, "");
		term_put_filled(term, tail, NARROW_INDENT);
		return;
	}
	printf("%s ", first);
	put_bars(
	    term, counts, n, width > label + days + MIN_TEXT ? width - label - days : MIN_TEXT);
	printf(" %s", last);
	days += label + n;
	if (tail[0] == '\0')
		return;
	if (term->out_tty && days + 3 + text_width(tail, strlen(tail)) > width)
		printf("\n%*s", (int)label, "");
	else
		printf("   ");
	term_put(tail);
}

/* ---- the pager ---- */

FILE *
term_start_pager(struct term *term)
{
	const char *pager = getenv("PAGER");
	FILE *pipe;

	if (!term->out_tty)
		return NULL;
	/* -F leaves at once when all fits on the screen, -R passes colours. */
	setenv("LESS", "FRX", 0);
	/* The person's own command, as every pager is started. NOLINTNEXTLINE(cert-env33-c) */
	pipe = popen(pager != NULL && pager[0] != '\0' ? pager : "less", "w");
	if (pipe == NULL)
		return NULL;
	fflush(stdout);
	term->screen = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	dup2(fileno(pipe), STDOUT_FILENO);
	return pipe;
}

void
term_end_pager(struct term *term, FILE *pager)
{
	if (pager == NULL)
		return;
	fflush(stdout);
	/* Who has left the pager has seen enough. */
	clearerr(stdout);
	if (term->screen > 0) {
		dup2(term->screen, STDOUT_FILENO);
		close(term->screen);
		term->screen = 0;
	} else {
		close(STDOUT_FILENO);
	}
	pclose(pager);
}

void
term_clear_progress(void *arg)
{
	struct progress *p = arg;

	if (p->line[0] == '\0')
		return;
	p->line[0] = '\0';
	fputs("\r\033[K", stderr);
	fflush(stderr);
}

void
term_progress(void *arg, const char *what, size_t done, size_t total)
{
	struct progress *p = arg;
	int64_t now_ms = clock_monotonic_ms(), spent_ms;
	char line[sizeof(p->line)], rate[80] = "";
	double per_s;

	if (total > 0 && done >= total) {
		p->what = NULL;
		term_clear_progress(p);
		return;
	}
	if (p->what == NULL || strcmp(p->what, what) != 0) {
		p->what = what;
		p->start_ms = now_ms;
		p->start_done = done;
	}
	spent_ms = now_ms - p->start_ms;
	if (done > p->start_done && spent_ms >= PROGRESS_RATE_MS) {
		per_s = (double)(done - p->start_done) * 1000 / (double)spent_ms;
		if (total > 0)
			snprintf(rate, sizeof(rate), ", %.1f/s, %.0f s left", per_s,
			    (double)(total - done) / per_s);
		else
			snprintf(rate, sizeof(rate), ", %.1f/s", per_s);
	}
	if (total > 0)
		snprintf(line, sizeof(line), "%.60s: %zu of %zu%s", what, done, total, rate);
	else
		snprintf(line, sizeof(line), "%.60s: %zu%s", what, done, rate);
	if (strcmp(line, p->line) == 0)
		return;
	memcpy(p->line, line, sizeof(line));
	fprintf(stderr, "\r\033[K%s", line);
	fflush(stderr);
}

void
term_tell(void *arg, const char *text)
{
	term_clear_progress(arg);
	fprintf(stderr, "%s\n", text);
}

bool
term_confirm(void *arg, size_t nreaders)
{
	char answer[16];

	(void)arg;
	fprintf(
	    stderr, "This is the first run, and it may mail %zu readers. Go on? [y/N] ", nreaders);
	fflush(stderr);
	return fgets(answer, sizeof(answer), stdin) != NULL &&
	    (answer[0] == 'y' || answer[0] == 'Y');
}
