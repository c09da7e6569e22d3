/* limits.h - all limits of the program in one list, each with its reason. */
#ifndef DIGEST_LIMITS_H
#define DIGEST_LIMITS_H

/* Configuration. */
#define MAX_CONFIG_BYTES	(256u * 1024 * 1024)	/* a million reader blocks of 200 bytes fit */
#define MAX_CONFIG_ERRORS	100			/* more only scroll the first ones away */
#define MAX_INCLUDE_DEPTH	10			/* deeper is a loop */
#define MAX_CONFIG_VALUE	(64u * 1024)		/* a query is at most 16 KB; room for the rest */
#define MAX_CONFIG_LIST		1000			/* as many as a reader may have filters */
#define MAX_SECRET_BYTES	(16u * 1024)		/* OAuth tokens of 2 KB are usual */

#define MAX_PICK_MARKS		64			/* matched words of one card; more would mark everything */

#define MAX_POOL_THREADS	16			/* more would wait for the store */

/* The filter language (digest-filter(7) states them). */
#define MAX_QUERY_BYTES		(16u * 1024)		/* nobody reads a longer one */
#define MAX_QUERY_DEPTH		64			/* bounds recursion */
#define MAX_QUERY_TERMS		10000			/* after @names are expanded */
#define MAX_QUERY_DISTANCE	1000			/* words of "a b"~N: longer than any abstract is an AND */
#define MAX_READER_FILTERS	1000			/* per reader */
#define MAX_CONSENT_BYTES	(16u * 1024)		/* record of one reader: a hundred lines */
#define MAX_CONSENT_TEXT	4096u			/* of one consent; a form quoted in full fits */
#define MAX_SECTION_PICKS	500			/* papers of one section; 'limit' may not ask for more */

/* Answers of sources. */
#define MAX_JSON_BYTES		(4u * 1024 * 1024)	/* a day of Hugging Face is 0.5 MB */
#define MAX_JSON_TOKENS		500000u			/* 16 MB of "[]" took 714 MB in the parser */
#define MAX_JSON_DEPTH		64			/* no service nests deeper than 10; bounds recursion */
#define MAX_JSON_LINE		(256u * 1024)		/* one paper with 3,000 authors fits */
#define MAX_XML_DEPTH		100			/* no feed nests deeper than 20, XHTML in it than 50 */
#define MAX_XML_TAG		(1024u * 1024)		/* a picture inside an attribute fits; a tag is looked at whole */
#define MAX_XML_ATTRIBUTES	1000			/* of one element */
#define MAX_XML_NAMES		2000			/* different ones in a document: the parser keeps each to its end */
#define MAX_XML_NAME		1000			/* bytes of one, or of the address of a namespace */
#define MAX_XML_BINDINGS	256			/* namespaces in force at one place */
#define MAX_HTML_FIELD		(256u * 1024)		/* one field; the HTML parser is slower than linear */
#define MAX_HTML_ELEMENTS	500u			/* of one field; 100,000 nested ones took 13 s */
#define MAX_HTTP_HEADER		(64u * 1024)		/* all header lines of one answer */
#define MAX_HTTP_REDIRECTS	5
#define MAX_FETCH_SERVICE	264			/* a host name and a port */
#define MAX_SOURCE_FILES	10000			/* that one pattern may match: 27 years of days */

/* Tables of readers. */
#define MAX_CSV_FIELDS		1000			/* exports have up to 50, and one for each field of their own */
#define MAX_CSV_RECORD		(1024u * 1024)		/* a filter has 16 KB; a quote that is not closed is found by then */
#define MAX_INTAKE_TOLD		100			/* broken rows that are told; of more their number */

/* A paper. What is longer is cut at a grapheme and ends in an ellipsis. */
#define MAX_TITLE_BYTES		1000u			/* 500 characters */
#define MAX_ABSTRACT_BYTES	(16u * 1024)
#define MAX_NAME_BYTES		200u			/* an author, an organisation */
#define MAX_URL_BYTES		2000u			/* longer ones break in mail clients */
#define MAX_AUTHORS		5000			/* the largest collaborations have 3,000 */
#define MAX_LIST		200			/* categories, keywords of one paper */

/* Matching. */
#define MAX_READ_TEXTS_BYTES	(24u * 1024 * 1024)	/* words of texts kept to mark what was found: some 3,000 abstracts */
#define MAX_FOUND_TERMS_BYTES	(4u * 1024 * 1024)	/* of where words were found in those, for readers with the same words: some 50,000 */

