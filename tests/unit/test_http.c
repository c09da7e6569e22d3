/* The HTTP client against a scripted server on loopback: every fault is an error that says what happened. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include <poll.h>
#include <sys/resource.h>

#include "digest/http.h"
#include "digest/strbuf.h"
#include "http_server.h"

enum { MAX_BODY = 8 * 1024 * 1024 };

static const char *const loopback[] = { "127.0.0.0/8" };

/* Answers that are sent as they stand; %PORT% becomes the server's port. */
static const struct {
	const char *path, *answer;
} fixed[] = {
	{ "/hello",
	    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"abc\"\r\n"
	    "Last-Modified: Fri, 21 Aug 2026 07:45:00 GMT\r\n"
	    "Content-Type: application/json; charset=utf-8\r\n\r\nhello" },
	{ "/empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" },
	{ "/no-length", "HTTP/1.0 200 OK\r\n\r\nuntil the end" },
	{ "/chunked",
	    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	    "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n" },
	{ "/gzip",
	    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 25\r\n\r\n"
	    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\x07\x00"
	    "\x86\xa6\x10\x36\x05\x00\x00\x00" },
	{ "/404", "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\ngone" },
	{ "/503", "HTTP/1.1 503 No\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n" },
	{ "/retry-much", "HTTP/1.1 429 No\r\nRetry-After: 9999999\r\nContent-Length: 0\r\n\r\n" },
	{ "/retry-past",
	    "HTTP/1.1 429 No\r\nRetry-After: Fri, 21 Aug 2020 07:45:00 GMT\r\n"
	    "Content-Length: 0\r\n\r\n" },
	{ "/retry-odd", "HTTP/1.1 429 No\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n" },
	{ "/link",
	    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
	    "Link: </a?p=0,1;2>; title=\"a, b; rel=next\"; rel=prev, "
	    "</a?p=2&x=<>; rel=\"last  NEXT\"\r\n\r\n" },
	{ "/link-absolute",
	    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
	    "Link: <https://example.org/api?p=1>; rel=\"next\"\r\n\r\n" },
	{ "/link-file",
	    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
	    "Link: <file:///etc/passwd>; rel=\"next\"\r\n\r\n" },
	{ "/quota",
	    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
	    "RateLimit: \"api\";r=499;t=271\r\n"
	    "RateLimit-Policy: \"fixed window\";\"api\";q=500;w=300\r\n\r\n" },
	{ "/quota-two",
	    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
	    "RateLimit: \"hour\";r=400;t=2000, \"minute\";r=3;t=20\r\n\r\n" },
	{ "/quota-old",
	    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
	    "RateLimit-Remaining: 7\r\nRateLimit-Reset: 60\r\n\r\n" },
	{ "/quota-odd",
	    "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
	    "RateLimit: \"api\";r=-1;t=x\r\n\r\n" },
	{ "/early-hints",
	    "HTTP/1.1 103 Early\r\nETag: \"wrong\"\r\n\r\n"
	    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" },
	{ "/odd-etag", "HTTP/1.1 200 OK\r\nETag: \"a\tb\"\r\nContent-Length: 0\r\n\r\n" },
	{ "/to-hello",
	    "HTTP/1.1 302 Found\r\nETag: \"r\"\r\nLocation: /hello\r\n"
	    "Content-Length: 9\r\n\r\nelsewhere" },
	{ "/hop5", "HTTP/1.1 301 Moved\r\nLocation: hop4\r\nContent-Length: 0\r\n\r\n" },
	{ "/hop4", "HTTP/1.1 302 Moved\r\nLocation: /hop3\r\nContent-Length: 0\r\n\r\n" },
	{ "/hop3",
	    "HTTP/1.1 303 Moved\r\nLocation: http://127.0.0.1:%PORT%/hop2\r\n"
	    "Content-Length: 0\r\n\r\n" },
	{ "/hop2",
	    "HTTP/1.1 307 Moved\r\nLocation: //127.0.0.1:%PORT%/hop1\r\n"
	    "Content-Length: 0\r\n\r\n" },
	{ "/hop1", "HTTP/1.1 308 Moved\r\nLocation: ?x=1\r\nContent-Length: 0\r\n\r\n" },
	{ "/hop1?x=1", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nhere" },
	{ "/loop", "HTTP/1.1 302 Moved\r\nLocation: /loop\r\nContent-Length: 0\r\n\r\n" },
	{ "/no-location", "HTTP/1.1 302 Moved\r\nContent-Length: 0\r\n\r\n" },
	{ "/to-file",
	    "HTTP/1.1 302 F\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n" },
	{ "/to-ftp", "HTTP/1.1 302 F\r\nLocation: ftp://127.0.0.1/x\r\nContent-Length: 0\r\n\r\n" },
	{ "/to-gopher",
	    "HTTP/1.1 302 F\r\nLocation: gopher://127.0.0.1:%PORT%/x\r\nContent-Length: "
	    "0\r\n\r\n" },
	{ "/to-dict",
	    "HTTP/1.1 302 F\r\nLocation: dict://127.0.0.1/x\r\nContent-Length: 0\r\n\r\n" },
	{ "/to-smtp",
	    "HTTP/1.1 302 F\r\nLocation: smtp://127.0.0.1/x\r\nContent-Length: 0\r\n\r\n" },
	{ "/to-private",
	    "HTTP/1.1 302 F\r\nLocation: http://10.0.0.1/x\r\nContent-Length: 0\r\n\r\n" },
	{ "/to-metadata",
	    "HTTP/1.1 302 F\r\nLocation: http://[::ffff:a9fe:a9fe]/latest\r\n"
	    "Content-Length: 0\r\n\r\n" },
	{ "/to-user",
	    "HTTP/1.1 302 F\r\nLocation: http://me:secret@127.0.0.1:%PORT%/hello\r\n"
	    "Content-Length: 0\r\n\r\n" },
	{ "/short", "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this" },
	{ "/short-chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc" },
	{ "/long", "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nmore than four" },
	{ "/announced", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\nx" },
	{ "/nothing", "" },
	{ "/not-http", "220 mail.example.org ESMTP\r\n" },
	{ "/bad-gzip",
	    "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello" },
};

/* Until the client hangs up; in large pieces, so that a busy machine does not reach a time-out first. */
static void
send_forever(int fd, const char *text)
{
	struct strbuf piece;

	strbuf_init(&piece, MAX_BODY);
	while (piece.len < 64 * 1024)
		strbuf_add(&piece, text);
	while (send(fd, piece.buf, piece.len, MSG_NOSIGNAL) == (ssize_t)piece.len)
		;
	strbuf_release(&piece);
}

static void
serve_endless(int fd, const char *request)
{
	(void)request;
	http_server_send(fd, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", 47);
	send_forever(fd, "10\r\n0123456789abcdef\r\n");
}

static void
serve_headers(int fd, const char *request)
{
	(void)request;
	http_server_send(fd, "HTTP/1.1 200 OK\r\n", 17);
	send_forever(fd, "X-More: 0123456789\r\n");
}

static void
serve_silence(int fd, const char *request)
{
	char byte;

	(void)request;
	recv(fd, &byte, 1, 0);
}

static void
serve_drip(int fd, const char *request)
{
	(void)request;
	http_server_send(fd, "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", 41);
	for (int i = 0; i < 40 && send(fd, "x", 1, MSG_NOSIGNAL) == 1; i++)
		usleep(100 * 1000);
}

static void
serve_conditional(int fd, const char *request)
{
	static const char fresh[] =
	    "HTTP/1.1 200 OK\r\nETag: \"v1\"\r\nContent-Length: 4\r\n\r\ndata";
	static const char same[] = "HTTP/1.1 304 Not Modified\r\n\r\n";

	if (strstr(request, "\r\nIf-None-Match: \"v1\"\r\n") != NULL ||
	    strstr(request, "\r\nIf-Modified-Since: Fri, 21 Aug 2026 07:45:00 GMT\r\n") != NULL)
		http_server_send(fd, same, sizeof(same) - 1);
	else
		http_server_send(fd, fresh, sizeof(fresh) - 1);
}

/* The head of the request as the body. */
static void
serve_echo(int fd, const char *request)
{
	static const char head[] = "HTTP/1.0 200 OK\r\nSet-Cookie: a=b\r\n\r\n";

	http_server_send(fd, head, sizeof(head) - 1);
	http_server_send(fd, request, strlen(request));
}

static void
serve_retry_date(int fd, const char *request)
{
	char line[200], date[64];
	struct tm tm;
	time_t then = time(NULL) + 1000;

	(void)request;
	strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&then, &tm));
	snprintf(line, sizeof(line),
	    "HTTP/1.1 503 No\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n", date);
	http_server_send(fd, line, strlen(line));
}

static void
add_bits(struct strbuf *out, unsigned *nbits, unsigned value, unsigned n)
{
	for (unsigned i = 0; i < n; i++, (*nbits)++) {
		if (*nbits % 8 == 0)
			strbuf_addc(out, 0);
		out->buf[out->len - 1] |= (char)((value >> i & 1) << *nbits % 8);
	}
}

/* 4 MB of NUL in 26 KB: one literal, then copies of 258 bytes (RFC 1951 3.2.6, codes from their highest bit). */
static void
serve_bomb(int fd, const char *request)
{
	static const char head[] = "HTTP/1.0 200 OK\r\nContent-Encoding: gzip\r\n\r\n"
				   "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03";
	struct strbuf out;
	unsigned nbits = 0;

	(void)request;
	strbuf_init(&out, MAX_BODY);
	add_bits(&out, &nbits, 1 | 1 << 1, 3); /* last block, fixed codes */
	add_bits(&out, &nbits, 0x0c, 8);       /* literal 0: 00110000 */
	for (int i = 0; i < 4 * 1024 * 1024 / 258; i++) {
		add_bits(&out, &nbits, 0xa3, 8); /* length 258: 11000101 */
		add_bits(&out, &nbits, 0, 5);	 /* one byte back */
	}
	http_server_send(fd, head, sizeof(head) - 1);
	http_server_send(fd, out.buf, out.len);
	strbuf_release(&out);
}

static const struct {
	const char *path;
	void (*serve)(int fd, const char *request);
} scripts[] = {
	{ "/endless", serve_endless },
	{ "/headers", serve_headers },
	{ "/silence", serve_silence },
	{ "/drip", serve_drip },
	{ "/conditional", serve_conditional },
	{ "/echo", serve_echo },
	{ "/retry-date", serve_retry_date },
	{ "/bomb", serve_bomb },
};

static void
send_fixed(int fd, unsigned port, const char *answer)
{
	const char *mark = strstr(answer, "%PORT%");
	char number[16];

	/* The one with NUL bytes. */
	if (strstr(answer, "Encoding: gzip\r\nContent-Length: 25") != NULL) {
		http_server_send(
		    fd, answer, (size_t)(strstr(answer, "\r\n\r\n") - answer) + 4 + 25);
		return;
	}
	if (mark == NULL) {
		http_server_send(fd, answer, strlen(answer));
		return;
	}
	snprintf(number, sizeof(number), "%u", port);
	http_server_send(fd, answer, (size_t)(mark - answer));
	http_server_send(fd, number, strlen(number));
	http_server_send(fd, mark + 6, strlen(mark + 6));
}

static void
serve(int fd, unsigned port, const char *request)
{
	char path[200] = "";

	sscanf(request, "GET %199s", path);
	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++)
		if (strcmp(path, scripts[i].path) == 0)
			scripts[i].serve(fd, request);
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (strcmp(path, fixed[i].path) == 0)
			send_fixed(fd, port, fixed[i].answer);
}

struct client {
	struct http_server server;
	struct http_options options;
	struct http *http;
	struct http_answer answer;
	struct error err;
};

static int
setup(void **state)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL || http_server_start(&c->server, serve) == -1)
		return -1;
	c->options = (struct http_options){ .timeout_s = 3,
		.max_body = MAX_BODY,
		.contact = "ada@example.org",
		.proxy = "",
		.allow_private = loopback,
		.nallow_private = 1 };
	http_answer_init(&c->answer, MAX_BODY);
	*state = c;
	return http_new(&c->options, &c->http, &c->err);
}

