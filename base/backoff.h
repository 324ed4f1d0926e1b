/*
 * Back-off: how long to wait before the next try
 */
#pragma once

#include "base/base.h"

struct ow_backoff {
    int64_t first_ms, cap_ms; /* wait before the second try, and the longest wait */
};

/*
 * Wait before try number `attempt` + 1 (attempt counts failures, from 1): doubles from
 * `first_ms` up to `cap_ms`, then "equal jitter" from `random`: between half and all of
 * it. A server's Retry-After (`floor_ms`, 0 when none) is a lower bound, itself cut at
 * five minutes, with up to a tenth of jitter on top.
 */
int64_t ow_backoff_ms(const struct ow_backoff *b, unsigned attempt, int64_t floor_ms,
                      uint64_t random);
