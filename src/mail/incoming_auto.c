#include "mail/incoming.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "digest/text.h"

/* ---- automatic replies ---- */

/* How subjects of automatic replies begin, folded as text_add_folded does. */
static const char *const beginnings[] = {
	/* English */
	"automatic reply",
	"automatic response",
	"automated reply",
	"automated response",
	"auto reply",
	"auto-reply",
	"autoreply",
	"auto response",
	"auto-response",
	"autorespon",
	"auto:",
	"out of office",
	"out of the office",
	"ooo:",
	"away from",
	"away until",
	"vacation:",
	"vacation reply",
	"on vacation",
	"on leave",
	"i am away",
	"i'm away",
	/* German */
	"automatische antwort",
	"automatische ruckantwort",
	"abwesenheit",
	"abwesend",
	"automatisch:",
	"nicht im buro",
	"urlaub:",
	"im urlaub",
	"autoantwort",
	/* French */
	"reponse automatique",
	"message d'absence",
	"absence du bureau",
	"absent du bureau",
	"absence:",
	"absence :",
	"en conges",
	"conges:",
	/* Spanish */
	"respuesta automatica",
	"fuera de la oficina",
	"fuera de oficina",
	"ausente",
	"de vacaciones",
	/* Italian */
	"risposta automatica",
	"fuori sede",
	"fuori ufficio",
	"assente",
	"assenza",
	/* Portuguese */
	"resposta automatica",
	"fora do escritorio",
	"ausencia",
	"de ferias",
	/* Dutch */
	"automatisch antwoord",
	"automatische reactie",
	"afwezig",
	"niet aanwezig",
	"buiten kantoor",
	/* Swedish, Danish, Norwegian */
	"autosvar",
	"automatiskt svar",
	"automatisk svar",
	"franvaro",
	"fravaer",
	"ikke til stede",
	/* Finnish */
	"automaattinen vastaus",
	"poissa",
	"lomalla",
	/* Polish */
	"automatyczna odpowiedz",
	"autoodpowiedz",
	"poza biurem",
	"nieobecnosc",
	/* Czech, Hungarian */
	"automaticka odpoved",
	"mimo kancelar",
	"nepritomnost",
	"automatikus valasz",
	/* Russian */
	"автоответ",
	"автоматическии ответ",
	"нет на работе",
	"вне офиса",
	"в отпуске",
	/* Turkish, Greek */
	"otomatik yanit",
	"ofis disinda",
	"αυτοματη απαντηση",
	/* Japanese, Chinese, Korean */
	"自動応答",
	"自動返信",
	"不在",
	"自动回复",
	"自動回覆",
	"自动答复",
	"外出",
	"자동 회신",
	"자동 응답",
	"부재중",
};

/* What says so anywhere in a subject: names go before it. */
static const char *const anywhere[] = {
	"is out of the office",
	"is out of office",
	"out of office autoreply",
	"automatic reply:",
	"[auto reply]",
	"[autoreply]",
	"(automatische antwort)",
};

bool
subject_is_automatic(const char *subject, size_t len)
{
	struct strbuf folded;
	bool found = false;

	strbuf_init(&folded, 4 * MAX_HEADER_TEXT);
	text_add_folded(&folded, subject, len);
	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]) && !found; i++)
		found = strncmp(folded.buf, beginnings[i], strlen(beginnings[i])) == 0;
	for (size_t i = 0; i < sizeof(anywhere) / sizeof(anywhere[0]) && !found; i++)
		found = strstr(folded.buf, anywhere[i]) != NULL;
	strbuf_release(&folded);
	return found;
}

bool
letter_is_automatic(struct letter *l)
{
	if (strcmp(l->type, "multipart/report") == 0 && l->report[0] != '\0')
		return letter_decide(l, INCOMING_AUTO_REPLY,
		    "a report of type \"%s\", which says nothing of a delivery", l->report);
	if (l->out->flags & INCOMING_AUTO_SUBMITTED)
		return letter_decide(l, INCOMING_AUTO_REPLY,
		    "Auto-Submitted says that a machine wrote it (RFC 3834)");
	if (l->out->flags & INCOMING_AUTO_MARKED)
		return letter_decide(
		    l, INCOMING_AUTO_REPLY, "its header or subject marks it as an automatic reply");
	return false;
}

