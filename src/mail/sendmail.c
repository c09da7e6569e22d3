#include "local.h"
#include "digest/clock.h"
#include "digest/smtp.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

enum {
	DEFAULT_TIMEOUT_S = 600,
	MAX_POLL_MS = 50, /* between two looks at a process that runs */
	MAX_SAID = 400,	  /* kept of what it says */
};

/* What it may see of our environment, which can hold passwords. HOME and the like are for msmtp and its kin. */
static const char *const kept_names[] = { "HOME", "USER", "LOGNAME", "XDG_CONFIG_HOME", "LANG",
	"TZ" };

enum { NKEPT = sizeof(kept_names) / sizeof(kept_names[0]) };

struct sendmail {
	struct sink sink;
	char *path;
	int64_t timeout_ms;
	struct delivery mail;
	struct strbuf lines; /* the mail with LF line ends */
	char *environment[NKEPT + 2];
};

/* How one process ended. */
struct ending {
	bool started;
	bool seen; /* and so is its status, of waitpid */
	int status;
	bool killed; /* by us, for its time was over */
	char said[MAX_SAID];
};

/* A file without a name, to hand over. -1 with err. */
static int
make_file(const char *bytes, size_t len, struct error *err)
{
	int fd = memfd_create("mail", MFD_CLOEXEC);

	while (fd != -1 && len > 0) {
		ssize_t n = write(fd, bytes, len);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			close(fd);
			fd = -1;
			break;
		}
		bytes += n;
		len -= (size_t)n;
	}
	if (fd == -1 || lseek(fd, 0, SEEK_SET) == -1)
		err_set(err, ERR_IO, "a copy of the mail for sendmail: %s", strerror(errno));
	return fd;
}

