#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "config/keys.h"
#include "digest/file.h"
#include "digest/text.h"
#include "test_config.h"

/* Both files are read from the folder of the sources, in which make runs the tests. */
static const char manual[] = "man/digest.conf.5";
static const char example[] = "etc/digest.conf.example";

static void
read_source(const char *path, struct strbuf *out)
{
	struct error err;

	strbuf_init(out, 1 << 20);
	if (file_read(path, out, &err) == -1)
		fail_msg("%s", err.msg);
}

/* How the manual says what a key takes: ".Pq duration; 1s..10m; default 20s" with its signs escaped. */
static void
add_facts(struct strbuf *out, const struct config_key_info *key)
{
	struct strbuf plain;

	strbuf_init(&plain, 1000);
	strbuf_addf(&plain, ".Pq %s", key->type);
	if (key->range[0] != '\0')
		strbuf_addf(&plain, "; %s%s", strcmp(key->type, "url") == 0 ? "begins with " : "",
		    key->range);
	if (key->def[0] != '\0')
		strbuf_addf(&plain, "; default %s", key->def);
	for (const char *c = plain.buf; *c != '\0'; c++) {
		if (*c == '"')
			strbuf_add(out, "\\(dq");
		else
			strbuf_addc(out, *c);
	}
	/* A colon at the end would be taken for punctuation. */
	strbuf_add(out, out->buf[out->len - 1] == ':' ? "\\&\n" : "\n");
	strbuf_release(&plain);
}

/* The part of the manual that is about a block. */
static const char *
find_section(const char *page, const char *block, size_t *len)
{
	char head[64];
	const char *start, *end;

	snprintf(head, sizeof(head), "\n.Ss %s", block);
	for (start = strstr(page, head); start != NULL; start = strstr(start + 1, head))
		if (strchr(" \n", start[strlen(head)]) != NULL)
			break;
	if (start == NULL) {
		fail_msg("%s: no .Ss %s", manual, block);
		return NULL;
	}
	end = strstr(start + 1, "\n.S");
	*len = end != NULL ? (size_t)(end - start) : strlen(start);
	return start;
}

static void
test_manual(void **state)
{
	const struct config_key_info *keys;
	struct strbuf page;
	size_t n, items = 0;

	(void)state;
	read_source(manual, &page);
	keys = config_keys(&n);
	assert_true(n > 60);
	for (size_t i = 0; i < n; i++) {
		struct strbuf facts;
		char item[64], *section;
		const char *at, *end;
		size_t len;

		at = find_section(page.buf, keys[i].block, &len);
		section = strndup(at, len);
		assert_non_null(section);
		snprintf(item, sizeof(item), "\n.It Ic %s\n", keys[i].name);
		at = strstr(section, item);
		if (at == NULL)
			fail_msg("%s: %s.%s is not named", manual, keys[i].block, keys[i].name);
		end = strstr(at + 1, "\n.It ");
		strbuf_init(&facts, 1000);
		add_facts(&facts, &keys[i]);
		strbuf_truncate(&facts, facts.len - 1);
		at = strstr(at, facts.buf);
		if (at == NULL || (end != NULL && at > end))
			fail_msg("%s: %s.%s: expected '%s'", manual, keys[i].block, keys[i].name,
			    facts.buf);
		strbuf_release(&facts);
		free(section);
	}
	/* And it names no others. */
	for (const char *at = page.buf; (at = strstr(at, "\n.It Ic ")) != NULL; at++)
		items++;
	assert_int_equal(items, n);
	for (const struct config_block *b = config_blocks; b->name != NULL; b++)
		find_section(page.buf, b->name, &items);
	strbuf_release(&page);
}

/* Every row is complete, its default is taken by its own rules, and it is found by its name. */
static void
test_table(void **state)
{
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	for (const struct config_block *b = config_blocks; b->name != NULL; b++) {
		size_t n, size = b->size > 0 ? b->size : sizeof(struct config);
		const struct config_key_info *keys = config_block_keys(b, &n);
		struct error err;
		char *record = arena_zalloc(&a, size);

		assert_non_null(record);
		assert_true(n > 0 && n <= CONFIG_MAX_KEYS);
		assert_int_equal(config_set_defaults(b, &a, record, &err), 0);
		for (size_t i = 0; i < n; i++) {
			size_t len = strlen(keys[i].help);

			if (strcmp(keys[i].block, b->keys) != 0 || keys[i].at >= size || len < 10 ||
			    keys[i].help[len - 1] != '.' || strchr(keys[i].help, '\n') != NULL)
				fail_msg("%s.%s is not whole", b->name, keys[i].name);
			if (b->without[0] == NULL && config_find_key(b, keys[i].name) != (int)i)
				fail_msg("%s.%s is there twice", b->name, keys[i].name);
		}
	}
	arena_release(&a);
}

/* What is not commented out in the example is short, and right as it stands. */
static void
test_example(void **state)
{
	static const char
	    idea[] = "list {\n    from = \"Papers <me@example.org>\"\n",
	    smtp[] = "smtp \"main\" { url = \"smtps://smtp.example.org\"  user = \"me\"  "
		     "password-file = \"smtp.secret\" }\n",
	    reader[] = "subscriber \"me@example.org\" {\n"
		       "    filter \"mine\"          { match = '\"gaussian splatting\" OR nerf' }\n"
		       "    filter \"popular today\" { match = '*'  sort = trending  limit = 5 }\n"
		       "}\n";
	struct strbuf text, said;
	struct config *cfg;
	struct error err;
	size_t live = 0;

	(void)state;
	read_source(example, &text);
	strbuf_init(&said, 1 << 16);
	for (const char *line = text.buf; *line != '\0'; line += strcspn(line, "\n") + 1)
		live += *line != '#' && *line != '\n';
	assert_true(live <= 25);
	assert_non_null(strstr(text.buf, idea));
	assert_non_null(strstr(text.buf, smtp));
	assert_non_null(strstr(text.buf, reader));
	if (config_load(example, &fake_checks, note, &said, &cfg, &err) == -1 || said.len > 0)
		fail_msg("%s", said.buf);
	assert_int_equal(cfg->nreaders, 1);
	assert_string_equal(cfg->smtps[0].password.file, "etc/smtp.secret");
	/* Only the secret is missing. */
	assert_int_equal(config_read_secret(&cfg->smtps[0].password, "smtp main", &said, &err), -1);
	assert_string_equal(err.msg, "smtp main: etc/smtp.secret: No such file or directory");
	config_free(cfg);
	strbuf_release(&text);
	strbuf_release(&said);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_manual),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_example),
	};

	return cmocka_run_group_tests_name("config keys", tests, NULL, NULL);
}
