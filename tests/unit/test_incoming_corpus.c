/* Every mail of the corpus, read by the locked child: what it is, and of each recipient of a report the codes and whether the
 * address is dead. expected.tsv has what Sisimai, another program, says; where we say otherwise a row below tells why, and
 * a row that is not needed is an error. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest/file.h"
#include "digest/incoming.h"
#include "mail/incoming.h"

#include <dirent.h>

enum { MAX_MAILS = 200, MAX_ROWS = 200, MAX_FILE_BYTES = 4 * 1024 * 1024 };

/* Mails that are not what their folder says. */
static const struct {
	const char *file;
	enum incoming_kind kind;
} kinds[] = {
	{ "bounce/enmime-delayed_dsn.eml", INCOMING_DELAYED },
	{ "bounce/lhost-amazonses-13.eml", INCOMING_DELIVERED },
	{ "bounce/lhost-exim-38.eml", INCOMING_DELAYED },
	{ "bounce/lhost-gmail-06.eml", INCOMING_DELAYED },
	{ "bounce/lhost-messagingserver-07.eml", INCOMING_DELAYED },
	{ "bounce/rfc3464-07.eml", INCOMING_DELAYED },
	{ "bounce/rfc3464-28.eml", INCOMING_DELIVERED },
	{ "bounce/rhost-outlook-06.eml", INCOMING_DELAYED },
	{ "arf/arf-12.eml", INCOMING_FEEDBACK },
	{ "arf/arf-18.eml", INCOMING_FEEDBACK },
	{ "unsubscribe/bounce-of-an-unsubscribe-1996.eml", INCOMING_BOUNCE },
};

static const struct {
	const char *folder;
	size_t n;
	enum incoming_kind kind;
} folders[] = {
	{ "arf", 7, INCOMING_COMPLAINT },
	{ "autoreply", 11, INCOMING_AUTO_REPLY },
	{ "bounce", 66, INCOMING_BOUNCE },
	{ "broken-mime", 12, INCOMING_OTHER },
	{ "not-bounce", 2, INCOMING_OTHER },
	{ "reply", 13, INCOMING_OTHER },
	{ "unsubscribe", 4, INCOMING_REQUEST },
};

/* Where we differ from expected.tsv, and why. */
enum what { HARD, CODE, STATUS, COUNT };
static const struct {
	const char *file;
	size_t row;
	enum what what;
	const char *why;
} exceptions[] = {
	{ "bounce/lhost-domino-02.eml", 0, HARD,
	    "5.0.0 and a Japanese sentence: words alone never make an address dead" },
	{ "bounce/lhost-exim-31.eml", 0, HARD,
	    "no code at all, and the words leave open whether the account, the domain or a list is "
	    "at "
	    "fault" },
	{ "bounce/lhost-sendmail-02.eml", 1, HARD,
	    "550 5.2.1 User Unknown is what it says; Sisimai takes 5.2.1 of Sendmail for a "
	    "filter" },
	{ "bounce/lhost-zoho-02.eml", 0, HARD,
	    "550 5.2.1 User Unknown, as in the other mails where Sisimai calls it hard" },
	{ "bounce/lhost-v5sendmail-05.eml", 0, CODE,
	    "554 is the reply that names this recipient; 550 was said of another" },
	{ "bounce/lhost-v5sendmail-05.eml", 1, CODE, "the same: the line begins with 554" },
	{ "bounce/lhost-v5sendmail-05.eml", 1, HARD,
	    "550 may be any refusal, and only words say that the host is unknown" },
	{ "bounce/lhost-v5sendmail-05.eml", 2, CODE, "the same: the line begins with 554" },
	{ "bounce/lhost-v5sendmail-05.eml", 2, HARD, "the same words" },
	{ "bounce/lhost-v5sendmail-05.eml", 3, HARD,
	    "550 without an enhanced code: only words say that the user is unknown" },
	{ "bounce/rfc3464-28.eml", 1, COUNT,
	    "a report with one recipient; Sisimai counts the report inside it, too" },
};

static bool used[sizeof(exceptions) / sizeof(exceptions[0])];

static bool
is_exception(const char *file, size_t row, enum what what)
{
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++) {
		if (strcmp(exceptions[i].file, file) == 0 && exceptions[i].row == row &&
		    exceptions[i].what == what) {
			used[i] = true;
			return true;
		}
	}
	return false;
}

struct mail {
	char file[300]; /* "bounce/x.eml" */
	size_t folder;
	struct strbuf bytes;
	struct incoming in;
};

static struct mail mails[MAX_MAILS];
static size_t nmails;

