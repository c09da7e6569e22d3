#include "imap.h"

#include "digest/clock.h"
#include "digest/date.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	PORT_IMAP = 143,
	PORT_IMAPS = 993,	 /* RFC 8314 */
	MAX_COMMAND = 32 * 1024, /* a long token in base64 */
};

static const char *
text_of(const char *text)
{
	return text != NULL ? text : "";
}

/* ---- settings ---- */

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The path of an URL as a folder's name: %XX undone (RFC 5092 3). */
static int
decode_folder(const char *path, char out[IMAP_MAX_FOLDER + 1])
{
	size_t len = 0;

	for (; *path != '\0'; path++) {
		int c = (unsigned char)*path;

		if (c == '%') {
			int high = hex_value(path[1]), low = high != -1 ? hex_value(path[2]) : -1;

			if (low == -1)
				return -1;
			c = high * 16 + low;
			path += 2;
		} else if (strchr(";?#", c) != NULL) {
			return -1;
		}
		if (c == '\0' || len == IMAP_MAX_FOLDER)
			return -1;
		out[len++] = (char)c;
	}
	out[len] = '\0';
	return 0;
}

static int
check_folder(const char *name)
{
	struct strbuf text;
	int rc;

	strbuf_init(&text, MAX_COMMAND);
	rc = imap_add_folder(&text, name);
	strbuf_release(&text);
	return rc;
}

int
imap_parse_url(const char *url, struct imap_url *out, struct error *err)
{
	static const char expected[] = "imaps://host[:port][/FOLDER] or imap://...";
	struct imap_url parsed = { .implicit_tls = strncasecmp(url, "imaps://", 8) == 0 };
	const char *at = url + (parsed.implicit_tls ? 8 : 7);

	if (!parsed.implicit_tls && strncasecmp(url, "imap://", 7) != 0)
		return err_set(err, ERR_CONFIG, "'%.200s'; expected %s", url, expected);
	if (dial_parse_place(url, &at, expected, &parsed.place, err) == -1)
		return -1;
	if (parsed.place.port == 0)
		parsed.place.port = parsed.implicit_tls ? PORT_IMAPS : PORT_IMAP;
	if ((*at != '\0' && *at != '/') || decode_folder(at + (*at == '/'), parsed.folder) == -1)
		return err_set(err, ERR_CONFIG,
		    "'%.200s' names no folder; expected %s, in which ';', '?', '#' and '%%' are "
		    "written %%XX",
		    url, expected);
	if (parsed.folder[0] == '\0')
		snprintf(parsed.folder, sizeof(parsed.folder), "INBOX");
	if (check_folder(parsed.folder) == -1)
		return err_set(err, ERR_CONFIG,
		    "the folder in '%.200s' is no name; expected UTF-8 without controls", url);
	*out = parsed;
	return 0;
}

void
imap_add_key(struct strbuf *out, const struct mailbox_settings *s)
{
	struct imap_url url;

	if (imap_parse_url(s->url, &url, NULL) == 0)
		strbuf_addf(out, "imap:%s@%s:%u/%s", text_of(s->user), url.place.host,
		    url.place.port, url.folder);
}

int
imap_check_settings(const struct mailbox_settings *s, struct error *err)
{
	const struct login_options options = { s->user, s->password, s->auth, s->token,
		s->token_arg };
	const char *done = text_of(s->done);
	struct imap_url url;
	struct login login;

	if (imap_parse_url(s->url, &url, err) == -1)
		return -1;
	if (!s->tls_required && !url.implicit_tls && !url.place.loopback && !s->insecure)
		return err_set(err, ERR_CONFIG,
		    "tls none to %s would show password and mails on the way; expected tls "
		    "required, "
		    "or insecure = yes",
		    url.place.host);
	if (*text_of(s->user) == '\0')
		return err_set(err, ERR_CONFIG,
		    "an IMAP url without a user; expected user = the name "
		    "of the account, and its password");
	if (strncmp(done, "move:", 5) == 0 && check_folder(done + 5) == -1)
		return err_set(err, ERR_CONFIG,
		    "done '%.100s' names no folder; expected UTF-8 without controls", done);
	if (login_init(&login, &options, url.place.host, url.place.port, err) == -1)
		return -1;
	login_release(&login);
	return 0;
}

