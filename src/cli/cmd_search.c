/* digest search QUERY: papers of the whole store, by the language of the filters. */
#include "cli.h"
#include "digest/date.h"
#include "digest/limits.h"
#include "digest/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	DEFAULT_LIMIT = 10,
	MAX_DAYS = 100000,
	INDENT = 5,
	SNIPPET_LINES = 2,
	MAX_NAMES = 3,
	MAX_SHOWN_TERMS = 12,
};

/* ---- for people ---- */

/* "Ada Lovelace, Charles Babbage", or the first and the last and how many. */
static void
add_authors(const struct cli *cli, struct strbuf *out, const struct paper *p)
{
	if (p->nauthors > MAX_NAMES) {
		strbuf_addf(out, "%s %s %s (%zu authors)", p->authors[0], term_dots(&cli->term),
		    p->authors[p->nauthors - 1], p->nauthors);
		return;
	}
	for (size_t i = 0; i < p->nauthors; i++)
		strbuf_addf(out, "%s%s", i > 0 ? ", " : "", p->authors[i]);
}

static void
put_facts(const struct cli *cli, const struct paper *p)
{
	int64_t utc = p->published_utc != 0 ? p->published_utc : p->first_listed_utc;
	const char *between = term_between(&cli->term);
	char day[DATE_RFC3339_SIZE];
	struct strbuf line;

	strbuf_init(&line, MAX_TEXT_BYTES);
	add_authors(cli, &line, p);
	if (utc != 0) {
		date_format_day((int32_t)(utc / 86400), day);
		strbuf_addf(&line, "%s%s", line.len > 0 ? between : "", day);
	}
	if (p->votes >= 0)
		strbuf_addf(&line, "%s%" PRId64 " vote%s", line.len > 0 ? between : "", p->votes,
		    p->votes == 1 ? "" : "s");
	term_put_filled(&cli->term, line.buf, INDENT);
	strbuf_release(&line);
}

/* How many marks end within len bytes of the first one's start. */
static size_t
count_marks(const struct run_found *f, size_t first, size_t len)
{
	size_t n = 0;

	while (first + n < f->nabstract &&
	    f->abstract[first + n].end <= f->abstract[first].start + len)
		n++;
	return n;
}

/* The piece of the abstract with the most marks, some lines long; without any its beginning. */
static void
choose_snippet(const struct run_found *f, size_t columns, size_t *from, size_t *to)
{
	const char *text = f->paper->abstract;
	size_t len = strlen(text), best = 0, most = 0, start = 0;

	for (size_t i = 0; i < f->nabstract; i++) {
		size_t n = count_marks(f, i, columns * 3 / 4);

		if (n > most) {
			most = n;
			best = i;
		}
	}
	if (most > 0 && f->abstract[best].start > columns / 4)
		start = f->abstract[best].start - columns / 4;
	if (start + columns > len)
		start = len > columns ? len - columns : 0;
	/* At a word. */
	while (start > 0 && start < len && text[start - 1] != ' ')
		start++;
	if (most > 0 && start > f->abstract[best].start)
		start = f->abstract[best].start;
	*from = start;
	*to = start + text_cut(text + start, len - start, SIZE_MAX, columns);
	while (*to<len && * to> start && text[*to] != ' ')
		(*to)--;
	if (*to == start)
		*to = start + text_cut(text + start, len - start, SIZE_MAX, columns);
}

static void
put_snippet(const struct cli *cli, const struct run_found *f)
{
	const char *text = f->paper->abstract, *dots = term_dots(&cli->term);
	struct term term = cli->term;
	size_t from, to, line;

	if (text[0] == '\0')
		return;
	/* The dots before the first line and behind the last have their room. */
	term.width -= cli->term.utf8 ? 2 : 4;
	line = term.width > 2 * INDENT + 20 ? (size_t)term.width - 2 * INDENT : 20;
	choose_snippet(f, SNIPPET_LINES * line, &from, &to);
	printf("%*s%s%s", INDENT, "", from > 0 ? dots : "", from > 0 ? " " : "");
	term_put_marked(&term, text, from, to, f->abstract, f->nabstract, INDENT);
	printf("%s%s\n", text[to] != '\0' ? " " : "", text[to] != '\0' ? dots : "");
}

