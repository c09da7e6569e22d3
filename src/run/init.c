#include "digest/init.h"

#include "run/stages.h"

#include "digest/file.h"
#include "digest/limits.h"
#include "digest/text.h"

#include <ctype.h>
#include <errno.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	MAX_PATH = 4096,
	MAX_INIT_CONFIG = 2 * 1024 * 1024,
	MAX_CA_FILE = 4 * 1024 * 1024,
	MAX_SECTION_NAME = 40
};

static const char machine_config[] = "/etc/digest/digest.conf";
static const char sendmail_program[] = "/usr/sbin/sendmail";
static const char secret_name[] = "smtp.secret";

/* ---- where ---- */

/* A folder of the environment, NULL = none. */
static const char *
find_folder(const char *name)
{
	const char *dir = getenv(name);

	return dir != NULL && dir[0] == '/' ? dir : NULL;
}

/* Whether a folder of this environment is where cron, which knows $HOME alone, looks as well. */
static bool
is_usual(const char *dir, const char *usual)
{
	const char *home = find_folder("HOME");
	size_t len = home == NULL ? 0 : strlen(home);

	return home != NULL && strncmp(dir, home, len) == 0 && strcmp(dir + len, usual) == 0;
}

static const char *
find_config(const char *given, struct arena *a, bool *named)
{
	const char *env = getenv("DIGEST_CONFIG"), *xdg = find_folder("XDG_CONFIG_HOME");
	const char *home = find_folder("HOME");

	*named = given != NULL || (env != NULL && env[0] != '\0');
	if (given != NULL)
		return arena_strdup(a, given);
	if (*named)
		return arena_strdup(a, env);
	if (geteuid() == 0 && xdg == NULL)
		return arena_strdup(a, machine_config);
	*named = xdg != NULL && !is_usual(xdg, "/.config");
	if (xdg != NULL)
		return arena_printf(a, "%s/digest/digest.conf", xdg);
	return home == NULL ? "" : arena_printf(a, "%s/.config/digest/digest.conf", home);
}

static const char *
find_store(bool of_machine, struct arena *a)
{
	const char *xdg = find_folder("XDG_STATE_HOME");

	if (of_machine || xdg == NULL || is_usual(xdg, "/.local/state"))
		return "";
	return arena_printf(a, "%s/digest/digest.db", xdg);
}

static int
refuse_existing(const char *path, const char *cure, struct error *err)
{
	if (!file_exists(path))
		return 0;
	return err_set(
	    err, ERR_CONFIG, "%s is there already, and is not overwritten; %s", path, cure);
}

int
run_init_find_place(
    const char *given, struct arena *a, struct run_init_place *out, struct error *err)
{
	struct run_init_place place = { .secret = "", .store = "" };
	struct strbuf secret;

	place.config = find_config(given, a, &place.named);
	if (place.config == NULL)
		return err_nomem(err, "init");
	if (place.config[0] == '\0')
		return err_set(err, ERR_USAGE,
		    "$HOME is not set; expected --config FILE, where the configuration is to "
		    "stand");
	strbuf_init(&secret, MAX_PATH);
	file_resolve(&secret, place.config, secret_name);
	place.secret = secret.state == STRBUF_OK ? arena_strdup(a, secret.buf) : NULL;
	strbuf_release(&secret);
	place.of_machine = strncmp(place.config, "/etc/", 5) == 0;
	place.store = find_store(place.of_machine, a);
	if (place.secret == NULL || place.store == NULL)
		return err_nomem(err, "init");
	if (refuse_existing(place.config,
		"edit it, see digest.conf(5), or name another by --config FILE", err) == -1 ||
	    refuse_existing(place.secret, "move it away first", err) == -1)
		return -1;
	*out = place;
	return 0;
}

/* ---- answers ---- */

