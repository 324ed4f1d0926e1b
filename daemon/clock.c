#include "daemon/clock.h"

#include <time.h>

static int64_t clock_us(clockid_t id)
{
    struct timespec ts;

    ow_assert(clock_gettime(id, &ts) == 0);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

ow_time ow_clock_utc(void)
{
    return clock_us(CLOCK_REALTIME) / 1000;
}

int64_t ow_clock_mono(void)
{
    return clock_us(CLOCK_MONOTONIC) / 1000;
}

int64_t ow_clock_mono_us(void)
{
    return clock_us(CLOCK_MONOTONIC);
}
