/* digest explain [ADDRESS] PAPER: why a reader got a paper, or did not. */
#include "cli.h"
#include "digest/date.h"
#include "digest/limits.h"
#include "digest/text.h"
#include "digest/utf8.h"
#include "digest/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { AROUND = 32 /* bytes shown on each side of a hit */, MAX_READERS_SHOWN = 50 };

struct explaining {
	struct cli *cli;
	const struct paper *p;
	struct run_origin *origins; /* of a paper that the store does not have */
	bool one;		    /* reader: tell all of it */
	size_t nreaders;
};

static const char *const verdict_names[] = {
	[EXPLAIN_PICKED] = "picked",
	[EXPLAIN_OUTSIDE] = "outside",
	[EXPLAIN_CUT] = "cut",
	[EXPLAIN_NOT_NAMED] = "not-named",
	[EXPLAIN_NEXT] = "next",
	[EXPLAIN_SENT] = "sent",
	[EXPLAIN_UNSETTLED] = "unsettled",
	[EXPLAIN_TOO_OLD] = "too-old",
	[EXPLAIN_WAITS] = "waits",
	[EXPLAIN_NO_MATCH] = "no-match",
	[EXPLAIN_UNKNOWN] = "unknown",
};

static const char *
section_name(const struct run_explanation *e)
{
	uint32_t section = e->pick->section;

	return section < e->reader->nfilters ? e->reader->filters[section].name
					     : "a filter that is gone";
}

/* Where in the digest. */
static void
print_section(const struct run_explanation *e)
{
	if (e->pick->section == SECTION_OUTSIDE) {
		printf("as popular outside the filters");
		return;
	}
	printf("under \"");
	term_put(section_name(e));
	printf(e->pick->cut ? "\", but over a limit and only named" : "\"");
}

static void
print_next(struct cli *cli, const struct run_explanation *e)
{
	char wall[64];

	printf("as things stand, %s the next digest, ", e->pick->cut ? "matched for" : "in");
	run_format_wall(cli->run, e->reader->timezone, e->next_utc, wall, sizeof(wall));
	if (e->next_utc <= clock_now_utc(&cli->clock))
		printf("which is due now, ");
	else
		printf("due %s, ", wall);
	print_section(e);
}

static void
print_turn(struct cli *cli, const struct run_explanation *e)
{
	char wall[64];

	run_format_wall(cli->run, e->reader->timezone, e->next_utc, wall, sizeof(wall));
	printf("not yet: \"");
	term_put(e->waiting);
	printf("\" holds, and has its turn %s", wall);
}

static void
print_verdict(struct cli *cli, const struct run_explanation *e)
{
	switch (e->verdict) {
	case EXPLAIN_PICKED:
	case EXPLAIN_OUTSIDE:
		printf("in the digest of %s, ", e->period);
		print_section(e);
		break;
	case EXPLAIN_CUT:
		printf("matched for the digest of %s, ", e->period);
		print_section(e);
		break;
	case EXPLAIN_NOT_NAMED:
		printf(
		    "in no digest: a filter holds, but it was over a limit, or did not hold when "
		    "the digest was made");
		break;
	case EXPLAIN_NEXT:
		print_next(cli, e);
		break;
	case EXPLAIN_SENT:
		printf("was sent in a digest that is no longer kept");
		break;
	case EXPLAIN_UNSETTLED:
		printf("not yet: its listing does not count before its votes mean something");
		break;
	case EXPLAIN_TOO_OLD:
		printf("in no digest: it was listed before the digests of this reader began");
		break;
	case EXPLAIN_WAITS:
		print_turn(cli, e);
		break;
	case EXPLAIN_NO_MATCH:
		printf("in no digest: no filter finds it");
		break;
	case EXPLAIN_UNKNOWN:
		printf("in no digest, though a filter would find it: no source has brought it");
		break;
	}
	printf("\n");
}

/* "... Awakening Static Worlds for [Agent] Learning": the hit with what stands around it. */
static void
print_place(const struct cli *cli, const struct run_explained_clause *c)
{
	size_t len = strlen(c->place), from = c->start > AROUND ? c->start - AROUND : 0,
	       to = len - c->end > AROUND ? c->end + AROUND : len;

	while (from > 0 && ((unsigned char)c->place[from] & 0xc0) == 0x80)
		from--;
	while (to < len && ((unsigned char)c->place[to] & 0xc0) == 0x80)
		to++;
	printf("   %s%s:%s %s", term_dim(&cli->term), c->field, term_reset(&cli->term),
	    from > 0 ? term_dots(&cli->term) : "");
	term_putn(c->place + from, c->start - from);
	printf("%s%s", term_bold(&cli->term), cli->term.color ? "" : "[");
	term_putn(c->place + c->start, c->end - c->start);
	printf("%s%s", cli->term.color ? "" : "]", term_reset(&cli->term));
	term_putn(c->place + c->end, to - c->end);
	fputs(to < len ? term_dots(&cli->term) : "", stdout);
}