/* The configuration wants it in small letters. */
static const char *
lower_scheme(const char *url, struct arena *a)
{
	char *copy = arena_strdup(a, url);

	for (char *p = copy; p != NULL && *p != ':'; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

/* A URL, or the host of a relay, or "sendmail". */
static int
accept_url(const char *text, struct arena *a, const char **out, struct error *err)
{
	const char *url = text;
	struct smtp_place place;

	if (strcmp(text, "sendmail") == 0)
		url = "sendmail:";
	if (strncmp(url, "sendmail:", 9) == 0) {
		const char *program = url[9] != '\0' ? url + 9 : sendmail_program;

		if (access(program, X_OK) == -1)
			return err_set(err, ERR_CONFIG,
			    "%s: %s; expected a relay, as in smtps://smtp.example.org", program,
			    strerror(errno));
	} else if (strncmp(url, "maildir:", 8) == 0) {
		if (url[8] != '/')
			return err_set(err, ERR_CONFIG,
			    "'%s' is no Maildir; expected maildir:/home/me/Maildir", text);
	} else {
		url = strstr(text, "://") != NULL ? lower_scheme(text, a)
						  : arena_printf(a, "smtps://%s", text);
		if (url != NULL && smtp_parse_url(url, &place, err) == -1)
			return -1;
	}
	*out = url == NULL ? NULL : arena_strdup(a, url);
	return 0;
}

/* A file of certificates, by its whole path, as the configuration may stand in another folder. */
static int
accept_authority(const char *text, struct arena *a, const char **out, struct error *err)
{
	struct strbuf pem;
	char *path;
	int rc;

	strbuf_init(&pem, MAX_CA_FILE);
	rc = file_read(text, &pem, err);
	/* RFC 7468 5.1; libcurl takes a file without one for an authority that signed nothing. */
	if (rc == 0 && strstr(pem.buf, "CERTIFICATE-----") == NULL)
		rc = err_set(err, ERR_CONFIG,
		    "%s holds no certificate as PEM; expected -----BEGIN CERTIFICATE-----", text);
	strbuf_release(&pem);
	if (rc == -1)
		return -1;
	path = realpath(text, NULL);
	*out = path != NULL ? arena_strdup(a, path) : NULL;
	free(path);
	return 0;
}

/* Without blanks around it; nothing that would drive a terminal or break a header. */
static const char *
trim(const char *text, struct arena *a)
{
	size_t len;

	text += strspn(text, " \t\r");
	len = strlen(text);
	while (len > 0 && strchr(" \t\r", text[len - 1]) != NULL)
		len--;
	return arena_strndup(a, text, len);
}

static bool
has_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			return true;
	return false;
}

int
run_init_accept(enum run_init_item item, const char *text, struct arena *a, const char **out,
    size_t *wrong, struct error *err)
{
	const struct config_checks *checks = &run_config_checks;
	struct address address;
	size_t offset = SIZE_MAX;
	int rc = 0;

	if (wrong == NULL)
		wrong = &offset;
	*wrong = SIZE_MAX;
	if ((text = trim(text, a)) == NULL)
		return err_nomem(err, "init");
	*out = text;
	if (text[0] == '\0')
		return err_set(err, ERR_USAGE, "nothing was given; expected an answer");
	if (has_control(text))
		return err_set(err, ERR_USAGE, "there is a control character in it");
	switch (item) {
	case INIT_ADDRESS:
	case INIT_FROM:
		rc = address_parse(text, a, &address, NULL, err);
		break;
	case INIT_TOPIC:
		rc = checks->query(text, wrong, err);
		break;
	case INIT_URL:
		rc = accept_url(text, a, out, err);
		break;
	case INIT_CA:
		rc = accept_authority(text, a, out, err);
		break;
	case INIT_WHEN:
		rc = checks->schedule(text, &offset, err);
		break;
	case INIT_TIMEZONE:
		rc = checks->timezone(text, err);
		break;
	default:
		break;
	}
	return rc == 0 && *out == NULL ? err_nomem(err, "init") : rc;
}

/* Relays that are not called smtp. and the domain. */
static const struct {
	const char *domain, *url;
} relays[] = {
	{ "gmail.com", "smtps://smtp.gmail.com" },
	{ "googlemail.com", "smtps://smtp.gmail.com" },
	{ "gmx.net", "smtps://mail.gmx.net" },
	{ "gmx.de", "smtps://mail.gmx.net" },
	{ "icloud.com", "smtp://smtp.mail.me.com:587" },
	{ "me.com", "smtp://smtp.mail.me.com:587" },
	{ "posteo.de", "smtps://posteo.de" },
	{ "yahoo.com", "smtps://smtp.mail.yahoo.com" },
};

static const char *
propose_url(const char *domain, struct arena *a)
{
	for (size_t i = 0; i < sizeof(relays) / sizeof(relays[0]); i++)
		if (strcmp(relays[i].domain, domain) == 0)
			return relays[i].url;
	return arena_printf(a, "smtps://smtp.%s", domain);
}

static bool
is_plain_loopback(const char *url)
{
	struct smtp_place place;

	return strncmp(url, "smtp", 4) == 0 && smtp_parse_url(url, &place, NULL) == 0 &&
	    place.loopback && !place.implicit_tls;
}

/* In clear, within this machine; who names an authority wants TLS also there. */
static bool
goes_in_clear(const struct run_init *init)
{
	return is_plain_loopback(init->items[INIT_URL]) && init->items[INIT_CA] == NULL;
}

bool
run_init_has_sendmail(void)
{
	return access(sendmail_program, X_OK) == 0;
}

const char *
run_init_propose(const struct run_init *init, enum run_init_item item, struct arena *a)
{
	const char *reader = init->items[INIT_ADDRESS], *url = init->items[INIT_URL];
	struct address address;
	char zone[128];

	switch (item) {
	case INIT_WHEN:
		return "daily 07:30";
	case INIT_TIMEZONE:
		tz_system_name(zone, sizeof(zone));
		return arena_strdup(a, zone);
	default:
		break;
	}
	if (reader == NULL || address_parse(reader, a, &address, NULL, NULL) == -1)
		return NULL;
	switch (item) {
	case INIT_FROM:
		return arena_printf(a, "Papers <%s>", address.mailbox);
	case INIT_URL:
		return run_init_has_sendmail() ? "sendmail:" : propose_url(address.domain, a);
	case INIT_USER:
		/* A relay on this machine knows us without a login. */
		return url != NULL && is_plain_loopback(url) ? "" : address.mailbox;
	default:
		return NULL;
	}
}

bool
run_init_is_relay(const struct run_init *init)
{
	return init->items[INIT_URL] != NULL && strncmp(init->items[INIT_URL], "smtp", 4) == 0;
}

int
run_init_check_sender(const struct run_init *init, struct error *err)
{
	const char *url = init->items[INIT_URL];
	struct address from;
	struct arena a;
	int rc = 0;

	if (url == NULL || strncmp(url, "maildir:", 8) == 0 || is_plain_loopback(url))
		return 0;
	arena_init(&a, MAX_PATH * 4);
	if (address_parse(init->items[INIT_FROM], &a, &from, NULL, err) == -1)
		rc = -1;
	else if (run_is_nobodys(from.domain))
		rc = err_set(err, ERR_CONFIG,
		    "nobody gets mail at %s, so no answer could reach you; expected an address of "
		    "yours",
		    from.domain);
	arena_release(&a);
	return rc;
}

/* ---- the text ---- */

/* As a person would write it: in apostrophes, when nothing in it needs more care. */
static void
add_query(struct strbuf *out, const char *query)
{
	if (strpbrk(query, "'\\") == NULL)
		strbuf_addf(out, "'%s'", query);
	else
		config_add_quoted(out, query);
}

/* The heading of a topic's section: its words, without quotes. */
static void
add_section_name(struct strbuf *out, const struct run_init *init, size_t topic)
{
	char name[MAX_SECTION_NAME * 4 + 1], numbered[sizeof(name) + 16];
	size_t len = 0, same = 0, cut;

	for (const char *s = init->topics[topic]; *s != '\0' && len + 1 < sizeof(name); s++)
		if (*s != '"')
			name[len++] = *s;
	cut = text_cut(name, len, len, MAX_SECTION_NAME);
	/* Not in the middle of a word. */
	if (cut < len)
		for (size_t i = cut; i > MAX_SECTION_NAME / 2; i--)
			if (name[i] == ' ') {
				cut = i;
				break;
			}
	while (cut > 0 && name[cut - 1] == ' ')
		cut--;
	name[cut] = '\0';
	for (size_t i = 0; i < topic; i++)
		same += strncmp(init->topics[i], init->topics[topic], MAX_SECTION_NAME / 2) == 0;
	snprintf(numbered, sizeof(numbered), same > 0 ? "%s (%zu)" : "%s", name, same + 1);
	config_add_quoted(out, cut > 0 ? numbered : "topic");
}

static void
add_reader(struct strbuf *out, const struct run_init *init, const struct address *reader)
{
	const char *when = init->items[INIT_WHEN], *zone = init->items[INIT_TIMEZONE];

	strbuf_add(out,
	    "# A reader. Each filter is one section of the digest; digest-filter(7) has "
	    "the language, and `digest try QUERY`\n"
	    "# shows what a filter would bring. Without filters it is the ten papers that "
	    "rise most.\nsubscriber ");
	config_add_quoted(out, reader->mailbox);
	strbuf_add(out, " {\n");
	if (reader->name[0] != '\0') {
		strbuf_add(out, "    name = ");
		config_add_quoted(out, reader->name);
		strbuf_addc(out, '\n');
	}
	if (when != NULL) {
		strbuf_add(out, "    when = ");
		config_add_quoted(out, when);
		strbuf_add(out, "\t# or weekdays 07:30, mon,thu 08:00, monthly 1 08:00\n");
	}
	if (zone != NULL) {
		strbuf_add(out, "    timezone = ");
		config_add_quoted(out, zone);
		strbuf_addc(out, '\n');
	}
	for (size_t i = 0; i < init->ntopics; i++) {
		strbuf_add(out, "    filter ");
		add_section_name(out, init, i);
		strbuf_add(out, " { match = ");
		add_query(out, init->topics[i]);
		strbuf_add(out, " }\n");
	}
	strbuf_add(out, "}\n\n");
}

static void
add_relay(struct strbuf *out, const struct run_init *init)
{
	const char *url = init->items[INIT_URL], *user = init->items[INIT_USER];
	bool login = user != NULL && user[0] != '\0';

	if (url == NULL || strcmp(url, "sendmail:") == 0) {
		strbuf_add(out,
		    "# Mail leaves by the system's sendmail. A relay instead, with the "
		    "password in a file of its own, chmod 600:\n"
		    "# smtp \"main\" { url = \"smtps://smtp.example.org\"  user = \"me\"  "
		    "password-file = \"smtp.secret\" }\n\n");
		return;
	}
	if (run_init_is_relay(init))
		strbuf_addf(out, "# The relay that takes them.%s\n",
		    login ? " The password stands in a file of its own beside this one." : "");
	else
		strbuf_add(out, "# Where they go.\n");
	strbuf_add(out, "smtp \"main\" { url = ");
	config_add_quoted(out, url);
	if (goes_in_clear(init))
		strbuf_add(out, "  tls = none");
	if (init->items[INIT_CA] != NULL) {
		strbuf_add(out, "  ca-file = ");
		config_add_quoted(out, init->items[INIT_CA]);
	}
	if (login) {
		strbuf_add(out, "  user = ");
		config_add_quoted(out, user);
		strbuf_addf(out, "  password-file = \"%s\"", secret_name);
	}
	strbuf_add(out, " }\n\n");
}

static void
add_include(struct strbuf *out, const char *dir)
{
	struct strbuf pattern;

	strbuf_init(&pattern, 2 * MAX_PATH);
	config_add_literal(&pattern, dir);
	strbuf_add_all(&pattern, dir[0] != '\0' ? "/" : "", "conf.d/*.conf", NULL);
	strbuf_add(out, "include ");
	config_add_quoted(out, pattern.state == STRBUF_OK ? pattern.buf : "");
	strbuf_add(out, "\n");
	strbuf_release(&pattern);
}

static void
add_store(struct strbuf *out, const char *store)
{
	if (store[0] == '\0')
		return;
	strbuf_add(out,
	    "# Where digest keeps what it knows; cron is not told of $XDG_STATE_HOME.\n"
	    "store { path = ");
	config_add_quoted(out, store);
	strbuf_add(out, " }\n\n");
}

/* dir: of files to include, "" = beside it. */
static void
add_config(struct strbuf *out, const struct run_init *init, const char *store, const char *dir)
{
	struct address reader = { .mailbox = "", .name = "" };
	struct arena a;

	arena_init(&a, MAX_PATH * 4);
	(void)address_parse(init->items[INIT_ADDRESS], &a, &reader, NULL, NULL);
	strbuf_add(out,
	    "# digest.conf - made by `digest init`; change it as you like. digest.conf(5) lists "
	    "every key,\n"
	    "# and `digest check` says whether everything is in order.\n\n"
	    "# Who the digests come from, and who is told by mail when a person must act.\n"
	    "list { from = ");
	config_add_quoted(
	    out, init->items[INIT_FROM] != NULL ? init->items[INIT_FROM] : reader.mailbox);
	strbuf_add(out, "  operator = ");
	config_add_quoted(out, reader.mailbox);
	strbuf_add(out, " }\n\n");
	add_store(out, store);
	add_relay(out, init);
	add_reader(out, init, &reader);
	strbuf_add(out,
	    "# More, when it is needed. Papers come from Hugging Face unless sources are named:\n"
	    "# source \"huggingface\" {}\n"
	    "# source \"arxiv\" { categories = {cs.CL, cs.LG} }\n\n"
	    "# Further files, as one for each reader; a folder that is not there is fine.\n");
	add_include(out, dir);
	arena_release(&a);
}

/* ---- trying it ---- */

static const char *
dir_of(const char *path, struct arena *a)
{
	char *copy = arena_strdup(a, path), *absolute;
	const char *dir;

	if (copy == NULL)
		return NULL;
	dir = dirname(copy);
	absolute = realpath(dir, NULL);
	if (absolute != NULL) {
		dir = arena_strdup(a, absolute);
		free(absolute);
	}
	return dir;
}

/* A file that only this process sees, for the parser reads files. Its path goes to out. */
static int
keep_in_memory(const struct strbuf *text, char out[64], struct error *err)
{
	int fd = memfd_create("digest.conf", MFD_CLOEXEC);

	if (fd == -1 || write(fd, text->buf, text->len) != (ssize_t)text->len) {
		err_set(err, ERR_IO, "a file in memory: %s", strerror(errno));
		if (fd != -1)
			close(fd);
		return -1;
	}
	snprintf(out, 64, "/proc/self/fd/%d", fd);
	return fd;
}

int
run_init_open(const struct run_init *init, const struct run_init_place *place,
    const struct run_settings *settings, struct run **out, struct error *err)
{
	struct run_settings mine = *settings;
	struct strbuf text;
	struct arena a;
	const char *dir;
	char path[64];
	int fd = -1, rc = -1;

	strbuf_init(&text, MAX_INIT_CONFIG);
	arena_init(&a, MAX_PATH * 4);
	if ((dir = dir_of(place->config, &a)) == NULL) {
		err_nomem(err, "init");
		goto out;
	}
	add_config(&text, init, place->store, dir);
	if (strbuf_check(&text, err) == -1 || (fd = keep_in_memory(&text, path, err)) == -1)
		goto out;
	mine.config_path = path;
	rc = run_open(&mine, out, err);
	if (rc == 0 && (*out)->cfg->nreader_errors > 0) {
		run_close(*out);
		*out = NULL;
		rc = err_set(
		    err, ERR_CONFIG, "%s/conf.d has a reader with an error; mend it first", dir);
	}
out:
	if (fd != -1)
		close(fd);
	arena_release(&a);
	strbuf_release(&text);
	return rc;
}

int
run_init_read_papers(struct run *run, size_t *npapers, struct error *err)
{
	const struct run_fetch_options options = { .force = false };
	struct run_report report;
	size_t nfailed = 0;
	int rc = -1;

	*npapers = 0;
	run_report_init(&report);
	if (run_open_store(run, err) == 0 && run_fetch(run, &options, &report, err) == 0 &&
	    settle_listings(run, clock_now_utc(&run->clock), &report, err) == 0) {
		rc = 0;
		for (size_t i = 0; i < report.nsources; i++) {
			*npapers += report.sources[i].nread;
			nfailed += report.sources[i].failed;
		}
		if (nfailed > 0 && nfailed == report.nsources)
			rc = err_set(err, ERR_NET, "%s", report.sources[0].message);
	}
	run_report_release(&report);
	return rc;
}

int
run_init_try_relay(struct run *run, const struct run_init *init, struct strbuf *told,
    bool *untrusted, struct error *err)
{
	const char *url = init->items[INIT_URL], *user = init->items[INIT_USER];
	const char *ca = init->items[INIT_CA];
	const struct config_smtp smtp = {
		.name = "main",
		.url = url,
		.user = user != NULL ? user : "",
		.password = { .value = init->password != NULL ? init->password : "",
		    .file = "",
		    .env = "",
		    .command = "" },
		.auth = "auto",
		.token_command = "",
		.tls_required = !goes_in_clear(init),
		.ca_file = ca != NULL ? ca : "",
		.helo = "",
		.rate = "",
		.connections = 1,
		.file = "",
	};
	struct smtp_probe probe = { 0 };

	int rc = sinks_probe(run, &smtp, &probe, err);

	*untrusted = probe.untrusted;
	if (rc == -1)
		return -1;
	strbuf_addf(told, "%s%s%s", url, probe.tls ? ", TLS" : ", not encrypted",
	    probe.logged_in ? ", logged in" : "");
	if (probe.max_size > 0)
		strbuf_addf(
		    told, ", mails up to %llu KB", (unsigned long long)(probe.max_size / 1024));
	if (probe.max_size > 0 && probe.max_size < MAX_MESSAGE_BYTES)
		strbuf_add(told, " (digests have up to 200 KB)");
	return strbuf_check(told, err);
}

/* ---- writing it ---- */

static bool
has_secret(const struct run_init *init)
{
	const char *user = init->items[INIT_USER];

	return run_init_is_relay(init) && user != NULL && user[0] != '\0';
}

static int
write_secret(const struct run_init *init, const struct run_init_place *place, struct error *err)
{
	struct strbuf line;
	int rc;

	strbuf_init(&line, MAX_SECRET_BYTES);
	strbuf_addf(&line, "%s\n", init->password != NULL ? init->password : "");
	rc = strbuf_check(&line, err);
	if (rc == 0)
		rc = file_create(place->secret, 0600, line.buf, line.len, err);
	if (line.alloc > 0)
		explicit_bzero(line.buf, line.alloc);
	strbuf_release(&line);
	return rc;
}

/* A run could do nothing with a configuration that has a mistake: better none. */
static int
check_text(const struct strbuf *text, struct error *err)
{
	struct config *cfg;
	char path[64];
	int fd = keep_in_memory(text, path, err), rc;

	if (fd == -1)
		return -1;
	rc = config_load(path, &run_config_checks, NULL, NULL, &cfg, err);
	close(fd);
	if (rc == -1)
		return err_prefix(err, "nothing was written");
	config_free(cfg);
	return 0;
}

/* The secret first: a configuration never names one that is not there. */
int
run_init_write(const struct run_init *init, const struct run_init_place *place, struct error *err)
{
	bool secret = has_secret(init);
	struct strbuf text;
	struct arena a;
	char *copy;
	int rc = -1;

	arena_init(&a, MAX_PATH * 4);
	strbuf_init(&text, MAX_INIT_CONFIG);
	add_config(&text, init, place->store, "");
	copy = arena_strdup(&a, place->config);
	if (copy == NULL) {
		err_nomem(err, "init");
		goto out;
	}
	if (strbuf_check(&text, err) == -1 || check_text(&text, err) == -1 ||
	    file_make_dirs(dirname(copy), 0700, err) == -1 ||
	    (secret && write_secret(init, place, err) == -1))
		goto out;
	rc = file_create(place->config, 0600, text.buf, text.len, err);
	if (rc == -1 && secret)
		unlink(place->secret);
out:
	strbuf_release(&text);
	arena_release(&a);
	return rc;
}

int
run_init_give(const struct run_init_place *place, const char *user, struct error *err)
{
	const struct passwd *pw = getpwnam(user);
	struct arena a;
	const char *dir;
	int rc = 0;

	if (pw == NULL)
		return err_set(err, ERR_IO, "there is no user %s", user);
	arena_init(&a, MAX_PATH * 4);
	/* A folder that is there for other things as well stays as it is. */
	dir = dir_of(place->config, &a);
	if (dir != NULL && strcmp(dir, "/etc/digest") == 0 &&
	    (lchown(dir, 0, pw->pw_gid) == -1 || chmod(dir, 0750) == -1))
		rc = err_set(err, ERR_IO, "%s: %s", dir, strerror(errno));
	else if (lchown(place->config, 0, pw->pw_gid) == -1 || chmod(place->config, 0640) == -1)
		rc = err_set(err, ERR_IO, "%s: %s", place->config, strerror(errno));
	else if (file_exists(place->secret) && lchown(place->secret, pw->pw_uid, pw->pw_gid) == -1)
		rc = err_set(err, ERR_IO, "%s: %s", place->secret, strerror(errno));
	arena_release(&a);
	return rc;
}
