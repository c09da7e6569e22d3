#include "run/returns.h"
#include "run/wish.h"
#include "digest/limits.h"
#include "digest/quote.h"
#include "digest/token.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DAY_SECONDS = 86400 };

int
run_canonical(const char *address, struct arena *a, const char **out, struct error *err)
{
	struct address addr;

	if (address_parse(address, a, &addr, NULL, err) == -1)
		return -1;
	*out = addr.canonical;
	return 0;
}

/* ---- readers of the configuration ---- */

struct sync {
	struct run *run;
	struct error *err;
};

/* In place of a zone of the defaults that is gone: the one the reader had. That of a newcomer is the machine's. */
static int
keep_zone(struct sync *s, struct subscriber *reader, struct arena *a)
{
	struct store_reader *known;
	int found = store_find_reader(s->run->store, reader->canonical, a, &known, s->err);

	if (found == 0 && reader->was[0] != '\0')
		found = store_find_reader(s->run->store, reader->was, a, &known, s->err);
	if (found == 1)
		reader->timezone = known->sub.timezone;
	return found == -1 ? -1 : 0;
}

static int
sync_one(void *arg, const struct subscriber *reader, bool good)
{
	struct sync *s = arg;
	struct subscriber kept;
	struct arena a;
	int rc;

	if (!good || s->run->cfg->lost_zone == NULL || reader->timezone[0] != '\0')
		return store_sync_reader(s->run->store, reader, good, s->err);
	kept = *reader;
	arena_init(&a, MAX_READER_BYTES);
	rc = keep_zone(s, &kept, &a);
	if (rc == 0)
		rc = store_sync_reader(s->run->store, &kept, good, s->err);
	arena_release(&a);
	return rc;
}

static int
sync_all(struct run *run, bool accept_removals, struct store_sync_counts *counts, struct error *err)
{
	struct sync s = { run, err };
	char real[PATH_MAX];
	/* The same file by another way is the same file. */
	const char *path = realpath(run->cfg->path, real) != NULL ? real : run->cfg->path;

	if (store_sync_begin(run->store, path, clock_now_utc(&run->clock), err) == -1 ||
	    config_each_reader(run->cfg, sync_one, &s, err) != 0)
		return -1;
	if (run->cfg->nreader_errors > 0)
		store_sync_doubt(run->store);
	return store_sync_end(run->store, accept_removals, counts, err);
}

int
run_sync_readers(
    struct run *run, bool accept_removals, struct store_sync_counts *counts, struct error *err)
{
	memset(counts, 0, sizeof(*counts));
	if (store_begin(run->store, err) == -1)
		return -1;
	if (store_end(run->store, sync_all(run, accept_removals, counts, err), true, err) == -1)
		return -1;
	if (counts->held_back)
		log_error(run->log,
		    "%zu reader%s gone from %s; nobody was removed, and no mail goes there. If "
		    "that is "
		    "meant, run once with --accept-removals",
		    counts->nvanished, counts->nvanished == 1 ? " is" : "s are", run->cfg->path);
	return 0;
}

/* ---- the list by command ---- */

/* What a command does to one reader, inside a transaction. */
struct change {
	struct run *run;
	int64_t now_utc;
	const char *canonical;
	struct store_reader *reader; /* NULL = unknown to the store */
	const char *text;	     /* consent */
	int32_t day;
	enum run_resumed resumed;
	struct arena arena; /* of reader */
};

typedef int change_fn(struct change *c, struct error *err);

/* What c says of the change is filled in beforehand, the rest here. */
static int
with_reader(struct change *c, const char *address, change_fn *fn, struct error *err)
{
	int found, rc = -1;

	c->now_utc = clock_now_utc(&c->run->clock);
	arena_init(&c->arena, MAX_READER_BYTES);
	if (run_canonical(address, &c->arena, &c->canonical, err) == -1)
		goto out;
	found = store_find_reader(c->run->store, c->canonical, &c->arena, &c->reader, err);
	if (found == -1)
		goto out;
	if (found == 0)
		c->reader = NULL;
	if (store_begin(c->run->store, err) == -1)
		goto out;
	rc = store_end(c->run->store, fn(c, err), true, err);
out:
	arena_release(&c->arena);
	return rc;
}

static int
need_reader(const struct change *c, struct error *err)
{
	if (c->reader != NULL)
		return 0;
	return err_set(
	    err, ERR_USAGE, "%s is not a reader; 'digest subscribers' lists them", c->canonical);
}

/* Somebody who is a reader now. */
static int
need_active(struct change *c, struct error *err)
{
	if (c->reader == NULL || c->reader->state != READER_ENDED)
		return need_reader(c, err);
	return err_set(err, ERR_USAGE,
	    "%s is a reader no more; write their block again, or: digest subscribe %s",
	    c->canonical, quote_shell(&c->arena, c->canonical));
}

