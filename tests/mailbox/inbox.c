/* A run over a mailbox, for tests: lists its mails, and says of each what becomes of it.
 *
 *	inbox [-d DONE] [-m MAX] [-p FILE] [-u USER] [-w PASSWORD] [-a AUTH] [-t COMMAND] [-c CA-FILE] [-o DIR] [-s SCALE] [-x N]
 *	      [-l WORD] [-k N] [-f N] [-n] URL | MAILDIR | -
 *
 * -p	the place: read from there, and written back at the end, also after a failure
 * -l	mails with this word are left; the others are done
 * -t	a command that prints a token
 * -o	each mail into a file of that folder, named by its number
 * -n	no TLS
 * -k	killed after so many mails; -x: they end after so many; -f: marked after each so many
 *
 * One line a mail: name, size, bytes, "cut" or "whole", done or left, first line. Then "found= taken= ...", the place, and in
 * kilobytes the most memory used. Ends with 0; 75 of what may pass, 78 of what a person must mend, 74 of the rest. */
#include "digest/mailbox.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct choices {
	struct mailbox_settings settings;
	const char *place, *leave, *folder, *command;
	unsigned kill_after, end_after, flush_every;
};

static int
read_token(void *arg, struct strbuf *out, struct error *err)
{
	FILE *pipe = popen(arg, "r");
	char line[4096];

	if (pipe == NULL || fgets(line, sizeof(line), pipe) == NULL)
		return err_set(err, ERR_CONFIG, "no token");
	pclose(pipe);
	line[strcspn(line, "\n")] = '\0';
	strbuf_add(out, line);
	return 0;
}

static struct choices
parse_options(int argc, char **argv)
{
	struct choices c = { .settings = { .tls_required = true } };
	int option;

	while ((option = getopt(argc, argv, "a:c:d:f:k:l:m:no:p:s:t:u:w:x:")) != -1) {
		switch (option) {
		case 'a':
			c.settings.auth = optarg;
			break;
		case 'c':
			c.settings.ca_file = optarg;
			break;
		case 'd':
			c.settings.done = optarg;
			break;
		case 'f':
			c.flush_every = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'k':
			c.kill_after = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'l':
			c.leave = optarg;
			break;
		case 'm':
			c.settings.max_mails = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'n':
			c.settings.tls_required = false;
			break;
		case 'o':
			c.folder = optarg;
			break;
		case 'p':
			c.place = optarg;
			break;
		case 's':
			c.settings.timeout_scale = strtod(optarg, NULL);
			break;
		case 't':
			c.settings.token = read_token;
			c.settings.token_arg = optarg;
			break;
		case 'u':
			c.settings.user = optarg;
			break;
		case 'w':
			c.settings.password = optarg;
			break;
		case 'x':
			c.end_after = (unsigned)strtoul(optarg, NULL, 10);
			break;
		default:
			exit(64);
		}
	}
	if (optind + 1 != argc)
		exit(64);
	if (strstr(argv[optind], "://") != NULL)
		c.settings.url = argv[optind];
	else if (strcmp(argv[optind], "-") != 0)
		c.settings.maildir = argv[optind];
	return c;
}

static int
complain(const struct error *err)
{
	fprintf(stderr, "%s: %s\n",
	    err->kind == ERR_NET	  ? "net"
		: err->kind == ERR_TEMP	  ? "temp"
		: err->kind == ERR_CONFIG ? "config"
					  : "other",
	    err->msg);
	return err->kind == ERR_NET || err->kind == ERR_TEMP ? 75
	    : err->kind == ERR_CONFIG			     ? 78
							     : 74;
}

static void
write_file(const char *folder, const struct mailbox_item *mail)
{
	char path[1024];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%zu", folder, mail->number);
	if ((file = fopen(path, "wb")) == NULL ||
	    fwrite(mail->bytes, 1, mail->len, file) != mail->len || fclose(file) != 0)
		exit(74);
}

