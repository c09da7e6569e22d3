#include "mailbox.h"

#include <stdlib.h>
#include <string.h>

static const char *
text_of(const char *text)
{
	return text != NULL ? text : "";
}

static int
parse_done(const char *text, enum done_kind *kind, const char **folder)
{
	static const char move[] = "move:";

	*folder = NULL;
	if (*text == '\0' || strcmp(text, "seen") == 0)
		*kind = DONE_SEEN;
	else if (strcmp(text, "delete") == 0)
		*kind = DONE_DELETE;
	else if (strncmp(text, move, sizeof(move) - 1) == 0 && text[sizeof(move) - 1] != '\0') {
		*kind = DONE_MOVE;
		*folder = text + sizeof(move) - 1;
	} else {
		return -1;
	}
	return 0;
}

int
mailbox_check_settings(const struct mailbox_settings *s, struct error *err)
{
	const bool imap = *text_of(s->url) != '\0', maildir = *text_of(s->maildir) != '\0';
	enum done_kind kind;
	const char *folder;

	if (imap && maildir)
		return err_set(err, ERR_CONFIG, "both url and maildir; expected one of them");
	if (parse_done(text_of(s->done), &kind, &folder) == -1)
		return err_set(err, ERR_CONFIG,
		    "done '%.100s'; expected seen, move:FOLDER or delete", s->done);
	/* It becomes the name of a folder beside cur: nothing that leads elsewhere. */
	if (maildir && folder != NULL && (strchr(folder, '/') != NULL || folder[0] == '.'))
		return err_set(err, ERR_CONFIG,
		    "done 'move:%.100s'; expected the name of a folder in the Maildir, without '/' "
		    "and its leading '.'",
		    folder);
	return imap ? imap_check_settings(s, err) : 0;
}

void
mailbox_add_key(struct strbuf *out, const struct mailbox_settings *s)
{
	if (*text_of(s->url) != '\0')
		imap_add_key(out, s);
	else if (*text_of(s->maildir) != '\0')
		strbuf_addf(out, "maildir:%s", s->maildir);
	else
		strbuf_add(out, "stdin");
}

/* ---- the list ---- */

static int
compare(const void *x, const void *y)
{
	const struct mailbox_entry *a = x, *b = y;

	if (a->at != b->at)
		return a->at < b->at ? -1 : 1;
	return a->tie < b->tie ? -1 : a->tie > b->tie;
}

/* Sort, drop what is there twice, and keep the oldest. */
static void
trim_list(struct mailbox *mb)
{
	size_t n = 0;

	qsort(mb->entries, mb->nentries, sizeof(*mb->entries), compare);
	for (size_t i = 0; i < mb->nentries; i++) {
		if (n == mb->max_entries ||
		    (n > 0 && compare(&mb->entries[n - 1], &mb->entries[i]) == 0))
			free(mb->entries[i].file);
		else
			mb->entries[n++] = mb->entries[i];
	}
	mb->nentries = n;
}

int
mailbox_add_entry(
    struct mailbox *mb, uint64_t at, uint64_t tie, const char *file, struct error *err)
{
	struct mailbox_entry *e;

	if (mb->nentries == 2 * mb->max_entries)
		trim_list(mb);
	e = &mb->entries[mb->nentries];
	*e = (struct mailbox_entry){ .state = ENTRY_WAITING, .at = at, .tie = tie };
	if (file != NULL && (e->file = strdup(file)) == NULL)
		return err_nomem(err, "mailbox");
	mb->nentries++;
	mb->counts.nfound++;
	return 0;
}

void
mailbox_pass_over(
    struct mailbox *mb, struct mailbox_entry *e, enum entry_state state, const struct error *why)
{
	if (mb->counts.nunreadable++ == 0)
		mb->counts.trouble = *why;
	e->state = state;
}

bool
mailbox_must_stop(const struct mailbox *mb)
{
	return mb->must_stop != NULL && mb->must_stop(mb->stop_arg);
}

/* ---- a run ---- */

/* Copy what all kinds share. */
static int
fill_in(struct mailbox *mb, const struct mailbox_settings *s, const struct mailbox_place *since,
    struct error *err)
{
	const char *folder;

	(void)parse_done(text_of(s->done), &mb->done, &folder);
	mb->must_stop = s->must_stop;
	mb->stop_arg = s->stop_arg;
	mb->timeout_scale = s->timeout_scale > 0 ? s->timeout_scale : 1.0;
	mb->since = *since;
	mb->max_entries =
	    s->max_mails > 0 && s->max_mails < MAX_MAILBOX_RUN ? s->max_mails : MAX_MAILBOX_RUN;
	mb->entries = calloc(2 * mb->max_entries, sizeof(*mb->entries));
	if (folder != NULL)
		mb->folder = strdup(folder);
	if (mb->entries == NULL || (folder != NULL && mb->folder == NULL))
		return err_nomem(err, "mailbox");
	return 0;
}

