/*
 * Address: which network addresses are not for strangers
 */
#pragma once

#include <sys/socket.h>

#include "base/base.h"

/*
 * Loopback, private, link-local, shared, documentation, multicast, reserved and
 * unspecified addresses, also when they hide in an IPv6 form (mapped, 6to4, NAT64).
 * What is neither IPv4 nor IPv6 counts as private.
 */
bool ow_address_is_private(const struct sockaddr *address);
