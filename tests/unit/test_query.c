/* The filter language: what is read, how it is written back, and every way to get it wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "digest/limits.h"
#include "digest/query.h"
#include "digest/text.h"

#include "same_tree.h"

static const struct {
	const char *text, *canonical;
} good[] = {
	{ "*", "*" },
	{ "  * # all\n", "*" },
	{ "nerf", "nerf" },
	{ "NeRF", "NeRF" },
	{ "agent*", "agent*" },
	{ "=RAG", "=RAG" },
	{ "=\"Mamba Out\"", "=\"Mamba Out\"" },
	{ "\"gaussian splatting\"", "\"gaussian splatting\"" },
	{ "\"nerf\"", "nerf" },
	{ "\"gaussian  \n splatting \"", "\"gaussian splatting\"" },
	{ "\"gaussian splat*\"", "\"gaussian splat*\"" },
	{ "\"gaussian splat* \"", "\"gaussian splat*\"" },
	{ "\"A* search\"", "\"A* search\"" },
	{ "\"a* search\"", "\"a* search\"" },
	{ "\"RRT* plan*\"", "\"RRT* plan*\"" },
	{ "\"A* \"", "A*" },
	{ "\"D* Lite\"~3", "\"D* Lite\"~3" },
	{ "=\"A* search\"", "=\"A* search\"" },
	{ "title:\"Q* learning\"", "title:\"Q* learning\"" },
	{ "C*-algebra", "\"C*-algebra\"" },
	{ "\"$A^*$ search\" \"$A^{*}$ search\"", "\"$A^*$ search\" \"$A^{*}$ search\"" },
	{ "\"\u03c0* x\"", "\"\u03c0* x\"" },
	{ "\u201cgaussian splatting\u201d", "\"gaussian splatting\"" },
	{ "\u201cgaussian splatting\"", "\"gaussian splatting\"" },
	{ "\"sparse attention\"~8", "\"sparse attention\"~8" },
	{ "(\"sparse attention\"~8)", "\"sparse attention\"~8" },
	{ "pre-training", "pre-training" },
	{ "state-of-the-art", "state-of-the-art" },
	{ "a b", "a b" },
	{ "a AND b", "a b" },
	{ "a OR b", "a OR b" },
	{ "a OR b c", "a OR b c" },
	{ "a OR (b AND c)", "a OR b c" },
	{ "(a OR b) c", "(a OR b) c" },
	{ "((a)) (b c)", "a b c" },
	{ "(a OR b) OR c", "a OR b OR c" },
	{ "NOT a", "-a" },
	{ "-a", "-a" },
	{ "a -b", "a -b" },
	{ "a -\"b c\"", "a -\"b c\"" },
	{ "a -(b c)", "a -(b c)" },
	{ "a -(b OR c)", "a -(b OR c)" },
	{ "(-a b)", "-a b" },
	{ "NOT a b", "-a b" },
	{ "NOT (a b)", "-(a b)" },
	{ "NOT a OR b", "-a OR b" },
	{ "NOT NOT a", "NOT -a" },
	{ "NOT -a", "NOT -a" },
	{ "a-b", "a-b" },
	{ "title:x", "title:x" },
	{ "Title:x", "title:x" },
	{ "abstract:\"x y\"", "abstract:\"x y\"" },
	{ "author:\"y lecun\"", "author:\"y lecun\"" },
	{ "first-author:lecun last-author:he", "first-author:lecun last-author:he" },
	{ "author:(\"kaiming he\" OR \"saining xie\")",
	    "author:\"kaiming he\" OR author:\"saining xie\"" },
	{ "a author:(x OR y)", "a (author:x OR author:y)" },
	{ "title:(a -b)", "title:a -title:b" },
	{ "org:deepmind", "org:deepmind" },
	{ "cat:cs.CV", "cat:cs.CV" },
	{ "cat:cs", "cat:cs" },
	{ "cat:cs.*", "cat:cs" },
	{ "cat:(cs.CV OR cs.GR)", "cat:cs.CV OR cat:cs.GR" },
	{ "primary:cs.CL", "primary:cs.CL" },
	{ "keyword:x venue:neurips source:x", "keyword:x venue:neurips source:x" },
	{ "id:2312.00752", "id:2312.00752" },
	{ "id:https://arxiv.org/abs/2312.00752v2", "id:\"https://arxiv.org/abs/2312.00752v2\"" },
	{ "id:10.1000/xyz", "id:10.1000/xyz" },
	{ "id:biorxiv:2026.01.01.123", "id:\"biorxiv:2026.01.01.123\"" },
	{ "title:=RAG", "title:=RAG" },
	{ "title:agent*", "title:agent*" },
	{ "title:\"a b\"~3", "title:\"a b\"~3" },
	{ "-title:survey x", "-title:survey x" },
	{ "votes>=30", "votes>=30" },
	{ "votes >= 30", "votes>=30" },
	{ "upvotes>30", "votes>30" },
	{ "Votes<3", "votes<3" },
	{ "comments>5 stars>=100 authors<=3 rank<=5", "comments>5 stars>=100 authors<=3 rank<=5" },
	{ "votes=0", "votes=0" },
	{ "age<7d", "age<7d" },
	{ "age<1w", "age<7d" },
	{ "age<36h", "age<36h" },
	{ "published>=2026-01-01", "published>=2026-01-01" },
	{ "published < 2026-01-01", "published<2026-01-01" },
	{ "(votes>=3)", "votes>=3" },
	{ "votes", "\"votes\"" },
	{ "\"votes\" =RAG", "\"votes\" =RAG" },
	{ "has:code has:project has:media has:doi", "has:code has:project has:media has:doi" },
	{ "is:new is:cross is:replaced is:withdrawn is:sent",
	    "is:new is:cross is:replaced is:withdrawn is:sent" },
	{ "-is:cross", "-is:cross" },
	{ "@efficient", "@efficient" },
	{ "@\"radiance fields\" -x", "@\"radiance fields\" -x" },
	{ "a # one\nOR b # two", "a OR b" },
	{ "C# C++ .NET", "C# C++ \".NET\"" },
	{ "\"and\"", "\"and\"" },
	{ "and", "\"and\"" },
	{ "a or", "a \"or\"" },
	{ "\"a:b\"", "\"a:b\"" },
	{ "R&D", "\"R&D\"" },
	{ "\"!g\" \"'a\" \"a|b\" \"a~b\"", "\"!g\" \"'a\" \"a|b\" \"a~b\"" },
	{ "\u62e1\u6563\u30e2\u30c7\u30eb", "\u62e1\u6563\u30e2\u30c7\u30eb" },
	{ "a\u00a0b\u3000c", "a b c" },
	{ "caf\u00e9", "caf\u00e9" },
	{ "don't", "don't" },
	{ "0.5", "0.5" },
	{ "a\"b c\"", "a \"b c\"" },
	{ "a(b OR c)d", "a (b OR c) d" },
};

static struct query *
parse(struct arena *a, const char *text, size_t len, size_t *offset, struct error *err)
{
	struct query *q = NULL;

	err_clear(err);
	*offset = 0;
	return query_parse(text, len, a, &q, offset, err) == 0 ? q : NULL;
}

static void
test_canonical_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct arena a;
		struct strbuf out;
		struct error err;
		struct query *q, *again;
		size_t offset;

		arena_init(&a, 1 << 20);
		strbuf_init(&out, 1 << 16);
		q = parse(&a, good[i].text, strlen(good[i].text), &offset, &err);
		if (q == NULL)
			fail_msg("row %zu: '%s': %s", i, good[i].text, err.msg);
		query_add_text(&out, q);
		if (strcmp(out.buf, good[i].canonical) != 0)
			fail_msg("row %zu: '%s' is written '%s'", i, good[i].text, out.buf);
		again = parse(&a, out.buf, out.len, &offset, &err);
		if (again == NULL || !same_tree(q, again))
			fail_msg(
			    "row %zu: '%s' is another tree than '%s'", i, out.buf, good[i].text);
		strbuf_release(&out);
		arena_release(&a);
	}
}

static const struct {
	const char *text;
	size_t offset;
	const char *message;
} bad[] = {
	{ "", 0, "the query is empty; '*' means every paper" },
	{ "  # nothing", 11, "the query is empty; '*' means every paper" },
	{ "a titel:x", 2, "'titel:' is not a field; did you mean 'title:'?" },
	{ "autor:x", 0, "'autor:' is not a field; did you mean 'author:'?" },
	{ "url:https", 0,
	    "'url:' is not a field (title, abstract, author, first-author, last-author, org, cat, "
	    "primary, keyword, venue, source, id, has, is); put text that holds ':' in quotes" },
	{ "std::vector", 0,
	    "'std:' is not a field (title, abstract, author, first-author, last-author, org, cat, "
	    "primary, keyword, venue, source, id, has, is); put text that holds ':' in quotes" },
	{ "a and b", 2, "'and' between terms: write AND in capitals, or \"and\" for the word" },
	{ "a Or b", 2, "'Or' between terms: write OR in capitals, or \"Or\" for the word" },
	{ "a not b", 2, "'not' between terms: write NOT in capitals, or \"not\" for the word" },
	{ "not b", 0, "'not' between terms: write NOT in capitals, or \"not\" for the word" },
	{ "x (a and b)", 5, "'and' between terms: write AND in capitals, or \"and\" for the word" },
	{ "vots>=30", 0, "'vots' is not a condition; did you mean 'votes'?" },
	{ "citations>=30", 0,
	    "'citations' is not a condition (votes, comments, stars, authors, rank, age, "
	    "published); put text that holds '>=' in quotes" },
	{ "citations >= 30", 10,
	    "'>' wants the name of a condition before it: votes, comments, stars, authors, rank, "
	    "age or published" },
	{ "a \"b c", 2, "this quote is not closed; expected another '\"' behind the phrase" },
	{ "a \"b c\" \"d", 8, "this quote is not closed; expected another '\"' behind the phrase" },
	{ "a (b OR (c)", 2, "this bracket is not closed; expected a ')'" },
	{ "(", 0, "this bracket is not closed; expected a ')'" },
	{ "author:(a", 7, "this bracket is not closed; expected a ')'" },
	{ "a) b", 1, "')' without a '(' before it; delete it" },
	{ ")", 0, "')' without a '(' before it; delete it" },
	{ "a ()", 2, "the brackets are empty; expected words between them" },
	{ "a OR", 2, "'OR' has nothing on its right; expected a word, phrase or condition" },
	{ "a OR OR b", 2, "'OR' has nothing on its right; expected a word, phrase or condition" },
	{ "OR a", 0, "'OR' has nothing on its left; expected a word, phrase or condition" },
	{ "(a AND) b", 3, "'AND' has nothing on its right; expected a word, phrase or condition" },
	{ "AND", 0, "'AND' has nothing on its left; expected a word, phrase or condition" },
	{ "a NOT", 2,
	    "'NOT' has nothing behind it to negate; expected a word, phrase or condition" },
	{ "a NOT OR b", 2,
	    "'NOT' has nothing behind it to negate; expected a word, phrase or condition" },
	{ "a \"\"", 2, "the phrase is empty; expected words between the quotes" },
	{ "\"  \"", 0, "the phrase is empty; expected words between the quotes" },
	{ "a \"--\"", 2, "'--' holds no letter or digit to look for" },
	{ "a - b", 2, "a lone '-'; write it directly before what is not wanted, as in -survey" },
	{ "a --b", 2, "a lone '-'; write it directly before what is not wanted, as in -survey" },
	{ "-", 0, "a lone '-'; write it directly before what is not wanted, as in -survey" },
	{ "(a)-b", 3, "a '-' that negates wants a blank before it" },
	{ "\"a b\"-c", 5, "a '-' that negates wants a blank before it" },
	{ "a * b", 2, "'*' means every paper and stands alone; leave it out" },
	{ "* -a", 0, "'*' means every paper and stands alone; leave it out" },
	{ "(*)", 1, "'*' means every paper and stands alone; leave it out" },
	{ "ab*c", 2, "'*' may stand only at the end of a word or phrase, as in agent*" },
	{ "*a", 0, "'*' may stand only at the end of a word or phrase, as in agent*" },
	{ "\"agent* b\"", 6, "'*' may stand only at the end of a word or phrase, as in agent*" },
	{ "\"A* agent* b\"", 9, "'*' may stand only at the end of a word or phrase, as in agent*" },
	{ "\"a * b\"", 3, "'*' may stand only at the end of a word or phrase, as in agent*" },
	{ "\"* b\"", 1, "'*' may stand only at the end of a word or phrase, as in agent*" },
	{ "\"5* b\"", 2, "'*' may stand only at the end of a word or phrase, as in agent*" },
	{ "\"b *\"", 0, "'*' wants a letter or digit directly before it, not 'b '" },
	{ "\"search A*\"~3", 11, "'~' takes plain words only, without '*'" },
	{ "cat:C*x", 4, "'C*x' is no category: '*' may stand only at its end" },
	{ "pre-*", 0, "'*' wants a letter or digit directly before it, not 'pre-'" },
	{ "=RA*", 3, "'=' and '*' do not go together" },
	{ "a =", 2, "'=' wants the word directly behind it, as in =RAG" },
	{ "votes>=x", 7, "'votes' wants a whole number, as in votes>=30; found 'x'" },
	{ "votes>=", 7, "'votes' wants a whole number, as in votes>=30; found ''" },
	{ "votes>=-3", 7, "'votes' wants a whole number, as in votes>=30; found '-3'" },
	{ "votes>=1k", 7, "'votes' wants a whole number, as in votes>=30; found '1k'" },
	{ "votes==3", 6, "'votes' wants a whole number, as in votes=30; found '=3'" },
	{ "votes>=99999999999999999999", 7,
	    "'votes' wants a whole number, as in votes>=30; found '99999999999999999999'" },
	{ "age<7x", 4, "'age' wants a number and a unit h, d or w, as in age<7d; found '7x'" },
	{ "age<7", 4, "'age' wants a number and a unit h, d or w, as in age<7d; found '7'" },
	{ "published>=2026-13-01", 11,
	    "'published' wants a day of the calendar, as in published>=2026-01-31; found "
	    "'2026-13-01'" },
	{ "published>=2026", 11,
	    "'published' wants a day of the calendar, as in published>=2026-01-31; found '2026'" },
	{ "has:cod", 0, "'has:cod' is not known; did you mean 'has:code'?" },
	{ "is:happy", 0,
	    "'is:happy' is not known; expected is:new, is:cross, is:replaced, is:withdrawn or "
	    "is:sent" },
	{ "has:", 0, "'has:' is not known; expected has:code, has:project, has:media or has:doi" },
	{ "title:", 0,
	    "'title:' wants a word, a phrase or a group in brackets directly behind it" },
	{ "title: x", 0,
	    "'title:' wants a word, a phrase or a group in brackets directly behind it" },
	{ "(title:)", 1,
	    "'title:' wants a word, a phrase or a group in brackets directly behind it" },
	{ "title:-x", 6, "write the '-' before the field: -title:..." },
	{ "title:@x", 6, "'@' cannot stand behind 'title:'" },
	{ "title:(a org:b)", 9,
	    "'org:' cannot stand in the group of 'title:'; only words and phrases can" },
	{ "title:(a votes>3)", 9,
	    "'votes>3' cannot stand in the group of 'title:'; only words and phrases can" },
	{ "id:hello", 3,
	    "'hello' is no id; expected an arXiv id, a DOI or a key such as arxiv:2312.00752" },
	{ "id:2312*", 3, "'2312' is no id: leave out '*' and '='" },
	{ "cat:\"a b\"~3", 4, "'a b' with '~': this field holds no running text" },
	{ "author:\"a b\"~3", 7, "'a b' with '~': names are found in any order without it" },
	{ "\"a b\"~", 5, "'~' wants a number of words from 0 to 1000, as in \"a b\"~8" },
	{ "\"a b\"~1001", 5, "'~' wants a number of words from 0 to 1000, as in \"a b\"~8" },
	{ "\"a b\"~8x", 5, "'~' wants a number of words from 0 to 1000, as in \"a b\"~8" },
	{ "\"a\"~8", 0, "'a' is one word; '~' takes two or more" },
	{ "\"a b c d\"~1", 0,
	    "'~1' leaves no room: 2 words stand between the first and the last of 'a b c d'; write "
	    "at least ~2" },
	{ "=\"a b\"~3", 6, "'~' takes plain words only, without '='" },
	{ "a~8", 1, "'~' stands directly behind a phrase, as in \"sparse attention\"~8" },
	{ "a @", 2, "'@' wants the name of a filter, as in @efficient or @\"radiance fields\"" },
	{ "a || b", 2, "'|' is not known; write OR" },
	{ "a|b", 1, "'|' is not known; write OR" },
	{ "a & b", 2, "'&' is not known; write AND" },
	{ "a !b", 2, "'!' is not known; write NOT or '-'" },
	{ "'a b'", 0, "phrases stand in double quotes: \"...\"" },
	{ "a ; b", 2, "';' holds no letter or digit to look for" },
	{ "<3", 0,
	    "'<' wants the name of a condition before it: votes, comments, stars, authors, rank, "
	    "age or published" },
	{ "a \xff", 2, "the query is not UTF-8: byte 0xFF; save it as UTF-8" },
	{ "a \xed\xa0\x80", 2, "the query is not UTF-8: byte 0xED; save it as UTF-8" },
	{ "a\x01", 1, "the query holds the control character U+0001; delete it" },
	{ "a \u202e b", 2,
	    "the query holds the bidirectional control U+202E, which makes it read other than it "
	    "is; delete it" },
	{ "a\u200fb", 1,
	    "the query holds the bidirectional control U+200F, which makes it read other than it "
	    "is; delete it" },
	{ "\u2066a\u2069", 0,
	    "the query holds the bidirectional control U+2066, which makes it read other than it "
	    "is; delete it" },
	{ "\"a \u061c b\"", 3,
	    "the query holds the bidirectional control U+061C, which makes it read other than it "
	    "is; delete it" },
	{ "a \xc3", 2, "the query is not UTF-8: byte 0xC3; save it as UTF-8" },
	{ "a \xc0\xaf", 2, "the query is not UTF-8: byte 0xC0; save it as UTF-8" },
	{ "a \xf5\x80\x80\x80", 2, "the query is not UTF-8: byte 0xF5; save it as UTF-8" },
	{ "a\x7f", 1, "the query holds the control character U+007F; delete it" },
	{ "a\xc2\x85", 1, "the query holds the control character U+0085; delete it" },
	{ "NOT", 0, "'NOT' has nothing behind it to negate; expected a word, phrase or condition" },
	{ "OR", 0, "'OR' has nothing on its left; expected a word, phrase or condition" },
	{ "a AND", 2, "'AND' has nothing on its right; expected a word, phrase or condition" },
	{ "a AND OR b", 2, "'AND' has nothing on its right; expected a word, phrase or condition" },
	{ "(OR a)", 1, "'OR' has nothing on its left; expected a word, phrase or condition" },
	{ "-()", 1, "the brackets are empty; expected words between them" },
	{ "a -", 2, "a lone '-'; write it directly before what is not wanted, as in -survey" },
	{ "title:\"\"", 6, "the phrase is empty; expected words between the quotes" },
	{ "@\"\"", 1, "the phrase is empty; expected words between the quotes" },
	{ "=\"\"", 1, "the phrase is empty; expected words between the quotes" },
	{ "\u201c\u201d", 0, "the phrase is empty; expected words between the quotes" },
	{ "\"", 0, "this quote is not closed; expected another '\"' behind the phrase" },
	{ "\u201ca", 0, "this quote is not closed; expected another '\"' behind the phrase" },
	{ "title:\"a", 6, "this quote is not closed; expected another '\"' behind the phrase" },
	{ "a\nb AND\ntitel:x", 8, "'titel:' is not a field; did you mean 'title:'?" },
	{ "abstrakt:x", 0, "'abstrakt:' is not a field; did you mean 'abstract:'?" },
	{ "category:x", 0, "'category:' is not a field; did you mean 'cat:'?" },
	{ "tag:x", 0, "'tag:' is not a field; did you mean 'keyword:'?" },
	{ "doi:10.1000/xyz", 0, "'doi:' is not a field; did you mean 'id:'?" },
	{ "year:2026", 0, "'year:' is not a field; did you mean 'published>='?" },
	{ "AU:lecun", 0, "'AU:' is not a field; did you mean 'author:'?" },
	{ "math:x", 0,
	    "'math:' is not a field (title, abstract, author, first-author, last-author, org, cat, "
	    "primary, keyword, venue, source, id, has, is); put text that holds ':' in quotes" },
	{ "title:(a OR)", 9,
	    "'OR' has nothing on its right; expected a word, phrase or condition" },
	{ "published>=2026-02-30", 11,
	    "'published' wants a day of the calendar, as in published>=2026-01-31; found "
	    "'2026-02-30'" },
	{ "age<d", 4, "'age' wants a number and a unit h, d or w, as in age<7d; found 'd'" },
	{ "age<-3d", 4, "'age' wants a number and a unit h, d or w, as in age<7d; found '-3d'" },
	{ "Has:Cod", 0, "'Has:Cod' is not known; did you mean 'has:code'?" },
	{ "is:", 0,
	    "'is:' is not known; expected is:new, is:cross, is:replaced, is:withdrawn or is:sent" },
	{ "(a))", 3, "')' without a '(' before it; delete it" },
};

static void
test_errors(void **state)
{
	struct error err;
	struct arena a;
	size_t offset;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (parse(&a, bad[i].text, strlen(bad[i].text), &offset, &err) != NULL)
			fail_msg("row %zu: '%s' is no error", i, bad[i].text);
		if (err.kind != ERR_DATA || strcmp(err.msg, bad[i].message) != 0 ||
		    offset != bad[i].offset)
			fail_msg("row %zu: '%s': byte %zu, %s", i, bad[i].text, offset, err.msg);
	}
	arena_release(&a);
}

static void
test_nul_is_an_error(void **state)
{
	struct error err;
	struct arena a;
	size_t offset;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_null(parse(&a, "a\0b", 3, &offset, &err));
	assert_int_equal(offset, 1);
	assert_string_equal(err.msg, "the query holds a NUL byte; delete it");
	arena_release(&a);
}

/* n times text, NUL-terminated. */
static char *
repeat(const char *text, size_t n)
{
	size_t len = strlen(text);
	char *out = malloc(n * len + 1);

	assert_non_null(out);
	for (size_t i = 0; i < n; i++)
		memcpy(out + i * len, text, len);
	out[n * len] = '\0';
	return out;
}

