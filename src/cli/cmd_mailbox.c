/* digest mailbox: what came back, and what was made of it. */
#include "cli.h"
#include "digest/date.h"
#include "digest/limits.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum {
	DAY_SECONDS = 86400,
	ADDRESS_COLUMNS = 30,
	POINTS_COLUMNS = 12,
	TIME_COLUMNS = 25,
	WIDE_COLUMNS = 64, /* a screen with room for a text beside a time */
	LABEL_COLUMNS = 12
};

/* ---- reading it ---- */

static int
read_mailbox(struct cli *cli, struct error *err)
{
	const bool from_stdin = cli->opt.from_stdin;
	struct store_sync_counts counts;
	struct run_inbox inbox = { 0 };
	struct strbuf lines;
	int rc;

	cli->log.short_addresses = !cli->opt.verbose;
	if (cli_open(cli, CLI_WRITE, err) == -1)
		return -1;
	if (!from_stdin && !run_has_inbox(cli->run))
		return err_set(err, ERR_CONFIG,
		    "%s: no mailbox to read; expected mailbox { maildir = \"...\" } or { url = "
		    "\"imaps://...\" }, or --stdin",
		    cli->run->cfg->path);
	if (run_sync_readers(cli->run, false, &counts, err) == -1)
		return -1;
	rc = run_read_inbox(cli->run, from_stdin, &inbox, err);
	if (rc == 0 && inbox.trouble[0] != '\0')
		log_warn(&cli->log, "%s", inbox.trouble);
	if (rc == -1 && inbox.nread == 0)
		return -1;
	if (cli->opt.json)
		cli_put_json(run_inbox_value(&inbox, &cli->arena));
	if (cli->opt.json || cli->opt.quiet || from_stdin)
		return rc;
	strbuf_init(&lines, MAX_HEADER_BYTES);
	run_inbox_add_lines(&inbox, &lines);
	term_put(lines.buf);
	strbuf_release(&lines);
	return rc;
}

/* Whoever delivers a mail to us by a pipe returns it to its sender, or drops it, at any other code. */
static int
take_mail(struct cli *cli, struct error *err)
{
	int rc;

	if (cli->nargs > 0)
		return err_set(err, ERR_USAGE, "usage: digest mailbox --stdin");
	rc = read_mailbox(cli, err);
	if (rc == -1 && err->kind != ERR_USAGE)
		err->kind = ERR_TEMP;
	return rc;
}

/* ---- scores ---- */

static const char reason_label[] = "  ";

struct listing {
	struct cli *cli;
	size_t n;
	struct arena scratch;
};

static struct value *
score_value(const struct run_score *s, struct arena *a)
{
	struct value *v = value_object(a), *reasons = value_list(a);

	value_set_string(a, v, "address", s->address);
	value_set_string(a, v, "points", arena_printf(a, "%g", s->points));
	value_set_number(a, v, "expires", s->expires_utc);
	value_set_string(a, v, "next", s->next);
	for (size_t i = 0; i < s->nreasons; i++)
		value_append(a, reasons, run_returned_value(&s->reasons[i], a));
	value_set(a, v, "reasons", reasons);
	return v;
}

/* A text with a head, "next" or a time: beside it, or on a narrow screen before it. */
static void
put_headed(const struct cli *cli, const char *label, const char *head, const char *text)
{
	const bool narrow = cli->term.out_tty && cli->term.width < WIDE_COLUMNS;
	struct strbuf line;

	strbuf_init(&line, MAX_HEADER_BYTES);
	if (narrow)
		strbuf_add_all(&line, head, ": ", NULL);
	strbuf_add(&line, text);
	fputs(label, stdout);
	if (!narrow)
		term_put_cell(head, TIME_COLUMNS);
	term_put_filled(&cli->term, line.buf, strlen(label) + (narrow ? 0 : TIME_COLUMNS));
	putchar('\n');
	strbuf_release(&line);
}