static void
put_found(const struct cli *cli, const struct run_found *f, size_t number)
{
	const struct paper *p = f->paper;

	printf("%s%3zu. %s", term_accent(&cli->term), number, term_reset(&cli->term));
	term_put_marked(&cli->term, p->title, 0, strlen(p->title), f->title, f->ntitle, INDENT);
	printf("\n%*s", INDENT, "");
	put_facts(cli, p);
	printf("\n%*s%s", INDENT, "", term_dim(&cli->term));
	term_put(p->url[0] != '\0' ? p->url : p->key);
	printf("%s\n", term_reset(&cli->term));
	put_snippet(cli, f);
	putchar('\n');
}

static const char *const order_words[] = {
	[SORT_BEST] = "the best",
	[SORT_RELEVANCE] = "the most relevant",
	[SORT_VOTES] = "those with the most votes",
	[SORT_TRENDING] = "those that rise most",
	[SORT_NEWEST] = "the newest",
};

static void
put_similar(const struct cli *cli, const struct run_search_result *r)
{
	struct strbuf line;

	strbuf_init(&line, MAX_TEXT_BYTES);
	strbuf_addf(&line, "Like %s", r->similar->title);
	term_put_filled(&cli->term, line.buf, 0);
	strbuf_reset(&line);
	strbuf_add(&line, "by the words: ");
	for (size_t i = 0; i < r->nterms && i < MAX_SHOWN_TERMS; i++)
		strbuf_addf(&line, "%s%s", i > 0 ? ", " : "", r->terms[i]);
	if (r->nterms > MAX_SHOWN_TERMS)
		strbuf_addf(&line, " %s", term_dots(&cli->term));
	putchar('\n');
	term_put_filled(&cli->term, line.buf, 0);
	printf("\n\n");
	strbuf_release(&line);
}

static void
put_result(
    const struct cli *cli, const struct run_search_options *o, const struct run_search_result *r)
{
	char line[160];

	if (r->similar != NULL)
		put_similar(cli, r);
	for (size_t i = 0; i < r->nfound; i++)
		put_found(cli, &r->found[i], i + 1);
	if (r->similar != NULL)
		return;
	snprintf(line, sizeof(line), "%zu of %zu papers match%s%s.", r->nmatched, r->npapers,
	    r->nfound < r->nmatched ? "; these are " : "",
	    r->nfound < r->nmatched ? order_words[o->sort] : "");
	term_put_filled(&cli->term, line, 0);
	putchar('\n');
}

/* ---- for programs ---- */

static void
add_text(struct strbuf *out, const char *name, const char *text)
{
	strbuf_addf(out, ",\"%s\":", name);
	strbuf_add_json(out, text);
}

static void
add_marks(struct strbuf *out, const char *name, const struct run_mark *marks, size_t n)
{
	strbuf_addf(out, ",\"%s\":[", name);
	for (size_t i = 0; i < n; i++)
		strbuf_addf(out, "%s[%zu,%zu]", i > 0 ? "," : "", marks[i].start, marks[i].end);
	strbuf_addc(out, ']');
}

static void
add_found(struct strbuf *out, const struct run_found *f)
{
	const struct paper *p = f->paper;

	strbuf_add(out, "{\"key\":");
	strbuf_add_json(out, p->key);
	add_text(out, "title", p->title);
	add_text(out, "abstract", p->abstract);
	add_text(out, "url", p->url);
	strbuf_add(out, ",\"authors\":[");
	for (size_t i = 0; i < p->nauthors; i++) {
		strbuf_add(out, i > 0 ? "," : "");
		strbuf_add_json(out, p->authors[i]);
	}
	strbuf_addf(out, "],\"published\":%" PRId64 ",\"listed\":%" PRId64, p->published_utc,
	    p->first_listed_utc);
	if (p->votes >= 0)
		strbuf_addf(out, ",\"votes\":%" PRId64, p->votes);
	strbuf_addf(out,
	    ",\"score\":%.6f,\"score_text\":%.6f,\"score_votes\":%.6f,\"score_trend\":%.6f,"
	    "\"score_freshness\":%.6f",
	    f->score, f->text, f->votes, f->trend, f->freshness);
	add_text(out, "why", f->why);
	add_marks(out, "title_marks", f->title, f->ntitle);
	add_marks(out, "abstract_marks", f->abstract, f->nabstract);
	strbuf_addc(out, '}');
}

