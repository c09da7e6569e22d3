#include "cli.h"

#include "digest/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
cli_exit_of_error(const struct error *err)
{
	static const struct {
		enum err_kind kind;
		int code;
	} codes[] = {
		{ ERR_USAGE, EXIT_USAGE },
		{ ERR_DATA, EXIT_DATA },
		{ ERR_NET, EXIT_UNREACHABLE },
		{ ERR_BUG, EXIT_BUG },
		{ ERR_IO, EXIT_IO },
		{ ERR_TEMP, EXIT_DEFERRED },
		{ ERR_CONFIG, EXIT_CONFIG },
		{ ERR_NOMEM, EXIT_IO },
	};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].kind == err->kind)
			return codes[i].code;
	return EXIT_BUG;
}

int
cli_open(struct cli *cli, enum cli_store mode, struct error *err)
{
	static const enum store_mode modes[] = { [CLI_NO_STORE] = STORE_READ,
		[CLI_READ] = STORE_READ,
		[CLI_WRITE] = STORE_WRITE,
		[CLI_OVERLAY] = STORE_OVERLAY };
	struct run_settings settings = {
		.config_path = cli->opt.config,
		.clock = cli->clock,
		.log = &cli->log,
		.mode = modes[mode],
		.stop = cli->stop,
	};

	if (cli->term.err_tty && !cli->opt.quiet) {
		settings.ui.arg = &cli->progress;
		settings.ui.progress = term_progress;
		if (!cli->opt.verbose)
			settings.ui.tell = term_tell;
		cli->log.before = term_clear_progress;
		cli->log.arg = &cli->progress;
	}
	if (cli->term.err_tty && isatty(STDIN_FILENO) && !cli->opt.yes)
		settings.ui.confirm = term_confirm;
	if (run_open(&settings, &cli->run, err) == -1)
		return -1;
	if (mode == CLI_WRITE && cli_check_now(cli, err) == -1)
		return -1;
	return mode == CLI_NO_STORE ? 0 : run_open_store(cli->run, err);
}

int
cli_open_readers(struct cli *cli, enum cli_store mode, struct error *err)
{
	struct store_sync_counts counts;

	return cli_open(cli, mode, err) == -1 ? -1
					      : run_sync_readers(cli->run, false, &counts, err);
}

int
cli_check_now(struct cli *cli, struct error *err)
{
	if (!cli->clock.frozen || run_sinks_are_local(cli->run->cfg))
		return 0;
	return err_set(err, ERR_USAGE,
	    "--now: mail could leave this machine with a wrong date; expected a maildir: or a "
	    "loopback server as the "
	    "only way out, or --dry-run");
}

int
cli_users(struct cli *cli, const char ***out, struct error *err)
{
	const char **users = arena_array(&cli->arena, cli->opt.nusers, sizeof(*users));

	if (users == NULL)
		return err_nomem(err, "users");
	for (size_t i = 0; i < cli->opt.nusers; i++)
		if (run_canonical(cli->opt.users[i], &cli->arena, &users[i], err) == -1)
			return err_prefix(err, "-u");
	*out = users;
	return 0;
}

static int
read_number(
    const char *text, const char *option, int64_t min, int64_t max, int64_t *out, struct error *err)
{
	char *end;
	long long n;

	if (text == NULL)
		return 0;
	errno = 0;
	n = strtoll(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n < min || n > max)
		return err_set(err, ERR_USAGE, "%s '%s'; expected a number from %lld to %lld",
		    option, text, (long long)min, (long long)max);
	*out = n;
	return 0;
}

static int
read_sort(const char *text, enum sort_order *out, struct error *err)
{
	static const char *const names[] = {
		[SORT_BEST] = "best",
		[SORT_RELEVANCE] = "relevance",
		[SORT_VOTES] = "votes",
		[SORT_TRENDING] = "trending",
		[SORT_NEWEST] = "newest",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], text) == 0) {
			*out = (enum sort_order)i;
			return 0;
		}
	return err_set(err, ERR_USAGE,
	    "--sort '%s'; expected best, relevance, votes, trending or newest", text);
}

int
cli_read_reach(struct cli *cli, int64_t max_days, struct cli_reach *out, struct error *err)
{
	if (read_number(cli->opt.days, "--days", 1, max_days, &out->days, err) == -1 ||
	    read_number(cli->opt.limit, "--limit", 1, MAX_SECTION_PICKS, &out->limit, err) == -1 ||
	    (cli->opt.sort != NULL && read_sort(cli->opt.sort, &out->sort, err) == -1))
		return -1;
	if (cli->opt.nusers > 1)
		return err_set(err, ERR_USAGE, "-u names one reader here");
	if (cli->opt.nusers == 1)
		out->address = cli->opt.users[0];
	return 0;
}

const char *
cli_join_args(struct cli *cli, struct error *err)
{
	const char *text = "";

	for (int i = 0; i < cli->nargs && text != NULL; i++)
		text = arena_printf(&cli->arena, "%s%s%s", text, i > 0 ? " " : "", cli->args[i]);
	if (text == NULL)
		err_nomem(err, "arguments");
	return text;
}

void
cli_put_json(const struct value *v)
{
	struct strbuf line;

	strbuf_init(&line, MAX_RUN_BYTES);
	value_add_json(&line, v);
	puts(line.buf);
	strbuf_release(&line);
}
