/* file.h - bounded reading, atomic writing and the checks of files that hold secrets. */
#ifndef DIGEST_FILE_H
#define DIGEST_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "digest/error.h"
#include "digest/strbuf.h"

/*
 * Append the whole of a regular file (a pipe or "/dev/stdin" is read to its end) to out, which bounds it.
 * A directory, a missing file and a file above the bound are errors that name the path.
 */
int	file_read(const char *path, struct strbuf *out, struct error *err);

/* Write bytes under a temporary name beside path, sync, rename, sync the directory. mode as for open(2). */
int	file_write(const char *path, mode_t mode, const void *bytes, size_t len, struct error *err);

/* The same for a file that is not there yet: one that is, whatever it is, stays as it was, and is an error that says so. */
int	file_create(const char *path, mode_t mode, const void *bytes, size_t len, struct error *err);

/* Make a directory and those above it; existing ones are fine. */
int	file_make_dirs(const char *path, mode_t mode, struct error *err);

/*
 * A file that holds a secret must belong to us or root and be closed to group and others; one in $CREDENTIALS_DIRECTORY
 * (systemd.exec(5)) may be open to the group. The message ends in the command that cures it: "chmod 600 smtp.secret".
 */
int	file_check_private(const char *path, struct error *err);

/* ---- what to do about a refusal: cure.c ---- */

/*
 * Append the command that lets us use a file or folder: "chmod u+rw digest.db" of one of our own, "sudo -u digest digest run"
 * of another user's, "sudo chown ada digest.db" of root's, "sudo install -d -m 700 -o ada /var/lib/digest" of one that is
 * missing. It names the innermost folder that we can see.
 * need	for a file: "r", "rw"
 */
void	file_add_cure(struct strbuf *out, const char *path, const char *need);
/* "path: what; command". Always returns -1. */
int	file_set_refused(struct error *err, enum err_kind kind, const char *path, const char *what, const char *need);
/* Root must not write where files belong to somebody else: a run of theirs would stop at what root left. Fails with ERR_IO. */
int	file_refuse_root(const char *path, struct error *err);

/* The path that rel means when it stands in the file base: absolute ones as they are, others beside base. */
void	file_resolve(struct strbuf *out, const char *base, const char *rel);

bool	file_exists(const char *path);

#endif
