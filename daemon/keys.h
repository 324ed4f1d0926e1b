/*
 * Keys: the key set of one client, out of a file or from its URL
 *
 * A file is read again when it has changed; one that became bad leaves the old keys in
 * force. A URL is fetched at the start and again when its max-age (kept between a minute
 * and a day) is over; while it cannot be had the old keys stay for a day. A kid that is
 * not known is a reason to ask out of turn, once a minute.
 */
#pragma once

#include "daemon/clients.h"
#include "daemon/core.h"
#include "fhir/jws.h"

struct ow_keys;

/* The set may have changed, or not. */
typedef void ow_keys_fn(void *arg);

struct ow_keys *ow_keys_new(struct ow_core *core, const struct ow_hooks_client *client);
void ow_keys_start(struct ow_keys *k);
/* Timer and fetch go; who waits is called. */
void ow_keys_stop(struct ow_keys *k);
void ow_keys_free(struct ow_keys *k);

/* NULL: there is none. Valid until the loop's next turn. */
const struct ow_jwks *ow_keys_get(struct ow_keys *k);
/* Look again, as a kid is unknown: `fn` is called later, once. False: not now, and `fn`
 * is not called. */
OW_MUST_USE bool ow_keys_ask(struct ow_keys *k, ow_keys_fn *fn, void *arg);
