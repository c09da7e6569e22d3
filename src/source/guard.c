#include "guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* IANA special-purpose registries (RFC 6890 and successors), IPv4: first address and prefix. */
static const struct {
	uint8_t bytes[4];
	unsigned prefix;
} closed_v4[] = {
	{ { 0, 0, 0, 0 }, 8 },
	{ { 10, 0, 0, 0 }, 8 },
	{ { 100, 64, 0, 0 }, 10 },
	{ { 127, 0, 0, 0 }, 8 },
	{ { 169, 254, 0, 0 }, 16 },
	{ { 172, 16, 0, 0 }, 12 },
	{ { 192, 0, 0, 0 }, 24 },
	{ { 192, 0, 2, 0 }, 24 },
	{ { 192, 88, 99, 0 }, 24 },
	{ { 192, 168, 0, 0 }, 16 },
	{ { 198, 18, 0, 0 }, 15 },
	{ { 198, 51, 100, 0 }, 24 },
	{ { 203, 0, 113, 0 }, 24 },
	{ { 224, 0, 0, 0 }, 4 },
	{ { 240, 0, 0, 0 }, 4 },
};

/* IPv6: only 2000::/3 is handed out, so everything else is closed; inside it these are. */
static const struct cidr closed_v6[] = {
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, /* documentation */
	{ { 0x20, 0x01, 0x00, 0x00 }, 23 }, /* protocol assignments: Teredo, ORCHID, benchmarking */
	{ { 0x3f, 0xff }, 20 },		    /* documentation, RFC 9637 */
};

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };
static const uint8_t nat64[12] = { 0, 0x64, 0xff, 0x9b };

static bool
has_prefix(const uint8_t *bytes, const uint8_t *net, unsigned prefix)
{
	unsigned whole = prefix / 8, rest = prefix % 8;

	if (memcmp(bytes, net, whole) != 0)
		return false;
	return rest == 0 || ((bytes[whole] ^ net[whole]) & (0xff00u >> rest) & 0xffu) == 0;
}

static bool
is_public_v4(const uint8_t *bytes)
{
	for (size_t i = 0; i < sizeof(closed_v4) / sizeof(closed_v4[0]); i++)
		if (has_prefix(bytes, closed_v4[i].bytes, closed_v4[i].prefix))
			return false;
	return true;
}

static bool
is_public(const uint8_t *bytes)
{
	if (memcmp(bytes, mapped, sizeof(mapped)) == 0 || memcmp(bytes, nat64, sizeof(nat64)) == 0)
		return is_public_v4(bytes + 12);
	if ((bytes[0] & 0xe0) != 0x20)
		return false;
	if (bytes[0] == 0x20 && bytes[1] == 0x02) /* 6to4, RFC 3056 */
		return is_public_v4(bytes + 2);
	for (size_t i = 0; i < sizeof(closed_v6) / sizeof(closed_v6[0]); i++)
		if (has_prefix(bytes, closed_v6[i].bytes, closed_v6[i].prefix))
			return false;
	return true;
}

/* The address as 16 bytes; false for families that are no internet address. */
static bool
get_bytes(const struct sockaddr *address, uint8_t out[16])
{
	if (address->sa_family == AF_INET6) {
		memcpy(out, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
		return true;
	}
	if (address->sa_family != AF_INET)
		return false;
	memcpy(out, mapped, sizeof(mapped));
	memcpy(out + 12, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
	return true;
}

bool
guard_allows(const struct sockaddr *address, const struct cidr *allowed, size_t nallowed)
{
	uint8_t bytes[16];

	if (!get_bytes(address, bytes))
		return false;
	for (size_t i = 0; i < nallowed; i++)
		if (has_prefix(bytes, allowed[i].bytes, allowed[i].prefix))
			return true;
	return is_public(bytes);
}

int
cidr_parse(const char *text, struct cidr *out, struct error *err)
{
	char host[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t len = slash != NULL ? (size_t)(slash - text) : strlen(text);
	unsigned base, max;
	char *end;
	long prefix;

	if (len >= sizeof(host))
		goto bad;
	memcpy(host, text, len);
	host[len] = '\0';
	if (inet_pton(AF_INET, host, out->bytes + 12) == 1) {
		memcpy(out->bytes, mapped, sizeof(mapped));
		base = 96;
	} else if (inet_pton(AF_INET6, host, out->bytes) == 1) {
		base = 0;
	} else {
		goto bad;
	}
	max = 128 - base;
	prefix = slash != NULL ? strtol(slash + 1, &end, 10) : (long)max;
	if (prefix < 0 || prefix > (long)max ||
	    (slash != NULL && (end == slash + 1 || *end != '\0')))
		goto bad;
	out->prefix = base + (unsigned)prefix;
	return 0;
bad:
	return err_set(err, ERR_CONFIG,
	    "'%s' is not a block of addresses; expected one as 127.0.0.0/8 or fd00::/8", text);
}
