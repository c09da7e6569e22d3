/* digest --dry-run: the way of a real run, with an overlay for a store and this file for a sink. */
#include "cli.h"
#include "digest/date.h"
#include "digest/file.h"
#include "digest/limits.h"
#include "digest/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOW_ALL_UP_TO = 3, MAX_ROWS = 100000, MAX_SUBJECT = 2000, KB = 1024 };

enum form { FORM_TEXT, FORM_HTML, FORM_EML, FORM_JSON };

/* One line of the table: a reader with a digest, or the reason why not. */
struct row {
	const char *address, *wall, *subject, *why_not;
	size_t nshown, ncut, html_bytes;
};

/* One digest that will be shown. */
struct shown {
	char *head, *body;
	struct screen_title *titles; /* of the papers in body, in their order */
	size_t ntitles;
	struct shown *next;
};

struct preview {
	struct cli *cli;
	enum form form;
	struct render *render; /* for the context of --format json */
	struct row *rows;
	size_t nrows, nmails;
	struct shown *first, *last;
	size_t nkept;
	size_t keep; /* digests whose text is kept to be shown */
	char *page;  /* the HTML of the first digest, for --open */
	FILE *
	    aside; /* what is said around the digests: stderr, or the pager a person reads them in */
	struct arena scratch;
};

static const char *const skip_reasons[] = {
	[SKIP_NOT_DUE] = "not due",
	[SKIP_EMPTY] = "nothing matched",
	[SKIP_SOURCE] = "nothing matched so far, and a source is out of reach",
	[SKIP_PAUSED] = "paused",
	[SKIP_SUPPRESSED] = "has left, or must not be mailed",
	[SKIP_WAITING] = "an earlier digest still waits",
	[SKIP_HELD_BACK] = "block gone; see --accept-removals",
	[SKIP_BROKEN] = "has an error",
	[SKIP_NO_WAY] = "no smtp block takes this domain",
	[SKIP_REFUSING] = "the domain refuses our mail; see digest status",
};

static int
parse_form(const char *name, enum form *out, struct error *err)
{
	static const char *const names[] = { "text", "html", "eml", "json", NULL };

	*out = FORM_TEXT;
	if (name == NULL)
		return 0;
	for (int i = 0; names[i] != NULL; i++) {
		if (strcmp(names[i], name) != 0)
			continue;
		*out = (enum form)i;
		return 0;
	}
	return err_set(err, ERR_USAGE, "--format=%s; expected text, html, eml or json", name);
}

/* ---- writing files ---- */

/* A file name from an address: everything but letters, digits and "@.-_+" percent-encoded. */
static void
add_file_name(struct strbuf *out, const char *address)
{
	for (const char *s = address; *s != '\0'; s++) {
		unsigned char c = (unsigned char)*s;
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || (c == '.' && s != address) ||
		    (c != '.' && strchr("@-_+", c) != NULL);

		if (plain)
			strbuf_addc(out, *s);
		else
			strbuf_addf(out, "%%%02X", c);
	}
}

static int
write_file(const char *dir, const char *address, const char *suffix, const struct strbuf *bytes,
    struct error *err)
{
	struct strbuf path;
	int rc = -1;

	strbuf_init(&path, MAX_URL_BYTES);
	strbuf_addf(&path, "%s/", dir);
	add_file_name(&path, address);
	strbuf_add(&path, suffix);
	if (strbuf_check(&path, err) == 0)
		rc = file_write(path.buf, 0644, bytes->buf, bytes->len, err);
	strbuf_release(&path);
	return rc;
}

static int
write_files(const char *dir, const struct run_mail *mail, struct error *err)
{
	const char *address = mail->reader->sub.address;

	if (file_make_dirs(dir, 0755, err) == -1 ||
	    write_file(dir, address, ".txt", &mail->rendered->text, err) == -1 ||
	    write_file(dir, address, ".html", &mail->rendered->html, err) == -1)
		return -1;
	return write_file(dir, address, ".eml", mail->bytes, err);
}

/* ---- what a person reads around a digest ---- */

