/* Where the HTTP client is led by what it is told: names that change their address, redirects, and the environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http_server.h"
#include "source/http_job.h"

enum { MAX_BODY = 100000 };

static const char *const here[] = { "127.0.0.1/32" };

struct client {
	struct http_server server;
	struct http_options options;
	struct http *http;
	struct http_answer answer;
	struct error err;
};

/* "/to?TARGET" redirects there; "/hop?N" on to N - 1, the last of them answers. Everything else gives the request back. */
static void
serve(int fd, unsigned port, const char *request)
{
	static const char head[] = "HTTP/1.0 200 OK\r\nSet-Cookie: crumb=1; Path=/\r\n\r\n";
	char target[500] = "", answer[800];
	int nhops = 0;

	(void)port;
	if (sscanf(request, "GET /hop?%d ", &nhops) == 1 && nhops > 0)
		snprintf(target, sizeof(target), "/hop?%d", nhops - 1);
	else
		sscanf(request, "GET /to?%499s", target);
	if (target[0] != '\0') {
		snprintf(answer, sizeof(answer),
		    "HTTP/1.0 302 There\r\nSet-Cookie: crumb=1; Path=/\r\nLocation: %s\r\n\r\n",
		    target);
		http_server_send(fd, answer, strlen(answer));
		return;
	}
	http_server_send(fd, head, sizeof(head) - 1);
	http_server_send(fd, request, strlen(request));
}

static int
setup(void **state)
{
	struct client *c = calloc(1, sizeof(*c));

	if (c == NULL || http_server_start(&c->server, serve) == -1)
		return -1;
	c->options = (struct http_options){ .timeout_s = 20,
		.max_body = MAX_BODY,
		.contact = "",
		.proxy = "",
		.allow_private = here,
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

/*
 * Ask for a path at a host, whose name service answers "127.0.0.1" or "127.0.0.2,127.0.0.1": libcurl takes it in place of
 * an answer over the network, and everything behind it is as ever.
 */
static int
get_named(struct client *c, const char *host, const char *addresses, const char *path)
{
	char url[700], entry[300];
	const struct http_request request = { url, "", "", 0 };
	struct curl_slist *names;
	struct http_job *job;
	int rc;

	snprintf(url, sizeof(url), "http://%s:%u%s", host, c->server.port, path);
	snprintf(entry, sizeof(entry), "%s:%u:%s", host, c->server.port, addresses);
	err_clear(&c->err);
	if (http_start(c->http, &request, &c->answer, &job, &c->err) == -1)
		return -1;
	assert_non_null(names = curl_slist_append(NULL, entry));
	assert_int_equal(curl_easy_setopt(job->curl, CURLOPT_RESOLVE, names), CURLE_OK);
	while (!http_is_done(job))
		assert_int_equal(http_wait(c->http, NULL, 0, 1000, &c->err), 0);
	rc = http_end(job, &c->err);
	curl_slist_free_all(names);
	return rc;
}

/* At another address of this machine, on the port of the server; -1 where it has none. */
static int
listen_elsewhere(unsigned port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	inet_pton(AF_INET, "127.0.0.2", &address.sin_addr);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, 8) == 0)
		return fd;
	close(fd);
	return -1;
}

/* F-46: the name leads to a host that may be asked, and then to one that may not. Only the first is connected to. */
static void
test_name_that_changes_its_address(void **state)
{
	struct client *c = *state;
	int elsewhere = listen_elsewhere(c->server.port);
	unsigned before = *c->server.naccepts;

	if (elsewhere == -1)
		skip();
	assert_int_equal(get_named(c, "rebind.invalid", "127.0.0.1", "/"), 0);
	assert_int_equal(*c->server.naccepts, before + 1);
	assert_int_equal(get_named(c, "rebind.invalid", "127.0.0.2", "/"), -1);
	assert_non_null(strstr(c->err.msg, "127.0.0.2 is a loopback address and was not asked"));
	/* Both at once: the one is passed over, the other asked. */
	assert_int_equal(get_named(c, "both.invalid", "127.0.0.2,127.0.0.1", "/"), 0);
	assert_int_equal(*c->server.naccepts, before + 2);
	assert_int_equal(accept(elsewhere, NULL, NULL), -1);
	close(elsewhere);
}

