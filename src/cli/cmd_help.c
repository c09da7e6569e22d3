/* digest help, version: made from the tables. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

static const char *const groups[][2] = {
	{ "start", "Set up" },
	{ "look", "Look" },
	{ "find", "Find" },
	{ "run", "Run" },
	{ "care", "Look after" },
	{ NULL, NULL },
};

static void
print_option(const struct option_info *o)
{
	char left[64];

	if (o->letter != 0)
		snprintf(left, sizeof(left), "-%c, --%s%s%s", o->letter, o->name,
		    o->arg != NULL ? " " : "", o->arg != NULL ? o->arg : "");
	else
		snprintf(left, sizeof(left), "    --%s%s%s", o->name, o->arg != NULL ? " " : "",
		    o->arg != NULL ? o->arg : "");
	printf("  %-26s %s\n", left, o->help);
}

static void
print_overview(const struct cli *cli)
{
	printf(
	    "digest: new research papers, by your own filters, in one mail a day\n\n"
	    "usage: digest [OPTION]... [COMMAND] [ARGUMENT]...\n\n"
	    "  digest                     how things stand\n"
	    "  digest --dry-run           what would be sent now; sends and stores nothing\n"
	    "  digest run                 fetch, match and send what is due: the line for cron\n");
	for (size_t g = 0; groups[g][0] != NULL; g++) {
		printf("\n%s%s%s\n", term_bold(&cli->term), groups[g][1], term_reset(&cli->term));
		for (const struct command *c = commands; c->name != NULL; c++)
			if (strcmp(c->group, groups[g][0]) == 0)
				printf("  %-12s %s\n", c->name, c->help);
	}
	printf("\n%sOptions of all commands%s\n", term_bold(&cli->term), term_reset(&cli->term));
	for (const struct option_info *o = option_table; o->name != NULL; o++)
		if (o->global)
			print_option(o);
	printf("\n'digest help COMMAND' tells more of one. Manuals: digest(1), digest.conf(5),\n"
	       "digest-filter(7), digest-template(7), digest-source(7).\n");
}

static void
print_command(const struct command *c)
{
	bool any = false;

	printf("usage: digest %s%s%s\n\n%s\n", c->name, c->args[0] != '\0' ? " " : "", c->args,
	    c->help);
	for (const struct option_info *o = option_table; o->name != NULL; o++) {
		if (o->global || (c->options & OPT(o->id)) == 0)
			continue;
		if (!any)
			printf("\n");
		any = true;
		print_option(o);
	}
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
		print_command(c);
		return EXIT_OK;
	}
	return err_set(err, ERR_USAGE, "'%s' is not a command; 'digest help' lists them", topic);
}

int
cmd_version(struct cli *cli, struct error *err)
{
	(void)cli;
	(void)err;
	printf("digest %s\n", DIGEST_VERSION);
	return EXIT_OK;
}