static void
test_limits(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		const char *tail, *message;
	} rows[] = {
		{ "x", MAX_QUERY_BYTES, "", "" },
		{ "x", MAX_QUERY_BYTES + 1, "",
		    "the query has 16385 bytes; at most 16384 are allowed" },
		{ "(", MAX_QUERY_DEPTH + 1, "x",
		    "brackets and negations stand more than 64 deep inside each other" },
		{ "NOT ", MAX_QUERY_DEPTH, "x", "" },
		{ "NOT ", MAX_QUERY_DEPTH + 1, "x",
		    "brackets and negations stand more than 64 deep inside each other" },
		{ "a ", MAX_QUERY_BYTES / 2, "", "" },
		{ "(", MAX_QUERY_BYTES, "",
		    "brackets and negations stand more than 64 deep inside each other" },
	};
	struct error err;
	size_t offset;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *head = repeat(rows[i].text, rows[i].n);
		struct strbuf text;
		struct arena a;
		bool ok;

		arena_init(&a, 64 << 20);
		strbuf_init(&text, 1 << 20);
		strbuf_add(&text, head);
		strbuf_add(&text, rows[i].tail);
		ok = parse(&a, text.buf, text.len, &offset, &err) != NULL;
		if (ok != (rows[i].message[0] == '\0') ||
		    (!ok && strcmp(err.msg, rows[i].message) != 0))
			fail_msg("row %zu: %s", i, err.msg);
		strbuf_release(&text);
		arena_release(&a);
		free(head);
	}
}

