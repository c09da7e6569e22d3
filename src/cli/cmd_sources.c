/* digest status sources: each source with its last two weeks. */
#include "cli.h"
#include "digest/date.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { INDENT = 2, LABEL_COLUMNS = 10 };

/* A line of a source behind its label. */
static void
put_field(const struct cli *cli, const char *label, const char *text)
{
	printf("%*s%s%-*s%s", INDENT, "", term_dim(&cli->term), LABEL_COLUMNS, label,
	    term_reset(&cli->term));
	term_put_filled(&cli->term, text, INDENT + LABEL_COLUMNS);
	putchar('\n');
}

/* "Sat 22 Aug 08:00 Etc/UTC (2 h ago)" behind other words. */
static void
put_moment(
    const struct cli *cli, const char *label, const char *words, int64_t utc, const char *more)
{
	char wall[64], span[32], line[512];

	run_format_wall(cli->run, "", utc, wall, sizeof(wall));
	run_format_span(utc - clock_now_utc(&cli->clock), span, sizeof(span));
	snprintf(line, sizeof(line), "%s%s (%s)%s", words, wall, span, more);
	put_field(cli, label, line);
}

static void
put_days(const struct cli *cli, const struct run_source_status *s)
{
	char first[DATE_RFC3339_SIZE], last[DATE_RFC3339_SIZE], tail[64];
	size_t most = 0, total = 0, len;

	for (size_t i = 0; i < RUN_STATUS_DAYS; i++) {
		most = s->counts[i] > most ? s->counts[i] : most;
		total += s->counts[i];
	}
	date_format_day(s->today - RUN_STATUS_DAYS + 1, first);
	date_format_day(s->today, last);
	len = (size_t)snprintf(tail, sizeof(tail), "%zu paper%s", total, total == 1 ? "" : "s");
	if (most > 0)
		snprintf(tail + len, sizeof(tail) - len, ", at most %zu a day", most);
	printf("%*s%s%-*s%s", INDENT, "", term_dim(&cli->term), LABEL_COLUMNS, "two weeks",
	    term_reset(&cli->term));
	term_put_chart(
	    &cli->term, INDENT + LABEL_COLUMNS, s->counts, RUN_STATUS_DAYS, first, last, tail);
	putchar('\n');
}

static void
put_newest(const struct cli *cli, const struct run_source_status *s)
{
	char day[DATE_RFC3339_SIZE], line[512];

	if (s->newest == NULL)
		return;
	date_format_day(s->newest_day, day);
	snprintf(line, sizeof(line), "%.300s, listed on %s", s->newest->key, day);
	put_field(cli, "newest", line);
	put_field(cli, "", s->newest->title);
}

static void
put_times(const struct cli *cli, const struct run_source_status *s)
{
	if (s->state->last_success_utc != 0)
		put_moment(cli, "read", "", s->state->last_success_utc, "");
	else
		put_field(cli, "read", "never yet with success");
	if (s->next_utc == 0)
		put_field(cli, "next", "at the next run");
	else
		put_moment(cli, "next", "not before ", s->next_utc, "");
}

static void
put_fault(const struct cli *cli, const struct run_source_status *s)
{
	char times[64];

	if (s->state->failing_since_utc == 0)
		return;
	snprintf(times, sizeof(times), ", %" PRIu32 " time%s in a row", s->state->nfailures,
	    s->state->nfailures == 1 ? "" : "s");
	put_moment(cli, "fails", "since ", s->state->failing_since_utc, times);
	printf("%*s", INDENT + LABEL_COLUMNS, "");
	term_put_styled(
	    &cli->term, term_warn(&cli->term), s->state->last_error, INDENT + LABEL_COLUMNS);
	putchar('\n');
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
		printf(": not asked yet\n");
		return;
	}
	printf(": %zu paper%s\n", s->npapers, s->npapers == 1 ? "" : "s");
	put_days(cli, s);
	put_newest(cli, s);
	put_times(cli, s);
	put_fault(cli, s);
	if (s->silence.text[0] != '\0' && s->state->failing_since_utc == 0)
		put_field(cli, "state", s->silence.text);
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
