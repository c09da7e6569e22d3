/* compose.c - a mail of some 55 KB from the picks of one reader: papers that others have picked too, with marks of their own
 * in each. Next to libetpan building the same two parts, and to a copy of the finished bytes. */
#include "bench.h"
#include "digest/limits.h"
#include "digest/message.h"
#include "digest/qp.h"
#include "digest/render.h"

#include <libetpan/libetpan.h>

enum { PAPERS = 1500, PICKS = 14, CUT = 5, MARKS = 4, MAILS = 400, READERS = 50 };

static const struct address from = { "Papers", "me@example.org", "me@example.org", "example.org",
	false };
static const struct address to = { "Ada", "ada@example.net", "ada@example.net", "example.net",
	false };

/* What all readers share. */
struct desk {
	struct render *render;
	struct paper **papers;
	struct edition_view views[READERS];
	struct arena arena, scratch;
	struct rendered parts;
	struct strbuf out;
	size_t html_bytes, text_bytes;
};

static struct pick_view *
make_picks(struct desk *d, struct bench_random *r)
{
	struct pick_view *picks = arena_array(&d->arena, PICKS + CUT, sizeof(*picks));

	if (picks == NULL)
		bench_die("no memory");
	for (size_t i = 0; i < PICKS + CUT; i++) {
		size_t n = bench_next(r) % PAPERS;
		struct paper_mark *marks = arena_array(&d->arena, MARKS, sizeof(*marks));

		for (unsigned k = 0; k < MARKS; k++) {
			unsigned at = 40 + 150 * k + (unsigned)(bench_next(r) % 100);

			marks[k] = (struct paper_mark){ PAPER_ABSTRACT, at, at + 9 };
		}
		picks[i] = (struct pick_view){ .paper = d->papers[n],
			.id = (int64_t)n + 1,
			.revision = 1,
			.why = "gaussian splatting",
			.marks = marks,
			.nmarks = i < PICKS ? MARKS : 0 };
	}
	return picks;
}

static void
make_view(struct desk *d, struct bench_random *r, struct edition_view *out)
{
	static const struct subscriber ada = {
		.address = "ada@example.net", .name = "Ada", .language = "en"
	};
	static const char *const sources[] = { "arXiv cs.CV", "Hugging Face" };
	struct section_view *s = arena_array(&d->arena, 2, sizeof(*s));
	struct pick_view *picks = make_picks(d, r);

	if (s == NULL)
		bench_die("no memory");
	s[0] = (struct section_view){ .name = "Gaussian splatting",
		.query = "\"gaussian splatting\"",
		.picks = picks,
		.npicks = PICKS / 2,
		.cut = picks + PICKS,
		.ncut = CUT };
	s[1] = (struct section_view){ .name = "Robots",
		.query = "robot",
		.picks = picks + PICKS / 2,
		.npicks = PICKS - PICKS / 2 };
	*out = (struct edition_view){ .list = { "Papers", "papers.example.org", "me@example.org",
					  "1 Main Street, Exampleton", "" },
		.subscriber = &ada,
		.day = 20718,
		.since_day = 20718,
		.nread = 1500,
		.nmatched = PICKS + CUT,
		.nshown = PICKS,
		.ncut = CUT,
		.sources = sources,
		.nsources = 2,
		.note = "",
		.change = "",
		.change_where = "",
		.sections = s,
		.nsections = 2,
		.unsubscribe_url = "mailto:me@example.org?subject=unsubscribe%20aaaacaaaaaaaaa",
		.preferences_url = "",
		.archive_url = "" };
}

static void
open_desk(struct desk *d)
{
	struct bench_random r = { 7 };
	struct error err = { 0 };

	memset(d, 0, sizeof(*d));
	arena_init(&d->arena, 256u << 20);
	arena_init(&d->scratch, MAX_READER_BYTES);
	rendered_init(&d->parts);
	strbuf_init(&d->out, MAX_MESSAGE_BYTES);
	d->papers = bench_papers(&d->arena, PAPERS);
	if (d->papers == NULL || render_new(NULL, &d->render, &err) == -1)
		bench_die(err.msg);
	for (int i = 0; i < READERS; i++)
		make_view(d, &r, &d->views[i]);
}

static void
close_desk(struct desk *d)
{
	render_free(d->render);
	rendered_release(&d->parts);
	strbuf_release(&d->out);
	arena_release(&d->scratch);
	arena_release(&d->arena);
}

/* The mail of the parts at hand, which are quoted-printable as their cards were. */
static void
build(struct desk *d)
{
	const struct message m = { .from = &from,
		.to = &to,
		.subject = d->parts.subject.buf,
		.date_utc = BENCH_NOW,
		.list_id = "papers.example.org",
		.list_name = "Papers",
		.message_id = "<0123456789abcdef@example.org>",
		.unsubscribe_mailto = "mailto:me@example.org?subject=unsubscribe",
		.unsubscribe_https = "",
		.help_url = "",
		.archive_url = "",
		.text = d->parts.text.buf,
		.html = d->parts.html.buf,
		.text_len = d->parts.text.len,
		.html_len = d->parts.html.len };
	struct error err = { 0 };

	strbuf_reset(&d->out);
	if (message_add(&d->out, &m, &err) == -1)
		bench_die(err.msg);
}

