/* The child: what it may not do, how it ends, and what the parent makes of it. Parsers that do harm are planted in place of
 * the real one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest/clock.h"
#include "digest/incoming.h"
#include "mail/incoming.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef DIGEST_SANITIZED
#define SANITIZED true
#else
#define SANITIZED false
#endif

static struct incoming in;
static struct error err;

static struct incoming_reader *
open_reader(incoming_parse_fn *parse, unsigned timeout_ms)
{
	struct incoming_reader *r = NULL;

	if (incoming_reader_open(parse, timeout_ms, &r, &err) == -1)
		fail_msg("%s", err.msg);
	return r;
}

static void
read_mail(struct incoming_reader *r, const char *mail)
{
	if (incoming_reader_read(r, mail, strlen(mail), &in, &err) == -1)
		fail_msg("%s", err.msg);
	assert_true(incoming_is_sound(&in));
}

/* What a good parser would do. */
static void
answer(struct incoming *out, const char *why)
{
	*out = (struct incoming){ .kind = INCOMING_OTHER };
	snprintf(out->why, sizeof(out->why), "%s", why);
}

static bool
is_mail(const char *bytes, size_t len, const char *mail)
{
	return len == strlen(mail) && memcmp(bytes, mail, len) == 0;
}

/* ---- planted harm ---- */

static void
overflow_stack(volatile char *at, unsigned depth)
{
	volatile char more[4096];

	more[0] = *at;
	if (depth > 0)
		overflow_stack(more, depth - 1);
	*at = more[4095];
}

static void
harm(const char *bytes, size_t len, struct incoming *out)
{
	char c = 0;

	if (is_mail(bytes, len, "crash"))
		__builtin_trap();
	if (is_mail(bytes, len, "null"))
		*(volatile char *)(uintptr_t)(len - 4) = 1;
	if (is_mail(bytes, len, "recursion"))
		overflow_stack(&c, 1000000);
	if (is_mail(bytes, len, "abort"))
		abort();
	if (is_mail(bytes, len, "exit"))
		_exit(0);
	while (is_mail(bytes, len, "loop"))
		;
	memset(out, 0, sizeof(*out));
	if (is_mail(bytes, len, "kind"))
		out->kind = 1000;
	else if (is_mail(bytes, len, "flags"))
		out->flags = 1u << 31;
	else if (is_mail(bytes, len, "open string"))
		memset(out->subject, 'x', sizeof(out->subject));
	else if (is_mail(bytes, len, "terminal"))
		snprintf(out->why, sizeof(out->why), "\033]0;owned\007");
	else if (is_mail(bytes, len, "many"))
		out->nrecipients = UINT32_MAX;
	else if (is_mail(bytes, len, "noise"))
		memset(out, 0xa5, sizeof(*out));
	else
		answer(out, "read");
	/* What only the parent may say. */
	if (is_mail(bytes, len, "good"))
		out->flags = INCOMING_POISON | INCOMING_CUT;
}

static void
test_harm(void **state)
{
	static const struct {
		const char *mail, *says;
	} rows[] = {
		{ "crash", "ended by signal 4" },
		{ "null", "ended by signal 11" },
		{ "recursion", "ended by signal 11" },
		{ "abort", "ended by signal 11" }, /* it may not send SIGABRT, and traps */
		{ "exit", "ended without a word" },
		{ "loop", "not done in" },
		{ "kind", "no record" },
		{ "flags", "no record" },
		{ "open string", "no record" },
		{ "terminal", "no record" },
		{ "many", "no record" },
		{ "noise", "no record" },
	};
	struct incoming_reader *r = open_reader(harm, 1500);

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		read_mail(r, rows[i].mail);
		if (in.kind != INCOMING_UNREADABLE || strstr(in.why, rows[i].says) == NULL) {
#ifdef DIGEST_SANITIZED
			if (in.kind == INCOMING_UNREADABLE)
				continue; /* the sanitizers end it in their own ways */
#endif
			fail_msg("%s: %s: %s", rows[i].mail, incoming_kind_name(in.kind), in.why);
		}
		assert_int_equal(in.nrecipients, 0);
		assert_true(in.flags & INCOMING_POISON);
		/* The next one is read. */
		read_mail(r, "good");
		assert_string_equal(in.why, "read");
		assert_false(in.flags & INCOMING_POISON);
	}
	incoming_reader_free(r);
}