void
returned_put(const struct cli *cli, const struct run_returned *r, const char *label)
{
	/* Most replies begin with it. */
	const char *status = strstr(r->reply, r->status) == NULL ? r->status : "";
	struct strbuf line;
	char wall[64];

	run_format_wall(cli->run, "", r->at_utc, wall, sizeof(wall));
	strbuf_init(&line, MAX_HEADER_BYTES);
	strbuf_add(&line, r->kind);
	if (r->period[0] != '\0')
		strbuf_add_all(&line, " of ", r->period, NULL);
	strbuf_add_all(&line, ": ", r->decided, NULL);
	if (r->status[0] != '\0' || r->reply[0] != '\0')
		strbuf_add_all(&line, " (", status,
		    status[0] != '\0' && r->reply[0] != '\0' ? " " : "", r->reply, ")", NULL);
	put_headed(cli, label, wall, line.buf);
	strbuf_release(&line);
}

static int
put_score(void *arg, const struct run_score *s)
{
	static const struct term_column columns[] = { { "address", ADDRESS_COLUMNS },
		{ "points", POINTS_COLUMNS }, { "until", 0 } };
	struct listing *l = arg;
	char points[32], day[DATE_RFC3339_SIZE] = "-";

	if (l->cli->opt.json) {
		arena_reset(&l->scratch);
		cli_put_json(score_value(s, &l->scratch));
		return 0;
	}
	if (l->n++ == 0)
		term_put_heads(&l->cli->term, columns, sizeof(columns) / sizeof(columns[0]));
	snprintf(points, sizeof(points), "%g of 2", s->points);
	if (s->expires_utc != 0)
		date_format_day((int32_t)(s->expires_utc / DAY_SECONDS), day);
	term_put_row(&l->cli->term, columns, sizeof(columns) / sizeof(columns[0]),
	    (const char *const[]){ s->address, points, day });
	put_headed(l->cli, reason_label, "next", s->next);
	for (size_t i = 0; i < s->nreasons; i++)
		returned_put(l->cli, &s->reasons[i], reason_label);
	return 0;
}

static int
list_scores(struct cli *cli, struct error *err)
{
	struct listing l = { .cli = cli };
	int rc;

	if (cli_open(cli, CLI_OVERLAY, err) == -1)
		return -1;
	arena_init(&l.scratch, MAX_READER_BYTES);
	rc = run_each_score(cli->run, cli->nargs > 1 ? cli->args[1] : NULL, put_score, &l, err);
	arena_release(&l.scratch);
	if (rc == 0 && l.n == 0 && !cli->opt.json)
		printf("nothing came back\n");
	return rc;
}

/* ---- a person's word ---- */

static int
thaw(struct cli *cli, struct error *err)
{
	struct run_inbox inbox;
	size_t n;

	if (cli->nargs > 1)
		return err_set(err, ERR_USAGE, "usage: digest mailbox thaw [--forget]");
	if (cli_open(cli, CLI_WRITE, err) == -1 ||
	    run_thaw(cli->run, cli->opt.forget, &n, &inbox, err) == -1)
		return -1;
	if (cli->opt.json)
		cli_put_json(run_inbox_value(&inbox, &cli->arena));
	if (cli->opt.json || cli->opt.quiet)
		return EXIT_OK;
	printf("%zu bounce%s %s\n", n, n == 1 ? "" : "s",
	    cli->opt.forget ? "will never count" : "that waited counted");
	if (inbox.counts[INBOX_SUPPRESSED] > 0)
		printf("%zu not mailed any more\n", inbox.counts[INBOX_SUPPRESSED]);
	return EXIT_OK;
}

/* ---- one mail ---- */

static const char *
member(const struct value *v, const char *name)
{
	return value_text(value_member(v, name, strlen(name)));
}

static void
put_line(const struct cli *cli, const char *label, const char *text)
{
	if (text[0] == '\0')
		return;
	term_put_cell(label, LABEL_COLUMNS);
	term_put_filled(&cli->term, text, LABEL_COLUMNS);
	putchar('\n');
}