static void
test_words(void **state)
{
	static const struct {
		const char *text;
		enum query_term_kind kind;
		const char *words, *joined;
	} rows[] = {
		{ "Models", TERM_WORD, "model", "" },
		{ "pre-training", TERM_PHRASE, "pre training", "pretraining" },
		{ "\"pre training\"", TERM_PHRASE, "pre training", "pretraining" },
		{ "\"pre-training data\"", TERM_PHRASE, "pre training data", "pretraining" },
		{ "pre-train*", TERM_PREFIX, "pre train", "pretrain" },
		{ "models*", TERM_PREFIX, "models", "" },
		{ "=LLMs", TERM_EXACT, "LLMs", "" },
		{ "=GPT-4", TERM_EXACT, "GPT 4", "" },
		{ "\"a b c\"", TERM_PHRASE, "a b c", "" },
		{ "\"a-b c\"~5", TERM_NEAR, "a b c", "" },
		{ "author:Jones", TERM_WORD, "jones", "" },
		{ "cat:CS.cv", TERM_WORD, "cs.cv", "" },
		{ "id:2312.00752v3", TERM_WORD, "arxiv:2312.00752", "" },
	};
	struct error err;
	size_t offset;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a;
		struct strbuf words;
		struct query *q;

		arena_init(&a, 1 << 20);
		strbuf_init(&words, 1 << 16);
		q = parse(&a, rows[i].text, strlen(rows[i].text), &offset, &err);
		assert_non_null(q);
		for (size_t w = 0; w < q->nwords; w++)
			strbuf_addf(&words, "%s%s", w > 0 ? " " : "", q->words[w].form);
		if (q->kind != rows[i].kind || strcmp(words.buf, rows[i].words) != 0 ||
		    strcmp(q->words[0].joined, rows[i].joined) != 0)
			fail_msg("row %zu: '%s' has '%s' or '%s'", i, rows[i].text, words.buf,
			    q->words[0].joined);
		strbuf_release(&words);
		arena_release(&a);
	}
}