static int
fail(struct mailbox *mb, struct error *err)
{
	mb->broken = true;
	if (err != NULL)
		*err = mb->why;
	return -1;
}

int
mailbox_open(const struct mailbox_settings *s, const struct mailbox_place *since,
    struct mailbox **out, struct error *err)
{
	struct mailbox *mb = NULL;
	int rc;

	if (mailbox_check_settings(s, err) == -1)
		return -1;
	if (*text_of(s->url) != '\0')
		rc = mailbox_new_imap(s, &mb, err);
	else if (*text_of(s->maildir) != '\0')
		rc = mailbox_new_maildir(s, &mb, err);
	else
		rc = mailbox_new_stdin(s, &mb, err);
	if (rc == -1)
		return -1;
	if (fill_in(mb, s, since, &mb->why) == -1 || mb->ops->list(mb, &mb->why) == -1) {
		rc = fail(mb, err);
		mailbox_free(mb);
		return rc;
	}
	trim_list(mb);
	mb->counts.ntaken = (unsigned)mb->nentries;
	*out = mb;
	return 0;
}

/* A mail could be read: those before it that could not are broken themselves. */
static void
give_up_failed(struct mailbox *mb, size_t number)
{
	for (size_t i = 0; i < number; i++)
		if (mb->entries[i].state == ENTRY_FAILED)
			mb->entries[i].state = ENTRY_OVER;
}

/* All are through. Where several could not be read and none could, a person must know, and the place stays before them. */
static int
end_list(struct mailbox *mb, struct error *err)
{
	if (mb->counts.nhanded > 0 || mb->counts.nunreadable < MAILBOX_MAX_FAILED)
		return 0;
	mb->why = mb->counts.trouble;
	return fail(mb, err);
}

int
mailbox_next(struct mailbox *mb, struct mailbox_item *out, struct error *err)
{
	size_t number;
	int rc;

	if (mb->broken)
		return fail(mb, err);
	for (;;) {
		if (mb->nbatch > 0) {
			rc = mb->ops->take(mb, out, &number, &mb->why);
			if (rc == -1)
				return fail(mb, err);
			if (rc == 1) {
				out->number = number;
				mb->entries[number].state = ENTRY_HANDED;
				mb->counts.nhanded++;
				give_up_failed(mb, number);
				return 1;
			}
			mb->nbatch = 0;
		}
		if (mb->ops->mark(mb, &mb->why) == -1)
			return fail(mb, err);
		/* Of a batch that was broken off by marking, some still wait. */
		while (mb->first < mb->nentries && mb->entries[mb->first].state != ENTRY_WAITING)
			mb->first++;
		if (mb->first == mb->nentries)
			return end_list(mb, err);
		mb->nbatch = mb->nentries - mb->first;
		if (mb->nbatch > MAILBOX_BATCH)
			mb->nbatch = MAILBOX_BATCH;
		if (mb->ops->begin != NULL &&
		    mb->ops->begin(mb, mb->first, mb->nbatch, &mb->why) == -1)
			return fail(mb, err);
	}
}

void
mailbox_finish(struct mailbox *mb, size_t number, enum mailbox_fate fate)
{
	struct mailbox_entry *e = &mb->entries[number];

	if (e->state == ENTRY_HANDED)
		e->state = fate == MAILBOX_DONE ? ENTRY_DONE : ENTRY_OVER;
}

int
mailbox_flush(struct mailbox *mb, struct error *err)
{
	if (mb->broken || mb->ops->mark(mb, &mb->why) == -1)
		return fail(mb, err);
	return 0;
}

void
mailbox_tell_place(const struct mailbox *mb, struct mailbox_place *out)
{
	const bool bounded = mb->end.at != 0;
	size_t n = 0;

	*out = mb->since;
	while (n < mb->nentries && mb->entries[n].state == ENTRY_OVER)
		n++;
	if (n > 0) {
		out->at = mb->entries[n - 1].at;
		out->tie = mb->entries[n - 1].tie;
	}
	/* Nothing else is there up to the end, unless this run did not take all. */
	if (bounded && n == mb->nentries && mb->counts.ntaken == mb->counts.nfound)
		*out = mb->end;
	else if (bounded && out->at > mb->end.at)
		*out = mb->end;
	if (out->at < mb->since.at)
		*out = mb->since;
}

void
mailbox_count(const struct mailbox *mb, struct mailbox_counts *out)
{
	*out = mb->counts;
}

void
mailbox_free(struct mailbox *mb)
{
	if (mb == NULL)
		return;
	for (size_t i = 0; i < mb->nentries; i++)
		free(mb->entries[i].file);
	free(mb->entries);
	free(mb->folder);
	mb->ops->free(mb);
}
