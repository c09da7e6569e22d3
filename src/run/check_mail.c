#include "run/check.h"

#include "run/returns.h"
#include "run/routes.h"

#include "digest/file.h"
#include "digest/limits.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* ---- ways out ---- */

static void
check_maildir(struct checker *c, const struct config_smtp *smtp, const char *dir)
{
	static const char *const parts[] = { "", "/new", "/tmp", "/cur" };
	char nearest[PATH_MAX], part[PATH_MAX];
	struct strbuf path;

	strbuf_init(&path, MAX_URL_BYTES);
	file_resolve(&path, smtp->file, dir);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		snprintf(part, sizeof(part), "%s%s", path.buf, parts[i]);
		check_nearest_dir(part, nearest, sizeof(nearest));
		if (access(nearest, W_OK | X_OK) == 0)
			continue;
		check_fail(c, RUN_FAULT_IO, "mail", "let the user digest runs as write there",
		    "%s: nothing can be written into %s", smtp->name, nearest);
		strbuf_release(&path);
		return;
	}
	check_ok(c, "mail", "%s: Maildir %s", smtp->name, path.buf);
	check_room(c, "disk", path.buf);
	strbuf_release(&path);
}

/* A login says whether mail would be taken; a mail larger than the relay's limit never would. */
static void
check_relay(struct checker *c, const struct config_smtp *smtp)
{
	struct smtp_probe probe = { 0 };
	struct error err = { 0 };
	char size[48] = "";

	if (!smtp->tls_required && smtp->insecure && strncmp(smtp->url, "smtp://", 7) == 0)
		check_fail(c, RUN_FAULT_CONFIG, "mail", "use smtps:// or tls = required",
		    "%s: insecure: mail and password go to %s without TLS", smtp->name, smtp->url);
	if (c->options->offline) {
		check_warn(c, "mail", "leave out --offline", "%s: %s was not tried", smtp->name,
		    smtp->url);
		return;
	}
	if (sinks_probe(c->run, smtp, &probe, &err) == -1) {
		check_fail_err(c, "mail", &err);
		return;
	}
	if (probe.max_size > 0 && probe.max_size < MAX_MESSAGE_BYTES)
		check_warn(c, "mail", "ask for a larger limit",
		    "%s: takes mails up to %llu KB only", smtp->name,
		    (unsigned long long)(probe.max_size / 1024));
	if (probe.max_size > 0)
		snprintf(size, sizeof(size), ", mails up to %llu KB",
		    (unsigned long long)(probe.max_size / 1024));
	check_ok(c, "mail", "%s: %s%s%s%s", smtp->name, smtp->url,
	    probe.tls ? ", TLS" : ", not encrypted", probe.logged_in ? ", logged in" : "", size);
}

static void
check_sendmail(struct checker *c, const struct config_smtp *smtp, const char *program)
{
	struct strbuf path;

	strbuf_init(&path, MAX_URL_BYTES);
	if (program[0] != '\0')
		file_resolve(&path, smtp->file, program);
	else
		strbuf_add(&path, "/usr/sbin/sendmail");
	if (access(path.buf, X_OK) == -1)
		check_fail(c, RUN_FAULT_CONFIG, "mail",
		    "install a mail server, or name a relay in an smtp block", "%s: %s: %s",
		    smtp->name, path.buf, strerror(errno));
	else if (strncmp(c->run->cfg->path, "/etc/", 5) == 0 && file_exists("/run/systemd/system"))
		check_warn(c, "mail",
		    "use url = \"smtp://localhost\" and tls = none, or let cron call 'digest run'",
		    "%s: %s does not work in the sandbox of digest.service", smtp->name, smtp->url);
	else
		check_warn(c, "mail", "'digest check --send ADDRESS' sends a mail there",
		    "%s: %s was not tried", smtp->name, smtp->url);
	strbuf_release(&path);
}

static void
check_ways(struct checker *c)
{
	const struct config *cfg = c->run->cfg;

	for (size_t i = 0; i < cfg->nsmtps; i++) {
		const struct config_smtp *smtp = &cfg->smtps[i];

		if (strncmp(smtp->url, "maildir:", 8) == 0)
			check_maildir(c, smtp, smtp->url + 8);
		else if (strncmp(smtp->url, "sendmail:", 9) == 0)
			check_sendmail(c, smtp, smtp->url + 9);
		else
			check_relay(c, smtp);
	}
}

/* Readers whose domain no block takes. */
struct wayless {
	struct routes routes;
	size_t n;
	char first[MAX_ADDRESS_BYTES + 1];
};

static int
count_wayless(void *arg, const struct subscriber *reader, bool good)
{
	struct wayless *w = arg;

	if (!good || routes_find(&w->routes, reader->canonical) != -1)
		return 0;
	if (w->n++ == 0)
		snprintf(w->first, sizeof(w->first), "%s", reader->address);
	return 0;
}

