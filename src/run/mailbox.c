/* Reading the mailbox: mail by mail from where it lies through the locked child to what is done about it. Of each batch the
 * effects are committed before a single mail is marked, so that a death in between repeats what was done, which has no second
 * effect, and loses nothing. */
#include "run/returns.h"

#include "digest/file.h"
#include "digest/limits.h"
#include "digest/mailbox.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	PATIENCE_S = 3 * 86400, /* a server that is away for less comes back by itself, mostly */
	MAX_KEY_BYTES = 2048,
	MAX_ANSWERS = MAX_MAILBOX_RUN,
	MAX_POISON = 5, /* of a reading: each may keep the parser busy for long, and digests wait */
	COMMIT_MAILS =
	    250, /* in one transaction: it, and the marks that follow, wait for the disk; 7 MB of records */
};

const char inbox_state_note[] = "mailbox-state";

/* One reading. */
struct reading {
	struct run *run;
	struct run_inbox *inbox;
	struct token_keys *keys;
	struct incoming_reader *reader;
	struct mailbox *mb;
	struct incoming *batch; /* COMMIT_MAILS */
	size_t numbers[COMMIT_MAILS];
	bool keep[COMMIT_MAILS];
	size_t nbatch;
	unsigned npoison;
	struct answer *answers; /* MAX_ANSWERS */
	size_t nanswers;
	struct arena arena; /* of one mail */
	int64_t now_utc;
};

bool
run_has_inbox(const struct run *run)
{
	return run->cfg->mailbox.url[0] != '\0' || run->cfg->mailbox.maildir[0] != '\0';
}

bool
run_has_returns(const struct run *run)
{
	return run_has_inbox(run) || run->cfg->mailbox.from_stdin;
}

/* ---- where it lies ---- */

/* What a mailbox is opened with. */
struct access {
	struct run *run;
	struct mailbox_settings settings;
	struct strbuf secret, path, key; /* key: of its notes */
};

static int
read_token(void *arg, struct strbuf *out, struct error *err)
{
	const struct access *a = arg;
	const struct config_secret secret = {
		.value = "", .file = "", .env = "", .command = a->run->cfg->mailbox.token_command
	};

	return config_read_secret(&secret, "token-command", out, err);
}

static bool
must_stop(void *arg)
{
	const struct run *run = arg;

	return run->stop != NULL && *run->stop != 0;
}

static void
close_access(struct access *a)
{
	if (a->secret.alloc > 0)
		explicit_bzero(a->secret.buf, a->secret.alloc);
	strbuf_release(&a->secret);
	strbuf_release(&a->path);
	strbuf_release(&a->key);
}

static int
read_secret(struct access *a, struct error *err)
{
	const struct config_mailbox *box = &a->run->cfg->mailbox;
	const struct config_secret *s = &box->password;

	if (box->token_command[0] != '\0')
		return read_token(a, &a->secret, err);
	if (s->value[0] == '\0' && s->file[0] == '\0' && s->env[0] == '\0' && s->command[0] == '\0')
		return 0;
	return config_read_secret(s, "password", &a->secret, err);
}

/* a stays where it is until close_access. */
static int
open_access(struct run *run, bool from_stdin, struct access *a, struct error *err)
{
	const struct config_mailbox *box = &run->cfg->mailbox;
	int rc = 0;

	*a = (struct access){ .run = run,
		.settings = { .fd = STDIN_FILENO,
		    .must_stop = must_stop,
		    .stop_arg = run,
		    .tls_required = box->tls_required,
		    .insecure = box->insecure,
		    .auth = box->auth,
		    .ca_file = box->ca_file,
		    .done = box->done } };
	strbuf_init(&a->secret, MAX_SECRET_BYTES);
	strbuf_init(&a->path, MAX_URL_BYTES);
	strbuf_init(&a->key, MAX_KEY_BYTES);
	strbuf_add(&a->key, "mailbox ");
	if (!from_stdin && box->url[0] != '\0') {
		a->settings.url = box->url;
		a->settings.user = box->user;
		if (box->token_command[0] != '\0') {
			a->settings.token = read_token;
			a->settings.token_arg = a;
		}
		rc = read_secret(a, err);
		a->settings.password = a->secret.buf;
	} else if (!from_stdin) {
		a->settings.maildir = box->maildir;
	}
	if (rc == 0)
		rc = mailbox_check_settings(&a->settings, err);
	if (rc == 0) {
		mailbox_add_key(&a->key, &a->settings);
		rc = strbuf_check(&a->key, err);
	}
	if (rc == -1)
		close_access(a);
	return rc == -1 ? err_prefix(err, "mailbox") : 0;
}