/* What the file says is changed in the file. */
static int
need_own(const struct change *c, struct error *err)
{
	if (c->reader == NULL || c->reader->sub.origin != ORIGIN_FILE ||
	    c->reader->state == READER_ENDED)
		return 0;
	if (c->reader->vanished)
		return err_set(err, ERR_USAGE,
		    "the block of %s is gone from %s; put it back, or confirm that by: digest run "
		    "--accept-removals",
		    c->canonical, c->reader->sub.file);
	return err_set(err, ERR_USAGE, "%s is in %s:%u; edit there", c->canonical,
	    c->reader->sub.file, (unsigned)c->reader->sub.line);
}

int
run_subscribe(struct run *run, const struct run_wish *wish, enum run_taken *taken,
    struct strbuf *address, struct strbuf *changes, struct error *err)
{
	struct change c = { .run = run };
	struct address addr;
	const char *wrong;
	struct arena a;
	int found, suppressed, rc = -1;

	arena_init(&a, MAX_READER_BYTES);
	if (address_parse(wish->address, &a, &addr, NULL, err) == -1)
		goto out;
	strbuf_add(address, addr.mailbox);
	c.canonical = addr.canonical;
	found = store_find_reader(run->store, c.canonical, &a, &c.reader, err);
	if (found == -1 || need_own(&c, err) == -1)
		goto out;
	suppressed = store_is_suppressed(run->store, c.canonical, NULL, NULL, err);
	if (suppressed == 1)
		err_set(err, ERR_USAGE,
		    "%s has left or must not be mailed; to lift that: digest subscribers resume %s "
		    "--consent \"where, when\"",
		    c.canonical, quote_shell(&a, c.canonical));
	if (suppressed != 0 || store_begin(run->store, err) == -1)
		goto out;
	rc = store_end(
	    run->store, wish_put(run, wish, &addr, &a, taken, changes, &wrong, err), true, err);
out:
	arena_release(&a);
	return rc;
}

int
readers_leave(struct run *run, const struct store_reader *reader, enum suppression_reason reason,
    int64_t now_utc, struct error *err)
{
	if (store_suppress(run->store, reader->sub.canonical, reason, now_utc, err) == -1)
		return -1;
	if (reader->state == READER_ENDED || reader->sub.origin == ORIGIN_FILE)
		return 0;
	return store_end_reader(run->store, reader->sub.id, now_utc, err);
}

static int
do_unsubscribe(struct change *c, struct error *err)
{
	if (c->reader != NULL)
		return readers_leave(c->run, c->reader, SUPPRESSED_UNSUBSCRIBED, c->now_utc, err);
	return store_suppress(
	    c->run->store, c->canonical, SUPPRESSED_UNSUBSCRIBED, c->now_utc, err);
}

int
run_unsubscribe(struct run *run, const char *address, struct error *err)
{
	struct change c = { .run = run };

	return with_reader(&c, address, do_unsubscribe, err);
}

int
run_unsubscribe_token(struct run *run, const char *token, struct strbuf *address, struct error *err)
{
	struct store_reader *reader;
	struct token_keys *keys;
	struct arena a;
	uint32_t epoch;
	int64_t id;
	int rc = -1;

	if (token_key_load(run->cfg->list.key_file, false, &keys, err) == -1)
		return -1;
	arena_init(&a, MAX_READER_BYTES);
	/* Whatever is wrong with a token, the answer is the same: it tells nothing about who is a reader. */
	if (token_verify(keys, token, TOKEN_UNSUBSCRIBE, &id, &epoch) == 0 || epoch != 0 ||
	    store_load_reader(run->store, id, &a, &reader, err) != 1) {
		err_set(err, ERR_DATA, "the token is not valid");
	} else {
		strbuf_add(address, reader->sub.address);
		rc = run_unsubscribe(run, reader->sub.address, err);
	}
	arena_release(&a);
	token_keys_free(keys);
	return rc;
}

static int
do_pause(struct change *c, struct error *err)
{
	if (need_active(c, err) == -1 || need_own(c, err) == -1)
		return -1;
	return store_pause_reader(c->run->store, c->reader->sub.id, c->day, err);
}

int
run_pause(struct run *run, const char *address, int32_t until_day, struct error *err)
{
	struct change c = { .run = run, .day = until_day };

	return with_reader(&c, address, do_pause, err);
}

/* It ends today, rather than never having been: its days stay left out. */
int
readers_end_pause(
    struct run *run, const struct store_reader *reader, int64_t now_utc, struct error *err)
{
	int32_t today = due_local_day(run, reader, now_utc);

	if (today > now_utc / DAY_SECONDS)
		today = (int32_t)(now_utc / DAY_SECONDS);
	if (reader->sub.paused_until <= today)
		return 0;
	return store_pause_reader(run->store, reader->sub.id, today, err) == -1 ? -1 : 1;
}

/* Who is no reader does not become one by that, and whose block is gone would end with the next run. */
static int
stay_stranger(struct change *c, bool was_suppressed, struct error *err)
{
	c->resumed = RESUMED_STRANGER;
	if (!was_suppressed)
		return need_active(c, err) == -1 ? -1 : need_own(c, err);
	if (c->reader == NULL || c->reader->vanished)
		return 0;
	return store_end_reader(c->run->store, c->reader->sub.id, c->reader->ended_utc, err);
}

