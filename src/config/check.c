#include "config/load.h"
#include "digest/file.h"
#include "digest/host.h"
#include "digest/limits.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct config_given *
find_given(const struct config_text *text, const char *block)
{
	for (size_t i = 0; i < text->ngiven; i++)
		if (strcmp(text->given[i]->block->name, block) == 0)
			return text->given[i];
	return NULL;
}

static struct config_place
place_of(const struct config_given *g, const char *key)
{
	return g->places[config_find_key(g->block, key)];
}

/* A key that must be there, and is not because of no other error. */
static bool
is_missing(const struct config_given *g, const char *key)
{
	return place_of(g, key).line == 0 && !g->broken;
}

/* At most one way to give a secret; a literal one only in a file that is closed to others. */
static void
check_secret(const struct config_setting *set, const struct config_given *g)
{
	static const char *const ways[] = { "password", "password-file", "password-env",
		"password-command" };
	struct config_place place, last = { 0, 0 };
	const char *first = NULL;
	struct error err;

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		place = place_of(g, ways[i]);
		if (place.line == 0)
			continue;
		if (place.line > last.line ||
		    (place.line == last.line && place.column > last.column))
			last = place;
		if (first != NULL)
			config_complain_at(set, last,
			    "both %s and %s in the block %s; expected one of them", first, ways[i],
			    g->block->name);
		first = ways[i];
	}
	if (g->literal_secret && file_check_private(g->file->path, &err) == -1)
		config_complain_at(set, place_of(g, "password"), "%s", err.msg);
}

/* Whether an URL leads to this machine, as one without a host does. */
static bool
is_local(const char *url)
{
	const char *host = strstr(url, "://");
	char name[64];
	size_t len;

	if (host == NULL)
		return true;
	host += 3;
	len = *host == '[' ? strcspn(++host, "]/") : strcspn(host, ":/");
	if (len >= sizeof(name))
		return false;
	memcpy(name, host, len);
	name[len] = '\0';
	return host_is_loopback(name);
}

static const char *const password_keys[] = { "password", "password-file", "password-env",
	"password-command" };
enum { NPASSWORD_KEYS = sizeof(password_keys) / sizeof(password_keys[0]) };

/* A token has its own ways to log in, and these nothing else. */
static void
check_token(const struct config_setting *set, const struct config_given *g, const char *auth)
{
	bool by_token = place_of(g, "token-command").line != 0;
	bool asks_token = strcmp(auth, "xoauth2") == 0 || strcmp(auth, "oauthbearer") == 0;

	if (asks_token && is_missing(g, "token-command"))
		config_complain_at(set, place_of(g, "auth"),
		    "auth = %s without token-command; expected a command that prints the token",
		    auth);
	if (by_token && !asks_token && strcmp(auth, "auto") != 0)
		config_complain_at(set, place_of(g, "token-command"),
		    "token-command with auth = %s; expected xoauth2, oauthbearer or auto", auth);
	if (by_token && is_missing(g, "user"))
		config_complain_at(set, place_of(g, "token-command"),
		    "token-command without user; expected the name the token is for");
	for (size_t i = 0; i < NPASSWORD_KEYS && by_token; i++)
		if (place_of(g, password_keys[i]).line != 0)
			config_complain_at(set, place_of(g, password_keys[i]),
			    "%s beside token-command; expected one of them", password_keys[i]);
}

/*
 * The domains of readers are compared as the part of their identity behind the @: "*", a domain, or "*." before one.
 */
static int
check_domains(
    struct config_loader *ld, const struct config_setting *set, const struct config_given *g)
{
	const struct config_smtp *smtp = g->record;

	for (size_t i = 0; i < smtp->ndomains; i++) {
		const char *domain = smtp->domains[i], *canonical, *mailbox;
		bool below = strncmp(domain, "*.", 2) == 0;
		struct error err = { 0 };
		size_t offset;
		int rc;

		if (strcmp(domain, "*") == 0)
			continue;
		mailbox = arena_printf(&ld->cfg->arena, "x@%s", below ? domain + 2 : domain);
		if (mailbox == NULL)
			return -1;
		rc = ld->text->checks.address(mailbox, &ld->cfg->arena, &canonical, &offset, &err);
		if (rc == -1) {
			config_complain_at(set, place_of(g, "domains"),
			    "'%.100s' is no domain; expected \"*\", example.org or *.example.org",
			    domain);
			continue;
		}
		smtp->domains[i] = arena_printf(
		    &ld->cfg->arena, "%s%s", below ? "*." : "", strrchr(canonical, '@') + 1);
		if (smtp->domains[i] == NULL)
			return -1;
	}
	return 0;
}