/* ---- beginning ---- */

/* Connect and log in; once more with a new token where the one at hand is refused. */
static int
open_session(struct imap *m, struct error *err)
{
	int rc;

	for (unsigned i = 0;; i++) {
		if (imap_connect(m, err) == -1)
			return -1;
		rc = imap_log_in(m, err);
		if (rc != 1)
			return rc;
		imap_disconnect(m);
		if (i > 0)
			return -1;
		if (login_renew(&m->login, err) == -1)
			return err_prefix(err, "%s", m->name);
	}
}

static int
on_select(struct imap *m, enum imap_kind kind, const char *rest)
{
	uint64_t n;

	/* Codes stand behind a status, the last one included. */
	if (kind == IMAP_DATA)
		return 0;
	if (imap_parse_code(rest, "UIDVALIDITY", UINT32_MAX, &n))
		m->validity = (uint32_t)n;
	if (imap_parse_code(rest, "UIDNEXT", UINT32_MAX, &n))
		m->next = (uint32_t)n;
	if (imap_has_code(rest, "READ-ONLY"))
		m->read_only = true;
	return 0;
}

static int
select_folder(struct imap *m, struct error *err)
{
	enum imap_status status;
	char what[400];

	m->validity = m->next = 0;
	m->read_only = false;
	imap_begin(m);
	strbuf_add(&m->out, "SELECT ");
	(void)imap_add_folder(&m->out, m->url.folder);
	if (imap_ask(m, IMAP_SMALL_ANSWER, on_select, &status, err) == -1)
		return -1;
	snprintf(what, sizeof(what), "does not open the folder '%s'", m->url.folder);
	if (status != IMAP_OK)
		return imap_refuse(m, what, "; does it exist? it is named in url", err);
	if (m->validity == 0)
		return err_set(err, ERR_CONFIG,
		    "%s: gives the mails of '%s' no lasting numbers (UIDVALIDITY); expected "
		    "another "
		    "folder or server",
		    m->name, m->url.folder);
	if (m->read_only)
		return err_set(err, ERR_CONFIG,
		    "%s: '%s' may only be read; expected a folder where mails can be marked",
		    m->name, m->url.folder);
	return 0;
}

/* A folder to move to that is not there is told before anything is done. */
static int
check_target(struct imap *m, struct error *err)
{
	enum imap_status status;
	char what[400];

	if (m->mailbox.folder == NULL)
		return 0;
	imap_begin(m);
	strbuf_add(&m->out, "STATUS ");
	(void)imap_add_folder(&m->out, m->mailbox.folder);
	strbuf_add(&m->out, " (UIDNEXT)");
	if (imap_ask(m, IMAP_SMALL_ANSWER, NULL, &status, err) == -1)
		return -1;
	snprintf(what, sizeof(what), "has no folder '%.*s' to move mails to", IMAP_MAX_FOLDER,
	    m->mailbox.folder);
	return status == IMAP_OK ? 0 : imap_refuse(m, what, "; make it, or change done", err);
}

/* ---- the list ---- */

static void
add_uid(void *arg, uint32_t uid)
{
	struct imap *m = arg;

	/* "7:*" finds the last mail as well when that is 5 (RFC 9051 9, seq-range). */
	if (uid <= m->mailbox.since.at || (m->next > 0 && uid >= m->next))
		return;
	if (m->trouble.kind == ERR_NONE)
		(void)mailbox_add_entry(&m->mailbox, uid, 0, NULL, &m->trouble);
}

static int
on_search(struct imap *m, enum imap_kind kind, const char *rest)
{
	if (kind == IMAP_DATA)
		imap_parse_search(rest, add_uid, m);
	return m->trouble.kind != ERR_NONE ? -1 : 0;
}

