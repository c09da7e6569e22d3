#include "digest/clock.h"
#include "digest/config.h"
#include "digest/file.h"
#include "digest/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMAND_MS = 10 * 1000, WAIT_STEP_MS = 20 };

/*
 * Start "sh -c command" in a session of its own: no terminal to ask on, and one process group to end. It reads
 * /dev/null; what it says on standard error is lost, as it might hold the secret.
 */
static int
start_command(const char *command, int output, pid_t *pid)
{
	char *argv[] = { "sh", "-c", (char *)(uintptr_t)command, NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none, all;
	int rc;

	if ((rc = posix_spawn_file_actions_init(&files)) != 0)
		return rc;
	if ((rc = posix_spawnattr_init(&attr)) != 0) {
		posix_spawn_file_actions_destroy(&files);
		return rc;
	}
	sigemptyset(&none);
	sigfillset(&all);
	if ((rc = posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0)) == 0 &&
	    (rc = posix_spawn_file_actions_adddup2(&files, output, 1)) == 0 &&
	    (rc = posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0)) == 0 &&
	    (rc = posix_spawnattr_setsigmask(&attr, &none)) == 0 &&
	    (rc = posix_spawnattr_setsigdefault(&attr, &all)) == 0 &&
	    (rc = posix_spawnattr_setflags(
		 &attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)) == 0)
		rc = posix_spawn(pid, "/bin/sh", &files, &attr, argv, environ);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	return rc;
}

/* Read until the command closes its output. 1 = done, 0 = the time is over, -1 = an error. */
static int
read_output(int fd, int64_t deadline_ms, struct strbuf *out)
{
	char chunk[4096];
	int rc = -1;

	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left_ms = deadline_ms - clock_monotonic_ms();
		ssize_t n;

		if (left_ms <= 0) {
			rc = 0;
			break;
		}
		if (poll(&p, 1, (int)left_ms) <= 0)
			continue;
		n = read(fd, chunk, sizeof(chunk));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 || out->state != STRBUF_OK)
			break;
		if (n == 0) {
			rc = 1;
			break;
		}
		strbuf_addn(out, chunk, (size_t)n);
	}
	explicit_bzero(chunk, sizeof(chunk));
	return rc;
}

/* Wait for the command's end without taking its status, so that its process group keeps its number. */
static bool
wait_for_end(pid_t pid, int64_t deadline_ms)
{
	for (;;) {
		siginfo_t info = { .si_pid = 0 };

		if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == -1 &&
		    errno != EINTR)
			return false;
		if (info.si_pid == pid)
			return true;
		if (clock_monotonic_ms() >= deadline_ms)
			return false;
		poll(NULL, 0, WAIT_STEP_MS);
	}
}

static int
run_command(const char *command, const char *what, struct strbuf *out, struct error *err)
{
	int64_t deadline_ms = clock_monotonic_ms() + COMMAND_MS;
	int pipes[2], rc, status = 0;
	bool ended;
	pid_t pid;

	if (pipe2(pipes, O_CLOEXEC) == -1)
		return err_set(err, ERR_IO, "%s: pipe: %s", what, strerror(errno));
	rc = start_command(command, pipes[1], &pid);
	close(pipes[1]);
	if (rc != 0) {
		close(pipes[0]);
		return err_set(
		    err, ERR_IO, "%s: the command cannot be started: %s", what, strerror(rc));
	}
	rc = read_output(pipes[0], deadline_ms, out);
	close(pipes[0]);
	ended = rc == 1 && wait_for_end(pid, deadline_ms);
	/* Whatever it left running goes with it. */
	kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	if (rc == -1)
		return err_set(err, ERR_CONFIG, "%s: the command printed more than %u bytes", what,
		    MAX_SECRET_BYTES);
	if (!ended)
		return err_set(err, ERR_CONFIG,
		    "%s: the command did not end within %d s; expected one that asks nothing", what,
		    COMMAND_MS / 1000);
	if (WIFSIGNALED(status))
		return err_set(err, ERR_CONFIG, "%s: the command was ended by signal %d", what,
		    WTERMSIG(status));
	if (WEXITSTATUS(status) != 0)
		return err_set(err, ERR_CONFIG,
		    "%s: the command ended with status %d; expected 0 (run it by hand to see why)",
		    what, WEXITSTATUS(status));
	return 0;
}

static int
read_env(const char *name, const char *what, struct strbuf *out, struct error *err)
{
	const char *value = getenv(name);

	if (value == NULL)
		return err_set(
		    err, ERR_CONFIG, "%s: environment variable '%s' is not set", what, name);
	strbuf_add(out, value);
	return 0;
}

static int
read_private(const char *path, const char *what, struct strbuf *out, struct error *err)
{
	if (file_check_private(path, err) == -1 || file_read(path, out, err) == -1) {
		err_prefix(err, "%s", what);
		if (err != NULL)
			err->kind = ERR_CONFIG;
		return -1;
	}
	return 0;
}

int
config_read_secret(
    const struct config_secret *secret, const char *what, struct strbuf *out, struct error *err)
{
	struct strbuf text;
	int rc = 0;

	strbuf_init(&text, MAX_SECRET_BYTES);
	if (secret->file[0] != '\0')
		rc = read_private(secret->file, what, &text, err);
	else if (secret->env[0] != '\0')
		rc = read_env(secret->env, what, &text, err);
	else if (secret->command[0] != '\0')
		rc = run_command(secret->command, what, &text, err);
	else
		strbuf_add(&text, secret->value);
	/* An editor or a command ends its line; a secret has none. */
	if (rc == 0 && text.len > 0 && text.buf[text.len - 1] == '\n')
		strbuf_truncate(&text, text.len - 1);
	if (rc == 0 && text.len > 0 && text.buf[text.len - 1] == '\r')
		strbuf_truncate(&text, text.len - 1);
	if (rc == 0 && text.len == 0)
		rc = err_set(err, ERR_CONFIG, "%s is empty; expected a secret", what);
	else if (rc == 0 &&
	    (memchr(text.buf, '\0', text.len) != NULL || strchr(text.buf, '\n') != NULL))
		rc = err_set(err, ERR_CONFIG, "%s has several lines; expected one", what);
	if (rc == 0) {
		strbuf_addn(out, text.buf, text.len);
		rc = strbuf_check(out, err);
	}
	if (text.alloc > 0)
		explicit_bzero(text.buf, text.alloc);
	strbuf_release(&text);
	return rc;
}
