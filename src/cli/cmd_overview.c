/* Bare `digest`: one screen that says how things stand. Sends nothing, asks nobody. */
#include "cli.h"
#include "digest/file.h"
#include "digest/limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

struct overview {
	struct store_sizes sizes;
	struct store_run *last; /* NULL = no run yet */
	struct run_next next;
	size_t editions[EDITION_EMPTY + 1];
	bool has_store;
};

static int
collect(struct cli *cli, struct overview *o, struct error *err)
{
	struct run *run = cli->run;

	o->next.address = "";
	o->has_store = file_exists(run->cfg->store.path);
	if (!o->has_store)
		return 0;
	if (run_open_store(run, err) == -1 || store_load_sizes(run->store, &o->sizes, err) == -1 ||
	    store_load_last_run(run->store, &cli->arena, &o->last, err) == -1 ||
	    store_count_editions(run->store, o->editions, err) == -1)
		return -1;
	return run_find_next(run, &o->next, &cli->arena, err);
}

static int
print_json(struct cli *cli, const struct overview *o)
{
	struct arena *a = &cli->arena;
	struct value *v = value_object(a);

	value_set_string(a, v, "config", cli->run->cfg->path);
	value_set_string(a, v, "store", cli->run->cfg->store.path);
	value_set_bool(a, v, "store_exists", o->has_store);
	value_set_number(
	    a, v, "readers", (int64_t)(o->has_store ? o->sizes.nreaders : cli->run->cfg->nreaders));
	value_set_number(a, v, "reader_errors", (int64_t)cli->run->nreader_errors);
	value_set_number(a, v, "papers", (int64_t)o->sizes.npapers);
	value_set_number(a, v, "last_run", o->last != NULL ? o->last->started_utc : 0);
	value_set_string(a, v, "last_run_summary", o->last != NULL ? o->last->summary : "");
	value_set_string(a, v, "next_reader", o->next.address);
	value_set_number(a, v, "next_due", o->next.due_utc);
	value_set_number(a, v, "due", (int64_t)o->next.ndue);
	value_set_number(a, v, "deferred", (int64_t)o->editions[EDITION_DEFERRED]);
	value_set_number(a, v, "held", (int64_t)o->editions[EDITION_HELD]);
	cli_put_json(v);
	return 0;
}

static void
print_line(const struct cli *cli, const char *label, const char *text)
{
	printf("%s%-9s%s", term_dim(&cli->term), label, term_reset(&cli->term));
	term_put(text);
	putchar('\n');
}

static void
print_last_run(const struct cli *cli, const struct overview *o)
{
	char wall[64], span[32], line[512];

	if (o->last == NULL) {
		print_line(cli, "last run", "none yet");
		return;
	}
	run_format_wall(cli->run, "", o->last->started_utc, wall, sizeof(wall));
	run_format_span(o->last->started_utc - clock_now_utc(&cli->clock), span, sizeof(span));
	snprintf(line, sizeof(line), "%s (%s): %s", wall, span,
	    o->last->finished_utc == 0 ? "did not finish" : o->last->summary);
	print_line(cli, "last run", line);
}

static void
print_next(const struct cli *cli, const struct overview *o)
{
	char span[32], line[512];

	if (o->next.address[0] == '\0')
		return;
	run_format_span(o->next.due_utc - clock_now_utc(&cli->clock), span, sizeof(span));
	if (o->next.ndue > 0)
		snprintf(line, sizeof(line), "%zu of %zu readers are due now", o->next.ndue,
		    o->next.nactive);
	else
		snprintf(line, sizeof(line), "%s, %s (%s)", o->next.address, o->next.wall, span);
	print_line(cli, "next", line);
}

/* What needs a person, if anything. */
static void
print_needs(const struct cli *cli, const struct overview *o)
{
	const char *warn = term_warn(&cli->term), *reset = term_reset(&cli->term);

	if (cli->run->nreader_errors > 0)
		printf("%s%zu %s an error in their block%s (see above)\n", warn,
		    cli->run->nreader_errors,
		    cli->run->nreader_errors == 1 ? "reader has" : "readers have", reset);
	if (o->editions[EDITION_DEFERRED] > 0)
		printf("%s%zu mails wait for another try%s\n", warn, o->editions[EDITION_DEFERRED],
		    reset);
	if (o->editions[EDITION_HELD] > 0)
		printf("%s%zu mails are held%s\n", warn, o->editions[EDITION_HELD], reset);
}

static void
print_screen(const struct cli *cli, const struct overview *o)
{
	const struct config *cfg = cli->run->cfg;
	size_t nreaders = o->has_store ? o->sizes.nreaders : cfg->nreaders;
	const char *plural = nreaders == 1 ? "" : "s";
	char line[1024];

	print_line(cli, "config", cfg->path);
	snprintf(line, sizeof(line), "%s%s", cfg->store.path,
	    o->has_store ? "" : " (made by the first run)");
	print_line(cli, "store", line);
	if (o->has_store)
		snprintf(line, sizeof(line), "%zu reader%s, %zu papers, %zu left or stopped",
		    nreaders, plural, o->sizes.npapers, o->sizes.nsuppressed);
	else
		snprintf(line, sizeof(line), "%zu reader%s in the file", nreaders, plural);
	print_line(cli, "holds", line);
	if (o->has_store)
		print_last_run(cli, o);
	print_next(cli, o);
	print_needs(cli, o);
	printf("\ntry      digest --dry-run           what would go out now\n"
	       "         digest run                 fetch and send what is due\n"
	       "         digest help                all commands\n");
}

int
cmd_overview(struct cli *cli, struct error *err)
{
	struct overview o = { 0 };

	if (cli_open(cli, CLI_NO_STORE, err) == -1)
		return -1;
	if (collect(cli, &o, err) == -1)
		return -1;
	if (cli->opt.json)
		return print_json(cli, &o);
	print_screen(cli, &o);
	return EXIT_OK;
}