/* As save_place wrote it. */
static bool
read_place(const char *text, struct mailbox_place *out)
{
	uint64_t *const members[] = { &out->era, &out->at, &out->tie };
	char *end;

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++, text = end) {
		*members[i] = strtoull(text, &end, 10);
		if (end == text)
			return false;
	}
	return true;
}

static int
load_place(struct run *run, const char *key, struct mailbox_place *out, struct error *err)
{
	struct arena a;
	const char *text;
	int rc;

	memset(out, 0, sizeof(*out));
	arena_init(&a, MAX_READER_BYTES);
	rc = store_get_note(run->store, key, &a, &text, err);
	/* What is no place is none: mails are looked at once more. */
	if (rc == 0 && !read_place(text, out))
		memset(out, 0, sizeof(*out));
	arena_release(&a);
	return rc;
}

static int
save_note(struct run *run, const char *name, const char *text, struct error *err)
{
	if (store_begin(run->store, err) == -1)
		return -1;
	return store_end(run->store, store_set_note(run->store, name, text, err), false, err);
}

static int
save_place(struct run *run, const char *key, const struct mailbox_place *p, struct error *err)
{
	char text[80];

	snprintf(text, sizeof(text), "%" PRIu64 " %" PRIu64 " %" PRIu64, p->era, p->at, p->tie);
	return save_note(run, key, text, err);
}

/* ---- mail by mail ---- */

static int
apply_one(struct reading *r, size_t i, struct error *err)
{
	const struct incoming *in = &r->batch[i];
	struct decision d;
	struct effect effect;

	decide(in, r->keys, &d);
	arena_reset(&r->arena);
	if (effects_apply(r->run, in, &d, r->now_utc, &r->arena, &effect, err) == -1)
		return -1;
	r->inbox->counts[effect.count]++;
	r->keep[i] = effect.keep;
	if (effect.answers && r->nanswers < MAX_ANSWERS)
		r->answers[r->nanswers++] = effect.answer;
	log_debug(r->run->log, "a mail: %s: %s", incoming_kind_name((enum incoming_kind)in->kind),
	    effect.words);
	return 0;
}

/* What the batch says, in one commit that is on the disk; then its mails are done with. */
static int
commit_batch(struct reading *r, struct error *err)
{
	const struct run_inbox before = *r->inbox;
	const size_t nanswers = r->nanswers;
	int rc = 0;

	if (r->nbatch == 0)
		return 0;
	if (store_begin(r->run->store, err) == -1)
		return -1;
	for (size_t i = 0; i < r->nbatch && rc == 0; i++)
		rc = apply_one(r, i, err);
	rc = store_end(r->run->store, rc, true, err);
	if (rc == -1) {
		memcpy(r->inbox->counts, before.counts, sizeof(before.counts));
		r->nanswers = nanswers;
		return -1;
	}
	for (size_t i = 0; i < r->nbatch; i++)
		mailbox_finish(r->mb, r->numbers[i], r->keep[i] ? MAILBOX_LEAVE : MAILBOX_DONE);
	r->nbatch = 0;
	return 0;
}

/* A mail of which the parser died may be told to whoever mends that; what is behind too many of them waits. */
static void
note_poison(struct reading *r, const struct mailbox_item *mail, const struct incoming *in)
{
	char *trouble = r->inbox->trouble;
	const size_t size = sizeof(r->inbox->trouble), len = strlen(trouble);

	if (++r->npoison == 1)
		snprintf(trouble, size, "mailbox: the mail %.200s is left alone: %s", mail->name,
		    in->why);
	else if (r->npoison == MAX_POISON)
		snprintf(trouble + len, size - len,
		    "; it is the first of %d like it, and what lies behind them waits for the next "
		    "time",
		    MAX_POISON);
}

