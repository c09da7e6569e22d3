#include "xml.h"

#include "charset.h"
#include "digest/limits.h"
#include "xml_names.h"
#include "xml_repair.h"

#include <expat.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { PIECE = 64 * 1024 };

/* An element that is open. */
struct open {
	const char *ns, *name;
	size_t nbindings; /* in force outside of it */
};

struct reader {
	XML_Parser parser;
	const struct xml_handler *handler;
	void *arg;
	struct xml_names names;
	struct open open[MAX_XML_DEPTH];
	size_t depth;
	bool begun;	 /* an element was seen */
	bool through;	 /* no more is wanted: the document is whole, or the handler said so */
	const char *why; /* we stopped; a sentence */
	char *piece;	 /* room inside the parser */
	size_t used;
};

struct xml_tag {
	struct reader *r;
	const XML_Char **attributes;
};

static void
stop(struct reader *r, const char *why)
{
	if (r->why == NULL)
		r->why = why;
	XML_StopParser(r->parser, XML_FALSE);
}

static void
leave(struct reader *r)
{
	r->through = true;
	XML_StopParser(r->parser, XML_FALSE);
}

/* The namespaces that an element declares; false when there is too much of something. */
static bool
read_declarations(struct reader *r, const XML_Char **attributes)
{
	for (size_t i = 0; attributes[i] != NULL; i += 2) {
		struct xml_name *name = xml_names_find(&r->names, attributes[i]);

		if (i / 2 >= MAX_XML_ATTRIBUTES || name == NULL)
			return false;
		if (name->declares != NULL &&
		    xml_names_bind(&r->names, name->declares, attributes[i + 1]) == -1)
			return false;
	}
	return true;
}

static void XMLCALL
on_start(void *arg, const XML_Char *qname, const XML_Char **attributes)
{
	struct reader *r = arg;
	struct xml_name *name;
	struct open *o;

	r->begun = true;
	if (r->depth == MAX_XML_DEPTH) {
		stop(r, "elements too deep inside each other");
		return;
	}
	o = &r->open[r->depth];
	o->nbindings = r->names.nbindings;
	name = xml_names_find(&r->names, qname);
	if (name == NULL || !read_declarations(r, attributes)) {
		stop(r, "too many or too long names");
		return;
	}
	o->ns = xml_names_element_ns(&r->names, name);
	o->name = name->local;
	r->depth++;
	if (r->handler->start(r->arg, o->ns, o->name, &(struct xml_tag){ r, attributes }))
		leave(r);
}

static void XMLCALL
on_end(void *arg, const XML_Char *qname)
{
	struct reader *r = arg;
	struct open *o;

	(void)qname; /* expat has compared it */
	/* The end of an empty element comes even when its start has stopped the parser. */
	if (r->through || r->why != NULL)
		return;
	o = &r->open[--r->depth];
	if (r->handler->end(r->arg, o->ns, o->name) || r->depth == 0)
		leave(r); /* what follows the last tag is nobody's business */
	xml_names_unbind(&r->names, o->nbindings);
}

static void XMLCALL
on_text(void *arg, const XML_Char *text, int len)
{
	struct reader *r = arg;

	if (!r->through && r->why == NULL && r->handler->text(r->arg, text, (size_t)len))
		leave(r);
}

/* Whoever declares entities wants files read or memory filled. */
static void XMLCALL
on_entity(void *arg, const XML_Char *name, int is_parameter, const XML_Char *value, int len,
    const XML_Char *base, const XML_Char *system_id, const XML_Char *public_id,
    const XML_Char *notation)
{
	(void)name, (void)is_parameter, (void)value, (void)len;
	(void)base, (void)system_id, (void)public_id, (void)notation;
	stop(arg, "an entity is declared, which is not read");
}

const char *
xml_attribute(const struct xml_tag *tag, const char *ns, const char *name)
{
	for (size_t i = 0; tag->attributes[i] != NULL; i += 2) {
		const struct xml_name *found = xml_names_find(&tag->r->names, tag->attributes[i]);

		if (found != NULL && strcmp(found->local, name) == 0 &&
		    strcmp(xml_names_attribute_ns(&tag->r->names, found), ns) == 0)
			return tag->attributes[i + 1];
	}
	return NULL;
}

/* What the parser has room for is full, or all there is. */
static int
parse_piece(struct reader *r, bool is_last)
{
	size_t used = r->used;

	if (r->piece == NULL && (r->piece = XML_GetBuffer(r->parser, PIECE)) == NULL)
		return -1;
	r->piece = NULL;
	r->used = 0;
	return XML_ParseBuffer(r->parser, (int)used, is_last) == XML_STATUS_OK ? 0 : -1;
}

static int
take_bytes(void *arg, const char *bytes, size_t len)
{
	struct reader *r = arg;

	while (len > 0) {
		size_t n = len < PIECE - r->used ? len : PIECE - r->used;

		if (r->piece == NULL && (r->piece = XML_GetBuffer(r->parser, PIECE)) == NULL)
			return -1;
		memcpy(r->piece + r->used, bytes, n);
		r->used += n;
		bytes += n;
		len -= n;
		if (r->used == PIECE && parse_piece(r, false) == -1)
			return -1;
	}
	return 0;
}

/* Looks for the place in the text that the byte of a number came from after the repair. */
struct search {
	const struct repair *repair;
	size_t left; /* bytes to go */
	size_t found;
};