static int
teardown(void **state)
{
	struct client *c = *state;

	http_free(c->http);
	http_answer_release(&c->answer);
	http_server_stop(&c->server);
	free(c);
	return 0;
}

static int
get(struct client *c, const char *path)
{
	char url[200];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", c->server.port, path);
	err_clear(&c->err);
	return http_get(c->http, url, "", "", &c->answer, &c->err);
}

static const struct {
	const char *path;
	long status;
	const char *body;
} whole[] = {
	{ "/hello", 200, "hello" },
	{ "/empty", 200, "" },
	{ "/no-length", 200, "until the end" },
	{ "/chunked", 200, "abcde" },
	{ "/gzip", 200, "hello" },
	{ "/404", 404, "gone" },
	{ "/503", 503, "" },
	{ "/early-hints", 200, "ok" },
	{ "/to-hello", 200, "hello" },
	{ "/hop5", 200, "here" },
	{ "/no-location", 302, "" },
	{ "/long", 200, "more" },
};

static void
test_whole_answers(void **state)
{
	struct client *c = *state;

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		if (get(c, whole[i].path) == -1 || c->answer.status != whole[i].status ||
		    strcmp(c->answer.body.buf, whole[i].body) != 0)
			fail_msg("row %zu: %s gave %ld '%s' %s", i, whole[i].path, c->answer.status,
			    c->answer.body.buf, c->err.msg);
}