static void
print_filter(const struct cli *cli, const struct run_explained *f)
{
	printf("\n%s", term_bold(&cli->term));
	term_put(f->name);
	printf("%s: %s\n", term_reset(&cli->term), f->holds ? "true" : "false");
	for (size_t i = 0; i < f->nclauses; i++) {
		const struct run_explained_clause *c = &f->clauses[i];

		printf("  %*s%s ", (int)(2 * c->depth), "", c->holds ? "yes" : " no");
		term_put(c->text);
		if (c->place[0] != '\0')
			print_place(cli, c);
		printf("\n");
	}
}

static void
print_score(const struct run_explanation *e)
{
	const struct edition_pick *p = e->pick;

	if (p == NULL)
		return;
	printf("place %zu of %zu", e->place, e->nplaces);
	if (e->limit > 0)
		printf(
		    "; the filter's limit is %u, the digest's %u", e->limit, e->reader->max_papers);
	printf("\nscore %.3f = text %.3f + votes %.3f + trend %.3f + freshness %.3f\n",
	    (double)p->score, (double)p->score_text, (double)p->score_votes, (double)p->score_trend,
	    (double)p->score_freshness);
	if (p->also_in[0] != '\0') {
		printf("also found by: ");
		for (const char *s = p->also_in; *s != '\0'; s++)
			if (*s == '\n')
				printf(", ");
			else
				putchar(*s);
		printf("\n");
	}
}

static void
print_whole(struct cli *cli, const struct run_explanation *e)
{
	char wall[64];

	printf("%s: ", e->address);
	print_verdict(cli, e);
	print_score(e);
	if (e->edition != NULL) {
		run_format_wall(cli->run, e->reader->timezone, e->at_utc, wall, sizeof(wall));
		printf("asked as of %s", wall);
		if (e->votes >= 0)
			printf(", when it had %" PRId64 " votes", e->votes);
		printf("\n");
	}
	for (size_t i = 0; i < e->nfilters; i++)
		print_filter(cli, &e->filters[i]);
}

/* ---- for programs ---- */

static struct value *
json_clauses(struct arena *a, const struct run_explained *f)
{
	struct value *list = value_list(a);

	for (size_t i = 0; i < f->nclauses; i++) {
		const struct run_explained_clause *c = &f->clauses[i];
		struct value *v = value_object(a);

		value_set_string(a, v, "clause", c->text);
		value_set_number(a, v, "depth", c->depth);
		value_set_bool(a, v, "holds", c->holds);
		if (c->place[0] != '\0') {
			value_set_string(a, v, "field", c->field);
			value_set_string(a, v, "text", c->place);
			value_set_number(a, v, "start", (int64_t)c->start);
			value_set_number(a, v, "end", (int64_t)c->end);
		}
		value_append(a, list, v);
	}
	return list;
}

/* Of a paper that the store does not have: who would have brought it, as far as that is known. */
static struct value *
json_origins(const struct explaining *x, struct arena *a)
{
	struct value *list = value_list(a);

	for (size_t i = 0; i < x->cli->run->cfg->nsources; i++) {
		const struct run_origin *o = &x->origins[i];
		struct value *v = value_object(a);

		value_set_string(a, v, "source", o->source->name);
		if (o->brings != ORIGIN_UNSURE)
			value_set_bool(a, v, "brings", o->brings == ORIGIN_BRINGS);
		value_append(a, list, v);
	}
	return list;
}

static struct value *
json_score(struct arena *a, const struct edition_pick *p)
{
	const struct {
		const char *name;
		float part;
	} parts[] = { { "sum", p->score }, { "text", p->score_text }, { "votes", p->score_votes },
		{ "trend", p->score_trend }, { "freshness", p->score_freshness } };
	struct value *v = value_object(a);

	/* Numbers of templates are whole ones. */
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		value_set_string(
		    a, v, parts[i].name, arena_printf(a, "%.3f", (double)parts[i].part));
	return v;
}

static void
put_json(struct explaining *x, const struct run_explanation *e)
{
	struct arena a;
	struct value *v, *filters;

	arena_init(&a, MAX_RUN_BYTES);
	v = value_object(&a);
	filters = value_list(&a);
	value_set_string(&a, v, "address", e->address);
	value_set_string(&a, v, "paper", x->p->key);
	value_set_string(&a, v, "verdict", verdict_names[e->verdict]);
	if (e->pick != NULL) {
		if (e->verdict == EXPLAIN_NEXT)
			value_set_bool(&a, v, "cut", e->pick->cut);
		else
			value_set_string(&a, v, "period", e->period);
		if (e->pick->section != SECTION_OUTSIDE)
			value_set_string(&a, v, "section", section_name(e));
		value_set_number(&a, v, "place", (int64_t)e->place);
		value_set_number(&a, v, "of", (int64_t)e->nplaces);
		value_set(&a, v, "score", json_score(&a, e->pick));
	}
	for (size_t i = 0; i < e->nfilters; i++) {
		struct value *f = value_object(&a);

		value_set_string(&a, f, "filter", e->filters[i].name);
		value_set_bool(&a, f, "holds", e->filters[i].holds);
		value_set(&a, f, "clauses", json_clauses(&a, &e->filters[i]));
		value_append(&a, filters, f);
	}
	value_set(&a, v, "filters", filters);
	if (x->p->id == 0)
		value_set(&a, v, "sources", json_origins(x, &a));
	cli_put_json(v);
	arena_release(&a);
}

