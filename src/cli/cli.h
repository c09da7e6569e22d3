/* cli.h - what the commands share: the parsed command line, the terminal, the table of commands. */
#ifndef DIGEST_CLI_H
#define DIGEST_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "digest/arena.h"
#include "digest/clock.h"
#include "digest/error.h"
#include "digest/log.h"
#include "digest/mailing.h"
#include "digest/run.h"
#include "digest/strbuf.h"

/* sysexits.h by the meaning they have here; when several apply the first of 70 74 78 75 69 wins. */
enum {
	EXIT_OK = 0,
	EXIT_USAGE = 64,
	EXIT_DATA = 65,
	EXIT_UNREACHABLE = 69,
	EXIT_BUG = 70,
	EXIT_IO = 74,
	EXIT_DEFERRED = 75,
	EXIT_CONFIG = 78,
};

/* Everything the command line may say. */
struct options {
	const char *config;
	const char **users;
	size_t nusers;
	const char *now, *log, *color, *format, *out, *since, *until, *token, *consent, *send;
	const char *name, *when, *timezone, *language;	/* of a reader */
	const char *days, *limit, *sort, *instead_of, *similar;
	const char **filters, **use;
	size_t nfilters, nuse;
	const char *address, *from, *smtp_url, *smtp_user, *password_file, *ca_file;
	const char **topics;
	size_t ntopics;
	bool quiet, verbose, json, dry_run, offline, open, force, accept_removals, all, help;
	bool version, bibtex, yes, check, adopt;
	const char *explain;	/* a mail */
	bool from_stdin, forget;
	bool debug;	/* -v twice */
};

/* One line on stderr while something long goes on. */
struct progress {
	const char *what;	/* of the work under way, NULL = none */
	int64_t start_ms;
	size_t start_done;
	char line[160];		/* as it stands on the screen, "" = there is none */
};

/* The screen, as far as there is one. */
struct term {
	bool out_tty, err_tty;
	bool color;	/* on stdout */
	bool links;	/* stdout is a terminal that may be given links (OSC 8); those that know none ignore them */
	bool utf8;	/* its characters may be more than ASCII */
	int width;	/* columns, 80 when unknown */
	int screen;	/* a descriptor of stdout while a pager has its place, else 0 */
};

struct cli {
	struct options opt;
	const struct command *command;
	struct term term;
	struct progress progress;
	struct log log;
	struct clock clock;
	struct arena arena;	/* of the process */
	struct run *run;	/* once cli_open was called */
	const volatile int *stop;
	char **args;	/* what is left after options and the command */
	int nargs;
};

/* A command's own options, as a set. */
#define OPT(letter)	(UINT64_C(1) << (letter))
enum option_id {
	OPT_DRY_RUN, OPT_OFFLINE, OPT_FORMAT, OPT_OUT, OPT_OPEN, OPT_SINCE, OPT_FORCE, OPT_FILTER, OPT_TOKEN,
	OPT_CONSENT, OPT_UNTIL, OPT_ACCEPT_REMOVALS, OPT_ALL, OPT_BIBTEX, OPT_YES, OPT_CHECK, OPT_SEND,
	OPT_DAYS, OPT_LIMIT, OPT_SORT, OPT_INSTEAD_OF, OPT_SIMILAR, OPT_ADOPT,
	OPT_STDIN, OPT_EXPLAIN, OPT_FORGET,
	OPT_NAME, OPT_WHEN, OPT_TIMEZONE, OPT_LANGUAGE, OPT_USE,
	OPT_ADDRESS, OPT_TOPIC, OPT_FROM, OPT_SMTP_URL, OPT_SMTP_USER, OPT_PASSWORD_FILE, OPT_CA_FILE,
};

struct command {
	const char *name;
	const char *group;	/* heading in the help */
	const char *args;	/* "ADDRESS", "" */
	int min_args, max_args;	/* max -1 = any number */
	uint64_t options;	/* set of option_id */
	const char *help;	/* one line */
	int (*run)(struct cli *cli, struct error *err);	/* exit code, or -1 with err */
};

extern const struct command commands[];	/* ends with a NULL name */

/* ---- options.c ---- */

struct option_info {
	enum option_id id;	/* meaningless for global ones */
	bool global;
	const char *name;
	char letter;		/* 0 = none */
	const char *arg;	/* "FILE", NULL = takes none */
	const char *help;
};
extern const struct option_info option_table[];	/* ends with a NULL name */

/* What an option does, to this command. */
const char *options_help(const struct command *command, const struct option_info *option);
/* Read argv into cli: options may stand before or after the command. Fails with ERR_USAGE. */
int	options_parse(struct cli *cli, int argc, char **argv, struct error *err);