/* Mail. */
#define MAX_ADDRESS_BYTES	254			/* RFC 5321 4.5.3.1.3, less the brackets */
#define MAX_LOCAL_PART		64			/* RFC 5321 4.5.3.1.1 */
#define MAX_DOMAIN		255			/* RFC 5321 4.5.3.1.2 */
#define MAX_LIST_ID		253			/* RFC 2919 2: 255 bytes with the brackets */
#define MAX_HEADER_LINK		900			/* a link is not folded, and a line has 998 bytes at most */
#define MAX_HEADER_TEXT		2000u			/* one header value: 500 characters, the rest is cut */
#define MAX_HTML_BYTES		80000u			/* where templates.html-limit says nothing: Gmail clips near 102 KB */
#define MAX_TEXT_BYTES		(512u * 1024)		/* the text part is never clipped, but bounded */
#define MAX_MESSAGE_BYTES	(2u * 1024 * 1024)	/* the text part, and as much HTML as may be asked for */
#define MAX_HEADER_BYTES	(32u * 1024)		/* S-21: the whole header block */

#define MAX_MAILBOX_RUN		1000u			/* mails read in one run; a flood waits, readers do not */

#define MAX_ACCOUNTS		1000u			/* smtp blocks; each has mails of its own in memory */

/* Mail from outside. libetpan recurses: 105,078 comments or 27,851 messages inside each other end it, 20,000 multiparts take 9 s. */
#define MAX_INCOMING_BYTES	(1024u * 1024)		/* what follows is not read: a report says all at its beginning */
#define MAX_INCOMING_HEADER	(64u * 1024)		/* of the mail or a part; 20 relays with ARC make 30 KB */
#define MAX_INCOMING_NESTING	32u			/* comments inside each other; nobody writes three */
#define MAX_INCOMING_HEAP	5000u			/* the same where no header should be; a text may hold many smileys */
#define MAX_INCOMING_ADDRESSES	2000u			/* commas and semicolons in one field; a header has no room for more */
#define MAX_INCOMING_PARTS	100u
#define MAX_INCOMING_DEPTH	10u			/* multiparts and messages inside each other; reports have 4 */
#define MAX_INCOMING_TYPES	500u			/* what might become one in a parser that reads otherwise than we do */
#define MAX_INCOMING_LINE	(512u * 1024)		/* HTML comes in lines of 100 KB */
#define MAX_INCOMING_TEXT	(64u * 1024)		/* of the words in a report; the rest is the mail that came back */
#define MAX_INCOMING_MEMORY	(256u * 1024 * 1024)	/* of the child, beside what it had from its birth */
#define MAX_INCOMING_SECONDS	10			/* for one mail; the worst that is let through takes one */

/* Templates. */
#define MAX_TEMPLATE_BYTES	(256u * 1024)
#define MAX_TEMPLATE_FAULTS	20			/* told of one file; more only scroll the first ones away */
#define MAX_TEMPLATE_DEPTH	64			/* sections and partials inside each other */
#define MAX_TEMPLATE_STEPS	4000000u		/* loops in loops over lists could take years without output */
#define MAX_RENDER_BYTES	(4u * 1024 * 1024)	/* a template cannot make more than this */
#define MAX_CUT_TITLES		30			/* titles of one section cut by a limit; then "N more" */
#define MAX_CARD_REST		4000u			/* bytes of the abstract behind it; the longest of arXiv has 1,920, of journals 3,500 */
#define MAX_BEST_CARDS		5u			/* papers that say more than a title even where only lines fit: a screen or two */
#define MAX_CARDS_BYTES		(48u * 1024 * 1024)	/* cards kept for other readers: some 5,000 papers in one language */
#define MAX_CARD_LEAD		400u			/* bytes of the sentence on a card; some have no full stop */

/* Time. */
#define WINDOW_DAYS		7			/* a paper is new for a week after its first listing */
#define SIGNAL_WINDOW_DAYS	14			/* for queries that read votes, comments or stars */
#define MAX_MISSED_DAYS		31			/* older papers are no news after downtime; a month, for monthly editions */
#define MAX_CATCH_UP_PAPERS	100			/* of one edition after downtime, where max-papers is not more */
#define MIN_CLOCK_UTC		(20454 * INT64_C(86400))	/* 2026-01-01: no clock is right that shows a time before this program */
#define MAX_TZ_FILE		(64u * 1024)		/* the largest TZif file has 4 KB, zone.tab 20 KB */

/* Memory. */
#define MAX_RUN_BYTES		(1024u * 1024 * 1024)	/* the run's arena: a window of 100,000 papers */
#define MAX_FOUND_BYTES		((size_t)512 * 1024 * 1024)	/* what words of filters were found in: 3,000 that all of
								   20,000 papers have */
#define MAX_OVERLAY_BYTES	((size_t)512 * 1024 * 1024)	/* what a dry run writes: a window and 100,000 readers */
#define MAX_READER_BYTES	(64u * 1024 * 1024)	/* the scratch of one reader, reset after each */

#endif
