/* The queue that the tests of the SMTP and sendmail sinks deliver from: mails 0 .. nmails-1, and the books. */
#ifndef DIGEST_TEST_SMTP_BOOKS_H
#define DIGEST_TEST_SMTP_BOOKS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "digest/sink.h"

enum { MAX_BOOKED = 2000, CALM_LOOKS = 8 };

struct books {
	int nmails, next;
	const char *to;		/* of every mail, NULL = reader<n>@example.net */
	const char *const *tos;	/* one each */
	const char *sender;
	const char *bytes;	/* of every mail, NULL = a small one */
	size_t nbytes;
	const struct strbuf *each;	/* the bytes of each mail, or NULL */
	int fail_next, fail_intend, fail_settle;	/* at this call, 1-based; 0 = never */
	int stop_at;	/* books_must_stop from so many mails on, when nothing has happened for CALM_LOOKS; 0 = never */
	int seen, ncalm;
	int nnexts, nintends, nsettles;
	int nintended, nsettled, n[4];
	bool intended[MAX_BOOKED], settled[MAX_BOOKED];
	enum outcome outcome[MAX_BOOKED];
	char reply[MAX_BOOKED][512];
	const atomic_uint *arrived;	/* mails that a server took, or NULL */
	bool wrong;		/* settled twice, sent or unknown without an intent, arrived before it */
};

static inline int
books_next(void *arg, unsigned lane, struct delivery *out, struct error *err)
{
	struct books *b = arg;

	(void)lane;
	b->nnexts++;
	if (b->nnexts == b->fail_next)
		return err_set(err, ERR_IO, "the queue broke");
	if (b->next == b->nmails)
		return 0;
	out->period = 20260821;
	out->reader = b->next;
	snprintf(out->sender, sizeof(out->sender), "%s",
	    b->sender != NULL ? b->sender : "me@example.org");
	out->needs_smtputf8 = false;
	if (b->tos != NULL)
		snprintf(out->to, sizeof(out->to), "%s", b->tos[b->next]);
	else if (b->to != NULL)
		snprintf(out->to, sizeof(out->to), "%s", b->to);
	else
		snprintf(out->to, sizeof(out->to), "reader%d@example.net", b->next);
	if (b->each != NULL)
		strbuf_addn(&out->bytes, b->each[b->next].buf, b->each[b->next].len);
	else if (b->bytes != NULL)
		strbuf_addn(&out->bytes, b->bytes, b->nbytes);
	else
		strbuf_addf(&out->bytes, "Subject: mail %d\r\nMessage-ID: <%d@example.org>\r\n\r\nHello.\r\n", b->next,
		    b->next);
	b->next++;
	return strbuf_check(&out->bytes, err) == 0 ? 1 : -1;
}

static inline int
books_intend(void *arg, const struct delivery *const *mails, size_t n, struct error *err)
{
	struct books *b = arg;

	b->nintends++;
	if (b->nintends == b->fail_intend)
		return err_set(err, ERR_IO, "the store broke");
	/* A dot that left too early has time to arrive. */
	if (b->arrived != NULL) {
		usleep(2000);
		b->wrong = b->wrong || (int)atomic_load(b->arrived) > b->nintended;
	}
	for (size_t i = 0; i < n; i++) {
		b->wrong = b->wrong || b->intended[mails[i]->reader] || b->settled[mails[i]->reader];
		b->intended[mails[i]->reader] = true;
	}
	b->nintended += (int)n;
	return 0;
}

static inline int
books_settle(void *arg, const struct delivery_outcome *outcomes, size_t n, struct error *err)
{
	struct books *b = arg;

	b->nsettles++;
	if (b->nsettles == b->fail_settle)
		return err_set(err, ERR_IO, "the books broke");
	for (size_t i = 0; i < n; i++) {
		const struct delivery_outcome *o = &outcomes[i];
		bool left = o->outcome == OUTCOME_SENT || o->outcome == OUTCOME_UNKNOWN;

		b->wrong = b->wrong || b->settled[o->reader] || (left && !b->intended[o->reader]);
		b->settled[o->reader] = true;
		b->outcome[o->reader] = o->outcome;
		b->n[o->outcome]++;
		snprintf(b->reply[o->reader], sizeof(b->reply[0]), "%s", o->reply);
	}
	b->nsettled += (int)n;
	return 0;
}

static inline bool
books_must_stop(void *arg)
{
	struct books *b = arg;

	b->ncalm = b->seen == b->nnexts + b->nsettled ? b->ncalm + 1 : 0;
	b->seen = b->nnexts + b->nsettled;
	return b->stop_at > 0 && b->next >= b->stop_at && b->ncalm >= CALM_LOOKS;
}

static inline const char *
name_of(int outcome)
{
	static const char *const names[] = { "sent", "deferred", "failed", "unknown" };

	return names[outcome];
}

#endif