static const struct {
	const char *host, *addresses, *words;
} private_names[] = {
	{ "metadata.google.internal", "169.254.169.254",
	    "169.254.169.254 is a link-local address" },
	{ "metadata.google.internal.", "169.254.169.254", "is a link-local address" },
	{ "metadata", "169.254.169.254", "is a link-local address" },
	{ "instance-data.ec2.internal", "[fd00:ec2::254]", "fd00:ec2::254 is a private address" },
	{ "kubernetes.default.svc", "10.96.0.1", "10.96.0.1 is a private address" },
	{ "localtest.example", "[::1]", "::1 is a loopback address" },
	{ "mapped.example", "[::ffff:10.0.0.1]", "10.0.0.1 is a private address" },
	{ "six.example", "[2002:7f00:1::1]", "2002:7f00:1::1 is a loopback address" },
	{ "nat.example", "[64:ff9b::a9fe:a9fe]", "is a link-local address" },
	{ "any.example", "0.0.0.0", "0.0.0.0 is a null address" },
	{ "many.example", "10.0.0.1,192.168.0.1,[fe80::1]", "address and was not asked" },
};

static void
test_names_of_private_hosts(void **state)
{
	struct client *c = *state;
	unsigned before = *c->server.naccepts;

	for (size_t i = 0; i < sizeof(private_names) / sizeof(private_names[0]); i++)
		if (get_named(c, private_names[i].host, private_names[i].addresses, "/") != -1 ||
		    c->err.kind != ERR_NET || strstr(c->err.msg, private_names[i].words) == NULL)
			fail_msg("row %zu: %s gave '%s'", i, private_names[i].host, c->err.msg);
	assert_int_equal(*c->server.naccepts, before);
}

static int
get_by_redirect(struct client *c, const char *target)
{
	char url[700];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u/to?%s", c->server.port, target);
	err_clear(&c->err);
	return http_get(c->http, url, "", "", &c->answer, &c->err);
}

/* F-44 */
static void
test_schemes_of_redirects(void **state)
{
	static const char *const schemes[] = { "file:///etc/passwd", "file:/etc/passwd",
		"file://localhost/etc/passwd", "FILE:///etc/passwd", "ftp://127.0.0.1:%u/",
		"ftps://127.0.0.1:%u/", "gopher://127.0.0.1:%u/_GET", "dict://127.0.0.1:%u/d:x",
		"smtp://127.0.0.1:%u/x", "smtps://127.0.0.1:%u/", "ldap://127.0.0.1:%u/",
		"tftp://127.0.0.1:%u/x", "telnet://127.0.0.1:%u/", "rtsp://127.0.0.1:%u/",
		"scp://127.0.0.1:%u/x", "smb://127.0.0.1:%u/x", "imap://127.0.0.1:%u/",
		"pop3://127.0.0.1:%u/", "mqtt://127.0.0.1:%u/x", "ws://127.0.0.1:%u/",
		"data:text/plain,x", "javascript:alert(1)", "about:blank",
		"jar:http://127.0.0.1/!/" };
	struct client *c = *state;

	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		const char *mark = strstr(schemes[i], "%u");
		unsigned before = *c->server.naccepts;
		char target[200];

		if (mark != NULL)
			snprintf(target, sizeof(target), "%.*s%u%s", (int)(mark - schemes[i]),
			    schemes[i], c->server.port, mark + 2);
		else
			snprintf(target, sizeof(target), "%s", schemes[i]);
		if (get_by_redirect(c, target) != -1 || c->err.kind != ERR_NET ||
		    strstr(c->err.msg, "only http and https are fetched") == NULL ||
		    *c->server.naccepts != before + 1)
			fail_msg("row %zu: %s gave '%s'", i, target, c->err.msg);
	}
}