static int
search(struct imap *m, struct error *err)
{
	const struct clock real = { .frozen = false };
	enum imap_status status;
	struct civil c;

	imap_begin(m);
	strbuf_addf(&m->out, "UID SEARCH UID %llu:", (unsigned long long)m->mailbox.since.at + 1);
	if (m->next > 0)
		strbuf_addf(&m->out, "%u", m->next - 1);
	else
		strbuf_add(&m->out, "*");
	strbuf_add(&m->out, " UNDELETED");
	if (m->mailbox.since.at == 0) {
		date_civil_of_day((int32_t)(clock_now_utc(&real) / 86400) - MAILBOX_FIRST_DAYS, &c);
		strbuf_addf(&m->out, " UNSEEN SINCE %d-%s-%04d", c.day,
		    date_month_name(c.month - 1), c.year);
	}
	if (imap_ask(m, IMAP_LIST_ANSWER, on_search, &status, err) == -1)
		return -1;
	return status == IMAP_OK ? 0 : imap_refuse(m, "does not search its mails", "", err);
}

static int
list(struct mailbox *mb, struct error *err)
{
	struct imap *m = (struct imap *)mb;

	if (open_session(m, err) == -1 || select_folder(m, err) == -1 || check_target(m, err) == -1)
		return -1;
	if (mb->since.era != m->validity)
		mb->since = (struct mailbox_place){ .era = m->validity };
	if (m->next > 0)
		mb->end = (struct mailbox_place){ .era = m->validity, .at = m->next - 1 };
	/* Nothing has come since. */
	if (m->next > 0 && m->next - 1 <= mb->since.at)
		return 0;
	return search(m, err);
}

/* ---- reading ---- */

/* "3:7,9" of those entries whose state it is. */
static void
add_set(struct imap *m, size_t first, size_t n, enum entry_state state)
{
	const struct mailbox_entry *e = m->mailbox.entries;
	bool begun = false;

	for (size_t i = first; i < first + n; i++) {
		size_t last = i;

		if (e[i].state != state)
			continue;
		while (last + 1 < first + n && e[last + 1].state == state &&
		    e[last + 1].at == e[last].at + 1)
			last++;
		strbuf_addf(&m->out, "%s%llu", begun ? "," : "", (unsigned long long)e[i].at);
		if (last > i)
			strbuf_addf(&m->out, ":%llu", (unsigned long long)e[last].at);
		begun = true;
		i = last;
	}
}

static int
begin(struct mailbox *mb, size_t first, size_t n, struct error *err)
{
	struct imap *m = (struct imap *)mb;

	m->nasked = m->one_by_one ? 1 : n;
	imap_begin(m);
	strbuf_add(&m->out, "UID FETCH ");
	add_set(m, first, m->nasked, ENTRY_WAITING);
	/* PEEK: it stays unread for whoever reads this mailbox, too. */
	strbuf_addf(&m->out, " (UID RFC822.SIZE BODY.PEEK[]<0.%u>)", MAX_INCOMING_BYTES);
	if (imap_say(m, err) == -1)
		return -1;
	m->fetching = true;
	return 0;
}

/* The mail that was asked for that has that number and was not handed out; NULL = none has. */
static struct mailbox_entry *
find_waiting(struct mailbox *mb, size_t nasked, uint32_t uid)
{
	struct mailbox_entry *e = &mb->entries[mb->first];

	for (size_t i = 0; i < nasked; i++)
		if (e[i].at == uid && e[i].state == ENTRY_WAITING)
			return &e[i];
	return NULL;
}

/* One mail that a server cannot read is not to keep all others from us; but is it only one? */
static int
fail_fetch(struct imap *m, struct error *err)
{
	struct mailbox *mb = &m->mailbox;
	struct mailbox_entry *e = &mb->entries[mb->first];
	struct error why;

	imap_refuse(m, "does not give out its mails", "", &why);
	if (m->nasked > 1 || e->state != ENTRY_WAITING) {
		m->one_by_one = true;
		return 0;
	}
	if (++m->nfailed == MAILBOX_MAX_FAILED) {
		*err = why;
		return -1;
	}
	mailbox_pass_over(mb, e, ENTRY_FAILED, &why);
	return 0;
}

