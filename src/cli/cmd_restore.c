/* digest restore: the store that sends from now on, from a backup or as it stands. */
#include "cli.h"
#include "digest/care.h"

#include <stdio.h>

static int
print_json(struct cli *cli, const char *from, const struct run_restored *r, struct error *err)
{
	struct arena *a = &cli->arena;
	struct value *v = value_object(a);

	value_set_string(a, v, "store", cli->run->cfg->store.path);
	value_set_string(a, v, "from", from != NULL ? from : "");
	value_set_bool(a, v, "key", r->has_key);
	value_set_number(a, v, "held", (int64_t)r->nheld);
	if (value_check(a, err) == -1)
		return -1;
	cli_put_json(v);
	return EXIT_OK;
}

int
cmd_restore(struct cli *cli, struct error *err)
{
	const char *from = cli->nargs > 0 ? cli->args[0] : NULL;
	struct run_restored r = { 0 };
	const char *path;

	if ((from == NULL) != cli->opt.adopt)
		return err_set(
		    err, ERR_USAGE, "usage: digest restore FILE, or digest restore --adopt");
	if (cli_open(cli, CLI_NO_STORE, err) == -1 || cli_check_now(cli, err) == -1 ||
	    run_restore(cli->run, from, &r, err) == -1)
		return -1;
	path = cli->run->cfg->store.path;
	if (cli->opt.json)
		return print_json(cli, from, &r, err);
	if (cli->opt.quiet)
		return EXIT_OK;
	if (from != NULL)
		printf("%s is restored from %s%s%s%s\n", path, from,
		    r.kept ? "; what was there is kept as " : "", r.kept ? path : "",
		    r.kept ? ".before-restore" : "");
	else
		printf("%s sends from now on\n", path);
	if (r.key[0] != '\0')
		printf("%s %s\n", cli->run->cfg->list.key_file, r.key);
	else if (from != NULL && !r.has_key)
		printf("it has no key with it: links in mails sent before work only with the %s "
		       "of that time\n",
		    cli->run->cfg->list.key_file);
	if (r.nheld > 0)
		printf("%zu mail%s held, for a copy may be out since: 'digest outbox' lists what "
		       "'digest outbox release' sends and 'digest outbox drop' gives up\n",
		    r.nheld, r.nheld == 1 ? " is" : "s are");
	return EXIT_OK;
}