static void
add_head(struct preview *p, struct strbuf *out, const struct run_mail *mail)
{
	int64_t now_utc = clock_now_utc(&p->cli->clock);
	char wall[64], span[32], subject[MAX_SUBJECT];

	err_printable(subject, sizeof(subject), mail->rendered->subject.buf);
	run_format_wall(p->cli->run, mail->reader->sub.timezone, mail->due_utc, wall, sizeof(wall));
	run_format_span(mail->due_utc - now_utc, span, sizeof(span));
	strbuf_addf(out, "To %s   due %s (%s)   via %s\n", mail->reader->sub.address, wall, span,
	    mail->via);
	strbuf_addf(out, "Subject: %s\n", subject);
	strbuf_addf(out,
	    "%zu paper%s read, %zu matched, %zu shown, %zu cut by limit%s   html %zu KB, text %zu "
	    "KB\n",
	    mail->view->nread, mail->view->nread == 1 ? "" : "s", mail->view->nmatched,
	    mail->view->nshown, mail->view->ncut, mail->view->ncut > 0 ? " (named below)" : "",
	    (mail->rendered->html.len + KB - 1) / KB, (mail->rendered->text.len + KB - 1) / KB);
}

static int
keep_titles(struct shown *s, const struct edition_view *view, struct arena *a)
{
	size_t n = 0;

	for (size_t i = 0; i < view->nsections; i++)
		n += view->sections[i].npicks;
	if (n == 0)
		return 0;
	if ((s->titles = arena_array(a, n, sizeof(*s->titles))) == NULL)
		return -1;
	for (size_t i = 0; i < view->nsections; i++) {
		for (size_t k = 0; k < view->sections[i].npicks; k++) {
			const struct paper *paper = view->sections[i].picks[k].paper;
			struct screen_title *t = &s->titles[s->ntitles++];

			t->title = arena_strdup(a, paper->title);
			t->url = arena_strdup(a, paper->url);
			if (t->title == NULL || t->url == NULL)
				return -1;
		}
	}
	return 0;
}

static int
keep_shown(struct preview *p, const struct run_mail *mail, struct error *err)
{
	struct shown *s = arena_zalloc(&p->cli->arena, sizeof(*s));
	const struct strbuf *body = p->form == FORM_TEXT ? &mail->rendered->text
	    : p->form == FORM_HTML			 ? &mail->rendered->html
							 : mail->bytes;
	struct strbuf head;

	strbuf_init(&head, MAX_TEXT_BYTES);
	add_head(p, &head, mail);
	if (s != NULL) {
		s->head = arena_strdup(&p->cli->arena, head.buf);
		s->body = arena_strdup(&p->cli->arena, body->buf);
	}
	strbuf_release(&head);
	if (s == NULL || s->head == NULL || s->body == NULL ||
	    keep_titles(s, mail->view, &p->cli->arena) == -1)
		return err_nomem(err, "preview");
	if (p->last != NULL)
		p->last->next = s;
	else
		p->first = s;
	p->last = s;
	p->nkept++;
	return 0;
}

static struct row *
add_row(struct preview *p, const char *address)
{
	struct row *row;

	if (p->nrows == MAX_ROWS)
		return NULL;
	row = &p->rows[p->nrows++];
	memset(row, 0, sizeof(*row));
	row->address = arena_strdup(&p->cli->arena, address);
	row->subject = row->wall = row->why_not = "";
	return row;
}

static int
print_json(struct preview *p, const struct run_mail *mail, struct error *err)
{
	struct arena *a = &p->scratch;
	struct value *v = value_object(a);

	value_set_string(a, v, "to", mail->reader->sub.address);
	value_set_number(a, v, "due", mail->due_utc);
	value_set_string(a, v, "period", mail->period);
	value_set_string(a, v, "via", mail->via);
	value_set_string(a, v, "subject", mail->rendered->subject.buf);
	value_set_number(a, v, "html_bytes", (int64_t)mail->rendered->html.len);
	value_set_number(a, v, "text_bytes", (int64_t)mail->rendered->text.len);
	value_set(a, v, "context", render_context(p->render, mail->view, a));
	if (v == NULL)
		return err_nomem(err, "preview");
	cli_put_json(v);
	arena_reset(a);
	return 0;
}

static int
on_mail(void *arg, const struct run_mail *mail, struct error *err)
{
	struct preview *p = arg;
	struct row *row;
	char wall[64];

	p->nmails++;
	if (p->cli->opt.out != NULL && write_files(p->cli->opt.out, mail, err) == -1)
		return -1;
	if (p->cli->opt.open && p->page == NULL) {
		p->page = arena_strdup(&p->cli->arena, mail->rendered->html.buf);
		if (p->page == NULL)
			return err_nomem(err, "preview");
	}
	if (p->form == FORM_JSON)
		return print_json(p, mail, err);
	if ((row = add_row(p, mail->reader->sub.address)) != NULL) {
		run_format_wall(
		    p->cli->run, mail->reader->sub.timezone, mail->due_utc, wall, sizeof(wall));
		row->wall = arena_strdup(&p->cli->arena, wall);
		row->subject = arena_strdup(&p->cli->arena, mail->rendered->subject.buf);
		row->nshown = mail->view->nshown;
		row->ncut = mail->view->ncut;
		row->html_bytes = mail->rendered->html.len;
		if (row->wall == NULL || row->subject == NULL)
			return err_nomem(err, "preview");
	}
	return p->nkept < p->keep ? keep_shown(p, mail, err) : 0;
}