static int
put_json(const struct run_search_options *o, const struct run_search_result *r, struct error *err)
{
	struct strbuf out;
	int rc;

	strbuf_init(&out, MAX_RUN_BYTES);
	strbuf_add(&out, "{\"query\":");
	strbuf_add_json(&out, o->query != NULL ? o->query : "");
	if (r->similar != NULL) {
		add_text(&out, "similar", r->similar->key);
		strbuf_add(&out, ",\"terms\":[");
		for (size_t i = 0; i < r->nterms; i++) {
			strbuf_add(&out, i > 0 ? "," : "");
			strbuf_add_json(&out, r->terms[i]);
		}
		strbuf_addc(&out, ']');
	}
	strbuf_addf(&out, ",\"papers\":%zu,\"matched\":%zu,\"found\":[", r->npapers, r->nmatched);
	for (size_t i = 0; i < r->nfound; i++) {
		strbuf_add(&out, i > 0 ? "," : "");
		add_found(&out, &r->found[i]);
	}
	strbuf_add(&out, "]}\n");
	if ((rc = strbuf_check(&out, err)) == 0)
		fputs(out.buf, stdout);
	strbuf_release(&out);
	return rc;
}

/* ---- the command ---- */

/* What may help somebody who finds nothing. */
static int
fail_empty(const struct run_search_options *o, const struct run_search_result *r, struct error *err)
{
	struct strbuf hint;

	strbuf_init(&hint, sizeof(err->msg));
	for (size_t i = 0; i < r->nhints; i++)
		strbuf_addf(&hint, "; no paper has '%s': did you mean '%s'?", r->hints[i].word,
		    r->hints[i].near);
	if (r->npapers == 0 && o->ndays == 0)
		err_set(err, ERR_DATA,
		    "nothing found: the store holds no paper yet; 'digest fetch' reads some");
	else if (r->nearlier > 0)
		err_set(err, ERR_DATA,
		    "nothing found in the %zu papers of these days, but %zu in the whole store: "
		    "leave out --days, or look back farther%s",
		    r->npapers, r->nearlier, hint.buf);
	else
		err_set(err, ERR_DATA, "nothing found in %zu papers%s", r->npapers, hint.buf);
	strbuf_release(&hint);
	return -1;
}

static int
read_options(struct cli *cli, struct run_search_options *out, struct error *err)
{
	struct cli_reach reach = { .limit = DEFAULT_LIMIT,
		.sort = cli->opt.similar != NULL ? SORT_RELEVANCE : SORT_BEST };

	if (cli_read_reach(cli, MAX_DAYS, &reach, err) == -1)
		return -1;
	*out = (struct run_search_options){ .similar = cli->opt.similar,
		.address = reach.address,
		.ndays = (size_t)reach.days,
		.sort = reach.sort,
		.limit = (uint32_t)reach.limit };
	if (cli->nargs > 0 && (out->query = cli_join_args(cli, err)) == NULL)
		return -1;
	if (out->query == NULL && out->similar == NULL)
		return err_set(err, ERR_USAGE,
		    "usage: digest search QUERY, or --similar PAPER; '*' finds every paper");
	return 0;
}

static void
show_caret(const char *query, size_t offset)
{
	struct strbuf caret;

	strbuf_init(&caret, 2 * MAX_QUERY_BYTES + 16);
	run_add_caret(&caret, query, offset);
	fputs(caret.buf, stderr);
	strbuf_release(&caret);
}

int
cmd_search(struct cli *cli, struct error *err)
{
	struct run_search_options options;
	struct run_search_result result;
	struct arena a;
	int rc = -1;

	if (read_options(cli, &options, err) == -1 ||
	    (options.address != NULL ? cli_open_readers(cli, CLI_OVERLAY, err)
				     : cli_open(cli, CLI_READ, err)) == -1)
		return -1;
	arena_init(&a, MAX_RUN_BYTES);
	if (run_search(cli->run, &options, &a, &result, err) == -1) {
		if (err->kind == ERR_DATA && result.wrong != SIZE_MAX && options.query != NULL)
			show_caret(options.query, result.wrong);
	} else if (cli->opt.json && put_json(&options, &result, err) == -1) {
		rc = -1;
	} else if (result.nfound == 0) {
		rc = fail_empty(&options, &result, err);
	} else {
		if (!cli->opt.json)
			put_result(cli, &options, &result);
		rc = EXIT_OK;
	}
	arena_release(&a);
	return rc;
}
