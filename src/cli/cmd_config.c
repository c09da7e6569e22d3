/* digest config: the settings in force, and the help of each key. */
#include "cli.h"
#include "digest/limits.h"

#include <stdio.h>
#include <string.h>

static void
print_key(const struct cli *cli, const struct config_key_info *k)
{
	printf("%s%s.%s%s  %s", term_bold(&cli->term), k->block, k->name, term_reset(&cli->term),
	    k->type);
	if (k->range[0] != '\0')
		printf(" %s", k->range);
	if (k->def[0] != '\0')
		printf("  (default %s)", k->def);
	printf("\n    ");
	term_put_filled(&cli->term, k->help, 4);
	putchar('\n');
}

static struct value *
key_value(const struct config_key_info *k, struct arena *a)
{
	struct value *v = value_object(a);

	value_set_string(a, v, "block", k->block);
	value_set_string(a, v, "key", k->name);
	value_set_string(a, v, "type", k->type);
	value_set_string(a, v, "default", k->def);
	value_set_string(a, v, "range", k->range);
	value_set_string(a, v, "help", k->help);
	return v;
}

/* "smtp", "url" and "smtp.url" all find a key. */
static bool
is_asked(const struct config_key_info *k, const char *word)
{
	size_t len = strlen(k->block);

	if (word == NULL || strcmp(word, k->block) == 0 || strcmp(word, k->name) == 0)
		return true;
	return strncmp(word, k->block, len) == 0 && word[len] == '.' &&
	    strcmp(word + len + 1, k->name) == 0;
}

size_t
config_put_keys(struct cli *cli, const char *word)
{
	size_t n, nshown = 0;
	const struct config_key_info *keys = config_keys(&n);

	for (size_t i = 0; i < n; i++) {
		if (!is_asked(&keys[i], word))
			continue;
		nshown++;
		if (cli->opt.json)
			cli_put_json(key_value(&keys[i], &cli->arena));
		else
			print_key(cli, &keys[i]);
	}
	return nshown;
}

static int
print_keys(struct cli *cli, const char *word, struct error *err)
{
	if (config_put_keys(cli, word) > 0)
		return EXIT_OK;
	return err_set(err, ERR_USAGE,
	    "'%s' is no key of the configuration; 'digest config --all' lists them", word);
}

int
cmd_config(struct cli *cli, struct error *err)
{
	struct strbuf text;

	if (cli->nargs == 1 || cli->opt.all || cli->opt.json)
		return print_keys(cli, cli->nargs == 1 ? cli->args[0] : NULL, err);
	if (cli_open(cli, CLI_NO_STORE, err) == -1)
		return -1;
	strbuf_init(&text, MAX_CONFIG_BYTES);
	config_add_effective(&text, cli->run->cfg);
	term_put(text.buf);
	strbuf_release(&text);
	return run_has_config_errors(cli->run) ? EXIT_CONFIG : EXIT_OK;
}