/* Filters for expansion; those named "shared ..." or seen as the second of a name are shared. */
static const struct {
	const char *name, *text;
	bool shared;
} filters[] = {
	{ "efficient", "quantization OR pruning", false },
	{ "vision", "cat:cs.CV", false },
	{ "both", "@efficient @vision", false },
	{ "a", "x @b", false },
	{ "b", "y OR @c", false },
	{ "c", "@a", false },
	{ "self", "@self -survey", false },
	{ "self", "agents", true },
	{ "all", "*", false },
	{ "broken", "titel:x", false },
	{ "outer", "@inner", true },
	{ "inner", "personal", false },
	{ "inner", "common", true },
	{ "d0", "m m m m m m m m m m", false },
	{ "d1", "@d0 OR @d0 OR @d0 OR @d0 OR @d0 OR @d0 OR @d0 OR @d0 OR @d0 OR @d0", false },
	{ "d2", "@d1 z OR @d1 z OR @d1 z OR @d1 z OR @d1 z OR @d1 z OR @d1 z OR @d1 z", false },
	{ "d3", "@d2 z OR @d2 z OR @d2 z OR @d2 z OR @d2 z OR @d2 z OR @d2 z OR @d2 z", false },
	{ "d4", "@d3 z OR @d3 z OR @d3 z OR @d3 z OR @d3 z OR @d3 z OR @d3 z OR @d3 z", false },
};

