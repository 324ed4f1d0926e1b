/*
 * Replay: which tokens were used, as long as they could be used again
 *
 * A set of digests in memory, bounded for each issuer; the store keeps the same rows for
 * the next start. When an issuer's share is full, its tokens are refused: to forget one
 * would be to take it twice.
 */
#pragma once

#include "daemon/store.h"

enum { OW_REPLAY_MOST = 100000 }; /* of one issuer */

struct ow_replay;

struct ow_replay *ow_replay_new(unsigned most);
void ow_replay_free(struct ow_replay *r);

/* The digest of a token; a jti is one of its issuer's. */
void ow_replay_digest(const char *issuer, const char *jti, uint8_t ret[OW_TOKEN_BYTES]);

enum ow_replay_result {
    OW_REPLAY_NEW, /* and kept from now on */
    OW_REPLAY_SEEN,
    OW_REPLAY_FULL,
};
OW_MUST_USE enum ow_replay_result ow_replay_add(struct ow_replay *r,
                                                const struct ow_token *t, ow_time now);
size_t ow_replay_count(const struct ow_replay *r);
