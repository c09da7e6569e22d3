/* digest subscribe, unsubscribe: one reader by command. */
#include "cli.h"
#include "digest/limits.h"
#include "digest/quote.h"

#include <stdio.h>
#include <string.h>

static int
read_filters(struct cli *cli, struct run_wish *wish, struct error *err)
{
	size_t n = cli->opt.nfilters;
	struct filter *filters = arena_array(&cli->arena, n, sizeof(*filters));

	if (filters == NULL)
		return err_nomem(err, "filters");
	for (size_t i = 0; i < n; i++) {
		const char *text = cli->opt.filters[i], *equals = strchr(text, '=');

		if (equals == NULL)
			return err_set(err, ERR_USAGE, "--filter %s; expected NAME=QUERY", text);
		filters[i] = (struct filter){ .match = equals + 1, .when = "", .file = "" };
		filters[i].name = arena_strndup(&cli->arena, text, (size_t)(equals - text));
		if (filters[i].name == NULL)
			return err_nomem(err, "filters");
	}
	wish->filters = filters;
	wish->nfilters = n;
	return 0;
}

static void
put_first_digest(const char *address)
{
	struct strbuf word;

	strbuf_init(&word, MAX_NAME_BYTES * 4);
	quote_add_shell(&word, address);
	fputs(" is subscribed; see the first digest by: digest --dry-run -u ", stdout);
	term_put(word.buf);
	strbuf_release(&word);
}

static int
tell(struct cli *cli, enum run_taken taken, const char *address, const char *changes,
    struct error *err)
{
	static const char *const names[] = {
		[TAKEN_NEW] = "new", [TAKEN_CHANGED] = "changed", [TAKEN_SAME] = "same"
	};
	struct value *v;

	if (cli->opt.json) {
		v = value_object(&cli->arena);
		value_set_string(&cli->arena, v, "address", address);
		value_set_string(&cli->arena, v, "result", names[taken]);
		value_set_string(&cli->arena, v, "changes", changes);
		cli_put_json(v);
		return value_check(&cli->arena, err);
	}
	if (cli->opt.quiet)
		return EXIT_OK;
	term_put(address);
	if (taken == TAKEN_NEW) {
		put_first_digest(address);
	} else if (taken == TAKEN_CHANGED) {
		fputs(" is changed: ", stdout);
		term_put(changes);
	} else {
		fputs(" is a reader already, and nothing changed", stdout);
	}
	putchar('\n');
	return EXIT_OK;
}

int
cmd_subscribe(struct cli *cli, struct error *err)
{
	const struct options *opt = &cli->opt;
	const struct run_key given[] = { { "name", opt->name }, { "when", opt->when },
		{ "timezone", opt->timezone }, { "language", opt->language },
		{ "limit", opt->limit } };
	struct run_key keys[sizeof(given) / sizeof(given[0])];
	struct run_wish wish = { .address = cli->args[0],
		.keys = keys,
		.use = opt->use,
		.nuse = opt->nuse,
		.how = "command",
		.consent = opt->consent != NULL ? opt->consent : "",
		.record = "" };
	struct strbuf address, changes;
	enum run_taken taken;
	int rc = -1;

	for (size_t i = 0; i < sizeof(given) / sizeof(given[0]); i++)
		if (given[i].text != NULL)
			keys[wish.nkeys++] = given[i];
	if (read_filters(cli, &wish, err) == -1)
		return -1;
	strbuf_init(&address, MAX_NAME_BYTES * 2);
	strbuf_init(&changes, MAX_READER_BYTES);
	if (cli_open_readers(cli, CLI_WRITE, err) == 0 &&
	    run_subscribe(cli->run, &wish, &taken, &address, &changes, err) == 0)
		rc = tell(cli, taken, address.buf, changes.buf, err);
	strbuf_release(&changes);
	strbuf_release(&address);
	return rc;
}

static void
tell_left(struct cli *cli, const char *address)
{
	struct value *v;

	if (cli->opt.json) {
		v = value_object(&cli->arena);
		value_set_string(&cli->arena, v, "address", address);
		value_set_string(&cli->arena, v, "state", "left");
		cli_put_json(v);
	} else if (!cli->opt.quiet) {
		term_put(address);
		printf(" gets no more mail\n");
	}
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
	if (cli_open_readers(cli, CLI_WRITE, err) == -1)
		goto out;
	if (cli->opt.token != NULL) {
		rc = run_unsubscribe_token(cli->run, cli->opt.token, &address, err);
	} else {
		strbuf_add(&address, cli->args[0]);
		rc = run_unsubscribe(cli->run, cli->args[0], err);
	}
	if (rc == 0)
		tell_left(cli, address.buf);
out:
	strbuf_release(&address);
	return rc;
}