/* ---- the command ---- */

static int
explain_one(void *arg, const struct run_explanation *e)
{
	struct explaining *x = arg;

	if (x->cli->opt.json) {
		put_json(x, e);
	} else if (x->one) {
		print_whole(x->cli, e);
	} else if (x->nreaders < MAX_READERS_SHOWN || x->cli->opt.all) {
		term_put_cell(e->address, 32);
		printf("  ");
		print_verdict(x->cli, e);
	}
	x->nreaders++;
	return 0;
}

/* The reader, if the command line names one: with -u, or before the paper. */
static const char *
take_address(struct cli *cli)
{
	if (cli->opt.nusers > 0)
		return cli->opt.users[0];
	if (cli->nargs < 2 || strchr(cli->args[0], '@') == NULL)
		return NULL;
	cli->nargs--;
	return *cli->args++;
}

/* "cs.RO, cs.LG" */
static void
print_categories(const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		printf("%s", i > 0 ? ", " : "");
		term_put(names[i]);
	}
}

/* Why the store does not have it: what each source reads. */
static void
print_origins(const struct explaining *x)
{
	const struct config *cfg = x->cli->run->cfg;
	const struct run_origin *origins = x->origins;
	const struct paper *p = x->p;
	char day[DATE_RFC3339_SIZE];

	printf("The store does not have this paper");
	if (p->published_utc > 0) {
		date_format_day((int32_t)(p->published_utc / 86400), day);
		printf(", which was published on %s", day);
		if (p->published_utc <
		    clock_now_utc(&x->cli->clock) - SIGNAL_WINDOW_DAYS * INT64_C(86400))
			printf(", too long ago to be mailed,");
	}
	if (p->ncategories > 0) {
		printf(" in ");
		print_categories(p->categories, p->ncategories);
	}
	printf(".\n");
	for (size_t i = 0; i < cfg->nsources; i++) {
		const struct config_source *s = origins[i].source;

		printf("  source \"%s\"", s->name);
		if (origins[i].brings == ORIGIN_BRINGS)
			printf(" reads what it was announced as, and would have brought it on its "
			       "day\n");
		else if (origins[i].brings == ORIGIN_UNSURE)
			printf(" has not listed it while it was read\n");
		else {
			printf(" reads ");
			print_categories(s->categories, s->ncategories);
			printf(", which brings nothing that was announced as it was; see its "
			       "categories and "
			       "announce\n");
		}
	}
	printf("\n");
}

/* The paper, from the store or, if it is not there and has a name that a service knows, from that. */
static int
find_paper(struct cli *cli, const char *text, struct paper **out, struct error *err)
{
	int found = run_find_paper(cli->run, text, &cli->arena, out, err);

	if (found == 0 && !cli->opt.offline)
		found = run_fetch_paper(cli->run, text, &cli->arena, out, err);
	if (found == 0)
		return err_set(err, ERR_DATA,
		    "'%s' is no paper of the store%s; expected an arXiv id, a DOI, a URL or words "
		    "of a title",
		    text, cli->opt.offline ? "" : ", nor of arXiv");
	return found == 1 ? 0 : -1;
}

int
cmd_explain(struct cli *cli, struct error *err)
{
	struct explaining x = { .cli = cli };
	const char *address = take_address(cli), *text = cli_join_args(cli, err);
	struct paper *p;
	size_t nreaders;

	if (cli->opt.nusers > 1)
		return err_set(err, ERR_USAGE, "-u names one reader here");
	if (text == NULL || cli_open_readers(cli, CLI_OVERLAY, err) == -1 ||
	    find_paper(cli, text, &p, err) == -1)
		return -1;
	if (store_count_readers(cli->run->store, &nreaders, err) == -1)
		return -1;
	x.p = p;
	if (p->id == 0 && run_find_origins(cli->run, p, &cli->arena, &x.origins, err) == -1)
		return -1;
	x.one = address != NULL || nreaders == 1;
	if (!cli->opt.json) {
		printf("%s", term_bold(&cli->term));
		term_put(p->title);
		printf("%s\n\n", term_reset(&cli->term));
		if (p->id == 0)
			print_origins(&x);
	}
	if (run_explain(cli->run, address, p, explain_one, &x, err) == -1)
		return -1;
	if (!x.one && !cli->opt.json && !cli->opt.all && x.nreaders > MAX_READERS_SHOWN)
		printf("and %zu more readers; --all names them\n", x.nreaders - MAX_READERS_SHOWN);
	return EXIT_OK;
}