/* One mail, from what was picked to bytes that can be sent. */
static void
compose(struct desk *d, size_t reader)
{
	struct error err = { 0 };

	arena_reset(&d->scratch);
	if (render_edition(d->render, &d->views[reader], &d->scratch, &d->parts, &err) == -1)
		bench_die(err.msg);
	build(d);
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
add_etpan(const char *subject, const char *text, const char *html)
{
	struct mailimf_mailbox_list *sender = mailimf_mailbox_list_new_empty();
	struct mailimf_address_list *receivers = mailimf_address_list_new_empty();
	struct mailmime *message = mailmime_new_message_data(NULL),
			*both = mailmime_multiple_new("multipart/alternative");
	MMAPString *out = mmap_string_new("");
	size_t len;
	int col = 0;

	mailimf_mailbox_list_add_parse(sender, strdup("Papers <me@example.org>"));
	mailimf_address_list_add_parse(receivers, strdup("Ada <ada@example.net>"));
	mailmime_set_imf_fields(message,
	    mailimf_fields_new_with_data(
		sender, NULL, NULL, receivers, NULL, NULL, NULL, NULL, strdup(subject)));
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

/* How long the first mails take, for which cards are drawn: every paper once. */
static double
draw_cards(void)
{
	struct desk d;
	double start;

	open_desk(&d);
	start = bench_now_s();
	for (size_t i = 0; i < PAPERS; i += PICKS) {
		struct section_view s = d.views[0].sections[0];
		struct edition_view view = d.views[0];
		struct pick_view picks[PICKS];
		struct error err = { 0 };

		for (size_t k = 0; k < PICKS; k++)
			picks[k] = (struct pick_view){ .paper = d.papers[(i + k) % PAPERS],
				.id = (int64_t)((i + k) % PAPERS) + 1,
				.why = "" };
		s = (struct section_view){
			.name = "S", .query = "", .picks = picks, .npicks = PICKS
		};
		view.sections = &s;
		view.nsections = 1;
		arena_reset(&d.scratch);
		if (render_edition(d.render, &view, &d.scratch, &d.parts, &err) == -1)
			bench_die(err.msg);
	}
	start = bench_now_s() - start;
	close_desk(&d);
	return start * 1e3;
}

int
main(void)
{
	double ours[BENCH_ROUNDS], built[BENCH_ROUNDS], peer[BENCH_ROUNDS], copy[BENCH_ROUNDS],
	    cards[BENCH_ROUNDS];
	struct strbuf other, text, html;
	size_t npeer = 0;
	struct desk d;

	open_desk(&d);
	strbuf_init(&other, MAX_MESSAGE_BYTES);
	strbuf_init(&text, MAX_MESSAGE_BYTES);
	strbuf_init(&html, MAX_MESSAGE_BYTES);
	for (size_t i = 0; i < READERS; i++)
		compose(&d, i);
	qp_add_decoded(&text, d.parts.text.buf, d.parts.text.len);
	qp_add_decoded(&html, d.parts.html.buf, d.parts.html.len);
	for (int round = 0; round < BENCH_ROUNDS; round++) {
		double start = bench_now_s();

		for (size_t i = 0; i < MAILS; i++)
			compose(&d, i % READERS);
		ours[round] = (bench_now_s() - start) * 1e6 / MAILS;
		start = bench_now_s();
		for (int i = 0; i < MAILS; i++)
			build(&d);
		built[round] = (bench_now_s() - start) * 1e6 / MAILS;
		start = bench_now_s();
		for (int i = 0; i < MAILS; i++)
			npeer = add_etpan(d.parts.subject.buf, text.buf, html.buf);
		peer[round] = (bench_now_s() - start) * 1e6 / MAILS;
		start = bench_now_s();
		for (int i = 0; i < MAILS; i++) {
			strbuf_reset(&other);
			strbuf_addn(&other, d.out.buf, d.out.len);
		}
		copy[round] = (bench_now_s() - start) * 1e6 / MAILS;
		cards[round] = draw_cards();
	}
	bench_row("compose a mail from its picks", "us", bench_median(ours), bench_median(peer),
	    "libetpan, mailmime_write_mem of the finished parts");
	bench_row("compose a mail from its picks", "us", bench_median(ours), bench_median(copy),
	    "a copy of the bytes");
	bench_row("of that, build it from its coded parts", "us", bench_median(built),
	    bench_median(peer), "libetpan, which codes them");
	bench_row("of that, build it from its coded parts", "us", bench_median(built),
	    bench_median(copy), "a copy of the bytes");
	bench_row("draw the cards of 1,500 papers", "ms", bench_median(cards), 50, "the bar");
	printf("# %zu bytes of mail (%zu text, %zu HTML), libetpan's %zu\n", d.out.len,
	    d.parts.text.len, d.parts.html.len, npeer);
	strbuf_release(&other);
	strbuf_release(&text);
	strbuf_release(&html);
	close_desk(&d);
	return 0;
}
