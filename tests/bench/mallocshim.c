/*
 * For LD_PRELOAD: the n-th allocation of a program fails.
 *   MALLOCSHIM_AT     n, from 1; "3+" = so do all after it
 *   MALLOCSHIM_COUNT  a file that gets the number of allocations when the program ends
 */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Under the names by which glibc still reaches its own. */
void *__libc_malloc(size_t n);
void *__libc_calloc(size_t n, size_t size);
void *__libc_realloc(void *p, size_t n);

static atomic_long count;
static long at;
static bool onwards;

/* What comes before is the dynamic linker's. */
__attribute__((constructor)) static void
begin(void)
{
	const char *text = getenv("MALLOCSHIM_AT");
	char *end;

	if (text == NULL)
		return;
	at = strtol(text, &end, 10);
	onwards = *end == '+';
	atomic_store(&count, 0);
}

__attribute__((destructor)) static void
end(void)
{
	const char *path = getenv("MALLOCSHIM_COUNT");
	char text[32];
	int fd, len;

	if (path == NULL || (fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600)) == -1)
		return;
	len = snprintf(text, sizeof(text), "%ld\n", atomic_load(&count));
	if (write(fd, text, (size_t)len) != len)
		abort();
	close(fd);
}

static bool
fails(void)
{
	long n = atomic_fetch_add(&count, 1) + 1;

	if (at == 0 || !(n == at || (onwards && n > at)))
		return false;
	errno = ENOMEM;
	return true;
}

void *
malloc(size_t n)
{
	return fails() ? NULL : __libc_malloc(n);
}

void *
calloc(size_t n, size_t size)
{
	return fails() ? NULL : __libc_calloc(n, size);
}

void *
realloc(void *p, size_t n)
{
	return fails() ? NULL : __libc_realloc(p, n);
}
