/* digest show PAPER: everything known of one paper and where it came from. */
#include "cli.h"
#include "digest/date.h"
#include "digest/limits.h"
#include "digest/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void
print_field(const struct cli *cli, const char *label, const char *text)
{
	enum { LABEL = 13 };
	static const char indent[LABEL + 1] = "             ";
	struct strbuf wrapped;

	if (text[0] == '\0')
		return;
	strbuf_init(&wrapped, MAX_TEXT_BYTES);
	text_add_wrapped(&wrapped, text, indent, (size_t)cli->term.width);
	printf("%s%-*s%s", term_dim(&cli->term), LABEL, label, term_reset(&cli->term));
	term_put(wrapped.len > LABEL ? wrapped.buf + LABEL : text);
	putchar('\n');
	strbuf_release(&wrapped);
}

static void
print_list(const struct cli *cli, const char *label, const char *const *items, size_t n)
{
	struct strbuf line;

	strbuf_init(&line, MAX_TEXT_BYTES);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(&line, "%s%s", i > 0 ? ", " : "", items[i]);
	print_field(cli, label, line.buf);
	strbuf_release(&line);
}

static void
print_day(const struct cli *cli, const char *label, int64_t utc)
{
	char day[DATE_RFC3339_SIZE];

	if (utc == 0)
		return;
	date_format_day((int32_t)(utc / 86400), day);
	print_field(cli, label, day);
}

static int
print_origins(struct cli *cli, const struct paper *p, struct error *err)
{
	static const char *const kinds[] = { [PAPER_NEW] = "new",
		[PAPER_CROSS] = "cross-list",
		[PAPER_REPLACE] = "new version",
		[PAPER_REPLACE_CROSS] = "new version, cross-list" };
	struct store_listing *l;
	struct store_signal *s;
	size_t nlistings, nsignals;
	char line[256], day[DATE_RFC3339_SIZE], wall[64];

	if (store_load_listings(cli->run->store, p->id, &cli->arena, &l, &nlistings, err) == -1 ||
	    store_load_signals(cli->run->store, p->id, &cli->arena, &s, &nsignals, err) == -1)
		return -1;
	for (size_t i = 0; i < nlistings; i++) {
		date_format_day(l[i].day, day);
		run_format_wall(cli->run, "", l[i].counts_utc, wall, sizeof(wall));
		snprintf(line, sizeof(line), "%s on %s (%s), place %u by votes, %s %s", l[i].source,
		    day, kinds[l[i].kind], (unsigned)l[i].rank,
		    l[i].counted ? "counts since" : "counts from", wall);
		print_field(cli, i == 0 ? "listed" : "", line);
	}
	for (size_t i = nsignals > 5 ? nsignals - 5 : 0; i < nsignals; i++) {
		run_format_wall(cli->run, "", s[i].at_utc, wall, sizeof(wall));
		snprintf(line, sizeof(line),
		    "%s: %" PRId64 " votes, %" PRId64 " comments, %" PRId64 " stars", wall,
		    s[i].votes < 0 ? 0 : s[i].votes, s[i].comments < 0 ? 0 : s[i].comments,
		    s[i].stars < 0 ? 0 : s[i].stars);
		print_field(cli, "signals", line);
	}
	return 0;
}

static int
print_paper(struct cli *cli, const struct paper *p, struct error *err)
{
	printf("%s", term_bold(&cli->term));
	term_put(p->title);
	printf("%s\n", term_reset(&cli->term));
	print_field(cli, "key", p->key);
	print_list(cli, "authors", p->authors, p->nauthors);
	print_field(cli, "organisation", p->org);
	print_list(cli, "categories", p->categories, p->ncategories);
	print_list(cli, "keywords", p->keywords, p->nkeywords);
	print_day(cli, "published", p->published_utc);
	print_day(cli, "updated", p->updated_utc);
	print_day(cli, "withdrawn", p->withdrawn_utc);
	print_field(cli, "abstract", p->abstract);
	print_field(cli, "summary", p->summary);
	print_field(cli, "comment", p->comment);
	print_field(cli, "journal", p->journal_ref);
	print_field(cli, "page", p->url);
	print_field(cli, "pdf", p->pdf_url);
	print_field(cli, "code", p->code_url);
	print_field(cli, "project", p->project_url);
	print_field(cli, "discussion", p->discussion_url);
	return print_origins(cli, p, err);
}