static const struct {
	const char *path, *message;
} faults[] = {
	{ "/loop", "more than 5 redirects" },
	{ "/to-file", "redirect to 'file:///etc/passwd'; only http and https are fetched" },
	{ "/to-ftp", "only http and https" },
	{ "/to-gopher", "only http and https" },
	{ "/to-dict", "only http and https" },
	{ "/to-smtp", "only http and https" },
	{ "/to-private", "10.0.0.1: 10.0.0.1 is a private address" },
	{ "/to-metadata", "169.254.169.254 is a link-local address" },
	{ "/to-user", "user name" },
	{ "/short", "the answer ends early" },
	{ "/short-chunk", "ends early" },
	{ "/announced", "larger than 8388608 bytes (fetch.max-body)" },
	{ "/endless", "larger than 8388608 bytes (fetch.max-body)" },
	{ "/headers", "more than 65536 bytes of header lines" },
	{ "/nothing", "closed without an answer" },
	{ "/not-http", "not HTTP" },
	{ "/bad-gzip", "cannot be unpacked" },
	{ "/bomb", "grows more than 100 times" },
	{ "/silence", "no answer within 3 s" },
	{ "/drip", "no whole answer within 3 s" },
};

static void
test_faults(void **state)
{
	struct client *c = *state;

	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		if (get(c, faults[i].path) != -1 || c->err.kind != ERR_NET ||
		    strstr(c->err.msg, faults[i].message) == NULL)
			fail_msg("row %zu: %s gave '%s'", i, faults[i].path, c->err.msg);
	/* Nothing of a fault is left over. */
	assert_int_equal(get(c, "/hello"), 0);
	assert_string_equal(c->answer.body.buf, "hello");
}

