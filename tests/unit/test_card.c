/* Cards drawn once and put into many mails: marks at every place, the cache, threads. */
#include "render_fixture.h"

#include <pthread.h>

static const char open_html[] =
    "<mark class=\"k\" style=\"font-weight:bold;color:inherit;background-color:inherit\">";
static const char close_html[] = "</mark>";

/* A digest of one paper with one mark. */
static void
draw_marked(struct fixture *f, struct paper *p, const struct paper_mark *mark)
{
	struct pick_view pick = { .paper = p, .why = "", .marks = mark, .nmarks = mark != NULL };
	struct section_view section = { .name = "S", .query = "", .picks = &pick, .npicks = 1 };
	struct edition_view view = new_view(f, 0, 0);

	view.sections = &section;
	view.nsections = 1;
	view.nshown = 1;
	draw(f, &view);
}

/* text with what stands around a range, escaped for HTML. */
static void
add_around(struct strbuf *out, const char *text, size_t start, size_t end)
{
	escape_add_html(out, text, start);
	strbuf_add(out, open_html);
	escape_add_html(out, text + start, end - start);
	strbuf_add(out, close_html);
	escape_add_html(out, text + end, strlen(text) - end);
}

/* Every pair of places in texts that are hard to encode: what is read is the plain text with the mark put in. */
static void
test_marks_everywhere(void **state)
{
	static const char *const texts[] = {
		"Tea & cake <b> 'x' \"y\" = é 一 👩 .NET From here.",
		"a=b=c=d=e=f=g=h=i=j=k=l=m=n=o=p=q=r=s=t=u=v=w=x=y=z and more of it.",
		"éééééééééééééééééééééééééééééééééééééééé一一一一一一一一一一一一一一一一一一一一一"
		"一.",
		". . . . From From .From . . . . . . . . . . . . . . . . . . . . . . . . . . . . . "
		". .x",
		"&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&&<<<<<<<<<<<<<<<<<<<<<<<<>>>>>>>>>>>>>>>>>>",
		"Scenes-are-rendered-from-a-few-photographs-and-a-network-with-three-layers-learns-"
		"what-is-"
		"missing-in-them",
		"Scenes are rendered from a few photographs, and a network with 3 layers learns "
		"what is "
		"missing in all of them, or so it seems",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct paper *p = new_paper(f, 1);
		const char *text = texts[i], *plain;
		struct strbuf escaped, want;
		size_t len = strlen(text);

		p->summary = text;
		draw_marked(f, p, NULL);
		plain = arena_strdup(&f->papers, f->out.html.buf);
		strbuf_init(&escaped, 1 << 16);
		strbuf_init(&want, 1 << 20);
		escape_add_html(&escaped, text, len);
		for (size_t start = 0; start < len; start++)
			for (size_t end = start + 1; end <= len; end += end < start + 3 ? 1 : 7) {
				const struct paper_mark mark = { PAPER_SUMMARY, (uint32_t)start,
					(uint32_t)end };
				const char *at = strstr(plain, escaped.buf);

				if ((text[start] & 0xc0) == 0x80 || (text[end] & 0xc0) == 0x80)
					continue;
				assert_non_null(at);
				strbuf_reset(&want);
				strbuf_addn(&want, plain, (size_t)(at - plain));
				add_around(&want, text, start, end);
				strbuf_add(&want, at + escaped.len);
				draw_marked(f, p, &mark);
				if (strcmp(f->out.html.buf, want.buf) != 0)
					fail_msg("row %zu, %zu to %zu: %s", i, start, end,
					    f->out.html.buf);
			}
		strbuf_release(&escaped);
		strbuf_release(&want);
	}
}

/* Marks in the text part change where lines end, but not what they say. */
static void
test_marked_text_is_filled(void **state)
{
	struct fixture *f = *state;
	struct paper *p = new_paper(f, 1);
	size_t len;

	p->abstract = "Scenes are rendered from a few photographs, and a network with 3 layers "
		      "learns what is missing in all of them, 一个网络学习 or so it seems to the "
		      "authors, who ask https://papers.example.org/a/page/that/is/long for more";
	len = strlen(p->abstract);
	for (size_t start = 0; start < len; start++) {
		size_t end = start + 9 < len ? start + 9 : len, words;
		const struct paper_mark mark = { PAPER_ABSTRACT, (uint32_t)start, (uint32_t)end };
		char *want;

		if ((p->abstract[start] & 0xc0) == 0x80 || (p->abstract[end] & 0xc0) == 0x80)
			continue;
		draw_marked(f, p, &mark);
		check_text(f->out.text.buf);
		want = arena_printf(&f->papers, "%.*s*%.*s*%s", (int)start, p->abstract,
		    (int)(end - start), p->abstract + start, p->abstract + end);
		assert_non_null(want);
		assert_has(squeeze(&f->papers, f->out.text.buf), squeeze(&f->papers, want));
		words = count(f->out.text.buf, "\n     ");
		assert_true(words > 4);
	}
}

