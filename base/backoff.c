#include "base/backoff.h"

enum { FLOOR_MOST_MS = 5 * 60 * 1000 };

/* A number from 0 to `most`, both included. */
static int64_t pick(uint64_t random, int64_t most)
{
    return (int64_t)(random % ((uint64_t)most + 1));
}

int64_t ow_backoff_ms(const struct ow_backoff *b, unsigned attempt, int64_t floor_ms,
                      uint64_t random)
{
    int64_t wait = b->first_ms, half;

    ow_assert(b->first_ms > 0 && b->cap_ms >= b->first_ms && attempt > 0);
    while (--attempt > 0 && wait <= b->cap_ms / 2)
        wait *= 2;
    if (attempt > 0 || wait > b->cap_ms)
        wait = b->cap_ms;
    half = wait / 2;
    wait = wait - half + pick(random, half);

    /* Jitter above the floor, never below: the server named a bound, not a wish. */
    if (floor_ms > FLOOR_MOST_MS)
        floor_ms = FLOOR_MOST_MS;
    if (wait < floor_ms)
        wait = floor_ms + pick(random, floor_ms / 10);
    return wait;
}
