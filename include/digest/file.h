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
 * A file that holds a secret must belong to us or root and be closed to group and others.
 * The message is the command that cures it: "chmod 600 smtp.secret".
 */
int	file_check_private(const char *path, struct error *err);

/* The path that rel means when it stands in the file base: absolute ones as they are, others beside base. */
void	file_resolve(struct strbuf *out, const char *base, const char *rel);

bool	file_exists(const char *path);

#endif
