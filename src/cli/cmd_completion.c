/* digest completion: what a shell completes, from the tables of commands and options; and lists of what there is, for it. */
#include "cli.h"
#include "digest/file.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* More would not be looked through, and a shell waits for it. */
enum { MAX_LISTED = 1000, MAX_WORD = 64 };

/* What a value or an argument of that name may be: words, or else a kind: files, dirs, or a list of ours. */
static const struct {
	const char *arg, *kind, *words;
} kinds[] = {
	{ "FILE", "files", "" },
	{ "DATA.json", "files", "" },
	{ "DIR", "dirs", "" },
	{ "ADDRESS", "readers", "" },
	{ "SOURCE", "sources", "" },
	{ "FILTER", "filters", "" },
	{ "TEMPLATE", "templates", "" },
	{ "KEY", "keys", "" },
	{ "TOPIC", "topics", "" },
	{ "WHEN", "", "auto always never" },
	{ "FORM", "", "text html eml json conf" },
	{ "text|json", "", "text json" },
	{ "ORDER", "", "best relevance votes trending newest" },
	{ "SHELL", "", "bash zsh fish" },
};

enum { NKINDS = sizeof(kinds) / sizeof(kinds[0]) };

static size_t
kind_of(const char *arg)
{
	size_t i = 0;

	while (i < NKINDS && strcmp(kinds[i].arg, arg) != 0)
		i++;
	return i;
}

/* ---- the arguments of a command: "[pause|resume ADDRESS]" ---- */

struct argument_words {
	char literals[256]; /* with blanks between */
	size_t kind;	    /* of the first name that has one, NKINDS = none */
	bool either;	    /* it may stand in place of the literals, too */
};

static void
read_arguments(const struct command *c, struct argument_words *out)
{
	static const char marks[] = "[]| .";
	size_t used = 0;

	out->kind = NKINDS;
	out->literals[0] = '\0';
	out->either = false;
	for (const char *s = c->args + strspn(c->args, marks); *s != '\0'; s += strspn(s, marks)) {
		size_t len = strcspn(s, "[]| ");
		char word[MAX_WORD];

		while (len > 0 && s[len - 1] == '.')
			len--;
		snprintf(word, sizeof(word), "%.*s", (int)len, s);
		s += len;
		if (islower((unsigned char)word[0]))
			used += (size_t)snprintf(out->literals + used, sizeof(out->literals) - used,
			    "%s%s", used > 0 ? " " : "", word);
		else if (out->kind == NKINDS) {
			out->kind = kind_of(word);
			out->either = *s == '|';
		}
	}
}

/* ---- bash and zsh ---- */

static void
put_option_names(const struct option_info *o)
{
	if (o->letter != 0)
		printf("-%c|", o->letter);
	printf("--%s", o->name);
}

/* The options that take a value, as a pattern. */
static void
put_valued(void)
{
	const char *bar = "";

	for (const struct option_info *o = option_table; o->name != NULL; o++) {
		if (o->arg == NULL)
			continue;
		fputs(bar, stdout);
		put_option_names(o);
		bar = "|";
	}
}

static void
put_choice(size_t kind)
{
	if (kind < NKINDS && kinds[kind].kind[0] != '\0')
		printf("kind=%s", kinds[kind].kind);
	else
		printf("choices='%s'", kind < NKINDS ? kinds[kind].words : "");
}

static void
put_values(void)
{
	printf("	case $option in\n");
	for (const struct option_info *o = option_table; o->name != NULL; o++) {
		if (o->arg == NULL || kind_of(o->arg) == NKINDS)
			continue;
		printf("	");
		put_option_names(o);
		printf(") ");
		put_choice(kind_of(o->arg));
		printf("; return ;;\n");
	}
	printf("	-*) return ;;\n	esac\n");
}

static void
put_options(const struct command *c)
{
	for (const struct option_info *o = option_table; o->name != NULL; o++)
		if (c == NULL ? o->global : !o->global && (c->options & OPT(o->id)) != 0)
			printf(" --%s", o->name);
}

static const struct command *
find_run(void)
{
	const struct command *c = commands;

	while (c->run != cmd_run)
		c++;
	return c;
}

