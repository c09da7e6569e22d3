/* xml.c - a long Atom feed through the XML front end (charset, repair, names, namespaces, expat) next to expat alone on the
 * same bytes in pieces of 64 KiB, both with handlers that count; and the memory it takes beside the feed, next to that for a
 * feed of a tenth of the length. */
#include "bench.h"
#include "source/xml.h"

#include <expat.h>
#include <sys/resource.h>

enum { ENTRIES = 20000, PIECE = 64 * 1024 };

struct counts {
	size_t starts, bytes;
};

static int
our_start(void *arg, const char *ns, const char *name, const struct xml_tag *tag)
{
	(void)ns, (void)name, (void)tag;
	((struct counts *)arg)->starts++;
	return 0;
}

static int
our_end(void *arg, const char *ns, const char *name)
{
	(void)arg, (void)ns, (void)name;
	return 0;
}

static int
our_text(void *arg, const char *text, size_t len)
{
	(void)text;
	((struct counts *)arg)->bytes += len;
	return 0;
}

static void XMLCALL
bare_start(void *arg, const XML_Char *name, const XML_Char **attributes)
{
	(void)name, (void)attributes;
	((struct counts *)arg)->starts++;
}

static void XMLCALL
bare_end(void *arg, const XML_Char *name)
{
	(void)arg, (void)name;
}

static void XMLCALL
bare_text(void *arg, const XML_Char *text, int len)
{
	(void)text;
	((struct counts *)arg)->bytes += (size_t)len;
}

/* As arXiv's API writes them, of made-up words; every tenth with letters that are not ASCII. */
static void
build_feed(struct strbuf *out, size_t nentries)
{
	struct bench_random r = { 1 };
	struct arena a;

	strbuf_add(out,
	    "<?xml version='1.0' encoding='UTF-8'?>\n<feed xmlns='http://www.w3.org/2005/Atom' "
	    "xmlns:arxiv='http://arxiv.org/schemas/atom'>\n");
	arena_init(&a, 1 << 30);
	for (size_t i = 0; i < nentries; i++) {
		strbuf_addf(out, "  <entry>\n    <id>http://arxiv.org/abs/2604.%05zuv1</id>\n", i);
		strbuf_addf(out, "    <title>%s</title>\n", bench_text(&a, &r, 10));
		strbuf_add(out, "    <updated>2026-04-24T17:59:59Z</updated>\n");
		strbuf_addf(out,
		    "    <link href=\"https://arxiv.org/abs/2604.%05zuv1\" rel=\"alternate\" "
		    "type=\"text/html\"/>\n",
		    i);
		strbuf_addf(out, "    <summary>%s%s &amp; so on</summary>\n",
		    bench_text(&a, &r, 180),
		    i % 10 == 0 ? " \u00e9t\u00e9 \u2014 \u03b1\u03b2" : "");
		strbuf_add(out,
		    "    <category term=\"cs.CL\" scheme=\"http://arxiv.org/schemas/atom\"/>\n");
		strbuf_add(out, "    <arxiv:primary_category term=\"cs.CL\"/>\n");
		for (int n = 0; n < 4; n++)
			strbuf_addf(out, "    <author>\n      <name>%s</name>\n    </author>\n",
			    bench_text(&a, &r, 2));
		strbuf_add(out, "  </entry>\n");
		arena_reset(&a);
	}
	strbuf_add(out, "</feed>\n");
	arena_release(&a);
	if (strbuf_check(out, NULL) == -1)
		bench_die("no memory");
}

static double
read_ours(const struct strbuf *feed, struct counts *counts)
{
	static const struct xml_handler handler = { our_start, our_end, our_text };
	struct xml_report report;
	double start = bench_now_s();

	*counts = (struct counts){ 0 };
	if (xml_read(feed->buf, feed->len, "", &handler, counts, &report, NULL) == -1 ||
	    report.fault[0] != '\0')
		bench_die(report.fault);
	return bench_now_s() - start;
}

static double
read_bare(const struct strbuf *feed, struct counts *counts)
{
	XML_Parser parser = XML_ParserCreate(NULL);
	double start = bench_now_s();

	*counts = (struct counts){ 0 };
	XML_SetUserData(parser, counts);
	XML_SetElementHandler(parser, bare_start, bare_end);
	XML_SetCharacterDataHandler(parser, bare_text);
	for (size_t at = 0; at < feed->len; at += PIECE) {
		size_t n = feed->len - at < PIECE ? feed->len - at : PIECE;

		if (XML_Parse(parser, feed->buf + at, (int)n, at + n == feed->len) != XML_STATUS_OK)
			bench_die("expat does not read it");
	}
	XML_ParserFree(parser);
	return bench_now_s() - start;
}

/* Kilobytes by which the most that this process ever used grows while a feed is read. */
static double
memory_of(const struct strbuf *feed)
{
	struct rusage before, after;
	struct counts counts;

	getrusage(RUSAGE_SELF, &before);
	read_ours(feed, &counts);
	getrusage(RUSAGE_SELF, &after);
	return (double)(after.ru_maxrss - before.ru_maxrss);
}

int
main(void)
{
	double ours[BENCH_ROUNDS], peer[BENCH_ROUNDS], small, large;
	struct strbuf part, feed;
	struct counts mine, theirs;
	char what[64];

	strbuf_init(&part, 1 << 30);
	strbuf_init(&feed, 1 << 30);
	build_feed(&part, ENTRIES / 10);
	small = memory_of(&part);
	build_feed(&feed, ENTRIES);
	large = small + memory_of(&feed);
	for (int round = 0; round < BENCH_ROUNDS; round++) {
		ours[round] = read_ours(&feed, &mine) * 1e3;
		peer[round] = read_bare(&feed, &theirs) * 1e3;
	}
	if (mine.starts != theirs.starts || mine.bytes != theirs.bytes)
		bench_die("the two readers do not agree");
	snprintf(what, sizeof(what), "read a feed of %.0f MB", (double)feed.len / 1e6);
	bench_row(what, "ms", bench_median(ours), bench_median(peer), "expat alone");
	snprintf(what, sizeof(what), "memory beside a feed of %.0f MB", (double)feed.len / 1e6);
	bench_row(what, "kB", large, small, "beside a tenth of it");
	strbuf_release(&part);
	strbuf_release(&feed);
	return 0;
}
