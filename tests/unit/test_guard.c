/* Ranges of addresses, and that nothing is connected to that the guard refuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "digest/http.h"
#include "http_server.h"

static const struct {
	const char *address;
	bool allowed;
} addresses[] = {
	{ "8.8.8.8", true },
	{ "1.0.0.1", true },
	{ "9.255.255.255", true },
	{ "11.0.0.0", true },
	{ "100.63.255.255", true },
	{ "100.128.0.0", true },
	{ "172.15.255.255", true },
	{ "172.32.0.0", true },
	{ "192.0.1.0", true },
	{ "198.17.255.255", true },
	{ "198.20.0.0", true },
	{ "223.255.255.255", true },
	{ "2606:4700::1111", true },
	{ "2a00:1450::1", true },
	{ "::ffff:8.8.8.8", true },
	{ "2002:0808:0808::1", true },
	{ "64:ff9b::8.8.8.8", true },
	{ "0.0.0.0", false },
	{ "0.255.255.255", false },
	{ "10.0.0.0", false },
	{ "10.255.255.255", false },
	{ "100.64.0.0", false },
	{ "100.127.255.255", false },
	{ "127.0.0.1", false },
	{ "127.255.255.254", false },
	{ "169.254.169.254", false },
	{ "172.16.0.0", false },
	{ "172.31.255.255", false },
	{ "192.0.0.1", false },
	{ "192.0.2.1", false },
	{ "192.168.255.255", false },
	{ "198.18.0.0", false },
	{ "198.19.255.255", false },
	{ "198.51.100.7", false },
	{ "203.0.113.7", false },
	{ "224.0.0.1", false },
	{ "239.255.255.255", false },
	{ "240.0.0.1", false },
	{ "255.255.255.255", false },
	{ "::", false },
	{ "::1", false },
	{ "::127.0.0.1", false },
	{ "::ffff:127.0.0.1", false },
	{ "::ffff:10.1.2.3", false },
	{ "::ffff:a9fe:a9fe", false },
	{ "2002:7f00:1::", false },
	{ "2002:0a00:0001::1", false },
	{ "2002:a9fe:a9fe::", false },
	{ "64:ff9b::127.0.0.1", false },
	{ "64:ff9b::10.0.0.1", false },
	{ "64:ff9b:1::1", false },
	{ "fe80::1", false },
	{ "febf::1", false },
	{ "fec0::1", false },
	{ "fc00::1", false },
	{ "fdff::1", false },
	{ "ff02::1", false },
	{ "2001::1", false },
	{ "2001:db8::1", false },
	{ "3fff::1", false },
	{ "100::1", false },
	{ "4000::1", false },
};

static void
read_numeric(const char *text, struct sockaddr_storage *out)
{
	struct sockaddr_in in4 = { .sin_family = AF_INET };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &in4.sin_addr) == 1)
		memcpy(out, &in4, sizeof(in4));
	else if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1)
		memcpy(out, &in6, sizeof(in6));
	else
		fail_msg("'%s' is no address", text);
}

static struct http *
new_client(struct http_options *options, const char *const *allowed, size_t n)
{
	struct http *http = NULL;
	struct error err = { 0 };

	*options = (struct http_options){ .timeout_s = n > 0 ? 20 : 1,
		.max_body = 1000,
		.contact = "",
		.proxy = "",
		.allow_private = allowed,
		.nallow_private = n };
	if (http_new(options, &http, &err) == -1)
		fail_msg("%s", err.msg);
	return http;
}

static void
test_addresses(void **state)
{
	struct http_options options;
	struct http *http = new_client(&options, NULL, 0);

	(void)state;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		struct sockaddr_storage a;

		read_numeric(addresses[i].address, &a);
		if (http_address_allowed(http, (struct sockaddr *)&a) != addresses[i].allowed)
			fail_msg("row %zu: %s", i, addresses[i].address);
	}
	http_free(http);
}

static void
test_other_family_is_refused(void **state)
{
	struct http_options options;
	struct http *http = new_client(&options, NULL, 0);
	struct sockaddr a = { .sa_family = AF_UNIX };

	(void)state;
	assert_false(http_address_allowed(http, &a));
	http_free(http);
}

static const struct {
	const char *cidr, *address;
	bool allowed;
} ranges[] = {
	{ "127.0.0.0/8", "127.9.9.9", true },
	{ "127.0.0.0/8", "::ffff:127.0.0.1", true },
	{ "127.0.0.0/8", "2002:7f00:1::", false }, /* another host altogether */
	{ "127.0.0.0/8", "64:ff9b::127.0.0.1", false },
	{ "127.0.0.0/8", "10.0.0.1", false },
	{ "127.0.0.0/8", "::1", false },
	{ "127.0.0.1", "127.0.0.1", true },
	{ "127.0.0.1", "127.0.0.2", false },
	{ "10.1.2.3/12", "10.15.0.1", true },
	{ "10.1.2.3/12", "10.16.0.1", false },
	{ "0.0.0.0/0", "192.168.1.1", true },
	{ "0.0.0.0/0", "::1", false },
	{ "::1", "::1", true },
	{ "fd00::/8", "fd12::1", true },
	{ "fd00::/8", "fe80::1", false },
	{ "::ffff:10.0.0.0/104", "10.9.9.9", true },
	{ "::/0", "127.0.0.1", true },
};

