/* digest help, version: made from the tables. */
#include "cli.h"
#include "digest/limits.h"
#include "digest/text.h"

#include <stdio.h>
#include <string.h>

enum { OPTION_COLUMNS = 29, COMMAND_COLUMNS = 15 };

static const char *const groups[][2] = {
	{ "start", "Set up" },
	{ "look", "Look" },
	{ "find", "Find" },
	{ "run", "Run" },
	{ "care", "Look after" },
	{ NULL, NULL },
};

const struct help_topic help_topics[] = {
	{ "filters",
	    "A filter is a query; digest-filter(7) has the whole language.\n\n"
	    "  splatting                     that word in title, abstract or keywords\n"
	    "  quantiz*                      every word that begins so\n"
	    "  \"gaussian splatting\" OR nerf  a phrase, or a word\n"
	    "  agent* benchmark -survey      both words, and not the third\n"
	    "  =RAG                          this spelling and case\n"
	    "  \"sparse attention\"~8         all the words, at most 8 words apart\n"
	    "  title:diffusion -cat:cs.CV    fields: title abstract author first-author\n"
	    "                                last-author org cat primary keyword venue source id\n"
	    "  votes>=30 has:code age<7d     conditions\n"
	    "  @efficient stars>=100         the query of another filter, made narrower\n"
	    "  *                             every paper\n\n"
	    "'digest try QUERY' tells what a filter would have brought.\n" },
	{ "schedules",
	    "When a reader's digest is due, as in  when = \"weekdays 07:30\"\n\n"
	    "  always            at each run\n"
	    "  daily 07:30       each day; without a time at the first run of the day\n"
	    "  weekdays 07:30    Monday to Friday\n"
	    "  mon,thu 08:00     on these days\n"
	    "  monthly 1 08:00   on that day of the month, or its last\n\n"
	    "Times are those of the reader's timezone. It goes out at the first run after its\n"
	    "time; what was missed comes as one. A filter may have a when of its own.\n" },
	{ "cron",
	    "One line serves all readers, whatever their hours:\n\n"
	    "  */15 * * * * /usr/local/bin/digest run\n\n"
	    "Off a terminal a run says nothing unless a person must act. For systemd there are\n"
	    "digest.service and digest.timer. 'digest check' tells when runs are too rare, and\n"
	    "'digest status --check' is one line with an exit code for a monitor.\n" },
	{ "exit-codes",
	    "   0  all that was due was handed over\n"
	    "  64  the command line is wrong\n"
	    "  65  a file or query given is malformed, or nothing was found\n"
	    "  69  every source is unreachable, or the relay is\n"
	    "  70  a mistake of the program\n"
	    "  74  a file, the disk or the store failed\n"
	    "  75  some mail waits for a later run, or all mail is on hold\n"
	    "  78  the configuration is wrong\n\n"
	    "Where several apply, the first of 70 74 78 75 69 is given.\n" },
	{ "files",
	    "The configuration is the first of these that is there:\n\n"
	    "  --config FILE, $DIGEST_CONFIG,\n"
	    "  $XDG_CONFIG_HOME/digest/digest.conf (~/.config/digest/digest.conf),\n"
	    "  /etc/digest/digest.conf\n\n"
	    "The store, unless store.path says otherwise:\n\n"
	    "  /var/lib/digest/digest.db for a configuration under /etc,\n"
	    "  else $XDG_STATE_HOME/digest/digest.db (~/.local/state/digest/digest.db)\n\n"
	    "The key of the tokens is digest.key beside it. 'digest' shows what is in use.\n" },
	{ NULL, NULL },
};

