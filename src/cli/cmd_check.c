/* digest check: one line for each thing that must be in order, and what cures it. */
#include "cli.h"
#include "digest/limits.h"

#include <stdio.h>

enum { WHAT_COLUMNS = 10, VERDICT_COLUMNS = 5 };

static const char *const verdicts[] = {
	[VERDICT_OK] = "ok",
	[VERDICT_WARN] = "warn",
	[VERDICT_FAIL] = "fail",
};

static void
say(void *arg, enum run_verdict verdict, const char *what, const char *text, const char *cure)
{
	struct cli *cli = arg;
	struct strbuf line;
	struct value *v;

	if (cli->opt.json) {
		v = value_object(&cli->arena);
		value_set_string(&cli->arena, v, "verdict", verdicts[verdict]);
		value_set_string(&cli->arena, v, "what", what);
		value_set_string(&cli->arena, v, "text", text);
		value_set_string(&cli->arena, v, "cure", cure);
		cli_put_json(v);
		return;
	}
	if (cli->opt.quiet && verdict == VERDICT_OK)
		return;
	fputs(verdict == VERDICT_OK ? "" : term_warn(&cli->term), stdout);
	term_put_cell(verdicts[verdict], VERDICT_COLUMNS);
	fputs(term_reset(&cli->term), stdout);
	term_put_cell(what, WHAT_COLUMNS);
	strbuf_init(&line, MAX_TEXT_BYTES);
	strbuf_addf(&line, "%s%s%s", text, cure[0] != '\0' ? "; " : "", cure);
	term_put_filled(&cli->term, line.buf, WHAT_COLUMNS + VERDICT_COLUMNS);
	putchar('\n');
	strbuf_release(&line);
}

/* The one thing here that leaves this machine. */
static int
check_send(struct cli *cli, struct error *err)
{
	const char *canonical;

	if (cli_check_now(cli, err) == -1)
		return -1;
	if (run_canonical(cli->opt.send, &cli->arena, &canonical, err) == 0)
		return 0;
	err->kind = ERR_USAGE;
	return err_prefix(err, "--send");
}

int
cmd_check(struct cli *cli, struct error *err)
{
	struct run_check_options options = {
		.offline = cli->opt.offline, .send = cli->opt.send, .arg = cli, .say = say
	};

	if (cli_open(cli, CLI_NO_STORE, err) == -1) {
		say(cli, VERDICT_FAIL, "config", err->msg, "");
		return cli_exit_of_error(err);
	}
	if (options.send != NULL && check_send(cli, err) == -1)
		return -1;
	return run_exit_of_faults(run_check(cli->run, &options));
}