static void
test_allowed_ranges(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		struct http_options options;
		struct http *http = new_client(&options, &ranges[i].cidr, 1);
		struct sockaddr_storage a;

		read_numeric(ranges[i].address, &a);
		if (http_address_allowed(http, (struct sockaddr *)&a) != ranges[i].allowed)
			fail_msg("row %zu: %s in %s", i, ranges[i].address, ranges[i].cidr);
		http_free(http);
	}
}

static void
test_broken_ranges(void **state)
{
	static const char *const broken[] = { "", "localhost", "127.1", "127.0.0.1/33", "::1/129",
		"127.0.0.1/", "127.0.0.1/8x", "127.0.0.1/-1", "127.0.0.1/ 8", "127.0.0.1/8/8", "*",
		"/8", "1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111:2222/8" };

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		const struct http_options options = { .timeout_s = 1,
			.max_body = 10,
			.contact = "",
			.proxy = "",
			.allow_private = &broken[i],
			.nallow_private = 1 };
		struct http *http = NULL;
		struct error err = { 0 };

		if (http_new(&options, &http, &err) != -1 || err.kind != ERR_CONFIG ||
		    strstr(err.msg, "fetch.allow-private") == NULL || http != NULL)
			fail_msg("row %zu: '%s' gave '%s'", i, broken[i], err.msg);
	}
}

/* Spellings that reach 127.0.0.1 or a private host in one program or another. */
static const char *const spellings[] = {
	"127.0.0.1",
	"localhost",
	"LOCALHOST",
	"localhost.",
	"127.1",
	"127.0.1",
	"2130706433",
	"0x7f000001",
	"0X7F000001",
	"0x7f.0.0.1",
	"0x7f.1",
	"0177.0.0.1",
	"017700000001",
	"00000177.0.0.01",
	"0",
	"0.0.0.0",
	"0x0",
	"127.127.127.127",
	"127.0.0.1.",
	"%31%32%37.0.0.1",
	"[::]",
	"[::1]",
	"[0:0:0:0:0:0:0:1]",
	"[0000::0001]",
	"[::ffff:127.0.0.1]",
	"[::ffff:7f00:1]",
	"[::ffff:7f00:0001]",
	"[0:0:0:0:0:ffff:7f00:1]",
	"[::127.0.0.1]",
	"[64:ff9b::127.0.0.1]",
	"[64:ff9b::7f00:1]",
	"[2002:7f00:1::]",
	"[2002:7f00:1::1]",
	"[fe80::1]",
	"[fc00::1]",
	"[fd00:ec2::254]",
	"10.0.0.1",
	"172.16.0.1",
	"192.168.0.1",
	"169.254.169.254",
	"0xa9fea9fe",
	"2852039166",
	"100.64.0.1",
	"100.100.100.200",
	"198.18.0.1",
	"192.0.0.192",
	"224.0.0.251",
	"255.255.255.255",
	"①②⑦.⓪.⓪.①",
	"127。0。0。1",
};