/* Nothing is left of children, whatever became of them. */
static void
test_nothing_is_left(void **state)
{
	int before = open("/dev/null", O_RDONLY), after;

	(void)state;
	close(before);
	for (int i = 0; i < 20; i++) {
		struct incoming_reader *r = open_reader(harm, 20000);

		read_mail(r, "exit");
		read_mail(r, "good");
		read_mail(r, "kind");
		incoming_reader_free(r);
	}
	incoming_reader_free(NULL);
	after = open("/dev/null", O_RDONLY);
	close(after);
	assert_int_equal(before, after);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* ---- time and memory ---- */

static void
take_memory(const char *bytes, size_t len, struct incoming *out)
{
	size_t mb = 0;

	(void)bytes;
	(void)len;
	while (mb < 2048) {
		volatile char *block = malloc(1024 * 1024);

		if (block == NULL)
			break;
		for (size_t i = 0; i < 1024 * 1024; i += 4096)
			block[i] = 1;
		mb++;
	}
	answer(out, mb < 2048 ? "no more" : "all of it");
	out->nrecipients = 0;
	snprintf(out->reason, sizeof(out->reason), "%zu", mb);
}

static void
test_memory(void **state)
{
	struct incoming_reader *r;

	(void)state;
#ifdef DIGEST_SANITIZED
	skip(); /* the sanitizers map terabytes, and are not bounded */
#endif
	r = open_reader(take_memory, 60000);
	read_mail(r, "x");
	assert_string_equal(in.why, "no more");
	assert_in_range(strtoul(in.reason, NULL, 10), 200, 256);
	incoming_reader_free(r);
}

static void
spin(const char *bytes, size_t len, struct incoming *out)
{
	while (is_mail(bytes, len, "x"))
		;
	answer(out, "read");
}

static void
report_limits(const char *bytes, size_t len, struct incoming *out)
{
	struct rusage used;

	(void)bytes;
	(void)len;
	answer(out, getrusage(RUSAGE_SELF, &used) == 0 ? "answered" : "refused");
}

/* The wall clock ends what sleeps or spins, and a mail costs at most two children. */
static void
test_time(void **state)
{
	struct incoming_reader *r = open_reader(spin, 1000);
	int64_t start = clock_monotonic_ms();

	(void)state;
	read_mail(r, "x");
	assert_int_equal(in.kind, INCOMING_UNREADABLE);
	assert_true(clock_monotonic_ms() - start < 60000);
	incoming_reader_free(r);
}

/* ---- whose fault it is ---- */

/* Counts in memory that the children share: the first so many mails that say "x" end theirs. */
static volatile unsigned *nleft;

static void
die_for_a_while(const char *bytes, size_t len, struct incoming *out)
{
	if (is_mail(bytes, len, "x") && *nleft > 0) {
		--*nleft;
		__builtin_trap();
	}
	answer(out, "read");
}

/* One death may be chance; of the second the mail is poison. */
static void
test_second_try(void **state)
{
	struct incoming_reader *r = open_reader(die_for_a_while, 20000);

	(void)state;
	for (unsigned n = 0; n <= 3; n++) {
		bool fresh = n % 2 == 0;

		if (!fresh)
			read_mail(r, "good");
		*nleft = n;
		read_mail(r, "x");
		assert_int_equal(in.kind, n < 2 ? INCOMING_OTHER : INCOMING_UNREADABLE);
		assert_int_equal((in.flags & INCOMING_POISON) != 0, n >= 2);
		assert_int_equal(*nleft, n < 2 ? 0 : n - 2);
	}
	incoming_reader_free(r);
}

static void
die(const char *bytes, size_t len, struct incoming *out)
{
	(void)bytes;
	(void)len;
	(void)out;
	_exit(0);
}

/* Where no mail can be read none is called poison. */
static void
test_no_child_reads(void **state)
{
	struct incoming_reader *r = open_reader(die, 20000);

	(void)state;
	in.kind = INCOMING_BOUNCE;
	assert_int_equal(incoming_reader_read(r, "x", 1, &in, &err), -1);
	assert_int_equal(err.kind, ERR_IO);
	assert_non_null(strstr(err.msg, "no mail can be read here"));
	assert_int_equal(in.kind, INCOMING_BOUNCE);
	incoming_reader_free(r);
}

/* ---- what it may not do ---- */

enum { NTRIES = 12 };

/* Tries all that a mail that has taken over the parser might; each that works is a letter of the answer. */
static void
try_all(const char *bytes, size_t len, struct incoming *out)
{
	char worked[NTRIES + 1] = "", *end = worked;
	pid_t parent;

	(void)bytes;
	(void)len;
	*end = '\0';
	if (open("/etc/passwd", O_RDONLY) != -1)
		*end++ = 'r';
	if (open("/tmp/digest-test-incoming", O_WRONLY | O_CREAT, 0600) != -1)
		*end++ = 'w';
	if (socket(AF_INET, SOCK_STREAM, 0) != -1)
		*end++ = 'n';
	if (socket(AF_UNIX, SOCK_STREAM, 0) != -1)
		*end++ = 'u';
	parent = getppid();
	if (kill(parent > 0 ? parent : 1, 0) == 0)
		*end++ = 'k';
	if (fork() == 0)
		_exit(0);
	if (errno != EPERM && errno != EAGAIN)
		*end++ = 'f';
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
	    MAP_FAILED)
		*end++ = 'x';
	if (unlink("/tmp/digest-test-incoming") == 0)
		*end++ = 'd';
	if (chmod("/tmp", 0777) == 0)
		*end++ = 'c';
	for (int fd = 0; fd < 100; fd++)
		if (fcntl(fd, F_GETFD) != -1 && end < worked + NTRIES - 1)
			*end++ = 'o';
	*end = '\0';
	answer(out, worked[0] != '\0' ? worked : "nothing works");
}