static void
check_routes(struct checker *c)
{
	struct wayless w = { .n = 0 };
	struct error err = { 0 };
	int rc;

	if ((rc = routes_init(&w.routes, c->run->cfg, &err)) == 0) {
		rc = config_each_reader(c->run->cfg, count_wayless, &w, &err);
		routes_release(&w.routes);
	}
	if (rc == -1)
		check_fail_err(c, "mail", &err);
	else if (w.n > 0)
		check_fail(c, RUN_FAULT_CONFIG, "mail",
		    "name their domain, or \"*\", in the domains of an smtp block",
		    "no smtp block takes the domain of %s%s", w.first,
		    w.n > 1 ? ", nor those of others" : "");
}

/* ---- addresses ---- */

struct sender {
	struct address from, envelope;
};

static int
read_sender(struct checker *c, struct sender *out, struct error *err)
{
	const struct config *cfg = c->run->cfg;
	const char *bounce = cfg->list.bounce_address;

	if (run_read_from(cfg, &c->arena, &out->from, err) == -1)
		return -1;
	out->envelope = out->from;
	if (bounce[0] != '\0' && address_parse(bounce, &c->arena, &out->envelope, NULL, err) == -1)
		return err_prefix(err, "list.bounce-address");
	return 0;
}

/* a is b or below it. */
static bool
is_below(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);

	return na >= nb && strcasecmp(a + na - nb, b) == 0 && (na == nb || a[na - nb - 1] == '.');
}

/* SPF passes for the envelope's domain; DMARC (RFC 7489 3.1.2) wants that to be the one readers see. */
static void
check_from(struct checker *c)
{
	struct sender s;
	struct error err = { 0 };

	if (read_sender(c, &s, &err) == -1 || run_check_sender(c->run, &err) == -1)
		check_fail_err(c, "from", &err);
	else if (!is_below(s.envelope.domain, s.from.domain) &&
	    !is_below(s.from.domain, s.envelope.domain))
		check_warn(c, "from", "use a list.bounce-address in the domain of list.from",
		    "mail is from %s, its envelope from %s: DMARC may refuse it", s.from.domain,
		    s.envelope.domain);
	else
		check_ok(c, "from", "%s, envelope %s", s.from.mailbox, s.envelope.mailbox);
}

/* ---- what comes back ---- */

/* Lists of so many readers are expected to have a link that needs one click (RFC 8058), which needs a web server. */
enum { MANY_READERS = 5000 };

/* The ways that stand in List-Unsubscribe (RFC 2369 3.2). */
static void
check_unsubscribe(struct checker *c)
{
	const struct config *cfg = c->run->cfg;
	const bool read = run_has_returns(c->run);
	const char *by = run_has_inbox(c->run) ? "each run"
	    : read			       ? "'digest mailbox --stdin'"
					       : "'digest unsubscribe --token'";
	const char *to = cfg->list.reply_to[0] != '\0' ? cfg->list.reply_to : cfg->list.from;
	struct address address;
	struct error err = { 0 };

	if (address_parse(read ? cfg->list.bounce_address : to, &c->arena, &address, NULL, &err) ==
	    -1)
		check_fail_err(c, "leaving", &err);
	else if (cfg->nreaders > MANY_READERS)
		check_warn(c, "leaving", "",
		    "by a mail to %s alone; the large services want one click by https of who "
		    "mails more than %d a day",
		    address.mailbox, MANY_READERS);
	else
		check_ok(c, "leaving", "by a mail to %s, acted on by %s; no link by https",
		    address.mailbox, by);
}

/* As whose mail digests leave. */
static void
show_return_path(const struct config *cfg, char out[MAX_ADDRESS_BYTES + 8])
{
	const char *bounce = cfg->list.bounce_address;
	const size_t local = strcspn(bounce, "@");

	snprintf(out, MAX_ADDRESS_BYTES + 8, "%.*s%s%s", (int)local, bounce,
	    cfg->list.verp ? "+TOKEN" : "", bounce + local);
}

/* By the login and a look at the folder; no mail is read. */
static void
check_mailbox(struct checker *c)
{
	const struct config_mailbox *box = &c->run->cfg->mailbox;
	char path[MAX_ADDRESS_BYTES + 8];
	const char *where = box->url[0] != '\0' ? box->url : box->maildir;
	struct error err = { 0 };
	struct sender s;
	size_t n;

	show_return_path(c->run->cfg, path);
	if (box->from_stdin) {
		check_ok(
		    c, "mailbox", "a pipe to 'digest mailbox --stdin'; digests leave as %s", path);
		return;
	}
	if (!run_has_inbox(c->run)) {
		if (read_sender(c, &s, NULL) == 0)
			check_ok(c, "mailbox", "none; bounces go to %s, for a person to read",
			    s.envelope.mailbox);
		return;
	}
	if (c->options->offline && box->url[0] != '\0')
		check_warn(c, "mailbox", "leave out --offline", "%s was not tried", where);
	else if (inbox_probe(c->run, &n, &err) == -1)
		check_fail_err(c, "mailbox", &err);
	else
		check_ok(c, "mailbox", "%s, %zu new mail%s; digests leave as %s", where, n,
		    n == 1 ? "" : "s", path);
}

