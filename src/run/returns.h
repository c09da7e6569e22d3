/* returns.h - what the files share that act on mails from outside. */
#ifndef DIGEST_RUN_RETURNS_H
#define DIGEST_RUN_RETURNS_H

#include "digest/incoming.h"
#include "digest/mailing.h"
#include "digest/token.h"
#include "run/bounces.h"
#include "run/stages.h"

/* ---- decide.c: what a mail asks for, by its record and the tokens in it ---- */

enum act { ACT_NONE, ACT_BOUNCE, ACT_COMPLAINT, ACT_UNSUBSCRIBE, ACT_PAUSE, ACT_RESUME };

struct decision {
	enum act act;
	int64_t reader, period;	/* period 0 = none is told by the token */
	bool ours;		/* a token of ours is good, whatever comes of it */
	bool may_answer;	/* a person wrote it */
	char token[TOKEN_LEN + 1];	/* that verified, "" = none */
	char words[240];	/* why */
};
/* Pure. Without a token that verifies nothing is done, and nothing is told apart. */
void	decide(const struct incoming *in, const struct token_keys *keys, struct decision *out);
/* What a token of an incoming mail is for, "" = it does not verify. */
const char *decide_name_token(const struct incoming_candidate *c, const struct token_keys *keys);
/* The recipient that a report speaks of: the reader, by either name, else the one that says the least; NULL = it names none. */
const struct incoming_recipient *decide_recipient(const struct incoming *in, const struct subscriber *reader);

/* ---- effects.c: what is done about it, in the store ---- */

/* The same for all that says the same of the same, whoever carried it. text is part of the name. */
void	returned_make_id(unsigned char out[RETURNED_ID_SIZE], enum returned_kind kind, int64_t reader, int64_t period,
	    const char *text);

/* To be told to a reader once all is committed. */
struct answer {
	int64_t reader;
	enum returned_kind kind;
	int32_t until_day;	/* of a pause */
	char message_id[INCOMING_TEXT_SIZE];
};

struct effect {
	enum run_inbox_count count;
	bool keep;		/* a person may want to see the mail: it is not marked */
	bool answers;
	struct answer answer;
	char words[240];	/* what was done, or why nothing was */
};
/* In a transaction. The same mail again, or another that says the same, has no other effect. */
int	effects_apply(struct run *run, const struct incoming *in, const struct decision *d, int64_t now_utc, struct arena *a,
	    struct effect *out, struct error *err);
/*
 * Score what waits, in transactions of its own. Nothing is while scoring is frozen; it freezes here.
 * all		whatever it looks like, as a person said
 * Returns 1, 0 when nothing waited, -1.
 */
int	effects_score(struct run *run, bool all, int64_t now_utc, struct run_inbox *inbox, struct error *err);

/* When the mailbox was read and since when scoring is frozen; all else of *out is 0. */
int	inbox_load_notes(struct run *run, struct arena *a, struct run_inbox_state *out, struct error *err);

extern const char inbox_frozen_note[], inbox_thawed_note[], inbox_state_note[];

/* ---- refusals.c: bounces that no mail brings ---- */

/* A mail was refused for good. Inside a transaction. What the answer says of others than the reader is passed over. */
int	refusals_note(struct run *run, int64_t period, int64_t reader, const char *reply, int64_t now_utc, struct error *err);
/* A mail is not tried any more, though it was not refused for good. Inside a transaction. */
int	refusals_note_end(struct run *run, const struct edition *e, int64_t now_utc, struct error *err);
/* Score what waits, as effects_score(); the report has an inbox when anything does. */
int	refusals_score(struct run *run, struct run_report *report, struct error *err);

/* ---- refusing.c ---- */

/* Domains to which a row of digests came back refused by policy, within a day; in a. */
int	refusing_load(struct run *run, struct arena *a, struct run_refusing **out, size_t *n, struct error *err);
/* In a sentence, for a person. */
void	refusing_describe(const struct run_refusing *r, char *out, size_t size);
/* Whether an address is at one of them. */
bool	refusing_has(const struct run_refusing *list, size_t n, const char *canonical);

/* ---- answers.c ---- */

/* One mail to each, at the end; one that cannot be sent is dropped. */
int	answers_send(struct run *run, const struct answer *answers, size_t n, struct run_inbox *inbox, struct error *err);

/* ---- mailbox.c ---- */

/* The step of a run: a mailbox that cannot be read holds up no digest. -1 only when nothing can go on. What it brings waits to be
 * scored. */
int	inbox_step(struct run *run, struct run_report *report, struct error *err);
/* What `check` does: try the login. *text gets what it found. */
int	inbox_probe(struct run *run, size_t *nfound, struct error *err);
/* ... and let the child read a mail. *sealed: the kernel filters its system calls. */
int	inbox_probe_reader(bool *sealed, struct error *err);

/* ---- readers.c ---- */

/* Suppress a reader, and end what is not in the file. Inside a transaction. */
int	readers_leave(struct run *run, const struct store_reader *reader, enum suppression_reason reason, int64_t now_utc,
	    struct error *err);
/* End a pause: 1 = it did, 0 = there was none, -1. Inside a transaction. */
int	readers_end_pause(struct run *run, const struct store_reader *reader, int64_t now_utc, struct error *err);

#endif