/* All that the server had was told: what is still waited for is gone. */
static int
end_fetch(struct imap *m, enum imap_status status, struct error *err)
{
	struct mailbox_entry *e = &m->mailbox.entries[m->mailbox.first];

	m->fetching = false;
	if (status == IMAP_NO)
		return fail_fetch(m, err);
	if (status != IMAP_OK)
		return imap_refuse(m, "does not give out its mails", "", err);
	for (size_t i = 0; i < m->nasked; i++)
		if (e[i].state == ENTRY_WAITING)
			e[i].state = ENTRY_OVER;
	return 0;
}

static void
hand_out(struct imap *m, const struct imap_fetch *f, struct mailbox_item *out)
{
	const size_t len = m->reader.literal.len;

	snprintf(m->mail_name, sizeof(m->mail_name), "%u-%u", m->validity, f->uid);
	*out = (struct mailbox_item){ .name = m->mail_name,
		.size = f->size > len ? f->size : len,
		.bytes = m->reader.literal.buf,
		.len = len,
		/* Sizes of some servers are guesses: what is shorter than we take is whole. */
		.cut = len == MAX_INCOMING_BYTES && f->size > len };
}

/* Read on in the answer to FETCH: 1 = a mail of ours, 0 = that was all of the batch. What nobody asked for is passed over. */
static int
read_fetch(struct imap *m, struct imap_fetch *f, struct mailbox_entry **e, struct error *err)
{
	enum imap_status status;
	enum imap_kind kind;
	const char *rest;
	int rc;

	while (m->fetching) {
		if (imap_hear(m, IMAP_BATCH_ANSWER, &kind, &status, &rest, err) == -1)
			return -1;
		if (kind == IMAP_DONE)
			return end_fetch(m, status, err);
		rc = imap_parse_fetch(&m->reader, f);
		if (rc == -1)
			return err_set(err, ERR_NET, "%s: the answer makes no sense: '%.60s'",
			    m->name, m->reader.text);
		if (rc == 1 && f->has_body &&
		    (*e = find_waiting(&m->mailbox, m->nasked, f->uid)) != NULL)
			return 1;
	}
	return 0;
}

static int
take(struct mailbox *mb, struct mailbox_item *out, size_t *number, struct error *err)
{
	struct imap *m = (struct imap *)mb;
	struct mailbox_entry *e;
	struct imap_fetch f;
	int rc = read_fetch(m, &f, &e, err);

	if (rc != 1)
		return rc;
	*number = (size_t)(e - mb->entries);
	hand_out(m, &f, out);
	m->nfailed = 0;
	return 1;
}

/* ---- marking ---- */

enum mark_step { STEP_FLAG_SEEN, STEP_MOVE, STEP_COPY, STEP_FLAG_DELETED, STEP_EXPUNGE, NSTEPS };

/* One command about those of first .. first + MAILBOX_BATCH - 1 that are done. */
static int
mark_by(struct imap *m, size_t first, enum mark_step step, struct error *err)
{
	static const struct {
		const char *before, *behind;
	} commands[NSTEPS] = {
		[STEP_FLAG_SEEN] = { "UID STORE ", " +FLAGS.SILENT (\\Seen)" },
		[STEP_MOVE] = { "UID MOVE ", " " },
		[STEP_COPY] = { "UID COPY ", " " },
		[STEP_FLAG_DELETED] = { "UID STORE ", " +FLAGS.SILENT (\\Deleted)" },
		[STEP_EXPUNGE] = { "UID EXPUNGE ", "" },
	};
	const size_t left = m->mailbox.nentries - first;
	enum imap_status status;

	imap_begin(m);
	strbuf_add(&m->out, commands[step].before);
	add_set(m, first, left < MAILBOX_BATCH ? left : MAILBOX_BATCH, ENTRY_DONE);
	strbuf_add(&m->out, commands[step].behind);
	if (step == STEP_MOVE || step == STEP_COPY)
		(void)imap_add_folder(&m->out, m->mailbox.folder);
	if (imap_ask(m, IMAP_SMALL_ANSWER, NULL, &status, err) == -1)
		return -1;
	if (status == IMAP_OK)
		return 0;
	return imap_refuse(m, "does not let mails be marked as dealt with",
	    "; may this user write in the folder?", err);
}