static const char *
look_up(void *arg, const char *name, bool *shared)
{
	(void)arg;
	for (size_t i = 0; i < sizeof(filters) / sizeof(filters[0]); i++) {
		if (strcmp(filters[i].name, name) == 0 && (filters[i].shared || !*shared)) {
			*shared = filters[i].shared;
			return filters[i].text;
		}
	}
	return NULL;
}

static const struct {
	const char *text, *self, *canonical, *message;
	size_t offset;
} expansions[] = {
	{ "x", "", "x", NULL, 0 },
	{ "@efficient", "", "quantization OR pruning", NULL, 0 },
	{ "a @efficient", "", "a (quantization OR pruning)", NULL, 0 },
	{ "a OR @efficient", "", "a OR quantization OR pruning", NULL, 0 },
	{ "-@efficient", "", "-(quantization OR pruning)", NULL, 0 },
	{ "@both x", "", "(quantization OR pruning) cat:cs.CV x", NULL, 0 },
	{ "@all x", "", "x", NULL, 0 },
	{ "@all @all", "", "*", NULL, 0 },
	{ "x OR @all", "", "*", NULL, 0 },
	{ "x -@all", "", NULL, "nothing is left when every paper is taken away", 0 },
	{ "@self -survey", "self", "agents -survey", NULL, 0 },
	{ "@self", "", "agents -survey", NULL, 0 },
	{ "@outer", "", "common", NULL, 0 },
	{ "z @a", "", NULL, "the filter needs itself: @a -> @b -> @c -> @a", 2 },
	{ "z @b", "a", NULL, "the filter needs itself: @a -> @b -> @c -> @a", 2 },
	{ "@vision", "vision", NULL,
	    "there is no shared filter 'vision', and a filter cannot need itself", 0 },
	{ "x @nobody", "", NULL, "there is no filter called 'nobody'", 2 },
	{ "x @broken", "", NULL, "@broken: 'titel:' is not a field", 2 },
	{ "q @d4", "", NULL, "the query has more than 10000 terms with its @names", 2 },
};

