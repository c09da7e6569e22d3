/* digest run, send, fetch: what cron calls. Silent unless a person must act. */
#include "cli.h"
#include "digest/date.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static struct value *
report_value(struct cli *cli, const struct run_report *r)
{
	struct arena *a = &cli->arena;
	struct value *v = value_object(a), *sources = value_list(a);

	for (size_t i = 0; i < r->nsources; i++) {
		const struct run_source_report *s = &r->sources[i];
		struct value *item = value_object(a);

		if (s->name == NULL)
			continue;
		value_set_string(a, item, "name", s->name);
		value_set_bool(a, item, "asked", s->asked);
		value_set_bool(a, item, "failed", s->failed);
		value_set_number(a, item, "read", (int64_t)s->nread);
		value_set_number(a, item, "new", (int64_t)s->nnew);
		value_set_number(a, item, "changed", (int64_t)s->nchanged);
		value_set_string(a, item, "message", s->message);
		value_append(a, sources, item);
	}
	value_set(a, v, "sources", sources);
	value_set_number(a, v, "readers", (int64_t)r->nreaders);
	value_set_number(a, v, "due", (int64_t)r->ndue);
	value_set_number(a, v, "sent", (int64_t)r->nsent);
	value_set_number(a, v, "empty", (int64_t)r->nempty);
	value_set_number(a, v, "deferred", (int64_t)r->ndeferred);
	value_set_number(a, v, "failed", (int64_t)r->nfailed);
	value_set_number(a, v, "unknown", (int64_t)r->nunknown);
	value_set_number(a, v, "skipped", (int64_t)r->nskipped);
	value_set_number(a, v, "expired", (int64_t)r->nexpired);
	value_set_number(a, v, "broken", (int64_t)r->nbroken);
	return v;
}

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
			printf(": %zu papers read, %zu new, %zu changed%s\n", s->nread, s->nnew,
			    s->nchanged, s->cut ? "; stopped before its end" : "");
	}
}

/* On a terminal a person wants to know; cron wants silence. */
static void
print_report(struct cli *cli, const struct run_report *r, bool delivered)
{
	term_clear_progress(&cli->progress);
	if (cli->opt.json) {
		cli_put_json(report_value(cli, r));
		return;
	}
	if (!cli->term.out_tty || cli->opt.quiet)
		return;
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

/* cron mails whatever is said: off a terminal only what a person must act on is. */
static void
hush(struct cli *cli)
{
	if (!cli->term.err_tty && !cli->opt.verbose)
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
		if (cli->stop != NULL && *cli->stop != 0)
			report.faults |= RUN_FAULT_DEFERRED;
		print_report(cli, &report, true);
		rc = cli_exit_of_faults(report.faults);
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
	int rc = -1;

	if (cli->opt.since != NULL &&
	    date_parse_day(cli->opt.since, &options.since_day, err) == -1) {
		err->kind = ERR_USAGE;
		return err_prefix(err, "--since");
	}
	run_report_init(&report);
	if (cli_open(cli, CLI_WRITE, err) == 0)
		rc = run_fetch(cli->run, &options, &report, err);
	if (rc == 0)
		rc = run_update_search(cli->run, err);
	if (rc == 0) {
		print_report(cli, &report, false);
		rc = cli_exit_of_faults(report.faults);
	}
	run_report_release(&report);
	return rc;
}
