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

	if (text[0] == '\0')
		return;
	printf("%s%-*s%s", term_dim(&cli->term), LABEL, label, term_reset(&cli->term));
	term_put_filled(&cli->term, text, LABEL);
	putchar('\n');
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

static const char *const kind_words[] = { [PAPER_NEW] = "new",
	[PAPER_CROSS] = "cross-list",
	[PAPER_REPLACE] = "new version",
	[PAPER_REPLACE_CROSS] = "new version, cross-list" };
/* As in the JSON lines of digest-source(7). */
static const char *const kind_names[] = { [PAPER_NEW] = "new",
	[PAPER_CROSS] = "cross",
	[PAPER_REPLACE] = "replace",
	[PAPER_REPLACE_CROSS] = "replace-cross" };

/* Everything known of a paper that is not on its card. */
struct history {
	struct store_listing *listings;
	struct store_signal *signals;
	struct store_origin *origins;
	size_t nlistings, nsignals, norigins;
};

static int
load_history(struct cli *cli, int64_t id, struct history *h, struct error *err)
{
	struct store *store = cli->run->store;
	struct arena *a = &cli->arena;

	if (store_load_listings(store, id, a, &h->listings, &h->nlistings, err) == -1 ||
	    store_load_signals(store, id, a, &h->signals, &h->nsignals, err) == -1)
		return -1;
	return store_load_origins(store, id, a, &h->origins, &h->norigins, err);
}

static void
print_listings(const struct cli *cli, const struct history *h)
{
	for (size_t i = 0; i < h->nlistings; i++) {
		const struct store_listing *l = &h->listings[i];
		char day[DATE_RFC3339_SIZE], wall[64];
		struct strbuf line;

		strbuf_init(&line, MAX_TEXT_BYTES);
		date_format_day(l->day, day);
		run_format_wall(cli->run, "", l->counts_utc, wall, sizeof(wall));
		strbuf_addf(&line, "%s on %s (%s)", l->source, day, kind_words[l->kind]);
		if (l->rank > 0)
			strbuf_addf(&line, ", place %" PRIu32 " by votes", l->rank);
		strbuf_addf(&line, ", counts %s %s%s", l->counted ? "since" : "from", wall,
		    l->late ? ", read too late to be new" : "");
		print_field(cli, i == 0 ? "listed" : "", line.buf);
		strbuf_release(&line);
	}
}

static bool
comes_first(const struct history *h, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (strcmp(h->origins[j].source, h->origins[i].source) == 0)
			return false;
	return true;
}

/* "title, abstract: arxiv; votes, summary: daily" */
static void
print_sources(const struct cli *cli, const struct history *h)
{
	struct strbuf line;

	strbuf_init(&line, MAX_TEXT_BYTES);
	for (size_t i = 0; i < h->norigins; i++) {
		if (!comes_first(h, i))
			continue;
		strbuf_addf(&line, "%s%s", line.len > 0 ? "; " : "", h->origins[i].field);
		for (size_t j = i + 1; j < h->norigins; j++)
			if (strcmp(h->origins[j].source, h->origins[i].source) == 0)
				strbuf_addf(&line, ", %s", h->origins[j].field);
		strbuf_addf(&line, ": %s", h->origins[i].source);
	}
	print_field(cli, "from", line.buf);
	strbuf_release(&line);
}

static int64_t
signal_votes(const struct store_signal *s)
{
	return s->votes;
}

static int64_t
signal_comments(const struct store_signal *s)
{
	return s->comments;
}

static int64_t
signal_stars(const struct store_signal *s)
{
	return s->stars;
}

/* "votes 3 on 2 Mar 10:00, 12 on 4 Mar 10:00": the first value and the last one that was another. */
static void
print_signal(const struct cli *cli, const struct history *h, const char *label, const char *name,
    int64_t (*value)(const struct store_signal *s))
{
	const struct store_signal *first = NULL, *last = NULL;
	char line[256], wall[64];
	int len;

	for (size_t i = 0; i < h->nsignals; i++) {
		if (value(&h->signals[i]) < 0)
			continue;
		if (first == NULL)
			first = &h->signals[i];
		if (last == NULL || value(last) != value(&h->signals[i]))
			last = &h->signals[i];
	}
	if (first == NULL)
		return;
	run_format_wall(cli->run, "", first->at_utc, wall, sizeof(wall));
	len = snprintf(line, sizeof(line), "%" PRId64 " %s on %s", value(first), name, wall);
	if (last != first) {
		run_format_wall(cli->run, "", last->at_utc, wall, sizeof(wall));
		snprintf(line + len, sizeof(line) - (size_t)len, ", %" PRId64 " on %s", value(last),
		    wall);
	}
	print_field(cli, label, line);
}

