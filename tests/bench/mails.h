/* mails.h - ready-made mails, the same for each program that sends them: one body, a head of its own for each, readers over
 * some thousand domains. No line begins with a dot. */
#ifndef DIGEST_BENCH_MAILS_H
#define DIGEST_BENCH_MAILS_H

#include "bench.h"
#include "sum.h"

enum { MAIL_DOMAINS = 5000 };

struct bench_mails {
	struct strbuf body;
	size_t n;
};

static inline void
bench_mails_init(struct bench_mails *m, size_t n, size_t nbytes)
{
	struct bench_random r = { 7 };
	size_t begin = 0;

	m->n = n;
	strbuf_init(&m->body, nbytes + 1024);
	while (m->body.len < nbytes) {
		if (m->body.len - begin > 66) {
			strbuf_add(&m->body, "\r\n");
			begin = m->body.len;
		} else if (m->body.len > begin) {
			strbuf_addc(&m->body, ' ');
		}
		bench_add_word(&m->body, bench_zipf(&r, 1, BENCH_WORDS));
	}
	strbuf_add(&m->body, "\r\n");
	if (strbuf_check(&m->body, NULL) == -1)
		bench_die("no memory");
}

/* The address of the i-th reader. */
static inline void
bench_mail_to(size_t i, char *out, size_t size)
{
	snprintf(out, size, "reader%zu@d%zu.digest.test", i, i % MAIL_DOMAINS);
}

static inline void
bench_mail_compose(const struct bench_mails *m, size_t i, struct strbuf *out)
{
	char to[64];

	bench_mail_to(i, to, sizeof(to));
	strbuf_addf(out,
	    "Date: Mon, 21 Sep 2026 14:13:20 +0000\r\nFrom: Papers <papers@digest.test>\r\nTo: %s\r\n"
	    "Subject: 12 papers\r\nMessage-ID: <%zu.bench@digest.test>\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: text/plain; charset=us-ascii\r\n\r\n",
	    to, i);
	strbuf_addn(out, m->body.buf, m->body.len);
}

/* What a sink that got them all, once each, prints at its end. */
static inline void
bench_mails_print_sum(const struct bench_mails *m)
{
	uint64_t *hashes = calloc(m->n + 1, sizeof(*hashes)), nbytes = 0;
	struct strbuf mail;

	strbuf_init(&mail, m->body.len + 4096);
	for (size_t i = 0; i < m->n && hashes != NULL; i++) {
		strbuf_reset(&mail);
		bench_mail_compose(m, i, &mail);
		hashes[i] = XXH3_64bits(mail.buf, mail.len);
		nbytes += mail.len;
	}
	if (hashes == NULL || strbuf_check(&mail, NULL) == -1)
		bench_die("no memory");
	sum_print(hashes, m->n, nbytes);
	strbuf_release(&mail);
	free(hashes);
}

#endif
