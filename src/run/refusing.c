/* Domains that refuse our mail for who we are or what we send. What a relay says at once stops the run for a domain while it goes
 * on (mail/pace.h); here is the same for mail that was taken, and came back. To go on would cost the name we have there, and
 * says nothing of the readers. */
#include "run/returns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	REFUSING_ROW = 20,	 /* as PACE_POLICY_ROW */
	REFUSING_SPAN_S = 86400, /* so long no mail leaves for it; then it is tried again */
};

/* What was read before a person said that all is well counts no more. */
static int
find_start(struct run *run, struct arena *a, int64_t *since_utc, struct error *err)
{
	const char *text;
	int64_t thawed_utc;

	if (store_get_note(run->store, inbox_thawed_note, a, &text, err) == -1)
		return -1;
	thawed_utc = strtoll(text, NULL, 10);
	*since_utc = clock_now_utc(&run->clock) - REFUSING_SPAN_S;
	if (*since_utc <= thawed_utc)
		*since_utc = thawed_utc + 1;
	return 0;
}

int
refusing_load(
    struct run *run, struct arena *a, struct run_refusing **out, size_t *n, struct error *err)
{
	const char **domains;
	int64_t since_utc;
	size_t ndomains;

	*n = 0;
	if (find_start(run, a, &since_utc, err) == -1 ||
	    store_load_bounced_domains(run->store, BOUNCE_POLICY, since_utc, REFUSING_ROW, a,
		&domains, &ndomains, err) == -1)
		return -1;
	if ((*out = arena_array(a, ndomains, sizeof(**out))) == NULL)
		return err_nomem(err, "domains");
	for (size_t i = 0; i < ndomains; i++) {
		struct run_refusing *r = &(*out)[*n];
		int found = store_find_row(run->store, BOUNCE_POLICY, domains[i], since_utc,
		    REFUSING_ROW, a, &r->reply, err);

		if (found == -1)
			return -1;
		r->domain = domains[i];
		*n += (size_t)found;
	}
	return 0;
}

void
refusing_describe(const struct run_refusing *r, char *out, size_t size)
{
	snprintf(out, size,
	    "no mail leaves for %s: %d digests in a row came back from there within a day, refused "
	    "for who we are or what we send, the last with: %s; it is tried again a day after "
	    "that, or "
	    "once 'digest mailbox thaw' says that it is mended",
	    r->domain, REFUSING_ROW, r->reply);
}

bool
refusing_has(const struct run_refusing *list, size_t n, const char *canonical)
{
	const char *at = strrchr(canonical, '@');

	for (size_t i = 0; i < n && at != NULL; i++)
		if (strcmp(list[i].domain, at + 1) == 0)
			return true;
	return false;
}
