#include "digest/file.h"
#include "digest/quote.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_COMMAND_BYTES = 1024, USER_SIZE = 64, SYSTEM_DEPTH = 2 /* "/var/lib" */ };

/* "digest", or "#1000" of one without a name, as sudo and chown take it. */
static void
name_user(uid_t uid, char out[USER_SIZE])
{
	char text[4096];
	struct passwd entry, *found = NULL;

	if (getpwuid_r(uid, &entry, text, sizeof(text), &found) == 0 && found != NULL &&
	    strlen(found->pw_name) < USER_SIZE)
		snprintf(out, USER_SIZE, "%s", found->pw_name);
	else
		snprintf(out, USER_SIZE, "#%ju", (uintmax_t)uid);
}

/* As it was typed: it is to be typed again. A secret never stands there. */
static void
add_own_command(struct strbuf *out)
{
	struct strbuf text;
	const char *end;

	strbuf_init(&text, MAX_COMMAND_BYTES);
	if (file_read("/proc/self/cmdline", &text, NULL) == -1 || text.len == 0) {
		strbuf_release(&text);
		strbuf_add(out, "digest ...");
		return;
	}
	end = text.buf + text.len;
	for (const char *word = text.buf; word < end; word += strlen(word) + 1) {
		if (word > text.buf)
			strbuf_addc(out, ' ');
		quote_add_shell(out, word);
	}
	strbuf_release(&text);
}

/* The path, or the folder above it that is the first one that we can see. */
static bool
find_visible(const char *path, char out[PATH_MAX], struct stat *st)
{
	char copy[PATH_MAX];

	snprintf(out, PATH_MAX, "%s", path);
	while (stat(out, st) == -1) {
		snprintf(copy, sizeof(copy), "%s", out);
		if (strcmp(out, "/") == 0 || strcmp(out, ".") == 0)
			return false;
		snprintf(out, PATH_MAX, "%s", dirname(copy));
	}
	return true;
}

/* Folders that belong to the system as a whole are not given away. */
static bool
is_system_folder(const char *path, const struct stat *st)
{
	char full[PATH_MAX];
	int depth = 0;

	if (!S_ISDIR(st->st_mode) || st->st_uid != 0)
		return false;
	if ((st->st_mode & S_ISVTX) != 0 || realpath(path, full) == NULL)
		return true;
	for (const char *p = full; *p != '\0'; p++)
		depth += *p == '/' && p[1] != '\0';
	return depth <= SYSTEM_DEPTH;
}

void
file_add_cure(struct strbuf *out, const char *path, const char *need)
{
	char seen[PATH_MAX], folder[PATH_MAX], us[USER_SIZE], owner[USER_SIZE];
	struct stat st;

	snprintf(folder, sizeof(folder), "%s", path);
	name_user(geteuid(), us);
	if (!find_visible(path, seen, &st)) {
		strbuf_add(out, "is there such a folder?");
	} else if (st.st_uid == geteuid()) {
		strbuf_addf(out, "chmod u+%s ", S_ISDIR(st.st_mode) ? "rwx" : need);
		quote_add_shell(out, seen);
	} else if (st.st_uid != 0) {
		name_user(st.st_uid, owner);
		strbuf_add(out, "sudo -u ");
		quote_add_shell(out, owner);
		strbuf_addc(out, ' ');
		add_own_command(out);
	} else if (is_system_folder(seen, &st) && strcmp(dirname(folder), seen) == 0) {
		strbuf_addf(out, "put it into a folder that belongs to %s", us);
	} else if (is_system_folder(seen, &st)) {
		strbuf_addf(out, "sudo install -d -m 700 -o %s ", us);
		quote_add_shell(out, folder); /* dirname() has cut it */
	} else {
		strbuf_addf(out, "sudo chown %s ", us);
		quote_add_shell(out, seen);
	}
}

int
file_set_refused(
    struct error *err, enum err_kind kind, const char *path, const char *what, const char *need)
{
	struct strbuf cure;

	strbuf_init(&cure, 2 * MAX_COMMAND_BYTES);
	file_add_cure(&cure, path, need);
	err_set(err, kind, "%s: %s; %s", path, what, cure.buf);
	strbuf_release(&cure);
	return -1;
}

int
file_refuse_root(const char *path, struct error *err)
{
	char seen[PATH_MAX], owner[USER_SIZE], what[128 + USER_SIZE];
	struct stat st;

	if (geteuid() != 0 || !find_visible(path, seen, &st) || st.st_uid == 0)
		return 0;
	name_user(st.st_uid, owner);
	snprintf(what, sizeof(what),
	    "belongs to %s, and root would leave files there that %s cannot use", owner, owner);
	return file_set_refused(err, ERR_IO, seen, what, "rw");
}

/* Of a file that holds a secret: ours and nobody else's. */
static int
refuse_open_file(const char *path, const struct stat *st, const char *what, struct error *err)
{
	char us[USER_SIZE];
	struct strbuf cure;

	if (geteuid() == 0 && st->st_uid != 0) {
		char all[128];

		snprintf(all, sizeof(all), "holds a secret %s", what);
		return file_set_refused(err, ERR_CONFIG, path, all, "r");
	}
	strbuf_init(&cure, 2 * MAX_COMMAND_BYTES);
	if (st->st_uid != geteuid()) {
		name_user(geteuid(), us);
		strbuf_addf(&cure, "sudo chown %s ", us);
		quote_add_shell(&cure, path);
		strbuf_add(&cure, " && sudo ");
	}
	strbuf_add(&cure, "chmod 600 ");
	quote_add_shell(&cure, path);
	err_set(err, ERR_CONFIG, "%s: holds a secret %s; %s", path, what, cure.buf);
	strbuf_release(&cure);
	return -1;
}

/* Where the service manager puts secrets for us alone: the file may be root's, opened to us by an access list, whose mask
 * stands where the rights of the group do. */
static bool
is_credential(const char *path)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");
	size_t len = dir != NULL ? strlen(dir) : 0;

	return len > 1 && strncmp(path, dir, len) == 0 && path[len] == '/' &&
	    strstr(path + len, "/../") == NULL;
}

int
file_check_private(const char *path, struct error *err)
{
	mode_t others = is_credential(path) ? S_IRWXO : S_IRWXG | S_IRWXO;
	struct stat st;

	if (stat(path, &st) == -1 && errno == EACCES)
		return file_set_refused(err, ERR_IO, path, strerror(errno), "r");
	if (stat(path, &st) == -1)
		return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	if (st.st_uid != geteuid() && st.st_uid != 0)
		return refuse_open_file(path, &st, "but belongs to another user", err);
	if ((st.st_mode & others) != 0)
		return refuse_open_file(path, &st, "but others may read it", err);
	return 0;
}
