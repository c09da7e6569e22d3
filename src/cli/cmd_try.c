/* digest try QUERY: what a filter would have brought, before it is saved. */
#include "cli.h"
#include "digest/date.h"
#include "digest/limits.h"
#include "digest/text.h"
#include "digest/value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { INDENT = 2, DEFAULT_DAYS = 30, MAX_DAYS = 400, DEFAULT_LIMIT = 5, MAX_SHOWN_CLAUSES = 40 };

/* ---- for people ---- */

static void
print_heading(const struct cli *cli, const char *text)
{
	printf("\n%s%s%s\n", term_bold(&cli->term), text, term_reset(&cli->term));
}

static const char *
day_name(int32_t day, char out[DATE_RFC3339_SIZE])
{
	date_format_day(day, out);
	return out;
}

static void
print_chart(const struct cli *cli, const struct run_trial *t)
{
	char first[DATE_RFC3339_SIZE], last[DATE_RFC3339_SIZE], tail[64] = "";
	size_t counts[MAX_DAYS], most = 0;

	for (size_t i = 0; i < t->ndays; i++) {
		counts[i] = t->days[i].nmatched;
		most = counts[i] > most ? counts[i] : most;
	}
	if (most > 0)
		snprintf(tail, sizeof(tail), "most: %zu a day", most);
	printf("  ");
	term_put_chart(&cli->term, INDENT, counts, t->ndays, day_name(t->first_day, first),
	    day_name(t->first_day + (int32_t)t->ndays - 1, last), tail);
	putchar('\n');
}

/* "about 3 papers a day", or a week when they are rarer. */
static void
print_rate(const struct cli *cli, const struct run_trial *t)
{
	double days = (double)t->ndays, rate = (double)t->nmatched / days;
	char line[256], how[64];

	if (t->nmatched == 0)
		snprintf(how, sizeof(how), "none");
	else if (rate >= 0.95)
		snprintf(how, sizeof(how), "about %.0f a day", rate);
	else if (rate * 7 >= 0.95)
		snprintf(how, sizeof(how), "about %.0f a week", rate * 7);
	else
		snprintf(how, sizeof(how), "about one in %.0f days", 1 / rate);
	snprintf(line, sizeof(line), "%zu of %zu papers of the last %zu days match: %s.",
	    t->nmatched, t->npapers, t->ndays, how);
	printf("  ");
	term_put_filled(&cli->term, line, INDENT);
	putchar('\n');
}

static void
print_clauses(const struct cli *cli, const struct run_trial *t)
{
	if (t->nclauses < 2)
		return;
	print_heading(cli, "What finds what");
	for (size_t i = 0; i < t->nclauses && i < MAX_SHOWN_CLAUSES; i++) {
		printf("%6zu  %*s", t->clauses[i].npapers, (int)(2 * t->clauses[i].depth), "");
		term_put(t->clauses[i].text);
		putchar('\n');
	}
	if (t->nclauses > MAX_SHOWN_CLAUSES)
		printf("        and %zu more clauses\n", t->nclauses - MAX_SHOWN_CLAUSES);
}

static void
print_papers(const struct cli *cli, const struct paper *const *papers, size_t n)
{
	enum { LEFT = 20 };
	bool narrow = (size_t)cli->term.width < LEFT + 20;
	size_t width = (size_t)cli->term.width - (narrow ? 2 * INDENT : LEFT);

	for (size_t i = 0; i < n; i++) {
		const struct paper *p = papers[i];
		char day[DATE_RFC3339_SIZE];

		day_name((int32_t)(p->first_listed_utc / 86400), day);
		if (p->votes >= 0)
			printf("  %s %5" PRId64 "  ", day, p->votes);
		else
			printf("  %s     -  ", day);
		if (narrow)
			printf("\n%*s", 2 * INDENT, "");
		term_put_cell(p->title, width);
		putchar('\n');
	}
}

static void
print_fields(const struct cli *cli, const struct run_trial *t)
{
	if (t->nfields == 0)
		return;
	print_heading(cli, "What it asks for and is not always known");
	for (size_t i = 0; i < t->nfields; i++)
		printf("  %s is known of %.0f %% of the papers\n", t->fields[i].name,
		    100.0 * (double)t->fields[i].nknown / (double)t->npapers);
}

