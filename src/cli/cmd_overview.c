/* Bare `digest`: one screen that says how things stand. Sends nothing, asks nobody. */
#include "cli.h"

#include <stdio.h>

enum { NARROW_SCREEN = 64 };

static int
print_json(struct cli *cli, const struct run_status *s)
{
	struct arena *a = &cli->arena;
	struct value *v = value_object(a);

	value_set_string(a, v, "config", cli->run->cfg->path);
	value_set_string(a, v, "store", cli->run->cfg->store.path);
	value_set_bool(a, v, "store_exists", s->has_store);
	value_set_number(
	    a, v, "readers", (int64_t)(s->has_store ? s->sizes.nreaders : cli->run->cfg->nreaders));
	value_set_number(a, v, "reader_errors", (int64_t)cli->run->cfg->nreader_errors);
	value_set_number(a, v, "papers", (int64_t)s->sizes.npapers);
	value_set_number(a, v, "last_run", s->last != NULL ? s->last->started_utc : 0);
	value_set_string(a, v, "last_run_summary", s->last != NULL ? s->last->summary : "");
	value_set_string(a, v, "next_reader", s->next.address);
	value_set_number(a, v, "next_due", s->next.due_utc);
	value_set_number(a, v, "due", (int64_t)s->next.ndue);
	value_set_number(a, v, "deferred", (int64_t)s->unsettled[EDITION_DEFERRED]);
	value_set_number(a, v, "held", (int64_t)s->unsettled[EDITION_HELD]);
	value_set_number(a, v, "on_hold_since", s->on_hold ? s->hold_since_utc : 0);
	cli_put_json(v);
	return 0;
}

/* What needs a person, if anything. */
static void
print_needs(const struct cli *cli, const struct run_status *s)
{
	size_t nerrors = cli->run->cfg->nreader_errors, nwaiting = s->unsettled[EDITION_DEFERRED];
	char line[128];

	if (nerrors > 0) {
		snprintf(line, sizeof(line), "%zu %s an error in their block (see above)", nerrors,
		    nerrors == 1 ? "reader has" : "readers have");
		status_put_warning(cli, line);
	}
	if (cli->run->cfg->lost_zone != NULL)
		status_put_warning(cli, "the time zone of the defaults is gone (see above)");
	if (nwaiting > 0) {
		snprintf(line, sizeof(line), "%zu mail%s for another try", nwaiting,
		    nwaiting == 1 ? " waits" : "s wait");
		status_put_warning(cli, line);
	}
	if (s->last != NULL)
		status_put_faults(cli, s);
}

static void
print_tries(const struct cli *cli)
{
	static const char *const tries[][2] = {
		{ "digest --dry-run", "what would go out now" },
		{ "digest run", "fetch and send what is due" },
		{ "digest help", "all commands" },
	};

	putchar('\n');
	for (size_t i = 0; i < sizeof(tries) / sizeof(tries[0]); i++)
		if (cli->term.out_tty && cli->term.width < NARROW_SCREEN)
			printf("%s%s\n", i == 0 ? "try\n  " : "  ", tries[i][0]);
		else
			printf("%-8s %-26s %s\n", i == 0 ? "try" : "", tries[i][0], tries[i][1]);
}

static void
print_screen(const struct cli *cli, const struct run_status *s)
{
	status_put_place(cli, s);
	if (s->has_store) {
		status_put_last_run(cli, s);
		status_put_next(cli, s);
	}
	print_needs(cli, s);
	print_tries(cli);
}

int
cmd_overview(struct cli *cli, struct error *err)
{
	struct run_status s;

	if (cli_open(cli, CLI_NO_STORE, err) == -1 ||
	    run_load_status(cli->run, &cli->arena, &s, err) == -1)
		return -1;
	if (cli->opt.json)
		return print_json(cli, &s);
	print_screen(cli, &s);
	return EXIT_OK;
}
