#include "daemon/peers.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/text.h"

void ow_peers_init(struct ow_peers *p)
{
    *p = (struct ow_peers){ 0 };
    ow_assert(getrandom(p->key, sizeof p->key, 0) == (ssize_t)sizeof p->key);
}

void ow_peers_done(struct ow_peers *p)
{
    for (size_t i = 0; i < OW_LEN(p->chains); i++) {
        while (p->chains[i]) {
            struct ow_peer *next = p->chains[i]->next;

            free(p->chains[i]);
            p->chains[i] = next;
        }
    }
}

void ow_peer_address(const struct sockaddr *from, uint8_t ret[16])
{
    static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

    memset(ret, 0, 16);
    if (from->sa_family == AF_INET) {
        memcpy(ret, mapped, 12);
        memcpy(ret + 12, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
    } else if (from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const void *)from;

        memcpy(ret, &in6->sin6_addr, memcmp(&in6->sin6_addr, mapped, 12) == 0 ? 16 : 8);
    }
}

/* The link that holds `address`, or the empty end of its chain. */
static struct ow_peer **find(struct ow_peers *p, const uint8_t address[16])
{
    struct ow_peer **at = &p->chains[ow_siphash(p->key, address, 16) % OW_LEN(p->chains)];

    while (*at && memcmp((*at)->address, address, 16) != 0)
        at = &(*at)->next;
    return at;
}

bool ow_peers_enter(struct ow_peers *p, const uint8_t address[16], unsigned max)
{
    struct ow_peer **at = find(p, address);

    if (*at && (*at)->n >= max)
        return false;
    if (!*at) {
        *at = ow_alloc_zero(sizeof **at);
        memcpy((*at)->address, address, 16);
    }
    (*at)->n++;
    return true;
}

void ow_peers_leave(struct ow_peers *p, const uint8_t address[16])
{
    struct ow_peer **at = find(p, address), *peer = *at;

    ow_assert(peer && peer->n > 0);
    if (--peer->n > 0)
        return;
    *at = peer->next;
    free(peer);
}