static void
load_mail(const char *root, size_t folder, const char *name)
{
	struct mail *m = &mails[nmails++];
	char path[1024];
	struct error err;

	assert_true(nmails <= MAX_MAILS);
	m->folder = folder;
	snprintf(m->file, sizeof(m->file), "%s/%s", folders[folder].folder, name);
	snprintf(path, sizeof(path), "%s/mail/%s", root, m->file);
	strbuf_init(&m->bytes, MAX_FILE_BYTES);
	if (file_read(path, &m->bytes, &err) == -1)
		fail_msg("%s", err.msg);
}

static void
load_folder(const char *root, size_t folder)
{
	char path[1024];
	struct dirent *d;
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/mail/%s", root, folders[folder].folder);
	assert_non_null(dir = opendir(path));
	while ((d = readdir(dir)) != NULL) {
		if (d->d_name[0] == '.')
			continue;
		load_mail(root, folder, d->d_name);
		n++;
	}
	closedir(dir);
	assert_int_equal(n, folders[folder].n);
}

static int
load(void **state)
{
	const char *root = getenv("DIGEST_CORPUS");
	struct incoming_reader *r;
	struct error err;

	(void)state;
	if (root == NULL)
		return 0;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		load_folder(root, i);
	if (incoming_reader_new(&r, &err) == -1)
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < nmails; i++)
		if (incoming_reader_read(
			r, mails[i].bytes.buf, mails[i].bytes.len, &mails[i].in, &err) == -1)
			fail_msg("%s: %s", mails[i].file, err.msg);
	incoming_reader_free(r);
	return 0;
}

static int
unload(void **state)
{
	(void)state;
	while (nmails > 0)
		strbuf_release(&mails[--nmails].bytes);
	return 0;
}

static void
need_corpus(void)
{
	if (nmails == 0) {
		print_message("DIGEST_CORPUS is not set\n");
		skip();
	}
}

static const struct mail *
find_mail(const char *file)
{
	for (size_t i = 0; i < nmails; i++)
		if (strcmp(mails[i].file, file) == 0)
			return &mails[i];
	fail_msg("%s is in expected.tsv and nowhere else", file);
	return NULL;
}

static void
test_kinds(void **state)
{
	(void)state;
	need_corpus();
	for (size_t i = 0; i < nmails; i++) {
		enum incoming_kind want = folders[mails[i].folder].kind;

		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++)
			if (strcmp(kinds[k].file, mails[i].file) == 0)
				want = kinds[k].kind;
		if (mails[i].in.kind != want)
			fail_msg("%s: %s where %s is expected (%s)", mails[i].file,
			    incoming_kind_name(mails[i].in.kind), incoming_kind_name(want),
			    mails[i].in.why);
		assert_true(mails[i].in.why[0] != '\0');
	}
}

/* A line of expected.tsv. */
struct row {
	char *file, *status, *code, *reason, *hard;
};

static char *
next_field(char **at)
{
	char *field = *at, *end = field + strcspn(field, "\t\n");

	*at = *end != '\0' ? end + 1 : end;
	*end = '\0';
	return field;
}

static void
check_row(const struct row *row, size_t n)
{
	const struct incoming *in = &find_mail(row->file)->in;
	const struct incoming_recipient *r = &in->recipients[n];
	bool dead;

	if (n >= in->nrecipients) {
		if (!is_exception(row->file, n, COUNT))
			fail_msg("%s: %u recipients", row->file, in->nrecipients);
		return;
	}
	dead = r->class == SMTP_CLASS_DEAD;
	if (dead != (strcmp(row->hard, "true") == 0) && !is_exception(row->file, n, HARD))
		fail_msg("%s: recipient %zu is %s (%s), hard=%s is expected", row->file, n,
		    incoming_class_name(r->class), r->reason, row->hard);
	if (strlen(row->status) > 1 && strcmp(row->status, r->status) != 0 &&
	    row->status[0] != '2' && !is_exception(row->file, n, STATUS))
		fail_msg("%s: recipient %zu: status '%s' where %s is expected", row->file, n,
		    r->status, row->status);
	if (row->code[0] != '\0' && row->code[0] != '2' &&
	    strtoul(row->code, NULL, 10) != r->code && !is_exception(row->file, n, CODE))
		fail_msg("%s: recipient %zu: code %u where %s is expected", row->file, n, r->code,
		    row->code);
}