static void
test_expansion(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(expansions) / sizeof(expansions[0]); i++) {
		struct arena a;
		struct strbuf out;
		struct error err;
		struct query *q, *full = NULL;
		size_t offset;
		int rc;

		arena_init(&a, 64 << 20);
		strbuf_init(&out, 1 << 20);
		q = parse(&a, expansions[i].text, strlen(expansions[i].text), &offset, &err);
		assert_non_null(q);
		rc = query_expand(q, expansions[i].self, look_up, NULL, &a, &full, &offset, &err);
		if (rc == 0)
			query_add_text(&out, full);
		if (rc == 0 ? expansions[i].canonical == NULL ||
			    strcmp(out.buf, expansions[i].canonical) != 0
			    : expansions[i].message == NULL ||
			    strstr(err.msg, expansions[i].message) == NULL ||
			    (expansions[i].offset != 0 && offset != expansions[i].offset))
			fail_msg("row %zu: '%s' -> '%s', byte %zu, %s", i, expansions[i].text,
			    out.buf, offset, err.msg);
		strbuf_release(&out);
		arena_release(&a);
	}
}

/* Filters f0, f1, f2 ..., each of which names the next. */
static const char *
look_up_next(void *arg, const char *name, bool *shared)
{
	unsigned n = (unsigned)strtoul(name + 1, NULL, 10);
	struct arena *a = arg;

	(void)shared;
	return n == 1000 ? "x" : arena_printf(a, "@f%u", n + 1);
}

