/* digest-source(7) names every member of our JSON lines, and none that is not read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "digest/json.h"
#include "digest/limits.h"
#include "digest/source.h"

enum { MAX_NAMES = 64, MAX_NAME = 64, NOW = 1787392800 };

static const char manual[] = "man/digest-source.7";

struct names {
	char list[MAX_NAMES][MAX_NAME];
	size_t n;
};

static bool
has(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++)
		if (strcmp(names->list[i], name) == 0)
			return true;
	return false;
}

/* Members of the list in the section JSON LINES: ".It Cm url , pdf_url". */
static void
read_manual(struct names *out)
{
	FILE *f = fopen(manual, "r");
	bool inside = false;
	char line[512];

	if (f == NULL)
		fail_msg("%s cannot be read; tests run from the root of the project", manual);
	while (fgets(line, sizeof(line), f) != NULL) {
		char *rest = NULL, *word;

		if (strncmp(line, ".Sh ", 4) == 0)
			inside = strncmp(line, ".Sh JSON LINES", 14) == 0;
		if (!inside || strncmp(line, ".It Cm ", 7) != 0)
			continue;
		for (word = strtok_r(line + 7, " ,\n", &rest); word != NULL;
		     word = strtok_r(NULL, " ,\n", &rest)) {
			assert_true(out->n < MAX_NAMES);
			snprintf(out->list[out->n++], MAX_NAME, "%s", word);
		}
	}
	fclose(f);
	assert_true(out->n > 20);
}

/* Every member that can be written, as a line writes it. */
static void
read_members(struct names *out)
{
	static const char *texts[] = { "x" };
	struct paper *p;
	struct arena a;
	struct strbuf line;
	const char *name;
	json_t *root = NULL, *value;

	arena_init(&a, MAX_RUN_BYTES);
	strbuf_init(&line, MAX_JSON_LINE);
	p = paper_new(&a);
	assert_non_null(p);
	p->key = "arxiv:2608.00001";
	p->title = p->abstract = p->summary = p->summary_by = p->org = p->comment = "x";
	p->journal_ref = p->venue = p->language = p->source = "x";
	p->url = p->html_url = p->pdf_url = p->code_url = p->project_url = "https://a.example/";
	p->discussion_url = p->thumbnail_url = p->media_url = p->url;
	p->doi = "10.1000/x";
	p->aliases = p->authors = p->categories = p->keywords = texts;
	p->naliases = p->nauthors = p->ncategories = p->nkeywords = 1;
	p->primary_known = true;
	p->published_utc = p->updated_utc = p->withdrawn_utc = NOW;
	p->votes = p->comments = p->stars = 1;
	p->version = p->rank = 1;
	p->listed_day = 20000;
	source_add_line(&line, p);
	assert_int_equal(json_read(line.buf, line.len, line.len, &root, NULL), 0);
	json_object_foreach(root, name, value)
	{
		assert_true(out->n < MAX_NAMES);
		snprintf(out->list[out->n++], MAX_NAME, "%s", name);
	}
	json_decref(root);
	strbuf_release(&line);
	arena_release(&a);
}

static void
test_what_is_written_is_described(void **state)
{
	struct names described = { .n = 0 }, written = { .n = 0 };

	(void)state;
	read_manual(&described);
	read_members(&written);
	for (size_t i = 0; i < written.n; i++)
		if (!has(&described, written.list[i]))
			fail_msg("%s does not name '%s'", manual, written.list[i]);
}

/* A member that is read is told apart from one that is not by a value that none of them takes. */
static void
test_what_is_described_is_read(void **state)
{
	struct names described = { .n = 0 };

	(void)state;
	read_manual(&described);
	for (size_t i = 0; i < described.n; i++) {
		struct source_batch batch;
		struct arena a;
		char line[200];

		snprintf(line, sizeof(line), "{\"id\":\"2608.00001\",\"title\":\"t\",\"%s\":{}}",
		    described.list[i]);
		arena_init(&a, MAX_RUN_BYTES);
		assert_int_equal(
		    source_read_lines(NULL, line, strlen(line), NOW, &a, &batch, NULL), 0);
		if (batch.nbroken != 1 || strstr(batch.first_broken, described.list[i]) == NULL)
			fail_msg("%s names '%s', which is not read", manual, described.list[i]);
		arena_release(&a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_written_is_described),
		cmocka_unit_test(test_what_is_described_is_read),
	};

	return cmocka_run_group_tests_name("source manual", tests, NULL, NULL);
}
