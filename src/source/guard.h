/* guard.h - which addresses a source may be fetched from. */
#ifndef DIGEST_SOURCE_GUARD_H
#define DIGEST_SOURCE_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "digest/error.h"

/* A block of addresses; IPv4 ones as their mapped form ::ffff:a.b.c.d with prefix + 96. */
struct cidr {
	uint8_t bytes[16];
	unsigned prefix;	/* 0..128 */
};

/* "127.0.0.0/8", "fd00::/8", or one address. Fails with ERR_CONFIG. */
int	cidr_parse(const char *text, struct cidr *out, struct error *err);

/*
 * False for everything that is not the public internet (loopback, private, link-local, shared, multicast, reserved, unspecified),
 * also when an IPv4 address hides in a mapped, 6to4, Teredo or NAT64 form, unless one of the allowed blocks holds the
 * address as it is.
 */
bool	guard_allows(const struct sockaddr *address, const struct cidr *allowed, size_t nallowed);

#endif
