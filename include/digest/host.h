/* host.h - hosts as a person writes them; no name is looked up. */
#ifndef DIGEST_HOST_H
#define DIGEST_HOST_H

#include <stdbool.h>

/*
 * This machine by the text alone: localhost in any case, an IPv4 address of 127.0.0.0/8 as four numbers, ::1 in any of its
 * spellings (RFC 4291 2.2), also as ::ffff:127.0.0.1.
 * host		a name or an address without brackets
 */
bool	host_is_loopback(const char *host);

#endif
