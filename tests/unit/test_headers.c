/* Hostile titles, display names and list names, read back by libetpan; mail_lint.py is the second reader, of whole runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "digest/limits.h"
#include "digest/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libetpan/libetpan.h>

/* want: as a reader sees it; NULL = the same */
static const struct {
	const char *text, *want;
} cases[] = {
	{ "Papers", NULL },
	{ "\"Evil\" <a@b>, eve@example.net", NULL },
	{ "Miller, Ada (the second)", NULL },
	{ "a backslash at the end \\", NULL },
	{ "a (comment that never ends", NULL },
	{ "=?UTF-8?Q?looks_like_one?= but is text", NULL },
	{ "Zoë – 一种用于大规模三维重建的高斯泼溅方法与一种用于大规模三维重建的高斯泼溅方法",
	    NULL },
	{ "👩‍👩‍👧‍👦 of a family, 𝒪(n²)", NULL },
	{ "=?= ?= =?UTF-8?B?\?=", NULL },
	{ "%s%n {{subscriber.address}} `id`", NULL },
	{ "a word of more than one line: "
	  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	  "xxxxxxxxxx",
	    NULL },
	{ "line\r\nBcc: eve@example.net", "line Bcc: eve@example.net" },
	{ "line\n\nbody", "line body" },
	{ "bell\x07 and escape\x1b[31m", "bell and escape [31m" },
	{ "separators\xe2\x80\xa8of lines\xe2\x80\xa9here\xc2\x85now",
	    "separators of lines here now" },
};

static const struct address me = { "Papers", "me@example.org", "me@example.org", "example.org",
	false };

/* One header value, decoded; the caller frees it. */
static char *
decode(const char *value)
{
	char *out = NULL;
	size_t at = 0;

	if (mailmime_encoded_phrase_parse("UTF-8", value, strlen(value), &at, "UTF-8", &out) !=
	    MAILIMF_NO_ERROR)
		fail_msg("libetpan cannot decode '%s'", value);
	return out;
}

static void
expect(size_t row, const char *what, const char *value, const char *want)
{
	char *got = decode(value);

	if (strcmp(got, want) != 0)
		fail_msg("row %zu: %s reads '%s', not '%s'", row, what, got, want);
	free(got);
}

static void
check_fields(size_t row, struct mailimf_fields *fields, const char *want)
{
	struct mailimf_single_fields one;
	struct mailimf_mailbox *from;
	const char *list_id = NULL;

	/* 12 as in test_message.c, and Reply-To: what a value brought along would be one more. */
	if (clist_count(fields->fld_list) != 13)
		fail_msg("row %zu: %d headers", row, clist_count(fields->fld_list));
	mailimf_single_fields_init(&one, fields);
	expect(row, "Subject", one.fld_subject->sbj_value, want);
	assert_int_equal(clist_count(one.fld_from->frm_mb_list->mb_list), 1);
	from = clist_content(clist_begin(one.fld_from->frm_mb_list->mb_list));
	expect(row, "From", from->mb_display_name, want);
	assert_string_equal(from->mb_addr_spec, "me@example.org");
	assert_int_equal(clist_count(one.fld_to->to_addr_list->ad_list), 1);
	assert_int_equal(clist_count(one.fld_reply_to->rt_addr_list->ad_list), 1);
	for (clistiter *it = clist_begin(fields->fld_list); it != NULL; it = clist_next(it)) {
		const struct mailimf_field *f = clist_content(it);

		if (f->fld_type == MAILIMF_FIELD_OPTIONAL_FIELD &&
		    strcmp(f->fld_data.fld_optional_field->fld_name, "List-Id") == 0)
			list_id = f->fld_data.fld_optional_field->fld_value;
	}
	assert_non_null(list_id);
	assert_non_null(strstr(list_id, "<papers.example.org>"));
}

static void
test_values(void **state)
{
	struct strbuf out;
	struct error err;

	(void)state;
	strbuf_init(&out, MAX_MESSAGE_BYTES);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *want = cases[i].want != NULL ? cases[i].want : cases[i].text;
		struct address named = me;
		struct message m = {
			.from = &named,
			.to = &named,
			.reply_to = &named,
			.subject = cases[i].text,
			.date_utc = 1787294700,
			.list_id = "papers.example.org",
			.list_name = cases[i].text,
			.message_id = "<0123456789abcdef@example.org>",
			.unsubscribe_mailto = "mailto:me@example.org?subject=unsubscribe%20abc",
			.unsubscribe_https = "",
			.help_url = "",
			.archive_url = "",
			.text = "text\r\n",
			.html = "<p>text</p>\r\n",
		};
		struct mailimf_fields *fields = NULL;
		size_t at = 0;

		named.name = cases[i].text;
		strbuf_reset(&out);
		if (message_add(&out, &m, &err) == -1)
			fail_msg("row %zu: %s", i, err.msg);
		if (mailimf_fields_parse(out.buf, out.len, &at, &fields) != MAILIMF_NO_ERROR)
			fail_msg("row %zu: libetpan cannot read the headers", i);
		check_fields(i, fields, want);
		mailimf_fields_free(fields);
	}
	strbuf_release(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
