#include "digest/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Standard input, output and errors of the program. */
static int
add_files(posix_spawn_file_actions_t *files, int out, int said)
{
	int rc = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);

	if (rc == 0)
		rc = posix_spawn_file_actions_adddup2(files, out, 1);
	if (rc == 0 && said == -1)
		return posix_spawn_file_actions_addopen(files, 2, "/dev/null", O_WRONLY, 0);
	return rc != 0 ? rc : posix_spawn_file_actions_adddup2(files, said, 2);
}

/* Whether the variable is one of those set. */
static bool
is_set_by(const char *const *set, const char *variable)
{
	size_t len = strcspn(variable, "=") + 1;

	for (; *set != NULL; set++)
		if (strncmp(*set, variable, len) == 0)
			return true;
	return false;
}

/* Our environment with those set; the strings are borrowed. NULL when memory is short. */
static char **
make_environment(const char *const *set)
{
	size_t n = 0, nset = 0;
	char **out;

	while (environ[n] != NULL)
		n++;
	while (set[nset] != NULL)
		nset++;
	if ((out = calloc(n + nset + 1, sizeof(*out))) == NULL)
		return NULL;
	memcpy(out, set, nset * sizeof(*out));
	n = nset;
	for (char **e = environ; *e != NULL; e++)
		if (!is_set_by(set, *e))
			out[n++] = *e;
	return out;
}

static int
spawn(const char *command, const char *const *set, int out, int said, pid_t *pid)
{
	char *argv[] = { "sh", "-c", (char *)(uintptr_t)command, NULL };
	posix_spawn_file_actions_t files;
	static const char *const nothing[] = { NULL };
	posix_spawnattr_t attr;
	sigset_t none, all;
	char **env;
	int rc;

	/* Libraries open sockets that a program would get; where the kernel is too old for it, it does. */
	syscall(SYS_close_range, 3U, ~0U, CLOSE_RANGE_CLOEXEC);
	if ((env = make_environment(set != NULL ? set : nothing)) == NULL)
		return ENOMEM;
	if ((rc = posix_spawn_file_actions_init(&files)) != 0) {
		free(env);
		return rc;
	}
	if ((rc = posix_spawnattr_init(&attr)) != 0) {
		posix_spawn_file_actions_destroy(&files);
		free(env);
		return rc;
	}
	sigemptyset(&none);
	sigfillset(&all);
	if ((rc = add_files(&files, out, said)) == 0 &&
	    (rc = posix_spawnattr_setsigmask(&attr, &none)) == 0 &&
	    (rc = posix_spawnattr_setsigdefault(&attr, &all)) == 0 &&
	    (rc = posix_spawnattr_setflags(
		 &attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)) == 0)
		rc = posix_spawn(pid, "/bin/sh", &files, &attr, argv, env);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&files);
	free(env);
	return rc;
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

/* A pipe of which our end, the first, never waits. */
static int
open_pipe(int fds[2])
{
	if (pipe2(fds, O_CLOEXEC) == -1) {
		fds[0] = fds[1] = -1;
		return -1;
	}
	return fcntl(fds[0], F_SETFL, O_NONBLOCK);
}

int
child_start(struct child *c, const char *command, const char *const *set, bool heed_errors,
    struct error *err)
{
	int out[2] = { -1, -1 }, said[2] = { -1, -1 };
	pid_t pid = 0;
	int rc = 0;

	*c = (struct child){ .out = -1, .said = -1 };
	if (open_pipe(out) == -1 || (heed_errors && open_pipe(said) == -1))
		rc = errno;
	else
		rc = spawn(command, set, out[1], said[1], &pid);
	close_fd(&out[1]);
	close_fd(&said[1]);
	if (rc != 0) {
		close_fd(&out[0]);
		close_fd(&said[0]);
		return err_set(err, ERR_IO, "the command cannot be started: %s", strerror(rc));
	}
	c->pid = pid;
	c->out = out[0];
	c->said = said[0];
	return 0;
}

/* One piece of a pipe: its length, 0 when there is nothing now; at its end it is closed. */
static size_t
read_piece(int *fd, char *piece, size_t size)
{
	ssize_t n;

	if (*fd == -1)
		return 0;
	do
		n = read(*fd, piece, size);
	while (n == -1 && errno == EINTR);
	if (n == 0 || (n == -1 && errno != EAGAIN))
		close_fd(fd);
	return n > 0 ? (size_t)n : 0;
}

static void
end_line(struct child *c)
{
	c->line[c->len] = '\0';
	if (c->len > 0)
		memcpy(c->last, c->line, c->len + 1);
	c->len = 0;
}

static void
heed(struct child *c)
{
	char piece[4096];
	size_t n;

	while ((n = read_piece(&c->said, piece, sizeof(piece))) > 0) {
		for (size_t i = 0; i < n; i++) {
			if (piece[i] == '\n')
				end_line(c);
			else if (c->len < sizeof(c->line) - 1)
				c->line[c->len++] = piece[i];
		}
	}
}

int
child_read(struct child *c, struct strbuf *out)
{
	char piece[16384];
	size_t n;

	heed(c);
	while ((n = read_piece(&c->out, piece, sizeof(piece))) > 0) {
		strbuf_addn(out, piece, n);
		if (out->state != STRBUF_OK)
			break;
	}
	explicit_bzero(piece, sizeof(piece)); /* it may be a password */
	if (out->state != STRBUF_OK)
		return -1;
	return c->out != -1;
}

bool
child_has_ended(const struct child *c)
{
	siginfo_t info = { .si_pid = 0 };

	/* Its status is left where it is: until that is taken no other process group can have its number. */
	return waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    info.si_pid == c->pid;
}

int
child_stop(struct child *c)
{
	int status = 0;

	if (c->pid == 0)
		return 0;
	kill(-c->pid, SIGKILL);
	while (waitpid(c->pid, &status, 0) == -1 && errno == EINTR)
		;
	heed(c);
	end_line(c);
	close_fd(&c->out);
	close_fd(&c->said);
	c->pid = 0;
	return status;
}

void
child_describe(const struct child *c, int status, char *out, size_t size)
{
	const char *colon = c->last[0] != '\0' ? ": " : "";

	if (WIFSIGNALED(status))
		snprintf(out, size, "ended by signal %d%s%s", WTERMSIG(status), colon, c->last);
	else
		snprintf(out, size, "exit status %d%s%s", WEXITSTATUS(status), colon, c->last);
}
