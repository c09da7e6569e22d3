/* incoming.c - 100,000 mails from outside: reports, automatic replies and letters of people, each through the screen and the
 * locked child, next to libetpan's parser alone in this process, and next to a child for each mail. */
#include "bench.h"
#include "digest/incoming.h"

#include <libetpan/libetpan.h>
#include <sys/resource.h>

#include "mail/incoming.h"

enum { MAILS = 100000, KINDS = 3, ALONE = 2000, MAX_MAIL = 64 * 1024 };

static void
add_mail(struct strbuf *out, int kind)
{
	if (kind == 0)
		strbuf_add(out,
		    "Return-Path: <>\r\nFrom: Mail Delivery System "
		    "<MAILER-DAEMON@mx.example.com>\r\n"
		    "To: bounce+abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqr@example.org\r\n"
		    "Subject: Undelivered Mail Returned to Sender\r\nMIME-Version: 1.0\r\n"
		    "Content-Type: multipart/report; report-type=delivery-status; "
		    "boundary=b\r\n\r\n"
		    "--b\r\n\r\nThis is the mail system at host mx.example.com.\r\n--b\r\n"
		    "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; "
		    "mx.example.com\r\n\r\n"
		    "Final-Recipient: rfc822; ada@example.com\r\nAction: failed\r\nStatus: "
		    "5.1.1\r\n"
		    "Diagnostic-Code: smtp; 550 5.1.1 user unknown\r\n\r\n--b\r\n"
		    "Content-Type: message/rfc822\r\n\r\nMessage-ID: <1@example.org>\r\n"
		    "Subject: 12 papers\r\n\r\n");
	else if (kind == 1)
		strbuf_add(out,
		    "From: Ada <ada@example.com>\r\nTo: papers@example.org\r\n"
		    "Subject: =?utf-8?q?Abwesenheit:_Gr=C3=BC=C3=9Fe?=\r\n"
		    "Auto-Submitted: auto-replied\r\nContent-Type: text/plain; "
		    "charset=utf-8\r\n\r\n");
	else
		strbuf_add(out,
		    "From: Bob <bob@example.com>\r\nTo: papers@example.org\r\n"
		    "Subject: Re: 12 papers\r\nContent-Type: text/plain\r\n\r\nHello,\r\n\r\n");
	/* What came back, or is quoted: 8 KB, as headers and the beginning of a digest. */
	for (int i = 0; i < 120; i++)
		strbuf_add(
		    out, "> Splatting at 900 fps on a phone, and seven papers more than that\r\n");
	if (kind == 0)
		strbuf_add(out, "--b--\r\n");
}

static void
read_mail(struct incoming_reader *r, const struct strbuf *mail, enum incoming_kind want)
{
	static struct incoming in;
	struct error err;

	if (incoming_reader_read(r, mail->buf, mail->len, &in, &err) == -1)
		bench_die(err.msg);
	if (in.kind != want)
		bench_die(in.why);
}

static struct incoming_reader *
open_reader(void)
{
	struct incoming_reader *r;
	struct error err;

	if (incoming_reader_new(&r, &err) == -1)
		bench_die(err.msg);
	return r;
}

static void
parse_alone(const struct strbuf *mail)
{
	struct mailmime *mime = NULL;
	size_t at = 0;

	if (mailmime_parse(mail->buf, mail->len, &at, &mime) != MAILIMF_NO_ERROR)
		bench_die("libetpan");
	mailmime_free(mime);
}

int
main(void)
{
	static const enum incoming_kind kinds[KINDS] = { INCOMING_BOUNCE, INCOMING_AUTO_REPLY,
		INCOMING_OTHER };
	double ours[BENCH_ROUNDS], peer[BENCH_ROUNDS], alone[BENCH_ROUNDS];
	struct strbuf mails[KINDS];
	struct rusage self, children;

	for (int i = 0; i < KINDS; i++) {
		strbuf_init(&mails[i], MAX_MAIL);
		add_mail(&mails[i], i);
	}
	for (int round = 0; round < BENCH_ROUNDS; round++) {
		struct incoming_reader *r = open_reader();
		double start = bench_now_s();

		for (int i = 0; i < MAILS; i++)
			read_mail(r, &mails[i % KINDS], kinds[i % KINDS]);
		ours[round] = (bench_now_s() - start) * 1e6 / MAILS;
		incoming_reader_free(r);
		start = bench_now_s();
		for (int i = 0; i < MAILS; i++)
			parse_alone(&mails[i % KINDS]);
		peer[round] = (bench_now_s() - start) * 1e6 / MAILS;
		start = bench_now_s();
		for (int i = 0; i < ALONE; i++) {
			r = open_reader();
			read_mail(r, &mails[i % KINDS], kinds[i % KINDS]);
			incoming_reader_free(r);
		}
		alone[round] = (bench_now_s() - start) * 1e6 / ALONE;
	}
	getrusage(RUSAGE_SELF, &self);
	getrusage(RUSAGE_CHILDREN, &children);
	bench_row("read a mail from outside in the locked child", "us", bench_median(ours),
	    bench_median(peer), "libetpan, mailmime_parse here");
	bench_row("read a mail from outside in the locked child", "us", bench_median(ours),
	    bench_median(alone), "a child for each mail");
	printf("# 100,000 mails of 8 KB from outside: %.0f mails/s, %.1f MB here, %.1f MB in a "
	       "child\n",
	    1e6 / bench_median(ours), (double)self.ru_maxrss / 1024,
	    (double)children.ru_maxrss / 1024);
	for (int i = 0; i < KINDS; i++)
		strbuf_release(&mails[i]);
	return 0;
}
