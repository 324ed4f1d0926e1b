#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "daemon/peers.h"

static void address_of(const char *text, uint8_t ret[16])
{
    struct sockaddr_in in = { .sin_family = AF_INET };
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };

    if (inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        ow_peer_address((struct sockaddr *)&in, ret);
        return;
    }
    assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
    ow_peer_address((struct sockaddr *)&in6, ret);
}

static bool same(const char *a, const char *b)
{
    uint8_t left[16], right[16];

    address_of(a, left);
    address_of(b, right);
    return memcmp(left, right, 16) == 0;
}

static void a_network_of_ipv6_counts_as_one_and_mapped_ipv4_as_itself(void **state)
{
    (void)state;
    assert_true(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
    assert_false(same("2001:db8:1:2::1", "2001:db8:1:3::1"));
    assert_true(same("192.0.2.1", "::ffff:192.0.2.1"));
    assert_false(same("192.0.2.1", "192.0.2.2"));
    assert_false(same("::ffff:192.0.2.1", "::ffff:192.0.2.2"));
}

static void each_address_has_its_own_ceiling_and_leaving_makes_room(void **state)
{
    struct ow_peers p;
    uint8_t a[16];

    (void)state;
    ow_peers_init(&p);
    for (uint32_t i = 0; i < 2000; i++) { /* many more than there are chains */
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(i) };

        ow_peer_address((struct sockaddr *)&in, a);
        assert_true(ow_peers_enter(&p, a, 2));
        assert_true(ow_peers_enter(&p, a, 2));
        assert_false(ow_peers_enter(&p, a, 2));
    }
    address_of("0.0.0.7", a);
    ow_peers_leave(&p, a);
    assert_true(ow_peers_enter(&p, a, 2));
    assert_false(ow_peers_enter(&p, a, 2));
    for (uint32_t i = 0; i < 2000; i++) {
        struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(i) };

        ow_peer_address((struct sockaddr *)&in, a);
        ow_peers_leave(&p, a);
        ow_peers_leave(&p, a);
    }
    for (size_t i = 0; i < OW_LEN(p.chains); i++)
        assert_null(p.chains[i]);
    ow_peers_done(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_of_ipv6_counts_as_one_and_mapped_ipv4_as_itself),
        cmocka_unit_test(each_address_has_its_own_ceiling_and_leaving_makes_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
