/* Domains that refuse our mail for who we are or what we send. What a relay says at once stops the run for a domain while it goes
 * on (mail/pace.h); here is the same for mail that was taken, and came back. To go on would cost the name we have there, and
 * says nothing of the readers. */
#include "run/returns.h"

#include <stdio.h>
#include <string.h>

enum {
	REFUSING_ROW = 20,	 /* as PACE_POLICY_ROW */
	REFUSING_SPAN_S = 86400, /* so long no mail leaves for it; then it is tried again */
};

int
refusing_load(
    struct run *run, struct arena *a, struct run_refusing **out, size_t *n, struct error *err)
{
	const int64_t since_utc = clock_now_utc(&run->clock) - REFUSING_SPAN_S;
	const char **domains;
	size_t ndomains;

	*n = 0;
	if (store_load_bounced_domains(run->store, BOUNCE_POLICY, since_utc, REFUSING_ROW, a,
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
	    "for who we are or what we send, the last with: %s; a day after that it is tried again",
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
