/* mailbox.h - what the kinds of mailboxes share. mailbox.c keeps the list of a run's mails and their fate; imap.c, maildir_in.c
 * and mailbox_stdin.c know how to find, read and mark them. */
#ifndef DIGEST_MAIL_MAILBOX_H
#define DIGEST_MAIL_MAILBOX_H

#include "digest/mailbox.h"

enum { MAILBOX_MAX_FAILED = 3 };	/* mails that cannot be read, and none that can: then it is the mailbox */

enum entry_state {
	ENTRY_WAITING,
	ENTRY_HANDED,	/* its fate is not known yet */
	ENTRY_DONE,	/* to be marked */
	ENTRY_FAILED,	/* could not be read; OVER once another could, which says that it is not the mailbox */
	ENTRY_OVER,	/* left, marked, gone or unreadable: nothing is to be done with it any more */
};

struct mailbox_entry {
	enum entry_state state;
	uint64_t at, tie;	/* see struct mailbox_place */
	char *file;		/* of a Maildir: "new/..." or "cur/..."; else NULL */
};

enum done_kind { DONE_SEEN, DONE_MOVE, DONE_DELETE };

struct mailbox_ops {
	/* Fill the list, and set end. */
	int (*list)(struct mailbox *mb, struct error *err);
	/* Those that wait among first .. first + n - 1 of the list are asked for next. NULL = there is nothing to prepare. */
	int (*begin)(struct mailbox *mb, size_t first, size_t n, struct error *err);
	/* One of these that was not handed out: 1 and out filled but for number; 0 = no more. */
	int (*take)(struct mailbox *mb, struct mailbox_item *out, size_t *number, struct error *err);
	/* Mark all of the list that are DONE; they are OVER then. May break off a batch. */
	int (*mark)(struct mailbox *mb, struct error *err);
	void (*free)(struct mailbox *mb);
};

struct mailbox {
	const struct mailbox_ops *ops;
	enum done_kind done;
	char *folder;		/* to move to, as configured; NULL = none */
	bool (*must_stop)(void *arg);
	void *stop_arg;
	double timeout_scale;

	struct mailbox_place since;
	/* No place beyond it is told; once all is over, it is told. at 0 = not known. */
	struct mailbox_place end;
	struct mailbox_entry *entries;	/* by (at, tie), no two alike */
	size_t nentries, max_entries;	/* room for twice as many */
	size_t first, nbatch;	/* of the batch that is under way; nbatch 0 = none is */
	struct mailbox_counts counts;
	bool broken;		/* why says why; nothing more can be done */
	struct error why;
};

/* Put a mail into the list, whose oldest max_entries are kept. file: moved into it; NULL = none. -1 when memory is short. */
int	mailbox_add_entry(struct mailbox *mb, uint64_t at, uint64_t tie, const char *file, struct error *err);
/* A mail cannot be read or marked; the others go on. state: OVER or FAILED */
void	mailbox_pass_over(struct mailbox *mb, struct mailbox_entry *e, enum entry_state state,
	    const struct error *why);
bool	mailbox_must_stop(const struct mailbox *mb);

/* Each: settings that were checked. The caller frees. */
int	mailbox_new_imap(const struct mailbox_settings *settings, struct mailbox **out, struct error *err);
int	mailbox_new_maildir(const struct mailbox_settings *settings, struct mailbox **out, struct error *err);
int	mailbox_new_stdin(const struct mailbox_settings *settings, struct mailbox **out, struct error *err);

/* ERR_CONFIG unless they are right. */
int	imap_check_settings(const struct mailbox_settings *settings, struct error *err);
void	imap_add_key(struct strbuf *out, const struct mailbox_settings *settings);

#endif