static void
serve_hello(int fd, unsigned port, const char *request)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi";

	(void)port;
	(void)request;
	http_server_send(fd, answer, sizeof(answer) - 1);
}

/* "/N/PORT": to the spelling of that number. */
static void
serve_redirect(int fd, unsigned port, const char *request)
{
	char answer[400];
	unsigned i = 0, target = 0;

	(void)port;
	if (sscanf(request, "GET /%u/%u ", &i, &target) != 2 ||
	    i >= sizeof(spellings) / sizeof(spellings[0]))
		return;
	snprintf(answer, sizeof(answer), "HTTP/1.0 302 There\r\nLocation: http://%s:%u/\r\n\r\n",
	    spellings[i], target);
	http_server_send(fd, answer, strlen(answer));
}

static void
test_no_spelling_is_redirected_to(void **state)
{
	static const char *const allowed[] = { "127.0.0.9/32" };
	struct http_server server = { 0 }, redirector = { 0 };
	struct http_options options;
	struct http_answer answer;
	struct http *http;

	(void)state;
	if (http_server_start(&server, serve_hello) == -1 ||
	    http_server_start_at(&redirector, "127.0.0.9", serve_redirect) == -1)
		fail_msg("no loopback");
	http_answer_init(&answer, 1000);
	http = new_client(&options, allowed, 1);
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		char url[200];
		struct error err = { 0 };

		snprintf(url, sizeof(url), "http://127.0.0.9:%u/%zu/%u", redirector.port, i,
		    server.port);
		if (http_get(http, url, "", "", &answer, &err) != -1 || *server.naccepts != 0 ||
		    *redirector.naccepts != i + 1)
			fail_msg("row %zu: %s was redirected to", i, spellings[i]);
	}
	http_free(http);
	http_answer_release(&answer);
	http_server_stop(&redirector);
	http_server_stop(&server);
}

static void
test_no_spelling_connects(void **state)
{
	struct http_options options;
	struct http *http;
	struct http_answer answer;
	struct http_server server = { 0 };
	static const char *const loopback[] = { "127.0.0.0/8" };

	(void)state;
	if (http_server_start(&server, serve_hello) == -1)
		fail_msg("no loopback");
	http_answer_init(&answer, 1000);
	http = new_client(&options, NULL, 0);
	for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
		char url[200];
		struct error err = { 0 };

		snprintf(url, sizeof(url), "http://%s:%u/", spellings[i], server.port);
		if (http_get(http, url, "", "", &answer, &err) != -1 || *server.naccepts != 0)
			fail_msg("row %zu: %s was connected to", i, url);
		if (i == 0 && strstr(err.msg, "127.0.0.1 is a loopback address") == NULL)
			fail_msg("%s", err.msg);
		if (i == 0 && strstr(err.msg, "fetch.allow-private") == NULL)
			fail_msg("%s", err.msg);
	}
	http_free(http);
	/* The same server is there for who may ask it. */
	http = new_client(&options, loopback, 1);
	for (size_t i = 0; i < 2; i++) {
		char url[200];
		struct error err = { 0 };

		snprintf(url, sizeof(url), "http://%s:%u/", spellings[i], server.port);
		if (http_get(http, url, "", "", &answer, &err) == -1)
			fail_msg("%s", err.msg);
	}
	assert_int_equal(*server.naccepts, 2);
	http_free(http);
	http_answer_release(&answer);
	http_server_stop(&server);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_other_family_is_refused),
		cmocka_unit_test(test_allowed_ranges),
		cmocka_unit_test(test_broken_ranges),
		cmocka_unit_test(test_no_spelling_connects),
		cmocka_unit_test(test_no_spelling_is_redirected_to),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