static void
test_urls_that_are_not_asked(void **state)
{
	static const char *const urls[] = { "", "/hello", "file:///etc/passwd",
		"ftp://example.org/", "example.org", "http://", "http://me@example.org/",
		"javascript:alert(1)", "http://a b/" };
	struct client *c = *state;

	for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++)
		if (http_get(c->http, urls[i], "", "", &c->answer, &c->err) != -1 ||
		    c->err.kind != ERR_NET)
			fail_msg("row %zu: '%s'", i, urls[i]);
}

static void
test_headers_of_an_answer(void **state)
{
	struct client *c = *state;

	assert_int_equal(get(c, "/hello"), 0);
	assert_string_equal(c->answer.etag, "\"abc\"");
	assert_string_equal(c->answer.last_modified, "Fri, 21 Aug 2026 07:45:00 GMT");
	assert_string_equal(c->answer.content_type, "application/json; charset=utf-8");
	assert_int_equal(c->answer.quota_left, -1);
	assert_string_equal(c->answer.next, "");
	assert_int_equal(get(c, "/early-hints"), 0);
	assert_string_equal(c->answer.etag, "");
	assert_int_equal(get(c, "/odd-etag"), 0);
	assert_string_equal(c->answer.etag, "");
}

static void
test_conditional(void **state)
{
	struct client *c = *state;
	char url[100];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/conditional", c->server.port);
	assert_int_equal(http_get(c->http, url, "", "", &c->answer, &c->err), 0);
	assert_int_equal(c->answer.status, 200);
	assert_int_equal(http_get(c->http, url, "\"v1\"", "", &c->answer, &c->err), 0);
	assert_int_equal(c->answer.status, 304);
	assert_string_equal(c->answer.etag, "\"v1\"");
	assert_int_equal(c->answer.body.len, 0);
	assert_int_equal(
	    http_get(c->http, url, "\"v0\"", "Fri, 21 Aug 2026 07:45:00 GMT", &c->answer, &c->err),
	    0);
	assert_int_equal(c->answer.status, 304);
	/* An etag that would end the line is not sent. */
	assert_int_equal(http_get(c->http, url, "\"v1\"\r\nX: y", "", &c->answer, &c->err), 0);
	assert_int_equal(c->answer.status, 200);
}

