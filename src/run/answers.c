/* A word to those who asked for something by mail. Nobody is answered whose mail a machine wrote, and nobody twice within a day;
 * the answer has no return path and says that a machine wrote it: whatever it meets, nothing comes of it (RFC 3834). */
#include "run/returns.h"

#include "digest/limits.h"
#include "digest/qp.h"
#include "run/routes.h"

#include <stdio.h>
#include <string.h>

enum {
	LONGEST_MS = 2 * 60 * 1000, /* they all may take */
	MAX_ANSWER_BYTES = 16 * 1024,
};

/* What all of them are made with. */
struct writer {
	struct run *run;
	struct render *render;
	struct routes routes;
	struct address from;
	struct arena arena; /* from, and of one answer */
	int64_t now_utc, until_ms;
};

struct keys {
	const char *subject, *text;
};

static const struct keys *
keys_of(enum returned_kind kind)
{
	static const struct keys keys[] = {
		[RETURNED_UNSUBSCRIBE] = { "answer-left-subject", "answer-left" },
		[RETURNED_PAUSE] = { "answer-paused-subject", "answer-paused" },
		[RETURNED_RESUME] = { "answer-resumed-subject", "answer-resumed" },
	};

	return &keys[kind];
}

/* What is no id of a mail is left out. */
static bool
is_id(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~' || text[i] == '<' || text[i] == '>')
			return false;
	return len > 0 && len <= 250;
}

static int
compose(struct writer *w, const struct answer *a, const struct store_reader *reader,
    const struct address *to, struct strbuf *out, struct error *err)
{
	const struct config *cfg = w->run->cfg;
	const struct keys *keys = keys_of(a->kind);
	struct sentence said = { keys->subject, 0, cfg->list.name, a->until_day, 0 };
	struct strbuf subject, text, encoded;
	char id[MESSAGE_ID_SIZE], what[64];
	struct message m;
	int rc;

	strbuf_init(&subject, MAX_HEADER_TEXT);
	strbuf_init(&text, MAX_ANSWER_BYTES);
	strbuf_init(&encoded, 4 * MAX_ANSWER_BYTES);
	render_add_sentence(w->render, reader->sub.language, &said, &subject);
	said.key = keys->text;
	render_add_sentence(w->render, reader->sub.language, &said, &text);
	strbuf_add(&text, "\n");
	qp_add_text(&encoded, text.buf, text.len);
	snprintf(what, sizeof(what), "answer %d %lld", (int)a->kind, (long long)w->now_utc);
	m = errand_message(cfg, &w->from, to, what, w->now_utc, id);
	m.subject = subject.buf;
	m.is_answer = true;
	m.in_reply_to = is_id(a->message_id) ? a->message_id : "";
	m.text = encoded.buf;
	rc = strbuf_check(&subject, err) == -1 || strbuf_check(&encoded, err) == -1
	    ? -1
	    : message_add(out, &m, err);
	strbuf_release(&subject);
	strbuf_release(&text);
	strbuf_release(&encoded);
	return rc;
}

static int
send_one(struct writer *w, const struct answer *a, struct error *err)
{
	struct errand e = { .run = w->run, .sender = "", .until_ms = w->until_ms };
	struct store_reader *reader;
	struct strbuf bytes;
	struct address to;
	int lane, rc;

	if (store_load_reader(w->run->store, a->reader, &w->arena, &reader, err) != 1 ||
	    address_parse(reader->sub.address, &w->arena, &to, NULL, err) == -1)
		return -1;
	if ((lane = routes_find(&w->routes, to.canonical)) == -1)
		return err_set(err, ERR_CONFIG, "no smtp block takes the domain");
	strbuf_init(&bytes, MAX_MESSAGE_BYTES);
	e.to = &to;
	e.bytes = &bytes;
	rc = compose(w, a, reader, &to, &bytes, err);
	if (rc == 0)
		rc = errand_send(&e, (unsigned)lane, err);
	strbuf_release(&bytes);
	if (rc == 0 && (!e.settled || e.result.outcome != OUTCOME_SENT))
		rc = err_set(err, ERR_TEMP, "%s", e.settled ? e.result.reply : "not sent");
	return rc;
}

static int
open_writer(struct writer *w, struct error *err)
{
	if (run_read_from(w->run->cfg, &w->arena, &w->from, err) == -1 ||
	    run_load_templates(w->run, &w->render, err) == -1)
		return -1;
	return routes_init(&w->routes, w->run->cfg, err);
}

/* It was promised to nobody: what does not leave now is forgotten. */
static void
send_all(struct writer *w, const struct answer *answers, size_t n, struct run_inbox *inbox)
{
	struct error why;

	for (size_t i = 0; i < n; i++) {
		err_clear(&why);
		if (send_one(w, &answers[i], &why) == 0)
			inbox->counts[INBOX_ANSWERED]++;
		else
			log_warn(w->run->log, "an answer to a reader was not sent: %s", why.msg);
	}
}

int
answers_send(struct run *run, const struct answer *answers, size_t n, struct run_inbox *inbox,
    struct error *err)
{
	struct writer w = { .run = run, .now_utc = clock_now_utc(&run->clock) };
	struct error why = { 0 };
	int64_t since_utc;
	int held;

	if (n == 0)
		return 0;
	if ((held = run_find_hold(run, &since_utc, err)) != 0)
		return held == -1 ? -1 : 0;
	w.until_ms = clock_monotonic_ms() + LONGEST_MS;
	arena_init(&w.arena, MAX_RUN_BYTES);
	if (run_check_sender(run, &why) == 0 && open_writer(&w, &why) == 0)
		send_all(&w, answers, n, inbox);
	else
		log_warn(run->log, "readers who asked by mail are not answered: %s", why.msg);
	routes_release(&w.routes);
	render_free(w.render);
	arena_release(&w.arena);
	return 0;
}