static void
print_option(const struct cli *cli, const struct option_info *o, const char *help)
{
	char left[64];

	if (o->letter != 0)
		snprintf(left, sizeof(left), "-%c, --%s%s%s", o->letter, o->name,
		    o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
	else
		snprintf(left, sizeof(left), "    --%s%s%s", o->name, o->arg != NULL ? " " : "",
		    o->arg != NULL ? o->arg : "");
	printf("  %-26s ", left);
	term_put_filled(&cli->term, help, OPTION_COLUMNS);
	putchar('\n');
}

static void
print_summary(const struct cli *cli, const struct command *c)
{
	printf("  %-12s ", c->name);
	term_put_filled(&cli->term, c->help, COMMAND_COLUMNS);
	putchar('\n');
}

static void
print_more(const struct cli *cli)
{
	struct strbuf line;

	strbuf_init(&line, MAX_TEXT_BYTES);
	strbuf_add(&line,
	    "'digest help TOPIC' tells more of a command, of a block or key of the configuration "
	    "(smtp, smtp.url), or of");
	for (const struct help_topic *t = help_topics; t->name != NULL; t++)
		strbuf_addf(&line, "%s %s",
		    t == help_topics	    ? ""
			: t[1].name == NULL ? " or"
					    : ",",
		    t->name);
	strbuf_add(&line,
	    ". Manuals: digest(1), digest.conf(5), digest-filter(7), "
	    "digest-template(7), digest-source(7).");
	putchar('\n');
	term_put_filled(&cli->term, line.buf, 0);
	putchar('\n');
	strbuf_release(&line);
}

static void
print_overview(const struct cli *cli)
{
	static const struct command ways[] = {
		{ .name = "digest", .help = "how things stand" },
		{ .name = "digest --dry-run",
		    .help = "what would be sent now; sends and stores nothing" },
		{ .name = "digest run",
		    .help = "fetch, match and send what is due: the line for cron" },
	};

	printf("digest: new research papers, by your own filters, in one mail a day\n\n"
	       "usage: digest [OPTION]... [COMMAND] [ARGUMENT]...\n\n");
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		printf("  %-26s ", ways[i].name);
		term_put_filled(&cli->term, ways[i].help, OPTION_COLUMNS);
		putchar('\n');
	}
	for (size_t g = 0; groups[g][0] != NULL; g++) {
		printf("\n%s%s%s\n", term_bold(&cli->term), groups[g][1], term_reset(&cli->term));
		for (const struct command *c = commands; c->name != NULL; c++)
			if (strcmp(c->group, groups[g][0]) == 0)
				print_summary(cli, c);
	}
	printf("\n%sOptions of all commands%s\n", term_bold(&cli->term), term_reset(&cli->term));
	for (const struct option_info *o = option_table; o->name != NULL; o++)
		if (o->global)
			print_option(cli, o, o->help);
	print_more(cli);
}

static bool
is_block(const char *word)
{
	size_t n;
	const struct config_key_info *keys = config_keys(&n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(keys[i].block, word) == 0)
			return true;
	return false;
}

static void
print_command(struct cli *cli, const struct command *c)
{
	bool any = false;
	char usage[256];

	snprintf(usage, sizeof(usage), "usage: digest %s%s%s%s", c->name,
	    c->options != 0 ? " [OPTION]..." : "", c->args[0] != '\0' ? " " : "", c->args);
	term_put_filled(&cli->term, usage, 0);
	printf("\n\n");
	term_put_filled(&cli->term, c->help, 0);
	putchar('\n');
	for (const struct option_info *o = option_table; o->name != NULL; o++) {
		if (o->global || (c->options & OPT(o->id)) == 0)
			continue;
		if (!any)
			printf("\n");
		any = true;
		print_option(cli, o, options_help(c, o));
	}
	if (is_block(c->name)) {
		printf("\nIn the configuration:\n");
		config_put_keys(cli, c->name);
	}
}

/* A word that is nothing of ours, with the nearest that is. */
static int
fail_unknown(const char *word, struct error *err)
{
	const char *names[128], *near;
	size_t n = 0;

	for (const struct command *c = commands; c->name != NULL; c++)
		names[n++] = c->name;
	for (const struct help_topic *t = help_topics; t->name != NULL; t++)
		names[n++] = t->name;
	names[n] = NULL;
	near = text_nearest(word, names);
	return err_set(err, ERR_USAGE,
	    "'%s' is not a command, a key or a topic; %s%s%s'digest help' lists commands and "
	    "topics",
	    word, near != NULL ? "did you mean '" : "", near != NULL ? near : "",
	    near != NULL ? "'? " : "");
}

int
cmd_help(struct cli *cli, struct error *err)
{
	const char *topic = cli->command != NULL && cli->command->run != cmd_help
	    ? cli->command->name
	    : cli->nargs > 0 ? cli->args[0]
			     : NULL;

	if (topic == NULL) {
		print_overview(cli);
		return EXIT_OK;
	}
	for (const struct command *c = commands; c->name != NULL; c++) {
		if (strcmp(c->name, topic) != 0)
			continue;
		print_command(cli, c);
		return EXIT_OK;
	}
	for (const struct help_topic *t = help_topics; t->name != NULL; t++) {
		if (strcmp(t->name, topic) != 0)
			continue;
		fputs(t->text, stdout);
		return EXIT_OK;
	}
	return config_put_keys(cli, topic) > 0 ? EXIT_OK : fail_unknown(topic, err);
}

int
cmd_version(struct cli *cli, struct error *err)
{
	(void)cli;
	(void)err;
	printf("digest %s\n", DIGEST_VERSION);
	return EXIT_OK;
}
