/* digest import, and the papers of digest export: JSON lines in and out. */
#include "cli.h"
#include "digest/limits.h"

#include <stdio.h>

/* ---- export ---- */

struct exported {
	struct cli *cli;
	struct strbuf lines;
	struct arena scratch; /* of one paper */
	struct error *err;
};

static int
export_paper(void *arg, const struct paper *p)
{
	struct exported *x = arg;

	arena_reset(&x->scratch);
	strbuf_reset(&x->lines);
	if (run_add_paper_lines(x->cli->run, &x->lines, p, true, &x->scratch, x->err) == -1)
		return -1;
	fputs(x->lines.buf, stdout);
	return 0;
}

int
cli_export_papers(struct cli *cli, struct error *err)
{
	struct exported x = { .cli = cli, .err = err };
	int rc;

	strbuf_init(&x.lines, MAX_JSON_BYTES);
	arena_init(&x.scratch, MAX_READER_BYTES);
	rc = store_each_paper(cli->run->store, export_paper, &x, err);
	arena_release(&x.scratch);
	strbuf_release(&x.lines);
	return rc;
}

/* ---- import ---- */

/* Exit codes of several files: that of the gravest fault. */
static int
graver(int a, int b)
{
	if (a == EXIT_IO || b == EXIT_IO)
		return EXIT_IO;
	return a != EXIT_OK ? a : b;
}

/* Take in one file. What is wrong with it is told here and leaves the others alone. */
static int
import_file(struct cli *cli, const char *path, struct run_import_counts *sum)
{
	struct run_import_counts c;
	struct error err = { 0 };

	if (run_import_papers(cli->run, path, &c, &err) == -1) {
		log_error(&cli->log, "%s", err.msg);
		return cli_exit_of_error(&err);
	}
	sum->nread += c.nread;
	sum->nnew += c.nnew;
	sum->nchanged += c.nchanged;
	if (c.nbroken == 1)
		log_error(&cli->log, "%s", c.first_broken);
	else if (c.nbroken > 1)
		log_error(&cli->log, "%s; %zu more are left out", c.first_broken, c.nbroken - 1);
	if (c.fault[0] != '\0')
		log_error(&cli->log, "%s: %s", path, c.fault);
	return c.nbroken > 0 || c.fault[0] != '\0' ? EXIT_DATA : EXIT_OK;
}

int
cmd_import(struct cli *cli, struct error *err)
{
	struct run_import_counts sum = { 0 };
	int rc = EXIT_OK;

	if (cli_open(cli, CLI_WRITE, err) == -1)
		return -1;
	for (int i = 0; i < cli->nargs; i++)
		rc = graver(rc, import_file(cli, cli->args[i], &sum));
	if (run_update_search(cli->run, err) == -1)
		return -1;
	if (!cli->opt.quiet)
		printf(
		    "%zu papers read: %zu new, %zu changed\n", sum.nread, sum.nnew, sum.nchanged);
	return rc;
}
