/* digest subscribe, unsubscribe, subscribers: the list by command. */
#include "cli.h"
#include "digest/date.h"
#include "digest/limits.h"
#include "digest/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static int
sync_first(struct cli *cli, struct error *err)
{
	struct store_sync_counts counts;

	return run_sync_readers(cli->run, false, &counts, err);
}

int
cmd_subscribe(struct cli *cli, struct error *err)
{
	size_t n = cli->opt.nfilters;
	struct run_filter *filters = arena_array(&cli->arena, n, sizeof(*filters));

	if (filters == NULL)
		return err_nomem(err, "filters");
	for (size_t i = 0; i < n; i++) {
		const char *text = cli->opt.filters[i], *equals = strchr(text, '=');

		if (equals == NULL)
			return err_set(err, ERR_USAGE, "--filter %s; expected NAME=QUERY", text);
		filters[i].name = arena_strndup(&cli->arena, text, (size_t)(equals - text));
		filters[i].match = equals + 1;
		if (filters[i].name == NULL)
			return err_nomem(err, "filters");
	}
	if (cli_open(cli, CLI_WRITE, err) == -1 || sync_first(cli, err) == -1 ||
	    run_subscribe(cli->run, cli->args[0], filters, n, err) == -1)
		return -1;
	if (!cli->opt.quiet)
		printf("%s is subscribed; see the first digest by: digest --dry-run -u %s\n",
		    cli->args[0], cli->args[0]);
	return EXIT_OK;
}

int
cmd_unsubscribe(struct cli *cli, struct error *err)
{
	struct strbuf address;
	int rc = -1;

	if ((cli->nargs == 1) == (cli->opt.token != NULL))
		return err_set(err, ERR_USAGE,
		    "usage: digest unsubscribe ADDRESS, or digest unsubscribe --token TOKEN");
	strbuf_init(&address, MAX_NAME_BYTES * 2);
	if (cli_open(cli, CLI_WRITE, err) == -1 || sync_first(cli, err) == -1)
		goto out;
	if (cli->opt.token != NULL) {
		rc = run_unsubscribe_token(cli->run, cli->opt.token, &address, err);
	} else {
		strbuf_add(&address, cli->args[0]);
		rc = run_unsubscribe(cli->run, cli->args[0], err);
	}
	if (rc == 0 && !cli->opt.quiet) {
		term_put(address.buf);
		printf(" gets no more mail\n");
	}
out:
	strbuf_release(&address);
	return rc;
}

/* ---- the list ---- */

static const char *
state_of(const struct store_reader *r, int64_t now_utc)
{
	if (r->suppressed)
		return "left";
	if (r->state == READER_ENDED)
		return "ended";
	if (r->vanished)
		return "gone"; /* the block, and nobody has confirmed it */
	if (r->sub.paused_until > now_utc / 86400)
		return "paused";
	return r->broken ? "broken" : "active";
}

static const char *
origin_of(const struct store_reader *r)
{
	static const char *const names[] = {
		[ORIGIN_FILE] = "file", [ORIGIN_COMMAND] = "command", [ORIGIN_MAIL] = "mail"
	};

	return names[r->sub.origin];
}

static struct value *
reader_value(const struct store_reader *r, int64_t now_utc, struct arena *a)
{
	struct value *v = value_object(a), *filters = value_list(a);

	value_set_string(a, v, "type", "subscriber");
	value_set_string(a, v, "address", r->sub.address);
	value_set_string(a, v, "name", r->sub.name);
	value_set_string(a, v, "state", state_of(r, now_utc));
	value_set_string(a, v, "origin", origin_of(r));
	value_set_string(a, v, "when", r->sub.when);
	value_set_string(a, v, "timezone", r->sub.timezone);
	value_set_string(a, v, "language", r->sub.language);
	value_set_number(a, v, "limit", r->sub.limit);
	value_set_number(a, v, "max_papers", r->sub.max_papers);
	value_set_string(a, v, "consent", r->consent);
	value_set_number(a, v, "created", r->created_utc);
	value_set_number(a, v, "last_edition", r->last_edition_utc);
	for (size_t i = 0; i < r->sub.nfilters; i++) {
		struct value *f = value_object(a);

		value_set_string(a, f, "name", r->sub.filters[i].name);
		value_set_string(a, f, "match", r->sub.filters[i].match);
		value_append(a, filters, f);
	}
	value_set(a, v, "filters", filters);
	return v;
}

struct listing {
	struct cli *cli;
	size_t n;
	bool json;
	struct arena scratch;
};

