#include "config/keys.h"

#include "digest/text.h"

#include <string.h>

/* A row of the table: block, name, kind, type, record, member, default, range, help; and of a list. */
#define KEY(b, n, k, t, s, m, d, r, h)                                                        \
	{                                                                                     \
		.block = b, .name = n, .type = t, .def = d, .range = r, .help = h, .kind = k, \
		.at = offsetof(struct s, m)                                                   \
	}
#define KEYS(b, n, k, s, m, c, d, h)                                                      \
	{                                                                                 \
		.block = b, .name = n, .type = "list", .def = d, .range = "", .help = h,  \
		.kind = k, .at = offsetof(struct s, m), .count_at = offsetof(struct s, c) \
	}
/* The ways to give a secret are the same wherever there is one. */
#define SECRET_KEYS(b, s, m)                                                        \
	KEY(b, "password", KIND_SECRET, "string", s, m.value, "", "",               \
	    "The password; the file must then be closed to others."),               \
	    KEY(b, "password-file", KIND_PATH, "path", s, m.file, "", "",           \
		"A file that holds the password, closed to others."),               \
	    KEY(b, "password-env", KIND_STRING, "string", s, m.env, "", "",         \
		"The environment variable that holds the password."),               \
	    KEY(b, "password-command", KIND_STRING, "string", s, m.command, "", "", \
		"A shell command that prints the password within 10 seconds, without a terminal.")