/* "ada@example.org: bounce, temporary, mailboxfull: 550 5.2.2 mailbox full" */
static void
add_recipient(struct strbuf *out, const struct value *v)
{
	const char *address = member(v, "address"), *original = member(v, "original");
	const char *fate = member(v, "fate"), *class = member(v, "class");
	const char *reason = member(v, "reason"), *said = member(v, "diagnostic");

	if (address[0] == '\0')
		address = original[0] != '\0' ? original : "somebody";
	strbuf_add(out, address);
	if (original[0] != '\0' && strcasecmp(address, original) != 0)
		strbuf_add_all(out, " (for ", original, ")", NULL);
	strbuf_add_all(out, ": ", fate, NULL);
	if (strcmp(class, "none") != 0)
		strbuf_add_all(out, ", ", class, NULL);
	if (strcmp(reason, fate) != 0)
		strbuf_add_all(out, ", ", reason, NULL);
	if (strstr(said, member(v, "status")) == NULL)
		strbuf_add_all(out, ", ", member(v, "status"), NULL);
	if (said[0] != '\0')
		strbuf_add_all(out, ": ", said, NULL);
}

/* "delivered-to: bounce+...@example.org, a valid token: bounce" */
static void
add_candidate(struct strbuf *out, const struct value *v)
{
	strbuf_add_all(out, member(v, "place"), ": ", member(v, "text"), NULL);
	if (member(v, "token")[0] != '\0')
		strbuf_add_all(out, ", a valid token: ", member(v, "token"), NULL);
}

static void
put_list(const struct cli *cli, const char *label, const struct value *list,
    void (*add)(struct strbuf *out, const struct value *v))
{
	struct strbuf line;

	strbuf_init(&line, MAX_HEADER_BYTES);
	for (size_t i = 0; i < value_count(list); i++) {
		strbuf_reset(&line);
		add(&line, value_item(list, i));
		put_line(cli, label, line.buf);
	}
	strbuf_release(&line);
}

static void
put_flags(const struct cli *cli, const struct value *flags)
{
	struct strbuf line;

	strbuf_init(&line, MAX_HEADER_BYTES);
	for (size_t i = 0; i < value_count(flags); i++)
		strbuf_add_all(&line, i > 0 ? ", " : "", value_text(value_item(flags, i)), NULL);
	put_line(cli, "marks", line.buf);
	strbuf_release(&line);
}

static void
put_mail(const struct cli *cli, const struct value *v)
{
	const char *verb = member(v, "verb");

	put_line(cli, "kind", member(v, "kind"));
	put_line(cli, "asks to", strcmp(verb, "nothing") == 0 ? "" : verb);
	put_line(cli, "why", member(v, "why"));
	put_line(cli, "from", member(v, "from"));
	put_line(cli, "subject", member(v, "subject"));
	put_flags(cli, value_member(v, "flags", 5));
	put_list(cli, "recipient", value_member(v, "recipients", 10), add_recipient);
	put_list(cli, "candidate", value_member(v, "candidates", 10), add_candidate);
	put_line(cli, "would", member(v, "would"));
}

static int
explain(struct cli *cli, struct error *err)
{
	struct value *v;

	if (cli->nargs > 0 || cli->opt.from_stdin)
		return err_set(err, ERR_USAGE, "usage: digest mailbox --explain FILE");
	if (cli_open(cli, CLI_OVERLAY, err) == -1 ||
	    run_explain_mail(cli->run, cli->opt.explain, &cli->arena, &v, err) == -1)
		return -1;
	if (cli->opt.json)
		cli_put_json(v);
	else
		put_mail(cli, v);
	return EXIT_OK;
}

int
cmd_mailbox(struct cli *cli, struct error *err)
{
	const char *name = cli->nargs > 0 ? cli->args[0] : "";

	if (cli->opt.forget && strcmp(name, "thaw") != 0)
		return err_set(err, ERR_USAGE, "--forget belongs to 'digest mailbox thaw'");
	if (cli->opt.explain != NULL)
		return explain(cli, err);
	if (cli->opt.from_stdin)
		return take_mail(cli, err);
	if (strcmp(name, "scores") == 0)
		return list_scores(cli, err);
	if (strcmp(name, "thaw") == 0)
		return thaw(cli, err);
	if (name[0] != '\0')
		return err_set(
		    err, ERR_USAGE, "mailbox: '%s'; expected scores, thaw, or nothing", name);
	return read_mailbox(cli, err);
}
