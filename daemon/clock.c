#include "daemon/clock.h"

#include <time.h>

static int64_t clock_ms(clockid_t id)
{
    struct timespec ts;

    ow_assert(clock_gettime(id, &ts) == 0);
    return (int64_t)ts.tv_sec * OW_SECOND + ts.tv_nsec / 1000000;
}

ow_time ow_clock_utc(void)
{
    return clock_ms(CLOCK_REALTIME);
}

int64_t ow_clock_mono(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}