/* ---- term.c ---- */

void	term_init(struct term *term, const char *color_when);
/* Start and end of a style on stdout; "" without colour. */
const char *term_bold(const struct term *term);
const char *term_dim(const struct term *term);
const char *term_accent(const struct term *term);
const char *term_warn(const struct term *term);
const char *term_added(const struct term *term);
const char *term_removed(const struct term *term);
const char *term_reset(const struct term *term);
/* Put text on stdout with control characters but tab and newline made harmless. */
void	term_put(const char *text);
void	term_putn(const char *text, size_t len);
/*
 * Text behind a label of so many columns, the cursor behind it: on a terminal filled to its width, with the next lines begun
 * below it; where that leaves too little room, on lines of its own. Elsewhere as it is. Without a newline.
 */
void	term_put_filled(const struct term *term, const char *text, size_t label);
/* The same in a style, as term_warn() gives it, which ends with each line. */
void	term_put_styled(const struct term *term, const char *style, const char *text, size_t label);
/* "…" and " · ", where the locale has them. */
const char *term_dots(const struct term *term);
const char *term_between(const struct term *term);

/* A column of a table; the last one takes what is left. */
struct term_column {
	const char *head;	/* "" = the cell says it */
	size_t columns;
};
/* The heads, where a row is a line. */
void	term_put_heads(const struct term *term, const struct term_column *cols, size_t n);
/* A row; on a terminal that is too narrow for it the first cell, and below it the others with their heads ("-" is left out). */
void	term_put_row(const struct term *term, const struct term_column *cols, size_t n, const char *const *cells);

/*
 * A chart of what was counted on each day, between the first and the last one, behind a label of so many columns; on a
 * screen that is too narrow the days stand on a line above. One bar is several days where there are more than fit.
 * tail		what follows on the line, gets room of its own on a narrow screen; "" = nothing
 * Where the locale has no bars they are digits.
 */
void	term_put_chart(const struct term *term, size_t label, const size_t *counts, size_t n, const char *first,
	    const char *last, const char *tail);
/* The same padded or cut to columns. */
void	term_put_cell(const char *text, size_t columns);
/*
 * The bytes from..to of a text, filled to the width of the screen, each line but the first begun by so many blanks, with
 * marked bytes in bold.
 */
void	term_put_marked(const struct term *term, const char *text, size_t from, size_t to, const struct run_mark *marks,
	    size_t nmarks, size_t indent);
/* Send what follows on stdout through $PAGER when stdout is a terminal; end with term_end_pager. */
FILE	*term_start_pager(struct term *term);
void	term_end_pager(struct term *term, FILE *pager);
/* Progress on one line of stderr: count, rate, time left. arg is a struct progress. */
void	term_progress(void *arg, const char *what, size_t done, size_t total);
/* Before anything else is written to the screen. arg is a struct progress. */
void	term_clear_progress(void *arg);
bool	term_confirm(void *arg, size_t nreaders);
void	term_tell(void *arg, const char *text);

/* ---- ask.c: questions to a person ---- */