/*
 * Deleting is flagging, then expunging just these (RFC 4315): without that, what others have flagged would go with them, so it is
 * left to the server or the next reader.
 */
static int
delete_done(struct imap *m, size_t first, struct error *err)
{
	if (mark_by(m, first, STEP_FLAG_DELETED, err) == -1)
		return -1;
	return m->caps.uidplus ? mark_by(m, first, STEP_EXPUNGE, err) : 0;
}

static int
mark_done(struct imap *m, size_t first, struct error *err)
{
	switch (m->mailbox.done) {
	case DONE_SEEN:
		return mark_by(m, first, STEP_FLAG_SEEN, err);
	case DONE_MOVE:
		if (m->caps.move)
			return mark_by(m, first, STEP_MOVE, err);
		return mark_by(m, first, STEP_COPY, err) == -1 ? -1 : delete_done(m, first, err);
	case DONE_DELETE:
		break;
	}
	return delete_done(m, first, err);
}

/* The rest of a batch that is not wanted now; its mails are waited for by the next run. */
static int
drain(struct imap *m, struct error *err)
{
	enum imap_status status;
	enum imap_kind kind;
	const char *rest;

	while (m->fetching) {
		if (imap_hear(m, IMAP_BATCH_ANSWER, &kind, &status, &rest, err) == -1)
			return -1;
		if (kind == IMAP_DONE)
			m->fetching = false;
	}
	return 0;
}

static int
mark(struct mailbox *mb, struct error *err)
{
	struct imap *m = (struct imap *)mb;

	for (size_t i = 0; i < mb->nentries; i++) {
		const size_t first = i;

		if (mb->entries[i].state != ENTRY_DONE)
			continue;
		if (drain(m, err) == -1 || mark_done(m, first, err) == -1)
			return -1;
		for (; i < mb->nentries && i < first + MAILBOX_BATCH; i++) {
			if (mb->entries[i].state != ENTRY_DONE)
				continue;
			mb->entries[i].state = ENTRY_OVER;
			mb->counts.nmarked++;
		}
		i--;
	}
	return 0;
}

/* ---- life ---- */

static void
free_box(struct mailbox *mb)
{
	struct imap *m = (struct imap *)mb;

	/* As is polite; the answer is not waited for. */
	if (m->fd != -1 && !mb->broken) {
		imap_begin(m);
		strbuf_add(&m->out, "LOGOUT");
		(void)imap_say(m, NULL);
	}
	imap_disconnect(m);
	imap_reader_release(&m->reader);
	strbuf_release(&m->out);
	login_release(&m->login);
	free(m->name);
	free(m->ca_file);
	free(m);
}

static const struct mailbox_ops ops = { list, begin, take, mark, free_box };

int
mailbox_new_imap(const struct mailbox_settings *s, struct mailbox **out, struct error *err)
{
	const struct login_options options = { s->user, s->password, s->auth, s->token,
		s->token_arg };
	struct imap *m = calloc(1, sizeof(*m));
	char name[300];

	if (m == NULL)
		return err_nomem(err, "mailbox");
	m->mailbox.ops = &ops;
	m->fd = -1;
	strbuf_init(&m->out, MAX_COMMAND);
	imap_reader_init(&m->reader);
	m->tls_required = s->tls_required;
	m->ca_file = strdup(text_of(s->ca_file));
	if (imap_parse_url(s->url, &m->url, err) == -1 ||
	    login_init(&m->login, &options, m->url.place.host, m->url.place.port, err) == -1) {
		free_box(&m->mailbox);
		return -1;
	}
	m->tls_required = m->tls_required || m->url.implicit_tls;
	snprintf(name, sizeof(name), "%s:%u", m->url.place.host, m->url.place.port);
	m->name = strdup(name);
	if (m->name == NULL || m->ca_file == NULL) {
		free_box(&m->mailbox);
		return err_nomem(err, "mailbox");
	}
	*out = &m->mailbox;
	return 0;
}