static const struct config_key_info keys[] = {
	KEY("list", "from", KIND_ADDRESS, "address", config, list.from, "", "",
	    "Who the digests come from: \"Papers <me@example.org>\". Required."),
	KEY("list", "name", KIND_STRING, "string", config, list.name, "", "",
	    "Name of the list; without it the name in from, else Papers."),
	KEY("list", "id", KIND_STRING, "string", config, list.id, "", "",
	    "Identity of the list (RFC 2919), never to be changed; without it the domain of from."),
	KEY("list", "reply-to", KIND_ADDRESS, "address", config, list.reply_to, "", "",
	    "Where answers go."),
	KEY("list", "bounce-address", KIND_ADDRESS, "address", config, list.bounce_address, "", "",
	    "Envelope sender, which receives bounces; without it from."),
	KEY("list", "verp", KIND_BOOL, "yes/no", config, list.verp, "yes", "",
	    "With a mailbox each digest has a token in its envelope sender, behind a plus sign; "
	    "no: "
	    "the mail server does not deliver such addresses."),
	KEY("list", "operator", KIND_ADDRESS, "address", config, list.operator, "", "",
	    "Who is told by mail when a person must act."),
	KEY("list", "postal-address", KIND_STRING, "string", config, list.postal_address, "", "",
	    "Shown in the footer, where the law asks for one."),
	KEY("list", "base-url", KIND_URL, "url", config, list.base_url, "", "https://|http://",
	    "Where the web pages of this list are, for templates; this version makes none."),
	KEY("list", "help-url", KIND_URL, "url", config, list.help_url, "",
	    "https://|http://|mailto:",
	    "Where help is for readers, a page or an address; told in the header List-Help."),
	KEY("list", "archive-url", KIND_URL, "url", config, list.archive_url, "",
	    "https://|http://",
	    "Where old digests can be read; told in the header List-Archive, in the footer and "
	    "where a digest has no room for all papers."),
	KEY("list", "key-file", KIND_PATH, "path", config, list.key_file, "", "",
	    "The key that signs unsubscribe links; without it digest.key beside the store."),

	KEY("store", "path", KIND_PATH, "path", config, store.path, "", "",
	    "The store; without it /var/lib/digest/digest.db when the configuration is under /etc, "
	    "else $XDG_STATE_HOME/digest/digest.db."),
	KEY("store", "keep-papers", KIND_DURATION, "duration", config, store.keep_papers_s, "400d",
	    "14d..36500d", "How long papers are kept after a source listed them last."),
	KEY("store", "keep-signals", KIND_DURATION, "duration", config, store.keep_signals_s, "60d",
	    "14d..36500d", "How long the history of votes, comments and stars is kept."),
	KEY("store", "keep-replies", KIND_DURATION, "duration", config, store.keep_replies_s, "30d",
	    "1d..36500d", "How long the answers of mail servers are kept."),

	KEY("smtp", "url", KIND_URL, "url", config_smtp, url, "",
	    "smtps://|smtp://|sendmail:|maildir:",
	    "The relay: smtps://host:port (465), smtp://host:port (587; 25 on loopback), "
	    "sendmail: or maildir:/path. Required."),
	KEY("smtp", "user", KIND_STRING, "string", config_smtp, user, "", "",
	    "Name for the login."),
	SECRET_KEYS("smtp", config_smtp, password),
	KEY("smtp", "auth", KIND_CHOICE, "one of auto|plain|login|xoauth2|oauthbearer", config_smtp,
	    auth, "auto", "",
	    "How to log in; auto is by plain or login, with token-command by xoauth2 or "
	    "oauthbearer."),
	KEY("smtp", "token-command", KIND_STRING, "string", config_smtp, token_command, "", "",
	    "A shell command that prints an OAuth 2 token within 10 seconds, without a terminal; "
	    "it is run again when the relay refuses the token."),
	KEY("smtp", "tls", KIND_BOOL, "one of required|none", config_smtp, tls_required, "required",
	    "", "none is for loopback only, elsewhere it needs insecure."),
	KEY("smtp", "insecure", KIND_BOOL, "yes/no", config_smtp, insecure, "no", "",
	    "Allow tls = none to another machine; every run that sends so warns of it."),
	KEY("smtp", "ca-file", KIND_PATH, "path", config_smtp, ca_file, "", "",
	    "Certificates to trust instead of the system's."),
	KEY("smtp", "helo", KIND_STRING, "string", config_smtp, helo, "", "",
	    "Name said in EHLO; without it this machine's full name."),
	KEY("smtp", "connections", KIND_NUMBER, "number", config_smtp, connections, "4", "1..1000",
	    "Connections open at the same time."),
	KEY("smtp", "rate", KIND_RATE, "rate", config_smtp, rate, "", "",
	    "Mails at most in such a time, evenly, as in 600/min; s, min, h or d."),
	KEY("smtp", "daily-limit", KIND_NUMBER, "number", config_smtp, daily_limit, "",
	    "1..100000000",
	    "Mails at most in a day of UTC; who is left over goes first on the next."),
	KEYS("smtp", "domains", KIND_LIST, config_smtp, domains, ndomains, "{\"*\"}",
	    "Domains of the readers it serves: example.org, *.example.org for all below that, or * "
	    "for any."),

	KEY("fetch", "timeout", KIND_DURATION, "duration", config, fetch.timeout_s, "20s",
	    "1s..10m", "How long one request to a source may take."),
	KEY("fetch", "max-body", KIND_SIZE, "size", config, fetch.max_body, "16M", "64K..1G",
	    "How large one answer may be once unpacked."),
	KEY("fetch", "contact", KIND_STRING, "string", config, fetch.contact, "", "",
	    "Address or URL told to sources in User-Agent, so that they can write to you."),
	KEY("fetch", "proxy", KIND_URL, "url", config, fetch.proxy, "",
	    "http://|https://|socks5://|socks5h://",
	    "Proxy for all requests; variables such as http_proxy are ignored."),
	KEYS("fetch", "allow-private", KIND_NETWORKS, config, fetch.allow_private,
	    fetch.nallow_private, "{}",
	    "Private networks that sources may be in, as in {10.0.0.0/8}."),

	KEY("source", "type", KIND_SOURCE, "string", config_source, type, "", "",
	    "huggingface, file ...; without it the name of the block."),
	KEY("source", "url", KIND_URL, "url", config_source, url, "", "https://|http://",
	    "Base address in place of the service's own, for mirrors and tests."),
	KEY("source", "interval", KIND_DURATION, "duration", config_source, interval_s, "",
	    "1m..30d", "How often to ask; without it the type's own."),
	KEY("source", "settle", KIND_DURATION, "duration", config_source, settle_s, "", "0s..7d",
	    "How long a listing waits until its votes mean something; without it the type's own."),
	KEY("source", "request-gap", KIND_DURATION, "duration", config_source, request_gap_s, "",
	    "0s..1h",
	    "How long to wait between two requests to its service; without it the type's own. "
	    "Less than that needs a url."),
	KEY("source", "timeout", KIND_DURATION, "duration", config_source, timeout_s, "", "1s..1h",
	    "How long one request or command may take; without it fetch.timeout, and 60s for "
	    "a command."),
	KEY("source", "list", KIND_CHOICE, "one of daily|trending", config_source, list, "daily",
	    "",
	    "What to read, of type huggingface: each day's papers, or the list of what is "
	    "trending."),
	KEYS("source", "categories", KIND_LIST, config_source, categories, ncategories, "{}",
	    "Categories to read, of type arxiv: {cs.CL, hep-th}; an archive (cs) is all of its "
	    "own."),
	KEYS("source", "announce", KIND_LIST, config_source, announce, nannounce, "{}",
	    "Kinds of announcement to take, of type arxiv: new cross replace replace-cross; "
	    "without "
	    "it new and cross."),
	KEYS("source", "holidays", KIND_DAYS, config_source, holidays, nholidays, "{}",
	    "Weekdays on which the source lists nothing, as in {2026-11-26}, so that digests can "
	    "say so."),
	KEY("source", "path", KIND_PATH, "path", config_source, path, "", "",
	    "Files to read, of type file; may hold * and ?."),
	KEY("source", "command", KIND_STRING, "string", config_source, command, "", "",
	    "A shell command that prints papers, of types that run one."),

	KEY("subscriber", "name", KIND_STRING, "string", config_reader, sub.name, "", "",
	    "The reader's name, shown in To: and in the greeting."),
	KEY("subscriber", "timezone", KIND_ZONE, "time zone", config_reader, sub.timezone, "", "",
	    "IANA name, as in Europe/London; without it the machine's zone."),
	KEY("subscriber", "when", KIND_SCHEDULE, "schedule", config_reader, sub.when, "daily", "",
	    "always, daily 07:30, weekdays 07:30, mon,thu 08:00, monthly 1 08:00."),
	KEYS("subscriber", "use", KIND_USE, config_reader, use, nuse, "{}",
	    "Shared filters, after the reader's own."),
	KEY("subscriber", "limit", KIND_NUMBER, "number", config_reader, sub.limit, "10", "1..500",
	    "Papers per filter."),
	KEY("subscriber", "max-papers", KIND_NUMBER, "number", config_reader, sub.max_papers, "25",
	    "1..500", "Papers per digest."),
	KEY("subscriber", "empty", KIND_ENUM, "one of skip|note|never", config_reader, sub.empty,
	    "skip", "",
	    "Without a match: skip, no mail but a note on every fifth such day in a row; note, a "
	    "note each time; never, no mail at all."),
	KEY("subscriber", "outside", KIND_NUMBER, "number", config_reader, sub.outside, "3",
	    "0..50", "Popular papers from outside the filters."),
	KEY("subscriber", "updates", KIND_ENUM, "one of withdrawn|all|off", config_reader,
	    sub.updates, "withdrawn", "",
	    "What to tell of papers mailed before, at the end of the next digest: withdrawals, new "
	    "versions too, nothing."),
	KEY("subscriber", "language", KIND_STRING, "string", config_reader, sub.language, "en", "",
	    "Language of the digest's own words."),
	KEY("subscriber", "paused-until", KIND_DAY, "date", config_reader, sub.paused_until, "", "",
	    "No mail before this day, as in 2026-12-01; what falls into the pause is left out."),
	KEY("subscriber", "was", KIND_ADDRESS, "address", config_reader, sub.was, "", "",
	    "Former address, whose history this one takes over."),

	KEY("filter", "match", KIND_QUERY, "query", filter, match, "", "",
	    "The query, see digest-filter(7); a reader's filter without it is the shared one of "
	    "that name."),
	KEY("filter", "limit", KIND_NUMBER, "number", filter, limit, "", "1..500",
	    "Papers of this filter; without it the reader's limit."),
	KEY("filter", "sort", KIND_ENUM, "one of best|relevance|votes|trending|newest", filter,
	    sort, "best", "", "Order of the papers."),
	KEY("filter", "when", KIND_SCHEDULE, "schedule", filter, when, "", "",
	    "Inside a reader: days of its own, for a weekly section in a daily digest."),

	KEY("mailbox", "url", KIND_URL, "url", config, mailbox.url, "", "imaps://|imap://",
	    "Where bounces and mails that ask to leave arrive: imaps://host:port/FOLDER (993), "
	    "imap:// with STARTTLS (143); without a folder INBOX."),
	KEY("mailbox", "user", KIND_STRING, "string", config, mailbox.user, "", "",
	    "Name for the login."),
	SECRET_KEYS("mailbox", config, mailbox.password),
	KEY("mailbox", "auth", KIND_CHOICE, "one of auto|plain|login|xoauth2|oauthbearer", config,
	    mailbox.auth, "auto", "",
	    "How to log in; auto is by plain or login, with token-command by xoauth2 or "
	    "oauthbearer."),
	KEY("mailbox", "token-command", KIND_STRING, "string", config, mailbox.token_command, "",
	    "",
	    "A shell command that prints an OAuth 2 token within 10 seconds, without a terminal."),
	KEY("mailbox", "tls", KIND_BOOL, "one of required|none", config, mailbox.tls_required,
	    "required", "", "none is for loopback only, elsewhere it needs insecure."),
	KEY("mailbox", "insecure", KIND_BOOL, "yes/no", config, mailbox.insecure, "no", "",
	    "Allow tls = none to another machine."),
	KEY("mailbox", "ca-file", KIND_PATH, "path", config, mailbox.ca_file, "", "",
	    "Certificates to trust instead of the system's."),
	KEY("mailbox", "maildir", KIND_PATH, "path", config, mailbox.maildir, "", "",
	    "A Maildir in place of url."),
	KEY("mailbox", "stdin", KIND_BOOL, "yes/no", config, mailbox.from_stdin, "no", "",
	    "In place of url: the mail server gives each mail to 'digest mailbox --stdin'."),
	KEY("mailbox", "done", KIND_STRING, "string", config, mailbox.done, "seen", "",
	    "What becomes of a mail that was acted on: seen marks it as read, move:FOLDER moves it "
	    "there, delete removes it. All others stay as they are."),

	KEY("templates", "dir", KIND_PATH, "path", config, templates.dir, "", "",
	    "Folder whose templates take the place of the built-in ones, one by one."),
	KEY("templates", "html-limit", KIND_SIZE, "size", config, templates.html_limit, "80000",
	    "20000..1000000",
	    "Bytes of the HTML part at most, encoded or not; Gmail hides what is beyond 102,000. "
	    "Papers are shortened to stay within it."),

	KEY("templates", "thumbnails", KIND_BOOL, "yes/no", config, templates.thumbnails, "no", "",
	    "Show the pictures that sources have of papers; who serves them sees who opens a "
	    "digest."),

	KEY("score", "text", KIND_REAL, "number", config, score.text, "1", "0..10",
	    "Weight of the words found."),
	KEY("score", "votes", KIND_REAL, "number", config, score.votes, "1", "0..10",
	    "Weight of the votes."),
	KEY("score", "trend", KIND_REAL, "number", config, score.trend, "1", "0..10",
	    "Weight of fresh votes."),
	KEY("score", "freshness", KIND_REAL, "number", config, score.freshness, "1", "0..10",
	    "Weight of a recent publication."),

	KEY("delivery", "ambiguous", KIND_CHOICE, "one of retry|hold|drop", config,
	    delivery.ambiguous, "retry", "",
	    "What to do with a mail whose fate is unknown: send it once more, keep it for a "
	    "person, forget it."),
	KEY("delivery", "max-age", KIND_DURATION, "duration", config, delivery.max_age_s, "36h",
	    "1h..30d",
	    "How long a digest is tried before it is given up; then its papers come with the next, "
	    "which is made a day later at the latest."),
	KEY("delivery", "deadline", KIND_DURATION, "duration", config, delivery.deadline_s, "50m",
	    "1s..7d", "How long one run may take; the rest is left to the next."),
};