/* A login that cannot work is an error of the file, so it is told with its place. */
static void
check_login(const struct config_setting *set, const struct config_given *g, const char *auth)
{
	bool has_password = false;

	for (size_t i = 0; i < NPASSWORD_KEYS; i++)
		has_password = has_password || place_of(g, password_keys[i]).line != 0;
	if (!is_missing(g, "user") && !has_password && is_missing(g, "token-command") &&
	    (strcmp(auth, "xoauth2") != 0 && strcmp(auth, "oauthbearer") != 0))
		config_complain_at(set, place_of(g, "user"),
		    "user without a password; expected password-file, password-env, "
		    "password-command, password or token-command beside it");
}

static void
check_tls(const struct config_setting *set, const struct config_given *g, bool safe_or_meant,
    const char *url)
{
	if (!safe_or_meant && !is_local(url))
		config_complain_at(set, place_of(g, "tls"),
		    "tls = none to another machine sends passwords and mails in clear; expected "
		    "tls = required, or insecure = yes beside it");
}

static int
check_smtp(struct config_loader *ld, const struct config_setting *set, const struct config_given *g)
{
	struct config_smtp *smtp = g->record;

	smtp->name = g->title;
	smtp->file = g->file->path;
	smtp->line = g->place.line;
	check_secret(set, g);
	check_token(set, g, smtp->auth);
	check_login(set, g, smtp->auth);
	if (is_missing(g, "url"))
		config_complain_at(set, g->place,
		    "smtp \"%s\" has no url; expected smtps://, smtp://, sendmail: or maildir:",
		    g->title);
	else
		check_tls(set, g, smtp->tls_required || smtp->insecure, smtp->url);
	return check_domains(ld, set, g);
}

/* What a source of a type cannot do without. */
static const struct {
	const char *type, *key, *expected;
} source_needs[] = {
	{ "file", "path", "path = \"papers/*.jsonl\"" },
	{ "command", "command", "command = \"bin/papers\"" },
	{ "feed", "url", "url = \"https://example.org/feed.xml\"" },
	{ "arxiv", "categories", "categories = {cs.CV, cs.CL}" },
};

static void
check_source_needs(const struct config_setting *set, const struct config_given *g)
{
	const struct config_source *source = g->record;

	for (size_t i = 0; i < sizeof(source_needs) / sizeof(source_needs[0]); i++)
		if (strcmp(source->type, source_needs[i].type) == 0 &&
		    is_missing(g, source_needs[i].key))
			config_complain_at(set, g->place,
			    "source \"%s\" of type %s has no %s; expected %s", source->name,
			    source->type, source_needs[i].key, source_needs[i].expected);
}

/* What a service asks for is kept; a server of one's own may be asked as often as its owner likes. */
static void
check_request_gap(
    struct config_loader *ld, const struct config_setting *set, const struct config_given *g)
{
	const struct config_source *source = g->record;
	struct error err;

	if (source->request_gap_s >= 0 && source->url[0] == '\0' && !g->broken &&
	    ld->text->checks.source_type(source->type, &err) == 0 &&
	    ld->text->checks.request_gap(source->type, source->request_gap_s, &err) == -1)
		config_complain_at(set, place_of(g, "request-gap"), "%s", err.msg);
}

static int
check_source(
    struct config_loader *ld, const struct config_setting *set, const struct config_given *g)
{
	struct config_source *source = g->record;
	struct error err;