static void
print_signals(const struct cli *cli, const struct history *h)
{
	print_signal(cli, h, "votes", "votes", signal_votes);
	print_signal(cli, h, "comments", "comments", signal_comments);
	print_signal(cli, h, "stars", "stars", signal_stars);
}

static void
print_version(const struct cli *cli, const struct paper *p)
{
	char text[32];

	if (p->version == 0)
		return;
	snprintf(
	    text, sizeof(text), "%" PRIu32 "%s", p->version, p->version > 1 ? ", replaced" : "");
	print_field(cli, "version", text);
}

static int
print_paper(const struct cli *cli, const struct paper *p, const struct history *h)
{
	term_put_styled(&cli->term, term_bold(&cli->term), p->title, 0);
	putchar('\n');
	print_field(cli, "key", p->key);
	print_list(cli, "aliases", p->aliases, p->naliases);
	print_list(cli, "authors", p->authors, p->nauthors);
	print_field(cli, "organisation", p->org);
	print_list(cli, "categories", p->categories, p->ncategories);
	print_list(cli, "keywords", p->keywords, p->nkeywords);
	print_day(cli, "published", p->published_utc);
	print_day(cli, "updated", p->updated_utc);
	print_version(cli, p);
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
	print_listings(cli, h);
	print_sources(cli, h);
	print_signals(cli, h);
	return EXIT_OK;
}

/* ---- as JSON: a line of digest-source(7) with what only the store knows behind it ---- */

static void
add_time(struct strbuf *out, const char *name, int64_t utc)
{
	char text[DATE_RFC3339_SIZE];

	date_format_rfc3339(utc, text);
	strbuf_addf(out, ",\"%s\":\"%s\"", name, text);
}

static void
add_listing(struct strbuf *out, const struct store_listing *l)
{
	char day[DATE_RFC3339_SIZE];

	date_format_day(l->day, day);
	strbuf_add(out, "{\"source\":");
	strbuf_add_json(out, l->source);
	strbuf_addf(out, ",\"day\":\"%s\",\"kind\":\"%s\",\"rank\":%" PRIu32, day,
	    kind_names[l->kind], l->rank);
	add_time(out, "seen", l->seen_utc);
	add_time(out, "counts", l->counts_utc);
	strbuf_addf(out, ",\"counted\":%s,\"late\":%s}", l->counted ? "true" : "false",
	    l->late ? "true" : "false");
}

static void
add_count(struct strbuf *out, const char *name, int64_t n)
{
	if (n >= 0)
		strbuf_addf(out, ",\"%s\":%" PRId64, name, n);
}

static void
add_signal(struct strbuf *out, const struct store_signal *s)
{
	char at[DATE_RFC3339_SIZE];

	date_format_rfc3339(s->at_utc, at);
	strbuf_addf(out, "{\"at\":\"%s\"", at);
	add_count(out, "votes", s->votes);
	add_count(out, "comments", s->comments);
	add_count(out, "stars", s->stars);
	strbuf_addc(out, '}');
}

static int
print_json(struct cli *cli, const struct paper *p, const struct history *h, struct error *err)
{
	struct strbuf line;
	int rc;

	strbuf_init(&line, MAX_JSON_BYTES);
	if (run_add_paper_lines(cli->run, &line, p, false, &cli->arena, err) == -1) {
		strbuf_release(&line);
		return -1;
	}
	strbuf_truncate(&line, line.len - strlen("}\n"));
	strbuf_add(&line, ",\"listings\":[");
	for (size_t i = 0; i < h->nlistings; i++) {
		strbuf_add(&line, i > 0 ? "," : "");
		add_listing(&line, &h->listings[i]);
	}
	strbuf_add(&line, "],\"from\":{");
	for (size_t i = 0; i < h->norigins; i++) {
		strbuf_addf(&line, "%s\"%s\":", i > 0 ? "," : "", h->origins[i].field);
		strbuf_add_json(&line, h->origins[i].source);
	}
	strbuf_add(&line, "},\"signals\":[");
	for (size_t i = 0; i < h->nsignals; i++) {
		strbuf_add(&line, i > 0 ? "," : "");
		add_signal(&line, &h->signals[i]);
	}
	strbuf_add(&line, "]}\n");
	if ((rc = strbuf_check(&line, err)) == 0)
		fputs(line.buf, stdout);
	strbuf_release(&line);
	return rc == -1 ? -1 : EXIT_OK;
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
	struct history h = { 0 };
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
		    "'%s' is no paper of the store; expected an id, a DOI, a URL or words of it",
		    text.buf);
	strbuf_release(&text);
	if (found != 1)
		return -1;
	if (cli->opt.bibtex && !cli->opt.json) {
		print_bibtex(p);
		return EXIT_OK;
	}
	if (load_history(cli, p->id, &h, err) == -1)
		return -1;
	return cli->opt.json ? print_json(cli, p, &h, err) : print_paper(cli, p, &h);
}
