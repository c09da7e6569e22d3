/* digest backup, digest prune: the store in one file, and what has become old. */
#include "cli.h"
#include "digest/care.h"

#include <stdio.h>

static int
print_backup_json(struct cli *cli, const struct run_backup *b, int64_t ms, struct error *err)
{
	struct arena *a = &cli->arena;
	struct value *v = value_object(a);

	value_set_string(a, v, "path", b->path);
	value_set_number(a, v, "bytes", b->sizes.bytes);
	value_set_number(a, v, "papers", (int64_t)b->sizes.npapers);
	value_set_number(a, v, "readers", (int64_t)b->sizes.nreaders);
	value_set_number(a, v, "suppressed", (int64_t)b->sizes.nsuppressed);
	value_set_bool(a, v, "key", b->has_key);
	value_set_number(a, v, "milliseconds", ms);
	if (value_check(a, err) == -1)
		return -1;
	cli_put_json(v);
	return EXIT_OK;
}

int
cmd_backup(struct cli *cli, struct error *err)
{
	struct run_backup b = { .to = cli->args[0], .force = cli->opt.force };
	int64_t start_ms = clock_monotonic_ms();

	if (cli_open(cli, CLI_READ, err) == -1 || run_backup(cli->run, &b, &cli->arena, err) == -1)
		return -1;
	term_clear_progress(&cli->progress);
	if (cli->opt.json)
		return print_backup_json(cli, &b, clock_monotonic_ms() - start_ms, err);
	if (cli->opt.quiet)
		return EXIT_OK;
	printf("%s: %.1f MB, read back: %zu paper%s, %zu reader%s, %zu who left%s\n", b.path,
	    (double)b.sizes.bytes / 1e6, b.sizes.npapers, b.sizes.npapers == 1 ? "" : "s",
	    b.sizes.nreaders, b.sizes.nreaders == 1 ? "" : "s", b.sizes.nsuppressed,
	    b.has_key ? ", and the key of the links" : "; there is no key of the links yet");
	return EXIT_OK;
}

/* ---- prune ---- */

static int
print_prune_json(struct cli *cli, const struct run_pruned *p, struct error *err)
{
	struct arena *a = &cli->arena;
	struct value *v = value_object(a);

	value_set_bool(a, v, "dry_run", cli->opt.dry_run);
	for (size_t i = 0; i < PRUNED_KINDS; i++)
		value_set_number(a, v, store_pruned_names[i].member, (int64_t)p->n[i]);
	value_set_number(a, v, "copies", (int64_t)p->ncopies);
	value_set_number(a, v, "copies_bytes", p->copies_bytes);
	value_set_number(a, v, "freed_bytes", p->freed_bytes);
	value_set_number(a, v, "store_bytes", p->store_bytes);
	if (value_check(a, err) == -1)
		return -1;
	cli_put_json(v);
	return EXIT_OK;
}

static void
print_pruned(const struct cli *cli, const struct run_pruned *p)
{
	const char *before = cli->opt.dry_run ? "would go: " : "gone: ";

	for (size_t i = 0; i < PRUNED_KINDS; i++) {
		if (p->n[i] == 0)
			continue;
		printf("%s%zu %s", before, p->n[i], store_pruned_names[i].words);
		before = ", ";
	}
	if (p->ncopies > 0) {
		printf("%s%zu old cop%s of the store (%.1f MB)", before, p->ncopies,
		    p->ncopies == 1 ? "y" : "ies", (double)p->copies_bytes / 1e6);
		before = ", ";
	}
	printf("%s\n", before[0] == ',' ? "" : "nothing is old enough to go");
	if (cli->opt.dry_run)
		return;
	if (p->freed_bytes > 0)
		printf("%.1f MB given back; ", (double)p->freed_bytes / 1e6);
	printf("the store has %.1f MB, %.1f of them free for what comes\n",
	    (double)p->store_bytes / 1e6, (double)p->free_bytes / 1e6);
}

int
cmd_prune(struct cli *cli, struct error *err)
{
	struct run_pruned pruned = { 0 };

	if (cli_open(cli, cli->opt.dry_run ? CLI_OVERLAY : CLI_WRITE, err) == -1 ||
	    run_prune(cli->run, cli->opt.dry_run, &pruned, err) == -1)
		return -1;
	if (cli->opt.json)
		return print_prune_json(cli, &pruned, err);
	if (!cli->opt.quiet)
		print_pruned(cli, &pruned);
	return EXIT_OK;
}