static int
read_all(struct reading *r, struct error *err)
{
	struct mailbox_item mail;
	int more = 1;

	while (r->npoison < MAX_POISON && (more = mailbox_next(r->mb, &mail, err)) == 1) {
		struct incoming *in = &r->batch[r->nbatch];

		if (incoming_reader_read(r->reader, mail.bytes, mail.len, in, err) == -1)
			return -1;
		r->inbox->nread++;
		r->inbox->kinds[in->kind]++;
		if (in->flags & INCOMING_POISON)
			note_poison(r, &mail, in);
		r->numbers[r->nbatch++] = mail.number;
		if (r->nbatch == COMMIT_MAILS && commit_batch(r, err) == -1)
			return -1;
	}
	/* What was read before a link was lost counts. */
	if (commit_batch(r, more == -1 ? NULL : err) == -1)
		return -1;
	return more == -1 ? -1 : mailbox_flush(r->mb, err);
}

static void
note_counts(struct reading *r)
{
	struct mailbox_counts c;

	mailbox_count(r->mb, &c);
	r->inbox->nfound = c.nfound;
	r->inbox->nmarked = c.nmarked;
	r->inbox->counts[INBOX_UNREADABLE] += c.nunreadable;
	if (c.nunreadable > 0 && r->inbox->trouble[0] == '\0')
		snprintf(r->inbox->trouble, sizeof(r->inbox->trouble), "%s", c.trouble.msg);
}

/* The mailbox itself: open, read, keep the place. */
static int
read_box(struct reading *r, const struct access *a, struct error *err)
{
	struct mailbox_place place;
	struct error why = { 0 };
	int rc;

	if (load_place(r->run, a->key.buf, &place, err) == -1)
		return -1;
	if (mailbox_open(&a->settings, &place, &r->mb, err) == -1)
		return -1;
	rc = read_all(r, err);
	note_counts(r);
	mailbox_tell_place(r->mb, &place);
	mailbox_free(r->mb);
	r->mb = NULL;
	if (save_place(r->run, a->key.buf, &place, rc == -1 ? &why : err) == -1)
		rc = -1;
	return rc;
}

static void
end_reading(struct reading *r)
{
	incoming_reader_free(r->reader);
	token_keys_free(r->keys);
	free(r->batch);
	free(r->answers);
	arena_release(&r->arena);
}

/* What was committed before it ended early is answered all the same. */
static int
read_and_answer(struct reading *r, const struct access *a, struct error *err)
{
	struct error late = { 0 };
	int rc;

	r->batch = calloc(COMMIT_MAILS, sizeof(*r->batch));
	r->answers = calloc(MAX_ANSWERS, sizeof(*r->answers));
	if (r->batch == NULL || r->answers == NULL)
		return err_nomem(err, "mailbox");
	if (token_key_load(r->run->cfg->list.key_file, false, &r->keys, err) == -1)
		return -1;
	rc = read_box(r, a, err);
	if (answers_send(r->run, r->answers, r->nanswers, r->inbox, &late) == -1) {
		*err = late;
		return -1;
	}
	return rc;
}

/* "1795000000 0 0 " or "1795000000 1795080000 1 why": when it was read last, since when it cannot be, whether a person must mend
 * that, why. */
static int
note_state(struct run *run, const struct error *why, int64_t now_utc, struct error *err)
{
	struct run_inbox_state state;
	struct arena a;
	char text[700];
	int rc;

	arena_init(&a, MAX_READER_BYTES);
	rc = inbox_load_notes(run, &a, &state, err);
	if (why == NULL)
		snprintf(text, sizeof(text), "%" PRId64 " 0 0 ", now_utc);
	else
		snprintf(text, sizeof(text), "%" PRId64 " %" PRId64 " %d %s", state.read_utc,
		    state.failing_since_utc != 0 ? state.failing_since_utc : now_utc,
		    why->kind == ERR_CONFIG || why->kind == ERR_IO, why->msg);
	arena_release(&a);
	return rc == -1 ? -1 : save_note(run, inbox_state_note, text, err);
}

/* As run_read_inbox(), without the scores. */
static int
read_inbox(struct run *run, bool from_stdin, struct run_inbox *inbox, struct error *err)
{
	struct reading r = { .run = run, .inbox = inbox, .now_utc = clock_now_utc(&run->clock) };
	struct error why = { 0 };
	struct access access;
	int rc;

	memset(inbox, 0, sizeof(*inbox));
	arena_init(&r.arena, MAX_READER_BYTES);
	/* First, so that the child has no copy of the key and the password. */
	rc = incoming_reader_new(&r.reader, &why);
	if (rc == 0 && (rc = open_access(run, from_stdin, &access, &why)) == 0) {
		rc = read_and_answer(&r, &access, &why);
		close_access(&access);
	}
	end_reading(&r);
	/* A pipe that fails is tried again by whoever writes into it. */
	if ((!from_stdin || (rc == 0 && run->cfg->mailbox.from_stdin)) &&
	    note_state(run, rc == -1 ? &why : NULL, r.now_utc, err) == -1)
		return -1;
	if (rc == -1 && err != NULL)
		*err = why;
	return rc;
}