static void
put_command_options(void)
{
	printf("	case $cur in\n	-*)\n		choices='");
	put_options(NULL);
	printf("'\n		case $command in\n		'') choices=\"$choices");
	/* 'digest --dry-run' is 'digest run --dry-run'. */
	put_options(find_run());
	printf("\" ;;\n");
	for (const struct command *c = commands; c->name != NULL; c++) {
		if (c->options == 0)
			continue;
		printf("		%s) choices=\"$choices", c->name);
		put_options(c);
		printf("\" ;;\n");
	}
	printf("		esac\n		return ;;\n	esac\n");
}

static void
put_arguments(void)
{
	printf("	case $command in\n	'') choices='");
	for (const struct command *c = commands; c->name != NULL; c++)
		printf("%s%s", c == commands ? "" : " ", c->name);
	printf("' ;;\n");
	for (const struct command *c = commands; c->name != NULL; c++) {
		struct argument_words w;

		read_arguments(c, &w);
		if (w.literals[0] == '\0' && w.kind == NKINDS)
			continue;
		printf("	%s) ", c->name);
		if (w.literals[0] != '\0')
			printf("[ -n \"$verb\" ] || { choices='%s'; %s; }; ", w.literals,
			    w.either ? ":" : "return");
		put_choice(w.kind);
		printf(" ;;\n");
	}
	printf("	esac\n");
}

/* What both understand: it sets kind or choices, by the words before the one at the cursor ($@) and that one ($cur). */
static void
put_common(const char *shell)
{
	printf("# Completion of digest for %s, made by 'digest completion %s'.\n"
	       "_digest_look() {\n"
	       "	local word\n"
	       "	command='' verb='' option='' config='' kind='' choices=''\n"
	       "	for word in \"$@\"; do\n"
	       "		if [ -n \"$option\" ]; then\n"
	       "			case $option in -c|--config) config=$word ;; esac\n"
	       "			option=''\n"
	       "			continue\n"
	       "		fi\n"
	       "		case $word in\n"
	       "		--config=*) config=${word#*=} ;;\n"
	       "		",
	    shell, shell);
	put_valued();
	printf(
	    ") option=$word ;;\n"
	    "		-*) ;;\n"
	    "		*) if [ -z \"$command\" ]; then command=$word; elif [ -z \"$verb\" ]; "
	    "then verb=$word; fi ;;\n"
	    "		esac\n"
	    "	done\n"
	    "	case $cur in --*=*) [ -n \"$option\" ] || option=${cur%%%%=*} ;; esac\n");
	put_values();
	put_command_options();
	put_arguments();
	printf(
	    "}\n"
	    "_digest_list() {\n"
	    "	if [ -n \"$config\" ]; then command digest -c \"$config\" completion \"$1\"\n"
	    "	else command digest completion \"$1\"; fi 2>/dev/null\n"
	    "}\n");
}

/* bash breaks words at = : @, and replaces only what is behind the last of them. */
static const char bash_end[] =
    "_digest() {\n"
    "	local cur='' line=\"${COMP_LINE:0:COMP_POINT}\" command verb option config kind choices\n"
    "	local word head='' part c before=''\n"
    "	local -a typed found\n"
    "	read -ra typed <<<\"$line\"\n"
    "	case $line in *[[:blank:]]) ;; *) cur=${typed[-1]}; unset 'typed[-1]' ;; esac\n"
    "	_digest_look \"${typed[@]:1}\"\n"
    "	case $cur in --*=*) before=${cur%%=*}= cur=${cur#*=} ;; esac\n"
    "	case $kind in\n"
    "	files) compopt -o filenames; mapfile -t found < <(compgen -f -- \"$cur\") ;;\n"
    "	dirs) compopt -o filenames; mapfile -t found < <(compgen -d -- \"$cur\") ;;\n"
    "	'') ;;\n"
    "	*) mapfile -t found < <(_digest_list \"$kind\") ;;\n"
    "	esac 2>/dev/null\n"
    "	for word in $choices; do found+=(\"$word\"); done\n"
    "	for c in = : @; do\n"
    "		part=$before$cur\n"
    "		[[ $COMP_WORDBREAKS == *$c* && $part == *$c* ]] || continue\n"
    "		part=${part%\"${part##*\"$c\"}\"}\n"
    "		[[ ${#part} -le ${#head} ]] || head=$part\n"
    "	done\n"
    "	COMPREPLY=()\n"
    "	for word in \"${found[@]}\"; do\n"
    "		[[ $word == \"$cur\"* ]] || continue\n"
    "		case $kind in files|dirs) ;; *) printf -v word %q \"$word\" ;; esac\n"
    "		word=$before$word\n"
    "		COMPREPLY+=(\"${word#\"$head\"}\")\n"
    "	done\n"
    "}\n"
    "complete -F _digest digest\n";