/* Put a filter on this process that refuses one system call, or none. */
static bool
refuse_call(unsigned nr)
{
	struct sock_filter code[] = {
		{ BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr) },
		{ BPF_JMP | BPF_JEQ | BPF_K, 0, 1, nr },
		{ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | EINVAL },
		{ BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW },
	};
	const struct sock_fprog prog = { 4, code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog, 0, 0) == 0;
}

/* Run something in a process of its own, and give its exit code. */
static int
run_apart(int (*what)(void))
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		_exit(what());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
try_filter(void)
{
	return refuse_call(UINT32_MAX) ? 0 : 1;
}

/* On a kernel that filters nothing: prctl() itself is refused. */
static int
read_without_filter(void)
{
	static const char mail[] = "From: ada@example.org\nSubject: unsubscribe\n\nhello\n";
	struct incoming_reader *r;

	if (!refuse_call(SYS_prctl))
		return 1;
	if (incoming_reader_new(&r, &err) == -1 ||
	    incoming_reader_read(r, mail, strlen(mail), &in, &err) == -1)
		return 2;
	incoming_reader_free(r);
	if (in.kind != INCOMING_REQUEST || (in.flags & INCOMING_SEALED) != 0)
		return 3;
	/* The limits of resources alone: nothing is read, written or connected. */
	r = open_reader(try_all, 20000);
	read_mail(r, "x");
	incoming_reader_free(r);
	if (SANITIZED || strcmp(in.why, "nothing works") == 0 || strpbrk(in.why, "rwnu") == NULL)
		return 0;
	fprintf(stderr, "what works: %s\n", in.why);
	return 4;
}

static void
test_unsealed(void **state)
{
	(void)state;
	if (run_apart(try_filter) != 0) {
		print_message("this kernel filters no system calls\n");
		skip();
	}
	assert_int_equal(run_apart(read_without_filter), 0);
}

static void
test_sealed(void **state)
{
	struct incoming_reader *r;

	(void)state;
#ifdef DIGEST_SANITIZED
	skip(); /* no filter there: see incoming_child.c */
#endif
	r = open_reader(try_all, 20000);
	read_mail(r, "x");
	if (run_apart(try_filter) != 0) {
		incoming_reader_free(r);
		print_message("this kernel filters no system calls\n");
		skip();
	}
	assert_true(in.flags & INCOMING_SEALED);
	assert_string_equal(in.why, "nothing works");
	incoming_reader_free(r);
	r = open_reader(report_limits, 20000);
	read_mail(r, "x");
	assert_string_equal(in.why, "refused");
	incoming_reader_free(r);
}

/* ---- many mails ---- */