static int
on_skip(void *arg, const struct store_reader *reader, enum run_skip why, int64_t next_utc,
    struct error *err)
{
	struct preview *p = arg;
	struct row *row = add_row(p, reader->sub.address);
	char wall[64];

	if (row == NULL)
		return 0;
	row->why_not = skip_reasons[why];
	if (next_utc > 0) {
		run_format_wall(p->cli->run, reader->sub.timezone, next_utc, wall, sizeof(wall));
		if ((row->wall = arena_strdup(&p->cli->arena, wall)) == NULL)
			return err_nomem(err, "preview");
	}
	return 0;
}

/* ---- showing it all ---- */

/* One reader on a screen that has no room for columns. */
static void
print_narrow_row(const struct term *term, const struct row *r)
{
	size_t width = (size_t)term->width;

	term_put(r->address);
	putchar('\n');
	if (r->wall[0] != '\0')
		printf("  %s\n", r->wall);
	if (r->why_not[0] != '\0') {
		printf("  not mailed: %s\n", r->why_not);
		return;
	}
	printf("  ");
	term_put_cell(r->subject, width - 2);
	printf("\n  %zu %s, %zu KB\n", r->nshown, r->nshown == 1 ? "paper" : "papers",
	    (r->html_bytes + KB - 1) / KB);
}

static void
print_row(const struct row *r, size_t address, size_t when, size_t subject)
{
	term_put_cell(r->address, address + 1);
	term_put_cell(r->wall, when);
	if (r->why_not[0] != '\0') {
		printf("not mailed: %s\n", r->why_not);
		return;
	}
	term_put_cell(r->subject, subject);
	printf(" %3zu papers %3zu KB\n", r->nshown, (r->html_bytes + KB - 1) / KB);
}

static void
print_table(const struct preview *p)
{
	enum { WHEN = 30, NUMBERS = 22, MIN_SUBJECT = 10, MIN_ADDRESS = 12, MAX_ADDRESS = 30 };
	size_t width = (size_t)p->cli->term.width, address = MIN_ADDRESS, taken;

	for (size_t i = 0; i < p->nrows; i++) {
		size_t w = text_width(p->rows[i].address, strlen(p->rows[i].address));

		if (w > address)
			address = w < MAX_ADDRESS ? w : MAX_ADDRESS;
	}
	taken = address + WHEN + NUMBERS;
	for (size_t i = 0; i < p->nrows; i++) {
		if (width < MIN_ADDRESS + WHEN + NUMBERS + MIN_SUBJECT)
			print_narrow_row(&p->cli->term, &p->rows[i]);
		else
			print_row(&p->rows[i], address, WHEN,
			    width > taken + MIN_SUBJECT ? width - taken : MIN_SUBJECT);
	}
}

static void
print_skipped(const struct preview *p)
{
	for (size_t i = 0; i < p->nrows; i++) {
		const struct row *r = &p->rows[i];

		if (r->why_not[0] != '\0')
			fprintf(p->aside, "not mailed: %s (%s%s%s)\n", r->address, r->why_not,
			    r->wall[0] != '\0' ? "; next " : "", r->wall);
	}
}

static void
print_shown(const struct preview *p, const struct shown *s)
{
	bool raw = p->form != FORM_TEXT;

	fflush(stdout);
	fputs(s->head, p->aside);
	fputc('\n', p->aside);
	fflush(p->aside);
	if (p->cli->opt.open && p->cli->opt.format == NULL)
		return; /* it is looked at in the browser */
	if (raw)
		fputs(s->body, stdout);
	else
		screen_put_digest(&p->cli->term, s->body, s->titles, s->ntitles);
	fflush(stdout);
}

/* What is odd about a source, whether it was asked now or not. */
static void
print_odd(const struct source_silence *s)
{
	if (s->why >= SILENCE_DOWN && s->why <= SILENCE_STALE)
		fprintf(stderr, "warning: %s\n", s->text);
	if (s->half.day != 0)
		fprintf(stderr, "warning: %s\n", s->half.text);
}