static const struct {
	const char *path;
	int64_t min_s, max_s;
} retries[] = {
	{ "/503", 120, 120 },
	{ "/retry-much", 86400, 86400 },
	{ "/retry-past", 0, 0 },
	{ "/retry-odd", 0, 0 },
	{ "/retry-date", 990, 1001 },
	{ "/hello", 0, 0 },
};

static void
test_retry_after(void **state)
{
	struct client *c = *state;

	for (size_t i = 0; i < sizeof(retries) / sizeof(retries[0]); i++)
		if (get(c, retries[i].path) == -1 || c->answer.retry_after_s < retries[i].min_s ||
		    c->answer.retry_after_s > retries[i].max_s)
			fail_msg("row %zu: %s gave %lld", i, retries[i].path,
			    (long long)c->answer.retry_after_s);
}

static void
test_link(void **state)
{
	struct client *c = *state;
	char want[100];

	assert_int_equal(get(c, "/link"), 0);
	snprintf(want, sizeof(want), "http://127.0.0.1:%u/a?p=2&x=<", c->server.port);
	assert_string_equal(c->answer.next, want);
	assert_int_equal(get(c, "/link-absolute"), 0);
	assert_string_equal(c->answer.next, "https://example.org/api?p=1");
	assert_int_equal(get(c, "/link-file"), 0);
	assert_string_equal(c->answer.next, "");
}

static const struct {
	const char *path;
	int64_t left, reset_s;
} quotas[] = {
	{ "/quota", 499, 271 },
	{ "/quota-two", 3, 20 },
	{ "/quota-old", 7, 60 },
	{ "/quota-odd", -1, 0 },
};

static void
test_quota(void **state)
{
	struct client *c = *state;

	for (size_t i = 0; i < sizeof(quotas) / sizeof(quotas[0]); i++)
		if (get(c, quotas[i].path) == -1 || c->answer.quota_left != quotas[i].left ||
		    c->answer.quota_reset_s != quotas[i].reset_s)
			fail_msg("row %zu: %s gave %lld, %lld", i, quotas[i].path,
			    (long long)c->answer.quota_left, (long long)c->answer.quota_reset_s);
}