static void
print_filters(const struct cli *cli, const struct run_trial *t)
{
	if (t->nfilters == 0)
		return;
	print_heading(cli, "Beside the other filters of this reader");
	for (size_t i = 0; i < t->nfilters; i++) {
		printf("  %zu of %zu are found by \"", t->filters[i].nboth, t->nmatched);
		term_put(t->filters[i].name);
		printf("\" too, which finds %zu\n", t->filters[i].npapers);
	}
}

static void
print_difference(const struct cli *cli, const char *what, size_t n,
    const struct paper *const *papers, size_t nshown)
{
	char heading[64];

	snprintf(heading, sizeof(heading), "%s: %zu", what, n);
	print_heading(cli, heading);
	print_papers(cli, papers, nshown);
	if (n > nshown)
		printf("  and %zu more\n", n - nshown);
}

static void
print_trial(const struct cli *cli, const struct run_try_options *o, const struct run_trial *t)
{
	char line[160];

	term_put_filled(&cli->term, o->query, 0);
	printf("\n\n");
	if (t->npapers == 0) {
		snprintf(line, sizeof(line),
		    "No paper was listed in the last %zu days; 'digest fetch --since DATE' reads "
		    "older ones.",
		    t->ndays);
		printf("  ");
		term_put_filled(&cli->term, line, INDENT);
		putchar('\n');
		return;
	}
	print_rate(cli, t);
	print_chart(cli, t);
	print_clauses(cli, t);
	if (o->instead_of != NULL) {
		print_difference(cli, "Gained", t->ngained, t->gained, t->ngained_shown);
		print_difference(cli, "Lost", t->nlost, t->lost, t->nlost_shown);
	} else if (t->nbest > 0) {
		print_heading(cli, "The best (listed, votes)");
		print_papers(cli, t->best, t->nbest);
	}
	print_fields(cli, t);
	print_filters(cli, t);
	if (t->nmissed > 0) {
		print_heading(cli, "Popular, and not found by it");
		print_papers(cli, t->missed, t->nmissed);
	}
}

/* ---- for programs ---- */

static struct value *
json_papers(struct arena *a, const struct paper *const *papers, size_t n)
{
	struct value *list = value_list(a);

	for (size_t i = 0; i < n; i++) {
		struct value *v = value_object(a);

		value_set_string(a, v, "key", papers[i]->key);
		value_set_string(a, v, "title", papers[i]->title);
		if (papers[i]->votes >= 0)
			value_set_number(a, v, "votes", papers[i]->votes);
		value_append(a, list, v);
	}
	return list;
}

static struct value *
json_lists(struct arena *a, const struct run_trial *t, struct value *v)
{
	struct value *days = value_list(a), *clauses = value_list(a), *fields = value_list(a),
		     *filters = value_list(a);

	for (size_t i = 0; i < t->ndays; i++) {
		struct value *day = value_object(a);
		char *name = arena_alloc(a, DATE_RFC3339_SIZE);

		if (name != NULL)
			day_name(t->first_day + (int32_t)i, name);
		value_set_string(a, day, "day", name);
		value_set_number(a, day, "papers", (int64_t)t->days[i].nlisted);
		value_set_number(a, day, "matched", (int64_t)t->days[i].nmatched);
		value_append(a, days, day);
	}
	for (size_t i = 0; i < t->nclauses; i++) {
		struct value *clause = value_object(a);

		value_set_string(a, clause, "clause", t->clauses[i].text);
		value_set_number(a, clause, "depth", t->clauses[i].depth);
		value_set_number(a, clause, "matched", (int64_t)t->clauses[i].npapers);
		value_append(a, clauses, clause);
	}
	for (size_t i = 0; i < t->nfields; i++) {
		struct value *field = value_object(a);

		value_set_string(a, field, "field", t->fields[i].name);
		value_set_number(a, field, "known", (int64_t)t->fields[i].nknown);
		value_append(a, fields, field);
	}
	for (size_t i = 0; i < t->nfilters; i++) {
		struct value *filter = value_object(a);

		value_set_string(a, filter, "filter", t->filters[i].name);
		value_set_number(a, filter, "matched", (int64_t)t->filters[i].npapers);
		value_set_number(a, filter, "both", (int64_t)t->filters[i].nboth);
		value_append(a, filters, filter);
	}
	value_set(a, v, "days", days);
	value_set(a, v, "clauses", clauses);
	value_set(a, v, "fields", fields);
	value_set(a, v, "filters", filters);
	return v;
}