/* F-44: from https one may not be sent to where others listen. */
static void
test_downgrade(void **state)
{
	struct http_target t = { .url = curl_url() };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(http_set_target(&t, "https://papers.example/a", false, &err), 0);
	assert_int_equal(http_set_target(&t, "/b", true, &err), 0);
	assert_true(t.https);
	assert_int_equal(http_set_target(&t, "//other.example/c", true, &err), 0);
	assert_true(t.https);
	assert_int_equal(http_set_target(&t, "http://papers.example/a", true, &err), -1);
	assert_string_equal(err.msg, "redirect to 'http://papers.example/a', from https to http");
	curl_url_cleanup(t.url);
	t = (struct http_target){ .url = curl_url() };
	assert_int_equal(http_set_target(&t, "http://papers.example/a", false, &err), 0);
	assert_int_equal(http_set_target(&t, "HTTPS://papers.example/a", true, &err), 0);
	assert_true(t.https);
	assert_int_equal(http_set_target(&t, "HTTP://papers.example/a", true, &err), -1);
	curl_url_cleanup(t.url);
}

static void
test_many_hops(void **state)
{
	static const struct {
		int nhops;
		bool good;
		unsigned naccepts;
	} rows[] = { { 0, true, 1 }, { 5, true, 6 }, { 6, false, 6 }, { 50, false, 6 } };
	struct client *c = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unsigned before = *c->server.naccepts;
		char url[100];

		snprintf(
		    url, sizeof(url), "http://127.0.0.1:%u/hop?%d", c->server.port, rows[i].nhops);
		err_clear(&c->err);
		if ((http_get(c->http, url, "", "", &c->answer, &c->err) == 0) != rows[i].good ||
		    (!rows[i].good && strstr(c->err.msg, "more than 5 redirects") == NULL) ||
		    *c->server.naccepts != before + rows[i].naccepts)
			fail_msg("row %zu: %u connects, '%s'", i, *c->server.naccepts - before,
			    c->err.msg);
	}
}

/* F-47: a proxy that the environment names is not even connected to. */
static void
test_proxies_of_the_environment(void **state)
{
	static const char *const names[] = { "http_proxy", "HTTP_PROXY", "https_proxy",
		"HTTPS_PROXY", "all_proxy", "ALL_PROXY" };
	struct client *c = *state;
	struct http_server proxy;
	char url[100], entry[100];

	assert_int_equal(http_server_start(&proxy, serve), 0);
	snprintf(entry, sizeof(entry), "http://127.0.0.1:%u/", proxy.port);
	unsetenv("no_proxy");
	unsetenv("NO_PROXY");
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		setenv(names[i], entry, 1);
	snprintf(url, sizeof(url), "http://127.0.0.1:%u/", c->server.port);
	assert_int_equal(http_get(c->http, url, "", "", &c->answer, &c->err), 0);
	assert_int_equal(get_named(c, "papers.invalid", "127.0.0.1", "/"), 0);
	assert_int_equal(get_by_redirect(c, "/there"), 0);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
	assert_int_equal(*proxy.naccepts, 0);
	http_server_stop(&proxy);
}

/* F-47: what a host set or a home holds goes neither back to that host nor on to another. */
static void
test_no_secret_on_the_way(void **state)
{
	static const char netrc[] = "machine 127.0.0.1 login me password secret\n"
				    "default login me password secret\n";
	static const char *const headers[] = { "\r\nCookie:", "\r\nAuthorization:",
		"\r\nProxy-Authorization:", "\r\nReferer:", "crumb", "secret" };
	char dir[] = "/tmp/digest-test.XXXXXX", path[100], target[100];
	struct client *c = *state;
	FILE *file;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/.netrc", dir);
	assert_non_null(file = fopen(path, "w"));
	fputs(netrc, file);
	fclose(file);
	setenv("HOME", dir, 1);
	setenv("NETRC", path, 1);
	snprintf(target, sizeof(target), "http://127.1:%u/other", c->server.port);
	for (int turn = 0; turn < 2; turn++) {
		assert_int_equal(get_by_redirect(c, turn == 0 ? "/same" : target), 0);
		for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
			if (strstr(c->answer.body.buf, headers[i]) != NULL)
				fail_msg("turn %d: %s in %s", turn, headers[i], c->answer.body.buf);
	}
	unsetenv("NETRC");
	unlink(path);
	rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_name_that_changes_its_address),
		cmocka_unit_test(test_names_of_private_hosts),
		cmocka_unit_test(test_schemes_of_redirects),
		cmocka_unit_test(test_downgrade),
		cmocka_unit_test(test_many_hops),
		cmocka_unit_test(test_proxies_of_the_environment),
		cmocka_unit_test(test_no_secret_on_the_way),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