static void
print_warnings(const struct preview *p, const struct run_report *r)
{
	char wall[64];

	if (r->expected.limited)
		fprintf(p->aside, "mails: %s\n", r->expected.text);
	for (size_t i = 0; r->silences != NULL && i < p->cli->run->cfg->nsources; i++)
		print_odd(&r->silences[i]);
	if (r->nwaiting == 0)
		return;
	run_format_wall(p->cli->run, "", r->next_settled_utc, wall, sizeof(wall));
	if (r->nheld > 0)
		fprintf(p->aside,
		    "%zu listings do not count yet, %zu of them on half-filled days; the first "
		    "will "
		    "%s\n",
		    r->nwaiting, r->nheld, wall);
	else
		fprintf(p->aside,
		    "%zu listings do not count yet: their votes settle, the first until %s\n",
		    r->nwaiting, wall);
}

static int
show_result(struct preview *p, const struct run_report *report, struct error *err)
{
	struct run_next next;
	struct arena a;

	print_warnings(p, report);
	if (p->form == FORM_JSON)
		return 0;
	if (report->ahead)
		fprintf(p->aside, "nothing is due now; this is the next edition as it stands\n");
	if (p->nmails == 0 && p->nrows == 0) {
		arena_init(&a, MAX_READER_BYTES);
		if (run_find_next(p->cli->run, &next, &a, err) == 0)
			fprintf(p->aside, "nobody to mail: %zu readers\n", next.nactive);
		arena_release(&a);
	}
	if (p->nmails > SHOW_ALL_UP_TO && p->cli->opt.nusers == 0)
		print_table(p);
	else
		print_skipped(p);
	for (const struct shown *s = p->first; s != NULL; s = s->next) {
		print_shown(p, s);
		if (p->nmails > SHOW_ALL_UP_TO && p->cli->opt.nusers == 0)
			break;
	}
	if (p->cli->opt.out != NULL)
		fprintf(p->aside, "%zu digest%s written to %s as text, HTML and eml\n", p->nmails,
		    p->nmails == 1 ? "" : "s", p->cli->opt.out);
	return 0;
}

static int
open_page(const struct preview *p, struct error *err)
{
	if (p->page == NULL) {
		fprintf(stderr, "no digest to open\n");
		return 0;
	}
	if (p->nmails > 1)
		fprintf(stderr, "the first of %zu digests; -u ADDRESS for another\n", p->nmails);
	return cli_open_page(p->cli, p->page, err);
}

static int
check_options(const struct preview *p, struct error *err)
{
	if (p->form == FORM_EML && p->nmails > 1 && p->cli->opt.out == NULL)
		return err_set(err, ERR_USAGE,
		    "%zu digests as eml; expected --out DIR or one reader by -u ADDRESS",
		    p->nmails);
	return 0;
}

static int
run_preview(struct preview *p, struct run_report *report, struct error *err)
{
	struct cli *cli = p->cli;
	struct run_options options = {
		.fetch = !cli->opt.offline,
		.deliver = true,
		.preview = true,
		.accept_removals = cli->opt.accept_removals,
		.nusers = cli->opt.nusers,
		.arg = p,
		.on_mail = on_mail,
		.on_skip = on_skip,
	};
	const char **users;

	if (cli_open(cli, CLI_OVERLAY, err) == -1 || cli_users(cli, &users, err) == -1 ||
	    run_load_templates(cli->run, &p->render, err) == -1)
		return -1;
	options.users = users;
	p->keep = cli->opt.nusers > 0 ? SIZE_MAX : SHOW_ALL_UP_TO;
	p->rows = arena_array(&cli->arena, MAX_ROWS, sizeof(*p->rows));
	if (p->rows == NULL)
		return err_nomem(err, "preview");
	return run_digests(cli->run, &options, report, err);
}

int
cmd_preview(struct cli *cli, struct error *err)
{
	struct preview p = { .cli = cli };
	struct run_report report;
	FILE *pager = NULL;
	int rc = -1;

	if (parse_form(cli->opt.format, &p.form, err) == -1)
		return -1;
	run_report_init(&report);
	arena_init(&p.scratch, MAX_RUN_BYTES);
	if (run_preview(&p, &report, err) == 0 && check_options(&p, err) == 0) {
		pager = cli->opt.open ? NULL : term_start_pager(&cli->term);
		p.aside = pager != NULL ? stdout : stderr;
		rc = show_result(&p, &report, err);
		term_end_pager(&cli->term, pager);
	}
	if (rc == 0 && cli->opt.open)
		rc = open_page(&p, err);
	if (rc == 0)
		rc = run_exit_of_faults(report.faults & ~(unsigned)RUN_FAULT_UNREACHABLE);
	render_free(p.render);
	arena_release(&p.scratch);
	run_report_release(&report);
	return rc;
}
