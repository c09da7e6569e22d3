/* Recorded answers of every service, as files: the counts and ids are those that FACTS.tsv of the corpus states. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest/file.h"
#include "digest/limits.h"
#include "digest/map.h"
#include "digest/source.h"

enum { NOW = 1793491200 }; /* 2026-11-01 */

/* A line of FACTS.tsv. */
struct fact {
	char *file, *first, *last;
	unsigned long entries, distinct, most_authors;
};

static char *
next_field(char **at)
{
	char *field = *at, *end = field + strcspn(field, "\t\n");

	*at = *end != '\0' ? end + 1 : end;
	*end = '\0';
	return field;
}

static bool
parse_fact(char *line, struct fact *out)
{
	if (line[0] == '#')
		return false;
	out->file = next_field(&line);
	out->entries = strtoul(next_field(&line), NULL, 10);
	out->first = next_field(&line);
	out->last = next_field(&line);
	out->distinct = strtoul(next_field(&line), NULL, 10);
	out->most_authors = strtoul(next_field(&line), NULL, 10);
	return true;
}

/* Whether the types read what such files hold. */
static bool
is_read(const char *file)
{
	static const char *const folders[] = { "huggingface/", "arxiv-api/", "arxiv-rss/" };

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (strncmp(file, folders[i], strlen(folders[i])) == 0)
			return true;
	return false;
}

static void
check_key(const struct fact *fact, const char *id, const struct paper *p)
{
	static const char oai[] = "oai:arXiv.org:";
	struct strbuf key;

	if (strncmp(id, oai, sizeof(oai) - 1) == 0)
		id += sizeof(oai) - 1;
	strbuf_init(&key, MAX_URL_BYTES);
	assert_int_equal(paper_add_key(&key, id, NULL), 1);
	if (strcmp(key.buf, p->key) != 0)
		fail_msg("%s: %s where %s is expected", fact->file, p->key, key.buf);
	strbuf_release(&key);
}

static void
check_papers(const struct fact *fact, const struct source_batch *batch)
{
	size_t most_authors = 0;
	struct map seen;

	map_init(&seen);
	for (size_t i = 0; i < batch->npapers; i++) {
		const struct paper *p = batch->papers[i];

		assert_int_equal(map_set(&seen, p->key, strlen(p->key), i), 0);
		if (p->nauthors > most_authors)
			most_authors = p->nauthors;
		if (p->title[0] == '\0' || p->listed_day <= 0 || p->listed_day > NOW / 86400 ||
		    p->url[0] == '\0')
			fail_msg("%s: %s lacks title, day or page", fact->file, p->key);
	}
	if (batch->npapers != fact->entries || seen.len != fact->distinct || batch->nbroken > 0 ||
	    batch->fault[0] != '\0')
		fail_msg("%s: %zu papers, %zu of them different, %zu broken (%s), fault '%s'",
		    fact->file, batch->npapers, seen.len, batch->nbroken, batch->first_broken,
		    batch->fault);
	/* Hidden authors are left out. */
	if (most_authors > fact->most_authors || (most_authors == 0 && fact->most_authors > 0))
		fail_msg("%s: %zu authors", fact->file, most_authors);
	map_release(&seen);
	if (batch->npapers == 0)
		return;
	check_key(fact, fact->first, batch->papers[0]);
	check_key(fact, fact->last, batch->papers[batch->npapers - 1]);
}

static void
check_file(const char *corpus, const struct fact *fact)
{
	struct source_batch batch = { 0 };
	struct error err = { 0 };
	struct strbuf bytes;
	struct arena a;
	char path[4096];
	int rc;

	snprintf(path, sizeof(path), "%s/%s", corpus, fact->file);
	strbuf_init(&bytes, 16 << 20);
	arena_init(&a, MAX_RUN_BYTES);
	assert_int_equal(file_read(path, &bytes, NULL), 0);
	rc = source_read_saved("mine", path, bytes.buf, bytes.len, NOW, &a, &batch, &err);
	if (strstr(fact->first, "/api/errors#") != NULL) {
		if (rc == 0 || strstr(err.msg, "the service says: ") == NULL)
			fail_msg("%s: an error was taken for papers", fact->file);
	} else if (rc == -1) {
		fail_msg("%s", err.msg);
	} else {
		check_papers(fact, &batch);
	}
	arena_release(&a);
	strbuf_release(&bytes);
}

static void
test_facts(void **state)
{
	const char *corpus = getenv("DIGEST_CORPUS");
	char path[4096], line[1024];
	size_t nfiles = 0;
	FILE *facts;

	(void)state;
	if (corpus == NULL) {
		print_message("DIGEST_CORPUS is not set; recorded answers are not read\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/FACTS.tsv", corpus);
	facts = fopen(path, "r");
	assert_non_null(facts);
	while (fgets(line, sizeof(line), facts) != NULL) {
		struct fact fact;

		if (!parse_fact(line, &fact) || !is_read(fact.file))
			continue;
		check_file(corpus, &fact);
		nfiles++;
	}
	fclose(facts);
	assert_true(nfiles > 30);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_facts),
	};

	return cmocka_run_group_tests_name("source facts", tests, NULL, NULL);
}
