/* digest run, send, fetch: what cron calls. Silent unless a person must act. */
#include "cli.h"
#include "digest/date.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void
print_sources(const struct run_report *r)
{
	for (size_t i = 0; i < r->nsources; i++) {
		const struct run_source_report *s = &r->sources[i];

		if (s->name == NULL)
			continue;
		term_put(s->name);
		if (!s->asked)
			printf(": not asked; it is not time yet\n");
		else if (s->failed)
			printf(": failed; see above\n");
		else
			printf(": %zu paper%s read, %zu new, %zu changed%s\n", s->nread,
			    s->nread == 1 ? "" : "s", s->nnew, s->nchanged,
			    s->cut ? "; stopped before its end" : "");
	}
}

/* On a terminal a person wants to know; cron wants silence. */
static void
print_report(struct cli *cli, const struct run_report *r, bool delivered)
{
	term_clear_progress(&cli->progress);
	if (cli->opt.json) {
		cli_put_json(run_report_value(r, &cli->arena));
		return;
	}
	if (!cli->term.out_tty || cli->opt.quiet)
		return;
	if (r->other_run != 0)
		return; /* it was said */
	print_sources(r);
	if (!delivered)
		return;
	printf("%zu of %zu readers due: %zu sent, %zu with nothing new", r->ndue, r->nreaders,
	    r->nsent, r->nempty);
	if (r->ndeferred + r->nfailed + r->nunknown > 0)
		printf(", %zu deferred, %zu failed, %zu unknown", r->ndeferred, r->nfailed,
		    r->nunknown);
	putchar('\n');
}

/* cron mails whatever is said, and keeps it: off a terminal only what a person must act on is said, and who reads what
 * nowhere. A journal and a collector of JSON wake nobody, and are asked afterwards what was done. */
static void
hush(struct cli *cli)
{
	cli->log.short_addresses = !cli->opt.verbose;
	if (cli->opt.verbose || cli->opt.quiet)
		return;
	if (cli->log.format != LOG_TEXT)
		cli->log.level = LOG_LEVEL_INFO;
	else if (!cli->term.err_tty)
		cli->log.level = LOG_LEVEL_ERROR;
}

static int
do_run(struct cli *cli, bool fetch, struct error *err)
{
	struct run_options options = {
		.fetch = fetch, .deliver = true, .accept_removals = cli->opt.accept_removals
	};
	struct run_report report;
	const char **users;
	int rc = -1;

	hush(cli);
	run_report_init(&report);
	if (cli_open(cli, CLI_WRITE, err) == 0 && cli_users(cli, &users, err) == 0) {
		options.users = users;
		options.nusers = cli->opt.nusers;
		rc = run_digests(cli->run, &options, &report, err);
	}
	if (rc == 0) {
		print_report(cli, &report, true);
		rc = report.exit_code;
	}
	run_report_release(&report);
	return rc;
}

int
cmd_run(struct cli *cli, struct error *err)
{
	return do_run(cli, !cli->opt.offline, err);
}

int
cmd_send(struct cli *cli, struct error *err)
{
	return do_run(cli, false, err);
}

int
cmd_fetch(struct cli *cli, struct error *err)
{
	struct run_fetch_options options = { .names = (const char *const *)cli->args,
		.nnames = (size_t)cli->nargs,
		.force = cli->opt.force };
	struct run_report report;
	int64_t started_utc = clock_now_utc(&cli->clock);
	int rc = -1;

	if (cli->opt.since != NULL &&
	    date_parse_day(cli->opt.since, &options.since_day, err) == -1) {
		err->kind = ERR_USAGE;
		return err_prefix(err, "--since");
	}
	cli->log.short_addresses = !cli->opt.verbose;
	run_report_init(&report);
	if (cli_open(cli, CLI_WRITE, err) == 0)
		rc = run_fetch(cli->run, &options, &report, err);
	if (rc == 0)
		rc = run_update_search(cli->run, err);
	if (rc == 0) {
		report.started_utc = started_utc;
		run_finish_report(cli->run, &report);
		print_report(cli, &report, false);
		rc = report.exit_code;
	}
	run_report_release(&report);
	return rc;
}