/* There is a terminal to read answers from, and one to ask on. */
bool	ask_is_possible(const struct cli *cli);
/* A paragraph on stderr, filled to the screen. */
void	ask_tell(const struct cli *cli, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/*
 * One line, without its end; an empty one is the proposal (NULL = none; then it stays empty).
 * hidden	it is not shown while it is typed
 * out		emptied first; at most MAX_QUERY_BYTES
 * Fails with ERR_USAGE at the end of the input, ERR_TEMP when a signal came (*cli->stop).
 */
int	ask_line(const struct cli *cli, const char *question, const char *proposal, bool hidden, struct strbuf *out,
	    struct error *err);
/* One of the words by its first letter, in any case, and *out its number; an empty answer is the first. Fails as ask_line(). */
int	ask_choice(const struct cli *cli, const char *question, const char *const *words, size_t *out, struct error *err);

/* ---- browser.c ---- */

/*
 * Write a page into a private temporary file, which stays, tell its name on stderr and show it by $BROWSER (programs
 * between colons, the first that is there; "%s" = the file), else by xdg-open. Fails with ERR_IO and the cure.
 */
int	cli_open_page(struct cli *cli, const char *html, struct error *err);

/* ---- screen.c ---- */

/* A title as it stands in a text digest, behind its number, and where it leads. */
struct screen_title {
	const char *title, *url;
};

/*
 * A text digest on stdout: titles bold and links, headings and addresses set off, as far as the terminal goes; filled
 * anew when it is narrower than the lines of a mail. No control character of the text gets out.
 * titles	those of the numbered papers, in their order
 */
void	screen_put_digest(const struct term *term, const char *text, const struct screen_title *titles, size_t ntitles);

/* ---- cli.c ---- */

/* Read the configuration, and open the store unless mode is CLI_NO_STORE. */
enum cli_store { CLI_NO_STORE, CLI_READ, CLI_WRITE, CLI_OVERLAY };
int	cli_open(struct cli *cli, enum cli_store mode, struct error *err);
/* The same with the readers of the configuration as they are now: in the store, or in the overlay. */
int	cli_open_readers(struct cli *cli, enum cli_store mode, struct error *err);
int	cli_exit_of_error(const struct error *err);
/* canonical addresses of -u. */
int	cli_users(struct cli *cli, const char ***out, struct error *err);
/* A command that sends or moves state takes --now only when nothing can leave this machine. */
int	cli_check_now(struct cli *cli, struct error *err);
/* How much --days, --limit, --sort and the one -u ask for; what is not given stays as it was. Fails with ERR_USAGE. */
struct cli_reach {
	int64_t days, limit;
	enum sort_order sort;
	const char *address;	/* NULL = no -u */
};
int	cli_read_reach(struct cli *cli, int64_t max_days, struct cli_reach *out, struct error *err);
/* All arguments with a blank between them; NULL with err. */
const char *cli_join_args(struct cli *cli, struct error *err);
/* One line of JSON on stdout. */
void	cli_put_json(const struct value *v);

/* ---- cmd_mailbox.c ---- */

/* A line of what came back of one reader: when, what, what was done, what was said. */
void	returned_put(const struct cli *cli, const struct run_returned *r, const char *label);

/* ---- cmd_status.c: lines that the overview has as well ---- */

void	status_put_line(const struct cli *cli, const char *label, const char *text);
/* Configuration and store in use, and what is in them. */
void	status_put_place(const struct cli *cli, const struct run_status *s);
void	status_put_last_run(const struct cli *cli, const struct run_status *s);
void	status_put_next(const struct cli *cli, const struct run_status *s);
void	status_put_warning(const struct cli *cli, const char *text);
/* What a person must act on; nothing when all is well. */
void	status_put_faults(const struct cli *cli, const struct run_status *s);

/* What `status` and `status sources` have in common of a source. */
struct value *status_source_value(const struct run_source_status *s, struct arena *a);

/* ---- cmd_sources.c ---- */

/* Each source with its last two weeks. */
int	status_put_sources(struct cli *cli, struct error *err);

/* ---- cmd_help.c ---- */

struct help_topic {
	const char *name, *text;
};
extern const struct help_topic help_topics[];	/* ends with a NULL name */

/* ---- cmd_config.c ---- */

/* The help of a block ("smtp"), a key ("url", "smtp.url") or all (NULL). Returns how many keys there are of it. */
size_t	config_put_keys(struct cli *cli, const char *word);

/* ---- the commands ---- */

int	cmd_init(struct cli *cli, struct error *err);
int	cmd_run(struct cli *cli, struct error *err);
int	cmd_send(struct cli *cli, struct error *err);
int	cmd_fetch(struct cli *cli, struct error *err);
int	cmd_preview(struct cli *cli, struct error *err);
int	cmd_overview(struct cli *cli, struct error *err);
int	cmd_subscribe(struct cli *cli, struct error *err);
int	cmd_unsubscribe(struct cli *cli, struct error *err);
int	cmd_subscribers(struct cli *cli, struct error *err);
int	cmd_outbox(struct cli *cli, struct error *err);
int	cmd_history(struct cli *cli, struct error *err);
int	cmd_mailbox(struct cli *cli, struct error *err);
int	cmd_status(struct cli *cli, struct error *err);
int	cmd_check(struct cli *cli, struct error *err);
int	cmd_show(struct cli *cli, struct error *err);
int	cmd_search(struct cli *cli, struct error *err);
int	cmd_try(struct cli *cli, struct error *err);
int	cmd_explain(struct cli *cli, struct error *err);
int	cmd_config(struct cli *cli, struct error *err);
int	cmd_template(struct cli *cli, struct error *err);
int	cmd_import(struct cli *cli, struct error *err);
int	cmd_backup(struct cli *cli, struct error *err);
int	cmd_restore(struct cli *cli, struct error *err);
int	cmd_prune(struct cli *cli, struct error *err);
/* Every paper of the store, which is open, as a JSON line. */
int	cli_export_papers(struct cli *cli, struct error *err);
int	cmd_export(struct cli *cli, struct error *err);
int	cmd_completion(struct cli *cli, struct error *err);
int	cmd_help(struct cli *cli, struct error *err);
int	cmd_version(struct cli *cli, struct error *err);

#endif
