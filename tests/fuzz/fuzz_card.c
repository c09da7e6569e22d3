/* A card with marks is the card without them, once the marks are taken out. The first bytes are the marks, the rest a text. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "digest/limits.h"
#include "digest/qp.h"
#include "digest/render.h"
#include "digest/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MARKS = 6 };

/* The HTML of a digest of one paper as it is read; every line fits a mail. */
static void
draw(struct render *r, const struct pick_view *pick, struct strbuf *out)
{
	static const struct subscriber ada = { .address = "a@b.org", .name = "", .language = "en" };
	const struct section_view s = { .name = "S", .query = "", .picks = pick, .npicks = 1 };
	const struct edition_view view = { .list = { "L", "l.b.org", "l@b.org", "", "", false },
		.subscriber = &ada,
		.nshown = 1,
		.note = "",
		.change = "",
		.change_where = "",
		.sections = &s,
		.nsections = 1,
		.unsubscribe_url = "",
		.preferences_url = "",
		.archive_url = "" };
	struct rendered parts;
	struct arena scratch;

	arena_init(&scratch, 64u << 20);
	rendered_init(&parts);
	if (render_edition(r, &view, &scratch, &parts, NULL) == -1)
		abort();
	for (const char *at = parts.html.buf, *end; *at != '\0'; at = end + 2)
		if ((end = strstr(at, "\r\n")) == NULL || end - at > 76 || *at == '.')
			abort();
	qp_add_decoded(out, parts.html.buf, parts.html.len);
	rendered_release(&parts);
	arena_release(&scratch);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char open[] =
	    "<mark class=\"k\" style=\"font-weight:bold;color:inherit;background-color:inherit\">";
	struct paper_mark marks[MARKS];
	struct strbuf text, plain, marked, bare;
	struct render *r = NULL;
	struct arena a;
	struct pick_view pick = { .why = "", .marks = marks };

	if (size < 3 * MARKS || render_new(NULL, &r, NULL) == -1)
		return 0;
	arena_init(&a, 1 << 20);
	strbuf_init(&text, 4000);
	strbuf_init(&plain, 1 << 20);
	strbuf_init(&marked, 1 << 20);
	strbuf_init(&bare, 1 << 20);
	text_add_clean(&text, (const char *)data + 3 * MARKS, size - 3 * MARKS, 3000);
	for (size_t i = 0; i < MARKS; i++)
		marks[i] = (struct paper_mark){ data[3 * i] % 3, data[3 * i + 1],
			data[3 * i + 1] + data[3 * i + 2] };
	pick.paper = paper_new(&a);
	((struct paper *)(uintptr_t)pick.paper)->title = text.buf;
	((struct paper *)(uintptr_t)pick.paper)->abstract = text.buf;
	draw(r, &pick, &plain);
	pick.nmarks = MARKS;
	draw(r, &pick, &marked);
	for (const char *at = marked.buf; *at != '\0';)
		if (strncmp(at, open, sizeof(open) - 1) == 0)
			at += sizeof(open) - 1;
		else if (strncmp(at, "</mark>", 7) == 0)
			at += 7;
		else
			strbuf_addc(&bare, *at++);
	if (strcmp(bare.buf, plain.buf) != 0)
		abort();
	strbuf_release(&text);
	strbuf_release(&plain);
	strbuf_release(&marked);
	strbuf_release(&bare);
	arena_release(&a);
	render_free(r);
	return 0;
}
