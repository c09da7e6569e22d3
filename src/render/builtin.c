#include "render/parts.h"

/*
 * The files of templates/ stand in the program as they are: C17 has no way to include bytes, and a generated array
 * would be a build step more. Paths are relative to the project's root, where make runs the compiler.
 */
#define EMBED(symbol, file)                                             \
	__asm__(".section .rodata,\"a\"\n"                              \
		"builtin_" #symbol ":\n"                                \
		".incbin \"templates/" file "\"\n"                      \
		"builtin_" #symbol "_end:\n"                            \
		".byte 0\n"                                             \
		".globl builtin_" #symbol ", builtin_" #symbol "_end\n" \
		".hidden builtin_" #symbol "\n"                         \
		".hidden builtin_" #symbol "_end\n"                     \
		".previous\n");                                         \
	extern const char builtin_##symbol[], builtin_##symbol##_end[]

EMBED(card_html, "card.html");
EMBED(card_txt, "card.txt");
EMBED(card_lang_html, "card-lang.html");
EMBED(card_line_html, "card-line.html");
EMBED(card_line_txt, "card-line.txt");
EMBED(card_mark_html, "card-mark.html");
EMBED(card_mark_txt, "card-mark.txt");
EMBED(digest_html, "digest.html");
EMBED(digest_txt, "digest.txt");
EMBED(footer_html, "footer.html");
EMBED(footer_txt, "footer.txt");
EMBED(header_html, "header.html");
EMBED(header_txt, "header.txt");
EMBED(strip_html, "strip.html");
EMBED(strip_txt, "strip.txt");
EMBED(style_html, "style.html");
EMBED(subject_txt, "subject.txt");
EMBED(de_strings, "de.strings");
EMBED(en_strings, "en.strings");

static const struct {
	const char *name, *text, *end, *help;
} files[] = {
	{ "card-lang.html", builtin_card_lang_html, builtin_card_lang_html_end,
	    "language and direction of a paper, as attributes" },
	{ "card-line.html", builtin_card_line_html, builtin_card_line_html_end,
	    "a paper as one linked title" },
	{ "card-line.txt", builtin_card_line_txt, builtin_card_line_txt_end,
	    "a paper as title and link, plain text" },
	{ "card-mark.html", builtin_card_mark_html, builtin_card_mark_html_end,
	    "a word that was found in a paper" },
	{ "card-mark.txt", builtin_card_mark_txt, builtin_card_mark_txt_end,
	    "the same, plain text" },
	{ "card.html", builtin_card_html, builtin_card_html_end, "a paper" },
	{ "card.txt", builtin_card_txt, builtin_card_txt_end, "a paper, plain text" },
	{ "de.strings", builtin_de_strings, builtin_de_strings_end, "the fixed words, German" },
	{ "digest.html", builtin_digest_html, builtin_digest_html_end, "the whole mail" },
	{ "digest.txt", builtin_digest_txt, builtin_digest_txt_end, "the whole mail, plain text" },
	{ "en.strings", builtin_en_strings, builtin_en_strings_end, "the fixed words, English" },
	{ "footer.html", builtin_footer_html, builtin_footer_html_end,
	    "counts, reason, links to manage and unsubscribe" },
	{ "footer.txt", builtin_footer_txt, builtin_footer_txt_end, "the same, plain text" },
	{ "header.html", builtin_header_html, builtin_header_html_end, "name, date, links, note" },
	{ "header.txt", builtin_header_txt, builtin_header_txt_end, "the same, plain text" },
	{ "strip.html", builtin_strip_html, builtin_strip_html_end,
	    "why a paper is there, below its card" },
	{ "strip.txt", builtin_strip_txt, builtin_strip_txt_end, "the same, plain text" },
	{ "style.html", builtin_style_html, builtin_style_html_end,
	    "the style sheet: dark colours, small screens" },
	{ "subject.txt", builtin_subject_txt, builtin_subject_txt_end, "the subject" },
};

size_t
builtin_count(void)
{
	return sizeof(files) / sizeof(files[0]);
}

void
builtin_get(size_t i, struct render_template *out)
{
	*out = (struct render_template){ .name = files[i].name,
		.text = files[i].text,
		.len = (size_t)(files[i].end - files[i].text),
		.builtin = files[i].text,
		.builtin_len = (size_t)(files[i].end - files[i].text),
		.help = files[i].help };
}
