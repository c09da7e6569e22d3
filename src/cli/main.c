/* main.c - the command table, and the way from a command line to an exit code. */
#include "cli.h"
#include "digest/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

/* The one mutable object at file scope: a signal handler can reach nothing else. */
static volatile sig_atomic_t run_signal;

const struct command commands[] = {
	{ "init", "start", "", 0, 0,
	    OPT(OPT_ADDRESS) | OPT(OPT_TOPIC) | OPT(OPT_FROM) | OPT(OPT_SMTP_URL) |
		OPT(OPT_SMTP_USER) | OPT(OPT_PASSWORD_FILE) | OPT(OPT_CA_FILE) | OPT(OPT_WHEN) |
		OPT(OPT_TIMEZONE) | OPT(OPT_OFFLINE) | OPT(OPT_YES),
	    "ask a few questions and write a configuration", cmd_init },
	{ "check", "start", "", 0, 0, OPT(OPT_OFFLINE) | OPT(OPT_SEND),
	    "look whether everything is in order, and say what cures what is not", cmd_check },
	{ "subscribe", "start", "ADDRESS", 1, 1,
	    OPT(OPT_FILTER) | OPT(OPT_USE) | OPT(OPT_NAME) | OPT(OPT_WHEN) | OPT(OPT_TIMEZONE) |
		OPT(OPT_LANGUAGE) | OPT(OPT_LIMIT) | OPT(OPT_CONSENT),
	    "add a reader, or change one added so before", cmd_subscribe },
	{ "unsubscribe", "start", "[ADDRESS]", 0, 1, OPT(OPT_TOKEN),
	    "end a subscription, by address or by the token of a mail", cmd_unsubscribe },
	{ "subscribers", "start", "[ADDRESS|pause|resume|erase|export ADDRESS]", 0, 2,
	    OPT(OPT_CONSENT) | OPT(OPT_UNTIL) | OPT(OPT_ALL) | OPT(OPT_FORMAT),
	    "list the readers, or change one", cmd_subscribers },
	{ "status", "look", "[sources]", 0, 1, OPT(OPT_CHECK),
	    "last run, what went out, what waits, each source", cmd_status },
	{ "history", "look", "[ADDRESS]", 0, 1, OPT(OPT_ALL),
	    "the newest digests and what became of them", cmd_history },
	{ "show", "look", "PAPER", 1, -1, OPT(OPT_BIBTEX),
	    "everything known of a paper: id, URL, DOI or title words", cmd_show },
	{ "search", "find", "[QUERY]", 0, -1,
	    OPT(OPT_DAYS) | OPT(OPT_LIMIT) | OPT(OPT_SORT) | OPT(OPT_SIMILAR),
	    "papers of the store that a query finds, or that are like another", cmd_search },
	{ "try", "find", "[QUERY]", 0, -1,
	    OPT(OPT_DAYS) | OPT(OPT_LIMIT) | OPT(OPT_SORT) | OPT(OPT_INSTEAD_OF),
	    "what a filter would have brought; without one, the filters that were edited",
	    cmd_try },
	{ "explain", "find", "[ADDRESS] PAPER", 1, -1, OPT(OPT_ALL) | OPT(OPT_OFFLINE),
	    "why a reader got a paper, or did not: each clause, score, limit", cmd_explain },
	{ "run", "run", "", 0, 0,
	    OPT(OPT_DRY_RUN) | OPT(OPT_OFFLINE) | OPT(OPT_FORMAT) | OPT(OPT_OUT) | OPT(OPT_OPEN) |
		OPT(OPT_ACCEPT_REMOVALS) | OPT(OPT_YES),
	    "fetch, match, compose and send what is due; cron calls this", cmd_run },
	{ "fetch", "run", "[SOURCE]...", 0, -1, OPT(OPT_SINCE) | OPT(OPT_FORCE),
	    "read the sources that are due", cmd_fetch },
	{ "send", "run", "", 0, 0, OPT(OPT_YES), "compose and send what is due, without fetching",
	    cmd_send },
	{ "outbox", "run", "[list|retry|hold|release|drop] [ADDRESS [PERIOD]]", 0, 3, OPT(OPT_ALL),
	    "mail that waits: try it now, keep it back, or give it up", cmd_outbox },
	{ "mailbox", "run", "[scores [ADDRESS]|thaw]", 0, 2,
	    OPT(OPT_STDIN) | OPT(OPT_EXPLAIN) | OPT(OPT_FORGET),
	    "read what came back: bounces, complaints, and readers who leave by mail",
	    cmd_mailbox },
	{ "config", "care", "[KEY]", 0, 1, OPT(OPT_ALL),
	    "the settings in force, or the help of a key", cmd_config },
	{ "template", "care", "[list|check|show|copy|diff|render] [TEMPLATE]... [DATA.json]", 0, -1,
	    OPT(OPT_FORCE) | OPT(OPT_ALL), "look after the templates of the digest", cmd_template },
	{ "backup", "care", "FILE|FOLDER", 1, 1, OPT(OPT_FORCE),
	    "copy the store and the key of the links into one file, also while a run sends",
	    cmd_backup },
	{ "restore", "care", "[FILE]", 0, 1, OPT(OPT_ADOPT),
	    "put a backup of the store in its place, or let the one at hand send", cmd_restore },
	{ "prune", "care", "", 0, 0, OPT(OPT_DRY_RUN),
	    "remove what is older than store.keep-* say, and give the room back", cmd_prune },
	{ "import", "care", "FILE...", 1, -1, OPT(OPT_CONSENT) | OPT(OPT_DRY_RUN),
	    "take in readers from CSV, papers or readers from JSON lines; - is standard input",
	    cmd_import },
	{ "export", "care", "[papers|subscribers|all]", 0, 1, 0, "write the store as JSON lines",
	    cmd_export },
	{ "completion", "care", "SHELL", 1, 1, 0,
	    "what bash, zsh or fish complete: eval \"$(digest completion bash)\"", cmd_completion },
	{ "help", "care", "[TOPIC]", 0, 1, 0,
	    "this overview, or more of a command, of a key or of filters, schedules, ...",
	    cmd_help },
	{ "version", "care", "", 0, 0, 0, "the version", cmd_version },
	{ NULL, NULL, NULL, 0, 0, 0, NULL, NULL },
};