	source->name = g->title;
	source->file = g->file->path;
	source->line = g->place.line;
	if (place_of(g, "type").line == 0) {
		source->type = source->name;
		if (!g->broken && source->name[0] != '\0' &&
		    ld->text->checks.source_type(source->name, &err) == -1)
			config_complain_at(set, g->place,
			    "source \"%s\" has no type, and its name is none: %s", source->name,
			    err.msg);
	}
	check_source_needs(set, g);
	check_request_gap(ld, set, g);
	return 0;
}

static int
check_filter(
    struct config_loader *ld, const struct config_setting *set, const struct config_given *g)
{
	struct filter *f = g->record;

	(void)ld;
	f->name = g->title;
	f->file = g->file->path;
	f->sort_given = place_of(g, "sort").line != 0;
	if (is_missing(g, "match"))
		config_complain_at(set, g->place,
		    "the shared filter \"%s\" has no match; expected a query", g->title);
	return 0;
}

/* The mail stage knows what names a folder may have. */
static bool
is_done(const char *text)
{
	return strcmp(text, "seen") == 0 || strcmp(text, "delete") == 0 ||
	    (strncmp(text, "move:", 5) == 0 && text[5] != '\0');
}

/* A login that is for nothing would be passed over in silence. */
static void
check_no_login(const struct config_setting *set, const struct config_given *g)
{
	static const char *const keys[] = { "user", "password", "password-file", "password-env",
		"password-command", "token-command", "ca-file" };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (place_of(g, keys[i]).line != 0 && !g->broken)
			config_complain_at(set, place_of(g, keys[i]),
			    "%s without url; expected url = \"imaps://host/INBOX\" beside it",
			    keys[i]);
}

static int
check_mailbox(
    struct config_loader *ld, const struct config_setting *set, const struct config_given *g)
{
	const struct config_mailbox *m = &ld->cfg->mailbox;
	const bool by_url = place_of(g, "url").line != 0;
	const bool by_maildir = place_of(g, "maildir").line != 0;

	check_secret(set, g);
	if (by_url + by_maildir + m->from_stdin > 1) {
		config_complain_at(set, g->place, "%s in the block mailbox; expected one of them",
		    !m->from_stdin ? "both url and maildir"
			: by_url   ? "both url and stdin"
				   : "both maildir and stdin");
	} else if (by_url) {
		check_token(set, g, m->auth);
		check_login(set, g, m->auth);
		if (is_missing(g, "user"))
			config_complain_at(set, place_of(g, "url"),
			    "url without user; expected the name of the account beside it");
		check_tls(set, g,
		    m->tls_required || m->insecure || strncasecmp(m->url, "imaps:", 6) == 0,
		    m->url);
	} else {
		check_no_login(set, g);
	}
	if (place_of(g, "done").line != 0 && !is_done(m->done))
		config_complain_at(set, place_of(g, "done"),
		    "done = '%.60s'; expected seen, move:FOLDER or delete", m->done);
	else if (place_of(g, "done").line != 0 && m->from_stdin)
		config_complain_at(set, place_of(g, "done"),
		    "done beside stdin, where no mail stays; expected one without the other");
	return 0;
}

/* An update of the system that drops a zone must not silence a whole list: it is told, and the run goes on. */
static int
check_lost_zone(
    struct config_loader *ld, const struct config_setting *set, const struct config_lost_zone *zone)
{
	struct error why = { .kind = ERR_NONE };

	if (zone->name == NULL || ld->text->checks.timezone(zone->name, &why) == 0)
		return 0;
	if (why.kind == ERR_NOMEM)
		return -1;
	config_commit(ld, NULL);
	config_complain_at(set, zone->place, "timezone: %s", why.msg);
	config_commit(ld, "");
	ld->cfg->lost_zone = zone->name;
	return 0;
}

static int
check_defaults(
    struct config_loader *ld, const struct config_setting *set, const struct config_given *g)
{
	const struct config_reader *reader = g->record;

	if (check_lost_zone(ld, set, &g->lost_zone) == -1)
		return -1;
	ld->text->defaults = *reader;
	for (size_t i = 0; i < reader->nuse; i++)
		if (config_find_shared(ld->text, reader->use[i].text) == NULL)
			config_complain_no_shared(
			    set, ld->text, reader->use[i].place, reader->use[i].text);
	return 0;
}