/* F-47: what stands in the environment or came as a cookie changes nothing. */
static void
test_request_is_plain(void **state)
{
	struct client *c = *state;

	setenv("http_proxy", "http://127.0.0.1:1/", 1);
	setenv("ALL_PROXY", "socks5://127.0.0.1:1/", 1);
	assert_int_equal(get(c, "/echo"), 0);
	assert_int_equal(get(c, "/echo"), 0);
	unsetenv("http_proxy");
	unsetenv("ALL_PROXY");
	assert_non_null(strstr(c->answer.body.buf, "\r\nUser-Agent: digest/"));
	assert_non_null(strstr(c->answer.body.buf, " (+ada@example.org)\r\n"));
	assert_non_null(strstr(c->answer.body.buf, "\r\nAccept-Encoding: "));
	assert_null(strstr(c->answer.body.buf, "Cookie"));
	assert_null(strstr(c->answer.body.buf, "Authorization"));
	assert_null(strstr(c->answer.body.buf, "If-"));
}

static void
test_body_bound_of_the_answer(void **state)
{
	struct client *c = *state;
	struct http_answer small;
	char url[100];

	http_answer_init(&small, 4);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/hello", c->server.port);
	assert_int_equal(http_get(c->http, url, "", "", &small, &c->err), -1);
	assert_non_null(strstr(c->err.msg, "larger than 4 bytes"));
	http_answer_release(&small);
}

static void
test_unreachable(void **state)
{
	struct client *c = *state;
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char url[100];

	/* A port that is bound but not listened on. */
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", ntohs(address.sin_port));
	assert_int_equal(http_get(c->http, url, "", "", &c->answer, &c->err), -1);
	assert_non_null(strstr(c->err.msg, "cannot connect"));
	close(fd);
}

/* A proxy that a person configured is used, also on loopback; private hosts are not asked through it. */
static void
test_proxy(void **state)
{
	struct client *c = *state;
	static const char *const hosts[] = { "10.0.0.1", "[fe80::1]", "0x7f.1", "2130706433" };
	char proxy[100];
	struct http_options options = c->options;
	struct http *http = NULL;
	unsigned before;

	snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%u", c->server.port);
	options.proxy = proxy;
	options.nallow_private = 0;
	assert_int_equal(http_new(&options, &http, &c->err), 0);
	before = *c->server.naccepts;
	assert_int_equal(
	    http_get(http, "http://papers.invalid/x", "", "", &c->answer, &c->err), -1);
	assert_int_equal(*c->server.naccepts, before + 1);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		char url[100];

		snprintf(url, sizeof(url), "http://%s/", hosts[i]);
		if (http_get(http, url, "", "", &c->answer, &c->err) != -1 ||
		    strstr(c->err.msg, "fetch.allow-private") == NULL)
			fail_msg("row %zu: %s gave '%s'", i, url, c->err.msg);
	}
	assert_int_equal(*c->server.naccepts, before + 1);
	http_free(http);
}