static int
print_reader(void *arg, const struct store_reader *r)
{
	struct listing *l = arg;
	int64_t now_utc = clock_now_utc(&l->cli->clock);
	char filters[32];

	l->n++;
	if (l->json) {
		cli_put_json(reader_value(r, now_utc, &l->scratch));
		arena_reset(&l->scratch);
		return 0;
	}
	snprintf(filters, sizeof(filters), "%zu filter%s", r->sub.nfilters,
	    r->sub.nfilters == 1 ? "" : "s");
	term_put_cell(r->sub.address, 32);
	putchar(' ');
	term_put_cell(state_of(r, now_utc), 8);
	term_put_cell(r->sub.when, 18);
	term_put_cell(filters, 12);
	if (r->sub.file[0] != '\0')
		printf("%s:%u", r->sub.file, (unsigned)r->sub.line);
	else
		fputs(origin_of(r), stdout);
	putchar('\n');
	return 0;
}

static int
list_readers(struct cli *cli, struct error *err)
{
	struct listing l = { .cli = cli, .json = cli->opt.json };
	int rc;

	/* An overlay takes in the file's readers without writing, so that the list is right before the first run. */
	if (cli_open(cli, CLI_OVERLAY, err) == -1 || sync_first(cli, err) == -1)
		return -1;
	arena_init(&l.scratch, MAX_READER_BYTES);
	rc = store_each_reader(cli->run->store, cli->opt.all, print_reader, &l, err);
	arena_release(&l.scratch);
	if (rc == 0 && l.n == 0 && !cli->opt.json)
		fprintf(stderr,
		    "no readers; add a subscriber block to %s, or: digest subscribe ADDRESS\n",
		    cli->run->cfg->path);
	return rc;
}

static int
export_one(struct cli *cli, const char *address, struct error *err)
{
	struct store_reader *r;
	const char *canonical;
	int found;

	if (cli_open(cli, CLI_OVERLAY, err) == -1 || sync_first(cli, err) == -1 ||
	    run_canonical(address, &cli->arena, &canonical, err) == -1)
		return -1;
	found = store_find_reader(cli->run->store, canonical, &cli->arena, &r, err);
	if (found == 0)
		return err_set(err, ERR_USAGE, "%s is not a reader", canonical);
	if (found == 1)
		cli_put_json(reader_value(r, clock_now_utc(&cli->clock), &cli->arena));
	return found == 1 ? EXIT_OK : -1;
}

static int
pause_one(struct cli *cli, const char *address, struct error *err)
{
	int32_t until;

	if (cli->opt.until == NULL)
		return err_set(
		    err, ERR_USAGE, "pause needs --until DATE, the day on which mail starts again");
	if (date_parse_day(cli->opt.until, &until, err) == -1) {
		err->kind = ERR_USAGE;
		return err_prefix(err, "--until");
	}
	return run_pause(cli->run, address, until, err);
}

int
cmd_subscribers(struct cli *cli, struct error *err)
{
	static const char *const verbs[] = { "pause", "resume", "erase", "export", NULL };
	const char *verb = cli->nargs > 0 ? cli->args[0] : NULL;
	const char *near;

	if (verb == NULL)
		return list_readers(cli, err);
	near = text_nearest(verb, verbs);
	if (near == NULL || strcmp(near, verb) != 0)
		return err_set(err, ERR_USAGE,
		    "subscribers: '%s'; expected pause, resume, erase or export", verb);
	if (cli->nargs != 2)
		return err_set(err, ERR_USAGE, "usage: digest subscribers %s ADDRESS", verb);
	if (strcmp(verb, "export") == 0)
		return export_one(cli, cli->args[1], err);
	if (cli_open(cli, CLI_WRITE, err) == -1 || sync_first(cli, err) == -1)
		return -1;
	if (strcmp(verb, "pause") == 0)
		return pause_one(cli, cli->args[1], err);
	if (strcmp(verb, "resume") == 0)
		return run_resume(
		    cli->run, cli->args[1], cli->opt.consent != NULL ? cli->opt.consent : "", err);
	return run_erase(cli->run, cli->args[1], err);
}

/* ---- export ---- */

int
cmd_export(struct cli *cli, struct error *err)
{
	static const char *const whats[] = { "papers", "subscribers", "all", NULL };
	const char *what = cli->nargs > 0 ? cli->args[0] : "all";
	struct listing l = { .cli = cli, .json = true };
	bool known = false;
	int rc = 0;

	for (size_t i = 0; whats[i] != NULL; i++)
		known |= strcmp(what, whats[i]) == 0;
	if (!known)
		return err_set(
		    err, ERR_USAGE, "export: '%s'; expected papers, subscribers or all", what);
	if (cli_open(cli, CLI_READ, err) == -1)
		return -1;
	arena_init(&l.scratch, MAX_READER_BYTES);
	if (strcmp(what, "subscribers") != 0)
		rc = cli_export_papers(cli, err);
	if (rc == 0 && strcmp(what, "papers") != 0)
		rc = store_each_reader(cli->run->store, true, print_reader, &l, err);
	arena_release(&l.scratch);
	return rc;
}