static const struct {
	const char *block;
	int (*check)(struct config_loader *ld, const struct config_setting *set,
	    const struct config_given *g);
} block_checks[] = {
	{ "smtp", check_smtp },
	{ "source", check_source },
	{ "filter", check_filter },
	{ "mailbox", check_mailbox },
	{ "defaults", check_defaults },
};

/* Copy the records of the blocks called so into one array. */
static int
collect(struct config *cfg, const char *block, size_t extra, size_t size, void **out, size_t *n)
{
	const struct config_text *text = cfg->text;
	size_t count = 0;
	char *list;

	for (size_t i = 0; i < text->ngiven; i++)
		count += strcmp(text->given[i]->block->name, block) == 0;
	list = arena_array(&cfg->arena, count + extra, size);
	if (list == NULL)
		return -1;
	*out = list;
	*n = count;
	for (size_t i = 0; i < text->ngiven; i++) {
		if (strcmp(text->given[i]->block->name, block) != 0)
			continue;
		memcpy(list, text->given[i]->record, size);
		list += size;
	}
	return 0;
}

/* Without a block: mail goes by the system's sendmail, papers come from Hugging Face. */
static int
fill_lists(struct config *cfg, struct error *err)
{
	void *smtps, *sources, *shared;

	if (collect(cfg, "smtp", 1, sizeof(*cfg->smtps), &smtps, &cfg->nsmtps) == -1 ||
	    collect(cfg, "source", 1, sizeof(*cfg->sources), &sources, &cfg->nsources) == -1 ||
	    collect(cfg, "filter", 0, sizeof(*cfg->shared), &shared, &cfg->nshared) == -1)
		return err_nomem(err, "configuration");
	cfg->smtps = smtps;
	cfg->sources = sources;
	cfg->shared = shared;
	if (cfg->nsmtps == 0) {
		if (config_set_defaults(config_find_block("smtp"), &cfg->arena, smtps, err) == -1)
			return -1;
		cfg->smtps[0].name = "sendmail";
		cfg->smtps[0].url = "sendmail:";
		cfg->smtps[0].file = "";
		cfg->nsmtps = 1;
	}
	if (cfg->nsources == 0) {
		if (config_set_defaults(config_find_block("source"), &cfg->arena, sources, err) ==
		    -1)
			return -1;
		cfg->sources[0].name = cfg->sources[0].type = "huggingface";
		cfg->sources[0].file = "";
		cfg->nsources = 1;
	}
	return 0;
}

/* The display name of "Papers <me@example.org>", its quotes removed; "" = none. */
static char *
display_name(struct arena *a, const char *from)
{
	const char *end = strrchr(from, '<');
	char *name, *to;

	if (end == NULL)
		return arena_strdup(a, "");
	while (end > from && end[-1] == ' ')
		end--;
	while (from < end && *from == ' ')
		from++;
	if (end - from >= 2 && *from == '"' && end[-1] == '"') {
		from++;
		end--;
	}
	name = to = arena_strndup(a, from, (size_t)(end - from));
	/* RFC 5322 3.2.4: in a quoted string a backslash says the next character. */
	for (; name != NULL && from < end; from++) {
		if (*from == '\\' && from + 1 < end)
			from++;
		*to++ = *from;
	}
	if (name != NULL)
		*to = '\0';
	return name;
}

/* local@domain of "Papers <local@domain>". */
static char *
mailbox_of(struct arena *a, const char *from)
{
	const char *start = strrchr(from, '<');
	const char *end = start != NULL ? strchr(start, '>') : NULL;

	return end != NULL ? arena_strndup(a, start + 1, (size_t)(end - start) - 1)
			   : arena_strdup(a, from);
}

