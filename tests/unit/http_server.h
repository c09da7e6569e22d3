/* A scripted HTTP server for tests: a child process on 127.0.0.1 that answers connections by a
 * function of the test's own and counts them. */
#ifndef DIGEST_TEST_HTTP_SERVER_H
#define DIGEST_TEST_HTTP_SERVER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

struct http_server {
	pid_t pid;
	unsigned port;
	unsigned *naccepts; /* shared with the child */
};

/* request is the whole head of the request; the connection is closed when it returns. */
typedef void http_server_serve(int fd, unsigned port, const char *request);

static inline void
http_server_send(int fd, const void *bytes, size_t len)
{
	const char *at = bytes;

	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			return; /* the client hung up, which many tests want */
		at += n;
		len -= (size_t)n;
	}
}

static inline void
http_server_answer(int fd, const struct http_server *s, http_server_serve *serve)
{
	char request[8192];
	size_t len = 0;

	while (len < sizeof(request) - 1) {
		ssize_t n = recv(fd, request + len, sizeof(request) - 1 - len, 0);

		if (n <= 0)
			break;
		len += (size_t)n;
		request[len] = '\0';
		if (strstr(request, "\r\n\r\n") != NULL)
			break;
	}
	request[len] = '\0';
	serve(fd, s->port, request);
	shutdown(fd, SHUT_WR);
	close(fd);
}

/* A process for each connection, so that one which stalls on purpose holds up no other. */
static inline void
http_server_loop(int listener, const struct http_server *s, http_server_serve *serve)
{
	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		int fd = accept(listener, NULL, NULL);

		if (fd == -1)
			_exit(1);
		(*s->naccepts)++;
		if (fork() == 0) {
			close(listener);
			http_server_answer(fd, s, serve);
			_exit(0);
		}
		close(fd);
	}
}

/* At an address of this machine: 0, or -1 when it cannot be listened on. */
static inline int
http_server_start_at(struct http_server *s, const char *host, http_server_serve *serve)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, host, &address.sin_addr);
	s->naccepts = mmap(
	    NULL, sizeof(*s->naccepts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s->naccepts == MAP_FAILED || listener == -1 ||
	    bind(listener, (struct sockaddr *)&address, sizeof(address)) == -1 ||
	    listen(listener, 64) == -1 ||
	    getsockname(listener, (struct sockaddr *)&address, &len) == -1)
		return -1;
	s->port = ntohs(address.sin_port);
	fflush(NULL);
	s->pid = fork();
	if (s->pid == 0)
		http_server_loop(listener, s, serve);
	close(listener);
	return s->pid == -1 ? -1 : 0;
}

/* 0, or -1 when there is no loopback to listen on. */
static inline int
http_server_start(struct http_server *s, http_server_serve *serve)
{
	return http_server_start_at(s, "127.0.0.1", serve);
}

static inline void
http_server_stop(struct http_server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	munmap(s->naccepts, sizeof(*s->naccepts));
}

#endif
