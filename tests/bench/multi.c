/* multi.c - the peer of sender.c: the same mails by libcurl's own SMTP upload, one multi handle, one thread.
 *   multi URL HANDLES COUNT BYTES [CA-FILE] */
#include "mails.h"

#include <curl/curl.h>

struct upload {
	CURL *easy;
	struct curl_slist *to;
	struct strbuf mail;
	size_t used;
};

struct peer {
	struct bench_mails mails;
	CURLM *multi;
	size_t next, nsent;
};

static size_t
read_mail(char *out, size_t size, size_t n, void *arg)
{
	struct upload *u = arg;
	size_t left = u->mail.len - u->used;

	if (left < size * n)
		n = left / size;
	memcpy(out, u->mail.buf + u->used, size * n);
	u->used += size * n;
	return size * n;
}

/* The next mail, if there is one, over whatever connection is free. */
static void
start(struct peer *p, struct upload *u)
{
	char to[64];

	if (p->next == p->mails.n)
		return;
	bench_mail_to(p->next, to, sizeof(to));
	strbuf_reset(&u->mail);
	bench_mail_compose(&p->mails, p->next++, &u->mail);
	u->used = 0;
	curl_slist_free_all(u->to);
	u->to = curl_slist_append(NULL, to);
	curl_easy_setopt(u->easy, CURLOPT_MAIL_RCPT, u->to);
	curl_easy_setopt(u->easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)u->mail.len);
	if (curl_multi_add_handle(p->multi, u->easy) != CURLM_OK)
		bench_die("curl_multi_add_handle");
}

static void
init_upload(struct upload *u, const struct peer *p, const char *url, const char *ca_file)
{
	char full[256];

	snprintf(full, sizeof(full), "%s/bench.digest.test", url);
	strbuf_init(&u->mail, p->mails.body.len + 4096);
	if ((u->easy = curl_easy_init()) == NULL)
		bench_die("curl_easy_init");
	curl_easy_setopt(u->easy, CURLOPT_URL, full);
	curl_easy_setopt(u->easy, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(u->easy, CURLOPT_MAIL_FROM, "papers@digest.test");
	curl_easy_setopt(u->easy, CURLOPT_READFUNCTION, read_mail);
	curl_easy_setopt(u->easy, CURLOPT_READDATA, u);
	curl_easy_setopt(u->easy, CURLOPT_PRIVATE, u);
	if (ca_file != NULL) {
		curl_easy_setopt(u->easy, CURLOPT_CAINFO, ca_file);
		/* Else it reads all authorities of the system for each connection. */
		curl_easy_setopt(u->easy, CURLOPT_CAPATH, NULL);
	}
}

static void
take_results(struct peer *p)
{
	struct upload *u;
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(p->multi, &left)) != NULL) {
		if (msg->data.result != CURLE_OK)
			bench_die(curl_easy_strerror(msg->data.result));
		p->nsent++;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &u);
		curl_multi_remove_handle(p->multi, u->easy);
		start(p, u);
	}
}

int
main(int argc, char **argv)
{
	struct peer p = { .next = 0 };
	struct upload *uploads;
	size_t n = argc == 5 || argc == 6 ? strtoul(argv[2], NULL, 10) : 0;
	int running;

	if (n == 0)
		bench_die("multi URL HANDLES COUNT BYTES [CA-FILE]");
	bench_mails_init(&p.mails, strtoul(argv[3], NULL, 10), strtoul(argv[4], NULL, 10));
	curl_global_init(CURL_GLOBAL_DEFAULT);
	if ((p.multi = curl_multi_init()) == NULL ||
	    (uploads = calloc(n, sizeof(*uploads))) == NULL)
		bench_die("no memory");
	curl_multi_setopt(p.multi, CURLMOPT_MAXCONNECTS, (long)n);
	for (size_t i = 0; i < n; i++) {
		init_upload(&uploads[i], &p, argv[1], argc == 6 ? argv[5] : NULL);
		start(&p, &uploads[i]);
	}
	while (p.nsent < p.mails.n) {
		if (curl_multi_perform(p.multi, &running) != CURLM_OK)
			bench_die("curl_multi_perform");
		take_results(&p);
		if (p.nsent < p.mails.n &&
		    curl_multi_poll(p.multi, NULL, 0, 1000, NULL) != CURLM_OK)
			bench_die("curl_multi_poll");
	}
	for (size_t i = 0; i < n; i++) {
		curl_easy_cleanup(uploads[i].easy);
		curl_slist_free_all(uploads[i].to);
		strbuf_release(&uploads[i].mail);
	}
	free(uploads);
	curl_multi_cleanup(p.multi);
	curl_global_cleanup();
	strbuf_release(&p.mails.body);
	return 0;
}