/* ---- requests ---- */

static const struct {
	const char *word;
	enum incoming_verb verb;
} verbs[] = {
	{ "unsubscribe", INCOMING_UNSUBSCRIBE },
	{ "pause", INCOMING_PAUSE },
	{ "resume", INCOMING_RESUME },
};

/* The verb that a text begins with: the last byte of it is the end, or end is one of the bytes behind it. */
static enum incoming_verb
find_verb(struct span s, const char *behind)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		size_t len = strlen(verbs[i].word);

		if (s.len >= len && strncasecmp(s.at, verbs[i].word, len) == 0 &&
		    (s.len == len || strchr(behind, s.at[len]) != NULL))
			return verbs[i].verb;
	}
	return INCOMING_NO_VERB;
}

/* The verb right before a token in the subject, whatever a mail server has put before both: "[EXTERN] unsubscribe <token>". */
static enum incoming_verb
find_verb_by_token(const struct incoming *in)
{
	enum incoming_verb verb = INCOMING_NO_VERB;

	for (size_t i = 0; i < in->ncandidates && verb == INCOMING_NO_VERB; i++) {
		const struct incoming_candidate *c = &in->candidates[i];
		const char *token =
		    c->place == INCOMING_SUBJECT ? strstr(in->subject, c->text) : NULL;
		size_t end = token != NULL ? (size_t)(token - in->subject) : 0, start;

		while (end > 0 && !isalpha((unsigned char)in->subject[end - 1]))
			end--;
		for (start = end; start > 0 && isalpha((unsigned char)in->subject[start - 1]);)
			start--;
		verb = find_verb((struct span){ in->subject + start, end - start }, "");
	}
	return verb;
}

/* The first line of the text, when it has nothing but the verb. */
static enum incoming_verb
find_verb_alone(struct span text)
{
	struct span line;

	while (span_line(&text, &line)) {
		line = span_trim(line);
		if (line.len > 0)
			return find_verb(line, "");
	}
	return INCOMING_NO_VERB;
}

/*
 * Asked for in the subject, as the links in our mails do; in the address, "unsubscribe+<token>@"; by the button of Apple's
 * mail program, whatever else is there; or in words. Whether it is to be done depends on the token.
 */
bool
letter_is_request(struct letter *l)
{
	struct incoming *in = l->out;
	const uint32_t automatic = INCOMING_AUTO_SUBMITTED | INCOMING_AUTO_MARKED;
	const char *where = "the subject";

	in->verb = find_verb(span_of(in->subject), " \t:");
	for (size_t i = 0; i < in->ncandidates && in->verb == INCOMING_NO_VERB; i++) {
		if (in->candidates[i].place == INCOMING_TO ||
		    in->candidates[i].place == INCOMING_DELIVERED_TO)
			in->verb = find_verb(span_of(in->candidates[i].text), "+");
		where = "the address";
	}
	if (in->verb == INCOMING_NO_VERB && (in->flags & INCOMING_APPLE)) {
		in->verb = INCOMING_UNSUBSCRIBE;
		where = "X-Apple-Unsubscribe";
	}
	if (in->verb == INCOMING_NO_VERB && !(in->flags & automatic)) {
		in->verb = find_verb_by_token(in);
		where = "the subject";
	}
	if (in->verb == INCOMING_NO_VERB && !(in->flags & automatic)) {
		in->verb = find_verb_alone(l->text);
		where = "the text";
	}
	if (in->verb == INCOMING_NO_VERB)
		return false;
	if ((in->flags & automatic) && !(in->flags & INCOMING_APPLE) &&
	    !candidates_have_token(in)) {
		in->verb = INCOMING_NO_VERB;
		return false;
	}
	return letter_decide(l, INCOMING_REQUEST, "%s asks to %s%s", where,
	    incoming_verb_name(in->verb), candidates_have_token(in) ? "" : ", but names no token");
}