const struct config_block config_blocks[] = {
	{ .name = "list", .keys = "list", .title = "" },
	{ .name = "store", .keys = "store", .title = "" },
	{ .name = "smtp", .keys = "smtp", .title = "name", .size = sizeof(struct config_smtp) },
	{ .name = "fetch", .keys = "fetch", .title = "" },
	{ .name = "source",
	    .keys = "source",
	    .title = "name",
	    .size = sizeof(struct config_source) },
	{ .name = "defaults",
	    .keys = "subscriber",
	    .title = "",
	    .size = sizeof(struct config_reader),
	    .without = { "was", "paused-until" } },
	{ .name = "subscriber",
	    .keys = "subscriber",
	    .title = "address",
	    .size = sizeof(struct config_reader) },
	{ .name = "filter",
	    .keys = "filter",
	    .title = "name",
	    .size = sizeof(struct filter),
	    .without = { "when" } },
	{ .name = "mailbox", .keys = "mailbox", .title = "" },
	{ .name = "templates", .keys = "templates", .title = "" },
	{ .name = "score", .keys = "score", .title = "" },
	{ .name = "delivery", .keys = "delivery", .title = "" },
	{ .name = NULL },
};

const struct config_block config_reader_filter = {
	.name = "filter", .keys = "filter", .title = "name", .size = sizeof(struct filter)
};