static void
test_chains_are_bounded(void **state)
{
	struct query *q, *full = NULL;
	size_t offset = 99;
	struct error err;
	struct arena a;

	(void)state;
	arena_init(&a, 1 << 20);
	assert_non_null(q = parse(&a, "a @f939", 7, &offset, &err));
	assert_int_equal(query_expand(q, "", look_up_next, &a, &a, &full, &offset, &err), 0);
	assert_non_null(q = parse(&a, "a @f900", 7, &offset, &err));
	assert_int_equal(query_expand(q, "", look_up_next, &a, &a, &full, &offset, &err), -1);
	assert_string_equal(err.msg, "@f963: filters name each other more than 64 deep");
	assert_int_equal(offset, 2);
	arena_release(&a);
}

static void
test_what_is_read(void **state)
{
	static const struct {
		const char *text;
		bool signals, versions;
	} rows[] = {
		{ "a (b OR -votes>3)", true, false },
		{ "comments>1", true, false },
		{ "stars>1", true, false },
		{ "rank<3", true, false },
		{ "authors<3 age<3d published>2026-01-01 has:code is:new", false, false },
		{ "a -is:replaced", false, true },
		{ "is:withdrawn votes>1", true, true },
		{ "*", false, false },
	};
	struct error err;
	struct arena a;
	size_t offset;

	(void)state;
	arena_init(&a, 1 << 20);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct query *q = parse(&a, rows[i].text, strlen(rows[i].text), &offset, &err);

		assert_non_null(q);
		if (query_reads_signals(q) != rows[i].signals ||
		    query_reads_versions(q) != rows[i].versions)
			fail_msg("row %zu: '%s'", i, rows[i].text);
	}
	arena_release(&a);
}

static void
test_caret(void **state)
{
	static const struct {
		const char *text;
		size_t offset;
		const char *shown;
	} rows[] = {
		{ "a titel:x", 2, "a titel:x\n  ^\n" },
		{ "one\ntwo )\nthree", 8, "two )\n    ^\n" },
		{ "a", 1, "a\n ^\n" },
		{ "", 0, "\n^\n" },
		{ "a", 99, "a\n ^\n" },
		{ "\u62e1\u6563 )", 7, "\u62e1\u6563 )\n     ^\n" },
		{ "a\tb )", 4, "a b )\n    ^\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct strbuf out;

		strbuf_init(&out, 1000);
		text_add_caret(&out, rows[i].text, rows[i].offset);
		if (strcmp(out.buf, rows[i].shown) != 0)
			fail_msg("row %zu: got '%s'", i, out.buf);
		strbuf_release(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_canonical_text),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_nul_is_an_error),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_expansion),
		cmocka_unit_test(test_chains_are_bounded),
		cmocka_unit_test(test_what_is_read),
		cmocka_unit_test(test_caret),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