/* Start it with the mail as standard input; 0, or the errno. */
static int
spawn(const struct sendmail *s, int in, int out, pid_t *pid)
{
	/* An empty word is no address to some; all know the null return path of RFC 5321 so. */
	const char *sender = s->mail.sender[0] != '\0' ? s->mail.sender : "<>";
	char *const argv[] = { s->path, "-i", "-f", (char *)sender, "--", (char *)s->mail.to,
		NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t signals;
	int error;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_adddup2(&files, in, 0);
	posix_spawn_file_actions_adddup2(&files, out, 1);
	posix_spawn_file_actions_adddup2(&files, out, 2);
	posix_spawnattr_init(&attributes);
	/* We ignore SIGPIPE, and what we ignore it would ignore too. */
	sigemptyset(&signals);
	posix_spawnattr_setsigmask(&attributes, &signals);
	sigaddset(&signals, SIGPIPE);
	posix_spawnattr_setsigdefault(&attributes, &signals);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	error = posix_spawn(pid, s->path, &files, &attributes, argv, s->environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&files);
	return error;
}

/* Wait for its end, and make one when it takes too long. */
static void
await(const struct sendmail *s, pid_t pid, struct ending *e)
{
	int64_t until_ms = clock_monotonic_ms() + s->timeout_ms;
	long pause_ms = 1;

	for (;;) {
		pid_t done = waitpid(pid, &e->status, e->killed ? 0 : WNOHANG);
		struct timespec pause = { 0, pause_ms * 1000000 };

		e->seen = done == pid;
		if (e->seen || (done == -1 && errno != EINTR))
			return;
		if (clock_monotonic_ms() >= until_ms && !e->killed) {
			kill(pid, SIGKILL);
			e->killed = true;
		} else {
			nanosleep(&pause, NULL);
			pause_ms = pause_ms * 2 < MAX_POLL_MS ? pause_ms * 2 : MAX_POLL_MS;
		}
	}
}

/* The first line of what it wrote. */
static void
read_said(int fd, char out[MAX_SAID])
{
	ssize_t n = pread(fd, out, MAX_SAID - 1, 0);

	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\r\n")] = '\0';
}

/* One process for one mail. -1 with err when there cannot be any. */
static int
hand_over(const struct sendmail *s, int in, struct ending *e, struct error *err)
{
	int out = memfd_create("said", MFD_CLOEXEC), error;
	pid_t pid;

	if (out == -1)
		return err_set(err, ERR_IO, "%s: %s", s->path, strerror(errno));
	error = spawn(s, in, out, &pid);
	e->started = error == 0;
	if (e->started) {
		await(s, pid, e);
		read_said(out, e->said);
	}
	close(out);
	if (e->started)
		return 0;
	return err_set(err, ERR_CONFIG, "%s cannot be started: %s", s->path, strerror(error));
}

static const struct {
	int code;
	enum outcome outcome;
	bool set_up; /* this machine's, and so for every mail */
	const char *name;
} codes[] = {
	{ EX_OK, OUTCOME_SENT, false, "ok" },
	{ EX_USAGE, OUTCOME_DEFERRED, true, "wrong usage" },
	{ EX_DATAERR, OUTCOME_FAILED, false, "the mail is refused" },
	{ EX_NOINPUT, OUTCOME_FAILED, false, "no input" },
	{ EX_NOUSER, OUTCOME_FAILED, false, "no such user" },
	{ EX_NOHOST, OUTCOME_FAILED, false, "no such host" },
	{ EX_UNAVAILABLE, OUTCOME_FAILED, false, "refused" },
	{ EX_SOFTWARE, OUTCOME_DEFERRED, true, "an error of its own" },
	{ EX_OSERR, OUTCOME_DEFERRED, true, "a system error" },
	{ EX_OSFILE, OUTCOME_DEFERRED, true, "a system file is missing" },
	{ EX_CANTCREAT, OUTCOME_DEFERRED, false, "no file could be made" },
	{ EX_IOERR, OUTCOME_DEFERRED, false, "an input or output error" },
	{ EX_TEMPFAIL, OUTCOME_DEFERRED, false, "not now" },
	{ EX_PROTOCOL, OUTCOME_FAILED, false, "a protocol error" },
	{ EX_NOPERM, OUTCOME_DEFERRED, true, "no permission" },
	{ EX_CONFIG, OUTCOME_DEFERRED, true, "its configuration is wrong" },
};

/* What the ending means. -1 with err when it is so for every mail. */
static int
judge(
    const struct sendmail *s, const struct ending *e, struct delivery_outcome *o, struct error *err)
{
	int code = e->seen && WIFEXITED(e->status) ? WEXITSTATUS(e->status) : -1;
	const char *name = "an exit code that sysexits.h does not have";
	const char *blank = e->said[0] != '\0' ? ": " : "";
	char text[MAX_SAID + 100];
	bool set_up = false;

	/* Who was killed may have put the mail into its queue before, or had it taken by a relay. */
	o->outcome = code == -1 ? OUTCOME_UNKNOWN : OUTCOME_DEFERRED;
	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
		if (codes[i].code == code) {
			o->outcome = codes[i].outcome;
			set_up = codes[i].set_up;
			name = codes[i].name;
		}
	}
	if (e->killed)
		snprintf(text, sizeof(text), "ended after %lld s without an exit",
		    (long long)(s->timeout_ms / 1000));
	else if (!e->seen)
		snprintf(text, sizeof(text), "its end was not seen%s%s", blank, e->said);
	else if (code == -1)
		snprintf(text, sizeof(text), "ended by signal %d%s%s", WTERMSIG(e->status), blank,
		    e->said);
	else
		snprintf(text, sizeof(text), "exit %d (%s)%s%s", code, name, blank, e->said);
	err_printable(o->reply, sizeof(o->reply), text);
	return set_up ? err_set(err, ERR_CONFIG, "%s: %s", s->path, o->reply) : 0;
}