static void
put_json(struct arena *a, const struct run_try_options *o, const struct run_trial *t)
{
	struct value *v = value_object(a);

	value_set_string(a, v, "query", o->query);
	value_set_number(a, v, "papers", (int64_t)t->npapers);
	value_set_number(a, v, "matched", (int64_t)t->nmatched);
	value_set(a, v, "best", json_papers(a, t->best, t->nbest));
	value_set(a, v, "missed", json_papers(a, t->missed, t->nmissed));
	if (o->instead_of != NULL) {
		value_set_string(a, v, "instead_of", o->instead_of);
		value_set_number(a, v, "ngained", (int64_t)t->ngained);
		value_set_number(a, v, "nlost", (int64_t)t->nlost);
		value_set(a, v, "gained", json_papers(a, t->gained, t->ngained_shown));
		value_set(a, v, "lost", json_papers(a, t->lost, t->nlost_shown));
	}
	cli_put_json(json_lists(a, t, v));
}

/* ---- the command ---- */

static int
try_one(struct cli *cli, const struct run_try_options *options, struct error *err)
{
	struct run_trial trial;
	struct strbuf caret;
	struct arena a;
	int rc;

	arena_init(&a, MAX_RUN_BYTES);
	rc = run_try(cli->run, options, &a, &trial, err);
	if (rc == -1 && err->kind == ERR_DATA && trial.npapers == 0) {
		strbuf_init(&caret, 2 * MAX_QUERY_BYTES + 16);
		run_add_caret(&caret, options->query, trial.wrong);
		fputs(caret.buf, stderr);
		strbuf_release(&caret);
	}
	if (rc == 0 && cli->opt.json)
		put_json(&a, options, &trial);
	else if (rc == 0)
		print_trial(cli, options, &trial);
	arena_release(&a);
	return rc;
}

/* The filters that were edited since the last run, each against what it was. */
struct edited {
	struct cli *cli;
	struct run_try_options options;
	size_t n;
	struct error *err;
};

static int
try_edited(void *arg, const struct subscriber *reader, const struct filter *now, const char *before)
{
	struct edited *e = arg;

	e->options.address = reader->address;
	e->options.query = now->match;
	e->options.instead_of = now->name;
	e->options.instead_of_match = before;
	if (!e->cli->opt.json) {
		printf("%s%s: ", e->n > 0 ? "\n\n" : "", reader->address);
		term_put(now->name);
		printf("\n");
	}
	e->n++;
	return try_one(e->cli, &e->options, e->err);
}

static int
read_options(struct cli *cli, struct run_try_options *out, struct error *err)
{
	struct cli_reach reach = {
		.days = DEFAULT_DAYS, .limit = DEFAULT_LIMIT, .sort = SORT_BEST
	};

	if (cli_read_reach(cli, MAX_DAYS, &reach, err) == -1)
		return -1;
	*out = (struct run_try_options){ .address = reach.address,
		.instead_of = cli->opt.instead_of,
		.ndays = (size_t)reach.days,
		.sort = reach.sort,
		.limit = (uint32_t)reach.limit };
	return 0;
}

int
cmd_try(struct cli *cli, struct error *err)
{
	struct edited edited = { .cli = cli, .err = err };

	if (read_options(cli, &edited.options, err) == -1)
		return -1;
	if (cli->nargs > 0) {
		if (cli_open_readers(cli, CLI_OVERLAY, err) == -1)
			return -1;
		edited.options.query = cli_join_args(cli, err);
		if (edited.options.query == NULL)
			return -1;
		return try_one(cli, &edited.options, err) == 0 ? EXIT_OK : -1;
	}
	/* The readers of the store are as the last run found them. */
	if (cli_open(cli, CLI_OVERLAY, err) == -1 ||
	    run_each_edited_filter(cli->run, try_edited, &edited, err) != 0)
		return -1;
	if (edited.n == 0 && !cli->opt.json)
		printf("No filter was edited since the last run; 'digest try QUERY' tries a new "
		       "one.\n");
	return EXIT_OK;
}