int
run_read_inbox(struct run *run, bool from_stdin, struct run_inbox *inbox, struct error *err)
{
	struct error why = { 0 };
	int rc = read_inbox(run, from_stdin, inbox, &why);

	if (effects_score(run, false, clock_now_utc(&run->clock), inbox, err) == -1)
		return -1;
	if (rc == -1 && err != NULL)
		*err = why;
	return rc;
}

int
inbox_probe(struct run *run, size_t *nfound, struct error *err)
{
	struct mailbox_counts c;
	struct access access;
	struct mailbox_place place = { 0 };
	struct mailbox *mb;
	int rc;

	if (open_access(run, false, &access, err) == -1)
		return -1;
	if (run->store != NULL && load_place(run, access.key.buf, &place, err) == -1) {
		close_access(&access);
		return -1;
	}
	rc = mailbox_open(&access.settings, &place, &mb, err);
	if (rc == 0) {
		mailbox_count(mb, &c);
		*nfound = c.nfound;
		mailbox_free(mb);
	}
	close_access(&access);
	return rc;
}

int
inbox_probe_reader(bool *sealed, struct error *err)
{
	static const char mail[] = "Subject: hello\n\nhello\n";
	struct incoming_reader *reader;
	struct incoming in;
	int rc;

	if (incoming_reader_new(&reader, err) == -1)
		return -1;
	rc = incoming_reader_read(reader, mail, sizeof(mail) - 1, &in, err);
	incoming_reader_free(reader);
	*sealed = rc == 0 && (in.flags & INCOMING_SEALED) != 0;
	return rc;
}

/* ---- the step of a run ---- */

/* What a person must mend is a fault at once; a server that is away only when that lasts. */
static int
tell_failure(struct run *run, struct run_report *report, const struct error *why, int64_t now_utc,
    struct error *err)
{
	struct run_inbox_state state;
	struct arena a;
	int rc;

	arena_init(&a, MAX_READER_BYTES);
	rc = inbox_load_notes(run, &a, &state, err);
	arena_release(&a);
	if (rc == -1)
		return -1;
	if (why->kind == ERR_CONFIG || why->kind == ERR_IO) {
		log_error(run->log, "%s", why->msg);
		report->faults |= why->kind == ERR_IO ? RUN_FAULT_IO : RUN_FAULT_CONFIG;
	} else if (state.failing_since_utc != 0 &&
	    now_utc - state.failing_since_utc >= PATIENCE_S) {
		log_error(run->log, "%s", why->msg);
		report->faults |= RUN_FAULT_UNREACHABLE;
	} else {
		log_warn(run->log, "%s; the next run tries again", why->msg);
	}
	return 0;
}

/* Of the mailbox, and not of what all else stands on. */
static bool
is_of_mailbox(const struct error *why)
{
	return why->kind == ERR_NET || why->kind == ERR_TEMP || why->kind == ERR_CONFIG ||
	    why->kind == ERR_IO || why->kind == ERR_DATA;
}

int
inbox_step(struct run *run, struct run_report *report, struct error *err)
{
	const int64_t now_utc = clock_now_utc(&run->clock);
	struct error why = { 0 };

	if (!run_has_inbox(run))
		return 0;
	report->inbox = arena_zalloc(&report->arena, sizeof(*report->inbox));
	if (report->inbox == NULL)
		return err_nomem(err, "mailbox");
	if (read_inbox(run, false, report->inbox, &why) == 0) {
		if (report->inbox->trouble[0] != '\0')
			log_warn(run->log, "%s", report->inbox->trouble);
		return 0;
	}
	snprintf(report->inbox->trouble, sizeof(report->inbox->trouble), "%s", why.msg);
	if (!is_of_mailbox(&why)) {
		if (err != NULL)
			*err = why;
		return -1;
	}
	return tell_failure(run, report, &why, now_utc, err);
}