static void
test_recipients(void **state)
{
	char path[1024], last[128] = "", *at;
	struct strbuf text;
	struct error err;
	size_t n = 0, nrows = 0;

	(void)state;
	need_corpus();
	snprintf(path, sizeof(path), "%s/mail/expected.tsv", getenv("DIGEST_CORPUS"));
	strbuf_init(&text, MAX_FILE_BYTES);
	if (file_read(path, &text, &err) == -1)
		fail_msg("%s", err.msg);
	at = text.buf;
	while (*at != '\0') {
		char *line = at, *end = at + strcspn(at, "\n");
		struct row row;

		at = *end != '\0' ? end + 1 : end;
		*end = '\0';
		row.file = next_field(&line);
		row.status = next_field(&line);
		row.code = next_field(&line);
		row.reason = next_field(&line);
		row.hard = next_field(&line);
		n = strcmp(row.file, last) == 0 ? n + 1 : 0;
		snprintf(last, sizeof(last), "%s", row.file);
		if (strncmp(row.file, "bounce/", 7) != 0 || row.hard[0] == '\0')
			continue;
		check_row(&row, n);
		nrows++;
	}
	strbuf_release(&text);
	assert_true(nrows > 70);
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++)
		if (!used[i])
			fail_msg("%s, recipient %zu: not needed: %s", exceptions[i].file,
			    exceptions[i].row, exceptions[i].why);
}

/* What the corpus has besides: who complained, and which mails must never harm anybody. */
static void
test_effects(void **state)
{
	(void)state;
	need_corpus();
	assert_int_equal(find_mail("arf/arf-16.eml")->in.nrecipients, 7);
	assert_string_equal(find_mail("arf/arf-12.eml")->in.reason, "opt-out");
	assert_string_equal(find_mail("arf/arf-18.eml")->in.reason, "auth-failure");
	assert_string_equal(
	    find_mail("arf/arf-22.eml")->in.recipients[0].address, "kijitora@example.com");
	assert_int_equal(find_mail("unsubscribe/apple-mail-list-unsubscribe.eml")->in.verb,
	    INCOMING_UNSUBSCRIBE);
	assert_string_equal(find_mail("not-bounce/is-not-bounce-01.eml")->in.subject, "にゃんこ");
	for (size_t i = 0; i < nmails; i++) {
		const struct incoming *in = &mails[i].in;

		assert_true(incoming_is_sound(in));
		if (in->kind == INCOMING_BOUNCE || in->kind == INCOMING_COMPLAINT)
			continue;
		for (size_t k = 0; k < in->nrecipients; k++)
			if (in->recipients[k].fate == INCOMING_BOUNCE ||
			    in->recipients[k].class != SMTP_CLASS_NONE)
				fail_msg("%s: a %s harms %s", mails[i].file,
				    incoming_kind_name(in->kind), in->recipients[k].address);
	}
}

/* Line ends are not part of the meaning. */
static void
test_line_ends(void **state)
{
	static struct incoming other;
	struct strbuf crlf;

	(void)state;
	need_corpus();
	strbuf_init(&crlf, MAX_FILE_BYTES);
	for (size_t i = 0; i < nmails; i++) {
		const struct mail *m = &mails[i];

		strbuf_reset(&crlf);
		for (size_t k = 0; k < m->bytes.len; k++) {
			if (m->bytes.buf[k] == '\n' && (k == 0 || m->bytes.buf[k - 1] != '\r'))
				strbuf_addc(&crlf, '\r');
			strbuf_addc(&crlf, m->bytes.buf[k]);
		}
		incoming_parse(crlf.buf, crlf.len, &other);
		other.flags |= m->in.flags & INCOMING_SEALED;
		if (memcmp(&other, &m->in, sizeof(other)) != 0)
			fail_msg("%s: other with CRLF: %s, %s", m->file, m->in.why, other.why);
	}
	strbuf_release(&crlf);
}

/* Cut anywhere, a mail is read to the end of what is there; the copy is as long as that, for the sanitizer. */
static void
test_cut_mails(void **state)
{
	static struct incoming in;

	(void)state;
	need_corpus();
	for (size_t i = 0; i < nmails; i++) {
		for (size_t len = i % 61; len < mails[i].bytes.len; len += 211) {
			char *copy = malloc(len + 1);

			assert_non_null(copy);
			memcpy(copy, mails[i].bytes.buf, len);
			incoming_parse(copy, len, &in);
			if (!incoming_is_sound(&in))
				fail_msg("%s, %zu bytes of it", mails[i].file, len);
			free(copy);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kinds),
		cmocka_unit_test(test_recipients),
		cmocka_unit_test(test_effects),
		cmocka_unit_test(test_line_ends),
		cmocka_unit_test(test_cut_mails),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
