/* digest restore: the store that sends from now on, from a backup or as it stands. */
#include "cli.h"

#include <stdio.h>

int
cmd_restore(struct cli *cli, struct error *err)
{
	const char *from = cli->nargs > 0 ? cli->args[0] : NULL;
	const char *path;
	size_t nheld = 0;

	if ((from == NULL) != cli->opt.adopt)
		return err_set(
		    err, ERR_USAGE, "usage: digest restore FILE, or digest restore --adopt");
	if (cli_open(cli, CLI_NO_STORE, err) == -1 || cli_check_now(cli, err) == -1 ||
	    run_restore(cli->run, from, &nheld, err) == -1)
		return -1;
	if (cli->opt.quiet)
		return EXIT_OK;
	path = cli->run->cfg->store.path;
	if (from != NULL)
		printf("%s is restored from %s; what was there is kept as %s.before-restore\n",
		    path, from, path);
	else
		printf("%s sends from now on\n", path);
	if (nheld > 0)
		printf("%zu mail%s held, for a copy may be out since: 'digest outbox' lists what "
		       "'digest outbox release' sends and 'digest outbox drop' gives up\n",
		    nheld, nheld == 1 ? " is" : "s are");
	return EXIT_OK;
}