/* Lifts a pause, and with a consent also a suppression. */
static int
do_resume(struct change *c, struct error *err)
{
	int suppressed = store_is_suppressed(c->run->store, c->canonical, NULL, NULL, err), ended;

	if (suppressed == -1)
		return -1;
	c->resumed = suppressed == 1 ? RESUMED_SUPPRESSION : RESUMED_NOTHING;
	if (suppressed == 1) {
		if (c->text[0] == '\0')
			return err_set(err, ERR_USAGE,
			    "%s has left; to mail them again say how they asked for it: --consent "
			    "\"where, when\"",
			    c->canonical);
		if (store_unsuppress(c->run->store, c->canonical, c->text, c->now_utc, err) == -1)
			return -1;
	}
	if (c->reader == NULL || c->reader->vanished ||
	    (c->reader->state == READER_ENDED &&
		(suppressed == 0 || c->reader->sub.origin == ORIGIN_FILE)))
		return stay_stranger(c, suppressed == 1, err);
	if ((ended = readers_end_pause(c->run, c->reader, c->now_utc, err)) != 1)
		return ended;
	if (suppressed == 0)
		c->resumed = RESUMED_PAUSE;
	if (store_load_reader(c->run->store, c->reader->sub.id, &c->arena, &c->reader, err) != 1)
		return -1;
	if (!due_is_paused(c->run, c->reader, c->now_utc))
		return 0;
	/* A pause by the block is the block's, and no reason to leave the rest undone. */
	c->resumed = RESUMED_PAUSED;
	return suppressed == 1 ? 0 : need_own(c, err);
}

int
run_resume(struct run *run, const char *address, const char *consent, enum run_resumed *was,
    struct error *err)
{
	struct change c = { .run = run, .text = consent };
	int rc = with_reader(&c, address, do_resume, err);

	*was = c.resumed;
	return rc;
}

/* ---- forgetting ---- */

/* As a word of its own: not as part of a longer one. */
static bool
has_word(const char *text, const char *word)
{
	const size_t len = strlen(word);

	for (const char *at = text; len > 0 && (at = strcasestr(at, word)) != NULL; at++)
		if ((at == text || !isalnum((unsigned char)at[-1])) &&
		    !isalnum((unsigned char)at[len]))
			return true;
	return false;
}

/* Relays repeat the part before the '@' alone, and what they said is kept here and there. */
static int
forget_notes(struct run *run, const char *local, const char *name, struct error *err)
{
	static const char *const notes[] = { report_note, status_broken_note, operator_told_note };
	struct arena a;
	const char *text;
	int rc = 0;

	arena_init(&a, MAX_READER_BYTES);
	for (size_t i = 0; rc == 0 && i < sizeof(notes) / sizeof(notes[0]); i++) {
		rc = store_get_note(run->store, notes[i], &a, &text, err);
		if (rc == 0 && (has_word(text, local) || has_word(text, name)))
			rc = store_set_note(run->store, notes[i], "", err);
	}
	arena_release(&a);
	return rc;
}

/* Whoever is forgotten has left: a list that still names them must not bring them back. */
static int
do_erase(struct change *c, struct error *err)
{
	const char *words[] = { c->canonical, NULL, NULL };
	struct store *store = c->run->store;
	int left = store_is_suppressed(store, c->canonical, NULL, NULL, err);
	char *local;

	if (left == -1)
		return -1;
	if (c->reader == NULL)
		return left == 1 ? 0 : need_reader(c, err);
	if (c->reader->sub.origin == ORIGIN_FILE && c->reader->state == READER_ACTIVE &&
	    !c->reader->vanished)
		return err_set(err, ERR_USAGE,
		    "%s is in %s:%u; remove that block first, then do this again", c->canonical,
		    c->reader->sub.file, (unsigned)c->reader->sub.line);
	words[1] = c->reader->sub.address;
	local = strndup(words[1], (size_t)(strrchr(words[1], '@') - words[1]));
	if (local == NULL)
		return err_nomem(err, "erase");
	if ((left == 0 &&
		store_suppress(store, c->canonical, SUPPRESSED_UNSUBSCRIBED, c->now_utc, err) ==
		    -1) ||
	    store_erase_reader(store, c->reader->sub.id, err) == -1 ||
	    store_forget_words(store, words, err) == -1 ||
	    forget_notes(c->run, local, c->reader->sub.name, err) == -1) {
		free(local);
		return -1;
	}
	free(local);
	return 0;
}

int
run_erase(struct run *run, const char *address, struct error *err)
{
	struct change c = { .run = run };
	long holder;
	int ours = store_lock_sender(run->store, &holder, err);

	/* Its mail may be on its way. */
	if (ours == 0)
		return err_set(err, ERR_TEMP,
		    "a run is under way (process %ld); do this again after it", holder);
	if (ours == -1 || with_reader(&c, address, do_erase, err) == -1)
		return -1;
	if (store_scrub(run->store, err) == -1)
		return err_prefix(
		    err, "what was kept of %s is removed, but not yet overwritten", address);
	return 0;
}
