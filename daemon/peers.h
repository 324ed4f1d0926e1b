/*
 * Peers: how many connections each address holds
 *
 * An address is 16 bytes; IPv4 is mapped, and of IPv6 only the /64 counts, for that is
 * what one customer of a network gets. Keyed hash, since the other side chooses.
 */
#pragma once

#include <sys/socket.h>

#include "base/base.h"

struct ow_peer {
    struct ow_peer *next;
    uint8_t address[16];
    unsigned n;
};

struct ow_peers {
    struct ow_peer *chains[256];
    uint8_t key[16];
};

void ow_peers_init(struct ow_peers *p);
void ow_peers_done(struct ow_peers *p);

/* The address as it is counted; zeroes for what is no IP address. */
void ow_peer_address(const struct sockaddr *from, uint8_t ret[16]);

/* One more connection of `address`; false, and nothing counted, when it has `max`. */
OW_MUST_USE bool ow_peers_enter(struct ow_peers *p, const uint8_t address[16],
                                unsigned max);
void ow_peers_leave(struct ow_peers *p, const uint8_t address[16]);