enum { NKEYS = sizeof(keys) / sizeof(keys[0]) };

const struct config_key_info *
config_keys(size_t *n)
{
	*n = NKEYS;
	return keys;
}

const struct config_block *
config_find_block(const char *name)
{
	for (const struct config_block *b = config_blocks; b->name != NULL; b++)
		if (strcmp(b->name, name) == 0)
			return b;
	return NULL;
}

const struct config_key_info *
config_block_keys(const struct config_block *block, size_t *n)
{
	size_t first = 0, end;

	while (first < NKEYS && strcmp(keys[first].block, block->keys) != 0)
		first++;
	for (end = first; end < NKEYS && strcmp(keys[end].block, block->keys) == 0;)
		end++;
	*n = end - first;
	return keys + first;
}

static bool
takes(const struct config_block *block, const char *name)
{
	for (size_t i = 0; i < 2; i++)
		if (block->without[i] != NULL && strcmp(block->without[i], name) == 0)
			return false;
	return true;
}

int
config_find_key(const struct config_block *block, const char *name)
{
	size_t n;
	const struct config_key_info *rows = config_block_keys(block, &n);

	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].name, name) == 0)
			return takes(block, name) ? (int)i : -1;
	return -1;
}

void
config_complain_unknown(const struct config_setting *set, const struct config_block *block,
    const struct config_item *it)
{
	const char *names[CONFIG_MAX_KEYS + 1] = { NULL }, *near;
	bool key = it->kind == ITEM_KEY;
	size_t n = 0, nrows;

	if (key && block != NULL) {
		const struct config_key_info *rows = config_block_keys(block, &nrows);

		for (size_t i = 0; i < nrows && i < CONFIG_MAX_KEYS; i++)
			if (takes(block, rows[i].name))
				names[n++] = rows[i].name;
	} else if (!key && block == NULL) {
		for (const struct config_block *b = config_blocks; b->name != NULL; b++)
			names[n++] = b->name;
	} else if (!key && strcmp(block->name, "subscriber") == 0) {
		names[n++] = "filter";
	}
	near = text_nearest(it->name, names);
	if (near != NULL)
		config_complain_at(set, it->place, "unknown %s '%.60s'%s%s; did you mean '%s'?",
		    key ? "key" : "block", it->name, block != NULL ? " in " : "",
		    block != NULL ? block->name : "", near);
	else
		config_complain_at(set, it->place,
		    "unknown %s '%.60s'%s%s; digest.conf(5) lists what there is",
		    key ? "key" : "block", it->name, block != NULL ? " in " : "",
		    block != NULL ? block->name : "");
}
