#include "mail/pace.h"

#include "digest/smtp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NO_DOMAIN SIZE_MAX

void
pace_init(struct pace *p, bool limited, double scale)
{
	memset(p, 0, sizeof(*p));
	p->limited = limited;
	p->scale = scale;
	map_init(&p->numbers);
}

void
pace_release(struct pace *p)
{
	for (size_t i = 0; i < p->ndomains; i++) {
		free(p->domains[i]->name);
		free(p->domains[i]->why);
		free(p->domains[i]);
	}
	free(p->domains);
	map_release(&p->numbers);
}

void
pace_reset(struct pace *p)
{
	const bool limited = p->limited;
	const double scale = p->scale;

	pace_release(p);
	pace_init(p, limited, scale);
}

static const char *
domain_of(const char *mailbox)
{
	const char *at = strrchr(mailbox, '@');

	return at != NULL ? at + 1 : mailbox;
}

static size_t
find(const struct pace *p, const char *name)
{
	uint64_t number;

	if (p->ndomains > 0 && map_get(&p->numbers, name, strlen(name), &number))
		return (size_t)number;
	return p->ndomains >= PACE_MAX_DOMAINS ? p->ndomains - 1 : NO_DOMAIN;
}

static bool
make_room(struct pace *p)
{
	size_t alloc = p->alloc == 0 ? 64 : p->alloc * 2;
	struct pace_domain **domains;

	if (p->ndomains < p->alloc)
		return true;
	if ((domains = realloc(p->domains, alloc * sizeof(struct pace_domain *))) == NULL)
		return false;
	p->domains = domains;
	p->alloc = alloc;
	return true;
}

/* Its number; NO_DOMAIN when memory is short: such a mail goes at no pace, and that is no reason not to send it. */
static size_t
find_or_add(struct pace *p, const char *name)
{
	size_t number = find(p, name);
	struct pace_domain *d;

	if (number != NO_DOMAIN || !make_room(p) || (d = calloc(1, sizeof(*d))) == NULL)
		return number;
	d->most = 1;
	d->name = strdup(name);
	if (d->name == NULL || map_set(&p->numbers, d->name, strlen(d->name), p->ndomains) == -1) {
		free(d->name);
		free(d);
		return NO_DOMAIN;
	}
	p->domains[p->ndomains] = d;
	return p->ndomains++;
}

enum pace_verdict
pace_ask(struct pace *p, const char *mailbox, int64_t now_ms, const char **why)
{
	size_t number = find(p, domain_of(mailbox));
	const struct pace_domain *d;

	if (number == NO_DOMAIN)
		return PACE_GO;
	d = p->domains[number];
	if (d->until_ms > now_ms) {
		*why = d->why != NULL ? d->why : "its domain waits";
		return PACE_REFUSE;
	}
	return p->limited && d->under_way >= d->most ? PACE_WAIT : PACE_GO;
}

void
pace_begin(struct pace *p, const char *mailbox)
{
	size_t number = p->limited ? find_or_add(p, domain_of(mailbox)) : NO_DOMAIN;

	if (number != NO_DOMAIN)
		p->domains[number]->under_way++;
}

void
pace_cancel(struct pace *p, const char *mailbox)
{
	size_t number = p->limited ? find(p, domain_of(mailbox)) : NO_DOMAIN;

	if (number != NO_DOMAIN && p->domains[number]->under_way > 0)
		p->domains[number]->under_way--;
}

/* ---- what an answer says of our pace ---- */

enum meaning { MEANS_TAKEN, MEANS_SLOW, MEANS_POLICY, MEANS_CONTENT, MEANS_OTHER };

static enum meaning
read_meaning(const char *reply)
{
	struct smtp_verdict v;

	if (reply[0] == '2')
		return MEANS_TAKEN;
	if (strncmp(reply, "421", 3) == 0)
		return MEANS_SLOW;
	v = smtp_judge(reply, true);
	if (v.blame == BLAME_RATE)
		return MEANS_SLOW;
	if (v.blame != BLAME_OURS)
		return MEANS_OTHER;
	if (!v.of_all)
		return v.class == SMTP_CLASS_POLICY ? MEANS_CONTENT : MEANS_OTHER;
	return reply[0] == '5' ? MEANS_POLICY : MEANS_SLOW;
}

static void
stop_until(struct pace_domain *d, int64_t until_ms, const char *reply)
{
	free(d->why);
	if (asprintf(&d->why, "%s (not tried: mails there got this answer before)", reply) == -1)
		d->why = NULL;
	d->until_ms = until_ms;
}

static void
note_refusing(struct pace *p, size_t number)
{
	for (unsigned i = 0; i < p->nrefusing; i++)
		if (p->refusing[i] == number)
			return;
	if (p->nrefusing < PACE_MOST)
		p->refusing[p->nrefusing++] = number;
}

static void
take_taken(struct pace_domain *d)
{
	d->nslow = d->npolicy = 0;
	if (++d->ntaken >= PACE_STEP && d->most < PACE_MOST) {
		d->most++;
		d->ntaken = 0;
	}
}

static void
take_slow(const struct pace *p, struct pace_domain *d, const char *reply, int64_t now_ms)
{
	d->npolicy = 0;
	d->ntaken = 0;
	d->most = d->most > 1 ? d->most / 2 : 1;
	if (++d->nslow < PACE_SLOW_ROW)
		return;
	/* After the pause one more is enough for the next. */
	d->nslow = PACE_SLOW_ROW - 1;
	stop_until(d, now_ms + (int64_t)(PACE_PAUSE_S * 1000 * p->scale), reply);
}

static void
take_refused(struct pace_domain *d, const char *reply)
{
	if (++d->npolicy >= PACE_POLICY_ROW)
		stop_until(d, INT64_MAX, reply);
}

void
pace_end(struct pace *p, const char *mailbox, const char *reply, int64_t now_ms)
{
	enum meaning meaning = read_meaning(reply);
	const char *name = domain_of(mailbox);
	size_t number = meaning == MEANS_POLICY || meaning == MEANS_CONTENT ? find_or_add(p, name)
									    : find(p, name);
	struct pace_domain *d;

	if (meaning == MEANS_TAKEN)
		p->nrefusing = 0;
	if (number == NO_DOMAIN)
		return;
	d = p->domains[number];
	if (d->under_way > 0)
		d->under_way--;
	switch (meaning) {
	case MEANS_TAKEN:
		take_taken(d);
		break;
	case MEANS_SLOW:
		if (p->limited)
			take_slow(p, d, reply, now_ms);
		break;
	case MEANS_POLICY:
		note_refusing(p, number);
		take_refused(d, reply);
		break;
	case MEANS_CONTENT:
		take_refused(d, reply);
		break;
	case MEANS_OTHER:
		d->npolicy = 0;
		break;
	}
}

unsigned
pace_count_refusing(const struct pace *p)
{
	return p->nrefusing;
}