/* What list says of itself when only from is given. */
static int
fill_list(struct config_loader *ld, struct error *err)
{
	struct config *cfg = ld->cfg;
	struct arena *a = &cfg->arena;
	const char *canonical, *at, *name = display_name(a, cfg->list.from);
	size_t offset;

	if (name == NULL)
		return err_nomem(err, "configuration");
	if (cfg->list.name[0] == '\0')
		cfg->list.name = name[0] != '\0' ? name : "Papers";
	if (cfg->list.bounce_address[0] == '\0')
		cfg->list.bounce_address = mailbox_of(a, cfg->list.from);
	if (cfg->list.id[0] == '\0') {
		int rc = ld->text->checks.address(cfg->list.from, a, &canonical, &offset, err);

		/* What is no address was found before. */
		if (rc == -1 && err != NULL && err->kind == ERR_NOMEM)
			return -1;
		if (rc == 0 && (at = strrchr(canonical, '@')) != NULL)
			cfg->list.id = arena_strdup(a, at + 1);
	}
	if (cfg->list.bounce_address == NULL || cfg->list.id == NULL)
		return err_nomem(err, "configuration");
	return 0;
}

/* When what comes back is read, each edition leaves with a token of its own in the sender's local part. */
static void
check_return_path(const struct config *cfg, const struct config_setting *set)
{
	const char *address = cfg->list.bounce_address, *at = strrchr(address, '@');
	size_t len = at != NULL ? (size_t)(at - address) : 0;

	if (!cfg->list.verp ||
	    (cfg->mailbox.url[0] == '\0' && cfg->mailbox.maildir[0] == '\0' &&
		!cfg->mailbox.from_stdin))
		return;
	if (len > CONFIG_MAX_RETURN_LOCAL)
		config_complain_at(set, (struct config_place){ 0, 0 },
		    "list.bounce-address: '%.*s' is too long to carry a token beside it; expected "
		    "at most %d "
		    "bytes before the @, as in bounce@example.org, or verp = no",
		    (int)(len < 80 ? len : 80), address, CONFIG_MAX_RETURN_LOCAL);
}

/* Links that stand in a header of every mail, where no other byte may, on one line (RFC 2369 2, 5322 2.1.1). */
static void
check_header_links(
    const struct config *cfg, const struct config_setting *set, const struct config_given *g)
{
	const struct {
		const char *key, *url;
	} links[] = { { "help-url", cfg->list.help_url },
		{ "archive-url", cfg->list.archive_url } };

	for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++)
		for (const char *c = links[i].url; *c != '\0'; c++)
			if ((unsigned char)*c > '~' || *c == '<' || *c == '>' ||
			    c - links[i].url >= MAX_HEADER_LINK) {
				config_complain_at(set, place_of(g, links[i].key),
				    "%s cannot stand in a header; expected at most %d bytes of "
				    "ASCII without < and >, others as %%41",
				    links[i].key, MAX_HEADER_LINK);
				break;
			}
}

static int
check_list(struct config_loader *ld, struct error *err)
{
	const struct config_given *g = find_given(ld->text, "list");
	struct config_setting set =
	    config_loader_setting(ld, g != NULL ? g->file : ld->text->files[0], &ld->cfg->arena);

	if (g == NULL) {
		config_complain_at(&set, (struct config_place){ 0, 0 },
		    "no block list; expected list { from = \"Papers <me@example.org>\" }");
		return 0;
	}
	if (is_missing(g, "from"))
		config_complain_at(&set, g->place,
		    "the block list has no from; expected from = \"Papers <me@example.org>\"");
	/* RFC 2919 section 2: list-label "." list-id-namespace, dot-atoms. */
	if (strspn(ld->cfg->list.id,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_") !=
		strlen(ld->cfg->list.id) ||
	    strlen(ld->cfg->list.id) > MAX_LIST_ID)
		config_complain_at(&set, place_of(g, "id"),
		    "the list id '%.80s'; expected at most %d letters, digits, dots and hyphens",
		    ld->cfg->list.id, MAX_LIST_ID);
	check_header_links(ld->cfg, &set, g);
	if (fill_list(ld, err) == -1)
		return -1;
	check_return_path(ld->cfg, &set);
	return 0;
}

/* Where the store is when nobody says. */
static const char *
default_store(const struct config *cfg, struct arena *a)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	char *real = realpath(cfg->path, NULL);
	bool system_wide = real != NULL && strncmp(real, "/etc/", 5) == 0;

	free(real);
	if (system_wide)
		return arena_strdup(a, "/var/lib/digest/digest.db");
	if (state != NULL && state[0] == '/')
		return arena_printf(a, "%s/digest/digest.db", state);
	if (home != NULL && home[0] == '/')
		return arena_printf(a, "%s/.local/state/digest/digest.db", home);
	return "";
}