static void
tell_pid(const char *bytes, size_t len, struct incoming *out)
{
	static const char fault[] = "fault of an earlier one";

	/* State that one mail leaves to the next. */
	static int nread;

	nread++;
	answer(out, "read");
	snprintf(out->reason, sizeof(out->reason), "%d", nread);
	if (is_mail(bytes, len, fault) && nread > 1)
		__builtin_trap();
}

/* A child is replaced after INCOMING_PER_CHILD mails; a mail that dies of what others left is read by a fresh one. */
static void
test_replacement(void **state)
{
	struct incoming_reader *r = open_reader(tell_pid, 20000);

	(void)state;
	for (int i = 0; i < 3 * INCOMING_PER_CHILD; i++) {
		read_mail(r, "x");
		assert_int_equal(strtol(in.reason, NULL, 10), i % INCOMING_PER_CHILD + 1);
	}
	read_mail(r, "fault of an earlier one");
	assert_string_equal(in.reason, "1");
	read_mail(r, "x");
	assert_string_equal(in.reason, "2");
	read_mail(r, "fault of an earlier one");
	assert_string_equal(in.why, "read");
	assert_string_equal(in.reason, "1");
	incoming_reader_free(r);
}

/* Another thread that allocates all the time: the child must not hang in a lock that it held when we forked. */
static void *
allocate(void *arg)
{
	volatile bool *stop = arg;

	while (!*stop) {
		char *p = malloc(100);

		if (p != NULL)
			*(volatile char *)p = 1;
		free(p);
	}
	return NULL;
}

static void
test_threads(void **state)
{
	static const char mail[] =
	    "From: ada@example.org\nSubject: =?iso-2022-jp?B?GyRCJWYbKEI=?=\n\nhello\n";
	volatile bool stop = false;
	pthread_t thread;

	(void)state;
#ifdef DIGEST_SANITIZED
	skip(); /* the sanitizer's own malloc may be locked when we fork; that of the C library is not */
#endif
	assert_int_equal(pthread_create(&thread, NULL, allocate, (void *)(uintptr_t)&stop), 0);
	for (int i = 0; i < 100; i++) {
		struct incoming_reader *r = open_reader(incoming_parse, 10000);

		read_mail(r, mail);
		assert_int_equal(in.kind, INCOMING_OTHER);
		assert_string_equal(in.subject, "ユ");
		incoming_reader_free(r);
	}
	stop = true;
	pthread_join(thread, NULL);
}

/* Bytes of any size go there and back; standard descriptors need not be open. */
static void
measure(const char *bytes, size_t len, struct incoming *out)
{
	unsigned sum = 0;

	for (size_t i = 0; i < len; i++)
		sum = sum * 31 + (unsigned char)bytes[i];
	answer(out, "measured");
	snprintf(out->reason, sizeof(out->reason), "%zu %x", len, sum);
}

static void
test_sizes(void **state)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 200000, MAX_INCOMING_BYTES,
		MAX_INCOMING_BYTES + 1, 3 * MAX_INCOMING_BYTES };
	struct incoming_reader *r = open_reader(measure, 10000);
	static char bytes[3 * MAX_INCOMING_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = i % 61 == 0 ? '\n' : (char)('!' + i % 7);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		size_t n = sizes[i] < MAX_INCOMING_BYTES ? sizes[i] : MAX_INCOMING_BYTES;
		static struct incoming want;

		measure(bytes, n, &want);
		assert_int_equal(incoming_reader_read(r, bytes, sizes[i], &in, &err), 0);
		if (sizes[i] > 1 && in.kind == INCOMING_UNREADABLE)
			fail_msg("%zu bytes: %s", sizes[i], in.why);
		assert_string_equal(in.reason, want.reason);
		assert_int_equal((in.flags & INCOMING_CUT) != 0, sizes[i] > n);
	}
	incoming_reader_free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_harm),
		cmocka_unit_test(test_nothing_is_left),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_second_try),
		cmocka_unit_test(test_no_child_reads),
		cmocka_unit_test(test_sealed),
		cmocka_unit_test(test_unsealed),
		cmocka_unit_test(test_replacement),
		cmocka_unit_test(test_threads),
		cmocka_unit_test(test_sizes),
	};

	nleft =
	    mmap(NULL, sizeof(*nleft), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (nleft == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