static void
look_at(struct mailbox *mb, const struct choices *c, const struct mailbox_item *mail)
{
	const bool leave =
	    c->leave != NULL && memmem(mail->bytes, mail->len, c->leave, strlen(c->leave)) != NULL;
	const char *end = memchr(mail->bytes, '\n', mail->len);
	const size_t len = end != NULL ? (size_t)(end - mail->bytes) : mail->len;
	char line[100];

	snprintf(line, sizeof(line), "%.*s", len < 99 ? (int)len : 99, mail->bytes);
	line[strcspn(line, "\r")] = '\0';
	printf("%s %" PRIu64 " %zu %s %s %s\n", mail->name, mail->size, mail->len,
	    mail->cut ? "cut" : "whole", leave ? "left" : "done", line);
	if (c->folder != NULL)
		write_file(c->folder, mail);
	mailbox_finish(mb, mail->number, leave ? MAILBOX_LEAVE : MAILBOX_DONE);
}

static int
run(struct mailbox *mb, const struct choices *c, struct error *err)
{
	struct mailbox_item mail;
	unsigned n = 0;
	int more = 0;

	while (
	    (c->end_after == 0 || n < c->end_after) && (more = mailbox_next(mb, &mail, err)) == 1) {
		look_at(mb, c, &mail);
		if (++n == c->kill_after) {
			fflush(stdout);
			raise(SIGKILL);
		}
		if (c->flush_every > 0 && n % c->flush_every == 0 && mailbox_flush(mb, err) == -1)
			return -1;
	}
	return more == -1 ? -1 : mailbox_flush(mb, err);
}

/* Of this program alone: getrusage() counts what its parent had, too. */
static long
most_memory(void)
{
	FILE *file = fopen("/proc/self/status", "r");
	char line[200];
	long kb = 0;

	while (file != NULL && fgets(line, sizeof(line), file) != NULL)
		if (strncmp(line, "VmHWM:", 6) == 0)
			kb = strtol(line + 6, NULL, 10);
	if (file != NULL)
		fclose(file);
	return kb;
}

static void
tell(const struct mailbox *mb, const char *path)
{
	struct mailbox_counts counts;
	struct mailbox_place place;
	FILE *file;

	mailbox_count(mb, &counts);
	mailbox_tell_place(mb, &place);
	printf("found=%" PRIu64 " taken=%u handed=%u marked=%u unreadable=%u\n", counts.nfound,
	    counts.ntaken, counts.nhanded, counts.nmarked, counts.nunreadable);
	printf("place=%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", place.era, place.at, place.tie);
	printf("memory=%ld\n", most_memory());
	if (counts.nunreadable > 0)
		printf("trouble=%s\n", counts.trouble.msg);
	if (path == NULL)
		return;
	if ((file = fopen(path, "w")) == NULL ||
	    fprintf(file, "%" PRIu64 " %" PRIu64 " %" PRIu64 "\n", place.era, place.at, place.tie) <
		0 ||
	    fclose(file) != 0)
		exit(74);
}

int
main(int argc, char **argv)
{
	const struct choices c = parse_options(argc, argv);
	struct mailbox_settings settings = c.settings;
	struct mailbox_place place = { 0 };
	struct mailbox *mb = NULL;
	struct error err = { 0 };
	FILE *file = c.place != NULL ? fopen(c.place, "r") : NULL;
	int rc;

	signal(SIGPIPE, SIG_IGN);
	if (file != NULL) {
		if (fscanf(file, "%" SCNu64 " %" SCNu64 " %" SCNu64, &place.era, &place.at,
			&place.tie) != 3)
			return 64;
		fclose(file);
	}
	if (settings.token != NULL && settings.password == NULL)
		settings.password = "an-old-token-that-has-expired";
	if (mailbox_open(&settings, &place, &mb, &err) == -1)
		return complain(&err);
	rc = run(mb, &c, &err);
	tell(mb, c.place);
	mailbox_free(mb);
	return rc == -1 ? complain(&err) : 0;
}
