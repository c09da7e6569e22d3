/* digest status sources: each source with its last two weeks. */
#include "cli.h"
#include "digest/date.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LABEL_COLUMNS = 10, DAY_SECONDS = 86400 };

static void
put_label(const struct cli *cli, const char *label)
{
	printf("  %s%-*s%s", term_dim(&cli->term), LABEL_COLUMNS, label, term_reset(&cli->term));
}

/* "Sat 22 Aug 08:00 Etc/UTC (2 h ago)" */
static void
put_moment(const struct cli *cli, int64_t utc)
{
	char wall[64], span[32];

	run_format_wall(cli->run, "", utc, wall, sizeof(wall));
	run_format_span(utc - clock_now_utc(&cli->clock), span, sizeof(span));
	printf("%s (%s)", wall, span);
}

static void
put_days(const struct cli *cli, const struct run_source_status *s)
{
	char first[DATE_RFC3339_SIZE], last[DATE_RFC3339_SIZE];
	size_t most = 0, total = 0;

	for (size_t i = 0; i < RUN_STATUS_DAYS; i++) {
		most = s->counts[i] > most ? s->counts[i] : most;
		total += s->counts[i];
	}
	date_format_day(s->today - RUN_STATUS_DAYS + 1, first);
	date_format_day(s->today, last);
	put_label(cli, "two weeks");
	printf("%s %s", first, term_accent(&cli->term));
	for (size_t i = 0; i < RUN_STATUS_DAYS; i++)
		fputs(term_bar(&cli->term, s->counts[i], most), stdout);
	printf("%s %s   %zu papers", term_reset(&cli->term), last, total);
	if (most > 0)
		printf(", at most %zu a day", most);
	printf("\n");
}

static void
put_newest(const struct cli *cli, const struct run_source_status *s)
{
	enum { LEFT = LABEL_COLUMNS + 2 };
	char day[DATE_RFC3339_SIZE];

	if (s->newest == NULL)
		return;
	date_format_day(s->newest_day, day);
	put_label(cli, "newest");
	printf("%s, listed on %s\n%*s", s->newest->key, day, LEFT, "");
	term_put_cell(
	    s->newest->title, cli->term.width > LEFT + 20 ? (size_t)cli->term.width - LEFT : 20);
	putchar('\n');
}

static void
put_times(const struct cli *cli, const struct run_source_status *s)
{
	put_label(cli, "read");
	if (s->state->last_success_utc != 0)
		put_moment(cli, s->state->last_success_utc);
	else
		printf("never yet with success");
	printf("\n");
	put_label(cli, "next");
	if (s->next_utc == 0)
		printf("at the next run\n");
	else {
		printf("not before ");
		put_moment(cli, s->next_utc);
		printf("\n");
	}
}

static void
put_fault(const struct cli *cli, const struct run_source_status *s)
{
	if (s->state->failing_since_utc == 0)
		return;
	put_label(cli, "fails");
	printf("since ");
	put_moment(cli, s->state->failing_since_utc);
	printf(", %" PRIu32 " time%s in a row\n%*s%s", s->state->nfailures,
	    s->state->nfailures == 1 ? "" : "s", LABEL_COLUMNS + 2, "", term_warn(&cli->term));
	term_put(s->state->last_error);
	printf("%s\n", term_reset(&cli->term));
}

static void
put_source(const struct cli *cli, const struct run_source_status *s)
{
	printf("%s", term_bold(&cli->term));
	term_put(s->name);
	printf("%s", term_reset(&cli->term));
	if (strcmp(s->name, s->type) != 0)
		printf(" (%s)", s->type);
	if (s->state == NULL || s->state->last_try_utc == 0) {
		printf(": not asked yet; the first run does\n");
		return;
	}
	printf(": %zu paper%s\n", s->npapers, s->npapers == 1 ? "" : "s");
	put_days(cli, s);
	put_newest(cli, s);
	put_times(cli, s);
	put_fault(cli, s);
	if (s->silence.text[0] != '\0' && s->state->failing_since_utc == 0) {
		put_label(cli, "state");
		term_put(s->silence.text);
		putchar('\n');
	}
}

static void
put_json(const struct run_source_status *s, struct arena *a)
{
	struct value *v = status_source_value(s, a), *days = value_list(a);

	for (size_t i = 0; i < RUN_STATUS_DAYS; i++) {
		struct value *day = value_object(a);
		char *name = arena_alloc(a, DATE_RFC3339_SIZE);

		if (name != NULL)
			date_format_day(s->today - RUN_STATUS_DAYS + 1 + (int32_t)i, name);
		value_set_string(a, day, "day", name);
		value_set_number(a, day, "papers", (int64_t)s->counts[i]);
		value_append(a, days, day);
	}
	value_set_number(a, v, "papers", (int64_t)s->npapers);
	value_set_number(a, v, "next", s->next_utc);
	value_set_string(a, v, "newest", s->newest != NULL ? s->newest->key : "");
	value_set(a, v, "days", days);
	cli_put_json(v);
}

int
status_put_sources(struct cli *cli, struct error *err)
{
	struct run_source_status *sources;
	size_t n;

	if (run_load_sources(cli->run, &cli->arena, &sources, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (cli->opt.json) {
			put_json(&sources[i], &cli->arena);
			continue;
		}
		if (i > 0)
			putchar('\n');
		put_source(cli, &sources[i]);
	}
	return 0;
}
