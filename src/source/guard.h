/* guard.h - which numeric addresses a source may be fetched from. The check is made on the address a connection is
 * about to go to, not on its text: names, odd spellings and redirects all end there (RFC 6890 lists the ranges). */
#ifndef DIGEST_GUARD_H
#define DIGEST_GUARD_H

#include <stddef.h>

#include "digest/error.h"

struct sockaddr;

/* A range of addresses; IPv4 stands as ::ffff:a.b.c.d, so bits is 0..128 for both. */
struct cidr {
	unsigned char address[16];
	unsigned bits;
};

/* "127.0.0.0/8", "fd00::/8"; without "/" one address. Fails with ERR_CONFIG. */
int	guard_parse_cidr(const char *text, struct cidr *out, struct error *err);

/*
 * Whether address may be connected to: it is public, or one of the allowed ranges holds it. An IPv4 address inside an
 * IPv6 one (mapped, 6to4, NAT64) must be public too; to allow one of these forms its IPv6 range must be allowed,
 * only mapped ones count as the IPv4 address itself.
 * Returns NULL when it may, else the name of the range it is in: "loopback".
 */
const char *guard_refusal(const struct cidr *allowed, size_t nallowed, const struct sockaddr *address);

/* The address as text for messages: "127.0.0.1", "fe80::1"; out has room for size >= 46 bytes. */
void	guard_format(const struct sockaddr *address, char *out, size_t size);

#endif
