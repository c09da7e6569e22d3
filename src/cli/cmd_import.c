/* digest import, and the papers of digest export. */
#include "cli.h"
#include "digest/limits.h"

#include <stddef.h>
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

static void
tell_bad(void *arg, const char *message)
{
	struct cli *cli = arg;

	log_error(&cli->log, "%s", message);
}

static void
add_counts(struct run_import_counts *sum, const struct run_import_counts *c)
{
	static const size_t members[] = {
		offsetof(struct run_import_counts, nread),
		offsetof(struct run_import_counts, nnew),
		offsetof(struct run_import_counts, nchanged),
		offsetof(struct run_import_counts, nadded),
		offsetof(struct run_import_counts, nupdated),
		offsetof(struct run_import_counts, nsame),
		offsetof(struct run_import_counts, nleft),
		offsetof(struct run_import_counts, nkept_out),
		offsetof(struct run_import_counts, nfile),
		offsetof(struct run_import_counts, nunconfirmed),
		offsetof(struct run_import_counts, nbad),
		offsetof(struct run_import_counts, nhashes),
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		*(size_t *)(void *)((char *)sum + members[i]) +=
		    *(const size_t *)(const void *)((const char *)c + members[i]);
	sum->has_readers = sum->has_readers || c->has_readers;
}

/* Take in one file. What is wrong with it is told here and leaves the others alone. */
static int
import_file(struct cli *cli, const char *path, struct run_import_counts *sum)
{
	const struct run_import_options options = {
		.consent = cli->opt.consent != NULL ? cli->opt.consent : "",
		.tell = tell_bad,
		.arg = cli,
	};
	struct run_import_counts c;
	struct error err = { 0 };

	if (run_import(cli->run, path, &options, &c, &err) == -1) {
		log_error(&cli->log, "%s", err.msg);
		add_counts(sum, &c);
		return cli_exit_of_error(&err);
	}
	add_counts(sum, &c);
	if (c.nbroken == 1)
		log_error(&cli->log, "%s", c.first_broken);
	else if (c.nbroken > 1)
		log_error(&cli->log, "%s; %zu more are left out", c.first_broken, c.nbroken - 1);
	if (c.fault[0] != '\0')
		log_error(&cli->log, "%s: %s", path, c.fault);
	if (c.nbad > MAX_INTAKE_TOLD)
		log_error(&cli->log, "%s: %zu more are left out", path, c.nbad - MAX_INTAKE_TOLD);
	if (c.unread[0] != '\0')
		log_warn(&cli->log, "%s: columns that say nothing here: %s", path, c.unread);
	return c.nbroken > 0 || c.nbad > 0 || c.fault[0] != '\0' ? EXIT_DATA : EXIT_OK;
}

/* What became of the readers; only what there is. */
static void
print_readers(const struct cli *cli, const struct run_import_counts *c)
{
	const struct {
		size_t n;
		const char *what;
	} parts[] = {
		{ c->nadded, "new" },
		{ c->nupdated, "changed" },
		{ c->nsame, "as they were" },
		{ c->nfile, "in the configuration, left alone" },
		{ c->nkept_out, "not to be mailed, left out" },
		{ c->nleft, "not to be mailed from now on" },
		{ c->nunconfirmed, "unconfirmed, left out" },
		{ c->nbad, "broken, left out" },
	};
	const char *comma = "";
	size_t n = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		n += parts[i].n;
	printf("%zu reader%s read%s", n, n == 1 ? "" : "s", n > 0 ? ": " : "");
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (parts[i].n > 0) {
			printf("%s%zu %s", comma, parts[i].n, parts[i].what);
			comma = ", ";
		}
	if (c->nhashes > 0)
		printf("; %zu suppression%s by hash", c->nhashes, c->nhashes == 1 ? "" : "s");
	printf("%s\n", cli->opt.dry_run ? "; a dry run, nothing was written" : "");
}

static int
print_counts(struct cli *cli, const struct run_import_counts *c, int rc, struct error *err)
{
	static const struct {
		const char *name;
		size_t at;
	} members[] = {
		{ "papers", offsetof(struct run_import_counts, nread) },
		{ "papers_new", offsetof(struct run_import_counts, nnew) },
		{ "papers_changed", offsetof(struct run_import_counts, nchanged) },
		{ "readers_new", offsetof(struct run_import_counts, nadded) },
		{ "readers_changed", offsetof(struct run_import_counts, nupdated) },
		{ "readers_same", offsetof(struct run_import_counts, nsame) },
		{ "readers_in_file", offsetof(struct run_import_counts, nfile) },
		{ "kept_out", offsetof(struct run_import_counts, nkept_out) },
		{ "left", offsetof(struct run_import_counts, nleft) },
		{ "unconfirmed", offsetof(struct run_import_counts, nunconfirmed) },
		{ "broken", offsetof(struct run_import_counts, nbad) },
		{ "suppressions", offsetof(struct run_import_counts, nhashes) },
	};
	struct value *v;

	if (cli->opt.json) {
		v = value_object(&cli->arena);
		for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
			value_set_number(&cli->arena, v, members[i].name,
			    (int64_t) *
				(const size_t *)(const void *)((const char *)c + members[i].at));
		value_set_bool(&cli->arena, v, "dry_run", cli->opt.dry_run);
		cli_put_json(v);
		return value_check(&cli->arena, err);
	}
	if (cli->opt.quiet || rc == EXIT_USAGE)
		return 0;
	if (c->nread > 0 || !c->has_readers)
		printf("%zu paper%s read: %zu new, %zu changed\n", c->nread,
		    c->nread == 1 ? "" : "s", c->nnew, c->nchanged);
	if (c->has_readers)
		print_readers(cli, c);
	return 0;
}

int
cmd_import(struct cli *cli, struct error *err)
{
	struct run_import_counts sum = { 0 };
	int rc = EXIT_OK;

	if (cli_open(cli, cli->opt.dry_run ? CLI_OVERLAY : CLI_WRITE, err) == -1)
		return -1;
	for (int i = 0; i < cli->nargs; i++)
		rc = graver(rc, import_file(cli, cli->args[i], &sum));
	if (run_update_search(cli->run, err) == -1)
		return -1;
	if (cli->opt.consent != NULL && !sum.has_readers)
		log_warn(&cli->log, "--consent says nothing here: no file has readers");
	return print_counts(cli, &sum, rc, err) == -1 ? -1 : rc;
}
