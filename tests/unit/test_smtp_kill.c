/* The process is killed before, in the middle of and after each of its sends, at each level: what had left was announced
 * before, and at most one mail of each connection is in doubt. DIGEST_FULL=1: also where a socket takes 10 bytes at a time. */
#include "smtp_trial.h"

#include <sys/syscall.h>

enum { KILL_MAILS = 15, KILL_LINKS = 3 };
enum { BEFORE, HALF, AFTER, NWAYS };

/* libcurl finds this one before the C library's; only the process that is to die counts. */
static struct {
	unsigned left; /* sends until then, 0 = it lives */
	int way;
	size_t most; /* bytes of a send, 0 = any */
} doom;

ssize_t
send(int fd, const void *bytes, size_t len, int flags)
{
	bool last = doom.left > 0 && --doom.left == 0;
	long n;

	if (last && doom.way == BEFORE)
		raise(SIGKILL);
	if (doom.most > 0 && len > doom.most)
		len = doom.most;
	if (last && doom.way == HALF)
		len /= 2;
	n = syscall(SYS_sendto, fd, bytes, len, flags, NULL, 0);
	if (last)
		raise(SIGKILL);
	return n;
}

/* A run in a process of its own that dies at its n-th send. False = it came to its end before. */
static bool
run_killed(struct trial *t, unsigned n, int way, size_t most)
{
	pid_t pid;
	int status;

	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		doom.left = n;
		doom.way = way;
		doom.most = most;
		run(t);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

/* Returns what is wrong, or NULL. */
static const char *
judge(const struct trial *t)
{
	const struct books *b = t->books;
	unsigned ndoubtful = 0;

	for (int i = 0; i < KILL_MAILS; i++) {
		unsigned n = t->server.seen->taken[i];

		ndoubtful += b->intended[i] && !b->settled[i];
		if (n > 1)
			return "a mail arrived twice";
		if (n == 1 && !b->intended[i])
			return "a mail arrived that was not announced";
		if (b->settled[i] && b->outcome[i] == OUTCOME_SENT && n == 0)
			return "a mail that is said to be sent did not arrive";
		if (b->settled[i] && b->outcome[i] != OUTCOME_SENT && n == 1)
			return "a mail arrived that is said not to be sent";
	}
	if (ndoubtful > KILL_LINKS)
		return "more mails are in doubt than there are connections";
	return b->wrong ? "the books are wrong" : NULL;
}

/* False when the run lived. */
static bool
try_point(size_t v, unsigned n, int way, size_t most)
{
	const struct smtp_script script = { .pipelining = levels[v].pipelining };
	struct books *kept;
	const char *wrong;
	struct trial t;
	bool killed;

	begin(&t, &script, KILL_MAILS);
	kept = t.books;
	t.books =
	    mmap(NULL, sizeof(*kept), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(t.books != MAP_FAILED);
	t.books->nmails = KILL_MAILS;
	t.options.connections = KILL_LINKS;
	t.options.level = levels[v].level;
	killed = run_killed(&t, n, way, most);
	/* What is in the sockets still arrives. */
	for (int i = 0; i < 500 && atomic_load(&t.server.seen->nopen) > 0; i++)
		usleep(1000);
	wrong = judge(&t);
	if (wrong != NULL || (!killed && t.books->n[OUTCOME_SENT] != KILL_MAILS))
		fail_msg("%s, send %u, way %d: %s", levels[v].name, n, way,
		    wrong != NULL ? wrong : "the run without a kill fails");
	munmap(t.books, sizeof(*t.books));
	t.books = kept;
	end(&t);
	return killed;
}

static void
test_every_send(void **state)
{
	/* A command at a time, a mail in two turns, in one; and how the links are opened and left. */
	static const unsigned least[NLEVELS] = { 4 * KILL_MAILS, 2 * KILL_MAILS, KILL_MAILS };

	(void)state;
	for (size_t v = 0; v < NLEVELS; v++) {
		unsigned n = 1;

		while (try_point(v, n, BEFORE, 0)) {
			try_point(v, n, HALF, 0);
			try_point(v, n, AFTER, 0);
			n++;
		}
		if (n <= least[v])
			fail_msg("%s: %u sends only", levels[v].name, n);
	}
}

static void
test_every_tenth_byte(void **state)
{
	(void)state;
	if (getenv("DIGEST_FULL") == NULL)
		skip();
	for (size_t v = 0; v < NLEVELS; v++)
		for (unsigned n = 1; try_point(v, n, AFTER, 10); n++)
			;
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_every_send),
		cmocka_unit_test(test_every_tenth_byte) };

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