/* The file is whole and the intent recorded before the process starts. */
static int
deliver(struct sendmail *s, const struct delivery_queue *queue, struct delivery_outcome *o,
    struct error *err)
{
	const struct delivery *mail = &s->mail;
	struct ending ending = { 0 };
	const char *fault;
	int in, rc;

	strbuf_reset(&s->lines);
	if ((fault = local_copy(mail, &s->lines)) != NULL) {
		o->outcome = OUTCOME_FAILED;
		snprintf(o->reply, sizeof(o->reply), "%s", fault);
		return 0;
	}
	if (strbuf_check(&s->lines, err) == -1 ||
	    (in = make_file(s->lines.buf, s->lines.len, err)) == -1)
		return -1;
	rc = queue->intend(queue->arg, &mail, 1, err);
	if (rc == 0)
		rc = hand_over(s, in, &ending, err);
	if (rc == 0)
		rc = judge(s, &ending, o, err);
	close(in);
	return rc;
}

static int
sendmail_run(struct sink *sink, const struct delivery_queue *queue, struct error *err)
{
	struct sendmail *s = (struct sendmail *)sink;
	int more, rc = 0;

	while (rc == 0) {
		struct delivery_outcome o = { .outcome = OUTCOME_DEFERRED };

		strbuf_reset(&s->mail.bytes);
		more = sink_wait_next(sink, queue, &s->mail, err);
		if (more != QUEUE_MAIL)
			return more;
		o.period = s->mail.period;
		o.reader = s->mail.reader;
		o.lane = s->mail.lane;
		rc = deliver(s, queue, &o, err);
		if (rc == -1 && o.reply[0] == '\0' && err != NULL)
			snprintf(o.reply, sizeof(o.reply), "%s", err->msg);
		if (queue->settle(queue->arg, &o, 1, rc == 0 ? err : NULL) == -1)
			rc = -1;
	}
	return rc;
}

static void
sendmail_free(struct sink *sink)
{
	struct sendmail *s = (struct sendmail *)sink;

	for (size_t i = 0; i < NKEPT + 1 && s->environment[i] != NULL; i++)
		free(s->environment[i]);
	strbuf_release(&s->mail.bytes);
	strbuf_release(&s->lines);
	free(s->path);
	free(s);
}

static const struct sink_ops sendmail_ops = { .run = sendmail_run, .free = sendmail_free };

static int
fill_environment(struct sendmail *s)
{
	size_t n = 0;

	s->environment[n] = strdup("PATH=/usr/sbin:/usr/bin:/sbin:/bin");
	if (s->environment[n++] == NULL)
		return -1;
	for (size_t i = 0; i < NKEPT; i++) {
		const char *value = getenv(kept_names[i]);

		if (value == NULL)
			continue;
		if (asprintf(&s->environment[n], "%s=%s", kept_names[i], value) == -1) {
			s->environment[n] = NULL;
			return -1;
		}
		n++;
	}
	return 0;
}

int
sink_open_sendmail(const char *path, unsigned timeout_s, struct sink **out, struct error *err)
{
	struct sendmail *s;

	if (path[0] == '\0')
		path = "/usr/sbin/sendmail";
	if (access(path, X_OK) == -1)
		return err_set(err, ERR_CONFIG,
		    "%s: %s; expected a program that takes mail, or an smtp block with url = "
		    "\"smtps://...\"",
		    path, strerror(errno));
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return err_nomem(err, "sendmail");
	s->sink.ops = &sendmail_ops;
	s->timeout_ms = 1000 * (int64_t)(timeout_s > 0 ? timeout_s : DEFAULT_TIMEOUT_S);
	strbuf_init(&s->mail.bytes, MAX_MESSAGE_BYTES);
	strbuf_init(&s->lines, MAX_MESSAGE_BYTES);
	s->path = strdup(path);
	if (s->path == NULL || fill_environment(s) == -1) {
		sendmail_free(&s->sink);
		return err_nomem(err, "sendmail");
	}
	*out = &s->sink;
	return 0;
}