static const char zsh_end[] =
    "_digest() {\n"
    "	local cur=\"${(Q)words[CURRENT]}\" command verb option config kind choices\n"
    "	local -a found\n"
    "	_digest_look \"${(@Q)words[2,CURRENT-1]}\"\n"
    "	[[ $cur != --*=* ]] || compset -P '*='\n"
    "	case $kind in\n"
    "	files) _files; return ;;\n"
    "	dirs) _files -/; return ;;\n"
    "	'') ;;\n"
    "	*) found=(\"${(@f)$(_digest_list $kind)}\") ;;\n"
    "	esac\n"
    "	found+=(${=choices})\n"
    "	compadd -- \"${(@)found:#}\"\n"
    "}\n"
    "if [ \"$funcstack[1]\" = _digest ]; then _digest \"$@\"; else compdef _digest digest; fi\n";

static int
put_bash(void)
{
	put_common("bash");
	fputs(bash_end, stdout);
	return EXIT_OK;
}

static int
put_zsh(void)
{
	printf("#compdef digest\n");
	put_common("zsh");
	fputs(zsh_end, stdout);
	return EXIT_OK;
}

/* ---- fish ---- */

static void
put_fish_text(const char *text)
{
	putchar('\'');
	for (; *text != '\0'; text++)
		printf(*text == '\'' || *text == '\\' ? "\\%c" : "%c", *text);
	putchar('\'');
}

static void
put_fish_kind(size_t kind)
{
	if (kind == NKINDS || kinds[kind].kind[0] == '\0') {
		printf(" -a ");
		put_fish_text(kind == NKINDS ? "" : kinds[kind].words);
	} else if (strcmp(kinds[kind].kind, "files") == 0) {
		printf(" -F");
	} else if (strcmp(kinds[kind].kind, "dirs") == 0) {
		printf(" -a '(__fish_complete_directories)'");
	} else {
		printf(" -a '(__digest_list %s)'", kinds[kind].kind);
	}
}

static void
put_fish_option(const struct option_info *o, const struct command *c)
{
	printf("complete -c digest");
	if (c != NULL)
		printf(" -n '__fish_seen_subcommand_from %s'", c->name);
	else if (!o->global)
		printf(" -n __fish_use_subcommand");
	if (o->letter != 0)
		printf(" -s %c", o->letter);
	printf(" -l %s -d ", o->name);
	put_fish_text(c != NULL ? options_help(c, o) : o->help);
	if (o->arg != NULL) {
		printf(" -r");
		put_fish_kind(kind_of(o->arg));
	}
	putchar('\n');
}

static void
put_fish_arguments(const struct command *c)
{
	struct argument_words w;

	read_arguments(c, &w);
	if (w.literals[0] != '\0') {
		printf("complete -c digest -n '__fish_seen_subcommand_from %s; and not "
		       "__fish_seen_subcommand_from %s' -a '%s'\n",
		    c->name, w.literals, w.literals);
	}
	if (w.kind == NKINDS)
		return;
	printf("complete -c digest -n '__fish_seen_subcommand_from %s", c->name);
	if (w.literals[0] != '\0' && !w.either)
		printf("; and __fish_seen_subcommand_from %s", w.literals);
	printf("'");
	put_fish_kind(w.kind);
	putchar('\n');
}

static int
put_fish(void)
{
	printf("# Completion of digest for fish, made by 'digest completion fish'.\n"
	       "function __digest_list\n"
	       "	set -l typed (commandline -opc)\n"
	       "	for i in (seq 2 (count $typed))\n"
	       "		switch $typed[$i]\n"
	       "		case '--config=*'\n"
	       "			set config -c (string replace -- --config= '' $typed[$i])\n"
	       "		case -c --config\n"
	       "			set config -c $typed[(math $i + 1)]\n"
	       "		end\n"
	       "	end\n"
	       "	command digest $config completion $argv[1] 2>/dev/null\n"
	       "end\n"
	       "complete -c digest -f\n");
	for (const struct option_info *o = option_table; o->name != NULL; o++)
		if (o->global)
			put_fish_option(o, NULL);
	for (const struct command *c = commands; c->name != NULL; c++) {
		printf("complete -c digest -n __fish_use_subcommand -a %s -d ", c->name);
		put_fish_text(c->help);
		putchar('\n');
		put_fish_arguments(c);
		for (const struct option_info *o = option_table; o->name != NULL; o++) {
			if (o->global || (c->options & OPT(o->id)) == 0)
				continue;
			put_fish_option(o, c);
			if (c->run == cmd_run)
				put_fish_option(o, NULL);
		}
	}
	return EXIT_OK;
}

