/* browser.c - show a page where the person looks at pages: $BROWSER, else xdg-open. No shell takes part. */
#include "cli.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_WORDS = 16 };

static int
write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n == -1 && errno != EINTR)
			return -1;
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
		}
	}
	return 0;
}

/* A file of nobody else's making (O_EXCL), which nobody else can read (0600): the page has the links of its reader. */
static int
write_page(const char *html, struct arena *a, const char **path, struct error *err)
{
	const char *dir = getenv("TMPDIR");
	char *name;
	int fd;

	if (dir == NULL || dir[0] != '/')
		dir = "/tmp";
	if ((name = arena_printf(a, "%s/digest-XXXXXX.html", dir)) == NULL)
		return err_nomem(err, "page");
	if ((fd = mkstemps(name, (int)strlen(".html"))) == -1)
		return err_set(
		    err, ERR_IO, "%s: no file can be made there: %s", dir, strerror(errno));
	if (write_all(fd, html, strlen(html)) == -1) {
		err_set(err, ERR_IO, "%s: %s", name, strerror(errno));
		close(fd);
		unlink(name);
		return -1;
	}
	close(fd);
	*path = name;
	return 0;
}

/* The words of a command, parted by blanks; "%s" among them stands for the path, which else comes last. */
static int
split_words(char *command, const char *path, char *words[MAX_WORDS + 2])
{
	bool has_path = false;
	size_t n = 0;

	for (char *word; (word = strsep(&command, " \t")) != NULL && n < MAX_WORDS;) {
		if (word[0] == '\0')
			continue;
		has_path = has_path || strcmp(word, "%s") == 0;
		words[n++] = strcmp(word, "%s") == 0 ? (char *)(uintptr_t)path : word;
	}
	if (n == 0)
		return 0;
	if (!has_path)
		words[n++] = (char *)(uintptr_t)path;
	words[n] = NULL;
	return 1;
}

/* Start one browser and wait until it gives the terminal back. Returns 1, 0 when there is no such program, -1. */
static int
try_browser(char *command, const char *path, struct error *err)
{
	char *words[MAX_WORDS + 2];
	int status, failed;
	pid_t pid;

	if (!split_words(command, path, words))
		return 0;
	failed = posix_spawnp(&pid, words[0], NULL, NULL, words, environ);
	if (failed == ENOENT || failed == ENOTDIR || failed == EACCES)
		return 0;
	if (failed != 0)
		return err_set(err, ERR_IO, "%s: %s", words[0], strerror(failed));
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return err_set(err, ERR_IO, "%s: %s", words[0], strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 1;
	if (WIFEXITED(status))
		return err_set(err, ERR_IO,
		    "%s: exit status %d; open %s yourself, or name another browser in BROWSER",
		    words[0], WEXITSTATUS(status), path);
	return err_set(err, ERR_IO, "%s: ended by signal %d", words[0], WTERMSIG(status));
}

int
cli_open_page(struct cli *cli, const char *html, struct error *err)
{
	const char *browser = getenv("BROWSER"), *path = NULL;
	char *list, *command;
	int rc = 0;

	if (browser == NULL || browser[0] == '\0')
		browser = "xdg-open";
	if (write_page(html, &cli->arena, &path, err) == -1)
		return -1;
	fprintf(stderr, "HTML: %s\n", path);
	if ((list = arena_strdup(&cli->arena, browser)) == NULL)
		return err_nomem(err, "browser");
	/* Several may be named, as in PATH: the first that is there. */
	while (rc == 0 && (command = strsep(&list, ":")) != NULL)
		rc = try_browser(command, path, err);
	if (rc == 0)
		return err_set(err, ERR_IO,
		    "no browser: %s is not there; set BROWSER=firefox or another, or open %s "
		    "yourself",
		    browser, path);
	return rc == 1 ? 0 : -1;
}