static int
fill_store(struct config_loader *ld, struct error *err)
{
	struct config *cfg = ld->cfg;
	struct strbuf key;
	struct config_setting set = config_loader_setting(ld, ld->text->files[0], &cfg->arena);

	if (cfg->store.path[0] == '\0')
		cfg->store.path = default_store(cfg, &cfg->arena);
	if (cfg->store.path == NULL)
		return err_nomem(err, "configuration");
	if (cfg->store.path[0] == '\0')
		config_complain_at(&set, (struct config_place){ 0, 0 },
		    "no place for the store, as $HOME is not set; expected store { path = ... }");
	if (cfg->list.key_file[0] != '\0')
		return 0;
	strbuf_init(&key, 4096);
	file_resolve(&key, cfg->store.path, "digest.key");
	cfg->list.key_file = key.state == STRBUF_OK ? arena_strdup(&cfg->arena, key.buf) : NULL;
	strbuf_release(&key);
	return cfg->list.key_file != NULL ? 0 : err_nomem(err, "configuration");
}

/* Where a byte of a query stands in the file; an escape before it counts as the byte it means. */
static struct config_place
place_in_query(const struct filter *f, size_t offset)
{
	struct config_place place = { f->line, f->column };

	for (size_t i = 0; i < offset && f->match[i] != '\0'; i++) {
		place.column++;
		if (f->match[i] == '\n') {
			place.line++;
			place.column = 1;
		}
	}
	return place;
}

int
config_check_names(struct config_loader *ld, const struct config_setting *set,
    const struct subscriber *reader, const struct filter *f, struct error *err)
{
	struct error wrong;
	size_t offset = 0;

	if (strchr(f->match, '@') == NULL ||
	    ld->text->checks.names(ld->cfg, reader, f, &offset, &wrong) == 0)
		return 0;
	if (wrong.kind == ERR_NOMEM)
		return err_nomem(err, "configuration");
	config_complain_query(
	    set, place_in_query(f, offset), f->match, offset, "match: %s", wrong.msg);
	return 0;
}

/* They may name filters that stand below them. */
static int
check_shared_names(struct config_loader *ld, struct error *err)
{
	for (size_t i = 0; i < ld->text->ngiven; i++) {
		const struct config_given *g = ld->text->given[i];
		struct config_setting set = config_loader_setting(ld, g->file, &ld->cfg->arena);

		if (strcmp(g->block->name, "filter") == 0 &&
		    config_check_names(ld, &set, NULL, g->record, err) == -1)
			return -1;
	}
	return 0;
}

static int
fill_default_use(struct config *cfg, struct error *err)
{
	const struct config_reader *defaults = &cfg->text->defaults;

	cfg->default_use = arena_array(&cfg->arena, defaults->nuse, sizeof(*cfg->default_use));
	if (cfg->default_use == NULL)
		return err_nomem(err, "configuration");
	for (size_t i = 0; i < defaults->nuse; i++)
		cfg->default_use[i] = defaults->use[i].text;
	cfg->ndefault_use = defaults->nuse;
	return 0;
}

int
config_check_whole(struct config_loader *ld, struct error *err)
{
	const struct config_text *text = ld->text;

	for (size_t i = 0; i < text->ngiven; i++) {
		const struct config_given *g = text->given[i];
		struct config_setting set = config_loader_setting(ld, g->file, &ld->cfg->arena);

		for (size_t k = 0; k < sizeof(block_checks) / sizeof(block_checks[0]); k++)
			if (strcmp(g->block->name, block_checks[k].block) == 0 &&
			    block_checks[k].check(ld, &set, g) == -1)
				return err_nomem(err, "configuration");
	}
	if (check_list(ld, err) == -1 || fill_store(ld, err) == -1 ||
	    fill_lists(ld->cfg, err) == -1 || check_shared_names(ld, err) == -1)
		return -1;
	ld->cfg->defaults = text->defaults.sub;
	config_commit(ld, NULL);
	return fill_default_use(ld->cfg, err);
}