/* The picks of the sample as papers of a store. */
static void
set_ids(const struct edition_view *view)
{
	int64_t id = 1;

	for (size_t i = 0; i < view->nsections; i++) {
		const struct section_view *s = &view->sections[i];

		for (size_t k = 0; k < s->npicks; k++)
			((struct pick_view *)(uintptr_t)&s->picks[k])->id = id++;
		for (size_t k = 0; k < s->ncut; k++)
			((struct pick_view *)(uintptr_t)&s->cut[k])->id = id++;
	}
}

static void
test_kept_cards_are_the_same(void **state)
{
	struct fixture *f = *state;
	struct edition_view view = sample_view(f);
	char *html, *text;

	draw(f, &view);
	html = arena_strdup(&f->papers, f->out.html.buf);
	text = arena_strdup(&f->papers, f->out.text.buf);
	set_ids(&view);
	for (int round = 0; round < 3; round++) {
		draw(f, &view);
		assert_string_equal(f->out.html.buf, html);
		assert_string_equal(f->out.text.buf, text);
		render_trim(f->render);
	}
	/* Another language and another revision have cards of their own. */
	f->reader.language = "de";
	draw(f, &view);
	assert_has(f->out.html.buf, "112 Stimmen");
	f->reader.language = "en";
	((struct pick_view *)(uintptr_t)&view.sections[0].picks[0])->revision = 2;
	((struct paper *)(uintptr_t)view.sections[0].picks[0].paper)->votes = 113;
	draw(f, &view);
	assert_has(f->out.html.buf, ">113 votes");
}

static void
test_no_room(void **state)
{
	static const char page[4000];
	const struct card card = { .bytes = page, .len = sizeof(page), .first = "" };
	const struct card *kept[64];
	struct cards *cards;
	size_t n = 0;

	(void)state;
	assert_int_equal(cards_new(128 * 1024, &cards, NULL), 0);
	for (int round = 0; round < 2; round++) {
		for (n = 0; n < 64; n++) {
			const struct card_key key = { .paper = (int64_t)n + 1 };

			kept[n] = cards_add(cards, &key, &card);
			if (kept[n] == NULL)
				break;
			assert_ptr_equal(cards_add(cards, &key, &card), kept[n]);
		}
		assert_in_range(n, 10, 32);
		for (size_t i = 0; i < n; i++)
			assert_ptr_equal(
			    cards_find(cards, &(struct card_key){ .paper = (int64_t)i + 1 }),
			    kept[i]);
		assert_null(cards_find(cards, &(struct card_key){ .paper = (int64_t)n + 1 }));
		assert_null(cards_find(cards, &(struct card_key){ .paper = 1, .revision = 1 }));
		cards_trim(cards);
		assert_null(cards_find(cards, &(struct card_key){ .paper = 1 }));
	}
	cards_free(cards);
}

enum { THREADS = 4, ROUNDS = 20 };

struct drawer {
	pthread_t thread;
	struct render *render;
	const struct edition_view *view;
	const char *html, *text;
	size_t nwrong;
};

static void *
draw_many(void *arg)
{
	struct drawer *d = arg;
	struct rendered out;
	struct arena scratch;

	arena_init(&scratch, SCRATCH);
	rendered_init(&out);
	for (int i = 0; i < ROUNDS; i++) {
		arena_reset(&scratch);
		if (render_edition(d->render, d->view, &scratch, &out, NULL) == -1 ||
		    strcmp(out.html.buf, d->html) != 0 || strcmp(out.text.buf, d->text) != 0)
			d->nwrong++;
	}
	rendered_release(&out);
	arena_release(&scratch);
	return NULL;
}

static void
test_threads(void **state)
{
	struct fixture *f = *state;
	struct edition_view view = sample_view(f);
	struct drawer drawers[THREADS];

	set_ids(&view);
	assert_int_equal(render_edition(f->render, &view, &f->scratch, &f->out, &f->err), 0);
	render_free(f->render); /* the threads begin without a card */
	assert_int_equal(render_new(NULL, &f->render, &f->err), 0);
	for (size_t i = 0; i < THREADS; i++) {
		drawers[i] = (struct drawer){ .render = f->render,
			.view = &view,
			.html = f->out.html.buf,
			.text = f->out.text.buf };
		assert_int_equal(
		    pthread_create(&drawers[i].thread, NULL, draw_many, &drawers[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(drawers[i].thread, NULL);
		assert_int_equal(drawers[i].nwrong, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_marks_everywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_marked_text_is_filled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kept_cards_are_the_same, setup, teardown),
		cmocka_unit_test(test_no_room),
		cmocka_unit_test_setup_teardown(test_threads, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
