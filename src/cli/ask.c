/* Questions on the terminal: one line each, with a proposal, and without an echo where it is a secret. */
#include "cli.h"
#include "digest/limits.h"
#include "digest/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { MAX_WIDTH = 78 };

bool
ask_is_possible(const struct cli *cli)
{
	return cli->term.err_tty && isatty(STDIN_FILENO) != 0;
}

void
ask_tell(const struct cli *cli, const char *fmt, ...)
{
	size_t width = cli->term.width < MAX_WIDTH ? (size_t)cli->term.width : MAX_WIDTH;
	struct strbuf text, wrapped;
	size_t at = 0;
	va_list ap;

	strbuf_init(&text, MAX_QUERY_BYTES + 4096);
	strbuf_init(&wrapped, 4 * MAX_QUERY_BYTES + 4096);
	va_start(ap, fmt);
	strbuf_vaddf(&text, fmt, ap);
	va_end(ap);
	/* What begins behind an empty line keeps it. */
	while (at < text.len && text.buf[at] == '\n')
		at++;
	text_add_wrapped(&wrapped, text.buf + at, text.len - at, "", width);
	fprintf(stderr, "%s%s\n", at > 0 ? "\n" : "", wrapped.buf);
	strbuf_release(&text);
	strbuf_release(&wrapped);
}

/* Bytes up to the end of a line, which is read and left out. 1, or 0 = the input ended or a signal came. */
static int
read_line(const struct cli *cli, struct strbuf *out)
{
	for (;;) {
		char c;
		ssize_t n = read(STDIN_FILENO, &c, 1);

		if (*cli->stop != 0 || n == 0 || (n == -1 && errno != EINTR))
			return 0;
		if (n == 1 && c == '\n')
			return 1;
		if (n == 1)
			strbuf_addc(out, c);
	}
}

/* A signal by the keyboard, too, would leave the terminal without its echo. */
static bool
hide_input(struct termios *before)
{
	struct termios quiet;

	if (tcgetattr(STDIN_FILENO, before) == -1)
		return false;
	quiet = *before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet.c_lflag |= ECHONL;
	quiet.c_cc[VQUIT] = quiet.c_cc[VSUSP] = _POSIX_VDISABLE;
	return tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
}

static void
put_question(const struct cli *cli, const char *question, const char *proposal)
{
	char safe[1024];

	fflush(stdout);
	fputs(term_bold(&cli->term), stderr);
	fputs(question, stderr);
	fputs(term_reset(&cli->term), stderr);
	if (proposal != NULL && proposal[0] != '\0') {
		err_printable(safe, sizeof(safe), proposal);
		fprintf(stderr, " [%s]", safe);
	}
	fputs(": ", stderr);
	fflush(stderr);
}

int
ask_line(const struct cli *cli, const char *question, const char *proposal, bool hidden,
    struct strbuf *out, struct error *err)
{
	struct termios before;
	bool is_hidden = false;
	int rc;

	strbuf_reset(out);
	put_question(cli, question, proposal);
	if (hidden)
		is_hidden = hide_input(&before);
	rc = read_line(cli, out);
	if (is_hidden)
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	if (rc == 0) {
		fputc('\n', stderr);
		return *cli->stop != 0 ? err_set(err, ERR_TEMP, "stopped")
				       : err_set(err, ERR_USAGE, "the input has ended");
	}
	if (out->len == 0 && proposal != NULL)
		strbuf_add(out, proposal);
	return strbuf_check(out, err);
}

int
ask_choice(const struct cli *cli, const char *question, const char *const *words, size_t *out,
    struct error *err)
{
	struct strbuf line;
	int rc;

	strbuf_init(&line, MAX_QUERY_BYTES);
	for (;;) {
		if ((rc = ask_line(cli, question, words[0], false, &line, err)) == -1)
			break;
		for (*out = 0; words[*out] != NULL; (*out)++)
			if (tolower((unsigned char)line.buf[0]) == words[*out][0])
				break;
		if (words[*out] != NULL)
			break;
	}
	strbuf_release(&line);
	return rc;
}
