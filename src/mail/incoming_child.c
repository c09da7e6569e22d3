#include "mail/incoming.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The sanitizers map terabytes, and read files and write to standard error when they have something to say: in programs that
 * are built with one the child has no bound of memory and no filter of system calls, and keeps standard error. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define SANITIZED true
#endif
#endif
#if !defined(SANITIZED) && (defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__))
#define SANITIZED true
#endif
#ifndef SANITIZED
#define SANITIZED false
#endif

enum { LAST_FD = 65536 }; /* closed one by one where the kernel has no close_range */

/* Until everything is closed, only what is safe in a signal handler is called: the process that forked may have threads. */

static void
close_others(int fd)
{
	int first = SANITIZED ? STDERR_FILENO + 1 : 0;
	bool done = fd <= first || syscall(SYS_close_range, first, fd - 1, 0) == 0;

	done = done && syscall(SYS_close_range, fd + 1 > first ? fd + 1 : first, ~0U, 0) == 0;
	for (int i = first; i < LAST_FD && !done; i++)
		if (i != fd)
			close(i);
}

static void
reset_signals(void)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &sa, NULL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Fails where there is less already, which is as good. */
static void
limit(int what, uint64_t most)
{
	/* setrlimit() of one C library takes an enumeration, that of another a number. */
	const struct {
		uint64_t soft, hard;
	} l = { most, what == RLIMIT_CPU ? most + 1 : most }; /* at the first SIGXCPU says why */

	syscall(SYS_prlimit64, 0, what, &l, NULL);
}

/* Memory that the process has from its birth, in bytes; 0 = not known. */
static uint64_t
read_used(void)
{
	char text[64];
	uint64_t pages = 0;
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd != -1 ? read(fd, text, sizeof(text)) : -1;

	if (fd != -1)
		close(fd);
	for (ssize_t i = 0; i < n && text[i] >= '0' && text[i] <= '9'; i++)
		pages = pages * 10 + (uint64_t)(text[i] - '0');
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void
set_limits(void)
{
	uint64_t used = read_used();

	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_CPU, MAX_INCOMING_SECONDS);
	limit(RLIMIT_NPROC, 0);
	if (!SANITIZED) {
		if (used > 0)
			limit(RLIMIT_AS, used + MAX_INCOMING_MEMORY);
		limit(RLIMIT_FSIZE, 0);
		limit(RLIMIT_NOFILE, 0); /* none can be opened; the one that is open stays */
	}
}

/* ---- the filter of system calls ---- */

#if defined(__x86_64__)
#define ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCH AUDIT_ARCH_AARCH64
#elif defined(__riscv) && __riscv_xlen == 64
#define ARCH AUDIT_ARCH_RISCV64
#endif

#ifdef ARCH

/* What malloc, iconv and the loop below need; nothing that opens, connects, starts or signals. */
static const unsigned allowed[] = {
	SYS_read,
	SYS_write,
	SYS_brk,
	SYS_munmap,
	SYS_mremap,
	SYS_madvise,
	SYS_futex,
	SYS_getrandom,
	SYS_clock_gettime,
	SYS_rt_sigreturn,
	SYS_restart_syscall,
	SYS_exit,
	SYS_exit_group,
};

enum { NALLOWED = sizeof(allowed) / sizeof(allowed[0]), REFUSE = SECCOMP_RET_ERRNO | EPERM };

struct program {
	struct sock_filter code[2 * NALLOWED + 32];
	unsigned short n;
};

static void
emit(struct program *p, unsigned short code, uint32_t k, unsigned char yes, unsigned char no)
{
	p->code[p->n++] = (struct sock_filter){ code, yes, no, k };
}

/* The low half of an argument: the machines above are little-endian. */
static void
emit_argument(struct program *p, unsigned i)
{
	emit(p, BPF_LD | BPF_W | BPF_ABS,
	    (uint32_t)(offsetof(struct seccomp_data, args) + i * sizeof(uint64_t)), 0, 0);
}

static bool
filter_calls(void)
{
	struct program p = { .n = 0 };
	struct sock_fprog prog = { .filter = p.code };
	const unsigned char skip_mmap = 7, skip_mprotect = 4;

	emit(&p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch), 0, 0);
	emit(&p, BPF_JMP | BPF_JEQ | BPF_K, ARCH, 1, 0);
	emit(&p, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
	emit(&p, BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr), 0, 0);
	for (size_t i = 0; i < NALLOWED; i++) {
		emit(&p, BPF_JMP | BPF_JEQ | BPF_K, allowed[i], 0, 1);
		emit(&p, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	}
	/* Memory, but no file in it and no code. */
	emit(&p, BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, skip_mmap);
	emit_argument(&p, 2);
	emit(&p, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1);
	emit(&p, BPF_RET | BPF_K, REFUSE, 0, 0);
	emit_argument(&p, 3);
	emit(&p, BPF_JMP | BPF_JSET | BPF_K, MAP_ANONYMOUS, 1, 0);
	emit(&p, BPF_RET | BPF_K, REFUSE, 0, 0);
	emit(&p, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	emit(&p, BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, skip_mprotect);
	emit_argument(&p, 2);
	emit(&p, BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1);
	emit(&p, BPF_RET | BPF_K, REFUSE, 0, 0);
	emit(&p, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
	emit(&p, BPF_RET | BPF_K, REFUSE, 0, 0);
	prog.len = p.n;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) == 0;
}

#else

static bool
filter_calls(void)
{
	return false;
}

#endif

/* ---- the loop ---- */

static bool
read_all(int fd, void *bytes, size_t len)
{
	char *at = bytes;

	while (len > 0) {
		ssize_t n = read(fd, at, len);

		if (n <= 0 && (n == 0 || errno != EINTR))
			return false;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return true;
}

static bool
write_all(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n = write(fd, at, len);

		if (n <= 0 && errno != EINTR)
			return false;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return true;
}

_Noreturn void
incoming_child_live(int fd, incoming_parse_fn *parse)
{
	struct incoming *out;
	uint32_t len;
	char hello;

	close_others(fd);
	reset_signals();
	prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	set_limits();
	hello = !SANITIZED && filter_calls() ? CHILD_SEALED : CHILD_OPEN;
	if ((out = malloc(sizeof(*out))) == NULL || !write_all(fd, &hello, 1))
		_exit(1);
	while (read_all(fd, &len, sizeof(len)) && len <= MAX_INCOMING_BYTES) {
		/* As long as the mail, so that a reader who goes too far is found by the sanitizers. */
		char *bytes = malloc(len > 0 ? len : 1);

		if (bytes == NULL || !read_all(fd, bytes, len))
			_exit(1);
		memset(out, 0, sizeof(*out));
		parse(bytes, len, out);
		free(bytes);
		if (!write_all(fd, out, sizeof(*out)))
			_exit(1);
	}
	_exit(0);
}
