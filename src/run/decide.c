#include "run/returns.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Where a token may stand, by what it is to do: what is quoted by somebody else gives no right to ask for something. */
enum { IN_ADDRESS = 1, IN_SUBJECT = 2, IN_RETURNED = 4, IN_LINK = 8 };

static unsigned
place_of(const struct incoming_candidate *c)
{
	static const unsigned places[NINCOMING_PLACES] = {
		[INCOMING_TO] = IN_ADDRESS,
		[INCOMING_DELIVERED_TO] = IN_ADDRESS,
		[INCOMING_SUBJECT] = IN_SUBJECT,
		[INCOMING_REPORTED] = IN_RETURNED,
		[INCOMING_RETURNED_PATH] = IN_RETURNED,
		[INCOMING_RETURNED_ID] = 0,
		[INCOMING_RETURNED_LINK] = IN_LINK,
	};

	return c->place < NINCOMING_PLACES ? places[c->place] : 0;
}

/* The first token for that purpose. An epoch other than 0 is for nobody but bounces, where it is the period. */
static bool
find_token(const struct incoming *in, const struct token_keys *keys, enum token_purpose purpose,
    unsigned places, struct decision *out)
{
	char token[TOKEN_LEN + 1];
	uint32_t epoch;
	int64_t reader;

	for (size_t i = 0; i < in->ncandidates; i++) {
		const struct incoming_candidate *c = &in->candidates[i];

		if ((place_of(c) & places) == 0 || !incoming_token(c, token) ||
		    token_verify(keys, token, purpose, &reader, &epoch) == 0 ||
		    (purpose != TOKEN_BOUNCE && epoch != 0))
			continue;
		out->reader = reader;
		out->period = purpose == TOKEN_BOUNCE ? epoch : 0;
		out->ours = true;
		memcpy(out->token, token, sizeof(token));
		return true;
	}
	return false;
}

const char *
decide_name_token(const struct incoming_candidate *c, const struct token_keys *keys)
{
	static const struct {
		enum token_purpose purpose;
		const char *name;
	} names[] = {
		{ TOKEN_BOUNCE, "bounce" },
		{ TOKEN_UNSUBSCRIBE, "unsubscribe" },
		{ TOKEN_PAUSE, "pause" },
		{ TOKEN_RESUME, "resume" },
		{ TOKEN_CONFIRM, "confirm" },
		{ TOKEN_PREFERENCES, "preferences" },
	};
	char token[TOKEN_LEN + 1];
	uint32_t epoch;
	int64_t reader;

	if (!incoming_token(c, token))
		return "";
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (token_verify(keys, token, names[i].purpose, &reader, &epoch) == 1)
			return names[i].name;
	return "";
}

static void
decide_request(const struct incoming *in, const struct token_keys *keys, struct decision *out)
{
	static const struct {
		enum token_purpose purpose;
		enum act act;
	} verbs[NINCOMING_VERBS] = {
		[INCOMING_UNSUBSCRIBE] = { TOKEN_UNSUBSCRIBE, ACT_UNSUBSCRIBE },
		[INCOMING_PAUSE] = { TOKEN_PAUSE, ACT_PAUSE },
		[INCOMING_RESUME] = { TOKEN_RESUME, ACT_RESUME },
	};
	const uint32_t machine = INCOMING_AUTO_SUBMITTED | INCOMING_AUTO_MARKED |
	    INCOMING_FROM_LIST | INCOMING_FROM_ROBOT | INCOMING_APPLE;

	if (!find_token(in, keys, verbs[in->verb].purpose, IN_ADDRESS | IN_SUBJECT, out))
		return;
	out->act = verbs[in->verb].act;
	out->may_answer = (in->flags & machine) == 0;
}

/* What the reader pressed was a button to leave. The types are of drafts before RFC 5965, and still sent. */
static bool
is_opt_out(const struct incoming *in)
{
	return in->kind == INCOMING_FEEDBACK &&
	    (strcasecmp(in->reason, "opt-out") == 0 || strcasecmp(in->reason, "opt-out-list") == 0);
}

/*
 * A report about a digest, which names it by the token in its return path or that in its links. Relays that send as the account
 * that logged in write another path, and some servers deliver no address with a plus sign. The links have no period; whoever
 * has them could leave in the reader's name, and so gains nothing by a bounce.
 */
static bool
find_reported(const struct incoming *in, const struct token_keys *keys, struct decision *out)
{
	return find_token(in, keys, TOKEN_BOUNCE, IN_ADDRESS | IN_RETURNED, out) ||
	    find_token(in, keys, TOKEN_UNSUBSCRIBE, IN_LINK, out);
}

void
decide(const struct incoming *in, const struct token_keys *keys, struct decision *out)
{
	*out = (struct decision){ .act = ACT_NONE };
	switch ((enum incoming_kind)in->kind) {
	case INCOMING_BOUNCE:
		if (find_reported(in, keys, out))
			out->act = ACT_BOUNCE;
		break;
	case INCOMING_COMPLAINT:
		if (find_reported(in, keys, out))
			out->act = ACT_COMPLAINT;
		break;
	case INCOMING_FEEDBACK:
		if (find_reported(in, keys, out) && is_opt_out(in))
			out->act = ACT_UNSUBSCRIBE;
		break;
	case INCOMING_REQUEST:
		decide_request(in, keys, out);
		break;
	case INCOMING_DELAYED:
	case INCOMING_DELIVERED:
		find_reported(in, keys, out);
		break;
	case INCOMING_AUTO_REPLY:
		find_token(in, keys, TOKEN_BOUNCE, IN_ADDRESS | IN_RETURNED, out);
		break;
	case INCOMING_OTHER:
	case INCOMING_UNREADABLE:
	case NINCOMING_KINDS:
		break;
	}
	if (out->act == ACT_NONE && !out->ours &&
	    (in->kind == INCOMING_BOUNCE || in->kind == INCOMING_COMPLAINT ||
		in->kind == INCOMING_REQUEST))
		snprintf(out->words, sizeof(out->words), "no token that is valid for it");
	else
		snprintf(out->words, sizeof(out->words), "%s", in->why);
}

/* What says the least comes first: a reader whose mail goes on to two mailboxes still has one when the other is dead. */
static int
weight_of(const struct incoming_recipient *r)
{
	if (r->fate != INCOMING_BOUNCE)
		return 0;
	return r->class == SMTP_CLASS_DEAD ? 2 : 1;
}

const struct incoming_recipient *
decide_recipient(const struct incoming *in, const struct subscriber *reader)
{
	const struct incoming_recipient *least = NULL;

	for (size_t i = 0; i < in->nrecipients; i++) {
		const struct incoming_recipient *r = &in->recipients[i];
		const char *const names[] = { r->original, r->address };

		for (size_t j = 0; j < 2; j++)
			if (names[j][0] != '\0' &&
			    (strcasecmp(names[j], reader->address) == 0 ||
				strcasecmp(names[j], reader->canonical) == 0))
				return r;
		if (least == NULL || weight_of(r) < weight_of(least))
			least = r;
	}
	return least;
}