/* "lovelace1843notes": first author's last name, year, first word of the title. */
static void
print_bibtex_key(const struct paper *p, int year)
{
	const char *author = p->nauthors > 0 ? p->authors[0] : "anon";
	const char *last = strrchr(author, ' ');
	const char *parts[2] = { last != NULL ? last + 1 : author, p->title };

	for (int part = 0; part < 2; part++) {
		for (const char *s = parts[part]; *s != '\0' && *s != ' '; s++)
			if (isalnum((unsigned char)*s))
				putchar(tolower((unsigned char)*s));
		if (part == 0 && year > 0)
			printf("%d", year);
	}
}

/* Braces keep the capitals of a title, and what BibTeX would read as a command is escaped. */
static void
print_bibtex_text(const char *text)
{
	for (const char *s = text; *s != '\0'; s++) {
		if (strchr("&%$#_", *s) != NULL)
			printf("\\%c", *s);
		else if (strchr("{}\\", *s) == NULL && (unsigned char)*s >= ' ')
			putchar(*s);
	}
}

static void
print_bibtex(const struct paper *p)
{
	struct civil c = { 0 };

	if (p->published_utc != 0)
		date_civil(p->published_utc, &c);
	printf("@%s{", p->journal_ref[0] != '\0' ? "article" : "misc");
	print_bibtex_key(p, c.year);
	printf(",\n  title = {{");
	print_bibtex_text(p->title);
	printf("}},\n  author = {");
	for (size_t i = 0; i < p->nauthors; i++) {
		fputs(i > 0 ? " and " : "", stdout);
		print_bibtex_text(p->authors[i]);
	}
	printf("}");
	if (c.year > 0)
		printf(",\n  year = {%d}", c.year);
	if (strncmp(p->key, "arxiv:", 6) == 0)
		printf(",\n  eprint = {%s},\n  archivePrefix = {arXiv}", p->key + 6);
	if (p->ncategories > 0 && p->primary_known)
		printf(",\n  primaryClass = {%s}", p->categories[0]);
	if (p->doi[0] != '\0')
		printf(",\n  doi = {%s}", p->doi);
	if (p->journal_ref[0] != '\0') {
		printf(",\n  journal = {");
		print_bibtex_text(p->journal_ref);
		printf("}");
	}
	if (p->url[0] != '\0')
		printf(",\n  url = {%s}", p->url);
	printf("\n}\n");
}

int
cmd_show(struct cli *cli, struct error *err)
{
	struct strbuf text;
	struct paper *p;
	int found = -1;

	strbuf_init(&text, MAX_URL_BYTES);
	for (int i = 0; i < cli->nargs; i++)
		strbuf_addf(&text, "%s%s", i > 0 ? " " : "", cli->args[i]);
	if (strbuf_check(&text, err) == 0 && cli_open(cli, CLI_READ, err) == 0)
		found = run_find_paper(cli->run, text.buf, &cli->arena, &p, err);
	if (found == 0)
		err_set(err, ERR_DATA,
		    "'%s' is no paper of the store; expected an arXiv id, a DOI, a URL or words of "
		    "a title",
		    text.buf);
	strbuf_release(&text);
	if (found != 1)
		return -1;
	if (cli->opt.json) {
		struct strbuf line;
		int rc;

		strbuf_init(&line, MAX_JSON_BYTES);
		rc = run_add_paper_lines(cli->run, &line, p, false, &cli->arena, err);
		if (rc == 0)
			fputs(line.buf, stdout);
		strbuf_release(&line);
		return rc == 0 ? EXIT_OK : -1;
	}
	if (cli->opt.bibtex) {
		print_bibtex(p);
		return EXIT_OK;
	}
	return print_paper(cli, p, err);
}