static void
note_signal(int signal_number)
{
	/* The second signal ends the process at once. */
	if (run_signal != 0)
		_exit(128 + signal_number);
	run_signal = signal_number;
}

static void
set_up_process(void)
{
	struct sigaction sa = { .sa_handler = note_signal }, hang_up;
	const struct rlimit no_core = { 0, 0 };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGINT, &sa, NULL);
	/* nohup */
	if (sigaction(SIGHUP, NULL, &hang_up) == -1 || hang_up.sa_handler != SIG_IGN)
		sigaction(SIGHUP, &sa, NULL);
	/* Who started us may ignore the ends of children, and then nobody learns of the ends of ours. */
	signal(SIGCHLD, SIG_DFL);
	/* A pipe nobody reads and a limit on file sizes are errors of write(), to be told as such. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	/* A core would hold passwords and addresses. Where the kernel pipes cores to a program it asks no limit, but it makes
	 * none of a process that is not dumpable, of which others of the same user also see no memory and no environment. */
	setrlimit(RLIMIT_CORE, &no_core);
#ifndef DIGEST_SANITIZED /* LeakSanitizer looks from outside */
	prctl(PR_SET_DUMPABLE, 0);
#endif
	umask(077);
}

/* A closed descriptor 0, 1 or 2 must not become the store's. Opened the wrong way round, each still fails when it is used. */
static int
keep_standard_files(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) == -1 &&
		    open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
			return -1;
	return 0;
}

static int
run_command(struct cli *cli, struct error *err)
{
	if (cli->opt.help)
		return cmd_help(cli, err);
	if (cli->opt.version)
		return cmd_version(cli, err);
	if (cli->opt.dry_run && (cli->command == NULL || cli->command->run == cmd_run))
		return cmd_preview(cli, err);
	if (cli->command == NULL)
		return cmd_overview(cli, err);
	return cli->command->run(cli, err);
}

/* What was printed must have arrived; a reader of a pipe who has seen enough needs no message. */
static int
finish_output(struct log *log, int rc)
{
	bool seen_enough;

	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return rc;
	seen_enough = errno == EPIPE;
	if (!seen_enough)
		log_error(
		    log, "standard output: %s", errno != 0 ? strerror(errno) : "cannot be written");
	if (rc == EXIT_CONFIG || rc == EXIT_DEFERRED || rc == EXIT_UNREACHABLE)
		return seen_enough ? rc : EXIT_IO;
	return rc == EXIT_OK ? EXIT_IO : rc;
}

int
main(int argc, char **argv)
{
	struct cli cli = { 0 };
	struct error err = { 0 };
	int rc;

	if (keep_standard_files() == -1)
		return EXIT_IO;
	set_up_process();
	cli.stop = &run_signal;
	arena_init(&cli.arena, MAX_RUN_BYTES);
	log_init(&cli.log, "digest", STDERR_FILENO, LOG_LEVEL_WARN);
	rc = options_parse(&cli, argc, argv, &err);
	if (rc == 0)
		rc = run_command(&cli, &err);
	if (rc == -1) {
		/* What a person has just typed need not be hidden from them. */
		cli.log.short_addresses = cli.log.short_addresses && err.kind != ERR_USAGE;
		log_event(&cli.log, LOG_LEVEL_ERROR, "failed", "%s", err.msg);
		rc = cli_exit_of_error(&err);
	}
	run_close(cli.run);
	arena_release(&cli.arena);
	return finish_output(&cli.log, rc);
}
