#include "guard.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { ADDRESS_BYTES = 16, ADDRESS_BITS = 128, MAPPED_BITS = 96 };

struct range {
	unsigned char prefix[ADDRESS_BYTES]; /* the rest is zero */
	unsigned bits;
	const char *name;
};

/* Where IPv6 holds an IPv4 address: it must be public as well. */
struct embedding {
	unsigned char prefix[ADDRESS_BYTES];
	unsigned bits;
	unsigned at; /* byte where the IPv4 address begins */
};

static const unsigned char mapped_prefix[ADDRESS_BYTES] = { [10] = 0xff, [11] = 0xff };

/* RFC 6890 and the registry it made; prefixes are those of IPv4 alone. */
static const struct range ranges4[] = {
	{ { 0 }, 8, "null" },
	{ { 10 }, 8, "private" },
	{ { 100, 64 }, 10, "shared" },
	{ { 127 }, 8, "loopback" },
	{ { 169, 254 }, 16, "link-local" },
	{ { 172, 16 }, 12, "private" },
	{ { 192, 0, 0 }, 24, "reserved" },
	{ { 192, 0, 2 }, 24, "documentation" },
	{ { 192, 88, 99 }, 24, "reserved" },
	{ { 192, 168 }, 16, "private" },
	{ { 198, 18 }, 15, "benchmarking" },
	{ { 198, 51, 100 }, 24, "documentation" },
	{ { 203, 0, 113 }, 24, "documentation" },
	{ { 224 }, 4, "multicast" },
	{ { 240 }, 4, "reserved" },
};

/* The first that holds the address names it; what no row holds is public only inside 2000::/3 (RFC 4291 2.4). */
static const struct range ranges6[] = {
	{ { 0 }, 128, "null" },
	{ { [15] = 1 }, 128, "loopback" },
	{ { 0xfe, 0x80 }, 10, "link-local" },
	{ { 0xfe, 0xc0 }, 10, "private" },
	{ { 0xfc }, 7, "private" },
	{ { 0xff }, 8, "multicast" },
	{ { 0x20, 0x01, 0x00 }, 23, "reserved" }, /* Teredo and other protocols, RFC 2928 */
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32, "documentation" },
	{ { 0x3f, 0xff }, 20, "documentation" },
};

static const struct range global_unicast = { { 0x20 }, 3, "global" };

static const struct embedding embeddings[] = {
	{ { [10] = 0xff, [11] = 0xff }, 96, 12 }, /* mapped, RFC 4291 2.5.5.2 */
	{ { 0x20, 0x02 }, 16, 2 },		  /* 6to4, RFC 3056 */
	{ { 0x00, 0x64, 0xff, 0x9b }, 96, 12 },	  /* NAT64, RFC 6052 */
};

static bool
has_prefix(const unsigned char *address, const unsigned char *prefix, unsigned bits)
{
	unsigned nbytes = bits / CHAR_BIT, rest = bits % CHAR_BIT;

	if (memcmp(address, prefix, nbytes) != 0)
		return false;
	return rest == 0 || (address[nbytes] ^ prefix[nbytes]) >> (CHAR_BIT - rest) == 0;
}

static const char *
refusal4(const unsigned char *address)
{
	for (size_t i = 0; i < sizeof(ranges4) / sizeof(ranges4[0]); i++)
		if (has_prefix(address, ranges4[i].prefix, ranges4[i].bits))
			return ranges4[i].name;
	return NULL;
}

static const char *
refusal6(const unsigned char *address)
{
	for (size_t i = 0; i < sizeof(embeddings) / sizeof(embeddings[0]); i++)
		if (has_prefix(address, embeddings[i].prefix, embeddings[i].bits))
			return refusal4(address + embeddings[i].at);
	for (size_t i = 0; i < sizeof(ranges6) / sizeof(ranges6[0]); i++)
		if (has_prefix(address, ranges6[i].prefix, ranges6[i].bits))
			return ranges6[i].name;
	return has_prefix(address, global_unicast.prefix, global_unicast.bits) ? NULL : "reserved";
}

/* The 16 bytes of an address, IPv4 mapped. False for other families. */
static bool
read_address(const struct sockaddr *address, unsigned char out[ADDRESS_BYTES])
{
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;

	if (address->sa_family == AF_INET) {
		memcpy(&in4, address, sizeof(in4));
		memcpy(out, mapped_prefix, ADDRESS_BYTES);
		memcpy(out + 12, &in4.sin_addr, 4);
		return true;
	}
	if (address->sa_family == AF_INET6) {
		memcpy(&in6, address, sizeof(in6));
		memcpy(out, &in6.sin6_addr, ADDRESS_BYTES);
		return true;
	}
	return false;
}

const char *
guard_refusal(const struct cidr *allowed, size_t nallowed, const struct sockaddr *address)
{
	unsigned char bytes[ADDRESS_BYTES];

	if (!read_address(address, bytes))
		return "not an internet address";
	for (size_t i = 0; i < nallowed; i++)
		if (has_prefix(bytes, allowed[i].address, allowed[i].bits))
			return NULL;
	return refusal6(bytes);
}

void
guard_format(const struct sockaddr *address, char *out, size_t size)
{
	unsigned char bytes[ADDRESS_BYTES];
	bool mapped;

	out[0] = '\0';
	if (!read_address(address, bytes))
		return;
	mapped = has_prefix(bytes, mapped_prefix, MAPPED_BITS);
	if (inet_ntop(mapped ? AF_INET : AF_INET6, mapped ? bytes + 12 : bytes, out,
		(socklen_t)size) == NULL)
		out[0] = '\0';
}

/* "0".."128", nothing else. */
static int
parse_bits(const char *text, unsigned max_bits, unsigned *out)
{
	char *end;
	unsigned long n;

	if (*text < '0' || *text > '9')
		return -1;
	n = strtoul(text, &end, 10);
	if (*end != '\0' || n > max_bits)
		return -1;
	*out = (unsigned)n;
	return 0;
}

int
guard_parse_cidr(const char *text, struct cidr *out, struct error *err)
{
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	char host[INET6_ADDRSTRLEN];
	struct cidr range = { { 0 }, ADDRESS_BITS };
	bool is4;

	if (len >= sizeof(host))
		goto bad;
	memcpy(host, text, len);
	host[len] = '\0';
	memcpy(range.address, mapped_prefix, ADDRESS_BYTES);
	is4 = inet_pton(AF_INET, host, range.address + 12) == 1;
	if (!is4 && inet_pton(AF_INET6, host, range.address) != 1)
		goto bad;
	if (slash != NULL) {
		if (parse_bits(slash + 1, is4 ? 32 : ADDRESS_BITS, &range.bits) == -1)
			goto bad;
		range.bits += is4 ? MAPPED_BITS : 0;
	}
	*out = range;
	return 0;
bad:
	return err_set(err, ERR_CONFIG,
	    "fetch.allow-private: '%s' is not a range of addresses; expected one like 127.0.0.0/8",
	    text);
}
