#include "daemon/address.h"

#include <netinet/in.h>
#include <string.h>

/* IANA's special-purpose registries (RFC 6890 and its updates), plus multicast. */
static const struct {
    uint8_t net[4];
    unsigned bits;
} nets4[] = {
    {{ 0, 0, 0, 0 },       8 },
    { { 10, 0, 0, 0 },     8 },
    { { 100, 64, 0, 0 },   10},
    { { 127, 0, 0, 0 },    8 },
    { { 169, 254, 0, 0 },  16},
    { { 172, 16, 0, 0 },   12},
    { { 192, 0, 0, 0 },    24},
    { { 192, 0, 2, 0 },    24},
    { { 192, 168, 0, 0 },  16},
    { { 198, 18, 0, 0 },   15},
    { { 198, 51, 100, 0 }, 24},
    { { 203, 0, 113, 0 },  24},
    { { 224, 0, 0, 0 },    3 },
};

static const struct {
    uint8_t net[4]; /* no prefix here is longer than 32 bits */
    unsigned bits;
} nets6[] = {
    {{ 0xfc },                    7 },
    { { 0xfe, 0x80 },             10},
    { { 0xfe, 0xc0 },             10},
    { { 0xff },                   8 },
    { { 0x01, 0x00 },             16},
    { { 0x20, 0x01, 0x0d, 0xb8 }, 32},
    { { 0x20, 0x01, 0, 0 },       32},
};

/* IPv6 forms that carry an IPv4 address at `at`. */
static const struct {
    uint8_t net[12];
    size_t len, at;
} carriers[] = {
    {{ [10] = 0xff, [11] = 0xff }, 12, 12}, /* ::ffff:0:0/96 */
    { { 0 },                       12, 12}, /* ::/96, with :: and ::1 */
    { { 0x00, 0x64, 0xff, 0x9b },  12, 12}, /* 64:ff9b::/96 */
    { { 0x20, 0x02 },              2,  2 }, /* 2002::/16 */
};

static bool in_net(const uint8_t *address, const uint8_t *net, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;

    return memcmp(address, net, whole) == 0 &&
           (rest == 0 || (address[whole] ^ net[whole]) >> (8 - rest) == 0);
}

static bool is_private4(const uint8_t *address)
{
    for (size_t i = 0; i < OW_LEN(nets4); i++)
        if (in_net(address, nets4[i].net, nets4[i].bits))
            return true;
    return false;
}

static bool is_private6(const uint8_t *address)
{
    for (size_t i = 0; i < OW_LEN(carriers); i++)
        if (memcmp(address, carriers[i].net, carriers[i].len) == 0)
            return is_private4(address + carriers[i].at);
    for (size_t i = 0; i < OW_LEN(nets6); i++)
        if (in_net(address, nets6[i].net, nets6[i].bits))
            return true;
    return false;
}

bool ow_address_is_private(const struct sockaddr *address)
{
    uint8_t bytes[16];

    if (address->sa_family == AF_INET) {
        memcpy(bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
        return is_private4(bytes);
    }
    if (address->sa_family != AF_INET6)
        return true;
    memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
    return is_private6(bytes);
}