/* ---- lists of what there is ---- */

struct list {
	struct cli *cli;
	const char *kind;
	size_t n;
};

static int
put_word(struct list *l, const char *word)
{
	char safe[1024];

	err_printable(safe, sizeof(safe), word);
	if (strcmp(safe, word) == 0)
		puts(word);
	return ++l->n >= MAX_LISTED;
}

static int
put_reader(void *arg, const struct subscriber *reader, bool good)
{
	struct list *l = arg;
	int rc = 0;

	if (strcmp(l->kind, "readers") == 0)
		return put_word(l, reader->address);
	for (size_t i = 0; good && rc == 0 && i < reader->nfilters; i++)
		rc = put_word(l, reader->filters[i].name);
	return rc;
}

/* Those of the file are handed out by the configuration. */
static int
put_stored(void *arg, const struct store_reader *r)
{
	return r->sub.origin == ORIGIN_FILE ? 0 : put_reader(arg, &r->sub, true);
}

static int
list_readers(struct list *l, struct error *err)
{
	struct run *run = l->cli->run;

	for (size_t i = 0; strcmp(l->kind, "filters") == 0 && i < run->cfg->nshared; i++)
		put_word(l, run->cfg->shared[i].name);
	if (config_each_reader(run->cfg, put_reader, l, err) == -1)
		return -1;
	if (l->n >= MAX_LISTED || !file_exists(run->cfg->store.path))
		return 0;
	return run_open_store(run, err) == -1 ||
		store_each_reader(run->store, false, put_stored, l, err) == -1
	    ? -1
	    : 0;
}

static int
list_templates(struct list *l, struct error *err)
{
	struct run_template *all;
	size_t n;

	if (run_list_templates(l->cli->run, &l->cli->arena, &all, &n, err) == -1)
		return -1;
	for (size_t i = 0; i < n; i++)
		put_word(l, all[i].file.name);
	return 0;
}

static int
list_keys(struct list *l)
{
	size_t n;
	const struct config_key_info *keys = config_keys(&n);
	char word[2 * MAX_WORD];

	for (size_t i = 0; i < n; i++) {
		if (i == 0 || strcmp(keys[i].block, keys[i - 1].block) != 0)
			put_word(l, keys[i].block);
		snprintf(word, sizeof(word), "%s.%s", keys[i].block, keys[i].name);
		put_word(l, word);
	}
	return 0;
}

static int
list_words(struct cli *cli, const char *kind, struct error *err)
{
	struct list l = { .cli = cli, .kind = kind };

	if (strcmp(kind, "keys") == 0)
		return list_keys(&l);
	if (strcmp(kind, "topics") == 0) {
		for (const struct command *c = commands; c->name != NULL; c++)
			put_word(&l, c->name);
		for (size_t i = 0; help_topics[i].name != NULL; i++)
			put_word(&l, help_topics[i].name);
		return list_keys(&l);
	}
	if (cli_open(cli, CLI_NO_STORE, err) == -1)
		return -1;
	if (strcmp(kind, "templates") == 0)
		return list_templates(&l, err);
	if (strcmp(kind, "sources") != 0)
		return list_readers(&l, err);
	for (size_t i = 0; i < cli->run->cfg->nsources; i++)
		put_word(&l, cli->run->cfg->sources[i].name);
	return 0;
}

int
cmd_completion(struct cli *cli, struct error *err)
{
	static const struct {
		const char *name;
		int (*put)(void); /* NULL: a list */
	} rows[] = { { "bash", put_bash }, { "zsh", put_zsh }, { "fish", put_fish },
		{ "readers", NULL }, { "sources", NULL }, { "filters", NULL },
		{ "templates", NULL }, { "keys", NULL }, { "topics", NULL } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].name, cli->args[0]) == 0)
			return rows[i].put != NULL ? rows[i].put()
						   : list_words(cli, rows[i].name, err);
	return err_set(
	    err, ERR_USAGE, "completion: '%s'; expected bash, zsh or fish", cli->args[0]);
}
