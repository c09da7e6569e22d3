/* sender.c - the SMTP engine alone: ready-made mails, and a queue that keeps no account.
 *   sender URL CONNECTIONS COUNT BYTES [CA-FILE]   send them; anything but COUNT accepted mails is a failure
 *   sender sum COUNT BYTES                         what tests/bench/sink.c prints when they have all arrived */
#include "digest/smtp.h"
#include "mails.h"

#include <signal.h>
#include <unistd.h>

struct queue {
	struct bench_mails mails;
	size_t next, nintended, nsent;
	char reply[512]; /* of the first that was not */
};

static int
next_mail(void *arg, unsigned lane, struct delivery *out, struct error *err)
{
	struct queue *q = arg;

	(void)lane;
	if (q->next == q->mails.n)
		return QUEUE_EMPTY;
	out->period = 1;
	out->reader = (int64_t)q->next;
	snprintf(out->sender, sizeof(out->sender), "papers@digest.test");
	out->needs_smtputf8 = false;
	bench_mail_to(q->next, out->to, sizeof(out->to));
	bench_mail_compose(&q->mails, q->next++, &out->bytes);
	return strbuf_check(&out->bytes, err) == -1 ? -1 : QUEUE_MAIL;
}

static int
intend(void *arg, const struct delivery *const *mails, size_t n, struct error *err)
{
	struct queue *q = arg;

	(void)mails;
	(void)err;
	q->nintended += n;
	return 0;
}

static int
settle(void *arg, const struct delivery_outcome *outcomes, size_t n, struct error *err)
{
	struct queue *q = arg;

	(void)err;
	for (size_t i = 0; i < n; i++) {
		if (outcomes[i].outcome == OUTCOME_SENT)
			q->nsent++;
		else if (q->reply[0] == '\0')
			snprintf(q->reply, sizeof(q->reply), "%s", outcomes[i].reply);
	}
	return 0;
}

static void
send_all(struct queue *q, const struct smtp_options *options)
{
	const struct delivery_queue queue = {
		.arg = q, .next = next_mail, .intend = intend, .settle = settle
	};
	struct sink *sink;
	struct error err;
	struct log log;

	log_init(&log, "sender", STDERR_FILENO, LOG_LEVEL_WARN);
	if (sink_open_smtp(options, 1, &log, &sink, &err) == -1 ||
	    sink_run(sink, &queue, &err) == -1)
		bench_die(err.msg);
	sink_free(sink);
	if (q->nsent != q->mails.n || q->nintended != q->mails.n) {
		fprintf(stderr, "bench: %zu of %zu mails were accepted: %s\n", q->nsent, q->mails.n,
		    q->reply);
		exit(1);
	}
}

int
main(int argc, char **argv)
{
	struct queue q = { .next = 0 };
	struct smtp_options options = { .helo = "bench.digest.test" };

	signal(SIGPIPE, SIG_IGN);
	if (argc == 4 && strcmp(argv[1], "sum") == 0) {
		bench_mails_init(&q.mails, strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
		bench_mails_print_sum(&q.mails);
	} else if (argc == 5 || argc == 6) {
		bench_mails_init(&q.mails, strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
		options.url = argv[1];
		options.connections = (unsigned)strtoul(argv[2], NULL, 10);
		options.ca_file = argc == 6 ? argv[5] : "";
		options.tls_required = argc == 6;
		send_all(&q, &options);
	} else {
		bench_die(
		    "sender URL CONNECTIONS COUNT BYTES [CA-FILE], or sender sum COUNT BYTES");
	}
	strbuf_release(&q.mails.body);
	return 0;
}