static int
count_bytes(void *arg, const char *bytes, size_t len)
{
	struct search *s = arg;
	const struct repair *r = s->repair;

	if (s->left < len) {
		/* A replacement came from where the repair stands. */
		s->found = bytes == r->text + r->start ? r->start + s->left : r->at;
		return -1;
	}
	s->left -= len;
	return 0;
}

static size_t
find_source(const struct decoded *d, XML_Index index)
{
	struct search s = { .left = index > 0 ? (size_t)index : 0, .found = d->len };
	struct repair again = { .text = d->text, .len = d->len, .sink = count_bytes, .arg = &s };

	s.repair = &again;
	xml_repair(&again);
	return s.found;
}

/* "line 3, column 7: why" */
static void
describe(char *out, size_t size, const struct decoded *d, size_t at, const char *why)
{
	size_t line = 1, start = 0;

	for (size_t i = 0; i < at && i < d->len; i++)
		if (d->text[i] == '\n') {
			line++;
			start = i + 1;
		}
	snprintf(out, size, "line %zu, column %zu: %s", line, at - start + 1, why);
}

/* The parser's words, and ours where they would not be understood. */
static const char *
parser_says(const struct reader *r)
{
	enum XML_Error code = XML_GetErrorCode(r->parser);
	const char *text = XML_ErrorString(code);

	if (code == XML_ERROR_NO_ELEMENTS || code == XML_ERROR_UNCLOSED_TOKEN ||
	    code == XML_ERROR_UNCLOSED_CDATA_SECTION)
		return "it ends in the middle";
	if (code == XML_ERROR_SYNTAX || (code == XML_ERROR_INVALID_TOKEN && !r->begun))
		return "this is not XML";
	if (code == XML_ERROR_TAG_MISMATCH)
		return "an end tag that fits no open element";
	return text != NULL ? text : "not XML";
}

static int
run_parser(struct reader *r, const struct decoded *d, struct xml_report *report, struct error *err)
{
	struct repair repair = { .text = d->text, .len = d->len, .sink = take_bytes, .arg = r };
	bool ok;

	xml_repair(&repair);
	/* What came before the repair gave up is still to be read. */
	ok = (!repair.stopped || repair.why != NULL) && parse_piece(r, repair.why == NULL) == 0;
	report->nrepaired = repair.nrepaired;
	if (r->through || (ok && repair.why == NULL))
		return 0;
	if (XML_GetErrorCode(r->parser) == XML_ERROR_NO_MEMORY)
		return err_nomem(err, "xml");
	if (ok)
		describe(report->fault, sizeof(report->fault), d, repair.at, repair.why);
	else
		describe(report->fault, sizeof(report->fault), d,
		    find_source(d, XML_GetCurrentByteIndex(r->parser)),
		    r->why != NULL ? r->why : parser_says(r));
	return r->begun ? 0 : err_set(err, ERR_DATA, "%s", report->fault);
}

static int
parse(const struct decoded *d, const struct xml_handler *handler, void *arg,
    struct xml_report *report, struct error *err)
{
	struct reader r = { .handler = handler, .arg = arg };
	int rc = -1;

	/* The name given goes before the declaration: the text is UTF-8 by now whatever it says. */
	r.parser = XML_ParserCreate("UTF-8");
	if (xml_names_init(&r.names) == -1 || r.parser == NULL) {
		err_nomem(err, "xml");
		goto out;
	}
	XML_SetUserData(r.parser, &r);
	XML_SetElementHandler(r.parser, on_start, on_end);
	XML_SetCharacterDataHandler(r.parser, on_text);
	XML_SetEntityDeclHandler(r.parser, on_entity);
	rc = run_parser(&r, d, report, err);
out:
	xml_names_release(&r.names);
	if (r.parser != NULL)
		XML_ParserFree(r.parser);
	return rc;
}

/* The charset that the declaration at the head of the bytes names. */
static void
read_declared(const char *bytes, size_t len, char *out, size_t size)
{
	size_t head = len < 512 ? len : 512;
	const char *start = memmem(bytes, head, "<?xml", 5), *end, *at;
	size_t n = 0;

	out[0] = '\0';
	if (start == NULL || (end = memchr(start, '>', head - (size_t)(start - bytes))) == NULL)
		return;
	at = memmem(start, (size_t)(end - start), "encoding", 8);
	if (at == NULL)
		return;
	at += 8;
	while (at < end && strchr(" \t\r\n=\"'", *at) != NULL && *at != '\0')
		at++;
	while (at + n < end && strchr("\"' \t\r\n?", at[n]) == NULL && n + 1 < size)
		n++;
	memcpy(out, at, n);
	out[n] = '\0';
}

int
xml_read(const char *bytes, size_t len, const char *content_type, const struct xml_handler *handler,
    void *arg, struct xml_report *report, struct error *err)
{
	char declared[40];
	struct strbuf scratch;
	struct decoded d;
	int rc;

	memset(report, 0, sizeof(*report));
	report->charset = "";
	strbuf_init(&scratch, 3 * len + 3);
	read_declared(bytes, len, declared, sizeof(declared));
	rc = charset_decode(bytes, len, content_type, declared, &scratch, &d, err);
	if (rc == 0) {
		report->charset = d.charset;
		report->nreplaced = d.nreplaced;
		rc = parse(&d, handler, arg, report, err);
	}
	strbuf_release(&scratch);
	return rc;
}
