/* test_config.h - what the tests of src/config share: files in a folder of their own, checks that stand in for the other
 * stages, and the messages of a reading. */
#ifndef TEST_CONFIG_H
#define TEST_CONFIG_H

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "digest/config.h"

static int
fake_address(
    const char *text, struct arena *a, const char **canonical, size_t *offset, struct error *err)
{
	const char *start = strchr(text, '<');
	char *copy = arena_strdup(a, start != NULL ? start + 1 : text);

	*offset = strchr(text, '!') != NULL ? strcspn(text, "!") : 0;
	if (copy == NULL)
		return err_nomem(err, "address");
	copy[strcspn(copy, ">")] = '\0';
	if (text[*offset] == '!' || strchr(copy, '@') == NULL)
		return err_set(
		    err, ERR_DATA, "'%s' is not an address; expected local@domain", text);
	for (char *c = copy; *c != '\0'; c++)
		*c = (char)tolower((unsigned char)*c);
	*canonical = copy;
	return 0;
}

static int
fake_query(const char *text, size_t *offset, struct error *err)
{
	const char *bad = strstr(text, "titel:");

	if (bad == NULL)
		return 0;
	*offset = (size_t)(bad - text);
	return err_set(err, ERR_DATA, "'titel:' is not a field; did you mean 'title:'?");
}

static int
fake_schedule(const char *text, size_t *offset, struct error *err)
{
	if (strncmp(text, "dayly", 5) != 0)
		return 0;
	*offset = 0;
	return err_set(err, ERR_DATA, "'dayly' is not a schedule; did you mean 'daily'?");
}

static int
fake_timezone(const char *name, struct error *err)
{
	if (strcmp(name, "Europe/London") == 0)
		return 0;
	return err_set(
	    err, ERR_CONFIG, "'%s' is not a time zone; expected a name like Europe/London", name);
}

static int
fake_source_type(const char *name, struct error *err)
{
	if (strcmp(name, "huggingface") == 0 || strcmp(name, "file") == 0 ||
	    strcmp(name, "command") == 0)
		return 0;
	return err_set(err, ERR_CONFIG, "'%s' is not a type of source", name);
}

static int
fake_request_gap(const char *type, int64_t gap_s, struct error *err)
{
	return gap_s >= 2 ? 0 : err_set(err, ERR_CONFIG, "%s asks for 2 s", type);
}

static int
fake_names(const struct config *cfg, const struct subscriber *reader, const struct filter *f,
    size_t *offset, struct error *err)
{
	const char *at = strstr(f->match, "@nobody");

	(void)cfg;
	(void)reader;
	if (at == NULL)
		return 0;
	*offset = (size_t)(at - f->match);
	return err_set(err, ERR_DATA, "there is no filter called 'nobody'");
}

static const struct config_checks fake_checks = { fake_address, fake_query, fake_schedule,
	fake_timezone, fake_source_type, fake_request_gap, fake_names };

/* Into a new, empty folder, which becomes the working directory. */
static inline int
enter_folder(void **state)
{
	static const char pattern[] = "/tmp/test_config.XXXXXX";
	char *dir = malloc(sizeof(pattern));

	if (dir == NULL)
		return -1;
	memcpy(dir, pattern, sizeof(pattern));
	if (mkdtemp(dir) == NULL || chdir(dir) == -1)
		return -1;
	*state = dir;
	return setenv("HOME", "/home/ada", 1) + unsetenv("XDG_STATE_HOME") +
	    unsetenv("XDG_CONFIG_HOME") + unsetenv("DIGEST_CONFIG");
}

static inline int
leave_folder(void **state)
{
	char command[100];
	FILE *rm;

	snprintf(command, sizeof(command), "rm -rf '%s'", (const char *)*state);
	if (chdir("/") == -1 || (rm = popen(command, "r")) == NULL)
		return -1;
	free(*state);
	return pclose(rm);
}

static inline void
put_file(const char *path, const char *bytes, size_t len)
{
	FILE *f = fopen(path, "wb");

	if (f == NULL || fwrite(bytes, 1, len, f) != len || fclose(f) != 0)
		abort();
	if (chmod(path, 0600) == -1)
		abort();
}

/* The messages of a reading, a line each; what belongs to one reader begins with "[reader] ". */
static inline void
note(void *arg, const char *reader, const char *message, const char *shown)
{
	if (reader != NULL)
		strbuf_addf(arg, "[%s] ", reader);
	strbuf_addf(arg, "%s\n%s", message, shown);
}

#endif