/* How well a parser is locked in that is given what anybody may send. */
static void
check_reading(struct checker *c)
{
	struct error err = { 0 };
	bool sealed;

	if (!run_has_returns(c->run))
		return;
	if (inbox_probe_reader(&sealed, &err) == -1)
		check_fail_err(c, "parser", &err);
	else
		check_ok(c, "parser", "mails are read by a process that %s",
		    sealed ? "may open, start and signal nothing"
			   : "can open nothing; system calls cannot be filtered here");
}

void
check_mail(struct checker *c)
{
	check_ways(c);
	check_routes(c);
	check_from(c);
	check_unsubscribe(c);
	check_mailbox(c);
	check_reading(c);
}

/* ---- the test mail ---- */

static int
compose_test(struct checker *c, const struct sender *sender, const struct address *to,
    struct strbuf *out, struct error *err)
{
	static const char text[] =
	    "This is a test mail of digest. Who reads it gets digests by the same\r\n"
	    "way.\r\n";
	/* As quoted-printable, like all parts. */
	static const char html[] =
	    "<!DOCTYPE html><html lang=3D\"en\"><head><title>digest test mail</title>\r\n"
	    "</head><body><p>This is a test mail of digest. Who reads it gets digests\r\n"
	    "by the same way.</p></body></html>\r\n";
	int64_t now_utc = clock_now_utc(&c->run->clock);
	char id[MESSAGE_ID_SIZE], now[DATE_RFC3339_SIZE];
	struct message m;

	date_format_rfc3339(now_utc, now);
	m = errand_message(c->run->cfg, &sender->from, to, now, now_utc, id);
	m.subject = "digest test mail";
	m.text = text;
	m.html = html;
	return message_add(out, &m, err);
}

/* Neither who left nor anybody while all mail is on hold. */
static int
may_send(struct checker *c, const struct address *to, struct error *err)
{
	int64_t since_utc;
	int found;

	if (c->store_failed)
		return err_set(err, ERR_IO, "not sent: the store would say who must not be mailed");
	if (c->run->store == NULL)
		return 0;
	found = store_is_suppressed(c->run->store, to->canonical, NULL, NULL, err);
	if (found == 1)
		return err_set(err, ERR_USAGE, "%s has left, or must not be mailed", to->mailbox);
	if (found == 0 && (found = run_find_hold(c->run, &since_utc, err)) == 1)
		return err_set(err, ERR_TEMP, "not sent: %s", run_hold_words);
	return found;
}

static void
tell_result(struct checker *c, const struct errand *t, const char *to)
{
	const char *reply = t->result.reply;

	if (!t->settled)
		check_fail(c, RUN_FAULT_IO, "send", "", "%s: was not taken", to);
	else if (t->result.outcome == OUTCOME_SENT)
		check_ok(c, "send", "%s: handed over%s%s", to, reply[0] != '\0' ? "; " : "", reply);
	else if (t->result.outcome == OUTCOME_FAILED)
		check_fail(c, RUN_FAULT_UNREACHABLE, "send", "", "%s: refused: %s", to, reply);
	else
		check_fail(c, RUN_FAULT_DEFERRED, "send", "", "%s: not taken now: %s", to, reply);
}

static int
send_test(struct checker *c, const struct sender *sender, struct errand *t, struct error *err)
{
	struct routes routes;
	int lane;

	if (routes_init(&routes, c->run->cfg, err) == -1)
		return -1;
	lane = routes_find(&routes, t->to->canonical);
	routes_release(&routes);
	if (lane == -1)
		return err_set(
		    err, ERR_CONFIG, "no smtp block takes the domain of %s", t->to->mailbox);
	t->sender = sender->envelope.mailbox;
	return errand_send(t, (unsigned)lane, err);
}

void
check_send(struct checker *c, const char *address)
{
	struct sender sender;
	struct address to;
	struct strbuf bytes;
	struct errand t = { .run = c->run, .to = &to, .bytes = &bytes };
	struct error err = { 0 };

	strbuf_init(&bytes, MAX_MESSAGE_BYTES);
	if (address_parse(address, &c->arena, &to, NULL, &err) == -1 ||
	    may_send(c, &to, &err) == -1 || read_sender(c, &sender, &err) == -1 ||
	    run_check_sender(c->run, &err) == -1 ||
	    compose_test(c, &sender, &to, &bytes, &err) == -1 ||
	    send_test(c, &sender, &t, &err) == -1)
		check_fail_err(c, "send", &err);
	else
		tell_result(c, &t, to.mailbox);
	strbuf_release(&bytes);
}