/* Jobs go on together: the silent one of them holds up none, and a descriptor of the caller's ends a wait. */
static void
test_many_at_once(void **state)
{
	static const char *const paths[] = { "/silence", "/hello", "/hop5", "/short", "/gzip" };
	enum { N = sizeof(paths) / sizeof(paths[0]) };
	struct client *c = *state;
	struct http_answer answers[N];
	struct http_job *jobs[N];
	struct pollfd fd;
	size_t ndone = 0;
	int pipes[2];

	for (size_t i = 0; i < N; i++) {
		char url[100];
		const struct http_request request = { url, "", "", 30 };

		snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", c->server.port, paths[i]);
		http_answer_init(&answers[i], MAX_BODY);
		assert_int_equal(http_start(c->http, &request, &answers[i], &jobs[i], &c->err), 0);
	}
	for (int turn = 0; turn < 10000 && ndone < N - 1; turn++) {
		assert_int_equal(http_wait(c->http, NULL, 0, 1000, &c->err), 0);
		ndone = 0;
		for (size_t i = 0; i < N; i++)
			ndone += http_is_done(jobs[i]);
	}
	assert_false(http_is_done(jobs[0]));
	assert_int_equal(pipe(pipes), 0);
	assert_int_equal(write(pipes[1], "x", 1), 1);
	fd = (struct pollfd){ .fd = pipes[0] };
	assert_int_equal(http_wait(c->http, &fd, 1, 60000, &c->err), 0);
	assert_int_equal(fd.revents, POLLIN);
	close(pipes[0]);
	close(pipes[1]);
	assert_int_equal(http_end(jobs[0], &c->err), -1);
	assert_non_null(strstr(c->err.msg, "broken off"));
	assert_int_equal(http_end(jobs[1], &c->err), 0);
	assert_string_equal(answers[1].body.buf, "hello");
	assert_int_equal(http_end(jobs[2], &c->err), 0);
	assert_string_equal(answers[2].body.buf, "here");
	assert_int_equal(http_end(jobs[3], &c->err), -1);
	assert_non_null(strstr(c->err.msg, "ends early"));
	assert_int_equal(http_end(jobs[4], &c->err), 0);
	assert_string_equal(answers[4].body.buf, "hello");
	for (size_t i = 0; i < N; i++)
		http_answer_release(&answers[i]);
}

/* F-42: endless answers and bombs in a process of its own, which says how much memory it had at most. */
static void
test_memory_of_bombs(void **state)
{
#if defined(__SANITIZE_ADDRESS__)
	(void)state;
	skip();
#else
	struct client *c = *state;
	struct rusage usage;
	int status;
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		struct http *http = NULL;
		int nfaults = 0;

		if (http_new(&c->options, &http, &c->err) == -1)
			_exit(100);
		c->http = http;
		nfaults += get(c, "/endless") == -1;
		nfaults += get(c, "/bomb") == -1;
		nfaults += get(c, "/headers") == -1;
		_exit(nfaults);
	}
	assert_int_equal(wait4(pid, &status, 0, &usage), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 3);
	assert_in_range(usage.ru_maxrss, 1, 64 * 1024);
#endif
}

/* F-47: a .netrc at home gives nobody a password. */
static void
test_netrc_is_ignored(void **state)
{
	static const char line[] = "machine 127.0.0.1 login me password secret\n";
	char dir[] = "/tmp/digest-test.XXXXXX", path[100];
	struct client *c = *state;
	FILE *file;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/.netrc", dir);
	assert_non_null(file = fopen(path, "w"));
	fputs(line, file);
	fclose(file);
	setenv("HOME", dir, 1);
	assert_int_equal(get(c, "/echo"), 0);
	assert_null(strstr(c->answer.body.buf, "Authorization"));
	unlink(path);
	rmdir(dir);
}

static void
test_contact_that_is_no_header(void **state)
{
	struct client *c = *state;
	struct http_options options = c->options;
	struct http *http = NULL;
	char longer[400];

	options.contact = "me\r\nX-Evil: 1";
	assert_int_equal(http_new(&options, &http, &c->err), -1);
	assert_int_equal(c->err.kind, ERR_CONFIG);
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	options.contact = longer;
	assert_int_equal(http_new(&options, &http, &c->err), -1);
	assert_null(http);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole_answers),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_urls_that_are_not_asked),
		cmocka_unit_test(test_headers_of_an_answer),
		cmocka_unit_test(test_conditional),
		cmocka_unit_test(test_retry_after),
		cmocka_unit_test(test_link),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_request_is_plain),
		cmocka_unit_test(test_body_bound_of_the_answer),
		cmocka_unit_test(test_unreachable),
		cmocka_unit_test(test_proxy),
		cmocka_unit_test(test_contact_that_is_no_header),
		cmocka_unit_test(test_many_at_once),
		cmocka_unit_test(test_memory_of_bombs),
		cmocka_unit_test(test_netrc_is_ignored),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
