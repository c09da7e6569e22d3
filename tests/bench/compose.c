/* compose.c - one mail of 55 KB, text and HTML: message_add() next to libetpan building the same parts, and to a copy of
 * the finished bytes. */
#include "bench.h"
#include "digest/message.h"

#include <libetpan/libetpan.h>

enum { TEXT_BYTES = 11300, HTML_BYTES = 41700, MAILS = 200 };

/* Prose with some letters beyond ASCII; the HTML has as much markup as a card. */
static char *
make_part(size_t size, const char *before, const char *after)
{
	struct bench_random r = { 7 };
	struct strbuf out;
	char *copy;

	strbuf_init(&out, 1 << 20);
	while (out.len < size) {
		strbuf_add(&out, before);
		for (int i = 0; i < 11; i++) {
			bench_add_word(&out, bench_zipf(&r, 1, BENCH_WORDS));
			strbuf_add(&out, i == 5 ? " \303\251 " : " ");
		}
		strbuf_add(&out, after);
	}
	copy = strdup(out.buf);
	strbuf_release(&out);
	if (copy == NULL)
		bench_die("no memory");
	return copy;
}

static size_t
add_ours(struct strbuf *out, const char *text, const char *html)
{
	static const struct address from = { "Papers", "me@example.org", "me@example.org",
		"example.org", false };
	static const struct address to = { "Ada", "ada@example.net", "ada@example.net",
		"example.net", false };
	const struct message m = { .from = &from,
		.to = &to,
		.subject = "Papers of today",
		.date_utc = BENCH_NOW,
		.list_id = "papers.example.org",
		.list_name = "Papers",
		.message_id = "<0123456789abcdef@example.org>",
		.unsubscribe_mailto = "mailto:me@example.org?subject=unsubscribe",
		.unsubscribe_https = "",
		.help_url = "",
		.archive_url = "",
		.text = text,
		.html = html };
	struct error err;

	strbuf_reset(out);
	if (message_add(out, &m, &err) == -1)
		bench_die(err.msg);
	return out->len;
}

static struct mailmime *
etpan_part(const char *type, const char *text)
{
	struct mailmime_fields *fields =
	    mailmime_fields_new_encoding(MAILMIME_MECHANISM_QUOTED_PRINTABLE);
	struct mailmime_content *content = mailmime_content_new_with_str(type);
	struct mailmime *part;

	clist_append(content->ct_parameters,
	    mailmime_param_new_with_data(strdup("charset"), strdup("utf-8")));
	part = mailmime_new_empty(content, fields);
	mailmime_set_body_text(part, strdup(text), strlen(text));
	return part;
}

static size_t
add_etpan(const char *text, const char *html)
{
	struct mailimf_mailbox_list *from = mailimf_mailbox_list_new_empty();
	struct mailimf_address_list *to = mailimf_address_list_new_empty();
	struct mailmime *message = mailmime_new_message_data(NULL),
			*both = mailmime_multiple_new("multipart/alternative");
	MMAPString *out = mmap_string_new("");
	size_t len;
	int col = 0;

	mailimf_mailbox_list_add_parse(from, strdup("Papers <me@example.org>"));
	mailimf_address_list_add_parse(to, strdup("Ada <ada@example.net>"));
	mailmime_set_imf_fields(message,
	    mailimf_fields_new_with_data(
		from, NULL, NULL, to, NULL, NULL, NULL, NULL, strdup("Papers of today")));
	mailmime_smart_add_part(both, etpan_part("text/plain", text));
	mailmime_smart_add_part(both, etpan_part("text/html", html));
	mailmime_smart_add_part(message, both);
	if (mailmime_write_mem(out, &col, message) != MAIL_NO_ERROR)
		bench_die("libetpan");
	len = out->len;
	mmap_string_free(out);
	mailmime_free(message);
	return len;
}

int
main(void)
{
	char *text = make_part(TEXT_BYTES, "  ", "\n"),
	     *html = make_part(HTML_BYTES,
		 "<tr><td style=\"padding: 4px 8px\"><a href=\"https://arxiv.org/abs/2603.1\">",
		 "</a></td></tr>\n");
	double ours[BENCH_ROUNDS], peer[BENCH_ROUNDS], copy[BENCH_ROUNDS];
	size_t nours = 0, npeer = 0;
	struct strbuf out, other;

	strbuf_init(&out, 1 << 20);
	strbuf_init(&other, 1 << 20);
	for (int round = 0; round < BENCH_ROUNDS; round++) {
		double start = bench_now_s();

		for (int i = 0; i < MAILS; i++)
			nours = add_ours(&out, text, html);
		ours[round] = (bench_now_s() - start) * 1e6 / MAILS;
		start = bench_now_s();
		for (int i = 0; i < MAILS; i++)
			npeer = add_etpan(text, html);
		peer[round] = (bench_now_s() - start) * 1e6 / MAILS;
		start = bench_now_s();
		for (int i = 0; i < MAILS; i++) {
			strbuf_reset(&other);
			strbuf_addn(&other, out.buf, out.len);
		}
		copy[round] = (bench_now_s() - start) * 1e6 / MAILS;
	}
	bench_row("compose a mail", "us", bench_median(ours), bench_median(peer),
	    "libetpan, mailmime_write_mem");
	bench_row(
	    "compose a mail", "us", bench_median(ours), bench_median(copy), "a copy of the bytes");
	printf("# %zu bytes of mail, libetpan's %zu\n", nours, npeer);
	strbuf_release(&out);
	strbuf_release(&other);
	free(text);
	free(html);
	return 0;
}
